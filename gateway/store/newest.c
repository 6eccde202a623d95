/* gateway/store/newest.c -- leaves of both logs, newest first.
 *
 * By the index ledger_leaf_at, which holds what is peeked at; of one patient by the late index, whose few leaves
 * are put in order.
 */
#include "gateway/store/sqlite.h"

enum column { COLUMN_POSITION = 0, COLUMN_AT, COLUMN_KIND, COLUMN_RECIPIENT };

#define PEEKED "SELECT position, at, kind, recipient FROM ledger_leaf"
/* One bound above, the lower of the page and of the time: of two SQLite would seek by one and step over the rest. */
#define WITHIN " (at, position) < (?1, ?2) AND at >= ?3 ORDER BY at DESC, position DESC"

static const char of_anybody[] = PEEKED " INDEXED BY ledger_leaf_at WHERE" WITHIN;

/* What the late index knows, and the rows behind its two marks. */
static const char of_patient[] =
    PEEKED " NOT INDEXED WHERE position IN (SELECT value FROM lookup WHERE kind = ?5 AND key = ?6"
    " UNION ALL SELECT position FROM ledger_leaf WHERE position >= ?7 AND position < ?8"
    " UNION ALL SELECT position FROM ledger_leaf WHERE position >= ?9 AND position < ?10)"
    " AND (patient = ?4 OR EXISTS (SELECT 1 FROM ledger_subject s WHERE s.position = ledger_leaf.position AND s.patient = ?4)) AND"
    WITHIN;

_Static_assert(LEDGER_LOGS == 2, "of_patient has the rows behind two marks");

static enum status
bind_patient(struct store *s, sqlite3_stmt *q, struct span patient)
{
    bind_text(q, 4, patient);
    (void)sqlite3_bind_int(q, 5, LATE_PATIENT);
    (void)sqlite3_bind_int64(q, 6, late_key_patient(patient));
    for (int log = 0; log < LEDGER_LOGS; log++) {
        int64_t     mark = 0;
        enum status st   = side_mark(s, (enum ledger_log)log, &mark);
        if (st != ST_OK)
            return st;
        (void)sqlite3_bind_int64(q, 7 + 2 * log, LEAF_POSITION(log, 0) + mark);
        (void)sqlite3_bind_int64(q, 8 + 2 * log, LEAF_POSITION(log + 1, 0));
    }
    return ST_OK;
}

static sqlite3_stmt *
asked(struct store *s, const struct store_newest *n)
{
    sqlite3_stmt *q = NULL;

    if (sqlite3_prepare_v2(s->side, span_empty(n->patient) ? of_anybody : of_patient, -1, &q, NULL) != SQLITE_OK)
        return NULL;
    bool page = n->before.at_ms <= n->to_ms;
    (void)sqlite3_bind_int64(q, 1, page ? n->before.at_ms : n->to_ms);
    (void)sqlite3_bind_int64(q, 2, page ? n->before.position : INT64_MAX);
    (void)sqlite3_bind_int64(q, 3, n->from_ms);
    if (!span_empty(n->patient) && bind_patient(s, q, n->patient) != ST_OK) {
        (void)sqlite3_finalize(q);
        return NULL;
    }
    return q;
}

/* The whole leaf of a row that was peeked at; *on: it was taken. */
static enum status
take(struct store *s, struct store_newest *n, enum ledger_log log, int64_t position, bool *on)
{
    sqlite3_stmt      *q  = side_kept(s, SIDE_LEAF);
    enum status        st = ST_UNAVAILABLE;
    struct ledger_leaf leaf;

    if (q == NULL)
        return st;
    (void)sqlite3_bind_int64(q, 1, position);
    if (sqlite3_step(q) == SQLITE_ROW) {
        st = side_leaf(q, log, &leaf) ? ST_OK : ST_INTEGRITY;
        if (st == ST_OK)
            *on = n->take(log, &leaf, n->arg);
    }
    (void)sqlite3_reset(q);
    return st;
}

static enum status
walk(struct store *s, sqlite3_stmt *q, struct store_newest *n)
{
    int         code;
    bool        on = true;
    enum status st = ST_OK;

    for (uint32_t looked = 0; (code = sqlite3_step(q)) == SQLITE_ROW; looked++) {
        struct leaf_place  here = { sqlite3_column_int64(q, COLUMN_AT), sqlite3_column_int64(q, COLUMN_POSITION) };
        enum ledger_log    log  = (enum ledger_log)((uint64_t)here.position >> 56);
        struct ledger_leaf leaf = { .index = (uint64_t)(here.position - LEAF_POSITION(log, 0)), .at_ms = here.at_ms,
                                    .kind = column_span(q, COLUMN_KIND), .recipient = column_span(q, COLUMN_RECIPIENT) };
        if (looked < n->most && n->peek(log, &leaf, n->arg))
            st = take(s, n, log, here.position, &on);
        n->more = !on || looked == n->most;
        if (st != ST_OK || n->more)
            return st;
        n->end = here;
    }
    return code == SQLITE_DONE ? ST_OK : ST_UNAVAILABLE;
}

enum status
store_ledger_newest(struct store *s, struct store_newest *n)
{
    enum status st = ST_UNAVAILABLE;

    n->end  = n->before;
    n->more = false;
    (void)pthread_mutex_lock(&s->side_lock);
    sqlite3_stmt *q = asked(s, n);
    if (q != NULL)
        st = walk(s, q, n);
    (void)sqlite3_finalize(q);
    (void)pthread_mutex_unlock(&s->side_lock);
    return st;
}
