#include "tests/fhir/fhir_check.h"


/* Resources that define, with the definitions of the build. */
/* Whether a rule of this name is broken, as an error ('?' before it: a
 * warning); NULL: nothing is wrong. */
struct row { const char *json, *rule; };

static void
check_rows(const struct row *rows, size_t count)
{
    test_needs_pack();
    for (size_t i = 0; i < count; i++) {
        struct arena        *arena  = test_arena();
        struct issues       *issues = issues_new(arena, 100);
        const struct bundle *bundle;
        bool                 warned = rows[i].rule != NULL && rows[i].rule[0] == '?', met = false;
        assert_int_equal(bundle_read(test_tape(arena, span_of(rows[i].json)), arena, issues, &bundle), ST_OK);
        assert_int_equal(validate(test_pack(), bundle, NULL, arena, issues), ST_OK);
        for (uint32_t k = 0; rows[i].rule != NULL && k < issues_count(issues); k++)
            met |= strcmp(issues_at(issues, k)->rule, rows[i].rule + warned) == 0
                && issues_at(issues, k)->severity == (warned ? SEVERITY_WARNING : SEVERITY_ERROR);
        if (rows[i].rule != NULL ? !met : issues_have_errors(issues))
            fail_msg("%s: %s", rows[i].json, rows[i].rule != NULL ? rows[i].rule : "refused");
        if (warned && issues_have_errors(issues))
            fail_msg("%s: refused", rows[i].json);
        arena_free(&arena);
    }
}

#define CHECK(rows) check_rows(rows, sizeof rows / sizeof rows[0])

#define R4       "http://hl7.org/fhir/StructureDefinition/"
#define MINE     "http://a.test/StructureDefinition/x"
#define SD(kind, type, base, derived, elements)                                                                   \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"" MINE "\",\"name\":\"X\",\"status\":\"draft\","          \
    "\"kind\":\"" kind "\",\"abstract\":false,\"type\":\"" type "\",\"baseDefinition\":\"" base "\"" derived ","    \
    elements "}"
#define DERIVED  ",\"derivation\":\"constraint\""
#define DIFF(e)  "\"differential\":{\"element\":[" e "]}"
#define ON(t, e) SD("resource", t, R4 t, DERIVED, DIFF(e))
#define EL(path, more) "{\"id\":\"" path "\",\"path\":\"" path "\"" more "}"
#define SLICE(path, id, more) "{\"id\":\"" id "\",\"path\":\"" path "\"" more "}"
#define CODE(c)  ",\"type\":[{\"code\":\"" c "\"}]"
#define TARGET(c, p) ",\"type\":[{\"code\":\"" c "\",\"targetProfile\":[\"" p "\"]}]"
#define BIND(s, v) ",\"binding\":{\"strength\":\"" s "\",\"valueSet\":\"" v "\"}"
#define RULE(x)  ",\"constraint\":[{\"key\":\"x-1\",\"severity\":\"error\",\"human\":\"h\",\"expression\":\"" x "\"}]"

static void
test_a_structure_definition_fits_its_base(void **state)
{
    static const struct row rows[] = {
        { ON("Patient", EL("Patient", "") "," EL("Patient.name", ",\"min\":1")), NULL },
        { ON("Patient", EL("Patient.name", ",\"min\":1") "," EL("Patient.name.family", ",\"min\":1")), NULL },
        { ON("Patient", EL("Patient.birthDate.extension", ",\"max\":\"0\"")), NULL },
        { ON("Patient", EL("Patient.contained.name", ",\"max\":\"0\"")), NULL },
        { ON("Patient", EL("Patient.nome", ",\"min\":1")), "definition-path" },
        { ON("Patient", EL("Patient.name.surname", ",\"min\":1")), "definition-path" },
        { ON("Patient", EL("Person.name", ",\"min\":1")), "definition-path" },
        { ON("Patient", EL("Patient.birthDate", ",\"min\":1") "," EL("Patient.name", ",\"min\":1")), "definition-order" },
        { ON("Patient", EL("Patient.name.given", ",\"min\":1") "," EL("Patient.name.family", ",\"min\":1")), "definition-order" },
        { ON("Patient", EL("Patient.name", ",\"slicing\":{\"discriminator\":[{\"type\":\"value\",\"path\":\"use\"}],\"rules\":\"open\"}") ","
                        SLICE("Patient.name", "Patient.name:a", ",\"sliceName\":\"a\",\"min\":1") ","
                        SLICE("Patient.name.given", "Patient.name:a.given", ",\"min\":1") ","
                        SLICE("Patient.name", "Patient.name:b", ",\"sliceName\":\"b\"") ","
                        SLICE("Patient.name.use", "Patient.name:b.use", ",\"min\":1")), NULL },
        { ON("Patient", EL("Patient.birthDate", ",\"max\":\"2\"")), "definition-cardinality" },
        { ON("Patient", EL("Patient.birthDate", ",\"max\":\"*\"")), "definition-cardinality" },
        { ON("Observation", EL("Observation.status", ",\"min\":0")), "definition-cardinality" },
        { SD("resource", "Observation", R4 "vitalsigns", DERIVED, DIFF(EL("Observation.subject", ",\"min\":0"))), "definition-cardinality" },
        { SD("resource", "Observation", R4 "vitalsigns", DERIVED, DIFF(EL("Observation.subject", ",\"min\":1"))), NULL },
        { SD("resource", "Person", R4 "Patient", DERIVED, DIFF(EL("Person", ""))), "definition-base" },
        { SD("complex-type", "Patient", R4 "Patient", DERIVED, DIFF(EL("Patient", ""))), "definition-base" },
        { SD("resource", "Patient", R4 "Patient", "", DIFF(EL("Patient", ""))), "definition-base" },
        { SD("resource", "Patient", "http://a.test/unknown", DERIVED, DIFF(EL("Patient.nome", ""))), NULL },
    };

    (void)state;
    CHECK(rows);
}

static void
test_elements_state_types_that_are_theirs(void **state)
{
    static const struct row rows[] = {
        { ON("Observation", EL("Observation.value[x]", CODE("Quantity"))), NULL },
        { ON("Observation", EL("Observation.valueQuantity", CODE("Quantity"))), NULL },
        { ON("Observation", EL("Observation.valueQuantity.unit", ",\"min\":1")), NULL },
        { ON("Observation", EL("Observation.value[x]", CODE("Address"))), "definition-type" },
        { ON("Patient", EL("Patient.name", CODE("HumanNam"))), "definition-type" },
        { ON("Patient", EL("Patient.managingOrganization", TARGET("Reference", R4 "Organization"))), NULL },
        { ON("Patient", EL("Patient.managingOrganization", TARGET("Reference", "http://a.test/unknown"))), NULL },
        { ON("Patient", EL("Patient.managingOrganization", TARGET("Reference", R4 "Patient"))), "definition-target" },
        { ON("Patient", EL("Patient.managingOrganization", TARGET("Reference", R4 "Address"))), "definition-target" },
        { ON("Patient", EL("Patient.name", TARGET("HumanName", R4 "Patient"))), "definition-target" },
        { ON("Patient", EL("Patient.name", ",\"type\":[{\"code\":\"HumanName\",\"profile\":[\"" R4 "Address\"]}]")), "definition-type" },
        { ON("Patient", EL("Patient.maritalStatus", BIND("required", "http://a.test/unknown"))), NULL },
        { ON("Patient", EL("Patient.gender", BIND("preferred", "http://hl7.org/fhir/ValueSet/administrative-gender"))), "definition-binding" },
        { ON("Patient", EL("Patient.birthDate", BIND("required", "http://hl7.org/fhir/ValueSet/administrative-gender"))), "definition-binding" },
        { ON("Patient", EL("Patient.maritalStatus", BIND("required", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"))), "definition-binding" },
        { ON("Patient", EL("Patient", RULE("name.family.exists()"))), NULL },
        { ON("Patient", EL("Patient", RULE("name.family.exists("))), "definition-invariant" },
        { ON("Patient", EL("Patient", RULE("name.family.exist()"))), "definition-invariant" },
        { SD("resource", "Patient", R4 "Patient", DERIVED, "\"snapshot\":{\"element\":[" EL("Patient", ",\"min\":0,\"max\":\"*\",\"base\":{\"path\":\"Patient\",\"min\":0,\"max\":\"*\"},\"definition\":\"x\"") ","
          EL("Patient.gender", ",\"min\":0,\"max\":\"1\",\"base\":{\"path\":\"Patient.gender\",\"min\":0,\"max\":\"1\"},\"definition\":\"x\",\"fixedString\":\"male\"" CODE("code")) "]}"),
          "definition-value" },
    };

    (void)state;
    CHECK(rows);
}

#define CS(more) "{\"resourceType\":\"CodeSystem\",\"url\":\"http://a.test/cs\",\"name\":\"C\",\"status\":\"draft\"" more "}"
#define WHOLE(more) CS(",\"content\":\"complete\"" more)
#define AB          ",\"concept\":[{\"code\":\"a\",\"concept\":[{\"code\":\"b\"}]}]"
#define PROP(t)     ",\"property\":[{\"code\":\"p\",\"type\":\"" t "\"}]"
#define VALUE(v)    ",\"concept\":[{\"code\":\"a\",\"property\":[{\"code\":\"p\"," v "}]}]"
#define GENDER      "http://hl7.org/fhir/administrative-gender"

static void
test_a_code_system_holds_together(void **state)
{
    static const struct row rows[] = {
        { WHOLE(AB), NULL },
        { WHOLE(AB ",\"count\":2"), NULL },
        { WHOLE(AB ",\"count\":3"), "code-system-count" },
        { CS(",\"content\":\"fragment\",\"count\":30" AB), NULL },
        { CS(",\"content\":\"not-present\",\"count\":30"), NULL },
        { CS(",\"content\":\"not-present\"" AB), "code-system-content" },
        { WHOLE(PROP("string") VALUE("\"valueString\":\"x\"")), NULL },
        { WHOLE(PROP("dateTime") VALUE("\"valueDateTime\":\"2026\"")), NULL },
        { WHOLE(PROP("string") VALUE("\"valueInteger\":1")), "code-system-property" },
        { WHOLE(",\"property\":[{\"code\":\"p\",\"type\":\"string\"},{\"code\":\"p\",\"type\":\"code\"}]" AB), "code-system-property" },
        { CS(",\"content\":\"supplement\",\"supplements\":\"" GENDER "\",\"concept\":[{\"code\":\"male\"}]"), NULL },
        { CS(",\"content\":\"supplement\",\"supplements\":\"http://a.test/unknown\",\"concept\":[{\"code\":\"x\"}]"), NULL },
        { CS(",\"content\":\"supplement\",\"supplements\":\"" GENDER "\",\"concept\":[{\"code\":\"mail\"}]"), "code-system-supplement" },
        { CS(",\"content\":\"supplement\",\"concept\":[{\"code\":\"male\"}]"), "code-system-supplement" },
    };

    (void)state;
    CHECK(rows);
}

#define VS(include) "{\"resourceType\":\"ValueSet\",\"url\":\"http://a.test/vs\",\"name\":\"V\",\"status\":\"draft\"," \
                    "\"compose\":{\"include\":[{" include "}]}}"
#define OF(system, more) VS("\"system\":\"" system "\"" more)
#define FILTER(p, o, v)  ",\"filter\":[{\"property\":\"" p "\",\"op\":\"" o "\",\"value\":\"" v "\"}]"

static void
test_a_value_set_includes_what_can_be_included(void **state)
{
    static const struct row rows[] = {
        { OF(GENDER, ""), NULL },
        { OF(GENDER, ",\"concept\":[{\"code\":\"male\"}]"), NULL },
        { OF(GENDER, ",\"concept\":[{\"code\":\"mail\"}]"), "?value-set-code" },
        { OF("http://a.test/unknown", ",\"concept\":[{\"code\":\"x\"}]"), NULL },
        { OF("gender", ""), "value-set-system" },
        { OF("http://hl7.org/fhir/ValueSet/administrative-gender", ""), "value-set-system" },
        { VS("\"valueSet\":[\"http://hl7.org/fhir/ValueSet/administrative-gender\"]"), NULL },
        { VS("\"valueSet\":[\"http://a.test/unknown\"]"), NULL },
        { VS("\"valueSet\":[\"" GENDER "\"]"), "value-set-import" },
        { OF(GENDER, FILTER("concept", "is-a", "male")), NULL },
        { OF(GENDER, FILTER("concept", "is-a", "mail")), "value-set-filter" },
        { OF("http://snomed.info/sct", FILTER("concept", "is-a", "404684003")), NULL },
        { OF("http://snomed.info/sct", FILTER("concept", "regex", "4.*")), "value-set-filter" },
        { OF("http://a.test/unknown", FILTER("code", "exists", "true")), NULL },
        { OF("http://a.test/unknown", FILTER("code", "exists", "yes")), "value-set-filter" },
        { OF("http://a.test/unknown", FILTER("code", "regex", "a[0-9]+")), NULL },
        { OF("http://a.test/unknown", FILTER("code", "regex", "(?=a)b")), NULL },
        { OF("http://a.test/unknown", FILTER("code", "regex", "a[")), "value-set-filter" },
    };

    (void)state;
    CHECK(rows);
}

#define CM(more, from, to) "{\"resourceType\":\"ConceptMap\",\"url\":\"http://a.test/cm\",\"name\":\"M\",\"status\":\"draft\"" more "," \
    "\"group\":[{\"source\":\"" GENDER "\",\"target\":\"" GENDER "\",\"element\":[{\"code\":\"" from "\","                        \
    "\"target\":[{\"code\":\"" to "\",\"equivalence\":\"equal\"}]}]}]}"

static void
test_a_concept_map_maps_codes_that_are(void **state)
{
    static const struct row rows[] = {
        { CM("", "male", "male"), NULL },
        { CM("", "mail", "male"), "concept-map-code" },
        { CM("", "male", "mail"), "concept-map-code" },
        { CM(",\"sourceCanonical\":\"http://hl7.org/fhir/ValueSet/administrative-gender\"", "male", "male"), NULL },
        { CM(",\"sourceCanonical\":\"" GENDER "\"", "male", "male"), "concept-map-value-set" },
    };

    (void)state;
    CHECK(rows);
}

#define ASKS(type, value) "{\"resourceType\":\"Questionnaire\",\"status\":\"draft\",\"item\":[{\"linkId\":\"g\",\"type\":\"group\",\"item\":["  \
    "{\"linkId\":\"1\",\"type\":\"" type "\",\"initial\":[{" value "}]}]}]}"
#define SEARCHES(x) "{\"resourceType\":\"SearchParameter\",\"url\":\"http://a.test/sp\",\"name\":\"S\",\"status\":\"draft\",\"description\":\"d\"," \
    "\"code\":\"s\",\"base\":[\"Patient\"],\"type\":\"string\",\"expression\":\"" x "\"}"

static void
test_initial_values_and_expressions_are_what_they_stand_for(void **state)
{
    static const struct row rows[] = {
        { ASKS("decimal", "\"valueDecimal\":1.5"), NULL },
        { ASKS("decimal", "\"valueInteger\":1"), NULL },
        { ASKS("text", "\"valueString\":\"x\""), NULL },
        { ASKS("choice", "\"valueCoding\":{\"display\":\"x\"}"), NULL },
        { ASKS("decimal", "\"valueString\":\"1.5\""), "questionnaire-initial-type" },
        { ASKS("date", "\"valueDateTime\":\"2026-11-22\""), "questionnaire-initial-type" },
        { SEARCHES("Patient.name.family"), NULL },
        { SEARCHES("(Patient.deceased as dateTime)"), NULL },
        { SEARCHES("Patient.name.("), "search-parameter-expression" },
        { SEARCHES("Patient.name.wherever(use = 'usual')"), "search-parameter-expression" },
    };

    (void)state;
    CHECK(rows);
}

#define SPEAKS(l) "{\"resourceType\":\"Patient\",\"communication\":[{\"language\":{" l "}}]}"

static void
test_a_preferred_binding_takes_a_text_within_any_largest_value_set(void **state)
{
    static const struct row rows[] = {
        { SPEAKS("\"text\":\"Romansh\""), NULL },
        { SPEAKS("\"coding\":[{\"system\":\"urn:ietf:bcp:47\",\"code\":\"rm\"}]"), NULL },
        { SPEAKS("\"coding\":[{\"system\":\"urn:ietf:bcp:47\",\"code\":\"zzzzz\"}]"), "binding" },
        { SPEAKS("\"coding\":[{\"system\":\"http://a.test/tongues\",\"code\":\"rm\"}]"), "binding" },
    };

    (void)state;
    CHECK(rows);
}

static void
test_a_canonical_url_is_absolute(void **state)
{
    static const struct row rows[] = {
        { "{\"resourceType\":\"StructureDefinition\",\"url\":\"x\",\"name\":\"X\",\"status\":\"draft\",\"kind\":\"resource\",\"abstract\":false,"
          "\"type\":\"Patient\",\"baseDefinition\":\"" R4 "Patient\"" DERIVED "," DIFF(EL("Patient", "")) "}", "definition-url" },
        { "{\"resourceType\":\"Questionnaire\",\"url\":\"q\",\"status\":\"draft\"}", "definition-url" },
        { "{\"resourceType\":\"Questionnaire\",\"url\":\"urn:oid:2.16.840.1.1\",\"status\":\"draft\"}", NULL },
        { "{\"resourceType\":\"Questionnaire\",\"status\":\"draft\"}", NULL },
    };

    (void)state;
    CHECK(rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_structure_definition_fits_its_base),
        cmocka_unit_test(test_elements_state_types_that_are_theirs),
        cmocka_unit_test(test_a_code_system_holds_together),
        cmocka_unit_test(test_a_value_set_includes_what_can_be_included),
        cmocka_unit_test(test_a_concept_map_maps_codes_that_are),
        cmocka_unit_test(test_initial_values_and_expressions_are_what_they_stand_for),
        cmocka_unit_test(test_a_preferred_binding_takes_a_text_within_any_largest_value_set),
        cmocka_unit_test(test_a_canonical_url_is_absolute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
