/* consent/explain.h -- why, for audit and for the patient.
 *
 * Prints a release as the JSON of `sluice explain --json` (one schema, one
 * member order) or as plain text: verdict, rule number, citation, consent and
 * provision, what went with it and why, obligations.
 *
 *   { "decision": "partial",
 *     "resources": [ { "path", "type", "id", "labels": [], "part2", "verdict", "rule", "citation",
 *                      "consent", "provision", "because", "alsoRemoved": [ { "path", "because" } ],
 *                      "document", "limit", "silent",
 *                      "pack": { "id", "version", "rule", "citation" } } ],
 *     "obligations": [ { "code", "text" } ],
 *     "alsoRemoved": [ ... ], "held": "..." }
 *
 * Every member is always there; consent and provision are null when no
 * consent decided, document when none on file did, limit when all of what it
 * lets go goes; pack is the state's rule that narrowed it, null when none did.  silent: refused in a way that nobody outside can tell from "there
 * is no such thing"; a refusal that is not silent is said to the holder's own
 * staff.  alsoRemoved of a withheld resource lists what went elsewhere because of
 * it, of one that stays what it lost for another reason; at the end what the Bundle
 * itself lost.  "held" only when the last check kept everything back.  Facts about
 * the recipient are claims of whoever wrote the request file.
 *
 * For the people who answer for the data: it names what is withheld, and goes
 * to no recipient.
 */
#ifndef SLUICE_CONSENT_EXPLAIN_H
#define SLUICE_CONSENT_EXPLAIN_H

#include "base/buf.h"
#include "base/json_author.h"
#include "consent/release.h"

enum status explain_json(const struct release *, struct arena *, struct buf *out, enum author_form) MUST_CHECK;
enum status explain_text(const struct release *, struct arena *, struct buf *out) MUST_CHECK;

#endif
