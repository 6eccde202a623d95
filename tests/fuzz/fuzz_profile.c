/* tests/fuzz/fuzz_profile.c -- any JSON against profiles that ask all there is.
 *
 * A small world of types and profiles of it: slices by value, pattern, type,
 * existence and profile, closed, ordered and sliced again, fixed values,
 * patterns, bounds, types, targets and invariants.  Checked: validation ends
 * within its budgets, answers twice the same, and a document that is refused has
 * a finding that says so. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fhir/package.h"
#include "fhir/validate.h"

#define DEF(name, kind, elements)                                                                                   \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://hl7.org/fhir/StructureDefinition/" name "\",\"name\":\"" name "\","  \
    "\"type\":\"" name "\",\"kind\":\"" kind "\",\"derivation\":\"specialization\",\"snapshot\":{\"element\":[" elements "]}}"
#define PROFILE(id, elements)                                                                                       \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://t.example/" id "\",\"name\":\"" id "\",\"type\":\"Zoo\",\"kind\":\"resource\"," \
    "\"derivation\":\"constraint\",\"baseDefinition\":\"http://hl7.org/fhir/StructureDefinition/Zoo\",\"differential\":{\"element\":[" elements "]}}"
#define EL(path, min, max, types) \
    ",{\"id\":\"" path "\",\"path\":\"" path "\",\"min\":" min ",\"max\":\"" max "\",\"base\":{\"path\":\"" path "\",\"max\":\"" max "\"},\"type\":[" types "]}"
#define T(code) "{\"code\":\"" code "\"}"
#define D(id, path, rest) "{\"id\":\"" id "\",\"path\":\"" path "\"," rest "}"
#define BY(kind, where) "{\"type\":\"" kind "\",\"path\":\"" where "\"}"

static const char *const files[] = {
    DEF("string", "primitive-type", "{\"path\":\"string\"}"), DEF("code", "primitive-type", "{\"path\":\"code\"}"),
    DEF("boolean", "primitive-type", "{\"path\":\"boolean\"}"), DEF("decimal", "primitive-type", "{\"path\":\"decimal\"}"),
    DEF("Element", "complex-type", "{\"path\":\"Element\"}" EL("Element.id", "0", "1", T("string")) EL("Element.extension", "0", "*", T("Extension"))),
    DEF("Extension", "complex-type", "{\"path\":\"Extension\"}" EL("Extension.extension", "0", "*", T("Extension"))
        EL("Extension.url", "1", "1", T("string")) EL("Extension.value[x]", "0", "1", T("string") "," T("code"))),
    DEF("Reference", "complex-type", "{\"path\":\"Reference\"}" EL("Reference.reference", "0", "1", T("string"))),
    DEF("Coding", "complex-type", "{\"path\":\"Coding\"}" EL("Coding.system", "0", "1", T("string")) EL("Coding.code", "0", "1", T("code"))),
    DEF("Zoo", "resource", "{\"path\":\"Zoo\"}" EL("Zoo.id", "0", "1", T("string")) EL("Zoo.extension", "0", "*", T("Extension"))
        EL("Zoo.contained", "0", "*", T("Zoo")) EL("Zoo.name", "0", "*", T("string")) EL("Zoo.mood[x]", "0", "1", T("string") "," T("boolean") "," T("decimal"))
        EL("Zoo.near", "0", "*", T("Reference")) EL("Zoo.kind", "0", "*", T("Coding"))
        EL("Zoo.cage", "0", "*", T("Element")) EL("Zoo.cage.label", "0", "1", T("string")) EL("Zoo.cage.kind", "0", "1", T("Coding"))),
    PROFILE("slices",
            D("Zoo.kind", "Zoo.kind", "\"slicing\":{\"discriminator\":[" BY("value", "system") "," BY("exists", "code") "],\"rules\":\"closed\",\"ordered\":true}") ","
            D("Zoo.kind:a", "Zoo.kind", "\"sliceName\":\"a\",\"min\":1,\"max\":\"1\"") "," D("Zoo.kind:a.system", "Zoo.kind.system", "\"min\":1,\"fixedString\":\"a\"") ","
            D("Zoo.kind:a.code", "Zoo.kind.code", "\"min\":1") "," D("Zoo.kind:b", "Zoo.kind", "\"sliceName\":\"b\"") ","
            D("Zoo.kind:b.system", "Zoo.kind.system", "\"fixedString\":\"b\"") "," D("Zoo.kind:b.code", "Zoo.kind.code", "\"max\":\"0\"") ","
            D("Zoo.cage", "Zoo.cage", "\"slicing\":{\"discriminator\":[" BY("pattern", "kind") "],\"rules\":\"openAtEnd\"}") ","
            D("Zoo.cage:big", "Zoo.cage", "\"sliceName\":\"big\",\"max\":\"2\"") ","
            D("Zoo.cage:big.kind", "Zoo.cage.kind", "\"min\":1,\"patternCoding\":{\"code\":\"big\"}") ","
            D("Zoo.mood[x]", "Zoo.mood[x]", "\"slicing\":{\"discriminator\":[" BY("type", "$this") "],\"rules\":\"open\"}") ","
            D("Zoo.mood[x]:moodDecimal", "Zoo.mood[x]", "\"sliceName\":\"moodDecimal\",\"minValueDecimal\":1.5,\"maxValueDecimal\":99,\"type\":[" T("decimal") "]")),
    PROFILE("others",
            D("Zoo", "Zoo", "\"constraint\":[{\"key\":\"z-1\",\"severity\":\"error\",\"human\":\"h\",\"expression\":\"name.exists() implies cage.all(label.exists() or kind.code != name.first())\"}]") ","
            D("Zoo.name", "Zoo.name", "\"max\":\"3\",\"maxLength\":5") ","
            D("Zoo.near", "Zoo.near", "\"slicing\":{\"discriminator\":[" BY("profile", "resolve()") "],\"rules\":\"open\"}") ","
            D("Zoo.near:sliced", "Zoo.near", "\"sliceName\":\"sliced\",\"max\":\"1\",\"type\":[{\"code\":\"Reference\",\"targetProfile\":[\"http://t.example/slices\"]}]") ","
            D("Zoo.near:other", "Zoo.near", "\"sliceName\":\"other\",\"type\":[{\"code\":\"Reference\",\"targetProfile\":[\"http://t.example/others\"]}]") ","
            D("Zoo.contained", "Zoo.contained", "\"max\":\"2\",\"type\":[{\"code\":\"Zoo\",\"profile\":[\"http://t.example/slices\",\"http://t.example/others\"]}]") ","
            D("Zoo.mood[x]", "Zoo.mood[x]", "\"type\":[" T("string") "," T("decimal") "]")),
};

enum { FILES = sizeof files / sizeof *files };

static struct arena      *keep;
static const struct pack *pack;

static void
make_pack(void)
{
    struct package_file    all[FILES];
    struct package_sources sources = { all, FILES, SPAN("zoo#1"), SPAN("0123456789abcdef0123456789abcdef"), NULL };
    struct buf             out;

    keep = arena_new("pack", (size_t)64 << 20);
    assert(keep != NULL);
    for (size_t i = 0; i < FILES; i++)
        all[i] = (struct package_file){ SPAN("file"), span_of(files[i]) };
    buf_init(&out, 1 << 22);
    enum status st = package_compile(&sources, keep, issues_new(keep, 10), &out);
    assert(st == ST_OK);
    st = pack_open(arena_copy(keep, buf_span(&out)), keep, &pack);
    assert(st == ST_OK);
    buf_release(&out);
}

struct answer { enum status status; uint32_t findings; bool refused; };

static struct answer
validate_once(struct span json)
{
    static const struct span profiles[] = { { "http://t.example/slices", 23 }, { "http://t.example/others", 23 } };
    struct validate_options  options    = { .profiles = profiles, .profile_count = 2 };
    struct arena            *arena      = arena_new("fuzz", (size_t)64 << 20);
    struct issues           *issues     = issues_new(arena, 100);
    const struct tape       *tape;
    const struct bundle     *bundle;
    struct answer            answer     = { .status = ST_MALFORMED };

    assert(issues != NULL);
    if (tape_read(json, &tape_default_limits, arena, &tape, NULL) == ST_OK && bundle_read(tape, arena, issues, &bundle) == ST_OK)
        answer = (struct answer){ validate(pack, bundle, &options, arena, issues), issues_count(issues), issues_have_errors(issues) };
    assert(!answer.refused || answer.findings > 0);
    arena_free(&arena);
    return answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (pack == NULL)
        make_pack();
    struct answer one = validate_once(span_from(data, size)), two = validate_once(span_from(data, size));
    assert(one.status == two.status && one.findings == two.findings && one.refused == two.refused);
    return 0;
}
