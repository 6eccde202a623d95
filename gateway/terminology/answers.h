/* gateway/terminology/answers.h -- what the terminology server said, as long as it counts.
 *
 * A table of a fixed number of answers, in sets of eight; in a set the one
 * that was asked for least recently makes room.  A question is kept as 128 bits
 * of two keyed hashes: no code stays in memory here, every answer has the same
 * size, and nobody can choose codes that push each other out.
 *
 * Times are milliseconds of one clock that does not go back, given by the
 * caller.  All functions but new and free may be called on any thread.
 */
#ifndef SLUICE_GATEWAY_TERMINOLOGY_ANSWERS_H
#define SLUICE_GATEWAY_TERMINOLOGY_ANSWERS_H

#include <stdint.h>

#include "fhir/term_questions.h"

#define ANSWERS_LEAST 64u

enum answer {
    ANSWER_UNKNOWN = 0,                  /* nobody has asked, or it is too long ago */
    ANSWER_RIGHT, ANSWER_WRONG,
    ANSWER_NONE,                         /* the server was asked and did not say */
};

struct answer_key { uint64_t a, b; };

struct answers;

struct answers   *answers_new(void);                         /* holds none until answers_size(); NULL: no memory */
void              answers_free(struct answers **);
/* Forgets all and takes this many from now on (at least ANSWERS_LEAST, down to a
 * multiple of eight).  Without memory for them it holds none. */
void              answers_size(struct answers *, uint32_t count);
struct answer_key answers_key(const struct answers *, const struct term_question *);
enum answer       answers_get(struct answers *, struct answer_key, int64_t now_ms);
void              answers_put(struct answers *, struct answer_key, enum answer, int64_t now_ms, int64_t until_ms);

#endif
