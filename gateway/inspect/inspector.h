/* gateway/inspect/inspector.h -- the gateway's end of sluice-inspect.
 *
 * One helper process, asked by one thread at a time, and the thread waits: never
 * one of a loop.  It starts with the first document and again after every end of it.
 *
 * N1  Every way in which a helper can fail makes the document unreadable, with a
 *     reason, and nothing else: it dies, it is killed, it says too much or nonsense,
 *     it says nothing.  The next document has a helper again.
 * N2  What bounds a document is processor time (RLIMIT_CPU of its process), so
 *     that a busy machine changes no answer.  The clock on the wall ends only a
 *     process that stands still: after WALL_FACTOR times as long, and WALL_LEAST_SECONDS at least.
 * N3  A document has its own socket, which no other one's process ever had.
 * N4  The helper inherits no descriptor but its own, no environment, no signal mask.
 */
#ifndef SLUICE_GATEWAY_INSPECT_INSPECTOR_H
#define SLUICE_GATEWAY_INSPECT_INSPECTOR_H

#include "base/buf.h"
#include "inspect/frame.h"

#define INSPECTOR_WALL_FACTOR        10u
#define INSPECTOR_WALL_LEAST_SECONDS 10u

struct inspector_options {
    const char *program;                 /* must outlive the inspector */
    uint64_t    memory_bytes;
    uint32_t    cpu_seconds;
    uint32_t    wall_seconds;            /* 0: by N2 */
};

struct inspector;

struct inspector *inspector_new(const struct inspector_options *);
void              inspector_free(struct inspector **);
/* Reads the first open question of the table and answers it; how it went. */
enum reason       inspector_read(struct inspector *, struct inspected_table *);

/* Where the helper is: beside the program that runs.  Empty when that cannot be told. */
struct span inspector_beside(struct arena *);
/* Whether it is there and its sandbox holds on this machine (`sluice-inspect --self-test`). */
bool        inspector_works(const char *program, struct buf *why);

#endif
