/* tests/gateway/test_deliver.c -- gateway/deliver/deliver.c, rule D5 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "gateway/deliver/deliver.h"
#include "gateway/runtime/exchange.h"

static void
test_the_first_retry_comes_within_a_second_and_none_later_than_thirty(void **state)
{
    for (uint32_t attempts = 1; attempts < 40; attempts++)
        for (uint32_t random = 0; random < 100000; random += 977) {
            int64_t wait = deliver_backoff_ms(attempts, -1, random);
            assert_in_range(wait, 1, 30000);
            if (attempts == 1)
                assert_true(wait <= 1000);
        }
    (void)state;
}

static void
test_waiting_doubles(void **state)
{
    /* The longest jitter of each try is twice the one before, up to the top. */
    int64_t before = 0;
    for (uint32_t attempts = 1; attempts <= 6; attempts++) {
        int64_t longest = 0;
        for (uint32_t random = 0; random < 20000; random++) {
            int64_t wait = deliver_backoff_ms(attempts, -1, random);
            longest      = wait > longest ? wait : longest;
        }
        if (before > 0)
            assert_int_equal(longest, 2 * before);
        before = longest;
    }
    (void)state;
}

static void
test_retry_after_is_honoured_when_it_is_later_and_bounded(void **state)
{
    assert_int_equal(deliver_backoff_ms(1, 7, 0), 7000);
    assert_true(deliver_backoff_ms(20, 1, 0) >= 15000);
    assert_int_equal(deliver_backoff_ms(1, 10000000, 0), 86400 * 1000);
    (void)state;
}

static struct outgoing
tried(struct exchange *ex, const struct config_recipient *recipient, int status, uint32_t before)
{
    struct outgoing out = { .exchange = ex, .recipient = recipient, .attempts = before,
                            .call = { .status = status, .retry_after_seconds = -1, .error = "connect" } };
    deliver_judge(&out, 1000);
    return out;
}

static void
test_an_answer_decides_what_becomes_of_the_delivery(void **state)
{
    static const struct {
        int                 status;
        uint32_t            before;
        enum delivery_state want;
    } cases[] = {
        { 200, 0, DELIVERY_SENT },    { 201, 4, DELIVERY_SENT },    { 0, 0, DELIVERY_WAITING },
        { 503, 0, DELIVERY_WAITING }, { 429, 0, DELIVERY_WAITING }, { 401, 0, DELIVERY_WAITING },
        { 404, 0, DELIVERY_WAITING }, { 301, 0, DELIVERY_WAITING }, { 400, 0, DELIVERY_DEAD },
        { 422, 0, DELIVERY_DEAD },    { 413, 0, DELIVERY_DEAD },    { 503, 4, DELIVERY_DEAD },
        { 0, 4, DELIVERY_DEAD },
    };
    struct config_recipient recipient = { .attempts = 5 };
    struct arena           *arena     = arena_new("test", 1 << 16);
    struct exchange         ex        = { .arena = arena };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outgoing out = tried(&ex, &recipient, cases[i].status, cases[i].before);
        if (out.result.state != cases[i].want)
            fail_msg("http %d after %u tries: state %d", cases[i].status, cases[i].before, out.result.state);
        assert_int_equal(out.attempts, cases[i].before + 1);
        if (out.result.state == DELIVERY_WAITING)
            assert_true(out.result.due_ms > 1000);
    }
    arena_free(&arena);
    (void)state;
}

static void
test_a_byte_that_may_have_left_once_is_never_forgotten(void **state)
{
    struct config_recipient recipient = { .attempts = 5 };
    struct arena           *arena     = arena_new("test", 1 << 16);
    struct exchange         ex        = { .arena = arena };
    struct outgoing         out       = { .exchange = &ex, .recipient = &recipient,
                                          .call = { .error = "timeout", .bytes_may_have_left = true } };
    deliver_judge(&out, 0);
    out.call = (struct http_call){ .error = "connect" };
    deliver_judge(&out, 0);
    assert_true(out.result.byte_may_have_left);
    arena_free(&arena);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_retry_comes_within_a_second_and_none_later_than_thirty),
        cmocka_unit_test(test_waiting_doubles),
        cmocka_unit_test(test_retry_after_is_honoured_when_it_is_later_and_bounded),
        cmocka_unit_test(test_an_answer_decides_what_becomes_of_the_delivery),
        cmocka_unit_test(test_a_byte_that_may_have_left_once_is_never_forgotten),
    };
    return cmocka_run_group_tests_name("deliver", tests, NULL, NULL);
}
