/* tests/gateway/test_metrics.c -- sums over threads, and text that a scraper reads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/ops/metrics.h"

static struct buf out;

static struct span
print(void)
{
    buf_release(&out);
    buf_init(&out, 4 << 20);
    assert_int_equal(metrics_print(&out), ST_OK);
    return buf_span(&out);
}

static bool
has_line(struct span text, const char *line)
{
    while (text.at != NULL)
        if (span_eq_text(span_split(&text, '\n'), line))
            return true;
    return false;
}

static void *
count_up(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10000; i++) {
        metric_add(METRIC_REQUESTS, "200", 1);
        metric_step(METRIC_CONNECTIONS, NULL, i % 2 == 0 ? 1 : -1);
        metric_observe_us(METRIC_STAGE_SECONDS, "parse", 150);
    }
    return NULL;
}

static void
test_counts_of_all_threads_add_up(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    metric_step(METRIC_CONNECTIONS, NULL, -3);
    struct span text = print();
    assert_true(has_line(text, "sluice_requests_total{status=\"200\"} 40000"));
    assert_true(has_line(text, "sluice_connections -3"));
    assert_true(has_line(text, "sluice_stage_seconds_bucket{stage=\"parse\",le=\"0.0001\"} 0"));
    assert_true(has_line(text, "sluice_stage_seconds_bucket{stage=\"parse\",le=\"0.00025\"} 40000"));
    assert_true(has_line(text, "sluice_stage_seconds_bucket{stage=\"parse\",le=\"+Inf\"} 40000"));
    assert_true(has_line(text, "sluice_stage_seconds_count{stage=\"parse\"} 40000"));
    assert_true(has_line(text, "sluice_stage_seconds_sum{stage=\"parse\"} 6.000000"));
}

static void
test_a_gauge_holds_the_last_value(void **state)
{
    (void)state;
    metric_set(METRIC_OUTBOX_WAITING, NULL, 7);
    metric_set(METRIC_OUTBOX_WAITING, NULL, 5);
    assert_true(has_line(print(), "sluice_outbox_waiting 5"));
}

static void
test_what_never_happened_is_zero(void **state)
{
    (void)state;
    assert_true(has_line(print(), "sluice_commits_total 0"));
    assert_true(has_line(print(), "sluice_commit_seconds_bucket{le=\"+Inf\"} 0"));
}

static void
test_label_values_are_escaped(void **state)
{
    (void)state;
    metric_add(METRIC_RELEASES, "a\"b\\c\nd", 2);
    assert_true(has_line(print(), "sluice_releases_total{recipient=\"a\\\"b\\\\c\\nd\"} 2"));
}

static void
test_too_many_label_values_count_as_other(void **state)
{
    (void)state;
    char label[16];
    for (int i = 0; i < 200; i++) {
        snprintf(label, sizeof label, "r%d", i);
        metric_add(METRIC_DENIALS, label, 1);
    }
    assert_true(has_line(print(), "sluice_denials_total{recipient=\"other\"} 140"));
}

/* The grammar of OpenMetrics 1.0, as far as this text uses it: TYPE before
 * UNIT before HELP before samples, families not interleaved, suffixes by
 * type, one EOF at the end. */
static void
test_the_text_is_openmetrics(void **state)
{
    (void)state;
    struct span rest = print();
    char        family[128] = "", type[32] = "";
    bool        ended = false;
    assert_true(span_ends(rest, SPAN("\n# EOF\n")));
    while (rest.at != NULL) {
        struct span line = span_split(&rest, '\n');
        if (span_empty(line))
            continue;
        assert_false(ended);
        if (span_eq_text(line, "# EOF")) {
            ended = true;
            continue;
        }
        struct span words = line;
        if (line.at[0] == '#') {
            span_split(&words, ' ');
            struct span kind = span_split(&words, ' ');
            struct span name = span_split(&words, ' ');
            assert_true(span_starts(name, SPAN("sluice_")));
            if (span_eq_text(kind, "TYPE")) {
                snprintf(family, sizeof family, "%.*s", SPAN_PRINT(name));
                snprintf(type, sizeof type, "%.*s", SPAN_PRINT(words));
            } else {
                assert_true(span_eq_text(kind, "UNIT") || span_eq_text(kind, "HELP"));
                assert_true(span_eq_text(name, family));
                if (span_eq_text(kind, "UNIT"))
                    assert_true(span_ends(span_of(family), words));
            }
            continue;
        }
        size_t      end    = span_find_byte(line, '{') != SPAN_NOT_FOUND ? span_find_byte(line, '{') : span_find_byte(line, ' ');
        struct span name   = span_first(line, end);
        struct span suffix = span_skip(name, strlen(family));
        assert_true(span_starts(name, span_of(family)));
        if (strcmp(type, "counter") == 0)
            assert_true(span_eq_text(suffix, "_total"));
        else if (strcmp(type, "gauge") == 0)
            assert_true(span_empty(suffix));
        else if (strcmp(type, "info") == 0)
            assert_true(span_eq_text(suffix, "_info"));
        else
            assert_true(span_eq_text(suffix, "_bucket") || span_eq_text(suffix, "_count") || span_eq_text(suffix, "_sum"));
        char *stop;
        char  number[64];
        snprintf(number, sizeof number, "%.*s", SPAN_PRINT(span_skip(line, span_find_last_byte(line, ' ') + 1)));
        strtod(number, &stop);
        assert_true(number[0] != '\0' && *stop == '\0');
    }
    assert_true(ended);
}

static int
release(void **state)
{
    (void)state;
    buf_release(&out);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_of_all_threads_add_up),
        cmocka_unit_test(test_a_gauge_holds_the_last_value),
        cmocka_unit_test(test_what_never_happened_is_zero),
        cmocka_unit_test(test_label_values_are_escaped),
        cmocka_unit_test(test_too_many_label_values_count_as_other),
        cmocka_unit_test(test_the_text_is_openmetrics),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
