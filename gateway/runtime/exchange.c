#include "gateway/runtime/exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fhir/outcome.h"
#include "gateway/ops/metrics.h"

/* What, why and what to do: neither the parts of it nor the arena are needed to say it. */
#define NO_MEMORY_WORDS "the memory that one exchange may use is spent: send fewer resources in one Bundle, "  \
                        "or ask for a higher limits { exchange-bytes }"
#define MAX_ANSWER_BYTES ((size_t)64 << 20)
#define MAX_FINDINGS     200

static void on_end(struct task *);

int64_t
exchange_clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct config *
gateway_config(struct gateway *gateway)
{
    pthread_mutex_lock(&gateway->config_lock);
    struct config *config = gateway->config;
    config_pin(config);
    pthread_mutex_unlock(&gateway->config_lock);
    return config;
}

struct exchange *
exchange_new(struct gateway *gateway, struct loop *loop, struct http_request *request, size_t body_bytes)
{
    struct config *config = gateway_config(gateway);
    bool           large  = body_bytes >= config->limits.worker_bytes;
    /* A large body may be worked on by another thread; the pool belongs to
     * this one. */
    struct arena *arena = large ? arena_new("exchange", config->limits.exchange_bytes)
                                : arena_new_from(loop_arenas(loop), "exchange",
                                                 config->limits.exchange_bytes);
    struct exchange *ex = arena != NULL ? arena_make(arena, struct exchange) : NULL;
    if (ex == NULL) {
        arena_free(&arena);
        config_unpin(&config);
        return NULL;
    }
    ex->gateway  = gateway;
    ex->config   = config;
    ex->loop     = loop;
    ex->arena    = arena;
    ex->request  = request;
    ex->large    = large;
    ex->pins     = 1;
    ex->inspected.max_bytes = config->limits.exchange_bytes;
    ex->begun_us = exchange_clock_us();
    ex->at_ms    = loop_clock_ms(loop);
    ex->issues   = issues_new(arena, MAX_FINDINGS);  /* NULL: the arena is spent, and says so */
    buf_init(&ex->answer_body, MAX_ANSWER_BYTES);
    metric_set(METRIC_EXCHANGES, NULL, (int64_t)atomic_fetch_add(&gateway->exchanges, 1) + 1);
    return ex;
}

void
exchange_pin(struct exchange *ex)
{
    ex->pins++;
}

void
exchange_unpin(struct exchange *ex)
{
    assert(ex->pins > 0);
    if (--ex->pins > 0)
        return;
    ex->end_task.run = on_end;
    loop_finally(ex->loop, &ex->end_task);
}

void
exchange_end(struct exchange *ex)
{
    exchange_unpin(ex);
}

/* The end of the turn: no callback of this exchange is on the stack. */
static void
on_end(struct task *task)
{
    struct exchange *ex =
        (struct exchange *)(void *)((char *)task - offsetof(struct exchange, end_task));
    struct arena *arena = ex->arena;

    if (ex->ended != NULL)
        ex->ended(ex);
    exchange_answered(ex);
    if (ex->request != NULL)
        http_request_free(&ex->request);
    buf_release(&ex->answer_body);
    config_unpin(&ex->config);
    store_shelf_unpin(&ex->shelf);
    inspected_release(&ex->inspected);
    metric_set(METRIC_EXCHANGES, NULL, (int64_t)atomic_fetch_sub(&ex->gateway->exchanges, 1) - 1);
    arena_free(&arena);
}

uint32_t
exchange_asked(struct exchange *ex)
{
    ex->asked = true;
    return atomic_fetch_add(&ex->gateway->unanswered, 1) + 1;
}

void
exchange_answered(struct exchange *ex)
{
    if (ex->asked)
        atomic_fetch_sub(&ex->gateway->unanswered, 1);
    ex->asked = false;
}

struct exchange *
exchange_of_job(struct job *job)
{
    return (struct exchange *)(void *)((char *)job - offsetof(struct exchange, job));
}

/* ---- answers ------------------------------------------------------------ */

void
exchange_answer_header(struct exchange *ex, struct span name, struct span value)
{
    assert(ex->answer.header_count < EXCHANGE_HEADERS);
    ex->answer_headers[ex->answer.header_count++] = (struct http_header){ name, value };
    ex->answer.headers = ex->answer_headers;
}

void
exchange_answer_json(struct exchange *ex, int http_status, struct span body)
{
    ex->answer.status       = http_status;
    ex->answer.body         = body;
    ex->answer.content_type = span_empty(body) ? (struct span){ 0 }
                                               : SPAN("application/fhir+json; charset=utf-8");
}

/* When the arena is spent the findings may be incomplete; then the one that
 * counts is that there was no memory, authored without the arena. */
static int
print_outcome(struct exchange *ex, int http_status)
{
    if (!arena_spent(ex->arena)
        && outcome_print(ex->issues, &ex->answer_body, AUTHOR_COMPACT) == ST_OK)
        return http_status;
    buf_clear(&ex->answer_body);
    if (outcome_print_one(SEVERITY_ERROR, ISSUE_TRANSIENT, SPAN(NO_MEMORY_WORDS),
                          SPAN("http.body"), &ex->answer_body) != ST_OK)
        buf_clear(&ex->answer_body);     /* 503 without a body says it too */
    return 503;
}

static void
answer_outcome(struct exchange *ex, int http_status)
{
    buf_clear(&ex->answer_body);
    http_status = print_outcome(ex, http_status);
    exchange_answer_json(ex, http_status, buf_span(&ex->answer_body));
    ex->answer.header_count = 0;
    if (http_status == 503 || http_status == 429)
        exchange_answer_header(ex, SPAN("Retry-After"), SPAN("1"));
}

enum step
exchange_refuse(struct exchange *ex, int http_status)
{
    answer_outcome(ex, http_status);
    return STEP_FAIL;
}

/* Where a sender has to look when no element of the payload is to blame.  R4
 * operationoutcome.html has "http." and the field for it. */
static struct span
place_of(int http_status, const char *rule)
{
    static const struct { const char *field; struct span place; } fields[] = {
        { "If-Match", { "http.If-Match", 13 } },           { "If-None-Match", { "http.If-None-Match", 18 } },
        { "If-None-Exist", { "http.If-None-Exist", 18 } }, { "Content-Type", { "http.Content-Type", 17 } },
        { "Idempotency-Key", { "http.Idempotency-Key", 20 } },
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(rule, fields[i].field) == 0)
            return fields[i].place;
    switch (http_status) {
    case 401:
    case 403:
        return SPAN("http.client-certificate");
    case 404:
        return SPAN("http.target");
    case 405:
        return SPAN("http.method");
    case 406:
        return SPAN("http.Accept");
    case 415:
        return SPAN("http.Content-Type");
    default:
        return SPAN("http.body");
    }
}

enum step
exchange_refuse_one(struct exchange *ex, int http_status, enum issue_code code, const char *rule,
                    const char *what, const char *hint)
{
    struct issue issue = {
        .severity = SEVERITY_ERROR, .code = code, .rule = rule,
        .wanted = span_of(what), .hint = span_of(hint), .times = 1,
        .expression = place_of(http_status, rule),
    };
    if (ex->issues != NULL)
        issues_add(ex->issues, &issue);
    return exchange_refuse(ex, http_status);
}

void
exchange_overloaded(struct exchange *ex)
{
    exchange_refuse_one(ex, 429, ISSUE_THROTTLED, "load", "too many requests are in flight",
                        "send it again after the time in Retry-After");
    http_respond(ex->request, &ex->answer);
    exchange_end(ex);
}

enum step
exchange_fail(struct exchange *ex, enum status st, const char *why)
{
    /* Whatever was found before is not why this failed. */
    struct issues *only = issues_new(ex->arena, 1);
    int            http = status_http(st);

    if (only != NULL)
        ex->issues = only;
    return exchange_refuse_one(ex, http == 502 ? 503 : http,
                               http == 413 ? ISSUE_TOO_LONG : ISSUE_TRANSIENT, status_name(st), why,
                               http >= 500 ? "send it again later; nothing of it was kept" : NULL);
}
