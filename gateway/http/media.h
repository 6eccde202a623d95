/* gateway/http/media.h -- what a body is said to be, and what may be answered.
 *
 * Pure.  R4 http.html#mime-type: application/fhir+json; application/json and
 * the older application/json+fhir are taken for the same.  The version, where
 * it is said (fhirVersion, R4 http.html#version-parameter), is 4.0.
 *
 *   M1  charset, where it is said, is utf-8 (R4 http.html#mime-type: "SHALL use
 *       UTF-8"; a body in another one would be read as something else)
 *   M2  Accept: for each of the three names the most precise range that fits
 *       counts, and its weight is above 0 (RFC 9110 12.4.2, 12.5.1); what does
 *       not read as a range fits nothing; an empty Accept asks for nothing
 *   M3  _format is asked before Accept (R4 http.html#parameters): json, or one of
 *       the three, percent-decoded; `+` may have come as a space
 */
#ifndef SLUICE_GATEWAY_HTTP_MEDIA_H
#define SLUICE_GATEWAY_HTTP_MEDIA_H

#include "base/span.h"

enum media { MEDIA_OTHER = 0, MEDIA_OTHER_CHARSET, MEDIA_OTHER_VERSION, MEDIA_FHIR_JSON };

enum media media_of(struct span content_type);
bool       media_accepts_json(struct span accept);
/* The value of the first `_format` of a query; false: there is none. */
bool       media_format(struct span query, struct span *out);
bool       media_format_is_json(struct span format);
/* The value of a preference (RFC 7240; R4 http.html#ops), the first of its name;
 * empty for one without a value.  False: it is not there. */
bool       media_prefers(struct span prefer, struct span name, struct span *value);

#endif
