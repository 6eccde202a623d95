/* consent/policy.h -- Consent resources compiled to provisions.
 *
 * R4 consent.html.  Reads status, scope, category, patient, dateTime,
 * organization, policyRule, and the provision tree at any depth with type,
 * period, actor, action, securityLabel, purpose, class, code, dataPeriod,
 * data.  A Consent is the index of the signed form, and its status speaks for the form;
 * where the site wants more, `verification` and what else shows the signature (signer.h W4).
 *
 *   V1  A consent counts when: status active, scope patient-privacy, dateTime
 *       not in the future, root period around the moment (FHIR precision:
 *       2026-11-22 is the whole day), not revoked or expired by an event.
 *       Anything else changes nothing: not what it permits, not what it denies.
 *       What is not understood is no answer: with a status or scope that R4
 *       does not have, two scopes of which one is patient-privacy, a modifierExtension or implicitRules
 *       anywhere in it, a consent denies what it denies and permits nothing.
 *   V2  A consent that counts and cannot be read fully never permits by what
 *       could not be read, and denies by it: a criterion in a wrong form is
 *       indeterminate (an action that R4 does not have, a class, label or code without a code, a
 *       period that ends before it begins), a provision without type denies, a provision that is no
 *       object (the R5 form) denies everything.
 *   V3  42 CFR 2.31(c)(2): a consent that is deficient on its face may not
 *       release a Part 2 record; `consent_deficiency` says what is missing.
 *       It still denies.  Looked for: the date (2.31(a)(9)); a HIPAA
 *       authorization that does not say it is a Part 2 consent (2.32(a)(1),
 *       last sentence); a form that is not the one that was hashed (consent_form.h F3).  The statements of 2.31(a) only where the site demands
 *       them (site_policy.require_statements); that there is no end then counts
 *       for treatment, payment and operations alone (2.31(a)(7)).  Who signed, as far as
 *       something is known against it (signer.h).  A day without a time, in a period of a provision, is a day
 *       where the signer lives, as far as dateTime says how far from UTC that is.
 *   V4  The base decision, where no criterion matches: type of a root without
 *       criteria; else policyRule OPTIN, OPTINR (permit), OPTOUT, OPTOUTE,
 *       EMRGONLY (deny); else none.  When the two contradict each other: deny.
 *   V5  A root without type, but with criteria: R4 calls it "constraints to the
 *       base policyRule" and "an exception to the base policy" at once.  Under
 *       OPTIN it denies what it matches and permits nothing; under OPTOUT all
 *       stays denied.
 *   V6  A nested provision has from its parent what it does not state itself
 *       (consent/provision.h); its period and all periods above must hold.
 *   V7  At most CONSENT_MAX_PROVISIONS; a consent with more denies everything.
 *
 * Events that end a consent are read from extensions of Consent under
 * CONSENT_EXTENSION: "revoked" and "expired" (valueDateTime), the moment at
 * which the revocation was received (not keyed), respectively at which the
 * expiration event happened, 2.31(a)(6), (7).  Statements of 2.31(a):
 * "statement-revocation", "statement-hipaa", "statement-redisclosure",
 * "statement-refusal", "no-expiry" (valueBoolean).
 *
 * Compiled once per set of consents, used for any number of decisions.
 * Lifetime: arena; borrows the tapes of the consents.
 */
#ifndef SLUICE_CONSENT_POLICY_H
#define SLUICE_CONSENT_POLICY_H

#include "consent/facts.h"
#include "consent/label.h"

#define CONSENT_MAX_PROVISIONS 1000
#define CONSENT_EXTENSION "https://sluice.example/fhir/StructureDefinition/consent-"

struct policy;
struct provision;
struct consent;

enum status policy_compile(const struct consent_source *, size_t count, struct arena *,
                           const struct policy **out) MUST_CHECK;
size_t                policy_consents(const struct policy *);
const struct consent *policy_consent(const struct policy *, size_t);
struct span consent_reference(const struct consent *);       /* "Consent/c1" */
/* Whether its sender may be told of what stands against it (precedent.h L6). */
bool        consent_told(const struct consent *);
struct span consent_patient(const struct consent *);         /* "Patient/p1" */
tape_node   consent_node(const struct consent *, const struct tape **);     /* as it was sent */
/* "provision", "provision.provision[0]" … as explain prints it. */
struct span provision_path(const struct provision *, struct arena *);
/* Why a consent does not count at this moment (V1); NULL when it does. */
const char *consent_unusable(const struct consent *, const struct facts *);
/* Why it may not release a Part 2 record (V3); NULL when it may. */
const char *consent_deficiency(const struct consent *, const struct facts *);

/* The next moment (epoch ms, exclusive) at which a period that the policy
 * holds begins or ends after `at_ms`: a decision stays valid until then.
 * INT64_MAX: for ever. */
int64_t policy_valid_until(const struct policy *, int64_t at_ms);

#endif
