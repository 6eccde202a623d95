/* tests/fuzz/fuzz_snapshot.c -- any differential over a small base.
 *
 * The bytes are the list of elements of a differential.  Checked: the generator
 * ends within its bounds; either it says what is wrong or there is a
 * snapshot in which every element has an id, a path below one before it, a
 * base and its place; what rests on it without a word of its own has the very same
 * elements. */
#include <assert.h>
#include <stdlib.h>

#include "fhir/snapshot.h"

#define DEF(name, kind, elements) \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://hl7.org/fhir/StructureDefinition/" name "\",\"type\":\"" name "\"," \
    "\"kind\":\"" kind "\",\"derivation\":\"specialization\",\"snapshot\":{\"element\":[" elements "]}}"
#define EL(path, min, max, type) \
    ",{\"id\":\"" path "\",\"path\":\"" path "\",\"min\":" min ",\"max\":\"" max "\",\"type\":[" type "]}"
#define T(code) "{\"code\":\"" code "\"}"
#define PROFILE(name, base) \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://t/" name "\",\"type\":\"Zoo\",\"kind\":\"resource\"," \
    "\"derivation\":\"constraint\",\"baseDefinition\":\"" base "\",\"differential\":{\"element\":"

static const char *const base[] = {
    DEF("Element", "complex-type", "{\"path\":\"Element\",\"min\":0,\"max\":\"*\"}" EL("Element.id", "0", "1", T("string"))
        EL("Element.extension", "0", "*", T("Extension"))),
    DEF("Extension", "complex-type", "{\"path\":\"Extension\",\"min\":0,\"max\":\"*\"}" EL("Extension.extension", "0", "*", T("Extension"))
        EL("Extension.url", "1", "1", T("string")) EL("Extension.value[x]", "0", "1", T("string") "," T("Quantity"))),
    DEF("string", "primitive-type", "{\"path\":\"string\",\"min\":0,\"max\":\"*\"}"),
    DEF("Quantity", "complex-type", "{\"path\":\"Quantity\",\"min\":0,\"max\":\"*\"}" EL("Quantity.value", "0", "1", T("string"))
        EL("Quantity.unit", "0", "1", T("string"))),
    DEF("Zoo", "resource", "{\"path\":\"Zoo\",\"min\":0,\"max\":\"*\"}" EL("Zoo.extension", "0", "*", T("Extension"))
        EL("Zoo.cage", "1", "*", T("BackboneElement")) EL("Zoo.cage.label", "0", "1", T("string"))
        ",{\"id\":\"Zoo.cage.inner\",\"path\":\"Zoo.cage.inner\",\"min\":0,\"max\":\"*\",\"contentReference\":\"#Zoo.cage\"}"
        EL("Zoo.cage.size", "0", "1", T("Quantity")) EL("Zoo.mood[x]", "0", "1", T("string") "," T("Quantity"))),
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://t/size\",\"type\":\"Quantity\",\"kind\":\"complex-type\","
    "\"derivation\":\"constraint\",\"baseDefinition\":\"http://hl7.org/fhir/StructureDefinition/Quantity\","
    "\"differential\":{\"element\":[{\"path\":\"Quantity.unit\",\"min\":1}]}}",
};

enum { BASES = sizeof base / sizeof *base };

static struct arena *arena;

/* Of its parent some element was before it. */
static bool
parent_before(const struct tape *t, tape_node list, tape_node element, struct span path)
{
    struct span parent = span_first(path, span_find_last_byte(path, '.'));

    for (tape_node n = tape_first(t, list); n != element; n = tape_next(t, n))
        if (span_eq(tape_member_text(t, n, SPAN("path"), arena), parent))
            return true;
    return false;
}

static void
check_elements(const struct tape *t, tape_node list)
{
    uint32_t count = 0;

    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        struct span path = tape_member_text(t, n, SPAN("path"), arena);
        assert(!span_empty(path) && !span_empty(tape_member_text(t, n, SPAN("id"), arena)));
        assert(tape_member(t, n, SPAN("base")) != TAPE_ABSENT);
        if (count++ > 0 && count < 200)              /* the search is quadratic */
            assert(parent_before(t, list, n, path) || arena_spent(arena));
    }
    assert(count >= 1 && count <= SNAPSHOT_ELEMENTS);
}

static void
check_differential(struct span elements)
{
    struct package_file files[BASES + 2];
    struct issues      *issues = issues_new(arena, 10);
    struct compiler     c;
    const struct tape  *one, *two;
    tape_node           first, second;

    for (size_t i = 0; i < BASES; i++)
        files[i] = (struct package_file){ SPAN("base"), span_of(base[i]) };
    files[BASES]     = (struct package_file){ SPAN("fuzzed"), arena_join(arena,
        SPAN(PROFILE("p", "http://hl7.org/fhir/StructureDefinition/Zoo")), elements, SPAN("}}")) };
    files[BASES + 1] = (struct package_file){ SPAN("on top"), SPAN(PROFILE("q", "http://t/p") "[]}}") };
    struct package_sources sources = { files, BASES + 2, SPAN("t"), SPAN("0123456789abcdef0123456789abcdef"), NULL };
    if (issues == NULL || !compile_begin(&c, &sources, arena, issues) || !compile_collect(&c, &sources)
        || c.definition_count != BASES + 2)
        return;
    if (!compile_snapshot(&c, &c.definitions[BASES], &one, &first)) {
        assert(issues_count(issues) > 0 || arena_spent(arena));
        return;
    }
    check_elements(one, first);
    bool good = compile_snapshot(&c, &c.definitions[BASES + 1], &two, &second);
    assert(good || arena_spent(arena));
    if (good && tape_member(c.definitions[BASES].tape, c.definitions[BASES].node, SPAN("snapshot")) == TAPE_ABSENT)
        assert(span_eq(tape_extent(one, first), tape_extent(two, second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena = arena_new("fuzz", (size_t)256 << 20);
    assert(arena != NULL);
    check_differential(span_from(data, size));
    arena_free(&arena);
    return 0;
}
