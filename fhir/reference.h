/* fhir/reference.h -- every reference of a bundle, resolved, both ways.
 *
 * A reference is any object that has a string member `reference` or is in the
 * place of one (an object with only `identifier` and `display` under a name
 * that R4 types as Reference), any `uri`/`canonical`/`url`/`oid`/`uuid` text
 * that equals a fullUrl, Type/id or contained id of the bundle, and the same
 * inside extensions (valueReference, valueUri …).  Resolution:
 *   contained    "#id"       R4 references.html#contained, inside the same resource
 *   relative     "Type/id"   against the entry's own fullUrl base, then by type and id
 *   absolute, urn            R4 bundle.html#references: by fullUrl; an absolute URL that ends in
 *                            Type/id also by type and id when nothing else matches
 *   conditional  "Type?identifier=system|value"  by identifier inside the bundle
 *   logical      Reference.identifier             by identifier inside the bundle
 * Versioned references ("Type/id/_history/2") resolve without the version.
 *
 * Cost linear in nodes.  Lifetime: arena; borrows the bundle.
 */
#ifndef SLUICE_FHIR_REFERENCE_H
#define SLUICE_FHIR_REFERENCE_H

#include "fhir/bundle.h"

enum reference_form {
    REFERENCE_NONE = 0,
    REFERENCE_CONTAINED, REFERENCE_RELATIVE, REFERENCE_ABSOLUTE, REFERENCE_URN,
    REFERENCE_CONDITIONAL, REFERENCE_LOGICAL,
    REFERENCE_URI,                       /* a plain uri-typed text that names an entry */
};

struct reference {
    tape_node           node;            /* the Reference object, or the string of a URI        */
    tape_node           text;            /* its `reference` string; ABSENT when logical         */
    enum reference_form form;
    uint32_t            from;            /* entry that holds it                                 */
    tape_node           from_resource;   /* nearest resource around it, contained or not        */
    uint32_t            to;              /* entry it resolves to, ENTRY_NONE                    */
    tape_node           to_contained;    /* contained resource it resolves to, ABSENT           */
    struct span         type, id;        /* parsed from the text, may be empty                  */
};

struct references {
    const struct bundle    *bundle;
    uint32_t                count;
    const struct reference *all;         /* in document order, so grouped by `from` */
    const struct reference_index *index; /* private */
};

enum status references_read(const struct bundle *, struct arena *, const struct references **out) MUST_CHECK;

/* References that an entry holds: all[first .. first + n). */
uint32_t references_from(const struct references *, uint32_t entry, uint32_t *first);
/* References that point at an entry: how many, and the i-th one. */
uint32_t references_to(const struct references *, uint32_t entry);
const struct reference *references_to_at(const struct references *, uint32_t entry, uint32_t i);
/* Splits "…/Type/id/_history/v"; false when the text is not of that form. */
bool reference_split(struct span text, struct span *base, struct span *type, struct span *id);
/* The entry's own subject: follows subject, patient, beneficiary, individual
 * … (R4 compartmentdefinition-patient.html); "Patient/p1" or the fullUrl as
 * written, resolved to an entry when it is one.  Empty: no patient (a
 * directory resource). A Patient is its own. */
struct span entry_patient(const struct references *, uint32_t entry, uint32_t *patient_entry);

#endif
