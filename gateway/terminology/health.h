/* gateway/terminology/health.h -- whether the terminology server is worth asking now.
 *
 *            3 troubles in a row, or nobody there
 *        UP --------------------------------------> DOWN   nothing is asked
 *         ^                                          |
 *         |  an answer                               |  after failure-seconds
 *         +-------------- PROBING <------------------+
 *                           |    one question goes, all others stay undecided
 *                           +--- anything else: DOWN again
 *
 * So a server that is down is asked once in failure-seconds, whatever comes
 * in.  An answer is any HTTP status that says that somebody worked on it in time:
 * also 404 and what cannot be read.  Trouble is what the next question would
 * meet as well: 5xx, 429, not let in (401, 403, 407), a redirect, an answer that
 * broke off, a deadline that passed.  Nobody there: no connection, or no TLS.
 *
 * Pure; times are milliseconds of the caller's clock.
 */
#ifndef SLUICE_GATEWAY_TERMINOLOGY_HEALTH_H
#define SLUICE_GATEWAY_TERMINOLOGY_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#define HEALTH_TROUBLES    3u
#define HEALTH_LONGEST_MS  (INT64_C(3600) * 1000)    /* of a Retry-After */

enum health_state { HEALTH_UP = 0, HEALTH_DOWN, HEALTH_PROBING };
enum health_event { HEALTH_TROUBLE = 0, HEALTH_NOBODY, HEALTH_ANSWERED };

struct health {
    enum health_state state;
    uint32_t          troubles;          /* in a row */
    int64_t           until_ms;          /* DOWN: until then */
};

/* Whether a question may go now; true turns DOWN that is over into PROBING. */
bool health_may_ask(struct health *, int64_t now_ms);
/* retry_ms: what the server asked for, 0 when nothing. */
void health_note(struct health *, enum health_event, int64_t now_ms, int64_t pause_ms, int64_t retry_ms);
/* The one question of PROBING was not sent after all: another one may be. */
void health_unasked(struct health *, int64_t now_ms);
/* Until when nothing is asked: 0 now, INT64_MAX while one is out to see. */
int64_t health_quiet_until(const struct health *);

#endif
