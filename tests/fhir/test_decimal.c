/* Decimals: what is exact, what is rounded and where, what has no result.
 * The digits of the series are those of other tables (OEIS A001113 e,
 * A002193 sqrt 2, A002162 ln 2, A002392 ln 10). */
#include "fhir_check.h"

#include "fhir/decimal.h"

static struct decimal
number(const char *text)
{
    struct decimal d = { 0 };

    if (!decimal_read(span_of(text), &d))
        fail_msg("the test's own number: %s", text);
    return d;
}

static void
test_keeps_precision_and_refuses_what_it_cannot_hold(void **state)
{
    static const struct { const char *text, *want; } cases[] = {
        { "0", "0" }, { "-0", "0" }, { "-0.00", "0.00" }, { "1.50", "1.50" }, { "+7", "7" }, { "007", "7" }, { "0.010", "0.010" },
        { "1e3", "1000" }, { "1.5E-3", "0.0015" }, { "1.50e1", "15.0" }, { "99999999999999999999999999999999999999", "99999999999999999999999999999999999999" },
        { "100000000000000000000000000000000000000000", "100000000000000000000000000000000000000000" },
        { "0.00000000000000000000000000000000000000012345678901234567890123456789012345678", "0.00000000000000000000000000000000000000012345678901234567890123456789012345678" },
        { "1.00000000000000000000000000000000000000000000", "1.0000000000000000000000000000000000000" },
        { "", NULL }, { "-", NULL }, { ".5", NULL }, { "5.", NULL }, { "1.2.3", NULL }, { "1e", NULL }, { "1e+", NULL }, { "1 ", NULL },
        { "1e99999", NULL }, { "1e1001", NULL }, { "0x1", NULL }, { "1.000000000000000000000000000000000000001", NULL }, { "NaN", NULL },
    };
    struct arena *arena = test_arena();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct decimal d;
        bool           read = decimal_read(span_of(cases[i].text), &d);
        assert_int_equal(read, cases[i].want != NULL);
        if (read)
            assert_text(decimal_text(&d, arena), cases[i].want);
    }
    arena_free(&arena);
}

typedef bool binary(const struct decimal *, const struct decimal *, struct decimal *);

static void
test_calculates(void **state)
{
    static const struct { const char *left; binary *call; const char *right, *want; } cases[] = {
        { "0.1", decimal_add, "0.2", "0.3" }, { "1.50", decimal_add, "-0.5", "1.00" }, { "1e20", decimal_add, "1e-17", "100000000000000000000.00000000000000001" },
        { "1e300", decimal_add, "1", "1" }, { "5", decimal_add, "-5", "0" }, { "-1.5", decimal_subtract, "1.5", "-3.0" },
        { "99999999999999999999999999999999999999", decimal_add, "1", "100000000000000000000000000000000000000" },
        { "1.5", decimal_multiply, "-1.50", "-2.250" }, { "0", decimal_multiply, "1e300", "0" }, { "1e600", decimal_multiply, "1e600", NULL },
        { "12345678901234567890.123456789", decimal_multiply, "98765432109876543210.987654321", "1219326311370217952261850327336229233300" },
        { "1", decimal_divide, "3", "0.3333333333333333333333333333" }, { "2", decimal_divide, "3", "0.6666666666666666666666666667" },
        { "1", decimal_divide, "0", NULL }, { "0", decimal_divide, "7", "0" }, { "-7.5", decimal_divide, "2.5", "-3" }, { "1", decimal_divide, "8", "0.125" },
        { "7", decimal_div, "2", "3" }, { "-7", decimal_div, "2", "-3" }, { "1", decimal_div, "2", "0" }, { "1e300", decimal_div, "3", NULL }, { "1", decimal_div, "0", NULL },
        { "7.5", decimal_mod, "2", "1.5" }, { "-7.5", decimal_mod, "2", "-1.5" }, { "1", decimal_mod, "1e300", "1" }, { "1", decimal_mod, "0", NULL },
        { "2", decimal_power, "100", "1267650600228229401496703205376" }, { "2", decimal_power, "-2", "0.25" }, { "0", decimal_power, "0.5", "0" },
        { "-2", decimal_power, "3", "-8" }, { "-2", decimal_power, "0.5", NULL }, { "2", decimal_power, "0.5", "1.41421356237309504880169" },
        { "10", decimal_power, "2000", NULL }, { "9", decimal_power, "1.5", "27" },
        { "1000", decimal_log, "10", "3" }, { "2", decimal_log, "4", "0.5" }, { "2", decimal_log, "1", NULL }, { "0", decimal_log, "2", NULL },
    };
    struct arena *arena = test_arena();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct decimal a = number(cases[i].left), b = number(cases[i].right), r;
        if (cases[i].want == NULL) {
            assert_false(cases[i].call(&a, &b, &r));
            continue;
        }
        if (!cases[i].call(&a, &b, &r))
            fail_msg("%s, %s", cases[i].left, cases[i].right);
        if (i != 3)
            assert_text(decimal_text(&r, arena), cases[i].want);
        else
            assert_int_equal(decimal_compare(&r, &a), 0);        /* 1 is far behind the digits */
    }
    arena_free(&arena);
}

typedef bool unary(const struct decimal *, struct decimal *);

static void
test_has_series_to_their_digits(void **state)
{
    static const struct { unary *call; const char *of, *want; } cases[] = {
        { decimal_exp, "0", "1" }, { decimal_exp, "1", "2.71828182845904523536029" }, { decimal_exp, "-1", "0.367879441171442321595524" },
        { decimal_exp, "1000000", NULL }, { decimal_exp, "-1000000", NULL }, { decimal_ln, "1", "0" }, { decimal_ln, "0", NULL }, { decimal_ln, "-1", NULL },
        { decimal_ln, "2", "0.693147180559945309417232" }, { decimal_ln, "10", "2.30258509299404568401799" }, { decimal_ln, "1e-20", "-46.0517018598809136803598" },
        { decimal_sqrt, "2", "1.41421356237309504880169" }, { decimal_sqrt, "1e100", "100000000000000000000000000000000000000000000000000" },
        { decimal_sqrt, "0.0001", "0.01" }, { decimal_sqrt, "0", "0" }, { decimal_sqrt, "-4", NULL },
    };
    struct arena *arena = test_arena();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct decimal x = number(cases[i].of), r;
        bool           good = cases[i].call(&x, &r);
        assert_int_equal(good, cases[i].want != NULL);
        if (good)
            assert_text(decimal_text(&r, arena), cases[i].want);
    }
    arena_free(&arena);
}

static void
test_orders_and_rounds(void **state)
{
    static const struct { const char *a, *b; int want; } order[] = {
        { "1.0", "1", 0 }, { "1", "2", -1 }, { "-1", "1", -1 }, { "-2", "-1", -1 }, { "0", "-0.0", 0 }, { "1e300", "1e299", 1 }, { "1e-300", "0", 1 },
        { "1e38", "99999999999999999999999999999999999999", 1 }, { "0.1", "0.10000000000000000000000000000000000001", -1 },
    };
    static const struct { const char *of; int places; enum decimal_rounding how; const char *want; } round[] = {
        { "1.25", 1, DECIMAL_NEAREST, "1.3" }, { "-1.25", 1, DECIMAL_NEAREST, "-1.3" }, { "1.24", 1, DECIMAL_NEAREST, "1.2" }, { "1.2", 5, DECIMAL_NEAREST, "1.2" },
        { "-1.1", 0, DECIMAL_DOWN, "-2" }, { "-1.1", 0, DECIMAL_UP, "-1" }, { "1.1", 0, DECIMAL_UP, "2" }, { "1.9", 0, DECIMAL_TO_ZERO, "1" }, { "15", -1, DECIMAL_NEAREST, "20" },
        { "1e-300", 0, DECIMAL_UP, "1" }, { "1e-300", 0, DECIMAL_NEAREST, "0" }, { "9.99", 1, DECIMAL_NEAREST, "10.0" },
    };
    struct arena *arena = test_arena();
    int64_t       whole;

    (void)state;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        struct decimal a = number(order[i].a), b = number(order[i].b);
        assert_int_equal(decimal_compare(&a, &b), order[i].want);
        assert_int_equal(decimal_compare(&b, &a), -order[i].want);
    }
    for (size_t i = 0; i < sizeof round / sizeof round[0]; i++) {
        struct decimal d = number(round[i].of);
        assert_true(decimal_round(&d, round[i].places, round[i].how, &d));
        assert_text(decimal_text(&d, arena), round[i].want);
    }
    struct decimal d = number("-12.00"), e = number("12.5"), f = number("1e30");
    assert_true(decimal_to_integer(&d, &whole));
    assert_int_equal(whole, -12);
    assert_false(decimal_to_integer(&e, &whole));
    assert_false(decimal_to_integer(&f, &whole));
    d = decimal_of(INT64_MIN);
    assert_text(decimal_text(&d, arena), "-9223372036854775808");
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_precision_and_refuses_what_it_cannot_hold),
        cmocka_unit_test(test_calculates),
        cmocka_unit_test(test_has_series_to_their_digits),
        cmocka_unit_test(test_orders_and_rounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
