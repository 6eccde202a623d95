/* consent/speaker.h -- who speaks for a record that has no patient of its own (K1); private to subject.c.
 *
 * Whoever refers to it, however many they are; who names its canonical URL (canonical.h); and whoever speaks so
 * for one of these that has no patient either, over at most SUBJECTS_THROUGH of them.  Of those and of who names a
 * URL at most SUBJECTS_APART are told apart.  Where a document inside of an entry names it, each patient of the Bundle may be meant.
 */
#ifndef SLUICE_CONSENT_SPEAKER_H
#define SLUICE_CONSENT_SPEAKER_H

#include "consent/subject.h"

/* Into out, which has room for subjects_most().  False: there are more than are told apart, or no memory. */
bool   speakers_of(struct whose *, uint32_t entry, struct subject *out, size_t *count);
/* The patients of the Bundle, the first SUBJECTS_APART; how many. */
size_t speakers_everybody(struct whose *, struct subject *out);

#endif
