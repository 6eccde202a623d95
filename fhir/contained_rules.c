#include "fhir/contained_rules.h"

#include <string.h>

#include "base/json_walk.h"
#include "fhir/lookup.h"

#define NOTHING ((struct span){ NULL, 0 })

/* Hyperlinks of narratives are looked for only when nothing else refers to a
 * contained resource, and in so many times the bytes of the document at most. */
#define NARRATIVES_MOST 8u

struct contained {
    const struct lookup *ids;            /* container and id -> resource              */
    struct resource_range range;
    uint8_t             *referred;       /* of each of the range: it is, or it refers to "#" */
    struct arena        *arena;
    size_t               left;           /* bytes that may still be searched          */
};

static struct span join_key(struct arena *, uint32_t container, struct span id);
static void        check_one(struct contained *, struct report *, uint32_t resource);
static void        refuse_same_ids(const struct contained *, struct report *);

enum status
contained_read(struct report *report, struct resource_range range, struct contained **out)
{
    const struct bundle *b     = report->bundle;
    struct arena        *arena = report->arena;
    uint32_t             some = 0, count = 0;

    *out = NULL;
    for (uint32_t i = range.first; i < range.end; i++)
        some += bundle_resource_at(b, i)->contained;
    if (some == 0)
        return ST_OK;
    struct contained   *c     = arena_make(arena, struct contained);
    struct lookup_item *items = arena_make_n(arena, some, struct lookup_item);
    if (c == NULL || items == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = range.first; i < range.end; i++) {
        const struct bundle_resource *one = bundle_resource_at(b, i);
        struct span id = one->contained ? walk_find_text(b->tape, one->node, SPAN("id"), arena) : NOTHING;
        if (!span_empty(id))
            items[count++] = (struct lookup_item){ .key = join_key(arena, one->container, id), .value = i };
    }
    *c = (struct contained){ .ids = lookup_build(items, count, arena), .range = range,
                             .referred = arena_make_n(arena, range.end - range.first, uint8_t), .arena = arena, .left = NARRATIVES_MOST * tape_body(b->tape).length };
    if (c->ids == NULL || c->referred == NULL || arena_spent(arena))
        return ST_NO_MEMORY;
    *out = c;
    return ST_OK;
}

static struct span
join_key(struct arena *arena, uint32_t container, struct span id)
{
    return arena_join(arena, span_from(&container, sizeof container), id);
}

uint32_t
contained_find(struct contained *c, const struct bundle *b, uint32_t from, struct span text)
{
    const struct bundle_resource *one = bundle_resource_at(b, from);

    if (c == NULL || one == NULL)
        return ENTRY_NONE;
    if (text.length == 1) {
        if (!one->contained)
            return ENTRY_NONE;
        c->referred[from - c->range.first] = 1;
        return one->container;
    }
    struct arena_mark mark = arena_mark(c->arena);
    uint32_t          at   = lookup_find(c->ids, join_key(c->arena, one->container, span_skip(text, 1)));
    if (!arena_spent(c->arena))
        arena_reset(c->arena, mark);
    if (at == LOOKUP_NONE)
        return ENTRY_NONE;
    c->referred[lookup_value(c->ids, at) - c->range.first] = 1;
    return lookup_value(c->ids, at);
}

/* ---- rules ------------------------------------------------------------------------------ */

static void
add(struct report *report, const char *rule, tape_node node, struct span wanted, struct span found, struct span hint)
{
    struct finding f = { .node = node, .severity = SEVERITY_ERROR, .code = ISSUE_INVARIANT, .rule = rule };

    if (report_new(report, &f))
        report_add(report, &f, wanted, found, hint);
}

void
contained_rules(struct contained *c, struct report *report)
{
    for (uint32_t i = c != NULL ? c->range.first : 0; c != NULL && i < c->range.end && !report->stopped; i++)
        if (bundle_resource_at(report->bundle, i)->contained)
            check_one(c, report, i);
    if (c != NULL)
        refuse_same_ids(c, report);
}

/* An id needs no escape, and what quotes it may be one: the bytes are searched
 * as they came.  Where that finds nothing, strings with escapes are searched as
 * they read, for somebody may write all of it so. */
static bool
in_escaped(struct report *report, tape_node first, struct span id, bool (*has)(struct span, struct span id, char quote))
{
    const struct tape *t = report->bundle->tape;

    for (tape_node n = first, after = tape_after(t, first); n < after; n++)
        if (tape_kind(t, n) == TAPE_STRING && tape_escaped(t, n) && has(tape_text(t, n, report->arena), id, '"'))
            return true;
    return false;
}

/* `quote` is what a double quote inside of a string begins with here. */
static bool
has_link(struct span text, struct span id, char quote)
{
    for (size_t at = span_find_byte(text, '#'); at != SPAN_NOT_FOUND; at = span_find_byte(text, '#')) {
        text = span_skip(text, at + 1);
        if (span_starts(text, id) && text.length > id.length && (text.at[id.length] == quote || text.at[id.length] == '\''))
            return true;
    }
    return false;
}

static bool
has_id(struct span text, struct span id, char quote)
{
    if (span_eq(text, id))
        return true;
    for (size_t at = span_find(text, id); at != SPAN_NOT_FOUND; at = span_find(text, id)) {
        char before = at > 0 ? text.at[at - 1] : '\0', after = at + id.length < text.length ? text.at[at + id.length] : '\0';
        if ((before == '"' || before == '\'') && (after == '"' || after == '\'' || after == quote))
            return true;
        text = span_skip(text, at + 1);
    }
    return false;
}

/* Whether a narrative has a hyperlink or image "#id". */
static bool
in_narrative(struct contained *c, struct report *report, uint32_t resource, struct span id)
{
    const struct bundle *b   = report->bundle;
    tape_node            top = bundle_resource_at(b, bundle_resource_at(b, resource)->container)->node;
    struct span          all = tape_raw(b->tape, top);

    if (2 * all.length > c->left)
        return false;
    c->left -= 2 * all.length;
    return has_link(all, id, '\\') || in_escaped(report, top, id, has_link);
}

bool
fragment_known(struct report *report, struct span id, size_t *budget)
{
    struct span all = tape_body(report->bundle->tape);

    if (2 * all.length > *budget)
        return true;
    *budget -= 2 * all.length;
    return has_id(all, id, '\\') || in_escaped(report, TAPE_ROOT, id, has_id);
}

static void
check_one(struct contained *c, struct report *report, uint32_t resource)
{
    const struct tape *t    = report->bundle->tape;
    tape_node          node = bundle_resource_at(report->bundle, resource)->node;
    tape_node          meta = walk_find(t, node, SPAN("meta"));
    struct span        id   = walk_find_text(t, node, SPAN("id"), c->arena);

    if (span_empty(id))
        add(report, "contained-id", node, SPAN("want an id in a contained resource"), SPAN("have none"), NOTHING);
    else if (!c->referred[resource - c->range.first] && !in_narrative(c, report, resource, id))
        add(report, "dom-3", node, SPAN("want a contained resource to be referred to in the one that contains it, or to refer to that"),
            SPAN("have one that nothing refers to"), SPAN("Take it out, or refer to it by # and its id"));
    if (walk_find(t, meta, SPAN("versionId")) != TAPE_ABSENT || walk_find(t, meta, SPAN("lastUpdated")) != TAPE_ABSENT)
        add(report, "dom-4", meta, SPAN("want no meta.versionId and no meta.lastUpdated in a contained resource"),
            SPAN("have one"), NOTHING);
    if (walk_find(t, meta, SPAN("security")) != TAPE_ABSENT)
        add(report, "dom-5", meta, SPAN("want no meta.security in a contained resource"), SPAN("have one"),
            SPAN("Put the label on the resource that contains it"));
}

static void
refuse_same_ids(const struct contained *c, struct report *report)
{
    for (uint32_t at = 0; at < lookup_count(c->ids) && !report->stopped; at++) {
        uint32_t again = lookup_next(c->ids, at);
        if (again != LOOKUP_NONE)
            add(report, "contained-id", bundle_resource_at(report->bundle, lookup_value(c->ids, again))->node,
                SPAN("want an id once among the resources that are contained in one"), SPAN("have it twice"), NOTHING);
    }
}
