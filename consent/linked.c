#include "consent/linked.h"

#include "base/sort.h"

enum { ALIKE_MOST = 32 };                /* identities that share a key: that many are compared, not more */

struct identity {
    struct subject who;
    uint32_t       end;                  /* of which link: twice its number, and which end */
    uint32_t       up;                   /* towards the one that stands for the group */
    uint32_t       same;                 /* the first that is the same identity */
    uint32_t       size;                 /* of that one: different identities of the group */
};

struct linked {
    struct identity *all;                /* by key, then by name */
    uint32_t         count;
    bool             strange;            /* rule 4: they could not be told apart */
};

struct gathering {
    struct whose    *whose;
    struct subject  *gone;               /* the ends of what was taken back, two by two: looked up once, there may be many */
    size_t           gone_count;
    struct identity *all;
    uint32_t         count, room;
};

static uint32_t       links_most(const struct whose *);
static void           gather_entry(struct gathering *, uint32_t entry);
static struct subject patient_at(struct whose *, tape_node reference);
static void           gather_link(struct gathering *, struct subject a, struct subject b);
static enum status     gather_gone(struct gathering *);
static bool           taken_back(const struct gathering *, const struct subject *a, const struct subject *b);
static int            by_key(const void *, const void *, const void *context);
static enum status    join(struct linked *, struct arena *);
static void           join_alike(struct linked *, uint32_t at);
static uint32_t       root_of(struct identity *, uint32_t at);
static void           unite(struct identity *, uint32_t a, uint32_t b);
static uint32_t       place_of(const struct linked *, const struct subject *);

enum status
linked_read(struct whose *w)
{
    const struct facts *f    = w->facts;
    uint32_t            most = links_most(w);
    struct gathering    g    = { .whose = w, .room = 2 * most };

    if (most == 0)
        return ST_OK;
    struct linked *out = arena_make(w->arena, struct linked);
    g.all              = arena_make_n(w->arena, g.room, struct identity);
    if (out == NULL || g.all == NULL || gather_gone(&g) != ST_OK)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < f->link_count; i++)
        if (!f->links[i].taken_back)
            gather_link(&g, subject_of_reference(w, f->links[i].patient), subject_of_reference(w, f->links[i].other));
    for (uint32_t e = 0; w->references != NULL && e < w->references->bundle->count; e++)
        gather_entry(&g, e);
    if (g.count == 0)
        return ST_OK;
    *out = (struct linked){ .all = g.all, .count = g.count };
    if (join(out, w->arena) != ST_OK)
        return ST_NO_MEMORY;
    w->linked = out;
    return ST_OK;
}

uint32_t
linked_group(const struct whose *w, const struct subject *s)
{
    uint32_t at = w->linked != NULL && !span_empty(s->name) ? place_of(w->linked, s) : LINKED_NOBODY;

    return at != LINKED_NOBODY ? w->linked->all[at].up : LINKED_NOBODY;
}

uint32_t
linked_identity(const struct whose *w, const struct subject *s)
{
    uint32_t at = w->linked != NULL && !span_empty(s->name) ? place_of(w->linked, s) : LINKED_NOBODY;

    return at != LINKED_NOBODY ? w->linked->all[at].same : LINKED_NOBODY;
}

bool
linked_subject(const struct whose *w, const struct subject *a, const struct subject *b)
{
    uint32_t group = linked_group(w, a);

    return group != LINKED_NOBODY && !same_subject(a, b) && group == linked_group(w, b);
}

bool
linked_too_many(const struct whose *w, const struct subject *s)
{
    uint32_t group = linked_group(w, s);

    return group != LINKED_NOBODY && (w->linked->strange || w->linked->all[group].size > LINKED_MOST);
}

/* ---- links -------------------------------------------------------------------------- */

static bool
has_links(const struct bundle_entry *e)
{
    return span_eq_text(e->type, "Patient") || span_eq_text(e->type, "Person");
}

static uint32_t
links_most(const struct whose *w)
{
    const struct bundle *b    = w->references != NULL ? w->references->bundle : NULL;
    size_t               most = w->facts->link_count;

    for (uint32_t e = 0; b != NULL && e < b->count; e++)
        if (has_links(&b->entries[e]))
            most += tape_children(b->tape, tape_member(b->tape, b->entries[e].resource, SPAN("link")));
    return most < UINT32_MAX / 4 ? (uint32_t)most : UINT32_MAX / 4;
}

/* Of a Patient to others; of a Person to its Patients, in a row. */
static void
gather_entry(struct gathering *g, uint32_t entry)
{
    const struct bundle *b      = g->whose->references->bundle;
    bool                 person = span_eq_text(b->entries[entry].type, "Person");
    struct subject       from   = subject_of_entry(g->whose, entry);

    if (!has_links(&b->entries[entry]))
        return;
    if (person)
        from = subject_named(SPAN(""));
    tape_node list = tape_member(b->tape, b->entries[entry].resource, SPAN("link"));
    for (tape_node n = tape_first(b->tape, list); n != TAPE_ABSENT; n = tape_next(b->tape, n)) {
        struct subject to = patient_at(g->whose, tape_member(b->tape, n, person ? SPAN("target") : SPAN("other")));
        if (!span_empty(from.name) && !span_empty(to.name) && !taken_back(g, &from, &to))
            gather_link(g, from, to);
        if (person && !span_empty(to.name))
            from = to;
    }
}

/* A Patient that is referred to; nobody: it is something else, or not known. */
static struct subject
patient_at(struct whose *w, tape_node node)
{
    const struct reference *r = references_find(w->references, node);

    if (r == NULL || r->form == REFERENCE_CONTAINED)
        return subject_named(SPAN(""));
    if (r->to != ENTRY_NONE && r->to_contained == TAPE_ABSENT)
        return span_eq_text(w->references->bundle->entries[r->to].type, "Patient") ? subject_of_entry(w, r->to)
                                                                                   : subject_named(SPAN(""));
    if (!span_empty(r->type) && !span_eq_text(r->type, "Patient"))
        return subject_named(SPAN(""));
    struct span named = reference_patient_name(r, w->arena);
    return subject_of_reference(w, span_empty(named) ? r->value : named);
}

static void
gather_link(struct gathering *g, struct subject a, struct subject b)
{
    if (g->count + 2 > g->room || span_empty(a.name) || span_empty(b.name) || same_subject(&a, &b))
        return;
    g->all[g->count]     = (struct identity){ .who = a, .end = g->count };
    g->all[g->count + 1] = (struct identity){ .who = b, .end = g->count + 1 };
    g->count += 2;
}

static enum status
gather_gone(struct gathering *g)
{
    const struct facts *f = g->whose->facts;

    g->gone = arena_make_n(g->whose->arena, 2 * f->link_count, struct subject);
    if (g->gone == NULL && f->link_count > 0)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < f->link_count; i++) {
        if (!f->links[i].taken_back)
            continue;
        g->gone[g->gone_count++] = subject_of_reference(g->whose, f->links[i].patient);
        g->gone[g->gone_count++] = subject_of_reference(g->whose, f->links[i].other);
    }
    return ST_OK;
}

static bool
taken_back(const struct gathering *g, const struct subject *a, const struct subject *b)
{
    for (size_t i = 0; i < g->gone_count; i += 2)
        if (same_subject(b, &g->gone[i + 1]) && same_subject(a, &g->gone[i]))
            return true;
    return false;
}

/* ---- groups ------------------------------------------------------------------------- */

static int
by_key(const void *left, const void *right, const void *context)
{
    const struct identity *a = left, *b = right;

    (void)context;
    if (a->who.key != b->who.key)
        return a->who.key < b->who.key ? -1 : 1;
    return span_compare(a->who.name, b->who.name);
}

static enum status
join(struct linked *l, struct arena *arena)
{
    uint32_t *places = arena_make_n(arena, l->count, uint32_t);

    if (places == NULL)
        return ST_NO_MEMORY;
    sort_in_place(l->all, l->count, sizeof *l->all, by_key, NULL);
    for (uint32_t i = 0; i < l->count; i++) {
        places[l->all[i].end] = i;
        l->all[i].up = l->all[i].same = i;
        l->all[i].size        = 1;
    }
    for (uint32_t i = 1; i < l->count; i++)
        join_alike(l, i);
    for (uint32_t i = 0; i + 1 < l->count; i += 2)
        unite(l->all, places[i], places[i + 1]);
    for (uint32_t i = 0; i < l->count; i++)
        l->all[i].up = root_of(l->all, i);
    return ST_OK;
}

/* With those before it that are the same identity, in any spelling. */
static void
join_alike(struct linked *l, uint32_t at)
{
    uint32_t seen = 0, i = at;

    while (i-- > 0 && l->all[i].who.key == l->all[at].who.key) {
        if (same_subject(&l->all[i].who, &l->all[at].who)) {
            l->all[at].up = l->all[at].same = l->all[i].same;  /* the same one: the group is no larger */
            return;
        }
        if (seen++ == ALIKE_MOST) {
            l->strange = true;
            return;
        }
    }
}

static uint32_t
root_of(struct identity *all, uint32_t at)
{
    while (all[at].up != at) {
        all[at].up = all[all[at].up].up;
        at         = all[at].up;
    }
    return at;
}

static void
unite(struct identity *all, uint32_t a, uint32_t b)
{
    a = root_of(all, a);
    b = root_of(all, b);
    if (a == b)
        return;
    if (all[a].size < all[b].size) {
        uint32_t larger = b;
        b = a;
        a = larger;
    }
    all[b].up = a;
    all[a].size += all[b].size;
}

static uint32_t
place_of(const struct linked *l, const struct subject *s)
{
    uint32_t low = 0, high = l->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (l->all[middle].who.key < s->key)
            low = middle + 1;
        else
            high = middle;
    }
    for (uint32_t i = low; i < l->count && l->all[i].who.key == s->key; i++)
        if (same_subject(&l->all[i].who, s))
            return i;
    return LINKED_NOBODY;
}
