/* gateway/stages/searchset.h -- the Bundle of an answer: a searchset or a history (R4 http.html#search, #history).
 *
 *     struct author *a = author_new();
 *     author_value root = searchset_begin(ex, a, "searchset");
 *     searchset_link(author_add_array(root, "link"), "self", searchset_url(ex, SPAN("Consent"), form, page));
 *     …
 *     return searchset_finish(ex, a);
 */
#ifndef SLUICE_GATEWAY_STAGES_SEARCHSET_H
#define SLUICE_GATEWAY_STAGES_SEARCHSET_H

#include "base/json_author.h"
#include "gateway/runtime/exchange.h"

/* "https://host/fhir/", as the request calls this gateway. */
struct span  searchset_base(struct exchange *);
author_value searchset_begin(struct exchange *, struct author *, const char *type);
void         searchset_link(author_value links, const char *relation, struct span url);
/* The URL of a page: the filters of the request again, those of a POSTed form behind those of the query; page empty: the
 * first one.  Empty: no memory. */
struct span  searchset_url(struct exchange *, struct span type, struct span form, struct span page);
/* Prints it as a 200, and frees the author; STEP_FAIL: no memory. */
enum step    searchset_finish(struct exchange *, struct author *);

#endif
