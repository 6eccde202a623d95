/* tests/consent/test_label.c -- label sets: names, hierarchy L1, order L2, aliases L3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "consent/label.h"

#define ACT  "http://terminology.hl7.org/CodeSystem/v3-ActCode"
#define CONF "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"

static void
test_reads_labels_in_every_spelling_of_their_system(void **state)
{
    static const struct { const char *system, *code; enum label want; } cases[] = {
        { ACT, "SUD", LABEL_SUD }, { ACT, "42CFRPart2", LABEL_PART2 }, { CONF, "R", LABEL_R },
        { "http://terminology.hl7.org/ValueSet/v3-InformationSensitivityPolicy", "SUD", LABEL_SUD },
        { "urn:oid:2.16.840.1.113883.5.4", "OPIOIDUD", LABEL_OPIOIDUD },
        { "2.16.840.1.113883.5.25", "V", LABEL_V },
        { "http://terminology.hl7.org/CodeSystem/v3-ActUSPrivacyLaw", "42CFRPart2", LABEL_PART2 },
        { "https://example.org/labels", "42CFRPart2", LABEL_PART2 },
        { "", "ETH", LABEL_ETH }, { "", "R", LABEL_R },
        { CONF, "PSY", LABEL_PSY }, { CONF, "ETH", LABEL_ETH },
        { ACT, "NORDSLCD", LABEL_NORDSCLCD },
        { CONF, "SUD", LABEL_NONE }, { ACT, "R", LABEL_NONE }, { ACT, "sud", LABEL_NONE },
        { "https://example.org/fhir/CodeSystem/local-sensitivity", "PERSONALITY", LABEL_NONE },
        { "https://example.org/fhir/CodeSystem/local-sensitivity", "SUD", LABEL_NONE },
        { "http://snomed.info/sct", "R", LABEL_NONE }, { "", "", LABEL_NONE },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (label_of_coding(span_of(cases[i].system), span_of(cases[i].code)) != cases[i].want)
            fail_msg("%s#%s", cases[i].system, cases[i].code);
    for (int l = 1; l < LABEL_COUNT; l++)
        assert_int_equal(label_of_coding(span_of(label_system((enum label)l)), span_of(label_code((enum label)l))), l);
    (void)state;
}

static void
test_a_parent_covers_its_descendants_and_eth_reads_as_sud(void **state)
{
    assert_true(labels_have(label_closure(LABEL_SUD), LABEL_OPIOIDUD));
    assert_true(labels_have(label_closure(LABEL_ETH), LABEL_OPIOIDUD));
    assert_true(labels_have(label_closure(LABEL_ETH), LABEL_SUD));
    assert_true(labels_have(label_closure(LABEL_SUD), LABEL_ETH));
    assert_true(labels_have(label_closure(LABEL_SPI), LABEL_ETHUD));
    assert_true(labels_have(label_closure(LABEL_BH), LABEL_PSYTHPN));
    assert_false(labels_have(label_closure(LABEL_OPIOIDUD), LABEL_SUD));
    assert_false(labels_have(label_closure(LABEL_OPIOIDUD), LABEL_ETHUD));
    assert_false(labels_have(label_closure(LABEL_MH), LABEL_PSY));
    assert_false(labels_have(label_closure(LABEL_HIV), LABEL_SUD));
    assert_true(labels_have(label_closure(LABEL_HIV), LABEL_HIV));
    assert_true(labels_substance_use() == label_closure(LABEL_SUD));
    (void)state;
}

static void
test_confidentiality_is_ordered_and_the_highest_counts(void **state)
{
    assert_int_equal(labels_confidentiality(0), 0);
    assert_int_equal(labels_confidentiality(LABEL_BIT(LABEL_SUD)), 0);
    assert_int_equal(labels_confidentiality(LABEL_BIT(LABEL_U)), 1);
    assert_int_equal(labels_confidentiality(LABEL_BIT(LABEL_N) | LABEL_BIT(LABEL_V)), 6);
    assert_true(labels_confidentiality(LABEL_BIT(LABEL_R)) > labels_confidentiality(LABEL_BIT(LABEL_N)));
    (void)state;
}

static void
test_a_permit_has_to_cover_the_most_specific_labels_only(void **state)
{
    label_set set = label_add(label_add(label_add(0, LABEL_SUD), LABEL_OPIOIDUD), LABEL_R);

    assert_true(labels_sensitive(set) == LABEL_BIT(LABEL_OPIOIDUD));
    assert_true(labels_sensitive(label_add(set, LABEL_PSY))
                == (LABEL_BIT(LABEL_OPIOIDUD) | LABEL_BIT(LABEL_PSY)));
    assert_true(labels_sensitive(LABEL_BIT(LABEL_N) | LABEL_BIT(LABEL_PART2)) == 0);
    assert_true(label_add(set, LABEL_NONE) == set);
    assert_false(labels_have(set, LABEL_NONE));
    (void)state;
}

static void
test_prints_codes_in_order_and_says_sud_with_its_children(void **state)
{
    const char *codes[4] = { NULL };

    assert_int_equal(labels_codes(LABEL_BIT(LABEL_R) | LABEL_BIT(LABEL_OPIOIDUD), codes, 4), 3);
    assert_string_equal(codes[0], "SUD");
    assert_string_equal(codes[1], "OPIOIDUD");
    assert_string_equal(codes[2], "R");
    assert_int_equal(labels_codes(LABEL_BIT(LABEL_R) | LABEL_BIT(LABEL_N), codes, 1), 2);
    assert_string_equal(codes[0], "N");
    assert_int_equal(label_kind(LABEL_PART2), LABEL_LAW);
    assert_string_equal(label_display(LABEL_ETHUD), "alcohol use disorder information sensitivity");
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_labels_in_every_spelling_of_their_system),
        cmocka_unit_test(test_a_parent_covers_its_descendants_and_eth_reads_as_sud),
        cmocka_unit_test(test_confidentiality_is_ordered_and_the_highest_counts),
        cmocka_unit_test(test_a_permit_has_to_cover_the_most_specific_labels_only),
        cmocka_unit_test(test_prints_codes_in_order_and_says_sud_with_its_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
