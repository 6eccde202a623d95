/* fhir/reference_rules.h -- references: their form, what they name, and whether
 * that may stand there.
 *
 * The walk notes each Reference that it meets with the place of its definition;
 * when it is through they are looked at together.
 *   reference-form    no white space; inside a Bundle a relative one is Type/id or
 *                     Type/id/_history/version, in a batch or transaction also
 *                     Type?search (R4 http.html#trules)
 *   ref-1             "#id" names a contained resource, "#" what contains
 *   reference-type    Reference.type is one that the definition has, and the
 *                     type of what is named
 *   reference-target  what is named inside of the document has a type that the
 *                     definition has
 *   bundle-reference  what must be inside of a document or message (the parts of
 *                     the Composition, the focus of a MessageHeader) is there;
 *                     one fullUrl is meant, not several; Type/id of an entry that
 *                     its fullUrl does not lead to is an error in documents and
 *                     messages, elsewhere a warning, like a urn: that names none
 *   uri-fragment      a uri that is "#id" names an id of the document; a canonical: a
 *                     warning
 *   contained-id      a contained resource has an id that no other one there has
 *   dom-3, dom-4, dom-5   fhir/contained_rules.h
 *   linked            fhir/linked_rules.h
 *
 * Whether a reference to another server may stand there cannot be known: what it
 * says by its text alone is a warning.  Linear; n log n in contained resources.
 */
#ifndef SLUICE_FHIR_REFERENCE_RULES_H
#define SLUICE_FHIR_REFERENCE_RULES_H

#include "fhir/bundle_table.h"
#include "fhir/finding.h"
#include "fhir/pack_format.h"

/* `type`: index into the pack's types, or of what begins with '#'
 * NOTED_FRAGMENT: a uri or url, NOTED_CANONICAL: a canonical. */
#define NOTED_FRAGMENT  PACK_NONE
#define NOTED_CANONICAL (PACK_NONE - 1)
struct noted_reference { uint64_t place; tape_node node; uint32_t type; };

struct noted_references {
    struct noted_reference *all;
    uint32_t                count, room;
};

enum status reference_rules(struct report *, const struct pack *, const struct noted_references *,
                            struct bundle_tables *) MUST_CHECK;

#endif
