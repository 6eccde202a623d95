#include "gateway/cli/policy_report.h"

#include "base/json_author.h"
#include "base/markup.h"

enum { OUT_BYTES = 1 << 30 };

static void add_text_case(struct policy_report *, const char *file, const struct scenario *);
static void add_json_case(struct policy_report *, const char *file, const struct scenario *);
static void add_junit_case(struct policy_report *, const char *file, const struct scenario *);

bool
policy_report_open(struct policy_report *r, const struct call *call)
{
    *r = (struct policy_report){ .call = call };
    if (call_has(call, "json") && call_has(call, "junit")) {
        call_say(call, "--json and --junit: one form at a time");
        return false;
    }
    r->form = call_has(call, "json") ? POLICY_JSON : call_has(call, "junit") ? POLICY_JUNIT : POLICY_TEXT;
    buf_init(&r->out, OUT_BYTES);
    return true;
}

void
policy_report_case(struct policy_report *r, const char *file, const struct scenario *s)
{
    static void (*const add[])(struct policy_report *, const char *, const struct scenario *) = {
        add_text_case, add_json_case, add_junit_case,
    };

    r->agree    += s->result == SCENARIO_AGREES;
    r->differ   += s->result == SCENARIO_DIFFERS;
    r->left_out += s->result == SCENARIO_LEFT_OUT;
    r->refused  += s->result == SCENARIO_REFUSED;
    add[r->form](r, file, s);
    if (r->form == POLICY_JUNIT)
        return;
    r->broken = r->broken || call_print_buf(r->call, &r->out) != EXIT_CODE_OK;
    buf_clear(&r->out);
}

void
policy_report_close(struct policy_report *r)
{
    size_t all = r->agree + r->differ + r->left_out + r->refused;

    if (r->form == POLICY_JUNIT) {
        struct buf whole;
        buf_init(&whole, OUT_BYTES);
        buf_add_format(&whole, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"sluice policy test\">\n"
                               "  <testsuite name=\"sluice policy test\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
                               "skipped=\"%zu\">\n", all, r->differ, r->refused, r->left_out);
        buf_add(&whole, buf_span(&r->out));
        buf_add_text(&whole, "  </testsuite>\n</testsuites>\n");
        r->broken = r->broken || buf_status(&r->out) != ST_OK || call_print_buf(r->call, &whole) != EXIT_CODE_OK;
        buf_release(&whole);
    }
    call_say(r->call, "%zu cases: %zu agree, %zu differ, %zu could not be read, %zu left out", all, r->agree, r->differ,
             r->refused, r->left_out);
    buf_release(&r->out);
}

/* What a reader calls the case: its id, else its file. */
static struct span
name_of(const char *file, const struct scenario *s)
{
    return span_empty(s->id) ? span_of(file) : s->id;
}

static void
add_difference(struct buf *out, const struct scenario *s, const struct scenario_difference *d)
{
    if (s->steps > 1) {
        buf_add_format(out, "step %u", d->step + 1);
        if (!span_empty(s->step_words[d->step]))
            buf_add_format(out, " (%.*s)", SPAN_PRINT(s->step_words[d->step]));
        buf_add_text(out, ", ");
    }
    buf_add_format(out, "%.*s", SPAN_PRINT(d->what));
    if (!span_empty(d->entry))
        buf_add_format(out, " of %.*s", SPAN_PRINT(d->entry));
    buf_add_format(out, ": expected %.*s, got %.*s", SPAN_PRINT(d->expected), SPAN_PRINT(d->got));
}

static void
add_reason(struct buf *out, const struct scenario_difference *d)
{
    if (d->rule != RULE_NONE)
        buf_add_format(out, "%s, %s: %.*s", rule_number(d->rule), rule_citation(d->rule), SPAN_PRINT(d->because));
}

/* ---- text ------------------------------------------------------------------------ */

static void
add_text_case(struct policy_report *r, const char *file, const struct scenario *s)
{
    static const enum ink    inks[]  = { INK_RED, INK_RED, INK_YELLOW, INK_GREEN };
    static const char *const words[] = { "refused  ", "DIFFERS  ", "left out ", "ok       " };

    call_ink(r->call, &r->out, inks[s->result], span_of(words[s->result]));
    buf_add(&r->out, name_of(file, s));
    if (!span_empty(s->citation))
        buf_add_format(&r->out, "  [%.*s]", SPAN_PRINT(s->citation));
    if (!span_empty(s->words))
        buf_add_format(&r->out, "  %.*s", SPAN_PRINT(s->words));
    buf_add_byte(&r->out, '\n');
    if (s->result != SCENARIO_AGREES && !span_empty(s->id))
        buf_add_format(&r->out, "           in %s\n", file);
    if (!span_empty(s->why))
        buf_add_format(&r->out, "           %.*s\n", SPAN_PRINT(s->why));
    for (size_t i = 0; i < s->difference_count && s->result == SCENARIO_DIFFERS; i++) {
        buf_add_text(&r->out, "         - ");
        add_difference(&r->out, s, &s->differences[i]);
        if (s->differences[i].rule != RULE_NONE) {
            buf_add_text(&r->out, "\n           ");
            add_reason(&r->out, &s->differences[i]);
        }
        buf_add_byte(&r->out, '\n');
    }
}

/* ---- JSON ------------------------------------------------------------------------ */

static void
add_optional(author_value parent, const char *name, struct span text)
{
    if (span_empty(text))
        author_add_null(parent, name);
    else
        author_add_text(parent, name, text);
}

static void
add_json_case(struct policy_report *r, const char *file, const struct scenario *s)
{
    struct author *a    = author_new();
    author_value   root = author_object(a);

    author_add_cstr(root, "file", file);
    add_optional(root, "id", s->id);
    add_optional(root, "citation", s->citation);
    add_optional(root, "words", s->words);
    author_add_cstr(root, "result", scenario_result_text(s->result));
    add_optional(root, "why", s->why);
    author_add_integer(root, "steps", s->steps);
    author_value list = author_add_array(root, "differences");
    for (size_t i = 0; i < s->difference_count && s->result == SCENARIO_DIFFERS; i++) {
        const struct scenario_difference *d   = &s->differences[i];
        author_value                      one = author_add_object(list, NULL);
        author_add_integer(one, "step", d->step + 1);
        author_add_text(one, "what", d->what);
        add_optional(one, "entry", d->entry);
        author_add_text(one, "expected", d->expected);
        author_add_text(one, "got", d->got);
        add_optional(one, "rule", d->rule != RULE_NONE ? span_of(rule_number(d->rule)) : (struct span){ 0 });
        add_optional(one, "citation", d->rule != RULE_NONE ? span_of(rule_citation(d->rule)) : (struct span){ 0 });
        add_optional(one, "because", d->because);
    }
    if (author_print(a, &r->out, AUTHOR_COMPACT) != ST_OK)
        r->broken = true;
    author_free(&a);
    buf_add_byte(&r->out, '\n');
}

/* ---- JUnit ----------------------------------------------------------------------- */

static void
add_junit_case(struct policy_report *r, const char *file, const struct scenario *s)
{
    static const char *const elements[] = { "error", "failure", "skipped", NULL };
    struct buf               text;

    buf_add_text(&r->out, "    <testcase");
    markup_attribute(&r->out, "name", name_of(file, s));
    markup_attribute(&r->out, "classname", span_of(file));
    if (s->result == SCENARIO_AGREES) {
        buf_add_text(&r->out, "/>\n");
        return;
    }
    buf_init(&text, OUT_BYTES);
    if (s->result == SCENARIO_DIFFERS)
        add_difference(&text, s, &s->differences[0]);
    else
        buf_add(&text, s->why);
    buf_add_format(&r->out, "><%s", elements[s->result]);
    markup_attribute(&r->out, "message", buf_span(&text));
    buf_add_byte(&r->out, '>');
    buf_clear(&text);
    for (size_t i = 0; i < s->difference_count && s->result == SCENARIO_DIFFERS; i++) {
        add_difference(&text, s, &s->differences[i]);
        buf_add_byte(&text, '\n');
        add_reason(&text, &s->differences[i]);
        buf_add_byte(&text, '\n');
    }
    markup_text(&r->out, buf_span(&text));
    buf_add_format(&r->out, "</%s></testcase>\n", elements[s->result]);
    buf_release(&text);
}
