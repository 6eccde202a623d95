/* fhir/validate.h -- run the definition tables over a document, feed findings.
 *
 * Depth now, with the rule ids of the findings (docs/validation.md has a
 * sentence for each):
 *   resource-type    resourceType is there and is one of R4's resources
 *   unknown-element  a name that the definition does not have
 *   element-case     a name that differs from a known one only in case: some
 *                    receivers would take it for that one
 *   cardinality      min and max
 *   json-array       an array where it repeats, and only there
 *   json-type        object, string, number or boolean as the type wants it
 *   json-empty       objects and arrays are never empty (strings: primitive)
 *   json-null        null only as filler in an array of primitives
 *   json-parallel    x and _x of a list: as long as each other, something at
 *                    every index
 *   choice           value[x] once, and only with the types it may have
 *   primitive        lexical form of every R4 primitive (fhir/datatypes.h)
 *   element-id       Element.id holds no white space, and is unique (fhir/id_rules.h)
 *   ele-1, ext-1     an element has a value or children; an extension has
 *                    either a value or extensions
 *   dom-2            a contained resource contains none
 *   identifiers, codings, attachments, labels   fhir/type_rules.h
 *   Bundles                                      fhir/bundle_rules.h
 *   references, contained resources, documents   fhir/reference_rules.h
 *   extensions                                   fhir/extension_rules.h
 *   narratives                                   fhir/narrative.h
 *   Questionnaires and responses                 fhir/questionnaire.h
 *   profiles, bindings, slices, invariants       fhir/profile.h
 * What depends on the bytes of a value alone is said during the walk; what
 * depends on where it stands is noted, and looked at when the walk is through.
 *
 * What is below an unknown name or an unknown resourceType is not looked at.
 * After VALIDATE_MOST_FINDINGS findings the walk stops and says so: the cost
 * of a hostile document stays that of reading it.
 *
 * Pure and reentrant; the pack and the bundle are shared, the sink is not.
 */
#ifndef SLUICE_FHIR_VALIDATE_H
#define SLUICE_FHIR_VALIDATE_H

#include "fhir/bundle.h"
#include "fhir/issue.h"
#include "fhir/pack.h"

struct term_questions;

#define VALIDATE_MOST_FINDINGS 10000u

/* An extension that nothing here defines: R4 lets everybody have their own. */
enum unknown_extensions { UNKNOWN_EXTENSIONS_TOLD = 0, UNKNOWN_EXTENSIONS_REFUSED };

struct validate_options {
    enum unknown_extensions unknown_extensions;
    const struct span *profiles;         /* canonical URLs, asked in addition to the base of the root and
                                          * of the resources of entries, each of those of its type */
    size_t             profile_count;
    bool               entries_apart;    /* what is inside of Bundle.entry[i] is left to
                                          * validate_entry()                                 */
    bool               consents_enforced; /* consent-patient is an error (fhir/consent_rules.h) */
    struct term_questions *questions;    /* fhir/term_questions.h: what bindings leave undecided is
                                          * noted there, and answers are taken from there; may be NULL */
    int64_t                now_ms;       /* epoch milliseconds, for invariants that ask now() or today();
                                          * 0: not known, what asks is undecided                     */
};

/* ST_OK however many findings there are; ST_NO_MEMORY when it could not be
 * finished (then nothing may be accepted).  options may be NULL. */
enum status validate(const struct pack *, const struct bundle *, const struct validate_options *,
                     struct arena *, struct issues *) MUST_CHECK;

/* One entry of a Bundle by itself, for a batch, whose entries stand alone (R4
 * http.html#transaction).  Findings of different entries are grouped when
 * they go into one sink: a sink for each entry tells which one is wrong.  All
 * entries together cost about what validate() costs. */
enum status validate_entry(const struct pack *, const struct bundle *, uint32_t entry,
                           const struct validate_options *, struct arena *, struct issues *) MUST_CHECK;

#endif
