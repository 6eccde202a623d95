/* gateway/ops/package_content.c -- what a FHIR package holds, read into memory. */
#include "gateway/ops/package_content.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json_tape.h"
#include "base/sort.h"
#include "gateway/ops/file.h"
#include "gateway/ops/tgz.h"

enum { MANIFEST_BYTES = 1 << 20, PATH_BYTES = 4096 };

static const struct tape_limits manifest_limits = {
    .max_bytes = MANIFEST_BYTES, .max_nodes = 1 << 16, .max_depth = 32, .max_number = 64 };

struct reading {
    struct arena           *arena;
    struct package_content *out;
    struct buf             *why;
    size_t                  room, bytes;
    enum status             status;
};

static bool fail(struct reading *, enum status, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool take_file(struct reading *, struct span name, struct span content);
static enum status finish(struct reading *);

static bool
fail(struct reading *r, enum status st, const char *format, ...)
{
    va_list arguments;
    char    sentence[1024];

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (r->status == ST_OK)
        buf_add_text(r->why, sentence);
    r->status = st;
    return false;
}

/* ---- one file ----------------------------------------------------------------------------- */

/* What a package has beside its definitions, in the same folder. */
static bool
is_definition_file(struct span name)
{
    return span_ends(name, SPAN(".json")) && !span_starts(name, SPAN(".")) && !span_eq_text(name, "package-lock.json")
        && span_find_byte(name, '/') == SPAN_NOT_FOUND;
}

/* Of the package's own folder; the bytes are copied. */
static bool
take_file(struct reading *r, struct span name, struct span content)
{
    struct package_content *out = r->out;

    if (content.length > CONTENT_BYTES - r->bytes)
        return fail(r, ST_TOO_LARGE, "it holds more than %zu MB", CONTENT_BYTES >> 20);
    r->bytes += content.length;
    if (span_eq_text(name, "package.json")) {
        r->out->manifest = arena_copy(r->arena, content);
        return !arena_spent(r->arena) || fail(r, ST_NO_MEMORY, "there is not enough memory for it");
    }
    if (!is_definition_file(name))
        return true;
    if (out->file_count == CONTENT_FILES)
        return fail(r, ST_TOO_LARGE, "it holds more than %u files", CONTENT_FILES);
    if (out->file_count == r->room) {
        size_t room = r->room > 0 ? 2 * r->room : 64;
        out->files  = arena_grow(r->arena, out->files, r->room * sizeof *out->files, room * sizeof *out->files);
        r->room     = room;
    }
    if (out->files != NULL)
        out->files[out->file_count++] = (struct package_file){ arena_copy(r->arena, name), arena_copy(r->arena, content) };
    return !arena_spent(r->arena) || fail(r, ST_NO_MEMORY, "there is not enough memory for it");
}

/* ---- .tgz --------------------------------------------------------------------------------- */

static bool
on_member(struct span name, struct span content, void *arg)
{
    if (span_starts(name, SPAN("./")))
        name = span_skip(name, 2);
    if (!span_starts(name, SPAN("package/")))
        return true;
    return take_file(arg, span_skip(name, 8), content);
}

enum status
package_content_of(const char *path, struct span tgz, struct arena *arena, struct package_content *out, struct buf *why)
{
    struct reading r = { .arena = arena, .out = out, .why = why };

    *out = (struct package_content){ .file_count = 0 };
    buf_add_format(why, "%s: ", path);
    size_t      said = why->length;
    enum status st   = tgz_visit(tgz, on_member, &r, why);
    if (st == ST_OK)
        st = r.status;
    if (st == ST_OK && out->manifest.at == NULL) {
        buf_add_text(why, "it holds no package/package.json: this is not a FHIR package");
        st = ST_MALFORMED;
    }
    if (st == ST_OK)
        st = finish(&r);
    if (st == ST_OK && why->length == said)
        buf_clear(why);
    return st;
}

/* ---- folders ------------------------------------------------------------------------------- */

static bool
take_path(struct reading *r, const char *dir, const char *name)
{
    char        path[PATH_BYTES];
    struct stat about;
    struct buf  bytes;

    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return fail(r, ST_TOO_LARGE, "a name in it is too long");
    if (lstat(path, &about) != 0 || !S_ISREG(about.st_mode))
        return true;
    buf_init(&bytes, CONTENT_BYTES);
    enum status st   = file_read(path, &bytes);
    bool        good = st == ST_OK ? take_file(r, span_of(name), buf_span(&bytes))
                                   : fail(r, st, "%s: %s", name, file_why(st));
    buf_release(&bytes);
    return good;
}

static enum status
read_folder(const char *path, bool loose, struct reading *r)
{
    char        dir[PATH_BYTES];
    struct stat about;

    snprintf(dir, sizeof dir, "%s/package/package.json", path);
    bool inner = stat(dir, &about) == 0;
    snprintf(dir, sizeof dir, "%s%s", path, inner ? "/package" : "");
    DIR *list = opendir(dir);
    if (list == NULL) {
        fail(r, ST_IO, "%s", strerror(errno));
        return r->status;
    }
    for (const struct dirent *e = readdir(list); e != NULL; e = readdir(list)) {
        struct span name = span_of(e->d_name);
        if ((span_eq_text(name, "package.json") || is_definition_file(name)) && !take_path(r, dir, e->d_name))
            break;
    }
    closedir(list);
    if (r->status == ST_OK && r->out->manifest.at == NULL && !loose)
        fail(r, ST_MALFORMED, "there is no package.json in it: this is not a FHIR package");
    return r->status == ST_OK ? finish(r) : r->status;
}

enum status
package_content_read(const char *path, bool loose, struct arena *arena, struct package_content *out, struct buf *why)
{
    struct reading r = { .arena = arena, .out = out, .why = why };
    struct stat    about;
    struct buf     bytes;
    enum status    st;

    *out = (struct package_content){ .file_count = 0 };
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
        buf_add_format(why, "%s: ", path);
        st = read_folder(path, loose, &r);
        if (st == ST_OK)
            buf_clear(why);
        return st;
    }
    buf_init(&bytes, TGZ_MEMBER_BYTES);
    st = file_read(path, &bytes);
    if (st == ST_OK)
        st = package_content_of(path, buf_span(&bytes), arena, out, why);
    else
        buf_add_format(why, "%s: %s", path, file_why(st));
    buf_release(&bytes);
    return st;
}

/* ---- the manifest ------------------------------------------------------------------------------ */

static int
file_order(const void *a, const void *b, const void *context)
{
    (void)context;
    return span_compare(((const struct package_file *)a)->name, ((const struct package_file *)b)->name);
}

static enum status
read_manifest(struct reading *r)
{
    const struct tape *tape;
    struct tape_error  error;

    if (tape_read(r->out->manifest, &manifest_limits, r->arena, &tape, &error) != ST_OK) {
        fail(r, ST_MALFORMED, "its package.json is refused at line %u: %s", error.line, tape_refusal_text(error.why));
        return r->status;
    }
    r->out->name         = tape_member_text(tape, TAPE_ROOT, SPAN("name"), r->arena);
    r->out->version      = tape_member_text(tape, TAPE_ROOT, SPAN("version"), r->arena);
    tape_node list       = tape_member(tape, TAPE_ROOT, SPAN("dependencies"));
    r->out->dependencies = arena_make_n(r->arena, (size_t)tape_children(tape, list) + 1, struct package_dependency);
    for (tape_node n = tape_first(tape, list); r->out->dependencies != NULL && n != TAPE_ABSENT; n = tape_next(tape, n))
        r->out->dependencies[r->out->dependency_count++] = (struct package_dependency){
            tape_text(tape, tape_name(tape, n), r->arena), tape_text(tape, n, r->arena) };
    return arena_status(r->arena);
}

static enum status
finish(struct reading *r)
{
    const struct package_content *out = r->out;

    sort_in_place(out->files, out->file_count, sizeof *out->files, file_order, NULL);
    for (size_t i = 1; i < out->file_count; i++)
        if (span_eq(out->files[i].name, out->files[i - 1].name)) {
            fail(r, ST_MALFORMED, "two files in it have the name %.*s", SPAN_PRINT(out->files[i].name));
            return r->status;
        }
    return r->out->manifest.at != NULL ? read_manifest(r) : ST_OK;
}
