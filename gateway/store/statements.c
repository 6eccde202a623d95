/* gateway/store/statements.c -- prepared statements, binding, and what an SQLite error means. */
#include <unistd.h>

#include "gateway/ops/log.h"
#include "gateway/store/sqlite.h"

#define EXIT_FSYNC_FAILED 70             /* EX_SOFTWARE */

static const char *const texts[SQL_COUNT] = {
#define SQL(id, text) text,
#include "gateway/store/statements.def"
#undef SQL
};

enum status
statements_prepare(struct store *s, struct buf *why)
{
    for (int i = 0; i < SQL_COUNT; i++) {
        if (sqlite3_prepare_v3(s->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statement[i], NULL) !=
            SQLITE_OK) {
            buf_add_format(why, "the store: %s", sqlite3_errmsg(s->db));
            return ST_UNAVAILABLE;
        }
    }
    return ST_OK;
}

void
statements_finalize(struct store *s)
{
    for (int i = 0; i < SQL_COUNT; i++) {
        (void)sqlite3_finalize(s->statement[i]);
        s->statement[i] = NULL;
    }
}

/* SQLITE_STATIC: what is bound outlives the step, and a statement is bound
 * anew before each. */
void
bind_text(sqlite3_stmt *stmt, int at, struct span text)
{
    (void)sqlite3_bind_text64(stmt, at, text.at != NULL ? text.at : "", text.length, SQLITE_STATIC,
                              SQLITE_UTF8);
}

void
bind_blob(sqlite3_stmt *stmt, int at, const void *bytes, size_t length)
{
    (void)sqlite3_bind_blob64(stmt, at, bytes != NULL ? bytes : "", length, SQLITE_STATIC);
}

struct span
column_span(sqlite3_stmt *stmt, int column)
{
    const void *at = sqlite3_column_blob(stmt, column);

    return span_from(at, (size_t)sqlite3_column_bytes(stmt, column));
}

struct span
column_copy(sqlite3_stmt *stmt, int column, struct arena *arena)
{
    return arena_copy(arena, column_span(stmt, column));
}

static bool
is_fsync(int code)
{
    return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

/* The kernel reports a failed fsync once and may have dropped the pages, so a
 * second one that succeeds proves nothing.  Only a restart, which reads the
 * file again, knows what is there. */
static _Noreturn void
fsync_failed(int code)
{
    log_event(LOG_ERROR_LEVEL, "store.fsync_failed", LOG_F_COUNT("sqlite_code", code),
              LOG_F_REASON("the disk refused to make data durable: the process ends"));
    _exit(EXIT_FSYNC_FAILED);
}

enum status
sql_failed(struct store *s, int code)
{
    int extended = sqlite3_extended_errcode(s->db);

    if ((extended & 0xff) != (code & 0xff))
        extended = code;
    if (is_fsync(extended))
        fsync_failed(extended);
    switch (extended & 0xff) {
    case SQLITE_CONSTRAINT:
        return ST_INTEGRITY;
    case SQLITE_TOOBIG:
        return ST_TOO_LARGE;
    default:
        if (s->error == 0)
            s->error = extended;
        return ST_UNAVAILABLE;
    }
}

enum status
sql_run(struct store *s, enum statement which)
{
    int code = sqlite3_step(s->statement[which]);

    (void)sqlite3_reset(s->statement[which]);
    return code == SQLITE_DONE || code == SQLITE_ROW ? ST_OK : sql_failed(s, code);
}

enum status
sql_row(struct store *s, enum statement which)
{
    int code = sqlite3_step(s->statement[which]);

    if (code == SQLITE_ROW)
        return ST_OK;
    (void)sqlite3_reset(s->statement[which]);
    return code == SQLITE_DONE ? ST_NOT_FOUND : sql_failed(s, code);
}

void
sql_reset(struct store *s, enum statement which)
{
    (void)sqlite3_reset(s->statement[which]);
}
