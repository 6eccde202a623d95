/* gateway/stages/read.c -- Consents that this client may see, as an answer (stages/reading.h). */
#include "gateway/stages/reading.h"
#include "gateway/stages/searchset.h"
#include "gateway/stages/stages.h"

#include <time.h>

#include "base/json_author.h"
#include "fhir/reference.h"
#include "gateway/auth/clients.h"
#include "gateway/auth/pace.h"
#include "gateway/http/query.h"
#include "gateway/ledger/record.h"

#define MOST_VERSIONS 200u

static void on_versions(struct task *);
static void on_consents(struct task *);
static enum step take_parameters(struct exchange *);
static enum step answer_one(struct exchange *);
static enum step answer_history(struct exchange *);
static enum step answer_search(struct exchange *);

enum step
pace_keep(struct exchange *ex)
{
    if (pace_ask(ex->gateway->pace, ex->asker->title, ex->at_ms, ex->config->limits.asks_a_minute))
        return STEP_NEXT;
    return exchange_refuse_one(ex, 429, ISSUE_THROTTLED, "load", "this client has asked too often",
                               "limits { asks-a-minute } bounds reads and questions about consents");
}

static bool
passes(const struct exchange *ex)
{
    return ex->intake != INTAKE_READ && ex->intake != INTAKE_VREAD && ex->intake != INTAKE_HISTORY
        && ex->intake != INTAKE_SEARCH;
}

static enum step
enter(struct exchange *ex)
{
    if (ex->reading == NULL)
        ex->reading = arena_make(ex->arena, struct reading);
    struct reading *r = ex->reading;
    if (r == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    r->count       = r->count == 0 ? 50 : r->count;
    enum step step = pace_keep(ex);
    if (step == STEP_NEXT)
        step = take_parameters(ex);
    if (step != STEP_NEXT)
        return step;
    if (ex->intake == INTAKE_SEARCH && span_empty(r->id)) {
        r->consents = (struct store_consents){
            .done.run = on_consents, .home = ex->loop, .arena = ex->arena,
            .patients = &r->patient, .patient_count = 1, .with_clients = true,
        };
        store_load_consents(ex->gateway->store, &r->consents);
        return STEP_WAIT;
    }
    bool one    = ex->intake != INTAKE_HISTORY;
    r->versions = (struct store_versions){
        .done.run = on_versions, .home = ex->loop, .arena = ex->arena, .type = SPAN("Consent"),
        .id = ex->intake == INTAKE_SEARCH ? r->id : ex->path_id,
        .below = ex->intake == INTAKE_VREAD ? r->version + (r->version > 0) : one ? 0 : r->version,
        .max = one ? 1 : r->count < MOST_VERSIONS ? r->count : MOST_VERSIONS,
    };
    store_list_versions(ex->gateway->store, &r->versions);
    return STEP_WAIT;
}


static void
on_versions(struct task *task)
{
    struct reading *r = (struct reading *)(void *)((char *)task - offsetof(struct reading, versions.done));

    pipeline_resume(r->exchange);
}

static void
on_consents(struct task *task)
{
    struct reading *r = (struct reading *)(void *)((char *)task - offsetof(struct reading, consents.done));

    pipeline_resume(r->exchange);
}

static enum step
resume(struct exchange *ex)
{
    struct reading *r    = ex->reading;
    bool            list = ex->intake == INTAKE_SEARCH && span_empty(r->id);
    enum status     st   = list ? r->consents.status : r->versions.status;

    if (st != ST_OK && st != ST_NOT_FOUND)
        return exchange_fail(ex, ST_UNAVAILABLE, "the store could not be read");
    if (ex->intake == INTAKE_SEARCH)
        return answer_search(ex);
    return ex->intake == INTAKE_HISTORY ? answer_history(ex) : answer_one(ex);
}

const struct stage stage_read = { .name = "read", .passes = passes, .enter = enter, .resume = resume };

/* ---- parameters ------------------------------------------------------------------ */

static enum step
take_all(struct exchange *ex, struct span rest)
{
    struct span name, value;
    const char *why;

    while (query_next(&rest, ex->arena, &name, &value)) {
        bool mine = ex->intake == INTAKE_SEARCH || span_eq_text(name, "_format") || span_eq_text(name, "_pretty")
                 || (ex->intake == INTAKE_HISTORY && (span_eq_text(name, "_count") || span_eq_text(name, "page")));
        if (!mine)
            return query_refuse(ex, name, ISSUE_NOT_SUPPORTED, "this request takes no such parameter",
                                "docs/http.md lists what is taken");
        if (!reading_take(ex->reading, ex->arena, name, value, &why))
            return query_refuse(ex, name, ISSUE_VALUE, why, "docs/http.md lists what is taken");
    }
    return STEP_NEXT;
}

static enum step
take_parameters(struct exchange *ex)
{
    struct reading *r = ex->reading;

    r->exchange    = ex;
    r->host        = http_request_header(ex->request, SPAN("Host"));
    enum step step = take_all(ex, http_request_head(ex->request)->query);
    if (step == STEP_NEXT)
        step = take_all(ex, r->form);
    if (step == STEP_NEXT && ex->intake == INTAKE_SEARCH && span_empty(r->patient) && span_empty(r->id))
        return query_refuse(ex, SPAN("patient"), ISSUE_TOO_COSTLY, "neither `patient` nor `_id` is asked for",
                            "an answer is about one patient: name them, or one Consent");
    return step;
}

/* ---- what is given ---------------------------------------------------------------- */

static bool
seen(const struct exchange *ex, const struct store_row *row)
{
    return client_sees(ex->asker, row->client);
}

static struct giving *
give(struct exchange *ex, struct span patient)
{
    bool own = !client_has(ex->asker, DUTY_COMPLIANCE);

    ex->giving = arena_make(ex->arena, struct giving);
    if (ex->giving == NULL)
        return NULL;
    *ex->giving = (struct giving){
        .patient = patient, .channel = SPAN("FHIR read"),
        .purposes = ex->asker->purposes, .purpose_count = ex->asker->purpose_count,
        .rule = own ? SPAN("own-source") : SPAN("compliance"),
        .citation = own ? SPAN("42 CFR 2.12(c)(4)") : SPAN("45 CFR 164.501"),
        .words = own ? SPAN("a Consent goes back to the source that sent it")
                     : SPAN("a compliance role reviews consents, which is health care operations"),
    };
    return ex->giving;
}

static enum step
no_memory(struct exchange *ex)
{
    return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
}

static void
add_item(struct giving *g, struct record_item *items, const struct store_row *row)
{
    items[g->item_count++] = (struct record_item){ .type = row->type, .id = row->id, .version = row->version };
    g->items               = items;
}

static struct span
etag(struct exchange *ex, int64_t version)
{
    return arena_format(ex->arena, "W/\"%lld\"", (long long)version);
}

/* RFC 9110 5.6.7 */
static struct span
http_date(struct exchange *ex, int64_t ms)
{
    time_t    seconds = (time_t)(ms / 1000);
    struct tm tm;
    char      text[64];
    size_t    n = gmtime_r(&seconds, &tm) != NULL ? strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm) : 0;

    return arena_copy(ex->arena, span_from(text, n));
}

static enum step
answer_one(struct exchange *ex)
{
    const struct store_versions *v     = &ex->reading->versions;
    const struct store_row      *row   = v->row_count > 0 ? &v->rows[0] : NULL;
    struct record_item          *items = arena_make(ex->arena, struct record_item);
    bool there = row != NULL && !row->deleted && (ex->intake == INTAKE_READ || row->version == ex->reading->version);

    if (items == NULL)
        return no_memory(ex);
    if (!there || !seen(ex, row))
        return disclose_nothing(ex, there ? row->patient : (struct span){ NULL, 0 }, there);
    struct giving *g = give(ex, row->patient);
    if (g == NULL)
        return no_memory(ex);
    add_item(g, items, row);
    exchange_answer_json(ex, 200, row->bytes);
    exchange_answer_header(ex, SPAN("ETag"), etag(ex, row->version));
    exchange_answer_header(ex, SPAN("Last-Modified"), http_date(ex, row->at_ms));
    return STEP_NEXT;
}

/* ---- Bundles ----------------------------------------------------------------------- */

static void
add_version(struct exchange *ex, author_value entries, const struct store_row *row)
{
    author_value entry = author_add_object(entries, NULL);

    author_add_text(entry, "fullUrl", arena_join(ex->arena, searchset_base(ex), SPAN("Consent/"), row->id));
    if (!row->deleted)
        author_add_raw(entry, "resource", row->bytes);
    author_value request = author_add_object(entry, "request");
    author_add_cstr(request, "method", row->deleted ? "DELETE" : "PUT");
    author_add_text(request, "url", arena_join(ex->arena, SPAN("Consent/"), row->id));
    author_value response = author_add_object(entry, "response");
    author_add_cstr(response, "status", row->deleted ? "204" : "200");
    author_add_text(response, "etag", etag(ex, row->version));
    author_add_text(response, "lastModified", time_format(ex->arena, row->at_ms));
}

/* Rule 3: whose the newest one is that is seen. */
static struct span
history_patient(const struct exchange *ex)
{
    const struct store_versions *v = &ex->reading->versions;

    for (size_t i = 0; i < v->row_count; i++)
        if (!v->rows[i].deleted && seen(ex, &v->rows[i]))
            return v->rows[i].patient;
    return (struct span){ NULL, 0 };
}

static enum step
answer_history(struct exchange *ex)
{
    const struct store_versions *v        = &ex->reading->versions;
    struct record_item          *items    = arena_make_n(ex->arena, v->row_count, struct record_item);
    struct span                  patient  = history_patient(ex);
    size_t                       withheld = 0, shown = 0;

    for (size_t i = 0; i < v->row_count; i++) {
        bool show = seen(ex, &v->rows[i]) && (v->rows[i].deleted || span_eq(v->rows[i].patient, patient));
        withheld += !show && !v->rows[i].deleted;
        shown    += show;
    }
    if (shown == 0)
        return disclose_nothing(ex, v->row_count > 0 ? v->rows[0].patient : (struct span){ NULL, 0 }, withheld);
    struct giving *g      = give(ex, patient);
    struct author *author = author_new();
    if (items == NULL || g == NULL || author == NULL) {
        author_free(&author);
        return no_memory(ex);
    }
    g->withheld       = withheld;
    author_value root = searchset_begin(ex, author, "history");
    struct span  self = arena_join(ex->arena, searchset_base(ex), SPAN("Consent/"), ex->path_id, SPAN("/_history"));
    author_value links = author_add_array(root, "link");
    searchset_link(links, "self", self);
    if (v->more)
        searchset_link(links, "next", arena_format(ex->arena, "%.*s?_count=%u&page=%lld", SPAN_PRINT(self), v->max,
                                             (long long)v->rows[v->row_count - 1].version));
    author_value entries = author_add_array(root, "entry");
    for (size_t i = 0; i < v->row_count; i++) {
        const struct store_row *row = &v->rows[i];
        if (!seen(ex, row) || (!row->deleted && !span_eq(row->patient, patient)))
            continue;
        add_version(ex, entries, row);
        if (!row->deleted)
            add_item(g, items, row);
    }
    return searchset_finish(ex, author);
}

/* ---- search --------------------------------------------------------------------------- */

static bool
has_actor(const struct reading *r, const struct tape *t, tape_node provision, struct arena *arena)
{
    for (tape_node a = tape_first(t, tape_member(t, provision, SPAN("actor"))); a != TAPE_ABSENT; a = tape_next(t, a)) {
        struct span base, type, id;
        struct span text = tape_member_text(t, tape_member(t, a, SPAN("reference")), SPAN("reference"), arena);
        if (reference_split(text, &base, &type, &id) && span_eq(id, r->actor_id)
            && span_eq(base_is_ours(r->exchange, base) ? SPAN("") : base, r->actor_base)
            && (span_empty(r->actor_type) || span_eq(type, r->actor_type)))
            return true;
    }
    return false;
}

/* R4 search.html#date: a Period without an end has no end. */
static bool
has_period(const struct reading *r, const struct tape *t, tape_node provision, struct arena *arena)
{
    tape_node         period = tape_member(t, provision, SPAN("period"));
    struct time_range has    = { INT64_MIN, INT64_MAX }, end;

    if (period == TAPE_ABSENT)
        return false;
    if (time_range_read(tape_member_text(t, period, SPAN("start"), arena), &end))
        has.first_ms = end.first_ms;
    if (time_range_read(tape_member_text(t, period, SPAN("end"), arena), &end))
        has.last_ms = end.last_ms;
    for (size_t i = 0; i < r->period_count; i++)
        if (!period_matches(r->periods[i], has))
            return false;
    return true;
}

static enum status
fits(struct exchange *ex, const struct store_row *row, bool *yes)
{
    const struct reading *r = ex->reading;
    const struct tape    *t;

    *yes = !row->deleted && (span_empty(r->patient) || span_eq(row->patient, r->patient))
        && (span_empty(r->id) || span_eq(row->id, r->id));
    if (!*yes || (r->status_count == 0 && span_empty(r->actor_id) && r->period_count == 0))
        return ST_OK;
    enum status st = tape_read(row->bytes, &tape_default_limits, ex->arena, &t, NULL);
    if (st != ST_OK)
        return st;
    struct span status    = tape_member_text(t, TAPE_ROOT, SPAN("status"), ex->arena);
    tape_node   provision = tape_member(t, TAPE_ROOT, SPAN("provision"));
    bool        in        = r->status_count == 0;
    for (size_t i = 0; i < r->status_count; i++)
        in = in || span_eq(status, r->statuses[i]);
    *yes = in && (span_empty(r->actor_id) || has_actor(r, t, provision, ex->arena))
        && (r->period_count == 0 || has_period(r, t, provision, ex->arena));
    return ST_OK;
}

/* Rows come in the order of their ids, and a page begins behind the last id of the one before. */
static enum step
author_search(struct exchange *ex, const struct store_row **rows, size_t total, size_t withheld)
{
    const struct reading *r      = ex->reading;
    struct record_item   *items  = arena_make_n(ex->arena, total, struct record_item);
    struct author        *author = author_new();
    struct giving        *g      = ex->giving != NULL ? ex->giving : give(ex, r->patient);
    size_t                at = 0, shown = 0;

    if (author == NULL || g == NULL || (items == NULL && total > 0)) {
        author_free(&author);
        return no_memory(ex);
    }
    while (at < total && !span_empty(r->page) && span_compare(rows[at]->id, r->page) <= 0)
        at++;
    if (!g->denied) {
        g->withheld = withheld;
        g->patient  = rows[0]->patient;
    }
    author_value root = searchset_begin(ex, author, "searchset");
    author_add_integer(root, "total", (int64_t)total);
    author_value links = author_add_array(root, "link");
    bool         more  = r->count > 0 && total - at > r->count;
    searchset_link(links, "self", searchset_url(ex, SPAN("Consent"), r->form, r->page));
    if (more)
        searchset_link(links, "next", searchset_url(ex, SPAN("Consent"), r->form, rows[at + r->count - 1]->id));
    author_value entries = at < total && r->count > 0 ? author_add_array(root, "entry") : root;
    for (; at < total && shown < r->count; at++, shown++) {
        author_value entry = author_add_object(entries, NULL);
        author_add_text(entry, "fullUrl", arena_join(ex->arena, searchset_base(ex), SPAN("Consent/"), rows[at]->id));
        author_add_raw(entry, "resource", rows[at]->bytes);
        author_add_cstr(author_add_object(entry, "search"), "mode", "match");
        add_item(g, items, rows[at]);
    }
    return searchset_finish(ex, author);
}

static enum step
answer_search(struct exchange *ex)
{
    struct reading          *r     = ex->reading;
    const struct store_row  *found = span_empty(r->id) ? r->consents.rows : r->versions.rows;
    size_t                   count = span_empty(r->id) ? r->consents.row_count : r->versions.row_count;
    const struct store_row **rows  = arena_make_n(ex->arena, count, const struct store_row *);
    size_t                   total = 0, withheld = 0;
    bool                     yes;

    if (rows == NULL && count > 0)
        return no_memory(ex);
    for (size_t i = 0; i < count; i++) {
        if (fits(ex, &found[i], &yes) != ST_OK)
            return exchange_fail(ex, ST_UNAVAILABLE, "a stored Consent could not be read");
        if (!yes)
            continue;
        if (seen(ex, &found[i]))
            rows[total++] = &found[i];
        else
            withheld++;
    }
    if (total == 0 && disclose_nothing(ex, r->patient, withheld) != STEP_NEXT)
        return STEP_FAIL;
    return author_search(ex, rows, total, withheld);
}
