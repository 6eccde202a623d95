/* consent/attachment_rtf.c -- the text of an RTF document (RTF Specification 1.9.1).
 *
 * Control words go, \par, \line, \cell and \row end a line, \'hh is a byte, \uN a code point;
 * destinations that hold no text (fonttbl, colortbl, pict, generator ...) go with all that is in
 * them.  What begins with \* may be left out by a viewer that does not know it and is there all the
 * same: notes, text boxes, fields, and whatever a writer made up.  It is read aside, behind the rest,
 * so that it neither hides nor splits a word of what is shown.  So are footnotes, headers, entries of
 * an index and hidden text (\v), which stand in the middle of the words that they belong to.
 *
 * In place, where viewers show it: \*\ud, the second half of {\upr{ANSI}{\*\ud{Unicode}}}, whose first half is
 * aside; and the text of a formula (\*\moMath).
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
    unsigned    aside;                   /* depth of the outermost group that is aside; 0 none */
    unsigned    upr;                     /* the same where it is \upr; 0 */
    unsigned    shown;                   /* depth of the group in it that is in place; 0 none */
    bool        hidden;                  /* it is aside by \v, which \v0 ends            */
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
    if (r->skip != 0 || (r->aside != 0 && r->shown == 0) != r->reads_aside)
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
is_one_of(struct span word, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_eq_text(word, names[i]))
            return true;
    return false;
}

static bool
holds_no_text(struct span word)
{
    static const char *const names[] = { "fonttbl", "colortbl", "stylesheet", "pict", "themedata", "datastore",
                                         "listtable", "listoverridetable", "latentstyles", "objdata", "blipuid",
                                         "generator" };

    return is_one_of(word, names, sizeof names / sizeof names[0]);
}

/* Destinations whose text is shown, if at all, in another place than where it stands. */
static bool
stands_elsewhere(struct span word)
{
    static const char *const names[] = { "upr", "footnote", "header", "headerl", "headerr", "headerf", "footer", "footerl",
                                         "footerr", "footerf", "info", "xe", "tc", "tcn" };

    return is_one_of(word, names, sizeof names / sizeof names[0]);
}

static void
set_aside(struct rtf *r, struct span word)
{
    if (r->aside != 0)
        return;
    r->aside     = r->depth;
    r->upr       = span_eq_text(word, "upr") ? r->depth : 0;
    r->hidden    = span_eq_text(word, "v");
    r->has_aside = true;
}

static void
end_aside(struct rtf *r)
{
    put(r, '\n');
    r->aside  = r->upr = 0;
    r->hidden = false;
}

/* The control word behind \*; where it stands is left as it is. */
static struct span
word_behind(const struct rtf *r)
{
    size_t at = r->at, start;

    while (at < r->in.length && (r->in.at[at] == '\n' || r->in.at[at] == '\r'))
        at++;
    if (at == r->in.length || r->in.at[at] != '\\')
        return span_from(r->in.at, 0);
    for (start = ++at; at < r->in.length && is_letter(r->in.at[at]); at++)
        continue;
    return span_from(r->in.at + start, at - start);
}

/* {\* */
static void
star(struct rtf *r)
{
    static const char *const in_place[] = { "ud", "moMath", "moMathPara" };
    struct span              word       = word_behind(r);

    if (r->at < 3 || r->in.at[r->at - 3] != '{')
        return;
    if (span_eq_text(word, "ud") && r->upr != 0 && r->depth == r->upr + 1)
        r->shown = r->depth;
    else if (!is_one_of(word, in_place, sizeof in_place / sizeof in_place[0]))
        set_aside(r, word);
}

/* Properties of characters: `\v` to the end of the group, to `\v0` or `\plain`. */
static void
hide(struct rtf *r, bool on)
{
    if (on && r->hidden && r->shown == r->depth)
        r->shown = 0;
    else if (on)
        set_aside(r, SPAN("v"));
    else if (r->hidden && r->aside == r->depth)
        end_aside(r);
    else if (r->hidden && r->shown == 0)
        r->shown = r->depth;             /* a group in it that is not */
}

static void
control_word(struct rtf *r)
{
    size_t start = r->at, number = 0;
    bool   minus = false, numbered;

    while (r->at < r->in.length && is_letter(r->in.at[r->at]))
        r->at++;
    struct span word = span_from(r->in.at + start, r->at - start);
    if (r->at < r->in.length && r->in.at[r->at] == '-') {
        minus = true;
        r->at++;
    }
    numbered = r->at < r->in.length && r->in.at[r->at] >= '0' && r->in.at[r->at] <= '9';
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
    } else if (span_eq_text(word, "v") || span_eq_text(word, "plain")) {
        hide(r, word.length == 1 && (!numbered || number != 0));
    } else if (r->skip == 0 && holds_no_text(word)) {
        r->skip = r->depth;
    } else if (stands_elsewhere(word)) {
        set_aside(r, word);
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
        star(r);
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
    if (r->shown == r->depth)
        r->shown = 0;
    if (r->aside == r->depth && r->aside != 0)
        end_aside(r);
    r->depth -= r->depth > 0;
}

static void
read_through(struct rtf *r)
{
    r->at = r->depth = r->skip = r->aside = r->upr = r->shown = 0;
    r->hidden = false;
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
