/* fhir/compile_tests.c -- discriminators -> tests: how a slice is recognised.
 *
 * A discriminator is a path and what to look at there (R4 profiling.html#discriminator).
 * The path is followed through the nodes of the slice, through the profiles of
 * its types, and inside of fixed values and patterns; what is asked at its end
 * becomes the test, and the path becomes the steps that lead there in an
 * instance.
 *
 *   C1  value, pattern: a fixed value or pattern; a required binding; else all
 *       that is fixed below; else that it is there, or is not
 *   C2  type: the types that the slice allows; behind resolve(), those of its targets
 *   C3  profile: the profiles of its types; behind resolve(), its targetProfiles
 *   C4  exists: min 1 is there, max 0 is not
 *   C5  extensions are told apart by url when nothing else is said, choices by type
 *   C6  a slicing without discriminators takes an item that has all that the
 *       slice fixes
 *   C7  a slice that nothing recognises is never matched (NODE_UNTESTED)
 *   C8  a path through something sliced goes through its first slice when that
 *       says something there: R4's bp has code.coding.code, and codings in slices
 */
#include "fhir/compile_profiles.h"

/* A path of R4's own definitions enters one. */
#define MOST_SLICES_ENTERED 8u

/* Where a path has led in the definitions: a node, or a value inside of one;
 * or, behind resolve(), the profiles of a reference. */
struct cursor {
    uint32_t node;                           /* PACK_NONE: nowhere */
    uint32_t value;                          /* of VALUES, inside of what the node fixes; PACK_NONE */
    bool     fixed;                          /* the value is a fixed one, not a pattern */
    uint32_t first_target, target_count;     /* behind resolve() */
    bool     resolved;
};

static const struct cursor nowhere = { .node = PACK_NONE, .value = PACK_NONE };

static bool test_slices(struct profiles_compiler *, const struct sliced *);

bool
compile_tests(struct profiles_compiler *p)
{
    for (uint32_t i = 0; i < p->sliced_count; i++) {
        p->t = p->sliced[i].tape;
        if (!test_slices(p, &p->sliced[i]))
            return false;
    }
    return true;
}

static struct pack_node *
node_at(const struct compiler *c, uint32_t index)
{
    return COMPILE_AT(c, PACK_NODES, struct pack_node, index);
}

/* ---- paths ---------------------------------------------------------------------------------- */

static bool
add_step(struct compiler *c, enum pack_step_kind kind, struct span name)
{
    struct pack_step *step = COMPILE_APPEND(c, PACK_STEPS, struct pack_step);

    if (step == NULL)
        return false;
    *step = (struct pack_step){ kind, compile_text(c, name), tape_key_of(name) };
    return true;
}

/* What is between the brackets of a call, quotes taken off. */
static struct span
argument(struct span call, size_t open)
{
    struct span inside = span_skip(call, open + 1);

    inside = span_trim(span_first(inside, inside.length > 0 ? inside.length - 1 : 0));
    if (inside.length >= 2 && (inside.at[0] == '\'' || inside.at[0] == '"'))
        inside = span_first(span_skip(inside, 1), inside.length - 2);
    return inside;
}

/* The next part of a path, cut at a dot outside of brackets. */
static struct span
next_part(struct span *rest)
{
    uint32_t depth = 0;

    for (size_t i = 0; i < rest->length; i++) {
        depth += rest->at[i] == '(';
        depth -= rest->at[i] == ')' && depth > 0;
        if (rest->at[i] != '.' || depth > 0)
            continue;
        struct span part = span_first(*rest, i);
        *rest = span_skip(*rest, i + 1);
        return part;
    }
    struct span part = *rest;
    *rest = (struct span){ NULL, 0 };
    return part;
}

/* A path as steps; false when it has something else than R4 allows in it. */
static bool
read_steps(struct compiler *c, struct span path, uint32_t *first, uint32_t *count, bool *good)
{
    *first = compile_count(c, PACK_STEPS);
    *good  = true;
    while (!span_empty(path)) {
        struct span part = span_trim(next_part(&path));
        size_t      open = span_find_byte(part, '(');
        struct span name = open == SPAN_NOT_FOUND ? part : span_first(part, open);
        bool        call = open != SPAN_NOT_FOUND, added = true;
        if (span_eq_text(part, "$this"))
            continue;
        if (!call)
            added = add_step(c, STEP_MEMBER, name);
        else if (span_eq_text(name, "extension"))
            added = add_step(c, STEP_EXTENSION, argument(part, open));
        else if (span_eq_text(name, "resolve"))
            added = add_step(c, STEP_RESOLVE, (struct span){ NULL, 0 });
        else if (span_eq_text(name, "ofType") || span_eq_text(name, "as"))
            added = add_step(c, STEP_OF_TYPE, argument(part, open));
        else
            *good = false;
        if (!added)
            return false;
    }
    *count = compile_count(c, PACK_STEPS) - *first;
    return true;
}

/* ---- following a path through definitions ---------------------------------------------------- */

static bool
element_is(const struct compiler *c, uint32_t element, struct span name)
{
    struct span have = compile_span(c, COMPILE_AT(c, PACK_ELEMENTS, struct pack_element, element)->name);

    return span_eq(have, name)
        || (have.length == name.length + 3 && span_starts(have, name) && span_ends(have, SPAN("[x]")));
}

static uint32_t
child_named(const struct compiler *c, uint32_t node, struct span name)
{
    const struct pack_node *n     = node_at(c, node);
    uint32_t                count = pack_children(n);

    for (uint32_t i = 0; i < count; i++)
        if (element_is(c, node_at(c, n->first_child + i)->element, name))
            return n->first_child + i;
    return PACK_NONE;
}

/* The root of the profile of the node's types, when there is one. */
static uint32_t
profile_root(const struct compiler *c, const struct pack_node *n)
{
    for (uint32_t i = 0; i < n->allowed_count; i++) {
        const struct pack_allowed *one = COMPILE_AT(c, PACK_ALLOWED, struct pack_allowed, n->first_allowed + i);
        if (one->profile_count == 0)
            continue;
        const struct pack_canonical *first = COMPILE_AT(c, PACK_CANONICALS, struct pack_canonical, one->first_profile);
        if (first->node != PACK_NONE)
            return first->node;
        if (first->profile != PACK_NONE)
            return COMPILE_AT(c, PACK_PROFILES, struct pack_profile, first->profile)->node;
    }
    return PACK_NONE;
}

/* A member of a value; of a list, that of its first item that has it. */
static uint32_t
value_member(const struct compiler *c, uint32_t value, struct span name)
{
    const struct pack_value *all = c->tables[PACK_VALUES].at;

    if (all[value].kind == TAPE_ARRAY) {
        for (uint32_t i = value + 1; i < all[value].after; i = all[i].after) {
            uint32_t found = value_member(c, i, name);
            if (found != PACK_NONE)
                return found;
        }
        return PACK_NONE;
    }
    for (uint32_t i = value + 1; i < all[value].after; i = all[i].after)
        if (span_eq(compile_span(c, all[i].name), name))
            return i;
    return PACK_NONE;
}

static struct cursor
cursor_of(const struct compiler *c, uint32_t node)
{
    const struct pack_node *n = node == PACK_NONE ? NULL : node_at(c, node);

    if (n == NULL)
        return nowhere;
    return (struct cursor){ .node = node, .value = n->value, .fixed = n->flags & NODE_FIXED };
}

/* Whether something is fixed to this text at the node's url. */
static bool
url_is(const struct compiler *c, uint32_t node, struct span url)
{
    uint32_t at = node == PACK_NONE ? PACK_NONE : child_named(c, node, SPAN("url"));

    if (at == PACK_NONE || node_at(c, at)->value == PACK_NONE)
        return false;
    return span_eq(compile_span(c, COMPILE_AT(c, PACK_VALUES, struct pack_value, node_at(c, at)->value)->text), url);
}

/* extension('url'): the slice of the extensions that has this url. */
static uint32_t
extension_named(const struct compiler *c, uint32_t node, struct span url)
{
    uint32_t list = child_named(c, node, SPAN("extension"));

    if (list == PACK_NONE)
        return PACK_NONE;
    const struct pack_node *n = node_at(c, list);
    for (uint32_t i = 0; i < n->slice_count; i++)
        if (url_is(c, n->first_slice + i, url) || url_is(c, profile_root(c, node_at(c, n->first_slice + i)), url))
            return n->first_slice + i;
    return PACK_NONE;
}

/* value.ofType(Quantity): the slice of the choice for that type, or the choice. */
static uint32_t
slice_of_type(const struct compiler *c, uint32_t node, struct span type)
{
    const struct pack_node *n = node_at(c, node);

    for (uint32_t i = 0; i < n->slice_count; i++) {
        const struct pack_node *slice = node_at(c, n->first_slice + i);
        for (uint32_t k = 0; k < slice->allowed_count; k++)
            if (span_eq(compile_span(c, COMPILE_AT(c, PACK_ALLOWED, struct pack_allowed, slice->first_allowed + k)->code), type))
                return n->first_slice + i;
    }
    return node;
}

static struct cursor
follow_member(const struct compiler *c, struct cursor at, struct span name)
{
    uint32_t child = child_named(c, at.node, name);

    if (child == PACK_NONE && at.value != PACK_NONE) {
        at.value = value_member(c, at.value, name);
        return at.value == PACK_NONE ? nowhere : at;
    }
    if (child == PACK_NONE) {
        uint32_t root = profile_root(c, node_at(c, at.node));
        if (root != PACK_NONE)
            child = child_named(c, root, name);
    }
    return cursor_of(c, child);
}

/* The targets of a node's references. */
static struct cursor
follow_reference(const struct compiler *c, struct cursor at)
{
    const struct pack_node *n = node_at(c, at.node);

    for (uint32_t i = 0; i < n->allowed_count; i++) {
        const struct pack_allowed *one = COMPILE_AT(c, PACK_ALLOWED, struct pack_allowed, n->first_allowed + i);
        if (one->target_count == 0)
            continue;
        uint32_t profile = COMPILE_AT(c, PACK_CANONICALS, struct pack_canonical, one->first_target)->profile;
        at       = profile == PACK_NONE ? nowhere : cursor_of(c, COMPILE_AT(c, PACK_PROFILES, struct pack_profile, profile)->node);
        at.first_target = one->first_target;
        at.target_count = one->target_count;
        at.resolved     = true;
        return at;
    }
    return nowhere;
}

static struct cursor
follow_step(const struct compiler *c, struct cursor at, const struct pack_step *step)
{
    struct span name = compile_span(c, step->name);

    switch (step->kind) {
    case STEP_MEMBER:    return follow_member(c, at, name);
    case STEP_EXTENSION: return cursor_of(c, extension_named(c, at.node, name));
    case STEP_OF_TYPE:   return cursor_of(c, slice_of_type(c, at.node, name));
    default:             return follow_reference(c, at);
    }
}

/* C8.  `tries` bounds how often a slice on the way is looked into. */
static struct cursor
follow(const struct compiler *c, struct cursor at, uint32_t first, uint32_t count, uint32_t *tries)
{
    for (uint32_t i = 0; i < count && at.node != PACK_NONE; i++) {
        const struct pack_step *step = COMPILE_AT(c, PACK_STEPS, struct pack_step, first + i);
        at = follow_step(c, at, step);
        bool typed = i + 1 < count && step[1].kind == STEP_OF_TYPE;
        if (at.node == PACK_NONE || at.value != PACK_NONE || typed || *tries == 0)
            continue;
        const struct pack_node *n = node_at(c, at.node);
        if (n->slice_count == 0)
            continue;
        --*tries;
        struct cursor inside = follow(c, cursor_of(c, n->first_slice), first + i + 1, count - i - 1, tries);
        if (inside.node != PACK_NONE)
            return inside;
    }
    return at;
}

/* ---- tests ------------------------------------------------------------------------------------- */

static bool
add_test(struct compiler *c, uint32_t kind, uint32_t first_step, uint32_t steps, uint32_t first, uint32_t count)
{
    struct pack_test *test = COMPILE_APPEND(c, PACK_TESTS, struct pack_test);

    if (test == NULL)
        return false;
    *test = (struct pack_test){ kind, first_step, steps, first, count };
    return true;
}

/* All that is fixed below a node: a test each, with the path there. */
static bool
test_fixed_below(struct compiler *c, uint32_t node, uint32_t first_step, uint32_t steps)
{
    uint32_t count = pack_children(node_at(c, node));

    for (uint32_t i = 0; i < count; i++) {
        uint32_t                child = node_at(c, node)->first_child + i;
        const struct pack_node *n     = node_at(c, child);
        uint32_t                first = compile_count(c, PACK_STEPS);
        for (uint32_t k = 0; k < steps; k++) {
            struct pack_step *step = COMPILE_APPEND(c, PACK_STEPS, struct pack_step);
            if (step == NULL)
                return false;
            *step = *COMPILE_AT(c, PACK_STEPS, struct pack_step, first_step + k);
        }
        struct span name = compile_span(c, COMPILE_AT(c, PACK_ELEMENTS, struct pack_element, n->element)->name);
        if (span_ends(name, SPAN("[x]")))
            name.length -= 3;
        if (!add_step(c, STEP_MEMBER, name))
            return false;
        if ((n->flags & (NODE_FIXED | NODE_PATTERN))
            && !add_test(c, n->flags & NODE_FIXED ? TEST_FIXED : TEST_PATTERN, first, steps + 1, n->value, 1))
            return false;
        if (!test_fixed_below(c, child, first, steps + 1))
            return false;
    }
    return true;
}

static bool
test_presence(struct compiler *c, const struct cursor *at, uint32_t first, uint32_t count)
{
    const struct pack_node *n = at->node == PACK_NONE ? NULL : node_at(c, at->node);

    if (n != NULL && n->max == 0)
        return add_test(c, TEST_ABSENT, first, count, 0, 0);
    if (n != NULL && n->min > 0 && count > 0)
        return add_test(c, TEST_EXISTS, first, count, 0, 0);
    return true;
}

static bool
test_value(struct compiler *c, const struct cursor *at, uint32_t first, uint32_t count)
{
    uint32_t before = compile_count(c, PACK_TESTS);

    if (at->value != PACK_NONE)
        return add_test(c, at->fixed ? TEST_FIXED : TEST_PATTERN, first, count, at->value, 1);
    if (at->node == PACK_NONE)
        return true;
    const struct pack_node *n = node_at(c, at->node);
    if (n->binding != PACK_NONE && COMPILE_AT(c, PACK_BINDINGS, struct pack_binding, n->binding)->strength == STRENGTH_REQUIRED)
        return add_test(c, TEST_BINDING, first, count, n->binding, 1);
    if (!test_fixed_below(c, at->node, first, count))
        return false;
    return compile_count(c, PACK_TESTS) > before || test_presence(c, at, first, count);
}

/* Types of the targets of a reference, as types that a node allows. */
static bool
test_target_types(struct compiler *c, const struct cursor *at, uint32_t first, uint32_t count)
{
    uint32_t types = compile_count(c, PACK_ALLOWED);

    for (uint32_t i = 0; i < at->target_count; i++) {
        const struct pack_canonical *target = COMPILE_AT(c, PACK_CANONICALS, struct pack_canonical, at->first_target + i);
        if (target->profile == PACK_NONE)
            continue;
        struct pack_profile  profile = *COMPILE_AT(c, PACK_PROFILES, struct pack_profile, target->profile);
        struct pack_allowed *one     = COMPILE_APPEND(c, PACK_ALLOWED, struct pack_allowed);
        if (one == NULL)
            return false;
        *one = (struct pack_allowed){ .code = profile.type, .structure = profile.structure };
    }
    uint32_t number = compile_count(c, PACK_ALLOWED) - types;
    return number == 0 || add_test(c, TEST_TYPE, first, count, types, number);
}

static bool
test_type(struct compiler *c, const struct cursor *at, uint32_t first, uint32_t count)
{
    if (at->resolved)
        return test_target_types(c, at, first, count);
    const struct pack_node *n = at->node == PACK_NONE ? NULL : node_at(c, at->node);
    if (n == NULL || n->allowed_count == 0)
        return true;
    return add_test(c, TEST_TYPE, first, count, n->first_allowed, n->allowed_count);
}

static bool
test_profile(struct compiler *c, const struct cursor *at, uint32_t first, uint32_t count)
{
    if (at->resolved)
        return add_test(c, TEST_PROFILE, first, count, at->first_target, at->target_count);
    uint32_t profiles = compile_count(c, PACK_CANONICALS);
    for (uint32_t i = 0; at->node != PACK_NONE && i < node_at(c, at->node)->allowed_count; i++) {
        struct pack_allowed one = *COMPILE_AT(c, PACK_ALLOWED, struct pack_allowed, node_at(c, at->node)->first_allowed + i);
        for (uint32_t k = 0; k < one.profile_count; k++) {
            struct pack_canonical *copy = COMPILE_APPEND(c, PACK_CANONICALS, struct pack_canonical);
            if (copy == NULL)
                return false;
            *copy = *COMPILE_AT(c, PACK_CANONICALS, struct pack_canonical, one.first_profile + k);
        }
    }
    if (compile_count(c, PACK_CANONICALS) > profiles)
        return add_test(c, TEST_PROFILE, first, count, profiles, compile_count(c, PACK_CANONICALS) - profiles);
    return at->node == PACK_NONE || add_test(c, TEST_NODE, first, count, at->node, 1);
}

static bool
test_discriminator(struct compiler *c, uint32_t slice, struct span type, struct span path)
{
    uint32_t first, count;
    bool     good;

    if (!read_steps(c, path, &first, &count, &good))
        return false;
    if (!good)
        return true;
    uint32_t      tries = MOST_SLICES_ENTERED;
    struct cursor at    = follow(c, cursor_of(c, slice), first, count, &tries);
    if (span_eq_text(type, "type"))
        return test_type(c, &at, first, count);
    if (span_eq_text(type, "profile"))
        return test_profile(c, &at, first, count);
    if (span_eq_text(type, "exists"))
        return test_presence(c, &at, first, count);
    return test_value(c, &at, first, count);
}

/* ---- slices ------------------------------------------------------------------------------------- */

/* C5: what is implied where nothing is said. */
static bool
test_implied(struct compiler *c, uint32_t slice, const struct pack_element *e)
{
    if (e->flags & ELEMENT_CHOICE)
        return test_discriminator(c, slice, SPAN("type"), SPAN("$this"));
    struct span name = compile_span(c, e->name);
    if (span_eq_text(name, "extension") || span_eq_text(name, "modifierExtension"))
        return test_discriminator(c, slice, SPAN("value"), SPAN("url"));
    uint32_t        first = compile_count(c, PACK_STEPS);
    struct cursor   at    = cursor_of(c, slice);
    return test_value(c, &at, first, 0);                 /* C6 */
}

static bool
test_slice(struct profiles_compiler *p, uint32_t slice, tape_node slicing)
{
    struct compiler    *c     = p->c;
    tape_node           list  = tape_member(p->t, slicing, SPAN("discriminator"));
    uint32_t            first = compile_count(c, PACK_TESTS);
    struct pack_element e     = *COMPILE_AT(c, PACK_ELEMENTS, struct pack_element, node_at(c, slice)->element);

    if (node_at(c, slice)->flags & NODE_DEFAULT)
        return true;
    for (tape_node n = tape_first(p->t, list); n != TAPE_ABSENT; n = tape_next(p->t, n)) {
        if (!test_discriminator(c, slice, tape_member_text(p->t, n, SPAN("type"), c->arena),
                                tape_member_text(p->t, n, SPAN("path"), c->arena)))
            return false;
    }
    if (list == TAPE_ABSENT && !test_implied(c, slice, &e))
        return false;
    struct pack_node *node = node_at(c, slice);
    node->first_test = first;
    node->test_count = compile_count(c, PACK_TESTS) - first;
    if (node->test_count == 0)
        node->flags |= NODE_UNTESTED;
    return true;
}

static bool
test_slices(struct profiles_compiler *p, const struct sliced *sliced)
{
    const struct pack_node *n     = node_at(p->c, sliced->node);
    uint32_t                first = n->first_slice, count = n->slice_count;

    for (uint32_t i = 0; i < count; i++)
        if (!test_slice(p, first + i, sliced->slicing))
            return false;
    return true;
}
