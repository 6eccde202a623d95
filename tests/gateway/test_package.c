/* tests/gateway/test_package.c -- packages are kept as they came, pinned, and checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/ops/file.h"
#include "gateway/ops/package.h"
#include "gateway/ops/tgz.h"

static char          folder[] = "/tmp/sluice-package-XXXXXX";
static char          dir[256], archive[256];
static struct arena *arena;
static struct buf    why;

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

static int
fresh(void **state)
{
    (void)state;
    arena = arena_new("test", 64 << 20);
    buf_init(&why, 8192);
    snprintf(dir, sizeof dir, "%s/packages", folder);
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
    assert_int_equal(package_add(dir, make("hl7.fhir.us.core", "6.1.0", "{}"), arena, &p, &known, &why), ST_OK);
    assert_false(known);
    assert_int_equal(package_add(dir, make("@scope/other", "1.0.0-ballot", "{}"), arena, &p, &known, &why), ST_OK);
    assert_true(span_eq(p.file, SPAN("@scope!other#1.0.0-ballot.tgz")));
    assert_int_equal(package_list(dir, arena, &list, &why), ST_OK);
    assert_int_equal(list.count, 2);
    assert_true(span_eq(list.all[0].name, SPAN("hl7.fhir.us.core")));
    assert_true(span_starts(list.all[0].integrity, SPAN("sha512-")));
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(package_verify(dir, &list.all[i], &why), ST_OK);
    assert_int_equal(package_remove(dir, SPAN("hl7.fhir.us.core@6.1.0"), arena, &why), ST_OK);
    assert_int_equal(package_remove(dir, SPAN("@scope/other#1.0.0-ballot"), arena, &why), ST_OK);
    assert_int_equal(package_list(dir, arena, &list, &why), ST_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(package_remove(dir, SPAN("hl7.fhir.us.core#6.1.0"), arena, &why), ST_NOT_FOUND);
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
    assert_int_equal(package_add(dir, archive, arena, &p, &known, &why), ST_OK);
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
    assert_int_equal(package_add(dir, make("a.b", "1.0.0", "{}"), arena, &p, &known, &why), ST_OK);
    assert_int_equal(package_add(dir, make("a.b", "1.0.0", "{}"), arena, &p, &known, &why), ST_OK);
    assert_true(known);
    assert_int_equal(package_add(dir, make("a.b", "1.0.0", "[]"), arena, &p, &known, &why), ST_CONFLICT);
}

static void
test_a_changed_a_short_and_a_missing_file_are_found(void **state)
{
    (void)state;
    struct package      p;
    struct package_list list;
    bool                known;
    assert_int_equal(package_add(dir, make("a.b", "1.0.0", "{}"), arena, &p, &known, &why), ST_OK);
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
        assert_int_not_equal(package_add(dir, path, arena, &p, &known, &why), ST_OK);
        if (span_find(buf_span(&why), span_of(cases[i].words)) == SPAN_NOT_FOUND)
            print_message("    said: %.*s\n", SPAN_PRINT(buf_span(&why)));
        assert_int_not_equal(span_find(buf_span(&why), span_of(cases[i].words)), SPAN_NOT_FOUND);
    }
}

static void
test_a_folder_is_read_as_a_package(void **state)
{
    (void)state;
    struct package p;
    make("from.folder", "2.0.0", "{}");
    assert_int_equal(package_read(folder, arena, &p, &why), ST_OK);
    assert_true(span_eq(p.name, SPAN("from.folder")));
    assert_int_equal(package_read("/tmp", arena, &p, &why), ST_MALFORMED);
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
    return 0;
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
        T(test_a_damaged_lock_file_is_an_integrity_failure),
        T(test_tar_forms_are_read),
        T(test_a_damaged_archive_never_breaks_the_reader),
    };
    return cmocka_run_group_tests(tests, make_folder, NULL);
}
