/* tests/consent/test_codes.c -- the code tables: well formed, sorted, cited, and what fires. */
#include "tests/support/check.h"

#include "consent/codes.h"

static void
test_every_row_is_a_code_of_its_system(void **state)
{
    for (size_t i = 0; i < code_table_count(); i++) {
        const struct code_table *t = code_table_at(i);
        for (size_t r = 0; r < t->count; r++) {
            const struct code_row *row  = &t->rows[r];
            struct code            fold = code_fold(t->system, span_of(row->code));
            assert_true(span_eq_text(code_span(&fold), row->code));
            if (!row->prefix && !code_well_formed(t->system, span_of(row->code))
                && !(t->system == CODE_SYSTEM_ICD9CM && row->length == 4))
                fail_msg("%s is no %s code", row->code, code_system_name(t->system));
            assert_true(row->tier != TIER_NONE && row->kind != KIND_NONE && row->words[0] != 0);
        }
    }
    (void)state;
}

static void
test_rows_are_sorted_so_that_they_are_found(void **state)
{
    for (size_t i = 0; i < code_table_count(); i++) {
        const struct code_table *t = code_table_at(i);
        for (size_t r = 1; r < t->count; r++)
            if (span_compare(span_of(t->rows[r - 1].code), span_of(t->rows[r].code)) >= 0)
                fail_msg("%s does not come after %s", t->rows[r].code, t->rows[r - 1].code);
    }
    (void)state;
}

static void
test_rows_without_a_source_are_off_and_not_found(void **state)
{
    size_t off = 0;

    for (size_t i = 0; i < code_table_count(); i++) {
        const struct code_table *t = code_table_at(i);
        for (size_t r = 0; r < t->count; r++) {
            const struct code_row *row = &t->rows[r];
            if (row->source == CODE_SOURCE_MEMORY)
                assert_false(row->on);
            if (row->on)
                continue;
            off++;
            const struct code_row *found = code_find(t->system, span_of(row->code));
            assert_true(found == NULL || found->on);
            assert_ptr_not_equal(found, row);
        }
    }
    assert_true(off > 50);
    for (int s = 0; s < CODE_SOURCE_COUNT; s++)
        assert_true(code_source_short((enum code_source)s)[0] != 0 && code_source_full((enum code_source)s)[0] != 0);
    (void)state;
}

static void
test_finds_codes_dotted_or_not_in_any_case_and_by_prefix(void **state)
{
    static const struct { enum code_system system; const char *code; enum code_tier tier; enum label label; } cases[] = {
        { CODE_SYSTEM_ICD10CM, "F11.20", TIER_T1, LABEL_OPIOIDUD },  { CODE_SYSTEM_ICD10CM, "f1120", TIER_T1, LABEL_OPIOIDUD },
        { CODE_SYSTEM_ICD10CM, "F10.21", TIER_T1, LABEL_ETHUD },     { CODE_SYSTEM_ICD10CM, "F10", TIER_T1, LABEL_ETHUD },
        { CODE_SYSTEM_ICD10CM, "F12.11", TIER_T1, LABEL_SUD },       { CODE_SYSTEM_ICD10CM, "F13.20", TIER_T1, LABEL_SUD },
        { CODE_SYSTEM_ICD10CM, "F14.91", TIER_T1, LABEL_SUD },       { CODE_SYSTEM_ICD10CM, "F16.20", TIER_T1, LABEL_SUD },
        { CODE_SYSTEM_ICD10CM, "F18.10", TIER_T1, LABEL_SUD },       { CODE_SYSTEM_ICD10CM, "F19.20", TIER_T1, LABEL_SUD },
        { CODE_SYSTEM_ICD10CM, "F17.210", TIER_NOT, LABEL_NONE },    { CODE_SYSTEM_ICD10CM, "Z72.0", TIER_NOT, LABEL_NONE },
        { CODE_SYSTEM_ICD10, "F11.2", TIER_T1, LABEL_OPIOIDUD },     { CODE_SYSTEM_ICD10CM, "Z71.41", TIER_T1, LABEL_ETHUD },
        { CODE_SYSTEM_ICD10CM, "F32.1", TIER_T1, LABEL_PSY },        { CODE_SYSTEM_ICD10CM, "B20", TIER_T1, LABEL_HIV },
        { CODE_SYSTEM_ICD10CM, "F70", TIER_NONE, LABEL_NONE },       { CODE_SYSTEM_ICD10CM, "T40.1X1A", TIER_NONE, LABEL_NONE },
        { CODE_SYSTEM_ICD10CM, "I10", TIER_NONE, LABEL_NONE },       { CODE_SYSTEM_ICD10CM, "F", TIER_NONE, LABEL_NONE },
        { CODE_SYSTEM_ICD10PCS, "HZ2ZZZZ", TIER_T1, LABEL_SUD },     { CODE_SYSTEM_ICD9CM, "304.00", TIER_T1, LABEL_OPIOIDUD },
        { CODE_SYSTEM_ICD9CM, "305.1", TIER_NOT, LABEL_NONE },       { CODE_SYSTEM_ICD9CM, "305.20", TIER_T1, LABEL_SUD },
        { CODE_SYSTEM_DRG, "897", TIER_T1, LABEL_SUD },              { CODE_SYSTEM_DRG, "522", TIER_NONE, LABEL_NONE },
        { CODE_SYSTEM_SNOMED, "5602001", TIER_T1, LABEL_OPIOIDUD },  { CODE_SYSTEM_SNOMED, "66590003", TIER_T1, LABEL_ETHUD },
        { CODE_SYSTEM_SNOMED, "428211000124100", TIER_T3, LABEL_SUD }, { CODE_SYSTEM_SNOMED, "419343004", TIER_NOT, LABEL_NONE },
        { CODE_SYSTEM_RXNORM, "1010600", TIER_T1, LABEL_OPIOIDUD },  { CODE_SYSTEM_RXNORM, "7243", TIER_T2, LABEL_SUD },
        { CODE_SYSTEM_RXNORM, "904870", TIER_T3, LABEL_OPIOIDUD },   { CODE_SYSTEM_RXNORM, "1551468", TIER_NOT, LABEL_NONE },
        { CODE_SYSTEM_RXNORM, "7242", TIER_NONE, LABEL_NONE },       { CODE_SYSTEM_ATC, "N07BC51", TIER_T1, LABEL_OPIOIDUD },
        { CODE_SYSTEM_ATC, "N07BC02", TIER_T2, LABEL_OPIOIDUD },     { CODE_SYSTEM_LOINC, "3414-0", TIER_T1, LABEL_OPIOIDUD },
        { CODE_SYSTEM_LOINC, "82667-7", TIER_T3, LABEL_SUD },        { CODE_SYSTEM_HCPCS, "h0020", TIER_T1, LABEL_OPIOIDUD },
        { CODE_SYSTEM_CPT, "99408", TIER_T1, LABEL_SUD },            { CODE_SYSTEM_HCPCS, "H0004", TIER_T3, LABEL_SUD },
        { CODE_SYSTEM_PLACE, "58", TIER_T1, LABEL_OPIOIDUD },        { CODE_SYSTEM_PLACE, "11", TIER_NONE, LABEL_NONE },
        { CODE_SYSTEM_REVENUE, "126", TIER_T1, LABEL_SUD },          { CODE_SYSTEM_SPECIALTY, "D5", TIER_T1, LABEL_OPIOIDUD },
        { CODE_SYSTEM_NUCC, "261QM2800X", TIER_T1, LABEL_OPIOIDUD }, { CODE_SYSTEM_CVX, "08", TIER_NONE, LABEL_NONE },
        { CODE_SYSTEM_UNKNOWN, "F11.20", TIER_NONE, LABEL_NONE },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct code_row *row = code_find(cases[i].system, span_of(cases[i].code));
        enum code_tier         tier = row != NULL ? (enum code_tier)row->tier : TIER_NONE;
        if (tier != cases[i].tier || (row != NULL && row->label != cases[i].label))
            fail_msg("%s %s: tier %d", code_system_name(cases[i].system), cases[i].code, tier);
    }
    assert_int_equal(code_find_modifier(SPAN("hf"))->label, LABEL_SUD);
    assert_null(code_find_modifier(SPAN("H0020")));
    (void)state;
}

static void
test_controls_excuse_ambiguous_codes_and_no_others(void **state)
{
    static const struct { enum code_system system; const char *code; unsigned contexts; bool want; } cases[] = {
        { CODE_SYSTEM_RXNORM, "1819", CONTEXT_PAIN, true },      { CODE_SYSTEM_RXNORM, "1819", CONTEXT_PATCH, true },
        { CODE_SYSTEM_RXNORM, "1819", CONTEXT_WEIGHT, false },   { CODE_SYSTEM_RXNORM, "1010600", CONTEXT_PAIN, false },
        { CODE_SYSTEM_RXNORM, "6813", CONTEXT_PAIN, true },      { CODE_SYSTEM_RXNORM, "6813", CONTEXT_PATCH, false },
        { CODE_SYSTEM_RXNORM, "864978", CONTEXT_PAIN, false },   { CODE_SYSTEM_RXNORM, "7243", CONTEXT_WEIGHT, true },
        { CODE_SYSTEM_RXNORM, "3554", CONTEXT_ALLERGY, true },   { CODE_SYSTEM_RXNORM, "7243", CONTEXT_PAIN, false },
        { CODE_SYSTEM_ICD10CM, "F10.20", CONTEXT_ALLERGY, false }, { CODE_SYSTEM_ICD10CM, "F10.20", CONTEXT_FAMILY, true },
        { CODE_SYSTEM_ICD10CM, "F15.920", CONTEXT_CAFFEINE, true }, { CODE_SYSTEM_ICD10CM, "F14.10", CONTEXT_CAFFEINE, false },
        { CODE_SYSTEM_LOINC, "3773-9", CONTEXT_NEGATIVE, true }, { CODE_SYSTEM_LOINC, "3414-0", CONTEXT_NEGATIVE, false },
        { CODE_SYSTEM_HCPCS, "H0020", CONTEXT_PAIN, false },     { CODE_SYSTEM_HCPCS, "H0020", CONTEXT_FAMILY, true },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (code_excused(code_find(cases[i].system, span_of(cases[i].code)), cases[i].contexts) != cases[i].want)
            fail_msg("%s with %u", cases[i].code, cases[i].contexts);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_is_a_code_of_its_system),
        cmocka_unit_test(test_rows_are_sorted_so_that_they_are_found),
        cmocka_unit_test(test_rows_without_a_source_are_off_and_not_found),
        cmocka_unit_test(test_finds_codes_dotted_or_not_in_any_case_and_by_prefix),
        cmocka_unit_test(test_controls_excuse_ambiguous_codes_and_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
