/* consent/attachment_rtf.c -- the text of an RTF document (RTF Specification 1.9.1).
 *
 * Control words go, \par, \line, \cell and \row end a line, \'hh is a byte, \uN a code point;
 * destinations that hold no text (fonttbl, colortbl, pict, \* groups ...) go
 * with all that is in them.  Notes, text boxes and fields are \* groups that a viewer shows.
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
    if (r->skip != 0)
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
                                         "listtable", "listoverridetable", "latentstyles", "objdata", "blipuid" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (span_eq_text(word, names[i]))
            return true;
    return false;
}

/* After \*: whether it is one of those that hold what somebody wrote. */
static bool
holds_text(struct span rest)
{
    static const char *const names[] = { "annotation", "shpinst", "shptxt", "fldinst", "comment", "docvar", "ffdeftext", "ffname",
                                         "ffhelptext", "ffstattext", "ffl", "userprops", "bkmkstart", "ud", "atnid", "atnauthor" };
    size_t length = 1;

    rest = span_trim(rest);
    if (rest.length == 0 || rest.at[0] != '\\')
        return false;
    while (length < rest.length && is_letter(rest.at[length]))
        length++;
    struct span word = span_skip(span_first(rest, length), 1);
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
        if (r->skip == 0 && !holds_text(span_first(span_skip(r->in, r->at), 64)))
            r->skip = r->depth;
    } else if (c == '\\' || c == '{' || c == '}') {
        put(r, (uint32_t)(unsigned char)c);
    } else if (c == '\n' || c == '\r') {
        put(r, '\n');
    }                                    /* \- is a soft hyphen: nothing */
}

bool
rtf_text(struct span in, struct arena *arena, struct span *text)
{
    struct rtf r = { .in = in, .out = arena_alloc(arena, in.length * 2 + 4) };

    if (r.out == NULL)
        return false;
    while (r.at < in.length) {
        char c = in.at[r.at++];
        if (c == '{') {
            r.depth++;
        } else if (c == '}') {
            if (r.skip == r.depth)
                r.skip = 0;
            r.depth -= r.depth > 0;
        } else if (c == '\\') {
            control(&r);
        } else if (c != '\n' && c != '\r') {
            put(&r, (uint32_t)(unsigned char)c);
        }
    }
    *text = span_from(r.out, r.length);
    return true;
}
