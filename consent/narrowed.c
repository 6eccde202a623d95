#include "consent/narrowed.h"

struct named {
    struct span              reference;
    const struct identifier *identifiers;
    size_t                   identifier_count;
};

struct named_recipients {
    const struct consent *consent;
    const struct named   *all;
    size_t                count;
};

static bool permits_by_name(const struct consent *, const struct facts *);
static bool is_limited(const struct consent *);
static bool name_all(const struct consent *, const struct asker *, struct named_recipients *out);
static const struct named_recipients *find(const struct named_recipients *, size_t count, const struct consent *);
static bool narrows(const struct named_recipients *limited, const struct named_recipients *wide);

enum status
narrowed_read(const struct policy *policy, const struct asker *asker, struct narrowed *out)
{
    struct named_recipients *wide    = arena_make_n(asker->arena, policy->consent_count + 1, struct named_recipients);
    struct named_recipients *limited = arena_make_n(asker->arena, policy->consent_count + 1, struct named_recipients);

    *out = (struct narrowed){ .wide = wide, .limited = limited };
    for (size_t i = 0; wide != NULL && limited != NULL && i < policy->consent_count; i++) {
        const struct consent    *c  = &policy->consents[i];
        struct named_recipients *to = is_limited(c) ? &limited[out->limited_count] : &wide[out->wide_count];
        if (!permits_by_name(c, asker->facts))
            continue;
        if (!name_all(c, asker, to))
            return ST_NO_MEMORY;
        *(is_limited(c) ? &out->limited_count : &out->wide_count) += 1;
    }
    return arena_status(asker->arena);
}

/* N1 */
static bool
permits_by_name(const struct consent *c, const struct facts *facts)
{
    return c->provision_count > 0 && c->provisions[0].type == PROVISION_PERMIT && c->provisions[0].criteria.actor_count > 0
           && c->denies_only == NULL && consent_unusable(c, facts) == NULL;
}

/* N3 */
static bool
is_limited(const struct consent *c)
{
    return c->provision_count > 0 && (c->provisions[0].criteria.stated & DIMENSIONS_OF_DATA) != 0;
}

static bool
name_all(const struct consent *c, const struct asker *asker, struct named_recipients *out)
{
    const struct criteria *root = &c->provisions[0].criteria;
    struct named          *all  = arena_make_n(asker->arena, root->actor_count, struct named);

    for (size_t i = 0; all != NULL && i < root->actor_count; i++) {
        all[i].reference = root->actors[i].reference;
        (void)target_resolve(&root->actors[i], c, asker, &all[i].identifiers, &all[i].identifier_count);
    }
    *out = (struct named_recipients){ c, all, root->actor_count };
    return all != NULL;
}

static const struct named_recipients *
find(const struct named_recipients *all, size_t count, const struct consent *c)
{
    for (size_t i = 0; i < count; i++)
        if (all[i].consent == c)
            return &all[i];
    return NULL;
}

const struct consent *
narrowed_other(const struct narrowed *n, const struct consent *c)
{
    const struct named_recipients *limited = find(n->limited, n->limited_count, c);
    const struct named_recipients *wide    = find(n->wide, n->wide_count, c);

    for (size_t i = 0; limited != NULL && i < n->wide_count; i++)
        if (narrows(limited, &n->wide[i]))
            return n->wide[i].consent;
    for (size_t i = 0; wide != NULL && i < n->limited_count; i++)
        if (narrows(&n->limited[i], wide))
            return n->limited[i].consent;
    return NULL;
}

/* N1 */
static bool
of_one_patient(const struct consent *a, const struct consent *b)
{
    return (!span_empty(a->patient.reference) && target_same_reference(a->patient.reference, b->patient.reference))
           || identifiers_share(a->patient.identifiers, a->patient.identifier_count, b->patient.identifiers,
                                b->patient.identifier_count);
}

/* N2 */
static bool
name_one(const struct named *a, const struct named *b)
{
    return (!span_empty(a->reference) && target_same_reference(a->reference, b->reference))
           || identifiers_share(a->identifiers, a->identifier_count, b->identifiers, b->identifier_count);
}

static bool
narrows(const struct named_recipients *limited, const struct named_recipients *wide)
{
    const struct consent *later = limited->consent, *earlier = wide->consent;
    bool                  after = later->dated && (!earlier->dated || later->date.first_ms > earlier->date.first_ms), shared = false;

    if (!after || !of_one_patient(later, earlier))
        return false;
    for (size_t i = 0; i < limited->count && !shared; i++)
        for (size_t j = 0; j < wide->count && !shared; j++)
            shared = name_one(&limited->all[i], &wide->all[j]);
    return shared;
}
