/* gateway/store/consented.c -- who may have a Consent, known without asking the store thread. */
#include "gateway/store/consented.h"

#include "base/hash.h"

static uint64_t
hash_of(struct span patient)
{
    struct hash h = hash_begin(0, 0);

    hash_add(&h, patient);
    return hash_end(&h);
}

void
consented_add(struct filter *f, struct span patient)
{
    filter_add(f, hash_of(patient));
}

bool
consented_may(const struct filter *f, struct span patient)
{
    return filter_may(f, hash_of(patient));
}
