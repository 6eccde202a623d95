/* gateway/cli/help.c -- the command table as text for people and programs. */
#include "gateway/cli/help.h"

#include <stdio.h>
#include <string.h>

#include "base/json_author.h"
#include "gateway/cli/run.h"
#include "gateway/ops/file.h"
#include "gateway/ops/suggest.h"
#include "gateway/version.h"

enum { PAGE_BYTES = 1 << 20, TEXT_COLUMNS = 78, NAME_COLUMN = 20, OPTION_COLUMN = 22 };

static const char manual_date[] = "November 22, 2026";

/* ---- plain text ------------------------------------------------------------------ */

static void
add_spaces(struct buf *out, size_t count)
{
    while (count-- > 0)
        buf_add_byte(out, ' ');
}

/* Breaks between words; `column` is where the text already stands. */
static void
add_wrapped(struct buf *out, struct span text, size_t indent, size_t column)
{
    while (!span_empty(text)) {
        struct span rest = text;
        struct span word = span_split(&rest, ' ');
        if (column > indent && column + 1 + word.length > TEXT_COLUMNS) {
            buf_add_byte(out, '\n');
            add_spaces(out, indent);
            column = indent;
        } else if (column > indent) {
            buf_add_byte(out, ' ');
            column++;
        }
        buf_add(out, word);
        column += word.length;
        text = rest;
    }
    buf_add_byte(out, '\n');
}

/* "-c, --config FILE" */
static size_t
add_option_name(struct buf *out, const struct command_option *o)
{
    size_t before = out->length;
    if (o->letter != 0)
        buf_add_format(out, "-%c, ", o->letter);
    buf_add_format(out, "--%s%s%s", o->name, o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
    return out->length - before;
}

enum status
help_list(struct buf *out)
{
    buf_add_text(out, "Sluice, a FHIR R4 gateway for behavioral health.\n\nusage: sluice COMMAND [OPTION]... [ARGUMENT]...\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        size_t length = strlen(commands[i].words);
        buf_add_format(out, "  %s", commands[i].words);
        add_spaces(out, length < NAME_COLUMN - 2 ? NAME_COLUMN - 2 - length : 1);
        add_wrapped(out, span_of(commands[i].brief), NAME_COLUMN, NAME_COLUMN);
    }
    buf_add_text(out, "\nsluice help COMMAND says more; sluice help --man is the manual page.\n");
    return buf_status(out);
}

static void
add_synopsis(struct buf *out, const struct command *command)
{
    for (size_t i = 0; i < command_option_count; i++) {
        const struct command_option *o = &command_options[i];
        if (o->kind != OPTION_REQUIRED || !command_has(command, o))
            continue;
        if (o->letter != 0)
            buf_add_format(out, " -%c %s", o->letter, o->value);
        else
            buf_add_format(out, " --%s %s", o->name, o->value);
    }
    buf_add_text(out, " [OPTION]...");
    if (command->arguments[0] != '\0')
        buf_add_format(out, " %s", command->arguments);
}

enum status
help_command(const struct command *command, struct buf *out)
{
    buf_add_format(out, "usage: sluice %s", command->words);
    add_synopsis(out, command);
    buf_add_format(out, "\n\n%s.\n", command->brief);
    struct span rest = span_of(command->text);
    while (rest.at != NULL) {
        struct span line = span_split(&rest, '\n');
        buf_add_byte(out, '\n');
        if (!span_empty(line))
            add_wrapped(out, line, 0, 0);
        if (rest.at != NULL)
            span_split(&rest, '\n');
    }
    buf_add_text(out, "\nOptions:\n");
    for (size_t i = 0; i < command_option_count; i++) {
        const struct command_option *o = &command_options[i];
        if (!command_has(command, o))
            continue;
        add_spaces(out, 2);
        size_t length = add_option_name(out, o);
        bool   narrow = length + 4 <= OPTION_COLUMN;
        if (!narrow)
            buf_add_byte(out, '\n');
        add_spaces(out, narrow ? OPTION_COLUMN - 2 - length : OPTION_COLUMN);
        add_wrapped(out, span_of(o->help), OPTION_COLUMN, OPTION_COLUMN);
    }
    buf_add_text(out, "\nExit status:\n");
    rest = span_of(command->exits);
    while (rest.at != NULL) {
        uint64_t code = 0;
        if (span_to_u64(span_split(&rest, ' '), &code))
            buf_add_format(out, "  %-4d%s\n", (int)code, exit_code_words((int)code));
    }
    return buf_status(out);
}

static bool
print_page(enum status st, struct buf *page, int fd)
{
    bool printed = st == ST_OK && file_write_fd(fd, buf_span(page));
    buf_release(page);
    return printed;
}

bool
help_print_list(int fd)
{
    struct buf page;
    buf_init(&page, PAGE_BYTES);
    return print_page(help_list(&page), &page, fd);
}

bool
help_print_command(const struct command *command, int fd)
{
    struct buf page;
    buf_init(&page, PAGE_BYTES);
    return print_page(help_command(command, &page), &page, fd);
}

/* ---- JSON ----------------------------------------------------------------------- */

static void
author_option(author_value list, const struct command_option *o)
{
    author_value one = author_add_object(list, NULL);
    author_add_cstr(one, "name", o->name);
    if (o->letter != 0)
        author_add_text(one, "letter", span_from(&o->letter, 1));
    author_add_cstr(one, "value", o->value);
    author_add_bool(one, "repeats", o->kind == OPTION_REPEATS);
    author_add_bool(one, "required", o->kind == OPTION_REQUIRED);
    author_add_cstr(one, "help", o->help);
}

static void
author_exits(author_value list, const char *exits)
{
    struct span rest = span_of(exits);
    while (rest.at != NULL) {
        uint64_t code = 0;
        if (!span_to_u64(span_split(&rest, ' '), &code))
            continue;
        author_value one = author_add_object(list, NULL);
        author_add_integer(one, "code", (int64_t)code);
        author_add_cstr(one, "meaning", exit_code_words((int)code));
    }
}

enum status
help_json(struct buf *out)
{
    struct author *a    = author_new();
    author_value   root = author_object(a);
    author_add_cstr(root, "program", "sluice");
    author_add_cstr(root, "version", SLUICE_VERSION);
    author_value list = author_add_array(root, "commands");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        author_value one = author_add_object(list, NULL);
        author_add_cstr(one, "name", commands[i].words);
        author_add_cstr(one, "arguments", commands[i].arguments);
        author_add_cstr(one, "brief", commands[i].brief);
        author_add_cstr(one, "text", commands[i].text);
        author_value options = author_add_array(one, "options");
        for (size_t n = 0; n < command_option_count; n++)
            if (command_has(&commands[i], &command_options[n]))
                author_option(options, &command_options[n]);
        author_exits(author_add_array(one, "exitStatus"), commands[i].exits);
    }
    enum status st = author_print(a, out, AUTHOR_PRETTY);
    author_free(&a);
    buf_add_byte(out, '\n');
    return st == ST_OK ? buf_status(out) : st;
}

/* ---- the manual page ---------------------------------------------------------------- */

/* mdoc(7): a backslash is written \e, and a line may not begin with a dot or
 * a quote. */
static void
add_roff(struct buf *out, struct span text)
{
    bool start = true;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        if (start && (c == '.' || c == '\''))
            buf_add_text(out, "\\&");
        if (c == '\\')
            buf_add_text(out, "\\e");
        else if (c == '-')
            buf_add_text(out, "\\-");
        else
            buf_add_byte(out, c);
        start = c == '\n';
    }
    buf_add_byte(out, '\n');
}

static void
man_option(struct buf *out, const struct command_option *o)
{
    buf_add_text(out, ".It ");
    if (o->letter != 0)
        buf_add_format(out, "Fl %c , ", o->letter);
    buf_add_format(out, "Fl Fl %s%s%s\n", o->name, o->value != NULL ? " Ar " : "", o->value != NULL ? o->value : "");
    add_roff(out, span_of(o->help));
}

static void
man_command(struct buf *out, const struct command *command)
{
    buf_add_format(out, ".Ss %s\n.Nm sluice %s", command->words, command->words);
    add_synopsis(out, command);
    buf_add_text(out, "\n.Pp\n");
    struct span rest = span_of(command->text);
    while (rest.at != NULL) {
        struct span line = span_split(&rest, '\n');
        if (span_empty(line))
            buf_add_text(out, ".Pp\n");
        else
            add_roff(out, line);
    }
    bool listed = false;
    for (size_t i = 0; i < command_option_count; i++) {
        const struct command_option *o = &command_options[i];
        if (!command_has(command, o) || o->command == COMMAND_COUNT)
            continue;
        buf_add_text(out, listed ? "" : ".Bl -tag -width Ds\n");
        listed = true;
        man_option(out, o);
    }
    buf_add_format(out, "%s.Pp\nExit status: %s.\n", listed ? ".El\n" : "", command->exits);
}

enum status
help_man(struct buf *out)
{
    buf_add_format(out, ".Dd %s\n.Dt SLUICE 1\n.Os Sluice %s\n", manual_date, SLUICE_VERSION);
    buf_add_text(out, ".Sh NAME\n.Nm sluice\n.Nd FHIR R4 gateway for behavioral health\n"
                      ".Sh SYNOPSIS\n.Nm sluice\n.Ar command\n.Op Ar option ...\n.Op Ar argument ...\n"
                      ".Sh DESCRIPTION\nTakes FHIR R4 Bundles, decides under 42 CFR Part 2 and the patient's consent what each\n"
                      "recipient may see, sends exactly that, and records every disclosure in a log that can be verified.\n"
                      "Data goes to the standard output, talk to the standard error output.\n"
                      ".Pp\nEvery command takes:\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < command_option_count; i++) {
        const struct command_option *o = &command_options[i];
        if (o->command == COMMAND_COUNT)
            man_option(out, o);
    }
    buf_add_text(out, ".El\n.Sh COMMANDS\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        man_command(out, &commands[i]);
    buf_add_text(out, ".Sh EXIT STATUS\n.Bl -tag -width Ds\n");
    for (int code = 0; code <= EXIT_CODE_INTERRUPTED; code++)
        if (exit_code_words(code)[0] != '\0')
            buf_add_format(out, ".It %d\n%s\n", code, exit_code_words(code));
    buf_add_text(out, ".El\n");
    return buf_status(out);
}

/* ---- completion ---------------------------------------------------------------------- */

/* The distinct words at place `depth` of the commands that begin with `before`. */
static void
bash_words(struct buf *out, struct span before)
{
    struct span last = { NULL, 0 };
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        struct span words = span_of(commands[i].words);
        if (!span_empty(before)) {
            if (!span_starts(words, before) || words.length <= before.length || words.at[before.length] != ' ')
                continue;
            words = span_skip(words, before.length + 1);
        }
        struct span word = span_split(&words, ' ');
        if (span_eq(word, last))
            continue;
        last = word;
        buf_add_byte(out, ' ');
        buf_add(out, word);
    }
}

static void
bash_options(struct buf *out, const struct command *command)
{
    buf_add_format(out, "    '%s') words='", command->words);
    for (size_t i = 0; i < command_option_count; i++)
        if (command_has(command, &command_options[i]))
            buf_add_format(out, "--%s ", command_options[i].name);
    if (strcmp(command->words, "completion") == 0)
        buf_add_text(out, "bash ");
    buf_add_text(out, "' ;;\n");
}

enum status
help_bash(struct buf *out)
{
    buf_add_text(out, "# bash completion for sluice; made by `sluice completion bash`\n"
                      "_sluice()\n{\n    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command words=\n"
                      "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W '");
    bash_words(out, (struct span){ NULL, 0 });
    buf_add_text(out, "' -- \"$current\"))\n        return\n    fi\n    command=${COMP_WORDS[1]}\n    case $command in\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        struct span rest  = span_of(commands[i].words);
        struct span first = span_split(&rest, ' ');
        struct span last  = i > 0 ? span_of(commands[i - 1].words) : (struct span){ NULL, 0 };
        if (rest.at == NULL || span_eq(span_split(&last, ' '), first))
            continue;
        buf_add_format(out, "    %.*s)\n        if [ \"$COMP_CWORD\" -eq 2 ]; then\n            COMPREPLY=($(compgen -W '", SPAN_PRINT(first));
        bash_words(out, first);
        buf_add_text(out, "' -- \"$current\"))\n            return\n        fi\n        command=\"$command ${COMP_WORDS[2]}\" ;;\n");
    }
    buf_add_text(out, "    esac\n    case $command in\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        bash_options(out, &commands[i]);
    buf_add_text(out, "    esac\n    case $current in\n    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$current\")) ;;\n"
                      "    *)  case $previous in\n        --color) COMPREPLY=($(compgen -W 'auto always never' -- \"$current\")) ;;\n"
                      "        *) COMPREPLY=($(compgen -f -- \"$current\")) ;;\n        esac ;;\n    esac\n}\n"
                      "complete -o filenames -F _sluice sluice\n");
    return buf_status(out);
}

/* ---- the commands ----------------------------------------------------------------------- */

static int
print_made(const struct call *call, enum status (*make)(struct buf *))
{
    struct buf page;
    buf_init(&page, PAGE_BYTES);
    enum status st   = make(&page);
    int         code = st == ST_OK ? call_print(call, buf_span(&page)) : EXIT_CODE_DEPENDENCY;
    buf_release(&page);
    return code;
}

/* "config" alone is a family: the pages of all its commands. */
static int
print_named(const struct call *call)
{
    char   name[128] = "";
    size_t found     = 0;
    for (int i = 0, used = 0; i < call->argument_count && used < (int)sizeof name; i++)
        used += snprintf(name + used, sizeof name - (size_t)used, "%s%s", i > 0 ? " " : "", call->arguments[i]);
    struct suggestion near = suggestion_for(span_of(name));
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        struct span words = span_of(commands[i].words);
        suggestion_offer(&near, words);
        bool same   = span_eq_text(words, name);
        bool family = span_starts(words, span_of(name)) && words.length > strlen(name) && words.at[strlen(name)] == ' ';
        if (!same && !family)
            continue;
        if (found++ > 0 && call_print(call, SPAN("\n")) != EXIT_CODE_OK)
            return EXIT_CODE_DEPENDENCY;
        if (!help_print_command(&commands[i], 1))
            return EXIT_CODE_DEPENDENCY;
    }
    if (found > 0)
        return EXIT_CODE_OK;
    call_say(call, "there is no command `%s`%s%.*s%s", name, span_empty(near.best) ? "" : "; did you mean `", SPAN_PRINT(near.best),
             span_empty(near.best) ? "" : "`?");
    return EXIT_CODE_USAGE;
}

int
command_help(const struct call *call)
{
    if (call_has(call, "json"))
        return print_made(call, help_json);
    if (call_has(call, "man"))
        return print_made(call, help_man);
    if (call->argument_count > 0)
        return print_named(call);
    return print_made(call, help_list);
}

int
command_completion(const struct call *call)
{
    if (strcmp(call->arguments[0], "bash") == 0)
        return print_made(call, help_bash);
    call_say(call, "completion is there for bash, not for `%s`", call->arguments[0]);
    return EXIT_CODE_USAGE;
}

int
command_version(const struct call *call)
{
    if (call_has(call, "json"))
        return call_print(call, SPAN("{\"version\":\"" SLUICE_VERSION "\",\"policyVersion\":\"" SLUICE_POLICY_VERSION "\"}\n"));
    return call_print(call, SPAN("sluice " SLUICE_VERSION " (rules " SLUICE_POLICY_VERSION ")\n"));
}
