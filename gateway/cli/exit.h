/* gateway/cli/exit.h -- exit codes of every command (docs/operations.md). */
#ifndef SLUICE_GATEWAY_CLI_EXIT_H
#define SLUICE_GATEWAY_CLI_EXIT_H

enum exit_code {
    EXIT_CODE_OK         = 0,
    EXIT_CODE_NEGATIVE   = 1,            /* a negative finding: invalid, denied, differs */
    EXIT_CODE_USAGE      = 2,
    EXIT_CODE_CONFIG     = 3,
    EXIT_CODE_DEPENDENCY = 4,            /* network or something it depends on */
    EXIT_CODE_PERMISSION = 5,
    EXIT_CODE_INTEGRITY  = 6,
    EXIT_CODE_PARTIAL    = 7,            /* some items failed */
    EXIT_CODE_INTERRUPTED = 130,
};

#endif
