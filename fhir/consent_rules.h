/* fhir/consent_rules.h -- a Consent that decides says whose it is.
 *
 *   consent-patient  Consent.patient has a reference, or an identifier with a
 *                    value.  R4 lets it be absent, or be a display alone: such a
 *                    Consent is tied to nobody and changes nothing, and its denial
 *                    is lost without a word (consent/policy.h).  A warning; an
 *                    error where it would be enforced (validate_options).
 *
 * Asked of those that decide: not of drafts and ended ones, nor of the scopes
 * adr, research and treatment.
 */
#ifndef SLUICE_FHIR_CONSENT_RULES_H
#define SLUICE_FHIR_CONSENT_RULES_H

#include "fhir/finding.h"

void consent_rules(struct report *, tape_node consent, bool enforced);

#endif
