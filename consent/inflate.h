/* consent/inflate.h -- gzip (RFC 1952) and zlib (RFC 1950) data, bounded.
 *
 * The only file of the layer that includes zlib.  A bomb ends at max bytes.
 */
#ifndef SLUICE_CONSENT_INFLATE_H
#define SLUICE_CONSENT_INFLATE_H

#include "base/arena.h"

/* Either form, told by its header; members that follow each other are one.
 * ST_TOO_LARGE past max, ST_MALFORMED when it is damaged, ST_NO_MEMORY.  A
 * stream that breaks off gives what there is and ST_MALFORMED. */
enum status inflate_bytes(struct span packed, size_t max, struct arena *, struct span *out) MUST_CHECK;

#endif
