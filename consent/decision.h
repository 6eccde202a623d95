/* consent/decision.h -- may this reader see this resource, and why.
 *
 * Pure: everything that can change the answer is an argument, so the same
 * facts give the same answer in the gateway, in the offline tool and in a
 * court exhibit.
 *
 * Order of evaluation (docs/consent-rules.md; 42 CFR Part 2 as amended 2024).
 * The rules with their steps are rows of rules.def; bases beside a consent are
 * in basis.h.
 *   2   not Part 2              HIPAA, consents and the site's default (P8)
 *   3   proceedings gate        2.12(d)(1): orders with a mandate, consents for proceedings, reports
 *                               that the law asks for; else deny silently
 *   4   counseling-note gate    2.31(b): a consent for notes alone and a few exceptions
 *   5   no disclosure           within the program, service organizations, the patient
 *   6   restriction gate        2.26: what was agreed to outranks a consent, not an emergency
 *   8   consent                 R-01 single TPO, 2.33(a)(2); R-02 specific, 2.33(a)(1); kinds (consent_kind.h)
 *   9   without consent         emergency, research, audit, public health, the deceased
 *   10  redisclosure            what a received copy may do, by the capacity it is held in
 *   11  state overlay           policy packs of the site (state_overlay.h); they can only narrow, 2.20
 *   14  nothing matched         deny silently, 2.13(a)
 *
 * Inside steps 8 and 2 consents combine by the rules K1 to K12 and P7 of
 * consent/weigh.h.
 *
 * C7  What could not be inspected is held, unless a permit covers it that
 *     would cover any content, or the sender is known not to be a program.
 */
#ifndef SLUICE_CONSENT_DECISION_H
#define SLUICE_CONSENT_DECISION_H

#include "consent/labeling.h"
#include "consent/limit.h"
#include "consent/policy.h"

enum verdict {
    VERDICT_DENY = 0,                    /* zeroed memory denies; silently: as if there were nothing */
    VERDICT_DENY_STAFF,                  /* the same outside; inside the holder it is said what is missing */
    VERDICT_HOLD,                        /* cannot be decided here: a person has to look */
    VERDICT_REDACT,                      /* visible, minus what the plan cuts */
    VERDICT_PERMIT,
};

/* RULE(name, "R-01", step, "42 CFR 2.33(a)(2)", "plain words", …): rows of rules.def. */
enum rule {
    RULE_NONE = 0,
#define RULE(name, number, step, citation, words, example, scenarios) RULE_##name,
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
    OBLIGE_NO_REUSE      = 1 << 6,       /* 2.26(a)(4): ask not to use it further       */
    OBLIGE_INTERMEDIARY  = 1 << 7,       /* 2.24: goes on the intermediary's list       */
    OBLIGE_STATE_NOTICE  = 1 << 8,       /* a policy pack's notice goes along           */
};

struct state_rule;
struct state_notice;

struct decision {
    enum verdict            verdict;
    enum rule               rule;
    uint32_t                obligations;
    const struct consent   *consent;     /* NULL: no consent decided it */
    const struct consent *const *also;   /* the others that it takes: of other programs, of other patients */
    size_t                  also_count;
    const struct provision *provision;   /* NULL: its base decision by policyRule */
    const struct instrument *document;   /* NULL: it rests on no document on file */
    const struct emergency  *emergency;  /* NULL: on none that is on file */
    const struct restriction *restriction; /* NULL: no restriction stopped it */
    enum limit              limit;       /* of what leaves, where not all of it does */
    struct span             because;     /* one plain sentence */
    const struct state_rule   *state;    /* NULL: no policy pack decided it */
    const struct state_notice *notices;  /* of policy packs, to go along (state_overlay.h) */
    const struct labeled      *as;       /* the labels that it goes with, where those of the Bundle are not it (shared_drug.h) */
};

/* One thing leaves for both reasons: the obligations of both, and the other's consents besides.  False: no memory. */
bool decision_join(struct decision *, const struct decision *other, struct arena *);


/* What does not depend on the record is looked up once for any number of questions, also such
 * that suppose other labels.  NULL: out of memory, and nothing may leave.  Lives in the arena;
 * what it is asked of the same references. */
struct bench;
struct bench   *bench_new(const struct policy *, const struct facts *, const struct references *, struct arena *);
struct decision bench_decide(struct bench *, const struct labeling *, uint32_t entry);
/* What would be decided about an entry that bench_decide() was asked about before, without words: all that was
 * written in the arena may be taken back, but for the list of also[]. */
struct decision bench_suppose(struct bench *, const struct labeling *, uint32_t entry);

/* One entry.  For a whole bundle decide_all() looks everything up once. */
struct decision decide(const struct policy *, const struct facts *, const struct references *,
                       const struct labeling *, uint32_t entry, struct arena *);
/* One decision per entry.  ST_NO_MEMORY: then nothing may leave. */
enum status decide_all(const struct policy *, const struct facts *, const struct references *,
                       const struct labeling *, struct arena *, const struct decision **out) MUST_CHECK;

/* What on file it rests on, or was stopped by: the id of the document, the emergency or the
 * restriction; empty: nothing.  `filed` may be NULL. */
struct span decision_paper(const struct decision *, struct filed *filed);

const char *rule_number(enum rule);      /* "R-01" */
const char *rule_citation(enum rule);    /* "42 CFR 2.33(a)(2)" */
const char *rule_words(enum rule);
bool        rule_is_basis(enum rule);    /* a basis by which a Part 2 record leaves */
unsigned    rule_step(enum rule);        /* of the order of evaluation */
const char *verdict_text(enum verdict);  /* "deny", "hold", "redact", "permit" */

#endif
