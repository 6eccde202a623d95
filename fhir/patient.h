/* fhir/patient.h -- whose patient each entry is about; private to reference.c.
 *
 * Found once for all entries, so that asking is cheap and a hostile Bundle
 * (a hundred thousand Provenances of one Group with as many members) is not
 * searched again for every question.  entry_patient() of fhir/reference.h has
 * the rules.
 */
#ifndef SLUICE_FHIR_PATIENT_H
#define SLUICE_FHIR_PATIENT_H

#include "fhir/reference.h"

struct patient {
    struct span name;
    uint32_t    entry;                   /* ENTRY_NONE: not in the bundle */
};

/* One for each entry; NULL when the arena is spent. */
const struct patient *patients_find(const struct references *, struct arena *);

#endif
