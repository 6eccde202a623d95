#include "release_check.h"

#include "consent/review.h"

#define ASKS "'at':'2026-11-22T15:00:00Z','actor':{'reference':'Organization/county'},'purpose':['TREAT']"
#define UNKNOWN "{" ASKS "}"
#define PICTURE                                                                                              \
    "{'resource':{'resourceType':'DocumentReference','id':'doc','subject':{'reference':'Patient/p1'},"       \
    "'content':[{'attachment':{'contentType':'image/jpeg','data':'/9j/4AAQSkZJRg=='}}]}}"
#define OUD                                                                                                  \
    "{'resource':{'resourceType':'Condition','id':'oud','code':{'text':'Opioid use disorder'},"              \
    "'subject':{'reference':'Patient/p1'}}}"
#define BP "{'resource':{'resourceType':'Observation','id':'bp','status':'final','code':{'text':'Blood pressure'}}}"
#define BUNDLE(entries) "{'resourceType':'Bundle','type':'collection','entry':[" entries "]}"
#define HEAD                                                                                                 \
    "'resourceType':'Consent','id':'c1','status':'active','scope':{'coding':[{'code':'patient-privacy'}]},"  \
    "'patient':{'reference':'Patient/p1'}"
#define DENY_HIV(more)                                                                                       \
    "{" HEAD ",'dateTime':'2026-01-01','provision':{'type':'deny'," more "'code':[{'coding':[{'system':'http://hl7.org/fhir/sid/icd-10-cm','code':'B20'}]}]}}"

struct case_of {
    struct out              o;
    const struct bundle    *bundle;
    struct review_causes    causes;
};

/* The release when a person found that; entry 0 is what it is about. */
static struct case_of
reviewed(const char *request, const char *body, const struct determination *found, size_t count)
{
    struct case_of           c = { .o.arena = arena_new("review", (size_t)1 << 26) };
    const struct tape       *tape;
    const struct references *references;
    const struct facts      *read;
    struct issues           *issues = issues_new(c.o.arena, 8);
    struct facts             facts;

    assert_int_equal(tape_read(quoted(c.o.arena, body), &tape_default_limits, c.o.arena, &tape, NULL), ST_OK);
    assert_int_equal(facts_read(quoted(c.o.arena, request), c.o.arena, issues, &read), ST_OK);
    assert_int_equal(bundle_read(tape, c.o.arena, issues, &c.bundle), ST_OK);
    assert_int_equal(references_read(c.bundle, c.o.arena, &references), ST_OK);
    facts                     = *read;
    facts.determinations      = found;
    facts.determination_count = count;
    assert_int_equal(release_make(c.bundle, references, NULL, &facts, c.o.arena, &c.o.release), ST_OK);
    c.o.payload = c.o.release->payload;
    assert_int_equal(review_release(c.o.release, &facts, c.o.arena, &c.causes), ST_OK);
    return c;
}

static void
test_what_cannot_be_inspected_waits_for_a_person(void **state)
{
    struct case_of c = reviewed(UNKNOWN, BUNDLE(PICTURE "," BP), NULL, 0);

    (void)state;
    assert_int_equal(c.causes.count, 1);
    assert_int_equal(c.causes.all[0].kind, REVIEW_HELD_CONTENT);
    assert_int_equal(c.causes.all[0].entry, 0);
    assert_int_equal(c.causes.all[0].rule, RULE_UNINSPECTED);
    assert_false(out_has(&c.o, "DocumentReference"));
    out_end(&c.o);
}

/* W1 is about entries: what is held in a document inside waits with the entry that holds it, once. */
static void
test_what_is_held_in_a_document_inside_waits_with_its_entry(void **state)
{
#define INSIDE(entries) "{'resource':" BUNDLE(entries) "}"
#define PARAMETERS(of) "{'resource':{'resourceType':'Parameters','id':'all','parameter':[{'name':'x','resource':" of "}]}}"
    static const struct { const char *body; size_t causes; bool outer; } rows[] = {
        { BUNDLE(BP "," INSIDE(PICTURE "," BP)), 1, true },
        { BUNDLE(BP "," INSIDE(PICTURE "," PICTURE "," BP)), 1, true },
        { BUNDLE(BP "," INSIDE(OUD "," BP)), 1, true },                                  /* suspect */
        { BUNDLE(BP "," INSIDE(INSIDE(PICTURE) "," BP)), 1, true },
        { BUNDLE(BP "," PARAMETERS(BUNDLE(PICTURE "," BP))), 1, true },
        { BUNDLE(BP "," INSIDE(BP)), 0, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct case_of c = reviewed(UNKNOWN, rows[i].body, NULL, 0);
        if (c.causes.count != rows[i].causes)
            fail_msg("row %zu: %zu causes", i, c.causes.count);
        if (rows[i].outer) {
            assert_int_equal(c.causes.all[0].kind, REVIEW_INSIDE);
            assert_int_equal(c.causes.all[0].entry, 1);
        }
        assert_true(out_has(&c.o, "Blood pressure") && !out_has(&c.o, "DocumentReference"));
        out_end(&c.o);
    }
}

static void
test_what_a_person_inspected_leaves_and_what_they_refused_does_not(void **state)
{
    static const struct { enum finding finding; unsigned rule; bool leaves; size_t causes; } rows[] = {
        { FINDING_CLEAR,   RULE_UNINSPECTED, true,  0 },
        { FINDING_REFUSED, RULE_UNINSPECTED, false, 0 },
        { FINDING_PART2,   RULE_UNINSPECTED, false, 0 },
        { FINDING_LAWFUL,  RULE_UNINSPECTED, false, 1 },     /* counsel does not read pictures */
        { FINDING_CLEAR,   RULE_NO_CONSENT,  false, 1 },     /* an answer to another question */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct determination found = { .entry = 0, .finding = rows[i].finding, .rule = rows[i].rule };
        struct case_of       c     = reviewed(UNKNOWN, BUNDLE(PICTURE "," BP), &found, 1);
        if (out_has(&c.o, "DocumentReference") != rows[i].leaves || c.causes.count != rows[i].causes)
            fail_msg("row %zu: %zu causes", i, c.causes.count);
        assert_true(out_has(&c.o, "Blood pressure"));
        out_end(&c.o);
    }
}

/* "No substance use" says nothing of HIV: only who looked for that consent lifts its hold. */
static void
test_a_finding_answers_the_consent_that_held_it_and_no_other(void **state)
{
    const char          *request = "{" ASKS ",'source':{'part2':'not-program'},'consents':[" DENY_HIV("") "]}";
    struct determination general = { .finding = FINDING_CLEAR, .rule = RULE_UNINSPECTED };
    struct determination of_c1   = { .finding = FINDING_CLEAR, .rule = RULE_UNINSPECTED, .consent = SPAN("Consent/c1") };
    struct determination of_c2   = { .finding = FINDING_CLEAR, .rule = RULE_UNINSPECTED, .consent = SPAN("Consent/c2") };

    (void)state;
    struct case_of c = reviewed(request, BUNDLE(PICTURE), NULL, 0);
    assert_int_equal(c.causes.count, 1);
    assert_string_equal(consent_reference(c.causes.all[0].consent).at, "Consent/c1");
    out_end(&c.o);
    c = reviewed(request, BUNDLE(PICTURE), &general, 1);
    assert_int_equal(c.o.payload.length, 0);
    out_end(&c.o);
    c = reviewed(request, BUNDLE(PICTURE), &of_c2, 1);
    assert_int_equal(c.o.payload.length, 0);
    out_end(&c.o);
    c = reviewed(request, BUNDLE(PICTURE), &of_c1, 1);
    assert_true(out_has(&c.o, "DocumentReference"));
    out_end(&c.o);
}

static void
test_a_suspect_record_waits_and_leaves_when_it_is_no_programs(void **state)
{
    struct determination clear = { .finding = FINDING_CLEAR, .rule = RULE_NO_CONSENT };
    struct determination part2 = { .finding = FINDING_PART2, .rule = RULE_NO_CONSENT };
    struct case_of       c     = reviewed(UNKNOWN, BUNDLE(OUD "," BP), NULL, 0);

    (void)state;
    assert_int_equal(c.causes.count, 1);
    assert_int_equal(c.causes.all[0].kind, REVIEW_SUSPECT);
    out_end(&c.o);
    c = reviewed(UNKNOWN, BUNDLE(OUD "," BP), &clear, 1);
    assert_true(out_has(&c.o, "Opioid"));
    out_end(&c.o);
    c = reviewed(UNKNOWN, BUNDLE(OUD "," BP), &part2, 1);
    assert_false(out_has(&c.o, "Opioid"));
    assert_int_equal(c.causes.count, 0);
    out_end(&c.o);
}

/* W3 */
static void
test_a_finding_overrides_no_gate_and_no_source(void **state)
{
    static const char *const requests[] = {
        "{" ASKS ",'source':{'part2':'program'}}",                                              /* confirmed */
        "{" ASKS ",'legalContext':'proceeding'}",                                               /* G-3 */
        "{" ASKS ",'consents':[{" HEAD ",'dateTime':'2026-01-01','provision':{'type':'deny'}}]}",
        "{" ASKS ",'restrictions':[{'id':'r1','patient':'Patient/p1','agreed':true,'from':'2026-01-01T00:00:00Z'}]}",
    };
    static const enum finding findings[] = { FINDING_CLEAR, FINDING_LAWFUL };
    static const unsigned     rules[]    = { RULE_NO_CONSENT, RULE_UNINSPECTED, RULE_PROCEEDINGS, RULE_CONSENT_DENY,
                                             RULE_RESTRICTION };

    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        for (size_t f = 0; f < 2; f++)
            for (size_t k = 0; k < sizeof rules / sizeof rules[0]; k++) {
                struct determination found = { .finding = findings[f], .rule = rules[k] };
                struct case_of       c     = reviewed(requests[i], BUNDLE(OUD), &found, 1);
                bool may = i == 1 && findings[f] == FINDING_CLEAR && rules[k] == RULE_NO_CONSENT;
                if (c.o.payload.length > 0 && !may)              /* what is no Part 2 record has no gate of Part 2 */
                    fail_msg("request %zu finding %zu rule %zu", i, f, k);
                out_end(&c.o);
            }
}

/* W4, with two rules that hold and one that sends a notice: one answer each. */
static void
test_a_finding_answers_the_rule_of_the_pack_that_held_it_and_no_other(void **state)
{
#define PACK_RULE(id, more) "{'id':'" id "','words':'w','citation':'c','verified':true," more "}"
    const char *request =
        "{" ASKS ",'source':{'part2':'not-program'},'jurisdiction':{'residence':['US-XX']},'packs':[{'id':'xx','version':'1','jurisdiction':'US-XX',"
        "'appliesTo':['residence'],'effective':{'from':'2026-01-01'},'signedOff':{'by':'counsel','on':'2026-01-01'},'rules':["
        PACK_RULE("a", "'when':{'part2':false},'effect':'hold'") "," PACK_RULE("b", "'when':{'purpose':['TREAT']},'effect':'hold'") ","
        PACK_RULE("n", "'when':{'part2':false},'effect':'notice','notice':{'text':'Protected by XX.','version':'1'}") "]}]}";
    const char *const    body  = BUNDLE("{'resource':{'resourceType':'Condition','id':'x','code':{'text':'Asthma'},'subject':{'reference':'Patient/p1'}}}");
    struct determination a     = { .finding = FINDING_LAWFUL, .rule = RULE_STATE, .document = SPAN("xx 1, a") };
    struct determination b     = { .finding = FINDING_LAWFUL, .rule = RULE_STATE, .document = SPAN("xx 1, b") };
    struct determination other = { .finding = FINDING_LAWFUL, .rule = RULE_STATE };
    const struct { struct determination found[2]; size_t count; bool leaves; const char *waits; } rows[] = {
        { { a }, 0, false, "xx 1, a" }, { { other }, 1, false, "xx 1, a" }, { { a }, 1, false, "xx 1, b" },
        { { b }, 1, false, "xx 1, a" }, { { a, b }, 2, true, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct case_of c = reviewed(request, body, rows[i].found, rows[i].count);
        assert_int_equal(out_has(&c.o, "Asthma"), rows[i].leaves);
        assert_int_equal(out_has(&c.o, "Protected by XX."), rows[i].leaves);
        assert_int_equal(c.causes.count, rows[i].waits != NULL);
        if (rows[i].waits != NULL)
            assert_true(span_eq_text(c.causes.all[0].by, rows[i].waits));
        out_end(&c.o);
    }
}

/* What one consent's question was answered with is no answer to a pack's. */
static void
test_a_pack_on_what_cannot_be_inspected_wants_its_own_answer(void **state)
{
    const char *request =
        "{" ASKS ",'source':{'part2':'not-program'},'jurisdiction':{'residence':['US-XX']},'packs':[{'id':'xx','version':'1','jurisdiction':'US-XX',"
        "'appliesTo':['residence'],'effective':{'from':'2026-01-01'},'signedOff':{'by':'counsel','on':'2026-01-01'},'rules':["
        PACK_RULE("h", "'when':{'label':['HIV']},'effect':'deny'") "]}]}";
    struct determination of_c1 = { .finding = FINDING_CLEAR, .rule = RULE_UNINSPECTED, .consent = SPAN("Consent/c1") };
    struct determination of_h  = { .finding = FINDING_CLEAR, .rule = RULE_UNINSPECTED, .document = SPAN("xx 1, h") };
    struct determination no_h  = { .finding = FINDING_REFUSED, .rule = RULE_UNINSPECTED, .document = SPAN("xx 1, h") };
    struct case_of       c     = reviewed(request, BUNDLE(PICTURE), &of_c1, 1);

    (void)state;
    assert_int_equal(c.o.payload.length, 0);
    assert_int_equal(c.causes.count, 1);
    assert_true(span_eq_text(c.causes.all[0].by, "xx 1, h"));
    out_end(&c.o);
    c = reviewed(request, BUNDLE(PICTURE), &of_h, 1);
    assert_true(out_has(&c.o, "DocumentReference"));
    out_end(&c.o);
    c = reviewed(request, BUNDLE(PICTURE), &no_h, 1);
    assert_int_equal(c.o.payload.length, 0);
    assert_int_equal(c.causes.count, 0);
    out_end(&c.o);
}

/* ---- Consents ----------------------------------------------------------------------------- */

static bool
names(const struct review_causes *causes, enum review_kind kind, const char *paragraph)
{
    for (size_t i = 0; i < causes->count; i++) {
        const char *p = causes->all[i].paragraph;
        if (causes->all[i].kind == kind && (paragraph == NULL || (p != NULL && strcmp(p, paragraph) == 0)))
            return true;
    }
    return false;
}

static void
test_consents_are_named_with_what_they_lack(void **state)
{
#define PERMIT "'provision':{'type':'permit','actor':[{'role':{'coding':[{'code':'IRCP'}]},'reference':{'reference':'Organization/county'}}]}"
#define ACTOR(ref) "'provision':{'type':'permit','actor':[{'role':{'coding':[{'code':'IRCP'}]},'reference':" ref "}]}"
    static const struct { const char *consent; enum review_kind kind; const char *paragraph; size_t count; } rows[] = {
        { "{" HEAD ",'dateTime':'2026-01-01'," PERMIT "}", REVIEW_NONE, NULL, 0 },
        { "{" HEAD "," PERMIT "}", REVIEW_DEFICIENT, "2.31(a)(9)", 4 },
        { "{" HEAD "," PERMIT "}", REVIEW_DEFICIENT, "2.31(a)(5)", 4 },
        { "{" HEAD ",'provision':{'type':'deny'}}", REVIEW_NONE, NULL, 0 },
        { "{" HEAD ",'dateTime':'2026-01-01','modifierExtension':[{'url':'urn:x','valueBoolean':true}]," PERMIT "}", REVIEW_MODIFIER, NULL, 1 },
        { "{" HEAD ",'dateTime':'2026-01-01','implicitRules':'urn:x'," PERMIT "}", REVIEW_MODIFIER, NULL, 1 },
        { "{" HEAD ",'dateTime':'2026-01-01','decision':'permit','grantor':[]}", REVIEW_FOREIGN, NULL, 2 },
        { "{" HEAD ",'dateTime':'2026-01-01','provision':[{'type':'deny'}]}", REVIEW_FOREIGN, NULL, 1 },
        { "{" HEAD ",'dateTime':'2026-01-01','except':[{'type':'deny'}]}", REVIEW_FOREIGN, NULL, 1 },
        { "{" HEAD ",'dateTime':'2026-01-01','provision':{'type':'permit','purpose':[{'code':'NOPE'}]}}", REVIEW_MALFORMED, NULL, 1 },
        { "{" HEAD ",'dateTime':'2026-01-01'," ACTOR("{'reference':'Organization/nobody'}") "}", REVIEW_ACTOR, "2.31(a)(4)", 1 },
        { "{" HEAD ",'dateTime':'2026-01-01'," ACTOR("{'display':'my doctor'}") "}", REVIEW_ACTOR, "2.31(a)(4)", 1 },
        { "{" HEAD ",'dateTime':'2026-01-01'," ACTOR("{'identifier':{'value':'7'}}") "}", REVIEW_NONE, NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[4096];
        (void)snprintf(text, sizeof text, "{'resourceType':'Bundle','type':'collection','entry':[{'resource':%s}]}", rows[i].consent);
        struct case_of       c = reviewed("{" ASKS ",'actors':{'Organization/county':{'resourceType':'Organization'}}}", text, NULL, 0);
        struct review_causes found;
        const struct facts  *facts;
        assert_int_equal(facts_read(quoted(c.o.arena, "{" ASKS ",'actors':{'Organization/county':{'resourceType':'Organization'}}}"),
                                    c.o.arena, issues_new(c.o.arena, 4), &facts), ST_OK);
        assert_int_equal(review_consents(c.o.release->policy, c.bundle, facts, c.o.arena, &found), ST_OK);
        if (found.count != rows[i].count || (rows[i].count > 0 && !names(&found, rows[i].kind, rows[i].paragraph))) {
            for (size_t k = 0; k < found.count; k++)
                print_message("%s %s: %.*s\n", review_code(found.all[k].kind), found.all[k].paragraph ? found.all[k].paragraph : "-",
                              SPAN_PRINT(found.all[k].because));
            fail_msg("row %zu: %zu causes", i, found.count);
        }
        out_end(&c.o);
    }
}

/* narrowed.h: the wide one and then the limited one, of one push; the limited one alone is told. */
static void
test_a_later_and_narrower_consent_is_told(void **state)
{
#define OF(id, patient, date, provision)                                                                     \
    "{'resource':{'resourceType':'Consent','id':'" id "','status':'active','dateTime':'" date "','scope':{'coding':[{'code':" \
    "'patient-privacy'}]},'patient':{'reference':'Patient/" patient "'},'provision':{" provision "}}}"
#define TO(who) "'type':'permit','actor':[{'role':{'coding':[{'code':'IRCP'}]},'reference':{'reference':'Organization/" who "'}}]"
#define SOME ",'class':[{'system':'http://hl7.org/fhir/resource-types','code':'MedicationRequest'}]"
    static const struct { const char *entries; size_t told; } rows[] = {
        { OF("w", "p1", "2025-01-01", TO("county")) "," OF("n", "p1", "2026-01-01", TO("county") SOME), 1 },
        { OF("n", "p1", "2026-01-01", TO("county") SOME) "," OF("w", "p1", "2025-01-01", TO("county")), 1 },
        { OF("w", "p1", "2026-01-01", TO("county")) "," OF("n", "p1", "2025-01-01", TO("county") SOME), 0 },
        { OF("w", "p1", "2026-01-01", TO("county")) "," OF("n", "p1", "2026-01-01", TO("county") SOME), 0 },
        { OF("w", "p1", "2025-01-01", TO("lake")) "," OF("n", "p1", "2026-01-01", TO("county") SOME), 0 },
        { OF("w", "p2", "2025-01-01", TO("county")) "," OF("n", "p1", "2026-01-01", TO("county") SOME), 0 },
        { OF("w", "p1", "2025-01-01", TO("county")) "," OF("n", "p1", "2026-01-01", TO("county")), 0 },
        { OF("w", "p1", "2025-01-01", "'type':'deny'") "," OF("n", "p1", "2026-01-01", TO("county") SOME), 0 },
        { OF("w", "p1", "2025-01-01", TO("county") ",'period':{'end':'2025-12-31'}") ","
          OF("n", "p1", "2026-01-01", TO("county") SOME), 0 },
        { OF("n", "p1", "2026-01-01", TO("county") SOME), 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[4096];
        (void)snprintf(text, sizeof text, BUNDLE("%s"), rows[i].entries);
        struct case_of       c = reviewed(UNKNOWN, text, NULL, 0);
        struct review_causes found;
        struct facts         facts = { .at_ms = INT64_C(1795000000000) };
        size_t               told  = 0;
        assert_int_equal(review_consents(c.o.release->policy, c.bundle, &facts, c.o.arena, &found), ST_OK);
        for (size_t k = 0; k < found.count; k++)
            told += found.all[k].kind == REVIEW_NARROWED && span_eq_text(consent_reference(found.all[k].consent), "Consent/n");
        if (told != rows[i].told)
            fail_msg("row %zu: %zu", i, told);
        out_end(&c.o);
    }
}

/* F2: a scan waits, unless some Consent is its index. */
static void
test_a_consent_that_came_as_a_document_waits(void **state)
{
#define FORM(type, more) "{'resource':{'resourceType':'" type "','id':'form','status':'current','subject':{'reference':'Patient/p1'}" more "}}"
#define CODED(member, system, code) ",'" member "':{'coding':[{'system':'" system "','code':'" code "'}]}"
#define LOINC(member) CODED(member, "http://loinc.org", "59284-0")
#define INDEX(more) "{'resource':{" HEAD ",'dateTime':'2026-01-01'," PERMIT more "}}"
    static const struct { const char *entries; bool waits; } rows[] = {
        { FORM("DocumentReference", LOINC("type")), true },
        { FORM("DocumentReference", CODED("type", "urn:oid:2.16.840.1.113883.6.1", "59284-0")), true },
        { FORM("DocumentReference", ",'category':[{'coding':[{'system':'http://loinc.org','code':'59284-0'}]}]"), true },
        { FORM("DocumentReference", CODED("type", "http://terminology.hl7.org/CodeSystem/v3-ActCode", "42CFRPart2CD")), true },
        { FORM("DiagnosticReport", LOINC("code")), true },
        { FORM("Media", LOINC("type")), true },
        { FORM("Composition", LOINC("type")), true },
        { FORM("DocumentReference", LOINC("type")) "," INDEX(""), true },
        { FORM("DocumentReference", LOINC("type")) "," INDEX(",'sourceReference':{'reference':'DocumentReference/other'}"), true },
        { FORM("DocumentReference", LOINC("type") ",'context':{'related':[{'reference':'Consent/nobodys'}]}"), true },
        { FORM("DocumentReference", LOINC("type")) "," INDEX(",'sourceReference':{'reference':'DocumentReference/form'}"), false },
        { FORM("DocumentReference", LOINC("type") ",'context':{'related':[{'reference':'Consent/c1'}]}") "," INDEX(""), false },
        { FORM("DocumentReference", CODED("type", "http://loinc.org", "18842-5")), false },
        { FORM("DocumentReference", CODED("type", "https://example.org", "59284-0")), false },
        { FORM("DocumentReference", ",'type':{'text':'Consent Document'}"), false },
        { FORM("Observation", LOINC("code")), false },
        { "{'resource':{'resourceType':'DocumentReference','id':'form','status':'superseded'" LOINC("type") "}}", false },
        { "{'resource':{'resourceType':'DocumentReference','id':'form','status':'entered-in-error'" LOINC("type") "}}", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[4096];
        (void)snprintf(text, sizeof text, "{'resourceType':'Bundle','type':'collection','entry':[%s]}", rows[i].entries);
        struct case_of       c = reviewed(UNKNOWN, text, NULL, 0);
        struct review_causes found;
        struct facts         facts = { .at_ms = INT64_C(1795000000000) };
        assert_int_equal(review_consents(c.o.release->policy, c.bundle, &facts, c.o.arena, &found), ST_OK);
        if (names(&found, REVIEW_SCANNED, NULL) != rows[i].waits)
            fail_msg("row %zu", i);
        out_end(&c.o);
    }
}

static void
test_a_label_against_the_registration_is_told(void **state)
{
    const char *request = "{" ASKS ",'source':{'part2':'not-program'}}";
    const char *body    = BUNDLE("{'resource':{'resourceType':'Condition','id':'x','meta':{'security':[{'system':"
                                 "'http://terminology.hl7.org/CodeSystem/v3-ActCode','code':'42CFRPart2'}]},'code':{'text':'Asthma'}}}," BP);
    struct determination found = { .finding = FINDING_CLEAR, .rule = RULE_NO_CONSENT };
    struct case_of       c     = reviewed(request, body, NULL, 0);

    (void)state;
    assert_int_equal(c.causes.count, 1);
    assert_int_equal(c.causes.all[0].kind, REVIEW_CONTRADICTION);
    assert_false(out_has(&c.o, "Asthma"));
    out_end(&c.o);
    c = reviewed(request, body, &found, 1);
    assert_true(out_has(&c.o, "Asthma"));
    out_end(&c.o);
}

static void
test_every_kind_has_its_row(void **state)
{
    (void)state;
    for (int k = REVIEW_NONE + 1; k < REVIEW_COUNT; k++) {
        enum review_kind kind = (enum review_kind)k;
        assert_int_equal(review_of_code(span_of(review_code(kind))), kind);
        assert_true(strlen(review_words(kind)) > 0 && strlen(review_release_words(kind)) > 0 && strlen(review_citation(kind)) > 0);
        assert_true(review_roles(kind) != 0);
    }
    assert_int_equal(review_of_code(SPAN("")), REVIEW_NONE);
    assert_int_equal(review_roles(REVIEW_LEGAL), ROLE_COUNSEL);
    assert_int_equal(review_role_of(SPAN("counsel")), ROLE_COUNSEL);
    assert_int_equal(review_role_of(SPAN("root")), 0);
    assert_true(review_settles(REVIEW_HELD_CONTENT) && !review_settles(REVIEW_DEFICIENT));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_cannot_be_inspected_waits_for_a_person),
        cmocka_unit_test(test_what_is_held_in_a_document_inside_waits_with_its_entry),
        cmocka_unit_test(test_what_a_person_inspected_leaves_and_what_they_refused_does_not),
        cmocka_unit_test(test_a_finding_answers_the_consent_that_held_it_and_no_other),
        cmocka_unit_test(test_a_suspect_record_waits_and_leaves_when_it_is_no_programs),
        cmocka_unit_test(test_a_finding_overrides_no_gate_and_no_source),
        cmocka_unit_test(test_a_finding_answers_the_rule_of_the_pack_that_held_it_and_no_other),
        cmocka_unit_test(test_a_pack_on_what_cannot_be_inspected_wants_its_own_answer),
        cmocka_unit_test(test_consents_are_named_with_what_they_lack),
        cmocka_unit_test(test_a_later_and_narrower_consent_is_told),
        cmocka_unit_test(test_a_consent_that_came_as_a_document_waits),
        cmocka_unit_test(test_a_label_against_the_registration_is_told),
        cmocka_unit_test(test_every_kind_has_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
