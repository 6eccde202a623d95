/* tests/fuzz/fuzz_package.c -- any bytes as a package.
 *
 * What begins with { or [ are definitions, apart by NUL, on top of a small
 * base; anything else is a tar, or a .tgz when it begins as one.  Checked:
 * reading ends within its bounds and says what is wrong; what was read has files
 * in the order of their names; what compiles is a pack that opens, with all of the
 * base in it, and a document can be validated with it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fhir/validate.h"
#include "gateway/ops/package_content.h"
#include "gateway/ops/site_pack.h"
#include "gateway/ops/tgz_write.h"

#define DEF(name, kind, elements) \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://hl7.org/fhir/StructureDefinition/" name "\",\"type\":\"" name "\"," \
    "\"kind\":\"" kind "\",\"derivation\":\"specialization\",\"snapshot\":{\"element\":[" elements "]}}"
#define EL(path, min, max, type) \
    ",{\"id\":\"" path "\",\"path\":\"" path "\",\"min\":" min ",\"max\":\"" max "\",\"type\":[{\"code\":\"" type "\"}]}"

static const char *const files[] = {
    DEF("string", "primitive-type", "{\"path\":\"string\"}"),
    DEF("code", "primitive-type", "{\"path\":\"code\"}"),
    DEF("Element", "complex-type", "{\"path\":\"Element\"}" EL("Element.id", "0", "1", "string")),
    DEF("Zoo", "resource", "{\"path\":\"Zoo\"}" EL("Zoo.name", "0", "1", "string") EL("Zoo.kind", "0", "*", "code")
        EL("Zoo.cage", "0", "*", "Element") EL("Zoo.cage.label", "0", "1", "string")),
};

enum { FILES = sizeof files / sizeof *files };

static struct arena      *keep, *arena;
static const struct pack *base;

static void
make_base(void)
{
    struct package_file    all[FILES];
    struct package_sources sources = { all, FILES, SPAN("zoo#1"), SPAN("0123456789abcdef0123456789abcdef"), NULL };
    struct buf             out;

    keep = arena_new("base", (size_t)16 << 20);
    assert(keep != NULL);
    for (size_t i = 0; i < FILES; i++)
        all[i] = (struct package_file){ SPAN("base"), span_of(files[i]) };
    buf_init(&out, 1 << 20);
    enum status st = package_compile(&sources, keep, issues_new(keep, 10), &out);
    assert(st == ST_OK);
    st = pack_open(arena_copy(keep, buf_span(&out)), keep, &base);
    assert(st == ST_OK);
    buf_release(&out);
}

static void
validate_with(const struct pack *pack)
{
    static const char    zoo[] = "{\"resourceType\":\"Zoo\",\"name\":\"x\",\"kind\":[\"a\",\"b\"],\"cage\":[{\"label\":\"c\"}]}";
    struct issues       *issues = issues_new(arena, 10);
    const struct tape   *tape;
    const struct bundle *bundle;

    if (issues == NULL || tape_read(span_of(zoo), &tape_default_limits, arena, &tape, NULL) != ST_OK
        || bundle_read(tape, arena, issues, &bundle) != ST_OK)
        return;
    /* Every profile of the pack is asked. */
    enum status st = validate(pack, bundle, NULL, arena, issues);
    assert(st == ST_OK || st == ST_NO_MEMORY);
}

static void
check_content(const struct package_content *content)
{
    struct buf         out, why;
    const struct pack *pack;

    for (size_t i = 1; i < content->file_count; i++)
        assert(span_compare(content->files[i - 1].name, content->files[i].name) < 0);
    buf_init(&out, (size_t)64 << 20);
    buf_init(&why, 1 << 16);
    enum status st = site_pack_compile(content, 1, base, SPAN("0123456789abcdef0123456789abcdef"), &out, &why);
    if (st == ST_OK) {
        struct span bytes = arena_copy(arena, buf_span(&out));
        st = bytes.at != NULL ? pack_open(bytes, arena, &pack) : ST_NO_MEMORY;
        assert(st == ST_OK || arena_spent(arena));
        if (st == ST_OK) {
            assert(pack_resource_named(pack, SPAN("Zoo")) && pack_count(pack) >= pack_count(base));
            validate_with(pack);
        }
    } else {
        assert(why.length > 0);
    }
    buf_release(&out);
    buf_release(&why);
}

static void
check_definitions(struct span bytes)
{
    struct package_file    all[16];
    char                   name[] = "0.json";
    struct package_content content = { .files = all };

    while (bytes.at != NULL && content.file_count < 16) {
        all[content.file_count] = (struct package_file){ arena_copy(arena, span_of(name)), span_split(&bytes, '\0') };
        content.file_count++;
        name[0]++;
    }
    check_content(&content);
}

static void
check_archive(struct span bytes)
{
    struct package_content content;
    struct buf             tar, tgz, why;

    buf_init(&tar, (size_t)4 << 20);
    buf_init(&tgz, (size_t)4 << 20);
    buf_init(&why, 1 << 16);
    buf_add(&tar, bytes);
    bool        as_it_is = bytes.length > 1 && (unsigned char)bytes.at[0] == 0x1f && (unsigned char)bytes.at[1] == 0x8b;
    enum status st       = as_it_is ? ST_OK : tgz_finish(&tar, &tgz);
    if (st == ST_OK)
        st = package_content_of("fuzzed", as_it_is ? bytes : buf_span(&tgz), arena, &content, &why);
    if (st == ST_OK)
        check_content(&content);
    else
        assert(why.length > 0 || arena_spent(arena));
    buf_release(&tar);
    buf_release(&tgz);
    buf_release(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (base == NULL)
        make_base();
    arena = arena_new("fuzz", (size_t)64 << 20);
    assert(arena != NULL);
    if (size > 0 && (data[0] == '{' || data[0] == '['))
        check_definitions(span_from(data, size));
    else
        check_archive(span_from(data, size));
    arena_free(&arena);
    return 0;
}
