/* gateway/runtime/identity.h -- ids, hashes and random bytes.
 *
 * Random bytes are getrandom(2)'s, drawn for many ids at a time, hashes
 * OpenSSL's.  A random source that fails is a bug of the machine: we stop rather
 * than repeat an id.
 */
#ifndef SLUICE_GATEWAY_RUNTIME_IDENTITY_H
#define SLUICE_GATEWAY_RUNTIME_IDENTITY_H

#include <stdbool.h>

#include "base/arena.h"

#define UUID_CHARS 36

void        random_draw(void *out, size_t length);          /* at most 64 */
struct span uuid_new(struct arena *);                        /* RFC 9562 version 4, lower case */
void        uuid_write(char out[UUID_CHARS + 1]);            /* the same where there is no arena */
/* SHA-256 of the concatenation, as 64 hex digits; empty: no memory. */
struct span sha256_hex(struct arena *, const struct span *parts, size_t count);
/* What may be echoed and logged as a request id or a key: 1..64 of A-Za-z0-9._:- */
bool        token_valid(struct span, size_t max_length);

#endif
