/* fhir/package.h -- definitions of FHIR packages -> the bytes of a pack.
 *
 * A FHIR package holds a JSON file per definition
 * (https://confluence.hl7.org/display/FHIR/NPM+Package+Specification); HL7
 * also publishes Bundles of definitions (profiles-resources.json).  Both are
 * taken.  Files are read by whoever calls (gateway/ops/package.h, tools/);
 * here is the pure step.
 *
 * Everything is read by the tape, so a definition that two readers could read
 * differently is refused like any other input.
 *
 * Compiled now: StructureDefinitions that are types or resources (derivation
 * "specialization", and Element and Resource), from their snapshots.
 * Constraints (profiles), ValueSets and CodeSystems are passed over.
 */
#ifndef SLUICE_FHIR_PACKAGE_H
#define SLUICE_FHIR_PACKAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/span.h"
#include "fhir/issue.h"
#include "fhir/pack.h"

struct package_file {
    struct span name;                    /* for findings */
    struct span bytes;
};

struct package_sources {
    const struct package_file *files;
    size_t                     count;
    struct span                about;    /* "hl7.fhir.r4.core#4.0.1", kept in the pack */
    struct span                sha256;   /* 32 bytes over all files, kept in the pack */
    const struct pack         *base;     /* what is compiled comes on top of it; NULL: of nothing */
};
/* Appends the pack to `out`.  ST_MALFORMED with findings (their expression
 * begins with the id of the definition) when a definition is broken: nothing
 * is added then.  `budget` of the arena: about five times the bytes. */
enum status package_compile(const struct package_sources *, struct arena *, struct issues *,
                            struct buf *out) MUST_CHECK;
/* The same; `broken` becomes the name of the file that holds what is broken,
 * as `files` has it, and empty when that is not known. */
enum status package_compile_or_name(const struct package_sources *, struct arena *, struct issues *, struct buf *out,
                                    struct span *broken) MUST_CHECK;

#endif
