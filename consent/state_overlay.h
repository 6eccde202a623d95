/* consent/state_overlay.h -- step 11 of the order of evaluation: what a state's law takes back.
 *
 * final = min(Part 2, HIPAA, state): a decision of the steps before is looked at
 * once more by the packs that the facts hold (state_pack.h S1 to S6), and becomes
 * narrower or stays as it is.  Where no rule matches it stays byte for byte.
 *
 *   deny      withheld, silently
 *   hold      a person has to look
 *   consent   withheld unless a consent that permits this very record, and that
 *             nothing takes back (weigh.h), is as the rule asks: of a kind, signed
 *             not longer ago than so many days, naming the data
 *   duration  the same, of what leaves by a consent; other bases are not touched
 *   notice    leaves, and the pack's notice goes along
 *
 * A hold is settled for one rule of one version of a pack (review.h W4): what a
 * person let go by one, another still holds, and it leaves by the basis that it had.
 *
 * A rule without label, type and code speaks of whatever is somebody's record,
 * not of directory resources.  Where somebody lives is the jurisdiction of the
 * facts, else the state of an address of the Patient in the Bundle that is not
 * old.
 */
#ifndef SLUICE_CONSENT_STATE_OVERLAY_H
#define SLUICE_CONSENT_STATE_OVERLAY_H

#include "consent/basis.h"
#include "consent/state_pack.h"

struct state_notice {                    /* goes along with the record */
    const struct state_rule   *rule;
    const struct state_notice *next;
};

struct decision state_narrow(struct weigher *, const struct asking *, struct record *, struct decision);
/* "us-mn 3, by-name": which rule of which version of which pack. */
struct span     state_rule_name(const struct state_rule *, struct arena *);
/* The next moment at which a pack, the age of a consent or of a patient may change a decision. */
int64_t         state_valid_until(const struct facts *, const struct policy *);

#endif
