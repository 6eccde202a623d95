/* tests/base/test_json_writer.c -- what is streamed is JSON, whatever the bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/json_tape.h"
#include "base/json_writer.h"

static void
test_writes_a_document_without_white_space(void **state)
{
    struct arena      *arena = arena_new("test", 1 << 20);
    struct json_writer w;

    (void)state;
    json_writer_open(&w, arena);
    json_object(&w, NULL);
    json_text(&w, "a", SPAN("x"));
    json_text_if(&w, "none", SPAN(""));
    json_array(&w, "b");
    json_integer(&w, NULL, -12);
    json_integer(&w, NULL, INT64_MIN);
    json_object(&w, NULL);
    json_end(&w);
    json_end(&w);
    json_bool(&w, "c", true);
    json_bool(&w, "d", false);
    json_end(&w);
    struct span json = json_writer_close(&w);
    assert_true(span_eq(json, SPAN("{\"a\":\"x\",\"b\":[-12,-9223372036854775808,{}],\"c\":true,\"d\":false}")));
    arena_free(&arena);
}

static struct span
written(struct arena *arena, struct span text)
{
    struct json_writer w;

    json_writer_open(&w, arena);
    json_text(&w, NULL, text);
    return json_writer_close(&w);
}

static void
test_escapes_what_json_wants_escaped(void **state)
{
    struct arena *arena = arena_new("test", 1 << 20);

    (void)state;
    assert_true(span_eq(written(arena, SPAN("a\"b\\c\b\t\n\f\r\x0b\x01\x7f")),
                        SPAN("\"a\\\"b\\\\c\\b\\t\\n\\f\\r\\u000b\\u0001\x7f\"")));
    assert_true(span_eq(written(arena, SPAN("Jos\xc3\xa9 \xf0\x9f\x98\x80")), SPAN("\"Jos\xc3\xa9 \xf0\x9f\x98\x80\"")));
    assert_true(span_eq(written(arena, SPAN("cut\xc3")), SPAN("\"cut\xef\xbf\xbd\"")));
    assert_true(span_eq(written(arena, SPAN("\xed\xa0\x80")),
                        SPAN("\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"")));
    arena_free(&arena);
}

static void
test_whatever_bytes_come_the_tape_reads_them(void **state)
{
    struct arena *arena = arena_new("test", 16 << 20);
    unsigned      seed  = 1;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        char               bytes[64];
        size_t             length = (size_t)(rand_r(&seed) % 64);
        struct arena_mark  mark   = arena_mark(arena);
        const struct tape *tape;
        for (size_t i = 0; i < length; i++)
            bytes[i] = (char)(1 + rand_r(&seed) % 255);
        struct span json = written(arena, span_from(bytes, length));
        assert_int_equal(tape_read(json, &tape_default_limits, arena, &tape, NULL), ST_OK);
        assert_int_equal(tape_kind(tape, TAPE_ROOT), TAPE_STRING);
        arena_reset(arena, mark);
    }
    arena_free(&arena);
}

static void
test_parts_are_one_text_and_every_length_is_looked_through(void **state)
{
    struct arena *arena = arena_new("test", 16 << 20);

    (void)state;
    for (size_t length = 0; length < 70; length++)
        for (size_t odd = 0; odd <= length; odd++) {
            char               bytes[70], want[80];
            struct json_writer w;
            memset(bytes, '~', sizeof bytes);
            memset(want, '~', sizeof want);
            want[0] = '"';
            if (odd < length) {
                bytes[odd]    = '"';
                want[odd + 1] = '\\';
                want[odd + 2] = '"';
            }
            size_t end = length + (odd < length) + 1;
            want[end]  = '"';
            assert_true(span_eq(written(arena, span_from(bytes, length)), span_from(want, end + 1)));
            json_writer_open(&w, arena);
            json_join(&w, NULL, span_from(bytes, odd), SPAN(""), span_from(bytes + odd, length - odd));
            assert_true(span_eq(json_writer_close(&w), span_from(want, end + 1)));
        }
    arena_free(&arena);
}

static void
test_grows_and_says_when_the_arena_is_spent(void **state)
{
    struct arena      *arena = arena_new("test", 1 << 20);
    struct arena      *small = arena_new("test", 4096);
    struct json_writer w;

    (void)state;
    for (int i = 0; i < 2; i++) {
        json_writer_open(&w, i == 0 ? arena : small);
        json_array(&w, NULL);
        for (int n = 0; n < 10000; n++)
            json_integer(&w, NULL, n);
        json_end(&w);
        struct span json = json_writer_close(&w);
        assert_int_equal(json.length, i == 0 ? 48891 : 0);
    }
    assert_int_equal(arena_status(small), ST_NO_MEMORY);
    arena_free(&arena);
    arena_free(&small);
}

static void
test_an_unbalanced_document_is_no_document(void **state)
{
    struct arena      *arena = arena_new("test", 1 << 20);
    struct json_writer w;

    (void)state;
    json_writer_open(&w, arena);
    json_object(&w, NULL);
    assert_int_equal(json_writer_close(&w).length, 0);
    json_writer_open(&w, arena);
    json_end(&w);
    assert_int_equal(json_writer_close(&w).length, 0);
    assert_int_equal(arena_status(arena), ST_OK);
    arena_free(&arena);
}

static void
test_what_an_unwanted_document_held_is_not_handed_out_again(void **state)
{
    struct arena      *arena = arena_new("test", 1 << 20);
    struct json_writer w;

    (void)state;
    json_writer_open(&w, arena);
    json_object(&w, NULL);
    json_text(&w, "name", SPAN("somebody"));
    assert_int_equal(json_writer_close(&w).length, 0);
    const char *fresh = arena_alloc(arena, 4096);
    for (size_t i = 0; i < 4096; i++)
        assert_int_equal(fresh[i], 0);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_a_document_without_white_space),
        cmocka_unit_test(test_escapes_what_json_wants_escaped),
        cmocka_unit_test(test_whatever_bytes_come_the_tape_reads_them),
        cmocka_unit_test(test_parts_are_one_text_and_every_length_is_looked_through),
        cmocka_unit_test(test_grows_and_says_when_the_arena_is_spent),
        cmocka_unit_test(test_an_unbalanced_document_is_no_document),
        cmocka_unit_test(test_what_an_unwanted_document_held_is_not_handed_out_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
