#include "fhir/extension_context.h"

#include "base/json_walk.h"
#include "fhir/element.h"
#include "fhir/profile_run.h"

#define NOTHING ((struct span){ NULL, 0 })

/* ---- where it is ---------------------------------------------------------------------- */

/* Names of members from the resource down to the container. */
static bool
climb(const struct profiling *r, tape_node extension, tape_node resource, tape_node *members, uint32_t *count)
{
    tape_node node = r->bundle->parents[extension];

    *count = 0;
    if (walk_kind(r->tape, node) == TAPE_ARRAY)          /* of extensions */
        node = r->bundle->parents[node];
    while (node != resource && node != TAPE_ABSENT) {
        tape_node up = r->bundle->parents[node];
        if (walk_kind(r->tape, up) == TAPE_ARRAY) {
            node = up;
            up   = r->bundle->parents[node];
        }
        if (*count + 1 == CONTEXT_DEPTH || node == TAPE_ROOT)
            return false;
        members[(*count)++] = node - 1;
        node = up;
    }
    return node == resource;
}

static tape_node
container_of(const struct profiling *r, tape_node extension)
{
    tape_node up = r->bundle->parents[extension];

    return walk_kind(r->tape, up) == TAPE_ARRAY ? r->bundle->parents[up] : up;
}

/* The url of the extension that the container is, or whose value it is. */
static struct span
url_around(const struct profiling *r, const struct extension_place *place)
{
    tape_node at = place->container;

    if (place->depth > 0 && !span_eq_text(place->types[place->depth], "Extension"))
        at = container_of(r, at);
    return walk_find_text(r->tape, at, SPAN("url"), r->arena);
}

/* "Patient.contact", as its first child "Patient.contact.id" says. */
static struct span
path_of_shape(const struct pack *p, uint32_t shape)
{
    const struct pack_shape *s    = &p->shapes[shape];
    struct span              path = s->element_count > 0 ? pack_span(p, p->elements[s->first_element].path) : NOTHING;
    size_t                   dot  = span_find_last_byte(path, '.');

    return dot == SPAN_NOT_FOUND ? NOTHING : span_first(path, dot);
}

void
extension_place_read(struct profiling *r, tape_node extension, struct extension_place *place)
{
    const struct pack *p        = r->pack;
    tape_node          resource = bundle_resource_of(r->bundle, extension), members[CONTEXT_DEPTH];
    uint32_t           count    = 0;
    struct spot        spot     = profiling_resource(r, resource);

    place->container = container_of(r, extension);
    place->resource  = resource;
    place->type      = NULL;
    place->shape     = spot.shape;
    place->depth     = 0;
    place->paths[0]  = NOTHING;
    place->unknown   = spot.shape == PACK_NONE || !climb(r, extension, resource, members, &count);
    if (place->unknown)
        return;
    uint32_t shape  = spot.shape;
    place->types[0] = pack_span(p, p->structures[p->shapes[shape].structure].name);
    for (uint32_t i = count; i-- > 0;) {
        tape_node               name = members[i];
        const struct pack_slot *slot = pack_slot_of(p, &p->shapes[shape], walk_key(r->tape, name),
                                                    walk_text(r->tape, name, r->arena));
        place->unknown = slot == NULL || (slot->flags & SLOT_RESOURCE_TYPE);
        if (place->unknown)
            return;
        const struct pack_element *e    = &p->elements[p->shapes[shape].first_element + slot->element];
        const struct pack_type    *type = &p->types[e->first_type + slot->type];
        place->depth++;
        place->names[place->depth] = pack_span(p, e->name);
        place->types[place->depth] = pack_span(p, type->code);
        shape = type->kind == TYPE_COMPLEX ? type->shape : p->header->element_shape;
        place->paths[place->depth] = path_of_shape(p, shape);
        place->type                = type;
        place->shape               = shape;
    }
    place->url = url_around(r, place);
}

/* ---- whether it may ------------------------------------------------------------------------ */

/* R4's hierarchy above a type, as contexts name it. */
static bool
is_a(const struct profiling *r, struct span type, struct span wanted, bool resource)
{
    if (span_eq(type, wanted))
        return true;
    if (!resource)
        return span_eq_text(wanted, "Element") || (span_eq_text(wanted, "BackboneElement") && span_empty(type))
            || profile_type_is(r, type, wanted);
    if (!span_eq_text(wanted, "CanonicalResource") && !span_eq_text(wanted, "MetadataResource"))
        return profile_type_is(r, type, wanted);
    if (span_eq_text(type, "Basic"))                     /* may be one of a later version of FHIR */
        return true;
    uint32_t                 at    = profile_structure(r, type);
    const struct pack_shape *shape = &r->pack->shapes[r->pack->structures[at].shape];
    return pack_slot_of(r->pack, shape, tape_key_of(SPAN("url")), SPAN("url")) != NULL
        && pack_slot_of(r->pack, shape, tape_key_of(SPAN("status")), SPAN("status")) != NULL;
}

/* "value[x]" is said as that, or as "value". */
static bool
same_name(struct span name, struct span wanted)
{
    return span_eq(name, wanted) || (span_ends(name, SPAN("[x]")) && span_eq(span_first(name, name.length - 3), wanted));
}

/* "Patient.contact": a type of the way and the names from there on. */
static bool
path_fits(const struct profiling *r, struct span expression, const struct extension_place *place)
{
    struct span rest = expression, head = span_split(&rest, '.'), parts[CONTEXT_DEPTH];
    uint32_t    count = 0;

    while (rest.at != NULL && count < CONTEXT_DEPTH)
        parts[count++] = span_split(&rest, '.');
    if (rest.at != NULL || count > place->depth)
        return false;
    uint32_t from = place->depth - count;
    if (!is_a(r, place->types[from], head, from == 0))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!same_name(place->names[from + 1 + i], parts[i]))
            return false;
    return true;
}

/* The same from an element that is defined elsewhere. */
static bool
definition_fits(struct span expression, const struct extension_place *place)
{
    for (uint32_t k = 1; k <= place->depth; k++) {
        struct span rest = span_skip(expression, place->paths[k].length);
        bool        good = !span_empty(place->paths[k]) && span_starts(expression, place->paths[k]);
        for (uint32_t i = k + 1; good && i <= place->depth; i++) {
            struct span name = place->names[i];
            good = rest.length > name.length && rest.at[0] == '.' && span_starts(span_skip(rest, 1), name);
            rest = span_skip(rest, name.length + 1);
        }
        if (good && span_empty(rest))
            return true;
    }
    return false;
}

/* Values inside of definitions are samples of what may stand elsewhere. */
static bool
in_sample(const struct extension_place *place)
{
    static const char *const samples[] = { "example", "fixed[x]", "pattern[x]", "defaultValue[x]", "minValue[x]", "maxValue[x]" };

    for (uint32_t k = 1; k <= place->depth; k++)
        for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
            if (span_eq_text(place->types[k - 1], "ElementDefinition") && span_eq_text(place->names[k], samples[i]))
                return true;
    return false;
}

/* Where standard extensions are used though R4's definitions of them do not
 * say so (HL7 jira FHIR-13328 for the first): the elements that R4's own
 * definitions have them on. */
static bool
used_more_widely(const struct profiling *r, const struct pack_profile *definition, const struct extension_place *place)
{
    static const struct { const char *name, *context; } more[] = {
        { "regex", "ElementDefinition.type" }, { "structuredefinition-fhir-type", "ElementDefinition.type" },
        { "structuredefinition-normative-version", "Element" }, { "capabilitystatement-expectation", "Element" },
        { "capabilitystatement-prohibited", "Element" },
    };
    struct span url = pack_span(r->pack, definition->url), base = SPAN("http://hl7.org/fhir/StructureDefinition/");

    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        if (span_starts(url, base) && span_eq_text(span_skip(url, base.length), more[i].name)
            && path_fits(r, span_of(more[i].context), place))
            return true;
    return false;
}

/* The element that holds the extension, as FHIRPath has it. */
static struct fhirpath_item
container_item(struct profiling *r, const struct extension_place *place)
{
    if (place->type == NULL)
        return fhirpath_resource(r->pack, r->tape, place->container);
    if (place->type->kind != TYPE_PRIMITIVE)
        return fhirpath_object(place->shape, place->container);
    /* The value beside `_x` takes a search among the items. */
    uint64_t beside     = tape_children(r->tape, r->bundle->parents[place->container]);
    r->expression_steps = r->expression_steps > beside ? r->expression_steps - beside : 0;
    return fhirpath_primitive((enum primitive)place->type->primitive, element_twin(r->tape, r->bundle->parents, place->container), place->container);
}

/* What a program says of an item; nobody is asked, so the arena is scratch. */
static enum fhirpath_truth
selects(struct profiling *r, const struct pack_context *one, const struct extension_place *place, struct fhirpath_item focus, bool *boolean)
{
    struct fhirpath_context context;
    struct fhirpath_result  result;
    enum fhirpath_truth     truth = FHIRPATH_FALSE;
    struct arena_mark       mark  = arena_mark(r->arena);

    *boolean = true;
    if (!profile_expression(r, bundle_resource_index(r->bundle, place->resource), focus, &context))
        return FHIRPATH_FAILED;
    context.calls = NULL;
    enum status st = fhirpath_run(pack_program(r->pack, one->program, one->program_words), &context, r->arena, &result);
    if (st == ST_OK) {
        *boolean = result.count == 0 || result.items[0].kind == FHIRPATH_BOOLEAN;
        for (uint32_t i = 0; i < result.count; i++)
            if (*boolean ? result.items[i].boolean && result.count == 1
                         : result.items[i].kind == FHIRPATH_NODE && (result.items[i].node == place->container || result.items[i].shadow == place->container))
                truth = FHIRPATH_TRUE;
    } else if (result.failure.why != FHIRPATH_FAILED_BUDGET) {
        truth = FHIRPATH_FAILED;
    }
    if (!arena_spent(r->arena))
        arena_reset(r->arena, mark);
    return truth;
}

static enum fhirpath_truth
expression_fits(struct profiling *r, const struct pack_context *one, const struct extension_place *place)
{
    bool boolean, unused;

    if (one->program_words == 0)
        return FHIRPATH_FAILED;
    enum fhirpath_truth truth = selects(r, one, place, fhirpath_resource(r->pack, r->tape, place->resource), &boolean);
    if (!boolean)
        return truth;
    /* It says, and does not select: then it is said of the element. */
    return selects(r, one, place, container_item(r, place), &unused);
}

enum fhirpath_truth
extension_invariant(struct profiling *r, uint32_t at, const struct extension_place *place, tape_node extension)
{
    const struct pack_context *one   = &r->pack->contexts[at];
    uint32_t                   type  = profile_structure(r, SPAN("Extension"));
    struct fhirpath_variable   mine  = { SPAN("extension"), fhirpath_object(type != PACK_NONE ? r->pack->structures[type].shape : PACK_NONE, extension) };
    struct fhirpath_failure    why   = { 0 };
    struct fhirpath_context    context;

    if (place->unknown)
        return FHIRPATH_TRUE;
    if (one->program_words == 0 || !profile_expression(r, bundle_resource_index(r->bundle, place->resource), container_item(r, place), &context))
        return FHIRPATH_FAILED;
    context.variables      = &mine;
    context.variable_count = 1;
    enum fhirpath_truth truth = fhirpath_true(pack_program(r->pack, one->program, one->program_words), &context, r->arena, &why);
    if (truth == FHIRPATH_FAILED && why.why != FHIRPATH_FAILED_BUDGET)
        return FHIRPATH_FAILED;
    return truth == FHIRPATH_TRUE ? FHIRPATH_TRUE : FHIRPATH_FALSE;
}

enum fhirpath_truth
extension_may_stand(struct profiling *r, const struct pack_profile *definition, const struct extension_place *place)
{
    enum fhirpath_truth truth = FHIRPATH_FALSE;

    if (place->unknown || definition->context_count == 0 || in_sample(place))
        return FHIRPATH_TRUE;
    for (uint32_t i = 0; i < definition->context_count; i++) {
        const struct pack_context *one  = &r->pack->contexts[definition->first_context + i];
        struct span                text = pack_span(r->pack, one->expression);
        size_t                     hash = span_find_byte(text, '#');
        if (one->kind == CONTEXT_EXTENSION && span_eq(text, place->url))
            return FHIRPATH_TRUE;
        if (hash != SPAN_NOT_FOUND)                      /* of a profile: "url#Patient.name" */
            text = span_skip(text, hash + 1);
        if (one->kind == CONTEXT_ELEMENT
            && (span_eq_text(text, "Element") || span_eq_text(text, "Any") || path_fits(r, text, place)
                || definition_fits(text, place)))
            return FHIRPATH_TRUE;
    }
    if (used_more_widely(r, definition, place))
        return FHIRPATH_TRUE;
    for (uint32_t i = 0; i < definition->context_count && truth != FHIRPATH_TRUE; i++) {
        const struct pack_context *one = &r->pack->contexts[definition->first_context + i];
        enum fhirpath_truth        fits = one->kind == CONTEXT_FHIRPATH ? expression_fits(r, one, place) : FHIRPATH_FALSE;
        if (fits != FHIRPATH_FALSE)
            truth = fits;
    }
    return truth;
}
