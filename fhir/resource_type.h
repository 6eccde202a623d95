/* fhir/resource_type.h -- the names of R4's resource types, for who has no definitions at hand. */
#ifndef SLUICE_FHIR_RESOURCE_TYPE_H
#define SLUICE_FHIR_RESOURCE_TYPE_H

#include "base/span.h"

bool        resource_type_known(struct span name);

#endif
