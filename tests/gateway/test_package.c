/* tests/gateway/test_package.c -- packages are kept as they came, pinned, and checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fhir/package.h"
#include "gateway/ops/file.h"
#include "gateway/ops/package.h"
#include "gateway/ops/package_depends.h"
#include "gateway/ops/site_pack.h"
#include "gateway/ops/tgz.h"
#include "gateway/ops/tgz_write.h"

static char          folder[] = "/tmp/sluice-package-XXXXXX";
static char          dir[256], archive[256];
static struct arena *arena;
static struct buf    why;
static struct package_folder here;

static void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
shell(const char *format, ...)
{
    char    line[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    assert_int_equal(system(line), 0);
}

/* A package of this name and version, with one resource. */
static const char *
make(const char *name, const char *version, const char *content)
{
    static char path[512];
    shell("rm -rf %s/package; mkdir -p %s/package", folder, folder);
    shell("printf '{\"name\":\"%s\",\"version\":\"%s\",\"fhirVersions\":[\"4.0.1\"]}' >%s/package/package.json", name, version, folder);
    shell("printf '%s' >%s/package/StructureDefinition-x.json", content, folder);
    snprintf(path, sizeof path, "%s/made.tgz", folder);
    shell("tar -C %s --sort=name --mtime=@0 -czf %s package", folder, path);
    return path;
}

/* ---- a base to compile on ------------------------------------------------------------------- */

#define DEF(name, kind, elements) \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://hl7.org/fhir/StructureDefinition/" name "\",\"type\":\"" name "\"," \
    "\"kind\":\"" kind "\",\"derivation\":\"specialization\",\"snapshot\":{\"element\":[" elements "]}}"
#define EL(path, min, max, type) \
    ",{\"id\":\"" path "\",\"path\":\"" path "\",\"min\":" min ",\"max\":\"" max "\",\"type\":[{\"code\":\"" type "\"}]}"

static struct arena *base_arena;

static int
make_base(void **state)
{
    static const char *const files[] = {
        DEF("string", "primitive-type", "{\"path\":\"string\"}"),
        DEF("Element", "complex-type", "{\"path\":\"Element\"}" EL("Element.id", "0", "1", "string")),
        DEF("Zoo", "resource", "{\"path\":\"Zoo\"}" EL("Zoo.name", "0", "1", "string")),
    };
    struct package_file    all[3];
    struct package_sources sources = { all, 3, SPAN("zoo#1"), SPAN("0123456789abcdef0123456789abcdef"), NULL };
    struct buf             out;

    (void)state;
    base_arena = arena_new("base", 64 << 20);
    for (size_t i = 0; i < 3; i++)
        all[i] = (struct package_file){ SPAN("f.json"), span_of(files[i]) };
    buf_init(&out, 1 << 20);
    assert_int_equal(package_compile(&sources, base_arena, issues_new(base_arena, 10), &out), ST_OK);
    assert_int_equal(pack_open(arena_copy(base_arena, buf_span(&out)), base_arena, &here.base), ST_OK);
    buf_release(&out);
    return 0;
}

static enum status
add(const char *path, struct package *p, bool *known)
{
    return package_add(&here, &path, 1, (struct span){ NULL, 0 }, arena, p, known, &why);
}

/* A profile of Zoo, on the base or on another profile. */
#define PROFILE(url, base) \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"" url "\",\"type\":\"Zoo\",\"kind\":\"resource\",\"derivation\":\"constraint\"," \
    "\"baseDefinition\":\"" base "\",\"differential\":{\"element\":[{\"path\":\"Zoo.name\",\"min\":1}]}}"
#define ZOO "http://hl7.org/fhir/StructureDefinition/Zoo"

static int
fresh(void **state)
{
    (void)state;
    arena = arena_new("test", 64 << 20);
    buf_init(&why, 8192);
    snprintf(dir, sizeof dir, "%s/packages", folder);
    here.dir = dir;
    shell("rm -rf %s", dir);
    return 0;
}

static int
done(void **state)
{
    (void)state;
    buf_release(&why);
    arena_free(&arena);
    return 0;
}

static void
test_keeps_lists_verifies_and_removes(void **state)
{
    (void)state;
    struct package      p;
    struct package_list list;
    bool                known;
    assert_int_equal(add(make("hl7.fhir.us.core", "6.1.0", "{}"), &p, &known), ST_OK);
    assert_false(known);
    assert_int_equal(add(make("@scope/other", "1.0.0-ballot", "{}"), &p, &known), ST_OK);
    assert_true(span_eq(p.file, SPAN("@scope!other#1.0.0-ballot.tgz")));
    assert_int_equal(package_list(dir, arena, &list, &why), ST_OK);
    assert_int_equal(list.count, 2);
    assert_true(span_eq(list.all[0].name, SPAN("hl7.fhir.us.core")));
    assert_true(span_starts(list.all[0].integrity, SPAN("sha512-")));
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(package_verify(dir, &list.all[i], &why), ST_OK);
    assert_int_equal(package_remove(&here, SPAN("hl7.fhir.us.core@6.1.0"), arena, &why), ST_OK);
    assert_int_equal(package_remove(&here, SPAN("@scope/other#1.0.0-ballot"), arena, &why), ST_OK);
    assert_int_equal(package_list(dir, arena, &list, &why), ST_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(package_remove(&here, SPAN("hl7.fhir.us.core#6.1.0"), arena, &why), ST_NOT_FOUND);
}

static void
test_the_pin_is_npms_integrity(void **state)
{
    (void)state;
    char                line[1024];
    struct package      p;
    struct buf          openssl;
    bool                known;
    snprintf(archive, sizeof archive, "%s", make("a.b", "1.0.0", "{}"));
    assert_int_equal(add(archive, &p, &known), ST_OK);
    snprintf(line, sizeof line, "openssl dgst -sha512 -binary %s | base64 -w0 >%s/hash", archive, folder);
    shell("%s", line);
    buf_init(&openssl, 4096);
    snprintf(line, sizeof line, "%s/hash", folder);
    assert_int_equal(file_read(line, &openssl), ST_OK);
    assert_true(span_eq(span_skip(p.integrity, 7), buf_span(&openssl)));
    buf_release(&openssl);
}

static void
test_the_same_version_with_other_bytes_is_refused(void **state)
{
    (void)state;
    struct package p;
    bool           known;
    assert_int_equal(add(make("a.b", "1.0.0", "{}"), &p, &known), ST_OK);
    assert_int_equal(add(make("a.b", "1.0.0", "{}"), &p, &known), ST_OK);
    assert_true(known);
    assert_int_equal(add(make("a.b", "1.0.0", "[]"), &p, &known), ST_CONFLICT);
}

static void
test_a_changed_a_short_and_a_missing_file_are_found(void **state)
{
    (void)state;
    struct package      p;
    struct package_list list;
    bool                known;
    assert_int_equal(add(make("a.b", "1.0.0", "{}"), &p, &known), ST_OK);
    assert_int_equal(package_list(dir, arena, &list, &why), ST_OK);
    const char *damage[] = { "printf X | dd of='%s/a.b#1.0.0.tgz' bs=1 seek=30 conv=notrunc status=none",
                             "truncate -s -1 '%s/a.b#1.0.0.tgz'", "rm '%s/a.b#1.0.0.tgz'" };
    for (size_t i = 0; i < 3; i++) {
        char line[512];
        struct span text = span_of(damage[i]);
        size_t      mark = span_find(text, SPAN("%s"));
        snprintf(line, sizeof line, "%.*s%s%s", (int)mark, damage[i], dir, damage[i] + mark + 2);
        shell("%s", line);
        assert_int_equal(package_verify(dir, &list.all[0], &why), ST_INTEGRITY);
    }
}

static void
test_what_is_no_package_is_refused_with_a_sentence(void **state)
{
    (void)state;
    static const struct { const char *make, *words; } cases[] = {
        { "printf 'not gzip at all' >%s/bad.tgz", "not a gzip file" },
        { ": >%s/bad.tgz", "not a gzip file" },
        { "cd %s && mkdir -p other && tar -czf bad.tgz other", "holds no package/package.json" },
        { "cd %s && mkdir -p package && printf '{\"name\":\"../../etc\",\"version\":\"1\"}' >package/package.json && tar -czf bad.tgz package", "no usable name" },
        { "cd %s && mkdir -p package && printf '{\"name\":\"a\",\"version\":\"1/2\"}' >package/package.json && tar -czf bad.tgz package", "no usable name" },
        { "cd %s && mkdir -p package && printf '{\"name\":1' >package/package.json && tar -czf bad.tgz package", "package.json is refused" },
        { "cd %s && head -c 3000 /dev/urandom >x && gzip -c x >bad.tgz", "tar header in it is damaged" },
        { "cd %s && mkdir -p package && head -c 100000 /dev/urandom >package/a && tar -cz package | head -c 5000 >bad.tgz", "ends in the middle" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct package p;
        char           line[1024], path[512];
        bool           known;
        struct span    text = span_of(cases[i].make);
        size_t         mark = span_find(text, SPAN("%s"));
        snprintf(line, sizeof line, "rm -rf %s/package; %.*s%s%s", folder, (int)mark, cases[i].make, folder, cases[i].make + mark + 2);
        shell("%s", line);
        snprintf(path, sizeof path, "%s/bad.tgz", folder);
        buf_clear(&why);
        assert_int_not_equal(add(path, &p, &known), ST_OK);
        if (span_find(buf_span(&why), span_of(cases[i].words)) == SPAN_NOT_FOUND)
            print_message("    said: %.*s\n", SPAN_PRINT(buf_span(&why)));
        assert_int_not_equal(span_find(buf_span(&why), span_of(cases[i].words)), SPAN_NOT_FOUND);
    }
}

static void
test_a_folder_is_read_as_a_package(void **state)
{
    (void)state;
    struct package      p, again;
    struct package_list list;
    bool                known;
    char                path[300];
    make("from.folder", "2.0.0", PROFILE("http://t/p", ZOO));
    assert_int_equal(add(folder, &p, &known), ST_OK);
    assert_true(span_eq(p.name, SPAN("from.folder")));
    assert_int_equal(package_list(dir, arena, &list, &why), ST_OK);
    assert_int_equal(package_verify(dir, &list.all[0], &why), ST_OK);
    snprintf(path, sizeof path, "%s/package", folder);      /* flat, and the same bytes */
    assert_int_equal(add(path, &again, &known), ST_OK);
    assert_true(known && span_eq(p.integrity, again.integrity));
    snprintf(path, sizeof path, "%s/from.folder#2.0.0.tgz", dir);
    assert_int_equal(add(path, &again, &known), ST_OK);
    assert_true(known);
    snprintf(path, sizeof path, "%s/empty", folder);
    shell("mkdir -p %s", path);
    assert_int_equal(add(path, &p, &known), ST_MALFORMED);
}

static void
test_a_hash_that_is_asked_for_must_be_its_hash(void **state)
{
    (void)state;
    struct package p;
    bool           known;
    char           line[512], hex[300];
    struct buf     openssl;
    const char    *path = make("a.b", "1.0.0", "{}");
    assert_int_equal(package_add(&here, &path, 1, SPAN("sha512-AAAA"), arena, &p, &known, &why), ST_INTEGRITY);
    assert_int_equal(access(dir, F_OK), -1);
    snprintf(line, sizeof line, "%s/hex", folder);
    shell("sha512sum %s | cut -c1-128 | tr -d '\\n' >%s", path, line);
    buf_init(&openssl, 4096);
    assert_int_equal(file_read(line, &openssl), ST_OK);
    snprintf(hex, sizeof hex, "%.*s", SPAN_PRINT(buf_span(&openssl)));
    assert_int_equal(package_add(&here, &path, 1, span_of(hex), arena, &p, &known, &why), ST_OK);
    assert_int_equal(package_add(&here, &path, 1, p.integrity, arena, &p, &known, &why), ST_OK);
    buf_release(&openssl);
}

/* ---- what is compiled --------------------------------------------------------------------- */

static size_t
packages_here(void)
{
    struct package_list list;
    assert_int_equal(package_list(dir, arena, &list, &why), ST_OK);
    return list.count;
}

/* Under a name of its own, so that several may be asked for together. */
static const char *
make_with(const char *name, const char *version, const char *dependencies, const char *content)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s-%s.tgz", folder, name, version);
    shell("rm -rf %s/package; mkdir -p %s/package", folder, folder);
    shell("printf '{\"name\":\"%s\",\"version\":\"%s\",\"dependencies\":{%s}}' >%s/package/package.json", name, version, dependencies, folder);
    shell("printf '%s' >%s/package/StructureDefinition-x.json", content, folder);
    shell("tar -C %s --sort=name --mtime=@0 -czf %s package", folder, path);
    return arena_text(arena, span_of(path));
}

#define R4 "\"hl7.fhir.r4.core\":\"4.0.1\""

static void
test_what_is_added_is_compiled_in_the_order_of_dependencies(void **state)
{
    (void)state;
    const char *paths[] = {
        make_with("top", "1.0.0", R4 ",\"middle\":\"2.1.x\"", PROFILE("http://t/top", "http://t/middle")),
        make_with("middle", "2.1.7", R4, PROFILE("http://t/middle", ZOO)),
    };
    struct package     added[2];
    bool               known[2], built;
    const struct pack *pack;
    assert_int_equal(package_add(&here, paths, 2, (struct span){ NULL, 0 }, arena, added, known, &why), ST_OK);
    assert_int_equal(site_pack_open(dir, here.base, NULL, arena, &pack, &built, &why), ST_OK);
    assert_false(built);
    assert_true(span_eq(pack_about(pack), SPAN("zoo#1, middle#2.1.7, top#1.0.0")));
    assert_true(span_eq(pack_profile_type(pack, SPAN("http://t/top")), SPAN("Zoo")));
    /* One that is not of these packages, or not there, is made anew and not written. */
    shell("printf X | dd of='%s/site.pack' bs=1 seek=100 conv=notrunc status=none", dir);
    assert_int_equal(site_pack_open(dir, here.base, NULL, arena, &pack, &built, &why), ST_OK);
    assert_true(built);
    assert_true(span_eq(pack_profile_type(pack, SPAN("http://t/top")), SPAN("Zoo")));
    shell("rm '%s/site.pack'", dir);
    assert_int_equal(site_pack_open(dir, here.base, NULL, arena, &pack, &built, &why), ST_OK);
    assert_true(built);
    /* What another rests on stays. */
    assert_int_equal(package_remove(&here, SPAN("middle#2.1.7"), arena, &why), ST_MALFORMED);
    assert_int_equal(packages_here(), 2);
    buf_clear(&why);
    assert_int_equal(package_remove(&here, SPAN("top#1.0.0"), arena, &why), ST_OK);
    assert_int_equal(package_remove(&here, SPAN("middle#2.1.7"), arena, &why), ST_OK);
    assert_int_equal(site_pack_open(dir, here.base, NULL, arena, &pack, &built, &why), ST_OK);
    assert_ptr_equal(pack, here.base);
}

static void
test_what_cannot_be_compiled_changes_nothing(void **state)
{
    (void)state;
    static const struct { const char *dependencies, *content, *words; } cases[] = {
        { "\"not.here\":\"1.0.0\"", "{}", "rests on not.here#1.0.0, which is not here" },
        { "\"kept\":\"9.9.9\"", "{}", "version 1.0.0 is" },
        { "\"hl7.fhir.r5.core\":\"5.0.0\"", "{}", "rests on hl7.fhir.r5.core" },
        { "\"hl7.fhir.r4.core\":\"4.3.0\"", "{}", "rests on hl7.fhir.r4.core#4.3.0" },
        { "\"bad\":\"1.0.0\"", "{}", "rests on itself" },
        { "", PROFILE("http://t/bad", "http://t/none"), "http://t/none" },
        { "", PROFILE("http://t/bad", "http://t/bad"), "not their own base" },
        { "", "{\"resourceType\":", "strict JSON" },
    };
    struct package p;
    bool           known;
    assert_int_equal(add(make_with("kept", "1.0.0", R4, PROFILE("http://t/kept", ZOO)), &p, &known), ST_OK);
    shell("cp -a %s %s.before", dir, dir);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&why);
        assert_int_equal(add(make_with("bad", "1.0.0", cases[i].dependencies, cases[i].content), &p, &known), ST_MALFORMED);
        if (span_find(buf_span(&why), span_of(cases[i].words)) == SPAN_NOT_FOUND)
            fail_msg("said: %.*s, want %s", SPAN_PRINT(buf_span(&why)), cases[i].words);
        shell("diff -r %s %s.before", dir, dir);
    }
    shell("rm -rf %s.before", dir);
}

static void
test_versions_are_met_as_packages_mean_them(void **state)
{
    (void)state;
    assert_true(depends_version_met(SPAN("6.1.0"), SPAN("6.1.0")));
    assert_false(depends_version_met(SPAN("6.1.0"), SPAN("6.1.1")));
    assert_true(depends_version_met(SPAN("6.1.x"), SPAN("6.1.1")));
    assert_false(depends_version_met(SPAN("6.1.x"), SPAN("6.10.1")));
    assert_true(depends_version_met(SPAN("latest"), SPAN("6.1.1")));
    assert_true(depends_built_in(SPAN("hl7.terminology.r4"), SPAN("5.0.0")));
    assert_true(depends_built_in(SPAN("hl7.fhir.uv.extensions.r4"), SPAN("1.0.0")));
    assert_true(depends_built_in(SPAN("hl7.fhir.r4.core"), SPAN("4.0.1")));
    assert_false(depends_built_in(SPAN("hl7.fhir.r4.core"), SPAN("4.3.0")));
    assert_false(depends_built_in(SPAN("hl7.fhir.uv.ips"), SPAN("1.1.0")));
    assert_false(depends_built_in(SPAN("hl7.fhir.us.core"), SPAN("6.1.0")));
}

static void
test_a_damaged_lock_file_is_an_integrity_failure(void **state)
{
    (void)state;
    struct package_list list;
    shell("mkdir -p %s && printf '{\"packages\":[{\"name\":\"a\",\"version\":\"1\",\"integrity\":\"sha512-x\",\"file\":\"../x\",\"bytes\":1}]}' >%s/packages.lock", dir, dir);
    assert_int_equal(package_list(dir, arena, &list, &why), ST_INTEGRITY);
    shell("printf '{' >%s/packages.lock", dir);
    assert_int_equal(package_list(dir, arena, &list, &why), ST_INTEGRITY);
    assert_int_equal(package_list("/nonexistent/packages", arena, &list, &why), ST_NOT_FOUND);
}

struct seen { char names[4096]; size_t count; };

static bool
on_member(struct span name, struct span content, void *arg)
{
    struct seen *s = arg;
    s->count++;
    size_t used = strlen(s->names);
    snprintf(s->names + used, sizeof s->names - used, "%.*s=%zu\n", SPAN_PRINT(name), content.length);
    return true;
}

/* Long names come as GNU 'L' members or as pax records. */
static void
test_tar_forms_are_read(void **state)
{
    (void)state;
    char long_name[300];
    memset(long_name, 'n', 180);
    long_name[180] = '\0';
    for (size_t i = 0; i < 3; i++) {
        static const char *const forms[] = { "gnu", "pax", "ustar" };
        struct seen               s      = { "", 0 };
        struct buf                bytes;
        char                      path[512], want[400];
        if (i == 2)
            memset(long_name + 90, '/', 1);                /* ustar splits at a slash */
        shell("rm -rf %s/t && mkdir -p \"$(dirname %s/t/%s)\" && printf 12345 >%s/t/%s && ln -s /etc/passwd %s/t/link", folder, folder, long_name, folder, long_name, folder);
        snprintf(path, sizeof path, "%s/t.tgz", folder);
        shell("tar -C %s -H %s -czf %s t", folder, forms[i], path);
        buf_init(&bytes, 1 << 20);
        assert_int_equal(file_read(path, &bytes), ST_OK);
        assert_int_equal(tgz_visit(buf_span(&bytes), on_member, &s, &why), ST_OK);
        snprintf(want, sizeof want, "t/%s=5\n", long_name);
        assert_string_equal(s.names, want);
        buf_release(&bytes);
    }
}

static void
test_what_is_written_as_an_archive_is_read_again(void **state)
{
    (void)state;
    char        long_name[200];
    struct seen s = { "", 0 };
    struct buf  tar, out;
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    buf_init(&tar, 1 << 20);
    buf_init(&out, 1 << 20);
    tar_add(&tar, SPAN("package/a"), SPAN("12345"));
    tar_add(&tar, span_of(long_name), SPAN(""));
    tar_add(&tar, SPAN("b"), span_of(long_name));
    assert_int_equal(tgz_finish(&tar, &out), ST_OK);
    assert_int_equal(tgz_visit(buf_span(&out), on_member, &s, &why), ST_OK);
    char want[400];
    snprintf(want, sizeof want, "package/a=5\n%s=0\nb=199\n", long_name);
    assert_string_equal(s.names, want);
    char path[300];
    snprintf(path, sizeof path, "%s/w.tgz", folder);
    FILE *f = fopen(path, "wb");
    assert_int_equal(fwrite(out.at, 1, out.length, f), out.length);
    fclose(f);
    shell("tar -tzf %s >/dev/null", path);                 /* others read it, too */
    buf_release(&tar);
    buf_release(&out);
}

/* Every byte flipped: refused or read, never a crash (the sanitizers watch). */
static void
test_a_damaged_archive_never_breaks_the_reader(void **state)
{
    (void)state;
    struct buf bytes;
    buf_init(&bytes, 1 << 20);
    assert_int_equal(file_read(make("a.b", "1.0.0", "{\"resourceType\":\"StructureDefinition\"}"), &bytes), ST_OK);
    for (size_t i = 0; i < bytes.length; i++) {
        struct seen s = { "", 0 };
        bytes.at[i] ^= 0x41;
        enum status st = tgz_visit(buf_span(&bytes), on_member, &s, &why);
        assert_true(st == ST_OK || st == ST_MALFORMED || st == ST_TOO_LARGE);
        bytes.at[i] ^= 0x41;
        buf_clear(&why);
    }
    buf_release(&bytes);
}

static int
make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    return make_base(state);
}

static int
remove_folder(void **state)
{
    (void)state;
    shell("rm -rf %s", folder);
    arena_free(&base_arena);
    return 0;
}

/* What is broken, and what rests on it, is left out; the rest is there. */
static void
test_a_process_takes_what_is_sound(void **state)
{
    struct package_file    files[] = {
        { SPAN("a.json"), SPAN(PROFILE("http://t.example/rests", "http://t.example/broken")) },
        { SPAN("b.json"), SPAN(PROFILE("http://t.example/broken", "http://t.example/nowhere")) },
        { SPAN("c.json"), SPAN("{\"resourceType\":") },
        { SPAN("d.json"), SPAN(PROFILE("http://t.example/good", ZOO)) },
    };
    struct package_content content = { .files = files, .file_count = 4 };
    struct span            sha     = SPAN("0123456789abcdef0123456789abcdef");
    const struct pack     *pack;
    struct buf             out, left_out;

    (void)state;
    buf_init(&out, 1 << 20);
    buf_init(&left_out, 1 << 16);
    assert_int_equal(site_pack_compile(&content, 1, here.base, sha, &out, &why), ST_MALFORMED);
    assert_int_equal(content.file_count, 4);
    buf_clear(&out);
    buf_clear(&why);
    assert_int_equal(site_pack_compile_sound(&content, 1, here.base, sha, &out, &left_out, &why), ST_OK);
    assert_int_equal(content.file_count, 1);
    assert_int_equal(why.length, 0);
    assert_true(span_find(buf_span(&left_out), SPAN("b.json: ")) != SPAN_NOT_FOUND);
    assert_int_equal(pack_open(arena_copy(arena, buf_span(&out)), arena, &pack), ST_OK);
    assert_true(pack_profile_type(pack, SPAN("http://t.example/good")).length > 0);
    assert_true(span_empty(pack_profile_type(pack, SPAN("http://t.example/rests"))));
    buf_release(&out);
    buf_release(&left_out);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fresh, done)
    const struct CMUnitTest tests[] = {
        T(test_keeps_lists_verifies_and_removes),
        T(test_the_pin_is_npms_integrity),
        T(test_the_same_version_with_other_bytes_is_refused),
        T(test_a_changed_a_short_and_a_missing_file_are_found),
        T(test_what_is_no_package_is_refused_with_a_sentence),
        T(test_a_folder_is_read_as_a_package),
        T(test_a_hash_that_is_asked_for_must_be_its_hash),
        T(test_what_is_added_is_compiled_in_the_order_of_dependencies),
        T(test_what_cannot_be_compiled_changes_nothing),
        T(test_versions_are_met_as_packages_mean_them),
        T(test_what_is_written_as_an_archive_is_read_again),
        T(test_a_damaged_lock_file_is_an_integrity_failure),
        T(test_tar_forms_are_read),
        T(test_a_damaged_archive_never_breaks_the_reader),
        T(test_a_process_takes_what_is_sound),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
