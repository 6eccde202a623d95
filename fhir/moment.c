#include "fhir/moment.h"

#include "base/cursor.h"
#include "base/digits.h"

#define DAY_MS    INT64_C(86400000)
#define MINUTE_MS INT64_C(60000)

static bool date_read(struct cursor *, struct moment *);
static bool clock_read(struct cursor *, struct moment *);

/* ---- the calendar ------------------------------------------------------------------ */

static unsigned
days_in(unsigned year, unsigned month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

/* Days since 1970-01-01, proleptic Gregorian; years begin in March here. */
static int64_t
day_number(unsigned year, unsigned month, unsigned day)
{
    int64_t  y   = (int64_t)year - (month <= 2);
    int64_t  era = (y >= 0 ? y : y - 399) / 400;
    unsigned of_era  = (unsigned)(y - era * 400);
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + (int64_t)of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* False outside of the years 1 to 9999. */
static bool
day_from(int64_t number, struct moment *m)
{
    if (number < day_number(1, 1, 1) || number > day_number(9999, 12, 31))
        return false;
    int64_t  z   = number + 719468;
    int64_t  era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned of_era  = (unsigned)(z - era * 146097);
    unsigned year    = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned march   = (5 * of_year + 2) / 153;

    m->day   = (uint8_t)(of_year - (153 * march + 2) / 5 + 1);
    m->month = (uint8_t)(march < 10 ? march + 3 : march - 9);
    m->year  = (uint16_t)(year + (unsigned)(era * 400) + (m->month <= 2));
    return true;
}

/* What is not stated counts as its beginning. */
static int64_t
clock_of(const struct moment *m)
{
    return (((int64_t)m->hour * 60 + m->minute) * 60 + m->second) * 1000 + m->millisecond;
}

static void
clock_from(int64_t ms, struct moment *m)
{
    m->millisecond = (uint16_t)(ms % 1000);
    m->second      = (uint8_t)(ms / 1000 % 60);
    m->minute      = (uint8_t)(ms / 60000 % 60);
    m->hour        = (uint8_t)(ms / 3600000);
}

static int64_t
local_ms(const struct moment *m)
{
    return day_number(m->year, m->month > 0 ? m->month : 1, m->day > 0 ? m->day : 1) * DAY_MS + clock_of(m);
}

/* Day and clock of a date-time; its precision stays. */
static bool
from_local_ms(int64_t ms, struct moment *m)
{
    int64_t day = ms >= 0 ? ms / DAY_MS : -((-ms + DAY_MS - 1) / DAY_MS);

    if (!day_from(day, m))
        return false;
    clock_from(ms - day * DAY_MS, m);
    return true;
}

/* ---- text -------------------------------------------------------------------------- */

bool
moment_of(struct span text, enum moment_kind kind, struct moment *out)
{
    struct cursor c = cursor_over(text);
    struct moment m = { 0 };

    if (kind == MOMENT_TIME || (kind == MOMENT_NONE && text.length >= 2 && (text.at[0] == 'T'
                                || text.length == 2 || text.at[2] == ':'))) {
        m.kind = MOMENT_TIME;
        cursor_accept(&c, 'T');
        if (!clock_read(&c, &m) || !cursor_done(&c))
            return false;
        *out = m;
        return true;
    }
    m.kind = MOMENT_DATE;
    if (!date_read(&c, &m))
        return false;
    if (cursor_more(&c)) {
        m.kind = MOMENT_DATETIME;
        cursor_expect(&c, 'T');
        if (cursor_more(&c) && (m.precision != MOMENT_DAY || !clock_read(&c, &m)))
            return false;
    }
    if (cursor_more(&c)) {
        int sign = cursor_accept(&c, 'Z') ? 0 : cursor_accept(&c, '-') ? -1 : 1;
        m.zoned  = true;
        if (sign != 0) {
            if (sign > 0)
                cursor_expect(&c, '+');
            unsigned hours = cursor_digits(&c, 2);
            cursor_expect(&c, ':');
            unsigned minutes = cursor_digits(&c, 2);
            if (minutes > 59 || hours * 60 + minutes > 14 * 60)
                return false;
            m.zone = (int16_t)(sign * (int)(hours * 60 + minutes));
        }
    }
    if (!cursor_done(&c) || (kind == MOMENT_DATE && m.kind != MOMENT_DATE))
        return false;
    if (kind == MOMENT_DATETIME)
        m.kind = MOMENT_DATETIME;
    *out = m;
    return true;
}

static bool
date_read(struct cursor *c, struct moment *m)
{
    m->year      = (uint16_t)cursor_digits(c, 4);
    m->precision = MOMENT_YEAR;
    if (cursor_accept(c, '-')) {
        m->month     = (uint8_t)cursor_digits(c, 2);
        m->precision = MOMENT_MONTH;
        if (m->month < 1 || m->month > 12)
            return false;
        if (cursor_accept(c, '-')) {
            m->day       = (uint8_t)cursor_digits(c, 2);
            m->precision = MOMENT_DAY;
            if (m->day < 1 || m->day > days_in(m->year, m->month))
                return false;
        }
    }
    return !c->failed && m->year > 0;
}

/* Digits behind the third are read and not kept. */
static bool
fraction_read(struct cursor *c, struct moment *m)
{
    unsigned value = 0, count = 0;

    for (; cursor_peek(c) >= '0' && cursor_peek(c) <= '9'; count++) {
        unsigned digit = cursor_digits(c, 1);
        if (count < 3)
            value = value * 10 + digit;
    }
    m->fraction_digits = (uint8_t)(count < 3 ? count : 3);
    for (; count < 3; count++)
        value *= 10;
    m->millisecond = (uint16_t)value;
    return m->fraction_digits > 0;
}

static bool
clock_read(struct cursor *c, struct moment *m)
{
    m->hour      = (uint8_t)cursor_digits(c, 2);
    m->precision = MOMENT_HOUR;
    if (cursor_accept(c, ':')) {
        m->minute    = (uint8_t)cursor_digits(c, 2);
        m->precision = MOMENT_MINUTE;
        if (cursor_accept(c, ':')) {
            m->second    = (uint8_t)cursor_digits(c, 2);
            m->precision = MOMENT_SECOND;
            if (cursor_accept(c, '.') && !fraction_read(c, m))
                return false;
        }
    }
    return !c->failed && m->hour <= 23 && m->minute <= 59 && m->second <= 59;
}

static size_t
number_add(char *out, unsigned value, unsigned width)
{
    for (unsigned i = width; i > 0; i--) {
        out[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return width;
}

static size_t
clock_add(char *out, const struct moment *m)
{
    size_t n = number_add(out, m->hour, 2);

    if (m->precision >= MOMENT_MINUTE) {
        out[n++] = ':';
        n += number_add(out + n, m->minute, 2);
    }
    if (m->precision >= MOMENT_SECOND) {
        out[n++] = ':';
        n += number_add(out + n, m->second, 2);
    }
    if (m->fraction_digits > 0) {
        char digits[3];
        number_add(digits, m->millisecond, 3);
        out[n++] = '.';
        memcpy(out + n, digits, m->fraction_digits);
        n += m->fraction_digits;
    }
    return n;
}

struct span
moment_text(const struct moment *m, struct arena *arena)
{
    char   text[40];
    size_t n = 0;

    if (m->kind == MOMENT_TIME)
        return arena_copy(arena, span_from(text, clock_add(text, m)));
    n = number_add(text, m->year, 4);
    if (m->precision >= MOMENT_MONTH) {
        text[n++] = '-';
        n += number_add(text + n, m->month, 2);
    }
    if (m->precision >= MOMENT_DAY) {
        text[n++] = '-';
        n += number_add(text + n, m->day, 2);
    }
    if (m->precision >= MOMENT_HOUR) {
        text[n++] = 'T';
        n += clock_add(text + n, m);
    }
    if (m->zoned && m->zone == 0) {
        text[n++] = 'Z';
    } else if (m->zoned) {
        unsigned minutes = (unsigned)(m->zone < 0 ? -m->zone : m->zone);
        text[n++] = m->zone < 0 ? '-' : '+';
        n += number_add(text + n, minutes / 60, 2);
        text[n++] = ':';
        n += number_add(text + n, minutes % 60, 2);
    }
    return arena_copy(arena, span_from(text, n));
}

struct moment
moment_at(int64_t epoch_ms, int zone_minutes)
{
    struct moment m = { .kind = MOMENT_DATETIME, .precision = MOMENT_SECOND, .fraction_digits = 3,
                        .zone = (int16_t)zone_minutes, .zoned = true };

    if (!from_local_ms(epoch_ms + zone_minutes * MINUTE_MS, &m)) {
        m.year  = 1970;                              /* a clock that is not set */
        m.month = m.day = 1;
    }
    return m;
}

int64_t
moment_ms(const struct moment *m)
{
    if (m->kind == MOMENT_TIME)
        return clock_of(m);
    return local_ms(m) - (m->zoned ? m->zone * MINUTE_MS : 0);
}

/* ---- order ------------------------------------------------------------------------- */

static int
sign_of(int64_t difference)
{
    return (difference > 0) - (difference < 0);
}

/* Part by part, until one differs or one of the two says no more (N1). */
static int
compare_parts(const struct moment *a, const struct moment *b)
{
    const int64_t x[] = { a->year, a->month, a->day, a->hour, a->minute, a->second * 1000 + a->millisecond };
    const int64_t y[] = { b->year, b->month, b->day, b->hour, b->minute, b->second * 1000 + b->millisecond };
    int from = a->kind == MOMENT_TIME ? MOMENT_HOUR : MOMENT_YEAR;

    for (int p = from; p <= MOMENT_SECOND; p++) {
        if (p > a->precision || p > b->precision)
            return a->precision == b->precision ? 0 : MOMENT_UNKNOWN;
        if (x[p - 1] != y[p - 1])
            return x[p - 1] < y[p - 1] ? -1 : 1;
    }
    return 0;
}

int
moment_compare(const struct moment *a, const struct moment *b)
{
    struct moment x = *a, y = *b;

    if ((a->kind == MOMENT_TIME) != (b->kind == MOMENT_TIME))
        return MOMENT_UNKNOWN;
    if (a->kind == MOMENT_TIME || a->precision < MOMENT_HOUR || b->precision < MOMENT_HOUR)
        return compare_parts(a, b);
    if (a->zoned != b->zoned) {                      /* M2; zones reach from -12:00 to +14:00 */
        int64_t apart = local_ms(a) - local_ms(b);
        return apart > DAY_MS || apart < -DAY_MS ? sign_of(apart) : MOMENT_UNKNOWN;
    }
    if (a->zone != b->zone
        && (!from_local_ms(local_ms(a) - a->zone * MINUTE_MS, &x) || !from_local_ms(local_ms(b) - b->zone * MINUTE_MS, &y)))
        return MOMENT_UNKNOWN;
    return compare_parts(&x, &y);
}

/* ---- arithmetic -------------------------------------------------------------------- */

static bool
add_months(struct moment *m, int64_t count)
{
    int64_t months = ((int64_t)m->year * 12 + (m->month > 0 ? m->month - 1 : 0)) + count;

    if (months < 12 || months >= 10000 * 12)
        return false;
    m->year = (uint16_t)(months / 12);
    if (m->precision >= MOMENT_MONTH)
        m->month = (uint8_t)(months % 12 + 1);
    if (m->precision >= MOMENT_DAY && m->day > days_in(m->year, m->month))
        m->day = (uint8_t)days_in(m->year, m->month);          /* M4 */
    return true;
}

static bool
add_ms(struct moment *m, int64_t ms)
{
    if (m->kind == MOMENT_TIME) {
        int64_t sum = (clock_of(m) + ms % DAY_MS + DAY_MS) % DAY_MS;
        clock_from(sum, m);
        return true;
    }
    return from_local_ms(local_ms(m) + ms, m);
}

/* Milliseconds of the fixed units; N1 counts 30 days a month and 365 a year
 * where a coarser precision is asked for. */
static const int64_t unit_ms[] = {
    [MOMENT_YEARS] = 365 * DAY_MS, [MOMENT_MONTHS] = 30 * DAY_MS, [MOMENT_WEEKS] = 7 * DAY_MS,
    [MOMENT_DAYS] = DAY_MS, [MOMENT_HOURS] = 3600000, [MOMENT_MINUTES] = 60000, [MOMENT_SECONDS] = 1000,
    [MOMENT_MILLISECONDS] = 1,
};
static const enum moment_unit finest[] = {
    [MOMENT_YEAR] = MOMENT_YEARS, [MOMENT_MONTH] = MOMENT_MONTHS, [MOMENT_DAY] = MOMENT_DAYS,
    [MOMENT_HOUR] = MOMENT_HOURS, [MOMENT_MINUTE] = MOMENT_MINUTES, [MOMENT_SECOND] = MOMENT_MILLISECONDS,
};

bool
moment_add(const struct moment *m, int64_t count, enum moment_unit unit, struct moment *out)
{
    struct moment    r    = *m;
    enum moment_unit fine = finest[m->precision];

    if (count > INT64_C(400000000000000) / unit_ms[unit] || count < -INT64_C(400000000000000) / unit_ms[unit])
        return false;
    if (m->kind == MOMENT_TIME && unit <= MOMENT_DAYS)
        return false;
    if (unit > fine) {
        count = unit == MOMENT_MONTHS ? count / 12 : count * unit_ms[unit] / unit_ms[fine];
        unit  = fine;
    } else if (unit == MOMENT_WEEKS && fine <= MOMENT_MONTHS) {
        count = count * unit_ms[unit] / unit_ms[fine];
        unit  = fine;
    }
    bool good = unit == MOMENT_YEARS ? add_months(&r, count * 12)
              : unit == MOMENT_MONTHS ? add_months(&r, count) : add_ms(&r, count * unit_ms[unit]);
    if (!good)
        return false;
    if (unit == MOMENT_MILLISECONDS && r.millisecond != 0)
        r.fraction_digits = 3;
    *out = r;
    return true;
}

/* ---- boundaries -------------------------------------------------------------------- */

unsigned
moment_digits(const struct moment *m)
{
    static const uint8_t date[] = { 0, 4, 6, 8, 10, 12, 14 }, time[] = { 0, 0, 0, 0, 2, 4, 6 };

    return (m->kind == MOMENT_TIME ? time : date)[m->precision] + (m->fraction_digits > 0 ? 3 : 0);
}

static uint8_t
precision_of(enum moment_kind kind, unsigned digits, bool *fraction)
{
    *fraction = digits == (kind == MOMENT_TIME ? 9 : 17);
    if (kind == MOMENT_TIME)
        return digits == 2 ? MOMENT_HOUR : digits == 4 ? MOMENT_MINUTE
             : digits == 6 || *fraction ? MOMENT_SECOND : 0;
    if (kind == MOMENT_DATE && digits > 8)
        return 0;
    switch (digits) {
    case 4:  return MOMENT_YEAR;
    case 6:  return MOMENT_MONTH;
    case 8:  return MOMENT_DAY;
    case 10: return MOMENT_HOUR;
    case 12: return MOMENT_MINUTE;
    case 14:
    case 17: return MOMENT_SECOND;
    default: return 0;
    }
}

bool
moment_boundary(const struct moment *m, unsigned digits, bool high, struct moment *out)
{
    struct moment r = *m;
    bool          fraction;
    uint8_t       wanted = precision_of(m->kind, digits, &fraction);

    if (wanted == 0)
        return false;
    if (m->precision < MOMENT_MONTH)
        r.month = high ? 12 : 1;
    if (m->precision < MOMENT_DAY && m->kind != MOMENT_TIME)
        r.day = (uint8_t)(high ? days_in(r.year, r.month) : 1);
    if (m->precision < MOMENT_HOUR)
        r.hour = high ? 23 : 0;
    if (m->precision < MOMENT_MINUTE)
        r.minute = high ? 59 : 0;
    if (m->precision < MOMENT_SECOND)
        r.second = high ? 59 : 0;
    if (m->fraction_digits == 0)
        r.millisecond = high ? 999 : 0;
    r.precision       = wanted;
    r.fraction_digits = fraction ? 3 : 0;
    if (!fraction)
        r.millisecond = 0;
    if (m->kind == MOMENT_DATETIME && wanted >= MOMENT_HOUR && !m->zoned) {
        r.zoned = true;
        r.zone  = high ? -12 * 60 : 14 * 60;
    }
    if (wanted < MOMENT_HOUR)
        r.zoned = false;
    *out = r;
    return true;
}
