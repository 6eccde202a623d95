/* gateway/stages/response.c -- what the sender is told once everything is durable.
 *
 * R4 http.html#transaction-response: one entry for each entry sent, in order,
 * with status, location, etag, lastModified.  Nothing in it depends on what
 * any recipient may see.
 */
#include "gateway/stages/stages.h"

#include "base/digits.h"
#include "base/json_author.h"
#include "base/json_writer.h"
#include "fhir/datatypes.h"
#include "fhir/outcome.h"
#include "gateway/runtime/identity.h"

static enum status write_entries(const struct exchange *, struct span *out);
static void        author_message(const struct exchange *, author_value root);

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
    if (entries_ask(ex) || is_message(ex))
        return 200;
    const struct store_resource *one = ex->whole != NULL ? ex->whole : ex->resources;
    return one->created ? 201 : 200;
}

struct span
response_location_of(const struct exchange *ex, struct span type, struct span id, int64_t version)
{
    char        digits[DIGITS_INTEGER];
    struct span text = span_from(digits, digits_integer(version, digits));

    return arena_join(ex->arena, type, SPAN("/"), id, SPAN("/_history/"), text);
}

static struct span
location_of(const struct exchange *ex, const struct store_resource *r)
{
    return response_location_of(ex, r->type, r->id, r->version);
}

struct span
response_location(const struct exchange *ex)
{
    if (ex->whole != NULL)
        return location_of(ex, ex->whole);
    if (entries_ask(ex) || is_message(ex) || ex->intake == INTAKE_DELETE || ex->resource_count == 0)
        return (struct span){ 0 };
    return location_of(ex, &ex->resources[0]);
}

void
response_add_location(struct exchange *ex, struct span location)
{
    size_t slash = span_find_last_byte(location, '/');

    if (span_empty(location) || slash == SPAN_NOT_FOUND)
        return;
    exchange_answer_header(ex, SPAN("Location"), location);
    exchange_answer_header(ex, SPAN("ETag"),
                           arena_join(ex->arena, SPAN("W/\""), span_skip(location, slash + 1), SPAN("\"")));
}

bool
response_is_single(const struct exchange *ex)
{
    return (ex->intake == INTAKE_CREATE || ex->intake == INTAKE_UPDATE) && ex->whole == NULL && ex->resource_count == 1;
}

/* R4 async.html wants the whole URL; the Host is the sender's own word for us. */
void
response_async(struct exchange *ex, struct span key)
{
    exchange_answer_json(ex, 202, (struct span){ NULL, 0 });
    exchange_answer_header(ex, SPAN("Content-Location"),
                           arena_join(ex->arena, SPAN("https://"), http_request_header(ex->request, SPAN("Host")),
                                      SPAN("/fhir/$async/"), key));
    exchange_answer_header(ex, SPAN("Preference-Applied"), SPAN("respond-async"));
}

enum status
response_author(struct exchange *ex, struct span *out)
{
    enum status st;

    *out = (struct span){ 0 };
    if (ex->intake == INTAKE_DELETE)
        return ST_OK;
    if (entries_ask(ex))
        return write_entries(ex, out);
    if (response_is_single(ex) && ex->prefer_return == PREFER_MINIMAL)
        return ST_OK;
    if (response_is_single(ex) && ex->prefer_return == PREFER_REPRESENTATION) {
        *out = ex->resources[0].bytes;   /* as it was sent, and as it is kept */
        return ST_OK;
    }
    buf_clear(&ex->answer_body);
    if (is_message(ex)) {
        struct author *author = author_new();
        if (author == NULL)
            return ST_NO_MEMORY;
        author_message(ex, author_object(author));
        st = author_print(author, &ex->answer_body, AUTHOR_COMPACT);
        author_free(&author);
    } else {
        st = outcome_print(ex->issues, &ex->answer_body, AUTHOR_COMPACT);
    }
    *out = buf_span(&ex->answer_body);
    return st;
}

static struct span
status_line(const struct intake_entry *entry)
{
    static const struct { int status; struct span line; } lines[] = {
#define LINE(status, words) { status, { words, sizeof(words) - 1 } }
        LINE(200, "200 OK"), LINE(204, "204 No Content"), LINE(400, "400 Bad Request"), LINE(403, "403 Forbidden"),
        LINE(412, "412 Precondition Failed"), LINE(422, "422 Unprocessable Entity"),
        LINE(501, "501 Not Implemented"),
#undef LINE
    };

    if (entry->status < 400 && entry->act != ACT_DELETE && entry->resource != NULL)
        return entry->resource->created ? SPAN("201 Created") : SPAN("200 OK");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (lines[i].status == entry->status)
            return lines[i].line;
    return SPAN("500 Internal Server Error");
}

/* What a conditional create found was not written now. */
static void
write_existing(struct json_writer *w, const struct store_condition *found)
{
    char        digits[DIGITS_INTEGER];
    struct span version = span_from(digits, digits_integer(found->version, digits));

    json_join(w, "location", found->type, SPAN("/"), found->found_id, SPAN("/_history/"), version);
    json_join(w, "etag", SPAN("W/\""), version, SPAN("\""));
}

static bool
has_version(const struct intake_entry *entry)
{
    return entry->resource != NULL && entry->status < 300 && entry->act != ACT_DELETE;
}

/* The members of an OperationOutcome, without its braces: what json_raw takes
 * at the start of an object. */
static struct span
outcome_members(const struct exchange *ex, const struct issues *issues)
{
    struct buf  text;
    struct span members = { 0 };

    buf_init(&text, (size_t)1 << 20);
    if (outcome_print(issues, &text, AUTHOR_COMPACT) == ST_OK && text.length > 2)
        members = arena_copy(ex->arena, span_from(text.at + 1, text.length - 2));
    buf_release(&text);
    return members;
}

static void
write_stored(struct json_writer *w, const struct store_resource *r, struct span now)
{
    char        digits[DIGITS_INTEGER];
    struct span version = span_from(digits, digits_integer(r->version, digits));

    json_join(w, "location", r->type, SPAN("/"), r->id, SPAN("/_history/"), version);
    json_join(w, "etag", SPAN("W/\""), version, SPAN("\""));
    json_text(w, "lastModified", now);
}

static void
write_entry(struct json_writer *w, const struct intake_entry *entry, struct span outcome, struct span now)
{
    json_object(w, NULL);
    json_object(w, "response");
    json_text(w, "status", status_line(entry));
    if (has_version(entry))
        write_stored(w, entry->resource, now);
    else if (entry_existing(entry) != NULL)
        write_existing(w, entry_existing(entry));
    if (!span_empty(outcome)) {
        json_object(w, "outcome");
        json_raw(w, outcome);
        json_end(w);
    }
    json_end(w);
    json_end(w);
}

/* Streamed: a Bundle of a thousand entries is answered without a heap call.
 * The writer needs the arena to itself, so the outcomes come first. */
static enum status
write_entries(const struct exchange *ex, struct span *out)
{
    struct span       *outcomes = arena_make_n(ex->arena, ex->entry_count, struct span);
    char               moment[DIGITS_MOMENT];
    struct span        now = span_from(moment, digits_moment(ex->at_ms, moment));
    struct json_writer w;

    for (size_t i = 0; outcomes != NULL && i < ex->entry_count; i++)
        if (ex->entries[i].issues != NULL)
            outcomes[i] = outcome_members(ex, ex->entries[i].issues);
    if (arena_spent(ex->arena))
        return ST_NO_MEMORY;
    json_writer_open(&w, ex->arena);
    json_object(&w, NULL);
    json_text(&w, "resourceType", SPAN("Bundle"));
    json_text(&w, "type", ex->bundle->type == BUNDLE_BATCH ? SPAN("batch-response")
                                                           : SPAN("transaction-response"));
    if (ex->entry_count > 0)
        json_array(&w, "entry");
    for (size_t i = 0; i < ex->entry_count; i++)
        write_entry(&w, &ex->entries[i], outcomes[i], now);
    if (ex->entry_count > 0)
        json_end(&w);
    json_end(&w);
    *out = json_writer_close(&w);
    return span_empty(*out) ? ST_NO_MEMORY : ST_OK;
}

/* MessageHeader.response.details: what a route lets pass is said. */
static void
author_message_findings(const struct exchange *ex, author_value details, author_value entries)
{
    struct span  url   = arena_join(ex->arena, SPAN("urn:uuid:"), uuid_new(ex->arena));
    author_value entry = author_add_object(entries, NULL);

    author_add_text(details, "reference", url);
    author_add_text(entry, "fullUrl", url);
    outcome_author(ex->issues, author_add_object(entry, "resource"));
}

/* R4 messaging.html#response: a message Bundle whose MessageHeader answers
 * the identifier of the request's. */
static void
author_message(const struct exchange *ex, author_value root)
{
    const struct bundle_entry *first = ex->bundle->count > 0 ? &ex->bundle->entries[0] : NULL;
    tape_node   header = first != NULL ? first->resource : TAPE_ABSENT;
    struct span id     = uuid_new(ex->arena);

    author_add_cstr(root, "resourceType", "Bundle");
    author_add_text(root, "id", uuid_new(ex->arena));
    author_add_cstr(root, "type", "message");
    author_add_text(root, "timestamp", time_format(ex->arena, ex->at_ms));
    author_value entries = author_add_array(root, "entry");
    author_value entry   = author_add_object(entries, NULL);
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
    if (issues_count(ex->issues) > 0)
        author_message_findings(ex, author_add_object(response, "details"), entries);
}
