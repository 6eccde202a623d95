/* gateway/stages/inspect.c -- documents that only a helper reads are read, with one wait.
 *
 * Labelling finds them (consent/inspected.h); with their text the exchange goes
 * back to label, until nothing is open: once, and once more for each document
 * inside of a document, at most ATTACHMENT_DEPTH deep.  A Bundle without such a document
 * does not come by here.  What is a fault of the machine and not of the document is 503: nothing is
 * decided, and a delivery is due again (decision 0035).
 */
#include "gateway/stages/stages.h"

static void on_inspected(struct task *);

static bool
passes(const struct exchange *ex)
{
    return ex->inspected.open == NULL && !ex->inspected.refused;
}

static enum step
enter(struct exchange *ex)
{
    if (ex->inspected.refused)
        return exchange_fail(ex, ST_TOO_LARGE, "more documents are in it than are inspected at once");
    ex->inspecting.done.run = on_inspected;
    ex->inspecting.home     = ex->loop;
    ex->inspecting.table    = &ex->inspected;
    inspectors_ask(ex->gateway->inspectors, &ex->inspecting);
    return STEP_WAIT;
}

static void
on_inspected(struct task *task)
{
    pipeline_resume((struct exchange *)(void *)((char *)task - offsetof(struct exchange, inspecting.done)));
}

/* Decided is after the wait, as in stage terminology. */
static enum step
resume(struct exchange *ex)
{
    if (ex->inspecting.dropped)
        return exchange_fail(ex, ST_UNAVAILABLE, "too many documents wait to be inspected");
    if (ex->inspected.refused)
        return exchange_fail(ex, ST_TOO_LARGE, "more documents are in it than are inspected at once");
    if (ex->inspected.fault)
        return exchange_fail(ex, ST_UNAVAILABLE, "the documents in it cannot be read now, by no fault of theirs");
    ex->at_ms   = loop_clock_ms(ex->loop);
    ex->back_to = &stage_label;
    return STEP_BACK;
}

const struct stage stage_inspect = { .name = "inspect", .passes = passes, .enter = enter, .resume = resume };
