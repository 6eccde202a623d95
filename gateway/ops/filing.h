/* gateway/ops/filing.h -- papers are filed, ended and marked as reviewed.
 *
 * What `sluice file` asks for, done on the store of the running gateway (over the
 * control socket) or, when none runs, on a store that the command has opened.
 *
 *   request  { "do": "add" | "end" | "review", "id", "at": instant, "why": text,
 *              "again": bool, "byPatient": bool }
 *   papers   of add: as somebody handed them in (consent/paper.h)
 *   answer   { "filed": [ { "id", "kind", "version", "lacks" } ], "refused": [ text ],
 *              "failed": text }
 *
 * All of it is done, durably, or nothing is.  Who asks stands in the record by
 * account; that account is the gateway's own or root (control.h), or owns the store.
 */
#ifndef SLUICE_GATEWAY_OPS_FILING_H
#define SLUICE_GATEWAY_OPS_FILING_H

#include <sys/types.h>

#include "base/buf.h"
#include "gateway/store/store.h"

#define FILING_BYTES ((size_t)16 << 20)

/* The answer is whole in any case; when there is no memory for one it says so. */
void filing_do(struct store *, struct span request, struct span papers, uid_t who, struct buf *answer);

int64_t filing_now_ms(void);

#endif
