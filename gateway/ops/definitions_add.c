/* gateway/ops/definitions_add.c -- packages on top of the definitions, for a process that asks for them. */
#include "gateway/ops/definitions.h"

#include <openssl/evp.h>

#include "gateway/ops/package_content.h"
#include "gateway/ops/site_pack.h"

#define READ_BYTES   ((size_t)2 << 30)
#define PACKED_BYTES ((size_t)1 << 30)

/* A hash over the pack below and every byte that comes on top. */
static bool
identify(const struct pack *base, const struct package_content *all, size_t count, unsigned char sha256[32])
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    struct span below  = pack_sources(base);
    bool        good   = digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1
             && EVP_DigestUpdate(digest, below.at, below.length) == 1;

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; good && k < all[i].file_count; k++)
            good = EVP_DigestUpdate(digest, all[i].files[k].bytes.at, all[i].files[k].bytes.length) == 1;
    good = good && EVP_DigestFinal_ex(digest, sha256, NULL) == 1;
    EVP_MD_CTX_free(digest);
    return good;
}

static enum status
compile(struct package_content *all, size_t count, const struct pack *base, struct arena *arena,
        const struct pack **out, struct buf *left_out, struct buf *why)
{
    unsigned char sha256[32];
    struct buf    packed;

    if (!identify(base, all, count, sha256))
        return ST_NO_MEMORY;
    buf_init(&packed, PACKED_BYTES);
    enum status st = site_pack_compile_sound(all, count, base, span_from(sha256, sizeof sha256), &packed, left_out, why);
    if (st == ST_OK) {
        struct span bytes = arena_copy(arena, buf_span(&packed));
        st = bytes.at != NULL ? pack_open(bytes, arena, out) : ST_NO_MEMORY;
    }
    buf_release(&packed);
    return st;
}

enum status
definitions_add(struct arena *arena, const struct pack *base, const char *const *paths, size_t count,
                const struct pack **out, struct buf *left_out, struct buf *why)
{
    struct arena           *scratch = arena_new("packages", READ_BYTES);
    struct package_content *all     = scratch != NULL ? arena_make_n(scratch, count + 1, struct package_content) : NULL;
    enum status             st      = all != NULL ? ST_OK : ST_NO_MEMORY;

    for (size_t i = 0; st == ST_OK && i < count; i++)
        st = package_content_read(paths[i], true, scratch, &all[i], why);
    if (st == ST_OK)
        st = compile(all, count, base, arena, out, left_out, why);
    if (st != ST_OK && why->length == 0)
        buf_add_text(why, status_text(st));
    arena_free(&scratch);
    return st;
}
