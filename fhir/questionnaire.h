/* fhir/questionnaire.h -- a QuestionnaireResponse against its Questionnaire.
 *
 * R4 questionnaireresponse.html, questionnaire.html.  The Questionnaire is
 * found by its canonical URL: a contained one ("#id"), one of the same
 * document, or one of the loaded definitions.  Rules (docs/validation.md):
 *
 *   questionnaire-unknown   the Questionnaire was found (warning)
 *   questionnaire-status    and is not retired, and is in effect (warning)
 *   questionnaire-linkid    an item has a linkId of the Questionnaire, in the
 *                           group or question that has it
 *   questionnaire-order     items are in the Questionnaire's order
 *   questionnaire-type      answers are of the item's type; a group and a
 *                           display have none; items inside a question are in
 *                           its answers
 *   questionnaire-repeats   answers and items repeat where they may
 *   questionnaire-required  what is required and enabled is there; a warning
 *                           while the status is not completed or amended
 *   questionnaire-enabled   what is not enabled is not answered
 *   questionnaire-option    an answer is one of the options
 *   questionnaire-value     length, pattern, bounds, decimals, unit, MIME type, size
 *   questionnaire-text      the text is the Questionnaire's (warning)
 *   questionnaire-initial   a readOnly answer is the initial one (warning)
 *   questionnaire-budget    the check was finished (an error when it was not)
 *
 * enableWhen: an answer that cannot be compared (dates of different
 * precision, quantities of different units) leaves open whether the item is
 * enabled; then neither its absence nor its presence is wrong.  The question
 * meant is the nearest one around, as enableWhen.question says.
 *
 * The totals that a response or an Observation reports: fhir/score.h.
 *
 * Of a Questionnaire itself:
 *   questionnaire-condition enableWhen.question is another item, not one
 *                           inside; a later one is a warning
 *   que-12                  several conditions say how they are joined
 *
 * Cost: linear in response and Questionnaire, but for conditions over
 * repeating items and long lists of options, which have a budget.
 */
#ifndef SLUICE_FHIR_QUESTIONNAIRE_H
#define SLUICE_FHIR_QUESTIONNAIRE_H

#include "fhir/bundle_table.h"
#include "fhir/finding.h"
#include "fhir/form.h"

/* All responses, Questionnaires and Observations among these resources.
 * ST_NO_MEMORY when it could not be finished. */
enum status questionnaires_check(struct report *, const struct form_source *, struct resource_range) MUST_CHECK;

#endif
