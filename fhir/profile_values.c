/* fhir/profile_values.c -- fixed values and patterns, compared over the tape.
 *
 *   V1  fixed[x]: all members, all items in order, nothing more
 *   V2  pattern[x]: the members that the pattern has; of a list, each item of
 *       the pattern is matched by some item (R4 elementdefinition.html#pattern)
 *   V3  numbers are equal as decimals, texts byte by byte after unescaping
 */
#include "base/json_walk.h"
#include "fhir/decimal.h"
#include "fhir/profile_run.h"

static bool
same_number(struct span a, struct span b)
{
    struct decimal x, y;

    if (span_eq(a, b))
        return true;
    return decimal_read(a, &x) && decimal_read(b, &y) && decimal_compare(&x, &y) == 0;
}

/* Values that hold no others. */
static bool
same_leaf(const struct profiling *r, const struct pack_value *value, tape_node node)
{
    if (value->kind != walk_kind(r->tape, node))
        return false;
    if (value->kind == TAPE_STRING)
        return tape_text_eq(r->tape, node, pack_span(r->pack, value->text));
    if (value->kind == TAPE_NUMBER)
        return same_number(pack_span(r->pack, value->text), walk_raw(r->tape, node));
    return true;
}

/* As deep as the definition's own JSON. */
bool
profile_equal(struct profiling *r, uint32_t index, tape_node node)
{
    const struct pack_value *all = r->pack->values, *value = &all[index];
    uint32_t                 members = 0;

    if (value->kind != TAPE_ARRAY && value->kind != TAPE_OBJECT)
        return same_leaf(r, value, node);
    if (value->kind != walk_kind(r->tape, node))
        return false;
    tape_node item = walk_first(r->tape, node);
    for (uint32_t i = index + 1; i < value->after; i = all[i].after, members++) {
        if (value->kind == TAPE_OBJECT)
            item = walk_find_key(r->tape, node, tape_key_of(pack_span(r->pack, all[i].name)), pack_span(r->pack, all[i].name));
        if (item == TAPE_ABSENT || !profile_equal(r, i, item))
            return false;
        if (value->kind == TAPE_ARRAY)
            item = walk_next(r->tape, item);
    }
    return members == walk_children(r->tape, node);
}

static bool
some_item_matches(struct profiling *r, uint32_t pattern, tape_node list)
{
    for (tape_node n = walk_first(r->tape, list); n != TAPE_ABSENT && r->steps > 0; n = walk_next(r->tape, n)) {
        r->steps--;
        if (profile_matches(r, pattern, n))
            return true;
    }
    return false;
}

bool
profile_matches(struct profiling *r, uint32_t index, tape_node node)
{
    const struct pack_value *all = r->pack->values, *value = &all[index];

    if (value->kind != TAPE_ARRAY && value->kind != TAPE_OBJECT)
        return same_leaf(r, value, node);
    if (value->kind != walk_kind(r->tape, node))
        return false;
    for (uint32_t i = index + 1; i < value->after; i = all[i].after) {
        if (value->kind == TAPE_ARRAY) {
            if (!some_item_matches(r, i, node))
                return false;
            continue;
        }
        struct span name   = pack_span(r->pack, all[i].name);
        tape_node   member = walk_find_key(r->tape, node, tape_key_of(name), name);
        if (member == TAPE_ABSENT || !profile_matches(r, i, member))
            return false;
    }
    return true;
}

/* ---- findings ---------------------------------------------------------------------------- */

struct span
profile_value_text(struct profiling *r, uint32_t index)
{
    const struct pack_value *value = &r->pack->values[index];

    if (value->kind == TAPE_STRING || value->kind == TAPE_NUMBER)
        return pack_span(r->pack, value->text);
    if (value->kind == TAPE_TRUE || value->kind == TAPE_FALSE)
        return value->kind == TAPE_TRUE ? SPAN("true") : SPAN("false");
    struct span list = PROFILE_NOTHING;
    for (uint32_t i = index + 1; i < value->after && list.length < 200; i++) {
        const struct pack_value *one  = &r->pack->values[i];
        struct span              name = pack_span(r->pack, one->name);
        if (one->kind == TAPE_OBJECT || one->kind == TAPE_ARRAY || span_eq_text(name, "display") || span_eq_text(name, "text"))
            continue;
        list = arena_join(r->arena, list, list.length > 0 ? SPAN(", ") : SPAN(""), name, name.length > 0 ? SPAN(" ") : SPAN(""),
                          profile_value_text(r, i));
    }
    return list;
}

void
profile_fixed(struct profiling *r, const struct pack_node *n, const struct spot *spot)
{
    bool fixed = n->flags & NODE_FIXED;

    if (spot->value != TAPE_ABSENT
        && (fixed ? profile_equal(r, n->value, spot->value) : profile_matches(r, n->value, spot->value)))
        return;
    tape_node at = spot->value != TAPE_ABSENT ? spot->value : spot->shadow;
    if (!profile_wrong(r, n, at, SEVERITY_ERROR, ISSUE_VALUE, fixed ? "profile:fixed" : "profile:pattern"))
        return;
    profile_tell(r, arena_format(r->arena, "want %.*s to %s %.*s", SPAN_PRINT(profile_place(r, n)), fixed ? "be" : "have",
                                 SPAN_PRINT(profile_value_text(r, n->value))),
                 SPAN("have something else"), PROFILE_NOTHING);
}
