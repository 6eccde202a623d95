/* consent/release.h -- the whole way from a bundle to what one recipient gets.
 *
 *     label_bundle -> policy_compile -> decide (each entry) -> plan_close
 *       -> redact_edit -> obligation_attach -> seal -> redact_check
 *
 * One call, used by the command line (redact, explain) and by the gateway's
 * stage redact, once a recipient, with labels that all recipients share.
 */
#ifndef SLUICE_CONSENT_RELEASE_H
#define SLUICE_CONSENT_RELEASE_H

#include "consent/redact.h"

enum release_outcome {                   /* the `decision` of explain */
    RELEASE_DENY = 0, RELEASE_HOLD, RELEASE_PARTIAL, RELEASE_PERMIT,
};

struct release {
    enum release_outcome     outcome;
    const struct bundle     *bundle;
    const struct references *references;
    const struct labeling   *labeling;
    const struct policy     *policy;
    const struct plan       *plan;
    const struct splices    *splices;    /* sealed; NULL when nothing leaves */
    struct span              payload;    /* empty when nothing leaves */
    uint32_t                 obligations;/* OBLIGE_* bits of all that leaves */
    int64_t                  valid_until_ms; /* a decision after this moment may differ */
    struct span              leak;       /* why the check held it (HOLD only) */
};

/* labeling may be NULL: then it is made here.  Consents of the facts and of
 * the bundle itself count, those of the bundle that the facts call stale do
 * not.  ST_OK also when nothing may leave. */
enum status release_make(const struct bundle *, const struct references *, const struct labeling *,
                         const struct facts *, struct arena *, const struct release **out) MUST_CHECK;
const char *release_outcome_text(enum release_outcome);   /* "deny" "hold" "partial" "permit" */

#endif
