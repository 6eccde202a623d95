#include "gateway/deliver/deliver.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/deliver/claims.h"
#include "gateway/ops/log.h"
#include "gateway/ops/metrics.h"
#include "gateway/runtime/exchange.h"
#include "gateway/runtime/identity.h"

#define MAX_CONNECTIONS_A_PEER 64
#define CONNECT_SECONDS        5
#define TOTAL_SECONDS          50
#define CROWDED_RETRY_MS       2000      /* all connections are taken: not at once again */
#define FIRST_RETRY_MS         500
#define LONGEST_RETRY_MS       30000
#define LONGEST_RETRY_AFTER_S  86400     /* as http/client.h reads it */
#define MAX_HEADERS            4

/* The peers of one configuration snapshot, on one loop.  Peers of an older
 * snapshot wait until the loop ends: calls may still be out on them. */
struct peer_set {
    struct peer_set   *older;
    uint64_t           generation;
    struct http_peer **peers;            /* by index of recipient; NULL until first used */
};

struct lane {                            /* one per loop, touched on its thread only */
    struct http_client *client;
    struct peer_set    *peers;
};

struct deliver {
    struct gateway *gateway;
    struct lane    *lanes;
    struct claims  *claims;
};

static bool may_go(struct http_call *);
static bool still_holds(const struct exchange *, const struct outgoing *);
static void send_or_requeue(struct deliver *, struct outgoing *);
static void on_tried(struct http_call *);
static void write_result(struct outgoing *);
static void on_written(struct task *);

struct deliver *
deliver_new(struct gateway *gateway)
{
    struct deliver *d = calloc(1, sizeof *d);

    if (d == NULL)
        return NULL;
    d->gateway = gateway;
    d->lanes   = calloc(gateway->loop_count, sizeof *d->lanes);
    d->claims  = claims_new(gateway);
    if (d->lanes == NULL || d->claims == NULL)
        deliver_free(&d);
    return d;
}

enum status
deliver_start(struct deliver *d)
{
    for (uint32_t i = 0; i < d->gateway->loop_count; i++) {
        d->lanes[i].client = http_client_new(d->gateway->loops[i]);
        if (d->lanes[i].client == NULL)
            return ST_NO_MEMORY;
    }
    return claims_start(d->claims);
}

void
deliver_stop(struct deliver *d)
{
    claims_stop(d->claims);
}

bool
deliver_asking(const struct deliver *d)
{
    return claims_under_way(d->claims);
}

void
deliver_end_loop(struct deliver *d, struct loop *loop)
{
    struct lane *lane = &d->lanes[loop_index(loop)];

    http_client_free(&lane->client);
    while (lane->peers != NULL) {
        struct peer_set *gone = lane->peers;
        lane->peers           = gone->older;
        free(gone->peers);               /* the peers themselves went with the client */
        free(gone);
    }
}

void
deliver_free(struct deliver **d)
{
    if (*d == NULL)
        return;
    claims_free(&(*d)->claims);
    free((*d)->lanes);
    free(*d);
    *d = NULL;
}

void
deliver_wake(struct deliver *d)
{
    claims_wake(d->claims);
}

/* ---- peers -------------------------------------------------------------- */

static struct peer_set *
peers_of(struct lane *lane, const struct config *config)
{
    for (struct peer_set *set = lane->peers; set != NULL; set = set->older)
        if (set->generation == config->generation)
            return set;
    struct peer_set *set = calloc(1, sizeof *set);
    if (set == NULL)
        return NULL;
    set->generation = config->generation;
    set->peers      = calloc(config->recipient_count, sizeof *set->peers);
    if (set->peers == NULL) {
        free(set);
        return NULL;
    }
    set->older  = lane->peers;
    lane->peers = set;
    return set;
}

static struct http_peer *
peer_for(struct deliver *d, const struct exchange *ex, const struct outgoing *out)
{
    struct lane     *lane = &d->lanes[loop_index(ex->loop)];
    struct peer_set *set  = peers_of(lane, ex->config);

    if (set == NULL)
        return NULL;
    struct http_peer **peer = &set->peers[out->recipient_index];
    if (*peer == NULL)
        *peer = http_peer_new(lane->client, &(struct http_peer_options){
            .url = out->recipient->url, .ca = out->recipient->ca,
            .certificate = out->recipient->certificate, .key = out->recipient->key,
            .configured = true, .max_connections = MAX_CONNECTIONS_A_PEER,
            .connect_seconds = CONNECT_SECONDS, .total_seconds = TOTAL_SECONDS });
    return *peer;
}

/* ---- one try ------------------------------------------------------------ */

bool
deliver_send(struct deliver *d, struct outgoing *out, void (*done)(struct http_call *))
{
    struct exchange    *ex      = out->exchange;
    struct http_peer   *peer    = peer_for(d, ex, out);
    struct http_header *headers = arena_make_n(ex->arena, MAX_HEADERS, struct http_header);

    out->call = (struct http_call){ .method = "POST", .body = out->release->payload, .done = done,
                                    .may_go = may_go };
    out->withdrawn = false;
    buf_init(&out->call.answer, 0);
    if (peer == NULL || headers == NULL) {
        out->call.error = "memory";
        return false;
    }
    headers[0]             = (struct http_header){ SPAN("Content-Type"), SPAN("application/fhir+json") };
    headers[1]             = (struct http_header){ SPAN("X-Request-Id"), ex->request_id };
    headers[2]             = (struct http_header){ SPAN("Idempotency-Key"), out->idempotency_key };
    headers[3]             = (struct http_header){ SPAN("Accept"), SPAN("application/fhir+json") };
    out->call.headers      = headers;
    out->call.header_count = MAX_HEADERS;
    http_call_send(peer, &out->call);
    return true;
}

/* D7 */
static bool
may_go(struct http_call *call)
{
    struct outgoing *out = (struct outgoing *)(void *)((char *)call - offsetof(struct outgoing, call));
    int64_t          now = loop_clock_ms(out->exchange->loop);

    out->withdrawn = now + TOTAL_SECONDS * 1000 > out->lease_ms || !still_holds(out->exchange, out);
    return !out->withdrawn;
}

bool
deliver_lost(const struct outgoing *out, int64_t now_ms)
{
    return out->withdrawn && now_ms >= out->lease_ms;
}

static bool
final_refusal(int status)
{
    switch (status) {
    case 400: case 405: case 406: case 410: case 411: case 412: case 413: case 414: case 415: case 422:
        return true;
    default:
        return false;
    }
}

int64_t
deliver_backoff_ms(uint32_t attempts, int64_t retry_after_seconds, uint32_t random)
{
    int64_t wait = FIRST_RETRY_MS;

    for (uint32_t i = 1; i < attempts && wait < LONGEST_RETRY_MS; i++)
        wait *= 2;
    if (wait > LONGEST_RETRY_MS)
        wait = LONGEST_RETRY_MS;
    wait = wait / 2 + (int64_t)(random % (uint32_t)(wait / 2 + 1));      /* half to whole */
    if (retry_after_seconds > LONGEST_RETRY_AFTER_S)
        retry_after_seconds = LONGEST_RETRY_AFTER_S;
    return retry_after_seconds * 1000 > wait ? retry_after_seconds * 1000 : wait;
}

void
deliver_judge(struct outgoing *out, int64_t now_ms)
{
    const struct http_call *call = &out->call;
    uint32_t                random;

    out->attempts += !out->withdrawn;
    out->byte_may_have_left = out->byte_may_have_left || call->bytes_may_have_left;
    out->result = (struct store_delivery){
        .id = out->outbox_id, .attempts = out->attempts, .due_ms = now_ms,
        .event_id = out->event_id, .idempotency_key = out->idempotency_key,
        .payload_sha256 = out->sha256, .byte_may_have_left = out->byte_may_have_left,
    };
    if (out->withdrawn) {
        bool crowded       = still_holds(out->exchange, out);
        out->result.state  = DELIVERY_WAITING;
        out->result.reason = crowded ? SPAN("all connections are taken") : SPAN("decide again");
        out->result.due_ms = now_ms + (crowded ? CROWDED_RETRY_MS : 0);
        return;
    }
    if (call->status >= 200 && call->status < 300) {
        out->result.state = DELIVERY_SENT;
        return;
    }
    out->result.reason = call->status > 0 ? arena_format(out->exchange->arena, "http %d", call->status)
                                          : span_of(call->error);
    if (final_refusal(call->status) || out->attempts >= out->recipient->attempts) {
        out->result.state = DELIVERY_DEAD;
        return;
    }
    random_draw(&random, sizeof random);
    out->result.state  = DELIVERY_WAITING;
    out->result.due_ms = now_ms + deliver_backoff_ms(out->attempts, call->retry_after_seconds, random);
}

/* ---- right after the commit --------------------------------------------- */

/* D3: nothing has happened since the decision that could change it.  A push
 * wrote Consents of its own, of which the decision knew. */
static bool
still_holds(const struct exchange *ex, const struct outgoing *out)
{
    struct gateway *gateway = ex->gateway;
    uint64_t        known   = ex->consents.generation + (ex->due == NULL ? ex->own_consents : 0);

    pthread_mutex_lock(&gateway->config_lock);
    bool same_config = gateway->config->generation == ex->config->generation;
    pthread_mutex_unlock(&gateway->config_lock);
    return same_config && (ex->due != NULL || ex->unit.consent_generation == known)
        && store_consent_generation(gateway->store) == known
        && loop_clock_ms(ex->loop) < out->release->valid_until_ms;
}

void
deliver_now(struct deliver *d, struct exchange *ex)
{
    for (size_t i = 0; i < ex->outgoing_count; i++) {
        struct outgoing *out = &ex->outgoing[i];
        if (out->row == NULL || !out->row->turn)
            continue;                    /* not its turn: a claim sends it later */
        out->outbox_id = out->row->id;
        out->lease_ms  = out->row->lease_ms;
        exchange_pin(ex);
        send_or_requeue(d, out);
    }
}

static void
send_or_requeue(struct deliver *d, struct outgoing *out)
{
    struct exchange *ex = out->exchange;

    if (still_holds(ex, out)) {
        if (!deliver_send(d, out, on_tried))
            on_tried(&out->call);
        return;
    }
    out->result = (struct store_delivery){
        .id = out->outbox_id, .state = DELIVERY_WAITING, .due_ms = loop_clock_ms(ex->loop),
        .reason = SPAN("decide again"), .event_id = out->event_id,
        .idempotency_key = out->idempotency_key, .payload_sha256 = out->sha256,
    };
    write_result(out);
}

static void
on_tried(struct http_call *call)
{
    struct outgoing *out = (struct outgoing *)(void *)((char *)call - offsetof(struct outgoing, call));

    int64_t now = loop_clock_ms(out->exchange->loop);
    buf_release(&call->answer);
    if (deliver_lost(out, now)) {
        exchange_unpin(out->exchange);
        return;
    }
    deliver_judge(out, now);
    write_result(out);
}

static void
write_result(struct outgoing *out)
{
    struct exchange *ex = out->exchange;

    out->unit = (struct store_unit){
        .done.run = on_written, .home = ex->loop, .deliveries = &out->result, .delivery_count = 1,
        .may_wait = out->result.state == DELIVERY_SENT,
    };
    deliver_add_void(out, &out->unit);
    store_submit(ex->gateway->store, &out->unit);
}

static void
on_written(struct task *task)
{
    struct outgoing *out =
        (struct outgoing *)(void *)((char *)task - offsetof(struct outgoing, unit.done));
    struct exchange *ex = out->exchange;

    deliver_note(out);
    /* A result that could not be written is tried again when its lease ends. */
    if (out->unit.status != ST_OK || out->result.follows || out->result.state == DELIVERY_WAITING)
        deliver_wake(ex->gateway->deliver);
    exchange_unpin(ex);
}
