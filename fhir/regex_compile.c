#include <string.h>

#include "base/digits.h"
#include "fhir/regex.h"
#include "fhir/regex_program.h"
#include "fhir/utf8.h"

/* One pass: each construct appends its instructions; what turns out to stand
 * behind a split or to be repeated is moved and copied afterwards. */

#define MOST_RANGES 2048u
#define MOST_DEPTH  32u
#define MOST_REPEAT 1000u
#define LAST_POINT  0x10ffffu

struct compiler {
    struct span               rest;
    struct arena             *arena;
    struct regex_instruction *code;
    uint32_t                  count, room;
    struct regex_range       *ranges;
    uint32_t                  range_count;
    uint32_t                  groups, depth;
    bool                      any_case;
    const char               *why;
    enum status               status;
};

static bool alternatives(struct compiler *);

static bool
refuse(struct compiler *c, enum status status, const char *why)
{
    if (c->status == ST_OK) {
        c->status = status;
        c->why    = why;
    }
    return false;
}

static bool
broken(struct compiler *c, const char *why)
{
    return refuse(c, ST_MALFORMED, why);
}

/* ---- code ------------------------------------------------------------------------------ */

static bool
make_room(struct compiler *c, uint32_t more)
{
    if (more > REGEX_MOST_INSTRUCTIONS - c->count)
        return refuse(c, ST_TOO_LARGE, "the regular expression is too large");
    if (c->count + more <= c->room)
        return true;
    uint32_t room = c->room > 0 ? c->room : 64;
    while (room < c->count + more)
        room *= 2;
    c->code = arena_grow(c->arena, c->code, c->room * sizeof *c->code, room * sizeof *c->code);
    c->room = room;
    return c->code != NULL || refuse(c, ST_NO_MEMORY, "");
}

static bool
emit(struct compiler *c, enum regex_op op, int32_t x, int32_t y)
{
    if (!make_room(c, 1))
        return false;
    c->code[c->count++] = (struct regex_instruction){ op, x, y };
    return true;
}

/* Puts one in front of the block that begins at `at`. */
static bool
insert(struct compiler *c, uint32_t at, enum regex_op op, int32_t x, int32_t y)
{
    if (!make_room(c, 1))
        return false;
    memmove(c->code + at + 1, c->code + at, (c->count - at) * sizeof *c->code);
    c->code[at] = (struct regex_instruction){ op, x, y };
    c->count++;
    return true;
}

static bool
append_copy(struct compiler *c, const struct regex_instruction *block, uint32_t length)
{
    if (!make_room(c, length))
        return false;
    if (length > 0)
        memcpy(c->code + c->count, block, length * sizeof *block);
    c->count += length;
    return true;
}

/* x is tried first; a lazy one tries the way around first. */
static bool
insert_split(struct compiler *c, uint32_t at, int32_t in, int32_t around, bool lazy)
{
    return lazy ? insert(c, at, REGEX_SPLIT, around, in) : insert(c, at, REGEX_SPLIT, in, around);
}

/* ---- characters ------------------------------------------------------------------------ */

static char
peek(const struct compiler *c)
{
    return c->rest.length > 0 ? c->rest.at[0] : '\0';
}

static bool
accept(struct compiler *c, char wanted)
{
    if (c->rest.length == 0 || c->rest.at[0] != wanted)
        return false;
    c->rest = span_skip(c->rest, 1);
    return true;
}

static bool
take_point(struct compiler *c, uint32_t *out)
{
    if (c->rest.length == 0)
        return broken(c, "the regular expression ends too early");
    *out = utf8_take(&c->rest);
    return true;
}

static bool
hex_point(struct compiler *c, unsigned digits, uint32_t *out)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < digits; i++) {
        int digit = c->rest.length > 0 ? digits_hex_value((unsigned char)c->rest.at[0]) : -1;
        if (digit < 0)
            return broken(c, "an escape of a regular expression has too few hexadecimal digits");
        value   = value << 4 | (uint32_t)digit;
        c->rest = span_skip(c->rest, 1);
    }
    *out = value;
    return true;
}

/* Behind the backslash, of what stands for one character. */
static bool
escaped_point(struct compiler *c, uint32_t *out)
{
    static const char names[] = "tnrfv", points[] = "\t\n\r\f\v";
    char  name = peek(c);
    const char *hit = name != '\0' ? strchr(names, name) : NULL;

    if (hit != NULL) {
        *out    = (uint32_t)points[hit - names];
        c->rest = span_skip(c->rest, 1);
        return true;
    }
    if (accept(c, 'x'))
        return hex_point(c, 2, out);
    if (accept(c, 'u'))
        return hex_point(c, 4, out);
    if ((name >= '0' && name <= '9') || (name >= 'a' && name <= 'z') || (name >= 'A' && name <= 'Z'))
        return broken(c, "this escape of a regular expression is not supported");
    return take_point(c, out);
}

/* ---- classes --------------------------------------------------------------------------- */

static bool
add_range(struct compiler *c, uint32_t first, uint32_t last)
{
    if (c->ranges == NULL) {
        c->ranges = arena_make_n(c->arena, MOST_RANGES, struct regex_range);
        if (c->ranges == NULL)
            return refuse(c, ST_NO_MEMORY, "");
    }
    if (c->range_count == MOST_RANGES)
        return refuse(c, ST_TOO_LARGE, "the regular expression has too many classes");
    c->ranges[c->range_count++] = (struct regex_range){ first, last };
    return true;
}

static const struct regex_range digits_class[] = { { '0', '9' } };
static const struct regex_range word_class[]   = { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } };
static const struct regex_range space_class[]  = { { '\t', '\r' }, { ' ', ' ' }, { 0xa0, 0xa0 }, { 0x2028, 0x2029 } };

static bool
add_named(struct compiler *c, const struct regex_range *ranges, size_t count, bool negated)
{
    uint32_t next = 0;

    for (size_t i = 0; i < count; i++) {
        if (!negated ? !add_range(c, ranges[i].first, ranges[i].last)
                     : ranges[i].first > next && !add_range(c, next, ranges[i].first - 1))
            return false;
        next = ranges[i].last + 1;
    }
    return !negated || add_range(c, next, LAST_POINT);
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* \d \w \s and their opposites; *is says whether it was one. */
static bool
class_escape(struct compiler *c, bool *is)
{
    char name = peek(c);

    *is = name != '\0' && strchr("dDwWsS", name) != NULL;
    if (!*is)
        return true;
    c->rest = span_skip(c->rest, 1);
    switch (name) {
    case 'd': case 'D': return add_named(c, digits_class, COUNT(digits_class), name == 'D');
    case 'w': case 'W': return add_named(c, word_class, COUNT(word_class), name == 'W');
    default:            return add_named(c, space_class, COUNT(space_class), name == 'S');
    }
}

/* One end of a range, or a class escape. */
static bool
class_part(struct compiler *c, uint32_t *point, bool *is_class)
{
    *is_class = false;
    if (!accept(c, '\\'))
        return take_point(c, point);
    if (!class_escape(c, is_class) || *is_class)
        return c->status == ST_OK;
    if (accept(c, 'b')) {
        *point = '\b';
        return true;
    }
    return escaped_point(c, point);
}

/* Behind the bracket. */
static bool
class_of(struct compiler *c)
{
    bool     negated = accept(c, '^'), is_class;
    uint32_t first = c->range_count, low, high;

    for (bool begun = false; !begun || peek(c) != ']'; begun = true) {
        if (c->rest.length == 0)
            return broken(c, "a class of a regular expression has no end");
        if (!class_part(c, &low, &is_class))
            return false;
        if (is_class)
            continue;
        high = low;
        if (c->rest.length >= 2 && c->rest.at[0] == '-' && c->rest.at[1] != ']') {
            c->rest = span_skip(c->rest, 1);
            if (!class_part(c, &high, &is_class))
                return false;
            if (is_class || high < low)
                return broken(c, "a range of a regular expression runs backwards");
        }
        if (!add_range(c, low, high))
            return false;
    }
    accept(c, ']');
    return emit(c, negated ? REGEX_NOT_CLASS : REGEX_CLASS, (int32_t)first, (int32_t)(c->range_count - first));
}

/* ---- atoms, repetition ------------------------------------------------------------------ */

static bool
is_name_byte(char c, bool first)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (!first && c >= '0' && c <= '9');
}

/* The rest of "(?<name>"; false for the look-behind that begins like it. */
static bool
skip_name(struct compiler *c)
{
    size_t end = span_find_byte(c->rest, '>');

    if (end == SPAN_NOT_FOUND || end == 0)
        return false;
    for (size_t i = 0; i < end; i++)
        if (!is_name_byte(c->rest.at[i], i == 0))
            return false;
    c->rest = span_skip(c->rest, end + 1);
    return true;
}

static bool
group(struct compiler *c)
{
    uint32_t number = 0;

    if (accept(c, '?')) {
        bool plain = accept(c, ':');
        if (!plain && !(accept(c, '<') && skip_name(c)))
            return broken(c, "look-around is not supported");
        number = plain ? 0 : ++c->groups;
    } else {
        number = ++c->groups;
    }
    bool kept = number > 0 && number < REGEX_GROUPS;
    if (++c->depth > MOST_DEPTH)
        return refuse(c, ST_TOO_LARGE, "the regular expression is nested too deeply");
    if ((kept && !emit(c, REGEX_SAVE, (int32_t)(2 * number), 0)) || !alternatives(c))
        return false;
    c->depth--;
    if (!accept(c, ')'))
        return broken(c, "a bracket of a regular expression is not closed");
    return !kept || emit(c, REGEX_SAVE, (int32_t)(2 * number + 1), 0);
}

static bool
escape(struct compiler *c)
{
    uint32_t first = c->range_count, point;
    bool     is_class;

    if (accept(c, 'b'))
        return emit(c, REGEX_WORD_EDGE, 0, 0);
    if (accept(c, 'B'))
        return emit(c, REGEX_NOT_WORD_EDGE, 0, 0);
    if (!class_escape(c, &is_class))
        return false;
    if (is_class)
        return emit(c, REGEX_CLASS, (int32_t)first, (int32_t)(c->range_count - first));
    return escaped_point(c, &point) && emit(c, REGEX_CHARACTER, (int32_t)point, 0);
}

static bool
atom(struct compiler *c)
{
    uint32_t point;

    switch (peek(c)) {
    case '(':  accept(c, '('); return group(c);
    case '[':  accept(c, '['); return class_of(c);
    case '\\': accept(c, '\\'); return escape(c);
    case '.':  accept(c, '.'); return emit(c, REGEX_ANY, 0, 0);
    case '^':  accept(c, '^'); return emit(c, REGEX_START, 0, 0);
    case '$':  accept(c, '$'); return emit(c, REGEX_END, 0, 0);
    case '*':
    case '+':
    case '?':  return broken(c, "there is nothing to repeat");
    default:   return take_point(c, &point) && emit(c, REGEX_CHARACTER, (int32_t)point, 0);
    }
}

/* "{2}", "{2,}", "{2,5}": else the brace is a character. */
static bool
braces(struct compiler *c, uint32_t *least, uint32_t *most)
{
    size_t   end = span_find_byte(c->rest, '}');
    uint64_t low = 0, high;

    if (peek(c) != '{' || end == SPAN_NOT_FOUND)
        return false;
    struct span inside = span_first(span_skip(c->rest, 1), end - 1), first;
    bool        comma  = span_find_byte(inside, ',') != SPAN_NOT_FOUND;
    first = span_split(&inside, ',');
    if (!span_to_u64(first, &low))
        return false;
    high = low;
    if (comma && inside.length == 0)
        high = UINT32_MAX;
    else if (comma && !span_to_u64(inside, &high))
        return false;
    *least  = low > MOST_REPEAT ? MOST_REPEAT + 1 : (uint32_t)low;
    *most   = high > MOST_REPEAT && high != UINT32_MAX ? MOST_REPEAT + 1 : (uint32_t)high;
    c->rest = span_skip(c->rest, end + 1);
    return true;
}

/* The block that begins at `at` again: least copies, and then the rest, each
 * inside of the one before, or in a circle. */
static bool
repeat(struct compiler *c, uint32_t at, uint32_t least, uint32_t most, bool lazy)
{
    uint32_t length = c->count - at;

    if (least > MOST_REPEAT || (most > MOST_REPEAT && most != UINT32_MAX) || most < least)
        return broken(c, "a repetition has bounds that are too large or run backwards");
    struct regex_instruction *block = arena_make_n(c->arena, length + 1, struct regex_instruction);
    if (block == NULL)
        return refuse(c, ST_NO_MEMORY, "");
    memcpy(block, c->code + at, length * sizeof *block);
    c->count = at;
    for (uint32_t i = 0; i < least; i++)
        if (!append_copy(c, block, length))
            return false;
    if (most == UINT32_MAX) {
        uint32_t from = c->count;
        return append_copy(c, block, length) && insert_split(c, from, 1, (int32_t)length + 2, lazy)
            && emit(c, REGEX_JUMP, -(int32_t)length - 1, 0);
    }
    for (uint32_t left = most - least; left > 0; left--) {       /* from each of them to the end */
        int32_t around = (int32_t)(left * (length + 1));
        if (!emit(c, REGEX_SPLIT, lazy ? around : 1, lazy ? 1 : around) || !append_copy(c, block, length))
            return false;
    }
    return true;
}

static bool
piece(struct compiler *c)
{
    uint32_t at = c->count, least, most;

    if (!atom(c))
        return false;
    for (;;) {
        if (accept(c, '*')) {
            least = 0;
            most  = UINT32_MAX;
        } else if (accept(c, '+')) {
            least = 1;
            most  = UINT32_MAX;
        } else if (accept(c, '?')) {
            least = 0;
            most  = 1;
        } else if (!braces(c, &least, &most)) {
            return true;
        }
        bool lazy = accept(c, '?');
        if (accept(c, '+'))
            return broken(c, "possessive repetition is not supported");
        if (!repeat(c, at, least, most, lazy))
            return false;
    }
}

static bool
sequence(struct compiler *c)
{
    while (c->rest.length > 0 && peek(c) != '|' && peek(c) != ')')
        if (!piece(c))
            return false;
    return true;
}

/* a|b|c: split to a, else on; each jumps to the end, chained from behind. */
static bool
alternatives(struct compiler *c)
{
    uint32_t at = c->count;

    if (!sequence(c))
        return false;
    while (accept(c, '|')) {
        uint32_t length = c->count - at;
        if (!insert(c, at, REGEX_SPLIT, 1, (int32_t)length + 2) || !emit(c, REGEX_JUMP, 0, 0))
            return false;
        uint32_t jump = c->count - 1;
        if (!sequence(c))
            return false;
        c->code[jump].x = (int32_t)(c->count - jump);
    }
    return true;
}

/* (?i), (?s), (?is) in front. */
static void
flags(struct compiler *c)
{
    size_t end = span_find_byte(c->rest, ')');

    if (!span_starts(c->rest, SPAN("(?")) || end == SPAN_NOT_FOUND || end < 3)
        return;
    for (size_t i = 2; i < end; i++)
        if (c->rest.at[i] != 'i' && c->rest.at[i] != 's')
            return;
    c->any_case = memchr(c->rest.at, 'i', end) != NULL;
    c->rest     = span_skip(c->rest, end + 1);
}

enum status
regex_compile(struct span pattern, struct arena *arena, struct span *program, const char **why)
{
    struct compiler c = { .rest = pattern, .arena = arena };

    flags(&c);
    emit(&c, REGEX_SAVE, 0, 0);
    if (alternatives(&c) && c.rest.length > 0)
        broken(&c, "a bracket of a regular expression was never opened");
    emit(&c, REGEX_SAVE, 1, 0);
    emit(&c, REGEX_MATCH, 0, 0);
    if (c.status != ST_OK) {
        *why = c.why;
        return c.status;
    }
    struct regex_header h = { REGEX_MAGIC, c.count, c.range_count, c.any_case };
    size_t code = c.count * sizeof *c.code, ranges = c.range_count * sizeof *c.ranges;
    char  *at   = arena_alloc(arena, sizeof h + code + ranges);
    if (at == NULL)
        return ST_NO_MEMORY;
    memcpy(at, &h, sizeof h);
    memcpy(at + sizeof h, c.code, code);
    if (ranges > 0)
        memcpy(at + sizeof h + code, c.ranges, ranges);
    *program = span_from(at, sizeof h + code + ranges);
    return ST_OK;
}

/* ---- checking --------------------------------------------------------------------------- */

static bool
inside(uint32_t at, int32_t jump, uint32_t count)
{
    int64_t to = (int64_t)at + jump;

    return to >= 0 && to < count;
}

struct span
regex_at(struct span bytes)
{
    const struct regex_header *h = (const void *)bytes.at;

    if ((uintptr_t)bytes.at % 4 != 0 || bytes.length < sizeof *h || h->magic != REGEX_MAGIC || h->instructions == 0
        || h->instructions > REGEX_MOST_INSTRUCTIONS || h->ranges > MOST_RANGES)
        return (struct span){ NULL, 0 };
    size_t length = sizeof *h + h->instructions * sizeof(struct regex_instruction) + h->ranges * sizeof(struct regex_range);
    return length <= bytes.length ? span_first(bytes, length) : (struct span){ NULL, 0 };
}

bool
regex_check(struct span program)
{
    const struct regex_header *h = (const void *)program.at;

    if (program.length == 0 || regex_at(program).length != program.length)
        return false;
    const struct regex_instruction *code = (const void *)(h + 1);
    for (uint32_t i = 0; i < h->instructions; i++) {
        const struct regex_instruction *n = &code[i];
        bool good = n->op < REGEX_OPS;
        if (n->op == REGEX_SPLIT)
            good = inside(i, n->x, h->instructions) && inside(i, n->y, h->instructions);
        else if (n->op == REGEX_JUMP)
            good = inside(i, n->x, h->instructions);
        else if (n->op == REGEX_SAVE)
            good = n->x >= 0 && n->x < 2 * (int32_t)REGEX_GROUPS;
        else if (n->op == REGEX_CLASS || n->op == REGEX_NOT_CLASS)
            good = n->x >= 0 && n->y >= 0 && (uint64_t)n->x + (uint64_t)n->y <= h->ranges;
        if (!good)
            return false;
    }
    return code[h->instructions - 1].op == REGEX_MATCH;
}

uint32_t
regex_group_named(struct span pattern, struct span name)
{
    uint32_t number   = 0;
    bool     in_class = false;

    for (size_t i = 0; i < pattern.length; i++) {
        struct span rest = span_skip(pattern, i + 1);
        if (pattern.at[i] == '\\') {
            i++;
            continue;
        }
        if (pattern.at[i] == '[' || pattern.at[i] == ']')
            in_class = pattern.at[i] == '[';
        if (pattern.at[i] != '(' || in_class || span_starts(rest, SPAN("?:")))
            continue;
        number++;
        if (span_starts(rest, SPAN("?<")) && span_starts(span_skip(rest, 2), name)
            && span_starts(span_skip(rest, 2 + name.length), SPAN(">")))
            return number < REGEX_GROUPS ? number : 0;
    }
    return 0;
}
