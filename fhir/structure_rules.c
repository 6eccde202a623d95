/* fhir/structure_rules.c -- StructureDefinition: does what it states fit what it rests on.
 *
 * R4 profiling.html, structuredefinition.html, elementdefinition.html.  The base
 * is the type's own definition in the pack, and the base profile's nodes where
 * it is a profile.  Below a slice, and below a type's profile, only the type's
 * own definition is compared: what is stricter there is not looked for.
 */
#include "fhir/definition_rules.h"

#include "base/json_walk.h"
#include "fhir/element.h"
#include "fhir/fhirpath.h"
#include "fhir/profile_run.h"

#define PATH_DEPTH 32u

struct step {
    struct span                name;         /* of the path           */
    struct span                id;           /* with the slice's name */
    const struct pack_element *element;      /* NULL: not looked for  */
};

struct way {
    struct step step[PATH_DEPTH];
    uint32_t    depth;                       /* steps below the root  */
    uint32_t    type;                        /* of TYPES; PACK_NONE: all of the last element's */
    uint32_t    node;                        /* of the base profile; PACK_NONE                 */
    bool        sliced;                      /* it is a slice, or inside of one                */
    bool        open;                        /* leads where nothing is said                    */
};

struct structure {
    struct profiling          *r;
    tape_node                  at;
    const struct pack_profile *base;         /* NULL: not here */
    uint32_t                   shape;        /* of the type; PACK_NONE: it has none */
    struct span                url, type;
    bool                       constraint, snapshot;
    struct way                 ways[2];      /* of this element, and of the one before */
    uint32_t                   current;
};

static void
wrong(struct structure *s, tape_node node, const char *rule, const char *wanted, const char *found)
{
    definition_tell(s->r, node, SEVERITY_ERROR, rule, wanted, found);
}

/* ---- where a path leads --------------------------------------------------------------------- */

static const struct pack_element *
element_named(const struct pack *p, uint32_t shape, struct span name, uint32_t *type)
{
    const struct pack_shape *in   = &p->shapes[shape];
    const struct pack_slot  *slot = pack_slot_of(p, in, tape_key_of(name), name);

    *type = PACK_NONE;
    for (uint32_t i = 0; i < in->element_count; i++)
        if (span_eq(pack_span(p, p->elements[in->first_element + i].name), name))
            return &p->elements[in->first_element + i];
    if (slot == NULL || (slot->flags & (SLOT_SHADOW | SLOT_RESOURCE_TYPE)))
        return NULL;
    const struct pack_element *e = &p->elements[in->first_element + slot->element];
    *type = e->first_type + slot->type;
    return e;
}

/* The child of what the way leads to.  False: there is none of this name. */
static bool
go_down(struct structure *s, struct way *w, struct span name)
{
    const struct pack         *p    = s->r->pack;
    const struct pack_element *from = w->depth > 0 ? w->step[w->depth - 1].element : NULL;
    const struct pack_element *to   = NULL;

    if (w->open)
        return true;
    if (from == NULL)
        to = element_named(p, s->shape, name, &w->type);
    for (uint32_t i = 0; from != NULL && to == NULL && i < from->type_count; i++) {
        const struct pack_type *type = &p->types[from->first_type + i];
        if (w->type != PACK_NONE && w->type != from->first_type + i)
            continue;
        if (type->kind == TYPE_RESOURCE || (type->kind == TYPE_PRIMITIVE && span_eq_text(name, "value"))) {
            w->open = true;
            return true;
        }
        uint32_t one;
        to = element_named(p, type->kind == TYPE_COMPLEX ? type->shape : p->header->element_shape, name, &one);
        if (to != NULL) {
            w->type = one;
            break;
        }
    }
    if (to == NULL)
        return false;
    if (from == NULL && w->depth > 0)
        return false;
    if (w->node != PACK_NONE) {
        const struct pack_node *n = &p->nodes[w->node];
        w->node = n->shape != PACK_NONE && to >= &p->elements[p->shapes[n->shape].first_element]
               && !w->sliced ? pack_child(n, (uint32_t)(to - &p->elements[p->shapes[n->shape].first_element])) : PACK_NONE;
    }
    w->step[w->depth].element = to;
    return true;
}

/* "Patient.name.family" and "Patient.name:official.family".  False with a
 * finding when the path leads nowhere. */
static bool
follow(struct structure *s, tape_node element, struct way *w)
{
    struct span path = definition_text(s->r, element, "path"), id = definition_text(s->r, element, "id");
    struct span root = span_split(&path, '.');

    *w = (struct way){ .type = PACK_NONE, .node = s->base != NULL ? s->base->node : PACK_NONE };
    span_split(&id, '.');
    if (!span_eq(root, s->type)) {
        wrong(s, element, "definition-path", "want paths that begin with the type", "have one that does not");
        return false;
    }
    while (!span_empty(path)) {
        struct span name = span_split(&path, '.');
        if (w->depth == PATH_DEPTH)
            return false;
        w->step[w->depth] = (struct step){ .name = name, .id = span_split(&id, '.') };
        if (!go_down(s, w, name)) {
            wrong(s, element, "definition-path", "want a path that the base has", "have one that leads nowhere");
            return false;
        }
        w->sliced |= span_find_byte(w->step[w->depth].id, ':') != SPAN_NOT_FOUND;
        w->depth++;
    }
    w->sliced |= tape_member(s->r->tape, element, SPAN("sliceName")) != TAPE_ABSENT;
    return true;
}

/* Elements come in the order of the base; slices behind what they slice. */
static void
check_order(struct structure *s, tape_node element, const struct way *w, const struct way *before)
{
    for (uint32_t i = 0; i < w->depth && i < before->depth; i++) {
        const struct step *a = &before->step[i], *b = &w->step[i];
        if (a->element != b->element) {
            if (a->element > b->element && a->element != NULL && b->element != NULL)
                wrong(s, element, "definition-order", "want elements in the order of the base",
                      "have one behind another that comes after it");
            return;
        }
        if (!span_eq(a->name, b->name) || !span_eq(a->id, b->id) || a->element == NULL)
            return;
    }
}

/* ---- what an element states ------------------------------------------------------------------ */

static bool
number_of(struct structure *s, tape_node element, const char *name, uint64_t *out)
{
    tape_node at = tape_member(s->r->tape, element, span_of(name));

    if (tape_kind(s->r->tape, at) == TAPE_NUMBER)
        return span_to_u64(tape_raw(s->r->tape, at), out);
    if (tape_kind(s->r->tape, at) != TAPE_STRING)
        return false;
    struct span text = tape_text(s->r->tape, at, s->r->arena);
    if (span_eq_text(text, "*"))
        *out = PACK_MANY;
    return span_eq_text(text, "*") || span_to_u64(text, out);
}

static void
check_cardinality(struct structure *s, tape_node element, const struct way *w)
{
    const struct pack_element *e = w->step[w->depth - 1].element;
    const struct pack_node    *n = w->node != PACK_NONE && !w->sliced ? &s->r->pack->nodes[w->node] : NULL;
    uint64_t                   min, max;
    uint32_t                   base_min = e->min, base_max = e->max;

    if (n != NULL && (n->flags & NODE_CARDINALITY)) {
        base_min = n->min;
        base_max = n->max;
    }
    if (number_of(s, element, "min", &min) && min < base_min && !w->sliced)
        wrong(s, element, "definition-cardinality", "want a min that is not below that of the base", "have one below");
    if (number_of(s, element, "max", &max) && max > base_max)
        wrong(s, element, "definition-cardinality", "want a max that is not above that of the base", "have one above");
}

/* What the base admits; a type that is only a frame admits all that may stand in it. */
static bool
admits(struct structure *s, const struct pack_type *type, struct span code)
{
    struct span base = pack_span(s->r->pack, type->code);

    static const char *const loose[] = { "Element", "BackboneElement" };
    for (size_t i = 0; i < sizeof loose / sizeof loose[0]; i++)
        if (span_eq_text(base, loose[i]))
            return true;
    return span_empty(base) || (type->flags & TYPE_SYSTEM) || span_eq(base, code) || type->kind == TYPE_RESOURCE
        || span_starts(code, SPAN("http://hl7.org/fhirpath/"));
}

static bool
admits_target(struct structure *s, const struct pack_type *type, struct span target)
{
    const struct pack *p    = s->r->pack;
    struct span        name = pack_profile_type(p, target);

    if (span_empty(name) || type->target_count == 0)
        return true;
    for (uint32_t i = 0; i < type->target_count; i++) {
        struct span want = pack_profile_type(p, pack_span(p, p->targets[type->first_target + i]));
        if (span_eq(want, name) || span_eq_text(want, "Resource") || span_empty(want))
            return true;
    }
    return false;
}

static bool
is_resource(const struct structure *s, struct span url)
{
    const struct pack *p    = s->r->pack;
    uint32_t           at   = pack_profile_named(p, url);
    uint32_t           type = at != PACK_NONE ? p->profiles[at].structure : PACK_NONE;

    return type == PACK_NONE || p->structures[type].kind == PACK_RESOURCE;
}

/* Profiles and targets of one type are of that type, and of resources. */
static void
check_type_profiles(struct structure *s, tape_node type, struct span code, const struct pack_type *base)
{
    struct profiling *r = s->r;

    for (tape_node n = definition_items(r, type, "targetProfile"); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        struct span url = tape_kind(r->tape, n) == TAPE_STRING ? tape_text(r->tape, n, r->arena) : (struct span){ NULL, 0 };
        if (!span_eq_text(code, "Reference") && !span_eq_text(code, "canonical") && !span_eq_text(code, "CodeableReference"))
            wrong(s, n, "definition-target", "want targetProfile on a Reference or canonical", "have it on another type");
        else if (!is_resource(s, url))
            wrong(s, n, "definition-target", "want a resource as the target of a reference", "have a profile of a datatype");
        else if (base != NULL && s->constraint && !admits_target(s, base, url))
            wrong(s, n, "definition-target", "want a target that the base admits", "have one of another type");
    }
    for (tape_node n = definition_items(r, type, "profile"); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        struct span url  = tape_kind(r->tape, n) == TAPE_STRING ? tape_text(r->tape, n, r->arena) : (struct span){ NULL, 0 };
        struct span have = pack_profile_type(r->pack, url);
        if (span_empty(have) || span_empty(code) || span_find_byte(url, '#') != SPAN_NOT_FOUND
            || span_eq_text(code, "Reference") || span_eq_text(code, "BackboneElement") || span_eq_text(code, "Element"))
            continue;
        if (!profile_type_is(r, have, code))
            wrong(s, n, "definition-type", "want a profile of the type that it stands with", "have one of another type");
    }
}

static void
check_types(struct structure *s, tape_node element, const struct way *w)
{
    const struct pack *p = s->r->pack;

    for (tape_node n = definition_items(s->r, element, "type"); n != TAPE_ABSENT; n = tape_next(s->r->tape, n)) {
        struct span                code = definition_text(s->r, n, "code");
        const struct pack_element *e    = w != NULL && w->depth > 0 && !w->open ? w->step[w->depth - 1].element : NULL;
        const struct pack_type    *mine = NULL;
        bool                       fine = e == NULL || span_empty(code) || !s->constraint;
        for (uint32_t i = 0; e != NULL && !fine && i < e->type_count; i++) {
            const struct pack_type *type = &p->types[e->first_type + i];
            if (admits(s, type, code)) {
                fine = true;
                mine = span_eq(pack_span(p, type->code), code) ? type : mine;
            }
        }
        if (!fine)
            wrong(s, n, "definition-type", "want a type that the base admits", "have another");
        check_type_profiles(s, n, code, mine);
    }
}

/* Types that hold no code. */
static bool
holds_code(struct span type)
{
    static const char *const none[] = { "boolean", "date", "dateTime", "instant", "time", "decimal", "integer", "positiveInt",
                                        "unsignedInt", "base64Binary", "xhtml", "Identifier", "HumanName", "Address",
                                        "ContactPoint", "Reference", "Attachment", "Period", "Narrative", "Range", "Ratio",
                                        "Timing", "Annotation", "Signature", "SampledData" };

    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        if (span_eq_text(type, none[i]))
            return false;
    return true;
}

static bool
element_holds_code(struct structure *s, tape_node element, const struct way *w)
{
    const struct pack         *p    = s->r->pack;
    const struct pack_element *e    = w != NULL && w->depth > 0 && !w->open ? w->step[w->depth - 1].element : NULL;
    tape_node                  type = definition_items(s->r, element, "type");

    if (type == TAPE_ABSENT && e == NULL)
        return true;
    for (tape_node n = type; n != TAPE_ABSENT; n = tape_next(s->r->tape, n))
        if (holds_code(definition_text(s->r, n, "code")))
            return true;
    for (uint32_t i = 0; type == TAPE_ABSENT && i < e->type_count; i++)
        if (holds_code(pack_span(p, p->types[e->first_type + i].code)))
            return true;
    return false;
}

static void
check_binding(struct structure *s, tape_node element, const struct way *w)
{
    const struct pack *p       = s->r->pack;
    tape_node          binding = tape_member(s->r->tape, element, SPAN("binding"));
    struct span        set     = definition_text(s->r, binding, "valueSet");

    if (binding == TAPE_ABSENT)
        return;
    if (!element_holds_code(s, element, w))
        wrong(s, binding, "definition-binding", "want a binding where a type holds a code", "have it where none does");
    if (!span_empty(set) && term_value_set(p, set) == TERM_NONE
        && (pack_profile_named(p, set) != PACK_NONE || term_content(p, set, (struct span){ NULL, 0 }) != TERM_CONTENT_UNKNOWN))
        wrong(s, binding, "definition-binding", "want a binding to a value set", "have something else of this URL");
    if (w == NULL || w->depth == 0 || w->open || !s->constraint)
        return;
    const struct pack_element *e    = w->step[w->depth - 1].element;
    uint32_t                   node = w->node != PACK_NONE && p->nodes[w->node].binding != PACK_NONE ? w->node : e->node;
    if (node != PACK_NONE && p->nodes[node].binding != PACK_NONE
        && p->bindings[p->nodes[node].binding].strength == STRENGTH_REQUIRED
        && !span_eq_text(definition_text(s->r, binding, "strength"), "required"))
        wrong(s, binding, "definition-binding", "want a binding that stays required", "have a weaker one");
}

/* Functions of later versions that a definition may use, but R4 cannot compile. */
static bool
is_later(struct span expression)
{
    static const char *const later[] = { "defineVariable(", "coalesce(" };

    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++)
        if (span_find(expression, span_of(later[i])) != SPAN_NOT_FOUND)
            return true;
    return false;
}

/* Those that come from elsewhere are for their source to answer. */
static void
check_constraints(struct structure *s, tape_node element)
{
    for (tape_node n = definition_items(s->r, element, "constraint"); n != TAPE_ABSENT; n = tape_next(s->r->tape, n)) {
        struct span           expression = definition_text(s->r, n, "expression"), program;
        struct span           source     = definition_text(s->r, n, "source");
        struct fhirpath_error error      = { 0 };
        if (span_empty(expression) || (!span_empty(source) && !span_eq(source, s->url)) || is_later(expression))
            continue;
        if (fhirpath_compile(expression, s->r->arena, &program, &error) != ST_OK)
            wrong(s, n, "definition-invariant", "want an expression that is FHIRPath",
                  error.why != NULL ? error.why : "have one that is too large");
    }
}

/* fixed[x], pattern[x] and defaultValue[x] have the type of their element. */
static void
check_value_type(struct structure *s, tape_node element, const char *stem)
{
    struct span    found = { NULL, 0 };
    struct element value = element_choice(s->r->tape, element, span_of(stem), &found);
    tape_node      types = definition_items(s->r, element, "type");

    if (!element_present(value) || types == TAPE_ABSENT || span_empty(found))
        return;
    for (tape_node n = types; n != TAPE_ABSENT; n = tape_next(s->r->tape, n)) {
        struct span code = definition_text(s->r, n, "code");
        if (span_starts(code, SPAN("http:")) || span_empty(code)
            || (code.length == found.length && span_eq(span_skip(code, 1), span_skip(found, 1))
                && (code.at[0] | 0x20) == (found.at[0] | 0x20)))
            return;
    }
    wrong(s, value.value != TAPE_ABSENT ? value.value : value.shadow, "definition-value",
          "want a value of the element's type", "have one of another");
}

static void
check_element(struct structure *s, tape_node element)
{
    struct way *w = &s->ways[s->current], *before = &s->ways[!s->current];

    check_constraints(s, element);
    check_value_type(s, element, "fixed");
    check_value_type(s, element, "pattern");
    check_value_type(s, element, "defaultValue");
    if (s->shape == PACK_NONE || !s->constraint || !follow(s, element, w)) {
        check_types(s, element, NULL);
        check_binding(s, element, NULL);
        return;
    }
    if (w->depth > 0 && !w->open && !s->snapshot)
        check_cardinality(s, element, w);
    if (!s->snapshot)
        check_order(s, element, w, before);
    check_types(s, element, w);
    check_binding(s, element, w);
    s->current = !s->current;
}

static void
check_elements(struct structure *s, const char *where)
{
    tape_node list = tape_member(s->r->tape, s->at, span_of(where));

    s->snapshot = span_eq_text(span_of(where), "snapshot");
    s->ways[0].depth = s->ways[1].depth = 0;
    for (tape_node n = definition_items(s->r, list, "element"); n != TAPE_ABSENT && !s->r->report->stopped;
         n = tape_next(s->r->tape, n))
        check_element(s, n);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void
check_base(struct structure *s, struct span derivation)
{
    const struct pack *p    = s->r->pack;
    struct span        kind = definition_text(s->r, s->at, "kind");

    if (s->base == NULL)
        return;
    if (span_empty(derivation))
        wrong(s, s->at, "definition-base", "want a derivation where there is a base", "have none");
    if (!s->constraint)
        return;
    if (!span_eq(pack_span(p, s->base->type), s->type))
        wrong(s, s->at, "definition-base", "want the type of the base in a constraint", "have another");
    if (s->base->structure == PACK_NONE || (s->base->flags & PROFILE_ABSTRACT))
        return;
    static const char *const kinds[] = { [PACK_PRIMITIVE] = "primitive-type", [PACK_COMPLEX] = "complex-type", [PACK_RESOURCE] = "resource" };
    if (!span_eq_text(kind, kinds[p->structures[s->base->structure].kind]))
        wrong(s, s->at, "definition-base", "want the kind of the base", "have another");
}

/* Definitions for another version of FHIR rest on another base. */
static bool
is_for_r4(struct span version)
{
    return span_empty(version) || span_starts(version, SPAN("4.0"));
}

void
structure_rules(struct profiling *r, tape_node resource)
{
    const struct pack *p          = r->pack;
    struct structure   s          = { .r = r, .at = resource, .shape = PACK_NONE };
    struct span        derivation = definition_text(r, resource, "derivation");
    uint32_t           base       = pack_profile_named(p, definition_text(r, resource, "baseDefinition"));

    if (!is_for_r4(definition_text(r, resource, "fhirVersion")))
        return;
    s.url        = definition_text(r, resource, "url");
    s.type       = definition_text(r, resource, "type");
    s.constraint = span_eq_text(derivation, "constraint");
    s.base       = base != PACK_NONE ? &p->profiles[base] : NULL;
    check_base(&s, derivation);
    if (s.base != NULL && s.base->structure != PACK_NONE && span_eq(pack_span(p, s.base->type), s.type))
        s.shape = p->structures[s.base->structure].shape;
    check_elements(&s, "differential");
    check_elements(&s, "snapshot");
}
