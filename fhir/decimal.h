/* fhir/decimal.h -- decimal numbers, exact, with their precision.
 *
 * A decimal is digits and a scale: 1.50 is 150 with scale 2 and stays apart
 * from 1.5 when it is printed, though both are equal (R4 datatypes.html#decimal:
 * precision is significant).  Nothing goes through a double.
 *
 *   value = (negative ? -1 : 1) * digits * 10^-scale        a negative scale: zeros at the end
 *
 *   D1  Up to DECIMAL_DIGITS digits.  A text with more is not read.
 *   D2  Sums and products are exact while they fit; else they are rounded to
 *       DECIMAL_DIGITS, half away from zero.  Scales outside of
 *       +-DECIMAL_MAX_SCALE are an overflow: false.
 *   D3  A quotient that does not end has DECIMAL_QUOTIENT_DIGITS significant
 *       digits, and exp, ln, log, sqrt and powers with a fraction have
 *       DECIMAL_SERIES_DIGITS; zeros at their end are left out.
 *
 * Every function that can fail answers false and leaves *out alone.
 */
#ifndef SLUICE_FHIR_DECIMAL_H
#define SLUICE_FHIR_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"

#define DECIMAL_DIGITS          38
#define DECIMAL_QUOTIENT_DIGITS 28
#define DECIMAL_SERIES_DIGITS   24
#define DECIMAL_MAX_SCALE       1000

typedef unsigned __int128 decimal_digits;

struct decimal {
    decimal_digits digits;               /* below 10^38 */
    int32_t        scale;
    bool           negative;             /* never of zero */
};

/* [+-]?digits[.digits][e[+-]digits], all of the text. */
bool           decimal_read(struct span text, struct decimal *out);
struct decimal decimal_of(int64_t);
/* Whole numbers only. */
bool           decimal_to_integer(const struct decimal *, int64_t *out);
/* Plain notation, no exponent; "1.50" stays "1.50". */
struct span    decimal_text(const struct decimal *, struct arena *);

int  decimal_compare(const struct decimal *, const struct decimal *);      /* as numbers: 1.0 and 1 are equal */
bool decimal_add(const struct decimal *, const struct decimal *, struct decimal *out);
bool decimal_subtract(const struct decimal *, const struct decimal *, struct decimal *out);
bool decimal_multiply(const struct decimal *, const struct decimal *, struct decimal *out);
bool decimal_divide(const struct decimal *, const struct decimal *, struct decimal *out);   /* false by zero */
/* Truncated division, and what it leaves (sign of the dividend). */
bool decimal_div(const struct decimal *, const struct decimal *, struct decimal *out);
bool decimal_mod(const struct decimal *, const struct decimal *, struct decimal *out);

struct decimal decimal_negated(const struct decimal *);
/* Digits behind the point that are stated; 0 for a whole number. */
int            decimal_places(const struct decimal *);
/* To so many digits behind the point (also negative). */
enum decimal_rounding { DECIMAL_NEAREST = 0, DECIMAL_DOWN, DECIMAL_UP, DECIMAL_TO_ZERO };   /* nearest: half away from zero */
bool           decimal_round(const struct decimal *, int places, enum decimal_rounding, struct decimal *out);
/* The same number without zeros at the end of the fraction, and none for zero. */
struct decimal decimal_trimmed(const struct decimal *);

bool decimal_exp(const struct decimal *, struct decimal *out);
bool decimal_ln(const struct decimal *, struct decimal *out);
bool decimal_log(const struct decimal *, const struct decimal *base, struct decimal *out);
bool decimal_sqrt(const struct decimal *, struct decimal *out);
bool decimal_power(const struct decimal *, const struct decimal *exponent, struct decimal *out);

#endif
