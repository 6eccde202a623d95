/* fhir/snapshot_generate.h -- a differential put on the tree of its base;
 * private to fhir/snapshot.c.
 */
#ifndef SLUICE_FHIR_SNAPSHOT_GENERATE_H
#define SLUICE_FHIR_SNAPSHOT_GENERATE_H

#include "fhir/snapshot_tree.h"

/* The tree of a canonical URL, made once; NULL with `*known` false when nobody
 * has it, NULL with `*known` true when it is broken (a finding says why). */
const struct part *snapshot_tree(struct compiler *, struct span canonical, bool *known);

/* `tree` is a copy of the base's; `grows` for a definition that adds elements
 * (derivation specialization).  False after compile_broken(). */
bool differential_apply(struct tree *, const struct tape *, tape_node elements, bool grows);

#endif
