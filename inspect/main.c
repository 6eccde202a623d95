/* inspect/main.c -- sluice-inspect: one process that waits, one child a document.
 *
 *     sluice-inspect MEMORY-BYTES CPU-SECONDS     descriptor 0: the gateway's socket
 *     sluice-inspect --check MEMORY-BYTES CPU-SECONDS    whether the sandbox holds here
 *     sluice-inspect --self-test                  the same, and that processor time ends
 *
 * Started by sluice, not by people.  The one that waits never reads a byte of a
 * document; it loads what the libraries load late and then forks for each, so that
 * a document costs a fork and never sees another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inspect/readers.h"
#include "inspect/sandbox.h"

#if defined(__SANITIZE_ADDRESS__)
/* A child ends without giving back what it has, and the sandbox lets nobody look for it. */
const char *__asan_default_options(void) __attribute__((visibility("default")));
const char *
__asan_default_options(void)
{
    return "detect_leaks=0:use_sigaltstack=0";
}
#endif

static void first_to_go(void);
static int serve(const struct sandbox_limits *);
static int self_test(bool all, const struct sandbox_limits *);

int
main(int argc, char **argv)
{
    struct sandbox_limits limits;
    uint64_t              memory, seconds;

    if (argc == 2 && strcmp(argv[1], "--self-test") == 0)
        return self_test(true, &(struct sandbox_limits){ (uint64_t)1 << 30, 1 });
    bool check = argc == 4 && strcmp(argv[1], "--check") == 0;
    if (check) {
        argc--;
        argv++;
    }
    if (argc != 3 || !span_to_u64(span_of(argv[1]), &memory) || !span_to_u64(span_of(argv[2]), &seconds)
        || seconds == 0 || seconds > 3600) {
        fputs("sluice-inspect: reads documents for sluice, which starts it\n", stderr);
        return 2;
    }
    limits = (struct sandbox_limits){ memory, (uint32_t)seconds };
    if (check)
        return self_test(false, &limits);
    first_to_go();
    prctl(PR_SET_DUMPABLE, 0);
    readers_warm();
    return serve(&limits);
}

/* When the machine's memory is spent it takes readers, and neither the gateway nor the store (proc(5),
 * oom_score_adj).  Where there is no such file nothing is lost but that. */
static void
first_to_go(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (write(fd, "1000", 4) != 4)
        fputs("sluice-inspect: oom_score_adj stays as it is\n", stderr);
    close(fd);
}

/* ---- the child ------------------------------------------------------------------ */

static bool
read_all(int fd, void *out, size_t size)
{
    char *at = out;

    while (size > 0) {
        ssize_t n = read(fd, at, size);
        if (n <= 0)
            return false;
        at   += n;
        size -= (size_t)n;
    }
    return true;
}

static bool
write_all(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n <= 0)
            return false;
        at   += n;
        size -= (size_t)n;
    }
    return true;
}

/* F3: nothing was read yet, and no filter holds. */
static _Noreturn void
end_as_a_fault(void)
{
    kill(getpid(), SIGKILL);
    _exit(3);
}

static void
read_one(int document, const struct sandbox_limits *limits)
{
    struct frame_request request;
    struct answer        a;

    if (!sandbox_enter(document, limits))
        end_as_a_fault();
    if (!read_all(0, &request, sizeof request) || !frame_request_fine(&request))
        _exit(4);
    char *bytes = malloc(request.length + 1u);
    answer_init(&a);
    if (bytes == NULL)
        answer_unreadable(&a, REASON_LARGE);
    else if (!read_all(0, bytes, request.length))
        _exit(4);
    else
        read_document((enum document_form)request.form, span_from(bytes, request.length), &a);
    struct frame_head head = answer_head(&a);
    bool              said = write_all(0, &head, sizeof head)
                          && (head.parts == 0 || write_all(0, a.bytes.at, a.bytes.length));
    _exit(said ? 0 : 5);
}

/* ---- the one that waits ------------------------------------------------------------ */

/* -1: the gateway is gone. */
static int
next_document(void)
{
    char          byte;
    struct iovec  io = { &byte, 1 };
    union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
    struct msghdr message = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes };
    ssize_t       n;
    int           fd;

    do
        n = recvmsg(0, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    struct cmsghdr *head = n == 1 ? CMSG_FIRSTHDR(&message) : NULL;
    if (head == NULL || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS
        || head->cmsg_len != CMSG_LEN(sizeof fd))
        return -1;
    memcpy(&fd, CMSG_DATA(head), sizeof fd);
    return fd;
}

/* Whether a document that ends for want of memory ended by its own limit.  Only where the
 * machine counts what it promises (vm.overcommit_memory 2) can this fail. */
static bool
memory_is_there(uint64_t bytes)
{
    void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return room != MAP_FAILED && munmap(room, bytes) == 0;
}

static struct frame_end
end_of(pid_t child, const struct sandbox_limits *limits)
{
    struct frame_end end    = { .scarce = 1 };
    struct rusage    used;
    int              status = 0;

    while (child > 0 && wait4(child, &status, 0, &used) != child)
        if (errno != EINTR)
            child = -1;
    if (child < 0)
        return end;
    end.cpu_ms = (uint32_t)((used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000
                            + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000);
    end.signal = WIFSIGNALED(status) ? (uint32_t)WTERMSIG(status) : WEXITSTATUS(status) == 0 ? 0 : SIGABRT;
    end.scarce = !memory_is_there(limits->memory_bytes);
    return end;
}

static int
serve(const struct sandbox_limits *limits)
{
    const struct frame_hello hello = frame_hello();
    int                      document;

    if (!write_all(0, &hello, sizeof hello))
        return 0;
    while ((document = next_document()) >= 0) {
        pid_t child = fork();
        if (child == 0)
            read_one(document, limits);
        close(document);
        struct frame_end end = end_of(child, limits);
        if (!write_all(0, &end, sizeof end))
            break;
    }
    return 0;
}

/* ---- self-test ------------------------------------------------------------------------ */

static void try_file(void)    { (void)open("/etc/passwd", O_RDONLY | O_CLOEXEC); }
static void try_socket(void)  { (void)socket(AF_INET, SOCK_STREAM, 0); }
static void try_process(void) { (void)fork(); }
static void try_spin(void)    { for (volatile unsigned n = 0;; n++) continue; }
static void try_nothing(void) { }

/* The signal that a child of the sandbox dies of; 0: it lived. */
static int
fate_of(void (*act)(void), const struct sandbox_limits *limits)
{
    int status = 0, sockets[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        if (!sandbox_enter(sockets[1], limits))
            _exit(3);
        act();
        _exit(0);
    }
    close(sockets[0]);
    close(sockets[1]);
    if (child < 0 || waitpid(child, &status, 0) != child || (WIFEXITED(status) && WEXITSTATUS(status) != 0))
        return -1;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* The last row takes as long as it may. */
static int
self_test(bool all, const struct sandbox_limits *limits)
{
    static const struct { const char *what; void (*act)(void); int signal; } rows[] = {
        { "does nothing", try_nothing, 0 },     { "opens a file", try_file, SIGSYS },
        { "opens a socket", try_socket, SIGSYS }, { "starts a process", try_process, SIGSYS },
        { "never ends", try_spin, SIGXCPU },
    };
    size_t count  = sizeof rows / sizeof rows[0];
    int    failed = 0;

    for (size_t i = 0; i < (all ? count : count - 1); i++) {
        int fate = fate_of(rows[i].act, limits);
        printf("%s: %s\n", rows[i].what, fate == rows[i].signal ? "ok" : "FAILED");
        failed += fate != rows[i].signal;
    }
    if (!memory_is_there(limits->memory_bytes)) {
        printf("has %llu bytes of addresses: FAILED\n", (unsigned long long)limits->memory_bytes);
        failed++;
    }
    return failed == 0 ? 0 : 1;
}
