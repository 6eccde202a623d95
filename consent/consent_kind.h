/* consent/consent_kind.h -- what kind of consent under 42 CFR Part 2 it is.
 *
 * Most consents are general: they name a recipient and purposes.
 * Some are of a kind that the regulation gives conditions of its own:
 *
 *   counseling-notes   R-04, 2.31(b): for SUD counseling notes alone
 *   psychotherapy-notes  45 CFR 164.508(a)(2): for psychotherapy notes alone; no Part 2 record leaves by it
 *   proceedings        R-05, 2.31(d): for proceedings alone, not combined with another purpose
 *   criminal-justice   R-06, 2.35: says from when it can be revoked; until then a revocation waits
 *   central-registry   R-07, 2.34
 *   pdmp               R-08, 2.36
 *   intermediary       R-03, 2.31(a)(4)(ii): names members, or those with a treating
 *                      provider relationship
 *
 * The form says so in an extension under CONSENT_EXTENSION, "kind" (valueCode).
 * Without it, a consent of which every permit is for legal purposes only is one
 * for proceedings, and one of which every permit is for psychotherapy notes
 * only is one for these.  It reaches no SUD counseling note, for which no code
 * exists, and one for counseling notes reaches no psychotherapy note: each
 * regulation asks for a consent of its own.  More extensions: "revocable-from"
 * (valueDateTime), "member-designation" (valueCode
 * treating-provider-relationship), "member" (valueReference, repeats).
 *
 * A recipient may be designated by class (2.31(a)(4)(i)): "recipient-class"
 * (valueCode, repeats) TREATING_PROVIDERS, HEALTH_PLANS, THIRD_PARTY_PAYERS or
 * PROGRAM_OPERATIONS.  Then a permit that names nobody reaches who is of such a
 * class by evidence (weigh.h K10), and nobody else.
 *
 * The right to opt out of fundraising (2.31(a)(5)(iii)): "statement-fundraising"
 * (valueBoolean).
 *
 * What its kind demands and it does not say makes a consent deficient
 * (policy.h V3): it releases no Part 2 record and still denies.
 */
#ifndef SLUICE_CONSENT_CONSENT_KIND_H
#define SLUICE_CONSENT_CONSENT_KIND_H

#include "base/arena.h"

enum consent_kind {
    KIND_GENERAL = 0, KIND_COUNSELING_NOTES, KIND_PROCEEDINGS, KIND_CRIMINAL_JUSTICE, KIND_CENTRAL_REGISTRY,
    KIND_PDMP, KIND_INTERMEDIARY, KIND_PSYCHOTHERAPY, KIND_UNKNOWN, KIND_COUNT,
};

enum designation {                       /* bits */
    DESIGNATED_TREATING = 1 << 0, DESIGNATED_PLANS = 1 << 1, DESIGNATED_PAYERS = 1 << 2, DESIGNATED_OPERATIONS = 1 << 3,
    DESIGNATED_UNKNOWN  = 1 << 4,        /* a class that nobody knows: nobody is of it */
};

typedef uint32_t kind_set;               /* bit n is kind n */

#define KIND_BIT(kind) ((kind_set)1 << (kind))

struct consent;
/* Fills kind, members and what follows from it; of a consent that is compiled otherwise. */
void consent_kind_read(struct consent *, struct arena *);

#endif
