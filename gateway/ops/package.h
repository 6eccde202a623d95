/* gateway/ops/package.h -- FHIR packages, kept in one folder, pinned by hash, offline.
 *
 *     packages/
 *         packages.lock                       JSON: name, version, integrity, bytes, file
 *         hl7.fhir.us.core#6.1.0.tgz
 *
 *   K1  A package comes from a file that the operator has; nothing is fetched.
 *   K2  Its bytes are kept as they came and pinned by SHA-512, written as npm
 *       writes it: "sha512-" and base64 (W3C Subresource Integrity).
 *   K3  The same name and version with other bytes is refused.
 *   K4  verify reads every byte again; a package that differs, is missing or is
 *       not in the lock file is an integrity failure.
 *   K5  The lock file is replaced by rename, after the package's own file.
 */
#ifndef SLUICE_GATEWAY_OPS_PACKAGE_H
#define SLUICE_GATEWAY_OPS_PACKAGE_H

#include "base/arena.h"
#include "base/buf.h"

struct package {
    struct span name, version;           /* "hl7.fhir.us.core", "6.1.0" */
    struct span integrity;               /* "sha512-…"; empty for a folder */
    struct span file;                    /* in the folder */
    uint64_t    bytes;
};

struct package_list {
    struct package *all;
    size_t          count;
};

/* A .tgz, or a folder with package.json or package/package.json. */
enum status package_read(const char *path, struct arena *, struct package *out, struct buf *why) MUST_CHECK;

/* ST_OK also when it is there already with the same bytes (*known true);
 * ST_CONFLICT when it is there with other bytes. */
enum status package_add(const char *dir, const char *path, struct arena *, struct package *out, bool *known,
                        struct buf *why) MUST_CHECK;
enum status package_list(const char *dir, struct arena *, struct package_list *out, struct buf *why) MUST_CHECK;
/* ST_OK or ST_INTEGRITY for one of the list; `why` says what differs. */
enum status package_verify(const char *dir, const struct package *, struct buf *why) MUST_CHECK;
/* `what` is "name#version" or "name@version". */
enum status package_remove(const char *dir, struct span what, struct arena *, struct buf *why) MUST_CHECK;

#endif
