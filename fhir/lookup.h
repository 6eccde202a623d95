/* fhir/lookup.h -- texts to numbers, for indexes over what a sender chose.
 *
 * A sorted table with a directory on top: entries are ordered by a 64-bit
 * hash, then by text, then as they came; the directory over the top bits of
 * the hash makes a lookup constant in practice.  Nobody can make it slow: keys
 * that were chosen to collide fall back to a binary search, never to a walk.
 * (A plain hash table without a secret seed is quadratic under such keys, and
 * pure code has no secret.)
 *
 * Lifetime: arena; borrows the texts.  Immutable once built.
 */
#ifndef SLUICE_FHIR_LOOKUP_H
#define SLUICE_FHIR_LOOKUP_H

#include "base/arena.h"
#include "base/span.h"

struct lookup;

struct lookup_item {
    struct span key;
    uint32_t    value;
    uint64_t    hash;                    /* filled in by lookup_build */
};

#define LOOKUP_NONE ((uint32_t)-1)

/* Sorts `items`, which must live as long as the lookup.  NULL: arena spent. */
const struct lookup *lookup_build(struct lookup_item *items, uint32_t count, struct arena *);

/* Position of the first item with this key, in the order they came; the next
 * ones with the same key follow.  LOOKUP_NONE when there is none. */
uint32_t lookup_find(const struct lookup *, struct span key);
uint32_t lookup_first(const struct lookup *, uint32_t position);     /* the first one with its key */
uint32_t lookup_next(const struct lookup *, uint32_t position);
uint32_t lookup_value(const struct lookup *, uint32_t position);
struct span lookup_key(const struct lookup *, uint32_t position);
uint32_t lookup_count(const struct lookup *);
uint64_t lookup_hash(struct span);

#endif
