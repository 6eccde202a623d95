/* gateway/http/query.h -- the parameters of a request's query.
 *
 *     struct span rest = head->query, name, value;
 *     while (query_next(&rest, arena, &name, &value))
 *
 * Pure.  Both are percent-decoded and `+` is a space, as in HTML forms (R4
 * http.html#paging and search use them so).  What cannot be decoded is empty.
 */
#ifndef SLUICE_GATEWAY_HTTP_QUERY_H
#define SLUICE_GATEWAY_HTTP_QUERY_H

#include <stdbool.h>

#include "base/arena.h"

bool        query_next(struct span *rest, struct arena *, struct span *name, struct span *value);
struct span query_decoded(struct span text, struct arena *);

#endif
