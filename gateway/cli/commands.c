/* gateway/cli/commands.c -- the rows of commands.def as tables. */
#include "gateway/cli/run.h"

enum { COMMAND_ANY = COMMAND_COUNT };

const struct command commands[COMMAND_COUNT] = {
#define COMMAND(id, words, arguments, least, most, run, exits, brief, text) \
    { words, arguments, least, most, run, exits, brief, text },
#define OPT(id, letter, name, value, kind, help)
#include "gateway/cli/commands.def"
#undef COMMAND
#undef OPT
};

const struct command_option command_options[] = {
#define COMMAND(id, words, arguments, least, most, run, exits, brief, text)
#define OPT(id, letter, name, value, kind, help) { COMMAND_##id, letter, name, value, OPTION_##kind, help },
#include "gateway/cli/commands.def"
#undef COMMAND
#undef OPT
};

const size_t command_option_count = sizeof command_options / sizeof command_options[0];

bool
command_has(const struct command *command, const struct command_option *option)
{
    return option->command == COMMAND_ANY || option->command == command - commands;
}

const char *
exit_code_words(int code)
{
    switch (code) {
    case EXIT_CODE_OK:          return "it went well";
    case EXIT_CODE_NEGATIVE:    return "a negative finding: invalid, denied, refused, differs";
    case EXIT_CODE_USAGE:       return "the command line is wrong, or a file that it names cannot be read";
    case EXIT_CODE_CONFIG:      return "the configuration is wrong";
    case EXIT_CODE_DEPENDENCY:  return "the network, the store or something else it depends on failed";
    case EXIT_CODE_PERMISSION:  return "not permitted";
    case EXIT_CODE_INTEGRITY:   return "integrity failure: what is stored is not what was stored";
    case EXIT_CODE_PARTIAL:     return "some of the items failed";
    case EXIT_CODE_INTERRUPTED: return "interrupted";
    default:                    return "";
    }
}
