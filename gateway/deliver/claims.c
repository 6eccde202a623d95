#include "gateway/deliver/claims.h"

#include <stdlib.h>

#include "gateway/deliver/deliver.h"
#include "gateway/runtime/exchange.h"

#define CLAIM_MAX         64
#define CLAIM_ARENA_BYTES ((size_t)256 << 20)
#define LONGEST_NAP_MS    5000           /* another process may queue too */

/* One claim and the rows that came with it.  Lives until the last exchange
 * made of it is over; they are on several loops, so the count is atomic. */
struct batch {
    struct store_claim claim;
    struct arena      *arena;
    struct claims     *of;
    _Atomic uint32_t   users;
};

struct claimed {                         /* one row on its way to a loop */
    struct task             task;
    struct batch           *batch;
    const struct store_due *row;
    struct loop            *loop;
};

struct claims {
    struct gateway *gateway;
    struct event   *timer;               /* on loops[0] */
    struct task     wake_task;
    _Atomic bool    wake_posted;
    bool            again, first, stopped;               /* on loops[0] only */
    _Atomic bool    under_way;           /* written on loops[0] only */
    uint32_t        next_loop;
};

static void on_timer(evutil_socket_t, short, void *);
static void on_wake(struct task *);
static void claim(struct claims *);
static void on_claimed(struct task *);
static void begin_delivery(struct task *);
static void batch_drop(struct batch *);

struct claims *
claims_new(struct gateway *gateway)
{
    struct claims *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->gateway       = gateway;
    c->first         = true;
    c->wake_task.run = on_wake;
    return c;
}

enum status
claims_start(struct claims *c)
{
    c->timer = event_new(loop_base(c->gateway->loops[0]), -1, 0, on_timer, c);
    if (c->timer == NULL)
        return ST_NO_MEMORY;
    claims_wake(c);
    return ST_OK;
}

void
claims_stop(struct claims *c)
{
    /* Runs on the first loop or after it ended; both are that thread's turn. */
    c->stopped = true;
    if (c->timer != NULL)
        event_del(c->timer);
}

bool
claims_under_way(const struct claims *c)
{
    return atomic_load(&c->under_way);
}

void
claims_free(struct claims **c)
{
    if (*c == NULL)
        return;
    if ((*c)->timer != NULL)
        event_free((*c)->timer);
    free(*c);
    *c = NULL;
}

void
claims_wake(struct claims *c)
{
    if (!atomic_exchange(&c->wake_posted, true))
        loop_post(c->gateway->loops[0], &c->wake_task);
}

static void
on_wake(struct task *task)
{
    struct claims *c = (struct claims *)(void *)((char *)task - offsetof(struct claims, wake_task));

    atomic_store(&c->wake_posted, false);
    claim(c);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    claim(arg);
    (void)fd;
    (void)what;
}

static void
nap(struct claims *c, int64_t ms)
{
    if (ms < 1)
        ms = 1;
    if (ms > LONGEST_NAP_MS)
        ms = LONGEST_NAP_MS;
    struct timeval until = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };
    evtimer_add(c->timer, &until);
}

static void
claim(struct claims *c)
{
    if (c->stopped)
        return;
    if (atomic_load(&c->under_way)) {
        c->again = true;
        return;
    }
    struct batch *batch = calloc(1, sizeof *batch);
    if (batch != NULL)
        batch->arena = arena_new("claim", CLAIM_ARENA_BYTES);
    if (batch == NULL || batch->arena == NULL) {
        free(batch);
        nap(c, 1000);
        return;
    }
    int64_t now  = loop_clock_ms(c->gateway->loops[0]);
    batch->of    = c;
    batch->users = 1;
    batch->claim = (struct store_claim){
        .done.run = on_claimed, .home = c->gateway->loops[0], .arena = batch->arena,
        .now_ms = now, .lease_ms = now + DELIVER_LEASE_MS, .max = CLAIM_MAX, .all = c->first,
    };
    atomic_store(&c->under_way, true);
    store_claim_due(c->gateway->store, &batch->claim);
}

static void
on_claimed(struct task *task)
{
    struct batch  *batch = (struct batch *)(void *)((char *)task - offsetof(struct batch, claim.done));
    struct claims *c     = batch->of;
    bool           full  = batch->claim.row_count == CLAIM_MAX;

    atomic_store(&c->under_way, false);
    if (batch->claim.status == ST_OK && !full)
        c->first = false;
    for (size_t i = 0; i < batch->claim.row_count && !c->stopped; i++) {
        struct claimed *one = arena_make(batch->arena, struct claimed);
        if (one == NULL)
            break;                       /* the lease of the rest ends and they are due again */
        one->task.run = begin_delivery;
        one->batch    = batch;
        one->row      = &batch->claim.rows[i];
        one->loop     = c->gateway->loops[c->next_loop++ % c->gateway->loop_count];
        batch->users++;
        loop_post(one->loop, &one->task);
    }
    if (full || c->again) {
        c->again = false;
        claim(c);
    } else if (!c->stopped) {
        int64_t next = batch->claim.status == ST_OK ? batch->claim.next_due_ms : INT64_MAX;
        nap(c, next == INT64_MAX ? LONGEST_NAP_MS : next - loop_clock_ms(c->gateway->loops[0]));
    }
    batch_drop(batch);
}

static void
on_delivery_ended(struct exchange *ex)
{
    batch_drop(ex->ended_arg);
}

static void
begin_delivery(struct task *task)
{
    struct claimed  *one = (struct claimed *)(void *)task;
    struct exchange *ex  = exchange_new(one->batch->of->gateway, one->loop, NULL,
                                        one->row->body.length);

    if (ex == NULL) {
        batch_drop(one->batch);          /* the lease ends and it is due again */
        return;
    }
    ex->due       = one->row;
    ex->lease_ms  = one->batch->claim.lease_ms;
    ex->ended     = on_delivery_ended;
    ex->ended_arg = one->batch;
    pipeline_start(ex, &delivery);
}

static void
batch_drop(struct batch *batch)
{
    if (atomic_fetch_sub(&batch->users, 1) > 1)
        return;
    arena_free(&batch->arena);
    free(batch);
}
