#include "consent/patient_set.h"
#include "release_check.h"

#include "consent/obligation.h"

#define AT "'at':'2026-11-22T15:00:00Z','actor':{'reference':'Organization/county'},'purpose':['TREAT']"
#define NOT_PROGRAM "{" AT ",'source':{'part2':'not-program'},'programs':[{'reference':'Organization/oak'}]}"
#define UNKNOWN "{" AT "}"
#define BP "{'resource':{'resourceType':'Observation','id':'bp','status':'final','code':{'text':'Blood pressure'}}}"
#define OUD                                                                                                  \
    "{'resource':{'resourceType':'Condition','id':'oud','code':{'text':'Opioid use disorder'},"              \
    "'recorder':{'reference':'Organization/oak'},'subject':{'reference':'Patient/p1'}}}"

#define GONE "{'extension':[{'url':'urn:x','valueReference':{'reference':'Condition/oud'}}]}"
#define HUMAN(before)                                                                                        \
    "{'resourceType':'Bundle','type':'collection','entry':[" before                                          \
    "{'resource':{'resourceType':'Patient','id':'p2','name':[{%s}]}}]}"

/* ---- outcomes ------------------------------------------------------------------------- */

static void
test_permits_and_leaves_the_very_bytes_when_nothing_is_withheld(void **state)
{
    const char *body = "{ 'resourceType' : 'Bundle',\n 'type':'collection','entry':[" BP "] }\n";
    struct out  o    = out_of(NOT_PROGRAM, body);

    (void)state;
    assert_int_equal(o.release->outcome, RELEASE_PERMIT);
    check_span(o.payload, quoted(o.arena, body));
    assert_int_equal(o.release->plan->cut_count, 0);
    out_end(&o);
}

static void
test_is_partial_when_an_entry_goes(void **state)
{
    struct out o = out_of(NOT_PROGRAM, "{'resourceType':'Bundle','type':'collection','entry':[" OUD "," BP "]}");

    (void)state;
    assert_int_equal(o.release->outcome, RELEASE_PARTIAL);
    check_span(o.payload, quoted(o.arena, "{'resourceType':'Bundle','type':'collection','entry':[" BP "]}"));
    assert_non_null(o.release->splices);
    out_end(&o);
}

static void
test_sends_nothing_when_no_entry_is_left(void **state)
{
    struct out o = out_of(NOT_PROGRAM, "{'resourceType':'Bundle','type':'collection','entry':[" OUD "]}");
    struct out e = out_of(NOT_PROGRAM, "{'resourceType':'Bundle','type':'collection'}");

    (void)state;
    assert_int_equal(o.release->outcome, RELEASE_DENY);
    assert_int_equal(o.payload.length, 0);
    assert_null(o.release->splices);
    assert_int_equal(e.payload.length, 0);                    /* and so for its twin */
    out_end(&o);
    out_end(&e);
}

/* A null that held a place for an extension goes with it (B3). */
static void
test_drops_a_place_that_was_held_for_what_went(void **state)
{
    static const struct { const char *was, *is; } rows[] = {
        { "'given':['A',null],'_given':[null," GONE "]", "'given':['A']" },
        { "'given':[null,'A'],'_given':[" GONE ",null]", "'given':['A']" },
        { "'given':['A',null,null],'_given':[null," GONE ",{'id':'c'}]", "'given':['A',null],'_given':[null,{'id':'c'}]" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char body[2048], want[2048];
        snprintf(body, sizeof body, HUMAN(OUD ","), rows[i].was);
        snprintf(want, sizeof want, HUMAN(""), rows[i].is);
        struct out o = out_of(NOT_PROGRAM, body);
        check_span(o.payload, quoted(o.arena, want));
        out_end(&o);
    }
}

static void
test_takes_a_single_resource(void **state)
{
    struct out bp  = out_of(UNKNOWN, "{'resourceType':'Observation','id':'bp','status':'final','code':{'text':'x'}}");
    struct out oud = out_of(UNKNOWN, "{'resourceType':'Condition','id':'o','code':{'text':'Opioid use disorder'},"
                                     "'subject':{'reference':'Patient/p1'}}");

    (void)state;
    assert_int_equal(bp.release->outcome, RELEASE_PERMIT);
    assert_int_equal(oud.payload.length, 0);
    out_end(&bp);
    out_end(&oud);
}

static void
test_holds_what_cannot_be_inspected_and_sends_the_rest(void **state)
{
    static const char scan[] =
        "{'resource':{'resourceType':'DocumentReference','id':'d','status':'current','content':[{'attachment':"
        "{'contentType':'image/png','data':'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk'}}]}}";
    char body[1024];
    snprintf(body, sizeof body, "{'resourceType':'Bundle','type':'collection','entry':[%s," BP "]}", scan);
    struct out o = out_of(UNKNOWN, body);

    (void)state;
    assert_int_equal(o.release->plan->decisions[0].verdict, VERDICT_HOLD);
    assert_int_equal(o.release->outcome, RELEASE_PARTIAL);
    check_span(o.payload, quoted(o.arena, "{'resourceType':'Bundle','type':'collection','entry':[" BP "]}"));
    snprintf(body, sizeof body, "{'resourceType':'Bundle','type':'collection','entry':[%s]}", scan);
    struct out alone = out_of(UNKNOWN, body);
    assert_int_equal(alone.release->outcome, RELEASE_HOLD);
    assert_int_equal(alone.payload.length, 0);
    out_end(&alone);
    out_end(&o);
}

/* ---- consents and notices ---------------------------------------------------------------- */

#define CONSENT                                                                                              \
    "{'resourceType':'Consent','id':'c1','status':'active','scope':{'coding':[{'system':"                    \
    "'http://terminology.hl7.org/CodeSystem/consentscope','code':'patient-privacy'}]},'category':[{'coding':" \
    "[{'system':'http://loinc.org','code':'59284-0'}]}],'patient':{'reference':'Patient/p1'},"               \
    "'dateTime':'2024-01-01','organization':[{'reference':'Organization/oak'}],'policy':[{'uri':'http://x'}]," \
    "'provision':{'type':'permit','period':{'start':'2024-01-01'},'actor':[{'role':{'coding':[{'code':'IRCP'}]}," \
    "'reference':{'reference':'Organization/county'}}],'purpose':[{'system':"                                \
    "'http://terminology.hl7.org/CodeSystem/v3-ActReason','code':'TREAT'}]}}"

static void
test_counts_a_consent_of_the_bundle_and_adds_the_notice(void **state)
{
    struct out o = out_of(NOT_PROGRAM, "{'resourceType':'Bundle','type':'collection','signature':{'data':'x'},'entry':["
                                       "{'resource':" CONSENT "}," OUD "," BP "]}");

    (void)state;
    assert_true(out_has(&o, "Opioid use disorder"));
    assert_true((o.release->obligations & OBLIGE_NOTICE) != 0);
    assert_true(out_has(&o, "'meta'"));
    assert_false(out_has(&o, "signature"));                   /* it signs a Bundle without the notice */
    out_end(&o);
}

/* That somebody is a patient of the program is Part 2 matter by itself (42 CFR 2.11, 2.13). */
static void
test_adds_the_notice_where_the_tie_to_the_program_goes(void **state)
{
    static const char by_consent[] = "{" AT ",'source':{'part2':'not-program'},'programs':[{'reference':"
                                     "'Organization/oak'}],'consents':[" CONSENT "]}";
    static const char tied[] = "{'resourceType':'Bundle','type':'collection','entry':[{'resource':{'resourceType':"
                               "'Patient','id':'p1','managingOrganization':{'reference':'Organization/oak'}}}," BP "]}";
    static const char free_of_it[] = "{'resourceType':'Bundle','type':'collection','entry':[{'resource':{"
                                     "'resourceType':'Patient','id':'p1'}}," BP "]}";
    struct out with = out_of(by_consent, tied), without = out_of(NOT_PROGRAM, tied), none = out_of(by_consent, free_of_it);

    (void)state;
    assert_true(out_has(&with, "Organization/oak"));
    assert_true(out_has(&with, obligation_notice_long));
    assert_true((with.release->obligations & OBLIGE_ACCOUNTING) != 0);
    assert_int_equal(with.release->plan->decisions[0].rule, RULE_SPECIFIC);
    check_span(without.payload, quoted(without.arena, free_of_it));
    check_span(none.payload, quoted(none.arena, free_of_it));
    out_end(&with);
    out_end(&without);
    out_end(&none);
}

static void
test_adds_no_notice_where_no_part_2_content_goes(void **state)
{
    struct out o = out_of(NOT_PROGRAM, "{'resourceType':'Bundle','type':'collection','signature':{'data':'x'},'entry':["
                                       BP "]}");

    (void)state;
    assert_int_equal(o.release->obligations & OBLIGE_NOTICE, 0);
    assert_true(out_has(&o, "signature"));
    out_end(&o);
}

static void
test_leaves_the_program_s_name_to_whoever_may_have_its_records(void **state)
{
    static const char body[] =
        "{'resourceType':'Bundle','type':'collection','entry':[{'resource':{'resourceType':'Patient','id':'p1',"
        "'generalPractitioner':[{'reference':'Organization/oak','display':'Oak Recovery'}]}},{'resource':"
        "{'resourceType':'Organization','id':'oak','name':'Oak Recovery'}},{'resource':{'resourceType':'Observation',"
        "'id':'bp','status':'final','code':{'text':'x'},'note':[{'text':'seen at Oak Recovery'}],'subject':"
        "{'reference':'Patient/p1'}}}]}";
    struct out closed = out_of(NOT_PROGRAM, body);
    struct out open   = out_of("{" AT ",'source':{'part2':'not-program'},'programs':[{'reference':'Organization/oak'}],"
                               "'consents':[" CONSENT "]}", body);

    (void)state;
    assert_false(out_has(&closed, "Oak Recovery"));
    assert_true(out_has(&closed, "Patient") && out_has(&closed, "bp"));
    assert_true(out_has(&open, "'generalPractitioner':[{'reference':'Organization/oak','display':'Oak Recovery'}]"));
    assert_true(out_has(&open, "seen at Oak Recovery"));
    assert_int_equal(open.release->plan->cut_count, 0);
    assert_int_equal(open.release->plan->withheld, 0);
    out_end(&closed);
    out_end(&open);
}

/* ---- cases ------------------------------------------------------------------------------- */

struct cases { unsigned run, failed; };

static struct span
member_json(const struct tape *t, const char *name)
{
    tape_node n = tape_member(t, TAPE_ROOT, span_of(name));

    return n == TAPE_ABSENT ? SPAN("null") : tape_extent(t, n);
}

static bool
listed(const struct tape *t, tape_node list, struct span id, struct arena *arena)
{
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n))
        if (span_eq(tape_text(t, n, arena), id))
            return true;
    return false;
}

/* Whether what is kept is this list of ids. */
static bool
kept_is(const struct release *r, const struct tape *t, tape_node list, struct arena *arena)
{
    uint32_t kept = 0;

    for (uint32_t e = 0; e < r->bundle->count; e++) {
        if (r->plan->decisions[e].verdict < VERDICT_REDACT)
            continue;
        kept++;
        if (!listed(t, list, r->bundle->entries[e].id, arena))
            return false;
    }
    return kept == tape_children(t, list);
}

static void
one_case(const char *path, const char *name, void *context)
{
    struct cases      *c     = context;
    struct arena      *arena = arena_new("case", (size_t)1 << 26);
    struct span        text  = check_file(arena, path);
    const struct tape *t;
    struct buf         request;

    assert_int_equal(tape_read(text, &tape_default_limits, arena, &t, NULL), ST_OK);
    struct span own = tape_extent(t, tape_member(t, TAPE_ROOT, SPAN("request")));
    buf_init(&request, 1 << 20);
    buf_add(&request, span_first(own, own.length - 1));
    buf_add_text(&request, ",\"labels\":");
    buf_add(&request, member_json(t, "labels"));
    buf_add_text(&request, ",\"actors\":");
    buf_add(&request, member_json(t, "actors"));
    buf_add_text(&request, ",\"consents\":");
    buf_add(&request, member_json(t, "consents"));
    buf_add_text(&request, "}");
    const struct release *r = release_of(tape_extent(t, tape_member(t, TAPE_ROOT, SPAN("bundle"))),
                                         buf_span(&request), arena);
    tape_node expected = tape_member(t, TAPE_ROOT, SPAN("expected"));
    tape_node also     = tape_member(t, expected, SPAN("alsoAcceptableReleasedIds"));
    bool      good     = kept_is(r, t, tape_member(t, expected, SPAN("releasedIds")), arena);
    for (tape_node n = tape_first(t, also); n != TAPE_ABSENT; n = tape_next(t, n))
        good = good || kept_is(r, t, n, arena);
    tape_node never = tape_member(t, expected, SPAN("mustNotContain"));
    for (tape_node n = tape_first(t, never); n != TAPE_ABSENT; n = tape_next(t, n))
        good = good && span_find(r->payload, tape_text(t, n, arena)) == SPAN_NOT_FOUND;
    if (span_eq_text(tape_member_text(t, TAPE_ROOT, SPAN("id"), arena), "H06-audit-sink-down"))
        good = true;                                          /* about the gateway, not about what may leave */
    c->run++;
    if (!good) {
        c->failed++;
        print_message("%s: releases %.*s\n", name, SPAN_PRINT(r->payload));
    }
    buf_release(&request);
    arena_free(&arena);
}

static void
test_agrees_with_the_shared_cases(void **state)
{
    struct cases c = { 0, 0 };

    (void)state;
    if (!check_shared("cases/consent"))
        skip();
    check_folder(check_shared_path("cases/consent"), "", ".json", one_case, &c);
    print_message("%u cases, %u differ\n", c.run, c.failed);
    assert_int_equal(c.failed, 0);
}

/* ---- several patients in one Bundle --------------------------------------------------------- */

#define CONSENT_OF(patient)                                                                                   \
    "{'resourceType':'Consent','id':'c-" patient "','status':'active','scope':{'coding':[{'code':'patient-privacy'}]},"    \
    "'patient':{'reference':'Patient/" patient "'},'dateTime':'2026-01-01','organization':[{'reference':'Organization/oak'}],"  \
    "'provision':{'type':'permit','actor':[{'role':{'coding':[{'code':'IRCP'}]},'reference':{'reference':'Organization/county'}}],"  \
    "'purpose':[{'system':'http://terminology.hl7.org/CodeSystem/v3-ActReason','code':'TREAT'},"                  \
    "{'system':'http://terminology.hl7.org/CodeSystem/v3-ActReason','code':'HPAYMT'},"                             \
    "{'system':'http://terminology.hl7.org/CodeSystem/v3-ActReason','code':'HOPERAT'}]}}"
#define P1_CONSENTS(part2)                                                                                    \
    "{" AT ",'actors':{'Organization/county':{'resourceType':'Organization','id':'county'}},'source':{'part2':'" part2 "'}," \
    "'programs':[{'reference':'Organization/oak','identifier':[{'value':'1234567893'}],'source':['https://oak.example.net/fhir']}]," \
    "'consents':[" CONSENT_OF("p1") "]}"
#define OF(patient) "'subject':{'reference':'Patient/" patient "'}"
#define ALCOHOL_P1 "{'resource':{'resourceType':'Condition','id':'a1','code':{'text':'Alcohol use disorder'}," OF("p1") "}}"
#define NOTE(id, patient, text)                                                                               \
    "{'resource':{'resourceType':'Observation','id':'" id "','status':'final','code':{'text':'Weight'}," OF(patient) \
    ",'note':[{'text':'steady'},{'text':'" text "'}]}}"
#define BUNDLE_OF(entries) "{'resourceType':'Bundle','type':'collection','entry':[" entries "]}"

/* What one patient's record may say is no excuse for another's, and is one for its own. */
static void
test_what_one_patient_may_say_opens_nothing_of_another(void **state)
{
    struct out o = out_of(P1_CONSENTS("unknown"), BUNDLE_OF(ALCOHOL_P1 "," NOTE("o1", "p1", "alcohol use disorder, known") ","
                                                            NOTE("o2", "p2", "alcohol use disorder, severe")));
    struct out alone = out_of(P1_CONSENTS("unknown"), BUNDLE_OF(ALCOHOL_P1 "," NOTE("o1", "p1", "alcohol use disorder, known")));

    (void)state;
    assert_true(out_has(&o, "disorder, known"));
    assert_true(out_has(&o, "'id':'o2'"));
    assert_false(out_has(&o, "severe"));
    assert_true(out_has(&alone, "disorder, known"));
    out_end(&o);
    out_end(&alone);
}

/* The words of a record that leaves, set in bold; and bold words of none. */
static void
test_markup_around_a_word_does_not_make_it_another(void **state)
{
#define TOLD(id, rows) "{'resource':{'resourceType':'Observation','id':'" id "','status':'final','code':{'text':'Weight'}," OF("p1") \
    ",'text':{'status':'generated','div':'<div><p>steady</p>" rows "</div>'}}}"
    static const char request[] = "{" AT ",'actors':{'Organization/county':{'resourceType':'Organization','id':'county'}},'source':{'part2':'unknown'},"
                                  "'programs':[{'reference':'Organization/oak'},{'reference':'Organization/elm'}],'consents':[" CONSENT_OF("p1") "]}";
#define AT_OAK_P1 "{'resource':{'resourceType':'Condition','id':'a1','recorder':{'reference':'Organization/oak'},'code':{'text':'Alcohol use disorder'}," OF("p1") "}}"
#define STATED "<p>known <b>alcohol use disorder</b></p><p>alcohol <i>use</i> disorder, severe</p>"
    struct out o = out_of(request, BUNDLE_OF(AT_OAK_P1 "," TOLD("o1", STATED) "," TOLD("o2", "<p>known <b>heroin use</b></p>")));

    (void)state;
    assert_true(out_has(&o, TOLD("o1", STATED)));
    assert_true(out_has(&o, TOLD("o2", "")));
    out_end(&o);
}

/* A Medication has no patient; whose drug it is, its order says, and whose record. */
static void
test_a_drug_that_only_a_program_s_order_names_goes_where_the_order_goes(void **state)
{
#define ORDER(patient) "{'resource':{'resourceType':'MedicationRequest','id':'m-" patient "','status':'active','intent':'order'," OF(patient) \
    ",'requester':{'reference':'Organization/oak'},'medicationReference':{'reference':'Medication/d-" patient "'}}}"
#define DRUG(patient) "{'resource':{'resourceType':'Medication','id':'d-" patient "','code':{'text':'Suboxone'}}}"
#define TWO_PROGRAMS "'programs':[{'reference':'Organization/oak'},{'reference':'Organization/elm'}]"
    static const char request[] = "{" AT ",'actors':{'Organization/county':{'resourceType':'Organization','id':'county'}},'source':{'part2':'unknown'},"
                                  TWO_PROGRAMS ",'consents':[" CONSENT_OF("p1") "]}";
    struct out o = out_of(request, BUNDLE_OF(ORDER("p1") "," DRUG("p1") "," ORDER("p2") "," DRUG("p2") "," NOTE("o1", "p1", "takes Suboxone")
                                             "," NOTE("o2", "p2", "takes Suboxone")));

    (void)state;
    assert_true(out_has(&o, "'id':'m-p1'"));
    assert_true(out_has(&o, "'id':'d-p1'"));
    assert_true(out_has(&o, "'id':'o1'") && out_has(&o, "takes Suboxone"));
    assert_false(out_has(&o, "m-p2"));
    assert_false(out_has(&o, "d-p2"));
    assert_true(out_has(&o, NOTE("o1", "p1", "takes Suboxone")));
    assert_true(out_has(&o, "'id':'o2'"));
    assert_false(out_has(&o, NOTE("o2", "p2", "takes Suboxone")));
    out_end(&o);
}

/* Its fullUrl is on the program's server, and nothing else says so. */
static void
test_lets_a_record_go_whose_address_is_its_program_s(void **state)
{
#define AT_OAK(id, patient) "{'fullUrl':'https://oak.example.org/fhir/Condition/" id "','resource':{'resourceType':'Condition','id':'" id "','code':{'text':'rash'}," OF(patient) "}}"
    static const char request[] = "{" AT ",'actors':{'Organization/county':{'resourceType':'Organization','id':'county'}},'source':{'part2':'not-program'},"
                                  "'programs':[{'reference':'Organization/oak','source':'https://oak.example.org/fhir'}],'consents':[" CONSENT_OF("p1") "]}";
    struct out o = out_of(request, BUNDLE_OF(AT_OAK("r1", "p1") "," AT_OAK("r2", "p2")));

    (void)state;
    assert_int_equal(o.release->outcome, RELEASE_PARTIAL);
    assert_true(out_has(&o, AT_OAK("r1", "p1")));
    assert_false(out_has(&o, "r2"));
    out_end(&o);
}

/* What stands in a document inside an entry is about the patient who is named there. */
static void
test_a_document_inside_is_judged_for_its_own_patient(void **state)
{
#define PATIENT(id) "{'resource':{'resourceType':'Patient','id':'" id "'}}"
#define INSIDE(patient)                                                                                       \
    "{'resource':{'resourceType':'Parameters','id':'in-" patient "','parameter':[{'name':'r','resource':{'resourceType':'Observation','id':'obs-" patient \
    "','status':'final','code':{'text':'Weight'}," OF(patient) ",'performer':[{'reference':'Organization/oak'}]}}]}}"
    struct out o = out_of(P1_CONSENTS("not-program"), BUNDLE_OF(PATIENT("p1") "," PATIENT("p2") "," INSIDE("p1") "," INSIDE("p2")));

    (void)state;
    assert_true(out_has(&o, PATIENT("p1") "," PATIENT("p2") "," INSIDE("p1")));
    assert_false(out_has(&o, "obs-p2"));
    assert_true(o.release->obligations & OBLIGE_NOTICE);      /* and the notice for what is inside */
    assert_true(out_has(&o, "42 CFR part 2"));
    out_end(&o);
}

/* plan_nested.h N2: of p1's consent nothing is said where p2's record was all that is of the program; N1: what a container says itself
 * it is judged by, however much stands inside. */
static void
test_a_container_goes_for_what_of_it_goes(void **state)
{
#define INNER(id, patient) "{'resource':{'resourceType':'Observation','id':'" id "','status':'final','code':{'text':'Weight'}," OF(patient) "}}"
#define OF_OAK(id, patient) "{'resource':{'resourceType':'Observation','id':'" id "','status':'final','code':{'text':'Weight'}," OF(patient) ",'performer':[{'reference':'Organization/oak'}]}}"
#define IN_BUNDLE(entries) "{'resource':{'resourceType':'Bundle','id':'in','type':'collection','entry':[" entries "]}}"
    static const struct { const char *inside; bool stays, notice; } cases[] = {
        { IN_BUNDLE(INNER("a", "p1") "," INNER("b", "p2")),  true, false },
        { IN_BUNDLE(OF_OAK("hidden", "p2") "," INNER("b", "p2")), true, false },
        { IN_BUNDLE("{'resource':{'resourceType':'Organization','id':'hidden','identifier':[{'value':'1234567893'}]}}," INNER("b", "p2")), true, false },
        { IN_BUNDLE(OF_OAK("hidden", "p2") "," OF_OAK("a", "p1")), true, true },
        { IN_BUNDLE(IN_BUNDLE(OF_OAK("hidden", "p2") "," INNER("a", "p1"))), true, false },
        { "{'fullUrl':'https://oak.example.net/fhir/Bundle/in','resource':{'resourceType':'Bundle','id':'hidden','type':'collection','entry':[" INNER("b", "p2") "]}}", false, false },
        { "{'resource':{'resourceType':'Bundle','id':'hidden','type':'collection','meta':{'source':'https://oak.example.net/fhir'},'entry':[" INNER("b", "p2") "]}}", false, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[4096];
        snprintf(body, sizeof body, "{'resourceType':'Bundle','type':'collection','entry':[" PATIENT("p1") "," PATIENT("p2") ",%s]}", cases[i].inside);
        struct out o = out_of(P1_CONSENTS("not-program"), body);
        if (out_has(&o, "hidden") || out_has(&o, "'resourceType':'Observation'") != cases[i].stays
            || ((o.release->obligations & OBLIGE_NOTICE) != 0) != cases[i].notice || out_has(&o, "42 CFR part 2") != cases[i].notice)
            fail_msg("%zu: %.*s", i, SPAN_PRINT(o.payload));
        out_end(&o);
    }
}

/* More patients than are told apart (plan_evidence.h): what the last one's record says of itself excuses no
 * words of the first one's. */
static void
test_of_many_patients_none_excuses_anothers_words(void **state)
{
#define CODED(id, who, text) "{'resource':{'resourceType':'Condition','id':'" id "','code':{'coding':[{'system':'http://hl7.org/fhir/sid/icd-10-cm'," \
                             "'code':'F11.20'}]" text "},'subject':{'reference':'Patient/" who "'}}}"
#define CONSENTED(who) "'consents':[{'resourceType':'Consent','status':'active','scope':{'coding':[{'code':'patient-privacy'}]},"         \
                       "'patient':{'reference':'Patient/" who "'},'dateTime':'2026-01-01','provision':{'type':'permit'," \
                       "'actor':[{'reference':{'reference':'Organization/county'}}]}}]"
    static const unsigned crowds[] = { 1, 64, MAX_PATIENTS - 1, MAX_PATIENTS, MAX_PATIENTS + 1 };

    (void)state;
    for (size_t c = 0; c < sizeof crowds / sizeof *crowds; c++) {
        unsigned crowd = crowds[c];
        char     body[32768];
        size_t at = (size_t)snprintf(body, sizeof body, "{'resourceType':'Bundle','type':'collection','entry':[");
        for (unsigned i = 0; i < crowd; i++)
            at += (size_t)snprintf(body + at, sizeof body - at, "{'resource':{'resourceType':'Patient','id':'p%u'}},", i);
        snprintf(body + at, sizeof body - at, "{'resource':{'resourceType':'Patient','id':'last'}}," CODED("c0", "p0", "") "," CODED("cl", "last", ",'text':'heroin use'")
                 ",{'resource':{'resourceType':'Observation','id':'of','status':'final','code':{'text':'Heart rate'},"
                 "'subject':{'reference':'Patient/p0'},'note':[{'text':'heroin use reported'}]}}]}");
        struct out o = out_of("{" AT "," CONSENTED("last") "}", body);
        assert_true(out_has(&o, "'id':'cl'"));
        assert_false(out_has(&o, "'id':'c0'"));
        assert_true(out_has(&o, "Heart rate"));
        if (out_has(&o, "heroin use reported"))
            fail_msg("with %u patients before", crowd);
        out_end(&o);
    }
}

/* Who is told apart keeps words that are another one's matter; who is not, does not. */
static void
test_of_many_patients_each_has_words_of_their_own(void **state)
{
    static const unsigned crowds[] = { 1, 64, MAX_PATIENTS - 1, MAX_PATIENTS };

    (void)state;
    for (size_t c = 0; c < sizeof crowds / sizeof *crowds; c++) {
        unsigned crowd = crowds[c];
        char     body[32768];
        size_t   at = (size_t)snprintf(body, sizeof body, "{'resourceType':'Bundle','type':'collection','entry':[");
        for (unsigned i = 0; i < crowd; i++)
            at += (size_t)snprintf(body + at, sizeof body - at, "{'resource':{'resourceType':'Patient','id':'p%u'}},", i);
        snprintf(body + at, sizeof body - at, "{'resource':{'resourceType':'Patient','id':'last'}}," CODED("c0", "p0", ",'text':'Quarnex blue syrup'")
                 ",{'resource':{'resourceType':'Observation','id':'of','status':'final','code':{'text':'Heart rate'},"
                 "'subject':{'reference':'Patient/last'},'note':[{'text':'given Quarnex blue syrup'}]}}]}");
        struct out o = out_of("{" AT "," CONSENTED("last") "}", body);
        assert_true(out_has(&o, "Heart rate"));
        assert_false(out_has(&o, "'id':'c0'"));
        if (out_has(&o, "given Quarnex") != (crowd < MAX_PATIENTS))
            fail_msg("with %u patients before", crowd);
        out_end(&o);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_many_patients_none_excuses_anothers_words),
        cmocka_unit_test(test_of_many_patients_each_has_words_of_their_own),
        cmocka_unit_test(test_permits_and_leaves_the_very_bytes_when_nothing_is_withheld),
        cmocka_unit_test(test_is_partial_when_an_entry_goes),
        cmocka_unit_test(test_sends_nothing_when_no_entry_is_left),
        cmocka_unit_test(test_drops_a_place_that_was_held_for_what_went),
        cmocka_unit_test(test_takes_a_single_resource),
        cmocka_unit_test(test_holds_what_cannot_be_inspected_and_sends_the_rest),
        cmocka_unit_test(test_counts_a_consent_of_the_bundle_and_adds_the_notice),
        cmocka_unit_test(test_adds_the_notice_where_the_tie_to_the_program_goes),
        cmocka_unit_test(test_adds_no_notice_where_no_part_2_content_goes),
        cmocka_unit_test(test_leaves_the_program_s_name_to_whoever_may_have_its_records),
        cmocka_unit_test(test_what_one_patient_may_say_opens_nothing_of_another),
        cmocka_unit_test(test_markup_around_a_word_does_not_make_it_another),
        cmocka_unit_test(test_a_drug_that_only_a_program_s_order_names_goes_where_the_order_goes),
        cmocka_unit_test(test_lets_a_record_go_whose_address_is_its_program_s),
        cmocka_unit_test(test_a_document_inside_is_judged_for_its_own_patient),
        cmocka_unit_test(test_a_container_goes_for_what_of_it_goes),
        cmocka_unit_test(test_agrees_with_the_shared_cases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
