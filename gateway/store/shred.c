/* gateway/store/shred.c -- destroying records of the ledger that nobody has to keep any more.
 *
 * Salt, record and every copy beside it go, with the patients and the index entries that it was found by: what
 * stays is its place, its time, its kind and its commitment, which no proof can do without.  SQLite overwrites what was deleted.
 */
#include "gateway/store/sqlite.h"

/* What verifying and the rows of other tables rest on stays (ledger/verify.h, V9 to V11); so does what says what was destroyed. */
static bool
may_go(struct span kind)
{
    return span_eq_text(kind, "disclosure") || span_eq_text(kind, "void") || span_eq_text(kind, "denial") || span_eq_text(kind, "reading");
}

static enum status
lookup_drop(struct store *s, enum late_kind kind, int64_t key, int64_t position)
{
    sqlite3_stmt *q = s->statement[SQL_LOOKUP_DELETE];

    (void)sqlite3_bind_int(q, 1, (int)kind);
    (void)sqlite3_bind_int64(q, 2, key);
    (void)sqlite3_bind_int64(q, 3, position);
    return sql_run(s, SQL_LOOKUP_DELETE);
}

/* Its other patients, and that it was found by them. */
static enum status
subjects_drop(struct store *s, int64_t position)
{
    struct span  *all   = NULL;
    uint32_t      count = 0, room = 0;
    sqlite3_stmt *q     = s->statement[SQL_SUBJECTS_OF];
    int           code;

    (void)sqlite3_bind_int64(q, 1, position);
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        all = arena_more(s->temp, all, count, &room, sizeof *all);
        if (all == NULL)
            break;
        all[count++] = column_copy(q, 0, s->temp);
    }
    sql_reset(s, SQL_SUBJECTS_OF);
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        return sql_failed(s, code);
    if (arena_spent(s->temp))
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        enum status st = lookup_drop(s, LATE_PATIENT, late_key_patient(all[i]), position);
        if (st != ST_OK)
            return st;
    }
    (void)sqlite3_bind_int64(s->statement[SQL_SUBJECTS_DROP], 1, position);
    return sql_run(s, SQL_SUBJECTS_DROP);
}

static enum status
leaf_drop(struct store *s, const struct store_shred *leaf)
{
    int64_t       position = LEAF_POSITION(leaf->log, leaf->index);
    sqlite3_stmt *q        = s->statement[SQL_LEAF_KEYS];

    if ((int64_t)leaf->index >= s->durable.late_leaf[leaf->log])
        return ST_CONFLICT;              /* the index would be written behind it */
    (void)sqlite3_bind_int64(q, 1, position);
    enum status st = sql_row(s, SQL_LEAF_KEYS);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_MALFORMED : st;
    bool    good    = may_go(column_span(q, 0)) && sqlite3_column_int(q, 3) != 0;
    int64_t event   = late_key_event(column_span(q, 1));
    int64_t patient = late_key_patient(column_span(q, 2));
    sql_reset(s, SQL_LEAF_KEYS);
    if (!good)
        return ST_MALFORMED;
    st = lookup_drop(s, LATE_EVENT, event, position);
    if (st == ST_OK)
        st = lookup_drop(s, LATE_PATIENT, patient, position);
    if (st == ST_OK)
        st = subjects_drop(s, position);
    if (st != ST_OK)
        return st;
    (void)sqlite3_bind_int64(s->statement[SQL_LEAF_DROP], 1, position);
    return sql_run(s, SQL_LEAF_DROP);
}

enum status
shreds_write(struct store *s, const struct store_unit *u)
{
    enum status st = ST_OK;

    (void)sqlite3_exec(s->db, "PRAGMA secure_delete = ON", NULL, NULL, NULL);
    for (size_t i = 0; i < u->shred_count && st == ST_OK; i++) {
        struct arena_mark mark = arena_mark(s->temp);
        st = leaf_drop(s, &u->shreds[i]);
        arena_reset(s->temp, mark);
    }
    (void)sqlite3_exec(s->db, "PRAGMA secure_delete = OFF", NULL, NULL, NULL);
    return st;
}
