/* Regular expressions: what they match and where, what is refused, and that
 * no pattern is slow. */
#include "fhir_check.h"

#include "fhir/regex.h"

#define NONE UINT32_MAX

static void
test_finds_what_a_backtracking_matcher_finds(void **state)
{
    static const struct { const char *pattern, *text; uint32_t start, end, group, group_end; } cases[] = {
        { "a*b", "xaab", 1, 4, NONE, NONE }, { "(a|ab)(c|bcd)(d*)", "abcd", 0, 4, 0, 1 }, { "(ab|a)(bcd|c)", "abcd", 0, 3, 0, 2 }, { "x*", "aaa", 0, 0, NONE, NONE },
        { "a+?", "aaa", 0, 1, NONE, NONE }, { "a{2}", "caaa", 1, 3, NONE, NONE }, { "a{2,}", "caaab", 1, 4, NONE, NONE }, { "a{0,2}?b", "aab", 0, 3, NONE, NONE },
        { "a{,2}", "a{,2}", 0, 5, NONE, NONE }, { "[^a-c]+", "abcxyz", 3, 6, NONE, NONE }, { "[]a]+", "x]a", 1, 3, NONE, NONE }, { "[a\\-z]+", "b-a", 1, 3, NONE, NONE },
        { "\\d+\\.\\d", "v12.5", 1, 5, NONE, NONE }, { "[\\w-]+", "a-b c", 0, 3, NONE, NONE }, { "[^\\s]+", " ab ", 1, 3, NONE, NONE }, { "\\bfoo\\b", "xfoo foo", 5, 8, NONE, NONE },
        { "^b", "ab", NONE, NONE, NONE, NONE }, { "b$", "ab", 1, 2, NONE, NONE }, { "a.c", "a\nc", 0, 3, NONE, NONE }, { "(?i)STRASSE", "strasse", 0, 7, NONE, NONE },
        { "(?:a|b)+", "abac", 0, 3, NONE, NONE }, { "(a*)*b", "aab", 0, 3, 0, 2 }, { "(a|b)*c", "abc", 0, 3, 1, 2 }, { "\xc3\xa4.", "x\xc3\xa4\xe2\x82\xac", 1, 6, NONE, NONE },
        { "\\u00e4", "\xc3\xa4", 0, 2, NONE, NONE }, { "[\\u0400-\\u04ff]", "a\xd0\x96", 1, 3, NONE, NONE }, { "\\x41\\t", "A\t", 0, 2, NONE, NONE }, { "a||b", "b", 0, 0, NONE, NONE },
        { "(a)|b", "b", 0, 1, NONE, NONE }, { "[[:x]", ":", 0, 1, NONE, NONE }, { "\\\\", "a\\", 1, 2, NONE, NONE }, { "", "abc", 0, 0, NONE, NONE }, { "a", "", NONE, NONE, NONE, NONE },
    };
    struct arena *arena = test_arena();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span        program;
        struct regex_match m;
        const char        *why   = "";
        uint32_t           steps = 100000;
        if (regex_compile(span_of(cases[i].pattern), arena, &program, &why) != ST_OK)
            fail_msg("%s: %s", cases[i].pattern, why);
        assert_true(regex_check(program));
        bool             found = cases[i].start != NONE;
        enum regex_found have  = regex_search(program, span_of(cases[i].text), 0, &m, arena, &steps);
        if (have != (found ? REGEX_YES : REGEX_NO) || (found && (m.start[0] != cases[i].start || m.end[0] != cases[i].end
            || m.start[1] != cases[i].group || m.end[1] != cases[i].group_end)))
            fail_msg("%s on %s: %d [%u %u) group [%u %u)", cases[i].pattern, cases[i].text, have, m.start[0], m.end[0], m.start[1], m.end[1]);
        assert_int_equal(regex_test(program, span_of(cases[i].text), false, arena, &steps), have);
        bool whole = found && cases[i].start == 0 && cases[i].end == strlen(cases[i].text);
        if (whole)
            assert_int_equal(regex_test(program, span_of(cases[i].text), true, arena, &steps), REGEX_YES);
    }
    arena_free(&arena);
}

static void
test_says_why_it_refuses(void **state)
{
    static const struct { const char *pattern, *why; } cases[] = {
        { "(", "a bracket of a regular expression is not closed" }, { ")", "a bracket of a regular expression was never opened" },
        { "*", "there is nothing to repeat" }, { "a|*", "there is nothing to repeat" }, { "[a", "a class of a regular expression has no end" },
        { "[z-a]", "a range of a regular expression runs backwards" }, { "\\", "the regular expression ends too early" }, { "\\q", "this escape of a regular expression is not supported" },
        { "\\1", "this escape of a regular expression is not supported" }, { "\\p{L}", "this escape of a regular expression is not supported" },
        { "(?=a)", "look-around is not supported" }, { "(?<=a)b", "look-around is not supported" }, { "(?<n a)", "look-around is not supported" }, { "a++", "possessive repetition is not supported" },
        { "a{3,2}", "a repetition has bounds that are too large or run backwards" }, { "a{1001}", "a repetition has bounds that are too large or run backwards" },
        { "((a{100}){100}){100}", "the regular expression is too large" }, { "\\x4", "an escape of a regular expression has too few hexadecimal digits" },
        { "((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))", "the regular expression is nested too deeply" },
    };
    struct arena *arena = test_arena();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span program;
        const char *why = NULL;
        assert_int_not_equal(regex_compile(span_of(cases[i].pattern), arena, &program, &why), ST_OK);
        assert_string_equal(why, cases[i].why);
    }
    arena_free(&arena);
}

/* Patterns that take a backtracking matcher longer than anybody lives. */
static void
test_costs_no_more_than_pattern_times_text(void **state)
{
    static const char *const patterns[] = { "(a*)*b", "(a+a+)+b", "(a|a)*b", "(a|aa)+$", "a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?aaaaaaaaaaaaaaaX", "(.*)*(.*)*(.*)*x" };
    struct arena *arena = test_arena();
    char         *text  = arena_alloc(arena, 20001);

    (void)state;
    memset(text, 'a', 20000);
    text[20000] = '!';
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        struct span program;
        const char *why;
        uint32_t    steps = 1000000, few = 100;
        assert_int_equal(regex_compile(span_of(patterns[i]), arena, &program, &why), ST_OK);
        assert_int_equal(regex_test(program, span_from(text, 20001), false, arena, &steps), REGEX_NO);
        assert_true(1000000 - steps < 20001 * 8);
        assert_int_equal(regex_test(program, span_from(text, 20001), false, arena, &few), REGEX_BUDGET);
        assert_int_equal(few, 0);
    }
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_what_a_backtracking_matcher_finds),
        cmocka_unit_test(test_says_why_it_refuses),
        cmocka_unit_test(test_costs_no_more_than_pattern_times_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
