/* tests/gateway/test_http_query.c -- parameters of a query: names, values, what cannot be decoded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/http/query.h"

/* Each pair as "name=value;". */
static void
reads(struct arena *arena, struct span query, const char *want)
{
    char        have[256] = "";
    struct span name, value;

    while (query_next(&query, arena, &name, &value)) {
        size_t used = strlen(have);
        snprintf(have + used, sizeof have - used, "%.*s=%.*s;", SPAN_PRINT(name), SPAN_PRINT(value));
    }
    assert_string_equal(have, want);
}

static void
test_takes_a_query_apart(void **state)
{
    static const struct { const char *query, *want; } rows[] = {
        { "", "" },
        { "&&", "" },
        { "mode=create", "mode=create;" },
        { "mode", "mode=;" },
        { "=x", "=x;" },
        { "a=1&a=2&b=", "a=1;a=2;b=;" },
        { "profile=http%3A%2F%2Fexample.org%2Fa%7C1.0", "profile=http://example.org/a|1.0;" },
        { "a=b=c", "a=b=c;" },
        { "a=b+c&d%65=%2B", "a=b c;de=+;" },
        { "a=%&b=%4&c=%zz&d=%41", "a=;b=;c=;d=A;" },
        { "a%=1&b=2", "=1;b=2;" },
    };
    struct arena *arena = arena_new("test", 1 << 16);

    (void)state;
    reads(arena, (struct span){ NULL, 0 }, "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        reads(arena, span_of(rows[i].query), rows[i].want);
    arena_free(&arena);
}

/* Without memory nothing is made up: the names come back empty, and end. */
static void
test_ends_when_there_is_no_memory(void **state)
{
    struct arena *arena = arena_new("test", 1);
    struct span   query = SPAN("mode=create&profile=x"), name, value;
    unsigned      pairs = 0;

    (void)state;
    while (query_next(&query, arena, &name, &value)) {
        assert_false(span_eq_text(name, "profile"));
        pairs++;
    }
    assert_int_equal(pairs, 2);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_a_query_apart),
        cmocka_unit_test(test_ends_when_there_is_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
