/* tests/fuzz/fuzz_http.c -- bytes on a connection, whole and cut in two.
 *
 * The first two bytes say where to cut; the rest goes to a server on loopback
 * that runs on this thread.  Checked: nothing crashes, both ways give the same
 * answers, a normalised path is normal, and no answer holds a byte that could
 * begin a second one. */
#include <assert.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>

#include "gateway/http/guard.h"
#include "tests/support/wire.h"

#define ANSWERS 65536

static struct wire w;
static struct task stop;

static void
on_stop(struct task *t)
{
    (void)t;
    loop_stop(w.loop);
}

/* One turn of the loop, which never waits: something is always posted. */
static void
turn(void)
{
    stop.run = on_stop;
    loop_post(w.loop, &stop);
    loop_run_here(w.loop);
}

static void
handler(struct http_request *r, void *arg)
{
    struct span path = http_request_head(r)->path;

    assert(path.length > 0);
    assert(path.at[0] == '/' || span_eq(path, SPAN("*")));
    assert(span_find(path, SPAN("//")) == SPAN_NOT_FOUND);
    assert(span_find(path, SPAN("/../")) == SPAN_NOT_FOUND && !span_ends(path, SPAN("/..")));
    for (size_t i = 0; i < path.length; i++)
        assert((unsigned char)path.at[i] >= 0x20 && path.at[i] != '\\');
    wire_echo(r, arg);
}

static size_t
exchange_bytes(struct span first, struct span second, char *out)
{
    const int on     = 1;
    size_t    length = 0;
    int       fd     = wire_connect(w.port);
    bool      over   = false;

    assert(fd >= 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    turn();
    wire_send(fd, first);
    turn();
    wire_send(fd, second);
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 200 && !over; i++) {
        turn();
        for (;;) {
            ssize_t got = recv(fd, out + length, ANSWERS - 1 - length, 0);
            if (got > 0) {
                length += (size_t)got;
                continue;
            }
            over = got == 0 || errno != EAGAIN;
            break;
        }
    }
    assert(over);
    close(fd);
    turn();
    out[length] = 0;
    return length;
}

/* The time of day and the id of a refusal may differ, nothing else. */
static void
without(char *text, const char *field)
{
    for (char *at = text; (at = strstr(at, field)) != NULL;) {
        char *end = strchr(at, '\r');
        if (end == NULL)
            return;
        memmove(at, end, strlen(end) + 1);
    }
}

static void
check_guard(struct span bytes, size_t cut)
{
    struct guard_scan    whole = { 0 }, halves = { 0 };
    struct guard_refusal why_whole = { 0 }, why_halves = { 0 };
    size_t               length_whole = 0, length_halves = 0;

    enum guard_progress one = guard_scan(&whole, bytes, &length_whole, &why_whole);
    enum guard_progress two = guard_scan(&halves, span_first(bytes, cut), &length_halves, &why_halves);
    if (two == GUARD_MORE)
        two = guard_scan(&halves, bytes, &length_halves, &why_halves);
    assert(one == two && length_whole == length_halves && why_whole.status == why_halves.status);

    struct guard_chunks a, b;
    size_t taken_a = 0, taken_b = 0, more = 0;
    guard_chunks_init(&a, 100000);
    guard_chunks_init(&b, 100000);
    one = guard_chunks(&a, bytes, &taken_a, &why_whole);
    two = guard_chunks(&b, span_first(bytes, cut), &taken_b, &why_halves);
    if (two == GUARD_MORE) {
        two = guard_chunks(&b, span_skip(bytes, cut), &more, &why_halves);
        taken_b += more;
    }
    assert(one == two && taken_a == taken_b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char whole[ANSWERS], halves[ANSWERS];

    if (w.loop == NULL) {
        signal(SIGPIPE, SIG_IGN);
        w.loop   = loop_new(0);
        w.server = http_server_new(w.loop, "127.0.0.1", 0, NULL, &wire_limits, handler, &w);
        assert(w.server != NULL);
        w.port = http_server_port(w.server);
    }
    if (size < 2 || size > 40000)
        return 0;
    struct span bytes = span_from(data + 2, size - 2);
    size_t      cut   = ((size_t)data[0] << 8 | data[1]) % (bytes.length + 1);
    check_guard(bytes, cut);
    exchange_bytes(bytes, SPAN(""), whole);
    exchange_bytes(span_first(bytes, cut), span_skip(bytes, cut), halves);
    for (int i = 0; i < 2; i++) {
        char *text = i == 0 ? whole : halves;
        without(text, "Date: ");
        without(text, "X-Request-Id: ");
    }
    assert(strcmp(whole, halves) == 0);
    return 0;
}
