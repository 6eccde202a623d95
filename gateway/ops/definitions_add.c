/* gateway/ops/definitions_add.c -- packages on top of the definitions, for a process that asks for them. */
#include "gateway/ops/definitions.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fhir/package.h"
#include "gateway/ops/file.h"
#include "gateway/ops/package.h"
#include "gateway/ops/tgz.h"

enum { SOURCE_FILES = 65536 };
#define COMPILE_BYTES ((size_t)4 << 30)
#define PACKED_BYTES  ((size_t)1 << 30)

struct sources {
    struct arena        *arena;
    struct package_file *files;
    size_t               count;
    struct span          about;
    EVP_MD_CTX          *digest;
    struct buf          *why;
};

static enum status add_package(struct sources *, const char *path);
static enum status compile(struct sources *, const struct pack *base, struct arena *, const struct pack **out);

enum status
definitions_add(struct arena *arena, const struct pack *base, const char *const *paths, size_t count,
                const struct pack **out, struct buf *why)
{
    struct sources s = { .arena = arena_new("packages", COMPILE_BYTES), .digest = EVP_MD_CTX_new(), .why = why };
    enum status    st = s.arena != NULL && s.digest != NULL && EVP_DigestInit_ex(s.digest, EVP_sha256(), NULL) == 1
                      ? ST_OK : ST_NO_MEMORY;

    if (st == ST_OK && (s.files = arena_make_n(s.arena, SOURCE_FILES, struct package_file)) == NULL)
        st = ST_NO_MEMORY;
    for (size_t i = 0; st == ST_OK && i < count; i++)
        st = add_package(&s, paths[i]);
    if (st == ST_OK)
        st = compile(&s, base, arena, out);
    EVP_MD_CTX_free(s.digest);
    arena_free(&s.arena);
    return st;
}

/* ---- files ------------------------------------------------------------------------------ */

static bool
is_definition(struct span name)
{
    return span_ends(name, SPAN(".json")) && !span_ends(name, SPAN("package.json")) && !span_starts(name, SPAN("."));
}

static enum status
add_file(struct sources *s, struct span name, struct span bytes)
{
    if (s->count == SOURCE_FILES) {
        buf_add_text(s->why, "the packages hold too many files");
        return ST_TOO_LARGE;
    }
    struct package_file *one = &s->files[s->count++];
    one->name  = arena_copy(s->arena, name);
    one->bytes = arena_copy(s->arena, bytes);
    if (arena_spent(s->arena) || EVP_DigestUpdate(s->digest, bytes.at, bytes.length) != 1)
        return ST_NO_MEMORY;
    return ST_OK;
}

/* Definitions lie in package/ itself; what is in folders below are examples
 * and other forms (https://confluence.hl7.org/display/FHIR/NPM+Package+Specification). */
struct archive { struct sources *sources; enum status status; };

static bool
on_member(struct span name, struct span content, void *arg)
{
    struct archive *a     = arg;
    struct span     plain = span_starts(name, SPAN("./")) ? span_skip(name, 2) : name;

    if (!span_starts(plain, SPAN("package/")))
        return true;
    plain = span_skip(plain, 8);
    if (span_find_byte(plain, '/') == SPAN_NOT_FOUND && is_definition(plain))
        a->status = add_file(a->sources, plain, content);
    return a->status == ST_OK;
}

static enum status
add_archive(struct sources *s, const char *path)
{
    struct archive a = { s, ST_OK };
    struct buf     bytes;

    buf_init(&bytes, TGZ_WHOLE_BYTES);
    enum status st = file_read(path, &bytes);
    if (st == ST_OK)
        st = tgz_visit(buf_span(&bytes), on_member, &a, s->why);
    buf_release(&bytes);
    return st == ST_OK ? a.status : st;
}

static enum status
add_entry(struct sources *s, const char *folder, const char *name)
{
    struct span path = arena_format(s->arena, "%s/%s", folder, name);
    struct buf  bytes;

    buf_init(&bytes, TGZ_MEMBER_BYTES);
    enum status st = path.at != NULL ? file_read(path.at, &bytes) : ST_NO_MEMORY;
    if (st == ST_OK)
        st = add_file(s, path, buf_span(&bytes));
    buf_release(&bytes);
    return st;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum status
add_folder(struct sources *s, const char *path)
{
    struct span     inner = arena_format(s->arena, "%s/package", path);
    struct stat     about;
    struct dirent **all  = NULL;
    bool            deep = inner.at != NULL && stat(inner.at, &about) == 0 && S_ISDIR(about.st_mode);
    int             n    = scandir(deep ? inner.at : path, &all, NULL, by_name);
    enum status     st   = n < 0 ? ST_IO : ST_OK;

    for (int i = 0; i < n; i++) {
        if (st == ST_OK && is_definition(span_of(all[i]->d_name)))
            st = add_entry(s, deep ? inner.at : path, all[i]->d_name);
        free(all[i]);
    }
    free(all);
    return st;
}

static enum status
add_package(struct sources *s, const char *path)
{
    struct package one;
    struct stat    about;
    enum status    st = package_read(path, s->arena, &one, s->why);

    if (st != ST_OK)
        return st;
    s->about = arena_join(s->arena, s->about, s->about.length > 0 ? SPAN(", ") : SPAN(""), one.name, SPAN("#"), one.version);
    st = stat(path, &about) == 0 && S_ISDIR(about.st_mode) ? add_folder(s, path) : add_archive(s, path);
    if (st != ST_OK && s->why->length == 0)
        buf_add_format(s->why, "%s: %s", path, status_text(st));
    return st;
}

/* ---- the pack ---------------------------------------------------------------------------- */

static void
say(struct sources *s, const struct issues *issues)
{
    for (uint32_t i = 0; i < issues_count(issues) && i < 10; i++) {
        const struct issue *one = issues_at(issues, i);
        buf_add_format(s->why, "%s%.*s: %.*s: %.*s", i > 0 ? "\n" : "", SPAN_PRINT(one->expression), SPAN_PRINT(one->wanted),
                       SPAN_PRINT(one->found));
    }
}

static enum status
compile(struct sources *s, const struct pack *base, struct arena *arena, const struct pack **out)
{
    unsigned char  sha256[32];
    struct issues *issues = issues_new(s->arena, 100);
    struct buf     packed;

    if (issues == NULL || EVP_DigestFinal_ex(s->digest, sha256, NULL) != 1)
        return ST_NO_MEMORY;
    struct package_sources sources = { s->files, s->count, s->about, span_from(sha256, sizeof sha256), base };
    buf_init(&packed, PACKED_BYTES);
    enum status st = package_compile(&sources, s->arena, issues, &packed);
    if (st == ST_OK) {
        struct span bytes = arena_copy(arena, buf_span(&packed));
        st = bytes.at != NULL ? pack_open(bytes, arena, out) : ST_NO_MEMORY;
    }
    if (st != ST_OK)
        say(s, issues);
    if (st != ST_OK && s->why->length == 0)
        buf_add_text(s->why, status_text(st));
    buf_release(&packed);
    return st;
}
