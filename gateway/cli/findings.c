/* gateway/cli/findings.c -- findings as text and as JSON; counts and the summary. */
#include "gateway/cli/findings.h"

#include <string.h>

#include "base/json_author.h"
#include "fhir/outcome.h"

enum { OUT_BYTES = 64 << 20, RULES_BYTES = 8 << 20 };

static const struct findings_form findings_text, findings_json;

static const struct findings_form *
form_named(const char *name)
{
    const struct findings_form *const forms[] = { &findings_text, &findings_json, &findings_sarif, &findings_junit };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(forms[i]->name, name) == 0)
            return forms[i];
    return NULL;
}

bool
findings_open(struct findings *f, const struct call *call)
{
    const char *name = call_value(call, "format");

    *f = (struct findings){ .call = call };
    if (name == NULL)
        name = call_has(call, "json") ? "json" : "text";
    else if (call_has(call, "json") && strcmp(name, "json") != 0) {
        call_say(call, "--json and --format %s: choose one", name);
        return false;
    }
    f->form = form_named(name);
    if (f->form == NULL) {
        call_say(call, "--format %s: want text, json, sarif or junit", name);
        return false;
    }
    f->arena = arena_new("findings", RULES_BYTES);
    buf_init(&f->out, OUT_BYTES);
    buf_init(&f->held, OUT_BYTES);
    if (f->form->begin != NULL)
        f->form->begin(f);
    return f->arena != NULL;
}

static void
print(struct findings *f)
{
    if (call_print_buf(f->call, &f->out) != EXIT_CODE_OK)
        f->broken = true;
    buf_clear(&f->out);
}

static void
end_file(struct findings *f)
{
    if (f->file != NULL && f->form->file_end != NULL) {
        f->form->file_end(f);
        print(f);
    }
    f->file = NULL;
}

void
findings_file(struct findings *f, const char *file)
{
    end_file(f);
    f->file    = file;
    f->of_file = (struct findings_count){ 0 };
    f->seconds = 0;
    if (f->form->file_begin != NULL)
        f->form->file_begin(f);
}

static void
count(struct findings_count *c, const struct findings_input *input)
{
    c->inputs++;
    c->unread += input->unread;
    c->valid += input->valid;
    c->invalid += !input->valid && !input->unread;
    for (uint32_t i = 0; i < issues_count(input->issues); i++) {
        const struct issue *one = issues_at(input->issues, i);
        c->errors += one->severity <= SEVERITY_ERROR ? one->times : 0;
        c->warnings += one->severity == SEVERITY_WARNING ? one->times : 0;
    }
}

void
findings_add(struct findings *f, const struct findings_input *input)
{
    count(&f->all, input);
    count(&f->of_file, input);
    f->seconds += input->seconds;
    f->form->add(f, input);
    print(f);
}

void
findings_close(struct findings *f)
{
    const struct findings_count *c = &f->all;

    end_file(f);
    if (f->form->end != NULL) {
        f->form->end(f);
        print(f);
    }
    if (f->form == &findings_text && c->inputs > 1)
        call_say(f->call, "%zu inputs: %zu valid, %zu invalid, %zu not read; %zu errors, %zu warnings", c->inputs, c->valid,
                 c->invalid, c->unread, c->errors, c->warnings);
    buf_release(&f->out);
    buf_release(&f->held);
    arena_free(&f->arena);
}

/* ---- words -------------------------------------------------------------------------- */

const char *
findings_rule(const struct issue *issue)
{
    return issue->rule != NULL ? issue->rule : issue_code_text(issue->code);
}

void
findings_sentence(struct buf *out, const struct issue *issue)
{
    bool both = !span_empty(issue->wanted) && !span_empty(issue->found);

    buf_add_format(out, "%.*s%s%.*s", SPAN_PRINT(issue->wanted), both ? ", " : "", SPAN_PRINT(issue->found));
    if (!span_empty(issue->hint))
        buf_add_format(out, "; %.*s", SPAN_PRINT(issue->hint));
    if (issue->times > 1)
        buf_add_format(out, " (%u times; this is the first)", issue->times);
}

/* ---- text --------------------------------------------------------------------------- */

/* Severity, place, rule and what to do. */
static void
add_text_issue(struct findings *f, const struct issue *issue)
{
    static const enum ink inks[] = { INK_RED, INK_RED, INK_YELLOW, INK_PLAIN };

    buf_add_text(&f->out, "  ");
    call_ink(f->call, &f->out, inks[issue->severity], span_of(severity_text(issue->severity)));
    if (issue->line > 0)
        buf_add_format(&f->out, " %u:%u", issue->line, issue->column);
    if (!span_empty(issue->expression))
        buf_add_format(&f->out, " %.*s", SPAN_PRINT(issue->expression));
    buf_add_format(&f->out, " [%s] ", findings_rule(issue));
    findings_sentence(&f->out, issue);
    buf_add_byte(&f->out, '\n');
}

static void
add_text(struct findings *f, const struct findings_input *input)
{
    buf_add_text(&f->out, f->file);
    if (input->line > 0)
        buf_add_format(&f->out, ":%zu", input->line);
    buf_add_text(&f->out, ": ");
    call_ink(f->call, &f->out, input->valid ? INK_GREEN : INK_RED,
             input->valid ? SPAN("valid") : input->unread ? SPAN("not read") : SPAN("invalid"));
    buf_add_byte(&f->out, '\n');
    for (uint32_t i = 0; i < issues_count(input->issues); i++)
        add_text_issue(f, issues_at(input->issues, i));
    if (issues_dropped(input->issues) > 0)
        buf_add_format(&f->out, "  and %u more\n", issues_dropped(input->issues));
}

static const struct findings_form findings_text = { .name = "text", .add = add_text };

/* ---- JSON --------------------------------------------------------------------------- */

static void
add_json(struct findings *f, const struct findings_input *input)
{
    struct author *a    = author_new();
    author_value   root = author_object(a);

    author_add_cstr(root, "file", f->file);
    if (input->line > 0)
        author_add_integer(root, "line", (int64_t)input->line);
    author_add_bool(root, "valid", input->valid);
    outcome_author(input->issues, author_add_object(root, "outcome"));
    if (author_print(a, &f->out, AUTHOR_COMPACT) != ST_OK)
        f->broken = true;
    author_free(&a);
    buf_add_byte(&f->out, '\n');
}

static const struct findings_form findings_json = { .name = "json", .add = add_json };
