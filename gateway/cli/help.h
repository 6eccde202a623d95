/* gateway/cli/help.h -- the command table as text for people and programs. */
#ifndef SLUICE_GATEWAY_CLI_HELP_H
#define SLUICE_GATEWAY_CLI_HELP_H

#include "gateway/cli/command.h"

bool help_print_list(int fd);
bool help_print_command(const struct command *, int fd);

enum status help_list(struct buf *) MUST_CHECK;
enum status help_command(const struct command *, struct buf *) MUST_CHECK;
enum status help_json(struct buf *) MUST_CHECK;
enum status help_man(struct buf *) MUST_CHECK;              /* mdoc(7) */
enum status help_bash(struct buf *) MUST_CHECK;             /* completion script */

#endif
