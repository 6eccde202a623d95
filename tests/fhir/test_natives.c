/* Invariants that the walk checks without a program, against the FHIRPath of
 * the definitions, on documents made at random. */
#include "fhir/validate.h"

#include "fhir/fhirpath.h"
#include "fhir/profile_format.h"
#include "tests/fhir/fhir_check.h"
#include "tests/support/check.h"

static struct arena      *definitions;
static const struct pack *pack;              /* NULL: the definitions are not installed */

static int
open_pack(void **state)
{
    (void)state;
    definitions = arena_new("definitions", (size_t)256 << 20);
    struct span bytes = test_file(definitions, SLUICE_BINARY_DIR "/definitions/r4.pack");
    if (!span_empty(bytes))
        assert_int_equal(pack_open(bytes, definitions, &pack), ST_OK);
    return 0;
}

static int
close_pack(void **state)
{
    (void)state;
    arena_free(&definitions);
    return 0;
}

/* How the expression of a key is asked of the root: "%s" is the definition's. */
struct native { const char *key, *around; };

static const struct native of_resources[] = {
    { "dom-3", "%.*s" }, { "dom-4", "%.*s" }, { "dom-5", "%.*s" },
    { "ref-1", "descendants().ofType(Reference).where((%.*s) = false).empty()" },
};
/* Of fhir/shortcuts.def: what holds at a glance does not hide what does not hold. */
static const struct native of_observations[] = {
    { "obs-6", "%.*s" }, { "obs-7", "%.*s" }, { "qty-3", "descendants().ofType(Quantity).where((%.*s) = false).empty()" },
    { "per-1", "descendants().ofType(Period).where((%.*s) = false).empty()" },
};
static const struct native of_photos[] = { { "att-1", "photo.where((%.*s) = false).empty()" } };
/* What a contained resource contains is also looked at, and is not by the others' expressions. */
static const struct native of_nested[] = { { "dom-2", "%.*s" } };
static const struct native of_bundles[] = {
    { "bdl-1", "%.*s" }, { "bdl-2", "%.*s" }, { "bdl-3", "%.*s" }, { "bdl-4", "%.*s" }, { "bdl-5", "entry.where((%.*s) = false).empty()" },
    { "bdl-7", "%.*s" }, { "bdl-8", "entry.where((%.*s) = false).empty()" }, { "bdl-9", "%.*s" }, { "bdl-10", "%.*s" },
    { "bdl-11", "%.*s" }, { "bdl-12", "%.*s" },
};

static struct span
expression_of(const char *key)
{
    for (uint32_t i = 0; i < pack->counts[PACK_CONSTRAINTS]; i++)
        if (span_eq_text(pack_span(pack, pack->constraints[i].key), key))
            return pack_span(pack, pack->constraints[i].expression);
    fail_msg("the definitions have no invariant %s", key);
    return SPAN("");
}

static bool
interpreted(const struct native *native, const struct bundle *bundle, struct arena *arena)
{
    struct fhirpath_context context = { .pack = pack, .tape = bundle->tape, .resource = TAPE_ROOT, .root_resource = TAPE_ROOT,
                                        .focus = fhirpath_resource(pack, bundle->tape, TAPE_ROOT) };
    struct buf              source;
    struct span             program;

    buf_init(&source, 1 << 16);
    struct span text = expression_of(native->key);
    const char *at   = strstr(native->around, "%.*s");
    buf_add(&source, span_from(native->around, (size_t)(at - native->around)));
    buf_add(&source, text);
    buf_add_text(&source, at + 4);
    assert_int_equal(fhirpath_compile(buf_span(&source), arena, &program, NULL), ST_OK);
    buf_release(&source);
    enum fhirpath_truth truth = fhirpath_true(program, &context, arena, NULL);
    assert_int_not_equal(truth, FHIRPATH_FAILED);
    return truth == FHIRPATH_TRUE;
}

static bool
walked(const char *key, const struct issues *issues)
{
    for (uint32_t i = 0; i < issues_count(issues); i++)
        if (strcmp(issues_at(issues, i)->rule, key) == 0 && issues_at(issues, i)->severity <= SEVERITY_ERROR)
            return false;
    return true;
}

static void
compare(struct span json, const struct native *natives, size_t count, size_t *broken)
{
    struct arena        *arena  = test_arena();
    struct issues       *issues = issues_new(arena, 1000);
    const struct bundle *bundle;

    assert_int_equal(bundle_read(test_tape(arena, json), arena, issues, &bundle), ST_OK);
    assert_int_equal(validate(pack, bundle, NULL, arena, issues), ST_OK);
    for (size_t i = 0; i < count; i++) {
        bool good = interpreted(&natives[i], bundle, arena);
        broken[i] += !good;
        if (good != walked(natives[i].key, issues))
            fail_msg("%s is %s by its expression and not by the walk: %.*s", natives[i].key, good ? "good" : "broken", SPAN_PRINT(json));
    }
    arena_free(&arena);
}

/* ---- documents --------------------------------------------------------------------------- */

#define MAYBE(chance, out, text)                \
    do {                                        \
        if (chance_below((chance), 2) == 0)     \
            buf_add_text((out), (text));        \
    } while (0)

static void
make_contained(struct chance *c, struct buf *out, bool nested)
{
    unsigned count = chance_below(c, 4);

    buf_add_text(out, "{\"resourceType\":\"Patient\",\"id\":\"p\"");
    MAYBE(c, out, ",\"generalPractitioner\":[{\"reference\":\"#c0\"}]");
    MAYBE(c, out, ",\"managingOrganization\":{\"reference\":\"Organization/c1\"}");
    MAYBE(c, out, ",\"link\":[{\"other\":{\"reference\":\"#c2\"},\"type\":\"seealso\"}]");
    for (unsigned i = 0; i < count; i++) {
        buf_add_format(out, "%s{\"resourceType\":\"Organization\",\"name\":\"o\",\"id\":\"c%u\"", i == 0 ? ",\"contained\":[" : ",", i);
        MAYBE(c, out, ",\"partOf\":{\"reference\":\"#\"}");
        if (nested && chance_below(c, 8) == 0)
            buf_add_text(out, ",\"contained\":[{\"resourceType\":\"Device\",\"id\":\"d\"}]");
        if (chance_below(c, 4) == 0)
            buf_add_text(out, chance_below(c, 2) ? ",\"meta\":{\"versionId\":\"1\"}" : ",\"meta\":{\"security\":[{\"code\":\"x\",\"system\":\"http://t.example/s\"}]}");
        buf_add_text(out, "}");
    }
    buf_add_text(out, count > 0 ? "]}" : "}");
}

static void
make_resource(struct chance *c, struct buf *out)
{
    make_contained(c, out, false);
}

static void
make_nested(struct chance *c, struct buf *out)
{
    make_contained(c, out, true);
}

static void
make_bundle(struct chance *c, struct buf *out)
{
    static const char *const types[] = { "document", "message", "transaction", "transaction-response", "batch", "batch-response",
                                         "history", "searchset", "collection" };
    static const char *const resources[] = {
        ",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\"}",
        ",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\",\"meta\":{\"versionId\":\"2\"}}",
        ",\"resource\":{\"resourceType\":\"Composition\",\"status\":\"final\",\"type\":{\"text\":\"t\"},\"date\":\"2020\",\"author\":[{\"display\":\"a\"}],\"title\":\"t\"}",
        ",\"resource\":{\"resourceType\":\"MessageHeader\",\"eventUri\":\"http://t.example/e\",\"source\":{\"endpoint\":\"http://t.example/s\"}}",
        "",
    };
    /* Of no entries, and of a first one without a resource, the expressions of
     * bdl-11 and bdl-12 say nothing; the walk says what their sentences say. */
    unsigned count = 1 + chance_below(c, 3);

    buf_add_format(out, "{\"resourceType\":\"Bundle\",\"type\":\"%s\"", types[chance_below(c, 9)]);
    MAYBE(c, out, ",\"total\":1");
    MAYBE(c, out, ",\"timestamp\":\"2020-01-01T00:00:00Z\"");
    MAYBE(c, out, ",\"identifier\":{\"system\":\"http://t.example/s\",\"value\":\"v\"}");
    for (unsigned i = 0; i < count; i++) {
        buf_add_format(out, "%s{\"fullUrl\":\"http://t.example/fhir/Patient/%u%s\"", i == 0 ? ",\"entry\":[" : ",", chance_below(c, 3),
                       chance_below(c, 6) == 0 ? "/_history/1" : "");
        buf_add_text(out, resources[chance_below(c, i == 0 ? 4 : 5)]);
        MAYBE(c, out, ",\"request\":{\"method\":\"PUT\",\"url\":\"Patient/p\"}");
        MAYBE(c, out, ",\"response\":{\"status\":\"200\"}");
        if (chance_below(c, 4) == 0)
            buf_add_text(out, ",\"search\":{\"mode\":\"match\"}");
        buf_add_text(out, "}");
    }
    buf_add_text(out, count > 0 ? "]}" : "}");
}

static void
make_observation(struct chance *c, struct buf *out)
{
    static const char *const moments[] = { "2020", "2020-02", "2020-02-03", "2020-02-03T10:00:00Z", "2020-02-03T10:00:00+01:00", "2020-02-03T11:30:00+02:00",
                                           "2020-02-03T10:00:00.500+01:00", "2019-12-31T23:59:59-05:00", "2021-01-01T00:00:00+01:00" };
    static const char *const codes[]   = { "a", "b" };

    buf_add_format(out, "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":\"http://t.example/s\",\"code\":\"%s\"}]}",
                   codes[chance_below(c, 2)]);
    MAYBE(c, out, ",\"dataAbsentReason\":{\"text\":\"t\"}");
    if (chance_below(c, 2) == 0) {
        buf_add_text(out, ",\"valueQuantity\":{\"value\":1");
        MAYBE(c, out, ",\"code\":\"kg\"");
        MAYBE(c, out, ",\"system\":\"http://unitsofmeasure.org\"");
        buf_add_text(out, "}");
    } else {
        MAYBE(c, out, ",\"_valueString\":{\"extension\":[{\"url\":\"http://t.example/e\",\"valueCode\":\"c\"}]}");
    }
    if (chance_below(c, 2) == 0)
        buf_add_format(out, ",\"component\":[{\"code\":{\"coding\":[{\"system\":\"http://t.example/s\",\"code\":\"%s\"}]},\"valueString\":\"s\"}]",
                       codes[chance_below(c, 2)]);
    buf_add_format(out, ",\"effectivePeriod\":{\"start\":\"%s\"", moments[chance_below(c, 9)]);
    if (chance_below(c, 4) > 0)
        buf_add_format(out, ",\"end\":\"%s\"", moments[chance_below(c, 9)]);
    buf_add_text(out, "}}");
}

static void
make_photo(struct chance *c, struct buf *out)
{
    buf_add_text(out, "{\"resourceType\":\"Patient\",\"photo\":[{\"title\":\"t\"");
    MAYBE(c, out, ",\"data\":\"AAAA\"");
    MAYBE(c, out, ",\"contentType\":\"image/png\"");
    buf_add_text(out, "}]}");
}

/* ---- tests --------------------------------------------------------------------------------- */

static void
agree(void (*make)(struct chance *, struct buf *), const struct native *natives, size_t count, unsigned documents)
{
    struct chance chance     = chance_from(20);
    size_t        broken[16] = { 0 };
    struct buf    json;

    buf_init(&json, 1 << 20);
    for (unsigned i = 0; i < documents; i++) {
        buf_clear(&json);
        make(&chance, &json);
        compare(buf_span(&json), natives, count, broken);
    }
    for (size_t i = 0; i < count; i++)                   /* else nothing was shown */
        if (broken[i] == 0 || broken[i] == documents)
            fail_msg("%s is broken in %zu of %u documents", natives[i].key, broken[i], documents);
    buf_release(&json);
}

static void
test_resources_by_walk_and_by_expression(void **state)
{
    (void)state;
    if (pack == NULL)
        skip();
    agree(make_resource, of_resources, sizeof of_resources / sizeof *of_resources, 500);
    agree(make_nested, of_nested, 1, 200);
}

static void
test_bundles_by_walk_and_by_expression(void **state)
{
    (void)state;
    if (pack == NULL)
        skip();
    agree(make_bundle, of_bundles, sizeof of_bundles / sizeof of_bundles[0], 1500);
}

static void
test_a_glance_and_the_expression_agree(void **state)
{
    (void)state;
    if (pack == NULL)
        skip();
    agree(make_observation, of_observations, sizeof of_observations / sizeof *of_observations, 1500);
    agree(make_photo, of_photos, 1, 50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resources_by_walk_and_by_expression),
        cmocka_unit_test(test_bundles_by_walk_and_by_expression),
        cmocka_unit_test(test_a_glance_and_the_expression_agree),
    };

    return cmocka_run_group_tests(tests, open_pack, close_pack);
}
