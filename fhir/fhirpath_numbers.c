#include "fhir/fhirpath_run.h"

/* N1, Math; and the boundaries and precision of later versions. */

/* What a series costs, in steps. */
#define SERIES_STEPS 256u
#define MOST_PLACES  31

static bool
subject(struct run *r, const struct fhirpath_instruction *n, const struct items *input, struct value *out)
{
    if (input->count > 1)
        run_fail(r, n, FHIRPATH_FAILED_SINGLE);
    if (input->count != 1 || run_failed(r))
        return false;
    value_of(r, input->at, out);
    return out->kind != FHIRPATH_NOTHING;
}

/* The argument as a number; false: none (or the run failed). */
static bool
argument(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, struct decimal *out)
{
    struct fhirpath_item item;
    struct value         v;

    if (!run_single(r, n, n->arg[0], f, &item))
        return false;
    value_of(r, &item, &v);
    if (!value_number(&v, out)) {
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
        return false;
    }
    return true;
}

/* abs() keeps the type: of an integer, a decimal, a quantity. */
static void
absolute(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
         struct items *out)
{
    struct value v;

    (void)f;
    if (!subject(r, n, input, &v))
        return;
    if (v.kind == FHIRPATH_INTEGER && v.integer != INT64_MIN) {
        add_integer(r, out, v.integer < 0 ? -v.integer : v.integer);
    } else if (v.kind == FHIRPATH_DECIMAL) {
        v.decimal.negative = false;
        add_decimal(r, out, &v.decimal);
    } else if (v.kind == FHIRPATH_QUANTITY) {
        v.quantity.value.negative = false;
        add_quantity(r, out, &v.quantity);
    } else {
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
    }
}

/* ceiling(), floor(), truncate() are integers, of a quantity quantities. */
static void
whole(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
      struct items *out)
{
    enum decimal_rounding how = n->what == FHIRPATH_FUNCTION_CEILING ? DECIMAL_UP
                              : n->what == FHIRPATH_FUNCTION_FLOOR ? DECIMAL_DOWN : DECIMAL_TO_ZERO;
    struct value   v;
    struct decimal d;
    int64_t        integer;

    (void)f;
    if (!subject(r, n, input, &v))
        return;
    if (v.kind == FHIRPATH_QUANTITY) {
        decimal_round(&v.quantity.value, 0, how, &v.quantity.value);
        add_quantity(r, out, &v.quantity);
        return;
    }
    if (!value_number(&v, &d)) {
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
        return;
    }
    decimal_round(&d, 0, how, &d);
    if (decimal_to_integer(&d, &integer))
        add_integer(r, out, integer);
}

static void
round_to(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
         struct items *out)
{
    struct value   v;
    struct decimal d, places = decimal_of(0);
    int64_t        count;

    if (!subject(r, n, input, &v) || ((n->length & FHIRPATH_ARGUMENTS) == 1 && !argument(r, n, f, &places)))
        return;
    struct decimal *of = v.kind == FHIRPATH_QUANTITY ? &v.quantity.value : &d;
    if ((v.kind != FHIRPATH_QUANTITY && !value_number(&v, &d)) || !decimal_to_integer(&places, &count) || count < 0
        || count > DECIMAL_MAX_SCALE) {
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
        return;
    }
    decimal_round(of, (int)count, DECIMAL_NEAREST, of);
    if (v.kind == FHIRPATH_QUANTITY)
        add_quantity(r, out, &v.quantity);
    else
        add_decimal(r, out, of);
}

/* Without a result (the logarithm of 0, the root of -1) they are empty. */
static void
series(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
       struct items *out)
{
    struct value   v;
    struct decimal x, y = decimal_of(0), z;
    bool           good = false;

    if (!subject(r, n, input, &v) || ((n->length & FHIRPATH_ARGUMENTS) == 1 && !argument(r, n, f, &y)))
        return;
    if (!value_number(&v, &x)) {
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
        return;
    }
    if (!run_step(r, SERIES_STEPS))
        return;
    switch ((enum fhirpath_function)n->what) {
    case FHIRPATH_FUNCTION_EXP:   good = decimal_exp(&x, &z); break;
    case FHIRPATH_FUNCTION_LN:    good = decimal_ln(&x, &z); break;
    case FHIRPATH_FUNCTION_LOG:   good = decimal_log(&x, &y, &z); break;
    case FHIRPATH_FUNCTION_SQRT:  good = decimal_sqrt(&x, &z); break;
    default:                      good = decimal_power(&x, &y, &z); break;
    }
    int64_t integer;
    if (good && n->what == FHIRPATH_FUNCTION_POWER && v.kind == FHIRPATH_INTEGER && decimal_to_integer(&y, &integer)
        && decimal_to_integer(&z, &integer))
        add_integer(r, out, integer);                /* N1: integers to an integer stay one */
    else if (good)
        add_decimal(r, out, &z);
}

/* ---- precision ------------------------------------------------------------------------------------ */

/* Half a unit of the last stated place to either side, then outward to so
 * many places. */
static bool
number_boundary(const struct decimal *d, int places, bool high, struct decimal *out)
{
    struct decimal half = { .digits = 5, .scale = decimal_places(d) + 1 }, zero = { .scale = places };

    return (high ? decimal_add(d, &half, out) : decimal_subtract(d, &half, out))
        && decimal_round(out, places, high ? DECIMAL_UP : DECIMAL_DOWN, out) && decimal_add(out, &zero, out);
}

static void
boundary(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
         struct items *out)
{
    bool           high = n->what == FHIRPATH_FUNCTION_HIGH_BOUNDARY;
    struct value   v;
    struct decimal d, wanted = decimal_of(-1);
    struct moment  m;
    int64_t        places;
    bool           stated = (n->length & FHIRPATH_ARGUMENTS) == 1;

    if (!subject(r, n, input, &v) || (stated && !argument(r, n, f, &wanted)) || !decimal_to_integer(&wanted, &places)
        || (stated && (places < 0 || places > MOST_PLACES)))
        return;
    if (v.kind == FHIRPATH_DATE || v.kind == FHIRPATH_DATETIME || v.kind == FHIRPATH_TIME) {
        unsigned most = v.kind == FHIRPATH_DATE ? 8 : v.kind == FHIRPATH_TIME ? 9 : 17;
        if (moment_boundary(&v.moment, stated ? (unsigned)places : most, high, &m))
            add_moment(r, out, &m);
    } else if (v.kind == FHIRPATH_QUANTITY) {
        if (number_boundary(&v.quantity.value, stated ? (int)places : 8, high, &v.quantity.value))
            add_quantity(r, out, &v.quantity);
    } else if (!value_number(&v, &d)) {
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
    } else if (number_boundary(&d, stated ? (int)places : 8, high, &d)) {
        add_decimal(r, out, &d);
    }
}

static void
precision(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
          struct items *out)
{
    struct value   v;
    struct decimal d;

    (void)f;
    if (!subject(r, n, input, &v))
        return;
    if (v.kind == FHIRPATH_DATE || v.kind == FHIRPATH_DATETIME || v.kind == FHIRPATH_TIME)
        add_integer(r, out, moment_digits(&v.moment));
    else if (value_number(&v, &d))
        add_integer(r, out, decimal_places(&d));
    else
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
}

static void
comparable(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
           struct items *out)
{
    struct fhirpath_item item;
    struct value         a, b;

    if (!subject(r, n, input, &a) || !run_single(r, n, n->arg[0], f, &item))
        return;
    value_of(r, &item, &b);
    if (a.kind != FHIRPATH_QUANTITY || b.kind != FHIRPATH_QUANTITY)
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
    else
        add_truth(r, out, quantity_comparable(&a.quantity, &b.quantity) ? FHIRPATH_TRUE : FHIRPATH_FALSE);
}

function *const functions_numbers[FHIRPATH_FUNCTIONS] = {
    [FHIRPATH_FUNCTION_ABS] = absolute,           [FHIRPATH_FUNCTION_CEILING] = whole,
    [FHIRPATH_FUNCTION_FLOOR] = whole,            [FHIRPATH_FUNCTION_TRUNCATE] = whole,
    [FHIRPATH_FUNCTION_ROUND] = round_to,         [FHIRPATH_FUNCTION_EXP] = series,
    [FHIRPATH_FUNCTION_LN] = series,              [FHIRPATH_FUNCTION_LOG] = series,
    [FHIRPATH_FUNCTION_SQRT] = series,            [FHIRPATH_FUNCTION_POWER] = series,
    [FHIRPATH_FUNCTION_LOW_BOUNDARY] = boundary,  [FHIRPATH_FUNCTION_HIGH_BOUNDARY] = boundary,
    [FHIRPATH_FUNCTION_PRECISION] = precision,    [FHIRPATH_FUNCTION_COMPARABLE] = comparable,
};
