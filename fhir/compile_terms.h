/* fhir/compile_terms.h -- how the parts of terminology's compiler work together;
 * private to compile_terminology.c, compile_systems.c, compile_value_sets.c and
 * compile_filter.c.
 *
 *     compile_terminology.c   order of the steps, urls -> records, versions
 *     compile_systems.c       CodeSystem -> systems, concepts, parents, designations
 *     compile_value_sets.c    ValueSet.compose -> sets -> parts, members
 *     compile_filter.c        ValueSet.compose.include.filter -> marks on concepts
 *     term_set.c              the algebra of sets
 */
#ifndef SLUICE_FHIR_COMPILE_TERMS_H
#define SLUICE_FHIR_COMPILE_TERMS_H

#include "fhir/compile.h"
#include "fhir/pack_terms.h"
#include "fhir/term_set.h"

/* Codes that all value sets of one compilation may list together, and
 * concepts of all systems: 40 times what R4, THO and IPS have. */
#define TERMS_ITEMS    (UINT64_C(1) << 23)
#define TERMS_CONCEPTS (UINT32_C(1) << 22)
/* Concepts that all filters together may look at, and steps of their regular
 * expressions: a hostile package may have a hundred thousand filters over a
 * million concepts. */
#define TERMS_WORK     (UINT64_C(1) << 26)
#define TERMS_STEPS    (UINT32_C(1) << 28)
/* Value sets that include each other. */
#define TERMS_DEPTH    32u

enum value_state { VALUE_UNTOUCHED = 0, VALUE_OPEN, VALUE_DONE };

/* A value set while it is composed. */
struct value_source {
    const struct definition *definition;     /* NULL: of the base */
    struct term_set          set;
    enum value_state         state;
};

struct terms {
    struct compiler          *c;
    struct pack               view;          /* the tables so far, as a pack */
    uint32_t                  first_system, first_concept, first_value_set;   /* those of the base are before */
    const struct definition **systems;       /* of each from first_system on */
    tape_node                *nodes;         /* of each concept from first_concept on */
    uint32_t                  node_room;
    struct value_source      *sources;       /* of each value set */
    struct term_set_oracle    oracle;
    uint64_t                  work_left;
    uint32_t                  steps_left;
};

/* Tables move when they grow: look again before asking the view. */
const struct pack *terms_view(struct terms *);

/* Definitions of a kind that get a record: those with a url, the last of equal
 * ones (url and version), none that the base has.  In their order. */
struct terms_list { const struct definition **at; uint32_t count; };
bool terms_list(struct terms *, enum definition_kind, enum pack_section_kind, struct terms_list *);
/* Chains the versions of a url and fills the slots anew. */
bool terms_chain(struct terms *, enum pack_section_kind records, enum pack_section_kind slots);
/* What a record begins with. */
struct pack_versioned terms_canonical(struct terms *, const struct definition *, bool holds_codes);

bool terms_systems(struct terms *);          /* compile_systems.c */
bool terms_value_sets(struct terms *);       /* compile_value_sets.c */

/* One filter on a system: marks[i] stays set when concept i of it passes.
 * TERM_WHY_NONE, or why it cannot be decided. */
enum term_why terms_filter(struct terms *, uint32_t system, tape_node filter, const struct tape *, uint8_t *marks);

/* compile_systems.c: the node of a concept, TAPE_ABSENT for one of the base. */
tape_node terms_concept_node(const struct terms *, uint32_t concept);
/* Item after item of a concept's properties with this code: its value as text. */
tape_node terms_property(const struct tape *, tape_node concept, struct span code, tape_node after);
struct span terms_property_text(const struct tape *, tape_node property, struct arena *);

/* A power of two with room for `count` and an empty slot. */
uint32_t terms_slots(uint32_t count);

#endif
