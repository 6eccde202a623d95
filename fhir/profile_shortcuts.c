/* fhir/profile_shortcuts.c -- invariants that hold at a glance. */
#include "base/json_walk.h"
#include "fhir/datatypes.h"
#include "fhir/profile_run.h"

static const struct { struct span expression; enum shortcut is; } shortcuts[] = {
#define SHORTCUT(expression, is) { { expression, sizeof(expression) - 1 }, SHORTCUT_##is },
#include "fhir/shortcuts.def"
#undef SHORTCUT
};

enum shortcut
profile_shortcut_of(struct span expression)
{
    for (size_t i = 0; i < sizeof shortcuts / sizeof shortcuts[0]; i++)
        if (span_eq(shortcuts[i].expression, expression))
            return shortcuts[i].is;
    return SHORTCUT_NONE;
}

/* Null, [], an array or none where the other belongs: what is there need not
 * exist for FHIRPath. */
static bool
is_odd(const struct profiling *r, const struct pack_shape *shape, const struct pack_slot *slot, tape_node value)
{
    const struct pack_element *e    = &r->pack->elements[shape->first_element + slot->element];
    bool                       list = walk_kind(r->tape, value) == TAPE_ARRAY;
    tape_node                  one  = list ? walk_first(r->tape, value) : value;

    if (one == TAPE_ABSENT || list != ((e->flags & ELEMENT_ARRAY) != 0) || (slot->flags & SLOT_SHADOW))
        return true;
    bool object = r->pack->types[e->first_type + slot->type].kind != TYPE_PRIMITIVE;
    return walk_kind(r->tape, one) == TAPE_NULL || object != (walk_kind(r->tape, one) == TAPE_OBJECT);
}

/* Which elements an object has, a bit for each; kept for its other invariants. */
static void
read_elements(struct profiling *r, const struct spot *spot)
{
    const struct pack_shape *shape = &r->pack->shapes[spot->shape];

    if (r->met_of == spot->value)
        return;
    memset(r->met, 0, sizeof r->met);
    r->met_odd = false;
    for (tape_node n = walk_first(r->tape, spot->value); n != TAPE_ABSENT; n = walk_next(r->tape, n)) {
        const struct pack_slot *slot = pack_slot_of(r->pack, shape, walk_key(r->tape, n - 1), walk_text(r->tape, n - 1, r->arena));
        if (slot == NULL || (slot->flags & SLOT_RESOURCE_TYPE))
            continue;
        r->met[slot->element / 64] |= (uint64_t)1 << slot->element % 64;
        r->met_odd |= is_odd(r, shape, slot, n);
    }
    r->met_of = spot->value;
}

static bool
has(const uint64_t met[2], uint8_t element)
{
    return element < PACK_SHAPE_ELEMENTS && (met[element / 64] >> element % 64 & 1);
}

static bool
lacks(const uint64_t met[2], uint8_t element)
{
    return element < PACK_SHAPE_ELEMENTS && !has(met, element);
}

static bool
by_elements(struct profiling *r, const struct pack_glance *g, const struct spot *spot)
{
    read_elements(r, spot);
    return lacks(r->met, g->absent[0]) || lacks(r->met, g->absent[1])
        || (!r->met_odd && (has(r->met, g->there[0]) || has(r->met, g->there[1])));
}

/* A period whose end is a date, a month or a year has all of it inside (R4
 * datatypes.html#Period), and one that begins on a date may begin at its first
 * moment.  FHIRPath has no answer for such a pair, which would refuse it. */
static bool
ordered_days(struct span from, struct span to)
{
    size_t both = from.length < to.length ? from.length : to.length;

    return both <= 10 && span_compare(span_from(from.at, both), span_from(to.at, both)) <= 0;
}

/* Two moments that are written alike, in one zone, have the order of their texts. */
static bool
ordered(const struct tape *t, tape_node object)
{
    tape_node from = walk_find(t, object, SPAN("start")), to = walk_find(t, object, SPAN("end"));

    if (from == TAPE_ABSENT || to == TAPE_ABSENT)
        return true;
    if (walk_kind(t, from) != TAPE_STRING || walk_kind(t, to) != TAPE_STRING || walk_escaped(t, from) || walk_escaped(t, to))
        return false;
    struct span a = walk_raw(t, from), b = walk_raw(t, to);
    size_t      zone = a.length == 10 ? 0 : 6;
    if (a.length != b.length || (a.length != 10 && a.length != 25 && a.length != 29)
        || !span_eq(span_skip(a, a.length - zone), span_skip(b, b.length - zone)))
        return ordered_days(a, b);
    return span_compare(a, b) <= 0;
}

bool
profile_holds_at_a_glance(struct profiling *r, const struct pack_constraint *one, const struct spot *spot)
{
    enum tape_kind kind = walk_kind(r->tape, spot->value);

    switch ((enum shortcut)(one->flags >> CONSTRAINT_SHORTCUT)) {
    case SHORTCUT_LONG:
        return kind == TAPE_STRING && !walk_escaped(r->tape, spot->value) && walk_raw(r->tape, spot->value).length >= 8
            && spot->type != NULL && spot->type->primitive == PRIMITIVE_DATETIME;
    case SHORTCUT_ORDERED:
        return kind == TAPE_OBJECT && ordered(r->tape, spot->value);
    default:
        return kind == TAPE_OBJECT && spot->shape != PACK_NONE && one->glance.shape == spot->shape
            && by_elements(r, &one->glance, spot);
    }
}
