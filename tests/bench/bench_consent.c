/* tests/bench/bench_consent.c -- what labelling, deciding, closing and redacting a Bundle costs.
 *
 *     bench_consent [--rounds N] [--times N] FACTS FILE
 *
 * FACTS is a request file (consent/facts.h).  A round does the Bundle so many
 * times from its bytes to the bytes that leave, part by part, in CPU seconds of
 * this thread for one Bundle:
 *
 *   tape      bytes -> tape
 *   read      tape -> Bundle and references
 *   label     resources -> labels, by source, code and text
 *   release   consents read, every entry decided, closed, edited, sealed, read again
 *   wipe      the memory given back
 *
 * Prints one JSON object for tests/bench/run_consent.py.
 */
#include <stdlib.h>
#include <string.h>

#include "consent/release.h"
#include "tests/bench/measure.h"
#include "tests/support/check.h"

#define BUDGET ((size_t)2 << 30)

enum part { TAPE, READ, LABEL, RELEASE, WIPE, PARTS };

static const char *const part_names[] = { "tape", "read", "label", "release", "wipe" };

struct made { enum release_outcome outcome; size_t bytes, entries; };

static void
do_once(struct arena_pool *pool, struct span body, const struct facts *facts, double spent[PARTS], struct made *made)
{
    struct arena            *arena = arena_new_from(pool, "bench", BUDGET);
    const struct tape       *tape;
    const struct bundle     *bundle;
    const struct references *references;
    const struct labeling   *labeling;
    const struct release    *release;
    double                   t[PARTS + 1];

    measure_stop_unless(arena != NULL, "not enough memory");
    struct issues *issues = issues_new(arena, 10);
    t[TAPE] = measure_now();
    measure_stop_unless(tape_read(body, &tape_default_limits, arena, &tape, NULL) == ST_OK, "the Bundle was refused");
    t[READ] = measure_now();
    measure_stop_unless(bundle_read(tape, arena, issues, &bundle) == ST_OK
                            && references_read(bundle, arena, &references) == ST_OK, "this is no Bundle");
    t[LABEL] = measure_now();
    measure_stop_unless(label_bundle(bundle, references, facts, arena, &labeling) == ST_OK, "it could not be labelled");
    t[RELEASE] = measure_now();
    measure_stop_unless(release_make(bundle, references, labeling, facts, arena, &release) == ST_OK, "it could not be decided");
    t[WIPE] = measure_now();
    *made = (struct made){ release->outcome, release->payload.length, bundle->count };
    arena_free(&arena);
    t[PARTS] = measure_now();
    for (int i = 0; i < PARTS; i++)
        spent[i] += t[i + 1] - t[i];
}

static void
run(struct span body, const struct facts *facts, uint64_t rounds, uint64_t times)
{
    struct arena_pool *pool = arena_pool_new(BUDGET);
    double             warm[PARTS] = { 0 };
    struct made        made;

    measure_stop_unless(pool != NULL, "not enough memory");
    do_once(pool, body, facts, warm, &made);
    printf("{\"rounds\":[");
    for (uint64_t round = 0; round < rounds; round++) {
        double spent[PARTS] = { 0 };
        for (uint64_t i = 0; i < times; i++)
            do_once(pool, body, facts, spent, &made);
        printf("%s{", round > 0 ? "," : "");
        for (int p = 0; p < PARTS; p++)
            printf("%s\"%s\":%.9f", p > 0 ? "," : "", part_names[p], spent[p] / (double)times);
        printf("}");
    }
    printf("],\"outcome\":\"%s\",\"bytes\":%zu,\"leaves\":%zu,\"entries\":%zu}\n", release_outcome_text(made.outcome), body.length,
           made.bytes, made.entries);
    arena_pool_free(&pool);
}

int
main(int argc, char **argv)
{
    struct arena       *keep   = arena_new("documents", (size_t)1 << 30);
    uint64_t            rounds = 5, times = 20;
    const struct facts *facts;
    int                 i = 1;

    measure_stop_unless(keep != NULL, "not enough memory");
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2)
        measure_stop_unless(span_to_u64(span_of(argv[i + 1]), strcmp(argv[i], "--times") == 0 ? &times : &rounds)
                                && times > 0, "usage: bench_consent [--rounds N] [--times N] FACTS FILE");
    measure_stop_unless(argc == i + 2, "usage: bench_consent [--rounds N] [--times N] FACTS FILE");
    measure_stop_unless(facts_read(check_file(keep, argv[i]), keep, issues_new(keep, 10), &facts) == ST_OK,
                        "this is not a request file");
    run(check_file(keep, argv[i + 1]), facts, rounds, times);
    arena_free(&keep);
    return 0;
}
