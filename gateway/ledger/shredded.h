/* gateway/ledger/shredded.h -- which leaves the log itself says were destroyed (records of kind shredding), for verifying.
 *
 * Read before the rest: such records are in the log of denials, and that they are what was written is verified with it.
 */
#ifndef SLUICE_GATEWAY_LEDGER_SHREDDED_H
#define SLUICE_GATEWAY_LEDGER_SHREDDED_H

#include "base/json_tape.h"
#include "gateway/ledger/record.h"

#define SHREDDED_MARK "\"kind\":\"shredding\""    /* a line without it is none */
#define SHREDDED_RUNS ((size_t)1 << 22)           /* in all; what is behind counts as not recorded */

struct shredded {
    struct { struct record_run *runs; size_t count, room; } log[LEDGER_LOGS];
};

void shredded_free(struct shredded *);
/* The tape of a whole record; one of another kind adds nothing.  ST_NO_MEMORY. */
enum status shredded_add(struct shredded *, const struct tape *, struct arena *) MUST_CHECK;
void        shredded_ready(struct shredded *);   /* when all are added */
bool        shredded_has(const struct shredded *, enum ledger_log, uint64_t index);

#endif
