/* gateway/ops/tgz_write.h -- a gzipped tar of files in memory, always the same
 * bytes for the same files.
 *
 *     buf_init(&tar, …);
 *     tar_add(&tar, SPAN("package/package.json"), json);
 *     enum status st = tgz_finish(&tar, &tgz);
 *
 * ustar (POSIX.1-2017 pax, ustar Interchange Format) with times of 0 and no
 * owner; a name of more than 100 bytes goes before its file as GNU tar writes
 * it, which gateway/ops/tgz.h reads.
 */
#ifndef SLUICE_GATEWAY_OPS_TGZ_WRITE_H
#define SLUICE_GATEWAY_OPS_TGZ_WRITE_H

#include "base/buf.h"

void        tar_add(struct buf *tar, struct span name, struct span content);
/* Ends the tar and appends it, compressed, to `out`. */
enum status tgz_finish(struct buf *tar, struct buf *out) MUST_CHECK;

#endif
