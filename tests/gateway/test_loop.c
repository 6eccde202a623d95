/* gateway/runtime/loop: what is posted runs, in order, on the loop's thread. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "gateway/runtime/loop.h"

#define THREADS 4
#define POSTS   5000

struct numbered {
    struct task  task;
    struct loop *loop;
    uint32_t     thread, number;
};

static struct numbered posts[THREADS][POSTS];
static uint32_t        seen[THREADS];
static uint32_t        total, out_of_order, wrong_thread;
static pthread_t       loop_thread;
static struct loop    *loop;

static void
count(struct task *t)
{
    struct numbered *n = (struct numbered *)(void *)t;

    if (total == 0)
        loop_thread = pthread_self();
    wrong_thread += !pthread_equal(loop_thread, pthread_self());
    out_of_order += n->number != seen[n->thread];
    seen[n->thread]++;
    total++;
}

static void *
post_all(void *arg)
{
    struct numbered *mine = arg;

    for (uint32_t i = 0; i < POSTS; i++)
        loop_post(loop, &mine[i].task);
    return NULL;
}

static void
test_runs_posts_of_many_threads_in_the_order_of_each(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    loop = loop_new(3);
    assert_non_null(loop);
    assert_int_equal(loop_index(loop), 3);
    assert_int_equal(loop_start(loop), ST_OK);
    for (uint32_t t = 0; t < THREADS; t++) {
        for (uint32_t i = 0; i < POSTS; i++)
            posts[t][i] = (struct numbered){ { NULL, count }, loop, t, i };
        assert_int_equal(pthread_create(&threads[t], NULL, post_all, posts[t]), 0);
    }
    for (uint32_t t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    /* What was posted before the stop still runs. */
    loop_stop(loop);
    assert_int_equal(total, THREADS * POSTS);
    assert_int_equal(out_of_order, 0);
    assert_int_equal(wrong_thread, 0);
    assert_false(pthread_equal(loop_thread, pthread_self()));
    loop_free(&loop);
    assert_null(loop);
}

/* ---- turns ---------------------------------------------------------------- */

static char  trace[64];
static int   trace_length;
static struct task a, b, c, end;
static int64_t     at_a, at_b;

static void
mark(char what)
{
    trace[trace_length++] = what;
}

static void
run_c(struct task *t)
{
    (void)t;
    mark('c');
    loop_stop(loop);
}

static void
run_end(struct task *t)
{
    (void)t;
    mark('.');
}

static char once = '1';

static void
run_once_here(void *arg)
{
    mark(*(const char *)arg);
}

static void
run_a(struct task *t)
{
    (void)t;
    mark('a');
    loop_once(loop, run_once_here, &once);
    at_a  = loop_now_us(loop);
    c.run = run_c;
    end.run = run_end;
    loop_post(loop, &c);
    loop_finally(loop, &end);
    mark('A');
    usleep(2000);
}

static void
run_b(struct task *t)
{
    (void)t;
    mark('b');
    loop_once(loop, run_once_here, &once);
    at_b = loop_now_us(loop);
}

static void
test_delivers_a_post_from_inside_on_a_later_turn_and_frees_at_the_end_of_this_one(void **state)
{
    (void)state;
    loop  = loop_new(0);
    a.run = run_a;
    b.run = run_b;
    loop_post(loop, &a);
    loop_post(loop, &b);
    loop_run_here(loop);
    trace[trace_length] = 0;
    assert_string_equal(trace, "aAb1.c");
    /* One turn, one time. */
    assert_int_equal(at_a, at_b);
    assert_true(loop_clock_ms(loop) > INT64_C(1600000000000));
    loop_free(&loop);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    loop_stop(loop);
}

static void
test_waits_for_events_between_posts(void **state)
{
    const struct timeval soon = { 0, 20000 };

    (void)state;
    loop = loop_new(0);
    struct event *timer = event_new(loop_base(loop), -1, 0, on_timer, NULL);
    int64_t before = loop_now_us(loop);
    event_add(timer, &soon);
    loop_run_here(loop);
    assert_true(loop_now_us(loop) - before >= 19000);
    event_free(timer);
    loop_free(&loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_posts_of_many_threads_in_the_order_of_each),
        cmocka_unit_test(test_delivers_a_post_from_inside_on_a_later_turn_and_frees_at_the_end_of_this_one),
        cmocka_unit_test(test_waits_for_events_between_posts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
