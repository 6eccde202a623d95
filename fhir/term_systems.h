/* fhir/term_systems.h -- code systems whose codes are a grammar or a list of facts.
 *
 * R4 binds to them and no CodeSystem resource lists their codes.  A CodeSystem
 * of the pack that says it is complete comes first.
 */
#ifndef SLUICE_FHIR_TERM_SYSTEMS_H
#define SLUICE_FHIR_TERM_SYSTEMS_H

#include <stdbool.h>

#include "base/span.h"

struct term_system {
    struct span url;
    const char *about;                       /* what the checker follows */
    bool      (*has)(struct span code);
    bool        grammar;                     /* what it refuses is no well-formed code */
};

/* NULL when there is no checker for the system. */
const struct term_system *term_system_of(struct span url);

#endif
