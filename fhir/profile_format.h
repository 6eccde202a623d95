/* fhir/profile_format.h -- how profiles lie in a pack; private, beside pack_format.h.
 *
 * What a definition asks beyond the structure that shapes and elements hold is
 * a tree of NODES.  A node stands for one ElementDefinition (an element or a
 * slice) and says only what its base type does not ask already; a tree has
 * only such nodes and the ones on the way to them (docs/decisions/0021).
 *
 *   PROFILES       a StructureDefinition each, types and constraints alike
 *   PROFILE_SLOTS  a hash table: canonical url -> profile + 1
 *   CONTEXTS       where an extension may stand
 *   NODES          children of one node side by side, in the order of their
 *                  elements within the shape; slices of one node side by side
 *   ALLOWED        the types that a node allows, with their profiles
 *   CANONICALS     urls of profiles, each with the profile that it names
 *   VALUES         fixed, pattern, least and most values: JSON as records
 *   BINDINGS       value sets of nodes
 *   CONSTRAINTS    invariants
 *   PROGRAMS       their FHIRPath, compiled; words
 *   TESTS          how a slice is recognised
 *   STEPS          the paths of tests
 *   GLOBALS        profiles that a package asks of all resources of their type
 *                  (ImplementationGuide.global)
 *
 * The same records say what the base types ask beyond structure: an element's
 * own by pack_element.node, those of everything in the place of a shape by
 * pack_shape.node.
 */
#ifndef SLUICE_FHIR_PROFILE_FORMAT_H
#define SLUICE_FHIR_PROFILE_FORMAT_H

#include "fhir/pack_format.h"

enum pack_profile_flag { PROFILE_ABSTRACT = 1, PROFILE_EXTENSION = 2, PROFILE_MODIFIER = 4, PROFILE_CONSTRAINT = 8 };

struct pack_profile {
    struct pack_text url, version, name;
    struct pack_text type;                   /* "Observation"                                      */
    uint32_t         structure;              /* PACK_NONE: no type of R4 (a logical model)         */
    uint32_t         node;                   /* the root; PACK_NONE: asks nothing beyond its type  */
    uint32_t         first_context, context_count;
    uint32_t         invariant_count;        /* of CONTEXTS, behind the contexts */
    uint32_t         flags;
};

enum pack_context_kind {
    CONTEXT_ELEMENT = 1, CONTEXT_EXTENSION, CONTEXT_FHIRPATH,
    CONTEXT_INVARIANT,                       /* contextInvariant: behind the others, and all of them hold */
};

struct pack_context {
    uint32_t         kind;
    struct pack_text expression;
    uint32_t         program, program_words; /* of the last two kinds, in PROGRAMS; 0 words: none */
};

enum pack_node_flag {
    NODE_CARDINALITY = 1, NODE_FIXED = 2, NODE_PATTERN = 4, NODE_TYPES = 8,
    NODE_CLOSED = 16, NODE_ORDERED = 32, NODE_AT_END = 64, NODE_DEFAULT = 128,   /* "@default": what no other slice takes */
    NODE_UNTESTED = 256,                     /* a slice that nothing recognises: never matched, never asked for */
    NODE_WANTED = 512,                       /* that there is none breaks it or one of its slices */
};

struct pack_node {
    uint64_t         children[2];            /* a bit for each element of the shape that has a child here */
    struct pack_text path;                   /* "Observation.component:systolic.code"                     */
    uint32_t         element;                /* of ELEMENTS; PACK_NONE: the root of a definition          */
    uint32_t         shape;                  /* in which its children stand; PACK_NONE: it has none       */
    uint32_t         min, max;
    uint32_t         first_child;            /* as many as bits */
    uint32_t         first_slice, slice_count;
    uint32_t         first_test, test_count; /* of a slice: all have to hold */
    uint32_t         first_allowed, allowed_count;
    uint32_t         value;                  /* NODE_FIXED, NODE_PATTERN: of VALUES */
    uint32_t         least, most;            /* of VALUES; PACK_NONE: no bound      */
    uint32_t         max_length;             /* 0: no bound   */
    uint32_t         binding;                /* PACK_NONE: none */
    uint32_t         first_constraint, constraint_count;
    uint32_t         flags;
};

/* How a reference may name its target (ElementDefinition.type.aggregation and
 * .versioning); none of the first three: any way. */
enum pack_way { WAY_CONTAINED = 1, WAY_REFERENCED = 2, WAY_BUNDLED = 4, WAY_SPECIFIC = 8, WAY_INDEPENDENT = 16 };
#define WAYS_TO_TARGET (WAY_CONTAINED | WAY_REFERENCED | WAY_BUNDLED)

struct pack_allowed {
    struct pack_text code;                   /* "Reference" */
    uint32_t         structure;              /* PACK_NONE: a system type */
    uint32_t         first_profile, profile_count;       /* of CANONICALS: one of them */
    uint32_t         first_target, target_count;
    uint32_t         ways;                   /* of enum pack_way */
};

/* A profile that is not in the pack is PACK_NONE; its url still says what was asked for. */
struct pack_canonical {
    struct pack_text url;
    struct pack_text element;                /* "Composition.section:a": of that element of the profile alone */
    uint32_t         profile;
    uint32_t         node;                   /* of `element`; PACK_NONE */
};

/* A value and all inside it, in document order, as on a tape. */
struct pack_value {
    struct pack_text name;                   /* of a member; empty: an item or the root */
    struct pack_text text;                   /* unescaped; of a number its characters   */
    uint32_t         after;                  /* index behind its subtree                */
    uint32_t         kind;                   /* enum tape_kind                          */
};

enum pack_strength { STRENGTH_REQUIRED = 1, STRENGTH_EXTENSIBLE, STRENGTH_PREFERRED, STRENGTH_EXAMPLE };

struct pack_binding {
    struct pack_text value_set;              /* its canonical url, with |version if one is said    */
    struct pack_text max_value_set;          /* of elementdefinition-maxValueSet; empty: none      */
    uint32_t         strength;
};

enum pack_constraint_flag {
    CONSTRAINT_WARNING = 1, CONSTRAINT_BEST_PRACTICE = 2,
    CONSTRAINT_NATIVE = 4,                   /* the walk checks it without a program */
    CONSTRAINT_AROUND = 8,                   /* it asks for more than the value that it is said of */
};
#define CONSTRAINT_SHORTCUT 8                /* shift: enum shortcut */
enum shortcut { SHORTCUT_NONE = 0, SHORTCUT_ORDERED, SHORTCUT_LONG };

/* It holds for an object of this shape that lacks one element, or has one
 * (fhir/compile_glance.c): numbers of elements within the shape. */
#define GLANCE_NONE 0xffu
struct pack_glance {
    uint32_t shape;                          /* PACK_NONE: nothing can be said */
    uint8_t  absent[2], there[2];
};

struct pack_constraint {
    struct pack_text key, human, expression;
    uint32_t         program, program_words; /* in PROGRAMS; 0 words: none */
    uint32_t         flags;
    struct pack_glance glance;
};

enum pack_test_kind {
    TEST_FIXED = 1, TEST_PATTERN,            /* a value at the path is it       */
    TEST_BINDING,                            /* a value there is in a value set */
    TEST_TYPE,                               /* a value there has one of these types */
    TEST_EXISTS, TEST_ABSENT,
    TEST_PROFILE,                            /* a value there conforms to one of these profiles */
    TEST_NODE,                               /* a value there is what a node asks for           */
};

struct pack_test {
    uint32_t kind;
    uint32_t first_step, step_count;
    uint32_t first, count;                   /* VALUES, BINDINGS, ALLOWED, CANONICALS or NODES, as the kind says */
};

enum pack_step_kind { STEP_MEMBER = 1, STEP_EXTENSION, STEP_RESOLVE, STEP_OF_TYPE };

struct pack_step { uint32_t kind; struct pack_text name; uint32_t key; };      /* key: tape_key_of(name) */

/* Every index and offset of the sections above, once. */
bool pack_profiles_good(const struct pack *);

/* The profile or type of a canonical url, "url" or "url|version"; of several
 * that fit the highest version, and of one version the last that was compiled.
 * PACK_NONE when there is none. */
uint32_t pack_profile_named(const struct pack *, struct span canonical);

/* The child of a node for an element of its shape; PACK_NONE when it asks nothing of that. */
static inline uint32_t
pack_child(const struct pack_node *n, uint32_t element)
{
    uint64_t bit = (uint64_t)1 << element % 64;

    if (element >= PACK_SHAPE_ELEMENTS || !(n->children[element / 64] & bit))
        return PACK_NONE;
    return n->first_child + (uint32_t)__builtin_popcountll(n->children[element / 64] & (bit - 1))
         + (element >= 64 ? (uint32_t)__builtin_popcountll(n->children[0]) : 0);
}

static inline uint32_t
pack_children(const struct pack_node *n)
{
    return (uint32_t)(__builtin_popcountll(n->children[0]) + __builtin_popcountll(n->children[1]));
}

static inline struct span
pack_program(const struct pack *p, uint32_t first, uint32_t words)
{
    return span_from(p->programs + first, (size_t)words * sizeof *p->programs);
}

#endif
