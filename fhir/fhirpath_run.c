#include "fhir/fhirpath_run.h"

#include <string.h>

/* ---- failing, memory --------------------------------------------------------------------------- */

const char *
fhirpath_failure_text(enum fhirpath_failed why)
{
    static const char *const texts[] = {
#define X(name, text) [FHIRPATH_FAILED_##name] = text,
        FHIRPATH_FAILURE_LIST(X)
#undef X
    };

    return texts[why];
}

void
run_fail(struct run *r, const struct fhirpath_instruction *n, enum fhirpath_failed why)
{
    if (!run_failed(r))
        r->failure = (struct fhirpath_failure){ why, n->where };
}

/* Asked before the arena is: an arena that is spent stays so, and it is the
 * caller's. */
void *
run_alloc(struct run *r, size_t size)
{
    if (size > r->bytes || size + 4096 > arena_left(r->arena)) {
        r->bytes = 0;
        run_step(r, UINT32_MAX);
        return NULL;
    }
    r->bytes -= size;
    return arena_alloc(r->arena, size);
}

bool
items_add(struct run *r, struct items *list, const struct fhirpath_item *item)
{
    if (list->count == list->room) {
        uint32_t              room  = list->room * 4;
        struct fhirpath_item *fresh = run_alloc(r, room * sizeof *fresh);
        if (fresh == NULL)
            return false;
        memcpy(fresh, list->at, list->count * sizeof *fresh);
        list->at   = fresh;
        list->room = room;
    }
    list->at[list->count++] = *item;
    return true;
}

bool
items_add_all(struct run *r, struct items *list, const struct items *from)
{
    for (uint32_t i = 0; i < from->count; i++)
        if (!run_step(r, 1) || !items_add(r, list, &from->at[i]))
            return false;
    return true;
}

void
add_integer(struct run *r, struct items *out, int64_t value)
{
    struct fhirpath_item item = item_integer(value);

    items_add(r, out, &item);
}

void
add_truth(struct run *r, struct items *out, enum fhirpath_truth truth)
{
    struct fhirpath_item item = item_boolean(truth == FHIRPATH_TRUE);

    if (truth == FHIRPATH_TRUE || truth == FHIRPATH_FALSE)
        items_add(r, out, &item);
}

void
add_decimal(struct run *r, struct items *out, const struct decimal *d)
{
    struct fhirpath_item item = { .kind = FHIRPATH_DECIMAL, .shape = FHIRPATH_NO_SHAPE };
    struct decimal      *kept = run_alloc(r, sizeof *kept);

    if (kept == NULL)
        return;
    *kept        = *d;
    item.decimal = kept;
    items_add(r, out, &item);
}

void
add_moment(struct run *r, struct items *out, const struct moment *m)
{
    struct fhirpath_item item = { .kind = FHIRPATH_DATETIME, .shape = FHIRPATH_NO_SHAPE };
    struct moment       *kept = run_alloc(r, sizeof *kept);

    if (kept == NULL)
        return;
    if (m->kind != MOMENT_DATETIME)
        item.kind = m->kind == MOMENT_DATE ? FHIRPATH_DATE : FHIRPATH_TIME;
    *kept       = *m;
    item.moment = kept;
    items_add(r, out, &item);
}

void
add_quantity(struct run *r, struct items *out, const struct fhirpath_quantity *q)
{
    struct fhirpath_item      item = { .kind = FHIRPATH_QUANTITY, .shape = FHIRPATH_NO_SHAPE };
    struct fhirpath_quantity *kept = run_alloc(r, sizeof *kept);

    if (kept == NULL)
        return;
    *kept         = *q;
    item.quantity = kept;
    items_add(r, out, &item);
}

/* ---- leaves -------------------------------------------------------------------------------------- */

static void
literal(struct run *r, const struct fhirpath_instruction *n, struct items *out)
{
    struct fhirpath_item     item = item_boolean(n->op == FHIRPATH_OP_TRUE);
    struct fhirpath_quantity q    = { .calendar = n->what };
    struct moment            m;

    switch ((enum fhirpath_op)n->op) {
    case FHIRPATH_OP_INTEGER:
        item = item_integer((int64_t)((uint64_t)n->arg[1] << 32 | n->arg[0]));
        break;
    case FHIRPATH_OP_STRING:
        item = item_string(run_text(r, n));
        break;
    case FHIRPATH_OP_DECIMAL:
        if (decimal_read(run_text(r, n), &q.value))
            add_decimal(r, out, &q.value);
        return;
    case FHIRPATH_OP_QUANTITY:
        q.unit = span_from(r->texts + n->arg[0], n->arg[1]);
        if (decimal_read(run_text(r, n), &q.value))
            add_quantity(r, out, &q);
        return;
    case FHIRPATH_OP_MOMENT:
        if (moment_of(run_text(r, n), MOMENT_NONE, &m))
            add_moment(r, out, &m);
        return;
    default:
        break;
    }
    items_add(r, out, &item);
}

/* R4 fhirpath.html, Environment variables. */
static void
variable(struct run *r, const struct fhirpath_instruction *n, struct items *out)
{
    const struct fhirpath_context *c = r->context;
    struct fhirpath_item           item = { .kind = FHIRPATH_NOTHING };
    struct span                    name = run_text(r, n);

    switch ((enum fhirpath_known)n->what) {
    case FHIRPATH_CONTEXT:       item = c->focus; break;
    case FHIRPATH_RESOURCE:      item = fhirpath_resource(r->pack, r->tape, c->resource); break;
    case FHIRPATH_ROOT_RESOURCE: item = fhirpath_resource(r->pack, r->tape, c->root_resource); break;
    case FHIRPATH_UCUM:          item = item_string(SPAN("http://unitsofmeasure.org")); break;
    case FHIRPATH_SCT:           item = item_string(SPAN("http://snomed.info/sct")); break;
    case FHIRPATH_LOINC:         item = item_string(SPAN("http://loinc.org")); break;
    case FHIRPATH_VS:
    case FHIRPATH_EXT: {
        struct span base = n->what == FHIRPATH_VS ? SPAN("http://hl7.org/fhir/ValueSet/")
                                                  : SPAN("http://hl7.org/fhir/StructureDefinition/");
        char       *at   = run_alloc(r, base.length + name.length);
        if (at == NULL)
            return;
        memcpy(at, base.at, base.length);
        memcpy(at + base.length, name.at, name.length);
        item = item_string(span_from(at, base.length + name.length));
        break;
    }
    default:
        for (uint32_t i = 0; i < c->variable_count; i++)
            if (span_eq(c->variables[i].name, name))
                item = c->variables[i].item;
        if (item.kind == FHIRPATH_NOTHING)
            run_fail(r, n, FHIRPATH_FAILED_VARIABLE);
        break;
    }
    if (item.kind != FHIRPATH_NOTHING)
        items_add(r, out, &item);
}

/* ---- paths ------------------------------------------------------------------------------------------ */

/* A path may begin with the type of what it is evaluated on: Patient.name. */
static bool
names_the_type(struct run *r, const struct frame *f, const struct fhirpath_instruction *n)
{
    struct span name = span_from(r->texts + n->arg[2] + 1, n->length);

    return n->what && name.at[0] >= 'A' && name.at[0] <= 'Z' && f->self->kind == FHIRPATH_NODE
        && walk_is_named(r, f->self, name, true);
}

static void
name_of(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, struct items *out)
{
    struct items input ITEMS_UNSET;

    if (n->input == 0) {
        if (names_the_type(r, f, n))
            items_add(r, out, f->self);
        else
            walk_child(r, f->self, n, out);
        return;
    }
    items_open(&input);
    run_eval(r, n->input, f, &input);
    for (uint32_t i = 0; i < input.count && !run_failed(r); i++)
        walk_child(r, &input.at[i], n, out);
}

static void
item_of(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, struct items *out)
{
    struct items         input ITEMS_UNSET;
    struct fhirpath_item at;
    struct value         index;

    items_open(&input);
    run_eval(r, n->input, f, &input);
    if (!run_single(r, n, n->arg[0], f, &at))
        return;
    value_of(r, &at, &index);
    if (index.kind != FHIRPATH_INTEGER)
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
    else if (index.integer >= 0 && index.integer < input.count)
        items_add(r, out, &input.at[index.integer]);
}

static void
type_of(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, struct items *out)
{
    struct items input ITEMS_UNSET;
    bool         is = n->what == FHIRPATH_IS || n->what == FHIRPATH_IS_FUNCTION;

    items_open(&input);
    run_eval(r, n->input, f, &input);
    if (!walk_type_known(r, n))
        run_fail(r, n, FHIRPATH_FAILED_TYPE_NAME);
    if (is && input.count > 1)
        run_fail(r, n, FHIRPATH_FAILED_SINGLE);
    for (uint32_t i = 0; i < input.count && !run_failed(r) && run_step(r, 1); i++) {
        bool yes = walk_is_type(r, &input.at[i], n);
        if (is)
            add_truth(r, out, yes ? FHIRPATH_TRUE : FHIRPATH_FALSE);
        else if (yes)
            items_add(r, out, &input.at[i]);
    }
}

static void
call(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, struct items *out)
{
    static function *const *const tables[] = { functions_collections, functions_strings, functions_numbers,
                                               functions_conversions };
    struct items input ITEMS_UNSET;

    items_open(&input);
    /* element.first() of each of n elements would read n * n of them. */
    if (n->what == FHIRPATH_FUNCTION_FIRST && r->code[n->input].op == FHIRPATH_OP_NAME)
        input.enough = 1;
    run_eval(r, n->input, f, &input);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && !run_failed(r); i++)
        if (tables[i][n->what] != NULL) {
            tables[i][n->what](r, n, f, &input, out);
            return;
        }
    run_fail(r, n, FHIRPATH_FAILED_CALL);
}

/* ---- evaluation ---------------------------------------------------------------------------------------- */

/* Functions that are asked for their truth without making a collection. */
static bool
asked_directly(const struct fhirpath_instruction *n)
{
    if (n->op != FHIRPATH_OP_CALL)
        return false;
    switch ((enum fhirpath_function)n->what) {
    case FHIRPATH_FUNCTION_EXISTS:
    case FHIRPATH_FUNCTION_EMPTY:
    case FHIRPATH_FUNCTION_NOT:
    case FHIRPATH_FUNCTION_ALL:
        return true;
    default:
        return false;
    }
}

void
run_eval(struct run *r, uint32_t at, const struct frame *f, struct items *out)
{
    const struct fhirpath_instruction *n = &r->code[at];

    if (!run_step(r, 1) || run_failed(r))
        return;
    switch ((enum fhirpath_op)n->op) {
    case FHIRPATH_OP_THIS:
        if (f->self->kind != FHIRPATH_NOTHING)
            items_add(r, out, f->self);
        return;
    case FHIRPATH_OP_INDEX:    add_integer(r, out, f->index); return;
    case FHIRPATH_OP_TOTAL:
        if (f->total != NULL)
            items_add_all(r, out, f->total);
        return;
    case FHIRPATH_OP_EMPTY:    return;
    case FHIRPATH_OP_TRUE:
    case FHIRPATH_OP_FALSE:
    case FHIRPATH_OP_INTEGER:
    case FHIRPATH_OP_DECIMAL:
    case FHIRPATH_OP_STRING:
    case FHIRPATH_OP_MOMENT:
    case FHIRPATH_OP_QUANTITY: literal(r, n, out); return;
    case FHIRPATH_OP_VARIABLE: variable(r, n, out); return;
    case FHIRPATH_OP_NAME:     name_of(r, n, f, out); return;
    case FHIRPATH_OP_ITEM:     item_of(r, n, f, out); return;
    case FHIRPATH_OP_TYPE:     type_of(r, n, f, out); return;
    case FHIRPATH_OP_NEGATE:
    case FHIRPATH_OP_PLUS:     operator_negate(r, n, f, out); return;
    case FHIRPATH_OP_CALL:
        if (asked_directly(n))
            add_truth(r, out, run_truth(r, at, f));
        else
            call(r, n, f, out);
        return;
    case FHIRPATH_OP_BINARY:
        if (operator_boolean(n))
            add_truth(r, out, operator_truth(r, n, f));
        else
            operator_eval(r, n, f, out);
        return;
    case FHIRPATH_OPS: return;
    }
}

bool
run_single(struct run *r, const struct fhirpath_instruction *n, uint32_t at, const struct frame *f,
           struct fhirpath_item *out)
{
    struct items list ITEMS_UNSET;

    items_open(&list);
    run_eval(r, at, f, &list);
    if (list.count > 1)
        run_fail(r, n, FHIRPATH_FAILED_SINGLE);
    if (list.count != 1 || run_failed(r))
        return false;
    *out = list.at[0];
    return true;
}

/* ---- truth ------------------------------------------------------------------------------------------------ */

/* N1, Singleton Evaluation of Collections: one item that is no boolean is true. */
enum fhirpath_truth
run_truth_of(struct run *r, const struct fhirpath_instruction *n, const struct items *list)
{
    if (list->count > 1)
        run_fail(r, n, FHIRPATH_FAILED_SINGLE);
    if (run_failed(r))
        return FHIRPATH_FAILED;
    if (list->count == 0)
        return FHIRPATH_EMPTY;
    if (list->at[0].kind != FHIRPATH_BOOLEAN && list->at[0].primitive != PRIMITIVE_BOOLEAN)
        return FHIRPATH_TRUE;
    struct value v;
    value_of(r, list->at, &v);
    if (v.kind != FHIRPATH_BOOLEAN)
        return v.kind == FHIRPATH_NOTHING ? FHIRPATH_EMPTY : FHIRPATH_TRUE;
    return v.boolean ? FHIRPATH_TRUE : FHIRPATH_FALSE;
}

enum fhirpath_truth
run_criterion(struct run *r, uint32_t at, const struct frame *outer, const struct fhirpath_item *self, uint32_t index)
{
    struct frame        f      = { self, index, outer->total };
    struct arena_mark   before = arena_mark(r->arena);
    size_t              used = arena_used(r->arena), bytes = r->bytes;
    enum fhirpath_truth truth  = run_truth(r, at, &f);

    if (arena_used(r->arena) != used && !r->asked) {
        arena_reset(r->arena, before);
        r->bytes = run_failed(r) ? 0 : bytes;
    }
    return truth;
}

static __attribute__((noinline)) bool
any_of_items(struct run *r, uint32_t at, const struct frame *f)
{
    const struct fhirpath_instruction *n = &r->code[at];
    struct items                       input ITEMS_UNSET;
    bool filter = n->op == FHIRPATH_OP_CALL && n->what == FHIRPATH_FUNCTION_WHERE;

    items_open(&input);
    if (n->op != FHIRPATH_OP_NAME && !filter) {
        run_eval(r, at, f, &input);
        return input.count > 0;
    }
    run_eval(r, n->input, f, &input);
    for (uint32_t i = 0; i < input.count && !run_failed(r); i++)
        if (filter ? run_criterion(r, n->arg[0], f, &input.at[i], i) == FHIRPATH_TRUE
                   : walk_has_child(r, &input.at[i], n))
            return true;
    return false;
}

/* Whether there is an item at all; stops at the first. */
static bool
any(struct run *r, uint32_t at, const struct frame *f)
{
    const struct fhirpath_instruction *n = &r->code[at];

    if (!run_step(r, 1))
        return false;
    if (n->op == FHIRPATH_OP_NAME && n->input == 0)
        return names_the_type(r, f, n) || walk_has_child(r, f->self, n);
    return any_of_items(r, at, f);
}

static enum fhirpath_truth
exists(struct run *r, const struct fhirpath_instruction *n, const struct frame *f)
{
    struct items input ITEMS_UNSET;

    if ((n->length & FHIRPATH_ARGUMENTS) == 0)
        return any(r, n->input, f) ? FHIRPATH_TRUE : FHIRPATH_FALSE;
    items_open(&input);
    run_eval(r, n->input, f, &input);
    for (uint32_t i = 0; i < input.count && !run_failed(r); i++)
        if (run_criterion(r, n->arg[0], f, &input.at[i], i) == FHIRPATH_TRUE)
            return FHIRPATH_TRUE;
    return FHIRPATH_FALSE;
}

static enum fhirpath_truth
all(struct run *r, const struct fhirpath_instruction *n, const struct frame *f)
{
    struct items input ITEMS_UNSET;

    items_open(&input);
    run_eval(r, n->input, f, &input);
    for (uint32_t i = 0; i < input.count && !run_failed(r); i++)
        if (run_criterion(r, n->arg[0], f, &input.at[i], i) != FHIRPATH_TRUE)
            return FHIRPATH_FALSE;
    return FHIRPATH_TRUE;
}

static enum fhirpath_truth
negated(enum fhirpath_truth truth)
{
    return truth == FHIRPATH_TRUE ? FHIRPATH_FALSE : truth == FHIRPATH_FALSE ? FHIRPATH_TRUE : truth;
}

static enum fhirpath_truth
call_truth(struct run *r, const struct fhirpath_instruction *n, const struct frame *f)
{
    switch ((enum fhirpath_function)n->what) {
    case FHIRPATH_FUNCTION_EXISTS: return exists(r, n, f);
    case FHIRPATH_FUNCTION_EMPTY:  return any(r, n->input, f) ? FHIRPATH_FALSE : FHIRPATH_TRUE;
    case FHIRPATH_FUNCTION_NOT:    return negated(run_truth(r, n->input, f));
    default:                       return all(r, n, f);
    }
}

/* Apart, so that the room for a collection is only made when it is needed. */
static __attribute__((noinline)) enum fhirpath_truth
truth_of_items(struct run *r, uint32_t at, const struct frame *f)
{
    struct items list ITEMS_UNSET;

    items_open(&list);
    run_eval(r, at, f, &list);
    return run_truth_of(r, &r->code[at], &list);
}

enum fhirpath_truth
run_truth(struct run *r, uint32_t at, const struct frame *f)
{
    const struct fhirpath_instruction *n = &r->code[at];
    enum fhirpath_truth                truth;

    if (n->op == FHIRPATH_OP_BINARY && operator_boolean(n) && run_step(r, 1)) {
        truth = operator_truth(r, n, f);
        return run_failed(r) ? FHIRPATH_FAILED : truth;
    }
    if (asked_directly(n) && run_step(r, 1)) {
        truth = call_truth(r, n, f);
        return run_failed(r) ? FHIRPATH_FAILED : truth;
    }
    return truth_of_items(r, at, f);
}

/* ---- the entries -------------------------------------------------------------------------------------------- */

static uint32_t
begin(struct run *r, struct span program, const struct fhirpath_context *c, struct arena *arena)
{
    const struct fhirpath_header *h = fhirpath_header_of(program);

    *r = (struct run){
        .code = fhirpath_code_of(h), .texts = fhirpath_texts_of(h), .texts_length = h->texts, .context = c,
        .pack = c->pack, .tape = c->tape, .arena = arena, .steps = c->max_steps > 0 ? c->max_steps : FHIRPATH_STEPS,
        .bytes = c->max_bytes > 0 ? c->max_bytes : FHIRPATH_BYTES,
    };
    if (c->steps_left != NULL && *c->steps_left < r->steps)
        r->steps = (uint32_t)*c->steps_left;
    r->budget = r->steps;
    return h->count - 1;
}

/* A call of the caller may have paid from the same purse meanwhile. */
static void
pay(const struct run *r)
{
    uint64_t *left = r->context->steps_left, used = r->budget - r->steps;

    if (left != NULL)
        *left = *left > used ? *left - used : 0;
}

enum status
fhirpath_run(struct span program, const struct fhirpath_context *context, struct arena *arena,
             struct fhirpath_result *result)
{
    struct run   r;
    struct items list ITEMS_UNSET;
    struct frame f    = { &context->focus, 0, NULL };
    uint32_t     root = begin(&r, program, context, arena);

    *result = (struct fhirpath_result){ NULL, 0, { FHIRPATH_FAILED_NONE, 0 } };
    items_open(&list);
    run_eval(&r, root, &f, &list);
    struct fhirpath_item *kept = run_failed(&r) ? NULL : run_alloc(&r, (list.count + 1) * sizeof *kept);
    if (kept != NULL) {
        memcpy(kept, list.at, list.count * sizeof *kept);
        result->items = kept;
        result->count = list.count;
    }
    pay(&r);
    result->failure = r.failure;
    return !run_failed(&r) ? ST_OK : r.failure.why == FHIRPATH_FAILED_BUDGET ? ST_TOO_LARGE : ST_MALFORMED;
}

enum fhirpath_truth
fhirpath_true(struct span program, const struct fhirpath_context *context, struct arena *scratch,
              struct fhirpath_failure *failure)
{
    struct run        r;
    struct frame      f      = { &context->focus, 0, NULL };
    struct arena_mark before = arena_mark(scratch);
    size_t            used   = arena_used(scratch);
    uint32_t          root   = begin(&r, program, context, scratch);

    enum fhirpath_truth truth = run_truth(&r, root, &f);
    if (arena_used(scratch) != used && !r.asked)
        arena_reset(scratch, before);
    pay(&r);
    if (failure != NULL)
        *failure = r.failure;
    return run_failed(&r) ? FHIRPATH_FAILED : truth;
}

struct span
fhirpath_text(const struct fhirpath_context *context, const struct fhirpath_item *item, struct arena *arena)
{
    struct run r = { .context = context, .pack = context->pack, .tape = context->tape, .arena = arena,
                     .steps = FHIRPATH_STEPS, .bytes = FHIRPATH_BYTES };

    return value_text(&r, item);
}

struct span
fhirpath_type(const struct fhirpath_context *context, const struct fhirpath_item *item, struct arena *arena)
{
    struct run  r = { .context = context, .pack = context->pack, .tape = context->tape, .arena = arena };
    bool        fhir;
    struct span name = walk_type_name(&r, item, &fhir);

    return arena_join(arena, fhir ? SPAN("FHIR.") : SPAN("System."), name);
}
