/* gateway/ops/config_text.c -- the configuration as text: effective, sample, reference. */
#include <string.h>

#include "base/json_author.h"
#include "gateway/ops/options.h"

enum { NAME_COLUMN = 26 };

/* Double quotes, with what libconfuse would read otherwise escaped: its own
 * backslash, and ${…}, which it takes from the environment. */
static void
add_quoted(struct buf *out, struct span text)
{
    buf_add_byte(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        if (c == '"' || c == '\\' || (c == '$' && i + 1 < text.length && text.at[i + 1] == '{'))
            buf_add_byte(out, '\\');
        if (c == '\n')
            buf_add_text(out, "\\n");
        else
            buf_add_byte(out, c);
    }
    buf_add_byte(out, '"');
}

static bool
bare(const struct option *option)
{
    return option->type == OPTION_FLAG || option->type == OPTION_PORT || option->type == OPTION_COUNT
           || option->type == OPTION_BYTES;
}

static void
add_value(struct buf *out, const struct setting *s, struct span value)
{
    if (s->hidden || (s->option->secret && !span_empty(value)))
        buf_add_text(out, "\"***\"");
    else if (bare(s->option))
        buf_add(out, value);
    else
        add_quoted(out, value);
}

static void
add_padded(struct buf *out, const char *name)
{
    size_t length = strlen(name);
    buf_add_text(out, name);
    for (size_t i = length; i < NAME_COLUMN; i++)
        buf_add_byte(out, ' ');
}

static void
add_setting(struct buf *out, const struct setting *s)
{
    if (s->count == 0)
        return;
    buf_add_text(out, "    ");
    add_padded(out, s->option->name);
    buf_add_text(out, " = ");
    if (!option_is_list(s->option)) {
        add_value(out, s, s->values[0]);
    } else {
        buf_add_text(out, "{ ");
        for (size_t i = 0; i < s->count; i++) {
            buf_add_text(out, i > 0 ? ", " : "");
            add_value(out, s, s->values[i]);
        }
        buf_add_text(out, " }");
    }
    if (!s->given)
        buf_add_text(out, "    # default");
    buf_add_byte(out, '\n');
}

enum status
config_print(const struct config *config, struct buf *out)
{
    const struct config_file *file = (const struct config_file *)(const void *)config;
    for (size_t i = 0; i < file->section_count; i++) {
        const struct setting_section *section = &file->sections[i];
        buf_add_text(out, i > 0 ? "\n" : "");
        buf_add_text(out, option_sections[section->id].name);
        buf_add_byte(out, ' ');
        if (option_sections[section->id].many) {
            add_quoted(out, section->title);
            buf_add_byte(out, ' ');
        }
        buf_add_text(out, "{\n");
        for (size_t s = 0; s < section->count; s++)
            add_setting(out, &section->settings[s]);
        buf_add_text(out, "}\n");
    }
    return buf_status(out);
}

/* ---- the same as JSON -------------------------------------------------------- */

static void
author_setting(author_value section, const struct setting *s)
{
    if (s->count == 0)
        return;
    bool         hide = s->hidden || (s->option->secret && !span_empty(s->values[0]));
    author_value list = option_is_list(s->option) ? author_add_array(section, s->option->name) : section;
    for (size_t i = 0; i < s->count; i++) {
        const char *name   = option_is_list(s->option) ? NULL : s->option->name;
        uint64_t    number = 0;
        if (hide)
            author_add_cstr(list, name, "***");
        else if (s->option->type == OPTION_FLAG)
            author_add_bool(list, name, span_eq(s->values[i], SPAN("true")) || span_eq(s->values[i], SPAN("yes"))
                                            || span_eq(s->values[i], SPAN("on")));
        else if (bare(s->option) && span_to_u64(s->values[i], &number))
            author_add_integer(list, name, (int64_t)number);
        else
            author_add_text(list, name, s->values[i]);
    }
}

/* {"listen":{…},"client":[{"title":"valley-ehr",…}]} */
enum status
config_print_json(const struct config *config, struct buf *out)
{
    const struct config_file *file = (const struct config_file *)(const void *)config;
    struct author            *a    = author_new();
    author_value              root = author_object(a);
    for (size_t id = 0; id < SECTION_COUNT; id++) {
        bool         many = option_sections[id].many;
        author_value list = many ? author_add_array(root, option_sections[id].name) : root;
        for (size_t i = 0; i < file->section_count; i++) {
            const struct setting_section *section = &file->sections[i];
            if (section->id != id)
                continue;
            author_value one = author_add_object(list, many ? NULL : option_sections[id].name);
            if (many)
                author_add_text(one, "title", section->title);
            for (size_t s = 0; s < section->count; s++)
                author_setting(one, &section->settings[s]);
        }
    }
    enum status st = author_print(a, out, AUTHOR_PRETTY);
    author_free(&a);
    buf_add_byte(out, '\n');
    return st;
}

/* ---- from the rows alone --------------------------------------------------- */

static void
add_choices(struct buf *out, const char *choices, const char *mark)
{
    struct span rest = span_of(choices);
    for (bool first = true; rest.at != NULL; first = false) {
        buf_add_text(out, first ? "" : ", ");
        buf_add_text(out, mark);
        buf_add(out, span_split(&rest, '|'));
        buf_add_text(out, mark);
    }
}

/* Something of the right form where there is no default. */
static struct span
sample_value(const struct option *o)
{
    switch (o->type) {
    case OPTION_WORDS: {
        struct span rest = span_of(o->choices);
        return span_split(&rest, '|');
    }
    case OPTION_IDENTIFIERS: return SPAN("http://hl7.org/fhir/sid/us-npi|1000000000");
    case OPTION_CLIENTS:
    case OPTION_RECIPIENTS:  return SPAN("title");
    case OPTION_URL:         return SPAN("https://fhir.example.org/fhir");
    case OPTION_PATH:        return SPAN("path/to/file");
    default:                 return SPAN("...");
    }
}

static void
sample_option(struct buf *out, const struct option *o)
{
    bool given = o->initial != NULL && o->initial[0] != '\0';
    buf_add_format(out, "    # %s", o->help);
    if (o->choices[0] != '\0') {
        buf_add_text(out, "\n    #   one of ");
        add_choices(out, o->choices, "");
    }
    buf_add_format(out, "\n    %s%s = ", o->initial == NULL ? "" : "# ", o->name);
    if (option_is_list(o)) {
        buf_add_text(out, "{ ");
        add_quoted(out, sample_value(o));
        buf_add_text(out, " }");
    } else if (bare(o)) {
        buf_add_text(out, o->initial);
    } else {
        add_quoted(out, given ? span_of(o->initial) : sample_value(o));
    }
    buf_add_byte(out, '\n');
}

enum status
config_print_sample(struct buf *out)
{
    buf_add_text(out, "# A Sluice configuration with every option; what is commented out is optional\n"
                      "# or has the value that it has anyway.  Check it with: sluice config check -c FILE\n");
    for (size_t id = 0; id < SECTION_COUNT; id++) {
        const struct option_section *section = &option_sections[id];
        buf_add_format(out, "\n# %s.\n%s%s {\n", section->help, section->name, section->many ? " \"title\"" : "");
        for (size_t i = 0; i < option_row_count; i++)
            if (option_rows[i].section == id)
                sample_option(out, &option_rows[i]);
        buf_add_text(out, "}\n");
    }
    return buf_status(out);
}

static void
reference_option(struct buf *out, const struct option *o)
{
    buf_add_format(out, "| `%s` | %s | ", o->name, option_type_words(o));
    if (o->initial == NULL)
        buf_add_text(out, "required");
    else if (o->initial[0] != '\0')
        buf_add_format(out, "`%s`", o->initial);
    buf_add_format(out, " | %s | %s%s", o->live ? "yes" : "no", o->help, o->secret ? ". Never printed" : "");
    if (o->choices[0] != '\0') {
        buf_add_text(out, ". One of ");
        add_choices(out, o->choices, "`");
    }
    if (o->maximum > 0)
        buf_add_format(out, ". From %llu to %llu", (unsigned long long)o->minimum, (unsigned long long)o->maximum);
    buf_add_text(out, " |\n");
}

enum status
config_print_reference(struct buf *out)
{
    buf_add_text(
        out,
        "# Configuration reference\n\n"
        "Made from `gateway/ops/options.def` by `sluice config reference`; a test fails when this page is older\n"
        "than the rows. How the pieces fit together is in [operations](../operations.md).\n\n"
        "The file is read by libconfuse: `section { option = value }`, lists in braces, `#` begins a comment,\n"
        "`include(\"file\")` reads another file. Relative paths start at the file's own folder. A value may be\n"
        "`\"file:PATH\"` (the content of a file, without its last newline) or `\"$NAME\"` (an environment\n"
        "variable), so that secrets stay out of the file; what comes that way is never printed.\n");
    for (size_t id = 0; id < SECTION_COUNT; id++) {
        const struct option_section *section = &option_sections[id];
        buf_add_format(out, "\n## `%s%s`\n\n%s.%s\n\n| option | type | default | reload | meaning |\n|---|---|---|---|---|\n",
                       section->name, section->many ? " \"title\"" : "", section->help,
                       section->many ? " Any number of sections, each with a title of its own." : "");
        for (size_t i = 0; i < option_row_count; i++)
            if (option_rows[i].section == id)
                reference_option(out, &option_rows[i]);
    }
    return buf_status(out);
}
