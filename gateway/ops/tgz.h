/* gateway/ops/tgz.h -- reads a gzipped tar, member by member, in memory.
 *
 * For FHIR packages (npm's form, hl7.org/fhir/packages). Only regular files
 * are shown; links, devices and folders are passed over, and nothing is ever
 * written to disk, so a hostile member name names nothing.
 *
 * Bounds: a member TGZ_MEMBER_BYTES, all together TGZ_WHOLE_BYTES.
 * Forms: ustar with prefix, GNU long names, pax `path` (POSIX.1-2017 pax).
 */
#ifndef SLUICE_GATEWAY_OPS_TGZ_H
#define SLUICE_GATEWAY_OPS_TGZ_H

#include "base/buf.h"

#define TGZ_MEMBER_BYTES ((size_t)256 << 20)
#define TGZ_WHOLE_BYTES  ((size_t)2 << 30)

/* The spans live until it returns; false ends the visit, which is no error. */
typedef bool tgz_visitor(struct span name, struct span content, void *arg);

/* ST_OK, ST_MALFORMED, ST_TOO_LARGE or ST_NO_MEMORY; `why` says what is wrong. */
enum status tgz_visit(struct span bytes, tgz_visitor *, void *arg, struct buf *why) MUST_CHECK;

#endif
