/* fhir/reference_text.h -- what the text of a reference says by itself;
 * private to reference.c.  reference_split() of fhir/reference.h is here, too.
 */
#ifndef SLUICE_FHIR_REFERENCE_TEXT_H
#define SLUICE_FHIR_REFERENCE_TEXT_H

#include "fhir/reference.h"

/* CONTAINED, CONDITIONAL, URN, ABSOLUTE ("scheme://" somewhere) or RELATIVE. */
enum reference_form reference_form_of(struct span text);
/* Without a fragment, and without "/_history/v" at the end. */
struct span reference_unversioned(struct span text);
/* Undoes %XX (RFC 3986 2.1); what is broken stays as it came. */
struct span reference_percent_decoded(struct span text, struct arena *);

#endif
