/* gateway/store/classes.c -- what stored resources are under today's rules (S1 to S5). */
#include "gateway/store/classes.h"

#include "gateway/store/sqlite.h"

/* ---- writing: the store thread ------------------------------------------------- */

enum status
class_epoch_write(struct store *s, int64_t inbox, uint64_t version)
{
    sqlite3_stmt *q = s->statement[SQL_EPOCH_INSERT];

    if (s->now.class_version == (int64_t)version)
        return ST_OK;
    s->now.class_version = (int64_t)version;
    (void)sqlite3_bind_int64(q, 1, inbox);
    (void)sqlite3_bind_int64(q, 2, (int64_t)version);
    return sql_run(s, SQL_EPOCH_INSERT);
}

static enum status
pass_write(struct store *s, const struct store_pass *p)
{
    sqlite3_stmt *q = s->statement[SQL_PASS_WRITE];

    (void)sqlite3_bind_int64(q, 1, (int64_t)p->version);
    (void)sqlite3_bind_int64(q, 2, p->done_to);
    (void)sqlite3_bind_int64(q, 3, p->begun_ms);
    (void)sqlite3_bind_int64(q, 4, p->ended_ms);
    (void)sqlite3_bind_int64(q, 5, (int64_t)p->pushes);
    (void)sqlite3_bind_int64(q, 6, (int64_t)p->resources);
    (void)sqlite3_bind_int64(q, 7, (int64_t)p->changed);
    (void)sqlite3_bind_int64(q, 8, (int64_t)p->confirmed);
    return sql_run(s, SQL_PASS_WRITE);
}

static enum status
clear(struct store *s, int64_t from, int64_t to)
{
    (void)sqlite3_bind_int64(s->statement[SQL_CLASS_CLEAR], 1, from);
    (void)sqlite3_bind_int64(s->statement[SQL_CLASS_CLEAR], 2, to);
    return sql_run(s, SQL_CLASS_CLEAR);
}

static enum status
class_write(struct store *s, const struct store_step *step, const struct store_class *c)
{
    sqlite3_stmt *q  = s->statement[SQL_CLASS_WRITE];
    enum status   st = ST_OK;

    if (!c->as_stored) {
        (void)sqlite3_bind_int64(q, 1, step->inbox);
        (void)sqlite3_bind_int64(q, 2, (int64_t)c->place);
        bind_text(q, 3, c->labels);
        bind_text(q, 4, c->part2);
        st = sql_run(s, SQL_CLASS_WRITE);
    }
    if (st != ST_OK || span_empty(c->was))
        return st;
    q = s->statement[SQL_CONFIRMED_WRITE];
    (void)sqlite3_bind_int64(q, 1, step->inbox);
    (void)sqlite3_bind_int64(q, 2, (int64_t)c->place);
    (void)sqlite3_bind_int64(q, 3, s->clock_ms);
    bind_text(q, 4, c->type);
    bind_text(q, 5, c->id);
    bind_text(q, 6, c->patient);
    bind_text(q, 7, step->request_id);
    bind_text(q, 8, c->was);
    return sql_run(s, SQL_CONFIRMED_WRITE);
}

enum status
class_step_write(struct store *s, const struct store_step *step)
{
    enum status st = ST_OK;

    for (; step != NULL && st == ST_OK; step = step->next) {
        if (step->clear_to >= step->clear_from)
            st = clear(s, step->clear_from, step->clear_to);
        for (size_t i = 0; i < step->count && st == ST_OK; i++)
            st = class_write(s, step, &step->classes[i]);
        if (st == ST_OK)
            st = pass_write(s, &step->pass);
    }
    return st;
}

/* ---- one row, for reads: the store thread ---------------------------------------- */

static enum status
version_of_row(struct store *s, int64_t inbox, uint64_t *version)
{
    enum status st = sql_row(s, SQL_PASS_READ);

    *version = 0;
    if (st == ST_OK) {
        sqlite3_stmt *q = s->statement[SQL_PASS_READ];
        bool done = sqlite3_column_int64(q, 1) >= inbox;
        *version  = (uint64_t)sqlite3_column_int64(q, 0);
        sql_reset(s, SQL_PASS_READ);
        if (done)
            return ST_OK;
    }
    if (st != ST_OK && st != ST_NOT_FOUND)
        return st;
    (void)sqlite3_bind_int64(s->statement[SQL_EPOCH_OF], 1, inbox);
    st       = sql_row(s, SQL_EPOCH_OF);
    *version = 0;
    if (st == ST_OK) {
        *version = (uint64_t)sqlite3_column_int64(s->statement[SQL_EPOCH_OF], 0);
        sql_reset(s, SQL_EPOCH_OF);
    }
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status
class_of_row(struct store *s, int64_t inbox, uint32_t place, struct arena *arena, struct store_row *row)
{
    sqlite3_stmt *q  = s->statement[SQL_CLASS_READ];
    enum status   st = version_of_row(s, inbox, &row->class_version);

    if (st != ST_OK)
        return st;
    (void)sqlite3_bind_int64(q, 1, inbox);
    (void)sqlite3_bind_int64(q, 2, (int64_t)place);
    st = sql_row(s, SQL_CLASS_READ);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_OK : st;
    row->labels = column_copy(q, 0, arena);
    row->part2  = column_copy(q, 1, arena);
    sql_reset(s, SQL_CLASS_READ);
    return arena_status(arena);
}

/* ---- reading at once ----------------------------------------------------------------- */

static sqlite3_stmt *
ask(struct store *s, const char *text, int64_t one, int64_t two)
{
    sqlite3_stmt *q = NULL;

    if (sqlite3_prepare_v2(s->side, text, -1, &q, NULL) != SQLITE_OK)
        return NULL;
    (void)sqlite3_bind_int64(q, 1, one);
    (void)sqlite3_bind_int64(q, 2, two);
    return q;
}

static enum status
answered(int code)
{
    return code == SQLITE_ROW ? ST_OK : code == SQLITE_DONE ? ST_NOT_FOUND : ST_UNAVAILABLE;
}

/* ST_NOT_FOUND: no row, *out untouched. */
static enum status
number_of(struct store *s, const char *text, int64_t one, int64_t two, int64_t *out)
{
    sqlite3_stmt *q  = ask(s, text, one, two);
    int           code = q != NULL ? sqlite3_step(q) : SQLITE_ERROR;

    if (code == SQLITE_ROW && sqlite3_column_type(q, 0) != SQLITE_NULL)
        *out = sqlite3_column_int64(q, 0);
    else if (code == SQLITE_ROW)
        code = SQLITE_DONE;
    (void)sqlite3_finalize(q);
    return answered(code);
}

#define EPOCH_OF    "SELECT version FROM class_epoch WHERE inbox <= ?1 ORDER BY inbox DESC LIMIT 1"
#define EPOCH_AFTER "SELECT inbox FROM class_epoch WHERE inbox > ?1 ORDER BY inbox LIMIT 1"
#define PUSH_AFTER  "SELECT id FROM inbox WHERE id > ?1 ORDER BY id LIMIT 1"
#define PUSH_BEFORE "SELECT id FROM inbox WHERE id < ?1 ORDER BY id DESC LIMIT 1"

/* *id: the next push of another version. */
static enum status
next_id(struct store *s, int64_t after, uint64_t version_now, int64_t *skipped_to, int64_t *id)
{
    *skipped_to = after;
    for (;;) {
        int64_t     version = 0, end = INT64_MAX;
        enum status st = number_of(s, PUSH_AFTER, *skipped_to, 0, id);
        if (st == ST_OK)
            st = number_of(s, EPOCH_OF, *id, 0, &version);
        if (st == ST_NOT_FOUND && version == 0 && *id > *skipped_to)
            st = ST_OK;                  /* from before there were versions */
        if (st != ST_OK || (uint64_t)version != version_now)
            return st;
        st = number_of(s, EPOCH_AFTER, *id, 0, &end);
        if (st == ST_OK || st == ST_NOT_FOUND)
            st = number_of(s, PUSH_BEFORE, end, 0, skipped_to);
        if (st != ST_OK)
            return st;
    }
}

static enum status
push_read(struct store *s, int64_t id, struct arena *arena, struct store_push *out)
{
    sqlite3_stmt *q    = ask(s, "SELECT at, client, request_id, contents, body, patient FROM inbox WHERE id = ?1", id, 0);
    int           code = q != NULL ? sqlite3_step(q) : SQLITE_ERROR;

    if (code == SQLITE_ROW) {
        out->id         = id;
        out->at_ms      = sqlite3_column_int64(q, 0);
        out->client     = column_copy(q, 1, arena);
        out->request_id = column_copy(q, 2, arena);
        out->contents   = column_copy(q, 3, arena);
        out->body       = column_copy(q, 4, arena);
        out->patient    = column_copy(q, 5, arena);
    }
    (void)sqlite3_finalize(q);
    return code == SQLITE_ROW ? arena_status(arena) : answered(code);
}

enum status
store_push_next(struct store *s, int64_t after, uint64_t version_now, struct arena *arena, struct store_push *out)
{
    int64_t id = 0;

    *out = (struct store_push){ .id = 0 };
    (void)pthread_mutex_lock(&s->side_lock);
    enum status st = next_id(s, after, version_now, &out->skipped_to, &id);
    if (st == ST_OK)
        st = push_read(s, id, arena, out);
    (void)pthread_mutex_unlock(&s->side_lock);
    return st;
}

enum status
store_class_read(struct store *s, int64_t inbox, uint32_t place, struct arena *arena, struct store_class *out)
{
    (void)pthread_mutex_lock(&s->side_lock);
    sqlite3_stmt *q = ask(s, "SELECT labels, part2 FROM class_now WHERE inbox = ?1 AND place = ?2", inbox, place);
    int           code = q != NULL ? sqlite3_step(q) : SQLITE_ERROR;
    if (code == SQLITE_ROW) {
        out->labels = column_copy(q, 0, arena);
        out->part2  = column_copy(q, 1, arena);
    }
    (void)sqlite3_finalize(q);
    (void)pthread_mutex_unlock(&s->side_lock);
    return answered(code);
}

enum status
store_blob_read(struct store *s, int64_t blob, struct arena *arena, struct span *out)
{
    (void)pthread_mutex_lock(&s->side_lock);
    sqlite3_stmt *q    = ask(s, "SELECT bytes FROM blob WHERE id = ?1", blob, 0);
    int           code = q != NULL ? sqlite3_step(q) : SQLITE_ERROR;
    if (code == SQLITE_ROW)
        *out = column_copy(q, 0, arena);
    (void)sqlite3_finalize(q);
    (void)pthread_mutex_unlock(&s->side_lock);
    return code == SQLITE_ROW ? arena_status(arena) : answered(code);
}

enum status
store_pass_read(struct store *s, struct store_pass *out)
{
    (void)pthread_mutex_lock(&s->side_lock);
    sqlite3_stmt *q = ask(s, "SELECT version, done_to, begun, ended, pushes, resources, changed, confirmed FROM class_pass", 0, 0);
    int           code = q != NULL ? sqlite3_step(q) : SQLITE_ERROR;
    *out = (struct store_pass){ .version = 0 };
    if (code == SQLITE_ROW)
        *out = (struct store_pass){
            .version   = (uint64_t)sqlite3_column_int64(q, 0),
            .done_to   = sqlite3_column_int64(q, 1),
            .begun_ms  = sqlite3_column_int64(q, 2),
            .ended_ms  = sqlite3_column_int64(q, 3),
            .pushes    = (uint64_t)sqlite3_column_int64(q, 4),
            .resources = (uint64_t)sqlite3_column_int64(q, 5),
            .changed   = (uint64_t)sqlite3_column_int64(q, 6),
            .confirmed = (uint64_t)sqlite3_column_int64(q, 7),
        };
    (void)sqlite3_finalize(q);
    (void)pthread_mutex_unlock(&s->side_lock);
    return code == SQLITE_DONE ? ST_OK : answered(code);
}

/* Epochs are few: those of another version, each from its first push on. */
enum status
store_pass_left(struct store *s, uint64_t version, uint64_t *pushes)
{
    static const char text[] =
        "SELECT coalesce(sum(n), 0) FROM (SELECT e.version AS v, (SELECT count(*) FROM inbox i WHERE i.id >= max(e.inbox, ?1 + 1)"
        " AND i.id < coalesce((SELECT min(f.inbox) FROM class_epoch f WHERE f.inbox > e.inbox), 9223372036854775807)) AS n"
        " FROM (SELECT inbox, version FROM class_epoch UNION ALL SELECT 0, 0) e) WHERE v <> ?2";
    struct store_pass pass;
    int64_t           left = 0;
    enum status       st   = store_pass_read(s, &pass);

    if (st != ST_OK)
        return st;
    (void)pthread_mutex_lock(&s->side_lock);
    st = number_of(s, text, pass.version == version ? pass.done_to : 0, (int64_t)version, &left);
    (void)pthread_mutex_unlock(&s->side_lock);
    *pushes = (uint64_t)left;
    return st;
}

enum status
store_confirmed_visit(struct store *s, confirmed_visitor *visit, void *arg)
{
    (void)pthread_mutex_lock(&s->side_lock);
    sqlite3_stmt *q = ask(s, "SELECT inbox, at, type, id, patient, request_id, was FROM class_confirmed ORDER BY inbox, place", 0, 0);
    int           code = q != NULL ? SQLITE_ROW : SQLITE_ERROR;
    while (code == SQLITE_ROW && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct store_confirmed c = {
            .inbox = sqlite3_column_int64(q, 0), .at_ms = sqlite3_column_int64(q, 1), .type = column_span(q, 2),
            .id = column_span(q, 3), .patient = column_span(q, 4), .request_id = column_span(q, 5), .was = column_span(q, 6),
        };
        if (!visit(&c, arg))
            code = SQLITE_DONE;
    }
    (void)sqlite3_finalize(q);
    (void)pthread_mutex_unlock(&s->side_lock);
    return code == SQLITE_DONE ? ST_OK : ST_UNAVAILABLE;
}
