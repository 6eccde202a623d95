/* consent/redact.h -- plan -> splices -> bytes that were read again.
 *
 * B1..B5 of docs/redaction-rules.md.  No mark says that anything went.
 *
 * B4, the check of the sealed result:
 *   - it is read again by the tape, as any document that came from outside;
 *   - walked beside the input, each of its values is one of the input that the
 *     plan lets go, or one that the plan wrote anew; nothing else is in it;
 *   - every reference that resolved before resolves again;
 *   - no name, identifier or mark of what is withheld, and no name of a
 *     program that is closed to the recipient, is in any reading of any
 *     string: base64, gzip, percent, JSON escapes, entities.
 * Otherwise ST_INTEGRITY: nothing leaves, and the case goes to a person.
 * A value that was seen to be the input's, byte for byte, is known already: a
 * reference between entries that came through with their names resolves, and
 * a string whose words were looked for in vain holds none of them now.  What
 * this cannot tell is asked of the result, read as a Bundle of its own.
 * Where nothing was cut there is nothing to check.
 */
#ifndef SLUICE_CONSENT_REDACT_H
#define SLUICE_CONSENT_REDACT_H

#include "base/json_splice.h"
#include "consent/plan.h"

/* Edits for a plan, not yet sealed, so that obligations can be attached.
 * With plan->kept == 0 the root is cut. */
enum status redact_edit(const struct plan *, struct arena *, struct splices **out) MUST_CHECK;
/* Reads the sealed result again.  *leak (may be NULL) says what was found, in
 * words that hold no text of the payload. */
enum status redact_check(const struct plan *, struct span result, struct arena *, struct span *leak) MUST_CHECK;

#endif
