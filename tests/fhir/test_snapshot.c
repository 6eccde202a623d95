/* tests/fhir/test_snapshot.c -- snapshots from differentials: each rule on a base
 * of our own, and the official snapshots of IPS where that package is installed.
 */
#include "tests/fhir/fhir_check.h"

#include <dirent.h>

#include "base/buf.h"
#include "base/json_splice.h"
#include "fhir/snapshot.h"

static const char sha[32] = "0123456789abcdef0123456789abcde";

/* ---- a small base -------------------------------------------------------------------------- */

#define DEF(name, kind, more, elements) \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://hl7.org/fhir/StructureDefinition/" name "\",\"type\":\"" name "\"," \
    "\"kind\":\"" kind "\",\"derivation\":\"specialization\"," more "\"snapshot\":{\"element\":[" elements "]}}"
#define EL(path, min, max, type) \
    ",{\"id\":\"" path "\",\"path\":\"" path "\",\"min\":" min ",\"max\":\"" max "\",\"type\":[" type "]}"
#define T(code) "{\"code\":\"" code "\"}"

static const char *const base[] = {
    DEF("Element", "complex-type", "", "{\"path\":\"Element\",\"min\":0,\"max\":\"*\"}" EL("Element.id", "0", "1", T("string"))
        EL("Element.extension", "0", "*", T("Extension"))),
    DEF("Extension", "complex-type", "", "{\"path\":\"Extension\",\"min\":0,\"max\":\"*\"}" EL("Extension.extension", "0", "*", T("Extension"))
        EL("Extension.url", "1", "1", T("string")) EL("Extension.value[x]", "0", "1", T("string") "," T("Quantity"))),
    DEF("string", "primitive-type", "", "{\"path\":\"string\",\"min\":0,\"max\":\"*\"}"),
    DEF("Quantity", "complex-type", "", "{\"path\":\"Quantity\",\"min\":0,\"max\":\"*\"}" EL("Quantity.value", "0", "1", T("string"))
        EL("Quantity.unit", "0", "1", T("string"))),
    DEF("Zoo", "resource", "", "{\"path\":\"Zoo\",\"min\":0,\"max\":\"*\"}" EL("Zoo.extension", "0", "*", T("Extension"))
        EL("Zoo.cage", "1", "*", T("BackboneElement")) EL("Zoo.cage.label", "0", "1", T("string"))
        ",{\"path\":\"Zoo.cage.inner\",\"min\":0,\"max\":\"*\",\"contentReference\":\"#Zoo.cage\"}"
        ",{\"path\":\"Zoo.cage.size\",\"min\":0,\"max\":\"1\",\"type\":[" T("Quantity") "],\"definition\":\"for people\",\"constraint\":"
        "[{\"key\":\"z-1\",\"severity\":\"error\",\"human\":\"h\",\"expression\":\"true\",\"xpath\":\"x\"}]}"
        EL("Zoo.mood[x]", "0", "1", T("string") "," T("Quantity"))),
};

#define BASE_COUNT (sizeof base / sizeof *base)

static void
begin(struct compiler *c, struct arena *arena, struct issues *issues, const char *const *more, size_t count)
{
    struct package_file *files = arena_make_n(arena, BASE_COUNT + count, struct package_file);

    for (size_t i = 0; i < BASE_COUNT + count; i++)
        files[i] = (struct package_file){ SPAN("f.json"), span_of(i < BASE_COUNT ? base[i] : more[i - BASE_COUNT]) };
    struct package_sources *sources = arena_make(arena, struct package_sources);
    *sources = (struct package_sources){ files, BASE_COUNT + count, SPAN("t#1"), span_from(sha, 32), NULL };
    assert_true(compile_begin(c, sources, arena, issues));
    assert_true(compile_collect(c, sources));
}

#define PROFILE_OF(name, base, elements) \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://t/" name "\",\"type\":\"Zoo\",\"kind\":\"resource\"," \
    "\"derivation\":\"constraint\",\"baseDefinition\":\"" base "\",\"differential\":{\"element\":[" elements "]}}"
#define ZOO "http://hl7.org/fhir/StructureDefinition/Zoo"
#define PROFILE(name, elements) PROFILE_OF(name, ZOO, elements)

/* "id min..max types" of every element, a line each. */
static struct span
listing(const struct tape *t, tape_node elements, struct arena *arena)
{
    struct span all = SPAN("");

    for (tape_node n = tape_first(t, elements); n != TAPE_ABSENT; n = tape_next(t, n)) {
        tape_node   types = tape_member(t, n, SPAN("type"));
        struct span codes = SPAN("");
        for (tape_node k = tape_first(t, types); k != TAPE_ABSENT; k = tape_next(t, k))
            codes = arena_join(arena, codes, SPAN(" "), tape_member_text(t, k, SPAN("code"), arena));
        all = arena_join(arena, all, tape_member_text(t, n, SPAN("id"), arena), SPAN(" "),
                         tape_raw(t, tape_member(t, n, SPAN("min"))), SPAN(".."),
                         tape_member_text(t, n, SPAN("max"), arena), codes, SPAN("\n"));
    }
    return all;
}

/* The element of this id; the snapshot of the last of the definitions. */
struct made { struct arena *arena; struct issues *issues; struct compiler c; const struct tape *t; tape_node elements; bool good; };

static struct made *
make(size_t count, const char *const *definitions)
{
    struct arena *arena = test_arena();
    struct made  *m     = arena_make(arena, struct made);

    m->arena  = arena;
    m->issues = issues_new(arena, 20);
    begin(&m->c, arena, m->issues, definitions, count);
    m->good = compile_snapshot(&m->c, &m->c.definitions[m->c.definition_count - 1], &m->t, &m->elements);
    return m;
}

static tape_node
element(const struct made *m, const char *id)
{
    for (tape_node n = tape_first(m->t, m->elements); n != TAPE_ABSENT; n = tape_next(m->t, n))
        if (tape_text_eq(m->t, tape_member(m->t, n, SPAN("id")), span_of(id)))
            return n;
    fail_msg("there is no %s in\n%.*s", id, SPAN_PRINT(listing(m->t, m->elements, m->arena)));
    return TAPE_ABSENT;
}

static void
assert_member(const struct made *m, const char *id, const char *member, const char *json)
{
    struct span found = tape_extent(m->t, tape_member(m->t, element(m, id), span_of(member)));

    if (!span_eq(found, span_of(json)))
        fail_msg("%s.%s is %.*s", id, member, SPAN_PRINT(found));
}

static void
assert_listing(const struct made *m, const char *wanted)
{
    if (!m->good)
        fail_msg("%.*s: %.*s", SPAN_PRINT(issues_at(m->issues, 0)->wanted), SPAN_PRINT(issues_at(m->issues, 0)->found));
    struct span all = listing(m->t, m->elements, m->arena);
    if (!span_eq(all, span_of(wanted)))
        fail_msg("have\n%.*swant\n%s", SPAN_PRINT(all), wanted);
}

static void
unmake(struct made *m)
{
    struct arena *arena = m->arena;
    arena_free(&arena);
}

/* ---- rules ----------------------------------------------------------------------------------- */

#define BEFORE_CAGE "Zoo 0..* \nZoo.extension 0..* Extension\n"

static void
test_a_differential_constrains_elements_where_they_are(void **state)
{
    static const char *const one[] = { PROFILE("p", "{\"path\":\"Zoo\"},{\"path\":\"Zoo.cage\",\"max\":\"3\"},"
        "{\"path\":\"Zoo.cage.label\",\"min\":1,\"fixedString\":\"a\"},{\"path\":\"Zoo.mood[x]\",\"type\":[" T("string") "]}") };
    struct made *m = make(1, one);

    (void)state;
    assert_listing(m, "Zoo 0..*\nZoo.extension 0..* Extension\nZoo.cage 1..3 BackboneElement\nZoo.cage.label 1..1 string\n"
                      "Zoo.cage.inner 0..*\nZoo.cage.size 0..1 Quantity\nZoo.mood[x] 0..1 string\n");
    assert_member(m, "Zoo.cage.label", "fixedString", "\"a\"");
    assert_member(m, "Zoo.cage.label", "base", "{\"path\":\"Zoo.cage.label\",\"min\":0,\"max\":\"1\"}");
    assert_member(m, "Zoo.cage.size", "constraint",
                  "[{\"key\":\"z-1\",\"severity\":\"error\",\"human\":\"h\",\"expression\":\"true\"}]");
    assert_int_equal(tape_member(m->t, element(m, "Zoo.cage.size"), SPAN("definition")), TAPE_ABSENT);
    unmake(m);
}

static void
test_walks_down_into_types_profiles_and_content_references(void **state)
{
    static const char *const two[] = {
        "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://t/size\",\"type\":\"Quantity\",\"kind\":\"complex-type\","
        "\"derivation\":\"constraint\",\"baseDefinition\":\"http://hl7.org/fhir/StructureDefinition/Quantity\","
        "\"differential\":{\"element\":[{\"path\":\"Quantity.unit\",\"min\":1}]}}",
        PROFILE("p", "{\"path\":\"Zoo.cage.inner.label\",\"max\":\"0\"},"
        "{\"path\":\"Zoo.cage.size\",\"type\":[{\"code\":\"Quantity\",\"profile\":[\"http://t/size\"]}]},{\"path\":\"Zoo.cage.size.value\",\"min\":1}") };
    struct made *m = make(2, two);

    (void)state;
    assert_listing(m, "Zoo 0..*\nZoo.extension 0..* Extension\nZoo.cage 1..* BackboneElement\nZoo.cage.label 0..1 string\n"
                      "Zoo.cage.inner 0..* BackboneElement\nZoo.cage.inner.label 0..0 string\nZoo.cage.inner.inner 0..*\n"
                      "Zoo.cage.inner.size 0..1 Quantity\nZoo.cage.size 0..1 Quantity\nZoo.cage.size.value 1..1 string\n"
                      "Zoo.cage.size.unit 1..1 string\nZoo.mood[x] 0..1 string Quantity\n");
    assert_member(m, "Zoo.cage.size.unit", "base", "{\"path\":\"Quantity.unit\",\"min\":0,\"max\":\"1\"}");
    unmake(m);
}

static void
test_a_new_slice_is_mandatory_only_when_it_says_so(void **state)
{
    static const char *const one[] = { PROFILE("p",
        "{\"path\":\"Zoo.cage\",\"slicing\":{\"discriminator\":[{\"type\":\"value\",\"path\":\"label\"}],\"rules\":\"open\"},\"max\":\"9\"},"
        "{\"path\":\"Zoo.cage.size\",\"min\":1},"
        "{\"path\":\"Zoo.cage\",\"sliceName\":\"a\",\"max\":\"2\"},{\"path\":\"Zoo.cage.label\",\"fixedString\":\"a\"},"
        "{\"path\":\"Zoo.cage\",\"sliceName\":\"b\",\"min\":1},"
        "{\"path\":\"Zoo.cage\",\"sliceName\":\"a/c\",\"min\":1,\"max\":\"1\"}") };
    struct made *m = make(1, one);

    (void)state;
    assert_listing(m, "Zoo 0..*\nZoo.extension 0..* Extension\nZoo.cage 1..9 BackboneElement\nZoo.cage.label 0..1 string\n"
                      "Zoo.cage.inner 0..*\nZoo.cage.size 1..1 Quantity\n"
                      "Zoo.cage:a 0..2 BackboneElement\nZoo.cage:a.label 0..1 string\nZoo.cage:a.inner 0..*\nZoo.cage:a.size 1..1 Quantity\n"
                      "Zoo.cage:a/c 1..1 BackboneElement\nZoo.cage:a/c.label 0..1 string\nZoo.cage:a/c.inner 0..*\nZoo.cage:a/c.size 1..1 Quantity\n"
                      "Zoo.cage:b 1..* BackboneElement\nZoo.cage:b.label 0..1 string\nZoo.cage:b.inner 0..*\nZoo.cage:b.size 1..1 Quantity\n"
                      "Zoo.mood[x] 0..1 string Quantity\n");
    assert_int_equal(tape_member(m->t, element(m, "Zoo.cage:a"), SPAN("slicing")), TAPE_ABSENT);
    assert_int_equal(tape_member(m->t, element(m, "Zoo.cage:b.label"), SPAN("fixedString")), TAPE_ABSENT);
    unmake(m);
}

static void
test_slices_of_extensions_are_told_by_url_without_a_word(void **state)
{
    static const char *const one[] = { PROFILE("p",
        "{\"id\":\"Zoo.extension:x\",\"path\":\"Zoo.extension\",\"sliceName\":\"x\",\"min\":1,\"max\":\"1\"},"
        "{\"id\":\"Zoo.extension:x.value[x]\",\"path\":\"Zoo.extension.value[x]\",\"min\":1}") };
    struct made *m = make(1, one);

    (void)state;
    assert_true(m->good);
    assert_member(m, "Zoo.extension", "slicing",
                  "{\"discriminator\":[{\"type\":\"value\",\"path\":\"url\"}],\"ordered\":false,\"rules\":\"open\"}");
    assert_member(m, "Zoo.extension", "min", "1");       /* its one slice must be there */
    assert_member(m, "Zoo.extension:x.value[x]", "min", "1");
    unmake(m);
}

static void
test_a_short_name_is_a_slice_by_type_and_shuts_out_the_others(void **state)
{
    static const char *const one[] = { PROFILE("p", "{\"path\":\"Zoo.moodQuantity\",\"min\":1},{\"path\":\"Zoo.moodQuantity.unit\",\"max\":\"0\"}") };
    static const char *const two[] = { PROFILE("p",
        "{\"id\":\"Zoo.mood[x]:moodQuantity\",\"path\":\"Zoo.mood[x]\",\"sliceName\":\"moodQuantity\"},"
        "{\"id\":\"Zoo.mood[x]:moodQuantity.unit\",\"path\":\"Zoo.mood[x].unit\",\"max\":\"0\"}") };
    struct made *m = make(1, one);

    (void)state;
    assert_true(m->good);
    assert_member(m, "Zoo.mood[x]", "type", "[{\"code\":\"Quantity\"}]");
    assert_member(m, "Zoo.mood[x]", "slicing", "{\"discriminator\":[{\"type\":\"type\",\"path\":\"$this\"}],\"ordered\":false,\"rules\":\"closed\"}");
    assert_member(m, "Zoo.mood[x]:moodQuantity", "type", "[{\"code\":\"Quantity\"}]");
    assert_member(m, "Zoo.mood[x]:moodQuantity.unit", "max", "\"0\"");
    assert_member(m, "Zoo.mood[x]:moodQuantity.unit", "path", "\"Zoo.mood[x].unit\"");
    unmake(m);
    m = make(1, two);
    assert_true(m->good);
    assert_member(m, "Zoo.mood[x]", "type", "[{\"code\":\"string\"},{\"code\":\"Quantity\"}]");
    assert_member(m, "Zoo.mood[x]", "slicing", "{\"discriminator\":[{\"type\":\"type\",\"path\":\"$this\"}],\"ordered\":false,\"rules\":\"open\"}");
    assert_member(m, "Zoo.mood[x]:moodQuantity", "type", "[{\"code\":\"Quantity\"}]");
    assert_member(m, "Zoo.mood[x]:moodQuantity", "min", "0");
    assert_member(m, "Zoo.mood[x]:moodQuantity.unit", "max", "\"0\"");
    unmake(m);
}

static void
test_what_is_inherited_is_added_to(void **state)
{
    static const char *const two[] = {
        PROFILE("first", "{\"path\":\"Zoo.cage\",\"slicing\":{\"discriminator\":[{\"type\":\"value\",\"path\":\"label\"}],\"rules\":\"open\"}},"
                         "{\"path\":\"Zoo.cage\",\"sliceName\":\"a\",\"min\":1},"
                         "{\"path\":\"Zoo.cage.size\",\"constraint\":[{\"key\":\"f-1\",\"expression\":\"false\"},{\"key\":\"z-1\",\"expression\":\"other\"}]}"),
        PROFILE_OF("second", "http://t/first", "{\"path\":\"Zoo.cage\",\"slicing\":{\"ordered\":true,\"rules\":\"closed\"}},"
                         "{\"path\":\"Zoo.cage\",\"sliceName\":\"a\",\"max\":\"1\"},{\"path\":\"Zoo.cage\",\"sliceName\":\"b\"}"),
    };
    struct made *m = make(2, two);

    (void)state;
    assert_true(m->good);
    assert_member(m, "Zoo.cage", "slicing", "{\"discriminator\":[{\"type\":\"value\",\"path\":\"label\"}],\"ordered\":true,\"rules\":\"closed\"}");
    assert_member(m, "Zoo.cage:a", "min", "1");
    assert_member(m, "Zoo.cage:a", "max", "\"1\"");
    assert_member(m, "Zoo.cage:b", "min", "0");
    assert_member(m, "Zoo.cage:a.size", "constraint",
                  "[{\"key\":\"z-1\",\"severity\":\"error\",\"human\":\"h\",\"expression\":\"true\"},{\"key\":\"f-1\",\"expression\":\"false\"}]");
    unmake(m);
}

static void
test_a_specialization_adds_elements(void **state)
{
    static const char *const one[] = {
        "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://t/Pond\",\"type\":\"Pond\",\"kind\":\"resource\",\"derivation\":\"specialization\","
        "\"baseDefinition\":\"" ZOO "\",\"differential\":{\"element\":[{\"path\":\"Pond\"},{\"path\":\"Pond.fish\",\"min\":0,\"max\":\"*\","
        "\"type\":[" T("BackboneElement") "]},{\"path\":\"Pond.fish.name\",\"min\":1,\"max\":\"1\",\"type\":[" T("string") "]}]}}",
    };
    struct made *m = make(1, one);

    (void)state;
    if (!m->good)
        fail_msg("%.*s", SPAN_PRINT(issues_at(m->issues, 0)->wanted));
    assert_member(m, "Pond.cage.label", "path", "\"Pond.cage.label\"");
    assert_member(m, "Pond.fish.name", "base", "{\"path\":\"Pond.fish.name\",\"min\":1,\"max\":\"1\"}");
    unmake(m);
}

/* ---- what is refused ---------------------------------------------------------------------------- */

static const struct { const char *definitions[3]; const char *found; } refused[] = {
    { { PROFILE_OF("p", "http://t/none", "{\"path\":\"Zoo\"}") }, "http://t/none" },
    { { PROFILE_OF("p", "", "{\"path\":\"Zoo\"}") }, "have no baseDefinition" },
    { { PROFILE_OF("p", "http://t/p", "{\"path\":\"Zoo\"}") }, "http://t/p" },
    { { PROFILE_OF("q", "http://t/p", "{\"path\":\"Zoo\"}"), PROFILE_OF("p", "http://t/q", "{\"path\":\"Zoo\"}") }, "http://t/p" },
    { { PROFILE("p", "{\"path\":\"Zoo.pool\"}") }, "Zoo.pool" },
    { { PROFILE("p", "{\"path\":\"Zoo.cage.size.volume\"}") }, "Zoo.cage.size.volume" },
    { { PROFILE("p", "{\"path\":\"Pond\"}") }, "Pond" },
    { { PROFILE("p", "{\"id\":\"Zoo\"}") }, "" },
    { { PROFILE("p", "{\"path\":\"Zoo..label\"}") }, "Zoo..label" },
    { { "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://t/p\",\"baseDefinition\":\"" ZOO "\"}" }, "http://t/p" },
    { { PROFILE("p", "{\"path\":\"Zoo.cage.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner."
                     "inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner\"}") }, NULL },
};

static void
test_a_definition_that_cannot_be_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct made *m = make(refused[i].definitions[1] != NULL ? 2 : 1, refused[i].definitions);
        assert_false(m->good);
        assert_true(issues_count(m->issues) >= 1);
        if (refused[i].found != NULL && !span_eq(issues_at(m->issues, 0)->found, span_of(refused[i].found)))
            fail_msg("%zu: %.*s: %.*s", i, SPAN_PRINT(issues_at(m->issues, 0)->wanted), SPAN_PRINT(issues_at(m->issues, 0)->found));
        assert_false(compile_snapshot(&m->c, &m->c.definitions[BASE_COUNT], &m->t, &m->elements));
        unmake(m);
    }
}

/* Slices of slices of what has children: each copies all before it. */
static void
test_a_snapshot_does_not_grow_without_bound(void **state)
{
    struct arena *arena = test_arena();
    struct span   all   = SPAN("{\"path\":\"Zoo\"}"), name = SPAN("Zoo.cage");

    (void)state;
    for (int depth = 0; depth < 12; depth++) {
        name = arena_join(arena, name, SPAN(".inner"));
        for (int i = 0; i < 8; i++)
            all = arena_join(arena, all, SPAN(",{\"path\":\""), name, SPAN("\",\"sliceName\":\""),
                             arena_format(arena, "s%d", i), SPAN("\"}"));
        all = arena_join(arena, all, SPAN(",{\"path\":\""), name, SPAN(".label\",\"min\":1}"));
    }
    struct span body = arena_join(arena, SPAN("{\"resourceType\":\"StructureDefinition\",\"url\":\"http://t/p\",\"derivation\":\"constraint\","
        "\"baseDefinition\":\"" ZOO "\",\"differential\":{\"element\":["), all, SPAN("]}}"));
    const char *one[] = { arena_text(arena, body) };
    struct made *m = make(1, one);
    assert_true(m->good || issues_count(m->issues) == 1);
    assert_true(arena_used(m->arena) < (size_t)64 << 20);
    unmake(m);
    arena_free(&arena);
}

/* They are sought by name, each among those before it. */
static void
test_an_element_has_at_most_2000_slices(void **state)
{
    (void)state;
    for (unsigned count = SNAPSHOT_SLICES; count <= SNAPSHOT_SLICES + 1; count++) {
        struct arena *arena = test_arena();
        struct buf    all;
        buf_init(&all, 1 << 20);
        buf_add_text(&all, "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://t/p\",\"derivation\":\"constraint\","
                           "\"baseDefinition\":\"" ZOO "\",\"differential\":{\"element\":[{\"path\":\"Zoo\"}");
        for (unsigned i = 0; i < count; i++)
            buf_add_format(&all, ",{\"path\":\"Zoo.cage\",\"sliceName\":\"s%u\"}", i);
        buf_add_text(&all, "]}}");
        const char  *one[] = { arena_text(arena, buf_span(&all)) };
        struct made *m     = make(1, one);
        if (m->good != (count == SNAPSHOT_SLICES))
            fail_msg("%u slices: %.*s", count, SPAN_PRINT(issues_count(m->issues) > 0 ? issues_at(m->issues, 0)->wanted : SPAN("taken")));
        unmake(m);
        buf_release(&all);
        arena_free(&arena);
    }
}

/* ---- through a pack ------------------------------------------------------------------------------- */

static void
test_a_base_in_the_pack_underneath_serves_as_well(void **state)
{
    static const char *const one[] = { PROFILE_OF("second", "http://t/first|1", "{\"path\":\"Zoo.cage.label\",\"max\":\"0\"}") };
    static const char       *first = "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://t/first\",\"version\":\"1\",\"type\":\"Zoo\","
        "\"kind\":\"resource\",\"derivation\":\"constraint\",\"baseDefinition\":\"" ZOO "\",\"differential\":{\"element\":[{\"path\":\"Zoo.cage.size\",\"min\":1}]}}";
    struct arena        *arena  = test_arena();
    struct issues       *issues = issues_new(arena, 10);
    struct package_file  files[BASE_COUNT + 1], file = { SPAN("f"), span_of(one[0]) };
    struct package_sources sources = { files, BASE_COUNT + 1, SPAN("base#1"), span_from(sha, 32), NULL };
    struct buf           out;
    const struct pack   *pack;
    struct compiler      c;
    struct snapshot      found;

    (void)state;
    for (size_t i = 0; i < BASE_COUNT; i++)
        files[i] = (struct package_file){ SPAN("f"), span_of(base[i]) };
    files[BASE_COUNT] = (struct package_file){ SPAN("f"), span_of(first) };
    buf_init(&out, 1 << 20);
    if (package_compile(&sources, arena, issues, &out) != ST_OK)
        fail_msg("%.*s: %.*s", SPAN_PRINT(issues_at(issues, 0)->wanted), SPAN_PRINT(issues_at(issues, 0)->found));
    assert_int_equal(pack_open(arena_copy(arena, buf_span(&out)), arena, &pack), ST_OK);
    sources = (struct package_sources){ &file, 1, SPAN("top#1"), span_from(sha, 32), pack };
    assert_true(compile_begin(&c, &sources, arena, issues) && compile_collect(&c, &sources));
    assert_true(compile_snapshot_find(&c, SPAN("http://t/second"), &found));
    assert_non_null(found.definition);
    assert_true(compile_snapshot_find(&c, SPAN("http://t/first"), &found));
    assert_null(found.definition);
    assert_true(span_eq(found.version, SPAN("1")) && span_eq(found.derivation, SPAN("constraint")) && span_eq(found.base, SPAN(ZOO)));
    assert_true(compile_snapshot_find(&c, SPAN("http://t/first|2"), &found));
    assert_int_equal(found.elements, TAPE_ABSENT);
    assert_true(compile_snapshots(&c));
    assert_int_equal(compile_count(&c, PACK_SNAPSHOTS), BASE_COUNT + 2);
    buf_release(&out);
    arena_free(&arena);
}

/* ---- the official ones of IPS --------------------------------------------------------------------- */

#define IPS_DIR SLUICE_SOURCE_DIR "/definitions/node_modules/hl7.fhir.uv.ips"

static struct span
read_whole(struct arena *arena, const char *path)
{
    FILE *f = fopen(path, "rb");

    if (f == NULL)
        return (struct span){ NULL, 0 };
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(f);
    char  *at   = arena_alloc(arena, size + 1);
    rewind(f);
    assert_int_equal(fread(at, 1, size, f), size);
    fclose(f);
    return span_from(at, size);
}

/* The publisher of that package pins what comes from R4 to its version. */
static struct span
unpinned(const struct tape *t, tape_node node, struct arena *arena)
{
    struct span text = tape_text(t, node, arena);

    return span_split(&text, '|');
}

/* Every text of the one list is in the other, versions aside. */
static bool
same_texts(const struct tape *a, tape_node one, const struct tape *b, tape_node other, struct arena *arena)
{
    if (tape_children(a, one) != tape_children(b, other))
        return false;
    for (tape_node n = tape_first(a, one); n != TAPE_ABSENT; n = tape_next(a, n)) {
        tape_node k = tape_first(b, other);
        while (k != TAPE_ABSENT && !span_eq(unpinned(a, n, arena), unpinned(b, k, arena)))
            k = tape_next(b, k);
        if (k == TAPE_ABSENT)
            return false;
    }
    return true;
}

static bool
same_types(const struct tape *a, tape_node one, const struct tape *b, tape_node other, struct arena *arena)
{
    if (tape_children(a, one) != tape_children(b, other))
        return false;
    for (tape_node n = tape_first(a, one); n != TAPE_ABSENT; n = tape_next(a, n)) {
        tape_node k = tape_first(b, other);
        while (k != TAPE_ABSENT
               && !span_eq(tape_member_text(a, n, SPAN("code"), arena), tape_member_text(b, k, SPAN("code"), arena)))
            k = tape_next(b, k);
        if (k == TAPE_ABSENT
            || !same_texts(a, tape_member(a, n, SPAN("profile")), b, tape_member(b, k, SPAN("profile")), arena)
            || !same_texts(a, tape_member(a, n, SPAN("targetProfile")), b, tape_member(b, k, SPAN("targetProfile")), arena))
            return false;
    }
    return true;
}

/* Values that are equal as JSON, members in any order. */
static bool
same_value(const struct tape *a, tape_node one, const struct tape *b, tape_node other, struct arena *arena)
{
    if (tape_kind(a, one) != tape_kind(b, other) || tape_children(a, one) != tape_children(b, other))
        return false;
    if (tape_kind(a, one) == TAPE_STRING)
        return span_eq(tape_text(a, one, arena), tape_text(b, other, arena));
    if (tape_kind(a, one) != TAPE_OBJECT && tape_kind(a, one) != TAPE_ARRAY)
        return span_eq(tape_raw(a, one), tape_raw(b, other));
    tape_node k = tape_first(b, other);
    for (tape_node n = tape_first(a, one); n != TAPE_ABSENT; n = tape_next(a, n)) {
        tape_node twin = tape_kind(a, one) == TAPE_ARRAY ? k : tape_member(b, other, tape_text(a, tape_name(a, n), arena));
        if (twin == TAPE_ABSENT || !same_value(a, n, b, twin, arena))
            return false;
        k = tape_next(b, k);
    }
    return true;
}

static bool
same_slicing(const struct tape *a, tape_node one, const struct tape *b, tape_node other, struct arena *arena)
{
    tape_node ordered_a = tape_member(a, one, SPAN("ordered")), ordered_b = tape_member(b, other, SPAN("ordered"));

    return (one == TAPE_ABSENT) == (other == TAPE_ABSENT)
        && same_value(a, tape_member(a, one, SPAN("discriminator")), b, tape_member(b, other, SPAN("discriminator")), arena)
        && same_value(a, tape_member(a, one, SPAN("rules")), b, tape_member(b, other, SPAN("rules")), arena)
        && (tape_kind(a, ordered_a) == TAPE_TRUE) == (tape_kind(b, ordered_b) == TAPE_TRUE);
}

static bool
same_binding(const struct tape *a, tape_node one, const struct tape *b, tape_node other, struct arena *arena)
{
    return same_value(a, tape_member(a, one, SPAN("strength")), b, tape_member(b, other, SPAN("strength")), arena)
        && span_eq(unpinned(a, tape_member(a, one, SPAN("valueSet")), arena),
                   unpinned(b, tape_member(b, other, SPAN("valueSet")), arena));
}

/* What the element of the one fixes, the other fixes; how many it does. */
static bool
same_fixed(const struct tape *a, tape_node one, const struct tape *b, tape_node other, struct arena *arena, uint32_t *count)
{
    for (tape_node n = tape_first(a, one); n != TAPE_ABSENT; n = tape_next(a, n)) {
        struct span name = tape_text(a, tape_name(a, n), arena);
        if (!span_starts(name, SPAN("fixed")) && !span_starts(name, SPAN("pattern")))
            continue;
        ++*count;
        if (!same_value(a, n, b, tape_member(b, other, name), arena))
            return false;
    }
    return true;
}

static const char *
difference(const struct tape *a, tape_node one, const struct tape *b, tape_node other, struct arena *arena)
{
    static const char *const plain[] = { "id", "min", "max" };
    uint32_t                 fixed = 0, back = 0;

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (!same_value(a, tape_member(a, one, span_of(plain[i])), b, tape_member(b, other, span_of(plain[i])), arena))
            return plain[i];
    if (!same_types(a, tape_member(a, one, SPAN("type")), b, tape_member(b, other, SPAN("type")), arena))
        return "type";
    if (!same_slicing(a, tape_member(a, one, SPAN("slicing")), b, tape_member(b, other, SPAN("slicing")), arena))
        return "slicing";
    if (!same_binding(a, tape_member(a, one, SPAN("binding")), b, tape_member(b, other, SPAN("binding")), arena))
        return "binding";
    if (!same_fixed(a, one, b, other, arena, &fixed) || !same_fixed(b, other, a, one, arena, &back) || fixed != back)
        return "fixed or pattern";
    return NULL;
}

struct official { struct span name; const struct tape *tape; tape_node elements; };

/* What is not as in the official one, and the id of the element; NULL when all is. */
static const char *
first_difference(struct compiler *c, const struct official *o, uint32_t at, struct span *where)
{
    const struct tape *t;
    tape_node          list, k;

    *where = SPAN("it");
    if (at == c->definition_count || !compile_snapshot(c, &c->definitions[at], &t, &list))
        return "end: it is refused";
    k = tape_first(t, list);
    for (tape_node n = tape_first(o->tape, o->elements); n != TAPE_ABSENT; n = tape_next(o->tape, n)) {
        const char *what = k != TAPE_ABSENT ? difference(o->tape, n, t, k, c->arena) : "end: it is missing";
        *where = tape_member_text(o->tape, n, SPAN("id"), c->arena);
        if (what != NULL)
            return what;
        k = tape_next(t, k);
    }
    return k != TAPE_ABSENT ? "end: more follow" : NULL;
}

static void
test_equals_the_official_snapshots_of_ips(void **state)
{
    struct arena       *arena  = arena_new("ips", (size_t)1 << 30);
    struct issues      *issues = issues_new(arena, 10);
    DIR                *dir    = opendir(IPS_DIR);
    struct span         bytes  = read_whole(arena, SLUICE_BINARY_DIR "/definitions/r4.pack");
    struct package_file files[64];
    struct official     official[64];
    const struct pack  *pack;
    struct compiler     c;
    uint32_t            count = 0, elements = 0;

    (void)state;
    if (dir == NULL || span_empty(bytes)) {
        if (dir != NULL)
            closedir(dir);
        arena_free(&arena);
        skip();
    }
    assert_int_equal(pack_open(bytes, arena, &pack), ST_OK);
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (!span_starts(span_of(e->d_name), SPAN("StructureDefinition-")))
            continue;
        assert_true(count < 64);
        struct official *o = &official[count];
        o->name            = arena_copy(arena, span_of(e->d_name));
        o->tape            = test_tape(arena, read_whole(arena, arena_format(arena, IPS_DIR "/%s", e->d_name).at));
        tape_node snapshot = tape_member(o->tape, TAPE_ROOT, SPAN("snapshot"));
        o->elements        = tape_member(o->tape, snapshot, SPAN("element"));
        struct splices *cut = splices_new(o->tape, arena);
        splices_cut(cut, snapshot);
        assert_int_equal(splices_seal(cut), ST_OK);
        files[count++] = (struct package_file){ o->name, splices_flat(cut, arena) };
    }
    closedir(dir);
    assert_int_equal(count, 32);
    struct package_sources sources = { files, count, SPAN("ips"), span_from(sha, 32), pack };
    assert_true(compile_begin(&c, &sources, arena, issues) && compile_collect(&c, &sources));
    for (uint32_t i = 0; i < count; i++) {
        struct span where;
        const char *what = first_difference(&c, &official[i], i, &where);
        if (what != NULL)
            fail_msg("%.*s: %.*s has another %s", SPAN_PRINT(official[i].name), SPAN_PRINT(where), what);
        elements += tape_children(official[i].tape, official[i].elements);
    }
    assert_int_equal(elements, 2703);
    arena_free(&arena);
}

/* ---- those of the public validator cases ------------------------------------------------------- */

#define CASE_PACKS SLUICE_SHARED_DIR "/cases/validator/packs"

/* The file without its snapshot, when it has a differential as well. */
static bool
take_snapshot_out(struct arena *arena, struct span name, struct package_file *file, struct official *o)
{
    o->name            = name;
    o->tape            = test_tape(arena, file->bytes);
    tape_node snapshot = tape_member(o->tape, TAPE_ROOT, SPAN("snapshot"));
    o->elements        = tape_member(o->tape, snapshot, SPAN("element"));
    if (o->elements == TAPE_ABSENT || tape_member(o->tape, TAPE_ROOT, SPAN("differential")) == TAPE_ABSENT)
        return false;
    struct splices *cut = splices_new(o->tape, arena);
    splices_cut(cut, snapshot);
    assert_int_equal(splices_seal(cut), ST_OK);
    file->bytes = splices_flat(cut, arena);
    return true;
}

static bool
is_equal(struct compiler *c, const struct official *o)
{
    struct span where;
    uint32_t    at = 0;

    while (at < c->definition_count && !span_eq(c->definitions[at].file, o->name))
        at++;
    return first_difference(c, o, at, &where) == NULL;
}

static void
compare_folder(const char *path, const struct pack *pack, uint32_t *equal, uint32_t *different)
{
    struct arena       *arena  = arena_new("folder", (size_t)1 << 30);
    struct issues      *issues = issues_new(arena, 10);
    DIR                *dir    = opendir(path);
    struct package_file files[32];
    struct official     official[32];
    struct compiler     c;
    uint32_t            count = 0, officials = 0;

    assert_non_null(dir);
    for (const struct dirent *e = readdir(dir); e != NULL && count < 32; e = readdir(dir)) {
        if (!span_ends(span_of(e->d_name), SPAN(".json")))
            continue;
        struct package_file *file = &files[count++];
        file->name  = arena_copy(arena, span_of(e->d_name));
        file->bytes = read_whole(arena, arena_format(arena, "%s/%s", path, e->d_name).at);
        officials += take_snapshot_out(arena, file->name, file, &official[officials]);
    }
    closedir(dir);
    struct package_sources sources = { files, count, SPAN("cases"), span_from(sha, 32), pack };
    assert_true(compile_begin(&c, &sources, arena, issues) && compile_collect(&c, &sources));
    for (uint32_t i = 0; i < officials; i++)
        ++*(is_equal(&c, &official[i]) ? equal : different);
    arena_free(&arena);
}

/* Made by another tool, with two habits that the official snapshots of IPS do
 * not have: what is said of all items is not said of each slice, and a short name
 * inside of a slice is no slice. */
static void
test_agrees_with_the_snapshots_of_the_validator_cases(void **state)
{
    struct arena      *arena = arena_new("cases", (size_t)64 << 20);
    DIR               *dir   = opendir(CASE_PACKS);
    struct span        bytes = read_whole(arena, SLUICE_BINARY_DIR "/definitions/r4.pack");
    const struct pack *pack;
    uint32_t           equal = 0, different = 0;

    (void)state;
    if (dir == NULL || span_empty(bytes)) {
        if (dir != NULL)
            closedir(dir);
        arena_free(&arena);
        skip();
    }
    assert_int_equal(pack_open(bytes, arena, &pack), ST_OK);
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        if (e->d_name[0] != '.')
            compare_folder(arena_format(arena, CASE_PACKS "/%s", e->d_name).at, pack, &equal, &different);
    closedir(dir);
    print_message("%u snapshots equal, %u not\n", equal, different);
    assert_true(equal >= 60 && different <= 3);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_differential_constrains_elements_where_they_are),
        cmocka_unit_test(test_walks_down_into_types_profiles_and_content_references),
        cmocka_unit_test(test_a_new_slice_is_mandatory_only_when_it_says_so),
        cmocka_unit_test(test_slices_of_extensions_are_told_by_url_without_a_word),
        cmocka_unit_test(test_a_short_name_is_a_slice_by_type_and_shuts_out_the_others),
        cmocka_unit_test(test_what_is_inherited_is_added_to),
        cmocka_unit_test(test_a_specialization_adds_elements),
        cmocka_unit_test(test_a_definition_that_cannot_be_is_named),
        cmocka_unit_test(test_a_snapshot_does_not_grow_without_bound),
        cmocka_unit_test(test_an_element_has_at_most_2000_slices),
        cmocka_unit_test(test_a_base_in_the_pack_underneath_serves_as_well),
        cmocka_unit_test(test_equals_the_official_snapshots_of_ips),
        cmocka_unit_test(test_agrees_with_the_snapshots_of_the_validator_cases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
