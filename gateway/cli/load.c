/* gateway/cli/load.c -- what a command reads. */
#include "gateway/cli/load.h"

#include "fhir/outcome.h"
#include "gateway/ops/file.h"

bool
load_file(const struct call *call, const char *path, struct buf *out)
{
    buf_init(out, LOAD_FILE_BYTES);
    enum status st = file_read(path, out);
    if (st == ST_OK)
        return true;
    call_say(call, "%s: %s", path, file_why(st));
    buf_release(out);
    return false;
}

bool
looks_like_xml(struct span bytes)
{
    return span_starts(span_trim(bytes), SPAN("<"));
}

static void
add_unsupported(struct issues *issues)
{
    issues_add(issues, &(struct issue){
        .severity = SEVERITY_FATAL, .code = ISSUE_NOT_SUPPORTED, .rule = "format",
        .wanted = SPAN("want FHIR JSON"), .found = SPAN("have XML"),
        .hint = SPAN("this version reads JSON only; send the same resource as JSON"), .times = 1 });
}

enum status
load_bundle(struct span bytes, struct arena *arena, struct issues *issues, const struct bundle **out)
{
    const struct tape *tape;
    struct tape_error  error;
    if (looks_like_xml(bytes)) {
        add_unsupported(issues);
        return ST_UNSUPPORTED;
    }
    enum status st = tape_read(bytes, &tape_default_limits, arena, &tape, &error);
    if (st != ST_OK) {
        outcome_add_refusal(issues, &error);
        return st;
    }
    return bundle_read(tape, arena, issues, out);
}
