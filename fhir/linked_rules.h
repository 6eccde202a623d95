/* fhir/linked_rules.h -- every entry of a document hangs together.
 *
 * R4 documents.html#content: a document holds the Composition, what it refers
 * to, and what refers to that.  As the official validator reports it:
 *   linked   an entry that no chain of references, forward or backward, joins
 *            with the first one: an error in a document, a warning in a message;
 *            one that is joined only because it refers to the others: a warning
 *            in a document, unless it is a Provenance
 * A uri that names an entry joins as well, and a `stylesheet` link of the Bundle.
 *
 * Linear in references and strings of the Bundle.
 */
#ifndef SLUICE_FHIR_LINKED_RULES_H
#define SLUICE_FHIR_LINKED_RULES_H

#include "fhir/bundle_table.h"
#include "fhir/finding.h"

struct link { uint32_t from, to; };      /* entries */

struct links {
    struct link *all;
    uint32_t     count, room;
};

enum status links_add(struct links *, struct link, struct arena *) MUST_CHECK;
/* For one document or message with the links of its references. */
enum status linked_rules(struct report *, struct bundle_table *, struct links *) MUST_CHECK;

#endif
