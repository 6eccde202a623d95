#include "base/json_tape.h"

#include <assert.h>
#include <string.h>
#if defined __SSE2__
#include <emmintrin.h>
#endif

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
/* The reader is written once and compiled twice, for each string scanner. */
#define FLATTEN     inline __attribute__((always_inline))
#define COLD        __attribute__((noinline, cold))

/* info: kind in bits 0-3, flags in 4-7, members or items in 8-31.
 * A name has no subtree: its skip holds the key of its text instead, so that
 * a lookup compares one word a member. */
struct node {
    uint32_t start;                      /* of a string or name: behind the quote  */
    uint32_t end;                        /* of a string or name: the closing quote */
    uint32_t skip;                       /* the first node behind the subtree      */
    uint32_t info;
};
_Static_assert(sizeof(struct node) == 16, "a node is 16 bytes");

#define KIND_MASK      15u
#define ESCAPED        16u
#define INTEGER        32u
#define MEMBER         64u               /* the node before is its name            */
#define LAST           128u              /* no sibling follows                     */
#define CHILDREN_SHIFT 8
/* Children fit 24 bits because nodes do. */
#define MAX_NODES      (1u << 24)

struct tape {
    struct span        body;
    const struct node *nodes;            /* [0] is the absent one                  */
    uint32_t           count;
};

const struct tape_limits tape_default_limits = {
    .max_bytes = (size_t)64 << 20, .max_nodes = MAX_NODES, .max_depth = 64, .max_number = 128,
};

/* An open container.  seen_a and seen_b are two small Bloom filters over the
 * keys of its names: both hit for every true duplicate and rarely else. */
struct frame {
    uint64_t seen_a;
    uint64_t seen_b;
    uint64_t suspect;                    /* not 0: look closely when it closes     */
    uint32_t node;
    uint32_t last;                       /* its newest value                       */
    uint32_t children;
    uint8_t  closer;                     /* ] or }; 0 outside the root             */
};

struct reader {
    const uint8_t     *begin;
    const uint8_t     *end;
    struct node       *nodes;
    uint32_t           capacity;         /* nodes that there is memory for         */
    uint32_t           room;             /* the same, or a little over max_nodes   */
    struct frame      *frames;           /* [0] is outside the root                */
    struct frame      *deepest;
    struct tape_limits limits;
    struct arena      *arena;
    enum tape_refusal  why;
    const uint8_t     *where;
};

/* How runs of bytes are passed over: sixteen at a time, or one. */
struct scanner {
    /* To the first byte of a string that is not plain ASCII: a quote, a
     * backslash, a control character, the start of a UTF-8 sequence; or end. */
    const uint8_t *(*plain)(const uint8_t *p, const uint8_t *end);
    /* To the first byte that is not white space, or end. */
    const uint8_t *(*space)(const uint8_t *p, const uint8_t *end);
};

typedef bool read_function(struct reader *, uint32_t *count);

static enum status    read_into(struct arena *, struct span body, const struct tape_limits *,
                                read_function *, const struct tape **, struct tape_error *);
static bool           read_fast(struct reader *, uint32_t *count);
static bool           read_plain(struct reader *, uint32_t *count);
static bool           make_room(struct reader *, uint32_t count, uint32_t more);
static const uint8_t *read_special(struct reader *, const uint8_t *, const struct scanner *, uint32_t *flags);
static const uint8_t *read_escape(struct reader *, const uint8_t *);
static const uint8_t *read_scalar(struct reader *, const uint8_t *, struct node *, uint32_t flags);
static const uint8_t *read_literal(struct reader *, const uint8_t *, uint32_t *info);
static const uint8_t *read_number(struct reader *, const uint8_t *, uint32_t *info);
static const uint8_t *read_end(struct reader *, const uint8_t *, uint32_t count);
static size_t         utf8_length(const uint8_t *, const uint8_t *end);
static bool           names_differ(struct reader *, const struct frame *, uint32_t count);
static uint64_t       key_of_escaped(struct span raw);

enum status
tape_read(struct span body, const struct tape_limits *limits, struct arena *arena,
          const struct tape **out, struct tape_error *error)
{
    return read_into(arena, body, limits, read_fast, out, error);
}

enum status
tape_read_scalar(struct span body, const struct tape_limits *limits, struct arena *arena,
                 const struct tape **out, struct tape_error *error)
{
    return read_into(arena, body, limits, read_plain, out, error);
}

/* ---- refusals ------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *text;
} refusals[] = {
#define X(name, text) { #name, text },
    TAPE_REFUSAL_LIST(X)
#undef X
};

const char *
tape_refusal_text(enum tape_refusal why)
{
    return (unsigned)why < sizeof refusals / sizeof refusals[0] ? refusals[why].text : "unknown";
}

const char *
tape_refusal_name(enum tape_refusal why)
{
    return (unsigned)why < sizeof refusals / sizeof refusals[0] ? refusals[why].name : "UNKNOWN";
}

static enum status
status_of(enum tape_refusal why)
{
    switch (why) {
    case TAPE_REFUSED_SIZE:
    case TAPE_REFUSED_NODES:
    case TAPE_REFUSED_DEPTH:
        return ST_TOO_LARGE;
    case TAPE_REFUSED_MEMORY:
        return ST_NO_MEMORY;
    default:
        return ST_MALFORMED;
    }
}

/* Always NULL, so that a reader function can `return refuse(...)`. */
static COLD const uint8_t *
refuse(struct reader *r, enum tape_refusal why, const uint8_t *where)
{
    r->why   = why;
    r->where = where;
    return NULL;
}

static COLD enum status
report(const struct reader *r, struct span body, struct tape_error *error)
{
    if (error != NULL) {
        error->why   = r->why;
        error->where = (size_t)(r->where - r->begin);
        tape_line_column(body, error->where, &error->line, &error->column);
    }
    return status_of(r->why);
}

void
tape_line_column(struct span body, size_t offset, uint32_t *line, uint32_t *column)
{
    struct span before = span_first(body, offset);
    size_t      start  = span_find_last_byte(before, '\n');

    *line = 1;
    for (size_t i = 0; i < before.length; i++)
        *line += before.at[i] == '\n';
    *column = (uint32_t)(start == SPAN_NOT_FOUND ? before.length + 1 : before.length - start);
}

/* The place is the first byte of the first value (or name) too many. */
static COLD void
refuse_nodes(struct reader *r)
{
    const struct node *node = &r->nodes[r->limits.max_nodes + 1];
    uint32_t           kind = node->info & KIND_MASK;

    refuse(r, TAPE_REFUSED_NODES, r->begin + node->start - (kind == TAPE_STRING || kind == TAPE_NAME));
}

/* ---- reading: memory ------------------------------------------------------ */

static bool
has_mark(const struct reader *r)
{
    struct span body = span_from(r->begin, (size_t)(r->end - r->begin));

    return span_starts(body, SPAN("\xef\xbb\xbf")) || span_starts(body, SPAN("\xfe\xff"))
        || span_starts(body, SPAN("\xff\xfe"));
}

static void
set_room(struct reader *r, size_t bytes)
{
    uint32_t enough = r->limits.max_nodes + 3;  /* the absent one, and a member too many */

    r->capacity = (uint32_t)(bytes / sizeof(struct node));
    r->room     = r->capacity < enough ? r->capacity : enough;
}

/* Nodes for a guess of one in 12 bytes (minified FHIR has about one in 13),
 * more when they are needed. */
static bool
prepare(struct reader *r, size_t length)
{
    size_t most = r->limits.max_bytes < TAPE_MAX_BYTES ? r->limits.max_bytes : TAPE_MAX_BYTES;
    size_t room = 0;

    if (length > most) {
        refuse(r, TAPE_REFUSED_SIZE, r->begin + most);
        return false;
    }
    if (r->limits.max_nodes > MAX_NODES)
        r->limits.max_nodes = MAX_NODES;
    r->frames   = arena_make_n(r->arena, (size_t)r->limits.max_depth + 1, struct frame);
    size_t want = (length / 12 + 16) * sizeof(struct node);
    size_t left = arena_left(r->arena);
    r->nodes    = arena_open(r->arena, want < left ? want : left, &room);
    if (r->frames == NULL || r->nodes == NULL || room < 3 * sizeof(struct node)) {
        refuse(r, TAPE_REFUSED_MEMORY, r->begin);
        return false;
    }
    r->deepest = r->frames + r->limits.max_depth;
    set_room(r, room);
    if (has_mark(r)) {
        refuse(r, TAPE_REFUSED_BOM, r->begin);
        return false;
    }
    return true;
}

/* Room for `more` nodes behind the newest: checks the limit, then doubles. */
static COLD bool
make_room(struct reader *r, uint32_t count, uint32_t more)
{
    size_t used = ((size_t)count + 1) * sizeof(struct node);
    size_t need = used + (size_t)more * sizeof(struct node);
    size_t left = arena_left(r->arena);
    size_t want = 2 * need < left ? 2 * need : left;
    size_t room;

    if (count > r->limits.max_nodes) {
        refuse_nodes(r);
        return false;
    }
    if (r->capacity - count > more)
        return true;
    struct node *nodes = want >= need ? arena_open_more(r->arena, used, want, &room) : NULL;
    if (nodes == NULL) {
        refuse(r, TAPE_REFUSED_MEMORY, r->begin + r->nodes[count].start);
        return false;
    }
    r->nodes = nodes;
    set_room(r, room);
    return true;
}

static enum status
read_into(struct arena *arena, struct span body, const struct tape_limits *limits,
          read_function *read, const struct tape **out, struct tape_error *error)
{
    struct arena_mark mark  = arena_mark(arena);
    struct tape      *tape  = arena_make(arena, struct tape);
    uint32_t          count = 0;
    struct reader     r     = { .begin = (const uint8_t *)(body.at != NULL ? body.at : ""),
                                .limits = *limits, .arena = arena };

    r.end = r.begin + body.length;
    *out  = NULL;
    if (error != NULL)
        *error = (struct tape_error){ .why = TAPE_REFUSED_NONE };
    bool ready = prepare(&r, body.length);
    bool done  = ready && read(&r, &count);
    if (ready)
        arena_close(arena, ((size_t)count + 1) * sizeof(struct node));
    if (!done || tape == NULL) {
        arena_reset(arena, mark);
        return report(&r, body, error);
    }
    *tape = (struct tape){ .body = body, .nodes = r.nodes, .count = count };
    *out  = tape;
    return ST_OK;
}

/* ---- reading: names ------------------------------------------------------- */

/* The first eight bytes of a text, the rest zero, without reading behind it:
 * two loads that overlap. */
static inline uint64_t
first_eight(const char *at, size_t length)
{
    uint64_t eight;
    uint32_t low, high;

    if (length >= 8) {
        memcpy(&eight, at, 8);
        return eight;
    }
    if (length >= 4) {
        memcpy(&low, at, 4);
        memcpy(&high, at + length - 4, 4);
        return low | (uint64_t)high << (8 * (length - 4));
    }
    if (length == 0)
        return 0;
    size_t middle = length / 2, last = length - 1;
    return (uint64_t)(uint8_t)at[0] | (uint64_t)(uint8_t)at[middle] << (8 * middle)
         | (uint64_t)(uint8_t)at[last] << (8 * last);
}

/* A key tells most names apart; equal keys prove nothing.  It is no secret
 * and needs none: names_differ() sorts when many keys are equal. */
static inline uint64_t
key_from(uint64_t eight, size_t length)
{
    return (eight + length * 0xd6e8feb86659fd93u) * 0x9e3779b97f4a7c15u;
}

static inline uint64_t
key_of(struct span text)
{
    return key_from(first_eight(text.at, text.length), text.length);
}

static inline uint32_t
key_word(uint64_t key)
{
    return (uint32_t)(key >> 32);
}

static inline void
note_name(struct frame *f, uint64_t key)
{
    unsigned a = (unsigned)(key >> 58), b = (unsigned)(key >> 52) & 63;

    f->suspect |= (f->seen_a >> a) & (f->seen_b >> b) & 1;
    f->seen_a |= (uint64_t)1 << a;
    f->seen_b |= (uint64_t)1 << b;
}

/* ---- reading: the document ------------------------------------------------ */

/* p is behind the opening quote; returns what is behind the closing one. */
static FLATTEN const uint8_t *
read_string(struct reader *r, const uint8_t *p, struct node *node, uint32_t info, const struct scanner *scan)
{
    const uint8_t *q = scan->plain(p, r->end);

    if (UNLIKELY(q == r->end || *q != '"')) {
        q = read_special(r, q, scan, &info);
        if (q == NULL)
            return NULL;
    }
    node->start = (uint32_t)(p - r->begin);
    node->end   = (uint32_t)(q - r->begin);
    node->info  = info;
    return q + 1;
}

static FLATTEN const uint8_t *
skip_space(const uint8_t *p, const uint8_t *end, const struct scanner *scan)
{
    if (LIKELY(p < end && *p > ' '))
        return p;
    return scan->space(p, end);
}

/* A name, its colon and the white space up to the value. */
static FLATTEN const uint8_t *
read_name(struct reader *r, const uint8_t *p, struct node *node, struct frame *object, const struct scanner *scan)
{
    if (UNLIKELY(p == r->end))
        return refuse(r, TAPE_REFUSED_UNTERMINATED, p);
    if (UNLIKELY(*p != '"'))
        return refuse(r, TAPE_REFUSED_NAME, p);
    const uint8_t *text = p + 1;
    p = read_string(r, text, node, TAPE_NAME, scan);
    if (UNLIKELY(p == NULL))
        return NULL;
    struct span raw = span_from(text, (size_t)(p - 1 - text));
    uint64_t    key = UNLIKELY(node->info & ESCAPED) ? key_of_escaped(raw) : key_of(raw);
    node->skip = key_word(key);
    note_name(object, key);
    p = skip_space(p, r->end, scan);
    if (UNLIKELY(p == r->end))
        return refuse(r, TAPE_REFUSED_UNTERMINATED, p);
    if (UNLIKELY(*p != ':'))
        return refuse(r, TAPE_REFUSED_PUNCTUATION, p);
    return skip_space(p + 1, r->end, scan);
}

/* node->end, skip and the number of children wait until it closes. */
static FLATTEN struct frame *
open_container(struct reader *r, struct frame *top, const uint8_t *p, uint32_t node, uint32_t flags)
{
    if (UNLIKELY(top == r->deepest)) {
        refuse(r, TAPE_REFUSED_DEPTH, p);
        return NULL;
    }
    *++top = (struct frame){ .node = node, .closer = *p == '{' ? '}' : ']' };
    r->nodes[node].start = (uint32_t)(p - r->begin);
    r->nodes[node].info  = (*p == '{' ? TAPE_OBJECT : TAPE_ARRAY) | flags;
    return top;
}

/* From behind a value to the next one (or its name): over a comma, or over
 * any number of closing brackets and then a comma, or to the end of the root. */
static FLATTEN const uint8_t *
read_separators(struct reader *r, const uint8_t *p, struct frame **frame, uint32_t count,
                const struct scanner *scan)
{
    struct frame *top = *frame;

    while (top != r->frames) {
        p = skip_space(p, r->end, scan);
        if (UNLIKELY(p == r->end))
            return refuse(r, TAPE_REFUSED_UNTERMINATED, p);
        if (*p == ',') {
            p = skip_space(p + 1, r->end, scan);
            break;
        }
        if (UNLIKELY(*p != top->closer))
            return refuse(r, TAPE_REFUSED_PUNCTUATION, p);
        if (UNLIKELY(top->suspect != 0) && !names_differ(r, top, count))
            return NULL;
        struct node *node = &r->nodes[top->node];
        if (top->last != 0)
            r->nodes[top->last].info |= LAST;
        node->end   = (uint32_t)(++p - r->begin);
        node->skip  = count + 1;
        node->info |= top->children << CHILDREN_SHIFT;
        top--;
    }
    *frame = top;
    return p;
}

/* One turn is one value, with its name when it has one.  The only state is
 * the frame on top; nothing here calls itself. */
static FLATTEN bool
read_document(struct reader *r, uint32_t *count, const struct scanner *scan)
{
    struct frame  *top = r->frames;
    uint32_t       n   = 0;                  /* the newest node */
    const uint8_t *p   = scan->space(r->begin, r->end);

    do {
        uint32_t flags = 0;
        if (UNLIKELY(r->room - n <= 2) && !make_room(r, n, 2)) {
            p = NULL;
            break;
        }
        if (top->closer == '}') {
            p = read_name(r, p, &r->nodes[++n], top, scan);
            if (UNLIKELY(p == NULL))
                break;
            flags = MEMBER;
        }
        if (UNLIKELY(p == r->end)) {
            p = refuse(r, n == 0 ? TAPE_REFUSED_EMPTY : TAPE_REFUSED_UNTERMINATED, p);
            break;
        }
        struct node *node = &r->nodes[++n];
        node->skip = n + 1;
        top->last  = n;
        top->children++;
        if (*p == '"') {
            p = read_string(r, p + 1, node, TAPE_STRING | flags, scan);
        } else if (*p == '{' || *p == '[') {
            struct frame *inner = open_container(r, top, p, n, flags);
            if (UNLIKELY(inner == NULL)) {
                p = NULL;
                break;
            }
            top = inner;
            p   = skip_space(p + 1, r->end, scan);
            if (p == r->end || *p != top->closer)
                continue;
        } else {
            p = read_scalar(r, p, node, flags);
        }
        if (LIKELY(p != NULL))
            p = read_separators(r, p, &top, n, scan);
    } while (p != NULL && top != r->frames);

    *count = n;
    return p != NULL && read_end(r, scan->space(p, r->end), n) != NULL;
}

static const uint8_t *
read_end(struct reader *r, const uint8_t *p, uint32_t count)
{
    if (p != r->end)
        return refuse(r, TAPE_REFUSED_TRAILING, p);
    if (count > r->limits.max_nodes) {
        refuse_nodes(r);
        return NULL;
    }
    return p;
}

/* ---- reading: strings ----------------------------------------------------- */

/* p is at a byte that a scanner stopped at; returns the closing quote. */
static COLD const uint8_t *
read_special(struct reader *r, const uint8_t *p, const struct scanner *scan, uint32_t *info)
{
    for (;; p = scan->plain(p, r->end)) {
        if (p == r->end)
            return refuse(r, TAPE_REFUSED_UNTERMINATED, p);
        if (*p == '"')
            return p;
        if (*p == '\\') {
            p = read_escape(r, p);
            if (p == NULL)
                return NULL;
            *info |= ESCAPED;
        } else if (*p < 0x20) {
            return refuse(r, TAPE_REFUSED_CONTROL, p);
        } else {
            size_t length = utf8_length(p, r->end);
            if (length == 0)
                return refuse(r, TAPE_REFUSED_UTF8, p);
            p += length;
        }
    }
}

/* One well-formed sequence (Unicode 15, table 3-7; RFC 3629 4), else 0. */
static size_t
utf8_length(const uint8_t *p, const uint8_t *end)
{
    size_t  left = (size_t)(end - p);
    uint8_t low  = 0x80, high = 0xbf;    /* of the second byte */
    size_t  length;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    switch (p[0]) {
    case 0xe0: low  = 0xa0; break;       /* overlong         */
    case 0xed: high = 0x9f; break;       /* surrogates       */
    case 0xf0: low  = 0x90; break;       /* overlong         */
    case 0xf4: high = 0x8f; break;       /* above U+10FFFF   */
    }
    if (left < length || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

static int
hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The code unit of a \u escape that p is at, -1 when it is none. */
static int32_t
code_unit(const uint8_t *p, const uint8_t *end)
{
    int32_t unit = 0;

    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool
is_high(int32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool
is_low(int32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* p is at a backslash; returns what is behind the escape. */
static const uint8_t *
read_escape(struct reader *r, const uint8_t *p)
{
    if (r->end - p < 2)
        return refuse(r, TAPE_REFUSED_UNTERMINATED, r->end);
    if (p[1] != 'u')
        return p[1] != 0 && strchr("\"\\/bfnrt", p[1]) != NULL ? p + 2 : refuse(r, TAPE_REFUSED_ESCAPE, p);
    int32_t unit = code_unit(p, r->end);
    if (unit < 0)
        return refuse(r, TAPE_REFUSED_ESCAPE, p);
    if (unit == 0)
        return refuse(r, TAPE_REFUSED_NUL, p);
    if (is_low(unit))
        return refuse(r, TAPE_REFUSED_SURROGATE, p);
    if (!is_high(unit))
        return p + 6;
    return is_low(code_unit(p + 6, r->end)) ? p + 12 : refuse(r, TAPE_REFUSED_SURROGATE, p);
}

/* ---- reading: numbers and literals ---------------------------------------- */

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static const uint8_t *
skip_digits(const uint8_t *p, const uint8_t *end)
{
    while (p < end && is_digit(*p))
        p++;
    return p;
}

static bool
is_word(uint8_t c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '.' || c == '+' || c == '-';
}

/* A number, true, false or null; p is not at the end. */
static const uint8_t *
read_scalar(struct reader *r, const uint8_t *p, struct node *node, uint32_t flags)
{
    bool           number = is_digit(*p) || *p == '-';
    const uint8_t *q      = number ? read_number(r, p, &flags) : read_literal(r, p, &flags);

    if (q == NULL)
        return NULL;
    if (q < r->end && is_word(*q))
        return refuse(r, number ? TAPE_REFUSED_NUMBER : TAPE_REFUSED_LITERAL, q);
    node->start = (uint32_t)(p - r->begin);
    node->end   = (uint32_t)(q - r->begin);
    node->info  = flags;
    return q;
}

static const uint8_t *
read_literal(struct reader *r, const uint8_t *p, uint32_t *info)
{
    static const struct { struct span text; uint32_t kind; } literals[] = {
        { { "true", 4 }, TAPE_TRUE }, { { "false", 5 }, TAPE_FALSE }, { { "null", 4 }, TAPE_NULL },
    };
    struct span rest = span_from(p, (size_t)(r->end - p));

    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++)
        if (span_starts(rest, literals[i].text)) {
            *info |= literals[i].kind;
            return p + literals[i].text.length;
        }
    bool mark = *p == ',' || *p == ':' || *p == ']' || *p == '}';
    return refuse(r, mark ? TAPE_REFUSED_PUNCTUATION : TAPE_REFUSED_LITERAL, p);
}

/* 1e400 is infinity to one reader, an error or null to the next, and a number
 * to the third: what a double cannot hold is refused.  `order` is the number
 * of digits before the point once the exponent is applied. */
static bool
is_moderate(const uint8_t *exponent, const uint8_t *end, bool negative, size_t digits)
{
    uint32_t value = 0;

    for (; exponent < end && value <= TAPE_MAX_EXPONENT; exponent++)
        value = value * 10 + (uint32_t)(*exponent - '0');
    return negative ? value <= TAPE_MAX_EXPONENT : value + digits <= TAPE_MAX_EXPONENT + 1;
}

static const uint8_t *
read_number(struct reader *r, const uint8_t *p, uint32_t *info)
{
    const uint8_t *first = p + (*p == '-');
    const uint8_t *q     = skip_digits(first, r->end);
    size_t         whole = (size_t)(q - first);

    if (whole == 0)
        return refuse(r, TAPE_REFUSED_NUMBER, q);
    if (*first == '0' && whole > 1)
        return refuse(r, TAPE_REFUSED_NUMBER, first + 1);
    *info |= TAPE_NUMBER;
    if (q == r->end || (*q != '.' && (*q | 0x20) != 'e')) {
        *info |= INTEGER;
    } else {
        if (*q == '.') {
            const uint8_t *fraction = q + 1;
            q = skip_digits(fraction, r->end);
            if (q == fraction)
                return refuse(r, TAPE_REFUSED_NUMBER, q);
        }
        if (q < r->end && (*q | 0x20) == 'e') {
            bool negative = q + 1 < r->end && q[1] == '-';
            bool sign     = negative || (q + 1 < r->end && q[1] == '+');
            const uint8_t *exponent = q + 1 + sign;
            q = skip_digits(exponent, r->end);
            if (q == exponent)
                return refuse(r, TAPE_REFUSED_NUMBER, q);
            if (!is_moderate(exponent, q, negative, whole))
                return refuse(r, TAPE_REFUSED_MAGNITUDE, p);
        }
    }
    return (size_t)(q - p) <= r->limits.max_number ? q : refuse(r, TAPE_REFUSED_NUMBER_LENGTH, p);
}

/* ---- reading: the two scanners -------------------------------------------- */

static const uint8_t *
plain_bytewise(const uint8_t *p, const uint8_t *end)
{
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}

static const uint8_t *
space_bytewise(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

#if defined __SSE2__
static inline __m128i
load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Compared as signed, bytes from 0x80 on are below 0x20, too. */
static FLATTEN const uint8_t *
plain_sse2(const uint8_t *p, const uint8_t *end)
{
    for (; end - p >= 16; p += 16) {
        __m128i  x    = load(p);
        __m128i  stop = _mm_or_si128(_mm_cmplt_epi8(x, _mm_set1_epi8(0x20)),
                                     _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')),
                                                  _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'))));
        unsigned mask = (unsigned)_mm_movemask_epi8(stop);
        if (mask != 0)
            return p + __builtin_ctz(mask);
    }
    return plain_bytewise(p, end);
}

/* The indentation of a pretty-printed line, mostly. */
static const uint8_t *
space_sse2(const uint8_t *p, const uint8_t *end)
{
    if (end - p >= 2 && *p == ' ' && p[1] > ' ')
        return p + 1;
    for (; end - p >= 16; p += 16) {
        __m128i  x     = load(p);
        __m128i  space = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(' ')),
                                                   _mm_cmpeq_epi8(x, _mm_set1_epi8('\n'))),
                                      _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('\r')),
                                                   _mm_cmpeq_epi8(x, _mm_set1_epi8('\t'))));
        unsigned mask  = ~(unsigned)_mm_movemask_epi8(space) & 0xffffu;
        if (mask != 0)
            return p + __builtin_ctz(mask);
    }
    return space_bytewise(p, end);
}
#else
#define plain_sse2 plain_bytewise
#define space_sse2 space_bytewise
#endif

static const struct scanner bytewise = { plain_bytewise, space_bytewise };
static const struct scanner wide     = { plain_sse2, space_sse2 };

static bool
read_fast(struct reader *r, uint32_t *count)
{
    return read_document(r, count, &wide);
}

static bool
read_plain(struct reader *r, uint32_t *count)
{
    return read_document(r, count, &bytewise);
}

/* ---- text behind escapes -------------------------------------------------- */

/* The bytes of a text one by one, unescaped.  The reader has made sure that
 * every escape is whole. */
struct text {
    const uint8_t *p;
    const uint8_t *end;
    uint8_t        pending[4];
    uint8_t        count;
    uint8_t        taken;
};

static struct text
text_of(struct span raw)
{
    return (struct text){ .p = (const uint8_t *)raw.at, .end = (const uint8_t *)raw.at + raw.length };
}

static uint8_t
short_escape(uint8_t letter)
{
    switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default:  return letter;             /* a quote, a backslash, a slash */
    }
}

static void
encode_utf8(struct text *t, uint32_t c)
{
    t->taken = 0;
    if (c < 0x80) {
        t->pending[0] = (uint8_t)c;
        t->count      = 1;
        return;
    }
    t->count = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (uint8_t i = t->count; i-- > 1; c >>= 6)
        t->pending[i] = (uint8_t)(0x80 | (c & 0x3f));
    t->pending[0] = (uint8_t)((0xf00u >> t->count) | c);
}

/* -1 at the end. */
static int
text_byte(struct text *t)
{
    if (t->taken < t->count)
        return t->pending[t->taken++];
    if (t->p == t->end)
        return -1;
    if (*t->p != '\\')
        return *t->p++;
    if (t->p[1] != 'u') {
        uint8_t byte = short_escape(t->p[1]);
        t->p += 2;
        return byte;
    }
    uint32_t c = (uint32_t)code_unit(t->p, t->end);
    t->p += 6;
    if (is_high((int32_t)c)) {
        uint32_t low = (uint32_t)code_unit(t->p, t->end);
        t->p += 6;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    encode_utf8(t, c);
    return t->pending[t->taken++];
}

static uint64_t
key_of_escaped(struct span raw)
{
    struct text t      = text_of(raw);
    uint64_t    eight  = 0;
    size_t      length = 0;

    for (int byte = text_byte(&t); byte >= 0; byte = text_byte(&t), length++)
        if (length < 8)
            eight |= (uint64_t)byte << (8 * length);
    return key_from(eight, length);
}

/* ---- duplicate names ------------------------------------------------------ */

/* Up to this many names are compared each with each, by key. */
#define FEW 24u

static struct span
raw_of(const struct reader *r, uint32_t name)
{
    return span_from(r->begin + r->nodes[name].start, r->nodes[name].end - r->nodes[name].start);
}

/* By key, then by text.  An unescaped text holds no backslash, so reading
 * both as escaped is right for every mix. */
static int
order_names(const struct reader *r, uint32_t a, uint32_t b)
{
    const struct node *x = &r->nodes[a], *y = &r->nodes[b];

    if (x->skip != y->skip)
        return x->skip < y->skip ? -1 : 1;
    if (((x->info | y->info) & ESCAPED) == 0)
        return span_compare(raw_of(r, a), raw_of(r, b));
    struct text s = text_of(raw_of(r, a)), t = text_of(raw_of(r, b));
    for (;;) {
        int p = text_byte(&s), q = text_byte(&t);
        if (p != q)
            return p < q ? -1 : 1;
        if (p < 0)
            return 0;
    }
}

static void
list_names(const struct reader *r, const struct frame *object, uint32_t *names)
{
    uint32_t name = object->node + 1;

    for (uint32_t i = 0; i < object->children; i++) {
        names[i] = name;
        name     = r->nodes[name + 1].skip;
    }
}

/* The later one of two equal names, or 0. */
static uint32_t
find_twin_of_few(const struct reader *r, const uint32_t *names, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (r->nodes[names[i]].skip == r->nodes[names[j]].skip
                && order_names(r, names[i], names[j]) == 0)
                return names[i];
    return 0;
}

static void
sift_down(const struct reader *r, uint32_t *heap, uint32_t at, uint32_t count)
{
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && order_names(r, heap[child], heap[child + 1]) < 0)
            child++;
        if (order_names(r, heap[at], heap[child]) >= 0)
            return;
        uint32_t held = heap[at];
        heap[at]      = heap[child];
        heap[child]   = held;
    }
}

/* A heap sort: in place, n log n whatever a sender thinks up. */
static uint32_t
find_twin_of_many(const struct reader *r, uint32_t *names, uint32_t count)
{
    for (uint32_t at = count / 2; at-- > 0;)
        sift_down(r, names, at, count);
    for (uint32_t left = count - 1; left > 0; left--) {
        uint32_t largest = names[0];
        names[0]         = names[left];
        names[left]      = largest;
        sift_down(r, names, 0, left);
    }
    for (uint32_t i = 1; i < count; i++)
        if (order_names(r, names[i - 1], names[i]) == 0)
            return names[i] > names[i - 1] ? names[i] : names[i - 1];
    return 0;
}

/* The frame has seen two keys that may be equal.  Many names are sorted in
 * the room behind the newest node, which is left zero again. */
static COLD bool
names_differ(struct reader *r, const struct frame *object, uint32_t count)
{
    uint32_t few[FEW];
    uint32_t twin;

    if (object->children <= FEW) {
        list_names(r, object, few);
        twin = find_twin_of_few(r, few, object->children);
    } else {
        size_t bytes = object->children * sizeof(uint32_t);
        if (!make_room(r, count, (uint32_t)(bytes / sizeof(struct node)) + 1))
            return false;
        uint32_t *many = (uint32_t *)(void *)&r->nodes[count + 1];
        list_names(r, object, many);
        twin = find_twin_of_many(r, many, object->children);
        memset(many, 0, bytes);
    }
    if (twin != 0)
        refuse(r, TAPE_REFUSED_DUPLICATE, r->begin + r->nodes[twin].start - 1);
    return twin == 0;
}

/* ---- walking -------------------------------------------------------------- */

static const struct node *
at(const struct tape *t, tape_node node)
{
    assert(node <= t->count);
    return &t->nodes[node];
}

static bool
is_container(const struct node *n)
{
    uint32_t kind = n->info & KIND_MASK;
    return kind == TAPE_ARRAY || kind == TAPE_OBJECT;
}

static bool
is_text(const struct node *n)
{
    uint32_t kind = n->info & KIND_MASK;
    return kind == TAPE_STRING || kind == TAPE_NAME;
}

struct span
tape_body(const struct tape *t)
{
    return t->body;
}

uint32_t
tape_count(const struct tape *t)
{
    return t->count;
}

enum tape_kind
tape_kind(const struct tape *t, tape_node node)
{
    return (enum tape_kind)(at(t, node)->info & KIND_MASK);
}

const char *
tape_kind_name(enum tape_kind kind)
{
    static const char *const names[] = {
        [TAPE_NOTHING] = "nothing", [TAPE_NULL]   = "null",   [TAPE_FALSE] = "false",
        [TAPE_TRUE]    = "true",    [TAPE_NUMBER] = "number", [TAPE_STRING] = "string",
        [TAPE_ARRAY]   = "array",   [TAPE_OBJECT] = "object", [TAPE_NAME]  = "name",
    };
    return (unsigned)kind < sizeof names / sizeof names[0] ? names[kind] : "unknown";
}

tape_node
tape_first(const struct tape *t, tape_node container)
{
    const struct node *n = at(t, container);

    if (!is_container(n) || n->info >> CHILDREN_SHIFT == 0)
        return TAPE_ABSENT;
    return container + ((n->info & KIND_MASK) == TAPE_OBJECT ? 2 : 1);
}

tape_node
tape_next(const struct tape *t, tape_node sibling)
{
    const struct node *n = at(t, sibling);

    if (sibling <= TAPE_ROOT || n->info & LAST || (n->info & KIND_MASK) == TAPE_NAME)
        return TAPE_ABSENT;
    return n->skip + (n->info & MEMBER ? 1 : 0);
}

tape_node
tape_name(const struct tape *t, tape_node value)
{
    return at(t, value)->info & MEMBER ? value - 1 : TAPE_ABSENT;
}

tape_node
tape_member(const struct tape *t, tape_node object, struct span name)
{
    if (tape_kind(t, object) != TAPE_OBJECT)
        return TAPE_ABSENT;
    uint32_t key = key_word(key_of(name));
    for (tape_node value = tape_first(t, object); value != TAPE_ABSENT; value = tape_next(t, value))
        if (t->nodes[value - 1].skip == key && tape_text_eq(t, value - 1, name))
            return value;
    return TAPE_ABSENT;
}

tape_node
tape_item(const struct tape *t, tape_node array, uint32_t index)
{
    if (tape_kind(t, array) != TAPE_ARRAY || index >= tape_children(t, array))
        return TAPE_ABSENT;
    tape_node item = tape_first(t, array);
    while (index-- > 0)
        item = tape_next(t, item);
    return item;
}

uint32_t
tape_children(const struct tape *t, tape_node container)
{
    return at(t, container)->info >> CHILDREN_SHIFT;
}

tape_node
tape_after(const struct tape *t, tape_node node)
{
    const struct node *n = at(t, node);
    return (n->info & KIND_MASK) == TAPE_NAME ? n[1].skip : n->skip;
}

const tape_node *
tape_parents(const struct tape *t, struct arena *arena)
{
    tape_node *parents = arena_make_n(arena, (size_t)t->count + 1, tape_node);
    tape_node  open    = TAPE_ABSENT;

    if (parents == NULL)
        return NULL;
    for (tape_node n = TAPE_ROOT; n <= t->count; n++) {
        while (open != TAPE_ABSENT && n >= t->nodes[open].skip)
            open = parents[open];
        parents[n] = open;
        if (is_container(&t->nodes[n]))
            open = n;
    }
    return parents;
}

struct span
tape_raw(const struct tape *t, tape_node node)
{
    const struct node *n = at(t, node);

    if (node == TAPE_ABSENT)
        return (struct span){ NULL, 0 };
    return span_from(t->body.at + n->start, n->end - n->start);
}

struct span
tape_extent(const struct tape *t, tape_node node)
{
    const struct node *n    = at(t, node);
    size_t             edge = is_text(n);

    if (node == TAPE_ABSENT)
        return (struct span){ NULL, 0 };
    return span_from(t->body.at + n->start - edge, n->end - n->start + 2 * edge);
}

size_t
tape_offset(const struct tape *t, tape_node node)
{
    const struct node *n = at(t, node);
    return n->start - (size_t)is_text(n);
}

bool
tape_escaped(const struct tape *t, tape_node node)
{
    return (at(t, node)->info & ESCAPED) != 0;
}

bool
tape_integer(const struct tape *t, tape_node node)
{
    return (at(t, node)->info & INTEGER) != 0;
}

/* ---- text ----------------------------------------------------------------- */

bool
tape_text_eq(const struct tape *t, tape_node node, struct span unescaped)
{
    const struct node *n = at(t, node);

    if (!is_text(n))
        return false;
    if (!(n->info & ESCAPED))
        return span_eq(tape_raw(t, node), unescaped);
    struct text text = text_of(tape_raw(t, node));
    for (size_t i = 0; i < unescaped.length; i++)
        if (text_byte(&text) != (uint8_t)unescaped.at[i])
            return false;
    return text_byte(&text) < 0;
}

struct span
tape_text(const struct tape *t, tape_node node, struct arena *arena)
{
    const struct node *n      = at(t, node);
    size_t             length = 0;

    if (!is_text(n))
        return (struct span){ NULL, 0 };
    struct span raw = tape_raw(t, node);
    if (!(n->info & ESCAPED))
        return raw;
    char *copy = arena_alloc(arena, raw.length);    /* unescaped is never longer */
    if (copy == NULL)
        return (struct span){ NULL, 0 };
    struct text text = text_of(raw);
    for (int byte = text_byte(&text); byte >= 0; byte = text_byte(&text))
        copy[length++] = (char)byte;
    arena_shrink(arena, copy, raw.length, length);
    return span_from(copy, length);
}

struct span
tape_member_text(const struct tape *t, tape_node object, struct span name, struct arena *arena)
{
    tape_node value = tape_member(t, object, name);

    return tape_kind(t, value) == TAPE_STRING ? tape_text(t, value, arena) : (struct span){ NULL, 0 };
}
