#include "fhir/request_rules.h"

#include "base/json_walk.h"
#include "fhir/lookup.h"

#define NOTHING ((struct span){ NULL, 0 })

static struct span
asked(const struct report *r, const struct bundle_entry *e, struct span name)
{
    return e->request == TAPE_ABSENT ? NOTHING : walk_find_text(r->bundle->tape, e->request, name, r->arena);
}

/* A slash before it is let pass; empty when it is none of ours. */
static struct span
relative(struct span url)
{
    if (span_find(url, SPAN("://")) != SPAN_NOT_FOUND || span_find_byte(url, '$') != SPAN_NOT_FOUND)
        return NOTHING;
    return span_starts(url, SPAN("/")) ? span_skip(url, 1) : url;
}

static void
add(struct report *r, const struct bundle_entry *e, enum issue_code code, struct span wanted, struct span found, struct span hint)
{
    struct finding one = { .node = walk_find(r->bundle->tape, e->request, SPAN("url")), .severity = SEVERITY_ERROR,
                           .code = code, .rule = "bundle-request" };

    if (report_new(r, &one))
        report_add(r, &one, wanted, found, hint);
}

bool
request_is_patch(const struct report *r, const struct bundle_entry *e)
{
    return span_eq_text(asked(r, e, SPAN("method")), "PATCH");
}

static void
check_put(struct report *r, const struct bundle_entry *e, struct span url)
{
    bool        conditional = span_find_byte(url, '?') != SPAN_NOT_FOUND;
    struct span id = url, type = span_split(&id, conditional ? '?' : '/');

    if (!span_eq(type, e->type))
        add(r, e, ISSUE_VALUE, SPAN("want a PUT to the type of its resource"), SPAN("have the URL of another type"), NOTHING);
    else if (!conditional && !span_eq(id, e->id))
        add(r, e, ISSUE_VALUE, SPAN("want a PUT to the id of its resource"),
            span_empty(e->id) ? SPAN("have a resource without id") : SPAN("have the URL of another id"),
            SPAN("R4 http.html#update: PUT {type}/{id} with the same id in the resource"));
}

void
request_entry_rules(struct report *r, const struct bundle_entry *e)
{
    struct span method = asked(r, e, SPAN("method")), url = relative(asked(r, e, SPAN("url")));

    if (e->resource == TAPE_ABSENT || span_empty(url) || span_empty(e->type))
        return;
    if (span_eq_text(method, "PUT"))
        check_put(r, e, url);
    else if (span_eq_text(method, "POST") && span_find_byte(url, '/') == SPAN_NOT_FOUND && span_find_byte(url, '?') == SPAN_NOT_FOUND
             && !span_eq(url, e->type))
        add(r, e, ISSUE_VALUE, SPAN("want a POST to the type of its resource"), SPAN("have the URL of another type"),
            SPAN("R4 http.html#create: POST {type} with a resource of this type"));
}

/* "Type/id" that the entry changes; empty when it is a create or a condition. */
static struct span
identity(const struct report *r, const struct bundle_entry *e)
{
    struct span method = asked(r, e, SPAN("method"));

    if (!span_eq_text(method, "PUT") && !span_eq_text(method, "DELETE") && !span_eq_text(method, "PATCH"))
        return NOTHING;
    struct span url = relative(asked(r, e, SPAN("url")));
    return span_find_byte(url, '/') == SPAN_NOT_FOUND || span_find_byte(url, '?') != SPAN_NOT_FOUND ? NOTHING : url;
}

enum status
request_identities(struct report *r, const struct bundle_table *table)
{
    struct lookup_item *items = arena_make_n(r->arena, (size_t)table->count + 1, struct lookup_item);
    uint32_t            count = 0;

    for (uint32_t i = 0; items != NULL && i < table->count; i++) {
        struct span name = identity(r, &table->entries[i]);
        if (!span_empty(name))
            items[count++] = (struct lookup_item){ .key = name, .value = i };
    }
    const struct lookup *names = arena_spent(r->arena) ? NULL : lookup_build(items, count, r->arena);
    if (names == NULL)
        return ST_NO_MEMORY;
    for (uint32_t at = 0; at < count && !r->stopped; at++)
        if (lookup_next(names, at) != LOOKUP_NONE)
            add(r, &table->entries[lookup_value(names, at)], ISSUE_BUSINESS_RULE, SPAN("want each resource changed once in a transaction"),
                SPAN("have another entry that changes the same one"), SPAN("R4 http.html#transaction: the identities must not overlap"));
    return arena_status(r->arena);
}
