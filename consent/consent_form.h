/* consent/consent_form.h -- the form that somebody signed: a scan beside its Consent, or without one.
 *
 * 42 CFR 2.31(a) wants the consent in writing, "paper or electronic"; what is read here is
 * the Consent, FHIR R4's index of the form.
 *
 *   F1  A form is a DocumentReference, DiagnosticReport, Media or Composition whose type,
 *       category or code is LOINC 59284-0 (Consent Document) or v3-ActCode 42CFRPart2CD.
 *   F2  A form that no Consent names, and that names none, permits nothing and refuses
 *       nothing: nobody reads a picture here.  What a patient may have refused
 *       in it is known to nobody, so it waits for a person, and its sender is told.  One that is
 *       superseded or entered in error waits for nobody.
 *   F3  Attachment.hash is the SHA-1 of the data, in base64 (R4 datatypes.html#Attachment).
 *       Where data and hash of a Consent's form (sourceAttachment, or the DocumentReference of its
 *       Bundle that sourceReference names) are both there and disagree, what is there is not
 *       what was signed: the consent is deficient (2.31(c)(2)), and still denies.  So it is where there was no room
 *       for the Bundle (gateway/store/store.h, store_home): it may have said so.
 *   F4  A hash is asked of nobody, and one whose data is elsewhere (Attachment.url) is not compared. Neither is a
 *       document that sourceReference names and its Bundle does not hold: a form may well be kept where it was signed.
 */
#ifndef SLUICE_CONSENT_CONSENT_FORM_H
#define SLUICE_CONSENT_CONSENT_FORM_H

#include "consent/provision.h"

/* F3: why the form beside a consent is not the one that was signed; NULL: nothing is known against it. */
const char *consent_form_deficiency(const struct consent *, struct arena *);
/* F1: a Bundle holds a form, read by a machine or not. */
bool        consent_form_any(const struct bundle *, struct arena *);
/* F1 and F2: which entries are a consent that is there as a scan alone; the first ones of a Bundle, at most
 * `most`.  Linear in entries and consents; of a form that names more Consents than anybody reads it is not
 * looked up that they are there, and it waits. */
enum status consent_forms_alone(const struct bundle *, const struct policy *, struct arena *, uint32_t *out, size_t most,
                                size_t *count) MUST_CHECK;

#endif
