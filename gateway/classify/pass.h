/* gateway/classify/pass.h -- the pass over what is stored, behind everything else.
 *
 * A thread of its own that wakes when the configuration was read again, and every
 * PASS_LOOK_MS beside.  When pushes are stored under another version than that of
 * the configuration in effect, it classifies them again, oldest first, a step at a
 * time: read, label, write what differs together with the mark (store/classes.h S3).
 *
 *   P1  It takes at most a quarter of one core: after a step it rests three times as
 *       long as the step took.
 *   P2  A step is at most PASS_PUSHES pushes and PASS_BYTES of bodies, and one unit of
 *       work that may wait for the next commit.
 *   P3  It changes no release and no delivery: these label anew when they leave.
 *   P4  What cannot be read any more and was no Part 2 record becomes suspect.  A fault of the reader of documents
 *       (inspect/inspector.h, N6) is none of that: the pass waits there.
 *   P5  A configuration that comes meanwhile begins the pass again, from the first push.
 */
#ifndef SLUICE_GATEWAY_CLASSIFY_PASS_H
#define SLUICE_GATEWAY_CLASSIFY_PASS_H

#include "consent/inspected.h"
#include "gateway/gateway.h"
#include "gateway/store/classes.h"

#define PASS_PUSHES  64
#define PASS_BYTES   ((size_t)4 << 20)
#define PASS_LOOK_MS 1000

struct pass;

/* NULL: no memory, or no thread. */
struct pass *pass_start(struct gateway *);
/* Any thread: look now; again: from the first push, whatever the version. */
void         pass_wake(struct pass *, bool again);
void         pass_stop(struct pass **);                  /* before the store is closed; NULL inside is fine */

/* What one push becomes: a step of the pass, in the arena; also what a dry run
 * counts.  `was` of a class is filled where it becomes confirmed. */
enum status  pass_step(const struct config *, struct store *, const struct store_push *,
                       const struct inspected_asker *, struct arena *,
                       struct store_step *, struct store_pass *count) MUST_CHECK;

#endif
