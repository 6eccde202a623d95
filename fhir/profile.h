/* fhir/profile.h -- what definitions ask beyond structure, asked of an instance.
 *
 * The walk of fhir/validate.c checks the structure of the base types.  Here the
 * trees of fhir/profile_format.h are run over the same tape: a profile walks
 * down its own tree only, so it costs what it asks and not what the instance
 * holds.
 *
 *     profiling_init()
 *        profiling_resources()  what the caller asks and what each resource claims
 *        profiling_base()       an element of a base type: bindings, invariants, targets …
 *        profiling_declared()   meta.profile of a resource, vital signs by code
 *        profiling_apply()      one profile of one value: asked for, an extension's
 *
 *   P1  A profile is asked of a value once, however many ways lead to it: a
 *       reference in a circle ends there, and counts as right on the way.
 *   P2  Which slice an item is in, which of several profiles a value has, and
 *       what conformsTo() says is found by a silent run: it makes no findings
 *       and stops at the first error.
 *   P3  What cannot be decided here (an unknown profile, a value set that is
 *       not here) is said as a warning, and never counts as right or wrong.
 *   P4  Bounded: PROFILE_STEPS_EACH steps for every node of the document, and
 *       PROFILE_DEPTH values inside each other.  Over them an error says that
 *       the rest was not looked at: nothing is accepted unseen.
 *
 * Rule ids: docs/validation.md.  Pure; everything lives in the arena.
 */
#ifndef SLUICE_FHIR_PROFILE_H
#define SLUICE_FHIR_PROFILE_H

#include "fhir/bundle_table.h"
#include "fhir/finding.h"
#include "fhir/known_good.h"
#include "fhir/profile_format.h"
#include "fhir/reference.h"
#include "fhir/validate.h"

#define PROFILE_STEPS_LEAST UINT64_C(1000000)
#define PROFILE_STEPS_EACH  UINT64_C(200)
#define PROFILE_DEPTH       96u
#define PROFILE_SYSTEMS     8u

/* A value in its place: of a primitive both halves, of all others the object. */
struct spot {
    tape_node               value, shadow;
    const struct pack_type *type;            /* which type of its element it has; NULL: a resource, or a datatype's root */
    uint32_t                shape;           /* of an object; PACK_NONE: a primitive */
};

struct profiling_memo { tape_node node; uint32_t profile; uint8_t state, told; };

/* What a Coding.system is: its codes are here; it is something else (odd). */
struct known_system { struct span url; bool here, odd; };

/* A value set, by where the pack has its canonical url. */
struct known_set { uint32_t text, set; };
#define PROFILE_SETS 64u                     /* a power of 2 */

struct profiling {
    const struct pack       *pack;
    const struct bundle     *bundle;
    const struct tape       *tape;
    struct arena            *arena;
    struct report           *report;
    struct term_questions   *questions;      /* validate_options; may be NULL */
    int64_t                  now_ms;         /* validate_options */
    struct bundle_tables    *tables;         /* for references; made when the first one is asked for */
    uint32_t                 from;           /* the resource whose invariant is evaluated */
    bool                     no_memory;
    uint64_t                 steps;          /* left */
    uint64_t                 expression_steps;   /* left for all invariants together */
    uint32_t                 depth;
    bool                     silent;
    uint32_t                 errors, silent_errors;      /* made; when the silent run began */
    uint32_t                 findings;                   /* of any severity */
    uint32_t                 outside, resolved;          /* looks outside of the value at hand; at what a reference names */
    uint32_t                 home;                       /* struct home's number, of all that is in the resource at hand; 0 */
    struct known_good        good;
    uint64_t                 met[2];                     /* elements of the object met_of, by their place in its shape */
    tape_node                met_of;
    bool                     met_odd;                    /* not all of them as FHIRPath would see them */
    uint32_t                 profile;        /* that is run; PACK_NONE: a base type */
    struct finding           finding;        /* that is made */
    uint64_t                 place;          /* of a doubt that no node has */
    struct known_system      systems[PROFILE_SYSTEMS];   /* the last ones, for profiling_coding */
    uint32_t                 next_system;
    struct known_set         sets[PROFILE_SETS];
    struct spot             *spots;          /* a stack of items */
    uint32_t                 spot_count, spot_room;
    struct profiling_memo   *memo;           /* open addressing */
    uint32_t                 memo_count, memo_room;
};

void profiling_init(struct profiling *, const struct pack *, const struct bundle *, struct arena *, struct report *);

/* Once, when all was asked: an error when the steps did not suffice (P4). */
void profiling_end(struct profiling *);

/* What a node asks of a value of a base type. */
void profiling_base(struct profiling *, uint32_t node, const struct spot *);

/* A Coding by itself: whether its code system has its code. */
void profiling_coding(struct profiling *, tape_node coding);
/* A Quantity by itself: whether its unit is one. */
void profiling_quantity(struct profiling *, tape_node quantity);

/* One profile of one value; true when nothing was found wrong now or before. */
bool profiling_apply(struct profiling *, uint32_t profile, const struct spot *);

/* A resource as a spot; its shape is PACK_NONE when its type is not known. */
struct spot profiling_resource(const struct profiling *, tape_node resource);

/* Resources first .. end - 1 of bundle_resources(): what they claim; of those
 * that stand for themselves, the root or an entry's own, what the options ask
 * of their type.  options may be NULL. */
void profiling_resources(struct profiling *, const struct validate_options *, uint32_t first, uint32_t end);

/* Profiles that a resource claims in meta.profile: asked, or a warning when they are not here. */
void profiling_declared(struct profiling *, tape_node resource);

#endif
