/* gateway/ops/control_ask.c -- the asking side of the control socket. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gateway/ops/control_socket.h"
#include "gateway/ops/control.h"

enum { PATIENCE_SECONDS = 30 };

static bool
send_all(int fd, struct span bytes)
{
    while (bytes.length > 0) {
        ssize_t sent = send(fd, bytes.at, bytes.length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return false;
        bytes = span_skip(bytes, sent > 0 ? (size_t)sent : 0);
    }
    return true;
}

static enum status
exchange(int fd, const char *line, const struct span *more, size_t more_count, struct buf *answer)
{
    char   request[CONTROL_LINE_BYTES];
    int    length = snprintf(request, sizeof request, "%s\n", line);
    time_t until  = time(NULL) + PATIENCE_SECONDS;
    bool   sent   = length < (int)sizeof request && send_all(fd, span_from(request, (size_t)length));
    for (size_t i = 0; i < more_count && sent; i++)
        sent = send_all(fd, more[i]);
    if (!sent && length >= (int)sizeof request)
        return ST_IO;
    /* When it was not taken whole, the answer says why. */
    for (;;) {
        struct pollfd p    = { .fd = fd, .events = POLLIN };
        time_t        left = until - time(NULL);
        if (left <= 0 || poll(&p, 1, (int)left * 1000) < 1)
            return ST_TIMEOUT;
        char *to = buf_reserve(answer, 4096);
        if (to == NULL)
            return answer->status;
        ssize_t got = read(fd, to, 4096);
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return ST_IO;
        if (got == 0)
            return span_empty(buf_span(answer)) ? ST_IO : ST_OK;
        buf_commit(answer, got > 0 ? (size_t)got : 0);
    }
}

enum status
control_ask_with(struct span path, const char *line, const struct span *more, size_t more_count, struct buf *answer,
                 struct buf *why)
{
    struct control_name name;
    enum status         st = ST_IO;
    int                 fd = control_socket(path, &name);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&name.address, sizeof name.address) == 0)
        st = exchange(fd, line, more, more_count, answer);
    else if (errno == ENOENT || errno == ECONNREFUSED)
        st = ST_NOT_FOUND;
    if (st == ST_TIMEOUT)
        buf_add_format(why, "the gateway at %.*s does not answer", SPAN_PRINT(path));
    else if (st != ST_OK)
        buf_add_format(why, "no gateway answers at %.*s: %s", SPAN_PRINT(path), strerror(errno));
    control_name_release(&name);
    if (fd >= 0)
        close(fd);
    return st == ST_TIMEOUT ? ST_IO : st;
}

enum status
control_ask(struct span path, const char *line, struct buf *answer, struct buf *why)
{
    enum status st = control_ask_with(path, line, NULL, 0, answer, why);

    return st == ST_NOT_FOUND ? ST_IO : st;
}
