/* consent/attachment_rtf.c -- the text of an RTF document (RTF Specification 1.9.1).
 *
 * Control words go, \par, \line, \cell and \row end a line, \'hh is a byte, \uN a code point;
 * destinations that hold no text (fonttbl, colortbl, pict, generator ...) go with all that is in
 * them.  What begins with \* may be left out by a viewer that does not know it and is there all the
 * same: notes, text boxes, fields, and whatever a writer made up.  It is read aside, behind the rest,
 * so that it neither hides nor splits a word of what is shown.
 */
#include "consent/attachment.h"

#include "base/digits.h"

#include <string.h>

struct rtf {
    struct span in;
    size_t      at;
    char       *out;
    size_t      length;
    unsigned    depth;
    unsigned    skip;                    /* depth of the group that is skipped; 0 none */
    unsigned    aside;                   /* depth of the outermost \* group; 0 none    */
    bool        reads_aside;             /* this pass keeps what is aside, and no more  */
    bool        has_aside;
};

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What is no digit counts as 0. */
static int
hex(char c)
{
    int value = digits_hex_value(c);

    return value > 0 ? value : 0;
}

static void
put(struct rtf *r, uint32_t point)
{
    if (r->skip != 0 || (r->aside != 0) != r->reads_aside)
        return;
    if (point < 0x80) {
        r->out[r->length++] = (char)point;
    } else if (point < 0x800) {
        r->out[r->length++] = (char)(0xc0 | point >> 6);
        r->out[r->length++] = (char)(0x80 | (point & 0x3f));
    } else {
        r->out[r->length++] = (char)(0xe0 | (point >> 12 & 0x0f));
        r->out[r->length++] = (char)(0x80 | (point >> 6 & 0x3f));
        r->out[r->length++] = (char)(0x80 | (point & 0x3f));
    }
}

static bool
holds_no_text(struct span word)
{
    static const char *const names[] = { "fonttbl", "colortbl", "stylesheet", "pict", "themedata", "datastore",
                                         "listtable", "listoverridetable", "latentstyles", "objdata", "blipuid",
                                         "generator" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (span_eq_text(word, names[i]))
            return true;
    return false;
}

static void
control_word(struct rtf *r)
{
    size_t start = r->at, number = 0;
    bool   minus = false;

    while (r->at < r->in.length && is_letter(r->in.at[r->at]))
        r->at++;
    struct span word = span_from(r->in.at + start, r->at - start);
    if (r->at < r->in.length && r->in.at[r->at] == '-') {
        minus = true;
        r->at++;
    }
    while (r->at < r->in.length && r->in.at[r->at] >= '0' && r->in.at[r->at] <= '9' && number < 1000000)
        number = number * 10 + (size_t)(r->in.at[r->at++] - '0');
    if (r->at < r->in.length && r->in.at[r->at] == ' ')
        r->at++;
    if (span_eq_text(word, "u")) {
        put(r, (uint32_t)(minus ? 65536 - number : number) & 0xffff);
        if (r->at < r->in.length && r->in.at[r->at] == '?')
            r->at++;                     /* what older readers show instead */
    } else if (span_eq_text(word, "bin")) {
        r->at = number < r->in.length - r->at ? r->at + number : r->in.length;
    } else if (span_eq_text(word, "par") || span_eq_text(word, "line") || span_eq_text(word, "row")
               || span_eq_text(word, "sect") || span_eq_text(word, "page") || span_eq_text(word, "cell")) {
        put(r, '\n');
    } else if (span_eq_text(word, "tab")) {
        put(r, ' ');
    } else if (r->skip == 0 && holds_no_text(word)) {
        r->skip = r->depth;
    }
}

static void
control(struct rtf *r)
{
    char c = r->at < r->in.length ? r->in.at[r->at] : 0;

    if (is_letter(c)) {
        control_word(r);
        return;
    }
    r->at++;
    if (c == '\'' && r->at + 1 < r->in.length) {
        put(r, (uint32_t)(hex(r->in.at[r->at]) * 16 + hex(r->in.at[r->at + 1])));
        r->at += 2;
    } else if (c == '~') {
        put(r, ' ');
    } else if (c == '*') {
        if (r->aside == 0 && r->at >= 3 && r->in.at[r->at - 3] == '{') {
            r->aside     = r->depth;
            r->has_aside = true;
        }
    } else if (c == '\\' || c == '{' || c == '}') {
        put(r, (uint32_t)(unsigned char)c);
    } else if (c == '\n' || c == '\r') {
        put(r, '\n');
    }                                    /* \- is a soft hyphen: nothing */
}

static void
close_group(struct rtf *r)
{
    if (r->skip == r->depth)
        r->skip = 0;
    if (r->aside == r->depth && r->aside != 0) {
        put(r, '\n');
        r->aside = 0;
    }
    r->depth -= r->depth > 0;
}

static void
read_through(struct rtf *r)
{
    r->at = r->depth = r->skip = r->aside = 0;
    while (r->at < r->in.length) {
        char c = r->in.at[r->at++];
        if (c == '{')
            r->depth++;
        else if (c == '}')
            close_group(r);
        else if (c == '\\')
            control(r);
        else if (c != '\n' && c != '\r')
            put(r, (uint32_t)(unsigned char)c);
    }
}

/* No byte is written in both passes, so that both have room where one has. */
bool
rtf_text(struct span in, struct arena *arena, struct span *text)
{
    struct rtf r = { .in = in, .out = arena_alloc(arena, in.length * 2 + 4) };

    if (r.out == NULL)
        return false;
    read_through(&r);
    if (r.has_aside) {
        r.out[r.length++] = '\n';
        r.reads_aside = true;
        read_through(&r);
    }
    *text = span_from(r.out, r.length);
    return true;
}
