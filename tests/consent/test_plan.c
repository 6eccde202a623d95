/* The rules of docs/redaction-rules.md, one by one: what a plan cuts, and under which number. */
#include "release_check.h"

#define REQUEST(part2)                                                                                         \
    "{'at':'2026-11-22T15:00:00Z','actor':{'reference':'Organization/county'},'purpose':['TREAT'],"            \
    "'source':{'part2':'" part2 "'},'programs':[{'reference':'Organization/oak','name':'Oak Recovery','identifier':[{'system':" \
    "'http://hl7.org/fhir/sid/us-npi','value':'1888888883'}],'source':'https://oak.example.org/fhir'}]}"
#define RES(body)  "{'resource':{" body "}}"
#define OF_P1      "'subject':{'reference':'Patient/p1'}"
#define PATIENT    RES("'resourceType':'Patient','id':'p1','gender':'female'")
#define OUD        RES("'resourceType':'Condition','id':'c0ffee12','identifier':[{'value':'CASE-90417'}],'code':{'coding':[{'system':'http://hl7.org/fhir/sid/icd-10-cm','code':'F11.20'}],'text':'Opioid use disorder'},'recorder':{'reference':'Organization/oak'}," OF_P1)
#define BP(more)   RES("'resourceType':'Observation','id':'bp','status':'final','code':{'text':'Blood pressure'}," OF_P1 more)
#define WITH(rest) "{'resourceType':'Bundle','type':'collection','entry':[" PATIENT "," OUD "," rest "]}"

struct rule_case { const char *rule, *path, *request, *body; };

static bool
has_cut(const struct out *o, const char *rule, const char *path)
{
    const struct plan *p = o->release->plan;

    for (size_t i = 0; i < p->cut_count; i++)
        if (strcmp(p->cuts[i].rule, rule) == 0
            && span_eq_text(path_of(p->bundle->tape, p->bundle->parents, p->cuts[i].node, o->arena), path))
            return true;
    for (size_t i = 0; i < p->edit_count; i++)
        if (strcmp(p->edits[i].rule, rule) == 0
            && span_eq_text(path_of(p->bundle->tape, p->bundle->parents, p->edits[i].node, o->arena), path))
            return true;
    return false;
}

static void
show_cuts(const struct out *o)
{
    const struct plan *p = o->release->plan;

    for (size_t i = 0; i < p->cut_count; i++)
        print_message("    %s %.*s\n", p->cuts[i].rule,
                      SPAN_PRINT(path_of(p->bundle->tape, p->bundle->parents, p->cuts[i].node, o->arena)));
    for (size_t i = 0; i < p->edit_count; i++)
        print_message("    edit %s %.*s\n", p->edits[i].rule,
                      SPAN_PRINT(path_of(p->bundle->tape, p->bundle->parents, p->edits[i].node, o->arena)));
}

static void
check_rules(const struct rule_case *cases, size_t count)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < count; i++) {
        struct out o = out_of(cases[i].request, cases[i].body);
        if (!has_cut(&o, cases[i].rule, cases[i].path) || o.payload.length == 0) {
            print_message("%s at %s, have (%zu bytes)\n", cases[i].rule, cases[i].path, o.payload.length);
            show_cuts(&o);
            wrong++;
        }
        out_end(&o);
    }
    assert_int_equal(wrong, 0);
}
#define CHECK_RULES(cases) check_rules((cases), sizeof(cases) / sizeof(cases)[0])
#define NOT     REQUEST("not-program")
#define UNKNOWN REQUEST("unknown")

static void
test_each_cut_has_the_number_of_its_rule(void **state)
{
    static const struct rule_case cases[] = {
        { "C2", "Bundle.entry[2].resource.supportingInfo", NOT, "{'resourceType':'Bundle','type':'collection','entry':[" PATIENT "," OUD ","
          RES("'resourceType':'ServiceRequest','id':'sr','supportingInfo':[{'reference':'Condition/c0ffee12'}],'code':{'text':'x'}," OF_P1) "]}" },
        { "C2", "Bundle.entry[2].resource.diagnosis", NOT,
          WITH(RES("'resourceType':'Encounter','id':'e','diagnosis':[{'condition':{'reference':'Condition/c0ffee12'}}]," OF_P1)) },
        { "C2", "Bundle.entry[2].resource.section", NOT,
          WITH(RES("'resourceType':'Composition','id':'k','section':[{'title':'Problems','entry':[{'reference':'Condition/c0ffee12'}]}]," OF_P1)) },
        { "C4", "Bundle.entry[2].resource.text", NOT,
          WITH(BP(",'text':{'status':'generated','div':'<div>Opioid use disorder</div>'}")) },
        { "C5", "Bundle.entry[2].resource.note", NOT, WITH(BP(",'note':[{'text':'case CASE-90417'}]")) },
        { "C5", "Bundle.entry[2].resource.note", NOT, WITH(BP(",'note':[{'text':'seen at Oak Recovery'}]")) },
        { "C6", "Bundle.entry[2].resource.extension", NOT,
          WITH(BP(",'extension':[{'url':'u','valueString':'case CASE-90417'}]")) },
        { "C8", "Bundle.total", NOT,
          "{'resourceType':'Bundle','type':'searchset','total':3,'entry':[" PATIENT "," OUD "," BP("") "]}" },
        { "C8", "Bundle.link[1]", NOT,
          "{'resourceType':'Bundle','type':'searchset','link':[{'relation':'self','url':'https://e.example/x'},{'relation':'next','url':'https://e.example/x?page=2'}],'entry':[" PATIENT "," OUD "," BP("") "]}" },
        { "C8", "Bundle.signature", NOT,
          "{'resourceType':'Bundle','type':'collection','signature':{'data':'eA=='},'entry':[" PATIENT "," OUD "," BP("") "]}" },
        { "C9", "Bundle.entry[2].resource.meta", NOT,
          WITH(RES("'resourceType':'Observation','id':'bp','meta':{'tag':[{'display':'seen at Oak Recovery'}]},'status':'final','code':{'text':'Blood pressure'}," OF_P1)) },
        { "C10", "Bundle.entry[2].resource.quantity", NOT,
          WITH(RES("'resourceType':'Group','id':'g','type':'person','actual':true,'quantity':2,'member':[{'entity':{'reference':'Patient/p1'}},{'entity':{'reference':'Condition/c0ffee12'}}]")) },
        { "P3", "Bundle.entry[1].resource.note", UNKNOWN,
          "{'resourceType':'Bundle','type':'collection','entry':[" PATIENT "," BP(",'note':[{'text':'takes Suboxone'}]") "]}" },
        { "P5", "Bundle.entry[0].resource.generalPractitioner", NOT,
          "{'resourceType':'Bundle','type':'collection','entry':[" RES("'resourceType':'Patient','id':'p1','generalPractitioner':[{'reference':'Organization/oak'}],'gender':'female'") "," BP("") "]}" },
    };

    (void)state;
    CHECK_RULES(cases);
}

/* Entries that go along: the decision says why. */
static void
test_an_entry_that_goes_along_says_why(void **state)
{
    static const struct rule_case cases[] = {
        { "C3", "points at it", NOT,
          "{'resourceType':'Bundle','type':'collection','entry':[" PATIENT ",{'resource':{'resourceType':'MedicationRequest','id':'m','requester':{'reference':'Organization/oak'},'medicationReference':{'reference':'Medication/md'}," OF_P1 "}},"
          RES("'resourceType':'Medication','id':'md','code':{'text':'plain'}") "]}" },
        { "C7", "Part 2", NOT,
          WITH(RES("'resourceType':'DocumentReference','id':'d','status':'current','content':[{'attachment':{'contentType':'text/plain','data':'c2VlbiBhdCBPYWsgUmVjb3ZlcnkgdG9kYXk='}}]," OF_P1)) },
        { "P6", "withheld", NOT, WITH(RES("'resourceType':'List','id':'l','status':'current','mode':'working','entry':[{'item':{'reference':'Condition/c0ffee12'}}]," OF_P1)) },
        { "C4", "Composition", NOT,
          "{'resourceType':'Bundle','type':'document','entry':[{'resource':{'resourceType':'Composition','id':'k','author':[{'reference':'Organization/oak'}]," OF_P1 "}}," PATIENT "," BP("") "]}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct out             o = out_of(cases[i].request, cases[i].body);
        const struct decision *d = &o.release->plan->decisions[2];
        if (d->verdict != VERDICT_DENY || d->rule != RULE_CLOSURE || span_find(d->because, span_of(cases[i].path)) == SPAN_NOT_FOUND)
            fail_msg("%s: %s %s %.*s", cases[i].rule, verdict_text(d->verdict), rule_number(d->rule), SPAN_PRINT(d->because));
        out_end(&o);
    }
}

/* P7, P8: what has nothing to do with the program is not touched. */
static void
test_what_no_rule_names_is_not_touched(void **state)
{
    static const char body[] =
        "{'resourceType':'Bundle','type':'collection','entry':[" PATIENT ","
        BP(",'note':[{'text':'seen at Oaktree clinic, denies heroin use'}],'extension':[{'url':'u','valueDecimal':1.50}]") "]}";
    struct out o = out_of(NOT, body);

    (void)state;
    assert_int_equal(o.release->plan->cut_count + o.release->plan->edit_count, 0);
    check_span(o.payload, quoted(o.arena, body));                              /* B2 */
    assert_false(plan_gone(o.release->plan, o.release->bundle->entries[1].resource));
    out_end(&o);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_cut_has_the_number_of_its_rule),
        cmocka_unit_test(test_an_entry_that_goes_along_says_why),
        cmocka_unit_test(test_what_no_rule_names_is_not_touched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
