/* The package sluice.behavioral-health, as a sender would meet it: every file reads strictly and is
 * named after what it holds; every example is right, or wrong by the rule that examples.tsv says. */
#include <dirent.h>

#include "tests/fhir/fhir_check.h"

#include "base/buf.h"
#include "fhir/package.h"
#include "fhir/validate.h"

#define FOLDER SLUICE_SOURCE_DIR "/packages/sluice.behavioral-health"
#define CANONICAL "https://fhir.sluice.example/behavioral-health/"
#define MOST_FILES 256

struct files { struct package_file all[MOST_FILES]; size_t count; };

static void
read_folder(const char *path, struct arena *arena, struct files *files)
{
    char           name[1024];
    DIR           *folder = opendir(path);
    struct dirent *one;

    files->count = 0;
    assert_non_null(folder);
    while ((one = readdir(folder)) != NULL) {
        size_t length = strlen(one->d_name);
        if (length < 5 || strcmp(one->d_name + length - 5, ".json") != 0 || strcmp(one->d_name, "package.json") == 0)
            continue;
        assert_true(files->count < MOST_FILES);
        snprintf(name, sizeof name, "%s/%s", path, one->d_name);
        files->all[files->count++] = (struct package_file){ .name  = arena_copy(arena, span_of(one->d_name)),
                                                            .bytes = test_file(arena, name) };
    }
    closedir(folder);
}

static void
check_names(const char *path, bool canonical)
{
    struct arena *arena = test_arena();
    struct files  files;

    read_folder(path, arena, &files);
    assert_true(files.count > 20);
    for (size_t i = 0; i < files.count; i++) {
        const struct tape *t    = test_tape(arena, files.all[i].bytes);
        struct span        type = tape_member_text(t, TAPE_ROOT, SPAN("resourceType"), arena);
        struct span        id   = tape_member_text(t, TAPE_ROOT, SPAN("id"), arena);
        assert_span(files.all[i].name, arena_join(arena, type, SPAN("-"), id, SPAN(".json")));
        if (canonical) {
            assert_span(tape_member_text(t, TAPE_ROOT, SPAN("url"), arena),
                        arena_join(arena, SPAN(CANONICAL), type, SPAN("/"), id));
            assert_text(tape_member_text(t, TAPE_ROOT, SPAN("version"), arena), "1.0.0");
            assert_text(tape_member_text(t, TAPE_ROOT, SPAN("status"), arena), "active");
        }
    }
    arena_free(&arena);
}

static void
test_every_file_is_named_after_what_it_holds(void **state)
{
    (void)state;
    check_names(FOLDER, true);
    check_names(FOLDER "/example", false);
}

static void
test_the_manifest_is_a_fhir_packages(void **state)
{
    struct arena      *arena = test_arena();
    const struct tape *t     = test_tape(arena, test_file(arena, FOLDER "/package.json"));

    (void)state;
    assert_text(tape_member_text(t, TAPE_ROOT, SPAN("name"), arena), "sluice.behavioral-health");
    assert_text(tape_member_text(t, TAPE_ROOT, SPAN("version"), arena), "1.0.0");
    assert_true(tape_text_eq(t, tape_item(t, tape_member(t, TAPE_ROOT, SPAN("fhirVersions")), 0), SPAN("4.0.1")));
    assert_int_equal(tape_kind(t, tape_member(t, TAPE_ROOT, SPAN("dependencies"))), TAPE_OBJECT);
    arena_free(&arena);
}

/* ---- examples ---------------------------------------------------------------------------------- */

/* R4 with our package on top; NULL without the definitions. */
static const struct pack *
compiled(struct arena *arena, struct buf *out)
{
    struct span        bytes = test_file(arena, SLUICE_BINARY_DIR "/definitions/r4.pack");
    struct issues     *issues = issues_new(arena, 20);
    const struct pack *r4, *pack;
    struct files       files;

    if (span_empty(bytes))
        return NULL;
    assert_int_equal(pack_open(bytes, arena, &r4), ST_OK);
    read_folder(FOLDER, arena, &files);
    struct package_sources sources = { .files = files.all, .count = files.count, .base = r4, .sha256 = pack_sources(r4),
                                       .about = SPAN("sluice.behavioral-health#1.0.0") };
    if (package_compile(&sources, arena, issues, out) != ST_OK)
        fail_msg("%.*s: %.*s, %.*s", SPAN_PRINT(issues_at(issues, 0)->expression),
                 SPAN_PRINT(issues_at(issues, 0)->wanted), SPAN_PRINT(issues_at(issues, 0)->found));
    assert_int_equal(pack_open(buf_span(out), arena, &pack), ST_OK);
    return pack;
}

static void
check_example(const struct pack *pack, struct span file, bool valid, struct span rule)
{
    struct arena        *arena  = test_arena();
    struct issues       *issues = issues_new(arena, 100);
    struct span          path   = arena_format(arena, FOLDER "/example/%.*s", SPAN_PRINT(file));
    const struct bundle *bundle;
    bool                 met = false;

    assert_int_equal(bundle_read(test_tape(arena, test_file(arena, path.at)), arena, issues, &bundle), ST_OK);
    assert_int_equal(validate(pack, bundle, NULL, arena, issues), ST_OK);
    for (uint32_t i = 0; i < issues_count(issues); i++) {
        const struct issue *one = issues_at(issues, i);
        met = met || (one->severity <= SEVERITY_ERROR && span_eq(span_of(one->rule), rule));
        if (valid)
            fail_msg("%.*s: %s at %.*s: %.*s", SPAN_PRINT(file), one->rule, SPAN_PRINT(one->expression),
                     SPAN_PRINT(one->wanted));
    }
    if (!valid && !met)
        fail_msg("%.*s: no finding by rule %.*s among %u", SPAN_PRINT(file), SPAN_PRINT(rule), issues_count(issues));
    arena_free(&arena);
}

static void
test_examples_are_right_or_wrong_as_they_say(void **state)
{
    struct arena      *arena = arena_new("package", (size_t)1 << 30);
    struct span        rest  = test_file(arena, FOLDER "/examples.tsv");
    struct files       files;
    struct buf         out;
    size_t             count = 0;

    (void)state;
    buf_init(&out, (size_t)128 << 20);
    const struct pack *pack = compiled(arena, &out);
    if (pack == NULL)
        skip();
    span_split(&rest, '\n');                               /* the names of the columns */
    for (; rest.length > 0; count++) {
        struct span line = span_split(&rest, '\n'), file = span_split(&line, '\t');
        span_split(&line, '\t');
        bool valid = span_eq(span_split(&line, '\t'), SPAN("valid"));
        check_example(pack, file, valid, line);
    }
    read_folder(FOLDER "/example", arena, &files);
    assert_int_equal(count, files.count);                  /* none is left out */
    buf_release(&out);
    arena_free(&arena);
}

/* Of every profile a right and a wrong example. */
static void
test_every_profile_has_examples(void **state)
{
    struct arena *arena = test_arena();
    struct span   table = test_file(arena, FOLDER "/examples.tsv");
    struct files  files;

    (void)state;
    read_folder(FOLDER, arena, &files);
    for (size_t i = 0; i < files.count; i++) {
        const struct tape *t  = test_tape(arena, files.all[i].bytes);
        struct span        id = tape_member_text(t, TAPE_ROOT, SPAN("id"), arena);
        if (!span_starts(files.all[i].name, SPAN("StructureDefinition-"))
            || tape_text_eq(t, tape_member(t, TAPE_ROOT, SPAN("type")), SPAN("Extension")))
            continue;
        assert_int_not_equal(span_find(table, arena_join(arena, SPAN("\t"), id, SPAN("\tvalid\t"))), SPAN_NOT_FOUND);
        assert_int_not_equal(span_find(table, arena_join(arena, SPAN("\t"), id, SPAN("\tinvalid\t"))), SPAN_NOT_FOUND);
    }
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_file_is_named_after_what_it_holds),
        cmocka_unit_test(test_the_manifest_is_a_fhir_packages),
        cmocka_unit_test(test_examples_are_right_or_wrong_as_they_say),
        cmocka_unit_test(test_every_profile_has_examples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
