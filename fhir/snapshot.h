/* fhir/snapshot.h -- the elements of a StructureDefinition, all of them.
 *
 * A StructureDefinition says what it changes of its base (differential) and
 * may say the result (snapshot); many publish the first only.  What reads
 * definitions asks here and always gets a result
 * (R4 profiling.html#snapshot).
 *
 *     own snapshot.element                      as it is
 *     differential + snapshot of the base       generated (fhir/snapshot_*.c), written as
 *                                               JSON, read by the tape
 *
 * Where a base, a type or a profile is looked for: among the files that are
 * compiled, then in the pack that they come on top of.  A pack keeps the
 * snapshot of every StructureDefinition that it was made from, stripped of
 * what no validator reads; a generated one is stripped the same way.  What is
 * left of an ElementDefinition: id, path, sliceName, slicing, min, max,
 * base, contentReference, type, fixed[x], pattern[x], minValue[x],
 * maxValue[x], maxLength, constraint (without xpath), mustSupport,
 * isModifier, binding, and extensions inside these.
 *
 * Rules of generation:
 *   S1  An element of the differential is found by its id when that agrees
 *       with path and sliceName, else by path and sliceName, below what its
 *       predecessor named.
 *   S2  Below an element without children stand those of its type: of the
 *       type's profile when it has exactly one, of what contentReference
 *       names; of several types, of the first that has the child asked for.
 *   S3  A new slice says what the sliced element says in the base, with the
 *       children as they are now; min is 0 unless the differential states one.
 *       What gets new slices is there as often as all of them together, unless
 *       the differential has it as well.
 *   S4  Slices of extension and modifierExtension are told by url, and types
 *       of a choice by type, also when nobody says so.  A path that ends in
 *       valueQuantity means slice valueQuantity of value[x], and that there
 *       are no types but those that are named so.
 *   S5  "a/b" is a slice of slice a.
 *   S6  What the differential states replaces what was there; constraints are
 *       added to those there, one for a key; discriminators likewise.
 *   S7  A base that is missing, a definition that is its own base, a path
 *       that leads nowhere: an error that names it.
 *
 * Everything is in the compiler's arena.  Bounded: SNAPSHOT_DEPTH bases and
 * types that need each other, SNAPSHOT_ELEMENTS in one snapshot, SNAPSHOT_SLICES
 * of one element, which are looked through by name.
 */
#ifndef SLUICE_FHIR_SNAPSHOT_H
#define SLUICE_FHIR_SNAPSHOT_H

#include "fhir/compile.h"

#define SNAPSHOT_DEPTH    32u
#define SNAPSHOT_ELEMENTS 20000u
#define SNAPSHOT_SLICES   2000u

/* The array of ElementDefinitions.  Made once for each definition.  False:
 * compile_broken() has said why. */
bool compile_snapshot(struct compiler *, const struct definition *, const struct tape **tape, tape_node *elements);

/* What a canonical URL names ("…/Patient", "…/vitalsigns|4.0.1"), among the
 * files or in the base pack. */
struct snapshot {
    const struct definition *definition;         /* NULL: it is in the base pack only */
    struct span              url, version, type, base;
    struct span              derivation;         /* "constraint", "specialization", empty */
    struct span              kind;               /* "resource", "complex-type", … */
    bool                     abstract;
    const struct tape       *tape;
    tape_node                elements;
};

/* False with a finding when it is there and broken; true with elements
 * TAPE_ABSENT and no finding when nobody has it. */
bool compile_snapshot_find(struct compiler *, struct span canonical, struct snapshot *out);

#endif
