/* consent/answered.h -- which QuestionnaireResponses of a Bundle name which of its Questionnaires by URL.
 *
 * A canonical (R4 references.html#canonical) is no reference, and resolves to nothing by
 * itself: a response points at every Questionnaire of the URL that it names, whatever the
 * version.  Each URL is one group: of its Questionnaires and of its responses.
 */
#ifndef SLUICE_CONSENT_ANSWERED_H
#define SLUICE_CONSENT_ANSWERED_H

#include "fhir/bundle.h"
#include "fhir/lookup.h"

struct answered {
    const struct lookup *forms;          /* url -> entry, a Questionnaire                       */
    const struct lookup *responses;      /* url -> entry, a QuestionnaireResponse that names it */
    uint32_t            *forms_of;       /* by entry, a response: position of the first in `forms`; else LOOKUP_NONE */
    uint32_t            *responses_of;   /* by entry, a Questionnaire: position of the first in `responses`; the same */
    tape_node           *node;           /* by entry, a response: what names it                 */
};

/* NULL when nobody names any.  Linear in entries. */
enum status answered_read(const struct bundle *, struct arena *, const struct answered **out) MUST_CHECK;

#endif
