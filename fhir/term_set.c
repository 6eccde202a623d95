#include "fhir/term_set.h"

#include "base/sort.h"

struct word { uint8_t said, why; };

static struct term_part combine_parts(struct term_set_oracle *, enum term_operation, const struct term_part *a,
                                      const struct term_part *b);

struct term_set
term_set_all(uint8_t said, uint8_t why)
{
    return (struct term_set){ NULL, 0, said, why };
}

static int
by_code(const void *a, const void *b, const void *context)
{
    const struct term_item *x = a, *y = b;

    (void)context;
    return (x->code > y->code) - (x->code < y->code);
}

uint32_t
term_items_sort(struct term_item *items, uint32_t count)
{
    uint32_t kept = 0;

    sort_in_place(items, count, sizeof *items, by_code, NULL);
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || items[kept - 1].code != items[i].code)
            items[kept++] = items[i];
    return kept;
}

/* ---- words ----------------------------------------------------------------------- */

static struct word
negated(struct word w)
{
    if (w.said == SAID_UNDECIDED)
        return w;
    return (struct word){ w.said == SAID_IN ? SAID_OUT : SAID_IN, TERM_WHY_NONE };
}

static struct word
both(struct word a, struct word b)
{
    return a.said == SAID_OUT ? a : b.said == SAID_OUT ? b : a.said == SAID_UNDECIDED ? a : b;
}

static struct word
either(struct word a, struct word b)
{
    return a.said == SAID_IN ? a : b.said == SAID_IN ? b : a.said == SAID_UNDECIDED ? a : b;
}

static struct word
said_of_code(enum term_operation op, struct word a, struct word b)
{
    switch (op) {
    case TERM_UNITE:     return either(a, b);
    case TERM_INTERSECT: return both(a, b);
    default:             return both(a, negated(b));
    }
}

/* Of all other codes.  WHOLE is IN for every code that the system has, and no
 * other code comes into question: so it is IN to the logic and is put back after it. */
static struct word
said_of_others(enum term_operation op, struct word a, struct word b)
{
    bool whole = a.said == SAID_WHOLE || b.said == SAID_WHOLE;

    a.said = a.said == SAID_WHOLE ? SAID_IN : a.said;
    b.said = b.said == SAID_WHOLE ? SAID_IN : b.said;
    struct word w = said_of_code(op, a, b);
    if (w.said == SAID_IN)
        w.said = whole ? SAID_WHOLE : SAID_OUT;
    return w;
}

/* ---- parts ------------------------------------------------------------------------ */

static struct term_part
rest_of(const struct term_set *s, const struct term_part *like)
{
    return (struct term_part){ .system = like->system, .version = like->version, .fallback = s->rest, .why = s->rest_why };
}

/* What a part says of a code that is in the other's list. */
static struct word
said_by(struct term_set_oracle *o, const struct term_part *part, const struct term_item *own,
        const struct term_item *other)
{
    struct word w;

    if (own != NULL)
        return (struct word){ own->said, own->why };
    if (part->fallback != SAID_WHOLE)
        return (struct word){ part->fallback, part->why };
    w.said = o->ask(o->context, part, other, &w.why);
    return w;
}

static struct term_part
combine_parts(struct term_set_oracle *o, enum term_operation op, const struct term_part *a, const struct term_part *b)
{
    struct term_part  out = { .system = a->system, .version = a->version.length > 0 ? a->version : b->version };
    struct word       others = said_of_others(op, (struct word){ a->fallback, a->why }, (struct word){ b->fallback, b->why });
    uint64_t          room = (uint64_t)a->count + b->count;
    struct term_item *items;
    uint32_t          i = 0, k = 0;

    if (b->count == 0 && b->fallback == SAID_OUT && op != TERM_INTERSECT)
        return *a;                               /* nothing to add, nothing to take away */
    out.fallback = others.said;
    out.why      = others.why;
    if (room > o->items_left) {
        out.fallback = SAID_UNDECIDED;
        out.why      = TERM_WHY_SIZE;
        return out;
    }
    if ((items = arena_make_n(o->arena, (size_t)room + 1, struct term_item)) == NULL)
        return out;
    while (i < a->count || k < b->count) {
        const struct term_item *x = i < a->count ? &a->items[i] : NULL, *y = k < b->count ? &b->items[k] : NULL;
        if (x != NULL && y != NULL && x->code != y->code) {
            x = x->code < y->code ? x : NULL;
            y = x == NULL ? y : NULL;
        }
        struct word w = said_of_code(op, said_by(o, a, x, y), said_by(o, b, y, x));
        /* What the fallback says anyway need not be listed. */
        if (w.said != out.fallback)
            items[out.count++] = (struct term_item){ x != NULL ? x->code : y->code, x != NULL ? x->length : y->length, w.said, w.why };
        i += x != NULL;
        k += y != NULL;
    }
    arena_shrink(o->arena, items, ((size_t)room + 1) * sizeof *items, ((size_t)out.count + 1) * sizeof *items);
    out.items = items;
    o->items_left -= out.count;
    return out;
}

/* ---- sets ------------------------------------------------------------------------- */

static bool
same_key(const struct term_part *a, const struct term_part *b)
{
    return a->system.offset == b->system.offset && a->version.offset == b->version.offset;
}

/* A version that is not said is any. */
static bool
meet(const struct term_part *a, const struct term_part *b)
{
    return a->system.offset == b->system.offset
        && (a->version.length == 0 || b->version.length == 0 || a->version.offset == b->version.offset);
}

static const struct term_part *
find_part(const struct term_set *s, const struct term_part *like)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (same_key(&s->parts[i], like))
            return &s->parts[i];
    return NULL;
}

/* A part of a set that grows; the union with the one of the same key. */
static bool
add_part(struct term_set_oracle *o, struct term_set *s, struct term_part *parts, struct term_part one, uint8_t rest)
{
    if (one.count == 0 && one.fallback == rest)
        return true;
    for (uint32_t i = 0; i < s->count; i++)
        if (same_key(&parts[i], &one)) {
            parts[i] = combine_parts(o, TERM_UNITE, &parts[i], &one);
            return true;
        }
    if (s->count == TERM_SET_PARTS)
        return false;
    parts[s->count++] = one;
    return true;
}

/* Every part of one with the part of the other, or with its rest. */
static bool
unite(struct term_set_oracle *o, struct term_set *out, struct term_part *parts, const struct term_set *a,
      const struct term_set *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        struct term_part        rest  = rest_of(b, &a->parts[i]);
        const struct term_part *other = find_part(b, &a->parts[i]);
        if (!add_part(o, out, parts, combine_parts(o, TERM_UNITE, &a->parts[i], other != NULL ? other : &rest), out->rest))
            return false;
    }
    for (uint32_t i = 0; i < b->count; i++) {
        struct term_part rest = rest_of(a, &b->parts[i]);
        if (find_part(a, &b->parts[i]) == NULL
            && !add_part(o, out, parts, combine_parts(o, TERM_UNITE, &rest, &b->parts[i]), out->rest))
            return false;
    }
    return true;
}

static bool
intersect(struct term_set_oracle *o, struct term_set *out, struct term_part *parts, const struct term_set *a,
          const struct term_set *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        bool met = false;
        for (uint32_t k = 0; k < b->count; k++) {
            if (!meet(&a->parts[i], &b->parts[k]))
                continue;
            met = true;
            if (!add_part(o, out, parts, combine_parts(o, TERM_INTERSECT, &a->parts[i], &b->parts[k]), out->rest))
                return false;
        }
        struct term_part rest = rest_of(b, &a->parts[i]);
        if (!met && !add_part(o, out, parts, combine_parts(o, TERM_INTERSECT, &a->parts[i], &rest), out->rest))
            return false;
    }
    for (uint32_t k = 0; k < b->count; k++) {
        bool met = false;
        for (uint32_t i = 0; i < a->count && !met; i++)
            met = meet(&a->parts[i], &b->parts[k]);
        struct term_part rest = rest_of(a, &b->parts[k]);
        if (!met && !add_part(o, out, parts, combine_parts(o, TERM_INTERSECT, &rest, &b->parts[k]), out->rest))
            return false;
    }
    return true;
}

static bool
subtract(struct term_set_oracle *o, struct term_set *out, struct term_part *parts, const struct term_set *a,
         const struct term_set *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        struct term_part left = a->parts[i], rest = rest_of(b, &left);
        bool             met  = false;
        for (uint32_t k = 0; k < b->count; k++) {
            if (!meet(&a->parts[i], &b->parts[k]))
                continue;
            struct pack_text version = left.version;
            left         = combine_parts(o, TERM_SUBTRACT, &left, &b->parts[k]);
            left.version = version;
            met          = true;
        }
        if (!met)
            left = combine_parts(o, TERM_SUBTRACT, &left, &rest);
        if (!add_part(o, out, parts, left, out->rest))
            return false;
    }
    return true;
}

struct term_set
term_set_combine(struct term_set_oracle *o, enum term_operation op, struct term_set a, struct term_set b)
{
    static bool (*const each[])(struct term_set_oracle *, struct term_set *, struct term_part *, const struct term_set *,
                                const struct term_set *) = { unite, intersect, subtract };
    struct word      rest = said_of_others(op, (struct word){ a.rest, a.rest_why }, (struct word){ b.rest, b.rest_why });
    struct term_set  out  = { .rest = rest.said, .rest_why = rest.why };
    uint64_t         most = (uint64_t)a.count * (op == TERM_INTERSECT ? b.count + 1u : 1u) + b.count;
    struct term_part *parts = arena_make_n(o->arena, (size_t)(most < TERM_SET_PARTS ? most : TERM_SET_PARTS) + 1, struct term_part);

    if (parts == NULL)
        return term_set_all(SAID_UNDECIDED, TERM_WHY_SIZE);
    if (!each[op](o, &out, parts, &a, &b))
        return term_set_all(SAID_UNDECIDED, TERM_WHY_SIZE);
    out.parts = parts;
    return out;
}
