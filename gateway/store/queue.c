/* gateway/store/queue.c -- the outbox: whose turn it is, leases, outcomes.
 *
 * Of the rows that wait for one recipient and patient only the first (the
 * lowest id) is a head, and only heads are claimed: that is the order.  A
 * finished head passes the turn to the next.  Rows without a patient are all
 * heads.  A lease is an entry in the memory of this thread, so taking one
 * costs no write; after a crash nothing is leased and everything is tried
 * again under its old key.
 *
 * A recipient has LEASES_A_RECIPIENT leases at most: what is leased lies in
 * memory, and one that hangs must not fill it, nor keep others from theirs.
 */
#include <stdlib.h>

#include "gateway/store/sqlite.h"

#define FULL_NAP_MS 1000                 /* until a recipient that has all its leases is looked at again */

/* ---- leases: open addressing, linear probing ----------------------------------- */

static uint32_t
lease_home(int64_t id)
{
    return (uint32_t)(((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (LEASE_SLOTS - 1);
}

static struct lease *
lease_slot(struct store *s, int64_t id)
{
    uint32_t at = lease_home(id);

    while (s->leases[at].id != 0 && s->leases[at].id != id)
        at = (at + 1) & (LEASE_SLOTS - 1);
    return &s->leases[at];
}

static bool
lease_holds(struct store *s, int64_t id, int64_t now_ms)
{
    const struct lease *l = lease_slot(s, id);

    return l->id == id && l->until_ms > now_ms;
}

/* Open addressing; more names than there is room for share one. */
static uint16_t
share_of(struct store *s, struct span recipient)
{
    uint64_t hash = span_hash(recipient) | 1;
    uint32_t at   = (uint32_t)(hash >> 32) & (SHARES - 1);

    for (unsigned i = 0; i < SHARES && s->shares[at].recipient != hash; i++) {
        if (s->shares[at].recipient == 0) {
            s->shares[at].recipient = hash;
            break;
        }
        at = (at + 1) & (SHARES - 1);
    }
    return (uint16_t)at;
}

bool
outbox_rests(struct store *s, int64_t id)
{
    return !lease_holds(s, id, s->clock_ms);
}

static bool
lease_take(struct store *s, int64_t id, struct span recipient, int64_t until_ms)
{
    struct lease *l = lease_slot(s, id);

    if (l->id == 0) {
        uint16_t share = share_of(s, recipient);
        if (s->lease_count >= LEASE_SLOTS / 2 || s->shares[share].leases >= LEASES_A_RECIPIENT)
            return false;
        s->lease_count++;
        s->shares[share].leases++;
        l->id    = id;
        l->share = share;
    }
    l->until_ms = until_ms;
    return true;
}

/* Entries behind a freed one move up, so that probing still finds them.  True:
 * its recipient had all that it may have, so others may wait for this. */
static bool
lease_end(struct store *s, int64_t id)
{
    uint32_t hole = (uint32_t)(lease_slot(s, id) - s->leases);

    if (s->leases[hole].id != id)
        return false;
    bool full = s->shares[s->leases[hole].share].leases-- == LEASES_A_RECIPIENT;
    s->lease_count--;
    for (uint32_t at = (hole + 1) & (LEASE_SLOTS - 1); s->leases[at].id != 0;
         at          = (at + 1) & (LEASE_SLOTS - 1)) {
        uint32_t home = lease_home(s->leases[at].id);
        if (((at - home) & (LEASE_SLOTS - 1)) < ((at - hole) & (LEASE_SLOTS - 1)))
            continue;
        s->leases[hole] = s->leases[at];
        hole            = at;
    }
    s->leases[hole] = (struct lease){ 0, 0, 0 };
    return full;
}

void
leases_follow(struct store *s, const struct store_unit *u)
{
    for (size_t i = 0; i < u->delivery_count; i++)
        u->deliveries[i].follows |= lease_end(s, u->deliveries[i].id);
    for (size_t i = 0; i < u->outbox_count; i++) {
        struct store_outbox *o = &u->outbox[i];
        if (o->turn)
            o->turn = lease_take(s, o->id, o->recipient, o->lease_ms);
    }
}

/* ---- rows ------------------------------------------------------------------------ */

/* The first that waits; 0: none does. */
static enum status
first_waiting(struct store *s, struct span recipient, struct span patient, int64_t *id)
{
    sqlite3_stmt *q = s->statement[SQL_OUTBOX_FIRST];

    *id = 0;
    bind_text(q, 1, recipient);
    bind_text(q, 2, patient);
    enum status st = sql_row(s, SQL_OUTBOX_FIRST);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_OK : st;
    *id = sqlite3_column_int64(q, 0);
    sql_reset(s, SQL_OUTBOX_FIRST);
    return ST_OK;
}

enum status
outbox_insert(struct store *s, struct store_outbox *o, int64_t inbox, bool loose)
{
    sqlite3_stmt *q     = s->statement[SQL_OUTBOX_INSERT];
    int64_t       first = 0;

    if (!span_empty(o->patient)) {
        enum status st = first_waiting(s, o->recipient, o->patient, &first);
        if (st != ST_OK)
            return st;
    }
    o->id   = ++s->now.last_outbox;
    o->turn = first == 0 && o->lease_ms > 0;
    (void)sqlite3_bind_int64(q, 1, o->id);
    (void)sqlite3_bind_int64(q, 2, inbox);
    (void)sqlite3_bind_int(q, 3, first == 0);
    (void)sqlite3_bind_int64(q, 4, o->due_ms);
    (void)sqlite3_bind_int(q, 5, loose);
    (void)sqlite3_bind_int64(q, 6, s->clock_ms);
    bind_text(q, 7, o->recipient);
    bind_text(q, 8, o->patient);
    bind_text(q, 9, o->idempotency_key);
    bind_text(q, 10, o->event_id);
    bind_text(q, 11, o->payload_sha256);
    return sql_run(s, SQL_OUTBOX_INSERT);
}

struct row {                             /* what an outcome has to know of the row it changes */
    enum delivery_state state;
    bool                head, loose;
    int64_t             inbox;
    struct span         recipient, patient;
    char                names[1024];
};

/* The columns are copied: the statement is reset before others run. */
static enum status
row_find(struct store *s, int64_t id, struct row *out)
{
    sqlite3_stmt *q  = s->statement[SQL_OUTBOX_FIND];
    struct buf    at = { .at = out->names, .capacity = sizeof out->names, .max = sizeof out->names };

    (void)sqlite3_bind_int64(q, 1, id);
    enum status st = sql_row(s, SQL_OUTBOX_FIND);
    if (st != ST_OK)
        return st;
    out->state = (enum delivery_state)sqlite3_column_int(q, 0);
    out->head  = sqlite3_column_int(q, 1) != 0;
    out->inbox = sqlite3_column_int64(q, 2);
    out->loose = sqlite3_column_int(q, 3) != 0;
    buf_add(&at, column_span(q, 4));
    size_t cut = at.length;
    buf_add(&at, column_span(q, 5));
    sql_reset(s, SQL_OUTBOX_FIND);
    out->recipient = span_first(buf_span(&at), cut);
    out->patient   = span_skip(buf_span(&at), cut);
    return buf_status(&at);
}

static bool
is_over(enum delivery_state state)
{
    return state == DELIVERY_SENT || state == DELIVERY_NOTHING;
}

/* The body goes when no delivery of its inbox row can need it any more and no
 * resource is a slice of it (`loose`). */
static enum status
body_release(struct store *s, const struct row *row)
{
    (void)sqlite3_bind_int64(s->statement[SQL_INBOX_NEEDED], 1, row->inbox);
    enum status st = sql_row(s, SQL_INBOX_NEEDED);
    if (st == ST_OK) {
        sql_reset(s, SQL_INBOX_NEEDED);
        return ST_OK;
    }
    if (st != ST_NOT_FOUND)
        return st;
    (void)sqlite3_bind_int64(s->statement[SQL_INBOX_DROP], 1, row->inbox);
    return sql_run(s, SQL_INBOX_DROP);
}

static enum status
update(struct store *s, const struct store_delivery *d, bool head)
{
    sqlite3_stmt *q = s->statement[SQL_OUTBOX_UPDATE];

    (void)sqlite3_bind_int64(q, 1, d->id);
    (void)sqlite3_bind_int(q, 2, (int)d->state);
    (void)sqlite3_bind_int(q, 3, head);
    (void)sqlite3_bind_int64(q, 4, d->due_ms);
    (void)sqlite3_bind_int64(q, 5, d->attempts);
    (void)sqlite3_bind_int(q, 6, d->byte_may_have_left);
    (void)sqlite3_bind_int64(q, 7, s->clock_ms);
    bind_text(q, 8, d->reason);
    bind_text(q, 9, d->event_id);
    bind_text(q, 10, d->idempotency_key);
    bind_text(q, 11, d->payload_sha256);
    return sql_run(s, SQL_OUTBOX_UPDATE);
}

/* The next of the same recipient and patient becomes head. */
static enum status
turn_pass(struct store *s, struct store_delivery *d, const struct row *row)
{
    int64_t     next;
    enum status st = first_waiting(s, row->recipient, row->patient, &next);

    if (st != ST_OK || next == 0)
        return st;
    d->follows = true;
    (void)sqlite3_bind_int64(s->statement[SQL_OUTBOX_HEAD], 1, next);
    return sql_run(s, SQL_OUTBOX_HEAD);
}

enum status
delivery_write(struct store *s, struct store_delivery *d)
{
    struct row  row;
    int64_t     first = 0;
    enum status st    = row_find(s, d->id, &row);

    d->follows = false;
    if (st != ST_OK)
        return st;
    bool waits = d->state == DELIVERY_WAITING;
    bool head  = waits && row.head;
    if (waits && row.state != DELIVERY_WAITING) {
        /* Back into the queue: behind who has the turn now. */
        if (!span_empty(row.patient))
            st = first_waiting(s, row.recipient, row.patient, &first);
        head = first == 0;
    }
    if (st == ST_OK)
        st = update(s, d, head);
    if (st == ST_OK && row.head && !waits && !span_empty(row.patient))
        st = turn_pass(s, d, &row);
    if (st == ST_OK && row.loose && is_over(d->state) && !is_over(row.state))
        st = body_release(s, &row);
    return st;
}

/* ---- claims ----------------------------------------------------------------------- */

static enum status
due_read(struct store *s, const struct store_claim *claim, int64_t id, struct store_due *out)
{
    sqlite3_stmt *q = s->statement[SQL_OUTBOX_READ];

    (void)sqlite3_bind_int64(q, 1, id);
    enum status st = sql_row(s, SQL_OUTBOX_READ);
    if (st != ST_OK)
        return st;
    *out = (struct store_due){
        .id                 = id,
        .inbox_id           = sqlite3_column_int64(q, 0),
        .attempts           = (uint32_t)sqlite3_column_int64(q, 1),
        .byte_may_have_left = sqlite3_column_int(q, 2) != 0,
        .recipient          = column_copy(q, 3, claim->arena),
        .patient            = column_copy(q, 4, claim->arena),
        .idempotency_key    = column_copy(q, 5, claim->arena),
        .event_id           = column_copy(q, 6, claim->arena),
        .payload_sha256     = column_copy(q, 7, claim->arena),
    };
    sql_reset(s, SQL_OUTBOX_READ);

    q = s->statement[SQL_INBOX_READ];
    (void)sqlite3_bind_int64(q, 1, out->inbox_id);
    st = sql_row(s, SQL_INBOX_READ);
    if (st != ST_OK)
        return st;
    out->client      = column_copy(q, 0, claim->arena);
    out->request_id  = column_copy(q, 1, claim->arena);
    out->bundle_type = column_copy(q, 2, claim->arena);
    out->body        = column_copy(q, 3, claim->arena);
    out->holder      = column_copy(q, 4, claim->arena);
    sql_reset(s, SQL_INBOX_READ);
    return arena_status(claim->arena);
}

/* Leases due heads: their ids into claim->rows, and when the next one is due.
 * Those of a recipient that has all its leases are passed over; whoever ends
 * one of them says that others follow. */
static enum status
due_list(struct store *s, struct store_claim *claim)
{
    sqlite3_stmt *q = s->statement[SQL_OUTBOX_DUE];
    int           code;

    claim->next_due_ms = INT64_MAX;
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        int64_t     id        = sqlite3_column_int64(q, 0);
        int64_t     next      = sqlite3_column_int64(q, 1);
        struct span recipient = { (const char *)sqlite3_column_text(q, 2), (size_t)sqlite3_column_bytes(q, 2) };
        bool        held      = lease_holds(s, id, claim->now_ms);
        if (!held && (next > claim->now_ms || claim->row_count == claim->max)) {
            claim->next_due_ms = next < claim->next_due_ms ? next : claim->next_due_ms;
            break;
        }
        if (!held && lease_take(s, id, recipient, claim->lease_ms)) {
            claim->rows[claim->row_count++].id = id;
            continue;
        }
        next = held ? lease_slot(s, id)->until_ms : claim->now_ms + FULL_NAP_MS;
        if (next < claim->next_due_ms)
            claim->next_due_ms = next;
    }
    (void)sqlite3_reset(q);
    return code == SQLITE_ROW || code == SQLITE_DONE ? ST_OK : sql_failed(s, code);
}

static enum status
all_due(struct store *s, int64_t now_ms)
{
    enum status st = sql_run(s, SQL_BEGIN);

    if (st != ST_OK)
        return st;
    (void)sqlite3_bind_int64(s->statement[SQL_OUTBOX_ALL_DUE], 1, now_ms);
    st = sql_run(s, SQL_OUTBOX_ALL_DUE);
    if (st == ST_OK)
        st = sql_run(s, SQL_COMMIT);
    if (st != ST_OK && sqlite3_get_autocommit(s->db) == 0)
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

static enum status
claim_rows(struct store *s, struct store_claim *claim)
{
    enum status st   = due_list(s, claim);
    size_t      read = 0;

    for (; read < claim->row_count && st == ST_OK; read++) {
        struct store_due *row = &claim->rows[read];
        st = due_read(s, claim, row->id, row);
        if (st != ST_OK)
            break;
    }
    /* What fits the arena is handed out; the rest waits for the next claim. */
    bool some = read > 0 && st == ST_NO_MEMORY;
    read      = st == ST_OK || some ? read : 0;
    for (size_t i = read; i < claim->row_count; i++)
        (void)lease_end(s, claim->rows[i].id);
    claim->row_count = read;
    if (some)
        claim->next_due_ms = claim->now_ms;
    else if (read > 0 && claim->lease_ms < claim->next_due_ms)
        claim->next_due_ms = claim->lease_ms;
    return some ? ST_OK : st;
}

void
claim_serve(struct store *s, struct store_claim *claim)
{
    enum status st = ST_OK;

    claim->row_count   = 0;
    claim->next_due_ms = INT64_MAX;
    if (claim->all)
        st = all_due(s, claim->now_ms);
    claim->rows = arena_make_n(claim->arena, claim->max, struct store_due);
    if (claim->rows == NULL && claim->max > 0)
        st = ST_NO_MEMORY;
    if (st == ST_OK)
        st = claim_rows(s, claim);
    claim->status = st;
}
