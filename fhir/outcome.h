/* fhir/outcome.h -- findings -> OperationOutcome (through base/json_author).
 *
 * R4 http://hl7.org/fhir/R4/operationoutcome.html.  Each issue carries
 * severity, code, details.text (one sentence: rule, wanted, found, hint),
 * expression, and line/column as `location` of the form "Line 3, Column 14" and
 * as HL7's extensions operationoutcome-issue-line and -issue-col (integers, as
 * in hl7.fhir.uv.extensions 5.3), which other validators write and editors read.
 * With no finding the outcome holds one `informational` issue "All OK".
 */
#ifndef SLUICE_FHIR_OUTCOME_H
#define SLUICE_FHIR_OUTCOME_H

#include "base/buf.h"
#include "base/json_author.h"
#include "fhir/issue.h"

enum status outcome_print(const struct issues *, struct buf *out, enum author_form) MUST_CHECK;
/* Adds resourceType and issue[] to an object that is already there. */
void        outcome_author(const struct issues *, author_value object);
/* One issue, for answers that have no findings sink. */
enum status outcome_print_one(enum severity, enum issue_code, struct span diagnostics,
                              struct span expression, struct buf *out) MUST_CHECK;
/* A refused document: rule "json", offset, line, column and the sentence. */
void        outcome_add_refusal(struct issues *, const struct tape_error *);

#endif
