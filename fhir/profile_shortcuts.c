/* fhir/profile_shortcuts.c -- invariants that hold at a glance. */
#include "base/json_walk.h"
#include "fhir/datatypes.h"
#include "fhir/profile_run.h"

enum rule { RULE_NONE = 0, RULE_ORDERED, RULE_LONG };

static const struct { struct span expression, absent, present; enum rule rule; } shortcuts[] = {
#define SHORTCUT(expression, absent, present, rule)                                                          \
    { { expression, sizeof(expression) - 1 }, { absent, sizeof(absent) - 1 }, { present, sizeof(present) - 1 }, RULE_##rule },
#include "fhir/shortcuts.def"
#undef SHORTCUT
};

#define COUNT (sizeof shortcuts / sizeof shortcuts[0])

uint32_t
profile_shortcut_of(struct span expression)
{
    for (uint32_t i = 0; i < COUNT; i++)
        if (span_eq(shortcuts[i].expression, expression))
            return i + 1;
    return 0;
}

/* Whether a member is this element: its value or its shadow, any type of a choice. */
static bool
is_element(struct span member, struct span element)
{
    struct span stem = element;

    if (member.length > 0 && member.at[0] == '_')
        member = span_skip(member, 1);
    if (!span_ends(element, SPAN("[x]")))
        return span_eq(member, element);
    stem.length -= 3;
    return member.length > stem.length && span_starts(member, stem) && member.at[stem.length] >= 'A' && member.at[stem.length] <= 'Z';
}

static bool
by_members(const struct tape *t, tape_node object, struct span absent, struct span present)
{
    bool met = span_empty(absent);

    for (tape_node n = walk_first(t, object); n != TAPE_ABSENT; n = walk_next(t, n)) {
        struct span name = walk_raw(t, n - 1);
        if (walk_escaped(t, n - 1))
            return false;
        if (!span_empty(present) && is_element(name, present))
            return true;
        met = met || is_element(name, absent);
    }
    return !met;
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
profile_holds_at_a_glance(const struct profiling *r, const struct pack_constraint *one, const struct spot *spot)
{
    uint32_t       at   = (one->flags >> CONSTRAINT_SHORTCUT) - 1;
    enum tape_kind kind = walk_kind(r->tape, spot->value);

    if (at >= COUNT)
        return false;
    if (shortcuts[at].rule == RULE_LONG)
        return kind == TAPE_STRING && !walk_escaped(r->tape, spot->value) && walk_raw(r->tape, spot->value).length >= 8
            && spot->type != NULL && spot->type->primitive == PRIMITIVE_DATETIME;
    if (kind != TAPE_OBJECT)
        return false;
    if (shortcuts[at].rule == RULE_ORDERED)
        return ordered(r->tape, spot->value);
    return by_members(r->tape, spot->value, shortcuts[at].absent, shortcuts[at].present);
}
