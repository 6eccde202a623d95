#include "tests/fhir/fhir_check.h"

#include "fhir/term_questions.h"

static struct term_question
question(struct arena *arena, const char *set, const char *system, int code)
{
    return (struct term_question){ .value_set = span_of(set), .system = span_of(system),
                                   .code = arena_format(arena, "c%d", code), .why = TERM_WHY_NOT_PRESENT };
}

static enum term_verdict
ask(struct term_questions *all, struct term_question one)
{
    return term_questions_ask(all, &one, false);
}

static void
test_notes_each_question_once(void **state)
{
    struct arena          *arena = test_arena();
    struct term_questions *all   = term_questions_new(arena);
    struct term_question   one   = question(arena, "v", "urn:s", 1), versioned = one;

    (void)state;
    assert_non_null(all);
    versioned.version = SPAN("2");
    ask(all, one);
    ask(all, question(arena, "v", "urn:s", 1));
    ask(all, question(arena, "w", "urn:s", 1));
    ask(all, versioned);
    assert_int_equal(all->count, 3);
    assert_int_equal(term_questions_open(all), 3);
    assert_int_equal(all->dropped, 0);
    assert_text(all->list[0].code, "c1");
    assert_text(all->list[1].value_set, "w");
    assert_text(all->list[2].version, "2");
    assert_int_equal(all->list[0].why, TERM_WHY_NOT_PRESENT);
    assert_true(all->list[0].code.at != one.code.at);        /* its own copy */
    arena_free(&arena);
}

static void
test_gives_the_answer_that_was_noted(void **state)
{
    struct arena          *arena = test_arena();
    struct term_questions *all   = term_questions_new(arena);

    (void)state;
    assert_int_equal(ask(all, question(arena, "v", "urn:s", 1)), TERM_UNDECIDED);
    assert_int_equal(ask(all, question(arena, "v", "urn:s", 2)), TERM_UNDECIDED);
    all->list[0].answer = TERM_IN;
    all->list[0].closed = true;
    all->list[1].answer = TERM_OUT;
    assert_int_equal(ask(all, question(arena, "v", "urn:s", 1)), TERM_IN);
    assert_int_equal(ask(all, question(arena, "v", "urn:s", 2)), TERM_OUT);
    assert_int_equal(ask(all, question(arena, "v", "urn:s", 3)), TERM_UNDECIDED);
    assert_int_equal(term_questions_open(all), 2);
    arena_free(&arena);
}

static void
count_and_know_c1(void *caller, struct term_question *one)
{
    ++*(int *)caller;
    one->closed = span_eq_text(one->code, "c1");
    one->answer = one->closed ? TERM_OUT : TERM_UNDECIDED;
}

static void
test_recalls_each_question_once(void **state)
{
    struct arena          *arena = test_arena();
    struct term_questions *all   = term_questions_new(arena);
    int                    times = 0;

    (void)state;
    all->recall = count_and_know_c1;
    all->caller = &times;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(all, question(arena, "v", "urn:s", 1)), TERM_OUT);
        assert_int_equal(ask(all, question(arena, "v", "urn:s", 2)), TERM_UNDECIDED);
    }
    assert_int_equal(times, 2);
    assert_int_equal(term_questions_open(all), 1);
    arena_free(&arena);
}

/* Q2, Q3: what may leave. */
static void
test_only_codes_are_questions(void **state)
{
    static const struct { const char *value_set, *system, *version, *code; bool asked; } rows[] = {
        { "http://t/v", "http://loinc.org", "", "8302-2", true },
        { "http://t/v|1.0", "urn:oid:2.16.840.1.113883.6.96", "2026-03", "73211009", true },
        { "http://t/v", "http://snomed.info/sct", "", "128045006:{363698007=56459004}", true },
        { "http://t/v", "", "", "8302-2", false },               /* R4 wants a system */
        { "http://t/v", "http://loinc.org", "", "", false },
        { "", "http://loinc.org", "", "8302-2", false },
        { "http://t/v", "http://loinc.org", "", "Mary Miller", false },
        { "http://t/v", "http://loinc.org", "", "8302-2\n", false },
        { "http://t/v", "http://loinc.org", "", "M\xc3\xbcller", false },
        { "http://t/v", "LOINC", "", "8302-2", false },
        { "http://t/v", "http://example.org/Mary Miller", "", "1", false },
        { "http://t/v", "http://loinc.org", "of Mary", "1", false },
    };
    struct arena          *arena = test_arena();
    struct term_questions *all   = term_questions_new(arena);
    uint32_t               asked = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ask(all, (struct term_question){ .value_set = span_of(rows[i].value_set), .system = span_of(rows[i].system),
                                         .version = span_of(rows[i].version), .code = span_of(rows[i].code) });
        asked += rows[i].asked;
        if (all->count != asked)
            fail_msg("row %zu", i);
    }
    arena_free(&arena);
}

static void
test_keeps_a_bounded_number(void **state)
{
    struct arena          *arena = test_arena();
    struct term_questions *all   = term_questions_new(arena);
    char                   text[TERM_QUESTION_CODE + 1];

    (void)state;
    for (int i = 0; i < 1000; i++)
        ask(all, question(arena, "v", "urn:s", i % 500));
    assert_int_equal(all->count, TERM_QUESTIONS);
    assert_int_equal(all->dropped, 2 * (500 - TERM_QUESTIONS));
    memset(text, 'x', sizeof text);
    ask(all, (struct term_question){ .value_set = SPAN("v"), .system = SPAN("urn:s"), .code = span_from(text, sizeof text) });
    assert_int_equal(all->dropped, 2 * (500 - TERM_QUESTIONS));      /* no question at all */
    arena_free(&arena);
}

static void
test_what_is_only_tried_gets_half_of_the_room(void **state)
{
    struct arena          *arena = test_arena();
    struct term_questions *all   = term_questions_new(arena);

    (void)state;
    for (int i = 0; i < 500; i++) {
        struct term_question one = question(arena, "v", "urn:s", i);
        term_questions_ask(all, &one, true);
    }
    assert_int_equal(all->count, TERM_QUESTIONS / 2);
    for (int i = 0; i < 500; i++)
        ask(all, question(arena, "v", "urn:s", i));
    assert_int_equal(all->count, TERM_QUESTIONS);
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
        char                 code[TERM_QUESTION_CODE];
        struct term_question one = { .value_set = SPAN("v"), .system = SPAN("urn:s"), .code = { code, sizeof code } };
        memset(code, 'a', sizeof code);
        code[0] = (char)('A' + i % 26);
        code[1] = (char)('A' + i / 26);
        ask(all, one);
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
        cmocka_unit_test(test_gives_the_answer_that_was_noted),
        cmocka_unit_test(test_recalls_each_question_once),
        cmocka_unit_test(test_only_codes_are_questions),
        cmocka_unit_test(test_keeps_a_bounded_number),
        cmocka_unit_test(test_what_is_only_tried_gets_half_of_the_room),
        cmocka_unit_test(test_a_spent_arena_drops_questions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
