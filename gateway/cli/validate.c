/* gateway/cli/validate.c -- resources and Bundles against the FHIR definitions.
 *
 * One result an input: a file, or a line of an .ndjson file.  Every input gets
 * memory of its own, so a long list costs no more than its largest member.
 */
#include "fhir/validate.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json_author.h"
#include "fhir/outcome.h"
#include "gateway/cli/load.h"
#include "gateway/cli/run.h"
#include "gateway/ops/definitions.h"
#include "gateway/ops/package.h"

enum { FINDINGS_MOST = 1000, PACK_ARENA_BYTES = 64 << 20, OUT_BYTES = 64 << 20 };

struct validation {
    const struct call *call;
    const struct pack *pack;
    struct span        types[CALL_VALUES];       /* resource types that --profile asks for */
    size_t             type_count;
    bool               unprepared;       /* what was asked for is not here */
    bool               json;
    size_t             valid, invalid, unread;
    bool               broken;           /* stdout cannot be written, memory is spent */
};

static bool prepare(struct validation *, struct arena *);
static bool take_profile(struct validation *, struct span url);
static void check_types(const struct validation *, const struct bundle *, struct arena *, struct issues *);
static void validate_file(struct validation *, const char *path);
static int  conclude(const struct validation *);

int
command_validate(const struct call *call)
{
    struct validation v     = { .call = call, .json = call_has(call, "json") };
    struct arena     *arena = arena_new("definitions", PACK_ARENA_BYTES);
    int               code  = EXIT_CODE_DEPENDENCY;
    if (arena != NULL && prepare(&v, arena)) {
        for (int i = 0; i < call->argument_count && !v.broken; i++) {
            if (call->argument_count > 1)
                call_progress(call, "validating", (size_t)i, (size_t)call->argument_count);
            validate_file(&v, call->arguments[i]);
        }
        call_progress(call, "", 0, 0);
        code = conclude(&v);
    }
    arena_free(&arena);
    return v.unprepared ? EXIT_CODE_CONFIG : code;
}

/* ---- before ------------------------------------------------------------------------ */

static bool
prepare(struct validation *v, struct arena *arena)
{
    struct buf why;
    buf_init(&why, 4096);
    bool good = definitions_open(arena, &v->pack, &why) == ST_OK;
    for (size_t i = 0; good && call_value_at(v->call, "package", i) != NULL; i++) {
        struct package package;
        good = package_read(call_value_at(v->call, "package", i), arena, &package, &why) == ST_OK;
    }
    if (!good)
        call_say(v->call, "%.*s", SPAN_PRINT(buf_span(&why)));
    buf_release(&why);
    for (size_t i = 0; good && call_value_at(v->call, "profile", i) != NULL; i++)
        good = take_profile(v, span_of(call_value_at(v->call, "profile", i)));
    if (!good)
        v->unprepared = true;
    return good;
}

/* The base definition of a resource is what validation checks anyway, once
 * the resource is of that type.  Saying valid of what was asked for and not looked at
 * would be worse than not answering. */
static bool
take_profile(struct validation *v, struct span url)
{
    for (uint32_t i = 0; i < pack_count(v->pack); i++) {
        if (!span_eq(pack_url(v->pack, i), url) || pack_kind(v->pack, i) != PACK_KIND_RESOURCE)
            continue;
        v->types[v->type_count++] = pack_name(v->pack, i);
        return true;
    }
    call_say(v->call, "--profile %.*s: there is no such profile here: it is no resource of R4, and the profiles of "
             "packages are not checked by this version", SPAN_PRINT(url));
    return false;
}

/* ---- one document ---------------------------------------------------------------------- */

/* "3 findings" in words of its severity, place, rule and what to do. */
static void
add_issue_text(struct buf *out, const struct call *call, const struct issue *issue)
{
    static const enum ink inks[] = { INK_RED, INK_RED, INK_YELLOW, INK_PLAIN };
    buf_add_text(out, "  ");
    call_ink(call, out, inks[issue->severity], span_of(severity_text(issue->severity)));
    if (issue->line > 0)
        buf_add_format(out, " %u:%u", issue->line, issue->column);
    if (!span_empty(issue->expression))
        buf_add_format(out, " %.*s", SPAN_PRINT(issue->expression));
    buf_add_format(out, " [%s]", issue->rule != NULL ? issue->rule : issue_code_text(issue->code));
    if (!span_empty(issue->wanted))
        buf_add_format(out, " %.*s", SPAN_PRINT(issue->wanted));
    if (!span_empty(issue->found))
        buf_add_format(out, "%s %.*s", span_empty(issue->wanted) ? "" : ",", SPAN_PRINT(issue->found));
    if (!span_empty(issue->hint))
        buf_add_format(out, "; %.*s", SPAN_PRINT(issue->hint));
    if (issue->times > 1)
        buf_add_format(out, " (%u times)", issue->times);
    buf_add_byte(out, '\n');
}

static void
add_text_result(struct buf *out, const struct call *call, const char *path, size_t line, bool valid,
                const struct issues *issues)
{
    buf_add_text(out, path);
    if (line > 0)
        buf_add_format(out, ":%zu", line);
    buf_add_text(out, ": ");
    call_ink(call, out, valid ? INK_GREEN : INK_RED, valid ? SPAN("valid") : SPAN("invalid"));
    buf_add_byte(out, '\n');
    for (uint32_t i = 0; i < issues_count(issues); i++)
        add_issue_text(out, call, issues_at(issues, i));
    if (issues_dropped(issues) > 0)
        buf_add_format(out, "  and %u more\n", issues_dropped(issues));
}

static enum status
add_json_result(struct buf *out, const char *path, size_t line, bool valid, const struct issues *issues)
{
    struct author *a    = author_new();
    author_value   root = author_object(a);
    author_add_cstr(root, "file", path);
    if (line > 0)
        author_add_integer(root, "line", (int64_t)line);
    author_add_bool(root, "valid", valid);
    outcome_author(issues, author_add_object(root, "outcome"));
    enum status st = author_print(a, out, AUTHOR_COMPACT);
    author_free(&a);
    buf_add_byte(out, '\n');
    return st == ST_OK ? buf_status(out) : st;
}

static void
report(struct validation *v, const char *path, size_t line, bool valid, const struct issues *issues)
{
    struct buf  out;
    enum status st = ST_OK;
    buf_init(&out, OUT_BYTES);
    if (v->json)
        st = add_json_result(&out, path, line, valid, issues);
    else
        add_text_result(&out, v->call, path, line, valid, issues);
    if (st != ST_OK || call_print_buf(v->call, &out) != EXIT_CODE_OK)
        v->broken = true;
    buf_release(&out);
}

static void
check_types(const struct validation *v, const struct bundle *bundle, struct arena *arena, struct issues *issues)
{
    struct span type = tape_member_text(bundle->tape, bundle->root, SPAN("resourceType"), arena);

    for (size_t i = 0; i < v->type_count; i++)
        if (!span_eq(type, v->types[i]))
            issues_add(issues, &(struct issue){
                .severity = SEVERITY_ERROR, .code = ISSUE_INVALID, .rule = "profile", .times = 1,
                .wanted = arena_format(arena, "want a resource of type %.*s, as --profile says", SPAN_PRINT(v->types[i])),
                .found = SPAN("have a resource of another type"), .expression = type });
}

static void
validate_document(struct validation *v, const char *path, size_t line, struct span bytes)
{
    struct arena        *arena  = arena_new("validation", LOAD_ARENA_BYTES);
    struct issues       *issues = arena != NULL ? issues_new(arena, FINDINGS_MOST) : NULL;
    const struct bundle *bundle = NULL;
    if (issues == NULL) {
        v->broken = true;
        arena_free(&arena);
        return;
    }
    enum status st = load_bundle(bytes, arena, issues, &bundle);
    if (st == ST_OK)
        st = validate(v->pack, bundle, NULL, arena, issues);
    if (st == ST_OK)
        check_types(v, bundle, arena, issues);
    if (st == ST_NO_MEMORY) {
        call_say(v->call, "%s: %s", path, status_text(st));
        v->broken = true;
    } else {
        bool valid = st == ST_OK && !issues_have_errors(issues);
        v->unread += st == ST_UNSUPPORTED;
        v->valid += valid;
        v->invalid += !valid && st != ST_UNSUPPORTED;
        report(v, path, line, valid, issues);
    }
    arena_free(&arena);
}

/* ---- files ----------------------------------------------------------------------------- */

static void
validate_lines(struct validation *v, const char *path, struct span bytes)
{
    for (size_t line = 1; bytes.at != NULL && !v->broken; line++) {
        struct span one = span_trim(span_split(&bytes, '\n'));
        if (!span_empty(one))
            validate_document(v, path, line, one);
    }
}

/* A file that cannot be read is an input too: its line says so. */
static void
report_unread(struct validation *v, const char *path)
{
    struct arena  *arena  = arena_new("finding", 1 << 16);
    struct issues *issues = arena != NULL ? issues_new(arena, 1) : NULL;
    v->unread++;
    if (issues != NULL && v->json) {
        issues_add(issues, &(struct issue){ .severity = SEVERITY_FATAL, .code = ISSUE_NOT_FOUND, .rule = "file",
                                            .found = SPAN("the file cannot be read"), .times = 1 });
        report(v, path, 0, false, issues);
    }
    arena_free(&arena);
}

static void
validate_file(struct validation *v, const char *path)
{
    struct buf bytes;
    if (!load_file(v->call, path, &bytes)) {
        report_unread(v, path);
        return;
    }
    if (span_ends(span_of(path), SPAN(".ndjson")))
        validate_lines(v, path, buf_span(&bytes));
    else
        validate_document(v, path, 0, buf_span(&bytes));
    buf_release(&bytes);
}

static int
conclude(const struct validation *v)
{
    if (v->broken)
        return EXIT_CODE_DEPENDENCY;
    if (v->invalid > 0)
        return EXIT_CODE_NEGATIVE;
    if (v->unread > 0)
        return v->valid > 0 ? EXIT_CODE_PARTIAL : EXIT_CODE_USAGE;
    return EXIT_CODE_OK;
}
