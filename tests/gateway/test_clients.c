/* tests/gateway/test_clients.c -- gateway/auth/clients.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "gateway/auth/clients.h"

static void
test_a_scope_grants_its_letters_and_no_others(void **state)
{
    static const struct {
        const char *scope, *type;
        char        right;
        bool        want;
    } cases[] = {
        { "system/*.c", "Observation", 'c', true },
        { "system/*.c", "Observation", 'u', false },
        { "system/*.cud", "Observation", 'd', true },
        { "system/Observation.c", "Observation", 'c', true },
        { "system/Observation.c", "Condition", 'c', false },
        { "system/*.write", "Patient", 'u', true },
        { "system/*.write", "Patient", 'r', false },
        { "system/*.read", "Patient", 's', true },
        { "system/*.*", "Patient", 'd', true },
        { "system/*.rs", "AuditEvent", 'r', false },          /* a star does not include AuditEvent */
        { "system/AuditEvent.rs", "AuditEvent", 'r', true },
        { "system/*.rs", "Consent", 'r', false },             /* nor reading Consent */
        { "system/*.rs", "Consent", 's', false },
        { "system/*.cud", "Consent", 'u', true },
        { "system/Consent.rs", "Consent", 's', true },
        { "system/*.uc", "Patient", 'c', false },             /* letters out of order are no scope */
        { "system/*.c?_id=1", "Patient", 'c', false },        /* a narrowing that is not understood */
        { "user/*.c", "Patient", 'c', false },
        { "system/*", "Patient", 'c', false },
        { "", "Patient", 'c', false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct span          scope  = span_of(cases[i].scope);
        struct config_client client = { .scopes = &scope, .scope_count = 1 };
        if (client_may(&client, cases[i].right, span_of(cases[i].type)) != cases[i].want)
            fail_msg("%s on %s: %c", cases[i].scope, cases[i].type, cases[i].right);
    }
    (void)state;
}

static void
test_a_client_without_scopes_may_nothing(void **state)
{
    struct config_client client = { 0 };

    for (const char *right = "cruds"; *right != '\0'; right++)
        assert_false(client_may(&client, *right, SPAN("Patient")));
    (void)state;
}

static void
test_a_certificate_is_found_by_its_whole_common_name(void **state)
{
    const struct config_client clients[] = {
        { .title = SPAN("one"), .certificate_cn = SPAN("valley") },
        { .title = SPAN("two"), .certificate_cn = SPAN("valley-ehr") },
        { .title = SPAN("three") },                           /* registered without a certificate */
    };
    const struct config config = { .clients = clients, .client_count = 3 };

    assert_ptr_equal(client_by_certificate(&config, SPAN("valley-ehr")), &clients[1]);
    assert_int_equal(client_index(&config, &clients[1]), 1);
    assert_null(client_by_certificate(&config, SPAN("valley-ehr2")));
    assert_null(client_by_certificate(&config, SPAN("")));
    (void)state;
}

static void
test_a_client_sees_its_own_and_a_compliance_role_all(void **state)
{
    const struct span          duty    = SPAN("compliance");
    const struct config_client one     = { .title = SPAN("one") };
    const struct config_client officer = { .title = SPAN("officer"), .duties = &duty, .duty_count = 1 };

    assert_true(client_sees(&one, SPAN("one")));
    assert_false(client_sees(&one, SPAN("two")));
    assert_false(client_sees(&one, SPAN("")));
    assert_true(client_sees(&officer, SPAN("two")));
    assert_false(client_has(&officer, DUTY_CONSULT));
    assert_false(client_has(&one, DUTY_NONE));
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_scope_grants_its_letters_and_no_others),
        cmocka_unit_test(test_a_client_without_scopes_may_nothing),
        cmocka_unit_test(test_a_client_sees_its_own_and_a_compliance_role_all),
        cmocka_unit_test(test_a_certificate_is_found_by_its_whole_common_name),
    };
    return cmocka_run_group_tests_name("clients", tests, NULL, NULL);
}
