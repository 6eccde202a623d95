/* fhir/moment.h -- dates, date-times and times as far as they are stated.
 *
 * 2026-11 is a month, 2026-11-22T15 an hour, T10:30 a minute: what was not
 * said is not known, and a comparison that would need it has no answer
 * (http://hl7.org/fhirpath/N1, Comparison and Date/Time Equality).
 *
 *   M1  Seconds and fractions are one precision, milliseconds the finest that
 *       counts.  24:00 and second 60 are not read: there is no arithmetic on them.
 *   M2  Moments with and without a zone have no order when they are less than a
 *       day apart.
 *   M3  Years are 1 to 9999; arithmetic beyond them has no result.
 *   M4  Adding months keeps the day when the month has it, else takes its last.
 */
#ifndef SLUICE_FHIR_MOMENT_H
#define SLUICE_FHIR_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"

enum moment_kind { MOMENT_NONE = 0, MOMENT_DATE, MOMENT_DATETIME, MOMENT_TIME };
enum moment_precision {
    MOMENT_YEAR = 1, MOMENT_MONTH, MOMENT_DAY, MOMENT_HOUR, MOMENT_MINUTE, MOMENT_SECOND,
};
enum moment_unit {
    MOMENT_YEARS = 1, MOMENT_MONTHS, MOMENT_WEEKS, MOMENT_DAYS, MOMENT_HOURS, MOMENT_MINUTES,
    MOMENT_SECONDS, MOMENT_MILLISECONDS,
};

struct moment {
    uint8_t  kind;                       /* enum moment_kind                             */
    uint8_t  precision;                  /* enum moment_precision; a time: HOUR or finer */
    uint8_t  month, day, hour, minute, second;
    uint8_t  fraction_digits;            /* stated, up to 3                              */
    uint16_t millisecond;
    uint16_t year;
    int16_t  zone;                       /* minutes east of UTC                          */
    bool     zoned;
};

/* "2026-11" is a date; "2026-11T", "2026-11-22T15" a date-time, "10:30" a time (with or without a T in
 * front).  All of the text.  `kind` NONE: whatever it is. */
bool        moment_of(struct span text, enum moment_kind kind, struct moment *out);
struct span moment_text(const struct moment *, struct arena *);
/* From epoch milliseconds, to the millisecond. */
struct moment moment_at(int64_t epoch_ms, int zone_minutes);

/* Its beginning: epoch milliseconds, in UTC when it has a zone; of a time since midnight. */
int64_t moment_ms(const struct moment *);

/* -1, 0, 1, or MOMENT_UNKNOWN when precision or zone leave it open.  A date
 * and a date-time can be compared, a time only with a time. */
#define MOMENT_UNKNOWN 2
int  moment_compare(const struct moment *, const struct moment *);
/* Adds `count` units; what is finer than the precision counts in whole units
 * of it.  False: out of range, or days and longer on a time. */
bool moment_add(const struct moment *, int64_t count, enum moment_unit, struct moment *out);
/* The first and last moment that it may be, to so many digits (4 a year, 6 a
 * month, 8 a day, 17 milliseconds; of a time 2, 4, 6, 9). */
bool moment_boundary(const struct moment *, unsigned digits, bool high, struct moment *out);
unsigned moment_digits(const struct moment *);

#endif
