/* consent/attachment_pdf.c -- the text layer of a PDF, when it is plain (ISO 32000-1).
 *
 * Streams as they are or Flate (7.4.4); of a content stream the strings that
 * Tj, TJ, ' and " show (9.4.3), a line for each move of the text position.
 * Unreadable: encrypted (7.6), other filters around content, fonts whose
 * codes are glyph numbers (Identity-H, 9.7.5.2), pages that are only pictures, and
 * text of which too little is letters (a subset font with an encoding of its own).
 */
#include "consent/attachment.h"

#include <string.h>

#include "base/digits.h"
#include "consent/inflate.h"

#define LEAST_LETTERS   16
#define DICTIONARY_MOST 2048

struct pdf {
    struct arena *arena;
    size_t       *budget;
    char         *out;
    size_t        length, room;
    bool          glyphs;                /* codes that are not characters */
    bool          lost;                  /* a stream could not be unpacked or kept */
};

static void read_content(struct pdf *, struct span stream);

static bool
has(struct span text, const char *word)
{
    return span_find(text, span_of(word)) != SPAN_NOT_FOUND;
}

/* What may be taken at once: the arena is not for attachments alone. */
static size_t
most(const struct pdf *p)
{
    size_t left = arena_left(p->arena) / 4;

    if (left > *p->budget)
        left = *p->budget;
    return left < ATTACHMENT_MAX_INFLATED ? left : ATTACHMENT_MAX_INFLATED;
}

static bool
has_one(struct span text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (has(text, words[i]))
            return true;
    return false;
}

static void
put(struct pdf *p, char c)
{
    if (p->length == p->room) {
        size_t room = p->room > 0 ? p->room * 2 : 4096;
        char  *out  = room <= most(p) ? arena_alloc(p->arena, room) : NULL;
        if (out == NULL) {
            p->lost = true;
            return;
        }
        if (p->length > 0)
            memcpy(out, p->out, p->length);
        p->out  = out;
        p->room = room;
    }
    p->out[p->length++] = c;
}

/* The dictionary in front of a stream: from the last "obj" before it, and
 * behind the stream before it. */
static struct span
dictionary_before(struct span pdf, size_t stream, size_t last)
{
    size_t      from = stream > last + DICTIONARY_MOST ? stream - DICTIONARY_MOST : last;
    struct span near = span_from(pdf.at + from, stream - from);
    size_t      at   = 0, found;

    while ((found = span_find(span_skip(near, at), SPAN("obj"))) != SPAN_NOT_FOUND)
        at += found + 3;
    return span_skip(near, at);
}

static void
read_stream(struct pdf *p, struct span dictionary, struct span body)
{
    static const char *const pictures[] = { "/DCTDecode", "/JPXDecode", "/CCITTFaxDecode", "/JBIG2Decode",
                                            "/Subtype/Image", "/Subtype /Image" };
    /* 9.9: font programs; 7.5.8: cross-reference streams. */
    static const char *const fonts[] = { "/Length1", "/Type1C", "/CIDFontType0C", "/OpenType", "/XRef" };
    static const char *const others[] = { "/LZWDecode", "/ASCII85Decode", "/ASCIIHexDecode", "/RunLengthDecode",
                                          "/Crypt" };
    struct span unpacked = body;

    if (has_one(dictionary, pictures, sizeof pictures / sizeof pictures[0])
        || has_one(dictionary, fonts, sizeof fonts / sizeof fonts[0]))
        return;                          /* what it shows cannot be read, the text beside it can */
    if (has_one(dictionary, others, sizeof others / sizeof others[0])) {
        p->lost = true;
        return;
    }
    if (has(dictionary, "/FlateDecode") || has(dictionary, "/Fl ")) {
        enum status st = inflate_bytes(body, most(p), p->arena, &unpacked);
        *p->budget -= unpacked.length;
        if (st != ST_OK && unpacked.length == 0) {
            p->lost = true;
            return;
        }
    }
    p->glyphs |= has(unpacked, "/Identity-H") || has(unpacked, "/Identity-V");
    /* Fonts, colour profiles and cross-reference tables have no text operators. */
    if (has(unpacked, "BT") && (has(unpacked, "Tj") || has(unpacked, "TJ") || has(unpacked, "'")))
        read_content(p, unpacked);
}

bool
pdf_text(struct span pdf, struct arena *arena, size_t *budget, struct span *text)
{
    struct pdf p  = { .arena = arena, .budget = budget };
    size_t     at = 0, last = 0, letters = 0;

    p.glyphs = has(pdf, "/Identity-H") || has(pdf, "/Identity-V");
    if (has(pdf, "/Encrypt"))
        return false;
    for (;;) {
        size_t found = span_find(span_skip(pdf, at), SPAN("stream"));
        if (found == SPAN_NOT_FOUND)
            break;
        size_t start = at + found + 6;
        at = start;
        if (start > 9 && memcmp(pdf.at + start - 9, "endstream", 9) == 0)
            continue;
        if (start < pdf.length && pdf.at[start] == '\r')
            start++;
        if (start < pdf.length && pdf.at[start] == '\n')
            start++;
        size_t length = span_find(span_skip(pdf, start), SPAN("endstream"));
        if (length == SPAN_NOT_FOUND)
            break;
        read_stream(&p, dictionary_before(pdf, at - 6, last), span_from(pdf.at + start, length));
        at = last = start + length + 9;
    }
    for (size_t i = 0; i < p.length; i++) {
        char c = p.out[i];
        letters += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' || c == '\n';
    }
    *text = span_from(p.out, p.length);
    return !p.glyphs && !p.lost && letters >= LEAST_LETTERS && letters * 10 >= p.length * 7;
}

bool
pdf_content_text(struct span content, struct arena *arena, size_t *budget, struct span *text)
{
    struct pdf p = { .arena = arena, .budget = budget };

    read_content(&p, content);
    *text = span_from(p.out, p.length);
    return !p.lost;
}

/* ---- content streams -------------------------------------------------------- */

/* (...) with nesting and escapes (7.3.4.2); returns where it ends. */
static size_t
literal(struct pdf *p, struct span s, size_t at)
{
    unsigned depth = 1;

    while (at < s.length) {
        char c = s.at[at++];
        if (c == '\\' && at < s.length) {
            c = s.at[at++];
            if (c >= '0' && c <= '7') {
                unsigned value = (unsigned)(c - '0');
                for (int n = 0; n < 2 && at < s.length && s.at[at] >= '0' && s.at[at] <= '7'; n++)
                    value = value * 8 + (unsigned)(s.at[at++] - '0');
                put(p, (char)value);
            } else if (c == 'n' || c == 'r' || c == 't') {
                put(p, ' ');
            } else if (c != '\n' && c != '\r') {
                put(p, c);
            }
            continue;
        }
        depth += c == '(';
        depth -= c == ')';
        if (depth == 0)
            break;
        put(p, c);
    }
    return at;
}

static size_t
hexadecimal(struct pdf *p, struct span s, size_t at)
{
    int high = -1;

    while (at < s.length && s.at[at] != '>') {
        int d = digits_hex_value(s.at[at++]);
        if (d < 0)
            continue;
        if (high < 0) {
            high = d;
        } else {
            put(p, (char)(high * 16 + d));
            high = -1;
        }
    }
    return at + 1;
}

/* A number between the strings of TJ: a wide step back is a space (9.4.3). */
static size_t
step(struct pdf *p, struct span s, size_t at)
{
    size_t value = 0;
    bool   minus = s.at[at] == '-';

    for (at += minus; at < s.length && s.at[at] >= '0' && s.at[at] <= '9'; at++)
        value = value < 100000 ? value * 10 + (size_t)(s.at[at] - '0') : value;
    while (at < s.length && (s.at[at] == '.' || (s.at[at] >= '0' && s.at[at] <= '9')))
        at++;
    if (minus && value >= 180)
        put(p, ' ');
    return at;
}

static bool
is_operator(struct span s, size_t at, const char *name)
{
    size_t n = strlen(name);

    if (s.length - at < n || memcmp(s.at + at, name, n) != 0)
        return false;
    char behind = at + n < s.length ? s.at[at + n] : ' ';
    return behind == ' ' || behind == '\n' || behind == '\r' || behind == '\t' || behind == '[' || behind == '('
        || behind == '/' || behind == '<';
}

/* The operators that begin another line or end the text. */
static bool
is_move(struct span s, size_t at)
{
    static const char *const moves[] = { "Td", "TD", "T*", "Tm", "ET", "'", "\"" };

    if (at > 0 && s.at[at - 1] > ' ' && s.at[at - 1] != ')')
        return false;
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++)
        if (is_operator(s, at, moves[i]))
            return true;
    return false;
}

static void
read_content(struct pdf *p, struct span s)
{
    bool array = false;

    for (size_t at = 0; at < s.length; ) {
        char c = s.at[at];
        if (c == '(') {
            at = literal(p, s, at + 1);
        } else if (c == '<' && at + 1 < s.length && s.at[at + 1] != '<') {
            at = hexadecimal(p, s, at + 1);
        } else if (array && (c == '-' || (c >= '0' && c <= '9'))) {
            at = step(p, s, at);
        } else {
            array = c == '[' || (array && c != ']');
            if ((c == 'T' || c == 'E' || c == '\'' || c == '"') && is_move(s, at))
                put(p, '\n');
            at++;
        }
    }
}
