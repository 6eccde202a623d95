/* tests/gateway/test_consulting.c -- gateway/stages/consulting.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "gateway/stages/consulting.h"

#define ASK(context) "{\"hook\":\"patient-consent-consult\",\"hookInstance\":\"hook-instance-123\",\"context\":{" context "}}"
#define WHO "\"patientId\":[{\"system\":\"urn:mrn\",\"value\":\"7\"}],\"actor\":[]"

static bool
reads(const char *text, struct arena *arena, struct consulting *out, const char **why)
{
    size_t             length = strlen(text);
    char              *padded = arena_alloc(arena, length + 64);
    const struct tape *t;

    memcpy(padded, text, length);
    memset(padded + length, 0, 64);
    assert_int_equal(tape_read(span_from(padded, length), &tape_default_limits, arena, &t, NULL), ST_OK);
    return consulting_read(t, arena, out, why);
}

static void
test_a_request_is_read_or_refused_with_a_reason(void **state)
{
    static const struct { const char *text; bool want; } cases[] = {
        { ASK(WHO), true },
        { ASK("\"patientId\":\"p1\""), true },                                             /* CDS Hooks' own form */
        { ASK(WHO ",\"purposeOfUse\":\"TREAT\""), true },
        { ASK(WHO ",\"purposeOfUse\":[\"TREAT\",\"HPAYMT\"]"), true },
        { ASK(WHO ",\"class\":[{\"system\":\"http://hl7.org/fhir/resource-types\",\"value\":\"MedicationStatement\"}]"), true },
        { ASK(WHO ",\"category\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/consentscope\",\"code\":\"patient-privacy\"}]"), true },
        { ASK("\"actor\":[]"), false },
        { ASK(WHO ",\"purposeOfUse\":[\"treatment\"]"), false },
        { ASK(WHO ",\"class\":[{\"system\":\"http://loinc.org\",\"code\":\"1-8\"}]"), false },
        { ASK(WHO ",\"class\":[{\"system\":\"http://hl7.org/fhir/resource-types\",\"code\":\"../x\"}]"), false },
        { ASK(WHO ",\"category\":{}"), false },
        { ASK(WHO ",\"scope\":\"patient-privacy\""), false },
        { ASK("\"patientId\":[{\"system\":\"urn:mrn\",\"value\":\"7\",\"use\":\"old\"}]"), false },
        { ASK("\"patientId\":[{\"system\":7,\"value\":\"7\"}]"), false },
        { "{\"hook\":\"patient-consent-consult\",\"context\":{" WHO "}}", false },
        { "[]", false },
        { "{\"hook\":\"patient-view\",\"hookInstance\":\"x\",\"context\":{" WHO "}}", false },
    };
    struct arena *arena = arena_new("test", 1u << 20);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct consulting c = { 0 };
        const char       *why;
        bool              got = reads(cases[i].text, arena, &c, &why);
        if (got != cases[i].want || got == (why != NULL))
            fail_msg("case %zu: %s", i, why != NULL ? why : "taken");
    }
    arena_free(&arena);
}

static void
test_what_was_asked_is_what_was_read(void **state)
{
    struct arena     *arena = arena_new("test", 1u << 20);
    struct consulting c     = { 0 };
    const char       *why;

    (void)state;
    assert_true(reads(ASK(WHO ",\"content\":{},\"category\":[{\"system\":"
                          "\"http://terminology.hl7.org/CodeSystem/consentscope\",\"code\":\"research\"}]"), arena, &c, &why));
    assert_true(c.content && c.other_category);
    assert_int_equal(c.patient_count, 1);
    assert_true(span_eq(c.patients[0].system, SPAN("urn:mrn")) && span_eq(c.patients[0].value, SPAN("7")));
    assert_int_equal(c.actor_count + c.purpose_count + c.class_count, 0);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_is_read_or_refused_with_a_reason),
        cmocka_unit_test(test_what_was_asked_is_what_was_read),
    };
    return cmocka_run_group_tests_name("consulting", tests, NULL, NULL);
}
