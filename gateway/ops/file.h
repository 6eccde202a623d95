/* gateway/ops/file.h -- a whole file as bytes, bounded.
 *
 * Regular files, pipes and terminals; "-" is standard input.  What is larger
 * than the buf's maximum is ST_TOO_LARGE and nothing is kept.
 */
#ifndef SLUICE_GATEWAY_OPS_FILE_H
#define SLUICE_GATEWAY_OPS_FILE_H

#include "base/buf.h"

/* ST_OK, ST_TOO_LARGE, ST_NO_MEMORY, or ST_IO / ST_NOT_FOUND with errno. */
enum status file_read(const char *path, struct buf *) MUST_CHECK;
/* The sentence for a status that file_read has just given; uses errno. */
const char *file_why(enum status);
/* Writes all of it; false with errno. */
bool        file_write_fd(int fd, struct span);

#endif
