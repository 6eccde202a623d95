#include "tests/fhir/fhir_check.h"

#include "base/buf.h"
#include "fhir/issue.h"

static struct issue
finding(enum severity severity, const char *rule, const char *expression)
{
    return (struct issue){ .severity = severity, .code = ISSUE_INVALID, .rule = rule,
                           .expression = span_of(expression), .wanted = SPAN("want this") };
}

static void
test_groups_equal_findings(void **state)
{
    struct arena  *arena = test_arena();
    struct issues *all   = issues_new(arena, 10);

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct issue one = finding(SEVERITY_ERROR, "bdl-7", NULL);
        one.expression   = arena_format(arena, "Bundle.entry[%d].fullUrl", i);
        assert_int_equal(issues_add(all, &one), 0);
    }
    struct issue other = finding(SEVERITY_ERROR, "bdl-8", "Bundle.entry[0].fullUrl");
    assert_int_equal(issues_add(all, &other), 1);
    issues_repeat(all, 1);
    assert_int_equal(issues_count(all), 2);
    assert_int_equal(issues_at(all, 0)->times, 5);
    assert_text(issues_at(all, 0)->expression, "Bundle.entry[0].fullUrl");
    assert_int_equal(issues_at(all, 1)->times, 2);
    assert_null(issues_at(all, 2));
    assert_ptr_equal(issues_arena(all), arena);
    arena_free(&arena);
}

static void
test_does_not_group_what_differs(void **state)
{
    struct arena  *arena = test_arena();
    struct issues *all   = issues_new(arena, 10);
    struct issue   one   = finding(SEVERITY_ERROR, "type", "A.b[1].c");
    struct issue   two[] = { finding(SEVERITY_WARNING, "type", "A.b[1].c"), finding(SEVERITY_ERROR, "card", "A.b[1].c"),
                             finding(SEVERITY_ERROR, "type", "A.b[1].cd"), finding(SEVERITY_ERROR, "type", "A.b"),
                             finding(SEVERITY_ERROR, "type", "A.b[1].c") };

    (void)state;
    two[4].wanted = SPAN("want that");
    issues_add(all, &one);
    for (size_t i = 0; i < 5; i++)
        issues_add(all, &two[i]);
    assert_int_equal(issues_count(all), 6);
    arena_free(&arena);
}

static void
test_counts_what_it_does_not_keep_and_remembers_errors(void **state)
{
    struct arena  *arena = test_arena();
    struct issues *all   = issues_new(arena, 100);

    (void)state;
    for (int i = 0; i < 100; i++) {
        struct issue one = finding(SEVERITY_WARNING, "rule", NULL);
        one.expression   = arena_format(arena, "A.e%d", i);
        assert_int_equal(issues_add(all, &one), i);
    }
    assert_false(issues_have_errors(all));
    struct issue error = finding(SEVERITY_ERROR, "rule", "A.x");
    assert_int_equal(issues_add(all, &error), ISSUE_DROPPED);
    issues_repeat(all, ISSUE_DROPPED);
    assert_int_equal(issues_count(all), 100);
    assert_int_equal(issues_dropped(all), 2);
    assert_true(issues_have_errors(all));
    arena_free(&arena);
}

static void
test_a_sink_without_room_still_knows_errors(void **state)
{
    struct arena  *arena = arena_new("small", 400);
    struct issues *all   = issues_new(arena, 100);
    struct issue   one   = finding(SEVERITY_FATAL, "rule", "A");

    (void)state;
    assert_non_null(all);
    assert_int_equal(issues_add(all, &one), ISSUE_DROPPED);
    assert_true(issues_have_errors(all));
    assert_null(issues_new(arena, 1));
    arena_free(&arena);
}

static void
test_says_where_a_node_is(void **state)
{
    static const char  text[] = "{\"resourceType\":\"Patient\",\n \"name\": [\n  {},\n  {}]\n}";
    struct arena      *arena  = test_arena();
    const struct tape *tape   = test_tape(arena, span_of(text));
    const tape_node   *parents = tape_parents(tape, arena);
    struct issues     *all    = issues_new(arena, 10);
    static const struct { const char *address, *expression; uint32_t line, column; } places[] = {
        { "name", "Patient.name", 2, 10 }, { "name[1]", "Patient.name[1]", 4, 3 },
        { "resourceType", "Patient.resourceType", 1, 17 }, { "", "Patient", 1, 1 },
    };

    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        struct issue one = { .severity = SEVERITY_ERROR, .rule = places[i].address };
        issues_add_at(all, &one, tape, parents, test_node(tape, places[i].address));
        assert_text(issues_at(all, i)->expression, places[i].expression);
        assert_int_equal(issues_at(all, i)->line, places[i].line);
        assert_int_equal(issues_at(all, i)->column, places[i].column);
        uint32_t line, column;
        tape_line_column(tape_body(tape), tape_offset(tape, test_node(tape, places[i].address)), &line, &column);
        assert_int_equal(issues_at(all, i)->line, line);
        assert_int_equal(issues_at(all, i)->column, column);
    }
    struct issue nowhere = { .severity = SEVERITY_ERROR, .rule = "nowhere" };
    issues_add_at(all, &nowhere, tape, parents, TAPE_ABSENT);
    assert_int_equal(issues_at(all, 4)->line, 0);
    arena_free(&arena);
}

/* Lines that are longer and shorter than what is counted at a time, backwards. */
static void
test_says_where_in_long_documents_in_any_order(void **state)
{
    struct arena *arena = test_arena();
    struct buf    text;
    (void)state;
    buf_init(&text, 1 << 20);
    buf_add_text(&text, "[");
    for (unsigned i = 0; i < 4000; i++)
        buf_add_format(&text, "%s%*s%u%s", i > 0 ? "," : "", i % 977 == 0 ? 5000 : (int)(i % 7), "", i, i % 5 == 0 ? "\n\n" : "");
    buf_add_text(&text, "]");
    const struct tape *tape    = test_tape(arena, buf_span(&text));
    const tape_node   *parents = tape_parents(tape, arena);
    struct issues     *all     = issues_new(arena, 5000);
    for (tape_node node = tape_count(tape); node > 7; node -= 7) {
        uint32_t     line, column;
        struct issue one  = { .severity = SEVERITY_ERROR, .rule = arena_format(arena, "r%u", node).at };
        uint32_t     kept = issues_add_at(all, &one, tape, parents, node);
        tape_line_column(tape_body(tape), tape_offset(tape, node), &line, &column);
        assert_int_equal(issues_at(all, kept)->line, line);
        assert_int_equal(issues_at(all, kept)->column, column);
    }
    buf_release(&text);
    arena_free(&arena);
}

static void
test_spells_words_as_fhir_does(void **state)
{
    (void)state;
    assert_string_equal(severity_text(SEVERITY_FATAL), "fatal");
    assert_string_equal(severity_text(SEVERITY_INFORMATION), "information");
    assert_string_equal(severity_text((enum severity)9), "error");
    assert_string_equal(issue_code_text(ISSUE_NOT_FOUND), "not-found");
    assert_string_equal(issue_code_text(ISSUE_INFORMATIONAL), "informational");
    assert_string_equal(issue_code_text((enum issue_code)99), "processing");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_equal_findings),
        cmocka_unit_test(test_does_not_group_what_differs),
        cmocka_unit_test(test_counts_what_it_does_not_keep_and_remembers_errors),
        cmocka_unit_test(test_a_sink_without_room_still_knows_errors),
        cmocka_unit_test(test_says_where_a_node_is),
        cmocka_unit_test(test_says_where_in_long_documents_in_any_order),
        cmocka_unit_test(test_spells_words_as_fhir_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
