/* gateway/cli/findings_junit.c -- findings as JUnit XML, which every build server reads.
 *
 * There is no standard of it; what is written is what the common readers have
 * in common: testsuites > testsuite (name, tests, failures, errors, skipped,
 * time) > testcase (name, classname, time) > failure or error (message, type),
 * system-out.  An invalid input is a failure, one that could not be looked at
 * is an error, warnings of a valid one are in system-out.
 */
#include "gateway/cli/findings.h"

#include <stdio.h>

#include "base/markup.h"

static void
begin(struct findings *f)
{
    char name[64];

    buf_add_text(&f->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    snprintf(name, sizeof name, "sluice %s", f->call->command->words);
    markup_attribute(&f->out, "name", span_of(name));
    buf_add_text(&f->out, ">\n");
}

static void
add_lines(struct findings *f, const struct findings_input *input)
{
    struct buf line;

    buf_init(&line, 1 << 16);
    for (uint32_t i = 0; i < issues_count(input->issues); i++) {
        const struct issue *one = issues_at(input->issues, i);
        buf_clear(&line);
        buf_add_format(&line, "%s ", severity_text(one->severity));
        if (one->line > 0)
            buf_add_format(&line, "%zu:%u ", one->line + (input->line > 0 ? input->line - 1 : 0), one->column);
        buf_add_format(&line, "%.*s [%s] ", SPAN_PRINT(one->expression), findings_rule(one));
        findings_sentence(&line, one);
        markup_text(&f->held, buf_span(&line));
        buf_add_byte(&f->held, '\n');
    }
    if (issues_dropped(input->issues) > 0)
        buf_add_format(&f->held, "and %u more\n", issues_dropped(input->issues));
    buf_release(&line);
}

/* Readers list failures by their message: the first finding. */
static void
add_message(struct findings *f, const struct issue *first)
{
    struct buf text;

    buf_init(&text, 1 << 16);
    findings_sentence(&text, first);
    markup_attribute(&f->held, "message", buf_span(&text));
    buf_release(&text);
}

static void
add(struct findings *f, const struct findings_input *input)
{
    const char *element = input->valid ? "system-out" : input->unread ? "error" : "failure";
    char        name[48];

    snprintf(name, sizeof name, "line %zu", input->line);
    buf_add_text(&f->held, "    <testcase");
    markup_attribute(&f->held, "name", input->line > 0 ? span_of(name) : SPAN("document"));
    markup_attribute(&f->held, "classname", span_of(f->file));
    buf_add_format(&f->held, " time=\"%.6f\">", input->seconds);
    if (!input->valid || issues_count(input->issues) > 0) {
        buf_add_format(&f->held, "<%s", element);
        if (!input->valid && issues_count(input->issues) > 0)
            add_message(f, issues_at(input->issues, 0));
        if (!input->valid)
            markup_attribute(&f->held, "type", input->unread ? SPAN("not read") : SPAN("invalid"));
        buf_add_byte(&f->held, '>');
        add_lines(f, input);
        buf_add_format(&f->held, "</%s>", element);
    }
    buf_add_text(&f->held, "</testcase>\n");
}

static void
file_end(struct findings *f)
{
    const struct findings_count *c = &f->of_file;

    buf_add_text(&f->out, "  <testsuite");
    markup_attribute(&f->out, "name", span_of(f->file));
    buf_add_format(&f->out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"0\" time=\"%.6f\">\n", c->inputs,
                   c->invalid, c->unread, f->seconds);
    buf_add(&f->out, buf_span(&f->held));
    buf_add_text(&f->out, "  </testsuite>\n");
    if (buf_status(&f->held) != ST_OK) {
        call_say(f->call, "%s: its findings did not fit into one testsuite", f->file);
        f->broken = true;
    }
    buf_clear(&f->held);
}

static void
end(struct findings *f)
{
    buf_add_text(&f->out, "</testsuites>\n");
}

const struct findings_form findings_junit = { .name = "junit", .begin = begin, .add = add, .file_end = file_end, .end = end };
