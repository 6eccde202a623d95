/* gateway/ledger/checkpoint.c -- a signed tree head in C2SP tlog-checkpoint form. */
#include "gateway/ledger/checkpoint.h"

#include <openssl/evp.h>
#include <string.h>

#include "gateway/ledger/signer.h"

#define DASH           "\xe2\x80\x94 "   /* em dash and space */
#define SIGNATURE_SIZE (4u + 64u)        /* key id and Ed25519 signature */
#define MAX_SIGNATURES 64

/* ---- base64 ----------------------------------------------------------------- */

void
base64_add(struct buf *out, const void *bytes, size_t length)
{
    char *room = buf_reserve(out, 4 * ((length + 2) / 3) + 1);      /* and the NUL that OpenSSL writes */

    if (room == NULL)
        return;
    int written = EVP_EncodeBlock((unsigned char *)room, bytes, (int)length);
    buf_commit(out, (size_t)written);
}

/* EVP_DecodeBlock trims white space and ignores how the last bits are padded;
 * encoding again and comparing accepts the one canonical form only. */
bool
base64_take(struct span text, unsigned char *out, size_t size)
{
    unsigned char decoded[3 * 40];
    char          again[4 * 40 + 1];

    if (text.length != 4 * ((size + 2) / 3) || text.length > sizeof again - 1)
        return false;
    int got = EVP_DecodeBlock(decoded, (const unsigned char *)text.at, (int)text.length);
    if (got < (int)size)
        return false;
    int length = EVP_EncodeBlock((unsigned char *)again, decoded, (int)size);
    if ((size_t)length != text.length || memcmp(again, text.at, text.length) != 0)
        return false;
    memcpy(out, decoded, size);
    return true;
}

/* ---- writing ----------------------------------------------------------------- */

static void
key_id(struct digest *d, struct span name, const unsigned char public[32], unsigned char out[4])
{
    struct ledger_hash hash;

    digest_begin(d);
    digest_add(d, name.at, name.length);
    digest_add(d, "\n\x01", 2);
    digest_add(d, public, 32);
    digest_end(d, &hash);
    memcpy(out, hash.bytes, 4);
}

enum status
checkpoint_sign(const struct ledger_signer *signer, struct digest *d, enum ledger_log log, uint64_t size,
                const struct ledger_hash *root, struct buf *out)
{
    struct span   origin = ledger_signer_origin(signer, log);
    unsigned char signature[SIGNATURE_SIZE];
    size_t        start = out->length;

    buf_add(out, origin);
    buf_add_byte(out, '\n');
    buf_add_u64(out, size);
    buf_add_byte(out, '\n');
    base64_add(out, root->bytes, sizeof root->bytes);
    buf_add_byte(out, '\n');
    enum status st = buf_status(out);
    if (st != ST_OK)
        return st;
    key_id(d, origin, ledger_signer_public(signer), signature);
    st = ledger_signer_sign(signer, span_skip(buf_span(out), start), signature + 4);
    if (st != ST_OK)
        return st;
    buf_add_text(out, "\n" DASH);
    buf_add(out, origin);
    buf_add_byte(out, ' ');
    base64_add(out, signature, sizeof signature);
    buf_add_byte(out, '\n');
    return buf_status(out);
}

/* ---- reading ----------------------------------------------------------------- */

/* The text is separated from the signatures by the last empty line. */
bool
checkpoint_split(struct span note, struct span *text, struct span *signatures)
{
    if (note.length == 0 || note.length > CHECKPOINT_MAX_BYTES || note.at[note.length - 1] != '\n')
        return false;
    for (size_t i = 0; i < note.length; i++) {
        if ((unsigned char)note.at[i] < 0x20 && note.at[i] != '\n')
            return false;
    }
    for (size_t i = note.length - 1; i > 0; i--) {
        if (note.at[i] == '\n' && note.at[i - 1] == '\n') {
            *text       = span_first(note, i);
            *signatures = span_skip(note, i + 1);
            return !span_empty(*signatures);
        }
    }
    return false;
}

static enum status
malformed(struct buf *why, const char *what)
{
    buf_add_format(why, "checkpoint: %s", what);
    return ST_MALFORMED;
}

static enum status
text_parse(struct span text, struct checkpoint *out, struct buf *why)
{
    struct checkpoint c;
    struct span       rest = text;

    c.origin         = span_split(&rest, '\n');
    struct span size = span_split(&rest, '\n');
    struct span root = span_split(&rest, '\n');
    if (span_empty(c.origin))
        return malformed(why, "there is no origin line");
    if (!span_to_u64(size, &c.size) || (size.length > 1 && size.at[0] == '0'))
        return malformed(why, "the second line is not a tree size");
    if (!base64_take(root, c.root.bytes, sizeof c.root.bytes))
        return malformed(why, "the third line is not a SHA-256 root in base64");
    *out = c;
    return ST_OK;
}

enum status
checkpoint_parse(struct span note, struct checkpoint *out, struct buf *why)
{
    struct span text, signatures;

    if (!checkpoint_split(note, &text, &signatures))
        return malformed(why, "not a signed note: lines of text, an empty line, signatures");
    return text_parse(text, out, why);
}

bool
ledger_public_signed(const struct ledger_public *public, struct span text, const unsigned char signature[64])
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public->bytes, sizeof public->bytes);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = key != NULL && ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestVerify(ctx, signature, 64, (const unsigned char *)text.at, text.length) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok;
}

bool
checkpoint_signature_line(struct span line, struct span *rest)
{
    *rest = span_skip(line, sizeof DASH - 1);
    return span_starts(line, SPAN(DASH));
}

/* Which key a line says it is of: its name, a blank and the first 30 bits of the
 * key id, as they stand.  Empty: it is no signature line (signed-note). */
static struct span
line_key(struct span line)
{
    struct span rest = span_skip(line, sizeof DASH - 1);
    struct span name = span_split(&rest, ' ');

    if (!span_starts(line, SPAN(DASH)) || span_empty(name) || span_find_byte(name, '+') != SPAN_NOT_FOUND ||
        rest.length < 8 || rest.length % 4 != 0)
        return (struct span){ NULL, 0 };
    for (size_t i = 0; i < rest.length; i++) {
        char c      = rest.at[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
        if (!letter && (c != '=' || i + 2 < rest.length))
            return (struct span){ NULL, 0 };
    }
    return span_from(name.at, name.length + 1 + 5);
}

/* Signature lines and nothing else, and none of a key that has one already:
 * a note has one form, so that two files that differ are two notes. */
static bool
signatures_are_plain(struct span signatures)
{
    struct span keys[MAX_SIGNATURES];
    size_t      count = 0;

    while (!span_empty(signatures)) {
        struct span key = line_key(span_split(&signatures, '\n'));
        if (span_empty(key) || count == MAX_SIGNATURES)
            return false;
        for (size_t i = 0; i < count; i++)
            if (span_eq(keys[i], key))
                return false;
        keys[count++] = key;
    }
    return true;
}

/* Whether this line is of our key: then `signature` holds its 64 bytes. */
static bool
line_is_ours(struct span line, struct span origin, const unsigned char id[4], unsigned char *signature)
{
    unsigned char bytes[SIGNATURE_SIZE];

    if (!span_starts(line, SPAN(DASH)))
        return false;
    struct span rest = span_skip(line, sizeof DASH - 1);
    struct span name = span_split(&rest, ' ');
    if (!span_eq(name, origin) || !base64_take(rest, bytes, sizeof bytes) || memcmp(bytes, id, 4) != 0)
        return false;
    memcpy(signature, bytes + 4, 64);
    return true;
}

enum status
checkpoint_verify(struct span note, const struct ledger_public *public, struct digest *d,
                  struct span expected_origin, struct checkpoint *out, struct buf *why)
{
    struct span       text, signatures;
    struct checkpoint c;
    unsigned char     id[4];
    unsigned char     signature[64];
    bool              found = false;

    if (!checkpoint_split(note, &text, &signatures))
        return malformed(why, "not a signed note: lines of text, an empty line, signatures");
    enum status st = text_parse(text, &c, why);
    if (st != ST_OK)
        return st;
    if (!signatures_are_plain(signatures))
        return malformed(why, "a line after the empty one is no signature, or a key signed twice");
    if (!span_empty(expected_origin) && !span_eq(expected_origin, c.origin)) {
        buf_add_format(why, "checkpoint: its origin is %.*s, not %.*s", SPAN_PRINT(c.origin),
                       SPAN_PRINT(expected_origin));
        return ST_INTEGRITY;
    }
    key_id(d, c.origin, public->bytes, id);
    while (!span_empty(signatures)) {
        struct span line = span_split(&signatures, '\n');
        if (!line_is_ours(line, c.origin, id, signature))
            continue;
        found = true;
        if (!ledger_public_signed(public, text, signature)) {
            buf_add_format(why, "checkpoint of size %llu: the signature is wrong",
                           (unsigned long long)c.size);
            return ST_INTEGRITY;
        }
    }
    if (!found) {
        buf_add_format(why, "checkpoint of size %llu: not signed by this key",
                       (unsigned long long)c.size);
        return ST_INTEGRITY;
    }
    *out = c;
    return ST_OK;
}
