/* fhir/pack_profiles.c -- the profiles of a pack: looked up, and checked once when it is opened. */
#include "fhir/profile_format.h"

#include "fhir/fhirpath.h"
#include "fhir/lookup.h"

/* "0.2" asks for any 0.2.x (R4 references.html#canonical leaves it open; the
 * official validator reads it so). */
static bool
version_fits(struct span have, struct span wanted)
{
    return span_empty(wanted) || span_eq(have, wanted)
        || (have.length > wanted.length && span_starts(have, wanted) && have.at[wanted.length] == '.');
}

static struct span
head_of(struct span text, char end)
{
    size_t at = span_find_byte(text, end);

    return at == SPAN_NOT_FOUND ? text : span_first(text, at);
}

static int
order_of_parts(struct span a, struct span b)
{
    while (a.length > 0 && b.length > 0) {
        struct span part_a = head_of(a, '.'), part_b = head_of(b, '.');
        uint64_t    number_a, number_b;
        bool        both  = span_to_u64(part_a, &number_a) && span_to_u64(part_b, &number_b);
        int         order = both ? (number_a > number_b) - (number_a < number_b) : span_compare(part_a, part_b);
        if (order != 0)
            return order;
        a = span_skip(a, part_a.length + 1);
        b = span_skip(b, part_b.length + 1);
    }
    return (a.length > 0) - (b.length > 0);
}

int
pack_version_order(struct span a, struct span b)
{
    struct span core_a = head_of(a, '-'), core_b = head_of(b, '-');
    int         order  = order_of_parts(core_a, core_b);

    if (order != 0 || core_a.length == a.length || core_b.length == b.length)
        return order != 0 ? order : (core_a.length == a.length) - (core_b.length == b.length);
    return order_of_parts(span_skip(a, core_a.length + 1), span_skip(b, core_b.length + 1));
}

uint32_t
pack_profile_named(const struct pack *p, struct span canonical)
{
    size_t      bar     = span_find_byte(canonical, '|');
    struct span url     = bar == SPAN_NOT_FOUND ? canonical : span_first(canonical, bar);
    struct span version = bar == SPAN_NOT_FOUND ? (struct span){ NULL, 0 } : span_skip(canonical, bar + 1);
    uint32_t    mask    = p->counts[PACK_PROFILE_SLOTS] - 1, found = PACK_NONE;

    if (p->counts[PACK_PROFILE_SLOTS] == 0 || span_empty(url))
        return PACK_NONE;
    for (uint32_t at = (uint32_t)lookup_hash(url) & mask; p->profile_slots[at] != 0; at = (at + 1) & mask) {
        const struct pack_profile *one = &p->profiles[p->profile_slots[at] - 1];
        if (span_eq(pack_span(p, one->url), url) && version_fits(pack_span(p, one->version), version)
            && (found == PACK_NONE || pack_version_order(pack_span(p, one->version), pack_span(p, p->profiles[found].version)) >= 0))
            found = p->profile_slots[at] - 1;
    }
    return found;
}

struct span
pack_profile_type(const struct pack *p, struct span canonical)
{
    uint32_t profile = pack_profile_named(p, canonical);

    return profile == PACK_NONE ? (struct span){ NULL, 0 } : pack_span(p, p->profiles[profile].type);
}

/* ---- checks --------------------------------------------------------------------- */

static bool
range_good(const struct pack *p, enum pack_section_kind section, uint32_t first, uint32_t count)
{
    return first <= p->counts[section] && count <= p->counts[section] - first;
}

static bool
index_good(const struct pack *p, enum pack_section_kind section, uint32_t index)
{
    return index == PACK_NONE || index < p->counts[section];
}

static bool
text_good(const struct pack *p, struct pack_text text)
{
    return range_good(p, PACK_TEXTS, text.offset, text.length);
}

static bool
program_good(const struct pack *p, uint32_t first, uint32_t words)
{
    return range_good(p, PACK_PROGRAMS, first, words) && (words == 0 || fhirpath_check(pack_program(p, first, words)));
}

static bool
profiles_good(const struct pack *p)
{
    for (uint32_t i = 0; i < p->counts[PACK_PROFILES]; i++) {
        const struct pack_profile *one = &p->profiles[i];
        if (!text_good(p, one->url) || !text_good(p, one->version) || !text_good(p, one->name) || !text_good(p, one->type)
            || !index_good(p, PACK_STRUCTURES, one->structure) || !index_good(p, PACK_NODES, one->node)
            || !range_good(p, PACK_CONTEXTS, one->first_context, one->context_count)
            || !range_good(p, PACK_CONTEXTS, one->first_context + one->context_count, one->invariant_count)
            || (one->node != PACK_NONE && p->nodes[one->node].element != PACK_NONE))
            return false;
    }
    for (uint32_t i = 0; i < p->counts[PACK_CONTEXTS]; i++)
        if (!text_good(p, p->contexts[i].expression) || !program_good(p, p->contexts[i].program, p->contexts[i].program_words))
            return false;
    return true;
}

/* A power of two, not full: a search ends. */
static bool
slots_good(const struct pack *p)
{
    uint32_t count = p->counts[PACK_PROFILE_SLOTS], used = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (p->profile_slots[i] > p->counts[PACK_PROFILES])
            return false;
        used += p->profile_slots[i] != 0;
    }
    return count == 0 || ((count & (count - 1)) == 0 && used < count);
}

/* Children stand in the node's shape; children and slices come behind it, so
 * that no tree has a circle. */
static bool
children_good(const struct pack *p, uint32_t index)
{
    const struct pack_node *n     = &p->nodes[index];
    uint32_t                count = pack_children(n), child;

    if (n->slice_count > 0
        && (n->first_slice <= index || !range_good(p, PACK_NODES, n->first_slice, n->slice_count)))
        return false;
    if (count == 0)
        return true;
    if (n->first_child <= index || !range_good(p, PACK_NODES, n->first_child, count) || n->shape >= p->counts[PACK_SHAPES])
        return false;
    const struct pack_shape *shape = &p->shapes[n->shape];
    for (uint32_t i = 0; i < PACK_SHAPE_ELEMENTS; i++)
        if ((child = pack_child(n, i)) != PACK_NONE
            && (i >= shape->element_count || p->nodes[child].element != shape->first_element + i))
            return false;
    return true;
}

static bool
node_good(const struct pack *p, uint32_t index)
{
    const struct pack_node *n = &p->nodes[index];

    for (uint32_t i = 0; i < n->slice_count && range_good(p, PACK_NODES, n->first_slice, n->slice_count); i++)
        if (p->nodes[n->first_slice + i].element != n->element)
            return false;
    return text_good(p, n->path) && index_good(p, PACK_ELEMENTS, n->element) && index_good(p, PACK_SHAPES, n->shape)
        && index_good(p, PACK_VALUES, n->value) && index_good(p, PACK_VALUES, n->least)
        && index_good(p, PACK_VALUES, n->most) && index_good(p, PACK_BINDINGS, n->binding)
        && (!(n->flags & (NODE_FIXED | NODE_PATTERN)) || n->value != PACK_NONE)
        && range_good(p, PACK_TESTS, n->first_test, n->test_count)
        && range_good(p, PACK_ALLOWED, n->first_allowed, n->allowed_count)
        && range_good(p, PACK_CONSTRAINTS, n->first_constraint, n->constraint_count) && children_good(p, index);
}

static bool
asks_good(const struct pack *p)
{
    for (uint32_t i = 0; i < p->counts[PACK_ALLOWED]; i++) {
        const struct pack_allowed *one = &p->allowed[i];
        if (!text_good(p, one->code) || !index_good(p, PACK_STRUCTURES, one->structure)
            || !range_good(p, PACK_CANONICALS, one->first_profile, one->profile_count)
            || !range_good(p, PACK_CANONICALS, one->first_target, one->target_count))
            return false;
    }
    for (uint32_t i = 0; i < p->counts[PACK_CANONICALS]; i++)
        if (!text_good(p, p->canonicals[i].url) || !text_good(p, p->canonicals[i].element)
            || !index_good(p, PACK_PROFILES, p->canonicals[i].profile) || !index_good(p, PACK_NODES, p->canonicals[i].node))
            return false;
    for (uint32_t i = 0; i < p->counts[PACK_BINDINGS]; i++)
        if (!text_good(p, p->bindings[i].value_set) || !text_good(p, p->bindings[i].max_value_set))
            return false;
    for (uint32_t i = 0; i < p->counts[PACK_CONSTRAINTS]; i++) {
        const struct pack_constraint *one = &p->constraints[i];
        if (!text_good(p, one->key) || !text_good(p, one->human) || !text_good(p, one->expression)
            || !program_good(p, one->program, one->program_words))
            return false;
    }
    return true;
}

/* A value ends behind itself and inside of what holds it. */
static bool
values_good(const struct pack *p)
{
    uint32_t ends[256], depth = 0;

    for (uint32_t i = 0; i < p->counts[PACK_VALUES]; i++) {
        const struct pack_value *one = &p->values[i];
        while (depth > 0 && i >= ends[depth - 1])
            depth--;
        if (!text_good(p, one->name) || !text_good(p, one->text) || one->after <= i || one->after > p->counts[PACK_VALUES]
            || (depth > 0 && one->after > ends[depth - 1]) || depth == sizeof ends / sizeof ends[0])
            return false;
        ends[depth++] = one->after;
    }
    return true;
}

static bool
test_good(const struct pack *p, const struct pack_test *one)
{
    static const enum pack_section_kind sections[] = {
        [TEST_FIXED] = PACK_VALUES, [TEST_PATTERN] = PACK_VALUES, [TEST_BINDING] = PACK_BINDINGS, [TEST_TYPE] = PACK_ALLOWED,
        [TEST_EXISTS] = PACK_NODES, [TEST_ABSENT] = PACK_NODES, [TEST_PROFILE] = PACK_CANONICALS, [TEST_NODE] = PACK_NODES,
    };

    return one->kind >= TEST_FIXED && one->kind <= TEST_NODE && range_good(p, sections[one->kind], one->first, one->count)
        && range_good(p, PACK_STEPS, one->first_step, one->step_count)
        && (one->count == 1 || one->kind == TEST_TYPE || one->kind == TEST_PROFILE || one->kind == TEST_EXISTS
            || one->kind == TEST_ABSENT);
}

bool
pack_profiles_good(const struct pack *p)
{
    if (!profiles_good(p) || !slots_good(p) || !asks_good(p) || !values_good(p))
        return false;
    for (uint32_t i = 0; i < p->counts[PACK_NODES]; i++)
        if (!node_good(p, i))
            return false;
    for (uint32_t i = 0; i < p->counts[PACK_TESTS]; i++)
        if (!test_good(p, &p->tests[i]))
            return false;
    for (uint32_t i = 0; i < p->counts[PACK_STEPS]; i++)
        if (p->steps[i].kind < STEP_MEMBER || p->steps[i].kind > STEP_OF_TYPE || !text_good(p, p->steps[i].name))
            return false;
    for (uint32_t i = 0; i < p->counts[PACK_GLOBALS]; i++)
        if (p->globals[i] >= p->counts[PACK_PROFILES])
            return false;
    for (uint32_t i = 0; i < p->counts[PACK_SHAPES]; i++)
        if (!index_good(p, PACK_NODES, p->shapes[i].node))
            return false;
    for (uint32_t i = 0; i < p->counts[PACK_ELEMENTS]; i++)
        if (!index_good(p, PACK_NODES, p->elements[i].node))
            return false;
    return true;
}
