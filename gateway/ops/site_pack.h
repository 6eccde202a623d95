/* gateway/ops/site_pack.h -- a site's packages, compiled on top of the built-in
 * definitions.
 *
 *     packages/NAME#VERSION.tgz  --package add, rm-->  packages/site.pack  --mapped by-->  serve
 *
 *   P1  All packages of the folder become one pack: the built-in one and what
 *       they add, in the order of dependencies (gateway/ops/package_depends.h).
 *   P2  The pack says what it was made from: a hash over the built-in pack and
 *       the pins of the packages.  One that was made from anything else is not
 *       used; then the packages are compiled when they are asked for.
 *   P3  A package whose bytes are not those of its pin is not compiled.
 *
 * Packages: SITE_PACKAGES at most.
 */
#ifndef SLUICE_GATEWAY_OPS_SITE_PACK_H
#define SLUICE_GATEWAY_OPS_SITE_PACK_H

#include "fhir/pack.h"
#include "gateway/ops/config.h"
#include "gateway/ops/package.h"
#include "gateway/ops/package_content.h"

#define SITE_PACK     "site.pack"
#define SITE_PACKAGES 512u

/* Contents, in this order, on top of a pack.  `identity`: 32 bytes that are kept
 * as what it was made from.  ST_MALFORMED when a definition is broken: `why`
 * names the first of them. */
enum status site_pack_compile(const struct package_content *all, size_t count, const struct pack *base,
                              struct span identity, struct buf *out, struct buf *why) MUST_CHECK;

/* The same without what is broken, for a process that asks for definitions as
 * they are found: a line of `left_out` for each file that is not in the pack
 * (its definitions, and those that rest on them, are unknown then).  The files
 * of `all` become fewer; `why` is cleared. */
enum status site_pack_compile_sound(struct package_content *all, size_t count, const struct pack *base, struct span identity,
                                    struct buf *out, struct buf *left_out, struct buf *why) MUST_CHECK;

/* The packages of a folder.  fresh[i] are the bytes of the i-th when it is not
 * in the folder yet, else empty; NULL: all are.  Nothing is written. */
enum status site_pack_build(const char *dir, const struct package_list *, const struct span *fresh,
                            const struct pack *base, struct buf *out, struct buf *why) MUST_CHECK;

/* What is asked with where a folder is configured: its site.pack, mapped for the
 * life of the process, or compiled now when it is not of these packages (*built
 * true); the base itself when there are none.  `used`, when it is of the same
 * packages, is taken again; it may be NULL. */
enum status site_pack_open(const char *dir, const struct pack *base, const struct pack *used, struct arena *,
                           const struct pack **out, bool *built, struct buf *why) MUST_CHECK;

/* config->pack, from packages { dir, profile }: an error for packages that cannot
 * be used and for every profile that nobody defines. */
void site_pack_configure(struct config *, const struct pack *base, const struct pack *used, struct arena *, bool *built,
                         struct config_errors *);

#endif
