/* fhir/terminology.h -- is this code in that value set, and is it a code at all.
 *
 * Answers come from the tables of a pack (compiled by fhir/compile_terminology.c
 * from CodeSystem and ValueSet resources) and from the checkers of systems whose
 * codes are a grammar or a short list of facts: UCUM, BCP 13, BCP 47, ISO 4217,
 * ISO 3166 (fhir/term_systems.h).  Nothing here asks anybody: no server, no
 * heap, no I/O; the cost of an answer is a hash probe or two.
 *
 *     canonical url -> value set       term_value_set(), once, when profiles are compiled
 *                          |
 *     system, code  -> in / out / undecided           term_member(), term_member_code()
 *
 * Rules:
 *   T1  What the definitions do not decide is TERM_UNDECIDED, with the reason:
 *       a system that is not here, a part of one, a filter over one.  Never a guess.
 *   T2  A value set that lists codes decides also over systems that are not here:
 *       on the list is in, not on the list is out (LOINC, SNOMED CT).
 *   T3  A system is the canonical that R4 gives it, spelled exactly so.
 *       term_system_meant() says which one another spelling means, for the hint.
 *   T4  Codes are compared byte by byte, and without case (ASCII) where the code
 *       system says caseSensitive: false.
 *   T5  Of several versions the latest counts when none is asked for; a version
 *       that was asked for and is not here leaves the answer undecided.  A value
 *       set that does not name a version takes a Coding of any version.
 *   T6  Abstract and inactive codes are codes: term_concept_flags() tells, and
 *       a value set leaves inactive ones out only when it says inactive: false.
 *
 * Everything returned points into the pack and lives as long.
 */
#ifndef SLUICE_FHIR_TERMINOLOGY_H
#define SLUICE_FHIR_TERMINOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

struct pack;

#define TERM_NONE UINT32_MAX                 /* no such value set, system, concept (PACK_NONE) */

enum term_verdict { TERM_UNDECIDED = 0, TERM_OUT, TERM_IN };

/* Why; the texts go into findings and hold nothing of a payload. */
/*    name          text                                                                         */
#define TERM_WHY_LIST(X)                                                                           \
    X(NONE,         "")                                                                            \
    X(NOT_LISTED,   "the value set does not have this code")                                       \
    X(OTHER_SYSTEM, "the value set has no codes of this system")                                   \
    X(NO_SYSTEM,    "a code without a system means nothing")                                       \
    X(NOT_A_CODE,   "the code system does not have this code")                                     \
    X(CASE,         "the code system has this code in other letter case")                          \
    X(SYNTAX,       "the code breaks the grammar of its code system")                              \
    X(NO_VALUE_SET, "the value set is not among the definitions")                                  \
    X(NO_CODE_SYSTEM, "the code system is not among the definitions")                              \
    X(NOT_PRESENT,  "the definitions name the code system but do not hold its codes")              \
    X(FRAGMENT,     "the definitions hold only a part of the code system")                         \
    X(VERSION,      "the definitions do not hold this version of the code system")                 \
    X(FILTER,       "the value set filters a code system whose codes are not here")                \
    X(FILTER_KIND,  "the value set has a filter that is not evaluated here")                       \
    X(IMPORT,       "the value set includes one that is not among the definitions")                \
    X(CIRCULAR,     "the value set includes itself")                                               \
    X(DEPTH,        "the value set includes others too deeply")                                    \
    X(SIZE,         "the value set has more codes than are compiled")                              \
    X(EMPTY,        "the value set says neither which codes it has nor how to find them")          \
    X(SERVER,       "the terminology server says that the value set does not have this code")

enum term_why {
#define X(name, text) TERM_WHY_##name,
    TERM_WHY_LIST(X)
#undef X
    TERM_WHY_COUNT
};

const char *term_why_text(enum term_why);

/* why: of TERM_OUT and TERM_UNDECIDED. */
struct term_answer { enum term_verdict verdict; enum term_why why; };

/* ---- value sets ----------------------------------------------------------- */

/* "http://…/ValueSet/x" or "http://…/ValueSet/x|4.0.1"; of a version the first
 * numbers are enough ("4.0").  TERM_NONE when it is not here: all that is asked of
 * TERM_NONE is undecided. */
uint32_t    term_value_set(const struct pack *, struct span canonical);
uint32_t    term_value_set_count(const struct pack *);
struct span term_value_set_url(const struct pack *, uint32_t value_set);
struct span term_value_set_version(const struct pack *, uint32_t value_set);

/* A Coding; version may be empty. */
struct term_answer term_member(const struct pack *, uint32_t value_set, struct span system, struct span version,
                               struct span code);
/* The value of a `code` element, or of a Quantity's or a string's binding: any
 * system of the value set. */
struct term_answer term_member_code(const struct pack *, uint32_t value_set, struct span code);

/* The one system that its codes are of; empty when it has several, or others
 * that the definitions do not name. */
struct span term_value_set_system(const struct pack *, uint32_t value_set);
/* Whether no answer about this value set can be undecided, for reports. */
bool term_decidable(const struct pack *, uint32_t value_set);
/* Some codes of the value set, for the hint of a finding: how many were put
 * into `out`, 0 when it lists none.  *more: whether there are others. */
uint32_t term_some_codes(const struct pack *, uint32_t value_set, struct span *out, uint32_t max, bool *more);

/* ---- code systems --------------------------------------------------------- */

/* As R4's CodeSystem.content; CHECKED: a checker knows the codes. */
enum term_content {
    TERM_CONTENT_UNKNOWN = 0, TERM_CONTENT_NOT_PRESENT, TERM_CONTENT_EXAMPLE, TERM_CONTENT_FRAGMENT,
    TERM_CONTENT_COMPLETE, TERM_CONTENT_CHECKED,
};

/* Whether the definitions know the system (in this version, unless empty). */
enum term_content term_content(const struct pack *, struct span system, struct span version);
/* The canonical of the system that this spelling means (an OID, https for
 * http, the old URL), empty when it is none that we know or is spelled well. */
struct span       term_system_meant(struct span system);
/* A value set's canonical where a code system's belongs, a mistake often made. */
bool              term_is_value_set_url(const struct pack *, struct span system);

/* Whether the system has the code: IN, OUT (complete or checked), UNDECIDED. */
struct term_answer term_code(const struct pack *, struct span system, struct span version, struct span code);

/* Both at once: the answer and the place in the tables (TERM_NONE). */
struct term_answer term_code_place(const struct pack *, struct span system, struct span version, struct span code,
                                   uint32_t *concept);
/* The code's place in the tables, TERM_NONE when it is not listed there. */
uint32_t term_concept(const struct pack *, struct span system, struct span version, struct span code);

enum term_concept_flag { TERM_ABSTRACT = 1, TERM_INACTIVE = 2 };
uint32_t    term_concept_flags(const struct pack *, uint32_t concept);
struct span term_concept_code(const struct pack *, uint32_t concept);
/* The display of the code system; empty when it has none. */
struct span term_display(const struct pack *, uint32_t concept);
/* Whether this is the display or a designation of it, supplements' included;
 * case and white space may differ.  True when the tables have no display. */
bool        term_display_known(const struct pack *, uint32_t concept, struct span display);

/* Whether `code` is `ancestor` or below it.  UNDECIDED where the hierarchy is
 * not here. */
struct term_answer term_is_a(const struct pack *, struct span system, struct span version, struct span code,
                             struct span ancestor);

#endif
