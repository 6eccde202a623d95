/* fhir/package.h -- FHIR packages: bytes -> definitions -> a pack.
 *
 * A FHIR package is a folder or a .tgz with a `package/package.json` and a
 * JSON file per definition (https://confluence.hl7.org/display/FHIR/NPM+Package+Specification);
 * HL7 also publishes Bundles of definitions (profiles-resources.json).  Both
 * are taken.  Files are read by whoever calls (gateway, tools); here are the
 * pure steps:
 *
 *     package_tar_next()       an unpacked tar -> one file after another
 *     package_manifest_read()  package.json    -> name, version, dependencies
 *     package_compile()        definitions     -> the bytes of a pack (fhir/pack.h)
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

/* One regular file of a tar (POSIX ustar, with pax and GNU long names) after
 * another; *rest is what is left.  ST_NOT_FOUND: no more.  ST_MALFORMED: a
 * broken header, a size behind the end, a name with "..", an absolute name, a
 * link or device: such an archive is not a package. */
struct package_file {
    struct span name;                    /* "package/StructureDefinition-us-core-patient.json" */
    struct span bytes;
};
enum status package_tar_next(struct span *rest, struct arena *, struct package_file *out) MUST_CHECK;

struct package_name { struct span name, version; };

struct package_manifest {
    struct span                name, version, canonical;
    struct span                fhir_version;         /* "4.0.1": the first of fhirVersions */
    const struct package_name *dependencies;
    size_t                     dependency_count;
};
/* ST_MALFORMED with findings when it is no package.json of a FHIR package. */
enum status package_manifest_read(struct span json, struct arena *, struct issues *,
                                  struct package_manifest *out) MUST_CHECK;

struct package_sources {
    const struct package_file *files;
    size_t                     count;
    struct span                about;    /* "hl7.fhir.r4.core#4.0.1", kept in the pack */
    struct span                sha256;   /* 32 bytes over all files, kept in the pack */
};
/* Appends the pack to `out`.  ST_MALFORMED with findings (their expression
 * begins with the id of the definition) when a definition is broken: nothing
 * is added then.  `budget` of the arena: about five times the bytes. */
enum status package_compile(const struct package_sources *, struct arena *, struct issues *,
                            struct buf *out) MUST_CHECK;

#endif
