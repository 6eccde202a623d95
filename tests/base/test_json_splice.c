/* tests/base/test_json_splice.c -- edits by node, against a model of them. */
#include "tests/support/check.h"

#include <stdlib.h>

#include "tests/support/splice_model.h"

#define MOST_EDITS 64

static struct arena *arena;

static int
set_up(void **state)
{
    (void)state;
    arena = arena_new("test", (size_t)256 << 20);
    return arena == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static const struct tape *
read_body(struct span body)
{
    const struct tape *tape;
    struct tape_error  error;

    if (tape_read(body, &tape_default_limits, arena, &tape, &error) != ST_OK)
        fail_msg("%s at %zu of %.*s", tape_refusal_name(error.why), error.where, SPAN_PRINT(body));
    return tape;
}

static struct span
edited(const char *body, const char *edits)
{
    const struct tape *t = read_body(span_of(body));
    struct splices    *s = splices_new(t, arena);
    struct model_edit  list[MOST_EDITS];

    model_apply(s, t, list, model_parse(span_of(edits), t, list, MOST_EDITS));
    assert_int_equal(splices_seal(s), ST_OK);
    struct span flat = splices_flat(s, arena);
    assert_int_equal(splices_length(s), flat.length);
    return flat;
}

/* ---- the rule, case by case ----------------------------------------------- */

static void
test_cuts_with_the_right_comma(void **state)
{
    static const struct { const char *says, *body, *edits, *want; } cases[] = {
        { "no edit",             "[1, 2, 3]",               "",            "[1, 2, 3]" },
        { "the first",           "[1, 2, 3]",               "c2",          "[2, 3]" },
        { "the middle",          "[1, 2 ,3]",               "c3",          "[1 ,3]" },
        { "the last",            "[1, 2, 3 ]",              "c4",          "[1, 2 ]" },
        { "the first two",       "[ 1, 2, 3]",              "c2 c3",       "[ 3]" },
        { "the last two",        "[1, 2, 3]",               "c3 c4",       "[1]" },
        { "both ends",           "[1, 2, 3]",               "c4 c2",       "[2]" },
        { "twice",               "[1, 2, 3]",               "c3 c3 c3",    "[1, 3]" },
        { "a member",            "{\"a\": 1, \"b\": 2}",    "c3",          "{\"b\": 2}" },
        { "a member by its name", "{\"a\": 1, \"b\": 2}",   "c4",          "{\"a\": 1}" },
        { "all items",           "{\"a\":[1,2],\"b\":3}",   "c4 c5",       "{\"b\":3}" },
        { "all items, last",     "{\"b\":3,\"a\":[1,2]}",   "c6 c7",       "{\"b\":3}" },
        { "all the way up",      "{\"a\":[[[1]]]}",         "c6",          "" },
        { "the root",            " {\"a\":1} ",             "c1",          "" },
        { "inside what is cut",  "[[1,2],3]",               "c2 c3 r4=9",  "[3]" },
        { "pretty",              "[\n  1,\n  2,\n  3\n]",   "c2",          "[\n  2,\n  3\n]" },
        { "pretty, last",        "[\n  1,\n  2,\n  3\n]",   "c4",          "[\n  1,\n  2\n]" },
        { "empty ones stay",     "[{},[],1]",               "c4",          "[{},[]]" },
        { "cut an empty one",    "[{},[],1]",               "c2",          "[[],1]" },
        { "deep, two places",    "{\"a\":{\"b\":1,\"c\":[2]},\"d\":[3,4]}", "c8 c11", "{\"a\":{\"b\":1},\"d\":[4]}" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span have = edited(cases[i].body, cases[i].edits);
        if (!span_eq_text(have, cases[i].want))
            fail_msg("%s: want %s, have %.*s", cases[i].says, cases[i].want, SPAN_PRINT(have));
    }
}

static void
test_adds_and_replaces(void **state)
{
    static const struct { const char *says, *body, *edits, *want; } cases[] = {
        { "an item",                 "[1]",              "a1=2",            "[1,2]" },
        { "items in order",          "[1\n]",            "a1=2 a1=3",       "[1,2,3\n]" },
        { "a member",                "{\"a\": 1 }",      "a1=\"b\":2",      "{\"a\": 1,\"b\":2 }" },
        { "to an empty array",       "[ ]",              "a1=1 a1=2",       "[1,2 ]" },
        { "to an empty object",      "{}",               "a1=\"b\":2",      "{\"b\":2}" },
        { "behind a cut",            "[1, 2]",           "c3 a1=9",         "[1,9]" },
        { "where all was cut",       "[ 1, 2 ]",         "c2 c3 a1=8 a1=9", "[ 8,9 ]" },
        { "keeps what holds it",     "{\"a\":[1]}",      "c4 a3=9",         "{\"a\":[9]}" },
        { "not to what is cut",      "[[1],2]",          "a2=9 c2",         "[2]" },
        { "not to what is replaced", "[[1],2]",          "a2=9 r2=3",       "[3,2]" },
        { "a value",                 "{\"a\" : [1,2]}",  "r3=null",         "{\"a\" : null}" },
        { "a string with quotes",    "[\"x\",1]",        "r2=\"y\"",        "[\"y\",1]" },
        { "the later one",           "[1]",              "r2=7 r2=8",       "[8]" },
        { "not what is cut",         "[1,2]",            "r2=7 c2",         "[2]" },
        { "the root",                " [1] ",            "r1={}",           " {} " },
        { "a replaced one survives", "[1,2,3]",          "c2 r3=9 c4",      "[9]" },
        { "in depth and above",      "[[1],[2]]",        "a2=8 a1=9 c5",    "[[1,8],9]" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span have = edited(cases[i].body, cases[i].edits);
        if (!span_eq_text(have, cases[i].want))
            fail_msg("%s: want %s, have %.*s", cases[i].says, cases[i].want, SPAN_PRINT(have));
    }
}

static void
test_without_an_edit_the_result_is_the_body_itself(void **state)
{
    struct span        body = SPAN(" {\"a\": [1, 2]}\n");
    const struct tape *t    = read_body(body);
    struct splices    *s    = splices_new(t, arena);

    (void)state;
    assert_int_equal(splices_seal(s), ST_OK);
    assert_ptr_equal(splices_flat(s, arena).at, body.at);
    assert_int_equal(splices_length(s), body.length);
    assert_int_equal(splices_count(s), 0);
}

static void
test_knows_what_is_cut_before_and_after_the_seal(void **state)
{
    const struct tape *t = read_body(SPAN("{\"a\":[1,[2]],\"b\":[3]}"));
    struct splices    *s = splices_new(t, arena);

    (void)state;
    splices_cut(s, 5);                   /* the inner array of a */
    splices_cut(s, 9);                   /* the only item of b   */
    assert_true(splices_is_cut(s, 5));
    assert_true(splices_is_cut(s, 6));
    assert_false(splices_is_cut(s, 3));
    assert_false(splices_is_cut(s, 8));
    assert_int_equal(splices_count(s), 2);
    splices_cut(s, 6);
    assert_int_equal(splices_count(s), 2);
    assert_int_equal(splices_seal(s), ST_OK);
    assert_true(splices_is_cut(s, 8));   /* emptied, with its name */
    assert_true(splices_is_cut(s, 7));
    assert_false(splices_is_cut(s, 3));
    assert_false(splices_is_cut(s, TAPE_ROOT));
}

/* ---- failing closed ------------------------------------------------------- */

static void
test_nothing_leaves_before_the_seal(void **state)
{
    struct splices *s = splices_new(read_body(SPAN("[1,2]")), arena);
    struct iovec    v;

    (void)state;
    assert_int_equal(splices_length(s), 0);
    assert_int_equal(splices_iovec(s, &v, 1, 0), 0);
    assert_true(span_empty(splices_flat(s, arena)));
}

static void
test_a_lost_addition_fails_the_seal(void **state)
{
    struct splices *s = splices_new(read_body(SPAN("[1,2]")), arena);

    (void)state;
    splices_add_item(s, TAPE_ROOT, (struct span){ NULL, 0 });
    assert_int_equal(splices_seal(s), ST_NO_MEMORY);
    assert_int_equal(splices_length(s), 0);
}

/* At every budget the result is right or there is none. */
static void
test_every_shortage_of_memory_fails_the_seal(void **state)
{
    const struct tape *t         = read_body(SPAN("{\"a\":[1,2,[3,[4,[5]]]],\"b\":[6]}"));
    unsigned           succeeded = 0, failed = 0;

    (void)state;
    for (size_t budget = 0; budget < 4000; budget += 16) {
        struct arena   *small = arena_new("small", budget);
        struct splices *s     = splices_new(t, small);
        enum status     st    = ST_NO_MEMORY;
        if (s != NULL) {
            splices_cut(s, 4);
            splices_cut(s, 10);
            splices_add_item(s, 3, SPAN("7"));
            st = splices_seal(s);
        }
        struct span flat = st == ST_OK ? splices_flat(s, arena) : (struct span){ NULL, 0 };
        if (st == ST_OK)
            check_text(flat, "{\"a\":[2,[3,[4]],7],\"b\":[6]}");
        else if (s != NULL)
            assert_int_equal(splices_length(s), 0);
        succeeded += st == ST_OK;
        failed += st == ST_NO_MEMORY;
        arena_free(&small);
    }
    assert_true(succeeded > 10 && failed > 10);
}

/* ---- properties ----------------------------------------------------------- */

static size_t
random_edits(struct chance *c, const struct tape *t, struct model_edit *edits)
{
    static const char *const items[] = { "0", "\"new\"", "{\"x\":[]}", "[1, 2]", "null" };
    static char              members[MOST_EDITS][64];
    size_t                   count = chance_below(c, 1 + chance_below(c, MOST_EDITS));
    bool                     only_cuts = chance_one_in(c, 2);

    for (size_t i = 0; i < count; i++) {
        tape_node      node = 1 + chance_below(c, tape_count(t));
        uint32_t       pick = only_cuts ? 0 : chance_below(c, 4);
        enum tape_kind kind = tape_kind(t, node);
        if (node == TAPE_ROOT && pick < 3 && !chance_one_in(c, 50))
            pick = 3;
        edits[i] = (struct model_edit){ MODEL_CUT, kind == TAPE_NAME ? node + 1 : node, { NULL, 0 } };
        if (pick == 2 && kind != TAPE_NAME) {
            edits[i].kind = MODEL_REPLACE;
            edits[i].json = span_of(items[chance_below(c, 5)]);
        } else if (pick == 3 && kind == TAPE_ARRAY) {
            edits[i].kind = MODEL_ADD;
            edits[i].json = span_of(items[chance_below(c, 5)]);
        } else if (pick == 3 && kind == TAPE_OBJECT) {
            snprintf(members[i], sizeof members[i], "\"added %zu\":%zu", i, i);
            edits[i].kind = MODEL_ADD;
            edits[i].json = span_of(members[i]);
        } else if (edits[i].node == TAPE_ROOT) {
            count = i;                   /* cut it seldom: nothing is left to see */
        }
    }
    return count;
}

/* The iovec, taken in steps from any byte on, is the flat result. */
static void
check_iovec(const struct splices *s, struct span flat, struct chance *c)
{
    size_t from = flat.length > 0 ? chance_below(c, (uint32_t)flat.length + 1) : 0;

    while (from < flat.length) {
        struct iovec v[3];
        size_t       filled = splices_iovec(s, v, 1 + chance_below(c, 3), from);
        assert_true(filled > 0);
        for (size_t i = 0; i < filled; i++) {
            assert_true(v[i].iov_len > 0 && from + v[i].iov_len <= flat.length);
            assert_memory_equal(v[i].iov_base, flat.at + from, v[i].iov_len);
            from += v[i].iov_len;
        }
    }
    struct iovec v;
    assert_int_equal(splices_iovec(s, &v, 1, flat.length), 0);
}

/* A value that no edit touches is in the result as it was: the bytes that
 * the model kept are pointers into the body (except what was brought). */
static void
check_untouched(const struct tape *t, const struct splices *s, const struct model_edit *edits, size_t count)
{
    struct span  body = tape_body(t);
    struct iovec v;
    size_t       kept = 0;

    for (size_t from = 0; splices_iovec(s, &v, 1, from) == 1; from += v.iov_len) {
        const char *at = v.iov_base;
        if (at >= body.at && at < body.at + body.length) {
            assert_true(at - body.at >= (ptrdiff_t)kept);        /* in order, none twice */
            kept = (size_t)(at - body.at) + v.iov_len;
            continue;
        }
        bool brought = v.iov_len == 1 && *at == ',';
        for (size_t i = 0; i < count; i++)
            brought |= edits[i].json.at == at;
        assert_true(brought);
    }
}

static void
check_random_edits(struct chance *c, struct buf *body, struct buf *want)
{
    struct model_edit edits[MOST_EDITS];

    buf_clear(body);
    buf_clear(want);
    random_json(c, body, 1 + chance_below(c, 40));
    const struct tape *t     = read_body(buf_span(body));
    struct splices    *s     = splices_new(t, arena);
    size_t             count = random_edits(c, t, edits);
    model_apply(s, t, edits, count);
    model_render(t, edits, count, want);
    assert_int_equal(splices_seal(s), ST_OK);
    struct span flat = splices_flat(s, arena);
    check_span(flat, buf_span(want));
    check_iovec(s, flat, c);
    check_untouched(t, s, edits, count);
    if (flat.length > 0)
        read_body(flat);
    else
        assert_true(splices_is_cut(s, TAPE_ROOT));
}

static void
test_random_edits_come_to_what_the_model_says_and_parse(void **state)
{
    struct chance chance = chance_from(3);
    struct buf    body, want;

    (void)state;
    buf_init(&body, 1 << 20);
    buf_init(&want, 1 << 20);
    for (int round = 0; round < 20000; round++) {
        struct arena_mark mark = arena_mark(arena);
        check_random_edits(&chance, &body, &want);
        arena_reset(arena, mark);
    }
    buf_release(&body);
    buf_release(&want);
}

/* A quarter of a million cuts in one flat array, and as many edits in a deep
 * one, take no noticeable time: nothing here is quadratic. */
static void
test_many_edits_cost_no_more_than_many(void **state)
{
    enum { MANY = 250000 };
    struct buf body;

    (void)state;
    buf_init(&body, 16 << 20);
    for (int i = 0; i < MANY; i++)
        buf_add_text(&body, i == 0 ? "[[1]" : ",[1]");
    buf_add_text(&body, "]");
    const struct tape *t = read_body(buf_span(&body));
    struct splices    *s = splices_new(t, arena);
    for (tape_node n = tape_count(t); n > 3; n -= 2)
        splices_cut(s, n);               /* the 1 of every array but the first, backward */
    splices_add_item(s, TAPE_ROOT, SPAN("2"));
    assert_int_equal(splices_seal(s), ST_OK);
    check_text(splices_flat(s, arena), "[[1],2]");
    s = splices_new(t, arena);
    for (tape_node n = tape_count(t) - 1; n > 1; n -= 2)
        splices_add_item(s, n, SPAN("2"));
    assert_int_equal(splices_seal(s), ST_OK);
    assert_int_equal(splices_length(s), body.length + 2 * (size_t)MANY);
    buf_release(&body);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts_with_the_right_comma),
        cmocka_unit_test(test_adds_and_replaces),
        cmocka_unit_test(test_without_an_edit_the_result_is_the_body_itself),
        cmocka_unit_test(test_knows_what_is_cut_before_and_after_the_seal),
        cmocka_unit_test(test_nothing_leaves_before_the_seal),
        cmocka_unit_test(test_a_lost_addition_fails_the_seal),
        cmocka_unit_test(test_every_shortage_of_memory_fails_the_seal),
        cmocka_unit_test(test_random_edits_come_to_what_the_model_says_and_parse),
        cmocka_unit_test(test_many_edits_cost_no_more_than_many),
    };
    return cmocka_run_group_tests_name("base/json_splice", tests, set_up, tear_down);
}
