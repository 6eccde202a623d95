/* consent/policy.h -- Consent resources compiled to provisions.
 *
 * R4 consent.html.  Reads status, scope, category, patient, dateTime,
 * organization, policyRule, and the provision tree at any depth with type,
 * period, actor, action, securityLabel, purpose, class, code, dataPeriod,
 * data.  What it cannot read makes a consent unusable for a permit and is
 * named in `deficiency`; a deny that cannot be read fully still denies.
 *
 *   A consent counts (42 CFR 2.31, cases README rule 1) when: status active,
 *   scope patient-privacy, its own patient, dateTime not in the future,
 *   period covers the moment (FHIR precision: 2026-11-22 is the whole day),
 *   no unknown modifierExtension.
 *
 * Compiled once per set of consents, used for any number of decisions.
 * Lifetime: arena; borrows the tapes of the consents.
 */
#ifndef SLUICE_CONSENT_POLICY_H
#define SLUICE_CONSENT_POLICY_H

#include "consent/facts.h"
#include "consent/label.h"

struct policy;
struct provision;
struct consent;

enum status policy_compile(const struct consent_source *, size_t count, struct arena *,
                           const struct policy **out) MUST_CHECK;
size_t                policy_consents(const struct policy *);
const struct consent *policy_consent(const struct policy *, size_t);
struct span consent_reference(const struct consent *);       /* "Consent/c1" */
struct span consent_patient(const struct consent *);         /* "Patient/p1" */
tape_node   consent_node(const struct consent *, const struct tape **);
/* "provision", "provision.provision[0]" … as explain prints it. */
struct span provision_path(const struct provision *, struct arena *);
/* Why a consent does not count at this moment; NULL when it does. */
const char *consent_unusable(const struct consent *, const struct facts *);

/* The next moment (epoch ms, exclusive) at which a period that the policy
 * holds begins or ends after `at_ms`: a decision stays valid until then.
 * INT64_MAX: for ever. */
int64_t policy_valid_until(const struct policy *, int64_t at_ms);

#endif
