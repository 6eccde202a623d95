/* gateway/http/tls.h -- TLS 1.2 and 1.3 by OpenSSL, on our own read and write.
 *
 * TLS 1.2 with ECDHE and AEAD only, no renegotiation, no compression, session
 * tickets; client certificates asked for when a client CA is configured and
 * verified against it alone.  Contexts are immutable; a reload makes a new
 * one and connections keep the one they began with.
 */
#ifndef SLUICE_GATEWAY_HTTP_TLS_H
#define SLUICE_GATEWAY_HTTP_TLS_H

#include "base/buf.h"
#include "base/status.h"

struct tls_server;

/* Paths of PEM files; client_ca NULL: no client certificates.  On failure
 * *out is NULL and `why` says what and which file. */
enum status tls_server_new(const char *certificate, const char *key, const char *client_ca,
                           struct tls_server **out, struct buf *why) MUST_CHECK;
void        tls_server_free(struct tls_server **);
/* Days until the certificate expires; negative when it has. */
int         tls_certificate_days(const char *certificate, struct buf *why);

#endif
