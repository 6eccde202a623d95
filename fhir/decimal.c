#include "fhir/decimal.h"

#include <string.h>

typedef decimal_digits digits;

/* A product of two, little end first. */
struct wide { uint64_t limb[4]; };

/* What the series are computed with; more than DECIMAL_SERIES_DIGITS, so that
 * the errors of a hundred steps stay behind the last digit that is kept. */
#define SERIES_WORK 36

static bool finish(bool negative, struct wide, int64_t scale, struct decimal *out);

static digits
power_of_ten(int n)
{
    static const uint64_t small[20] = {
        1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u,
        10000000000u, 100000000000u, 1000000000000u, 10000000000000u, 100000000000000u,
        1000000000000000u, 10000000000000000u, 100000000000000000u, 1000000000000000000u,
        10000000000000000000u,
    };

    return n < 20 ? small[n] : (digits)small[19] * small[n - 19];
}

/* 0 of zero. */
static int
count_of(digits d)
{
    int low = 0, high = DECIMAL_DIGITS;

    while (low < high) {                             /* the least n with d < 10^n */
        int middle = (low + high) / 2;
        if (d < power_of_ten(middle))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static struct decimal
make(bool negative, digits d, int32_t scale)
{
    return (struct decimal){ .digits = d, .scale = scale, .negative = negative && d != 0 };
}

/* ---- text ------------------------------------------------------------------------ */

/* "e-12" behind the digits; the exponent is small: the tape bounds it, and a
 * text of ours has none. */
static bool
exponent_read(struct span s, int *out)
{
    bool     negative = false;
    uint64_t value    = 0;

    if (s.length > 0 && (s.at[0] == '+' || s.at[0] == '-')) {
        negative = s.at[0] == '-';
        s        = span_skip(s, 1);
    }
    if (!span_to_u64(s, &value) || value > DECIMAL_MAX_SCALE)
        return false;
    *out = negative ? -(int)value : (int)value;
    return true;
}

bool
decimal_read(struct span s, struct decimal *out)
{
    bool   negative = false, point = false;
    digits d        = 0;
    int    places = 0, exponent = 0, count = 0, seen = 0, behind = 0;
    size_t i = 0;

    if (s.length > 0 && (s.at[0] == '-' || s.at[0] == '+')) {
        negative = s.at[0] == '-';
        i        = 1;
    }
    for (; i < s.length && s.at[i] != 'e' && s.at[i] != 'E'; i++) {
        if (s.at[i] == '.' && !point && seen > 0) {
            point = true;
            continue;
        }
        unsigned digit = (unsigned)(unsigned char)s.at[i] - '0';
        if (digit > 9)
            return false;
        seen++;
        behind += point;
        if (count == DECIMAL_DIGITS) {               /* only zeros fit behind the last one */
            if (digit != 0)
                return false;
            places -= !point;
            continue;
        }
        d       = d * 10 + digit;
        count  += d != 0;
        places += point;
    }
    if (seen == 0 || (point && behind == 0))
        return false;
    if (i < s.length && !exponent_read(span_skip(s, i + 1), &exponent))
        return false;
    if (places - exponent > DECIMAL_MAX_SCALE || places - exponent < -DECIMAL_MAX_SCALE)
        return false;
    *out = make(negative, d, places - exponent);
    return true;
}

struct decimal
decimal_of(int64_t number)
{
    return make(number < 0, number < 0 ? -(digits)number : (digits)number, 0);
}

bool
decimal_to_integer(const struct decimal *d, int64_t *out)
{
    struct decimal t = decimal_trimmed(d);

    if (t.scale > 0 || t.scale < -DECIMAL_DIGITS || count_of(t.digits) - t.scale > 18)
        return false;
    int64_t value = (int64_t)(t.digits * power_of_ten(-t.scale));
    *out = t.negative ? -value : value;
    return true;
}

struct span
decimal_text(const struct decimal *d, struct arena *arena)
{
    char   own[DECIMAL_DIGITS + 1];
    int    count = 0;
    digits rest  = d->digits;

    do
        own[count++] = (char)('0' + (int)(rest % 10));
    while ((rest /= 10) != 0);
    int    zeros = d->scale < 0 && d->digits != 0 ? -d->scale : 0;
    int    scale = d->scale > 0 ? d->scale : 0;
    int    whole = count > scale ? count - scale : 0;
    size_t room  = (size_t)(count + zeros + scale + 4), length = 0;
    char  *text  = arena_alloc(arena, room);
    if (text == NULL)
        return (struct span){ NULL, 0 };
    if (d->negative)
        text[length++] = '-';
    if (whole == 0)
        text[length++] = '0';
    for (int i = 0; i < whole; i++)
        text[length++] = own[count - 1 - i];
    for (int i = 0; i < zeros; i++)
        text[length++] = '0';
    if (scale > 0)
        text[length++] = '.';
    for (int i = scale; i > 0; i--)
        text[length++] = i > count ? '0' : own[i - 1];
    return span_from(text, length);
}

/* ---- comparing, rounding --------------------------------------------------------- */

static int
compare_sizes(const struct decimal *a, const struct decimal *b)
{
    digits x = a->digits, y = b->digits;

    if (a->scale == b->scale)
        return (x > y) - (x < y);
    if (x == 0 || y == 0)
        return (x != 0) - (y != 0);
    int m = count_of(x), n = count_of(y);
    if (m - a->scale != n - b->scale)                /* how far the first digit is from the point */
        return m - a->scale < n - b->scale ? -1 : 1;
    if (m < n)
        x *= power_of_ten(n - m);
    else
        y *= power_of_ten(m - n);
    return (x > y) - (x < y);
}

int
decimal_compare(const struct decimal *a, const struct decimal *b)
{
    if (a->negative != b->negative)
        return a->negative ? -1 : 1;
    int order = compare_sizes(a, b);
    return a->negative ? -order : order;
}

struct decimal
decimal_negated(const struct decimal *d)
{
    return make(!d->negative, d->digits, d->scale);
}

int
decimal_places(const struct decimal *d)
{
    return d->scale > 0 ? d->scale : 0;
}

bool
decimal_round(const struct decimal *d, int places, enum decimal_rounding how, struct decimal *out)
{
    if (d->scale <= places) {
        *out = *d;
        return true;
    }
    int    drop  = d->scale - places;
    bool   small = drop > DECIMAL_DIGITS;
    digits unit  = small ? 0 : power_of_ten(drop);
    digits kept  = small ? 0 : d->digits / unit;
    digits rest  = small ? d->digits : d->digits % unit;
    bool   up    = false;

    switch (how) {
    case DECIMAL_NEAREST: up = !small && rest >= unit / 2; break;
    case DECIMAL_DOWN:    up = rest != 0 && d->negative; break;
    case DECIMAL_UP:      up = rest != 0 && !d->negative; break;
    case DECIMAL_TO_ZERO: break;
    }
    *out = make(d->negative, kept + up, places);
    return true;
}

struct decimal
decimal_trimmed(const struct decimal *d)
{
    struct decimal t = *d;

    if (t.digits == 0)
        return make(false, 0, 0);
    while (t.scale > 0 && t.digits % 10 == 0) {
        t.digits /= 10;
        t.scale--;
    }
    return t;
}

/* To so many significant digits, trimmed. */
static struct decimal
significant(const struct decimal *d, int wanted)
{
    struct decimal r;

    decimal_round(d, wanted - (count_of(d->digits) - d->scale), DECIMAL_NEAREST, &r);
    return decimal_trimmed(&r);
}

/* ---- wide numbers ---------------------------------------------------------------- */

static struct wide
wide_product(digits a, digits b)
{
    uint64_t    x[2] = { (uint64_t)a, (uint64_t)(a >> 64) }, y[2] = { (uint64_t)b, (uint64_t)(b >> 64) };
    struct wide w    = { { 0 } };

    for (int i = 0; i < 2; i++) {
        uint64_t carry = 0;
        for (int k = 0; k < 2; k++) {
            digits sum      = (digits)x[i] * y[k] + w.limb[i + k] + carry;
            w.limb[i + k] = (uint64_t)sum;
            carry         = (uint64_t)(sum >> 64);
        }
        w.limb[i + 2] = carry;
    }
    return w;
}

static int
wide_compare(const struct wide *a, const struct wide *b)
{
    for (int i = 3; i >= 0; i--)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

/* Sums of two products of 38 digits stay below 2^256. */
static struct wide
wide_sum(const struct wide *a, const struct wide *b)
{
    struct wide w;
    digits      carry = 0;

    for (int i = 0; i < 4; i++) {
        carry += (digits)a->limb[i] + b->limb[i];
        w.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return w;
}

/* a >= b */
static struct wide
wide_difference(const struct wide *a, const struct wide *b)
{
    struct wide w;
    uint64_t    borrow = 0;

    for (int i = 0; i < 4; i++) {
        digits taken = (digits)b->limb[i] + borrow;
        borrow       = a->limb[i] < taken;
        w.limb[i]    = (uint64_t)(a->limb[i] - taken);
    }
    return w;
}

/* Divides by ten; the digit that falls off. */
static unsigned
wide_shift(struct wide *w)
{
    uint64_t rest = 0;

    for (int i = 3; i >= 0; i--) {
        digits part = (digits)rest << 64 | w->limb[i];
        w->limb[i]  = (uint64_t)(part / 10);
        rest        = (uint64_t)(part % 10);
    }
    return (unsigned)rest;
}

static digits
wide_low(const struct wide *w)
{
    return (digits)w->limb[1] << 64 | w->limb[0];
}

static bool
wide_fits(const struct wide *w)
{
    return w->limb[2] == 0 && w->limb[3] == 0 && wide_low(w) < power_of_ten(DECIMAL_DIGITS);
}

/* Rounds to DECIMAL_DIGITS digits (D2). */
static bool
finish(bool negative, struct wide w, int64_t scale, struct decimal *out)
{
    unsigned last = 0;

    while (!wide_fits(&w)) {
        last = wide_shift(&w);
        scale--;
    }
    digits d = wide_low(&w) + (last >= 5);
    if (d == power_of_ten(DECIMAL_DIGITS)) {
        d /= 10;
        scale--;
    }
    if (scale > DECIMAL_MAX_SCALE || scale < -DECIMAL_MAX_SCALE)
        return false;
    *out = make(negative, d, (int32_t)scale);
    return true;
}

/* ---- sums, products, quotients ---------------------------------------------------- */

bool
decimal_add(const struct decimal *a, const struct decimal *b, struct decimal *out)
{
    struct decimal fine = a->scale > b->scale ? *a : *b, coarse = a->scale > b->scale ? *b : *a;

    if (coarse.digits == 0 && fine.digits == 0) {
        *out = make(false, 0, fine.scale);
        return true;
    }
    if (fine.scale - coarse.scale > DECIMAL_DIGITS)  /* what is behind the digits of the other */
        decimal_round(&fine, coarse.scale + DECIMAL_DIGITS, DECIMAL_NEAREST, &fine);
    struct wide x = wide_product(coarse.digits, power_of_ten(fine.scale - coarse.scale));
    struct wide y = wide_product(fine.digits, 1);
    if (coarse.negative == fine.negative)
        return finish(fine.negative, wide_sum(&x, &y), fine.scale, out);
    if (wide_compare(&x, &y) >= 0)
        return finish(coarse.negative, wide_difference(&x, &y), fine.scale, out);
    return finish(fine.negative, wide_difference(&y, &x), fine.scale, out);
}

bool
decimal_subtract(const struct decimal *a, const struct decimal *b, struct decimal *out)
{
    struct decimal other = decimal_negated(b);

    return decimal_add(a, &other, out);
}

bool
decimal_multiply(const struct decimal *a, const struct decimal *b, struct decimal *out)
{
    return finish(a->negative != b->negative, wide_product(a->digits, b->digits),
                  (int64_t)a->scale + b->scale, out);
}

/* The next digit of rest / by; 10 * rest would not fit. */
static unsigned
next_digit(digits *rest, digits by)
{
    digits   sum   = 0;
    unsigned digit = 0;

    for (int i = 0; i < 10; i++) {
        sum += *rest;
        if (sum >= by) {
            sum -= by;
            digit++;
        }
    }
    *rest = sum;
    return digit;
}

static bool
quotient(const struct decimal *a, const struct decimal *b, int wanted, struct decimal *out)
{
    if (b->digits == 0)
        return false;
    digits  q = a->digits / b->digits, rest = a->digits % b->digits;
    int64_t scale = (int64_t)a->scale - b->scale;
    int     count = count_of(q);

    while (rest != 0 && count < wanted) {
        q      = q * 10 + next_digit(&rest, b->digits);
        count += q != 0;
        scale++;
    }
    q += rest != 0 && rest >= b->digits - rest;
    if (scale > 2 * DECIMAL_MAX_SCALE || scale < -DECIMAL_MAX_SCALE)
        return false;
    struct decimal r = make(a->negative != b->negative, q, (int32_t)scale);
    r = decimal_trimmed(&r);
    if (r.scale > DECIMAL_MAX_SCALE)
        return false;
    *out = r;
    return true;
}

bool
decimal_divide(const struct decimal *a, const struct decimal *b, struct decimal *out)
{
    return quotient(a, b, DECIMAL_QUOTIENT_DIGITS, out);
}

/* Both as whole numbers of the same unit; false when one has too many digits. */
static bool
same_scale(const struct decimal *a, const struct decimal *b, digits *x, digits *y)
{
    int32_t more = b->scale - a->scale;

    *x = a->digits;
    *y = b->digits;
    if ((more > 0 && more + count_of(*x) > DECIMAL_DIGITS) || (more < 0 && count_of(*y) - more > DECIMAL_DIGITS))
        return false;
    if (more > 0)
        *x *= power_of_ten(more);
    else
        *y *= power_of_ten(-more);
    return true;
}

bool
decimal_div(const struct decimal *a, const struct decimal *b, struct decimal *out)
{
    digits x, y;

    if (b->digits == 0)
        return false;
    if (compare_sizes(a, b) < 0) {
        *out = make(false, 0, 0);
        return true;
    }
    if (!same_scale(a, b, &x, &y))
        return false;
    *out = make(a->negative != b->negative, x / y, 0);
    return true;
}

bool
decimal_mod(const struct decimal *a, const struct decimal *b, struct decimal *out)
{
    digits x, y;

    if (b->digits == 0)
        return false;
    if (compare_sizes(a, b) < 0) {
        *out = *a;
        return true;
    }
    if (!same_scale(a, b, &x, &y))
        return false;
    *out = make(a->negative, x % y, a->scale > b->scale ? a->scale : b->scale);
    return true;
}

/* ---- series ------------------------------------------------------------------------ */

/* ln 10, OEIS A002392. */
static const struct decimal ln_ten = {
    .digits = (digits)2302585092994045684u * 10000000000000000000u + 179914546843642076u, .scale = 37,
};

static bool
work_multiply(const struct decimal *a, const struct decimal *b, struct decimal *out)
{
    return decimal_multiply(a, b, out);
}

static bool
work_divide(const struct decimal *a, const struct decimal *b, struct decimal *out)
{
    return quotient(a, b, SERIES_WORK, out);
}

/* Taylor, of |x| < 0.1: the terms sink by a digit and more each time. */
static bool
exp_small(const struct decimal *x, struct decimal *out)
{
    struct decimal sum = decimal_of(1), term = sum;

    for (int n = 1; n <= 2 * DECIMAL_DIGITS && term.digits != 0; n++) {
        struct decimal by = decimal_of(n);
        if (!work_multiply(&term, x, &term) || !work_divide(&term, &by, &term))
            return false;
        decimal_round(&term, SERIES_WORK + 2, DECIMAL_NEAREST, &term);
        if (!decimal_add(&sum, &term, &sum))
            return false;
    }
    *out = sum;
    return true;
}

/* e^x = 10^n * (e^(r / 16))^16 with x = n ln 10 + r, |r| < 1.2 */
static bool
exp_work(const struct decimal *x, struct decimal *out)
{
    struct decimal n, r, sixteen = decimal_of(16);
    int64_t        tens;

    if (!work_divide(x, &ln_ten, &n) || !decimal_round(&n, 0, DECIMAL_NEAREST, &n)
        || !decimal_to_integer(&n, &tens) || tens > DECIMAL_MAX_SCALE || tens < -DECIMAL_MAX_SCALE)
        return false;
    if (!decimal_multiply(&n, &ln_ten, &r) || !decimal_subtract(x, &r, &r) || !work_divide(&r, &sixteen, &r)
        || !exp_small(&r, &r))
        return false;
    for (int i = 0; i < 4; i++)
        if (!work_multiply(&r, &r, &r))
            return false;
    r.scale -= (int32_t)tens;
    *out = r;
    return r.scale <= DECIMAL_MAX_SCALE + DECIMAL_DIGITS && r.scale >= -DECIMAL_MAX_SCALE;
}

/* ln m = 2 artanh((m - 1) / (m + 1)), for m from 0.3 to 3.2: z^2 < 0.3. */
static bool
ln_small(const struct decimal *m, struct decimal *out)
{
    struct decimal one = decimal_of(1), two = decimal_of(2), above, below, z, square, power, sum;

    if (!decimal_subtract(m, &one, &above) || !decimal_add(m, &one, &below) || !work_divide(&above, &below, &z)
        || !work_multiply(&z, &z, &square))
        return false;
    sum   = z;
    power = z;
    for (int n = 3; n < 400 && power.digits != 0; n += 2) {
        struct decimal by = decimal_of(n), term;
        if (!work_multiply(&power, &square, &power))
            return false;
        decimal_round(&power, SERIES_WORK + 2, DECIMAL_NEAREST, &power);
        if (!work_divide(&power, &by, &term) || !decimal_add(&sum, &term, &sum))
            return false;
    }
    return work_multiply(&sum, &two, out);
}

static bool
ln_work(const struct decimal *x, struct decimal *out)
{
    if (x->digits == 0 || x->negative)
        return false;
    struct decimal m = *x, tens, part;
    int            first = count_of(m.digits) - m.scale;     /* 10^(first - 1) <= x < 10^first */

    m.scale += first;                                        /* 0.1 <= m < 1 */
    struct decimal edge = make(false, 316, 3);
    if (decimal_compare(&m, &edge) < 0) {
        m.scale--;
        first--;
    }
    tens = decimal_of(first);
    return ln_small(&m, &part) && decimal_multiply(&tens, &ln_ten, &tens) && decimal_add(&part, &tens, out);
}

static bool
rounded(bool good, const struct decimal *work, struct decimal *out)
{
    if (!good)
        return false;
    struct decimal r = significant(work, DECIMAL_SERIES_DIGITS);
    if (r.scale > DECIMAL_MAX_SCALE)
        return false;
    *out = r;
    return true;
}

bool
decimal_exp(const struct decimal *x, struct decimal *out)
{
    struct decimal r = { 0 };

    return rounded(exp_work(x, &r), &r, out);
}

bool
decimal_ln(const struct decimal *x, struct decimal *out)
{
    struct decimal r = { 0 };

    return rounded(ln_work(x, &r), &r, out);
}

bool
decimal_log(const struct decimal *x, const struct decimal *base, struct decimal *out)
{
    struct decimal a = { 0 }, b = { 0 }, r = { 0 };

    return rounded(ln_work(x, &a) && ln_work(base, &b) && work_divide(&a, &b, &r), &r, out);
}

/* Newton, from a power of ten: the digits double with each step. */
bool
decimal_sqrt(const struct decimal *x, struct decimal *out)
{
    struct decimal two = decimal_of(2), r;

    if (x->negative)
        return false;
    if (x->digits == 0) {
        *out = make(false, 0, 0);
        return true;
    }
    int first = count_of(x->digits) - x->scale;
    r = make(false, 1, -(first >= 0 ? first / 2 : -((1 - first) / 2)));
    for (int i = 0; i < 12; i++) {
        struct decimal part;
        if (!work_divide(x, &r, &part) || !decimal_add(&r, &part, &part) || !work_divide(&part, &two, &r))
            return false;
    }
    return rounded(true, &r, out);
}

/* By squaring; exact while it fits in DECIMAL_DIGITS. */
static bool
whole_power(const struct decimal *x, uint64_t n, struct decimal *out)
{
    struct decimal power = *x, r = decimal_of(1);

    for (; n > 0; n >>= 1) {
        if ((n & 1) && !decimal_multiply(&r, &power, &r))
            return false;
        if (n > 1 && !decimal_multiply(&power, &power, &power))
            return false;
    }
    *out = r;
    return true;
}

bool
decimal_power(const struct decimal *x, const struct decimal *exponent, struct decimal *out)
{
    struct decimal r = { 0 }, one = decimal_of(1);
    int64_t        n = 0;

    if (decimal_to_integer(exponent, &n)) {
        if (!whole_power(x, n < 0 ? -(uint64_t)n : (uint64_t)n, &r))
            return false;
        if (n < 0)
            return decimal_divide(&one, &r, out);
        *out = r;
        return true;
    }
    if (x->digits == 0 && !exponent->negative) {
        *out = make(false, 0, 0);
        return true;
    }
    return rounded(ln_work(x, &r) && decimal_multiply(&r, exponent, &r) && exp_work(&r, &r), &r, out);
}
