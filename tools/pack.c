/* tools/pack.c -- compiles FHIR definitions into a pack, at build time.
 *
 *     sluice-pack OUT { NAME#VERSION FILE... | FOLDER }...
 *
 * Reads files that together are a package, and folders that are packages, in
 * the order given: of two definitions with the same canonical URL and version
 * the later counts.  Writes OUT and says what it took; the work is
 * fhir/package.h's.  0 done, 1 a definition is broken (findings on stderr),
 * 2 usage, 4 a file failed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/evp.h>

#include "fhir/pack.h"
#include "fhir/package.h"
#include "gateway/ops/file.h"
#include "gateway/ops/package_content.h"

#define BUDGET    ((size_t)4 << 30)
#define FILE_MOST ((size_t)256 << 20)
#define PACK_MOST ((size_t)512 << 20)

struct collection {
    struct arena        *arena;
    struct package_file *files;
    size_t               count, room;
    struct span          about;
};

static bool
add_files(struct collection *all, const struct package_file *files, size_t count)
{
    if (all->count + count > all->room) {
        size_t room = 2 * (all->count + count);
        all->files  = arena_grow(all->arena, all->files, all->room * sizeof *files, room * sizeof *files);
        all->room   = room;
    }
    if (all->files == NULL)
        return false;
    if (count > 0)
        memcpy(all->files + all->count, files, count * sizeof *files);
    all->count += count;
    return true;
}

static void
add_name(struct collection *all, struct span name)
{
    all->about = span_empty(all->about) ? name : arena_join(all->arena, all->about, SPAN(", "), name);
}

static bool
add_file(struct collection *all, const char *path)
{
    struct package_file file = { .name = span_of(path) };
    struct buf          bytes;

    buf_init(&bytes, FILE_MOST);
    enum status st = file_read(path, &bytes);
    file.bytes     = arena_copy(all->arena, buf_span(&bytes));
    buf_release(&bytes);
    if (st != ST_OK)
        fprintf(stderr, "sluice-pack: %s: %s\n", path, file_why(st));
    return st == ST_OK && add_files(all, &file, 1);
}

static bool
add_folder(struct collection *all, const char *path)
{
    struct package_content content;
    struct buf             why;

    buf_init(&why, 4096);
    enum status st = package_content_read(path, false, all->arena, &content, &why);
    if (st != ST_OK)
        fprintf(stderr, "sluice-pack: %.*s\n", SPAN_PRINT(buf_span(&why)));
    buf_release(&why);
    if (st != ST_OK)
        return false;
    add_name(all, arena_join(all->arena, content.name, SPAN("#"), content.version));
    return add_files(all, content.files, content.file_count);
}

static bool
collect(struct collection *all, char **words, int count)
{
    for (int i = 0; i < count; i++) {
        struct stat about;
        bool        there = stat(words[i], &about) == 0, good = true;
        if (!there && strchr(words[i], '#') != NULL)
            add_name(all, span_of(words[i]));
        else if (there && S_ISDIR(about.st_mode))
            good = add_folder(all, words[i]);
        else
            good = add_file(all, words[i]);
        if (!good)
            return false;
    }
    return !arena_spent(all->arena);
}

/* Into a new file that then takes the name, so that no one maps half a pack. */
static bool
write_file(const char *path, struct span bytes)
{
    char temporary[4096];

    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
        return false;
    FILE *f    = fopen(temporary, "wb");
    bool  good = f != NULL && fwrite(bytes.at, 1, bytes.length, f) == bytes.length;
    if (f != NULL && fclose(f) != 0)
        good = false;
    if (!good || rename(temporary, path) != 0) {
        fprintf(stderr, "sluice-pack: %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}

static void
print_findings(const struct issues *issues)
{
    for (uint32_t i = 0; i < issues_count(issues); i++) {
        const struct issue *one = issues_at(issues, i);
        fprintf(stderr, "sluice-pack: %.*s: %.*s: %.*s\n", SPAN_PRINT(one->expression), SPAN_PRINT(one->wanted),
                SPAN_PRINT(one->found));
    }
}

/* Over all files in their order; a length before each, so that no two lists of
 * files have the same. */
static bool
digest(const struct collection *all, unsigned char sha256[32])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool        good    = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

    for (size_t i = 0; good && i < all->count; i++) {
        uint64_t length = all->files[i].bytes.length;
        good = EVP_DigestUpdate(context, &length, sizeof length) == 1
            && EVP_DigestUpdate(context, all->files[i].bytes.at, length) == 1;
    }
    good = good && EVP_DigestFinal_ex(context, sha256, NULL) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

static double
seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int
compile(const char *out_path, char **words, int count, struct arena *arena)
{
    struct collection all = { .arena = arena };
    unsigned char     sha256[32];
    struct issues    *issues = issues_new(arena, 100);
    struct buf        out;
    double            began = seconds();

    if (issues == NULL || !collect(&all, words, count) || !digest(&all, sha256))
        return 4;
    double                 read    = seconds();
    struct package_sources sources = { all.files, all.count, all.about, span_from(sha256, sizeof sha256), NULL };
    buf_init(&out, PACK_MOST);
    enum status st   = package_compile(&sources, arena, issues, &out);
    bool        good = true;
    print_findings(issues);
    if (st != ST_OK)
        fprintf(stderr, "sluice-pack: %s\n", status_text(st));
    else
        good = write_file(out_path, buf_span(&out));
    if (st == ST_OK && good)
        printf("%.*s: %zu files read in %.2f s, compiled in %.2f s, %.1f MB\n", SPAN_PRINT(all.about), all.count,
               read - began, seconds() - read, (double)out.length / 1e6);
    buf_release(&out);
    return st == ST_OK ? (good ? 0 : 4) : 1;
}

int
main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: sluice-pack OUT { NAME#VERSION FILE... | FOLDER }...\n");
        return 2;
    }
    struct arena *arena = arena_new("pack", BUDGET);
    if (arena == NULL)
        return 4;
    int code = compile(argv[1], argv + 2, argc - 2, arena);
    arena_free(&arena);
    return code;
}
