/* fhir/profile_walk.c -- a node of a profile and a value of an instance. */
#include "base/json_walk.h"
#include "fhir/profile_run.h"

#define TYPE_BASES 16u                   /* types above a type; R4 has four */

static void children(struct profiling *, const struct pack_node *, const struct spot *);
static void element(struct profiling *, const struct pack_node *, tape_node object, tape_node value, tape_node shadow,
                    const struct pack_type *);

void
profile_value(struct profiling *r, const struct pack_node *n, const struct spot *spot)
{
    if (profile_ended(r))
        return;
    r->steps--;
    if (r->depth >= PROFILE_DEPTH)
        r->steps = 0;
    if (r->steps == 0)
        return;                                          /* profiling_end() says so */
    r->depth++;
    if (n->flags & NODE_TYPES)
        profile_types(r, n, spot);
    if (n->flags & (NODE_FIXED | NODE_PATTERN))
        profile_fixed(r, n, spot);
    if (n->least != PACK_NONE || n->most != PACK_NONE || n->max_length > 0)
        profile_bounds(r, n, spot);
    if (n->binding != PACK_NONE)
        profile_binding(r, n, spot);
    if (n->constraint_count > 0)
        profile_constraints(r, n, spot);
    if ((n->children[0] | n->children[1]) != 0)
        children(r, n, spot);
    r->depth--;
}

/* ---- children -------------------------------------------------------------------------------- */

struct found { tape_node value, shadow; const struct pack_type *type; };

/* The members that the node has children for, in one pass over the object. */
static void
find_members(const struct profiling *r, const struct pack_node *n, tape_node object, struct found *found)
{
    const struct pack       *p     = r->pack;
    const struct pack_shape *shape = &p->shapes[n->shape];

    for (tape_node value = walk_first(r->tape, object); value != TAPE_ABSENT; value = walk_next(r->tape, value)) {
        tape_node               name = value - 1;
        const struct pack_slot *slot = pack_slot_of(p, shape, walk_key(r->tape, name), walk_text(r->tape, name, r->arena));
        if (slot == NULL || (slot->flags & SLOT_RESOURCE_TYPE))
            continue;
        uint32_t child = pack_child(n, slot->element);
        if (child == PACK_NONE)
            continue;
        struct found *at = &found[child - n->first_child];
        if (slot->flags & SLOT_SHADOW)
            at->shadow = value;
        else
            at->value = value;
        at->type = &p->types[p->elements[shape->first_element + slot->element].first_type + slot->type];
    }
}

static void
children(struct profiling *r, const struct pack_node *n, const struct spot *spot)
{
    struct found found[PACK_SHAPE_ELEMENTS] __attribute__((uninitialized));   /* zeroed as far as it is used */
    uint32_t     count  = pack_children(n);
    bool         bare   = spot->type != NULL && spot->type->kind == TYPE_PRIMITIVE;
    tape_node    object = bare ? spot->shadow : spot->value;
    uint32_t     shape  = bare ? r->pack->header->element_shape : spot->shape;

    if (shape != n->shape || (object != TAPE_ABSENT && walk_kind(r->tape, object) != TAPE_OBJECT))
        return;
    memset(found, 0, count * sizeof found[0]);
    if (object != TAPE_ABSENT)
        find_members(r, n, object, found);
    for (uint32_t i = 0; i < count && !profile_ended(r); i++) {
        const struct pack_node *child = &r->pack->nodes[n->first_child + i];
        if (found[i].type != NULL || (child->flags & NODE_WANTED))
            element(r, child, object != TAPE_ABSENT ? object : spot->value, found[i].value, found[i].shadow, found[i].type);
    }
}

bool
profile_push(struct profiling *r, struct spot spot)
{
    if (r->spot_count == r->spot_room) {
        uint32_t room = r->spot_room > 0 ? r->spot_room * 2 : 64;
        r->spots = arena_grow(r->arena, r->spots, r->spot_room * sizeof *r->spots, room * sizeof *r->spots);
        if (r->spots == NULL) {
            r->no_memory = true;
            return false;
        }
        r->spot_room = room;
    }
    r->spots[r->spot_count++] = spot;
    return true;
}

void
profile_push_item(struct profiling *r, tape_node value, tape_node shadow, const struct pack_type *type)
{
    struct spot spot = { .value = value, .shadow = shadow, .type = type, .shape = PACK_NONE };

    if (walk_kind(r->tape, value) == TAPE_NULL)
        spot.value = TAPE_ABSENT;
    if (walk_kind(r->tape, shadow) == TAPE_NULL)
        spot.shadow = TAPE_ABSENT;
    if (spot.value == TAPE_ABSENT && spot.shadow == TAPE_ABSENT)
        return;
    if (type->kind == TYPE_RESOURCE && walk_kind(r->tape, spot.value) == TAPE_OBJECT) {
        spot      = profiling_resource(r, value);
        spot.type = type;
    } else if (type->kind == TYPE_COMPLEX) {
        spot.shape = type->shape;
    }
    (void)profile_push(r, spot);
}

/* Whether looking at an element costs more than knowing that it was looked at. */
static bool
asks_much(const struct pack_node *n)
{
    return (n->children[0] | n->children[1]) != 0 || n->slice_count > 0 || n->constraint_count > 0 || n->binding != PACK_NONE
        || (n->flags & (NODE_TYPES | NODE_PATTERN));
}

/* The items of an element, of both halves side by side. */
static void
items(struct profiling *r, const struct pack_node *n, tape_node object, tape_node value, tape_node shadow,
        const struct pack_type *type)
{
    uint32_t  first  = r->spot_count;
    bool      array  = walk_kind(r->tape, value) == TAPE_ARRAY, shadows = walk_kind(r->tape, shadow) == TAPE_ARRAY;
    tape_node item   = array ? walk_first(r->tape, value) : value;
    tape_node beside = shadows ? walk_first(r->tape, shadow) : shadow;

    while (item != TAPE_ABSENT || beside != TAPE_ABSENT) {
        profile_push_item(r, item, beside, type);
        item   = array && item != TAPE_ABSENT ? walk_next(r->tape, item) : TAPE_ABSENT;
        beside = shadows && beside != TAPE_ABSENT ? walk_next(r->tape, beside) : TAPE_ABSENT;
    }
    profile_list(r, n, object, first, r->spot_count - first);
    r->spot_count = first;
}

/* K1: what a reference names is the same for all that are at home in one place. */
static uint64_t
place_of(const struct profiling *r, const struct pack_node *n, const struct pack_type *type)
{
    uint64_t which = (uint64_t)(type - &r->pack->types[r->pack->elements[n->element].first_type]) & 0xff;

    return (uint64_t)(n - r->pack->nodes) << 32 | (uint64_t)(r->home & 0xffffff) << 8 | which;
}

static void
element(struct profiling *r, const struct pack_node *n, tape_node object, tape_node value, tape_node shadow,
        const struct pack_type *type)
{
    enum tape_kind kind = walk_kind(r->tape, value);

    if (shadow != TAPE_ABSENT || (kind != TAPE_OBJECT && kind != TAPE_ARRAY && kind != TAPE_STRING) || !asks_much(n)
        || walk_raw(r->tape, value).length > KNOWN_MOST_BYTES) {
        items(r, n, object, value, shadow, type);
        return;
    }
    uint64_t            place    = known_place(&r->good, place_of(r, n, type), value);
    struct known_value *row      = known_row(&r->good, place, value);
    uint32_t            findings = r->findings, outside = r->outside, resolved = r->resolved;
    if (known_has(&r->good, row, place, value))
        return;
    items(r, n, object, value, shadow, type);
    if (findings == r->findings && outside == r->outside && (r->home != 0 || resolved == r->resolved) && !profile_ended(r))
        known_keep(&r->good, row, place, value);
}

/* "want us-core-patient: Patient.name 1..*" */
static struct span
wanted_count(struct profiling *r, const struct pack_node *n)
{
    struct span place = profile_place(r, n);

    if (n->max == PACK_MANY)
        return arena_format(r->arena, "want %.*s %u..*", SPAN_PRINT(place), n->min);
    return arena_format(r->arena, "want %.*s %u..%u", SPAN_PRINT(place), n->min, n->max);
}

void
profile_list(struct profiling *r, const struct pack_node *n, tape_node object, uint32_t first, uint32_t count)
{
    if ((n->flags & NODE_CARDINALITY) && (count < n->min || count > n->max)) {
        tape_node at = count < n->min || r->spots[first].value == TAPE_ABSENT ? object : r->spots[first].value;
        if (profile_wrong(r, n, at, SEVERITY_ERROR, count < n->min ? ISSUE_REQUIRED : ISSUE_STRUCTURE, "profile:cardinality"))
            profile_tell(r, wanted_count(r, n),
                         count == 0 ? SPAN("have none") : arena_format(r->arena, "have %u", count), PROFILE_NOTHING);
    }
    for (uint32_t i = 0; i < count && !profile_ended(r); i++) {
        struct spot spot = r->spots[first + i];          /* the stack may move */
        profile_value(r, n, &spot);
    }
    if (n->slice_count > 0 && !profile_ended(r))
        profile_slices(r, n, object, first, count);
}

/* ---- types --------------------------------------------------------------------------------------- */

struct span
profile_type_name(const struct profiling *r, const struct spot *spot)
{
    if (spot->shape != PACK_NONE && (spot->type == NULL || spot->type->kind == TYPE_RESOURCE))
        return pack_span(r->pack, r->pack->structures[r->pack->shapes[spot->shape].structure].name);
    if (spot->type == NULL)
        return walk_find_text(r->tape, spot->value, SPAN("resourceType"), r->arena);
    return pack_span(r->pack, spot->type->code);
}

/* The hierarchy as far as elements may differ by it, as the definitions have it. */
bool
profile_type_is(const struct profiling *r, struct span have, struct span wanted)
{
    if (span_eq(have, wanted) || span_eq_text(wanted, "Element") || span_eq_text(wanted, "BackboneElement"))
        return true;
    uint32_t at = profile_structure(r, have);
    for (uint32_t left = TYPE_BASES; at != PACK_NONE && left > 0; left--) {
        if (span_eq(pack_span(r->pack, r->pack->structures[at].name), wanted))
            return true;
        at = r->pack->structures[at].base;
    }
    return false;
}

/* Of one profile all findings are told; of several one has to fit. */
static void
one_of_profiles(struct profiling *r, const struct pack_node *n, const struct pack_allowed *one, const struct spot *spot)
{
    const struct pack_canonical *all = &r->pack->canonicals[one->first_profile];
    uint32_t                     known = 0;

    for (uint32_t i = 0; i < one->profile_count; i++) {
        known += all[i].profile != PACK_NONE;
    }
    if (known == 1 && one->profile_count == 1) {
        profile_apply_canonical(r, &all[0], spot);
        return;
    }
    for (uint32_t i = 0; i < one->profile_count; i++)
        if (all[i].profile != PACK_NONE && profile_fits_canonical(r, &all[i], spot))
            return;
    bool decided = known == one->profile_count;
    if (profile_wrong(r, n, spot->value, decided ? SEVERITY_ERROR : SEVERITY_WARNING,
                      decided ? ISSUE_STRUCTURE : ISSUE_NOT_FOUND, decided ? "profile:type" : "profile:unknown"))
        profile_tell(r, arena_format(r->arena, "want %.*s to be what one of %u profiles asks, %.*s among them",
                                     SPAN_PRINT(profile_place(r, n)), one->profile_count, SPAN_PRINT(pack_span(r->pack, all[0].url))),
                     decided ? SPAN("have none of them") : SPAN("have none of those that are here"), PROFILE_NOTHING);
}

static void
refuse_type(struct profiling *r, const struct pack_node *n, const struct spot *spot, struct span have)
{
    struct span list = PROFILE_NOTHING;

    if (!profile_wrong(r, n, spot->value != TAPE_ABSENT ? spot->value : spot->shadow, SEVERITY_ERROR, ISSUE_STRUCTURE, "profile:type"))
        return;
    for (uint32_t i = 0; i < n->allowed_count; i++)
        list = arena_join(r->arena, list, i > 0 ? SPAN(", ") : SPAN(""), pack_span(r->pack, r->pack->allowed[n->first_allowed + i].code));
    profile_tell(r, arena_format(r->arena, "want %.*s to be %.*s", SPAN_PRINT(profile_place(r, n)), SPAN_PRINT(list)),
                 arena_join(r->arena, SPAN("have "), have), PROFILE_NOTHING);
}

void
profile_types(struct profiling *r, const struct pack_node *n, const struct spot *spot)
{
    struct span have = profile_type_name(r, spot);

    if (span_empty(have) || span_starts(have, SPAN("http://hl7.org/fhirpath/")))
        return;
    for (uint32_t i = 0; i < n->allowed_count; i++) {
        const struct pack_allowed *one = &r->pack->allowed[n->first_allowed + i];
        if (!profile_type_is(r, have, pack_span(r->pack, one->code)))
            continue;
        if (one->profile_count > 0)
            one_of_profiles(r, n, one, spot);
        if (one->target_count > 0)
            profile_targets(r, n, one, spot);
        if (one->ways != 0)
            profile_ways(r, n, one, spot);
        return;
    }
    refuse_type(r, n, spot, have);
}
