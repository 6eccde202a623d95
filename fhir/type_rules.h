/* fhir/type_rules.h -- datatypes that have rules beyond their elements.
 *
 * R4 datatypes.html, as the official validator reads it:
 *   identifier-system  Identifier.system is absolute (http:, https:, urn:, ldap:)
 *   identifier-value   with the system urn:ietf:rfc:3986 the value is an absolute URI
 *   coding-system      Coding.system is absolute when there is a code; a code
 *                      without a system means nothing by itself: a warning
 *   attachment-size    size is the number of bytes of data; an Attachment with
 *                      nothing to say (no data, url, contentType, language): a
 *                      warning
 *   sampled-data       SampledData.data is decimals, E, U and L; a warning when
 *                      other than one space is between them
 *   security-unique    meta.security has a label once
 * Each depends on the bytes of the value alone, so that one value is looked at
 * once however often it repeats.
 */
#ifndef SLUICE_FHIR_TYPE_RULES_H
#define SLUICE_FHIR_TYPE_RULES_H

#include "fhir/finding.h"

/* `flags` of the shape, `place` of the finding. */
void type_rules(struct report *, uint32_t shape_flags, tape_node value, uint64_t place);

#endif
