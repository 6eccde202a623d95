/* fhir/path.h -- a node's FHIRPath expression: "Bundle.entry[3].resource.code".
 *
 * The first word is the resourceType of the root (or "$this" when it has
 * none).  Array items carry their index.  A `_birthDate` member reads
 * `birthDate` (FHIRPath addresses the element, not its JSON shadow).
 * A choice element is written with its JSON name (`valueQuantity`), which is
 * what the sender can search for.
 *
 * A member name is text of the sender.  One that is not a plain identifier of
 * at most PATH_NAME_MAX characters ends the expression at its parent: line
 * and column say the rest, and nothing of a payload can hide in a path.
 */
#ifndef SLUICE_FHIR_PATH_H
#define SLUICE_FHIR_PATH_H

#include "base/arena.h"
#include "base/json_tape.h"

#define PATH_NAME_MAX 64

/* What many expressions of one document may cost together.  An index is counted
 * from the first item; findings that come in the order of the document go on
 * where the last one of the same depth was, others count again.  Behind
 * PATH_COUNTED items expressions carry no index: line and column say the rest. */
#define PATH_COUNTED 16000000u
#define PATH_PLACES  16u                     /* depths that are remembered */

struct path_counts {
    const struct tape *tape;
    uint32_t           counted;
    struct path_place {
        tape_node list, item;
        uint32_t  index;
    } places[PATH_PLACES];
};

/* parents as tape_parents() gives them.  Empty for TAPE_ABSENT. */
struct span path_of(const struct tape *, const tape_node *parents, tape_node, struct arena *);
/* The same for one of many: counts begin as zero. */
struct span path_of_many(struct path_counts *, const struct tape *, const tape_node *parents, tape_node, struct arena *);
/* [A-Za-z_][A-Za-z0-9_]*, at most PATH_NAME_MAX long: may be repeated in a
 * finding. */
bool path_name_plain(struct span name);

#endif
