#include "fhir/linked_rules.h"

#include "base/json_walk.h"

#define NOTHING ((struct span){ NULL, 0 })

enum { APART = 0, BACKWARD, FORWARD };

static enum status link_texts(struct report *, struct bundle_table *, struct links *);
static enum status link_stylesheets(struct report *, const struct bundle_table *, struct links *);
static enum status spread(const struct links *, uint32_t count, struct arena *, uint8_t *reached);
static void        report_apart(struct report *, const struct bundle_table *, const uint8_t *reached);

enum status
links_add(struct links *links, struct link link, struct arena *arena)
{
    if (links->count == links->room) {
        uint32_t     room  = links->room > 0 ? links->room * 2 : 64;
        struct link *fresh = arena_grow(arena, links->all, links->room * sizeof link, room * sizeof link);
        if (fresh == NULL)
            return ST_NO_MEMORY;
        links->all  = fresh;
        links->room = room;
    }
    links->all[links->count++] = link;
    return ST_OK;
}

enum status
linked_rules(struct report *report, struct bundle_table *table, struct links *links)
{
    uint8_t *reached = arena_make_n(report->arena, (size_t)table->count + 1, uint8_t);

    if (reached == NULL || link_texts(report, table, links) != ST_OK || link_stylesheets(report, table, links) != ST_OK
        || spread(links, table->count, report->arena, reached) != ST_OK)
        return ST_NO_MEMORY;
    report_apart(report, table, reached);
    return arena_status(report->arena);
}

/* ---- links that are not References ------------------------------------------------------- */

/* A text that could be the URL of an entry. */
static bool
may_be_url(const struct tape *t, tape_node n)
{
    struct span text = walk_raw(t, n);

    if (text.length < 3 || text.length > 2048)
        return false;
    return walk_escaped(t, n) || span_starts(text, SPAN("urn:")) || span_starts(text, SPAN("http"))
        || (text.at[0] >= 'A' && text.at[0] <= 'Z' && span_find_byte(text, '/') != SPAN_NOT_FOUND);
}

/* system and profile name what they name by other rules. */
static bool
names_no_entry(const struct tape *t, tape_node name)
{
    return walk_called(t, name, SPAN("system")) || walk_called(t, name, SPAN("profile"))
        || walk_called(t, name, SPAN("reference")) || walk_called(t, name, SPAN("display"));
}

static enum status
link_texts(struct report *report, struct bundle_table *table, struct links *links)
{
    const struct tape *t = report->bundle->tape;

    for (uint32_t e = 0; e < table->count; e++) {
        tape_node first = table->entries[e].resource;
        tape_node after = first != TAPE_ABSENT ? tape_after(t, first) : TAPE_ABSENT;
        struct home home = bundle_table_home(table, e);
        for (tape_node n = first; n < after; n++) {
            if (walk_kind(t, n) == TAPE_NAME && names_no_entry(t, n)) {
                n = tape_after(t, n + 1) - 1;
                continue;
            }
            uint32_t to;
            if (walk_kind(t, n) != TAPE_STRING || !may_be_url(t, n)
                || bundle_table_resolve(&home, walk_text(t, n, report->arena), report->arena, t, &to) != RESOLUTION_ONE
                || to == e)
                continue;
            if (links_add(links, (struct link){ e, to }, report->arena) != ST_OK)
                return ST_NO_MEMORY;
        }
    }
    return arena_status(report->arena);
}

static enum status
link_stylesheets(struct report *report, const struct bundle_table *table, struct links *links)
{
    const struct tape *t    = report->bundle->tape;
    tape_node          list = walk_find(t, table->node, SPAN("link"));

    for (tape_node n = tape_kind(t, list) == TAPE_ARRAY ? tape_first(t, list) : TAPE_ABSENT; n != TAPE_ABSENT;
         n = tape_next(t, n)) {
        if (!tape_text_eq(t, walk_find(t, n, SPAN("relation")), SPAN("stylesheet")))
            continue;
        uint32_t to = bundle_table_namesake(table, walk_find_text(t, n, SPAN("url"), report->arena), report->arena);
        if (to != ENTRY_NONE && links_add(links, (struct link){ 0, to }, report->arena) != ST_OK)
            return ST_NO_MEMORY;
    }
    return ST_OK;
}

/* ---- what is reached ----------------------------------------------------------------------- */

/* Links by the entry at one of their ends: others[first[e] .. first[e + 1]). */
struct by_end { uint32_t *first, *others; };

static enum status
sort_by_end(const struct links *links, uint32_t count, bool backward, struct arena *arena, struct by_end *out)
{
    out->first  = arena_make_n(arena, (size_t)count + 2, uint32_t);
    out->others = arena_make_n(arena, (size_t)links->count + 1, uint32_t);
    if (out->first == NULL || out->others == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < links->count; i++)
        out->first[(backward ? links->all[i].to : links->all[i].from) + 2]++;
    for (uint32_t e = 0; e < count; e++)
        out->first[e + 1] += out->first[e];
    for (uint32_t i = 0; i < links->count; i++) {
        struct link one = links->all[i];
        out->others[out->first[(backward ? one.to : one.from) + 1]++] = backward ? one.from : one.to;
    }
    return ST_OK;
}

static void
visit(uint32_t entry, uint8_t how, uint8_t *reached, uint32_t *queue, uint32_t *tail)
{
    if (reached[entry] == APART) {
        reached[entry]   = how;
        queue[(*tail)++] = entry;
    }
}

/* First forward alone, then from all that was reached in both directions. */
static enum status
spread(const struct links *links, uint32_t count, struct arena *arena, uint8_t *reached)
{
    struct by_end to, from;
    uint32_t     *queue = arena_make_n(arena, (size_t)count + 1, uint32_t), tail = 0;

    if (queue == NULL || sort_by_end(links, count, false, arena, &to) != ST_OK
        || sort_by_end(links, count, true, arena, &from) != ST_OK)
        return ST_NO_MEMORY;
    if (count > 0)
        visit(0, FORWARD, reached, queue, &tail);
    for (uint32_t head = 0; head < tail; head++)
        for (uint32_t i = to.first[queue[head]]; i < to.first[queue[head] + 1]; i++)
            visit(to.others[i], FORWARD, reached, queue, &tail);
    for (uint32_t head = 0; head < tail; head++) {
        for (uint32_t i = from.first[queue[head]]; i < from.first[queue[head] + 1]; i++)
            visit(from.others[i], BACKWARD, reached, queue, &tail);
        for (uint32_t i = to.first[queue[head]]; i < to.first[queue[head] + 1]; i++)
            visit(to.others[i], FORWARD, reached, queue, &tail);
    }
    return ST_OK;
}

static void
report_apart(struct report *report, const struct bundle_table *table, const uint8_t *reached)
{
    bool document = table->type == BUNDLE_DOCUMENT;

    for (uint32_t e = 0; e < table->count && !report->stopped; e++) {
        bool backward = reached[e] == BACKWARD && document && !span_eq_text(table->entries[e].type, "Provenance");
        if (table->entries[e].resource == TAPE_ABSENT || (reached[e] != APART && !backward))
            continue;
        struct finding f = { .node = table->entries[e].entry, .code = ISSUE_STRUCTURE, .rule = "linked",
                             .severity = document && !backward ? SEVERITY_ERROR : SEVERITY_WARNING };
        if (!report_new(report, &f))
            continue;
        report_add(report, &f,
                   document ? SPAN("want every entry to be joined with the Composition by references")
                            : SPAN("want every entry to be joined with the MessageHeader by references"),
                   backward ? SPAN("have one that only refers to others") : SPAN("have one that is not"), NOTHING);
    }
}
