#include "consent/plan_text.h"

#include <string.h>

#include "consent/attachment.h"
#include "consent/inflate.h"
#include "consent/plan_words.h"
#include "consent/text_fold.h"
#include "consent/text_hidden.h"

#define SEEN_MAX_DEPTH 1u                /* as it is, and with its entities or escapes resolved */
#define OVERRIDE "\xe2\x80\xae"          /* U+202E, right-to-left override */

typedef size_t decoder(struct span, char *out);      /* bytes written, at most as many as read */

static bool   readings(struct span, struct arena *, text_reading *, void *with, unsigned depth);
static size_t decode_entities(struct span, char *);
static size_t decode_percent(struct span, char *);
static size_t decode_escapes(struct span, char *);
static size_t strip_tags(struct span, char *);
static size_t as_seen(struct span, char *);
static size_t put_utf8(uint32_t code, char *out);
static bool   hex(struct span, size_t at, unsigned digits, uint32_t *out);

static const struct { char sign; decoder *decode; } decoders[] = {
    { '&', decode_entities },
    { '<', strip_tags },
    { '%', decode_percent },
    { '\\', decode_escapes },
};

bool
text_readings(struct span text, struct arena *scratch, text_reading *reading, void *with)
{
    return readings(text, scratch, reading, with, 0);
}

/* What is seen of a text is not taken apart any further: one more reading, and not
 * as many as there are ways to write it. */
static bool
reading_as_seen(struct span text, struct arena *scratch, text_reading *reading, void *with)
{
    size_t at = 0;

    if (hiding_next(text, &at) == HIDING_NONE && span_find(text, SPAN(OVERRIDE)) == SPAN_NOT_FOUND)
        return true;
    char *room = arena_alloc(scratch, text.length);
    return room != NULL && reading(with, span_from(room, as_seen(text, room)));
}

/* Whether there is one reading alone: no sign of the decoders, no tag that could hide
 * something and no override. */
static bool
is_plain(struct span text)
{
    static const bool signs[256] = { ['&'] = true, ['<'] = true, ['%'] = true, ['\\'] = true, [0xe2] = true };   /* of OVERRIDE */
    size_t            i          = 0;

    while (i < text.length && !signs[(unsigned char)text.at[i]])
        i++;
    return i == text.length;
}

static bool
readings(struct span text, struct arena *scratch, text_reading *reading, void *with, unsigned depth)
{
    if (!reading(with, text))
        return false;
    if (depth == TEXT_MAX_DEPTH || is_plain(text))
        return true;
    if (depth <= SEEN_MAX_DEPTH && !reading_as_seen(text, scratch, reading, with))
        return false;
    for (size_t i = 0; i < sizeof decoders / sizeof decoders[0]; i++) {
        if (memchr(text.at, decoders[i].sign, text.length) == NULL)
            continue;
        char *room = arena_alloc(scratch, text.length);
        if (room == NULL)
            return false;
        struct span decoded = span_from(room, decoders[i].decode(text, room));
        if (!span_eq(decoded, text) && !readings(decoded, scratch, reading, with, depth + 1))
            return false;
    }
    return true;
}

/* ---- words that are written together ----------------------------------------------- */

enum letter { LETTER_NONE = 0, LETTER_SMALL, LETTER_CAPITAL, LETTER_DIGIT };

static const uint8_t letter_kind[256] = {
    ['a' ... 'z'] = LETTER_SMALL, ['A' ... 'Z'] = LETTER_CAPITAL, ['0' ... '9'] = LETTER_DIGIT,
};

static enum letter
letter_of(struct span text, size_t i)
{
    return i < text.length ? (enum letter)letter_kind[(unsigned char)text.at[i]] : LETTER_NONE;
}

static bool
three_letters_before(struct span text, size_t i)
{
    for (size_t k = 1; k <= 3; k++) {
        enum letter l = k <= i ? letter_of(text, i - k) : LETTER_NONE;
        if (l != LETTER_SMALL && l != LETTER_CAPITAL)
            return false;
    }
    return true;
}

/* As text.c parts them: a capital behind a small letter, the last capital of an
 * abbreviation, a digit behind three letters. */
static bool
parts_at(struct span text, size_t i)
{
    enum letter before = letter_of(text, i - 1), here = letter_of(text, i);

    if (here == LETTER_CAPITAL)
        return before == LETTER_SMALL || before == LETTER_DIGIT
            || (before == LETTER_CAPITAL && letter_of(text, i + 1) == LETTER_SMALL);
    return here == LETTER_DIGIT && before != LETTER_DIGIT && three_letters_before(text, i);
}

bool
text_apart(struct span text, struct arena *scratch, struct span *out)
{
    size_t first = 1, n = 0;

    /* A part begins with a capital or a digit: most characters are none. */
    while (first < text.length && (letter_kind[(unsigned char)text.at[first]] < LETTER_CAPITAL || !parts_at(text, first)))
        first++;
    if (first >= text.length)
        return false;
    char *room = arena_alloc(scratch, 2 * text.length);
    if (room == NULL)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (i >= first && parts_at(text, i))
            room[n++] = ' ';
        room[n++] = text.at[i];
    }
    *out = span_from(room, n);
    return true;
}

/* ---- entities (XHTML 1.0, the ones that text of a payload uses) ------------------ */

static const struct { const char *name; const char *text; } entities[] = {
    { "amp", "&" }, { "lt", "<" }, { "gt", ">" }, { "quot", "\"" }, { "apos", "'" },
    { "nbsp", " " }, { "shy", "" }, { "zwj", "" }, { "zwnj", "" }, { "ndash", "-" }, { "mdash", "-" },
    { "hyphen", "-" }, { "sol", "/" }, { "period", "." }, { "comma", "," }, { "num", "#" }, { "colon", ":" },
    { "Tab", " " }, { "NewLine", " " }, { "lowbar", "_" }, { "ensp", " " }, { "emsp", " " }, { "thinsp", " " },
};

static size_t
decode_entities(struct span in, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < in.length;) {
        size_t end = in.at[i] == '&' ? span_find_byte(span_first(span_skip(in, i), 12), ';') : SPAN_NOT_FOUND;
        if (end == SPAN_NOT_FOUND) {
            out[n++] = in.at[i++];
            continue;
        }
        struct span name = span_from(in.at + i + 1, end - 1);
        uint32_t    code = 0;
        uint64_t    number;
        const char *text = NULL;
        if (name.length > 2 && name.at[0] == '#' && (name.at[1] == 'x' || name.at[1] == 'X'))
            hex(name, 2, (unsigned)name.length - 2, &code);
        else if (name.length > 1 && name.at[0] == '#' && span_to_u64(span_skip(name, 1), &number)
                 && number < 0x110000)
            code = (uint32_t)number;
        for (size_t k = 0; code == 0 && k < sizeof entities / sizeof entities[0]; k++)
            if (span_eq_text(name, entities[k].name))
                text = entities[k].text;
        if (code != 0) {
            n += put_utf8(code, out + n);
        } else if (text != NULL) {
            memcpy(out + n, text, strlen(text));
            n += strlen(text);
        } else {
            out[n++] = in.at[i++];
            continue;
        }
        i += end + 1;
    }
    return n;
}

/* ---- tags -------------------------------------------------------------------------- */

/* Elements of the narrative's XHTML that do not break a word. */
static bool
joins(struct span tag)
{
    static const char *const inline_tags[] = { "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code",
                                               "del", "dfn", "em", "font", "i", "ins", "kbd", "mark", "q", "s",
                                               "samp", "small", "span", "strike", "strong", "sub", "sup", "tt",
                                               "u", "var", "wbr", "img", NULL };

    if (tag.length > 0 && (tag.at[0] == '!' || tag.at[0] == '?'))
        return true;                                          /* a comment shows nothing */
    if (span_starts(tag, SPAN("/")))
        tag = span_skip(tag, 1);
    size_t length = 0;
    while (length < tag.length && ((tag.at[length] | 0x20) >= 'a' && (tag.at[length] | 0x20) <= 'z'))
        length++;
    for (size_t i = 0; inline_tags[i] != NULL; i++)
        if (span_eq_nocase(span_first(tag, length), span_of(inline_tags[i])))
            return true;
    return false;
}

static size_t
strip_tags(struct span in, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < in.length;) {
        struct span rest = span_skip(in, i);
        char        next = rest.length > 1 ? rest.at[1] : ' ';
        bool        tag  = rest.at[0] == '<'
                 && (next == '/' || next == '!' || next == '?' || ((next | 0x20) >= 'a' && (next | 0x20) <= 'z'));
        size_t      end  = 0;
        if (tag && span_starts(rest, SPAN("<![CDATA["))) {
            i += sizeof "<![CDATA[" - 1;                       /* its text is text */
            continue;
        }
        if (tag && span_starts(rest, SPAN("<!--"))) {
            size_t close = span_find(rest, SPAN("-->"));
            end          = close == SPAN_NOT_FOUND ? SPAN_NOT_FOUND : close + 2;
        } else if (tag) {
            end = span_find_byte(rest, '>');
        }
        if (!tag || end == SPAN_NOT_FOUND) {
            if (span_starts(rest, SPAN("]]>"))) {
                i += 3;
                continue;
            }
            out[n++] = in.at[i++];
            continue;
        }
        if (!joins(span_from(rest.at + 1, end - 1)))
            out[n++] = ' ';
        i += end + 1;
    }
    return n;
}

struct span
text_without_tags(struct span text, struct arena *scratch)
{
    if (span_find_byte(text, '<') == SPAN_NOT_FOUND)
        return text;
    char *room = arena_alloc(scratch, text.length);
    return room == NULL ? (struct span){ 0 } : span_from(room, strip_tags(text, room));
}

/* ---- what is seen ------------------------------------------------------------------- */

/* The bytes from behind, each character of them from before. */
static void
turn_around(char *text, size_t length)
{
    for (size_t i = 0, k = length; i + 1 < k; i++) {
        char byte = text[--k];
        text[k]   = text[i];
        text[i]   = byte;
    }
    for (size_t i = 0; i < length; i++) {
        size_t last = i;                                      /* continuation bytes come first now */
        while (last < length && last - i < 3 && ((unsigned char)text[last] & 0xc0) == 0x80)
            last++;
        if (last == i || last == length || (unsigned char)text[last] < 0xc0)
            continue;
        for (size_t a = i, b = last; a < b; a++, b--) {
            char byte = text[a];
            text[a]   = text[b];
            text[b]   = byte;
        }
        i = last;
    }
}

/* Markup without its hidden elements, and with its turned ones as they are seen. */
static size_t
leave_out_hidden(struct span in, char *out)
{
    size_t n = 0, i = 0, start;

    while ((start = i) < in.length) {
        struct span inside;
        enum hiding how = hiding_next(in, &i);
        size_t      to  = i;                                  /* its start tag, or the end */
        memcpy(out + n, in.at + start, to - start);
        n += to - start;
        if (how == HIDING_NONE)
            break;
        i = hiding_element(in, to, fold_tag_end(in, to), &inside);
        if (how == HIDING_HIDDEN)
            continue;
        size_t length = strip_tags(inside, out + n);
        length        = decode_entities(span_from(out + n, length), out + n);
        turn_around(out + n, length);
        n += length;
    }
    return n;
}

/* From RLO to its end; without tags, so a paragraph does not end it here. */
static size_t
turn_overridden(char *text, size_t length)
{
    struct span in = span_from(text, length);
    size_t      n  = 0, i = 0;

    while (i < length) {
        struct span rest = span_skip(in, i);
        if (!span_starts(rest, SPAN(OVERRIDE))) {
            text[n++] = text[i++];
            continue;
        }
        rest = span_skip(rest, sizeof OVERRIDE - 1);
        size_t run = span_find(rest, SPAN("\xe2\x80\xac"));
        run        = run == SPAN_NOT_FOUND ? rest.length : run;
        memmove(text + n, rest.at, run);
        turn_around(text + n, run);
        n += run;
        i += sizeof OVERRIDE - 1 + run;
    }
    return n;
}

/* Hidden elements left out, turned ones and overrides turned, no tags and no entities. */
static size_t
as_seen(struct span in, char *out)
{
    size_t n = leave_out_hidden(in, out);

    n = strip_tags(span_from(out, n), out);
    n = decode_entities(span_from(out, n), out);
    return turn_overridden(out, n);
}

/* ---- percent and JSON escapes -------------------------------------------------------- */

static size_t
decode_percent(struct span in, char *out)
{
    size_t   n = 0;
    uint32_t code;

    for (size_t i = 0; i < in.length;) {
        if (in.at[i] == '%' && hex(in, i + 1, 2, &code)) {
            out[n++] = (char)code;
            i += 3;
        } else {
            out[n++] = in.at[i++];
        }
    }
    return n;
}

static size_t
decode_escapes(struct span in, char *out)
{
    size_t   n = 0;
    uint32_t code, low;

    for (size_t i = 0; i < in.length;) {
        char next = i + 1 < in.length ? in.at[i + 1] : 0;
        if (in.at[i] != '\\' || next == 0) {
            out[n++] = in.at[i++];
        } else if (next == 'u' && hex(in, i + 2, 4, &code)) {
            i += 6;
            if (code >= 0xd800 && code < 0xdc00 && i + 6 <= in.length && in.at[i] == '\\' && in.at[i + 1] == 'u'
                && hex(in, i + 2, 4, &low)) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low & 0x3ff);
                i += 6;
            }
            n += put_utf8(code, out + n);
        } else if (next == '"' || next == '\\' || next == '/') {
            out[n++] = next;
            i += 2;
        } else if (next == 'n' || next == 't' || next == 'r' || next == 'b' || next == 'f') {
            out[n++] = ' ';
            i += 2;
        } else {
            out[n++] = in.at[i++];
        }
    }
    return n;
}

/* ---- small things --------------------------------------------------------------------- */

static size_t
put_utf8(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (code >> 18 & 7));
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

static bool
hex(struct span in, size_t at, unsigned digits, uint32_t *out)
{
    uint32_t code = 0;

    if (at + digits > in.length || digits > 6)
        return false;
    for (unsigned i = 0; i < digits; i++) {
        char c = in.at[at + i];
        if (c >= '0' && c <= '9')
            code = code << 4 | (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            code = code << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
    }
    *out = code;
    return true;
}

/* ---- base64 ------------------------------------------------------------------------------ */

static int
sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* UTF-16 to UTF-8, by byte order mark or by the zero bytes of Latin text. */
static struct span
utf8_of(struct span in, struct arena *arena)
{
    const unsigned char *p     = (const unsigned char *)in.at;
    bool                 big   = in.length >= 4 && ((p[0] == 0xfe && p[1] == 0xff) || (p[0] == 0 && p[2] == 0));
    bool                 small = in.length >= 4 && ((p[0] == 0xff && p[1] == 0xfe) || (p[1] == 0 && p[3] == 0));

    if (big == small)
        return in;
    char  *out = arena_alloc(arena, in.length / 2 * 3 + 4);
    size_t n   = 0;
    for (size_t i = 0; out != NULL && i + 1 < in.length; i += 2) {
        uint32_t unit = big ? (uint32_t)p[i] << 8 | p[i + 1] : (uint32_t)p[i + 1] << 8 | p[i];
        if (unit >= 0xd800 && unit < 0xdc00 && i + 3 < in.length) {
            uint32_t low = big ? (uint32_t)p[i + 2] << 8 | p[i + 3] : (uint32_t)p[i + 3] << 8 | p[i + 2];
            unit         = 0x10000 + ((unit - 0xd800) << 10) + (low & 0x3ff);
            i += 2;
        }
        n += put_utf8(unit, out + n);
    }
    return span_from(out, n);
}

static struct span
bytes_of(struct span in, struct arena *arena)
{
    char    *out  = arena_alloc(arena, in.length / 4 * 3 + 3);
    size_t   n    = 0;
    uint32_t bits = 0;
    unsigned have = 0;

    for (size_t i = 0; out != NULL && i < in.length; i++) {
        char c = in.at[i];
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
            continue;
        if (c == '=')
            break;
        int value = sextet(c);
        if (value < 0)
            return (struct span){ NULL, 0 };
        bits = bits << 6 | (uint32_t)value;
        if (++have == 4) {
            out[n++] = (char)(bits >> 16);
            out[n++] = (char)(bits >> 8);
            out[n++] = (char)bits;
            have     = 0;
        }
    }
    if (out == NULL)
        return (struct span){ NULL, 0 };
    if (have == 2)
        out[n++] = (char)(bits >> 4);
    if (have == 3) {
        out[n++] = (char)(bits >> 10);
        out[n++] = (char)(bits >> 2);
    }
    return span_from(out, n);
}

/* ---- attachments ------------------------------------------------------------------------- */

struct layers {
    struct arena *arena;
    text_reading *reading;
    void         *with;
    size_t        budget;
};

static bool layer(struct layers *, struct span base64, unsigned depth);

static struct span
unpacked(struct layers *l, struct span bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.at;
    struct span          out;

    if (bytes.length < 4)
        return bytes;
    bool gzip = p[0] == 0x1f && p[1] == 0x8b, zlib = (p[0] & 0x8f) == 0x08 && (p[0] << 8 | p[1]) % 31 == 0;
    if ((gzip || zlib) && l->budget > 0) {
        enum status st = inflate_bytes(bytes, l->budget, l->arena, &out);
        if (st == ST_OK || (gzip && st == ST_MALFORMED && out.length > 0)) {
            l->budget -= out.length < l->budget ? out.length : l->budget;
            bytes = out;
        }
    }
    if (span_starts(bytes, SPAN("%PDF")) && pdf_text(bytes, l->arena, &l->budget, &out))
        return out;
    if (span_starts(bytes, SPAN("{\\rtf")) && rtf_text(bytes, l->arena, &out))
        return out;
    return utf8_of(bytes, l->arena);
}

/* Runs of base64 inside: data URIs, attachments of nested FHIR. */
static bool
inner_layers(struct layers *l, struct span text, unsigned depth)
{
    enum { LEAST = 32 };
    size_t from = 0;

    for (size_t i = 0; i <= text.length; i++) {
        if (i < text.length && (sextet(text.at[i]) >= 0 || text.at[i] == '='))
            continue;
        if (i - from >= LEAST && !layer(l, span_from(text.at + from, i - from), depth + 1))
            return false;
        from = i + 1;
    }
    return true;
}

static bool
layer(struct layers *l, struct span base64, unsigned depth)
{
    struct span bytes = bytes_of(base64, l->arena);

    if (span_empty(bytes))
        return true;
    struct span text = unpacked(l, bytes);
    if (!text_readings(text, l->arena, l->reading, l->with))
        return false;
    return depth == TEXT_MAX_DEPTH || inner_layers(l, text, depth);
}

bool
text_attachment(struct span base64, struct arena *scratch, text_reading *reading, void *with)
{
    struct layers l = { scratch, reading, with, TEXT_MAX_UNPACKED };

    return layer(&l, base64, 0);
}

/* ---- what a text is worth ------------------------------------------------------------------- */

/* YYYY-MM-DD and what follows it: R4 datatypes.html#dateTime. */
static bool
is_date(struct span text)
{
    static const char form[] = "0000-00-00";

    for (size_t i = 0; i < sizeof form - 1; i++) {
        bool digit = i < text.length && text.at[i] >= '0' && text.at[i] <= '9';
        if (form[i] == '0' ? !digit : i >= text.length || text.at[i] != '-')
            return false;
    }
    return text.length == 10 || text.at[10] == 'T';
}

/* A mark that is hardly written twice by chance: eight or more letters and
 * digits, three digits or several changes between letters and digits.  COVID-19
 * and SARS-CoV-2 are none, nor is a date or a number: what was done at the same
 * time has a time of its own. */
bool
text_unusual(struct span text)
{
    unsigned letters = 0, digits = 0, changes = 0;
    int      last    = 0;

    if (text.length < 8 || is_date(text))
        return false;
    for (size_t i = 0; i < text.length; i++) {
        char c    = text.at[i];
        int  kind = c >= '0' && c <= '9' ? 1 : (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? 2 : 0;
        digits += kind == 1;
        letters += kind == 2;
        if (kind != 0) {
            changes += last != 0 && kind != last;
            last = kind;
        }
    }
    return letters >= 1 && (digits >= 3 || (digits >= 2 && changes >= 3));
}

/* Single words that many records share. */
bool
text_common(struct span text)
{
    static const char *const words[] = {
        "active", "normal", "abnormal", "other", "unknown", "positive", "negative", "assessment", "problem",
        "encounter", "visit", "report", "history", "condition", "procedure", "medication", "observation",
        "patient", "routine", "screening", "treatment", "therapy", "counseling", "clinic", "hospital",
        "pharmacy", "laboratory", "reception", "outpatient", "inpatient", "ambulatory", "emergency", "center",
        "department", "office", "health", "medical", "general", "primary", "complete", "final", "summary",
        "document", "consent", "insurance", "support", "program", "practice", "physician", "doctor", "nurse",
        "glucose", "weight", "height", "creatinine", "depression", "anxiety", "diagnosis", "disorder", NULL
    };

    for (size_t i = 0; words[i] != NULL; i++)
        if (span_eq_nocase(text, span_of(words[i])))
            return true;
    return false;
}

unsigned
text_words(struct span text)
{
    struct word_reader r = { text, 0 };
    struct word        word;
    unsigned           n = 0;

    while (word_next(&r, &word))
        n++;
    return n;
}
