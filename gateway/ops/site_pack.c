/* gateway/ops/site_pack.c -- a site's packages, compiled on top of the built-in
 * definitions.
 */
#include "gateway/ops/site_pack.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "gateway/ops/definitions.h"
#include "gateway/ops/file.h"
#include "gateway/ops/package_depends.h"
#include "gateway/ops/tgz.h"

/* LEFT_OUT: a package of which more is broken is none. */
enum { PATH_BYTES = 4096, FINDINGS = 10, WHY_BYTES = 8192, LEFT_OUT = 64 };

#define COMPILE_BYTES ((size_t)2 << 30)
#define PACK_MOST     ((size_t)1 << 30)

/* ---- compile ---------------------------------------------------------------------------- */

static void
add_findings(struct buf *why, const struct issues *issues)
{
    for (uint32_t i = 0; i < issues_count(issues); i++) {
        const struct issue *one = issues_at(issues, i);
        buf_add_format(why, "%s%.*s: %.*s: %.*s", i > 0 ? "\n" : "", SPAN_PRINT(one->expression),
                       SPAN_PRINT(one->wanted), SPAN_PRINT(one->found));
    }
}

/* Their files one behind the other; the names of all. */
static bool
join(const struct package_content *all, size_t count, struct arena *arena, struct package_sources *out)
{
    size_t               files = 0, at = 0;
    struct package_file *list;

    for (size_t i = 0; i < count; i++)
        files += all[i].file_count;
    list = arena_make_n(arena, files + 1, struct package_file);
    for (size_t i = 0; list != NULL && i < count; i++) {
        if (all[i].file_count > 0)
            memcpy(list + at, all[i].files, all[i].file_count * sizeof *list);
        at += all[i].file_count;
        struct span name = span_empty(all[i].name) ? SPAN("definitions")
                                                   : arena_join(arena, all[i].name, SPAN("#"), all[i].version);
        out->about       = i > 0 ? arena_join(arena, out->about, SPAN(", "), name) : name;
    }
    out->files = list;
    out->count = files;
    return !arena_spent(arena);
}

static enum status
compile(const struct package_content *all, size_t count, const struct pack *base, struct span identity, struct span *broken,
        struct buf *out, struct buf *why)
{
    struct arena          *arena   = arena_new("packages", COMPILE_BYTES);
    struct issues         *issues  = arena != NULL ? issues_new(arena, FINDINGS) : NULL;
    struct package_sources sources = { .base = base, .sha256 = identity };
    enum status            st      = ST_NO_MEMORY;

    if (issues != NULL && join(all, count, arena, &sources))
        st = package_compile_or_name(&sources, arena, issues, out, broken);
    if (st == ST_MALFORMED)
        add_findings(why, issues);
    else if (st != ST_OK)
        buf_add_format(why, "the packages could not be compiled: %s", status_text(st));
    arena_free(&arena);
    return st;
}

enum status
site_pack_compile(const struct package_content *all, size_t count, const struct pack *base, struct span identity,
                  struct buf *out, struct buf *why)
{
    struct span broken;

    return compile(all, count, base, identity, &broken, out, why);
}

static bool
leave_out(struct package_content *all, size_t count, struct span name)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < all[i].file_count; k++) {
            if (all[i].files[k].name.at != name.at)
                continue;
            memmove(&all[i].files[k], &all[i].files[k + 1], (all[i].file_count - k - 1) * sizeof all[i].files[k]);
            all[i].file_count--;
            return true;
        }
    return false;
}

enum status
site_pack_compile_sound(struct package_content *all, size_t count, const struct pack *base, struct span identity,
                        struct buf *out, struct buf *left_out, struct buf *why)
{
    for (uint32_t left = 0;; left++) {
        struct span broken = { NULL, 0 };
        enum status st = compile(all, count, base, identity, &broken, out, why);
        if (st != ST_MALFORMED || span_empty(broken) || left == LEFT_OUT || !leave_out(all, count, broken))
            return st;
        buf_add_format(left_out, "%s%.*s: %.*s", left > 0 ? "\n" : "", SPAN_PRINT(broken),
                       SPAN_PRINT(buf_span(why)));
        buf_clear(why);
        buf_clear(out);
    }
}

/* ---- a folder ------------------------------------------------------------------------------ */

static bool
identity_of(const struct package_list *list, const struct pack *base, unsigned char out[32])
{
    EVP_MD_CTX *context  = EVP_MD_CTX_new();
    uint64_t    built_in = pack_identity(base);
    bool        good     = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1
             && EVP_DigestUpdate(context, &built_in, sizeof built_in) == 1;

    for (size_t i = 0; good && i < list->count; i++)
        good = EVP_DigestUpdate(context, list->all[i].integrity.at, list->all[i].integrity.length) == 1
            && EVP_DigestUpdate(context, "\n", 1) == 1;
    good = good && EVP_DigestFinal_ex(context, out, NULL) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

static enum status
read_one(const char *dir, const struct package *package, struct arena *arena, struct package_content *out, struct buf *why)
{
    char       path[PATH_BYTES];
    struct buf bytes;

    snprintf(path, sizeof path, "%s/%.*s", dir, SPAN_PRINT(package->file));
    buf_init(&bytes, TGZ_MEMBER_BYTES);
    enum status st = file_read(path, &bytes);
    if (st != ST_OK)
        buf_add_format(why, "%s: %s", path, file_why(st));
    else if (!package_is(package, buf_span(&bytes)))
        buf_add_format(why, "%s: these are not the bytes that were added", path), st = ST_INTEGRITY;
    else
        st = package_content_of(path, buf_span(&bytes), arena, out, why);
    buf_release(&bytes);
    return st;
}

static enum status
build(const char *dir, const struct package_list *list, const struct span *fresh, const struct pack *base, struct arena *arena,
      struct buf *out, struct buf *why)
{
    struct package_content *all     = arena_make_n(arena, list->count + 1, struct package_content);
    struct package_content *ordered = arena_make_n(arena, list->count + 1, struct package_content);
    size_t                 *order   = arena_make_n(arena, list->count + 1, size_t);
    unsigned char           identity[32];

    if (order == NULL || !identity_of(list, base, identity))
        return ST_NO_MEMORY;
    for (size_t i = 0; i < list->count; i++) {
        bool        here = fresh != NULL && !span_empty(fresh[i]);
        enum status st   = here ? package_content_of(list->all[i].file.at, fresh[i], arena, &all[i], why)
                                : read_one(dir, &list->all[i], arena, &all[i], why);
        if (st != ST_OK)
            return st;
    }
    enum status st = depends_order(all, list->count, arena, order, why);
    for (size_t i = 0; st == ST_OK && i < list->count; i++)
        ordered[i] = all[order[i]];
    return st == ST_OK ? site_pack_compile(ordered, list->count, base, span_from(identity, sizeof identity), out, why) : st;
}

enum status
site_pack_build(const char *dir, const struct package_list *list, const struct span *fresh, const struct pack *base,
                struct buf *out, struct buf *why)
{
    if (list->count > SITE_PACKAGES) {
        buf_add_format(why, "%s: more than %u packages", dir, SITE_PACKAGES);
        return ST_TOO_LARGE;
    }
    struct arena *arena = arena_new("package contents", COMPILE_BYTES);
    enum status   st    = arena != NULL ? build(dir, list, fresh, base, arena, out, why) : ST_NO_MEMORY;
    arena_free(&arena);
    return st;
}

/* ---- open ------------------------------------------------------------------------------------ */

/* NULL: it is not there, not of this build or not of these packages. */
static const struct pack *
open_mapped(const char *dir, struct span identity, struct arena *arena)
{
    char               path[PATH_BYTES];
    const struct pack *pack;

    snprintf(path, sizeof path, "%s/" SITE_PACK, dir);
    struct span bytes = definitions_map(path);
    if (!span_empty(bytes) && pack_open(bytes, arena, &pack) == ST_OK && span_eq(pack_sources(pack), identity))
        return pack;
    definitions_unmap(bytes);
    return NULL;
}

enum status
site_pack_open(const char *dir, const struct pack *base, const struct pack *used, struct arena *arena,
               const struct pack **out, bool *built, struct buf *why)
{
    struct package_list list;
    unsigned char       identity[32];
    struct buf          bytes;

    *built         = false;
    *out           = base;
    enum status st = package_list(dir, arena, &list, why);
    if (st != ST_OK || list.count == 0)
        return st;
    if (!identity_of(&list, base, identity))
        return ST_NO_MEMORY;
    bool               same   = used != NULL && span_eq(pack_sources(used), span_from(identity, sizeof identity));
    const struct pack *mapped = same ? used : open_mapped(dir, span_from(identity, sizeof identity), arena);
    if (mapped != NULL) {
        *out = mapped;
        return ST_OK;
    }
    buf_init(&bytes, PACK_MOST);
    st = site_pack_build(dir, &list, NULL, base, &bytes, why);
    if (st == ST_OK) {
        struct span kept = arena_copy(arena, buf_span(&bytes));
        st = kept.at != NULL ? pack_open(kept, arena, out) : ST_NO_MEMORY;
    }
    *built = st == ST_OK;
    buf_release(&bytes);
    return st;
}

void
site_pack_configure(struct config *config, const struct pack *base, const struct pack *used, struct arena *arena,
                    bool *built, struct config_errors *errors)
{
    struct buf  why;
    enum status st = ST_OK;

    *built       = false;
    config->pack = base;
    buf_init(&why, WHY_BYTES);
    if (!span_empty(config->packages.dir))
        st = site_pack_open(config->packages.dir.at, base, used, arena, &config->pack, built, &why);
    if (st != ST_OK)
        config_error(errors, "packages: %.*s", SPAN_PRINT(why.length > 0 ? buf_span(&why) : span_of(status_text(st))));
    buf_release(&why);
    for (size_t i = 0; st == ST_OK && i < config->packages.profile_count; i++)
        if (span_empty(pack_profile_type(config->pack, config->packages.profiles[i])))
            config_error(errors, "packages: `profile` %.*s: no package here defines it",
                         SPAN_PRINT(config->packages.profiles[i]));
}
