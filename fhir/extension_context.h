/* fhir/extension_context.h -- may an extension stand here; private to
 * extension_rules.c.
 *
 * Where an element stands can be said in several ways: by its path from the
 * resource ("Patient.contact.name"), from any type on the way ("HumanName",
 * "HumanName.given"), and from what those types are ("DomainResource.text",
 * "Element").  A context names one of them (R4 defining-extensions.html#context).
 */
#ifndef SLUICE_FHIR_EXTENSION_CONTEXT_H
#define SLUICE_FHIR_EXTENSION_CONTEXT_H

#include "fhir/profile.h"

#define CONTEXT_DEPTH 64u                /* deeper, an extension may stand anywhere */

/* The elements from the resource down to the one that holds the extension. */
struct extension_place {
    tape_node   container;               /* the value that holds it */
    struct span url;                     /* of the extension that is or holds the container; may be empty */
    uint32_t    depth;
    bool        unknown;                 /* too deep, or not by definitions: anything may be */
    struct span names[CONTEXT_DEPTH];    /* names[k]: of element k as its definition has it; names[0] unused */
    struct span types[CONTEXT_DEPTH];    /* types[0]: of the resource  */
    struct span paths[CONTEXT_DEPTH];    /* what defines element k: "HumanName", or with elements that are
                                          * defined by reference "OperationDefinition.parameter" */
};

void extension_place_read(struct profiling *, tape_node extension, struct extension_place *);
bool extension_may_stand(const struct profiling *, const struct pack_profile *definition, const struct extension_place *);

#endif
