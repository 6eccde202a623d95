/* consent/canonical.h -- which definitions of a Bundle are named by their canonical URL, and by whom.
 *
 * A canonical (R4 references.html#canonical) is no reference, and resolves to nothing by itself: a
 * QuestionnaireResponse names a Questionnaire, a CarePlan a PlanDefinition, a MeasureReport a Measure, and one
 * definition another.  Whoever has a string that is the URL of a definition here, with or without |version and
 * #fragment, names every definition of that URL, whatever the version: a contained or a nested resource as well,
 * and then it is the entry around it that does.  Each URL is one group.
 */
#ifndef SLUICE_CONSENT_CANONICAL_H
#define SLUICE_CONSENT_CANONICAL_H

#include "fhir/bundle.h"
#include "fhir/lookup.h"

struct canonical {                       /* one string that names a group          */
    tape_node node;
    uint32_t  from;                      /* the entry that holds it                */
    uint32_t  group;
    uint32_t  next;                      /* of the same group; LOOKUP_NONE         */
};

struct canonicals {
    const struct lookup    *definitions; /* url -> entry.  A group is the position of its first one */
    const struct canonical *all;         /* in document order, so grouped by `from` */
    uint32_t                count;
    uint32_t               *first_from;  /* by entry, and one more: of which on those are its own   */
    uint32_t               *first_of;    /* by group: the first that names it; LOOKUP_NONE: nobody  */
    uint32_t               *group_of;    /* by entry, a definition: its group; else LOOKUP_NONE     */
};

/* NULL when nobody names any.  Linear in strings; nothing is read of a Bundle without definitions. */
enum status canonicals_read(const struct bundle *, struct arena *, const struct canonicals **out) MUST_CHECK;

#endif
