/* gateway/store/sound.c -- the store says the same to whoever asks, by whatever way.
 *
 * A verifier goes along a table; the gateway asks an index, compares with a text or a number, and lets
 * triggers run.  Someone with a database tool can make the two see different things without
 * changing what stands in a row:
 *
 *   an index from which a row was left out         PRAGMA integrity_check of the table
 *   the same bytes as another type ('1' as a       each value has the type that its column
 *   blob is no 1, and no text is found by it)      declares (no column of these may be NULL)
 *   a trigger, a view, an index of their own       the schema is the one that our steps make
 *
 * The schema is compared in all tables, the rest in those that `log verify` compares.
 */
#include <stdio.h>
#include <string.h>

#include "gateway/store/migrations.h"
#include "gateway/store/sqlite.h"

/* sqlite_stat: what ANALYZE leaves, which orders nothing that we ask. */
#define OBJECTS "SELECT type || ' ' || name, tbl_name, coalesce(sql, '') FROM sqlite_schema" \
                " WHERE name NOT GLOB 'sqlite_stat[0-9]' ORDER BY 1"

enum { WORDS_BYTES = 256, COLUMNS_BYTES = 2048 };

static const char *const tables[] = { "filing", "review", "review_act", "consent", "standing", "patient_link", "ledger_leaf", "ledger_subject", "ledger_tile",
                                      "ledger_log", "ledger_past" };

struct sound { sqlite3 *db, *own; sound_visitor *visit; void *arg; };

static void
tell(const struct sound *s, const char *what, const char *of, const char *words)
{
    char text[WORDS_BYTES];
    int  n = snprintf(text, sizeof text, "%s %.100s: %.120s", what, of, words);

    s->visit(span_from(text, n > 0 && (size_t)n < sizeof text ? (size_t)n : strlen(text)), s->arg);
}

/* ---- schema ------------------------------------------------------------------------------- */

static const char *
name_of(sqlite3_stmt *q, int code)
{
    return code == SQLITE_ROW ? (const char *)sqlite3_column_text(q, 0) : NULL;
}

static int
order_of(const char *a, const char *b)
{
    return a == NULL ? 1 : b == NULL ? -1 : strcmp(a, b);
}

static bool
same_column(sqlite3_stmt *a, sqlite3_stmt *b, int column)
{
    return strcmp((const char *)sqlite3_column_text(a, column), (const char *)sqlite3_column_text(b, column)) == 0;
}

/* Two sorted lists side by side. */
static int
schemas_walk(const struct sound *s, sqlite3_stmt *is, sqlite3_stmt *ours)
{
    int is_code = sqlite3_step(is), our_code = sqlite3_step(ours);

    while (is_code == SQLITE_ROW || our_code == SQLITE_ROW) {
        const char *there = name_of(is, is_code), *wanted = name_of(ours, our_code);
        int         order = order_of(there, wanted);
        if (order < 0)
            tell(s, "schema,", there, "no Sluice made it");
        else if (order > 0)
            tell(s, "schema,", wanted, "it was taken away");
        else if (!same_column(is, ours, 1) || !same_column(is, ours, 2))
            tell(s, "schema,", there, "it was changed");
        if (order <= 0)
            is_code = sqlite3_step(is);
        if (order >= 0)
            our_code = sqlite3_step(ours);
    }
    return is_code == SQLITE_DONE ? our_code : is_code;
}

static int
schema_compare(const struct sound *s)
{
    sqlite3_stmt *is = NULL, *ours = NULL;
    int           code = sqlite3_prepare_v2(s->db, OBJECTS, -1, &is, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(s->own, OBJECTS, -1, &ours, NULL);
    if (code == SQLITE_OK)
        code = schemas_walk(s, is, ours);
    (void)sqlite3_finalize(is);
    (void)sqlite3_finalize(ours);
    return code;
}

/* ---- tables ------------------------------------------------------------------------------- */

static int
indexes_check(const struct sound *s, const char *table)
{
    char          text[WORDS_BYTES];
    sqlite3_stmt *q = NULL;
    int           code;

    (void)sqlite3_snprintf(sizeof text, text, "PRAGMA integrity_check(%s)", table);
    code = sqlite3_prepare_v2(s->db, text, -1, &q, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(q);
        if (code == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(q, 0), "ok") != 0)
            tell(s, "table", table, (const char *)sqlite3_column_text(q, 0));
    }
    (void)sqlite3_finalize(q);
    return code;
}

/* "a,typeof(a) <> 'text' ..." of the columns that our own schema declares TEXT or INTEGER. */
static int
types_query(const struct sound *s, const char *table, char *text, size_t size)
{
    sqlite3_stmt *q    = NULL;
    int           code = sqlite3_prepare_v2(s->own, "SELECT group_concat(printf('typeof(\"%w\") <> %Q', name, lower(type)), ' OR ')"
                                            " FROM pragma_table_info(?1) WHERE type IN ('TEXT', 'INTEGER')", -1, &q, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_bind_text(q, 1, table, -1, SQLITE_STATIC);
    if (code == SQLITE_OK && (code = sqlite3_step(q)) == SQLITE_ROW)
        (void)sqlite3_snprintf((int)size, text, "SELECT count(*) FROM %s WHERE %s", table, sqlite3_column_text(q, 0));
    (void)sqlite3_finalize(q);
    return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int
types_check(const struct sound *s, const char *table)
{
    char          text[COLUMNS_BYTES], words[WORDS_BYTES];
    sqlite3_stmt *q    = NULL;
    int           code = types_query(s, table, text, sizeof text);

    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(s->db, text, -1, &q, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(q)) == SQLITE_ROW && sqlite3_column_int64(q, 0) > 0) {
        (void)sqlite3_snprintf(sizeof words, words, "%lld rows hold a value of another type than their column, so that it is not"
                               " found by what it says", sqlite3_column_int64(q, 0));
        tell(s, "table", table, words);
    }
    (void)sqlite3_finalize(q);
    return code == SQLITE_ROW ? SQLITE_DONE : code;
}

/* Without it the next start would vouch for every row as it is. */
static int
vouched_check(const struct sound *s)
{
    sqlite3_stmt *q    = NULL;
    int           code = sqlite3_prepare_v2(s->db, "SELECT count(*) FROM meta WHERE name = 'rows'"
                                            " AND CAST(value AS TEXT) = '" STORE_ROWS_ALL "'", -1, &q, NULL);

    if (code == SQLITE_OK && (code = sqlite3_step(q)) == SQLITE_ROW && sqlite3_column_int64(q, 0) != 1)
        tell(s, "table", "meta", "it does not say that the rows are vouched for: it was changed, or the gateway was not started since");
    (void)sqlite3_finalize(q);
    return code == SQLITE_ROW ? SQLITE_DONE : code;
}

/* ---- all ---------------------------------------------------------------------------------- */

static enum status
own_schema(sqlite3 **own)
{
    char       room[WORDS_BYTES];
    struct buf why = { .at = room, .capacity = sizeof room, .max = sizeof room };

    return sqlite3_open(":memory:", own) == SQLITE_OK ? migrations_run(*own, &why) : ST_NO_MEMORY;
}

enum status
store_sound_visit(struct store *store, sound_visitor *visit, void *arg)
{
    struct sound s    = { .visit = visit, .arg = arg };
    enum status  st   = own_schema(&s.own);
    int          code = SQLITE_DONE;

    (void)pthread_mutex_lock(&store->side_lock);
    s.db = store->side;
    if (st == ST_OK)
        code = schema_compare(&s);
    if (st == ST_OK && code == SQLITE_DONE)
        code = vouched_check(&s);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && st == ST_OK && code == SQLITE_DONE; i++) {
        code = indexes_check(&s, tables[i]);
        if (code == SQLITE_DONE)
            code = types_check(&s, tables[i]);
    }
    (void)pthread_mutex_unlock(&store->side_lock);
    (void)sqlite3_close(s.own);
    return st == ST_OK && code != SQLITE_DONE ? ST_UNAVAILABLE : st;
}
