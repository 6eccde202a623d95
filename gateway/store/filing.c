/* gateway/store/filing.c -- papers on file: what is written of them, and what stands.
 *
 * Most sites have a few that are about nobody in particular (an agreement with a
 * laboratory) and that every decision needs: these are kept in memory as they
 * stood at the last commit.  Those about a patient are read with the patient's
 * Consents, and whoever has none is known by the same filter (consented.h).
 */
#include "consent/paper.h"
#include "gateway/store/consented.h"
#include "gateway/store/sqlite.h"

#define COMMON_BYTES ((size_t)64 << 20)

static struct store_filed
filed_of(sqlite3_stmt *q)
{
    return (struct store_filed){
        .id               = column_span(q, 0),
        .patient          = column_span(q, 1),
        .body             = column_span(q, 2),
        .sha256           = column_span(q, 3),
        .who              = column_span(q, 4),
        .why              = column_span(q, 5),
        .kind             = (unsigned)sqlite3_column_int(q, 6),
        .act              = (enum store_filing_act)sqlite3_column_int(q, 7),
        .version          = sqlite3_column_int64(q, 8),
        .at_ms            = sqlite3_column_int64(q, 9),
        .ended_ms         = sqlite3_column_int64(q, 10),
        .ended_by_patient = sqlite3_column_int(q, 11) != 0,
        .patients         = sqlite3_column_int(q, 12) != 0,
        .reviewed         = sqlite3_column_int(q, 13) != 0,
        .current          = sqlite3_column_int(q, 14) != 0,
    };
}

static struct store_filed
filed_copy(const struct store_filed *f, struct arena *arena)
{
    struct store_filed copy = *f;

    copy.id      = arena_copy(arena, f->id);
    copy.patient = arena_copy(arena, f->patient);
    copy.body    = arena_copy(arena, f->body);
    copy.sha256  = arena_copy(arena, f->sha256);
    copy.who     = arena_copy(arena, f->who);
    copy.why     = arena_copy(arena, f->why);
    return copy;
}

/* Those of one patient, or of nobody in particular, are added to the rows. */
static enum status
list_of(struct store *s, struct span patient, struct arena *arena, struct store_filed **rows, size_t *count,
        size_t *room)
{
    sqlite3_stmt *q  = s->statement[SQL_FILINGS_OF];
    enum status   st = ST_OK;
    int           code;

    bind_text(q, 1, patient);
    while ((code = sqlite3_step(q)) == SQLITE_ROW && st == ST_OK) {
        if (*count == *room) {
            size_t larger = *room > 0 ? *room * 2 : 8;
            *rows = arena_grow(arena, *rows, *room * sizeof **rows, larger * sizeof **rows);
            *room = larger;
        }
        if (*rows != NULL) {
            struct store_filed f = filed_of(q);
            (*rows)[(*count)++]  = filed_copy(&f, arena);
        }
        st = arena_status(arena);
    }
    (void)sqlite3_reset(q);
    return st != ST_OK || code == SQLITE_DONE ? st : sql_failed(s, code);
}

enum status
filings_serve(struct store *s, struct store_consents *c)
{
    enum status st   = ST_OK;
    size_t      room = 0;

    for (size_t i = 0; i < c->everybody_count && st == ST_OK; i++)
        if (consented_may(s->consented, c->everybody[i]))
            st = list_of(s, c->everybody[i], c->arena, &c->filed, &c->filed_count, &room);
    return st;
}

/* ---- what every decision needs --------------------------------------------------------- */

/* Lives in its own arena, and as long as somebody has pinned it. */
struct shelf {
    struct store_shelf view;
    struct arena      *arena;
    _Atomic uint32_t   pins;
};

static void
shelf_unpin(struct shelf *shelf)
{
    if (shelf == NULL || atomic_fetch_sub(&shelf->pins, 1) > 1)
        return;
    struct arena *arena = shelf->arena;
    arena_free(&arena);
}

/* ST_INTEGRITY: one does not read any more, so it is not what was filed. */
static enum status
shelf_fill(struct store *s, struct shelf *shelf)
{
    struct store_filed *rows = NULL;
    size_t              room = 0;
    enum status         st   = list_of(s, SPAN(""), shelf->arena, &rows, &shelf->view.count, &room);
    struct paper       *read = arena_make_n(shelf->arena, shelf->view.count, struct paper);

    for (size_t i = 0; i < shelf->view.count && st == ST_OK && read != NULL; i++)
        if (paper_read((enum paper_kind)rows[i].kind, rows[i].body, shelf->arena, &read[i]) != ST_OK)
            st = ST_INTEGRITY;
    shelf->view.rows   = rows;
    shelf->view.papers = read;
    return st == ST_OK ? arena_status(shelf->arena) : st;
}

/* As it is committed; with an error nothing is known, and then nothing is decided. */
static enum status
common_load(struct store *s)
{
    struct arena *arena = arena_new("papers", COMMON_BYTES);
    struct shelf *shelf = arena != NULL ? arena_make(arena, struct shelf) : NULL;
    enum status   st    = ST_NO_MEMORY;

    if (shelf != NULL) {
        shelf->arena = arena;
        atomic_init(&shelf->pins, 1);
        st = shelf_fill(s, shelf);
    }
    if (st != ST_OK) {
        arena_free(&arena);
        shelf = NULL;
    }
    (void)pthread_mutex_lock(&s->common_lock);
    struct shelf *before = s->common;
    s->common            = shelf;
    atomic_store(&s->common_count, st == ST_OK ? shelf->view.count : 1);
    (void)pthread_mutex_unlock(&s->common_lock);
    shelf_unpin(before);
    s->common_stale = st != ST_OK;
    return st;
}

enum status
store_shelf_pin(struct store *s, const struct store_shelf **out)
{
    enum status st = ST_OK;

    *out = NULL;
    if (atomic_load(&s->common_count) == 0)
        return ST_OK;
    (void)pthread_mutex_lock(&s->common_lock);
    if (s->common == NULL) {
        st = ST_UNAVAILABLE;
    } else if (s->common->view.count > 0) {
        (void)atomic_fetch_add(&s->common->pins, 1);
        *out = &s->common->view;
    }
    (void)pthread_mutex_unlock(&s->common_lock);
    return st;
}

void
store_shelf_unpin(const struct store_shelf **shelf)
{
    if (*shelf != NULL)
        shelf_unpin((struct shelf *)(uintptr_t)*shelf);      /* its first member */
    *shelf = NULL;
}

static enum status
patients_load(struct store *s)
{
    sqlite3_stmt *q = s->statement[SQL_FILING_PATIENTS];
    int           code;

    while ((code = sqlite3_step(q)) == SQLITE_ROW)
        consented_add(s->consented, column_span(q, 0));
    (void)sqlite3_reset(q);
    return code == SQLITE_DONE ? ST_OK : sql_failed(s, code);
}

enum status
filings_load(struct store *s)
{
    enum status st = sql_row(s, SQL_FILING_LAST);

    if (st != ST_OK)
        return st;
    s->filed_last = sqlite3_column_int64(s->statement[SQL_FILING_LAST], 0);
    sql_reset(s, SQL_FILING_LAST);
    if (s->filed_last == 0)
        return ST_OK;
    st = patients_load(s);
    return st == ST_OK ? common_load(s) : st;
}

void
filings_committed(struct store *s)
{
    if (s->common_stale)
        (void)common_load(s);            /* tried again at the next commit */
}

void
filings_free(struct store *s)
{
    shelf_unpin(s->common);
    s->common = NULL;
}

/* ---- preconditions ------------------------------------------------------------------------ */

static enum status
newest_of(struct store *s, struct span patient, int64_t *newest)
{
    sqlite3_stmt *q = s->statement[SQL_FILING_NEWEST];

    bind_text(q, 1, patient);
    enum status st = sql_row(s, SQL_FILING_NEWEST);
    if (st != ST_OK)
        return st;
    int64_t one = sqlite3_column_int64(q, 0);
    sql_reset(s, SQL_FILING_NEWEST);
    *newest = one > *newest ? one : *newest;
    return ST_OK;
}

enum status
filings_unchanged(struct store *s, struct store_unit *u)
{
    int64_t     newest = 0;
    enum status st     = ST_OK;

    if (u->consents_as_of == 0 || s->filed_last <= (int64_t)u->consents_as_of)
        return ST_OK;
    st = newest_of(s, SPAN(""), &newest);
    for (size_t i = 0; i < u->consent_patient_count && st == ST_OK; i++)
        if (consented_may(s->consented, u->consent_patients[i]))
            st = newest_of(s, u->consent_patients[i], &newest);
    if (st != ST_OK || newest <= (int64_t)u->consents_as_of)
        return st;
    u->conflict = STORE_CONFLICT_CONSENT;
    return ST_CONFLICT;
}

/* ST_NOT_FOUND: nothing of this id was ever filed.  The texts are in s->temp. */
static enum status
stands(struct store *s, struct span id, struct store_filed *out)
{
    sqlite3_stmt *q = s->statement[SQL_FILING_CURRENT];

    bind_text(q, 1, id);
    enum status st = sql_row(s, SQL_FILING_CURRENT);
    if (st != ST_OK)
        return st;
    struct store_filed f = filed_of(q);
    *out                 = filed_copy(&f, s->temp);
    sql_reset(s, SQL_FILING_CURRENT);
    return arena_status(s->temp);
}

static enum store_filing_refusal
refusal(const struct store_filing *f, const struct store_filed *now)
{
    bool there = now->version > 0;

    if (f->act == FILING_ADD && there && !f->again)
        return FILING_IS_THERE;
    if (f->act != FILING_ADD && !there)
        return FILING_NOT_THERE;
    if (f->act == FILING_ADD && there && f->kind != now->kind)
        return FILING_OTHER_KIND;
    if (f->act == FILING_ADD && there && !span_eq(f->patient, now->patient))
        return FILING_OTHER_PATIENT;
    if (f->act == FILING_REVIEW && now->kind != PAPER_EMERGENCY)
        return FILING_NEEDS_NONE;
    if (f->act == FILING_END && now->ended_ms <= f->ended_ms)
        return FILING_IS_OVER;
    if (f->act != FILING_REVIEW && there && now->patients && !f->by_patient)
        return FILING_PATIENTS;
    return FILING_NOT_REFUSED;
}

enum status
filings_allowed(struct store *s, struct store_unit *u)
{
    bool good = true;

    for (size_t i = 0; i < u->filing_count; i++) {
        struct store_filing *f   = &u->filings[i];
        struct store_filed   now = { .version = 0 };
        enum status          st  = stands(s, f->id, &now);
        if (st != ST_OK && st != ST_NOT_FOUND)
            return st;
        f->refused = refusal(f, &now);
        good       = good && f->refused == FILING_NOT_REFUSED;
    }
    u->conflict = good ? u->conflict : STORE_CONFLICT_FILING;
    return good ? ST_OK : ST_CONFLICT;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* What the new version is: the paper as it is handed in, or as it stands with its end or its review. */
static struct store_filed
version_of(const struct store *s, const struct store_filing *f, const struct store_filed *now)
{
    struct store_filed next = *now;

    if (f->act == FILING_ADD)
        next = (struct store_filed){ .id = f->id, .patient = f->patient, .body = f->body, .sha256 = f->sha256,
                                     .kind = f->kind, .ended_ms = INT64_MAX, .patients = f->patients };
    if (f->act == FILING_END) {
        next.ended_ms         = f->ended_ms;
        next.ended_by_patient = f->by_patient;
    }
    next.reviewed = f->act == FILING_REVIEW || (f->act == FILING_END && now->reviewed);
    next.act      = f->act;
    next.version  = now->version + 1;
    next.at_ms    = s->clock_ms;
    next.who      = f->who;
    next.why      = f->why;
    return next;
}

static enum status
version_insert(struct store *s, const struct store_filed *v)
{
    sqlite3_stmt *q = s->statement[SQL_FILING_INSERT];

    bind_text(q, 1, v->id);
    (void)sqlite3_bind_int64(q, 2, v->version);
    (void)sqlite3_bind_int(q, 3, (int)v->kind);
    (void)sqlite3_bind_int(q, 4, (int)v->act);
    (void)sqlite3_bind_int64(q, 5, v->at_ms);
    (void)sqlite3_bind_int64(q, 6, s->now.generation);
    bind_text(q, 7, v->patient);
    (void)sqlite3_bind_int64(q, 8, v->ended_ms);
    (void)sqlite3_bind_int(q, 9, v->ended_by_patient);
    (void)sqlite3_bind_int(q, 10, v->patients);
    (void)sqlite3_bind_int(q, 11, v->reviewed);
    bind_text(q, 12, v->sha256);
    bind_text(q, 13, v->who);
    bind_text(q, 14, v->why);
    bind_text(q, 15, v->body);
    enum status st = sql_run(s, SQL_FILING_INSERT);
    return st == ST_OK ? vouching_new(s, VOUCHED_FILING) : st;
}

/* The version that stood is about to be one of the past. */
static enum status
past_vouch(struct store *s, struct span id, int64_t version)
{
    sqlite3_stmt *q = s->statement[SQL_FILING_NUMBER];

    bind_text(q, 1, id);
    (void)sqlite3_bind_int64(q, 2, version);
    enum status st = sql_row(s, SQL_FILING_NUMBER);
    if (st != ST_OK)
        return st;
    int64_t number = sqlite3_column_int64(q, 0);
    sql_reset(s, SQL_FILING_NUMBER);
    return vouching_before(s, VOUCHED_FILING, number);
}

static enum status
filing_write(struct store *s, struct store_filing *f)
{
    struct store_filed now = { .version = 0 };
    enum status        st  = stands(s, f->id, &now);

    if (st != ST_OK && st != ST_NOT_FOUND)
        return st;
    if (st == ST_OK) {
        sqlite3_stmt *q = s->statement[SQL_FILING_PAST];
        st = past_vouch(s, f->id, now.version);
        if (st != ST_OK)
            return st;
        bind_text(q, 1, f->id);
        (void)sqlite3_bind_int64(q, 2, now.version);
        st = sql_run(s, SQL_FILING_PAST);
        if (st != ST_OK)
            return st;
    }
    struct store_filed next = version_of(s, f, &now);
    f->version              = next.version;
    f->kind                 = next.kind;
    if (span_empty(next.patient))
        s->common_stale = true;
    else
        consented_add(s->consented, next.patient);
    return version_insert(s, &next);
}

/* One generation for all of them: they come into effect together. */
enum status
filings_write(struct store *s, struct store_unit *u)
{
    enum status st = ST_OK;

    s->filed_last = ++s->now.generation;
    for (size_t i = 0; i < u->filing_count && st == ST_OK; i++)
        st = filing_write(s, &u->filings[i]);
    return st;
}

/* ---- reading at once -------------------------------------------------------------------------- */

static const char visit_text[] =
    "SELECT id, patient, body, sha256, who, why, kind, act, version, at, ended, by_patient, patients, reviewed,"
    " current FROM filing WHERE (?1 = 0 OR kind = ?1) AND (?2 = '' OR patient = ?2) AND (?3 = '' OR id = ?3)"
    " AND (?4 OR current = 1) ORDER BY iif(?5, id, ''), iif(?5, version, number)";

enum status
store_filed_visit(struct store *s, const struct store_filed_query *query, filed_visitor *visit, void *arg)
{
    sqlite3_stmt *q    = NULL;
    int           code = SQLITE_ERROR;

    (void)pthread_mutex_lock(&s->side_lock);
    if (sqlite3_prepare_v2(s->side, visit_text, -1, &q, NULL) == SQLITE_OK) {
        (void)sqlite3_bind_int(q, 1, (int)query->kind);
        bind_text(q, 2, query->patient);
        bind_text(q, 3, query->id);
        (void)sqlite3_bind_int(q, 4, query->history);
        (void)sqlite3_bind_int(q, 5, query->by_id);
        while ((code = sqlite3_step(q)) == SQLITE_ROW) {
            struct store_filed f = filed_of(q);
            if (!visit(&f, arg))
                break;
        }
    }
    (void)sqlite3_finalize(q);
    (void)pthread_mutex_unlock(&s->side_lock);
    return code == SQLITE_DONE || code == SQLITE_ROW ? ST_OK : ST_UNAVAILABLE;
}
