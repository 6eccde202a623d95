/* tests/base/test_span.c -- views of bytes. */
#include "tests/support/check.h"

static void
test_empty_spans_are_equal_whatever_they_point_at(void **state)
{
    struct span zero = { NULL, 0 };

    (void)state;
    assert_true(span_empty(zero));
    assert_true(span_eq(zero, SPAN("")));
    assert_true(span_eq(span_of(NULL), span_of("")));
    assert_int_equal(span_compare(zero, SPAN("")), 0);
    assert_true(span_starts(SPAN("x"), zero));
    assert_true(span_ends(zero, zero));
    assert_int_equal(span_find(zero, SPAN("")), 0);
    assert_int_equal(span_find(zero, SPAN("a")), SPAN_NOT_FOUND);
    assert_int_equal(span_find_byte(zero, 'a'), SPAN_NOT_FOUND);
    assert_int_equal(span_find_last_byte(zero, 'a'), SPAN_NOT_FOUND);
    assert_true(span_empty(span_trim(zero)));
    assert_true(span_empty(span_skip(zero, 3)));
    assert_int_equal(span_hash(zero), span_hash(SPAN("")));
}

static void
test_compares_bytewise(void **state)
{
    (void)state;
    assert_true(span_eq(SPAN("ab"), SPAN("ab")));
    assert_false(span_eq(SPAN("ab"), SPAN("aB")));
    assert_false(span_eq(SPAN("ab"), SPAN("abc")));
    assert_true(span_eq(span_from("a\0b", 3), span_from("a\0b", 3)));
    assert_true(span_eq_text(SPAN("ab"), "ab"));
    assert_true(span_eq_nocase(SPAN("Content-TYPE"), SPAN("content-type")));
    assert_false(span_eq_nocase(SPAN("a"), SPAN("ab")));
    assert_false(span_eq_nocase(SPAN("\xc3\x84"), SPAN("\xc3\xa4")));   /* ASCII only */
    assert_false(span_eq_nocase(SPAN("@"), SPAN("`")));
    assert_true(span_compare(SPAN("a"), SPAN("b")) < 0);
    assert_true(span_compare(SPAN("b"), SPAN("a")) > 0);
    assert_true(span_compare(SPAN("a"), SPAN("ab")) < 0);
    assert_true(span_compare(SPAN("ab"), SPAN("a")) > 0);
    assert_true(span_compare(SPAN("\x7f"), SPAN("\x80")) < 0);
    assert_int_equal(span_compare(SPAN("ab"), SPAN("ab")), 0);
}

static void
test_finds(void **state)
{
    (void)state;
    assert_true(span_starts(SPAN("Patient/1"), SPAN("Patient/")));
    assert_false(span_starts(SPAN("Pat"), SPAN("Patient")));
    assert_true(span_ends(SPAN("a.json"), SPAN(".json")));
    assert_false(span_ends(SPAN("n"), SPAN(".json")));
    assert_int_equal(span_find(SPAN("banana"), SPAN("nan")), 2);
    assert_int_equal(span_find(SPAN("banana"), SPAN("nab")), SPAN_NOT_FOUND);
    assert_int_equal(span_find(SPAN("an"), SPAN("banana")), SPAN_NOT_FOUND);
    assert_int_equal(span_find(SPAN("banana"), SPAN("na")), 2);
    assert_int_equal(span_find(SPAN("a:b://c"), SPAN("://")), 3);
    assert_int_equal(span_find(SPAN("a:b:/"), SPAN("://")), SPAN_NOT_FOUND);
    assert_int_equal(span_find(SPAN("abc"), SPAN("c")), 2);
    assert_int_equal(span_find_byte(SPAN("a/b/c"), '/'), 1);
    assert_int_equal(span_find_last_byte(SPAN("a/b/c"), '/'), 3);
}

static void
test_cuts_and_clamps(void **state)
{
    (void)state;
    check_text(span_skip(SPAN("abc"), 1), "bc");
    check_text(span_skip(SPAN("abc"), 9), "");
    check_text(span_first(SPAN("abc"), 2), "ab");
    check_text(span_first(SPAN("abc"), 9), "abc");
    check_text(span_trim(SPAN(" \t\r\n a b \n")), "a b");
    check_text(span_trim(SPAN(" \t ")), "");
}

static void
test_a_split_sees_an_empty_last_field(void **state)
{
    struct span rest  = SPAN("a||b|");
    const char *want[] = { "a", "", "b", "" };
    size_t      n     = 0;

    (void)state;
    while (rest.at != NULL) {
        assert_true(n < 4);
        check_text(span_split(&rest, '|'), want[n++]);
    }
    assert_int_equal(n, 4);
}

static void
test_reads_decimal_numbers(void **state)
{
    uint64_t value = 7;

    (void)state;
    assert_true(span_to_u64(SPAN("0"), &value));
    assert_int_equal(value, 0);
    assert_true(span_to_u64(SPAN("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    value = 7;
    assert_false(span_to_u64(SPAN("18446744073709551616"), &value));
    assert_false(span_to_u64(SPAN("99999999999999999999"), &value));
    assert_false(span_to_u64(SPAN(""), &value));
    assert_false(span_to_u64(SPAN("+1"), &value));
    assert_false(span_to_u64(SPAN("1 "), &value));
    assert_int_equal(value, 7);
}

/* Published test vectors of FNV-1a, 64 bits (draft-eastlake-fnv, appendix C). */
static void
test_hashes_as_fnv_1a(void **state)
{
    (void)state;
    assert_true(span_hash(SPAN("")) == 0xcbf29ce484222325u);
    assert_true(span_hash(SPAN("a")) == 0xaf63dc4c8601ec8cu);
    assert_true(span_hash(SPAN("foobar")) == 0x85944171f73967e8u);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_spans_are_equal_whatever_they_point_at),
        cmocka_unit_test(test_compares_bytewise),
        cmocka_unit_test(test_finds),
        cmocka_unit_test(test_cuts_and_clamps),
        cmocka_unit_test(test_a_split_sees_an_empty_last_field),
        cmocka_unit_test(test_reads_decimal_numbers),
        cmocka_unit_test(test_hashes_as_fnv_1a),
    };
    return cmocka_run_group_tests_name("base/span", tests, NULL, NULL);
}
