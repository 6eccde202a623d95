/* fhir/compile_types.c -- StructureDefinitions of types and resources -> what
 * the walk of the validator runs on.
 *
 *     enlist    the definitions that are types -> structures
 *     shape     snapshot -> shapes, elements, types
 *     resolve   type codes -> primitives, shapes of other definitions
 *     hash      member names of each shape -> slots
 */
#include "fhir/compile.h"

#include "fhir/datatypes.h"

#define SYSTEM_TYPE "http://hl7.org/fhirpath/System."
#define FHIR_TYPE   "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"

/* One element of the snapshot at hand. */
struct part {
    struct span path, id;
    tape_node   node;
    uint32_t    shape;                       /* PACK_NONE: it has no children of its own */
};

/* A slot that waits for its table. */
struct name { struct span text; uint16_t flags, element, type; };

/* The definitions that became structures, in their order, from `first` on. */
struct enlisted { uint32_t first, count; const struct definition **definitions; };

static bool enlist(struct compiler *, struct enlisted *);
static bool shape_definition(struct compiler *, const struct definition *, uint32_t structure);
static bool resolve_types(struct compiler *, uint32_t first);
static bool hash_shape(struct compiler *, uint32_t shape);
static bool hash_type_names(struct compiler *);
static void find_bases(struct compiler *, const struct enlisted *);

bool
compile_types(struct compiler *c)
{
    uint32_t        first_type = compile_count(c, PACK_TYPES), first_shape = compile_count(c, PACK_SHAPES);
    struct enlisted types;
    bool            good = enlist(c, &types);

    for (uint32_t i = 0; good && i < types.count; i++)
        good = shape_definition(c, types.definitions[i], types.first + i);
    good = good && resolve_types(c, first_type);
    for (uint32_t i = first_shape, end = compile_count(c, PACK_SHAPES); good && i < end; i++)
        good = hash_shape(c, i);
    if (good && types.count > 0)
        good = hash_type_names(c);
    if (good)
        find_bases(c, &types);
    if (good && c->element_shape == PACK_NONE)
        return compile_broken(c, SPAN("want a definition of Element among the files"), (struct span){ NULL, 0 });
    return good;
}

/* ---- enlist ---------------------------------------------------------------------------- */

static uint8_t
kind_of(struct span kind)
{
    return span_eq_text(kind, "primitive-type") ? PACK_PRIMITIVE
         : span_eq_text(kind, "complex-type")   ? PACK_COMPLEX
         : span_eq_text(kind, "resource")       ? PACK_RESOURCE : 0;
}

/* Constraints are profiles and logical models are no instances. */
static bool
is_type(struct compiler *c, const struct definition *d)
{
    return d->kind == DEFINITION_STRUCTURE
        && kind_of(tape_member_text(d->tape, d->node, SPAN("kind"), c->arena)) != 0
        && !tape_text_eq(d->tape, tape_member(d->tape, d->node, SPAN("derivation")), SPAN("constraint"));
}

static bool
enlist_one(struct compiler *c, const struct definition *d)
{
    const struct tape     *t    = d->tape;
    struct span            name = tape_member_text(t, d->node, SPAN("type"), c->arena);
    uint8_t                kind = kind_of(tape_member_text(t, d->node, SPAN("kind"), c->arena));
    struct pack_structure *structure;

    c->id = arena_format(c->arena, "StructureDefinition/%.*s", SPAN_PRINT(name));
    if (span_empty(name))
        return compile_broken(c, SPAN("want a type"), SPAN("have none"));
    if ((structure = COMPILE_APPEND(c, PACK_STRUCTURES, struct pack_structure)) == NULL)
        return false;
    *structure = (struct pack_structure){
        .name = compile_text(c, name), .kind = kind, .shape = PACK_NONE, .base = PACK_NONE, .url = compile_text(c, d->url),
        .abstract = tape_kind(t, tape_member(t, d->node, SPAN("abstract"))) == TAPE_TRUE,
    };
    if (kind == PACK_PRIMITIVE)
        structure->primitive = (uint8_t)primitive_named(name);
    if (kind == PACK_PRIMITIVE && structure->primitive == PRIMITIVE_NONE)
        return compile_broken(c, SPAN("want one of the primitive types of R4"), name);
    return true;
}

static bool
enlist(struct compiler *c, struct enlisted *out)
{
    *out = (struct enlisted){ compile_count(c, PACK_STRUCTURES), 0,
                              arena_make_n(c->arena, (size_t)c->definition_count + 1, const struct definition *) };
    for (uint32_t i = 0; out->definitions != NULL && i < c->definition_count; i++) {
        const struct definition *d = &c->definitions[i];
        if (!is_type(c, d))
            continue;
        if (!enlist_one(c, d))
            return false;
        out->definitions[out->count++] = d;
    }
    return out->definitions != NULL;
}

/* "http://hl7.org/fhir/StructureDefinition/Quantity" of Age. */
static void
find_bases(struct compiler *c, const struct enlisted *types)
{
    struct pack view = compile_view(c);

    for (uint32_t i = 0; i < types->count; i++) {
        const struct definition *d     = types->definitions[i];
        struct span              url   = tape_member_text(d->tape, d->node, SPAN("baseDefinition"), c->arena);
        size_t                   slash = span_find_last_byte(url, '/');
        struct span              name  = slash == SPAN_NOT_FOUND ? url : span_skip(url, slash + 1);
        const struct pack_slot  *slot  = pack_slot_of(&view, &view.shapes[c->names_shape], tape_key_of(name), name);
        if (slot != NULL)
            COMPILE_AT(c, PACK_STRUCTURES, struct pack_structure, types->first + i)->base = slot->element;
    }
}

/* ---- shape ----------------------------------------------------------------------------- */

static struct span
last_name(struct span path)
{
    size_t dot = span_find_last_byte(path, '.');

    return dot == SPAN_NOT_FOUND ? path : span_skip(path, dot + 1);
}

static bool
is_inside(struct span path, struct span parent)
{
    return path.length > parent.length + 1 && span_starts(path, parent) && path.at[parent.length] == '.';
}

static bool
is_child(struct span path, struct span parent)
{
    return is_inside(path, parent)
        && span_find_byte(span_skip(path, parent.length + 1), '.') == SPAN_NOT_FOUND;
}

/* The snapshot as parts; every part with children, and the root, gets a shape. */
static struct part *
read_parts(struct compiler *c, const struct definition *d, uint32_t structure, uint32_t *count)
{
    const struct tape *t    = d->tape;
    tape_node          list = tape_member(t, tape_member(t, d->node, SPAN("snapshot")), SPAN("element"));
    struct part       *all  = arena_make_n(c->arena, (size_t)tape_children(t, list) + 1, struct part);
    uint32_t           n    = 0;

    if (all == NULL)
        return NULL;
    for (tape_node item = tape_first(t, list); item != TAPE_ABSENT; item = tape_next(t, item)) {
        all[n].node = item;
        all[n].path = tape_member_text(t, item, SPAN("path"), c->arena);
        all[n].id   = tape_member_text(t, item, SPAN("id"), c->arena);
        if (span_empty(all[n].path) || (n > 0 && !is_inside(all[n].path, all[0].path))) {
            compile_broken(c, SPAN("want the path of every element below the first one's"), all[n].path);
            return NULL;
        }
        n++;
    }
    if (n == 0) {
        compile_broken(c, SPAN("want a snapshot with elements"), SPAN("have none"));
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        all[i].shape = PACK_NONE;
        if (i > 0 && (i + 1 == n || !is_inside(all[i + 1].path, all[i].path)))
            continue;
        struct pack_shape *shape = COMPILE_APPEND(c, PACK_SHAPES, struct pack_shape);
        if (shape == NULL)
            return NULL;
        shape->structure = structure;
        shape->node      = PACK_NONE;
        all[i].shape     = compile_count(c, PACK_SHAPES) - 1;
    }
    *count = n;
    return all;
}

static bool
read_cardinality(struct compiler *c, const struct tape *t, tape_node node, struct pack_element *e)
{
    tape_node   node_min = tape_member(t, node, SPAN("min"));
    struct span min  = tape_raw(t, tape_kind(t, node_min) == TAPE_NUMBER ? node_min : TAPE_ABSENT);
    struct span max  = tape_member_text(t, node, SPAN("max"), c->arena);
    struct span base = tape_member_text(t, tape_member(t, node, SPAN("base")), SPAN("max"), c->arena);
    uint64_t    least, most = PACK_MANY;

    if (!span_to_u64(min, &least) || least > INT32_MAX)
        return compile_broken(c, SPAN("want min of every element to be a number"), compile_span(c, e->path));
    if (!span_eq_text(max, "*") && (!span_to_u64(max, &most) || most > INT32_MAX))
        return compile_broken(c, SPAN("want max of every element to be a number or *"), compile_span(c, e->path));
    e->min = (uint32_t)least;
    e->max = (uint32_t)most;
    /* In JSON an element is an array when its base definition repeats. */
    if (!span_eq_text(span_empty(base) ? max : base, "1") && !span_eq_text(base, "0"))
        e->flags |= ELEMENT_ARRAY;
    return true;
}

/* "http://hl7.org/fhirpath/System.String": ids and Extension.url.  R4 says by
 * an extension which FHIR type it is; for Resource.id it says string and means
 * id (resource.html#id). */
static enum primitive
system_primitive(struct compiler *c, const struct tape *t, tape_node type, const struct pack_element *e)
{
    tape_node list = tape_member(t, type, SPAN("extension"));

    if (e->flags & ELEMENT_ID)
        return PRIMITIVE_STRING;
    if (span_eq_text(compile_span(c, e->name), "id"))
        return PRIMITIVE_ID;
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n))
        if (tape_text_eq(t, tape_member(t, n, SPAN("url")), SPAN(FHIR_TYPE)))
            return primitive_named(tape_member_text(t, n, SPAN("valueUrl"), c->arena));
    return PRIMITIVE_STRING;
}

static bool
add_targets(struct compiler *c, const struct tape *t, tape_node list, struct pack_type *type)
{
    type->first_target = compile_count(c, PACK_TARGETS);
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        struct pack_text *target = COMPILE_APPEND(c, PACK_TARGETS, struct pack_text);
        if (target == NULL)
            return false;
        *target = compile_text(c, tape_text(t, n, c->arena));
        type->target_count++;
    }
    return true;
}

/* One type of an element that has no shape of its own. */
static bool
add_type(struct compiler *c, const struct tape *t, tape_node node, const struct pack_element *e)
{
    struct span       code = tape_member_text(t, node, SPAN("code"), c->arena);
    struct pack_type *type = COMPILE_APPEND(c, PACK_TYPES, struct pack_type);

    if (type == NULL)
        return false;
    *type = (struct pack_type){ .shape = PACK_NONE };
    if (span_empty(code))
        return compile_broken(c, SPAN("want a code for every type"), compile_span(c, e->path));
    if (span_starts(code, SPAN(SYSTEM_TYPE))) {
        type->kind      = TYPE_PRIMITIVE;
        type->primitive = (uint8_t)system_primitive(c, t, node, e);
        type->flags     = TYPE_SYSTEM;
    }
    type->code = compile_text(c, code);
    return add_targets(c, t, tape_member(t, node, SPAN("targetProfile")), type);
}

/* A part with children, or one that says "#path of another with children". */
static bool
add_own_shape(struct compiler *c, uint32_t shape, struct span code)
{
    struct pack_type *type = COMPILE_APPEND(c, PACK_TYPES, struct pack_type);

    if (type == NULL)
        return false;
    *type = (struct pack_type){ .kind = TYPE_COMPLEX, .shape = shape, .code = compile_text(c, code) };
    return true;
}

static bool
add_types(struct compiler *c, const struct tape *t, const struct part *part, const struct part *all,
          uint32_t count, struct pack_element *e)
{
    struct span content = tape_member_text(t, part->node, SPAN("contentReference"), c->arena);
    tape_node   list    = tape_member(t, part->node, SPAN("type"));
    bool        good    = true;

    e->first_type = compile_count(c, PACK_TYPES);
    if (part->shape != PACK_NONE) {
        struct span code = tape_member_text(t, tape_item(t, list, 0), SPAN("code"), c->arena);
        good = add_own_shape(c, part->shape, code);
    } else if (!span_empty(content)) {
        uint32_t at = 0;
        while (at < count && !span_eq(all[at].id, span_skip(content, 1)))
            at++;
        if (at == count || all[at].shape == PACK_NONE)
            return compile_broken(c, SPAN("want contentReference to name an element with children"), content);
        good = add_own_shape(c, all[at].shape, SPAN("BackboneElement"));
    } else {
        for (tape_node n = tape_first(t, list); good && n != TAPE_ABSENT; n = tape_next(t, n))
            good = add_type(c, t, n, e);
    }
    uint32_t types = compile_count(c, PACK_TYPES) - e->first_type;
    if (good && (types == 0 || types > UINT16_MAX || (types > 1 && !(e->flags & ELEMENT_CHOICE))))
        return compile_broken(c, SPAN("want one type, or several for a name that ends in [x]"), part->path);
    e->type_count = (uint16_t)types;
    return good;
}

static bool
add_element(struct compiler *c, const struct tape *t, const struct part *part, const struct part *all,
            uint32_t count)
{
    struct pack_element e    = { .path = compile_text(c, part->path), .name = compile_text(c, last_name(part->path)),
                                 .node = PACK_NONE };
    struct span         name = last_name(part->path);
    struct span         base = tape_member_text(t, tape_member(t, part->node, SPAN("base")), SPAN("path"), c->arena);

    if (span_ends(name, SPAN("[x]")))
        e.flags |= ELEMENT_CHOICE;
    if (span_eq_text(name, "id") && !span_eq_text(base, "Resource.id"))
        e.flags |= ELEMENT_ID;
    if (tape_kind(t, tape_member(t, part->node, SPAN("isModifier"))) == TAPE_TRUE)
        e.flags |= ELEMENT_MODIFIER;
    if (tape_kind(t, tape_member(t, part->node, SPAN("isSummary"))) == TAPE_TRUE)
        e.flags |= ELEMENT_SUMMARY;
    if (!read_cardinality(c, t, part->node, &e) || !add_types(c, t, part, all, count, &e))
        return false;
    struct pack_element *mine = COMPILE_APPEND(c, PACK_ELEMENTS, struct pack_element);
    if (mine == NULL)
        return false;
    *mine = e;
    return true;
}

static uint32_t
flags_of_shape(const struct compiler *c, const struct pack_structure *s)
{
    static const struct { const char *name; uint32_t flag; } types[] = {
        { "Extension", SHAPE_EXTENSION }, { "Identifier", SHAPE_IDENTIFIER }, { "Coding", SHAPE_CODING },
        { "Attachment", SHAPE_ATTACHMENT }, { "Meta", SHAPE_META }, { "SampledData", SHAPE_SAMPLES }, { "Quantity", SHAPE_QUANTITY }, { "Age", SHAPE_QUANTITY },
        { "Count", SHAPE_QUANTITY }, { "Distance", SHAPE_QUANTITY }, { "Duration", SHAPE_QUANTITY },
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (span_eq_text(compile_span(c, s->name), types[i].name))
            return types[i].flag;
    return s->kind == PACK_RESOURCE ? SHAPE_RESOURCE : 0;
}

static bool
shape_definition(struct compiler *c, const struct definition *d, uint32_t structure)
{
    struct pack_structure *s = COMPILE_AT(c, PACK_STRUCTURES, struct pack_structure, structure);
    uint32_t               count;

    c->id = arena_format(c->arena, "StructureDefinition/%.*s", SPAN_PRINT(compile_span(c, s->name)));
    if (s->kind == PACK_PRIMITIVE)
        return true;
    struct part *all = read_parts(c, d, structure, &count);
    if (all == NULL)
        return false;
    s->shape = all[0].shape;
    COMPILE_AT(c, PACK_SHAPES, struct pack_shape, s->shape)->flags |= flags_of_shape(c, s);
    if (span_eq_text(compile_span(c, s->name), "Element"))
        c->element_shape = s->shape;
    for (uint32_t i = 0; i < count; i++) {
        if (all[i].shape == PACK_NONE)
            continue;
        uint32_t first = compile_count(c, PACK_ELEMENTS);
        uint64_t required[2] = { 0, 0 };
        for (uint32_t k = i + 1; k < count && is_inside(all[k].path, all[i].path); k++) {
            if (!is_child(all[k].path, all[i].path))
                continue;
            uint32_t index = compile_count(c, PACK_ELEMENTS) - first;
            if (index == PACK_SHAPE_ELEMENTS)
                return compile_broken(c, SPAN("want at most 128 children of one element"), all[i].path);
            if (!add_element(c, d->tape, &all[k], all, count))
                return false;
            if (COMPILE_AT(c, PACK_ELEMENTS, struct pack_element, first + index)->min > 0)
                required[index / 64] |= (uint64_t)1 << (index % 64);
        }
        struct pack_shape *shape = COMPILE_AT(c, PACK_SHAPES, struct pack_shape, all[i].shape);
        shape->first_element     = first;
        shape->element_count     = compile_count(c, PACK_ELEMENTS) - first;
        shape->required[0]       = required[0];
        shape->required[1]       = required[1];
    }
    return true;
}

/* ---- resolve ---------------------------------------------------------------------------- */

static const struct lookup *
structure_names(struct compiler *c)
{
    uint32_t            count = compile_count(c, PACK_STRUCTURES);
    struct lookup_item *items = arena_make_n(c->arena, (size_t)count + 1, struct lookup_item);

    if (items == NULL)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        items[i] = (struct lookup_item){
            .key = compile_span(c, COMPILE_AT(c, PACK_STRUCTURES, struct pack_structure, i)->name), .value = i };
    const struct lookup *names = lookup_build(items, count, c->arena);
    for (uint32_t at = 0; names != NULL && at < count; at++)
        if (lookup_next(names, at) != LOOKUP_NONE) {
            c->id = lookup_key(names, at);
            compile_broken(c, SPAN("want one definition of a type"), SPAN("have several"));
            return NULL;
        }
    return names;
}

static bool
resolve_types(struct compiler *c, uint32_t first)
{
    const struct lookup *names = structure_names(c);

    if (names == NULL)
        return false;
    for (uint32_t i = first; i < compile_count(c, PACK_TYPES); i++) {
        struct pack_type *type = COMPILE_AT(c, PACK_TYPES, struct pack_type, i);
        if (type->kind != 0)
            continue;
        uint32_t at = lookup_find(names, compile_span(c, type->code));
        if (at == LOOKUP_NONE)
            return compile_broken(c, SPAN("want a definition of every type that is used"), compile_span(c, type->code));
        const struct pack_structure *s = COMPILE_AT(c, PACK_STRUCTURES, struct pack_structure, lookup_value(names, at));
        type->kind      = s->kind == PACK_PRIMITIVE ? TYPE_PRIMITIVE : s->kind == PACK_COMPLEX ? TYPE_COMPLEX : TYPE_RESOURCE;
        type->shape     = s->shape;
        type->primitive = s->primitive;
        if (span_eq_text(compile_span(c, s->name), "Reference"))
            type->flags |= TYPE_REFERENCE;
        if (span_eq_text(compile_span(c, s->name), "Extension"))
            type->flags |= TYPE_EXTENSION;
    }
    return true;
}

/* ---- hash ------------------------------------------------------------------------------- */

static bool
fill_slots(struct compiler *c, struct pack_shape *shape, const struct name *names, uint32_t count)
{
    uint32_t room = 4;

    while (room < 2 * count)
        room *= 2;
    shape->first_slot = compile_count(c, PACK_SLOTS);
    shape->slot_mask  = room - 1;
    for (uint32_t i = 0; i < room; i++)
        if (COMPILE_APPEND(c, PACK_SLOTS, struct pack_slot) == NULL)
            return false;
    struct pack_slot *slots = COMPILE_AT(c, PACK_SLOTS, struct pack_slot, shape->first_slot);
    for (uint32_t i = 0; i < count; i++) {
        struct pack_text text = compile_text(c, names[i].text);
        uint32_t         key  = tape_key_of(names[i].text);
        uint32_t         at   = key & shape->slot_mask;
        if (text.length > UINT16_MAX)
            return compile_broken(c, SPAN("want names shorter than 65536 bytes"), (struct span){ NULL, 0 });
        while (slots[at].flags != 0) {
            if (slots[at].length == text.length && slots[at].text == text.offset)
                return compile_broken(c, SPAN("want every member name once"), names[i].text);
            at = (at + 1) & shape->slot_mask;
        }
        slots[at] = (struct pack_slot){ key, text.offset, (uint16_t)text.length,
                                        names[i].flags, names[i].element, names[i].type };
    }
    return true;
}

/* "value[x]" of type dateTime is "valueDateTime" in JSON (R4 formats.html#choice). */
static struct span
member_name(struct compiler *c, const struct pack_element *e, const struct pack_type *type, bool shadow)
{
    struct span name = compile_span(c, e->name), code = compile_span(c, type->code);

    if (!(e->flags & ELEMENT_CHOICE))
        return arena_format(c->arena, "%s%.*s", shadow ? "_" : "", SPAN_PRINT(name));
    char first = code.at[0] >= 'a' && code.at[0] <= 'z' ? (char)(code.at[0] - 'a' + 'A') : code.at[0];
    name.length -= 3;
    return arena_format(c->arena, "%s%.*s%c%.*s", shadow ? "_" : "", SPAN_PRINT(name), first,
                        SPAN_PRINT(span_skip(code, 1)));
}

/* Names that the members of a shape may have, halves counted. */
static uint32_t
name_room(const struct compiler *c, const struct pack_shape *shape)
{
    uint32_t room = 1;                                   /* resourceType */

    for (uint32_t i = 0; i < shape->element_count; i++)
        room += 2u * COMPILE_AT(c, PACK_ELEMENTS, struct pack_element, shape->first_element + i)->type_count;
    return room;
}

static bool
hash_shape(struct compiler *c, uint32_t index)
{
    struct pack_shape *shape = COMPILE_AT(c, PACK_SHAPES, struct pack_shape, index);
    struct name       *names = arena_make_n(c->arena, name_room(c, shape), struct name);
    uint32_t           count = 0;

    if (names == NULL)
        return false;
    if (shape->flags & SHAPE_RESOURCE)
        names[count++] = (struct name){ SPAN("resourceType"), SLOT_USED | SLOT_RESOURCE_TYPE, 0, 0 };
    for (uint32_t i = 0; i < shape->element_count; i++) {
        const struct pack_element *e = COMPILE_AT(c, PACK_ELEMENTS, struct pack_element, shape->first_element + i);
        for (uint16_t k = 0; k < e->type_count; k++) {
            const struct pack_type *type   = COMPILE_AT(c, PACK_TYPES, struct pack_type, e->first_type + k);
            bool                    shadow = type->kind == TYPE_PRIMITIVE && !(type->flags & TYPE_SYSTEM);
            for (int half = 0; half <= (int)shadow; half++)
                names[count++] = (struct name){ member_name(c, e, type, half == 1), pack_slot_flags(e, type, half == 1),
                                                (uint16_t)i, k };
        }
    }
    c->id = compile_span(c, COMPILE_AT(c, PACK_STRUCTURES, struct pack_structure, shape->structure)->name);
    return fill_slots(c, shape, names, count);
}

static bool
hash_type_names(struct compiler *c)
{
    uint32_t           count = compile_count(c, PACK_STRUCTURES);
    struct name       *names = arena_make_n(c->arena, (size_t)count + 1, struct name);
    struct pack_shape *shape = COMPILE_APPEND(c, PACK_SHAPES, struct pack_shape);

    c->id = SPAN("package");
    if (names == NULL || shape == NULL)
        return false;
    if (count > UINT16_MAX)
        return compile_broken(c, SPAN("want at most 65535 definitions of types"), (struct span){ NULL, 0 });
    for (uint32_t i = 0; i < count; i++)
        names[i] = (struct name){ compile_span(c, COMPILE_AT(c, PACK_STRUCTURES, struct pack_structure, i)->name),
                                  SLOT_USED, (uint16_t)i, 0 };
    shape->structure = PACK_NONE;
    shape->node      = PACK_NONE;
    c->names_shape   = compile_count(c, PACK_SHAPES) - 1;
    return fill_slots(c, shape, names, count);
}

