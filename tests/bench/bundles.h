/* tests/bench/bundles.h -- made-up FHIR Bundles, the same on every machine.
 *
 * Patients, Encounters, Conditions, Observations, MedicationRequests and
 * Claims with the names, nesting and text lengths of real traffic: about 13
 * bytes a node when minified.  Nothing in them is anybody's.
 */
#ifndef SLUICE_TESTS_BENCH_BUNDLES_H
#define SLUICE_TESTS_BENCH_BUNDLES_H

#include "base/buf.h"
#include "tests/support/check.h"

/* One Bundle of at least `bytes` when minified; `pretty` indents by two. */
void make_bundle(struct chance *, struct buf *out, size_t bytes, bool pretty);

#endif
