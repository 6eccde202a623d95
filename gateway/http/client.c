#include "gateway/http/client.h"

#include <assert.h>
#include <curl/curl.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/deny.h"

#define ANSWER_MAX        ((size_t)8 << 20)    /* read, not kept; more is an attack */
#define MAX_TEXT          16384u               /* of the URL, or of one header line */
#define UPLOAD_BUFFER     (512L << 10)
#define LOW_SPEED_BYTES   16L
#define LOW_SPEED_SECONDS 60L
#define RETRY_MAX_SECONDS (INT64_C(24) * 3600)

struct http_client {
    struct loop      *loop;
    struct http_peer *peers;
    struct watch     *spare;             /* watches of sockets that are closed */
};

/* One recipient on one loop: a multi handle of its own, so that a connection
 * made with one recipient's certificate is never used for another's. */
struct http_peer {
    struct task         end;
    struct http_client *client;
    struct http_peer   *next, **link;
    CURLM              *multi;
    struct event        timer;
    char               *url, *ca, *certificate, *key;
    bool                configured, freed;
    uint32_t            max_connections, connect_seconds, total_seconds;
    struct line        *idle;            /* handles that wait for a call */
    uint32_t            lines;           /* handles there are */
    struct line        *busy;
    struct http_call   *first, **last;   /* calls that wait for a handle */
    struct http_call   *finished, **finished_last;
};

/* An easy handle and the call it carries. */
struct line {
    struct line       *next, **link;
    struct http_peer  *peer;
    CURL              *easy;
    struct curl_slist *headers;
    struct http_call  *call;
    struct buf         text;             /* where URL and header lines are put together */
    bool               at_url;           /* the handle has the peer's URL, no path behind it */
    size_t             answered;         /* bytes of the answer, also those not kept */
    bool               denied, answer_too_large;
};

struct watch {
    struct watch     *next;
    struct http_peer *peer;
    struct event      event;
    curl_socket_t     fd;
};

static void          init_curl(void);
static bool          open_peer(struct http_peer *, const struct http_peer_options *);
static char         *text_of(struct span);
static void          close_peer(struct http_peer *);
static void          on_peer_end(struct task *);
static void          start_waiting(struct http_peer *);
static struct line  *line_take(struct http_peer *);
static struct line  *line_new(struct http_peer *);
static bool          line_set_up(struct line *);
static void          line_idle(struct line *);
static void          line_free(struct line *);
static const char   *line_carry(struct line *, struct http_call *);
static bool          set_url(struct line *, struct span path);
static bool          set_headers(struct line *, const struct http_call *);
static bool          set_body(struct line *, const struct http_call *);
static void          finish(struct http_peer *, struct http_call *);
static void          conclude(struct line *, CURLcode);
static void          collect(struct http_peer *);
static void          deliver(struct http_peer *);
static int           on_want(CURL *, curl_socket_t, int what, void *peer, void *watch);
static int           on_timeout_wanted(CURLM *, long ms, void *peer);
static void          on_socket(evutil_socket_t, short, void *);
static void          on_timer(evutil_socket_t, short, void *);
static size_t        on_answer(char *, size_t, size_t, void *);
static int           on_before_request(void *, char *, char *, int, int);
static curl_socket_t on_open(void *, curlsocktype, struct curl_sockaddr *);
static int64_t       retry_after(CURL *, int64_t now_ms);
static const char   *error_of(CURLcode, const struct line *);

struct http_client *
http_client_new(struct loop *loop)
{
    static pthread_once_t once   = PTHREAD_ONCE_INIT;
    struct http_client   *client = calloc(1, sizeof *client);

    pthread_once(&once, init_curl);
    if (client != NULL)
        client->loop = loop;
    return client;
}

void
http_client_free(struct http_client **client)
{
    struct http_client *c = *client;

    if (c == NULL)
        return;
    *client = NULL;
    while (c->peers != NULL) {
        struct http_peer *peer = c->peers;
        http_peer_free(&peer);
    }
    while (c->spare != NULL) {
        struct watch *gone = c->spare;
        c->spare           = gone->next;
        free(gone);
    }
    free(c);
}

struct http_peer *
http_peer_new(struct http_client *client, const struct http_peer_options *options)
{
    struct http_peer *peer = calloc(1, sizeof *peer);

    if (peer == NULL)
        return NULL;
    peer->client        = client;
    peer->last          = &peer->first;
    peer->finished_last = &peer->finished;
    if (!open_peer(peer, options)) {
        close_peer(peer);
        free(peer);
        return NULL;
    }
    peer->next = client->peers;
    peer->link = &client->peers;
    if (peer->next != NULL)
        peer->next->link = &peer->next;
    client->peers = peer;
    return peer;
}

void
http_peer_free(struct http_peer **peer)
{
    struct http_peer *p = *peer;

    if (p == NULL)
        return;
    *peer    = NULL;
    p->freed = true;
    *p->link = p->next;
    if (p->next != NULL)
        p->next->link = p->link;
    while (p->busy != NULL) {
        struct line *line = p->busy;
        curl_multi_remove_handle(p->multi, line->easy);
        line->call->error = "cancelled";
        finish(p, line->call);
        line_idle(line);
    }
    while (p->first != NULL) {
        struct http_call *call = p->first;
        p->first               = call->next;
        call->error            = "cancelled";
        finish(p, call);
    }
    p->last = &p->first;
    deliver(p);
    close_peer(p);
    p->end.run = on_peer_end;
    loop_finally(p->client->loop, &p->end);
}

void
http_call_send(struct http_peer *peer, struct http_call *call)
{
    call->status              = 0;
    call->bytes_may_have_left = false;
    call->retry_after_seconds = -1;
    call->error               = NULL;
    call->next                = NULL;
    buf_init(&call->answer, call->answer_max);
    *peer->last = call;
    peer->last  = &call->next;
    start_waiting(peer);
}

/* ---- peers --------------------------------------------------------------- */

static void
init_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool
open_peer(struct http_peer *peer, const struct http_peer_options *options)
{
    peer->configured      = options->configured;
    peer->max_connections = options->max_connections > 0 ? options->max_connections : 1;
    peer->connect_seconds = options->connect_seconds;
    peer->total_seconds   = options->total_seconds;
    peer->url             = text_of(options->url);
    peer->ca              = text_of(options->ca);
    peer->certificate     = text_of(options->certificate);
    peer->key             = text_of(options->key);
    peer->multi           = curl_multi_init();
    evtimer_assign(&peer->timer, loop_base(peer->client->loop), on_timer, peer);
    if (peer->multi == NULL || peer->url == NULL || peer->ca == NULL || peer->certificate == NULL
        || peer->key == NULL)
        return false;
    return curl_multi_setopt(peer->multi, CURLMOPT_SOCKETFUNCTION, on_want) == CURLM_OK
        && curl_multi_setopt(peer->multi, CURLMOPT_SOCKETDATA, peer) == CURLM_OK
        && curl_multi_setopt(peer->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted) == CURLM_OK
        && curl_multi_setopt(peer->multi, CURLMOPT_TIMERDATA, peer) == CURLM_OK
        && curl_multi_setopt(peer->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) == CURLM_OK
        && curl_multi_setopt(peer->multi, CURLMOPT_MAXCONNECTS, (long)peer->max_connections) == CURLM_OK
        && curl_multi_setopt(peer->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)peer->max_connections) == CURLM_OK;
}

/* NULL only when there is no memory; an empty span is an empty text. */
static char *
text_of(struct span s)
{
    return s.length > 0 ? strndup(s.at, s.length) : strdup("");
}

static void
close_peer(struct http_peer *peer)
{
    while (peer->idle != NULL) {
        struct line *gone = peer->idle;
        peer->idle        = gone->next;
        line_free(gone);
    }
    evtimer_del(&peer->timer);
    if (peer->multi != NULL)
        curl_multi_cleanup(peer->multi);
    peer->multi = NULL;
    free(peer->url);
    free(peer->ca);
    free(peer->certificate);
    free(peer->key);
    peer->url = peer->ca = peer->certificate = peer->key = NULL;
}

static void
on_peer_end(struct task *task)
{
    free(task);
}

/* ---- lines --------------------------------------------------------------- */

static void
start_waiting(struct http_peer *peer)
{
    while (peer->first != NULL && !peer->freed) {
        struct line *line = line_take(peer);
        if (line == NULL && peer->lines > 0)
            return;                      /* one that is busy will come back */
        struct http_call *call = peer->first;
        peer->first            = call->next;
        if (peer->first == NULL)
            peer->last = &peer->first;
        bool may_go = call->may_go == NULL || call->may_go(call);
        call->error = !may_go ? "withdrawn" : line != NULL ? line_carry(line, call) : "memory";
        if (call->error == NULL)
            continue;
        finish(peer, call);
        if (line != NULL)
            line_idle(line);
        /* Never from inside http_call_send: the timer delivers it. */
        on_timeout_wanted(peer->multi, 0, peer);
    }
}

static struct line *
line_take(struct http_peer *peer)
{
    struct line *line = peer->idle;

    if (line != NULL)
        peer->idle = line->next;
    else if (peer->lines >= peer->max_connections || (line = line_new(peer)) == NULL)
        return NULL;
    line->next = peer->busy;
    line->link = &peer->busy;
    if (line->next != NULL)
        line->next->link = &line->next;
    peer->busy = line;
    return line;
}

static struct line *
line_new(struct http_peer *peer)
{
    struct line *line = calloc(1, sizeof *line);

    if (line == NULL)
        return NULL;
    line->peer = peer;
    line->easy = curl_easy_init();
    buf_init(&line->text, MAX_TEXT);
    if (line->easy == NULL || !line_set_up(line)) {
        curl_easy_cleanup(line->easy);
        free(line);
        return NULL;
    }
    peer->lines++;
    return line;
}

/* What is the same for every call of the peer. */
static bool
line_set_up(struct line *line)
{
    struct http_peer *peer = line->peer;
    CURL             *e    = line->easy;
    const char       *only = strncasecmp(peer->url, "https:", 6) == 0 ? "https" : "http";

    bool ok = curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, only) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK
           /* Nothing from the environment: no proxy, no ~/.netrc. */
           && curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_NOPROXY, "*") == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_HTTP_CONTENT_DECODING, 0L) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)peer->connect_seconds) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)peer->total_seconds) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_SECONDS) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_answer) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_WRITEDATA, line) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_before_request) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_PREREQDATA, line) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, line) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_PRIVATE, line) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
    /* Without CAPATH NULL the system's folder would be trusted beside `ca`. */
    if (ok && peer->ca[0] != '\0')
        ok = curl_easy_setopt(e, CURLOPT_CAINFO, peer->ca) == CURLE_OK
          && curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK;
    if (ok && peer->certificate[0] != '\0')
        ok = curl_easy_setopt(e, CURLOPT_SSLCERT, peer->certificate) == CURLE_OK
          && curl_easy_setopt(e, CURLOPT_SSLKEY, peer->key) == CURLE_OK;
    return ok;
}

/* Off the busy list, ready for the next call. */
static void
line_idle(struct line *line)
{
    *line->link = line->next;
    if (line->next != NULL)
        line->next->link = line->link;
    curl_easy_setopt(line->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(line->headers);
    line->headers    = NULL;
    line->call       = NULL;
    line->next       = line->peer->idle;
    line->peer->idle = line;
}

static void
line_free(struct line *line)
{
    curl_easy_cleanup(line->easy);
    curl_slist_free_all(line->headers);
    buf_release(&line->text);
    free(line);
}

/* What went wrong; NULL: it is under way. */
static const char *
line_carry(struct line *line, struct http_call *call)
{
    line->call             = call;
    line->answered         = 0;
    line->denied           = false;
    line->answer_too_large = false;
    if (!set_url(line, call->path))
        return "url";
    if (!set_headers(line, call))
        return "header";
    if (!set_body(line, call) || curl_multi_add_handle(line->peer->multi, line->easy) != CURLM_OK)
        return "memory";
    return NULL;
}

static bool
set_url(struct line *line, struct span path)
{
    if (path.length == 0 && line->at_url)
        return true;
    buf_clear(&line->text);
    buf_add_text(&line->text, line->peer->url);
    buf_add(&line->text, path);
    buf_add_byte(&line->text, '\0');
    bool set = buf_status(&line->text) == ST_OK
            && curl_easy_setopt(line->easy, CURLOPT_URL, line->text.at) == CURLE_OK;
    line->at_url = set && path.length == 0;
    return set;
}

static bool
add_header(struct line *line, const char *text)
{
    struct curl_slist *more = curl_slist_append(line->headers, text);

    if (more != NULL)
        line->headers = more;
    return more != NULL;
}

static bool
one_line(struct span s)
{
    for (size_t i = 0; i < s.length; i++)
        if ((unsigned char)s.at[i] < 0x20 || s.at[i] == 0x7f)
            return false;
    return s.length > 0;
}

static bool
set_headers(struct line *line, const struct http_call *call)
{
    /* Without this libcurl waits up to a second for a 100 before a large body. */
    bool ok = add_header(line, "Expect:");

    for (size_t i = 0; i < call->header_count && ok; i++) {
        struct http_header h = call->headers[i];
        if (!one_line(h.name) || !one_line(h.value))
            return false;                /* a line break would write headers of its own */
        buf_clear(&line->text);
        buf_add(&line->text, h.name);
        buf_add_text(&line->text, ": ");
        buf_add(&line->text, h.value);
        buf_add_byte(&line->text, '\0');
        ok = buf_status(&line->text) == ST_OK && add_header(line, line->text.at);
    }
    return ok && curl_easy_setopt(line->easy, CURLOPT_HTTPHEADER, line->headers) == CURLE_OK;
}

/* The body is lent, not copied: the call owns it until it is done. */
static bool
set_body(struct line *line, const struct http_call *call)
{
    CURL *e    = line->easy;
    bool  post = strcmp(call->method, "POST") == 0;

    if (call->body.length == 0 && !post)
        return curl_easy_setopt(e, CURLOPT_HTTPGET, 1L) == CURLE_OK
            && curl_easy_setopt(e, CURLOPT_NOBODY, strcmp(call->method, "HEAD") == 0 ? 1L : 0L) == CURLE_OK
            && curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0 ? NULL : call->method) == CURLE_OK;
    return curl_easy_setopt(e, CURLOPT_NOBODY, 0L) == CURLE_OK
        && curl_easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK
        && curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, post ? NULL : call->method) == CURLE_OK
        && curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.length) == CURLE_OK
        && curl_easy_setopt(e, CURLOPT_POSTFIELDS, call->body.at != NULL ? call->body.at : "") == CURLE_OK;
}

/* ---- ends ---------------------------------------------------------------- */

static void
finish(struct http_peer *peer, struct http_call *call)
{
    call->next           = NULL;
    *peer->finished_last = call;
    peer->finished_last  = &call->next;
}

static void
conclude(struct line *line, CURLcode code)
{
    struct http_call *call   = line->call;
    long              status = 0;

    /* An answer that broke off is no answer: what it would have said is not
     * known.  One that is only too long has said its status. */
    if (code == CURLE_OK || line->answer_too_large)
        curl_easy_getinfo(line->easy, CURLINFO_RESPONSE_CODE, &status);
    call->status = (int)status;
    if (status == 0)
        call->error = error_of(code, line);
    else
        call->retry_after_seconds = retry_after(line->easy, loop_clock_ms(line->peer->client->loop));
}

/* Takes what libcurl has finished; then the calls hear of it, when no
 * libcurl function is on the stack any more.  A call may have freed the peer
 * before that: its memory stays until the end of the turn. */
static void
collect(struct http_peer *peer)
{
    CURLMsg *message;
    int      left;

    while ((message = curl_multi_info_read(peer->multi, &left)) != NULL) {
        struct line *line;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &line);
        conclude(line, code);
        curl_multi_remove_handle(peer->multi, line->easy);
        finish(peer, line->call);
        line_idle(line);
    }
    start_waiting(peer);
    deliver(peer);
}

static void
deliver(struct http_peer *peer)
{
    while (peer->finished != NULL) {
        struct http_call *call = peer->finished;
        peer->finished         = call->next;
        if (peer->finished == NULL)
            peer->finished_last = &peer->finished;
        call->next = NULL;
        call->done(call);                /* may send, may free the peer, may free the call */
    }
}

static const char *
error_of(CURLcode code, const struct line *line)
{
    if (line->denied)
        return "denied";
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return "timeout";
    case CURLE_COULDNT_RESOLVE_HOST:
        return "dns";
    case CURLE_COULDNT_CONNECT:
        return "connect";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER:
        return "tls";
    case CURLE_SEND_ERROR:
        return "send";
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY:
        return "answer";
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return "url";
    default:
        return "failed";
    }
}

/* RFC 9110 10.2.3: seconds, or a date. */
static int64_t
retry_after(CURL *easy, int64_t now_ms)
{
    struct curl_header *h;
    uint64_t            seconds;

    if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
        return -1;
    struct span value = span_trim(span_of(h->value));
    if (span_to_u64(value, &seconds))
        return seconds < (uint64_t)RETRY_MAX_SECONDS ? (int64_t)seconds : RETRY_MAX_SECONDS;
    time_t at = curl_getdate(h->value, NULL);
    if (at < 0)
        return -1;
    int64_t from_now = (int64_t)at - now_ms / 1000;
    return from_now < 0 ? 0 : from_now < RETRY_MAX_SECONDS ? from_now : RETRY_MAX_SECONDS;
}

/* ---- what libcurl asks for ----------------------------------------------- */

static struct watch *
watch_take(struct http_peer *peer, curl_socket_t fd)
{
    struct watch *w = peer->client->spare;

    if (w != NULL)
        peer->client->spare = w->next;
    else if ((w = calloc(1, sizeof *w)) == NULL)
        return NULL;
    w->peer = peer;
    w->fd   = fd;
    event_assign(&w->event, loop_base(peer->client->loop), fd, 0, on_socket, w);
    curl_multi_assign(peer->multi, fd, w);
    return w;
}

static int
on_want(CURL *easy, curl_socket_t fd, int what, void *arg, void *watching)
{
    struct http_peer *peer = arg;
    struct watch     *w    = watching;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w == NULL)
            return 0;
        event_del(&w->event);
        curl_multi_assign(peer->multi, fd, NULL);
        w->next             = peer->client->spare;
        peer->client->spare = w;
        return 0;
    }
    if (w == NULL && (w = watch_take(peer, fd)) == NULL)
        return -1;
    short events = (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);
    event_del(&w->event);
    event_assign(&w->event, loop_base(peer->client->loop), fd, events, on_socket, w);
    return event_add(&w->event, NULL);
}

static int
on_timeout_wanted(CURLM *multi, long ms, void *arg)
{
    struct http_peer    *peer = arg;
    const struct timeval t    = { ms / 1000, ms % 1000 * 1000 };

    (void)multi;
    if (ms < 0)
        evtimer_del(&peer->timer);
    else
        evtimer_add(&peer->timer, &t);
    return 0;
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct watch     *w    = arg;
    struct http_peer *peer = w->peer;
    int               flags = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    int               running;

    curl_multi_socket_action(peer->multi, fd, flags, &running);
    collect(peer);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct http_peer *peer = arg;
    int               running;

    (void)fd;
    (void)what;
    curl_multi_socket_action(peer->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(peer);
}

static size_t
on_answer(char *at, size_t size, size_t count, void *arg)
{
    struct line *line  = arg;
    struct buf  *kept  = &line->call->answer;
    size_t       bytes = size * count;
    size_t       room  = kept->max - kept->length;

    if (room > 0)
        buf_add(kept, span_from(at, bytes < room ? bytes : room));
    line->answered        += bytes;
    line->answer_too_large = line->answered > ANSWER_MAX;
    return line->answer_too_large ? 0 : bytes;
}

/* The connection stands, TLS included, and the request goes out next. */
static int
on_before_request(void *arg, char *remote, char *local, int remote_port, int local_port)
{
    struct line *line = arg;

    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    line->call->bytes_may_have_left = true;
    return CURL_PREREQFUNC_OK;
}

/* After DNS, with the address itself. */
static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct line *line = arg;

    (void)purpose;
    if (!line->peer->configured && address_denied(&address->addr)) {
        line->denied = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}
