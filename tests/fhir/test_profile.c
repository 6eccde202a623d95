/* Profiles of our own making, compiled on top of the definitions of the build. */
#include "fhir/validate.h"

#include "fhir/bundle.h"
#include "fhir/package.h"
#include "fhir/profile.h"
#include "tests/fhir/fhir_check.h"

static struct arena      *definitions;
static const struct pack *pack;              /* NULL: the definitions are not installed */

#define SD(id, type, elements) VERSION("1.2.0", id, type, elements)
#define VERSION(version, id, type, elements)                                                                 \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://t.example/" id "\",\"version\":\"" version "\",\"name\":\"" id "\","    \
    "\"status\":\"draft\",\"kind\":\"resource\",\"abstract\":false,\"type\":\"" type "\",\"derivation\":\"constraint\","    \
    "\"baseDefinition\":\"http://hl7.org/fhir/StructureDefinition/" type "\",\"differential\":{\"element\":[" elements "]}}"
/* An extension with a boolean, and where it may stand. */
#define EXTENSION(id, where)                                                                                 \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://t.example/" id "\",\"version\":\"1.2.0\",\"name\":\"" id "\","    \
    "\"status\":\"draft\",\"kind\":\"complex-type\",\"abstract\":false,\"type\":\"Extension\",\"derivation\":\"constraint\"," where ","    \
    "\"baseDefinition\":\"http://hl7.org/fhir/StructureDefinition/Extension\",\"differential\":{\"element\":["    \
    "{\"id\":\"Extension.url\",\"path\":\"Extension.url\",\"fixedUri\":\"http://t.example/" id "\"}]}}"
#define CONTEXT(type, expression) "\"context\":[{\"type\":\"" type "\",\"expression\":\"" expression "\"}]"
#define EL(id, rest) "{\"id\":\"" id "\",\"path\":\"" id "\"," rest "}"
#define SLICE(path, name, rest) "{\"id\":\"" path ":" name "\",\"path\":\"" path "\",\"sliceName\":\"" name "\"," rest "}"
#define IN(id, path, rest) "{\"id\":\"" id "\",\"path\":\"" path "\"," rest "}"
#define BY(kind, where) "\"slicing\":{\"discriminator\":[{\"type\":\"" kind "\",\"path\":\"" where "\"}],\"rules\":\"open\"}"

static const char *const profiles[] = {
    SD("plain", "Patient",
       EL("Patient.name", "\"min\":1,\"max\":\"2\"") "," EL("Patient.photo", "\"max\":\"0\"") "," EL("Patient.gender", "\"fixedCode\":\"female\"") ","
       EL("Patient.maritalStatus", "\"patternCodeableConcept\":{\"coding\":[{\"code\":\"M\"}]}") ","
       EL("Patient.birthDate", "\"maxValueDate\":\"2020-01-01\"") "," EL("Patient.language", "\"maxLength\":2") ","
       EL("Patient.deceased[x]", "\"type\":[{\"code\":\"boolean\"}]") ","
       EL("Patient.contact", "\"constraint\":[{\"key\":\"t-1\",\"severity\":\"error\",\"human\":\"a contact has a name\",\"expression\":\"name.exists()\"}]")),
    SD("slices", "Observation",
       EL("Observation.category", "\"slicing\":{\"discriminator\":[{\"type\":\"pattern\",\"path\":\"$this\"}],\"rules\":\"closed\",\"ordered\":true}") ","
       SLICE("Observation.category", "a", "\"min\":1,\"max\":\"1\",\"patternCodeableConcept\":{\"coding\":[{\"code\":\"a\"}]}") ","
       SLICE("Observation.category", "b", "\"patternCodeableConcept\":{\"coding\":[{\"code\":\"b\"}]}") ","
       EL("Observation.component", BY("value", "code.coding.code")) ","
       SLICE("Observation.component", "x", "\"min\":1") ","
       IN("Observation.component:x.code", "Observation.component.code", "\"min\":1") ","
       IN("Observation.component:x.code.coding", "Observation.component.code.coding", "\"min\":1") ","
       IN("Observation.component:x.code.coding.code", "Observation.component.code.coding.code", "\"min\":1,\"fixedCode\":\"x\"") ","
       IN("Observation.component:x.value[x]", "Observation.component.value[x]", "\"min\":1")),
    SD("whose", "Observation",
       EL("Observation.subject", "\"min\":1,\"type\":[{\"code\":\"Reference\",\"targetProfile\":[\"http://t.example/plain\"]}]") ","
       EL("Observation.hasMember", BY("profile", "resolve()")) ","
       SLICE("Observation.hasMember", "sliced", "\"min\":1,\"max\":\"1\",\"type\":[{\"code\":\"Reference\",\"targetProfile\":[\"http://t.example/slices\"]}]")),
    SD("types", "Observation",
       EL("Observation.value[x]", "\"slicing\":{\"discriminator\":[{\"type\":\"type\",\"path\":\"$this\"}],\"rules\":\"open\"}") ","
       SLICE("Observation.value[x]", "valueQuantity", "\"type\":[{\"code\":\"Quantity\"}]") ","
       IN("Observation.value[x]:valueQuantity.code", "Observation.value[x].code", "\"min\":1")),
    SD("clock", "Patient",
       EL("Patient", "\"constraint\":[{\"key\":\"t-2\",\"severity\":\"error\",\"human\":\"born by now\",\"expression\":\"birthDate <= today()\"}]") ","
       EL("Patient.name.family", "\"type\":[{\"code\":\"string\",\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/regex\","
                                 "\"valueString\":\"[A-Z]'?\\\\w+|f\"}]}]")),
    /* a path through codings that are in slices themselves, as R4's bp has it */
    SD("inner", "Observation",
       EL("Observation.component", BY("value", "code.coding.code")) ","
       SLICE("Observation.component", "x", "\"max\":\"1\"") ","
       IN("Observation.component:x.code.coding", "Observation.component.code.coding", BY("value", "code")) ","
       "{\"id\":\"Observation.component:x.code.coding:k\",\"path\":\"Observation.component.code.coding\",\"sliceName\":\"k\",\"min\":1,\"max\":\"1\"},"
       IN("Observation.component:x.code.coding:k.code", "Observation.component.code.coding.code", "\"min\":1,\"fixedCode\":\"x\"") ","
       IN("Observation.component:x.value[x]", "Observation.component.value[x]", "\"min\":1")),
    "{\"resourceType\":\"ImplementationGuide\",\"url\":\"http://t.example/guide\",\"global\":[{\"type\":\"Device\",\"profile\":\"http://t.example/everywhere\"}]}",
    SD("ways", "Observation",
       EL("Observation.subject", "\"type\":[{\"code\":\"Reference\",\"targetProfile\":[\"http://hl7.org/fhir/StructureDefinition/Patient\"],\"aggregation\":[\"contained\"]}]") ","
       EL("Observation.encounter", "\"type\":[{\"code\":\"Reference\",\"aggregation\":[\"referenced\"]}]") ","
       EL("Observation.device", "\"type\":[{\"code\":\"Reference\",\"aggregation\":[\"bundled\"]}]") ","
       EL("Observation.specimen", "\"type\":[{\"code\":\"Reference\",\"versioning\":\"specific\"}]") ","
       EL("Observation.hasMember", "\"type\":[{\"code\":\"Reference\",\"versioning\":\"independent\"}]")),
    SD("drawn", "CarePlan", EL("CarePlan.instantiatesCanonical", "\"type\":[{\"code\":\"canonical\",\"versioning\":\"specific\"}]")),
    EXTENSION("selected", CONTEXT("fhirpath", "name.where(use = 'official').given")),
    EXTENSION("said", CONTEXT("fhirpath", "use.exists() and use = 'official'")),
    EXTENSION("dearer", CONTEXT("fhirpath", "contact.where(%resource.contact.count() > 0)")),
    EXTENSION("unsaid", CONTEXT("fhirpath", "memberOf('http://t.example/none')")),
    EXTENSION("ruled", CONTEXT("element", "HumanName") ",\"contextInvariant\":[\"use = 'official'\",\"%extension.value\"]"),
    /* Less than one expression may take, and more than all of 600 contacts may. */
    SD("dear", "Patient", EL("Patient.contact", "\"constraint\":[{\"key\":\"t-9\",\"severity\":\"error\",\"human\":\"long\","
       "\"expression\":\"%resource.contact.all(%resource.contact.count() > 0)\"}]")),
    /* of several versions the highest counts, wherever it stands */
    VERSION("1.9.0", "twice", "Patient", EL("Patient.photo", "\"max\":\"0\"")),
    VERSION("1.10.0", "twice", "Patient", EL("Patient.gender", "\"min\":1")),
    VERSION("1.10.0-ballot", "twice", "Patient", EL("Patient.birthDate", "\"min\":1")),
    SD("everywhere", "Device", EL("Device.manufacturer", "\"min\":1")),
};
#define PROFILES (sizeof profiles / sizeof profiles[0])

static int
open_pack(void **state)
{
    static const char    sha[32] = "0123456789abcdef0123456789abcde";
    const struct pack   *base;
    struct package_file  files[PROFILES];
    struct buf           out;

    (void)state;
    definitions = arena_new("definitions", (size_t)2 << 30);
    struct span bytes = test_file(definitions, SLUICE_BINARY_DIR "/definitions/r4.pack");
    if (span_empty(bytes))
        return 0;
    assert_int_equal(pack_open(bytes, definitions, &base), ST_OK);
    for (size_t i = 0; i < PROFILES; i++)
        files[i] = (struct package_file){ SPAN("profile.json"), span_of(profiles[i]) };
    struct package_sources sources = { files, PROFILES, SPAN("t#1"), span_from(sha, 32), base };
    struct issues         *issues  = issues_new(definitions, 10);
    buf_init(&out, (size_t)1 << 30);
    enum status st = package_compile(&sources, definitions, issues, &out);
    for (uint32_t i = 0; i < issues_count(issues); i++)
        print_error("%.*s: %.*s: %.*s\n", SPAN_PRINT(issues_at(issues, i)->expression), SPAN_PRINT(issues_at(issues, i)->wanted),
                    SPAN_PRINT(issues_at(issues, i)->found));
    assert_int_equal(st, ST_OK);
    struct span copy = arena_copy(definitions, buf_span(&out));
    buf_release(&out);
    assert_int_equal(pack_open(copy, definitions, &pack), ST_OK);
    return 0;
}

static int
close_pack(void **state)
{
    (void)state;
    arena_free(&definitions);
    return 0;
}

#define P  "{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"f\"}]"
#define O  "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"t\"}"
#define C(code) "{\"coding\":[{\"system\":\"http://t.example/s\",\"code\":\"" code "\"}]}"
#define X  ",\"component\":[{\"code\":" C("x") ",\"valueInteger\":1}]"
#define CLAIM(id) ",\"meta\":{\"profile\":[\"http://t.example/" id "\"]}"
#define ENTRY(id, resource) "{\"fullUrl\":\"http://t.example/fhir/" id "\",\"resource\":" resource "}"
#define BUNDLE(entries) "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" entries "]}"
#define LOINC(code) "{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"" code "\"}]}"
#define PRESSURE(code, unit) \
    "{\"code\":" LOINC(code) ",\"valueQuantity\":{\"value\":90,\"unit\":\"u\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"" unit "\"}}"
#define BLOOD_PRESSURE(unit) \
    "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":" LOINC("85354-9") ",\"subject\":{\"reference\":\"Patient/p\"}," \
    "\"effectiveDateTime\":\"2020-01-01\",\"category\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/observation-category\"," \
    "\"code\":\"vital-signs\"}]}],\"component\":[" PRESSURE("8480-6", unit) "," PRESSURE("8462-4", "mm[Hg]") "]}"

#define HAS(id, value) "\"extension\":[{\"url\":\"http://t.example/" id "\",\"valueBoolean\":" value "}]"
#define N(use, rest) "{\"resourceType\":\"Patient\",\"name\":[{\"use\":\"" use "\"" rest "}]}"

/* The error that there has to be, by its rule; NULL: none. */
static const struct { const char *profile, *json, *rule, *expression; } cases[] = {
    { "plain", P ",\"gender\":\"female\",\"birthDate\":\"2019-12-31\",\"language\":\"de\",\"deceasedBoolean\":true,\"contact\":[{\"name\":{\"text\":\"n\"}}],"
               "\"maritalStatus\":{\"coding\":[{\"code\":\"S\"},{\"code\":\"M\",\"display\":\"d\"}],\"text\":\"t\"}}", NULL, NULL },
    { "plain", "{\"resourceType\":\"Patient\",\"gender\":\"female\"}", "profile:cardinality", "Patient" },
    { "plain", "{\"resourceType\":\"Patient\",\"name\":[{\"text\":\"a\"},{\"text\":\"b\"},{\"text\":\"c\"}]}", "profile:cardinality", "Patient.name[0]" },
    { "plain", P ",\"photo\":[{\"url\":\"http://t.example/p\"}]}", "profile:cardinality", "Patient.photo[0]" },
    { "plain", P ",\"gender\":\"male\"}", "profile:fixed", "Patient.gender" },
    { "plain", P ",\"maritalStatus\":{\"coding\":[{\"code\":\"S\"}]}}", "profile:pattern", "Patient.maritalStatus" },
    { "plain", P ",\"birthDate\":\"2021-01-01\"}", "profile:bounds", "Patient.birthDate" },
    { "plain", P ",\"language\":\"de-CH\"}", "profile:max-length", "Patient.language" },
    { "plain", P ",\"deceasedDateTime\":\"2020\"}", "profile:type", "Patient.deceasedDateTime" },
    { "plain", P ",\"contact\":[{\"gender\":\"male\"}]}", "t-1", "Patient.contact[0]" },
    { "plain|1.2", P "}", NULL, NULL },
    { "twice", P ",\"gender\":\"male\"}", NULL, NULL },
    { "twice", P "}", "profile:cardinality", "Patient" },
    { "twice|1.9.0", P "}", NULL, NULL },
    { "twice|1", P ",\"birthDate\":\"2020\"}", "profile:cardinality", "Patient" },
    { "twice|1.10.0-ballot", P ",\"birthDate\":\"2020\"}", NULL, NULL },
    { "slices", O ",\"category\":[" C("a") "," C("b") "," C("b") "]" X "}", NULL, NULL },
    { "slices", O ",\"category\":[" C("b") "]" X "}", "profile:cardinality", "Observation" },
    { "slices", O ",\"category\":[" C("a") "," C("c") "]" X "}", "profile:slicing", "Observation.category[1]" },
    { "slices", O ",\"category\":[{\"coding\":[{\"code\":\"a\"},{\"code\":\"b\"}]}]" X "}", "profile:slicing", "Observation.category[0]" },
    { "slices", O ",\"category\":[" C("b") "," C("a") "]" X "}", "profile:slicing", "Observation.category[1]" },
    { "slices", O ",\"category\":[" C("a") "],\"component\":[{\"code\":" C("y") ",\"valueInteger\":1}]}", "profile:cardinality", "Observation" },
    { "slices", O ",\"category\":[" C("a") "],\"component\":[{\"code\":" C("x") "}]}", "profile:cardinality", "Observation.component[0]" },
    { "clock", P ",\"birthDate\":\"2026-11-21\"}", NULL, NULL },
    { "clock", P ",\"birthDate\":\"2026-11-24\"}", "t-2", "Patient" },
    { "clock", "{\"resourceType\":\"Patient\",\"birthDate\":\"2000-01-01\",\"name\":[{\"family\":\"O'Hara\"}]}", NULL, NULL },
    { "clock", "{\"resourceType\":\"Patient\",\"birthDate\":\"2000-01-01\",\"name\":[{\"family\":\"of\"}]}", "regex", "Patient.name[0].family" },
    { "inner", O X "}", NULL, NULL },
    { "inner", O ",\"component\":[{\"code\":" C("y") "}]}", NULL, NULL },
    { "inner", O ",\"component\":[{\"code\":" C("x") "}]}", "profile:cardinality", "Observation.component[0]" },
    { "inner", O ",\"component\":[{\"code\":" C("x") ",\"valueInteger\":1},{\"code\":" C("x") ",\"valueInteger\":2}]}", "profile:cardinality", "Observation.component[0]" },
    { NULL, BLOOD_PRESSURE("mm[Hg]"), NULL, NULL },
    { NULL, BLOOD_PRESSURE("kg"), "profile:fixed", "Observation.component[0].valueQuantity.code" },
    { "types", O ",\"valueQuantity\":{\"value\":1,\"system\":\"http://unitsofmeasure.org\",\"code\":\"kg\"}}", NULL, NULL },
    { "types", O ",\"valueString\":\"s\"}", NULL, NULL },
    { "types", O ",\"valueQuantity\":{\"value\":1}}", "profile:cardinality", "Observation.valueQuantity" },
    { NULL, P CLAIM("plain") ",\"gender\":\"male\"}", "profile:fixed", "Patient.gender" },
    { NULL, BUNDLE(ENTRY("Patient/p", "{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":[{\"text\":\"a\"}]}") ","
                   ENTRY("Observation/m", O ",\"id\":\"m\",\"category\":[" C("a") "]" X "}") ","
                   ENTRY("Observation/o", O CLAIM("whose") ",\"id\":\"o\",\"subject\":{\"reference\":\"Patient/p\"},\"hasMember\":[{\"reference\":\"Observation/m\"}]}")),
      NULL, NULL },
    { NULL, BUNDLE(ENTRY("Patient/p", "{\"resourceType\":\"Patient\",\"id\":\"p\"}") ","
                   ENTRY("Observation/m", O ",\"id\":\"m\",\"category\":[" C("a") "]" X "}") ","
                   ENTRY("Observation/o", O CLAIM("whose") ",\"id\":\"o\",\"subject\":{\"reference\":\"Patient/p\"},\"hasMember\":[{\"reference\":\"Observation/m\"}]}")),
      "profile:target", "Bundle.entry[2].resource.subject" },
    { NULL, BUNDLE(ENTRY("Patient/p", "{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":[{\"text\":\"a\"}]}") ","
                   ENTRY("Observation/m", O ",\"id\":\"m\"}") ","
                   ENTRY("Observation/o", O CLAIM("whose") ",\"id\":\"o\",\"subject\":{\"reference\":\"Patient/p\"},\"hasMember\":[{\"reference\":\"Observation/m\"}]}")),
      "profile:cardinality", "Bundle.entry[2].resource" },
    /* contexts in FHIRPath: what they select, what they say of the element; contextInvariant */
    { NULL, N("official", ",\"given\":[\"a\",\"b\"],\"_given\":[null,{" HAS("selected", "true") "}]"), NULL, NULL },
    { NULL, N("usual", ",\"given\":[\"a\",\"b\"],\"_given\":[null,{" HAS("selected", "true") "}]"), "extension-context", "Patient.name[0].given[1]" },
    { NULL, N("official", "," HAS("selected", "true")), "extension-context", "Patient.name[0]" },
    { NULL, N("official", "," HAS("said", "true")), NULL, NULL },
    { NULL, N("usual", "," HAS("said", "true")), "extension-context", "Patient.name[0]" },
    { NULL, N("usual", "," HAS("unsaid", "true")), NULL, NULL },                        /* undecided: a warning */
    { NULL, N("official", "," HAS("ruled", "true")), NULL, NULL },
    { NULL, N("usual", "," HAS("ruled", "true")), "extension-context", "Patient.name[0]" },
    { NULL, N("official", "," HAS("ruled", "false")), "extension-context", "Patient.name[0]" },
    { NULL, "{\"resourceType\":\"Patient\",\"contact\":[{" HAS("ruled", "true") "}]}", "extension-context", "Patient.contact[0]" },
    /* aggregation, versioning */
    { "ways", O ",\"subject\":{\"reference\":\"#p\"},\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"p\"}],\"encounter\":{\"reference\":\"Encounter/e\"},"
              "\"specimen\":{\"reference\":\"Specimen/s/_history/1\"},\"hasMember\":[{\"reference\":\"Observation/o\"}]}", NULL, NULL },
    { "ways", O ",\"subject\":{\"display\":\"d\"},\"specimen\":{\"display\":\"d\"}}", NULL, NULL },
    { "ways", O ",\"subject\":{\"reference\":\"Patient/p\"}}", "profile:aggregation", "Observation.subject" },
    { "ways", O ",\"encounter\":{\"reference\":\"#e\"},\"contained\":[{\"resourceType\":\"Encounter\",\"id\":\"e\",\"status\":\"planned\",\"class\":{\"code\":\"AMB\"}}]}",
      "profile:aggregation", "Observation.encounter" },
    { "ways", O ",\"device\":{\"reference\":\"Device/d\"}}", NULL, NULL },             /* its Bundle is not known */
    { NULL, BUNDLE(ENTRY("Observation/o", O CLAIM("ways") ",\"id\":\"o\",\"device\":{\"reference\":\"Device/d\"}}")), "profile:aggregation", "Bundle.entry[0].resource.device" },
    { NULL, BUNDLE(ENTRY("Observation/o", O CLAIM("ways") ",\"id\":\"o\",\"device\":{\"reference\":\"Device/d\"},\"encounter\":{\"reference\":\"Encounter/e\"}}") ","
                   ENTRY("Device/d", "{\"resourceType\":\"Device\",\"id\":\"d\",\"manufacturer\":\"m\"}") ","
                   ENTRY("Encounter/e", "{\"resourceType\":\"Encounter\",\"id\":\"e\",\"status\":\"planned\",\"class\":{\"code\":\"AMB\"}}")), NULL, NULL },
    { "ways", O ",\"specimen\":{\"reference\":\"Specimen/s\"}}", "profile:versioning", "Observation.specimen" },
    { "ways", O ",\"hasMember\":[{\"reference\":\"Observation/o/_history/1\"}]}", "profile:versioning", "Observation.hasMember[0]" },
    { "drawn", "{\"resourceType\":\"CarePlan\",\"status\":\"draft\",\"intent\":\"plan\",\"subject\":{\"display\":\"d\"},\"instantiatesCanonical\":[\"http://t.example/x|1\"]}", NULL, NULL },
    { "drawn", "{\"resourceType\":\"CarePlan\",\"status\":\"draft\",\"intent\":\"plan\",\"subject\":{\"display\":\"d\"},\"instantiatesCanonical\":[\"http://t.example/x\"]}",
      "profile:versioning", "CarePlan.instantiatesCanonical[0]" },
    { NULL, "{\"resourceType\":\"Device\"}", "profile:cardinality", "Device" },
    { NULL, "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"8867-4\"}]}}",
      "profile:cardinality", "Observation" },
};

static void
check(size_t i)
{
    struct arena           *arena   = test_arena();
    struct issues          *issues  = issues_new(arena, 100);
    struct span             profile = cases[i].profile != NULL ? arena_format(arena, "http://t.example/%s", cases[i].profile) : (struct span){ NULL, 0 };
    struct validate_options options = { .profiles = &profile, .profile_count = cases[i].profile != NULL,
                                        .now_ms = INT64_C(1795360530123) };
    const struct bundle    *bundle;
    bool                    found = cases[i].rule == NULL;

    assert_int_equal(bundle_read(test_tape(arena, span_of(cases[i].json)), arena, issues, &bundle), ST_OK);
    assert_int_equal(validate(pack, bundle, &options, arena, issues), ST_OK);
    for (uint32_t k = 0; k < issues_count(issues); k++) {
        const struct issue *one = issues_at(issues, k);
        if (one->severity > SEVERITY_ERROR)
            continue;
        if (cases[i].rule == NULL)
            fail_msg("case %zu: %s at %.*s: %.*s", i, one->rule, SPAN_PRINT(one->expression), SPAN_PRINT(one->wanted));
        found = found || (strcmp(one->rule, cases[i].rule) == 0 && span_eq_text(one->expression, cases[i].expression));
    }
    if (!found)
        fail_msg("case %zu: want %s at %s among %u findings, first %s at %.*s", i, cases[i].rule, cases[i].expression, issues_count(issues),
                 issues_count(issues) > 0 ? issues_at(issues, 0)->rule : "none",
                 SPAN_PRINT(issues_count(issues) > 0 ? issues_at(issues, 0)->expression : SPAN("")));
    arena_free(&arena);
}

static void
test_profiles_are_asked(void **state)
{
    (void)state;
    if (pack == NULL)
        skip();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(i);
}

/* An invariant that asks the clock is undecided when nobody says the time. */
static void
test_without_a_clock_today_is_undecided(void **state)
{
    struct arena           *arena   = test_arena();
    struct issues          *issues  = issues_new(arena, 10);
    struct span             profile = SPAN("http://t.example/clock");
    struct validate_options options = { .profiles = &profile, .profile_count = 1 };
    const struct bundle    *bundle;

    (void)state;
    if (pack == NULL)
        skip();
    assert_int_equal(bundle_read(test_tape(arena, SPAN(P ",\"birthDate\":\"2099-01-01\"}")), arena, issues, &bundle), ST_OK);
    assert_int_equal(validate(pack, bundle, &options, arena, issues), ST_OK);
    assert_false(issues_have_errors(issues));
    assert_int_equal(issues_count(issues), 1);
    assert_string_equal(issues_at(issues, 0)->rule, "t-2");
    arena_free(&arena);
}

/* Observations whose members are each other: each is asked once. */
static void
test_circles_of_references_end(void **state)
{
    struct arena        *arena  = test_arena();
    struct issues       *issues = issues_new(arena, 10);
    const struct bundle *bundle;
    struct buf           json;

    (void)state;
    if (pack == NULL)
        skip();
    buf_init(&json, 1 << 20);
    buf_add_text(&json, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[");
    for (unsigned i = 0; i < 100; i++)
        buf_add_format(&json, "%s" ENTRY("Observation/o%u", O CLAIM("whose") ",\"id\":\"o%u\",\"hasMember\":[{\"reference\":\"Observation/o%u\"}]}"),
                       i > 0 ? "," : "", i, i, (i + 1) % 100);
    buf_add_text(&json, "]}");
    assert_int_equal(bundle_read(test_tape(arena, buf_span(&json)), arena, issues, &bundle), ST_OK);
    assert_int_equal(validate(pack, bundle, NULL, arena, issues), ST_OK);
    assert_true(issues_have_errors(issues));
    for (uint32_t i = 0; i < issues_count(issues); i++)
        assert_string_not_equal(issues_at(issues, i)->rule, "profile:cost");
    buf_release(&json);
    arena_free(&arena);
}

static void
test_invariants_of_a_document_share_their_steps(void **state)
{
    static const struct { unsigned contacts; const char *claim, *contact, *rule; } rows[] = {
        { 20, CLAIM("dear"), "{\"name\":{\"text\":\"n\"}}", NULL },
        { 600, CLAIM("dear"), "{\"name\":{\"text\":\"n\"}}", "t-9" },
        { 20, "", "{\"name\":{\"text\":\"n\"}," HAS("dearer", "true") "}", NULL },
        { 600, "", "{\"name\":{\"text\":\"n\"}," HAS("dearer", "true") "}", "extension-context" },
    };

    (void)state;
    if (pack == NULL)
        skip();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena        *arena  = test_arena();
        struct issues       *issues = issues_new(arena, 10);
        const struct bundle *bundle;
        struct buf           json;
        buf_init(&json, 1 << 20);
        buf_add_format(&json, P "%s,\"contact\":[", rows[i].claim);
        for (unsigned k = 0; k < rows[i].contacts; k++)
            buf_add_format(&json, "%s%s", k > 0 ? "," : "", rows[i].contact);
        buf_add_text(&json, "]}");
        assert_int_equal(bundle_read(test_tape(arena, buf_span(&json)), arena, issues, &bundle), ST_OK);
        assert_int_equal(validate(pack, bundle, NULL, arena, issues), ST_OK);
        assert_int_equal(issues_have_errors(issues), rows[i].rule != NULL);
        if (rows[i].rule != NULL)
            assert_string_equal(issues_at(issues, 0)->rule, rows[i].rule);
        buf_release(&json);
        arena_free(&arena);
    }
}

/* What was not looked at for lack of steps is never right. */
static void
test_spent_steps_are_an_error(void **state)
{
    struct arena        *arena  = test_arena();
    struct issues       *issues = issues_new(arena, 10);
    const struct bundle *bundle;

    (void)state;
    if (pack == NULL)
        skip();
    assert_int_equal(bundle_read(test_tape(arena, span_of(O CLAIM("slices") ",\"category\":[" C("a") "]" X "}")), arena, issues, &bundle), ST_OK);
    for (uint64_t steps = 1; steps < 1000; steps++) {
        struct report    report;
        struct profiling run;
        issues = issues_new(arena, 10);
        report_init(&report, bundle, arena, issues, 10);
        profiling_init(&run, pack, bundle, arena, &report);
        run.steps = steps;
        profiling_resources(&run, NULL, 0, bundle_resources(bundle));
        profiling_end(&run);
        assert_int_equal(issues_have_errors(issues), run.steps == 0);
        if (run.steps > 0)
            break;
        assert_string_equal(issues_at(issues, issues_count(issues) - 1)->rule, "profile:cost");
        assert_true(steps < 999);
    }
    arena_free(&arena);
}

static void
test_a_profile_has_a_type(void **state)
{
    (void)state;
    if (pack == NULL)
        skip();
    assert_text(pack_profile_type(pack, SPAN("http://t.example/slices")), "Observation");
    assert_text(pack_profile_type(pack, SPAN("http://t.example/slices|1.2.0")), "Observation");
    assert_text(pack_profile_type(pack, SPAN("http://hl7.org/fhir/StructureDefinition/Patient")), "Patient");
    assert_int_equal(pack_profile_type(pack, SPAN("http://t.example/slices|2")).length, 0);
    assert_int_equal(pack_profile_type(pack, SPAN("http://t.example/none")).length, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_profiles_are_asked),
        cmocka_unit_test(test_without_a_clock_today_is_undecided),
        cmocka_unit_test(test_circles_of_references_end),
        cmocka_unit_test(test_invariants_of_a_document_share_their_steps),
        cmocka_unit_test(test_spent_steps_are_an_error),
        cmocka_unit_test(test_a_profile_has_a_type),
    };

    return cmocka_run_group_tests(tests, open_pack, close_pack);
}
