/* tests/gateway/test_pipeline.c -- gateway/runtime/pipeline.c, exchange.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/runtime/exchange.h"

/* What ran, in order: one letter a stage, capital when it was a resume. */
static char       trace[64];
static int        ends;
static pthread_t  pure_thread;
static struct task resume_task;
static struct exchange *waiting;

static enum step
note(char letter, enum step step)
{
    trace[strlen(trace)] = letter;
    return step;
}

static enum step enter_a(struct exchange *ex) { (void)ex; return note('a', STEP_NEXT); }
static enum step enter_b(struct exchange *ex) { (void)ex; return note('b', STEP_NEXT); }
static enum step enter_tail(struct exchange *ex) { (void)ex; return note('t', STEP_FAIL); }
static enum step enter_last(struct exchange *ex) { (void)ex; return note('l', STEP_NEXT); }
static enum step enter_answer(struct exchange *ex) { (void)ex; return note('x', STEP_ANSWER); }
static enum step enter_fail(struct exchange *ex)
{
    note('f', STEP_NEXT);
    return exchange_fail(ex, ST_UNAVAILABLE, "a test");
}

static enum step
enter_pure(struct exchange *ex)
{
    pure_thread = pthread_self();
    (void)ex;
    return note('p', STEP_NEXT);
}

static void
on_resume(struct task *task)
{
    (void)task;
    pipeline_resume(waiting);
}

static enum step
enter_wait(struct exchange *ex)
{
    waiting         = ex;
    resume_task.run = on_resume;
    loop_post(ex->loop, &resume_task);
    return note('w', STEP_WAIT);
}

static enum step resume_wait(struct exchange *ex) { (void)ex; return note('W', STEP_NEXT); }

static const struct stage b_stage;

static enum step
resume_back(struct exchange *ex)
{
    ex->back_to = &b_stage;
    return note('B', ex->rounds++ < 2 ? STEP_BACK : STEP_NEXT);
}

static const struct stage back = { .name = "back", .enter = enter_wait, .resume = resume_back },
    b_stage = { .name = "b", .enter = enter_b };
static const struct stage a = { .name = "a", .enter = enter_a }, b = { .name = "b", .enter = enter_b },
    wait_here = { .name = "wait", .enter = enter_wait, .resume = resume_wait },
    answer = { .name = "answer", .enter = enter_answer }, fail_here = { .name = "fail", .enter = enter_fail },
    pure = { .name = "pure", .pure = true, .enter = enter_pure },
    tail = { .name = "tail", .enter = enter_tail }, last = { .name = "last", .enter = enter_last };

static bool always(const struct exchange *ex) { (void)ex; return true; }
static bool never(const struct exchange *ex) { (void)ex; return false; }
static const struct stage passed = { .name = "passed", .passes = always, .enter = enter_fail },
    not_passed = { .name = "not-passed", .passes = never, .enter = enter_b };

static struct gateway gateway;
static struct loop   *loop;
static struct task    begin, stop;
static const struct pipeline *recipe;
static size_t         body_bytes;
static int            answered;

static void
on_stop(struct task *task)
{
    (void)task;
    loop_stop(loop);                     /* from its own turn: ends after it */
}

static void
on_ended(struct exchange *ex)
{
    ends++;
    answered = ex->answer.status;
    stop.run = on_stop;
    loop_post(loop, &stop);
}

static void
on_begin(struct task *task)
{
    struct exchange *ex = exchange_new(&gateway, loop, NULL, body_bytes);

    (void)task;
    assert_non_null(ex);
    ex->ended = on_ended;
    pipeline_start(ex, recipe);
}

static void
run_recipe(const struct stage *const *body, size_t bytes)
{
    const struct pipeline p = { .name = "test", .body = body,
                                .tail = (const struct stage *const[]){ &tail, &last, NULL } };
    memset(trace, 0, sizeof trace);
    ends       = 0;
    answered   = 0;
    recipe     = &p;
    body_bytes = bytes;
    begin.run  = on_begin;
    loop_post(loop, &begin);
    loop_run_here(loop);
    assert_int_equal(ends, 1);
    assert_int_equal(atomic_load(&gateway.exchanges), 0);
}

static void
test_a_stage_with_nothing_to_do_is_passed(void **state)
{
    run_recipe((const struct stage *const[]){ &passed, &a, &passed, &passed, &not_passed, &wait_here, &passed, NULL }, 0);
    assert_string_equal(trace, "abwWtl");
    /* A run of pure stages is one, whatever is passed in it. */
    run_recipe((const struct stage *const[]){ &pure, &passed, &pure, &a, NULL }, 1 << 20);
    assert_string_equal(trace, "ppatl");
    assert_false(pthread_equal(pure_thread, pthread_self()));
    run_recipe((const struct stage *const[]){ &passed, NULL }, 0);
    assert_string_equal(trace, "tl");
    (void)state;
}

static void
test_stages_run_in_order_then_the_whole_tail(void **state)
{
    run_recipe((const struct stage *const[]){ &a, &b, NULL }, 0);
    assert_string_equal(trace, "abtl");
    (void)state;
}

static void
test_a_stage_that_waits_is_resumed_from_the_loop(void **state)
{
    run_recipe((const struct stage *const[]){ &a, &wait_here, &b, &wait_here, NULL }, 0);
    assert_string_equal(trace, "awWbwWtl");
    (void)state;
}

static void
test_a_stage_may_send_the_exchange_back_to_an_earlier_one(void **state)
{
    run_recipe((const struct stage *const[]){ &a, &b_stage, &back, &a, NULL }, 0);
    assert_string_equal(trace, "abwBbwBbwBatl");
    (void)state;
}

static void
test_a_known_answer_skips_to_the_tail(void **state)
{
    run_recipe((const struct stage *const[]){ &a, &answer, &b, NULL }, 0);
    assert_string_equal(trace, "axtl");
    (void)state;
}

static void
test_a_failure_skips_to_the_tail_with_its_answer(void **state)
{
    run_recipe((const struct stage *const[]){ &a, &fail_here, &b, NULL }, 0);
    assert_string_equal(trace, "aftl");
    assert_int_equal(answered, 503);
    (void)state;
}

static void
test_pure_stages_of_a_large_body_run_on_a_worker(void **state)
{
    run_recipe((const struct stage *const[]){ &a, &pure, &pure, &wait_here, &pure, NULL }, (size_t)1 << 30);
    assert_string_equal(trace, "appwWptl");
    assert_false(pthread_equal(pure_thread, pthread_self()));
    run_recipe((const struct stage *const[]){ &pure, NULL }, 0);
    assert_true(pthread_equal(pure_thread, pthread_self()));
    (void)state;
}

static int
set_up(void **state)
{
    char  path[] = "/tmp/sluice-test-XXXXXX";
    int   fd     = mkstemp(path);
    FILE *file   = fdopen(fd, "w");

    fputs("listen { address = \"127.0.0.1\" port = 8443 certificate = \"c\" key = \"k\" }\n"
          "store { path = \"x.db\" }\nledger { key = \"k\" }\n", file);
    fclose(file);
    struct arena         *arena  = arena_new("test", 1 << 20);
    struct config_errors *errors = config_errors_new(arena);
    gateway.config               = config_load(path, errors);
    for (size_t i = 0; i < config_errors_count(errors); i++)
        print_message("%.*s\n", SPAN_PRINT(config_errors_at(errors, i)));
    unlink(path);
    arena_free(&arena);
    pthread_mutex_init(&gateway.config_lock, NULL);
    loop            = loop_new(0);
    gateway.workers = workers_new(1, 16);
    (void)state;
    return gateway.config == NULL || loop == NULL || gateway.workers == NULL;
}

static int
tear_down(void **state)
{
    workers_free(&gateway.workers);
    loop_free(&loop);
    config_unpin(&gateway.config);
    (void)state;
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stages_run_in_order_then_the_whole_tail),
        cmocka_unit_test(test_a_stage_with_nothing_to_do_is_passed),
        cmocka_unit_test(test_a_stage_that_waits_is_resumed_from_the_loop),
        cmocka_unit_test(test_a_stage_may_send_the_exchange_back_to_an_earlier_one),
        cmocka_unit_test(test_a_known_answer_skips_to_the_tail),
        cmocka_unit_test(test_a_failure_skips_to_the_tail_with_its_answer),
        cmocka_unit_test(test_pure_stages_of_a_large_body_run_on_a_worker),
    };
    return cmocka_run_group_tests_name("pipeline", tests, set_up, tear_down);
}
