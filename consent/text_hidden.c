#include "consent/text_hidden.h"

#include "base/digits.h"
#include "consent/text_fold.h"

#define WORD 24                          /* of a style's property or value; longer ones are none of ours */

struct word { char at[WORD]; size_t length; };

static bool is_name_byte(char c);
static bool next_attribute(struct span *rest, struct span *name, struct span *value);
static void read_style(struct span style, bool *hides, bool *overrides, bool *from_right);

/* ---- the tag ------------------------------------------------------------------- */

static bool
is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == ':';
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '/';
}

static struct span
name_at(struct span text)
{
    size_t length = 0;

    while (length < text.length && is_name_byte(text.at[length]))
        length++;
    return span_first(text, length);
}

static bool
name_is(struct span name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_eq_nocase(name, span_of(names[i])))
            return true;
    return false;
}

enum hiding
hiding_of(struct span tag)
{
    static const char *const unseen[] = { "script", "style", "template" };
    struct span name = name_at(tag), attribute, value;
    bool hides = name_is(name, unseen, 3), overrides = span_eq_nocase(name, SPAN("bdo")), from_right = false;

    tag = span_skip(tag, name.length);
    while (!hides && next_attribute(&tag, &attribute, &value)) {
        if (span_eq_nocase(attribute, SPAN("hidden")))
            hides = true;
        else if (span_eq_nocase(attribute, SPAN("dir")))
            from_right |= span_eq_nocase(span_trim(value), SPAN("rtl"));
        else if (span_eq_nocase(attribute, SPAN("style")))
            read_style(value, &hides, &overrides, &from_right);
    }
    return hides ? HIDING_HIDDEN : overrides && from_right ? HIDING_TURNED : HIDING_NONE;
}

static bool
next_attribute(struct span *rest, struct span *name, struct span *value)
{
    while (!span_empty(*rest) && !is_name_byte(rest->at[0]))
        *rest = span_skip(*rest, 1);
    *name  = name_at(*rest);
    *value = (struct span){ NULL, 0 };
    *rest  = span_skip(*rest, name->length);
    while (!span_empty(*rest) && is_blank(rest->at[0]))
        *rest = span_skip(*rest, 1);
    if (span_empty(*rest) || rest->at[0] != '=')
        return !span_empty(*name);
    *rest = span_skip(*rest, 1);
    while (!span_empty(*rest) && is_blank(rest->at[0]))
        *rest = span_skip(*rest, 1);
    if (!span_empty(*rest) && (rest->at[0] == '"' || rest->at[0] == '\'')) {
        char   quote = rest->at[0];
        size_t end   = span_find_byte(span_skip(*rest, 1), quote);
        *value = span_first(span_skip(*rest, 1), end);
        *rest  = span_skip(*rest, end == SPAN_NOT_FOUND ? rest->length : end + 2);
        return true;
    }
    size_t length = 0;
    while (length < rest->length && !is_blank(rest->at[length]))
        length++;
    *value = span_first(*rest, length);
    *rest  = span_skip(*rest, length);
    return true;
}

/* ---- the style ------------------------------------------------------------------- */

static bool
word_is(const struct word *w, const char *text)
{
    return span_eq_text(span_from(w->at, w->length), text);
}

static bool
word_begins(const struct word *w, const char *text)
{
    return span_starts(span_from(w->at, w->length), span_of(text));
}

static void
word_put(struct word *w, int c)
{
    if (w->length < WORD && c != ' ' && c != '\n' && c != '"')
        w->at[w->length++] = (char)c;
}

/* 0, 0px, 0.00em, .0 */
static bool
word_is_zero(const struct word *w)
{
    bool digit = false;

    for (size_t i = 0; i < w->length; i++) {
        char c = w->at[i];
        if (c != '0' && c != '.' && c != '+')
            return digit && (c < '0' || c > '9');
        digit |= c == '0';
    }
    return digit;
}

static bool
declares_hiding(const struct word *property, const struct word *value)
{
    static const char *const sizes[] = { "font-size", "font", "width", "height", "max-width", "max-height", "opacity",
                                         "line-height", "zoom", "fill-opacity" };
    static const char *const places[] = { "text-indent", "left", "right", "top", "bottom", "margin", "margin-left",
                                          "margin-right", "margin-top", "letter-spacing" };
    struct span name = span_from(property->at, property->length);

    if (word_is(property, "display"))
        return word_begins(value, "none");
    if (word_is(property, "visibility") || word_is(property, "content-visibility"))
        return word_begins(value, "hidden") || word_begins(value, "collapse");
    if (word_is(property, "color") || word_is(property, "-webkit-text-fill-color"))
        return word_begins(value, "transparent");
    if (word_is(property, "transform"))
        return word_begins(value, "scale(0");
    if (word_is(property, "clip") || word_is(property, "clip-path"))
        return !word_is(value, "auto") && !word_is(value, "none");
    if (name_is(name, sizes, sizeof sizes / sizeof sizes[0]))
        return word_is_zero(value);
    return name_is(name, places, sizeof places / sizeof places[0]) && word_begins(value, "-");
}

/* "\64 isplay": up to six hex digits, then one blank.  Other escapes are the character. */
static int
style_escape(struct fold *f)
{
    uint32_t    point = 0;
    struct fold peek  = *f;
    int         c     = fold_next(&peek), digits = 0;

    while (digits < 6 && c > 0 && c < 128 && digits_hex_value(c) >= 0) {
        point = point * 16 + (uint32_t)digits_hex_value(c);
        *f    = peek;
        c     = fold_next(&peek);
        digits++;
    }
    if (digits == 0)
        return fold_next(f);
    if (c == ' ' || c == '\n')
        *f = peek;
    return point >= 'A' && point <= 'Z' ? (int)(point + 32) : point < 0x7f ? (int)point : FOLD_OTHER;
}

/* Over a comment when the cursor, behind a '/', stands at one. */
static bool
style_comment(struct fold *f)
{
    struct fold peek = *f;
    int         last = 0, c;

    if (fold_next(&peek) != '*')
        return false;
    while ((c = fold_next(&peek)) != FOLD_END && !(last == '*' && c == '/'))
        last = c;
    *f = peek;
    return true;
}

static void
read_style(struct span style, bool *hides, bool *overrides, bool *from_right)
{
    struct fold  f        = fold_over(style, FOLD_PLAIN);
    struct word  property = { .length = 0 }, value = { .length = 0 };
    struct word *now      = &property;
    int          c;

    do {
        c = fold_next(&f);
        if (c == '/' && style_comment(&f))
            continue;
        if (c == ';' || c == FOLD_END) {
            *hides      |= declares_hiding(&property, &value);
            *overrides  |= word_is(&property, "unicode-bidi") && (word_begins(&value, "bidi-override") || word_begins(&value, "isolate-override"));
            *from_right |= word_is(&property, "direction") && word_begins(&value, "rtl");
            property.length = value.length = 0;
            now = &property;
        } else if (c == ':' && now == &property) {
            now = &value;
        } else {
            word_put(now, c == '\\' ? style_escape(&f) : c);
        }
    } while (c != FOLD_END);
}

/* ---- the element ----------------------------------------------------------------- */

enum hiding
hiding_next(struct span text, size_t *at)
{
    size_t found;

    while ((found = span_find_byte(span_skip(text, *at), '<')) != SPAN_NOT_FOUND) {
        size_t start = *at + found;
        char   c     = start + 1 < text.length ? text.at[start + 1] : ' ';
        bool   tag   = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        *at = tag || c == '!' ? fold_tag_end(text, start) : start + 1;
        enum hiding how = tag ? hiding_of(span_from(text.at + start + 1, *at - start - 1)) : HIDING_NONE;
        if (how != HIDING_NONE) {
            *at = start;
            return how;
        }
    }
    *at = text.length;
    return HIDING_NONE;
}

size_t
hiding_element(struct span text, size_t start, size_t behind, struct span *inside)
{
    static const char *const voids[] = { "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr" };
    struct span name  = name_at(span_skip(text, start + 1));
    size_t      depth = 1, at = behind, found;

    *inside = span_from(text.at + behind, 0);
    if (name_is(name, voids, sizeof voids / sizeof voids[0])
        || (behind >= start + 2 && behind <= text.length && text.at[behind - 2] == '/'))
        return behind;
    while ((found = span_find_byte(span_skip(text, at), '<')) != SPAN_NOT_FOUND) {
        size_t tag     = at + found;
        bool   closing = tag + 1 < text.length && text.at[tag + 1] == '/';
        at = fold_tag_end(text, tag);
        if (!span_eq_nocase(name_at(span_skip(text, tag + 1 + closing)), name))
            continue;
        if (closing)
            depth--;
        else if (at < 2 || text.at[at - 2] != '/')
            depth++;
        if (depth == 0) {
            *inside = span_from(text.at + behind, tag - behind);
            return at;
        }
    }
    *inside = span_skip(text, behind);
    return text.length;
}
