#include "fhir/bundle_rules.h"

#include <string.h>

#include "base/json_walk.h"
#include "fhir/lookup.h"
#include "fhir/reference.h"
#include "fhir/request_rules.h"
#include "fhir/search_rules.h"

#define NOTHING ((struct span){ NULL, 0 })

struct rules {
    struct report     *report;
    const struct pack *pack;
    const struct tape *tape;
    tape_node          bundle, entries;
    struct span        type;
    bool               known, searched, requested, answered;   /* what the type has in its entries */
};

static void        check_type(struct rules *);
static void        check_entry(struct rules *, const struct bundle_entry *);
static enum status check_full_urls(struct rules *, const struct bundle_table *);
static void        check_links(struct rules *, const struct bundle_table *);
static void        check_full_url(struct rules *, const struct bundle_entry *);
static void        check_document(struct rules *);
static void        check_first(struct rules *, const char *rule, const char *type, struct span wanted);

static bool
one_of(struct span type, const char *const *codes)
{
    for (; *codes != NULL; codes++)
        if (span_eq_text(type, *codes))
            return true;
    return false;
}

static const char *const all_types[] = { "document", "message", "transaction", "transaction-response", "batch",
                                         "batch-response", "history", "searchset", "collection", NULL };
static const char *const with_total[]    = { "searchset", "history", NULL };
static const char *const with_search[]   = { "searchset", NULL };
static const char *const with_request[]  = { "batch", "transaction", "history", NULL };
static const char *const with_response[] = { "batch-response", "transaction-response", "history", NULL };

/* fullUrl may be missing before a server gave one, and in its answer. */
static const char *const without_url[]   = { "transaction", "transaction-response", "batch", "batch-response", NULL };
static const char *const with_paging[]   = { "searchset", "history", NULL };

static struct rules
rules_of(struct report *report, const struct pack *pack, tape_node bundle)
{
    const struct tape *t    = report->bundle->tape;
    struct span        type = walk_find_text(t, bundle, SPAN("type"), report->arena);

    return (struct rules){ .report = report, .pack = pack, .tape = t, .bundle = bundle,
                           .entries = walk_find(t, bundle, SPAN("entry")), .type = type,
                           .known = one_of(type, all_types), .searched = one_of(type, with_search),
                           .requested = one_of(type, with_request), .answered = one_of(type, with_response) };
}

enum status
bundle_rules(struct report *report, const struct pack *pack, const struct bundle_table *table, bool entries_apart)
{
    struct rules r = rules_of(report, pack, table->node);

    check_type(&r);
    for (uint32_t i = 0; !entries_apart && i < table->count && !report->stopped; i++)
        check_entry(&r, &table->entries[i]);
    enum status st = check_full_urls(&r, table);
    check_links(&r, table);
    if (st == ST_OK && table->type == BUNDLE_TRANSACTION)
        st = request_identities(report, table);
    if (span_eq_text(r.type, "searchset"))
        search_rules(report, pack, table);
    if (span_eq_text(r.type, "document"))
        check_document(&r);
    if (span_eq_text(r.type, "message"))
        check_first(&r, "bdl-12", "MessageHeader", SPAN("want a MessageHeader as the first entry of a message"));
    return st;
}

void
bundle_entry_rules(struct report *report, const struct pack *pack, tape_node bundle, const struct bundle_entry *entry)
{
    struct rules r = rules_of(report, pack, bundle);

    check_entry(&r, entry);
}

static void
add(struct rules *r, const char *rule, tape_node node, struct span wanted, struct span found, struct span hint)
{
    struct finding f = { .node = node, .severity = SEVERITY_ERROR, .code = ISSUE_INVARIANT, .rule = rule,
                         .place = r->bundle };

    if (report_new(r->report, &f))
        report_add(r->report, &f, wanted, found, hint);
}

static void
check_type(struct rules *r)
{
    tape_node type = walk_find(r->tape, r->bundle, SPAN("type"));

    if (tape_kind(r->tape, type) == TAPE_STRING && !r->known)
        add(r, "bundle-type", type,
            SPAN("want type to be document, message, transaction, transaction-response, batch, batch-response, "
                 "history, searchset or collection"), SPAN("have another code"), NOTHING);
    tape_node total = walk_find(r->tape, r->bundle, SPAN("total"));
    if (total != TAPE_ABSENT && !one_of(r->type, with_total))
        add(r, "bdl-1", total, SPAN("want total only in a searchset or history"), SPAN("have it in another type"),
            SPAN("Leave total out"));
}

static tape_node
url_node(const struct rules *r, const struct bundle_entry *e)
{
    return walk_find(r->tape, e->entry, SPAN("fullUrl"));
}

static bool
names_version(struct span url)
{
    return span_find_byte(url, '_') != SPAN_NOT_FOUND && span_find(url, SPAN("/_history/")) != SPAN_NOT_FOUND;
}

static void
check_entry(struct rules *r, const struct bundle_entry *e)
{
    tape_node entry = e->entry, request = e->request, response = e->response, search = e->search;

    if (search != TAPE_ABSENT && !r->searched)
        add(r, "bdl-2", search, SPAN("want entry.search only in a searchset"), SPAN("have it in another type"),
            NOTHING);
    if (r->known && (request != TAPE_ABSENT) != r->requested)
        add(r, "bdl-3", request != TAPE_ABSENT ? request : entry,
            SPAN("want entry.request in every entry of a batch, transaction or history, and nowhere else"),
            request != TAPE_ABSENT ? SPAN("have it in another type") : SPAN("have none"),
            request != TAPE_ABSENT ? NOTHING : SPAN("Add request with method and url"));
    if (r->known && (response != TAPE_ABSENT) != r->answered)
        add(r, "bdl-4", response != TAPE_ABSENT ? response : entry,
            SPAN("want entry.response in every entry of a batch-response, transaction-response or history, and "
                 "nowhere else"), response != TAPE_ABSENT ? SPAN("have it in another type") : SPAN("have none"), NOTHING);
    if (request == TAPE_ABSENT && response == TAPE_ABSENT && e->resource == TAPE_ABSENT)
        add(r, "bdl-5", entry, SPAN("want a resource, a request or a response in every entry"), SPAN("have none"), NOTHING);
    if (names_version(e->full_url))
        add(r, "bdl-8", url_node(r, e), SPAN("want a fullUrl that names no version"),
            SPAN("have /_history/ in it"), NOTHING);
    check_full_url(r, e);
    if (span_eq_text(r->type, "transaction") || span_eq_text(r->type, "batch"))
        request_entry_rules(r->report, e);
}

/* A fullUrl that ends in the type and id of a resource names that resource. */
static void
check_rest_url(struct rules *r, const struct bundle_entry *e)
{
    struct span base, type, id;

    if (e->resource == TAPE_ABSENT || !reference_split(e->full_url, &base, &type, &id)
        || (!span_empty(e->id) && span_eq(type, e->type) && span_eq(id, e->id))
        || request_is_patch(r->report, e) || !pack_resource_named(r->pack, type) || names_version(e->full_url))
        return;
    if (span_empty(e->id))
        add(r, "bundle-full-url", url_node(r, e), SPAN("want the resource to have the id that its fullUrl ends in"),
            SPAN("have none"), SPAN("Give the resource its id, or the entry a urn:uuid:"));
    else
        add(r, "bundle-full-url", url_node(r, e), SPAN("want a fullUrl that ends in type and id of the resource"),
            SPAN("have one that ends in another"), NOTHING);
}

/* Tables of HL7 V2 and code systems of V3 have ids such as v2-0001 and v3-ActCode
 * beside the canonical URLs http://hl7.org/fhir/v2/0001 and …/v3/ActCode (STU3
 * terminologies-systems.html); the official validator excepts them as well. */
static bool
is_v2_or_v3(struct span url)
{
    return span_starts(url, SPAN("http://hl7.org/fhir/v2/")) || span_starts(url, SPAN("http://hl7.org/fhir/v3/"));
}

/* R4 bundle.html, fullUrl: may be missing before a server gave one, and where
 * "results from operations might involve resources that are not identified". */
static void
check_full_url(struct rules *r, const struct bundle_entry *e)
{
    bool        told = r->searched && span_eq_text(e->type, "OperationOutcome");
    struct span url  = e->full_url;

    if (span_empty(url)) {
        if (r->known && !told && !one_of(r->type, without_url) && url_node(r, e) == TAPE_ABSENT)
            add(r, "bundle-full-url", e->entry, SPAN("want a fullUrl in every entry of such a Bundle"), SPAN("have none"),
                SPAN("Give it the URL of the resource, or a urn:uuid: of its own"));
        return;
    }
    if (span_starts(url, SPAN("urn:uuid:")) || span_starts(url, SPAN("urn:oid:")))
        return;
    if (!url_absolute(url))
        add(r, "bundle-full-url", url_node(r, e), SPAN("want an absolute fullUrl"), SPAN("have a relative one"), NOTHING);
    else if (!span_empty(rest_base(url)))
        check_rest_url(r, e);
    else if (span_eq(walk_find_text(r->tape, e->resource, SPAN("url"), r->report->arena), url)
             && !is_v2_or_v3(url))
        add(r, "bundle-full-url", url_node(r, e), SPAN("want a fullUrl that ends in the id of the resource when it is its url"),
            SPAN("have one that does not"), NOTHING);
}

/* fullUrl and meta.versionId joined, as the invariant of R4 says. */
static struct span
version_key(struct rules *r, const struct bundle_entry *e)
{
    struct arena *arena   = r->report->arena;
    struct span   version = walk_find_text(r->tape, walk_find(r->tape, e->resource, SPAN("meta")), SPAN("versionId"), arena);

    return span_empty(version) ? e->full_url : arena_join(arena, e->full_url, version);
}

/* Only fullUrls that several entries have need a look at the versions. */
static enum status
check_full_urls(struct rules *r, const struct bundle_table *table)
{
    struct lookup_item *items = NULL;
    uint32_t            count = 0;
    bool                again = false;           /* the one before has the same fullUrl */

    if (table->type == BUNDLE_HISTORY)
        return ST_OK;
    for (uint32_t at = 0; at < lookup_count(table->urls); at++) {
        bool next = lookup_next(table->urls, at) != LOOKUP_NONE;
        if ((next || again) && items == NULL
            && (items = arena_make_n(r->report->arena, lookup_count(table->urls), struct lookup_item)) == NULL)
            return ST_NO_MEMORY;
        if (next || again)
            items[count++] = (struct lookup_item){ .key = version_key(r, &table->entries[lookup_value(table->urls, at)]),
                                                   .value = lookup_value(table->urls, at) };
        again = next;
    }
    if (count == 0)
        return ST_OK;
    const struct lookup *keys = arena_spent(r->report->arena) ? NULL : lookup_build(items, count, r->report->arena);
    if (keys == NULL)
        return ST_NO_MEMORY;
    for (uint32_t at = 0; at < count && !r->report->stopped; at++)
        if (lookup_next(keys, at) != LOOKUP_NONE)
            add(r, "bdl-7", url_node(r, &table->entries[lookup_value(keys, lookup_next(keys, at))]),
                SPAN("want every fullUrl once, or with different meta.versionId"),
                SPAN("have one that came before"), NOTHING);
    return arena_status(r->report->arena);
}

static void
check_document(struct rules *r)
{
    tape_node identifier = walk_find(r->tape, r->bundle, SPAN("identifier"));
    tape_node timestamp  = walk_find(r->tape, r->bundle, SPAN("timestamp"));

    if (walk_find(r->tape, identifier, SPAN("system")) == TAPE_ABSENT
        || walk_find(r->tape, identifier, SPAN("value")) == TAPE_ABSENT)
        add(r, "bdl-9", identifier != TAPE_ABSENT ? identifier : r->bundle,
            SPAN("want a document to have an identifier with system and value"), SPAN("have less"), NOTHING);
    if (timestamp == TAPE_ABSENT)
        add(r, "bdl-10", r->bundle, SPAN("want a document to have a timestamp"), SPAN("have none"), NOTHING);
    check_first(r, "bdl-11", "Composition", SPAN("want a Composition as the first entry of a document"));
}

static void
check_first(struct rules *r, const char *rule, const char *type, struct span wanted)
{
    tape_node first = tape_kind(r->tape, r->entries) == TAPE_ARRAY ? tape_first(r->tape, r->entries) : TAPE_ABSENT;
    tape_node resource = walk_find(r->tape, first, SPAN("resource"));

    if (!tape_text_eq(r->tape, walk_find(r->tape, resource, SPAN("resourceType")), span_of(type)))
        add(r, rule, first != TAPE_ABSENT ? first : r->bundle, wanted, SPAN("have another"), NOTHING);
}

/* ---- links ---------------------------------------------------------------------------------- */

enum { LINK_SELF = 0, LINK_FIRST, LINK_PREVIOUS, LINK_NEXT, LINK_LAST, LINK_RELATIONS };

/* IANA's link relations, of which R4 http.html#paging names these. */
static void
check_relation(struct rules *r, tape_node link, struct span relation, bool *met)
{
    static const char *const names[LINK_RELATIONS] = { "self", "first", "previous", "next", "last" };

    for (size_t i = 0; i < LINK_RELATIONS; i++) {
        if (!span_eq_text(relation, names[i]))
            continue;
        if (i != LINK_SELF && r->known && !one_of(r->type, with_paging))
            add(r, "bundle-link", link, SPAN("want links of paging only in a searchset or history"),
                SPAN("have one in another type"), NOTHING);
        else if (met[i])
            add(r, "bundle-link", link, SPAN("want one link of each relation of paging"), SPAN("have it twice"), NOTHING);
        met[i] = true;
    }
}

static void
check_links(struct rules *r, const struct bundle_table *table)
{
    bool      met[LINK_RELATIONS] = { false };
    tape_node list = walk_find(r->tape, r->bundle, SPAN("link"));

    for (tape_node n = tape_kind(r->tape, list) == TAPE_ARRAY ? tape_first(r->tape, list) : TAPE_ABSENT;
         n != TAPE_ABSENT && !r->report->stopped; n = tape_next(r->tape, n)) {
        struct span relation = walk_find_text(r->tape, n, SPAN("relation"), r->report->arena);
        struct span url      = walk_find_text(r->tape, n, SPAN("url"), r->report->arena);
        check_relation(r, n, relation, met);
        if (table->type == BUNDLE_DOCUMENT && span_eq_text(relation, "stylesheet") && !span_empty(url)
            && !url_absolute(url) && bundle_table_namesake(table, url, r->report->arena) == ENTRY_NONE)
            add(r, "bundle-link", n, SPAN("want a relative stylesheet to be an entry of the document"),
                SPAN("have one that is none"), NOTHING);
    }
}
