#include "tests/fhir/fhir_check.h"

#include "fhir/outcome.h"

static const struct tape *
printed(struct arena *arena, struct issues *issues)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    assert_int_equal(outcome_print(issues, &out, AUTHOR_COMPACT), ST_OK);
    struct span json = arena_copy(arena, buf_span(&out));
    buf_release(&out);
    return test_tape(arena, json);
}

static void
assert_member(struct arena *arena, const struct tape *t, const char *address, const char *want)
{
    assert_text(tape_text(t, test_node(t, address), arena), want);
}

static void
test_prints_a_finding_in_one_sentence(void **state)
{
    struct arena  *arena  = test_arena();
    struct issues *issues = issues_new(arena, 10);
    struct issue   one    = { .severity = SEVERITY_ERROR, .code = ISSUE_VALUE, .rule = "primitive",
                              .expression = SPAN("Patient.birthDate"), .wanted = SPAN("want a date"),
                              .found = SPAN("have a number"), .hint = SPAN("Write YYYY-MM-DD"), .line = 3, .column = 14 };

    (void)state;
    issues_add(issues, &one);
    issues_add(issues, &one);
    const struct tape *t = printed(arena, issues);
    assert_member(arena, t, "resourceType", "OperationOutcome");
    assert_member(arena, t, "issue[0].severity", "error");
    assert_member(arena, t, "issue[0].code", "value");
    assert_member(arena, t, "issue[0].details.text",
                  "primitive: want a date; have a number. Write YYYY-MM-DD (2 times; this is the first)");
    assert_member(arena, t, "issue[0].diagnostics", "rule primitive");
    assert_member(arena, t, "issue[0].location[0]", "Line 3, Column 14");
    assert_member(arena, t, "issue[0].expression[0]", "Patient.birthDate");
    assert_member(arena, t, "issue[0].extension[0].url", "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line");
    assert_member(arena, t, "issue[0].extension[1].url", "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col");
    assert_true(span_eq_text(tape_raw(t, test_node(t, "issue[0].extension[0].valueInteger")), "3"));
    assert_true(span_eq_text(tape_raw(t, test_node(t, "issue[0].extension[1].valueInteger")), "14"));
    assert_int_equal(tape_children(t, test_node(t, "issue")), 1);
    arena_free(&arena);
}

static void
test_leaves_out_what_it_does_not_know(void **state)
{
    struct arena  *arena  = test_arena();
    struct issues *issues = issues_new(arena, 10);
    struct issue   one    = { .severity = SEVERITY_WARNING, .code = ISSUE_PROCESSING, .wanted = SPAN("want more") };

    (void)state;
    issues_add(issues, &one);
    const struct tape *t     = printed(arena, issues);
    tape_node          issue = test_node(t, "issue[0]");
    assert_member(arena, t, "issue[0].details.text", "want more");
    assert_int_equal(tape_member(t, issue, SPAN("expression")), TAPE_ABSENT);
    assert_int_equal(tape_member(t, issue, SPAN("location")), TAPE_ABSENT);
    assert_int_equal(tape_member(t, issue, SPAN("extension")), TAPE_ABSENT);
    assert_int_equal(tape_member(t, issue, SPAN("diagnostics")), TAPE_ABSENT);
    arena_free(&arena);
}

static void
test_says_so_when_all_is_well(void **state)
{
    struct arena      *arena = test_arena();
    const struct tape *t     = printed(arena, issues_new(arena, 10));

    (void)state;
    assert_member(arena, t, "issue[0].severity", "information");
    assert_member(arena, t, "issue[0].code", "informational");
    assert_member(arena, t, "issue[0].details.text", "All OK");
    arena_free(&arena);
}

static void
test_counts_what_is_not_listed(void **state)
{
    struct arena  *arena  = test_arena();
    struct issues *issues = issues_new(arena, 1);
    struct issue   one    = { .severity = SEVERITY_ERROR, .rule = "a" }, two = { .severity = SEVERITY_ERROR, .rule = "b" };

    (void)state;
    issues_add(issues, &one);
    issues_add(issues, &two);
    issues_add(issues, &two);
    const struct tape *t = printed(arena, issues);
    assert_int_equal(tape_children(t, test_node(t, "issue")), 2);
    assert_member(arena, t, "issue[1].details.text", "2 more findings are not listed");
    arena_free(&arena);
}

static void
test_prints_one_issue_without_a_sink(void **state)
{
    struct arena *arena = test_arena();
    struct buf    out;

    (void)state;
    buf_init(&out, 4096);
    assert_int_equal(outcome_print_one(SEVERITY_FATAL, ISSUE_TRANSIENT, SPAN("try again"), SPAN("Bundle"), &out), ST_OK);
    const struct tape *t = test_tape(arena, arena_copy(arena, buf_span(&out)));
    assert_member(arena, t, "issue[0].severity", "fatal");
    assert_member(arena, t, "issue[0].code", "transient");
    assert_member(arena, t, "issue[0].diagnostics", "try again");
    assert_member(arena, t, "issue[0].expression[0]", "Bundle");
    buf_clear(&out);
    assert_int_equal(outcome_print_one(SEVERITY_ERROR, ISSUE_LOGIN, (struct span){ NULL, 0 }, (struct span){ NULL, 0 }, &out), ST_OK);
    t = test_tape(arena, arena_copy(arena, buf_span(&out)));
    assert_int_equal(tape_children(t, test_node(t, "issue[0]")), 2);
    buf_release(&out);
    arena_free(&arena);
}

static void
test_says_where_a_document_was_refused(void **state)
{
    static const struct { const char *json; enum issue_code code; } cases[] = {
        { "{\n \"a\": 01}", ISSUE_STRUCTURE }, { "[[[[", ISSUE_TOO_LONG },
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct arena       *arena  = test_arena();
        struct issues      *issues = issues_new(arena, 10);
        const struct tape  *tape;
        struct tape_error   error;
        struct tape_limits  limits = tape_default_limits;
        limits.max_depth = 3;
        assert_int_not_equal(tape_read(span_of(cases[i].json), &limits, arena, &tape, &error), ST_OK);
        outcome_add_refusal(issues, &error);
        const struct issue *one = issues_at(issues, 0);
        assert_int_equal(one->severity, SEVERITY_FATAL);
        assert_int_equal(one->code, cases[i].code);
        assert_string_equal(one->rule, "json");
        assert_int_equal(one->line, i == 0 ? 2 : 1);
        assert_int_not_equal(span_find(one->found, span_of(tape_refusal_text(error.why))), SPAN_NOT_FOUND);
        error.why = TAPE_REFUSED_MEMORY;
        outcome_add_refusal(issues, &error);
        assert_int_equal(issues_at(issues, 0)->times, 2);
        arena_free(&arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prints_a_finding_in_one_sentence),
        cmocka_unit_test(test_leaves_out_what_it_does_not_know),
        cmocka_unit_test(test_says_so_when_all_is_well),
        cmocka_unit_test(test_counts_what_is_not_listed),
        cmocka_unit_test(test_prints_one_issue_without_a_sink),
        cmocka_unit_test(test_says_where_a_document_was_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
