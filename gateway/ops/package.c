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
#include "base/digits.h"
#include "base/hash.h"
#include "base/json_tape.h"
#include "gateway/ops/file.h"
#include "gateway/ops/site_pack.h"
#include "gateway/ops/tgz.h"
#include "gateway/ops/tgz_write.h"

enum { LOCK_BYTES = 16 << 20, PATH_BYTES = 4096 };

#define PACKAGE_BYTES TGZ_MEMBER_BYTES
#define PACK_BYTES    ((size_t)1 << 30)
#define LOCK_NAME     "packages.lock"

static const struct tape_limits lock_limits = { .max_bytes = LOCK_BYTES, .max_nodes = 1 << 20, .max_depth = 32, .max_number = 64 };

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

bool
package_is(const struct package *p, struct span bytes)
{
    struct arena *arena = arena_new("package hash", 4096);
    bool          same  = arena != NULL && bytes.length == p->bytes && span_eq(integrity_of(bytes, arena), p->integrity);

    arena_free(&arena);
    return same;
}

/* ---- reading ---------------------------------------------------------------------------- */

/* A folder as the archive that is kept of it: the same files, the same bytes. */
static enum status
archive_folder(const struct package_content *content, struct arena *arena, struct buf *out)
{
    struct buf tar;

    buf_init(&tar, TGZ_MEMBER_BYTES * 2);
    tar_add(&tar, SPAN("package/package.json"), content->manifest);
    for (size_t i = 0; i < content->file_count; i++)
        tar_add(&tar, arena_join(arena, SPAN("package/"), content->files[i].name), content->files[i].bytes);
    enum status st = tgz_finish(&tar, out);
    buf_release(&tar);
    return st;
}

static enum status
read_bytes(const char *path, struct arena *arena, struct buf *bytes, struct package_content *content, struct buf *why)
{
    struct stat about;
    enum status st;

    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
        st = package_content_read(path, false, arena, content, why);
        return st == ST_OK ? archive_folder(content, arena, bytes) : st;
    }
    st = file_read(path, bytes);
    if (st == ST_OK)
        return package_content_of(path, buf_span(bytes), arena, content, why);
    buf_add_format(why, "%s: %s", path, file_why(st));
    return st;
}

static bool
integrity_agrees(struct span wanted, const struct package *p, struct span bytes)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned      length = 0;
    char          hex[2 * EVP_MAX_MD_SIZE + 1];

    if (span_empty(wanted) || span_eq(wanted, p->integrity))
        return true;
    if (EVP_Digest(bytes.at, bytes.length, hash, &length, EVP_sha512(), NULL) != 1)
        return false;
    return span_eq_nocase(wanted, span_from(hex, digits_hex(hash, length, hex)));
}

/* What is at the path, named and pinned; the bytes that are kept of it. */
static enum status
read_package(const char *path, struct span integrity, struct arena *arena, struct buf *bytes, struct package *out,
             struct buf *why)
{
    struct package_content content;
    enum status            st = read_bytes(path, arena, bytes, &content, why);

    if (st != ST_OK)
        return st;
    *out = (struct package){ .name = content.name, .version = content.version, .bytes = bytes->length,
                             .integrity = integrity_of(buf_span(bytes), arena) };
    if (!good_name(out->name) || !good_version(out->version)) {
        buf_add_format(why, "%s: its package.json has no usable name and version", path);
        return ST_MALFORMED;
    }
    if (!integrity_agrees(integrity, out, buf_span(bytes))) {
        buf_add_format(why, "%s: its hash is %.*s and not the one asked for", path, SPAN_PRINT(out->integrity));
        return ST_INTEGRITY;
    }
    out->file = file_name(arena, out->name, out->version);
    return arena_status(arena);
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
    if (tape_read(text, &lock_limits, arena, &tape, &error) != ST_OK) {
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

/* What package_add() is about to do: nothing changes before all of it is known
 * to be good. */
struct adding {
    const struct package_folder *folder;
    struct package_list          list;           /* those that are there, then the new ones */
    struct span                 *fresh;          /* bytes of the new ones, beside the list  */
    struct buf                  *bytes;
    size_t                       before, room;
    struct buf                  *why;
};

static enum status
begin_adding(struct adding *a, size_t count, struct arena *arena)
{
    struct package_list there;
    enum status         st = package_list(a->folder->dir, arena, &there, a->why);

    if (st != ST_OK && st != ST_NOT_FOUND)
        return st;
    if (st == ST_NOT_FOUND)
        buf_clear(a->why);                                 /* the folder is made when all is good */
    a->before   = there.count;
    a->list     = (struct package_list){ arena_make_n(arena, there.count + count, struct package), there.count };
    a->fresh    = arena_make_n(arena, there.count + count, struct span);
    a->bytes    = arena_make_n(arena, count, struct buf);
    if (a->bytes == NULL)
        return ST_NO_MEMORY;
    if (there.count > 0)
        memcpy(a->list.all, there.all, there.count * sizeof *there.all);
    for (a->room = 0; a->room < count; a->room++)
        buf_init(&a->bytes[a->room], PACKAGE_BYTES);
    return ST_OK;
}

static enum status
take_one(struct adding *a, const char *path, struct buf *bytes, const struct package *p, bool *known)
{
    const struct package *same = find(&a->list, p->name, p->version);

    *known = same != NULL;
    if (same != NULL && !span_eq(same->integrity, p->integrity)) {
        buf_add_format(a->why, "%s: %.*s#%.*s is pinned to other bytes; remove that first if this is wanted", path,
                       SPAN_PRINT(p->name), SPAN_PRINT(p->version));
        return ST_CONFLICT;
    }
    if (same == NULL) {
        a->fresh[a->list.count]      = buf_span(bytes);
        a->list.all[a->list.count++] = *p;
    }
    return ST_OK;
}

/* The packages' own files, the pack, and then the list that says they are there. */
static enum status
write_all(const struct package_folder *folder, const struct adding *a, struct span pack)
{
    enum status st = ST_OK;

    if (mkdir(folder->dir, 0755) != 0 && errno != EEXIST) {
        buf_add_format(a->why, "%s: %s", folder->dir, strerror(errno));
        return ST_IO;
    }
    for (size_t i = a->before; st == ST_OK && i < a->list.count; i++)
        st = write_file(folder->dir, a->list.all[i].file, a->fresh[i], a->why);
    if (st == ST_OK)
        st = write_file(folder->dir, SPAN(SITE_PACK), pack, a->why);
    return st == ST_OK ? write_lock(folder->dir, &a->list, a->why) : st;
}

static enum status
compile_and_write(const struct package_folder *folder, const struct adding *a)
{
    struct buf pack;

    buf_init(&pack, PACK_BYTES);
    enum status st = site_pack_build(folder->dir, &a->list, a->fresh, folder->base, &pack, a->why);
    if (st == ST_OK)
        st = write_all(folder, a, buf_span(&pack));
    buf_release(&pack);
    return st;
}

enum status
package_add(const struct package_folder *folder, const char *const *paths, size_t count, struct span integrity,
            struct arena *arena, struct package *out, bool *known, struct buf *why)
{
    struct adding a  = { .folder = folder, .why = why };
    enum status   st = begin_adding(&a, count, arena);

    for (size_t i = 0; st == ST_OK && i < count; i++) {
        st = read_package(paths[i], integrity, arena, &a.bytes[i], &out[i], why);
        if (st == ST_OK)
            st = take_one(&a, paths[i], &a.bytes[i], &out[i], &known[i]);
    }
    if (st == ST_OK)                     /* also of those that were there: for this build, perhaps for the first time */
        st = compile_and_write(folder, &a);
    for (size_t i = 0; i < a.room; i++)
        buf_release(&a.bytes[i]);
    return st;
}

enum status
package_verify(const char *dir, const struct package *package, struct buf *why)
{
    char       path[PATH_BYTES];
    struct buf bytes;

    path_in(path, dir, package->file);
    buf_init(&bytes, PACKAGE_BYTES);
    enum status st = file_read(path, &bytes);
    if (st != ST_OK) {
        buf_add_format(why, "%s: %s", path, file_why(st));
    } else if (!package_is(package, buf_span(&bytes))) {
        buf_add_format(why, "%s: these are not the bytes that were added", path);
        st = ST_INTEGRITY;
    }
    buf_release(&bytes);
    return st == ST_NOT_FOUND ? ST_INTEGRITY : st;
}

/* The pack of what is left, before anything is gone: others may rest on it. */
static enum status
write_rest(const struct package_folder *folder, const struct package_list *rest, struct buf *why)
{
    char       path[PATH_BYTES];
    struct buf pack;

    if (rest->count == 0) {
        path_in(path, folder->dir, SPAN(SITE_PACK));
        enum status st = write_lock(folder->dir, rest, why);
        if (st == ST_OK)
            unlink(path);
        return st;
    }
    buf_init(&pack, PACK_BYTES);
    enum status st = site_pack_build(folder->dir, rest, NULL, folder->base, &pack, why);
    if (st == ST_OK)
        st = write_lock(folder->dir, rest, why);
    if (st == ST_OK)
        st = write_file(folder->dir, SPAN(SITE_PACK), buf_span(&pack), why);
    buf_release(&pack);
    return st;
}

enum status
package_remove(const struct package_folder *folder, struct span what, struct arena *arena, struct buf *why)
{
    struct package_list list;
    char                path[PATH_BYTES];
    size_t              mark = span_find_last_byte(what, '#');
    if (mark == SPAN_NOT_FOUND)
        mark = span_find_last_byte(what, '@');
    enum status st = package_list(folder->dir, arena, &list, why);
    if (st != ST_OK)
        return st;
    struct package *found = mark == SPAN_NOT_FOUND ? NULL : find(&list, span_first(what, mark), span_skip(what, mark + 1));
    if (found == NULL) {
        buf_add_format(why, "there is no package %.*s here; sluice package ls lists them as name#version", SPAN_PRINT(what));
        return ST_NOT_FOUND;
    }
    /* First out of the list: a file too many does no harm, an entry without its file does. */
    path_in(path, folder->dir, found->file);
    memmove(found, found + 1, (size_t)(list.all + list.count - (found + 1)) * sizeof *found);
    list.count--;
    buf_add_format(why, "%.*s stays: ", SPAN_PRINT(what));
    st = write_rest(folder, &list, why);
    if (st == ST_OK)
        buf_clear(why);
    if (st == ST_OK && unlink(path) != 0 && errno != ENOENT) {
        buf_add_format(why, "%s: %s", path, strerror(errno));
        st = ST_IO;
    }
    return st;
}
