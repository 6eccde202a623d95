/* base/buf.h -- bytes that grow, up to a maximum, with a sticky status.
 *
 *     struct buf out;
 *     buf_init(&out, 1 << 20);
 *     buf_add_text(&out, "records: ");
 *     buf_add_u64(&out, n);
 *     if (buf_status(&out) != ST_OK) ...          asked once
 *     buf_release(&out);
 *
 * The size is checked before it grows.  After the first failure nothing more
 * is added and the status stays: ST_TOO_LARGE past the maximum, ST_NO_MEMORY
 * when malloc fails.  Memory is wiped when it is released or outgrown.
 * A zeroed buf has maximum 0 and refuses every byte.
 */
#ifndef SLUICE_BASE_BUF_H
#define SLUICE_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/status.h"

struct buf {
    char       *at;
    size_t      length;
    size_t      capacity;
    size_t      max;
    enum status status;
};

void buf_init(struct buf *, size_t max_bytes);
void buf_release(struct buf *);                  /* wiped and freed */
void buf_clear(struct buf *);                    /* empty, wiped, status ST_OK; keeps the memory */

void buf_add(struct buf *, struct span);
void buf_add_text(struct buf *, const char *text);
void buf_add_byte(struct buf *, char byte);
void buf_add_u64(struct buf *, uint64_t number);
void buf_add_hex(struct buf *, const void *bytes, size_t length);    /* lower case */
void buf_add_format(struct buf *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for `size` bytes at the end: write there, then buf_commit what was
 * used.  NULL when it may not grow. */
char *buf_reserve(struct buf *, size_t size);
void  buf_commit(struct buf *, size_t used);

struct span buf_span(const struct buf *);        /* valid until the next add */
enum status buf_status(const struct buf *) MUST_CHECK;
/* The caller becomes owner of the bytes (free()), the buf is empty after. */
char       *buf_detach(struct buf *, size_t *length);

#endif
