/* gateway/cli/control.c -- status and reload, over the control socket. */
#include "gateway/ops/control.h"

#include <stdio.h>

#include "base/json_tape.h"
#include "gateway/cli/load.h"
#include "gateway/cli/run.h"

enum { ANSWER_BYTES = 1 << 20, ARENA_BYTES = 8 << 20 };

struct answer {
    struct arena      *arena;
    struct buf         bytes;
    const struct tape *tape;             /* of the JSON document that came */
};

static void
answer_release(struct answer *a)
{
    buf_release(&a->bytes);
    arena_free(&a->arena);
}

/* EXIT_CODE_OK and the answer as a tape, or the code to end with. */
static int
ask(const struct call *call, const char *word, struct answer *a)
{
    struct config    *config = load_config(call);
    struct buf        why;
    struct tape_error error;
    if (config == NULL)
        return EXIT_CODE_CONFIG;
    a->arena = arena_new("control answer", ARENA_BYTES);
    buf_init(&a->bytes, ANSWER_BYTES);
    buf_init(&why, 4096);
    enum status st = a->arena != NULL ? control_ask(config->admin.socket, word, &a->bytes, &why) : ST_NO_MEMORY;
    config_unpin(&config);
    if (st == ST_OK && tape_read(span_trim(buf_span(&a->bytes)), &tape_default_limits, a->arena, &a->tape, &error) != ST_OK)
        buf_add_text(&why, "the gateway's answer cannot be read");
    bool bad = !span_empty(buf_span(&why));
    if (bad)
        call_say(call, "%.*s", SPAN_PRINT(buf_span(&why)));
    buf_release(&why);
    tape_node refused = bad ? TAPE_ABSENT : tape_member(a->tape, TAPE_ROOT, SPAN("error"));
    if (refused != TAPE_ABSENT)
        call_say(call, "%.*s", SPAN_PRINT(tape_text(a->tape, refused, a->arena)));
    if (bad)
        return EXIT_CODE_DEPENDENCY;
    return refused != TAPE_ABSENT ? EXIT_CODE_PERMISSION : EXIT_CODE_OK;
}

/* "store.healthy  true": one line a fact, nested names with dots. */
static void
add_facts(struct buf *out, const struct tape *tape, tape_node object, struct span before)
{
    char name[256];
    for (tape_node n = tape_first(tape, object); n != TAPE_ABSENT; n = tape_next(tape, n)) {
        struct span own  = tape_raw(tape, tape_name(tape, n));
        int         used = snprintf(name, sizeof name, "%.*s%s%.*s", SPAN_PRINT(before), span_empty(before) ? "" : ".", SPAN_PRINT(own));
        struct span path = span_from(name, used > 0 && used < (int)sizeof name ? (size_t)used : 0);
        if (tape_kind(tape, n) == TAPE_OBJECT) {
            add_facts(out, tape, n, path);
            continue;
        }
        struct span value = tape_kind(tape, n) == TAPE_STRING ? tape_raw(tape, n) : tape_extent(tape, n);
        buf_add_format(out, "%-26.*s %.*s\n", SPAN_PRINT(path), SPAN_PRINT(value));
    }
}

int
command_status(const struct call *call)
{
    struct answer a    = { 0 };
    int           code = ask(call, "status", &a);
    struct buf    out;
    buf_init(&out, ANSWER_BYTES);
    if (code == EXIT_CODE_OK && call_has(call, "json"))
        code = call_print_buf(call, &a.bytes);
    else if (code == EXIT_CODE_OK) {
        add_facts(&out, a.tape, TAPE_ROOT, (struct span){ NULL, 0 });
        code = call_print_buf(call, &out);
    }
    buf_release(&out);
    answer_release(&a);
    return code;
}

int
command_reload(const struct call *call)
{
    struct answer a    = { 0 };
    int           code = ask(call, "reload", &a);
    if (code == EXIT_CODE_OK) {
        tape_node errors = tape_member(a.tape, TAPE_ROOT, SPAN("errors"));
        bool      done   = tape_kind(a.tape, tape_member(a.tape, TAPE_ROOT, SPAN("reloaded"))) == TAPE_TRUE;
        for (tape_node n = tape_first(a.tape, errors); n != TAPE_ABSENT; n = tape_next(a.tape, n))
            call_say(call, "%.*s", SPAN_PRINT(tape_text(a.tape, n, a.arena)));
        call_say(call, done ? "the new configuration is in effect" : "the old configuration stays in effect");
        code = done ? EXIT_CODE_OK : EXIT_CODE_CONFIG;
    }
    answer_release(&a);
    return code;
}
