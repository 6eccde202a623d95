/* tests/base/test_hash.c -- SipHash-2-4, by its published vectors. */
#include "tests/support/check.h"

#include "base/hash.h"

#define K0 0x0706050403020100u
#define K1 0x0f0e0d0c0b0a0908u

static uint64_t
hashed(struct span text)
{
    struct hash h = hash_begin(K0, K1);

    hash_add(&h, text);
    return hash_end(&h);
}

/* Aumasson and Bernstein, SipHash: a fast short-input PRF (2012), appendix A,
 * and the first of the reference implementation's vectors: the key is 00 to
 * 0f, the text 00, 01, 02 ... */
static void
test_gives_the_published_values(void **state)
{
    char text[15];

    (void)state;
    for (int i = 0; i < 15; i++)
        text[i] = (char)i;
    assert_true(hashed(span_from(text, 15)) == 0xa129ca6149be45e5u);
    assert_true(hashed((struct span){ NULL, 0 }) == 0x726fdb47dd0e0e31u);
}

static void
test_pieces_hash_as_the_whole(void **state)
{
    struct chance chance = chance_from(6);
    char          text[64];

    (void)state;
    for (int i = 0; i < 64; i++)
        text[i] = (char)(i * 37);
    for (int round = 0; round < 2000; round++) {
        size_t      length = chance_below(&chance, 65), done = 0;
        struct hash h      = hash_begin(K0, K1);
        while (done < length) {
            size_t piece = 1 + chance_below(&chance, (uint32_t)(length - done));
            hash_add(&h, span_from(text + done, piece));
            done += piece;
        }
        assert_true(hash_end(&h) == hashed(span_from(text, length)));
    }
}

static void
test_another_key_is_another_hash(void **state)
{
    struct hash a = hash_begin(1, 0), b = hash_begin(0, 1), c = hash_begin(0, 0);

    (void)state;
    uint64_t x = hash_end(&a), y = hash_end(&b), z = hash_end(&c);
    assert_true(x != y && y != z && x != z);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gives_the_published_values),
        cmocka_unit_test(test_pieces_hash_as_the_whole),
        cmocka_unit_test(test_another_key_is_another_hash),
    };
    return cmocka_run_group_tests_name("base/hash", tests, NULL, NULL);
}
