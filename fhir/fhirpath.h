/* fhir/fhirpath.h -- FHIRPath (N1 and FHIR R4's additions), compiled once, run over the tape.
 *
 *     source --fhirpath_compile()--> program --fhirpath_check()--> runs, as often as wanted
 *
 *     fhirpath_true(program, &context, arena, &failure)     an invariant: true, false, empty, error
 *     fhirpath_run(program, &context, arena, &result)       any expression: a collection of items
 *
 * A program is a span of bytes without pointers: it may be written into a
 * definitions pack and be run from the mapping.  It begins on a multiple of 4.
 * fhirpath_check() looks at every operand, text and literal once; a run trusts
 * a program that passed.  What fhirpath_compile() made passes.
 *
 * No objects are built: a collection holds nodes of the tape with their FHIR
 * type, and values that were computed.  Types come from the pack: a name finds
 * `x` and `_x`, `value` finds valueQuantity, `is` knows that an Age is a
 * Quantity.  Below a node whose type is not known (no pack, an element that
 * the definition does not have) names are looked up in the JSON as they are.
 *
 *   F1  Budgets.  A source has at most FHIRPATH_MAX_SOURCE bytes and
 *       FHIRPATH_MAX_DEPTH levels; a run takes at most max_steps steps and
 *       max_bytes bytes of the arena.  Over them a run fails with
 *       FHIRPATH_FAILED_BUDGET: an error value, never a hang.  Many runs
 *       share what *steps_left says.
 *   F2  Decimals are exact (fhir/decimal.h), never a double.  exp, ln, log,
 *       sqrt and power with a fraction are right to DECIMAL_SERIES_DIGITS digits.
 *   F3  Pure: now(), today() and timeOfDay() are what the context says, and
 *       undecided (FHIRPATH_FAILED_CALL) when it does not say.
 *   F4  What needs more than the resource (value sets, profiles, narrative) is
 *       a call of the caller.  Without one such a function is FHIRPATH_FAILED_CALL:
 *       undecided, not false.
 *   F5  `as` and ofType() take the very type of a primitive, and of all
 *       other types subtypes as well; `is` takes subtypes.  Types without a
 *       namespace are FHIR's first, then System's.
 *
 * Sources: http://hl7.org/fhirpath/N1, R4 fhirpath.html.  What is there and
 * what is not, function by function: docs/fhirpath.md.
 */
#ifndef SLUICE_FHIR_FHIRPATH_H
#define SLUICE_FHIR_FHIRPATH_H

#include "base/arena.h"
#include "base/json_tape.h"
#include "base/status.h"
#include "fhir/datatypes.h"
#include "fhir/pack.h"
#include "fhir/reference.h"

#define FHIRPATH_MAX_SOURCE   65535u
#define FHIRPATH_MAX_DEPTH    200u       /* of a program: each name of a path, operand and argument is one below */
#define FHIRPATH_STEPS        1000000u   /* of a run, when the context says 0 */
#define FHIRPATH_BYTES        ((size_t)8 << 20)
#define FHIRPATH_NO_SHAPE     UINT32_MAX

/* ---- compiling ------------------------------------------------------------------- */

struct fhirpath_error {
    uint32_t    where;                   /* byte offset in the source */
    const char *why;                     /* a sentence without a full stop; static */
};

/* ST_OK and *program, which lives in the arena; ST_MALFORMED with *error
 * (which may be NULL), ST_TOO_LARGE (also with *error) or ST_NO_MEMORY. */
enum status fhirpath_compile(struct span source, struct arena *, struct span *program,
                             struct fhirpath_error *error) MUST_CHECK;
/* For bytes that come from elsewhere, once. */
bool        fhirpath_check(struct span program);
/* The source that a program was compiled from; borrowed from it. */
struct span fhirpath_source(struct span program);
/* Whether it asks for anything outside of its focus: %resource, resolve(). */
bool        fhirpath_looks_around(struct span program);

/* ---- items ----------------------------------------------------------------------- */

enum fhirpath_kind {
    FHIRPATH_NOTHING = 0,
    FHIRPATH_NODE,                       /* of the tape, with its FHIR type */
    FHIRPATH_BOOLEAN, FHIRPATH_INTEGER, FHIRPATH_DECIMAL, FHIRPATH_STRING,      /* System types */
    FHIRPATH_DATE, FHIRPATH_DATETIME, FHIRPATH_TIME, FHIRPATH_QUANTITY,
    FHIRPATH_TYPE,                       /* of type(): has name and namespace */
};

struct decimal;
struct moment;
struct fhirpath_quantity;

struct fhirpath_item {
    uint8_t   kind;                      /* enum fhirpath_kind                                     */
    uint8_t   primitive;                 /* NODE: enum primitive; PRIMITIVE_NONE: an object        */
    uint16_t  spare;
    uint32_t  shape;                     /* NODE: index into the pack's shapes; FHIRPATH_NO_SHAPE: a
                                          * primitive, or not known                                */
    tape_node node;                      /* NODE: the value; ABSENT when a primitive has only _x   */
    tape_node shadow;                    /* NODE: _x of a primitive                                */
    union {
        bool                            boolean;
        int64_t                         integer;
        struct span                     text;        /* STRING; TYPE: "System.Integer" */
        const struct decimal           *decimal;
        const struct moment            *moment;      /* DATE, DATETIME, TIME */
        const struct fhirpath_quantity *quantity;
    };
};

/* Of a resource, whose type its resourceType says; of an object in the place
 * of a shape; of a primitive and its shadow (either may be ABSENT). */
struct fhirpath_item fhirpath_resource(const struct pack *, const struct tape *, tape_node);
struct fhirpath_item fhirpath_object(uint32_t shape, tape_node);
struct fhirpath_item fhirpath_primitive(enum primitive, tape_node value, tape_node shadow);

/* ---- running --------------------------------------------------------------------- */

enum fhirpath_truth { FHIRPATH_FAILED = 0, FHIRPATH_FALSE, FHIRPATH_TRUE, FHIRPATH_EMPTY };

/* What only the caller can answer.  Each may be NULL (F4), and FHIRPATH_FAILED
 * means: cannot be decided.  `caller` is the context's. */
struct fhirpath_calls {
    enum fhirpath_truth (*member_of)(void *caller, const struct fhirpath_item *, struct span value_set);
    enum fhirpath_truth (*conforms_to)(void *caller, const struct fhirpath_item *, struct span profile);
    enum fhirpath_truth (*html_checks)(void *caller, const struct fhirpath_item *);
    /* What the document itself does not have: false when there is no such resource. */
    bool (*resolve)(void *caller, struct span reference, struct fhirpath_item *out);
    void (*trace)(void *caller, struct span name, const struct fhirpath_item *, uint32_t count);
};

struct fhirpath_variable { struct span name; struct fhirpath_item item; };   /* %name */

struct fhirpath_context {
    const struct pack       *pack;       /* NULL: nothing has a type                          */
    const struct tape       *tape;
    struct fhirpath_item     focus;      /* $this at the beginning, %context                  */
    tape_node                resource;   /* %resource: the nearest one around the focus       */
    tape_node                root_resource;  /* %rootResource: what contains that one, or itself */
    const struct references *references; /* for resolve(); NULL: only what is contained       */
    const struct fhirpath_calls    *calls;       /* NULL: none */
    void                           *caller;
    const struct fhirpath_variable *variables;   /* besides those that R4 has */
    uint32_t                        variable_count;
    uint32_t                        max_steps;   /* 0: FHIRPATH_STEPS */
    size_t                          max_bytes;   /* 0: FHIRPATH_BYTES */
    uint64_t                       *steps_left;  /* NULL, or what all runs of a document may take
                                                  * together: goes down with each */
    int64_t                         now_ms;      /* epoch milliseconds; 0: not said */
    int16_t                         now_zone;    /* minutes east of UTC */
    bool                            strict;      /* an element that the type does not have is an error */
};

#define FHIRPATH_FAILURE_LIST(X)                                                             \
    X(NONE,      "the expression was evaluated")                                             \
    X(BUDGET,    "the expression takes more steps or memory than it may")                    \
    X(SINGLE,    "one item is wanted here and there are several")                            \
    X(OPERAND,   "an operand or argument has a type that this does not take")                \
    X(TYPE_NAME, "there is no type of this name")                                            \
    X(NAME,      "the type has no element of this name")                                     \
    X(VARIABLE,  "there is no variable of this name")                                        \
    X(PATTERN,   "the regular expression is broken or uses what is not supported")           \
    X(UNIT,      "a date cannot be moved by this unit")                                      \
    X(CALL,      "this function cannot be decided here")

enum fhirpath_failed {
#define X(name, text) FHIRPATH_FAILED_##name,
    FHIRPATH_FAILURE_LIST(X)
#undef X
};

struct fhirpath_failure {
    enum fhirpath_failed why;
    uint32_t             where;          /* byte offset in the source */
};
const char *fhirpath_failure_text(enum fhirpath_failed);

struct fhirpath_result {
    const struct fhirpath_item *items;   /* in the arena */
    uint32_t                    count;
    struct fhirpath_failure     failure;
};

/* ST_OK; ST_MALFORMED or ST_TOO_LARGE (BUDGET) with result->failure. */
enum status fhirpath_run(struct span program, const struct fhirpath_context *, struct arena *,
                         struct fhirpath_result *) MUST_CHECK;
/* The one boolean of the result; a single item of another type counts as true
 * (N1, Singleton Evaluation of Collections), several are FHIRPATH_FAILED.
 * `failure` may be NULL.  The arena is scratch: what was taken is given back,
 * unless the caller was asked, who may keep what it took. */
enum fhirpath_truth fhirpath_true(struct span program, const struct fhirpath_context *, struct arena *scratch,
                                  struct fhirpath_failure *failure);

/* toString() of an item; empty, with `at` NULL, for objects.  Type name with
 * its namespace: "FHIR.HumanName", "System.Integer". */
struct span fhirpath_text(const struct fhirpath_context *, const struct fhirpath_item *, struct arena *);
struct span fhirpath_type(const struct fhirpath_context *, const struct fhirpath_item *, struct arena *);

#endif
