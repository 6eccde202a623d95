/* tests/base/test_json_tape.c -- what the tape reads, what it refuses and why. */
#include "tests/support/check.h"

#include <stdlib.h>

#include "base/json_tape.h"

#define BUDGET ((size_t)64 << 20)
/* A span in an initialiser, NUL bytes and all. */
#define BYTES(literal) { literal, sizeof(literal) - 1 }
#define SUITE  "data/json/JSONTestSuite/test_parsing"

static struct arena *arena;

static int
set_up(void **state)
{
    (void)state;
    arena = arena_new("test", BUDGET);
    return arena == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

/* ---- reading with both readers -------------------------------------------- */

static void
check_same_node(const struct tape *a, const struct tape *b, tape_node n)
{
    assert_int_equal(tape_kind(a, n), tape_kind(b, n));
    check_span(tape_extent(a, n), tape_extent(b, n));
    assert_int_equal(tape_offset(a, n), tape_offset(b, n));
    assert_int_equal(tape_after(a, n), tape_after(b, n));
    assert_int_equal(tape_next(a, n), tape_next(b, n));
    assert_int_equal(tape_name(a, n), tape_name(b, n));
    assert_int_equal(tape_children(a, n), tape_children(b, n));
    assert_int_equal(tape_escaped(a, n), tape_escaped(b, n));
    assert_int_equal(tape_integer(a, n), tape_integer(b, n));
}

/* Reads an exact copy on the heap, so that a sanitizer sees every byte that is
 * read too much, with both readers, and compares all they say. */
static const struct tape *
read_twice(struct span body, const struct tape_limits *limits, struct tape_error *error)
{
    char *copy = malloc(body.length > 0 ? body.length : 1);
    assert_non_null(copy);
    if (body.length > 0)
        memcpy(copy, body.at, body.length);
    struct span        exact = span_from(copy, body.length);
    const struct tape *fast, *plain, *kept;
    struct tape_error  other;
    enum status        st = tape_read(exact, limits, arena, &fast, error);

    assert_int_equal(tape_read_scalar(exact, limits, arena, &plain, &other), st);
    assert_int_equal(error->why, other.why);
    assert_int_equal(error->where, other.where);
    assert_int_equal(error->line, other.line);
    assert_int_equal(error->column, other.column);
    assert_int_equal(st == ST_OK, error->why == TAPE_REFUSED_NONE);
    assert_int_equal(st == ST_OK, fast != NULL);
    assert_int_equal(st == ST_OK, plain != NULL);
    assert_true(error->where <= body.length);
    if (st == ST_OK) {
        assert_int_equal(tape_count(fast), tape_count(plain));
        for (tape_node n = 0; n <= tape_count(fast); n++)
            check_same_node(fast, plain, n);
    }
    free(copy);
    if (st != ST_OK)
        return NULL;
    assert_int_equal(tape_read(body, limits, arena, &kept, error), ST_OK);
    return kept;
}

static const struct tape *
read_text(const char *text)
{
    struct tape_error  error;
    const struct tape *tape = read_twice(span_of(text), &tape_default_limits, &error);

    if (tape == NULL)
        fail_msg("%s: %s at %zu", text, tape_refusal_name(error.why), error.where);
    return tape;
}

/* ---- refusals ------------------------------------------------------------- */

static void
test_refuses_with_the_reason_and_the_place(void **state)
{
    static const struct { const char *says; struct span body; enum tape_refusal why; size_t where; } cases[] = {
        { "nothing",                      BYTES(""),                  TAPE_REFUSED_EMPTY,        0 },
        { "white space only",             BYTES(" \n"),               TAPE_REFUSED_EMPTY,        2 },
        { "a byte order mark",            BYTES("\xef\xbb\xbf{}"),    TAPE_REFUSED_BOM,          0 },
        { "UTF-16, little end first",     BYTES("\xff\xfe{\0}\0"),    TAPE_REFUSED_BOM,          0 },
        { "UTF-16, big end first",        BYTES("\xfe\xff\0{\0}"),    TAPE_REFUSED_BOM,          0 },
        { "an overlong slash",            BYTES("[\"\xc0\xaf\"]"),    TAPE_REFUSED_UTF8,         2 },
        { "an overlong three",            BYTES("[\"\xe0\x80\xaf\"]"), TAPE_REFUSED_UTF8,        2 },
        { "an overlong four",             BYTES("[\"\xf0\x80\x80\xaf\"]"), TAPE_REFUSED_UTF8,    2 },
        { "a surrogate in UTF-8",         BYTES("[\"a\xed\xa0\x80\"]"), TAPE_REFUSED_UTF8,       3 },
        { "above U+10FFFF",               BYTES("[\"\xf4\x90\x80\x80\"]"), TAPE_REFUSED_UTF8,    2 },
        { "a continuation byte alone",    BYTES("[\"\x80\"]"),        TAPE_REFUSED_UTF8,         2 },
        { "a sequence cut by the quote",  BYTES("[\"\xe2\x82\"]"),    TAPE_REFUSED_UTF8,         2 },
        { "a sequence cut by the end",    BYTES("\"\xe2\x82"),        TAPE_REFUSED_UTF8,         1 },
        { "bad UTF-8 in a name",          BYTES("{\"\xff\":1}"),      TAPE_REFUSED_UTF8,         2 },
        { "a newline in a string",        BYTES("[\"a\nb\"]"),        TAPE_REFUSED_CONTROL,      3 },
        { "NUL in a string",              BYTES("[\"a\0b\"]"),        TAPE_REFUSED_CONTROL,      3 },
        { "an escape that is none",       BYTES("[\"\\x\"]"),         TAPE_REFUSED_ESCAPE,       2 },
        { "backslash and NUL",            BYTES("[\"\\\0\"]"),        TAPE_REFUSED_ESCAPE,       2 },
        { "\\u with three digits",        BYTES("[\"\\u12g4\"]"),    TAPE_REFUSED_ESCAPE,       2 },
        { "\\u cut by the end",           BYTES("\"\\u12"),           TAPE_REFUSED_ESCAPE,       1 },
        { "a backslash at the end",       BYTES("\"\\"),              TAPE_REFUSED_UNTERMINATED, 2 },
        { "a high surrogate alone",       BYTES("[\"\\ud800\"]"),    TAPE_REFUSED_SURROGATE,    2 },
        { "a low surrogate alone",        BYTES("[\"\\uDC00\"]"),    TAPE_REFUSED_SURROGATE,    2 },
        { "two high surrogates",          BYTES("[\"\\ud800\\ud800\"]"), TAPE_REFUSED_SURROGATE, 2 },
        { "a pair in the wrong order",    BYTES("[\"\\udc00\\ud800\"]"), TAPE_REFUSED_SURROGATE, 2 },
        { "\\u0000",                      BYTES("[\"\\u0000\"]"),    TAPE_REFUSED_NUL,          2 },
        { "\\u0000 in a name",            BYTES("{\"a\\u0000\":1}"), TAPE_REFUSED_NUL,          3 },
        { "a string without end",         BYTES("[\"abc"),            TAPE_REFUSED_UNTERMINATED, 5 },
        { "an array without end",         BYTES("[1,2"),              TAPE_REFUSED_UNTERMINATED, 4 },
        { "an object without end",        BYTES("{\"a\":1"),          TAPE_REFUSED_UNTERMINATED, 6 },
        { "an opening bracket alone",     BYTES("["),                 TAPE_REFUSED_UNTERMINATED, 1 },
        { "an opening brace alone",       BYTES("{ "),                TAPE_REFUSED_UNTERMINATED, 2 },
        { "a name and the end",           BYTES("{\"a\""),            TAPE_REFUSED_UNTERMINATED, 4 },
        { "a colon and the end",          BYTES("{\"a\":"),           TAPE_REFUSED_UNTERMINATED, 5 },
        { "a comma and the end",          BYTES("[1,"),               TAPE_REFUSED_UNTERMINATED, 3 },
        { "a leading zero",               BYTES("[01]"),              TAPE_REFUSED_NUMBER,       2 },
        { "a minus sign alone",           BYTES("[-]"),               TAPE_REFUSED_NUMBER,       2 },
        { "no digit before the point",    BYTES("[-.5]"),             TAPE_REFUSED_NUMBER,       2 },
        { "no digit after the point",     BYTES("[1.]"),              TAPE_REFUSED_NUMBER,       3 },
        { "no digit in the exponent",     BYTES("[1e+]"),             TAPE_REFUSED_NUMBER,       4 },
        { "a hexadecimal number",         BYTES("[0x1]"),             TAPE_REFUSED_NUMBER,       2 },
        { "two points",                   BYTES("[1.2.3]"),           TAPE_REFUSED_NUMBER,       4 },
        { "a number near infinity",       BYTES("[1e308]"),           TAPE_REFUSED_MAGNITUDE,    2 },
        { "one that is there by its digits", BYTES("[10e307]"),      TAPE_REFUSED_MAGNITUDE,    3 },
        { "a vanishing number",           BYTES("[1e-309]"),          TAPE_REFUSED_MAGNITUDE,    2 },
        { "an exponent over 64 bits",     BYTES("[1e99999999999999999999]"), TAPE_REFUSED_MAGNITUDE, 2 },
        { "a plus sign",                  BYTES("[+1]"),              TAPE_REFUSED_LITERAL,      1 },
        { "Infinity",                     BYTES("[Infinity]"),       TAPE_REFUSED_LITERAL,      1 },
        { "True",                         BYTES("[True]"),            TAPE_REFUSED_LITERAL,      1 },
        { "a literal that goes on",       BYTES("[nullx]"),           TAPE_REFUSED_LITERAL,      5 },
        { "half a literal",               BYTES("tru"),               TAPE_REFUSED_LITERAL,      0 },
        { "a comment",                    BYTES("[/**/1]"),           TAPE_REFUSED_LITERAL,      1 },
        { "NUL outside of strings",       BYTES("[\0]"),              TAPE_REFUSED_LITERAL,      1 },
        { "a comma at the end",           BYTES("[1,]"),              TAPE_REFUSED_PUNCTUATION,  3 },
        { "a comma at the start",         BYTES("[,1]"),              TAPE_REFUSED_PUNCTUATION,  1 },
        { "two commas",                   BYTES("[1,,2]"),            TAPE_REFUSED_PUNCTUATION,  3 },
        { "no comma",                     BYTES("[1 2]"),             TAPE_REFUSED_PUNCTUATION,  3 },
        { "no colon",                     BYTES("{\"a\" 1}"),         TAPE_REFUSED_PUNCTUATION,  5 },
        { "no value",                     BYTES("{\"a\":}"),          TAPE_REFUSED_PUNCTUATION,  5 },
        { "the wrong bracket",            BYTES("[1}"),               TAPE_REFUSED_PUNCTUATION,  2 },
        { "the wrong brace",              BYTES("{\"a\":1]"),         TAPE_REFUSED_PUNCTUATION,  6 },
        { "a closing bracket first",      BYTES("]"),                 TAPE_REFUSED_PUNCTUATION,  0 },
        { "a name without quotes",        BYTES("{a:1}"),             TAPE_REFUSED_NAME,         1 },
        { "a comma at the end of an object", BYTES("{\"a\":1,}"),     TAPE_REFUSED_NAME,         7 },
        { "a number for a name",          BYTES("{1:1}"),             TAPE_REFUSED_NAME,         1 },
        { "a name twice",                 BYTES("{\"a\":1,\"b\":2,\"a\":3}"), TAPE_REFUSED_DUPLICATE, 13 },
        { "a name twice, once escaped",   BYTES("{\"a\":1,\"\\u0061\":2}"), TAPE_REFUSED_DUPLICATE, 7 },
        { "a name twice, escaped two ways", BYTES("{\"\\u002f\":1,\"\\/\":2}"), TAPE_REFUSED_DUPLICATE, 12 },
        { "the empty name twice",         BYTES("{\"\":1,\"\":2}"),  TAPE_REFUSED_DUPLICATE,    6 },
        { "a name twice, inside",         BYTES("[{\"x\":{\"a\":1,\"a\":2}}]"), TAPE_REFUSED_DUPLICATE, 13 },
        { "a second value",               BYTES("{} {}"),             TAPE_REFUSED_TRAILING,     3 },
        { "a bracket too many",           BYTES("[1]]"),              TAPE_REFUSED_TRAILING,     3 },
        { "NUL behind the value",         BYTES("{}\0"),              TAPE_REFUSED_TRAILING,     2 },
        { "a comma behind a bare value",  BYTES("1,"),                TAPE_REFUSED_TRAILING,     1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tape_error error;
        assert_null(read_twice(cases[i].body, &tape_default_limits, &error));
        if (error.why != cases[i].why || error.where != cases[i].where)
            fail_msg("%s: want %s at %zu, have %s at %zu", cases[i].says, tape_refusal_name(cases[i].why),
                     cases[i].where, tape_refusal_name(error.why), error.where);
    }
}

static void
test_every_refusal_has_a_name_and_one_sentence(void **state)
{
    (void)state;
    for (int why = 0; why <= TAPE_REFUSED_MEMORY; why++) {
        assert_true(strlen(tape_refusal_name((enum tape_refusal)why)) > 0);
        assert_true(strlen(tape_refusal_text((enum tape_refusal)why)) > 10);
        assert_null(strchr(tape_refusal_text((enum tape_refusal)why), '.'));
    }
    assert_string_equal(tape_refusal_name((enum tape_refusal)99), "UNKNOWN");
}

static void
test_counts_lines_and_columns_from_one(void **state)
{
    struct tape_error error;

    (void)state;
    assert_null(read_twice(SPAN("{\n  \"a\": 1,\n  \"b\": x\n}"), &tape_default_limits, &error));
    assert_int_equal(error.line, 3);
    assert_int_equal(error.column, 8);
    assert_null(read_twice(SPAN("x"), &tape_default_limits, &error));
    assert_int_equal(error.line, 1);
    assert_int_equal(error.column, 1);
}

static void
test_a_refusal_needs_no_error_to_be_written_to(void **state)
{
    const struct tape *tape;

    (void)state;
    assert_int_equal(tape_read(SPAN("["), &tape_default_limits, arena, &tape, NULL), ST_MALFORMED);
    assert_null(tape);
}

/* ---- what is accepted ----------------------------------------------------- */

static void
test_accepts_what_looks_dangerous_and_is_not(void **state)
{
    static const char *const bodies[] = {
        "0", "-0", "1e307", "-1E-308", "0.1e0", "1234567890123456789012345678901234567890", "\"\"", "null",
        " true ", "\t[\r\n]\n", "{}", "[[],{}]", "\"\x7f\"", "\"\\u0001\"", "\"\\uD83D\\uDE00\"",
        "\"\xf4\x8f\xbf\xbf\"", "\"\xef\xbf\xbf\"", "\"\xef\xbb\xbf\"", "{\"a\":1,\"A\":2}", "{\"a\":{\"a\":1}}",
        "[{\"a\":1},{\"a\":1}]", "{\"\":0,\"0\":1}", "\"/\\/\"", "{\"a\\u0062\":1,\"a\\u0063\":2}", "9e307",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        read_text(bodies[i]);
}

static void
test_refuses_every_string_byte_below_space_at_every_place(void **state)
{
    (void)state;
    for (size_t at = 0; at < 40; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            char body[64];
            memset(body, 'x', sizeof body);
            body[0]      = '"';
            body[1 + at] = (char)byte;
            body[44]     = '"';
            struct tape_error  error;
            struct arena_mark  mark = arena_mark(arena);
            const struct tape *tape = read_twice(span_from(body, 45), &tape_default_limits, &error);
            bool good = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
            assert_int_equal(tape != NULL, good);
            arena_reset(arena, mark);
        }
    }
}

/* ---- limits --------------------------------------------------------------- */

static void
check_limit(const struct tape_limits *limits, const char *body, enum tape_refusal why, size_t where)
{
    struct tape_error  error;
    const struct tape *tape;

    assert_int_equal(read_twice(span_of(body), limits, &error) != NULL, why == TAPE_REFUSED_NONE);
    assert_int_equal(error.why, why);
    assert_int_equal(error.where, where);
    if (why == TAPE_REFUSED_NUMBER_LENGTH)
        return;
    enum status want = why == TAPE_REFUSED_NONE ? ST_OK : ST_TOO_LARGE;
    assert_int_equal(tape_read(span_of(body), limits, arena, &tape, NULL), want);
}

static void
test_holds_its_limits_exactly(void **state)
{
    struct tape_limits limits = tape_default_limits;

    (void)state;
    limits.max_bytes = 5;
    check_limit(&limits, "[1,2]", TAPE_REFUSED_NONE, 0);
    check_limit(&limits, "[1,2] ", TAPE_REFUSED_SIZE, 5);
    limits           = tape_default_limits;
    limits.max_depth = 2;
    check_limit(&limits, "[[1],{}]", TAPE_REFUSED_NONE, 0);
    check_limit(&limits, "[[1],[[]]]", TAPE_REFUSED_DEPTH, 6);
    check_limit(&limits, "{\"a\":{\"b\":{", TAPE_REFUSED_DEPTH, 10);
    limits.max_depth = 0;
    check_limit(&limits, "1", TAPE_REFUSED_NONE, 0);
    check_limit(&limits, "[]", TAPE_REFUSED_DEPTH, 0);
    limits            = tape_default_limits;
    limits.max_number = 4;
    check_limit(&limits, "[-1.5]", TAPE_REFUSED_NONE, 0);
    check_limit(&limits, "[-1.50]", TAPE_REFUSED_NUMBER_LENGTH, 1);
}

static void
test_refuses_the_first_node_too_many(void **state)
{
    struct tape_limits limits = tape_default_limits;

    (void)state;
    limits.max_nodes = 5;
    check_limit(&limits, "{\"a\":1,\"b\":2}", TAPE_REFUSED_NONE, 0);
    check_limit(&limits, "[1,2,3,4]", TAPE_REFUSED_NONE, 0);
    check_limit(&limits, "[1,2,3,4,5]", TAPE_REFUSED_NODES, 9);
    check_limit(&limits, "[1,2,3,4,\"5\"]", TAPE_REFUSED_NODES, 9);
    check_limit(&limits, "{\"a\":1,\"b\":2,\"c\":3}", TAPE_REFUSED_NODES, 13);
    check_limit(&limits, "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", TAPE_REFUSED_NODES, 9);
    limits.max_nodes = 0;
    check_limit(&limits, "1", TAPE_REFUSED_NODES, 0);
}

static void
test_a_bomb_of_brackets_costs_no_memory(void **state)
{
    struct arena      *small = arena_new("small", 8192);
    char              *bomb  = malloc(1 << 20);
    const struct tape *tape;
    struct tape_error  error;

    (void)state;
    memset(bomb, '[', 1 << 20);
    struct span body = span_from(bomb, 1 << 20);
    assert_int_equal(tape_read(body, &tape_default_limits, small, &tape, &error), ST_TOO_LARGE);
    assert_int_equal(error.why, TAPE_REFUSED_DEPTH);
    assert_int_equal(error.where, 64);
    assert_int_equal(arena_used(small), 0);
    arena_free(&small);
    free(bomb);
}

/* [1,1,1...: one node in two bytes, far more than the first guess. */
static struct span
dense(size_t values)
{
    char *at = arena_alloc(arena, 2 * values + 1);

    for (size_t i = 0; i < values; i++) {
        at[2 * i]     = i == 0 ? '[' : ',';
        at[2 * i + 1] = '1';
    }
    at[2 * values] = ']';
    return span_from(at, 2 * values + 1);
}

static void
test_grows_within_the_budget_and_not_over_it(void **state)
{
    struct span        body = dense(100000);
    const struct tape *tape;
    struct tape_error  error;

    (void)state;
    size_t        need  = 100002 * 16 + 8192;
    struct arena *tight = arena_new("tight", need);
    assert_int_equal(tape_read(body, &tape_default_limits, tight, &tape, &error), ST_OK);
    assert_int_equal(tape_count(tape), 100001);
    arena_free(&tight);
    tight = arena_new("too tight", need / 2);
    assert_int_equal(tape_read(body, &tape_default_limits, tight, &tape, &error), ST_NO_MEMORY);
    assert_int_equal(error.why, TAPE_REFUSED_MEMORY);
    assert_null(tape);
    arena_free(&tight);
    tight = arena_new("nothing", 16);
    assert_int_equal(tape_read(body, &tape_default_limits, tight, &tape, &error), ST_NO_MEMORY);
    assert_int_equal(error.where, 0);
    arena_free(&tight);
}

static void
test_a_refused_document_leaves_the_arena_as_it_was(void **state)
{
    struct span        body = dense(5000);
    const struct tape *tape;

    (void)state;
    struct arena *own  = arena_new("own", BUDGET);
    size_t        used = arena_used(own);
    assert_int_equal(tape_read(span_first(body, 9999), &tape_default_limits, own, &tape, NULL), ST_MALFORMED);
    assert_int_equal(arena_used(own), used);
    const unsigned char *fresh = arena_alloc(own, 1 << 18);
    for (size_t i = 0; i < 1 << 18; i++)
        assert_int_equal(fresh[i], 0);
    arena_free(&own);
}

/* ---- duplicate names ------------------------------------------------------ */

/* An object of `count` names; the last one is `last` when that is given. */
static struct span
object_of(const char *prefix, unsigned count, const char *last)
{
    struct buf out;

    buf_init(&out, 64 << 20);
    for (unsigned i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%u", prefix, i);
        buf_add_format(&out, "%c\"%s\":{}", i == 0 ? '{' : ',', i + 1 == count && last != NULL ? last : name);
    }
    buf_add_text(&out, "}");
    assert_int_equal(buf_status(&out), ST_OK);
    struct span copy = arena_copy(arena, buf_span(&out));
    buf_release(&out);
    return copy;
}

static void
test_finds_a_duplicate_among_any_number_of_names(void **state)
{
    static const char *const prefixes[] = { "n", "the same eight bytes ", "a rather long name " };
    static const unsigned    counts[]  = { 2, 3, 8, 23, 24, 25, 26, 100, 1000, 20000 };
    struct tape_error        error;

    (void)state;
    for (size_t f = 0; f < 3; f++) {
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            char same[64], escaped[70];
            snprintf(same, sizeof same, "%s%u", prefixes[f], counts[c] / 3);
            snprintf(escaped, sizeof escaped, "\\u%04x%s", (unsigned)same[0], same + 1);
            assert_non_null(read_twice(object_of(prefixes[f], counts[c], NULL), &tape_default_limits, &error));
            struct span twice = object_of(prefixes[f], counts[c], same);
            assert_null(read_twice(twice, &tape_default_limits, &error));
            assert_int_equal(error.why, TAPE_REFUSED_DUPLICATE);
            assert_int_equal(error.where, twice.length - strlen(same) - 6);
            assert_null(read_twice(object_of(prefixes[f], counts[c], escaped), &tape_default_limits, &error));
            assert_int_equal(error.why, TAPE_REFUSED_DUPLICATE);
        }
    }
}

/* At every budget the same answer, or none for want of memory. */
static void
test_every_shortage_of_memory_is_told_as_such(void **state)
{
    struct span        good = object_of("the same eight bytes ", 300, NULL);
    struct span        bad  = object_of("the same eight bytes ", 300, "the same eight bytes 7");
    const struct tape *tape;
    unsigned           read = 0, spent = 0;

    (void)state;
    for (size_t budget = 0; budget < 30000; budget += 80) {
        struct arena     *small = arena_new("small", budget);
        struct tape_error error;
        enum status       st = tape_read(good, &tape_default_limits, small, &tape, &error);
        assert_true(st == ST_OK || (st == ST_NO_MEMORY && error.why == TAPE_REFUSED_MEMORY && tape == NULL));
        read += st == ST_OK;
        spent += st == ST_NO_MEMORY;
        arena_free(&small);
        small = arena_new("small", budget);
        st    = tape_read(bad, &tape_default_limits, small, &tape, &error);
        assert_true(st == ST_NO_MEMORY || (st == ST_MALFORMED && error.why == TAPE_REFUSED_DUPLICATE));
        arena_free(&small);
    }
    assert_true(read > 20 && spent > 20);
}

/* ---- walking -------------------------------------------------------------- */

static void
test_walks_objects_and_arrays(void **state)
{
    const struct tape *t = read_text("{\"a\":[1,\"x\",{}],\"b\":{\"c\":null},\"d\":true}");

    (void)state;
    assert_int_equal(tape_count(t), 12);
    assert_int_equal(tape_kind(t, TAPE_ROOT), TAPE_OBJECT);
    assert_int_equal(tape_children(t, TAPE_ROOT), 3);
    tape_node a = tape_first(t, TAPE_ROOT), b = tape_next(t, a), d = tape_next(t, b);
    assert_int_equal(tape_next(t, d), TAPE_ABSENT);
    assert_int_equal(tape_kind(t, a), TAPE_ARRAY);
    assert_int_equal(tape_kind(t, d), TAPE_TRUE);
    check_text(tape_raw(t, tape_name(t, b)), "b");
    assert_int_equal(tape_kind(t, tape_name(t, b)), TAPE_NAME);
    assert_int_equal(tape_after(t, a), tape_name(t, b));
    assert_int_equal(tape_after(t, tape_name(t, a)), tape_name(t, b));
    assert_int_equal(tape_after(t, TAPE_ROOT), tape_count(t) + 1);
    tape_node one = tape_first(t, a), x = tape_next(t, one), empty = tape_next(t, x);
    assert_int_equal(tape_name(t, one), TAPE_ABSENT);
    assert_true(tape_integer(t, one));
    check_text(tape_extent(t, x), "\"x\"");
    check_text(tape_raw(t, x), "x");
    assert_int_equal(tape_first(t, empty), TAPE_ABSENT);
    assert_int_equal(tape_children(t, empty), 0);
    assert_int_equal(tape_next(t, empty), TAPE_ABSENT);
    assert_int_equal(tape_item(t, a, 0), one);
    assert_int_equal(tape_item(t, a, 2), empty);
    assert_int_equal(tape_item(t, a, 3), TAPE_ABSENT);
    assert_int_equal(tape_item(t, b, 0), TAPE_ABSENT);
    assert_int_equal(tape_member(t, TAPE_ROOT, SPAN("d")), d);
    assert_int_equal(tape_member(t, TAPE_ROOT, SPAN("c")), TAPE_ABSENT);
    assert_int_equal(tape_member(t, a, SPAN("c")), TAPE_ABSENT);
    check_text(tape_extent(t, b), "{\"c\":null}");
}

static void
test_absent_stays_absent(void **state)
{
    const struct tape *t = read_text("{\"a\":1}");

    (void)state;
    assert_int_equal(tape_kind(t, TAPE_ABSENT), TAPE_NOTHING);
    assert_int_equal(tape_first(t, TAPE_ABSENT), TAPE_ABSENT);
    assert_int_equal(tape_next(t, TAPE_ABSENT), TAPE_ABSENT);
    assert_int_equal(tape_next(t, TAPE_ROOT), TAPE_ABSENT);
    assert_int_equal(tape_name(t, TAPE_ABSENT), TAPE_ABSENT);
    assert_int_equal(tape_member(t, TAPE_ABSENT, SPAN("a")), TAPE_ABSENT);
    assert_int_equal(tape_item(t, TAPE_ABSENT, 0), TAPE_ABSENT);
    assert_int_equal(tape_children(t, TAPE_ABSENT), 0);
    assert_true(span_empty(tape_raw(t, TAPE_ABSENT)));
    assert_true(span_empty(tape_extent(t, TAPE_ABSENT)));
    assert_true(span_empty(tape_text(t, TAPE_ABSENT, arena)));
    assert_true(span_empty(tape_member_text(t, TAPE_ROOT, SPAN("a"), arena)));
    assert_false(tape_text_eq(t, TAPE_ABSENT, SPAN("")));
    assert_string_equal(tape_kind_name(TAPE_NOTHING), "nothing");
    assert_string_equal(tape_kind_name((enum tape_kind)99), "unknown");
}

static void
check_subtree(const struct tape *t, const tape_node *parents, tape_node container, unsigned depth)
{
    struct span outer = tape_extent(t, container);
    tape_node   expected = container + 1;
    uint32_t    children = 0;

    assert_true(depth <= tape_default_limits.max_depth);
    for (tape_node n = tape_first(t, container); n != TAPE_ABSENT; n = tape_next(t, n)) {
        tape_node name = tape_name(t, n);
        assert_int_equal(name != TAPE_ABSENT, tape_kind(t, container) == TAPE_OBJECT);
        if (name != TAPE_ABSENT) {
            assert_int_equal(name, expected);
            assert_int_equal(parents[name], container);
            assert_int_equal(tape_member(t, container, tape_text(t, name, arena)), n);
            expected++;
        }
        struct span inner = tape_extent(t, n);
        assert_int_equal(n, expected);
        assert_int_equal(parents[n], container);
        assert_true(inner.at > outer.at && inner.at + inner.length < outer.at + outer.length);
        check_subtree(t, parents, n, depth + 1);
        expected = tape_after(t, n);
        children++;
    }
    assert_int_equal(expected, tape_after(t, container));
    assert_int_equal(children, tape_children(t, container));
}

static void
test_random_documents_are_read_whole_and_walk_in_order(void **state)
{
    struct chance chance = chance_from(1);
    struct buf    body;

    (void)state;
    buf_init(&body, 1 << 20);
    for (int round = 0; round < 2000; round++) {
        struct arena_mark mark = arena_mark(arena);
        struct tape_error error;
        buf_clear(&body);
        random_json(&chance, &body, 1 + chance_below(&chance, 60));
        const struct tape *t = read_twice(buf_span(&body), &tape_default_limits, &error);
        if (t == NULL)
            fail_msg("%s at %zu of %.*s", tape_refusal_name(error.why), error.where, SPAN_PRINT(buf_span(&body)));
        check_subtree(t, tape_parents(t, arena), TAPE_ROOT, 0);
        arena_reset(arena, mark);
    }
    buf_release(&body);
}

static void
test_both_readers_agree_on_damaged_documents(void **state)
{
    struct chance chance = chance_from(2);
    struct buf    body;
    unsigned      refused = 0, reasons[TAPE_REFUSED_MEMORY + 1] = { 0 };

    (void)state;
    buf_init(&body, 1 << 20);
    for (int round = 0; round < 20000; round++) {
        struct arena_mark mark = arena_mark(arena);
        struct tape_error error;
        buf_clear(&body);
        random_json(&chance, &body, 1 + chance_below(&chance, 30));
        buf_reserve(&body, 16);
        size_t length = random_damage(&chance, body.at, body.length);
        refused += read_twice(span_from(body.at, length), &tape_default_limits, &error) == NULL;
        reasons[error.why]++;
        arena_reset(arena, mark);
    }
    buf_release(&body);
    /* The damage is neither harmless nor always fatal, and of every kind. */
    assert_in_range(refused, 5000, 19000);
    for (int why = TAPE_REFUSED_UTF8; why <= TAPE_REFUSED_TRAILING; why++)
        if (why != TAPE_REFUSED_NUMBER_LENGTH && why != TAPE_REFUSED_MAGNITUDE && why != TAPE_REFUSED_NUL
            && why != TAPE_REFUSED_DUPLICATE && reasons[why] == 0)
            fail_msg("no damage led to %s", tape_refusal_name((enum tape_refusal)why));
}

/* ---- text ----------------------------------------------------------------- */

static void
test_text_is_compared_and_copied_after_unescaping(void **state)
{
    static const struct { const char *json; struct span text; bool escaped; } cases[] = {
        { "\"F32.1\"",             BYTES("F32.1"),                 false },
        { "\"F32\\u002e1\"",       BYTES("F32.1"),                 true },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", BYTES("\"\\/\b\f\n\r\t"), true },
        { "\"\\u00e9\\u20AC\"",    BYTES("\xc3\xa9\xe2\x82\xac"),  true },
        { "\"\\uD83D\\uDE00!\"",   BYTES("\xf0\x9f\x98\x80!"),     true },
        { "\"\\u0041\\u007f\\u0080\\u07ff\\u0800\\uffff\"",
          BYTES("A\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"), true },
        { "\"\\udbff\\udfff\"",    BYTES("\xf4\x8f\xbf\xbf"),      true },
        { "\"\"",                  BYTES(""),                      false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct tape *t = read_text(cases[i].json);
        check_span(tape_text(t, TAPE_ROOT, arena), cases[i].text);
        assert_true(tape_text_eq(t, TAPE_ROOT, cases[i].text));
        assert_int_equal(tape_escaped(t, TAPE_ROOT), cases[i].escaped);
        struct span shorter = span_first(cases[i].text, cases[i].text.length > 0 ? cases[i].text.length - 1 : 0);
        assert_int_equal(tape_text_eq(t, TAPE_ROOT, shorter), cases[i].text.length == 0);
        assert_false(tape_text_eq(t, TAPE_ROOT, SPAN("something else")));
        if (!cases[i].escaped)
            assert_ptr_equal(tape_text(t, TAPE_ROOT, arena).at, tape_raw(t, TAPE_ROOT).at);
    }
}

static void
test_a_backslash_asked_for_is_a_backslash(void **state)
{
    (void)state;
    assert_false(tape_text_eq(read_text("\"A\""), TAPE_ROOT, SPAN("\\u0041")));
    assert_true(tape_text_eq(read_text("\"\\\\u0041\""), TAPE_ROOT, SPAN("\\u0041")));
    assert_false(tape_text_eq(read_text("12"), TAPE_ROOT, SPAN("12")));
}

static void
test_finds_members_by_unescaped_name(void **state)
{
    const struct tape *t = read_text("{\"c\\u006fde\":\"x\\ny\",\"longer than eight\":\"z\",\"longer than nine\":1}");

    (void)state;
    check_text(tape_member_text(t, TAPE_ROOT, SPAN("code"), arena), "x\ny");
    check_text(tape_member_text(t, TAPE_ROOT, SPAN("longer than eight"), arena), "z");
    assert_int_equal(tape_kind(t, tape_member(t, TAPE_ROOT, SPAN("longer than nine"))), TAPE_NUMBER);
    assert_int_equal(tape_member(t, TAPE_ROOT, SPAN("longer than")), TAPE_ABSENT);
    assert_int_equal(tape_member(t, TAPE_ROOT, SPAN("")), TAPE_ABSENT);
}

static void
test_equal_names_have_equal_keys_however_they_are_written(void **state)
{
    static const char *const names[] = { "", "a", "id", "use", "code", "value", "system", "meaning", "contains", "identifier" };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char escaped[100] = "", plain[40], body[200];
        for (const char *at = names[i]; *at != 0; at++)
            snprintf(escaped + strlen(escaped), 12, "\\u%04x", (unsigned char)*at);
        snprintf(plain, sizeof plain, "{\"%s\":1}", names[i]);
        snprintf(body, sizeof body, "{\"%s\":1}", escaped);
        const struct tape *a = read_text(plain), *b = read_text(body);
        assert_int_equal(tape_key(a, 2), tape_key_of(span_of(names[i])));
        assert_int_equal(tape_key(b, 2), tape_key_of(span_of(names[i])));
        assert_int_equal(tape_key(a, 3), 0);
        assert_int_equal(tape_member(b, TAPE_ROOT, span_of(names[i])), 3);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(tape_key_of(span_of(names[i])), tape_key_of(span_of(names[j])));
    }
}

/* ---- JSONTestSuite -------------------------------------------------------- */

/* By design (docs/decisions/0004-strict-json.md): two readers could disagree. */
static const struct { const char *name; enum tape_refusal why; } strict[] = {
    { "y_object_duplicated_key.json",           TAPE_REFUSED_DUPLICATE },
    { "y_object_duplicated_key_and_value.json", TAPE_REFUSED_DUPLICATE },
    { "y_object_escaped_null_in_key.json",      TAPE_REFUSED_NUL },
    { "y_string_null_escape.json",              TAPE_REFUSED_NUL },
};

/* What RFC 8259 leaves to the reader, and what this one does. */
static const struct { const char *name; enum tape_refusal why; } open_questions[] = {
    { "i_number_double_huge_neg_exp.json",                 TAPE_REFUSED_MAGNITUDE },
    { "i_number_huge_exp.json",                            TAPE_REFUSED_MAGNITUDE },
    { "i_number_neg_int_huge_exp.json",                    TAPE_REFUSED_MAGNITUDE },
    { "i_number_pos_double_huge_exp.json",                 TAPE_REFUSED_MAGNITUDE },
    { "i_number_real_neg_overflow.json",                   TAPE_REFUSED_MAGNITUDE },
    { "i_number_real_pos_overflow.json",                   TAPE_REFUSED_MAGNITUDE },
    { "i_number_real_underflow.json",                      TAPE_REFUSED_MAGNITUDE },
    /* Long integers are text here; nobody makes them infinite. */
    { "i_number_too_big_neg_int.json",                     TAPE_REFUSED_NONE },
    { "i_number_too_big_pos_int.json",                     TAPE_REFUSED_NONE },
    { "i_number_very_big_negative_int.json",               TAPE_REFUSED_NONE },
    { "i_object_key_lone_2nd_surrogate.json",              TAPE_REFUSED_SURROGATE },
    { "i_string_1st_surrogate_but_2nd_missing.json",       TAPE_REFUSED_SURROGATE },
    { "i_string_1st_valid_surrogate_2nd_invalid.json",     TAPE_REFUSED_SURROGATE },
    { "i_string_UTF-16LE_with_BOM.json",                   TAPE_REFUSED_BOM },
    { "i_string_UTF-8_invalid_sequence.json",              TAPE_REFUSED_UTF8 },
    { "i_string_UTF8_surrogate_U+D800.json",               TAPE_REFUSED_UTF8 },
    { "i_string_incomplete_surrogate_and_escape_valid.json", TAPE_REFUSED_SURROGATE },
    { "i_string_incomplete_surrogate_pair.json",           TAPE_REFUSED_SURROGATE },
    { "i_string_incomplete_surrogates_escape_valid.json",  TAPE_REFUSED_SURROGATE },
    { "i_string_invalid_lonely_surrogate.json",            TAPE_REFUSED_SURROGATE },
    { "i_string_invalid_surrogate.json",                   TAPE_REFUSED_SURROGATE },
    { "i_string_invalid_utf-8.json",                       TAPE_REFUSED_UTF8 },
    { "i_string_inverted_surrogates_U+1D11E.json",         TAPE_REFUSED_SURROGATE },
    { "i_string_iso_latin_1.json",                         TAPE_REFUSED_UTF8 },
    { "i_string_lone_second_surrogate.json",               TAPE_REFUSED_SURROGATE },
    { "i_string_lone_utf8_continuation_byte.json",         TAPE_REFUSED_UTF8 },
    { "i_string_not_in_unicode_range.json",                TAPE_REFUSED_UTF8 },
    { "i_string_overlong_sequence_2_bytes.json",           TAPE_REFUSED_UTF8 },
    { "i_string_overlong_sequence_6_bytes.json",           TAPE_REFUSED_UTF8 },
    { "i_string_overlong_sequence_6_bytes_null.json",      TAPE_REFUSED_UTF8 },
    { "i_string_truncated-utf-8.json",                     TAPE_REFUSED_UTF8 },
    /* UTF-16 without a mark: its zero bytes are no JSON. */
    { "i_string_utf16BE_no_BOM.json",                      TAPE_REFUSED_LITERAL },
    { "i_string_utf16LE_no_BOM.json",                      TAPE_REFUSED_LITERAL },
    { "i_structure_500_nested_arrays.json",                TAPE_REFUSED_DEPTH },
    { "i_structure_UTF-8_BOM_empty_object.json",           TAPE_REFUSED_BOM },
};

static enum tape_refusal
read_suite_file(const char *path)
{
    struct tape_error error;

    read_twice(check_file(arena, path), &tape_default_limits, &error);
    return error.why;
}

static void
must_refuse(const char *path, const char *name, void *context)
{
    (void)context;
    if (read_suite_file(path) == TAPE_REFUSED_NONE)
        fail_msg("%s was accepted", name);
}

static void
must_accept(const char *path, const char *name, void *context)
{
    enum tape_refusal why = read_suite_file(path), want = TAPE_REFUSED_NONE;

    for (size_t i = 0; i < sizeof strict / sizeof strict[0]; i++)
        if (strcmp(name, strict[i].name) == 0) {
            want = strict[i].why;
            ++*(unsigned *)context;
        }
    if (why != want)
        fail_msg("%s: want %s, have %s", name, tape_refusal_name(want), tape_refusal_name(why));
}

static void
must_be_as_pinned(const char *path, const char *name, void *context)
{
    enum tape_refusal why = read_suite_file(path);

    (void)context;
    for (size_t i = 0; i < sizeof open_questions / sizeof open_questions[0]; i++)
        if (strcmp(name, open_questions[i].name) == 0) {
            if (why != open_questions[i].why)
                fail_msg("%s: want %s, have %s", name, tape_refusal_name(open_questions[i].why),
                         tape_refusal_name(why));
            return;
        }
    fail_msg("%s is not pinned", name);
}

static void
test_refuses_all_that_the_suite_says_is_no_json(void **state)
{
    (void)state;
    if (!check_shared(SUITE))
        skip();
    assert_int_equal(check_folder(check_shared_path(SUITE), "n_", ".json", must_refuse, NULL), 188);
}

static void
test_accepts_all_that_the_suite_says_is_json_but_four(void **state)
{
    unsigned refused = 0;

    (void)state;
    if (!check_shared(SUITE))
        skip();
    assert_int_equal(check_folder(check_shared_path(SUITE), "y_", ".json", must_accept, &refused), 95);
    assert_int_equal(refused, 4);
}

static void
test_answers_what_the_suite_leaves_open_as_pinned(void **state)
{
    (void)state;
    if (!check_shared(SUITE))
        skip();
    assert_int_equal(check_folder(check_shared_path(SUITE), "i_", ".json", must_be_as_pinned, NULL), 35);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_refuses_with_the_reason_and_the_place, set_up, tear_down),
        cmocka_unit_test(test_every_refusal_has_a_name_and_one_sentence),
        cmocka_unit_test_setup_teardown(test_counts_lines_and_columns_from_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_refusal_needs_no_error_to_be_written_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_accepts_what_looks_dangerous_and_is_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_every_string_byte_below_space_at_every_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_holds_its_limits_exactly, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_the_first_node_too_many, set_up, tear_down),
        cmocka_unit_test(test_a_bomb_of_brackets_costs_no_memory),
        cmocka_unit_test_setup_teardown(test_grows_within_the_budget_and_not_over_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_refused_document_leaves_the_arena_as_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_finds_a_duplicate_among_any_number_of_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_shortage_of_memory_is_told_as_such, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_walks_objects_and_arrays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_absent_stays_absent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_random_documents_are_read_whole_and_walk_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_both_readers_agree_on_damaged_documents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_text_is_compared_and_copied_after_unescaping, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_backslash_asked_for_is_a_backslash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_finds_members_by_unescaped_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_equal_names_have_equal_keys_however_they_are_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_all_that_the_suite_says_is_no_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_accepts_all_that_the_suite_says_is_json_but_four, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answers_what_the_suite_leaves_open_as_pinned, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("base/json_tape", tests, NULL, NULL);
}
