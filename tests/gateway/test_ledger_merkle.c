/* tests/gateway/test_ledger_merkle.c -- RFC 9162 2.1, against its own definition and known vectors. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ledger/merkle.h"
#include "gateway/ledger/tree.h"

#define LEAVES 300u

static struct digest     *d;
static struct ledger_hash leaves[LEAVES];        /* leaf hashes of the entries "leaf 0", "leaf 1" … */

static int
setup(void **state)
{
    char text[32];

    (void)state;
    d = digest_new();
    for (unsigned i = 0; i < LEAVES; i++) {
        int length = snprintf(text, sizeof text, "leaf %u", i);
        merkle_leaf(d, text, (size_t)length, &leaves[i]);
    }
    return d == NULL;
}

static int
teardown(void **state)
{
    (void)state;
    digest_free(&d);
    return 0;
}

/* MTH(D[n]) word for word. */
static struct ledger_hash
mth(size_t from, size_t to)
{
    struct ledger_hash out;

    if (from == to) {
        digest_begin(d);
        digest_end(d, &out);
        return out;
    }
    if (to - from == 1)
        return leaves[from];
    size_t k = 1;
    while (2 * k < to - from)
        k *= 2;
    struct ledger_hash left  = mth(from, from + k);
    struct ledger_hash right = mth(from + k, to);
    merkle_node(d, &left, &right, &out);
    return out;
}

static enum status
from_definition(void *arg, unsigned level, uint64_t index, struct ledger_hash *out)
{
    (void)arg;
    *out = mth((size_t)(index << level), (size_t)((index + 1) << level));
    return ST_OK;
}
static const struct merkle_source source = { from_definition, NULL };

static void
assert_hex(const struct ledger_hash *hash, const char *want)
{
    char text[65] = { 0 };

    ledger_hash_hex(hash, text);
    assert_string_equal(text, want);
}

/* Computed with a few lines of Python's hashlib, not with this code. */
static void
test_known_roots(void **state)
{
    static const struct { size_t size; const char *root; } rows[] = {
        { 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { 1, "1bb97dcc21635d47e2663efdfd0a174686d98dd701352dd2cd06e8b43fd3d305" },
        { 2, "fc5f6b88ff8554f75bb2f9e6f39c31b1936d44b69276edf7b1205a955b9761e3" },
        { 3, "d4f92c8fbb89720eb3b55677c7d7efaddfeb10d11a1a84a0ba8f1a23337faa95" },
        { 7, "5a61fc2b54f9cfa71774f2432143dd40c6cb2b11947faf65a7d3da5cb65199c8" },
        { 8, "c5c2c820ed342fdda8ce896b6b9cf5b8c00a21cc4b20714cc6e5d3c05c35240b" },
        { 255, "d71592a219d4067663eede247f9b54c3f9e0290682d55de09b495b07f1de41c9" },
        { 256, "cf5effdb11d0927a2edf53b0e73c7837f659414e00537da5d90eb5c4c49ff274" },
        { 257, "855b936aa00cb98b5114484249ad39d78a6be93623e26c01e8e487dc02184a5a" },
        { 300, "e7afc82d38944fc7930545328091d45823288c1f734cbdac06396713ebd4b5d5" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct merkle_frontier f = { .size = 0 };
        struct ledger_hash     root;
        for (size_t n = 0; n < rows[i].size; n++)
            merkle_append(d, &f, &leaves[n]);
        merkle_root(d, &f, &root);
        assert_hex(&root, rows[i].root);
    }
}

static void
test_the_edge_gives_the_root_of_every_size(void **state)
{
    struct merkle_frontier f = { .size = 0 };
    struct ledger_hash     root, want;

    (void)state;
    for (size_t n = 0; n <= LEAVES; n++) {
        merkle_root(d, &f, &root);
        want = mth(0, n);
        assert_true(ledger_hash_eq(&root, &want));
        assert_int_equal(merkle_range(d, &source, 0, n, &root), ST_OK);
        assert_true(ledger_hash_eq(&root, &want));
        if (n < LEAVES)
            merkle_append(d, &f, &leaves[n]);
    }
}

static void
test_every_inclusion_is_proved_and_nothing_else_is(void **state)
{
    struct merkle_proof proof;

    (void)state;
    for (size_t size = 1; size <= 70; size++) {
        struct ledger_hash root = mth(0, size);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(merkle_prove_inclusion(d, &source, i, size, &proof), ST_OK);
            assert_true(merkle_verify_inclusion(d, i, size, &leaves[i], &proof, &root));
            assert_false(merkle_verify_inclusion(d, i, size, &leaves[(i + 1) % LEAVES], &proof, &root));
            assert_false(merkle_verify_inclusion(d, size, size, &leaves[i], &proof, &root));
            if (size > 1) {
                assert_false(merkle_verify_inclusion(d, (i + 1) % size, size, &leaves[i], &proof, &root));
                proof.hash[i % proof.count].bytes[3] ^= 1;
                assert_false(merkle_verify_inclusion(d, i, size, &leaves[i], &proof, &root));
                proof.hash[i % proof.count].bytes[3] ^= 1;
                proof.count--;
                assert_false(merkle_verify_inclusion(d, i, size, &leaves[i], &proof, &root));
                proof.count++;
            }
            proof.hash[proof.count++] = root;
            assert_false(merkle_verify_inclusion(d, i, size, &leaves[i], &proof, &root));
        }
    }
}

static void
test_every_consistency_is_proved_and_nothing_else_is(void **state)
{
    struct merkle_proof proof;

    (void)state;
    for (size_t second = 0; second <= 70; second++) {
        struct ledger_hash new_root = mth(0, second);
        for (size_t first = 0; first <= second; first++) {
            struct ledger_hash old_root = mth(0, first);
            assert_int_equal(merkle_prove_consistency(d, &source, first, second, &proof), ST_OK);
            assert_true(merkle_verify_consistency(d, first, second, &proof, &old_root, &new_root));
            if (first > 0 && first < second) {
                struct ledger_hash wrong = old_root;
                wrong.bytes[0] ^= 1;
                assert_false(merkle_verify_consistency(d, first, second, &proof, &wrong, &new_root));
                wrong = new_root;
                wrong.bytes[0] ^= 1;
                assert_false(merkle_verify_consistency(d, first, second, &proof, &old_root, &wrong));
                proof.hash[first % proof.count].bytes[9] ^= 1;
                assert_false(merkle_verify_consistency(d, first, second, &proof, &old_root, &new_root));
            }
            assert_false(merkle_verify_consistency(d, second + 1, second, &proof, &old_root, &new_root));
        }
    }
}

struct tiles {
    unsigned seen[TILE_LEVELS];
};

static enum status
on_tile(void *arg, unsigned level, uint64_t n, const struct ledger_hash hashes[TILE_HASHES])
{
    struct tiles *t = arg;

    assert_int_equal(n, t->seen[level]++);
    if (level == 0)
        assert_memory_equal(hashes, &leaves[n * TILE_HASHES], TILE_HASHES * sizeof hashes[0]);
    return ST_OK;
}

static void
test_a_full_tile_is_told_once_and_its_root_is_the_next_levels_entry(void **state)
{
    struct ledger_tree *tree  = calloc(1, sizeof *tree);
    struct tiles        tiles = { { 0 } };

    (void)state;
    for (size_t i = 0; i < LEAVES; i++)
        assert_int_equal(ledger_grow(d, tree, &leaves[i], on_tile, &tiles), ST_OK);
    assert_int_equal(tiles.seen[0], 1);
    assert_int_equal(tiles.seen[1], 0);
    struct ledger_hash want = mth(0, TILE_HASHES);
    assert_true(ledger_hash_eq(&tree->tile[1][0], &want));
    free(tree);
}

#define RECORD RECORD_PREFIX ",\"eventId\":\"e\"}"

static void
test_sealing_writes_the_chain_and_commits_to_every_byte(void **state)
{
    static struct ledger_salts salts;
    struct ledger_sealed       a, b;
    struct ledger_hash         zero = { { 0 } }, hash, commitment;
    struct buf                 one, two;

    (void)state;
    buf_init(&one, 4096);
    buf_init(&two, 4096);
    assert_int_equal(ledger_seal(d, &salts, &zero, SPAN(RECORD), &one, &a), ST_OK);
    assert_int_equal(ledger_seal(d, &salts, &a.chain, SPAN(RECORD), &two, &b), ST_OK);
    assert_memory_not_equal(a.salt, b.salt, 32);
    assert_int_equal(ledger_chain_check(d, a.salt, a.record, &zero, &hash), ST_OK);
    assert_true(ledger_hash_eq(&hash, &a.chain));
    assert_int_equal(ledger_chain_check(d, b.salt, b.record, &a.chain, &hash), ST_OK);
    assert_int_equal(ledger_chain_check(d, b.salt, b.record, &zero, &hash), ST_INTEGRITY);
    assert_int_equal(ledger_chain_check(d, a.salt, b.record, NULL, &hash), ST_INTEGRITY);
    ledger_commit_hash(d, b.salt, b.record, &commitment);
    assert_true(ledger_hash_eq(&commitment, &b.commitment));
    for (size_t i = 0; i < two.length; i++) {                /* every byte is covered by the commitment */
        two.at[i] ^= 1;
        ledger_commit_hash(d, b.salt, b.record, &commitment);
        assert_false(ledger_hash_eq(&commitment, &b.commitment));
        two.at[i] ^= 1;
    }
    assert_int_equal(ledger_seal(d, &salts, &zero, SPAN("{\"eventId\":\"e\"}"), &one, &a), ST_MALFORMED);
    buf_release(&one);
    buf_release(&two);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_known_roots),
        TEST(test_the_edge_gives_the_root_of_every_size),
        TEST(test_every_inclusion_is_proved_and_nothing_else_is),
        TEST(test_every_consistency_is_proved_and_nothing_else_is),
        TEST(test_a_full_tile_is_told_once_and_its_root_is_the_next_levels_entry),
        TEST(test_sealing_writes_the_chain_and_commits_to_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
