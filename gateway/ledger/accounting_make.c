/* gateway/ledger/accounting_make.c -- an accounting from the store, whole. */
#include "gateway/ledger/accounting_make.h"

#include "gateway/store/store.h"

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
    m.accounting         = accounting_begin(arena, asked);
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
