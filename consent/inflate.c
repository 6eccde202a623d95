#include "consent/inflate.h"

#include <string.h>
#include <zlib.h>

#define FIRST_ROOM (16u * 1024)

struct output { char *at; size_t length, room, max; struct arena *arena; };

static enum status
make_room(struct output *o)
{
    size_t room = o->room > 0 ? o->room * 2 : FIRST_ROOM;

    if (room > o->max)
        room = o->max;
    if (room <= o->length)
        return ST_TOO_LARGE;
    o->at = arena_grow(o->arena, o->at, o->room, room);
    o->room = room;
    return o->at != NULL ? ST_OK : ST_NO_MEMORY;
}

static enum status
run(z_stream *z, struct output *o)
{
    for (;;) {
        if (o->length == o->room) {
            enum status st = make_room(o);
            if (st != ST_OK)
                return st;
        }
        z->next_out  = (unsigned char *)o->at + o->length;
        z->avail_out = (unsigned)(o->room - o->length);
        int rc = inflate(z, Z_NO_FLUSH);
        o->length = o->room - z->avail_out;
        if (rc == Z_STREAM_END) {
            if (z->avail_in == 0)
                return ST_OK;
            /* Another member (RFC 1952 2.2), or bytes that are not ours. */
            if (z->next_in[0] != 0x1f || inflateReset(z) != Z_OK)
                return ST_OK;
        } else if (rc == Z_MEM_ERROR) {
            return ST_NO_MEMORY;
        } else if (rc != Z_OK) {
            return ST_MALFORMED;         /* Z_BUF_ERROR: it breaks off */
        }
    }
}

enum status
inflate_bytes(struct span packed, size_t max, struct arena *arena, struct span *out)
{
    struct output o = { .max = max, .arena = arena };
    z_stream      z;
    unsigned char none = 0;

    *out = span_from(NULL, 0);
    memset(&z, 0, sizeof z);
    /* 15 + 32: the largest window, header told by itself (zlib.h, inflateInit2). */
    if (packed.length > UINT32_MAX || inflateInit2(&z, 15 + 32) != Z_OK)
        return ST_NO_MEMORY;
    /* zlib's next_in is not const and not written to. */
    z.next_in  = packed.length > 0 ? (unsigned char *)(uintptr_t)packed.at : &none;
    z.avail_in = (unsigned)packed.length;
    enum status st = run(&z, &o);
    (void)inflateEnd(&z);
    if (o.at != NULL)
        arena_shrink(arena, o.at, o.room, o.length);
    *out = span_from(o.at, o.length);
    return st;
}
