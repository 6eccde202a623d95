/* gateway/cli/validate.c -- resources and Bundles against the FHIR definitions.
 *
 * One result an input: a file, or a line of an .ndjson file.  Every input gets
 * memory of its own, so a long list costs no more than its largest member.
 * How findings are written is cli/findings.h's business.
 */
#include "fhir/validate.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gateway/cli/asking.h"
#include "gateway/cli/findings.h"
#include "gateway/cli/inputs.h"
#include "gateway/cli/load.h"
#include "gateway/cli/progress.h"
#include "gateway/cli/run.h"
#include "gateway/ops/definitions.h"
#include "gateway/ops/package.h"

enum { FINDINGS_MOST = 1000, PACK_ARENA_BYTES = 1 << 30, INPUTS_ARENA_BYTES = 512 << 20 };

struct validation {
    const struct call *call;
    const struct pack *pack;
    struct span        types[CALL_VALUES];       /* resource types that --profile asks for */
    struct span        profiles[CALL_VALUES];
    size_t             profile_count;
    struct findings    findings;
    struct asking      asking;
    bool               unprepared;       /* what was asked for is not here */
    bool               broken;           /* memory is spent */
};

static bool prepare(struct validation *, struct arena *);
static bool take_profile(struct validation *, struct span url);
static void check_types(const struct validation *, const struct bundle *, struct arena *, struct issues *);
static int  validate_inputs(struct validation *);
static void validate_file(struct validation *, const char *path);
static int  conclude(const struct validation *, const struct inputs *);

int
command_validate(const struct call *call)
{
    struct validation v     = { .call = call };
    struct arena     *arena = arena_new("definitions", PACK_ARENA_BYTES);
    int               code  = EXIT_CODE_DEPENDENCY;

    if (arena != NULL && prepare(&v, arena))
        code = findings_open(&v.findings, call) ? validate_inputs(&v) : EXIT_CODE_USAGE;
    asking_close(&v.asking, call);
    arena_free(&arena);
    return v.unprepared ? EXIT_CODE_CONFIG : code;
}

static int
validate_inputs(struct validation *v)
{
    struct arena   *arena = arena_new("inputs", INPUTS_ARENA_BYTES);
    struct inputs   inputs;
    struct progress progress;

    if (arena == NULL || !inputs_list(v->call, arena, &inputs)) {
        arena_free(&arena);
        return EXIT_CODE_DEPENDENCY;
    }
    progress_open(&progress, "validating", "invalid", inputs.count);
    for (size_t i = 0; i < inputs.count && !v->broken && !v->findings.broken; i++) {
        progress_step(&progress, i, v->findings.all.invalid);
        validate_file(v, inputs.paths[i]);
    }
    progress_close(&progress);
    findings_close(&v->findings);
    arena_free(&arena);
    return conclude(v, &inputs);
}

/* ---- before ------------------------------------------------------------------------ */

static bool
prepare(struct validation *v, struct arena *arena)
{
    struct buf why, left_out;
    buf_init(&why, 4096);
    buf_init(&left_out, 65536);
    const char *packages[CALL_VALUES];
    size_t      count = 0;
    while (count < CALL_VALUES && call_value_at(v->call, "package", count) != NULL) {
        packages[count] = call_value_at(v->call, "package", count);
        count++;
    }
    bool good = definitions_open(arena, &v->pack, &why) == ST_OK
             && (count == 0 || definitions_add(arena, v->pack, packages, count, &v->pack, &left_out, &why) == ST_OK);
    if (left_out.length > 0)
        call_say(v->call, "left out of the packages, as it is broken: %.*s", SPAN_PRINT(buf_span(&left_out)));
    if (!good)
        call_say(v->call, "%.*s", SPAN_PRINT(buf_span(&why)));
    buf_release(&why);
    buf_release(&left_out);
    for (size_t i = 0; good && call_value_at(v->call, "profile", i) != NULL; i++)
        good = take_profile(v, span_of(call_value_at(v->call, "profile", i)));
    good = good && asking_open(&v->asking, v->call);
    if (!good)
        v->unprepared = true;
    return good;
}

/* Saying valid of what was asked for and not looked at would be worse than
 * not answering. */
static bool
take_profile(struct validation *v, struct span url)
{
    struct span type = pack_profile_type(v->pack, url);

    if (span_empty(type)) {
        call_say(v->call, "--profile %.*s: there is no such profile here; --package adds the package that defines it",
                 SPAN_PRINT(url));
        return false;
    }
    v->types[v->profile_count]      = type;
    v->profiles[v->profile_count++] = url;
    return true;
}

/* ---- one document ---------------------------------------------------------------------- */

static void
check_types(const struct validation *v, const struct bundle *bundle, struct arena *arena, struct issues *issues)
{
    struct span type = tape_member_text(bundle->tape, bundle->root, SPAN("resourceType"), arena);

    /* In a Bundle a profile is asked of the entries of its type. */
    for (size_t i = 0; bundle->type == BUNDLE_SINGLE && i < v->profile_count; i++)
        if (!span_eq(type, v->types[i]))
            issues_add(issues, &(struct issue){
                .severity = SEVERITY_ERROR, .code = ISSUE_INVALID, .rule = "profile", .times = 1,
                .wanted = arena_format(arena, "want a resource of type %.*s, as --profile says", SPAN_PRINT(v->types[i])),
                .found = SPAN("have a resource of another type"), .expression = type });
}

/* A second time with what the terminology server answered (fhir/term_questions.h). */
static enum status
validate_bundle(struct validation *v, const struct bundle *bundle, struct arena *arena, struct issues **issues)
{
    struct validate_options options = { .profiles = v->profiles, .profile_count = v->profile_count,
                                        .unknown_extensions = call_has(v->call, "known-extensions")
                                                                  ? UNKNOWN_EXTENSIONS_REFUSED : UNKNOWN_EXTENSIONS_TOLD,
                                        .questions = asking_questions(&v->asking, arena),
                                        .now_ms = (int64_t)time(NULL) * 1000 };
    struct issues          *read    = *issues;

    if (options.questions != NULL && (*issues = issues_copy(read)) == NULL)
        return ST_NO_MEMORY;
    enum status st = validate(v->pack, bundle, &options, arena, *issues);
    if (st != ST_OK || options.questions == NULL || !asking_wait(&v->asking, options.questions))
        return st;
    *issues = issues_copy(read);
    return *issues != NULL ? validate(v->pack, bundle, &options, arena, *issues) : ST_NO_MEMORY;
}

static void
validate_document(struct validation *v, const char *path, size_t line, struct span bytes)
{
    struct findings_input input  = { .line = line, .seconds = progress_seconds() };
    struct arena         *arena  = arena_new("validation", LOAD_ARENA_BYTES);
    struct issues        *issues = arena != NULL ? issues_new(arena, FINDINGS_MOST) : NULL;
    const struct bundle  *bundle = NULL;
    if (issues == NULL) {
        v->broken = true;
        arena_free(&arena);
        return;
    }
    enum status st = load_bundle(bytes, arena, issues, &bundle);
    if (st == ST_OK)
        st = validate_bundle(v, bundle, arena, &issues);
    if (st == ST_OK)
        check_types(v, bundle, arena, issues);
    if (st == ST_NO_MEMORY) {
        call_say(v->call, "%s: %s", path, status_text(st));
        v->broken = true;
    } else {
        input.seconds = progress_seconds() - input.seconds;
        input.issues  = issues;
        input.unread  = st == ST_UNSUPPORTED;
        input.valid   = st == ST_OK && !issues_have_errors(issues);
        findings_add(&v->findings, &input);
    }
    arena_free(&arena);
}

/* ---- files ----------------------------------------------------------------------------- */

static void
validate_lines(struct validation *v, const char *path, struct span bytes)
{
    for (size_t line = 1; bytes.at != NULL && !v->broken && !v->findings.broken; line++) {
        struct span one = span_trim(span_split(&bytes, '\n'));
        if (!span_empty(one))
            validate_document(v, path, line, one);
    }
}

/* A file that cannot be read is an input too: its finding says so. */
static void
report_unread(struct validation *v)
{
    struct arena  *arena  = arena_new("finding", 1 << 16);
    struct issues *issues = arena != NULL ? issues_new(arena, 1) : NULL;

    if (issues != NULL) {
        issues_add(issues, &(struct issue){ .severity = SEVERITY_FATAL, .code = ISSUE_NOT_FOUND, .rule = "file",
                                            .found = SPAN("the file cannot be read"), .times = 1 });
        findings_add(&v->findings, &(struct findings_input){ .unread = true, .issues = issues });
    }
    v->broken = v->broken || issues == NULL;
    arena_free(&arena);
}

static void
validate_file(struct validation *v, const char *path)
{
    struct buf bytes;

    findings_file(&v->findings, path);
    if (!load_file(v->call, path, &bytes)) {
        report_unread(v);
        return;
    }
    if (span_ends(span_of(path), SPAN(".ndjson")))
        validate_lines(v, path, buf_span(&bytes));
    else
        validate_document(v, path, 0, buf_span(&bytes));
    buf_release(&bytes);
}

static int
conclude(const struct validation *v, const struct inputs *inputs)
{
    const struct findings_count *all = &v->findings.all;

    if (v->broken || v->findings.broken)
        return EXIT_CODE_DEPENDENCY;
    if (all->invalid > 0)
        return EXIT_CODE_NEGATIVE;
    if (all->unread + inputs->empty > 0)
        return all->valid > 0 ? EXIT_CODE_PARTIAL : EXIT_CODE_USAGE;
    return EXIT_CODE_OK;
}
