#include "fhir/bundle.h"

#include <string.h>

#include "base/json_walk.h"
#include "fhir/lookup.h"
#include "fhir/reference.h"

struct bundle_index {
    const struct lookup    *full_urls;
    const struct lookup    *ids;         /* "Type/id"                                */
    const uint32_t         *url_at;      /* entry -> its position in full_urls       */
    const uint32_t         *id_at;       /* entry -> its position in ids             */
    struct bundle_resource *resources;
    uint32_t                resource_count;
};

/* What reading needs at every step. */
struct reader {
    const struct tape   *tape;
    const tape_node     *parents;
    struct arena        *arena;
    struct issues       *issues;
    struct bundle       *bundle;
    struct bundle_index *index;
    struct bundle_entry *entries;
};

static const struct { const char *text; enum bundle_type type; } types[] = {
    { "document", BUNDLE_DOCUMENT }, { "message", BUNDLE_MESSAGE },
    { "transaction", BUNDLE_TRANSACTION }, { "transaction-response", BUNDLE_TRANSACTION_RESPONSE },
    { "batch", BUNDLE_BATCH }, { "batch-response", BUNDLE_BATCH_RESPONSE },
    { "history", BUNDLE_HISTORY }, { "searchset", BUNDLE_SEARCHSET },
    { "collection", BUNDLE_COLLECTION },
};

static enum status refuse_resource(struct reader *, tape_node, struct span hint);
static enum status read_entries(struct reader *);
static enum status read_entry(struct reader *, tape_node item, struct bundle_entry *);
static void        name_absent_resource(struct reader *, struct bundle_entry *);
static enum status index_entries(struct reader *);
static enum status list_resources(struct reader *);

enum status
bundle_read(const struct tape *tape, struct arena *arena, struct issues *issues, const struct bundle **out)
{
    struct bundle       *b     = arena_make(arena, struct bundle);
    struct bundle_index *index = arena_make(arena, struct bundle_index);
    struct reader        r     = { tape, tape_parents(tape, arena), arena, issues, b, index, NULL };

    *out = NULL;
    if (b == NULL || index == NULL || r.parents == NULL)
        return ST_NO_MEMORY;
    b->tape    = tape;
    b->parents = r.parents;
    b->root    = TAPE_ROOT;
    b->index   = index;
    tape_node type = walk_find(tape, TAPE_ROOT, SPAN("resourceType"));
    if (tape_kind(tape, type) != TAPE_STRING)
        return refuse_resource(&r, TAPE_ROOT, SPAN("Send a Bundle or a resource as FHIR R4 JSON"));
    enum status st = read_entries(&r);
    if (st == ST_OK)
        st = index_entries(&r);
    if (st == ST_OK)
        st = list_resources(&r);
    if (st == ST_OK)
        *out = b;
    return st;
}

const char *
bundle_type_text(enum bundle_type type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].type == type)
            return types[i].text;
    return type == BUNDLE_SINGLE ? "single" : "unknown";
}

enum bundle_type
bundle_type_named(struct span code)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (span_eq_text(code, types[i].text))
            return types[i].type;
    return BUNDLE_UNKNOWN;
}

/* ---- entries ------------------------------------------------------------------- */

static enum status
refuse(struct reader *r, tape_node node, struct span wanted, struct span hint)
{
    struct issue issue = { .severity = SEVERITY_FATAL, .code = ISSUE_STRUCTURE, .rule = "bundle",
                           .wanted = wanted, .hint = hint };

    issue.found = arena_format(r->arena, "have %s", tape_kind_name(tape_kind(r->tape, node)));
    issues_add_at(r->issues, &issue, r->tape, r->parents, node);
    return arena_spent(r->arena) ? ST_NO_MEMORY : ST_MALFORMED;
}

/* What should be a resource and is not: the place of its resourceType, if any. */
static enum status
refuse_resource(struct reader *r, tape_node node, struct span hint)
{
    static const struct span wanted = { "want a FHIR resource: an object with a resourceType", 51 };
    tape_node                type   = walk_find(r->tape, node, SPAN("resourceType"));

    if (type == TAPE_ABSENT && tape_kind(r->tape, node) == TAPE_OBJECT) {
        struct issue issue = { .severity = SEVERITY_FATAL, .code = ISSUE_STRUCTURE, .rule = "bundle",
                               .wanted = wanted, .found = SPAN("have an object without resourceType"), .hint = hint };
        issues_add_at(r->issues, &issue, r->tape, r->parents, node);
        return arena_spent(r->arena) ? ST_NO_MEMORY : ST_MALFORMED;
    }
    return refuse(r, type != TAPE_ABSENT ? type : node, wanted, hint);
}

static enum bundle_type
type_of_bundle(const struct tape *t, struct arena *arena)
{
    tape_node type = walk_find(t, TAPE_ROOT, SPAN("type"));

    return tape_kind(t, type) == TAPE_STRING ? bundle_type_named(tape_text(t, type, arena)) : BUNDLE_UNKNOWN;
}

static enum status
read_single(struct reader *r)
{
    r->bundle->type  = BUNDLE_SINGLE;
    r->bundle->count = 1;
    r->entries       = arena_make_n(r->arena, 1, struct bundle_entry);
    if (r->entries == NULL)
        return ST_NO_MEMORY;
    r->bundle->entries     = r->entries;
    r->entries[0].resource = TAPE_ROOT;
    r->entries[0].type     = walk_find_text(r->tape, TAPE_ROOT, SPAN("resourceType"), r->arena);
    r->entries[0].id       = walk_find_text(r->tape, TAPE_ROOT, SPAN("id"), r->arena);
    return ST_OK;
}

static enum status
read_entries(struct reader *r)
{
    const struct tape *t = r->tape;

    if (!tape_text_eq(t, walk_find(t, TAPE_ROOT, SPAN("resourceType")), SPAN("Bundle")))
        return read_single(r);
    r->bundle->type = type_of_bundle(t, r->arena);
    tape_node list = walk_find(t, TAPE_ROOT, SPAN("entry"));
    if (list == TAPE_ABSENT)
        return ST_OK;
    if (tape_kind(t, list) != TAPE_ARRAY)
        return refuse(r, list, SPAN("want Bundle.entry to be an array"), SPAN("Put the entry in brackets"));
    uint32_t count = tape_children(t, list), i = 0;
    r->entries = arena_make_n(r->arena, (size_t)count + 1, struct bundle_entry);
    if (r->entries == NULL)
        return ST_NO_MEMORY;
    r->bundle->entries = r->entries;
    r->bundle->count   = count;
    for (tape_node item = tape_first(t, list); item != TAPE_ABSENT; item = tape_next(t, item)) {
        enum status st = read_entry(r, item, &r->entries[i++]);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}

static struct span
string_text(struct reader *r, tape_node value)
{
    return walk_kind(r->tape, value) == TAPE_STRING ? walk_text(r->tape, value, r->arena) : (struct span){ NULL, 0 };
}

struct entry_parts
entry_parts(const struct tape *t, tape_node item)
{
    struct entry_parts parts = { .resource = TAPE_ABSENT };

    if (walk_kind(t, item) != TAPE_OBJECT)
        return parts;
    for (tape_node value = walk_first(t, item); value != TAPE_ABSENT; value = walk_next(t, value)) {
        if (walk_called(t, value - 1, SPAN("fullUrl")))
            parts.full_url = value;
        else if (walk_called(t, value - 1, SPAN("resource")))
            parts.resource = value;
        else if (walk_called(t, value - 1, SPAN("request")))
            parts.request = value;
        else if (walk_called(t, value - 1, SPAN("response")))
            parts.response = value;
        else if (walk_called(t, value - 1, SPAN("search")))
            parts.search = value;
    }
    return parts;
}

static enum status
read_entry(struct reader *r, tape_node item, struct bundle_entry *e)
{
    const struct tape *t = r->tape;

    if (walk_kind(t, item) != TAPE_OBJECT)
        return refuse(r, item, SPAN("want every item of Bundle.entry to be an object"), (struct span){ NULL, 0 });
    struct entry_parts parts    = entry_parts(t, item);
    const tape_node    inside[] = { parts.request, parts.response, parts.search };
    e->entry    = item;
    e->full_url = string_text(r, parts.full_url);
    e->request  = parts.request;
    e->response = parts.response;
    e->search   = parts.search;
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
        if (inside[i] != TAPE_ABSENT && walk_kind(t, inside[i]) != TAPE_OBJECT)
            return refuse(r, inside[i], SPAN("want an object"), (struct span){ NULL, 0 });
    e->method   = walk_find_text(t, e->request, SPAN("method"), r->arena);
    e->url      = walk_find_text(t, e->request, SPAN("url"), r->arena);
    e->resource = parts.resource;
    if (e->resource == TAPE_ABSENT) {
        name_absent_resource(r, e);
        return ST_OK;
    }
    tape_node type = walk_find(t, e->resource, SPAN("resourceType"));
    if (walk_kind(t, type) != TAPE_STRING)
        return refuse_resource(r, e->resource, (struct span){ NULL, 0 });
    e->type = walk_text(t, type, r->arena);
    e->id   = walk_find_text(t, e->resource, SPAN("id"), r->arena);
    return ST_OK;
}

/* A DELETE in a history or transaction says by its URLs what it deletes. */
static void
name_absent_resource(struct reader *r, struct bundle_entry *e)
{
    struct span base, rest = e->url;

    if (reference_split(e->url, &base, &e->type, &e->id)
        || reference_split(walk_find_text(r->tape, e->response, SPAN("location"), r->arena), &base, &e->type, &e->id)
        || reference_split(e->full_url, &base, &e->type, &e->id))
        return;
    struct span type = span_split(&rest, '?');           /* "Condition?code=…" */
    e->type = span_find_byte(type, '/') == SPAN_NOT_FOUND ? type : (struct span){ NULL, 0 };
    e->id   = (struct span){ NULL, 0 };
}

/* ---- indexes ------------------------------------------------------------------- */

/* Where each entry stands in a lookup whose values are entries. */
static const uint32_t *
positions(const struct lookup *l, uint32_t count, struct arena *arena)
{
    uint32_t *at = arena_make_n(arena, (size_t)count + 1, uint32_t);

    for (uint32_t i = 0; at != NULL && i < count; i++)
        at[i] = LOOKUP_NONE;
    for (uint32_t p = 0; at != NULL && p < lookup_count(l); p++)
        at[lookup_value(l, p)] = p;
    return at;
}

static enum status
index_entries(struct reader *r)
{
    uint32_t            count = r->bundle->count, urls = 0, ids = 0;
    struct lookup_item *url_items = arena_make_n(r->arena, (size_t)count + 1, struct lookup_item);
    struct lookup_item *id_items  = arena_make_n(r->arena, (size_t)count + 1, struct lookup_item);

    if (url_items == NULL || id_items == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        const struct bundle_entry *e = &r->entries[i];
        if (!span_empty(e->full_url))
            url_items[urls++] = (struct lookup_item){ .key = e->full_url, .value = i };
        if (!span_empty(e->type) && !span_empty(e->id))
            id_items[ids++] = (struct lookup_item){ .key = arena_join(r->arena, e->type, SPAN("/"), e->id), .value = i };
    }
    if (arena_spent(r->arena))
        return ST_NO_MEMORY;
    r->index->full_urls = lookup_build(url_items, urls, r->arena);
    r->index->ids       = lookup_build(id_items, ids, r->arena);
    if (r->index->full_urls == NULL || r->index->ids == NULL)
        return ST_NO_MEMORY;
    r->index->url_at = positions(r->index->full_urls, count, r->arena);
    r->index->id_at  = positions(r->index->ids, count, r->arena);
    return r->index->url_at != NULL && r->index->id_at != NULL ? ST_OK : ST_NO_MEMORY;
}

static uint32_t
entry_at(const struct lookup *l, uint32_t position)
{
    return position != LOOKUP_NONE ? lookup_value(l, position) : ENTRY_NONE;
}

uint32_t
bundle_find_full_url(const struct bundle *b, struct span full_url)
{
    return entry_at(b->index->full_urls, lookup_find(b->index->full_urls, full_url));
}

uint32_t
bundle_next_full_url(const struct bundle *b, uint32_t entry)
{
    uint32_t at = entry < b->count ? b->index->url_at[entry] : LOOKUP_NONE;

    return entry_at(b->index->full_urls, lookup_next(b->index->full_urls, at));
}

uint32_t
bundle_first_full_url(const struct bundle *b, uint32_t entry)
{
    uint32_t at = entry < b->count ? b->index->url_at[entry] : LOOKUP_NONE;

    return entry_at(b->index->full_urls, lookup_first(b->index->full_urls, at));
}

uint32_t
bundle_first_same(const struct bundle *b, uint32_t entry)
{
    uint32_t at = entry < b->count ? b->index->id_at[entry] : LOOKUP_NONE;

    return entry_at(b->index->ids, lookup_first(b->index->ids, at));
}

const struct lookup *
bundle_full_urls(const struct bundle *b)
{
    return b->index->full_urls;
}

const struct lookup *
bundle_names(const struct bundle *b)
{
    return b->index->ids;
}

uint32_t
bundle_find_name(const struct bundle *b, struct span type_and_id)
{
    return entry_at(b->index->ids, lookup_find(b->index->ids, type_and_id));
}

uint32_t
bundle_find(const struct bundle *b, struct span type, struct span id)
{
    char buffer[256] __attribute__((uninitialized));           /* read as far as it is written */

    /* R4 bounds both (an id has 64 characters); what is longer names nothing. */
    if (span_empty(type) || span_empty(id) || type.length + id.length + 1 > sizeof buffer)
        return ENTRY_NONE;
    memcpy(buffer, type.at, type.length);
    buffer[type.length] = '/';
    memcpy(buffer + type.length + 1, id.at, id.length);
    return bundle_find_name(b, span_from(buffer, type.length + id.length + 1));
}

struct span
bundle_entry_name(const struct bundle *b, uint32_t entry)
{
    uint32_t at = entry < b->count ? b->index->id_at[entry] : LOOKUP_NONE;

    return at != LOOKUP_NONE ? lookup_key(b->index->ids, at) : (struct span){ NULL, 0 };
}

uint32_t
bundle_next_same(const struct bundle *b, uint32_t entry)
{
    uint32_t at = entry < b->count ? b->index->id_at[entry] : LOOKUP_NONE;

    return entry_at(b->index->ids, lookup_next(b->index->ids, at));
}

uint32_t
bundle_entry_of(const struct bundle *b, tape_node node)
{
    uint32_t low = 0, high = b->count;

    if (node == TAPE_ABSENT)
        return ENTRY_NONE;
    if (b->type == BUNDLE_SINGLE)
        return 0;
    while (low < high) {                             /* the last entry that begins at or before it */
        uint32_t middle = low + (high - low) / 2;
        if (b->entries[middle].entry <= node)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && node < tape_after(b->tape, b->entries[low - 1].entry) ? low - 1 : ENTRY_NONE;
}

/* ---- resources ------------------------------------------------------------------ */

static bool
named(const struct tape *t, tape_node member, struct span name)
{
    tape_node its = tape_name(t, member);

    return its != TAPE_ABSENT && walk_is(t, its, name);
}

/* Whether an object stands where R4 has a resource; `contained` when there. */
static bool
in_resource_place(const struct reader *r, tape_node object, bool *contained)
{
    const struct tape *t      = r->tape;
    tape_node          parent = r->parents[object];

    *contained = false;
    if (object == TAPE_ROOT)
        return true;
    if (walk_kind(t, parent) == TAPE_ARRAY)
        return *contained = named(t, parent, SPAN("contained"));
    return named(t, object, SPAN("resource")) || named(t, object, SPAN("outcome"));
}

/* The places of resources, from the names that make them one; nearly in
 * order: a resourceType may come behind resources inside. */
static enum status
collect_resources(struct reader *r, struct bundle_resource **out, uint32_t *out_count)
{
    const struct tape      *t     = r->tape;
    uint32_t                nodes = tape_count(t), count = 0, room = 0;
    uint32_t                key   = tape_key_of(SPAN("resourceType"));
    struct bundle_resource *all   = NULL;

    for (tape_node n = walk_seek(t, TAPE_ROOT, key, SPAN("resourceType")); n <= nodes;
         n = walk_seek(t, n + 1, key, SPAN("resourceType"))) {
        struct bundle_resource one = { .node = r->parents[n] };
        if (walk_kind(t, n + 1) != TAPE_STRING || !in_resource_place(r, one.node, &one.contained))
            continue;
        if (count == room) {
            uint32_t more = room > 0 ? room * 2 : r->bundle->count + 8;
            all = arena_grow(r->arena, all, room * sizeof *all, more * sizeof *all);
            if (all == NULL)
                return ST_NO_MEMORY;
            room = more;
        }
        uint32_t at = count++;
        for (; at > 0 && all[at - 1].node > one.node; at--)
            all[at] = all[at - 1];
        all[at] = one;
    }
    *out       = all;
    *out_count = count;
    return ST_OK;
}

/* The resource around another is found by climbing from the one before: at
 * most as many steps as the tape is deep, and every step leaves one for good. */
static enum status
list_resources(struct reader *r)
{
    struct bundle_resource *all = NULL;
    uint32_t                count = 0, around = ENTRY_NONE;
    enum status             st = collect_resources(r, &all, &count);

    for (uint32_t i = 0; st == ST_OK && i < count; i++) {
        while (around != ENTRY_NONE && all[i].node >= tape_after(r->tape, all[around].node))
            around = all[around].up;
        all[i].up        = around;
        all[i].contained = all[i].contained && around != ENTRY_NONE;
        all[i].container = all[i].contained ? all[around].container : i;
        around           = i;
    }
    r->index->resources      = all;
    r->index->resource_count = count;
    return st;
}

uint32_t
bundle_resources(const struct bundle *b)
{
    return b->index->resource_count;
}

const struct bundle_resource *
bundle_resource_at(const struct bundle *b, uint32_t index)
{
    return index < b->index->resource_count ? &b->index->resources[index] : NULL;
}

uint32_t
bundle_resource_index(const struct bundle *b, tape_node node)
{
    const struct bundle_resource *all = b->index->resources;
    uint32_t                      low = 0, high = b->index->resource_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (all[middle].node <= node)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t at = low > 0 && node != TAPE_ABSENT ? low - 1 : ENTRY_NONE;
    while (at != ENTRY_NONE && node >= tape_after(b->tape, all[at].node))
        at = all[at].up;
    return at;
}

tape_node
bundle_resource_of(const struct bundle *b, tape_node node)
{
    uint32_t at = bundle_resource_index(b, node);

    return at != ENTRY_NONE ? b->index->resources[at].node : TAPE_ABSENT;
}
