/* gateway/runtime/worker.h -- a pool of threads for work that takes long.
 *
 * A job gets immutable inputs and its own memory, runs to its end, and is
 * posted back to the loop it came from.  The queue is bounded: submit says
 * false when it is full, and the caller does the work itself, on its loop.
 */
#ifndef SLUICE_GATEWAY_RUNTIME_WORKER_H
#define SLUICE_GATEWAY_RUNTIME_WORKER_H

#include "gateway/runtime/loop.h"

struct workers;
struct job {
    struct task  done;                   /* posted to `home` when run() is over */
    struct loop *home;
    void       (*run)(struct job *);     /* on a worker */
    struct job  *next;
};

struct workers *workers_new(uint32_t threads, uint32_t max_queue);
void            workers_free(struct workers **);        /* finishes what is queued */
bool            workers_submit(struct workers *, struct job *);

#endif
