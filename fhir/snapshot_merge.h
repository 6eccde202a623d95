/* fhir/snapshot_merge.h -- what an element says, after its differential; private
 * to the generator (fhir/snapshot.h, rule S6).
 *
 * Details in, details out: nothing is changed in place, equal parts are shared.
 */
#ifndef SLUICE_FHIR_SNAPSHOT_MERGE_H
#define SLUICE_FHIR_SNAPSHOT_MERGE_H

#include "fhir/snapshot_tree.h"

/* NULL: the arena is spent. */
const struct details *details_merge(struct compiler *, const struct details *base, const struct details *differential);
/* With one of them replaced; a value without a tape takes it away. */
const struct details *details_with(struct compiler *, const struct details *, enum detail_kind, struct value);

/* Values that nobody states and everybody means. */
struct value value_from(struct compiler *, uint32_t);
struct value value_slicing_by_url(struct compiler *);
struct value value_slicing_by_type(struct compiler *, bool closed);
/* The minimum of these details, 0 when none is stated or it is no number. */
uint32_t     details_min(const struct details *);
/* A list with the one type of `types` that a name like valueQuantity asks for;
 * zeroed when there is none. */
struct value value_type_named(struct compiler *, struct value types, struct span stem, struct span name);
/* Two lists of types as one. */
struct value value_types_join(struct compiler *, struct value first, struct value second);
/* Text of JSON that we wrote; zeroed when the arena is spent. */
struct value value_read(struct compiler *, struct span json);

#endif
