/* tests/inspect/tool_hostile.c -- a helper that breaks every rule of inspect/frame.h, one a run.
 *
 *     tool_hostile WHAT MEMORY SECONDS
 *     tool_hostile no-WHAT MEMORY SECONDS      the real one, on a machine that lacks it:
 *         no-process   fork fails              no-room   the memory of a document is not promised
 *         no-lock      a limit cannot be set
 */
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "inspect/frame.h"

static int
take(void)
{
    char          byte;
    struct iovec  io = { &byte, 1 };
    union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
    struct msghdr message = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes };
    int           fd;

    if (recvmsg(0, &message, 0) != 1 || CMSG_FIRSTHDR(&message) == NULL)
        exit(0);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

static void
say(int fd, const void *bytes, size_t size)
{
    if (write(fd, bytes, size) != (ssize_t)size)
        exit(0);
}

static bool
forbid(scmp_filter_ctx filter, const char *what, uint64_t memory)
{
    if (strcmp(what, "no-process") == 0)
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAGAIN), SCMP_SYS(clone), 0) == 0
            && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAGAIN), SCMP_SYS(clone3), 0) == 0;
    if (strcmp(what, "no-room") == 0)
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOMEM), SCMP_SYS(mmap), 1, SCMP_A1(SCMP_CMP_EQ, memory, 0)) == 0;
    return strcmp(what, "no-lock") == 0
        && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 2,
                            SCMP_A1(SCMP_CMP_EQ, RLIMIT_NPROC, 0), SCMP_A2(SCMP_CMP_NE, 0, 0)) == 0;
}

static int
lack(const char *what, char **argv)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    uint64_t        memory;

    if (filter == NULL || !span_to_u64(span_of(argv[1]), &memory) || !forbid(filter, what, memory)
        || seccomp_load(filter) != 0)
        return 1;
    execv(SLUICE_BINARY_DIR "/sluice-inspect", argv);
    return 1;
}

int
main(int argc, char **argv)
{
    const char      *what  = argc > 1 ? argv[1] : "";
    struct frame_end end   = { 0 };
    char             all[65536];
    struct answer    a;

    if (strcmp(what, "gone") == 0 || (argc > 2 && strcmp(argv[2], "--check") == 0))
        return 0;
    if (strncmp(what, "no-", 3) == 0)
        return argc > 3 ? lack(what, argv + 1) : 1;
    struct frame_hello hello = frame_hello();
    if (strcmp(what, "dumb") == 0)
        pause();
    if (strcmp(what, "alien") == 0)
        hello.build[0] ^= 1;
    say(0, &hello, strcmp(what, "stammer") == 0 ? 5 : sizeof hello);
    if (strcmp(what, "left") == 0)
        return 0;
    for (;;) {
        int fd = take();
        if (strcmp(what, "deaf") == 0)
            pause();
        if (read(fd, all, sizeof all) < 0)
            return 1;
        answer_init(&a);
        answer_part(&a, INSPECTED_TEXT, SPAN("all is well"));
        struct frame_head head = answer_head(&a);
        if (strcmp(what, "mute") == 0)
            pause();
        for (; strcmp(what, "spin") == 0;)
            continue;
        if (strcmp(what, "flood") == 0)
            for (memset(all, 'x', sizeof all);;)
                say(fd, all, sizeof all);
        if (strcmp(what, "noise") == 0)
            say(fd, "what is this?", 13);
        if (strcmp(what, "count") == 0)
            head.parts = 7;
        if (strcmp(what, "early") == 0)
            head.reason = REASON_ENCRYPTED;
        say(fd, &head, sizeof head);
        if (strcmp(what, "killed") == 0)
            kill(getpid(), SIGKILL);     /* with half of it said */
        say(fd, a.bytes.at, a.bytes.length);
        if (strcmp(what, "more") == 0)
            say(fd, all, 16);
        close(fd);
        answer_release(&a);
        static const struct { const char *what; uint32_t signal; } ends[] = {
            { "child", SIGKILL }, { "stopped", SIGTERM }, { "wild", SIGSEGV }, { "locked", SIGSYS }, { "slow", SIGXCPU },
        };
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
            if (strcmp(what, ends[i].what) == 0)
                end.signal = ends[i].signal;
        say(0, &end, sizeof end);
    }
}
