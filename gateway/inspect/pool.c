#include "gateway/inspect/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#define SLICE 16u

struct inspectors {
    struct inspector_options options;
    struct workers   *threads;
    _Atomic bool      ending;
    pthread_mutex_t   lock;              /* over `busy` */
    uint32_t          count;
    bool             *busy;
    struct inspector *of[];              /* one a thread */
};

static void run(struct job *);
static void on_slice(struct task *);

struct inspectors *
inspectors_new(const struct inspector_options *options, uint32_t processes, uint32_t max_queue)
{
    struct inspectors *p = calloc(1, sizeof *p + processes * sizeof p->of[0]);

    if (p == NULL)
        return NULL;
    p->options = *options;
    pthread_mutex_init(&p->lock, NULL);
    p->busy = calloc(processes, sizeof *p->busy);
    bool fine = p->busy != NULL;
    for (; fine && p->count < processes; p->count++)
        fine = (p->of[p->count] = inspector_new(options)) != NULL;
    p->threads = fine ? workers_new(processes, max_queue) : NULL;
    if (p->threads == NULL)
        inspectors_free(&p);
    return p;
}

void
inspectors_free(struct inspectors **pool)
{
    struct inspectors *p = *pool;

    if (p == NULL)
        return;
    atomic_store(&p->ending, true);
    workers_free(&p->threads);
    for (uint32_t i = 0; i < p->count; i++)
        inspector_free(&p->of[i]);
    pthread_mutex_destroy(&p->lock);
    free(p->busy);
    free(p);
    *pool = NULL;
}

struct inspector *
inspectors_another(const struct inspectors *p)
{
    return inspector_new(&p->options);
}

static void
submit(struct inspecting *w)
{
    w->job = (struct job){ .done.run = on_slice, .home = w->home, .run = run };
    if (workers_submit(w->pool->threads, &w->job))
        return;
    w->dropped = true;
    loop_post(w->home, &w->done);
}

void
inspectors_ask(struct inspectors *p, struct inspecting *w)
{
    w->pool    = p;
    w->dropped = false;
    submit(w);
}

/* There are as many as threads. */
static uint32_t
take(struct inspectors *p)
{
    uint32_t i = 0;

    pthread_mutex_lock(&p->lock);
    while (p->busy[i])
        i++;
    assert(i < p->count);
    p->busy[i] = true;
    pthread_mutex_unlock(&p->lock);
    return i;
}

static void
run(struct job *job)
{
    struct inspecting *w    = (struct inspecting *)(void *)job;
    struct inspectors *p    = w->pool;
    uint32_t           mine = take(p);

    for (uint32_t n = 0; n < SLICE && !atomic_load(&p->ending) && inspected_goes_on(w->table); n++)
        (void)inspector_read(p->of[mine], w->table);
    pthread_mutex_lock(&p->lock);
    p->busy[mine] = false;
    pthread_mutex_unlock(&p->lock);
}

/* On the loop. */
static void
on_slice(struct task *task)
{
    struct inspecting *w = (struct inspecting *)(void *)task;

    if (inspected_goes_on(w->table))
        submit(w);
    else
        loop_post(w->home, &w->done);
}
