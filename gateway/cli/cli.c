/* gateway/cli/cli.c -- finds the command, reads its options, calls it. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli/help.h"
#include "gateway/cli/run.h"
#include "gateway/ops/file.h"
#include "gateway/ops/suggest.h"

static const struct command *find_command(int argc, char **argv, int *used);
static bool                  read_options(struct call *, int argc, char **argv);
static int                   complain_about_command(const char *program, const char *word);
static void                  on_interrupt(int);

/* --help and --version are what people try first, on any program. */
static char help_word[] = "help", version_word[] = "version";

int
cli_main(int argc, char **argv)
{
    struct call call = { .program = "sluice" };
    int         used = 0;

    signal(SIGINT, on_interrupt);
    if (argc < 2) {
        help_print_list(STDERR_FILENO);
        return EXIT_CODE_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        argv[1] = help_word;
    else if (strcmp(argv[1], "--version") == 0)
        argv[1] = version_word;
    call.command = find_command(argc - 1, argv + 1, &used);
    if (call.command == NULL)
        return complain_about_command(call.program, argv[1]);
    call.arguments = calloc((size_t)argc, sizeof *call.arguments);
    if (call.arguments == NULL)
        return EXIT_CODE_DEPENDENCY;
    int code = EXIT_CODE_USAGE;
    if (!read_options(&call, argc - 1 - used, argv + 1 + used))
        fprintf(stderr, "Try: sluice help %s\n", call.command->words);
    else if (call_has(&call, "help"))
        code = help_print_command(call.command, STDOUT_FILENO) ? EXIT_CODE_OK : EXIT_CODE_DEPENDENCY;
    else
        code = call.command->run(&call);
    free(call.arguments);
    return code;
}

/* Nothing that a command has open needs more than the end of the process. */
static void
on_interrupt(int signal)
{
    (void)signal;
    _exit(EXIT_CODE_INTERRUPTED);
}

/* ---- which command ------------------------------------------------------------ */

/* How many of the words that stand first are the command's; 0: another one. */
static int
words_match(const struct command *command, int argc, char **argv)
{
    struct span rest = span_of(command->words);
    int         n    = 0;
    while (rest.at != NULL) {
        struct span word = span_split(&rest, ' ');
        if (n == argc || !span_eq_text(word, argv[n]))
            return 0;
        n++;
    }
    return n;
}

static const struct command *
find_command(int argc, char **argv, int *used)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        *used = words_match(&commands[i], argc, argv);
        if (*used > 0)
            return &commands[i];
    }
    return NULL;
}

static int
complain_about_command(const char *program, const char *word)
{
    struct suggestion near   = suggestion_for(span_of(word));
    bool              family = false;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        struct span rest  = span_of(commands[i].words);
        struct span first = span_split(&rest, ' ');
        suggestion_offer(&near, first);
        if (rest.at != NULL && span_eq_text(first, word)) {
            fprintf(stderr, "%s sluice %s %s\n", family ? "   or:" : "usage:", commands[i].words, commands[i].arguments);
            family = true;
        }
    }
    if (family)
        return EXIT_CODE_USAGE;
    if (span_empty(near.best))
        fprintf(stderr, "%s: there is no command `%s`; see sluice help\n", program, word);
    else
        fprintf(stderr, "%s: there is no command `%s`; did you mean `%.*s`?\n", program, word, SPAN_PRINT(near.best));
    return EXIT_CODE_USAGE;
}

/* ---- options -------------------------------------------------------------------- */

static const struct command_option *
find_option(const struct command *command, struct span name, char letter)
{
    for (size_t i = 0; i < command_option_count; i++) {
        const struct command_option *o = &command_options[i];
        if (command_has(command, o) && (letter != 0 ? o->letter == letter : span_eq_text(name, o->name)))
            return o;
    }
    return NULL;
}

static bool
unknown_option(const struct call *call, struct span name)
{
    struct suggestion near = suggestion_for(name);
    for (size_t i = 0; i < command_option_count; i++)
        if (command_has(call->command, &command_options[i]))
            suggestion_offer(&near, span_of(command_options[i].name));
    if (span_empty(near.best))
        call_say(call, "there is no option `--%.*s`", SPAN_PRINT(name));
    else
        call_say(call, "there is no option `--%.*s`; did you mean `--%.*s`?", SPAN_PRINT(name), SPAN_PRINT(near.best));
    return false;
}

static bool
give(struct call *call, const struct command_option *option, const char *value)
{
    if (option->kind != OPTION_REPEATS && call_has(call, option->name)) {
        call_say(call, "`--%s` is given twice", option->name);
        return false;
    }
    if (call->given_count == CALL_VALUES) {
        call_say(call, "too many options");
        return false;
    }
    call->given[call->given_count].option  = option;
    call->given[call->given_count++].value = value;
    return true;
}

/* `--name=value`, `--name value`, `-nvalue`, `-n value`, `--flag`, `-f`.
 * *next is the following word, and is taken when it is the value. */
static bool
read_option(struct call *call, const char *word, char **next, int *taken)
{
    bool        is_long = word[1] == '-';
    struct span rest    = span_of(word + 2);
    struct span name    = is_long ? span_split(&rest, '=') : rest;
    const char *inside  = is_long ? rest.at : (word[2] != '\0' ? word + 2 : NULL);

    const struct command_option *o = find_option(call->command, name, is_long ? 0 : word[1]);
    if (o == NULL) {
        if (is_long)
            return unknown_option(call, name);
        call_say(call, "there is no option `-%c`", word[1]);
        return false;
    }
    if (o->value == NULL) {
        if (inside == NULL)
            return give(call, o, "");
        call_say(call, "`--%s` takes no value", o->name);
        return false;
    }
    if (inside != NULL)
        return give(call, o, inside);
    if (*next == NULL) {
        call_say(call, "`--%s` wants a value: %s", o->name, o->value);
        return false;
    }
    *taken = 1;
    return give(call, o, *next);
}

static bool
enough(const struct call *call)
{
    const char *when = call_value(call, "color");
    if (call_has(call, "help"))
        return true;
    if (when != NULL && strcmp(when, "auto") != 0 && strcmp(when, "always") != 0 && strcmp(when, "never") != 0) {
        call_say(call, "`--color` is auto, always or never, not `%s`", when);
        return false;
    }
    for (size_t i = 0; i < command_option_count; i++) {
        const struct command_option *o = &command_options[i];
        if (o->kind == OPTION_REQUIRED && command_has(call->command, o) && !call_has(call, o->name)) {
            call_say(call, "`--%s %s` is missing", o->name, o->value);
            return false;
        }
    }
    if (call->argument_count < call->command->least)
        call_say(call, "%s is missing", call->command->arguments);
    else if (call->command->most >= 0 && call->argument_count > call->command->most)
        call_say(call, "there is no place for `%s`", call->arguments[call->command->most]);
    else
        return true;
    return false;
}

static bool
read_options(struct call *call, int argc, char **argv)
{
    bool only_arguments = false;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (only_arguments || word[0] != '-' || word[1] == '\0') {
            call->arguments[call->argument_count++] = word;
        } else if (strcmp(word, "--") == 0) {
            only_arguments = true;
        } else {
            int   taken = 0;
            char *next  = i + 1 < argc ? argv[i + 1] : NULL;
            if (!read_option(call, word, &next, &taken))
                return false;
            i += taken;
        }
    }
    return enough(call);
}

/* ---- a call ------------------------------------------------------------------------ */

const char *
call_value_at(const struct call *call, const char *option, size_t i)
{
    for (size_t n = 0; n < call->given_count; n++)
        if (strcmp(call->given[n].option->name, option) == 0 && i-- == 0)
            return call->given[n].value;
    return NULL;
}

const char *
call_value(const struct call *call, const char *option)
{
    return call_value_at(call, option, 0);
}

bool
call_has(const struct call *call, const char *option)
{
    return call_value(call, option) != NULL;
}

void
call_say(const struct call *call, const char *format, ...)
{
    char    text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s %s: %s\n", call->program, call->command->words, text);
}

int
call_print(const struct call *call, struct span text)
{
    if (file_write_fd(STDOUT_FILENO, text))
        return EXIT_CODE_OK;
    call_say(call, "cannot write to stdout: %s", strerror(errno));
    return EXIT_CODE_DEPENDENCY;
}

int
call_print_buf(const struct call *call, const struct buf *text)
{
    if (buf_status(text) == ST_OK)
        return call_print(call, buf_span(text));
    call_say(call, "%s", status_text(buf_status(text)));
    return EXIT_CODE_DEPENDENCY;
}

bool
call_colors(const struct call *call)
{
    const char *when = call_value(call, "color"), *none = getenv("NO_COLOR");
    if (when != NULL && strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    return (none == NULL || none[0] == '\0') && isatty(STDOUT_FILENO) == 1;
}

void
call_ink(const struct call *call, struct buf *out, enum ink ink, struct span text)
{
    static const char *const starts[] = { "", "\x1b[1m", "\x1b[31m", "\x1b[33m", "\x1b[32m" };
    bool                     colored  = ink != INK_PLAIN && call_colors(call);
    if (colored)
        buf_add_text(out, starts[ink]);
    buf_add(out, text);
    if (colored)
        buf_add_text(out, "\x1b[0m");
}

void
call_progress(const struct call *call, const char *what, size_t done, size_t total)
{
    (void)call;
    if (isatty(STDERR_FILENO) != 1)
        return;
    if (total == 0)
        fputs("\r\x1b[K", stderr);
    else
        fprintf(stderr, "\r%s %zu/%zu\x1b[K", what, done, total);
    fflush(stderr);
}
