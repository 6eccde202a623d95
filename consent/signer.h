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
 *   W4  Where the site demands that a signature is shown (site_policy.require_signature,
 *       2.31(a)(8)): a `verification` that is verified, beside the form itself
 *       (sourceAttachment or sourceReference); an extension "signature" (valueSignature with
 *       a moment and who); or a Provenance with a signature (when and who) about the Consent in its own Bundle, which
 *       names it by the fullUrl of its entry or, without a server, by type and id; with a version it is that one.  Electronic signatures are signatures.
 *   W5  An extension "doubted" (valueBoolean): whoever keeps the consent knows, or could by reasonable
 *       diligence, that it is materially false (2.31(c)(4)).  The next version without it ends the doubt.
 *       So does a circumstance on file that names it among its "doubts", whatever its versions say, until
 *       that paper is ended: the officer need not have the consent's author send another version.
 *   W6  A form of before 16 Feb 2026, the day of compliance, that names who may have it needs none of the statements
 *       that came with the rule of 2024, where the site honours it (site_policy.legacy_named, H-2).
 *
 * What fails is deficient (policy.h V3): it releases no Part 2 record, and
 * still denies.
 */
#ifndef SLUICE_CONSENT_SIGNER_H
#define SLUICE_CONSENT_SIGNER_H

#include "consent/policy.h"

#define PART2_RULE_COMPLIANCE_MS INT64_C(1771200000000)       /* 2026-02-16, 89 FR 12472 */

/* Fills the signers and what of the consent itself shows its signature, while it is compiled. */
void        signer_read(struct consent *, struct arena *);
/* W4 by Provenance, of all that are compiled together: each Bundle is walked once, however many came in it. */
enum status signers_show(struct consent *, const struct consent_source *, size_t count, struct arena *) MUST_CHECK;
/* Why its signature does not release a Part 2 record; NULL: nothing is known against it. */
const char *signer_deficiency(const struct consent *, const struct facts *);
/* The same of a circumstance that is on file for another identity of the patient (K12): it may say that the
 * patient had to sign, and never that somebody else may. */
const char *signer_linked_deficiency(const struct consent *, const struct circumstance *);
/* W6: the statements of the 2024 rule are not asked of it. */
bool        signer_legacy(const struct consent *, const struct facts *);

#endif
