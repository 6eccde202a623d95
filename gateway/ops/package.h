/* gateway/ops/package.h -- FHIR packages, kept in one folder, pinned by hash, offline.
 *
 *     packages/
 *         packages.lock                       JSON: name, version, integrity, bytes, file
 *         hl7.fhir.us.core#6.1.0.tgz
 *         site.pack                           all of them, compiled (gateway/ops/site_pack.h)
 *
 *   K1  A package comes from a file that the operator has; nothing is fetched.
 *   K2  Its bytes are kept as they came and pinned by SHA-512, written as npm
 *       writes it: "sha512-" and base64 (W3C Subresource Integrity).
 *   K3  The same name and version with other bytes is refused.
 *   K4  verify reads every byte again; a package that differs, is missing or is
 *       not in the lock file is an integrity failure.
 *   K5  The lock file is replaced by rename, after the packages' own files and
 *       the pack: what is written before a failure is not looked at.
 *   K6  Nothing is added whose dependencies are not here (package_depends.h) or
 *       whose definitions do not compile, and nothing removed that another
 *       package rests on.
 *   K7  A folder is kept as an archive that is made of it.
 */
#ifndef SLUICE_GATEWAY_OPS_PACKAGE_H
#define SLUICE_GATEWAY_OPS_PACKAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "fhir/pack.h"

struct package {
    struct span name, version;           /* "hl7.fhir.us.core", "6.1.0" */
    struct span integrity;               /* "sha512-…" */
    struct span file;                    /* in the folder */
    uint64_t    bytes;
};

struct package_list {
    struct package *all;
    size_t          count;
};

/* Where packages are kept and what they are compiled on top of. */
struct package_folder {
    const char        *dir;
    const struct pack *base;
};

/* Takes all of them or none: .tgz files, or folders with package/package.json or
 * package.json, in any order.  `integrity`, when it is not empty, is what
 * each must have: "sha512-…" as npm writes it, or 128 hex digits.  out[i] and
 * known[i] (it was there already, with the same bytes) are of paths[i].
 *   ST_CONFLICT   the same name and version is there with other bytes
 *   ST_INTEGRITY  not the bytes that were asked for
 *   ST_MALFORMED  no package, a dependency that is not here, a broken definition */
enum status package_add(const struct package_folder *, const char *const *paths, size_t count, struct span integrity,
                        struct arena *, struct package *out, bool *known, struct buf *why) MUST_CHECK;
enum status package_list(const char *dir, struct arena *, struct package_list *out, struct buf *why) MUST_CHECK;
/* ST_OK or ST_INTEGRITY for one of the list; `why` says what differs. */
enum status package_verify(const char *dir, const struct package *, struct buf *why) MUST_CHECK;
/* Whether these are its bytes. */
bool        package_is(const struct package *, struct span bytes);
/* `what` is "name#version" or "name@version".  ST_MALFORMED when another rests on it. */
enum status package_remove(const struct package_folder *, struct span what, struct arena *, struct buf *why) MUST_CHECK;

#endif
