/* consent/text.h -- what a text says about substance use.
 *
 * One pass over the folded text (text_fold.h): words against the table of
 * terms.def, a phrase when its last word arrives.  A phrase counts unless the
 * sentence takes it back:
 *
 *   X1  negated      "denies heroin use", "no history of cocaine abuse", "heroin: negative";
 *                    the scope ends at a full stop, at "but", and at a comma unless the list
 *                    before it was one of substances
 *   X2  a relative's "family history of alcoholism", "father with heroin addiction"
 *   X3  screening    "screening for drug abuse", "risk of opioid misuse", "drug abuse prevention"
 *   X4  allergy      "allergic to disulfiram"
 *   X5  a test name  "Cocaine [Presence] in Urine"
 *   X6  other habits "gambling addiction treatment"
 *
 * Words that are written together are parted first, where the run is no word itself:
 * "MethadoneTaper2026.pdf", "OUDIntake"; "HeRoin" is one.
 *
 * A text that hides or turns some of itself is read as it is stored, as it is
 * seen, and what is hidden alone (text_hidden.h); a word counts in whichever
 * reading has it.  An excuse counts when both of the first two have it.
 *
 * Where a rule is in doubt the phrase counts.  Codes that are written out in
 * text count as well: F11.20, H0020, SNOMED CT numbers of the table.
 *
 * Drugs with other uses (buprenorphine, methadone, naltrexone) are reported
 * apart, with what the text states about their use, because the resource may
 * state it elsewhere.
 */
#ifndef SLUICE_CONSENT_TEXT_H
#define SLUICE_CONSENT_TEXT_H

#include "base/arena.h"
#include "consent/codes.h"
#include "consent/facts.h"
#include "consent/text_fold.h"

enum text_drug { TEXT_BUPRENORPHINE = 1 << 0, TEXT_METHADONE = 1 << 1, TEXT_NALTREXONE = 1 << 2 };

struct text_finding {
    label_set labels;                    /* of phrases that count            */
    label_set medication;                /* of drugs with no other use: kept apart for allergies */
    unsigned  drugs;                     /* enum text_drug                   */
    unsigned  contexts;                  /* enum code_context, as stated     */
    bool      program;                   /* a registered program is named    */
    bool      note;                      /* marked as a SUD counseling note  */
    size_t    at, length;                /* of the first that counts, in bytes of the text */
};

/* Names of programs, ready to be found; made once for any number of texts.
 * Names of less than two words need eight letters: "Oak" is not a name.
 * Borrows the facts. */
struct text_names;
const struct text_names *text_names_make(const struct facts *, const struct span *more, size_t more_count,
                                         struct arena *);

bool text_found(const struct text_finding *);            /* anything but contexts */

/* Adds to *out.  names may be NULL. */
void      text_read(struct span text, enum fold_form, const struct text_names *, struct text_finding *out);
/* Markup or not, attributes and comments too. */
void      text_read_any(struct span text, const struct text_names *, struct text_finding *out);
/* The labels of the drugs that these contexts do not excuse. */
label_set text_drug_labels(unsigned drugs, unsigned contexts);

#endif
