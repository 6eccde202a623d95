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
 *                            Type/id also by type and id when nothing else matches, unless the
 *                            fullUrl says that it is on another server
 *   conditional  "Type?identifier=system|value"  by identifier inside the bundle
 *   logical      Reference.identifier             by identifier inside the bundle
 * Versioned references ("Type/id/_history/2") resolve without the version.
 *
 * Resources of Bundles and Parameters inside an entry are targets as well, by
 * their own fullUrl and by type and id: then `to` is the entry around them.
 * What several entries share (versions in a history have the same fullUrl)
 * resolves to the first, and counts as pointing at each of them.
 *
 * The strings of an entry's wrapper (fullUrl, request, response, link) and an
 * entry's own URL inside itself are not references.
 *
 * Cost linear in nodes (indexes: n log n in entries).  Lifetime: arena;
 * borrows the bundle.
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
    tape_node           to_contained;    /* contained or nested resource it resolves to, ABSENT */
    struct span         type, id;        /* parsed from the text, may be empty                  */
    struct span         value;           /* the text unescaped; of a logical one
                                          * "Type?identifier=system|value", of a contained one
                                          * with the name of its entry in front: "Type/id#p"    */
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
/* The reference whose object or string this node is; NULL when it is none. */
const struct reference *references_find(const struct references *, tape_node);
/* Splits "…/Type/id/_history/v"; false when the text is not of that form. */
bool reference_split(struct span text, struct span *base, struct span *type, struct span *id);
/* Whether what is known by one base URL may be on the server of the other: the same host,
 * whatever the scheme, the port and the path; a base that is empty or no http URL may be any. */
bool reference_may_be(struct span base, struct span other);
/* The Patient whom a logical or a conditional reference names by one identifier and nothing else, as
 * "Patient?identifier=system|value": the same text for both, whatever Reference.type, base and percent
 * encoding are; system may be empty.  Empty: it names nobody so. */
#define REFERENCE_PATIENT_NAME "Patient?identifier="
struct span reference_patient_name(const struct reference *, struct arena *);
/* The entry's own subject: follows subject, patient, beneficiary, individual
 * … and then the other elements of the patient compartment (patient_paths.def;
 * R4 compartmentdefinition-patient.html), and from a Provenance, AuditEvent,
 * Task or Binary without one to the patient of what it is about.
 *
 * "Patient/p1" when it resolves to an entry with an id or says so itself; else
 * the fullUrl or the text as written; reference_patient_name() where it says one and
 * does not resolve; "Type/id#p" for a contained
 * Patient.  Empty: no patient (a directory resource).  A Patient is its own.
 * *patient_entry (may be NULL) becomes the Patient's entry or ENTRY_NONE. */
struct span entry_patient(const struct references *, uint32_t entry, uint32_t *patient_entry);

#endif
