#include "consent/redact.h"

#include "base/json_walk.h"
#include "consent/plan_scan.h"
#include "fhir/element.h"

#include <string.h>

enum status
redact_edit(const struct plan *plan, struct arena *arena, struct splices **out)
{
    const struct bundle *b = plan->bundle;
    struct splices      *s = splices_new(b->tape, arena);

    *out = s;
    if (s == NULL)
        return ST_NO_MEMORY;
    if (plan->kept == 0) {
        splices_cut(s, b->root);
        return ST_OK;
    }
    for (uint32_t e = 0; e < b->count; e++)
        if (plan->decisions[e].verdict < VERDICT_REDACT)
            splices_cut(s, b->entries[e].entry);
    for (size_t i = 0; i < plan->cut_count; i++)
        element_cut(s, b->tape, b->parents, plan->cuts[i].node);
    for (size_t i = 0; i < plan->edit_count; i++)
        splices_replace(s, plan->edits[i].node, plan->edits[i].json);
    if (plan->cut_count > 0)
        element_settle(s, b->tape, b->parents, arena);
    return arena_status(arena);
}

/* ---- the check (B4) ---------------------------------------------------------------- */

struct twins {                           /* the input and the result, walked side by side */
    const struct plan   *plan;
    const struct tape   *was, *is;
    size_t               edit;           /* next edit in document order */
    tape_node           *now;            /* per node of the input: the node of the result with its bytes; ABSENT */
    tape_node           *edited;         /* per edit: the node of the result that it wrote */
};

static enum status check_names(const struct twins *, struct arena *, struct span *leak);
static bool        same_values(struct twins *, tape_node was, tape_node is, bool top);
static bool        keeps_references(const struct twins *, struct arena *);
static bool        same_references(const struct plan *, const struct references *);
static struct span found(struct arena *, const char *what, struct span where);

static const char not_a_document[] = "the result is not a document that can be read";

enum status
redact_check(const struct plan *plan, struct span result, struct arena *arena, struct span *leak)
{
    const struct tape *tape;
    struct span        none = { NULL, 0 };

    if (leak != NULL)
        *leak = none;
    else
        leak = &none;
    if (plan->withheld == 0 && plan->cut_count == 0 && plan->edit_count == 0)
        return ST_OK;
    struct tape_limits limits = tape_default_limits;
    limits.max_bytes          = TAPE_MAX_BYTES;
    limits.max_nodes          = tape_count(plan->bundle->tape) + 4096;
    enum status st            = tape_read(result, &limits, arena, &tape, NULL);
    if (st == ST_NO_MEMORY)
        return st;
    if (st != ST_OK) {
        *leak = span_of(not_a_document);
        return ST_INTEGRITY;
    }
    struct twins t = { .plan   = plan,
                       .was    = plan->bundle->tape,
                       .is     = tape,
                       .now    = arena_make_n(arena, (size_t)tape_count(plan->bundle->tape) + 1, tape_node),
                       .edited = arena_make_n(arena, plan->edit_count + 1, tape_node) };
    if (arena_spent(arena))
        return ST_NO_MEMORY;
    if (!same_values(&t, plan->bundle->root, TAPE_ROOT, true)) {
        *leak = found(arena, "the result holds something that the plan does not let go", none);
        return ST_INTEGRITY;
    }
    bool clean = plan->bundle->type != BUNDLE_SINGLE && keeps_references(&t, arena)
              && (plan->evidence == NULL || scan_finds_nothing(plan, tape, t.now, t.edited, arena));
    return clean ? arena_status(arena) : check_names(&t, arena, leak);
}

/* Whatever the quick look at the names could not tell: the result is read as a document
 * that came from outside, and says itself what resolves and what its strings name. */
static enum status
check_names(const struct twins *t, struct arena *arena, struct span *leak)
{
    const struct bundle     *bundle;
    const struct references *references;
    struct issues           *issues = issues_new(arena, 4);
    struct span              none   = { NULL, 0 };
    enum status              st     = issues == NULL ? ST_NO_MEMORY : bundle_read(t->is, arena, issues, &bundle);

    if (st == ST_OK)
        st = references_read(bundle, arena, &references);
    if (st == ST_NO_MEMORY)
        return st;
    if (st != ST_OK)
        *leak = span_of(not_a_document);
    else if (!same_references(t->plan, references))
        *leak = found(arena, "a reference that resolved before does not resolve in the result", none);
    else if (t->plan->evidence != NULL && scan_leaks(t->plan, bundle, arena, leak))
        *leak = found(arena, "the result still tells of what is withheld", *leak);
    else
        return arena_status(arena);
    return ST_INTEGRITY;
}

static struct span
found(struct arena *arena, const char *what, struct span where)
{
    return span_empty(where) ? span_of(what) : arena_format(arena, "%s: %.*s", what, SPAN_PRINT(where));
}

/* ---- values --------------------------------------------------------------------------- */

/* The next child that leaves bytes, of a container that does. */
static tape_node
survivor(const struct twins *t, tape_node n)
{
    while (n != TAPE_ABSENT && plan_goes(t->plan, n))
        n = tape_next(t->was, n);
    return n;
}

/* Filler: a container that holds nothing but nulls and what went: the other
 * side of values that went (B3), or an `_x` that was there for an extension. */
static bool
is_filler(const struct twins *t, tape_node was)
{
    bool gone = false;

    if (tape_kind(t->was, was) != TAPE_ARRAY && tape_kind(t->was, was) != TAPE_OBJECT)
        return false;
    for (tape_node n = tape_first(t->was, was); n != TAPE_ABSENT; n = tape_next(t->was, n)) {
        bool mine = plan_goes(t->plan, n) || is_filler(t, n);
        gone      = gone || mine || tape_kind(t->was, n) == TAPE_NULL;
        if (!mine && tape_kind(t->was, n) != TAPE_NULL)
            return false;
    }
    return gone;
}

static bool
same_name(const struct twins *t, tape_node was, tape_node is)
{
    tape_node name = tape_name(t->was, was);

    return name == TAPE_ABSENT ? tape_name(t->is, is) == TAPE_ABSENT
                               : span_eq(tape_extent(t->was, name), tape_extent(t->is, tape_name(t->is, is)));
}

static bool
same_children(struct twins *t, tape_node was, tape_node is, bool top)
{
    tape_node a = survivor(t, tape_first(t->was, was));
    tape_node b = tape_first(t->is, is);

    for (;;) {
        if (top && tape_text_eq(t->is, tape_name(t->is, b), SPAN("meta"))) {
            if (tape_text_eq(t->was, tape_name(t->was, a), SPAN("meta")))
                a = survivor(t, tape_next(t->was, a));
            b = tape_next(t->is, b);                          /* obligations are written into it */
            continue;
        }
        bool item = tape_kind(t->was, was) == TAPE_ARRAY;
        bool hole = item && b != TAPE_ABSENT && tape_kind(t->is, b) == TAPE_NULL && tape_kind(t->was, a) != TAPE_NULL;
        bool past = item && tape_kind(t->was, a) == TAPE_NULL && tape_kind(t->is, b) != TAPE_NULL;
        bool gone = past                                      /* held a place for what went */
                    || (a != TAPE_ABSENT && (item || b == TAPE_ABSENT || !same_name(t, a, b)) && is_filler(t, a));
        if (hole)
            b = tape_next(t->is, b);                          /* where the other side stays */
        if (gone)
            a = survivor(t, tape_next(t->was, a));
        if (hole || gone)
            continue;
        if (a == TAPE_ABSENT || b == TAPE_ABSENT)
            return a == b;
        if (!same_name(t, a, b) || !same_values(t, a, b, false))
            return false;
        a = survivor(t, tape_next(t->was, a));
        b = tape_next(t->is, b);
    }
}

/* Whether something goes of these nodes; eight are asked at once. */
static bool
has_gone(const uint8_t *mark, size_t count)
{
    uint64_t all = 0, eight;
    size_t   i   = 0;

    for (; i + 8 <= count; i += 8) {
        memcpy(&eight, mark + i, 8);
        all |= eight;
    }
    for (; i < count; i++)
        all |= mark[i];
    return (all & 0x0101010101010101u * MARK_GONE) != 0;
}

/* The same bytes, where the plan lets everything go as it came: the same nodes, one by one. */
static bool
untouched(struct twins *t, tape_node was, tape_node is)
{
    const struct plan *p     = t->plan;
    tape_node          after = tape_after(t->was, was);

    if (!span_eq(tape_extent(t->was, was), tape_extent(t->is, is))
        || (t->edit < p->edit_count && p->edits[t->edit].node < after))
        return false;
    if (has_gone(p->mark + was, after - was))
        return false;
    for (tape_node n = was; n < after; n++)
        t->now[n] = is + (n - was);
    return true;
}

/* Depth is bounded by the tape's limit. */
static bool
same_values(struct twins *t, tape_node was, tape_node is, bool top)
{
    const struct plan *p = t->plan;

    while (t->edit < p->edit_count && p->edits[t->edit].node < was)
        t->edit++;
    if (t->edit < p->edit_count && p->edits[t->edit].node == was) {
        t->edited[t->edit] = is;
        return span_eq(p->edits[t->edit].json, tape_extent(t->is, is));
    }
    if (tape_kind(t->was, was) != tape_kind(t->is, is))
        return false;
    t->now[was] = is;
    if (tape_kind(t->was, was) == TAPE_OBJECT || tape_kind(t->was, was) == TAPE_ARRAY)
        return (!top && untouched(t, was, is)) || same_children(t, was, is, top);
    return span_eq(tape_extent(t->was, was), tape_extent(t->is, is));
}

/* ---- references ------------------------------------------------------------------------ */

static bool
resolves(const struct reference *r)
{
    return r->to != ENTRY_NONE || r->to_contained != TAPE_ABSENT;
}

/* The member is in the result as it was, or there was none. */
static inline __attribute__((always_inline)) bool
keeps(const struct twins *t, tape_node object, struct span name)
{
    tape_node member = walk_find(t->was, object, name);

    return member == TAPE_ABSENT || t->now[member] != TAPE_ABSENT;
}

/* Whether every reference that resolved before, and stays, resolves again for sure: to an
 * entry that is in the result with its type, its id and its fullUrl, from one that is.
 * What resolves otherwise (by an identifier, inside of an entry) is not judged here. */
static bool
keeps_references(const struct twins *t, struct arena *arena)
{
    const struct bundle     *b    = t->plan->bundle;
    const struct references *refs = t->plan->references;
    bool                    *kept = arena_make_n(arena, (size_t)b->count + 1, bool);

    for (uint32_t e = 0; kept != NULL && e < b->count; e++) {
        const struct bundle_entry *entry = &b->entries[e];
        bool                       here  = entry->entry != TAPE_ABSENT && t->now[entry->entry] != TAPE_ABSENT;
        kept[e] = here && entry->resource != TAPE_ABSENT && t->now[entry->resource] != TAPE_ABSENT
               && keeps(t, entry->resource, SPAN("resourceType")) && keeps(t, entry->resource, SPAN("id"))
               && keeps(t, entry->entry, SPAN("fullUrl"));
        if (here && entry->resource != TAPE_ABSENT && !kept[e])
            return false;                                     /* not even an entry any more, perhaps */
    }
    for (uint32_t i = 0; kept != NULL && i < refs->count; i++) {
        const struct reference *r    = &refs->all[i];
        tape_node               text = r->text != TAPE_ABSENT ? r->text : r->node;
        bool                    own  = r->form == REFERENCE_CONTAINED && r->to_contained != TAPE_ABSENT;
        if (r->from == ENTRY_NONE || !resolves(r) || plan_gone(t->plan, r->node))
            continue;
        if (!kept[r->from] || t->now[text] == TAPE_ABSENT || r->form == REFERENCE_LOGICAL || r->form == REFERENCE_CONDITIONAL)
            return false;
        if (own ? t->now[r->to_contained] == TAPE_ABSENT || !keeps(t, r->to_contained, SPAN("id"))
                      || !keeps(t, r->to_contained, SPAN("resourceType"))
                : r->to == ENTRY_NONE || r->to_contained != TAPE_ABSENT || !kept[r->to])
            return false;
    }
    return kept != NULL;
}

/* The references of the result are those of the input that stay, in order. */
static bool
same_references(const struct plan *plan, const struct references *now)
{
    const struct references *before = plan->references;
    uint32_t                 k      = 0;

    for (uint32_t i = 0; i < before->count; i++) {
        const struct reference *r = &before->all[i];
        if (r->from == ENTRY_NONE || !resolves(r) || plan_gone(plan, r->node))
            continue;
        while (k < now->count && (now->all[k].from == ENTRY_NONE || !span_eq(now->all[k].value, r->value)))
            k++;
        if (k == now->count || !resolves(&now->all[k]))
            return false;
        k++;
    }
    return true;
}
