/* gateway/store/consented.h -- who may have a Consent, a link or a paper on file, known without asking the store thread.
 *
 * Most pushes are about patients who never had a Consent stored, and to learn
 * just that they would wait for the store thread, that is, for the commit that
 * it is in.  This is a filter (filter.h) over the patients of the tables `consent`, `filing` and `patient_link`.
 *
 * Rules:
 *   1  A patient is added before the commit that writes a Consent of theirs, a link at whichever end, or
 *      files a paper about them, and is never taken out: neither by a deletion nor by a commit that failed.
 *   2  So somebody whom it does not know had no Consent, no link and no paper, in no version, as of any
 *      generation that was committed before it was looked at.  Somebody whom it
 *      knows may have one, and then the store thread is asked.
 *   3  The generation is published after the patient is added, and read before the
 *      patient is looked up.
 *   4  Who chooses ids so that they meet gains nothing but questions.
 */
#ifndef SLUICE_GATEWAY_STORE_CONSENTED_H
#define SLUICE_GATEWAY_STORE_CONSENTED_H

#include "base/span.h"
#include "gateway/store/filter.h"

void consented_add(struct filter *, struct span patient);
bool consented_may(const struct filter *, struct span patient);

#endif
