/* tests/consent/test_facts.c -- the request file: every fact by name, nothing silently. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consent/facts.h"

static struct arena  *arena;
static struct issues *issues;

static int
setup(void **state)
{
    (void)state;
    arena  = arena_new("test", 1 << 22);
    issues = issues_new(arena, 50);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static const struct facts *
read(const char *json)
{
    const struct facts *facts = NULL;

    if (facts_read(span_of(json), arena, issues, &facts) != ST_OK)
        fail_msg("refused: %s", json);
    return facts;
}

#define LEAST "\"at\":\"2026-11-22T15:00:00Z\",\"actor\":{\"reference\":\"Organization/orgB\"},\"purpose\":[\"TREAT\"]"

static void
test_reads_what_is_on_file(void **state)
{
    (void)state;
    const struct facts *f = read(
        "{" LEAST ",\"againstPatient\":false,\"source\":{\"part2\":\"unknown\",\"holder\":\"H_CEBA_TPO\"},"
        "\"emergency\":{\"declaredBy\":\"b\",\"nature\":\"n\",\"affiliation\":\"a\",\"discloser\":\"d\",\"whyUnobtainable\":\"w\",\"patientRefused\":true},"
        "\"documents\":[{\"id\":\"o1\",\"kind\":\"court-order-2.64\",\"from\":\"2026-01-01\",\"to\":\"2026-12\",\"party\":[\"Organization/court\"],"
        "\"discloser\":\"Organization/otp\",\"patient\":\"Patient/p1\",\"items\":[\"Condition/z\",\"Condition/a\"],\"types\":[\"Observation\"],"
        "\"section\":\"42 CFR 2.64\",\"says\":[\"good-cause\",\"counsel-reviewed\"]},{\"kind\":\"qsoa\"}],"
        "\"relationships\":[{\"provider\":\"Organization/a\",\"patient\":\"Patient/p1\",\"kind\":\"referral\",\"from\":\"2026-01-01\"}],"
        "\"restrictions\":[{\"id\":\"r\",\"patient\":\"Patient/p1\",\"recipient\":[\"HEALTH_PLAN\"],\"purpose\":[\"HPAYMT\"],\"items\":[\"Condition/z\"],\"selfPay\":true}],"
        "\"circumstances\":[{\"patient\":\"Patient/p1\",\"deceased\":false,\"minor\":{\"consentsAlone\":true},"
        "\"representative\":{\"party\":[\"RelatedPerson/m\"],\"basis\":\"parent\",\"from\":\"2020\"}}]}");

    assert_int_equal(f->against, AGAINST_NOBODY);
    assert_int_equal(f->holder, HOLDER_CEBA_TPO);
    assert_true(f->emergency_refused && span_eq_text(f->emergency_why, "w") && span_eq_text(f->emergency_discloser, "d"));
    assert_int_equal(f->document_count, 2);
    const struct instrument *d = &f->documents[0];
    assert_int_equal(d->kind, INSTRUMENT_ORDER_CIVIL);
    assert_true(span_eq_text(d->items[0], "Condition/a"));               /* ascending */
    assert_int_equal(d->says, SAYS_BIT(SAYS_CODE_COUNSEL) | SAYS_BIT(SAYS_CODE_GOOD_CAUSE));
    assert_true(instrument_in_force(d, f->at_ms));
    assert_false(instrument_in_force(d, d->to_ms + 1));
    assert_string_equal(instrument_lacks(d), "patient or holder had notice and a chance to respond, 2.64(b), 2.65(b)");
    assert_false(instrument_in_force(&f->documents[1], f->at_ms));       /* since when is not known */
    assert_int_equal(f->relationships[0].kind, RELATIONSHIP_REFERRAL);
    assert_int_equal(facts_valid_until(f), d->to_ms + 1);
    assert_true(f->restrictions[0].agreed && f->restrictions[0].self_pay);
    assert_int_equal(f->circumstances[0].deceased, KNOWN_NO);
    assert_int_equal(f->circumstances[0].minor_consents, KNOWN_YES);
    assert_int_equal(f->circumstances[0].representation, REPRESENTATION_PARENT);
}

static void
test_refuses_what_is_on_file_and_cannot_be_read(void **state)
{
    static const char *const wrong[] = {
        "\"documents\":[{\"kind\":\"subpena\"}]", "\"documents\":[{\"kind\":\"qsoa\",\"says\":[\"anything\"]}]",
        "\"documents\":[{\"kind\":\"qsoa\",\"from\":\"soon\"}]", "\"documents\":[7]", "\"documents\":{}",
        "\"source\":{\"holder\":\"H_ANYBODY\"}", "\"relationships\":[{\"kind\":\"friendship\"}]",
        "\"restrictions\":[{\"agreed\":\"yes\"}]", "\"circumstances\":[{\"representative\":{\"basis\":\"uncle\"}}]",
        "\"againstPatient\":\"no\"",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct facts *facts = NULL;
        struct span         json  = arena_format(arena, "{" LEAST ",%s}", wrong[i]);
        if (facts_read(json, arena, issues, &facts) != ST_MALFORMED || facts != NULL)
            fail_msg("read: %s", wrong[i]);
    }
}

static void
test_reads_every_member_of_the_interface(void **state)
{
    (void)state;
    const struct facts *f = read(
        "{\"at\":\"2026-11-22T15:00:00Z\",\"patient\":\"Patient/p1\","
        "\"actor\":{\"reference\":\"Organization/orgB\",\"identifier\":[{\"use\":\"official\",\"system\":\"http://hl7.org/fhir/sid/us-npi\",\"value\":\"1000000002\"}],"
        "\"class\":[\"CE_PROVIDER\"],\"memberOf\":[\"Group/g\"],\"onBehalfOf\":\"Organization/orgZ\"},"
        "\"purpose\":[\"TREAT\",\"HPAYMT\"],\"action\":\"access\","
        "\"emergency\":{\"declaredBy\":\"Practitioner/bob\",\"nature\":\"overdose\"},"
        "\"legalContext\":\"proceeding\",\"labels\":\"given\","
        "\"source\":{\"part2\":\"not-program\",\"organization\":\"Organization/otp\"},"
        "\"programs\":[{\"reference\":\"Organization/otp\",\"identifier\":[],\"source\":\"https://otp.example.org/fhir\",\"name\":[\"Oak\",\"Oak Recovery\"]}],"
        "\"actors\":{\"Organization/orgA\":{\"resourceType\":\"Organization\",\"identifier\":[{\"value\":\"7\"},{\"type\":{}}]},"
        "\"Group/g\":{\"resourceType\":\"Group\",\"member\":[{\"entity\":{\"reference\":\"Practitioner/bob\"}},{\"entity\":{\"reference\":\"Practitioner/gone\"},\"inactive\":true}]}},"
        "\"consents\":[{\"resourceType\":\"Consent\",\"id\":\"c1\"}],"
        "\"site\":{\"withholdWithoutConsent\":true,\"requireStatements\":false}}");

    assert_int_equal(f->at_ms, 1795359600000);
    assert_true(span_eq_text(f->patient, "Patient/p1"));
    assert_true(span_eq_text(f->actor.reference, "Organization/orgB"));
    assert_int_equal(f->actor.identifier_count, 1);
    assert_true(span_eq_text(f->actor.identifiers[0].value, "1000000002"));
    assert_true(span_eq_text(f->actor.classes[0], "CE_PROVIDER"));
    assert_true(span_eq_text(f->actor.member_of[0], "Group/g"));
    assert_true(span_eq_text(f->actor.on_behalf_of, "Organization/orgZ"));
    assert_int_equal(f->purpose_count, 2);
    assert_true(span_eq_text(f->purposes[1], "HPAYMT"));
    assert_true(span_eq_text(f->action, "access"));
    assert_true(f->emergency);
    assert_true(span_eq_text(f->emergency_nature, "overdose"));
    assert_int_equal(f->legal, LEGAL_PROCEEDING);
    assert_int_equal(f->labels, LABELS_GIVEN);
    assert_true(f->trust_labels);
    assert_int_equal(f->sender, SENDER_NOT_PROGRAM);
    assert_true(span_eq_text(f->sender_organization, "Organization/otp"));
    assert_int_equal(f->program_count, 1);
    assert_int_equal(f->programs[0].reference_count, 1);
    assert_int_equal(f->programs[0].name_count, 2);
    assert_int_equal(f->known_actor_count, 2);
    assert_int_equal(f->known_actors[0].identifier_count, 1);
    assert_int_equal(f->known_actors[1].member_count, 1);
    assert_int_equal(f->consent_count, 1);
    assert_true(f->site.withhold_without_consent);
    assert_false(f->site.require_statements);
    assert_int_equal(issues_count(issues), 0);
}

static void
test_leaves_everything_else_unknown_when_it_is_not_said(void **state)
{
    (void)state;
    const struct facts *f = read("{" LEAST "}");

    assert_int_equal(f->legal, LEGAL_NONE);
    assert_int_equal(f->labels, LABELS_COMPUTED);
    assert_int_equal(f->sender, SENDER_UNKNOWN);
    assert_false(f->trust_labels);
    assert_false(f->emergency);
    assert_true(span_empty(f->patient));
    assert_int_equal(f->program_count + f->known_actor_count + f->consent_count, 0);
    f = read("{" LEAST ",\"emergency\":null,\"trustLabels\":true}");
    assert_false(f->emergency);
    assert_true(f->trust_labels);
}

static void
test_a_purpose_may_be_an_empty_list(void **state)
{
    (void)state;
    const struct facts *f = read("{\"at\":\"2026-11-22T15:00:00+01:00\",\"actor\":{},\"purpose\":[]}");

    assert_int_equal(f->purpose_count, 0);
    assert_int_equal(f->at_ms, 1795356000000);
}

static void
test_refuses_what_is_missing_misspelt_or_of_the_wrong_type(void **state)
{
    static const struct { const char *json, *expression, *word; } rows[] = {
        { "[]", "$this", "object" },
        { "{\"actor\":{},\"purpose\":[]}", "at", "instant" },
        { "{\"at\":\"2026-11-22\",\"actor\":{},\"purpose\":[]}", "at", "zone" },
        { "{\"at\":\"2026-11-22T15:00:00\",\"actor\":{},\"purpose\":[]}", "at", "zone" },
        { "{\"at\":7,\"actor\":{},\"purpose\":[]}", "at", "instant" },
        { "{\"at\":\"2026-11-22T15:00:00Z\",\"purpose\":[]}", "actor", "recipient" },
        { "{\"at\":\"2026-11-22T15:00:00Z\",\"actor\":[],\"purpose\":[]}", "actor", "object" },
        { "{\"at\":\"2026-11-22T15:00:00Z\",\"actor\":{}}", "purpose", "v3-ActReason" },
        { "{\"at\":\"2026-11-22T15:00:00Z\",\"actor\":{},\"purpose\":\"TREAT\"}", "purpose", "array" },
        { "{\"at\":\"2026-11-22T15:00:00Z\",\"actor\":{},\"purpose\":[1]}", "purpose", "strings" },
        { "{" LEAST ",\"purposes\":[]}", "purposes", "purpose" },
        { "{" LEAST ",\"Labels\":\"given\"}", "Labels", "labels" },
        { "{" LEAST ",\"legalcontext\":\"none\"}", "legalcontext", "legalContext" },
        { "{" LEAST ",\"legalContext\":\"trial\"}", "legalContext", "investigation" },
        { "{" LEAST ",\"labels\":true}", "labels", "string" },
        { "{" LEAST ",\"source\":{\"part2\":\"maybe\"}}", "source.part2", "not-program" },
        { "{" LEAST ",\"source\":{\"part-2\":\"program\"}}", "source.part-2", "part2" },
        { "{" LEAST ",\"programs\":[\"Organization/x\"]}", "programs", "objects" },
        { "{" LEAST ",\"programs\":[{\"identifier\":[{\"system\":\"x\"}]}]}", "programs.identifier", "value" },
        { "{" LEAST ",\"actors\":{\"Organization/x\":1}}", "actors", "resource" },
        { "{" LEAST ",\"consents\":[{\"resourceType\":\"Patient\"}]}", "consents", "Consent" },
        { "{" LEAST ",\"site\":{\"requireStatements\":1}}", "site.requireStatements", "true" },
        { "{" LEAST ",\"emergency\":{\"declaredby\":\"x\"}}", "emergency.declaredby", "declaredBy" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct facts *f    = NULL;
        struct issues      *sink = issues_new(arena, 50);
        if (facts_read(span_of(rows[i].json), arena, sink, &f) != ST_MALFORMED || f != NULL)
            fail_msg("not refused: %s", rows[i].json);
        bool found = false;
        for (uint32_t k = 0; k < issues_count(sink); k++) {
            const struct issue *one = issues_at(sink, k);
            found |= span_eq_text(one->expression, rows[i].expression)
                     && (span_find(one->wanted, span_of(rows[i].word)) != SPAN_NOT_FOUND
                         || span_find(one->hint, span_of(rows[i].word)) != SPAN_NOT_FOUND);
        }
        if (!found)
            fail_msg("no finding on %s with %s", rows[i].expression, rows[i].word);
    }
}

static void
test_warns_of_a_name_that_is_like_no_fact(void **state)
{
    (void)state;
    (void)read("{" LEAST ",\"environment\":{\"x\":1}}");
    assert_int_equal(issues_count(issues), 1);
    assert_int_equal(issues_at(issues, 0)->severity, SEVERITY_WARNING);
    assert_false(issues_have_errors(issues));
}

static void
test_says_where_a_file_that_is_no_json_breaks(void **state)
{
    const struct facts *f = NULL;
    (void)state;
    assert_int_equal(facts_read(SPAN("{\"at\":"), arena, issues, &f), ST_MALFORMED);
    assert_true(issues_have_errors(issues));
}

static void
test_gives_up_when_there_is_no_memory(void **state)
{
    static const char   json[] = "{" LEAST ",\"programs\":[{\"reference\":[\"a\",\"b\"]}],\"actors\":{\"Organization/x\":{\"resourceType\":\"Organization\"}}}";
    const struct facts *f      = NULL;
    bool                passed = false;
    (void)state;
    for (size_t budget = 256; budget < 1 << 16 && !passed; budget += 64) {
        struct arena  *small = arena_new("small", budget);
        struct issues *sink  = issues_new(arena, 5);
        enum status    st    = facts_read(span_of(json), small, sink, &f);
        assert_true(st == ST_OK || st == ST_NO_MEMORY);
        passed = st == ST_OK;
        arena_free(&small);
    }
    assert_true(passed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reads_what_is_on_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refuses_what_is_on_file_and_cannot_be_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reads_every_member_of_the_interface, setup, teardown),
        cmocka_unit_test_setup_teardown(test_leaves_everything_else_unknown_when_it_is_not_said, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_purpose_may_be_an_empty_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refuses_what_is_missing_misspelt_or_of_the_wrong_type, setup, teardown),
        cmocka_unit_test_setup_teardown(test_warns_of_a_name_that_is_like_no_fact, setup, teardown),
        cmocka_unit_test_setup_teardown(test_says_where_a_file_that_is_no_json_breaks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gives_up_when_there_is_no_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
