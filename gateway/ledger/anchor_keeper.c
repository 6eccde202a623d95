/* gateway/ledger/anchor_keeper.c -- writes the anchor: A2, A4. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/ledger/anchor.h"
#include "gateway/ops/log.h"
#include "gateway/ops/metrics.h"

struct anchor_keeper {
    pthread_t       thread;
    pthread_mutex_t lock;
    pthread_cond_t  wake;
    bool            ending;
    struct store   *store;
    char           *dir;
    uint32_t        seconds;
    uint64_t        written[LEDGER_LOGS];        /* leaves of the head that is there; UINT64_MAX: not known */
    bool            failing;
};

static void *run(void *);

struct anchor_keeper *
anchor_keeper_start(struct store *store, struct span dir, uint32_t seconds)
{
    struct anchor_keeper *k = calloc(1, sizeof *k);
    pthread_condattr_t    kind;

    if (k == NULL)
        return NULL;
    *k = (struct anchor_keeper){ .store = store, .seconds = seconds, .dir = strndup(dir.at, dir.length),
                                 .written = { UINT64_MAX, UINT64_MAX } };
    (void)pthread_condattr_init(&kind);
    (void)pthread_condattr_setclock(&kind, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&k->lock, NULL);
    (void)pthread_cond_init(&k->wake, &kind);
    (void)pthread_condattr_destroy(&kind);
    if (k->dir != NULL && pthread_create(&k->thread, NULL, run, k) == 0)
        return k;
    (void)pthread_cond_destroy(&k->wake);
    (void)pthread_mutex_destroy(&k->lock);
    free(k->dir);
    free(k);
    return NULL;
}

static enum status
anchor_one(struct anchor_keeper *k, enum ledger_log log, struct buf *why)
{
    struct arena     *arena = arena_new("anchor", 2 * CHECKPOINT_MAX_BYTES);
    struct checkpoint head;
    struct span       note;
    enum status       st = arena != NULL ? store_ledger_checkpoint(k->store, log, arena, &note) : ST_NO_MEMORY;

    if (st == ST_OK)
        st = checkpoint_parse(note, &head, why);
    if (st == ST_OK && head.size != k->written[log]) {
        st              = anchor_write(k->dir, log, note, why);
        k->written[log] = st == ST_OK ? head.size : UINT64_MAX;
    }
    arena_free(&arena);
    return st;
}

/* Told when it begins to fail and when it works again, not each time. */
static void
anchor_all(struct anchor_keeper *k)
{
    char       room[512];
    bool       failed = false;

    for (int log = 0; log < LEDGER_LOGS; log++) {
        struct buf why = { .at = room, .capacity = sizeof room, .max = sizeof room };
        if (anchor_one(k, (enum ledger_log)log, &why) == ST_OK)
            continue;
        metric_add(METRIC_ANCHOR_FAILURES, NULL, 1);
        if (!k->failing && !failed)
            log_event(LOG_ERROR_LEVEL, "anchor.failed", LOG_F_REASON("the folder of `ledger { anchor }` cannot be written: a database that is put "
                                                               "back to an older copy will not be noticed by it"));
        failed = true;
    }
    if (k->failing && !failed)
        log_event(LOG_INFO_LEVEL, "anchor.written", LOG_F_REASON("the anchor can be written again"));
    k->failing = failed;
}

static void *
run(void *arg)
{
    struct anchor_keeper *k = arg;

    (void)pthread_mutex_lock(&k->lock);
    for (bool last = false; !last;) {
        struct timespec until;
        last = k->ending;
        (void)pthread_mutex_unlock(&k->lock);
        anchor_all(k);
        (void)pthread_mutex_lock(&k->lock);
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += (time_t)k->seconds;
        while (!k->ending && pthread_cond_timedwait(&k->wake, &k->lock, &until) == 0)
            ;
    }
    (void)pthread_mutex_unlock(&k->lock);
    return NULL;
}

void
anchor_keeper_stop(struct anchor_keeper **keeper)
{
    struct anchor_keeper *k = *keeper;

    if (k == NULL)
        return;
    (void)pthread_mutex_lock(&k->lock);
    k->ending = true;
    (void)pthread_cond_signal(&k->wake);
    (void)pthread_mutex_unlock(&k->lock);
    (void)pthread_join(k->thread, NULL);
    (void)pthread_cond_destroy(&k->wake);
    (void)pthread_mutex_destroy(&k->lock);
    free(k->dir);
    free(k);
    *keeper = NULL;
}
