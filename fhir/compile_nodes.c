/* fhir/compile_nodes.c -- what one ElementDefinition asks beyond its base type. */
#include "fhir/compile_profiles.h"

#include <string.h>

#include "fhir/fhirpath.h"
#include "fhir/profile_run.h"

#define BEST_PRACTICE "http://hl7.org/fhir/StructureDefinition/elementdefinition-bestpractice"
#define PROFILE_ELEMENT "http://hl7.org/fhir/StructureDefinition/elementdefinition-profile-element"
#define REGEX "http://hl7.org/fhir/StructureDefinition/regex"
#define NARRATIVE_LANGUAGE "http://hl7.org/fhir/StructureDefinition/narrative-language-control"
#define MAX_VALUE_SET "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"

static bool read_cardinality(struct profiles_compiler *, struct twig *);
static bool read_types(struct profiles_compiler *, struct twig *);
static bool read_values(struct profiles_compiler *, struct twig *);
static bool read_binding(struct profiles_compiler *, struct twig *);
static bool read_constraints(struct profiles_compiler *, struct twig *);

static tape_node extension_value(const struct profiles_compiler *, tape_node object, struct span url);

struct pack_node
compile_no_node(void)
{
    return (struct pack_node){ .element = PACK_NONE, .shape = PACK_NONE, .max = PACK_MANY, .value = PACK_NONE,
                               .least = PACK_NONE, .most = PACK_NONE, .binding = PACK_NONE };
}

bool
compile_node_asks(const struct pack_node *n)
{
    return n->flags != 0 || n->least != PACK_NONE || n->most != PACK_NONE || n->max_length != 0
        || n->binding != PACK_NONE || n->constraint_count > 0;
}

bool
compile_node(struct profiles_compiler *p, struct twig *twig)
{
    return read_cardinality(p, twig) && read_types(p, twig) && read_values(p, twig) && read_binding(p, twig)
        && read_constraints(p, twig);
}

/* ---- what the base asks ---------------------------------------------------------------- */

static const struct pack_node *
node_at(const struct compiler *c, uint32_t index)
{
    return index == PACK_NONE ? NULL : COMPILE_AT(c, PACK_NODES, struct pack_node, index);
}

/* Of the element itself, and of what stands in its place; either may be NULL. */
static const struct pack_node *
base_of_element(const struct profiles_compiler *p, const struct twig *twig)
{
    if (p->base || twig->element == PACK_NONE)
        return NULL;
    return node_at(p->c, COMPILE_AT(p->c, PACK_ELEMENTS, struct pack_element, twig->element)->node);
}

static const struct pack_node *
base_of_shape(const struct profiles_compiler *p, const struct twig *twig)
{
    if (p->base || twig->shape == PACK_NONE)
        return NULL;
    return node_at(p->c, COMPILE_AT(p->c, PACK_SHAPES, struct pack_shape, twig->shape)->node);
}

/* ---- cardinality ------------------------------------------------------------------------ */

static bool
read_cardinality(struct profiles_compiler *p, struct twig *twig)
{
    struct span min  = tape_raw(p->t, tape_member(p->t, twig->at, SPAN("min")));
    struct span max  = tape_member_text(p->t, twig->at, SPAN("max"), p->c->arena);
    uint64_t    least = 0, most = PACK_MANY;

    if ((min.at != NULL && (!span_to_u64(min, &least) || least > INT32_MAX))
        || (!span_empty(max) && !span_eq_text(max, "*") && (!span_to_u64(max, &most) || most > INT32_MAX)))
        return compile_broken(p->c, SPAN("want min and max of every element to be numbers, or * for max"), twig->path);
    twig->node.min = (uint32_t)least;
    twig->node.max = (uint32_t)most;
    if (p->base || twig->element == PACK_NONE)
        return true;
    const struct pack_element *e = COMPILE_AT(p->c, PACK_ELEMENTS, struct pack_element, twig->element);
    if (least > (twig->sliced != NULL ? 0 : e->min) || most < e->max)
        twig->node.flags |= NODE_CARDINALITY;
    return true;
}

/* ---- types ------------------------------------------------------------------------------ */

/* Of an item of type.profile: the element of that profile which is meant
 * (elementdefinition-profile-element; R4 allows it for BackboneElements). */
static struct pack_text
profile_element(struct profiles_compiler *p, tape_node shadows, uint32_t index)
{
    tape_node item = tape_item(p->t, shadows, index);

    return compile_text(p->c, tape_text(p->t, extension_value(p, item, SPAN(PROFILE_ELEMENT)), p->c->arena));
}

static bool
add_canonicals(struct profiles_compiler *p, tape_node list, tape_node shadows, uint32_t *first, uint32_t *count)
{
    *first = compile_count(p->c, PACK_CANONICALS);
    *count = 0;
    for (tape_node n = tape_first(p->t, list); n != TAPE_ABSENT; n = tape_next(p->t, n)) {
        struct pack_canonical *one = COMPILE_APPEND(p->c, PACK_CANONICALS, struct pack_canonical);
        if (one == NULL)
            return false;
        struct pack_canonical mine = { compile_text(p->c, tape_text(p->t, n, p->c->arena)), profile_element(p, shadows, *count),
                                       PACK_NONE, PACK_NONE };
        *one = mine;
        *count += 1;
    }
    return true;
}

static bool
same_canonicals(const struct compiler *c, uint32_t a, uint32_t count_a, uint32_t b, uint32_t count_b)
{
    const struct pack_canonical *all = c->tables[PACK_CANONICALS].at;

    if (count_a != count_b)
        return false;
    for (uint32_t i = 0; i < count_a; i++) {
        uint32_t k = 0;
        while (k < count_b && all[b + k].url.offset != all[a + i].url.offset)
            k++;
        if (k == count_b)
            return false;
    }
    return true;
}

/* Whether the targets are those that the base structure has for the type. */
static bool
base_targets(const struct compiler *c, uint32_t element, const struct pack_allowed *one)
{
    const struct pack_element *e = COMPILE_AT(c, PACK_ELEMENTS, struct pack_element, element);

    for (uint32_t i = 0; i < e->type_count; i++) {
        const struct pack_type *type = COMPILE_AT(c, PACK_TYPES, struct pack_type, e->first_type + i);
        if (type->code.offset != one->code.offset || type->target_count != one->target_count)
            continue;
        uint32_t same = 0;
        for (uint32_t k = 0; k < one->target_count; k++)
            for (uint32_t m = 0; m < one->target_count; m++)
                same += COMPILE_AT(c, PACK_CANONICALS, struct pack_canonical, one->first_target + k)->url.offset
                     == COMPILE_AT(c, PACK_TARGETS, struct pack_text, type->first_target + m)->offset;
        return same == one->target_count;
    }
    return false;
}

static bool
any_target(const struct compiler *c, const struct pack_allowed *one)
{
    for (uint32_t i = 0; i < one->target_count; i++)
        if (span_eq_text(compile_span(c, COMPILE_AT(c, PACK_CANONICALS, struct pack_canonical, one->first_target + i)->url),
                         "http://hl7.org/fhir/StructureDefinition/Resource"))
            return true;
    return false;
}

/* Whether a type asks something that its base does not.  What the references
 * of base types may name is looked at by fhir/reference_rules.h. */
static bool
type_asks(const struct profiles_compiler *p, const struct twig *twig, const struct pack_node *base,
          const struct pack_allowed *one)
{
    if (p->base || one->ways != 0)
        return one->profile_count > 0 || one->ways != 0;
    if (one->target_count > 0 && !any_target(p->c, one) && !base_targets(p->c, twig->element, one))
        return true;
    for (uint32_t i = 0; base != NULL && i < base->allowed_count; i++) {
        const struct pack_allowed *known = COMPILE_AT(p->c, PACK_ALLOWED, struct pack_allowed, base->first_allowed + i);
        if (known->code.offset == one->code.offset)
            return !same_canonicals(p->c, one->first_profile, one->profile_count, known->first_profile, known->profile_count);
    }
    return one->profile_count > 0;
}

/* Type codes of the element in the base structure; not of a BackboneElement. */
static uint32_t
base_types(const struct profiles_compiler *p, const struct twig *twig, bool *resource)
{
    const struct pack_element *e = COMPILE_AT(p->c, PACK_ELEMENTS, struct pack_element, twig->element);

    *resource = COMPILE_AT(p->c, PACK_TYPES, struct pack_type, e->first_type)->kind == TYPE_RESOURCE;
    return e->type_count;
}

static uint32_t
ways_of(const struct profiles_compiler *p, tape_node type)
{
    static const struct { const char *code; uint32_t way; } modes[] = {
        { "contained", WAY_CONTAINED }, { "referenced", WAY_REFERENCED }, { "bundled", WAY_BUNDLED },
    };
    tape_node list = tape_member(p->t, type, SPAN("aggregation")), versioning = tape_member(p->t, type, SPAN("versioning"));
    uint32_t  ways = 0;

    for (tape_node n = tape_first(p->t, list); n != TAPE_ABSENT; n = tape_next(p->t, n))
        for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
            ways |= tape_text_eq(p->t, n, span_of(modes[i].code)) ? modes[i].way : 0;
    if ((ways & WAYS_TO_TARGET) == WAYS_TO_TARGET)
        ways = 0;
    if (tape_text_eq(p->t, versioning, SPAN("specific")))
        ways |= WAY_SPECIFIC;
    if (tape_text_eq(p->t, versioning, SPAN("independent")))
        ways |= WAY_INDEPENDENT;
    return ways;
}

static bool
read_type(struct profiles_compiler *p, struct twig *twig, tape_node node, const struct pack_node *base, bool *differs)
{
    struct span          code = tape_member_text(p->t, node, SPAN("code"), p->c->arena);
    struct pack_allowed  one  = { .code = compile_text(p->c, code), .structure = compile_structure_named(p->c, code),
                                 .ways = ways_of(p, node) };
    struct pack_allowed *mine;

    if (!add_canonicals(p, tape_member(p->t, node, SPAN("profile")), tape_member(p->t, node, SPAN("_profile")), &one.first_profile, &one.profile_count)
        || !add_canonicals(p, tape_member(p->t, node, SPAN("targetProfile")), TAPE_ABSENT, &one.first_target, &one.target_count)
        || (mine = COMPILE_APPEND(p->c, PACK_ALLOWED, struct pack_allowed)) == NULL)
        return false;
    *mine = one;
    twig->node.allowed_count++;
    *differs |= type_asks(p, twig, base, &one);
    return true;
}

static bool
read_types(struct profiles_compiler *p, struct twig *twig)
{
    tape_node list     = tape_member(p->t, twig->at, SPAN("type"));
    bool      differs  = false, resource = false;

    /* A BackboneElement is nothing but itself, unless a profile's element is named. */
    if (twig->element == PACK_NONE || tape_children(p->t, list) == 0
        || (twig->own_shape && tape_member(p->t, tape_first(p->t, list), SPAN("profile")) == TAPE_ABSENT))
        return true;
    const struct pack_node *base = base_of_element(p, twig);
    uint32_t                types = base_types(p, twig, &resource);
    twig->node.first_allowed = compile_count(p->c, PACK_ALLOWED);
    for (tape_node n = tape_first(p->t, list); n != TAPE_ABSENT; n = tape_next(p->t, n))
        if (!read_type(p, twig, n, base, &differs))
            return false;
    if (!p->base && (twig->node.allowed_count < types
                     || (resource && !tape_text_eq(p->t, tape_member(p->t, tape_first(p->t, list), SPAN("code")), SPAN("Resource")))))
        differs = true;
    if (differs)
        twig->node.flags |= NODE_TYPES;
    else
        twig->node.allowed_count = 0;
    return true;
}

/* ---- values ------------------------------------------------------------------------------ */

static bool
add_value(struct profiles_compiler *p, const struct tape *t, tape_node node, struct span name)
{
    struct pack_value one = { .name = compile_text(p->c, name), .kind = tape_kind(t, node) };
    uint32_t          at  = compile_count(p->c, PACK_VALUES);

    if (COMPILE_APPEND(p->c, PACK_VALUES, struct pack_value) == NULL)
        return false;
    if (one.kind == TAPE_STRING)
        one.text = compile_text(p->c, tape_text(t, node, p->c->arena));
    else if (one.kind == TAPE_NUMBER)
        one.text = compile_text(p->c, tape_raw(t, node));
    /* As deep as the tape of a definition may be. */
    for (tape_node n = tape_first(t, node); n != TAPE_ABSENT; n = tape_next(t, n))
        if (!add_value(p, t, n, tape_text(t, tape_name(t, n), p->c->arena)))
            return false;
    one.after = compile_count(p->c, PACK_VALUES);
    *COMPILE_AT(p->c, PACK_VALUES, struct pack_value, at) = one;
    return true;
}

uint32_t
compile_value(struct profiles_compiler *p, const struct tape *t, tape_node node)
{
    uint32_t at = compile_count(p->c, PACK_VALUES);

    return add_value(p, t, node, (struct span){ NULL, 0 }) ? at : PACK_NONE;
}

/* The member whose name begins so ("fixed", "minValue"); extensions apart. */
static tape_node
typed_member(const struct profiles_compiler *p, tape_node object, struct span stem)
{
    for (tape_node n = tape_first(p->t, object); n != TAPE_ABSENT; n = tape_next(p->t, n)) {
        struct span name = tape_text(p->t, tape_name(p->t, n), p->c->arena);
        if (span_starts(name, stem) && name.length > stem.length && name.at[stem.length] >= 'A' && name.at[stem.length] <= 'Z')
            return n;
    }
    return TAPE_ABSENT;
}

static bool
read_values(struct profiles_compiler *p, struct twig *twig)
{
    tape_node fixed   = typed_member(p, twig->at, SPAN("fixed"));
    tape_node pattern = typed_member(p, twig->at, SPAN("pattern"));
    tape_node least   = typed_member(p, twig->at, SPAN("minValue"));
    tape_node most    = typed_member(p, twig->at, SPAN("maxValue"));
    tape_node length  = tape_member(p->t, twig->at, SPAN("maxLength"));
    uint64_t  number;

    /* What the types fix (the url of a standard extension) is theirs by name. */
    if (fixed != TAPE_ABSENT || pattern != TAPE_ABSENT) {
        twig->node.flags |= fixed != TAPE_ABSENT ? NODE_FIXED : NODE_PATTERN;
        twig->node.value = compile_value(p, p->t, fixed != TAPE_ABSENT ? fixed : pattern);
        if (twig->node.value == PACK_NONE)
            return false;
    }
    if (least != TAPE_ABSENT && (twig->node.least = compile_value(p, p->t, least)) == PACK_NONE)
        return false;
    if (most != TAPE_ABSENT && (twig->node.most = compile_value(p, p->t, most)) == PACK_NONE)
        return false;
    if (tape_kind(p->t, length) == TAPE_NUMBER && span_to_u64(tape_raw(p->t, length), &number) && number <= UINT32_MAX)
        twig->node.max_length = (uint32_t)number;
    return true;
}

/* ---- bindings ---------------------------------------------------------------------------- */

static uint32_t
strength_of(const struct profiles_compiler *p, tape_node binding)
{
    tape_node strength = tape_member(p->t, binding, SPAN("strength"));

    return tape_text_eq(p->t, strength, SPAN("required"))   ? STRENGTH_REQUIRED
         : tape_text_eq(p->t, strength, SPAN("extensible")) ? STRENGTH_EXTENSIBLE
         : tape_text_eq(p->t, strength, SPAN("preferred"))  ? STRENGTH_PREFERRED : STRENGTH_EXAMPLE;
}

/* The value of an extension of this url that an object has. */
static tape_node
extension_value(const struct profiles_compiler *p, tape_node object, struct span url)
{
    tape_node list = tape_member(p->t, object, SPAN("extension"));

    for (tape_node n = tape_first(p->t, list); n != TAPE_ABSENT; n = tape_next(p->t, n))
        if (tape_text_eq(p->t, tape_member(p->t, n, SPAN("url")), url))
            return typed_member(p, n, SPAN("value"));
    return TAPE_ABSENT;
}

static bool
same_binding(const struct compiler *c, const struct pack_node *base, const struct pack_binding *one)
{
    if (base == NULL || base->binding == PACK_NONE)
        return false;
    const struct pack_binding *known = COMPILE_AT(c, PACK_BINDINGS, struct pack_binding, base->binding);
    return known->strength == one->strength && known->value_set.offset == one->value_set.offset
        && known->max_value_set.offset == one->max_value_set.offset;
}

static bool
read_binding(struct profiles_compiler *p, struct twig *twig)
{
    tape_node           binding = tape_member(p->t, twig->at, SPAN("binding"));
    struct pack_binding one     = { .strength = strength_of(p, binding) };

    /* fhir/bundle_rules.c says more about it. */
    if (binding == TAPE_ABSENT || span_eq_text(twig->path, "Bundle.type"))
        return true;
    one.value_set     = compile_text(p->c, tape_member_text(p->t, binding, SPAN("valueSet"), p->c->arena));
    one.max_value_set = compile_text(p->c, tape_text(p->t, extension_value(p, binding, SPAN(MAX_VALUE_SET)), p->c->arena));
    if (one.value_set.length == 0 || (one.strength >= STRENGTH_PREFERRED && one.max_value_set.length == 0)
        || same_binding(p->c, base_of_element(p, twig), &one))
        return true;
    struct pack_binding *mine = COMPILE_APPEND(p->c, PACK_BINDINGS, struct pack_binding);
    if (mine == NULL)
        return false;
    *mine              = one;
    twig->node.binding = compile_count(p->c, PACK_BINDINGS) - 1;
    return true;
}

/* ---- invariants --------------------------------------------------------------------------- */

/* What the walk checks without a program; docs/validation.md has a sentence for each. */
static const char *const natives[] = {
    "ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "ref-1", "txt-1", "txt-2", "bdl-1", "bdl-2", "bdl-3", "bdl-4", "bdl-5", "bdl-7", "bdl-8", "bdl-9", "bdl-10",
    "bdl-11", "bdl-12",
};

static bool
is_native(struct span key)
{
    for (size_t i = 0; i < sizeof natives / sizeof natives[0]; i++)
        if (span_eq_text(key, natives[i]))
            return true;
    return false;
}

static bool
has_constraint(const struct compiler *c, const struct pack_node *base, struct pack_text key)
{
    for (uint32_t i = 0; base != NULL && i < base->constraint_count; i++)
        if (COMPILE_AT(c, PACK_CONSTRAINTS, struct pack_constraint, base->first_constraint + i)->key.offset == key.offset)
            return true;
    return false;
}

static bool
grow_programs(struct profiles_compiler *p)
{
    uint32_t  room  = p->programs_room > 0 ? p->programs_room * 2 : 1024;
    uint32_t *fresh = arena_make_n(p->c->arena, room, uint32_t), *old = p->programs;

    if (fresh == NULL)
        return false;
    for (uint32_t i = 0; i < p->programs_room; i++) {
        if (old[i] == 0)
            continue;
        uint32_t at = COMPILE_AT(p->c, PACK_CONSTRAINTS, struct pack_constraint, old[i] - 1)->expression.offset * 0x9e3779b9u;
        while (fresh[at & (room - 1)] != 0)
            at++;
        fresh[at & (room - 1)] = old[i];
    }
    p->programs      = fresh;
    p->programs_room = room;
    return true;
}

bool
compile_program(struct compiler *c, struct pack_text expression, uint32_t *first, uint32_t *words)
{
    struct span program;

    *words = 0;
    /* Its bytes move when texts are added: they are not while it is compiled. */
    enum status st = fhirpath_compile(compile_span(c, expression), c->arena, &program, NULL);
    if (st != ST_OK)                                     /* then it is said to be undecided */
        return st != ST_NO_MEMORY;
    *first = compile_count(c, PACK_PROGRAMS);
    *words = (uint32_t)(program.length / sizeof(uint32_t));
    for (uint32_t i = 0; i < *words; i++) {
        uint32_t *word = COMPILE_APPEND(c, PACK_PROGRAMS, uint32_t);
        if (word == NULL)
            return false;
        memcpy(word, program.at + i * sizeof *word, sizeof *word);
    }
    return true;
}

/* Its program, that of an equal expression when there is one. */
static bool
add_program(struct profiles_compiler *p, struct pack_constraint *one, uint32_t index)
{
    if (p->programs_count * 2 >= p->programs_room && !grow_programs(p))
        return false;
    uint32_t at = one->expression.offset * 0x9e3779b9u;
    for (; p->programs[at & (p->programs_room - 1)] != 0; at++) {
        const struct pack_constraint *known =
            COMPILE_AT(p->c, PACK_CONSTRAINTS, struct pack_constraint, p->programs[at & (p->programs_room - 1)] - 1);
        if (known->expression.offset != one->expression.offset)
            continue;
        one->program       = known->program;
        one->program_words = known->program_words;
        one->flags |= known->flags & CONSTRAINT_AROUND;
        return true;
    }
    p->programs[at & (p->programs_room - 1)] = index + 1;
    p->programs_count++;
    if (!compile_program(p->c, one->expression, &one->program, &one->program_words))
        return false;
    if (one->program_words > 0
        && fhirpath_looks_around(span_from(COMPILE_AT(p->c, PACK_PROGRAMS, uint32_t, one->program), one->program_words * sizeof(uint32_t))))
        one->flags |= CONSTRAINT_AROUND;
    return true;
}

/* Appends it, with the program of its expression. */
static bool
add_constraint(struct profiles_compiler *p, struct twig *twig, struct pack_constraint one)
{
    if (!(one.flags & CONSTRAINT_NATIVE) && one.expression.length > 0
        && !add_program(p, &one, compile_count(p->c, PACK_CONSTRAINTS)))
        return false;
    compile_glance(p->c, twig->shape, &one);
    struct pack_constraint *mine = COMPILE_APPEND(p->c, PACK_CONSTRAINTS, struct pack_constraint);
    if (mine == NULL)
        return false;
    *mine = one;
    twig->node.constraint_count++;
    return true;
}

static bool
read_constraint(struct profiles_compiler *p, struct twig *twig, tape_node node)
{
    struct arena          *arena = p->c->arena;
    struct span            key   = tape_member_text(p->t, node, SPAN("key"), arena);
    struct pack_constraint one   = { .key = compile_text(p->c, key) };

    /* ele-1 and ext-1 are said of everything, and looked at everywhere. */
    if (span_eq_text(key, "ele-1") || span_eq_text(key, "ext-1") || has_constraint(p->c, base_of_element(p, twig), one.key)
        || has_constraint(p->c, base_of_shape(p, twig), one.key))
        return true;
    one.human      = compile_text(p->c, tape_member_text(p->t, node, SPAN("human"), arena));
    one.expression = compile_text(p->c, tape_member_text(p->t, node, SPAN("expression"), arena));
    if (tape_text_eq(p->t, tape_member(p->t, node, SPAN("severity")), SPAN("warning")))
        one.flags |= CONSTRAINT_WARNING;
    if (tape_kind(p->t, extension_value(p, node, SPAN(BEST_PRACTICE))) == TAPE_TRUE)
        one.flags |= CONSTRAINT_BEST_PRACTICE;
    one.flags |= (uint32_t)profile_shortcut_of(compile_span(p->c, one.expression)) << CONSTRAINT_SHORTCUT;
    if (is_native(key))
        one.flags |= CONSTRAINT_NATIVE;
    return add_constraint(p, twig, one);
}

#define SECTION "<div[^>]*\\\\sxml:lang\\\\s*=\\\\s*"

/* narrative-language-control of the extensions package: which languages a
 * narrative has sections for (<div xml:lang>), as a constraint of its own. */
static bool
read_narrative(struct profiles_compiler *p, struct twig *twig)
{
    struct span            code = tape_text(p->t, extension_value(p, twig->at, SPAN(NARRATIVE_LANGUAGE)), p->c->arena);
    struct span            expression;
    struct pack_constraint one = { .key = compile_text(p->c, SPAN("narrative-language")) };

    if (span_empty(code))
        return true;
    for (size_t i = 0; i < code.length; i++)             /* what stands between quotes below */
        if (code.at[i] == '\'' || code.at[i] == '\\' || code.at[i] == '"')
            return true;
    if (span_eq_text(code, "_no"))
        expression = SPAN("div.matches('" SECTION "').not()");
    else if (span_eq_text(code, "_yes"))
        expression = SPAN("div.matches('" SECTION "')");
    else if (span_eq_text(code, "_resource"))
        expression = SPAN("%resource.language.empty() or div.matches('" SECTION "[\"\\']' & %resource.language & '[\"\\']')");
    else
        expression = arena_format(p->c->arena, "div.matches('%s[\"\\']%.*s[\"\\']')", SECTION, SPAN_PRINT(code));
    one.expression = compile_text(p->c, expression);
    one.human      = compile_text(p->c, SPAN("The narrative has the language sections that the profile asks for"));
    return add_constraint(p, twig, one);
}

/* The regex of an element or, as older definitions have it, of its type
 * (extension regex, "The whole value must match"). */
static struct span
regex_of(const struct profiles_compiler *p, tape_node element)
{
    tape_node found = extension_value(p, element, SPAN(REGEX)), list = tape_member(p->t, element, SPAN("type"));

    for (tape_node n = tape_first(p->t, list); found == TAPE_ABSENT && n != TAPE_ABSENT; n = tape_next(p->t, n))
        found = extension_value(p, n, SPAN(REGEX));
    return tape_kind(p->t, found) == TAPE_STRING ? tape_text(p->t, found, p->c->arena) : (struct span){ NULL, 0 };
}

/* As a constraint of its own.  Types are asked by their own form (fhir/datatypes.h). */
static bool
read_regex(struct profiles_compiler *p, struct twig *twig)
{
    struct span            regex = p->base ? (struct span){ NULL, 0 } : regex_of(p, twig->at);
    struct pack_constraint one   = { .flags = 0 };
    struct buf             text;

    if (span_empty(regex) || regex.length > FHIRPATH_MAX_SOURCE / 4)
        return true;
    buf_init(&text, FHIRPATH_MAX_SOURCE);
    buf_add_text(&text, "hasValue().not() or toString().matches('^(");
    for (size_t i = 0; i < regex.length; i++) {
        if (regex.at[i] == '\\' || regex.at[i] == '\'')
            buf_add_byte(&text, '\\');
        buf_add_byte(&text, regex.at[i]);
    }
    buf_add_text(&text, ")$')");
    one.key        = compile_text(p->c, SPAN("regex"));
    one.expression = compile_text(p->c, buf_span(&text));
    one.human      = compile_text(p->c, SPAN("The whole value matches the regex of the profile"));
    buf_release(&text);
    return add_constraint(p, twig, one);
}

static bool
read_constraints(struct profiles_compiler *p, struct twig *twig)
{
    tape_node list = tape_member(p->t, twig->at, SPAN("constraint"));

    twig->node.first_constraint = compile_count(p->c, PACK_CONSTRAINTS);
    for (tape_node n = tape_first(p->t, list); n != TAPE_ABSENT; n = tape_next(p->t, n))
        if (!read_constraint(p, twig, n))
            return false;
    return read_narrative(p, twig) && read_regex(p, twig);
}
