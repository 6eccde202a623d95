/* gateway/deliver/claims.h -- deliveries that wait are claimed when they are due.
 *
 * One timer on the first loop.  A claim takes at most CLAIM_MAX due rows, one
 * a (recipient, patient), and spreads them over the loops; each becomes an
 * exchange of its own.  Woken when a delivery ended that others wait behind,
 * when a retry is due, and at the start for everything that waits.
 */
#ifndef SLUICE_GATEWAY_DELIVER_CLAIMS_H
#define SLUICE_GATEWAY_DELIVER_CLAIMS_H

#include "gateway/gateway.h"

struct claims;
struct outgoing;

struct claims *claims_new(struct gateway *);
enum status    claims_start(struct claims *) MUST_CHECK;
void           claims_stop(struct claims *);
/* Any thread: the store was asked and its answer has not come.  A loop that stops
 * before it came would never give back what the claim holds. */
bool           claims_under_way(const struct claims *);
void           claims_free(struct claims **);
void           claims_wake(struct claims *);

/* D5: a dead letter of which no byte can have left takes its record back. */
void deliver_add_void(struct outgoing *, struct store_unit *);
/* Log line and metric of one try. */
void deliver_note(const struct outgoing *);

#endif
