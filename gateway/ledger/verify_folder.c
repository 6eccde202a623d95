/* gateway/ledger/verify_folder.c -- verifying an export folder; it needs nothing but the public key. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_tape.h"
#include "gateway/ledger/check.h"
#include "gateway/ledger/record.h"

#define PATH_BYTES 8192u
#define LINE_MAX_BYTES (2 * RECORD_MAX_BYTES) /* a record and what stands around it */

struct lines {                           /* a file, line by line, in one buffer */
    int    fd;
    char  *at;
    size_t begin, end;
    bool   over;                         /* nothing more to read */
    bool   too_long, cut;                /* the last line is longer than the buffer; has no line feed */
};

struct folder {
    struct check       check;
    const char        *dir;
    const char        *below;            /* "" or "denials/" */
    uint64_t           line;
    /* V3: the level 0 tile of the leaf at hand. */
    struct ledger_hash tile[TILE_HASHES];
    unsigned           tile_width;       /* 0: not there */
    uint64_t           tile_n;
    bool               tile_loaded;
};

/* ---- files ----------------------------------------------------------------------------------- */

static bool
path_of(const struct folder *f, struct span name, char path[PATH_BYTES])
{
    int length = snprintf(path, PATH_BYTES, "%s/%s%.*s", f->dir, f->below, SPAN_PRINT(name));

    return length > 0 && length < (int)PATH_BYTES;
}

/* At most `size` bytes; -1: there is no such file. */
static ssize_t
file_read(const struct folder *f, struct span name, void *at, size_t size)
{
    char   path[PATH_BYTES];
    size_t got = 0;
    int    fd  = path_of(f, name, path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return -1;
    while (got < size) {
        ssize_t n = read(fd, (char *)at + got, size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    (void)close(fd);
    return (ssize_t)got;
}

static bool
lines_fill(struct lines *l)
{
    if (l->begin > 0) {
        memmove(l->at, l->at + l->begin, l->end - l->begin);
        l->end -= l->begin;
        l->begin = 0;
    }
    if (l->end == LINE_MAX_BYTES) {
        l->too_long = true;
        return false;
    }
    ssize_t n;
    do {
        n = read(l->fd, l->at + l->end, LINE_MAX_BYTES - l->end);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        l->over = true;
        l->cut  = l->end > 0;
        return false;
    }
    l->end += (size_t)n;
    return true;
}

/* The next line without its line feed. */
static bool
lines_next(struct lines *l, struct span *out)
{
    size_t seen = 0;

    for (;;) {
        char *from = l->at + l->begin + seen;
        char *feed = memchr(from, '\n', l->end - l->begin - seen);
        if (feed != NULL) {
            *out     = span_from(l->at + l->begin, (size_t)(feed - (l->at + l->begin)));
            l->begin = (size_t)(feed - l->at) + 1;
            return true;
        }
        seen = l->end - l->begin;
        if (!lines_fill(l))
            return false;
    }
}

/* ---- tiles ------------------------------------------------------------------------------------ */

static struct span
name_of(char room[128], unsigned level, uint64_t n, unsigned width)
{
    struct buf name = { .at = room, .capacity = 128, .max = 128 };

    tile_name(&name, level, n, width);
    return buf_span(&name);
}

/* V5: what stands in the file has to be these hashes and no more. */
static void
tile_compare(struct folder *f, unsigned level, uint64_t n, const struct ledger_hash *hashes, unsigned width)
{
    char          room[128];
    unsigned char stored[TILE_HASHES * 32 + 1];
    struct span   name = name_of(room, level, n, width);
    ssize_t       size = file_read(f, name, stored, sizeof stored);

    if (size < 0)
        check_problem(&f->check, "%s%.*s is missing", f->below, SPAN_PRINT(name));
    else if ((size_t)size != width * sizeof hashes[0] || memcmp(stored, hashes, (size_t)size) != 0)
        check_problem(&f->check, "%s%.*s is not the tile of these leaves", f->below, SPAN_PRINT(name));
}

static enum status
on_tile(void *arg, unsigned level, uint64_t n, const struct ledger_hash hashes[TILE_HASHES])
{
    tile_compare(arg, level, n, hashes, TILE_HASHES);
    return ST_OK;
}

static void
partial_tiles_compare(struct folder *f)
{
    const struct ledger_tree *tree = f->check.tree;

    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        uint64_t entries = tree->edge.size >> (TILE_BITS * level);
        if (entries % TILE_HASHES > 0)
            tile_compare(f, level, entries / TILE_HASHES, tree->tile[level], (unsigned)(entries % TILE_HASHES));
    }
}

/* The tile that says what the leaf was, to name the leaf that was changed and
 * not only the tree. */
static void
tile_load(struct folder *f, uint64_t index)
{
    char     room[128];
    uint64_t n    = index / TILE_HASHES;
    uint64_t size = f->check.head.size;
    unsigned width = n < size / TILE_HASHES ? TILE_HASHES : (unsigned)(size % TILE_HASHES);

    if (f->tile_loaded && f->tile_n == n)
        return;
    f->tile_loaded = true;
    f->tile_n      = n;
    f->tile_width  = 0;
    if (n > size / TILE_HASHES || width == 0)
        return;
    ssize_t got = file_read(f, name_of(room, 0, n, width), f->tile, sizeof f->tile);
    if (got == (ssize_t)(width * sizeof f->tile[0]))
        f->tile_width = width;
}

/* Files that belong to no tile of this size; missing ones were named already. */
static void
tiles_count(struct folder *f)
{
    char  path[PATH_BYTES];
    char *roots[2] = { path, NULL };

    if (!path_of(f, SPAN("tiles"), path))
        return;
    size_t skip = strlen(path) + 1;
    FTS   *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *e; walk != NULL && (e = fts_read(walk)) != NULL;) {
        if (e->fts_info == FTS_D || e->fts_info == FTS_DP || e->fts_info == FTS_NS)
            continue;
        struct span name = span_skip(span_of(e->fts_path), skip);
        if (e->fts_info != FTS_F || !tile_name_belongs(name, f->check.head.size))
            check_problem(&f->check, "%stiles/%.*s does not belong there", f->below, SPAN_PRINT(name));
    }
    if (walk != NULL)
        (void)fts_close(walk);
}

/* ---- records ------------------------------------------------------------------------------------ */

struct parsed {
    uint64_t           index;
    bool               shredded;
    struct ledger_hash salt;
    struct span        record;
    struct ledger_hash commitment;
};

static bool
hex_member(const struct tape *t, struct span name, struct arena *arena, unsigned char out[32])
{
    struct ledger_hash hash;

    if (!ledger_hash_from_hex(tape_member_text(t, TAPE_ROOT, name, arena), &hash))
        return false;
    memcpy(out, hash.bytes, sizeof hash.bytes);
    return true;
}

/* The line byte for byte as an export writes it: what is inside a record is
 * hashed, what is around it must leave no room for anything either. */
static bool
line_is_exact(struct span line, const struct parsed *p)
{
    char       room[256];
    char       hex[64];
    struct buf want = { .at = room, .capacity = sizeof room, .max = sizeof room };

    buf_add_text(&want, "{\"index\":");
    buf_add_u64(&want, p->index);
    buf_add_text(&want, p->shredded ? ",\"commitment\":\"" : ",\"salt\":\"");
    ledger_hash_hex(p->shredded ? &p->commitment : &p->salt, hex);
    buf_add(&want, span_from(hex, sizeof hex));
    buf_add_text(&want, p->shredded ? "\"" : "\",\"record\":");
    return span_starts(line, buf_span(&want)) && span_ends(line, SPAN("}")) &&
           line.length == want.length + p->record.length + 1;
}

/* One of the two forms and nothing beside it. */
static bool
line_parse(struct folder *f, struct span line, struct parsed *out)
{
    const struct tape *t;
    struct arena      *arena = f->check.arena;

    memset(out, 0, sizeof *out);
    if (tape_read(line, &tape_default_limits, arena, &t, NULL) != ST_OK || tape_kind(t, TAPE_ROOT) != TAPE_OBJECT)
        return false;
    tape_node index  = tape_member(t, TAPE_ROOT, SPAN("index"));
    tape_node record = tape_member(t, TAPE_ROOT, SPAN("record"));
    if (tape_kind(t, index) != TAPE_NUMBER || !span_to_u64(tape_raw(t, index), &out->index))
        return false;
    out->shredded = record == TAPE_ABSENT;
    if (out->shredded)
        return tape_children(t, TAPE_ROOT) == 2 &&
               hex_member(t, SPAN("commitment"), arena, out->commitment.bytes);
    out->record = tape_extent(t, record);
    return tape_children(t, TAPE_ROOT) == 3 && tape_kind(t, record) == TAPE_OBJECT &&
           hex_member(t, SPAN("salt"), arena, out->salt.bytes);
}

static void
line_check(struct folder *f, struct span line)
{
    struct check      *c = &f->check;
    struct parsed      p;
    struct ledger_hash leaf;

    f->line++;
    if (!line_parse(f, line, &p)) {
        check_problem(c, "%srecords.ndjson line %llu: it is not a record", f->below, (unsigned long long)f->line);
        return;
    }
    if (!line_is_exact(line, &p))
        check_problem(c, "%srecords.ndjson line %llu: it is not written as an export writes it", f->below,
                      (unsigned long long)f->line);
    if (!p.shredded)
        ledger_commit_hash(c->digest, p.salt.bytes, p.record, &p.commitment);
    merkle_leaf(c->digest, p.commitment.bytes, sizeof p.commitment.bytes, &leaf);
    tile_load(f, p.index);
    unsigned at    = (unsigned)(p.index % TILE_HASHES);
    bool     sound = at >= f->tile_width || ledger_hash_eq(&f->tile[at], &leaf);
    if (!sound)
        check_problem(c, "%srecords.ndjson line %llu: leaf %llu does not fit its tile: the record, its salt or the "
                         "tile was changed", f->below, (unsigned long long)f->line, (unsigned long long)p.index);
    check_leaf(c, p.index, p.salt.bytes, p.record, &leaf, sound);
}

/* V13, before the rest: from the records of denials. */
static enum status
shredded_gather(struct folder *f, struct shredded *out)
{
    char               path[PATH_BYTES];
    struct lines       l = { .fd = -1, .at = malloc(LINE_MAX_BYTES) };
    struct span        line;
    const struct tape *t;
    enum status        st = l.at != NULL ? ST_OK : ST_NO_MEMORY;

    if (st == ST_OK && path_of(f, SPAN("records.ndjson"), path))
        l.fd = open(path, O_RDONLY | O_CLOEXEC);
    while (st == ST_OK && l.fd >= 0 && lines_next(&l, &line)) {
        struct arena_mark mark = arena_mark(f->check.arena);
        struct parsed     p;
        if (span_find(line, SPAN(SHREDDED_MARK)) != SPAN_NOT_FOUND && line_parse(f, line, &p) && !p.shredded
            && tape_read(p.record, &tape_default_limits, f->check.arena, &t, NULL) == ST_OK)
            st = shredded_add(out, t, f->check.arena);
        arena_reset(f->check.arena, mark);
    }
    if (l.fd >= 0)
        (void)close(l.fd);
    free(l.at);
    shredded_ready(out);
    return st;
}

static enum status
records_check(struct folder *f)
{
    char         path[PATH_BYTES];
    struct lines l = { .fd = -1, .at = malloc(LINE_MAX_BYTES) };
    struct span  line;

    if (l.at == NULL)
        return ST_NO_MEMORY;
    if (path_of(f, SPAN("records.ndjson"), path))
        l.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (l.fd < 0)
        check_problem(&f->check, "%srecords.ndjson is missing", f->below);
    while (l.fd >= 0 && lines_next(&l, &line)) {
        struct arena_mark mark = arena_mark(f->check.arena);
        line_check(f, line);
        arena_reset(f->check.arena, mark);
    }
    if (l.too_long)
        check_problem(&f->check, "%srecords.ndjson line %llu is too long", f->below, (unsigned long long)f->line + 1);
    if (l.cut)
        check_problem(&f->check, "%srecords.ndjson ends inside line %llu", f->below, (unsigned long long)f->line + 1);
    if (l.fd >= 0)
        (void)close(l.fd);
    free(l.at);
    return ST_OK;
}

static enum status
folder_gather(const char *dir, const struct verify_options *options, struct shredded *out, struct buf *report)
{
    struct verify_log none = { .size = 0 };
    struct folder    *f    = calloc(1, sizeof *f);
    enum status       st   = f != NULL ? check_begin(&f->check, options, LEDGER_DENIALS, &none, report) : ST_NO_MEMORY;

    if (st == ST_OK) {
        f->dir   = dir;
        f->below = "denials/";
        st       = shredded_gather(f, out);
        check_end(&f->check);
    }
    free(f);
    return st;
}

/* ---- a folder --------------------------------------------------------------------------------------- */

static enum status
log_folder_verify(const char *dir, const struct verify_options *options, enum ledger_log log,
                  const struct check_others *others, const struct shredded *shredded, struct verify_result *result,
                  struct buf *report)
{
    struct folder *f    = calloc(1, sizeof *f);
    char          *note = malloc(CHECKPOINT_MAX_BYTES + 1);
    enum status    st   = ST_NO_MEMORY;

    if (f != NULL && note != NULL)
        st = check_begin(&f->check, options, log, &result->log[log], report);
    if (st == ST_OK) {
        f->dir               = dir;
        f->below             = log == LEDGER_DENIALS ? "denials/" : "";
        f->check.shredded    = shredded;
        f->check.on_tile     = on_tile;
        f->check.on_tile_arg = f;
        ssize_t size         = file_read(f, SPAN("checkpoint"), note, CHECKPOINT_MAX_BYTES + 1);
        if (size < 0)
            check_problem(&f->check, "%scheckpoint is missing", f->below);
        else
            check_head(&f->check, span_from(note, (size_t)size));
        check_others_add(&f->check, others);
        st = records_check(f);
    }
    if (st == ST_OK) {
        partial_tiles_compare(f);
        if (f->check.readable)
            tiles_count(f);
        check_finish(&f->check);
        result->problems += f->check.problems;
        check_end(&f->check);
    }
    free(note);
    free(f);
    return st;
}

enum status
ledger_verify_folder(const char *dir, const struct verify_options *options, struct verify_result *result,
                     struct buf *report)
{
    struct check_others others;
    struct shredded     shredded = { .log = { { NULL, 0, 0 } } };

    memset(result, 0, sizeof *result);
    if (access(dir, R_OK | X_OK) != 0) {
        buf_add_format(report, "%s: %s\n", dir, strerror(errno));
        return ST_NOT_FOUND;
    }
    enum status st = check_others_read(options, &others, report);
    if (st == ST_OK)
        st = folder_gather(dir, options, &shredded, report);
    for (int log = 0; log < LEDGER_LOGS && st == ST_OK; log++)
        st = log_folder_verify(dir, options, (enum ledger_log)log, &others, &shredded, result, report);
    shredded_free(&shredded);
    return check_verdict(st, result, report);
}
