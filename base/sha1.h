/* base/sha1.h -- SHA-1 (FIPS 180-4, 6.1): 20 bytes of a text.
 *
 * For what FHIR R4 asks for by that name (Attachment.hash): whether data is the data
 * that somebody hashed.  Not for integrity against who can choose both texts: SHA-1
 * is broken for that, and the ledger uses SHA-256.
 */
#ifndef SLUICE_BASE_SHA1_H
#define SLUICE_BASE_SHA1_H

#include <stdint.h>

#include "base/span.h"

#define SHA1_BYTES 20

void sha1(struct span text, uint8_t out[SHA1_BYTES]);

#endif
