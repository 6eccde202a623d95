/* gateway/runtime/worker: bounded, and every job comes home. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <semaphore.h>
#include <cmocka.h>

#include "gateway/runtime/worker.h"

#define JOBS 200

struct sum {
    struct job job;
    uint64_t   to, result;
    pthread_t  by;
};

static struct loop *loop;
static uint32_t     home_again;
static sem_t        gate, entered;

static void
add_up(struct job *job)
{
    struct sum *s = (struct sum *)(void *)job;

    for (uint64_t i = 1; i <= s->to; i++)
        s->result += i;
    s->by = pthread_self();
}

static void
came_home(struct task *task)
{
    struct sum *s = (struct sum *)(void *)task;

    assert_int_equal(s->result, s->to * (s->to + 1) / 2);
    assert_false(pthread_equal(s->by, pthread_self()));
    if (++home_again == JOBS)
        loop_stop(loop);
}

static void
test_posts_every_finished_job_to_its_loop(void **state)
{
    static struct sum jobs[JOBS];
    struct workers   *workers = workers_new(3, JOBS);

    (void)state;
    loop = loop_new(0);
    assert_non_null(workers);
    for (uint32_t i = 0; i < JOBS; i++) {
        jobs[i] = (struct sum){ .job = { .done = { NULL, came_home }, .home = loop, .run = add_up }, .to = i * 10 };
        assert_true(workers_submit(workers, &jobs[i].job));
    }
    loop_run_here(loop);
    assert_int_equal(home_again, JOBS);
    workers_free(&workers);
    loop_free(&loop);
}

static void
wait_at_the_gate(struct job *job)
{
    (void)job;
    sem_post(&entered);
    sem_wait(&gate);
}

static void
nothing(struct task *task)
{
    (void)task;
    home_again++;
}

static void
test_refuses_a_job_when_the_queue_is_full_and_ends_with_what_is_queued(void **state)
{
    static struct job jobs[4];
    struct workers   *workers = workers_new(1, 2);

    (void)state;
    home_again = 0;
    loop       = loop_new(0);
    sem_init(&gate, 0, 0);
    sem_init(&entered, 0, 0);
    for (int i = 0; i < 4; i++)
        jobs[i] = (struct job){ .done = { NULL, nothing }, .home = loop, .run = wait_at_the_gate };
    assert_true(workers_submit(workers, &jobs[0]));
    sem_wait(&entered);                  /* it is at work, the queue is empty */
    assert_true(workers_submit(workers, &jobs[1]));
    assert_true(workers_submit(workers, &jobs[2]));
    assert_false(workers_submit(workers, &jobs[3]));
    for (int i = 0; i < 3; i++)
        sem_post(&gate);
    workers_free(&workers);
    assert_null(workers);
    /* All three were posted; they run before the loop ends. */
    loop_stop(loop);
    loop_run_here(loop);
    assert_int_equal(home_again, 3);
    loop_free(&loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_posts_every_finished_job_to_its_loop),
        cmocka_unit_test(test_refuses_a_job_when_the_queue_is_full_and_ends_with_what_is_queued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
