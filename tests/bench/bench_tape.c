/* tests/bench/bench_tape.c -- how fast the tape reads, beside cJSON and memcpy.
 *
 *     bench_tape [FILE...]      made-up Bundles, then the files as one more set
 *
 * Every document of a set is different and is read once a round, so neither
 * caches nor branch predictors know it.  A round does everything once, one
 * after the other; figures are medians over rounds, ratios are medians of the
 * ratios within rounds.  CPU time of this thread.  The tape's time includes
 * taking its arena from a pool and giving it back, wiped; cJSON's includes
 * cJSON_Delete.  docs/performance.md holds figures and how to read them.
 */
#include <stdlib.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "base/json_tape.h"
#include "tests/bench/bundles.h"

#define MOST_DOCUMENTS 1000
#define MOST_ROUNDS    99
#define BUDGET         ((size_t)512 << 20)

enum method { MEMCPY, TAPE, TAPE_SCALAR, CJSON, METHODS };

struct set {
    const char *name;
    struct span documents[MOST_DOCUMENTS];
    size_t      count;
    size_t      bytes;
    uint64_t    nodes;
    unsigned    rounds;
};

/* ---- counting heap calls -------------------------------------------------- */

/* The linker sends our archives' calls here (-Wl,--wrap, see CMakeLists.txt);
 * cJSON is a shared library and counts through its own hooks. */
void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);

static uint64_t heap_calls;

void *
__wrap_malloc(size_t size)
{
    heap_calls++;
    return __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    heap_calls++;
    return __real_calloc(count, size);
}

void *
__wrap_realloc(void *at, size_t size)
{
    heap_calls++;
    return __real_realloc(at, size);
}

/* ---- the methods ---------------------------------------------------------- */

static char              *copy_room;
static struct arena_pool *pool;

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint32_t
read_tape(struct span body, bool scalar)
{
    struct arena      *arena = arena_new_from(pool, "bench", BUDGET);
    const struct tape *tape;
    enum status        st = scalar ? tape_read_scalar(body, &tape_default_limits, arena, &tape, NULL)
                                   : tape_read(body, &tape_default_limits, arena, &tape, NULL);
    if (st != ST_OK) {
        fprintf(stderr, "a document was refused: %s\n", status_text(st));
        exit(1);
    }
    uint32_t nodes = tape_count(tape);
    arena_free(&arena);
    return nodes;
}

static void
do_once(enum method method, struct span body)
{
    cJSON *tree;

    switch (method) {
    case MEMCPY:
        memcpy(copy_room, body.at, body.length);
        __asm__ volatile("" : : "r"(copy_room) : "memory");
        break;
    case TAPE:
        read_tape(body, false);
        break;
    case TAPE_SCALAR:
        read_tape(body, true);
        break;
    default:
        tree = cJSON_ParseWithLength(body.at, body.length);
        if (tree == NULL)
            exit(1);
        cJSON_Delete(tree);
    }
}

static double
run_method(const struct set *set, enum method method)
{
    double begin = now();

    for (size_t i = 0; i < set->count; i++)
        do_once(method, set->documents[i]);
    return now() - begin;
}

/* ---- figures -------------------------------------------------------------- */

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double
median(double *values, unsigned count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

static void
report(const struct set *set)
{
    static double seconds[METHODS][MOST_ROUNDS], to_cjson[MOST_ROUNDS], to_memcpy[MOST_ROUNDS];
    double        rate[METHODS];

    for (unsigned round = 0; round < set->rounds; round++) {
        for (int m = 0; m < METHODS; m++)
            seconds[m][round] = run_method(set, (enum method)m);
        to_cjson[round]  = seconds[CJSON][round] / seconds[TAPE][round];
        to_memcpy[round] = seconds[TAPE][round] / seconds[MEMCPY][round];
    }
    for (int m = 0; m < METHODS; m++)
        rate[m] = (double)set->bytes / median(seconds[m], set->rounds) / 1e6;
    heap_calls = 0;
    run_method(set, TAPE);
    printf("%-24s %5zu %8.1f %5.1f %9.0f %7.0f %7.0f %7.0f %8.1f %9.1f %6llu\n", set->name, set->count,
           (double)set->bytes / (double)set->count / 1000, (double)set->bytes / (double)set->nodes, rate[MEMCPY],
           rate[TAPE], rate[TAPE_SCALAR], rate[CJSON], median(to_cjson, set->rounds),
           median(to_memcpy, set->rounds), (unsigned long long)heap_calls);
    fflush(stdout);
}

/* ---- sets ----------------------------------------------------------------- */

static void
add_document(struct set *set, struct span body)
{
    set->documents[set->count++] = body;
    set->bytes += body.length;
    set->nodes += read_tape(body, false);
}

static void
bench_made_up(const char *name, size_t bytes, size_t count, unsigned rounds, bool pretty)
{
    static struct set set;
    struct chance     chance = chance_from(bytes);
    struct buf        out;

    set = (struct set){ .name = name, .rounds = rounds };
    for (size_t i = 0; i < count; i++) {
        size_t length;
        buf_init(&out, (size_t)64 << 20);
        make_bundle(&chance, &out, bytes, pretty);
        char *at = buf_detach(&out, &length);
        add_document(&set, span_from(at, length));
    }
    report(&set);
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)set.documents[i].at);
}

static void
bench_files(char **paths, int count)
{
    static struct set set;
    struct arena     *arena = arena_new("files", SIZE_MAX / 2);

    set = (struct set){ .name = "the files given", .rounds = 11 };
    for (int i = 0; i < count && i < MOST_DOCUMENTS; i++)
        add_document(&set, check_file(arena, paths[i]));
    report(&set);
    arena_free(&arena);
}

int
main(int argc, char **argv)
{
    copy_room = malloc((size_t)64 << 20);
    pool      = arena_pool_new(BUDGET);
    if (copy_room == NULL || pool == NULL)
        return 1;
    memset(copy_room, 1, (size_t)64 << 20);
    printf("%-24s %5s %8s %5s %9s %7s %7s %7s %8s %9s %6s\n", "MB/s", "docs", "KB each", "B/node", "memcpy", "tape",
           "scalar", "cJSON", "x cJSON", "memcpy x", "heap");
    bench_made_up("5 KB minified", 5000, 400, 99, false);
    bench_made_up("100 KB minified", 100000, 100, 31, false);
    bench_made_up("2 MB minified", 2000000, 8, 15, false);
    bench_made_up("5 KB pretty", 5000, 400, 99, true);
    bench_made_up("100 KB pretty", 100000, 100, 31, true);
    bench_made_up("2 MB pretty", 2000000, 8, 15, true);
    if (argc > 1)
        bench_files(argv + 1, argc - 1);
    free(copy_room);
    arena_pool_free(&pool);
    return 0;
}
