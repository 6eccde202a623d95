#include "fhir/lookup.h"

#include <string.h>

struct lookup {
    const struct lookup_item *items;
    uint32_t                  count;
    uint32_t                  shift;     /* hash >> shift is the slot of the directory */
    const uint32_t           *directory; /* first item of a slot; one more at the end  */
};

static bool before(const struct lookup_item *a, const struct lookup_item *b);
static bool merge_sort(struct lookup_item *, uint32_t count, struct arena *);

/* Eight bytes a step; good spread in the top bits, which the directory uses. */
uint64_t
lookup_hash(struct span s)
{
    uint64_t hash = 0x9e3779b97f4a7c15u ^ s.length;
    uint64_t word;

    while (s.length >= 8) {
        memcpy(&word, s.at, 8);
        hash = (hash ^ word) * 0xd6e8feb86659fd93u;
        hash ^= hash >> 32;
        s = span_skip(s, 8);
    }
    word = 0;
    if (s.length > 0)
        memcpy(&word, s.at, s.length);
    hash = (hash ^ word) * 0xd6e8feb86659fd93u;
    hash ^= hash >> 32;
    return hash * 0x9e3779b97f4a7c15u;
}

const struct lookup *
lookup_build(struct lookup_item *items, uint32_t count, struct arena *arena)
{
    struct lookup *l = arena_make(arena, struct lookup);
    uint32_t       bits = 1;

    while (bits < 24 && ((uint32_t)1 << bits) < count)
        bits++;
    uint32_t  slots     = (uint32_t)1 << bits;
    uint32_t *directory = arena_make_n(arena, (size_t)slots + 1, uint32_t);
    if (l == NULL || directory == NULL)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        items[i].hash = lookup_hash(items[i].key);
    if (!merge_sort(items, count, arena))
        return NULL;
    l->items     = items;
    l->count     = count;
    l->shift     = 64 - bits;
    l->directory = directory;
    uint32_t at = 0;
    for (uint32_t slot = 0; slot < slots; slot++) {
        directory[slot] = at;
        while (at < count && items[at].hash >> l->shift == slot)
            at++;
    }
    directory[slots] = count;
    return l;
}

uint32_t
lookup_find(const struct lookup *l, struct span key)
{
    struct lookup_item want = { .key = key, .hash = lookup_hash(key) };
    uint32_t           slot = (uint32_t)(want.hash >> l->shift);
    uint32_t           low = l->directory[slot], high = l->directory[slot + 1];

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (before(&l->items[middle], &want))
            low = middle + 1;
        else
            high = middle;
    }
    bool hit = low < l->directory[slot + 1] && l->items[low].hash == want.hash
            && span_eq(l->items[low].key, key);
    return hit ? low : LOOKUP_NONE;
}

uint32_t
lookup_next(const struct lookup *l, uint32_t position)
{
    if (position >= l->count || position + 1 == l->count
        || l->items[position].hash != l->items[position + 1].hash
        || !span_eq(l->items[position].key, l->items[position + 1].key))
        return LOOKUP_NONE;
    return position + 1;
}

uint32_t
lookup_value(const struct lookup *l, uint32_t position)
{
    return position < l->count ? l->items[position].value : LOOKUP_NONE;
}

struct span
lookup_key(const struct lookup *l, uint32_t position)
{
    return position < l->count ? l->items[position].key : (struct span){ NULL, 0 };
}

uint32_t
lookup_count(const struct lookup *l)
{
    return l->count;
}

/* ---- order -------------------------------------------------------------------- */

static bool
before(const struct lookup_item *a, const struct lookup_item *b)
{
    if (a->hash != b->hash)
        return a->hash < b->hash;
    return span_compare(a->key, b->key) < 0;
}

/* Bottom up and stable: equal keys stay as they came.  (qsort of the C library
 * is neither stable nor free of heap calls.) */
static bool
merge_sort(struct lookup_item *items, uint32_t count, struct arena *arena)
{
    struct arena_mark   mark = arena_mark(arena);
    struct lookup_item *spare = arena_make_n(arena, (size_t)count + 1, struct lookup_item);
    struct lookup_item *from = items, *to = spare;

    if (spare == NULL)
        return false;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t left = 0; left < count; left += 2 * width) {
            size_t middle = left + width < count ? left + width : count;
            size_t right  = left + 2 * width < count ? left + 2 * width : count;
            size_t a = left, b = middle;
            for (size_t k = left; k < right; k++)
                to[k] = b == right || (a < middle && !before(&from[b], &from[a])) ? from[a++] : from[b++];
        }
        struct lookup_item *swap = from;
        from = to;
        to   = swap;
    }
    if (from != items)
        memcpy(items, from, count * sizeof *items);
    arena_reset(arena, mark);
    return true;
}
