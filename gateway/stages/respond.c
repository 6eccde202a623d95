/* gateway/stages/respond.c -- the sender's answer; deliveries start. */
#include "gateway/stages/stages.h"

#include "gateway/deliver/deliver.h"
#include "gateway/ops/log.h"
#include "gateway/ops/metrics.h"
#include "gateway/stages/capability.h"

static enum step answer_accepted(struct exchange *);
static void      note(const struct exchange *);

static enum step
enter(struct exchange *ex)
{
    bool accepted = ex->answer.status == 0;

    if (ex->intake == INTAKE_METADATA && accepted)
        capability_answer(ex);
    else if (accepted)
        answer_accepted(ex);
    exchange_answer_header(ex, SPAN("X-Request-Id"), ex->request_id);
    http_respond(ex->request, &ex->answer);
    exchange_answered(ex);
    note(ex);
    if (accepted && ex->unit.status == ST_OK && ex->outgoing_count > 0)
        deliver_now(ex->gateway->deliver, ex);
    return STEP_NEXT;
}

const struct stage stage_respond = { .name = "respond", .enter = enter };

static enum step
answer_accepted(struct exchange *ex)
{
    struct span body = ex->kept_answer.body;

    /* A kept answer was authored on the store thread already. */
    if (ex->unit.answer == NULL && response_author(ex, &body) != ST_OK)
        return exchange_fail(ex, ST_NO_MEMORY, "it was accepted, but the answer could not be written");
    if (ex->prefer_async && ex->bundle != NULL && entries_ask(ex)) {
        response_async(ex, ex->idempotency_key);
        return STEP_NEXT;
    }
    exchange_answer_json(ex, response_status(ex), body);
    if (ex->prefer_return != PREFER_NOTHING && response_is_single(ex))
        exchange_answer_header(ex, SPAN("Preference-Applied"),
                               ex->prefer_return == PREFER_MINIMAL          ? SPAN("return=minimal")
                               : ex->prefer_return == PREFER_REPRESENTATION ? SPAN("return=representation")
                                                                            : SPAN("return=OperationOutcome"));
    response_add_location(ex, response_location(ex));
    return STEP_NEXT;
}

static void
note(const struct exchange *ex)
{
    const char *outcome = ex->answer.status < 300 ? "accepted" : ex->answer.status < 500 ? "refused" : "failed";

    if (ex->giving == NULL)              /* an answer, and nothing that was taken in */
        metric_add(METRIC_BUNDLES, outcome, 1);
    log_event(ex->answer.status < 500 ? LOG_INFO_LEVEL : LOG_WARN_LEVEL, "exchange.done",
              LOG_F_ID("request", ex->request_id),
              LOG_F_ID("client", ex->client != NULL ? ex->client->title : SPAN("-")),
              LOG_F_CODE("stage", ex->failed_stage != NULL ? ex->failed_stage : "respond"),
              LOG_F_COUNT("status", ex->answer.status), LOG_F_COUNT("bytes", ex->body.length),
              LOG_F_COUNT("resources", ex->resource_count),
              LOG_F_COUNT("recipients", ex->outgoing_count),
              LOG_F_COUNT("dur_us", exchange_clock_us() - ex->begun_us));
}
