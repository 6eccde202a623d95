#include "fhir/outcome.h"

static void        author_issue(const struct issue *, struct arena *, author_value list);
static void        author_dropped(uint32_t dropped, struct arena *, author_value list);
static void        author_all_ok(author_value list);
static struct span sentence(const struct issue *, struct arena *);

enum status
outcome_print(const struct issues *issues, struct buf *out, enum author_form form)
{
    struct author *author = author_new();

    if (author == NULL)
        return ST_NO_MEMORY;
    outcome_author(issues, author_object(author));
    enum status st = author_print(author, out, form);
    author_free(&author);
    return st;
}

void
outcome_author(const struct issues *issues, author_value object)
{
    struct arena *arena = issues_arena(issues);
    uint32_t      count = issues_count(issues);

    author_add_text(object, "resourceType", SPAN("OperationOutcome"));
    author_value list = author_add_array(object, "issue");
    for (uint32_t i = 0; i < count; i++)
        author_issue(issues_at(issues, i), arena, list);
    if (issues_dropped(issues) > 0)
        author_dropped(issues_dropped(issues), arena, list);
    else if (count == 0)
        author_all_ok(list);
}

enum status
outcome_print_one(enum severity severity, enum issue_code code, struct span diagnostics,
                  struct span expression, struct buf *out)
{
    struct author *author = author_new();

    if (author == NULL)
        return ST_NO_MEMORY;
    author_value object = author_object(author);
    author_add_text(object, "resourceType", SPAN("OperationOutcome"));
    author_value issue = author_add_object(author_add_array(object, "issue"), NULL);
    author_add_cstr(issue, "severity", severity_text(severity));
    author_add_cstr(issue, "code", issue_code_text(code));
    if (!span_empty(diagnostics))
        author_add_text(issue, "diagnostics", diagnostics);
    if (!span_empty(expression))
        author_add_text(author_add_array(issue, "expression"), NULL, expression);
    enum status st = author_print(author, out, AUTHOR_COMPACT);
    author_free(&author);
    return st;
}

void
outcome_add_refusal(struct issues *issues, const struct tape_error *error)
{
    struct arena *arena = issues_arena(issues);
    struct issue  one   = {
        .severity = SEVERITY_FATAL,
        .code     = ISSUE_STRUCTURE,
        .rule     = "json",
        .wanted   = SPAN("want one strict JSON document (RFC 8259, docs/decisions/0004-strict-json.md)"),
        .line     = error->line,
        .column   = error->column,
        .expression = SPAN("$this"),     /* the document: it has no elements that could be named */
    };

    if (error->why == TAPE_REFUSED_SIZE || error->why == TAPE_REFUSED_NODES
        || error->why == TAPE_REFUSED_DEPTH)
        one.code = ISSUE_TOO_LONG;
    if (error->why == TAPE_REFUSED_MEMORY)
        one.code = ISSUE_TRANSIENT;
    one.found = arena_format(arena, "at byte %zu: %s", error->where, tape_refusal_text(error->why));
    issues_add(issues, &one);
}

/* ---- one issue -------------------------------------------------------------- */

/* HL7's extensions for the place: `location` is for people, and deprecated. */
static void
author_place(const struct issue *one, author_value issue)
{
    const struct { const char *url; int64_t number; } places[] = {
        { "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line", one->line },
        { "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col", one->column },
    };
    author_value list = author_add_array(issue, "extension");

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        author_value extension = author_add_object(list, NULL);
        author_add_cstr(extension, "url", places[i].url);
        author_add_integer(extension, "valueInteger", places[i].number);
    }
}

/* Element order as R4 operationoutcome.html has it. */
static void
author_issue(const struct issue *one, struct arena *arena, author_value list)
{
    author_value issue = author_add_object(list, NULL);

    if (one->line > 0)
        author_place(one, issue);
    author_add_cstr(issue, "severity", severity_text(one->severity));
    author_add_cstr(issue, "code", issue_code_text(one->code));
    author_add_text(author_add_object(issue, "details"), "text", sentence(one, arena));
    if (one->rule != NULL)
        author_add_text(issue, "diagnostics", arena_format(arena, "rule %s", one->rule));
    if (one->line > 0)
        author_add_text(author_add_array(issue, "location"), NULL,
                        arena_format(arena, "Line %u, Column %u", one->line, one->column));
    if (!span_empty(one->expression))
        author_add_text(author_add_array(issue, "expression"), NULL, one->expression);
}

/* "bdl-7: want …, have …. Hint. (3 times; this is the first.)" */
static struct span
sentence(const struct issue *one, struct arena *arena)
{
    struct span more = { NULL, 0 };

    if (one->times > 1)
        more = arena_format(arena, " (%u times; this is the first)", one->times);
    return arena_format(arena, "%s%s%.*s%s%.*s%s%.*s%.*s", one->rule != NULL ? one->rule : "",
                        one->rule != NULL ? ": " : "", SPAN_PRINT(one->wanted),
                        span_empty(one->wanted) || span_empty(one->found) ? "" : "; ",
                        SPAN_PRINT(one->found), span_empty(one->hint) ? "" : ". ",
                        SPAN_PRINT(one->hint), SPAN_PRINT(more));
}

static void
author_dropped(uint32_t dropped, struct arena *arena, author_value list)
{
    author_value issue = author_add_object(list, NULL);

    author_add_cstr(issue, "severity", severity_text(SEVERITY_INFORMATION));
    author_add_cstr(issue, "code", issue_code_text(ISSUE_TOO_COSTLY));
    author_add_text(author_add_object(issue, "details"), "text",
                    arena_format(arena, "%u more findings are not listed", dropped));
}

static void
author_all_ok(author_value list)
{
    author_value issue = author_add_object(list, NULL);

    author_add_cstr(issue, "severity", severity_text(SEVERITY_INFORMATION));
    author_add_cstr(issue, "code", issue_code_text(ISSUE_INFORMATIONAL));
    author_add_text(author_add_object(issue, "details"), "text", SPAN("All OK"));
}
