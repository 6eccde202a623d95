/* tests/bench/measure.c -- what benchmarks of reading and validating have in common. */
#include "tests/bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double
measure_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void
measure_stop_unless(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double
measure_median(const double *values, size_t count)
{
    double sorted[MEASURE_MOST_ROUNDS];

    measure_stop_unless(count > 0 && count <= MEASURE_MOST_ROUNDS, "so many rounds are not kept");
    memcpy(sorted, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, by_value);
    return sorted[count / 2];
}

void
measure_pointing_bundle(struct buf *out, size_t entries)
{
    buf_add_text(out, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[");
    for (size_t i = 0; i < entries; i++)
        buf_add_format(out, "%s{\"fullUrl\":\"http://example.org/fhir/Observation/o%zu\",\"resource\":{\"resourceType\":\"Observation\","
                       "\"id\":\"o%zu\",\"status\":\"final\",\"code\":{\"text\":\"x\"},\"hasMember\":[{\"reference\":\"Observation/o%zu\"}]}}",
                       i > 0 ? "," : "", i, i, (i * 7919) % entries);
    buf_add_text(out, "]}");
    measure_stop_unless(buf_status(out) == ST_OK, "a made-up Bundle did not fit");
}
