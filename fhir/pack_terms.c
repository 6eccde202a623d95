#include "fhir/pack_terms.h"

static bool
range_good(uint32_t first, uint32_t count, uint32_t all)
{
    return first <= all && count <= all - first;
}

static bool
text_good(const struct pack *p, struct pack_text text)
{
    return range_good(text.offset, text.length, p->counts[PACK_TEXTS]);
}

/* A size of a hash table: a power of two. */
static bool
mask_good(uint32_t first, uint32_t mask, uint32_t all)
{
    return mask < UINT32_MAX && (mask & (mask + 1)) == 0 && range_good(first, mask + 1, all);
}

/* Slots of index + 1; one must be empty, or a search would not end. */
static bool
slots_good(const uint32_t *slots, uint32_t count, uint32_t most)
{
    uint32_t empty = 0;

    for (uint32_t i = 0; i < count; i++) {
        empty += slots[i] == 0;
        if (slots[i] > most)
            return false;
    }
    return empty > 0;
}

static bool
canonical_good(const struct pack *p, const struct pack_versioned *c, uint32_t count)
{
    return text_good(p, c->url) && text_good(p, c->version) && (c->next == PACK_NONE || c->next < count);
}

static bool
system_good(const struct pack *p, const struct pack_system *s)
{
    return canonical_good(p, &s->as, p->counts[PACK_SYSTEMS]) && s->content <= TERM_CONTENT_COMPLETE
        && range_good(s->first_concept, s->concept_count, p->counts[PACK_CONCEPTS])
        && mask_good(s->first_slot, s->slot_mask, p->counts[PACK_CONCEPT_SLOTS])
        && slots_good(p->concept_slots + s->first_slot, s->slot_mask + 1, s->concept_count);
}

static bool
concept_good(const struct pack *p, const struct pack_concept *c)
{
    return range_good(c->code, c->length, p->counts[PACK_TEXTS]) && c->display < p->counts[PACK_TEXTS]
        && range_good(c->first_parent, c->parent_count, p->counts[PACK_PARENTS]);
}

static bool
part_good(const struct pack *p, const struct pack_value_part *part)
{
    return text_good(p, part->system) && text_good(p, part->version) && part->why < TERM_WHY_COUNT
        && (part->index == PACK_NONE || part->index < p->counts[PACK_SYSTEMS])
        && (part->fallback == SAID_OUT || part->fallback == SAID_UNDECIDED || part->fallback == SAID_WHOLE);
}

static bool
members_good(const struct pack *p, const struct pack_value_set *v)
{
    uint32_t empty = 0;

    for (uint32_t i = 0; i <= v->member_mask; i++) {
        const struct pack_member *m = &p->members[v->first_member + i];
        empty += m->said == SAID_NOTHING;
        if (m->said != SAID_NOTHING
            && (m->said > SAID_UNDECIDED || m->why >= TERM_WHY_COUNT || m->part >= v->part_count
                || !range_good(m->code, m->length, p->counts[PACK_TEXTS])))
            return false;
    }
    return empty > 0;
}

static bool
value_set_good(const struct pack *p, const struct pack_value_set *v)
{
    return canonical_good(p, &v->as, p->counts[PACK_VALUE_SETS]) && v->rest_why < TERM_WHY_COUNT
        && (v->rest == SAID_OUT || v->rest == SAID_UNDECIDED)
        && range_good(v->first_part, v->part_count, p->counts[PACK_VALUE_PARTS])
        && mask_good(v->first_member, v->member_mask, p->counts[PACK_MEMBERS]) && members_good(p, v);
}

/* A chain of versions that a slot leads to must end. */
static bool
chains_good(const uint32_t *slots, uint32_t slot_count, const void *records, size_t size)
{
    for (uint32_t i = 0; i < slot_count; i++) {
        uint32_t steps = 0, at = slots[i] > 0 ? slots[i] - 1 : PACK_NONE;
        while (at != PACK_NONE) {
            at = pack_versioned_at(records, size, at)->next;
            if (++steps > PACK_VERSIONS)
                return false;
        }
    }
    return true;
}

/* An empty table is one that asks nothing. */
static bool
table_good(const uint32_t *slots, uint32_t slot_count, uint32_t records)
{
    return slot_count == 0 ? records == 0
                           : (slot_count & (slot_count - 1)) == 0 && slots_good(slots, slot_count, records);
}

bool
pack_terms_good(const struct pack *p)
{
    const uint32_t *n = p->counts;

    if (!table_good(p->system_slots, n[PACK_SYSTEM_SLOTS], n[PACK_SYSTEMS])
        || !table_good(p->value_set_slots, n[PACK_VALUE_SET_SLOTS], n[PACK_VALUE_SETS]))
        return false;
    for (uint32_t i = 0; i < n[PACK_SYSTEMS]; i++)
        if (!system_good(p, &p->systems[i]))
            return false;
    for (uint32_t i = 0; i < n[PACK_CONCEPTS]; i++)
        if (!concept_good(p, &p->concepts[i]))
            return false;
    for (uint32_t i = 0; i < n[PACK_PARENTS]; i++)
        if (p->parents[i] >= n[PACK_CONCEPTS])
            return false;
    for (uint32_t i = 0; i < n[PACK_DESIGNATIONS]; i++)
        if (p->designations[i].concept >= n[PACK_CONCEPTS] || p->designations[i].text >= n[PACK_TEXTS])
            return false;
    for (uint32_t i = 0; i < n[PACK_VALUE_PARTS]; i++)
        if (!part_good(p, &p->value_parts[i]))
            return false;
    for (uint32_t i = 0; i < n[PACK_VALUE_SETS]; i++)
        if (!value_set_good(p, &p->value_sets[i]))
            return false;
    return chains_good(p->system_slots, n[PACK_SYSTEM_SLOTS], p->systems, sizeof *p->systems)
        && chains_good(p->value_set_slots, n[PACK_VALUE_SET_SLOTS], p->value_sets, sizeof *p->value_sets);
}
