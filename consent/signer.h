/* consent/signer.h -- who signed a consent, and whether they could.
 *
 * 42 CFR 2.31(a)(8): the patient, or who 2.14 and 2.15 say.  Consent.performer
 * is read as who signed, Consent.dateTime as when.  What is known of the
 * patient is facts.h's circumstances; where nothing is known, the form is
 * believed.
 *
 *   W1  Who signed for the patient must be one of the representatives, and have
 *       been one on the day of the signature (2.15(a)(1), 2.31(c)(4)).
 *   W2  Where state law lets a minor consent alone, the minor has signed (2.14(a)).
 *   W3  Where state law asks for the parent's consent to treatment, both have (2.14(b)).
 *
 * What fails is deficient (policy.h V3): it releases no Part 2 record, and
 * still denies.
 */
#ifndef SLUICE_CONSENT_SIGNER_H
#define SLUICE_CONSENT_SIGNER_H

#include "consent/policy.h"

/* Fills the signers of a consent that is being compiled. */
void        signer_read(struct consent *, struct arena *);
/* Why its signature does not release a Part 2 record; NULL: nothing is known against it. */
const char *signer_deficiency(const struct consent *, const struct facts *);

#endif
