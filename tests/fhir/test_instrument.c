#include "tests/fhir/fhir_check.h"

#include "fhir/code_system.h"
#include "fhir/instrument.h"

static const struct { const char *item, *code, *number; bool taken; uint8_t points; } phq9[] = {
    { "44250-9", "LA6571-9", "", true, 3 },
    { "/44260-8", "LA6569-3", "", true, 1 },
    { "44260-8", "", "2", true, 2 },
    { "44260-8", "LA6571-9", "1.0", true, 1 },             /* what the answer says itself counts */
    { "44260-8", "", "4", true, INSTRUMENT_OPEN },
    { "44260-8", "", "1.5", true, INSTRUMENT_OPEN },
    { "44260-8", "LA33-6", "", true, INSTRUMENT_OPEN },
    { "69725-0", "LA6571-9", "", false, 0 },               /* of GAD-7 */
    { "", "LA6571-9", "", false, 0 },
};

static void
test_an_answer_is_worth_its_points(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof phq9 / sizeof phq9[0]; i++) {
        struct instrument_sheet  sheet;
        struct instrument_answer answer = { .code = span_of(phq9[i].code), .number = span_of(phq9[i].number) };
        instrument_begin(&sheet, INSTRUMENT_PHQ9);
        assert_int_equal(instrument_take(&sheet, span_of(phq9[i].item), &answer), phq9[i].taken);
        assert_int_equal(sheet.met, phq9[i].taken);
        bool first = strcmp(phq9[i].item, "44250-9") == 0;
        if (phq9[i].taken)
            assert_int_equal(sheet.points[first ? 0 : 8], phq9[i].points);
    }
}

static void
test_what_is_open_leaves_a_range(void **state)
{
    struct instrument_sheet  sheet;
    struct instrument_answer two = { .number = SPAN("2") }, day = { .number = SPAN("12") };

    (void)state;
    instrument_begin(&sheet, INSTRUMENT_PHQ9);
    instrument_take(&sheet, SPAN("44250-9"), &two);
    assert_int_equal(instrument_total(&sheet).least, 2);
    assert_int_equal(instrument_total(&sheet).most, 2 + 8 * 3);
    instrument_begin(&sheet, INSTRUMENT_AUDIT_C);
    instrument_take(&sheet, SPAN("68517-2"), &day);        /* days in a year: no points */
    instrument_take(&sheet, SPAN("68519-8"), &two);
    instrument_take(&sheet, SPAN("68520-6"), &two);
    assert_int_equal(instrument_total(&sheet).least, 4);
    assert_int_equal(instrument_total(&sheet).most, 8);
}

static void
test_the_third_question_of_dast_is_reversed(void **state)
{
    struct instrument_sheet  sheet;
    struct instrument_answer yes = { .yes = true }, no = { .no = true }, coded = { .code = SPAN("LA32-8") };
    char                     link[16];

    (void)state;
    instrument_begin(&sheet, INSTRUMENT_DAST10);
    for (int i = 1; i <= 10; i++) {
        snprintf(link, sizeof link, "dast-10-%d", i);
        assert_true(instrument_take(&sheet, span_of(link), i == 3 ? &yes : &no));
    }
    assert_int_equal(instrument_total(&sheet).least, 0);
    assert_int_equal(instrument_total(&sheet).most, 0);
    instrument_take(&sheet, SPAN("dast-10-3"), &coded);
    instrument_take(&sheet, SPAN("dast-10-10"), &yes);
    assert_int_equal(instrument_total(&sheet).most, 2);
}

static void
test_the_screener_has_a_level(void **state)
{
    static const struct { const char *yes; enum instrument_level level; } levels[] = {
        { "", LEVEL_NONE }, { "93246-7", LEVEL_LOW }, { "93247-5", LEVEL_LOW }, { "93248-3", LEVEL_MODERATE },
        { "93249-1", LEVEL_HIGH }, { "93250-9", LEVEL_HIGH }, { "93267-3", LEVEL_MODERATE }, { "93269-9", LEVEL_HIGH },
    };
    struct instrument_sheet  sheet;
    struct instrument_answer yes = { .yes = true }, no = { .no = true };

    (void)state;
    instrument_begin(&sheet, INSTRUMENT_CSSRS);
    assert_int_equal(instrument_level(&sheet), LEVEL_UNKNOWN);
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        instrument_begin(&sheet, INSTRUMENT_CSSRS);
        instrument_take(&sheet, SPAN("93246-7"), &no);
        if (levels[i].yes[0] != '\0')
            assert_true(instrument_take(&sheet, span_of(levels[i].yes), &yes));
        assert_int_equal(instrument_level(&sheet), levels[i].level);
    }
    instrument_begin(&sheet, INSTRUMENT_PHQ9);
    assert_int_equal(instrument_level(&sheet), LEVEL_UNKNOWN);
}

/* A typing slip in a code would make an instrument silent. */
static void
test_every_code_is_well_formed(void **state)
{
    static const char *const codes[] = {
#define INSTRUMENT(name, text, panel, total, most) panel, total,
#define ITEM(of, code, link, answers, most) code,
#define CONFUSED(of, code) code,
#include "fhir/instrument.def"
    };

    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct span code = span_of(codes[i]);
        if (code.length > 0 && !code_check_loinc(code))
            fail_msg("%s", codes[i]);
    }
    assert_int_equal(instrument_items(INSTRUMENT_PHQ9), 9);
    assert_int_equal(instrument_items(INSTRUMENT_GAD7), 7);
    assert_int_equal(instrument_of_panel(SPAN("44249-1")), INSTRUMENT_PHQ9);
    assert_int_equal(instrument_of_total(SPAN("82667-7")), INSTRUMENT_DAST10);
    assert_int_equal(instrument_of_total(SPAN("")), INSTRUMENT_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_is_worth_its_points),
        cmocka_unit_test(test_what_is_open_leaves_a_range),
        cmocka_unit_test(test_the_third_question_of_dast_is_reversed),
        cmocka_unit_test(test_the_screener_has_a_level),
        cmocka_unit_test(test_every_code_is_well_formed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
