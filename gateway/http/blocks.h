/* gateway/http/blocks.h -- the byte buffers of connections, kept for the next.
 *
 * A block is contiguous room in a power of two from 16 KiB up, with
 * BLOCK_SLACK bytes behind it that are zero when block_close() has been
 * called: the tape reads past the end of a body (base/json_tape.h).
 *
 * Rules:
 *   1  What a block held is wiped when it is given back: it was PHI.
 *   2  A block that comes back waits for the next connection, so that a
 *      steady state makes no heap call per request; at most max_held bytes
 *      wait, the rest is freed.
 *   3  Memory is asked for in steps: a length that is only announced costs
 *      nothing until bytes come (block_grow doubles).
 *
 * One thread.
 */
#ifndef SLUICE_GATEWAY_HTTP_BLOCKS_H
#define SLUICE_GATEWAY_HTTP_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#define BLOCK_SLACK    64u
#define BLOCK_SMALLEST 16384u

struct block {
    struct block *next;
    size_t        capacity;              /* without the slack */
    size_t        length;                /* in use; what is wiped */
    char          at[];
};

struct blocks;

struct blocks *blocks_new(size_t max_held);
void           blocks_free(struct blocks **);            /* what is lent out must be back */

/* At least `least` bytes; NULL when there is no memory. */
struct block *block_take(struct blocks *, size_t least);
/* For bytes that are only announced: a block for all of them when one waits,
 * else one for min(announced, first) of them. */
struct block *block_take_announced(struct blocks *, size_t announced, size_t first);
/* NULL is fine; clears the pointer. */
void          block_give(struct blocks *, struct block **);
/* Room for `more` bytes after length, but no more than `most` in all: moves
 * to a larger block when it must.  False: no memory, nothing has changed. */
bool          block_grow(struct blocks *, struct block **, size_t more, size_t most);
/* Zeroes the slack behind length. */
void          block_close(struct block *);
/* Frees what waits beyond `keep` bytes. */
void          blocks_trim(struct blocks *, size_t keep);

#endif
