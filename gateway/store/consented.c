/* gateway/store/consented.c -- who may have a Consent, known without asking the store thread. */
#include "gateway/store/consented.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/hash.h"

#define BITS  (1u << 23)
#define WORDS (BITS / 64)
#define MARKS 4u

struct consented {
    _Atomic uint64_t words[WORDS];
};

/* Kirsch and Mitzenmacher, Less Hashing, Same Performance (2006): the marks
 * are first, first + step, first + 2 step ... */
struct marks { uint32_t at, step; };

static struct marks
marks_of(struct span patient)
{
    struct hash h = hash_begin(0, 0);

    hash_add(&h, patient);
    uint64_t value = hash_end(&h);
    return (struct marks){ (uint32_t)value, (uint32_t)(value >> 32) | 1 };
}

static uint64_t
bit_of(uint32_t at)
{
    return UINT64_C(1) << (at & 63);
}

struct consented *
consented_new(void)
{
    return calloc(1, sizeof(struct consented));
}

void
consented_free(struct consented **c)
{
    free(*c);
    *c = NULL;
}

void
consented_add(struct consented *c, struct span patient)
{
    struct marks m = marks_of(patient);

    for (unsigned i = 0; i < MARKS; i++, m.at += m.step)
        (void)atomic_fetch_or_explicit(&c->words[m.at % BITS / 64], bit_of(m.at), memory_order_relaxed);
}

bool
consented_may(const struct consented *c, struct span patient)
{
    struct marks m = marks_of(patient);

    for (unsigned i = 0; i < MARKS; i++, m.at += m.step)
        if ((atomic_load_explicit(&c->words[m.at % BITS / 64], memory_order_relaxed) & bit_of(m.at)) == 0)
            return false;
    return true;
}
