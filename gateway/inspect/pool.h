/* gateway/inspect/pool.h -- helpers for the exchanges of a gateway, and threads that wait for them.
 *
 * A job has the open questions of one exchange's table answered, SLICE at a time: then
 * it goes behind those that wait.  The exchange waits meanwhile; what is
 * posted to its loop is the end of the whole job.
 *
 * O1  No loop ever waits for a helper.
 * O2  A queue that is full is our fault and not the document's: 503, nothing is
 *     held for it (0016), and no recipient's bytes depend on who else is here.
 */
#ifndef SLUICE_GATEWAY_INSPECT_POOL_H
#define SLUICE_GATEWAY_INSPECT_POOL_H

#include "gateway/inspect/inspector.h"
#include "gateway/runtime/worker.h"

struct inspectors;

struct inspecting {                      /* one exchange's; the first members are its own */
    struct job              job;
    struct task             done;        /* posted when all is answered, refused, or cannot be now */
    struct loop            *home;
    struct inspected_table *table;
    struct inspectors      *pool;
    bool                    dropped;     /* O2 */
};

struct inspectors *inspectors_new(const struct inspector_options *, uint32_t processes, uint32_t max_queue);
void               inspectors_free(struct inspectors **);      /* leaves what is not begun */
/* For a thread that may wait by itself. */
struct inspector  *inspectors_another(const struct inspectors *);
/* done, home and table are set; from the loop `home`. */
void               inspectors_ask(struct inspectors *, struct inspecting *);

#endif
