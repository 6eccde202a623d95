/* consent/purpose.h -- purposes of use and what includes what.
 *
 * The codes and their tree are rows of purposes.def (HL7 v3-ActReason).
 *
 *   U1  A rule on a purpose is one on everything below it.
 *   U2  For a Part 2 record a permit of a purpose does not reach codes that
 *       have to be named themselves (NAMED and LEGAL in purposes.def): a
 *       consent for treatment is none for a clinical trial.
 *   U3  The system may be written as CodeSystem, as ValueSet URL, as OID or
 *       URN, or in the form before terminology.hl7.org.
 *
 *   U4  Fundraising has no code in v3-ActReason; FUNDRAISING is one of our own
 *       (https://sluice.example/fhir/CodeSystem/purpose).
 *
 *   U5  Who is registered for purposes may claim those and what they cover (U2):
 *       who is registered for operations claims no legal purpose, who is for
 *       treatment breaks no glass.  A claim beyond that, or of a code that is in no
 *       table, is not within the registration.
 *
 * A code that is not in the table is PURPOSE_NONE; it is equal to nothing.
 */
#ifndef SLUICE_CONSENT_PURPOSE_H
#define SLUICE_CONSENT_PURPOSE_H

#include "base/span.h"

enum purpose {
    PURPOSE_NONE = 0,
#define PURPOSE(code, parent, reach) PURPOSE_##code,
#include "consent/purposes.def"
#undef PURPOSE
    PURPOSE_COUNT
};

typedef uint64_t purpose_set;            /* bit n is purpose n + 1; PURPOSE_NONE is in no set */

#define PURPOSE_BIT(purpose) ((purpose_set)((purpose) != PURPOSE_NONE) << ((purpose) - ((purpose) != PURPOSE_NONE)))

/* Of a set that is not empty. */
static inline enum purpose
purpose_first(purpose_set set)
{
    return (enum purpose)(__builtin_ctzll(set) + 1);
}

enum purpose purpose_of(struct span code);
bool         purpose_system(struct span system);                 /* U3 */
const char  *purpose_code(enum purpose);                         /* "" for PURPOSE_NONE */
bool         purpose_is_a(enum purpose, enum purpose ancestor);  /* U1; every purpose is itself */
bool         purpose_covers(enum purpose listed, enum purpose asked);   /* U2 */
bool         purpose_legal(enum purpose);
bool         purpose_within(struct span claimed, const struct span *registered, size_t count);   /* U5 */

#endif
