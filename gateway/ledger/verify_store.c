/* gateway/ledger/verify_store.c -- verifying the ledger inside a store. */
#include <stdlib.h>
#include <string.h>

#include "base/json_tape.h"
#include "gateway/ledger/check.h"
#include "gateway/ledger/record.h"

struct source {
    struct check  check;
    struct store *store;
};

/* ---- V5 --------------------------------------------------------------------------------- */

static enum status
on_tile(void *arg, unsigned level, uint64_t n, const struct ledger_hash hashes[TILE_HASHES])
{
    struct source     *src = arg;
    struct ledger_hash stored[TILE_HASHES];
    enum status        st = store_ledger_tile(src->store, src->check.log, level, n, stored);

    if (st == ST_NOT_FOUND)
        check_problem(&src->check, "tile %u/%llu is missing", level, (unsigned long long)n);
    else if (st != ST_OK)
        return st;
    else if (memcmp(stored, hashes, sizeof stored) != 0)
        check_problem(&src->check, "tile %u/%llu is not that of the leaves", level, (unsigned long long)n);
    return ST_OK;
}

/* ---- V8 --------------------------------------------------------------------------------- */

static void
copy_check(struct check *c, const struct ledger_leaf *leaf, const char *what, struct span copy, struct span inside)
{
    if (!span_eq(copy, inside))
        check_problem(c, "leaf %llu: the %s beside the record is not the record's", (unsigned long long)leaf->index,
                      what);
}

static int
span_order(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    size_t             n = x->length < y->length ? x->length : y->length;
    int                c = n > 0 ? memcmp(x->at, y->at, n) : 0;

    return c != 0 ? c : x->length < y->length ? -1 : x->length > y->length;
}

/* Sorted, each once, without the leaf's own. */
static size_t
subjects_tidy(struct span *list, size_t count, struct span own)
{
    size_t kept = 0;

    if (count > 1)
        qsort(list, count, sizeof *list, span_order);
    for (size_t i = 0; i < count; i++)
        if (!span_eq(list[i], own) && (kept == 0 || !span_eq(list[i], list[kept - 1])))
            list[kept++] = list[i];
    return kept;
}

/* Of a release or a denial, those of its `patients`. */
static struct span *
subjects_said(struct check *c, const struct tape *t, size_t *count)
{
    tape_node    patients = tape_member(t, TAPE_ROOT, SPAN("patients"));
    struct span *list     = arena_make_n(c->arena, (size_t)tape_children(t, patients) + 1, struct span);

    *count = 0;
    for (tape_node p = tape_first(t, patients); p != TAPE_ABSENT && list != NULL; p = tape_next(t, p))
        list[(*count)++] = tape_member_text(t, p, SPAN("patientId"), c->arena);
    return list;
}

/* Of a void, those of the record that it takes back. */
static struct span *
subjects_voided(struct source *src, struct span voids, size_t *count)
{
    struct check      *c = &src->check;
    struct ledger_leaf leaf;
    enum ledger_log    log;
    struct span       *rows;

    *count = 0;
    if (store_ledger_find(src->store, voids, c->arena, &log, &leaf) != ST_OK ||
        store_ledger_subjects(src->store, log, leaf.index, c->arena, &rows, count) != ST_OK)
        return arena_make_n(c->arena, 1, struct span);
    struct span *list = arena_make_n(c->arena, *count + 1, struct span);
    for (size_t i = 0; i < *count && list != NULL; i++)
        list[i] = rows[i];
    if (list != NULL)
        list[(*count)++] = leaf.patient;
    return list;
}

static void
subjects_check(struct source *src, const struct ledger_leaf *leaf, const struct tape *t)
{
    struct check *c     = &src->check;
    struct span   voids = tape_member_text(t, TAPE_ROOT, SPAN("voids"), c->arena);
    struct span  *rows, *said;
    size_t        row_count, said_count;
    bool          same = store_ledger_subjects(src->store, c->log, leaf->index, c->arena, &rows, &row_count) == ST_OK;

    said = span_empty(voids) ? subjects_said(c, t, &said_count) : subjects_voided(src, voids, &said_count);
    if (said == NULL)
        said_count = 0;
    said_count = subjects_tidy(said, said_count, leaf->patient);
    same       = same && row_count == said_count;
    for (size_t i = 0; i < said_count && same; i++)
        same = span_eq(rows[i], said[i]);
    if (!same)
        check_problem(c, "leaf %llu: the further patients beside the record are not the record's",
                      (unsigned long long)leaf->index);
}

/* When it happened, the last of the record's three times (record.c). */
static void
time_check(struct check *c, const struct ledger_leaf *leaf, const struct tape *t)
{
    static const char *const names[] = { "tRelease", "tDecision", "tRequest" };
    struct span              said    = { NULL, 0 };
    char                     text[RECORD_TIME];

    for (size_t i = 0; i < sizeof names / sizeof names[0] && span_empty(said); i++)
        said = tape_member_text(t, TAPE_ROOT, span_of(names[i]), c->arena);
    record_time(leaf->at_ms, text);
    if (!span_empty(said))
        copy_check(c, leaf, "time", span_of(text), said);
}

static void
copies_check(struct source *src, const struct ledger_leaf *leaf)
{
    struct check      *c = &src->check;
    const struct tape *t;

    if (tape_read(leaf->record, &tape_default_limits, c->arena, &t, NULL) != ST_OK) {
        check_problem(c, "leaf %llu: the record is not JSON", (unsigned long long)leaf->index);
        return;
    }
    tape_node recipient = tape_member(t, TAPE_ROOT, SPAN("recipient"));
    copy_check(c, leaf, "eventId", leaf->event_id, tape_member_text(t, TAPE_ROOT, SPAN("eventId"), c->arena));
    copy_check(c, leaf, "patient", leaf->patient, tape_member_text(t, TAPE_ROOT, SPAN("patientId"), c->arena));
    copy_check(c, leaf, "kind", leaf->kind, tape_member_text(t, TAPE_ROOT, SPAN("kind"), c->arena));
    copy_check(c, leaf, "recipient", leaf->recipient, tape_member_text(t, recipient, SPAN("name"), c->arena));
    copy_check(c, leaf, "client", leaf->client, tape_member_text(t, TAPE_ROOT, SPAN("client"), c->arena));
    time_check(c, leaf, t);
    subjects_check(src, leaf, t);
}

static bool
on_leaf(const struct ledger_leaf *leaf, void *arg)
{
    struct source     *src = arg;
    struct check      *c   = &src->check;
    struct arena_mark  mark = arena_mark(c->arena);
    struct ledger_hash computed, hash;
    bool               sound = true;

    if (!span_empty(leaf->record)) {
        sound = leaf->salt.length == 32;
        if (sound) {
            ledger_commit_hash(c->digest, (const unsigned char *)leaf->salt.at, leaf->record, &computed);
            sound = ledger_hash_eq(&computed, &leaf->commitment);
        }
        if (!sound)
            check_problem(c, "leaf %llu: the record or its salt was changed, it does not fit its commitment",
                          (unsigned long long)leaf->index);
        copies_check(src, leaf);
    } else if (span_eq_text(leaf->kind, "rows")) {
        check_problem(c, "leaf %llu: a record that vouches for rows was destroyed, and it is about nobody",
                      (unsigned long long)leaf->index);
    }
    merkle_leaf(c->digest, leaf->commitment.bytes, sizeof leaf->commitment.bytes, &hash);
    check_leaf(c, leaf->index, (const unsigned char *)leaf->salt.at, leaf->record, &hash, sound);
    arena_reset(c->arena, mark);
    return true;
}

static bool
on_leaf_indexed(const struct ledger_leaf *leaf, void *arg)
{
    struct source *src     = arg;
    bool           indexed = true;

    if (store_ledger_indexed(src->store, src->check.log, leaf, &indexed) != ST_OK || !indexed)
        check_problem(&src->check, "leaf %llu is not found by its eventId or patient: the index was changed",
                      (unsigned long long)leaf->index);
    return true;
}

static bool
on_past(uint64_t size, struct span note, void *arg)
{
    struct source    *src = arg;
    struct check     *c   = &src->check;
    struct checkpoint head;
    char              room[512];
    struct buf        why = { .at = room, .capacity = sizeof room, .max = sizeof room };

    if (checkpoint_verify(note, &c->options->key, c->digest, span_of(c->result->origin), &head, &why) != ST_OK ||
        head.size != size)
        check_problem(c, "a checkpoint that was kept at size %llu: %.*s", (unsigned long long)size,
                      SPAN_PRINT(buf_span(&why)));
    else
        check_past_add(c, &head);
    return true;
}

/* ---- V13 ---------------------------------------------------------------------------------- */

struct gathering { struct shredded *to; struct arena *arena; enum status status; };

static bool
is_shredding(enum ledger_log log, const struct ledger_leaf *leaf, void *arg)
{
    (void)arg;
    return log == LEDGER_DENIALS && span_eq_text(leaf->kind, "shredding");
}

static bool
on_shredding(enum ledger_log log, const struct ledger_leaf *leaf, void *arg)
{
    struct gathering  *g    = arg;
    struct arena_mark  mark = arena_mark(g->arena);
    const struct tape *t;

    (void)log;
    if (tape_read(leaf->record, &tape_default_limits, g->arena, &t, NULL) == ST_OK)      /* V8 tells of one that is none */
        g->status = shredded_add(g->to, t, g->arena);
    arena_reset(g->arena, mark);
    return g->status == ST_OK;
}

static enum status
shredded_gather(struct store *store, struct shredded *out)
{
    struct gathering    g = { .to = out, .arena = arena_new("shredded", 4 * RECORD_MAX_BYTES) };
    struct store_newest n = { .from_ms = INT64_MIN, .to_ms = INT64_MAX, .before = { INT64_MAX, INT64_MAX }, .most = UINT32_MAX,
                              .peek = is_shredding, .take = on_shredding, .arg = &g };
    enum status         st = g.arena != NULL ? store_ledger_newest(store, &n) : ST_NO_MEMORY;

    arena_free(&g.arena);
    shredded_ready(out);
    return st == ST_OK ? g.status : st;
}

/* ---- a log ------------------------------------------------------------------------------- */

static enum status
log_check(struct source *src, const struct check_others *others)
{
    struct check *c = &src->check;
    struct arena *arena = arena_new("verify", 2 * CHECKPOINT_MAX_BYTES);
    struct span   note;

    if (arena == NULL)
        return ST_NO_MEMORY;
    c->on_tile     = on_tile;
    c->on_tile_arg = src;
    enum status st = store_ledger_checkpoint(src->store, c->log, arena, &note);
    if (st == ST_OK)
        check_head(c, note);
    else if (st == ST_NOT_FOUND)
        check_problem(c, "there is no checkpoint");
    if (st == ST_OK || st == ST_NOT_FOUND)
        st = store_ledger_past(src->store, c->log, on_past, src);
    check_others_add(c, others);
    if (st == ST_OK)
        st = store_ledger_visit(src->store, c->log, 0, on_leaf, src);
    if (st == ST_INTEGRITY) {
        check_problem(c, "leaf %llu: its commitment is not 32 bytes", (unsigned long long)c->next);
        st = ST_OK;
    }
    if (st == ST_OK)
        check_finish(c);
    arena_free(&arena);
    return st;
}

/* What the gateway goes on from at its next start, and tiles that nothing asked for. */
static enum status
beside_check(struct source *src, struct verify_result *result)
{
    struct check              *c = &src->check;
    struct store_ledger_beside b;
    enum status                st    = store_ledger_beside(src->store, c->log, &b);
    uint64_t                   tiles = 0;

    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_OK : st;                  /* V1 says that there is no checkpoint */
    if (c->readable && b.size != c->head.size)
        check_problem(c, "the size beside the checkpoint is %llu, and the checkpoint's is %llu", (unsigned long long)b.size,
                      (unsigned long long)c->head.size);
    if (c->chain_known && !ledger_hash_eq(&b.chain, &c->chain))
        check_problem(c, "the hash beside the checkpoint is not that of the last record");
    if (c->log != LEDGER_DENIALS)
        return ST_OK;                                            /* the rest is asked once, of both logs */
    for (int log = 0; log < LEDGER_LOGS; log++)
        for (uint64_t n = result->log[log].size / TILE_HASHES; n > 0; n /= TILE_HASHES)
            tiles += n;
    if (b.heads != LEDGER_LOGS)
        check_problem(c, "there are %llu heads of logs, and %d logs", (unsigned long long)b.heads, LEDGER_LOGS);
    if (b.tiles != tiles)
        check_problem(c, "there are %llu tiles, and the leaves of both logs make %llu", (unsigned long long)b.tiles,
                      (unsigned long long)tiles);
    return ST_OK;
}

static void
on_unsound(struct span words, void *arg)
{
    check_problem(arg, "%.*s", SPAN_PRINT(words));
}

/* Whoever wants something not to be asked has only to destroy some record: so all is asked always.  For V9 and V10 a row
 * may have no record of its own when some were destroyed that V13 does not know of; V11 vouches for it, by records that are about nobody, so that nobody has to
 * destroy one. */
static enum status
rest_check(struct source *src, uint64_t unrecorded)
{
    enum status st = store_sound_visit(src->store, on_unsound, &src->check);

    if (unrecorded > 0)
        buf_add_format(src->check.report, "%s: records were destroyed, so papers, and what people did about the review queue, may have no"
                       " record of their own, and a row is compared only with those that are left\n", src->check.name);
    if (st == ST_OK)
        st = filings_check(&src->check, src->store, unrecorded > 0);
    if (st == ST_OK)
        st = reviews_check(&src->check, src->store, unrecorded > 0);
    return st == ST_OK ? rows_check(&src->check, src->store) : st;
}

static enum status
stored_log_verify(struct store *store, const struct verify_options *options, enum ledger_log log,
                  const struct check_others *others, const struct shredded *shredded, struct verify_result *result,
                  struct buf *report)
{
    struct source src = { .store = store };
    enum status   st  = check_begin(&src.check, options, log, &result->log[log], report);

    if (st != ST_OK)
        return st;
    src.check.shredded = shredded;
    st = log_check(&src, others);
    if (st == ST_OK)
        st = store_ledger_visit(store, log, 0, on_leaf_indexed, &src);
    if (st == ST_OK)
        st = beside_check(&src, result);
    if (st == ST_OK && log == LEDGER_DENIALS)
        st = rest_check(&src, result->log[log].unrecorded);
    result->problems += src.check.problems;
    check_end(&src.check);
    return st;
}

enum status
ledger_verify_store(struct store *store, const struct verify_options *options, struct verify_result *result,
                    struct buf *report)
{
    struct check_others others;
    struct shredded     shredded = { .log = { { NULL, 0, 0 } } };

    memset(result, 0, sizeof *result);
    enum status st = check_others_read(options, &others, report);
    if (st == ST_OK)
        st = store_hold(store);
    if (st != ST_OK)
        return st;
    st = shredded_gather(store, &shredded);
    for (int log = 0; log < LEDGER_LOGS && st == ST_OK; log++)
        st = stored_log_verify(store, options, (enum ledger_log)log, &others, &shredded, result, report);
    store_let_go(store);
    shredded_free(&shredded);
    return check_verdict(st, result, report);
}
