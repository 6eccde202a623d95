/* consent/shared_drug.h -- a drug that records of several patients name, as a part of the records of some of them (K1, P4).
 *
 * A Medication that tells of substance use is a program's when only protected records name it (labeling_links.c).
 * Of several patients each one's own records say whether it is, and whose: that somebody else gets it
 * elsewhere, or of another program, makes it no other drug to who may have this one's record.  A record that
 * names it and has no patient counts for each of them.  Of more than SUBJECTS_APART patients they are not told apart.
 */
#ifndef SLUICE_CONSENT_SHARED_DRUG_H
#define SLUICE_CONSENT_SHARED_DRUG_H

#include "consent/labeling.h"
#include "consent/subject.h"

/* Its labels in a Bundle of no other patients than these; those that it has where they are the same.
 * NULL: the arena is spent. */
const struct labeled *shared_drug_of(struct whose *, const struct labeling *, uint32_t entry, const struct subject *, size_t count);

#endif
