/* fhir/finding.h -- how the parts of the validator report; private to fhir/.
 *
 * A `struct report` makes findings cheap to repeat: the same rule at the same
 * place of the definition (a hash says so) is found again without making its
 * texts, and a document that is wrong everywhere stops being looked at.
 */
#ifndef SLUICE_FHIR_FINDING_H
#define SLUICE_FHIR_FINDING_H

#include "fhir/bundle.h"
#include "fhir/issue.h"

#define REPORT_MEMORY 256u               /* a power of 2 */

struct report {
    const struct bundle *bundle;
    struct arena        *arena;
    struct issues       *issues;
    uint32_t             left;           /* errors that may still be made: then the walk stops */
    uint32_t             doubts;         /* warnings and less that may still be told: then they are dropped */
    uint32_t             made;           /* so far, repeated ones too */
    bool                 stopped;
    struct narratives   *narratives;     /* of fhir/narrative.h; NULL until one is met */
    struct { uint64_t key; uint32_t index; } known[REPORT_MEMORY];       /* zeroed with the first finding */
};

struct finding {
    tape_node       node;
    enum severity   severity;
    enum issue_code code;
    const char     *rule;                /* static */
    uint64_t        place;               /* hash of the place in the definition; 0: none, never repeated */
};

void report_init(struct report *, const struct bundle *, struct arena *, struct issues *, uint32_t most);
/* True when the texts have to be made: then report_add() follows. */
bool report_new(struct report *, const struct finding *);
void report_add(struct report *, const struct finding *, struct span wanted, struct span found,
                struct span hint);

/* "have a string of 12 characters": never what it says. */
struct span finding_found(const struct tape *, tape_node, struct arena *);

#endif
