/* consent/inquiry.h -- what of a request does not depend on the record: looked up once.
 *
 *   Q1  Recipient classes, roles and purposes as sets.  A code that is in no
 *       table is in no set, and a purpose that is in no table covers nothing.
 *   Q2  The proceedings gate is closed (2.12(d)(1)) when there is a legal context,
 *       when the recipient is a court, law enforcement or an investigative agency,
 *       or when a purpose is legal.
 *   Q3  The capacity of the discloser: as said; a sender that is a program holds
 *       its own records; whatever else is not known.
 *   Q4  Of the documents on file those that name who asks.
 */
#ifndef SLUICE_CONSENT_INQUIRY_H
#define SLUICE_CONSENT_INQUIRY_H

#include "consent/weigh.h"

enum recipient {
    RECIPIENT_NONE = 0,
#define RECIPIENT(name, words) RECIPIENT_##name,
#include "consent/recipients.def"
#undef RECIPIENT
    RECIPIENT_COUNT
};

enum role {
    ROLE_NONE = 0,
#define ROLE(name, code, words) ROLE_##name,
#include "consent/roles.def"
#undef ROLE
    ROLE_COUNT
};

typedef uint64_t recipient_set;          /* bit n is recipient n */
typedef uint32_t role_set;
typedef uint32_t holder_set;

#define RECIPIENT_BIT(r) ((recipient_set)1 << (r))
#define ROLE_BIT(r)      ((role_set)1 << (r))
#define HOLDER_BIT(h)    ((holder_set)1 << (h))

/* A document that names who asks; usable or not. */
struct standing {
    const struct instrument *document;
    struct subject           patient;    /* of whom it is; key of nothing when it names none */
    const char              *lacks;      /* why it is good for nothing; NULL: it is in force and complete */
};

struct inquiry {
    const struct facts   *facts;
    const struct asker   *asker;
    struct whose         *whose;
    struct arena         *arena;
    recipient_set         classes;
    role_set              roles;
    enum holder           holder;
    bool                  legal;         /* Q2 */
    bool                  tpo;           /* a purpose is treatment, payment or operations, or none is known */
    const struct standing *standing;
    size_t                standing_count;
};

enum status inquiry_make(const struct facts *, const struct asker *, struct whose *, struct arena *,
                         struct inquiry *out) MUST_CHECK;
/* Whether purposes are stated and each is covered by one of these (purpose.h U2). */
bool        inquiry_for(const struct inquiry *, purpose_set);
/* Whether a purpose is one of these or stands below it. */
bool        inquiry_touches(const struct inquiry *, purpose_set);
enum recipient recipient_of(struct span code);

#endif
