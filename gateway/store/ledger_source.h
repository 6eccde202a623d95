/* gateway/store/ledger_source.h -- the tree of a log, read from its rows.
 *
 * Full tiles are rows of their own; what is right of them is made from the
 * leaves' commitments.  A root or proof costs at most 255 leaves and a few tiles,
 * whatever the size.
 */
#ifndef SLUICE_GATEWAY_STORE_LEDGER_SOURCE_H
#define SLUICE_GATEWAY_STORE_LEDGER_SOURCE_H

#include <sqlite3.h>

#include "gateway/ledger/tree.h"

struct ledger_source {
    sqlite3_stmt      *leaf, *tile;      /* SQL_LEAF_HASH, SQL_TILE_READ; borrowed */
    struct digest     *digest;
    enum ledger_log    log;
    bool               cached;           /* the last tile that was read */
    unsigned           cached_level;
    uint64_t           cached_n;
    struct ledger_hash cache[TILE_HASHES];
};

/* A merkle_subtree; arg is the source.  ST_INTEGRITY: a row is missing or has a
 * wrong size. */
enum status ledger_source_subtree(void *arg, unsigned level, uint64_t index,
                                  struct ledger_hash *out) MUST_CHECK;

#endif
