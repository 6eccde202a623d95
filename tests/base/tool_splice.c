/* tests/base/tool_splice.c -- the tape and the splices for splice_oracle.py.
 *
 * Reads cases from stdin, writes answers to stdout, until the end:
 *     LENGTH EDITS\n followed by LENGTH bytes of JSON
 *     OK NODES LENGTH\n followed by LENGTH bytes, or REFUSED NAME OFFSET\n
 * EDITS as in tests/support/splice_model.h.
 */
#include <stdlib.h>

#include "tests/support/check.h"
#include "tests/support/splice_model.h"

#define MOST_EDITS 256

static void
answer(struct arena *arena, struct span body, struct span list)
{
    struct model_edit  edits[MOST_EDITS];
    const struct tape *tape;
    struct tape_error  error;

    if (tape_read(body, &tape_default_limits, arena, &tape, &error) != ST_OK) {
        printf("REFUSED %s %zu\n", tape_refusal_name(error.why), error.where);
        return;
    }
    struct splices *s = splices_new(tape, arena);
    model_apply(s, tape, edits, model_parse(list, tape, edits, MOST_EDITS));
    if (splices_seal(s) != ST_OK)
        exit(1);
    struct span flat = splices_flat(s, arena);
    printf("OK %u %zu\n", tape_count(tape), flat.length);
    if (flat.length > 0)
        fwrite(flat.at, 1, flat.length, stdout);
}

int
main(void)
{
    static char   line[1 << 16];
    struct arena *arena = arena_new("tool", (size_t)256 << 20);

    while (fgets(line, sizeof line, stdin) != NULL) {
        struct arena_mark mark   = arena_mark(arena);
        struct span       list   = span_trim(span_of(line));
        struct span       number = span_split(&list, ' ');
        uint64_t          length = 0;
        if (!span_to_u64(number, &length))
            return 1;
        char *body = malloc(length > 0 ? length : 1);
        if (body == NULL || fread(body, 1, length, stdin) != length)
            return 1;
        answer(arena, span_from(body, length), list);
        fflush(stdout);
        free(body);
        arena_reset(arena, mark);
    }
    arena_free(&arena);
    return 0;
}
