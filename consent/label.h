/* consent/label.h -- security labels as a set of bits.
 *
 * The labels that Sluice knows are rows of labels.def: sensitivity and law
 * (HL7 v3-ActCode), confidentiality (v3-Confidentiality), handling
 * (refrain, obligation).  A label from elsewhere ("PERSONALITY" of a local
 * code system) is kept as a coding beside the set and matches by system and
 * code only.
 *
 *   L1  A label matches itself and its descendants: SUD covers ETHUD and
 *       OPIOIDUD; BH and SPI cover SUD.  v3-ActCode keeps ETH and SUD apart although both
 *       say substance use; a rule on one is read as a rule on both, so ETH
 *       covers SUD, ETHUD and OPIOIDUD (reference: v3-ActCode 11.0.0).
 *   L2  Confidentiality is ordered U < L < M < N < R < V: a deny of R covers V;
 *       a permit of N covers N and below.
 *   L3  The system of a label may be written as the code system, as its
 *       ValueSet URL, or as OID or URN, or be missing; all are the same.  Codes
 *       that HL7 retired or moved are read as what they meant: ETH, HIV, PSY, SDV
 *       of v3-Confidentiality, NORDSLCD for NORDSCLCD, v3-ActUSPrivacyLaw.
 *       42CFRPart2 is read in every system: no other code looks like it.
 *   L4  A set holds the most specific labels that are known.  What is printed
 *       adds SUD to ETHUD and OPIOIDUD, for readers who know only that one.
 */
#ifndef SLUICE_CONSENT_LABEL_H
#define SLUICE_CONSENT_LABEL_H

#include "base/arena.h"
#include "base/span.h"

enum label {
    LABEL_NONE = 0,
#define LABEL(name, system, code, parent, kind, display) LABEL_##name,
#include "consent/labels.def"
#undef LABEL
    LABEL_COUNT
};

typedef uint64_t label_set;              /* bit n is label n; labels.def has fewer than 64 rows */

enum label_kind { LABEL_KIND_NONE = 0, LABEL_SENSITIVITY, LABEL_LAW, LABEL_CONFIDENTIALITY, LABEL_HANDLING };

struct coding { struct span system, code; };         /* as text, unescaped */

#define LABEL_BIT(label) ((label_set)1 << (label))

label_set       label_add(label_set, enum label);
bool            labels_have(label_set, enum label);
bool            labels_meet(label_set, label_set);
/* LABEL_NONE when this is not a label of labels.def; L3. */
enum label      label_of_coding(struct span system, struct span code);
const char     *label_code(enum label);              /* "42CFRPart2" */
const char     *label_system(enum label);
const char     *label_display(enum label);
enum label_kind label_kind(enum label);
/* The label and all its descendants, L1. */
label_set       label_closure(enum label);
/* ETH, SUD and what is under it: the labels that tell of substance use. */
label_set       labels_substance_use(void);
/* The sensitivity labels of a set: what a permit has to cover.  A label whose
 * descendant is in the set too is left out: the descendant says it. */
label_set       labels_sensitive(label_set);
/* U=1 … V=6, 0 when the set has no confidentiality; the highest counts. */
int             labels_confidentiality(label_set);
/* "SUD", "R" … in the order of labels.def, into out[max]; returns how many
 * there are; L4. */
size_t          labels_codes(label_set, const char **out, size_t max);

#endif
