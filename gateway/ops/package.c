/* gateway/ops/package.c -- FHIR packages, kept in one folder, pinned by hash, offline. */
#include "gateway/ops/package.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_author.h"
#include "base/json_tape.h"
#include "gateway/ops/file.h"
#include "gateway/ops/tgz.h"

enum { MANIFEST_BYTES = 1 << 20, LOCK_BYTES = 16 << 20, PATH_BYTES = 4096 };

#define PACKAGE_BYTES TGZ_MEMBER_BYTES
#define LOCK_NAME     "packages.lock"

static const struct tape_limits manifest_limits = { .max_bytes = LOCK_BYTES, .max_nodes = 1 << 20, .max_depth = 32, .max_number = 64 };

/* ---- names and hashes ------------------------------------------------------------- */

/* npm's names: lower case, digits, dots, hyphens; one scope before a slash. */
static bool
good_name(struct span name)
{
    size_t slashes = 0;
    for (size_t i = 0; i < name.length; i++) {
        char c = name.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (i > 0 && (c == '.' || c == '-' || c == '_'));
        slashes += c == '/';
        if (!plain && !(c == '@' && i == 0) && !(c == '/' && i > 1 && slashes == 1 && name.at[0] == '@'))
            return false;
    }
    return name.length > 0 && name.length < 200;
}

static bool
good_version(struct span version)
{
    for (size_t i = 0; i < version.length; i++) {
        char c = version.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '+' || (c == '.' && i > 0)))
            return false;
    }
    return version.length > 0 && version.length < 100;
}

/* A scope's slash is no path. */
static struct span
file_name(struct arena *arena, struct span name, struct span version)
{
    char  *text = arena_text(arena, arena_format(arena, "%.*s#%.*s.tgz", SPAN_PRINT(name), SPAN_PRINT(version)));
    if (text == NULL)
        return (struct span){ NULL, 0 };
    for (char *c = text; *c != '\0'; c++)
        if (*c == '/')
            *c = '!';
    return span_of(text);
}

static struct span
integrity_of(struct span bytes, struct arena *arena)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned      length = 0;
    unsigned char text[2 * EVP_MAX_MD_SIZE];
    if (EVP_Digest(bytes.at, bytes.length, hash, &length, EVP_sha512(), NULL) != 1)
        return (struct span){ NULL, 0 };
    EVP_EncodeBlock(text, hash, (int)length);
    return arena_format(arena, "sha512-%s", (const char *)text);
}

/* ---- package.json --------------------------------------------------------------------- */

static enum status
read_manifest(struct span json, struct arena *arena, struct package *out, struct buf *why)
{
    const struct tape *tape;
    struct tape_error  error;
    struct span        kept = arena_copy(arena, json);
    if (tape_read(kept, &manifest_limits, arena, &tape, &error) != ST_OK) {
        buf_add_format(why, "its package.json is refused at line %u: %s", error.line, tape_refusal_text(error.why));
        return ST_MALFORMED;
    }
    out->name    = tape_member_text(tape, TAPE_ROOT, SPAN("name"), arena);
    out->version = tape_member_text(tape, TAPE_ROOT, SPAN("version"), arena);
    if (!good_name(out->name) || !good_version(out->version)) {
        buf_add_text(why, "its package.json has no usable name and version");
        return ST_MALFORMED;
    }
    return ST_OK;
}

struct manifest_search { struct arena *arena; struct package *out; struct buf *why; enum status status; };

static bool
on_member(struct span name, struct span content, void *arg)
{
    struct manifest_search *s = arg;
    if (!span_eq(name, SPAN("package/package.json")) && !span_eq(name, SPAN("./package/package.json")))
        return true;
    s->status = read_manifest(content, s->arena, s->out, s->why);
    return false;
}

static enum status
read_archive(const char *path, struct span bytes, struct arena *arena, struct package *out, struct buf *why)
{
    struct manifest_search search = { arena, out, why, ST_NOT_FOUND };
    buf_add_format(why, "%s: ", path);
    enum status st = tgz_visit(bytes, on_member, &search, why);
    if (st == ST_OK && search.status == ST_NOT_FOUND)
        buf_add_text(why, "it holds no package/package.json: this is not a FHIR package");
    if (st == ST_OK)
        st = search.status == ST_NOT_FOUND ? ST_MALFORMED : search.status;
    if (st == ST_OK)
        buf_clear(why);
    out->integrity = integrity_of(bytes, arena);
    out->bytes     = bytes.length;
    return st;
}

static enum status
read_folder(const char *path, struct arena *arena, struct package *out, struct buf *why)
{
    static const char *const places[] = { "package/package.json", "package.json" };
    for (size_t i = 0; i < 2; i++) {
        struct span whole = arena_format(arena, "%s/%s", path, places[i]);
        struct buf  json;
        buf_init(&json, MANIFEST_BYTES);
        enum status st = file_read(whole.at, &json);
        if (st == ST_OK)
            st = read_manifest(buf_span(&json), arena, out, why);
        buf_release(&json);
        if (st != ST_NOT_FOUND)
            return st;
    }
    buf_add_format(why, "%s: there is no package.json in it: this is not a FHIR package", path);
    return ST_MALFORMED;
}

/* The file whole, and what its manifest says. */
static enum status
read_file(const char *path, struct arena *arena, struct buf *bytes, struct package *out, struct buf *why)
{
    enum status st = file_read(path, bytes);

    if (st == ST_OK)
        return read_archive(path, buf_span(bytes), arena, out, why);
    buf_add_format(why, "%s: %s", path, file_why(st));
    return st;
}

enum status
package_read(const char *path, struct arena *arena, struct package *out, struct buf *why)
{
    struct stat about;
    struct buf  bytes;
    *out = (struct package){ .bytes = 0 };
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return read_folder(path, arena, out, why);
    buf_init(&bytes, PACKAGE_BYTES);
    enum status st = read_file(path, arena, &bytes, out, why);
    buf_release(&bytes);
    return st;
}

/* ---- the lock file --------------------------------------------------------------------- */

static void
path_in(char *path, const char *dir, struct span name)
{
    snprintf(path, PATH_BYTES, "%s/%.*s", dir, SPAN_PRINT(name));
}

static bool
read_locked(const struct tape *tape, tape_node node, struct arena *arena, struct package *out)
{
    out->name      = tape_member_text(tape, node, SPAN("name"), arena);
    out->version   = tape_member_text(tape, node, SPAN("version"), arena);
    out->integrity = tape_member_text(tape, node, SPAN("integrity"), arena);
    out->file      = tape_member_text(tape, node, SPAN("file"), arena);
    return good_name(out->name) && good_version(out->version) && span_find_byte(out->file, '/') == SPAN_NOT_FOUND
           && span_starts(out->integrity, SPAN("sha512-")) && !span_empty(out->file)
           && span_to_u64(tape_extent(tape, tape_member(tape, node, SPAN("bytes"))), &out->bytes);
}

enum status
package_list(const char *dir, struct arena *arena, struct package_list *out, struct buf *why)
{
    char               path[PATH_BYTES];
    struct buf         bytes;
    const struct tape *tape;
    struct tape_error  error;
    *out = (struct package_list){ NULL, 0 };
    path_in(path, dir, SPAN(LOCK_NAME));
    buf_init(&bytes, LOCK_BYTES);
    enum status st   = file_read(path, &bytes);
    struct span text = arena_copy(arena, buf_span(&bytes));
    buf_release(&bytes);
    if (st == ST_NOT_FOUND && access(dir, R_OK | X_OK) == 0)
        return ST_OK;                                      /* an empty folder holds no packages */
    if (st != ST_OK) {
        buf_add_format(why, "%s: %s", path, file_why(st));
        return st;
    }
    if (tape_read(text, &manifest_limits, arena, &tape, &error) != ST_OK) {
        buf_add_format(why, "%s: line %u: %s", path, error.line, tape_refusal_text(error.why));
        return ST_INTEGRITY;
    }
    tape_node list = tape_member(tape, TAPE_ROOT, SPAN("packages"));
    out->all       = arena_make_n(arena, tape_children(tape, list) + 1u, struct package);
    for (tape_node n = tape_first(tape, list); out->all != NULL && n != TAPE_ABSENT; n = tape_next(tape, n))
        if (!read_locked(tape, n, arena, &out->all[out->count++])) {
            buf_add_format(why, "%s: an entry in it is damaged", path);
            return ST_INTEGRITY;
        }
    return arena_status(arena);
}

/* Written beside, made durable, then renamed over the old one. */
static enum status
write_file(const char *dir, struct span name, struct span bytes, struct buf *why)
{
    char path[PATH_BYTES], fresh[PATH_BYTES + 8];
    path_in(path, dir, name);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool written = fd >= 0 && file_write_fd(fd, bytes) && fsync(fd) == 0;
    int  saved   = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    if (written && rename(fresh, path) == 0)
        return ST_OK;
    buf_add_format(why, "%s: %s", path, strerror(errno));
    unlink(fresh);
    return ST_IO;
}

static enum status
write_lock(const char *dir, const struct package_list *list, struct buf *why)
{
    struct buf     out;
    struct author *a     = author_new();
    author_value   array = author_add_array(author_object(a), "packages");
    buf_init(&out, LOCK_BYTES);
    for (size_t i = 0; i < list->count; i++) {
        const struct package *p   = &list->all[i];
        author_value          one = author_add_object(array, NULL);
        author_add_text(one, "name", p->name);
        author_add_text(one, "version", p->version);
        author_add_text(one, "integrity", p->integrity);
        author_add_integer(one, "bytes", (int64_t)p->bytes);
        author_add_text(one, "file", p->file);
    }
    enum status st = author_print(a, &out, AUTHOR_PRETTY);
    author_free(&a);
    buf_add_byte(&out, '\n');
    if (st == ST_OK)
        st = write_file(dir, SPAN(LOCK_NAME), buf_span(&out), why);
    buf_release(&out);
    return st;
}

/* ---- add, verify, remove ------------------------------------------------------------------- */

static struct package *
find(const struct package_list *list, struct span name, struct span version)
{
    for (size_t i = 0; i < list->count; i++)
        if (span_eq(list->all[i].name, name) && span_eq(list->all[i].version, version))
            return &list->all[i];
    return NULL;
}

static enum status
add_new(const char *dir, struct span bytes, const struct package *package, struct package_list *list, struct buf *why)
{
    enum status st = write_file(dir, package->file, bytes, why);
    if (st != ST_OK)
        return st;
    list->all[list->count++] = *package;                   /* package_list leaves room for one */
    return write_lock(dir, list, why);
}

enum status
package_add(const char *dir, const char *path, struct arena *arena, struct package *out, bool *known, struct buf *why)
{
    struct package_list list;
    struct buf          bytes;
    *known = false;
    *out   = (struct package){ .bytes = 0 };
    if (mkdir(dir, 0755) != 0 && errno != EEXIST) {
        buf_add_format(why, "%s: %s", dir, strerror(errno));
        return ST_IO;
    }
    buf_init(&bytes, PACKAGE_BYTES);
    enum status st = read_file(path, arena, &bytes, out, why);
    if (st == ST_OK)
        st = package_list(dir, arena, &list, why);
    if (st == ST_OK && list.all == NULL)
        list.all = arena_make_n(arena, 1, struct package);
    struct package *same = st == ST_OK ? find(&list, out->name, out->version) : NULL;
    out->file            = file_name(arena, out->name, out->version);
    if (st == ST_OK && arena_spent(arena))
        st = ST_NO_MEMORY;
    if (same != NULL && !span_eq(same->integrity, out->integrity)) {
        buf_add_format(why, "%s: %.*s#%.*s is pinned to other bytes; remove that first if this is wanted", path,
                       SPAN_PRINT(out->name), SPAN_PRINT(out->version));
        st = ST_CONFLICT;
    } else if (same != NULL) {
        *known = true;
    } else if (st == ST_OK) {
        st = add_new(dir, buf_span(&bytes), out, &list, why);
    }
    buf_release(&bytes);
    return st;
}

enum status
package_verify(const char *dir, const struct package *package, struct buf *why)
{
    char          path[PATH_BYTES];
    struct buf    bytes;
    struct arena *arena = arena_new("package hash", 4096);
    path_in(path, dir, package->file);
    buf_init(&bytes, PACKAGE_BYTES);
    enum status st = arena != NULL ? file_read(path, &bytes) : ST_NO_MEMORY;
    if (st != ST_OK) {
        buf_add_format(why, "%s: %s", path, file_why(st));
    } else if (bytes.length != package->bytes || !span_eq(integrity_of(buf_span(&bytes), arena), package->integrity)) {
        buf_add_format(why, "%s: these are not the bytes that were added", path);
        st = ST_INTEGRITY;
    }
    buf_release(&bytes);
    arena_free(&arena);
    return st == ST_NOT_FOUND ? ST_INTEGRITY : st;
}

enum status
package_remove(const char *dir, struct span what, struct arena *arena, struct buf *why)
{
    struct package_list list;
    char                path[PATH_BYTES];
    size_t              mark = span_find_last_byte(what, '#');
    if (mark == SPAN_NOT_FOUND)
        mark = span_find_last_byte(what, '@');
    enum status st = package_list(dir, arena, &list, why);
    if (st != ST_OK)
        return st;
    struct package *found = mark == SPAN_NOT_FOUND ? NULL : find(&list, span_first(what, mark), span_skip(what, mark + 1));
    if (found == NULL) {
        buf_add_format(why, "there is no package %.*s here; sluice package ls lists them as name#version", SPAN_PRINT(what));
        return ST_NOT_FOUND;
    }
    /* First out of the list: a file too many does no harm, an entry without its file does. */
    path_in(path, dir, found->file);
    memmove(found, found + 1, (size_t)(list.all + list.count - (found + 1)) * sizeof *found);
    list.count--;
    st = write_lock(dir, &list, why);
    if (st == ST_OK && unlink(path) != 0 && errno != ENOENT) {
        buf_add_format(why, "%s: %s", path, strerror(errno));
        st = ST_IO;
    }
    return st;
}
