/* gateway/ledger/witness.h -- cosignatures of witnesses, C2SP tlog-cosignature.
 *
 * A witness is somebody else who saw a checkpoint, made sure that it goes on from the one it saw before, and says so
 * under its own key.  Whoever shows one history to the auditor and another to the witness is found by it: the
 * checkpoint that the witness signed is no beginning of what the auditor was given.
 *
 *   vkey          name+<8 hex digits: key id>+<base64 of 0x04 || 32 bytes Ed25519>     (c2sp.org/signed-note)
 *   key id        first four bytes of SHA-256(name || 0x0A || 0x04 || public key)
 *   line          — name base64(key id || time, 8 bytes big endian, seconds || signature)
 *   signed bytes  "cosignature/v1\n" "time <decimal seconds>\n" and the checkpoint's text, with its last newline
 *                                                          (c2sp.org/tlog-cosignature, Format, "Ed25519 signatures")
 */
#ifndef SLUICE_GATEWAY_LEDGER_WITNESS_H
#define SLUICE_GATEWAY_LEDGER_WITNESS_H

#include "gateway/ledger/checkpoint.h"

struct witness {
    struct span          name;           /* points into the vkey */
    unsigned char        id[4];
    struct ledger_public key;
};

/* ST_MALFORMED and `why`: it is no vkey of a witness, or its key id is not its key's. */
enum status witness_parse(struct span vkey, struct digest *, struct witness *out, struct buf *why) MUST_CHECK;

/* ST_OK: this witness signed the note, at *time (seconds, as it says).  ST_INTEGRITY and `why`: it did not, or the
 * signature is wrong.  Whether the log signed it is checkpoint_verify()'s to say. */
enum status witness_check(struct span note, const struct witness *, uint64_t *time, struct buf *why) MUST_CHECK;

#endif
