/* gateway/store/ledger_source.c -- the tree of a log, read from its rows. */
#include "gateway/store/ledger_source.h"

#include <string.h>

#include "gateway/store/sqlite.h"

static enum status
leaf_hash(struct ledger_source *src, uint64_t index, struct ledger_hash *out)
{
    enum status st = ST_INTEGRITY;

    (void)sqlite3_bind_int64(src->leaf, 1, LEAF_POSITION(src->log, index));
    int code = sqlite3_step(src->leaf);
    if (code == SQLITE_ROW && sqlite3_column_bytes(src->leaf, 0) == 32) {
        merkle_leaf(src->digest, sqlite3_column_blob(src->leaf, 0), 32, out);
        st = ST_OK;
    } else if (code != SQLITE_ROW && code != SQLITE_DONE) {
        st = ST_UNAVAILABLE;
    }
    (void)sqlite3_reset(src->leaf);
    return st;
}

/* ST_NOT_FOUND: this tile is not full. */
static enum status
tile_load(struct ledger_source *src, unsigned level, uint64_t n)
{
    if (src->cached && src->cached_level == level && src->cached_n == n)
        return ST_OK;
    enum status st = ST_INTEGRITY;
    (void)sqlite3_bind_int64(src->tile, 1, TILE_POSITION(src->log, level, n));
    int code = sqlite3_step(src->tile);
    if (code == SQLITE_ROW && sqlite3_column_bytes(src->tile, 0) == (int)sizeof src->cache) {
        memcpy(src->cache, sqlite3_column_blob(src->tile, 0), sizeof src->cache);
        src->cached       = true;
        src->cached_level = level;
        src->cached_n     = n;
        st                = ST_OK;
    } else if (code == SQLITE_DONE) {
        st = ST_NOT_FOUND;
    } else if (code != SQLITE_ROW) {
        st = ST_UNAVAILABLE;
    }
    (void)sqlite3_reset(src->tile);
    return st;
}

/* Folds 2^bits hashes, in place, to one. */
static void
fold(struct digest *d, struct ledger_hash *hashes, unsigned bits, struct ledger_hash *out)
{
    for (uint32_t count = 1u << bits; count > 1; count /= 2) {
        for (uint32_t i = 0; i < count / 2; i++)
            merkle_node(d, &hashes[(size_t)2 * i], &hashes[(size_t)2 * i + 1], &hashes[i]);
    }
    *out = hashes[0];
}

/* Entry `index` of tile level `level`: a leaf hash, or the root of the full tile
 * one level below. */
static enum status
entry(struct ledger_source *src, unsigned level, uint64_t index, struct ledger_hash *out)
{
    struct ledger_hash hashes[TILE_HASHES];

    if (level == 0)
        return leaf_hash(src, index, out);
    enum status st = tile_load(src, level - 1, index);
    if (st != ST_OK)
        return st == ST_NOT_FOUND ? ST_INTEGRITY : st;
    memcpy(hashes, src->cache, sizeof hashes);
    fold(src->digest, hashes, TILE_BITS, out);
    return ST_OK;
}

enum status
ledger_source_subtree(void *arg, unsigned level, uint64_t index, struct ledger_hash *out)
{
    struct ledger_source *src    = arg;
    unsigned              tile   = level / TILE_BITS;
    unsigned              bits   = level % TILE_BITS;
    uint64_t              first  = index << bits;
    struct ledger_hash    hashes[TILE_HASHES];

    if (bits == 0)
        return entry(src, tile, index, out);
    enum status st = tile_load(src, tile, first / TILE_HASHES);
    if (st == ST_OK) {
        memcpy(hashes, &src->cache[first % TILE_HASHES], sizeof hashes[0] << bits);
    } else if (st == ST_NOT_FOUND) {
        st = ST_OK;
        for (uint64_t i = 0; i < UINT64_C(1) << bits && st == ST_OK; i++)
            st = entry(src, tile, first + i, &hashes[i]);
    }
    if (st == ST_OK)
        fold(src->digest, hashes, bits, out);
    return st;
}
