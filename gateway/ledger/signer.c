/* gateway/ledger/signer.c -- the key that signs checkpoints: read, sign, show.
 *
 * libsodium signs, OpenSSL reads keys and verifies (checkpoint.c).  Ed25519 is
 * deterministic (RFC 8032 5.1.6), so both make the same bytes; OpenSSL 3.0 takes
 * 2.5 times the instructions for it, and every commit signs one or two heads.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ledger/checkpoint.h"
#include "gateway/ledger/signer.h"

#define DENIALS_SUFFIX "/denials"

struct ledger_signer {
    unsigned char        secret[crypto_sign_ed25519_SECRETKEYBYTES];
    struct ledger_public public;
    char                 origin[LEDGER_LOGS][ORIGIN_MAX_BYTES + sizeof DENIALS_SUFFIX];
};

/* What a key name may hold (signed-note): no space, no plus, no control
 * characters; we take printable ASCII only. */
static bool
origin_valid(struct span origin)
{
    if (origin.length == 0 || origin.length > ORIGIN_MAX_BYTES)
        return false;
    for (size_t i = 0; i < origin.length; i++) {
        if (origin.at[i] <= ' ' || origin.at[i] >= 0x7f || origin.at[i] == '+')
            return false;
    }
    return true;
}

static EVP_PKEY *
private_key_read(const char *path, struct buf *why)
{
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        buf_add_format(why, "ledger key %s: %s", path, strerror(errno));
        return NULL;
    }
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    (void)fclose(file);
    if (key == NULL || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) {
        buf_add_format(why, "ledger key %s: not an Ed25519 private key in PKCS#8 PEM", path);
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

static enum status
key_take(const char *path, struct ledger_signer *s, struct buf *why)
{
    unsigned char seed[crypto_sign_ed25519_SEEDBYTES];
    size_t        size = sizeof seed, public_size = sizeof s->public.bytes;
    EVP_PKEY     *key  = private_key_read(path, why);
    unsigned char public[crypto_sign_ed25519_PUBLICKEYBYTES];

    bool ok = key != NULL && sodium_init() >= 0 && EVP_PKEY_get_raw_private_key(key, seed, &size) == 1 &&
              EVP_PKEY_get_raw_public_key(key, s->public.bytes, &public_size) == 1 &&
              crypto_sign_ed25519_seed_keypair(public, s->secret, seed) == 0 &&
              memcmp(public, s->public.bytes, sizeof public) == 0;
    explicit_bzero(seed, sizeof seed);
    EVP_PKEY_free(key);
    return ok ? ST_OK : ST_MALFORMED;
}

static enum status
default_origin(struct ledger_signer *s)
{
    struct digest     *d = digest_new();
    struct ledger_hash hash;
    char               hex[64];

    if (d == NULL)
        return ST_NO_MEMORY;
    digest_begin(d);
    digest_add(d, s->public.bytes, sizeof s->public.bytes);
    digest_end(d, &hash);
    digest_free(&d);
    ledger_hash_hex(&hash, hex);
    (void)snprintf(s->origin[LEDGER_DISCLOSURES], sizeof s->origin[0], "sluice/%.16s", hex);
    return ST_OK;
}

enum status
ledger_signer_open(const char *path, struct span origin, struct ledger_signer **out, struct buf *why)
{
    *out = NULL;
    if (!span_empty(origin) && !origin_valid(origin)) {
        buf_add_format(why, "ledger origin: 1 to %u printable ASCII characters, no space, no plus",
                       ORIGIN_MAX_BYTES);
        return ST_MALFORMED;
    }
    struct ledger_signer *s = calloc(1, sizeof *s);
    if (s == NULL)
        return ST_NO_MEMORY;
    enum status st = key_take(path, s, why);
    if (st == ST_OK && span_empty(origin))
        st = default_origin(s);
    else if (st == ST_OK)
        (void)snprintf(s->origin[LEDGER_DISCLOSURES], sizeof s->origin[0], "%.*s", SPAN_PRINT(origin));
    (void)snprintf(s->origin[LEDGER_DENIALS], sizeof s->origin[0], "%.*s" DENIALS_SUFFIX,
                   (int)ORIGIN_MAX_BYTES, s->origin[LEDGER_DISCLOSURES]);
    if (st == ST_OK)
        *out = s;
    else
        ledger_signer_free(&s);
    return st;
}

void
ledger_signer_free(struct ledger_signer **signer)
{
    if (*signer == NULL)
        return;
    explicit_bzero((*signer)->secret, sizeof (*signer)->secret);
    free(*signer);
    *signer = NULL;
}

struct span
ledger_signer_origin(const struct ledger_signer *s, enum ledger_log log)
{
    return span_of(s->origin[log]);
}

const unsigned char *
ledger_signer_public(const struct ledger_signer *s)
{
    return s->public.bytes;
}

enum status
ledger_signer_sign(const struct ledger_signer *s, struct span text, unsigned char out[64])
{
    int failed = crypto_sign_ed25519_detached(out, NULL, (const unsigned char *)text.at, text.length, s->secret);

    return failed == 0 ? ST_OK : ST_UNAVAILABLE;
}

/* ---- public keys ---------------------------------------------------------- */

enum status
ledger_public_parse(struct span pem, struct ledger_public *out)
{
    if (pem.length == 0 || pem.length > CHECKPOINT_MAX_BYTES)
        return ST_MALFORMED;
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.length);
    if (bio == NULL)
        return ST_NO_MEMORY;
    EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    if (key == NULL && BIO_reset(bio) == 1)
        key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    size_t size = sizeof out->bytes;
    bool   ok   = key != NULL && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
              EVP_PKEY_get_raw_public_key(key, out->bytes, &size) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return ok ? ST_OK : ST_MALFORMED;
}

enum status
ledger_public_read(const char *path, struct ledger_public *out, struct buf *why)
{
    char  pem[8192];
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        buf_add_format(why, "%s: %s", path, strerror(errno));
        return ST_NOT_FOUND;
    }
    size_t      length = fread(pem, 1, sizeof pem, file);
    enum status st     = ledger_public_parse(span_from(pem, length), out);
    (void)fclose(file);
    explicit_bzero(pem, sizeof pem);     /* it may have been the private key */
    if (st != ST_OK)
        buf_add_format(why, "%s: not an Ed25519 key in PEM", path);
    return st;
}

enum status
ledger_public_pem(const struct ledger_public *public, struct buf *out)
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public->bytes, sizeof public->bytes);
    BIO        *bio = BIO_new(BIO_s_mem());
    enum status st  = ST_NO_MEMORY;
    char       *at  = NULL;

    if (key != NULL && bio != NULL && PEM_write_bio_PUBKEY(bio, key) == 1) {
        long length = BIO_get_mem_data(bio, &at);
        buf_add(out, span_from(at, (size_t)length));
        st = buf_status(out);
    }
    BIO_free(bio);
    EVP_PKEY_free(key);
    return st;
}
