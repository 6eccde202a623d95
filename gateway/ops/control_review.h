/* gateway/ops/control_review.h -- the review queue, over the control socket.
 *
 * One JSON object in, one JSON document out:
 *
 *   {"word":"list","id":N,"kind":…,"patient":…,"recipient":…,"state":…,"after":N,"limit":N}   review_text.h
 *   {"word":"show","id":N}      the item with what was done about it
 *   {"word":"content","id":N}   the resource itself, as it came
 *   {"word":"release"|"refuse","id":N,"why":…,"as":…,"finding":"clear"|"part2"}
 *
 * A refusal is {"error":text,"exit":code of cli/exit.h}.
 *
 *   A1  Reading is for the gateway's own user, root, and whom a `reviewer` section names.
 *   A2  Acting is for whom a section names alone, by the account that the kernel says (SO_PEERCRED): not
 *       for root, and not for the gateway's user.  Of several sections of one account `as` says which.
 *   A3  The section's roles have to hold one of those that the item's kind asks for (consent/review.def).
 *   A4  An act is durable, with its record in the log of denials and the delivery that follows from
 *       it, before it has an effect and before it is answered.  A try that was not permitted is recorded as well.
 *   A5  What was released may be refused later, and the other way round: from then on.  Doing the same
 *       again does nothing and is not recorded.
 */
#ifndef SLUICE_GATEWAY_OPS_CONTROL_REVIEW_H
#define SLUICE_GATEWAY_OPS_CONTROL_REVIEW_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/json_author.h"

struct gateway;

void control_review(struct gateway *, uid_t peer, bool own, struct span line, struct buf *out);
/* For `sluice status`. */
void control_review_status(struct gateway *, author_value root);

#endif
