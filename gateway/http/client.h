/* gateway/http/client.h -- HTTP out: libcurl multi on the loop.
 *
 * One pool per recipient, redirects off, protocols pinned to http(s), no
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
    struct span url, ca, certificate, key;
    bool        configured;              /* the address is from the configuration: loopback is fine */
    uint32_t    max_connections;
    uint32_t    connect_seconds, total_seconds;
};

struct http_call {                       /* owned by the caller until done */
    const char               *method;    /* "POST" */
    struct span               path;      /* appended to the peer's url; may be empty */
    const struct http_header *headers;
    size_t                    header_count;
    struct span               body;
    void                    (*done)(struct http_call *);   /* on the loop, never from inside http_call_send */
    /* results */
    int                       status;    /* HTTP status, 0: none came */
    bool                      bytes_may_have_left;  /* false: no connection was made */
    int64_t                   retry_after_seconds;  /* -1: not said */
    struct buf                answer;    /* at most 64 KiB are kept */
    const char               *error;     /* a static word: "connect", "tls", "timeout", "send" … */
    void                     *private;
};

struct http_client *http_client_new(struct loop *);
void                http_client_free(struct http_client **);   /* calls still out end with error "cancelled" */
struct http_peer   *http_peer_new(struct http_client *, const struct http_peer_options *);
void                http_peer_free(struct http_peer **);
void                http_call_send(struct http_peer *, struct http_call *);

#endif
