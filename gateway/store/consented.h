/* gateway/store/consented.h -- who may have a Consent, known without asking the store thread.
 *
 * Most pushes are about patients who never had a Consent stored, and to learn
 * just that they would wait for the store thread, that is, for the commit that
 * it is in.  This is a Bloom filter (Bloom, Communications of the ACM 13(7),
 * 1970) over the patients of the table `consent`.
 *
 * Rules:
 *   1  A patient is added before the commit that writes a Consent of theirs, and
 *      is never taken out: neither by a deletion nor by a commit that failed.
 *   2  So somebody whom it does not know had no Consent, in no version, as of any
 *      generation that was committed before it was looked at.  Somebody whom it
 *      knows may have one, and then the store thread is asked.
 *   3  One writer, any number of readers, no lock.  The generation is published
 *      after the patient is added, and read before the patient is looked up.
 *   4  It has 1 MiB.  Of 100,000 patients with Consents, one question in
 *      200,000 is asked in vain; of a million, one in 50.  Who chooses ids so that they
 *      meet gains nothing but questions.
 */
#ifndef SLUICE_GATEWAY_STORE_CONSENTED_H
#define SLUICE_GATEWAY_STORE_CONSENTED_H

#include <stdbool.h>

#include "base/span.h"

struct consented;

struct consented *consented_new(void);                    /* nobody; NULL: no memory */
void              consented_free(struct consented **);    /* NULL is fine */
void              consented_add(struct consented *, struct span patient);
bool              consented_may(const struct consented *, struct span patient);

#endif
