/* gateway/ledger/checkpoint.h -- a signed tree head in C2SP tlog-checkpoint form.
 *
 *     sluice/5f2b0c9a7e114d30                      origin
 *     1204                                         leaves
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I= root
 *                                                  empty line
 *     — sluice/5f2b0c9a7e114d30 Az3grlgt…          em dash, key name, base64(key id || signature)
 *
 * c2sp.org/tlog-checkpoint, c2sp.org/signed-note: the key name is the origin; the
 * key id is the first four bytes of SHA-256(name || 0x0A || 0x01 || public key);
 * the signature is Ed25519 (RFC 8032) over the text with its last newline,
 * without the empty line.  Base64 is RFC 4648 section 4.
 *
 * A reader ignores signatures of keys that it does not know, and refuses the
 * whole note when one of a key that it knows is wrong.
 */
#ifndef SLUICE_GATEWAY_LEDGER_CHECKPOINT_H
#define SLUICE_GATEWAY_LEDGER_CHECKPOINT_H

#include "gateway/ledger/digest.h"

#define CHECKPOINT_MAX_BYTES ((size_t)64 * 1024)
#define ORIGIN_MAX_BYTES     200u

struct checkpoint {
    struct span        origin;           /* points into the note that was read */
    uint64_t           size;
    struct ledger_hash root;
};

/* Appends the signed note. */
enum status checkpoint_sign(const struct ledger_signer *, struct digest *, enum ledger_log,
                            uint64_t size, const struct ledger_hash *root, struct buf *out) MUST_CHECK;

/* A key to check with: Ed25519, 32 bytes. */
struct ledger_public { unsigned char bytes[32]; };
/* PEM, SubjectPublicKeyInfo, or the private key's own file. */
enum status ledger_public_read(const char *path, struct ledger_public *out, struct buf *why) MUST_CHECK;
/* The same, from memory. */
enum status ledger_public_parse(struct span pem, struct ledger_public *out) MUST_CHECK;
/* SubjectPublicKeyInfo as PEM. */
enum status ledger_public_pem(const struct ledger_public *, struct buf *out) MUST_CHECK;

/* Form only: what the note says.  ST_MALFORMED and `why`. */
enum status checkpoint_parse(struct span note, struct checkpoint *out, struct buf *why) MUST_CHECK;
/* Form and signature; ST_INTEGRITY when the key did not sign it.  `expected`
 * empty: any origin, as long as the key signed under that name. */
enum status checkpoint_verify(struct span note, const struct ledger_public *, struct digest *,
                              struct span expected_origin, struct checkpoint *out,
                              struct buf *why) MUST_CHECK;

/* The parts of a signed note, for those who check other keys (witness.h): the text with its last newline, and the
 * signature lines.  False: it has not this form. */
bool checkpoint_split(struct span note, struct span *text, struct span *signatures);
/* What stands behind the em dash and its blank; false: it is no signature line. */
bool checkpoint_signature_line(struct span line, struct span *rest);
/* Ed25519 (RFC 8032). */
bool ledger_public_signed(const struct ledger_public *, struct span text, const unsigned char signature[64]);

/* Standard base64 with padding. */
void base64_add(struct buf *, const void *bytes, size_t length);
/* Exactly `size` bytes; false on anything else. */
bool base64_take(struct span text, unsigned char *out, size_t size);

#endif
