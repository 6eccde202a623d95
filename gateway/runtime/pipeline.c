#include "gateway/runtime/pipeline.h"

#include <assert.h>
#include <stddef.h>

#include "gateway/gateway.h"
#include "gateway/ops/metrics.h"
#include "gateway/runtime/exchange.h"

static void drive(struct exchange *, enum step);
static void go_back(struct exchange *);
static void pass(struct exchange *);
static bool offload(struct exchange *);
static void run_pure(struct job *);
static void on_pure_done(struct task *);

void
pipeline_start(struct exchange *ex, const struct pipeline *pipeline)
{
    ex->pipeline = pipeline;
    ex->at       = pipeline->body;
    ex->in_tail  = false;
    drive(ex, STEP_NEXT);
}

static enum step
timed_enter(struct exchange *ex)
{
    const struct stage *stage = *ex->at;
    int64_t             begun = exchange_clock_us();
    enum step           step  = stage->enter(ex);

    ex->spent_us = exchange_clock_us() - begun;
    if (step != STEP_WAIT)
        metric_observe_us(METRIC_STAGE_SECONDS, stage->name, (uint64_t)ex->spent_us);
    else
        ex->waits_since_us = begun;
    return step;
}

void
pipeline_resume(struct exchange *ex)
{
    const struct stage *stage = *ex->at;

    assert(stage != NULL && stage->resume != NULL);
    enum step step = stage->resume(ex);
    assert(step != STEP_WAIT);           /* one wait a stage */
    metric_observe_us(METRIC_STAGE_SECONDS, stage->name,
                      (uint64_t)(exchange_clock_us() - ex->waits_since_us));
    ex->at++;
    if (step == STEP_BACK)
        go_back(ex);
    drive(ex, step == STEP_BACK ? STEP_NEXT : step);
}

static void
go_back(struct exchange *ex)
{
    const struct stage *const *to = ex->pipeline->body;

    while (*to != ex->back_to && *to != NULL)
        to++;
    assert(*to != NULL && to < ex->at && !ex->in_tail);
    ex->at = to;
}

/* On past stages that have nothing to do: a run of pure ones is not cut by
 * one that would only be entered. */
static void
pass(struct exchange *ex)
{
    while (*ex->at != NULL && (*ex->at)->passes != NULL && (*ex->at)->passes(ex))
        ex->at++;
}

/* Runs stages until one waits or all are done.  On entry `step` is what the
 * stage before ex->at said. */
static void
drive(struct exchange *ex, enum step step)
{
    for (;;) {
        if (step == STEP_NEXT)
            pass(ex);
        if (!ex->in_tail && (step == STEP_FAIL || step == STEP_ANSWER || *ex->at == NULL)) {
            if (step == STEP_FAIL)
                ex->failed_stage = ex->at > ex->pipeline->body ? ex->at[-1]->name : "start";
            ex->in_tail = true;
            ex->at      = ex->pipeline->tail;
        }
        if (*ex->at == NULL) {
            exchange_end(ex);
            return;
        }
        if ((*ex->at)->pure && offload(ex))
            return;
        step = timed_enter(ex);
        if (step == STEP_WAIT)
            return;
        ex->at++;
    }
}

/* ---- large bodies ------------------------------------------------------- */

static bool
offload(struct exchange *ex)
{
    if (!ex->large || ex->in_tail || ex->on_worker)
        return false;
    ex->job = (struct job){ .done.run = on_pure_done, .home = ex->loop, .run = run_pure };
    return workers_submit(ex->gateway->workers, &ex->job);
}

static void
run_pure(struct job *job)
{
    struct exchange *ex = exchange_of_job(job);

    ex->on_worker = true;
    ex->job_step  = STEP_NEXT;
    while (ex->job_step == STEP_NEXT && *ex->at != NULL && (*ex->at)->pure) {
        ex->job_step = timed_enter(ex);
        ex->at++;
        if (ex->job_step == STEP_NEXT)
            pass(ex);
    }
    assert(ex->job_step != STEP_WAIT);   /* a pure stage has nothing to wait for */
}

static void
on_pure_done(struct task *task)
{
    struct exchange *ex = exchange_of_job((struct job *)(void *)task);

    ex->on_worker = false;
    drive(ex, ex->job_step);
}
