/* tests/golden/RULE-what/: request.json, bundle.json and the bytes of
 * expected.json (empty: nothing leaves). */
#include "release_check.h"

#include <dirent.h>
#include <stdlib.h>

struct goldens { unsigned run, failed; };

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
one_golden(const char *folder, struct goldens *g)
{
    struct arena *arena = arena_new("golden", (size_t)1 << 27);
    char          path[512];

    snprintf(path, sizeof path, SLUICE_SOURCE_DIR "/tests/golden/%s/request.json", folder);
    struct span request = check_file(arena, path);
    snprintf(path, sizeof path, SLUICE_SOURCE_DIR "/tests/golden/%s/bundle.json", folder);
    struct span bundle = check_file(arena, path);
    snprintf(path, sizeof path, SLUICE_SOURCE_DIR "/tests/golden/%s/expected.json", folder);
    struct span expected = check_file(arena, path);

    const struct release *r     = release_of(bundle, request, arena);
    const struct release *again = expected.length > 0 ? release_of(expected, request, arena) : NULL;
    g->run++;
    if (!span_eq(r->payload, expected) || (again != NULL && !span_eq(again->payload, expected))) {
        g->failed++;
        print_message("%s\nhave %.*s\nwant %.*s\n", folder, SPAN_PRINT(r->payload), SPAN_PRINT(expected));
        if (r->leak.length > 0)
            print_message("%.*s\n", SPAN_PRINT(r->leak));
    }
    arena_free(&arena);
}

static void
test_each_rule_gives_its_bytes(void **state)
{
    struct goldens g    = { 0, 0 };
    DIR           *dir  = opendir(SLUICE_SOURCE_DIR "/tests/golden");
    char          *names[256];
    unsigned       count = 0;

    (void)state;
    assert_non_null(dir);
    for (const struct dirent *d; (d = readdir(dir)) != NULL;)
        if (d->d_name[0] != '.' && strchr(d->d_name, '-') != NULL && count < 256)
            names[count++] = strdup(d->d_name);
    closedir(dir);
    qsort(names, count, sizeof names[0], by_name);
    for (unsigned i = 0; i < count; i++) {
        one_golden(names[i], &g);
        free(names[i]);
    }
    print_message("%u rules, %u differ\n", g.run, g.failed);
    assert_true(g.run > 20);
    assert_int_equal(g.failed, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_each_rule_gives_its_bytes) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
