/* gateway/terminology/question.h -- a question as an HTTP request, and its answer read.
 *
 *     GET [base]/ValueSet/$validate-code?url=…&valueSetVersion=…&system=…&systemVersion=…&code=…
 *     200 {"resourceType":"Parameters","parameter":[{"name":"result","valueBoolean":true}, …]}
 *
 * R4 valueset-operation-validate-code.html.  Nothing but these five parameters is
 * sent.  Of the answer `result` counts, and everything that is not one clear
 * `result` is no answer: another status, a redirect, an OperationOutcome, what
 * the tape refuses, what is longer than QUESTION_ANSWER_MAX, `result` twice.
 *
 * Some servers say false because they do not know the code system, which R4
 * leaves them to do.  That is not "wrong".  They tell in the parameter `issues`,
 * an OperationOutcome (R5), or in one whose name ends in unknown-system (HL7's own
 * server); false counts only when no error in there has another code than
 * code-invalid, business-rule or invalid.  A server that says false and no more is
 * taken at its word (docs/terminology.md).
 *
 * Pure; the answer is untrusted.
 */
#ifndef SLUICE_GATEWAY_TERMINOLOGY_QUESTION_H
#define SLUICE_GATEWAY_TERMINOLOGY_QUESTION_H

#include "base/buf.h"
#include "gateway/terminology/answers.h"

#define QUESTION_PATH_MAX   ((size_t)8192)
#define QUESTION_ANSWER_MAX ((size_t)64 << 10)

/* What is appended to the base URL, from "/ValueSet" on; `base` says whether it ends
 * in a slash. */
enum status question_path(const struct term_question *, struct span base, struct buf *out) MUST_CHECK;
/* ANSWER_RIGHT, ANSWER_WRONG or ANSWER_NONE.  The arena is scratch. */
enum answer question_answer(int http_status, struct span body, struct arena *);

#endif
