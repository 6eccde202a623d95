/* consent/explain.h -- why, for audit and for the patient.
 *
 * Prints a release as the JSON of `sluice explain --json` (one schema, one
 * member order) or as plain text: verdict, rule number, citation, consent and
 * provision, what went with it and why, obligations.
 */
#ifndef SLUICE_CONSENT_EXPLAIN_H
#define SLUICE_CONSENT_EXPLAIN_H

#include "base/buf.h"
#include "base/json_author.h"
#include "consent/release.h"

enum status explain_json(const struct release *, struct arena *, struct buf *out, enum author_form) MUST_CHECK;
enum status explain_text(const struct release *, struct arena *, struct buf *out) MUST_CHECK;

#endif
