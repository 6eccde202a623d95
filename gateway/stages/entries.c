/* gateway/stages/entries.c -- what each entry asks for, and whether this client may ask it.
 *
 * The entries of a batch are independent (R4 http.html#transaction): one that
 * cannot be honoured has its own answer, and the rest goes on.  A transaction
 * is taken whole or not at all, and names the entry that was to blame.  A
 * single resource is an entry of its own, with the fields of the request for
 * what stands in Bundle.entry.request.
 *
 *   POST    the type; ifNoneExist, looked up by stage match
 *   PUT     type and id, the resource's own; ifMatch, ifNoneMatch `*`
 *   DELETE  type and id, no resource; ifMatch
 *   GET, HEAD, PATCH are not answered here
 *
 * R4 wants the identities of a transaction's PUT and DELETE entries to differ.
 */
#include "gateway/stages/stages.h"

#include "gateway/auth/clients.h"

/* An error, for the one entry or for all. */
struct complaint {
    int             status;
    enum issue_code code;
    const char     *where;               /* below Bundle.entry[i].request; NULL: request itself */
    const char     *what, *hint;
};

static enum step judge_request(struct exchange *, uint32_t entry);
static enum step judge_content(struct exchange *, uint32_t entry);
static enum step judge_single(struct exchange *);
static enum step complain(struct exchange *, size_t entry, struct complaint);

static enum step
enter(struct exchange *ex)
{
    if (ex->intake == INTAKE_METADATA)
        return STEP_NEXT;
    uint32_t count = ex->intake == INTAKE_DELETE ? 1 : ex->bundle->count;
    if (ex->entries == NULL) {           /* stage validate made them when it refused some */
        ex->entry_count = count;
        ex->entries     = arena_make_n(ex->arena, count, struct intake_entry);
        if (ex->entries == NULL && count > 0)
            return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    }
    if (ex->intake == INTAKE_DELETE || ex->bundle->type == BUNDLE_SINGLE)
        return judge_single(ex);
    bool asks = entries_ask(ex);
    if (http_request_count(ex->request, SPAN("If-None-Exist")) > 0)
        return exchange_refuse_one(ex, 501, ISSUE_NOT_SUPPORTED, "If-None-Exist",
                                   "the condition is for a single resource",
                                   "in a Bundle of type transaction or batch, put it into request.ifNoneExist");
    for (uint32_t i = 0; i < count; i++) {
        if (ex->entries[i].status >= 400)
            continue;
        ex->entries[i].if_version = -1;
        enum step step = asks ? judge_request(ex, i) : judge_content(ex, i);
        if (step != STEP_NEXT)
            return step;
    }
    return arena_spent(ex->arena) ? exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY)) : STEP_NEXT;
}

const struct stage stage_entries = { .name = "entries", .pure = true, .enter = enter };

bool
entries_ask(const struct exchange *ex)
{
    return ex->intake == INTAKE_SYSTEM
        && (ex->bundle->type == BUNDLE_TRANSACTION || ex->bundle->type == BUNDLE_BATCH);
}

/* ---- refusing ------------------------------------------------------------------- */

static const char *
header_of(const char *where)
{
    static const struct { const char *element, *header; } rows[] = {
        { "ifMatch", "If-Match" }, { "ifNoneMatch", "If-None-Match" }, { "ifNoneExist", "If-None-Exist" },
    };

    for (size_t i = 0; where != NULL && i < sizeof rows / sizeof rows[0]; i++)
        if (span_eq_text(span_of(where), rows[i].element))
            return rows[i].header;
    return "http";
}

static enum step
complain(struct exchange *ex, size_t i, struct complaint c)
{
    bool asks  = entries_ask(ex);
    bool batch = asks && ex->bundle->type == BUNDLE_BATCH;

    if (!asks && ex->entry_count == 1)
        return exchange_refuse_one(ex, c.status, c.code, header_of(c.where), c.what, c.hint);
    struct issue issue = {
        .severity = SEVERITY_ERROR, .code = c.code, .rule = "request", .wanted = span_of(c.what),
        .hint = span_of(c.hint), .times = 1,
        .expression = arena_format(ex->arena, "Bundle.entry[%zu]%s%s%s", i, asks ? ".request" : "",
                                   c.where != NULL ? "." : "", c.where != NULL ? c.where : ""),
    };
    struct issues *into = batch ? issues_new(ex->arena, 1) : ex->issues;
    if (into == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    issues_add(into, &issue);
    if (!batch)
        return exchange_refuse(ex, c.status);
    ex->entries[i].status = c.status;
    ex->entries[i].issues = into;
    return STEP_NEXT;
}

enum step
entry_refuse_scope(struct exchange *ex, size_t i)
{
    return complain(ex, i, (struct complaint){
        403, ISSUE_FORBIDDEN, NULL, "this client's scopes do not cover this interaction",
        "ask the operator for the scope, for example system/*.cud" });
}

enum step
entry_refuse_several(struct exchange *ex, size_t i)
{
    return complain(ex, i, (struct complaint){
        412, ISSUE_CONFLICT, "ifNoneExist", "more than one resource fits the condition",
        "name one by a condition that only it fits, or PUT it under its id" });
}

const struct store_condition *
entry_existing(const struct intake_entry *entry)
{
    return entry->unless != NULL && entry->status < 400 && entry->unless->matches == 1 ? entry->unless : NULL;
}

/* Decision 0039.  Of the configuration alone: the answer is the same whatever is stored.  A revocation
 * is written for the source of a Consent that is there. */
static enum step
judge_consent_id(struct exchange *ex, size_t i, struct span type, struct span id)
{
    const struct config *c    = ex->config;
    bool                 mine = span_starts(id, ex->client->consent_ids);

    if (!span_eq_text(type, "Consent") || span_empty(id) || ex->revoking != NULL)
        return STEP_NEXT;
    for (size_t k = 0; k < c->client_count && mine && span_empty(ex->client->consent_ids); k++)
        mine = span_empty(c->clients[k].consent_ids) || !span_starts(id, c->clients[k].consent_ids);
    return mine ? STEP_NEXT : complain(ex, i, (struct complaint){
        403, ISSUE_FORBIDDEN, NULL, "the ids of this client's Consents begin otherwise",
        "the operator has said how: client { consent-ids }" });
}

/* The id that it will have, as far as its sender says it: stage record makes one that begins as the client's do. */
static struct span
id_said(const struct exchange *ex, const struct bundle_entry *e)
{
    const struct span uuid = SPAN("urn:uuid:");
    bool              own  = span_empty(e->id) && span_empty(ex->client->consent_ids) && span_starts(e->full_url, uuid);

    return own ? span_skip(e->full_url, uuid.length) : e->id;
}

enum step
entry_refuse_stored(struct exchange *ex, size_t i, enum store_refusal why)
{
    bool consent = ex->entries[i].resource != NULL && span_eq_text(ex->entries[i].resource->type, "Consent");

    if (consent && pace_keep(ex) != STEP_NEXT)       /* who guesses ids asks whether there is a Consent (auth/pace.h) */
        return STEP_FAIL;
    if (why == STORE_OTHER_OWNER)
        return complain(ex, i, (struct complaint){
            403, ISSUE_FORBIDDEN, NULL, "another client sent what is there, and this one may create and not update",
            "ask the operator for the scope u, for example system/*.cu" });
    const struct intake_entry *entry = &ex->entries[i];
    return complain(ex, i, (struct complaint){
        412, ISSUE_CONFLICT, entry->if_version == 0 ? "ifNoneMatch" : "ifMatch",
        "the current version is not as the condition wants it", "read the resource again and repeat the change" });
}

/* ---- conditions ------------------------------------------------------------------ */

#define MAX_TAGS 64

/* One entity-tag (RFC 9110 8.8.3): the version that it names, 0 for one that
 * is no version of ours, -1 when it is no entity-tag. */
static int64_t
version_of_tag(struct span tag)
{
    uint64_t n;

    if (span_starts(tag, SPAN("W/")))
        tag = span_skip(tag, 2);
    if (tag.length < 2 || tag.at[0] != '"' || tag.at[tag.length - 1] != '"')
        return -1;
    tag = span_from(tag.at + 1, tag.length - 2);
    if (span_find_byte(tag, '"') != SPAN_NOT_FOUND)
        return -1;
    return span_to_u64(tag, &n) && n <= INT64_MAX ? (int64_t)n : 0;
}

/* If-Match = "*" / #entity-tag (RFC 9110 13.1.1).  R4 http.html#concurrency
 * writes versions as weak tags and compares them all the same; strong ones are
 * taken for the same.  A tag that is no version of ours matches nothing. */
static bool
read_if_match(struct exchange *ex, struct span text, struct intake_entry *entry)
{
    int64_t *versions = arena_make_n(ex->arena, MAX_TAGS, int64_t);
    size_t   count = 0, tags = 0;

    if (span_eq_text(span_trim(text), "*")) {
        entry->if_version = STORE_ANY_VERSION;
        return true;
    }
    while (versions != NULL && text.at != NULL) {
        struct span tag = span_trim(span_split(&text, ','));
        int64_t     n   = span_empty(tag) ? 0 : version_of_tag(tag);
        if (n < 0 || count == MAX_TAGS)
            return false;
        tags += !span_empty(tag);
        if (n > 0)
            versions[count++] = n;
    }
    entry->if_version  = count > 0 ? versions[0] : INT64_MAX;
    entry->or_versions = versions;
    entry->or_count    = count;
    return tags > 0;
}

bool
if_match_fits(struct exchange *ex, int64_t version, bool *fits)
{
    struct span         text = http_request_list(ex->request, SPAN("If-Match"), ex->arena);
    struct intake_entry one  = { .if_version = STORE_ANY_VERSION };

    *fits = true;
    if (span_empty(text))
        return true;
    if (!read_if_match(ex, text, &one))
        return false;
    *fits = one.if_version == STORE_ANY_VERSION || one.if_version == version;
    for (size_t i = 0; i < one.or_count && !*fits; i++)
        *fits = one.or_versions[i] == version;
    return true;
}

static enum step
judge_conditions(struct exchange *ex, uint32_t i, struct span match, struct span none_match)
{
    struct intake_entry *entry = &ex->entries[i];

    if (!span_empty(match) && !read_if_match(ex, match, entry))
        return complain(ex, i, (struct complaint){ 400, ISSUE_VALUE, "ifMatch",
                        "the condition is not `*` or a list of versions like W/\"1\"", NULL });
    if (span_empty(none_match) || entry->act != ACT_UPDATE)
        return STEP_NEXT;
    if (!span_eq_text(none_match, "*") || !span_empty(match))
        return complain(ex, i, (struct complaint){ 501, ISSUE_NOT_SUPPORTED, "ifNoneMatch",
                        "only `*` is taken here, and alone: the resource must not be there",
                        "name the version that is to be replaced in If-Match" });
    entry->if_version = 0;
    return STEP_NEXT;
}

/* R4 http.html#ccreate */
static enum step
judge_unless(struct exchange *ex, uint32_t i, struct span query, struct span type)
{
    struct intake_entry *entry = &ex->entries[i];

    if (span_empty(query))
        return STEP_NEXT;
    entry->unless = arena_make(ex->arena, struct store_condition);
    if (entry->unless == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    if (condition_read(query, type, ex->arena, entry->unless))
        return STEP_NEXT;
    return complain(ex, i, (struct complaint){ 501, ISSUE_NOT_SUPPORTED, "ifNoneExist",
                    "a conditional create is looked up by identifier=system|value or _id, alone, and by nothing else",
                    "PUT the resource under an id of yours" });
}

/* ---- one entry ------------------------------------------------------------------- */

/* R4 wants url relative to the base; a slash before it is let pass. */
static struct span
relative(struct span url)
{
    return span_starts(url, SPAN("/")) ? span_skip(url, 1) : url;
}

static enum step
judge_post(struct exchange *ex, uint32_t i, const struct bundle_entry *e)
{
    ex->entries[i].act = ACT_CREATE;
    if (e->resource == TAPE_ABSENT || !span_eq(relative(e->url), e->type))
        return complain(ex, i, (struct complaint){ 422, ISSUE_VALUE, "url",
                        e->resource == TAPE_ABSENT ? "a POST entry has no resource"
                                                   : "request.url is not the type of the resource",
                        "R4 http.html#create: POST {type} with a resource of this type" });
    if (!client_may(ex->client, 'c', e->type))
        return entry_refuse_scope(ex, i);
    enum step step = judge_consent_id(ex, i, e->type, id_said(ex, e));
    if (step != STEP_NEXT || ex->entries[i].status >= 400)
        return step;
    return judge_unless(ex, i, tape_member_text(ex->tape, e->request, SPAN("ifNoneExist"), ex->arena), e->type);
}

static enum step
judge_put(struct exchange *ex, uint32_t i, const struct bundle_entry *e)
{
    struct span url  = relative(e->url);
    struct span type = span_split(&url, '/');

    ex->entries[i].act = ACT_UPDATE;
    if (span_find_byte(e->url, '?') != SPAN_NOT_FOUND)
        return complain(ex, i, (struct complaint){ 501, ISSUE_NOT_SUPPORTED, "url",
                        "conditional update is not supported", "name the resource by its id: PUT {type}/{id}" });
    if (e->resource == TAPE_ABSENT || !span_eq(type, e->type) || !span_eq(url, e->id) || span_empty(url))
        return complain(ex, i, (struct complaint){ 422, ISSUE_VALUE, "url",
                        "request.url is not the type and id of the resource",
                        "R4 http.html#update: PUT {type}/{id} with the same id in the resource" });
    return client_may(ex->client, 'u', e->type) || client_may(ex->client, 'c', e->type)
               ? judge_consent_id(ex, i, e->type, e->id) : entry_refuse_scope(ex, i);
}

static enum step
judge_delete(struct exchange *ex, uint32_t i, const struct bundle_entry *e)
{
    struct intake_entry *entry = &ex->entries[i];
    struct span          id    = relative(e->url);
    struct span          type  = span_split(&id, '/');

    entry->act  = ACT_DELETE;
    entry->type = type;
    entry->id   = id;
    if (span_find_byte(e->url, '?') != SPAN_NOT_FOUND)
        return complain(ex, i, (struct complaint){ 501, ISSUE_NOT_SUPPORTED, "url",
                        "conditional delete is not supported", "name the resource by its id: DELETE {type}/{id}" });
    if (!fhir_path(type, id))
        return complain(ex, i, (struct complaint){ 422, ISSUE_VALUE, "url", "request.url is not type and id",
                        "R4 http.html#delete: DELETE {type}/{id}" });
    if (e->resource != TAPE_ABSENT)
        return complain(ex, i, (struct complaint){ 422, ISSUE_VALUE, "method", "a DELETE entry has a resource",
                        "leave the resource out" });
    return client_may(ex->client, 'd', type) ? judge_consent_id(ex, i, type, id) : entry_refuse_scope(ex, i);
}

/* bundle_next_same() lists who has the same type and id behind an entry. */
static bool
named_again(const struct exchange *ex, uint32_t i)
{
    if (ex->bundle->type != BUNDLE_TRANSACTION)
        return false;
    for (uint32_t j = bundle_next_same(ex->bundle, i); j != ENTRY_NONE; j = bundle_next_same(ex->bundle, j))
        if (!span_eq_text(ex->bundle->entries[j].method, "POST"))
            return true;
    return false;
}

static enum step
judge_request(struct exchange *ex, uint32_t i)
{
    const struct bundle_entry *e = &ex->bundle->entries[i];
    enum step                  step;

    if (span_eq_text(e->method, "POST"))
        step = judge_post(ex, i, e);
    else if (span_eq_text(e->method, "PUT"))
        step = judge_put(ex, i, e);
    else if (span_eq_text(e->method, "DELETE"))
        step = judge_delete(ex, i, e);
    else
        return complain(ex, i, (struct complaint){ 501, ISSUE_NOT_SUPPORTED, "method",
                        "only POST, PUT and DELETE entries are taken", NULL });
    struct intake_entry *entry = &ex->entries[i];
    if (step != STEP_NEXT || entry->status >= 400 || entry->act == ACT_CREATE)
        return step;
    if (named_again(ex, i))
        return complain(ex, i, (struct complaint){ 422, ISSUE_BUSINESS_RULE, "url",
                        "another entry of this transaction changes the same resource",
                        "R4 http.html#transaction: each resource once" });
    return judge_conditions(ex, i, tape_member_text(ex->tape, e->request, SPAN("ifMatch"), ex->arena),
                            tape_member_text(ex->tape, e->request, SPAN("ifNoneMatch"), ex->arena));
}

/* Of a document, collection or message: what it holds becomes part of the record. */
static enum step
judge_content(struct exchange *ex, uint32_t i)
{
    const struct bundle_entry *e = &ex->bundle->entries[i];

    ex->entries[i].act = ACT_CREATE;
    return span_empty(e->type) || client_may(ex->client, 'c', e->type) ? judge_consent_id(ex, i, e->type, id_said(ex, e))
                                                                       : entry_refuse_scope(ex, i);
}

/* The path says what: its rights were looked at with it (stage authenticate). */
static enum step
judge_single(struct exchange *ex)
{
    struct intake_entry *entry = &ex->entries[0];

    entry->if_version = -1;
    entry->act  = ex->intake == INTAKE_DELETE ? ACT_DELETE : ex->intake == INTAKE_UPDATE ? ACT_UPDATE : ACT_CREATE;
    entry->type = ex->path_type;
    entry->id   = ex->path_id;
    if (ex->revoking != NULL) {
        entry->if_version = revoking_version(ex);
        return STEP_NEXT;
    }
    enum step step = judge_consent_id(ex, 0, ex->path_type, entry->act == ACT_CREATE ? id_said(ex, &ex->bundle->entries[0]) : ex->path_id);
    if (step != STEP_NEXT)
        return step;
    if (entry->act == ACT_CREATE)
        return judge_unless(ex, 0, http_request_list(ex->request, SPAN("If-None-Exist"), ex->arena), ex->path_type);
    return judge_conditions(ex, 0, http_request_list(ex->request, SPAN("If-Match"), ex->arena),
                            http_request_list(ex->request, SPAN("If-None-Match"), ex->arena));
}
