#include "fhir/lookup.h"

#include <string.h>

struct lookup {
    const struct lookup_item *items;
    uint32_t                  count;
    uint32_t                  shift;     /* hash >> shift is the slot of the directory */
    const uint32_t           *directory; /* first item of a slot; one more at the end  */
};

static bool before(const struct lookup_item *a, const struct lookup_item *b);
static void merge_sort(struct lookup_item *, uint32_t count, struct lookup_item *spare);

/* Eight bytes a step; good spread in the top bits, which the directory uses. */
uint64_t
lookup_hash(struct span s)
{
    uint64_t hash = 0x9e3779b97f4a7c15u ^ s.length;
    uint64_t word = 0;
    size_t   at   = 0;

    for (; at + 8 <= s.length; at += 8) {
        memcpy(&word, s.at + at, 8);
        hash = (hash ^ word) * 0xd6e8feb86659fd93u;
        hash ^= hash >> 32;
    }
    if (s.length >= 8) {                             /* the last eight, some of them again */
        memcpy(&word, s.at + s.length - 8, 8);
    } else {
        for (word = 0; at < s.length; at++)
            word = word << 8 | (unsigned char)s.at[at];
    }
    hash = (hash ^ word) * 0xd6e8feb86659fd93u;
    hash ^= hash >> 32;
    return hash * 0x9e3779b97f4a7c15u;
}

/* Into the slots of the directory, as they came; then each slot by itself,
 * which holds one item or two unless somebody chose the keys. */
static void
sort_by_slot(struct lookup *l, uint32_t *directory, uint32_t slots, struct lookup_item *items,
             struct lookup_item *spare)
{
    for (uint32_t i = 0; i < l->count; i++)
        directory[(items[i].hash >> l->shift) + 1]++;
    for (uint32_t slot = 0; slot < slots; slot++)
        directory[slot + 1] += directory[slot];
    if (l->count > 0)
        memcpy(spare, items, l->count * sizeof *items);
    for (uint32_t i = 0; i < l->count; i++)
        items[directory[spare[i].hash >> l->shift]++] = spare[i];
    for (uint32_t slot = slots; slot > 0; slot--)    /* each has moved to the start of the next */
        directory[slot] = directory[slot - 1];
    directory[0] = 0;
    for (uint32_t slot = 0; slot < slots; slot++)
        if (directory[slot + 1] - directory[slot] > 1)
            merge_sort(items + directory[slot], directory[slot + 1] - directory[slot], spare);
}

const struct lookup *
lookup_build(struct lookup_item *items, uint32_t count, struct arena *arena)
{
    struct lookup *l = arena_make(arena, struct lookup);
    uint32_t       bits = 1;

    while (bits < 24 && ((uint32_t)1 << bits) < count)
        bits++;
    uint32_t            slots     = (uint32_t)1 << bits;
    uint32_t           *directory = arena_make_n(arena, (size_t)slots + 1, uint32_t);
    struct arena_mark   mark      = arena_mark(arena);
    struct lookup_item *spare     = arena_make_n(arena, count, struct lookup_item);
    if (l == NULL || directory == NULL || spare == NULL)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        items[i].hash = lookup_hash(items[i].key);
    *l = (struct lookup){ .items = items, .count = count, .shift = 64 - bits, .directory = directory };
    sort_by_slot(l, directory, slots, items, spare);
    arena_reset(arena, mark);
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

static bool
same_key(const struct lookup *l, uint32_t position, uint32_t other)
{
    return l->items[position].hash == l->items[other].hash && span_eq(l->items[position].key, l->items[other].key);
}

uint32_t
lookup_first(const struct lookup *l, uint32_t position)
{
    if (position >= l->count)
        return LOOKUP_NONE;
    if (position == 0 || !same_key(l, position, position - 1))
        return position;                 /* nearly always; a row of many is not walked back */
    return lookup_find(l, l->items[position].key);
}

uint32_t
lookup_next(const struct lookup *l, uint32_t position)
{
    return position >= l->count || position + 1 == l->count || !same_key(l, position, position + 1) ? LOOKUP_NONE
                                                                                                   : position + 1;
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
static void
merge_sort(struct lookup_item *items, uint32_t count, struct lookup_item *spare)
{
    struct lookup_item *from = items, *to = spare;

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
}
