#include <dirent.h>

#include "tests/fhir/fhir_check.h"

#include "base/buf.h"
#include "fhir/finding.h"
#include "fhir/reference.h"
#include "fhir/term_questions.h"

/* Tests that need the definitions of the build are skipped without. */
#define O "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"}"
#define P "{\"resourceType\":\"Patient\""
#define E "{\"extension\":[{\"url\":\"http://hl7.org/fhir/5.0/StructureDefinition/extension-u\",\"valueCode\":\"a\"}]}"

#define CONSENT(status, scope, patient) "{\"resourceType\":\"Consent\",\"status\":\"" status "\",\"scope\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/consentscope\",\"code\":\"" scope "\"}]},\"category\":[{\"text\":\"t\"}],\"policyRule\":{\"text\":\"t\"},\"patient\":" patient "}"
#define SAMPLES(data) ",\"valueSampledData\":{\"origin\":{\"value\":0},\"period\":1,\"dimensions\":1,\"data\":\"" data "\"}"
#define TRANSACTION(method, url, resource) "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{\"request\":{\"method\":\"" method "\",\"url\":\"" url "\"},\"resource\":" resource "}]}"

/* One finding each, or none. */
static const struct { const char *json, *rule, *expression; } cases[] = {
    { P "}", NULL, NULL },
    { "{\"id\":\"a\",\"name\":[{\"family\":\"x\"}],\"resourceType\":\"Patient\"}", NULL, NULL },   /* resourceType last */
    { O "}", NULL, NULL },
    /* resource-type */
    { "{\"resourceType\":\"patient\"}", "resource-type", "patient.resourceType" },
    { "{\"resourceType\":\"Zebra\"}", "resource-type", "Zebra.resourceType" },
    { "{\"resourceType\":\"DomainResource\"}", "resource-type", "DomainResource.resourceType" },
    { "{\"resourceType\":\"HumanName\"}", "resource-type", "HumanName.resourceType" },
    { P ",\"contained\":[{\"id\":\"a\"}]}", "resource-type", "Patient.contained[0]" },
    { P ",\"contained\":[{\"resourceType\":5}]}", "resource-type", "Patient.contained[0].resourceType" },
    /* unknown-element, element-case */
    { P ",\"nam\":[]}", "unknown-element", "Patient.nam" },
    { P ",\"fhir_comments\":[\"x\"]}", "unknown-element", "Patient.fhir_comments" },
    { P ",\"Active\":true}", "element-case", "Patient.Active" },
    { P ",\"_BirthDate\":{\"id\":\"x\"}}", "element-case", "Patient.BirthDate" },
    { P ",\"a b\":1}", "unknown-element", "Patient" },
    { P ",\"name\":[{\"resourceType\":\"x\",\"family\":\"y\"}]}", "unknown-element", "Patient.name[0].resourceType" },
    { P ",\"_name\":[{\"id\":\"x\"}]}", "unknown-element", "Patient.name" },
    { P ",\"_id\":{\"id\":\"x\"}}", "unknown-element", "Patient.id" },
    { P ",\"extension\":[{\"url\":\"http://hl7.org/fhir/5.0/StructureDefinition/extension-u\",\"_url\":{\"id\":\"x\"},\"valueCode\":\"a\"}]}", "unknown-element", "Patient.extension[0].url" },
    { P ",\"act\\u0069ve\":true}", NULL, NULL },
    /* cardinality */
    { "{\"resourceType\":\"Observation\",\"code\":{\"text\":\"x\"}}", "cardinality", "Observation" },
    { "{\"resourceType\":\"Observation\",\"code\":{\"text\":\"x\"},\"_status\":{\"extension\":[{\"url\":\"http://hl7.org/fhir/5.0/StructureDefinition/extension-u\",\"valueCode\":\"unknown\"}]}}", NULL, NULL },
    { O ",\"component\":[{\"valueString\":\"x\"}]}", "cardinality", "Observation.component[0]" },
    { P ",\"communication\":[{\"preferred\":true}]}", "cardinality", "Patient.communication[0]" },
    { P ",\"contained\":[{\"resourceType\":\"Observation\",\"id\":\"o\",\"status\":\"final\",\"subject\":{\"reference\":\"#\"}}]}",
      "cardinality", "Patient.contained[0]" },
    /* json-array */
    { P ",\"name\":{\"family\":\"x\"}}", "json-array", "Patient.name" },
    { P ",\"gender\":[\"male\"]}", "json-array", "Patient.gender" },
    { P ",\"name\":[{\"given\":\"x\"}]}", "json-array", "Patient.name[0].given" },
    { P ",\"name\":[{\"_given\":" E "}]}", "json-array", "Patient.name[0].given" },
    { P ",\"_birthDate\":[" E "]}", "json-array", "Patient.birthDate" },
    { P ",\"name\":[[{\"family\":\"x\"}]]}", "json-type", "Patient.name[0]" },
    /* json-type */
    { P ",\"maritalStatus\":\"M\"}", "json-type", "Patient.maritalStatus" },
    { P ",\"name\":[\"x\"]}", "json-type", "Patient.name[0]" },
    { P ",\"birthDate\":{\"id\":\"x\"}}", "json-type", "Patient.birthDate" },
    { P ",\"contained\":[\"x\"]}", "json-type", "Patient.contained[0]" },
    { P ",\"_birthDate\":\"x\"}", "json-type", "Patient.birthDate" },
    { P ",\"name\":[{\"given\":[[\"x\"]]}]}", "json-type", "Patient.name[0].given[0]" },
    /* json-empty */
    { P ",\"name\":[]}", "json-empty", "Patient.name" },
    { P ",\"name\":[{}]}", "json-empty", "Patient.name[0]" },
    { P ",\"maritalStatus\":{}}", "json-empty", "Patient.maritalStatus" },
    { P ",\"_birthDate\":{}}", "json-empty", "Patient.birthDate" },
    { P ",\"name\":[{\"given\":[]}]}", "json-empty", "Patient.name[0].given" },
    { P ",\"contained\":[{}]}", "json-empty", "Patient.contained[0]" },
    { P ",\"birthDate\":\"\"}", "primitive", "Patient.birthDate" },
    { P ",\"name\":[{\"family\":\"\"}]}", "primitive", "Patient.name[0].family" },
    /* json-null */
    { P ",\"birthDate\":null}", "json-null", "Patient.birthDate" },
    { P ",\"name\":null}", "json-array", "Patient.name" },
    { P ",\"name\":[null]}", "json-null", "Patient.name[0]" },
    { P ",\"maritalStatus\":null}", "json-null", "Patient.maritalStatus" },
    { P ",\"name\":[{\"given\":[\"a\",null]}]}", "json-null", "Patient.name[0].given[1]" },
    { P ",\"_birthDate\":null}", "json-null", "Patient.birthDate" },
    /* json-parallel */
    { P ",\"name\":[{\"given\":[\"a\",null],\"_given\":[null," E "]}]}", NULL, NULL },
    { P ",\"name\":[{\"_given\":[" E "]}]}", NULL, NULL },
    { P ",\"name\":[{\"given\":[null],\"_given\":[" E "]}]}", NULL, NULL },
    { P ",\"name\":[{\"given\":[\"a\"],\"_given\":[null,{\"id\":\"x\"}]}]}", "json-parallel", "Patient.name[0].given" },
    { P ",\"name\":[{\"given\":[\"a\",null],\"_given\":[{\"id\":\"x\"},null]}]}", "json-parallel", "Patient.name[0].given[1]" },
    { P ",\"name\":[{\"_given\":[null," E "]}]}", "json-parallel", "Patient.name[0].given[0]" },
    { P ",\"name\":[{\"_given\":[{\"id\":\"x\",\"value\":1}]}]}", "unknown-element", "Patient.name[0].given[0].value" },
    /* consent-patient, as a warning */
    { CONSENT("active", "patient-privacy", "{\"reference\":\"Patient/p\"}"), NULL, NULL },
    { CONSENT("active", "patient-privacy", "{\"identifier\":{\"system\":\"http://t.example/i\",\"value\":\"1\"}}"), NULL, NULL },
    { CONSENT("active", "patient-privacy", "{\"display\":\"d\"}"), "consent-patient", "Consent.patient" },
    { CONSENT("active", "patient-privacy", "{\"identifier\":{\"system\":\"http://t.example/i\"}}"), "consent-patient", "Consent.patient" },
    { CONSENT("inactive", "patient-privacy", "{\"display\":\"d\"}"), NULL, NULL },
    { CONSENT("active", "research", "{\"display\":\"d\"}"), NULL, NULL },
    /* sampled-data */
    { O SAMPLES("1 -2.5 .5 -.5 E U L 0007") "}", NULL, NULL },
    { O SAMPLES("1 2 x") "}", "sampled-data", "Observation.valueSampledData.data" },
    { O SAMPLES("1 1e5") "}", "sampled-data", "Observation.valueSampledData.data" },
    { O SAMPLES("1 5.") "}", "sampled-data", "Observation.valueSampledData.data" },
    { O SAMPLES("1 - 2") "}", "sampled-data", "Observation.valueSampledData.data" },
    { O SAMPLES("1 e") "}", "sampled-data", "Observation.valueSampledData.data" },
    { O SAMPLES("1  2") "}", "sampled-data", "Observation.valueSampledData.data" },     /* a warning */
    /* bundle-request */
    { TRANSACTION("PUT", "Patient/p", P ",\"id\":\"p\"}"), NULL, NULL },
    { TRANSACTION("PUT", "/Patient/p", P ",\"id\":\"p\"}"), NULL, NULL },
    { TRANSACTION("PUT", "Patient?identifier=x", P "}"), NULL, NULL },
    { TRANSACTION("POST", "Patient/$validate", "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"x\",\"valueCode\":\"x\"}]}"), NULL, NULL },
    { TRANSACTION("PUT", "Patient/q", P ",\"id\":\"p\"}"), "bundle-request", "Bundle.entry[0].request.url" },
    { TRANSACTION("PUT", "Patient/p", P "}"), "bundle-request", "Bundle.entry[0].request.url" },
    { TRANSACTION("PUT", "Person/p", P ",\"id\":\"p\"}"), "bundle-request", "Bundle.entry[0].request.url" },
    { TRANSACTION("PUT", "Person?identifier=x", P "}"), "bundle-request", "Bundle.entry[0].request.url" },
    { TRANSACTION("POST", "Person", P "}"), "bundle-request", "Bundle.entry[0].request.url" },
    { TRANSACTION("PUT", "Patient/p", P ",\"id\":\"p\"}},{\"request\":{\"method\":\"DELETE\",\"url\":\"Patient/q\"}},{\"request\":{\"method\":\"DELETE\",\"url\":\"/Patient/p\"}"),
      "bundle-request", "Bundle.entry[0].request.url" },
    { "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{\"request\":{\"method\":\"DELETE\",\"url\":\"Patient/p\"}},{\"request\":{\"method\":\"DELETE\",\"url\":\"Patient/p\"}}]}", NULL, NULL },
    { "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{\"fullUrl\":\"http://t.example/fhir/Patient/p\",\"request\":{\"method\":\"PATCH\",\"url\":\"Patient/p\"},"
      "\"resource\":{\"resourceType\":\"Binary\",\"contentType\":\"application/json-patch+json\",\"data\":\"AAAA\"}}]}", NULL, NULL },
    /* ele-1: an id is nothing without a value */
    { P ",\"_birthDate\":{\"id\":\"x\"}}", "ele-1", "Patient.birthDate" },
    { P ",\"birthDate\":\"2000\",\"_birthDate\":{\"id\":\"x\"}}", NULL, NULL },
    { P ",\"name\":[{\"given\":[null,\"b\"],\"_given\":[{\"id\":\"x\"},{\"id\":\"y\"}]}]}", "ele-1", "Patient.name[0].given[0]" },
    /* choice */
    { P ",\"deceasedBoolean\":true,\"_deceasedBoolean\":{\"id\":\"x\"}}", NULL, NULL },
    { P ",\"deceasedBoolean\":true,\"deceasedDateTime\":\"2000\"}", "choice", "Patient.deceasedDateTime" },
    { P ",\"deceasedBoolean\":true,\"_deceasedDateTime\":" E "}", "choice", "Patient.deceasedDateTime" },
    { P ",\"_deceasedDateTime\":" E ",\"deceasedBoolean\":true}", "choice", "Patient.deceasedBoolean" },
    { P ",\"deceasedString\":\"x\"}", "unknown-element", "Patient.deceasedString" },
    { P ",\"deceased\":true}", "unknown-element", "Patient.deceased" },
    { O ",\"valueQuantity\":{\"value\":1.50}}", NULL, NULL },
    { O ",\"valueQuantity\":{\"value\":\"1.50\"}}", "primitive", "Observation.valueQuantity.value" },
    /* primitive, ids */
    { P ",\"id\":\"a_b\"}", "primitive", "Patient.id" },
    { P ",\"id\":\"a/b\"}", "primitive", "Patient.id" },
    { P ",\"active\":\"true\"}", "primitive", "Patient.active" },
    { P ",\"birthDate\":\"2000-02-30\"}", "primitive", "Patient.birthDate" },
    { P ",\"multipleBirthInteger\":1.0}", "primitive", "Patient.multipleBirthInteger" },
    { P ",\"meta\":{\"lastUpdated\":\"2000-01-01\"}}", "primitive", "Patient.meta.lastUpdated" },
    { P ",\"name\":[{\"id\":\"a b\",\"family\":\"x\"}]}", "element-id", "Patient.name[0].id" },
    { P ",\"name\":[{\"id\":\"a_b/c\",\"family\":\"x\"}]}", NULL, NULL },
    /* ele-1, ext-1, dom-2 */
    { P ",\"name\":[{\"id\":\"x\"}]}", "ele-1", "Patient.name[0]" },
    { P ",\"extension\":[{\"url\":\"http://hl7.org/fhir/5.0/StructureDefinition/extension-u\"}]}", "ext-1", "Patient.extension[0]" },
    { P ",\"extension\":[{\"url\":\"http://hl7.org/fhir/5.0/StructureDefinition/extension-u\",\"valueCode\":\"a\",\"extension\":[{\"url\":\"v\",\"valueCode\":\"a\"}]}]}", "ext-1", "Patient.extension[0]" },
    { P ",\"extension\":[{\"url\":\"http://hl7.org/fhir/5.0/StructureDefinition/extension-u\",\"_valueCode\":{\"extension\":[{\"url\":\"http://hl7.org/fhir/5.0/StructureDefinition/extension-v\",\"valueCode\":\"a\"}]}}]}", NULL, NULL },
    { P ",\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"c\",\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"d\"}]}],"
      "\"link\":[{\"other\":{\"reference\":\"#c\"},\"type\":\"refer\"},{\"other\":{\"reference\":\"#d\"},\"type\":\"refer\"}]}",
      "dom-2", "Patient.contained[0].contained" },
    /* where else definitions lead: contentReference, resources in Parameters */
    { "{\"resourceType\":\"Questionnaire\",\"name\":\"Q\",\"status\":\"draft\",\"item\":[{\"linkId\":\"1\",\"type\":\"group\",\"item\":[{\"type\":\"string\"}]}]}",
      "cardinality", "Questionnaire.item[0].item[0]" },
    { "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"a\",\"part\":[{\"name\":\"b\",\"resource\":{\"resourceType\":\"Patient\",\"x\":1}}]}]}",
      "unknown-element", "Parameters.parameter[0].part[0].resource.x" },
    { "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"a\",\"valueSampledData\":{\"origin\":{\"value\":1},\"period\":2,\"dimensions\":1}}]}", NULL, NULL },
    { P ",\"text\":{\"status\":\"generated\"}}", "cardinality", "Patient.text" },
    /* invariants are met by what is true: empty is not; a period may end on the day on which it begins */
    { "{\"resourceType\":\"Questionnaire\",\"status\":\"draft\"}", "que-0", "Questionnaire" },
    { O ",\"effectivePeriod\":{\"start\":\"2026-05-10T23:30:00-05:00\",\"end\":\"2026-05-10\"}}", NULL, NULL },
    { O ",\"effectivePeriod\":{\"start\":\"2026\",\"end\":\"2026-03\"}}", NULL, NULL },
    { O ",\"effectivePeriod\":{\"start\":\"2026-05-11T00:30:00-05:00\",\"end\":\"2026-05-10\"}}", "per-1", "Observation.effectivePeriod" },
    { O ",\"effectivePeriod\":{\"start\":\"2026-05-10T10:00:30.5Z\",\"end\":\"2026-05-10T10:00:30Z\"}}", "per-1", "Observation.effectivePeriod" },
};

static void
test_finds_what_is_wrong_and_where(void **state)
{
    (void)state;
    test_needs_pack();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena       *arena  = test_arena();
        struct issues      *issues = test_findings(arena, span_of(cases[i].json), NULL);
        const struct issue *one    = issues_at(issues, 0);
        if (issues_count(issues) != (cases[i].rule != NULL))
            fail_msg("%s: %u findings, first %s %.*s", cases[i].json, issues_count(issues), one != NULL ? one->rule : "",
                     SPAN_PRINT(one != NULL ? one->expression : SPAN("")));
        if (one != NULL) {
            if (strcmp(one->rule, cases[i].rule) != 0)
                fail_msg("%s: %s", cases[i].json, one->rule);
            assert_text(one->expression, cases[i].expression);
            assert_int_equal(one->line, 1);
            assert_true(one->column > 0 && one->wanted.length > 0 && one->found.length > 0);
        }
        arena_free(&arena);
    }
}

#define B(type, rest) "{\"resourceType\":\"Bundle\",\"type\":\"" type "\"" rest "}"
#define RP "\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\"}"
#define PAT "\"fullUrl\":\"http://a/Patient/p\"," RP
#define ASK(type) "\"request\":{\"method\":\"POST\",\"url\":\"" type "\"}"
#define REQ ASK("Patient")
#define RES "\"response\":{\"status\":\"200\"}"
#define SELF ",\"link\":[{\"relation\":\"self\",\"url\":\"http://a/Patient?name=x\"}]"
#define COMP "\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-000000000001\",\"resource\":{\"resourceType\":\"Composition\",\"status\":\"final\",\"type\":{\"text\":\"x\"},\"date\":\"2020\"," \
    "\"author\":[{\"display\":\"x\"}],\"title\":\"x\"}"
#define DOC ",\"identifier\":{\"system\":\"urn:s\",\"value\":\"v\"},\"timestamp\":\"2020-01-01T00:00:00Z\""
#define HEAD "\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-000000000002\",\"resource\":{\"resourceType\":\"MessageHeader\",\"eventUri\":\"u\",\"source\":{\"endpoint\":\"e\"}}"

static const struct { const char *json, *rule, *expression; } bundles[] = {
    { B("collection", ",\"entry\":[{" PAT "}]"), NULL, NULL },
    { B("subscription", ""), "bundle-type", "Bundle.type" },
    { "{\"resourceType\":\"Bundle\"}", "cardinality", "Bundle" },
    { B("collection", ",\"total\":1"), "bdl-1", "Bundle.total" },
    { B("searchset", ",\"total\":1"), NULL, NULL },
    { B("history", ",\"total\":1"), NULL, NULL },
    { B("collection", ",\"entry\":[{" PAT ",\"search\":{\"mode\":\"match\"}}]"), "bdl-2", "Bundle.entry[0].search" },
    { B("searchset", SELF ",\"entry\":[{" PAT ",\"search\":{\"mode\":\"match\"}}]"), NULL, NULL },
    { B("transaction", ",\"entry\":[{" PAT "}]"), "bdl-3", "Bundle.entry[0]" },
    { B("batch", ",\"entry\":[{" PAT "," REQ "}]"), NULL, NULL },
    { B("collection", ",\"entry\":[{" PAT "," REQ "}]"), "bdl-3", "Bundle.entry[0].request" },
    { B("batch-response", ",\"entry\":[{" PAT "}]"), "bdl-4", "Bundle.entry[0]" },
    { B("collection", ",\"entry\":[{" PAT "," RES "}]"), "bdl-4", "Bundle.entry[0].response" },
    { B("history", ",\"entry\":[{" PAT "," REQ "," RES "}]"), NULL, NULL },
    { B("collection", ",\"entry\":[{\"fullUrl\":\"urn:uuid:00000000-0000-0000-0000-000000000000\"}]"), "bdl-5", "Bundle.entry[0]" },
    { B("collection", ",\"entry\":[{" PAT "},{" PAT "}]"),
      "bdl-7", "Bundle.entry[1].fullUrl" },
    { B("collection", ",\"entry\":[{\"fullUrl\":\"http://a/Patient/p\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\",\"meta\":{\"versionId\":\"1\"}}},"
      "{\"fullUrl\":\"http://a/Patient/p\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\",\"meta\":{\"versionId\":\"2\"}}}]"), NULL, NULL },
    { B("history", ",\"entry\":[{" PAT "," REQ "," RES "},{" PAT "," REQ "," RES "}]"),
      NULL, NULL },
    { B("collection", ",\"entry\":[{\"fullUrl\":\"http://a/Patient/p/_history/1\"," RP "}]"), "bdl-8", "Bundle.entry[0].fullUrl" },
    { B("document", DOC ",\"entry\":[{" COMP "}]"), NULL, NULL },
    { B("document", ",\"timestamp\":\"2020-01-01T00:00:00Z\",\"entry\":[{" COMP "}]"), "bdl-9", "Bundle" },
    { B("document", ",\"identifier\":{\"value\":\"v\"},\"timestamp\":\"2020-01-01T00:00:00Z\",\"entry\":[{" COMP "}]"), "bdl-9", "Bundle.identifier" },
    { B("document", ",\"identifier\":{\"system\":\"urn:s\",\"value\":\"v\"},\"entry\":[{" COMP "}]"), "bdl-10", "Bundle" },
    { B("document", DOC ",\"entry\":[{" PAT "}]"), "bdl-11", "Bundle.entry[0]" },
    { B("document", DOC), "bdl-11", "Bundle" },
    { B("message", ",\"entry\":[{" HEAD "}]"), NULL, NULL },
    { B("message", ",\"entry\":[{" PAT "}]"), "bdl-12", "Bundle.entry[0]" },
    /* the rules of a Bundle inside a Bundle */
    { B("collection", ",\"entry\":[{\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-000000000003\",\"resource\":"
        B("history", ",\"entry\":[{" PAT "," REQ "}]") "}]"), "bdl-4",
      "Bundle.entry[0].resource.entry[0]" },
};

static void
test_applies_the_rules_of_bundles(void **state)
{
    (void)state;
    test_needs_pack();
    for (size_t i = 0; i < sizeof bundles / sizeof bundles[0]; i++) {
        struct arena       *arena  = test_arena();
        struct issues      *issues = test_findings(arena, span_of(bundles[i].json), NULL);
        const struct issue *one    = issues_at(issues, 0);
        if (issues_count(issues) != (bundles[i].rule != NULL) || (one != NULL && strcmp(one->rule, bundles[i].rule) != 0))
            fail_msg("%s: %u findings, first %s", bundles[i].json, issues_count(issues), one != NULL ? one->rule : "");
        if (one != NULL)
            assert_text(one->expression, bundles[i].expression);
        arena_free(&arena);
    }
}

static void
test_helps_to_mend_it(void **state)
{
    static const struct { const char *json, *wanted, *found, *hint; } help[] = {
        { P ",\"active\":true,\"gendr\":\"male\"}", "want a member that Patient has", "have \"gendr\"", "Did you mean gender?" },
        { P ",\"Gender\":\"male\"}", "want names spelt as FHIR spells them, in upper and lower case", "have \"Gender\"", "Did you mean gender?" },
        { P ",\"John Smith 1970\":1}", "want a member that Patient has", "have a name that is no FHIR name", "" },
        { "{\"resourceType\":\"observation\"}", "want resourceType to be a resource of FHIR R4", "have observation", "Write Observation" },
        { "{\"resourceType\":\"Observation\",\"status\":\"final\"}", "want Observation.code 1..1", "have none", "" },
        { "{\"resourceType\":\"Provenance\",\"target\":[{\"display\":\"x\"}],\"recorded\":\"2020-01-01T00:00:00Z\"}", "want Provenance.agent 1..*", "have none", "" },
        { P ",\"birthDate\":\"yesterday\"}", "want a date YYYY, YYYY-MM or YYYY-MM-DD that exists", "have a string of 9 characters", "" },
        { P ",\"birthDate\":1970}", "want a date YYYY, YYYY-MM or YYYY-MM-DD that exists", "have a whole number", "" },
        { P ",\"birthDate\":1970.5}", "want a date YYYY, YYYY-MM or YYYY-MM-DD that exists", "have a number", "" },
        { P ",\"birthDate\":true}", "want a date YYYY, YYYY-MM or YYYY-MM-DD that exists", "have a boolean", "" },
        { P ",\"birthDate\":\"\"}", "want a date YYYY, YYYY-MM or YYYY-MM-DD that exists", "have an empty string", "" },
        { P ",\"name\":{\"family\":\"x\"}}", "want an array", "have an object", "Put it in brackets" },
        { P ",\"gender\":[\"male\"]}", "want one value, not an array", "have an array of 1", "" },
        { P ",\"name\":[{\"given\":[\"a\",\"b\",\"c\"],\"_given\":[null,{\"id\":\"x\"}]}]}", "want an array of 3, as the values have",
          "have an array of 2", "Fill the shorter one with null" },
    };

    (void)state;
    test_needs_pack();
    for (size_t i = 0; i < sizeof help / sizeof help[0]; i++) {
        struct arena       *arena  = test_arena();
        struct issues      *issues = test_findings(arena, span_of(help[i].json), NULL);
        const struct issue *one    = issues_at(issues, 0);
        assert_int_equal(issues_count(issues), 1);
        assert_text(one->wanted, help[i].wanted);
        assert_text(one->found, help[i].found);
        assert_text(one->hint, help[i].hint);
        assert_int_equal(one->severity, SEVERITY_ERROR);
        arena_free(&arena);
    }
}

static void
test_doubtful_text_is_a_warning(void **state)
{
    static const char *const texts[] = { P ",\"name\":[{\"family\":\" \"}]}", P ",\"name\":[{\"family\":\"a\\u0001b\"}]}" };

    (void)state;
    test_needs_pack();
    for (size_t i = 0; i < 2; i++) {
        struct arena  *arena  = test_arena();
        struct issues *issues = test_findings(arena, span_of(texts[i]), NULL);
        assert_int_equal(issues_count(issues), 1);
        assert_int_equal(issues_at(issues, 0)->severity, SEVERITY_WARNING);
        assert_false(issues_have_errors(issues));
        arena_free(&arena);
    }
}

/* No finding holds what the payload says, only names, codes and facts. */
static void
test_findings_hold_no_text_of_the_payload(void **state)
{
    static const char json[] =
        P ",\"birthDate\":\"SECRET-A\",\"active\":\"SECRET-B\",\"id\":\"SECRET C\",\"SECRET D\":\"SECRET E\",\"name\":\"SECRET F\","
        "\"gender\":[\"SECRET G\"],\"maritalStatus\":\"SECRET H\",\"contact\":[{\"id\":\"SECRET I\"}],\"telecom\":[{\"rank\":\"SECRET J\"}]}";
    struct arena  *arena = test_arena();

    (void)state;
    test_needs_pack();
    struct issues *issues = test_findings(arena, span_of(json), NULL);
    assert_true(issues_count(issues) >= 8);
    for (uint32_t i = 0; i < issues_count(issues); i++) {
        const struct issue *one = issues_at(issues, i);
        assert_int_equal(span_find(one->wanted, SPAN("SECRET")), SPAN_NOT_FOUND);
        assert_int_equal(span_find(one->found, SPAN("SECRET")), SPAN_NOT_FOUND);
        assert_int_equal(span_find(one->hint, SPAN("SECRET")), SPAN_NOT_FOUND);
        assert_int_equal(span_find(one->expression, SPAN("SECRET")), SPAN_NOT_FOUND);
    }
    arena_free(&arena);
}

static char *
repeated(struct arena *arena, const char *head, const char *item, const char *tail, size_t count)
{
    size_t size = strlen(head) + (strlen(item) + 1) * count + strlen(tail) + 1, used = 0;
    char  *json = arena_alloc(arena, size);

    used += (size_t)snprintf(json, size, "%s", head);
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(json + used, size - used, "%s%s", i > 0 ? "," : "", item);
    snprintf(json + used, size - used, "%s", tail);
    return json;
}

static void
test_equal_findings_are_grouped(void **state)
{
    struct arena *arena = test_arena();

    (void)state;
    test_needs_pack();
    char *json = repeated(arena, "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[", "{" ASK("Observation") ",\"resource\":" O ",\"issued\":\"2020\"}}", "]}", 500);
    struct issues *issues = test_findings(arena, span_of(json), NULL);
    assert_int_equal(issues_count(issues), 1);
    assert_int_equal(issues_at(issues, 0)->times, 500);
    assert_text(issues_at(issues, 0)->expression, "Bundle.entry[0].resource.issued");
    arena_free(&arena);
}

/* The same bytes are good in one place and wrong in another, and wrong each
 * time where they are wrong; with holes, what is beside them counts. */
static void
test_bytes_that_were_good_are_good_only_there(void **state)
{
    static const struct { const char *item; uint32_t findings, times; } rows[] = {
        { "{" REQ ",\"resource\":" P ",\"contact\":[{\"name\":{\"text\":\"x\"}}],\"name\":[{\"text\":\"x\"}]}}", 0, 0 },
        { "{" REQ ",\"resource\":" P ",\"maritalStatus\":{\"text\":\"x\"},\"managingOrganization\":{\"text\":\"x\"}}}", 1, 40 },
        { "{" REQ ",\"resource\":" P ",\"name\":[{\"text\":\"x\",\"zz\":1}]}}", 1, 40 },
        { "{" REQ ",\"resource\":" P ",\"name\":[{\"given\":[null,\"x\"],\"_given\":[" E ",null]},{\"given\":[null,\"x\"]}]}}", 1, 40 },
    };

    (void)state;
    test_needs_pack();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena  *arena  = test_arena();
        char          *json   = repeated(arena, "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[", rows[i].item, "]}", 40);
        struct issues *issues = test_findings(arena, span_of(json), NULL);
        assert_int_equal(issues_count(issues), rows[i].findings);
        for (uint32_t k = 0; k < rows[i].findings; k++)
            assert_int_equal(issues_at(issues, k)->times, rows[i].times);
        arena_free(&arena);
    }
}

/* Places that are small numbers, rules that differ in a character. */
static void
test_findings_of_two_rules_or_places_are_not_grouped(void **state)
{
    char                 rules[64][8];
    struct arena        *arena = test_arena();
    struct issues       *issues = issues_new(arena, 5000);
    const struct bundle *bundle;
    struct report        report;

    (void)state;
    assert_int_equal(bundle_read(test_tape(arena, SPAN(P "}")), arena, issues, &bundle), ST_OK);
    report_init(&report, bundle, arena, issues, 10000);
    for (int i = 0; i < 64; i++)
        snprintf(rules[i], sizeof rules[i], "bdl-%d", i);
    for (uint64_t place = 1; place <= 64; place++)
        for (size_t i = 0; i < 64; i++) {
            struct finding one = { .node = TAPE_ROOT, .severity = SEVERITY_ERROR, .code = ISSUE_INVARIANT,
                                   .rule = rules[i], .place = place };
            assert_true(report_new(&report, &one));
            report_add(&report, &one, SPAN("want this"), SPAN("have that"), (struct span){ NULL, 0 });
            assert_false(report_new(&report, &one));
        }
    arena_free(&arena);
}

static void
test_a_document_that_is_wrong_everywhere_ends_early(void **state)
{
    static const char *const items[] = { "{\"resource\":" P ",\"zz1\":1,\"zz2\":2}}", "{\"resource\":" P ",\"birthDate\":5}}",
                                         "{\"resource\":{\"resourceType\":\"X\"}}", "{}" };

    (void)state;
    test_needs_pack();
    for (size_t i = 0; i < 4; i++) {
        struct arena  *arena  = test_arena();
        char          *json   = repeated(arena, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[", items[i], "]}", 30000);
        size_t         before = arena_used(arena);
        struct issues *issues = test_findings(arena, span_of(json), NULL);
        assert_true(issues_have_errors(issues));
        const struct issue *last = issues_at(issues, issues_count(issues) - 1);
        assert_string_equal(last->rule, "validate");
        assert_true(arena_used(arena) - before < (size_t)60 << 20);
        arena_free(&arena);
    }
}

/* However many doubts there are, the rest is looked at. */
static void
test_doubts_stop_nothing(void **state)
{
    struct arena *arena = test_arena();

    (void)state;
    test_needs_pack();
    char *json = repeated(arena, "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"coding\":[", "{\"code\":\"x\"}", "]}}", 12000);
    struct issues *issues = test_findings(arena, span_of(json), NULL);
    assert_false(issues_have_errors(issues));
    assert_string_equal(issues_at(issues, 0)->rule, "coding-system");
    assert_int_equal(issues_at(issues, 0)->times, 12000);
    arena_free(&arena);
}

static void
test_narratives_say_the_language_of_their_resource(void **state)
{
    static const struct { const char *attributes, *inside; bool warned; } rows[] = {
        { " lang=\\\"de\\\" xml:lang=\\\"de\\\"", "x", false }, { " xml:lang='de-CH' lang='DE'", "x", false }, { "", "x", true }, { " lang='de'", "x", true },
        { " xml:lang='de'", "x", true }, { " lang='en' xml:lang='en'", "x", true }, { " lang='den' xml:lang='den'", "x", true },
        { "", "<div lang='de'>x</div><div xml:lang='en'>y</div>", false }, { "", "<p lang='de'>x</p>", true },
    };

    (void)state;
    test_needs_pack();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena  *arena  = test_arena();
        struct span    json   = arena_format(arena, P ",\"language\":\"de\",\"text\":{\"status\":\"generated\",\"div\":\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\"%s>%s</div>\"}}",
                                             rows[i].attributes, rows[i].inside);
        struct issues *issues = test_findings(arena, json, NULL);
        assert_int_equal(issues_count(issues), rows[i].warned);
        if (rows[i].warned) {
            assert_string_equal(issues_at(issues, 0)->rule, "xhtml-lang");
            assert_int_equal(issues_at(issues, 0)->severity, SEVERITY_WARNING);
        }
        arena_free(&arena);
    }
}

/* The same narrative is right in one resource and not in the next. */
static void
test_equal_narratives_are_compared_with_each_language(void **state)
{
#define SAYS(id, language) \
    "{\"fullUrl\":\"http://a.example/Patient/" id "\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"" id "\",\"language\":\"" language "\"," \
    "\"text\":{\"status\":\"generated\",\"div\":\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\" lang=\\\"de\\\" xml:lang=\\\"de\\\">x</div>\"}}}"
    struct arena *arena = test_arena();

    (void)state;
    test_needs_pack();
    struct issues *issues = test_findings(arena, SPAN(B("collection", ",\"entry\":[" SAYS("1", "de") "," SAYS("2", "en") "]")), NULL);
    assert_int_equal(issues_count(issues), 1);
    assert_string_equal(issues_at(issues, 0)->rule, "xhtml-lang");
    assert_text(issues_at(issues, 0)->expression, "Bundle.entry[1].resource.text.div");
    arena_free(&arena);
#undef SAYS
}

/* Of a batch: equal findings of two entries are one in a common sink, and one
 * each when the entries are judged alone. */
static void
test_entries_are_judged_alone(void **state)
{
    static const char json[] =
        "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{" RP "," REQ "},{\"resource\":" P ",\"x\":1}," REQ "},"
        "{\"resource\":" P ",\"x\":1}," REQ "},{" RP "},{\"resource\":" B("collection", ",\"total\":1") "," ASK("Bundle") "},{\"y\":1," RP "," REQ "},{}]}";
    static const char *const rules[] = { NULL, "unknown-element", "unknown-element", "bdl-3", "bdl-1", "unknown-element", "json-empty" };
    static const char *const expressions[] = { NULL, "Bundle.entry[1].resource.x", "Bundle.entry[2].resource.x", "Bundle.entry[3]",
                                               "Bundle.entry[4].resource.total", "Bundle.entry[5].y", "Bundle.entry[6]" };
    struct arena           *arena  = test_arena();
    struct issues          *issues = issues_new(arena, 10);
    struct validate_options shell  = { .entries_apart = true };
    const struct bundle    *bundle;

    (void)state;
    test_needs_pack();
    assert_int_equal(bundle_read(test_tape(arena, span_of(json)), arena, issues, &bundle), ST_OK);
    assert_int_equal(validate(test_pack(), bundle, &shell, arena, issues), ST_OK);
    assert_int_equal(issues_count(issues), 0);
    for (uint32_t i = 0; i < bundle->count; i++) {
        issues = issues_new(arena, 10);
        assert_int_equal(validate_entry(test_pack(), bundle, i, NULL, arena, issues), ST_OK);
        assert_int_equal(issues_have_errors(issues), rules[i] != NULL);
        if (rules[i] != NULL) {
            assert_string_equal(issues_at(issues, 0)->rule, rules[i]);
            assert_text(issues_at(issues, 0)->expression, expressions[i]);
        }
    }
    assert_int_equal(validate_entry(test_pack(), bundle, bundle->count, NULL, arena, issues), ST_NOT_FOUND);
    arena_free(&arena);
}

static void
test_the_bundle_around_entries_is_judged_alone(void **state)
{
    static const struct { const char *json, *rule; } shells[] = {
        { B("batch", ",\"entry\":[]"), "json-empty" }, { B("batch", ",\"total\":1,\"entry\":[{}]"), "bdl-1" },
        { B("batch", ",\"zz\":1,\"entry\":[{\"zz\":1}]"), "unknown-element" },
        { B("batch", ",\"entry\":[{\"fullUrl\":\"urn:a\"},{\"fullUrl\":\"urn:a\"}]"), "bdl-7" },
        { P ",\"zz\":1}", "unknown-element" },
    };
    struct validate_options shell = { .entries_apart = true };

    (void)state;
    test_needs_pack();
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        struct arena        *arena  = test_arena();
        struct issues       *issues = issues_new(arena, 10);
        const struct bundle *bundle;
        assert_int_equal(bundle_read(test_tape(arena, span_of(shells[i].json)), arena, issues, &bundle), ST_OK);
        assert_int_equal(validate(test_pack(), bundle, &shell, arena, issues), ST_OK);
        assert_int_equal(issues_count(issues), 1);
        assert_string_equal(issues_at(issues, 0)->rule, shells[i].rule);
        arena_free(&arena);
    }
}

static void
test_profiles_are_not_passed_over_in_silence(void **state)
{
    struct arena           *arena   = test_arena();
    struct issues          *issues  = issues_new(arena, 10);
    struct span             profile = SPAN("http://example.org/profile");
    struct validate_options options = { .profiles = &profile, .profile_count = 1 };
    const struct bundle    *bundle;

    (void)state;
    test_needs_pack();
    assert_int_equal(bundle_read(test_tape(arena, SPAN(P "}")), arena, issues, &bundle), ST_OK);
    assert_int_equal(validate(test_pack(), bundle, &options, arena, issues), ST_OK);
    assert_int_equal(issues_count(issues), 1);
    assert_int_equal(issues_at(issues, 0)->severity, SEVERITY_WARNING);
    assert_int_equal(issues_at(issues, 0)->code, ISSUE_NOT_FOUND);
    assert_text(issues_at(issues, 0)->found, "http://example.org/profile");
    arena_free(&arena);
}

/* As deep as the tape lets a document be; the finding is at the bottom. */
static void
test_looks_to_the_bottom_of_a_deep_document(void **state)
{
    struct arena *arena = test_arena();
    struct buf    json;
    unsigned      depth = 28;

    (void)state;
    test_needs_pack();
    buf_init(&json, 1 << 16);
    buf_add_text(&json, "{\"resourceType\":\"Questionnaire\",\"name\":\"Q\",\"status\":\"draft\"");
    for (unsigned i = 0; i < depth; i++)
        buf_add_format(&json, ",\"item\":[{\"linkId\":\"%u\",\"type\":\"string\"", i);
    buf_add_text(&json, ",\"oops\":1");
    for (unsigned i = 0; i < depth; i++)
        buf_add_text(&json, "}]");
    buf_add_text(&json, "}");
    struct issues *issues = test_findings(arena, buf_span(&json), NULL);
    assert_int_equal(issues_count(issues), 1);
    assert_string_equal(issues_at(issues, 0)->rule, "unknown-element");
    bool done = false;
    for (size_t budget = 16; !done; budget += 256) {
        struct arena        *small = arena_new("small", budget);
        const struct bundle *bundle;
        issues = issues_new(arena, 10);
        assert_int_equal(bundle_read(test_tape(arena, buf_span(&json)), arena, issues, &bundle), ST_OK);
        enum status st = validate(test_pack(), bundle, NULL, small, issues);
        done = st == ST_OK;
        assert_true(done || st == ST_NO_MEMORY);
        arena_free(&small);
    }
    buf_release(&json);
    arena_free(&arena);
}

static void
test_says_when_memory_is_spent(void **state)
{
    static const char json[] = B("document", DOC ",\"entry\":[{" COMP "},{\"x\":1," PAT "},{" PAT "}]");
    bool              done   = false;

    (void)state;
    test_needs_pack();
    for (size_t budget = 64; !done; budget += 512) {
        struct arena        *arena = test_arena(), *small = arena_new("small", budget);
        struct issues       *issues = issues_new(arena, 10);
        const struct bundle *bundle;
        assert_int_equal(bundle_read(test_tape(arena, span_of(json)), arena, issues, &bundle), ST_OK);
        enum status st = validate(test_pack(), bundle, NULL, small, issues);
        done = st == ST_OK;
        assert_true(done || st == ST_NO_MEMORY);
        arena_free(&small);
        arena_free(&arena);
    }
}

/* ---- data of others, when it is there ------------------------------------------------------ */

struct tally { unsigned files, valid, invalid; };

static struct tally
judge_folder(const char *folder)
{
    struct tally   tally = { 0, 0, 0 };
    DIR           *dir   = opendir(folder);
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char path[1024];
        if (!span_ends(span_of(entry->d_name), SPAN(".json")))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        struct arena  *arena  = test_arena();
        struct issues *issues = test_findings(arena, test_file(arena, path), NULL);
        tally.files++;
        tally.valid   += !issues_have_errors(issues);
        tally.invalid += issues_have_errors(issues);
        arena_free(&arena);
    }
    if (dir != NULL)
        closedir(dir);
    return tally;
}

static void
test_all_synthea_patients_pass(void **state)
{
    struct tally tally = { 0, 0, 0 };

    (void)state;
    if (test_pack() != NULL)
        tally = judge_folder(SLUICE_SHARED_DIR "/data/synthea");
    if (tally.files == 0)
        skip();
    print_message("synthea: %u of %u bundles valid\n", tally.valid, tally.files);
    assert_int_equal(tally.valid, tally.files);
}

static void
test_what_is_not_r4_is_refused(void **state)
{
    struct tally tally = { 0, 0, 0 };

    (void)state;
    if (test_pack() != NULL)
        tally = judge_folder(SLUICE_SHARED_DIR "/data/bh-examples/negative");
    if (tally.files == 0)
        skip();
    assert_int_equal(tally.invalid, tally.files);
}

/* Whether a finding of the rule was made, with this severity. */
static bool
told(struct arena *arena, const char *rule, enum severity severity, struct span json)
{
    struct issues *issues = test_findings(arena, json, NULL);

    for (uint32_t k = 0; k < issues_count(issues); k++)
        if (strcmp(issues_at(issues, k)->rule, rule) == 0 && issues_at(issues, k)->severity == severity)
            return true;
    return false;
}

static void
test_compares_displays_with_those_of_the_code_system(void **state)
{
    static const struct { const char *display; bool good; } rows[] = {
        { "Married", true }, { " married", true }, { "M", false }, { "Never Married", false }, { "verheiratet", false },
    };

    (void)state;
    test_needs_pack();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = test_arena();
        struct span   json  = arena_format(arena, "{\"resourceType\":\"Patient\",\"maritalStatus\":{\"coding\":[{\"system\":"
            "\"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus\",\"code\":\"M\",\"display\":\"%s\"}]}}", rows[i].display);
        if (told(arena, "display", SEVERITY_WARNING, json) == rows[i].good)
            fail_msg("%s", rows[i].display);
        arena_free(&arena);
    }
}

static void
test_says_what_a_system_should_have_been(void **state)
{
    static const struct { const char *system, *rule; enum severity severity; bool is; } rows[] = {
        { "http://hl7.org/fhir/ValueSet/marital-status", "coding-value-set", SEVERITY_ERROR, true },
        { "urn:oid:2.16.840.1.113883.6.96", "coding-alias", SEVERITY_WARNING, true }, { "https://loinc.org", "coding-alias", SEVERITY_WARNING, true },
        { "http://loinc.org", "coding-alias", SEVERITY_WARNING, false }, { "urn:oid:1.2.3", "coding-alias", SEVERITY_WARNING, false },
        { "http://example.org", "coding-value-set", SEVERITY_ERROR, false },
    };

    (void)state;
    test_needs_pack();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = test_arena();
        struct span   json  = arena_format(arena, "{\"resourceType\":\"Patient\",\"maritalStatus\":{\"coding\":[{\"system\":\"%s\",\"code\":\"x\"}]}}",
                                           rows[i].system);
        if (told(arena, rows[i].rule, rows[i].severity, json) != rows[i].is)
            fail_msg("%s", rows[i].system);
        arena_free(&arena);
    }
}

static void
test_knows_units(void **state)
{
    static const struct { const char *system, *code; bool good; } rows[] = {
        { "http://unitsofmeasure.org", "mm[Hg]", true }, { "http://unitsofmeasure.org", "mmHg", false },
        { "http://unitsofmeasure.org", "{score}", true }, { "http://unitsofmeasure.org", "(score)", false },
        { "http://example.org/units", "mmHg", true },
    };

    (void)state;
    test_needs_pack();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = test_arena();
        struct span   json  = arena_format(arena, "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"},"
            "\"valueQuantity\":{\"value\":1,\"system\":\"%s\",\"code\":\"%s\"}}", rows[i].system, rows[i].code);
        if (told(arena, "unit-unknown", SEVERITY_WARNING, json) == rows[i].good)
            fail_msg("%s", rows[i].code);
        arena_free(&arena);
    }
}

/* R4's jurisdiction filters the regions of UN M49, which nobody has as a CodeSystem. */
static void
test_notes_what_bindings_leave_undecided(void **state)
{
    static const char json[] =
        "{\"resourceType\":\"ValueSet\",\"url\":\"http://t/v\",\"status\":\"active\",\"jurisdiction\":[{\"coding\":[{\"system\":"
        "\"http://unstats.un.org/unsd/methods/m49/m49.htm\",\"code\":\"001\"}]},{\"coding\":[{\"system\":\"urn:iso:std:iso:3166\","
        "\"code\":\"US\"}]}],\"compose\":{\"include\":[{\"system\":\"http://t\"}]}}";
    struct arena           *arena   = test_arena();
    struct issues          *issues  = issues_new(arena, 100);
    struct validate_options options = { .questions = term_questions_new(arena) };
    const struct bundle    *bundle;

    (void)state;
    if (test_pack() == NULL) {
        arena_free(&arena);
        skip();
    }
    assert_int_equal(bundle_read(test_tape(arena, span_of(json)), arena, issues, &bundle), ST_OK);
    assert_int_equal(validate(test_pack(), bundle, &options, arena, issues), ST_OK);
    assert_int_equal(options.questions->count, 1);
    assert_text(options.questions->list[0].code, "001");
    assert_text(options.questions->list[0].system, "http://unstats.un.org/unsd/methods/m49/m49.htm");
    assert_text(options.questions->list[0].value_set, "http://hl7.org/fhir/ValueSet/jurisdiction");
    assert_int_equal(options.questions->list[0].why, TERM_WHY_FILTER);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_what_is_wrong_and_where),
        cmocka_unit_test(test_applies_the_rules_of_bundles),
        cmocka_unit_test(test_helps_to_mend_it),
        cmocka_unit_test(test_compares_displays_with_those_of_the_code_system),
        cmocka_unit_test(test_says_what_a_system_should_have_been),
        cmocka_unit_test(test_knows_units),
        cmocka_unit_test(test_notes_what_bindings_leave_undecided),
        cmocka_unit_test(test_doubtful_text_is_a_warning),
        cmocka_unit_test(test_findings_hold_no_text_of_the_payload),
        cmocka_unit_test(test_equal_findings_are_grouped),
        cmocka_unit_test(test_bytes_that_were_good_are_good_only_there),
        cmocka_unit_test(test_findings_of_two_rules_or_places_are_not_grouped),
        cmocka_unit_test(test_a_document_that_is_wrong_everywhere_ends_early),
        cmocka_unit_test(test_doubts_stop_nothing),
        cmocka_unit_test(test_narratives_say_the_language_of_their_resource),
        cmocka_unit_test(test_equal_narratives_are_compared_with_each_language),
        cmocka_unit_test(test_entries_are_judged_alone),
        cmocka_unit_test(test_the_bundle_around_entries_is_judged_alone),
        cmocka_unit_test(test_profiles_are_not_passed_over_in_silence),
        cmocka_unit_test(test_looks_to_the_bottom_of_a_deep_document),
        cmocka_unit_test(test_says_when_memory_is_spent),
        cmocka_unit_test(test_all_synthea_patients_pass),
        cmocka_unit_test(test_what_is_not_r4_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
