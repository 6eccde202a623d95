/* gateway/store/late.c -- indexes that are written behind the rows they index. */
#include "gateway/store/late.h"

#include <stdlib.h>
#include <string.h>

/* A bit of `at` in late_next: the rest is how many of the frozen are ahead. */
#define IN_FROZEN 0x80000000u

struct late *
late_new(void)
{
    struct late *l = calloc(1, sizeof *l);

    if (l != NULL && (l->known = filter_new()) == NULL)
        late_free(&l);
    return l;
}

void
late_free(struct late **late)
{
    if (*late == NULL)
        return;
    free((*late)->entries);
    free((*late)->frozen);
    filter_free(&(*late)->known);
    free(*late);
    *late = NULL;
}

static uint32_t
bucket_of(enum late_kind kind, int64_t key)
{
    uint64_t mixed = ((uint64_t)key ^ (uint64_t)kind << 60) * UINT64_C(0x9e3779b97f4a7c15);

    return (uint32_t)(mixed >> 40) & (LATE_BUCKETS - 1);
}

/* Grows past LATE_ENTRIES only by what comes while the frozen ones are written,
 * which is faster than they come (lookup.c). */
static bool
make_room(struct late *l)
{
    uint32_t room = l->room > 0 ? 2 * l->room : LATE_ENTRIES + LATE_ENTRIES / 4;

    if (l->count < l->room)
        return true;
    if (room > IN_FROZEN / 2)
        return false;
    struct late_entry *larger = realloc(l->entries, (size_t)room * sizeof *larger);
    if (larger == NULL)
        return false;
    l->entries = larger;
    l->room    = room;
    return true;
}

enum status
late_add(struct late *l, enum late_kind kind, int64_t key, int64_t value)
{
    uint32_t bucket = bucket_of(kind, key);

    if (!make_room(l))
        return ST_UNAVAILABLE;
    l->entries[l->count] = (struct late_entry){ key, value, (uint32_t)kind, l->newest[bucket] };
    l->newest[bucket]    = ++l->count;
    if (kind == LATE_RESOURCE && l->known != NULL)
        filter_add(l->known, (uint64_t)key);
    return ST_OK;
}

bool
late_may(const struct late *l, enum late_kind kind, int64_t key)
{
    return kind != LATE_RESOURCE || l->known == NULL || filter_may(l->known, (uint64_t)key);
}

static void
active_clear(struct late *l)
{
    l->count = 0;
    memset(l->newest, 0, sizeof l->newest);
}

void
late_clear(struct late *l)
{
    active_clear(l);
    late_frozen_done(l);
}

void
late_frozen_done(struct late *l)
{
    free(l->frozen);
    l->frozen       = NULL;
    l->frozen_count = 0;
    l->written      = 0;
}

static int
order(const void *a, const void *b)
{
    const struct late_entry *x = a;
    const struct late_entry *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

/* qsort and not base/sort: its memory is bounded here (one copy of what waits),
 * and it is three times as fast. */
void
late_freeze(struct late *l)
{
    qsort(l->entries, l->count, sizeof *l->entries, order);
    l->frozen       = l->entries;
    l->frozen_count = l->count;
    l->written      = 0;
    l->entries      = NULL;
    l->room         = 0;
    active_clear(l);
}

/* How many of the frozen come before this. */
static uint32_t
frozen_below(const struct late *l, const struct late_entry *limit)
{
    uint32_t low = 0, high = l->frozen_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (order(&l->frozen[middle], limit) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool
frozen_next(const struct late *l, enum late_kind kind, int64_t key, uint32_t *at, int64_t *value)
{
    struct late_entry end   = { key, INT64_MAX, (uint32_t)kind, 0 };
    uint32_t          ahead = (*at & IN_FROZEN) != 0 ? *at & ~IN_FROZEN : frozen_below(l, &end);

    if (ahead == 0 || l->frozen[ahead - 1].kind != (uint32_t)kind || l->frozen[ahead - 1].key != key)
        return false;
    *value = l->frozen[ahead - 1].value;
    *at    = (ahead - 1) | IN_FROZEN;
    return true;
}

bool
late_next(const struct late *l, enum late_kind kind, int64_t key, uint32_t *at, int64_t *value)
{
    uint32_t next = 0;

    if (*at == 0)
        next = l->newest[bucket_of(kind, key)];
    else if ((*at & IN_FROZEN) == 0)
        next = l->entries[*at - 1].older;
    for (; next != 0; next = l->entries[next - 1].older) {
        const struct late_entry *e = &l->entries[next - 1];
        if (e->kind != (uint32_t)kind || e->key != key)
            continue;
        *at    = next;
        *value = e->value;
        return true;
    }
    return frozen_next(l, kind, key, at, value);
}

/* FNV-1a over both, with a byte between that neither holds. */
static int64_t
hash_two(struct span a, struct span b)
{
    uint64_t hash = span_hash(a) ^ 0xff;

    for (size_t i = 0; i < b.length; i++)
        hash = (hash ^ (unsigned char)b.at[i]) * UINT64_C(1099511628211);
    return (int64_t)hash;
}

int64_t
late_key_resource(struct span type, struct span id)
{
    return hash_two(type, id);
}

int64_t
late_key_answer(struct span client, struct span key)
{
    return hash_two(client, key);
}

int64_t
late_key_patient(struct span patient)
{
    return (int64_t)span_hash(patient);
}

/* The first 64 bits of a UUID version 7 begin with its time, so entries of this
 * kind are added at the end of the index.  Anything else is hashed. */
int64_t
late_key_event(struct span event_id)
{
    uint64_t key    = 0;
    unsigned digits = 0;

    for (size_t i = 0; i < event_id.length && digits < 16; i++) {
        char c = event_id.at[i];
        if (c == '-')
            continue;
        unsigned value = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 16;
        if (value == 16)
            return (int64_t)span_hash(event_id);
        key = key << 4 | value;
        digits++;
    }
    return digits == 16 ? (int64_t)key : (int64_t)span_hash(event_id);
}
