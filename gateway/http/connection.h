/* gateway/http/connection.h -- one connection; private to gateway/http.
 *
 *   HANDSHAKE -> HEAD -> BODY or CHUNKS -> BUSY -> ANSWER -> HEAD ...
 *                  \________________________________/  \-> LINGER -> closed
 *
 * Every phase is one function that does what can be done and says what it
 * wants next (enum want); connection_go() turns that into event_add.  A
 * connection that was closed is freed at the end of the turn.
 *
 * An idle connection (HEAD, nothing read) holds no buffer.  While the handler
 * has the request (BUSY) nothing is read: pipelined requests wait in the
 * socket.
 *
 * Deadlines are looked at by the server's sweep, four times a second, and not
 * by a timer a connection: setting one costs a store.
 */
#ifndef SLUICE_GATEWAY_HTTP_CONNECTION_H
#define SLUICE_GATEWAY_HTTP_CONNECTION_H

#include <event2/event_struct.h>
#include <llhttp.h>
#include <netinet/in.h>

#include "gateway/http/blocks.h"
#include "gateway/http/census.h"
#include "gateway/http/guard.h"
#include "gateway/http/gunzip.h"
#include "gateway/http/server.h"
#include "gateway/runtime/identity.h"

#define MAX_CN 128u

enum phase {
    PHASE_CLOSED = 0,
    PHASE_HANDSHAKE, PHASE_HEAD, PHASE_BODY, PHASE_CHUNKS, PHASE_BUSY, PHASE_ANSWER, PHASE_LINGER,
};

enum want {
    WANT_CLOSE = 0,
    WANT_READ,
    WANT_WRITE,
    WANT_PAUSE,                          /* neither: the handler has it               */
    WANT_KEEP,                           /* as it is: somebody else has said so       */
    WANT_AGAIN,                          /* the next phase can go on at once          */
};

struct http_server {
    struct loop        *loop;
    struct tls_server  *tls;
    struct http_limits  limits;
    struct http_census *census, *own_census;     /* the same when nobody gave one */
    http_handler       *handler;
    void               *arg;
    int                 fd;
    uint16_t            port;
    struct event        listener, sweep, again;
    struct blocks      *blocks;
    struct gunzip      *gunzip;          /* made when it is first needed */
    struct connection  *connections;     /* all that are open */
    struct connection  *waiting;         /* those with input that no event will announce */
    _Atomic uint32_t    connection_count;        /* asked from other threads */
    struct http_request *spare;          /* for the next */
    uint32_t            spare_count, request_count;
    bool                accepting, draining, freed, ending;
    uint32_t            quiet_sweeps;    /* in a row in which no request was being handled */
    struct task         end;
    int64_t             date_second;
    char                date[48];
};

struct connection {
    struct task          end;
    struct http_server  *server;
    struct connection   *next, **link;   /* in server->connections */
    struct connection   *next_waiting;
    bool                 is_waiting;
    int                  fd;
    struct ssl_st       *ssl;            /* NULL: plain */
    enum phase           phase;
    bool                 reading, writing;       /* events that are added */
    bool                 close;          /* after this answer */
    bool                 crowded;        /* its client has too many: 429 */
    bool                 idle;           /* between requests, nothing of the next has come */
    bool                 resting, rested;        /* a sweep without a byte; buffers released */
    bool                 more;           /* the last read filled its room, or TLS holds more */
    struct event         readable, writable;
    int64_t              deadline_us;    /* 0: none */
    int64_t              linger_until_us;
    struct guard_scan    scan;
    struct block        *in;             /* bytes that no request has taken yet */
    struct block        *out;            /* what is left of the answer */
    size_t               out_from;
    struct http_request *request;
    uint16_t             cn_length, peer_length;
    char                 cn[MAX_CN];
    char                 peer[INET6_ADDRSTRLEN + 8];
    struct sockaddr_storage from;
};

struct http_request {
    struct task         end;
    struct http_request *next;           /* among the spare ones */
    struct http_server *server;
    struct connection  *connection;      /* NULL: gone, or answered */
    struct http_head    head;
    struct block       *in;              /* the header block, and the body when it fits */
    struct block       *body;            /* NULL: the body is in `in` */
    size_t              body_from;       /* in `in` */
    size_t              body_length, announced;
    enum guard_framing  framing;
    bool                gzip, keep_alive, answered;
    uint8_t             minor;
    uint16_t            cn_length, peer_length;
    char                cn[MAX_CN];
    char                peer[INET6_ADDRSTRLEN + 8];
    /* while it is being parsed */
    llhttp_t            parser;
    struct guard_chunks chunks;
    struct span         field_name, field_value, target;
    bool                parse_broken, head_parsed, parsed_whole, body_too_large, chunked_seen;
    uint64_t            length_seen;
    size_t              field_count;
    struct http_header  fields[GUARD_MAX_FIELDS];
};

struct connection *connection_new(struct http_server *, int fd, const struct sockaddr *,
                                  socklen_t, bool crowded);      /* closes fd when it fails */
void connection_go(struct connection *);
void connection_timed_out(struct connection *);
/* Called at every sweep: gives back what an idle connection does not need. */
void connection_rest(struct connection *);
void connection_close(struct connection *);
/* Drain: closes it when it is idle, else after its next answer. */
void connection_wind_up(struct connection *);
/* Sends the answer to what is being handled. */
void connection_answer(struct connection *, const struct http_answer *);

/* http/server.c */
void server_wait(struct http_server *, struct connection *);     /* go on next turn */
void server_forget(struct http_server *, struct connection *);   /* it is closed */
struct span server_date(struct http_server *);
void server_gone(struct http_server *);  /* frees it when it was let go and nothing hangs on it */

/* http/request.c */
struct http_request *request_take(struct http_server *);         /* NULL: no memory */
void                 request_give(struct http_request *);        /* at the end of the turn */
/* llhttp over the block; false when it does not read what the guard read. */
bool        request_parse_head(struct http_request *, struct span block, const struct guard_head *);
/* llhttp over chunk bytes that the guard let pass; the data goes to ->body. */
enum status request_parse_chunks(struct http_request *, struct span) MUST_CHECK;

/* http/answer.c: status line, fields and body in one block; NULL: no memory. */
struct answer_terms { bool head_only, keep_alive; uint8_t minor; };
struct block *answer_print(struct http_server *, const struct http_answer *, struct answer_terms);
/* The answer to what the guard, a limit or a deadline refuses, and what it
 * borrows: keep it until the answer is printed, then release `body`. */
struct refusal_answer {
    struct http_answer answer;
    struct http_header fields[2];
    char               request_id[UUID_CHARS + 1];
    struct buf         body;
};
/* `head`: what has come of the header block, whole or not.  A sound
 * X-Request-Id in it is echoed, so that a refusal can be found again. */
void answer_refusal(const struct guard_refusal *, struct span head, struct refusal_answer *);

#endif
