/* gateway/store/tool_ledger.c -- reading the ledger at once, for the command line and for auditors. */
#include <string.h>

#include "gateway/store/ledger_source.h"
#include "gateway/store/migrations.h"
#include "gateway/store/sqlite.h"

static sqlite3_stmt *
prepare(struct store *s, const char *text)
{
    sqlite3_stmt *q = NULL;

    return sqlite3_prepare_v2(s->side, text, -1, &q, NULL) == SQLITE_OK ? q : NULL;
}

sqlite3_stmt *
side_kept(struct store *s, enum side_statement which)
{
    static const char *const texts[SIDE_COUNT] = {
        [SIDE_MARKS]    = "SELECT late_disclosure, late_denial FROM head",
        [SIDE_LOOKUP]   = "SELECT 1 FROM lookup WHERE kind = ?1 AND key = ?2 AND value = ?3",
        /* In the order of memcmp. */
        [SIDE_SUBJECTS] = "SELECT patient FROM ledger_subject WHERE position = ?1 ORDER BY patient",
        [SIDE_LEAF]     = "SELECT " LEAF_COLUMNS " FROM ledger_leaf WHERE position = ?1",
        [SIDE_VOIDED]   = "SELECT 1 FROM ledger_leaf INDEXED BY ledger_void WHERE kind = 'void'"
                          " AND " MIGRATIONS_VOIDED " = ?1 LIMIT 1",
    };

    if (s->side_kept[which] == NULL)
        s->side_kept[which] = prepare(s, texts[which]);
    return s->side_kept[which];
}

static enum status
ended(int code)
{
    return code == SQLITE_DONE || code == SQLITE_ROW ? ST_OK : ST_UNAVAILABLE;
}

/* ---- one moment ----------------------------------------------------------------------- */

enum status
store_hold(struct store *s)
{
    /* BEGIN alone takes no snapshot; the first read does. */
    static const char text[] = "BEGIN; SELECT one FROM head";

    return sqlite3_exec(s->side, text, NULL, NULL, NULL) == SQLITE_OK ? ST_OK : ST_UNAVAILABLE;
}

void
store_let_go(struct store *s)
{
    (void)sqlite3_exec(s->side, "COMMIT", NULL, NULL, NULL);
}

/* ---- leaves --------------------------------------------------------------------------- */

bool
side_leaf(sqlite3_stmt *q, enum ledger_log log, struct ledger_leaf *out)
{
    if (sqlite3_column_bytes(q, 1) != (int)sizeof out->commitment.bytes)
        return false;
    out->index = (uint64_t)(sqlite3_column_int64(q, 0) - LEAF_POSITION(log, 0));
    memcpy(out->commitment.bytes, sqlite3_column_blob(q, 1), sizeof out->commitment.bytes);
    out->salt      = column_span(q, 2);
    out->record    = column_span(q, 3);
    out->event_id  = column_span(q, 4);
    out->patient   = column_span(q, 5);
    out->recipient = column_span(q, 6);
    out->kind      = column_span(q, 7);
    out->client    = column_span(q, 8);
    out->at_ms     = sqlite3_column_int64(q, 9);
    return true;
}

static enum status
leaves_visit(sqlite3_stmt *q, enum ledger_log log, ledger_visitor *visit, void *arg)
{
    struct ledger_leaf leaf;
    int                code;

    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        if (!side_leaf(q, log, &leaf))
            return ST_INTEGRITY;
        if (!visit(&leaf, arg))
            break;
    }
    return ended(code);
}

enum status
store_ledger_visit(struct store *s, enum ledger_log log, uint64_t from, ledger_visitor *visit, void *arg)
{
    enum status st = ST_UNAVAILABLE;

    (void)pthread_mutex_lock(&s->side_lock);
    sqlite3_stmt *q = prepare(s, "SELECT " LEAF_COLUMNS " FROM ledger_leaf"
                                 " WHERE position >= ?1 AND position < ?2 ORDER BY position");
    if (q != NULL) {
        (void)sqlite3_bind_int64(q, 1, LEAF_POSITION(log, from));
        (void)sqlite3_bind_int64(q, 2, LEAF_POSITION((uint64_t)log + 1, 0));
        st = leaves_visit(q, log, visit, arg);
    }
    (void)sqlite3_finalize(q);
    (void)pthread_mutex_unlock(&s->side_lock);
    return st;
}

/* What the late index knows, and the rows behind its mark. */
#define BY_PATIENT                                                                                   \
    "SELECT " LEAF_COLUMNS " FROM ledger_leaf WHERE (patient = ?1 OR EXISTS (SELECT 1 FROM"          \
    " ledger_subject s WHERE s.position = ledger_leaf.position AND s.patient = ?1)) AND position IN (" \
    "SELECT value FROM lookup WHERE kind = ?2 AND key = ?3 AND value >= ?4 AND value < ?5"           \
    " UNION ALL SELECT position FROM ledger_leaf WHERE position >= ?4 + ?6 AND position < ?5)"       \
    " ORDER BY position"

enum status
side_mark(struct store *s, enum ledger_log log, int64_t *mark)
{
    sqlite3_stmt *q    = side_kept(s, SIDE_MARKS);
    int           code = q != NULL ? sqlite3_step(q) : SQLITE_ERROR;

    if (code == SQLITE_ROW)
        *mark = sqlite3_column_int64(q, (int)log);
    (void)sqlite3_reset(q);
    return code == SQLITE_ROW ? ST_OK : ST_UNAVAILABLE;
}

enum status
store_ledger_visit_patient(struct store *s, enum ledger_log log, struct span patient, ledger_visitor *visit,
                           void *arg)
{
    int64_t mark = 0;

    (void)pthread_mutex_lock(&s->side_lock);
    enum status   st = side_mark(s, log, &mark);
    sqlite3_stmt *q  = st == ST_OK ? prepare(s, BY_PATIENT) : NULL;
    if (q != NULL) {
        bind_text(q, 1, patient);
        (void)sqlite3_bind_int(q, 2, LATE_PATIENT);
        (void)sqlite3_bind_int64(q, 3, late_key_patient(patient));
        (void)sqlite3_bind_int64(q, 4, LEAF_POSITION(log, 0));
        (void)sqlite3_bind_int64(q, 5, LEAF_POSITION((uint64_t)log + 1, 0));
        (void)sqlite3_bind_int64(q, 6, mark);
        st = leaves_visit(q, log, visit, arg);
    } else if (st == ST_OK) {
        st = ST_UNAVAILABLE;
    }
    (void)sqlite3_finalize(q);
    (void)pthread_mutex_unlock(&s->side_lock);
    return st;
}

/* ---- one leaf --------------------------------------------------------------------------- */

struct copying {
    struct arena       *arena;
    struct ledger_leaf *out;
    bool                found;
};

static bool
leaf_copy(const struct ledger_leaf *leaf, void *arg)
{
    struct copying *c = arg;

    *c->out           = *leaf;
    c->out->salt      = arena_copy(c->arena, leaf->salt);
    c->out->record    = arena_copy(c->arena, leaf->record);
    c->out->event_id  = arena_copy(c->arena, leaf->event_id);
    c->out->patient   = arena_copy(c->arena, leaf->patient);
    c->out->recipient = arena_copy(c->arena, leaf->recipient);
    c->out->kind      = arena_copy(c->arena, leaf->kind);
    c->out->client    = arena_copy(c->arena, leaf->client);
    c->found          = true;
    return false;
}

#define BY_EVENT                                                                                     \
    "SELECT " LEAF_COLUMNS " FROM ledger_leaf WHERE event_id = ?1 AND position IN ("                 \
    "SELECT value FROM lookup WHERE kind = ?2 AND key = ?3 AND value >= ?4 AND value < ?5"           \
    " UNION ALL SELECT position FROM ledger_leaf WHERE position >= ?4 + ?6 AND position < ?5)"

static enum status
find_in(struct store *s, enum ledger_log log, struct span event_id, struct copying *into)
{
    int64_t       mark = 0;
    enum status   st   = side_mark(s, log, &mark);
    sqlite3_stmt *q    = st == ST_OK ? prepare(s, BY_EVENT) : NULL;

    if (q == NULL)
        return ST_UNAVAILABLE;
    bind_text(q, 1, event_id);
    (void)sqlite3_bind_int(q, 2, LATE_EVENT);
    (void)sqlite3_bind_int64(q, 3, late_key_event(event_id));
    (void)sqlite3_bind_int64(q, 4, LEAF_POSITION(log, 0));
    (void)sqlite3_bind_int64(q, 5, LEAF_POSITION((uint64_t)log + 1, 0));
    (void)sqlite3_bind_int64(q, 6, mark);
    st = leaves_visit(q, log, leaf_copy, into);
    (void)sqlite3_finalize(q);
    return st;
}

enum status
store_ledger_find(struct store *s, struct span event_id, struct arena *arena, enum ledger_log *log,
                  struct ledger_leaf *out)
{
    struct copying into = { arena, out, false };
    enum status    st   = ST_OK;

    (void)pthread_mutex_lock(&s->side_lock);
    for (int i = 0; i < LEDGER_LOGS && st == ST_OK && !into.found; i++) {
        *log = (enum ledger_log)i;
        st   = find_in(s, *log, event_id, &into);
    }
    (void)pthread_mutex_unlock(&s->side_lock);
    if (st != ST_OK)
        return st;
    return into.found ? arena_status(arena) : ST_NOT_FOUND;
}

enum status
store_ledger_voided(struct store *s, struct span event_id, bool *voided)
{
    (void)pthread_mutex_lock(&s->side_lock);
    sqlite3_stmt *q    = side_kept(s, SIDE_VOIDED);
    int           code = SQLITE_ERROR;
    if (q != NULL) {
        bind_text(q, 1, event_id);
        code = sqlite3_step(q);
        (void)sqlite3_reset(q);
    }
    (void)pthread_mutex_unlock(&s->side_lock);
    *voided = code == SQLITE_ROW;
    return ended(code);
}

static enum status
subjects_read(struct store *s, int64_t position, struct arena *arena, struct span **out, size_t *count)
{
    sqlite3_stmt *q    = side_kept(s, SIDE_SUBJECTS);
    size_t        room = 0;
    int           code = SQLITE_ERROR;

    *out   = NULL;
    *count = 0;
    if (q != NULL)
        (void)sqlite3_bind_int64(q, 1, position);
    while (q != NULL && (code = sqlite3_step(q)) == SQLITE_ROW) {
        if (*count == room) {
            size_t larger = room > 0 ? room * 2 : 16;
            *out = arena_grow(arena, *out, room * sizeof **out, larger * sizeof **out);
            room = larger;
        }
        if (*out == NULL)
            break;
        (*out)[(*count)++] = column_copy(q, 0, arena);
    }
    (void)sqlite3_reset(q);
    return ended(code) == ST_OK ? arena_status(arena) : ST_UNAVAILABLE;
}

enum status
store_ledger_subjects(struct store *s, enum ledger_log log, uint64_t index, struct arena *arena,
                      struct span **out, size_t *count)
{
    (void)pthread_mutex_lock(&s->side_lock);
    enum status st = subjects_read(s, LEAF_POSITION(log, index), arena, out, count);
    (void)pthread_mutex_unlock(&s->side_lock);
    return st;
}

static enum status
lookup_has(struct store *s, enum late_kind kind, int64_t key, int64_t value, bool *has)
{
    sqlite3_stmt *q    = side_kept(s, SIDE_LOOKUP);
    int           code = SQLITE_ERROR;

    if (q != NULL) {
        (void)sqlite3_bind_int(q, 1, (int)kind);
        (void)sqlite3_bind_int64(q, 2, key);
        (void)sqlite3_bind_int64(q, 3, value);
        code = sqlite3_step(q);
    }
    *has = code == SQLITE_ROW;
    (void)sqlite3_reset(q);
    return ended(code);
}

enum status
store_ledger_indexed(struct store *s, enum ledger_log log, const struct ledger_leaf *leaf, bool *indexed)
{
    int64_t position = LEAF_POSITION(log, leaf->index);
    int64_t mark     = 0;

    *indexed = true;
    if (span_empty(leaf->record))
        return ST_OK;                    /* destroyed, and found by nothing */
    enum status st = side_mark(s, log, &mark);
    if (st != ST_OK || (int64_t)leaf->index >= mark)
        return st;                       /* behind the mark it is found by a scan */
    st = lookup_has(s, LATE_EVENT, late_key_event(leaf->event_id), position, indexed);
    if (st == ST_OK && *indexed)
        st = lookup_has(s, LATE_PATIENT, late_key_patient(leaf->patient), position, indexed);
    sqlite3_stmt *q    = st == ST_OK ? side_kept(s, SIDE_SUBJECTS) : NULL;
    int           code = SQLITE_ERROR;
    (void)sqlite3_bind_int64(q, 1, position);
    while (q != NULL && *indexed && st == ST_OK && (code = sqlite3_step(q)) == SQLITE_ROW)
        st = lookup_has(s, LATE_PATIENT, late_key_patient(column_span(q, 0)), position, indexed);
    (void)sqlite3_reset(q);
    return st == ST_OK && *indexed ? ended(code) : st;
}

/* ---- heads, tiles, proofs ------------------------------------------------------------------ */

enum status
store_ledger_checkpoint(struct store *s, enum ledger_log log, struct arena *arena, struct span *checkpoint)
{
    enum status st   = ST_NOT_FOUND;
    int         code = SQLITE_ERROR;

    (void)pthread_mutex_lock(&s->side_lock);
    sqlite3_stmt *q = prepare(s, "SELECT checkpoint FROM ledger_log WHERE log = ?1");
    if (q != NULL) {
        (void)sqlite3_bind_int(q, 1, (int)log);
        code = sqlite3_step(q);
        if (code == SQLITE_ROW) {
            *checkpoint = column_copy(q, 0, arena);
            st          = arena_status(arena);
        }
    }
    (void)sqlite3_finalize(q);
    (void)pthread_mutex_unlock(&s->side_lock);
    return ended(code) == ST_OK ? st : ST_UNAVAILABLE;
}

enum status
store_ledger_beside(struct store *s, enum ledger_log log, struct store_ledger_beside *out)
{
    int code = SQLITE_ERROR;

    *out = (struct store_ledger_beside){ .size = 0 };
    (void)pthread_mutex_lock(&s->side_lock);
    sqlite3_stmt *q = prepare(s, "SELECT size, chain, (SELECT count(*) FROM ledger_log), (SELECT count(*) FROM ledger_tile)"
                                 " FROM ledger_log WHERE log = ?1");
    if (q != NULL) {
        (void)sqlite3_bind_int(q, 1, (int)log);
        code = sqlite3_step(q);
        if (code == SQLITE_ROW) {
            out->size  = (uint64_t)sqlite3_column_int64(q, 0);
            out->heads = (uint64_t)sqlite3_column_int64(q, 2);
            out->tiles = (uint64_t)sqlite3_column_int64(q, 3);
            if (sqlite3_column_bytes(q, 1) == (int)sizeof out->chain.bytes)
                memcpy(out->chain.bytes, sqlite3_column_blob(q, 1), sizeof out->chain.bytes);
        }
    }
    (void)sqlite3_finalize(q);
    (void)pthread_mutex_unlock(&s->side_lock);
    return code == SQLITE_DONE ? ST_NOT_FOUND : ended(code);
}

enum status
store_ledger_past(struct store *s, enum ledger_log log, checkpoint_visitor *visit, void *arg)
{
    int code = SQLITE_ERROR;

    (void)pthread_mutex_lock(&s->side_lock);
    sqlite3_stmt *q = prepare(s, "SELECT size, checkpoint FROM ledger_past WHERE log = ?1 ORDER BY size");
    if (q != NULL) {
        (void)sqlite3_bind_int(q, 1, (int)log);
        while ((code = sqlite3_step(q)) == SQLITE_ROW) {
            if (!visit((uint64_t)sqlite3_column_int64(q, 0), column_span(q, 1), arg))
                break;
        }
    }
    (void)sqlite3_finalize(q);
    (void)pthread_mutex_unlock(&s->side_lock);
    return ended(code);
}

enum status
store_ledger_tile(struct store *s, enum ledger_log log, unsigned level, uint64_t n,
                  struct ledger_hash hashes[256])
{
    enum status st   = ST_NOT_FOUND;
    size_t      size = TILE_HASHES * sizeof hashes[0];
    int         code = SQLITE_ERROR;

    (void)pthread_mutex_lock(&s->side_lock);
    sqlite3_stmt *q = prepare(s, "SELECT hashes FROM ledger_tile WHERE position = ?1");
    if (q != NULL) {
        (void)sqlite3_bind_int64(q, 1, TILE_POSITION(log, level, n));
        code = sqlite3_step(q);
        if (code == SQLITE_ROW && sqlite3_column_bytes(q, 0) == (int)size) {
            memcpy(hashes, sqlite3_column_blob(q, 0), size);
            st = ST_OK;
        }
    }
    (void)sqlite3_finalize(q);
    (void)pthread_mutex_unlock(&s->side_lock);
    return ended(code) == ST_OK ? st : ST_UNAVAILABLE;
}

/* What is asked of the tree of a log, while nobody else reads with the tools' connection. */
typedef enum status ask_tree(struct digest *, const struct merkle_source *, void *arg);

static enum status
with_tree(struct store *s, enum ledger_log log, ask_tree *ask, void *arg)
{
    struct digest *d  = digest_new();
    enum status    st = ST_UNAVAILABLE;

    (void)pthread_mutex_lock(&s->side_lock);
    struct ledger_source src = { .leaf = prepare(s, "SELECT commitment FROM ledger_leaf WHERE position = ?1"),
                                 .tile = prepare(s, "SELECT hashes FROM ledger_tile WHERE position = ?1"),
                                 .digest = d, .log = log };
    struct merkle_source from = { ledger_source_subtree, &src };
    if (d != NULL && src.leaf != NULL && src.tile != NULL)
        st = ask(d, &from, arg);
    (void)sqlite3_finalize(src.leaf);
    (void)sqlite3_finalize(src.tile);
    (void)pthread_mutex_unlock(&s->side_lock);
    digest_free(&d);
    return st;
}

struct asked_root  { uint64_t size; struct ledger_hash *out; };
struct asked_proof { uint64_t index, size; struct merkle_proof *out; };

static enum status
ask_root(struct digest *d, const struct merkle_source *from, void *arg)
{
    const struct asked_root *a = arg;

    return merkle_range(d, from, 0, a->size, a->out);
}

static enum status
ask_proof(struct digest *d, const struct merkle_source *from, void *arg)
{
    const struct asked_proof *a = arg;

    return merkle_prove_inclusion(d, from, a->index, a->size, a->out);
}

enum status
store_ledger_root(struct store *s, enum ledger_log log, uint64_t size, struct ledger_hash *out)
{
    return with_tree(s, log, ask_root, &(struct asked_root){ size, out });
}

enum status
store_ledger_prove(struct store *s, enum ledger_log log, uint64_t index, uint64_t size,
                   struct merkle_proof *out)
{
    return with_tree(s, log, ask_proof, &(struct asked_proof){ index, size, out });
}
