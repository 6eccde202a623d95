/* gateway/ops/control.c -- the control socket: status, reload, drain.
 *
 * A thread of its own that serves one peer at a time, five seconds each at
 * most: nobody but the operator is there.
 */
#include "gateway/ops/control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_author.h"
#include "gateway/classify/pass.h"
#include "gateway/classify/report.h"
#include "gateway/gateway.h"
#include "gateway/inspect/inspector.h"
#include "gateway/ops/account.h"
#include "gateway/ops/control_review.h"
#include "gateway/ops/control_socket.h"
#include "gateway/ops/file.h"
#include "gateway/ops/filing.h"
#include "gateway/ops/reading.h"
#include "gateway/ops/shredding.h"
#include "gateway/version.h"

enum { ANSWER_BYTES = 64 << 20, PEER_SECONDS = 5, BACKLOG = 16, ERRORS_BYTES = 1 << 20 };

struct control {
    struct gateway *gateway;
    struct span     path;
    char           *path_text;
    int             fd;                  /* listens */
    int             stop;                /* eventfd */
    gid_t           group;               /* whose members may reach it … */
    bool            shared;              /* … where that is so */
    pthread_t       thread;
    bool            running;
};

static bool  listen_on(struct control *, struct buf *why);
static void *serve(void *);

enum status
control_start(struct control **out, struct gateway *gateway, struct buf *why)
{
    struct config  *config = gateway_config(gateway);
    struct control *c      = calloc(1, sizeof *c);
    if (c != NULL) {
        c->gateway   = gateway;
        c->fd        = -1;
        c->stop      = eventfd(0, EFD_CLOEXEC);
        c->path_text = strndup(config->admin.socket.at, config->admin.socket.length);
        c->path      = span_of(c->path_text);
        c->shared    = !span_empty(config->admin.socket_group) && account_group(config->admin.socket_group, &c->group);
    }
    config_unpin(&config);
    *out = c;
    if (c == NULL || c->path_text == NULL || c->stop < 0) {
        buf_add_text(why, "not enough memory for the control socket");
        control_stop(out);
        return ST_NO_MEMORY;
    }
    if (!listen_on(c, why)) {
        control_stop(out);
        return ST_IO;
    }
    c->running = pthread_create(&c->thread, NULL, serve, c) == 0;
    if (c->running)
        return ST_OK;
    buf_add_text(why, "no thread for the control socket");
    control_stop(out);
    return ST_NO_MEMORY;
}

void
control_stop(struct control **control)
{
    struct control *c = *control;
    if (c == NULL)
        return;
    *control = NULL;
    if (c->running && eventfd_write(c->stop, 1) == 0)
        pthread_join(c->thread, NULL);
    if (c->fd >= 0) {
        close(c->fd);
        unlink(c->path_text);
    }
    if (c->stop >= 0)
        close(c->stop);
    free(c->path_text);
    free(c);
}

/* ---- the listener ---------------------------------------------------------------- */

static bool
try_listen(struct control *c, bool *answered)
{
    struct control_name name;
    int                 fd = control_socket(c->path, &name);
    bool                up = false;
    *answered              = false;
    if (fd >= 0) {
        /* bind makes the file: its mode has to be right from then on. */
        mode_t mask = umask(0177);
        up          = bind(fd, (struct sockaddr *)&name.address, sizeof name.address) == 0 && listen(fd, BACKLOG) == 0;
        umask(mask);
        up = up && (!c->shared || (chown(c->path_text, (uid_t)-1, c->group) == 0 && chmod(c->path_text, 0660) == 0));
        if (!up && errno == EADDRINUSE) {
            *answered = connect(fd, (struct sockaddr *)&name.address, sizeof name.address) == 0 || errno != ECONNREFUSED;
            errno     = EADDRINUSE;
        }
    }
    int saved = errno;
    control_name_release(&name);
    if (up)
        c->fd = fd;
    else if (fd >= 0)
        close(fd);
    errno = saved;
    return up;
}

static bool
listen_on(struct control *c, struct buf *why)
{
    bool answered;
    if (try_listen(c, &answered))
        return true;
    if (errno == EADDRINUSE && !answered) {
        unlink(c->path_text);                              /* left behind by a crash */
        if (try_listen(c, &answered))
            return true;
    }
    if (errno == EADDRINUSE)
        buf_add_format(why, "control socket %s: another gateway answers there", c->path_text);
    else
        buf_add_format(why, "control socket %s: %s", c->path_text, strerror(errno));
    return false;
}

/* ---- words ------------------------------------------------------------------------- */

static void
status_word(struct control *c, author_value root)
{
    struct gateway     *g      = c->gateway;
    struct config      *config = gateway_config(g);
    struct store_counts counts = { 0, 0, 0, 0 };
    author_add_cstr(root, "version", SLUICE_VERSION);
    author_add_cstr(root, "policyVersion", SLUICE_POLICY_VERSION);
    author_add_integer(root, "pid", getpid());
    author_value file = author_add_object(root, "configuration");
    author_add_text(file, "file", config->file);
    author_add_integer(file, "generation", (int64_t)config->generation);
    author_add_integer(root, "loops", g->loop_count);
    author_add_integer(root, "exchanges", atomic_load(&g->exchanges));
    author_add_bool(root, "draining", atomic_load(&g->draining));
    author_value store = author_add_object(root, "store");
    author_add_bool(store, "healthy", store_healthy(g->store));
    if (store_counts_read(g->store, &counts) == ST_OK) {
        author_add_integer(store, "resources", (int64_t)counts.resources);
        author_value queue = author_add_object(root, "queue");
        author_add_integer(queue, "waiting", (int64_t)counts.waiting);
        author_add_integer(queue, "dead", (int64_t)counts.dead);
    }
    author_value inspect = author_add_object(root, "inspect");
    author_add_bool(inspect, "works", inspector_fault() == REASON_NONE);
    if (inspector_fault() != REASON_NONE)
        author_add_cstr(inspect, "fault", reason_text(inspector_fault()));
    pass_status(g->store, config, root);
    control_review_status(g, root);
    config_unpin(&config);
}

static void
reload_word(struct control *c, author_value root)
{
    struct arena         *arena  = arena_new("reload errors", ERRORS_BYTES);
    struct config_errors *errors = arena != NULL ? config_errors_new(arena) : NULL;
    bool                  done   = errors != NULL && gateway_reload(c->gateway, errors) == ST_OK;
    author_add_bool(root, "reloaded", done);
    author_value list = author_add_array(root, "errors");
    for (size_t i = 0; !done && errors != NULL && i < config_errors_count(errors); i++)
        author_add_text(list, NULL, config_errors_at(errors, i));
    arena_free(&arena);
}

static void
answer_word(struct control *c, struct span word, struct buf *out)
{
    struct author *a    = author_new();
    author_value   root = author_object(a);
    if (span_eq(word, SPAN("status"))) {
        status_word(c, root);
    } else if (span_eq(word, SPAN("reload"))) {
        reload_word(c, root);
    } else if (span_eq(word, SPAN("reclassify"))) {
        pass_wake(c->gateway->pass, true);
        author_add_bool(root, "begun", true);
    } else if (span_eq(word, SPAN("drain"))) {
        /* The way of SIGTERM, so that there is one way down. */
        author_add_bool(root, "draining", kill(getpid(), SIGTERM) == 0);
    } else {
        author_add_cstr(root, "error", "the words are status, reload, reclassify, drain and file");
    }
    if (author_print(a, out, AUTHOR_COMPACT) != ST_OK)
        buf_clear(out);
    buf_add_byte(out, '\n');
    author_free(&a);
}

/* ---- peers --------------------------------------------------------------------------- */

/* SO_PEERCRED: unix(7).  The mode of the file says the same to all who ask the
 * kernel for the path; this also holds when the file was moved. */
static bool
known_peer(int fd, struct ucred *peer)
{
    socklen_t length = sizeof *peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &length) == 0;
}

/* The line, without its end, and what came with it; empty when none came. */
static struct span
read_line(int fd, char *line, struct span *rest)
{
    size_t length = 0;
    while (length < CONTROL_LINE_BYTES) {
        ssize_t got = read(fd, line + length, CONTROL_LINE_BYTES - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
        size_t end = span_find_byte(span_from(line, length), '\n');
        *rest = span_skip(span_from(line, length), end != SPAN_NOT_FOUND ? end + 1 : length);
        if (end != SPAN_NOT_FOUND)
            return span_first(span_from(line, length), end);
    }
    return (struct span){ NULL, 0 };
}

static bool
read_body(int fd, struct buf *body, size_t length)
{
    while (body->length < length) {
        char *to = buf_reserve(body, length - body->length);
        if (to == NULL)
            return false;
        ssize_t got = read(fd, to, length - body->length);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        buf_commit(body, got > 0 ? (size_t)got : 0);
    }
    return true;
}

/* "file N M": N bytes of a request and M of papers follow. */
static void
file_word(struct control *c, int fd, struct span word, struct span rest, uid_t uid, struct buf *out)
{
    uint64_t     request = 0, papers = 0;
    struct span  left    = span_skip(word, sizeof "file " - 1);
    struct span  first   = span_split(&left, ' ');
    struct buf   body;
    buf_init(&body, FILING_BYTES);
    if (!span_to_u64(first, &request) || !span_to_u64(left, &papers) || request > FILING_BYTES
        || papers > FILING_BYTES - request) {
        buf_add_text(out, "{\"error\":\"want file, and how many bytes of a request and of papers follow\"}");
    } else {
        buf_add(&body, span_first(rest, request + papers));
        if (read_body(fd, &body, request + papers))
            filing_do(c->gateway->store, span_first(buf_span(&body), request), span_skip(buf_span(&body), request), uid, out);
        else
            buf_add_text(out, "{\"error\":\"it did not come whole\"}");
    }
    buf_add_byte(out, '\n');
    buf_release(&body);
}

/* "reading N": N bytes of a request follow. */
static void
reading_word(struct control *c, int fd, struct span word, struct span rest, uid_t uid, struct buf *out)
{
    uint64_t   request = 0;
    struct buf body;
    buf_init(&body, READING_BYTES);
    if (!span_to_u64(span_skip(word, sizeof "reading " - 1), &request) || request > READING_BYTES) {
        buf_add_text(out, "{\"failed\":\"want reading, and how many bytes of a request follow\"}");
    } else {
        buf_add(&body, span_first(rest, request));
        if (read_body(fd, &body, request))
            reading_do(c->gateway->store, buf_span(&body), uid, out);
        else
            buf_add_text(out, "{\"failed\":\"it did not come whole\"}");
    }
    buf_add_byte(out, '\n');
    buf_release(&body);
}

/* "shred N": N bytes of a request follow. */
static void
shred_word(struct control *c, int fd, struct span word, struct span rest, uid_t uid, struct buf *out)
{
    uint64_t   request = 0;
    struct buf body;
    buf_init(&body, SHRED_REQUEST_BYTES);
    if (!span_to_u64(span_skip(word, sizeof "shred " - 1), &request) || request > SHRED_REQUEST_BYTES) {
        buf_add_text(out, "{\"refused\":\"want shred, and how many bytes of a request follow\"}");
    } else {
        struct config *config = gateway_config(c->gateway);
        buf_add(&body, span_first(rest, request));
        if (read_body(fd, &body, request))
            shredding_do(c->gateway->store, config, buf_span(&body), uid, out);
        else
            buf_add_text(out, "{\"refused\":\"it did not come whole\"}");
        config_unpin(&config);
    }
    buf_add_byte(out, '\n');
    buf_release(&body);
}

static void
talk(struct control *c, int fd)
{
    const struct timeval patience = { PEER_SECONDS, 0 };
    char                 line[CONTROL_LINE_BYTES];
    struct buf           out;
    buf_init(&out, ANSWER_BYTES);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    struct ucred peer = { 0 };
    struct span  rest = { NULL, 0 };
    struct span  word = read_line(fd, line, &rest);
    bool         own  = known_peer(fd, &peer) && (peer.uid == geteuid() || peer.uid == 0);
    if (peer.pid != 0 && span_starts(word, SPAN("{")))
        control_review(c->gateway, peer.uid, own, word, &out);
    else if (!own)
        buf_add_text(&out, "{\"error\":\"only the gateway's own user and root may ask\"}\n");
    else if (span_starts(word, SPAN("file ")))
        file_word(c, fd, word, rest, peer.uid, &out);
    else if (span_starts(word, SPAN("reading ")))
        reading_word(c, fd, word, rest, peer.uid, &out);
    else if (span_starts(word, SPAN("shred ")))
        shred_word(c, fd, word, rest, peer.uid, &out);
    else if (!span_empty(word))
        answer_word(c, word, &out);
    file_write_fd(fd, buf_span(&out));
    buf_release(&out);
}

static void *
serve(void *arg)
{
    struct control *c     = arg;
    struct pollfd   on[2] = { { .fd = c->fd, .events = POLLIN }, { .fd = c->stop, .events = POLLIN } };
    for (;;) {
        if (poll(on, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if ((on[1].revents & POLLIN) != 0)
            return NULL;
        if ((on[0].revents & POLLIN) == 0)
            continue;
        int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        talk(c, fd);
        close(fd);
    }
}
