#include "fhir/fhirpath_lex.h"

#include <string.h>

#include "base/digits.h"
#include "fhir/utf8.h"

static struct fhirpath_token quoted(struct fhirpath_lexer *, char quote, enum fhirpath_token_kind);
static struct fhirpath_token number(struct fhirpath_lexer *);
static struct fhirpath_token moment(struct fhirpath_lexer *);
static struct fhirpath_token sign(struct fhirpath_lexer *);

static char
at(const struct fhirpath_lexer *l, size_t ahead)
{
    return l->at + ahead < l->source.length ? l->source.at[l->at + ahead] : '\0';
}

static bool
digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
name_begins(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static struct fhirpath_token
broken(struct fhirpath_lexer *l, size_t where, const char *why)
{
    l->why = why;
    return (struct fhirpath_token){ .kind = FHIRPATH_TOKEN_BROKEN, .where = (uint32_t)where };
}

/* The token that begins at `from` and ends before l->at. */
static struct fhirpath_token
token(const struct fhirpath_lexer *l, enum fhirpath_token_kind kind, size_t from)
{
    return (struct fhirpath_token){ kind, span_from(l->source.at + from, l->at - from), (uint32_t)from };
}

/* White space and comments; false: a comment does not end. */
static bool
skip(struct fhirpath_lexer *l)
{
    for (;;) {
        char c = at(l, 0);
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            l->at++;
        } else if (c == '/' && at(l, 1) == '/') {
            size_t end = span_find_byte(span_skip(l->source, l->at), '\n');
            l->at      = end == SPAN_NOT_FOUND ? l->source.length : l->at + end;
        } else if (c == '/' && at(l, 1) == '*') {
            size_t end = span_find(span_skip(l->source, l->at + 2), SPAN("*/"));
            if (end == SPAN_NOT_FOUND)
                return false;
            l->at += 2 + end + 2;
        } else {
            return true;
        }
    }
}

static void
skip_name(struct fhirpath_lexer *l)
{
    while (name_begins(at(l, 0)) || digit(at(l, 0)))
        l->at++;
}

/* %name, %`name`, %'name' */
static struct fhirpath_token
variable(struct fhirpath_lexer *l)
{
    size_t from = l->at++;
    char   c    = at(l, 0);

    if (c == '`' || c == '\'') {
        struct fhirpath_token t = quoted(l, c, FHIRPATH_TOKEN_VARIABLE);
        t.where = (uint32_t)from;
        return t;
    }
    if (!name_begins(c))
        return broken(l, from, "a name is expected behind %");
    skip_name(l);
    struct fhirpath_token t = token(l, FHIRPATH_TOKEN_VARIABLE, from);
    t.text = span_skip(t.text, 1);
    return t;
}

struct fhirpath_token
fhirpath_next(struct fhirpath_lexer *l)
{
    size_t from = l->at;

    if (!skip(l))
        return broken(l, from, "a comment is not closed");
    from   = l->at;
    char c = at(l, 0);
    if (l->at == l->source.length)
        return token(l, FHIRPATH_TOKEN_END, from);
    if (name_begins(c)) {
        skip_name(l);
        return token(l, FHIRPATH_TOKEN_NAME, from);
    }
    if (digit(c))
        return number(l);
    switch (c) {
    case '\'': return quoted(l, c, FHIRPATH_TOKEN_STRING);
    case '`':  return quoted(l, c, FHIRPATH_TOKEN_DELIMITED);
    case '@':  return moment(l);
    case '%':  return variable(l);
    case '$':
        l->at++;
        skip_name(l);
        return token(l, FHIRPATH_TOKEN_DOLLAR, from);
    default:
        return sign(l);
    }
}

static struct fhirpath_token
number(struct fhirpath_lexer *l)
{
    size_t from = l->at;

    while (digit(at(l, 0)))
        l->at++;
    if (at(l, 0) == '.' && digit(at(l, 1))) {
        l->at++;
        while (digit(at(l, 0)))
            l->at++;
    }
    return token(l, FHIRPATH_TOKEN_NUMBER, from);
}

static struct fhirpath_token
sign(struct fhirpath_lexer *l)
{
    static const char *const signs[] = { "<=", ">=", "!=", "!~", "(", ")", "[", "]", "{", "}", ".", ",",
                                         "+", "-", "*", "/", "&", "|", "<", ">", "=", "~" };
    size_t from = l->at;

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        struct span one = span_of(signs[i]);
        if (span_starts(span_skip(l->source, from), one)) {
            l->at += one.length;
            return token(l, FHIRPATH_TOKEN_SIGN, from);
        }
    }
    return broken(l, from, "this character has no meaning here");
}

/* ---- moments --------------------------------------------------------------------------- */

/* "dd" behind `mark`, which is taken, too; '\0': no mark. */
static bool
pair(struct fhirpath_lexer *l, char mark)
{
    size_t skip_mark = mark != '\0';

    if ((skip_mark && at(l, 0) != mark) || !digit(at(l, skip_mark)) || !digit(at(l, skip_mark + 1)))
        return false;
    l->at += skip_mark + 2;
    return true;
}

static void
clock_part(struct fhirpath_lexer *l)
{
    if (!pair(l, '\0') || !pair(l, ':') || !pair(l, ':'))
        return;
    if (at(l, 0) == '.' && digit(at(l, 1))) {
        l->at++;
        while (digit(at(l, 0)))
            l->at++;
    }
}

static void
zone_part(struct fhirpath_lexer *l)
{
    if (at(l, 0) == 'Z')
        l->at++;
    else if ((at(l, 0) == '+' || at(l, 0) == '-') && digit(at(l, 1)) && digit(at(l, 2)) && at(l, 3) == ':'
             && digit(at(l, 4)) && digit(at(l, 5)))
        l->at += 6;
}

/* @2026-11-22T15:00:00Z, @2026T, @T15:00: as much as has this form; whether
 * there is such a day is for the parser. */
static struct fhirpath_token
moment(struct fhirpath_lexer *l)
{
    size_t from = l->at++;

    if (at(l, 0) == 'T') {
        l->at++;
        clock_part(l);
    } else {
        while (digit(at(l, 0)))
            l->at++;
        if (pair(l, '-'))
            pair(l, '-');
        if (at(l, 0) == 'T') {
            l->at++;
            clock_part(l);
            zone_part(l);
        }
    }
    struct fhirpath_token t = token(l, FHIRPATH_TOKEN_MOMENT, from);
    t.text = span_skip(t.text, 1);
    return t;
}

/* ---- quoted texts ---------------------------------------------------------------------- */

/* Four digits behind \u; -1. */
static int32_t
code_unit(const struct fhirpath_lexer *l)
{
    int32_t unit = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = digits_hex_value((unsigned char)at(l, i));
        if (value < 0)
            return -1;
        unit = unit << 4 | value;
    }
    return unit;
}

/* Behind \u; two units that make a pair are one character. */
static bool
unicode(struct fhirpath_lexer *l, char *out, size_t *length)
{
    int32_t  unit  = code_unit(l);
    uint32_t point = (uint32_t)unit;

    if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return false;
    l->at += 4;
    if (unit >= 0xd800 && unit <= 0xdbff) {
        if (at(l, 0) != '\\' || at(l, 1) != 'u')
            return false;
        l->at += 2;
        int32_t low = code_unit(l);
        if (low < 0xdc00 || low > 0xdfff)
            return false;
        l->at += 4;
        point = 0x10000u + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
    }
    *length += utf8_put(out + *length, point);
    return true;
}

static bool
escape(struct fhirpath_lexer *l, char *out, size_t *length)
{
    static const char names[] = "'\"`\\/rntf", bytes[] = "'\"`\\/\r\n\t\f";
    char        c   = at(l, 0);
    const char *hit = c != '\0' ? strchr(names, c) : NULL;

    if (c == '\0')
        return false;
    l->at++;
    if (c == 'u')
        return unicode(l, out, length);
    if (hit == NULL)
        return false;
    out[(*length)++] = bytes[hit - names];
    return true;
}

/* Escapes make a text shorter, so the bytes up to the quote are room enough. */
static struct fhirpath_token
quoted(struct fhirpath_lexer *l, char quote, enum fhirpath_token_kind kind)
{
    size_t from = l->at++, end = l->at, length = 0;
    bool   escaped = false;

    for (; end < l->source.length && l->source.at[end] != quote; end++)
        if (l->source.at[end] == '\\') {
            escaped = true;
            end++;
        }
    if (end >= l->source.length)
        return broken(l, from, "a quoted text is not closed");
    struct fhirpath_token t = { kind, span_from(l->source.at + l->at, end - l->at), (uint32_t)from };
    if (escaped) {
        char *out = arena_alloc(l->arena, t.text.length);
        if (out == NULL) {
            l->no_memory = true;
            return broken(l, from, "");
        }
        while (l->at < end) {
            size_t here = l->at;
            char   c    = at(l, 0);
            l->at++;
            if (c != '\\')
                out[length++] = c;
            else if (!escape(l, out, &length))
                return broken(l, here, "FHIRPath has no such escape");
        }
        t.text = span_from(out, length);
    }
    l->at = end + 1;
    return t;
}
