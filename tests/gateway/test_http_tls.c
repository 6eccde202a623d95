/* gateway/http/tls, and the server over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <limits.h>
#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/support/certs.h"
#include "tests/support/wire.h"

static struct certs certs;

struct visit {                           /* how a client comes */
    const char *certificate;             /* file in certs, NULL: none */
    int         min, max;                /* versions */
    const char *ciphers;                 /* TLS 1.2 */
    const char *alpn;
    SSL_SESSION *session;
};

struct guest {
    SSL_CTX *context;
    SSL     *ssl;
    int      fd;
};

static void
leave(struct guest *g)
{
    SSL_free(g->ssl);
    SSL_CTX_free(g->context);
    if (g->fd >= 0)
        close(g->fd);
}

/* True when the handshake and one exchange succeed; `got` is the answer. */
static bool
visit(uint16_t port, const struct visit *v, struct guest *g, char *got, size_t room)
{
    static const char request[] = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

    got[0] = 0;
    *g     = (struct guest){ .context = SSL_CTX_new(TLS_client_method()), .fd = wire_connect(port) };
    SSL_CTX_load_verify_file(g->context, certs.ca_path);
    SSL_CTX_set_verify(g->context, SSL_VERIFY_PEER, NULL);
    if (v->min != 0)
        SSL_CTX_set_min_proto_version(g->context, v->min);
    if (v->max != 0)
        SSL_CTX_set_max_proto_version(g->context, v->max);
    if (v->max != 0 && v->max < TLS1_2_VERSION)
        SSL_CTX_set_security_level(g->context, 0);
    if (v->ciphers != NULL)
        SSL_CTX_set_cipher_list(g->context, v->ciphers);
    if (v->alpn != NULL)
        SSL_CTX_set_alpn_protos(g->context, (const unsigned char *)v->alpn, (unsigned)strlen(v->alpn));
    if (v->certificate != NULL) {
        char pem[64], key[64];
        snprintf(pem, sizeof pem, "%s.pem", v->certificate);
        snprintf(key, sizeof key, "%s.key", v->certificate);
        SSL_CTX_use_certificate_chain_file(g->context, certs_path(&certs, pem));
        SSL_CTX_use_PrivateKey_file(g->context, certs_path(&certs, key), SSL_FILETYPE_PEM);
    }
    g->ssl = SSL_new(g->context);
    SSL_set_fd(g->ssl, g->fd);
    if (v->session != NULL)
        SSL_set_session(g->ssl, v->session);
    if (SSL_connect(g->ssl) != 1)
        return false;
    if (SSL_write(g->ssl, request, sizeof request - 1) <= 0)
        return false;
    int length = SSL_read(g->ssl, got, (int)room - 1);
    if (length <= 0)
        return false;
    got[length] = 0;
    return strstr(got, "HTTP/1.1 200") != NULL;
}

static int
make_certs(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    certs_open(&certs);
    certs_issue(&certs, "server", "localhost", NULL, "serverAuth", "DNS:localhost,IP:127.0.0.1", 20);
    certs_issue(&certs, "client", "valley-ehr", NULL, "clientAuth", NULL, 20);
    certs_issue(&certs, "expired", "valley-ehr", NULL, "clientAuth", NULL, -1);
    certs_issue(&certs, "wrong-use", "valley-ehr", NULL, "serverAuth", NULL, 20);
    certs_issue(&certs, "two-names", "valley-ehr", "county-hie", "clientAuth", NULL, 20);
    certs_issue(&certs, "no-name", NULL, NULL, "clientAuth", NULL, 20);
    struct certs other;
    certs_open(&other);
    /* A client of another CA with the same name. */
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509     *x   = certs_sign(&other, key, "valley-ehr", NULL, "clientAuth", NULL, 20);
    certs_write(certs_path(&certs, "stranger.pem"), x, NULL);
    certs_write(certs_path(&certs, "stranger.key"), NULL, key);
    X509_free(x);
    EVP_PKEY_free(key);
    certs_close(&other);
    return 0;
}

static int
drop_certs(void **state)
{
    (void)state;
    certs_close(&certs);
    return 0;
}

static struct tls_server *
server(bool client_ca)
{
    struct tls_server *tls;
    struct buf         why;

    buf_init(&why, 1024);
    enum status st = tls_server_new(certs_path(&certs, "server.pem"), certs_path(&certs, "server.key"),
                                    client_ca ? certs.ca_path : NULL, &tls, &why);
    assert_int_equal(st, ST_OK);
    assert_int_equal(why.length, 0);
    buf_release(&why);
    return tls;
}

/* ---- who may come in ------------------------------------------------------ */

static const struct {
    const char  *says;
    bool         client_ca, anonymous;
    struct visit visit;
    bool         welcome;
    const char  *cn;
} visits[] = {
    { "a client without a certificate, none asked for", false, false, { 0 }, true, "[]" },
    { "a client with its certificate", true, false, { .certificate = "client" }, true, "[valley-ehr]" },
    { "the same over TLS 1.2", true, false, { .certificate = "client", .max = TLS1_2_VERSION }, true, "[valley-ehr]" },
    { "no certificate where one is required", true, false, { 0 }, false, NULL },
    { "no certificate where one is optional", true, true, { 0 }, true, "[]" },
    { "a stranger's certificate where one is optional", true, true, { .certificate = "stranger" }, false, NULL },
    { "a certificate of another CA", true, false, { .certificate = "stranger" }, false, NULL },
    { "an expired certificate", true, false, { .certificate = "expired" }, false, NULL },
    { "a certificate for servers", true, false, { .certificate = "wrong-use" }, false, NULL },
    { "a certificate with two CNs is nobody's", true, false, { .certificate = "two-names" }, true, "[]" },
    { "a certificate without CN is nobody's", true, false, { .certificate = "no-name" }, true, "[]" },
    { "TLS 1.1", false, false, { .min = TLS1_VERSION, .max = TLS1_1_VERSION, .ciphers = "ALL:@SECLEVEL=0" }, false, NULL },
    { "TLS 1.2 without forward secrecy", false, false, { .max = TLS1_2_VERSION, .ciphers = "AES128-GCM-SHA256" }, false, NULL },
    { "TLS 1.2 with CBC", false, false, { .max = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA" }, false, NULL },
    { "ALPN with http/1.1", false, false, { .alpn = "\x02h2\x08http/1.1" }, true, "[]" },
    { "ALPN with h2 alone", false, false, { .alpn = "\x02h2" }, false, NULL },
};

static void
test_lets_in_who_may_come_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof visits / sizeof visits[0]; i++) {
        struct wire        w;
        struct guest       g;
        char               got[2048];
        struct tls_server *tls = server(visits[i].client_ca);
        if (visits[i].anonymous)
            tls_server_allow_anonymous(tls);
        assert_true(wire_open(&w, tls, &wire_limits, NULL));
        bool welcome = visit(w.port, &visits[i].visit, &g, got, sizeof got);
        if (welcome != visits[i].welcome || (welcome && strstr(got, visits[i].cn) == NULL))
            fail_msg("%s: %s\n%s", visits[i].says, welcome ? "let in" : "turned away", got);
        leave(&g);
        wire_close(&w);
        tls_server_free(&tls);
    }
}

static void
test_resumes_a_session_with_the_same_client(void **state)
{
    struct wire        w;
    struct guest       g;
    char               got[2048];
    struct tls_server *tls  = server(true);
    SSL_SESSION       *kept = NULL;
    struct visit       v    = { .certificate = "client" };

    (void)state;
    assert_true(wire_open(&w, tls, &wire_limits, NULL));
    assert_true(visit(w.port, &v, &g, got, sizeof got));
    kept = SSL_get1_session(g.ssl);
    assert_non_null(kept);
    SSL_shutdown(g.ssl);
    leave(&g);
    v.session = kept;
    assert_true(visit(w.port, &v, &g, got, sizeof got));
    assert_true(SSL_session_reused(g.ssl));
    assert_non_null(strstr(got, "[valley-ehr]"));
    SSL_SESSION_free(kept);
    leave(&g);
    wire_close(&w);
    tls_server_free(&tls);
}

static void
test_tells_a_plain_client_that_this_is_https(void **state)
{
    struct wire        w;
    char               got[2048];
    struct tls_server *tls = server(true);

    (void)state;
    assert_true(wire_open(&w, tls, &wire_limits, NULL));
    int fd = wire_connect(w.port);
    assert_true(wire_send(fd, SPAN("GET / HTTP/1.1\r\nHost: a\r\n\r\n")));
    wire_drain(fd, got, sizeof got, 3000);
    assert_non_null(strstr(got, "HTTP/1.1 400 "));
    assert_non_null(strstr(got, "OperationOutcome"));
    close(fd);
    wire_close(&w);
    tls_server_free(&tls);
}

static void
test_carries_large_bodies_both_ways_over_tls(void **state)
{
    struct wire        w;
    struct guest       g;
    char               got[2048];
    struct tls_server *tls  = server(true);
    size_t             size = 700000;
    char              *body = malloc(size);

    (void)state;
    for (size_t i = 0; i < size; i++)
        body[i] = (char)('a' + i % 23);
    assert_true(wire_open(&w, tls, &wire_limits, NULL));
    assert_true(visit(w.port, &(struct visit){ .certificate = "client" }, &g, got, sizeof got));
    for (int round = 0; round < 3; round++) {
        char head[128], want[64];
        int  length = snprintf(head, sizeof head, "POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", size);
        assert_int_equal(SSL_write(g.ssl, head, length), length);
        assert_int_equal(SSL_write(g.ssl, body, (int)size), (int)size);
        length = SSL_read(g.ssl, got, sizeof got - 1);
        assert_true(length > 0);
        got[length] = 0;
        snprintf(want, sizeof want, "POST /big ? %zu %016llx", size, (unsigned long long)span_hash(span_from(body, size)));
        assert_non_null(strstr(got, want));
        assert_null(strstr(got, "NO-SLACK"));
    }
    free(body);
    leave(&g);
    wire_close(&w);
    tls_server_free(&tls);
}

/* ---- a crowd that waits ------------------------------------------------------ */

/* The benchmark weighs a thousand (tests/bench/run_gateway.py); handshakes of so
 * many take minutes under a sanitizer on a busy machine. */
#define CROWD 250

/* The clients live in a process of their own, so that only the server's
 * memory is counted.  Each makes one request and then stays. */
static void
be_a_crowd(int orders, int reports, const char *certificate)
{
    static struct guest guests[CROWD];
    char                got[2048];
    uint16_t            port;
    uint32_t            in = 0;

    alarm(200);
    if (read(orders, &port, sizeof port) != sizeof port)
        _exit(1);
    for (int i = 0; i < CROWD; i++)
        in += visit(port, &(struct visit){ .certificate = certificate }, &guests[i], got, sizeof got);
    if (write(reports, &in, sizeof in) != sizeof in)
        _exit(1);
    (void)!read(orders, &port, sizeof port);     /* until the parent has counted */
    _exit(0);
}

static long
resident_kilobytes(void)
{
    char  line[256];
    long  pages = 0, resident = 0;
    FILE *f     = fopen("/proc/self/statm", "r");

    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    fclose(f);
    char *end = line;
    pages    = strtol(line, &end, 10);
    resident = strtol(end, NULL, 10);
    return pages > 0 ? resident * (sysconf(_SC_PAGESIZE) / 1024) : 0;
}

/* Kilobytes that CROWD idle connections add to `before`. */
static long
weigh_a_crowd(const char *certificate, long before)
{
    int         orders[2], reports[2];
    uint32_t    in = 0;
    struct wire w;

    assert_int_equal(pipe(orders), 0);
    assert_int_equal(pipe(reports), 0);
    pid_t child = fork();
    if (child == 0)
        be_a_crowd(orders[0], reports[1], certificate);
    close(orders[0]);                    /* so that a crowd that dies is seen as the end, not waited for */
    close(reports[1]);
    struct tls_server *tls = server(certificate != NULL);
    assert_true(wire_open(&w, tls, &wire_limits, NULL));
    assert_int_equal(write(orders[1], &w.port, sizeof w.port), sizeof w.port);
    assert_int_equal(read(reports[0], &in, sizeof in), sizeof in);
    usleep(1200000);                     /* some sweeps: idle buffers are released */
    uint32_t held  = http_server_connections(w.server);
    long     after = resident_kilobytes();
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(orders[1]);
    close(reports[0]);
    wire_close(&w);
    tls_server_free(&tls);
    assert_int_equal(in, CROWD);
    assert_int_equal(held, CROWD);
    print_message("%d idle TLS connections, %s client certificate: %.1f KiB each, RSS %ld KiB\n", CROWD,
                  certificate != NULL ? "with" : "without", (double)(after - before) / CROWD, after);
    return after - before;
}

static void
test_holds_a_crowd_of_idle_connections_in_little_memory(void **state)
{
    struct rlimit files;

    (void)state;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < CROWD + 100)
        skip();
    /* The second crowd takes the room of the first and more: OpenSSL keeps a
     * client's certificate, parsed, with its session. */
    long before  = resident_kilobytes();
    long without = weigh_a_crowd(NULL, before);
    long with    = weigh_a_crowd("client", before);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    /* … and what the first connection of a process costs, however many follow.  It is 26 and
     * 19 KiB on a quiet machine, and up to 36 and 22 where handshakes wait for each other. */
    assert_true(with <= 44L * CROWD + 2048);
    assert_true(without <= 28L * CROWD + 2048);
#else
    (void)with;
    (void)without;
#endif
}

/* ---- files ----------------------------------------------------------------- */

static void
test_says_which_file_is_wrong(void **state)
{
    struct tls_server *tls;
    struct buf         why;

    (void)state;
    buf_init(&why, 1024);
    assert_int_not_equal(tls_server_new("/nowhere.pem", "/nowhere.key", NULL, &tls, &why), ST_OK);
    assert_null(tls);
    assert_true(span_find(buf_span(&why), SPAN("/nowhere.pem")) != SPAN_NOT_FOUND);
    buf_clear(&why);
    assert_int_not_equal(tls_server_new(certs_path(&certs, "server.pem"), certs_path(&certs, "client.key"), NULL, &tls, &why), ST_OK);
    assert_true(span_find(buf_span(&why), SPAN("client.key")) != SPAN_NOT_FOUND);
    buf_clear(&why);
    assert_int_not_equal(tls_server_new(certs_path(&certs, "server.pem"), certs_path(&certs, "server.key"), "/no-ca.pem", &tls, &why), ST_OK);
    assert_true(span_find(buf_span(&why), SPAN("/no-ca.pem")) != SPAN_NOT_FOUND);
    buf_release(&why);
}

static void
test_counts_the_days_of_a_certificate(void **state)
{
    struct buf why;

    (void)state;
    buf_init(&why, 1024);
    assert_in_range(tls_certificate_days(certs_path(&certs, "server.pem"), &why), 19, 20);
    assert_true(tls_certificate_days(certs_path(&certs, "expired.pem"), &why) < 0);
    assert_int_equal(why.length, 0);
    assert_int_equal(tls_certificate_days("/nowhere.pem", &why), INT_MIN);
    assert_true(why.length > 0);
    buf_release(&why);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lets_in_who_may_come_in),
        cmocka_unit_test(test_resumes_a_session_with_the_same_client),
        cmocka_unit_test(test_tells_a_plain_client_that_this_is_https),
        cmocka_unit_test(test_carries_large_bodies_both_ways_over_tls),
        cmocka_unit_test(test_holds_a_crowd_of_idle_connections_in_little_memory),
        cmocka_unit_test(test_says_which_file_is_wrong),
        cmocka_unit_test(test_counts_the_days_of_a_certificate),
    };
    return cmocka_run_group_tests(tests, make_certs, drop_certs);
}
