/* consent/narrowed.h -- a consent that names a recipient again, later and for less.
 *
 * Two that stand say two things of one recipient: everything, and later some of it.
 * The later, narrower one is followed (weigh.h K5, scenario CV-22); whether the
 * patient meant to add or to take back only they can say, and a person asks.
 *
 *   N1  Both count and permit (policy.h V1), and are of one patient by the name or an
 *       identifier of the Consent.
 *   N2  They name one recipient: by reference, or by an identifier of who is named
 *       (match.h M2).
 *   N3  The older one's root names no data, the newer one's root names some; an older
 *       one without a date is older, as it is in K5.
 *
 * The cost is the product of the wide and the limited ones, a comparison each.
 */
#ifndef SLUICE_CONSENT_NARROWED_H
#define SLUICE_CONSENT_NARROWED_H

#include "consent/match.h"

struct named_recipients;                 /* a consent, and whom its root names */

struct narrowed {
    const struct named_recipients *wide, *limited;
    size_t                         wide_count, limited_count;
};

enum status narrowed_read(const struct policy *, const struct asker *, struct narrowed *out) MUST_CHECK;
/* The wider, older one that this narrows; else the narrower, newer one that narrows this; NULL: neither. */
const struct consent *narrowed_other(const struct narrowed *, const struct consent *);

#endif
