#include "gateway/terminology/server.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/http/client.h"
#include "gateway/ops/log.h"
#include "gateway/ops/metrics.h"
#include "gateway/terminology/answers.h"
#include "gateway/terminology/health.h"
#include "gateway/terminology/question.h"

#define CONNECT_SECONDS 3u
/* Longer than anybody waits: what comes late is remembered (S1). */
#define REQUEST_SECONDS 10u
#define SCRATCH_BYTES   ((size_t)1 << 20)
#define BUCKETS         1024u            /* of questions that are out */
#define MAX_HEADERS     2u

/* A question of an exchange, in the list of those who wait for the answer. */
struct terminology_waiter {
    struct terminology_waiter *next, **link;     /* link NULL: waits for nothing */
    struct terminology_ask    *ask;
    uint32_t                   question;
    struct query              *query;
};

/* A question that is out, or waits for a connection. */
struct query {
    struct http_call           call;     /* first */
    struct query              *next, **link;
    struct terminology        *terminology;
    struct answer_key          key;
    struct terminology_waiter *waiters;
    struct buf                 path;
    bool                       sent;
    bool                       late;     /* a deadline passed over it: its trouble is counted */
    bool                       probe;    /* the one of HEALTH_PROBING */
    bool                       given_up; /* will not be sent: nobody may join it any more */
};

struct terminology {
    struct loop        *home;
    struct answers     *answers;
    _Atomic int64_t     quiet_until_ms;  /* health_quiet_until, for any thread */
    /* on the home loop only, from here */
    struct config      *config;          /* pinned; NULL: none was used yet */
    struct http_client *client;
    struct http_peer   *peer;            /* NULL: nobody is asked */
    struct arena       *scratch;
    struct health       health;
    struct query       *queries[BUCKETS];
    uint32_t            query_count;
    uint32_t            waiting;         /* exchanges */
    char               *token;           /* "Bearer …" */
    size_t              token_length;
    struct http_header  headers[MAX_HEADERS];
    size_t              header_count;
    bool                ended;
};

static bool          same_server(const struct config *, const struct config *);
static void          open_server(struct terminology *);
static void          close_server(struct terminology *);
static void          on_begin(struct task *);
static void          on_deadline(evutil_socket_t, short, void *);
static void          ask_each(struct terminology *, struct terminology_ask *);
static void          finish(struct terminology_ask *);
static struct query *query_find(struct terminology *, struct answer_key);
static struct query *query_new(struct terminology *, const struct term_question *, struct answer_key, int64_t now_ms);
static bool          may_go(struct http_call *);
static void          on_answer(struct http_call *);
static void          note_health(struct terminology *, enum health_event, int64_t retry_seconds, const char *why);
static void          publish_health(struct terminology *);

/* Coarse: a tick of some milliseconds is enough for seconds. */
static int64_t
clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct terminology *
terminology_new(struct loop *home)
{
    struct terminology *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    t->home    = home;
    t->answers = answers_new();
    t->scratch = arena_new("terminology", SCRATCH_BYTES);
    t->client  = http_client_new(home);
    atomic_init(&t->quiet_until_ms, INT64_MAX);
    if (t->answers == NULL || t->scratch == NULL || t->client == NULL)
        terminology_free(&t);
    return t;
}

void
terminology_free(struct terminology **terminology)
{
    struct terminology *t = *terminology;

    if (t == NULL)
        return;
    *terminology = NULL;
    close_server(t);
    http_client_free(&t->client);
    answers_free(&t->answers);
    arena_free(&t->scratch);
    config_unpin(&t->config);
    free(t);
}

void
terminology_use(struct terminology *t, struct config *config)
{
    if (t->ended || (t->config != NULL && same_server(t->config, config)))
        return;
    close_server(t);
    config_unpin(&t->config);
    config_pin(config);
    t->config = config;
    open_server(t);
}

void
terminology_end(struct terminology *t)
{
    t->ended = true;
    close_server(t);
    http_client_free(&t->client);
}

/* ---- any thread ---------------------------------------------------------------------- */

static void
close_question(struct term_question *q, enum answer answer)
{
    q->answer = answer == ANSWER_RIGHT ? TERM_IN : answer == ANSWER_WRONG ? TERM_OUT : TERM_UNDECIDED;
    q->closed = true;
}

void
terminology_recall(void *terminology, struct term_question *q)
{
    struct terminology *t      = terminology;
    int64_t             now_ms = clock_ms();
    enum answer         answer = answers_get(t->answers, answers_key(t->answers, q), now_ms);
    bool                down   = now_ms < atomic_load(&t->quiet_until_ms);

    if (answer != ANSWER_UNKNOWN || down)
        close_question(q, answer);
    metric_add(METRIC_TERMINOLOGY_QUESTIONS, answer != ANSWER_UNKNOWN ? "remembered" : down ? "down" : "new", 1);
}

struct terminology_ask *
terminology_ask_new(struct arena *arena, struct loop *home, struct term_questions *questions, void (*done)(struct task *))
{
    struct terminology_ask *ask = arena_make(arena, struct terminology_ask);

    if (ask == NULL)
        return NULL;
    ask->done.run  = done;
    ask->home      = home;
    ask->questions = questions;
    ask->waiters   = arena_make_n(arena, questions->count, struct terminology_waiter);
    return ask->waiters != NULL ? ask : NULL;
}

void
terminology_ask(struct terminology *t, struct terminology_ask *ask)
{
    ask->terminology = t;
    ask->begin.run   = on_begin;
    loop_post(t->home, &ask->begin);
}

/* ---- exchanges that wait ------------------------------------------------------------- */

static void
on_begin(struct task *task)
{
    struct terminology_ask *ask = (struct terminology_ask *)(void *)((char *)task - offsetof(struct terminology_ask, begin));
    struct terminology     *t   = ask->terminology;

    evtimer_assign(&ask->deadline, loop_base(t->home), on_deadline, ask);
    if (t->peer != NULL && t->waiting < 1 + t->config->limits.max_queue / 4)
        ask_each(t, ask);
    t->waiting++;
    if (ask->left == 0) {
        finish(ask);
        return;
    }
    uint32_t             ms   = t->config->terminology.deadline_ms;
    const struct timeval wait = { ms / 1000, ms % 1000 * 1000 };
    evtimer_add(&ask->deadline, &wait);
}

static void
wait_for(struct query *query, struct terminology_ask *ask, uint32_t question)
{
    struct terminology_waiter *w = &ask->waiters[question];

    *w = (struct terminology_waiter){ .ask = ask, .query = query, .question = question, .next = query->waiters, .link = &query->waiters };
    if (w->next != NULL)
        w->next->link = &w->next;
    query->waiters = w;
    ask->left++;
}

static void
stop_waiting(struct terminology_waiter *w)
{
    *w->link = w->next;
    if (w->next != NULL)
        w->next->link = w->link;
    w->link = NULL;
}

/* S2, S3, S5: new, out already, or not now. */
static void
ask_each(struct terminology *t, struct terminology_ask *ask)
{
    int64_t  now_ms = clock_ms();
    uint32_t room   = (TERMINOLOGY_QUESTIONS - t->query_count + 1) / 2;

    for (uint32_t i = 0; i < ask->questions->count; i++) {
        struct term_question *q = &ask->questions->list[i];
        if (q->closed)
            continue;
        struct answer_key key    = answers_key(t->answers, q);
        enum answer       answer = answers_get(t->answers, key, now_ms);
        struct query     *out    = answer == ANSWER_UNKNOWN ? query_find(t, key) : NULL;
        if (answer != ANSWER_UNKNOWN) {
            close_question(q, answer);           /* since this exchange looked */
            ask->answered += q->answer != TERM_UNDECIDED;
            continue;
        }
        bool new = out == NULL && room > 0 && (out = query_new(t, q, key, now_ms)) != NULL;
        if (out != NULL)
            wait_for(out, ask, i);
        if (new)
            http_call_send(t->peer, &out->call);         /* which asks may_go: somebody waits by now */
        room -= new;
    }
}

/* S1.  Whoever was asked and said nothing until now is in trouble, or busy: one
 * trouble, whatever else becomes of these questions. */
static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct terminology_ask *ask = arg;
    bool                    new = false;

    (void)fd;
    (void)what;
    for (uint32_t i = 0; i < ask->questions->count; i++) {
        struct query *q = ask->waiters[i].link != NULL ? ask->waiters[i].query : NULL;
        if (q == NULL || !q->sent)
            continue;
        new     = new || !q->late;
        q->late = true;
    }
    metric_add(METRIC_TERMINOLOGY_WAITS, "deadline", 1);
    if (new)
        note_health(ask->terminology, HEALTH_TROUBLE, 0, "deadline");
    finish(ask);
}

/* What has no answer by now stays undecided.  From here on the ask is the
 * exchange's again. */
static void
finish(struct terminology_ask *ask)
{
    for (uint32_t i = 0; i < ask->questions->count; i++)
        if (ask->waiters[i].link != NULL)
            stop_waiting(&ask->waiters[i]);
    evtimer_del(&ask->deadline);
    ask->terminology->waiting--;
    loop_post(ask->home, &ask->done);
}

/* ---- questions that are out ----------------------------------------------------------- */

static struct query *
query_find(struct terminology *t, struct answer_key key)
{
    struct query *q = t->queries[key.a % BUCKETS];

    while (q != NULL && (q->given_up || q->key.a != key.a || q->key.b != key.b))
        q = q->next;
    return q;
}

static void
query_free(struct query *q)
{
    buf_release(&q->path);
    free(q);
}

static struct query *
query_new(struct terminology *t, const struct term_question *question, struct answer_key key, int64_t now_ms)
{
    struct query *q = calloc(1, sizeof *q);

    if (q == NULL)
        return NULL;
    buf_init(&q->path, QUESTION_PATH_MAX);
    if (question_path(question, t->config->terminology.url, &q->path) != ST_OK || !health_may_ask(&t->health, now_ms)) {
        query_free(q);
        return NULL;
    }
    publish_health(t);
    q->probe       = t->health.state == HEALTH_PROBING;
    q->terminology = t;
    q->key         = key;
    q->link        = &t->queries[key.a % BUCKETS];
    q->next        = *q->link;
    if (q->next != NULL)
        q->next->link = &q->next;
    *q->link = q;
    t->query_count++;
    q->call = (struct http_call){ .method = "GET", .path = buf_span(&q->path), .headers = t->headers, .header_count = t->header_count,
                                  .answer_max = QUESTION_ANSWER_MAX + 1, .done = on_answer, .may_go = may_go };
    return q;
}

/* Its turn for a connection has come.  S4, S5. */
static bool
may_go(struct http_call *call)
{
    struct query *q = (struct query *)(void *)call;

    q->given_up = q->waiters == NULL || (q->terminology->health.state != HEALTH_UP && !q->probe);
    q->sent     = !q->given_up;
    return q->sent;
}

static void
conclude(struct query *q, enum answer answer)
{
    while (q->waiters != NULL) {
        struct terminology_waiter *w   = q->waiters;
        struct terminology_ask    *ask = w->ask;
        stop_waiting(w);
        close_question(&ask->questions->list[w->question], answer);
        ask->answered += answer == ANSWER_RIGHT || answer == ANSWER_WRONG;
        if (--ask->left == 0) {
            metric_add(METRIC_TERMINOLOGY_WAITS, "answered", 1);
            finish(ask);
        }
    }
}

/* Nobody who could not answer this would answer the next: not let in, moved, or ill. */
static bool
is_trouble(int status)
{
    return (status >= 300 && status < 400) || status == 401 || status == 403 || status == 407 || status == 429 || status >= 500;
}

static enum answer
read_answer(struct terminology *t, const struct http_call *call)
{
    if (call->status == 0 || call->answer.length > QUESTION_ANSWER_MAX || buf_status(&call->answer) != ST_OK)
        return ANSWER_NONE;
    return question_answer(call->status, buf_span(&call->answer), t->scratch);
}

static void
remember(struct terminology *t, struct answer_key key, enum answer answer, int64_t now_ms)
{
    uint32_t seconds = answer == ANSWER_RIGHT ? t->config->terminology.right_seconds
                     : answer == ANSWER_WRONG ? t->config->terminology.wrong_seconds : t->config->terminology.failure_seconds;

    answers_put(t->answers, key, answer, now_ms, now_ms + (int64_t)seconds * 1000);
}

static void
take_out(struct query *q)
{
    *q->link = q->next;
    if (q->next != NULL)
        q->next->link = q->link;
    q->terminology->query_count--;
}

/* It was not sent, or the server is another one by now: that says nothing of
 * any server. */
static bool
unasked(const struct http_call *call)
{
    return call->status == 0 && (span_eq_text(span_of(call->error), "withdrawn") || span_eq_text(span_of(call->error), "cancelled"));
}

static void
note_end(struct terminology *t, const struct http_call *call)
{
    if (call->status == 0 && !call->bytes_may_have_left)
        note_health(t, HEALTH_NOBODY, 0, call->error);
    else if (call->status == 0 || is_trouble(call->status))
        note_health(t, HEALTH_TROUBLE, call->retry_after_seconds, call->status == 0 ? call->error : "http");
    else
        note_health(t, HEALTH_ANSWERED, 0, "");
}

static void
on_answer(struct http_call *call)
{
    static const char *const words[] = { [ANSWER_UNKNOWN] = "withdrawn", [ANSWER_RIGHT] = "right", [ANSWER_WRONG] = "wrong",
                                         [ANSWER_NONE] = "none" };
    struct query       *q      = (struct query *)(void *)call;
    struct terminology *t      = q->terminology;
    int64_t             now_ms = clock_ms();
    enum answer         answer = ANSWER_UNKNOWN;

    take_out(q);
    if (unasked(call)) {
        if (q->probe)
            health_unasked(&t->health, now_ms);
        publish_health(t);
    } else {
        answer = read_answer(t, call);
        if (call->status != 0 || call->bytes_may_have_left)
            remember(t, q->key, answer, now_ms);
        if (!q->late)
            note_end(t, call);
    }
    metric_add(METRIC_TERMINOLOGY_REQUESTS, words[answer], 1);
    conclude(q, answer);
    buf_release(&call->answer);
    query_free(q);
}

/* ---- the server ------------------------------------------------------------------------ */

static void
publish_health(struct terminology *t)
{
    atomic_store(&t->quiet_until_ms, t->peer != NULL ? health_quiet_until(&t->health) : INT64_MAX);
    metric_set(METRIC_TERMINOLOGY_DOWN, NULL, t->peer != NULL && t->health.state != HEALTH_UP);
}

static void
note_health(struct terminology *t, enum health_event event, int64_t retry_seconds, const char *why)
{
    enum health_state before = t->health.state;
    int64_t           pause  = (int64_t)t->config->terminology.failure_seconds * 1000;

    health_note(&t->health, event, clock_ms(), pause, retry_seconds > 0 ? retry_seconds * 1000 : 0);
    publish_health(t);
    if (before == HEALTH_UP && t->health.state == HEALTH_DOWN)
        log_event(LOG_WARN_LEVEL, "terminology.down", LOG_F_CODE("why", why), LOG_F_COUNT("seconds", t->config->terminology.failure_seconds),
                  LOG_F_REASON("the terminology server does not answer; codes that it would know stay undecided"));
    else if (before != HEALTH_UP && t->health.state == HEALTH_UP)
        log_event(LOG_INFO_LEVEL, "terminology.up");
}

static bool
same_server(const struct config *a, const struct config *b)
{
    return span_eq(a->terminology.url, b->terminology.url) && span_eq(a->terminology.ca, b->terminology.ca)
        && span_eq(a->terminology.certificate, b->terminology.certificate) && span_eq(a->terminology.key, b->terminology.key)
        && span_eq(a->terminology.token, b->terminology.token) && a->terminology.deadline_ms == b->terminology.deadline_ms
        && a->terminology.connections == b->terminology.connections && a->terminology.answers == b->terminology.answers
        && a->terminology.right_seconds == b->terminology.right_seconds && a->terminology.wrong_seconds == b->terminology.wrong_seconds
        && a->terminology.failure_seconds == b->terminology.failure_seconds && a->limits.max_queue == b->limits.max_queue;
}

static bool
set_headers(struct terminology *t)
{
    struct span token = t->config->terminology.token;
    struct buf  text;

    t->headers[0]   = (struct http_header){ SPAN("Accept"), SPAN("application/fhir+json") };
    t->header_count = 1;
    if (span_empty(token))
        return true;
    buf_init(&text, token.length + 8);
    buf_add_text(&text, "Bearer ");
    buf_add(&text, token);
    bool good = buf_status(&text) == ST_OK;
    t->token  = good ? buf_detach(&text, &t->token_length) : NULL;
    buf_release(&text);
    t->headers[t->header_count++] = (struct http_header){ SPAN("Authorization"), span_from(t->token, t->token_length) };
    return good;
}

static void
open_server(struct terminology *t)
{
    const struct config *c    = t->config;
    uint32_t             wait = c->terminology.deadline_ms / 1000 + 1;

    if (span_empty(c->terminology.url))
        return;
    answers_size(t->answers, c->terminology.answers);
    t->health = (struct health){ .state = HEALTH_UP };
    if (set_headers(t))
        t->peer = http_peer_new(t->client, &(struct http_peer_options){
            .url = c->terminology.url, .ca = c->terminology.ca, .certificate = c->terminology.certificate, .key = c->terminology.key,
            .configured = true, .max_connections = c->terminology.connections, .connect_seconds = CONNECT_SECONDS,
            .total_seconds = wait > REQUEST_SECONDS ? wait : REQUEST_SECONDS });
    if (t->peer == NULL)
        log_event(LOG_ERROR_LEVEL, "terminology.off", LOG_F_REASON("there is no memory for a terminology client"));
    publish_health(t);
}

/* Every question that is out ends, and with it every wait. */
static void
close_server(struct terminology *t)
{
    http_peer_free(&t->peer);
    publish_health(t);
    if (t->token != NULL)
        explicit_bzero(t->token, t->token_length);
    free(t->token);
    t->token = NULL;
}
