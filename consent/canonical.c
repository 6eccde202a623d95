#include "consent/canonical.h"

#include "base/json_walk.h"

static bool
is_definition(const struct bundle *b, uint32_t entry)
{
    static const char *const types[] = { "ActivityDefinition", "ChargeItemDefinition", "Library", "Measure", "PlanDefinition", "Questionnaire" };
    bool                     is      = false;

    for (size_t i = 0; i < sizeof types / sizeof *types && !is; i++)
        is = b->entries[entry].resource != TAPE_ABSENT && span_eq_text(b->entries[entry].type, types[i]);
    return is;
}

struct definitions { const struct lookup *by_url; size_t longest; };

/* Without a table there are none. */
static enum status
read_definitions(const struct bundle *b, struct arena *arena, struct definitions *out)
{
    struct lookup_item *items = NULL;
    uint32_t            count = 0, most = 0;

    *out = (struct definitions){ NULL, 0 };
    for (uint32_t e = 0; e < b->count; e++)
        most += is_definition(b, e);
    if (most == 0)
        return ST_OK;
    if ((items = arena_make_n(arena, most, struct lookup_item)) == NULL)
        return ST_NO_MEMORY;
    for (uint32_t e = 0; e < b->count; e++) {
        struct span url = is_definition(b, e) ? tape_member_text(b->tape, b->entries[e].resource, SPAN("url"), arena) : SPAN("");
        if (span_empty(url))
            continue;
        items[count++] = (struct lookup_item){ .key = url, .value = e };
        out->longest   = url.length > out->longest ? url.length : out->longest;
    }
    out->by_url = count > 0 ? lookup_build(items, count, arena) : NULL;
    return arena_status(arena);
}

/* Without version and fragment. */
static struct span
url_of(struct span canonical)
{
    struct span rest = span_split(&canonical, '|');

    return span_split(&rest, '#');
}

/* Into `all` from `count` on, or with NULL only counted. */
static uint32_t
read_entry(const struct bundle *b, const struct definitions *d, uint32_t entry, struct canonical *all, uint32_t count, struct arena *arena)
{
    tape_node resource = b->entries[entry].resource;
    tape_node own      = is_definition(b, entry) ? tape_member(b->tape, resource, SPAN("url")) : TAPE_ABSENT;
    tape_node end      = resource != TAPE_ABSENT ? tape_after(b->tape, resource) : 0;

    /* what is longer than every URL is not looked up, and so not hashed */
    for (tape_node n = end > 0 ? walk_next_string(b->tape, resource, end) : 0; n < end; n = walk_next_string(b->tape, n + 1, end)) {
        struct arena_mark before = arena_mark(arena);
        struct span       url    = url_of(walk_text(b->tape, n, arena));
        uint32_t          group  = n != own && url.length <= d->longest ? lookup_find(d->by_url, url) : LOOKUP_NONE;
        arena_reset(arena, before);
        if (group == LOOKUP_NONE)
            continue;
        if (all != NULL)
            all[count] = (struct canonical){ .node = n, .from = entry, .group = group, .next = LOOKUP_NONE };
        count++;
    }
    return count;
}

static void
join_groups(struct canonicals *c, struct canonical *all)
{
    for (uint32_t i = 0; i < lookup_count(c->definitions); i++)
        c->first_of[i] = LOOKUP_NONE;
    for (uint32_t i = c->count; i-- > 0;) {
        all[i].next               = c->first_of[all[i].group];
        c->first_of[all[i].group] = i;
    }
}

enum status
canonicals_read(const struct bundle *b, struct arena *arena, const struct canonicals **out)
{
    struct definitions d;
    uint32_t           count = 0, at = 0;
    enum status        st    = read_definitions(b, arena, &d);

    *out = NULL;
    for (uint32_t e = 0; st == ST_OK && d.by_url != NULL && e < b->count; e++)
        count = read_entry(b, &d, e, NULL, count, arena);
    if (st != ST_OK || count == 0)
        return st;
    struct canonicals *c   = arena_make(arena, struct canonicals);
    struct canonical  *all = arena_make_n(arena, count, struct canonical);
    if (c == NULL || all == NULL)
        return ST_NO_MEMORY;
    *c = (struct canonicals){ .definitions = d.by_url, .all = all, .count = count,
                              .first_from  = arena_make_n(arena, (size_t)b->count + 1, uint32_t),
                              .first_of    = arena_make_n(arena, lookup_count(d.by_url), uint32_t),
                              .group_of    = arena_make_n(arena, (size_t)b->count + 1, uint32_t) };
    if (arena_spent(arena))
        return ST_NO_MEMORY;
    for (uint32_t e = 0; e < b->count; e++) {
        c->first_from[e] = at;
        c->group_of[e]   = LOOKUP_NONE;
        at               = read_entry(b, &d, e, all, at, arena);
    }
    c->first_from[b->count] = at;
    for (uint32_t i = 0; i < lookup_count(d.by_url); i++)
        c->group_of[lookup_value(d.by_url, i)] = lookup_first(d.by_url, i);
    join_groups(c, all);
    *out = c;
    return arena_status(arena);
}
