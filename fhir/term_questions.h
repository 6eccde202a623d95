/* fhir/term_questions.h -- what the definitions could not decide, to be asked elsewhere.
 *
 * A validation notes each question once: is this code in that value set.  When
 * it is done, whoever may do I/O asks a terminology server (R4
 * valueset-operation-validate-code.html) or does not; the findings of the
 * validation stand as they are, and an answer changes a finding's
 * "undecided" into right or wrong (docs/terminology.md, "Asking a server").
 *
 * Bounded: at most TERM_QUESTIONS are kept, what is beyond only counts, so a
 * hostile document cannot make a site ask its server ten thousand things.
 * Texts are those of the document and the pack; the arena holds the list.
 * Questions hold codes and systems, never displays or other text of a payload.
 */
#ifndef SLUICE_FHIR_TERM_QUESTIONS_H
#define SLUICE_FHIR_TERM_QUESTIONS_H

#include "base/arena.h"
#include "base/span.h"
#include "fhir/terminology.h"

#define TERM_QUESTIONS      256u
/* A longer code or url is no question. */
#define TERM_QUESTION_TEXT  512u

struct term_question {
    struct span   value_set;                 /* canonical, with |version if the binding has one */
    struct span   system, version, code;     /* system empty: the value of a `code` element     */
    enum term_why why;                       /* it was undecided */
};

struct term_questions {
    struct arena         *arena;
    struct term_question *list;
    uint32_t              count;
    uint32_t              dropped;           /* beyond the bound, too long, or no memory */
    uint16_t              slots[2 * TERM_QUESTIONS];     /* index + 1, open addressing */
};

/* NULL when the arena is spent. */
struct term_questions *term_questions_new(struct arena *);
/* Copies the texts; a question that was noted before is not noted again. */
void                   term_questions_note(struct term_questions *, const struct term_question *);

#endif
