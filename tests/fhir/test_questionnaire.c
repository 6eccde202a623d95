#include "tests/fhir/fhir_check.h"

#include "base/buf.h"
#include "fhir/pack_forms.h"
#include "fhir/package.h"
#include "fhir/questionnaire.h"

/* ---- a Questionnaire and a response to it ----------------------------------------------- */

#define URL  "http://site.example/Questionnaire/q"
#define CODE(system, code) "{\"system\":\"" system "\",\"code\":\"" code "\"}"

/* Groups, conditions, options: linkIds say what they are for. */
static const char questionnaire[] =
    "{\"resourceType\":\"Questionnaire\",\"url\":\"" URL "\",\"version\":\"2\",\"status\":\"active\","
    "\"effectivePeriod\":{\"start\":\"2020\",\"end\":\"2030-06\"},"
    "\"contained\":[{\"resourceType\":\"ValueSet\",\"id\":\"vs\",\"status\":\"active\",\"compose\":{\"include\":["
      "{\"system\":\"urn:s\",\"concept\":[{\"code\":\"x\"},{\"code\":\"y\"}]}]}}],"
    "\"item\":["
    "{\"linkId\":\"g\",\"type\":\"group\",\"text\":\"Group\",\"required\":true,\"item\":["
      "{\"linkId\":\"bool\",\"type\":\"boolean\",\"required\":true},"
      "{\"linkId\":\"int\",\"type\":\"integer\","
        "\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/minValue\",\"valueInteger\":1},"
                       "{\"url\":\"http://hl7.org/fhir/StructureDefinition/maxValue\",\"valueInteger\":10}]},"
      "{\"linkId\":\"dec\",\"type\":\"decimal\",\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/maxDecimalPlaces\",\"valueInteger\":2}]},"
      "{\"linkId\":\"str\",\"type\":\"string\",\"maxLength\":5,\"repeats\":true,"
        "\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/minLength\",\"valueInteger\":2},"
                       "{\"url\":\"http://hl7.org/fhir/StructureDefinition/regex\",\"valueString\":\"[a-z]+\"},"
                       "{\"url\":\"http://hl7.org/fhir/StructureDefinition/questionnaire-maxOccurs\",\"valueInteger\":2}]}]},"
    "{\"linkId\":\"options\",\"type\":\"choice\",\"answerOption\":[{\"valueCoding\":" CODE("urn:s", "a") "},"
      "{\"valueCoding\":" CODE("urn:s", "b") "},{\"valueString\":\"other\"}]},"
    "{\"linkId\":\"contained\",\"type\":\"choice\",\"answerValueSet\":\"#vs\"},"
    "{\"linkId\":\"open\",\"type\":\"open-choice\",\"answerOption\":[{\"valueCoding\":" CODE("urn:s", "a") "}]},"
    "{\"linkId\":\"set\",\"type\":\"choice\",\"answerValueSet\":\"urn:set\"},"
    "{\"linkId\":\"when\",\"type\":\"string\",\"required\":true,\"enableWhen\":[{\"question\":\"bool\",\"operator\":\"=\",\"answerBoolean\":true}]},"
    "{\"linkId\":\"all\",\"type\":\"string\",\"enableBehavior\":\"all\",\"enableWhen\":["
      "{\"question\":\"int\",\"operator\":\">\",\"answerInteger\":3},{\"question\":\"int\",\"operator\":\"<=\",\"answerInteger\":5}]},"
    "{\"linkId\":\"any\",\"type\":\"string\",\"enableBehavior\":\"any\",\"enableWhen\":["
      "{\"question\":\"int\",\"operator\":\"exists\",\"answerBoolean\":false},{\"question\":\"options\",\"operator\":\"!=\",\"answerCoding\":" CODE("urn:s", "a") "}]},"
    "{\"linkId\":\"outer\",\"type\":\"group\",\"repeats\":true,\"item\":["
      "{\"linkId\":\"inner\",\"type\":\"date\"},"
      "{\"linkId\":\"near\",\"type\":\"string\",\"enableWhen\":[{\"question\":\"inner\",\"operator\":\">\",\"answerDate\":\"2020-01-15\"}]}]},"
    "{\"linkId\":\"parent\",\"type\":\"boolean\",\"item\":[{\"linkId\":\"child\",\"type\":\"string\",\"required\":true}]},"
    "{\"linkId\":\"show\",\"type\":\"display\",\"text\":\"Read this\"},"
    "{\"linkId\":\"fixed\",\"type\":\"integer\",\"readOnly\":true,\"initial\":[{\"valueInteger\":7}]},"
    "{\"linkId\":\"kg\",\"type\":\"quantity\",\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/questionnaire-unitOption\",\"valueCoding\":" CODE("http://unitsofmeasure.org", "kg") "}]},"
    "{\"linkId\":\"unit-set\",\"type\":\"quantity\",\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/questionnaire-unitValueSet\",\"valueCanonical\":\"urn:set\"}]},"
    "{\"linkId\":\"photo\",\"type\":\"attachment\",\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/mimeType\",\"valueCode\":\"image/*\"}]},"
    "{\"linkId\":\"file\",\"type\":\"attachment\",\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/mimeType\",\"valueCode\":\"image/png\"},"
                                                            "{\"url\":\"http://hl7.org/fhir/StructureDefinition/maxSize\",\"valueDecimal\":0.5}]},"
    "{\"linkId\":\"tiny\",\"type\":\"attachment\",\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/maxSize\",\"valueDecimal\":0.000004}]},"
    "{\"linkId\":\"said\",\"type\":\"string\",\"required\":true,\"extension\":[{\"url\":\"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression\",\"valueExpression\":{\"language\":\"text/fhirpath\",\"expression\":\"false\"}}]}"
    "]}";

#define QR(status, items) "{\"resourceType\":\"QuestionnaireResponse\",\"questionnaire\":\"" URL "\",\"status\":\"" status "\",\"item\":[" items "]}"
#define ITEM(link, more)  "{\"linkId\":\"" link "\"," more "}"
#define ANSWER(value)     "\"answer\":[{" value "}]"
#define GROUP(items)      ITEM("g", "\"item\":[" ITEM("bool", ANSWER("\"valueBoolean\":false")) items "]")
#define DONE(items)       QR("completed", items)
#define AFTER(items)      DONE(GROUP("") "," items)

static const struct { const char *json, *rule, *expression; enum severity severity; } cases[] = {
    { DONE(GROUP("")), NULL, NULL, 0 },
    { DONE(GROUP("," ITEM("int", ANSWER("\"valueInteger\":2")) "," ITEM("str", "\"answer\":[{\"valueString\":\"ab\"},{\"valueString\":\"cd\"}]"))), NULL, NULL, 0 },
    /* linkid, order */
    { AFTER(ITEM("nowhere", ANSWER("\"valueInteger\":1"))), "questionnaire-linkid", "QuestionnaireResponse.item[1]", SEVERITY_ERROR },
    { AFTER(ITEM("int", ANSWER("\"valueInteger\":1"))), "questionnaire-linkid", "QuestionnaireResponse.item[1]", SEVERITY_ERROR },
    { AFTER(ITEM("open", ANSWER("\"valueString\":\"a\"")) "," ITEM("options", ANSWER("\"valueString\":\"other\""))), "questionnaire-order", "QuestionnaireResponse.item[2]", SEVERITY_ERROR },
    /* type */
    { AFTER(ITEM("parent", ANSWER("\"valueInteger\":1,\"item\":[" ITEM("child", ANSWER("\"valueString\":\"a\"")) "]"))), "questionnaire-type", "QuestionnaireResponse.item[1].answer[0].valueInteger", SEVERITY_ERROR },
    { AFTER(ITEM("options", ANSWER("\"valueCode\":\"a\""))), "questionnaire-type", "QuestionnaireResponse.item[1].answer[0].valueCode", SEVERITY_ERROR },
    { AFTER(ITEM("outer", ANSWER("\"valueInteger\":1"))), "questionnaire-type", "QuestionnaireResponse.item[1].answer", SEVERITY_ERROR },
    { AFTER(ITEM("show", ANSWER("\"valueInteger\":1"))), "questionnaire-type", "QuestionnaireResponse.item[1].answer", SEVERITY_ERROR },
    { AFTER(ITEM("show", "\"text\":\"Read this\"")), NULL, NULL, 0 },
    { AFTER(ITEM("parent", ANSWER("\"valueBoolean\":true,\"item\":[" ITEM("child", ANSWER("\"valueString\":\"a\"")) "]"))), NULL, NULL, 0 },
    /* required */
    { DONE(""), "questionnaire-required", "QuestionnaireResponse", SEVERITY_ERROR },
    { QR("in-progress", ""), "questionnaire-required", "QuestionnaireResponse", SEVERITY_WARNING },
    { DONE(ITEM("g", "\"item\":[" ITEM("int", ANSWER("\"valueInteger\":1")) "]")), "questionnaire-required", "QuestionnaireResponse.item[0]", SEVERITY_ERROR },
    { AFTER(ITEM("parent", ANSWER("\"valueBoolean\":true"))), "questionnaire-required", "QuestionnaireResponse.item[1].answer[0]", SEVERITY_ERROR },
    { DONE(ITEM("g", "\"item\":[" ITEM("bool", ANSWER("\"valueBoolean\":true")) "]")), "questionnaire-required", "QuestionnaireResponse", SEVERITY_ERROR },
    { DONE(ITEM("g", "\"item\":[" ITEM("bool", ANSWER("\"valueBoolean\":true")) "]") "," ITEM("when", ANSWER("\"valueString\":\"a\""))), NULL, NULL, 0 },
    /* repeats */
    { AFTER(ITEM("options", "\"answer\":[{\"valueString\":\"other\"},{\"valueString\":\"other\"}]")), "questionnaire-repeats", "QuestionnaireResponse.item[1].answer", SEVERITY_ERROR },
    { AFTER(ITEM("options", ANSWER("\"valueString\":\"other\"")) "," ITEM("options", ANSWER("\"valueString\":\"other\""))), "questionnaire-repeats", "QuestionnaireResponse.item[2]", SEVERITY_ERROR },
    { DONE(GROUP("," ITEM("str", "\"answer\":[{\"valueString\":\"ab\"},{\"valueString\":\"cd\"},{\"valueString\":\"ef\"}]"))), "questionnaire-repeats", "QuestionnaireResponse.item[0].item[1].answer", SEVERITY_ERROR },
    /* options */
    { AFTER(ITEM("options", ANSWER("\"valueCoding\":" CODE("urn:s", "b")))), NULL, NULL, 0 },
    { AFTER(ITEM("options", ANSWER("\"valueCoding\":" CODE("urn:s", "c")))), "questionnaire-option", "QuestionnaireResponse.item[1].answer[0].valueCoding", SEVERITY_ERROR },
    { AFTER(ITEM("options", ANSWER("\"valueCoding\":" CODE("urn:t", "a")))), "questionnaire-option", "QuestionnaireResponse.item[1].answer[0].valueCoding", SEVERITY_ERROR },
    { AFTER(ITEM("options", ANSWER("\"valueString\":\"another\""))), "questionnaire-option", "QuestionnaireResponse.item[1].answer[0].valueString", SEVERITY_ERROR },
    { AFTER(ITEM("contained", ANSWER("\"valueCoding\":" CODE("urn:s", "y")))), NULL, NULL, 0 },
    { AFTER(ITEM("contained", ANSWER("\"valueCoding\":" CODE("urn:s", "z")))), "questionnaire-option", "QuestionnaireResponse.item[1].answer[0].valueCoding", SEVERITY_ERROR },
    { AFTER(ITEM("open", ANSWER("\"valueString\":\"anything\""))), NULL, NULL, 0 },
    { AFTER(ITEM("open", ANSWER("\"valueCoding\":" CODE("urn:s", "b")))), "questionnaire-option", "QuestionnaireResponse.item[1].answer[0].valueCoding", SEVERITY_ERROR },
    { AFTER(ITEM("set", ANSWER("\"valueCoding\":" CODE("urn:s", "yes")))), NULL, NULL, 0 },
    { AFTER(ITEM("set", ANSWER("\"valueCoding\":" CODE("urn:s", "no")))), "questionnaire-option", "QuestionnaireResponse.item[1].answer[0].valueCoding", SEVERITY_ERROR },
    { AFTER(ITEM("set", ANSWER("\"valueCoding\":" CODE("urn:s", "who knows")))), NULL, NULL, 0 },
    /* enabled */
    { AFTER(ITEM("when", ANSWER("\"valueString\":\"a\""))), "questionnaire-enabled", "QuestionnaireResponse.item[1]", SEVERITY_ERROR },
    { AFTER(ITEM("when", "\"text\":\"nothing said\"")), "questionnaire-text", "QuestionnaireResponse.item[1].text", SEVERITY_WARNING },
    { DONE(GROUP("," ITEM("int", ANSWER("\"valueInteger\":5"))) "," ITEM("all", ANSWER("\"valueString\":\"a\""))), NULL, NULL, 0 },
    { DONE(GROUP("," ITEM("int", ANSWER("\"valueInteger\":6"))) "," ITEM("all", ANSWER("\"valueString\":\"a\""))), "questionnaire-enabled", "QuestionnaireResponse.item[1]", SEVERITY_ERROR },
    { AFTER(ITEM("all", ANSWER("\"valueString\":\"a\""))), "questionnaire-enabled", "QuestionnaireResponse.item[1]", SEVERITY_ERROR },
    { AFTER(ITEM("any", ANSWER("\"valueString\":\"a\""))), NULL, NULL, 0 },
    { DONE(GROUP("," ITEM("int", ANSWER("\"valueInteger\":6"))) "," ITEM("any", ANSWER("\"valueString\":\"a\""))), "questionnaire-enabled", "QuestionnaireResponse.item[1]", SEVERITY_ERROR },
    { DONE(GROUP("," ITEM("int", ANSWER("\"valueInteger\":6"))) "," ITEM("options", ANSWER("\"valueCoding\":" CODE("urn:s", "b"))) "," ITEM("any", ANSWER("\"valueString\":\"a\""))), NULL, NULL, 0 },
    /* the nearest question around */
    { AFTER(ITEM("outer", "\"item\":[" ITEM("inner", ANSWER("\"valueDate\":\"2020-01-16\"")) "," ITEM("near", ANSWER("\"valueString\":\"a\"")) "]") ","
            ITEM("outer", "\"item\":[" ITEM("inner", ANSWER("\"valueDate\":\"2020-01-10\"")) "]")), NULL, NULL, 0 },
    { AFTER(ITEM("outer", "\"item\":[" ITEM("inner", ANSWER("\"valueDate\":\"2020-01-16\"")) "]") ","
            ITEM("outer", "\"item\":[" ITEM("inner", ANSWER("\"valueDate\":\"2020-01-10\"")) "," ITEM("near", ANSWER("\"valueString\":\"a\"")) "]")),
      "questionnaire-enabled", "QuestionnaireResponse.item[2].item[1]", SEVERITY_ERROR },
    { AFTER(ITEM("outer", "\"item\":[" ITEM("inner", ANSWER("\"valueDate\":\"2020-01\"")) "," ITEM("near", ANSWER("\"valueString\":\"a\"")) "]")), NULL, NULL, 0 },
    /* value */
    { DONE(GROUP("," ITEM("int", ANSWER("\"valueInteger\":11")))), "questionnaire-value", "QuestionnaireResponse.item[0].item[1].answer[0].valueInteger", SEVERITY_ERROR },
    { DONE(GROUP("," ITEM("int", ANSWER("\"valueInteger\":0")))), "questionnaire-value", "QuestionnaireResponse.item[0].item[1].answer[0].valueInteger", SEVERITY_ERROR },
    { DONE(GROUP("," ITEM("dec", ANSWER("\"valueDecimal\":1.25")))), NULL, NULL, 0 },
    { DONE(GROUP("," ITEM("dec", ANSWER("\"valueDecimal\":1.250")))), "questionnaire-value", "QuestionnaireResponse.item[0].item[1].answer[0].valueDecimal", SEVERITY_ERROR },
    { DONE(GROUP("," ITEM("str", ANSWER("\"valueString\":\"abcdef\"")))), "questionnaire-value", "QuestionnaireResponse.item[0].item[1].answer[0].valueString", SEVERITY_ERROR },
    { DONE(GROUP("," ITEM("str", ANSWER("\"valueString\":\"a\"")))), "questionnaire-value", "QuestionnaireResponse.item[0].item[1].answer[0].valueString", SEVERITY_ERROR },
    { DONE(GROUP("," ITEM("str", ANSWER("\"valueString\":\"a1\"")))), "questionnaire-value", "QuestionnaireResponse.item[0].item[1].answer[0].valueString", SEVERITY_ERROR },
    { AFTER(ITEM("unit-set", ANSWER("\"valueQuantity\":{\"value\":1,\"system\":\"urn:s\",\"code\":\"yes\"}"))), NULL, NULL, 0 },
    { AFTER(ITEM("unit-set", ANSWER("\"valueQuantity\":{\"value\":1,\"system\":\"urn:s\",\"code\":\"perhaps\"}"))), NULL, NULL, 0 },
    { AFTER(ITEM("unit-set", ANSWER("\"valueQuantity\":{\"value\":1,\"unit\":\"no\"}"))), NULL, NULL, 0 },
    { AFTER(ITEM("unit-set", ANSWER("\"valueQuantity\":{\"value\":1,\"system\":\"urn:s\",\"code\":\"no\"}"))), "questionnaire-value", "QuestionnaireResponse.item[1].answer[0].valueQuantity", SEVERITY_ERROR },
    { AFTER(ITEM("photo", ANSWER("\"valueAttachment\":{\"contentType\":\"image/png\"}"))), NULL, NULL, 0 },
    { AFTER(ITEM("photo", ANSWER("\"valueAttachment\":{\"contentType\":\"text/plain\"}"))), "questionnaire-value", "QuestionnaireResponse.item[1].answer[0].valueAttachment", SEVERITY_ERROR },
    { AFTER(ITEM("kg", ANSWER("\"valueQuantity\":{\"value\":1,\"system\":\"http://unitsofmeasure.org\",\"code\":\"kg\"}"))), NULL, NULL, 0 },
    { AFTER(ITEM("kg", ANSWER("\"valueQuantity\":{\"value\":1,\"system\":\"http://unitsofmeasure.org\",\"code\":\"g\"}"))), "questionnaire-value", "QuestionnaireResponse.item[1].answer[0].valueQuantity", SEVERITY_ERROR },
    { AFTER(ITEM("file", ANSWER("\"valueAttachment\":{\"contentType\":\"image/png\",\"size\":500000}"))), NULL, NULL, 0 },
    { AFTER(ITEM("file", ANSWER("\"valueAttachment\":{\"contentType\":\"image/png\",\"size\":500001}"))), "questionnaire-value", "QuestionnaireResponse.item[1].answer[0].valueAttachment", SEVERITY_ERROR },
    { AFTER(ITEM("file", ANSWER("\"valueAttachment\":{\"contentType\":\"image/jpeg\"}"))), "questionnaire-value", "QuestionnaireResponse.item[1].answer[0].valueAttachment", SEVERITY_ERROR },
    { AFTER(ITEM("tiny", ANSWER("\"valueAttachment\":{\"data\":\"YWJjZA==\"}"))), NULL, NULL, 0 },
    { AFTER(ITEM("tiny", ANSWER("\"valueAttachment\":{\"data\":\"YWJjZGU=\"}"))), "questionnaire-value", "QuestionnaireResponse.item[1].answer[0].valueAttachment", SEVERITY_ERROR },
    /* initial, text, no value with a reason */
    { AFTER(ITEM("fixed", ANSWER("\"valueInteger\":7"))), NULL, NULL, 0 },
    { AFTER(ITEM("fixed", ANSWER("\"valueInteger\":8"))), "questionnaire-initial", "QuestionnaireResponse.item[1].answer[0].valueInteger", SEVERITY_WARNING },
    { AFTER(ITEM("fixed", ANSWER("\"_valueInteger\":{\"extension\":[{\"url\":\"urn:a\",\"valueCode\":\"masked\"}]}"))), NULL, NULL, 0 },
    { AFTER(ITEM("said", ANSWER("\"valueString\":\"a\""))), NULL, NULL, 0 },
    /* malformed: the validator's matter, walked safely here */
    { DONE(GROUP("") ",5,[],{}"), "questionnaire-linkid", "QuestionnaireResponse.item[3]", SEVERITY_ERROR },
    { AFTER("{\"linkId\":\"options\",\"answer\":{\"valueString\":5}}"), NULL, NULL, 0 },
};

/* ---- running it ------------------------------------------------------------------------- */

static const struct form *
loaded(const void *with, struct span url, struct span version, struct arena *arena)
{
    const struct form *form = with;

    (void)arena;
    return span_eq(url, SPAN(URL)) && (span_empty(version) || span_eq(version, SPAN("2"))) ? form : NULL;
}

static enum form_member
member(const void *with, struct span value_set, struct span system, struct span code)
{
    (void)with;
    assert_text(value_set, "urn:set");
    assert_text(system, "urn:s");
    return span_eq(code, SPAN("yes")) ? FORM_MEMBER_YES : span_eq(code, SPAN("no")) ? FORM_MEMBER_NO : FORM_MEMBER_UNKNOWN;
}

/* Where definitions are when a test gives none. */
static struct form_source of_pack;

static struct issues *
check(struct arena *arena, const char *json, const char *form)
{
    struct issues       *issues = issues_new(arena, 100);
    const struct tape   *tape   = test_tape(arena, form != NULL ? span_of(form) : SPAN("{}"));
    const struct bundle *bundle;
    struct report        report;
    struct form_source   source = { loaded, member, NULL };

    source.with = form_read(tape, tape_parents(tape, arena), TAPE_ROOT, arena);
    if (form == NULL)
        source = of_pack;
    assert_int_equal(bundle_read(test_tape(arena, span_of(json)), arena, issues, &bundle), ST_OK);
    report_init(&report, bundle, arena, issues, 1000);
    assert_int_equal(questionnaires_check(&report, &source, (struct resource_range){ 0, bundle_resources(bundle) }), ST_OK);
    return issues;
}

static void
expect(const char *json, const char *form, const char *rule, const char *expression, enum severity severity)
{
    struct arena       *arena  = test_arena();
    struct issues      *issues = check(arena, json, form);
    const struct issue *one    = issues_at(issues, 0);

    if (issues_count(issues) != (rule != NULL) || (rule != NULL && strcmp(one->rule, rule) != 0))
        fail_msg("%s\n%u findings: %s at %.*s: %.*s", json, issues_count(issues), one != NULL ? one->rule : "",
                 SPAN_PRINT(one != NULL ? one->expression : SPAN("")), SPAN_PRINT(one != NULL ? one->wanted : SPAN("")));
    if (rule != NULL) {
        assert_text(one->expression, expression);
        assert_int_equal(one->severity, severity);
    }
    arena_free(&arena);
}

static void
test_checks_a_response_against_its_questionnaire(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(cases[i].json, questionnaire, cases[i].rule, cases[i].expression, cases[i].severity);
}

/* The same from a pack that was compiled on top of R4; of value sets it knows none. */
static void
test_a_questionnaire_of_a_pack_says_the_same(void **state)
{
    struct arena        *arena = arena_new("pack", (size_t)256 << 20);
    struct span          bytes = test_file(arena, SLUICE_BINARY_DIR "/definitions/r4.pack");
    struct package_file  file  = { .name = SPAN("q.json"), .bytes = span_of(questionnaire) };
    const struct pack   *r4, *pack;
    struct buf           out;

    (void)state;
    if (span_empty(bytes))
        skip();
    assert_int_equal(pack_open(bytes, arena, &r4), ST_OK);
    struct package_sources sources = { .files = &file, .count = 1, .about = SPAN("test#1"), .sha256 = pack_sources(r4), .base = r4 };
    struct issues         *issues  = issues_new(arena, 10);
    buf_init(&out, (size_t)64 << 20);
    assert_int_equal(package_compile(&sources, arena, issues, &out), ST_OK);
    assert_int_equal(pack_open(buf_span(&out), arena, &pack), ST_OK);
    assert_int_equal(pack_form_count(pack), pack_form_count(r4) + 1);
    of_pack = pack_form_source(pack);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (strstr(cases[i].json, "set\"") == NULL)
            expect(cases[i].json, NULL, cases[i].rule, cases[i].expression, cases[i].severity);
    buf_release(&out);
    arena_free(&arena);
}

/* Each operator with an answer below, at and above. */
static void
test_compares_answers_of_every_type(void **state)
{
    static const struct { const char *type, *name, *below, *at, *above; } types[] = {
        { "integer", "Integer", "1", "2", "3" },
        { "decimal", "Decimal", "1.99", "2.0", "2.000000000000000000001" },
        { "date", "Date", "\"2019\"", "\"2020-05-05\"", "\"2020-06\"" },
        { "dateTime", "DateTime", "\"2020-05-05T10:00:00Z\"", "\"2020-05-05T12:00:00+01:00\"", "\"2021\"" },
        { "time", "Time", "\"09:00:00\"", "\"10:00:00\"", "\"10:00:01\"" },
        { "quantity", "Quantity", "{\"value\":1,\"code\":\"kg\"}", "{\"value\":2,\"code\":\"kg\"}", "{\"value\":10,\"code\":\"kg\"}" },
    };
    static const struct { const char *name; bool below, at, above; } operators[] = {
        { "=", false, true, false }, { "!=", true, false, true }, { "<", true, false, false },
        { "<=", true, true, false }, { ">", false, false, true }, { ">=", false, true, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        for (size_t k = 0; k < sizeof operators / sizeof operators[0]; k++) {
            char        form[1024], json[1024];
            const char *have[] = { types[i].below, types[i].at, types[i].above };
            bool        on[]   = { operators[k].below, operators[k].at, operators[k].above };
            snprintf(form, sizeof form,
                     "{\"resourceType\":\"Questionnaire\",\"status\":\"active\",\"item\":[{\"linkId\":\"1\",\"type\":\"%s\"},"
                     "{\"linkId\":\"2\",\"type\":\"boolean\",\"enableWhen\":[{\"question\":\"1\",\"operator\":\"%s\",\"answer%s\":%s}]}]}",
                     types[i].type, operators[k].name, types[i].name,
                     strcmp(types[i].type, "dateTime") == 0 ? "\"2020-05-05T11:00:00Z\"" : types[i].at);
            for (size_t j = 0; j < 3; j++) {
                snprintf(json, sizeof json, DONE(ITEM("1", ANSWER("\"value%s\":%s")) "," ITEM("2", ANSWER("\"valueBoolean\":true"))),
                         types[i].name, have[j]);
                expect(json, form, on[j] ? NULL : "questionnaire-enabled", "QuestionnaireResponse.item[1]", SEVERITY_ERROR);
            }
        }
    }
}

/* ---- where the Questionnaire is ------------------------------------------------------------- */

#define ONE(more) "{\"resourceType\":\"Questionnaire\"," more "\"status\":\"active\",\"item\":[{\"linkId\":\"1\",\"type\":\"boolean\"}]}"
#define TO(url, more)   "{\"resourceType\":\"QuestionnaireResponse\",\"status\":\"completed\",\"questionnaire\":\"" url "\"," more "\"item\":[{\"linkId\":\"2\"}]}"
#define AND(a, b) "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"resource\":" a "},{\"resource\":" b "}]}"

static void
test_finds_the_questionnaire(void **state)
{
    static const struct { const char *json, *rule, *expression; enum severity severity; } where[] = {
        { TO("#q", "\"contained\":[" ONE("\"id\":\"q\",") "],"), "questionnaire-linkid", "QuestionnaireResponse.item[0]", SEVERITY_ERROR },
        { TO("#r", "\"contained\":[" ONE("\"id\":\"q\",") "],"), "questionnaire-unknown", "QuestionnaireResponse.questionnaire", SEVERITY_WARNING },
        { AND(TO("urn:q", ""), ONE("\"url\":\"urn:q\",")), "questionnaire-linkid", "Bundle.entry[0].resource.item[0]", SEVERITY_ERROR },
        { AND(TO("urn:q|1", ""), ONE("\"url\":\"urn:q\",\"version\":\"1\",")), "questionnaire-linkid", "Bundle.entry[0].resource.item[0]", SEVERITY_ERROR },
        { AND(TO("urn:q|2", ""), ONE("\"url\":\"urn:q\",\"version\":\"1\",")), "questionnaire-unknown", "Bundle.entry[0].resource.questionnaire", SEVERITY_WARNING },
        { TO(URL "|3", ""), "questionnaire-unknown", "QuestionnaireResponse.questionnaire", SEVERITY_WARNING },
        { "{\"resourceType\":\"QuestionnaireResponse\",\"status\":\"completed\",\"item\":[{\"linkId\":\"2\"}]}", NULL, NULL, 0 },
        { "{\"resourceType\":\"QuestionnaireResponse\",\"status\":\"completed\",\"questionnaire\":\"" URL "\",\"authored\":\"2031-01-01\",\"item\":[" GROUP("") "]}",
          "questionnaire-status", "QuestionnaireResponse.questionnaire", SEVERITY_WARNING },
        { "{\"resourceType\":\"QuestionnaireResponse\",\"status\":\"completed\",\"questionnaire\":\"" URL "\",\"authored\":\"2030-06-30T23:00:00Z\",\"item\":[" GROUP("") "]}",
          NULL, NULL, 0 },
        { AND("{\"resourceType\":\"QuestionnaireResponse\",\"status\":\"completed\",\"questionnaire\":\"urn:q\"}", "{\"resourceType\":\"Questionnaire\",\"url\":\"urn:q\",\"status\":\"retired\"}"),
          "questionnaire-status", "Bundle.entry[0].resource.questionnaire", SEVERITY_WARNING },
    };

    (void)state;
    for (size_t i = 0; i < sizeof where / sizeof where[0]; i++)
        expect(where[i].json, questionnaire, where[i].rule, where[i].expression, where[i].severity);
}

static void
test_conditions_name_an_earlier_item_outside(void **state)
{
#define WITH(question) "{\"resourceType\":\"Questionnaire\",\"status\":\"active\",\"item\":[{\"linkId\":\"1\",\"type\":\"boolean\"},"     \
    "{\"linkId\":\"2\",\"type\":\"group\",\"enableWhen\":[{\"question\":\"" question "\",\"operator\":\"exists\",\"answerBoolean\":true}],"   \
    "\"item\":[{\"linkId\":\"2.1\",\"type\":\"boolean\"}]},{\"linkId\":\"3\",\"type\":\"boolean\"}]}"
    static const struct { const char *json; bool fine; enum severity severity; } conditions[] = {
        { WITH("1"), true, 0 }, { WITH("2"), false, SEVERITY_ERROR }, { WITH("2.1"), false, SEVERITY_ERROR },
        { WITH("3"), false, SEVERITY_WARNING }, { WITH("4"), false, SEVERITY_ERROR },
    };

    (void)state;
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++)
        expect(conditions[i].json, questionnaire, conditions[i].fine ? NULL : "questionnaire-condition", "Questionnaire.item[1]",
               conditions[i].severity);
}

static void
test_several_conditions_say_how_they_are_joined(void **state)
{
#define TWO(more) "{\"resourceType\":\"Questionnaire\",\"status\":\"active\",\"item\":[{\"linkId\":\"1\",\"type\":\"boolean\"},"    \
    "{\"linkId\":\"2\",\"type\":\"boolean\"" more ",\"enableWhen\":[{\"question\":\"1\",\"operator\":\"exists\",\"answerBoolean\":true}," \
    "{\"question\":\"1\",\"operator\":\"=\",\"answerBoolean\":true}]}]}"
    (void)state;
    expect(TWO(",\"enableBehavior\":\"all\""), questionnaire, NULL, NULL, 0);
    expect(TWO(""), questionnaire, "que-12", "Questionnaire.item[1]", SEVERITY_ERROR);
}

/* A thousand groups that each ask all others: bounded, and said. */
static void
test_a_hostile_form_costs_a_bounded_amount(void **state)
{
    struct arena *arena = test_arena();
    size_t        room  = (size_t)16 << 20, used = 0;
    char         *json  = arena_alloc(arena, room);

    (void)state;
    assert_non_null(json);
    used += (size_t)snprintf(json, room, "{\"resourceType\":\"QuestionnaireResponse\",\"status\":\"completed\",\"questionnaire\":\"#q\",\"contained\":["
                             "{\"resourceType\":\"Questionnaire\",\"id\":\"q\",\"status\":\"active\",\"item\":["
                             "{\"linkId\":\"1\",\"type\":\"string\",\"repeats\":true},{\"linkId\":\"2\",\"type\":\"string\",\"repeats\":true,"
                             "\"enableWhen\":[{\"question\":\"1\",\"operator\":\"=\",\"answerString\":\"x\"}]}]}],\"item\":[");
    for (int i = 0; i < 60000; i++)
        used += (size_t)snprintf(json + used, room - used, "%s{\"linkId\":\"%d\",\"answer\":[{\"valueString\":\"a\"}]}", i > 0 ? "," : "", i < 30000 ? 1 : 2);
    snprintf(json + used, room - used, "]}");
    struct issues *issues = check(arena, json, questionnaire);
    bool           said   = false;
    for (uint32_t i = 0; i < issues_count(issues); i++)
        said = said || strcmp(issues_at(issues, i)->rule, "questionnaire-budget") == 0;
    assert_true(said);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checks_a_response_against_its_questionnaire),
        cmocka_unit_test(test_a_questionnaire_of_a_pack_says_the_same),
        cmocka_unit_test(test_compares_answers_of_every_type),
        cmocka_unit_test(test_finds_the_questionnaire),
        cmocka_unit_test(test_conditions_name_an_earlier_item_outside),
        cmocka_unit_test(test_several_conditions_say_how_they_are_joined),
        cmocka_unit_test(test_a_hostile_form_costs_a_bounded_amount),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
