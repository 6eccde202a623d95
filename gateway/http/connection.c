#include "gateway/http/connection.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND_US        INT64_C(1000000)
#define PACE_CREDIT_US   (30 * SECOND_US)   /* a fast start buys no more patience than this */
#define LINGER_US        (10 * SECOND_US)
#define LINGER_GAP_US    (2 * SECOND_US)
#define BODY_FIRST_STEP  ((size_t)256 << 10)
#define TURN_BYTES       ((size_t)512 << 10) /* read from one connection before others have a turn */

/* Zeroed memory has failed. */
enum io { IO_FAILED = 0, IO_SOME, IO_WANT_READ, IO_WANT_WRITE, IO_END, IO_PLAIN_HTTP };

static void      on_ready(evutil_socket_t, short, void *);
static void      on_end(struct task *);
static void      want(struct connection *, enum want);
static enum want handshake(struct connection *);
static enum want read_head(struct connection *);
static enum want begin_request(struct connection *, size_t head_length);
static bool      arrange_body(struct connection *, struct http_request *, const struct guard_head *,
                              struct span after);
static bool      keep_rest(struct connection *, struct span rest);
static enum want read_body(struct connection *);
static enum want read_chunks(struct connection *);
static enum want take_chunks(struct connection *);
static enum want dispatch(struct connection *);
static bool      gunzip_body(struct http_request *, struct guard_refusal *);
static enum want busy(struct connection *);
static enum want write_answer(struct connection *);
static enum want answer_done(struct connection *);
static enum want linger(struct connection *);
static enum want refuse(struct connection *, const struct guard_refusal *);
static enum want wait_for(enum io);
static enum io   receive(struct connection *, void *at, size_t room, size_t *got);
static enum io   transmit(struct connection *, const void *at, size_t length, size_t *put);
static bool      say_continue(struct connection *);
static void      pace(struct connection *, size_t bytes);
static void      set_deadline(struct connection *, int64_t seconds);

static enum want (*const steps[])(struct connection *) = {
    [PHASE_HANDSHAKE] = handshake, [PHASE_HEAD] = read_head,     [PHASE_BODY] = read_body,
    [PHASE_CHUNKS] = read_chunks,  [PHASE_BUSY] = busy,          [PHASE_ANSWER] = write_answer,
    [PHASE_LINGER] = linger,
};

static const struct guard_refusal no_memory = { 503, "there is no memory for this request now; try again", "http.body" };

/* ---- from outside -------------------------------------------------------- */

struct connection *
connection_new(struct http_server *server, int fd, const struct sockaddr *from, socklen_t from_length,
               bool crowded)
{
    struct connection *c = calloc(1, sizeof *c);
    char   address[INET6_ADDRSTRLEN];
    bool   v6 = from->sa_family == AF_INET6;

    if (c == NULL || (server->tls != NULL && (c->ssl = tls_accept(server->tls, fd)) == NULL)) {
        free(c);
        close(fd);
        return NULL;
    }
    *c = (struct connection){ .server = server, .fd = fd, .ssl = c->ssl, .crowded = crowded };
    memcpy(&c->from, from, from_length < sizeof c->from ? from_length : sizeof c->from);
    const struct sockaddr_in6 *six  = (const void *)&c->from;
    const struct sockaddr_in  *four = (const void *)&c->from;
    inet_ntop(from->sa_family, v6 ? (const void *)&six->sin6_addr : (const void *)&four->sin_addr, address,
              sizeof address);
    c->peer_length = (uint16_t)snprintf(c->peer, sizeof c->peer, v6 ? "[%s]:%u" : "%s:%u", address,
                                        ntohs(v6 ? six->sin6_port : four->sin_port));
    event_assign(&c->readable, loop_base(server->loop), fd, EV_READ | EV_PERSIST, on_ready, c);
    event_assign(&c->writable, loop_base(server->loop), fd, EV_WRITE | EV_PERSIST, on_ready, c);
    c->phase = c->ssl != NULL ? PHASE_HANDSHAKE : PHASE_HEAD;
    set_deadline(c, server->limits.head_seconds);
    return c;
}

void
connection_go(struct connection *c)
{
    enum want w;

    if (c->phase == PHASE_CLOSED)
        return;
    do
        w = steps[c->phase](c);
    while (w == WANT_AGAIN);
    want(c, w);
}

void
connection_timed_out(struct connection *c)
{
    static const struct guard_refusal slow_head = { 408, "the request head did not come in time", "http.head" };
    static const struct guard_refusal slow_body = { 408, "the body came too slowly", "http.body" };

    c->deadline_us = 0;
    if (c->phase == PHASE_HEAD && c->in != NULL)
        want(c, refuse(c, &slow_head));
    else if (c->phase == PHASE_BODY || c->phase == PHASE_CHUNKS)
        want(c, refuse(c, &slow_body));
    else
        connection_close(c);
}

/* TLS keeps a record's room in each direction; a whole sweep without a byte
 * is long enough not to pay for it at every request. */
void
connection_rest(struct connection *c)
{
    if (c->phase != PHASE_HEAD || c->in != NULL || c->ssl == NULL || c->rested)
        return;
    if (c->resting)
        tls_release_buffers(c->ssl);
    c->rested  = c->resting;
    c->resting = true;
}

/* Nothing is freed here: this may be deep inside a callback of its own. */
void
connection_close(struct connection *c)
{
    struct http_request *r = c->request;

    if (c->phase == PHASE_CLOSED)
        return;
    /* A request that the handler has seen is the handler's to free. */
    if (r != NULL) {
        r->connection = NULL;
        if (c->phase == PHASE_BODY || c->phase == PHASE_CHUNKS)
            request_give(r);
        c->request = NULL;
    }
    c->phase = PHASE_CLOSED;
    event_del(&c->readable);
    event_del(&c->writable);
    server_forget(c->server, c);
    c->end.run = on_end;
    loop_finally(c->server->loop, &c->end);
}

static void
on_end(struct task *task)
{
    struct connection  *c      = (struct connection *)(void *)task;
    struct http_server *server = c->server;

    block_give(server->blocks, &c->in);
    block_give(server->blocks, &c->out);
    if (c->ssl != NULL)
        tls_free(&c->ssl);
    close(c->fd);
    http_census_leave(server->census, (const struct sockaddr *)&c->from);
    server->connection_count--;
    free(c);
    server_gone(server);
}

void
connection_wind_up(struct connection *c)
{
    if (c->phase == PHASE_HEAD && c->in == NULL)
        connection_close(c);
    else
        c->close = true;
}

void
connection_answer(struct connection *c, const struct http_answer *answer)
{
    struct http_request *r     = c->request;
    struct answer_terms  terms = { .minor = 1 };

    if (r != NULL) {
        terms.head_only  = span_eq(r->head.method, SPAN("HEAD"));
        terms.minor      = r->minor;
        terms.keep_alive = r->keep_alive && !answer->close && !c->close && !c->server->draining;
    }
    c->close = !terms.keep_alive;
    c->out   = answer_print(c->server, answer, terms);
    if (c->out == NULL) {
        connection_close(c);
        return;
    }
    c->out_from = 0;
    c->phase    = PHASE_ANSWER;
    set_deadline(c, c->server->limits.body_grace_seconds);
    connection_go(c);
}

/* ---- events -------------------------------------------------------------- */

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    connection_go(arg);
}

static void
want(struct connection *c, enum want w)
{
    if (w == WANT_CLOSE)
        connection_close(c);
    if (w == WANT_KEEP || c->phase == PHASE_CLOSED)
        return;
    bool reading = w == WANT_READ, writing = w == WANT_WRITE;
    if (reading != c->reading && (reading ? event_add(&c->readable, NULL) : event_del(&c->readable)) == 0)
        c->reading = reading;
    if (writing != c->writing && (writing ? event_add(&c->writable, NULL) : event_del(&c->writable)) == 0)
        c->writing = writing;
    if (reading != c->reading || writing != c->writing)
        connection_close(c);             /* it would never be heard of again */
}

static enum want
wait_for(enum io io)
{
    return io == IO_WANT_READ ? WANT_READ : io == IO_WANT_WRITE ? WANT_WRITE : WANT_CLOSE;
}

/* ---- handshake and head -------------------------------------------------- */

static enum want
handshake(struct connection *c)
{
    static const struct guard_refusal plain = { 400, "this port speaks HTTPS; the request came without TLS", "http.head" };

    switch (tls_handshake(c->ssl)) {
    case TLS_DONE:
        c->cn_length = (uint16_t)tls_client_cn(c->ssl, c->cn, sizeof c->cn);
        c->phase     = PHASE_HEAD;       /* the deadline of both goes on */
        return WANT_AGAIN;
    case TLS_WANT_READ:
        return WANT_READ;
    case TLS_WANT_WRITE:
        return WANT_WRITE;
    case TLS_PLAIN_HTTP:
        tls_free(&c->ssl);
        return refuse(c, &plain);
    default:
        return WANT_CLOSE;
    }
}

static enum want
read_head(struct connection *c)
{
    struct guard_refusal why  = { 0 };
    size_t               got  = 0, head_length = 0;

    if (c->in == NULL && (c->in = block_take(c->server->blocks, GUARD_MAX_HEAD)) == NULL)
        return WANT_CLOSE;
    if (c->in->length == c->scan.seen) {
        enum io io = receive(c, c->in->at + c->in->length, GUARD_MAX_HEAD - c->in->length, &got);
        if (io != IO_SOME) {
            /* Nothing read yet: an idle connection holds no buffer. */
            if (c->in->length == 0)
                block_give(c->server->blocks, &c->in);
            return wait_for(io);
        }
        /* The first deadline began with the connection. */
        if (c->idle)
            set_deadline(c, c->server->limits.head_seconds);
        c->idle = false;
        c->in->length += got;
    }
    switch (guard_scan(&c->scan, span_from(c->in->at, c->in->length), &head_length, &why)) {
    case GUARD_WHOLE:
        return begin_request(c, head_length);
    case GUARD_MORE:
        return c->more ? WANT_AGAIN : WANT_READ;
    default:
        return refuse(c, &why);
    }
}

static enum want
begin_request(struct connection *c, size_t head_length)
{
    static const struct guard_refusal two_readers = { 400, "the header block can be read in two ways", "http.head" };
    static const struct guard_refusal crowded     = { 429, "this client has too many connections open", "http.head" };
    static const struct guard_refusal too_large   = { 413, "the body is larger than this gateway takes", "http.Content-Length" };
    struct guard_refusal why;
    struct guard_head    g;
    struct span          head = span_from(c->in->at, head_length);
    struct span          rest = span_from(c->in->at + head_length, c->in->length - head_length);

    if (!guard_head(head, &g, &why))
        return refuse(c, &why);
    if (c->crowded)
        return refuse(c, &crowded);
    struct http_request *r = request_take(c->server);
    if (r == NULL)
        return refuse(c, &no_memory);
    r->connection = c;
    r->in         = c->in;
    c->in         = NULL;
    c->request    = r;
    c->scan       = (struct guard_scan){ 0 };
    c->phase      = PHASE_BODY;
    if (!request_parse_head(r, head, &g))
        return refuse(c, &two_readers);
    char *path = r->in->at + (g.path.at - r->in->at);
    if (!guard_path(g.path, path, &g.path.length, &why))
        return refuse(c, &why);
    r->minor      = g.minor;
    r->keep_alive = g.keep_alive;
    r->gzip       = g.gzip;
    r->framing    = g.framing;
    r->head       = (struct http_head){
        .method = g.method, .path = g.path, .query = g.query, .headers = r->fields,
        .header_count = r->field_count, .received_us = loop_now_us(c->server->loop),
    };
    if (g.framing == GUARD_LENGTH && g.length > c->server->limits.max_body_bytes)
        return refuse(c, &too_large);
    if (!arrange_body(c, r, &g, rest))
        return refuse(c, &no_memory);
    if (g.expect_continue && g.framing != GUARD_NO_BODY && rest.length == 0 && !say_continue(c))
        return WANT_CLOSE;
    set_deadline(c, c->server->limits.body_grace_seconds);
    return WANT_AGAIN;
}

/* A body that fits behind its head stays there: `in` is then the whole
 * message and nothing is copied. */
static bool
arrange_body(struct connection *c, struct http_request *r, const struct guard_head *g, struct span after)
{
    size_t head_length = (size_t)(after.at - r->in->at);

    r->announced = (size_t)g->length;
    r->in->length = head_length;
    if (g->framing == GUARD_CHUNKED) {
        c->phase = PHASE_CHUNKS;
        guard_chunks_init(&r->chunks, c->server->limits.max_body_bytes);
        return keep_rest(c, after);
    }
    struct span mine = span_first(after, r->announced);
    if (r->announced <= r->in->capacity - head_length) {
        r->body_from   = head_length;
        r->body_length = mine.length;
        r->in->length  = head_length + mine.length;
        return keep_rest(c, span_skip(after, mine.length));
    }
    r->body = block_take_announced(c->server->blocks, r->announced, BODY_FIRST_STEP);
    if (r->body == NULL)
        return false;
    memcpy(r->body->at, mine.at, mine.length);
    r->body->length = mine.length;
    r->body_length  = mine.length;
    return true;                         /* it was longer than the block, so nothing follows it */
}

/* What came behind this message belongs to the next: into a block of its own,
 * and off this one, whose end must be zero. */
static bool
keep_rest(struct connection *c, struct span rest)
{
    if (rest.length == 0)
        return true;
    c->in = block_take(c->server->blocks, GUARD_MAX_HEAD);
    if (c->in == NULL)
        return false;
    memcpy(c->in->at, rest.at, rest.length);
    c->in->length = rest.length;
    explicit_bzero(c->request->in->at + (rest.at - c->request->in->at), rest.length);
    return true;
}

/* ---- bodies -------------------------------------------------------------- */

static enum want
read_body(struct connection *c)
{
    struct http_request *r    = c->request;
    size_t               turn = 0, got = 0;

    while (r->body_length < r->announced) {
        size_t missing = r->announced - r->body_length;
        struct block *into = r->body != NULL ? r->body : r->in;
        if (into->length == into->capacity) {
            if (!block_grow(c->server->blocks, &r->body, 1, r->announced))
                return refuse(c, &no_memory);
            into = r->body;
        }
        size_t room = into->capacity - into->length;
        enum io io  = receive(c, into->at + into->length, missing < room ? missing : room, &got);
        if (io != IO_SOME)
            return wait_for(io);
        into->length   += got;
        r->body_length += got;
        turn           += got;
        pace(c, got);
        if (!c->more && r->body_length < r->announced)
            return WANT_READ;
        if (turn >= TURN_BYTES && r->body_length < r->announced) {
            server_wait(c->server, c);
            return WANT_READ;
        }
    }
    return dispatch(c);
}

static enum want
read_chunks(struct connection *c)
{
    size_t got = 0;

    if (c->in == NULL && (c->in = block_take(c->server->blocks, BLOCK_SMALLEST)) == NULL)
        return refuse(c, &no_memory);
    if (c->in->length == 0) {
        enum io io = receive(c, c->in->at, c->in->capacity, &got);
        if (io != IO_SOME)
            return wait_for(io);
        c->in->length = got;
        pace(c, got);
    }
    return take_chunks(c);
}

/* Guard and llhttp read the same bytes and must find the same end. */
static enum want
take_chunks(struct connection *c)
{
    static const struct guard_refusal broken = { 400, "the chunked body can be read in two ways", "http.Transfer-Encoding" };
    static const struct guard_refusal large  = { 413, "the body is larger than this gateway takes", "http.body" };
    struct http_request *r = c->request;
    struct guard_refusal why;
    size_t               taken;
    enum guard_progress  made = guard_chunks(&r->chunks, span_from(c->in->at, c->in->length), &taken, &why);

    if (made == GUARD_REFUSED)
        return refuse(c, &why);
    enum status st = request_parse_chunks(r, span_from(c->in->at, taken));
    if (st != ST_OK || r->parsed_whole != (made == GUARD_WHOLE))
        return refuse(c, st == ST_TOO_LARGE ? &large : &broken);
    memmove(c->in->at, c->in->at + taken, c->in->length - taken);
    explicit_bzero(c->in->at + c->in->length - taken, taken);
    c->in->length -= taken;
    if (made == GUARD_MORE)
        return c->more ? WANT_AGAIN : WANT_READ;
    if (c->in->length == 0)
        block_give(c->server->blocks, &c->in);
    r->body_length = r->body != NULL ? r->body->length : 0;
    r->body_from   = r->in->length;
    return dispatch(c);
}

/* ---- the handler --------------------------------------------------------- */

static enum want
dispatch(struct connection *c)
{
    struct http_request *r   = c->request;
    struct guard_refusal why = { 0 };

    if (r->gzip && r->body_length > 0 && !gunzip_body(r, &why))
        return refuse(c, &why);
    block_close(r->body != NULL ? r->body : r->in);
    r->head.body = span_from(r->body != NULL ? r->body->at : r->in->at + r->body_from, r->body_length);
    memcpy(r->peer, c->peer, c->peer_length);
    memcpy(r->cn, c->cn, c->cn_length);
    r->head.peer      = span_from(r->peer, c->peer_length);
    r->head.client_cn = span_from(r->cn, c->cn_length);
    c->phase          = PHASE_BUSY;
    c->deadline_us    = 0;               /* from here on the exchange has the deadline */
    c->server->handler(r, c->server->arg);
    return WANT_KEEP;
}

static bool
gunzip_body(struct http_request *r, struct guard_refusal *why)
{
    struct http_server *server = r->server;
    struct span         packed = span_from(r->body != NULL ? r->body->at : r->in->at + r->body_from, r->body_length);
    struct block       *plain  = NULL;

    *why = no_memory;
    if (server->gunzip == NULL && (server->gunzip = gunzip_new()) == NULL)
        return false;
    enum status st = gunzip(server->gunzip, server->blocks, packed, server->limits.max_body_bytes, &plain);
    if (st == ST_TOO_LARGE)
        *why = (struct guard_refusal){ 413, "the body is larger, once unpacked, than this gateway takes", "http.body" };
    if (st == ST_MALFORMED)
        *why = (struct guard_refusal){ 400, "the body is not what Content-Encoding: gzip says", "http.Content-Encoding" };
    if (st != ST_OK)
        return false;
    block_give(server->blocks, &r->body);
    r->body        = plain;
    r->body_length = plain->length;
    return true;
}

/* More has come while the handler works: it waits in the socket. */
static enum want
busy(struct connection *c)
{
    (void)c;
    return WANT_PAUSE;
}

/* ---- the answer ---------------------------------------------------------- */

static enum want
refuse(struct connection *c, const struct guard_refusal *refusal)
{
    struct http_request  *r  = c->request;
    const struct block   *in = r != NULL ? r->in : c->in;
    struct refusal_answer a;

    answer_refusal(refusal, in != NULL ? span_from(in->at, in->length) : (struct span){ NULL, 0 }, &a);
    c->phase = PHASE_BUSY;               /* a close, for want of memory, leaves the request to us */
    connection_answer(c, &a.answer);
    buf_release(&a.body);
    /* The handler never saw it. */
    if (r != NULL) {
        r->connection = NULL;
        if (c->request == r)
            c->request = NULL;
        request_give(r);
    }
    return WANT_KEEP;
}

static enum want
write_answer(struct connection *c)
{
    while (c->out_from < c->out->length) {
        size_t  put = 0;
        enum io io  = transmit(c, c->out->at + c->out_from, c->out->length - c->out_from, &put);
        if (io != IO_SOME)
            return wait_for(io);
        c->out_from += put;
        pace(c, put);
    }
    block_give(c->server->blocks, &c->out);
    return answer_done(c);
}

static enum want
answer_done(struct connection *c)
{
    if (c->request != NULL) {
        c->request->connection = NULL;
        c->request             = NULL;
    }
    if (c->close || c->server->draining) {
        block_give(c->server->blocks, &c->in);
        if (c->ssl != NULL)
            tls_shutdown(c->ssl);
        shutdown(c->fd, SHUT_WR);
        c->phase           = PHASE_LINGER;
        c->linger_until_us = loop_now_us(c->server->loop) + LINGER_US;
        c->deadline_us     = loop_now_us(c->server->loop) + LINGER_GAP_US;
        return WANT_READ;
    }
    c->phase = PHASE_HEAD;
    c->idle  = c->in == NULL;
    set_deadline(c, c->idle ? c->server->limits.idle_seconds : c->server->limits.head_seconds);
    if (c->in != NULL || (c->ssl != NULL && tls_has_pending(c->ssl)))
        server_wait(c->server, c);
    return WANT_READ;
}

/* Closing with unread input makes the kernel send a reset, which can overtake
 * the answer (RFC 9112 9.6).  What comes is thrown away, undecrypted. */
static enum want
linger(struct connection *c)
{
    for (size_t turn = 0; turn < TURN_BYTES;) {
        ssize_t got = recv(c->fd, NULL, TURN_BYTES, MSG_TRUNC | MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            break;
        if (got <= 0)
            return WANT_CLOSE;
        turn += (size_t)got;
    }
    int64_t next   = loop_now_us(c->server->loop) + LINGER_GAP_US;
    c->deadline_us = next < c->linger_until_us ? next : c->linger_until_us;
    return WANT_READ;
}

/* ---- bytes --------------------------------------------------------------- */

static enum io
io_of(enum tls_result made)
{
    switch (made) {
    case TLS_DONE:
        return IO_SOME;
    case TLS_WANT_READ:
        return IO_WANT_READ;
    case TLS_WANT_WRITE:
        return IO_WANT_WRITE;
    case TLS_CLOSED:
        return IO_END;
    default:
        return IO_FAILED;
    }
}

static enum io
receive(struct connection *c, void *at, size_t room, size_t *got)
{
    c->resting = c->rested = false;
    if (c->ssl != NULL) {
        enum io io = io_of(tls_read(c->ssl, at, room, got));
        c->more    = io == IO_SOME && tls_has_pending(c->ssl);
        return io;
    }
    for (;;) {
        ssize_t made = recv(c->fd, at, room, MSG_DONTWAIT);
        c->more      = made == (ssize_t)room;
        if (made > 0) {
            *got = (size_t)made;
            return IO_SOME;
        }
        if (made == 0)
            return IO_END;
        if (errno != EINTR)
            return errno == EAGAIN ? IO_WANT_READ : IO_FAILED;
    }
}

static enum io
transmit(struct connection *c, const void *at, size_t length, size_t *put)
{
    if (c->ssl != NULL)
        return io_of(tls_write(c->ssl, at, length, put));
    for (;;) {
        ssize_t made = send(c->fd, at, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (made >= 0) {
            *put = (size_t)made;
            return IO_SOME;
        }
        if (errno != EINTR)
            return errno == EAGAIN ? IO_WANT_WRITE : IO_FAILED;
    }
}

/* Every answer before it has left whole, so 25 bytes find room in the socket;
 * a peer that has filled it without reading gets no second chance. */
static bool
say_continue(struct connection *c)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    size_t            put    = 0;

    return transmit(c, line, sizeof line - 1, &put) == IO_SOME && put == sizeof line - 1;
}

/* H4: the grace, and then a second more for every body_bytes_per_second. */
static void
pace(struct connection *c, size_t bytes)
{
    const struct http_limits *limits = &c->server->limits;
    int64_t now    = loop_now_us(c->server->loop);
    int64_t credit = limits->body_bytes_per_second > 0
                         ? (int64_t)bytes * SECOND_US / limits->body_bytes_per_second
                         : PACE_CREDIT_US;

    c->deadline_us += credit;
    if (c->deadline_us > now + PACE_CREDIT_US)
        c->deadline_us = now + PACE_CREDIT_US;
}

static void
set_deadline(struct connection *c, int64_t seconds)
{
    c->deadline_us = loop_now_us(c->server->loop) + seconds * SECOND_US;
}
