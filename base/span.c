#include "base/span.h"

#include <string.h>

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool
span_eq_nocase(struct span a, struct span b)
{
    if (a.length != b.length)
        return false;
    if (span_eq(a, b))
        return true;
    for (size_t i = 0; i < a.length; i++)
        if (lower(a.at[i]) != lower(b.at[i]))
            return false;
    return true;
}

int
span_compare(struct span a, struct span b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int    order   = shorter > 0 ? memcmp(a.at, b.at, shorter) : 0;

    if (order != 0)
        return order;
    return (a.length > b.length) - (a.length < b.length);
}

size_t
span_find(struct span s, struct span needle)
{
    if (needle.length == 0)
        return 0;
    if (s.length < needle.length)
        return SPAN_NOT_FOUND;
    /* Mostly its first byte is not even there, and memmem() makes a table before it looks. */
    const char *hit = memchr(s.at, needle.at[0], s.length - needle.length + 1);
    if (hit != NULL)
        hit = memmem(hit, s.length - (size_t)(hit - s.at), needle.at, needle.length);
    return hit != NULL ? (size_t)(hit - s.at) : SPAN_NOT_FOUND;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span
span_trim(struct span s)
{
    while (s.length > 0 && is_space(s.at[0]))
        s = span_skip(s, 1);
    while (s.length > 0 && is_space(s.at[s.length - 1]))
        s.length--;
    return s;
}

struct span
span_split(struct span *rest, char byte)
{
    size_t      cut = span_find_byte(*rest, byte);
    struct span head;

    if (cut == SPAN_NOT_FOUND) {
        head  = *rest;
        *rest = (struct span){ NULL, 0 };
        return head;
    }
    head  = span_first(*rest, cut);
    *rest = span_skip(*rest, cut + 1);
    return head;
}

bool
span_to_u64(struct span s, uint64_t *out)
{
    uint64_t value = 0;

    if (s.length == 0)
        return false;
    for (size_t i = 0; i < s.length; i++) {
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10u, &value)
            || __builtin_add_overflow(value, (uint64_t)(s.at[i] - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

uint64_t
span_hash(struct span s)
{
    uint64_t hash = 0xcbf29ce484222325u;                 /* FNV-1a, 64 bit */

    for (size_t i = 0; i < s.length; i++) {
        hash ^= (unsigned char)s.at[i];
        hash *= 0x100000001b3u;
    }
    return hash;
}
