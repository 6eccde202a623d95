/* consent/precedent.h -- what stands of a Consent, whatever is sent of it afterwards.
 *
 * 42 CFR 2.31(a)(6), (c)(3): no disclosure on a consent that is known to have
 * been revoked; and who sends the old form again, by night or by mistake, has
 * not taken the revocation back.  Only the patient does, with a new signature.
 *
 *   L1  A revocation that was received here (revocation.h) outlives the version that
 *       it made.  What is the same consent, and was not signed after it was received,
 *       is read as if it had been revoked again just so: whole, or in the part.
 *   L2  The same consent: of the same patient, in any spelling of the reference, or of an identity that a link names
 *       (K12, linked.h), and with the same id; or with an
 *       identifier in common; or a copy: the same dateTime in any precision or zone (a day is that day anywhere on
 *       earth), a recipient in common, the same purposes and labels, and no other discloser.
 *   L3  Signed after it: dateTime begins after the moment of receipt, and after the dateTime
 *       of the version that was revoked, should the receipt be said to be older than that.  A dateTime
 *       that was in the future when its version came is a slip, and no signature is later than it: then
 *       every other dateTime after the receipt is a new signature.  A receipt that is
 *       known by its day alone was at its end, wherever on earth.  A dateTime by
 *       day alone, of the day of the receipt, may be from before it, and is no
 *       new signature: the time of it, or a form of its own (L2), says more.
 *   L4  A part that was named by its place (provision.provision[0]) is known again where
 *       the consent has the same provisions as then; where it has not, it permits nothing.
 *   L5  What a Consent refuses in so many words (type deny, policyRule OPTOUT) goes on when the
 *       resource is deleted, and when a version without the refusal follows that was not
 *       signed after it (of a refusal without a date: after it was received here).  It
 *       ends with a version that says that it is over: inactive, entered-in-error, rejected.
 *       So a permit was never the patient's by a mere slip, and who corrects an error says so.
 *       Of several such versions the newest speaks.  A version about another patient says nothing of this one's refusal.
 *   L7  A person whose role it is may find that a revocation or a refusal was recorded in error, for another
 *       patient or another form (review.h, revived-consent): from then on what was received before the version
 *       that they saw neither revokes nor refuses what is the same consent as that. What comes later does.
 *   L6  That it stands is said to the sender whose version it was, and to the review queue.  Another
 *       sender is told nothing: what it sends is kept as ever, and that there is
 *       a revocation would tell it of a consent that is not its own.
 *
 * Nothing here but L7 widens, and that on a person's word and name: a Consent is read as it is, or as one that permits less.
 */
#ifndef SLUICE_CONSENT_PRECEDENT_H
#define SLUICE_CONSENT_PRECEDENT_H

#include "consent/facts.h"

enum { PRECEDENT_REFUSES = 1 << 0, PRECEDENT_REVOKES = 1 << 1, PRECEDENT_ENDS = 1 << 2 };

/* What stands of this version once it was taken: bits; a revocation wrote it when `revoking`. */
unsigned    precedent_of(const struct tape *, tape_node consent, bool revoking, struct arena *);
/* The consents of a decision as they are to be read; links are those of the facts and, with references, of
 * the Bundle; `all` has room for facts->precedent_count more. */
struct references;
enum status precedents_apply(const struct facts *, const struct references *, struct consent_source *all, size_t *count,
                             struct arena *) MUST_CHECK;

#endif
