#include "consent/affiliate.h"

struct climb {
    const struct asker  *asker;
    const struct bundle *bundle;         /* NULL: of none */
    struct affiliation  *up;
};

static bool
knows(const struct climb *c, const struct known_actor *one)
{
    for (size_t i = 0; i < c->up->count; i++)
        if (span_empty(one->reference) ? identifiers_share(c->up->all[i].identifiers, c->up->all[i].identifier_count,
                                                           one->identifiers, one->identifier_count)
                                       : span_eq(c->up->all[i].reference, one->reference))
            return true;
    return false;
}

static void
add(struct climb *c, struct known_actor one)
{
    if (c->up->count < AFFILIATE_MOST && !knows(c, &one))
        c->up->all[c->up->count++] = one;
}

/* Of an Organization or a Reference. */
static const struct identifier *
identifiers_of(const struct climb *c, tape_node node, size_t *count)
{
    const struct tape *t    = c->bundle->tape;
    tape_node          list = tape_member(t, node, SPAN("identifier"));
    bool               one  = tape_kind(t, list) == TAPE_OBJECT;
    uint32_t           most = list == TAPE_ABSENT ? 0 : one ? 1 : tape_children(t, list);
    struct identifier *all  = arena_make_n(c->asker->arena, most, struct identifier);

    *count = 0;
    for (tape_node n = one ? list : tape_first(t, list); n != TAPE_ABSENT && all != NULL && *count < most;
         n = one ? TAPE_ABSENT : tape_next(t, n))
        all[(*count)++] = (struct identifier){ .system = tape_member_text(t, n, SPAN("system"), c->asker->arena),
                                               .value  = tape_member_text(t, n, SPAN("value"), c->asker->arena) };
    return all;
}

static uint32_t
entry_named(const struct climb *c, struct span reference)
{
    uint32_t    entry = span_empty(reference) ? ENTRY_NONE : bundle_find_full_url(c->bundle, reference);
    struct span base, type, id;

    if (entry == ENTRY_NONE && reference_split(reference, &base, &type, &id))
        entry = bundle_find(c->bundle, type, id);
    return entry;
}

/* Who has one of the identifiers. */
static uint32_t
entry_identified(const struct climb *c, const struct identifier *identifiers, size_t count)
{
    const struct bundle *b     = c->bundle;
    uint32_t             found = ENTRY_NONE;

    for (uint32_t e = 0; count > 0 && e < b->count && found == ENTRY_NONE; e++) {
        struct arena_mark before = arena_mark(c->asker->arena);
        size_t            own_count = 0;
        const struct identifier *own = span_eq_text(b->entries[e].type, "Organization")
                                           ? identifiers_of(c, b->entries[e].resource, &own_count) : NULL;
        if (identifiers_share(own, own_count, identifiers, count))
            found = e;
        arena_reset(c->asker->arena, before);
    }
    return found;
}

/* What an Organization says that it is part of: by reference, by identifier, or both. */
static void
climb_entry(struct climb *c, uint32_t entry)
{
    const struct tape *t      = c->bundle->tape;
    tape_node          up     = tape_member(t, c->bundle->entries[entry].resource, SPAN("partOf"));
    struct known_actor parent = { .reference = tape_member_text(t, up, SPAN("reference"), c->asker->arena) };

    if (up == TAPE_ABSENT)
        return;
    parent.identifiers = identifiers_of(c, up, &parent.identifier_count);
    if (!span_empty(parent.reference) || parent.identifier_count > 0)
        add(c, parent);
}

/* By all the names that the bundle has for it. */
static void
add_entry(struct climb *c, uint32_t entry)
{
    struct known_actor own = { .reference = bundle_entry_name(c->bundle, entry) };

    own.identifiers = identifiers_of(c, c->bundle->entries[entry].resource, &own.identifier_count);
    add(c, own);
    if (!span_empty(c->bundle->entries[entry].full_url))
        add(c, (struct known_actor){ .reference = c->bundle->entries[entry].full_url });
}

static bool
is_asker(const struct climb *c, uint32_t entry)
{
    struct arena_mark        before = arena_mark(c->asker->arena);
    size_t                   count;
    const struct identifier *own = identifiers_of(c, c->bundle->entries[entry].resource, &count);
    bool                     is  = asker_answers_to(c->asker, bundle_entry_name(c->bundle, entry))
                                || asker_answers_to(c->asker, c->bundle->entries[entry].full_url)
                                || identifiers_share(own, count, c->asker->identifiers, c->asker->identifier_count);

    arena_reset(c->asker->arena, before);
    return is;
}

/* The asker's own Organizations, and then those that were found, one by one: the list grows behind. */
static void
climb_bundle(struct climb *c)
{
    const struct bundle *b = c->bundle;

    for (uint32_t e = 0; b != NULL && e < b->count; e++)
        if (span_eq_text(b->entries[e].type, "Organization")
            && tape_member(b->tape, b->entries[e].resource, SPAN("partOf")) != TAPE_ABSENT && is_asker(c, e))
            climb_entry(c, e);
    for (size_t i = 0; b != NULL && i < c->up->count; i++) {
        uint32_t at = entry_named(c, c->up->all[i].reference);
        if (at == ENTRY_NONE)
            at = entry_identified(c, c->up->all[i].identifiers, c->up->all[i].identifier_count);
        if (at == ENTRY_NONE || !span_eq_text(b->entries[at].type, "Organization"))
            continue;
        add_entry(c, at);
        climb_entry(c, at);
    }
}

/* "system|value" is an identifier, everything else a reference. */
static void
climb_registered(struct climb *c, struct span text)
{
    struct identifier *id = span_find_byte(text, '|') != SPAN_NOT_FOUND ? arena_make(c->asker->arena, struct identifier) : NULL;

    if (id != NULL) {
        id->value  = text;
        id->system = span_split(&id->value, '|');
        add(c, (struct known_actor){ .identifiers = id, .identifier_count = 1 });
    } else {
        add(c, (struct known_actor){ .reference = text });
    }
}

/* What is known of the actors: also of whom was found above. */
static void
climb_known(struct climb *c)
{
    const struct facts *f = c->asker->facts;

    for (size_t i = 0; i < f->known_actor_count; i++)
        if (asker_answers_to(c->asker, f->known_actors[i].reference) && !span_empty(f->known_actors[i].part_of))
            add(c, (struct known_actor){ .reference = f->known_actors[i].part_of });
    for (size_t up = 0; up < c->up->count; up++)
        for (size_t i = 0; i < f->known_actor_count; i++) {
            if (!target_same_reference(c->up->all[up].reference, f->known_actors[i].reference))
                continue;
            if (c->up->all[up].identifier_count == 0) {
                c->up->all[up].identifiers      = f->known_actors[i].identifiers;
                c->up->all[up].identifier_count = f->known_actors[i].identifier_count;
            }
            if (!span_empty(f->known_actors[i].part_of))
                add(c, (struct known_actor){ .reference = f->known_actors[i].part_of });
        }
}

enum status
affiliation_read(const struct asker *asker, struct affiliation *out)
{
    const struct party *actor = &asker->facts->actor;
    struct climb        c     = { .asker = asker, .up = out,
                                  .bundle = asker->references != NULL ? asker->references->bundle : NULL };

    *out = (struct affiliation){ .all = arena_make_n(asker->arena, AFFILIATE_MOST, struct known_actor) };
    if (out->all == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < actor->part_of_count; i++)
        climb_registered(&c, actor->part_of[i]);
    climb_known(&c);
    climb_bundle(&c);
    return arena_status(asker->arena);
}

static bool
names_above(const struct affiliation *up, const struct target *t, const struct identifier *identifiers, size_t count)
{
    for (size_t i = 0; i < up->count; i++)
        if ((!t->contained && target_same_reference(t->reference, up->all[i].reference))
            || identifiers_share(identifiers, count, up->all[i].identifiers, up->all[i].identifier_count))
            return true;
    return false;
}

bool
affiliation_reaches(const struct asker *asker, const struct target *t, const struct consent *consent,
                    const struct identifier *identifiers, size_t count)
{
    const struct bundle *own = asker->references != NULL ? asker->references->bundle : NULL;

    if (asker->facts->site.refusal_stops_at_entity)
        return false;
    if (names_above(&asker->above, t, identifiers, count))
        return true;
    if (consent->home == NULL || consent->home == own)
        return false;
    struct arena_mark  before = arena_mark(asker->arena);
    struct affiliation wider  = { .all = arena_make_n(asker->arena, AFFILIATE_MOST, struct known_actor) };
    struct climb       c      = { .asker = asker, .bundle = consent->home, .up = &wider };
    if (wider.all == NULL)
        return true;                     /* who cannot tell does not let go */
    for (size_t i = 0; i < asker->above.count; i++)
        wider.all[wider.count++] = asker->above.all[i];
    climb_bundle(&c);
    bool reaches = names_above(&wider, t, identifiers, count);
    arena_reset(asker->arena, before);
    return reaches;
}
