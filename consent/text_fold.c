#include "consent/text_fold.h"

#include "base/digits.h"
#include "consent/text_hidden.h"

#include <string.h>

#define OVERRIDE_RIGHT 0x202eu           /* RLO: what follows is written from right to left, letters too */
#define OVERRIDE_LEFT  0x202du
#define OVERRIDE_POP   0x202cu

static int      next_raw(struct fold *);
static int      skip_tag(struct fold *);
static uint32_t read_point(struct fold *);
static size_t   override_end(struct fold);
static void     turn(struct fold *);
static uint32_t read_entity(struct fold *);
static uint32_t read_utf8(struct fold *);
static int      fold_point(uint32_t, bool *upper);
static int      fold_bmp(uint32_t, bool *upper);

static bool
is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int
lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

struct fold
fold_over(struct span text, enum fold_form form)
{
    return (struct fold){ .text = text, .form = form };
}

struct fold
fold_over_seen(struct span text, enum fold_form form, struct fold_turned *turned)
{
    return (struct fold){ .text = text, .form = form, .turned = turned };
}

static int
byte_at(const struct fold *f, size_t i)
{
    return i < f->text.length ? (unsigned char)f->text.at[i] : FOLD_END;
}

int
fold_next(struct fold *f)
{
    if (f->pending != 0) {
        int c      = f->pending;
        f->pending = 0;
        return c;
    }
    int c = next_raw(f);
    /* OpioidUse is two words in a URI; in prose HeRoin is one. */
    if (f->form == FOLD_URI && f->upper && f->was_lower) {
        f->pending   = c;
        f->was_lower = false;
        return ' ';
    }
    f->was_lower = !f->upper && c >= 'a' && c <= 'z';
    return c;
}

static int
next_turned(struct fold *f)
{
    int c = f->turned->at[--f->turned_left];

    f->start = f->turned_from;
    f->upper = c >= 'A' && c <= 'Z';
    return lower(c);
}

static int
next_raw(struct fold *f)
{
    for (;;) {
        if (f->turned_left > 0)
            return next_turned(f);
        int c = byte_at(f, f->at);
        f->start = f->at;
        f->upper = false;
        if (c == FOLD_END)
            return FOLD_END;
        if (f->at < f->turned_end) {
            turn(f);
            continue;
        }
        if (c == '<' && f->form == FOLD_MARKUP) {
            int edge = skip_tag(f);
            if (edge == 0)
                continue;
            return edge;
        }
        uint32_t point  = read_point(f);
        int      folded = fold_point(point, &f->upper);
        if (point == OVERRIDE_RIGHT) {
            f->seen_otherwise = true;
            if (f->turned != NULL)
                f->turned_end = override_end(*f);
        }
        if (folded != 0)
            return folded;
    }
}

/* The character at the cursor, whatever it is written as. */
static uint32_t
read_point(struct fold *f)
{
    int c = byte_at(f, f->at);

    if (c == '&')
        return read_entity(f);
    if (c == '%' && f->form == FOLD_URI && digits_hex_value(byte_at(f, f->at + 1)) >= 0
        && digits_hex_value(byte_at(f, f->at + 2)) >= 0) {
        f->at += 3;
        return (uint32_t)(digits_hex_value(byte_at(f, f->at - 2)) * 16 + digits_hex_value(byte_at(f, f->at - 1)));
    }
    if (c >= 0x80)
        return read_utf8(f);
    f->at++;
    return (uint32_t)c;
}

/* An override ends with its pop, or with its paragraph. */
static size_t
override_end(struct fold f)
{
    while (f.at < f.text.length) {
        size_t before = f.at;
        if (byte_at(&f, f.at) == '<' && f.form == FOLD_MARKUP) {
            if (skip_tag(&f) == '\n')
                return before;
            continue;
        }
        uint32_t point = read_point(&f);
        if (point == OVERRIDE_POP || point == OVERRIDE_LEFT || point == 0x2029)
            return before;
    }
    return f.text.length;
}

/* Takes a piece of the run that is written from right to left. */
static void
turn(struct fold *f)
{
    size_t   end   = f->turned_end, behind_blank = 0;
    uint16_t count = 0, blank = 0;

    f->turned_from = f->at;
    while (f->at < end && count < FOLD_TURNED_MAX) {
        bool upper = false;
        int  c     = byte_at(f, f->at) == '<' && f->form == FOLD_MARKUP ? skip_tag(f) : fold_point(read_point(f), &upper);
        if (c == 0)
            continue;
        f->turned->at[count++] = (char)(upper && is_letter(c) ? c - ('a' - 'A') : c);
        if (c == ' ' || c == '\n') {
            blank        = count;
            behind_blank = f->at;
        }
    }
    if (f->at < end && blank > 0) {
        count = blank;
        f->at = behind_blank;
    }
    f->turned_to   = f->at;
    f->turned_left = count;
}

/* Elements that stand inside a word or a line: "her<b>oin</b>" is one word. */
static bool
is_inline(struct span name)
{
    static const char *const names[] = { "b", "i", "em", "strong", "span", "a", "u", "s", "font", "sub", "sup",
                                         "small", "code", "tt", "big", "abbr", "acronym", "mark", "wbr",
                                         "content", "ins", "del", "q", "cite", "label" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (span_eq_nocase(name, span_of(names[i])))
            return true;
    return false;
}

/* Where the tag that begins at `at` ends (behind its '>'); quotes may hold one. */
static size_t
tag_end(struct span text, size_t at)
{
    char quote = 0;

    for (size_t i = at + 1; i < text.length; i++) {
        char c = text.at[i];
        if (quote != 0)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>')
            return i + 1;
    }
    return text.length;
}

static bool
begins(struct span text, size_t at, const char *with)
{
    return span_starts(span_skip(text, at), span_of(with));
}

static size_t
after(struct span text, size_t at, const char *closing)
{
    size_t found = span_find(span_skip(text, at), span_of(closing));

    return found == SPAN_NOT_FOUND ? text.length : at + found + strlen(closing);
}

/* Behind the start tag at `start`: whether its element is not there to the eye.  The
 * second reading is then behind it; a turned one is noted. */
static bool
hide_tag(struct fold *f, size_t start)
{
    struct span tag = span_from(f->text.at + start + 1, f->at - start - 1), inside;
    enum hiding how = hiding_of(tag);

    if (how == HIDING_NONE)
        return false;
    f->seen_otherwise = true;
    if (f->turned == NULL)
        return false;
    size_t end = hiding_element(f->text, start, f->at, &inside);
    if (how == HIDING_HIDDEN)
        f->at = end;
    else if (f->turned_end <= f->at)
        f->turned_end = f->at + inside.length;
    return how == HIDING_HIDDEN;
}

/* Behind a tag: 0 when it stands inside a word, '\n' when it ends a block,
 * '<' when it was none. */
static int
skip_tag(struct fold *f)
{
    struct span text = f->text;
    size_t      name = f->at + 1;

    if (begins(text, f->at, "<!--")) {
        f->at = after(text, f->at, "-->");
        return 0;
    }
    if (begins(text, f->at, "<![CDATA[")) {
        f->at += 9;                      /* its inside is text; "]]>" reads as punctuation */
        return 0;
    }
    if (byte_at(f, name) == '/')
        name++;
    int c = byte_at(f, name);
    if (!is_letter(c) && c != '!' && c != '?') {
        f->at++;
        return '<';
    }
    size_t end = name;
    while (is_letter(byte_at(f, end)) || digits_hex_value(byte_at(f, end)) >= 0)
        end++;
    struct span tag   = span_from(text.at + name, end - name);
    size_t      start = f->at;
    f->at = tag_end(text, start);
    if (name == start + 1 && hide_tag(f, start))
        return 0;
    return is_inline(tag) ? 0 : '\n';
}

bool
fold_looks_marked_up(struct span text)
{
    size_t at = 0, last = span_find_last_byte(text, '>');

    while (last != SPAN_NOT_FOUND && at < last) {
        size_t found = span_find_byte(span_skip(text, at), '<');
        if (found == SPAN_NOT_FOUND)
            return false;
        at += found + 1;
        int c = at < text.length ? text.at[at] : 0;
        /* "<5 mg" is not markup. */
        if ((is_letter(c) || c == '/' || c == '!' || c == '?') && at < last)
            return true;
    }
    return false;
}

size_t
fold_tag_end(struct span text, size_t at)
{
    if (begins(text, at, "<!--"))
        return after(text, at, "-->");
    return begins(text, at, "<![CDATA[") ? at + 9 : tag_end(text, at);
}

bool
fold_hidden(struct span text, size_t *at, struct span *inside)
{
    enum hiding how;

    while ((how = hiding_next(text, at)) != HIDING_NONE) {
        size_t start = *at;
        *at = fold_tag_end(text, start);
        if (how != HIDING_HIDDEN)
            continue;
        *at = hiding_element(text, start, *at, inside);
        return true;
    }
    return false;
}

/* Behind the tag at `start`, whose inside is an aside when it is more than a
 * name: attributes, and prose that only looks like a tag ("x<y and ... >"). */
static bool
tag_aside(struct span text, size_t start, size_t *at, struct span *aside)
{
    size_t end = tag_end(text, start);

    *at    = end;
    *aside = span_from(text.at + start + 1, end - start - 1);
    for (size_t i = 0; i < aside->length; i++)
        if (aside->at[i] <= ' ' || aside->at[i] == '=')
            return true;
    return false;
}

bool
fold_aside(struct span text, size_t *at, struct span *aside)
{
    size_t found;

    while ((found = span_find_byte(span_skip(text, *at), '<')) != SPAN_NOT_FOUND) {
        size_t start = *at + found;
        int    c     = start + 1 < text.length ? text.at[start + 1] : 0;
        if (begins(text, start, "<!--")) {
            *at    = after(text, start, "-->");
            *aside = span_from(text.at + start + 4, *at - start - 4);
            return true;
        }
        if (begins(text, start, "<![CDATA["))
            *at = start + 9;
        else if (!is_letter(c) && c != '/' && c != '!' && c != '?')
            *at = start + 1;
        else if (tag_aside(text, start, at, aside))
            return true;
    }
    return false;
}

/* ---- code points --------------------------------------------------------- */

static const struct { const char *name; uint32_t point; } entities[] = {
    { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' }, { "nbsp", ' ' },
    { "shy", 0xad }, { "zwnj", 0x200c }, { "zwj", 0x200d }, { "ensp", ' ' }, { "emsp", ' ' },
    { "thinsp", ' ' }, { "ndash", '-' }, { "mdash", '-' },
};

/* "&oacute;" is an o.  HTML names accented letters by the letter and the accent. */
static uint32_t
accented(struct span name)
{
    static const char *const accents[] = { "acute", "grave", "circ", "uml", "tilde", "cedil", "ring", "slash", "caron" };

    for (size_t i = 0; i < sizeof accents / sizeof accents[0]; i++)
        if (name.length == strlen(accents[i]) + 1 && span_eq_text(span_skip(name, 1), accents[i]))
            return (uint32_t)(unsigned char)name.at[0];
    return ' ';
}

static uint32_t
numeric_entity(struct span digits)
{
    bool     hex   = digits.length > 0 && (digits.at[0] == 'x' || digits.at[0] == 'X');
    uint32_t point = 0;

    for (size_t i = hex ? 1 : 0; i < digits.length; i++) {
        int d = digits_hex_value(digits.at[i]);
        if (d < 0 || (!hex && d > 9) || point > 0x10ffff)
            return ' ';
        point = point * (hex ? 16 : 10) + (uint32_t)d;
    }
    return point;
}

static uint32_t
read_entity(struct fold *f)
{
    struct span rest = span_skip(f->text, f->at + 1);
    size_t      end  = span_find_byte(span_first(rest, 12), ';');

    if (end == SPAN_NOT_FOUND || end == 0) {
        f->at++;
        return '&';
    }
    struct span name = span_first(rest, end);
    for (size_t i = 0; i < name.length; i++)
        if (!is_letter(name.at[i]) && !(name.at[i] >= '0' && name.at[i] <= '9') && !(i == 0 && name.at[0] == '#')) {
            f->at++;
            return '&';                  /* "salt & pepper; ..." */
        }
    f->at += end + 2;
    if (name.at[0] == '#')
        return numeric_entity(span_skip(name, 1));
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
        if (span_eq_text(name, entities[i].name))
            return entities[i].point;
    return accented(name);
}

/* The tape has checked UTF-8; decoded attachments have not been: a byte that
 * begins nothing is read as Latin-1. */
static uint32_t
read_utf8(struct fold *f)
{
    unsigned lead  = (unsigned)byte_at(f, f->at);
    unsigned more  = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    uint32_t point = lead & (0x3fu >> more);

    f->at++;
    if (lead < 0xc2 || lead > 0xf4)
        return lead;
    for (unsigned i = 0; i < more; i++) {
        int c = byte_at(f, f->at + i);
        if (c < 0x80 || c > 0xbf)
            return lead;
        point = point << 6 | ((unsigned)c & 0x3f);
    }
    f->at += more;
    return point;
}

/* Letters in the order of the code points from U+00C0, Latin-1 Supplement. */
static const char latin1[] = "aaaaaaaceeeeiiiidnooooo*ouuuuytsaaaaaaaceeeeiiiidnooooo*ouuuuyty";
/* Latin Extended-A, U+0100 .. U+017F. */
static const char latin_a[] = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
                              "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

struct homoglyph { uint16_t point; char letter; };

/* Cyrillic, Greek and Armenian letters that are drawn like Latin ones (Unicode TR 39,
 * confusables), sorted. */
static const struct homoglyph homoglyphs[] = {
    { 0x0131, 'i' }, { 0x0261, 'g' }, { 0x0269, 'i' }, { 0x0391, 'a' }, { 0x0392, 'b' }, { 0x0395, 'e' },
    { 0x0397, 'h' }, { 0x0399, 'i' }, { 0x039a, 'k' }, { 0x039c, 'm' }, { 0x039d, 'n' }, { 0x039f, 'o' },
    { 0x03a1, 'p' }, { 0x03a4, 't' }, { 0x03a5, 'y' }, { 0x03a7, 'x' }, { 0x03b1, 'a' }, { 0x03b5, 'e' },
    { 0x03b7, 'n' }, { 0x03b9, 'i' }, { 0x03ba, 'k' }, { 0x03bd, 'v' }, { 0x03bf, 'o' }, { 0x03c1, 'p' },
    { 0x03c4, 't' }, { 0x03c5, 'u' }, { 0x03c7, 'x' }, { 0x03f2, 'c' }, { 0x0405, 's' }, { 0x0406, 'i' },
    { 0x0408, 'j' }, { 0x0410, 'a' }, { 0x0412, 'b' }, { 0x0415, 'e' }, { 0x041a, 'k' }, { 0x041c, 'm' },
    { 0x041d, 'h' }, { 0x041e, 'o' }, { 0x0420, 'p' }, { 0x0421, 'c' }, { 0x0422, 't' }, { 0x0423, 'y' },
    { 0x0425, 'x' }, { 0x0430, 'a' }, { 0x0432, 'b' }, { 0x0435, 'e' }, { 0x043a, 'k' }, { 0x043c, 'm' },
    { 0x043d, 'h' }, { 0x043e, 'o' }, { 0x043f, 'n' }, { 0x0440, 'p' }, { 0x0441, 'c' }, { 0x0442, 't' },
    { 0x0443, 'y' }, { 0x0445, 'x' }, { 0x0455, 's' }, { 0x0456, 'i' }, { 0x0458, 'j' }, { 0x04bb, 'h' },
    { 0x04cf, 'l' }, { 0x0501, 'd' }, { 0x051b, 'q' }, { 0x051d, 'w' }, { 0x0570, 'h' }, { 0x0578, 'n' },
    { 0x057d, 'u' }, { 0x0585, 'o' },
};

static int
homoglyph(uint32_t p)
{
    size_t low = 0, high = sizeof homoglyphs / sizeof homoglyphs[0];

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (homoglyphs[middle].point == p)
            return homoglyphs[middle].letter;
        if (homoglyphs[middle].point < p)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static bool
is_invisible(uint32_t p)
{
    return p == 0xad || p == 0x34f || p == 0x61c || p == 0x115f || p == 0x1160 || p == 0x17b4 || p == 0x17b5
        || (p >= 0x180b && p <= 0x180f) || (p >= 0x200b && p <= 0x200f) || (p >= 0x202a && p <= 0x202e)
        || (p >= 0x2060 && p <= 0x206f) || p == 0xfeff || (p >= 0xfe00 && p <= 0xfe0f)
        || (p >= 0x0300 && p <= 0x036f) || (p >= 0x20d0 && p <= 0x20ff) || (p >= 0xe0000 && p <= 0xe0fff);
}

static bool
is_space(uint32_t p)
{
    return p == 0xa0 || p == 0x1680 || (p >= 0x2000 && p <= 0x200a) || p == 0x202f || p == 0x205f || p == 0x3000;
}

/* 0: not handed out. */
static int
fold_point(uint32_t p, bool *upper)
{
    *upper = p >= 'A' && p <= 'Z';
    if (p == '\n' || p == '\r' || p == '\f' || p == 0x2028 || p == 0x2029)
        return '\n';
    if (p < ' ' || p == 0x7f)
        return ' ';
    if (p < 0x80)
        return lower((int)p);
    if (is_invisible(p))
        return 0;
    if (is_space(p))
        return ' ';
    if (p >= 0x1d400 && p <= 0x1d6a3)                        /* mathematical alphabets: 52 letters each */
        return 'a' + (int)((p - 0x1d400) % 52 % 26);
    if (p >= 0x1d7ce && p <= 0x1d7ff)
        return '0' + (int)((p - 0x1d7ce) % 10);
    return fold_bmp(p, upper);
}

static int
fold_bmp(uint32_t p, bool *upper)
{
    if (p >= 0xff01 && p <= 0xff5e) {                        /* full width */
        *upper = p >= 0xff21 && p <= 0xff3a;
        return lower((int)(p - 0xfee0));
    }
    if (p >= 0x24b6 && p <= 0x24e9)                          /* circled */
        return 'a' + (int)((p - 0x24b6) % 26);
    if (p >= 0xc0 && p <= 0xff)
        return latin1[p - 0xc0];
    if (p >= 0x100 && p <= 0x17f && p != 0x131)
        return latin_a[p - 0x100];
    if (p >= 0x2010 && p <= 0x2015)
        return '-';
    if (p == 0x2212)
        return '-';
    if (p == 0x2018 || p == 0x2019 || p == 0x2bc)
        return '\'';
    if (p == 0x2022 || p == 0xb7 || p == 0x2026)
        return '.';
    int letter = homoglyph(p);
    return letter != 0 ? letter : FOLD_OTHER;
}
