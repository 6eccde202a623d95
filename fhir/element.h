/* fhir/element.h -- what an element is in FHIR's JSON: pairs, arrays, choices.
 *
 * R4 json.html#primitive: a primitive `x` may have an object `_x` beside it
 * with its id and extensions; for repeating primitives both are arrays of the
 * same length with null where one side has nothing.  R4 formats.html#choice:
 * `value[x]` appears as `value` + the capitalised type.
 *
 * This is the only way to walk a resource and the only file that hands out
 * nodes to cut, because a cut must take both halves of a pair.
 */
#ifndef SLUICE_FHIR_ELEMENT_H
#define SLUICE_FHIR_ELEMENT_H

#include "base/json_splice.h"
#include "base/json_tape.h"

struct element {
    tape_node value;                     /* x, TAPE_ABSENT when only _x is there */
    tape_node shadow;                    /* _x, TAPE_ABSENT mostly               */
};

/* A member and its shadow. */
struct element element_get(const struct tape *, tape_node object, struct span name);
/* value[x]: the member whose name is `stem` + a capital letter; *type becomes
 * what follows the stem ("CodeableConcept"; borrowed from the name). */
struct element element_choice(const struct tape *, tape_node object, struct span stem,
                              struct span *type);
bool           element_present(struct element);
/* Item `index` of a repeating element; both halves; a null hole is absent. */
struct element element_item(const struct tape *, struct element, uint32_t index);
uint32_t       element_items(const struct tape *, struct element);   /* the longer array; 1 when it does
                                                                      * not repeat; 0 when absent */

/* The other half of the pair that this node belongs to: of member `x` the
 * member `_x` and the other way round; of an item the item at the same index
 * of the parallel array (TAPE_ABSENT when that is null or missing). */
tape_node element_twin(const struct tape *, const tape_node *parents, tape_node);

/* Cuts a node together with its other half (redaction rule B3): a member with
 * its shadow at once; an item of a parallel array, in both arrays, when
 * element_settle() is called, so that many cuts in one long array stay linear. */
void element_cut(struct splices *, const struct tape *, const tape_node *parents, tape_node);
/* To be called once, after all cuts are made and before the seal:
 *   - an item that was cut goes in both arrays (the shorter array has none there);
 *   - an item of which inner cuts leave nothing becomes null while the other
 *     half stays, so that the indexes still agree; with no other half both go;
 *   - a side that is left with nothing but nulls goes as a whole (rules B3, C6).
 * Pairs in which nothing was cut stay as they came.  One pass over the tape. */
void element_settle(struct splices *, const struct tape *, const tape_node *parents, struct arena *scratch);

#endif
