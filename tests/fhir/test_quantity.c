/* Quantities: which units are read, which can be compared, what sums and
 * products give.  Factors are UCUM's own (its table of units). */
#include "fhir_check.h"

#include "fhir/quantity.h"

static struct fhirpath_quantity
quantity(const char *value, const char *unit)
{
    struct fhirpath_quantity q = { .unit = span_of(unit) };

    assert_true(decimal_read(span_of(value), &q.value));
    return q;
}

static void
test_compares_what_has_the_same_dimension(void **state)
{
    static const struct { const char *a, *unit_a, *b, *unit_b; int want; } cases[] = {
        { "1", "g", "1000", "mg", 0 }, { "1", "kg", "999", "g", 1 }, { "1", "cm", "1", "mm", 1 }, { "1", "min", "60", "s", 0 },
        { "1", "mm", "1", "min", QUANTITY_APART }, { "1", "mmol/L", "1", "mol/m3", 0 }, { "1", "mg/dL", "10", "mg/L", 0 }, { "1", "mg/dL", "0.01", "g/L", 0 },
        { "760", "mm[Hg]", "1", "atm", -1 }, { "1", "[in_i]", "2.54", "cm", 0 }, { "1", "[lb_av]", "453.59237", "g", 0 }, { "16", "[oz_av]", "1", "[lb_av]", 0 },
        { "1", "/min", "60", "/h", 0 }, { "1", "{beats}/min", "1", "/min", 0 }, { "1", "m.s-1", "1", "m/s", 0 }, { "1", "(m/s)2", "1", "m2/s2", QUANTITY_APART },
        { "1", "10*3/uL", "1", "10*9/L", 0 }, { "1", "%", "0.01", "1", 0 }, { "37", "Cel", "37", "Cel", 0 }, { "37", "Cel", "98.6", "[degF]", QUANTITY_APART },
        { "1", "foo", "1", "foo", 0 }, { "1", "foo", "1", "bar1", QUANTITY_APART }, { "1", "J", "1", "N.m", 0 }, { "1", "W", "1", "J/s", 0 }, { "1", "", "1", "1", QUANTITY_APART },
        { "7", "days", "1", "wk", 0 }, { "1", "year", "12", "months", 0 }, { "1", "year", "1", "a", QUANTITY_APART }, { "1", "month", "30", "days", QUANTITY_APART },
        { "1", "a", "12", "mo", 0 }, { "1", "kkg", "1", "g", QUANTITY_APART }, { "1", "mmin", "1", "s", QUANTITY_APART }, { "1", "m/", "1", "m", QUANTITY_APART },
        { "1", "(m", "1", "m", QUANTITY_APART }, { "1", "m{", "1", "m", QUANTITY_APART }, { "1", "m99", "1", "m", QUANTITY_APART },
        { "1", "((((((((((m))))))))))", "1", "m", QUANTITY_APART },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fhirpath_quantity a = quantity(cases[i].a, cases[i].unit_a), b = quantity(cases[i].b, cases[i].unit_b);
        int back = cases[i].want == QUANTITY_APART ? QUANTITY_APART : -cases[i].want;
        if (quantity_compare(&a, &b) != cases[i].want || quantity_compare(&b, &a) != back)
            fail_msg("%s %s, %s %s: %d", cases[i].a, cases[i].unit_a, cases[i].b, cases[i].unit_b, quantity_compare(&a, &b));
        assert_int_equal(quantity_comparable(&a, &b), cases[i].want != QUANTITY_APART);
    }
}

static void
test_knows_a_unit_that_is_not_of_ucum_by_its_text(void **state)
{
    struct fhirpath_quantity a = quantity("2", "kg"), b = quantity("1", "kg"), c = quantity("1000", "g");

    (void)state;
    a.foreign = b.foreign = c.foreign = true;
    assert_int_equal(quantity_compare(&a, &b), 1);
    assert_int_equal(quantity_compare(&b, &c), QUANTITY_APART);
    b.foreign = false;
    assert_int_equal(quantity_compare(&a, &b), QUANTITY_APART);
}

static void
test_calculates_with_units(void **state)
{
    static const struct { const char *a, *unit_a; char operator; const char *b, *unit_b, *value, *unit; } cases[] = {
        { "1", "m", '+', "1", "cm", "101", "cm" }, { "1.5", "g", '-', "1.5", "g", "0.0", "g" }, { "1", "h", '+', "30", "min", "90", "min" }, { "1", "m", '+', "1", "s", NULL, NULL },
        { "2", "cm", '*', "3", "m", "0.06", "m2" }, { "2", "mg", '*', "3", "1", "6", "mg" }, { "3", "1", '*', "2", "mg", "6", "mg" }, { "6", "m", '/', "2", "s", "3", "m.s-1" },
        { "6", "mg", '/', "2", "mg", "3", "1" }, { "1", "m", '/', "0", "s", NULL, NULL }, { "1", "foo", '*', "1", "m", NULL, NULL }, { "1", "year", '*', "1", "m", NULL, NULL },
        { "1", "1", '/', "2", "s", "0.5", "s-1" },
    };
    struct arena *arena = test_arena();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fhirpath_quantity a = quantity(cases[i].a, cases[i].unit_a), b = quantity(cases[i].b, cases[i].unit_b), r;
        bool product = cases[i].operator == '*' || cases[i].operator == '/';
        bool good    = product ? quantity_multiply(&a, &b, cases[i].operator == '/', arena, &r) : quantity_add(&a, &b, cases[i].operator == '-', &r);
        assert_int_equal(good, cases[i].value != NULL);
        if (good) {
            assert_text(decimal_text(&r.value, arena), cases[i].value);
            assert_text(r.unit, cases[i].unit);
        }
    }
    arena_free(&arena);
}

static void
test_moves_dates_by_words_and_short_units(void **state)
{
    static const struct { const char *unit; enum moment_unit want; } cases[] = {
        { "year", MOMENT_YEARS }, { "months", MOMENT_MONTHS }, { "weeks", MOMENT_WEEKS }, { "day", MOMENT_DAYS }, { "milliseconds", MOMENT_MILLISECONDS },
        { "wk", MOMENT_WEEKS }, { "d", MOMENT_DAYS }, { "min", MOMENT_MINUTES }, { "ms", MOMENT_MILLISECONDS }, { "mo", 0 }, { "a", 0 }, { "mg", 0 }, { "dayss", 0 }, { "s", MOMENT_SECONDS },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fhirpath_quantity q = quantity("1", cases[i].unit);
        assert_int_equal(quantity_moment_unit(&q), cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compares_what_has_the_same_dimension),
        cmocka_unit_test(test_knows_a_unit_that_is_not_of_ucum_by_its_text),
        cmocka_unit_test(test_calculates_with_units),
        cmocka_unit_test(test_moves_dates_by_words_and_short_units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
