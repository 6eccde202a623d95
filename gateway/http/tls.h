/* gateway/http/tls.h -- TLS 1.2 and 1.3 by OpenSSL, on our own read and write.
 *
 * TLS 1.2 with ECDHE and AEAD only, no renegotiation, no compression, no
 * early data, session tickets for ten minutes; ALPN is http/1.1 or nothing.
 * Client certificates are asked for and required when a client CA is
 * configured, and verified against it alone.  Contexts are immutable; a
 * reload makes a new one and connections keep the one they began with
 * (OpenSSL counts them).  A context may serve several loops.
 */
#ifndef SLUICE_GATEWAY_HTTP_TLS_H
#define SLUICE_GATEWAY_HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"

struct tls_server;

/* Paths of PEM files; client_ca NULL: no client certificates.  On failure
 * *out is NULL and `why` says what and which file. */
enum status tls_server_new(const char *certificate, const char *key, const char *client_ca,
                           struct tls_server **out, struct buf *why) MUST_CHECK;
void        tls_server_free(struct tls_server **);
/* Before the first connection: a client may come without a certificate (it
 * has a token instead); one that it shows is verified all the same. */
void        tls_server_allow_anonymous(struct tls_server *);
/* Days until the certificate expires; negative when it has. */
int         tls_certificate_days(const char *certificate, struct buf *why);

/* ---- one connection; for http/connection.c ------------------------------- */

struct ssl_st;                           /* OpenSSL's SSL */

/* Zeroed memory has failed. */
enum tls_result {
    TLS_FAILED = 0,                      /* protocol error, reset: close at once  */
    TLS_DONE,                            /* handshake over; bytes read or written */
    TLS_WANT_READ,
    TLS_WANT_WRITE,
    TLS_CLOSED,                          /* the peer said close_notify, or is gone */
    TLS_PLAIN_HTTP,                      /* it spoke HTTP without TLS */
};

struct ssl_st  *tls_accept(struct tls_server *, int fd);  /* NULL: no memory */
void            tls_free(struct ssl_st **);               /* no close_notify */
enum tls_result tls_handshake(struct ssl_st *);
enum tls_result tls_read(struct ssl_st *, void *at, size_t room, size_t *got);
enum tls_result tls_write(struct ssl_st *, const void *at, size_t length, size_t *put);
bool            tls_has_pending(struct ssl_st *);         /* bytes that no event will announce */
void            tls_shutdown(struct ssl_st *);            /* sends close_notify, does not wait */
void            tls_release_buffers(struct ssl_st *);     /* of an idle connection */
/* The one subject CN of a verified client certificate; empty when there is
 * no certificate, no CN, more than one, or one that does not fit. */
size_t          tls_client_cn(struct ssl_st *, char *out, size_t room);

#endif
