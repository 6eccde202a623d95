/* gateway/ops/suggest.h -- "did you mean": the nearest of a list of words.
 *
 * Distance is Damerau's (insert, delete, replace, swap of neighbours), and a
 * word is near when it is at most a third of the length away, two at least.
 */
#ifndef SLUICE_GATEWAY_OPS_SUGGEST_H
#define SLUICE_GATEWAY_OPS_SUGGEST_H

#include "base/span.h"

struct suggestion {
    struct span word;                    /* what was written */
    struct span best;                    /* empty: nothing is near */
    unsigned    distance;
};

struct suggestion suggestion_for(struct span word);
void              suggestion_offer(struct suggestion *, struct span candidate);

#endif
