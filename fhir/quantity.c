#include "fhir/quantity.h"

#include <string.h>

/* ---- units ----------------------------------------------------------------------------- */

/* What a unit is made of.  MONTH is no UCUM dimension: calendar months are no
 * fixed time.  ANGLE is one of its own, as in UCUM. */
enum dimension { LENGTH = 0, TIME, MASS, ANGLE, TEMPERATURE, CHARGE, LIGHT, MONTH, DIMENSIONS };

/* The factor is a fraction: a minute's reciprocal has no last digit. */
struct unit {
    struct decimal over, under;
    int8_t         power[DIMENSIONS];
};

/* A row: code, whether it takes prefixes, factor, powers of m s g rad K C cd.
 * Factors: UCUM 2.1, table of units. */
struct row { const char *code; bool metric; const char *factor; int8_t power[7]; };
static const struct row rows[] = {
    { "m",   true,  "1",               { 1 } },
    { "s",   true,  "1",               { 0, 1 } },
    { "g",   true,  "1",               { 0, 0, 1 } },
    { "rad", true,  "1",               { 0, 0, 0, 1 } },
    { "K",   true,  "1",               { 0, 0, 0, 0, 1 } },
    { "C",   true,  "1",               { 0, 0, 0, 0, 0, 1 } },
    { "cd",  true,  "1",               { 0, 0, 0, 0, 0, 0, 1 } },
    { "1",   false, "1",               { 0 } },
    { "10*", false, "10",              { 0 } },
    { "10^", false, "10",              { 0 } },
    { "%",   false, "0.01",            { 0 } },
    { "[ppth]", false, "0.001",        { 0 } },
    { "[ppm]",  false, "0.000001",     { 0 } },
    { "[ppb]",  false, "0.000000001",  { 0 } },
    { "mol", true,  "6.0221367e23",    { 0 } },
    { "eq",  true,  "6.0221367e23",    { 0 } },
    { "osm", true,  "6.0221367e23",    { 0 } },
    { "min", false, "60",              { 0, 1 } },
    { "h",   false, "3600",            { 0, 1 } },
    { "d",   false, "86400",           { 0, 1 } },
    { "wk",  false, "604800",          { 0, 1 } },
    { "mo",  false, "2629800",         { 0, 1 } },
    { "a",   false, "31557600",        { 0, 1 } },
    { "L",   true,  "0.001",           { 3 } },
    { "l",   true,  "0.001",           { 3 } },
    { "Hz",  true,  "1",               { 0, -1 } },
    { "N",   true,  "1000",            { 1, -2, 1 } },
    { "Pa",  true,  "1000",            { -1, -2, 1 } },
    { "J",   true,  "1000",            { 2, -2, 1 } },
    { "W",   true,  "1000",            { 2, -3, 1 } },
    { "A",   true,  "1",               { 0, -1, 0, 0, 0, 1 } },
    { "V",   true,  "1000",            { 2, -2, 1, 0, 0, -1 } },
    { "Bq",  true,  "1",               { 0, -1 } },
    { "Gy",  true,  "1",               { 2, -2 } },
    { "Sv",  true,  "1",               { 2, -2 } },
    { "kat", true,  "6.0221367e23",    { 0, -1 } },
    { "U",   true,  "10036894500000000", { 0, -1 } },
    { "bar", true,  "100000000",       { -1, -2, 1 } },
    { "atm", false, "101325000",       { -1, -2, 1 } },
    { "m[Hg]",  true, "133322000",     { -1, -2, 1 } },
    { "m[H2O]", true, "9806650",       { -1, -2, 1 } },
    { "cal", true,  "4184",            { 2, -2, 1 } },
    { "[Cal]", false, "4184000",       { 2, -2, 1 } },
    { "dyn", true,  "0.01",            { 1, -2, 1 } },
    { "erg", true,  "0.0001",          { 2, -2, 1 } },
    { "t",   true,  "1000000",         { 0, 0, 1 } },
    { "[in_i]",  false, "0.0254",      { 1 } },
    { "[ft_i]",  false, "0.3048",      { 1 } },
    { "[yd_i]",  false, "0.9144",      { 1 } },
    { "[mi_i]",  false, "1609.344",    { 1 } },
    { "[lb_av]", false, "453.59237",   { 0, 0, 1 } },
    { "[oz_av]", false, "28.349523125", { 0, 0, 1 } },
    { "[gr]",    false, "0.06479891",  { 0, 0, 1 } },
    { "[gal_us]", false, "0.003785411784",  { 3 } },
    { "[qt_us]",  false, "0.000946352946",  { 3 } },
    { "[pt_us]",  false, "0.000473176473",  { 3 } },
    { "[cup_us]", false, "0.0002365882365", { 3 } },
    { "[foz_us]", false, "0.0000295735295625", { 3 } },
    { "[tbs_us]", false, "0.00001478676478125", { 3 } },
    { "[tsp_us]", false, "0.00000492892159375", { 3 } },
};

static const struct { const char *code; int8_t tens; } prefixes[] = {
    { "da", 1 }, { "Y", 24 }, { "Z", 21 }, { "E", 18 }, { "P", 15 }, { "T", 12 }, { "G", 9 }, { "M", 6 },
    { "k", 3 }, { "h", 2 }, { "d", -1 }, { "c", -2 }, { "m", -3 }, { "u", -6 }, { "n", -9 }, { "p", -12 },
    { "f", -15 }, { "a", -18 }, { "z", -21 }, { "y", -24 },
};

static const struct { const char *word; uint8_t moment; uint8_t months; const char *seconds; } words[] = {
    { "year",   MOMENT_YEARS,   12, NULL },    { "month",  MOMENT_MONTHS,  1, NULL },
    { "week",   MOMENT_WEEKS,   0, "604800" }, { "day",    MOMENT_DAYS,    0, "86400" },
    { "hour",   MOMENT_HOURS,   0, "3600" },   { "minute", MOMENT_MINUTES, 0, "60" },
    { "second", MOMENT_SECONDS, 0, "1" },      { "millisecond", MOMENT_MILLISECONDS, 0, "0.001" },
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define MOST_UNIT    100u                /* bytes */
#define MOST_NESTED  8u

struct reader { struct span rest; unsigned nested; };

static bool product(struct reader *, struct unit *);

static const struct row *
row_of(struct span code)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (span_eq_text(code, rows[i].code))
            return &rows[i];
    return NULL;
}

static bool
from_row(const struct row *row, int tens, struct unit *out)
{
    *out = (struct unit){ .under = decimal_of(1) };
    memcpy(out->power, row->power, sizeof row->power);
    if (!decimal_read(span_of(row->factor), &out->over))
        return false;
    out->over.scale -= tens;
    return true;
}

/* The code itself first: "min" is no milli-in, "cd" no centi-d. */
static bool
atom_of(struct span code, struct unit *out)
{
    const struct row *row = row_of(code);

    if (row != NULL)
        return from_row(row, 0, out);
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        struct span prefix = span_of(prefixes[i].code);
        if (!span_starts(code, prefix))
            continue;
        row = row_of(span_skip(code, prefix.length));
        if (row != NULL && row->metric)
            return from_row(row, prefixes[i].tens, out);
    }
    return false;
}

static bool
combine(struct unit *a, const struct unit *b, int power)
{
    const struct decimal *over = power < 0 ? &b->under : &b->over, *under = power < 0 ? &b->over : &b->under;

    for (int n = power < 0 ? -power : power; n > 0; n--) {
        if (!decimal_multiply(&a->over, over, &a->over) || !decimal_multiply(&a->under, under, &a->under))
            return false;
        for (int i = 0; i < DIMENSIONS; i++) {
            int sum = a->power[i] + (power < 0 ? -b->power[i] : b->power[i]);
            if (sum > 100 || sum < -100)
                return false;
            a->power[i] = (int8_t)sum;
        }
    }
    return true;
}

static bool
digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "2", "-1" behind a unit; 1 when there is none. */
static bool
exponent(struct span *code, int *power)
{
    size_t end = code->length;

    *power = 1;
    while (end > 0 && digit(code->at[end - 1]))
        end--;
    uint64_t value = 1;
    if (end == code->length || end == 0)
        return true;
    if (!span_to_u64(span_skip(*code, end), &value) || value > 9)
        return false;
    bool sign = code->at[end - 1] == '-' || code->at[end - 1] == '+';
    *power = sign && code->at[end - 1] == '-' ? -(int)value : (int)value;
    *code  = span_first(*code, end - sign);
    return code->length > 0;
}

/* Up to an operator, a bracket or an annotation; square brackets hold anything. */
static struct span
take_code(struct reader *r)
{
    size_t i = 0;
    bool   square = false;

    for (; i < r->rest.length; i++) {
        char c = r->rest.at[i];
        square = c == '[' || (square && c != ']');
        if (!square && (c == '.' || c == '/' || c == '(' || c == ')' || c == '{'))
            break;
    }
    struct span code = span_first(r->rest, i);
    r->rest = span_skip(r->rest, i);
    return code;
}

static bool
annotation(struct reader *r)
{
    size_t end;

    if (r->rest.length == 0 || r->rest.at[0] != '{')
        return false;
    end = span_find_byte(r->rest, '}');
    r->rest = end == SPAN_NOT_FOUND ? r->rest : span_skip(r->rest, end + 1);
    return end != SPAN_NOT_FOUND;
}

static bool
component(struct reader *r, struct unit *out)
{
    uint64_t number;
    int      power = 1;

    *out = (struct unit){ .over = decimal_of(1), .under = decimal_of(1) };
    if (annotation(r))
        return true;
    if (r->rest.length > 0 && r->rest.at[0] == '(') {
        r->rest = span_skip(r->rest, 1);
        if (++r->nested > MOST_NESTED || !product(r, out) || r->rest.length == 0 || r->rest.at[0] != ')')
            return false;
        r->nested--;
        r->rest = span_skip(r->rest, 1);
        return true;
    }
    struct span code = take_code(r);
    annotation(r);
    if (code.length > 0 && span_to_u64(code, &number) && number <= INT64_MAX) {
        out->over = decimal_of((int64_t)number);
        return number > 0;
    }
    struct unit atom;
    return exponent(&code, &power) && atom_of(code, &atom) && combine(out, &atom, power);
}

static bool
product(struct reader *r, struct unit *out)
{
    *out = (struct unit){ .over = decimal_of(1), .under = decimal_of(1) };
    int sign = 1;
    if (r->rest.length > 0 && r->rest.at[0] == '/') {
        sign    = -1;
        r->rest = span_skip(r->rest, 1);
    }
    for (;;) {
        struct unit part;
        if (!component(r, &part) || !combine(out, &part, sign))
            return false;
        if (r->rest.length == 0 || (r->rest.at[0] != '.' && r->rest.at[0] != '/'))
            return true;
        sign    = r->rest.at[0] == '/' ? -1 : 1;
        r->rest = span_skip(r->rest, 1);
    }
}

/* The word without a plural s; -1. */
static int
word_of(struct span text)
{
    if (text.length > 1 && text.at[text.length - 1] == 's')
        text.length--;
    for (size_t i = 0; i < COUNT(words); i++)
        if (span_eq_text(text, words[i].word))
            return (int)i;
    return -1;
}

bool
quantity_calendar_word(struct span text)
{
    return word_of(text) >= 0;
}

static bool
unit_of(const struct fhirpath_quantity *q, struct unit *out)
{
    int word = q->foreign ? -1 : word_of(q->unit);

    if (q->foreign || q->unit.length > MOST_UNIT)
        return false;
    if (word >= 0) {
        *out = (struct unit){ .over = decimal_of(words[word].months), .under = decimal_of(1) };
        out->power[words[word].seconds == NULL ? MONTH : TIME] = 1;
        return words[word].seconds == NULL || decimal_read(span_of(words[word].seconds), &out->over);
    }
    struct reader r = { q->unit, 0 };
    return q->unit.length > 0 && product(&r, out) && r.rest.length == 0;
}

static bool
same_dimension(const struct unit *a, const struct unit *b)
{
    return memcmp(a->power, b->power, sizeof a->power) == 0;
}

/* ---- comparing ---------------------------------------------------------------------------- */

/* value * from / to, one division at the end. */
static bool
rescale(struct decimal *value, const struct unit *from, const struct unit *to)
{
    struct decimal by;

    return decimal_multiply(value, &from->over, value) && decimal_multiply(value, &to->under, value)
        && decimal_multiply(&from->under, &to->over, &by) && decimal_divide(value, &by, value);
}

static bool
same_text(const struct fhirpath_quantity *a, const struct fhirpath_quantity *b)
{
    return a->foreign == b->foreign && span_eq(a->unit, b->unit);
}

int
quantity_compare(const struct fhirpath_quantity *a, const struct fhirpath_quantity *b)
{
    struct unit    x, y;
    struct decimal left, right;

    if (same_text(a, b))
        return decimal_compare(&a->value, &b->value);
    if (!unit_of(a, &x) || !unit_of(b, &y) || !same_dimension(&x, &y)
        || !decimal_multiply(&a->value, &x.over, &left) || !decimal_multiply(&left, &y.under, &left)
        || !decimal_multiply(&b->value, &y.over, &right) || !decimal_multiply(&right, &x.under, &right))
        return QUANTITY_APART;
    return decimal_compare(&left, &right);
}

bool
quantity_comparable(const struct fhirpath_quantity *a, const struct fhirpath_quantity *b)
{
    struct unit x, y;

    return same_text(a, b) || (unit_of(a, &x) && unit_of(b, &y) && same_dimension(&x, &y));
}

bool
quantity_convert(const struct fhirpath_quantity *q, struct span unit, struct fhirpath_quantity *out)
{
    struct fhirpath_quantity r = { .value = q->value, .unit = unit, .calendar = quantity_calendar_word(unit) };
    struct unit              x, y;

    if (!same_text(q, &r)
        && (!unit_of(q, &x) || !unit_of(&r, &y) || !same_dimension(&x, &y) || !rescale(&r.value, &x, &y)))
        return false;
    *out = r;
    return true;
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

bool
quantity_add(const struct fhirpath_quantity *a, const struct fhirpath_quantity *b, bool subtract,
             struct fhirpath_quantity *out)
{
    struct unit              x, y;
    struct fhirpath_quantity r = *a, other = *b;

    if (!same_text(a, b)) {
        if (!unit_of(a, &x) || !unit_of(b, &y) || !same_dimension(&x, &y))
            return false;
        struct decimal left, right;
        if (!decimal_multiply(&y.over, &x.under, &left) || !decimal_multiply(&x.over, &y.under, &right))
            return false;
        bool finer = decimal_compare(&left, &right) < 0;
        if (!(finer ? rescale(&r.value, &x, &y) : rescale(&other.value, &y, &x)))
            return false;
        r.unit     = finer ? b->unit : a->unit;
        r.calendar = finer ? b->calendar : a->calendar;
    }
    if (!(subtract ? decimal_subtract(&r.value, &other.value, &r.value)
                   : decimal_add(&r.value, &other.value, &r.value)))
        return false;
    *out = r;
    return true;
}

/* "m2.g.s-2" */
static struct span
base_text(const struct unit *u, struct arena *arena)
{
    static const char *const codes[MONTH] = { "m", "s", "g", "rad", "K", "C", "cd" };
    char   text[64];
    size_t n = 0;

    for (int i = 0; i < MONTH; i++) {
        if (u->power[i] == 0)
            continue;
        if (n > 0)
            text[n++] = '.';
        size_t length = strlen(codes[i]);
        memcpy(text + n, codes[i], length);
        n += length;
        int power = u->power[i] < 0 ? -u->power[i] : u->power[i];
        if (u->power[i] < 0)
            text[n++] = '-';
        if (power > 9)
            text[n++] = (char)('0' + power / 10 % 10);
        if (power > 1 || u->power[i] < 0)
            text[n++] = (char)('0' + power % 10);
    }
    return n == 0 ? SPAN("1") : arena_copy(arena, span_from(text, n));
}

static bool
plain_one(const struct fhirpath_quantity *q)
{
    return !q->foreign && span_eq_text(q->unit, "1");
}

bool
quantity_multiply(const struct fhirpath_quantity *a, const struct fhirpath_quantity *b, bool divide,
                  struct arena *arena, struct fhirpath_quantity *out)
{
    struct fhirpath_quantity r = { .unit = a->unit, .calendar = a->calendar, .foreign = a->foreign };
    struct unit              x, y;

    if (!(divide ? decimal_divide(&a->value, &b->value, &r.value) : decimal_multiply(&a->value, &b->value, &r.value)))
        return false;
    if (plain_one(b)) {
        *out = r;
        return true;
    }
    if (plain_one(a) && !divide) {
        r.unit     = b->unit;
        r.calendar = b->calendar;
        r.foreign  = b->foreign;
        *out       = r;
        return true;
    }
    r.calendar = r.foreign = false;
    if (divide && same_text(a, b)) {
        r.unit = SPAN("1");
        *out   = r;
        return true;
    }
    if (!unit_of(a, &x) || !unit_of(b, &y) || x.power[MONTH] != 0 || y.power[MONTH] != 0
        || !combine(&x, &y, divide ? -1 : 1) || !decimal_multiply(&r.value, &x.over, &r.value)
        || !decimal_divide(&r.value, &x.under, &r.value))
        return false;
    r.unit = base_text(&x, arena);
    *out   = r;
    return r.unit.at != NULL;
}

enum moment_unit
quantity_moment_unit(const struct fhirpath_quantity *q)
{
    static const struct { const char *code; enum moment_unit unit; } codes[] = {
        { "wk", MOMENT_WEEKS }, { "d", MOMENT_DAYS }, { "h", MOMENT_HOURS }, { "min", MOMENT_MINUTES },
        { "s", MOMENT_SECONDS }, { "ms", MOMENT_MILLISECONDS },
    };
    int word = word_of(q->unit);

    if (word >= 0)
        return (enum moment_unit)words[word].moment;
    for (size_t i = 0; i < COUNT(codes); i++)
        if (span_eq_text(q->unit, codes[i].code))
            return codes[i].unit;
    return (enum moment_unit)0;
}
