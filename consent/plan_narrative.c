/* consent/plan_narrative.c -- cutting rows out of a narrative (rules C4, C5).
 *
 * A row is an li, tr, p or div of the XHTML, or a comment: what a generator
 * writes for one fact.  The innermost row that mentions withheld matter goes, with the white
 * space that rule B1 gives it; a list, table or block that is left without a
 * word goes too.  When the mention stands outside of rows, or no word is left, or the
 * markup is not well formed, the narrative goes as a whole.
 */
#include "consent/plan_scan.h"

#include <string.h>

#define MAX_ELEMENTS 4096u
#define MAX_BYTES    ((size_t)1 << 20)

struct element_of {
    size_t   start, open_end, end;       /* <li>: start, first byte behind it; behind </li> */
    uint32_t parent;                     /* index, NONE at the top */
    uint32_t last, before;               /* last child; sibling before */
    bool     row, cut;
};

#define NONE ((uint32_t)-1)

struct rows {
    struct closure          *w;
    struct plan_evidence *e;
    tape_node             div;
    struct span           text;
    struct element_of    *all;
    uint32_t              count;
    char                 *left;          /* room for what is left of a piece */
};

struct range { size_t from, to; };

static bool        parse(struct rows *);
static bool        judge(struct rows *);
static struct span rest_of(const struct rows *, uint32_t element);
static bool        has_words(struct span markup);
static size_t      ranges_of(const struct rows *, struct range *);
static bool        write_rest(struct rows *, const struct range *, size_t count);

bool
narrative_cut_rows(struct closure *w, struct plan_evidence *e, tape_node div)
{
    struct rows r = { .w = w, .e = e, .div = div, .text = tape_text(w->tape, div, w->arena) };

    if (r.text.length > MAX_BYTES)
        return false;
    r.all  = arena_make_n(w->arena, MAX_ELEMENTS, struct element_of);
    r.left = arena_alloc(w->arena, r.text.length + 1);
    if (r.all == NULL || r.left == NULL || !parse(&r) || !judge(&r))
        return false;
    struct range *ranges = arena_make_n(w->arena, r.count, struct range);
    return ranges != NULL && write_rest(&r, ranges, ranges_of(&r, ranges));
}

/* ---- markup ------------------------------------------------------------------------- */

static struct span
tag_name(struct span tag)
{
    size_t n = 0;

    while (n < tag.length && tag.at[n] != ' ' && tag.at[n] != '/' && tag.at[n] != '>' && tag.at[n] != '\n' && tag.at[n] != '\t'
           && tag.at[n] != '\r')
        n++;
    return span_first(tag, n);
}

/* Elements in document order; false when the tags do not match. */
static bool
parse(struct rows *r)
{
    static const char *const row_tags[] = { "li", "tr", "p", "div", NULL };
    uint32_t                 open       = NONE;
    size_t                   at         = 0;

    while (at < r->text.length) {
        struct span rest = span_skip(r->text, at);
        size_t      lt   = span_find_byte(rest, '<');
        if (lt == SPAN_NOT_FOUND)
            break;
        rest = span_skip(rest, lt);
        at += lt;
        if (span_starts(rest, SPAN("<!--"))) {
            size_t end = span_find(rest, SPAN("-->"));
            if (end == SPAN_NOT_FOUND || r->count == MAX_ELEMENTS)
                return false;
            struct element_of *el = &r->all[r->count];
            *el = (struct element_of){ .start = at, .open_end = at + end + 3, .end = at + end + 3,
                                       .parent = open, .last = NONE, .before = NONE, .row = open != NONE };
            if (open != NONE) {
                el->before        = r->all[open].last;
                r->all[open].last = r->count;
            }
            r->count++;
            at += end + 3;
            continue;
        }
        size_t gt = span_find_byte(rest, '>');
        if (gt == SPAN_NOT_FOUND || gt < 2 || rest.at[1] == '!' || rest.at[1] == '?')
            return false;
        struct span tag = span_from(rest.at + 1, gt - 1);
        if (tag.at[0] == '/') {
            if (open == NONE
                || !span_eq(tag_name(span_skip(tag, 1)),
                            tag_name(span_skip(span_skip(r->text, r->all[open].start), 1))))
                return false;
            r->all[open].end = at + gt + 1;
            open             = r->all[open].parent;
        } else {
            if (r->count == MAX_ELEMENTS)
                return false;
            struct element_of *el = &r->all[r->count];
            *el = (struct element_of){ .start = at, .open_end = at + gt + 1, .end = at + gt + 1, .parent = open,
                                       .last = NONE, .before = NONE };
            el->row = open != NONE && span_in(tag_name(tag), row_tags);
            if (open != NONE) {
                el->before         = r->all[open].last;
                r->all[open].last = r->count;
            }
            if (tag.at[tag.length - 1] != '/')
                open = r->count;
            r->count++;
        }
        at += gt + 1;
    }
    return open == NONE && r->count > 0;
}

/* ---- which rows go --------------------------------------------------------------------- */

static bool
mentions(struct rows *r, struct span piece, bool edges)
{
    struct why why;

    return scan_mentions(r->w, r->e, r->div, piece, edges, &why);
}

/* A table of which only the heading is left has nothing to head. */
static bool
headless(const struct rows *r, uint32_t i, struct span rest)
{
    struct span tag = span_skip(span_from(r->text.at + r->all[i].start, r->all[i].open_end - r->all[i].start), 1);

    return span_starts(tag, SPAN("table")) && span_find(rest, SPAN("<td")) == SPAN_NOT_FOUND;
}

/* From the inside out: children have higher numbers than their parents.
 * False when the narrative has to go whole. */
static bool
judge(struct rows *r)
{
    bool any = false;

    for (uint32_t i = r->count; i-- > 0;) {
        struct element_of *el   = &r->all[i];
        bool               lost = false;
        for (uint32_t c = el->last; c != NONE; c = r->all[c].before)
            lost = lost || r->all[c].cut;
        if (!el->row && !lost)
            continue;
        struct span rest = rest_of(r, i);
        if (el->row && mentions(r, rest, false))
            el->cut = true;
        else if (lost && (!has_words(rest) || headless(r, i, rest)))
            el->cut = true;
        any = any || el->cut;
        if (el->cut && el->parent == NONE)
            return false;
    }
    return any && has_words(rest_of(r, 0)) && !mentions(r, rest_of(r, 0), true);
}

/* The element without what was cut inside. */
static struct span
rest_of(const struct rows *r, uint32_t element)
{
    const struct element_of *el = &r->all[element];
    size_t                   at = el->start, n = 0;

    for (uint32_t i = element + 1; i < r->count && r->all[i].start < el->end; i++) {
        if (!r->all[i].cut || r->all[i].start < at)
            continue;
        memcpy(r->left + n, r->text.at + at, r->all[i].start - at);
        n += r->all[i].start - at;
        at = r->all[i].end;
    }
    memcpy(r->left + n, r->text.at + at, el->end - at);
    return span_from(r->left, n + el->end - at);
}

static bool
has_words(struct span markup)
{
    struct word_reader words = { markup, 0 };
    struct word        word;
    size_t             at = 0;

    /* Outside of tags: a word that begins before the next '<' and behind the last '>'. */
    while (at < markup.length) {
        size_t lt = span_find_byte(span_skip(markup, at), '<');
        words     = (struct word_reader){ span_first(span_skip(markup, at), lt == SPAN_NOT_FOUND ? markup.length : lt), 0 };
        if (word_next(&words, &word))
            return true;
        if (lt == SPAN_NOT_FOUND)
            return false;
        size_t gt = span_find_byte(span_skip(markup, at + lt), '>');
        if (gt == SPAN_NOT_FOUND)
            return false;
        at += lt + gt + 1;
    }
    return false;
}

/* ---- what is written -------------------------------------------------------------------- */

static bool
only_space(struct span text)
{
    return span_empty(span_trim(text));
}

static struct span
between(const struct rows *r, size_t from, size_t to)
{
    return span_from(r->text.at + from, to - from);
}

/* Rule B1 for markup: before the first survivor of an element forward to the
 * next sibling, after it back to the sibling before. */
static size_t
ranges_of(const struct rows *r, struct range *out)
{
    size_t count = 0;
    size_t done  = 0;

    for (uint32_t i = 0; i < r->count; i++) {
        const struct element_of *el = &r->all[i];
        if (!el->cut || el->start < done)
            continue;
        bool survivor = false;
        for (uint32_t b = el->before; b != NONE && !survivor; b = r->all[b].before)
            survivor = !r->all[b].cut;
        uint32_t next = NONE;
        for (uint32_t n = i + 1; n < r->count && next == NONE && r->all[n].start <= r->text.length; n++)
            if (r->all[n].parent == el->parent)
                next = n;
            else if (r->all[n].start >= r->all[el->parent].end)
                break;
        struct range range = { el->start, el->end };
        if (survivor && only_space(between(r, r->all[el->before].end, el->start)))
            range.from = r->all[el->before].end;
        else if (!survivor && next != NONE && only_space(between(r, el->end, r->all[next].start)))
            range.to = r->all[next].start;
        out[count++] = range;
        done         = el->end;
    }
    return count;
}

/* Bytes of one piece of a JSON string as written, and what they are worth
 * unescaped. */
static size_t
piece_of(struct span raw, size_t at, size_t *worth)
{
    if (raw.at[at] != '\\') {
        *worth = 1;
        return 1;
    }
    if (raw.at[at + 1] != 'u') {
        *worth = 1;
        return 2;
    }
    unsigned code = 0;
    for (size_t i = at + 2; i < at + 6; i++) {
        char c = raw.at[i];
        code   = code << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    bool pair = code >= 0xd800 && code < 0xdc00;
    *worth    = pair ? 4 : code >= 0x800 ? 3 : code >= 0x80 ? 2 : 1;
    return pair ? 12 : 6;
}

static bool
write_rest(struct rows *r, const struct range *ranges, size_t count)
{
    struct span raw = tape_extent(r->w->tape, r->div);
    char       *out = arena_alloc(r->w->arena, raw.length);
    size_t      n = 0, k = 0, text_at = 0;

    if (out == NULL || raw.length < 2)
        return false;
    out[n++] = '"';
    for (size_t at = 1; at + 1 < raw.length;) {
        size_t worth, length = piece_of(raw, at, &worth);
        while (k < count && text_at >= ranges[k].to)
            k++;
        if (k == count || text_at < ranges[k].from) {
            memcpy(out + n, raw.at + at, length);
            n += length;
        }
        at += length;
        text_at += worth;
    }
    out[n++] = '"';
    closure_edit(r->w, r->div, span_from(out, n), "C5");
    return true;
}
