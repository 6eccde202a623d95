/* tests/fuzz/fuzz_tape.c -- any bytes through both readers of the tape.
 *
 * Checked: both say the same; a refusal has a place in the document and
 * leaves the arena as it was; an accepted document is a tree of nodes inside
 * each other and in order, its names differ, and its text survives unescaping
 * and being looked up.  The limits are drawn from the input, too. */
#include <assert.h>
#include <stdlib.h>

#include "base/json_tape.h"
#include "tests/support/check.h"

static struct arena *arena;

static void
check_same(const struct tape *a, const struct tape *b)
{
    assert(tape_count(a) == tape_count(b));
    for (tape_node n = 0; n <= tape_count(a); n++) {
        assert(tape_kind(a, n) == tape_kind(b, n) && tape_offset(a, n) == tape_offset(b, n));
        assert(tape_extent(a, n).length == tape_extent(b, n).length);
        assert(tape_after(a, n) == tape_after(b, n) && tape_next(a, n) == tape_next(b, n));
        assert(tape_name(a, n) == tape_name(b, n) && tape_children(a, n) == tape_children(b, n));
        assert(tape_escaped(a, n) == tape_escaped(b, n) && tape_integer(a, n) == tape_integer(b, n));
    }
}

static void
check_text_of(const struct tape *t, tape_node n)
{
    struct span text = tape_text(t, n, arena);

    assert(tape_text_eq(t, n, text));
    assert(text.length <= tape_raw(t, n).length);
    assert(tape_escaped(t, n) == (span_find_byte(tape_raw(t, n), '\\') != SPAN_NOT_FOUND));
    assert(span_find_byte(text, 0) == SPAN_NOT_FOUND);
}

/* Returns the node behind the subtree. */
static tape_node
check_tree(const struct tape *t, tape_node n, const tape_node *parents)
{
    struct span    outer    = tape_extent(t, n);
    enum tape_kind kind     = tape_kind(t, n);
    tape_node      expected = n + 1;
    uint32_t       children = 0;

    if (kind == TAPE_STRING)
        check_text_of(t, n);
    for (tape_node c = tape_first(t, n); c != TAPE_ABSENT; c = tape_next(t, c), children++) {
        tape_node name = tape_name(t, c);
        assert((name != TAPE_ABSENT) == (kind == TAPE_OBJECT));
        if (name != TAPE_ABSENT) {
            check_text_of(t, name);
            assert(parents[name] == n);
            if (tape_children(t, n) < 100)               /* finds the first: so no twin is before */
                assert(tape_member(t, n, tape_text(t, name, arena)) == c);
            expected++;
        }
        struct span inner = tape_extent(t, c);
        assert(c == expected && parents[c] == n);
        assert(inner.length > 0 && inner.at > outer.at && inner.at + inner.length < outer.at + outer.length);
        expected = check_tree(t, c, parents);
    }
    assert(children == tape_children(t, n) && expected == tape_after(t, n));
    return expected;
}

static void
check_limits(const struct tape *t, const struct tape_limits *limits, struct span body)
{
    assert(tape_count(t) <= limits->max_nodes && body.length <= limits->max_bytes);
    for (tape_node n = 1; n <= tape_count(t); n++)
        if (tape_kind(t, n) == TAPE_NUMBER)
            assert(tape_extent(t, n).length <= limits->max_number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span        body   = span_from(data, size);
    uint64_t           draw   = span_hash(body);
    struct tape_limits limits = tape_default_limits;
    const struct tape *fast, *plain;
    struct tape_error  one, two;

    if (draw % 4 == 0)
        limits = (struct tape_limits){ .max_bytes = draw >> 8 & 0xffff, .max_nodes = draw >> 24 & 0xff,
                                       .max_depth = draw >> 32 & 7, .max_number = draw >> 40 & 15 };
    arena       = arena_new("fuzz", draw % 8 == 1 ? draw >> 8 & 0x3fff : (size_t)64 << 20);
    size_t used = arena_used(arena);
    enum status st = tape_read(body, &limits, arena, &fast, &one);
    assert((st == ST_OK) == (one.why == TAPE_REFUSED_NONE) && (st == ST_OK) == (fast != NULL));
    assert(one.where <= size && (one.why == TAPE_REFUSED_NONE || one.line > 0));
    if (st == ST_OK)
        check_limits(fast, &limits, body);
    else
        assert(arena_used(arena) == used);
    if (one.why != TAPE_REFUSED_MEMORY) {
        arena_free(&arena);
        arena = arena_new("fuzz again", (size_t)64 << 20);
        enum status first = tape_read(body, &limits, arena, &fast, NULL);
        assert(first == st && tape_read_scalar(body, &limits, arena, &plain, &two) == st);
        assert(one.why == two.why && one.where == two.where && one.line == two.line && one.column == two.column);
        if (st == ST_OK) {
            check_same(fast, plain);
            const tape_node *parents = tape_parents(fast, arena);
            assert(check_tree(fast, TAPE_ROOT, parents) == tape_count(fast) + 1);
        }
    }
    arena_free(&arena);
    return 0;
}
