/* consent/obligation.h -- what a permit obliges to, and the words that go along.
 *
 * 42 CFR 2.32(a): each disclosure made with consent carries one of two
 * notices, word for word; 2.32(b): and a copy of the consent or a clear
 * explanation of its scope.  The notice goes only where Part 2 content goes
 * (not to a recipient whose copy holds none: promise 2).
 *
 * Carried inside the payload, so that it is still there once stored: in the
 * Bundle's meta (never in a resource: those stay byte for byte), each as an
 * extension of HL7 Data Segmentation for Privacy
 *
 *     { "url": "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-display",
 *       "valueAnnotation": { "text": "This record which has been disclosed to you …" } }
 *
 * which says of its text that it shall be displayed.  A document that is one
 * resource and no Bundle carries it in its own meta: there is no other place.
 * See docs/decisions/0008-notice-in-the-bundle.md.
 *
 * Sources: 42 CFR 2.32 as amended at 89 FR 12472 (16 Feb 2024).  The wordings
 * of before 2024 must never be sent; a test watches for them.
 */
#ifndef SLUICE_CONSENT_OBLIGATION_H
#define SLUICE_CONSENT_OBLIGATION_H

#include "base/json_splice.h"
#include "consent/decision.h"

#define OBLIGATION_DISPLAY_URL "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-display"

extern const char obligation_notice_long[];      /* N1, 2.32(a)(1) */
extern const char obligation_notice_short[];     /* N2, 2.32(a)(2) */

const char *obligation_code(enum obligation);    /* "notice-2.32" … one bit; NULL for anything else */
const char *obligation_text(enum obligation);

/* The clear explanation of the consent's scope for this recipient only
 * (2.32(b)): what it permits, never what it refuses, nor whom else it names
 * (2.13(a)).  Empty when the arena is spent. */
struct span obligation_explain_consent(const struct consent *, const struct facts *, struct arena *);
/* The same of a document that stands in for the patient's consent, 2.15(a)(2). */
struct span obligation_explain_document(const struct instrument *, struct arena *);

/* What a disclosure was made with: one of the two. */
struct obligation_scope { const struct consent *consent; const struct instrument *document; struct span notice; };

/* Adds notice and explanations to the bundle that the splices edit; nothing
 * when the obligations hold neither, or when nothing leaves.  ST_MALFORMED when Bundle.meta is there and no object. */
enum status obligation_attach(struct splices *, const struct bundle *, uint32_t obligations,
                              const struct obligation_scope *, size_t scope_count,
                              const struct facts *, struct arena *) MUST_CHECK;
/* The same, with items for meta.security of the root (emission.h); empty: none. */
enum status obligation_attach_labels(struct splices *, const struct bundle *, uint32_t obligations,
                                     const struct obligation_scope *, size_t scope_count, struct span labels,
                                     const struct facts *, struct arena *) MUST_CHECK;

#endif
