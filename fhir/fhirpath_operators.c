#include "fhir/fhirpath_run.h"

#include <string.h>

/* Those whose result is a boolean or nothing. */
bool
operator_boolean(const struct fhirpath_instruction *n)
{
    return n->what < FHIRPATH_OPERATOR_UNION;
}

/* ---- three-valued logic (N1, Boolean Operators) ---------------------------------------------------- */

static enum fhirpath_truth
logic(struct run *r, const struct fhirpath_instruction *n, const struct frame *f)
{
    enum fhirpath_truth left = run_truth(r, n->input, f);

    if (run_failed(r))
        return FHIRPATH_FAILED;
    if (n->what == FHIRPATH_OPERATOR_AND && left == FHIRPATH_FALSE)
        return FHIRPATH_FALSE;
    if (n->what == FHIRPATH_OPERATOR_OR && left == FHIRPATH_TRUE)
        return FHIRPATH_TRUE;
    if (n->what == FHIRPATH_OPERATOR_IMPLIES && left == FHIRPATH_FALSE)
        return FHIRPATH_TRUE;
    enum fhirpath_truth right = run_truth(r, n->arg[0], f);
    if (run_failed(r))
        return FHIRPATH_FAILED;
    switch ((enum fhirpath_operator)n->what) {
    case FHIRPATH_OPERATOR_AND:
        return right == FHIRPATH_FALSE ? FHIRPATH_FALSE : left == FHIRPATH_EMPTY ? FHIRPATH_EMPTY : right;
    case FHIRPATH_OPERATOR_OR:
        return right == FHIRPATH_TRUE ? FHIRPATH_TRUE : left == FHIRPATH_EMPTY ? FHIRPATH_EMPTY : right;
    case FHIRPATH_OPERATOR_IMPLIES:
        return left == FHIRPATH_EMPTY && right != FHIRPATH_TRUE ? FHIRPATH_EMPTY : right;
    default:
        if (left == FHIRPATH_EMPTY || right == FHIRPATH_EMPTY)
            return FHIRPATH_EMPTY;
        return left != right ? FHIRPATH_TRUE : FHIRPATH_FALSE;
    }
}

/* ---- comparing --------------------------------------------------------------------------------------- */

static enum fhirpath_truth
as_truth(bool value)
{
    return value ? FHIRPATH_TRUE : FHIRPATH_FALSE;
}

static enum fhirpath_truth
opposite(enum fhirpath_truth t)
{
    return t == FHIRPATH_TRUE ? FHIRPATH_FALSE : t == FHIRPATH_FALSE ? FHIRPATH_TRUE : t;
}

/* code = 'x': a look at the bytes, without a copy of what has escapes. */
static bool
is_literal(const struct run *r, const struct fhirpath_instruction *right, const struct items *left)
{
    return right->op == FHIRPATH_OP_STRING && left->count == 1 && left->at[0].kind == FHIRPATH_NODE
        && walk_kind(r->tape, left->at[0].node) == TAPE_STRING && left->at[0].primitive != PRIMITIVE_DATE
        && left->at[0].primitive != PRIMITIVE_DATETIME && left->at[0].primitive != PRIMITIVE_INSTANT
        && left->at[0].primitive != PRIMITIVE_TIME;
}

static enum fhirpath_truth
equality(struct run *r, const struct fhirpath_instruction *n, const struct frame *f)
{
    struct items        left ITEMS_UNSET, right ITEMS_UNSET;
    enum fhirpath_truth t;

    items_open(&left);
    items_open(&right);
    run_eval(r, n->input, f, &left);
    const struct fhirpath_instruction *other = &r->code[n->arg[0]];
    bool negative = n->what == FHIRPATH_OPERATOR_NOT_EQUAL || n->what == FHIRPATH_OPERATOR_NOT_EQUIVALENT;
    bool loose    = n->what == FHIRPATH_OPERATOR_EQUIVALENT || n->what == FHIRPATH_OPERATOR_NOT_EQUIVALENT;
    if (!loose && is_literal(r, other, &left)) {
        t = as_truth(walk_is(r->tape, left.at[0].node, run_text(r, other)));
        return negative ? opposite(t) : t;
    }
    run_eval(r, n->arg[0], f, &right);
    if (run_failed(r))
        return FHIRPATH_FAILED;
    t = loose ? as_truth(items_equivalent(r, &left, &right)) : items_equal(r, &left, &right);
    return negative ? opposite(t) : t;
}

static enum fhirpath_truth
order(struct run *r, const struct fhirpath_instruction *n, const struct frame *f)
{
    struct fhirpath_item left, right;
    bool has_left = run_single(r, n, n->input, f, &left), has_right = run_single(r, n, n->arg[0], f, &right);

    if (run_failed(r))
        return FHIRPATH_FAILED;
    if (!has_left || !has_right)
        return FHIRPATH_EMPTY;
    int way = value_order(r, &left, &right);
    if (way == VALUE_ODD)
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
    if (way == VALUE_ODD || way == VALUE_OPEN)
        return way == VALUE_ODD ? FHIRPATH_FAILED : FHIRPATH_EMPTY;
    switch ((enum fhirpath_operator)n->what) {
    case FHIRPATH_OPERATOR_LESS:       return as_truth(way < 0);
    case FHIRPATH_OPERATOR_LESS_EQUAL: return as_truth(way <= 0);
    case FHIRPATH_OPERATOR_GREATER:    return as_truth(way > 0);
    default:                           return as_truth(way >= 0);
    }
}

/* x in list; list contains x. */
static enum fhirpath_truth
membership(struct run *r, const struct fhirpath_instruction *n, const struct frame *f)
{
    bool         in = n->what == FHIRPATH_OPERATOR_IN;
    struct items one ITEMS_UNSET, list ITEMS_UNSET;

    items_open(&one);
    items_open(&list);
    run_eval(r, in ? n->input : n->arg[0], f, &one);
    run_eval(r, in ? n->arg[0] : n->input, f, &list);
    if (one.count > 1)
        run_fail(r, n, FHIRPATH_FAILED_SINGLE);
    if (run_failed(r))
        return FHIRPATH_FAILED;
    if (one.count == 0)
        return FHIRPATH_EMPTY;
    for (uint32_t i = 0; i < list.count && !run_failed(r); i++)
        if (value_equal(r, one.at, &list.at[i]) == FHIRPATH_TRUE)
            return FHIRPATH_TRUE;
    return FHIRPATH_FALSE;
}

enum fhirpath_truth
operator_truth(struct run *r, const struct fhirpath_instruction *n, const struct frame *f)
{
    switch ((enum fhirpath_operator)n->what) {
    case FHIRPATH_OPERATOR_IMPLIES:
    case FHIRPATH_OPERATOR_OR:
    case FHIRPATH_OPERATOR_XOR:
    case FHIRPATH_OPERATOR_AND:            return logic(r, n, f);
    case FHIRPATH_OPERATOR_IN:
    case FHIRPATH_OPERATOR_CONTAINS:       return membership(r, n, f);
    case FHIRPATH_OPERATOR_EQUAL:
    case FHIRPATH_OPERATOR_NOT_EQUAL:
    case FHIRPATH_OPERATOR_EQUIVALENT:
    case FHIRPATH_OPERATOR_NOT_EQUIVALENT: return equality(r, n, f);
    default:                               return order(r, n, f);
    }
}

/* ---- arithmetic ---------------------------------------------------------------------------------------- */

/* Integers stay integers while they fit, and are nothing when they do not. */
static bool
integers(const struct fhirpath_instruction *n, int64_t a, int64_t b, int64_t *out)
{
    switch ((enum fhirpath_operator)n->what) {
    case FHIRPATH_OPERATOR_ADD:      return !__builtin_add_overflow(a, b, out);
    case FHIRPATH_OPERATOR_SUBTRACT: return !__builtin_sub_overflow(a, b, out);
    case FHIRPATH_OPERATOR_MULTIPLY: return !__builtin_mul_overflow(a, b, out);
    case FHIRPATH_OPERATOR_DIV:
        if (b == 0 || (a == INT64_MIN && b == -1))
            return false;
        *out = a / b;
        return true;
    default:
        if (b == 0)
            return false;
        *out = b == -1 ? 0 : a % b;
        return true;
    }
}

static bool
decimals(const struct fhirpath_instruction *n, const struct decimal *a, const struct decimal *b, struct decimal *out)
{
    switch ((enum fhirpath_operator)n->what) {
    case FHIRPATH_OPERATOR_ADD:      return decimal_add(a, b, out);
    case FHIRPATH_OPERATOR_SUBTRACT: return decimal_subtract(a, b, out);
    case FHIRPATH_OPERATOR_MULTIPLY: return decimal_multiply(a, b, out);
    case FHIRPATH_OPERATOR_DIVIDE:   return decimal_divide(a, b, out);
    case FHIRPATH_OPERATOR_DIV:      return decimal_div(a, b, out);
    default:                         return decimal_mod(a, b, out);
    }
}

static void
numbers(struct run *r, const struct fhirpath_instruction *n, const struct value *a, const struct value *b,
        struct items *out)
{
    struct decimal x, y, z;
    int64_t        whole;

    if (a->kind == FHIRPATH_INTEGER && b->kind == FHIRPATH_INTEGER && n->what != FHIRPATH_OPERATOR_DIVIDE) {
        if (integers(n, a->integer, b->integer, &whole))
            add_integer(r, out, whole);
        return;
    }
    if (!value_number(a, &x) || !value_number(b, &y)) {
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
        return;
    }
    if (!decimals(n, &x, &y, &z))
        return;
    if (n->what == FHIRPATH_OPERATOR_DIV && decimal_to_integer(&z, &whole)) {
        add_integer(r, out, whole);
        return;
    }
    add_decimal(r, out, &z);
}

/* A date and a quantity of time: whole units, but for seconds (N1). */
static void
move_date(struct run *r, const struct fhirpath_instruction *n, const struct value *a, const struct value *b,
          struct items *out)
{
    struct decimal   count = b->quantity.value, thousand = decimal_of(1000);
    enum moment_unit unit  = b->kind == FHIRPATH_QUANTITY ? quantity_moment_unit(&b->quantity) : (enum moment_unit)0;
    struct moment    moved;
    int64_t          whole;

    if (unit == 0) {
        run_fail(r, n, b->kind != FHIRPATH_QUANTITY ? FHIRPATH_FAILED_OPERAND : FHIRPATH_FAILED_UNIT);
        return;
    }
    if (unit == MOMENT_SECONDS && decimal_places(&count) > 0 && decimal_multiply(&count, &thousand, &count))
        unit = MOMENT_MILLISECONDS;
    decimal_round(&count, 0, DECIMAL_TO_ZERO, &count);
    if (!decimal_to_integer(&count, &whole))
        return;
    if (a->kind == FHIRPATH_TIME && unit <= MOMENT_DAYS) {
        run_fail(r, n, FHIRPATH_FAILED_UNIT);
        return;
    }
    if (moment_add(&a->moment, n->what == FHIRPATH_OPERATOR_SUBTRACT ? -whole : whole, unit, &moved))
        add_moment(r, out, &moved);
}

static void
quantities(struct run *r, const struct fhirpath_instruction *n, const struct value *a, const struct value *b,
           struct items *out)
{
    struct fhirpath_quantity x = a->quantity, y = b->quantity, z;
    bool                     good = false;

    if (a->kind != FHIRPATH_QUANTITY)
        x = (struct fhirpath_quantity){ .unit = SPAN("1") };
    if (b->kind != FHIRPATH_QUANTITY)
        y = (struct fhirpath_quantity){ .unit = SPAN("1") };
    if ((a->kind != FHIRPATH_QUANTITY && !value_number(a, &x.value))
        || (b->kind != FHIRPATH_QUANTITY && !value_number(b, &y.value))) {
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
        return;
    }
    switch ((enum fhirpath_operator)n->what) {
    case FHIRPATH_OPERATOR_ADD:      good = quantity_add(&x, &y, false, &z); break;
    case FHIRPATH_OPERATOR_SUBTRACT: good = quantity_add(&x, &y, true, &z); break;
    case FHIRPATH_OPERATOR_MULTIPLY: good = quantity_multiply(&x, &y, false, r->arena, &z); break;
    case FHIRPATH_OPERATOR_DIVIDE:   good = quantity_multiply(&x, &y, true, r->arena, &z); break;
    default:                         run_fail(r, n, FHIRPATH_FAILED_OPERAND); break;
    }
    if (good)
        add_quantity(r, out, &z);
}

static void
join(struct run *r, struct span a, struct span b, struct items *out)
{
    char                *at = run_alloc(r, a.length + b.length + 1);
    struct fhirpath_item item;

    if (at == NULL)
        return;
    if (a.length > 0)
        memcpy(at, a.at, a.length);
    if (b.length > 0)
        memcpy(at + a.length, b.at, b.length);
    item = item_string(span_from(at, a.length + b.length));
    items_add(r, out, &item);
}

static void
arithmetic(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, struct items *out)
{
    struct fhirpath_item left, right;
    struct value         a, b;
    bool has_left = run_single(r, n, n->input, f, &left), has_right = run_single(r, n, n->arg[0], f, &right);

    if (!has_left || !has_right)
        return;
    value_of(r, &left, &a);
    value_of(r, &right, &b);
    if (a.kind == FHIRPATH_NOTHING || b.kind == FHIRPATH_NOTHING)
        return;
    bool sum = n->what == FHIRPATH_OPERATOR_ADD || n->what == FHIRPATH_OPERATOR_SUBTRACT;
    if (n->what == FHIRPATH_OPERATOR_ADD && a.kind == FHIRPATH_STRING && b.kind == FHIRPATH_STRING)
        join(r, a.text, b.text, out);
    else if (sum && (a.kind == FHIRPATH_DATE || a.kind == FHIRPATH_DATETIME || a.kind == FHIRPATH_TIME))
        move_date(r, n, &a, &b, out);
    else if (a.kind == FHIRPATH_QUANTITY || b.kind == FHIRPATH_QUANTITY)
        quantities(r, n, &a, &b, out);
    else
        numbers(r, n, &a, &b, out);
}

/* An operand of &, where nothing is an empty text. */
static struct span
text_operand(struct run *r, const struct fhirpath_instruction *n, uint32_t at, const struct frame *f)
{
    struct fhirpath_item item;
    struct span          text = { NULL, 0 };

    if (run_single(r, n, at, f, &item) && !value_string(r, &item, &text)) {
        struct value v;
        value_of(r, &item, &v);
        if (v.kind != FHIRPATH_NOTHING)
            run_fail(r, n, FHIRPATH_FAILED_OPERAND);
    }
    return text;
}

static void
unite(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, struct items *out)
{
    struct items both ITEMS_UNSET, kept ITEMS_UNSET;
    struct set   set;

    items_open(&both);
    items_open(&kept);
    run_eval(r, n->input, f, &both);
    run_eval(r, n->arg[0], f, &both);
    set_open(&set, &kept);
    for (uint32_t i = 0; i < both.count && !run_failed(r); i++)
        set_add(r, &set, &both.at[i]);
    items_add_all(r, out, &kept);
}

void
operator_eval(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, struct items *out)
{
    if (n->what == FHIRPATH_OPERATOR_UNION) {
        unite(r, n, f, out);
    } else if (n->what == FHIRPATH_OPERATOR_CONCATENATE) {
        struct span left = text_operand(r, n, n->input, f), right = text_operand(r, n, n->arg[0], f);
        if (!run_failed(r))
            join(r, left, right, out);
    } else {
        arithmetic(r, n, f, out);
    }
}

void
operator_negate(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, struct items *out)
{
    struct fhirpath_item item;
    struct value         v;
    struct decimal       d;

    if (!run_single(r, n, n->input, f, &item))
        return;
    value_of(r, &item, &v);
    bool negative = n->op == FHIRPATH_OP_NEGATE;
    if (v.kind == FHIRPATH_QUANTITY) {
        if (negative)
            v.quantity.value = decimal_negated(&v.quantity.value);
        add_quantity(r, out, &v.quantity);
    } else if (v.kind == FHIRPATH_INTEGER && v.integer != INT64_MIN) {
        add_integer(r, out, negative ? -v.integer : v.integer);
    } else if (value_number(&v, &d)) {
        d = negative ? decimal_negated(&d) : d;
        add_decimal(r, out, &d);
    } else {
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
    }
}
