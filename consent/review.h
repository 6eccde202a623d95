/* consent/review.h -- what a person has to look at, and what their finding changes.
 *
 * Rows of review.def.  Two sources:
 *
 *   review_release    one recipient's release: what was held, what is suspect (or
 *                     labelled against its sender's registration) and was denied for want of a consent, what left to be reviewed afterwards,
 *                     and a result that the last check held back
 *   review_consents   the Consents of a Bundle: what each lacks, or why it cannot be read; and those
 *                     that came as a document alone (consent_form.h)
 *
 *   W1  A finding is about one entry of the bundle that is decided; who makes the
 *       facts sees to it that the bytes are those that the person saw.
 *   W2  It answers what was asked: a record held because its content could not be
 *       inspected is inspected; a suspect one is found to be, or not to be, a Part 2 record; a hold
 *       is let go under the rule, consent and document that held it, or refused.
 *   W3  It overrides nothing.  A gate that denies, a missing consent, a restriction, a
 *       consent that excludes the record decide as they did; a record confirmed as a
 *       program's stays one.  Legal process does not reach a counseling note by it.
 *   W4  A finding for another rule, consent, document or rule of a policy pack than the
 *       one that holds now changes nothing.
 */
#ifndef SLUICE_CONSENT_REVIEW_H
#define SLUICE_CONSENT_REVIEW_H

#include "consent/release.h"

enum review_role { ROLE_PRIVACY_OFFICER = 1 << 0, ROLE_COUNSEL = 1 << 1, ROLE_RECORDS = 1 << 2 };
enum review_act  { NOTES = 0, SETTLES };

enum review_kind {
    REVIEW_NONE = 0,
#define REVIEW(name, code, number, act, roles, citation, words, release) REVIEW_##name,
#include "consent/review.def"
#undef REVIEW
    REVIEW_COUNT
};

struct review_cause {
    enum review_kind         kind;
    uint32_t                 entry;      /* ENTRY_NONE: the Bundle as a whole */
    enum rule                rule;       /* that held or let go; RULE_NONE */
    const struct consent    *consent;    /* that held it; NULL */
    const struct instrument *document;
    struct span              by;         /* the document's id, or state_rule_name of the rule of a policy pack that held it */
    tape_node                node;       /* of the consent: what is wrong, or the consent itself */
    int64_t                  since_ms;   /* of what was revoked or refused: when that was received; else 0 */
    struct span              because;    /* plain words, none of the payload but ids */
    const char              *paragraph;  /* of 2.31(a), where one is lacking: "2.31(a)(9)"; NULL */
};

struct review_causes { const struct review_cause *all; size_t count; };

enum status review_release(const struct release *, const struct facts *, struct arena *,
                           struct review_causes *out) MUST_CHECK;
/* Several causes may be of one Consent; those of one stand together. */
enum status review_consents(const struct policy *, const struct bundle *, const struct facts *, struct arena *,
                            struct review_causes *out) MUST_CHECK;

/* W2, as far as it is about what a record is.  The same labels where nothing was found. */
enum status review_relabel(const struct labeling *, const struct facts *, struct arena *,
                           const struct labeling **out) MUST_CHECK;
/* W2, as far as it is about a hold. */
struct decision review_settle(struct decision, const struct labeled *);
/* W4: what a person said of this entry, held by just these; a refusal before anything else. */
enum finding    review_found(const struct labeled *, enum rule, struct span consent, struct span document);

const char      *review_code(enum review_kind);      /* "held-content" */
enum review_kind review_of_code(struct span);        /* REVIEW_NONE */
const char      *review_number(enum review_kind);
const char      *review_citation(enum review_kind);
const char      *review_words(enum review_kind);
const char      *review_release_words(enum review_kind);
bool             review_settles(enum review_kind);
unsigned         review_roles(enum review_kind);
const char      *review_role_code(enum review_role); /* "privacy-officer" */
enum review_role review_role_of(struct span);        /* 0: none */

#endif
