/* gateway/ledger/merkle.c -- the tree of RFC 9162 section 2.1. */
#include "gateway/ledger/merkle.h"

#include <assert.h>

void
merkle_leaf(struct digest *d, const void *entry, size_t length, struct ledger_hash *out)
{
    digest_begin(d);
    digest_add(d, "\0", 1);
    digest_add(d, entry, length);
    digest_end(d, out);
}

void
merkle_node(struct digest *d, const struct ledger_hash *left, const struct ledger_hash *right,
            struct ledger_hash *out)
{
    unsigned char both[1 + 2 * sizeof left->bytes];

    both[0] = 0x01;
    for (size_t i = 0; i < sizeof left->bytes; i++) {
        both[1 + i]                      = left->bytes[i];
        both[1 + sizeof left->bytes + i] = right->bytes[i];
    }
    digest_begin(d);
    digest_add(d, both, sizeof both);
    digest_end(d, out);
}

/* Adding a leaf is adding one to a binary number: each carry joins two full
 * subtrees of one size. */
void
merkle_append(struct digest *d, struct merkle_frontier *f, const struct ledger_hash *leaf)
{
    struct ledger_hash carry = *leaf;
    unsigned           level = 0;

    for (; f->size >> level & 1; level++) {
        struct ledger_hash right = carry;
        merkle_node(d, &f->full[level], &right, &carry);
        f->full[level] = right;
    }
    f->full[level] = carry;
    f->size++;
}

void
merkle_root(struct digest *d, const struct merkle_frontier *f, struct ledger_hash *out)
{
    bool any = false;

    for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
        if ((f->size >> level & 1) == 0)
            continue;
        if (any)
            merkle_node(d, &f->full[level], out, out);
        else
            *out = f->full[level];
        any = true;
    }
    if (!any) {
        digest_begin(d);
        digest_end(d, out);
    }
}

/* The largest power of two smaller than n, as an exponent; n >= 2. */
static unsigned
split_level(uint64_t n)
{
    return 63u - (unsigned)__builtin_clzll(n - 1);
}

/* Any range that a proof asks for starts at a multiple of the power of two
 * that is not smaller than its length, so its largest full subtree comes
 * first, then the next: the bits of the length from the top. */
enum status
merkle_range(struct digest *d, const struct merkle_source *source, uint64_t from, uint64_t to,
             struct ledger_hash *out)
{
    struct ledger_hash parts[MERKLE_LEVELS];
    size_t             count = 0;

    if (from == to) {
        digest_begin(d);
        digest_end(d, out);
        return ST_OK;
    }
    for (uint64_t at = from; at < to;) {
        unsigned level = 63u - (unsigned)__builtin_clzll(to - at);
        enum status st = source->subtree(source->arg, level, at >> level, &parts[count]);
        if (st != ST_OK)
            return st;
        count++;
        at += UINT64_C(1) << level;
    }
    *out = parts[--count];
    while (count > 0)
        merkle_node(d, &parts[--count], out, out);
    return ST_OK;
}

static void
reverse(struct merkle_proof *proof)
{
    for (size_t i = 0; i < proof->count / 2; i++) {
        struct ledger_hash swap           = proof->hash[i];
        proof->hash[i]                    = proof->hash[proof->count - 1 - i];
        proof->hash[proof->count - 1 - i] = swap;
    }
}

/* Down from the root, keeping the side that is not taken. */
enum status
merkle_prove_inclusion(struct digest *d, const struct merkle_source *source, uint64_t index,
                       uint64_t size, struct merkle_proof *out)
{
    uint64_t from = 0;
    uint64_t to   = size;

    assert(index < size);
    out->count = 0;
    while (to - from > 1) {
        uint64_t    middle = from + (UINT64_C(1) << split_level(to - from));
        bool        left   = index < middle;
        enum status st     = left ? merkle_range(d, source, middle, to, &out->hash[out->count])
                                  : merkle_range(d, source, from, middle, &out->hash[out->count]);
        if (st != ST_OK)
            return st;
        out->count++;
        from = left ? from : middle;
        to   = left ? middle : to;
    }
    reverse(out);
    return ST_OK;
}

/* SUBPROOF(m, D, b): `known` is b, "the subtree at hand is the old tree as a
 * whole", whose root the verifier has. */
enum status
merkle_prove_consistency(struct digest *d, const struct merkle_source *source, uint64_t first,
                         uint64_t second, struct merkle_proof *out)
{
    uint64_t from  = 0;
    uint64_t to    = second;
    bool     known = true;

    assert(first <= second);
    out->count = 0;
    if (first == 0 || first == second)
        return ST_OK;
    while (first < to) {
        uint64_t    middle = from + (UINT64_C(1) << split_level(to - from));
        bool        left   = first <= middle;
        enum status st     = left ? merkle_range(d, source, middle, to, &out->hash[out->count])
                                  : merkle_range(d, source, from, middle, &out->hash[out->count]);
        if (st != ST_OK)
            return st;
        out->count++;
        known = known && left;
        from  = left ? from : middle;
        to    = left ? middle : to;
    }
    if (!known) {
        enum status st = merkle_range(d, source, from, to, &out->hash[out->count]);
        if (st != ST_OK)
            return st;
        out->count++;
    }
    reverse(out);
    return ST_OK;
}

bool
merkle_verify_inclusion(struct digest *d, uint64_t index, uint64_t size, const struct ledger_hash *leaf,
                        const struct merkle_proof *proof, const struct ledger_hash *root)
{
    if (index >= size)
        return false;
    uint64_t           fn = index;
    uint64_t           sn = size - 1;
    struct ledger_hash r  = *leaf;

    for (size_t i = 0; i < proof->count; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) != 0 || fn == sn) {
            merkle_node(d, &proof->hash[i], &r, &r);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            merkle_node(d, &r, &proof->hash[i], &r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && ledger_hash_eq(&r, root);
}

bool
merkle_verify_consistency(struct digest *d, uint64_t first, uint64_t second,
                          const struct merkle_proof *proof, const struct ledger_hash *first_root,
                          const struct ledger_hash *second_root)
{
    if (first > second)
        return false;
    if (first == second)
        return proof->count == 0 && ledger_hash_eq(first_root, second_root);
    if (first == 0)
        return proof->count == 0;

    /* RFC 9162 2.1.4.2: a first tree that is one full subtree is itself the
     * first node of the path. */
    bool     whole = (first & (first - 1)) == 0;
    size_t   at    = 0;
    uint64_t fn    = first - 1;
    uint64_t sn    = second - 1;
    if (!whole && proof->count == 0)
        return false;
    struct ledger_hash fr = whole ? *first_root : proof->hash[at++];
    struct ledger_hash sr = fr;

    for (; (fn & 1) != 0; fn >>= 1)
        sn >>= 1;
    for (; at < proof->count; at++) {
        const struct ledger_hash *c = &proof->hash[at];
        if (sn == 0)
            return false;
        if ((fn & 1) != 0 || fn == sn) {
            merkle_node(d, c, &fr, &fr);
            merkle_node(d, c, &sr, &sr);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            merkle_node(d, &sr, c, &sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && ledger_hash_eq(&fr, first_root) && ledger_hash_eq(&sr, second_root);
}
