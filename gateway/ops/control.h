/* gateway/ops/control.h -- the control socket: what `sluice status` and `reload` talk to.
 *
 * A Unix socket (option admin { socket }; default `PATH-OF-STORE.sock`), mode 0600; a peer is
 * believed when its uid is ours or 0 (SO_PEERCRED).  One line in ("status",
 * "reload", "reclassify", "drain", "file N M" with N and M bytes behind it: gateway/ops/filing.h; "reading N": gateway/ops/reading.h; "shred N": gateway/ops/shredding.h),
 * one JSON document out, close.  Its own thread, so it
 * answers when the loops are busy.
 *
 * A line that is a JSON object is about the review queue (control_review.h).  With
 * admin { socket-group } the mode is 0660 and the group's members are let in; a peer that is
 * neither us nor root may ask that alone, and is known by its uid.
 */
#ifndef SLUICE_GATEWAY_OPS_CONTROL_H
#define SLUICE_GATEWAY_OPS_CONTROL_H

#include "base/buf.h"
#include "base/status.h"

#define CONTROL_LINE_BYTES 8192

struct control;
struct gateway;                          /* gateway/gateway.h; gateway_reload() is there too */

enum status control_start(struct control **, struct gateway *, struct buf *why) MUST_CHECK;
void        control_stop(struct control **);             /* NULL inside is fine */

/* The other side, for commands: sends one line, reads the answer. ST_IO when
 * nobody listens. */
/* The same with `more` behind the line; ST_NOT_FOUND when nobody listens there. */
enum status control_ask_with(struct span socket_path, const char *line, const struct span *more, size_t more_count,
                             struct buf *answer, struct buf *why) MUST_CHECK;
enum status control_ask(struct span socket_path, const char *line, struct buf *answer, struct buf *why) MUST_CHECK;

#endif
