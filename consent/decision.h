/* consent/decision.h -- may this reader see this resource, and why.
 *
 * Pure: everything that can change the answer is an argument, so the same
 * facts give the same answer in the gateway, in the offline tool and in a
 * court exhibit.
 *
 * Order of evaluation (docs/consent-rules.md; 42 CFR Part 2 as amended 2024).
 * The numbers are those of the order in docs/consent-rules.md 1:
 *   3   proceedings gate        2.12(d)(1): any legal context -> deny silently
 *   4   counseling-note gate    2.31(b): a TPO consent never reaches them; nor does
 *                               an emergency (2.51 is no exception of 2.31(b))
 *   8   consent                 R-01 single TPO, 2.33(a)(2); R-02 specific, 2.33(a)(1)
 *   9   R-13 medical emergency  2.51
 *   2   not Part 2              HIPAA, consents and the site's default (P8)
 *   14  nothing matched         deny silently, 2.13(a)
 *
 * Inside steps 8 and 2 consents combine by these rules:
 *   K1  Only consents that count (policy.h V1) and are of the record's own
 *       patient.  A record without a patient of its own (a Medication) is
 *       judged for the patients of the records that refer to it, and all of
 *       them must permit; a directory resource that is neither labelled nor
 *       Part 2 is nobody's.
 *   K2  Inside one consent the deepest matching provision decides on its
 *       branch, and any of them beats the base decision.  Between branches a
 *       permit wins only when it refines the deny: it states all that the deny
 *       states, and more or a narrower recipient.  A deny of somebody who does
 *       not resolve does not speak against a recipient whom the same consent
 *       names.
 *   K3  Between consents: explicit beats base.  A rule that names the
 *       individual beats one that names the organization beats one that names
 *       nobody.  A deny of certain data (label, class, code, period, instance)
 *       yields only to a newer permit of at least its rank that names the
 *       recipient or data of the same kind.
 *   K4  Otherwise the newer one wins; on a tie, or without a date, deny.
 *   K5  A root permit that is limited to some data says no to the rest, as a
 *       base decision.  Naming the same recipient again, later and narrower,
 *       takes back an older permit without limits (CV-22).
 *   K6  Indeterminate (match.h M1): a deny matches, a permit does not.
 *   K7  Nothing matched: deny for Part 2 records, the site's default for others.
 * A permit that stands must beat every deny.  So the order of consents never
 * matters, one more deny never widens, and one more permit never narrows.
 *
 * P7  A consent releases records of the programs that it speaks for
 *     (Consent.organization, custodian actor), never another program's (42 CFR
 *     2.31(a)(2)).  A record of several programs needs each of them released,
 *     by one consent or by several.  When the record's program is not known,
 *     the consent has to name the sender, or, where the sender is known to be
 *     no program or is not known at all, every registered program; where
 *     nothing is known of either, whom it names is believed.  Switch:
 *     site_policy.any_discloser (decision 0019).
 * C7  What could not be inspected is held, unless a permit covers it that
 *     would cover any content, or the sender is known not to be a program.
 */
#ifndef SLUICE_CONSENT_DECISION_H
#define SLUICE_CONSENT_DECISION_H

#include "consent/labeling.h"
#include "consent/policy.h"

enum verdict {
    VERDICT_DENY = 0,                    /* zeroed memory denies */
    VERDICT_HOLD,                        /* cannot be decided here: a person has to look */
    VERDICT_REDACT,                      /* visible, minus what the plan cuts */
    VERDICT_PERMIT,
};

/* RULE(name, "R-01", "42 CFR 2.33(a)(2)", "plain words") rows of rules.def. */
enum rule {
    RULE_NONE = 0,
#define RULE(name, number, citation, words) RULE_##name,
#include "consent/rules.def"
#undef RULE
    RULE_COUNT
};

enum obligation {                        /* bits; texts in consent/obligation.h */
    OBLIGE_NOTICE        = 1 << 0,       /* 2.32(a): notice accompanies the disclosure  */
    OBLIGE_CONSENT_COPY  = 1 << 1,       /* 2.32(b): copy or clear explanation          */
    OBLIGE_ACCOUNTING    = 1 << 2,       /* 2.25                                        */
    OBLIGE_AUDIT         = 1 << 3,
    OBLIGE_EMERGENCY     = 1 << 4,       /* 2.51(c): document the emergency             */
    OBLIGE_REVIEW        = 1 << 5,       /* someone looks afterwards                    */
};

struct decision {
    enum verdict            verdict;
    enum rule               rule;
    uint32_t                obligations;
    const struct consent   *consent;     /* NULL: no consent decided it */
    const struct provision *provision;   /* NULL: its base decision by policyRule */
    struct span             because;     /* one plain sentence */
};

/* One entry.  For a whole bundle decide_all() looks everything up once. */
struct decision decide(const struct policy *, const struct facts *, const struct references *,
                       const struct labeling *, uint32_t entry, struct arena *);
/* One decision per entry.  ST_NO_MEMORY: then nothing may leave. */
enum status decide_all(const struct policy *, const struct facts *, const struct references *,
                       const struct labeling *, struct arena *, const struct decision **out) MUST_CHECK;

const char *rule_number(enum rule);      /* "R-01" */
const char *rule_citation(enum rule);    /* "42 CFR 2.33(a)(2)" */
const char *rule_words(enum rule);
const char *verdict_text(enum verdict);  /* "deny", "hold", "redact", "permit" */

#endif
