/* fhir/compile_profiles.h -- how StructureDefinitions become nodes; private to the compile_*.c files.
 *
 *     compile_profiles.c   definitions -> profiles; snapshots -> twigs -> nodes
 *     compile_nodes.c      one ElementDefinition -> what a node asks
 *     compile_tests.c      discriminators -> tests of slices
 *
 * A snapshot is read into a tree of twigs in the arena, one for each
 * ElementDefinition.  What a twig asks is compared with what its base type
 * asks already; twigs that ask nothing and lead to nothing are left out.
 */
#ifndef SLUICE_FHIR_COMPILE_PROFILES_H
#define SLUICE_FHIR_COMPILE_PROFILES_H

#include "fhir/compile.h"
#include "fhir/profile_format.h"

#define COMPILE_PATH_DEPTH 64u               /* names in a path, slices inside slices */

struct twig {
    struct pack_node node;
    struct twig     *first_child, *last_child, *first_slice, *last_slice, *next;
    struct twig     *sliced;                 /* of a slice: what it is a slice of */
    uint32_t         slice_count;
    struct span      path, slice;
    tape_node        at;                     /* ABSENT: no ElementDefinition says it */
    uint32_t         element;                /* of ELEMENTS; PACK_NONE: the root     */
    uint32_t         shape;                  /* of its content; PACK_NONE: it has none, or it is not known */
    bool             own_shape;              /* a BackboneElement */
    bool             needed;
};

/* A node whose slices wait for their tests. */
struct sliced { uint32_t node; const struct tape *tape; tape_node slicing; };

struct profiles_compiler {
    struct compiler   *c;
    const struct tape *t;                    /* of the definition at hand */
    bool               base;                 /* it is a type: what is asked is not compared */
    struct sliced     *sliced;
    uint32_t           sliced_count, sliced_room;
    uint32_t          *programs;             /* constraint + 1 by its expression, open addressing */
    uint32_t           programs_room, programs_count;
};

uint32_t    compile_structure_named(const struct compiler *, struct span name);
/* By url or url|version; the last of several versions. */
uint32_t    compile_profile_named(const struct compiler *, struct span canonical);

/* What a twig's ElementDefinition asks, into twig->node. */
bool compile_node(struct profiles_compiler *, struct twig *);
/* Whether the node asks anything by itself. */
bool compile_node_asks(const struct pack_node *);
/* The program of an expression; 0 words when it is none.  False: memory is spent. */
bool compile_program(struct compiler *, struct pack_text expression, uint32_t *first, uint32_t *words);
/* When a constraint of objects of a shape holds at a glance. */
void compile_glance(const struct compiler *, uint32_t shape, struct pack_constraint *);
/* The value at a node of the tape -> records; their index, PACK_NONE when memory is spent. */
uint32_t compile_value(struct profiles_compiler *, const struct tape *, tape_node);
struct pack_node compile_no_node(void);

/* Tests of the slices of every node in p->sliced, when all profiles are nodes. */
bool compile_tests(struct profiles_compiler *);

#endif
