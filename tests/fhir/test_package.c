#include "tests/fhir/fhir_check.h"

#include "fhir/package.h"
#include "fhir/pack.h"
#include "fhir/pack_format.h"
#include "fhir/validate.h"

/* ---- compiling --------------------------------------------------------------------------- */

#define BASE "\"base\":{\"max\":\"1\"}"
#define SDEF(kind, type, elements) \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://t/" type "\",\"type\":\"" type "\",\"kind\":\"" kind "\"," \
    "\"abstract\":false,\"derivation\":\"specialization\",\"snapshot\":{\"element\":[" elements "]}}"
#define EL(path, min, max, type) \
    ",{\"id\":\"" path "\",\"path\":\"" path "\",\"min\":" min ",\"max\":\"" max "\",\"type\":[" type "]}"
#define T(code) "{\"code\":\"" code "\"}"
#define ID_TYPE "{\"code\":\"http://hl7.org/fhirpath/System.String\",\"extension\":[{\"url\":" \
    "\"http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type\",\"valueUrl\":\"uri\"}]}"

#define ELEMENT SDEF("complex-type", "Element", "{\"path\":\"Element\"}" EL("Element.id", "0", "1", ID_TYPE) \
    EL("Element.extension", "0", "*", T("Extension")))
#define EXTENSION SDEF("complex-type", "Extension", "{\"path\":\"Extension\"}" EL("Extension.extension", "0", "*", T("Extension")) \
    EL("Extension.url", "1", "1", ID_TYPE) EL("Extension.value[x]", "0", "1", T("string") "," T("boolean")))
#define STRING  SDEF("primitive-type", "string", "{\"path\":\"string\"}")
#define BOOLEAN SDEF("primitive-type", "boolean", "{\"path\":\"boolean\"}")
#define ZOO SDEF("resource", "Zoo", "{\"path\":\"Zoo\"}" \
    ",{\"id\":\"Zoo.id\",\"path\":\"Zoo.id\",\"min\":0,\"max\":\"1\",\"base\":{\"path\":\"Resource.id\",\"max\":\"1\"},\"type\":[" ID_TYPE "]}" \
    EL("Zoo.cage", "1", "*", T("BackboneElement")) EL("Zoo.cage.label", "1", "1", T("string")) \
    EL("Zoo.cage.open", "0", "1", T("boolean")) \
    ",{\"id\":\"Zoo.cage.inner\",\"path\":\"Zoo.cage.inner\",\"min\":0,\"max\":\"2\",\"contentReference\":\"#Zoo.cage\"}" \
    EL("Zoo.mood[x]", "0", "1", T("string") "," T("boolean")) EL("Zoo.keeper", "0", "*", T("string")))

static enum status
compile(struct arena *arena, struct issues *issues, struct buf *out, size_t count, const char *const *files)
{
    static const char sha[32] = "0123456789abcdef0123456789abcde";
    struct package_file *all = arena_make_n(arena, count, struct package_file);

    for (size_t i = 0; i < count; i++)
        all[i] = (struct package_file){ SPAN("file.json"), span_of(files[i]) };
    struct package_sources sources = { all, count, SPAN("zoo#1"), span_from(sha, 32), NULL };
    return package_compile(&sources, arena, issues, out);
}

static const struct pack *
zoo_pack(struct arena *arena, struct span *bytes)
{
    static const char *const files[] = {
        "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":" ELEMENT "},{\"resource\":{\"resourceType\":\"ValueSet\"}},"
        "{\"resource\":" EXTENSION "},{\"resource\":" STRING "},{\"resource\":" BOOLEAN "}]}",
        ZOO, "{\"resourceType\":\"ImplementationGuide\"}",
        "{\"resourceType\":\"StructureDefinition\",\"type\":\"Zoo\",\"kind\":\"resource\",\"derivation\":\"constraint\"}",
    };
    struct issues     *issues = issues_new(arena, 10);
    struct buf         out;
    const struct pack *pack = NULL;

    buf_init(&out, 1 << 20);
    assert_int_equal(compile(arena, issues, &out, 4, files), ST_OK);
    assert_int_equal(issues_count(issues), 0);
    char *copy = arena_alloc(arena, out.length);
    memcpy(copy, out.at, out.length);
    *bytes = span_from(copy, out.length);
    buf_release(&out);
    assert_int_equal(pack_open(*bytes, arena, &pack), ST_OK);
    return pack;
}

static void
test_compiles_definitions(void **state)
{
    struct arena      *arena = test_arena();
    struct span        bytes;
    const struct pack *pack = zoo_pack(arena, &bytes);

    (void)state;
    assert_int_equal(pack_count(pack), 5);
    assert_text(pack_about(pack), "zoo#1");
    assert_span(pack_sources(pack), span_from("0123456789abcdef0123456789abcde", 32));
    assert_true(pack_resource_named(pack, SPAN("Zoo")));
    assert_false(pack_resource_named(pack, SPAN("zoo")));
    assert_false(pack_resource_named(pack, SPAN("Extension")));
    assert_false(pack_resource_named(pack, SPAN("")));
    assert_text(pack_name(pack, 4), "Zoo");
    assert_text(pack_url(pack, 4), "http://t/Zoo");
    assert_int_equal(pack_kind(pack, 4), PACK_KIND_RESOURCE);
    assert_int_equal(pack_kind(pack, 0), PACK_KIND_COMPLEX);
    assert_int_equal(pack_kind(pack, 2), PACK_KIND_PRIMITIVE);
    assert_int_equal(pack_kind(pack, 99), PACK_KIND_NONE);
    assert_false(pack_abstract(pack, 4));
    assert_int_equal(pack_name(pack, 99).length, 0);
    assert_int_equal(pack_url(pack, 99).length, 0);
    arena_free(&arena);
}

static const struct { const char *json; const char *rule; } zoo[] = {
    { "{\"resourceType\":\"Zoo\",\"id\":\"z\",\"cage\":[{\"label\":\"a\",\"inner\":[{\"label\":\"b\"}]}],\"moodBoolean\":true,"
      "\"_moodBoolean\":{\"id\":\"x\"},\"keeper\":[\"k\",null],\"_keeper\":[null,{\"extension\":[{\"url\":\"http://hl7.org/fhir/5.0/StructureDefinition/extension-u\",\"valueString\":\"v\"}]}]}", NULL },
    { "{\"resourceType\":\"Zoo\"}", "cardinality" },
    { "{\"resourceType\":\"Zoo\",\"cage\":[{\"open\":true}]}", "cardinality" },
    { "{\"resourceType\":\"Zoo\",\"cage\":[{\"label\":\"a\",\"inner\":[{\"label\":\"b\"},{\"label\":\"b\"},{\"label\":\"b\"}]}]}", "cardinality" },
    { "{\"resourceType\":\"Zoo\",\"_id\":{\"id\":\"x\"},\"cage\":[{\"label\":\"a\"}]}", "unknown-element" },
    { "{\"resourceType\":\"Cat\"}", "resource-type" },
};

static void
test_the_validator_runs_a_compiled_pack(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof zoo / sizeof zoo[0]; i++) {
        struct arena        *arena = test_arena();
        struct span          bytes;
        const struct pack   *pack   = zoo_pack(arena, &bytes);
        struct issues       *issues = issues_new(arena, 10);
        const struct bundle *bundle;
        assert_int_equal(bundle_read(test_tape(arena, span_of(zoo[i].json)), arena, issues, &bundle), ST_OK);
        assert_int_equal(validate(pack, bundle, NULL, arena, issues), ST_OK);
        for (uint32_t k = 0; k < issues_count(issues); k++)
            if (zoo[i].rule == NULL || strcmp(issues_at(issues, k)->rule, zoo[i].rule) != 0)
                fail_msg("%s: %s %.*s", zoo[i].json, issues_at(issues, k)->rule, SPAN_PRINT(issues_at(issues, k)->expression));
        assert_int_equal(issues_count(issues), zoo[i].rule != NULL);
        if (zoo[i].rule != NULL)
            assert_string_equal(issues_at(issues, 0)->rule, zoo[i].rule);
        arena_free(&arena);
    }
}

static void
test_refuses_broken_definitions(void **state)
{
    static const char *const bad[] = {
        "{\"a\":}",
        ELEMENT "x",
        SDEF("complex-type", "Broken", ""),
        SDEF("complex-type", "Broken", "{\"id\":\"Broken\"}"),
        SDEF("complex-type", "Broken", "{\"path\":\"Broken\"}" EL("Other.a", "0", "1", T("string"))),
        SDEF("complex-type", "Broken", "{\"path\":\"Broken\"}" EL("Broken.a", "\"0\"", "1", T("string"))),
        SDEF("complex-type", "Broken", "{\"path\":\"Broken\"}" EL("Broken.a", "0", "x", T("string"))),
        SDEF("complex-type", "Broken", "{\"path\":\"Broken\"}" EL("Broken.a", "0", "1", "")),
        SDEF("complex-type", "Broken", "{\"path\":\"Broken\"}" EL("Broken.a", "0", "1", "{}")),
        SDEF("complex-type", "Broken", "{\"path\":\"Broken\"}" EL("Broken.a", "0", "1", T("string") "," T("boolean"))),
        SDEF("complex-type", "Broken", "{\"path\":\"Broken\"}" EL("Broken.a", "0", "1", T("Missing"))),
        SDEF("complex-type", "Broken", "{\"path\":\"Broken\"}" EL("Broken.a", "0", "1", T("string")) EL("Broken.a", "0", "1", T("string"))),
        SDEF("complex-type", "Broken", "{\"path\":\"Broken\"},{\"path\":\"Broken.a\",\"min\":0,\"max\":\"1\",\"contentReference\":\"#Broken.b\"}"),
        SDEF("primitive-type", "colour", ""),
        SDEF("resource", "", "{\"path\":\"\"}"),
        STRING,                                              /* twice */
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char    *files[] = { ELEMENT, EXTENSION, STRING, BOOLEAN, bad[i] };
        struct arena  *arena   = test_arena();
        struct issues *issues  = issues_new(arena, 10);
        struct buf     out;
        buf_init(&out, 1 << 20);
        if (compile(arena, issues, &out, 5, files) != ST_MALFORMED)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(out.length, 0);
        assert_int_equal(issues_count(issues), 1);
        buf_release(&out);
        arena_free(&arena);
    }
}

static void
test_refuses_more_definitions_of_one_url_than_a_search_can_bear(void **state)
{
    const char *files[100];

    (void)state;
    for (size_t count = 64; count <= 65; count++) {
        struct arena  *arena  = test_arena();
        struct issues *issues = issues_new(arena, 10);
        struct buf     out;
        files[0] = ELEMENT, files[1] = EXTENSION, files[2] = STRING, files[3] = BOOLEAN;
        for (size_t i = 0; i < count; i++)
            files[4 + i] = arena_format(arena, "{\"resourceType\":\"ValueSet\",\"url\":\"http://t/v\",\"version\":\"%zu\"}", i).at;
        buf_init(&out, 1 << 20);
        assert_int_equal(compile(arena, issues, &out, 4 + count, files), count == 64 ? ST_OK : ST_MALFORMED);
        buf_release(&out);
        arena_free(&arena);
    }
}

static void
test_wants_element_and_a_digest(void **state)
{
    static const char *const files[] = { STRING };
    struct arena            *arena   = test_arena();
    struct issues           *issues  = issues_new(arena, 10);
    struct package_sources   sources = { NULL, 0, SPAN("a"), SPAN("short"), NULL };
    struct buf               out;

    (void)state;
    buf_init(&out, 1 << 20);
    assert_int_equal(compile(arena, issues, &out, 1, files), ST_MALFORMED);
    assert_int_equal(package_compile(&sources, arena, issues, &out), ST_MALFORMED);
    buf_release(&out);
    arena_free(&arena);
}

static void
test_says_when_memory_is_spent(void **state)
{
    static const char *const files[] = { ELEMENT, EXTENSION, STRING, BOOLEAN, ZOO };
    bool                     done    = false;

    (void)state;
    for (size_t budget = 4096; !done; budget += 3000) {
        struct arena  *arena  = arena_new("small", budget), *other = test_arena();
        struct issues *issues = issues_new(other, 10);
        struct buf     out;
        buf_init(&out, 1 << 20);
        struct package_file all[5];
        for (size_t i = 0; i < 5; i++)
            all[i] = (struct package_file){ SPAN("f"), span_of(files[i]) };
        struct package_sources sources = { all, 5, SPAN("zoo#1"), span_from("0123456789abcdef0123456789abcde", 32), NULL };
        enum status st = package_compile(&sources, arena, issues, &out);
        done = st == ST_OK;
        assert_true(done || st == ST_NO_MEMORY);
        buf_release(&out);
        arena_free(&arena);
        arena_free(&other);
    }
}

/* What was in the base is where it was, and what comes behind uses it. */
static void
test_compiles_on_top_of_another_pack(void **state)
{
    static const char        sha[32] = "0123456789abcdef0123456789abcde";
    struct arena            *arena   = test_arena();
    struct issues           *issues  = issues_new(arena, 10);
    struct span              bytes;
    const struct pack       *first    = zoo_pack(arena, &bytes), *both;
    struct package_file      file   = { SPAN("pond.json"), SPAN(SDEF("resource", "Pond", "{\"path\":\"Pond\"}"
                                        EL("Pond.depth", "0", "1", T("string")))) };
    struct package_sources   sources = { &file, 1, SPAN("pond#2"), span_from(sha, 32), first };
    struct buf               out;

    (void)state;
    buf_init(&out, 1 << 20);
    assert_int_equal(package_compile(&sources, arena, issues, &out), ST_OK);
    char *copy = arena_alloc(arena, out.length);
    memcpy(copy, out.at, out.length);
    assert_int_equal(pack_open(span_from(copy, out.length), arena, &both), ST_OK);
    assert_text(pack_about(both), "zoo#1, pond#2");
    assert_int_equal(pack_count(both), pack_count(first) + 1);
    for (uint32_t i = 0; i < pack_count(first); i++)
        assert_true(span_eq(pack_name(both, i), pack_name(first, i)));
    assert_true(pack_resource_named(both, SPAN("Zoo")) && pack_resource_named(both, SPAN("Pond")));
    assert_false(pack_resource_named(first, SPAN("Pond")));
    assert_memory_equal(both->shapes, first->shapes, first->counts[PACK_SHAPES] * sizeof *first->shapes);
    buf_release(&out);
    arena_free(&arena);
}

/* ---- opening ------------------------------------------------------------------------------ */

static void
test_refuses_a_pack_with_any_byte_changed(void **state)
{
    struct arena      *arena = test_arena();
    struct span        bytes;
    const struct pack *pack = zoo_pack(arena, &bytes);
    char              *copy = arena_alloc(arena, bytes.length + 8);

    (void)state;
    memcpy(copy, bytes.at, bytes.length);
    for (size_t i = 0; i < bytes.length; i++) {
        copy[i] ^= 0x20;
        assert_int_equal(pack_open(span_from(copy, bytes.length), arena, &pack), ST_INTEGRITY);
        assert_null(pack);
        copy[i] ^= 0x20;
    }
    assert_int_equal(pack_open(span_from(copy, bytes.length), arena, &pack), ST_OK);
    for (size_t length = 0; length < bytes.length; length += 8)
        assert_int_equal(pack_open(span_from(copy, length), arena, &pack), ST_INTEGRITY);
    memmove(copy + 4, copy, bytes.length);                   /* not on a multiple of 8 */
    assert_int_equal(pack_open(span_from(copy + 4, bytes.length), arena, &pack), ST_INTEGRITY);
    arena_free(&arena);
}

/* The checksum put right again, so that the tables themselves are judged: what
 * is opened must be safe to run, whatever it says. */
static void
test_a_forged_table_is_refused_or_harmless(void **state)
{
    static const uint32_t forged[] = { 0, 1, 3, 0x7f, 0xffff, 0x10000, 0x7fffffff, 0xfffffff0, 0xffffffff };
    struct arena         *arena = test_arena();
    struct span           bytes;
    (void)zoo_pack(arena, &bytes);
    char                 *copy    = arena_alloc(arena, bytes.length);
    size_t                checked = offsetof(struct pack_header, checksum) + 8;
    uint32_t              opened  = 0, refused = 0;

    (void)state;
    memcpy(copy, bytes.at, bytes.length);
    for (size_t i = checked; i + 4 <= bytes.length; i += 4) {
        uint32_t saved;
        memcpy(&saved, copy + i, 4);
        for (size_t k = 0; k < sizeof forged / sizeof forged[0]; k++) {
            struct arena      *mine = arena_new("forged", 1 << 20);
            const struct pack *pack;
            memcpy(copy + i, &forged[k], 4);
            uint64_t sum = pack_checksum(span_from(copy + checked, bytes.length - checked));
            memcpy(copy + checked - 8, &sum, 8);
            if (pack_open(span_from(copy, bytes.length), mine, &pack) == ST_OK) {
                const struct bundle *bundle;
                struct issues       *issues = issues_new(mine, 10);
                assert_int_equal(bundle_read(test_tape(mine, span_of(zoo[0].json)), mine, issues, &bundle), ST_OK);
                assert_int_equal(validate(pack, bundle, NULL, mine, issues), ST_OK);
                opened++;
            } else {
                refused++;
            }
            arena_free(&mine);
        }
        memcpy(copy + i, &saved, 4);
    }
    assert_true(opened > 0 && refused > 0);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_forged_table_is_refused_or_harmless),
        cmocka_unit_test(test_compiles_definitions),
        cmocka_unit_test(test_the_validator_runs_a_compiled_pack),
        cmocka_unit_test(test_refuses_broken_definitions),
        cmocka_unit_test(test_refuses_more_definitions_of_one_url_than_a_search_can_bear),
        cmocka_unit_test(test_wants_element_and_a_digest),
        cmocka_unit_test(test_compiles_on_top_of_another_pack),
        cmocka_unit_test(test_says_when_memory_is_spent),
        cmocka_unit_test(test_refuses_a_pack_with_any_byte_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
