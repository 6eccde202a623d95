#include "gateway/admin.h"

#include <stdio.h>
#include <time.h>

#include "consent/review.h"
#include "gateway/gateway.h"
#include "gateway/ops/metrics.h"

#define REVIEW_STATES 3
#define MAX_METRICS_BYTES ((size_t)1 << 20)
#define METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

static void
answer(struct http_request *request, int status, struct span type, struct span body)
{
    http_respond(request, &(struct http_answer){ .status = status, .content_type = type, .body = body });
}

static void
ready(struct gateway *gateway, struct http_request *request)
{
    bool store    = store_healthy(gateway->store);
    bool draining = atomic_load(&gateway->draining);

    if (store && !draining)
        answer(request, 200, SPAN("text/plain; charset=utf-8"), SPAN("ready\n"));
    else
        answer(request, 503, SPAN("text/plain; charset=utf-8"),
               draining ? SPAN("draining\n") : SPAN("the store does not take writes\n"));
}

/* Kinds are rows of consent/review.def: what a store of another version knows beside them is "other". */
static void
on_review_count(struct span kind, enum review_state state, uint64_t count, void *arg)
{
    int64_t *counts = arg;

    counts[review_of_code(kind) * REVIEW_STATES + (unsigned)state % REVIEW_STATES] += (int64_t)count;
}

static void
read_review(const struct gateway *gateway)
{
    int64_t  counts[REVIEW_COUNT * REVIEW_STATES] = { 0 };
    uint64_t open;
    int64_t  oldest;
    char     label[64];

    if (store_review_count(gateway->store, on_review_count, counts) != ST_OK
        || store_review_oldest(gateway->store, &open, &oldest) != ST_OK)
        return;
    for (unsigned i = REVIEW_STATES; i < REVIEW_COUNT * REVIEW_STATES; i++) {
        (void)snprintf(label, sizeof label, "%s,%s", review_code((enum review_kind)(i / REVIEW_STATES)),
                       review_state_text((enum review_state)(i % REVIEW_STATES)));
        metric_set(METRIC_REVIEW_ITEMS, label, counts[i]);
    }
    metric_set(METRIC_REVIEW_OLDEST, NULL, open > 0 ? ((int64_t)time(NULL) * 1000 - oldest) / 1000 : 0);
}

/* What is counted where it is, and only when somebody looks. */
static void
read_gauges(const struct gateway *gateway)
{
    struct store_counts counts;
    int64_t             connections = 0;

    if (store_counts_read(gateway->store, &counts) == ST_OK) {
        metric_set(METRIC_OUTBOX_WAITING, NULL, (int64_t)counts.waiting);
        metric_set(METRIC_OUTBOX_DEAD, NULL, (int64_t)counts.dead);
    }
    read_review(gateway);
    for (uint32_t i = 0; i < gateway->loop_count; i++)
        connections += http_server_connections(gateway->servers[i]);
    metric_set(METRIC_CONNECTIONS, NULL, connections);
}

static void
metrics(const struct gateway *gateway, struct http_request *request)
{
    struct buf out;

    read_gauges(gateway);
    buf_init(&out, MAX_METRICS_BYTES);
    if (metrics_print(&out) == ST_OK)
        answer(request, 200, SPAN(METRICS_TYPE), buf_span(&out));
    else
        answer(request, 503, (struct span){ 0 }, (struct span){ 0 });
    buf_release(&out);
}

void
admin_request(struct http_request *request, void *arg)
{
    const struct http_head *head = http_request_head(request);

    if (!span_eq_text(head->method, "GET") && !span_eq_text(head->method, "HEAD"))
        answer(request, 405, (struct span){ 0 }, (struct span){ 0 });
    else if (span_eq_text(head->path, "/livez"))
        answer(request, 200, SPAN("text/plain; charset=utf-8"), SPAN("alive\n"));
    else if (span_eq_text(head->path, "/readyz"))
        ready(arg, request);
    else if (span_eq_text(head->path, "/metrics"))
        metrics(arg, request);
    else
        answer(request, 404, (struct span){ 0 }, (struct span){ 0 });
    http_request_free(&request);
}
