/* tests/base/test_buf.c -- bytes that grow to a maximum and no further. */
#include "tests/support/check.h"

#include <stdlib.h>

static void
test_adds_everything_it_knows(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    buf_add(&b, SPAN("a"));
    buf_add_text(&b, "bc");
    buf_add_byte(&b, '-');
    buf_add_u64(&b, UINT64_MAX);
    buf_add_byte(&b, '-');
    buf_add_hex(&b, "\x00\xff\x1a", 3);
    buf_add_format(&b, "-%s%d", "x", 5);
    buf_add(&b, (struct span){ NULL, 0 });
    assert_int_equal(buf_status(&b), ST_OK);
    check_text(buf_span(&b), "abc-18446744073709551615-00ff1a-x5");
    buf_release(&b);
    assert_null(b.at);
}

static void
test_grows_through_many_sizes(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100000);
    for (int i = 0; i < 100000; i++)
        buf_add_byte(&b, (char)('a' + i % 26));
    assert_int_equal(buf_status(&b), ST_OK);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(b.at[i], 'a' + i % 26);
    assert_true(b.capacity <= 100000);
    buf_release(&b);
}

static void
test_holds_the_maximum_exactly_and_stays_failed(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    buf_add_text(&b, "12345");
    buf_add_format(&b, "%s", "67890");                  /* the tenth byte still fits */
    assert_int_equal(buf_status(&b), ST_OK);
    buf_add_byte(&b, 'x');
    assert_int_equal(buf_status(&b), ST_TOO_LARGE);
    buf_add(&b, (struct span){ NULL, 0 });
    assert_int_equal(buf_status(&b), ST_TOO_LARGE);
    check_text(buf_span(&b), "1234567890");
    assert_null(buf_reserve(&b, 0));
    buf_clear(&b);
    assert_int_equal(buf_status(&b), ST_OK);
    assert_int_equal(b.length, 0);
    buf_add_text(&b, "again");
    check_text(buf_span(&b), "again");
    buf_release(&b);
}

static void
test_a_zeroed_buf_refuses_every_byte(void **state)
{
    struct buf b = { 0 };

    (void)state;
    buf_add_byte(&b, 'x');
    assert_int_equal(buf_status(&b), ST_TOO_LARGE);
    buf_release(&b);
}

static void
test_clearing_wipes(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_add_text(&b, "secret");
    buf_clear(&b);
    for (int i = 0; i < 6; i++)
        assert_int_equal(b.at[i], 0);
    buf_release(&b);
}

static void
test_reserves_and_commits(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    char *at = buf_reserve(&b, 50);
    memcpy(at, "hello", 5);
    buf_commit(&b, 5);
    check_text(buf_span(&b), "hello");
    assert_null(buf_reserve(&b, 96));
    assert_int_equal(buf_status(&b), ST_TOO_LARGE);
    buf_release(&b);
}

static void
test_detaching_makes_the_caller_the_owner(void **state)
{
    struct buf b;
    size_t     length;

    (void)state;
    buf_init(&b, 100);
    buf_add_text(&b, "mine");
    char *at = buf_detach(&b, &length);
    check_span(span_from(at, length), SPAN("mine"));
    free(at);
    assert_int_equal(b.length, 0);
    buf_add_text(&b, "new");
    check_text(buf_span(&b), "new");
    buf_release(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adds_everything_it_knows),
        cmocka_unit_test(test_grows_through_many_sizes),
        cmocka_unit_test(test_holds_the_maximum_exactly_and_stays_failed),
        cmocka_unit_test(test_a_zeroed_buf_refuses_every_byte),
        cmocka_unit_test(test_clearing_wipes),
        cmocka_unit_test(test_reserves_and_commits),
        cmocka_unit_test(test_detaching_makes_the_caller_the_owner),
    };
    return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
