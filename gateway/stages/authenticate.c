/* gateway/stages/authenticate.c -- who sends this, and has it been sent before. */
#include "gateway/stages/stages.h"

#include "gateway/auth/clients.h"
#include "gateway/runtime/identity.h"

#define MAX_KEY 255

static enum step check_right(struct exchange *);
static enum step find_kept_answer(struct exchange *, struct span key);
static enum step look_up(struct exchange *, struct span key);
static enum step nothing_there(struct exchange *);
static void      on_found(struct task *);
static bool      asks(const struct exchange *);

static enum step
enter(struct exchange *ex)
{
    const struct http_head *head = http_request_head(ex->request);

    if (ex->intake == INTAKE_METADATA || ex->intake == INTAKE_SERVICES)
        return STEP_NEXT;                /* R4 http.html#capabilities, CDS Hooks "Discovery": for everybody */
    ex->asker = ex->client = client_by_certificate(ex->config, head->client_cn);
    if (ex->client == NULL)
        return exchange_refuse_one(ex, span_empty(head->client_cn) ? 401 : 403, ISSUE_LOGIN, "client",
                                   "the client certificate belongs to no registered client",
                                   "ask the operator to register this certificate's common name");
    enum step step = check_right(ex);
    if (step != STEP_NEXT)
        return step;
    if (ex->intake == INTAKE_ASYNC)
        return token_valid(ex->path_id, MAX_KEY) ? look_up(ex, ex->path_id) : nothing_there(ex);
    size_t keys = http_request_count(ex->request, SPAN("Idempotency-Key"));
    if (keys == 0 || ex->intake == INTAKE_VALIDATE || asks(ex))
        return STEP_NEXT;
    if (keys > 1)
        return exchange_refuse_one(ex, 400, ISSUE_VALUE, "Idempotency-Key",
                                   "there is more than one Idempotency-Key", "send one key with a request");
    return find_kept_answer(ex, http_request_header(ex->request, SPAN("Idempotency-Key")));
}

/* Asking changes nothing, and a repeated answer would be about another moment. */
static bool
asks(const struct exchange *ex)
{
    return ex->intake == INTAKE_READ || ex->intake == INTAKE_VREAD || ex->intake == INTAKE_HISTORY
        || ex->intake == INTAKE_SEARCH || ex->intake == INTAKE_CONSULT || ex->intake == INTAKE_AUDIT_READ
        || ex->intake == INTAKE_AUDIT_SEARCH || ex->intake == INTAKE_ACCOUNTING;
}

/* A Bundle's rights are those of its entries (checked by record); here only
 * what the path says already. */
static enum step
check_right(struct exchange *ex)
{
    struct span type = span_empty(ex->path_type) ? SPAN("Bundle") : ex->path_type;
    bool        may  = true;

    if (ex->intake == INTAKE_CREATE)
        may = client_may(ex->client, 'c', type);
    else if (ex->intake == INTAKE_UPDATE)
        may = client_may(ex->client, 'u', type) || client_may(ex->client, 'c', type);
    else if (ex->intake == INTAKE_DELETE)
        may = client_may(ex->client, 'd', type);
    else if (ex->intake == INTAKE_SEARCH || ex->intake == INTAKE_AUDIT_SEARCH)
        may = client_may(ex->client, 's', type);
    else if (ex->intake == INTAKE_READ || ex->intake == INTAKE_VREAD || ex->intake == INTAKE_HISTORY
             || ex->intake == INTAKE_AUDIT_READ)
        may = client_may(ex->client, 'r', type);
    else if (ex->intake == INTAKE_ACCOUNTING)
        may = client_may(ex->client, 'r', SPAN("AuditEvent"));
    else if (ex->intake == INTAKE_REVOKE)
        may = client_may(ex->client, 'u', type) || client_may(ex->client, 'c', type);
    else if (ex->intake == INTAKE_CONSULT)
        may = client_has(ex->client, DUTY_CONSULT) || client_has(ex->client, DUTY_CONSULT_FOR_OTHERS);
    if (may)
        return STEP_NEXT;
    return exchange_refuse_one(ex, 403, ISSUE_FORBIDDEN, "scope",
                               "this client's scopes do not cover this interaction",
                               ex->intake == INTAKE_CONSULT ? "ask the operator for the duty `consult`"
                               : ex->intake == INTAKE_ACCOUNTING || (span_eq_text(type, "AuditEvent") && asks(ex)) ? "ask the operator for the scope: system/AuditEvent.rs"
                               : asks(ex)                   ? "ask the operator for the scope: system/Consent.rs"
                                                            : "ask the operator for the scope, for example system/*.cu");
}

static enum step
find_kept_answer(struct exchange *ex, struct span key)
{
    const struct http_head *head = http_request_head(ex->request);

    if (!token_valid(key, MAX_KEY))
        return exchange_refuse_one(ex, 400, ISSUE_VALUE, "Idempotency-Key",
                                   "the Idempotency-Key is not 1 to 255 of A-Z a-z 0-9 . _ : -",
                                   "a UUID is a good key");
    ex->idempotency_key = key;
    ex->request_sha256  = sha256_hex(ex->arena, (const struct span[]){
        head->method, SPAN(" "), head->path, SPAN("?"), head->query, SPAN("\n"), ex->body }, 7);
    return look_up(ex, key);
}

static enum step
look_up(struct exchange *ex, struct span key)
{
    ex->lookup = (struct store_lookup){
        .done.run = on_found, .home = ex->loop, .arena = ex->arena,
        .client = ex->client->title, .key = key,
    };
    store_find_answer(ex->gateway->store, &ex->lookup);
    return STEP_WAIT;
}

/* Of another client, expired, or never sent: all the same. */
static enum step
nothing_there(struct exchange *ex)
{
    return exchange_refuse_one(ex, 404, ISSUE_NOT_FOUND, "http", "there is nothing under this path",
                               "answers of asynchronous requests are kept for as long as Idempotency-Keys");
}

static void
on_found(struct task *task)
{
    pipeline_resume((struct exchange *)(void *)((char *)task - offsetof(struct exchange, lookup.done)));
}

static enum step
resume(struct exchange *ex)
{
    const struct store_answer *kept = &ex->lookup.answer;

    if (ex->lookup.status == ST_NOT_FOUND)
        return ex->intake == INTAKE_ASYNC ? nothing_there(ex) : STEP_NEXT;
    if (ex->lookup.status != ST_OK)
        return exchange_fail(ex, ST_UNAVAILABLE, "the store cannot say whether this key was used before");
    if (ex->intake != INTAKE_ASYNC && !span_eq(kept->request_sha256, ex->request_sha256))
        return exchange_refuse_one(ex, 422, ISSUE_BUSINESS_RULE, "Idempotency-Key",
                                   "this Idempotency-Key was used for another request",
                                   "use a new key for a new request");
    if (ex->prefer_async && ex->intake == INTAKE_SYSTEM && kept->status == 200) {
        response_async(ex, ex->idempotency_key);
        return STEP_ANSWER;
    }
    ex->answer.status       = kept->status;
    ex->answer.content_type = kept->content_type;
    ex->answer.body         = kept->body;
    response_add_location(ex, kept->location);
    return STEP_ANSWER;
}

const struct stage stage_authenticate = { .name = "authenticate", .enter = enter, .resume = resume };
