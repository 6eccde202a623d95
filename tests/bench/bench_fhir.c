/* tests/bench/bench_fhir.c -- what reading as FHIR costs, beside the tape alone.
 *
 *     bench_fhir PACK [FILE...]     made-up Bundles, then the files as one more set
 *     bench_fhir --repeat N PACK FILE
 *                                   reads the file N times and says nothing: for
 *                                   valgrind --tool=callgrind --toggle-collect=repeat,
 *                                   which counts instructions on a busy machine, too
 *
 * How long the pack takes to open.  For each set: MB/s of the tape, of bundle_read, references_read and validate
 * (each alone, on a tape that is there), and how many times the tape's time
 * the three cost together.  Then the cost of Bundles from 1 to 100,000
 * entries, and of 1 to 100,000 references, each of which must stay level.  Every document of a set is
 * different; a round does everything once; figures are medians over rounds of
 * the CPU time of this thread.  docs/performance.md holds figures.
 */
#include <math.h>

#include "fhir/reference.h"
#include "fhir/validate.h"
#include "tests/bench/bundles.h"
#include "tests/bench/measure.h"

#define MOST_DOCUMENTS 400
#define ROUNDS         15
#define BUDGET         ((size_t)2 << 30)

enum part { TAPE, BUNDLE, REFERENCES, VALIDATE, PARTS };

struct set {
    const char *name;
    struct span documents[MOST_DOCUMENTS];
    size_t      count, bytes;
};

static struct arena_pool *pool;
static const struct pack *pack;

static void
do_once(struct span body, double spent[PARTS])
{
    struct arena            *arena = arena_new_from(pool, "bench", BUDGET);
    struct issues           *issues = issues_new(arena, 10);
    const struct tape       *tape;
    const struct bundle     *bundle;
    const struct references *references;
    double                   t[PARTS + 1];

    t[0] = measure_now();
    measure_stop_unless(tape_read(body, &tape_default_limits, arena, &tape, NULL) == ST_OK, "a document was refused");
    t[1] = measure_now();
    measure_stop_unless(bundle_read(tape, arena, issues, &bundle) == ST_OK, "a document is no resource");
    t[2] = measure_now();
    measure_stop_unless(references_read(bundle, arena, &references) == ST_OK, "not enough memory");
    t[3] = measure_now();
    measure_stop_unless(validate(pack, bundle, NULL, arena, issues) == ST_OK, "not enough memory");
    t[4] = measure_now();
    measure_stop_unless(!issues_have_errors(issues), "a document is not valid");
    for (int i = 0; i < PARTS; i++)
        spent[i] += t[i + 1] - t[i];
    arena_free(&arena);
}

static void
run_set(const struct set *set)
{
    double spent[PARTS][ROUNDS], ratio[ROUNDS];

    for (size_t round = 0; round < ROUNDS; round++) {
        double sum[PARTS] = { 0 };
        for (size_t i = 0; i < set->count; i++)
            do_once(set->documents[i], sum);
        for (int p = 0; p < PARTS; p++)
            spent[p][round] = sum[p];
        ratio[round] = (sum[BUNDLE] + sum[REFERENCES] + sum[VALIDATE]) / sum[TAPE];
    }
    printf("%-22s", set->name);
    for (int p = 0; p < PARTS; p++)
        printf(" %10.0f", (double)set->bytes / measure_median(spent[p], ROUNDS) / 1e6);
    printf(" %10.2f\n", measure_median(ratio, ROUNDS));
}

static void
add_document(struct set *set, struct span body, struct arena *keep)
{
    struct span kept = arena_copy(keep, body);

    if (set->count == MOST_DOCUMENTS || kept.at == NULL)
        return;
    set->documents[set->count++] = kept;
    set->bytes += kept.length;
}

static void
made_up(const char *name, size_t bytes, size_t count, struct arena *keep)
{
    struct set    set    = { .name = name };
    struct chance chance = chance_from(bytes);
    struct buf    out;

    buf_init(&out, (size_t)16 << 20);
    for (size_t i = 0; i < count; i++) {
        buf_clear(&out);
        make_bundle(&chance, &out, bytes, false);
        measure_stop_unless(buf_status(&out) == ST_OK, "a made-up Bundle did not fit");
        add_document(&set, buf_span(&out), keep);
    }
    buf_release(&out);
    run_set(&set);
}

/* A List of references into a Bundle of ten Patients. */
static void
pointing_list(struct buf *out, size_t count)
{
    buf_add_text(out, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[");
    for (int i = 0; i < 10; i++)
        buf_add_format(out, "{\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-00000000000%d\",\"resource\":{\"resourceType\":\"Patient\"}},", i);
    buf_add_text(out, "{\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-000000000010\",\"resource\":{\"resourceType\":\"List\","
                      "\"status\":\"current\",\"mode\":\"working\",\"entry\":[");
    for (size_t i = 0; i < count; i++)
        buf_add_format(out, "%s{\"item\":{\"reference\":\"urn:uuid:00000000-0000-4000-8000-00000000000%zu\"}}", i > 0 ? "," : "", i % 10);
    buf_add_text(out, "]}}]}");
}

/* The least time of a few rounds, for all four parts and for validate alone. */
static void
least_times(struct span body, double *all, double *validate_alone)
{
    *all = *validate_alone = 1e9;
    for (int round = 0; round < 7; round++) {
        double spent[PARTS] = { 0 };
        do_once(body, spent);
        double sum = spent[TAPE] + spent[BUNDLE] + spent[REFERENCES] + spent[VALIDATE];
        *all            = sum < *all ? sum : *all;
        *validate_alone = spent[VALIDATE] < *validate_alone ? spent[VALIDATE] : *validate_alone;
    }
}

/* Entries that point at each other, or references of one List: ns each, and
 * how the time of validate grows: n to the power of the slope. */
static void
run_slope(const char *what, void (*make)(struct buf *, size_t))
{
    double first = 0, last = 0;

    for (size_t count = 1; count <= 100000; count *= 10) {
        struct buf out;
        double     all, alone;
        buf_init(&out, (size_t)64 << 20);
        make(&out, count);
        measure_stop_unless(buf_status(&out) == ST_OK, "a made-up Bundle did not fit");
        least_times(buf_span(&out), &all, &alone);
        printf("%10zu %-10s %8.0f ns each, %8.0f of them validate\n", count, what, all / (double)count * 1e9,
               alone / (double)count * 1e9);
        first = count == 100 ? alone : first;
        last  = alone;
        buf_release(&out);
    }
    printf("%21s slope from 100 to 100000: n^%.2f\n", what, log10(last / first) / 3);
}

/* Twice without being counted: the pool is warm then. */
static __attribute__((noinline)) void
repeat(struct span body, uint64_t count)
{
    double spent[PARTS] = { 0 };

    while (count-- > 0)
        do_once(body, spent);
}

static int
run_repeat(struct arena *keep, char **argv)
{
    uint64_t count = 0;

    measure_stop_unless(span_to_u64(span_of(argv[0]), &count), "--repeat wants a number");
    measure_stop_unless(pack_open(check_file(keep, argv[1]), keep, &pack) == ST_OK, "this is not a definitions pack");
    struct span body     = check_file(keep, argv[2]);
    double      spent[PARTS] = { 0 };
    do_once(body, spent);
    do_once(body, spent);
    repeat(body, count);
    return 0;
}

/* Every offset of the pack is checked when it is opened; nobody waits for that
 * longer than 50 ms. */
static void
open_pack(struct arena *keep, struct span bytes)
{
    double began = measure_now();

    measure_stop_unless(pack_open(bytes, keep, &pack) == ST_OK, "this is not a definitions pack");
    printf("a pack of %.1f MB opened in %.1f ms\n", (double)bytes.length / 1e6, 1e3 * (measure_now() - began));
}

int
main(int argc, char **argv)
{
    struct arena *keep  = arena_new("documents", (size_t)1 << 30);
    struct set    files = { .name = "files" };

    pool = arena_pool_new(BUDGET);
    measure_stop_unless(argc > 1 && keep != NULL && pool != NULL, "usage: bench_fhir [--repeat N] PACK [FILE...]");
    if (argc == 5 && strcmp(argv[1], "--repeat") == 0)
        return run_repeat(keep, argv + 2);
    open_pack(keep, check_file(keep, argv[1]));
    printf("%-22s %10s %10s %10s %10s %10s\n", "MB/s", "tape", "bundle", "references", "validate", "x tape");
    made_up("5 KB", 5000, 400, keep);
    made_up("100 KB", 100000, 100, keep);
    made_up("2 MB", 2000000, 8, keep);
    for (int i = 2; i < argc; i++)
        add_document(&files, check_file(keep, argv[i]), keep);
    if (files.count > 0)
        run_set(&files);
    run_slope("entries", measure_pointing_bundle);
    run_slope("references", pointing_list);
    arena_free(&keep);
    arena_pool_free(&pool);
    return 0;
}
