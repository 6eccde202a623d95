/* gateway/store/unit.c -- what one unit of work writes. */
#include <string.h>

#include "gateway/store/classes.h"
#include "gateway/store/consented.h"
#include "gateway/store/sqlite.h"

/* What a place can point into. */
#define CONTENTS_MAX ((size_t)CONTENTS_ALIGN << PLACE_BITS)

/* ---- what there is --------------------------------------------------------------- */

struct standing {                        /* of one resource id; version 0: never was */
    int64_t     version;
    bool        deleted;
    struct span patient;                 /* in s->temp */
    int64_t     inbox;                   /* that it came with; 0: this unit's */
};

/* An earlier resource of this unit with the same type and id. */
static bool
standing_in_unit(const struct store_unit *u, size_t before, const struct store_resource *r,
                 struct standing *out)
{
    for (size_t i = before; i-- > 0;) {
        const struct store_resource *other = &u->resources[i];
        if (!span_eq(other->type, r->type) || !span_eq(other->id, r->id))
            continue;
        out->version = other->version;
        out->deleted = other->verb == STORE_DELETE;
        out->patient = other->patient;
        return true;
    }
    return false;
}

/* `inbox`: the row that this unit is going to have, whose entries are in the
 * late index before it is there; 0: none yet. */
static enum status
standing_find(struct store *s, const struct store_unit *u, size_t index, int64_t inbox, struct standing *out)
{
    const struct store_resource *r = &u->resources[index];
    struct walk                  w = walk_begin(LATE_RESOURCE, late_key_resource(r->type, r->id));
    struct content               c;
    int64_t                      value, at_ms;
    enum status                  st;

    *out = (struct standing){ .version = 0 };
    while ((st = walk_next(s, &w, &value)) == ST_OK) {
        if (WHERE_INBOX(value) == inbox) {
            if (standing_in_unit(u, index, r, out))
                return ST_OK;
            continue;
        }
        st = stored_content_read(s, value, s->temp, &c, &at_ms);
        if (st != ST_OK)
            return st;
        if (!span_eq(c.type, r->type) || !span_eq(c.id, r->id))
            continue;
        *out = (struct standing){ c.version, c.deleted, c.patient, WHERE_INBOX(value) };
        return ST_OK;
    }
    return st == ST_NOT_FOUND ? ST_OK : st;
}

/* ---- preconditions: all before the first write -------------------------------------- */

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
    if (u->relies_on_review && (uint64_t)s->reviewed > u->consents_as_of)
        return conflict(u, STORE_CONFLICT_CONSENT);
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
    bool        unchanged;
    enum status st = links_unchanged(s, u->consent_patients, u->consent_patient_count, (int64_t)u->consents_as_of, &unchanged);
    return st != ST_OK || unchanged ? st : conflict(u, STORE_CONFLICT_CONSENT);
}

static enum status
key_is_free(struct store *s, struct store_unit *u)
{
    if (u->answer == NULL)
        return ST_OK;
    enum status st = answer_find(s, u->answer->client, u->answer->key);
    if (st == ST_OK) {
        sql_reset(s, SQL_ANSWER_READ);
        return conflict(u, STORE_CONFLICT_KEY);
    }
    return st == ST_NOT_FOUND ? ST_OK : st;
}

/* `refused` of every resource is told, `conflict` is the first. */
static enum status
resource_refused(struct store_unit *u, size_t index, enum store_refusal why)
{
    bool first = true;

    for (size_t i = 0; i < index && first; i++)
        first = u->resources[i].refused == STORE_NOT_REFUSED;
    u->resources[index].refused = why;
    if (first)
        u->conflict = (uint32_t)index;
    return ST_CONFLICT;
}

static bool
version_as_expected(const struct store_resource *r, int64_t version)
{
    if (r->if_version == version || (r->if_version == STORE_ANY_VERSION && version > 0))
        return true;
    for (size_t i = 0; i < r->or_count; i++)
        if (r->or_versions[i] == version)
            return true;
    return false;
}

static enum status
versions_as_expected(struct store *s, struct store_unit *u)
{
    enum status made = ST_OK;

    for (size_t i = 0; i < u->resource_count; i++) {
        struct store_resource *r = &u->resources[i];
        struct standing        now;

        r->refused = STORE_NOT_REFUSED;
        if (r->unless != NULL) {
            enum status fits = condition_match(s, u->inbox != NULL ? u->inbox->client : SPAN(""), r->unless, s->temp);
            r->unless->found_id = (struct span){ NULL, 0 };      /* it was the store's memory */
            if (fits != ST_OK)
                return fits;
            if (r->unless->matches > 0)
                made = resource_refused(u, i, STORE_IS_THERE);
        }
        if (r->if_version == -1)
            continue;
        enum status st = standing_find(s, u, i, 0, &now);
        if (st != ST_OK)
            return st;
        if (!version_as_expected(r, now.deleted ? 0 : now.version))
            made = resource_refused(u, i, STORE_OTHER_VERSION);
    }
    return made;
}

/* Whoever sent what there is now is who sends this. */
static enum status
owned(struct store *s, const struct store_unit *u, const struct standing *now, bool *own)
{
    sqlite3_stmt *q = s->statement[SQL_INBOX_CLIENT];

    *own = now->inbox == 0;
    if (*own)
        return ST_OK;
    (void)sqlite3_bind_int64(q, 1, now->inbox);
    enum status st = sql_row(s, SQL_INBOX_CLIENT);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_INTEGRITY : st;
    *own = u->inbox != NULL && span_eq(column_span(q, 0), u->inbox->client);
    sql_reset(s, SQL_INBOX_CLIENT);
    return ST_OK;
}

/* ---- resources ------------------------------------------------------------------------ */

/* A resource that points into the inbox body is a slice of it. */
static bool
slice_of(struct span body, struct span bytes, struct content *out)
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
blob_insert(struct store *s, struct span bytes, struct content *out)
{
    sqlite3_stmt *q = s->statement[SQL_BLOB_INSERT];

    out->blob   = ++s->now.last_blob;
    out->length = (int64_t)bytes.length;
    (void)sqlite3_bind_int64(q, 1, out->blob);
    bind_blob(q, 2, bytes.at, bytes.length);
    return sql_run(s, SQL_BLOB_INSERT);
}

static enum status
consent_set(struct store *s, struct span patient, struct span id, int64_t where)
{
    sqlite3_stmt *q     = s->statement[SQL_CONSENT_SET];
    bool          there = false;

    if (span_empty(patient))
        return ST_OK;
    consented_add(s->consented, patient);
    enum status st = vouching_named(s, VOUCHED_CONSENT, SQL_CONSENT_NUMBER, patient, id, &there);
    if (st != ST_OK)
        return st;
    bind_text(q, 1, patient);
    bind_text(q, 2, id);
    (void)sqlite3_bind_int64(q, 3, s->now.generation);
    (void)sqlite3_bind_int64(q, 4, WHERE_INBOX(where));
    (void)sqlite3_bind_int64(q, 5, WHERE_PLACE(where));
    st = sql_run(s, SQL_CONSENT_SET);
    return st == ST_OK && !there ? vouching_new(s, VOUCHED_CONSENT) : st;
}

/* Both the patient it is about now and the one it was about before see that
 * their consents changed; reading filters by the patient of the version. */
static enum status
consent_index(struct store *s, const struct store_resource *r, struct span before, int64_t where)
{
    s->now.generation++;
    enum status st = consent_set(s, r->patient, r->id, where);
    if (st == ST_OK && !span_eq(r->patient, before))
        st = consent_set(s, before, r->id, where);
    return st;
}

enum status
standing_set(struct store *s, struct span patient, struct span id, unsigned kind, int64_t where)
{
    sqlite3_stmt *q = s->statement[SQL_STANDING_SET];

    bind_text(q, 1, patient);
    bind_text(q, 2, id);
    (void)sqlite3_bind_int(q, 3, (int)kind);
    (void)sqlite3_bind_int64(q, 4, WHERE_INBOX(where));
    (void)sqlite3_bind_int64(q, 5, WHERE_PLACE(where));
    enum status st = sql_run(s, SQL_STANDING_SET);
    return st == ST_OK && sqlite3_changes(s->db) > 0 ? vouching_new(s, VOUCHED_STANDING) : st;
}

enum status
standing_end(struct store *s, struct span patient, struct span id, unsigned kind)
{
    sqlite3_stmt *q    = s->statement[SQL_STANDING_NUMBERS];
    enum status   st   = ST_OK;
    int           code;

    bind_text(q, 1, id);
    (void)sqlite3_bind_int(q, 2, (int)kind);
    bind_text(q, 3, patient);
    while ((code = sqlite3_step(q)) == SQLITE_ROW && st == ST_OK)
        st = vouching_before(s, VOUCHED_STANDING, sqlite3_column_int64(q, 0));
    (void)sqlite3_reset(q);
    if (st == ST_OK && code != SQLITE_DONE)
        st = sql_failed(s, code);
    if (st != ST_OK)
        return st;
    q = s->statement[SQL_STANDING_END];
    bind_text(q, 1, id);
    (void)sqlite3_bind_int(q, 2, (int)kind);
    bind_text(q, 3, patient);
    return sql_run(s, SQL_STANDING_END);
}

/* In the transaction of the version: there is none between it and what stands of it. */
static enum status
standing_write(struct store *s, const struct store_resource *r, int64_t where)
{
    enum status st = ST_OK;

    bool anew = (r->stands & STORE_STANDS_REFUSES) != 0 && !span_empty(r->patient);
    if (anew || (r->stands & STORE_STANDS_ENDS) != 0)        /* of that patient; nobody's, by identifier alone: of the id */
        st = standing_end(s, r->patient, r->id, STORE_STANDS_REFUSES);
    for (unsigned kind = STORE_STANDS_REFUSES; kind <= STORE_STANDS_REVOKES && st == ST_OK && !span_empty(r->patient); kind <<= 1)
        if ((r->stands & kind) != 0)
            st = standing_set(s, r->patient, r->id, kind, where);
    return st;
}

/* What the unit is writing. */
struct writing {
    struct contents list;
    int64_t            inbox;
    struct span        body;
    bool               sliced;
    bool               refused;          /* a resource of it; found while it was being written */
};

static enum status
resource_write(struct store *s, struct store_unit *u, size_t index, struct writing *w)
{
    struct store_resource *r = &u->resources[index];
    struct standing        before;
    struct content         c  = { r->type, r->id, r->patient, r->labels, r->part2, 0, 0, 0, 0, false,
                                r->identifiers, r->identifier_count };
    enum status            st = standing_find(s, u, index, w->inbox, &before);

    if (st != ST_OK)
        return st;
    bool there = before.version > 0 && !before.deleted, own = true;
    if (there && r->only_own)
        st = owned(s, u, &before, &own);
    if (st != ST_OK)
        return st;
    if (!own) {
        resource_refused(u, index, STORE_OTHER_OWNER);
        w->refused = true;
        return ST_OK;                    /* the others are looked at, and then the unit is out */
    }
    r->version = before.version;
    r->created = r->verb == STORE_PUT && !there;
    if (r->verb == STORE_DELETE && !there)
        return ST_OK;                    /* nothing to delete: nothing is written */
    c.version = ++r->version;
    c.deleted = r->verb == STORE_DELETE;
    if (!c.deleted && slice_of(w->body, r->bytes, &c))
        w->sliced = true;
    else if (!c.deleted)
        st = blob_insert(s, r->bytes, &c);
    s->now.resources += c.deleted ? -1 : r->created;
    int64_t where = WHERE(w->inbox, contents_add(&w->list, &c));
    if (st == ST_OK)
        st = late_add(s->late, LATE_RESOURCE, late_key_resource(r->type, r->id), where);
    for (size_t i = 0; i < r->identifier_count && st == ST_OK; i++)
        st = late_add(s->late, LATE_IDENTIFIER, r->identifiers[i], where);
    if (st == ST_OK && span_eq(r->type, SPAN("Consent")))
        st = consent_index(s, r, before.patient, where);
    if (st == ST_OK && r->stands != 0)
        st = standing_write(s, r, where);
    if (st == ST_OK && !c.deleted && !span_empty(r->links_of))
        st = links_write(s, r);
    if (st == ST_OK && !c.deleted && span_eq(r->type, SPAN("Patient")))
        st = names_write(s, r);
    return st;
}

/* ---- the inbox row ----------------------------------------------------------------------- */

/* The body only where something refers to it. */
static enum status
inbox_insert(struct store *s, const struct store_unit *u, const struct writing *w, struct span contents)
{
    static const struct store_inbox nobody;
    const struct store_inbox       *in = u->inbox != NULL ? u->inbox : &nobody;
    sqlite3_stmt                   *q  = s->statement[SQL_INBOX_INSERT];

    (void)sqlite3_bind_int64(q, 1, w->inbox);
    (void)sqlite3_bind_int64(q, 2, s->clock_ms);
    bind_text(q, 3, in->request_id);
    bind_text(q, 4, in->client);
    bind_text(q, 5, in->bundle_type);
    bind_text(q, 6, in->patient);
    (void)sqlite3_bind_int64(q, 7, s->now.last_outbox + 1);
    (void)sqlite3_bind_int64(q, 8, (int64_t)u->outbox_count);
    bind_blob(q, 9, contents.at, contents.length);
    bind_text(q, 11, in->holder);
    if (w->sliced || u->outbox_count > 0)
        bind_blob(q, 10, in->body.at, in->body.length);
    else
        (void)sqlite3_bind_null(q, 10);
    return sql_run(s, SQL_INBOX_INSERT);
}

static enum status
push_write(struct store *s, struct store_unit *u)
{
    struct writing w    = { .inbox = ++s->now.last_inbox };
    struct span    list = { NULL, 0 };
    enum status    st   = ST_OK;

    if (u->inbox != NULL) {
        u->inbox->id = w.inbox;
        w.body       = u->inbox->body;
    }
    if (u->resource_count > 0) {
        if ((st = names_find(s, u)) != ST_OK)
            return st;
        contents_begin(&w.list, s->list);
        for (size_t i = 0; i < u->resource_count && st == ST_OK; i++) {
            struct arena_mark mark = arena_mark(s->temp);
            st = resource_write(s, u, i, &w);
            arena_reset(s->temp, mark);
        }
        list = contents_end(&w.list);
        if (st == ST_OK && (span_empty(list) || list.length > CONTENTS_MAX))
            st = ST_TOO_LARGE;
    }
    if (st == ST_OK && w.refused)
        st = ST_CANCELLED;
    if (st == ST_OK)
        st = class_epoch_write(s, w.inbox, u->class_version);
    if (st == ST_OK)
        st = inbox_insert(s, u, &w, list);
    for (size_t i = 0; i < u->outbox_count && st == ST_OK; i++)
        st = outbox_insert(s, &u->outbox[i], w.inbox, !w.sliced);
    return st;
}

static enum status
answer_write(struct store *s, const struct store_answer *a)
{
    sqlite3_stmt *q  = s->statement[SQL_ANSWER_INSERT];
    int64_t       id = ++s->now.last_answer;

    (void)sqlite3_bind_int64(q, 1, s->clock_ms);
    bind_text(q, 2, a->client);
    bind_text(q, 3, a->key);
    bind_text(q, 4, a->request_sha256);
    (void)sqlite3_bind_int(q, 5, a->status);
    bind_text(q, 6, a->content_type);
    bind_text(q, 7, a->location);
    bind_blob(q, 8, a->body.at, a->body.length);
    (void)sqlite3_bind_int64(q, 9, id);
    enum status st = sql_run(s, SQL_ANSWER_INSERT);
    return st == ST_OK ? late_add(s->late, LATE_ANSWER, late_key_answer(a->client, a->key), id) : st;
}

/* ---- a unit --------------------------------------------------------------------------------- */

static enum status
preconditions(struct store *s, struct store_unit *u)
{
    enum status st = consents_unchanged(s, u);

    if (st == ST_OK)
        st = filings_unchanged(s, u);
    if (st == ST_OK && u->filing_count > 0)
        st = filings_allowed(s, u);
    if (st == ST_OK)
        st = key_is_free(s, u);
    if (st == ST_OK)
        st = versions_as_expected(s, u);
    if (st == ST_OK && u->review_act != NULL)
        st = review_act_check(s, u->review_act);
    return st;
}

static enum status
parts_write(struct store *s, struct store_unit *u)
{
    enum status st = preconditions(s, u);

    vouching_begin(s);
    if (st == ST_OK && (u->inbox != NULL || u->resource_count > 0 || u->outbox_count > 0))
        st = push_write(s, u);
    if (st == ST_OK && u->filing_count > 0)
        st = filings_write(s, u);
    for (size_t i = 0; i < u->delivery_count && st == ST_OK; i++)
        st = delivery_write(s, &u->deliveries[i]);
    if (st == ST_OK)
        st = class_step_write(s, u->class_step);
    for (size_t i = 0; i < u->review_count && st == ST_OK; i++)
        st = review_write(s, &u->reviews[i], u->inbox != NULL ? u->inbox->id : 0);
    if (st == ST_OK && u->review_act != NULL)
        st = review_act_write(s, u->review_act);
    for (size_t i = 0; i < u->record_count && st == ST_OK; i++)
        st = ledger_rows_append(s, &u->records[i]);
    if (st == ST_OK && u->shred_count > 0)
        st = shreds_write(s, u);
    if (st == ST_OK)
        st = vouching_end(s);
    if (st == ST_OK && u->finish != NULL)
        u->finish(u);
    if (st == ST_OK && u->answer != NULL)
        st = answer_write(s, u->answer);
    u->consent_generation = (uint64_t)s->now.generation;
    return st;
}

enum status
unit_write(struct store *s, struct store_unit *u)
{
    struct arena_mark list = arena_mark(s->list);
    struct arena_mark temp = arena_mark(s->temp), vouched = arena_mark(s->vouched);
    enum status       st   = parts_write(s, u);

    arena_reset(s->list, list);
    arena_reset(s->temp, temp);
    arena_reset(s->vouched, vouched);
    return st;
}
