/* gateway/stages/terminology.c -- what validation left undecided is asked, with one wait.
 *
 * When there are answers, the exchange goes back to validate: the second run
 * finds them in ex->terms, and its findings are those of definitions that know
 * them (fhir/term_questions.h).  It goes back once at most; what has no answer
 * by the deadline stays undecided.  A server that is slow, down or wrong never
 * ends an exchange here.
 *
 * Nothing that any recipient gets depends on it, but for whether a push is
 * refused: a code that the server calls wrong is a finding like any other.
 */
#include "gateway/stages/stages.h"
#include "gateway/terminology/server.h"

static void on_asked(struct task *);

/* A push that is refused whatever the server says is not worth a question.  In
 * a batch only some entries may be. */
static bool
is_refused(const struct exchange *ex)
{
    return ex->intake != INTAKE_VALIDATE && ex->bundle->type != BUNDLE_BATCH && issues_have_structural(ex->issues);
}

static bool
passes(const struct exchange *ex)
{
    return ex->terms == NULL || ex->terms_asked != NULL || term_questions_open(ex->terms) == 0 || is_refused(ex);
}

static enum step
enter(struct exchange *ex)
{
    ex->terms_asked = terminology_ask_new(ex->arena, ex->loop, ex->terms, on_asked);
    if (ex->terms_asked == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    ex->terms_asked->exchange = ex;
    terminology_ask(ex->gateway->terminology, ex->terms_asked);
    return STEP_WAIT;
}

static void
on_asked(struct task *task)
{
    pipeline_resume(((struct terminology_ask *)(void *)task)->exchange);
}

/* Decided is after the wait: periods of consents, leases of deliveries and the
 * times of records count from now.  Memory for two runs is needed once: the
 * next time the answers are remembered. */
static enum step
resume(struct exchange *ex)
{
    ex->at_ms   = loop_clock_ms(ex->loop);
    ex->back_to = &stage_validate;
    return ex->terms_asked->answered > 0 ? STEP_BACK : STEP_NEXT;
}

const struct stage stage_terminology = { .name = "terminology", .passes = passes, .enter = enter, .resume = resume };
