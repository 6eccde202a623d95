/* gateway/ledger/tree.h -- the growing edge of one log, and sealing a record.
 *
 *     ledger_seal     record as authored -> chain written, salt drawn, commitment
 *     ledger_grow     leaf hash -> tree; tells of every tile that became full
 *
 * A tile is 256 consecutive hashes of one level (c2sp.org/tlog-tiles): level 0
 * holds leaf hashes, level l + 1 the roots of full tiles of level l.  Full tiles
 * are what a store keeps beside the leaves, so that roots and proofs of any
 * size cost a few tiles instead of all leaves.
 *
 * The salt is 32 bytes of the system's random source, drawn in bulk and wiped
 * as used.  A random source that fails is fatal: a ledger must not go on with
 * salts that can be guessed.
 */
#ifndef SLUICE_GATEWAY_LEDGER_TREE_H
#define SLUICE_GATEWAY_LEDGER_TREE_H

#include "gateway/ledger/merkle.h"

#define TILE_HASHES 256u
#define TILE_BITS   8u
#define TILE_LEVELS 8u                   /* 256^8 leaves */

struct ledger_tree {
    struct merkle_frontier edge;
    struct ledger_hash     chain;        /* `hash` of the last record; zeros: none */
    struct ledger_hash     tile[TILE_LEVELS][TILE_HASHES];   /* the rightmost of each level, filling */
};

struct ledger_salts {
    unsigned char bytes[128 * 32];
    size_t        left;
};

struct ledger_sealed {
    unsigned char      salt[32];
    struct span        record;           /* in the scratch buffer, until the next seal */
    struct ledger_hash commitment, leaf;
    struct ledger_hash chain;            /* the record's `hash` */
};

/* ST_MALFORMED: not a record of record.h. */
enum status ledger_seal(struct digest *, struct ledger_salts *, const struct ledger_hash *previous,
                        struct span record, struct buf *scratch, struct ledger_sealed *out) MUST_CHECK;

/* A tile that the leaf completed. */
typedef enum status ledger_on_tile(void *arg, unsigned level, uint64_t n,
                                   const struct ledger_hash hashes[TILE_HASHES]);
enum status ledger_grow(struct digest *, struct ledger_tree *, const struct ledger_hash *leaf,
                        ledger_on_tile *, void *arg) MUST_CHECK;

/* SHA-256(salt || record), then its leaf. */
void ledger_commit_hash(struct digest *, const unsigned char salt[32], struct span record,
                        struct ledger_hash *commitment);
/* Checks the two members of the chain inside a record; *hash is its `hash`.
 * ST_INTEGRITY when `hash` is not what it should be; `previous` NULL: unknown. */
enum status ledger_chain_check(struct digest *, const unsigned char salt[32], struct span record,
                               const struct ledger_hash *previous, struct ledger_hash *hash) MUST_CHECK;

#endif
