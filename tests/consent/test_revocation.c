/* tests/consent/test_revocation.c -- consent/revocation.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "consent/revocation.h"
#include "fhir/datatypes.h"

#define HEAD "{\"resourceType\":\"Consent\",\"id\":\"c\",\"status\":\"active\",\"scope\":{\"coding\":[{\"system\":" \
             "\"http://terminology.hl7.org/CodeSystem/consentscope\",\"code\":\"patient-privacy\"}]},"               \
             "\"patient\":{\"reference\":\"Patient/p\"},\"dateTime\":\"2026-01-01\""
#define TO(id) "\"actor\":[{\"reference\":{\"reference\":\"Organization/" id "\"}}]"

static const struct revocation in_writing = {
    .received_ms = 1795000000000, .recorded_ms = 1795000001000, .form = REVOCATION_WRITTEN,
    .who = { "Patient/p", 9 }, .reason = { "moved \"away\"", 12 }, .recorded_by = { "desk", 4 },
};

static struct arena *arena;

static const struct tape *
read_tape(struct span text)
{
    const struct tape *t = NULL;

    assert_int_equal(tape_read(text, &tape_default_limits, arena, &t, NULL), ST_OK);
    return t;
}

static enum revocation_outcome
run(const char *consent, struct revocation r, struct span *out)
{
    size_t length = strlen(consent);
    char  *padded = arena_alloc(arena, length + 64);               /* the tape reads ahead */

    memcpy(padded, consent, length);
    memset(padded + length, 0, 64);
    return revoke(read_tape(span_from(padded, length)), &r, arena, out);
}

static struct span
again(struct span text)
{
    char *padded = arena_alloc(arena, text.length + 64);

    memcpy(padded, text.at, text.length);
    memset(padded + text.length, 0, 64);
    return span_from(padded, text.length);
}

static bool
holds(struct span text, const char *part)
{
    return span_find(text, span_of(part)) != SPAN_NOT_FOUND;
}

static int
set_up(void **state)
{
    (void)state;
    arena = arena_new("test", 16u << 20);
    return arena == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static void
test_what_becomes_of_each_kind_of_consent(void **state)
{
    static const struct {
        const char             *consent, *has, *has_not;
        enum revocation_outcome want;
    } cases[] = {
        { HEAD ",\"provision\":{\"type\":\"permit\"}}", "\"status\":\"inactive\"", "modifierExtension", REVOCATION_MADE },
        { HEAD ",\"provision\":{\"type\":\"permit\"}}", "consent-revoked\",\"valueDateTime\":\"2026", "\"active\"", REVOCATION_MADE },
        { HEAD ",\"provision\":{\"type\":\"permit\"}}", "moved \\\"away\\\"", "recipient", REVOCATION_MADE },
        { HEAD ",\"extension\":[{\"url\":\"x\",\"valueString\":\"y\"}],\"provision\":{\"type\":\"permit\"}}",
          "\"valueString\":\"y\"}", "\"active\"", REVOCATION_MADE },
        { HEAD ",\"provision\":{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\"," TO("x") "}]}}",
          "\"modifierExtension\":[{\"url\":", "inactive", REVOCATION_MADE },                                  /* W2 */
        { HEAD ",\"provision\":{\"type\":\"permit\",\"securityLabel\":[{\"code\":\"N\"}]}}",
          "\"modifierExtension\":[{\"url\":", "inactive", REVOCATION_MADE },                                  /* K5 */
        { "{\"resourceType\":\"Consent\",\"status\":\"active\",\"provision\":{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\"}]}}",
          "\"modifierExtension\":[{\"url\":", "inactive", REVOCATION_MADE },                                  /* W2: whose? */
        { HEAD ",\"provision\":[{\"type\":\"permit\"}]}", NULL, NULL, REVOCATION_OF_NOTHING },                  /* R5: denies all */
        { HEAD ",\"provision\":{\"type\":\"deny\"}}", NULL, NULL, REVOCATION_OF_NOTHING },
        { "{\"resourceType\":\"Consent\",\"status\":\"inactive\"}", NULL, NULL, REVOCATION_STANDS },
        { "{\"resourceType\":\"Consent\",\"status\":\"entered-in-error\"}", NULL, NULL, REVOCATION_STANDS },
        { "{\"resourceType\":\"Patient\"}", NULL, NULL, REVOCATION_IMPOSSIBLE },
        { HEAD ",\"extension\":[{\"url\":\"" CONSENT_EXTENSION "kind\",\"valueCode\":\"criminal-justice\"},{\"url\":\""
          CONSENT_EXTENSION "revocable-from\",\"valueDateTime\":\"2027-01-01\"}],\"provision\":{\"type\":\"permit\"}}",
          "\"status\":\"active\"", "modifierExtension", REVOCATION_MADE },                                    /* W5 */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct span out;
        enum revocation_outcome got = run(cases[i].consent, in_writing, &out);
        if (got != cases[i].want || (cases[i].has != NULL && !holds(out, cases[i].has))
            || (cases[i].has_not != NULL && holds(out, cases[i].has_not)))
            fail_msg("case %zu: %d %.*s", i, (int)got, SPAN_PRINT(out));
        if (got == REVOCATION_MADE)
            read_tape(again(out));
    }
}

static void
test_asked_again_it_stands(void **state)
{
    static const char *const consents[] = {
        HEAD ",\"provision\":{\"type\":\"permit\"}}",
        HEAD ",\"provision\":{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\"," TO("x") "}]}}",
    };
    struct revocation kinds[4] = { in_writing, in_writing, in_writing, in_writing };

    (void)state;
    kinds[1].form      = REVOCATION_SAID;
    kinds[2].recipient = SPAN("Organization/o");
    kinds[3].purpose   = SPAN("TREAT");
    for (size_t i = 0; i < 8; i++) {
        struct span out, twice;
        assert_int_equal(run(consents[i / 4], kinds[i % 4], &out), REVOCATION_MADE);
        assert_int_equal(revoke(read_tape(again(out)), &kinds[i % 4], arena, &twice), REVOCATION_STANDS);
    }
}

static void
test_what_was_said_is_held_and_then_ended_in_writing(void **state)
{
    struct revocation said = in_writing;
    struct span       held, ended;

    (void)state;
    said.form = REVOCATION_SAID;
    assert_int_equal(run(HEAD ",\"provision\":{\"type\":\"permit\"}}", said, &held), REVOCATION_MADE);
    assert_true(holds(held, "consent-held") && holds(held, "\"status\":\"active\""));
    assert_int_equal(revoke(read_tape(again(held)), &in_writing, arena, &ended), REVOCATION_MADE);
    assert_true(holds(ended, "\"status\":\"inactive\""));
}

static void
test_a_part_is_refused_in_every_provision_that_permits(void **state)
{
    static const char *const nested =
        HEAD ",\"provision\":{\"type\":\"permit\"," TO("o") ",\"provision\":[{\"type\":\"deny\"," TO("x") ",\"provision\":"
             "[{\"type\":\"permit\"," TO("y") "}]}]}}";
    struct revocation part = in_writing;
    struct span       out;
    size_t            refusals = 0;

    (void)state;
    part.recipient = SPAN("Organization/o");
    assert_int_equal(run(nested, part, &out), REVOCATION_MADE);
    assert_true(holds(out, "\"status\":\"active\""));
    for (struct span rest = out; holds(rest, "\"type\":\"deny\",\"period\""); refusals++)
        rest = span_skip(rest, span_find(rest, SPAN("\"type\":\"deny\",\"period\"")) + 1);
    assert_int_equal(refusals, 2);
    part.provision = SPAN("provision.provision[0].provision[0]");
    assert_int_equal(run(nested, part, &out), REVOCATION_MADE);
    part.provision = SPAN("provision.provision[0].provision[1]");
    assert_int_equal(run(nested, part, &out), REVOCATION_NOT_FOUND);
    part.provision = SPAN("Provision");
    assert_int_equal(run(nested, part, &out), REVOCATION_NOT_FOUND);
}

/* Below a root that refuses, another refusal would count only where the root does. */
static void
test_a_part_of_an_opt_in_that_refuses_something_stands_beside_it(void **state)
{
#define OPTED HEAD ",\"policyRule\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":\"OPTIN\"}]}," \
                   "\"provision\":{\"type\":\"deny\",\"securityLabel\":[{\"code\":\"PSY\"}]}}"
    struct revocation r = in_writing;
    struct span       out, next;

    (void)state;
    r.recipient = SPAN("Organization/x");
    assert_int_equal(run(OPTED, r, &out), REVOCATION_MADE);
    assert_true(holds(out, "\"provision\":{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\",\"securityLabel\":[{\"code\":\"PSY\"}]},{\"type\":\"deny\",\"period\""));
    assert_int_equal(revoke(read_tape(again(out)), &r, arena, &next), REVOCATION_STANDS);
    r.recipient = SPAN("Organization/y");
    assert_int_equal(revoke(read_tape(again(out)), &r, arena, &next), REVOCATION_MADE);
    assert_true(holds(next, "Organization/x") && holds(next, "Organization/y"));
}

static void
test_a_refusal_of_a_later_day_is_not_the_same(void **state)
{
    struct revocation part = in_writing;
    struct span       out, twice;

    (void)state;
    part.recipient   = SPAN("Organization/o");
    part.received_ms = part.recorded_ms + 86400000;        /* written by somebody else, to begin tomorrow */
    assert_int_equal(run(HEAD ",\"provision\":{\"type\":\"permit\"}}", part, &out), REVOCATION_MADE);
    part.received_ms = part.recorded_ms;
    assert_int_equal(revoke(read_tape(again(out)), &part, arena, &twice), REVOCATION_MADE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_becomes_of_each_kind_of_consent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_asked_again_it_stands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_was_said_is_held_and_then_ended_in_writing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_part_is_refused_in_every_provision_that_permits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_part_of_an_opt_in_that_refuses_something_stands_beside_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_refusal_of_a_later_day_is_not_the_same, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("revocation", tests, NULL, NULL);
}
