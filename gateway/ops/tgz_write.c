/* gateway/ops/tgz_write.c -- a gzipped tar of files in memory. */
#include "gateway/ops/tgz_write.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { BLOCK = 512, NAME_BYTES = 100 };

static void
add_block(struct buf *tar, struct span name, size_t size, char type)
{
    char     block[BLOCK + 1] = "";          /* snprintf ends with a NUL of its own */
    unsigned sum              = 0;

    memcpy(block, name.at, name.length < NAME_BYTES ? name.length : NAME_BYTES);
    snprintf(block + 100, 8, "%07o", 0644u);
    snprintf(block + 108, 8, "%07o", 0u);
    snprintf(block + 116, 8, "%07o", 0u);
    snprintf(block + 124, 12, "%011zo", size);
    snprintf(block + 136, 12, "%011o", 0u);
    memset(block + 148, ' ', 8);
    block[156] = type;
    memcpy(block + 257, "ustar\00000", 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)block[i];
    snprintf(block + 148, 8, "%06o", sum);
    buf_add(tar, span_from(block, BLOCK));
}

static void
add_content(struct buf *tar, struct span content)
{
    static const char zeros[BLOCK];

    buf_add(tar, content);
    if (content.length % BLOCK > 0)
        buf_add(tar, span_from(zeros, BLOCK - content.length % BLOCK));
}

void
tar_add(struct buf *tar, struct span name, struct span content)
{
    if (name.length > NAME_BYTES) {
        add_block(tar, SPAN("././@LongLink"), name.length, 'L');
        add_content(tar, name);
    }
    add_block(tar, name, content.length, '0');
    add_content(tar, content);
}

enum status
tgz_finish(struct buf *tar, struct buf *out)
{
    static const char zeros[2 * BLOCK];
    z_stream          z  = { 0 };
    enum status       st = ST_NO_MEMORY;

    buf_add(tar, span_from(zeros, sizeof zeros));
    if (buf_status(tar) != ST_OK)
        return buf_status(tar);
    if (tar->length > UINT_MAX || deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return ST_TOO_LARGE;
    size_t room = deflateBound(&z, (uLong)tar->length);
    char  *to   = room <= UINT_MAX ? buf_reserve(out, room) : NULL;
    if (to != NULL) {
        z.next_in   = (Bytef *)tar->at;
        z.avail_in  = (uInt)tar->length;
        z.next_out  = (Bytef *)to;
        z.avail_out = (uInt)room;
        st          = deflate(&z, Z_FINISH) == Z_STREAM_END ? ST_OK : ST_NO_MEMORY;
        buf_commit(out, st == ST_OK ? z.total_out : 0);
    }
    deflateEnd(&z);
    return st;
}
