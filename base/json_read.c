/* base/json_read.c -- tape_read(): the rules T1 to T7 of json_tape.h.
 *
 * One loop, one turn a value; the only state is a frame for each container
 * that is open.  It is written once and compiled twice: with SSE2, and byte
 * by byte for the test that both give the same tape.
 */
#include <string.h>
#if defined __SSE2__
#include <emmintrin.h>
#endif

#include "base/json_names.h"
#include "base/json_node.h"
#include "base/json_text.h"

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define FLATTEN     inline __attribute__((always_inline))
#define COLD        __attribute__((noinline, cold))

/* An open container.  `seen` is a small Bloom filter over the keys of its
 * names, two bits a name: it hits for every true duplicate and rarely else. */
struct frame {
    uint64_t seen;
    uint32_t node;
    uint32_t last;                       /* its newest value                         */
    uint32_t children;
    bool     suspect;                    /* compare the names when it closes         */
    uint8_t  closer;                     /* ] or }; 0 outside the root               */
};

/* What changes with every value.  It stays inside the inlined functions, so
 * that the compiler can keep it in registers. */
struct head {
    const uint8_t *p;
    const uint8_t *begin;
    const uint8_t *end;
    struct node   *nodes;
    struct frame  *top;
    uint32_t       newest;               /* node                                     */
    uint8_t        byte;                 /* *p after look(), 0 at the end            */
};

struct reader {
    const uint8_t     *begin;
    const uint8_t     *end;
    struct node       *nodes;
    uint32_t           capacity;         /* nodes that there is memory for           */
    uint32_t           room;             /* the same, or a little over max_nodes     */
    uint32_t           escaped;          /* what read_special() saw: NODE_ESCAPED, 0 */
    struct frame      *frames;           /* [0] is outside the root                  */
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
static bool           read_wide(struct reader *, uint32_t *count);
static bool           read_bytewise(struct reader *, uint32_t *count);
static bool           prepare(struct reader *);
static bool           make_room(struct reader *, uint32_t newest, uint32_t more);
static const uint8_t *read_special(struct reader *, const uint8_t *, const struct scanner *);
static const uint8_t *read_escape(struct reader *, const uint8_t *);
static const uint8_t *read_scalar(struct reader *, const uint8_t *, struct node *, uint32_t flags);
static const uint8_t *read_number(struct reader *, const uint8_t *, uint32_t *info);
static const uint8_t *read_literal(struct reader *, const uint8_t *, uint32_t *info);
static bool           read_end(struct reader *, const uint8_t *, uint32_t count);
static bool           names_differ(struct reader *, const struct frame *, uint32_t newest);

const struct tape_limits tape_default_limits = {
    .max_bytes = (size_t)64 << 20, .max_nodes = NODE_MOST, .max_depth = 64, .max_number = 128,
};

enum status
tape_read(struct span body, const struct tape_limits *limits, struct arena *arena,
          const struct tape **out, struct tape_error *error)
{
    return read_into(arena, body, limits, read_wide, out, error);
}

enum status
tape_read_scalar(struct span body, const struct tape_limits *limits, struct arena *arena,
                 const struct tape **out, struct tape_error *error)
{
    return read_into(arena, body, limits, read_bytewise, out, error);
}

/* ---- refusals ------------------------------------------------------------- */

/* Always false: a function that cannot go on returns refuse(...). */
static COLD bool
refuse(struct reader *r, enum tape_refusal why, const uint8_t *where)
{
    r->why   = why;
    r->where = where;
    return false;
}

/* The same for functions that return the place where they stopped. */
static COLD const uint8_t *
refuse_here(struct reader *r, enum tape_refusal why, const uint8_t *where)
{
    refuse(r, why, where);
    return NULL;
}

/* The head met a byte that cannot be here, or the end. */
static COLD bool
refuse_byte(struct reader *r, enum tape_refusal why, const uint8_t *p)
{
    return refuse(r, p == r->end ? TAPE_REFUSED_UNTERMINATED : why, p);
}

/* The place is the first byte of the first value (or name) too many. */
static COLD bool
refuse_nodes(struct reader *r)
{
    const struct node *node = &r->nodes[r->limits.max_nodes + 1];
    uint32_t           kind = node->info & NODE_KIND;

    return refuse(r, TAPE_REFUSED_NODES,
                  r->begin + node->start - (kind == TAPE_STRING || kind == TAPE_NAME));
}

static COLD enum status
report(const struct reader *r, struct span body, struct tape_error *error)
{
    if (error != NULL) {
        error->why   = r->why;
        error->where = (size_t)(r->where - r->begin);
        tape_line_column(body, error->where, &error->line, &error->column);
    }
    switch (r->why) {
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

/* ---- the document --------------------------------------------------------- */

/* To the next byte that is not white space. */
static FLATTEN void
look(struct head *h, const struct scanner *scan)
{
    if (LIKELY(h->p < h->end)) {
        h->byte = *h->p;
        if (LIKELY(h->byte > ' '))
            return;
    }
    h->p    = scan->space(h->p, h->end);
    h->byte = h->p < h->end ? *h->p : 0;
}

/* Over a byte that separates, to the next that is not white space. */
static FLATTEN void
step(struct head *h, const struct scanner *scan)
{
    h->p++;
    look(h, scan);
}

/* The same for a separator that is most likely next, with at most one blank
 * behind it.  The branches are predicted; arithmetic in their place would be
 * waited for. */
static FLATTEN bool
step_over(struct head *h, uint8_t separator)
{
    if (UNLIKELY(h->end - h->p < 3) || h->p[0] != separator)
        return false;
    if (h->p[1] > ' ')
        h->p += 1;
    else if (h->p[1] == ' ' && h->p[2] > ' ')
        h->p += 2;
    else
        return false;
    h->byte = *h->p;
    return true;
}

/* From the opening quote to behind the closing one. */
static FLATTEN bool
read_string(struct reader *r, struct head *h, struct node *node, uint32_t info, const struct scanner *scan)
{
    const uint8_t *text  = h->p + 1;
    const uint8_t *quote = scan->plain(text, h->end);

    if (UNLIKELY(quote == h->end || *quote != '"')) {
        quote = read_special(r, quote, scan);
        if (quote == NULL)
            return false;
        info |= r->escaped;
    }
    node->start = (uint32_t)(text - h->begin);
    node->end   = (uint32_t)(quote - h->begin);
    node->info  = info;
    h->p        = quote + 1;
    return true;
}

static FLATTEN void
note_name(struct frame *f, uint64_t key)
{
    uint64_t two = (uint64_t)1 << (key >> 58) | (uint64_t)1 << ((key >> 52) & 63);

    if (UNLIKELY((f->seen & two) == two))
        f->suspect = true;
    f->seen |= two;
}

/* The key of a name in the body.  Eight bytes can be read nearly everywhere;
 * bytes behind the name are masked away. */
static FLATTEN uint64_t
key_in_body(const uint8_t *text, size_t length, const uint8_t *end)
{
    static const uint64_t keep[9] = {
        0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff, UINT64_MAX,
    };
    uint64_t eight;

    if (UNLIKELY(end - text < 8) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
        return key_of(span_from(text, length));
    memcpy(&eight, text, 8);
    return key_from(eight & keep[length < 8 ? length : 8], length);
}

/* A name, its colon and the white space up to the value. */
static FLATTEN bool
read_name(struct reader *r, struct head *h, const struct scanner *scan)
{
    struct node *node = &h->nodes[++h->newest];

    if (UNLIKELY(h->byte != '"'))
        return refuse_byte(r, TAPE_REFUSED_NAME, h->p);
    if (UNLIKELY(!read_string(r, h, node, TAPE_NAME, scan)))
        return false;
    const uint8_t *text   = h->begin + node->start;
    size_t         length = node->end - node->start;
    uint64_t       key    = UNLIKELY(node->info & NODE_ESCAPED) ? names_key_of_escaped(span_from(text, length))
                                                                : key_in_body(text, length, h->end);
    node->skip = key_word(key);
    note_name(h->top, key);
    if (LIKELY(step_over(h, ':')))
        return true;
    look(h, scan);
    if (UNLIKELY(h->byte != ':'))
        return refuse_byte(r, TAPE_REFUSED_PUNCTUATION, h->p);
    step(h, scan);
    return true;
}

_Static_assert('{' + 2 == '}' && '[' + 2 == ']', "a closing bracket is its opening one plus 2");

/* The node's end, skip and children wait until it closes. */
static FLATTEN bool
open_container(struct reader *r, struct head *h, struct node *node, uint32_t flags, const struct scanner *scan)
{
    if (UNLIKELY(h->top == r->deepest))
        return refuse(r, TAPE_REFUSED_DEPTH, h->p);
    *++h->top   = (struct frame){ .node = h->newest, .closer = (uint8_t)(h->byte + 2) };
    node->start = (uint32_t)(h->p - h->begin);
    node->info  = flags | (h->byte == '{' ? TAPE_OBJECT : TAPE_ARRAY);
    step(h, scan);
    return true;
}

/* p is at its closing bracket. */
static FLATTEN bool
close_container(struct reader *r, struct head *h)
{
    struct frame *top  = h->top;

    if (UNLIKELY(top->suspect)) {
        if (!names_differ(r, top, h->newest))
            return false;
        h->nodes = r->nodes;
    }
    struct node *node = &h->nodes[top->node];
    if (top->last != 0)
        h->nodes[top->last].info |= NODE_LAST;
    h->p++;
    node->end   = (uint32_t)(h->p - h->begin);
    node->skip  = h->newest + 1;
    node->info |= top->children << NODE_CHILDREN;
    h->top--;
    return true;
}

/* From behind a value to the next one (or its name): over a comma, or over
 * any number of closing brackets and then a comma, or out of the root. */
static FLATTEN bool
read_separators(struct reader *r, struct head *h, const struct scanner *scan)
{
    while (h->top != r->frames) {
        if (step_over(h, ','))
            return true;
        look(h, scan);
        if (h->byte == ',') {
            step(h, scan);
            return true;
        }
        if (UNLIKELY(h->byte != h->top->closer))
            return refuse_byte(r, TAPE_REFUSED_PUNCTUATION, h->p);
        if (UNLIKELY(!close_container(r, h)))
            return false;
    }
    return true;
}

/* One value, with its name when it has one, and what separates it from the
 * next.  After an opening bracket there is nothing to separate. */
static FLATTEN bool
read_value(struct reader *r, struct head *h, const struct scanner *scan)
{
    uint32_t flags = 0;

    if (h->top->closer == '}') {
        if (UNLIKELY(!read_name(r, h, scan)))
            return false;
        flags = NODE_MEMBER;
    }
    struct node *node = &h->nodes[++h->newest];
    node->skip   = h->newest + 1;
    h->top->last = h->newest;
    h->top->children++;
    if (h->byte == '"') {
        if (UNLIKELY(!read_string(r, h, node, TAPE_STRING | flags, scan)))
            return false;
    } else if (h->byte == '{' || h->byte == '[') {
        if (UNLIKELY(!open_container(r, h, node, flags, scan)))
            return false;
        if (h->byte != h->top->closer)
            return true;
    } else {
        h->p = read_scalar(r, h->p, node, flags);
        if (UNLIKELY(h->p == NULL))
            return false;
    }
    return read_separators(r, h, scan);
}

static FLATTEN bool
read_document(struct reader *r, uint32_t *count, const struct scanner *scan)
{
    struct head h = { .p = r->begin, .begin = r->begin, .end = r->end, .nodes = r->nodes, .top = r->frames };
    bool        more;

    look(&h, scan);
    if (h.p == h.end)
        return refuse(r, TAPE_REFUSED_EMPTY, h.p);
    do {
        /* A name and a value. */
        if (UNLIKELY(r->room - h.newest <= 2)) {
            if (!make_room(r, h.newest, 2))
                break;
            h.nodes = r->nodes;
        }
        more = read_value(r, &h, scan);
    } while (more && h.top != r->frames);

    *count = h.newest;
    return r->why == TAPE_REFUSED_NONE && read_end(r, scan->space(h.p, h.end), h.newest);
}

static bool
read_end(struct reader *r, const uint8_t *p, uint32_t count)
{
    if (p != r->end)
        return refuse(r, TAPE_REFUSED_TRAILING, p);
    return count <= r->limits.max_nodes || refuse_nodes(r);
}

/* ---- runs of bytes -------------------------------------------------------- */

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
static FLATTEN __m128i
load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Less 0x20, and no less than -128, every byte that is a control character or
 * not ASCII is negative: the mask is made of sign bits. */
static FLATTEN const uint8_t *
plain_wide(const uint8_t *p, const uint8_t *end)
{
    for (; end - p >= 16; p += 16) {
        __m128i  x    = load(p);
        __m128i  stop = _mm_or_si128(_mm_subs_epi8(x, _mm_set1_epi8(0x20)),
                                     _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')),
                                                  _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'))));
        unsigned mask = (unsigned)_mm_movemask_epi8(stop);
        if (mask != 0)
            return p + __builtin_ctz(mask);
    }
    return plain_bytewise(p, end);
}

/* The indentation of a pretty-printed line, mostly; tabs and carriage returns
 * take the slow way. */
static FLATTEN const uint8_t *
space_wide(const uint8_t *p, const uint8_t *end)
{
    for (; end - p >= 16; p += 16) {
        __m128i  x     = load(p);
        __m128i  space = _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(x, _mm_set1_epi8('\n')));
        unsigned mask  = ~(unsigned)_mm_movemask_epi8(space) & 0xffffu;
        if (mask != 0) {
            p += __builtin_ctz(mask);
            if (LIKELY(*p > ' '))
                return p;
            break;
        }
    }
    return space_bytewise(p, end);
}
#else
#define plain_wide plain_bytewise
#define space_wide space_bytewise
#endif

static const struct scanner wide     = { plain_wide, space_wide };
static const struct scanner bytewise = { plain_bytewise, space_bytewise };

static bool
read_wide(struct reader *r, uint32_t *count)
{
    return read_document(r, count, &wide);
}

static bool
read_bytewise(struct reader *r, uint32_t *count)
{
    return read_document(r, count, &bytewise);
}

/* ---- memory --------------------------------------------------------------- */

static enum status
read_into(struct arena *arena, struct span body, const struct tape_limits *limits,
          read_function *read_all, const struct tape **out, struct tape_error *error)
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
    bool done = prepare(&r) && read_all(&r, &count);
    if (r.nodes != NULL)
        arena_close(arena, ((size_t)count + 1) * sizeof(struct node));
    if (!done) {
        arena_reset(arena, mark);
        return report(&r, body, error);
    }
    *tape = (struct tape){ .body = body, .nodes = r.nodes, .count = count };
    *out  = tape;
    return ST_OK;
}

static bool
has_mark(const struct reader *r)
{
    struct span body = span_from(r->begin, (size_t)(r->end - r->begin));

    return span_starts(body, SPAN("\xef\xbb\xbf"))                   /* UTF-8           */
        || span_starts(body, SPAN("\xfe\xff")) || span_starts(body, SPAN("\xff\xfe"));
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
prepare(struct reader *r)
{
    size_t length = (size_t)(r->end - r->begin), room = 0;
    size_t most   = r->limits.max_bytes < TAPE_MAX_BYTES ? r->limits.max_bytes : TAPE_MAX_BYTES;

    if (length > most)
        return refuse(r, TAPE_REFUSED_SIZE, r->begin + most);
    if (has_mark(r))
        return refuse(r, TAPE_REFUSED_BOM, r->begin);
    if (r->limits.max_nodes > NODE_MOST)
        r->limits.max_nodes = NODE_MOST;
    r->frames   = arena_make_n(r->arena, (size_t)r->limits.max_depth + 1, struct frame);
    size_t want = (length / 12 + 16) * sizeof(struct node);
    size_t left = arena_left(r->arena);
    if (r->frames != NULL && left >= 3 * sizeof(struct node))
        r->nodes = arena_open(r->arena, want < left ? want : left, &room);
    if (r->nodes == NULL)
        return refuse(r, TAPE_REFUSED_MEMORY, r->begin);
    r->deepest = r->frames + r->limits.max_depth;
    set_room(r, room);
    return true;
}

/* Room for `more` nodes behind the newest: checks the limit, then doubles. */
static COLD bool
make_room(struct reader *r, uint32_t newest, uint32_t more)
{
    size_t used = ((size_t)newest + 1) * sizeof(struct node);
    size_t need = used + (size_t)more * sizeof(struct node);
    size_t left = arena_left(r->arena);
    size_t room = 0;

    if (newest > r->limits.max_nodes)
        return refuse_nodes(r);
    if (r->capacity - newest > more)
        return true;
    struct node *nodes = NULL;
    if (need <= left)
        nodes = arena_open_more(r->arena, used, need < left / 2 ? 2 * need : left, &room);
    if (nodes == NULL)
        return refuse(r, TAPE_REFUSED_MEMORY, r->begin + r->nodes[newest].start);
    r->nodes = nodes;
    set_room(r, room);
    return true;
}

/* ---- strings -------------------------------------------------------------- */

/* p is where a scanner stopped; returns the closing quote. */
static COLD const uint8_t *
read_special(struct reader *r, const uint8_t *p, const struct scanner *scan)
{
    r->escaped = 0;
    for (;; p = scan->plain(p, r->end)) {
        if (p == r->end)
            return refuse_here(r, TAPE_REFUSED_UNTERMINATED, p);
        if (*p == '"')
            return p;
        if (*p < 0x20)
            return refuse_here(r, TAPE_REFUSED_CONTROL, p);
        if (*p == '\\') {
            p = read_escape(r, p);
            if (p == NULL)
                return NULL;
            r->escaped = NODE_ESCAPED;
        } else {
            size_t length = text_utf8_length(p, r->end);
            if (length == 0)
                return refuse_here(r, TAPE_REFUSED_UTF8, p);
            p += length;
        }
    }
}

/* p is at a backslash; returns what is behind the escape. */
static const uint8_t *
read_escape(struct reader *r, const uint8_t *p)
{
    if (r->end - p < 2)
        return refuse_here(r, TAPE_REFUSED_UNTERMINATED, r->end);
    if (p[1] != 'u') {
        bool known = p[1] != 0 && strchr("\"\\/bfnrt", p[1]) != NULL;
        return known ? p + 2 : refuse_here(r, TAPE_REFUSED_ESCAPE, p);
    }
    int32_t unit = text_code_unit(p, r->end);
    if (unit < 0)
        return refuse_here(r, TAPE_REFUSED_ESCAPE, p);
    if (unit == 0)
        return refuse_here(r, TAPE_REFUSED_NUL, p);
    if (text_is_high(unit) && text_is_low(text_code_unit(p + 6, r->end)))
        return p + 12;
    if (text_is_high(unit) || text_is_low(unit))
        return refuse_here(r, TAPE_REFUSED_SURROGATE, p);
    return p + 6;
}

/* ---- numbers and literals ------------------------------------------------- */

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

/* Glued to a number or a literal, it makes both something else. */
static bool
is_glue(uint8_t c)
{
    uint8_t letter = c | 0x20;

    return is_digit(c) || (letter >= 'a' && letter <= 'z') || c == '.' || c == '+' || c == '-' || c == '_';
}

/* A number, true, false or null; p is not at the end. */
static const uint8_t *
read_scalar(struct reader *r, const uint8_t *p, struct node *node, uint32_t flags)
{
    if (p == r->end)
        return refuse_here(r, TAPE_REFUSED_UNTERMINATED, p);
    bool           number = is_digit(*p) || *p == '-';
    const uint8_t *q      = number ? read_number(r, p, &flags) : read_literal(r, p, &flags);
    if (q == NULL)
        return NULL;
    if (q < r->end && is_glue(*q))
        return refuse_here(r, number ? TAPE_REFUSED_NUMBER : TAPE_REFUSED_LITERAL, q);
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
    return refuse_here(r, mark ? TAPE_REFUSED_PUNCTUATION : TAPE_REFUSED_LITERAL, p);
}

/* 1e400 is infinity to one reader, an error or null to the next, a number to
 * the third: what a double cannot hold is refused.  `whole` is the number of
 * digits before the point. */
static bool
is_moderate(const uint8_t *exponent, const uint8_t *end, bool negative, size_t whole)
{
    uint32_t value = 0;

    for (; exponent < end && value <= TAPE_MAX_EXPONENT; exponent++)
        value = value * 10 + (uint32_t)(*exponent - '0');
    return negative ? value <= TAPE_MAX_EXPONENT : value + whole <= TAPE_MAX_EXPONENT;
}

/* p is at an e or E. */
static const uint8_t *
read_exponent(struct reader *r, const uint8_t *p, size_t whole)
{
    bool           negative = r->end - p > 1 && p[1] == '-';
    bool           sign     = negative || (r->end - p > 1 && p[1] == '+');
    const uint8_t *digits   = p + 1 + sign;
    const uint8_t *q        = skip_digits(digits, r->end);

    if (q == digits)
        return refuse_here(r, TAPE_REFUSED_NUMBER, q);
    return is_moderate(digits, q, negative, whole) ? q : refuse_here(r, TAPE_REFUSED_MAGNITUDE, p);
}

static const uint8_t *
read_number(struct reader *r, const uint8_t *p, uint32_t *info)
{
    const uint8_t *first = p + (*p == '-');
    const uint8_t *q     = skip_digits(first, r->end);
    const uint8_t *whole = q;

    if (q == first)
        return refuse_here(r, TAPE_REFUSED_NUMBER, q);
    if (*first == '0' && q - first > 1)
        return refuse_here(r, TAPE_REFUSED_NUMBER, first + 1);
    if (q < r->end && *q == '.') {
        q = skip_digits(q + 1, r->end);
        if (q == whole + 1)
            return refuse_here(r, TAPE_REFUSED_NUMBER, q);
    }
    if (q < r->end && (*q | 0x20) == 'e') {
        q = read_exponent(r, q, (size_t)(whole - first));
        if (q == NULL)
            return NULL;
    }
    *info |= TAPE_NUMBER | (q == whole ? NODE_INTEGER : 0);
    return (size_t)(q - p) <= r->limits.max_number ? q : refuse_here(r, TAPE_REFUSED_NUMBER_LENGTH, p);
}

/* ---- duplicate names ------------------------------------------------------ */

/* The frame has seen two keys that may be equal.  Scratch is the room behind
 * the newest node, which is left zero again. */
static bool
names_differ(struct reader *r, const struct frame *object, uint32_t newest)
{
    size_t scratch = names_scratch(object->children);

    if (scratch > 0 && !make_room(r, newest, (uint32_t)(scratch / sizeof(struct node)) + 1))
        return false;
    struct names names = { (const char *)r->begin, r->nodes, object->node, object->children };
    uint32_t     twin  = names_twin(&names, &r->nodes[newest + 1]);
    return twin == 0 || refuse(r, TAPE_REFUSED_DUPLICATE, r->begin + r->nodes[twin].start - 1);
}
