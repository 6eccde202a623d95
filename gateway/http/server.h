/* gateway/http/server.h -- HTTP/1.1 in, on plain events, behind the guard.
 *
 * llhttp tokenises; http/guard.h refuses first what two parsers could frame
 * differently.  Bodies are read into one contiguous buffer.  Rules:
 *   H1  header block at most 16 KiB and 100 fields (431); CR without LF, lone LF, NUL,
 *       obs-fold, white space before a colon: 400 and close (RFC 9112 2.2, 5.1, 5.2)
 *   H2  exactly one Host; HTTP/1.1 or 1.0; Transfer-Encoding is `chunked` and
 *       nothing else and never with Content-Length or HTTP/1.0 (RFC 9112 6.1)
 *   H3  Content-Length is digits, once (RFC 9110 8.6)
 *   H4  handshake and head within 10 s in all; a body at least 1 KiB/s after 5 s
 *   H5  a body over the limit is 413, before it is read when its length is announced
 *   H6  methods: GET HEAD POST PUT DELETE PATCH OPTIONS by route; others 501/405
 *   H7  after a framing error the connection closes; the answer is an
 *       OperationOutcome all the same
 *   H8  pipelined requests are answered in order, one at a time
 *   H9  Content-Encoding gzip is undone, bounded by the same limit; others 415
 *   H10 HEAD answers have no body; Expect: 100-continue is honoured
 *
 * A request belongs to its loop.  The handler is called once the body is
 * whole, answers by http_respond() now or later, exactly once;
 * the connection may be gone by then: that is fine, the answer is dropped.
 */
#ifndef SLUICE_GATEWAY_HTTP_SERVER_H
#define SLUICE_GATEWAY_HTTP_SERVER_H

#include "base/span.h"
#include "gateway/http/tls.h"
#include "gateway/runtime/loop.h"

struct http_server;
struct http_request;
struct http_census;                      /* http/census.h */

struct http_limits {
    size_t   max_body_bytes;
    uint32_t max_connections, max_connections_per_client;     /* 0: no limit */
    uint32_t head_seconds;               /* 10 */
    uint32_t body_grace_seconds;         /* 5  */
    uint32_t body_bytes_per_second;      /* 1024 */
    uint32_t idle_seconds;
    /* Shared by the listeners of all loops, which count together then; the two
     * maxima above are the census's own.  NULL: this listener counts alone. */
    struct http_census *census;
};

struct http_header { struct span name, value; };

/* All spans live until http_request_free(). */
struct http_head {
    struct span               method, path, query;   /* path percent-decoded once and normalised; /fhir/… */
    const struct http_header *headers;
    size_t                    header_count;
    struct span               body;      /* contiguous, gunzipped; followed by at least 64 zero bytes */
    struct span               client_cn; /* subject CN of a verified client certificate, or empty */
    struct span               peer;      /* "127.0.0.1:51234" */
    int64_t                   received_us;
};

struct http_answer {
    int                       status;
    struct span               content_type;          /* empty: no body */
    const struct http_header *headers;
    size_t                    header_count;
    struct span               body;                  /* copied when it cannot be written at once */
    bool                      close;
};

typedef void http_handler(struct http_request *, void *arg);

/* Listens with SO_REUSEPORT, so that every loop has its own listener on one
 * address.  tls NULL: plain (the admin listener).  port 0 picks one.
 * NULL: errno says why. */
struct http_server *http_server_new(struct loop *, const char *address, uint16_t port,
                                    struct tls_server *tls, const struct http_limits *,
                                    http_handler *, void *arg);
uint16_t http_server_port(const struct http_server *);
/* These on the loop's thread, or while the loop does not run. */
/* For connections to come, after a reload; those that stand keep the context
 * they began with, so the old one may be freed once every server has this. */
void     http_server_use_tls(struct http_server *, struct tls_server *);
void     http_server_drain(struct http_server *);    /* no new connections; Connection: close */
uint32_t http_server_connections(const struct http_server *);       /* any thread */
/* Closes every connection.  A request that the handler still has stays its
 * own until http_request_free(); its answer is dropped. */
void     http_server_free(struct http_server **);

const struct http_head *http_request_head(const struct http_request *);
struct loop            *http_request_loop(const struct http_request *);
struct span             http_request_header(const struct http_request *, struct span name); /* first, nocase */
/* How many fields of this name there are, and all their values as one list
 * (RFC 9110 5.3); empty: none. */
size_t                  http_request_count(const struct http_request *, struct span name);
struct arena;
struct span             http_request_list(const struct http_request *, struct span name, struct arena *);
void                    http_respond(struct http_request *, const struct http_answer *);
/* When the body is needed no more; without http_respond() before, the
 * connection closes.  Either may be called from inside the handler. */
void                    http_request_free(struct http_request **);

#endif
