/* fhir/profile_slices.c -- which slice an item is in, and what slices ask together. */
#include "base/json_walk.h"
#include "fhir/profile_run.h"

#define SLICE_NONE UINT32_MAX

/* ---- paths ----------------------------------------------------------------------------------- */

/* Values that a path leads to are looked at as they are met; the first that
 * passes ends the search. */
typedef bool ask(struct profiling *, const struct pack_test *, const struct spot *);

static bool follow(struct profiling *, const struct pack_test *, uint32_t step, const struct spot *, ask *);

/* One member of an object, each item of it. */
static bool
follow_items(struct profiling *r, const struct pack_test *test, uint32_t step, tape_node value, tape_node shadow,
             const struct pack_type *type, ask *asked)
{
    uint32_t  first  = r->spot_count;
    bool      array  = walk_kind(r->tape, value) == TAPE_ARRAY, shadows = walk_kind(r->tape, shadow) == TAPE_ARRAY;
    tape_node item   = array ? walk_first(r->tape, value) : value;
    tape_node beside = shadows ? walk_first(r->tape, shadow) : shadow;
    bool      hit    = false;

    for (; !hit && (item != TAPE_ABSENT || beside != TAPE_ABSENT); r->spot_count = first) {
        profile_push_item(r, item, beside, type);
        if (r->spot_count > first) {
            struct spot spot = r->spots[first];
            hit = follow(r, test, step, &spot, asked);
        }
        item   = array && item != TAPE_ABSENT ? walk_next(r->tape, item) : TAPE_ABSENT;
        beside = shadows && beside != TAPE_ABSENT ? walk_next(r->tape, beside) : TAPE_ABSENT;
    }
    return hit;
}

/* `name` or, for a choice, `nameQuantity`. */
static bool
follow_member(struct profiling *r, const struct pack_test *test, uint32_t step, const struct spot *spot, struct span name,
              ask *asked)
{
    const struct pack *p = r->pack;

    if (spot->shape == PACK_NONE || walk_kind(r->tape, spot->value) != TAPE_OBJECT)
        return false;
    const struct pack_shape *shape = &p->shapes[spot->shape];
    for (tape_node n = walk_first(r->tape, spot->value); n != TAPE_ABSENT; n = walk_next(r->tape, n)) {
        struct span text = walk_text(r->tape, n - 1, r->arena);
        bool        shadow = text.length > 0 && text.at[0] == '_';
        if (!span_starts(shadow ? span_skip(text, 1) : text, name))
            continue;
        const struct pack_slot *slot = pack_slot_of(p, shape, walk_key(r->tape, n - 1), text);
        if (slot == NULL || (slot->flags & SLOT_RESOURCE_TYPE))
            continue;
        const struct pack_element *e     = &p->elements[shape->first_element + slot->element];
        struct span                have  = pack_span(p, e->name);
        if (e->flags & ELEMENT_CHOICE)
            have.length -= 3;
        if (!span_eq(have, name) && !span_eq(shadow ? span_skip(text, 1) : text, name))
            continue;
        const struct pack_type *type = &p->types[e->first_type + slot->type];
        if (follow_items(r, test, step, shadow ? TAPE_ABSENT : n, shadow ? n : TAPE_ABSENT, type, asked))
            return true;
    }
    return false;
}

static bool
follow_extension(struct profiling *r, const struct pack_test *test, uint32_t step, const struct spot *spot, struct span url,
                 ask *asked)
{
    tape_node object = walk_kind(r->tape, spot->value) == TAPE_OBJECT ? spot->value : spot->shadow;
    tape_node list   = walk_kind(r->tape, object) == TAPE_OBJECT ? walk_find(r->tape, object, SPAN("extension")) : TAPE_ABSENT;
    uint32_t  type   = profile_structure(r, SPAN("Extension"));

    if (walk_kind(r->tape, list) != TAPE_ARRAY || type == PACK_NONE)
        return false;
    for (tape_node n = walk_first(r->tape, list); n != TAPE_ABSENT; n = walk_next(r->tape, n)) {
        struct spot one = { .value = n, .shape = r->pack->structures[type].shape };
        if (walk_kind(r->tape, n) == TAPE_OBJECT && tape_text_eq(r->tape, walk_find(r->tape, n, SPAN("url")), url)
            && follow(r, test, step, &one, asked))
            return true;
    }
    return false;
}

/* As deep as a path has steps. */
static bool
follow(struct profiling *r, const struct pack_test *test, uint32_t step, const struct spot *spot, ask *asked)
{
    if (r->steps == 0)
        return false;
    r->steps--;
    if (step == test->step_count)
        return asked(r, test, spot);
    const struct pack_step *one  = &r->pack->steps[test->first_step + step];
    struct span             name = pack_span(r->pack, one->name);
    switch (one->kind) {
    case STEP_MEMBER:
        return follow_member(r, test, step + 1, spot, name, asked);
    case STEP_EXTENSION:
        return follow_extension(r, test, step + 1, spot, name, asked);
    case STEP_OF_TYPE:
        return profile_type_is(r, profile_type_name(r, spot), name) && follow(r, test, step + 1, spot, asked);
    default: {
        tape_node   target   = profile_resolve(r, spot->value);
        struct spot resource = target == TAPE_ABSENT ? (struct spot){ 0 } : profiling_resource(r, target);
        return target != TAPE_ABSENT && follow(r, test, step + 1, &resource, asked);
    }
    }
}

/* ---- tests -------------------------------------------------------------------------------------- */

static bool
is_there(struct profiling *r, const struct pack_test *test, const struct spot *spot)
{
    (void)r, (void)test, (void)spot;
    return true;
}

static bool
ask_spot(struct profiling *r, const struct pack_test *test, const struct spot *spot)
{
    const struct pack *p = r->pack;

    switch (test->kind) {
    case TEST_FIXED:
        return spot->value != TAPE_ABSENT && profile_equal(r, test->first, spot->value);
    case TEST_PATTERN:
        return spot->value != TAPE_ABSENT && profile_matches(r, test->first, spot->value);
    case TEST_BINDING:
        return profile_bound(r, &p->bindings[test->first], spot);
    case TEST_TYPE:
        for (uint32_t i = 0; i < test->count; i++)
            if (profile_type_is(r, profile_type_name(r, spot), pack_span(p, p->allowed[test->first + i].code)))
                return true;
        return false;
    case TEST_PROFILE:
        for (uint32_t i = 0; i < test->count; i++)
            if (p->canonicals[test->first + i].profile != PACK_NONE
                && profile_fits_canonical(r, &p->canonicals[test->first + i], spot))
                return true;
        return false;
    case TEST_NODE:
        return profile_value_fits(r, &p->nodes[test->first], spot);
    default:
        return true;
    }
}

static bool
in_slice(struct profiling *r, const struct pack_node *slice, const struct spot *spot)
{
    if (slice->flags & (NODE_UNTESTED | NODE_DEFAULT))
        return false;
    for (uint32_t i = 0; i < slice->test_count; i++) {
        const struct pack_test *test = &r->pack->tests[slice->first_test + i];
        bool hit = follow(r, test, 0, spot, test->kind == TEST_EXISTS || test->kind == TEST_ABSENT ? is_there : ask_spot);
        if (hit == (test->kind == TEST_ABSENT))
            return false;
    }
    return true;
}

/* ---- slices --------------------------------------------------------------------------------------- */

static uint32_t
slice_of(struct profiling *r, const struct pack_node *n, const struct spot *spot, bool *several)
{
    uint32_t fallback = SLICE_NONE, found = SLICE_NONE;

    *several = false;
    for (uint32_t i = 0; i < n->slice_count && !*several; i++) {
        const struct pack_node *slice = &r->pack->nodes[n->first_slice + i];
        if (in_slice(r, slice, spot)) {
            *several = found != SLICE_NONE;
            found    = found == SLICE_NONE ? i : found;
        }
        if (slice->flags & NODE_DEFAULT)
            fallback = i;
    }
    return found == SLICE_NONE ? fallback : found;
}

static void
refuse_slice(struct profiling *r, const struct pack_node *n, tape_node node, struct span wanted)
{
    if (profile_wrong(r, n, node, SEVERITY_ERROR, ISSUE_STRUCTURE, "profile:slicing"))
        profile_tell(r, arena_format(r->arena, "want every %.*s %.*s", SPAN_PRINT(profile_place(r, n)), SPAN_PRINT(wanted)),
                     SPAN("have one that is not"), PROFILE_NOTHING);
}

/* R4 profiling.html#slicing: closed, openAtEnd, ordered. */
static void
check_rules(struct profiling *r, const struct pack_node *n, const struct spot *spot, uint32_t slice, uint32_t *last)
{
    tape_node node = spot->value != TAPE_ABSENT ? spot->value : spot->shadow;

    if (slice == SLICE_NONE) {
        if (n->flags & NODE_CLOSED)
            refuse_slice(r, n, node, SPAN("to be in one of the slices"));
        if (n->flags & NODE_AT_END)
            *last = n->slice_count;
        return;
    }
    if ((n->flags & (NODE_ORDERED | NODE_AT_END)) && *last != SLICE_NONE
        && (*last == n->slice_count || ((n->flags & NODE_ORDERED) && slice < *last)))
        refuse_slice(r, n, node, SPAN("to be in the order of the slices"));
    else
        *last = slice;
}

/* Each item is looked at once; then every slice gets its own, side by side on
 * the stack of items. */
void
profile_slices(struct profiling *r, const struct pack_node *n, tape_node object, uint32_t first, uint32_t count)
{
    uint32_t *slices = count > 0 ? arena_make_n(r->arena, count, uint32_t) : NULL, last = SLICE_NONE;

    if (count > 0 && slices == NULL) {
        r->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < count && !profile_ended(r); i++) {
        struct spot spot = r->spots[first + i];
        bool        several;
        slices[i] = slice_of(r, n, &spot, &several);
        if (several)
            refuse_slice(r, n, spot.value != TAPE_ABSENT ? spot.value : spot.shadow, SPAN("to be in one slice alone"));
        check_rules(r, n, &spot, slices[i], &last);
    }
    for (uint32_t k = 0; k < n->slice_count && !profile_ended(r); k++) {
        const struct pack_node *slice = &r->pack->nodes[n->first_slice + k];
        uint32_t                mine  = r->spot_count;
        for (uint32_t i = 0; i < count; i++)
            if (slices[i] == k)
                (void)profile_push(r, r->spots[first + i]);
        /* Of nothing at all none is in any slice, however slices are told apart. */
        bool asked = r->spot_count > mine || (slice->flags & NODE_WANTED);
        if (asked && (count == 0 || !(slice->flags & NODE_UNTESTED)) && !r->no_memory)
            profile_list(r, slice, object, mine, r->spot_count - mine);
        r->spot_count = mine;
    }
}
