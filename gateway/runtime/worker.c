#include "gateway/runtime/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct workers {
    pthread_mutex_t lock;
    pthread_cond_t  more;
    struct job     *first, **last;
    uint32_t        queued, max_queue;
    bool            ending;
    uint32_t        count;
    pthread_t       threads[];
};

static bool        start(struct workers *, uint32_t threads);
static void       *work(void *);
static struct job *take(struct workers *);

struct workers *
workers_new(uint32_t threads, uint32_t max_queue)
{
    struct workers *w = calloc(1, sizeof *w + threads * sizeof w->threads[0]);

    if (w == NULL)
        return NULL;
    w->last      = &w->first;
    w->max_queue = max_queue;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    if (!start(w, threads))
        workers_free(&w);
    return w;
}

void
workers_free(struct workers **workers)
{
    struct workers *w = *workers;

    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_broadcast(&w->more);
    pthread_mutex_unlock(&w->lock);
    for (uint32_t i = 0; i < w->count; i++)
        pthread_join(w->threads[i], NULL);
    pthread_cond_destroy(&w->more);
    pthread_mutex_destroy(&w->lock);
    free(w);
    *workers = NULL;
}

bool
workers_submit(struct workers *w, struct job *job)
{
    bool taken = false;

    job->next = NULL;
    pthread_mutex_lock(&w->lock);
    if (!w->ending && w->queued < w->max_queue) {
        *w->last = job;
        w->last  = &job->next;
        w->queued++;
        taken = true;
        pthread_cond_signal(&w->more);
    }
    pthread_mutex_unlock(&w->lock);
    return taken;
}

static bool
start(struct workers *w, uint32_t threads)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (w->count < threads && pthread_create(&w->threads[w->count], NULL, work, w) == 0) {
        char name[16];
        snprintf(name, sizeof name, "worker-%u", w->count);
        pthread_setname_np(w->threads[w->count], name);
        w->count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return w->count == threads;
}

static void *
work(void *arg)
{
    struct workers *w = arg;
    struct job     *job;

    while ((job = take(w)) != NULL) {
        struct loop *home = job->home;   /* run() may not touch it, but done does */
        job->run(job);
        loop_post(home, &job->done);
    }
    return NULL;
}

/* The oldest job; NULL when the pool ends and nothing is left. */
static struct job *
take(struct workers *w)
{
    struct job *job;

    pthread_mutex_lock(&w->lock);
    while (w->first == NULL && !w->ending)
        pthread_cond_wait(&w->more, &w->lock);
    job = w->first;
    if (job != NULL) {
        w->first = job->next;
        if (w->first == NULL)
            w->last = &w->first;
        w->queued--;
    }
    pthread_mutex_unlock(&w->lock);
    return job;
}
