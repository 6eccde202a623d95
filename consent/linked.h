/* consent/linked.h -- the other identities of a patient: what a link carries over, and what it does not (rule K12).
 *
 * R4 Patient.link says that two Patients are the same person: replaced-by,
 * replaces, refer and seealso alike, for the narrowing that is done here.
 * Whether they are is what an index believes, and it is wrong at times.  So a
 * link can only narrow:
 *
 *   K12  Refusals, revocations and restrictions of one identity are heard under
 *        the others; a permit, an emergency, a document or a relationship never
 *        is (42 CFR 2.31(a)(1): a consent is of the patient that it names).
 *
 *   1  In either direction, and transitively.  A link to a RelatedPerson is none:
 *      whose relative it is is somebody else.  Patients of one Person (R4
 *      Person.link) are linked, whatever the assurance.  A link of an unknown
 *      or no type counts.
 *   2  Links are those of the Patients and Persons of the Bundle, and those of
 *      the facts (`links`, in the gateway what is stored).  One that the facts
 *      say was taken back is none, in the Bundle as well: a Bundle that waited
 *      may be older than what took it back.
 *   3  A refusal crosses as the other identity stands: not when a permit of that
 *      same identity overturns it, and never the rest that a limited permit
 *      leaves (K5), which is no refusal.  Then it is a refusal like any other:
 *      a newer permit of the patient's own that beats it (K3, K4) beats it here.
 *   4  More than LINKED_MOST identities of one patient, or names that cannot
 *      be told apart in reasonable time, are not followed: then it is not known
 *      who refused, and what rests on a consent, on HIPAA or on the site's default
 *      does not leave (RULE_LINKS).
 *
 * Cost: nothing where there is no link; n log n in links; one search among the
 * linked a question.
 */
#ifndef SLUICE_CONSENT_LINKED_H
#define SLUICE_CONSENT_LINKED_H

#include "consent/subject.h"

#define LINKED_MOST   64u                /* identities of one patient */
#define LINKED_NOBODY UINT32_MAX

/* Puts the links into `whose`; whose->linked stays NULL where there are none. */
enum status linked_read(struct whose *) MUST_CHECK;
/* A number for all identities of one person; LINKED_NOBODY: no link names this one. */
uint32_t    linked_group(const struct whose *, const struct subject *);
/* The same for all spellings of one identity, and for no other; LINKED_NOBODY. */
uint32_t    linked_identity(const struct whose *, const struct subject *);
/* Rule 4. */
bool        linked_too_many(const struct whose *, const struct subject *);

#endif
