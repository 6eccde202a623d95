/* gateway/ledger/audit_event.h -- a disclosure, a denial or a reading of the log as a FHIR AuditEvent.
 *
 * IHE Basic Audit Log Patterns (BALP), profile AUDIT_EVENT_PROFILE: what a source of a disclosure records
 * (https://profiles.ihe.net/ITI/BALP, Privacy Disclosure at Source).  Made from the record when it is asked for: what
 * is kept, hashed and proved is the record.  One AuditEvent a standing release; a void has none, and whoever asks leaves
 * out what a void took back.
 *
 *   id                 the record's eventId
 *   type, subtype      DCM 110106 Export; iso-21089-lifecycle disclose, and transaction (a push) or read
 *   action, outcome    R; 0: what was taken back did not happen
 *   recorded           tRelease
 *   purposeOfEvent     purpose, v3-ActReason; its text is purposeStatement
 *   agent source       DCM 110153, this gateway: its log's origin; also source.observer, as the profile wants
 *   agent recipient    DCM 110152: reference, identifiers, name (also agent.name, which is searched by); network: its endpoint, or else the name that its
 *                      certificate gave, which is what the registration's title stands for
 *   agent custodian    SCT 159541003: discloser.name, the legal entity that held the records
 *   agent authorizer   SCT 429577009: the patient, where a consent is the basis (42 CFR 2.31, 2.33)
 *   entity patient     type 1, role 1; exactly one, as the profile wants: patientId.  Further ones of a release about
 *                      several are of type resource-types Patient, role 1.  A release about nobody (an Organization alone)
 *                      has none, and so does not name the profile, which wants one.  Who is known by an identifier
 *                      alone is named by it
 *   entity data        an item of itemsReleased each: type resource-types, role 4 Domain Resource
 *   entity consent     resource-types Consent: consentId of each patient and otherConsents, the version in its reference where it is known
 *   entity release     type 4 Other, role 20 Job: idempotencyKey, payload's SHA-256 and size, rule with citation;
 *                      of an emergency what 42 CFR 2.51(c) wants written down
 *   entity request     X-Request-Id (BALP BasicAuditEntityType)
 *
 * A record of kind reading is what BALP calls a Read or a Query, with the patient who was named PatientRead or PatientQuery:
 *
 *   type, subtype      audit-event-type rest; the interaction: read, search-type, operation
 *   action, outcome    R of a read, else E; 0
 *   agent client       who asked: of a query the source of its parameters, DCM 110153, of a read the destination of what is
 *                      read, 110152; this gateway is the other one
 *   entity query       type 2, role 24 Query: the request as it came, in base64
 *   entity data        of a read: type 2, role 4: the AuditEvent, or nothing where there was none and so no profile
 *   entity patient     as above
 *
 * A record of kind denial is a decision of who authorizes (BALP Authorization Decision; it does not name that profile, which wants
 * a user and a consent that not every denial has):
 *
 *   type, subtype      DCM 110113 Security Alert; AuthZ-Consent
 *   action, outcome    E; 8, with the first reason in outcomeDesc
 *   agent client       DCM 110150: who did not get it; agent authorizer: this gateway
 *   entity patient     as above; entity consent: where one is named; entity job: how much was withheld, and each reason
 *
 * It says nothing that the record does not say, and the record of a release does not say what was withheld.
 */
#ifndef SLUICE_GATEWAY_LEDGER_AUDIT_EVENT_H
#define SLUICE_GATEWAY_LEDGER_AUDIT_EVENT_H

#include "base/buf.h"
#include "base/json_tape.h"

#define AUDIT_EVENT_PROFILES "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
#define AUDIT_EVENT_PROFILE  AUDIT_EVENT_PROFILES "PrivacyDisclosure.Source"

struct audit_source {                    /* this gateway */
    struct span origin;                  /* of the log of disclosures: its name for good */
    struct span address;                 /* where it listens: an IP address or a name */
};

/* Whether records of this kind are AuditEvents. */
bool audit_event_is(struct span kind);
/* `record` is the tape of a whole record of such a kind.  Appends one compact JSON object.  ST_INTEGRITY: a member
 * that every such record has is not there.  ST_NO_MEMORY. */
enum status audit_event_author(const struct tape *record, const struct audit_source *, struct arena *,
                               struct buf *out) MUST_CHECK;

#endif
