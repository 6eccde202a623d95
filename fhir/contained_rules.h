/* fhir/contained_rules.h -- resources inside of others (R4 domainresource.html,
 * references.html#contained).
 *
 *   ref-1         "#id" names a resource contained in the same one
 *   contained-id  each has an id that no other one there has
 *   dom-3         each is referred to, or refers to what contains it
 *   dom-4, dom-5  none has meta.versionId, meta.lastUpdated or meta.security
 *
 * All contained resources of a document in one table: n log n.
 */
#ifndef SLUICE_FHIR_CONTAINED_RULES_H
#define SLUICE_FHIR_CONTAINED_RULES_H

#include "fhir/bundle_table.h"
#include "fhir/finding.h"

struct contained;

/* NULL with ST_OK when there are none in the range. */
enum status contained_read(struct report *, struct resource_range, struct contained **out) MUST_CHECK;

/* What "#id", found in this resource, names; notes that it is referred to.
 * ENTRY_NONE: nothing.  "#" alone names what contains. */
uint32_t contained_find(struct contained *, const struct bundle *, uint32_t from_resource, struct span text);

/* Whether an element, a resource or a narrative of the document has this id, as
 * far as can be seen cheaply: "no" is certain. */
bool fragment_known(struct report *, struct span id, size_t *budget);

/* When all references were looked up. */
void contained_rules(struct contained *, struct report *);

#endif
