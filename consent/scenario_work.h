/* consent/scenario_work.h -- what the parts of a case share; private to scenario*.c.
 *
 *     scenario.c         the case as steps; each step through facts, release, comparison
 *     scenario_expect.c  what is expected, compared with what came of it
 */
#ifndef SLUICE_CONSENT_SCENARIO_WORK_H
#define SLUICE_CONSENT_SCENARIO_WORK_H

#include "consent/scenario.h"

struct trial {
    const struct inspected_asker *asker;        /* NULL: documents are read here */
    struct arena               *arena;
    const struct tape          *tape;           /* of the case */
    tape_node                   base, step;     /* the case; the item of requests, or ABSENT */
    uint32_t                    number;         /* of the step */
    const struct facts         *facts;
    const struct release       *release;
    const struct tape          *payload;        /* what left; NULL: nothing */
    struct scenario            *out;
    struct scenario_difference *differences;
    uint32_t                    room;
    enum status                 status;         /* sticky: memory */
};

/* The first complaint stays; the case is refused. */
void trial_refuse(struct trial *, struct span why);
bool trial_refused(const struct trial *);
void trial_differ(struct trial *, struct scenario_difference);

/* What the step states, else what the case states; ABSENT. */
tape_node trial_member(const struct trial *, const char *name);
/* Releases another document under the same facts; false when it was refused. */
bool trial_release(struct trial *, struct span document, const struct release **out);

/* Compares every member of `expected`. */
void trial_compare(struct trial *, tape_node expected);

#endif
