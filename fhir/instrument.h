/* fhir/instrument.h -- screening instruments: what the answers add up to.
 *
 * PHQ-9, PHQ-2, GAD-7, AUDIT-C, DAST-10 and the C-SSRS screener, as rows of
 * fhir/instrument.def.  A sheet takes answers, from wherever they come (items of a
 * QuestionnaireResponse, Observations, components), and says the total.
 *
 *   I1  An answer is worth what it says itself (the extension ordinalValue,
 *       a whole number that an item may have), else what the instrument's
 *       answer list says.  Anything else leaves the item open.
 *   I2  A total is a range: what is answered, up to the most that the open
 *       items could add.  With nothing open it is one number.  Nothing is
 *       prorated.
 *   I3  The C-SSRS screener has no total but a level: high after a plan or an
 *       intent (questions 4 and 5) or behaviour within three months, moderate
 *       after thoughts of a method (3) or older behaviour, low after other
 *       thoughts (1, 2).  An open question leaves open what it could raise.
 *
 * No diagnosis: the numbers are the sender's answers, added.
 */
#ifndef SLUICE_FHIR_INSTRUMENT_H
#define SLUICE_FHIR_INSTRUMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum instrument {
    INSTRUMENT_NONE = 0,
#define INSTRUMENT(name, text, panel, total, most) INSTRUMENT_##name,
#include "fhir/instrument.def"
#undef INSTRUMENT
    INSTRUMENT_COUNT
};

#define INSTRUMENT_ITEMS 10u             /* of the longest */

const char *instrument_name(enum instrument);           /* "PHQ-9" */
const char *instrument_total_code(enum instrument);     /* LOINC; "" when it has no total */
uint32_t    instrument_most(enum instrument);           /* points of the total */
uint32_t    instrument_items(enum instrument);
/* By the LOINC code of its panel, of its total; NONE when it is none. */
enum instrument instrument_of_panel(struct span loinc);
enum instrument instrument_of_total(struct span loinc);
/* A code that is often sent where this instrument's total belongs. */
bool instrument_total_confused(enum instrument, struct span loinc);

struct instrument_answer {
    struct span code;                    /* LOINC code of a Coding; may be empty    */
    struct span number;                  /* ordinalValue, or a whole number; may be empty */
    bool        yes, no;                 /* of a boolean                            */
};

struct instrument_sheet {
    enum instrument which;
    uint8_t         points[INSTRUMENT_ITEMS];   /* INSTRUMENT_OPEN: not answered, or not with points */
    uint32_t        met;                        /* items that came, with or without points           */
};
#define INSTRUMENT_OPEN 255u

void instrument_begin(struct instrument_sheet *, enum instrument);
/* An answer to the item of this LOINC code or linkId ("44250-9", "/44250-9",
 * "dast-10-1").  False when the instrument has no such item. */
bool instrument_take(struct instrument_sheet *, struct span item, const struct instrument_answer *);
/* The same for the sheets of all instruments, each in its place. */
void instrument_take_all(struct instrument_sheet[INSTRUMENT_COUNT], struct span item, const struct instrument_answer *);

struct instrument_total { uint32_t least, most; };      /* I2 */
struct instrument_total instrument_total(const struct instrument_sheet *);

enum instrument_level { LEVEL_UNKNOWN = 0, LEVEL_NONE, LEVEL_LOW, LEVEL_MODERATE, LEVEL_HIGH };
/* Of the C-SSRS screener (I3): the least level that the answers allow; HIGH
 * is certain, any other only when nothing is open.  UNKNOWN for the others and
 * when nothing was answered. */
enum instrument_level instrument_level(const struct instrument_sheet *);

#endif
