#include "tests/fhir/fhir_check.h"


/* Extensions against R4's own definitions of some, through validate(). */
#define SD   "http://hl7.org/fhir/StructureDefinition/"
#define P    "{\"resourceType\":\"Patient\""
#define X(u) "{\"url\":\"" u "\",\"valueString\":\"x\"}"
/* data-absent-reason stands on any element; birthPlace on a Patient; iso21090-EN-qualifier on a
 * HumanName's parts; nationality is complex; condition-assertedDate on a Condition. */
#define ABSENT "{\"url\":\"" SD "data-absent-reason\",\"valueCode\":\"unknown\"}"
#define PLACE  "{\"url\":\"" SD "patient-birthPlace\",\"valueAddress\":{\"text\":\"x\"}}"
#define PART   "{\"url\":\"" SD "iso21090-EN-qualifier\",\"valueCode\":\"LS\"}"
#define NATION(part) "{\"url\":\"" SD "patient-nationality\",\"extension\":[" part "]}"

static const struct { const char *json, *rule, *expression; enum severity severity; } rows[] = {
    { P ",\"extension\":[" PLACE "]}", NULL, NULL, 0 },
    { P ",\"name\":[{\"text\":\"x\",\"extension\":[" PLACE "]}]}", "extension-context", "Patient.name[0]", SEVERITY_ERROR },
    { P ",\"name\":[{\"family\":\"x\",\"_family\":{\"extension\":[" ABSENT "]}}]}", NULL, NULL, 0 },
    { P ",\"name\":[{\"family\":\"x\",\"_family\":{\"extension\":[" PART "]}}]}", NULL, NULL, 0 },
    { P ",\"name\":[{\"text\":\"x\",\"extension\":[" PART "]}]}", "extension-context", "Patient.name[0]", SEVERITY_ERROR },
    { P ",\"extension\":[{\"url\":\"" SD "patient-birthPlace\",\"valueString\":\"x\"}]}", "profile:type", "Patient.extension[0].valueString", SEVERITY_ERROR },
    { P ",\"modifierExtension\":[" PLACE "]}", "extension-modifier", "Patient.modifierExtension[0]", SEVERITY_ERROR },
    { P ",\"extension\":[{\"url\":\"" SD "patient-birthPlace|4.0.1\",\"valueAddress\":{\"text\":\"x\"}}]}", "extension-url", "Patient.extension[0]", SEVERITY_ERROR },
    { P ",\"extension\":[" X("mine") "]}", "extension-url", "Patient.extension[0]", SEVERITY_ERROR },
    { P ",\"extension\":[" X("http://b.com/x") "]}", "extension-unknown", "Patient.extension[0]", SEVERITY_INFORMATION },
    { P ",\"extension\":[{\"url\":\"http://b.com/x\",\"extension\":[" X("any") "]}]}", "extension-unknown", "Patient.extension[0]", SEVERITY_INFORMATION },
    { P ",\"extension\":[" X("http://hl7.org/fhir/5.0/StructureDefinition/extension-Patient.x") "]}", NULL, NULL, 0 },
    { P ",\"extension\":[" NATION("{\"url\":\"code\",\"valueCodeableConcept\":{\"text\":\"x\"}}") "]}", NULL, NULL, 0 },
    { P ",\"extension\":[" NATION(X("kode")) "]}", "extension-part", "Patient.extension[0].extension[0]", SEVERITY_ERROR },
    /* in a contained resource, and in an entry, the resource is what counts */
    { P ",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\",\"name\":\"x\",\"extension\":[" PLACE "]}],"
      "\"managingOrganization\":{\"reference\":\"#o\"}}", "extension-context", "Patient.contained[0]", SEVERITY_ERROR },
    { "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-000000000001\","
      "\"resource\":" P ",\"extension\":[" PLACE "]}}]}", NULL, NULL, 0 },
    /* an element that is defined by reference to another one */
    { "{\"resourceType\":\"Questionnaire\",\"name\":\"Q\",\"status\":\"draft\",\"item\":[{\"linkId\":\"1\",\"type\":\"group\",\"item\":[{\"linkId\":\"2\","
      "\"type\":\"string\",\"extension\":[{\"url\":\"" SD "questionnaire-hidden\",\"valueBoolean\":true}]}]}]}", NULL, NULL, 0 },
};

static void
test_extensions_are_what_their_definitions_say(void **state)
{
    (void)state;
    test_needs_pack();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena       *arena = test_arena();
        const struct issue *one   = issues_at(test_findings(arena, span_of(rows[i].json), NULL), 0);
        if ((one != NULL) != (rows[i].rule != NULL) || (one != NULL && strcmp(one->rule, rows[i].rule) != 0))
            fail_msg("%s: %s %.*s", rows[i].json, one != NULL ? one->rule : "nothing", SPAN_PRINT(one != NULL ? one->expression : SPAN("")));
        if (one != NULL) {
            assert_text(one->expression, rows[i].expression);
            assert_int_equal(one->severity, rows[i].severity);
        }
        arena_free(&arena);
    }
}

static void
test_unknown_extensions_are_refused_when_asked(void **state)
{
    static const struct { const char *json; bool refused; } some[] = {
        { P ",\"extension\":[" X("http://b.com/x") "]}", true },
        { P ",\"name\":[{\"family\":\"x\",\"_family\":{\"extension\":[" X("http://b.com/x") "]}}]}", true },
        { P ",\"modifierExtension\":[" X("http://b.com/x") "]}", true },
        { P ",\"extension\":[" X("http://example.org/x") "]}", false },
        { P ",\"extension\":[" X("https://a.example.com/x") "]}", false },
        { P ",\"extension\":[" X("http://a.example/x") "]}", false },
        { P ",\"extension\":[" X("http://b.com/example.org/x") "]}", true },
        { P ",\"extension\":[" X("http://notexample.org/x") "]}", true },
        { P ",\"extension\":[" X("http://example.org.b.com/x") "]}", true },
        { P ",\"extension\":[" X("http://hl7.org/fhir/5.0/StructureDefinition/extension-Patient.x") "]}", false },
        { P ",\"extension\":[" PLACE "]}", false },
    };

    (void)state;
    test_needs_pack();
    struct validate_options refusing = { .unknown_extensions = UNKNOWN_EXTENSIONS_REFUSED };
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        struct arena *arena = test_arena();
        if (issues_have_errors(test_findings(arena, span_of(some[i].json), &refusing)) != some[i].refused)
            fail_msg("%s", some[i].json);
        arena_free(&arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extensions_are_what_their_definitions_say),
        cmocka_unit_test(test_unknown_extensions_are_refused_when_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
