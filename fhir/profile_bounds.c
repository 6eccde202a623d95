/* fhir/profile_bounds.c -- least and most values, longest texts.
 *
 * Integers and decimals are compared as decimals; dates and times as far as
 * both are stated; quantities in units of the same dimension.  What has no
 * order is said, and counts as neither.
 */
#include "base/json_walk.h"
#include "fhir/decimal.h"
#include "fhir/moment.h"
#include "fhir/profile_run.h"
#include "fhir/quantity.h"

#define UCUM "http://unitsofmeasure.org"

static uint32_t
member_of(const struct profiling *r, uint32_t index, struct span name)
{
    for (uint32_t i = index + 1; i < r->pack->values[index].after; i = r->pack->values[i].after)
        if (span_eq(pack_span(r->pack, r->pack->values[i].name), name))
            return i;
    return PACK_NONE;
}

#define NO_ORDER 2

static int
order_numbers(struct span a, struct span b)
{
    struct decimal x, y;

    return decimal_read(a, &x) && decimal_read(b, &y) ? decimal_compare(&x, &y) : NO_ORDER;
}

/* An instance's value against a bound: -1, 0, 1, NO_ORDER. */
static int
order(struct profiling *r, tape_node node, uint32_t index)
{
    const struct pack_value *bound = &r->pack->values[index];
    enum tape_kind           kind  = walk_kind(r->tape, node);
    struct moment            x, y;

    if (bound->kind == TAPE_NUMBER && kind == TAPE_NUMBER)
        return order_numbers(walk_raw(r->tape, node), pack_span(r->pack, bound->text));
    if (bound->kind == TAPE_STRING && kind == TAPE_STRING) {
        if (!moment_of(tape_text(r->tape, node, r->arena), MOMENT_NONE, &x)
            || !moment_of(pack_span(r->pack, bound->text), MOMENT_NONE, &y))
            return NO_ORDER;
        int answer = moment_compare(&x, &y);
        return answer == MOMENT_UNKNOWN ? NO_ORDER : answer;
    }
    if (bound->kind != TAPE_OBJECT || kind != TAPE_OBJECT)
        return NO_ORDER;
    struct fhirpath_quantity mine = { 0 }, limit = { 0 };
    uint32_t                 value = member_of(r, index, SPAN("value")), unit = member_of(r, index, SPAN("code"));
    tape_node                have  = walk_find(r->tape, node, SPAN("value"));
    if (value == PACK_NONE || walk_kind(r->tape, have) != TAPE_NUMBER || !decimal_read(walk_raw(r->tape, have), &mine.value)
        || !decimal_read(pack_span(r->pack, r->pack->values[value].text), &limit.value))
        return NO_ORDER;
    mine.unit     = walk_find_text(r->tape, node, SPAN("code"), r->arena);
    mine.foreign  = !tape_text_eq(r->tape, walk_find(r->tape, node, SPAN("system")), SPAN(UCUM));
    limit.unit    = unit == PACK_NONE ? PROFILE_NOTHING : pack_span(r->pack, r->pack->values[unit].text);
    limit.foreign = mine.foreign;
    int answer    = quantity_compare(&mine, &limit);
    return answer == QUANTITY_APART ? NO_ORDER : answer;
}

static void
check_bound(struct profiling *r, const struct pack_node *n, tape_node node, bool least)
{
    uint32_t bound  = least ? n->least : n->most;
    int      answer = order(r, node, bound);

    if (answer == 0 || answer == (least ? 1 : -1))
        return;
    bool undecided = answer == NO_ORDER;
    if (profile_wrong(r, n, node, undecided ? SEVERITY_WARNING : SEVERITY_ERROR, ISSUE_VALUE, "profile:bounds"))
        profile_tell(r, arena_format(r->arena, "want %.*s to be %.*s or %s", SPAN_PRINT(profile_place(r, n)),
                                     SPAN_PRINT(profile_value_text(r, bound)), least ? "more" : "less"),
                     undecided ? SPAN("have something that cannot be compared with it") : least ? SPAN("have less") : SPAN("have more"),
                     PROFILE_NOTHING);
}

/* Characters, not bytes. */
static uint32_t
characters(struct span text)
{
    uint32_t count = 0;

    for (size_t i = 0; i < text.length; i++)
        count += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    return count;
}

void
profile_bounds(struct profiling *r, const struct pack_node *n, const struct spot *spot)
{
    if (spot->value == TAPE_ABSENT)
        return;
    if (n->least != PACK_NONE)
        check_bound(r, n, spot->value, true);
    if (n->most != PACK_NONE)
        check_bound(r, n, spot->value, false);
    if (n->max_length == 0 || walk_kind(r->tape, spot->value) != TAPE_STRING)
        return;
    uint32_t have = characters(tape_text(r->tape, spot->value, r->arena));
    if (have > n->max_length && profile_wrong(r, n, spot->value, SEVERITY_ERROR, ISSUE_TOO_LONG, "profile:max-length"))
        profile_tell(r, arena_format(r->arena, "want %.*s to have at most %u characters", SPAN_PRINT(profile_place(r, n)), n->max_length),
                     arena_format(r->arena, "have %u", have), PROFILE_NOTHING);
}
