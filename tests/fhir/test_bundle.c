#include "tests/fhir/fhir_check.h"

#include "fhir/bundle.h"

struct fixture { struct arena *arena; const struct tape *tape; struct issues *issues; const struct bundle *bundle; };

static struct fixture
read_bundle(const char *json)
{
    struct fixture f = { .arena = test_arena() };

    f.tape   = test_tape(f.arena, span_of(json));
    f.issues = issues_new(f.arena, 10);
    assert_int_equal(bundle_read(f.tape, f.arena, f.issues, &f.bundle), ST_OK);
    assert_int_equal(issues_count(f.issues), 0);
    return f;
}

static const char transaction[] =
    "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":["
    "{\"fullUrl\":\"urn:uuid:1\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\",\"contained\":["
    "{\"resourceType\":\"Organization\",\"id\":\"o\",\"name\":\"x\"}]},\"request\":{\"method\":\"POST\",\"url\":\"Patient\"}},"
    "{\"request\":{\"method\":\"DELETE\",\"url\":\"Condition/c1\"},\"search\":{\"mode\":\"match\"}},"
    "{\"resource\":{\"id\":\"q\",\"parameter\":[{\"name\":\"a\",\"resource\":{\"resourceType\":\"Binary\",\"id\":\"b\"}}],"
    "\"resourceType\":\"Parameters\"},\"response\":{\"status\":\"200\",\"outcome\":{\"resourceType\":\"OperationOutcome\"}}}]}";

static void
test_reads_entries(void **state)
{
    struct fixture             f = read_bundle(transaction);
    const struct bundle_entry *e = f.bundle->entries;

    (void)state;
    assert_int_equal(f.bundle->type, BUNDLE_TRANSACTION);
    assert_int_equal(f.bundle->count, 3);
    assert_text(e[0].full_url, "urn:uuid:1");
    assert_text(e[0].type, "Patient");
    assert_text(e[0].id, "p");
    assert_text(e[0].method, "POST");
    assert_text(e[0].url, "Patient");
    assert_int_equal(e[1].resource, TAPE_ABSENT);
    assert_int_equal(e[1].search, test_node(f.tape, "entry[1].search"));
    assert_int_equal(e[2].response, test_node(f.tape, "entry[2].response"));
    assert_text(e[2].type, "Parameters");
    arena_free(&f.arena);
}

static void
test_a_single_resource_is_one_entry(void **state)
{
    struct fixture f = read_bundle("{\"id\":\"p\",\"resourceType\":\"Patient\"}");

    (void)state;
    assert_int_equal(f.bundle->type, BUNDLE_SINGLE);
    assert_string_equal(bundle_type_text(f.bundle->type), "single");
    assert_int_equal(f.bundle->count, 1);
    assert_int_equal(f.bundle->entries[0].resource, TAPE_ROOT);
    assert_int_equal(f.bundle->entries[0].entry, TAPE_ABSENT);
    assert_text(f.bundle->entries[0].id, "p");
    assert_int_equal(bundle_entry_of(f.bundle, 3), 0);
    assert_int_equal(bundle_find(f.bundle, SPAN("Patient"), SPAN("p")), 0);
    arena_free(&f.arena);
}

static void
test_knows_every_type(void **state)
{
    static const char *const types[] = { "document", "message", "transaction", "transaction-response", "batch",
                                         "batch-response", "history", "searchset", "collection" };
    char json[128];

    (void)state;
    for (size_t i = 0; i < 9; i++) {
        snprintf(json, sizeof json, "{\"resourceType\":\"Bundle\",\"type\":\"%s\"}", types[i]);
        struct fixture f = read_bundle(json);
        assert_string_equal(bundle_type_text(f.bundle->type), types[i]);
        assert_int_equal(f.bundle->count, 0);
        arena_free(&f.arena);
    }
    struct fixture f = read_bundle("{\"resourceType\":\"Bundle\",\"type\":5}");
    assert_int_equal(f.bundle->type, BUNDLE_UNKNOWN);
    assert_string_equal(bundle_type_text(BUNDLE_UNKNOWN), "unknown");
    arena_free(&f.arena);
}

static void
test_an_entry_without_resource_is_named_by_its_urls(void **state)
{
    static const struct { const char *entry, *type, *id; } cases[] = {
        { "\"request\":{\"method\":\"DELETE\",\"url\":\"Condition/c1\"}", "Condition", "c1" },
        { "\"request\":{\"method\":\"DELETE\",\"url\":\"Condition?code=1\"}", "Condition", "" },
        { "\"request\":{\"method\":\"POST\",\"url\":\"Condition\"}", "Condition", "" },
        { "\"response\":{\"location\":\"http://a/fhir/Condition/c2/_history/3\"}", "Condition", "c2" },
        { "\"fullUrl\":\"http://a/fhir/Condition/c3\"", "Condition", "c3" },
        { "\"fullUrl\":\"urn:uuid:1\",\"request\":{\"url\":\"a/b/c\"}", "", "" },
        { "\"id\":\"x\"", "", "" },
    };
    char json[256];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(json, sizeof json, "{\"resourceType\":\"Bundle\",\"type\":\"history\",\"entry\":[{%s}]}", cases[i].entry);
        struct fixture f = read_bundle(json);
        assert_text(f.bundle->entries[0].type, cases[i].type);
        assert_text(f.bundle->entries[0].id, cases[i].id);
        arena_free(&f.arena);
    }
}

static void
test_finds_entries_by_url_and_by_type_and_id(void **state)
{
    struct fixture f = read_bundle(transaction);

    (void)state;
    assert_int_equal(bundle_find_full_url(f.bundle, SPAN("urn:uuid:1")), 0);
    assert_int_equal(bundle_find_full_url(f.bundle, SPAN("urn:uuid:2")), ENTRY_NONE);
    assert_int_equal(bundle_find(f.bundle, SPAN("Parameters"), SPAN("q")), 2);
    assert_int_equal(bundle_find(f.bundle, SPAN("Condition"), SPAN("c1")), 1);
    assert_int_equal(bundle_find(f.bundle, SPAN("Patient"), SPAN("")), ENTRY_NONE);
    assert_int_equal(bundle_find_name(f.bundle, SPAN("Patient/p")), 0);
    assert_text(bundle_entry_name(f.bundle, 0), "Patient/p");
    assert_int_equal(bundle_entry_name(f.bundle, 9).length, 0);
    assert_int_equal(bundle_next_same(f.bundle, 0), ENTRY_NONE);
    assert_int_equal(bundle_next_same(f.bundle, 99), ENTRY_NONE);
    assert_int_equal(bundle_next_full_url(f.bundle, 99), ENTRY_NONE);
    assert_int_equal(bundle_first_same(f.bundle, 1), 1);
    assert_int_equal(bundle_first_full_url(f.bundle, 0), 0);
    assert_int_equal(bundle_first_same(f.bundle, 99), ENTRY_NONE);
    assert_int_equal(bundle_first_full_url(f.bundle, 99), ENTRY_NONE);
    char long_id[300];
    memset(long_id, 'a', sizeof long_id);
    assert_int_equal(bundle_find(f.bundle, SPAN("Patient"), span_from(long_id, sizeof long_id)), ENTRY_NONE);
    arena_free(&f.arena);
}

static void
test_versions_of_one_resource_follow_each_other(void **state)
{
    struct arena *arena = test_arena();
    size_t        count = 20000, used = 0, size = count * 160 + 100;
    char         *json  = arena_alloc(arena, size);

    (void)state;
    used += (size_t)snprintf(json, size, "{\"resourceType\":\"Bundle\",\"type\":\"history\",\"entry\":[");
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(json + used, size - used,
                                 "%s{\"fullUrl\":\"http://a/Patient/1\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"}}",
                                 i > 0 ? "," : "");
    snprintf(json + used, size - used, "]}");
    struct fixture f = read_bundle(json);
    uint32_t url = bundle_find_full_url(f.bundle, SPAN("http://a/Patient/1"));
    uint32_t id  = bundle_find(f.bundle, SPAN("Patient"), SPAN("1"));
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(url, i);
        assert_int_equal(id, i);
        assert_int_equal(bundle_first_full_url(f.bundle, i), 0);
        assert_int_equal(bundle_first_same(f.bundle, i), 0);
        url = bundle_next_full_url(f.bundle, url);
        id  = bundle_next_same(f.bundle, id);
    }
    assert_int_equal(url, ENTRY_NONE);
    assert_int_equal(id, ENTRY_NONE);
    arena_free(&f.arena);
    arena_free(&arena);
}

static void
test_every_node_has_its_entry_and_resource(void **state)
{
    static const struct { const char *node; uint32_t entry; const char *resource; } cases[] = {
        { "type", ENTRY_NONE, "" }, { "entry", ENTRY_NONE, "" }, { "entry[0].fullUrl", 0, "" },
        { "entry[0].resource", 0, "entry[0].resource" }, { "entry[0].resource.id", 0, "entry[0].resource" },
        { "entry[0].resource.contained[0].name", 0, "entry[0].resource.contained[0]" },
        { "entry[0].request.url", 0, "" }, { "entry[1].request", 1, "" },
        { "entry[2].resource.parameter[0].name", 2, "entry[2].resource" },
        { "entry[2].resource.parameter[0].resource.id", 2, "entry[2].resource.parameter[0].resource" },
        { "entry[2].resource.resourceType", 2, "entry[2].resource" },
        { "entry[2].response.outcome.resourceType", 2, "entry[2].response.outcome" },
    };
    struct fixture f = read_bundle(transaction);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tape_node node = test_node(f.tape, cases[i].node);
        assert_int_equal(bundle_entry_of(f.bundle, node), cases[i].entry);
        assert_int_equal(bundle_resource_of(f.bundle, node), test_node(f.tape, cases[i].resource));
    }
    assert_int_equal(bundle_entry_of(f.bundle, TAPE_ABSENT), ENTRY_NONE);
    assert_int_equal(bundle_resource_of(f.bundle, TAPE_ABSENT), TAPE_ABSENT);
    arena_free(&f.arena);
}

static void
test_lists_resources_with_what_is_around_them(void **state)
{
    struct fixture f = read_bundle(transaction);

    (void)state;
    assert_int_equal(bundle_resources(f.bundle), 6);
    static const struct { uint32_t up, container; bool contained; } want[] = {
        { ENTRY_NONE, 0, false }, { 0, 1, false }, { 1, 1, true }, { 0, 3, false }, { 3, 4, false }, { 0, 5, false },
    };
    for (uint32_t i = 0; i < 6; i++) {
        const struct bundle_resource *one = bundle_resource_at(f.bundle, i);
        assert_int_equal(one->up, want[i].up);
        assert_int_equal(one->container, want[i].container);
        assert_int_equal(one->contained, want[i].contained);
    }
    assert_null(bundle_resource_at(f.bundle, 6));
    arena_free(&f.arena);
}

static void
test_an_object_elsewhere_is_no_resource(void **state)
{
    struct fixture f = read_bundle(
        "{\"resourceType\":\"Patient\",\"extension\":[{\"resourceType\":\"Fake\",\"url\":\"x\"}],\"name\":[{\"resourceType\":\"Fake\"}],"
        "\"link\":{\"resource\":{\"a\":1}}}");

    (void)state;
    assert_int_equal(bundle_resources(f.bundle), 1);
    assert_int_equal(bundle_resource_of(f.bundle, test_node(f.tape, "extension[0].url")), TAPE_ROOT);
    arena_free(&f.arena);
}

static void
test_refuses_what_cannot_be_walked(void **state)
{
    static const struct { const char *json, *expression, *found; } cases[] = {
        { "[]", "$this", "have array" },
        { "{}", "$this", "have an object without resourceType" },
        { "{\"resourceType\":5}", "$this.resourceType", "have number" },
        { "{\"resourceType\":\"Bundle\",\"entry\":{}}", "Bundle.entry", "have object" },
        { "{\"resourceType\":\"Bundle\",\"entry\":[1]}", "Bundle.entry[0]", "have number" },
        { "{\"resourceType\":\"Bundle\",\"entry\":[null]}", "Bundle.entry[0]", "have null" },
        { "{\"resourceType\":\"Bundle\",\"entry\":[{},{\"resource\":{}}]}", "Bundle.entry[1].resource",
          "have an object without resourceType" },
        { "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":[]}]}", "Bundle.entry[0].resource", "have array" },
        { "{\"resourceType\":\"Bundle\",\"entry\":[{\"request\":\"x\"}]}", "Bundle.entry[0].request", "have string" },
        { "{\"resourceType\":\"Bundle\",\"entry\":[{\"response\":[]}]}", "Bundle.entry[0].response", "have array" },
        { "{\"resourceType\":\"Bundle\",\"entry\":[{\"search\":1}]}", "Bundle.entry[0].search", "have number" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena        *arena  = test_arena();
        struct issues       *issues = issues_new(arena, 10);
        const struct bundle *bundle;
        assert_int_equal(bundle_read(test_tape(arena, span_of(cases[i].json)), arena, issues, &bundle), ST_MALFORMED);
        assert_null(bundle);
        assert_int_equal(issues_count(issues), 1);
        assert_text(issues_at(issues, 0)->expression, cases[i].expression);
        assert_text(issues_at(issues, 0)->found, cases[i].found);
        assert_int_equal(issues_at(issues, 0)->line, 1);
        arena_free(&arena);
    }
}

static void
test_says_when_memory_is_spent(void **state)
{
    struct arena      *whole = test_arena();
    const struct tape *tape  = test_tape(whole, span_of(transaction));
    bool               done  = false;

    (void)state;
    for (size_t budget = 64; !done; budget += 96) {
        struct arena        *arena  = arena_new("small", budget);
        struct issues       *issues = issues_new(whole, 10);
        const struct bundle *bundle;
        enum status          st = bundle_read(tape, arena, issues, &bundle);
        done = st == ST_OK;
        assert_true(done ? bundle != NULL : st == ST_NO_MEMORY && bundle == NULL);
        arena_free(&arena);
    }
    arena_free(&whole);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_entries),
        cmocka_unit_test(test_a_single_resource_is_one_entry),
        cmocka_unit_test(test_knows_every_type),
        cmocka_unit_test(test_an_entry_without_resource_is_named_by_its_urls),
        cmocka_unit_test(test_finds_entries_by_url_and_by_type_and_id),
        cmocka_unit_test(test_versions_of_one_resource_follow_each_other),
        cmocka_unit_test(test_every_node_has_its_entry_and_resource),
        cmocka_unit_test(test_lists_resources_with_what_is_around_them),
        cmocka_unit_test(test_an_object_elsewhere_is_no_resource),
        cmocka_unit_test(test_refuses_what_cannot_be_walked),
        cmocka_unit_test(test_says_when_memory_is_spent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
