/* consent/contained.h -- Consents that are only contained in another resource.
 *
 * "contained resources do not have an identity of their own" (R4 references.html#contained):
 * such a Consent cannot be read, revoked or given a next version by itself, so nobody could take back what it
 * permits (42 CFR 2.31(a)(6)).  It permits nothing; what it refuses is heard, as of the Bundle that brings
 * it; the sender and the review queue are told, so that somebody enters it.
 *
 * It is of the patient that it names, in its Bundle or as written; one that names nobody is of the patient of
 * the resource around it.  Those inside of nested Bundles are left to the release of these.
 */
#ifndef SLUICE_CONSENT_CONTAINED_H
#define SLUICE_CONSENT_CONTAINED_H

#include "consent/facts.h"
#include "fhir/reference.h"

/* Of a Bundle, into out, which has room for so many; NULL: only how many.  They go behind precedents_apply():
 * an id inside of a resource is no Consent's. */
size_t contained_consents(const struct bundle *, const struct references *, struct consent_source *out);
/* Whether this Consent is one, and not an entry. */
bool   consent_is_contained(const struct bundle *, tape_node consent);

#endif
