/* tests/base/test_cursor.c -- a sticky reader for small grammars. */
#include "tests/support/check.h"

#include "base/cursor.h"

static bool
is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static void
test_reads_a_production_and_is_asked_once(void **state)
{
    struct cursor c = cursor_over(SPAN("2024-03-09"));

    (void)state;
    assert_int_equal(cursor_digits(&c, 4), 2024);
    cursor_expect(&c, '-');
    assert_int_equal(cursor_digits(&c, 2), 3);
    cursor_expect(&c, '-');
    assert_int_equal(cursor_digits(&c, 2), 9);
    assert_true(cursor_done(&c));
    assert_false(cursor_more(&c));
    assert_int_equal(cursor_peek(&c), 0);
}

static void
test_a_failed_cursor_takes_nothing_more(void **state)
{
    struct cursor c = cursor_over(SPAN("12x45"));

    (void)state;
    assert_int_equal(cursor_digits(&c, 2), 12);
    cursor_expect(&c, '-');
    assert_true(c.failed);
    assert_int_equal(cursor_digits(&c, 1), 0);
    assert_false(cursor_accept(&c, 'x'));
    assert_true(span_empty(cursor_until(&c, '5')));
    assert_true(span_empty(cursor_while(&c, is_letter)));
    assert_int_equal(cursor_peek(&c), 0);
    assert_false(cursor_more(&c));
    assert_false(cursor_done(&c));
    check_text(c.rest, "x45");
}

static void
test_digits_are_digits_and_enough_of_them(void **state)
{
    static const char *const bad[] = { "1", "1a", "+1", " 1", "" };

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct cursor c = cursor_over(span_of(bad[i]));
        cursor_digits(&c, 2);
        assert_true(c.failed);
    }
    struct cursor c = cursor_over(SPAN("999999999"));
    assert_int_equal(cursor_digits(&c, 9), 999999999);
}

static void
test_takes_runs(void **state)
{
    struct cursor c = cursor_over(SPAN("abc123;rest"));

    (void)state;
    check_text(cursor_while(&c, is_letter), "abc");
    check_text(cursor_while(&c, is_letter), "");
    check_text(cursor_until(&c, ';'), "123");
    assert_int_equal(cursor_peek(&c), ';');
    assert_true(cursor_accept(&c, ';'));
    assert_false(cursor_accept(&c, ';'));
    check_text(cursor_until(&c, ';'), "rest");
    assert_true(cursor_done(&c));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_a_production_and_is_asked_once),
        cmocka_unit_test(test_a_failed_cursor_takes_nothing_more),
        cmocka_unit_test(test_digits_are_digits_and_enough_of_them),
        cmocka_unit_test(test_takes_runs),
    };
    return cmocka_run_group_tests_name("base/cursor", tests, NULL, NULL);
}
