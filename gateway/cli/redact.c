/* gateway/cli/redact.c -- redact and explain: what would leave, and why.
 *
 * redact writes the payload and nothing else on stdout: not a byte more than
 * the recipient would get, not a byte at all when nothing may leave.
 */
#include "consent/explain.h"
#include "gateway/cli/release.h"
#include "gateway/cli/run.h"

enum { OUT_BYTES = 256 << 20 };

/* EXIT_CODE_OK and the release, or the code to end with. */
static int
make_release(const struct call *call, struct release_input *in, const struct release **release)
{
    int code = release_input_read(call, in);
    if (code != EXIT_CODE_OK)
        return code;
    enum status st = release_make(in->bundle, in->references, in->labeling, in->facts, in->arena, release);
    if (st == ST_OK)
        return EXIT_CODE_OK;
    call_say(call, "nothing leaves: %s", status_text(st));
    return st == ST_INTEGRITY ? EXIT_CODE_INTEGRITY : EXIT_CODE_DEPENDENCY;
}

static bool
leaves(const struct release *release)
{
    return release->outcome == RELEASE_PERMIT || release->outcome == RELEASE_PARTIAL;
}

int
command_redact(const struct call *call)
{
    struct release_input  in;
    const struct release *release = NULL;
    int                   code    = make_release(call, &in, &release);
    if (code == EXIT_CODE_OK && leaves(release) && !span_empty(release->payload)) {
        code = call_print(call, release->payload);
    } else if (code == EXIT_CODE_OK) {
        call_say(call, "nothing may leave (%s); sluice explain says why", release_outcome_text(release->outcome));
        code = EXIT_CODE_NEGATIVE;
    }
    release_input_free(&in);
    return code;
}

int
command_explain(const struct call *call)
{
    struct release_input  in;
    const struct release *release = NULL;
    struct buf            out;
    int                   code = make_release(call, &in, &release);
    buf_init(&out, OUT_BYTES);
    if (code == EXIT_CODE_OK) {
        enum status st = call_has(call, "json") ? explain_json(release, in.arena, &out, AUTHOR_PRETTY)
                                                : explain_text(release, in.arena, &out);
        if (call_has(call, "json"))
            buf_add_byte(&out, '\n');
        code = st == ST_OK ? call_print_buf(call, &out) : EXIT_CODE_DEPENDENCY;
    }
    if (code == EXIT_CODE_OK && !leaves(release))
        code = EXIT_CODE_NEGATIVE;
    buf_release(&out);
    release_input_free(&in);
    return code;
}
