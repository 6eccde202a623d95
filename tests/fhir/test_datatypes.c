#include "tests/fhir/fhir_check.h"

#include "fhir/datatypes.h"

static const struct {
    const char *type;
    const char *json;
    bool        good;
} lexical[] = {
    { "boolean", "true", true }, { "boolean", "false", true }, { "boolean", "\"true\"", false },
    { "boolean", "1", false }, { "boolean", "null", false },
    { "integer", "0", true }, { "integer", "-5", true }, { "integer", "2147483647", true },
    { "integer", "2147483648", false }, { "integer", "-2147483648", true },
    { "integer", "-2147483649", false }, { "integer", "1.0", false }, { "integer", "1e2", false },
    { "integer", "\"1\"", false }, { "integer", "99999999999999999999999", false },
    { "unsignedInt", "0", true }, { "unsignedInt", "-1", false }, { "unsignedInt", "2147483648", false },
    { "positiveInt", "1", true }, { "positiveInt", "0", false }, { "positiveInt", "-1", false },
    { "decimal", "0.010", true }, { "decimal", "-1e-5", true }, { "decimal", "\"1.0\"", false },
    { "string", "\"a\"", true }, { "string", "\"\"", false }, { "string", "\" \\t\"", true },
    { "string", "\" a \"", true }, { "string", "\"a\\u0001\"", true }, { "string", "\"a\\nb\"", true },
    { "string", "\"a\\fb\"", false }, { "string", "\"\\u00e9\"", true }, { "string", "5", false },
    { "markdown", "\"# a\\n\\nb\"", true }, { "markdown", "\"\"", false },
    { "uri", "\"urn:x\"", true }, { "uri", "\"a b\"", false }, { "uri", "\"\"", false },
    { "url", "\"http://a\"", true }, { "url", "\"http://a \"", false },
    { "canonical", "\"http://a|1#x\"", true }, { "canonical", "\" http://a\"", false },
    { "base64Binary", "\"TWFu\"", true }, { "base64Binary", "\"TWE=\"", true },
    { "base64Binary", "\"TQ==\"", true }, { "base64Binary", "\"TWF1 TWE=\\r\\n\"", true },
    { "base64Binary", "\"T===\"", false }, { "base64Binary", "\"TWE\"", false },
    { "base64Binary", "\"TW=u\"", false }, { "base64Binary", "\"TWE-\"", false },
    { "base64Binary", "\"\"", false }, { "base64Binary", "\" \"", false },
    { "instant", "\"2015-02-07T13:28:17.239+02:00\"", true }, { "instant", "\"2015-02-07T13:28:17Z\"", true },
    { "instant", "\"2015-02-07\"", false }, { "instant", "\"2015-02-07T13:28:17\"", false },
    { "instant", "\"2015-02-07T13:28Z\"", false },
    { "date", "\"2018\"", true }, { "date", "\"1973-06\"", true }, { "date", "\"1905-08-23\"", true },
    { "date", "\"2020-02-29\"", true }, { "date", "\"2000-02-29\"", true }, { "date", "\"1900-02-29\"", false },
    { "date", "\"2021-02-29\"", false }, { "date", "\"2021-02-30\"", false }, { "date", "\"2021-04-31\"", false },
    { "date", "\"2021-13\"", false }, { "date", "\"2021-00\"", false }, { "date", "\"2021-01-00\"", false },
    { "date", "\"0000\"", false }, { "date", "\"0001\"", true }, { "date", "\"21\"", false },
    { "date", "\"2021-1-1\"", false }, { "date", "\"2021-01-01T00:00:00Z\"", false },
    { "date", "\"2021-01-01 \"", false }, { "date", "\"2021-01-01Z\"", false },
    { "dateTime", "\"2018\"", true }, { "dateTime", "\"2018-03-04\"", true },
    { "dateTime", "\"2018-03-04T10:11:12Z\"", true }, { "dateTime", "\"2018-03-04T23:59:60Z\"", true },
    { "dateTime", "\"2018-03-04T10:11:12.5-05:00\"", true }, { "dateTime", "\"2018-03-04T10:11:12+14:00\"", true },
    { "dateTime", "\"2018-03-04T10:11:12\"", false }, { "dateTime", "\"2018-03-04T10:11Z\"", false },
    { "dateTime", "\"2018-03-04T24:00:00Z\"", false }, { "dateTime", "\"2018-03-04T10:60:00Z\"", false },
    { "dateTime", "\"2018-03-04T10:11:61Z\"", false }, { "dateTime", "\"2018-03-04T10:11:12.Z\"", false },
    { "dateTime", "\"2018-03-04T10:11:12+14:01\"", false }, { "dateTime", "\"2018-03-04T10:11:12+05\"", false },
    { "dateTime", "\"2018-03-04T10:11:12+05:60\"", false }, { "dateTime", "\"2018-03-04t10:11:12z\"", false },
    { "dateTime", "\"2018-03T10:11:12Z\"", false }, { "dateTime", "\"2018-\"", false },
    { "dateTime", "20180304", false }, { "dateTime", "\"2018-03-04T10:11:12Zx\"", false },
    { "time", "\"10:11:12\"", true }, { "time", "\"10:11:12.123456789\"", true }, { "time", "\"23:59:60\"", true },
    { "time", "\"24:00:00\"", false }, { "time", "\"10:11\"", false }, { "time", "\"10:11:12Z\"", false },
    { "time", "\"10:11:12.\"", false },
    { "code", "\"a\"", true }, { "code", "\"a b\"", true }, { "code", "\" a\"", false }, { "code", "\"a \"", false },
    { "code", "\"a  b\"", false }, { "code", "\"a\\n\"", false }, { "code", "\"a\\nb\"", false }, { "code", "\"a\\tb\"", false },
    { "code", "\"a\\u0001b\"", false }, { "code", "\"\"", false },
    { "oid", "\"urn:oid:1.2.3.4.5\"", true }, { "oid", "\"urn:oid:2.0\"", true }, { "oid", "\"urn:oid:1\"", false },
    { "oid", "\"urn:oid:3.1\"", false }, { "oid", "\"urn:oid:1.02\"", false }, { "oid", "\"urn:oid:1..2\"", false },
    { "oid", "\"urn:oid:1.2.\"", false }, { "oid", "\"1.2.3\"", false }, { "oid", "\"urn:oid:1.a\"", false },
    { "oid", "\"urn:oid:\"", false }, { "oid", "\"urn:oid:11.2\"", false },
    { "id", "\"a-B.9\"", true }, { "id", "\"\"", false }, { "id", "\"a_b\"", false }, { "id", "\"a/b\"", false },
    { "id", "\"1234567890123456789012345678901234567890123456789012345678901234\"", true },
    { "id", "\"12345678901234567890123456789012345678901234567890123456789012345\"", false },
    { "uuid", "\"urn:uuid:c757873d-ec9a-4326-a141-556f43239520\"", true },
    { "uuid", "\"urn:uuid:C757873D-EC9A-4326-A141-556F43239520\"", false },
    { "uuid", "\"urn:uuid:c757873d-ec9a-4326-a141-556f4323952\"", false },
    { "uuid", "\"urn:uuid:c757873dxec9a-4326-a141-556f43239520\"", false },
    { "uuid", "\"urx:uuid:c757873d-ec9a-4326-a141-556f43239520\"", false },
    { "xhtml", "\"<div/>\"", true }, { "xhtml", "\"\"", false },
};

static void
test_lexical_rules(void **state)
{
    struct arena *arena = test_arena();

    (void)state;
    for (size_t i = 0; i < sizeof lexical / sizeof lexical[0]; i++) {
        enum primitive     which  = primitive_named(span_of(lexical[i].type));
        const struct tape *tape   = test_tape(arena, span_of(lexical[i].json));
        const char        *wanted = NULL;
        assert_int_not_equal(which, PRIMITIVE_NONE);
        if (primitive_valid(tape, TAPE_ROOT, which, arena, &wanted) != lexical[i].good)
            fail_msg("%s %s should be %s", lexical[i].type, lexical[i].json, lexical[i].good ? "good" : "bad");
        assert_true((wanted == NULL) == lexical[i].good);
        assert_true(lexical[i].good || strncmp(wanted, "want ", 5) == 0);
        primitive_valid(tape, TAPE_ROOT, which, arena, NULL);
    }
    arena_free(&arena);
}

static void
test_doubtful_text(void **state)
{
    static const struct { const char *type, *json; bool doubtful; } cases[] = {
        { "string", "\" \\t\"", true }, { "string", "\"a\\u0001\"", true }, { "markdown", "\"\\n\"", true },
        { "string", "\" a\"", false }, { "string", "\"a\\nb\"", false }, { "string", "\"a\"", false },
        { "code", "\" \"", false }, { "string", "5", false },
    };
    struct arena *arena = test_arena();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct tape *tape = test_tape(arena, span_of(cases[i].json));
        assert_int_equal(primitive_doubtful(tape, TAPE_ROOT, primitive_named(span_of(cases[i].type)), arena),
                         cases[i].doubtful);
    }
    arena_free(&arena);
}

static void
test_every_primitive_has_its_name_back(void **state)
{
    static const char *const names[] = {
#define X(name, text, kind) text,
        PRIMITIVE_LIST(X)
#undef X
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_string_equal(primitive_name(primitive_named(span_of(names[i]))), names[i]);
    assert_int_equal(primitive_named(SPAN("HumanName")), PRIMITIVE_NONE);
    assert_int_equal(primitive_named(SPAN("")), PRIMITIVE_NONE);
    assert_string_equal(primitive_name(PRIMITIVE_NONE), "");
    assert_string_equal(primitive_name((enum primitive)99), "");
}

static void
test_nothing_is_a_value_of_no_type(void **state)
{
    struct arena      *arena  = test_arena();
    const struct tape *tape   = test_tape(arena, SPAN("\"a\""));
    const char        *wanted = NULL;

    (void)state;
    assert_false(primitive_valid(tape, TAPE_ROOT, PRIMITIVE_NONE, arena, &wanted));
    assert_string_equal(wanted, "want a primitive");
    assert_false(primitive_valid(tape, TAPE_ROOT, (enum primitive)77, arena, &wanted));
    arena_free(&arena);
}

static void
test_a_string_ends_at_a_million_characters(void **state)
{
    struct arena *arena = test_arena();
    size_t        limit = 1048576;
    char         *json  = arena_alloc(arena, 2 * limit + 8);

    (void)state;
    /* Two bytes a character: the limit counts characters. */
    json[0] = '"';
    for (size_t i = 0; i <= limit; i++)
        memcpy(json + 1 + 2 * i, "\xc3\xa9", 2);
    json[1 + 2 * limit] = '"';
    const struct tape *tape = test_tape(arena, span_from(json, 2 + 2 * limit));
    assert_true(primitive_valid(tape, TAPE_ROOT, PRIMITIVE_STRING, arena, NULL));
    memcpy(json + 1 + 2 * limit, "\xc3\xa9\"", 3);
    tape = test_tape(arena, span_from(json, 4 + 2 * limit));
    assert_false(primitive_valid(tape, TAPE_ROOT, PRIMITIVE_STRING, arena, NULL));
    arena_free(&arena);
}

static const struct { const char *text, *first, *last; } ranges[] = {
    { "2026", "2026-01-01T00:00:00.000Z", "2026-12-31T23:59:59.999Z" },
    { "2026-11", "2026-11-01T00:00:00.000Z", "2026-11-30T23:59:59.999Z" },
    { "2024-02", "2024-02-01T00:00:00.000Z", "2024-02-29T23:59:59.999Z" },
    { "2026-11-22", "2026-11-22T00:00:00.000Z", "2026-11-22T23:59:59.999Z" },
    { "2026-11-22T15:00:00Z", "2026-11-22T15:00:00.000Z", "2026-11-22T15:00:00.999Z" },
    { "2026-11-22T15:00:00", "2026-11-22T15:00:00.000Z", "2026-11-22T15:00:00.999Z" },
    { "2026-11-22T15:00:00.5Z", "2026-11-22T15:00:00.500Z", "2026-11-22T15:00:00.599Z" },
    { "2026-11-22T15:00:00.57Z", "2026-11-22T15:00:00.570Z", "2026-11-22T15:00:00.579Z" },
    { "2026-11-22T15:00:00.123456Z", "2026-11-22T15:00:00.123Z", "2026-11-22T15:00:00.123Z" },
    { "2026-11-22T00:30:00+01:00", "2026-11-21T23:30:00.000Z", "2026-11-21T23:30:00.999Z" },
    { "2026-12-31T23:30:00-05:00", "2027-01-01T04:30:00.000Z", "2027-01-01T04:30:00.999Z" },
    { "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z" },
    { "1900-03-01", "1900-03-01T00:00:00.000Z", "1900-03-01T23:59:59.999Z" },
    { "0001", "0001-01-01T00:00:00.000Z", "0001-12-31T23:59:59.999Z" },
    { "9999-12-31", "9999-12-31T00:00:00.000Z", "9999-12-31T23:59:59.999Z" },
    { "2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z", "2017-01-01T00:00:00.999Z" },
};

static void
test_a_time_covers_what_it_does_not_say(void **state)
{
    struct arena *arena = test_arena();

    (void)state;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        struct time_range range = { 0, 0 };
        assert_true(time_range_read(span_of(ranges[i].text), &range));
        assert_text(time_format(arena, range.first_ms), ranges[i].first);
        assert_text(time_format(arena, range.last_ms), ranges[i].last);
    }
    arena_free(&arena);
}

static void
test_what_is_no_time_leaves_the_range_alone(void **state)
{
    static const char *const texts[] = { "", "x", "2026-11-31", "2026-11-22T15:00Z", "10:11:12", "2026-11-22T15:00:00ZZ" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct time_range range = { 7, 8 };
        assert_false(time_range_read(span_of(texts[i]), &range));
        assert_true(range.first_ms == 7 && range.last_ms == 8);
    }
}

static void
test_days_run_without_a_gap(void **state)
{
    struct arena     *arena = test_arena();
    struct time_range day, next;

    (void)state;
    assert_true(time_range_read(SPAN("1999-12-31"), &day));
    for (int i = 0; i < 1000; i++) {
        struct span text = span_first(time_format(arena, day.last_ms + 1), 10);
        assert_true(time_range_read(text, &next));
        assert_true(next.first_ms == day.last_ms + 1);
        day = next;
    }
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lexical_rules),
        cmocka_unit_test(test_doubtful_text),
        cmocka_unit_test(test_every_primitive_has_its_name_back),
        cmocka_unit_test(test_nothing_is_a_value_of_no_type),
        cmocka_unit_test(test_a_string_ends_at_a_million_characters),
        cmocka_unit_test(test_a_time_covers_what_it_does_not_say),
        cmocka_unit_test(test_what_is_no_time_leaves_the_range_alone),
        cmocka_unit_test(test_days_run_without_a_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
