/* inspect/sandbox.h -- what the process may do that has a document before it.
 *
 * After sandbox_enter() it has one socket, its memory and its processor time, and nothing
 * else: no file, no other descriptor, no process, no network, no core file.
 *
 *   descriptors   0 the socket of the document; 1, 2 /dev/null; all others are closed
 *   RLIMIT_AS, RLIMIT_CPU (soft: SIGXCPU; a second later SIGKILL), RLIMIT_NOFILE 0,
 *   RLIMIT_FSIZE 0, RLIMIT_CORE 0, RLIMIT_NPROC 0; PR_SET_DUMPABLE 0; PR_SET_NO_NEW_PRIVS
 *   seccomp       read and write of what is open, memory that is never executable,
 *                 the end; anything else kills the process (SIGSYS)
 *
 * Under AddressSanitizer and ThreadSanitizer RLIMIT_AS is left out, since their shadow takes
 * terabytes of addresses; the filter stays, with a few calls more that their runtime makes.  A
 * report that it wants to print dies of the filter, which is a crash all the same.
 */
#ifndef SLUICE_INSPECT_SANDBOX_H
#define SLUICE_INSPECT_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

struct sandbox_limits { uint64_t memory_bytes; uint32_t cpu_seconds; };

/* `document` becomes descriptor 0.  false: it could not be done, and then no
 * document may be read. */
bool sandbox_enter(int document, const struct sandbox_limits *) __attribute__((warn_unused_result));

#endif
