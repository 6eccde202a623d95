/* consent/plan_nested.h -- a document and the documents inside it, planned together (C8).
 *
 * A Bundle that is an entry's resource, and each resource of a Parameters, is
 * labelled and decided on its own, so that it keeps what it may keep; what is
 * cut inside becomes cuts of the outer document.  Nodes of a subtree have the
 * same order on a tape of their own: outer node = inner node + offset.
 * At most PLAN_MAX_INNER deep; what is nested deeper stands or falls whole.
 *
 * N1  A container of which labelling says nothing but what stands inside is no record itself.  It is decided as
 *     if it said nothing, or only what a value beside the documents says, and goes with whatever inside goes.
 * N2  It leaves by the bases, and with the notices, of the parts that leave (42 CFR 2.32), and with no others: it
 *     would tell of those that do not.  Where it may not leave as if it said nothing, it stands or falls whole.
 */
#ifndef SLUICE_CONSENT_PLAN_NESTED_H
#define SLUICE_CONSENT_PLAN_NESTED_H

#include "consent/plan.h"

#define PLAN_MAX_INNER 4

/* labels, decisions, inner plans, closure. */
enum status plan_document(const struct bundle *, const struct references *, const struct labeling *,
                          const struct policy *, const struct facts *, struct arena *,
                          const struct plan **out) MUST_CHECK;

#endif
