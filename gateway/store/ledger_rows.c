/* gateway/store/ledger_rows.c -- the ledger inside the store's transaction. */
#include <string.h>

#include "gateway/store/ledger_source.h"
#include "gateway/store/sqlite.h"

/* A signed head is kept for later comparison once an hour, or when the log has
 * grown by this much. */
#define PAST_EVERY_MS     (INT64_C(60) * 60 * 1000)
#define PAST_EVERY_LEAVES 65536u

static enum status head_sign(struct store *, enum ledger_log);

/* ---- reading the edge of a tree ---------------------------------------------------- */

static enum status
edge_load(struct store *s, enum ledger_log log, uint64_t size)
{
    struct ledger_tree  *tree = &s->log[log].tree;
    struct ledger_source src  = { .leaf   = s->statement[SQL_LEAF_HASH],
                                  .tile   = s->statement[SQL_TILE_READ],
                                  .digest = s->digest,
                                  .log    = log };

    for (unsigned level = 0; level < TILE_LEVELS && size >> (TILE_BITS * level) > 0; level++) {
        uint64_t entries = size >> (TILE_BITS * level);
        uint64_t first   = entries / TILE_HASHES * TILE_HASHES;
        for (uint64_t i = first; i < entries; i++) {
            enum status st =
                ledger_source_subtree(&src, TILE_BITS * level, i, &tree->tile[level][i % TILE_HASHES]);
            if (st != ST_OK)
                return st;
        }
    }
    for (unsigned level = 0; level < MERKLE_LEVELS && size >> level > 0; level++) {
        if ((size >> level & 1) == 0)
            continue;
        enum status st =
            ledger_source_subtree(&src, level, (size >> level) - 1, &tree->edge.full[level]);
        if (st != ST_OK)
            return st;
    }
    tree->edge.size = size;
    return ST_OK;
}

static enum status
past_load(struct store *s, enum ledger_log log)
{
    struct log_state *l = &s->log[log];

    l->past_size = 0;
    l->past_ms   = 0;
    (void)sqlite3_bind_int(s->statement[SQL_PAST_LAST], 1, (int)log);
    enum status st = sql_row(s, SQL_PAST_LAST);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_OK : st;
    l->past_size = (uint64_t)sqlite3_column_int64(s->statement[SQL_PAST_LAST], 0);
    l->past_ms   = sqlite3_column_int64(s->statement[SQL_PAST_LAST], 1);
    sql_reset(s, SQL_PAST_LAST);
    return ST_OK;
}

static enum status
log_load(struct store *s, enum ledger_log log)
{
    struct log_state *l    = &s->log[log];
    sqlite3_stmt     *q    = s->statement[SQL_LOG_READ];
    uint64_t          size = 0;

    memset(&l->tree.chain, 0, sizeof l->tree.chain);
    l->tree.edge.size = 0;
    (void)sqlite3_bind_int(q, 1, (int)log);
    enum status st = sql_row(s, SQL_LOG_READ);
    if (st == ST_OK) {
        size = (uint64_t)sqlite3_column_int64(q, 0);
        if (sqlite3_column_bytes(q, 1) == (int)sizeof l->tree.chain.bytes)
            memcpy(l->tree.chain.bytes, sqlite3_column_blob(q, 1), sizeof l->tree.chain.bytes);
        else
            st = ST_INTEGRITY;
        sql_reset(s, SQL_LOG_READ);
    } else if (st == ST_NOT_FOUND) {
        st = ST_OK;
    }
    if (st == ST_OK)
        st = edge_load(s, log, size);
    l->committed = size;
    return st == ST_OK ? past_load(s, log) : st;
}

enum status
ledger_rows_load(struct store *s)
{
    for (int log = 0; log < LEDGER_LOGS; log++) {
        enum status st = log_load(s, (enum ledger_log)log);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}

/* ---- opening ------------------------------------------------------------------------ */

static enum status
meta_is(struct store *s, const char *name, struct span value, const char *refusal, struct buf *why)
{
    sqlite3_stmt *q = s->statement[SQL_META_READ];

    bind_text(q, 1, span_of(name));
    enum status st = sql_row(s, SQL_META_READ);
    if (st != ST_OK)
        return st;
    bool same = span_eq(column_span(q, 0), value);
    sql_reset(s, SQL_META_READ);
    if (!same)
        buf_add_text(why, refusal);
    return same ? ST_OK : ST_INTEGRITY;
}

static enum status
meta_write(struct store *s, const char *name, struct span value)
{
    bind_text(s->statement[SQL_META_WRITE], 1, span_of(name));
    bind_blob(s->statement[SQL_META_WRITE], 2, value.at, value.length);
    return sql_run(s, SQL_META_WRITE);
}

enum status
ledger_rows_vouched(struct store *s, unsigned *tables)
{
    bind_text(s->statement[SQL_META_READ], 1, SPAN("rows"));
    enum status st = sql_row(s, SQL_META_READ);

    *tables = 0;
    if (st == ST_OK) {                   /* "1": as many as there were then */
        *tables = span_eq_text(column_span(s->statement[SQL_META_READ], 0), STORE_ROWS_ALL) ? VOUCHED_TABLES : VOUCHED_AT_FIRST;
        sql_reset(s, SQL_META_READ);
    }
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status
ledger_rows_vouch(struct store *s)
{
    return meta_write(s, "rows", SPAN(STORE_ROWS_ALL));
}

/* A log has a signed head from its first moment on: one that is empty can be
 * told from one that was emptied. */
static enum status
first_start(struct store *s)
{
    enum status st = sql_run(s, SQL_BEGIN);

    if (st == ST_OK)
        st = meta_write(s, "origin", ledger_signer_origin(s->signer, LEDGER_DISCLOSURES));
    if (st == ST_OK)
        st = meta_write(s, "key", span_from(ledger_signer_public(s->signer), 32));
    for (int log = 0; log < LEDGER_LOGS && st == ST_OK; log++)
        st = head_sign(s, (enum ledger_log)log);
    return st == ST_OK ? sql_run(s, SQL_COMMIT) : st;
}

/* The stored head must be signed by our key and fit the stored leaves: what was
 * changed behind our back is found before anything is added on top of it. */
static enum status
head_check(struct store *s, enum ledger_log log, struct buf *why)
{
    struct ledger_public public;
    struct checkpoint    head;
    struct ledger_hash   root;
    sqlite3_stmt        *q = s->statement[SQL_LOG_READ];

    (void)sqlite3_bind_int(q, 1, (int)log);
    enum status st = sql_row(s, SQL_LOG_READ);
    if (st == ST_NOT_FOUND)
        buf_add_text(why, "the head of a ledger is missing: it was changed; run `sluice log verify`");
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_INTEGRITY : st;
    memcpy(public.bytes, ledger_signer_public(s->signer), sizeof public.bytes);
    st = checkpoint_verify(column_span(q, 2), &public, s->digest, ledger_signer_origin(s->signer, log),
                           &head, why);
    sql_reset(s, SQL_LOG_READ);
    if (st != ST_OK)
        return st;
    merkle_root(s->digest, &s->log[log].tree.edge, &root);
    if (head.size == s->log[log].tree.edge.size && ledger_hash_eq(&head.root, &root))
        return ST_OK;
    buf_add_format(why, "the stored ledger does not fit its signed checkpoint of size %llu: it was changed; "
                        "run `sluice log verify`", (unsigned long long)head.size);
    return ST_INTEGRITY;
}

enum status
ledger_rows_open(struct store *s, struct buf *why)
{
    enum status st = meta_is(s, "origin", ledger_signer_origin(s->signer, LEDGER_DISCLOSURES),
                             "ledger origin: this store's log has another one, and a log keeps its name", why);
    if (st == ST_NOT_FOUND)
        return first_start(s);
    if (st == ST_OK)
        st = meta_is(s, "key", span_from(ledger_signer_public(s->signer), 32),
                     "ledger key: this store's log is signed by another key", why);
    if (st == ST_OK)
        st = ledger_rows_load(s);
    for (int log = 0; log < LEDGER_LOGS && st == ST_OK; log++)
        st = head_check(s, (enum ledger_log)log, why);
    if (st != ST_OK && buf_span(why).length == 0)
        buf_add_text(why, "the stored ledger cannot be read: a leaf or a tile is missing; run `sluice log verify`");
    return st;
}

/* ---- appending ----------------------------------------------------------------------- */

struct tile_target {
    struct store   *store;
    enum ledger_log log;
};

static enum status
tile_insert(void *arg, unsigned level, uint64_t n, const struct ledger_hash hashes[TILE_HASHES])
{
    struct tile_target *t = arg;
    sqlite3_stmt       *q = t->store->statement[SQL_TILE_INSERT];

    (void)sqlite3_bind_int64(q, 1, TILE_POSITION(t->log, level, n));
    bind_blob(q, 2, hashes, TILE_HASHES * sizeof hashes[0]);
    return sql_run(t->store, SQL_TILE_INSERT);
}

/* An event id is random and written once; one that comes twice is a mistake of
 * ours, made in one go, so the entries that still wait for the index tell. */
static enum status
event_is_new(struct store *s, struct span event_id)
{
    sqlite3_stmt *q   = s->statement[SQL_LEAF_EVENT];
    int64_t       key = late_key_event(event_id);
    uint32_t      at  = 0;
    int64_t       position;

    while (late_next(s->late, LATE_EVENT, key, &at, &position)) {
        (void)sqlite3_bind_int64(q, 1, position);
        enum status st = sql_row(s, SQL_LEAF_EVENT);
        if (st != ST_OK && st != ST_NOT_FOUND)
            return st;
        bool same = st == ST_OK && span_eq(column_span(q, 0), event_id);
        sql_reset(s, SQL_LEAF_EVENT);
        if (same)
            return ST_INTEGRITY;
    }
    return ST_OK;
}

static enum status
subject_add(struct store *s, int64_t position, struct span patient)
{
    sqlite3_stmt *q = s->statement[SQL_SUBJECT_INSERT];

    (void)sqlite3_bind_int64(q, 1, position);
    bind_text(q, 2, patient);
    return sql_run(s, SQL_SUBJECT_INSERT);
}

/* Where the leaf with this eventId is, its own patient into `patient`. */
static enum status
event_find(struct store *s, struct span event_id, int64_t *position, struct span *patient)
{
    struct walk   w = walk_begin(LATE_EVENT, late_key_event(event_id));
    sqlite3_stmt *q = s->statement[SQL_LEAF_PATIENT];
    enum status   st;

    while ((st = walk_next(s, &w, position)) == ST_OK) {
        (void)sqlite3_bind_int64(q, 1, *position);
        st = sql_row(s, SQL_LEAF_PATIENT);
        if (st != ST_OK && st != ST_NOT_FOUND)
            return st;
        bool same = st == ST_OK && span_eq(column_span(q, 0), event_id);
        if (same)
            *patient = column_copy(q, 1, s->temp);
        sql_reset(s, SQL_LEAF_PATIENT);
        if (same)
            return arena_status(s->temp);
    }
    return st;
}

/* A void is found by whom the record is found by that it takes back: the
 * accounting of each of them has to leave that one out. */
static enum status
void_subjects_add(struct store *s, const struct ledger_entry *e, int64_t position)
{
    sqlite3_stmt *q       = s->statement[SQL_SUBJECTS_COPY];
    struct span   patient = { NULL, 0 };
    int64_t       earlier = 0;
    enum status   st      = event_find(s, e->voids, &earlier, &patient);

    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_OK : st;
    if (!span_eq(patient, e->patient))
        st = subject_add(s, position, patient);
    (void)sqlite3_bind_int64(q, 1, earlier);
    (void)sqlite3_bind_int64(q, 2, position);
    bind_text(q, 3, e->patient);
    return st == ST_OK ? sql_run(s, SQL_SUBJECTS_COPY) : st;
}

static enum status
subjects_index(struct store *s, int64_t position)
{
    sqlite3_stmt *q  = s->statement[SQL_SUBJECTS_OF];
    enum status   st = ST_OK;
    int           code;

    (void)sqlite3_bind_int64(q, 1, position);
    while ((code = sqlite3_step(q)) == SQLITE_ROW && st == ST_OK)
        st = late_add(s->late, LATE_PATIENT, late_key_patient(column_span(q, 0)), position);
    (void)sqlite3_reset(q);
    return st != ST_OK || code == SQLITE_DONE ? st : sql_failed(s, code);
}

static enum status
leaf_index(struct store *s, const struct ledger_entry *e)
{
    int64_t     position = LEAF_POSITION(e->log, e->index);
    enum status st       = late_add(s->late, LATE_EVENT, late_key_event(e->event_id), position);

    if (st == ST_OK)
        st = late_add(s->late, LATE_PATIENT, late_key_patient(e->patient), position);
    for (size_t i = 0; i < e->other_count && st == ST_OK; i++)
        if (!span_eq(e->others[i], e->patient))
            st = subject_add(s, position, e->others[i]);
    if (st == ST_OK && !span_empty(e->voids))
        st = void_subjects_add(s, e, position);
    if (st == ST_OK && (e->other_count > 0 || !span_empty(e->voids)))
        st = subjects_index(s, position);
    return st;
}

enum status
ledger_rows_append(struct store *s, struct ledger_entry *e)
{
    struct ledger_tree  *tree = &s->log[e->log].tree;
    struct tile_target   to   = { s, e->log };
    struct ledger_sealed sealed;
    sqlite3_stmt        *q  = s->statement[SQL_LEAF_INSERT];
    enum status          st = event_is_new(s, e->event_id);

    if (st == ST_OK)
        st = ledger_seal(s->digest, &s->salts, &tree->chain, e->record, &s->scratch, &sealed);
    if (st != ST_OK)
        return st;
    e->index = tree->edge.size;
    (void)sqlite3_bind_int64(q, 1, LEAF_POSITION(e->log, e->index));
    (void)sqlite3_bind_int64(q, 2, e->at_ms);
    bind_blob(q, 3, sealed.commitment.bytes, sizeof sealed.commitment.bytes);
    bind_text(q, 4, e->event_id);
    bind_text(q, 5, e->patient);
    bind_text(q, 6, e->recipient);
    bind_text(q, 7, e->kind);
    bind_text(q, 8, e->client_of);
    bind_blob(q, 9, sealed.salt, sizeof sealed.salt);
    bind_blob(q, 10, sealed.record.at, sealed.record.length);
    st = sql_run(s, SQL_LEAF_INSERT);
    if (st == ST_OK)
        st = leaf_index(s, e);
    if (st != ST_OK)
        return st;
    tree->chain = sealed.chain;
    return ledger_grow(s->digest, tree, &sealed.leaf, tile_insert, &to);
}

static enum status
past_keep(struct store *s, enum ledger_log log, struct span checkpoint)
{
    struct log_state *l    = &s->log[log];
    uint64_t          size = l->tree.edge.size;
    sqlite3_stmt     *q    = s->statement[SQL_PAST_INSERT];

    if (l->past_ms != 0 && s->clock_ms - l->past_ms < PAST_EVERY_MS && size - l->past_size < PAST_EVERY_LEAVES)
        return ST_OK;
    l->past_ms   = s->clock_ms;
    l->past_size = size;
    (void)sqlite3_bind_int(q, 1, (int)log);
    (void)sqlite3_bind_int64(q, 2, (int64_t)size);
    (void)sqlite3_bind_int64(q, 3, s->clock_ms);
    bind_text(q, 4, checkpoint);
    return sql_run(s, SQL_PAST_INSERT);
}

static enum status
head_sign(struct store *s, enum ledger_log log)
{
    struct log_state  *l = &s->log[log];
    struct ledger_hash root;
    sqlite3_stmt      *q = s->statement[SQL_LOG_WRITE];

    buf_clear(&s->scratch);
    merkle_root(s->digest, &l->tree.edge, &root);
    enum status st = checkpoint_sign(s->signer, s->digest, log, l->tree.edge.size, &root, &s->scratch);
    if (st != ST_OK)
        return st;
    (void)sqlite3_bind_int(q, 1, (int)log);
    (void)sqlite3_bind_int64(q, 2, (int64_t)l->tree.edge.size);
    bind_blob(q, 3, l->tree.chain.bytes, sizeof l->tree.chain.bytes);
    bind_text(q, 4, buf_span(&s->scratch));
    st = sql_run(s, SQL_LOG_WRITE);
    return st == ST_OK && l->tree.edge.size > 0 ? past_keep(s, log, buf_span(&s->scratch)) : st;
}

enum status
ledger_rows_sign(struct store *s)
{
    for (int log = 0; log < LEDGER_LOGS; log++) {
        if (s->log[log].tree.edge.size == s->log[log].committed)
            continue;
        enum status st = head_sign(s, (enum ledger_log)log);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}
