/* fhir/known_good.h -- values that were looked at and had nothing to find.
 *
 * Codings, categories and references repeat all over a Bundle.  What has the
 * same bytes in the same place of the definitions has the same findings, as
 * long as
 *
 *   K1  nothing outside of the value was asked for: another resource, %resource
 *   K2  nothing was found, a doubt neither: findings say where they are
 *   K3  nothing in it has to be noted for when the walk is through
 *
 * which the caller sees to.  One row for each hash: a hit is luck and a miss
 * costs little; the bytes are compared, so that no sender can make two values
 * meet.  Lives as long as the body.
 */
#ifndef SLUICE_FHIR_KNOWN_GOOD_H
#define SLUICE_FHIR_KNOWN_GOOD_H

#include "base/arena.h"
#include "base/json_walk.h"

#define KNOWN_MOST_BYTES 1024u           /* longer ones repeat more seldom */
#define KNOWN_FEW        32u             /* a power of 2, as the next one  */
#define KNOWN_MANY       2048u

struct known_value {
    uint64_t place;                      /* where it stands, and its kind */
    uint32_t start, length;              /* in the body; 0: none          */
};

struct known_good {
    const struct tape  *tape;
    struct known_value *rows;
    uint32_t            mask;
    struct known_value  few[KNOWN_FEW];
};

/* It must stay where it is. */
static inline void
known_init(struct known_good *k, const struct tape *t)
{
    *k = (struct known_good){ .tape = t, .rows = k->few, .mask = KNOWN_FEW - 1 };
}

/* Before the first use, for a Bundle that has more entries than a few. */
static inline enum status
known_widen(struct known_good *k, uint32_t entries, struct arena *arena)
{
    uint32_t room = entries >= KNOWN_MANY / 16 ? KNOWN_MANY : 16 * KNOWN_FEW;

    if (entries <= KNOWN_FEW / 2)
        return ST_OK;
    k->mask = room - 1;
    k->rows = arena_make_n(arena, room, struct known_value);
    return k->rows != NULL ? ST_OK : ST_NO_MEMORY;
}

/* A place of the caller's with the kind of the value: "[1]" is not [1]. */
static inline uint64_t
known_place(const struct known_good *k, uint64_t place, tape_node value)
{
    return place << 4 | (uint64_t)walk_kind(k->tape, value);
}

/* By the place and both ends of the bytes. */
static inline struct known_value *
known_row(const struct known_good *k, uint64_t place, tape_node value)
{
    struct span raw = walk_raw(k->tape, value);
    uint64_t    key = place << 11 ^ raw.length, a = 0, b = 0, c = 0;

    if (raw.length >= 16) {
        memcpy(&a, raw.at + raw.length / 2 - 4, 8);
        memcpy(&b, raw.at + raw.length - 16, 8);
        memcpy(&c, raw.at + raw.length - 8, 8);
    } else {
        a = key_of(raw);
    }
    return &k->rows[((key ^ a ^ b << 1 ^ c << 2) * 0x9e3779b97f4a7c15u >> 40) & k->mask];
}

static inline bool
known_has(const struct known_good *k, const struct known_value *row, uint64_t place, tape_node value)
{
    struct span raw = walk_raw(k->tape, value);

    return row->length == raw.length && row->place == place && raw.length > 0
        && memcmp(k->tape->body.at + row->start, raw.at, raw.length) == 0;
}

static inline void
known_keep(const struct known_good *k, struct known_value *row, uint64_t place, tape_node value)
{
    struct span raw = walk_raw(k->tape, value);

    *row = (struct known_value){ place, (uint32_t)(raw.at - k->tape->body.at), (uint32_t)raw.length };
}

#endif
