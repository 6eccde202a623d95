/* fhir/media_type.h -- the grammar of media types, BCP 13.
 *
 *     application/fhir+json; charset=UTF-8
 *
 * type and subtype are restricted names of RFC 6838 4.2; parameters are those
 * of RFC 2045 5.1 (token = token or quoted string) with white space around ";"
 * as RFC 9110 5.6.6 allows it.  Whether IANA has registered the type is not asked:
 * BCP 13 lets anyone use vnd. and x. names, and the registry grows.
 */
#ifndef SLUICE_FHIR_MEDIA_TYPE_H
#define SLUICE_FHIR_MEDIA_TYPE_H

#include <stdbool.h>

#include "base/span.h"

bool media_type_good(struct span);

#endif
