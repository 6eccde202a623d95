/* consent/limit.h -- what of a record a basis lets go.
 *
 * Some bases let go less than a record: a registry learns identity, drug, dose
 * and dates (42 CFR 2.34(a)(2)), the police a name and an address
 * (2.12(c)(5)).  A limit lists types and their members (limits.def); what it
 * does not list does not go, extensions and narrative included (rule L1 of
 * docs/consent-rules.md).
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
bool        limit_member(enum limit, struct span type, struct span member);  /* a member at its top */
const char *limit_words(enum limit);

#endif
