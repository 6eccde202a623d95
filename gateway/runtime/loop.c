#include "gateway/runtime/loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "gateway/ops/log.h"

#define ARENAS_HELD_MAX ((size_t)16 << 20)

struct loop {
    struct event_base      *base;
    struct arena_pool      *arenas;
    struct event            wake;
    int                     wake_fd;
    uint32_t                index;
    _Atomic(struct task *)  posted;      /* newest first; turned round when taken */
    struct task            *finals;
    struct task           **finals_end;
    void                  (*once)(void *);   /* NULL: nothing */
    void                   *once_arg;
    atomic_bool             stopping;
    bool                    started;
    pthread_t               thread;
    bool                    clock_read;
    int64_t                 now_us, clock_ms;
};

/* The loop whose turn this thread is in: a post from home needs no wake-up. */
static _Thread_local struct loop *home;

static bool  open_wake(struct loop *);
static void  on_wake(evutil_socket_t, short, void *);
static void *run_thread(void *);
static void  turn(struct loop *);
static void  run_posted(struct loop *);
static void  run_once(struct loop *);
static void  run_finals(struct loop *);
static void  wake(struct loop *);
static void  read_clock(struct loop *);

struct loop *
loop_new(uint32_t index)
{
    struct loop         *loop   = calloc(1, sizeof *loop);
    struct event_config *config = event_config_new();

    if (loop == NULL || config == NULL)
        goto out;
    loop->index      = index;
    loop->wake_fd    = -1;
    loop->finals_end = &loop->finals;
    /* Share-nothing: no libevent object is touched off its loop, so no locks. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    loop->base   = event_base_new_with_config(config);
    loop->arenas = arena_pool_new(ARENAS_HELD_MAX);
    event_config_free(config);
    if (loop->base == NULL || loop->arenas == NULL || !open_wake(loop))
        loop_free(&loop);
    return loop;
out:
    if (config != NULL)
        event_config_free(config);
    free(loop);
    return NULL;
}

void
loop_free(struct loop **loop)
{
    struct loop *l = *loop;

    if (l == NULL)
        return;
    assert(!l->started);
    run_finals(l);
    if (l->wake_fd >= 0) {
        event_del(&l->wake);
        close(l->wake_fd);
    }
    if (l->base != NULL)
        event_base_free(l->base);
    arena_pool_free(&l->arenas);
    free(l);
    *loop = NULL;
}

enum status
loop_start(struct loop *loop)
{
    sigset_t all, before;

    assert(!loop->started);
    atomic_store(&loop->stopping, false);
    /* A thread inherits the mask: signals belong to the main thread alone. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&loop->thread, NULL, run_thread, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0)
        return ST_UNAVAILABLE;
    loop->started = true;
    return ST_OK;
}

void
loop_stop(struct loop *loop)
{
    atomic_store(&loop->stopping, true);
    if (home == loop)
        return;
    wake(loop);
    if (loop->started) {
        pthread_join(loop->thread, NULL);
        loop->started = false;
    }
}

void
loop_run_here(struct loop *loop)
{
    struct loop *outer = home;
    sigset_t     pipe_only;

    /* A peer that has gone is EPIPE, not a signal (OpenSSL writes with write). */
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
    home = loop;
    log_gather(true);
    while (!atomic_load(&loop->stopping))
        turn(loop);
    /* What was posted before the stop still runs. */
    run_posted(loop);
    run_once(loop);
    run_finals(loop);
    log_gather(false);
    home = outer;
    atomic_store(&loop->stopping, false);
}

void
loop_post(struct loop *loop, struct task *task)
{
    struct task *newest = atomic_load_explicit(&loop->posted, memory_order_relaxed);

    do
        task->next = newest;
    while (!atomic_compare_exchange_weak_explicit(&loop->posted, &newest, task,
                                                  memory_order_release, memory_order_relaxed));
    /* Whoever makes the queue non-empty wakes the loop; the others need not. */
    if (newest == NULL && home != loop)
        wake(loop);
}

void
loop_finally(struct loop *loop, struct task *task)
{
    task->next        = NULL;
    *loop->finals_end = task;
    loop->finals_end  = &task->next;
}

void
loop_once(struct loop *loop, void (*run)(void *), void *arg)
{
    if (home != loop) {
        run(arg);
        return;
    }
    if (loop->once != run || loop->once_arg != arg)
        run_once(loop);                  /* one is kept; another's is early */
    loop->once     = run;
    loop->once_arg = arg;
}

struct event_base *
loop_base(struct loop *loop)
{
    return loop->base;
}

struct arena_pool *
loop_arenas(struct loop *loop)
{
    return loop->arenas;
}

uint32_t
loop_index(const struct loop *loop)
{
    return loop->index;
}

int64_t
loop_now_us(struct loop *loop)
{
    read_clock(loop);
    return loop->now_us;
}

int64_t
loop_clock_ms(struct loop *loop)
{
    read_clock(loop);
    return loop->clock_ms;
}

/* ---- the turn ------------------------------------------------------------ */

static bool
open_wake(struct loop *loop)
{
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wake_fd < 0)
        return false;
    /* Edge-triggered: every write is an edge, so the counter is never read. */
    if (event_assign(&loop->wake, loop->base, loop->wake_fd, EV_READ | EV_ET | EV_PERSIST, on_wake, loop) != 0
        || event_add(&loop->wake, NULL) != 0) {
        close(loop->wake_fd);
        loop->wake_fd = -1;
        return false;
    }
    return true;
}

/* Waking is all: the turn runs what was posted. */
static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static void *
run_thread(void *arg)
{
    struct loop *loop = arg;
    char         name[16];

    snprintf(name, sizeof name, "loop-%u", loop->index);
    pthread_setname_np(pthread_self(), name);
    loop_run_here(loop);
    return NULL;
}

static void
turn(struct loop *loop)
{
    bool waiting = atomic_load_explicit(&loop->posted, memory_order_relaxed) != NULL;

    loop->clock_read = false;
    event_base_loop(loop->base, EVLOOP_ONCE | (waiting ? EVLOOP_NONBLOCK : 0));
    run_posted(loop);
    run_once(loop);
    run_finals(loop);
    log_flush();
}

/* Takes what is there now; what these tasks post is for the next turn. */
static void
run_posted(struct loop *loop)
{
    struct task *newest = atomic_exchange_explicit(&loop->posted, NULL, memory_order_acquire);
    struct task *oldest = NULL;

    while (newest != NULL) {
        struct task *older = newest->next;
        newest->next       = oldest;
        oldest             = newest;
        newest             = older;
    }
    while (oldest != NULL) {
        struct task *task = oldest;
        oldest            = task->next;  /* the task may be gone after run() */
        task->run(task);
    }
}

static void
run_once(struct loop *loop)
{
    void (*run)(void *) = loop->once;

    loop->once = NULL;
    if (run != NULL)
        run(loop->once_arg);
}

static void
run_finals(struct loop *loop)
{
    while (loop->finals != NULL) {
        struct task *task = loop->finals;
        loop->finals      = task->next;
        if (loop->finals == NULL)
            loop->finals_end = &loop->finals;
        task->run(task);
    }
}

static void
wake(struct loop *loop)
{
    const uint64_t one = 1;

    /* EAGAIN cannot be: it takes 2^64 - 1 posts.  EINTR is retried. */
    while (write(loop->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

/* Read on the first question of a turn: libevent 2.1 says nothing between
 * the end of its wait and the first callback. */
static void
read_clock(struct loop *loop)
{
    struct timespec t;

    if (loop->clock_read && home == loop)
        return;
    clock_gettime(CLOCK_MONOTONIC, &t);
    loop->now_us = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
    clock_gettime(CLOCK_REALTIME, &t);
    loop->clock_ms   = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
    loop->clock_read = true;
}
