/* gateway/store/prune.c -- what is kept for a time only goes, a few rows behind each commit.
 *
 *   kept for good   records, tiles and checkpoints of the ledger; every version of every
 *                   resource, and so each body that one is a slice of; the list of
 *                   each push; deliveries that wait, are dead or parked, and their bodies
 *   kept for days   answers of Idempotency-Keys, and deliveries that are over (sent, or
 *                   nothing left to send), `answer_days` from their last change
 *   not kept        bodies that only deliveries needed, once those are over (queue.c)
 *
 * Freed pages are used again, so a store in a steady state does not grow by these.
 */
#include "gateway/store/sqlite.h"

#define LOOK_EVERY   64u                 /* commits, when there was nothing to do */
#define AT_ONCE      64                  /* and twice what this commit added, so that it keeps up */

/* Oldest first.  Entries in the late index that are not written yet may stay
 * (late.h, rule 3). */
static enum status
answer_prune(struct store *s, int64_t before, bool *done)
{
    sqlite3_stmt *q  = s->statement[SQL_ANSWER_OLDEST];
    enum status   st = sql_row(s, SQL_ANSWER_OLDEST);

    *done = true;
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_OK : st;
    int64_t id  = sqlite3_column_int64(q, 0);
    bool    due = sqlite3_column_int64(q, 1) < before;
    int64_t key = late_key_answer(column_span(q, 2), column_span(q, 3));
    sql_reset(s, SQL_ANSWER_OLDEST);
    if (!due)
        return ST_OK;
    *done = false;
    (void)sqlite3_bind_int64(s->statement[SQL_ANSWER_DELETE], 1, id);
    st = sql_run(s, SQL_ANSWER_DELETE);
    (void)sqlite3_bind_int(s->statement[SQL_LOOKUP_DELETE], 1, LATE_ANSWER);
    (void)sqlite3_bind_int64(s->statement[SQL_LOOKUP_DELETE], 2, key);
    (void)sqlite3_bind_int64(s->statement[SQL_LOOKUP_DELETE], 3, id);
    return st == ST_OK ? sql_run(s, SQL_LOOKUP_DELETE) : st;
}

/* By id, which is the order they came in; those that are not over are passed
 * by, until the next start. */
static enum status
delivery_prune(struct store *s, int64_t before, bool *done)
{
    sqlite3_stmt *q = s->statement[SQL_OUTBOX_NEXT];

    (void)sqlite3_bind_int64(q, 1, s->pruned_to);
    enum status st = sql_row(s, SQL_OUTBOX_NEXT);
    *done          = true;
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_OK : st;
    int64_t             id    = sqlite3_column_int64(q, 0);
    enum delivery_state state = (enum delivery_state)sqlite3_column_int(q, 1);
    bool                old   = sqlite3_column_int64(q, 2) < before;
    sql_reset(s, SQL_OUTBOX_NEXT);
    if (!old)
        return ST_OK;
    *done        = false;
    s->pruned_to = id;
    if (state != DELIVERY_SENT && state != DELIVERY_NOTHING)
        return ST_OK;
    (void)sqlite3_bind_int64(s->statement[SQL_OUTBOX_DELETE], 1, id);
    return sql_run(s, SQL_OUTBOX_DELETE);
}

static enum status
prune_some(struct store *s, enum status (*prune)(struct store *, int64_t, bool *), int64_t added)
{
    int64_t     most = AT_ONCE + 2 * added;
    bool        done = false;
    enum status st   = ST_OK;

    for (int64_t i = 0; i < most && !done && st == ST_OK; i++)
        st = prune(s, s->clock_ms - s->answer_keep_ms, &done);
    s->prune_more = s->prune_more || !done;
    return st;
}

enum status
prune_step(struct store *s)
{
    if (++s->commits % LOOK_EVERY != 0 && !s->prune_more)
        return ST_OK;
    s->prune_more  = false;
    enum status st = prune_some(s, answer_prune, s->now.last_answer - s->durable.last_answer);
    return st == ST_OK ? prune_some(s, delivery_prune, s->now.last_outbox - s->durable.last_outbox) : st;
}
