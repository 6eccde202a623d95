/* gateway/cli/findings_sarif.c -- findings as a SARIF 2.1.0 log.
 *
 * OASIS sarif-v2.1.0, the sections in brackets.  One run [3.14]; its results
 * [3.27] are written as they are found, the rules that they name by index
 * [3.27.6] and what became of the run [3.20] behind them: members of an object
 * have no order.  An expression is a logical location [3.33], which names an
 * element whatever the spelling of the file.
 */
#include "gateway/cli/findings.h"

#include <string.h>

#include "base/json_author.h"
#include "gateway/version.h"

/* Constraint keys of profiles are rules too; what is beyond has no index. */
#define RULES_MOST 4096u

static void
begin(struct findings *f)
{
    buf_add_text(&f->out, "{\"$schema\":\"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json\","
                          "\"version\":\"2.1.0\",\"runs\":[{\"results\":[");
}

/* Its place in tool.driver.rules, from 0; RULES_MOST when there is none. */
static size_t
rule_index(struct findings *f, const char *rule)
{
    for (size_t i = 0; i < f->rule_count; i++)
        if (strcmp(f->rules[i], rule) == 0)
            return i;
    if (f->rules == NULL)
        f->rules = arena_make_n(f->arena, RULES_MOST, const char *);
    struct span kept = arena_format(f->arena, "%s", rule);       /* an input's own texts go with it */
    if (f->rules == NULL || kept.at == NULL || f->rule_count == RULES_MOST)
        return RULES_MOST;
    f->rules[f->rule_count] = kept.at;
    return f->rule_count++;
}

/* RFC 3986: what is no unreserved character or slash is written in hex. */
static void
add_uri(author_value place, const char *file)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    struct buf        uri;

    buf_init(&uri, 1 << 16);
    if (strcmp(file, "-") == 0)
        file = "stdin";
    buf_add_text(&uri, file[0] == '/' ? "file://" : "");
    for (const char *p = file; *p != '\0'; p++) {
        if (strchr(plain, *p) != NULL)
            buf_add_byte(&uri, *p);
        else
            buf_add_format(&uri, "%%%02X", (unsigned)(unsigned char)*p);
    }
    author_add_text(author_add_object(place, "artifactLocation"), "uri", buf_span(&uri));
    buf_release(&uri);
}

static void
add_location(author_value result, const struct findings *f, const struct findings_input *input, const struct issue *issue)
{
    author_value location = author_add_object(author_add_array(result, "locations"), NULL);
    author_value place    = author_add_object(location, "physicalLocation");
    size_t       line     = issue->line + (input->line > 0 ? input->line - 1 : 0);

    add_uri(place, f->file);
    if (line > 0) {
        author_value region = author_add_object(place, "region");
        author_add_integer(region, "startLine", (int64_t)line);
        if (issue->column > 0)
            author_add_integer(region, "startColumn", issue->column);
    }
    if (!span_empty(issue->expression))
        author_add_text(author_add_object(author_add_array(location, "logicalLocations"), NULL), "fullyQualifiedName",
                        issue->expression);
}

static void
add_properties(author_value result, const struct issue *issue)
{
    author_value properties = author_add_object(result, "properties");

    author_add_cstr(properties, "code", issue_code_text(issue->code));
    if (!span_empty(issue->wanted))
        author_add_text(properties, "wanted", issue->wanted);
    if (!span_empty(issue->found))
        author_add_text(properties, "found", issue->found);
    if (!span_empty(issue->hint))
        author_add_text(properties, "hint", issue->hint);
}

static void
add_result(struct findings *f, const struct findings_input *input, const struct issue *issue)
{
    static const char *const levels[] = { "error", "error", "warning", "note" };
    struct author *a      = author_new();
    author_value   result = author_object(a);
    size_t         index  = rule_index(f, findings_rule(issue));
    struct buf     text;

    buf_init(&text, 1 << 16);
    findings_sentence(&text, issue);
    author_add_cstr(result, "ruleId", findings_rule(issue));
    if (index < RULES_MOST)
        author_add_integer(result, "ruleIndex", (int64_t)index);
    author_add_cstr(result, "level", levels[issue->severity]);
    author_add_text(author_add_object(result, "message"), "text", buf_span(&text));
    add_location(result, f, input, issue);
    if (issue->times > 1)
        author_add_integer(result, "occurrenceCount", issue->times);
    add_properties(result, issue);
    if (f->results++ > 0)
        buf_add_byte(&f->out, ',');
    if (author_print(a, &f->out, AUTHOR_COMPACT) != ST_OK)
        f->broken = true;
    author_free(&a);
    buf_release(&text);
}

static void
add(struct findings *f, const struct findings_input *input)
{
    for (uint32_t i = 0; i < issues_count(input->issues); i++)
        add_result(f, input, issues_at(input->issues, i));
    if (issues_dropped(input->issues) > 0)
        add_result(f, input, &(struct issue){ .severity = SEVERITY_INFORMATION, .code = ISSUE_TOO_COSTLY, .rule = "validate",
                                              .found = SPAN("further findings of this input are not listed"), .times = 1 });
}

static void
end(struct findings *f)
{
    struct author *a = author_new();
    struct buf     text;

    author_value tool   = author_object(a);
    author_value driver = author_add_object(tool, "driver");
    author_add_cstr(driver, "name", "sluice");
    author_add_cstr(driver, "version", SLUICE_VERSION);
    author_value rules = author_add_array(driver, "rules");
    for (size_t i = 0; i < f->rule_count; i++)
        author_add_cstr(author_add_object(rules, NULL), "id", f->rules[i]);
    buf_init(&text, 1 << 20);
    if (author_print(a, &text, AUTHOR_COMPACT) != ST_OK)
        f->broken = true;
    buf_add_format(&f->out, "],\"tool\":%.*s,\"invocations\":[{\"executionSuccessful\":%s}]}]}\n", SPAN_PRINT(buf_span(&text)),
                   f->broken || f->all.unread > 0 ? "false" : "true");
    buf_release(&text);
    author_free(&a);
}

const struct findings_form findings_sarif = { .name = "sarif", .begin = begin, .add = add, .end = end };
