/* tests/fhir/test_code_system.c -- spellings, plain forms, shapes, check digits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fhir/code_system.h"

static void
test_reads_every_spelling_of_a_system_as_that_system(void **state)
{
    static const struct { const char *uri; enum code_system want; } cases[] = {
        { "http://hl7.org/fhir/sid/icd-10-cm", CODE_SYSTEM_ICD10CM },
        { "https://hl7.org/fhir/sid/icd-10-cm/", CODE_SYSTEM_ICD10CM },
        { "HTTP://HL7.ORG/fhir/sid/ICD-10-CM", CODE_SYSTEM_ICD10CM },
        { "http://hl7.org/fhir/sid/icd-10-cm|2026", CODE_SYSTEM_ICD10CM },
        { "urn:oid:2.16.840.1.113883.6.90", CODE_SYSTEM_ICD10CM },
        { "2.16.840.1.113883.6.90", CODE_SYSTEM_ICD10CM },
        { "URN:OID:2.16.840.1.113883.6.96", CODE_SYSTEM_SNOMED },
        { " http://snomed.info/sct ", CODE_SYSTEM_SNOMED },
        { "http://snomed.info/sct/731000124108/version/20240301", CODE_SYSTEM_SNOMED },
        { "urn:oid:2.16.840.1.113883.6.88", CODE_SYSTEM_RXNORM },
        { "https://www.nlm.nih.gov/research/umls/rxnorm", CODE_SYSTEM_RXNORM },
        { "urn:oid:2.16.840.1.113883.6.1", CODE_SYSTEM_LOINC },
        { "https://loinc.org/", CODE_SYSTEM_LOINC },
        { "urn:oid:2.16.840.1.113883.6.12", CODE_SYSTEM_CPT },
        { "urn:oid:2.16.840.1.113883.6.285", CODE_SYSTEM_HCPCS },
        { "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", CODE_SYSTEM_HCPCS },
        { "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets/", CODE_SYSTEM_HCPCS },
        { "urn:oid:2.16.840.1.113883.12.292", CODE_SYSTEM_CVX },
        { "urn:oid:2.16.840.1.113883.6.101", CODE_SYSTEM_NUCC },
        { "https://www.cms.gov/Medicare/Coding/place-of-service-codes", CODE_SYSTEM_PLACE },
        { "http://terminology.hl7.org/CodeSystem/ex-serviceplace", CODE_SYSTEM_PLACE },
        { "http://terminology.hl7.org/ValueSet/v3-InformationSensitivityPolicy", CODE_SYSTEM_ACTCODE },
        { "urn:oid:2.16.840.1.113883.5.25", CODE_SYSTEM_CONFIDENTIALITY },
        { "urn:oid:2.16.840.1.113883.4.6", CODE_SYSTEM_NPI },
        { "I10", CODE_SYSTEM_ICD10 },
        { "", CODE_SYSTEM_UNKNOWN },
        { "http://", CODE_SYSTEM_UNKNOWN },
        { "http://example.org/fhir/CodeSystem/local", CODE_SYSTEM_UNKNOWN },
        { "http://snomed.info/sctx", CODE_SYSTEM_UNKNOWN },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (code_system_of(span_of(cases[i].uri)) != cases[i].want)
            fail_msg("%s is %s", cases[i].uri, code_system_name(code_system_of(span_of(cases[i].uri))));
    for (int s = 1; s < CODE_SYSTEM_COUNT; s++)
        assert_int_equal(code_system_of(span_of(code_system_url((enum code_system)s))), s);
    (void)state;
}

static void
test_refuses_a_uri_that_is_longer_than_any_it_knows(void **state)
{
    char uri[400];

    for (size_t i = 0; i < sizeof uri; i++)
        uri[i] = 'a';
    assert_int_equal(code_system_of(span_from(uri, sizeof uri)), CODE_SYSTEM_UNKNOWN);
    (void)state;
}

static void
test_folds_codes_to_their_plain_form(void **state)
{
    static const struct { enum code_system system; const char *code, *want; } cases[] = {
        { CODE_SYSTEM_ICD10CM, "F11.20", "F1120" },   { CODE_SYSTEM_ICD10CM, "f1120", "F1120" },
        { CODE_SYSTEM_ICD10CM, " F11.-", "F11" },     { CODE_SYSTEM_ICD10CM, "F11\xe2\x80\x8b.20", "F1120" },
        { CODE_SYSTEM_LOINC, "3414-0 ", "3414-0" },   { CODE_SYSTEM_REVENUE, "944", "0944" },
        { CODE_SYSTEM_REVENUE, "0944", "0944" },      { CODE_SYSTEM_HCPCS, "h0020", "H0020" },
        { CODE_SYSTEM_SNOMED, "5602001", "5602001" }, { CODE_SYSTEM_SNOMED, "", "" },
        { CODE_SYSTEM_SNOMED, "0123456789012345678901234", "" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct code c = code_fold(cases[i].system, span_of(cases[i].code));
        assert_true(span_eq_text(code_span(&c), cases[i].want));
    }
    (void)state;
}

static void
test_tells_the_system_from_the_shape_of_a_code(void **state)
{
    static const struct { const char *code; enum code_system want; } cases[] = {
        { "F11.20", CODE_SYSTEM_ICD10CM },  { "F1120", CODE_SYSTEM_ICD10CM },  { "z21", CODE_SYSTEM_ICD10CM },
        { "T40.1X1A", CODE_SYSTEM_ICD10CM }, { "H0020", CODE_SYSTEM_HCPCS },   { "3414-0", CODE_SYSTEM_LOINC },
        { "3414-1", CODE_SYSTEM_UNKNOWN },  { "5602001", CODE_SYSTEM_SNOMED }, { "5602002", CODE_SYSTEM_UNKNOWN },
        { "7243", CODE_SYSTEM_UNKNOWN },    { "1010600", CODE_SYSTEM_UNKNOWN },{ "261QM2800X", CODE_SYSTEM_NUCC },
        { "HZ2ZZZZ", CODE_SYSTEM_ICD10PCS }, { "finished", CODE_SYSTEM_UNKNOWN }, { "", CODE_SYSTEM_UNKNOWN },
        { "F11.20.1", CODE_SYSTEM_UNKNOWN }, { "AMB", CODE_SYSTEM_UNKNOWN },   { "F1", CODE_SYSTEM_UNKNOWN },
        { "261Q-2800X", CODE_SYSTEM_UNKNOWN },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (code_shape(span_of(cases[i].code)) != cases[i].want)
            fail_msg("%s looks like %s", cases[i].code, code_system_name(code_shape(span_of(cases[i].code))));
    (void)state;
}

static void
test_refuses_codes_that_cannot_be_of_their_system(void **state)
{
    static const struct { enum code_system system; const char *code; bool want; } cases[] = {
        /* A spreadsheet read 3773-9 as a date and stored the day number. */
        { CODE_SYSTEM_LOINC, "684345", false },      { CODE_SYSTEM_LOINC, "3773-9", true },
        { CODE_SYSTEM_LOINC, "-9", false },          { CODE_SYSTEM_LOINC, "37a3-9", false },
        { CODE_SYSTEM_LOINC, "123456789012-9", false },
        { CODE_SYSTEM_SNOMED, "66214007", true },    { CODE_SYSTEM_SNOMED, "66214008", false },
        { CODE_SYSTEM_SNOMED, "428211000124100", true }, { CODE_SYSTEM_SNOMED, "12345", false },
        { CODE_SYSTEM_ICD10CM, "F11.20", true },     { CODE_SYSTEM_ICD10CM, "304.00", false },
        { CODE_SYSTEM_ICD10, "F11.2", true },        { CODE_SYSTEM_ICD10CM, "F11.2_", false },
        { CODE_SYSTEM_ICD9CM, "304.00", true },      { CODE_SYSTEM_ICD9CM, "V65.42", true },
        { CODE_SYSTEM_ICD9CM, "E950.0", true },      { CODE_SYSTEM_ICD9CM, "F11.20", false },
        { CODE_SYSTEM_ICD10PCS, "HZ2ZZZZ", true },   { CODE_SYSTEM_ICD10PCS, "HZ2", false },
        { CODE_SYSTEM_RXNORM, "1010600", true },     { CODE_SYSTEM_RXNORM, "F11.20", false },
        { CODE_SYSTEM_HCPCS, "H0020", true },        { CODE_SYSTEM_HCPCS, "HF", true },
        { CODE_SYSTEM_CPT, "4320F", true },          { CODE_SYSTEM_CPT, "99408", true },
        { CODE_SYSTEM_HCPCS, "H00", false },         { CODE_SYSTEM_PLACE, "58", true },
        { CODE_SYSTEM_PLACE, "580", false },         { CODE_SYSTEM_REVENUE, "944", true },
        { CODE_SYSTEM_NUCC, "261QM2800X", true },    { CODE_SYSTEM_NUCC, "261QM2800", false },
        { CODE_SYSTEM_NPI, "1234567893", true },     { CODE_SYSTEM_NPI, "1234567890", false },
        { CODE_SYSTEM_ATC, "N07BC01", true },        { CODE_SYSTEM_ATC, "", false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (code_well_formed(cases[i].system, span_of(cases[i].code)) != cases[i].want)
            fail_msg("%s of %s", cases[i].code, code_system_name(cases[i].system));
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_every_spelling_of_a_system_as_that_system),
        cmocka_unit_test(test_refuses_a_uri_that_is_longer_than_any_it_knows),
        cmocka_unit_test(test_folds_codes_to_their_plain_form),
        cmocka_unit_test(test_tells_the_system_from_the_shape_of_a_code),
        cmocka_unit_test(test_refuses_codes_that_cannot_be_of_their_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
