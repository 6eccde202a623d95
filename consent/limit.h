/* consent/limit.h -- what of a record a basis lets go.
 *
 * Some bases let go less than a record: a registry learns identity, drug, dose
 * and dates (42 CFR 2.34(a)(2)), the police a name and an address
 * (2.12(c)(5)).  A limit lists types and their members (limits.def); what it
 * does not list does not go (rule L1 of docs/consent-rules.md):
 *
 *   - a member at the top that is not listed, narrative and contained included;
 *   - of a member of which parts are listed the other parts;
 *   - of meta all but versionId, lastUpdated and security;
 *   - extensions at any depth; with a modifierExtension in what would stay the resource.
 *
 * Words inside of what is listed stay: the text of a dosage is the dosage.
 */
#ifndef SLUICE_CONSENT_LIMIT_H
#define SLUICE_CONSENT_LIMIT_H

#include "base/span.h"

enum limit {
    LIMIT_NONE = 0,                      /* all of it */
#define LIMIT(name, citation, words) LIMIT_##name,
#define MAY(limit, type, members)
#include "consent/limits.def"
#undef LIMIT
#undef MAY
    LIMIT_COUNT
};

bool        limit_type(enum limit, struct span type);                        /* whether any of such a resource may go */
bool        limit_whole(enum limit, struct span type);                       /* it goes as it is, extensions too */
bool        limit_member(enum limit, struct span type, struct span member);  /* a member at its top, or parts of it */
bool        limit_part(enum limit, struct span type, struct span member, struct span part);
const char *limit_words(enum limit);

#endif
