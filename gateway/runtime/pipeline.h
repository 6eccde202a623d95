/* gateway/runtime/pipeline.h -- the recipe of an exchange is a table of stages.
 *
 * A stage answers one question and has at most one wait.  Its name is also
 * the log key, the metric label and the heading in docs/life-of-a-bundle.md.
 *
 *   enter(ex)   STEP_NEXT    on to the next stage
 *               STEP_WAIT    one wait is armed; its completion is posted to the
 *                            loop and calls pipeline_resume(), which calls resume()
 *               STEP_BACK    ex->back_to, an earlier stage of the body, is next; from
 *                            resume() only, and whoever says it bounds how often
 *               STEP_ANSWER  the answer is known: skip to the tail
 *               STEP_FAIL    exchange_fail() or exchange_refuse() recorded why:
 *                            skip to the tail
 *
 * Consecutive `pure` stages touch nothing but the exchange and its arena, and
 * what is made for all threads (metrics, remembered answers), so for large
 * bodies they run on a worker in one go.  The tail runs always and
 * once, each of its stages whatever the one before it said.  The driver ends
 * exactly once, whatever a stage does.
 */
#ifndef SLUICE_GATEWAY_RUNTIME_PIPELINE_H
#define SLUICE_GATEWAY_RUNTIME_PIPELINE_H

#include <stdbool.h>

struct exchange;

enum step { STEP_FAIL = 0, STEP_NEXT, STEP_WAIT, STEP_ANSWER, STEP_BACK };

struct stage {
    const char *name;
    bool        pure;
    bool      (*passes)(const struct exchange *);    /* nothing to do: on to the next, on whatever thread; may be NULL */
    enum step (*enter)(struct exchange *);
    enum step (*resume)(struct exchange *);
};

struct pipeline {
    const char                *name;
    const struct stage *const *body;     /* both end in NULL */
    const struct stage *const *tail;
};

void pipeline_start(struct exchange *, const struct pipeline *);
/* From a posted completion, on the loop of the exchange. */
void pipeline_resume(struct exchange *);

#endif
