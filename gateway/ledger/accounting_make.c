/* gateway/ledger/accounting_make.c -- an accounting from the store, whole. */
#include "gateway/ledger/accounting_make.h"

#include "consent/paper.h"
#include "gateway/store/store.h"

#define SUSPENSIONS_MOST 1000u

struct making {
    struct store      *store;
    struct accounting *accounting;
    uint64_t           size;             /* of the log as of the checkpoint */
    enum status        status;
};

static bool
on_leaf(const struct ledger_leaf *leaf, void *arg)
{
    struct making *m      = arg;
    bool           voided = true;

    if (leaf->index >= m->size)
        return false;
    if (!span_eq_text(leaf->kind, "disclosure") || span_empty(leaf->record) || leaf->at_ms < accounting_from_ms(m->accounting))
        return true;
    m->status = store_ledger_voided(m->store, leaf->event_id, &voided);
    if (m->status == ST_OK && !voided)
        m->status = accounting_add(m->accounting, leaf->record);
    if (m->status == ST_MALFORMED || m->status == ST_NOT_FOUND)
        m->status = ST_INTEGRITY;
    return m->status == ST_OK;
}

/* ---- what is suspended -------------------------------------------------------------- */

struct suspending {
    struct arena                 *arena;
    struct accounting_suspension *all;
    size_t                        count;
    int64_t                       now_ms;
    enum status                   status;
};

static bool
on_filed(const struct store_filed *f, void *arg)
{
    struct suspending *s = arg;
    struct paper       p;

    if (f->ended_ms <= s->now_ms || s->count == SUSPENSIONS_MOST)
        return true;
    s->status = paper_read(PAPER_SUSPENSION, f->body, s->arena, &p);
    if (s->status == ST_OK && p.as.suspension.until_ms >= s->now_ms)
        s->all[s->count++] = (struct accounting_suspension){ arena_copy(s->arena, p.as.suspension.recipient), p.as.suspension.until_ms };
    return s->status == ST_OK;
}

static enum status
suspensions_find(struct store *store, struct arena *arena, struct accounting_asked *asked)
{
    struct store_filed_query query = { .kind = PAPER_SUSPENSION, .patient = asked->patient };
    struct suspending        s     = { .arena = arena, .now_ms = asked->now_ms,
                                       .all = arena_make_n(arena, SUSPENSIONS_MOST, struct accounting_suspension) };

    if (s.all == NULL)
        return ST_NO_MEMORY;
    enum status st = store_filed_visit(store, &query, on_filed, &s);
    asked->suspensions      = s.all;
    asked->suspension_count = s.count;
    return st == ST_OK ? s.status : st;
}

/* ---- the whole ------------------------------------------------------------------------ */

/* Its second line. */
static uint64_t
size_of(struct span checkpoint)
{
    uint64_t size = 0;

    (void)span_split(&checkpoint, '\n');
    (void)span_to_u64(span_split(&checkpoint, '\n'), &size);
    return size;
}

enum status
accounting_make(struct store *store, struct arena *arena, struct accounting_asked *asked, struct buf *out,
                struct accounting_result *result)
{
    struct making m  = { .store = store };
    enum status   st = store_ledger_checkpoint(store, LEDGER_DISCLOSURES, arena, &asked->checkpoint);

    if (st != ST_OK && st != ST_NOT_FOUND)
        return st;
    struct span note     = asked->checkpoint;
    asked->source.origin = span_split(&note, '\n');
    m.size               = size_of(asked->checkpoint);
    st                   = suspensions_find(store, arena, asked);
    if (st != ST_OK)
        return st;
    m.accounting = accounting_begin(arena, asked);
    if (m.accounting == NULL)
        return ST_NO_MEMORY;
    st = store_ledger_visit_patient(store, LEDGER_DISCLOSURES, asked->patient, on_leaf, &m);
    if (st == ST_OK)
        st = m.status;
    if (st == ST_OK)
        st = accounting_finish(m.accounting, out, result);
    accounting_free(&m.accounting);
    return st;
}
