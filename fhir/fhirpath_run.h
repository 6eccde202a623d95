/* fhir/fhirpath_run.h -- a run of a FHIRPath program; private to fhirpath_*.c.
 *
 * Every function of a run may fail; then the run has a failure, later calls
 * do nothing that lasts, and what they answer is not looked at.
 */
#ifndef SLUICE_FHIR_FHIRPATH_RUN_H
#define SLUICE_FHIR_FHIRPATH_RUN_H

#include "base/json_walk.h"
#include "fhir/decimal.h"
#include "fhir/fhirpath.h"
#include "fhir/fhirpath_program.h"
#include "fhir/moment.h"
#include "fhir/pack_format.h"
#include "fhir/quantity.h"

struct run {
    const struct fhirpath_instruction *code;
    const char                        *texts;
    uint32_t                           texts_length;
    const struct fhirpath_context     *context;
    const struct pack                 *pack;
    const struct tape                 *tape;
    struct arena                      *arena;
    uint32_t                           steps, budget;    /* left; at the beginning */
    size_t                             bytes;
    struct fhirpath_failure            failure;
    bool                               asked;        /* the caller may have kept what it took of the arena */
};

/* A collection that grows.  Few items need no memory, and that room need not be
 * zeroed: items_open() sets all that is read. */
#define ITEMS_OWN   2u
#define ITEMS_UNSET __attribute__((uninitialized))
struct items {
    struct fhirpath_item *at;
    uint32_t              count, room;
    uint32_t              enough;        /* of an array no more are added than make this many; 0: all are */
    struct fhirpath_item  own[ITEMS_OWN];
};

/* $this, $index, $total */
struct frame {
    const struct fhirpath_item *self;
    uint32_t                    index;
    const struct items         *total;
};

static inline void
items_open(struct items *list)
{
    list->at     = list->own;
    list->count  = 0;
    list->room   = ITEMS_OWN;
    list->enough = 0;
}

static inline bool
run_failed(const struct run *r)
{
    return r->failure.why != FHIRPATH_FAILED_NONE;
}

static inline bool
run_step(struct run *r, uint32_t count)
{
    if (r->steps >= count) {
        r->steps -= count;
        return true;
    }
    r->steps = 0;
    if (r->failure.why == FHIRPATH_FAILED_NONE)
        r->failure.why = FHIRPATH_FAILED_BUDGET;
    return false;
}

/* ---- fhirpath_run.c ---------------------------------------------------------------------- */

void                run_fail(struct run *, const struct fhirpath_instruction *, enum fhirpath_failed);
void               *run_alloc(struct run *, size_t size);       /* NULL: the run has failed */
bool                items_add(struct run *, struct items *, const struct fhirpath_item *);
bool                items_add_all(struct run *, struct items *, const struct items *from);
/* Appends. */
void                run_eval(struct run *, uint32_t at, const struct frame *, struct items *out);
/* FHIRPATH_FAILED: the run has failed. */
enum fhirpath_truth run_truth(struct run *, uint32_t at, const struct frame *);
enum fhirpath_truth run_truth_of(struct run *, const struct fhirpath_instruction *, const struct items *);
/* The same of `at` with an item as $this; scratch memory is given back. */
enum fhirpath_truth run_criterion(struct run *, uint32_t at, const struct frame *outer,
                                  const struct fhirpath_item *self, uint32_t index);
/* The one item of an operand: false when there is none, or several (the run fails). */
bool                run_single(struct run *, const struct fhirpath_instruction *, uint32_t at, const struct frame *,
                               struct fhirpath_item *out);

static inline struct span
run_text(const struct run *r, const struct fhirpath_instruction *n)
{
    return span_from(r->texts + n->arg[2], n->length);
}

static inline struct fhirpath_item
item_boolean(bool value)
{
    return (struct fhirpath_item){ .kind = FHIRPATH_BOOLEAN, .shape = FHIRPATH_NO_SHAPE, .boolean = value };
}

static inline struct fhirpath_item
item_integer(int64_t value)
{
    return (struct fhirpath_item){ .kind = FHIRPATH_INTEGER, .shape = FHIRPATH_NO_SHAPE, .integer = value };
}

static inline struct fhirpath_item
item_string(struct span text)
{
    return (struct fhirpath_item){ .kind = FHIRPATH_STRING, .shape = FHIRPATH_NO_SHAPE, .text = text };
}

void add_integer(struct run *, struct items *, int64_t);
void add_truth(struct run *, struct items *, enum fhirpath_truth);
void add_decimal(struct run *, struct items *, const struct decimal *);
void add_moment(struct run *, struct items *, const struct moment *);
void add_quantity(struct run *, struct items *, const struct fhirpath_quantity *);

/* ---- fhirpath_walk.c: nodes, their children and types ------------------------------------- */

void walk_child(struct run *, const struct fhirpath_item *, const struct fhirpath_instruction *name, struct items *out);
bool walk_has_child(struct run *, const struct fhirpath_item *, const struct fhirpath_instruction *name);
void walk_children_of(struct run *, const struct fhirpath_item *, struct items *out);
void walk_descendants(struct run *, const struct items *input, struct items *out);
void walk_extensions(struct run *, const struct fhirpath_item *, struct span url, struct items *out);
void walk_resolve(struct run *, const struct fhirpath_item *, struct items *out);
bool walk_is_type(struct run *, const struct fhirpath_item *, const struct fhirpath_instruction *type);
/* "Patient" of the root of a path: whether the item is of this type. */
bool walk_is_named(struct run *, const struct fhirpath_item *, struct span name, bool subtypes);
bool walk_type_known(const struct run *, const struct fhirpath_instruction *type);
/* Name without a namespace; which of the two. */
struct span walk_type_name(const struct run *, const struct fhirpath_item *, bool *fhir);
bool        walk_is_quantity(const struct run *, const struct fhirpath_item *);

/* ---- fhirpath_value.c: what an item is worth ----------------------------------------------- */

/* A System value; NODE: an object; NOTHING: a primitive without one. */
struct value {
    enum fhirpath_kind       kind;
    bool                     boolean;
    int64_t                  integer;
    struct span              text;
    struct decimal           decimal;
    struct moment            moment;
    struct fhirpath_quantity quantity;
};

void value_of(struct run *, const struct fhirpath_item *, struct value *out);
/* Text of a string, code, uri …; false for everything else. */
bool value_string(struct run *, const struct fhirpath_item *, struct span *out);
bool value_number(const struct value *, struct decimal *out);
/* toString(); empty with `at` NULL for objects. */
struct span value_text(struct run *, const struct fhirpath_item *);

enum fhirpath_truth value_equal(struct run *, const struct fhirpath_item *, const struct fhirpath_item *);
bool                value_equivalent(struct run *, const struct fhirpath_item *, const struct fhirpath_item *);
/* -1, 0, 1; VALUE_OPEN: no answer; VALUE_ODD: types that have no order. */
#define VALUE_OPEN 2
#define VALUE_ODD  3
int                 value_order(struct run *, const struct fhirpath_item *, const struct fhirpath_item *);
enum fhirpath_truth items_equal(struct run *, const struct items *, const struct items *);
bool                items_equivalent(struct run *, const struct items *, const struct items *);

/* Items of which no two are equal.  Asking costs about the same however many
 * there are. */
struct set {
    struct items *items;                 /* in the order they came */
    uint32_t     *slots;                 /* index + 1              */
    uint32_t      mask;
};
void set_open(struct set *, struct items *storage);
bool set_has(struct run *, const struct set *, const struct fhirpath_item *);
/* False when it was there. */
bool set_add(struct run *, struct set *, const struct fhirpath_item *);

/* ---- the rest ------------------------------------------------------------------------------ */

/* fhirpath_operators.c */
void                operator_eval(struct run *, const struct fhirpath_instruction *, const struct frame *, struct items *out);
enum fhirpath_truth operator_truth(struct run *, const struct fhirpath_instruction *, const struct frame *);
bool                operator_boolean(const struct fhirpath_instruction *);
void                operator_negate(struct run *, const struct fhirpath_instruction *, const struct frame *, struct items *out);

/* A function gets its input evaluated; arguments are its own business. */
typedef void function(struct run *, const struct fhirpath_instruction *, const struct frame *,
                      const struct items *input, struct items *out);
extern function *const functions_collections[FHIRPATH_FUNCTIONS];    /* NULL: in another file */
extern function *const functions_strings[FHIRPATH_FUNCTIONS];
extern function *const functions_numbers[FHIRPATH_FUNCTIONS];
extern function *const functions_conversions[FHIRPATH_FUNCTIONS];

/* toQuantity() of a text. */
bool quantity_read(struct span text, struct fhirpath_quantity *out);

#endif
