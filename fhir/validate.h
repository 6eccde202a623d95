/* fhir/validate.h -- run the definition tables over a document, feed findings.
 *
 * Depth now: resourceType known, unknown and miscased names, cardinality,
 * types, choice elements, primitive formats, empty objects and arrays,
 * parallel arrays, Bundle rules bdl-1..bdl-12 (R4 bundle.html).
 * Profiles, bindings, slicing and FHIRPath run on the same tables.
 *
 * Pure and reentrant; the pack and the bundle are shared, the sink is not.
 */
#ifndef SLUICE_FHIR_VALIDATE_H
#define SLUICE_FHIR_VALIDATE_H

#include "fhir/bundle.h"
#include "fhir/issue.h"
#include "fhir/pack.h"

struct validate_options {
    const struct span *profiles;         /* canonical URLs asked for in addition to the base */
    size_t             profile_count;
};

/* ST_OK however many findings there are; ST_NO_MEMORY when it could not be
 * finished (then nothing may be accepted). */
enum status validate(const struct pack *, const struct bundle *, const struct validate_options *,
                     struct arena *, struct issues *) MUST_CHECK;

#endif
