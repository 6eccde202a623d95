/* tests/gateway/test_health.c -- gateway/terminology/health.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/terminology/health.h"

#define PAUSE 60000

static struct health h;

static void
note(enum health_event event, int64_t now_ms)
{
    health_note(&h, event, now_ms, PAUSE, 0);
}

static int
fresh(void **state)
{
    (void)state;
    h = (struct health){ 0 };
    return 0;
}

static void
test_three_troubles_in_a_row_are_down(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        note(HEALTH_TROUBLE, 0);
        note(HEALTH_TROUBLE, 0);
        assert_true(health_may_ask(&h, 0));
        note(HEALTH_ANSWERED, 0);                    /* an answer between: not in a row */
    }
    assert_int_equal(health_quiet_until(&h), 0);
    note(HEALTH_TROUBLE, 0);
    note(HEALTH_TROUBLE, 0);
    note(HEALTH_TROUBLE, 1000);
    assert_false(health_may_ask(&h, 1000));
    assert_int_equal(health_quiet_until(&h), 1000 + PAUSE);
}

static void
test_nobody_there_is_down_at_once(void **state)
{
    (void)state;
    note(HEALTH_NOBODY, 5);
    assert_false(health_may_ask(&h, 5));
    note(HEALTH_NOBODY, 5000);                       /* was out already: prolongs nothing */
    assert_int_equal(health_quiet_until(&h), 5 + PAUSE);
}

static void
test_one_question_goes_to_see(void **state)
{
    int asked = 0;

    (void)state;
    note(HEALTH_NOBODY, 0);
    for (int64_t now = 0; now < 10 * PAUSE; now += 100)
        if (health_may_ask(&h, now)) {
            asked++;
            assert_false(health_may_ask(&h, now));   /* one */
            assert_true(health_quiet_until(&h) == INT64_MAX);
            note(HEALTH_TROUBLE, now);
        }
    assert_int_equal(asked, 9);                      /* once a minute, whatever comes in */
    assert_true(health_may_ask(&h, 11 * PAUSE));
    note(HEALTH_ANSWERED, 11 * PAUSE);
    assert_true(health_may_ask(&h, 11 * PAUSE) && health_may_ask(&h, 11 * PAUSE));
}

static void
test_a_question_that_was_not_sent_says_nothing(void **state)
{
    (void)state;
    note(HEALTH_NOBODY, 0);
    assert_true(health_may_ask(&h, PAUSE));
    health_unasked(&h, PAUSE + 10);
    assert_true(health_may_ask(&h, PAUSE + 10));     /* the next one goes to see */
    note(HEALTH_ANSWERED, PAUSE + 20);
    health_unasked(&h, PAUSE + 30);
    assert_true(health_may_ask(&h, PAUSE + 30));
}

static void
test_a_pause_that_the_server_asks_for_is_kept(void **state)
{
    (void)state;
    health_note(&h, HEALTH_TROUBLE, 0, PAUSE, 120000);
    assert_int_equal(health_quiet_until(&h), 120000);
    h = (struct health){ 0 };
    health_note(&h, HEALTH_TROUBLE, 0, PAUSE, 1000);             /* never shorter than ours */
    assert_int_equal(health_quiet_until(&h), PAUSE);
    h = (struct health){ 0 };
    health_note(&h, HEALTH_TROUBLE, 0, PAUSE, INT64_C(86400) * 1000);
    assert_int_equal(health_quiet_until(&h), HEALTH_LONGEST_MS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_three_troubles_in_a_row_are_down, fresh),
        cmocka_unit_test_setup(test_nobody_there_is_down_at_once, fresh),
        cmocka_unit_test_setup(test_one_question_goes_to_see, fresh),
        cmocka_unit_test_setup(test_a_question_that_was_not_sent_says_nothing, fresh),
        cmocka_unit_test_setup(test_a_pause_that_the_server_asks_for_is_kept, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
