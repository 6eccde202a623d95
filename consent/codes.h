/* consent/codes.h -- which codes tell of substance use, and how loudly.
 *
 * The tables are built from codes.facts, a row a code or prefix, with a citation
 * (code_sources.facts), by tools/codes.c, which refuses what is wrong
 * (docs/decisions/0038-code-sets-are-built-from-facts.md); docs/code-sets.md says what is in,
 * what is out and why.  A row that nobody could verify is there with state off and
 * is not found by code_find(): as if it were not written.
 *
 *   T1       tells by itself: labels
 *   T2       strong but ambiguous: labels unless the resource states one of the
 *            controls of its kind (code_excused)
 *   T3       context only: labels together with a source or an indication
 *   NOT      looks like it and is not: never labels, and its text is not searched
 *   CONTEXT  labels nothing; states a control (pain, weight)
 *
 * A code that is in the table speaks: its display and text are not searched.
 */
#ifndef SLUICE_CONSENT_CODES_H
#define SLUICE_CONSENT_CODES_H

#include "consent/label.h"
#include "fhir/code_system.h"

enum code_tier { TIER_NONE = 0, TIER_T1, TIER_T2, TIER_T3, TIER_NOT, TIER_CONTEXT };

enum code_kind {
    KIND_NONE = 0,
    KIND_DISORDER, KIND_TREATMENT, KIND_TEST, KIND_SETTING, KIND_STAFF,
    KIND_DRUG, KIND_METHADONE, KIND_NALTREXONE,
    KIND_PAIN, KIND_WEIGHT,
};

enum code_source {
#define SOURCE(name, short, full) CODE_SOURCE_##name,
#include "consent/code_sources.def"
#undef SOURCE
    CODE_SOURCE_COUNT
};

struct code_row {
    const char *code;                    /* plain form */
    uint8_t     length;
    bool        prefix;
    bool        on;
    uint8_t     tier;                    /* enum code_tier   */
    uint8_t     label;                   /* enum label       */
    uint8_t     kind;                    /* enum code_kind   */
    uint8_t     source;                  /* enum code_source */
    const char *words;                   /* what the code means, our words */
    const char *checked;                 /* how it was compared with the source: "name", "list", "absence", "none" */
    const char *day;                     /* when: "2026-11-22"; "-" */
    const char *because;                 /* why a row that has a source is off, or is weaker than a prefix; "" */
};

/* Circumstances that a resource states about itself: controls of T2. */
enum code_context {
    CONTEXT_PAIN     = 1 << 0,           /* given for pain, palliative or hospice care */
    CONTEXT_PATCH    = 1 << 1,           /* transdermal system: labelled for pain only */
    CONTEXT_WEIGHT   = 1 << 2,           /* obesity, weight loss, with bupropion or morphine, low dose */
    CONTEXT_ALLERGY  = 1 << 3,           /* it says that a drug is not tolerated */
    CONTEXT_FAMILY   = 1 << 4,           /* it is about a relative */
    CONTEXT_NEGATIVE = 1 << 5,           /* the result is negative */
    CONTEXT_CAFFEINE = 1 << 6,           /* F15 is also where caffeine is coded */
    CONTEXT_LAST     = CONTEXT_CAFFEINE,
};

/* NULL when the code is in no row that is on.  The longest prefix wins; HCPCS
 * and CPT are one table, and so are the ICD-10s. */
const struct code_row *code_find(enum code_system, struct span code);
/* HF, HG: modifiers share the code system of HCPCS but not the element. */
const struct code_row *code_find_modifier(struct span code);
/* True when what the resource states about itself takes the meaning away
 * (allergy and family: from drugs and disorders of any tier). */
bool                   code_excused(const struct code_row *, unsigned contexts);

/* T1, but its text may say that it is something else: F15 is also caffeine. */
bool                   code_has_trap(const struct code_row *);

const char *code_source_short(enum code_source);
const char *code_source_full(enum code_source);
const char *code_tier_text(enum code_tier);              /* "T1", "not" */
const char *code_context_text(enum code_context);        /* "pain" */
/* Whether anybody compared it with a source; one that nobody did is off. */
bool        code_verified(const struct code_row *);

/* For reports and for the tests over the tables. */
struct code_table { enum code_system system; const char *name; const struct code_row *rows; size_t count; };
size_t                   code_table_count(void);
const struct code_table *code_table_at(size_t);

#endif
