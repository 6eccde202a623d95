/* tests/gateway/test_question.c -- gateway/terminology/question.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "gateway/terminology/question.h"

static void
test_a_question_is_five_parameters(void **state)
{
    static const struct { const char *base; struct term_question q; const char *path; } rows[] = {
        { "https://tx.example.org/r4",
          { .value_set = { "http://t/v", 10 }, .system = { "http://loinc.org", 16 }, .code = { "8302-2", 6 } },
          "/ValueSet/$validate-code?url=http%3A%2F%2Ft%2Fv&system=http%3A%2F%2Floinc.org&code=8302-2" },
        { "https://tx.example.org/r4/",
          { .value_set = { "http://t/v|1.0", 14 }, .system = { "urn:x", 5 }, .version = { "2", 1 }, .code = { "a&code=b#%+", 11 } },
          "ValueSet/$validate-code?url=http%3A%2F%2Ft%2Fv&valueSetVersion=1.0&system=urn%3Ax&systemVersion=2"
          "&code=a%26code%3Db%23%25%2B" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out;
        buf_init(&out, QUESTION_PATH_MAX);
        assert_int_equal(question_path(&rows[i].q, span_of(rows[i].base), &out), ST_OK);
        buf_add_byte(&out, 0);
        assert_string_equal(out.at, rows[i].path);
        buf_release(&out);
    }
}

static void
test_the_longest_question_fits(void **state)
{
    char       text[TERM_QUESTION_TEXT];
    struct buf out;

    (void)state;
    memset(text, '%', sizeof text);
    struct span all = span_from(text, sizeof text);
    buf_init(&out, QUESTION_PATH_MAX);
    struct term_question q = { .value_set = all, .system = all, .version = all, .code = span_first(all, TERM_QUESTION_CODE) };
    assert_int_equal(question_path(&q, SPAN("https://t"), &out), ST_OK);
    buf_release(&out);
}

#define P(parameters) "{\"resourceType\":\"Parameters\",\"parameter\":[" parameters "]}"
#define R(value)      "{\"name\":\"result\",\"valueBoolean\":" value "}"
#define ISSUES(list)  ",{\"name\":\"issues\",\"resource\":{\"resourceType\":\"OperationOutcome\",\"issue\":[" list "]}}"
#define I(severity, code) "{\"severity\":\"" severity "\",\"code\":\"" code "\"}"

static void
test_one_clear_result_is_an_answer(void **state)
{
    static const struct { int status; const char *body; enum answer want; } rows[] = {
        { 200, P(R("true")), ANSWER_RIGHT },
        { 200, P(R("false")), ANSWER_WRONG },
        { 200, P("{\"name\":\"display\",\"valueString\":\"d\"}," R("true")), ANSWER_RIGHT },
        { 200, P(R("false") ",{\"name\":\"message\",\"valueString\":\"m\"}"), ANSWER_WRONG },
        { 200, P(R("false") ISSUES(I("error", "code-invalid"))), ANSWER_WRONG },
        { 200, P(R("false") ISSUES(I("error", "business-rule") "," I("information", "not-found"))), ANSWER_WRONG },
        /* It does not know, and says false. */
        { 200, P(R("false") ISSUES(I("error", "not-found"))), ANSWER_NONE },
        { 200, P(R("false") ISSUES(I("error", "code-invalid") "," I("fatal", "not-supported"))), ANSWER_NONE },
        { 200, P(R("false") ",{\"name\":\"x-caused-by-unknown-system\",\"valueCanonical\":\"http://s\"}"), ANSWER_NONE },
        { 200, P(R("true") ISSUES(I("error", "not-found"))), ANSWER_RIGHT },
        /* Anything else. */
        { 201, P(R("true")), ANSWER_NONE },
        { 302, P(R("true")), ANSWER_NONE },
        { 404, P(R("false")), ANSWER_NONE },
        { 500, P(R("false")), ANSWER_NONE },
        { 0, P(R("true")), ANSWER_NONE },
        { 200, "", ANSWER_NONE },
        { 200, "true", ANSWER_NONE },
        { 200, "[" P(R("true")) "]", ANSWER_NONE },
        { 200, P(R("true")) "x", ANSWER_NONE },
        { 200, P(""), ANSWER_NONE },
        { 200, P("null"), ANSWER_NONE },
        { 200, P("[" R("true") "]"), ANSWER_NONE },
        { 200, "{\"resourceType\":\"Parameters\"}", ANSWER_NONE },
        { 200, "{\"resourceType\":\"Parameters\",\"parameter\":{\"name\":\"result\",\"valueBoolean\":true}}", ANSWER_NONE },
        { 200, "{\"resourceType\":\"OperationOutcome\",\"parameter\":[" R("true") "]}", ANSWER_NONE },
        { 200, "{\"parameter\":[" R("true") "]}", ANSWER_NONE },
        { 200, P(R("true") "," R("true")), ANSWER_NONE },
        { 200, P(R("true") "," R("false")), ANSWER_NONE },
        { 200, P("{\"name\":\"result\"}"), ANSWER_NONE },
        { 200, P("{\"name\":\"result\",\"valueString\":\"true\"}"), ANSWER_NONE },
        { 200, P("{\"name\":\"result\",\"valueBoolean\":\"true\"}"), ANSWER_NONE },
        { 200, P("{\"name\":\"result\",\"valueBoolean\":false,\"valueBoolean\":true}"), ANSWER_NONE },
        { 200, P("{\"name\":\"Result\",\"valueBoolean\":true}"), ANSWER_NONE },
    };
    struct arena *arena = arena_new("test", (size_t)1 << 20);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t used = arena_used(arena);
        if (question_answer(rows[i].status, span_of(rows[i].body), arena) != rows[i].want)
            fail_msg("row %zu: %s", i, rows[i].body);
        assert_int_equal(arena_used(arena), used);           /* scratch */
    }
    arena_free(&arena);
}

static void
test_a_deep_or_wide_answer_is_none(void **state)
{
    struct arena *arena = arena_new("test", (size_t)4 << 20);
    struct buf    body;

    (void)state;
    buf_init(&body, 1 << 20);
    buf_add_text(&body, "{\"resourceType\":\"Parameters\",\"parameter\":[" R("true") ",");
    for (int i = 0; i < 64; i++)
        buf_add_text(&body, "{\"name\":\"a\",\"part\":[");
    buf_add_text(&body, "{}");
    for (int i = 0; i < 64; i++)
        buf_add_text(&body, "]}");
    buf_add_text(&body, "]}");
    assert_int_equal(question_answer(200, buf_span(&body), arena), ANSWER_NONE);
    buf_clear(&body);
    buf_add_text(&body, "{\"resourceType\":\"Parameters\",\"parameter\":[" R("true"));
    for (int i = 0; i < 5000; i++)
        buf_add_text(&body, ",{\"a\":1}");
    buf_add_text(&body, "]}");
    assert_int_equal(question_answer(200, buf_span(&body), arena), ANSWER_NONE);
    buf_release(&body);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_question_is_five_parameters),
        cmocka_unit_test(test_the_longest_question_fits),
        cmocka_unit_test(test_one_clear_result_is_an_answer),
        cmocka_unit_test(test_a_deep_or_wide_answer_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
