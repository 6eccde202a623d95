#include "base/json_text.h"

#include "base/digits.h"

struct text
text_of(struct span raw)
{
    const uint8_t *at = (const uint8_t *)raw.at;

    return (struct text){ .p = at, .end = raw.length > 0 ? at + raw.length : at };
}

static uint8_t
short_escape(uint8_t letter)
{
    switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default:  return letter;             /* a quote, a backslash, a slash */
    }
}

/* UTF-8 (RFC 3629 3) into t->pending. */
static void
encode(struct text *t, uint32_t c)
{
    t->taken = 0;
    if (c < 0x80) {
        t->pending[0] = (uint8_t)c;
        t->count      = 1;
        return;
    }
    t->count = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (uint8_t i = t->count; i-- > 1; c >>= 6)
        t->pending[i] = (uint8_t)(0x80 | (c & 0x3f));
    t->pending[0] = (uint8_t)((0xf00u >> t->count) | c);
}

int
text_byte(struct text *t)
{
    if (t->taken < t->count)
        return t->pending[t->taken++];
    if (t->p == t->end)
        return -1;
    if (*t->p != '\\')
        return *t->p++;
    if (t->p[1] != 'u') {
        t->p += 2;
        return short_escape(t->p[-1]);
    }
    uint32_t c = (uint32_t)text_code_unit(t->p, t->end);
    t->p += 6;
    if (text_is_high((int32_t)c)) {
        c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)text_code_unit(t->p, t->end) - 0xdc00);
        t->p += 6;
    }
    encode(t, c);
    return t->pending[t->taken++];
}

int
text_order(struct span raw, struct span other)
{
    struct text a = text_of(raw), b = text_of(other);

    for (;;) {
        int x = text_byte(&a), y = text_byte(&b);
        if (x != y)
            return x < y ? -1 : 1;
        if (x < 0)
            return 0;
    }
}

int32_t
text_code_unit(const uint8_t *p, const uint8_t *end)
{
    int32_t unit = 0;

    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = digits_hex_value(p[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

bool
text_is_high(int32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

bool
text_is_low(int32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* Unicode 15, table 3-7; RFC 3629 4. */
size_t
text_utf8_length(const uint8_t *p, const uint8_t *end)
{
    uint8_t low = 0x80, high = 0xbf;     /* of the second byte */

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    switch (p[0]) {
    case 0xe0: low  = 0xa0; break;       /* overlong           */
    case 0xed: high = 0x9f; break;       /* surrogates         */
    case 0xf0: low  = 0x90; break;       /* overlong           */
    case 0xf4: high = 0x8f; break;       /* above U+10FFFF     */
    }
    size_t length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if ((size_t)(end - p) < length || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return length;
}
