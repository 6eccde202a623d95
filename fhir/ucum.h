/* fhir/ucum.h -- whether a text is a unit of UCUM, case sensitive (c/s).
 *
 * The grammar of The Unified Code for Units of Measure, version 2.2, section 2
 * (https://ucum.org/ucum), and its atoms and prefixes (fhir/term_units.def):
 *
 *     main-term    "/" term | term
 *     term         component { ("." | "/") component }
 *     component    annotation | ("(" term ")" | simple-unit [exponent] | factor) [annotation]
 *     simple-unit  ATOM | PREFIX METRIC-ATOM
 *     exponent     ["+" | "-"] digits
 *     annotation   "{" printable ASCII without braces "}"
 *
 * An annotation may follow a factor ("/100{WBC}" is the specification's own
 * example) and a parenthesis ("g/(8.h){shift}" is in R4's ucum-common), where its
 * grammar has none.  Spaces stand in annotations only.
 */
#ifndef SLUICE_FHIR_UCUM_H
#define SLUICE_FHIR_UCUM_H

#include <stdbool.h>

#include "base/span.h"

/* Longer texts and deeper parentheses are no units. */
#define UCUM_MAX_LENGTH 512u
#define UCUM_MAX_DEPTH  16u

bool ucum_good(struct span);

#endif
