/* tests/consent/test_precedent.c -- consent/precedent.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "consent/precedent.h"
#include "consent/provision.h"
#include "consent/revocation.h"

#define SCOPE "\"scope\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/consentscope\",\"code\":\"patient-privacy\"}]}"
#define FORM(id, status, date) "{\"resourceType\":\"Consent\",\"id\":\"" id "\",\"status\":\"" status "\"," SCOPE \
                               ",\"patient\":{\"reference\":\"Patient/p\"},\"dateTime\":\"" date "\""
#define NUMBER(v) ",\"identifier\":[{\"system\":\"urn:f\",\"value\":\"" v "\"}]"
#define TO(id) "\"type\":\"permit\",\"actor\":[{\"reference\":{\"reference\":\"Organization/" id "\"}}]"
#define PERMIT(id) ",\"provision\":{" TO(id) "}}"
#define DENY ",\"provision\":{\"type\":\"deny\"}}"
#define OF(code) "\"purpose\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActReason\",\"code\":\"" code "\"}]"
#define RECEIVED 1780315200000                       /* 2026-06-01T12:00:00Z */

static struct arena *arena;

static int
set_up(void **state)
{
    (void)state;
    arena = arena_new("test", 64u << 20);
    return arena == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static struct consent_source
source_of(struct span text)
{
    struct consent_source s = { .node = TAPE_ROOT };

    assert_int_equal(tape_read(text, &tape_default_limits, arena, &s.tape, NULL), ST_OK);
    return s;
}

static struct precedent
revoked(const char *text, struct revocation r)
{
    struct precedent p = { .revokes = true, .at_ms = RECEIVED + 5000 };
    struct span      out;

    r.received_ms = RECEIVED;
    r.recorded_ms = RECEIVED + 5000;
    assert_int_equal(revoke(source_of(span_of(text)).tape, &r, arena, &out), REVOCATION_MADE);
    p.source = source_of(out);
    return p;
}

/* What is left of `now`: whether it permits at all; *read and *count: the consents as they are to be read. */
static bool
permits(struct precedent p, const char *now, const struct policy **read)
{
    struct facts          facts = { .precedents = &p, .precedent_count = 1 };
    struct consent_source all[2] = { source_of(span_of(now)) };
    size_t                count  = 1;
    bool                  any    = false;

    assert_int_equal(precedents_apply(&facts, NULL, all, &count, arena), ST_OK);
    assert_int_equal(policy_compile(all, count, arena, read), ST_OK);
    const struct consent *c = policy_consent(*read, 0);
    for (uint32_t i = 0; i < c->provision_count && c->unusable == NULL && c->denies_only == NULL; i++)
        any = any || c->provisions[i].type == PROVISION_PERMIT;
    assert_int_equal(any, all[0].again == NULL || count > 1);
    return any;
}

static void
test_a_revocation_outlives_what_is_sent_again(void **state)
{
    static const struct { const char *then, *now; bool permits; } cases[] = {
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("c", "active", "2026-01-01") PERMIT("a"), false },
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("c", "active", "2026-05-01") PERMIT("b"), false },   /* the same id */
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("d", "active", "2026-01-01") PERMIT("a"), false },   /* a copy */
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("d", "active", "2026-01-02") PERMIT("a"), true },    /* no copy */
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("d", "active", "2026-01-01") PERMIT("b"), true },
        { FORM("c", "active", "2026-01-01") PERMIT("a"),
          FORM("d", "active", "2026-01-01") ",\"provision\":{" TO("a") "," OF("TREAT") "}}", true },                 /* for something else */
        { FORM("c", "active", "2026-01-01") ",\"organization\":[{\"reference\":\"Organization/x\"}]" PERMIT("a"),
          FORM("d", "active", "2026-01-01") ",\"organization\":[{\"reference\":\"Organization/y\"}]" PERMIT("a"), true },
        { FORM("c", "active", "2026-01-01") NUMBER("1") PERMIT("a"), FORM("d", "active", "2026-02-01") NUMBER("1") PERMIT("b"), false },
        { FORM("c", "active", "2026-01-01") NUMBER("1") PERMIT("a"), FORM("d", "active", "2026-02-01") NUMBER("2") PERMIT("b"), true },
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("c", "active", "2026-06-01T12:00:00Z") PERMIT("a"), false },
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("c", "active", "2026-06-01T12:00:01Z") PERMIT("a"), true },
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("c", "active", "2026-06-01") PERMIT("a"), false },     /* L3 */
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("c", "active", "2026-06-02") PERMIT("a"), true },
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("c", "active", "no day") PERMIT("a"), false },
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("d", "active", "2026-01-01T00:00:00Z") PERMIT("a"), false },   /* L2: other precision */
        { FORM("c", "active", "2026-01-01T22:00:00-05:00") PERMIT("a"), FORM("d", "active", "2026-01-02T03:00:00.000Z") PERMIT("a"), false },
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("d", "active", "2026-01-02T03:00:00Z") PERMIT("a"), false },  /* that day, at UTC-5 */
        { FORM("c", "active", "2026-01-01T08:00:00+14:00") PERMIT("a"), FORM("d", "active", "2026-01-01") PERMIT("a"), false },
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("d", "active", "2026-01") PERMIT("a"), false },
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("d", "active", "2026-01-02T13:00:00Z") PERMIT("a"), true },
        { FORM("c", "active", "2026-01-01T10:00:00Z") PERMIT("a"), FORM("d", "active", "2026-01-01T10:05:00Z") PERMIT("a"), true },
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("d", "active", "2026-01-01") PERMIT("a/_history/2"), false },   /* L2: other spelling */
        { FORM("c", "active", "2026-01-01") ",\"organization\":[{\"reference\":\"Organization/x\"}]" PERMIT("a"),
          FORM("d", "active", "2026-01-01") ",\"organization\":[{\"reference\":\"https://ehr.example.org/fhir/Organization/x\"}]" PERMIT("a"), false },
        { FORM("c", "active", "2062-01-01") PERMIT("a"), FORM("c", "active", "2062-01-01") PERMIT("a"), false },   /* a slip of the pen */
        { FORM("c", "active", "2062-01-01") PERMIT("a"), FORM("c", "active", "2026-06-02") PERMIT("a"), true },
        { FORM("c", "active", "2062-01-01") PERMIT("a"), FORM("c", "active", "2026-05-02") PERMIT("a"), false },
        { FORM("c", "active", "2026-07-01") PERMIT("a"), FORM("c", "active", "2026-07-01") PERMIT("a"), false },   /* received before it was signed */
        { FORM("c", "active", "2026-07-01") PERMIT("a"), FORM("c", "active", "2026-07-02") PERMIT("a"), true },
    };
    const struct policy *read;

    (void)state;
    for (int form = REVOCATION_WRITTEN; form <= REVOCATION_SAID; form++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
            if (permits(revoked(cases[i].then, (struct revocation){ .form = (enum revocation_form)form }), cases[i].now, &read)
                != cases[i].permits)
                fail_msg("case %zu", i);
}

static void
test_a_patient_is_known_in_any_spelling_and_another_is_another(void **state)
{
    static const struct { const char *patient; bool permits; } cases[] = {
        { "Patient/p", false }, { "https://ehr.example.org/fhir/Patient/p", false }, { "Patient/p/_history/3", false },
        { "Patient/q", true }, { "https://ehr.example.org/fhir/Patient/q", true },
    };
    const struct policy *read;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *form = arena_text(arena, arena_format(arena, "{\"resourceType\":\"Consent\",\"id\":\"c\",\"status\":\"active\"," SCOPE
                                                                 ",\"patient\":{\"reference\":\"%s\"},\"dateTime\":\"2026-01-01\"" PERMIT("a"),
                                                          cases[i].patient));
        struct precedent p = revoked(FORM("c", "active", "2026-01-01") PERMIT("a"), (struct revocation){ .form = REVOCATION_WRITTEN });
        if (permits(p, form, &read) != cases[i].permits)
            fail_msg("revoked, %s", cases[i].patient);
        struct precedent      refused = { .source = source_of(SPAN(FORM("c", "active", "2026-03-01") DENY)), .at_ms = RECEIVED };
        struct facts          facts   = { .precedents = &refused, .precedent_count = 1 };
        struct consent_source all[2]  = { source_of(span_of(form)) };
        size_t                count   = 1;
        assert_int_equal(precedents_apply(&facts, NULL, all, &count, arena), ST_OK);
        assert_int_equal(count, 2);      /* of another patient as well: that version says nothing of this one */
        assert_int_equal(all[0].again != NULL, !cases[i].permits);
    }
}

static void
test_a_revocation_crosses_a_link_and_comes_back_with_it(void **state)
{
#define OF_Q(id, date) "{\"resourceType\":\"Consent\",\"id\":\"" id "\",\"status\":\"active\"," SCOPE \
                       ",\"patient\":{\"reference\":\"Patient/q\"},\"dateTime\":\"" date "\""
    static const struct patient_link link = { SPAN("Patient/q"), SPAN("Patient/p"), false }, gone = { SPAN("Patient/q"), SPAN("Patient/p"), true };
    static const struct patient_name name = { SPAN("Patient/q"), SPAN("Patient/p") };
    static const struct { const char *now; const struct patient_link *link; const struct patient_name *name; bool revoked; } cases[] = {
        { OF_Q("c", "2026-01-01") PERMIT("a"), &link, NULL, true },
        { OF_Q("d", "2026-01-01") PERMIT("a"), &link, NULL, true },      /* a copy */
        { OF_Q("d", "2026-01-02") PERMIT("a"), &link, NULL, false },     /* no copy */
        { OF_Q("d", "2026-06-02") PERMIT("a"), &link, NULL, false },     /* signed after it */
        { OF_Q("c", "2026-01-01") PERMIT("a"), &gone, NULL, false },
        { OF_Q("c", "2026-01-01") PERMIT("a"), NULL, &name, true },
        { OF_Q("c", "2026-01-01") PERMIT("a"), NULL, NULL, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct precedent      p     = revoked(FORM("c", "active", "2026-01-01") PERMIT("a"), (struct revocation){ .form = REVOCATION_WRITTEN });
        struct facts          facts = { .precedents = &p, .precedent_count = 1, .links = cases[i].link, .link_count = cases[i].link != NULL,
                                        .names = cases[i].name, .name_count = cases[i].name != NULL };
        struct consent_source all[2] = { source_of(span_of(cases[i].now)) };
        size_t                count  = 1;
        assert_int_equal(precedents_apply(&facts, NULL, all, &count, arena), ST_OK);
        if ((all[0].again != NULL) != cases[i].revoked)
            fail_msg("case %zu", i);
    }
}

static void
test_a_recipient_is_known_by_reference_and_by_identifier(void **state)
{
#define BY(npi) ",\"provision\":{\"type\":\"permit\",\"actor\":[{\"reference\":{\"identifier\":{\"system\":\"urn:npi\",\"value\":\"" npi "\"}}}]}}"
    static const struct identifier  npi   = { SPAN("urn:npi"), SPAN("1") };
    static const struct known_actor actor = { .reference = SPAN("Organization/a"), .identifiers = &npi, .identifier_count = 1 };
    static const struct { const char *now; bool copy; } cases[] = {
        { FORM("d", "active", "2026-01-01") BY("1"), true }, { FORM("d", "active", "2026-01-01") BY("2"), false },
    };
    struct precedent p = revoked(FORM("c", "active", "2026-01-01") PERMIT("a"), (struct revocation){ .form = REVOCATION_WRITTEN });

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct facts          facts  = { .precedents = &p, .precedent_count = 1, .known_actors = &actor, .known_actor_count = 1 };
        struct consent_source all[2] = { source_of(span_of(cases[i].now)) };
        size_t                count  = 1;
        assert_int_equal(precedents_apply(&facts, NULL, all, &count, arena), ST_OK);
        assert_int_equal(all[0].again != NULL, cases[i].copy);
    }
}

static void
test_a_receipt_known_by_its_day_was_at_its_end(void **state)
{
    struct revocation    r = { .form = REVOCATION_WRITTEN, .received_last_ms = RECEIVED + 86400000 };
    const struct policy *read;
    struct precedent     p = revoked(FORM("c", "active", "2026-01-01") PERMIT("a"), r);

    (void)state;
    assert_false(permits(p, FORM("c", "active", "2026-06-02T11:00:00Z") PERMIT("a"), &read));
    assert_true(permits(p, FORM("c", "active", "2026-06-02T12:00:01Z") PERMIT("a"), &read));
}

static void
test_a_part_stays_revoked_and_is_not_found_by_its_place_alone(void **state)
{
    static const char two[]    = FORM("c", "active", "2026-01-01") ",\"provision\":{\"type\":\"deny\",\"provision\":[{" TO("a") "},{" TO("b") "}]}}";
    static const char spaced[] = FORM("c", "active", "2026-01-01") ", \"provision\" : {\"type\":\"deny\", \"provision\":[{" TO("a") "}, {" TO("b") "}]}}";
    static const char turned[] = FORM("c", "active", "2026-01-01") ",\"provision\":{\"type\":\"deny\",\"provision\":[{" TO("b") "},{" TO("a") "}]}}";
    static const struct { const char *now; uint32_t refusals; bool left; } cases[] = {
        { two, 1, true }, { spaced, 1, true }, { turned, 0, false },
        { FORM("c", "active", "2026-01-01") PERMIT("a"), 0, false },                 /* no such provision any more */
    };
    struct precedent p = revoked(two, (struct revocation){ .form = REVOCATION_WRITTEN, .provision = SPAN("provision.provision[0]") });

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct facts          facts = { .precedents = &p, .precedent_count = 1 };
        struct consent_source all[2] = { source_of(span_of(cases[i].now)) };
        size_t                count  = 1;
        const struct policy  *read;
        assert_int_equal(precedents_apply(&facts, NULL, all, &count, arena), ST_OK);
        assert_int_equal(policy_compile(all, count, arena, &read), ST_OK);
        const struct consent *c = policy_consent(read, 0);
        assert_int_equal(c->unusable == NULL && c->denies_only == NULL, cases[i].left);
        if (cases[i].left) {
            assert_int_equal(c->provisions[1].child_count, cases[i].refusals);
            assert_int_equal(c->provisions[2].child_count, 0);
        }
    }
}

static void
test_a_refusal_goes_on_until_it_is_said_to_be_over(void **state)
{
    static const struct { const char *then, *now; bool goes_on; } cases[] = {
        { FORM("c", "active", "2026-01-01") DENY, FORM("c", "active", "2026-01-01") PERMIT("a"), true },
        { FORM("c", "active", "2026-01-01") DENY, FORM("c", "active", "2025-12-01") PERMIT("a"), true },
        { FORM("c", "active", "2026-01-01") DENY, FORM("c", "active", "2026-01-02") PERMIT("a"), false },
        { FORM("c", "active", "2026-01-01") DENY, FORM("c", "inactive", "2026-01-01") PERMIT("a"), false },
        { FORM("c", "active", "2026-01-01") DENY, FORM("c", "entered-in-error", "2026-01-01") PERMIT("a"), false },
        { FORM("c", "active", "2026-01-01") DENY, FORM("c", "active", "2026-01-01") DENY, false },            /* says so itself */
        { FORM("c", "active", "2026-01-01") DENY, FORM("d", "active", "2026-01-02") PERMIT("a"), true },       /* it was deleted */
        { FORM("c", "active", "2026-01-01") PERMIT("a"), FORM("d", "active", "2026-01-02") PERMIT("a"), false },
        { FORM("c", "active", "2026-01-01") ",\"provision\":[{\"type\":\"deny\"}]}",
          FORM("c", "active", "2026-01-01") PERMIT("a"), false },                                          /* was only unreadable */
        { FORM("c", "active", "2062-01-01") DENY, FORM("c", "active", "2026-06-02") PERMIT("a"), false },     /* a slip of the pen */
        { FORM("c", "active", "2062-01-01") DENY, FORM("c", "active", "2026-05-02") PERMIT("a"), true },
        { FORM("c", "active", "no day") DENY, FORM("c", "active", "2026-06-01") PERMIT("a"), true },
        { FORM("c", "active", "no day") DENY, FORM("c", "active", "2026-06-02") PERMIT("a"), false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct precedent      p      = { .source = source_of(span_of(cases[i].then)), .at_ms = RECEIVED };
        struct facts          facts  = { .precedents = &p, .precedent_count = 1 };
        struct consent_source all[2] = { source_of(span_of(cases[i].now)) };
        size_t                count  = 1;
        const struct policy  *read;
        assert_int_equal(precedents_apply(&facts, NULL, all, &count, arena), ST_OK);
        assert_int_equal(policy_compile(all, count, arena, &read), ST_OK);
        if ((count == 2) != cases[i].goes_on)
            fail_msg("case %zu", i);
        if (count == 2)
            assert_non_null(policy_consent(read, 1)->denies_only);
    }
}

static void
test_says_what_of_a_version_stands(void **state)
{
    static const struct { const char *text; unsigned sent, revoked; } cases[] = {
        { FORM("c", "active", "2026-01-01") PERMIT("a"), 0, PRECEDENT_REVOKES },
        { FORM("c", "active", "2026-01-01") DENY, PRECEDENT_REFUSES, PRECEDENT_REFUSES | PRECEDENT_REVOKES },
        { FORM("c", "inactive", "2026-01-01") DENY, PRECEDENT_ENDS, PRECEDENT_REVOKES },   /* to revoke ends no refusal */
        { FORM("c", "entered-in-error", "2026-01-01") PERMIT("a"), PRECEDENT_ENDS, PRECEDENT_REVOKES },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct consent_source s = source_of(span_of(cases[i].text));
        assert_int_equal(precedent_of(s.tape, s.node, false, arena), cases[i].sent);
        assert_int_equal(precedent_of(s.tape, s.node, true, arena), cases[i].revoked);
    }
}

/* L7: a finding undoes what came before the version that was seen, of the same consent, and nothing else. */
static void
test_a_person_undoes_what_was_recorded_in_error(void **state)
{
    static const char form[] = FORM("c", "active", "2026-01-01") PERMIT("a"), copy[] = FORM("d", "active", "2026-01-01") PERMIT("a");
    static const char other[] = FORM("c", "active", "2026-01-02") PERMIT("b");
    static const char refusal[] = FORM("c", "active", "2026-01-01") DENY;
    static const struct { const char *then, *seen, *now; int64_t after; bool refuses, permits; } cases[] = {
        { form, form, form, 10000, false, true },      { form, form, copy, 10000, false, true },
        { form, copy, form, 10000, false, true },      { form, other, form, 10000, false, true },      /* the same id */
        { form, form, form, 5000, false, false },      { form, form, form, 4000, false, false },        /* revoked afterwards */
        { copy, other, copy, 10000, false, false },                                                      /* of another consent */
        { refusal, form, form, 10000, true, true },    { refusal, form, form, 4000, true, false },
        { refusal, copy, form, 10000, true, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct precedent all[] = {
            cases[i].refuses ? (struct precedent){ .at_ms = RECEIVED + 5000, .source = source_of(span_of(cases[i].then)) }
                             : revoked(cases[i].then, (struct revocation){ .form = REVOCATION_WRITTEN }),
            { .upholds = true, .at_ms = RECEIVED + cases[i].after, .source = source_of(span_of(cases[i].seen)) },
        };
        struct facts          facts = { .precedents = all, .precedent_count = 2 };
        struct consent_source now[3] = { source_of(span_of(cases[i].now)) };
        size_t                count  = 1;
        assert_int_equal(precedents_apply(&facts, NULL, now, &count, arena), ST_OK);
        if ((now[0].again == NULL && count == 1) != cases[i].permits)
            fail_msg("case %zu", i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_revocation_outlives_what_is_sent_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_patient_is_known_in_any_spelling_and_another_is_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_revocation_crosses_a_link_and_comes_back_with_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_recipient_is_known_by_reference_and_by_identifier, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_receipt_known_by_its_day_was_at_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_part_stays_revoked_and_is_not_found_by_its_place_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_refusal_goes_on_until_it_is_said_to_be_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_person_undoes_what_was_recorded_in_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_says_what_of_a_version_stands, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("precedent", tests, NULL, NULL);
}
