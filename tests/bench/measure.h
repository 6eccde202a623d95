/* tests/bench/measure.h -- what benchmarks of reading and validating have in common.
 *
 * Times are CPU seconds of this thread: the machine may be shared.
 */
#ifndef SLUICE_TESTS_BENCH_MEASURE_H
#define SLUICE_TESTS_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define MEASURE_MOST_ROUNDS 64u

double measure_now(void);
void   measure_stop_unless(bool good, const char *what);
double measure_median(const double *values, size_t count);
/* A Bundle of so many Observations, each of which refers to another one far off. */
void   measure_pointing_bundle(struct buf *out, size_t entries);

#endif
