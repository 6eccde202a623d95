/* A case that says something wrong differs; a case that says nothing is refused. */
#include "consent/scenario.h"

#include "release_check.h"

static const struct scenario *
run(struct arena **arena, const char *members)
{
    const struct scenario *s;
    struct span            json;

    *arena = arena_new("case", (size_t)64 << 20);
    json   = arena_format(*arena,
        "{'id':'one','request':{'at':'2026-11-22T15:00:00Z','actor':{'reference':'Organization/a'},'purpose':['TREAT'],"
        "'programs':[{'reference':'Organization/oak','name':'Oak Recovery'}]},"
        "'bundle':{'resourceType':'Bundle','type':'collection','entry':["
        "{'resource':{'resourceType':'Observation','id':'pulse','status':'final','subject':{'reference':'Patient/p'},"
        "'code':{'text':'Pulse'}}},"
        "{'resource':{'resourceType':'Encounter','id':'visit','status':'finished','class':{'code':'AMB'},"
        "'subject':{'reference':'Patient/p'},'serviceProvider':{'reference':'Organization/oak'}}}]},%s}", members);
    assert_int_equal(scenario_run(quoted(*arena, arena_text(*arena, json)), *arena, &s), ST_OK);
    return s;
}

static void
check_result(const char *members, enum scenario_result want, const char *what)
{
    struct arena          *arena;
    const struct scenario *s = run(&arena, members);

    if (s->result != want)
        print_message("%s: %s %.*s\n", members, scenario_result_text(s->result), SPAN_PRINT(s->why));
    assert_int_equal(s->result, want);
    if (what != NULL && want == SCENARIO_REFUSED && span_find(s->why, span_of(what)) == SPAN_NOT_FOUND)
        fail_msg("%s: %.*s", members, SPAN_PRINT(s->why));
    if (what != NULL && want == SCENARIO_DIFFERS)
        check_text(s->differences[0].what, what);
    arena_free(&arena);
}

static void
test_agrees_with_what_the_engine_does(void **state)
{
    static const char *const right[] = {
        "'expected':{'releasedIds':['pulse']}",
        "'expected':{'releasedIds':['Observation/pulse'],'redactedIds':['visit'],'silent':true}",
        "'expected':{'releasedIds':['visit'],'alsoAcceptableReleasedIds':[['pulse']]}",
        "'expected':{'redactedIds':['Encounter/visit'],'outcome':'partial','mustNotContain':['oak'],'mustContain':['Pulse']}",
        "'expected':{'rules':{'visit':'B-14','pulse':'P8'},'part2':{'visit':'confirmed','pulse':'not'}}",
        "'expected':{'verdicts':{'visit':'deny'},'labels':{'visit':['SUD','42CFRPart2']},'untouched':['pulse']}",
        "'expected':{'obligations':['audit'],'noObligations':['notice-2.32'],'decision':'whatever'}",
        "'expected':{'sameAs':{'resourceType':'Bundle','type':'collection','entry':[{'resource':{'resourceType':'Observation',"
        "'id':'pulse', 'status':'final','subject':{'reference':'Patient/p'},'code':{'text':'Pulse'}}}]}}",
        "'requests':[{'expected':{'outcome':'partial'}},{'words':'to a court','request':{'legalContext':'proceeding'},"
        "'expected':{'rules':{'visit':'G-3'}}}]",
        "'consents':[],'labels':'computed','actors':{},'expected':{'releasedIds':['pulse']}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
        check_result(right[i], SCENARIO_AGREES, NULL);
}

static void
test_says_what_differs(void **state)
{
    static const struct { const char *members, *what; } wrong[] = {
        { "'expected':{'releasedIds':[]}",                             "releasedIds" },
        { "'expected':{'releasedIds':['pulse','visit']}",              "releasedIds" },
        { "'expected':{'redactedIds':['pulse']}",                      "redactedIds" },
        { "'expected':{'outcome':'permit'}",                           "outcome" },
        { "'expected':{'rules':{'visit':'R-01'}}",                     "rules" },
        { "'expected':{'verdicts':{'visit':'hold'}}",                  "verdicts" },
        { "'expected':{'part2':{'pulse':'confirmed'}}",                "part2" },
        { "'expected':{'labels':{'pulse':['SUD']}}",                   "labels" },
        { "'expected':{'mustContain':['Encounter']}",                  "mustContain" },
        { "'expected':{'mustNotContain':['Pulse']}",                   "mustNotContain" },
        { "'expected':{'elementRedaction':['Bundle.entry[0].resource.code']}", "elementRedaction" },
        { "'expected':{'untouched':['visit']}",                        "untouched" },
        { "'expected':{'obligations':['notice-2.32']}",                "obligations" },
        { "'expected':{'noObligations':['audit']}",                    "noObligations" },
        { "'expected':{'sameAs':{'resourceType':'Bundle','type':'collection'}}", "sameAs" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        check_result(wrong[i].members, SCENARIO_DIFFERS, wrong[i].what);
}

static void
test_a_difference_names_step_entry_rule_and_reason(void **state)
{
    struct arena          *arena;
    const struct scenario *s = run(&arena, "'requests':[{'expected':{'releasedIds':['pulse']}},"
                                           "{'words':'again','expected':{'releasedIds':['pulse','visit']}}]");

    (void)state;
    assert_int_equal(s->result, SCENARIO_DIFFERS);
    assert_int_equal(s->difference_count, 1);
    assert_int_equal(s->differences[0].step, 1);
    check_text(s->step_words[1], "again");
    check_text(s->differences[0].entry, "Encounter/visit");
    check_text(s->differences[0].expected, "leaves");
    check_text(s->differences[0].got, "stays");
    assert_int_equal(s->differences[0].rule, RULE_NO_CONSENT);
    assert_false(span_empty(s->differences[0].because));
    arena_free(&arena);
}

static void
test_a_case_whose_form_is_wrong_never_agrees(void **state)
{
    static const struct { const char *members, *why; } wrong[] = {
        { "'expect':{'releasedIds':['pulse']}",                        "a case has no \"expect\"" },
        { "'words':'nothing expected'",                                "expected" },
        { "'expected':{}",                                             "nothing of it can be compared" },
        { "'expected':{'decision':'deny'}",                            "nothing of it can be compared" },
        { "'expected':{'releasedIDs':['pulse']}",                      "there is no \"releasedIDs\"" },
        { "'expected':{'releasedIds':'pulse'}",                        "want array" },
        { "'expected':{'silent':false}",                               "want true" },
        { "'expected':{'releasedIds':['puls']}",                       "no entry has the id \"puls\"" },
        { "'expected':{'redactedIds':['vist']}",                       "no entry has the id \"vist\"" },
        { "'expected':{'rules':{'vist':'G-3'}}",                       "no entry has the id \"vist\"" },
        { "'expected':{'mustNotContain':[7]}",                         "want texts" },
        { "'expected':{'obligations':['notices']}",                    "there is no obligation \"notices\"" },
        { "'requests':[]",                                             "want a list of steps" },
        { "'requests':[{'at':'2026-11-22T15:00:00Z','expected':{'outcome':'partial'}}]", "a case has no \"at\"" },
        { "'requests':[{'expected':{'outcome':'partial'}}],'expected':{'outcome':'partial'}", "with requests" },
        { "'requests':[{'request':{'weather':'fair'},'expected':{'outcome':'partial'}}]", "weather" },
        { "'requests':[{'request':{'purpose':'TREAT'},'expected':{'outcome':'partial'}}]", "purpose" },
        { "'requests':[{'bundle':{'type':'collection'},'expected':{'outcome':'partial'}}]", "bundle" },
        { "'consents':[{'resourceType':'Patient'}],'expected':{'releasedIds':['pulse']}", "Consent" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        check_result(wrong[i].members, SCENARIO_REFUSED, wrong[i].why);
}

static void
test_what_is_no_json_is_refused_with_its_place(void **state)
{
    struct arena          *arena = arena_new("case", 1 << 20);
    const struct scenario *s;

    (void)state;
    assert_int_equal(scenario_run(SPAN("{\n \"id\": }"), arena, &s), ST_OK);
    assert_int_equal(s->result, SCENARIO_REFUSED);
    assert_true(span_starts(s->why, SPAN("line 2, column 8")));
    assert_int_equal(scenario_run(SPAN("[]"), arena, &s), ST_OK);
    assert_int_equal(s->result, SCENARIO_REFUSED);
    arena_free(&arena);
}

static void
test_what_is_about_the_world_around_a_decision_is_left_out(void **state)
{
    (void)state;
    check_result("'environment':{'log':'full'},'expected':{'queued':true}", SCENARIO_LEFT_OUT, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_what_the_engine_does),
        cmocka_unit_test(test_says_what_differs),
        cmocka_unit_test(test_a_difference_names_step_entry_rule_and_reason),
        cmocka_unit_test(test_a_case_whose_form_is_wrong_never_agrees),
        cmocka_unit_test(test_what_is_no_json_is_refused_with_its_place),
        cmocka_unit_test(test_what_is_about_the_world_around_a_decision_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
