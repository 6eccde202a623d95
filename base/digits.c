#include "base/digits.h"

#define DAY_MS INT64_C(86400000)

static size_t
write_digits(uint64_t number, char *out)
{
    size_t length = 1;

    for (uint64_t n = number; n > 9; n /= 10)
        length++;
    out[length] = '\0';
    for (size_t at = length; at > 0; number /= 10)
        out[--at] = (char)('0' + number % 10);
    return length;
}

size_t
digits_natural(uint64_t number, char out[DIGITS_INTEGER])
{
    return write_digits(number, out);
}

size_t
digits_integer(int64_t number, char out[DIGITS_INTEGER])
{
    out[0] = '-';
    return number < 0 ? 1 + write_digits(0 - (uint64_t)number, out + 1) : write_digits((uint64_t)number, out);
}

size_t
digits_hex(const unsigned char *bytes, size_t count, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < count; i++) {
        out[2 * i]     = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * count] = '\0';
    return 2 * count;
}

size_t
digits_uuid(const unsigned char bytes[16], char out[DIGITS_UUID])
{
    static const unsigned char groups[] = { 4, 2, 2, 2, 6 };
    size_t                     at = 0;

    for (size_t i = 0; i < sizeof groups; bytes += groups[i++]) {
        at += digits_hex(bytes, groups[i], out + at);
        out[at++] = '-';
    }
    out[--at] = '\0';
    return at;
}

static char *
two(char *out, unsigned n, char then)
{
    out[0] = (char)('0' + n / 10 % 10);
    out[1] = (char)('0' + n % 10);
    out[2] = then;
    return out + 3;
}

/* The date of a day number is Howard Hinnant's civil_from_days
 * (chrono-compatible low-level date algorithms): years that begin in March. */
size_t
digits_moment(int64_t epoch_ms, char out[DIGITS_MOMENT])
{
    const int64_t first = -719528 * DAY_MS, last = 2932897 * DAY_MS;   /* 0000-01-01, 10000-01-01 */

    out[0] = '\0';
    if (epoch_ms < first || epoch_ms >= last)
        return 0;
    int64_t  days  = (epoch_ms - first) / DAY_MS;
    unsigned rest  = (unsigned)((epoch_ms - first) % DAY_MS);
    unsigned z     = (unsigned)days + 146097 - 60;            /* from 1 March of an era before */
    unsigned era   = z / 146097, day = z % 146097;
    unsigned year  = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    unsigned yday  = day - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * yday + 2) / 153;
    unsigned mday  = yday - (153 * month + 2) / 5 + 1;
    year  = year + era * 400 - 400 + (month >= 10);
    month = month < 10 ? month + 3 : month - 9;

    char *p = two(out, year / 100, '-') - 1;
    p = two(p, year % 100, '-');
    p = two(p, month, '-');
    p = two(p, mday, 'T');
    p = two(p, rest / 3600000, ':');
    p = two(p, rest / 60000 % 60, ':');
    p = two(p, rest / 1000 % 60, '.');
    *p = (char)('0' + rest / 100 % 10);
    p  = two(p + 1, rest % 100, 'Z');
    *p = '\0';
    return (size_t)(p - out);
}
