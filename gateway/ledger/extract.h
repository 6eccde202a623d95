/* gateway/ledger/extract.h -- what a record of several patients tells one of them.
 *
 * A release has one record, also when it is about several patients.  What one
 * of them gets to see of it (42 CFR 2.25, 45 CFR 164.528) must be complete for
 * that patient and must not tell about the others: not who they are, what of
 * theirs left, how much, or under which consent.
 *
 *   the record's own        eventId, kind, times, discloser, recipient, purpose,
 *                           requestId, idempotencyKey, payloadSha256, versions …
 *   of patients[X] instead  patientId, patientNameAtTime, basis, bases,
 *                           briefDescription, decision, consent, notice, documents, emergency, inPart2Accounting
 *   itemsReleased           X's only; itemsNotListed counts X's only
 *   left out                patients, payloadBytes, what is nobody's (an Organization may
 *                           be there for another), an emergency that is not X's
 *
 * The result is a JSON object with the members of a record, but not the bytes
 * that `hash` was made of.
 */
#ifndef SLUICE_GATEWAY_LEDGER_EXTRACT_H
#define SLUICE_GATEWAY_LEDGER_EXTRACT_H

#include "base/json_tape.h"

/* `record` is the tape of a whole record.  ST_OK: *out is what the patient
 * is told, the record's own bytes when it is about nobody else; texts live in
 * the arena or in the record.  ST_NOT_FOUND: the record is not about this
 * patient. */
enum status record_extract(const struct tape *record, struct span patient, struct arena *,
                           struct span *out) MUST_CHECK;

#endif
