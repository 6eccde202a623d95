/* gateway/stages/keep.c -- a refusal is an answer too: it is repeated under its Idempotency-Key.
 *
 * What was accepted is kept in the commit that made it durable.  This keeps
 * the rest: refusals, and a batch of which nothing was taken.  Not kept are
 * 429 and 5xx, which ask to be sent again, and what is said about the key
 * itself: used for another request, or being worked on.  When it cannot be
 * kept the sender is answered all the same, and asking again asks anew.
 *
 * A refused push with a Consent in it goes to the review queue: what the Consent
 * says, a revocation perhaps, is not in effect.
 */
#include "gateway/stages/stages.h"

static void on_kept(struct task *);
static bool tell_of_consents(struct exchange *, int status);
static void keep_answer(struct exchange *, int status);

static bool
about_the_key(const struct exchange *ex)
{
    return (!span_empty(ex->idempotency_key) && ex->lookup.status != ST_NOT_FOUND)
        || (ex->unit.status == ST_CONFLICT && ex->unit.conflict == STORE_CONFLICT_KEY);
}

static enum step
enter(struct exchange *ex)
{
    int status = ex->answer.status;

    if (status == 0 || status == 429 || status >= 500 || about_the_key(ex))
        return STEP_NEXT;
    bool waits = tell_of_consents(ex, status);
    if (span_empty(ex->idempotency_key) && !waits)
        return STEP_NEXT;
    ex->unit = (struct store_unit){ .done.run = on_kept, .home = ex->loop };
    if (waits && review_collect(ex, &ex->unit) != ST_OK)
        return STEP_NEXT;
    if (!span_empty(ex->idempotency_key))
        keep_answer(ex, status);
    store_submit(ex->gateway->store, &ex->unit);
    return STEP_WAIT;
}

/* Not of who may not send it, or asks again with an answer that was kept. */
static bool
tell_of_consents(struct exchange *ex, int status)
{
    if (status < 400 || status == 401 || status == 403 || ex->bundle == NULL || ex->client == NULL
        || ex->intake == INTAKE_VALIDATE)
        return ex->review_count > 0 && status < 400;
    for (uint32_t i = 0; i < ex->bundle->count; i++)
        review_refused(ex, i);
    return ex->review_count > 0;
}

static void
keep_answer(struct exchange *ex, int status)
{
    ex->kept_answer = (struct store_answer){
        .client = ex->asker->title, .key = ex->idempotency_key, .request_sha256 = ex->request_sha256,
        .status = status, .content_type = ex->answer.content_type, .body = ex->answer.body,
    };
    for (size_t i = 0; i < ex->answer.header_count; i++)
        if (span_eq_text(ex->answer.headers[i].name, "Location"))
            ex->kept_answer.location = ex->answer.headers[i].value;
    ex->unit.answer = &ex->kept_answer;
}

static void
on_kept(struct task *task)
{
    pipeline_resume((struct exchange *)(void *)((char *)task - offsetof(struct exchange, unit.done)));
}

static enum step
resume(struct exchange *ex)
{
    (void)ex;
    return STEP_NEXT;
}

const struct stage stage_keep = { .name = "keep", .enter = enter, .resume = resume };
