/* inspect/frame.h -- what the gateway and sluice-inspect say to each other.
 *
 * Two sockets.  Over the first, which lives as long as the helper, the helper says
 * which build it is when it is ready, and the gateway sends one byte with a descriptor (SCM_RIGHTS): the socket of one document.
 * The helper forks; the child reads the request from that socket, writes the answer and
 * ends.  Then the helper says over the first how it ended (frame_end).  A child
 * has no way to the first socket, so it can lie about its own document only.
 *
 *     hello     "SLh1"  build 64 bytes
 *     request   "SLq1"  form u32  length u32            length bytes
 *     answer    "SLa1"  readable u32  reason u32  parts u32
 *               parts times:  kind u32  length u32      length bytes
 *     end       signal u32  cpu_ms u32  scarce u32      0: it ended by itself; there was enough
 *
 * Numbers are in the order of the machine: both ends are one build, which is seen by F4.
 *
 * F1  A request is at most FRAME_MAX_DOCUMENT, an answer at most FRAME_MAX_ANSWER.
 * F2  An answer with anything missing, over, or not of this list is garbage, and
 *     its document unreadable.  Zero is unreadable.
 * F3  SIGKILL is never of a document's making: behind its filter a child can send no
 *     signal, and SIGXCPU ends it before the kernel would.  A child that could not be
 *     locked in ends itself by it, before it reads a byte.  `scarce`: there was no process, or
 *     the address space that a document may take was not to be had when it ended.
 * F4  The build is the digest of the sources that read and label (CMakeLists.txt): what a reader of
 *     another build says may be right and is still not what this gateway would be told.  A hello
 *     keeps this form in every version; one that is not whole, or other, is a mismatch.
 */
#ifndef SLUICE_INSPECT_FRAME_H
#define SLUICE_INSPECT_FRAME_H

#include "base/buf.h"
#include "consent/inspected.h"

#define FRAME_MAX_DOCUMENT ((size_t)64 << 20)
#define FRAME_MAX_ANSWER   ((size_t)16 << 20)
#define FRAME_MAX_PARTS    1024u

enum reason {
#define REASON(name, code, words) REASON_##name,
#include "inspect/reasons.def"
#undef REASON
    REASON_COUNT
};

const char *reason_code(enum reason);
const char *reason_text(enum reason);    /* "it is encrypted"; empty for NONE */
bool        reason_is_fault(enum reason);    /* of the machine: nothing is known of the document */

struct frame_hello   { char magic[4], build[64]; };
struct frame_request { char magic[4]; uint32_t form, length; };
struct frame_head    { char magic[4]; uint32_t readable, reason, parts; };
struct frame_part    { uint32_t kind, length; };
struct frame_end     { uint32_t signal, cpu_ms, scarce; };

struct answer {                          /* what is being put together; parts are appended */
    struct buf  bytes;
    uint32_t    parts;
    enum reason reason;                  /* NONE: readable so far; the first one stays */
};

void answer_init(struct answer *);
void answer_release(struct answer *);
void answer_part(struct answer *, enum inspected_kind, struct span);    /* too much: REASON_LARGE */
void answer_unreadable(struct answer *, enum reason);
struct frame_head answer_head(const struct answer *);

/* A whole answer.  false: garbage.  The parts borrow `bytes`; at most FRAME_MAX_PARTS. */
struct frame_answer { bool readable; enum reason reason; uint32_t count; struct inspected_part parts[FRAME_MAX_PARTS]; };
bool frame_read(struct span bytes, struct frame_answer *out);
struct frame_hello frame_hello(void);     /* ours */
bool frame_hello_fine(const struct frame_hello *);
struct frame_request frame_request_of(enum document_form, size_t length);
bool frame_request_fine(const struct frame_request *);

#endif
