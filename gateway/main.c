/* gateway/main.c -- the program: a table of commands (cli/commands.def) and nothing else. */
#include "gateway/cli/command.h"

int
main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
