/* Answers that have but a linkId are about what their Questionnaire asks (consent/labeling_work.h, Q1 to Q5). */
#include "tests/consent/label_check.h"

#include "base/buf.h"
#include "fhir/pack.h"
#include "fhir/package.h"
#include "tests/fhir/fhir_check.h"

#define SUSPECT PART2_SUSPECT
#define NOT     PART2_NOT

#define FORM(more, items) "{'resourceType':'Questionnaire','status':'active','url':'http://x.example/Questionnaire/f'" more ",'item':[" items "]}"
#define RESPONSE(more, items) "{'resourceType':'QuestionnaireResponse','questionnaire':'http://x.example/Questionnaire/f" more "','item':[" items "]}"
#define BARE(answer) "{'linkId':'7','answer':[" answer "]}"
#define ENTRIES(a, b) "{'resourceType':'Bundle','type':'collection','entry':[{'resource':" a "},{'resource':" b "}]}"
#define HEROIN "{'linkId':'7','type':'boolean','text':'Do you inject heroin?'}"
#define SLEEP "{'linkId':'7','type':'boolean','text':'Do you sleep well?'}"
#define YES "{'valueBoolean':true}"

/* The response is entry 0. */
static const struct { const char *request, *body, *codes; enum part2_status part2; } asked_rows[] = {
    /* (a) contained, (b) in the Bundle, (d) a fact; its clean twin; nobody's */
    { "", "{'resourceType':'QuestionnaireResponse','questionnaire':'#f','contained':[{'resourceType':'Questionnaire','id':'f','item':[" HEROIN "]}],'item':[" BARE(YES) "]}", "SUD OPIOIDUD R", SUSPECT },
    { "", "{'resourceType':'QuestionnaireResponse','questionnaire':'#f','contained':[{'resourceType':'Questionnaire','id':'f','item':[" SLEEP "]}],'item':[" BARE(YES) "]}", "N", NOT },
    { "", ENTRIES(RESPONSE("", BARE(YES)), FORM("", HEROIN)), "SUD OPIOIDUD R", SUSPECT },
    { "", ENTRIES(RESPONSE("", BARE(YES)), FORM("", SLEEP)), "N", NOT },
    { "'questionnaires':[" FORM("", HEROIN) "]", RESPONSE("", BARE(YES)), "SUD OPIOIDUD R", SUSPECT },
    { "'questionnaires':[" FORM("", SLEEP) "]", RESPONSE("", BARE(YES)), "N", NOT },
    { "'questionnaires':[" FORM(",'id':'9'", HEROIN) "]", "{'resourceType':'QuestionnaireResponse','questionnaire':'Questionnaire/9','item':[" BARE(YES) "]}", "SUD OPIOIDUD R", SUSPECT },
    { "", RESPONSE("", BARE(YES)), "N", NOT },
    /* who answers no has said nothing; a number, a date, a word says that it is so */
    { "", ENTRIES(RESPONSE("", BARE("{'valueBoolean':false}")), FORM("", HEROIN)), "N", NOT },
    { "", ENTRIES(RESPONSE("", BARE("{'valueString':'Never.'}")), FORM("", HEROIN)), "N", NOT },
    { "", ENTRIES(RESPONSE("", BARE("{'valueDecimal':0.0}")), FORM("", HEROIN)), "N", NOT },
    { "", ENTRIES(RESPONSE("", BARE("{'valueQuantity':{'value':0,'code':'d'}}")), FORM("", HEROIN)), "N", NOT },
    { "", ENTRIES(RESPONSE("", BARE("{'valueCoding':{'system':'http://loinc.org','code':'LA32-8'}}")), FORM("", HEROIN)), "N", NOT },
    { "", ENTRIES(RESPONSE("", "{'linkId':'7'}"), FORM("", HEROIN)), "N", NOT },
    { "", ENTRIES(RESPONSE("", BARE("{'valueDecimal':0.5}")), FORM("", HEROIN)), "SUD OPIOIDUD R", SUSPECT },
    { "", ENTRIES(RESPONSE("", BARE("{'valueDate':'2024-05'}")), FORM("", HEROIN)), "SUD OPIOIDUD R", SUSPECT },
    { "", ENTRIES(RESPONSE("", BARE("{'valueString':'daily'}")), FORM("", HEROIN)), "SUD OPIOIDUD R", SUSPECT },
    { "", ENTRIES(RESPONSE("", BARE("{'valueCoding':{'system':'http://loinc.org','code':'LA33-6'}}")), FORM("", HEROIN)), "SUD OPIOIDUD R", SUSPECT },
    /* versions: that one, or one that says none; else any */
    { "", ENTRIES(RESPONSE("|2", BARE(YES)), FORM(",'version':'2'", HEROIN)), "SUD OPIOIDUD R", SUSPECT },
    { "", ENTRIES(RESPONSE("|2", BARE(YES)), FORM("", HEROIN)), "SUD OPIOIDUD R", SUSPECT },
    { "", ENTRIES(RESPONSE("|2", BARE(YES)), FORM(",'version':'1'", HEROIN)), "SUD OPIOIDUD R", SUSPECT },
    { "'questionnaires':[" FORM(",'version':'1'", HEROIN) "]", ENTRIES(RESPONSE("|2", BARE(YES)), FORM(",'version':'2'", SLEEP)), "N", NOT },
    { "'questionnaires':[" FORM("", HEROIN) "]", ENTRIES(RESPONSE("|2", BARE(YES)), FORM(",'version':'2'", SLEEP)), "SUD OPIOIDUD R", SUSPECT },
    /* two of one name, and two items of one linkId: either says it */
    { "'questionnaires':[" FORM("", HEROIN) "]", ENTRIES(RESPONSE("", BARE(YES)), FORM("", SLEEP)), "SUD OPIOIDUD R", SUSPECT },
    { "", ENTRIES(RESPONSE("", BARE(YES)), FORM("", SLEEP "," HEROIN)), "SUD OPIOIDUD R", SUSPECT },
    /* code, definition, group, title, code of the whole */
    { "", ENTRIES(RESPONSE("", BARE(YES)), FORM("", "{'linkId':'7','code':[{'system':'http://hl7.org/fhir/sid/icd-10-cm','code':'F11.20'}]}")), "SUD OPIOIDUD R", SUSPECT },
    { "", ENTRIES(RESPONSE("", BARE("{'valueBoolean':false}")), FORM("", "{'linkId':'7','code':[{'system':'http://hl7.org/fhir/sid/icd-10-cm','code':'F11.20'}]}")), "N", NOT },
    { "", ENTRIES(RESPONSE("", BARE(YES)), FORM("", "{'linkId':'7','code':[{'system':'http://x.example/q','code':'q7','display':'Injects heroin'}]}")), "SUD OPIOIDUD R", SUSPECT },
    { "", ENTRIES(RESPONSE("", BARE(YES)), FORM("", "{'linkId':'1','type':'group','text':'Heroin use','item':[{'linkId':'7','text':'In the last year?'}]}")), "SUD OPIOIDUD R", SUSPECT },
    { "", ENTRIES(RESPONSE("", BARE(YES)), FORM("", "{'linkId':'1','type':'group','text':'Sleep','item':[{'linkId':'7','text':'In the last year?'}]}")), "N", NOT },
    { "", ENTRIES(RESPONSE("", BARE(YES)), FORM(",'title':'Opioid use disorder follow-up'", "{'linkId':'7','text':'In the last year?'}")), "SUD OPIOIDUD R", SUSPECT },
    { "", ENTRIES(RESPONSE("", BARE(YES)), FORM(",'code':[{'system':'http://hl7.org/fhir/sid/icd-10-cm','code':'F11.20'}]", "{'linkId':'7','text':'In the last year?'}")), "SUD OPIOIDUD R", SUSPECT },
    /* an answer that is the code of an option */
    { "", ENTRIES(RESPONSE("", BARE("{'valueCoding':{'code':'b'}}")), FORM("", "{'linkId':'7','text':'Which?','answerOption':[{'valueCoding':{'code':'a','display':'Tea'}},{'valueCoding':{'code':'b','display':'Illicit heroin use'}}]}")), "SUD OPIOIDUD R", SUSPECT },
    { "", ENTRIES(RESPONSE("", BARE("{'valueCoding':{'code':'a'}}")), FORM("", "{'linkId':'7','text':'Which?','answerOption':[{'valueCoding':{'code':'a','display':'Tea'}},{'valueCoding':{'code':'b','display':'Illicit heroin use'}}]}")), "N", NOT },
    { "", ENTRIES(RESPONSE("", BARE("{'valueCoding':{'code':'n'}}")), FORM("", "{'linkId':'7','text':'Do you inject heroin?','answerOption':[{'valueCoding':{'code':'n','display':'No'}}]}")), "N", NOT },
    { "", ENTRIES(RESPONSE("", BARE("{'valueCoding':{'code':'F11.20'}}")), FORM("", "{'linkId':'7','text':'Which?','answerOption':[{'valueCoding':{'system':'http://hl7.org/fhir/sid/icd-10-cm','code':'F11.20'}}]}")), "SUD OPIOIDUD R", SUSPECT },
    /* the group's text in the response itself */
    { "", "{'resourceType':'QuestionnaireResponse','item':[{'item':[" BARE(YES) "],'linkId':'1','text':'Heroin use'}]}", "SUD OPIOIDUD R", SUSPECT },
    { "", "{'resourceType':'QuestionnaireResponse','item':[{'item':[" BARE("{'valueBoolean':false}") "],'linkId':'1','text':'Heroin use'}]}", "N", NOT },
};

static void
test_bare_answers_by_their_questionnaire(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof asked_rows / sizeof asked_rows[0]; i++) {
        struct labels         l = labels_of(asked_rows[i].request, asked_rows[i].body);
        const struct labeled *r = &l.labeling->of[0];
        if (strcmp(codes_of(r), asked_rows[i].codes) != 0 || r->part2 != asked_rows[i].part2) {
            wrong++;
            print_error("%zu: have \"%s\" (%s), want \"%s\" %s\n", i, codes_of(r), part2_text(r->part2), asked_rows[i].codes, asked_rows[i].body);
        }
        labels_end(&l);
    }
    assert_int_equal(wrong, 0);
}

/* (c) */
static void
test_a_questionnaire_of_a_package(void **state)
{
    struct labels        l     = labels_of("", RESPONSE("|1", BARE(YES)));
    struct span          bytes = test_file(l.arena, SLUICE_BINARY_DIR "/definitions/r4.pack");
    struct package_file  file  = { .name = SPAN("q.json"), .bytes = quoted(l.arena, FORM(",'version':'1'", HEROIN)) };
    struct facts         facts = *l.facts;
    const struct pack   *pack;
    struct buf           out;

    (void)state;
    assert_string_equal(codes_of(&l.labeling->of[0]), "N");
    if (span_empty(bytes))
        skip();
    assert_int_equal(pack_open(bytes, l.arena, &pack), ST_OK);
    struct package_sources sources = { .files = &file, .count = 1, .about = SPAN("test#1"), .sha256 = pack_sources(pack), .base = pack };
    struct arena *compiling = arena_new("compile", (size_t)256 << 20);
    buf_init(&out, (size_t)64 << 20);
    assert_int_equal(package_compile(&sources, compiling, issues_new(compiling, 10), &out), ST_OK);
    assert_int_equal(pack_open(buf_span(&out), l.arena, &facts.definitions), ST_OK);
    assert_int_equal(label_bundle(l.bundle, l.references, &facts, l.arena, &l.labeling), ST_OK);
    assert_string_equal(codes_of(&l.labeling->of[0]), "SUD OPIOIDUD R");
    assert_string_equal(l.labeling->of[0].evidence[0].rule, "form");
    arena_free(&compiling);
    buf_release(&out);
    labels_end(&l);
}

static struct span
many(struct arena *a, const char *before, const char *one, uint32_t count, const char *after)
{
    struct buf  out;
    struct span text;

    buf_init(&out, (size_t)32 << 20);
    buf_add_format(&out, "%s", before);
    for (uint32_t i = 0; i < count; i++)
        buf_add_format(&out, "%s%s", i > 0 ? "," : "", one);
    buf_add_format(&out, "%s", after);
    text = quoted(a, arena_copy(a, buf_span(&out)).at);
    buf_release(&out);
    return text;
}

static bool
uninspected(struct span body)
{
    struct labels l  = labels_within((size_t)256 << 20, "", body);
    bool          is = false;

    assert_int_equal(l.status, ST_OK);
    is = l.labeling->of[0].uninspected;
    arena_free(&l.arena);
    return is;
}

/* Q4: what is past a bound is not read, and then nobody says that it is harmless. */
static void
test_what_is_too_much_is_uninspected(void **state)
{
    struct arena *a      = arena_new("text", (size_t)64 << 20);
    const char   *bundle = "{'resourceType':'Bundle','type':'collection','entry':[{'resource':" RESPONSE("", BARE(YES)) "}";

    (void)state;
    const char *begin = arena_format(a, "%s,", bundle).at;
    assert_false(uninspected(many(a, begin, "{'resource':" FORM("", SLEEP) "}", 8, "]}")));
    assert_true(uninspected(many(a, begin, "{'resource':" FORM("", SLEEP) "}", 9, "]}")));
    const char *form = arena_format(a, "%s{'resource':{'resourceType':'Questionnaire','url':'http://x.example/Questionnaire/f','item':[", begin).at;
    assert_false(uninspected(many(a, form, "{'linkId':'7'}", 65536, "]}}]}")));
    assert_true(uninspected(many(a, form, "{'linkId':'7'}", 65537, "]}}]}")));
    arena_free(&a);
}

/* Nested as deep as JSON may be: what the outermost group is about reaches the innermost question. */
static void
test_groups_reach_as_deep_as_they_go(void **state)
{
    struct arena *a     = arena_new("text", (size_t)8 << 20);
    struct span   items = SPAN("[{'linkId':'7'}]");

    (void)state;
    for (int i = 0; i < 25; i++)
        items = arena_format(a, "[{'linkId':'g%d','type':'group','text':'%s','item':%.*s}]", i, i == 24 ? "Heroin use" : "Part", SPAN_PRINT(items));
    struct span   body = arena_format(a, ENTRIES(RESPONSE("", BARE(YES)), "{'resourceType':'Questionnaire','url':'http://x.example/Questionnaire/f','item':%.*s}"), SPAN_PRINT(items));
    struct labels l    = labels_of("", arena_text(a, body));
    assert_string_equal(codes_of(&l.labeling->of[0]), "SUD OPIOIDUD R");
    labels_end(&l);
    arena_free(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bare_answers_by_their_questionnaire),
        cmocka_unit_test(test_a_questionnaire_of_a_package),
        cmocka_unit_test(test_what_is_too_much_is_uninspected),
        cmocka_unit_test(test_groups_reach_as_deep_as_they_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
