/* gateway/auth/pace.h -- how often a client may ask.
 *
 * Asking whether there is a Consent (also by writing one over it), or what a consent would
 * permit, can be done by guessing; every answer is in the log, and there are at most
 * limits { asks-a-minute } of them for a client in a minute of the clock.  Counts
 * of clients whose titles fall on the same slot are added up: then the bound is
 * met sooner, never later.
 */
#ifndef SLUICE_GATEWAY_AUTH_PACE_H
#define SLUICE_GATEWAY_AUTH_PACE_H

#include <stdatomic.h>

#include "base/span.h"

#define PACE_SLOTS 1024u

struct pace { _Atomic uint64_t slots[PACE_SLOTS]; };     /* minute << 32 | count; zeroed: nobody has asked */

/* Counts one; false: that was one too many in this minute.  Any thread. */
bool pace_ask(struct pace *, struct span client, int64_t now_ms, uint32_t most);

#endif
