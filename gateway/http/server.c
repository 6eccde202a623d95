#include "gateway/http/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BLOCKS_HELD_MAX  ((size_t)16 << 20)
#define HELD_WHEN_IDLE   ((size_t)1 << 20)
#define BACKLOG          1024
#define ACCEPTS_A_TURN   64
#define SWEEP_US         250000
#define QUIET_SWEEPS     12              /* three seconds */

static int  listen_on(const char *address, uint16_t port, uint16_t *bound);
static int  open_socket(const struct addrinfo *);
static uint16_t bound_port(int fd);
static bool begin(struct http_server *);
static void on_acceptable(evutil_socket_t, short, void *);
static bool accept_one(struct http_server *);
static void admit(struct http_server *, int fd, const struct sockaddr *, socklen_t);
static void on_sweep(evutil_socket_t, short, void *);
static void give_back(struct http_server *);
static void on_again(evutil_socket_t, short, void *);
static void on_end(struct task *);
static void stop_listening(struct http_server *);

struct http_server *
http_server_new(struct loop *loop, const char *address, uint16_t port, struct tls_server *tls,
                const struct http_limits *limits, http_handler *handler, void *arg)
{
    struct http_server *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->loop    = loop;
    s->tls     = tls;
    s->limits  = *limits;
    s->handler = handler;
    s->arg     = arg;
    s->census  = limits->census;
    s->end.run = on_end;
    s->fd      = listen_on(address, port, &s->port);
    s->blocks  = blocks_new(BLOCKS_HELD_MAX);
    if (s->census == NULL)
        s->census = s->own_census = http_census_new(limits->max_connections, limits->max_connections_per_client);
    if (s->fd < 0 || s->blocks == NULL || s->census == NULL || !begin(s)) {
        int why = errno;
        if (s->fd >= 0)
            close(s->fd);
        errno = why;
        blocks_free(&s->blocks);
        http_census_free(&s->own_census);
        free(s);
        return NULL;
    }
    return s;
}

uint16_t
http_server_port(const struct http_server *server)
{
    return server->port;
}

void
http_server_use_tls(struct http_server *server, struct tls_server *tls)
{
    server->tls = tls;
}

void
http_server_drain(struct http_server *server)
{
    struct connection *next;

    server->draining = true;
    stop_listening(server);
    for (struct connection *c = server->connections; c != NULL; c = next) {
        next = c->next;
        connection_wind_up(c);
    }
}

uint32_t
http_server_connections(const struct http_server *server)
{
    return atomic_load_explicit(&server->connection_count, memory_order_relaxed);
}

void
http_server_free(struct http_server **server)
{
    struct http_server *s = *server;

    if (s == NULL)
        return;
    *server  = NULL;
    s->freed = true;
    stop_listening(s);
    while (s->connections != NULL)
        connection_close(s->connections);
    event_del(&s->sweep);
    evtimer_del(&s->again);
    server_gone(s);
}

/* ---- for connections ----------------------------------------------------- */

void
server_wait(struct http_server *server, struct connection *c)
{
    const struct timeval now = { 0, 0 };

    if (c->is_waiting)
        return;
    c->is_waiting    = true;
    c->next_waiting  = server->waiting;
    server->waiting  = c;
    if (!evtimer_pending(&server->again, NULL))
        evtimer_add(&server->again, &now);
}

void
server_forget(struct http_server *server, struct connection *c)
{
    struct connection **at = &server->waiting;

    *c->link = c->next;
    if (c->next != NULL)
        c->next->link = c->link;
    if (!c->is_waiting)
        return;
    while (*at != c)
        at = &(*at)->next_waiting;
    *at           = c->next_waiting;
    c->is_waiting = false;
}

/* RFC 9110 5.6.7, once a second. */
struct span
server_date(struct http_server *server)
{
    static const char days[]   = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t           second   = loop_clock_ms(server->loop) / 1000;

    if (second != server->date_second) {
        struct tm t;
        time_t    at = (time_t)second;
        gmtime_r(&at, &t);
        snprintf(server->date, sizeof server->date, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
                 days + 3 * t.tm_wday, t.tm_mday % 100, months + 3 * t.tm_mon, (t.tm_year + 1900) % 10000,
                 t.tm_hour % 100, t.tm_min % 100, t.tm_sec % 100);
        server->date_second = second;
    }
    return span_of(server->date);
}

void
server_gone(struct http_server *server)
{
    if (!server->freed || server->ending || server->connection_count > 0 || server->request_count > 0)
        return;
    server->ending = true;
    loop_finally(server->loop, &server->end);
}

static void
on_end(struct task *task)
{
    struct http_server *s = (struct http_server *)(void *)((char *)task - offsetof(struct http_server, end));

    while (s->spare != NULL) {
        struct http_request *gone = s->spare;
        s->spare = gone->next;
        free(gone);
    }
    gunzip_free(&s->gunzip);
    blocks_free(&s->blocks);
    http_census_free(&s->own_census);
    free(s);
}

/* ---- listening ----------------------------------------------------------- */

static int
listen_on(const char *address, uint16_t port, uint16_t *bound)
{
    struct addrinfo  hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    char             service[8];
    int              fd = -1;

    snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(address, service, &hints, &found) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    for (const struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next)
        fd = open_socket(a);
    int why = errno;
    freeaddrinfo(found);
    errno = why;
    if (fd >= 0)
        *bound = bound_port(fd);
    return fd;
}

static int
open_socket(const struct addrinfo *a)
{
    const int on = 1;
    int       fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0
        && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0
        && bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static uint16_t
bound_port(int fd)
{
    struct sockaddr_storage at;
    socklen_t               length = sizeof at;

    if (getsockname(fd, (struct sockaddr *)&at, &length) != 0)
        return 0;
    if (at.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)&at)->sin6_port);
    return ntohs(((const struct sockaddr_in *)(const void *)&at)->sin_port);
}

static bool
begin(struct http_server *s)
{
    struct event_base *base = loop_base(s->loop);

    event_assign(&s->listener, base, s->fd, EV_READ | EV_PERSIST, on_acceptable, s);
    event_assign(&s->sweep, base, -1, EV_PERSIST, on_sweep, s);
    evtimer_assign(&s->again, base, on_again, s);
    s->accepting = event_add(&s->listener, NULL) == 0;
    return s->accepting;
}

static void
stop_listening(struct http_server *s)
{
    if (s->fd < 0)
        return;
    event_del(&s->listener);
    close(s->fd);
    s->fd        = -1;
    s->accepting = false;
}

static void
on_acceptable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    for (int i = 0; i < ACCEPTS_A_TURN; i++)
        if (!accept_one(arg))
            return;
}

static bool
accept_one(struct http_server *s)
{
    const struct timeval    sweep = { 0, SWEEP_US };
    struct sockaddr_storage from;
    socklen_t               length = sizeof from;
    int fd = accept4(s->fd, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (!event_pending(&s->sweep, EV_TIMEOUT, NULL))
        event_add(&s->sweep, &sweep);
    if (fd >= 0) {
        admit(s, fd, (struct sockaddr *)&from, length);
        return true;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        /* The listener stays readable: ask again at the next sweep instead of at once. */
        event_del(&s->listener);
        s->accepting = false;
    }
    return errno == EINTR || errno == ECONNABORTED;
}

static void
admit(struct http_server *s, int fd, const struct sockaddr *from, socklen_t length)
{
    const int          on     = 1;
    enum census_answer answer = http_census_enter(s->census, from);

    if (answer == CENSUS_FULL) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *c = connection_new(s, fd, from, length, answer == CENSUS_CROWDED);
    if (c == NULL) {
        http_census_leave(s->census, from);
        return;
    }
    c->next = s->connections;
    c->link = &s->connections;
    if (c->next != NULL)
        c->next->link = &c->next;
    s->connections = c;
    s->connection_count++;
    connection_go(c);
}

/* ---- clockwork ----------------------------------------------------------- */

/* Deadlines, and buffers that nobody has used since the last look. */
static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *s   = arg;
    int64_t             now = loop_now_us(s->loop);
    struct connection  *next;
    bool                working = false;

    (void)fd;
    (void)what;
    for (struct connection *c = s->connections; c != NULL; c = next) {
        next = c->next;
        working |= c->phase != PHASE_HEAD;
        if (c->deadline_us != 0 && c->deadline_us <= now)
            connection_timed_out(c);
        else
            connection_rest(c);
    }
    s->quiet_sweeps = working || s->request_count > 0 ? 0 : s->quiet_sweeps + 1;
    if (s->quiet_sweeps == QUIET_SWEEPS)
        give_back(s);
    if (!s->accepting && s->fd >= 0)
        s->accepting = event_add(&s->listener, NULL) == 0;
    if (s->connection_count == 0 && s->quiet_sweeps >= QUIET_SWEEPS && (s->accepting || s->fd < 0))
        event_del(&s->sweep);
}

/* What a burst has left behind goes back to the system: the lists first, then
 * the holes in the heap, which malloc keeps otherwise. */
static void
give_back(struct http_server *s)
{
    blocks_trim(s->blocks, HELD_WHEN_IDLE);
    arena_pool_trim(loop_arenas(s->loop), HELD_WHEN_IDLE);
    malloc_trim(0);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *s = arg;

    (void)fd;
    (void)what;
    /* Those that wait again meanwhile are for the next turn: take the list. */
    struct connection *c = s->waiting;
    s->waiting           = NULL;
    while (c != NULL) {
        struct connection *next = c->next_waiting;
        c->is_waiting           = false;
        connection_go(c);
        c = next;
    }
}
