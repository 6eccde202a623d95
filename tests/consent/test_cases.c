/* tests/consent/test_cases.c -- the conformance cases of ../shared/cases/consent, all the way.
 *
 * A case goes through facts_read() and release_make() as the command line does
 * it, and what leaves is read again from the payload's bytes
 * (consent/scenario.h); `sluice policy test` runs the same.
 *
 * All have to agree but those that are not about a decision, which the runner
 * leaves out.  Without the folder the test skips.
 */
#include "consent/scenario.h"
#include "tests/support/check.h"

struct score { int agree, left_out, wrong; };

static void
print_failure(const struct scenario *s)
{
    print_message("  %.*s FAILS: %s %.*s\n", SPAN_PRINT(s->id), scenario_result_text(s->result), SPAN_PRINT(s->why));
    for (size_t i = 0; i < s->difference_count; i++) {
        const struct scenario_difference *d = &s->differences[i];
        print_message("    %.*s of %.*s: want %.*s, have %.*s; %s, %.*s\n", SPAN_PRINT(d->what), SPAN_PRINT(d->entry),
                      SPAN_PRINT(d->expected), SPAN_PRINT(d->got), rule_number(d->rule), SPAN_PRINT(d->because));
    }
}

static void
run(const char *path, const char *name, void *context)
{
    struct score          *score = context;
    struct arena          *arena = arena_new("case", (size_t)64 << 20);
    const struct scenario *s;

    (void)name;
    assert_int_equal(scenario_run(check_file(arena, path), arena, &s), ST_OK);
    if (s->result == SCENARIO_LEFT_OUT)
        print_message("  %.*s: not here, %.*s\n", SPAN_PRINT(s->id), SPAN_PRINT(s->why));
    else if (s->result != SCENARIO_AGREES)
        print_failure(s);
    score->agree    += s->result == SCENARIO_AGREES;
    score->left_out += s->result == SCENARIO_LEFT_OUT;
    score->wrong    += s->result == SCENARIO_DIFFERS || s->result == SCENARIO_REFUSED;
    arena_free(&arena);
}

static void
test_the_conformance_cases(void **state)
{
    struct score score = { 0, 0, 0 };

    (void)state;
    if (!check_shared("cases/consent"))
        skip();
    check_folder(check_shared_path("cases/consent"), "", ".json", run, &score);
    print_message("  %d cases agree, %d do not, %d left out\n", score.agree, score.wrong, score.left_out);
    assert_int_equal(score.wrong, 0);
    assert_true(score.agree > 50);
    /* The log is the gateway's: tests/gateway holds delivery back when it cannot write. */
    assert_int_equal(score.left_out, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_conformance_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
