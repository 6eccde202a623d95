#include "consent/attachment.h"

#include <string.h>

#include "base/json_tape.h"
#include "consent/inflate.h"

/* Shorter runs of base64 characters are words, hashes and numbers. */
#define NESTED_LEAST   64
#define LINE_LEAST     40
/* From here on what cannot be read inside a document makes it unreadable. */
#define NESTED_WEIGHTY 1024

struct inspector {
    const struct text_names *names;
    struct inspected_table  *table;
    struct arena            *arena;
    size_t                  *budget;
    struct inspection        result;
    bool                     stopped;    /* at a bound: what was not looked at may tell */
};

static void inspect(struct inspector *, struct span bytes, unsigned depth);
static void inspect_packed(struct inspector *, struct span bytes, unsigned depth);
static void inspect_utf16(struct inspector *, struct span bytes, bool big, unsigned depth);
static void inspect_text(struct inspector *, struct span text, unsigned depth);
static bool inspect_json(struct inspector *, struct span text, unsigned depth);
static void inspect_nested(struct inspector *, struct span text, unsigned depth);

/* Half of what the arena has is for the answer: an attachment that is too large
 * is unreadable, not the end of the request. */
static size_t
most(const struct inspector *i)
{
    size_t left = arena_left(i->arena) / 2;

    return *i->budget < left ? *i->budget : left;
}

static bool
spend(struct inspector *i, size_t size)
{
    if (size > most(i)) {
        *i->budget           = 0;
        i->result.unreadable = true;
        i->stopped           = true;
        return false;
    }
    *i->budget -= size;
    return true;
}

/* ---- base64 -------------------------------------------------------------- */

/* The value of a character and 64 for blanks, 65 for the padding; the rest is
 * not base64. */
enum { BASE64_BLANK = 64, BASE64_END = 65, BASE64_BAD = 66 };

static unsigned
base64_value(unsigned char c)
{
#define NO BASE64_BAD
#define NO8 NO, NO, NO, NO, NO, NO, NO, NO
    static const uint8_t values[256] = {
        NO8, NO, BASE64_BLANK, BASE64_BLANK, NO, NO, BASE64_BLANK, NO, NO, NO8, NO8,
        BASE64_BLANK, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, 62, NO, 63,
        52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, BASE64_END, NO, NO,
        NO, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
        15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, 63,
        NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
        41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
        NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8, NO8,
    };
#undef NO
#undef NO8
    return values[c];
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* False when it is not base64; the bytes before the fault are handed out. */
static bool
base64_decode(struct span text, char *out, size_t *length)
{
    const unsigned char *in    = (const unsigned char *)text.at;
    uint32_t             bits  = 0, count = 0;
    size_t               n     = 0, i = 0;
    bool                 ended = false, fine = true;

    while (i < text.length && fine) {
        while (count == 0 && text.length - i >= 4) {
            unsigned a = base64_value(in[i]), b = base64_value(in[i + 1]), c = base64_value(in[i + 2]),
                     d = base64_value(in[i + 3]);
            if ((a | b | c | d) >= BASE64_BLANK || ended)
                break;
            out[n]     = (char)(a << 2 | b >> 4);
            out[n + 1] = (char)(b << 4 | c >> 2);
            out[n + 2] = (char)(c << 6 | d);
            n += 3;
            i += 4;
        }
        unsigned value = i < text.length ? base64_value(in[i++]) : BASE64_BLANK;
        ended |= value == BASE64_END;
        fine   = value >= BASE64_BLANK ? value != BASE64_BAD : !ended;
        if (value >= BASE64_BLANK || !fine)
            continue;
        bits   = bits << 6 | value;
        count += 6;
        if (count >= 8) {
            count   -= 8;
            out[n++] = (char)(bits >> count);
        }
    }
    *length = n;
    return fine && count < 6;            /* six bits left over: a character is missing */
}

bool
attachment_decode(struct span base64, struct arena *arena, struct span *out)
{
    size_t length = 0;
    char  *bytes  = arena_alloc(arena, base64.length / 4 * 3 + 3);
    bool   fine   = bytes != NULL && base64_decode(base64, bytes, &length);

    *out = span_from(bytes, length);
    return fine;
}

struct inspection
attachment_inspect(struct span base64, const struct text_names *names, struct inspected_table *table,
                   struct arena *arena, size_t *budget)
{
    struct inspector  i      = { .names = names, .table = table, .arena = arena, .budget = budget };
    struct arena_mark before = arena_mark(arena);
    size_t            length = 0;

    if (spend(&i, base64.length / 4 * 3 + 3)) {
        char *bytes = arena_alloc(arena, base64.length / 4 * 3 + 3);
        if (bytes != NULL) {
            if (!base64_decode(base64, bytes, &length))
                i.result.unreadable = true;
            inspect(&i, span_from(bytes, length), 0);
        }
    }
    arena_reset(arena, before);
    return i.result;
}

struct inspection
attachment_inspect_bytes(struct span bytes, const struct text_names *names, struct inspected_table *table,
                         struct arena *arena, size_t *budget)
{
    struct inspector  i      = { .names = names, .table = table, .arena = arena, .budget = budget };
    struct arena_mark before = arena_mark(arena);

    inspect(&i, bytes, 0);
    arena_reset(arena, before);
    return i.result;
}

/* ---- what the bytes are ---------------------------------------------------- */

/* Text has no NUL and hardly a control character. */
static bool
is_binary(struct span bytes)
{
    size_t controls = 0;

    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char c = (unsigned char)bytes.at[i];
        if (c == 0)
            return true;
        controls += (c < ' ' && !is_blank((char)c) && c != '\f' && c != '\v' && c != 0x1c && c != 0x1d && c != 0x1e)
                 || c == 0x7f;
    }
    return controls * 64 > bytes.length;
}

/* ASCII in UTF-16 without a mark: one byte of each pair is zero. */
static bool
is_utf16(struct span bytes, bool *big)
{
    size_t zeros[2] = { 0, 0 }, pairs = bytes.length / 2;

    if (pairs < 2 || bytes.length % 2 != 0)
        return false;
    for (size_t i = 0; i < pairs * 2; i++)
        zeros[i & 1] += bytes.at[i] == 0;
    *big = zeros[0] > zeros[1];
    return (zeros[0] > pairs * 3 / 4 && zeros[1] == 0) || (zeros[1] > pairs * 3 / 4 && zeros[0] == 0);
}

/* What a helper read of it. */
static void
inspect_elsewhere(struct inspector *i, enum document_form form, struct span bytes, unsigned depth)
{
    const struct inspected *one = inspected_of(i->table, form, bytes);

    i->result.unreadable |= one == NULL || !one->readable;
    for (size_t n = 0; one != NULL && n < one->part_count; n++) {
        const struct inspected_part *part = &one->parts[n];
        if (!spend(i, part->bytes.length))
            return;
        if (part->kind == INSPECTED_TEXT)
            inspect_text(i, part->bytes, depth);
        else
            inspect(i, part->bytes, depth + 1);
    }
}

static enum document_form
form_of(struct span bytes)
{
    if (span_starts(bytes, SPAN("\x1f\x8b")) || span_starts(bytes, SPAN("\x78\x9c")) || span_starts(bytes, SPAN("\x78\xda")))
        return DOCUMENT_PACKED;
    if (span_find(span_first(bytes, 1024), SPAN("%PDF-")) != SPAN_NOT_FOUND)
        return DOCUMENT_PDF;
    return span_starts(bytes, SPAN("{\\rtf")) ? DOCUMENT_RTF : DOCUMENT_NONE;
}

static void
inspect_here(struct inspector *i, enum document_form form, struct span bytes, unsigned depth)
{
    struct span text;

    if (form == DOCUMENT_PACKED)
        inspect_packed(i, bytes, depth);
    else if (form == DOCUMENT_PDF ? pdf_text(bytes, i->arena, i->budget, &text)
                                  : spend(i, bytes.length * 2 + 4) && rtf_text(bytes, i->arena, &text))
        inspect_text(i, text, depth);
    else
        i->result.unreadable = true;
}

/* Beside what the text itself says: entities and encodings resolved, words that
 * tags divide put together. */
static void
inspect_markup(struct inspector *i, enum document_form form, struct span bytes, unsigned depth)
{
    struct span bare = span_trim(span_starts(bytes, SPAN("\xef\xbb\xbf")) ? span_skip(bytes, 3) : bytes);

    if (i->table != NULL && bare.length > 0 && bare.at[0] == '<')
        inspect_elsewhere(i, form, bytes, depth);
}

static void
inspect(struct inspector *i, struct span bytes, unsigned depth)
{
    enum document_form form = form_of(bytes);
    bool               big;

    if (depth >= ATTACHMENT_DEPTH) {
        i->result.unreadable = true;
        return;
    }
    if (form != DOCUMENT_NONE && i->table != NULL) {
        inspect_elsewhere(i, form, bytes, depth);
    } else if (form != DOCUMENT_NONE) {
        inspect_here(i, form, bytes, depth);
    } else if (span_starts(bytes, SPAN("\xfe\xff")) || span_starts(bytes, SPAN("\xff\xfe"))) {
        inspect_utf16(i, span_skip(bytes, 2), bytes.at[0] == '\xfe', depth);
    } else if (is_utf16(bytes, &big)) {
        inspect_utf16(i, bytes, big, depth);
    } else if (is_binary(bytes)) {
        i->result.unreadable = true;
    } else {
        inspect_text(i, bytes, depth);
        inspect_markup(i, DOCUMENT_MARKUP, bytes, depth);
    }
}

static void
inspect_packed(struct inspector *i, struct span bytes, unsigned depth)
{
    struct span unpacked;
    size_t      max = most(i) / 2;       /* the old room stays when it grows */

    if (max > ATTACHMENT_MAX_INFLATED)
        max = ATTACHMENT_MAX_INFLATED;

    if (inflate_bytes(bytes, max, i->arena, &unpacked) != ST_OK)
        i->result.unreadable = true;
    if (spend(i, unpacked.length))
        inspect(i, unpacked, depth + 1);
}

static size_t
put_utf8(char *out, uint32_t p)
{
    if (p < 0x80) {
        out[0] = (char)p;
        return 1;
    }
    if (p < 0x800) {
        out[0] = (char)(0xc0 | p >> 6);
        out[1] = (char)(0x80 | (p & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | p >> 12);
    out[1] = (char)(0x80 | (p >> 6 & 0x3f));
    out[2] = (char)(0x80 | (p & 0x3f));
    return 3;
}

/* Surrogate halves become three bytes each; no word that we know has one. */
static void
inspect_utf16(struct inspector *i, struct span bytes, bool big, unsigned depth)
{
    size_t length = 0;

    if (!spend(i, bytes.length / 2 * 3))
        return;
    char *out = arena_alloc(i->arena, bytes.length / 2 * 3 + 1);
    if (out == NULL)
        return;
    for (size_t at = 0; at + 1 < bytes.length; at += 2) {
        uint32_t one = (unsigned char)bytes.at[at], two = (unsigned char)bytes.at[at + 1];
        length += put_utf8(out + length, big ? one << 8 | two : two << 8 | one);
    }
    struct span text = span_from(out, length);
    if (is_binary(text)) {
        i->result.unreadable = true;
        return;
    }
    inspect_text(i, text, depth);
    inspect_markup(i, DOCUMENT_MARKUP_UTF8, text, depth);
}

/* ---- text ------------------------------------------------------------------ */

static void
inspect_text(struct inspector *i, struct span text, unsigned depth)
{
    if (span_starts(text, SPAN("\xef\xbb\xbf")))
        text = span_skip(text, 3);
    struct span bare = span_trim(text);
    if (bare.length > 0 && (bare.at[0] == '{' || bare.at[0] == '[') && inspect_json(i, bare, depth))
        return;
    text_read_any(text, i->names, &i->result.finding);
    inspect_nested(i, text, depth);
}

static void
add_finding(struct inspector *i, const struct text_finding *f)
{
    i->result.finding.labels     |= f->labels;
    i->result.finding.medication |= f->medication;
    i->result.finding.drugs      |= f->drugs;
    i->result.finding.contexts   |= f->contexts;
    i->result.finding.program    |= f->program;
}

/* A Coding, wherever it stands. */
static void
read_code(struct inspector *i, const struct tape *t, tape_node object)
{
    tape_node code = tape_member(t, object, SPAN("code"));

    if (tape_kind(t, code) != TAPE_STRING)
        return;
    struct span            text   = tape_text(t, code, i->arena);
    enum code_system       system = code_system_of(tape_member_text(t, object, SPAN("system"), i->arena));
    const struct code_row *row    = code_find(system, text);
    if (row == NULL)
        row = code_find(code_shape(text), text);
    if (row != NULL && (row->tier == TIER_T1 || row->tier == TIER_T2))
        i->result.finding.labels = label_add(i->result.finding.labels, (enum label)row->label);
}

static bool
inspect_json(struct inspector *i, struct span text, unsigned depth)
{
    const struct tape  *t;
    struct tape_limits  limits = tape_default_limits;

    if (!spend(i, text.length * 4))      /* what a tape may take */
        return false;
    limits.max_nodes = (uint32_t)(text.length / 4 + 16);
    if (tape_read(text, &limits, i->arena, &t, NULL) != ST_OK)
        return false;                    /* then it is text that begins with a brace */
    for (tape_node n = TAPE_ROOT; n <= tape_count(t); n++) {
        if (tape_kind(t, n) == TAPE_OBJECT)
            read_code(i, t, n);
        if (tape_kind(t, n) != TAPE_STRING)
            continue;
        struct text_finding f    = { .labels = 0 };
        struct span         leaf = tape_text(t, n, i->arena);
        text_read_any(leaf, i->names, &f);
        add_finding(i, &f);
        inspect_nested(i, leaf, depth);
    }
    return true;
}

/* A run of base64 that is long enough to be a document; in lines, all but the
 * last are long (RFC 2045 6.8 breaks at 76): a word above it does not belong to it. */
static struct span
next_run(struct span text, size_t *at)
{
    while (*at < text.length) {
        size_t start = *at, solid = 0, line = 0;
        for (; *at < text.length; (*at)++) {
            char c = text.at[*at];
            if (base64_value((unsigned char)c) < BASE64_BLANK || c == '=') {
                solid++;
                line++;
            } else if (c == '\r' || (c == '\n' && line >= LINE_LEAST)) {
                line = c == '\n' ? 0 : line;
            } else {
                break;
            }
        }
        if (solid >= NESTED_LEAST)
            return span_from(text.at + start, *at - start);
        *at += *at == start;
    }
    return span_from(NULL, 0);
}

static void
inspect_nested(struct inspector *i, struct span text, unsigned depth)
{
    size_t      at = 0, length;
    struct span run;

    while (!span_empty(run = next_run(text, &at))) {
        bool   before = i->result.unreadable;
        size_t room   = run.length / 4 * 3 + 3;
        i->stopped |= depth + 1 >= ATTACHMENT_DEPTH;
        i->result.unreadable |= i->stopped;
        if (i->stopped || !spend(i, room))
            return;
        char *bytes = arena_alloc(i->arena, room);
        if (bytes == NULL)
            return;
        bool fine = base64_decode(run, bytes, &length);
        inspect(i, span_from(bytes, length), depth + 1);
        /* A long word is not a document. */
        if (!before && !i->stopped && (run.length < NESTED_WEIGHTY || !fine))
            i->result.unreadable = false;
    }
}
