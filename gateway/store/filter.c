/* gateway/store/filter.c -- a Bloom filter of 1 MiB. */
#include "gateway/store/filter.h"

#include <stdatomic.h>
#include <stdlib.h>

#define BITS  (1u << 23)
#define WORDS (BITS / 64)
#define MARKS 4u

struct filter {
    _Atomic uint64_t words[WORDS];
};

/* Kirsch and Mitzenmacher, Less Hashing, Same Performance (2006): the marks
 * are first, first + step, first + 2 step ... */
struct marks { uint32_t at, step; };

static struct marks
marks_of(uint64_t hash)
{
    return (struct marks){ (uint32_t)hash, (uint32_t)(hash >> 32) | 1 };
}

static uint64_t
bit_of(uint32_t at)
{
    return UINT64_C(1) << (at & 63);
}

struct filter *
filter_new(void)
{
    return calloc(1, sizeof(struct filter));
}

void
filter_free(struct filter **f)
{
    free(*f);
    *f = NULL;
}

/* No read-modify-write: nobody else writes. */
void
filter_add(struct filter *f, uint64_t hash)
{
    struct marks m = marks_of(hash);

    for (unsigned i = 0; i < MARKS; i++, m.at += m.step) {
        _Atomic uint64_t *word = &f->words[m.at % BITS / 64];
        uint64_t          now  = atomic_load_explicit(word, memory_order_relaxed) | bit_of(m.at);
        atomic_store_explicit(word, now, memory_order_relaxed);
    }
}

bool
filter_may(const struct filter *f, uint64_t hash)
{
    struct marks m = marks_of(hash);

    for (unsigned i = 0; i < MARKS; i++, m.at += m.step)
        if ((atomic_load_explicit(&f->words[m.at % BITS / 64], memory_order_relaxed) & bit_of(m.at)) == 0)
            return false;
    return true;
}
