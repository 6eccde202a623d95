/* gateway/cli/tape.c -- prints the tape of a document, for debugging. */
#include "base/json_tape.h"
#include "gateway/cli/load.h"
#include "gateway/cli/run.h"

static int
refused(const struct call *call, const char *path, const struct tape_error *error)
{
    call_say(call, "%s:%u:%u: refused at byte %zu: %s (%s)", path, error->line, error->column, error->where,
             tape_refusal_text(error->why), tape_refusal_name(error->why));
    return EXIT_CODE_NEGATIVE;
}

/* "12  2  string  103..110  family": number, depth, kind, bytes, name. */
static void
add_node(struct buf *out, const struct tape *tape, tape_node node, unsigned depth)
{
    struct span extent = tape_extent(tape, node);
    size_t      first  = tape_offset(tape, node);
    tape_node   name   = tape_name(tape, node);
    buf_add_format(out, "%-8u %-3u %-7s %zu..%zu", node, depth, tape_kind_name(tape_kind(tape, node)), first,
                   first + extent.length);
    if (name != TAPE_ABSENT) {
        buf_add_text(out, " \"");
        buf_add(out, tape_raw(tape, name));
        buf_add_byte(out, '"');
    }
    buf_add_byte(out, '\n');
}

static bool
flush(const struct call *call, struct buf *out, size_t least)
{
    if (out->length < least)
        return true;
    bool printed = call_print_buf(call, out) == EXIT_CODE_OK;
    buf_clear(out);
    return printed;
}

static int
print_tape(const struct call *call, const struct tape *tape, struct arena *arena)
{
    const tape_node *parents = tape_parents(tape, arena);
    uint16_t        *depths  = arena_make_n(arena, (size_t)tape_count(tape) + 1, uint16_t);
    struct buf       out;
    if (parents == NULL || depths == NULL)
        return EXIT_CODE_DEPENDENCY;
    buf_init(&out, 1 << 20);
    bool printed = true;
    for (tape_node node = TAPE_ROOT; printed && node <= tape_count(tape); node++) {
        depths[node] = node == TAPE_ROOT ? 0 : (uint16_t)(depths[parents[node]] + 1);
        if (tape_kind(tape, node) == TAPE_NAME)
            continue;
        add_node(&out, tape, node, depths[node]);
        printed = flush(call, &out, 1 << 16);
    }
    printed = printed && flush(call, &out, 1);
    buf_release(&out);
    return printed ? EXIT_CODE_OK : EXIT_CODE_DEPENDENCY;
}

int
command_tape(const struct call *call)
{
    const char        *path  = call->arguments[0];
    struct arena      *arena = arena_new("tape", LOAD_ARENA_BYTES);
    const struct tape *tape;
    struct tape_error  error;
    struct buf         bytes;
    if (arena == NULL)
        return EXIT_CODE_DEPENDENCY;
    int code = EXIT_CODE_USAGE;
    if (load_file(call, path, &bytes)) {
        enum status st = tape_read(buf_span(&bytes), &tape_default_limits, arena, &tape, &error);
        code           = st == ST_OK ? print_tape(call, tape, arena) : refused(call, path, &error);
        buf_release(&bytes);
    }
    arena_free(&arena);
    return code;
}
