#include "fhir/bundle_table.h"

#include <string.h>

#include "base/json_walk.h"
#include "fhir/reference.h"

#define HISTORY SPAN("/_history/")

static enum status read_table(const struct bundle *, tape_node, struct arena *, struct bundle_table *);
static void        find_homes(struct bundle_tables *);
static struct span scheme_base(struct span full_url);

static bool
is_bundle(const struct bundle *bundle, uint32_t resource)
{
    const struct bundle_resource *one = bundle_resource_at(bundle, resource);

    return tape_text_eq(bundle->tape, walk_find(bundle->tape, one->node, SPAN("resourceType")), SPAN("Bundle"));
}

enum status
bundle_tables_read(const struct bundle *bundle, struct resource_range range, struct arena *arena,
                   struct bundle_tables *out)
{
    uint32_t tables = bundle->type != BUNDLE_SINGLE;

    *out = (struct bundle_tables){ .bundle = bundle, .range = range };
    for (uint32_t i = range.first; i < range.end; i++)
        tables += is_bundle(bundle, i);
    if (tables == 0)
        return ST_OK;
    out->all   = arena_make_n(arena, tables, struct bundle_table);
    out->homes = arena_make_n(arena, (size_t)(range.end - range.first) + 1, struct home);
    if (out->all == NULL || out->homes == NULL)
        return ST_NO_MEMORY;
    if (bundle->type != BUNDLE_SINGLE && read_table(bundle, bundle->root, arena, &out->all[out->count++]) != ST_OK)
        return ST_NO_MEMORY;
    /* One entry by itself: to read the versions of all for each one would be quadratic. */
    if (range.first > 0 && (out->all[0].versions = lookup_build(NULL, 0, arena)) == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = range.first; i < range.end; i++) {
        tape_node node = bundle_resource_at(bundle, i)->node;
        if (node != bundle->root && is_bundle(bundle, i)
            && read_table(bundle, node, arena, &out->all[out->count++]) != ST_OK)
            return ST_NO_MEMORY;
    }
    find_homes(out);
    return arena_status(arena);
}

static enum status
read_inner(const struct bundle *bundle, tape_node node, struct arena *arena, struct bundle_table *table)
{
    const struct tape   *t       = bundle->tape;
    tape_node            list    = walk_find(t, node, SPAN("entry"));
    uint32_t             room    = tape_kind(t, list) == TAPE_ARRAY ? tape_children(t, list) : 0, urls = 0, names = 0;
    struct bundle_entry *entries = arena_make_n(arena, (size_t)room + 1, struct bundle_entry);
    struct lookup_item  *by_url  = arena_make_n(arena, (size_t)room + 1, struct lookup_item);
    struct lookup_item  *by_name = arena_make_n(arena, (size_t)room + 1, struct lookup_item);

    if (entries == NULL || by_url == NULL || by_name == NULL)
        return ST_NO_MEMORY;
    table->entries = entries;
    table->type    = bundle_type_named(walk_find_text(t, node, SPAN("type"), arena));
    for (tape_node n = room > 0 ? tape_first(t, list) : TAPE_ABSENT; n != TAPE_ABSENT; n = tape_next(t, n)) {
        struct entry_parts   parts = entry_parts(t, n);
        struct bundle_entry *e     = &entries[table->count];
        *e = (struct bundle_entry){ .entry = n, .resource = parts.resource, .request = parts.request,
                                    .response = parts.response, .search = parts.search };
        if (tape_kind(t, parts.full_url) == TAPE_STRING)
            e->full_url = walk_text(t, parts.full_url, arena);
        e->type = walk_find_text(t, parts.resource, SPAN("resourceType"), arena);
        e->id   = walk_find_text(t, parts.resource, SPAN("id"), arena);
        if (!span_empty(e->full_url))
            by_url[urls++] = (struct lookup_item){ .key = e->full_url, .value = table->count };
        if (!span_empty(e->type) && !span_empty(e->id))
            by_name[names++] = (struct lookup_item){ .key = arena_join(arena, e->type, SPAN("/"), e->id),
                                                     .value = table->count };
        table->count++;
    }
    table->urls  = lookup_build(by_url, urls, arena);
    table->names = lookup_build(by_name, names, arena);
    return table->urls != NULL && table->names != NULL ? arena_status(arena) : ST_NO_MEMORY;
}

static enum status
read_table(const struct bundle *bundle, tape_node node, struct arena *arena, struct bundle_table *table)
{
    *table = (struct bundle_table){ .node = node };
    if (node != bundle->root)
        return read_inner(bundle, node, arena, table);
    table->type    = bundle->type;
    table->count   = bundle->count;
    table->entries = bundle->entries;
    table->urls    = bundle_full_urls(bundle);
    table->names   = bundle_names(bundle);
    return ST_OK;
}

struct bundle_table *
bundle_tables_find(const struct bundle_tables *tables, tape_node node)
{
    uint32_t low = 0, high = tables->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (tables->all[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low < tables->count && tables->all[low].node == node ? &tables->all[low] : NULL;
}

const struct home *
bundle_tables_home(const struct bundle_tables *tables, uint32_t resource)
{
    static const struct home nowhere = { .table = NULL };

    if (tables->homes == NULL || resource < tables->range.first || resource >= tables->range.end)
        return &nowhere;
    return &tables->homes[resource - tables->range.first];
}

struct home
bundle_table_home(struct bundle_table *table, uint32_t entry)
{
    struct home home = { .table = table, .entry = entry };
    struct span url  = entry < table->count ? table->entries[entry].full_url : (struct span){ NULL, 0 };

    home.base = rest_base(url);
    home.ids  = span_empty(home.base);
    if (home.ids)
        home.base = scheme_base(url);
    return home;
}

static uint32_t
entry_around(const struct bundle_table *table, tape_node node)
{
    uint32_t low = 0, high = table->count;

    while (low < high) {                             /* the last one that begins before it */
        uint32_t middle = low + (high - low) / 2;
        if (table->entries[middle].entry < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? low - 1 : ENTRY_NONE;
}

/* One of the last ones mostly has the same base. */
struct recent { const struct home *home[4]; uint32_t next, number; };

static void
number_home(struct home *home, struct recent *recent)
{
    if (span_empty(home->base))
        return;
    for (unsigned i = 0; i < 4 && home->number == 0; i++) {
        const struct home *one = recent->home[i];
        if (one != NULL && one->table == home->table && one->ids == home->ids && span_eq(one->base, home->base))
            home->number = one->number;
    }
    if (home->number > 0)
        return;
    home->number                         = ++recent->number;
    recent->home[recent->next++ % 4]     = home;
}

/* A resource directly inside of a Bundle is in one of its entries; any other
 * is where the resource around it is, which came before. */
static void
find_homes(struct bundle_tables *tables)
{
    struct recent recent = { .next = 0 };

    for (uint32_t i = tables->range.first; i < tables->range.end; i++) {
        const struct bundle_resource *one = bundle_resource_at(tables->bundle, i);
        if (one->up == ENTRY_NONE)
            continue;
        struct bundle_table *table = bundle_tables_find(tables, bundle_resource_at(tables->bundle, one->up)->node);
        uint32_t             entry = table != NULL ? entry_around(table, one->node) : ENTRY_NONE;
        struct home *home = &tables->homes[i - tables->range.first];
        if (table == NULL || entry == ENTRY_NONE) {
            *home = *bundle_tables_home(tables, one->up);
        } else {
            *home = bundle_table_home(table, entry);
            number_home(home, &recent);
        }
    }
}

/* ---- resolving ------------------------------------------------------------------------- */

bool
url_absolute(struct span url)
{
    if (url.length > 5 && (memcmp(url.at, "urn:", 4) == 0 || memcmp(url.at, "http:", 5) == 0))
        return true;
    size_t colon = span_find_byte(url, ':');
    if (colon == SPAN_NOT_FOUND || colon == 0 || colon + 1 == url.length)
        return false;
    for (size_t i = 0; i < colon; i++) {
        char c = url.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (i == 0 || ((c < '0' || c > '9') && c != '+' && c != '-' && c != '.')))
            return false;
    }
    return true;
}

struct span
rest_base(struct span full_url)
{
    struct span base, type, id;

    if ((!span_starts(full_url, SPAN("http://")) && !span_starts(full_url, SPAN("https://")))
        || !reference_split(full_url, &base, &type, &id) || base.length < 8)
        return (struct span){ NULL, 0 };
    return span_first(full_url, base.length + 1);
}

static struct span
scheme_base(struct span full_url)
{
    size_t colon = span_find_last_byte(full_url, ':');

    return span_starts(full_url, SPAN("urn:")) ? span_first(full_url, colon + 1) : (struct span){ NULL, 0 };
}

/* fullUrls with their versions.  One without a versionId has no key. */
static enum status
index_versions(struct bundle_table *table, const struct tape *t, struct arena *arena)
{
    struct lookup_item *items = arena_make_n(arena, (size_t)table->count + 1, struct lookup_item);
    uint32_t            count = 0;

    for (uint32_t i = 0; items != NULL && i < table->count; i++) {
        const struct bundle_entry *e       = &table->entries[i];
        struct span                version = walk_find_text(t, walk_find(t, e->resource, SPAN("meta")),
                                                            SPAN("versionId"), arena);
        if (!span_empty(e->full_url) && !span_empty(version))
            items[count++] = (struct lookup_item){ .key = arena_join(arena, e->full_url, HISTORY, version), .value = i };
    }
    table->versions = items != NULL ? lookup_build(items, count, arena) : NULL;
    return table->versions != NULL ? arena_status(arena) : ST_NO_MEMORY;
}

/* Of a relative reference: the URL that it means. */
static struct span
absolute_of(const struct home *from, struct span reference, struct arena *arena)
{
    struct span before, type, id;

    if (span_empty(from->base))
        return from->base;
    if (!from->ids)
        return arena_join(arena, from->base, reference);
    if (!reference_split(reference, &before, &type, &id) || before.length > 0)
        return (struct span){ NULL, 0 };
    return arena_join(arena, from->base, id);
}

enum resolution
bundle_table_resolve(const struct home *from, struct span reference, struct arena *arena, const struct tape *t, uint32_t *out)
{
    struct bundle_table *table    = from->table;
    size_t               fragment = span_find_byte(reference, '#');
    struct arena_mark    mark     = arena_mark(arena);
    bool                 joined   = false;

    if (fragment != SPAN_NOT_FOUND && fragment > 0)
        reference = span_first(reference, fragment);
    const struct lookup *keys = table->urls;
    if (span_find_byte(reference, '_') != SPAN_NOT_FOUND && span_find(reference, HISTORY) != SPAN_NOT_FOUND) {
        if (table->versions == NULL && index_versions(table, t, arena) != ST_OK)
            return RESOLUTION_NONE;
        keys = table->versions;
        mark = arena_mark(arena);
    }
    if (!url_absolute(reference)) {
        reference = absolute_of(from, reference, arena);
        joined    = true;
    }
    uint32_t at = span_empty(reference) ? LOOKUP_NONE : lookup_find(keys, reference);
    if (joined && !arena_spent(arena))
        arena_reset(arena, mark);                    /* one for every reference would be a lot */
    *out = lookup_value(keys, at);
    if (at == LOOKUP_NONE)
        return RESOLUTION_NONE;
    /* A history has the same fullUrl for every version of a resource. */
    return lookup_next(keys, at) != LOOKUP_NONE && table->type != BUNDLE_HISTORY ? RESOLUTION_MANY : RESOLUTION_ONE;
}

uint32_t
bundle_table_namesake(const struct bundle_table *table, struct span reference, struct arena *arena)
{
    struct span base, type, id;

    if (url_absolute(reference) || !reference_split(reference, &base, &type, &id) || base.length > 0)
        return ENTRY_NONE;
    struct arena_mark mark = arena_mark(arena);
    uint32_t          at   = lookup_find(table->names, arena_join(arena, type, SPAN("/"), id));
    if (!arena_spent(arena))
        arena_reset(arena, mark);
    return at != LOOKUP_NONE ? lookup_value(table->names, at) : ENTRY_NONE;
}
