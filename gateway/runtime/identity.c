#include "gateway/runtime/identity.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/digits.h"

static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_MD        *sha256;

/* No byte is handed out twice, or is left when it was. */
void
random_draw(void *out, size_t length)
{
    static _Thread_local unsigned char pool[256];
    static _Thread_local size_t        left;

    if (left < length) {
        if (getrandom(pool, sizeof pool, 0) != (ssize_t)sizeof pool)
            abort();
        left = sizeof pool;
    }
    left -= length;
    memcpy(out, pool + left, length);
    explicit_bzero(pool + left, length);
}

void
uuid_write(char out[UUID_CHARS + 1])
{
    unsigned char b[16];

    random_draw(b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);            /* RFC 9562 5.4: version 4 */
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    (void)digits_uuid(b, out);
}

struct span
uuid_new(struct arena *arena)
{
    char text[UUID_CHARS + 1];

    uuid_write(text);
    return arena_copy(arena, span_from(text, UUID_CHARS));
}

/* Fetching costs as much as hashing a small record; once is enough. */
static void
fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

struct span
sha256_hex(struct arena *arena, const struct span *parts, size_t count)
{
    unsigned char hash[32];
    char         *hex  = arena_alloc(arena, 65);
    EVP_MD_CTX   *ctx  = EVP_MD_CTX_new();
    bool          good = hex != NULL && ctx != NULL;

    pthread_once(&fetch_once, fetch);
    good = good && sha256 != NULL && EVP_DigestInit_ex2(ctx, sha256, NULL) == 1;
    for (size_t i = 0; good && i < count; i++)
        good = EVP_DigestUpdate(ctx, parts[i].at, parts[i].length) == 1;
    good = good && EVP_DigestFinal_ex(ctx, hash, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    if (!good)
        return (struct span){ 0 };
    return span_from(hex, digits_hex(hash, sizeof hash, hex));
}

bool
token_valid(struct span s, size_t max_length)
{
    if (s.length == 0 || s.length > max_length)
        return false;
    for (size_t i = 0; i < s.length; i++) {
        char c = s.at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || c == '.' || c == '_' || c == ':' || c == '-'))
            return false;
    }
    return true;
}
