/* gateway/ops/definitions_add.c -- packages on top of the definitions, for a process that asks for them. */
#include "gateway/ops/definitions.h"

#include "gateway/ops/site_pack.h"

#define CONTENTS_BYTES ((size_t)2 << 30)
#define PACKED_BYTES   ((size_t)1 << 30)

static enum status
compile(struct arena *scratch, const struct pack *base, const char *const *paths, size_t count, struct buf *packed,
        struct buf *why)
{
    static const char       nobody[32] = "";         /* nobody asks what it was made from */
    struct package_content *all        = arena_make_n(scratch, count + 1, struct package_content);
    enum status             st         = all != NULL ? ST_OK : ST_NO_MEMORY;

    for (size_t i = 0; st == ST_OK && i < count; i++)
        st = package_content_read(paths[i], true, scratch, &all[i], why);
    return st == ST_OK ? site_pack_compile(all, count, base, span_from(nobody, sizeof nobody), packed, why) : st;
}

enum status
definitions_add(struct arena *arena, const struct pack *base, const char *const *paths, size_t count,
                const struct pack **out, struct buf *why)
{
    struct arena *scratch = arena_new("package contents", CONTENTS_BYTES);
    struct buf    packed;

    buf_init(&packed, PACKED_BYTES);
    enum status st = scratch != NULL ? compile(scratch, base, paths, count, &packed, why) : ST_NO_MEMORY;
    if (st == ST_OK) {
        struct span bytes = arena_copy(arena, buf_span(&packed));
        st = bytes.at != NULL ? pack_open(bytes, arena, out) : ST_NO_MEMORY;
    }
    if (st != ST_OK && why->length == 0)
        buf_add_text(why, status_text(st));
    buf_release(&packed);
    arena_free(&scratch);
    return st;
}
