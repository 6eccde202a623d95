/* B4: what does not match the plan does not leave. */
#include "release_check.h"

#define NOT_PROGRAM                                                                                          \
    "{'at':'2026-11-22T15:00:00Z','actor':{'reference':'Organization/county'},'purpose':['TREAT'],"          \
    "'source':{'part2':'not-program'},'programs':[{'reference':'Organization/oak','identifier':[{'system':"  \
    "'http://hl7.org/fhir/sid/us-npi','value':'1888888883'}]}]}"
#define OUD                                                                                                  \
    "{'fullUrl':'https://ehr.example.org/fhir/Condition/c0ffee12','resource':{'resourceType':'Condition',"   \
    "'id':'c0ffee12','identifier':[{'value':'CASE-90417'}],'code':{'text':'Opioid use disorder zq12345x'},"  \
    "'recorder':{'reference':'Organization/oak'},'subject':{'reference':'Patient/p1'}}}"
#define PATIENT "{'resource':{'resourceType':'Patient','id':'p1','birthDate':'1980-01-01','gender':'female'}}"
#define BP                                                                                                   \
    "{'resource':{'resourceType':'Observation','id':'bp','status':'final','code':{'text':'Blood pressure'}," \
    "'subject':{'reference':'Patient/p1'},'valueString':'fine','note':[{'text':'a'},{'text':'b'}]}}"
#define HEAD "{'resourceType':'Bundle','type':'collection','entry':["

static const char whole[] = HEAD PATIENT "," OUD "," BP "]}";

static enum status
checked(const struct out *o, const char *result, struct span *leak)
{
    return redact_check(o->release->plan, quoted(o->arena, result), o->arena, leak);
}

static void
test_accepts_what_the_plan_lets_go(void **state)
{
    struct out  o = out_of(NOT_PROGRAM, whole);
    struct span leak;

    (void)state;
    check_span(o.payload, quoted(o.arena, HEAD PATIENT "," BP "]}"));
    assert_int_equal(checked(&o, HEAD PATIENT "," BP "]}", &leak), ST_OK);
    assert_int_equal(leak.length, 0);
    assert_int_equal(checked(&o, HEAD PATIENT "," BP "]}", NULL), ST_OK);
    assert_int_equal(checked(&o, "{'resourceType':'Bundle','meta':{'extension':[{'url':'u','valueString':'notice'}]},"
                                 "'type':'collection','entry':[" PATIENT "," BP "]}", &leak), ST_OK);
    out_end(&o);
}

static void
test_refuses_everything_else(void **state)
{
    static const struct { const char *what, *result; } cases[] = {
        { "what was withheld",          whole },
        { "a value that is not there",  HEAD PATIENT "," BP ",{'resource':{'resourceType':'Basic'}}]}" },
        { "a value less",               HEAD PATIENT "]}" },
        { "another value",              HEAD "{'resource':{'resourceType':'Patient','id':'p1','birthDate':'1980-01-02',"
                                        "'gender':'female'}}," BP "]}" },
        { "another name",               HEAD "{'resource':{'resourceType':'Patient','id':'p1','birthdate':'1980-01-01',"
                                        "'gender':'female'}}," BP "]}" },
        { "another kind",               HEAD "{'resource':{'resourceType':'Patient','id':'p1','birthDate':1980,"
                                        "'gender':'female'}}," BP "]}" },
        { "another order",              HEAD BP "," PATIENT "]}" },
        { "no JSON",                    HEAD PATIENT "," BP "]" },
        { "no resource",                "{}" },
        { "nothing",                    "" },
    };
    struct out  o = out_of(NOT_PROGRAM, whole);
    struct span leak;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (checked(&o, cases[i].result, &leak) != ST_INTEGRITY || leak.length == 0)
            fail_msg("%s is let go", cases[i].what);
    out_end(&o);
}

/* The plan is made to forget a cut: only the search of the result can tell. */
static void
test_finds_what_a_plan_forgot(void **state)
{
    static const char *const mentions[] = {
        "see Condition/c0ffee12", "https://ehr.example.org/fhir/Condition/c0ffee12", "CASE-90417",
        "zq12345x", "NPI 1888888883", "at &#79;ak Organization/oak", "c0f%66ee12",
    };

    (void)state;
    for (size_t i = 0; i < sizeof mentions / sizeof mentions[0]; i++) {
        char body[2048];
        snprintf(body, sizeof body, HEAD PATIENT "," OUD ",{'resource':{'resourceType':'Observation','id':'n','status':"
                                    "'final','code':{'text':'x'},'valueString':'%s'}}]}", mentions[i]);
        struct out  o    = out_of(NOT_PROGRAM, body);
        struct plan plan = *o.release->plan;
        struct span leak, result;
        char        kept[2048];
        assert_int_equal(o.release->outcome, RELEASE_PARTIAL);
        assert_true(plan.cut_count > 0);
        /* Unmark what it cut, as if it had never been found. */
        uint8_t *mark = arena_alloc(o.arena, tape_count(plan.bundle->tape) + 1);
        memcpy(mark, plan.mark, tape_count(plan.bundle->tape) + 1);
        for (size_t c = 0; c < plan.cut_count; c++)
            for (tape_node n = plan.cuts[c].node; n < tape_after(plan.bundle->tape, plan.cuts[c].node); n++)
                mark[n] = 0;
        plan.mark = mark;
        snprintf(kept, sizeof kept, HEAD PATIENT ",{'resource':{'resourceType':'Observation','id':'n','status':"
                                    "'final','code':{'text':'x'},'valueString':'%s'}}]}", mentions[i]);
        result = quoted(o.arena, kept);
        if (redact_check(&plan, result, o.arena, &leak) != ST_INTEGRITY)
            fail_msg("not found: %s", mentions[i]);
        bool found = span_find(leak, SPAN("valueString")) != SPAN_NOT_FOUND
                     || span_find(leak, SPAN("resolve")) != SPAN_NOT_FOUND;      /* a URL that names an entry */
        if (!found)
            fail_msg("%s: %.*s", mentions[i], SPAN_PRINT(leak));
        out_end(&o);
    }
}

/* What the plan writes anew was no string of the input: it is read in the result. */
static void
test_finds_what_an_edit_brings_in(void **state)
{
    static const struct { const char *json; bool let_go; } cases[] = {
        { "\"fine as ever\"", true }, { "\"see CASE-90417\"", false }, { "\"c0f\\u0066ee12\"", false }, { "{\"a\":\"zq12345x\"}", false }, { "7", true },
    };
    struct out o = out_of(NOT_PROGRAM, whole);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct plan      plan = *o.release->plan;
        tape_node        node = tape_member(plan.bundle->tape, plan.bundle->entries[2].resource, SPAN("valueString"));
        struct plan_edit edit = { .node = node, .json = span_of(cases[i].json), .rule = "C5", .entry = 2 };
        struct span      leak, body = tape_body(plan.bundle->tape), before = quoted(o.arena, HEAD PATIENT ",");
        struct span      string = tape_extent(plan.bundle->tape, node);
        size_t           from = tape_offset(plan.bundle->tape, plan.bundle->entries[2].entry);
        struct span      mine = span_from(body.at + from, (size_t)(string.at - body.at) - from);
        plan.edits      = &edit;
        plan.edit_count = 1;
        struct span result = arena_join(o.arena, before, mine, edit.json, span_skip(body, (size_t)(string.at - body.at) + string.length));
        if (redact_check(&plan, result, o.arena, &leak) != (cases[i].let_go ? ST_OK : ST_INTEGRITY))
            fail_msg("%s: %.*s", cases[i].json, SPAN_PRINT(leak));
    }
    out_end(&o);
}

static void
test_refuses_a_reference_that_does_not_resolve_any_more(void **state)
{
    struct out  o    = out_of(NOT_PROGRAM, whole);
    struct plan plan = *o.release->plan;
    struct span leak;
    tape_node   id   = tape_member(plan.bundle->tape, plan.bundle->entries[0].resource, SPAN("id"));

    (void)state;
    uint8_t *mark = arena_alloc(o.arena, tape_count(plan.bundle->tape) + 1);
    memcpy(mark, plan.mark, tape_count(plan.bundle->tape) + 1);
    mark[id]  = 1;                                            /* as if the Patient lost its id */
    plan.mark = mark;
    assert_int_equal(redact_check(&plan,
                                  quoted(o.arena, HEAD "{'resource':{'resourceType':'Patient','birthDate':'1980-01-01',"
                                                       "'gender':'female'}}," BP "]}"), o.arena, &leak), ST_INTEGRITY);
    assert_true(span_find(leak, SPAN("reference")) != SPAN_NOT_FOUND);
    out_end(&o);
}

static void
test_checks_nothing_when_nothing_was_cut(void **state)
{
    struct out o = out_of(NOT_PROGRAM, HEAD PATIENT "]}");

    (void)state;
    assert_int_equal(o.release->outcome, RELEASE_PERMIT);
    assert_int_equal(checked(&o, "whatever", NULL), ST_OK);
    out_end(&o);
}

/* ---- memory ------------------------------------------------------------------------------- */

static void
test_gives_nothing_out_when_memory_is_spent(void **state)
{
    struct arena *keep  = arena_new("texts", 1 << 20);
    struct span   body  = quoted(keep, whole), request = quoted(keep, NOT_PROGRAM);
    unsigned      spent = 0, done = 0;

    (void)state;
    for (size_t budget = 4096; budget < 400000; budget += 1777) {
        struct arena            *arena = arena_new("little", budget);
        const struct tape       *tape;
        const struct bundle     *bundle;
        const struct references *references;
        const struct facts      *facts;
        const struct release    *release = NULL;
        struct issues           *issues  = issues_new(arena, 4);
        enum status st = issues == NULL ? ST_NO_MEMORY : tape_read(body, &tape_default_limits, arena, &tape, NULL);
        if (st == ST_OK)
            st = facts_read(request, arena, issues, &facts);
        if (st == ST_OK)
            st = bundle_read(tape, arena, issues, &bundle);
        if (st == ST_OK)
            st = references_read(bundle, arena, &references);
        if (st == ST_OK)
            st = release_make(bundle, references, NULL, facts, arena, &release);
        if (st == ST_OK) {
            check_span(release->payload, quoted(keep, HEAD PATIENT "," BP "]}"));
            done++;
        } else {
            assert_int_equal(st, ST_NO_MEMORY);
            assert_null(release);
            spent++;
        }
        arena_free(&arena);
    }
    assert_true(spent > 10);
    assert_true(done > 10);
    arena_free(&keep);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts_what_the_plan_lets_go),
        cmocka_unit_test(test_refuses_everything_else),
        cmocka_unit_test(test_finds_what_a_plan_forgot),
        cmocka_unit_test(test_finds_what_an_edit_brings_in),
        cmocka_unit_test(test_refuses_a_reference_that_does_not_resolve_any_more),
        cmocka_unit_test(test_checks_nothing_when_nothing_was_cut),
        cmocka_unit_test(test_gives_nothing_out_when_memory_is_spent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
