/* consent/plan.h -- closure: what else must go with what is withheld.
 *
 * In: a bundle, its references, labels and a decision per entry.  Out: final
 * verdicts and a list of cuts and rewritten values, each with the rule of
 * docs/redaction-rules.md (C1..C10, P5, P6) and the entry that caused it.
 * Pure; no byte is touched.
 *
 *     plan_close      this file and plan.c: the order of the steps
 *       plan_cut      a node goes: its twin, its parent where that says nothing without it,
 *                     its resource where R4 requires it (required.def)
 *       plan_evidence what may be found of what is withheld: ids, names, phrases
 *       plan_scan     where it is found in what stays
 *       plan_orphan   what only withheld resources point at
 *       plan_bundle   Bundle.total, link, signature, high-water labels, Claim totals
 *       plan_nested   Bundles in Bundles, Parameters
 *
 * Works to a fixpoint: withholding an entry cuts references to it, a cut that
 * would break a required element takes its parent or its resource with it,
 * and a resource that goes causes cuts of its own.  Text is read once: what
 * names any entry is kept as an edge and followed when that entry goes.  Cost
 * is linear in nodes, bytes and references.  When nothing is withheld and
 * nothing can be mentioned, nothing is read at all.
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

struct plan_edit {                       /* a value that the twin has otherwise: totals, narrative rows, labels */
    tape_node   node;
    struct span json;
    const char *rule;
    uint32_t    entry;
};

struct plan_inner;
struct plan_evidence;                    /* what may not be found in the result (rule B4) */

struct plan {
    const struct bundle        *bundle;
    const struct references    *references;
    const struct decision      *decisions;    /* final, one per entry */
    const struct plan_cut      *cuts;         /* ordered by node, none inside another or inside a withheld entry */
    size_t                      cut_count;
    const struct plan_edit     *edits;        /* ordered by node */
    size_t                      edit_count;
    uint32_t                    kept;         /* entries that leave, whole or redacted */
    uint32_t                    withheld;
    const struct plan_inner    *inner;        /* documents inside, ordered by entry */
    size_t                      inner_count;
    const uint8_t              *mark;         /* private: plan_gone() */
    struct plan_evidence       *evidence;     /* private; NULL when there was nothing to look for */
};

/* "Would this entry be let go if it were such a record?": asked when an entry
 * that stays mentions protected matter.  Whoever may have the matter may have
 * the mention.  NULL: never. */
struct plan_ask {
    void        *with;
    struct decision (*as_if)(void *with, uint32_t entry, label_set, enum part2_status, const struct program *);
};

/* A Bundle inside an entry, or the resources of a Parameters, planned on their
 * own (rule C8): cuts in nodes of the outer tape. */
struct plan_inner {
    uint32_t               entry;        /* the outer entry that holds it */
    tape_node              offset;       /* outer node = inner node + offset */
    tape_node              node;         /* what goes when nothing of it is left */
    const struct plan     *plan;
    const struct labeling *labeling;     /* of its own entries */
    const struct facts    *facts;        /* that it was labelled with: their programs are in the order of the outer ones */
};

struct plan_input {
    const struct bundle     *bundle;
    const struct references *references;
    const struct labeling   *labeling;
    const struct decision   *first;      /* one per entry, of decide() */
    const struct facts      *facts;
    const struct plan_ask   *ask;        /* may be NULL */
    const struct plan_inner *inner;
    size_t                   inner_count;
};

enum status plan_close(const struct plan_input *, struct arena *, const struct plan **out) MUST_CHECK;

/* Whether the node leaves no byte: itself or something around it is cut, or
 * its entry is withheld. */
/* Whether a node leaves no bytes: it goes, or something around it does. */
bool plan_gone(const struct plan *, tape_node);
/* By itself. */
bool plan_goes(const struct plan *, tape_node);

#endif
