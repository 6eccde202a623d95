#include "gateway/classify/pass.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <errno.h>
#include <time.h>

#include "gateway/classify/classify.h"
#include "gateway/inspect/pool.h"
#include "gateway/ops/log.h"
#include "gateway/ops/metrics.h"

enum { REST = 3, LEAST_REST_MS = 5, MOST_REST_MS = 2000 };

#define ARENA_BYTES ((size_t)2 << 30)

struct pass {
    struct gateway   *gateway;
    pthread_t         thread;
    pthread_mutex_t   lock;
    pthread_cond_t    wake;
    bool              woken, again, stop;        /* under lock */
    struct store_pass now;                       /* the thread's: as it stands in the store */
    struct inspector *inspector;                 /* the thread's: what is read again waits for no exchange */
    uint64_t          told_left;
    sem_t             written;
    struct store_unit unit;
};

static void *run(void *);

struct pass *
pass_start(struct gateway *gateway)
{
    struct pass       *p = calloc(1, sizeof *p);
    pthread_condattr_t kind;

    if (p == NULL)
        return NULL;
    p->gateway   = gateway;
    p->inspector = inspectors_another(gateway->inspectors);
    (void)pthread_condattr_init(&kind);
    (void)pthread_condattr_setclock(&kind, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->wake, &kind);
    (void)pthread_condattr_destroy(&kind);
    (void)sem_init(&p->written, 0, 0);
    p->woken = true;
    if (p->inspector != NULL && pthread_create(&p->thread, NULL, run, p) == 0)
        return p;
    inspector_free(&p->inspector);
    free(p);
    return NULL;
}

void
pass_wake(struct pass *p, bool again)
{
    (void)pthread_mutex_lock(&p->lock);
    p->woken = true;
    p->again = p->again || again;
    (void)pthread_cond_signal(&p->wake);
    (void)pthread_mutex_unlock(&p->lock);
}

void
pass_stop(struct pass **pass)
{
    struct pass *p = *pass;

    if (p == NULL)
        return;
    *pass = NULL;
    (void)pthread_mutex_lock(&p->lock);
    p->stop = true;
    (void)pthread_cond_signal(&p->wake);
    (void)pthread_mutex_unlock(&p->lock);
    (void)pthread_join(p->thread, NULL);
    (void)pthread_cond_destroy(&p->wake);
    (void)pthread_mutex_destroy(&p->lock);
    (void)sem_destroy(&p->written);
    inspector_free(&p->inspector);
    free(p);
}

/* ---- time ------------------------------------------------------------------------- */

static int64_t
clock_ms(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* False: it is to stop. */
static bool
rest(struct pass *p, int64_t ms, bool until_woken, bool *again)
{
    int64_t         end   = clock_ms(CLOCK_MONOTONIC) + ms;
    struct timespec until = { end / 1000, end % 1000 * 1000000 };

    (void)pthread_mutex_lock(&p->lock);
    while (!p->stop && !(until_woken && p->woken)
           && pthread_cond_timedwait(&p->wake, &p->lock, &until) != ETIMEDOUT)
        continue;
    bool go  = !p->stop;
    *again   = p->again;
    p->woken = p->again = false;
    (void)pthread_mutex_unlock(&p->lock);
    return go;
}

/* ---- one step ---------------------------------------------------------------------- */

static void
on_written(struct task *task)
{
    struct pass *p = (struct pass *)(void *)((char *)task - offsetof(struct pass, unit.done));

    (void)sem_post(&p->written);
}

static enum status
write_steps(struct pass *p, const struct store_step *first)
{
    p->unit = (struct store_unit){ .done.run = on_written, .class_step = first, .may_wait = true };
    store_submit(p->gateway->store, &p->unit);
    while (sem_wait(&p->written) != 0 && errno == EINTR)
        continue;
    return p->unit.status;
}

static struct store_step *
step_new(struct arena *arena, struct store_step ***end)
{
    struct store_step *step = arena_make(arena, struct store_step);

    if (step == NULL)
        return NULL;
    **end = step;
    *end  = &step->next;
    return step;
}

/* Up to PASS_PUSHES pushes; *more: there may be others behind them. */
static enum status
gather(struct pass *p, const struct config *config, struct arena *arena, struct store_pass *now,
       struct store_step **first, bool *more)
{
    struct store_step **end   = first;
    size_t              bytes = 0;
    const struct inspected_asker asker = { inspector_answer, p->inspector };
    enum status         st    = ST_OK;

    *more = true;
    for (int i = 0; i < PASS_PUSHES && bytes < PASS_BYTES && st == ST_OK; i++) {
        struct store_push push;
        st = store_push_next(p->gateway->store, now->done_to, config->class_version, arena, &push);
        *more = st == ST_OK;
        if (st != ST_OK && st != ST_NOT_FOUND)
            return st;
        if (push.skipped_to > now->done_to) {                 /* written under this version: the push says it */
            struct store_step *skip = step_new(arena, &end);
            if (skip == NULL)
                return ST_NO_MEMORY;
            skip->clear_from = now->done_to + 1;
            skip->clear_to   = push.skipped_to;
            now->done_to     = push.skipped_to;
            skip->pass       = *now;
        }
        if (st != ST_OK)
            break;
        struct store_step made, *step;
        st = pass_step(config, p->gateway->store, &push, &asker, arena, &made, now);
        if (st == ST_UNAVAILABLE && *first != NULL)
            return ST_OK;                                     /* what came before it is written */
        step = st == ST_OK ? step_new(arena, &end) : NULL;
        if (step == NULL)
            return st == ST_OK ? ST_NO_MEMORY : st;
        now->done_to = push.id;
        made.pass    = *now;
        *step        = made;
        bytes       += push.body.length;
    }
    return st == ST_NOT_FOUND ? ST_OK : st;
}

static struct store_step *
last_of(struct store_step *step)
{
    while (step->next != NULL)
        step = step->next;
    return step;
}

static void
tell_end(const struct store_pass *pass)
{
    log_event(LOG_INFO_LEVEL, "reclassify.done", LOG_F_COUNT("pushes", pass->pushes), LOG_F_COUNT("resources", pass->resources),
              LOG_F_COUNT("changed", pass->changed), LOG_F_COUNT("confirmed", pass->confirmed));
}

/* The mark alone. */
static bool
end_pass(struct arena *arena, struct store_pass *now, struct store_step **first)
{
    struct store_step **end  = first;
    struct store_step  *last = *first != NULL ? last_of(*first) : step_new(arena, &end);

    if (last == NULL)
        return false;
    now->ended_ms = clock_ms(CLOCK_REALTIME);
    if (last == *first && last->inbox == 0 && last->clear_to == 0)
        last->clear_from = 1;            /* nothing is cleared */
    last->pass = *now;
    return true;
}

/* Nothing but pushes that came under this version, behind a pass that is over:
 * no need to write that down. */
static bool
nothing_new(const struct store_step *first, const struct store_pass *now)
{
    for (; first != NULL; first = first->next)
        if (first->inbox != 0)
            return false;
    return now->ended_ms != 0;
}

/* ST_OK: something was written, and there may be more. */
static enum status
work(struct pass *p, const struct config *config, bool again)
{
    struct arena      *arena = arena_new("pass", ARENA_BYTES);
    struct store_pass  now   = p->now;
    struct store_step *first = NULL;
    bool               more  = false;

    if (arena == NULL)
        return ST_NO_MEMORY;
    if (again || now.version != config->class_version)
        now = (struct store_pass){ .version = config->class_version, .begun_ms = clock_ms(CLOCK_REALTIME) };
    enum status st = gather(p, config, arena, &now, &first, &more);
    bool        idle = st == ST_OK && nothing_new(first, &now);
    if (st == ST_OK && !more && now.ended_ms == 0 && !end_pass(arena, &now, &first))
        st = ST_NO_MEMORY;
    if (st == ST_OK && !idle)
        st = write_steps(p, first);
    if (st == ST_OK) {
        if (now.ended_ms != p->now.ended_ms && now.ended_ms != 0 && now.pushes > 0)
            tell_end(&now);
        p->now = now;
    }
    arena_free(&arena);
    return st == ST_OK && idle ? ST_NOT_FOUND : st;
}

static void
tell_left(struct pass *p, const struct config *config)
{
    uint64_t left = 0;

    if (store_pass_left(p->gateway->store, config->class_version, &left) == ST_OK)
        metric_set(METRIC_RECLASSIFY_LEFT, NULL, (int64_t)left);
}

static void *
run(void *arg)
{
    struct pass *p     = arg;
    bool         again = false, busy = true;

    (void)prctl(PR_SET_NAME, "pass");
    enum status st = store_pass_read(p->gateway->store, &p->now);
    while (st != ST_OK && rest(p, PASS_LOOK_MS, true, &again))
        st = store_pass_read(p->gateway->store, &p->now);
    for (int64_t pause = 0; rest(p, pause, !busy, &again);) {
        struct config *config = gateway_config(p->gateway);
        int64_t        begun  = clock_ms(CLOCK_MONOTONIC);
        st = store_healthy(p->gateway->store) ? work(p, config, again) : ST_UNAVAILABLE;
        if (st == ST_OK || busy)
            tell_left(p, config);
        config_unpin(&config);
        int64_t took = clock_ms(CLOCK_MONOTONIC) - begun;
        busy  = st == ST_OK;
        pause = !busy ? PASS_LOOK_MS : took * REST < LEAST_REST_MS ? LEAST_REST_MS : took * REST > MOST_REST_MS ? MOST_REST_MS : took * REST;
        if (st != ST_OK && st != ST_NOT_FOUND)
            log_event(LOG_WARN_LEVEL, "reclassify.waiting", LOG_F_REASON("the store, memory or a reader of documents is away; it goes on later"));
    }
    return NULL;
}
