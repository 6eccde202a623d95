/* gateway/ledger/digest.h -- SHA-256 by OpenSSL, fetched once.
 *
 * EVP_sha256() looks the algorithm up on every use, which costs as much as
 * hashing 300 bytes; a digest keeps the fetched method and its context.
 * One digest belongs to one thread.
 */
#ifndef SLUICE_GATEWAY_LEDGER_DIGEST_H
#define SLUICE_GATEWAY_LEDGER_DIGEST_H

#include "gateway/ledger/ledger.h"

struct digest;

struct digest *digest_new(void);                 /* NULL: no memory or no SHA-256 */
void           digest_free(struct digest **);

void digest_begin(struct digest *);
void digest_add(struct digest *, const void *bytes, size_t length);
void digest_end(struct digest *, struct ledger_hash *out);
/* The hash of what was added so far; more may follow. */
void digest_peek(struct digest *, struct ledger_hash *out);

bool ledger_hash_eq(const struct ledger_hash *, const struct ledger_hash *);
/* 64 lower case hex digits; no NUL. */
void ledger_hash_hex(const struct ledger_hash *, char out[64]);
bool ledger_hash_from_hex(struct span, struct ledger_hash *out);

#endif
