/* tests/gateway/test_identity.c -- gateway/runtime/identity.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "gateway/runtime/identity.h"

static void
test_uuids_are_version_4_and_differ(void **state)
{
    struct arena *arena = arena_new("test", 1 << 20);
    struct span   last  = { 0 };

    for (int i = 0; i < 1000; i++) {
        struct span id = uuid_new(arena);
        assert_int_equal(id.length, 36);
        assert_int_equal(id.at[14], '4');
        assert_true(id.at[19] == '8' || id.at[19] == '9' || id.at[19] == 'a' || id.at[19] == 'b');
        assert_false(span_eq(id, last));
        last = id;
    }
    arena_free(&arena);
    (void)state;
}

static void
test_no_byte_is_drawn_twice(void **state)
{
    unsigned char drawn[32][16];

    for (int i = 0; i < 32; i++)
        random_draw(drawn[i], sizeof drawn[i]);
    for (int i = 0; i < 32; i++)
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(drawn[i], drawn[j], sizeof drawn[i]);
    (void)state;
}

/* FIPS 180-4 example "abc", in one piece and in three. */
static void
test_sha256_is_of_the_concatenation(void **state)
{
    static const char want[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    struct arena     *arena  = arena_new("test", 1 << 16);
    struct span       whole  = SPAN("abc");
    struct span       parts[] = { SPAN("a"), SPAN(""), SPAN("bc") };

    assert_true(span_eq_text(sha256_hex(arena, &whole, 1), want));
    assert_true(span_eq_text(sha256_hex(arena, parts, 3), want));
    arena_free(&arena);
    (void)state;
}

static void
test_a_token_is_short_and_plain(void **state)
{
    assert_true(token_valid(SPAN("a1-B_2.c:3"), 64));
    assert_false(token_valid(SPAN(""), 64));
    assert_false(token_valid(SPAN("abc"), 2));
    assert_false(token_valid(SPAN("a b"), 64));
    assert_false(token_valid(SPAN("a\nb"), 64));
    assert_false(token_valid(SPAN("\"x\""), 64));
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_byte_is_drawn_twice),
        cmocka_unit_test(test_uuids_are_version_4_and_differ),
        cmocka_unit_test(test_sha256_is_of_the_concatenation),
        cmocka_unit_test(test_a_token_is_short_and_plain),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
