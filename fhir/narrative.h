/* fhir/narrative.h -- findings about the narratives of a document; private to fhir/.
 *
 * What fhir/xhtml.h finds, as findings with a place, and one question more:
 * whether a link to "#x" leads somewhere.  The target is an id or a name in
 * any narrative, or the id of any element or resource, of the same document:
 * a Composition's sections link into each other.
 *
 *   xhtml        the FORM of fhir/xhtml.h
 *   txt-1, txt-2 R4 narrative.html#invs
 *   xhtml-active what acts, or could
 *   xhtml-lang   as a warning: where the resource says its language, the div of
 *                its narrative says it too (lang and xml:lang), unless it has
 *                sections in several (R4 resource-definitions.html#Resource.language)
 *   xhtml-link   a link inside of the document that leads nowhere; a warning
 *                when "#Type_id" names an entry
 */
#ifndef SLUICE_FHIR_NARRATIVE_H
#define SLUICE_FHIR_NARRATIVE_H

#include "fhir/finding.h"

/* For each value of type xhtml; place as in struct finding.  False for a value
 * that is no text, which is nothing of a narrative's. */
bool narrative_check(struct report *, tape_node value, uint64_t place);
/* Once, when the whole document was looked at.  ST_NO_MEMORY when it could
 * not be finished.  About linear: the links are sorted. */
enum status narrative_links(struct report *) MUST_CHECK;

#endif
