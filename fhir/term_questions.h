/* fhir/term_questions.h -- what the definitions cannot decide, asked elsewhere.
 *
 *     validate() --- is this code in that value set? ---> definitions: in, out
 *                                                    \--> undecided: this list
 *     the list ---> whoever may do I/O, and asks a terminology server or does not
 *     validate() again, with what was answered in the list
 *
 * The second run is a run over definitions that know more: findings, their
 * order, their groups, which slice an item is in and which profile a value has
 * come out as if the answers had been among the definitions.  What has no
 * answer stays undecided in it, as in the first.
 *
 *   Q1  A question is asked once for each list, however often it comes up, and
 *       has one answer for all of a run.  recall(), when there is one, may know
 *       the answer already: then the first run is the last.
 *   Q2  Asked is what R4 valueset-operation-validate-code.html can answer: a code
 *       with its system.  Of a `code` element that is the system of the value
 *       set, when it has one.
 *   Q3  Only codes leave: a code is printable ASCII without a space, at most
 *       TERM_QUESTION_CODE bytes; a system is an http(s) or urn URI.  What
 *       somebody wrote where a code belongs is no question.
 *   Q4  A CodeableConcept asks about its codings only when none of them is in
 *       the value set by the definitions; then about each that is undecided.
 *   Q5  Silent runs (fhir/profile.h P2) ask as well: which slice an item is in
 *       depends on the answer.  They try what may not come to count, so half of
 *       the list is not theirs.
 *   Q6  Bounded: TERM_QUESTIONS are kept, what is beyond counts and stays
 *       undecided, so a hostile document cannot make a site ask ten thousand things.
 *
 * Texts are copied; the arena holds the list.  Displays and other text of a
 * payload never come here.
 */
#ifndef SLUICE_FHIR_TERM_QUESTIONS_H
#define SLUICE_FHIR_TERM_QUESTIONS_H

#include "base/arena.h"
#include "base/span.h"
#include "fhir/terminology.h"

#define TERM_QUESTIONS      256u
/* A longer canonical, system or version is no question; nor a longer code. */
#define TERM_QUESTION_TEXT  512u
#define TERM_QUESTION_CODE  128u

struct term_question {
    struct span       value_set;             /* canonical, with |version if the binding has one */
    struct span       system, version, code; /* version may be empty */
    enum term_why     why;                   /* it was undecided */
    enum term_verdict answer;                /* UNDECIDED: none, or none yet */
    bool              closed;                /* nobody needs to ask: it has its answer, or will not get one */
};

struct term_questions {
    struct arena         *arena;
    struct term_question *list;
    uint32_t              count;
    uint32_t              dropped;           /* beyond the bound, or no memory */
    /* Called once for each question, on the thread of the validation: fills in
     * answer and closed.  May be NULL. */
    void                (*recall)(void *caller, struct term_question *);
    void                 *caller;
    uint16_t              slots[2 * TERM_QUESTIONS];     /* index + 1, open addressing */
};

/* NULL when the arena is spent. */
struct term_questions *term_questions_new(struct arena *);
/* The answer to it; a question that comes for the first time is noted, unless Q3,
 * Q5 or Q6 forbids it.  trying: by a silent run. */
enum term_verdict      term_questions_ask(struct term_questions *, const struct term_question *, bool trying);
/* How many nobody has closed. */
uint32_t               term_questions_open(const struct term_questions *);

#endif
