#include "fhir/fhirpath_run.h"

/* N1, Conversion: toX() is empty when convertsToX() is false. */

static bool
digit(char c)
{
    return c >= '0' && c <= '9';
}

/* (+|-)?digits and, when wanted, a fraction: no exponent, no white space. */
static size_t
number_length(struct span s, bool fraction)
{
    size_t i = s.length > 0 && (s.at[0] == '+' || s.at[0] == '-'), from = i;

    while (i < s.length && digit(s.at[i]))
        i++;
    if (i == from)
        return 0;
    if (fraction && i + 1 < s.length && s.at[i] == '.' && digit(s.at[i + 1]))
        for (i++; i < s.length && digit(s.at[i]);)
            i++;
    return i;
}

bool
quantity_read(struct span text, struct fhirpath_quantity *out)
{
    struct fhirpath_quantity q = { .unit = SPAN("1") };
    size_t                   n = number_length(text, true);

    if (n == 0 || !decimal_read(span_first(text, n), &q.value))
        return false;
    struct span unit = span_skip(text, n);
    while (unit.length > 0 && unit.at[0] == ' ')
        unit = span_skip(unit, 1);
    if (unit.length >= 3 && unit.at[0] == '\'' && unit.at[unit.length - 1] == '\'') {
        q.unit = span_first(span_skip(unit, 1), unit.length - 2);
        if (span_find_byte(q.unit, '\'') != SPAN_NOT_FOUND)
            return false;
    } else if (unit.length > 0) {
        if (!quantity_calendar_word(unit))
            return false;
        q.unit     = unit;
        q.calendar = true;
    }
    *out = q;
    return true;
}

static int
boolean_word(struct span s)
{
    static const char *const yes[] = { "true", "t", "yes", "y", "1", "1.0" };
    static const char *const no[]  = { "false", "f", "no", "n", "0", "0.0" };

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (span_eq_nocase(s, span_of(yes[i])))
            return 1;
        if (span_eq_nocase(s, span_of(no[i])))
            return 0;
    }
    return -1;
}

static void
to_boolean(struct run *r, const struct value *v, struct items *out)
{
    struct decimal d, one = decimal_of(1);
    int            is = -1;

    if (v->kind == FHIRPATH_BOOLEAN)
        is = v->boolean;
    else if (v->kind == FHIRPATH_STRING)
        is = boolean_word(v->text);
    else if (value_number(v, &d))
        is = d.digits == 0 ? 0 : decimal_compare(&d, &one) == 0 ? 1 : -1;
    if (is >= 0)
        add_truth(r, out, is ? FHIRPATH_TRUE : FHIRPATH_FALSE);
}

/* Integer is 32 bits wide in N1: a text beyond is none. */
static void
to_integer(struct run *r, const struct value *v, struct items *out)
{
    struct decimal       d;
    int64_t              integer = 0;
    bool                 good    = false;

    if (v->kind == FHIRPATH_INTEGER || v->kind == FHIRPATH_BOOLEAN) {
        integer = v->kind == FHIRPATH_INTEGER ? v->integer : v->boolean;
        good    = true;
    } else if (v->kind == FHIRPATH_STRING) {
        good = number_length(v->text, false) == v->text.length && v->text.length > 0 && decimal_read(v->text, &d)
            && decimal_to_integer(&d, &integer) && integer <= INT32_MAX && integer >= INT32_MIN;
    }
    struct fhirpath_item item = item_integer(integer);
    if (good)
        items_add(r, out, &item);
}

static void
to_decimal(struct run *r, const struct value *v, struct items *out)
{
    struct decimal d    = decimal_of(v->kind == FHIRPATH_BOOLEAN && v->boolean);
    bool           good = v->kind == FHIRPATH_BOOLEAN || value_number(v, &d);

    if (v->kind == FHIRPATH_STRING)
        good = v->text.length > 0 && number_length(v->text, true) == v->text.length && decimal_read(v->text, &d);
    if (good)
        add_decimal(r, out, &d);
}

/* A date of a date-time is its day, but a text with a time is no date (N1,
 * toDate); a date-time of a date has its precision. */
static void
to_moment(struct run *r, const struct value *v, enum moment_kind kind, struct items *out)
{
    struct moment m = v->moment;

    if (v->kind == FHIRPATH_STRING) {
        if (!moment_of(v->text, kind, &m))
            return;
    } else if (v->kind != FHIRPATH_DATE && v->kind != FHIRPATH_DATETIME && v->kind != FHIRPATH_TIME) {
        return;
    }
    if ((kind == MOMENT_TIME) != (m.kind == MOMENT_TIME))
        return;
    m.kind = (uint8_t)kind;
    if (kind == MOMENT_DATE && m.precision > MOMENT_DAY) {
        m.precision       = MOMENT_DAY;
        m.zoned           = false;
        m.fraction_digits = 0;
    }
    add_moment(r, out, &m);
}

static void
to_quantity(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct value *v,
            struct items *out)
{
    struct fhirpath_quantity q    = { .value = decimal_of(v->kind == FHIRPATH_BOOLEAN && v->boolean), .unit = SPAN("1") };
    bool                     good = v->kind == FHIRPATH_BOOLEAN || value_number(v, &q.value);
    struct fhirpath_item     item;
    struct span              unit;

    if (v->kind == FHIRPATH_QUANTITY) {
        q    = v->quantity;
        good = true;
    } else if (v->kind == FHIRPATH_STRING) {
        good = quantity_read(v->text, &q);
    }
    if (good && (n->length & FHIRPATH_ARGUMENTS) == 1) {
        if (!run_single(r, n, n->arg[0], f, &item))
            return;
        good = value_string(r, &item, &unit) && quantity_convert(&q, unit, &q);
    }
    if (good)
        add_quantity(r, out, &q);
}

static void
to_string(struct run *r, const struct fhirpath_item *of, struct items *out)
{
    struct fhirpath_item item = item_string(value_text(r, of));

    if (item.text.at != NULL)
        items_add(r, out, &item);
}

static void
convert(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct fhirpath_item *item,
        struct items *out)
{
    struct value v;

    value_of(r, item, &v);
    switch ((enum fhirpath_function)n->what) {
    case FHIRPATH_FUNCTION_TO_BOOLEAN:
    case FHIRPATH_FUNCTION_CONVERTS_TO_BOOLEAN:  to_boolean(r, &v, out); break;
    case FHIRPATH_FUNCTION_TO_INTEGER:
    case FHIRPATH_FUNCTION_CONVERTS_TO_INTEGER:  to_integer(r, &v, out); break;
    case FHIRPATH_FUNCTION_TO_DECIMAL:
    case FHIRPATH_FUNCTION_CONVERTS_TO_DECIMAL:  to_decimal(r, &v, out); break;
    case FHIRPATH_FUNCTION_TO_DATE:
    case FHIRPATH_FUNCTION_CONVERTS_TO_DATE:     to_moment(r, &v, MOMENT_DATE, out); break;
    case FHIRPATH_FUNCTION_TO_DATETIME:
    case FHIRPATH_FUNCTION_CONVERTS_TO_DATETIME: to_moment(r, &v, MOMENT_DATETIME, out); break;
    case FHIRPATH_FUNCTION_TO_TIME:
    case FHIRPATH_FUNCTION_CONVERTS_TO_TIME:     to_moment(r, &v, MOMENT_TIME, out); break;
    case FHIRPATH_FUNCTION_TO_QUANTITY:
    case FHIRPATH_FUNCTION_CONVERTS_TO_QUANTITY: to_quantity(r, n, f, &v, out); break;
    default:                                     to_string(r, item, out); break;
    }
}

static void
to(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
   struct items *out)
{
    if (input->count > 1)
        run_fail(r, n, FHIRPATH_FAILED_SINGLE);
    else if (input->count == 1)
        convert(r, n, f, input->at, out);
}

static void
converts_to(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
            struct items *out)
{
    struct items result;

    items_open(&result);
    to(r, n, f, input, &result);
    if (input->count == 1)
        add_truth(r, out, result.count > 0 ? FHIRPATH_TRUE : FHIRPATH_FALSE);
}

function *const functions_conversions[FHIRPATH_FUNCTIONS] = {
    [FHIRPATH_FUNCTION_TO_BOOLEAN] = to,   [FHIRPATH_FUNCTION_CONVERTS_TO_BOOLEAN] = converts_to,
    [FHIRPATH_FUNCTION_TO_INTEGER] = to,   [FHIRPATH_FUNCTION_CONVERTS_TO_INTEGER] = converts_to,
    [FHIRPATH_FUNCTION_TO_DECIMAL] = to,   [FHIRPATH_FUNCTION_CONVERTS_TO_DECIMAL] = converts_to,
    [FHIRPATH_FUNCTION_TO_DATE] = to,      [FHIRPATH_FUNCTION_CONVERTS_TO_DATE] = converts_to,
    [FHIRPATH_FUNCTION_TO_DATETIME] = to,  [FHIRPATH_FUNCTION_CONVERTS_TO_DATETIME] = converts_to,
    [FHIRPATH_FUNCTION_TO_TIME] = to,      [FHIRPATH_FUNCTION_CONVERTS_TO_TIME] = converts_to,
    [FHIRPATH_FUNCTION_TO_QUANTITY] = to,  [FHIRPATH_FUNCTION_CONVERTS_TO_QUANTITY] = converts_to,
    [FHIRPATH_FUNCTION_TO_STRING] = to,    [FHIRPATH_FUNCTION_CONVERTS_TO_STRING] = converts_to,
};
