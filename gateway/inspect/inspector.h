/* gateway/inspect/inspector.h -- the gateway's end of sluice-inspect.
 *
 * One helper process, asked by one thread at a time, and the thread waits: never
 * one of a loop.  It starts with the first document and again after every end of it.
 *
 * N1  What a document does to its reader makes it unreadable, with a reason, and nothing else: the
 *     reader crashes, tries what it may not, spends its processor time or its memory, says too
 *     much or nonsense.  The same bytes have the same end on every machine.
 * N2  What bounds a document is processor time (RLIMIT_CPU of its process), so
 *     that a busy machine changes no answer.  The clock on the wall ends only a
 *     process that stands still, which is a fault: after WALL_FACTOR times as long, and WALL_LEAST_SECONDS at least.
 * N3  A document has its own socket, which no other one's process ever had.
 * N4  The documents of one table may take INSPECTOR_TABLE_FACTOR times the processor time of one
 *     in all; past that the table is refused (inspected.h, I3).
 * N5  The helper inherits no descriptor but its own, no environment, no signal mask.
 * N6  What the machine does to the reader is a fault (reason_is_fault()) and no answer: it cannot be started,
 *     is of another build (frame.h, F4), there is no descriptor, process or memory, it is killed from outside, it stands still.  The question
 *     stays open, and the table says so (inspected.h, I5).  A helper that is gone is replaced and asked once more.
 *     The next document has a helper again.
 */
#ifndef SLUICE_GATEWAY_INSPECT_INSPECTOR_H
#define SLUICE_GATEWAY_INSPECT_INSPECTOR_H

#include "base/buf.h"
#include "gateway/ops/config.h"
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
    bool        logs;                    /* faults, when they begin and when they are over */
};

struct inspector;

/* What a configuration says when it says nothing; the helper beside the program
 * unless `program` is one.  The path lives in the arena. */
struct inspector_options inspector_options(struct span program, struct arena *);
struct inspector_options inspector_configured(const struct config *, struct arena *);
struct inspector *inspector_new(const struct inspector_options *);
void              inspector_free(struct inspector **);
/* Reads the first open question of the table and answers it, or sets `fault`; how it went. */
enum reason       inspector_read(struct inspector *, struct inspected_table *);
/* All of them; `with` is the inspector.  For an inspected_asker. */
void              inspector_answer(struct inspected_table *, void *with);

/* What kept the last document of this process from its reader; NONE: nothing did. */
enum reason       inspector_fault(void);

/* Whether it is there, its sandbox holds on this machine within these bounds (`sluice-inspect --check`), and
 * it is of this build. */
bool        inspector_works(const struct inspector_options *, struct buf *why);

#endif
