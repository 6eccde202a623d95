/* consent/plan_scan.h -- where withheld matter is found in what stays; private to plan_*.c and redact.c.
 *
 * Every string of what stays is read once, in all its readings (plan_text.h),
 * attachments decoded.  What is found is judged by where it stands: the same
 * words are a mention in a note, the resource's own statement in its main
 * concept, and no text at all in a `code` or a `system`.
 */
#ifndef SLUICE_CONSENT_PLAN_SCAN_H
#define SLUICE_CONSENT_PLAN_SCAN_H

#include "consent/plan_evidence.h"

/* All strings but narratives: cuts, and edges for what may still go. */
void scan_strings(struct closure *, struct plan_evidence *);
/* Narratives, when it is known what their resource lost: rows are cut where
 * the markup has rows, else the narrative. */
void scan_narratives(struct closure *, struct plan_evidence *);

/* Texts that name more entries than are kept as edges: read again, now that
 * more is withheld. */
void scan_crowded(struct closure *, struct plan_evidence *);

/* Whether this text, at this node of what stays, is a mention.  *why says of
 * what.  `edges`: whether names of entries that still stay are kept. */
bool scan_mentions(struct closure *, struct plan_evidence *, tape_node leaf, struct span text, bool edges,
                   struct why *why);

/* Rule B4: whether a string of the result, in any reading, holds an id,
 * identifier or mark of what is withheld, or the name of a closed program.
 * *where becomes its FHIRPath. */
bool scan_leaks(const struct plan *, const struct bundle *result, struct arena *, struct span *where);

/* The same at a glance, from the input: `now` says of each of its nodes where the same bytes
 * are in the result, `edited` where the plan's edits are.  What scan_strings() read and found
 * clean is not read again; everything else is.  False: there may be something, and scan_leaks()
 * has to tell. */
bool scan_finds_nothing(const struct plan *, const struct tape *result, const tape_node *now, const tape_node *edited,
                        struct arena *);

/* plan_narrative.c: cuts rows out of the div; false when it has to go whole. */
bool narrative_cut_rows(struct closure *, struct plan_evidence *, tape_node div);

#endif
