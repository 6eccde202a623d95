#include "fhir/pack_snapshots.h"

#include "fhir/lookup.h"

static bool
range_good(uint32_t first, uint32_t count, uint32_t all)
{
    return first <= all && count <= all - first;
}

static bool
snapshot_good(const struct pack *p, const struct pack_snapshot *s)
{
    const struct pack_text texts[] = { s->url, s->version, s->type, s->base, s->derivation, s->kind };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!range_good(texts[i].offset, texts[i].length, p->counts[PACK_TEXTS]))
            return false;
    return range_good(s->first, s->length, p->counts[PACK_SNAPSHOT_BYTES])
        && (s->next == PACK_NONE || s->next < p->counts[PACK_SNAPSHOTS]);
}

bool
pack_snapshots_good(const struct pack *p)
{
    uint32_t slots = p->counts[PACK_SNAPSHOT_SLOTS], used = 0;

    for (uint32_t i = 0; i < p->counts[PACK_SNAPSHOTS]; i++)
        if (!snapshot_good(p, &p->snapshots[i]))
            return false;
    for (uint32_t i = 0; i < slots; i++) {
        used += p->snapshot_slots[i] != 0;
        if (p->snapshot_slots[i] > p->counts[PACK_SNAPSHOTS])
            return false;
    }
    return slots == 0 || (used < slots && (slots & (slots - 1)) == 0);
}

const struct pack_snapshot *
pack_snapshot_named(const struct pack *p, struct span url, struct span version)
{
    uint32_t mask = p->counts[PACK_SNAPSHOT_SLOTS] - 1, at = (uint32_t)lookup_hash(url) & mask;

    if (p->counts[PACK_SNAPSHOT_SLOTS] == 0)
        return NULL;
    while (p->snapshot_slots[at] != 0 && !span_eq(pack_span(p, p->snapshots[p->snapshot_slots[at] - 1].url), url))
        at = (at + 1) & mask;
    uint32_t index = p->snapshot_slots[at] != 0 ? p->snapshot_slots[at] - 1 : PACK_NONE;
    for (uint32_t i = 0; i < PACK_SNAPSHOT_VERSIONS && index != PACK_NONE; i++) {
        const struct pack_snapshot *one = &p->snapshots[index];
        if (span_empty(version) || span_eq(pack_span(p, one->version), version))
            return one;
        index = one->next;
    }
    return NULL;
}
