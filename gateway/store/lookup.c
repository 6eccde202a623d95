/* gateway/store/lookup.c -- finding through the late index, and writing it. */
#include "gateway/store/sqlite.h"

/* ---- finding --------------------------------------------------------------------------- */

/* So many are read in a fraction of a second; a start does not wait for more. */
#define KNOWN_MOST 1000000

enum status
known_load(struct store *s)
{
    sqlite3_stmt *q     = s->statement[SQL_LOOKUP_KEYS];
    int           count = 0, code;

    (void)sqlite3_bind_int(q, 1, LATE_RESOURCE);
    (void)sqlite3_bind_int(q, 2, KNOWN_MOST);
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        filter_add(s->late->known, (uint64_t)sqlite3_column_int64(q, 0));
        count++;
    }
    (void)sqlite3_reset(q);
    if (count == KNOWN_MOST)
        filter_free(&s->late->known);
    return code == SQLITE_DONE ? ST_OK : sql_failed(s, code);
}

struct walk
walk_begin(enum late_kind kind, int64_t key)
{
    return (struct walk){ .kind = kind, .key = key, .before = INT64_MAX };
}

enum status
walk_next(struct store *s, struct walk *w, int64_t *value)
{
    sqlite3_stmt *q = s->statement[SQL_LOOKUP_FIND];

    if (!late_may(s->late, w->kind, w->key))
        return ST_NOT_FOUND;
    if (!w->in_table && late_next(s->late, w->kind, w->key, &w->at, value))
        return ST_OK;
    w->in_table = true;
    (void)sqlite3_bind_int(q, 1, (int)w->kind);
    (void)sqlite3_bind_int64(q, 2, w->key);
    (void)sqlite3_bind_int64(q, 3, w->before);
    enum status st = sql_row(s, SQL_LOOKUP_FIND);
    if (st != ST_OK)
        return st;
    *value = w->before = sqlite3_column_int64(q, 0);
    sql_reset(s, SQL_LOOKUP_FIND);
    return ST_OK;
}

/* ---- writing behind ------------------------------------------------------------------ */

/* More than a batch of small pushes adds, and twice what this one added: so what
 * is frozen is written before as much waits again. */
#define STEP_AT_LEAST 512u

/* Of LOOKUP_INSERTS: what a statement costs beside its rows is most of one row. */
#define ROWS_AT_ONCE 32u

static enum status
entries_insert(struct store *s, const struct late_entry *e, uint32_t count)
{
    enum statement which = count == ROWS_AT_ONCE ? SQL_LOOKUP_INSERTS : SQL_LOOKUP_INSERT;
    sqlite3_stmt  *q     = s->statement[which];

    for (uint32_t i = 0; i < count; i++) {
        (void)sqlite3_bind_int(q, (int)(3 * i + 1), (int)e[i].kind);
        (void)sqlite3_bind_int64(q, (int)(3 * i + 2), e[i].key);
        (void)sqlite3_bind_int64(q, (int)(3 * i + 3), e[i].value);
    }
    return sql_run(s, which);
}

enum status
late_step(struct store *s)
{
    struct late  *l     = s->late;
    uint32_t      added = l->count - s->late_seen;
    uint32_t      least = STEP_AT_LEAST + 2 * added;
    uint32_t      end   = l->written + least + (ROWS_AT_ONCE - least % ROWS_AT_ONCE);
    enum status   st    = ST_OK;

    s->late_seen = l->count;
    if (l->frozen_count == 0)
        return ST_OK;
    if (end > l->frozen_count)
        end = l->frozen_count;
    for (uint32_t count; l->written < end && st == ST_OK; l->written += count) {
        count = end - l->written >= ROWS_AT_ONCE ? ROWS_AT_ONCE : 1;
        st    = entries_insert(s, &l->frozen[l->written], count);
    }
    if (st == ST_OK && l->written == l->frozen_count) {
        s->now.late_inbox  = s->frozen_marks.last_inbox;
        s->now.late_answer = s->frozen_marks.last_answer;
        for (int log = 0; log < LEDGER_LOGS; log++)
            s->now.late_leaf[log] = s->frozen_marks.late_leaf[log];
    }
    return st;
}

void
late_committed(struct store *s)
{
    if (s->late->frozen_count > 0 && s->late->written == s->late->frozen_count)
        late_frozen_done(s->late);
}

/* Between commits, when memory says what the file says: the marks of what is
 * frozen are those of now. */
void
late_freeze_all(struct store *s)
{
    s->frozen_marks = s->durable;
    for (int log = 0; log < LEDGER_LOGS; log++)
        s->frozen_marks.late_leaf[log] = (int64_t)s->log[log].committed;
    late_freeze(s->late);
    s->late_seen = 0;
}

/* ---- after a start or a failure --------------------------------------------------------- */

struct loading {
    struct late *late;
    int64_t      inbox;
};

static enum status
content_load(const struct content *c, uint32_t place, void *arg)
{
    struct loading *l = arg;

    enum status st = late_add(l->late, LATE_RESOURCE, late_key_resource(c->type, c->id), WHERE(l->inbox, place));

    for (size_t i = 0; i < c->identifier_count && st == ST_OK; i++)
        st = late_add(l->late, LATE_IDENTIFIER, c->identifiers[i], WHERE(l->inbox, place));
    return st;
}

static enum status
inboxes_load(struct store *s)
{
    sqlite3_stmt  *q    = s->statement[SQL_INBOX_LATE];
    struct loading into = { s->late, 0 };
    enum status    st   = ST_OK;
    int            code;

    (void)sqlite3_bind_int64(q, 1, s->durable.late_inbox);
    while ((code = sqlite3_step(q)) == SQLITE_ROW && st == ST_OK) {
        struct arena_mark mark = arena_mark(s->temp);
        into.inbox             = sqlite3_column_int64(q, 0);
        struct span contents   = column_span(q, 1);
        if (!span_empty(contents))
            st = contents_visit(contents, s->temp, content_load, &into);
        arena_reset(s->temp, mark);
    }
    (void)sqlite3_reset(q);
    return st != ST_OK || code == SQLITE_DONE ? st : sql_failed(s, code);
}

static enum status
answers_load(struct store *s)
{
    sqlite3_stmt *q  = s->statement[SQL_ANSWER_LATE];
    enum status   st = ST_OK;
    int           code;

    (void)sqlite3_bind_int64(q, 1, s->durable.late_answer);
    while ((code = sqlite3_step(q)) == SQLITE_ROW && st == ST_OK)
        st = late_add(s->late, LATE_ANSWER, late_key_answer(column_span(q, 1), column_span(q, 2)),
                      sqlite3_column_int64(q, 0));
    (void)sqlite3_reset(q);
    return st != ST_OK || code == SQLITE_DONE ? st : sql_failed(s, code);
}

static enum status
subjects_load(struct store *s, enum ledger_log log)
{
    sqlite3_stmt *q  = s->statement[SQL_SUBJECTS_LATE];
    enum status   st = ST_OK;
    int           code;

    (void)sqlite3_bind_int64(q, 1, LEAF_POSITION(log, (uint64_t)s->durable.late_leaf[log]));
    (void)sqlite3_bind_int64(q, 2, LEAF_POSITION((uint64_t)log + 1, 0));
    while ((code = sqlite3_step(q)) == SQLITE_ROW && st == ST_OK)
        st = late_add(s->late, LATE_PATIENT, late_key_patient(column_span(q, 1)), sqlite3_column_int64(q, 0));
    (void)sqlite3_reset(q);
    return st != ST_OK || code == SQLITE_DONE ? st : sql_failed(s, code);
}

static enum status
leaves_load(struct store *s, enum ledger_log log)
{
    sqlite3_stmt *q  = s->statement[SQL_LEAF_LATE];
    enum status   st = ST_OK;
    int           code;

    (void)sqlite3_bind_int64(q, 1, LEAF_POSITION(log, (uint64_t)s->durable.late_leaf[log]));
    (void)sqlite3_bind_int64(q, 2, LEAF_POSITION((uint64_t)log + 1, 0));
    while ((code = sqlite3_step(q)) == SQLITE_ROW && st == ST_OK) {
        int64_t position = sqlite3_column_int64(q, 0);
        st               = late_add(s->late, LATE_EVENT, late_key_event(column_span(q, 1)), position);
        if (st == ST_OK)
            st = late_add(s->late, LATE_PATIENT, late_key_patient(column_span(q, 2)), position);
    }
    (void)sqlite3_reset(q);
    return st != ST_OK || code == SQLITE_DONE ? st : sql_failed(s, code);
}

enum status
late_load(struct store *s)
{
    late_clear(s->late);
    s->late_seen   = 0;
    enum status st = inboxes_load(s);

    if (st == ST_OK)
        st = answers_load(s);
    for (int log = 0; log < LEDGER_LOGS && st == ST_OK; log++) {
        st = leaves_load(s, (enum ledger_log)log);
        if (st == ST_OK)
            st = subjects_load(s, (enum ledger_log)log);
    }
    s->late_seen = s->late->count;
    return st;
}
