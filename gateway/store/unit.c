/* gateway/store/unit.c -- what one unit of work writes. */
#include <string.h>

#include "gateway/store/sqlite.h"

/* ---- preconditions: all before the first write ------------------------------- */

static enum status
conflict(struct store_unit *u, uint32_t which)
{
    u->conflict = which;
    return ST_CONFLICT;
}

static enum status
consents_unchanged(struct store *s, struct store_unit *u)
{
    if (u->consents_as_of == 0)
        return ST_OK;
    for (size_t i = 0; i < u->consent_patient_count; i++) {
        sqlite3_stmt *q = s->statement[SQL_CONSENT_NEWEST];
        bind_text(q, 1, u->consent_patients[i]);
        enum status st = sql_row(s, SQL_CONSENT_NEWEST);
        if (st != ST_OK)
            return st;
        int64_t newest = sqlite3_column_int64(q, 0);
        sql_reset(s, SQL_CONSENT_NEWEST);
        if ((uint64_t)newest > u->consents_as_of)
            return conflict(u, STORE_CONFLICT_CONSENT);
    }
    return ST_OK;
}

static enum status
key_is_free(struct store *s, struct store_unit *u)
{
    if (u->answer == NULL)
        return ST_OK;
    sqlite3_stmt *q = s->statement[SQL_ANSWER_TAKEN];
    bind_text(q, 1, u->answer->client);
    bind_text(q, 2, u->answer->key);
    enum status st = sql_row(s, SQL_ANSWER_TAKEN);
    if (st == ST_OK) {
        sql_reset(s, SQL_ANSWER_TAKEN);
        return conflict(u, STORE_CONFLICT_KEY);
    }
    return st == ST_NOT_FOUND ? ST_OK : st;
}

struct standing {                        /* of one resource id */
    int64_t version;                     /* 0: never was */
    bool    deleted;
    char    patient[256];                /* Consents only; cut is fine, see consent_index() */
};

static enum status
resource_standing(struct store *s, const struct store_resource *r, struct standing *out)
{
    sqlite3_stmt *q = s->statement[SQL_RESOURCE_HEAD];

    out->version    = 0;
    out->deleted    = false;
    out->patient[0] = 0;
    bind_text(q, 1, r->type);
    bind_text(q, 2, r->id);
    enum status st = sql_row(s, SQL_RESOURCE_HEAD);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_OK : st;
    out->version        = sqlite3_column_int64(q, 0);
    out->deleted        = sqlite3_column_int(q, 1) != 0;
    struct span patient = column_span(q, 2);
    if (patient.length < sizeof out->patient) {
        memcpy(out->patient, patient.at != NULL ? patient.at : "", patient.length);
        out->patient[patient.length] = 0;
    }
    sql_reset(s, SQL_RESOURCE_HEAD);
    return ST_OK;
}

static enum status
versions_as_expected(struct store *s, struct store_unit *u)
{
    for (size_t i = 0; i < u->resource_count; i++) {
        const struct store_resource *r = &u->resources[i];
        struct standing              now;

        if (r->if_version < 0)
            continue;
        enum status st = resource_standing(s, r, &now);
        if (st != ST_OK)
            return st;
        if (r->if_version != (now.deleted ? 0 : now.version))
            return conflict(u, (uint32_t)i);
    }
    return ST_OK;
}

/* ---- writing ------------------------------------------------------------------- */

/* Where the bytes of a resource are kept. */
struct place {
    int64_t body, start, length;
};

/* A resource that points into the inbox body is a slice of it. */
static bool
slice_of(struct span body, struct span bytes, struct place *out)
{
    uintptr_t from = (uintptr_t)body.at;
    uintptr_t at   = (uintptr_t)bytes.at;

    if (bytes.at == NULL || body.at == NULL || at < from || at - from > body.length ||
        bytes.length > body.length - (at - from))
        return false;
    out->start  = (int64_t)(at - from);
    out->length = (int64_t)bytes.length;
    return true;
}

static enum status
body_insert(struct store *s, int64_t id, struct span bytes)
{
    sqlite3_stmt *q = s->statement[SQL_BODY_INSERT];

    (void)sqlite3_bind_int64(q, 1, id);
    bind_blob(q, 2, bytes.at, bytes.length);
    return sql_run(s, SQL_BODY_INSERT);
}

static enum status
place_find(struct store *s, const struct store_unit *u, const struct store_resource *r, struct place *out)
{
    *out = (struct place){ 0, 0, 0 };
    if (r->verb == STORE_DELETE)
        return ST_OK;
    if (u->inbox != NULL && slice_of(u->inbox->body, r->bytes, out)) {
        out->body = u->inbox->id;
        return ST_OK;
    }
    out->body   = ++s->now.last_body;
    out->length = (int64_t)r->bytes.length;
    return body_insert(s, out->body, r->bytes);
}

static void
resource_bind(struct store *s, sqlite3_stmt *q, const struct store_resource *r, const struct place *place)
{
    bind_text(q, 1, r->type);
    bind_text(q, 2, r->id);
    (void)sqlite3_bind_int64(q, 3, s->clock_ms);
    bind_text(q, 4, r->patient);
    bind_text(q, 5, r->labels);
    bind_text(q, 6, r->part2);
    (void)sqlite3_bind_int64(q, 7, place->body);
    (void)sqlite3_bind_int64(q, 8, place->start);
    (void)sqlite3_bind_int64(q, 9, place->length);
}

static enum status
consent_set(struct store *s, struct span patient, struct span id)
{
    sqlite3_stmt *q = s->statement[SQL_CONSENT_SET];

    if (span_empty(patient))
        return ST_OK;
    bind_text(q, 1, patient);
    bind_text(q, 2, id);
    (void)sqlite3_bind_int64(q, 3, s->now.generation);
    return sql_run(s, SQL_CONSENT_SET);
}

/* Both the patient it is about now and the one it was about before see that
 * their consents changed; reading filters by the patient of the version. */
static enum status
consent_index(struct store *s, const struct store_resource *r, const struct standing *before)
{
    s->now.generation++;
    enum status st = consent_set(s, r->patient, r->id);
    if (st == ST_OK && !span_eq_text(r->patient, before->patient))
        st = consent_set(s, span_of(before->patient), r->id);
    return st;
}

static enum status
version_next(struct store *s, struct store_resource *r, const struct place *place, struct standing *before)
{
    enum status st = resource_standing(s, r, before);
    if (st != ST_OK)
        return st;
    r->version = before->version + 1;
    r->created = before->deleted && r->verb == STORE_PUT;
    if (r->verb == STORE_DELETE && (before->version == 0 || before->deleted)) {
        r->version = before->version;    /* nothing to delete: nothing is written */
        return ST_OK;
    }
    sqlite3_stmt *q = s->statement[SQL_RESOURCE_NEXT];
    resource_bind(s, q, r, place);
    (void)sqlite3_bind_int64(q, 10, r->version);
    (void)sqlite3_bind_int(q, 11, r->verb == STORE_DELETE);
    s->now.resources += r->verb == STORE_DELETE ? -1 : r->created ? 1 : 0;
    return sql_run(s, SQL_RESOURCE_NEXT);
}

/* Most resources are new: version 1 is tried without looking, and its presence
 * tells that there is a history. */
static enum status
resource_write(struct store *s, struct store_unit *u, struct store_resource *r)
{
    struct standing before = { .version = 0 };
    struct place    place;
    bool            consent = span_eq(r->type, SPAN("Consent"));
    enum status     st      = place_find(s, u, r, &place);

    if (st != ST_OK)
        return st;
    r->created = false;
    if (r->verb == STORE_PUT) {
        resource_bind(s, s->statement[SQL_RESOURCE_FIRST], r, &place);
        st = sql_run(s, SQL_RESOURCE_FIRST);
        if (st != ST_OK)
            return st;
        r->created = sqlite3_changes(s->db) == 1;
    }
    if (r->created) {
        r->version = 1;
        s->now.resources++;
    } else {
        st = version_next(s, r, &place, &before);
        if (st != ST_OK)
            return st;
    }
    return consent ? consent_index(s, r, &before) : ST_OK;
}

static bool
any_slice(const struct store_unit *u)
{
    struct place place;

    for (size_t i = 0; i < u->resource_count; i++) {
        if (u->resources[i].verb == STORE_PUT && slice_of(u->inbox->body, u->resources[i].bytes, &place))
            return true;
    }
    return false;
}

/* The inbox row; its body only where something refers to it: a resource that
 * is a slice, or a delivery that may have to be decided again. */
static enum status
inbox_write(struct store *s, struct store_unit *u, bool sliced)
{
    struct store_inbox *in = u->inbox;
    sqlite3_stmt       *q  = s->statement[SQL_INBOX_INSERT];

    in->id = ++s->now.last_body;
    (void)sqlite3_bind_int64(q, 1, in->id);
    (void)sqlite3_bind_int64(q, 2, s->clock_ms);
    bind_text(q, 3, in->request_id);
    bind_text(q, 4, in->client);
    bind_text(q, 5, in->bundle_type);
    bind_text(q, 6, in->patient);
    (void)sqlite3_bind_int64(q, 7, s->now.last_outbox + 1);
    (void)sqlite3_bind_int64(q, 8, (int64_t)u->outbox_count);
    enum status st = sql_run(s, SQL_INBOX_INSERT);
    if (st == ST_OK && (sliced || u->outbox_count > 0))
        st = body_insert(s, in->id, in->body);
    return st;
}

static enum status
answer_write(struct store *s, const struct store_answer *a)
{
    sqlite3_stmt *q = s->statement[SQL_ANSWER_INSERT];

    (void)sqlite3_bind_int64(q, 1, s->clock_ms);
    bind_text(q, 2, a->client);
    bind_text(q, 3, a->key);
    bind_text(q, 4, a->request_sha256);
    (void)sqlite3_bind_int(q, 5, a->status);
    bind_text(q, 6, a->content_type);
    bind_text(q, 7, a->location);
    bind_blob(q, 8, a->body.at, a->body.length);
    return sql_run(s, SQL_ANSWER_INSERT);
}

static enum status
preconditions(struct store *s, struct store_unit *u)
{
    enum status st = consents_unchanged(s, u);

    if (st == ST_OK)
        st = key_is_free(s, u);
    if (st == ST_OK)
        st = versions_as_expected(s, u);
    return st;
}

enum status
unit_write(struct store *s, struct store_unit *u)
{
    enum status st     = preconditions(s, u);
    bool        sliced = u->inbox != NULL && any_slice(u);

    if (st == ST_OK && u->inbox != NULL)
        st = inbox_write(s, u, sliced);
    for (size_t i = 0; i < u->resource_count && st == ST_OK; i++)
        st = resource_write(s, u, &u->resources[i]);
    for (size_t i = 0; i < u->outbox_count && st == ST_OK; i++)
        st = outbox_insert(s, &u->outbox[i], u->inbox != NULL ? u->inbox->id : 0, !sliced);
    for (size_t i = 0; i < u->delivery_count && st == ST_OK; i++)
        st = delivery_write(s, &u->deliveries[i]);
    for (size_t i = 0; i < u->record_count && st == ST_OK; i++)
        st = ledger_rows_append(s, &u->records[i]);
    if (st == ST_OK && u->finish != NULL)
        u->finish(u);
    if (st == ST_OK && u->answer != NULL)
        st = answer_write(s, u->answer);
    u->consent_generation = (uint64_t)s->now.generation;
    return st;
}
