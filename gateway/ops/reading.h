/* gateway/ops/reading.h -- that somebody at the desk was shown what the log says: `sluice accounting`.
 *
 * Done on the store of the running gateway (over the control socket) or, when none runs, on a store that the command has opened,
 * before a byte of it is printed.
 *
 *   request  { "request": "sluice accounting Patient/p1 …", "patient", "shown": [ eventId ], "sha256": hex, "bytes" }
 *   answer   { "eventId" } of the record, durable by then; or { "failed": text }
 *
 * The record is of kind reading (ledger/record.h); who reads is the account that asks.
 */
#ifndef SLUICE_GATEWAY_OPS_READING_H
#define SLUICE_GATEWAY_OPS_READING_H

#include <sys/types.h>

#include "base/buf.h"
#include "gateway/store/store.h"

#define READING_BYTES ((size_t)256 << 10)

void reading_do(struct store *, struct span request, uid_t who, struct buf *answer);

#endif
