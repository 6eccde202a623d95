/* base/hash.h -- a keyed hash: SipHash-2-4 (Aumasson and Bernstein, 2012).
 *
 * For tables whose entries a sender chooses.  Without the key nobody can make
 * entries meet; the pure layers have no secret, so a table takes its key from
 * all that will be put into it (base/json_names.c): whoever changes an entry
 * changes the key.  Not for integrity, and not for short-lived secrets: 64
 * bits.
 *
 *     struct hash h = hash_begin(k0, k1);
 *     hash_add(&h, one);
 *     hash_add(&h, two);                    as if both were one text
 *     uint64_t value = hash_end(&h);
 */
#ifndef SLUICE_BASE_HASH_H
#define SLUICE_BASE_HASH_H

#include <stdint.h>

#include "base/span.h"

struct hash {
    uint64_t v[4];
    uint64_t tail;                       /* bytes that do not fill a word yet */
    uint64_t length;
};

struct hash hash_begin(uint64_t k0, uint64_t k1);
void        hash_add(struct hash *, struct span);
uint64_t    hash_end(struct hash *);

#endif
