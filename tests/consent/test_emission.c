/* tests/consent/test_emission.c -- security labels on what leaves: kept, taken off, or said. */
#include "tests/consent/release_check.h"

#include "consent/emission.h"

#define PROGRAM "'programs':[{'reference':'Organization/oak','name':'Oak Recovery Center'}]"
#define TPO(recipient)                                                                                                  \
    "{'resourceType':'Consent','id':'c','status':'active','patient':{'reference':'Patient/p'},'dateTime':'2026-01-05',"  \
    "'scope':{'coding':[{'system':'http://terminology.hl7.org/CodeSystem/consentscope','code':'patient-privacy'}]},"      \
    "'category':[{'coding':[{'system':'http://loinc.org','code':'59284-0'}]}],'policy':[{'uri':'https://example.org/part2'}],"   \
    "'organization':[{'reference':'Organization/oak'}],"                                                                 \
    "'provision':{'type':'permit','period':{'start':'2026-01-01','end':'2027-12-31'},"                                  \
    "'actor':[{'role':{'coding':[{'code':'IRCP'}]},'reference':{'reference':'" recipient "'}}],"                         \
    "'purpose':[{'system':'http://terminology.hl7.org/CodeSystem/v3-ActReason','code':'TREAT'}]}}"
#define REQUEST(emit, class, more)                                                                                       \
    "{'at':'2026-11-22T15:00:00Z','actor':{'reference':'Organization/lake','class':['" class "']},'purpose':['TREAT'],"   \
    "'emit':'" emit "'," PROGRAM more "}"
#define CONSENTED ",'consents':[" TPO("Organization/lake") "]"
#define UNKNOWN ",'source':{'part2':'unknown'}"
#define CLINIC  ",'source':{'part2':'not-program'}"
#define OUD(meta) "{'resourceType':'Condition','id':'oud'," meta "'subject':{'reference':'Patient/p'},'recorder':{'reference':'Organization/oak'}," \
                  "'code':{'coding':[{'system':'http://hl7.org/fhir/sid/icd-10-cm','code':'F11.20'}]}}"
#define A1C     "{'resourceType':'Observation','id':'a1c','status':'final','subject':{'reference':'Patient/p'},"            \
                "'code':{'coding':[{'system':'http://loinc.org','code':'4548-4'}]},'valueQuantity':{'value':6.10}}"
#define BUNDLE(meta, entries) "{'resourceType':'Bundle'," meta "'type':'collection','entry':[" entries "]}"
#define ENTRY(resource) "{'resource':" resource "}"
#define BASIS "{'url':'http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-basis','valueCoding':"   \
              "{'system':'http://terminology.hl7.org/CodeSystem/v3-ActCode','code':'42CFRPart2'}}"
#define SAYS(code) "'code':'" code "','display':"

static size_t
times(const struct out *o, const char *text)
{
    struct span needle = quoted(o->arena, text), rest = o->payload;
    size_t      n = 0, at;

    while ((at = span_find(rest, needle)) != SPAN_NOT_FOUND) {
        rest = span_skip(rest, at + needle.length);
        n++;
    }
    return n;
}

static void
test_keep_is_the_default_and_leaves_bytes_alone(void **state)
{
    static const char body[] = BUNDLE("", ENTRY("{'resourceType':'Observation','id':'x','meta':{'security':[{'system':"
                                      "'http://terminology.hl7.org/CodeSystem/v3-Confidentiality','code':'N'}]}}") "," ENTRY(A1C));
    struct out o = out_of(REQUEST("keep", "CE_PROVIDER", CLINIC), body);

    assert_true(span_eq(o.payload, quoted(o.arena, body)));
    out_end(&o);
    (void)state;
}

static void
test_what_leaves_under_part_2_says_so_with_basis_and_classifier(void **state)
{
    struct out o = out_of(REQUEST("emit", "CE_PROVIDER", UNKNOWN CONSENTED), BUNDLE("", ENTRY(OUD("")) "," ENTRY(A1C)));

    assert_true(out_has(&o, SAYS("42CFRPart2")));
    assert_true(out_has(&o, SAYS("OPIOIDUD")));
    assert_true(out_has(&o, BASIS));
    assert_true(out_has(&o, "extension-sec-label-classifier','valueReference':{'display':'Sluice'}"));
    assert_int_equal(times(&o, SAYS("42CFRPart2")), 2);      /* the Condition and the high-water mark */
    assert_int_equal(times(&o, SAYS("R")), 2);
    assert_false(out_has(&o, "NORDSCLCD"));                   /* a covered entity may redisclose under HIPAA */
    assert_true(out_has(&o, A1C));                            /* not touched */
    assert_true(out_has(&o, "This record which has been disclosed"));
    out_end(&o);
    (void)state;
}

static void
test_who_may_not_redisclose_is_told_by_resource_and_not_on_the_bundle(void **state)
{
    struct out o = out_of(REQUEST("emit", "NAMED_NONHIPAA", UNKNOWN CONSENTED), BUNDLE("", ENTRY(OUD(""))));

    assert_int_equal(times(&o, "NORDSCLCD"), 1);
    out_end(&o);
    (void)state;
}

/* What stays behind is nowhere: the copy with it and the copy without are the same bytes. */
static void
test_nothing_is_said_of_what_stays(void **state)
{
    static const char request[] = REQUEST("emit", "CE_PROVIDER", UNKNOWN);
    struct out with = out_of(request, BUNDLE("", ENTRY(A1C) "," ENTRY(OUD("")))), without = out_of(request, BUNDLE("", ENTRY(A1C)));

    assert_true(span_eq(with.payload, without.payload));
    assert_false(out_has(&with, "42CFRPart2"));
    assert_false(out_has(&with, "REDACTED"));
    assert_false(out_has(&with, "security"));
    out_end(&with);
    out_end(&without);
    (void)state;
}

/* A clinic's own diagnosis: sensitive, and no Part 2 record (D.1). */
static void
test_substance_use_of_no_program_is_sensitive_and_not_part_2(void **state)
{
    struct out o = out_of(REQUEST("emit", "CE_PROVIDER", CLINIC),
                          BUNDLE("", ENTRY("{'resourceType':'Condition','id':'own','subject':{'reference':'Patient/p'},'code':{'coding':"
                                           "[{'system':'http://hl7.org/fhir/sid/icd-10-cm','code':'F11.20'}]}}")));

    assert_true(out_has(&o, SAYS("OPIOIDUD")));
    assert_true(out_has(&o, SAYS("R")));
    assert_false(out_has(&o, "42CFRPart2"));
    out_end(&o);
    (void)state;
}

static void
test_what_is_there_is_not_said_twice_and_a_low_confidentiality_is_raised(void **state)
{
#define OLD "'meta':{'security':[{'system':'http://terminology.hl7.org/CodeSystem/v3-ActUSPrivacyLaw','code':'42CFRPart2'},"  \
            "{'system':'http://terminology.hl7.org/CodeSystem/v3-Confidentiality','code':'N','display':'normal'}]},"
    struct out o = out_of(REQUEST("emit", "CE_PROVIDER", UNKNOWN CONSENTED), BUNDLE("", ENTRY(OUD(OLD))));

    assert_true(out_has(&o, "'code':'R','display':'restricted'}"));
    assert_false(out_has(&o, "'code':'N'"));
    assert_int_equal(times(&o, "'code':'42CFRPart2'}"), 2);   /* as it came, and the basis of the Bundle's R */
    assert_int_equal(times(&o, SAYS("42CFRPart2")), 1);       /* on the Bundle */
    out_end(&o);
    (void)state;
}

static void
test_none_takes_all_labels_off(void **state)
{
    static const char body[] =
        "{'resourceType':'Bundle','meta':{'security':[{'code':'R'}],'tag':[{'code':'t'}]},'type':'collection','entry':["
        "{'resource':{'resourceType':'Observation','id':'x','meta':{'security':[{'code':'N'}]},'contained':[{'resourceType':"
        "'Medication','id':'m','meta':{'security':[{'code':'N'}]}}]}}]}";
    struct out o = out_of(REQUEST("none", "CE_PROVIDER", CLINIC), body);

    assert_true(o.payload.length > 0);
    assert_false(out_has(&o, "security"));
    assert_true(out_has(&o, "'meta':{'tag':[{'code':'t'}]}"));
    out_end(&o);
    (void)state;
}

static void
test_a_document_that_is_one_resource_carries_them_in_its_own_meta(void **state)
{
    struct out o = out_of(REQUEST("emit", "CE_PROVIDER", UNKNOWN CONSENTED), OUD("'meta':{'versionId':'3'},"));

    assert_int_equal(times(&o, "'security':["), 1);
    assert_int_equal(times(&o, SAYS("42CFRPart2")), 1);
    assert_true(out_has(&o, "This record which has been disclosed"));
    assert_int_equal(times(&o, "'meta'"), 1);
    out_end(&o);
    (void)state;
}

static void
test_a_signature_over_a_bundle_without_labels_goes(void **state)
{
    static const char body[] = "{'resourceType':'Bundle','type':'collection','entry':[{'resource':{'resourceType':'Condition','id':'own',"
                               "'code':{'coding':[{'system':'http://hl7.org/fhir/sid/icd-10-cm','code':'F11.20'}]}}}],"
                               "'signature':{'data':'eA=='}}";
    struct out o = out_of(REQUEST("emit", "CE_PROVIDER", CLINIC), body), k = out_of(REQUEST("keep", "CE_PROVIDER", CLINIC), body);

    assert_false(out_has(&o, "signature"));
    assert_true(out_has(&k, "signature"));
    out_end(&o);
    out_end(&k);
    (void)state;
}

/* A label on one element is read as of that element: it goes, the rest stays. */
static void
test_an_inline_label_speaks_of_its_element(void **state)
{
#define INLINE(code) "'extension':[{'valueCoding':{'system':'http://terminology.hl7.org/CodeSystem/v3-ActCode','code':'" code "'},"     \
                     "'url':'http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label'}]"
#define NOTED(more) BUNDLE("", ENTRY("{'resourceType':'Observation','id':'x','status':'final','code':{'text':'Visit'}," more "}"))
    static const char request[] = REQUEST("keep", "CE_PROVIDER", UNKNOWN);
    struct out note = out_of(request, NOTED("'note':[{" INLINE("SUD") ",'text':'as discussed'},{'text':'well'}]"));
    struct out twin = out_of(request, NOTED("'note':[{'text':'well'}]"));
    struct out text = out_of(request, NOTED("'valueString':'as discussed','_valueString':{" INLINE("42CFRPart2") "}"));
    struct out whole = out_of(request, NOTED(INLINE("SUD")));

    assert_true(span_eq(note.payload, twin.payload));
    assert_false(out_has(&text, "discussed"));
    assert_int_equal(whole.payload.length, 0);                /* on the resource it is the resource's */
    out_end(&note);
    out_end(&twin);
    out_end(&text);
    out_end(&whole);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep_is_the_default_and_leaves_bytes_alone),
        cmocka_unit_test(test_what_leaves_under_part_2_says_so_with_basis_and_classifier),
        cmocka_unit_test(test_who_may_not_redisclose_is_told_by_resource_and_not_on_the_bundle),
        cmocka_unit_test(test_nothing_is_said_of_what_stays),
        cmocka_unit_test(test_substance_use_of_no_program_is_sensitive_and_not_part_2),
        cmocka_unit_test(test_what_is_there_is_not_said_twice_and_a_low_confidentiality_is_raised),
        cmocka_unit_test(test_none_takes_all_labels_off),
        cmocka_unit_test(test_a_document_that_is_one_resource_carries_them_in_its_own_meta),
        cmocka_unit_test(test_an_inline_label_speaks_of_its_element),
        cmocka_unit_test(test_a_signature_over_a_bundle_without_labels_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
