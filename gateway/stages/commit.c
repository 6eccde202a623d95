/* gateway/stages/commit.c -- everything durable in one transaction, before anything leaves. */
#include "gateway/stages/stages.h"

#include "gateway/deliver/deliver.h"
#include "gateway/ledger/record.h"
#include "gateway/runtime/identity.h"

static enum status queue_outgoing(struct exchange *);
static void keep_body(struct exchange *);
static void on_committed(struct task *);
static void author_kept_answer(struct store_unit *);
static enum step go_on_without_refused(struct exchange *);

/* Each round refuses what the store refused in the one before, so more than
 * this takes others that write the same records all the while. */
#define MOST_ROUNDS 4

static enum step
enter(struct exchange *ex)
{
    if (ex->intake == INTAKE_METADATA)
        return STEP_NEXT;
    ex->unit = (struct store_unit){
        .done.run = on_committed, .home = ex->loop,
        .resources = ex->resources, .resource_count = ex->resource_count,
        .consent_patients = ex->consents.everybody, .consent_patient_count = ex->consents.everybody_count,
        .consents_as_of = ex->consents.generation,
        .class_version = ex->config->class_version,
    };
    keep_body(ex);
    enum status st = queue_outgoing(ex);
    if (st == ST_OK)
        st = review_collect(ex, &ex->unit);
    if (st == ST_TOO_LARGE)
        return exchange_refuse_one(ex, 413, ISSUE_TOO_COSTLY, "Bundle",
                                   "the Bundle is about more patients than the record of a disclosure can name",
                                   "send it in parts");
    if (st != ST_OK)
        return exchange_fail(ex, ST_NO_MEMORY, "the record of a disclosure could not be written");
    if (ex->prefer_async && ex->bundle != NULL && entries_ask(ex) && span_empty(ex->idempotency_key)) {
        ex->idempotency_key = uuid_new(ex->arena);
        ex->request_sha256  = sha256_hex(ex->arena, &ex->idempotency_key, 1);
    }
    if (!span_empty(ex->idempotency_key)) {
        ex->kept_answer = (struct store_answer){
            .client = ex->asker->title, .key = ex->idempotency_key,
            .request_sha256 = ex->request_sha256,
        };
        ex->unit.answer = &ex->kept_answer;
        ex->unit.finish = author_kept_answer;
    }
    if (arena_spent(ex->arena))
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    store_submit(ex->gateway->store, &ex->unit);
    return STEP_WAIT;
}

static void
on_committed(struct task *task)
{
    pipeline_resume((struct exchange *)(void *)((char *)task - offsetof(struct exchange, unit.done)));
}

static enum step
resume(struct exchange *ex)
{
    if (ex->unit.status == ST_OK) {
        disclosures_count(ex->unit.records, ex->unit.record_count);
        return STEP_NEXT;
    }
    if (ex->unit.status == ST_CONFLICT && ex->unit.conflict == STORE_CONFLICT_KEY)
        return exchange_refuse_one(ex, 409, ISSUE_CONFLICT, "Idempotency-Key",
                                   "a request with this Idempotency-Key is being worked on",
                                   "send it again later; the first answer will be repeated");
    if (ex->unit.status == ST_CONFLICT && ex->revoking != NULL && ++ex->rounds <= MOST_ROUNDS) {
        ex->back_to = &stage_revoke;     /* somebody wrote a Consent meanwhile: a revocation is not lost to that */
        return STEP_BACK;
    }
    if (ex->unit.status == ST_CONFLICT && ex->unit.conflict == STORE_CONFLICT_CONSENT)
        return exchange_fail(ex, ST_UNAVAILABLE, "a consent of the patient, or a paper on file, was written while this was decided");
    if (ex->unit.status == ST_CONFLICT)
        return go_on_without_refused(ex);
    return exchange_fail(ex, ST_UNAVAILABLE, "it could not be made durable");
}

const struct stage stage_commit = { .name = "commit", .enter = enter, .resume = resume };

/* What the store holds forbids some of the resources: a batch goes on without
 * them, everything else is refused. */
static enum step
go_on_without_refused(struct exchange *ex)
{
    if (++ex->rounds > MOST_ROUNDS)
        return exchange_fail(ex, ST_UNAVAILABLE, "others are writing the same records");
    for (size_t i = 0; i < ex->entry_count; i++) {
        const struct store_resource *r = ex->entries[i].resource;
        if (r == NULL || r->refused == STORE_NOT_REFUSED || r->refused == STORE_IS_THERE)
            continue;                    /* there by now: the stage match finds it */
        enum step step = entry_refuse_stored(ex, i, r->refused);
        if (step != STEP_NEXT)
            return step;
    }
    if (ex->whole != NULL && ex->whole->refused != STORE_NOT_REFUSED)
        return entry_refuse_stored(ex, 0, ex->whole->refused);
    ex->back_to = &stage_match;
    return STEP_BACK;
}

/* Records (at most two a recipient) and outbox rows. */
static enum status
queue_outgoing(struct exchange *ex)
{
    struct ledger_entry *records = arena_make_n(ex->arena, 2 * ex->outgoing_count, struct ledger_entry);
    struct store_outbox *rows    = arena_make_n(ex->arena, ex->outgoing_count, struct store_outbox);

    if (records == NULL || rows == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < ex->outgoing_count; i++) {
        struct outgoing *out = &ex->outgoing[i];
        if (!span_empty(out->release->payload)) {
            out->idempotency_key = uuid_new(ex->arena);
            out->event_id        = record_event_id(ex->arena, ex->at_ms);
            out->row             = &rows[ex->unit.outbox_count++];
            *out->row            = (struct store_outbox){
                .recipient = out->recipient->title, .patient = out->patient,
                .idempotency_key = out->idempotency_key, .event_id = out->event_id,
                .payload_sha256 = out->sha256, .due_ms = ex->at_ms,
                .lease_ms = ex->at_ms + DELIVER_LEASE_MS,
            };
        }
        enum status st = disclosures_author(ex, out, &records[ex->unit.record_count],
                                            &ex->unit.record_count);
        if (st != ST_OK)
            return st;
    }
    ex->unit.records = records;
    ex->unit.outbox  = rows;
    return ST_OK;
}

/* The body as it was accepted: the resources are slices of it, and the
 * deliveries are decided from it again. */
static void
keep_body(struct exchange *ex)
{
    ex->inbox = (struct store_inbox){
        .request_id = ex->request_id, .client = ex->client->title,
        .bundle_type = ex->bundle != NULL ? span_of(bundle_type_text(ex->bundle->type)) : SPAN("delete"),
        .patient = ex->patient, .holder = span_of(holder_code(ex->facts.holder)), .body = ex->bundle != NULL ? ex->body : (struct span){ NULL, 0 },
    };
    ex->unit.inbox = &ex->inbox;
}

/* On the store thread: the exchange waits meanwhile, so its memory is ours. */
static void
author_kept_answer(struct store_unit *unit)
{
    struct exchange *ex = (struct exchange *)(void *)((char *)unit - offsetof(struct exchange, unit));

    if (response_author(ex, &ex->kept_answer.body) != ST_OK)
        ex->kept_answer.body = (struct span){ 0 };
    ex->kept_answer.status       = response_status(ex);
    ex->kept_answer.location     = response_location(ex);
    ex->kept_answer.content_type = span_empty(ex->kept_answer.body) ? (struct span){ NULL, 0 }
                                                                    : SPAN("application/fhir+json; charset=utf-8");
}
