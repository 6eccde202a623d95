#include "tests/fhir/fhir_check.h"

#include "fhir/questionnaire.h"
#include "fhir/score.h"

#define LOINC(code)      "{\"system\":\"http://loinc.org\",\"code\":\"" code "\"}"
#define ITEM(link, value) "{\"linkId\":\"" link "\",\"answer\":[{" value "}]}"
#define CODED(code)      "\"valueCoding\":" LOINC(code)
#define DAYS(link, code) ITEM(link, CODED(code))
#define QR(items)        "{\"resourceType\":\"QuestionnaireResponse\",\"id\":\"r\",\"status\":\"completed\",\"item\":[" items "]}"
/* 3 + 2 + 1 + 0 + 0 + 0 + 0 + 0 + 1 = 7 */
#define NINE DAYS("/44250-9", "LA6571-9") "," DAYS("44255-8", "LA6570-1") "," DAYS("/44259-0", "LA6569-3") "," DAYS("/44254-1", "LA6568-5") "," \
    DAYS("/44251-7", "LA6568-5") "," DAYS("/44258-2", "LA6568-5") "," DAYS("/44252-5", "LA6568-5") "," DAYS("/44253-3", "LA6568-5") "," \
    DAYS("/44260-8", "LA6569-3")
#define AUDIT_C DAYS("/68519-8", "LA15695-2") "," DAYS("/68520-6", "LA18876-5")    /* 1 + 2 and the first */

#define OBS(id, code, more) "{\"resourceType\":\"Observation\",\"id\":\"" id "\",\"status\":\"final\",\"code\":{\"coding\":[" LOINC(code) "]}" more "}"
#define POINTS(n)  ",\"valueInteger\":" n
#define CONCEPT(c) ",\"valueCodeableConcept\":{\"coding\":[" LOINC(c) "]}"
#define PART(code, value) "{\"code\":{\"coding\":[" LOINC(code) "]}" value "}"
#define REF(url)   "{\"reference\":\"" url "\"}"
#define BUNDLE(a)  "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" a "]}"
#define ENTRY(r)   "{\"resource\":" r "}"

static const struct { const char *json, *rule, *expression; } cases[] = {
    { QR(NINE "," ITEM("/44261-6", "\"valueDecimal\":7")), NULL, NULL },
    { QR(NINE "," ITEM("/44261-6", "\"valueInteger\":7")), NULL, NULL },
    { QR(NINE "," ITEM("/44261-6", "\"valueDecimal\":8")), "score-total", "QuestionnaireResponse.item[9].answer[0].valueDecimal" },
    { QR(NINE "," ITEM("/44261-6", "\"valueDecimal\":28")), "score-range", "QuestionnaireResponse.item[9].answer[0].valueDecimal" },
    { QR(NINE), NULL, NULL },
    /* missing answers leave a range: here 3 to 27 */
    { QR(DAYS("/44250-9", "LA6571-9") "," ITEM("/44261-6", "\"valueInteger\":20")), NULL, NULL },
    { QR(DAYS("/44250-9", "LA6571-9") "," ITEM("/44261-6", "\"valueInteger\":2")), "score-total", "QuestionnaireResponse.item[1].answer[0].valueInteger" },
    { QR(ITEM("/44261-6", "\"valueInteger\":2")), NULL, NULL },
    /* in groups; both totals of the same items */
    { QR("{\"linkId\":\"g\",\"item\":[" NINE "]}," ITEM("55758-7", "\"valueInteger\":5") "," ITEM("44261-6", "\"valueInteger\":7")), NULL, NULL },
    { QR("{\"linkId\":\"g\",\"item\":[" NINE "]}," ITEM("55758-7", "\"valueInteger\":4") "," ITEM("44261-6", "\"valueInteger\":7")), "score-total", "QuestionnaireResponse.item[1].answer[0].valueInteger" },
    /* AUDIT-C: the first item is open, and the total of another instrument is no total of it */
    { QR(AUDIT_C "," ITEM("/75626-2", "\"valueInteger\":7")), NULL, NULL },
    { QR(AUDIT_C "," ITEM("/75626-2", "\"valueInteger\":2")), "score-total", "QuestionnaireResponse.item[2].answer[0].valueInteger" },
    { QR(AUDIT_C "," ITEM("/76504-0", "\"valueInteger\":3")), "score-code", "QuestionnaireResponse.item[2]" },
    /* what the answer says itself */
    { QR(ITEM("69725-0", "\"valueCoding\":{\"code\":\"x\",\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/ordinalValue\",\"valueDecimal\":3}]}") ","
         ITEM("70274-6", "\"valueInteger\":2")), "score-total", "QuestionnaireResponse.item[1].answer[0].valueInteger" },
    /* entered-in-error is left out */
    { "{\"resourceType\":\"QuestionnaireResponse\",\"status\":\"entered-in-error\",\"item\":[" NINE "," ITEM("/44261-6", "\"valueDecimal\":8") "]}", NULL, NULL },
    /* Observations: components, members, a total by itself, a response behind it */
    { OBS("t", "44261-6", POINTS("30")), "score-range", "Observation.valueInteger" },
    { OBS("t", "44261-6", ",\"valueQuantity\":{\"value\":9,\"code\":\"{score}\"}"), NULL, NULL },
    { OBS("p", "55757-9", ",\"component\":[" PART("44250-9", CONCEPT("LA6571-9")) "," PART("44255-8", POINTS("1")) "," PART("55758-7", POINTS("4")) "]"), NULL, NULL },
    { OBS("p", "55757-9", ",\"component\":[" PART("44250-9", CONCEPT("LA6571-9")) "," PART("44255-8", POINTS("1")) "," PART("55758-7", POINTS("3")) "]"), "score-total", "Observation.component[2].valueInteger" },
    { BUNDLE(ENTRY(OBS("p", "55757-9", ",\"hasMember\":[" REF("Observation/a") "," REF("Observation/b") "," REF("Observation/t") "]")) ","
             ENTRY(OBS("a", "44250-9", CONCEPT("LA6571-9"))) "," ENTRY(OBS("b", "44255-8", CONCEPT("LA6571-9"))) "," ENTRY(OBS("t", "55758-7", POINTS("5")))), "score-total",
      "Bundle.entry[3].resource.valueInteger" },
    { BUNDLE(ENTRY(OBS("t", "55758-7", POINTS("5") ",\"derivedFrom\":[" REF("Observation/a") "," REF("Observation/b") "]")) ","
             ENTRY(OBS("a", "44250-9", CONCEPT("LA6571-9"))) "," ENTRY(OBS("b", "44255-8", CONCEPT("LA6570-1")))), NULL, NULL },
    { BUNDLE("{\"fullUrl\":\"urn:uuid:11111111-1111-1111-1111-111111111111\",\"resource\":" QR(NINE) "},"
             ENTRY(OBS("t", "44261-6", POINTS("9") ",\"derivedFrom\":[" REF("urn:uuid:11111111-1111-1111-1111-111111111111") "]"))), "score-total",
      "Bundle.entry[1].resource.valueInteger" },
    { OBS("p", "72109-2", ",\"component\":[" PART("75624-7", POINTS("4")) "]"), "score-code", "Observation.component[0]" },
    { BUNDLE(ENTRY(OBS("t", "55758-7", POINTS("5") ",\"derivedFrom\":[" REF("Observation/nowhere") ",5,{}]"))), NULL, NULL },
};

static void
test_totals_are_what_the_answers_add_up_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena        *arena  = test_arena();
        struct issues       *issues = issues_new(arena, 100);
        const struct bundle *bundle;
        struct report        report;
        assert_int_equal(bundle_read(test_tape(arena, span_of(cases[i].json)), arena, issues, &bundle), ST_OK);
        report_init(&report, bundle, arena, issues, 1000);
        assert_int_equal(questionnaires_check(&report, NULL, (struct resource_range){ 0, bundle_resources(bundle) }), ST_OK);
        const struct issue *one = issues_at(issues, 0);
        if (issues_count(issues) != (cases[i].rule != NULL) || (one != NULL && strcmp(one->rule, cases[i].rule) != 0))
            fail_msg("%s: %u findings, first %s", cases[i].json, issues_count(issues), one != NULL ? one->rule : "");
        if (one != NULL) {
            assert_text(one->expression, cases[i].expression);
            assert_int_equal(one->severity, strcmp(one->rule, "score-range") == 0 ? SEVERITY_ERROR : SEVERITY_WARNING);
        }
        arena_free(&arena);
    }
}

/* The Questionnaire may say which item is which, and what an option is worth. */
static void
test_the_questionnaire_says_codes_and_points(void **state)
{
    static const char json[] =
        "{\"resourceType\":\"QuestionnaireResponse\",\"status\":\"completed\",\"questionnaire\":\"#q\",\"contained\":[{\"resourceType\":\"Questionnaire\","
        "\"id\":\"q\",\"status\":\"active\",\"item\":["
        "{\"linkId\":\"1\",\"type\":\"choice\",\"code\":[" LOINC("69725-0") "],\"answerOption\":[{\"valueCoding\":{\"code\":\"most\"},"
        "\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/ordinalValue\",\"valueDecimal\":3}]}]},"
        "{\"linkId\":\"2\",\"type\":\"integer\",\"code\":[" LOINC("70274-6") "]}]}],"
        "\"item\":[" ITEM("1", "\"valueCoding\":{\"code\":\"most\"}") "," ITEM("2", "\"valueInteger\":2") "]}";
    struct arena        *arena  = test_arena();
    struct issues       *issues = issues_new(arena, 100);
    const struct bundle *bundle;
    struct report        report;

    (void)state;
    assert_int_equal(bundle_read(test_tape(arena, span_of(json)), arena, issues, &bundle), ST_OK);
    report_init(&report, bundle, arena, issues, 1000);
    assert_int_equal(questionnaires_check(&report, NULL, (struct resource_range){ 0, bundle_resources(bundle) }), ST_OK);
    assert_int_equal(issues_count(issues), 1);
    assert_string_equal(issues_at(issues, 0)->rule, "score-total");
    assert_text(issues_at(issues, 0)->wanted, "want a total that the answers of GAD-7 allow, some being open");
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_totals_are_what_the_answers_add_up_to),
        cmocka_unit_test(test_the_questionnaire_says_codes_and_points),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
