/* gateway/store/tool_review.c -- the review queue read at once, for the command line, status and metrics. */
#include <string.h>

#include "gateway/store/sqlite.h"

static sqlite3_stmt *
prepare(struct store *s, const char *text)
{
    sqlite3_stmt *q = NULL;

    return sqlite3_prepare_v2(s->side, text, -1, &q, NULL) == SQLITE_OK ? q : NULL;
}

static enum status
ended(int code)
{
    return code == SQLITE_DONE || code == SQLITE_ROW ? ST_OK : ST_UNAVAILABLE;
}

const char *
review_state_text(enum review_state state)
{
    static const char *const texts[] = { "open", "released", "refused" };

    return (unsigned)state < sizeof texts / sizeof texts[0] ? texts[state] : "unknown";
}

/* ---- items ------------------------------------------------------------------------------ */

static const char list_text[] =
    "SELECT id, state, finding, at, seen, changed, times, acts, inbox, key, kind, client, recipient, patient, resource,"
    " sha256, rule, citation, because, consent, document, event_id FROM review"
    " WHERE id > ?1 AND (?2 = 0 OR id = ?2) AND (?3 < 0 OR state = ?3) AND (?4 = '' OR kind = ?4)"
    " AND (?5 = '' OR patient = ?5) AND (?6 = '' OR recipient = ?6) ORDER BY id LIMIT ?7";

static void
row_read(sqlite3_stmt *q, struct arena *arena, struct store_review_row *out)
{
    struct store_review *item     = &out->item;
    struct span *const   texts[]  = { &item->key, &item->kind, &item->client, &item->recipient, &item->patient,
                                      &item->resource, &item->sha256, &item->rule, &item->citation, &item->because,
                                      &item->consent, &item->document, &item->event_id };

    *out = (struct store_review_row){
        .id = sqlite3_column_int64(q, 0), .state = (enum review_state)sqlite3_column_int(q, 1),
        .finding = sqlite3_column_int(q, 2), .at_ms = sqlite3_column_int64(q, 3), .seen_ms = sqlite3_column_int64(q, 4),
        .changed_ms = sqlite3_column_int64(q, 5), .times = sqlite3_column_int64(q, 6), .acts = sqlite3_column_int64(q, 7),
        .item.inbox = sqlite3_column_int64(q, 8),
    };
    for (int i = 0; i < (int)(sizeof texts / sizeof texts[0]); i++)
        *texts[i] = column_copy(q, 9 + i, arena);
}

static enum status
list_read(struct store *s, const struct store_review_filter *f, struct arena *arena, struct store_review_row **rows,
          size_t *count)
{
    sqlite3_stmt *q    = prepare(s, list_text);
    size_t        room = 0;
    int           code;

    *rows  = NULL;
    *count = 0;
    if (q == NULL)
        return ST_UNAVAILABLE;
    (void)sqlite3_bind_int64(q, 1, f->after);
    (void)sqlite3_bind_int64(q, 2, f->id);
    (void)sqlite3_bind_int(q, 3, f->state);
    bind_text(q, 4, f->kind);
    bind_text(q, 5, f->patient);
    bind_text(q, 6, f->recipient);
    (void)sqlite3_bind_int64(q, 7, f->limit > 0 ? (int64_t)f->limit : -1);
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        if (*count == room) {
            size_t larger = room > 0 ? room * 2 : 64;
            *rows = arena_grow(arena, *rows, room * sizeof **rows, larger * sizeof **rows);
            room  = larger;
        }
        if (*rows == NULL)
            break;
        row_read(q, arena, &(*rows)[(*count)++]);
    }
    (void)sqlite3_finalize(q);
    return ended(code) == ST_OK ? arena_status(arena) : ST_UNAVAILABLE;
}

enum status
store_review_list(struct store *s, const struct store_review_filter *f, struct arena *arena,
                  struct store_review_row **rows, size_t *count)
{
    (void)pthread_mutex_lock(&s->side_lock);
    enum status st = list_read(s, f, arena, rows, count);
    (void)pthread_mutex_unlock(&s->side_lock);
    return st;
}

/* ---- acts ------------------------------------------------------------------------------- */

static enum status
acts_read(struct store *s, int64_t review, struct arena *arena, struct store_review_did **all, size_t *count)
{
#define ACTS "SELECT at, finding, verb, reviewer, account, role, why, event_id, review FROM review_act"
    sqlite3_stmt *q = prepare(s, review < 0 ? ACTS " ORDER BY id" : ACTS " WHERE review = ?1 ORDER BY id");
#undef ACTS
    size_t        room = 0;
    int           code;

    *all   = NULL;
    *count = 0;
    if (q == NULL)
        return ST_UNAVAILABLE;
    if (review >= 0)
        (void)sqlite3_bind_int64(q, 1, review);
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        if (*count == room) {
            size_t larger = room > 0 ? room * 2 : 8;
            *all = arena_grow(arena, *all, room * sizeof **all, larger * sizeof **all);
            room = larger;
        }
        if (*all == NULL)
            break;
        (*all)[(*count)++] = (struct store_review_did){
            .at_ms = sqlite3_column_int64(q, 0), .finding = sqlite3_column_int(q, 1),
            .verb = column_copy(q, 2, arena), .reviewer = column_copy(q, 3, arena), .account = column_copy(q, 4, arena),
            .review = sqlite3_column_int64(q, 8), .role = column_copy(q, 5, arena), .why = column_copy(q, 6, arena), .event_id = column_copy(q, 7, arena),
        };
    }
    (void)sqlite3_finalize(q);
    return ended(code) == ST_OK ? arena_status(arena) : ST_UNAVAILABLE;
}

enum status
store_review_acts(struct store *s, int64_t review, struct arena *arena, struct store_review_did **all, size_t *count)
{
    (void)pthread_mutex_lock(&s->side_lock);
    enum status st = acts_read(s, review, arena, all, count);
    (void)pthread_mutex_unlock(&s->side_lock);
    return st;
}

/* ---- bytes -------------------------------------------------------------------------------- */

struct wanted {
    struct span  type, id, body;
    int64_t      blob;
    bool         found;
    struct span  bytes;
};

static enum status
look_for(const struct content *c, uint32_t place, void *arg)
{
    struct wanted *w = arg;

    (void)place;
    if (w->found || c->deleted || !span_eq(c->type, w->type) || !span_eq(c->id, w->id))
        return ST_OK;
    w->found = true;
    w->blob  = c->blob;
    if (c->blob != 0)
        return ST_OK;
    if ((uint64_t)c->start + (uint64_t)c->length > w->body.length)
        return ST_INTEGRITY;
    w->bytes = span_from(w->body.at + c->start, (size_t)c->length);
    return ST_OK;
}

static enum status
bytes_read(struct store *s, const struct store_review_row *row, struct arena *arena, struct span *out)
{
    size_t        slash = span_find_byte(row->item.resource, '/');
    struct wanted w     = { .blob = 0 };
    sqlite3_stmt *q     = prepare(s, "SELECT contents, body FROM inbox WHERE id = ?1");
    enum status   st    = ST_NOT_FOUND;

    if (q == NULL || slash == SPAN_NOT_FOUND) {
        (void)sqlite3_finalize(q);
        return q == NULL ? ST_UNAVAILABLE : ST_NOT_FOUND;
    }
    w.type = span_first(row->item.resource, slash);
    w.id   = span_skip(row->item.resource, slash + 1);
    (void)sqlite3_bind_int64(q, 1, row->item.inbox);
    if (sqlite3_step(q) == SQLITE_ROW) {
        w.body = column_span(q, 1);
        st     = contents_visit(column_span(q, 0), arena, look_for, &w);
    }
    *out = arena_copy(arena, w.bytes);
    (void)sqlite3_finalize(q);
    if (st != ST_OK || !w.found || w.blob == 0)
        return st == ST_OK && !w.found ? ST_NOT_FOUND : st;
    q = prepare(s, "SELECT bytes FROM blob WHERE id = ?1");
    if (q == NULL)
        return ST_UNAVAILABLE;
    (void)sqlite3_bind_int64(q, 1, w.blob);
    st   = sqlite3_step(q) == SQLITE_ROW ? ST_OK : ST_INTEGRITY;
    *out = st == ST_OK ? column_copy(q, 0, arena) : (struct span){ NULL, 0 };
    (void)sqlite3_finalize(q);
    return st;
}

enum status
store_review_bytes(struct store *s, const struct store_review_row *row, struct arena *arena, struct span *out)
{
    *out = (struct span){ NULL, 0 };
    (void)pthread_mutex_lock(&s->side_lock);
    enum status st = bytes_read(s, row, arena, out);
    (void)pthread_mutex_unlock(&s->side_lock);
    return st == ST_OK ? arena_status(arena) : st;
}

/* ---- counts --------------------------------------------------------------------------------- */

enum status
store_review_count(struct store *s, review_counter *counter, void *arg)
{
    int code = SQLITE_ERROR;

    (void)pthread_mutex_lock(&s->side_lock);
    sqlite3_stmt *q = prepare(s, "SELECT kind, state, count(*) FROM review INDEXED BY review_state GROUP BY state, kind");
    while (q != NULL && (code = sqlite3_step(q)) == SQLITE_ROW)
        counter(column_span(q, 0), (enum review_state)sqlite3_column_int(q, 1), (uint64_t)sqlite3_column_int64(q, 2), arg);
    (void)sqlite3_finalize(q);
    (void)pthread_mutex_unlock(&s->side_lock);
    return ended(code);
}

enum status
store_review_oldest(struct store *s, uint64_t *open, int64_t *at_ms)
{
    int code = SQLITE_ERROR;

    *open  = 0;
    *at_ms = 0;
    (void)pthread_mutex_lock(&s->side_lock);
    sqlite3_stmt *q = prepare(s, "SELECT count(*), coalesce(min(at), 0) FROM review WHERE state = 0");
    if (q != NULL && (code = sqlite3_step(q)) == SQLITE_ROW) {
        *open  = (uint64_t)sqlite3_column_int64(q, 0);
        *at_ms = sqlite3_column_int64(q, 1);
    }
    (void)sqlite3_finalize(q);
    (void)pthread_mutex_unlock(&s->side_lock);
    return ended(code);
}
