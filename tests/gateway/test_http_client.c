/* gateway/http/client against our own server, and against peers that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>

#include "gateway/http/client.h"
#include "tests/support/certs.h"
#include "tests/support/wire.h"

static struct certs certs;
static struct loop *loop;                /* the client's; runs here */
static unsigned     outstanding;

static void
on_done(struct http_call *call)
{
    (void)call;
    if (--outstanding == 0)
        loop_stop(loop);
}

static struct http_call
post(struct span body)
{
    return (struct http_call){ .method = "POST", .body = body, .answer_max = 64 << 10, .done = on_done };
}

static void
run(struct http_peer *peer, struct http_call *calls, unsigned count)
{
    outstanding = count;
    for (unsigned i = 0; i < count; i++)
        http_call_send(peer, &calls[i]);
    assert_int_equal(outstanding, count);        /* never from inside http_call_send */
    loop_run_here(loop);
}

struct out { struct http_client *client; struct http_peer *peer; };

static struct out
reach(const char *scheme, uint16_t port, struct http_peer_options options)
{
    static char url[128];
    struct out  o;

    snprintf(url, sizeof url, "%s://127.0.0.1:%u/fhir", scheme, port);
    if (options.url.at == NULL)
        options.url = span_of(url);
    if (options.connect_seconds == 0)
        options.connect_seconds = 5;
    if (options.total_seconds == 0)
        options.total_seconds = 10;
    loop     = loop_new(0);
    o.client = http_client_new(loop);
    o.peer   = http_peer_new(o.client, &options);
    assert_non_null(o.peer);
    return o;
}

static void
leave(struct out *o)
{
    http_client_free(&o->client);
    loop_free(&loop);
}

static const struct http_peer_options configured = { .configured = true, .max_connections = 4 };

static bool
stay(struct http_call *call)
{
    (void)call;
    return false;
}

/* ---- with our own server --------------------------------------------------- */

/* Answers as the path says. */
static void
script(struct http_request *r, void *arg)
{
    static char               big[10 << 20];
    static char               date[64];
    const struct http_head   *h = http_request_head(r);
    struct http_header        field = { SPAN("Retry-After"), SPAN("17") };
    struct http_answer        a = { .status = 200, .content_type = SPAN("text/plain"), .headers = &field };

    if (span_ends(h->path, SPAN("/busy"))) {
        a.status       = 503;
        a.header_count = 1;
    } else if (span_ends(h->path, SPAN("/date"))) {
        time_t at = time(NULL) + 100;
        struct tm t;
        gmtime_r(&at, &t);
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &t);
        field.value    = span_of(date);
        a.status       = 429;
        a.header_count = 1;
    } else if (span_ends(h->path, SPAN("/elsewhere"))) {
        field          = (struct http_header){ SPAN("Location"), SPAN("http://127.0.0.1:1/gone") };
        a.status       = 302;
        a.header_count = 1;
    } else if (span_ends(h->path, SPAN("/big"))) {
        a.body = span_from(big, sizeof big);
    } else if (span_ends(h->path, SPAN("/never"))) {
        http_request_free(&r);
        return;
    } else if (span_ends(h->path, SPAN("/headers"))) {
        char *line = big;
        int   n    = snprintf(line, 512, "%.*s|%.*s|%.*s|%.*s|%.*s", SPAN_PRINT(http_request_header(r, SPAN("content-type"))),
                              SPAN_PRINT(http_request_header(r, SPAN("idempotency-key"))),
                              SPAN_PRINT(http_request_header(r, SPAN("expect"))),
                              SPAN_PRINT(http_request_header(r, SPAN("accept-encoding"))),
                              SPAN_PRINT(http_request_header(r, SPAN("content-length"))));
        a.body = span_from(line, (size_t)n);
        http_respond(r, &a);
        memset(line, 0, (size_t)n);
        http_request_free(&r);
        return;
    } else {
        wire_echo(r, arg);
        return;
    }
    http_respond(r, &a);
    http_request_free(&r);
}

static void
test_sends_the_body_and_gets_the_answer(void **state)
{
    struct wire      w;
    struct out       o;
    struct http_call call = post(SPAN("{\"resourceType\":\"Bundle\"}"));
    char             want[128];

    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, script));
    o = reach("http", w.port, configured);
    run(o.peer, &call, 1);
    assert_int_equal(call.status, 200);
    assert_null(call.error);
    assert_true(call.bytes_may_have_left);
    assert_int_equal(call.retry_after_seconds, -1);
    snprintf(want, sizeof want, "POST /fhir ? %zu %016llx", call.body.length, (unsigned long long)span_hash(call.body));
    assert_true(span_starts(buf_span(&call.answer), span_of(want)));
    buf_release(&call.answer);
    leave(&o);
    wire_close(&w);
}

static void
test_sends_headers_as_given_and_none_of_its_own_choosing(void **state)
{
    struct wire        w;
    struct out         o;
    struct http_header headers[] = { { SPAN("Content-Type"), SPAN("application/fhir+json") },
                                     { SPAN("Idempotency-Key"), SPAN("k1") } };
    size_t             size = 1500000;
    char              *body = calloc(1, size);
    struct http_call   call = post(span_from(body, size));
    struct http_limits limits = wire_limits;

    (void)state;
    limits.max_body_bytes = 4 << 20;
    call.path         = SPAN("/headers");
    call.headers      = headers;
    call.header_count = 2;
    assert_true(wire_open(&w, NULL, &limits, script));
    o = reach("http", w.port, configured);
    run(o.peer, &call, 1);
    assert_int_equal(call.status, 200);
    assert_true(span_eq(buf_span(&call.answer), SPAN("application/fhir+json|k1|||1500000")));
    buf_release(&call.answer);
    free(body);
    leave(&o);
    wire_close(&w);
}

static void
test_reuses_a_connection_and_opens_no_more_than_allowed(void **state)
{
    enum { CALLS = 40 };
    struct wire              w;
    struct out               o;
    struct http_call         calls[CALLS];
    struct http_peer_options two = configured;

    (void)state;
    two.max_connections = 2;
    assert_true(wire_open(&w, NULL, &wire_limits, script));
    o = reach("http", w.port, two);
    for (int i = 0; i < CALLS; i++)
        calls[i] = post(SPAN("x"));
    run(o.peer, calls, CALLS);
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(calls[i].status, 200);
        buf_release(&calls[i].answer);
    }
    assert_in_range(http_server_connections(w.server), 1, 2);
    leave(&o);
    wire_close(&w);
    assert_int_equal(w.handled, CALLS);
}

static const struct {
    const char *says;
    struct span path;
    int         status;
    int64_t     least, most;             /* retry_after_seconds */
} answers[] = {
    { "seconds of Retry-After", SPAN("/busy"), 503, 17, 17 },
    { "a date in Retry-After", SPAN("/date"), 429, 98, 100 },
    { "a redirect is not followed", SPAN("/elsewhere"), 302, -1, -1 },
};

static void
test_reads_status_and_retry_after(void **state)
{
    struct wire w;
    struct out  o;

    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, script));
    o = reach("http", w.port, configured);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct http_call call = post(SPAN("x"));
        call.path             = answers[i].path;
        run(o.peer, &call, 1);
        if (call.status != answers[i].status || call.retry_after_seconds < answers[i].least
            || call.retry_after_seconds > answers[i].most)
            fail_msg("%s: %d, %lld", answers[i].says, call.status, (long long)call.retry_after_seconds);
        buf_release(&call.answer);
    }
    leave(&o);
    wire_close(&w);
}

static void
test_keeps_what_was_asked_for_of_a_large_answer_and_its_status(void **state)
{
    struct wire      w;
    struct out       o;
    struct http_call call = post(SPAN("x"));

    (void)state;
    call.path = SPAN("/big");
    assert_true(wire_open(&w, NULL, &wire_limits, script));
    o = reach("http", w.port, configured);
    run(o.peer, &call, 1);
    assert_int_equal(call.status, 200);
    assert_int_equal(call.answer.length, 64 << 10);
    buf_release(&call.answer);
    call.answer_max = 0;
    run(o.peer, &call, 1);
    assert_int_equal(call.status, 200);
    assert_null(call.answer.at);
    leave(&o);
    wire_close(&w);
}

static void
test_says_that_bytes_may_have_left_when_the_peer_goes_without_an_answer(void **state)
{
    struct wire      w;
    struct out       o;
    struct http_call call = post(SPAN("x"));

    (void)state;
    call.path = SPAN("/never");
    assert_true(wire_open(&w, NULL, &wire_limits, script));
    o = reach("http", w.port, configured);
    run(o.peer, &call, 1);
    assert_int_equal(call.status, 0);
    assert_string_equal(call.error, "answer");
    assert_true(call.bytes_may_have_left);
    buf_release(&call.answer);
    leave(&o);
    wire_close(&w);
}

static void
test_asks_before_a_call_goes_and_sends_nothing_of_one_that_may_not(void **state)
{
    struct wire      w;
    struct out       o;
    struct http_call calls[2] = { post(SPAN("one")), post(SPAN("two")) };

    assert_true(wire_open(&w, NULL, &wire_limits, script));
    o               = reach("http", w.port, configured);
    calls[0].may_go = stay;
    run(o.peer, calls, 2);
    assert_int_equal(calls[0].status, 0);
    assert_string_equal(calls[0].error, "withdrawn");
    assert_false(calls[0].bytes_may_have_left);
    assert_int_equal(calls[1].status, 200);
    buf_release(&calls[1].answer);
    leave(&o);
    wire_close(&w);
    (void)state;
}

static void
test_refuses_a_header_with_a_line_break(void **state)
{
    struct wire        w;
    struct out         o;
    struct http_header header = { SPAN("X-Request-Id"), SPAN("a\r\nX-Evil: b") };
    struct http_call   call   = post(SPAN("x"));

    (void)state;
    call.headers      = &header;
    call.header_count = 1;
    assert_true(wire_open(&w, NULL, &wire_limits, script));
    o = reach("http", w.port, configured);
    run(o.peer, &call, 1);
    assert_int_equal(call.status, 0);
    assert_string_equal(call.error, "header");
    assert_false(call.bytes_may_have_left);
    buf_release(&call.answer);
    leave(&o);
    wire_close(&w);
}

/* ---- peers that are not there, or not as they should be ---------------------- */

enum trick { CLOSE_AT_ONCE, HALF_ANSWER, SILENCE, RESET_AFTER_HEAD, NONSENSE };

struct villain {
    enum trick trick;
    int        listener;
    uint16_t   port;
    pthread_t  thread;
};

static void *
misbehave(void *arg)
{
    struct villain *v  = arg;
    int             fd = accept(v->listener, NULL, NULL);
    char            bytes[4096];
    struct linger   now = { 1, 0 };

    if (v->trick != CLOSE_AT_ONCE)
        (void)!recv(fd, bytes, sizeof bytes, 0);
    if (v->trick == HALF_ANSWER)
        wire_send(fd, SPAN("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
    if (v->trick == NONSENSE)
        wire_send(fd, SPAN("SSH-2.0-OpenSSH_9.2\r\n"));
    if (v->trick == RESET_AFTER_HEAD)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    if (v->trick == SILENCE)
        wire_drain(fd, bytes, sizeof bytes, 10000);
    close(fd);
    /* libcurl may try once more on a fresh connection: nobody answers. */
    close(v->listener);
    return NULL;
}

static void
set_villain(struct villain *v, enum trick trick)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t          length = sizeof at;

    *v = (struct villain){ .trick = trick, .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    assert_int_equal(bind(v->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(v->listener, 4), 0);
    getsockname(v->listener, (struct sockaddr *)&at, &length);
    v->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&v->thread, NULL, misbehave, v), 0);
}

static const struct {
    const char *says;
    enum trick  trick;
    const char *error;
} tricks[] = {
    { "closes at once", CLOSE_AT_ONCE, NULL },
    { "sends half an answer", HALF_ANSWER, "answer" },
    { "never answers", SILENCE, "timeout" },
    { "resets after the head", RESET_AFTER_HEAD, NULL },
    { "speaks something else", NONSENSE, NULL },
};

static void
test_has_no_status_from_a_peer_that_does_not_answer_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tricks / sizeof tricks[0]; i++) {
        struct villain           v;
        struct http_peer_options options = configured;
        struct http_call         call    = post(SPAN("some bytes"));
        options.total_seconds = 1;
        set_villain(&v, tricks[i].trick);
        struct out o = reach("http", v.port, options);
        run(o.peer, &call, 1);
        if (call.status != 0 || call.error == NULL || !call.bytes_may_have_left
            || (tricks[i].error != NULL && strcmp(call.error, tricks[i].error) != 0))
            fail_msg("a peer that %s: %d %s %d", tricks[i].says, call.status, call.error, call.bytes_may_have_left);
        buf_release(&call.answer);
        leave(&o);
        pthread_join(v.thread, NULL);
    }
}

static void
test_knows_that_no_byte_left_when_nobody_listens(void **state)
{
    struct http_call call = post(SPAN("x"));
    struct wire      w;

    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    uint16_t port = w.port;
    wire_close(&w);
    struct out o = reach("http", port, configured);
    run(o.peer, &call, 1);
    assert_int_equal(call.status, 0);
    assert_string_equal(call.error, "connect");
    assert_false(call.bytes_may_have_left);
    buf_release(&call.answer);
    leave(&o);
}

static void
test_denies_addresses_that_do_not_come_from_the_configuration(void **state)
{
    static const char *const hosts[] = { "127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433", "0177.0.0.1",
                                         "[::ffff:127.0.0.1]", "0.0.0.0", "127.1" };
    struct wire w;

    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char                     url[128];
        struct http_call         call    = post(SPAN("x"));
        struct http_peer_options options = { .max_connections = 1 };
        snprintf(url, sizeof url, "http://%s:%u/", hosts[i], w.port);
        options.url  = span_of(url);
        struct out o = reach("http", w.port, options);
        run(o.peer, &call, 1);
        if (call.status != 0 || strcmp(call.error, "denied") != 0 || call.bytes_may_have_left)
            fail_msg("%s: %d %s", url, call.status, call.error);
        buf_release(&call.answer);
        leave(&o);
    }
    wire_close(&w);
    assert_int_equal(w.handled, 0);
}

static void
test_speaks_no_other_protocol(void **state)
{
    static const char *const urls[] = { "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "dict://127.0.0.1/" };

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct http_call         call    = post(SPAN("x"));
        struct http_peer_options options = configured;
        options.url  = span_of(urls[i]);
        struct out o = reach("http", 1, options);
        run(o.peer, &call, 1);
        assert_int_equal(call.status, 0);
        assert_string_equal(call.error, "url");
        buf_release(&call.answer);
        leave(&o);
    }
}

/* ---- lifetimes ---------------------------------------------------------------- */

static struct out       *again;
static struct http_call  second;

static void
send_another(struct http_call *call)
{
    assert_int_equal(call->status, 200);
    second = post(SPAN("y"));
    http_call_send(again->peer, &second);
}

static void
free_the_peer(struct http_call *call)
{
    (void)call;
    http_peer_free(&again->peer);
    loop_stop(loop);
}

static void
test_may_send_from_inside_done(void **state)
{
    struct wire      w;
    struct out       o;
    struct http_call call = post(SPAN("x"));

    (void)state;
    call.done = send_another;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    o     = reach("http", w.port, configured);
    again = &o;
    run(o.peer, &call, 1);
    assert_int_equal(second.status, 200);
    buf_release(&call.answer);
    buf_release(&second.answer);
    leave(&o);
    wire_close(&w);
}

static void
test_may_free_the_peer_from_inside_done_and_the_others_are_cancelled(void **state)
{
    struct wire              w;
    struct out               o;
    struct http_peer_options one = configured;
    struct http_call         calls[3];

    (void)state;
    one.max_connections = 1;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    o     = reach("http", w.port, one);
    again = &o;
    for (int i = 0; i < 3; i++)
        calls[i] = post(SPAN("x"));
    calls[0].done = free_the_peer;
    run(o.peer, calls, 3);
    assert_int_equal(calls[0].status, 200);
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            assert_string_equal(calls[i].error, "cancelled");
        buf_release(&calls[i].answer);
    }
    leave(&o);
    wire_close(&w);
}

static void
on_cancelled(struct http_call *call)
{
    assert_string_equal(call->error, "cancelled");
    outstanding--;
}

static void
test_cancels_what_is_out_when_the_client_goes(void **state)
{
    struct wire      w;
    struct out       o;
    struct http_call calls[6];

    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    o           = reach("http", w.port, configured);
    outstanding = 6;
    for (int i = 0; i < 6; i++) {
        calls[i]      = post(SPAN("x"));
        calls[i].done = on_cancelled;
        http_call_send(o.peer, &calls[i]);
    }
    http_client_free(&o.client);
    assert_int_equal(outstanding, 0);
    for (int i = 0; i < 6; i++)
        buf_release(&calls[i].answer);
    loop_free(&loop);
    wire_close(&w);
}

/* ---- TLS ------------------------------------------------------------------------ */

static int
make_certs(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    /* The environment must not matter. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "socks5://127.0.0.1:1", 1);
    certs_open(&certs);
    certs_issue(&certs, "server", "localhost", NULL, "serverAuth", "DNS:localhost,IP:127.0.0.1", 20);
    certs_issue(&certs, "elsewhere", "elsewhere", NULL, "serverAuth", "DNS:elsewhere.example.org", 20);
    certs_issue(&certs, "sluice", "sluice-gateway", NULL, "clientAuth", NULL, 20);
    return 0;
}

static int
drop_certs(void **state)
{
    (void)state;
    certs_close(&certs);
    return 0;
}

static const struct {
    const char *says, *server;
    bool        trust, other_ca, certificate;
    int         status;
    const char *error;
} handshakes[] = {
    { "a certificate of the CA that is configured, with our own shown", "server", true, false, true, 200, NULL },
    { "a CA that is not configured", "server", false, false, true, 0, "tls" },
    { "another CA than the configured one", "server", false, true, true, 0, "tls" },
    { "a certificate for another host", "elsewhere", true, false, true, 0, "tls" },
};

static void
test_trusts_the_configured_ca_and_nothing_beside_it(void **state)
{
    struct certs other;

    (void)state;
    certs_open(&other);
    for (size_t i = 0; i < sizeof handshakes / sizeof handshakes[0]; i++) {
        struct wire              w;
        struct tls_server       *tls;
        struct buf               why;
        struct http_call         call    = post(SPAN("x"));
        struct http_peer_options options = configured;
        char                     pem[64], key[64];
        buf_init(&why, 512);
        snprintf(pem, sizeof pem, "%s.pem", handshakes[i].server);
        snprintf(key, sizeof key, "%s.key", handshakes[i].server);
        assert_int_equal(tls_server_new(certs_path(&certs, pem), certs_path(&certs, key), certs.ca_path, &tls, &why), ST_OK);
        assert_true(wire_open(&w, tls, &wire_limits, NULL));
        if (handshakes[i].trust)
            options.ca = span_of(certs.ca_path);
        if (handshakes[i].other_ca)
            options.ca = span_of(other.ca_path);
        options.certificate = span_of(certs_path(&certs, "sluice.pem"));
        options.key         = span_of(certs_path(&certs, "sluice.key"));
        struct out o = reach("https", w.port, options);
        run(o.peer, &call, 1);
        if (call.status != handshakes[i].status || (call.error != NULL && strcmp(call.error, handshakes[i].error) != 0)
            || call.bytes_may_have_left != (call.status != 0))
            fail_msg("%s: %d %s %d", handshakes[i].says, call.status, call.error, call.bytes_may_have_left);
        if (call.status == 200)
            assert_true(span_find(buf_span(&call.answer), SPAN("[sluice-gateway]")) != SPAN_NOT_FOUND);
        buf_release(&call.answer);
        leave(&o);
        wire_close(&w);
        tls_server_free(&tls);
        buf_release(&why);
    }
    certs_close(&other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sends_the_body_and_gets_the_answer),
        cmocka_unit_test(test_sends_headers_as_given_and_none_of_its_own_choosing),
        cmocka_unit_test(test_reuses_a_connection_and_opens_no_more_than_allowed),
        cmocka_unit_test(test_reads_status_and_retry_after),
        cmocka_unit_test(test_keeps_what_was_asked_for_of_a_large_answer_and_its_status),
        cmocka_unit_test(test_says_that_bytes_may_have_left_when_the_peer_goes_without_an_answer),
        cmocka_unit_test(test_asks_before_a_call_goes_and_sends_nothing_of_one_that_may_not),
        cmocka_unit_test(test_refuses_a_header_with_a_line_break),
        cmocka_unit_test(test_has_no_status_from_a_peer_that_does_not_answer_whole),
        cmocka_unit_test(test_knows_that_no_byte_left_when_nobody_listens),
        cmocka_unit_test(test_denies_addresses_that_do_not_come_from_the_configuration),
        cmocka_unit_test(test_speaks_no_other_protocol),
        cmocka_unit_test(test_may_send_from_inside_done),
        cmocka_unit_test(test_may_free_the_peer_from_inside_done_and_the_others_are_cancelled),
        cmocka_unit_test(test_cancels_what_is_out_when_the_client_goes),
        cmocka_unit_test(test_trusts_the_configured_ca_and_nothing_beside_it),
    };
    return cmocka_run_group_tests(tests, make_certs, drop_certs);
}
