/* fhir/id_rules.h -- the id of an element is unique in its resource.
 *
 * R4 element.html: "unique within the resource" (a contained resource is one of
 * its own; the ids of its own resource do not count).  The snapshot and the
 * differential of a StructureDefinition have the same ids, each once.  n log n
 * in ids, of which most documents have none.
 *   element-id   the second one that is equal
 */
#ifndef SLUICE_FHIR_ID_RULES_H
#define SLUICE_FHIR_ID_RULES_H

#include "fhir/finding.h"

struct noted_ids {
    tape_node *all;
    uint32_t   count, room;
};

enum status id_rules(struct report *, const struct noted_ids *) MUST_CHECK;

#endif
