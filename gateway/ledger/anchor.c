#include "gateway/ledger/anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096u

const char *const anchor_names[LEDGER_LOGS] = { "disclosures", "denials" };

static enum status
fail(struct buf *why, const char *path)
{
    buf_add_format(why, "ledger anchor %s: %s", path, strerror(errno));
    return ST_IO;
}

static bool
path_of(const char *dir, const char *name, const char *tail, char path[PATH_BYTES])
{
    int length = snprintf(path, PATH_BYTES, "%s/%s%s", dir, name, tail);

    return length > 0 && length < (int)PATH_BYTES;
}

/* ---- writing: A1 --------------------------------------------------------------------- */

static bool
write_all(int fd, struct span bytes)
{
    while (bytes.length > 0) {
        ssize_t wrote = write(fd, bytes.at, bytes.length);
        if (wrote < 0 && errno != EINTR)
            return false;
        if (wrote > 0)
            bytes = span_skip(bytes, (size_t)wrote);
    }
    return fsync(fd) == 0;
}

static bool
folder_sync(const char *dir)
{
    int  fd   = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        (void)close(fd);
    return good;
}

enum status
anchor_write(const char *dir, enum ledger_log log, struct span note, struct buf *why)
{
    char path[PATH_BYTES], fresh[PATH_BYTES];

    if (!path_of(dir, anchor_names[log], "", path) || !path_of(dir, anchor_names[log], ".new", fresh)) {
        errno = ENAMETOOLONG;
        return fail(why, dir);
    }
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return fail(why, fresh);
    bool good = write_all(fd, note);
    good      = close(fd) == 0 && good;
    if (!good || rename(fresh, path) != 0 || !folder_sync(dir))
        return fail(why, good ? path : fresh);
    return ST_OK;
}

/* ---- reading ----------------------------------------------------------------------------- */

enum status
anchor_read(const char *dir, enum ledger_log log, struct arena *arena, struct span *note, struct buf *why)
{
    char   path[PATH_BYTES];
    char  *room = arena_alloc(arena, CHECKPOINT_MAX_BYTES + 1);
    size_t got  = 0;

    *note = (struct span){ NULL, 0 };
    if (room == NULL || !path_of(dir, anchor_names[log], "", path))
        return ST_NO_MEMORY;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ST_NOT_FOUND : fail(why, path);
    for (ssize_t n = 1; n != 0 && got <= CHECKPOINT_MAX_BYTES;) {
        n = read(fd, room + got, CHECKPOINT_MAX_BYTES + 1 - got);
        if (n < 0 && errno != EINTR) {
            (void)close(fd);
            return fail(why, path);
        }
        got += n > 0 ? (size_t)n : 0;
        n = n < 0 ? 1 : n;
    }
    (void)close(fd);
    *note = span_from(room, got);
    return got <= CHECKPOINT_MAX_BYTES ? ST_OK : ST_TOO_LARGE;
}

/* ---- the log goes on from it: A3 ----------------------------------------------------------- */

static enum status
goes_on(struct store *store, enum ledger_log log, const struct checkpoint *anchored, const char *dir, struct buf *why)
{
    struct arena      *arena = arena_new("anchor", 2 * CHECKPOINT_MAX_BYTES);
    struct ledger_hash root;
    struct checkpoint  head;
    struct span        note;
    enum status        st = arena != NULL ? store_ledger_checkpoint(store, log, arena, &note) : ST_NO_MEMORY;

    if (st == ST_OK)
        st = checkpoint_parse(note, &head, why);
    if (st == ST_OK && head.size < anchored->size) {
        buf_add_format(why, "the log of %s has %llu records, and its anchor %s/%s has %llu: the database was put back to an older copy. What is "
                            "missing left nevertheless. Bring the newer database back; or keep the anchor's files elsewhere, as a proof, and start without",
                       anchor_names[log], (unsigned long long)head.size, dir, anchor_names[log], (unsigned long long)anchored->size);
        st = ST_INTEGRITY;
    }
    if (st == ST_OK)
        st = store_ledger_root(store, log, anchored->size, &root);
    if (st == ST_OK && !ledger_hash_eq(&root, &anchored->root)) {
        buf_add_format(why, "the log of %s does not go on from its anchor %s/%s of %llu records: something before was changed, or it is another history",
                       anchor_names[log], dir, anchor_names[log], (unsigned long long)anchored->size);
        st = ST_INTEGRITY;
    }
    arena_free(&arena);
    return st;
}

static enum status
check_one(struct store *store, enum ledger_log log, const char *dir, const struct ledger_signer *signer, struct buf *why)
{
    struct arena        *arena  = arena_new("anchor", 2 * CHECKPOINT_MAX_BYTES);
    struct digest       *digest = digest_new();
    struct ledger_public key;
    struct checkpoint    anchored;
    struct span          note;
    enum status          st = ST_NO_MEMORY;

    memcpy(key.bytes, ledger_signer_public(signer), sizeof key.bytes);
    if (arena != NULL && digest != NULL)
        st = anchor_read(dir, log, arena, &note, why);
    if (st == ST_OK) {
        st = checkpoint_verify(note, &key, digest, ledger_signer_origin(signer, log), &anchored, why);
        if (st != ST_OK)
            buf_add_format(why, ": the anchor %s/%s is not this log's", dir, anchor_names[log]);
        st = st == ST_MALFORMED ? ST_INTEGRITY : st;
    }
    if (st == ST_OK)
        st = goes_on(store, log, &anchored, dir, why);
    digest_free(&digest);
    arena_free(&arena);
    return st == ST_NOT_FOUND ? ST_OK : st;
}

enum status
anchor_check(struct store *store, const char *dir, const struct ledger_signer *signer, struct buf *why)
{
    enum status st = ST_OK;

    for (int log = 0; log < LEDGER_LOGS && st == ST_OK; log++)
        st = check_one(store, (enum ledger_log)log, dir, signer, why);
    return st;
}
