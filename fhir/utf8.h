/* fhir/utf8.h -- characters of a text: code points, not bytes.
 *
 * Texts of a tape are valid UTF-8.  For others (a FHIRPath source) a byte
 * that begins no whole sequence counts as a character by itself, so that
 * every text has characters and nothing is read behind its end.
 */
#ifndef SLUICE_FHIR_UTF8_H
#define SLUICE_FHIR_UTF8_H

#include <stdint.h>

#include "base/span.h"

/* Bytes of the first character; the text is not empty. */
static inline size_t
utf8_length(struct span text)
{
    uint8_t first = (uint8_t)text.at[0];
    size_t  n     = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1;

    if (n > text.length)
        return 1;
    for (size_t i = 1; i < n; i++)
        if (((uint8_t)text.at[i] & 0xc0) != 0x80)
            return 1;
    return n;
}

/* The first character, which is taken from *text. */
static inline uint32_t
utf8_take(struct span *text)
{
    size_t   n     = utf8_length(*text);
    uint32_t point = (uint8_t)text->at[0];

    if (n > 1)
        point &= 0xffu >> (n + 1);
    for (size_t i = 1; i < n; i++)
        point = point << 6 | ((uint8_t)text->at[i] & 0x3fu);
    *text = span_skip(*text, n);
    return point;
}

/* Writes at most four bytes; how many. */
static inline size_t
utf8_put(char *out, uint32_t point)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t n = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3f));
    out[0] = (char)((0xf00u >> n & 0xffu) | point);
    return n;
}

static inline size_t
utf8_count(struct span text)
{
    size_t count = 0;

    for (; text.length > 0; count++)
        text = span_skip(text, utf8_length(text));
    return count;
}

#endif
