/* fhir/extension_context.h -- may an extension stand here; private to
 * extension_rules.c.
 *
 * Where an element stands can be said in several ways: by its path from the
 * resource ("Patient.contact.name"), from any type on the way ("HumanName",
 * "HumanName.given"), and from what those types are ("DomainResource.text",
 * "Element").  A context names one of them (R4 defining-extensions.html#context).
 *
 * A context in FHIRPath selects elements from the resource; one that says true
 * or false is asked of the element itself, as published definitions mean it.
 * contextInvariant is asked of the element with %extension, and empty is as
 * false is.  What takes more steps than the document has is false (I3 of
 * fhir/profile_constraints.c).
 */
#ifndef SLUICE_FHIR_EXTENSION_CONTEXT_H
#define SLUICE_FHIR_EXTENSION_CONTEXT_H

#include "fhir/fhirpath.h"
#include "fhir/profile.h"

#define CONTEXT_DEPTH 64u                /* deeper, an extension may stand anywhere */

/* The elements from the resource down to the one that holds the extension. */
struct extension_place {
    tape_node   container;               /* the value that holds it */
    struct span url;                     /* of the extension that is or holds the container; may be empty */
    uint32_t    depth;
    bool        unknown;                 /* too deep, or not by definitions: anything may be */
    tape_node   resource;                /* that it is in                          */
    const struct pack_type *type;        /* of the container; NULL: it is the resource */
    uint32_t    shape;                   /* in which the container's members stand */
    struct span names[CONTEXT_DEPTH];    /* names[k]: of element k as its definition has it; names[0] unused */
    struct span types[CONTEXT_DEPTH];    /* types[0]: of the resource  */
    struct span paths[CONTEXT_DEPTH];    /* what defines element k: "HumanName", or with elements that are
                                          * defined by reference "OperationDefinition.parameter" */
};

void extension_place_read(struct profiling *, tape_node extension, struct extension_place *);
/* FHIRPATH_TRUE, FHIRPATH_FALSE, or FHIRPATH_FAILED: it cannot be decided. */
enum fhirpath_truth extension_may_stand(struct profiling *, const struct pack_profile *definition, const struct extension_place *);
/* The same of one contextInvariant; index into the pack's contexts. */
enum fhirpath_truth extension_invariant(struct profiling *, uint32_t context, const struct extension_place *, tape_node extension);

#endif
