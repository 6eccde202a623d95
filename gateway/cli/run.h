/* gateway/cli/run.h -- what the commands do; a file each, named after the command. */
#ifndef SLUICE_GATEWAY_CLI_RUN_H
#define SLUICE_GATEWAY_CLI_RUN_H

#include "gateway/cli/command.h"

#define COMMAND(id, words, arguments, least, most, run, exits, brief, text) int run(const struct call *);
#define OPT(id, letter, name, value, kind, help)
#include "gateway/cli/commands.def"
#undef COMMAND
#undef OPT

#endif
