/* gateway/ops/package_content.h -- what a FHIR package holds: a manifest and
 * definitions, read into memory.
 *
 *     name.tgz          as registries serve it: gzip, tar, everything in package/
 *     folder            with package/package.json, or flat with package.json
 *     folder            of definitions alone, without a manifest: when asked for
 *
 * Taken are the JSON files of the package's own folder: examples, tests and
 * what else an implementation guide brings along lie in folders of their own
 * (https://confluence.hl7.org/display/FHIR/NPM+Package+Specification).  They
 * come in the order of their names, so that the same package is compiled the
 * same way wherever it is read from.  Links, devices and members whose name
 * leads elsewhere are passed over; nothing is written.
 *
 * Bounds: CONTENT_FILES files, CONTENT_BYTES together.
 */
#ifndef SLUICE_GATEWAY_OPS_PACKAGE_CONTENT_H
#define SLUICE_GATEWAY_OPS_PACKAGE_CONTENT_H

#include "base/buf.h"
#include "fhir/package.h"

#define CONTENT_FILES 20000u
#define CONTENT_BYTES ((size_t)512 << 20)

struct package_dependency { struct span name, version; };

struct package_content {
    struct span                name, version;    /* empty: there is no manifest */
    struct package_dependency *dependencies;
    size_t                     dependency_count;
    struct package_file       *files;
    size_t                     file_count;
    struct span                manifest;         /* package.json, as it is */
};

/* Everything in the arena.  ST_MALFORMED, ST_TOO_LARGE, ST_NOT_FOUND, ST_IO or
 * ST_NO_MEMORY with a sentence in `why`.  `loose`: a folder needs no manifest. */
enum status package_content_read(const char *path, bool loose, struct arena *, struct package_content *out,
                                 struct buf *why) MUST_CHECK;
/* The bytes of a .tgz; `path` is for messages. */
enum status package_content_of(const char *path, struct span tgz, struct arena *, struct package_content *out,
                               struct buf *why) MUST_CHECK;

#endif
