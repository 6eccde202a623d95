/* tests/consent/test_subject.c -- consent/subject.c: whose record it is, and whose consent (K1). */
#include "consent/subject.h"
#include "tests/consent/world.h"

#include "base/buf.h"

static void
test_a_record_without_a_patient_is_judged_for_those_who_refer_to_it(void **state)
{
#define MEDICATION ENTRY("{\"resourceType\":\"Medication\",\"id\":\"m\",\"meta\":{\"security\":[" LABEL_ACT("SUD") "]}}")
#define ORDER(id, patient) \
    ENTRY("{\"resourceType\":\"MedicationRequest\",\"id\":\"" id "\",\"subject\":{\"reference\":\"Patient/" patient "\"},\"medicationReference\":{\"reference\":\"Medication/m\"}}")
#define SPECIMEN ENTRY("{\"resourceType\":\"Specimen\",\"id\":\"m\",\"meta\":{\"security\":[" LABEL_ACT("SUD") "]}}")
#define RESULT(id, patient) \
    ENTRY("{\"resourceType\":\"Observation\",\"id\":\"" id "\",\"subject\":{\"reference\":\"Patient/" patient "\"},\"specimen\":{\"reference\":\"Specimen/m\"}}")
#define ASKS ENTRY("{\"resourceType\":\"Questionnaire\",\"id\":\"m\",\"url\":\"http://a.example/q\",\"meta\":{\"security\":[" LABEL_ACT("SUD") "]}}")
#define ANSWER(id, patient, url) \
    ENTRY("{\"resourceType\":\"QuestionnaireResponse\",\"id\":\"" id "\",\"subject\":{\"reference\":\"Patient/" patient "\"},\"questionnaire\":\"" url "\"}")
#define SUBSTANCE ENTRY("{\"resourceType\":\"Substance\",\"id\":\"m\",\"meta\":{\"security\":[" LABEL_ACT("SUD") "]}}")
#define KIT(id) ENTRY("{\"resourceType\":\"Medication\",\"id\":\"" id "\",\"ingredient\":[{\"itemReference\":{\"reference\":\"Substance/m\"}},{\"itemReference\":{\"reference\":\"Medication/k\"}}]}")
#define ORDER_OF(id, what, patient) \
    ENTRY("{\"resourceType\":\"MedicationRequest\",\"id\":\"" id "\",\"subject\":{\"reference\":\"Patient/" patient "\"},\"medicationReference\":{\"reference\":\"Medication/" what "\"}}")
#define ALIQUOT ENTRY("{\"resourceType\":\"Specimen\",\"id\":\"k\",\"parent\":[{\"reference\":\"Specimen/m\"}]}")
#define RESULT_OF(id, patient) \
    ENTRY("{\"resourceType\":\"Observation\",\"id\":\"" id "\",\"subject\":{\"reference\":\"Patient/" patient "\"},\"specimen\":{\"reference\":\"Specimen/k\"}}")
#define GLUCOSE2 ENTRY("{\"resourceType\":\"Observation\",\"id\":\"o2\",\"subject\":{\"reference\":\"Patient/p2\"}}")
    static const struct { const char *bundle, *patient; bool leaves; } rows[] = {
        { BUNDLE(MEDICATION "," ORDER("r1", "p1")), "*", true },
        { BUNDLE(MEDICATION "," ORDER("r1", "p1") "," ORDER("r2", "p2")), "*", true },       /* with the order of p1 */
        { BUNDLE(SPECIMEN "," RESULT("r1", "p1") "," RESULT("r2", "p2")), "*", false },
        { BUNDLE(SPECIMEN "," RESULT("r1", "p1")), "*", true },
        { BUNDLE(ASKS "," ANSWER("r1", "p1", "http://a.example/q") "," ANSWER("r2", "p2", "http://a.example/q")), "*", true },
        { BUNDLE(ASKS "," ANSWER("r1", "p1", "http://a.example/q|2") "," GLUCOSE2), "*", true },
        { BUNDLE(ASKS "," ANSWER("r1", "p1", "http://a.example/other") "," GLUCOSE2), "*", true },        /* who named it is not known */
        { BUNDLE(ASKS "," GLUCOSE2), "*", false },
        { BUNDLE(ASKS "," ANSWER("r2", "p2", "http://a.example/q") "," GLUCOSE), "*", false },
        { BUNDLE(MEDICATION), "Patient/p1", true },
        { BUNDLE(MEDICATION), "*", false },
        { BUNDLE(MEDICATION "," GLUCOSE), "*", true },
        { BUNDLE(MEDICATION "," GLUCOSE "," ORDER("r2", "p2")), "*", false },
        { BUNDLE(SUBSTANCE "," KIT("k") "," GLUCOSE "," ORDER_OF("r2", "k", "p2")), "*", false },       /* through the Medication */
        { BUNDLE(SUBSTANCE "," KIT("k") "," GLUCOSE2 "," ORDER_OF("r1", "k", "p1")), "*", true },
        { BUNDLE(SUBSTANCE "," KIT("k") "," KIT("l") "," GLUCOSE "," ORDER_OF("r2", "l", "p2")), "*", false },      /* each in the other */
        { BUNDLE(SUBSTANCE "," KIT("k") "," KIT("l") "," ORDER_OF("r2", "l", "p2") "," ORDER_OF("r1", "k", "p1")), "*", true },
        { BUNDLE(SPECIMEN "," ALIQUOT "," RESULT_OF("r1", "p1") "," RESULT_OF("r2", "p2")), "*", false },
        { BUNDLE(SPECIMEN "," ALIQUOT "," RESULT("r1", "p1") "," RESULT_OF("r2", "p2")), "*", false },
        { BUNDLE(SPECIMEN "," ALIQUOT "," RESULT_OF("r1", "p1") "," GLUCOSE2), "*", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char request[8192];
        snprintf(request, sizeof request, REQUEST_WITH(ORG_A_TREAT ",\"patient\":\"%s\"", "%s"), rows[i].patient,
                 CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"}"));
        struct world w = world_read(request, rows[i].bundle);
        world_decide(&w);
        if ((world_at(&w, "m")->verdict == VERDICT_PERMIT) != rows[i].leaves)
            fail_msg("row %zu", i);
        world_end(&w);
    }
}

/* One of any number refuses, first, in the middle or last, and each refers to it twice: a specimen goes,
 * a drug stays for the others. */
static void
test_a_record_of_many_patients_goes_when_one_of_them_refuses(void **state)
{
    static const unsigned refusers[] = { 0, 1, 8, 9, 17, 40 };
    struct arena         *arena      = arena_new("test", 1 << 20);

    (void)state;
    for (size_t i = 0; i < 2 * sizeof refusers / sizeof *refusers; i++) {
        bool        drug    = i % 2 != 0;
        unsigned    refuser = refusers[i / 2];
        struct buf  bundle;
        struct span request = arena_format(arena, REQUEST_WITH(ORG_A_TREAT ",\"patient\":\"*\"",
            "{\"resourceType\":\"Consent\",\"id\":\"c1\",\"status\":\"active\",\"scope\":{\"coding\":[{\"code\":\"patient-privacy\"}]},"
            "\"patient\":{\"reference\":\"Patient/q%u\"},\"dateTime\":\"2024-01-01\",\"provision\":{\"type\":\"deny\"}}"), refuser);
        buf_init(&bundle, 1 << 20);
        buf_add_format(&bundle, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
                                "{\"resource\":{\"resourceType\":\"%s\",\"id\":\"m\"}}", drug ? "Medication" : "Specimen");
        for (unsigned k = 0; k < 80; k++)
            buf_add_format(&bundle, ",{\"resource\":{\"resourceType\":\"MedicationRequest\",\"id\":\"r%u\",\"subject\":{\"reference\":\"Patient/q%u\"},"
                                    "\"%s\":{\"reference\":\"%s/m\"}}}", k, k % 40 + 1,
                           drug ? "medicationReference" : "specimen", drug ? "Medication" : "Specimen");
        buf_add_text(&bundle, "]}");
        buf_add_byte(&bundle, '\0');
        struct world w = world_read(request.at, bundle.at);
        world_decide(&w);
        assert_int_equal(world_at(&w, "m")->verdict == VERDICT_PERMIT, refuser == 0 || drug);
        world_end(&w);
        buf_release(&bundle);
    }
    arena_free(&arena);
}

/* One made of the next one, and the last of the substance: through more records without a patient than are
 * followed it is nobody's. */
static void
test_what_is_reached_through_too_many_is_nobodys(void **state)
{
    static const unsigned counts[] = { 1, SUBJECTS_THROUGH - 1, SUBJECTS_THROUGH, 3 * SUBJECTS_THROUGH };

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct buf bundle;
        buf_init(&bundle, 1 << 20);
        buf_add_text(&bundle, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" SUBSTANCE "," ORDER_OF("r", "k0", "p1"));
        for (unsigned k = 0; k < counts[i]; k++) {
            buf_add_format(&bundle, ",{\"resource\":{\"resourceType\":\"Medication\",\"id\":\"k%u\",\"ingredient\":[{\"itemReference\":{\"reference\":", k);
            buf_add_format(&bundle, k + 1 < counts[i] ? "\"Medication/k%u\"}}]}}" : "\"Substance/m\"}}]}}", k + 1);
        }
        buf_add_text(&bundle, "]}");
        buf_add_byte(&bundle, '\0');
        struct world w = world_read(REQUEST_WITH(ORG_A_TREAT ",\"patient\":\"*\"", CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"}")), bundle.at);
        world_decide(&w);
        if ((world_at(&w, "m")->verdict == VERDICT_PERMIT) != (counts[i] < SUBJECTS_THROUGH))
            fail_msg("through %u", counts[i]);
        world_end(&w);
        buf_release(&bundle);
    }
}

static void
test_each_record_follows_its_own_patients_consent(void **state)
{
    (void)state;
    struct world w = world_read(REQUEST(CONSENT("c1", "2024-01-01", "{\"type\":\"deny\"}")),
                                BUNDLE(GLUCOSE "," ENTRY("{\"resourceType\":\"Observation\",\"id\":\"other\",\"subject\":{\"reference\":\"Patient/p2\"}}")));
    world_decide(&w);
    assert_int_equal(world_at(&w, "glucose")->verdict, VERDICT_DENY);
    assert_int_equal(world_at(&w, "other")->verdict, VERDICT_PERMIT);
    world_end(&w);
}

static void
test_a_consent_in_the_bundle_is_tied_to_its_patient_by_resolution(void **state)
{
    static const char bundle[] = BUNDLE(
        "{\"fullUrl\":\"urn:uuid:1\",\"resource\":{\"resourceType\":\"Patient\"}},"
        "{\"fullUrl\":\"urn:uuid:2\",\"resource\":{\"resourceType\":\"Condition\",\"id\":\"opioid\",\"meta\":{\"security\":[" LABEL_ACT("SUD") "]},\"subject\":{\"reference\":\"urn:uuid:1\"}}},"
        "{\"fullUrl\":\"urn:uuid:3\",\"resource\":{\"resourceType\":\"Organization\",\"id\":\"x\",\"identifier\":[" ID("1000000001") "]}},"
        "{\"fullUrl\":\"urn:uuid:4\",\"resource\":{\"resourceType\":\"Consent\",\"id\":\"c1\",\"status\":\"active\",\"scope\":{\"coding\":[{\"code\":\"patient-privacy\"}]},"
        "\"patient\":{\"reference\":\"urn:uuid:1\"},\"dateTime\":\"2024-01-01\",\"provision\":{\"type\":\"permit\",\"actor\":[{\"reference\":{\"reference\":\"urn:uuid:3\"}}]}}}");
    (void)state;
    struct world w = world_read(REQUEST(""), bundle);
    struct consent_source source = { .tape = w.bundle->tape, .node = w.bundle->entries[3].resource, .home = w.bundle };
    assert_int_equal(policy_compile(&source, 1, w.arena, &w.policy), ST_OK);
    world_decide(&w);
    assert_int_equal(world_at(&w, "opioid")->verdict, VERDICT_PERMIT);
    world_end(&w);
}

static void
test_a_consent_that_names_its_patient_in_any_way_is_that_patients(void **state)
{
    static const char *const two =
        "{\"fullUrl\":\"https://ehr.example/fhir/Patient/p1\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p1\",\"identifier\":[{\"system\":\"urn:mrn\",\"value\":\"1\"},{\"system\":\"urn:a\",\"value\":\"same\"}]}},"
        "{\"fullUrl\":\"https://ehr.example/fhir/Patient/p2\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p2\",\"identifier\":[{\"system\":\"urn:mrn\",\"value\":\"2\"},{\"system\":\"urn:b\",\"value\":\"same\"}]}},"
        "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"o1\",\"subject\":{\"reference\":\"Patient/p1\"}}},"
        "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"o2\",\"subject\":{\"reference\":\"Patient/p2\"}}}";
    static const struct { const char *patient; bool of_2; } rows[] = {
        { "{\"reference\":\"Patient/p2\"}", true },
        { "{\"reference\":\"https://ehr.example/fhir/Patient/p2\"}", true },
        { "{\"identifier\":{\"system\":\"urn:mrn\",\"value\":\"2\"}}", true },
        { "{\"type\":\"Patient\",\"identifier\":{\"value\":\"2\"}}", true },
        { "{\"identifier\":{\"system\":\"urn:other\",\"value\":\"2\"}}", false },
        { "{\"identifier\":{\"value\":\"same\"}}", false },              /* two have it */
        { "{\"identifier\":{\"value\":\"3\"}}", false },
        { "{\"display\":\"somebody\"}", false },
    };
    static const char consent[] =
        "{\"resourceType\":\"Consent\",\"id\":\"c1\",\"status\":\"active\",\"scope\":{\"coding\":[{\"code\":\"patient-privacy\"}]},"
        "\"patient\":%s,\"dateTime\":\"2024-01-01\",\"provision\":{\"type\":\"deny\"}}";

    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        char text[1024], request[8192], body[8192];
        bool inside = i % 2 != 0;
        snprintf(text, sizeof text, consent, rows[i / 2].patient);
        snprintf(request, sizeof request, REQUEST("%s"), inside ? "" : text);
        snprintf(body, sizeof body, BUNDLE("%s%s%s%s"), two, inside ? ",{\"resource\":" : "", inside ? text : "", inside ? "}" : "");
        struct world          w = world_read(request, body);
        struct consent_source source = { .tape = w.bundle->tape, .node = w.bundle->entries[inside ? 4 : 0].resource };
        if (inside)
            assert_int_equal(policy_compile(&source, 1, w.arena, &w.policy), ST_OK);
        world_decide(&w);
        assert_int_equal(world_at(&w, "o1")->verdict, VERDICT_PERMIT);
        if ((world_at(&w, "o2")->verdict == VERDICT_DENY) != rows[i / 2].of_2)
            fail_msg("%s %s: %.*s", rows[i / 2].patient, inside ? "inside" : "stored", SPAN_PRINT(world_at(&w, "o2")->because));
        world_end(&w);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_without_a_patient_is_judged_for_those_who_refer_to_it),
        cmocka_unit_test(test_a_record_of_many_patients_goes_when_one_of_them_refuses),
        cmocka_unit_test(test_what_is_reached_through_too_many_is_nobodys),
        cmocka_unit_test(test_each_record_follows_its_own_patients_consent),
        cmocka_unit_test(test_a_consent_in_the_bundle_is_tied_to_its_patient_by_resolution),
        cmocka_unit_test(test_a_consent_that_names_its_patient_in_any_way_is_that_patients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
