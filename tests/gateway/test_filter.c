/* tests/gateway/test_filter.c -- gateway/store/filter.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/store/filter.h"

#define MEMBERS 100000u

static uint64_t
hash_of(uint64_t n)
{
    n = (n ^ n >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    return (n ^ n >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

static void
test_knows_what_was_added_and_hardly_ever_what_was_not(void **state)
{
    struct filter *f     = filter_new();
    unsigned       wrong = 0;

    (void)state;
    assert_non_null(f);
    assert_false(filter_may(f, hash_of(1)));
    for (uint64_t n = 1; n <= MEMBERS; n++)
        filter_add(f, hash_of(n));
    for (uint64_t n = 1; n <= MEMBERS; n++)
        assert_true(filter_may(f, hash_of(n)));
    for (uint64_t n = MEMBERS + 1; n <= 2 * MEMBERS; n++)
        wrong += filter_may(f, hash_of(n));
    assert_true(wrong < 20);             /* 100,000 / 200,000, and luck */
    filter_free(&f);
    assert_null(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_knows_what_was_added_and_hardly_ever_what_was_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
