/* consent/relationship.h -- treating provider relationship by evidence, 42 CFR 2.11.
 *
 * An encounter, a referral or an attribution of the last two years, or an
 * appointment that is not further away than one; a claim in the request is no
 * evidence.  Without a beginning a relationship is not known.
 */
#ifndef SLUICE_CONSENT_RELATIONSHIP_H
#define SLUICE_CONSENT_RELATIONSHIP_H

#include "consent/match.h"

/* Whether who asks is known to treat this patient. */
bool relationship_known(const struct asker *, struct span patient);

#endif
