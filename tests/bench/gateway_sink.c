/* tests/bench/gateway_sink.c -- a recipient that reads and says thanks.
 *
 * Plain HTTP/1.1 with Content-Length, one thread, epoll.  On SIGUSR1 (and at
 * the end, SIGTERM) it prints how many requests and bytes it has had. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD 16384

struct line {
    int    fd;
    size_t head;                         /* bytes of the head that have come */
    size_t left;                         /* of the body */
    char   bytes[HEAD];
};

static const char thanks[] = "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 57\r\n\r\n"
                             "{\"resourceType\":\"Bundle\",\"type\":\"transaction-response\"}\r\n";
static long long      requests, total;
static volatile sig_atomic_t asked, ending;
static char           waste[1 << 20];

static void
on_signal(int number)
{
    if (number == SIGUSR1)
        asked = 1;
    else
        ending = 1;
}

static void
tell(void)
{
    printf("{\"requests\":%lld,\"bytes\":%lld}\n", requests, total);
    fflush(stdout);
}

/* The head is whole at `end`; what is behind it is body. */
static void
take_head(struct line *l, char *end)
{
    char  *length = strcasestr(l->bytes, "content-length:");
    size_t behind = l->head - (size_t)(end + 4 - l->bytes);

    l->left = length != NULL && length < end ? strtoul(length + 15, NULL, 10) : 0;
    total  += (long long)l->left;
    l->left = behind < l->left ? l->left - behind : 0;
    l->head = 0;
    if (l->left == 0)
        l->left = SIZE_MAX;              /* whole already */
}

static int
take(struct line *l)
{
    for (;;) {
        ssize_t got;
        if (l->left > 0 && l->left != SIZE_MAX) {
            got = recv(l->fd, waste, l->left < sizeof waste ? l->left : sizeof waste, 0);
            if (got > 0 && (l->left -= (size_t)got) == 0)
                l->left = SIZE_MAX;
        } else {
            got = recv(l->fd, l->bytes + l->head, HEAD - 1 - l->head, 0);
            if (got > 0) {
                l->head += (size_t)got;
                l->bytes[l->head] = 0;
                char *end = strstr(l->bytes, "\r\n\r\n");
                if (end != NULL)
                    take_head(l, end);
                else if (l->head == HEAD - 1)
                    return -1;
            }
        }
        if (got < 0 && errno == EAGAIN)
            return 0;
        if (got <= 0)
            return -1;
        if (l->left == SIZE_MAX) {
            l->left = 0;
            requests++;
            if (send(l->fd, thanks, sizeof thanks - 1, MSG_NOSIGNAL) < 0)
                return -1;
        }
    }
}

int
main(int argc, char **argv)
{
    struct sockaddr_in at  = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    const int          on  = 1;
    struct epoll_event e   = { .events = EPOLLIN }, events[256];

    if (argc != 2)
        return 2;
    at.sin_port  = htons((uint16_t)strtoul(argv[1], NULL, 10));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int epoll    = epoll_create1(EPOLL_CLOEXEC);
    signal(SIGUSR1, on_signal);
    signal(SIGTERM, on_signal);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 1024) != 0) {
        perror("listen");
        return 1;
    }
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
    while (!ending) {
        int count = epoll_wait(epoll, events, 256, 1000);
        if (asked) {
            asked = 0;
            tell();
        }
        for (int i = 0; i < count; i++) {
            struct line *l = events[i].data.ptr;
            if (l != NULL) {
                if (take(l) < 0) {
                    close(l->fd);
                    free(l);
                }
                continue;
            }
            int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0)
                continue;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            l = calloc(1, sizeof *l);
            if (l == NULL)
                return 1;
            l->fd      = fd;
            e.events   = EPOLLIN;
            e.data.ptr = l;
            epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
        }
    }
    tell();
    return 0;
}
