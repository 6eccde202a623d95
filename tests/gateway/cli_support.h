/* tests/gateway/cli_support.h -- sluice as a shell runs it, in the folder of a test. */
#ifndef SLUICE_TESTS_GATEWAY_CLI_SUPPORT_H
#define SLUICE_TESTS_GATEWAY_CLI_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "gateway/ops/file.h"

struct ran { struct buf out, err; };     /* zeroed; ran_release() */

static inline void
ran_release(struct ran *r)
{
    buf_release(&r->out);
    buf_release(&r->err);
}

static inline void
ran_read(const char *folder, const char *name, struct buf *into)
{
    char path[128];

    buf_release(into);
    buf_init(into, 16 << 20);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(file_read(path, into), ST_OK);
}

/* `line` after the shell has read it: sluice's exit code, out, err. */
static inline int
cli_run(const char *folder, const char *line, struct ran *r)
{
    char command[1024];

    (void)snprintf(command, sizeof command, "cd %s && " SLUICE_BINARY_DIR "/sluice %s >out 2>err </dev/null", folder, line);
    int status = system(command);
    ran_read(folder, "out", &r->out);
    ran_read(folder, "err", &r->err);
    return WEXITSTATUS(status);
}

#endif
