/* fhir/structural.h -- which findings nobody may waive.
 *
 * A site may take what breaks a profile (route { validation }).  It may not
 * take what the rest of this program reads by: labels, consents, patients and
 * the closure of a redaction are found by names, types, codes, ids and
 * references.  Where one of these is not what the definition says, two readers
 * could find different things in the same bytes, and what we did not find we
 * would not withhold (docs/decisions/0023-what-a-route-may-waive.md).
 *
 * So the list says what may be waived, and everything else is structural: a
 * rule that somebody adds is structural until somebody has thought about it.
 *
 *   waivable    invariants, but for the families below: they restrict what is
 *               readable (con-3, us-core-2), and change nothing of how it is read
 *               what profiles, bindings and questionnaires ask: the rules of the
 *               table in structural.c
 *   structural  all others; of the invariants ele, ext, dom, bdl, ref, txt, per:
 *               what an element, an extension, a contained resource, a Bundle, a
 *               reference, a narrative and a period are
 */
#ifndef SLUICE_FHIR_STRUCTURAL_H
#define SLUICE_FHIR_STRUCTURAL_H

#include "fhir/issue.h"

bool issue_structural(const struct issue *);

#endif
