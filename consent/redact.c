#include "consent/redact.h"

#include "consent/plan_scan.h"
#include "fhir/element.h"

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
    const struct bundle *result;
    size_t               edit;           /* next edit in document order */
};

static bool        same_values(struct twins *, tape_node was, tape_node is, bool top);
static bool        same_references(const struct plan *, const struct references *);
static struct span found(struct arena *, const char *what, struct span where);

enum status
redact_check(const struct plan *plan, struct span result, struct arena *arena, struct span *leak)
{
    const struct tape       *tape;
    const struct bundle     *bundle;
    const struct references *references;
    struct issues           *issues = issues_new(arena, 4);
    struct span              none   = { NULL, 0 };

    if (leak != NULL)
        *leak = none;
    else
        leak = &none;
    if (plan->withheld == 0 && plan->cut_count == 0 && plan->edit_count == 0)
        return ST_OK;
    if (issues == NULL)
        return ST_NO_MEMORY;
    struct tape_limits limits = tape_default_limits;
    limits.max_bytes          = TAPE_MAX_BYTES;
    limits.max_nodes          = tape_count(plan->bundle->tape) + 4096;
    enum status st            = tape_read(result, &limits, arena, &tape, NULL);
    if (st == ST_OK)
        st = bundle_read(tape, arena, issues, &bundle);
    if (st == ST_OK)
        st = references_read(bundle, arena, &references);
    if (st == ST_NO_MEMORY)
        return st;
    if (st != ST_OK) {
        *leak = found(arena, "the result is not a document that can be read", none);
        return ST_INTEGRITY;
    }
    struct twins t = { plan, plan->bundle->tape, tape, bundle, 0 };
    if (!same_values(&t, plan->bundle->root, bundle->root, true))
        *leak = found(arena, "the result holds something that the plan does not let go", none);
    else if (!same_references(plan, references))
        *leak = found(arena, "a reference that resolved before does not resolve in the result", none);
    else if (plan->evidence != NULL && scan_leaks(plan, bundle, arena, leak))
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

/* The next child that leaves bytes. */
static tape_node
survivor(const struct twins *t, tape_node n)
{
    while (n != TAPE_ABSENT && plan_gone(t->plan, n))
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
        bool mine = plan_gone(t->plan, n) || is_filler(t, n);
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

/* The same bytes, where the plan lets everything go as it came. */
static bool
untouched(const struct twins *t, tape_node was, tape_node is)
{
    const struct plan *p     = t->plan;
    tape_node          after = tape_after(t->was, was);

    if (!span_eq(tape_extent(t->was, was), tape_extent(t->is, is))
        || (t->edit < p->edit_count && p->edits[t->edit].node < after))
        return false;
    for (tape_node n = was; n < after; n++)
        if (plan_goes(p, n))
            return false;
    return true;
}

/* Depth is bounded by the tape's limit. */
static bool
same_values(struct twins *t, tape_node was, tape_node is, bool top)
{
    const struct plan *p = t->plan;

    while (t->edit < p->edit_count && p->edits[t->edit].node < was)
        t->edit++;
    if (t->edit < p->edit_count && p->edits[t->edit].node == was)
        return span_eq(p->edits[t->edit].json, tape_extent(t->is, is));
    if (tape_kind(t->was, was) != tape_kind(t->is, is))
        return false;
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
