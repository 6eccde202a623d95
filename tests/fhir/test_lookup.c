#include "tests/fhir/fhir_check.h"

#include "fhir/lookup.h"

static void
test_finds_what_was_put_in(void **state)
{
    struct arena       *arena = test_arena();
    uint32_t            count = 1000;
    struct lookup_item *items = arena_make_n(arena, count, struct lookup_item);

    (void)state;
    for (uint32_t i = 0; i < count; i++)
        items[i] = (struct lookup_item){ .key = arena_format(arena, "key-%u-%0*d", i, (int)(i % 40), 7), .value = i };
    const struct lookup *l = lookup_build(items, count, arena);
    assert_int_equal(lookup_count(l), count);
    for (uint32_t i = 0; i < count; i++) {
        struct span key = arena_format(arena, "key-%u-%0*d", i, (int)(i % 40), 7);
        uint32_t    at  = lookup_find(l, key);
        assert_int_equal(lookup_value(l, at), i);
        assert_span(lookup_key(l, at), key);
        assert_int_equal(lookup_first(l, at), at);
        assert_int_equal(lookup_next(l, at), LOOKUP_NONE);
    }
    assert_int_equal(lookup_find(l, SPAN("key")), LOOKUP_NONE);
    assert_int_equal(lookup_find(l, SPAN("")), LOOKUP_NONE);
    assert_int_equal(lookup_value(l, LOOKUP_NONE), LOOKUP_NONE);
    assert_int_equal(lookup_next(l, LOOKUP_NONE), LOOKUP_NONE);
    assert_int_equal(lookup_first(l, LOOKUP_NONE), LOOKUP_NONE);
    assert_int_equal(lookup_key(l, LOOKUP_NONE).length, 0);
    arena_free(&arena);
}

static void
test_equal_keys_stay_in_the_order_they_came(void **state)
{
    struct arena       *arena = test_arena();
    uint32_t            count = 100000;
    struct lookup_item *items = arena_make_n(arena, count, struct lookup_item);

    (void)state;
    for (uint32_t i = 0; i < count; i++)
        items[i] = (struct lookup_item){ .key = i % 3 == 0 ? SPAN("a") : SPAN("b"), .value = i };
    const struct lookup *l    = lookup_build(items, count, arena);
    uint32_t             want = 0;
    for (uint32_t at = lookup_find(l, SPAN("a")); at != LOOKUP_NONE; at = lookup_next(l, at), want += 3) {
        assert_int_equal(lookup_value(l, at), want);
        assert_int_equal(lookup_first(l, at), lookup_find(l, SPAN("a")));      /* and not by walking back */
    }
    assert_true(want >= count);
    arena_free(&arena);
}

static void
test_an_empty_one_finds_nothing(void **state)
{
    struct arena        *arena = test_arena();
    const struct lookup *l     = lookup_build(NULL, 0, arena);

    (void)state;
    assert_non_null(l);
    assert_int_equal(lookup_find(l, SPAN("a")), LOOKUP_NONE);
    arena_free(&arena);
}

static void
test_no_memory_is_no_lookup(void **state)
{
    struct lookup_item items[40] = { 0 };

    (void)state;
    for (size_t budget = 16; budget < 1500; budget += 200) {
        struct arena *arena = arena_new("small", budget);
        assert_null(lookup_build(items, 40, arena));
        arena_free(&arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_what_was_put_in),
        cmocka_unit_test(test_equal_keys_stay_in_the_order_they_came),
        cmocka_unit_test(test_an_empty_one_finds_nothing),
        cmocka_unit_test(test_no_memory_is_no_lookup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
