/* fhir/regex.h -- regular expressions whose cost is bounded by pattern times text.
 *
 * For FHIRPath's matches() and replaceMatches() and for filters of value sets.
 * The pattern becomes instructions of an automaton, and all its states walk
 * over the text at once: nothing is ever tried again, so no pattern of a
 * profile and no text of a sender makes it slow (docs/decisions/0025).
 *
 * The language is what PCRE, Java and ECMAScript agree on:
 *   .  [a-z]  [^a-z]  \d \D \w \W \s \S  \b \B  ^ $  (…)  (?:…)  (?<name>…)  |
 *   * + ? {n} {n,} {n,m}, each also lazy with ?    \t \n \r \f \v \xHH \uHHHH
 *   (?i) and (?s) in front
 * A dot takes line ends, too (N1: "single line" mode), ^ and $ are the ends
 * of the text.  Characters are code points; classes by letter are ASCII.
 * Look-around, back references and \p{…} are refused: a pattern that needs
 * them is an error, not another answer.
 *
 * A program is a span of bytes without pointers on a multiple of 4; one from
 * elsewhere passes regex_check() once.
 */
#ifndef SLUICE_FHIR_REGEX_H
#define SLUICE_FHIR_REGEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "base/status.h"

#define REGEX_MOST_INSTRUCTIONS 8192u
#define REGEX_GROUPS            10u      /* the whole match and nine groups; the rest only group */

/* ST_OK; ST_MALFORMED or ST_TOO_LARGE with *why, a static sentence; ST_NO_MEMORY. */
enum status regex_compile(struct span pattern, struct arena *, struct span *program, const char **why) MUST_CHECK;
bool        regex_check(struct span program);
/* The program that these bytes begin with, by its own length; empty when they begin with none. */
struct span regex_at(struct span bytes);

/* Which group of the pattern has this name; 0: none that is kept. */
uint32_t    regex_group_named(struct span pattern, struct span name);

struct regex_match { uint32_t start[REGEX_GROUPS], end[REGEX_GROUPS]; };   /* UINT32_MAX: took no part */

enum regex_found { REGEX_NO = 0, REGEX_YES, REGEX_BUDGET };

/* Whether it is in the text at all; `whole`: whether it is all of the text.
 * *steps goes down with the work; BUDGET when it is used up, or the arena. */
enum regex_found regex_test(struct span program, struct span text, bool whole, struct arena *scratch,
                            uint32_t *steps);
/* The first match at or behind `from`, the one that a backtracking matcher would find. */
enum regex_found regex_search(struct span program, struct span text, size_t from, struct regex_match *,
                              struct arena *scratch, uint32_t *steps);

#endif
