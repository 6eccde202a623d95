#include "fhir/search_rules.h"

#include "base/json_walk.h"

#define NOTHING ((struct span){ NULL, 0 })

/* What was asked for; no types: it cannot be told. */
struct asked {
    struct span types[SEARCH_TYPES_MOST];
    uint32_t    count;
    bool        self;                    /* there is a self link */
};

static void
add(struct report *report, enum severity severity, tape_node node, struct span wanted, struct span found)
{
    struct finding f = { .node = node, .severity = severity, .code = ISSUE_BUSINESS_RULE, .rule = "bundle-search" };

    if (report_new(report, &f))
        report_add(report, &f, wanted, found, NOTHING);
}

static void
add_type(struct asked *asked, struct span type)
{
    if (asked->count < SEARCH_TYPES_MOST)
        asked->types[asked->count++] = type;
}

/* "…/Patient?name=x", or "…?_type=Patient,Group". */
static void
read_url(struct asked *asked, const struct pack *pack, struct span url)
{
    struct span path = span_split(&url, '?');
    size_t      last = span_find_last_byte(path, '/');
    struct span type = last == SPAN_NOT_FOUND ? path : span_skip(path, last + 1);

    if (pack_resource_named(pack, type)) {
        add_type(asked, type);
        return;
    }
    while (url.at != NULL) {
        struct span one = span_split(&url, '&');
        if (!span_starts(one, SPAN("_type=")))
            continue;
        for (struct span rest = span_skip(one, 6); rest.at != NULL;)
            add_type(asked, span_split(&rest, ','));
    }
}

static struct asked
read_asked(const struct report *report, const struct pack *pack, tape_node bundle)
{
    const struct tape *t     = report->bundle->tape;
    tape_node          list  = walk_find(t, bundle, SPAN("link"));
    struct asked       asked = { .count = 0 };

    for (tape_node n = tape_kind(t, list) == TAPE_ARRAY ? tape_first(t, list) : TAPE_ABSENT; n != TAPE_ABSENT;
         n = tape_next(t, n)) {
        if (asked.self || !tape_text_eq(t, walk_find(t, n, SPAN("relation")), SPAN("self")))
            continue;
        asked.self = true;
        read_url(&asked, pack, walk_find_text(t, n, SPAN("url"), report->arena));
    }
    return asked;
}

static bool
was_asked(const struct asked *asked, struct span type)
{
    for (uint32_t i = 0; i < asked->count; i++)
        if (span_eq(asked->types[i], type))
            return true;
    return asked->count == 0;
}

static void
check_mode(struct report *report, const struct asked *asked, const struct bundle_entry *e, struct span mode)
{
    bool match = span_eq_text(mode, "match");

    if ((match || span_eq_text(mode, "include")) && walk_find(report->bundle->tape, e->resource, SPAN("id")) == TAPE_ABSENT)
        add(report, SEVERITY_ERROR, e->resource, SPAN("want an id in what a search found or included"), SPAN("have none"));
    if (match && !was_asked(asked, e->type))
        add(report, SEVERITY_ERROR, e->resource, SPAN("want a match to have a type that the self link asks for"),
            SPAN("have another"));
    if (span_eq_text(mode, "outcome") && !span_eq_text(e->type, "OperationOutcome"))
        add(report, SEVERITY_ERROR, e->resource, SPAN("want an OperationOutcome as the outcome of a search"),
            SPAN("have another resource"));
}

void
search_rules(struct report *report, const struct pack *pack, const struct bundle_table *table)
{
    struct asked asked  = read_asked(report, pack, table->node);
    bool         silent = false;

    if (!asked.self && table->count > 0)
        add(report, SEVERITY_WARNING, table->node, SPAN("want a self link that says what was searched for"),
            SPAN("have none"));
    for (uint32_t i = 0; i < table->count && !report->stopped; i++) {
        const struct bundle_entry *e    = &table->entries[i];
        struct span                mode = walk_find_text(report->bundle->tape, e->search, SPAN("mode"), report->arena);
        if (e->resource == TAPE_ABSENT)
            add(report, SEVERITY_ERROR, e->entry, SPAN("want a resource in every entry of a searchset"), SPAN("have none"));
        else
            check_mode(report, &asked, e, mode);
        silent = silent || span_empty(mode);
    }
    if (silent)
        add(report, SEVERITY_WARNING, table->node, SPAN("want search.mode in every entry of a searchset"),
            SPAN("have some without"));
}
