/* gateway/http/client.h -- HTTP out: libcurl multi on the loop.
 *
 * One pool of connections per recipient, redirects off, protocols pinned to http(s), no
 * proxy, netrc or environment, no Accept-Encoding, deny-list after DNS for
 * addresses that did not come from the configuration, total and low-speed
 * timeouts, bounded answer.
 */
#ifndef SLUICE_GATEWAY_HTTP_CLIENT_H
#define SLUICE_GATEWAY_HTTP_CLIENT_H

#include "base/buf.h"
#include "gateway/http/server.h"
#include "gateway/runtime/loop.h"

struct http_client;                      /* one per loop */
struct http_peer;                        /* one per recipient and loop: its pool */

struct http_peer_options {
    struct span url;                     /* https, or http where the configuration says so */
    struct span ca;                      /* path of PEM: trusted, and nothing beside it; empty: the system's */
    struct span certificate, key;        /* paths of PEM, for mutual TLS; empty: none */
    bool        configured;              /* the address is from the configuration: loopback is fine */
    uint32_t    max_connections;         /* 0 is 1 */
    uint32_t    connect_seconds, total_seconds;      /* 0: libcurl's 300, none */
};

/* Owned by the caller, untouched by it until done(); the spans too: the body
 * is sent from where it lies.  Send it again only after done(). */
struct http_call {
    const char               *method;    /* "POST" */
    struct span               path;      /* appended to the peer's url; may be empty */
    const struct http_header *headers;
    size_t                    header_count;
    struct span               body;
    size_t                    answer_max;    /* bytes of the answer's body that are kept; 0: none, and no memory for it */
    void                    (*done)(struct http_call *);   /* on the loop, never from inside http_call_send */
    /* Asked when the call's turn for a connection has come, maybe from inside
     * http_call_send: false, and nothing of it is sent.  NULL: always. */
    bool                    (*may_go)(struct http_call *);
    /* results */
    int                       status;    /* HTTP status, 0: none came */
    bool                      bytes_may_have_left;  /* false: no connection was made, or its TLS failed */
    int64_t                   retry_after_seconds;  /* -1: not said; at most a day */
    struct buf                answer;    /* released by the caller */
    const char               *error;     /* NULL when there is a status, else a static word: dns, connect,
                                            denied, tls, timeout, send, answer, url, header, memory,
                                            cancelled, withdrawn (by may_go), failed */
    void                     *private;
    struct http_call         *next;      /* the client's */
};

struct http_client *http_client_new(struct loop *);
/* All on the loop's thread, or while the loop does not run.  Calls that are
 * still out end with error "cancelled", done() included, before this returns. */
void                http_client_free(struct http_client **);
/* NULL: no memory.  Texts are copied. */
struct http_peer   *http_peer_new(struct http_client *, const struct http_peer_options *);
void                http_peer_free(struct http_peer **);       /* as http_client_free */
/* Beyond max_connections a call waits for its turn, in order. */
void                http_call_send(struct http_peer *, struct http_call *);

#endif
