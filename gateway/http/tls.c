#include "gateway/http/tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define TICKET_SECONDS 600
#define READ_AHEAD     (32u * 1024)

struct tls_server {
    SSL_CTX *context;
    bool     client_ca;
};

static enum status load(SSL_CTX *, const char *certificate, const char *key, struct buf *why);
static enum status load_client_ca(struct tls_server *, const char *client_ca, struct buf *why);
static enum status explain(struct buf *why, const char *what, const char *file);
static int  pick_protocol(SSL *, const unsigned char **out, unsigned char *length,
                          const unsigned char *offered, unsigned offered_length, void *);
static enum tls_result result_of(SSL *, int returned);

enum status
tls_server_new(const char *certificate, const char *key, const char *client_ca, struct tls_server **out,
               struct buf *why)
{
    static const unsigned char session_id[] = "sluice";
    struct tls_server *server = calloc(1, sizeof *server);

    *out = NULL;
    if (server == NULL)
        return ST_NO_MEMORY;
    SSL_CTX *c = server->context = SSL_CTX_new(TLS_server_method());
    if (c == NULL) {
        tls_server_free(&server);
        return ST_NO_MEMORY;
    }
    SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE
                               | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* One read takes what has come: without it every record is two calls. */
    SSL_CTX_set_read_ahead(c, 1);
    SSL_CTX_set_default_read_buffer_len(c, READ_AHEAD);
    /* Resumption by tickets alone: a cache would be shared between loops. */
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(c, session_id, sizeof session_id - 1);
    SSL_CTX_set_timeout(c, TICKET_SECONDS);
    SSL_CTX_set_num_tickets(c, 1);
    SSL_CTX_set_alpn_select_cb(c, pick_protocol, NULL);
    enum status st = SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 ? ST_OK : ST_UNSUPPORTED;
    if (st == ST_OK)
        st = load(c, certificate, key, why);
    if (st == ST_OK && client_ca != NULL)
        st = load_client_ca(server, client_ca, why);
    if (st != ST_OK)
        tls_server_free(&server);
    *out = server;
    return st;
}

void
tls_server_free(struct tls_server **server)
{
    if (*server == NULL)
        return;
    SSL_CTX_free((*server)->context);
    free(*server);
    *server = NULL;
}

void
tls_server_allow_anonymous(struct tls_server *server)
{
    if (server->client_ca)
        SSL_CTX_set_verify(server->context, SSL_VERIFY_PEER, NULL);
}

int
tls_certificate_days(const char *certificate, struct buf *why)
{
    int   days = -1, seconds = 0;
    X509 *x    = NULL;
    BIO  *in   = BIO_new_file(certificate, "r");

    if (in != NULL)
        x = PEM_read_bio_X509(in, NULL, NULL, NULL);
    if (x == NULL || ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x)) != 1) {
        (void)explain(why, "the certificate cannot be read", certificate);
        days = INT_MIN;
    } else if (seconds < 0 && days == 0) {
        days = -1;                       /* expired today */
    }
    X509_free(x);
    BIO_free(in);
    return days;
}

static enum status
load(SSL_CTX *c, const char *certificate, const char *key, struct buf *why)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(c, certificate) != 1)
        return explain(why, "the certificate cannot be read", certificate);
    if (SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) != 1)
        return explain(why, "the private key cannot be read or is not the certificate's", key);
    if (SSL_CTX_check_private_key(c) != 1)
        return explain(why, "the private key is not the certificate's", key);
    return ST_OK;
}

static enum status
load_client_ca(struct tls_server *server, const char *client_ca, struct buf *why)
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(client_ca);

    ERR_clear_error();
    if (names == NULL || SSL_CTX_load_verify_file(server->context, client_ca) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return explain(why, "the client CA cannot be read", client_ca);
    }
    SSL_CTX_set_client_CA_list(server->context, names);
    SSL_CTX_set_verify(server->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    server->client_ca = true;
    return ST_OK;
}

static enum status
explain(struct buf *why, const char *what, const char *file)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    buf_add_format(why, "%s: %s%s%s", file, what, reason != NULL ? ": " : "", reason != NULL ? reason : "");
    ERR_clear_error();
    return ST_MALFORMED;
}

/* RFC 7301 3.2: a client that offers only what we do not speak is told so. */
static int
pick_protocol(SSL *ssl, const unsigned char **out, unsigned char *length, const unsigned char *offered,
              unsigned offered_length, void *arg)
{
    static const char mine[] = "http/1.1";

    (void)ssl;
    (void)arg;
    for (unsigned i = 0; i < offered_length && i + 1 + offered[i] <= offered_length; i += 1u + offered[i]) {
        if (offered[i] != sizeof mine - 1 || memcmp(offered + i + 1, mine, sizeof mine - 1) != 0)
            continue;
        *out    = offered + i + 1;
        *length = offered[i];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* ---- one connection ------------------------------------------------------ */

struct ssl_st *
tls_accept(struct tls_server *server, int fd)
{
    SSL *ssl = SSL_new(server->context);

    if (ssl != NULL && SSL_set_fd(ssl, fd) != 1)
        tls_free(&ssl);
    if (ssl != NULL)
        SSL_set_accept_state(ssl);
    return ssl;
}

void
tls_free(struct ssl_st **ssl)
{
    SSL_free(*ssl);
    *ssl = NULL;
    ERR_clear_error();
}

enum tls_result
tls_handshake(struct ssl_st *ssl)
{
    ERR_clear_error();
    int made = SSL_do_handshake(ssl);
    return made == 1 ? TLS_DONE : result_of(ssl, made);
}

enum tls_result
tls_read(struct ssl_st *ssl, void *at, size_t room, size_t *got)
{
    ERR_clear_error();
    int made = SSL_read_ex(ssl, at, room, got);
    return made == 1 ? TLS_DONE : result_of(ssl, made);
}

enum tls_result
tls_write(struct ssl_st *ssl, const void *at, size_t length, size_t *put)
{
    ERR_clear_error();
    int made = SSL_write_ex(ssl, at, length, put);
    return made == 1 ? TLS_DONE : result_of(ssl, made);
}

bool
tls_has_pending(struct ssl_st *ssl)
{
    return SSL_has_pending(ssl) == 1;
}

void
tls_shutdown(struct ssl_st *ssl)
{
    ERR_clear_error();
    if (SSL_is_init_finished(ssl))
        SSL_shutdown(ssl);
    ERR_clear_error();
}

void
tls_release_buffers(struct ssl_st *ssl)
{
    SSL_free_buffers(ssl);
}

size_t
tls_client_cn(struct ssl_st *ssl, char *out, size_t room)
{
    const X509    *x    = SSL_get_verify_result(ssl) == X509_V_OK ? SSL_get0_peer_certificate(ssl) : NULL;
    unsigned char *text = NULL;
    size_t         used = 0;

    if (x == NULL)
        return 0;
    const X509_NAME *name  = X509_get_subject_name(x);
    int              first = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    /* Two CNs: two readers would pick different ones. */
    if (first < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, first) >= 0)
        return 0;
    int length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, first)));
    if (length > 0 && (size_t)length <= room && memchr(text, 0, (size_t)length) == NULL) {
        memcpy(out, text, (size_t)length);
        used = (size_t)length;
    }
    OPENSSL_free(text);
    return used;
}

static enum tls_result
result_of(SSL *ssl, int returned)
{
    switch (SSL_get_error(ssl, returned)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_CLOSED;
    case SSL_ERROR_SSL:
        if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST)
            return TLS_PLAIN_HTTP;
        /* A peer that closes without close_notify; HTTP/1.1 frames itself. */
        if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
            return TLS_CLOSED;
        return TLS_FAILED;
    default:
        return TLS_FAILED;
    }
}
