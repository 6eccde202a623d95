#include "tests/fhir/fhir_check.h"

#include "fhir/term_questions.h"

static struct term_question
question(struct arena *arena, const char *set, const char *system, int code)
{
    return (struct term_question){ .value_set = span_of(set), .system = span_of(system),
                                   .code = arena_format(arena, "c%d", code), .why = TERM_WHY_NOT_PRESENT };
}

static void
test_notes_each_question_once(void **state)
{
    struct arena          *arena = test_arena();
    struct term_questions *all   = term_questions_new(arena);
    struct term_question   one   = question(arena, "v", "s", 1), again = question(arena, "v", "s", 1);
    struct term_question   other = question(arena, "w", "s", 1), versioned = one, bare = question(arena, "v", "", 1);

    (void)state;
    assert_non_null(all);
    versioned.version = SPAN("2");
    term_questions_note(all, &one);
    term_questions_note(all, &again);
    term_questions_note(all, &other);
    term_questions_note(all, &versioned);
    term_questions_note(all, &bare);
    assert_int_equal(all->count, 4);
    assert_int_equal(all->dropped, 0);
    assert_text(all->list[0].code, "c1");
    assert_text(all->list[1].value_set, "w");
    assert_text(all->list[2].version, "2");
    assert_int_equal(all->list[0].why, TERM_WHY_NOT_PRESENT);
    assert_true(all->list[0].code.at != one.code.at);        /* its own copy */
    arena_free(&arena);
}

static void
test_keeps_a_bounded_number(void **state)
{
    struct arena          *arena = test_arena();
    struct term_questions *all   = term_questions_new(arena);
    struct term_question   empty = { .value_set = SPAN("v") };
    char                   text[TERM_QUESTION_TEXT + 1];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct term_question one = question(arena, "v", "s", i % 500);
        term_questions_note(all, &one);
    }
    assert_int_equal(all->count, TERM_QUESTIONS);
    assert_int_equal(all->dropped, 2 * (500 - TERM_QUESTIONS));
    term_questions_note(all, &empty);
    memset(text, 'x', sizeof text);
    struct term_question wide = { .value_set = SPAN("v"), .code = span_from(text, sizeof text) };
    term_questions_note(all, &wide);
    assert_int_equal(all->count, TERM_QUESTIONS);
    assert_int_equal(all->dropped, 2 * (500 - TERM_QUESTIONS) + 2);
    arena_free(&arena);
}

static void
test_a_spent_arena_drops_questions(void **state)
{
    struct arena          *arena = arena_new("small", 40000);
    struct term_questions *all   = term_questions_new(arena);

    (void)state;
    assert_non_null(all);
    for (int i = 0; i < 256; i++) {
        char                 code[300];
        struct term_question one = { .code = { code, sizeof code } };
        memset(code, 'a', sizeof code);
        code[0] = (char)(i + 1);
        term_questions_note(all, &one);
    }
    assert_true(all->count > 0 && all->count < 256);
    assert_int_equal(all->count + all->dropped, 256);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notes_each_question_once),
        cmocka_unit_test(test_keeps_a_bounded_number),
        cmocka_unit_test(test_a_spent_arena_drops_questions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
