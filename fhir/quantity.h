/* fhir/quantity.h -- amounts with units, as far as FHIRPath compares them.
 *
 * A unit of UCUM (https://ucum.org/ucum) is a factor and the powers of its
 * base units: mmol/L and mol/m3 can be compared, mg and mm cannot.  Known are
 * the units that clinical data compares (the table in quantity.c) with all
 * prefixes, products, powers and annotations; a unit that is not known is
 * equal to itself and to nothing else.  Units with an offset (Cel, [degF]) or
 * a logarithm are such: their text must be the same.
 *
 * Calendar words (N1, Time-valued Quantities): week and shorter are the UCUM
 * units of the same name; a year is 12 months and no number of days.
 */
#ifndef SLUICE_FHIR_QUANTITY_H
#define SLUICE_FHIR_QUANTITY_H

#include "fhir/decimal.h"
#include "fhir/moment.h"

struct fhirpath_quantity {
    struct decimal value;
    struct span    unit;                 /* "mg", "week", "1"                */
    bool           calendar;             /* a calendar word                  */
    bool           foreign;              /* not UCUM: only the text counts   */
};

/* -1, 0, 1; or QUANTITY_APART: their units cannot be compared. */
#define QUANTITY_APART 2
int  quantity_compare(const struct fhirpath_quantity *, const struct fhirpath_quantity *);
bool quantity_comparable(const struct fhirpath_quantity *, const struct fhirpath_quantity *);
/* The same amount in another unit of its dimension. */
bool quantity_convert(const struct fhirpath_quantity *, struct span unit, struct fhirpath_quantity *out);
/* Sums in the unit of the first (of the second when that is finer); false: apart, or too many digits. */
bool quantity_add(const struct fhirpath_quantity *, const struct fhirpath_quantity *, bool subtract,
                  struct fhirpath_quantity *out);
/* Products and quotients; a unit of the result that is not one of the operands' is in base units,
 * its text in the arena. */
bool quantity_multiply(const struct fhirpath_quantity *, const struct fhirpath_quantity *, bool divide,
                       struct arena *, struct fhirpath_quantity *out);
/* The unit that moves a date: calendar words, and UCUM's from 'wk' down; 0: none. */
enum moment_unit quantity_moment_unit(const struct fhirpath_quantity *);
/* Whether this is a calendar word. */
bool quantity_calendar_word(struct span);

#endif
