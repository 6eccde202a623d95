/* tests/bench/gateway_load.c -- a closed-loop load client over TLS or TCP.
 *
 * Every connection posts, waits for the answer, posts again.  The body is a
 * file in which every MARKER is replaced by a number of its own for each
 * request, so that no two requests are the same.  Says "ready" when all
 * connections stand, begins at a line on stdin, ends with a line of JSON. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define MARKER        "BENCHID00000"
#define MARKER_LENGTH 12
#define MAX_MARKERS   200000
#define ROOM          16384

struct line {
    int      fd;
    SSL     *ssl;
    char    *message;                    /* head and body */
    size_t   sent, head_length;
    char     answer[ROOM];
    size_t   answered, expected;         /* expected 0: the head is not whole yet */
    size_t   skipped;                    /* of an answer that is longer than ROOM */
    int64_t  begun_ns;
    uint32_t wanted;                     /* epoll events */
    bool     handshaking;
};

static struct {
    uint16_t    port;
    const char *path, *file, *ca, *certificate, *key, *first;
    int         connections, seconds;
    long        warmup, requests;
    bool        hold;
} options = { .path = "/fhir", .connections = 32, .seconds = 0, .requests = 1000, .first = "0" };

static char    *body;
static size_t   body_length, *markers, marker_count, message_length;
static uint64_t serial;
static int      epoll;
static SSL_CTX *context;
static int64_t *latencies;
static long     started, finished, statuses[600];
static char     failure[512];

static int64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

static void
read_body(void)
{
    FILE *f = fopen(options.file, "rb");

    if (f == NULL)
        die(options.file);
    fseek(f, 0, SEEK_END);
    body_length = (size_t)ftell(f);
    rewind(f);
    body    = malloc(body_length + 1);
    markers = malloc(MAX_MARKERS * sizeof *markers);
    if (body == NULL || markers == NULL || fread(body, 1, body_length, f) != body_length)
        die("read");
    fclose(f);
    body[body_length] = 0;
    for (char *at = body; (at = memmem(at, body_length - (size_t)(at - body), MARKER, MARKER_LENGTH)) != NULL; at += MARKER_LENGTH) {
        if (marker_count == MAX_MARKERS)
            die("too many markers");
        markers[marker_count++] = (size_t)(at - body);
    }
}

static void
want(struct line *l, uint32_t events)
{
    struct epoll_event e = { .events = events, .data = { .ptr = l } };

    if (l->wanted != events && epoll_ctl(epoll, l->wanted == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, l->fd, &e) != 0)
        die("epoll_ctl");
    l->wanted = events;
}

static void
connect_line(struct line *l)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(options.port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
    const int          on = 1;
    char               head[512];

    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("connect");
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (context != NULL) {
        /* The handshake blocks: it is not what is measured. */
        l->ssl = SSL_new(context);
        SSL_set_fd(l->ssl, l->fd);
        if (SSL_connect(l->ssl) != 1) {
            fprintf(stderr, "TLS handshake failed\n");
            exit(1);
        }
    }
    fcntl(l->fd, F_SETFL, O_NONBLOCK);
    int n = snprintf(head, sizeof head,
                     "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/fhir+json\r\n"
                     "Accept: application/fhir+json\r\nContent-Length: %zu\r\n\r\n",
                     options.path, body_length);
    l->head_length = (size_t)n;
    l->message     = malloc(l->head_length + body_length);
    if (l->message == NULL)
        die("malloc");
    memcpy(l->message, head, l->head_length);
    memcpy(l->message + l->head_length, body, body_length);
    message_length = l->head_length + body_length;
}

static void
begin(struct line *l)
{
    char number[MARKER_LENGTH + 1];

    snprintf(number, sizeof number, "%s%0*llu", options.first, (int)(MARKER_LENGTH - strlen(options.first)), (unsigned long long)serial++);
    for (size_t i = 0; i < marker_count; i++)
        memcpy(l->message + l->head_length + markers[i], number, MARKER_LENGTH);
    l->sent     = 0;
    l->answered = l->expected = l->skipped = 0;
    l->begun_ns = now_ns();
    started++;
}

static ssize_t
put(struct line *l)
{
    size_t length = message_length - l->sent;

    if (l->ssl == NULL)
        return send(l->fd, l->message + l->sent, length, MSG_NOSIGNAL);
    int made = SSL_write(l->ssl, l->message + l->sent, length > 1 << 20 ? 1 << 20 : (int)length);
    if (made <= 0 && (SSL_get_error(l->ssl, made) == SSL_ERROR_WANT_WRITE || SSL_get_error(l->ssl, made) == SSL_ERROR_WANT_READ))
        errno = EAGAIN;
    return made <= 0 ? -1 : made;
}

static ssize_t
get(struct line *l)
{
    if (l->answered == ROOM) {           /* keep the head, drop what is in the middle */
        l->skipped += ROOM / 2;
        l->answered = ROOM / 2;
    }
    if (l->ssl == NULL)
        return recv(l->fd, l->answer + l->answered, ROOM - l->answered, 0);
    int made = SSL_read(l->ssl, l->answer + l->answered, (int)(ROOM - l->answered));
    if (made <= 0 && SSL_get_error(l->ssl, made) == SSL_ERROR_WANT_READ) {
        errno = EAGAIN;
        return -1;
    }
    return made;
}

static void
note(struct line *l)
{
    int status = (int)strtol(l->answer + 9, NULL, 10);

    if (status < 0 || status >= 600)
        status = 0;
    statuses[status]++;
    if (status != 200 && failure[0] == 0)
        snprintf(failure, sizeof failure, "%.*s", (int)(l->answered < 400 ? l->answered : 400), l->answer);
    if (finished >= options.warmup)
        latencies[finished - options.warmup] = now_ns() - l->begun_ns;
    finished++;
}

/* True when the answer is whole. */
static bool
whole(struct line *l)
{
    if (l->expected == 0) {
        char *end = memmem(l->answer, l->answered, "\r\n\r\n", 4);
        if (end == NULL)
            return false;
        *end = 0;
        char *length = strcasestr(l->answer, "content-length:");
        *end = '\r';
        l->expected = (size_t)(end + 4 - l->answer) + (length != NULL ? strtoul(length + 15, NULL, 10) : 0);
    }
    return l->answered + l->skipped >= l->expected;
}

static void
go(struct line *l, long most)
{
    for (;;) {
        if (l->sent < message_length) {
            ssize_t made = put(l);
            if (made < 0 && errno == EAGAIN) {
                want(l, EPOLLOUT);
                return;
            }
            if (made < 0)
                die("send");
            l->sent += (size_t)made;
            continue;
        }
        ssize_t made = get(l);
        if (made < 0 && errno == EAGAIN) {
            want(l, EPOLLIN);
            return;
        }
        if (made <= 0) {
            fprintf(stderr, "the server closed: %.*s\n", (int)l->answered, l->answer);
            exit(1);
        }
        l->answered += (size_t)made;
        if (!whole(l))
            continue;
        note(l);
        if (started >= most)
            return;
        begin(l);
    }
}

static int
by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void
parse(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (strcmp(name, "--port") == 0) options.port = (uint16_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "--path") == 0) options.path = value;
        else if (strcmp(name, "--file") == 0) options.file = value;
        else if (strcmp(name, "--ca") == 0) options.ca = value;
        else if (strcmp(name, "--certificate") == 0) options.certificate = value;
        else if (strcmp(name, "--key") == 0) options.key = value;
        else if (strcmp(name, "--first") == 0) options.first = value;
        else if (strcmp(name, "--connections") == 0) options.connections = (int)strtol(value, NULL, 10);
        else if (strcmp(name, "--requests") == 0) options.requests = strtol(value, NULL, 10);
        else if (strcmp(name, "--warmup") == 0) options.warmup = strtol(value, NULL, 10);
        else { fprintf(stderr, "unknown option %s\n", name); exit(2); }
    }
    if (options.port == 0 || options.file == NULL) {
        fprintf(stderr, "--port and --file are needed\n");
        exit(2);
    }
}

static void
report(int64_t elapsed_ns)
{
    long count = finished - options.warmup;

    qsort(latencies, (size_t)count, sizeof *latencies, by_size);
    printf("{\"requests\":%ld,\"seconds\":%.6f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"ok\":%ld,\"bytes\":%zu", finished,
           (double)elapsed_ns / 1e9, (double)latencies[count / 2] / 1e3, (double)latencies[count * 99 / 100] / 1e3,
           statuses[200], body_length);
    for (int i = 0; i < 600; i++)
        if (statuses[i] > 0)
            printf(",\"status_%d\":%ld", i, statuses[i]);
    printf("}\n");
    if (failure[0] != 0)
        fprintf(stderr, "first answer that is not 200:\n%s\n", failure);
}

int
main(int argc, char **argv)
{
    struct epoll_event events[256];

    signal(SIGPIPE, SIG_IGN);
    parse(argc, argv);
    read_body();
    if (options.ca != NULL) {
        context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        if (SSL_CTX_load_verify_file(context, options.ca) != 1)
            die(options.ca);
        if (options.certificate != NULL
            && (SSL_CTX_use_certificate_chain_file(context, options.certificate) != 1
                || SSL_CTX_use_PrivateKey_file(context, options.key, SSL_FILETYPE_PEM) != 1))
            die(options.certificate);
    }
    if (options.connections > options.requests)
        options.connections = (int)options.requests;
    struct line *lines = calloc((size_t)options.connections, sizeof *lines);
    latencies = calloc((size_t)(options.requests + 1), sizeof *latencies);
    epoll     = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < options.connections; i++)
        connect_line(&lines[i]);
    /* Handshakes are over: whoever measures reads the clocks now. */
    printf("ready\n");
    fflush(stdout);
    if (getchar() == EOF)
        return 1;
    int64_t begun = now_ns();
    for (int i = 0; i < options.connections; i++) {
        begin(&lines[i]);
        go(&lines[i], options.requests);
    }
    while (finished < options.requests) {
        int count = epoll_wait(epoll, events, 256, 30000);
        if (count == 0) {
            fprintf(stderr, "nothing for 30 s; %ld of %ld answered\n", finished, options.requests);
            return 1;
        }
        for (int i = 0; i < count; i++)
            go(events[i].data.ptr, options.requests);
    }
    report(now_ns() - begun);
    return 0;
}
