#include "fhir/xhtml.h"

#include <assert.h>

/* ---- the whitelist --------------------------------------------------------------------- */

enum element {
#define XHTML_ELEMENT(name, text, parents, children, traits) ELEMENT_##name,
#include "fhir/xhtml.def"
#undef XHTML_ELEMENT
    ELEMENT_OTHER                        /* not of the list */
};
static_assert(ELEMENT_OTHER < 64, "a set of elements is 64 bits");

#define B(name) ((uint64_t)1 << ELEMENT_##name)
#define ANY     UINT64_MAX
#define NONE    UINT64_C(0)
#define ROWS    (B(TR) | B(TBODY) | B(TFOOT) | B(THEAD))
#define BLOCKS  (B(DIV) | B(TABLE) | B(OL) | B(UL) | B(PRE))
/* What a <p> may not have, however deep: HTML 4.0 9.3.1, "The P element … cannot contain block-level elements". */
#define NOT_IN_P (B(DIV) | B(TABLE) | B(OL) | B(UL) | B(P) | B(BLOCKQUOTE))

enum trait { EMPTY = 1, LINE = 2, ONCE = 4 };
enum value { PLAIN = 0, URL, LINK, IMAGE, STYLE, ANCHOR, NAMESPACE, LANG, XML_LANG };

static const struct tag { const char *name; uint64_t parents, children; unsigned traits; } tags[] = {
#define XHTML_ELEMENT(name, text, parents, children, traits) { text, parents, children, traits },
#include "fhir/xhtml.def"
#undef XHTML_ELEMENT
    { "", ANY, ANY, 0 },
};

/* No block may be inside of these, however deep. */
static const uint64_t lines = 0
#define XHTML_ELEMENT(name, text, parents, children, traits) | ((traits) & LINE ? B(name) : 0)
#include "fhir/xhtml.def"
#undef XHTML_ELEMENT
    ;

static const struct attribute { const char *name; uint64_t of; enum value value; } attributes[] = {
#define XHTML_ATTRIBUTE(name, of, value) { name, of, value },
#include "fhir/xhtml.def"
#undef XHTML_ATTRIBUTE
};
#define ATTRIBUTES (sizeof attributes / sizeof attributes[0])

/* Elements whose very presence is an attack or a form to fill in. */
static const char *const acting[] = { "applet", "base", "embed", "form", "frame", "frameset", "iframe", "input",
                                      "link", "math", "meta", "object", "script", "style", "svg", "template" };

static int
order(const char *row, struct span name)
{
    return span_compare(span_of(row), name);
}

static enum element
element_named(struct span name)
{
    size_t low = 0, high = ELEMENT_OTHER;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int    so     = order(tags[middle].name, name);
        if (so == 0)
            return (enum element)middle;
        if (so < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return ELEMENT_OTHER;
}

static const struct attribute *
attribute_named(struct span name)
{
    size_t low = 0, high = ATTRIBUTES;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int    so     = order(attributes[middle].name, name);
        if (so == 0)
            return &attributes[middle];
        if (so < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- the reader --------------------------------------------------------------------------- */

struct open {
    uint64_t     around;                 /* the elements that were open before it */
    uint32_t     name, length;
    enum element element;
};

struct reader {
    const char                 *at, *end, *start;
    struct xhtml_faults        *faults;
    const struct xhtml_anchors *anchors;
    bool                        fine;
    bool                        broken;      /* a FORM fault: stop            */
    bool                        misplaced;   /* a PLACE fault was told         */
    bool                        says;        /* text or an image was met      */
    bool                        began, ended;
    uint64_t                    inside;      /* the elements that are open    */
    uint32_t                    depth;
    struct open                 stack[XHTML_DEPTH];
};

#define NO_NAME ((struct span){ NULL, 0 })

static bool acts(struct span name);

/* A name that HTML does not have is text of somebody: "<Smith, Ann>". */
static struct span
may_be_said(struct span name)
{
    return element_named(name) != ELEMENT_OTHER || attribute_named(name) != NULL || acts(name) ? name : NO_NAME;
}

static void
fault(struct reader *r, enum xhtml_rule rule, const char *at, const char *wanted, struct span name)
{
    if (rule == XHTML_PLACE && r->misplaced)
        return;
    r->misplaced = r->misplaced || rule == XHTML_PLACE;
    r->fine      = r->fine && rule == XHTML_PLACE;
    if (rule == XHTML_FORM)
        r->broken = true;
    if (r->faults == NULL || r->faults->count == XHTML_MOST_FAULTS)
        return;
    r->faults->at[r->faults->count++] =
        (struct xhtml_fault){ .rule = rule, .offset = (uint32_t)(at - r->start), .wanted = wanted, .name = may_be_said(name) };
}

static void
breaks(struct reader *r, const char *wanted)
{
    fault(r, XHTML_FORM, r->at, wanted, NO_NAME);
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* XML 1.0 [2] Char, as far as one byte shows. */
static bool
is_control(char c)
{
    return (unsigned char)c < 0x20 && !is_space(c);
}

/* ASCII of XML 1.0 [4]; names with other letters are not on the list anyway. */
static bool
is_name(char c)
{
    unsigned char folded = (unsigned char)c | 0x20;

    return (folded >= 'a' && folded <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == ':'
        || c == '.' || (unsigned char)c >= 0x80;
}

static bool
looking_at(const struct reader *r, struct span what)
{
    return span_starts(span_from(r->at, (size_t)(r->end - r->at)), what);
}

static void
skip_space(struct reader *r)
{
    while (r->at < r->end && is_space(*r->at))
        r->at++;
}

static struct span
read_name(struct reader *r)
{
    const char *start = r->at;

    if (r->at < r->end && ((*r->at >= '0' && *r->at <= '9') || *r->at == '-' || *r->at == '.'))
        return NO_NAME;
    while (r->at < r->end && is_name(*r->at))
        r->at++;
    return span_from(start, (size_t)(r->at - start));
}

/* ---- character references --------------------------------------------------------------------- */

static const struct { struct span name; char is; } entities[] = {
    { { "amp", 3 }, '&' }, { { "lt", 2 }, '<' }, { { "gt", 2 }, '>' }, { { "quot", 4 }, '"' }, { { "apos", 4 }, '\'' },
};

/* "#10", "#xA0"; 0 when it is not a character of XML. */
static uint32_t
number_of(struct span text)
{
    bool     hex   = text.length > 1 && text.at[1] == 'x';
    uint32_t value = 0, digit;

    text = span_skip(text, hex ? 2 : 1);
    if (text.length == 0 || text.length > 8)
        return 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i], folded = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (hex && folded >= 'a' && folded <= 'f')
            digit = (uint32_t)(folded - 'a' + 10);
        else
            return 0;
        value = value * (hex ? 16 : 10) + digit;
        if (value > 0x10ffff)
            return 0;
    }
    bool control = value < 0x20 && value != '\t' && value != '\n' && value != '\r';
    return control || (value >= 0xd800 && value <= 0xdfff) || value == 0xfffe || value == 0xffff ? 0 : value;
}

/* At '&'.  0 when it is no reference. */
static uint32_t
read_reference(struct reader *r)
{
    const char *start = r->at + 1, *at = start;
    uint32_t    value = 0;

    while (at < r->end && at - start < 12 && (is_name(*at) || *at == '#'))
        at++;
    struct span text = span_from(start, (size_t)(at - start));
    if (at < r->end && *at == ';' && text.length > 0) {
        if (text.at[0] == '#')
            value = number_of(text);
        for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
            if (span_eq(entities[i].name, text))
                value = (uint32_t)entities[i].is;
    }
    if (value == 0)
        breaks(r, "want of the entities &amp; &lt; &gt; &quot; &apos; and numbers alone");
    else
        r->at = at + 1;
    return value;
}

/* ---- values of attributes ------------------------------------------------------------------------ */

/* What acts, in a URL or a style: found in the text without white space and
 * references, in lower case. */
#define WINDOW 16
struct window { char last[WINDOW]; uint32_t filled; bool comment; };

static bool
window_ends(const struct window *w, struct span what)
{
    return w->filled >= what.length && memcmp(w->last + w->filled - what.length, what.at, what.length) == 0;
}

static void
window_take(struct window *w, uint32_t c)
{
    if (c <= ' ' || c > 0x7e)
        return;
    if (w->filled == WINDOW) {
        memmove(w->last, w->last + 1, WINDOW - 1);
        w->filled--;
    }
    w->last[w->filled++] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static bool
style_acts(const struct window *w)
{
    static const struct span words[] = { { "expression(", 11 }, { "javascript:", 11 }, { "vbscript:", 9 },
                                         { "@import", 7 },
                                         { "-moz-binding", 12 }, { "\\", 1 }, { "/*", 2 } };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (window_ends(w, words[i]))
            return true;
    return false;
}

/* The scheme, once it is whole: at the first colon. */
static bool
url_acts(const struct window *w, enum value how)
{
    struct span read = span_from(w->last, w->filled);

    if (span_eq(read, SPAN("javascript:")) || span_eq(read, SPAN("vbscript:")))
        return true;
    return how == IMAGE ? span_starts(read, SPAN("data:")) && w->filled == 11 && !span_eq(read, SPAN("data:image/"))
                        : span_eq(read, SPAN("data:"));
}

/* What no URL has unescaped (RFC 3986 2, but for "|", "{" and "}", which templates write, and other letters). */
static bool
not_in_url(uint32_t c)
{
    return c <= ' ' || c == '"' || c == '<' || c == '>' || c == '\\' || c == '^' || c == '`' || c == 0x7f;
}

/* "data:image/png;base64,AAAA" (RFC 2397): its data in groups of four. */
static bool
data_is_whole(struct span url)
{
    size_t   comma  = span_find_byte(url, ',');
    uint32_t digits = 0, padding = 0;

    if (comma == SPAN_NOT_FOUND || !span_ends(span_first(url, comma), SPAN(";base64")))
        return false;
    struct span data = span_skip(url, comma + 1);
    for (size_t i = 0; i < data.length; i++) {
        char c = data.at[i], folded = (char)(c | 0x20);
        if (is_space(c))
            continue;
        bool digit = (folded >= 'a' && folded <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
        if ((!digit && c != '=') || (digit && padding > 0))
            return false;
        digits  += digit;
        padding += !digit;
    }
    return digits > 0 && padding < 3 && (digits + padding) % 4 == 0;
}

/* The value of a link or image, when it holds no reference. */
static void
judge_url(struct reader *r, struct span value, struct span name)
{
    bool wrong = value.length == 0;

    if (span_starts(value, SPAN("data:"))) {
        if (!data_is_whole(value))
            fault(r, XHTML_URL, value.at, "want data in base64 behind data:", name);
        return;
    }
    for (size_t i = 0; i < value.length && !wrong; i++)
        wrong = not_in_url((unsigned char)value.at[i]);
    if (wrong)
        fault(r, XHTML_URL, value.at, "want a URL: not empty, and white space and quotes escaped", name);
}

/* Between the quotes.  False when the value is broken; *plain becomes false
 * when it holds a reference. */
static bool
read_value(struct reader *r, char quote, enum value how, struct span name, bool *plain)
{
    struct window w    = { .filled = 0 };
    bool          acts = false;
    const char   *start = r->at;

    *plain = true;
    while (r->at < r->end && *r->at != quote) {
        uint32_t c = (unsigned char)*r->at;
        if (c == '<' || is_control(*r->at)) {
            breaks(r, "want no \"<\" and no control character in the value of an attribute");
            return false;
        }
        if (c == '&') {
            *plain = false;
            if ((c = read_reference(r)) == 0)
                return false;
        } else {
            r->at++;
        }
        if (how == STYLE) {
            window_take(&w, c);
            acts = acts || style_acts(&w);
        } else if ((how == URL || how == LINK || how == IMAGE) && w.filled < WINDOW) {
            window_take(&w, c);
            acts = acts || url_acts(&w, how);
        }
    }
    if (r->at == r->end) {
        breaks(r, "want the value of an attribute to end");
        return false;
    }
    if (acts)
        fault(r, XHTML_ACTIVE, start,
              how == STYLE ? "want a style that neither imports nor computes, without escapes and comments"
                           : "want no URL that is a script or carries a document", name);
    else if (*plain && (how == LINK || how == IMAGE))
        judge_url(r, span_from(start, (size_t)(r->at - start)), name);
    return true;
}

static void
tell_anchor(const struct reader *r, enum value how, struct span value)
{
    if (r->anchors == NULL || value.length == 0)
        return;
    if (how == ANCHOR)
        r->anchors->met(r->anchors->with, value, false);
    else if (how == LINK && value.at[0] == '#' && value.length > 1)
        r->anchors->met(r->anchors->with, span_skip(value, 1), true);
}

static void
judge_attribute(struct reader *r, const char *at, struct span name, const struct attribute *known, enum element of)
{
    if (name.length > 2 && (name.at[0] | 0x20) == 'o' && (name.at[1] | 0x20) == 'n')
        fault(r, XHTML_ACTIVE, at, "want no attribute that runs a script", name);
    else if (of != ELEMENT_OTHER && !span_starts(name, SPAN("xmlns:"))
             && (known == NULL || !(known->of >> of & 1)))
        fault(r, XHTML_TXT_1, at, "want an attribute that a narrative may have on this element", name);
}

/* Of the whole narrative, or of one of its sections. */
static void
met_language(const struct reader *r, enum element of, enum value how, struct span value)
{
    if (r->faults == NULL)
        return;
    if (r->depth == 0)
        *(how == LANG ? &r->faults->lang : &r->faults->xml_lang) = value;
    else if (r->depth == 1 && of == ELEMENT_DIV)
        r->faults->sections = true;
}

/* Attributes of one tag up to its end.  *has_namespace: xmlns was there. */
#define MOST_ATTRIBUTES 64u
static bool
read_attributes(struct reader *r, enum element of, bool *has_namespace)
{
    struct span seen[MOST_ATTRIBUTES];
    uint32_t    count = 0;

    *has_namespace = false;
    for (;;) {
        const char *before = r->at;
        skip_space(r);
        if (r->at < r->end && (*r->at == '>' || *r->at == '/'))
            return true;
        const char *at   = r->at;
        struct span name = read_name(r);
        if (name.length == 0 || at == before || count == MOST_ATTRIBUTES) {
            breaks(r, "want a tag that XML has: attributes apart from each other, and few");
            return false;
        }
        for (uint32_t i = 0; i < count; i++)
            if (span_eq(seen[i], name)) {
                breaks(r, "want each attribute once");
                return false;
            }
        seen[count++] = name;
        skip_space(r);
        if (r->at == r->end || *r->at != '=') {
            breaks(r, "want an attribute with a value in quotes");
            return false;
        }
        r->at++;
        skip_space(r);
        if (r->at == r->end || (*r->at != '"' && *r->at != '\'')) {
            breaks(r, "want an attribute with a value in quotes");
            return false;
        }
        char                    quote = *r->at++;
        const char             *start = r->at;
        const struct attribute *known = attribute_named(name);
        enum value              how   = known != NULL ? known->value : PLAIN;
        bool                    plain;
        judge_attribute(r, at, name, known, of);
        if (!read_value(r, quote, how, name, &plain))
            return false;
        struct span value = span_from(start, (size_t)(r->at - start));
        if (how == NAMESPACE && !span_eq(value, SPAN(XHTML_NAMESPACE))) {
            r->at = start;
            breaks(r, "want the namespace " XHTML_NAMESPACE);
            return false;
        }
        *has_namespace = *has_namespace || how == NAMESPACE;
        if (how == LANG || how == XML_LANG)
            met_language(r, of, how, value);
        if (plain)
            tell_anchor(r, how, value);
        r->at++;
    }
}

/* ---- elements ------------------------------------------------------------------------------------ */

static bool
acts(struct span name)
{
    for (size_t i = 0; i < sizeof acting / sizeof acting[0]; i++)
        if (span_eq_nocase(name, span_of(acting[i])))
            return true;
    return false;
}

/* Whether it may stand here. */
static void
judge_place(struct reader *r, const char *at, struct span name, enum element it)
{
    const struct tag *tag = &tags[it];
    enum element      around = r->stack[r->depth - 1].element;

    if (it == ELEMENT_OTHER) {
        if (acts(name))
            fault(r, XHTML_ACTIVE, at, "want nothing that acts in a narrative", name);
        else
            fault(r, XHTML_TXT_1, at, "want an element that a narrative may have", name);
    } else if (NOT_IN_P >> it & 1 && r->inside & B(P)) {
        fault(r, XHTML_TXT_1, at, "want no block inside of a paragraph", name);
    } else if (around == ELEMENT_OTHER) {
        return;
    } else if (!(tag->parents >> around & 1) || !(tags[around].children >> it & 1)) {
        fault(r, XHTML_PLACE, at, "want an element where HTML has it: rows in tables, items in lists", name);
    } else if (BLOCKS >> it & 1 && r->inside & lines) {
        fault(r, XHTML_PLACE, at, "want no block inside of a line of text", name);
    } else if ((tag->traits & ONCE) && r->inside >> it & 1) {
        fault(r, XHTML_PLACE, at, "want no such element inside of itself", name);
    }
}

static bool
push(struct reader *r, struct span name, enum element it)
{
    if (r->depth == XHTML_DEPTH) {
        breaks(r, "want fewer elements inside each other");
        return false;
    }
    r->stack[r->depth++] = (struct open){ r->inside, (uint32_t)(name.at - r->start), (uint32_t)name.length, it };
    if (it != ELEMENT_OTHER)
        r->inside |= (uint64_t)1 << it;
    return true;
}

static void
pop(struct reader *r)
{
    r->inside = r->stack[--r->depth].around;
    r->ended  = r->depth == 0;
}

/* Behind '<'. */
static void
read_tag(struct reader *r)
{
    const char *at   = r->at;
    struct span name = read_name(r);
    bool        root = !r->began, has_namespace;

    if (name.length == 0) {
        breaks(r, "want a tag behind \"<\", or &lt;");
        return;
    }
    enum element it = element_named(name);
    if (root && it != ELEMENT_DIV) {
        fault(r, XHTML_FORM, at, "want one <div xmlns=\"" XHTML_NAMESPACE "\">", name);
        return;
    }
    r->began = true;
    if (!root)
        judge_place(r, at, name, it);
    if (!read_attributes(r, it, &has_namespace))
        return;
    if (root && !has_namespace) {
        fault(r, XHTML_FORM, at, "want xmlns=\"" XHTML_NAMESPACE "\" on the div", name);
        return;
    }
    r->says = r->says || it == ELEMENT_IMG;
    bool closed = *r->at == '/';
    r->at += closed;
    if (r->at == r->end || *r->at != '>') {
        breaks(r, "want \">\" behind the name and the attributes");
        return;
    }
    r->at++;
    if (!closed && !push(r, name, it))
        return;
    if (closed && r->depth == 0)
        r->ended = true;
}

/* Behind "</". */
static void
read_end(struct reader *r)
{
    const char *at   = r->at;
    struct span name = read_name(r);

    skip_space(r);
    if (r->depth == 0 || r->at == r->end || *r->at != '>'
        || !span_eq(name, span_from(r->start + r->stack[r->depth - 1].name, r->stack[r->depth - 1].length))) {
        r->at = at;
        breaks(r, "want the element that is open to be closed first");
        return;
    }
    r->at++;
    pop(r);
}

/* What is inside of an element that is no tag. */
static void
met_text(struct reader *r, const char *at)
{
    enum element around = r->stack[r->depth - 1].element;

    r->says = true;
    if (tags[around].children != ANY && !(tags[around].traits & EMPTY))
        fault(r, XHTML_PLACE, at, "want text in the cells of a table, the items of a list", NO_NAME);
    else if (tags[around].traits & EMPTY)
        fault(r, XHTML_TXT_1, at, "want nothing inside of this element", span_of(tags[around].name));
}

/* Behind "<!". */
static void
read_declaration(struct reader *r)
{
    bool        comment = looking_at(r, SPAN("--")), data = !comment && r->depth > 0 && looking_at(r, SPAN("[CDATA["));
    const char *from    = r->at;

    if (!comment && !data) {
        breaks(r, "want no DOCTYPE and no declaration in a narrative");
        return;
    }
    r->at += comment ? 2 : 7;
    struct span rest = span_from(r->at, (size_t)(r->end - r->at));
    size_t      end  = span_find(rest, comment ? SPAN("--") : SPAN("]]>"));
    if (end == SPAN_NOT_FOUND || (comment && (end + 2 >= rest.length || rest.at[end + 2] != '>'))) {
        breaks(r, "want a comment or CDATA section to end, and no \"--\" inside a comment");
        return;
    }
    struct span inside = span_first(rest, end);
    /* An HTML reader ends "<!-->" at once, and CDATA at the first ">". */
    if (comment ? span_starts(inside, SPAN(">")) || span_starts(inside, SPAN("->"))
                : span_find_byte(inside, '<') != SPAN_NOT_FOUND || span_find_byte(inside, '>') != SPAN_NOT_FOUND)
        fault(r, XHTML_ACTIVE, from, "want no markup hidden in a comment or CDATA section", NO_NAME);
    for (size_t i = 0; i < inside.length; i++) {
        if (is_control(inside.at[i])) {
            r->at += i;
            breaks(r, "want no control character");
            return;
        }
        if (data && !is_space(inside.at[i]) && r->depth > 0) {
            met_text(r, r->at + i);
            data = false;
        }
    }
    r->at += end + 3;
}

static void
read_text(struct reader *r)
{
    const char *at    = r->at;
    bool        blank = true;

    while (r->at < r->end && *r->at != '<') {
        if (*r->at == '&') {
            uint32_t c = read_reference(r);
            if (c == 0)
                return;
            blank = blank && c < 0x80 && is_space((char)c);
            continue;
        }
        if (is_control(*r->at)) {
            breaks(r, "want no control character");
            return;
        }
        if (*r->at == ']' && looking_at(r, SPAN("]]>"))) {       /* XML 1.0 2.4, CharData */
            breaks(r, "want no \"]]>\" in text");
            return;
        }
        if (blank && !is_space(*r->at)) {
            blank = false;
            at    = r->at;
        }
        r->at++;
    }
    if (!blank && (!r->began || r->ended)) {
        r->at = at;
        breaks(r, "want one div and nothing beside it");
    } else if (!blank) {
        met_text(r, at);
    }
}

bool
xhtml_check(struct span text, struct xhtml_faults *faults, const struct xhtml_anchors *anchors)
{
    struct reader r;

    r.at = r.start = text.at;
    r.end          = text.at != NULL ? text.at + text.length : NULL;
    r.faults       = faults;
    r.anchors      = anchors;
    r.fine         = true;
    r.broken = r.says = r.began = r.ended = r.misplaced = false;
    r.inside = r.depth = 0;
    if (faults != NULL) {
        faults->count    = 0;
        faults->sections = false;
        faults->lang = faults->xml_lang = NO_NAME;
    }
    while (r.at < r.end && !r.broken) {
        if (*r.at != '<') {
            read_text(&r);
            continue;
        }
        r.at++;
        if (r.at < r.end && *r.at == '!') {
            r.at++;
            read_declaration(&r);
        } else if (r.at < r.end && *r.at == '?') {
            breaks(&r, "want no processing instruction in a narrative");
        } else if (r.at < r.end && *r.at == '/') {
            r.at++;
            read_end(&r);
        } else if (r.ended) {
            breaks(&r, "want one div and nothing beside it");
        } else {
            read_tag(&r);
        }
    }
    if (!r.broken && !r.ended)
        breaks(&r, r.began ? "want every element to be closed"
                           : "want one <div xmlns=\"" XHTML_NAMESPACE "\">");
    if (!r.broken && !r.says)
        fault(&r, XHTML_TXT_2, text.at, "want some text or an image in a narrative", NO_NAME);
    return r.fine;
}
