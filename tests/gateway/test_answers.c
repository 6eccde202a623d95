/* tests/gateway/test_answers.c -- gateway/terminology/answers.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <pthread.h>

#include "gateway/terminology/answers.h"

static struct answer_key
key_of(struct answers *all, const char *code)
{
    return answers_key(all, &(struct term_question){ .value_set = SPAN("http://t/v"), .system = SPAN("http://t/s"), .code = span_of(code) });
}

static void
put(struct answers *all, unsigned n, enum answer answer)
{
    char code[16];

    snprintf(code, sizeof code, "%u", n);
    answers_put(all, key_of(all, code), answer, 0, 1000);
}

static enum answer
get(struct answers *all, unsigned n)
{
    char code[16];

    snprintf(code, sizeof code, "%u", n);
    return answers_get(all, key_of(all, code), 1);
}

static void
test_an_answer_counts_until_its_time(void **state)
{
    struct answers   *all = answers_new();
    struct answer_key a   = key_of(all, "a"), b = key_of(all, "b");

    (void)state;
    answers_put(all, a, ANSWER_RIGHT, 0, 1000);
    assert_int_equal(answers_get(all, a, 1), ANSWER_UNKNOWN);        /* no size, no memory */
    answers_size(all, 64);
    answers_put(all, a, ANSWER_RIGHT, 100, 1000);
    answers_put(all, b, ANSWER_NONE, 100, 200);
    assert_int_equal(answers_get(all, a, 999), ANSWER_RIGHT);
    assert_int_equal(answers_get(all, b, 199), ANSWER_NONE);
    assert_int_equal(answers_get(all, b, 200), ANSWER_UNKNOWN);
    answers_put(all, b, ANSWER_WRONG, 200, 400);
    assert_int_equal(answers_get(all, b, 201), ANSWER_WRONG);
    assert_int_equal(answers_get(all, a, 1000), ANSWER_UNKNOWN);
    answers_put(all, a, ANSWER_WRONG, 1000, 2000);                   /* the last one counts */
    answers_put(all, a, ANSWER_RIGHT, 1000, 2000);
    assert_int_equal(answers_get(all, a, 1001), ANSWER_RIGHT);
    answers_size(all, 64);
    assert_int_equal(answers_get(all, a, 1001), ANSWER_UNKNOWN);
    answers_free(&all);
    assert_null(all);
}

/* Every part of a question counts, and which part it is. */
static void
test_questions_are_told_apart(void **state)
{
    static const struct term_question questions[] = {
        { .value_set = { "v", 1 }, .system = { "s", 1 }, .code = { "c", 1 } },
        { .value_set = { "v", 1 }, .system = { "s", 1 }, .version = { "c", 1 }, .code = { "c", 1 } },
        { .value_set = { "v", 1 }, .system = { "sc", 2 }, .code = { "c", 1 } },
        { .value_set = { "vs", 2 }, .system = { "s", 1 }, .code = { "c", 1 } },
        { .value_set = { "v|1", 3 }, .system = { "s", 1 }, .code = { "c", 1 } },
        { .value_set = { "v", 1 }, .system = { "s", 1 }, .code = { "C", 1 } },
    };
    struct answers *all = answers_new(), *other = answers_new();

    (void)state;
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        struct answer_key a = answers_key(all, &questions[i]), elsewhere = answers_key(other, &questions[i]);
        assert_true(a.a != elsewhere.a && a.b != elsewhere.b);       /* each has its own secret */
        for (size_t j = 0; j < i; j++) {
            struct answer_key b = answers_key(all, &questions[j]);
            assert_true(a.a != b.a && a.b != b.b);
        }
    }
    answers_free(&all);
    answers_free(&other);
}

static void
test_what_was_asked_for_least_recently_makes_room(void **state)
{
    struct answers *all  = answers_new();
    unsigned        kept = 0, old = 0;

    (void)state;
    answers_size(all, 1024);
    put(all, 0, ANSWER_RIGHT);
    for (unsigned i = 1; i < 20000; i++) {
        put(all, i, i % 2 ? ANSWER_RIGHT : ANSWER_WRONG);
        assert_int_equal(get(all, 0), ANSWER_RIGHT);                 /* in use: it stays */
    }
    for (unsigned i = 1; i < 20000; i++) {
        enum answer answer = get(all, i);
        assert_true(answer == ANSWER_UNKNOWN || answer == (i % 2 ? ANSWER_RIGHT : ANSWER_WRONG));
        kept += answer != ANSWER_UNKNOWN;
        old += answer != ANSWER_UNKNOWN && i < 10000;
    }
    assert_true(kept <= 1024 && kept > 900);
    assert_true(old < 16);
    answers_free(&all);
}

static void *
use(void *arg)
{
    for (unsigned i = 0; i < 20000; i++) {
        enum answer answer = get(arg, i % 300);
        assert_true(answer == ANSWER_UNKNOWN || answer == (i % 300 % 2 ? ANSWER_RIGHT : ANSWER_WRONG));
        put(arg, i % 300, i % 300 % 2 ? ANSWER_RIGHT : ANSWER_WRONG);
        if (i % 1000 == 0)
            answers_size(arg, 64 + i % 7 * 8);
    }
    return NULL;
}

static void
test_threads_may_use_it_together(void **state)
{
    struct answers *all = answers_new();
    pthread_t       threads[4];

    (void)state;
    answers_size(all, 256);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use, all), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    answers_free(&all);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_counts_until_its_time),
        cmocka_unit_test(test_questions_are_told_apart),
        cmocka_unit_test(test_what_was_asked_for_least_recently_makes_room),
        cmocka_unit_test(test_threads_may_use_it_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
