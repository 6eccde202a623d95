/* fhir/score.h -- reported totals of screening instruments against the answers.
 *
 * Where a total of fhir/instrument.def is reported, its items are looked for
 *   in the same QuestionnaireResponse (by the LOINC code of the
 *   Questionnaire's item when it is known, else by a linkId that is the code);
 *   in the components of the Observation and in the Observations that it names
 *   as hasMember or derivedFrom; of a panel also its total;
 *   in the QuestionnaireResponse that it names as derivedFrom.
 *
 *   score-total   the total is what the answers add up to.  Answers that are
 *                 missing leave a range.  A warning: both are kept, a person decides.
 *   score-range   the total is one that the instrument can have: an error
 *   score-code    the total has the instrument's code and not one that is
 *                 often confused with it (warning)
 *
 * What is entered-in-error or cancelled is left out.  Linear: an answer is read once, a reference
 * costs a look-up.
 */
#ifndef SLUICE_FHIR_SCORE_H
#define SLUICE_FHIR_SCORE_H

#include "fhir/bundle_table.h"
#include "fhir/finding.h"
#include "fhir/form.h"
#include "fhir/instrument.h"

struct scores;

/* NULL: arena spent. */
struct scores *scores_new(struct report *);
/* One response; form may be NULL. */
void scores_of_response(struct scores *, tape_node response, const struct form *form);
enum status scores_of_observations(struct scores *, struct resource_range) MUST_CHECK;

/* The sheets of a response, by enum instrument; for whoever wants the totals. */
struct score_sheets { struct instrument_sheet of[INSTRUMENT_COUNT]; };
void score_read_response(const struct tape *, tape_node response, const struct form *, struct arena *,
                         struct score_sheets *);

#endif
