/* gateway/ops/shredding.h -- records of the ledger that nobody has to keep any more are destroyed.
 *
 * What `sluice log shred` asks for, done on the store of the running gateway (over the control socket) or, when none
 * runs, on a store that the command has opened.
 *
 *   request  { "before": date or instant, "why": text, "dryRun": bool }
 *   answer   { "before", "destroyed": N, "held": N, "records": [ eventId ] } or { "refused": text } or { "failed": text }
 *
 * Rules:
 *   1  Nothing that is younger than `ledger { retention-years }`, by the time that it happened; seven if it is not said, six
 *      at least (45 CFR 164.316(b)(2)(i), 164.530(j); 42 CFR 2.25(a) looks back three).
 *   2  Nothing of a patient under `legal-hold`, alone or among others; "all" holds everything.
 *   3  Disclosures, voids, denials and readings alone: papers, reviews and rows of the store rest on the others.
 *   4  SHRED_BATCH at a time: what is destroyed and the record that says so are one commit, so a part of it that was done is recorded.
 *   5  Commitments stay, and every proof holds.  Copies elsewhere are the holder's to destroy: exports, backups.
 */
#ifndef SLUICE_GATEWAY_OPS_SHREDDING_H
#define SLUICE_GATEWAY_OPS_SHREDDING_H

#include <sys/types.h>

#include "base/buf.h"
#include "gateway/ops/config.h"
#include "gateway/store/store.h"

#define SHRED_BATCH         2000u
#define SHRED_REQUEST_BYTES ((size_t)8192)

void shredding_do(struct store *, const struct config *, struct span request, uid_t who, struct buf *answer);

#endif
