/* base/digits.h -- numbers, bytes and moments as text, without a format.
 *
 * They stand in every record, answer and log line; snprintf takes a thousand
 * instructions for what these take fifty.  Each writes a NUL behind the text
 * and answers its length.
 */
#ifndef SLUICE_BASE_DIGITS_H
#define SLUICE_BASE_DIGITS_H

#include <stddef.h>
#include <stdint.h>

#define DIGITS_INTEGER 21u               /* room with the NUL: "-9223372036854775808" */
#define DIGITS_UUID    37u
#define DIGITS_MOMENT  25u

size_t digits_integer(int64_t number, char out[DIGITS_INTEGER]);
size_t digits_natural(uint64_t number, char out[DIGITS_INTEGER]);
/* Lower case; out has room for 2 * count + 1. */
size_t digits_hex(const unsigned char *bytes, size_t count, char *out);
/* 0 to 15, of both cases; -1: it is no digit of that kind. */
static inline int
digits_hex_value(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}
/* 16 bytes as RFC 9562 4 writes them, lower case. */
size_t digits_uuid(const unsigned char bytes[16], char out[DIGITS_UUID]);
/* Epoch milliseconds in UTC, 2026-11-22T15:00:00.123Z (RFC 3339); nothing
 * outside of the years 0 to 9999. */
size_t digits_moment(int64_t epoch_ms, char out[DIGITS_MOMENT]);

#endif
