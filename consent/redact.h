/* consent/redact.h -- plan -> sealed splices -> bytes that were read again.
 *
 * B1..B5 of docs/redaction-rules.md.  No mark says that anything went.
 * The result is parsed again, must resolve every reference that it resolved
 * before, and must hold none of the evidence that caused a cut; otherwise
 * ST_INTEGRITY, nothing leaves, and the case goes to a person (B4).
 */
#ifndef SLUICE_CONSENT_REDACT_H
#define SLUICE_CONSENT_REDACT_H

#include "base/json_splice.h"
#include "consent/plan.h"

/* Edits for a plan, not yet sealed, so that obligations can be attached.
 * With plan->kept == 0 the root is cut. */
enum status redact_edit(const struct plan *, struct arena *, struct splices **out) MUST_CHECK;
/* Reads the sealed result again.  *leak (may be NULL) says what was found. */
enum status redact_check(const struct plan *, const struct labeling *, const struct facts *,
                         struct span result, struct arena *, struct span *leak) MUST_CHECK;

#endif
