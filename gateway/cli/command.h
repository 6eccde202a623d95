/* gateway/cli/command.h -- the commands of the program as one table.
 *
 * Rows of commands.def.  The parser, the help texts, `help --json`, the man
 * page and the bash completion are made from them, so a command that works
 * is a command that is documented.
 *
 *     cli_main()  --> finds the command, reads its options  --> struct call  --> run()
 *
 * Conventions: data on stdout, talk on stderr; options may stand anywhere
 * before `--`; times are UTC; exit codes of cli/exit.h.
 */
#ifndef SLUICE_GATEWAY_CLI_COMMAND_H
#define SLUICE_GATEWAY_CLI_COMMAND_H

#include "base/buf.h"
#include "gateway/cli/exit.h"

struct call;

enum command_id {
#define COMMAND(id, words, arguments, least, most, run, exits, brief, text) COMMAND_##id,
#define OPT(id, letter, name, value, kind, help)
#include "gateway/cli/commands.def"
#undef COMMAND
#undef OPT
    COMMAND_COUNT
};

struct command {
    const char *words;                   /* "config check" */
    const char *arguments;               /* "FILE...", empty: none */
    int         least, most;             /* how many arguments; most -1: any number */
    int       (*run)(const struct call *);
    const char *exits;                   /* "0 1 2": codes that it can end with */
    const char *brief;
    const char *text;                    /* paragraphs apart by an empty line */
};

enum option_kind { OPTION_ONCE = 0, OPTION_REPEATS, OPTION_REQUIRED };

struct command_option {
    int              command;            /* COMMAND_COUNT: of every command */
    char             letter;             /* 0: none */
    const char      *name;
    const char      *value;              /* "FILE"; NULL: a flag */
    enum option_kind kind;
    const char      *help;
};

extern const struct command        commands[COMMAND_COUNT];
extern const struct command_option command_options[];
extern const size_t                command_option_count;

/* Whether the option is one of this command: its own or everybody's. */
bool command_has(const struct command *, const struct command_option *);
const char *exit_code_words(int code);

/* ---- a call: the command line, read ----------------------------------------- */

enum { CALL_VALUES = 128 };

struct call {
    const struct command *command;
    const char           *program;
    struct { const struct command_option *option; const char *value; } given[CALL_VALUES];
    size_t                given_count;
    const char          **arguments;     /* what is not an option */
    int                   argument_count;
};

bool        call_has(const struct call *, const char *option);
const char *call_value(const struct call *, const char *option);         /* NULL: not given */
/* The i-th value of an option that repeats; NULL after the last. */
const char *call_value_at(const struct call *, const char *option, size_t i);

/* ---- talk --------------------------------------------------------------------- */

/* "sluice validate: …" on stderr. */
void call_say(const struct call *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes to stdout; EXIT_CODE_DEPENDENCY and a message when that fails. */
int  call_print(const struct call *, struct span text);
int  call_print_buf(const struct call *, const struct buf *);

enum ink { INK_PLAIN = 0, INK_BOLD, INK_RED, INK_YELLOW, INK_GREEN };
/* On stdout: what --color, NO_COLOR (no-color.org) and the terminal say. */
bool        call_colors(const struct call *);
void        call_ink(const struct call *, struct buf *, enum ink, struct span text);
/* A progress line on stderr, only on a terminal; total 0 ends it. */
void        call_progress(const struct call *, const char *what, size_t done, size_t total);

int cli_main(int argc, char **argv);

#endif
