/* gateway/cli/log_shred.c -- log shred: over the control socket, or on the store when no gateway runs (ops/shredding.h). */
#include <stdio.h>
#include <unistd.h>

#include "base/json_writer.h"
#include "gateway/cli/desk.h"
#include "gateway/cli/run.h"
#include "gateway/ops/control.h"
#include "gateway/ops/shredding.h"

enum { ANSWER_BYTES = 16 << 20 };

static struct span
request_of(const struct call *call, struct arena *arena)
{
    const char        *before = call_value(call, "before"), *why = call_value(call, "why");
    struct json_writer w;

    json_writer_open(&w, arena);
    json_object(&w, NULL);
    json_text_if(&w, "before", before != NULL ? span_of(before) : SPAN(""));
    json_text_if(&w, "why", why != NULL ? span_of(why) : SPAN(""));
    json_bool(&w, "dryRun", call_has(call, "dry-run"));
    json_end(&w);
    return json_writer_close(&w);
}

static int
ask(const struct call *call, const struct config *config, struct arena *arena, struct buf *answer, struct buf *why)
{
    struct span request = request_of(call, arena);
    char        line[64];

    if (span_empty(request))
        return EXIT_CODE_DEPENDENCY;
    (void)snprintf(line, sizeof line, "shred %zu", request.length);
    enum status st = control_ask_with(config->admin.socket, line, &request, 1, answer, why);
    if (st != ST_NOT_FOUND) {
        if (st != ST_OK)
            call_say(call, "%.*s", SPAN_PRINT(buf_span(why)));
        return st == ST_OK ? EXIT_CODE_OK : EXIT_CODE_DEPENDENCY;
    }
    struct desk_store d;
    int               code = desk_store_open(call, config, arena, &d);
    if (code == EXIT_CODE_OK)
        shredding_do(d.store, config, request, geteuid(), answer);
    desk_store_close(&d);
    return code;
}

/* What came of it.  A refusal is 1, a failure 4; what was done before a failure is said, too. */
static int
tell(const struct call *call, struct arena *arena, struct buf *answer)
{
    const struct tape *t;

    if (tape_read(span_trim(buf_span(answer)), &tape_default_limits, arena, &t, NULL) != ST_OK) {
        call_say(call, "the answer cannot be read; `sluice log show --denials --kind shredding` says what was done");
        return EXIT_CODE_DEPENDENCY;
    }
    struct span refused = tape_member_text(t, TAPE_ROOT, SPAN("refused"), arena), failed = tape_member_text(t, TAPE_ROOT, SPAN("failed"), arena);
    struct span error   = tape_member_text(t, TAPE_ROOT, SPAN("error"), arena);
    if (call_has(call, "json") && call_print_buf(call, answer) != EXIT_CODE_OK)
        return EXIT_CODE_DEPENDENCY;
    if (!span_empty(refused) || !span_empty(error)) {
        call_say(call, "%.*s", SPAN_PRINT(span_empty(refused) ? error : refused));
        return span_empty(refused) ? EXIT_CODE_PERMISSION : EXIT_CODE_NEGATIVE;
    }
    call_say(call, "%.*s records of before %.*s %s, %.*s are under legal hold",
             SPAN_PRINT(tape_raw(t, tape_member(t, TAPE_ROOT, SPAN("destroyed")))), SPAN_PRINT(tape_member_text(t, TAPE_ROOT, SPAN("before"), arena)),
             call_has(call, "dry-run") ? "would be destroyed" : "are destroyed", SPAN_PRINT(tape_raw(t, tape_member(t, TAPE_ROOT, SPAN("held")))));
    if (!span_empty(failed))
        call_say(call, "then it failed: %.*s", SPAN_PRINT(failed));
    return span_empty(failed) ? EXIT_CODE_OK : EXIT_CODE_DEPENDENCY;
}

int
command_log_shred(const struct call *call)
{
    struct arena  *arena  = arena_new("shred", (size_t)64 << 20);
    struct config *config = arena != NULL ? load_config(call) : NULL;
    struct buf     answer, why;
    int            code = config != NULL ? EXIT_CODE_OK : EXIT_CODE_CONFIG;

    buf_init(&answer, ANSWER_BYTES);
    buf_init(&why, 4096);
    if (code == EXIT_CODE_OK)
        code = ask(call, config, arena, &answer, &why);
    if (code == EXIT_CODE_OK)
        code = tell(call, arena, &answer);
    buf_release(&answer);
    buf_release(&why);
    config_unpin(&config);
    arena_free(&arena);
    return code;
}
