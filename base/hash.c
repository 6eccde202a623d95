#include "base/hash.h"

static inline uint64_t
rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static inline void
round_of(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static inline void
take_word(struct hash *h, uint64_t word)
{
    h->v[3] ^= word;
    round_of(h->v);
    round_of(h->v);
    h->v[0] ^= word;
}

struct hash
hash_begin(uint64_t k0, uint64_t k1)
{
    return (struct hash){ .v = { k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                                 k1 ^ 0x7465646279746573u } };
}

/* Words are little-endian whatever the machine; the compiler sees a load. */
static inline uint64_t
word_at(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24
         | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

void
hash_add(struct hash *h, struct span text)
{
    const uint8_t *p    = (const uint8_t *)text.at;
    size_t         left = text.length;

    while (left > 0) {
        unsigned held = (unsigned)(h->length & 7);
        if (held == 0 && left >= 8) {
            take_word(h, word_at(p));
            h->length += 8;
            p += 8;
            left -= 8;
            continue;
        }
        h->tail |= (uint64_t)*p++ << (8 * held);
        h->length++;
        left--;
        if (held == 7) {
            take_word(h, h->tail);
            h->tail = 0;
        }
    }
}

uint64_t
hash_end(struct hash *h)
{
    take_word(h, h->tail | h->length << 56);
    h->v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        round_of(h->v);
    return h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3];
}
