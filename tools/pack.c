/* tools/pack.c -- compiles FHIR definitions into a pack, at build time.
 *
 *     sluice-pack OUT NAME#VERSION FILE...
 *
 * Reads the files, writes OUT; the work is fhir/package.h's.  0 done, 1 a
 * definition is broken (findings on stderr), 2 usage, 4 a file failed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "fhir/pack.h"
#include "fhir/package.h"

#define BUDGET ((size_t)2 << 30)

static bool
read_file(const char *path, struct arena *arena, struct span *out)
{
    FILE *f = fopen(path, "rb");

    if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
        fprintf(stderr, "sluice-pack: %s: %s\n", path, strerror(errno));
        if (f != NULL)
            fclose(f);
        return false;
    }
    long  length = ftell(f);
    char *at     = length >= 0 ? arena_alloc(arena, (size_t)length + 1) : NULL;
    rewind(f);
    bool good = at != NULL && fread(at, 1, (size_t)length, f) == (size_t)length;
    fclose(f);
    if (!good)
        fprintf(stderr, "sluice-pack: %s could not be read\n", path);
    else
        *out = span_from(at, (size_t)length);
    return good;
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

static int
compile(const char *out_path, const char *about, char **paths, int count, struct arena *arena)
{
    struct package_file *files  = arena_make_n(arena, (size_t)count, struct package_file);
    EVP_MD_CTX          *digest = EVP_MD_CTX_new();
    unsigned char        sha256[32];
    struct issues       *issues = issues_new(arena, 100);
    struct buf           out;
    bool                 good = files != NULL && digest != NULL && issues != NULL
             && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;

    for (int i = 0; good && i < count; i++) {
        files[i].name = span_of(paths[i]);
        good = read_file(paths[i], arena, &files[i].bytes)
            && EVP_DigestUpdate(digest, files[i].bytes.at, files[i].bytes.length) == 1;
    }
    good = good && EVP_DigestFinal_ex(digest, sha256, NULL) == 1;
    EVP_MD_CTX_free(digest);
    if (!good)
        return 4;
    struct package_sources sources = { files, (size_t)count, span_of(about), span_from(sha256, sizeof sha256), NULL };
    buf_init(&out, (size_t)256 << 20);
    enum status st = package_compile(&sources, arena, issues, &out);
    print_findings(issues);
    if (st != ST_OK)
        fprintf(stderr, "sluice-pack: %s\n", status_text(st));
    else
        good = write_file(out_path, buf_span(&out));
    buf_release(&out);
    return st == ST_OK ? (good ? 0 : 4) : 1;
}

int
main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: sluice-pack OUT NAME#VERSION FILE...\n");
        return 2;
    }
    struct arena *arena = arena_new("pack", BUDGET);
    if (arena == NULL)
        return 4;
    int code = compile(argv[1], argv[2], argv + 3, argc - 3, arena);
    arena_free(&arena);
    return code;
}
