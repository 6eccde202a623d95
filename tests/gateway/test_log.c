/* tests/gateway/test_log.c -- a line is one line, valid JSON, and whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json_tape.h"
#include "gateway/ops/log.h"

static int  ends[2];
static char text[16384];

static int
open_pipe(void **state)
{
    (void)state;
    assert_int_equal(pipe(ends), 0);
    log_set_fd(ends[1]);
    log_set_level(LOG_DEBUG_LEVEL);
    return 0;
}

static int
close_pipe(void **state)
{
    (void)state;
    log_set_fd(2);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static struct span
written(void)
{
    ssize_t n = read(ends[0], text, sizeof text);
    assert_true(n > 0);
    return span_from(text, (size_t)n);
}

static const struct tape *
one_json_line(struct arena *arena)
{
    struct span        line = written();
    const struct tape *tape;
    struct tape_error  error;
    assert_true(span_ends(line, SPAN("}\n")));
    assert_int_equal(span_find_byte(line, '\n'), line.length - 1);
    assert_int_equal(tape_read(span_first(line, line.length - 1), &tape_default_limits, arena, &tape, &error), ST_OK);
    return tape;
}

static void
test_an_event_has_time_level_name_and_fields(void **state)
{
    (void)state;
    struct arena *arena = arena_new("test", 1 << 20);
    log_event(LOG_WARN_LEVEL, "exchange.done", LOG_F_ID("client", SPAN("valley")), LOG_F_CODE("stage", "respond"),
              LOG_F_COUNT("dur_us", -812), LOG_F_REASON("the store does not take writes"));
    const struct tape *t = one_json_line(arena);
    assert_true(span_eq_text(tape_member_text(t, TAPE_ROOT, SPAN("lvl"), arena), "warn"));
    assert_true(span_eq_text(tape_member_text(t, TAPE_ROOT, SPAN("ev"), arena), "exchange.done"));
    assert_true(span_eq_text(tape_member_text(t, TAPE_ROOT, SPAN("client"), arena), "valley"));
    assert_true(span_eq_text(tape_member_text(t, TAPE_ROOT, SPAN("reason"), arena), "the store does not take writes"));
    assert_true(span_eq_text(tape_extent(t, tape_member(t, TAPE_ROOT, SPAN("dur_us"))), "-812"));
    struct span ts = tape_member_text(t, TAPE_ROOT, SPAN("ts"), arena);
    assert_int_equal(ts.length, strlen("2026-11-22T15:00:00.000Z"));
    assert_true(span_ends(ts, SPAN("Z")));
    arena_free(&arena);
}

static void
test_nothing_breaks_out_of_a_line(void **state)
{
    (void)state;
    struct arena *arena = arena_new("test", 1 << 20);
    log_event(LOG_INFO_LEVEL, "x", LOG_F_ID("id", SPAN("a\"b\\c\nd\re\x1b[31m\x7f\xc3\xa9\xff")));
    struct span line = written();
    for (size_t i = 0; i + 1 < line.length; i++)
        assert_true(line.at[i] >= 0x20 && line.at[i] < 0x7f);
    assert_int_not_equal(span_find(line, SPAN("a\\\"b\\\\c\\u000ad\\u000de\\u001b[31m\\u007f\\ufffd\\ufffd\\ufffd")), SPAN_NOT_FOUND);
    arena_free(&arena);
}

static void
test_a_field_that_does_not_fit_is_left_out_whole(void **state)
{
    (void)state;
    static char   big[8000];
    struct arena *arena = arena_new("test", 1 << 20);
    memset(big, 'x', sizeof big);
    log_event(LOG_INFO_LEVEL, "x", LOG_F_ID("first", SPAN("1")), LOG_F_ID("big", span_from(big, sizeof big)),
              LOG_F_ID("last", SPAN("2")));
    const struct tape *t = one_json_line(arena);
    assert_int_equal(tape_member(t, TAPE_ROOT, SPAN("big")), TAPE_ABSENT);
    assert_true(span_eq_text(tape_member_text(t, TAPE_ROOT, SPAN("last"), arena), "2"));
    arena_free(&arena);
}

static void
test_what_is_below_the_level_is_not_written(void **state)
{
    (void)state;
    enum log_level level;
    assert_true(log_level_named(SPAN("warn"), &level));
    assert_false(log_level_named(SPAN("loud"), &level));
    log_set_level(level);
    log_event(LOG_INFO_LEVEL, "quiet");
    log_event(LOG_ERROR_LEVEL, "loud");
    assert_int_equal(span_find(written(), SPAN("quiet")), SPAN_NOT_FOUND);
}

static void
test_lines_that_are_gathered_are_written_together_and_with_the_first_that_warns(void **state)
{
    (void)state;
    log_gather(true);
    log_event(LOG_INFO_LEVEL, "one");
    log_event(LOG_INFO_LEVEL, "two");
    log_flush();
    struct span both = written();
    assert_true(span_find(both, SPAN("one")) < span_find(both, SPAN("two")));
    assert_int_equal(both.at[both.length - 1], '\n');
    log_event(LOG_INFO_LEVEL, "three");
    log_event(LOG_WARN_LEVEL, "four");
    assert_true(span_find(written(), SPAN("four")) != SPAN_NOT_FOUND);
    for (int i = 0; i < 200; i++)
        log_event(LOG_INFO_LEVEL, "many", LOG_F_COUNT("n", i));
    size_t sum = written().length;
    assert_true(sum % 4096 != 0);        /* whole lines */
    assert_int_equal(text[sum - 1], '\n');
    log_gather(false);
    assert_true(span_find(written(), SPAN("\"n\":199}")) != SPAN_NOT_FOUND);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_pipe, close_pipe)
    const struct CMUnitTest tests[] = {
        T(test_an_event_has_time_level_name_and_fields),
        T(test_nothing_breaks_out_of_a_line),
        T(test_a_field_that_does_not_fit_is_left_out_whole),
        T(test_what_is_below_the_level_is_not_written),
        T(test_lines_that_are_gathered_are_written_together_and_with_the_first_that_warns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
