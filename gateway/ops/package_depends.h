/* gateway/ops/package_depends.h -- whether all that packages rest on is there,
 * and which one is compiled first.
 *
 *   D1  What package.json names under `dependencies` is built in or among the
 *       packages; what is not is an error that names both sides.
 *   D2  Built in are hl7.fhir.r4.core 4.0, hl7.terminology and
 *       hl7.fhir.uv.extensions (with or without .r4) in whatever version is
 *       asked for, and hl7.fhir.uv.ips of the same major version: those of
 *       definitions/package.json.  Terminology and extensions grow and take
 *       nothing back, so a later one serves who asked for an earlier one.
 *   D3  A version is met by itself.  "6.1.x" is met by every 6.1; "latest",
 *       "current", "dev" and "*" by any.
 *   D4  A package comes after those that it rests on; otherwise they stay in
 *       the order in which they were added.  Of two definitions with the same
 *       canonical URL and version the later package's counts.
 *   D5  Packages that rest on each other in a circle are an error.
 */
#ifndef SLUICE_GATEWAY_OPS_PACKAGE_DEPENDS_H
#define SLUICE_GATEWAY_OPS_PACKAGE_DEPENDS_H

#include "gateway/ops/package_content.h"

bool depends_built_in(struct span name, struct span version);
bool depends_version_met(struct span wanted, struct span have);

/* order[i] is the index of the one that is compiled as i-th.  ST_MALFORMED with
 * a sentence in `why`, or ST_NO_MEMORY. */
enum status depends_order(const struct package_content *all, size_t count, struct arena *, size_t *order,
                          struct buf *why) MUST_CHECK;

#endif
