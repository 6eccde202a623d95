/* What bindings conclude from an answer that somebody else gave: exactly what they
 * would conclude if the definitions had it.  So the same instances are run over
 * two packages: one whose value sets list their codes, and one that only names
 * their system and has a second run, with the first one's answers. */
#include "fhir/validate.h"

#include "fhir/bundle.h"
#include "fhir/package.h"
#include "fhir/term_questions.h"
#include "tests/fhir/fhir_check.h"

static struct arena      *definitions;
static const struct pack *knows, *asks;      /* NULL: the definitions are not installed */

#define SYSTEM "http://t.example/elsewhere"
#define SD(id, type, elements)                                                                               \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://t.example/" id "\",\"version\":\"1.0.0\",\"name\":\"" id "\","    \
    "\"status\":\"draft\",\"kind\":\"resource\",\"abstract\":false,\"type\":\"" type "\",\"derivation\":\"constraint\","    \
    "\"baseDefinition\":\"http://hl7.org/fhir/StructureDefinition/" type "\",\"differential\":{\"element\":[" elements "]}}"
#define EL(id, rest) "{\"id\":\"" id "\",\"path\":\"" id "\"," rest "}"
#define SLICE(path, name, rest) "{\"id\":\"" path ":" name "\",\"path\":\"" path "\",\"sliceName\":\"" name "\"," rest "}"
#define BOUND(strength, set) "\"binding\":{\"strength\":\"" strength "\",\"valueSet\":\"http://t.example/" set "\"}"
#define VS(id, codes) \
    "{\"resourceType\":\"ValueSet\",\"url\":\"http://t.example/" id "\",\"version\":\"1.0.0\",\"status\":\"draft\",\"compose\":{\"include\":" \
    "[{\"system\":\"" SYSTEM "\"" codes "}]}}"
#define LISTS(a, b) ",\"concept\":[{\"code\":\"" a "\"},{\"code\":\"" b "\"}]"

static const char *const profiles[] = {
    SD("strengths", "Observation",
       EL("Observation.code", BOUND("required", "letters")) "," EL("Observation.method", BOUND("extensible", "letters")) ","
       EL("Observation.bodySite", BOUND("preferred", "letters")) ","
       EL("Observation.dataAbsentReason", "\"binding\":{\"strength\":\"extensible\",\"valueSet\":\"http://t.example/letters\",\"extension\":"
          "[{\"url\":\"http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet\",\"valueCanonical\":\"http://t.example/figures\"}]}")),
    SD("slices", "Observation",
       EL("Observation.category", "\"slicing\":{\"discriminator\":[{\"type\":\"value\",\"path\":\"$this\"}],\"rules\":\"closed\"}") ","
       SLICE("Observation.category", "letter", "\"min\":1,\"max\":\"1\"," BOUND("required", "letters")) ","
       SLICE("Observation.category", "figure", "\"max\":\"1\"," BOUND("required", "figures"))),
    SD("whose", "Observation",
       EL("Observation.hasMember", "\"type\":[{\"code\":\"Reference\",\"targetProfile\":[\"http://t.example/strengths\"]}]")),
    SD("says", "Observation",
       EL("Observation.method", "\"constraint\":[{\"key\":\"t-1\",\"severity\":\"error\",\"human\":\"a letter\",\"expression\":"
          "\"memberOf('http://t.example/letters')\"}]")),
};
#define PROFILES (sizeof profiles / sizeof profiles[0])

static const struct pack *
compile(const struct pack *base, const char *letters, const char *figures)
{
    static const char   sha[32] = "0123456789abcdef0123456789abcde";
    const struct pack  *pack;
    struct package_file files[PROFILES + 2] = { { SPAN("v.json"), span_of(letters) }, { SPAN("v.json"), span_of(figures) } };
    struct issues      *issues = issues_new(definitions, 10);
    struct buf          out;

    for (size_t i = 0; i < PROFILES; i++)
        files[2 + i] = (struct package_file){ SPAN("profile.json"), span_of(profiles[i]) };
    struct package_sources sources = { files, PROFILES + 2, SPAN("t#1"), span_from(sha, 32), base };
    buf_init(&out, (size_t)1 << 30);
    enum status st = package_compile(&sources, definitions, issues, &out);
    for (uint32_t i = 0; i < issues_count(issues); i++)
        print_error("%.*s: %.*s: %.*s\n", SPAN_PRINT(issues_at(issues, i)->expression), SPAN_PRINT(issues_at(issues, i)->wanted),
                    SPAN_PRINT(issues_at(issues, i)->found));
    assert_int_equal(st, ST_OK);
    struct span copy = arena_copy(definitions, buf_span(&out));
    buf_release(&out);
    assert_int_equal(pack_open(copy, definitions, &pack), ST_OK);
    return pack;
}

static int
open_packs(void **state)
{
    const struct pack *base;

    (void)state;
    definitions = arena_new("definitions", (size_t)2 << 30);
    struct span bytes = test_file(definitions, SLUICE_BINARY_DIR "/definitions/r4.pack");
    if (span_empty(bytes))
        return 0;
    assert_int_equal(pack_open(bytes, definitions, &base), ST_OK);
    knows = compile(base, VS("letters", LISTS("a", "b")), VS("figures", LISTS("1", "2")));
    asks  = compile(base, VS("letters", ""), VS("figures", ""));
    return 0;
}

static int
close_packs(void **state)
{
    (void)state;
    arena_free(&definitions);
    return 0;
}

#define O        "{\"resourceType\":\"Observation\",\"status\":\"final\""
#define CODE     ",\"code\":{\"text\":\"t\"}"
#define C(code)  "{\"coding\":[{\"system\":\"" SYSTEM "\",\"code\":\"" code "\"}]}"
#define CC(a, b) "{\"coding\":[{\"system\":\"" SYSTEM "\",\"code\":\"" a "\"},{\"system\":\"" SYSTEM "\",\"code\":\"" b "\"}]}"
#define ENTRY(id, resource) "{\"fullUrl\":\"http://t.example/fhir/" id "\",\"resource\":" resource "}"

static const struct { const char *profile, *json; } instances[] = {
    { "strengths", O ",\"code\":" C("a") "}" },
    { "strengths", O ",\"code\":" C("z") "}" },
    { "strengths", O ",\"code\":" CC("z", "a") "}" },                 /* the second coding is the one */
    { "strengths", O ",\"code\":" CC("z", "y") "}" },
    { "strengths", O ",\"code\":" C("a") ",\"method\":" C("z") "}" },
    { "strengths", O ",\"code\":" C("a") ",\"bodySite\":" C("z") "}" },
    { "strengths", O ",\"code\":" C("a") ",\"dataAbsentReason\":" C("1") "}" },   /* not in the value set, in the largest */
    { "strengths", O ",\"code\":" C("a") ",\"dataAbsentReason\":" C("z") "}" },
    { "slices", O CODE ",\"category\":[" C("a") "]}" },
    { "slices", O CODE ",\"category\":[" C("a") "," C("1") "]}" },
    { "slices", O CODE ",\"category\":[" C("1") "," C("a") "]}" },
    { "slices", O CODE ",\"category\":[" C("1") "]}" },               /* the letter is missing */
    { "slices", O CODE ",\"category\":[" C("a") "," C("b") "]}" },    /* one letter too many */
    { "slices", O CODE ",\"category\":[" C("a") "," C("z") "]}" },    /* in none of the slices */
    { "says", O CODE ",\"method\":" C("a") "}" },
    { "says", O CODE ",\"method\":" C("z") "}" },
    { "whose", "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
               ENTRY("Observation/o", O CODE ",\"hasMember\":[{\"reference\":\"Observation/p\"}]}") ","
               ENTRY("Observation/p", O ",\"id\":\"p\",\"code\":" C("a") "}") "]}" },
    { "whose", "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
               ENTRY("Observation/o", O CODE ",\"hasMember\":[{\"reference\":\"Observation/p\"}]}") ","
               ENTRY("Observation/p", O ",\"id\":\"p\",\"code\":" C("z") "}") "]}" },
    /* Equal findings are grouped: two that are wrong, one that is right. */
    { "strengths", "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
                   ENTRY("Observation/1", O ",\"id\":\"1\",\"code\":" C("y") "}") "," ENTRY("Observation/2", O ",\"id\":\"2\",\"code\":" C("a") "}") ","
                   ENTRY("Observation/3", O ",\"id\":\"3\",\"code\":" C("z") "}") "]}" },
};
#define INSTANCES (sizeof instances / sizeof instances[0])

static struct issues *
run(struct arena *arena, const struct pack *pack, size_t i, struct term_questions *questions)
{
    struct span             profile = arena_join(arena, SPAN("http://t.example/"), span_of(instances[i].profile));
    struct validate_options options = { .profiles = &profile, .profile_count = 1, .questions = questions };
    struct issues          *issues  = issues_new(arena, 100);
    const struct bundle    *bundle;

    assert_int_equal(bundle_read(test_tape(arena, span_of(instances[i].json)), arena, issues, &bundle), ST_OK);
    assert_int_equal(validate(pack, bundle, &options, arena, issues), ST_OK);
    return issues;
}

static void
answer(struct term_questions *all)
{
    for (uint32_t i = 0; i < all->count; i++) {
        struct term_question *q = &all->list[i];
        q->answer = term_member(knows, term_value_set(knows, q->value_set), q->system, q->version, q->code).verdict;
        q->closed = true;
    }
}

static void
same(size_t instance, const struct issues *want, const struct issues *have)
{
    for (uint32_t i = 0; i < issues_count(want) || i < issues_count(have); i++) {
        const struct issue *w = issues_at(want, i), *h = issues_at(have, i);
        if (w == NULL || h == NULL || w->severity != h->severity || strcmp(w->rule, h->rule) != 0 || w->times != h->times
            || !span_eq(w->expression, h->expression) || w->line != h->line || w->column != h->column || !span_eq(w->wanted, h->wanted))
            fail_msg("instance %zu, finding %u: want %s at %.*s, have %s at %.*s", instance, i, w != NULL ? w->rule : "none",
                     SPAN_PRINT(w != NULL ? w->expression : SPAN("-")), h != NULL ? h->rule : "none",
                     SPAN_PRINT(h != NULL ? h->expression : SPAN("-")));
    }
}

static void
test_an_answer_counts_as_if_the_definitions_had_it(void **state)
{
    (void)state;
    if (knows == NULL)
        skip();
    uint32_t undecided = 0, found = 0;
    for (size_t i = 0; i < INSTANCES; i++) {
        struct arena          *arena = test_arena();
        struct term_questions *all   = term_questions_new(arena);
        struct issues         *first = run(arena, asks, i, all);
        assert_true(all->count > 0);
        for (uint32_t n = 0; n < issues_count(first); n++)
            undecided += strcmp(issues_at(first, n)->rule, "binding:undecided") == 0;
        answer(all);
        struct issues *want = run(arena, knows, i, NULL);
        same(i, want, run(arena, asks, i, all));
        found += issues_count(want);
        arena_free(&arena);
    }
    assert_true(undecided >= 10);                /* the test is about something */
    assert_true(found >= 10);
}

/* An answer to one question leaves the others as they were: undecided is
 * information, and never an error. */
static void
test_without_an_answer_it_stays_undecided(void **state)
{
    (void)state;
    if (knows == NULL)
        skip();
    struct arena          *arena = test_arena();
    struct term_questions *all   = term_questions_new(arena);
    struct issues         *first = run(arena, asks, 18, all);

    assert_false(issues_have_errors(first));
    assert_int_equal(all->count, 3);
    all->list[0].answer = TERM_OUT;
    struct issues *second = run(arena, asks, 18, all);
    uint32_t       errors = 0, undecided = 0;
    for (uint32_t i = 0; i < issues_count(second); i++) {
        const struct issue *one = issues_at(second, i);
        errors += strcmp(one->rule, "binding") == 0 ? one->times : 0;
        undecided += strcmp(one->rule, "binding:undecided") == 0 ? one->times : 0;
    }
    assert_int_equal(errors, 1);
    assert_int_equal(undecided, 2);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_counts_as_if_the_definitions_had_it),
        cmocka_unit_test(test_without_an_answer_it_stays_undecided),
    };

    return cmocka_run_group_tests(tests, open_packs, close_packs);
}
