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
    uint64_t        index;               /* out: leaf number, after the commit */
};

struct ledger_leaf {                     /* a stored one */
    uint64_t           index;
    struct span        salt, record;     /* both empty: shredded */
    struct ledger_hash commitment;
};

/* Ed25519 key of the `ledger { key }` option, PKCS#8 PEM. */
struct ledger_signer;
enum status ledger_signer_open(const char *path, struct span origin, struct ledger_signer **out,
                               struct buf *why) MUST_CHECK;
void        ledger_signer_free(struct ledger_signer **);

#endif
