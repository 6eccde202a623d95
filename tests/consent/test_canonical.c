/* tests/consent/test_canonical.c -- consent/canonical.c: who names which definition by its URL. */
#include "release_check.h"

#include "consent/canonical.h"

#define BUNDLE_OF(entries) "{'resourceType':'Bundle','type':'collection','entry':[" entries "]}"
#define FORM(url) "{'resource':{'resourceType':'Questionnaire','url':'" url "'}}"
#define PLAN(url, more) "{'resource':{'resourceType':'PlanDefinition','url':'" url "'" more "}}"
#define ANSWERS(url) "{'resource':{'resourceType':'QuestionnaireResponse','questionnaire':'" url "'}}"

static struct arena *arena;

static const struct canonicals *
read_all(const char *text, const struct bundle **b)
{
    struct issues           *issues = issues_new(arena, 4);
    const struct tape       *t      = NULL;
    const struct canonicals *c      = NULL;

    assert_int_equal(tape_read(quoted(arena, text), &tape_default_limits, arena, &t, NULL), ST_OK);
    assert_int_equal(bundle_read(t, arena, issues, b), ST_OK);
    assert_int_equal(canonicals_read(*b, arena, &c), ST_OK);
    return c;
}

/* "2>0": entry 2 names the definition that is entry 0; in document order, and of several of one URL each. */
static const char *
said(const char *text)
{
    static char              out[256];
    const struct bundle     *b;
    const struct canonicals *c = read_all(text, &b);
    size_t                   n = 0;

    out[0] = '\0';
    for (uint32_t i = 0; c != NULL && i < c->count; i++)
        for (uint32_t at = c->all[i].group; at != LOOKUP_NONE; at = lookup_next(c->definitions, at))
            n += (size_t)snprintf(out + n, sizeof out - n, "%s%u>%u", n > 0 ? " " : "", c->all[i].from, lookup_value(c->definitions, at));
    return out;
}

static void
test_a_url_names_every_definition_of_it(void **state)
{
    static const struct { const char *bundle, *said; } rows[] = {
        { BUNDLE_OF(FORM("http://a/q")), "" },
        { BUNDLE_OF(ANSWERS("http://a/q")), "" },
        { BUNDLE_OF(FORM("http://a/q") "," ANSWERS("http://a/q")), "1>0" },
        { BUNDLE_OF(FORM("http://a/q") "," ANSWERS("http://a/q|2") "," ANSWERS("http://a/q#part") "," ANSWERS("http://a/q|2#part")), "1>0 2>0 3>0" },
        { BUNDLE_OF(FORM("http://a/q") "," ANSWERS("http:\\/\\/a\\u002fq")), "1>0" },
        { BUNDLE_OF(FORM("http://a/q") "," ANSWERS("http://a/Q") "," ANSWERS("http://a/q2") "," ANSWERS("")), "" },
        { BUNDLE_OF(FORM("http://a/q") "," FORM("http://a/r") "," FORM("http://a/q") "," ANSWERS("http://a/q")), "3>0 3>2" },
        { BUNDLE_OF(PLAN("http://a/p", ",'library':['http://a/l'],'relatedArtifact':[{'resource':'http://a/p'}]") ","
                    "{'resource':{'resourceType':'Library','url':'http://a/l'}},{'resource':{'resourceType':'CarePlan','instantiatesCanonical':['http://a/p','http://a/l']}}"),
          "0>1 0>0 2>0 2>1" },
        { BUNDLE_OF(FORM("http://a/q") ",{'resource':{'resourceType':'Basic','contained':[{'resourceType':'QuestionnaireResponse','questionnaire':'http://a/q'}]}},"
                    "{'resource':" BUNDLE_OF(ANSWERS("http://a/q")) "}"), "1>0 2>0" },
        { BUNDLE_OF("{'resource':{'resourceType':'ValueSet','url':'http://a/q'}}," ANSWERS("http://a/q")), "" },
        { BUNDLE_OF("{'resource':{'resourceType':'Questionnaire','url':7}}," ANSWERS("7")), "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *got = said(rows[i].bundle);
        if (strcmp(got, rows[i].said) != 0)
            fail_msg("row %zu: %s", i, got);
    }
}

static void
test_a_group_knows_who_names_it(void **state)
{
    const struct bundle     *b;
    const struct canonicals *c = read_all(BUNDLE_OF(ANSWERS("http://a/q") "," FORM("http://a/q") "," ANSWERS("http://a/r") "," FORM("http://a/r") ","
                                                    ANSWERS("http://a/q") "," FORM("http://a/q") "," FORM("http://a/unnamed")), &b);
    uint32_t                 group;

    (void)state;
    assert_int_equal(c->count, 3);
    assert_int_equal(c->group_of[1], c->group_of[5]);
    assert_int_not_equal(c->group_of[1], c->group_of[3]);
    assert_int_equal(c->group_of[0], LOOKUP_NONE);
    group = c->group_of[1];
    assert_int_equal(c->all[c->first_of[group]].from, 0);
    assert_int_equal(c->all[c->all[c->first_of[group]].next].from, 4);
    assert_int_equal(c->all[c->all[c->first_of[group]].next].next, LOOKUP_NONE);
    assert_int_equal(c->first_of[c->group_of[6]], LOOKUP_NONE);
    assert_int_equal(c->first_from[4], 2);
    assert_int_equal(c->first_from[5], 3);
    assert_int_equal(c->first_from[7], 3);
}

static int
set_up(void **state)
{
    (void)state;
    arena = arena_new("test", 1 << 22);
    return arena == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_url_names_every_definition_of_it),
        cmocka_unit_test(test_a_group_knows_who_names_it),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
