/* gateway/http/gunzip.h -- undoes Content-Encoding: gzip, bounded.
 *
 * All members of the stream are undone (RFC 1952 2.2); what follows the last
 * one is refused, and so is a stream that breaks off.  The output is bounded
 * by the caller's limit before it grows: a bomb costs the limit and no more.
 * One zlib state serves all requests of a loop, one after the other.
 */
#ifndef SLUICE_GATEWAY_HTTP_GUNZIP_H
#define SLUICE_GATEWAY_HTTP_GUNZIP_H

#include "base/span.h"
#include "base/status.h"
#include "gateway/http/blocks.h"

struct gunzip;

struct gunzip *gunzip_new(void);         /* NULL: no memory */
void           gunzip_free(struct gunzip **);
/* ST_TOO_LARGE over max_bytes, ST_MALFORMED, ST_NO_MEMORY; then *out is NULL. */
enum status    gunzip(struct gunzip *, struct blocks *, struct span in, size_t max_bytes,
                      struct block **out) MUST_CHECK;

#endif
