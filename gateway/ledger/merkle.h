/* gateway/ledger/merkle.h -- the tree of RFC 9162 section 2.1.
 *
 *   leaf   SHA-256(0x00 || entry)             entry: the 32 bytes of a commitment
 *   node   SHA-256(0x01 || left || right)     left: the largest power of two that is
 *                                             smaller than the number of leaves
 *   empty  SHA-256("")
 *
 * A subtree of 2^level leaves that starts at a multiple of 2^level never
 * changes again once it is full.  So the growing edge of the tree is a list
 * of full subtrees, one a set bit of the size (the frontier), and every root
 * and proof is made of full subtrees.  Where they come from is the caller's
 * business: a merkle_source reads one by level and index.
 *
 * Pure but for the digest that it hashes with.
 */
#ifndef SLUICE_GATEWAY_LEDGER_MERKLE_H
#define SLUICE_GATEWAY_LEDGER_MERKLE_H

#include "gateway/ledger/digest.h"

#define MERKLE_LEVELS 64
/* No proof is longer: a path down and, for consistency, one node more. */
#define MERKLE_PROOF_MAX (MERKLE_LEVELS + 1)

/* full[k] is the root of the last full subtree of 2^k leaves.  Where bit k of
 * the size is set it belongs to the edge; elsewhere it was joined into a
 * larger one already (and is what a tile of hashes wants to know). */
struct merkle_frontier {
    uint64_t           size;                     /* leaves */
    struct ledger_hash full[MERKLE_LEVELS];
};

void merkle_leaf(struct digest *, const void *entry, size_t length, struct ledger_hash *out);
void merkle_node(struct digest *, const struct ledger_hash *left, const struct ledger_hash *right,
                 struct ledger_hash *out);

void merkle_append(struct digest *, struct merkle_frontier *, const struct ledger_hash *leaf);
void merkle_root(struct digest *, const struct merkle_frontier *, struct ledger_hash *out);

/* Root of the full subtree of 2^level leaves from index * 2^level on. */
typedef enum status merkle_subtree(void *arg, unsigned level, uint64_t index, struct ledger_hash *out);
struct merkle_source {
    merkle_subtree *subtree;
    void           *arg;
};

struct merkle_proof {
    size_t             count;
    struct ledger_hash hash[MERKLE_PROOF_MAX];   /* from the leaf's side upward */
};

/* Root of leaves [from, to), which is the tree of size `to` for from 0. */
enum status merkle_range(struct digest *, const struct merkle_source *, uint64_t from, uint64_t to,
                         struct ledger_hash *out) MUST_CHECK;
/* RFC 9162 2.1.3.1; index < size. */
enum status merkle_prove_inclusion(struct digest *, const struct merkle_source *, uint64_t index,
                                   uint64_t size, struct merkle_proof *out) MUST_CHECK;
/* RFC 9162 2.1.4.1; first <= second.  Empty when first is 0 or second. */
enum status merkle_prove_consistency(struct digest *, const struct merkle_source *, uint64_t first,
                                     uint64_t second, struct merkle_proof *out) MUST_CHECK;

/* RFC 9162 2.1.3.2 and 2.1.4.2. */
bool merkle_verify_inclusion(struct digest *, uint64_t index, uint64_t size, const struct ledger_hash *leaf,
                             const struct merkle_proof *, const struct ledger_hash *root);
bool merkle_verify_consistency(struct digest *, uint64_t first, uint64_t second,
                               const struct merkle_proof *, const struct ledger_hash *first_root,
                               const struct ledger_hash *second_root);

#endif
