/* tests/consent/test_purpose.c -- purposes of use: the tree and what a consent reaches. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "consent/purpose.h"

static void
test_knows_every_row_by_its_own_code(void **state)
{
    (void)state;
    for (enum purpose p = PURPOSE_NONE + 1; p < PURPOSE_COUNT; p++)
        assert_int_equal(purpose_of(span_of(purpose_code(p))), p);
    assert_int_equal(purpose_of(SPAN("TREATMENT")), PURPOSE_NONE);
    assert_int_equal(purpose_of(SPAN("treat")), PURPOSE_NONE);
    assert_int_equal(purpose_of(SPAN("")), PURPOSE_NONE);
    assert_string_equal(purpose_code(PURPOSE_NONE), "");
}

static void
test_a_permit_reaches_what_is_below_but_not_what_must_be_named(void **state)
{
    static const struct { enum purpose listed, asked; bool covers, is_a; } rows[] = {
        { PURPOSE_TREAT,    PURPOSE_TREAT,       true,  true },
        { PURPOSE_TREAT,    PURPOSE_ETREAT,      true,  true },
        { PURPOSE_TREAT,    PURPOSE_ERTREAT,     true,  true },
        { PURPOSE_TREAT,    PURPOSE_BTG,         false, true },
        { PURPOSE_ETREAT,   PURPOSE_BTG,         false, true },
        { PURPOSE_BTG,      PURPOSE_BTG,         true,  true },
        { PURPOSE_TREAT,    PURPOSE_CLINTRL,     false, true },
        { PURPOSE_TREAT,    PURPOSE_POPHLTH,     false, true },
        { PURPOSE_ETREAT,   PURPOSE_TREAT,       false, false },
        { PURPOSE_HRESCH,   PURPOSE_CLINTRCH,    true,  true },
        { PURPOSE_HRESCH,   PURPOSE_CLINTRCHNPC, true,  true },
        { PURPOSE_HPAYMT,   PURPOSE_ELIGVER,     true,  true },
        { PURPOSE_HOPERAT,  PURPOSE_CAREMGT,     true,  true },
        { PURPOSE_HOPERAT,  PURPOSE_LABELING,    true,  true },
        { PURPOSE_HOPERAT,  PURPOSE_HLEGAL,      false, true },
        { PURPOSE_HOPERAT,  PURPOSE_GOV,         false, true },
        { PURPOSE_HOPERAT,  PURPOSE_FRAUD,       false, true },
        { PURPOSE_HOPERAT,  PURPOSE_DONAT,       false, true },
        { PURPOSE_HOPERAT,  PURPOSE_HDECD,       false, true },
        { PURPOSE_HOPERAT,  PURPOSE_MILCDM,      false, true },
        { PURPOSE_HOPERAT,  PURPOSE_MLTRAINING,  false, true },
        { PURPOSE_HLEGAL,   PURPOSE_HLEGAL,      true,  true },
        { PURPOSE_PATRQT,   PURPOSE_FAMRQT,      false, true },
        { PURPOSE_TREAT,    PURPOSE_HMARKT,      false, false },
        { PURPOSE_NONE,     PURPOSE_NONE,        false, false },
        { PURPOSE_NONE,     PURPOSE_TREAT,       false, false },
        { PURPOSE_TREAT,    PURPOSE_NONE,        false, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (purpose_covers(rows[i].listed, rows[i].asked) != rows[i].covers)
            fail_msg("covers(%s, %s)", purpose_code(rows[i].listed), purpose_code(rows[i].asked));
        if (purpose_is_a(rows[i].asked, rows[i].listed) != rows[i].is_a)
            fail_msg("is_a(%s, %s)", purpose_code(rows[i].asked), purpose_code(rows[i].listed));
    }
}

static void
test_only_legal_purposes_stand_before_the_proceedings_gate(void **state)
{
    (void)state;
    for (enum purpose p = PURPOSE_NONE; p < PURPOSE_COUNT; p++)
        assert_int_equal(purpose_legal(p), p == PURPOSE_HLEGAL || p == PURPOSE_LEGAL);
}

static void
test_reads_the_system_in_all_its_spellings(void **state)
{
    (void)state;
    assert_true(purpose_system(SPAN("http://terminology.hl7.org/CodeSystem/v3-ActReason")));
    assert_true(purpose_system(SPAN("urn:oid:2.16.840.1.113883.5.8")));
    assert_true(purpose_system(SPAN("http://hl7.org/fhir/v3/ActReason")));
    assert_false(purpose_system(SPAN("http://terminology.hl7.org/CodeSystem/v3-ActCode")));
    assert_false(purpose_system(SPAN("")));
}

static void
test_a_claim_stays_within_the_registration(void **state)
{
    static const struct { const char *registered, *claimed; bool within; } rows[] = {
        { "TREAT", "TREAT", true },     { "TREAT", "ETREAT", true },    { "TREAT", "BTG", false },
        { "TREAT", "CLINTRL", false },  { "TREAT", "POPHLTH", false },  { "TREAT", "HPAYMT", false },
        { "HOPERAT", "HQUALIMP", true }, { "HOPERAT", "HLEGAL", false }, { "HOPERAT", "FRAUD", false },
        { "HOPERAT", "DONAT", false },  { "HOPERAT", "GOV", false },    { "HOPERAT", "HDECD", false },
        { "HOPERAT", "MILCDM", false }, { "HOPERAT", "MLTRAINING", false }, { "HOPERAT", "HMARKT", false },
        { "HOPERAT", "FUNDRAISING", false }, { "HLEGAL", "HLEGAL", true }, { "HPAYMT", "ELIGVER", true },
        { "ETREAT", "TREAT", false },   { "PATRQT", "FAMRQT", false },  { "PATRQT", "SUPNWK", false },
        { "HMARKT", "HMARKT", true },   { "TREAT", "TREATMENT", false }, { "TREATMENT", "TREATMENT", false },
        { "HOPERAT", "LEGAL", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span registered = span_of(rows[i].registered);
        if (purpose_within(span_of(rows[i].claimed), &registered, 1) != rows[i].within)
            fail_msg("%s claimed by who is registered for %s", rows[i].claimed, rows[i].registered);
    }
    assert_false(purpose_within(SPAN("TREAT"), NULL, 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_knows_every_row_by_its_own_code),
        cmocka_unit_test(test_a_permit_reaches_what_is_below_but_not_what_must_be_named),
        cmocka_unit_test(test_only_legal_purposes_stand_before_the_proceedings_gate),
        cmocka_unit_test(test_reads_the_system_in_all_its_spellings),
        cmocka_unit_test(test_a_claim_stays_within_the_registration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
