/* gateway/http/server over plain TCP: what surrounds the framing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <zlib.h>

#include "gateway/http/census.h"
#include "tests/support/wire.h"

#define H "Host: a\r\n"

static struct wire w;
static char        got[1 << 20];

static void
send_all(int fd, const char *text)
{
    assert_true(wire_send(fd, span_of(text)));
}

/* ---- answers ------------------------------------------------------------------ */

static void
test_answers_a_request_and_keeps_the_connection(void **state)
{
    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    int fd = wire_connect(w.port);
    for (int i = 0; i < 3; i++) {
        send_all(fd, "POST /fhir/Patient?x=y HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello");
        assert_true(wire_answers(fd, got, sizeof got, 1));
        assert_non_null(strstr(got, "HTTP/1.1 200 OK\r\n"));
        assert_non_null(strstr(got, "\r\nDate: "));
        assert_non_null(strstr(got, " GMT\r\n"));
        assert_non_null(strstr(got, "\r\nContent-Type: text/plain\r\n"));
        assert_non_null(strstr(got, "POST /fhir/Patient ?x=y 5 "));
        assert_null(strstr(got, "Connection:"));
        assert_null(strstr(got, "NO-SLACK"));
    }
    close(fd);
    wire_close(&w);
}

static void
test_answers_HEAD_without_a_body_and_with_its_length(void **state)
{
    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    int fd = wire_connect(w.port);
    send_all(fd, "HEAD /x HTTP/1.1\r\n" H "\r\nGET /y HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
    wire_drain(fd, got, sizeof got, 3000);
    char *end = strstr(got, "\r\n\r\n");
    assert_non_null(end);
    assert_non_null(strstr(got, "Content-Length: "));
    assert_null(strstr(got, "HEAD /x"));
    assert_memory_equal(end + 4, "HTTP/1.1 200 OK", 15);
    close(fd);
    wire_close(&w);
}

static void
odd_answer(struct http_request *r, void *arg)
{
    const struct http_header fields[] = {
        { SPAN("X-Good"), SPAN("yes") },
        { SPAN("X-Evil"), SPAN("a\r\nSet-Cookie: b") },
        { SPAN("X-Evil\r\nX-Worse"), SPAN("c") },
    };
    struct http_answer a = { .status = 204, .headers = fields, .header_count = 3 };

    (void)arg;
    assert_true(span_eq(http_request_header(r, SPAN("x-ask")), SPAN("first")));
    assert_true(span_empty(http_request_header(r, SPAN("x-none"))));
    http_respond(r, &a);
    http_request_free(&r);
}

static void
test_leaves_out_a_field_that_would_break_the_line(void **state)
{
    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, odd_answer));
    int fd = wire_connect(w.port);
    send_all(fd, "GET /x HTTP/1.1\r\n" H "X-Ask: first\r\nX-ASK: second\r\nConnection: close\r\n\r\n");
    wire_drain(fd, got, sizeof got, 3000);
    assert_non_null(strstr(got, "HTTP/1.1 204 No Content\r\n"));
    assert_non_null(strstr(got, "X-Good: yes\r\n"));
    assert_null(strstr(got, "Cookie"));
    assert_null(strstr(got, "Worse"));
    assert_null(strstr(got, "Content-Length"));
    close(fd);
    wire_close(&w);
}

static char *large;
#define LARGE ((size_t)6 << 20)

static void
large_answer(struct http_request *r, void *arg)
{
    struct http_answer a = { .status = 200, .content_type = SPAN("text/plain"), .body = span_from(large, LARGE) };

    (void)arg;
    http_respond(r, &a);
    memset(large, '?', LARGE);           /* what could not be written at once was copied */
    http_request_free(&r);
}

static void
test_writes_a_large_answer_to_a_slow_reader(void **state)
{
    size_t total = 0;
    bool   right = true;

    (void)state;
    large = malloc(LARGE);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (char)('a' + i % 26);
    assert_true(wire_open(&w, NULL, &wire_limits, large_answer));
    int fd = wire_connect(w.port);
    send_all(fd, "GET /x HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
    usleep(50000);
    size_t  head   = 0;
    ssize_t length = recv(fd, got, 4096, 0);
    assert_true(length > 0);
    char *end = memmem(got, (size_t)length, "\r\n\r\n", 4);
    assert_non_null(end);
    head = (size_t)(end + 4 - got);
    for (;;) {
        for (ssize_t i = (ssize_t)head; i < length; i++)
            right &= got[i] == (char)('a' + total++ % 26);
        head = 0;
        usleep(200);
        length = recv(fd, got, 65536, 0);
        if (length <= 0)
            break;
    }
    assert_int_equal(total, LARGE);
    assert_true(right);
    close(fd);
    wire_close(&w);
    free(large);
}

/* ---- Expect -------------------------------------------------------------------- */

static void
test_says_continue_and_then_takes_the_body(void **state)
{
    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    int fd = wire_connect(w.port);
    send_all(fd, "POST /x HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n");
    assert_true(wire_answers(fd, got, sizeof got, 1));
    assert_string_equal(got, "HTTP/1.1 100 Continue\r\n\r\n");
    send_all(fd, "abc");
    assert_true(wire_answers(fd, got, sizeof got, 1));
    assert_non_null(strstr(got, "POST /x ? 3"));
    /* No 100 when the body is there already. */
    send_all(fd, "POST /x HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
    assert_true(wire_answers(fd, got, sizeof got, 1));
    assert_memory_equal(got, "HTTP/1.1 200", 12);
    close(fd);
    wire_close(&w);
}

static void
test_refuses_an_announced_body_before_it_is_read_and_lets_the_client_hear_it(void **state)
{
    char *body = calloc(1, 4 << 20);

    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    int fd = wire_connect(w.port);
    send_all(fd, "POST /x HTTP/1.1\r\n" H "x-request-ID:  ask-1 \r\nContent-Length: 4194304\r\n\r\n");
    /* A client that sends all before it listens must not be reset meanwhile. */
    assert_true(wire_send(fd, span_from(body, 4 << 20)));
    wire_drain(fd, got, sizeof got, 3000);
    assert_non_null(strstr(got, "HTTP/1.1 413 "));
    assert_non_null(strstr(got, "Connection: close\r\n"));
    assert_non_null(strstr(got, "\"http.Content-Length\""));
    assert_non_null(strstr(got, "\r\nX-Request-Id: ask-1\r\n"));
    close(fd);
    wire_close(&w);
    free(body);
}

/* One that could not be told from markup is not echoed; each gets one made. */
static void
test_every_refusal_can_be_found_again_by_its_request_id(void **state)
{
    static const char *const heads[] = {
        "GET /x HTTP/1.1\r\nX-Request-Id: <b>\r\n\r\n", "nonsense\r\n\r\n", "FOO /x HTTP/1.1\r\n" H "\r\n",
    };

    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        int fd = wire_connect(w.port);
        send_all(fd, heads[i]);
        wire_drain(fd, got, sizeof got, 3000);
        const char *id = strstr(got, "\r\nX-Request-Id: ");
        assert_non_null(id);
        assert_int_equal(strcspn(id + strlen("\r\nX-Request-Id: "), "\r"), 36);
        assert_null(strstr(got, "<b>"));
        close(fd);
    }
    wire_close(&w);
}

/* ---- gzip ----------------------------------------------------------------------- */

static size_t
pack(const void *in, size_t length, char *out, size_t room)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)length, .next_out = (Bytef *)out, .avail_out = (uInt)room };

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static void
post_packed(const char *body, size_t length, const char *want)
{
    char head[256];
    int  fd = wire_connect(w.port);

    snprintf(head, sizeof head, "POST /x HTTP/1.1\r\n" H "Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", length);
    send_all(fd, head);
    assert_true(wire_send(fd, span_from(body, length)));
    wire_drain(fd, got, sizeof got, 3000);
    if (strstr(got, want) == NULL)
        fail_msg("want %s, have %s", want, got);
    assert_null(strstr(got, "NO-SLACK"));
    close(fd);
}

static void
test_unpacks_gzip_within_the_limit(void **state)
{
    static char packed[1 << 20];
    char       *plain = calloc(1, 64 << 20);
    char        want[128];

    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    for (int i = 0; i < 300000; i++)
        plain[i] = (char)("0123456789abcdef"[(i * 7 + i / 13) & 15]);
    size_t length = pack(plain, 300000, packed, sizeof packed);
    snprintf(want, sizeof want, "POST /x ? 300000 %016llx", (unsigned long long)span_hash(span_from(plain, 300000)));
    post_packed(packed, length, want);
    /* Breaks off; is followed by something; is not gzip at all; is empty. */
    post_packed(packed, length - 1, "HTTP/1.1 400 ");
    memcpy(packed + length, "x", 1);
    post_packed(packed, length + 1, "HTTP/1.1 400 ");
    post_packed("{\"resourceType\":\"Bundle\"}", 25, "HTTP/1.1 400 ");
    post_packed("", 0, "POST /x ? 0 ");
    /* Two members are one body (RFC 1952 2.2). */
    length  = pack(plain, 1000, packed, sizeof packed);
    length += pack(plain + 1000, 1000, packed + length, sizeof packed - length);
    snprintf(want, sizeof want, "POST /x ? 2000 %016llx", (unsigned long long)span_hash(span_from(plain, 2000)));
    post_packed(packed, length, want);
    /* The limit itself, one byte more, and a bomb. */
    memset(plain, 0, 64 << 20);
    length = pack(plain, 1 << 20, packed, sizeof packed);
    post_packed(packed, length, "POST /x ? 1048576 ");
    length = pack(plain, (1 << 20) + 1, packed, sizeof packed);
    post_packed(packed, length, "HTTP/1.1 413 ");
    length = pack(plain, 64 << 20, packed, sizeof packed);
    post_packed(packed, length, "HTTP/1.1 413 ");
    free(plain);
    wire_close(&w);
}

/* ---- answers that come later, and peers that go --------------------------------- */

static struct http_request *_Atomic held[64];
static atomic_int           held_count;
static struct task          release;

static void
hold(struct http_request *r, void *arg)
{
    (void)arg;
    held[held_count] = r;
    held_count++;
}

static void
answer_held(struct task *task)
{
    (void)task;
    for (int i = 0; i < held_count; i++) {
        if (held[i] != NULL)
            wire_echo(held[i], &w);
        held[i] = NULL;
    }
    held_count = 0;
}

static void
wait_for_held(int count)
{
    for (int i = 0; i < 2000 && held_count < count; i++)
        usleep(1000);
    assert_int_equal(held_count, count);
}

static void
test_answers_later_and_handles_one_request_of_a_connection_at_a_time(void **state)
{
    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, hold));
    int fd = wire_connect(w.port);
    send_all(fd, "GET /1 HTTP/1.1\r\n" H "\r\nGET /2 HTTP/1.1\r\n" H "\r\n");
    wait_for_held(1);
    send_all(fd, "GET /3 HTTP/1.1\r\n" H "\r\n");
    usleep(20000);
    assert_int_equal(held_count, 1);
    release.run = answer_held;
    for (int i = 0; i < 3; i++) {
        wait_for_held(1);
        loop_post(w.loop, &release);
        assert_true(wire_answers(fd, got, sizeof got, 1));
        char want[8] = "GET /1 ";
        want[5] = (char)('1' + i);
        assert_non_null(strstr(got, want));
    }
    close(fd);
    wire_close(&w);
}

static void
reset(int fd)
{
    const struct linger now = { 1, 0 };

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

static void
test_drops_the_answer_when_the_peer_has_gone(void **state)
{
    (void)state;
    held_count = 0;
    assert_true(wire_open(&w, NULL, &wire_limits, hold));
    for (int i = 0; i < 8; i++) {
        int fd = wire_connect(w.port);
        send_all(fd, "POST /x HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc");
        wait_for_held(i + 1);
        if (i % 2 == 0)
            reset(fd);
        else
            close(fd);
    }
    usleep(5000);
    release.run = answer_held;
    loop_post(w.loop, &release);
    while (held_count > 0)
        usleep(1000);
    /* The server lives on. */
    int fd = wire_connect(w.port);
    send_all(fd, "GET /after HTTP/1.1\r\n" H "\r\n");
    wait_for_held(1);
    loop_post(w.loop, &release);
    assert_true(wire_answers(fd, got, sizeof got, 1));
    close(fd);
    wire_close(&w);
}

static void
test_survives_a_peer_that_goes_at_any_byte(void **state)
{
    static const char text[] = "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";

    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    for (size_t cut = 0; cut < sizeof text; cut++) {
        for (int how = 0; how < 3; how++) {
            int fd = wire_connect(w.port);
            wire_send(fd, span_from(text, cut));
            usleep(30);
            if (how == 0)
                reset(fd);
            else if (how == 1)
                close(fd);
            else {
                shutdown(fd, SHUT_WR);   /* half-closed: a whole request is still answered */
                wire_drain(fd, got, sizeof got, 3000);
                assert_int_equal(strstr(got, "200 OK") != NULL, cut == sizeof text - 1);
                close(fd);
            }
        }
    }
    int fd = wire_connect(w.port);
    send_all(fd, "GET /after HTTP/1.1\r\n" H "\r\n");
    assert_true(wire_answers(fd, got, sizeof got, 1));
    close(fd);
    wire_close(&w);
}

static void
drop(struct http_request *r, void *arg)
{
    (void)arg;
    http_request_free(&r);
}

static void
test_closes_when_the_handler_frees_without_an_answer(void **state)
{
    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, drop));
    int fd = wire_connect(w.port);
    send_all(fd, "GET /x HTTP/1.1\r\n" H "\r\n");
    assert_int_equal(wire_drain(fd, got, sizeof got, 3000), 0);
    close(fd);
    wire_close(&w);
}

static void
test_lets_a_request_outlive_its_server(void **state)
{
    (void)state;
    held_count = 0;
    assert_true(wire_open(&w, NULL, &wire_limits, hold));
    int fd = wire_connect(w.port);
    send_all(fd, "POST /x HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc");
    wait_for_held(1);
    loop_stop(w.loop);
    http_server_free(&w.server);
    assert_true(span_eq(http_request_head(held[0])->body, SPAN("abc")));
    wire_echo(held[0], &w);              /* the answer goes nowhere */
    loop_free(&w.loop);
    close(fd);
}

/* ---- patience ---------------------------------------------------------------------- */

static int64_t
until_closed(int fd, const char *trickle, int every_ms)
{
    int64_t begun  = wire_now_ms();
    size_t  length = 0;

    while (wire_now_ms() - begun < 8000) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (poll(&p, 1, every_ms) > 0) {
            ssize_t more = recv(fd, got + length, 4096, 0);
            if (more <= 0)
                break;
            length += (size_t)more;
        } else if (trickle != NULL) {
            wire_send(fd, span_of(trickle));
        }
    }
    got[length] = 0;
    return wire_now_ms() - begun;
}

static const struct http_limits hasty = {
    .max_body_bytes = 8 << 20, .head_seconds = 1, .body_grace_seconds = 1, .body_bytes_per_second = 1024, .idle_seconds = 1,
};

static void
test_gives_a_head_so_much_time_and_no_more_however_it_trickles(void **state)
{
    (void)state;
    assert_true(wire_open(&w, NULL, &hasty, NULL));
    int fd = wire_connect(w.port);
    send_all(fd, "GET /x HTTP/1.1\r\n");
    assert_in_range(until_closed(fd, "X: y\r\n", 50), 900, 1700);
    assert_non_null(strstr(got, "HTTP/1.1 408 "));
    assert_non_null(strstr(got, "OperationOutcome"));
    close(fd);
    /* Nothing at all: closed without a word. */
    fd = wire_connect(w.port);
    assert_in_range(until_closed(fd, NULL, 50), 900, 1700);
    assert_string_equal(got, "");
    close(fd);
    wire_close(&w);
}

static void
test_gives_the_next_head_the_same_time_and_closes_an_idle_connection(void **state)
{
    struct http_limits limits = hasty;

    (void)state;
    limits.idle_seconds = 2;
    assert_true(wire_open(&w, NULL, &limits, NULL));
    int fd = wire_connect(w.port);
    send_all(fd, "GET /x HTTP/1.1\r\n" H "\r\n");
    assert_true(wire_answers(fd, got, sizeof got, 1));
    assert_in_range(until_closed(fd, NULL, 50), 1900, 2700);
    assert_string_equal(got, "");
    close(fd);
    fd = wire_connect(w.port);
    send_all(fd, "GET /x HTTP/1.1\r\n" H "\r\n");
    assert_true(wire_answers(fd, got, sizeof got, 1));
    send_all(fd, "GET");
    assert_in_range(until_closed(fd, NULL, 50), 900, 1700);
    assert_non_null(strstr(got, "HTTP/1.1 408 "));
    close(fd);
    wire_close(&w);
}

static void
test_wants_a_kibibyte_a_second_of_a_body(void **state)
{
    static char kilobyte[1100];

    (void)state;
    memset(kilobyte, 'k', sizeof kilobyte - 1);
    assert_true(wire_open(&w, NULL, &hasty, NULL));
    /* 20 bytes in 50 ms: 400 bytes a second. */
    int fd = wire_connect(w.port);
    send_all(fd, "POST /x HTTP/1.1\r\n" H "Content-Length: 100000\r\n\r\n");
    assert_in_range(until_closed(fd, "aaaaaaaaaaaaaaaaaaaa", 50), 1000, 3000);
    assert_non_null(strstr(got, "HTTP/1.1 408 "));
    close(fd);
    /* Chunked, and nothing comes. */
    fd = wire_connect(w.port);
    send_all(fd, "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\r\nab");
    assert_in_range(until_closed(fd, NULL, 50), 900, 1700);
    assert_non_null(strstr(got, "HTTP/1.1 408 "));
    close(fd);
    /* Two kilobytes a second are fast enough, for as long as they come. */
    fd = wire_connect(w.port);
    send_all(fd, "POST /x HTTP/1.1\r\n" H "Connection: close\r\nContent-Length: 6594\r\n\r\n");
    for (int i = 0; i < 6; i++) {
        send_all(fd, kilobyte);
        usleep(500000);
    }
    wire_drain(fd, got, sizeof got, 3000);
    assert_non_null(strstr(got, "POST /x ? 6594 "));
    close(fd);
    wire_close(&w);
}

static void
test_does_not_wait_for_a_reader_that_does_not_read(void **state)
{
    (void)state;
    large = calloc(1, LARGE);
    assert_true(wire_open(&w, NULL, &hasty, large_answer));
    int fd = wire_connect(w.port);
    send_all(fd, "GET /x HTTP/1.1\r\n" H "\r\n");
    /* What the kernel took earned it up to 30 s of patience; closing our side
     * first is what a test can wait for: the server must let go at once. */
    usleep(100000);
    reset(fd);
    int64_t begun = wire_now_ms();
    while (http_server_connections(w.server) > 0 && wire_now_ms() - begun < 3000)
        usleep(10000);
    assert_int_equal(http_server_connections(w.server), 0);
    wire_close(&w);
    free(large);
}

/* ---- crowds -------------------------------------------------------------------------- */

static void
test_turns_away_what_is_over_the_limits(void **state)
{
    struct http_limits limits = wire_limits;
    int                fds[12];

    (void)state;
    limits.max_connections            = 10;
    limits.max_connections_per_client = 6;
    assert_true(wire_open(&w, NULL, &limits, NULL));
    for (int i = 0; i < 12; i++) {
        fds[i] = wire_connect(w.port);
        send_all(fds[i], "GET /x HTTP/1.1\r\n" H "\r\n");
        if (i < 10)
            wire_answers(fds[i], got, sizeof got, 1);
        else
            wire_drain(fds[i], got, sizeof got, 2000);
        if (i < 6) {
            assert_non_null(strstr(got, "HTTP/1.1 200 "));
        } else if (i < 10) {
            assert_non_null(strstr(got, "HTTP/1.1 429 "));
            assert_non_null(strstr(got, "Retry-After: 1\r\n"));
        } else {
            assert_string_equal(got, "");
        }
    }
    for (int i = 0; i < 12; i++)
        close(fds[i]);
    /* And lets in again. */
    for (int i = 0; i < 100 && http_server_connections(w.server) > 0; i++)
        usleep(10000);
    int fd = wire_connect(w.port);
    send_all(fd, "GET /x HTTP/1.1\r\n" H "\r\n");
    assert_true(wire_answers(fd, got, sizeof got, 1));
    assert_non_null(strstr(got, "HTTP/1.1 200 "));
    close(fd);
    wire_close(&w);
}

static void
test_counts_the_clients_of_all_listeners_together(void **state)
{
    struct http_census *census = http_census_new(4, 2);
    struct sockaddr_in  a      = { .sin_family = AF_INET, .sin_addr = { htonl(0x0a000001) } };
    struct sockaddr_in  b      = { .sin_family = AF_INET, .sin_addr = { htonl(0x0a000002) } };
    struct sockaddr_in6 six    = { .sin6_family = AF_INET6 };

    (void)state;
    assert_int_equal(http_census_enter(census, (struct sockaddr *)&a), CENSUS_WELCOME);
    assert_int_equal(http_census_enter(census, (struct sockaddr *)&a), CENSUS_WELCOME);
    assert_int_equal(http_census_enter(census, (struct sockaddr *)&a), CENSUS_CROWDED);
    assert_int_equal(http_census_enter(census, (struct sockaddr *)&b), CENSUS_WELCOME);
    assert_int_equal(http_census_enter(census, (struct sockaddr *)&b), CENSUS_FULL);
    http_census_leave(census, (struct sockaddr *)&a);
    assert_int_equal(http_census_enter(census, (struct sockaddr *)&b), CENSUS_WELCOME);
    http_census_leave(census, (struct sockaddr *)&a);
    http_census_leave(census, (struct sockaddr *)&a);
    /* Two addresses of one /64 are one client. */
    inet_pton(AF_INET6, "2001:db8:1:2::1", &six.sin6_addr);
    assert_int_equal(http_census_enter(census, (struct sockaddr *)&six), CENSUS_WELCOME);
    inet_pton(AF_INET6, "2001:db8:1:2::2", &six.sin6_addr);
    assert_int_equal(http_census_enter(census, (struct sockaddr *)&six), CENSUS_WELCOME);
    http_census_leave(census, (struct sockaddr *)&six);
    http_census_leave(census, (struct sockaddr *)&b);
    inet_pton(AF_INET6, "2001:db8:1:2::3", &six.sin6_addr);
    assert_int_equal(http_census_enter(census, (struct sockaddr *)&six), CENSUS_WELCOME);
    assert_int_equal(http_census_enter(census, (struct sockaddr *)&six), CENSUS_CROWDED);
    http_census_free(&census);
}

/* ---- the end --------------------------------------------------------------------------- */

static void
drain(struct task *task)
{
    (void)task;
    http_server_drain(w.server);
}

static void
test_drains_gracefully(void **state)
{
    struct task draining = { .run = drain };

    (void)state;
    held_count = 0;
    assert_true(wire_open(&w, NULL, &wire_limits, hold));
    int idle = wire_connect(w.port), busy = wire_connect(w.port);
    send_all(idle, "GET /idle HTTP/1.1\r\n" H "\r\n");
    wait_for_held(1);
    release.run = answer_held;
    loop_post(w.loop, &release);
    assert_true(wire_answers(idle, got, sizeof got, 1));
    send_all(busy, "GET /busy HTTP/1.1\r\n" H "\r\n");
    wait_for_held(1);
    loop_post(w.loop, &draining);
    /* The idle one is closed, the busy one gets its answer and is closed then. */
    assert_int_equal(wire_drain(idle, got, sizeof got, 3000), 0);
    loop_post(w.loop, &release);
    wire_drain(busy, got, sizeof got, 3000);
    assert_non_null(strstr(got, "GET /busy"));
    assert_non_null(strstr(got, "Connection: close\r\n"));
    /* Nobody new comes in. */
    assert_int_equal(wire_connect(w.port), -1);
    close(idle);
    close(busy);
    for (int i = 0; i < 300 && http_server_connections(w.server) > 0; i++)
        usleep(10000);
    assert_int_equal(http_server_connections(w.server), 0);
    wire_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_a_request_and_keeps_the_connection),
        cmocka_unit_test(test_answers_HEAD_without_a_body_and_with_its_length),
        cmocka_unit_test(test_leaves_out_a_field_that_would_break_the_line),
        cmocka_unit_test(test_writes_a_large_answer_to_a_slow_reader),
        cmocka_unit_test(test_says_continue_and_then_takes_the_body),
        cmocka_unit_test(test_refuses_an_announced_body_before_it_is_read_and_lets_the_client_hear_it),
        cmocka_unit_test(test_every_refusal_can_be_found_again_by_its_request_id),
        cmocka_unit_test(test_unpacks_gzip_within_the_limit),
        cmocka_unit_test(test_answers_later_and_handles_one_request_of_a_connection_at_a_time),
        cmocka_unit_test(test_drops_the_answer_when_the_peer_has_gone),
        cmocka_unit_test(test_survives_a_peer_that_goes_at_any_byte),
        cmocka_unit_test(test_closes_when_the_handler_frees_without_an_answer),
        cmocka_unit_test(test_lets_a_request_outlive_its_server),
        cmocka_unit_test(test_gives_a_head_so_much_time_and_no_more_however_it_trickles),
        cmocka_unit_test(test_gives_the_next_head_the_same_time_and_closes_an_idle_connection),
        cmocka_unit_test(test_wants_a_kibibyte_a_second_of_a_body),
        cmocka_unit_test(test_does_not_wait_for_a_reader_that_does_not_read),
        cmocka_unit_test(test_turns_away_what_is_over_the_limits),
        cmocka_unit_test(test_counts_the_clients_of_all_listeners_together),
        cmocka_unit_test(test_drains_gracefully),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
