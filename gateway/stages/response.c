/* gateway/stages/response.c -- what the sender is told once everything is durable.
 *
 * R4 http.html#transaction-response: one entry for each entry sent, in order,
 * with status, location, etag, lastModified.  Nothing in it depends on what
 * any recipient may see.
 */
#include "gateway/stages/stages.h"

#include "base/json_author.h"
#include "fhir/datatypes.h"
#include "fhir/outcome.h"
#include "gateway/runtime/identity.h"

static void author_bundle(const struct exchange *, author_value root, const char *type);
static void author_message(const struct exchange *, author_value root);

static bool
answers_entries(const struct exchange *ex)
{
    return ex->intake == INTAKE_SYSTEM
        && (ex->bundle->type == BUNDLE_TRANSACTION || ex->bundle->type == BUNDLE_BATCH);
}

static bool
is_message(const struct exchange *ex)
{
    return ex->bundle != NULL && ex->bundle->type == BUNDLE_MESSAGE && ex->intake != INTAKE_CREATE;
}

int
response_status(const struct exchange *ex)
{
    if (ex->intake == INTAKE_DELETE)
        return 204;
    if (answers_entries(ex) || is_message(ex))
        return 200;
    const struct store_resource *one = ex->whole != NULL ? ex->whole : ex->resources;
    return one->created ? 201 : 200;
}

static struct span
location_of(const struct exchange *ex, const struct store_resource *r)
{
    return arena_format(ex->arena, "%.*s/%.*s/_history/%lld", SPAN_PRINT(r->type), SPAN_PRINT(r->id),
                        (long long)r->version);
}

struct span
response_location(const struct exchange *ex)
{
    if (ex->whole != NULL)
        return location_of(ex, ex->whole);
    if (answers_entries(ex) || is_message(ex) || ex->intake == INTAKE_DELETE || ex->resource_count == 0)
        return (struct span){ 0 };
    return location_of(ex, &ex->resources[0]);
}

enum status
response_author(const struct exchange *ex, struct buf *out)
{
    if (ex->intake == INTAKE_DELETE)
        return ST_OK;
    if (!answers_entries(ex) && !is_message(ex))
        return outcome_print(ex->issues, out, AUTHOR_COMPACT);
    struct author *author = author_new();
    if (author == NULL)
        return ST_NO_MEMORY;
    author_value root = author_object(author);
    author_add_text(root, "resourceType", SPAN("Bundle"));
    if (is_message(ex))
        author_message(ex, root);
    else
        author_bundle(ex, root, ex->bundle->type == BUNDLE_BATCH ? "batch-response" : "transaction-response");
    enum status st = author_print(author, out, AUTHOR_COMPACT);
    author_free(&author);
    return st;
}

static const char *
status_line(const struct intake_entry *entry)
{
    if (entry->resource != NULL)
        return entry->resource->created ? "201 Created" : "200 OK";
    return entry->status == 422 ? "422 Unprocessable Entity" : "400 Bad Request";
}

static void
author_bundle(const struct exchange *ex, author_value root, const char *type)
{
    struct span now = time_format(ex->arena, ex->at_ms);

    author_add_cstr(root, "type", type);
    author_value entries = author_add_array(root, "entry");
    for (size_t i = 0; i < ex->entry_count; i++) {
        const struct intake_entry *entry = &ex->entries[i];
        author_value response = author_add_object(author_add_object(entries, NULL), "response");
        author_add_cstr(response, "status", status_line(entry));
        if (entry->resource != NULL) {
            author_add_text(response, "location", location_of(ex, entry->resource));
            author_add_text(response, "etag",
                            arena_format(ex->arena, "W/\"%lld\"", (long long)entry->resource->version));
            author_add_text(response, "lastModified", now);
        }
        if (entry->issues != NULL)
            outcome_author(entry->issues, author_add_object(response, "outcome"));
    }
}

/* R4 messaging.html#response: a message Bundle whose MessageHeader answers
 * the identifier of the request's. */
static void
author_message(const struct exchange *ex, author_value root)
{
    const struct bundle_entry *first = ex->bundle->count > 0 ? &ex->bundle->entries[0] : NULL;
    tape_node   header = first != NULL ? first->resource : TAPE_ABSENT;
    struct span id     = uuid_new(ex->arena);

    author_add_text(root, "id", uuid_new(ex->arena));
    author_add_cstr(root, "type", "message");
    author_add_text(root, "timestamp", time_format(ex->arena, ex->at_ms));
    author_value entry = author_add_object(author_add_array(root, "entry"), NULL);
    author_add_text(entry, "fullUrl", arena_format(ex->arena, "urn:uuid:%.*s", SPAN_PRINT(id)));
    author_value answer = author_add_object(entry, "resource");
    author_add_cstr(answer, "resourceType", "MessageHeader");
    author_add_text(answer, "id", id);
    static const char *const event[] = { "eventCoding", "eventUri" };
    for (size_t i = 0; i < 2; i++) {
        tape_node node = tape_member(ex->tape, header, span_of(event[i]));
        if (node != TAPE_ABSENT)
            author_add_raw(answer, event[i], tape_extent(ex->tape, node));
    }
    author_add_cstr(author_add_object(answer, "source"), "endpoint", "urn:sluice:gateway");
    author_value response = author_add_object(answer, "response");
    author_add_text(response, "identifier", first != NULL ? first->id : (struct span){ 0 });
    author_add_cstr(response, "code", "ok");
}
