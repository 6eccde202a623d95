/* fhir/search_rules.h -- a searchset answers what its self link asks
 * (R4 http.html#search, bundle.html#searchset); rule bundle-search of
 * fhir/bundle_rules.h.  Linear in entries; of the link, SEARCH_TYPES_MOST types
 * are read. */
#ifndef SLUICE_FHIR_SEARCH_RULES_H
#define SLUICE_FHIR_SEARCH_RULES_H

#include "fhir/bundle_table.h"
#include "fhir/finding.h"
#include "fhir/pack.h"

#define SEARCH_TYPES_MOST 32u

void search_rules(struct report *, const struct pack *, const struct bundle_table *);

#endif
