/* tests/base/test_json_author.c -- what Sluice writes, its own tape can read. */
#include "tests/support/check.h"

#include "base/json_author.h"
#include "base/json_tape.h"

static struct arena *arena;
static struct buf    out;

static int
set_up(void **state)
{
    (void)state;
    arena = arena_new("test", 1 << 24);
    buf_init(&out, 1 << 20);
    return arena == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    buf_release(&out);
    arena_free(&arena);
    return 0;
}

static const struct tape *
printed(struct author **a, enum author_form form)
{
    const struct tape *tape;

    buf_clear(&out);
    assert_int_equal(author_print(*a, &out, form), ST_OK);
    author_free(a);
    assert_int_equal(tape_read(buf_span(&out), &tape_default_limits, arena, &tape, NULL), ST_OK);
    return tape;
}

static void
test_writes_every_kind_of_value(void **state)
{
    struct author *a    = author_new();
    author_value   root = author_object(a);
    author_value   list = author_add_array(root, "list");

    (void)state;
    author_add_text(root, "text", SPAN("a\"b\\c\n\x01/\xc3\xa9"));
    author_add_cstr(root, "cstr", "x");
    author_add_cstr(root, "nothing", NULL);
    author_add_integer(root, "most", INT64_MAX);
    author_add_integer(root, "least", INT64_MIN);
    author_add_bool(root, "yes", true);
    author_add_bool(root, "no", false);
    author_add_null(root, "null");
    author_add_raw(root, "raw", SPAN("{\"value\": 1.50}"));
    author_add_integer(list, NULL, 1);
    author_add_text(author_add_object(list, NULL), "in", SPAN(""));
    printed(&a, AUTHOR_COMPACT);
    check_text(buf_span(&out),
               "{\"list\":[1,{\"in\":\"\"}],\"text\":\"a\\\"b\\\\c\\n\\u0001/\xc3\xa9\",\"cstr\":\"x\","
               "\"most\":9223372036854775807,\"least\":-9223372036854775808,"
               "\"yes\":true,\"no\":false,\"null\":null,\"raw\":{\"value\": 1.50}}");
}

static void
test_pretty_says_the_same(void **state)
{
    struct author *a = author_new();

    (void)state;
    author_add_text(author_add_object(author_array(a), NULL), "name", SPAN("v"));
    const struct tape *t = printed(&a, AUTHOR_PRETTY);
    assert_true(span_find_byte(buf_span(&out), '\n') != SPAN_NOT_FOUND);
    check_text(tape_member_text(t, tape_first(t, TAPE_ROOT), SPAN("name"), arena), "v");
}

static void
test_dirty_text_becomes_readable(void **state)
{
    static const struct { struct span dirty, clean; } cases[] = {
        { { "a\xff" "b", 3 },          { "a\xef\xbf\xbd" "b", 5 } },
        { { "a\0b", 3 },               { "a\xef\xbf\xbd" "b", 5 } },
        { { "\xed\xa0\x80", 3 },       { "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 9 } },
        { { "\xe2\x82", 2 },           { "\xef\xbf\xbd\xef\xbf\xbd", 6 } },
        { { "\xf0\x9f\x98\x80", 4 },   { "\xf0\x9f\x98\x80", 4 } },
        { { NULL, 0 },                 { "", 0 } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct author *a = author_new();
        author_add_text(author_object(a), "t", cases[i].dirty);
        const struct tape *t = printed(&a, AUTHOR_COMPACT);
        check_span(tape_member_text(t, TAPE_ROOT, SPAN("t"), arena), cases[i].clean);
    }
}

/* Plain text is not printed by way of a document: each character alone, between plain ones. */
static void
test_a_literal_is_what_a_document_would_print(void **state)
{
    (void)state;
    for (int c = 1; c < 256; c++) {
        const char     text[] = { 'a', ' ', (char)c, '/', '~' };
        struct author *a      = author_new();
        author_add_text(author_object(a), "t", span_from(text, sizeof text));
        (void)printed(&a, AUTHOR_COMPACT);
        struct span whole = buf_span(&out);                   /* {"t":...} */
        check_span(author_literal(arena, span_from(text, sizeof text)), span_from(whole.at + 5, whole.length - 6));
    }
}

static void
test_random_text_survives_the_way_there_and_back(void **state)
{
    struct chance chance = chance_from(5);

    (void)state;
    for (int round = 0; round < 5000; round++) {
        struct arena_mark  mark = arena_mark(arena);
        const struct tape *t;
        char               text[40];
        size_t             length = chance_below(&chance, sizeof text);
        for (size_t i = 0; i < length; i++)
            text[i] = (char)(1 + chance_below(&chance, chance_one_in(&chance, 2) ? 127 : 255));
        struct span literal = author_literal(arena, span_from(text, length));
        assert_int_equal(tape_read(literal, &tape_default_limits, arena, &t, NULL), ST_OK);
        bool ascii = true;
        for (size_t i = 0; i < length; i++)
            ascii &= (unsigned char)text[i] < 0x80;
        if (ascii)
            check_span(tape_text(t, TAPE_ROOT, arena), span_from(text, length));
        arena_reset(arena, mark);
    }
}

static void
test_a_failure_sticks(void **state)
{
    struct author *a    = author_new();
    author_value   root = author_object(a);

    (void)state;
    author_value second = author_array(a);              /* there is one root */
    author_add_null(second, NULL);
    author_add_text(root, "x", SPAN("y"));
    buf_clear(&out);
    assert_int_equal(author_print(a, &out, AUTHOR_COMPACT), ST_NO_MEMORY);
    assert_int_equal(out.length, 0);
    author_free(&a);
    assert_null(a);
    author_free(&a);
    a = author_new();
    assert_int_equal(author_print(a, &out, AUTHOR_COMPACT), ST_NO_MEMORY);
    author_free(&a);
    a = author_new();
    author_add_raw(author_object(a), "raw", (struct span){ NULL, 0 });
    assert_int_equal(author_print(a, &out, AUTHOR_COMPACT), ST_NO_MEMORY);
    author_free(&a);
}

static void
test_a_buf_that_is_too_small_says_so(void **state)
{
    struct author *a = author_new();
    struct buf     small;

    (void)state;
    buf_init(&small, 3);
    author_add_integer(author_array(a), NULL, 1234);
    assert_int_equal(author_print(a, &small, AUTHOR_COMPACT), ST_TOO_LARGE);
    author_free(&a);
    buf_release(&small);
}

static void
test_a_literal_without_memory_is_empty(void **state)
{
    struct arena *none = arena_new("none", 0);

    (void)state;
    assert_true(span_empty(author_literal(none, SPAN("x"))));
    arena_free(&none);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_every_kind_of_value),
        cmocka_unit_test(test_pretty_says_the_same),
        cmocka_unit_test(test_dirty_text_becomes_readable),
        cmocka_unit_test(test_random_text_survives_the_way_there_and_back),
        cmocka_unit_test(test_a_failure_sticks),
        cmocka_unit_test(test_a_buf_that_is_too_small_says_so),
        cmocka_unit_test(test_a_literal_without_memory_is_empty),
        cmocka_unit_test(test_a_literal_is_what_a_document_would_print),
    };
    return cmocka_run_group_tests_name("base/json_author", tests, set_up, tear_down);
}
