/* consent/instrument.h -- documents on file: agreements, orders, determinations.
 *
 * Several bases of 42 CFR Part 2 rest not on a consent but on a document: an
 * agreement with a service organization, a court order, a determination of the
 * program director.  A person has read it and written down what it says
 * (says.def); here it is only compared.
 *
 *   I1  A document without a beginning is not in force: unknown never permits.
 *       Its last day counts whole.
 *   I2  It speaks for those whom it names as party, and for nobody else.
 *   I3  One about a patient speaks of that patient alone; where its kind demands
 *       a patient and it names none, of nobody.
 *   I4  One that lists items or types reaches these alone.  With items the
 *       Patient goes along as far as it takes to know whose they are.
 *   I5  What its kind must say and it does not say makes it incomplete: then
 *       somebody who holds the record has to look, and nothing goes.
 */
#ifndef SLUICE_CONSENT_INSTRUMENT_H
#define SLUICE_CONSENT_INSTRUMENT_H

#include "base/span.h"

enum instrument_kind {
    INSTRUMENT_NONE = 0,                 /* zeroed memory is no document */
#define INSTRUMENT(name, code, citation, needs, says, words) INSTRUMENT_##name,
#include "consent/instruments.def"
#undef INSTRUMENT
    INSTRUMENT_COUNT
};

enum instrument_needs { NEEDS_PATIENT = 1 << 0, NEEDS_DISCLOSER = 1 << 1, NEEDS_LIST = 1 << 2, NEEDS_END = 1 << 3 };

enum says_code {
    SAYS_CODE_NONE = 0,
#define SAYS(name, code, words) SAYS_CODE_##name,
#include "consent/says.def"
#undef SAYS
    SAYS_CODE_COUNT
};

/* How a paper stands in the store: which bytes, and the how manieth version of them; empty and 0
 * in a request file.  Records of the ledger name it. */
struct filed {
    struct span sha256;                  /* hex */
    int64_t     version;
};

struct instrument {
    struct span          id;             /* as the file names it: "order-17" */
    enum instrument_kind kind;
    int64_t              from_ms, to_ms; /* INT64_MAX, INT64_MAX: not known */
    const struct span   *parties;        /* references: who receives or relies on it */
    size_t               party_count;
    struct span          discloser, patient, section;
    const struct span   *items;          /* "Type/id", ascending */
    size_t               item_count;
    const struct span   *types;          /* resource types */
    size_t               type_count;
    uint32_t             says;           /* SAYS_BIT(…) */
    struct filed         filed;
};

#define SAYS_BIT(code) ((uint32_t)1 << (code))

enum instrument_kind instrument_of(struct span code);
const char          *instrument_code(enum instrument_kind);
const char          *instrument_citation(enum instrument_kind);
const char          *instrument_words(enum instrument_kind);
uint32_t             instrument_needs(enum instrument_kind);
enum says_code       says_of(struct span code);
const char          *says_words(enum says_code);
/* I1 */
bool                 instrument_in_force(const struct instrument *, int64_t at_ms);
/* I5: the first thing that its kind needs and it lacks, in words; NULL: nothing. */
const char          *instrument_lacks(const struct instrument *);
/* Whether an ascending list has this text. */
bool                 instrument_item(const struct span *items, size_t count, struct span text);

#endif
