/* gateway/cli/policy.c -- policy test: cases of this project's or a hospital's own, run.
 *
 * Everything that decides is consent/scenario.h; here are files, memory and
 * the exit code.  A case gets memory of its own.
 */
#include "gateway/cli/inputs.h"
#include "gateway/cli/load.h"
#include "gateway/cli/policy_report.h"
#include "gateway/cli/run.h"
#include "gateway/inspect/inspector.h"

enum { INPUTS_ARENA_BYTES = 512 << 20 };

static const struct scenario unreadable = { .result = SCENARIO_REFUSED, .why = { "the file cannot be read", 23 } };

static void run_file(struct policy_report *, const char *path);
static int  conclude(const struct policy_report *, const struct inputs *);

int
command_policy_test(const struct call *call)
{
    struct policy_report report;
    struct inputs        inputs = { .count = 0 };
    struct arena        *arena  = arena_new("inputs", INPUTS_ARENA_BYTES);

    if (arena == NULL || !inputs_list(call, arena, &inputs)) {
        arena_free(&arena);
        return EXIT_CODE_DEPENDENCY;
    }
    if (!policy_report_open(&report, call)) {
        arena_free(&arena);
        return EXIT_CODE_USAGE;
    }
    for (size_t i = 0; i < inputs.count && !report.broken; i++)
        run_file(&report, inputs.paths[i]);
    policy_report_close(&report);
    arena_free(&arena);
    return conclude(&report, &inputs);
}

static void
run_file(struct policy_report *report, const char *path)
{
    const struct scenario *scenario = &unreadable;
    struct arena          *arena    = arena_new("case", LOAD_ARENA_BYTES);
    struct buf             bytes;

    if (arena == NULL) {
        report->broken = true;
        return;
    }
    if (load_file(report->call, path, &bytes)) {
        struct inspector_options     options   = inspector_options(span_from(NULL, 0), arena);
        struct inspector            *inspector = inspector_new(&options);
        const struct inspected_asker asker     = { inspector_answer, inspector };
        enum status st = inspector != NULL ? scenario_run_asking(buf_span(&bytes), &asker, arena, &scenario) : ST_NO_MEMORY;
        inspector_free(&inspector);
        if (st == ST_OK)
            policy_report_case(report, path, scenario);
        else if (st == ST_UNAVAILABLE)
            call_say(report->call, "%s: its documents cannot be read: %s (%s)", path, reason_text(inspector_fault()), options.program);
        else
            call_say(report->call, "%s: %s", path, status_text(st));
        report->broken = report->broken || st != ST_OK;
        buf_release(&bytes);
    } else {
        policy_report_case(report, path, scenario);
    }
    arena_free(&arena);
}

static int
conclude(const struct policy_report *report, const struct inputs *inputs)
{
    if (report->broken)
        return EXIT_CODE_DEPENDENCY;
    if (report->differ > 0)
        return EXIT_CODE_NEGATIVE;
    return report->refused + inputs->empty > 0 || inputs->count == 0 ? EXIT_CODE_USAGE : EXIT_CODE_OK;
}
