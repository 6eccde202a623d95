/* consent/emission.h -- security labels on what leaves (HL7 Data Segmentation for Privacy 1.0.0).
 *
 *   M1  A recipient's setting: `keep`, the default: labels stay as they came, and what is
 *       let go leaves byte for byte.  `none`: no meta.security leaves.  `emit`: what a
 *       resource is released as is added to its meta.security.
 *   M2  Said of a resource is what it tells the reader by itself.  42CFRPart2 when it
 *       leaves under Part 2, with the notice of 2.32; a sensitivity when something in it
 *       tells of it (a code, a text, an attachment, a label it came with): what leaves is
 *       labelled once more, as it leaves.  Never because of what was cut out of it or sent
 *       beside it.  What says neither is not touched.  A program's Organization or role relates to no
 *       patient and is no record (42 CFR 2.11): 42CFRPart2 is not said of it.
 *   M3  Confidentiality R with these, V for counseling and psychotherapy notes; one that came
 *       lower is raised.  NORDSCLCD with 42CFRPart2, not to covered entities and business
 *       associates: what they hold for treatment, payment or operations goes on as HIPAA
 *       permits (42 CFR 2.33(b)(1)).
 *   M4  A label that is there is not said twice, retired spellings among them (label.h L3).
 *   M5  Bundle.meta.security is the high-water mark of what the entries say: law, sensitivity
 *       and the highest confidentiality; no refrain and no obligation, which the guide does
 *       not allow there.
 *   M6  REDACTED, MASKED, SUBSETTED and their kin are never said, nor anything about what
 *       stays behind (42 CFR 2.13(c)(2)): the labels are a function of what leaves.
 *   M7  The confidentiality and NORDSCLCD name their basis (extension-sec-label-basis), each
 *       label its classifier (extension-sec-label-classifier).
 *
 * Added by splices: what is not a label stays as it came.
 */
#ifndef SLUICE_CONSENT_EMISSION_H
#define SLUICE_CONSENT_EMISSION_H

#include "base/json_splice.h"
#include "consent/plan.h"

#define EMISSION_BASIS_URL      "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-basis"
#define EMISSION_CLASSIFIER_URL "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-classifier"

/* Whether anything of it is to be changed. */
bool        emission_edits(const struct facts *);
/* Edits for all entries that stay; `payload` is what leaves without them.  *root: what the Bundle's own meta.security (of a
 * document that is one resource: its own) gets, as JSON items with commas between;
 * empty: nothing.  obligation_attach_labels() writes it. */
enum status emission_add(struct splices *, const struct plan *, const struct labeling *, struct span payload,
                         const struct facts *, struct arena *, struct span *root) MUST_CHECK;

#endif
