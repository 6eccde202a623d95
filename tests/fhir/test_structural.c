#include "tests/fhir/fhir_check.h"

#include "fhir/structural.h"

/* What the table of docs/decisions/0023-what-a-route-may-waive.md says. */
static const struct { const char *rule; enum issue_code code; bool structural; } rows[] = {
    { "json", ISSUE_STRUCTURE, true },
    { "json-array", ISSUE_STRUCTURE, true },
    { "json-null", ISSUE_STRUCTURE, true },
    { "choice", ISSUE_STRUCTURE, true },
    { "bundle", ISSUE_STRUCTURE, true },
    { "bundle-type", ISSUE_INVARIANT, true },
    { "bundle-full-url", ISSUE_INVARIANT, true },
    { "bundle-link", ISSUE_INVARIANT, true },
    { "contained-id", ISSUE_INVARIANT, true },
    { "bdl-7", ISSUE_INVARIANT, true },
    { "resource-type", ISSUE_STRUCTURE, true },
    { "unknown-element", ISSUE_STRUCTURE, true },
    { "element-case", ISSUE_STRUCTURE, true },
    { "cardinality", ISSUE_REQUIRED, true },
    { "primitive", ISSUE_VALUE, true },
    { "element-id", ISSUE_VALUE, true },
    { "ele-1", ISSUE_INVARIANT, true },
    { "ext-1", ISSUE_INVARIANT, true },
    { "dom-2", ISSUE_INVARIANT, true },
    { "dom-3", ISSUE_INVARIANT, true },
    { "ref-1", ISSUE_INVARIANT, true },
    { "txt-1", ISSUE_INVARIANT, true },
    { "per-1", ISSUE_INVARIANT, true },
    { "validate", ISSUE_TOO_COSTLY, true },
    { "a-rule-of-tomorrow", ISSUE_VALUE, true },
    { NULL, ISSUE_INVARIANT, true },
    { "con-3", ISSUE_INVARIANT, false },
    { "us-core-2", ISSUE_INVARIANT, false },
    { "elements-1", ISSUE_INVARIANT, false },
    { "profile:cost", ISSUE_TOO_COSTLY, true },
    { "questionnaire-budget", ISSUE_TOO_COSTLY, true },
    { "extension-modifier", ISSUE_EXTENSION, true },
    { "coding-system", ISSUE_VALUE, true },
    { "xhtml-active", ISSUE_SECURITY, true },
    { "linked", ISSUE_STRUCTURE, true },
    { "extension-unknown", ISSUE_EXTENSION, false },
    { "questionnaire-linkid", ISSUE_VALUE, false },
    { "score-total", ISSUE_BUSINESS_RULE, false },
    { "reference-target", ISSUE_STRUCTURE, true },
    { "profile:cardinality", ISSUE_REQUIRED, false },
    { "profile:fixed", ISSUE_VALUE, false },
    { "profile:target", ISSUE_STRUCTURE, false },
    { "profile:aggregation", ISSUE_STRUCTURE, false },
    { "consent-patient", ISSUE_BUSINESS_RULE, true },
    { "binding", ISSUE_CODE_INVALID, false },
    { "coding-value-set", ISSUE_CODE_INVALID, false },
};

static void
test_only_what_is_listed_may_be_waived(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct issue one = { .severity = SEVERITY_ERROR, .code = rows[i].code, .rule = rows[i].rule };
        if (issue_structural(&one) != rows[i].structural)
            fail_msg("%s", rows[i].rule);
    }
}

static void
test_a_sink_remembers_structural_errors_that_it_has_no_room_for(void **state)
{
    struct arena  *arena = test_arena();
    struct issues *all   = issues_new(arena, 1);
    struct issue   one   = { .severity = SEVERITY_ERROR, .code = ISSUE_INVARIANT, .rule = "con-3" };
    struct issue   two   = { .severity = SEVERITY_WARNING, .code = ISSUE_VALUE, .rule = "primitive" };

    (void)state;
    issues_add(all, &one);
    issues_add(all, &two);
    assert_true(issues_have_errors(all));
    assert_false(issues_have_structural(all));              /* a warning is none */
    two.severity = SEVERITY_ERROR;
    assert_int_equal(issues_add(all, &two), ISSUE_DROPPED);
    assert_true(issues_have_structural(all));
    arena_free(&arena);
}

static void
test_waived_errors_become_warnings(void **state)
{
    struct arena  *arena = test_arena();
    struct issues *all   = issues_new(arena, 2);
    struct issue   one   = { .severity = SEVERITY_ERROR, .code = ISSUE_INVARIANT, .rule = "con-3", .wanted = SPAN("want this") };
    struct issue   two   = { .severity = SEVERITY_INFORMATION, .code = ISSUE_VALUE, .rule = "display" };

    (void)state;
    issues_add(all, &one);
    issues_add(all, &one);
    issues_add(all, &two);
    issues_add(all, &(struct issue){ .rule = "dropped" });
    struct issues *warnings = issues_as_warnings(all);
    assert_int_equal(issues_count(warnings), 2);
    assert_int_equal(issues_at(warnings, 0)->severity, SEVERITY_WARNING);
    assert_int_equal(issues_at(warnings, 0)->times, 2);
    assert_int_equal(issues_at(warnings, 1)->severity, SEVERITY_INFORMATION);
    assert_int_equal(issues_dropped(warnings), 1);
    assert_false(issues_have_errors(warnings));
    assert_true(issues_have_errors(all));
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_is_listed_may_be_waived),
        cmocka_unit_test(test_a_sink_remembers_structural_errors_that_it_has_no_room_for),
        cmocka_unit_test(test_waived_errors_become_warnings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
