#include "inspect/sandbox.h"

#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1         /* its shadow takes terabytes of addresses, its runtime calls of its own */
#else
#define SANITIZED 0
#endif

static bool
limit(__rlimit_resource_t what, uint64_t soft, uint64_t hard)
{
    const struct rlimit to = { soft, hard };

    return setrlimit(what, &to) == 0;
}

static bool
set_limits(const struct sandbox_limits *l)
{
#if !SANITIZED
    if (!limit(RLIMIT_AS, l->memory_bytes, l->memory_bytes))
        return false;
#endif
    return limit(RLIMIT_CPU, l->cpu_seconds, l->cpu_seconds + 1) && limit(RLIMIT_NOFILE, 0, 0)
        && limit(RLIMIT_FSIZE, 0, 0) && limit(RLIMIT_CORE, 0, 0) && limit(RLIMIT_NPROC, 0, 0);
}

/* What malloc, the libraries and the end of a process need.  futex: locks of
 * C++ that nobody contends for; sigreturn: nobody has a handler, but a sanitizer. */
static bool
add_rules(scmp_filter_ctx filter)
{
    static const int plain[] = {
        SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
        SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(rt_sigreturn), SCMP_SYS(exit), SCMP_SYS(exit_group),
#if SANITIZED
        SCMP_SYS(sigaltstack), SCMP_SYS(sched_yield), SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(clock_nanosleep),
#endif
    };
    static const int mapping[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };

    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, plain[i], 0) != 0)
            return false;
    /* Argument 2 of both is the protection. */
    for (size_t i = 0; i < sizeof mapping / sizeof mapping[0]; i++)
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, mapping[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0)
            return false;
    return true;
}

static bool
set_filter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool            fine   = filter != NULL && add_rules(filter) && seccomp_load(filter) == 0;

    if (filter != NULL)
        seccomp_release(filter);
    return fine;
}

bool
sandbox_enter(int document, const struct sandbox_limits *limits)
{
    if (document != 0 && (dup2(document, 0) != 0))
        return false;
    return syscall(SYS_close_range, 3u, ~0u, 0u) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0
        && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && set_limits(limits) && set_filter();
}
