/* consent/plan_limit.h -- what of a resource is more than its basis lets go (rule L1).
 *
 * A basis with a limit (consent/limit.h) lets go some members of a resource;
 * and some parts of these; the others are cut, narrative and extensions
 * included.  Where R4 requires what is cut, the resource goes.
 */
#ifndef SLUICE_CONSENT_PLAN_LIMIT_H
#define SLUICE_CONSENT_PLAN_LIMIT_H

#include "consent/plan_closure.h"

void limits_close(struct closure *);

#endif
