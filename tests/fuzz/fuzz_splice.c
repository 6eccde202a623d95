/* tests/fuzz/fuzz_splice.c -- any edits on any document.
 *
 * The first line is a list of edits (tests/support/splice_model.h), the rest
 * the document.  Checked: the result is what the model says, it parses, the
 * iovec is the flat result, and an unedited document is itself. */
#include <assert.h>
#include <stdlib.h>

#include "tests/support/check.h"
#include "tests/support/splice_model.h"

#define MOST_EDITS 64

static void
check_iovec(const struct splices *s, struct span flat)
{
    size_t from = 0;

    while (from < flat.length) {
        struct iovec v[2];
        size_t       filled = splices_iovec(s, v, 2, from);
        assert(filled > 0);
        for (size_t i = 0; i < filled; from += v[i++].iov_len)
            assert(v[i].iov_len > 0 && memcmp(v[i].iov_base, flat.at + from, v[i].iov_len) == 0);
    }
    assert(from == flat.length && splices_length(s) == flat.length);
}

/* Added text comes from the input and may be no JSON, or a name that is there
 * already: only what is made of cuts alone must parse. */
static bool
only_cuts(const struct model_edit *edits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (edits[i].kind != MODEL_CUT)
            return false;
    return true;
}

static void
check_edits(struct span body, struct span list, struct arena *arena)
{
    struct model_edit  edits[MOST_EDITS];
    const struct tape *t, *again;
    struct buf         want;

    if (tape_read(body, &tape_default_limits, arena, &t, NULL) != ST_OK)
        return;
    size_t          count = model_parse(list, t, edits, MOST_EDITS);
    struct splices *s     = splices_new(t, arena);
    model_apply(s, t, edits, count);
    enum status sealed = splices_seal(s);
    assert(sealed == ST_OK);
    struct span flat = splices_flat(s, arena);
    check_iovec(s, flat);
    buf_init(&want, (size_t)64 << 20);
    model_render(t, edits, count, &want);
    assert(span_eq(flat, buf_span(&want)));
    buf_release(&want);
    if (count == 0)
        assert(flat.at == body.at && flat.length == body.length);
    if (flat.length == 0)
        assert(splices_is_cut(s, TAPE_ROOT));
    else if (only_cuts(edits, count)) {
        enum status parsed = tape_read(flat, &tape_default_limits, arena, &again, NULL);
        assert(parsed == ST_OK && tape_count(again) <= tape_count(t));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span   body  = span_from(data, size);
    struct span   list  = span_split(&body, '\n');
    struct arena *arena = arena_new("fuzz", (size_t)256 << 20);

    if (body.at != NULL)
        check_edits(body, list, arena);
    arena_free(&arena);
    return 0;
}
