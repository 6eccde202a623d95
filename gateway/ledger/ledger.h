/* gateway/ledger/ledger.h -- the log of disclosures, as a Merkle tree.
 *
 *   record      canonical JSON bytes, written once (ledger/record.h)
 *   commitment  SHA-256(salt || record)          salt: 32 random bytes a leaf
 *   leaf hash   SHA-256(0x00 || commitment)
 *   tree        RFC 9162 2.1
 *   checkpoint  C2SP tlog-checkpoint, one Ed25519 signature whose key name is the
 *               origin line
 * Two logs with the same parts: disclosures (releases and voids) and denials.
 * Destroying a salt and a record leaves the commitment and so every proof.
 *
 * The chain: a record's `prevHash` is the `hash` of the record before it in its
 * log (64 zeros for the first), and its `hash` is
 * SHA-256(salt || the record's bytes before `,"hash":"`).  It is salted like
 * the commitment, so that a destroyed record cannot be guessed from the next one.
 *
 * Origin lines: the one of the disclosures is the option `ledger { origin }`
 * or, without it, "sluice/" and the first 16 hex digits of SHA-256 of the public
 * key (32 bytes); the log of denials adds "/denials".  A store keeps the origin
 * and the public key of its first start and refuses others.
 */
#ifndef SLUICE_GATEWAY_LEDGER_LEDGER_H
#define SLUICE_GATEWAY_LEDGER_LEDGER_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/span.h"
#include "base/status.h"

enum ledger_log { LEDGER_DISCLOSURES = 0, LEDGER_DENIALS, LEDGER_LOGS };

struct ledger_hash { unsigned char bytes[32]; };

struct ledger_entry {                    /* a record to append */
    enum ledger_log log;
    struct span     record;              /* the JSON bytes */
    struct span     event_id, patient, recipient, kind;   /* copies for the index */
    int64_t         at_ms;
    struct span     client_of;           /* who pushed; index */
    const struct span *others;           /* further patients whom it is found by; no two alike */
    size_t          other_count;
    struct span     voids;               /* a void is found by whom the record is found by that it takes back */
    uint64_t        index;               /* out: leaf number */
};

struct ledger_leaf {                     /* a stored one */
    uint64_t           index;
    struct span        salt, record;     /* both empty: shredded */
    struct ledger_hash commitment;
    /* The copies for the index, as they stand beside the record. */
    struct span        event_id, patient, recipient, kind, client;
    int64_t            at_ms;
};

/* What a record begins with: 64 zeros where the ledger writes prevHash. */
#define RECORD_PREFIX \
    "{\"prevHash\":\"0000000000000000000000000000000000000000000000000000000000000000\""

/* Ed25519 key of the `ledger { key }` option, PKCS#8 PEM.  Empty origin: the
 * default above. */
struct ledger_signer;
enum status ledger_signer_open(const char *path, struct span origin, struct ledger_signer **out,
                               struct buf *why) MUST_CHECK;
void        ledger_signer_free(struct ledger_signer **);
struct span ledger_signer_origin(const struct ledger_signer *, enum ledger_log);
const unsigned char *ledger_signer_public(const struct ledger_signer *);   /* 32 bytes */

#endif
