/* consent/obligation.h -- what a permit obliges to, and the words that go along.
 *
 * 42 CFR 2.32(a): each disclosure made with consent carries one of two
 * notices, word for word; 2.32(b): and a copy of the consent or a clear
 * explanation of its scope.  The notice goes only where Part 2 content goes
 * (not to a recipient whose copy holds none: promise 2).
 *
 * Carried inside the payload, so that it is still there once stored: in the
 * Bundle's meta (never in a resource: those stay byte for byte).
 */
#ifndef SLUICE_CONSENT_OBLIGATION_H
#define SLUICE_CONSENT_OBLIGATION_H

#include "base/json_splice.h"
#include "consent/decision.h"

extern const char obligation_notice_long[];      /* N1, 2.32(a)(1) */
extern const char obligation_notice_short[];     /* N2, 2.32(a)(2) */

const char *obligation_code(enum obligation);    /* "notice-2.32" … one bit */
const char *obligation_text(enum obligation);

/* The clear explanation of the consent's scope for this recipient only
 * (2.32(b); never the patient's other recipients). */
struct span obligation_explain_consent(const struct consent *, const struct facts *, struct arena *);
/* Adds notice and explanation to the bundle that the splices edit. */
enum status obligation_attach(struct splices *, const struct bundle *, uint32_t obligations,
                              const struct consent *const *consents, size_t consent_count,
                              const struct facts *, struct arena *) MUST_CHECK;

#endif
