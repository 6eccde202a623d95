/* gateway/store/tool.c -- reading at once, for the command line and for status. */
#include <string.h>

#include "gateway/store/sqlite.h"

static sqlite3_stmt *
prepare(struct store *s, const char *text)
{
    sqlite3_stmt *q = NULL;

    if (sqlite3_prepare_v2(s->side, text, -1, &q, NULL) != SQLITE_OK)
        return NULL;
    return q;
}

static enum status
ended(int code)
{
    return code == SQLITE_DONE || code == SQLITE_ROW ? ST_OK : ST_UNAVAILABLE;
}

/* ---- the queue ---------------------------------------------------------------------- */

static const char *const state_names[] = { "waiting", "sent", "dead", "parked", "nothing" };
#define STATES ((int)(sizeof state_names / sizeof state_names[0]))

static int
state_of(const char *name)
{
    for (int i = 0; i < STATES; i++) {
        if (strcmp(name, state_names[i]) == 0)
            return i;
    }
    return -1;
}

static void
queue_row_read(sqlite3_stmt *q, struct arena *arena, struct store_queue_row *out)
{
    int state = sqlite3_column_int(q, 3);

    *out = (struct store_queue_row){
        .id              = sqlite3_column_int64(q, 0),
        .recipient       = column_copy(q, 1, arena),
        .patient         = column_copy(q, 2, arena),
        .state           = span_of(state >= 0 && state < STATES ? state_names[state] : "unknown"),
        .reason          = column_copy(q, 4, arena),
        .idempotency_key = column_copy(q, 5, arena),
        .request_id      = column_copy(q, 6, arena),
        .attempts        = (uint32_t)sqlite3_column_int64(q, 7),
        .due_ms          = sqlite3_column_int64(q, 8),
        .created_ms      = sqlite3_column_int64(q, 9),
    };
}

/* state NULL: everything that is not over. */
static const char queue_text[] =
    "SELECT o.id, o.recipient, o.patient, o.state, o.reason, o.idempotency_key, i.request_id, o.attempts,"
    " o.due, o.created FROM outbox o JOIN inbox i ON i.id = o.inbox"
    " WHERE CASE WHEN ?1 < 0 THEN o.state IN (0, 2, 3) ELSE o.state = ?1 END ORDER BY o.id";

static enum status
queue_read(struct store *s, struct arena *arena, int state, struct store_queue_row **rows, size_t *count)
{
    sqlite3_stmt *q    = prepare(s, queue_text);
    size_t        room = 0;
    int           code;

    if (q == NULL)
        return ST_UNAVAILABLE;
    *rows  = NULL;
    *count = 0;
    (void)sqlite3_bind_int(q, 1, state);
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        if (*count == room) {
            size_t larger = room > 0 ? room * 2 : 64;
            *rows = arena_grow(arena, *rows, room * sizeof **rows, larger * sizeof **rows);
            room  = larger;
        }
        if (*rows == NULL)
            break;
        queue_row_read(q, arena, &(*rows)[(*count)++]);
    }
    (void)sqlite3_finalize(q);
    return ended(code) == ST_OK ? arena_status(arena) : ST_UNAVAILABLE;
}

enum status
store_queue_list(struct store *s, struct arena *arena, const char *state, struct store_queue_row **rows,
                 size_t *count)
{
    int wanted = state != NULL ? state_of(state) : -1;

    if (state != NULL && wanted < 0)
        return ST_NOT_FOUND;
    (void)pthread_mutex_lock(&s->side_lock);
    enum status st = queue_read(s, arena, wanted, rows, count);
    (void)pthread_mutex_unlock(&s->side_lock);
    return st;
}

/* ---- counts --------------------------------------------------------------------------- */

static enum status
number(struct store *s, const char *text, uint64_t *out)
{
    sqlite3_stmt *q    = prepare(s, text);
    int           code = q != NULL ? sqlite3_step(q) : SQLITE_ERROR;

    if (code == SQLITE_ROW)
        *out = (uint64_t)sqlite3_column_int64(q, 0);
    (void)sqlite3_finalize(q);
    return ended(code);
}

enum status
store_counts_read(struct store *s, struct store_counts *out)
{
    *out = (struct store_counts){ 0, 0, 0, 0 };
    (void)pthread_mutex_lock(&s->side_lock);
    enum status st = number(s, "SELECT count(*) FROM outbox WHERE state = 0", &out->waiting);
    if (st == ST_OK)
        st = number(s, "SELECT count(*) FROM outbox WHERE state IN (2, 3) AND state = 2", &out->dead);
    if (st == ST_OK)
        st = number(s, "SELECT resources FROM head", &out->resources);
    if (st == ST_OK)
        st = number(s, "SELECT last_inbox FROM head", &out->inbox);
    (void)pthread_mutex_unlock(&s->side_lock);
    return st;
}

/* ---- writing ------------------------------------------------------------------------------------ */

struct waiting {                         /* for the end of a unit */
    struct store_unit unit;
    pthread_mutex_t   lock;
    pthread_cond_t    wake;
    bool              over;
};

static void
on_over(struct task *task)
{
    struct waiting *w = (struct waiting *)(void *)((char *)task - offsetof(struct waiting, unit.done));

    (void)pthread_mutex_lock(&w->lock);
    w->over = true;
    (void)pthread_cond_signal(&w->wake);
    (void)pthread_mutex_unlock(&w->lock);
}

enum status
store_submit_and_wait(struct store *store, struct store_unit *unit)
{
    struct waiting w = { .unit = *unit };

    (void)pthread_mutex_init(&w.lock, NULL);
    (void)pthread_cond_init(&w.wake, NULL);
    w.unit.done.run = on_over;
    store_submit(store, &w.unit);
    (void)pthread_mutex_lock(&w.lock);
    while (!w.over)
        (void)pthread_cond_wait(&w.wake, &w.lock);
    (void)pthread_mutex_unlock(&w.lock);
    (void)pthread_cond_destroy(&w.wake);
    (void)pthread_mutex_destroy(&w.lock);
    *unit = w.unit;
    return unit->status;
}
