/* gateway/store/vouch.c -- rows that people rely on are vouched for by the log.
 *
 * Papers, items of the review queue and acts about them, where a patient's Consents are, what stands of them and who is
 * linked are rows that a database tool can change.  Whoever writes one says so here, and the unit ends with a record of
 * kind `rows` in the log of denials: of each row its table, number, digest (or that it is gone), and the digest of
 * what stood there before.
 * Verifying goes along these (ledger/verify_rows.c): a row that nobody wrote, that was
 * changed or taken away, is found by any of its columns, also one that was changed before the
 * store wrote the row again and so vouched for it.
 *
 * The digest of a row: SHA-256 over its columns in order, each as "<length>:<name><length>:<value>",
 * numbers in decimal.  A column that is empty ('', or the number 0) is left out, so that
 * a column that comes with a later schema leaves the digests of before as they are.
 */
#include <stdio.h>
#include <string.h>

#include "gateway/ledger/record.h"
#include "gateway/store/sqlite.h"

enum { ROWS_A_RECORD = 4096 };

static const struct {
    const char    *name, *all;
    enum statement one;
} tables[VOUCHED_TABLES] = {
    [VOUCHED_FILING] = { "filing", "SELECT number, 'paper ' || id || ', version ' || version, * FROM filing ORDER BY number",
                         SQL_ROW_FILING },
    [VOUCHED_REVIEW] = { "review", "SELECT id, 'review, item ' || id, * FROM review ORDER BY id", SQL_ROW_REVIEW },
    [VOUCHED_REVIEW_ACT] = { "review_act", "SELECT id, 'review, act ' || id, * FROM review_act ORDER BY id",
                             SQL_ROW_REVIEW_ACT },
    [VOUCHED_CONSENT] = { "consent", "SELECT number, 'consent, row ' || number, * FROM consent ORDER BY number", SQL_ROW_CONSENT },
    [VOUCHED_STANDING] = { "standing", "SELECT number, 'standing, row ' || number, * FROM standing ORDER BY number",
                           SQL_ROW_STANDING },
    [VOUCHED_LINK] = { "patient_link", "SELECT number, 'patient_link, row ' || number, * FROM patient_link ORDER BY number",
                       SQL_ROW_LINK },
};

const char *
store_vouched_name(enum vouched_table table)
{
    return (unsigned)table < VOUCHED_TABLES ? tables[table].name : "";
}

/* ---- digests ------------------------------------------------------------------------------ */

static void
part_add(struct digest *d, const void *bytes, int length)
{
    char prefix[16];
    int  n = snprintf(prefix, sizeof prefix, "%d:", length);

    digest_add(d, prefix, (size_t)n);
    if (length > 0)
        digest_add(d, bytes, (size_t)length);
}

static void
row_digest(struct digest *d, sqlite3_stmt *q, int from, struct ledger_hash *out)
{
    digest_begin(d);
    for (int i = from; i < sqlite3_column_count(q); i++) {
        const char *name  = sqlite3_column_name(q, i);
        bool        count = sqlite3_column_type(q, i) == SQLITE_INTEGER;
        const void *value = sqlite3_column_text(q, i);
        int         size  = sqlite3_column_bytes(q, i);
        if (size == 0 || (count && size == 1 && memcmp(value, "0", 1) == 0))
            continue;
        part_add(d, name, (int)strlen(name));
        part_add(d, value, size);
    }
    digest_end(d, out);
}

static enum status
one_digest(struct store *s, enum vouched_table table, int64_t id, struct ledger_hash *out)
{
    sqlite3_stmt *q = s->statement[tables[table].one];

    (void)sqlite3_bind_int64(q, 1, id);
    enum status st = sql_row(s, tables[table].one);
    if (st != ST_OK)
        return st;
    row_digest(s->digest, q, 0, out);
    sql_reset(s, tables[table].one);
    return ST_OK;
}

/* ---- what a unit writes --------------------------------------------------------------------- */

static enum status
add(struct store *s, const struct record_row *row)
{
    struct vouching *v = &s->vouching;

    if (v->count == v->room) {
        size_t larger = v->room > 0 ? v->room * 2 : 16;
        v->rows = arena_grow(s->vouched, v->rows, v->room * sizeof *v->rows, larger * sizeof *v->rows);
        v->room = larger;
    }
    if (v->rows == NULL)
        return ST_NO_MEMORY;
    v->rows[v->count++] = *row;
    return ST_OK;
}

void
vouching_begin(struct store *s)
{
    s->vouching = (struct vouching){ .rows = NULL };
}

enum status
vouching_new(struct store *s, enum vouched_table table)
{
    return add(s, &(struct record_row){ .table = tables[table].name, .which = table,
                                        .id = sqlite3_last_insert_rowid(s->db) });
}

enum status
vouching_before(struct store *s, enum vouched_table table, int64_t id)
{
    struct record_row row = { .table = tables[table].name, .which = table, .id = id, .was_there = true };

    for (size_t i = s->vouching.count; i-- > 0;)
        if (s->vouching.rows[i].id == id && s->vouching.rows[i].which == table)
            return ST_OK;                /* what stood before this unit is known */
    enum status st = one_digest(s, table, id, &row.was);
    return st == ST_OK ? add(s, &row) : st;
}

enum status
vouching_named(struct store *s, enum vouched_table table, enum statement number, struct span one, struct span two, bool *there)
{
    sqlite3_stmt *q = s->statement[number];

    bind_text(q, 1, one);
    bind_text(q, 2, two);
    enum status st = sql_row(s, number);
    *there = st == ST_OK;
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_OK : st;
    int64_t id = sqlite3_column_int64(q, 0);
    sql_reset(s, number);
    return vouching_before(s, table, id);
}

static enum status
record_append(struct store *s, const struct record_row *rows, size_t count, uint64_t first)
{
    struct ledger_entry entry;
    struct disclosure   d = { .kind = RECORD_ROWS, .event_id = record_event_id(s->temp, s->clock_ms),
                              .decision_ms = s->clock_ms, .rows = rows, .row_count = count, .rows_first = first,
                              .rows_tables = VOUCHED_TABLES };
    enum status         st = record_author(&d, s->temp, &entry);

    return st == ST_OK ? ledger_rows_append(s, &entry) : st;
}

static enum status
records_append(struct store *s, uint64_t first)
{
    struct vouching *v  = &s->vouching;
    enum status      st = ST_OK;

    for (size_t from = 0; from < v->count && st == ST_OK; from += ROWS_A_RECORD) {
        size_t count = v->count - from < ROWS_A_RECORD ? v->count - from : ROWS_A_RECORD;
        st           = record_append(s, v->rows + from, count, first);
    }
    return st;
}

enum status
vouching_end(struct store *s)
{
    struct vouching *v  = &s->vouching;
    enum status      st = ST_OK;

    for (size_t i = 0; i < v->count && st == ST_OK; i++) {
        st = one_digest(s, v->rows[i].which, v->rows[i].id, &v->rows[i].now);
        v->rows[i].gone = st == ST_NOT_FOUND;
        st = v->rows[i].gone ? ST_OK : st;
    }
    return st == ST_OK ? records_append(s, 0) : st;
}

/* ---- rows of before --------------------------------------------------------------------------- */

static enum status
first_of(struct store *s, enum vouched_table table)
{
    sqlite3_stmt *q    = NULL;
    enum status   st   = ST_OK;
    int           code = sqlite3_prepare_v2(s->db, tables[table].all, -1, &q, NULL);

    while (code == SQLITE_OK && st == ST_OK && sqlite3_step(q) == SQLITE_ROW) {
        struct record_row row = { .table = tables[table].name, .which = table, .id = sqlite3_column_int64(q, 0) };
        row_digest(s->digest, q, 2, &row.now);
        st = add(s, &row);
    }
    if (code == SQLITE_OK)
        code = sqlite3_finalize(q);
    return st == ST_OK && code != SQLITE_OK ? sql_failed(s, code) : st;
}

enum status
vouching_first(struct store *s, unsigned from)
{
    enum status st = ST_OK;

    vouching_begin(s);
    for (unsigned table = from; table < VOUCHED_TABLES && st == ST_OK; table++)
        st = first_of(s, (enum vouched_table)table);
    return st == ST_OK ? records_append(s, s->vouching.count) : st;
}

/* ---- reading at once ---------------------------------------------------------------------------- */

enum status
store_vouched_visit(struct store *s, enum vouched_table table, vouched_visitor *visit, void *arg)
{
    struct digest *d    = digest_new();
    sqlite3_stmt  *q    = NULL;
    int            code = SQLITE_ERROR;

    (void)pthread_mutex_lock(&s->side_lock);
    if (d != NULL && sqlite3_prepare_v2(s->side, tables[table].all, -1, &q, NULL) == SQLITE_OK)
        while ((code = sqlite3_step(q)) == SQLITE_ROW) {
            struct store_vouched row = { .id = sqlite3_column_int64(q, 0), .words = column_span(q, 1) };
            row_digest(d, q, 2, &row.digest);
            if (!visit(&row, arg))
                break;
        }
    (void)sqlite3_finalize(q);
    (void)pthread_mutex_unlock(&s->side_lock);
    digest_free(&d);
    return code == SQLITE_DONE || code == SQLITE_ROW ? ST_OK : ST_UNAVAILABLE;
}
