/* fhir/path.h -- a node's FHIRPath expression: "Bundle.entry[3].resource.code".
 *
 * The first word is the resourceType of the root (or "$this" when it has
 * none).  Array items carry their index.  A `_birthDate` member reads
 * `birthDate` (FHIRPath addresses the element, not its JSON shadow).
 * A choice element is written with its JSON name (`valueQuantity`), which is
 * what the sender can search for.
 */
#ifndef SLUICE_FHIR_PATH_H
#define SLUICE_FHIR_PATH_H

#include "base/arena.h"
#include "base/json_tape.h"

/* parents as tape_parents() gives them.  Empty for TAPE_ABSENT. */
struct span path_of(const struct tape *, const tape_node *parents, tape_node, struct arena *);

#endif
