/* Moments as far as they are stated: reading, order, arithmetic, boundaries. */
#include "fhir_check.h"

#include "fhir/moment.h"

static struct moment
moment(const char *text)
{
    struct moment m;

    if (!moment_of(span_of(text), MOMENT_NONE, &m))
        fail_msg("the test's own moment: %s", text);
    return m;
}

static void
test_reads_what_exists(void **state)
{
    static const struct { const char *text; enum moment_kind as, want; } cases[] = {
        { "2026", MOMENT_NONE, MOMENT_DATE }, { "2026-02", MOMENT_NONE, MOMENT_DATE }, { "2024-02-29", MOMENT_NONE, MOMENT_DATE },
        { "2026T", MOMENT_NONE, MOMENT_DATETIME }, { "2026-11-22T10", MOMENT_NONE, MOMENT_DATETIME }, { "2026-11-22T10:30:05.1239Z", MOMENT_NONE, MOMENT_DATETIME },
        { "2026-11-22T10:30+14:00", MOMENT_NONE, MOMENT_DATETIME }, { "10", MOMENT_NONE, MOMENT_TIME }, { "T10:30", MOMENT_NONE, MOMENT_TIME }, { "10:30:05.5", MOMENT_TIME, MOMENT_TIME },
        { "2026-11-22", MOMENT_DATETIME, MOMENT_DATETIME }, { "2026-11-22", MOMENT_DATE, MOMENT_DATE },
        { "2026-11-22T10:30:00Z", MOMENT_DATE, MOMENT_NONE }, { "2026-02-29", MOMENT_NONE, MOMENT_NONE }, { "0000", MOMENT_NONE, MOMENT_NONE }, { "2026-13", MOMENT_NONE, MOMENT_NONE },
        { "2026-1", MOMENT_NONE, MOMENT_NONE }, { "2026-11T10", MOMENT_NONE, MOMENT_NONE }, { "2026-11-22T24:00", MOMENT_NONE, MOMENT_NONE }, { "2026-11-22T10:60", MOMENT_NONE, MOMENT_NONE },
        { "2026-11-22T10:30:60Z", MOMENT_NONE, MOMENT_NONE }, { "2026-11-22T10:30:05.", MOMENT_NONE, MOMENT_NONE }, { "2026-11-22T10:30+14:01", MOMENT_NONE, MOMENT_NONE },
        { "2026-11-22 10:30", MOMENT_NONE, MOMENT_NONE }, { "10:30Z", MOMENT_NONE, MOMENT_NONE }, { "", MOMENT_NONE, MOMENT_NONE }, { "T", MOMENT_NONE, MOMENT_NONE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct moment m = { 0 };
        bool          read = moment_of(span_of(cases[i].text), cases[i].as, &m);
        if (read != (cases[i].want != MOMENT_NONE) || (read && m.kind != cases[i].want))
            fail_msg("%s", cases[i].text);
    }
}

static void
test_orders_what_can_be_ordered(void **state)
{
    static const struct { const char *a, *b; int want; } cases[] = {
        { "2026", "2026", 0 }, { "2026", "2027", -1 }, { "2026", "2026-01", MOMENT_UNKNOWN }, { "2026-02", "2026-01-31", 1 },
        { "2026-11-22", "2026-11-22T10:00:00Z", MOMENT_UNKNOWN }, { "2026-11-21", "2026-11-22T10:00:00Z", -1 },
        { "2026-11-22T10:00:00Z", "2026-11-22T05:00:00-05:00", 0 }, { "2026-11-22T23:30:00-05:00", "2026-11-23T04:29:59Z", 1 },
        { "2026-11-22T10:00:00", "2026-11-22T10:00:00.000", 0 }, { "2026-11-22T10:00:00", "2026-11-22T10:00:00.001", -1 },
        { "2026-11-22T10:00", "2026-11-22T10:00:00", MOMENT_UNKNOWN }, { "2026-11-22T10:00:00Z", "2026-11-22T12:00:00", MOMENT_UNKNOWN },
        { "2026-11-22T10:00:00Z", "2026-11-24T12:00:00", -1 }, { "T10:00", "T11", -1 }, { "T10:00", "T10", MOMENT_UNKNOWN }, { "T10:00", "2026", MOMENT_UNKNOWN },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct moment a = moment(cases[i].a), b = moment(cases[i].b);
        int           back = cases[i].want == MOMENT_UNKNOWN ? MOMENT_UNKNOWN : -cases[i].want;
        if (moment_compare(&a, &b) != cases[i].want || moment_compare(&b, &a) != back)
            fail_msg("%s %s", cases[i].a, cases[i].b);
    }
}

static void
test_adds_in_the_calendar(void **state)
{
    static const struct { const char *of; int64_t count; enum moment_unit unit; const char *want; } cases[] = {
        { "2024-02-29", 1, MOMENT_YEARS, "2025-02-28" }, { "2024-02-29", 4, MOMENT_YEARS, "2028-02-29" }, { "2026-03-31", -1, MOMENT_MONTHS, "2026-02-28" },
        { "2026-12-31", 1, MOMENT_DAYS, "2027-01-01" }, { "2026-01-01", -1, MOMENT_DAYS, "2025-12-31" }, { "2026-02-22", 1, MOMENT_WEEKS, "2026-03-01" },
        { "2026", 13, MOMENT_MONTHS, "2027" }, { "2026", 364, MOMENT_DAYS, "2026" }, { "2026", 365, MOMENT_DAYS, "2027" }, { "2026-11", 5, MOMENT_WEEKS, "2026-12" },
        { "2026-11-22", 23, MOMENT_HOURS, "2026-11-22" }, { "2026-11-22", -24, MOMENT_HOURS, "2026-11-21" }, { "2026-11-22T23:59:59Z", 1, MOMENT_SECONDS, "2026-11-23T00:00:00Z" },
        { "2026-11-22T10:00:00Z", 1, MOMENT_MILLISECONDS, "2026-11-22T10:00:00.001Z" }, { "2026-11-22T10", 90, MOMENT_MINUTES, "2026-11-22T11" },
        { "T23:00", 2, MOMENT_HOURS, "01:00" }, { "T00:00:00", -1, MOMENT_SECONDS, "23:59:59" }, { "T10", 1, MOMENT_DAYS, NULL }, { "9999", 1, MOMENT_YEARS, NULL },
        { "0001-01-01", -1, MOMENT_DAYS, NULL }, { "2026-01-01", INT64_MAX, MOMENT_DAYS, NULL }, { "2026-01-01", INT64_MIN, MOMENT_YEARS, NULL },
    };
    struct arena *arena = test_arena();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct moment m = moment(cases[i].of), r;
        bool          good = moment_add(&m, cases[i].count, cases[i].unit, &r);
        assert_int_equal(good, cases[i].want != NULL);
        if (good)
            assert_text(moment_text(&r, arena), cases[i].want);
    }
    arena_free(&arena);
}

/* Every day of four centuries comes back. */
static void
test_counts_days_both_ways(void **state)
{
    struct moment day = moment("1799-12-31"), next;
    int64_t       last = moment_ms(&day);

    (void)state;
    for (int i = 0; i < 146097; i++) {
        assert_true(moment_add(&day, 1, MOMENT_DAYS, &next));
        assert_int_equal(moment_ms(&next) - last, INT64_C(86400000));
        assert_int_equal(moment_compare(&day, &next), -1);
        last = moment_ms(&next);
        day  = next;
    }
    assert_int_equal(day.year, 2199);
    struct moment epoch = moment("1970-01-01T00:00:00Z"), now = moment_at(INT64_C(1795360530123), -300);
    assert_int_equal(moment_ms(&epoch), 0);
    assert_int_equal(moment_ms(&now), INT64_C(1795360530123));
    assert_int_equal(now.hour, 10);
}

static void
test_has_boundaries(void **state)
{
    static const struct { const char *of; unsigned digits; bool high; const char *want; } cases[] = {
        { "2026", 8, false, "2026-01-01" }, { "2026", 8, true, "2026-12-31" }, { "2024-02", 8, true, "2024-02-29" }, { "2026-11-22", 6, true, "2026-11" },
        { "2026-11-22T10", 17, false, "2026-11-22T10:00:00.000+14:00" }, { "2026-11-22T10", 17, true, "2026-11-22T10:59:59.999-12:00" },
        { "2026-11-22T10:30:00Z", 17, true, "2026-11-22T10:30:00.999Z" }, { "2026-11-22T10", 8, false, "2026-11-22" }, { "T10:30", 9, true, "10:30:59.999" },
        { "2026", 5, false, NULL }, { "2026", 17, false, NULL }, { "T10", 17, false, NULL },
    };
    struct arena *arena = test_arena();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct moment m = moment(cases[i].of), r;
        bool          good = moment_boundary(&m, cases[i].digits, cases[i].high, &r);
        assert_int_equal(good, cases[i].want != NULL);
        if (good)
            assert_text(moment_text(&r, arena), cases[i].want);
    }
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_exists),
        cmocka_unit_test(test_orders_what_can_be_ordered),
        cmocka_unit_test(test_adds_in_the_calendar),
        cmocka_unit_test(test_counts_days_both_ways),
        cmocka_unit_test(test_has_boundaries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
