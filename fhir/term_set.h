/* fhir/term_set.h -- value sets as functions from codes to in, out, undecided.
 *
 * What a value set composes of is united, intersected and subtracted here,
 * code by code in three-valued logic (Kleene's: undecided and out is out).
 * As in a pack (fhir/pack_terms.h) a set has a part per system and version:
 * what it says of single codes, and a fallback for all others.  `rest` is what it
 * says of systems without a part.
 *
 * SAID_WHOLE as a fallback stands for "what the system has" and stays unexpanded
 * through the algebra; where one set speaks of a code and the other falls back
 * to WHOLE, the system is asked (term_set_ask).
 *
 * Sets are values in an arena and immutable; a result may share items with
 * its operands.  Cost of an operation: parts of a times parts of b, at most
 * TERM_SET_PARTS each, and a merge of the items of those that meet.
 */
#ifndef SLUICE_FHIR_TERM_SET_H
#define SLUICE_FHIR_TERM_SET_H

#include "base/arena.h"
#include "fhir/pack_terms.h"

#define TERM_SET_PARTS 1024u

struct term_item {
    uint32_t code;                           /* offset of an interned text: equal codes are equal numbers */
    uint16_t length;
    uint8_t  said, why;                      /* SAID_IN, SAID_OUT or SAID_UNDECIDED */
};

struct term_part {
    struct pack_text        system, version;
    const struct term_item *items;           /* by code, each once */
    uint32_t                count;
    uint8_t                 fallback, why;   /* SAID_OUT, SAID_UNDECIDED or SAID_WHOLE */
};

struct term_set {
    const struct term_part *parts;
    uint32_t                count;
    uint8_t                 rest, rest_why;  /* SAID_OUT or SAID_UNDECIDED */
};

enum term_operation { TERM_UNITE = 0, TERM_INTERSECT, TERM_SUBTRACT };

/* Whether a system has a code: SAID_IN, SAID_OUT or SAID_UNDECIDED. */
struct term_set_oracle {
    struct arena *arena;
    uint8_t     (*ask)(void *context, const struct term_part *, const struct term_item *, uint8_t *why);
    void         *context;
    uint64_t      items_left;                /* that may still be made */
};

/* A set that says the same of every code. */
struct term_set term_set_all(uint8_t said, uint8_t why);
/* Sets of undecided (SIZE) when a bound is met; empty when the arena is spent. */
struct term_set term_set_combine(struct term_set_oracle *, enum term_operation, struct term_set a, struct term_set b);
/* Sorts the items of a part that is being made and drops all but the first of each code. */
uint32_t        term_items_sort(struct term_item *, uint32_t count);

#endif
