/* tests/base/test_status.c -- every status has a name, a sentence and an answer. */
#include "tests/support/check.h"

static void
test_every_status_is_described(void **state)
{
    (void)state;
    assert_int_equal(ST_OK, 0);
    for (int st = 0; st <= ST_CANCELLED; st++) {
        assert_true(strlen(status_name((enum status)st)) > 0);
        assert_true(strlen(status_text((enum status)st)) > 0);
        assert_null(strchr(status_text((enum status)st), '.'));
        assert_in_range(status_http((enum status)st), 200, 599);
    }
    assert_string_equal(status_name(ST_TOO_LARGE), "TOO_LARGE");
    assert_int_equal(status_http(ST_NO_MEMORY), 503);
}

static void
test_an_unknown_status_is_no_success(void **state)
{
    (void)state;
    assert_string_equal(status_name((enum status)1000), "UNKNOWN");
    assert_int_equal(status_http((enum status)1000), 500);
    assert_int_equal(status_http((enum status)-1), 500);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_status_is_described),
        cmocka_unit_test(test_an_unknown_status_is_no_success),
    };
    return cmocka_run_group_tests_name("base/status", tests, NULL, NULL);
}
