#include "gateway/http/gunzip.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#define WINDOW_GZIP (15 + 16)            /* 32 KiB window, gzip wrapper only */

struct gunzip {
    z_stream z;
};

static enum status undo(struct gunzip *, struct blocks *, size_t max_bytes, struct block **out);
static enum status make_room(struct gunzip *, struct blocks *, size_t max_bytes, struct block **out);

struct gunzip *
gunzip_new(void)
{
    struct gunzip *g = calloc(1, sizeof *g);

    if (g != NULL && inflateInit2(&g->z, WINDOW_GZIP) != Z_OK) {
        free(g);
        return NULL;
    }
    return g;
}

void
gunzip_free(struct gunzip **g)
{
    if (*g == NULL)
        return;
    inflateEnd(&(*g)->z);
    free(*g);
    *g = NULL;
}

enum status
gunzip(struct gunzip *g, struct blocks *blocks, struct span in, size_t max_bytes, struct block **out)
{
    *out = NULL;
    if (in.length > UINT_MAX)
        return ST_TOO_LARGE;
    if (inflateReset(&g->z) != Z_OK)
        return ST_NO_MEMORY;
    struct block *made = block_take(blocks, in.length * 4 < max_bytes ? in.length * 4 : max_bytes);
    if (made == NULL)
        return ST_NO_MEMORY;
    /* zlib does not write to next_in; without ZLIB_CONST its type says it might. */
    g->z.next_in  = (Bytef *)(uintptr_t)in.at;
    g->z.avail_in = (uInt)in.length;
    enum status st = undo(g, blocks, max_bytes, &made);
    if (st != ST_OK)
        block_give(blocks, &made);
    *out = made;
    return st;
}

static enum status
undo(struct gunzip *g, struct blocks *blocks, size_t max_bytes, struct block **out)
{
    for (;;) {
        enum status st = make_room(g, blocks, max_bytes, out);
        if (st != ST_OK)
            return st;
        size_t room = g->z.avail_out;
        int    made = inflate(&g->z, Z_NO_FLUSH);
        (*out)->length += room - g->z.avail_out;
        if ((*out)->length > max_bytes)
            return ST_TOO_LARGE;
        if (made == Z_STREAM_END) {
            if (g->z.avail_in == 0)
                return ST_OK;
            if (inflateReset(&g->z) != Z_OK)
                return ST_NO_MEMORY;
            continue;
        }
        /* Z_BUF_ERROR with input used up: the stream breaks off. */
        if (made != Z_OK || (g->z.avail_in == 0 && g->z.avail_out > 0))
            return made == Z_MEM_ERROR ? ST_NO_MEMORY : ST_MALFORMED;
    }
}

/* One byte over the limit is asked for, so that what is exactly as long as
 * the limit can be told from what is longer; it lands in the slack. */
static enum status
make_room(struct gunzip *g, struct blocks *blocks, size_t max_bytes, struct block **out)
{
    if ((*out)->length == (*out)->capacity && (*out)->capacity < max_bytes
        && !block_grow(blocks, out, 1, max_bytes))
        return ST_NO_MEMORY;
    size_t most = (*out)->capacity < max_bytes ? (*out)->capacity : max_bytes + 1;
    size_t room = most - (*out)->length;
    g->z.next_out  = (Bytef *)(*out)->at + (*out)->length;
    g->z.avail_out = (uInt)(room < UINT_MAX ? room : UINT_MAX);
    return ST_OK;
}
