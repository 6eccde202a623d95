/* gateway/ledger/tree.c -- the growing edge of one log, and sealing a record. */
#include "gateway/ledger/tree.h"

#include <assert.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_LENGTH (sizeof RECORD_PREFIX - 1)
#define PREVIOUS_AT   (sizeof "{\"prevHash\":\"" - 1)
#define HASH_NAME     ",\"hash\":\""
#define HASH_TAIL     (sizeof HASH_NAME - 1 + 64 + 2)            /* ,"hash":"<64>"} */

static void
draw_salt(struct ledger_salts *salts, unsigned char out[32])
{
    if (salts->left == 0) {
        if (RAND_bytes(salts->bytes, (int)sizeof salts->bytes) != 1)
            abort();
        salts->left = sizeof salts->bytes;
    }
    salts->left -= 32;
    memcpy(out, salts->bytes + salts->left, 32);
    explicit_bzero(salts->bytes + salts->left, 32);
}

enum status
ledger_seal(struct digest *d, struct ledger_salts *salts, const struct ledger_hash *previous,
            struct span record, struct buf *scratch, struct ledger_sealed *out)
{
    if (!span_starts(record, SPAN(RECORD_PREFIX)) || record.at[record.length - 1] != '}')
        return ST_MALFORMED;
    buf_clear(scratch);
    buf_add(scratch, span_first(record, record.length - 1));
    buf_add_text(scratch, HASH_NAME);
    char *room = buf_reserve(scratch, 64 + 2);
    if (room == NULL)
        return buf_status(scratch);
    ledger_hash_hex(previous, scratch->at + PREVIOUS_AT);

    draw_salt(salts, out->salt);
    digest_begin(d);
    digest_add(d, out->salt, sizeof out->salt);
    digest_add(d, scratch->at, record.length - 1);
    digest_peek(d, &out->chain);
    ledger_hash_hex(&out->chain, room);
    memcpy(room + 64, "\"}", 2);
    buf_commit(scratch, 64 + 2);
    digest_add(d, scratch->at + record.length - 1, HASH_TAIL);
    digest_end(d, &out->commitment);
    out->record = buf_span(scratch);
    merkle_leaf(d, out->commitment.bytes, sizeof out->commitment.bytes, &out->leaf);
    return ST_OK;
}

/* After merkle_append, full[8 * (level + 1)] of the edge is the root of the
 * tile that just became full. */
enum status
ledger_grow(struct digest *d, struct ledger_tree *tree, const struct ledger_hash *leaf,
            ledger_on_tile *on_tile, void *arg)
{
    uint64_t at = tree->edge.size;

    tree->tile[0][at % TILE_HASHES] = *leaf;
    merkle_append(d, &tree->edge, leaf);
    for (unsigned level = 0; level + 1 < TILE_LEVELS && at % TILE_HASHES == TILE_HASHES - 1; level++) {
        enum status st = on_tile(arg, level, at / TILE_HASHES, tree->tile[level]);
        if (st != ST_OK)
            return st;
        at /= TILE_HASHES;
        tree->tile[level + 1][at % TILE_HASHES] = tree->edge.full[TILE_BITS * (level + 1)];
    }
    return ST_OK;
}

void
ledger_commit_hash(struct digest *d, const unsigned char salt[32], struct span record,
                   struct ledger_hash *commitment)
{
    digest_begin(d);
    digest_add(d, salt, 32);
    digest_add(d, record.at, record.length);
    digest_end(d, commitment);
}

enum status
ledger_chain_check(struct digest *d, const unsigned char salt[32], struct span record,
                   const struct ledger_hash *previous, struct ledger_hash *hash)
{
    struct ledger_hash said, stands;

    if (record.length < PREFIX_LENGTH + HASH_TAIL)
        return ST_INTEGRITY;
    struct span tail = span_skip(record, record.length - HASH_TAIL);
    if (!span_starts(tail, SPAN(HASH_NAME)) || !span_ends(record, SPAN("\"}")) ||
        !span_starts(record, SPAN("{\"prevHash\":\"")))
        return ST_INTEGRITY;
    if (!ledger_hash_from_hex(span_first(span_skip(tail, sizeof HASH_NAME - 1), 64), &said) ||
        !ledger_hash_from_hex(span_first(span_skip(record, PREVIOUS_AT), 64), &stands))
        return ST_INTEGRITY;
    ledger_commit_hash(d, salt, span_first(record, record.length - HASH_TAIL), hash);
    if (!ledger_hash_eq(hash, &said) || (previous != NULL && !ledger_hash_eq(previous, &stands)))
        return ST_INTEGRITY;
    return ST_OK;
}
