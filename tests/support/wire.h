/* tests/support/wire.h -- a server on its own loop and a blocking client, for
 * tests of gateway/http.
 *
 * The server's handler answers 200 with one line that says what it was given:
 *     METHOD path ?query body-length body-hash cn
 */
#ifndef SLUICE_TESTS_SUPPORT_WIRE_H
#define SLUICE_TESTS_SUPPORT_WIRE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gateway/http/server.h"

#define UNUSED __attribute__((unused))

struct wire {
    struct loop        *loop;
    struct http_server *server;
    struct tls_server  *tls;
    uint16_t            port;
    uint32_t            handled;         /* on the loop's thread */
};

static const struct http_limits wire_limits UNUSED = {
    .max_body_bytes = 1 << 20, .head_seconds = 10, .body_grace_seconds = 5, .body_bytes_per_second = 1024,
    .idle_seconds = 60,
};

UNUSED static void
wire_echo(struct http_request *r, void *arg)
{
    const struct http_head *h = http_request_head(r);
    struct wire            *w = arg;
    char                    line[1024];
    bool                    slack = true;

    w->handled++;
    for (int i = 0; i < 64; i++)
        slack &= h->body.at[h->body.length + (size_t)i] == 0;
    int length = snprintf(line, sizeof line, "%.*s %.*s ?%.*s %zu %016llx [%.*s]%s\n", SPAN_PRINT(h->method),
                          SPAN_PRINT(h->path), SPAN_PRINT(h->query), h->body.length,
                          (unsigned long long)span_hash(h->body), SPAN_PRINT(h->client_cn),
                          slack ? "" : " NO-SLACK");
    struct http_answer answer = { .status = 200, .content_type = SPAN("text/plain"),
                                  .body = span_from(line, (size_t)length) };
    http_respond(r, &answer);
    http_request_free(&r);
}

/* Starts the loop's thread.  `handler` NULL: wire_echo. */
UNUSED static bool
wire_open(struct wire *w, struct tls_server *tls, const struct http_limits *limits, http_handler *handler)
{
    *w        = (struct wire){ .tls = tls };
    w->loop   = loop_new(0);
    w->server = http_server_new(w->loop, "127.0.0.1", 0, tls, limits, handler != NULL ? handler : wire_echo, w);
    if (w->server == NULL)
        return false;
    w->port = http_server_port(w->server);
    return loop_start(w->loop) == ST_OK;
}

UNUSED static void
wire_close(struct wire *w)
{
    loop_stop(w->loop);
    http_server_free(&w->server);
    loop_free(&w->loop);
}

UNUSED static int
wire_connect(uint16_t port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

UNUSED static bool
wire_send(int fd, struct span bytes)
{
    while (bytes.length > 0) {
        ssize_t put = send(fd, bytes.at, bytes.length, MSG_NOSIGNAL);
        if (put <= 0)
            return false;
        bytes = span_skip(bytes, (size_t)put);
    }
    return true;
}

/* Everything until the peer closes, or `most_ms` pass without a byte. */
UNUSED static size_t
wire_drain(int fd, char *out, size_t room, int most_ms)
{
    size_t        length = 0;
    struct pollfd p      = { .fd = fd, .events = POLLIN };

    while (length + 1 < room && poll(&p, 1, most_ms) > 0) {
        ssize_t got = recv(fd, out + length, room - 1 - length, 0);
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    out[length] = 0;
    return length;
}

/* Reads `count` whole answers with Content-Length; false when they do not come. */
UNUSED static bool
wire_answers(int fd, char *out, size_t room, unsigned count)
{
    size_t        length = 0, from = 0;
    struct pollfd p      = { .fd = fd, .events = POLLIN };

    out[0] = 0;
    while (count > 0) {
        char *end = strstr(out + from, "\r\n\r\n");
        char *cl  = end != NULL ? strcasestr(out + from, "content-length:") : NULL;
        if (end != NULL) {
            size_t body = cl != NULL && cl < end ? strtoul(cl + 15, NULL, 10) : 0;
            size_t need = (size_t)(end + 4 - out) + body;
            if (length >= need) {
                from = need;
                count--;
                continue;
            }
        }
        if (poll(&p, 1, 5000) <= 0)
            return false;
        ssize_t got = recv(fd, out + length, room - 1 - length, 0);
        if (got <= 0)
            return false;
        length += (size_t)got;
        out[length] = 0;
    }
    return true;
}

UNUSED static int64_t
wire_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
