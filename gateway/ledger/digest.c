/* gateway/ledger/digest.c -- SHA-256 by OpenSSL, fetched once. */
#include "gateway/ledger/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct digest {
    EVP_MD     *method;
    EVP_MD_CTX *running;
    EVP_MD_CTX *peeked;
};

/* OpenSSL's digest calls fail only when it has no memory or is misused; a
 * ledger that cannot hash must not go on with a wrong hash. */
static void
must(int ok)
{
    if (ok != 1)
        abort();
}

struct digest *
digest_new(void)
{
    struct digest *d = calloc(1, sizeof *d);

    if (d == NULL)
        return NULL;
    d->method  = EVP_MD_fetch(NULL, "SHA256", NULL);
    d->running = EVP_MD_CTX_new();
    d->peeked  = EVP_MD_CTX_new();
    if (d->method == NULL || d->running == NULL || d->peeked == NULL)
        digest_free(&d);
    return d;
}

void
digest_free(struct digest **digest)
{
    struct digest *d = *digest;

    if (d == NULL)
        return;
    EVP_MD_CTX_free(d->running);
    EVP_MD_CTX_free(d->peeked);
    EVP_MD_free(d->method);
    free(d);
    *digest = NULL;
}

void
digest_begin(struct digest *d)
{
    must(EVP_DigestInit_ex2(d->running, d->method, NULL));
}

void
digest_add(struct digest *d, const void *bytes, size_t length)
{
    if (length > 0)
        must(EVP_DigestUpdate(d->running, bytes, length));
}

void
digest_end(struct digest *d, struct ledger_hash *out)
{
    must(EVP_DigestFinal_ex(d->running, out->bytes, NULL));
}

void
digest_peek(struct digest *d, struct ledger_hash *out)
{
    must(EVP_MD_CTX_copy_ex(d->peeked, d->running));
    must(EVP_DigestFinal_ex(d->peeked, out->bytes, NULL));
}

bool
ledger_hash_eq(const struct ledger_hash *a, const struct ledger_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void
ledger_hash_hex(const struct ledger_hash *hash, char out[64])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < sizeof hash->bytes; i++) {
        out[2 * i]     = digits[hash->bytes[i] >> 4];
        out[2 * i + 1] = digits[hash->bytes[i] & 15];
    }
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool
ledger_hash_from_hex(struct span text, struct ledger_hash *out)
{
    if (text.length != 64)
        return false;
    for (size_t i = 0; i < 32; i++) {
        int high = hex_value(text.at[2 * i]);
        int low  = hex_value(text.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out->bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}
