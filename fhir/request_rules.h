/* fhir/request_rules.h -- what an entry of a batch or transaction asks for is
 * what it holds; rule bundle-request of fhir/bundle_rules.h.
 *
 *   PUT    the type and id of the URL are those of the resource; of a
 *          conditional one, the type (R4 http.html#update)
 *   POST   the URL of a create is the type of the resource (http.html#create)
 *   in a transaction, the resources that PUT, PATCH and DELETE name by type and
 *   id are different ones (http.html#trules)
 *
 * URLs are relative to the base; of absolute ones and of operations ("$…")
 * nothing is said here.  n log n.
 */
#ifndef SLUICE_FHIR_REQUEST_RULES_H
#define SLUICE_FHIR_REQUEST_RULES_H

#include "fhir/bundle_table.h"
#include "fhir/finding.h"

/* Of one entry; the type of its Bundle is batch or transaction. */
void        request_entry_rules(struct report *, const struct bundle_entry *);
/* Of a transaction as a whole.  ST_NO_MEMORY when it could not be finished. */
enum status request_identities(struct report *, const struct bundle_table *) MUST_CHECK;

/* A PATCH names what it changes, and holds the change (http.html#patch). */
bool request_is_patch(const struct report *, const struct bundle_entry *);

#endif
