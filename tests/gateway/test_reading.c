/* tests/gateway/test_reading.c -- gateway/stages/reading.c, gateway/auth/pace.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "gateway/auth/pace.h"
#include "gateway/stages/reading.h"

static void
test_parameters_are_taken_or_refused(void **state)
{
    static const struct { const char *name, *value; bool want; } cases[] = {
        { "patient", "Patient/p1", true }, { "patient", "p1", true }, { "patient", "https://x.example/fhir/Patient/p1", true },
        { "patient", "Group/p1", false }, { "patient", "p 1", false }, { "patient", "", false },
        { "_id", "c1", true }, { "_id", "a,b", false }, { "_id", "a_b", false },
        { "status", "active", true }, { "status", "active,inactive", true }, { "status", "|active", true },
        { "status", "http://hl7.org/fhir/consent-state-codes|active", true }, { "status", "urn:x|active", false },
        { "status", "active,", false }, { "status", "a,b,c,d,e,f,g,h,i", false },
        { "actor", "Organization/o", true }, { "actor", "o", true }, { "actor", "o o", false },
        { "period", "2027", true }, { "period", "ge2027-01-01", true }, { "period", "ap2027", false }, { "period", "x", false },
        { "_count", "0", true }, { "_count", "9999", true }, { "_count", "-1", false }, { "_count", "x", false },
        { "page", "c1", true }, { "page", "../x", false }, { "_format", "json", true },
        { "patient:missing", "true", false }, { "_include", "*", false }, { "_elements", "id", false },
    };
    struct arena *arena = arena_new("test", 1u << 20);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading r = { 0 };
        const char    *why;
        bool got = reading_take(&r, arena, span_of(cases[i].name), span_of(cases[i].value), &why);
        if (got != cases[i].want || got == (why != NULL))
            fail_msg("%s=%s", cases[i].name, cases[i].value);
        assert_true(r.count <= 200);
    }
    arena_free(&arena);
}

static void
test_periods_are_compared_as_R4_says(void **state)
{
    static const struct { enum prefix prefix; int64_t first, last; bool want; } cases[] = {
        { PREFIX_EQ, 12, 18, true },  { PREFIX_EQ, 5, 15, false }, { PREFIX_NE, 5, 15, true },
        { PREFIX_GT, 5, 25, true },   { PREFIX_GT, 5, 20, false }, { PREFIX_LT, 5, 25, true }, { PREFIX_LT, 10, 25, false },
        { PREFIX_GE, 5, 21, true },   { PREFIX_GE, 5, 20, false }, { PREFIX_GE, 10, 20, true }, { PREFIX_GE, 5, INT64_MAX, true },
        { PREFIX_LE, 9, 25, true },   { PREFIX_LE, 10, 25, false }, { PREFIX_LE, 10, 20, true },
        { PREFIX_SA, 21, 25, true },  { PREFIX_SA, 20, 25, false }, { PREFIX_EB, 5, 9, true },  { PREFIX_EB, 5, 10, false },
        { PREFIX_EQ, INT64_MIN, INT64_MAX, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct period_asked asked = { cases[i].prefix, { 10, 20 } };
        if (period_matches(asked, (struct time_range){ cases[i].first, cases[i].last }) != cases[i].want)
            fail_msg("case %zu", i);
    }
}

static void
test_a_client_asks_so_often_a_minute_and_no_more(void **state)
{
    struct pace *pace = calloc(1, sizeof *pace);

    (void)state;
    assert_non_null(pace);
    for (int i = 0; i < 3; i++)
        assert_true(pace_ask(pace, SPAN("one"), 60000, 3));
    assert_false(pace_ask(pace, SPAN("one"), 119999, 3));
    assert_true(pace_ask(pace, SPAN("two"), 119999, 3));
    assert_true(pace_ask(pace, SPAN("one"), 120000, 3));
    free(pace);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters_are_taken_or_refused),
        cmocka_unit_test(test_periods_are_compared_as_R4_says),
        cmocka_unit_test(test_a_client_asks_so_often_a_minute_and_no_more),
    };
    return cmocka_run_group_tests_name("reading", tests, NULL, NULL);
}
