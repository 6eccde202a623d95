#include "gateway/inspect/inspector.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/ops/log.h"
#include "gateway/ops/metrics.h"

enum { NUMBER_BYTES = 24 };

struct inspector {
    struct inspector_options options;
    pid_t                    helper;     /* 0: none runs */
    int                      control;
    struct buf               answer;
    struct frame_answer      parsed;
    uint32_t                 cpu_ms;     /* of this document */
    int64_t                  until_ms;   /* of this document */
    bool                     broken;     /* the helper itself, not the child that it had for a document */
};

static _Atomic int fault;                /* enum reason; NONE: the last document was answered */

static enum reason ask(struct inspector *, const struct inspected *);
static void        stop(struct inspector *);
static bool        wait_for(const struct inspector *, int fd, short what);
static void        note(const struct inspector *, enum reason);

struct inspector *
inspector_new(const struct inspector_options *options)
{
    struct inspector *i = calloc(1, sizeof *i);

    if (i == NULL)
        return NULL;
    i->options = *options;
    i->control = -1;
    if (i->options.wall_seconds == 0) {
        uint32_t wall = options->cpu_seconds * INSPECTOR_WALL_FACTOR;
        i->options.wall_seconds = wall > INSPECTOR_WALL_LEAST_SECONDS ? wall : INSPECTOR_WALL_LEAST_SECONDS;
    }
    buf_init(&i->answer, FRAME_MAX_ANSWER);
    return i;
}

void
inspector_free(struct inspector **inspector)
{
    struct inspector *i = *inspector;

    if (i == NULL)
        return;
    stop(i);
    buf_release(&i->answer);
    free(i);
    *inspector = NULL;
}

enum reason
inspector_read(struct inspector *i, struct inspected_table *table)
{
    const struct inspected *one    = table->open;
    enum reason             reason = one->bytes.length > FRAME_MAX_DOCUMENT ? REASON_LARGE : ask(i, one);
    /* What was read of an unreadable one counts; what was said before a crash does not. */
    bool                    said   = reason < REASON_CRASHED && one->bytes.length <= FRAME_MAX_DOCUMENT;

    if (reason_is_fault(reason))
        table->fault = true;
    else
        inspected_answer(table, said && i->parsed.readable, i->parsed.parts, said ? i->parsed.count : 0);
    buf_clear(&i->answer);
    table->cpu_ms  += i->cpu_ms;
    table->refused |= table->cpu_ms > (uint64_t)i->options.cpu_seconds * 1000 * INSPECTOR_TABLE_FACTOR;
    metric_add(METRIC_INSPECTED, reason == REASON_NONE ? "read" : reason_code(reason), 1);
    return reason;
}

void
inspector_answer(struct inspected_table *table, void *with)
{
    while (inspected_goes_on(table))
        (void)inspector_read(with, table);
}

enum reason
inspector_fault(void)
{
    return (enum reason)atomic_load(&fault);
}

/* Of a helper that was asked.  A line when a fault begins, when its kind changes and when it is over. */
static void
note(const struct inspector *i, enum reason reason)
{
    enum reason now    = reason_is_fault(reason) ? reason : REASON_NONE;
    enum reason before = (enum reason)atomic_exchange(&fault, (int)now);

    if (now == before)
        return;
    metric_set(METRIC_INSPECT_DOWN, NULL, now != REASON_NONE);
    if (!i->options.logs)
        return;
    if (now != REASON_NONE)
        log_event(LOG_ERROR_LEVEL, "inspect.fault", LOG_F_CODE("fault", reason_code(now)), LOG_F_REASON(reason_text(now)));
    else
        log_event(LOG_INFO_LEVEL, "inspect.works", LOG_F_CODE("fault", reason_code(before)));
}

/* ---- the process ------------------------------------------------------------- */

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
set_deadline(struct inspector *i)
{
    i->until_ms = now_ms() + (int64_t)i->options.wall_seconds * 1000;
}

/* Descriptor 0 is its socket, nothing is printed, and its group is its own: a
 * child of it ends with it. */
static bool
spawn(const char *program, char *const *arguments, int in, int out, pid_t *pid)
{
    char *const                none[] = { NULL };
    posix_spawn_file_actions_t files;
    posix_spawnattr_t          how;
    sigset_t                   empty, all;

    sigemptyset(&empty);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&how, &empty);
    posix_spawnattr_setsigdefault(&how, &all);
    bool fine = (in >= 0 ? posix_spawn_file_actions_adddup2(&files, in, 0)
                         : posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)) == 0
             && (out >= 0 ? posix_spawn_file_actions_adddup2(&files, out, 1)
                          : posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0)) == 0
             && posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0) == 0
             && posix_spawn_file_actions_addclosefrom_np(&files, 3) == 0
             && posix_spawn(pid, program, &files, &how, arguments, none) == 0;
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return fine;
}

static void
bounds(const struct inspector_options *options, char memory[static NUMBER_BYTES], char seconds[static NUMBER_BYTES])
{
    snprintf(memory, NUMBER_BYTES, "%llu", (unsigned long long)options->memory_bytes);
    snprintf(seconds, NUMBER_BYTES, "%u", options->cpu_seconds);
}

/* That it is ready, and of this build.  Nothing said is an end. */
static enum reason
meet(struct inspector *i)
{
    struct frame_hello hello;

    if (!wait_for(i, i->control, POLLIN))
        return REASON_STALLED;
    ssize_t n = recv(i->control, &hello, sizeof hello, MSG_DONTWAIT);
    if (n <= 0)
        return REASON_MISSING;
    return n == (ssize_t)sizeof hello && frame_hello_fine(&hello) ? REASON_NONE : REASON_MISMATCH;
}

/* NONE or a fault; until_ms is set. */
static enum reason
start(struct inspector *i)
{
    char  memory[NUMBER_BYTES], seconds[NUMBER_BYTES], name[] = "sluice-inspect";
    char *arguments[] = { name, memory, seconds, NULL };
    int   pair[2];

    if (i->helper != 0)
        return REASON_NONE;
    bounds(&i->options, memory, seconds);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return REASON_SCARCE;
    bool fine = spawn(i->options.program, arguments, pair[1], -1, &i->helper);
    close(pair[1]);
    if (!fine) {
        close(pair[0]);
        i->helper = 0;
        return REASON_MISSING;
    }
    i->control         = pair[0];
    enum reason reason = meet(i);
    if (reason != REASON_NONE)
        stop(i);
    return reason;
}

static void
stop(struct inspector *i)
{
    if (i->helper == 0)
        return;
    close(i->control);
    i->control = -1;
    kill(-i->helper, SIGKILL);
    while (waitpid(i->helper, NULL, 0) < 0 && errno == EINTR)
        continue;
    i->helper = 0;
}

/* ---- one document -------------------------------------------------------------- */

/* Whether the descriptor is ready before the deadline; when that is over, whether it is ready now: this
 * process may be what stood still. */
static bool
wait_for(const struct inspector *i, int fd, short what)
{
    for (;;) {
        struct pollfd p    = { .fd = fd, .events = what };
        int64_t       left = i->until_ms - now_ms();
        int           n    = poll(&p, 1, left < 0 ? 0 : left < 3600000 ? (int)left : 3600000);
        if (n > 0)
            return true;
        if (n == 0 && left <= 0)
            return false;
        if (n < 0 && errno != EINTR)
            return false;
    }
}

static bool
hand_over(const struct inspector *i, int document)
{
    char          byte = 'd';
    struct iovec  io   = { &byte, 1 };
    union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { { 0 } };
    struct msghdr message = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type  = SCM_RIGHTS;
    head->cmsg_len   = CMSG_LEN(sizeof document);
    memcpy(CMSG_DATA(head), &document, sizeof document);
    return sendmsg(i->control, &message, MSG_NOSIGNAL) == 1;
}

/* false: it stands still.  A reader that is gone shows in what it says. */
static bool
send_all(const struct inspector *i, int fd, struct span bytes)
{
    while (!span_empty(bytes)) {
        if (!wait_for(i, fd, POLLOUT))
            return false;
        ssize_t n = send(fd, bytes.at, bytes.length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return true;
        if (n > 0)
            bytes = span_skip(bytes, (size_t)n);
    }
    return true;
}

/* To the end of what it says.  STALLED, SCARCE, GARBAGE when it is too much, or NONE. */
static enum reason
receive_all(struct inspector *i, int fd)
{
    for (;;) {
        if (!wait_for(i, fd, POLLIN))
            return REASON_STALLED;
        if (i->answer.length == FRAME_MAX_ANSWER)
            return REASON_GARBAGE;
        size_t  room = FRAME_MAX_ANSWER - i->answer.length < 65536 ? FRAME_MAX_ANSWER - i->answer.length : 65536;
        char   *at   = buf_reserve(&i->answer, room);
        ssize_t n    = at != NULL ? recv(fd, at, room, MSG_DONTWAIT) : 0;
        if (at == NULL)
            return REASON_SCARCE;
        if (n > 0)
            buf_commit(&i->answer, (size_t)n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
            return REASON_NONE;          /* a reset is an end as well: of a process that died */
    }
}

/* Of the end.  What no document can do to its reader somebody else did: the kernel without
 * memory, or who ends the service (frame.h, F3). */
static enum reason
end_by(uint32_t signal)
{
    switch (signal) {
    case 0:       return REASON_NONE;
    case SIGSYS:  return REASON_FORBIDDEN;
    case SIGXCPU: return REASON_CPU;
    case SIGABRT: case SIGSEGV: case SIGBUS: case SIGILL: case SIGFPE: case SIGTRAP:
        return REASON_CRASHED;
    default:      return REASON_KILLED;
    }
}

static enum reason
how_it_ended(struct inspector *i, bool *scarce)
{
    struct frame_end end;

    if (!wait_for(i, i->control, POLLIN))
        return REASON_STALLED;
    if (recv(i->control, &end, sizeof end, MSG_WAITALL) != (ssize_t)sizeof end) {
        i->broken = true;
        return REASON_KILLED;
    }
    i->cpu_ms = end.cpu_ms;
    *scarce   = end.scarce != 0;
    return end_by(end.signal);
}

static enum reason
converse(struct inspector *i, int document, const struct inspected *one)
{
    struct frame_request request = frame_request_of(one->form, one->bytes.length);

    if (!send_all(i, document, span_from(&request, sizeof request)) || !send_all(i, document, one->bytes))
        return REASON_STALLED;
    enum reason reason = receive_all(i, document);
    bool        scarce = false;
    if (reason == REASON_NONE)
        reason = how_it_ended(i, &scarce);
    if (reason == REASON_NONE)
        reason = frame_read(buf_span(&i->answer), &i->parsed) ? i->parsed.reason : REASON_GARBAGE;
    /* One that was killed by its own hand, or read, is what it is, whatever the machine has left. */
    bool own = reason == REASON_NONE || reason == REASON_FORBIDDEN || reason == REASON_CPU;
    return scarce && !own ? REASON_SCARCE : reason;
}

static enum reason
ask_once(struct inspector *i, const struct inspected *one)
{
    int pair[2];

    i->cpu_ms       = 0;
    i->parsed.count = 0;
    i->broken       = false;
    set_deadline(i);
    buf_clear(&i->answer);
    enum reason reason = start(i);
    if (reason != REASON_NONE)
        return reason;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return REASON_SCARCE;
    i->broken = !hand_over(i, pair[1]);
    close(pair[1]);
    reason = i->broken ? REASON_KILLED : converse(i, pair[0], one);
    close(pair[0]);
    /* A child that died of its document is daily work. */
    if (i->broken || reason == REASON_STALLED || reason == REASON_GARBAGE || reason == REASON_SCARCE)
        stop(i);
    return reason;
}

/* A helper that is gone is no word about the document: it was killed, perhaps long ago. */
static enum reason
ask(struct inspector *i, const struct inspected *one)
{
    enum reason reason = ask_once(i, one);

    if (i->broken)
        reason = ask_once(i, one);
    note(i, reason);
    return reason;
}

/* ---- where it is, and whether it works ---------------------------------------------- */

static struct span
beside(struct arena *arena)
{
    char    path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);

    if (n <= 0 || n == (ssize_t)sizeof path)
        return span_from(NULL, 0);
    size_t slash = span_find_last_byte(span_from(path, (size_t)n), '/');
    return slash == SPAN_NOT_FOUND ? span_from(NULL, 0)
                                   : arena_join(arena, span_from(path, slash), SPAN("/sluice-inspect"));
}

struct inspector_options
inspector_options(struct span program, struct arena *arena)
{
    struct span path = span_empty(program) ? beside(arena) : arena_copy(arena, program);

    return (struct inspector_options){ .program      = span_empty(path) ? "" : path.at,
                                       .memory_bytes = INSPECTOR_MEMORY_BYTES,
                                       .cpu_seconds  = INSPECTOR_CPU_SECONDS };
}

struct inspector_options
inspector_configured(const struct config *config, struct arena *arena)
{
    struct inspector_options options = inspector_options(config->inspect.program, arena);

    options.memory_bytes = config->inspect.memory_bytes;
    options.cpu_seconds  = config->inspect.cpu_seconds;
    return options;
}

static bool
starts(const struct inspector_options *options, struct buf *why)
{
    struct inspector *i      = inspector_new(options);
    enum reason       reason = REASON_SCARCE;

    if (i != NULL) {
        set_deadline(i);
        reason = start(i);
    }
    inspector_free(&i);
    if (reason != REASON_NONE)
        buf_add_format(why, "%s: %s", options->program, reason_text(reason));
    return reason == REASON_NONE;
}

bool
inspector_works(const struct inspector_options *options, struct buf *why)
{
    const char *program = options->program;
    char        name[] = "sluice-inspect", test[] = "--check", memory[NUMBER_BYTES], seconds[NUMBER_BYTES];
    char       *arguments[] = { name, test, memory, seconds, NULL };
    int         status = 0;
    pid_t       pid;

    bounds(options, memory, seconds);
    if (access(program, X_OK) != 0) {
        buf_add_format(why, "%s: %s", program, strerror(errno));
        return false;
    }
    if (!spawn(program, arguments, -1, -1, &pid)) {
        buf_add_format(why, "%s cannot be started", program);
        return false;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return starts(options, why);
    buf_add_format(why, "%s --check %s %s: the sandbox does not hold on this machine", program, memory, seconds);
    return false;
}
