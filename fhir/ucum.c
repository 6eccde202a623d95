#include "fhir/ucum.h"

struct atom { struct span code; bool metric; };

static const struct atom atoms[] = {
#define ATOM(code)   { { code, sizeof(code) - 1 }, false },
#define METRIC(code) { { code, sizeof(code) - 1 }, true },
#define PREFIX(code)
#include "fhir/term_units.def"
#undef ATOM
#undef METRIC
#undef PREFIX
};

static const struct span prefixes[] = {
#define ATOM(code)
#define METRIC(code)
#define PREFIX(code) { code, sizeof(code) - 1 },
#include "fhir/term_units.def"
#undef ATOM
#undef METRIC
#undef PREFIX
};

static bool take_term(struct span *rest, unsigned depth);

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const struct atom *
find_atom(struct span code)
{
    size_t low = 0, high = sizeof atoms / sizeof atoms[0];

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int    order  = span_compare(code, atoms[middle].code);
        if (order == 0)
            return &atoms[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* An atom, or a prefix and an atom that takes one. */
static bool
is_unit(struct span code)
{
    if (find_atom(code) != NULL)
        return true;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        const struct atom *atom = span_starts(code, prefixes[i]) ? find_atom(span_skip(code, prefixes[i].length)) : NULL;
        if (atom != NULL && atom->metric)
            return true;
    }
    return false;
}

/* Up to an operator, a bracket of terms or an annotation; square brackets
 * belong to atoms and hold anything ("B[10.nV]"). */
static struct span
take_token(struct span *rest)
{
    size_t length = 0;
    bool   inside = false;

    while (length < rest->length && (inside || strchr("./(){}", rest->at[length]) == NULL)) {
        inside = rest->at[length] == '[' || (inside && rest->at[length] != ']');
        length++;
    }
    struct span token = span_first(*rest, length);
    *rest = span_skip(*rest, length);
    return token;
}

static struct span
without_exponent(struct span token)
{
    size_t length = token.length;

    while (length > 0 && is_digit(token.at[length - 1]))
        length--;
    if (length < token.length && length > 0 && (token.at[length - 1] == '+' || token.at[length - 1] == '-'))
        length--;
    return span_first(token, length);
}

static bool
is_factor(struct span token)
{
    for (size_t i = 0; i < token.length; i++)
        if (!is_digit(token.at[i]))
            return false;
    return token.length > 0;
}

static bool
take_annotation(struct span *rest)
{
    size_t length = 1;

    while (length < rest->length && rest->at[length] >= ' ' && rest->at[length] < 0x7f && rest->at[length] != '{'
           && rest->at[length] != '}')
        length++;
    bool good = length < rest->length && rest->at[length] == '}';
    *rest = span_skip(*rest, length + 1);
    return good;
}

static bool
next_is(const struct span *rest, char c)
{
    return rest->length > 0 && rest->at[0] == c;
}

static bool
take_component(struct span *rest, unsigned depth)
{
    if (next_is(rest, '(')) {
        *rest = span_skip(*rest, 1);
        if (depth == UCUM_MAX_DEPTH || !take_term(rest, depth + 1) || !next_is(rest, ')'))
            return false;
        *rest = span_skip(*rest, 1);
    } else if (!next_is(rest, '{')) {
        struct span token = take_token(rest);
        if (!is_factor(token) && !is_unit(token) && !is_unit(without_exponent(token)))
            return false;
    }
    return !next_is(rest, '{') || take_annotation(rest);
}

/* Recursion is bounded by UCUM_MAX_DEPTH. */
static bool
take_term(struct span *rest, unsigned depth)
{
    if (!take_component(rest, depth))
        return false;
    while (next_is(rest, '.') || next_is(rest, '/')) {
        *rest = span_skip(*rest, 1);
        if (!take_component(rest, depth))
            return false;
    }
    return true;
}

bool
ucum_good(struct span unit)
{
    if (unit.length == 0 || unit.length > UCUM_MAX_LENGTH)
        return false;
    if (next_is(&unit, '/'))
        unit = span_skip(unit, 1);
    return take_term(&unit, 0) && span_empty(unit);
}
