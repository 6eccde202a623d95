/* gateway/stages/record.c -- accepted resources become store rows.
 *
 * Ids: Sluice is a gateway, not the sender's server of record, so the
 * sender's ids are kept: PUT names one; for POST it is the resource's own id,
 * else the UUID of its urn:uuid fullUrl, else a new one.  A POST of an id that
 * is there makes its next version.
 *
 * The rows are written by stage commit.
 */
#include "gateway/stages/stages.h"

#include "gateway/auth/clients.h"
#include "gateway/runtime/identity.h"

#define URN_UUID "urn:uuid:"

static enum step    record_entry(struct exchange *, uint32_t entry, struct intake_entry *);
static struct span  id_for(struct exchange *, const struct bundle_entry *);
static struct span  labels_text(struct exchange *, label_set);
static void         record_whole(struct exchange *);
static enum step    record_delete(struct exchange *);

static enum step
enter(struct exchange *ex)
{
    if (ex->intake == INTAKE_METADATA)
        return STEP_NEXT;
    if (ex->intake == INTAKE_DELETE)
        return record_delete(ex);
    ex->resources = arena_make_n(ex->arena, (size_t)ex->bundle->count + 1, struct store_resource);
    ex->ids       = arena_make_n(ex->arena, ex->bundle->count, struct span);
    if (ex->resources == NULL || (ex->ids == NULL && ex->bundle->count > 0))
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    /* Refused entries of a batch were cut: those that are left answer the
     * entries that were not refused, in order. */
    uint32_t sent = 0;
    for (uint32_t i = 0; i < ex->bundle->count; i++, sent++) {
        while (sent < ex->entry_count && ex->entries[sent].status >= 400)
            sent++;
        enum step step = record_entry(ex, i, &ex->entries[sent]);
        if (step != STEP_NEXT)
            return step;
    }
    if (ex->bundle->type == BUNDLE_DOCUMENT || ex->bundle->type == BUNDLE_COLLECTION)
        record_whole(ex);
    return arena_spent(ex->arena) ? exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY)) : STEP_NEXT;
}

const struct stage stage_record = { .name = "record", .pure = true, .enter = enter };

static enum step
refuse_entry(struct exchange *ex, int http_status, enum issue_code code, uint32_t entry, const char *what,
             const char *hint)
{
    struct issue issue = {
        .severity = SEVERITY_ERROR, .code = code, .rule = "request", .wanted = span_of(what),
        .hint = span_of(hint), .times = 1,
        .expression = arena_format(ex->arena, "Bundle.entry[%u].request", entry),
    };
    issues_add(ex->issues, &issue);
    return exchange_refuse(ex, http_status);
}

/* "PUT Observation/o1": the URL must name the type and id of the resource. */
static enum step
check_put(struct exchange *ex, uint32_t i, const struct bundle_entry *e)
{
    struct span url  = e->url;
    struct span type = span_split(&url, '/');

    if (span_find_byte(e->url, '?') != SPAN_NOT_FOUND)
        return refuse_entry(ex, 501, ISSUE_NOT_SUPPORTED, i, "conditional update is not supported",
                            "name the resource by its id: PUT {type}/{id}");
    if (!span_eq(type, e->type) || !span_eq(url, e->id))
        return refuse_entry(ex, 422, ISSUE_VALUE, i, "request.url is not the type and id of the resource",
                            "R4 http.html#update: PUT {type}/{id} with the same id in the resource");
    return STEP_NEXT;
}

static struct span
text_of_if_match(struct exchange *ex, const struct bundle_entry *e)
{
    return tape_member_text(ex->tape, e->request, SPAN("ifMatch"), ex->arena);
}

/* W/"3" (R4 http.html#concurrency). */
static int64_t
version_of_etag(struct span etag)
{
    uint64_t n;

    if (!span_starts(etag, SPAN("W/\"")) || !span_ends(etag, SPAN("\"")))
        return -1;
    etag = span_skip(etag, 3);
    etag.length--;
    return span_to_u64(etag, &n) && n < INT64_MAX ? (int64_t)n : -1;
}

static enum step
check_request(struct exchange *ex, uint32_t i, const struct bundle_entry *e)
{
    bool put = span_eq_text(e->method, "PUT");

    if (!put && !span_eq_text(e->method, "POST"))
        return refuse_entry(ex, 501, ISSUE_NOT_SUPPORTED, i, "only POST and PUT entries are taken",
                            "send deletions as DELETE requests of their own");
    if (!client_may(ex->client, put ? 'u' : 'c', e->type) && !client_may(ex->client, 'c', e->type))
        return refuse_entry(ex, 403, ISSUE_FORBIDDEN, i,
                            "this client's scopes do not cover this interaction", NULL);
    return put ? check_put(ex, i, e) : STEP_NEXT;
}

static enum step
record_entry(struct exchange *ex, uint32_t i, struct intake_entry *into)
{
    const struct bundle_entry *e = &ex->bundle->entries[i];
    bool has_request = ex->bundle->type == BUNDLE_TRANSACTION || ex->bundle->type == BUNDLE_BATCH;

    if (has_request) {
        enum step step = check_request(ex, i, e);
        if (step != STEP_NEXT)
            return step;
    } else if (!span_empty(e->type) && !client_may(ex->client, 'c', e->type)) {
        return refuse_entry(ex, 403, ISSUE_FORBIDDEN, i,
                            "this client's scopes do not cover this type of resource", NULL);
    }
    if (e->resource == TAPE_ABSENT)
        return STEP_NEXT;
    struct store_resource *r = &ex->resources[ex->resource_count++];
    struct span etag = has_request ? text_of_if_match(ex, e) : (struct span){ 0 };
    if (ex->intake == INTAKE_UPDATE)
        etag = http_request_header(ex->request, SPAN("If-Match"));
    *r = (struct store_resource){
        .verb       = STORE_PUT,
        .type       = e->type,
        .id         = ex->ids[i] = id_for(ex, e),
        .patient    = record_patient(ex, i),
        .bytes      = tape_extent(ex->tape, e->resource),
        .labels     = labels_text(ex, ex->labeling->of[i].labels),
        .part2      = span_of(part2_text(ex->labeling->of[i].part2)),
        .if_version = version_of_etag(etag),
    };
    if (!span_empty(etag) && r->if_version < 0)
        return refuse_entry(ex, 400, ISSUE_VALUE, i, "If-Match is not a version like W/\"1\"", NULL);
    into->resource = r;
    into->status   = 201;
    if (span_empty(ex->patient))
        ex->patient = r->patient;
    ex->own_consents += span_eq_text(e->type, "Consent");
    return STEP_NEXT;
}

static struct span
id_for(struct exchange *ex, const struct bundle_entry *e)
{
    if (!span_empty(e->id))
        return e->id;
    if (span_starts(e->full_url, SPAN(URN_UUID)))
        return span_skip(e->full_url, sizeof URN_UUID - 1);
    return uuid_new(ex->arena);
}

struct span
record_patient(const struct exchange *ex, uint32_t entry)
{
    uint32_t    at   = ENTRY_NONE;
    struct span text = entry_patient(ex->references, entry, &at);
    struct span base, type, id;

    if (at != ENTRY_NONE) {
        const struct bundle_entry *patient = &ex->bundle->entries[at];
        id = !span_empty(patient->id) ? patient->id
             : span_starts(patient->full_url, SPAN(URN_UUID))
                 ? span_skip(patient->full_url, sizeof URN_UUID - 1) : (struct span){ 0 };
        if (!span_empty(id))
            return arena_format(ex->arena, "Patient/%.*s", SPAN_PRINT(id));
    }
    if (reference_split(text, &base, &type, &id) && span_eq_text(type, "Patient"))
        return arena_format(ex->arena, "Patient/%.*s", SPAN_PRINT(id));
    return text;
}

static struct span
labels_text(struct exchange *ex, label_set labels)
{
    const char *codes[LABEL_COUNT];
    size_t      n    = labels_codes(labels, codes, LABEL_COUNT);
    struct span text = SPAN("");

    for (size_t i = 0; i < n; i++)
        text = arena_format(ex->arena, "%.*s%s%s", SPAN_PRINT(text), i > 0 ? " " : "", codes[i]);
    return text;
}

/* A document or a collection is a resource of its own as well, with the
 * labels of all that it holds. */
static void
record_whole(struct exchange *ex)
{
    struct span       id     = tape_member_text(ex->tape, ex->bundle->root, SPAN("id"), ex->arena);
    label_set         labels = 0;
    enum part2_status part2  = PART2_NOT;

    for (uint32_t i = 0; i < ex->bundle->count; i++) {
        labels |= ex->labeling->of[i].labels;
        if (ex->labeling->of[i].part2 != PART2_NOT && part2 != PART2_CONFIRMED)
            part2 = ex->labeling->of[i].part2;
    }
    ex->whole  = &ex->resources[ex->resource_count++];
    *ex->whole = (struct store_resource){
        .verb = STORE_PUT, .type = SPAN("Bundle"), .id = span_empty(id) ? uuid_new(ex->arena) : id,
        .patient = ex->patient, .bytes = span_trim(ex->body), .labels = labels_text(ex, labels),
        .part2 = span_of(part2_text(part2)), .if_version = -1,
    };
}

/* A DELETE takes the record's current version away.  It is not passed on: a
 * deletion says that something was there (rule C1). */
static enum step
record_delete(struct exchange *ex)
{
    struct span etag = http_request_header(ex->request, SPAN("If-Match"));

    ex->resources      = arena_make(ex->arena, struct store_resource);
    ex->entries        = arena_make(ex->arena, struct intake_entry);
    ex->resource_count = ex->entry_count = 1;
    if (ex->resources == NULL || ex->entries == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    *ex->resources = (struct store_resource){
        .verb = STORE_DELETE, .type = ex->path_type, .id = ex->path_id,
        .if_version = span_empty(etag) ? -1 : version_of_etag(etag),
    };
    if (!span_empty(etag) && ex->resources->if_version < 0)
        return exchange_refuse_one(ex, 400, ISSUE_VALUE, "If-Match",
                                   "If-Match is not a version like W/\"1\"", NULL);
    ex->entries[0] = (struct intake_entry){ .resource = ex->resources, .status = 204 };
    return STEP_NEXT;
}
