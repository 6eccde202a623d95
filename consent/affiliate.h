/* consent/affiliate.h -- of what the one who asks is a part, for refusals alone (rule M12).
 *
 *   M12  A refusal that names an organization reaches those that are part of it (R4 Organization.partOf),
 *        legal entities of their own among them: whom a patient refuses by the name of a health system is not
 *        told apart by who is incorporated how.  A permit never does: it reaches the workforce of the legal
 *        entity that it names, and nobody else (42 CFR 2.31(a)(4)(i); M2).  A consent that names the
 *        affiliate itself is narrower than a refusal of the whole, and beats it (K3).  With
 *        `site { refusal-stops-at-entity }` a refusal reaches no further than a permit.
 *
 *   1  What it is part of is known from the registration (party.part_of), from what is known of the actors, from
 *      the Bundle that is decided about, and from the Bundle in which the refusal came.
 *   2  Upwards only, and transitively, as far as AFFILIATE_MOST names; a cycle ends itself.  A refusal of a part
 *      is none of the whole.
 *   3  It narrows, so anybody's word will do: an Organization of any sender that says so.
 *
 * Cost: one look at the Organizations of the Bundle a recipient; of the Bundle of a refusal once for each
 * actor that it names and that is not the recipient itself.
 */
#ifndef SLUICE_CONSENT_AFFILIATE_H
#define SLUICE_CONSENT_AFFILIATE_H

#include "consent/match.h"

#define AFFILIATE_MOST 32u                /* names, of which one organization may have two */

/* By registration, actors and the asker's own bundle. */
enum status affiliation_read(const struct asker *, struct affiliation *out) MUST_CHECK;
/* Whether a refusal that names this one, resolved to these identifiers, reaches who asks. */
bool        affiliation_reaches(const struct asker *, const struct target *, const struct consent *,
                                const struct identifier *identifiers, size_t count);

#endif
