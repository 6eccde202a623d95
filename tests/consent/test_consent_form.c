/* tests/consent/test_consent_form.c -- consent/consent_form.c: the form that a consent was signed on. */
#include "consent/consent_form.h"
#include "tests/consent/world.h"

/* consent_form.h F3, F4. */
static void
test_a_form_that_is_not_what_its_hash_says_releases_nothing_and_still_denies(void **state)
{
#define SIGNED "YSBmb3JtLCBzaWduZWQ="
#define SUM "7K0kCu/Jq52wn7ZRn9oBU+I0Juo="
#define FORM(with, type) "{" CONSENT_HEAD("c1", "2024-01-01") with ",\"provision\":{\"type\":\"" type "\"," TO("Organization/orgA") "}}"
#define ATTACHED(data, hash) ",\"sourceAttachment\":{\"contentType\":\"text/plain\"" data hash "}"
#define DATA(text) ",\"data\":\"" text "\""
#define HASH(text) ",\"hash\":\"" text "\""
    static const struct { const char *permit, *deny; bool fine; } rows[] = {
#define ROW(with, fine) { FORM(with, "permit"), FORM(with, "deny"), fine }
        ROW("", true),
        ROW(ATTACHED(DATA(SIGNED), HASH(SUM)), true),
        ROW(ATTACHED(DATA(SIGNED), ""), true),
        ROW(ATTACHED("", HASH(SUM)), true),
        ROW(ATTACHED(DATA("YSBmb3Jt\\n LCBzaWduZWQ="), HASH(SUM)), true),
        ROW(ATTACHED(DATA("YSBmb3JtLCBmb3JnZWQ="), HASH(SUM)), false),
        ROW(ATTACHED(DATA(SIGNED), HASH("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")), false),
        ROW(ATTACHED(DATA(SIGNED), HASH("")), false),
        ROW(ATTACHED(DATA(SIGNED), HASH("b04f6ef0")), false),
        ROW(ATTACHED(DATA("no base64!"), HASH(SUM)), false),
#undef ROW
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int deny = 0; deny < 2; deny++) {
            char request[8192];
            snprintf(request, sizeof request, REQUEST("%s"), deny ? rows[i].deny : rows[i].permit);
            struct world w = world_read(request, BUNDLE(OPIOID));
            world_decide(&w);
            bool goes = w.decisions[0].verdict == VERDICT_PERMIT;
            bool said = span_find(w.decisions[0].because, SPAN("not the form that was signed")) != SPAN_NOT_FOUND;
            if (goes != (!deny && rows[i].fine) || (!deny && said == rows[i].fine))
                fail_msg("row %zu %s: %.*s", i, deny ? "deny" : "permit", SPAN_PRINT(w.decisions[0].because));
            world_end(&w);
        }
}

/* consent_form.h F3: what its Bundle may have said is not known to be right. */
static void
test_a_form_in_a_bundle_that_is_not_looked_at_releases_nothing(void **state)
{
    static const struct { const char *form; bool lost, fine; } rows[] = {
        { ",\"sourceReference\":{\"reference\":\"DocumentReference/f\"}", true, false },
        { ",\"sourceReference\":{\"reference\":\"DocumentReference/f\"}", false, true },                /* F4 */
        { "", true, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char request[8192];
        snprintf(request, sizeof request, REQUEST("{" CONSENT_HEAD("c1", "2024-01-01") "%s,\"provision\":{\"type\":\"permit\"," TO("Organization/orgA") "}}"), rows[i].form);
        struct world          w      = world_read(request, BUNDLE(OPIOID));
        struct consent_source source = w.facts->consents[0];
        const struct policy  *policy = NULL;
        source.home_lost = rows[i].lost;
        assert_int_equal(policy_compile(&source, 1, w.arena, &policy), ST_OK);
        if ((consent_form_deficiency(policy_consent(policy, 0), w.arena) == NULL) != rows[i].fine)
            fail_msg("row %zu", i);
        world_end(&w);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_form_that_is_not_what_its_hash_says_releases_nothing_and_still_denies),
        cmocka_unit_test(test_a_form_in_a_bundle_that_is_not_looked_at_releases_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
