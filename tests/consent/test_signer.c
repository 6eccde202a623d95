/* tests/consent/test_signer.c -- consent/signer.c: what shows that a consent was signed (W4). */
#include "release_check.h"

#include "consent/signer.h"

#define URN "urn:uuid:5c0f6f5e-6d3e-4b0f-9d62-0b8c7d3e1a55"
#define TERMS "'resourceType':'Consent','status':'active','scope':{'coding':[{'code':'patient-privacy'}]}," \
              "'patient':{'reference':'Patient/p'},'dateTime':'2026-01-01','provision':{'type':'permit'}"
#define ENTRY(url, body) "{'fullUrl':'" url "','resource':{" body "}}"
#define NAMED(id) ENTRY("https://a.example/Consent/" id, "'id':'" id "'," TERMS)
#define VERSION(n) ENTRY("urn:uuid:v" n, "'id':'a','meta':{'versionId':'" n "'}," TERMS)
#define SIGNED "'signature':[{'when':'2026-01-01T00:00:00Z','who':{'reference':'Patient/p'}}]"
#define PROVENANCE(target) ENTRY("urn:uuid:1", "'resourceType':'Provenance','target':[{'reference':'" target "'}]," SIGNED)

static struct arena *arena;

static int
set_up(void **state)
{
    (void)state;
    arena = arena_new("test", 64u << 20);
    return arena == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static const struct tape *
read_tape(const char *text)
{
    const struct tape *t = NULL;

    assert_int_equal(tape_read(quoted(arena, text), &tape_default_limits, arena, &t, NULL), ST_OK);
    return t;
}

static const struct bundle *
read_bundle(const char *entries)
{
    static char          text[16384];
    const struct bundle *b = NULL;

    snprintf(text, sizeof text, "{'resourceType':'Bundle','type':'collection','entry':[%s]}", entries);
    assert_int_equal(bundle_read(read_tape(text), arena, issues_new(arena, 8), &b), ST_OK);
    return b;
}

/* Which of them a site that demands it sees signed: a letter each, in order. */
static const char *
seen_signed(const struct consent_source *sources, size_t count)
{
    static char          letters[16];
    const struct facts   facts  = { .site = { .require_signature = true } };
    const struct policy *policy = NULL;

    assert_true(count < sizeof letters);
    assert_int_equal(policy_compile(sources, count, arena, &policy), ST_OK);
    for (size_t i = 0; i < count; i++)
        letters[i] = signer_deficiency(policy_consent(policy, (uint32_t)i), &facts) == NULL ? 'y' : 'n';
    letters[count] = '\0';
    return letters;
}

static size_t
consents_of(const struct bundle *b, struct consent_source *out)
{
    size_t n = 0;

    for (uint32_t e = 0; e < b->count; e++)
        if (span_eq_text(b->entries[e].type, "Consent"))
            out[n++] = (struct consent_source){ .tape = b->tape, .node = b->entries[e].resource, .home = b };
    return n;
}

static void
test_a_signed_provenance_shows_whom_it_names(void **state)
{
    static const struct { const char *entries, *want; } rows[] = {
        { NAMED("a") "," NAMED("b"), "nn" },
        { NAMED("a") "," NAMED("b") "," PROVENANCE("Consent/b"), "ny" },
        { NAMED("a") "," PROVENANCE("Consent/a/_history/1"), "y" },
        { VERSION("1") "," VERSION("2") "," PROVENANCE("Consent/a/_history/1"), "yn" },
        { VERSION("1") "," VERSION("2") "," PROVENANCE("Consent/a"), "yy" },
        { VERSION("1") "," PROVENANCE("Consent/a/_history/"), "n" },
        { NAMED("a") "," PROVENANCE("https://a.example/Consent/a"), "y" },
        { NAMED("a") "," PROVENANCE("https://other.example/Consent/a"), "n" },
        { NAMED("a") "," PROVENANCE("Condition/a"), "n" },
        { NAMED("a") "," PROVENANCE("a"), "n" },
        { NAMED("a") "," ENTRY("urn:uuid:1", "'resourceType':'Provenance','target':[{'reference':'Consent/a'}]"), "n" },
        { NAMED("a") "," ENTRY("urn:uuid:1", "'resourceType':'Provenance','target':[{'reference':'Consent/a'}],'signature':[{}]"), "n" },
        { NAMED("a") "," ENTRY("urn:uuid:1", "'resourceType':'Provenance','target':[{'reference':'Consent/a'}],'signature':[null]"), "n" },
        { ENTRY(URN, TERMS) "," ENTRY("urn:uuid:2", TERMS ",'language':'en'") "," PROVENANCE(URN), "yn" },
        { ENTRY(URN, "'id':'a'," TERMS) "," NAMED("b") "," PROVENANCE(URN), "yn" },
        { NAMED("a") "," NAMED("a") "," NAMED("b") "," PROVENANCE("Consent/a") "," PROVENANCE("Consent/a"), "yyn" },
        /* by its body first, then its namesake by the id */
        { ENTRY(URN, "'id':'a'," TERMS) "," ENTRY("urn:uuid:2", "'id':'a'," TERMS ",'language':'en'") ","
          PROVENANCE(URN) "," PROVENANCE("Consent/a"), "yy" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct consent_source sources[4];
        const char           *got = seen_signed(sources, consents_of(read_bundle(rows[i].entries), sources));
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("row %zu: %s", i, got);
    }
}

static void
test_a_provenance_of_another_bundle_shows_nothing(void **state)
{
    (void)state;
    struct consent_source sources[3];
    const struct bundle  *with = read_bundle(NAMED("a") "," PROVENANCE("Consent/a") "," PROVENANCE(URN));
    const struct bundle  *without = read_bundle(NAMED("a") "," ENTRY(URN, TERMS));

    size_t n = consents_of(with, sources);
    n += consents_of(without, sources + n);
    assert_string_equal(seen_signed(sources, n), "ynn");
}

/* The store has the body alone, and the Bundle that it came in. */
static void
test_a_consent_of_the_store_is_known_in_its_bundle_by_its_body(void **state)
{
    (void)state;
    struct consent_source sources[2];
    const struct bundle  *home = read_bundle(ENTRY(URN, TERMS) "," PROVENANCE(URN));

    for (size_t i = 0; i < 2; i++)
        sources[i] = (struct consent_source){ .tape = read_tape(i == 0 ? "{" TERMS "}" : "{" TERMS ",'language':'en'}"),
                                              .node = TAPE_ROOT, .home = home };
    assert_string_equal(seen_signed(sources, 2), "yn");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_signed_provenance_shows_whom_it_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_provenance_of_another_bundle_shows_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_consent_of_the_store_is_known_in_its_bundle_by_its_body, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
