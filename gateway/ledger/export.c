/* gateway/ledger/export.c -- the ledger as a folder that a stranger can verify. */
#include "gateway/ledger/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/ledger/record.h"
#include "gateway/ledger/tiles.h"

#define PATH_BYTES     8192u
#define PROGRESS_EVERY 4096u

struct writer {
    const struct export_options *options;
    enum ledger_log              log;
    const char                  *folder;         /* of this log, below dir: "" or "denials/" */
    uint64_t                     size;           /* of the checkpoint */
    FILE                        *records;
    struct digest               *digest;
    struct ledger_tree          *tree;
    struct buf                   line;
    struct buf                  *why;
    enum status                  status;         /* sticky */
};

static enum status
fail(struct buf *why, const char *path)
{
    buf_add_format(why, "%s: %s", path, strerror(errno));
    return ST_IO;
}

/* ---- files ----------------------------------------------------------------------------- */

static enum status
path_of(struct writer *w, struct span name, char path[PATH_BYTES])
{
    int length = snprintf(path, PATH_BYTES, "%s/%s%.*s", w->options->dir, w->folder, SPAN_PRINT(name));

    return length > 0 && length < (int)PATH_BYTES ? ST_OK : ST_TOO_LARGE;
}

/* The folders of a path below the export's own, one after the other. */
static enum status
folders_make(struct writer *w, char *path)
{
    for (char *slash = path + strlen(w->options->dir) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash   = 0;
        int made = mkdir(path, 0700);
        if (made != 0 && errno != EEXIST)
            return fail(w->why, path);
        *slash = '/';
    }
    return ST_OK;
}

static enum status
file_write(struct writer *w, struct span name, struct span bytes)
{
    char        path[PATH_BYTES];
    enum status st = path_of(w, name, path);

    if (st == ST_OK)
        st = folders_make(w, path);
    if (st != ST_OK)
        return st;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(w->why, path);
    while (bytes.length > 0 && st == ST_OK) {
        ssize_t wrote = write(fd, bytes.at, bytes.length);
        if (wrote < 0 && errno != EINTR)
            st = fail(w->why, path);
        else if (wrote > 0)
            bytes = span_skip(bytes, (size_t)wrote);
    }
    if (close(fd) != 0 && st == ST_OK)
        st = fail(w->why, path);
    return st;
}

static enum status
tile_write(struct writer *w, unsigned level, uint64_t n, const struct ledger_hash *hashes, unsigned width)
{
    char       room[128];
    struct buf name = { .at = room, .capacity = sizeof room, .max = sizeof room };

    tile_name(&name, level, n, width);
    return file_write(w, buf_span(&name), span_from(hashes, width * sizeof hashes[0]));
}

static enum status
on_full_tile(void *arg, unsigned level, uint64_t n, const struct ledger_hash hashes[TILE_HASHES])
{
    return tile_write(arg, level, n, hashes, TILE_HASHES);
}

static enum status
partial_tiles_write(struct writer *w)
{
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        uint64_t entries = w->tree->edge.size >> (TILE_BITS * level);
        unsigned width   = (unsigned)(entries % TILE_HASHES);
        if (width == 0)
            continue;
        enum status st = tile_write(w, level, entries / TILE_HASHES, w->tree->tile[level], width);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}

/* ---- records ----------------------------------------------------------------------------- */

static void
line_make(struct buf *line, const struct ledger_leaf *leaf)
{
    buf_clear(line);
    buf_add_text(line, "{\"index\":");
    buf_add_u64(line, leaf->index);
    if (span_empty(leaf->record)) {
        buf_add_text(line, ",\"commitment\":\"");
        buf_add_hex(line, leaf->commitment.bytes, sizeof leaf->commitment.bytes);
        buf_add_text(line, "\"}\n");
        return;
    }
    buf_add_text(line, ",\"salt\":\"");
    buf_add_hex(line, leaf->salt.at, leaf->salt.length);
    buf_add_text(line, "\",\"record\":");
    buf_add(line, leaf->record);
    buf_add_text(line, "}\n");
}

static bool
on_leaf(const struct ledger_leaf *leaf, void *arg)
{
    struct writer     *w = arg;
    struct ledger_hash hash;

    if (leaf->index >= w->size)
        return false;
    line_make(&w->line, leaf);
    w->status = buf_status(&w->line);
    if (w->status == ST_OK && fwrite(w->line.at, 1, w->line.length, w->records) != w->line.length)
        w->status = fail(w->why, "records.ndjson");
    merkle_leaf(w->digest, leaf->commitment.bytes, sizeof leaf->commitment.bytes, &hash);
    if (w->status == ST_OK)
        w->status = ledger_grow(w->digest, w->tree, &hash, on_full_tile, w);
    if (w->options->progress != NULL && leaf->index % PROGRESS_EVERY == 0)
        w->options->progress(w->options->arg, w->log, leaf->index, w->size);
    return w->status == ST_OK;
}

static enum status
records_write(struct store *store, struct writer *w)
{
    char        path[PATH_BYTES];
    enum status st = path_of(w, SPAN("records.ndjson"), path);

    if (st == ST_OK)
        st = folders_make(w, path);
    int fd = st == ST_OK ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (st != ST_OK || fd < 0)
        return st == ST_OK ? fail(w->why, path) : st;
    w->records = fdopen(fd, "w");
    if (w->records == NULL) {
        (void)close(fd);
        return ST_NO_MEMORY;
    }
    st = store_ledger_visit(store, w->log, 0, on_leaf, w);
    if (fclose(w->records) != 0 && w->status == ST_OK)
        w->status = fail(w->why, path);
    return w->status != ST_OK ? w->status : st;
}

/* ---- a log ------------------------------------------------------------------------------- */

static enum status
log_write(struct store *store, struct writer *w, struct span note)
{
    struct checkpoint  head;
    struct ledger_hash root;
    enum status        st = checkpoint_parse(note, &head, w->why);

    if (st != ST_OK)
        return st;
    w->size = head.size;
    st      = records_write(store, w);
    if (st != ST_OK)
        return st;
    merkle_root(w->digest, &w->tree->edge, &root);
    if (w->tree->edge.size != head.size || !ledger_hash_eq(&root, &head.root)) {
        buf_add_text(w->why, "the stored leaves do not fit the signed checkpoint: run `sluice log verify`");
        return ST_INTEGRITY;
    }
    st = partial_tiles_write(w);
    return st == ST_OK ? file_write(w, SPAN("checkpoint"), note) : st;
}

static enum status
log_export(struct store *store, const struct export_options *options, enum ledger_log log, uint64_t *size,
           struct buf *why)
{
    struct arena *arena = arena_new("export", 2 * CHECKPOINT_MAX_BYTES);
    struct writer w     = { .options = options, .log = log, .why = why, .status = ST_OK,
                            .folder = log == LEDGER_DENIALS ? "denials/" : "", .digest = digest_new(),
                            .tree = calloc(1, sizeof *w.tree) };
    struct span   note;
    enum status   st = ST_NO_MEMORY;

    buf_init(&w.line, 2 * RECORD_MAX_BYTES);
    if (arena != NULL && w.digest != NULL && w.tree != NULL)
        st = store_ledger_checkpoint(store, log, arena, &note);
    if (st == ST_OK)
        st = log_write(store, &w, note);
    *size = w.size;
    buf_release(&w.line);
    digest_free(&w.digest);
    free(w.tree);
    arena_free(&arena);
    return st;
}

/* ---- the folder --------------------------------------------------------------------------- */

/* rmdir succeeds on an empty folder only. */
static enum status
folder_begin(const char *dir, struct buf *why)
{
    if (rmdir(dir) != 0 && errno != ENOENT) {
        if (errno == ENOTEMPTY || errno == EEXIST) {
            buf_add_format(why, "%s: is not empty", dir);
            return ST_CONFLICT;
        }
        return fail(why, dir);
    }
    return mkdir(dir, 0700) == 0 ? ST_OK : fail(why, dir);
}

static enum status
extras_write(const struct export_options *options, struct buf *why)
{
    struct writer w = { .options = options, .folder = "", .why = why };
    struct buf    pem;

    buf_init(&pem, 4096);
    enum status st = ledger_public_pem(&options->key, &pem);
    if (st == ST_OK)
        st = file_write(&w, SPAN("public-key.pem"), buf_span(&pem));
    buf_release(&pem);
    if (st == ST_OK)
        st = file_write(&w, SPAN("verify.py"), span_of(ledger_export_verifier));
    return st == ST_OK ? file_write(&w, SPAN("README"), span_of(ledger_export_readme)) : st;
}

enum status
ledger_export(struct store *store, const struct export_options *options, struct export_result *result,
              struct buf *why)
{
    enum status st = folder_begin(options->dir, why);

    if (st == ST_OK)
        st = store_hold(store);
    if (st != ST_OK)
        return st;
    st = extras_write(options, why);
    for (int log = 0; log < LEDGER_LOGS && st == ST_OK; log++)
        st = log_export(store, options, (enum ledger_log)log, &result->size[log], why);
    store_let_go(store);
    return st;
}
