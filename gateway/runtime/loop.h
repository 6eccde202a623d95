/* gateway/runtime/loop.h -- event loops: one thread and one event_base each.
 *
 * Share-nothing: a connection, its exchanges and its curl handles belong to
 * one loop and are touched on its thread only.  The one thing other threads
 * may do to a loop is loop_post().  A completion is posted, never delivered
 * from inside the call that armed it.
 */
#ifndef SLUICE_GATEWAY_RUNTIME_LOOP_H
#define SLUICE_GATEWAY_RUNTIME_LOOP_H

#include <event2/event.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

struct loop;

/* Embedded in whatever has to run on a loop; the loop never frees it. */
struct task {
    struct task *next;
    void       (*run)(struct task *);
};

struct loop *loop_new(uint32_t index);            /* NULL: no memory or no fd */
void         loop_free(struct loop **);
enum status  loop_start(struct loop *) MUST_CHECK; /* its own thread; signals blocked in it */
/* Asks it to end after this turn and joins; on its own thread it only asks.
 * What was posted before still runs, what is posted after is dropped. */
void         loop_stop(struct loop *);
/* For tests and tools: on this thread, until loop_stop() is called on it.
 * Blocks SIGPIPE in the thread. */
void         loop_run_here(struct loop *);

/* Any thread, any time before loop_free.  Runs on the loop's thread, in the
 * order posted, on a later turn. */
void loop_post(struct loop *, struct task *);
/* This turn's end: objects that were in use by callbacks are freed here. */
void loop_finally(struct loop *, struct task *);

/* run(arg) once at this turn's end, however often it is asked for in the turn:
 * for what serves many as well as one.  On another thread than the loop's: at once. */
void loop_once(struct loop *, void (*run)(void *arg), void *arg);

struct event_base  *loop_base(struct loop *);
struct arena_pool  *loop_arenas(struct loop *);
uint32_t            loop_index(const struct loop *);
/* Monotonic microseconds, and the wall clock in epoch milliseconds; read on
 * the first question of a turn and the same until its end.  On the loop's
 * thread only. */
int64_t             loop_now_us(struct loop *);
int64_t             loop_clock_ms(struct loop *);

#endif
