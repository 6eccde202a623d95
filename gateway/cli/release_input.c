/* gateway/cli/release_input.c -- reads R and the document. */
#include <unistd.h>

#include "fhir/outcome.h"
#include "gateway/cli/load.h"
#include "gateway/cli/release.h"
#include "gateway/inspect/inspector.h"
#include "gateway/ops/file.h"

enum { INSPECTED_BYTES = 512 << 20, FINDINGS_MOST = 100, OUTCOME_BYTES = 4 << 20 };

static const struct facts no_facts;

/* On stderr: it is talk, and stdout is for what may leave. */
static void
say_outcome(const struct issues *issues)
{
    struct buf out;
    buf_init(&out, OUTCOME_BYTES);
    if (outcome_print(issues, &out, AUTHOR_PRETTY) == ST_OK) {
        buf_add_byte(&out, '\n');
        file_write_fd(STDERR_FILENO, buf_span(&out));
    }
    buf_release(&out);
}

static int
read_request(const struct call *call, struct release_input *in)
{
    const char    *path   = call_value(call, "request");
    struct issues *issues = issues_new(in->arena, FINDINGS_MOST);
    in->facts             = &no_facts;
    if (path == NULL)
        return EXIT_CODE_OK;
    if (issues == NULL || !load_file(call, path, &in->request))
        return EXIT_CODE_USAGE;
    if (facts_read(buf_span(&in->request), in->arena, issues, &in->facts) == ST_OK)
        return EXIT_CODE_OK;
    call_say(call, "%s is not a request file", path);
    say_outcome(issues);
    return EXIT_CODE_USAGE;
}

/* With the helper beside this program; what it cannot read is uninspected. */
static int
label(const struct call *call, struct release_input *in)
{
    struct inspector_options options   = inspector_options(span_from(NULL, 0), in->arena);
    struct inspector        *inspector = inspector_new(&options);
    struct facts            *facts     = arena_make(in->arena, struct facts);
    enum status              st        = ST_NO_MEMORY;

    if (inspector != NULL && facts != NULL) {
        *facts           = *in->facts;
        facts->inspected = &in->inspected;
        in->facts        = facts;
        st = label_inspected(in->bundle, in->references, facts,
                             &(struct inspected_asker){ inspector_answer, inspector }, in->arena, &in->labeling);
    }
    inspector_free(&inspector);
    if (st == ST_UNAVAILABLE)
        call_say(call, "%s: its documents cannot be read: %s (%s)", call->arguments[0], reason_text(inspector_fault()), options.program);
    else if (st != ST_OK)
        call_say(call, "%s: its resources could not be labelled: %s", call->arguments[0], status_text(st));
    return st == ST_OK ? EXIT_CODE_OK : EXIT_CODE_DEPENDENCY;
}

int
release_input_read(const struct call *call, struct release_input *in)
{
    *in       = (struct release_input){ .arena = arena_new("release", LOAD_ARENA_BYTES), .inspected.max_bytes = INSPECTED_BYTES };
    int code  = in->arena != NULL ? read_request(call, in) : EXIT_CODE_DEPENDENCY;
    if (code != EXIT_CODE_OK)
        return code;
    struct issues *issues = issues_new(in->arena, FINDINGS_MOST);
    if (issues == NULL || !load_file(call, call->arguments[0], &in->document))
        return EXIT_CODE_USAGE;
    enum status st = load_bundle(buf_span(&in->document), in->arena, issues, &in->bundle);
    if (st == ST_OK)
        st = references_read(in->bundle, in->arena, &in->references);
    if (st == ST_OK)
        return label(call, in);
    call_say(call, "%s is refused: %s", call->arguments[0], status_text(st));
    say_outcome(issues);
    return st == ST_NO_MEMORY ? EXIT_CODE_DEPENDENCY : EXIT_CODE_NEGATIVE;
}

void
release_input_free(struct release_input *in)
{
    buf_release(&in->request);
    buf_release(&in->document);
    inspected_release(&in->inspected);
    arena_free(&in->arena);
}
