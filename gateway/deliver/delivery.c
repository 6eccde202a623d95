/* gateway/deliver/delivery.c -- a claimed delivery: decided again, sent, its outcome written.
 *
 *   reload   the row -> body, sender, recipient as they are configured now
 *   parse match label decide redact   the same stages as a push
 *   settle   same payload: same release; another: new record, durable before
 *            a byte leaves; nothing: the release is over
 *   send     one try
 *   outcome  what became of it
 */
#include "gateway/deliver/deliver.h"

#include "gateway/classify/classify.h"
#include "gateway/deliver/claims.h"
#include "gateway/ledger/record.h"
#include "gateway/ops/log.h"
#include "gateway/ops/metrics.h"
#include "gateway/runtime/identity.h"
#include "gateway/stages/stages.h"

/* ---- reload ------------------------------------------------------------- */

static enum step
reload(struct exchange *ex)
{
    const struct store_due *due = ex->due;
    const struct config    *config = ex->config;
    struct outgoing        *out = arena_make(ex->arena, struct outgoing);

    if (out == NULL)
        return STEP_FAIL;
    ex->intake     = INTAKE_SYSTEM;
    ex->body       = due->body;
    ex->request_id = due->request_id;
    ex->patient    = due->patient;
    ex->client     = class_client(config, due->client);
    for (uint32_t i = 0; i < config->recipient_count; i++) {
        if (!span_eq(config->recipients[i].title, due->recipient))
            continue;
        out->recipient       = &config->recipients[i];
        out->recipient_index = i;
    }
    out->exchange           = ex;
    out->outbox_id          = due->id;
    out->attempts           = due->attempts;
    out->patient            = due->patient;
    out->idempotency_key    = due->idempotency_key;
    out->event_id           = due->event_id;
    out->byte_may_have_left = due->byte_may_have_left;
    out->lease_ms           = ex->lease_ms;
    ex->outgoing            = out;
    ex->outgoing_count      = out->recipient != NULL;
    return STEP_NEXT;
}

static const struct stage stage_reload = { .name = "reload", .enter = reload };

/* ---- settle ------------------------------------------------------------- */

static void
on_unit_done(struct task *task)
{
    struct outgoing *out =
        (struct outgoing *)(void *)((char *)task - offsetof(struct outgoing, unit.done));
    pipeline_resume(out->exchange);
}

static enum step
submit(struct exchange *ex, struct ledger_entry *records, size_t record_count)
{
    struct outgoing *out = ex->outgoing;

    out->unit = (struct store_unit){
        .done.run = on_unit_done, .home = ex->loop, .deliveries = &out->result, .delivery_count = 1,
        .records = records, .record_count = record_count,
    };
    deliver_add_void(out, &out->unit);
    if (record_count > 0 && review_collect(ex, &out->unit) != ST_OK)
        return STEP_FAIL;
    store_submit(ex->gateway->store, &out->unit);
    return STEP_WAIT;
}

/* The record of the earlier release, when no byte of it can have left. */
static size_t
void_earlier(struct exchange *ex, struct ledger_entry *record, const char *why)
{
    struct outgoing *out = ex->outgoing;

    if (out->byte_may_have_left || span_empty(ex->due->event_id))
        return 0;
    struct disclosure taken_back = {
        .kind = RECORD_VOID, .event_id = record_event_id(ex->arena, ex->at_ms),
        .voids = ex->due->event_id, .void_reason = span_of(why), .release_ms = ex->at_ms,
        .request_id = ex->request_id, .client = ex->due->client, .patient = out->patient,
        .recipient.name = ex->due->recipient, .idempotency_key = ex->due->idempotency_key,
    };
    return record_author(&taken_back, ex->arena, record) == ST_OK ? 1 : 0;
}

static enum step
end_without_recipient(struct exchange *ex)
{
    struct outgoing *out = ex->outgoing;

    out->result = (struct store_delivery){
        .id = out->outbox_id, .state = DELIVERY_DEAD, .attempts = out->attempts, .due_ms = ex->at_ms,
        .reason = SPAN("the recipient is configured no more"), .event_id = out->event_id,
        .idempotency_key = out->idempotency_key, .payload_sha256 = ex->due->payload_sha256,
        .byte_may_have_left = out->byte_may_have_left,
    };
    return submit(ex, NULL, 0);
}

static enum step
settle(struct exchange *ex)
{
    struct outgoing *out = ex->outgoing;

    if (out->recipient == NULL)
        return end_without_recipient(ex);
    if (!span_empty(out->sha256) && span_eq(out->sha256, ex->due->payload_sha256))
        return STEP_NEXT;                /* D4: the same release */
    struct ledger_entry *records = arena_make_n(ex->arena, 3, struct ledger_entry);
    if (records == NULL)
        return STEP_FAIL;
    size_t n   = void_earlier(ex, records, "decided again before a byte left");
    bool   any = !span_empty(out->release->payload);
    if (any) {
        out->idempotency_key    = uuid_new(ex->arena);
        out->event_id           = record_event_id(ex->arena, ex->at_ms);
        out->attempts           = 0;
        out->byte_may_have_left = false;
    }
    if (disclosures_author(ex, out, &records[n], &n) != ST_OK || arena_spent(ex->arena))
        return STEP_FAIL;
    out->result = (struct store_delivery){
        .id = out->outbox_id, .state = any ? DELIVERY_WAITING : DELIVERY_NOTHING,
        .attempts = out->attempts, .due_ms = ex->at_ms + DELIVER_LEASE_MS,
        .reason = any ? (struct span){ 0 } : SPAN("nothing may leave any more"),
        .event_id = out->event_id, .idempotency_key = out->idempotency_key,
        .payload_sha256 = out->sha256, .byte_may_have_left = out->byte_may_have_left,
    };
    return submit(ex, records, n);
}

static enum step
settled(struct exchange *ex)
{
    struct outgoing *out = ex->outgoing;

    if (out->unit.status != ST_OK)
        return STEP_FAIL;                /* the lease ends and it is due again */
    disclosures_count(out->unit.records, out->unit.record_count);
    if (out->result.state == DELIVERY_WAITING) {
        out->lease_ms = out->result.due_ms;
        return STEP_NEXT;
    }
    deliver_note(out);
    if (out->result.follows)
        deliver_wake(ex->gateway->deliver);
    return STEP_ANSWER;
}

static const struct stage stage_settle = { .name = "settle", .enter = settle, .resume = settled };

/* ---- send --------------------------------------------------------------- */

static void
on_sent(struct http_call *call)
{
    struct outgoing *out = (struct outgoing *)(void *)((char *)call - offsetof(struct outgoing, call));
    pipeline_resume(out->exchange);
}

static enum step sent(struct exchange *);

static enum step
send_it(struct exchange *ex)
{
    return deliver_send(ex->gateway->deliver, ex->outgoing, on_sent) ? STEP_WAIT : sent(ex);
}

static enum step
sent(struct exchange *ex)
{
    int64_t now = loop_clock_ms(ex->loop);

    buf_release(&ex->outgoing->call.answer);
    if (deliver_lost(ex->outgoing, now))
        return STEP_ANSWER;
    deliver_judge(ex->outgoing, now);
    return STEP_NEXT;
}

static const struct stage stage_send = { .name = "send", .enter = send_it, .resume = sent };

/* ---- outcome ------------------------------------------------------------ */

static enum step
outcome(struct exchange *ex)
{
    return submit(ex, NULL, 0);
}

static enum step
written(struct exchange *ex)
{
    deliver_note(ex->outgoing);
    deliver_wake(ex->gateway->deliver);
    return STEP_NEXT;
}

static const struct stage stage_outcome = { .name = "outcome", .enter = outcome, .resume = written };

/* ---- abandon: what failed on our side is due again when its lease ends ---- */

static enum step
abandon(struct exchange *ex)
{
    if (ex->failed_stage != NULL)
        log_event(LOG_WARN_LEVEL, "delivery.abandoned", LOG_F_ID("request", ex->request_id),
                  LOG_F_CODE("stage", ex->failed_stage),
                  LOG_F_REASON("something needed to decide is away; due again when the lease ends"));
    return STEP_NEXT;
}

static const struct stage stage_abandon = { .name = "abandon", .enter = abandon };

const struct pipeline delivery = {
    .name = "delivery",
    .body = (const struct stage *const[]){
        &stage_reload, &stage_parse, &stage_match_again, &stage_label, &stage_inspect, &stage_decide, &stage_redact,
        &stage_settle, &stage_send, &stage_outcome, NULL },
    .tail = (const struct stage *const[]){ &stage_abandon, NULL },
};

/* ---- shared with the first try ------------------------------------------ */

void
deliver_add_void(struct outgoing *out, struct store_unit *unit)
{
    struct exchange *ex = out->exchange;

    if (out->result.state != DELIVERY_DEAD || out->byte_may_have_left || span_empty(out->event_id))
        return;
    struct ledger_entry *record = arena_make(ex->arena, struct ledger_entry);
    struct disclosure    taken_back = {
        .kind = RECORD_VOID, .event_id = record_event_id(ex->arena, loop_clock_ms(ex->loop)),
        .voids = out->event_id, .void_reason = SPAN("no connection was made"),
        .release_ms = loop_clock_ms(ex->loop), .request_id = ex->request_id,
        .client = ex->client->title, .patient = out->patient,
        .recipient.name = out->recipient != NULL ? out->recipient->title : ex->due->recipient,
        .idempotency_key = out->idempotency_key,
    };
    if (record == NULL || record_author(&taken_back, ex->arena, record) != ST_OK)
        return;                          /* the record stands: it says more than happened, never less */
    unit->records      = record;
    unit->record_count = 1;
}

void
deliver_note(const struct outgoing *out)
{
    static const char *const words[] = {
        [DELIVERY_WAITING] = "retry", [DELIVERY_SENT] = "sent", [DELIVERY_DEAD] = "dead",
        [DELIVERY_PARKED] = "parked", [DELIVERY_NOTHING] = "nothing",
    };
    const char *word = words[out->result.state];

    metric_add(METRIC_DELIVERIES, word, 1);
    log_event(out->result.state == DELIVERY_DEAD ? LOG_WARN_LEVEL : LOG_INFO_LEVEL, "delivery",
              LOG_F_ID("request", out->exchange->request_id),
              LOG_F_ID("recipient", out->recipient != NULL ? out->recipient->title : SPAN("-")),
              LOG_F_CODE("result", word), LOG_F_COUNT("attempts", out->attempts),
              LOG_F_COUNT("status", out->call.status));
}
