/* tests/bench/bench_validate.c -- what validation costs: of real Bundles, of growing ones, of its memory.
 *
 *     bench_validate [--rounds N] [--profile URL]... PACK FILE...
 *     bench_validate --slope PACK
 *     bench_validate --entries N [--rounds N] PACK     one growing Bundle, for callgrind
 *     bench_validate --open PACK                       how long the pack takes to open
 *
 * Prints one JSON object for tests/bench/run_validate.py, which runs it between
 * rounds of other validators.  A round does every file once, part by part:
 *
 *   tape      bytes -> tape                 what everything is compared with
 *   read      tape -> Bundle                what validation rests on
 *   validate  the definitions and their invariants
 *   profiles  the same with every --profile asked of the resources of its type
 *
 * in CPU seconds of this thread for all files together.  memory is what the
 * arena of the dearest file held: the tape, and all that validation adds to it.
 * --slope is the cost from 1 to 100,000 entries that refer to each other, and the
 * slope of log cost over log size from 1,000 on (1: linear).
 */
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fhir/validate.h"
#include "tests/bench/measure.h"
#include "tests/support/check.h"

#define MOST_FILES    400
#define MOST_PROFILES 64
#define BUDGET        ((size_t)4 << 30)

enum part { TAPE, READ, VALIDATE, PROFILES, PARTS };

static const char *const part_names[] = { "tape", "read", "validate", "profiles" };

struct bench {
    struct arena_pool *pool;
    const struct pack *pack;
    struct span        profiles[MOST_PROFILES];
    size_t             profile_count;
    struct span        files[MOST_FILES];
    size_t             file_count, bytes;
    size_t             resources, errors, warnings, not_valid;       /* of one round */
    size_t             tape_bytes, most_bytes;
};

static void
count_findings(struct bench *b, const struct issues *issues)
{
    for (uint32_t i = 0; i < issues_count(issues); i++) {
        const struct issue *one = issues_at(issues, i);
        b->errors += one->severity <= SEVERITY_ERROR ? one->times : 0;
        b->warnings += one->severity == SEVERITY_WARNING ? one->times : 0;
    }
    b->not_valid += issues_have_errors(issues);
}

static void
count_memory(struct bench *b, size_t tape, size_t all)
{
    if (all <= b->most_bytes)
        return;
    b->most_bytes = all;
    b->tape_bytes = tape;
}

static void
do_once(struct bench *b, struct span body, double spent[PARTS])
{
    struct arena            *arena   = arena_new_from(b->pool, "bench", BUDGET);
    struct issues           *issues  = issues_new(arena, 1000);
    struct validate_options  options = { .profiles = b->profiles, .profile_count = b->profile_count };
    const struct tape       *tape;
    const struct bundle     *bundle;
    double                   t[PARTS + 1];

    t[TAPE] = measure_now();
    measure_stop_unless(tape_read(body, &tape_default_limits, arena, &tape, NULL) == ST_OK, "a document was refused");
    size_t held = arena_used(arena);
    t[READ]     = measure_now();
    measure_stop_unless(bundle_read(tape, arena, issues, &bundle) == ST_OK, "a document is no resource");
    t[VALIDATE] = measure_now();
    measure_stop_unless(validate(b->pack, bundle, NULL, arena, issues) == ST_OK, "not enough memory");
    t[PROFILES] = measure_now();
    count_memory(b, held, arena_used(arena));
    if (b->profile_count > 0) {
        issues = issues_new(arena, 1000);
        measure_stop_unless(validate(b->pack, bundle, &options, arena, issues) == ST_OK, "not enough memory");
    }
    t[PARTS] = measure_now();
    b->resources += bundle->count;
    count_findings(b, issues);
    for (int i = 0; i < PARTS; i++)
        spent[i] += t[i + 1] - t[i];
    arena_free(&arena);
}

static void
run_rounds(struct bench *b, size_t rounds)
{
    double warm[PARTS] = { 0 };

    for (size_t i = 0; i < b->file_count; i++)
        do_once(b, b->files[i], warm);
    printf("{\"rounds\":[");
    for (size_t round = 0; round < rounds; round++) {
        double spent[PARTS] = { 0 };
        b->resources = b->errors = b->warnings = b->not_valid = 0;
        for (size_t i = 0; i < b->file_count; i++)
            do_once(b, b->files[i], spent);
        printf("%s{", round > 0 ? "," : "");
        for (int p = 0; p < PARTS; p++)
            printf("%s\"%s\":%.9f", p > 0 ? "," : "", part_names[p], spent[p]);
        printf("}");
    }
    printf("],\"files\":%zu,\"bytes\":%zu,\"resources\":%zu,\"errors\":%zu,\"warnings\":%zu,\"not_valid\":%zu,"
           "\"memory\":{\"tape\":%zu,\"all\":%zu}}\n",
           b->file_count, b->bytes, b->resources, b->errors, b->warnings, b->not_valid, b->tape_bytes, b->most_bytes);
}

/* ---- growing Bundles ---------------------------------------------------------------- */

static double
slope_of(const double *x, const double *y, size_t count)
{
    double mx = 0, my = 0, up = 0, down = 0;

    for (size_t i = 0; i < count; i++) {
        mx += log(x[i]) / (double)count;
        my += log(y[i]) / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        up += (log(x[i]) - mx) * (log(y[i]) - my);
        down += (log(x[i]) - mx) * (log(x[i]) - mx);
    }
    return up / down;
}

static void
run_slope(struct bench *b)
{
    static const size_t sizes[] = { 1, 10, 100, 1000, 3000, 10000, 30000, 100000 };
    enum { SIZES = sizeof sizes / sizeof sizes[0], FROM = 3 };
    double x[SIZES], all[SIZES], alone[SIZES];

    printf("{\"entries\":[");
    for (size_t s = 0; s < SIZES; s++) {
        struct buf body;
        buf_init(&body, (size_t)64 << 20);
        measure_pointing_bundle(&body, sizes[s]);
        x[s] = (double)sizes[s];
        all[s] = alone[s] = 1e9;
        for (int round = 0; round < 7; round++) {
            double spent[PARTS] = { 0 };
            do_once(b, buf_span(&body), spent);
            double sum = spent[TAPE] + spent[READ] + spent[VALIDATE];
            all[s]     = sum < all[s] ? sum : all[s];
            alone[s]   = spent[VALIDATE] < alone[s] ? spent[VALIDATE] : alone[s];
        }
        printf("%s{\"entries\":%zu,\"all_ns\":%.0f,\"validate_ns\":%.0f}", s > 0 ? "," : "", sizes[s],
               all[s] / x[s] * 1e9, alone[s] / x[s] * 1e9);
        buf_release(&body);
    }
    printf("],\"slope_all\":%.4f,\"slope_validate\":%.4f}\n", slope_of(x + FROM, all + FROM, SIZES - FROM),
           slope_of(x + FROM, alone + FROM, SIZES - FROM));
}

/* A Bundle of one size, so many times. */
static void
run_entries(struct bench *b, size_t entries, size_t rounds)
{
    struct buf body;

    buf_init(&body, (size_t)64 << 20);
    measure_pointing_bundle(&body, entries);
    b->files[0]   = buf_span(&body);
    b->file_count = 1;
    b->bytes      = body.length;
    run_rounds(b, rounds);
    buf_release(&body);
}

/* From the file's name to a pack that can be asked, as the gateway opens it. */
static void
run_open(const char *path, struct arena *keep)
{
    const struct pack *pack;
    struct stat        about;
    double             begun = measure_now();
    int                fd    = open(path, O_RDONLY | O_CLOEXEC);

    measure_stop_unless(fd >= 0 && fstat(fd, &about) == 0, "the pack cannot be opened");
    void *at = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_SHARED, fd, 0);
    measure_stop_unless(at != MAP_FAILED && pack_open(span_from(at, (size_t)about.st_size), keep, &pack) == ST_OK,
                        "this is not a definitions pack");
    printf("{\"open_ms\":%.3f}\n", (measure_now() - begun) * 1e3);
    munmap(at, (size_t)about.st_size);
    close(fd);
}

/* ---- the command line ----------------------------------------------------------------- */

struct wish {
    uint64_t rounds, entries;
    bool     slope, open;
};

/* The number of words that were options. */
static int
read_options(struct bench *b, struct wish *wish, int argc, char **argv)
{
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        bool more = i + 1 < argc, good = true;
        if (strcmp(argv[i], "--slope") == 0)
            wish->slope = true;
        else if (strcmp(argv[i], "--open") == 0)
            wish->open = true;
        else if (strcmp(argv[i], "--rounds") == 0 && more)
            good = span_to_u64(span_of(argv[++i]), &wish->rounds);
        else if (strcmp(argv[i], "--entries") == 0 && more)
            good = span_to_u64(span_of(argv[++i]), &wish->entries);
        else if (strcmp(argv[i], "--profile") == 0 && more && b->profile_count < MOST_PROFILES)
            b->profiles[b->profile_count++] = span_of(argv[++i]);
        else
            good = false;
        measure_stop_unless(good, "bench_validate: this option is not understood");
    }
    return i;
}

int
main(int argc, char **argv)
{
    static struct bench b;
    struct arena       *keep = arena_new("documents", (size_t)1 << 30);
    struct wish         wish = { .rounds = 5 };
    int                 i    = read_options(&b, &wish, argc, argv);

    b.pool = arena_pool_new(BUDGET);
    measure_stop_unless(keep != NULL && b.pool != NULL, "not enough memory");
    measure_stop_unless(i < argc, "usage: bench_validate [OPTION]... PACK [FILE...]; the head of bench_validate.c has them");
    const char *path = argv[i];
    measure_stop_unless(pack_open(check_file(keep, path), keep, &b.pack) == ST_OK, "this is not a definitions pack");
    for (i++; i < argc && b.file_count < MOST_FILES; i++) {
        b.files[b.file_count] = check_file(keep, argv[i]);
        b.bytes += b.files[b.file_count++].length;
    }
    if (wish.open)
        run_open(path, keep);
    else if (wish.slope)
        run_slope(&b);
    else if (wish.entries > 0)
        run_entries(&b, wish.entries, wish.rounds);
    else
        run_rounds(&b, wish.rounds);
    arena_free(&keep);
    arena_pool_free(&b.pool);
    return 0;
}
