#include "base/sha1.h"

#include <string.h>

enum { BLOCK = 64 };

static void
sha1_block(uint32_t h[5], const unsigned char *at)
{
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))
    for (size_t i = 0; i < 16; i++)
        w[i] = (uint32_t)at[4 * i] << 24 | (uint32_t)at[4 * i + 1] << 16 | (uint32_t)at[4 * i + 2] << 8 | at[4 * i + 3];
    for (size_t i = 16; i < 80; i++)
        w[i] = ROTATE(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (size_t i = 0; i < 80; i++) {
        uint32_t f = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999
                     : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                     : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                              : (b ^ c ^ d) + 0xca62c1d6;
        uint32_t next = ROTATE(a, 5) + f + e + w[i];
        e = d;
        d = c;
        c = ROTATE(b, 30);
        b = a;
        a = next;
    }
#undef ROTATE
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

void
sha1(struct span text, uint8_t out[SHA1_BYTES])
{
    uint32_t      h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
    unsigned char last[2 * BLOCK] = { 0 };
    size_t        whole = text.length / BLOCK * BLOCK, rest = text.length - whole;
    size_t        end   = rest + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
    uint64_t      bits  = (uint64_t)text.length * 8;

    for (size_t i = 0; i < whole; i += BLOCK)
        sha1_block(h, (const unsigned char *)text.at + i);
    if (rest > 0)
        memcpy(last, text.at + whole, rest);
    last[rest] = 0x80;
    for (size_t i = 0; i < 8; i++)
        last[end - 1 - i] = (unsigned char)(bits >> (8 * i));
    for (size_t i = 0; i < end; i += BLOCK)
        sha1_block(h, last + i);
    for (size_t i = 0; i < SHA1_BYTES; i++)
        out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}
