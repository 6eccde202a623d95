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
 * N4  The documents of one table may take INSPECTOR_TABLE_FACTOR times the processor time of one
 *     in all; past that the table is refused (inspected.h, I3).
 * N5  The helper inherits no descriptor but its own, no environment, no signal mask.
 */
#ifndef SLUICE_GATEWAY_INSPECT_INSPECTOR_H
#define SLUICE_GATEWAY_INSPECT_INSPECTOR_H

#include "base/buf.h"
#include "inspect/frame.h"

#define INSPECTOR_MEMORY_BYTES       ((uint64_t)1 << 30)
#define INSPECTOR_CPU_SECONDS        2u
#define INSPECTOR_WALL_FACTOR        10u
#define INSPECTOR_WALL_LEAST_SECONDS 10u
#define INSPECTOR_TABLE_FACTOR       15u

struct inspector_options {
    const char *program;                 /* must outlive the inspector */
    uint64_t    memory_bytes;
    uint32_t    cpu_seconds;
    uint32_t    wall_seconds;            /* 0: by N2 */
};

struct inspector;

/* What a configuration says when it says nothing; the helper beside the program
 * unless `program` is one.  The path lives in the arena. */
struct inspector_options inspector_options(struct span program, struct arena *);
struct inspector *inspector_new(const struct inspector_options *);
void              inspector_free(struct inspector **);
/* Reads the first open question of the table and answers it; how it went. */
enum reason       inspector_read(struct inspector *, struct inspected_table *);
/* All of them; `with` is the inspector.  For an inspected_asker. */
void              inspector_answer(struct inspected_table *, void *with);

/* Whether it is there and its sandbox holds on this machine (`sluice-inspect --check`). */
bool        inspector_works(const char *program, struct buf *why);

#endif
