/* consent/plan.h -- closure: what else must go with what is withheld.
 *
 * In: a bundle, its references, labels and a decision per entry.  Out: final
 * verdicts and a list of cuts, each with the rule of docs/redaction-rules.md
 * (C1..C10, P5, P6) and the entry that caused it.  Pure; no byte is touched.
 *
 * Works to a fixpoint: withholding an entry cuts references to it, a cut that
 * would break a required element takes its parent or its resource with it,
 * and a resource that goes causes cuts of its own.  Every round withholds at
 * least one entry or cuts one node more, so it ends; cost is linear in nodes
 * and references per round, rounds are bounded by the longest chain.
 */
#ifndef SLUICE_CONSENT_PLAN_H
#define SLUICE_CONSENT_PLAN_H

#include "consent/decision.h"

struct plan_cut {
    tape_node   node;
    const char *rule;                    /* "C2", "C5", "P5" … */
    uint32_t    entry;                   /* where it is; ENTRY_NONE: the Bundle itself */
    uint32_t    cause;                   /* withheld entry that caused it; ENTRY_NONE */
    struct span because;
};

struct plan {
    const struct bundle   *bundle;
    const struct decision *decisions;    /* final, one per entry */
    const struct plan_cut *cuts;         /* ordered by node */
    size_t                 cut_count;
    uint32_t               kept;         /* entries that leave, whole or redacted */
    uint32_t               withheld;
    bool                   total_changed;/* Bundle.total has to be written anew */
    uint64_t               total;        /* … as this */
};

enum status plan_close(const struct bundle *, const struct references *, const struct labeling *,
                       const struct decision *first, const struct facts *, struct arena *,
                       const struct plan **out) MUST_CHECK;

#endif
