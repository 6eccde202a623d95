/* fhir/bundle_rules.h -- the invariants of Bundle, natively.
 *
 * R4 bundle.html#invs, by their keys; bdl-6 does not exist in R4.
 *   bundle-type  type is one of the nine codes (the rules depend on it)
 *   bdl-1   total only in searchset and history
 *   bdl-2   entry.search only in searchset
 *   bdl-3   entry.request in batch, transaction, history, and only there
 *   bdl-4   entry.response in batch-response, transaction-response, history, and only there
 *   bdl-5   an entry has a resource, a request or a response
 *   bdl-7   fullUrl with meta.versionId is unique, except in history
 *   bdl-8   fullUrl names no version
 *   bdl-9   a document has an identifier with system and value
 *   bdl-10  a document has a timestamp
 *   bdl-11  the first entry of a document is a Composition
 *   bdl-12  the first entry of a message is a MessageHeader
 * And what R4 bundle.html says in words, as the official validator reads it:
 *   bundle-full-url  there, but in transactions, batches and their answers;
 *                    absolute; one that ends in Type/id has type and id of its
 *                    resource; the url of a resource as fullUrl ends in its id
 *   bundle-link      self, first, previous, next and last once; paging only in
 *                    searchset and history; a relative stylesheet is an entry
 *   bundle-search    a searchset: every entry has a resource; a match or include
 *                    has an id, an outcome is an OperationOutcome, a match has a
 *                    type that the self link asks for.  A warning: no self link,
 *                    no mode
 *   bundle-request   fhir/request_rules.h
 * What references say is in fhir/reference_rules.h.
 */
#ifndef SLUICE_FHIR_BUNDLE_RULES_H
#define SLUICE_FHIR_BUNDLE_RULES_H

#include "fhir/bundle_table.h"
#include "fhir/finding.h"
#include "fhir/pack.h"

/* For one Bundle resource of the document, inner ones too.  Linear (bdl-7:
 * n log n).  ST_NO_MEMORY when it could not be finished.  With entries_apart
 * without the rules of single entries (bdl-2 … bdl-5, bdl-8, bundle-full-url),
 * which bundle_entry_rules() has. */
enum status bundle_rules(struct report *, const struct pack *, const struct bundle_table *,
                         bool entries_apart) MUST_CHECK;
void        bundle_entry_rules(struct report *, const struct pack *, tape_node bundle_resource,
                               const struct bundle_entry *);

#endif
