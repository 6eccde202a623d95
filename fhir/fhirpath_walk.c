#include "fhir/fhirpath_run.h"

#include <string.h>

enum { CHOICE_NAME_BYTES = 6 * 64 };

/* ---- items of nodes ------------------------------------------------------------------------ */

static const struct pack_slot *
type_slot(const struct pack *pack, uint32_t key, struct span name)
{
    return pack != NULL ? pack_slot_of(pack, &pack->shapes[pack->header->names_shape], key, name) : NULL;
}

struct fhirpath_item
fhirpath_object(uint32_t shape, tape_node node)
{
    return (struct fhirpath_item){ .kind = FHIRPATH_NODE, .shape = shape, .node = node };
}

struct fhirpath_item
fhirpath_primitive(enum primitive primitive, tape_node value, tape_node shadow)
{
    return (struct fhirpath_item){ .kind = FHIRPATH_NODE, .primitive = (uint8_t)primitive, .shape = FHIRPATH_NO_SHAPE,
                                   .node = value, .shadow = shadow };
}

/* Hardly anybody writes a name of a type with escapes; it is the same name. */
static const struct pack_structure *
escaped_type(const struct pack *pack, const struct tape *t, tape_node type)
{
    for (uint32_t i = 0; i < pack_count(pack); i++)
        if (tape_text_eq(t, type, pack_name(pack, i)))
            return &pack->structures[i];
    return NULL;
}

struct fhirpath_item
fhirpath_resource(const struct pack *pack, const struct tape *t, tape_node node)
{
    static const struct span member = { "resourceType", sizeof "resourceType" - 1 };
    struct fhirpath_item item = fhirpath_object(FHIRPATH_NO_SHAPE, node);

    if (node == TAPE_ABSENT)
        return (struct fhirpath_item){ .kind = FHIRPATH_NOTHING };
    tape_node type = walk_find_key(t, node, key_word(key_of(member)), member);
    if (pack == NULL || walk_kind(t, type) != TAPE_STRING)
        return item;
    struct span name = walk_raw(t, type);
    const struct pack_slot      *slot = type_slot(pack, tape_key_of(name), name);
    const struct pack_structure *s    = walk_escaped(t, type) ? escaped_type(pack, t, type)
                                                              : slot != NULL ? &pack->structures[slot->element] : NULL;
    if (s != NULL && s->kind == PACK_RESOURCE)
        item.shape = s->shape;
    return item;
}

/* What stands in a place that no definition speaks about. */
static struct fhirpath_item
untyped(struct run *r, tape_node value, tape_node shadow)
{
    switch (walk_kind(r->tape, value)) {
    case TAPE_OBJECT: return fhirpath_resource(r->pack, r->tape, value);
    case TAPE_NUMBER:
        return fhirpath_primitive(tape_integer(r->tape, value) ? PRIMITIVE_INTEGER : PRIMITIVE_DECIMAL, value, shadow);
    case TAPE_TRUE:
    case TAPE_FALSE:  return fhirpath_primitive(PRIMITIVE_BOOLEAN, value, shadow);
    default:          return fhirpath_primitive(PRIMITIVE_STRING, value, shadow);
    }
}

/* One value, not an array, with its shadow. */
static bool
add_one(struct run *r, tape_node value, tape_node shadow, const struct pack_type *type, struct items *out)
{
    struct fhirpath_item item;

    if (walk_kind(r->tape, value) == TAPE_NULL)
        value = TAPE_ABSENT;
    if (walk_kind(r->tape, shadow) == TAPE_NULL)
        shadow = TAPE_ABSENT;
    if (value == TAPE_ABSENT && shadow == TAPE_ABSENT)
        return true;
    bool object = walk_kind(r->tape, value) == TAPE_OBJECT;
    if (type != NULL && type->kind == TYPE_PRIMITIVE)
        item = fhirpath_primitive((enum primitive)type->primitive, value, shadow);
    else if (type != NULL && type->kind == TYPE_COMPLEX && object)
        item = fhirpath_object(type->shape, value);
    else
        item = untyped(r, value, shadow);
    return items_add(r, out, &item);
}

/* A member and its shadow: items of arrays side by side. */
static void
add_member(struct run *r, tape_node value, tape_node shadow, const struct pack_type *type, struct items *out)
{
    const struct tape *t = r->tape;
    bool many = walk_kind(t, value) == TAPE_ARRAY, many_shadows = walk_kind(t, shadow) == TAPE_ARRAY;

    if (!many && !many_shadows) {
        add_one(r, value, shadow, type, out);
        return;
    }
    tape_node v = many ? walk_first(t, value) : value, s = many_shadows ? walk_first(t, shadow) : shadow;
    while ((v != TAPE_ABSENT || s != TAPE_ABSENT) && (out->enough == 0 || out->count < out->enough) && run_step(r, 1)) {
        if (!add_one(r, v, s, type, out))
            return;
        v = many && v != TAPE_ABSENT ? walk_next(t, v) : TAPE_ABSENT;
        s = many_shadows && s != TAPE_ABSENT ? walk_next(t, s) : TAPE_ABSENT;
    }
}

/* ---- children -------------------------------------------------------------------------------- */

/* Where the children of an item are: the object, and the shape of it. */
static tape_node
object_of(const struct run *r, const struct fhirpath_item *item, const struct pack_shape **shape)
{
    uint32_t index = item->shape;

    *shape = NULL;
    if (item->kind != FHIRPATH_NODE)
        return TAPE_ABSENT;
    tape_node object = item->node;
    if (item->primitive != PRIMITIVE_NONE) {
        object = item->shadow;
        index  = r->pack != NULL ? r->pack->header->element_shape : FHIRPATH_NO_SHAPE;
    }
    if (walk_kind(r->tape, object) != TAPE_OBJECT)
        return TAPE_ABSENT;
    if (index != FHIRPATH_NO_SHAPE && r->pack != NULL)
        *shape = &r->pack->shapes[index];
    return object;
}

struct found { tape_node value, shadow; };

/* The search for what has no shadow ends where it is found. */
static struct found
find_member(struct run *r, tape_node object, const struct fhirpath_instruction *n, const struct pack_type *type)
{
    const struct tape *t = r->tape;
    struct found       f = { TAPE_ABSENT, TAPE_ABSENT };
    struct span        shadow = span_from(r->texts + n->arg[2], n->length + 1u), name = span_skip(shadow, 1);

    for (tape_node value = walk_first(t, object); value != TAPE_ABSENT; value = walk_next(t, value)) {
        uint32_t key = walk_key(t, value - 1);
        if (key == n->arg[0] && walk_is(t, value - 1, name)) {
            f.value = value;
            if (type != NULL && (type->kind != TYPE_PRIMITIVE || (type->flags & TYPE_SYSTEM)))
                break;
        } else if (key == n->arg[1] && walk_is(t, value - 1, shadow)) {
            f.shadow = value;
        }
    }
    return f;
}

static struct span
name_of(const struct run *r, const struct fhirpath_instruction *n)
{
    return span_from(r->texts + n->arg[2] + 1, n->length);
}

/* "value" + a capital letter; what is behind it.  A name that is longer than
 * any of FHIR's is none, and is not copied to see what its escapes say. */
static bool
choice_name(const struct run *r, tape_node name, struct span stem, bool *shadow, struct span *suffix)
{
    struct span raw = walk_raw(r->tape, name);

    if (walk_escaped(r->tape, name))
        raw = raw.length <= CHOICE_NAME_BYTES ? tape_text(r->tape, name, r->arena) : (struct span){ NULL, 0 };
    *shadow = raw.length > 0 && raw.at[0] == '_';
    raw     = span_skip(raw, *shadow);
    if (raw.length <= stem.length || raw.at[stem.length] < 'A' || raw.at[stem.length] > 'Z' || !span_starts(raw, stem))
        return false;
    *suffix = span_skip(raw, stem.length);
    return true;
}

/* The element and type that a member of a shape has; NULL when it has none. */
static const struct pack_element *
element_of(const struct run *r, const struct pack_shape *shape, tape_node name, const struct pack_type **type)
{
    struct span             text = walk_text(r->tape, name, r->arena);
    const struct pack_slot *slot = pack_slot_of(r->pack, shape, walk_key(r->tape, name), text);

    if (slot == NULL || (slot->flags & SLOT_RESOURCE_TYPE))
        return NULL;
    const struct pack_element *e = &r->pack->elements[shape->first_element + slot->element];
    *type = &r->pack->types[e->first_type + slot->type];
    return e;
}

static bool
is_choice_of(const struct run *r, const struct pack_element *e, struct span stem)
{
    struct span name = pack_span(r->pack, e->name);

    return (e->flags & ELEMENT_CHOICE) && name.length == stem.length + 3 && span_starts(name, stem);
}

/* A type by the end of a member's name ("Quantity", "DateTime"), where no
 * definition says which choices there are. */
static struct fhirpath_item
by_suffix(struct run *r, tape_node value, tape_node shadow, struct span suffix)
{
    char text[64];

    if (suffix.length > 0 && suffix.length < sizeof text) {
        memcpy(text, suffix.at, suffix.length);
        text[0] = (char)(text[0] | 0x20);
        enum primitive primitive = primitive_named(span_from(text, suffix.length));
        if (primitive != PRIMITIVE_NONE)
            return fhirpath_primitive(primitive, value, shadow);
    }
    const struct pack_slot *slot = type_slot(r->pack, tape_key_of(suffix), suffix);
    if (slot != NULL && walk_kind(r->tape, value) == TAPE_OBJECT && r->pack->structures[slot->element].kind != PACK_PRIMITIVE)
        return fhirpath_object(r->pack->structures[slot->element].shape, value);
    return untyped(r, value, shadow);
}

/* value -> valueQuantity; a shadow may stand alone. */
static void
walk_choice(struct run *r, const struct pack_shape *shape, tape_node object, struct span stem, struct items *out)
{
    const struct tape      *t = r->tape;
    const struct pack_type *type = NULL, *one;
    struct found            f = { TAPE_ABSENT, TAPE_ABSENT };
    struct span             suffix, kept = { NULL, 0 };
    bool                    shadow;

    for (tape_node value = walk_first(t, object); value != TAPE_ABSENT; value = walk_next(t, value)) {
        if (!choice_name(r, value - 1, stem, &shadow, &suffix))
            continue;
        if (shape != NULL) {
            const struct pack_element *e = element_of(r, shape, value - 1, &one);
            if (e == NULL || !is_choice_of(r, e, stem) || (type != NULL && type != one))
                continue;
            type = one;
        } else if (kept.at != NULL && !span_eq(kept, suffix)) {
            continue;
        }
        kept = suffix;
        if (shadow)
            f.shadow = value;
        else
            f.value = value;
    }
    if (f.value == TAPE_ABSENT && f.shadow == TAPE_ABSENT)
        return;
    if (shape != NULL) {
        add_member(r, f.value, f.shadow, type, out);
    } else {
        struct fhirpath_item item = by_suffix(r, f.value, f.shadow, kept);
        items_add(r, out, &item);
    }
}

static bool
has_choice(const struct run *r, const struct pack_shape *shape, struct span stem)
{
    for (uint32_t i = 0; i < shape->element_count; i++)
        if (is_choice_of(r, &r->pack->elements[shape->first_element + i], stem))
            return true;
    return false;
}

/* The two parts of what type() gave. */
static void
type_part(struct run *r, const struct fhirpath_item *item, struct span name, struct items *out)
{
    struct span          rest = item->text, space = span_split(&rest, '.');
    struct fhirpath_item part = item_string(span_eq_text(name, "namespace") ? space : rest);

    if (span_eq_text(name, "namespace") || span_eq_text(name, "name"))
        items_add(r, out, &part);
}

/* Which element the name is of this shape: *type of it (NULL: a choice, or
 * none); false: there is no such element. */
static bool
named_element(const struct run *r, const struct pack_shape *shape, const struct fhirpath_instruction *n,
              const struct pack_type **type)
{
    const struct pack_slot *slot = pack_slot_of(r->pack, shape, n->arg[0], name_of(r, n));

    *type = NULL;
    if (slot == NULL || (slot->flags & (SLOT_RESOURCE_TYPE | SLOT_SHADOW)))
        return false;
    const struct pack_element *e = &r->pack->elements[shape->first_element + slot->element];
    if (e->flags & ELEMENT_CHOICE)
        return false;
    *type = &r->pack->types[e->first_type + slot->type];
    return true;
}

void
walk_child(struct run *r, const struct fhirpath_item *item, const struct fhirpath_instruction *n, struct items *out)
{
    const struct pack_shape *shape;
    const struct pack_type  *type;

    if (item->kind == FHIRPATH_TYPE)
        type_part(r, item, name_of(r, n), out);
    tape_node object = object_of(r, item, &shape);
    if (object == TAPE_ABSENT || !run_step(r, 1 + walk_children(r->tape, object) / 16))
        return;
    if (shape == NULL) {
        struct found f = find_member(r, object, n, NULL);
        if (f.value != TAPE_ABSENT || f.shadow != TAPE_ABSENT)
            add_member(r, f.value, f.shadow, NULL, out);
        else
            walk_choice(r, NULL, object, name_of(r, n), out);
    } else if (named_element(r, shape, n, &type)) {
        struct found f = find_member(r, object, n, type);
        if (f.value != TAPE_ABSENT || f.shadow != TAPE_ABSENT)
            add_member(r, f.value, f.shadow, type, out);
    } else if (r->context->strict && !has_choice(r, shape, name_of(r, n))) {
        run_fail(r, n, FHIRPATH_FAILED_NAME);
    } else {
        walk_choice(r, shape, object, name_of(r, n), out);
    }
}

/* name.exists(), where most values are plain: nothing is collected. */
bool
walk_has_child(struct run *r, const struct fhirpath_item *item, const struct fhirpath_instruction *n)
{
    const struct pack_shape *shape;
    const struct pack_type  *type;
    struct items             list ITEMS_UNSET;
    tape_node                object = object_of(r, item, &shape);

    if (object != TAPE_ABSENT && shape != NULL && named_element(r, shape, n, &type)) {
        struct found f = find_member(r, object, n, type);
        if (!run_step(r, 1) || (f.value == TAPE_ABSENT && f.shadow == TAPE_ABSENT))
            return false;
        if (walk_kind(r->tape, f.value) > TAPE_NULL && walk_kind(r->tape, f.value) != TAPE_ARRAY)
            return true;
    }
    items_open(&list);
    walk_child(r, item, n, &list);
    return list.count > 0;
}

/* Hardly any object has a shadow, and looking for one takes a search. */
static bool
has_shadows(const struct tape *t, tape_node object)
{
    for (tape_node value = walk_first(t, object); value != TAPE_ABSENT; value = walk_next(t, value)) {
        struct span raw = walk_raw(t, value - 1);
        if (raw.length > 0 && (raw.at[0] == '_' || raw.at[0] == '\\'))
            return true;
    }
    return false;
}

static tape_node
shadow_of(struct run *r, tape_node object, struct span name)
{
    char text[128];

    if (name.length >= sizeof text || !run_step(r, walk_children(r->tape, object) / 16))
        return TAPE_ABSENT;
    text[0] = '_';
    memcpy(text + 1, name.at, name.length);
    return tape_member(r->tape, object, span_from(text, name.length + 1));
}

/* Children in the order of the document; a shadow without its value counts
 * where it stands, one with it is part of that. */
void
walk_children_of(struct run *r, const struct fhirpath_item *item, struct items *out)
{
    const struct tape       *t = r->tape;
    const struct pack_shape *shape;
    tape_node                object = object_of(r, item, &shape);

    if (object == TAPE_ABSENT)
        return;
    bool shadows = has_shadows(t, object);
    for (tape_node value = walk_first(t, object); value != TAPE_ABSENT && run_step(r, 1); value = walk_next(t, value)) {
        const struct pack_type *type = NULL;
        struct span             name = walk_text(t, value - 1, r->arena);
        tape_node               shadow = TAPE_ABSENT;
        if (span_eq_text(name, "resourceType") || (shape != NULL && element_of(r, shape, value - 1, &type) == NULL))
            continue;
        if (name.length > 0 && name.at[0] == '_') {
            if (run_step(r, walk_children(t, object) / 16) && tape_member(t, object, span_skip(name, 1)) == TAPE_ABSENT)
                add_member(r, TAPE_ABSENT, value, type, out);
            continue;
        }
        if (shadows && (type == NULL || (type->kind == TYPE_PRIMITIVE && !(type->flags & TYPE_SYSTEM))))
            shadow = shadow_of(r, object, name);
        add_member(r, value, shadow, type, out);
    }
}

/* By levels, as repeat(children()) gives them. */
void
walk_descendants(struct run *r, const struct items *input, struct items *out)
{
    uint32_t next = out->count;

    for (uint32_t i = 0; i < input->count; i++)
        walk_children_of(r, &input->at[i], out);
    while (next < out->count && !run_failed(r)) {
        struct fhirpath_item one = out->at[next++];    /* `out` may move */
        walk_children_of(r, &one, out);
    }
}

void
walk_extensions(struct run *r, const struct fhirpath_item *item, struct span url, struct items *out)
{
    const struct tape       *t = r->tape;
    const struct pack_shape *shape;
    tape_node                object = object_of(r, item, &shape);
    const struct pack_slot  *slot   = type_slot(r->pack, tape_key_of(SPAN("Extension")), SPAN("Extension"));
    uint32_t                 type   = slot != NULL ? r->pack->structures[slot->element].shape : FHIRPATH_NO_SHAPE;

    if (object == TAPE_ABSENT)
        return;
    tape_node list = walk_find(t, object, SPAN("extension"));
    if (walk_kind(t, list) != TAPE_ARRAY)
        return;
    for (tape_node n = walk_first(t, list); n != TAPE_ABSENT && run_step(r, 1); n = walk_next(t, n)) {
        tape_node text = walk_find(t, n, SPAN("url"));
        if (walk_kind(t, text) == TAPE_STRING && walk_is(t, text, url)) {
            struct fhirpath_item one = fhirpath_object(type, n);
            items_add(r, out, &one);
        }
    }
}

/* ---- types ------------------------------------------------------------------------------------ */

static const char *const system_names[] = {
    [FHIRPATH_BOOLEAN] = "Boolean", [FHIRPATH_INTEGER] = "Integer", [FHIRPATH_DECIMAL] = "Decimal",
    [FHIRPATH_STRING] = "String", [FHIRPATH_DATE] = "Date", [FHIRPATH_DATETIME] = "DateTime",
    [FHIRPATH_TIME] = "Time", [FHIRPATH_QUANTITY] = "Quantity",
};

static bool
system_name(struct span name)
{
    for (int i = FHIRPATH_BOOLEAN; i <= FHIRPATH_QUANTITY; i++)
        if (span_eq_text(name, system_names[i]))
            return true;
    return span_eq_text(name, "Any");
}

bool
walk_type_known(const struct run *r, const struct fhirpath_instruction *n)
{
    struct span name = run_text(r, n);

    if (n->arg[0] != FHIRPATH_FHIR && system_name(name))
        return true;
    return n->arg[0] != FHIRPATH_SYSTEM && (r->pack == NULL || type_slot(r->pack, n->arg[1], name) != NULL);
}

#define WALK_BASES 16u                   /* types above a type; R4 has four */

/* What a type is derived from, as its definition says; "" at the top, and no
 * text when it has no definition. */
static struct span
base_of(const struct run *r, struct span name)
{
    const struct pack_slot *slot = type_slot(r->pack, tape_key_of(name), name);

    if (slot == NULL)
        return (struct span){ NULL, 0 };
    uint32_t base = r->pack->structures[slot->element].base;
    return base == PACK_NONE ? SPAN("") : pack_span(r->pack, r->pack->structures[base].name);
}

struct span
walk_type_name(const struct run *r, const struct fhirpath_item *item, bool *fhir)
{
    *fhir = item->kind == FHIRPATH_NODE;
    if (item->kind == FHIRPATH_TYPE)
        return SPAN("TypeInfo");
    if (!*fhir)
        return item->kind <= FHIRPATH_QUANTITY ? span_of(system_names[item->kind]) : (struct span){ NULL, 0 };
    if (item->primitive != PRIMITIVE_NONE)
        return span_of(primitive_name((enum primitive)item->primitive));
    if (item->shape == FHIRPATH_NO_SHAPE || r->pack == NULL) {
        tape_node type = walk_kind(r->tape, item->node) == TAPE_OBJECT ? walk_find(r->tape, item->node, SPAN("resourceType"))
                                                                       : TAPE_ABSENT;
        return walk_kind(r->tape, type) == TAPE_STRING ? walk_text(r->tape, type, r->arena) : (struct span){ NULL, 0 };
    }
    const struct pack_structure *s = &r->pack->structures[r->pack->shapes[item->shape].structure];
    if (s->shape == item->shape)
        return pack_span(r->pack, s->name);
    return s->kind == PACK_RESOURCE ? SPAN("BackboneElement") : SPAN("Element");
}

bool
walk_is_named(struct run *r, const struct fhirpath_item *item, struct span wanted, bool subtypes)
{
    bool        fhir;
    struct span name = walk_type_name(r, item, &fhir);

    for (uint32_t left = WALK_BASES; name.length > 0 && left > 0; left--) {
        if (span_eq(name, wanted))
            return true;
        if (!fhir || !subtypes)
            return false;
        struct span base = base_of(r, name);
        if (base.at == NULL)
            base = item->primitive == PRIMITIVE_NONE && item->shape != FHIRPATH_NO_SHAPE && r->pack != NULL
                && (r->pack->shapes[item->shape].flags & SHAPE_RESOURCE) ? SPAN("DomainResource") : SPAN("Element");
        name = base;
    }
    return false;
}

bool
walk_is_quantity(const struct run *r, const struct fhirpath_item *item)
{
    bool        fhir;
    struct span name;

    if (item->kind != FHIRPATH_NODE || item->primitive != PRIMITIVE_NONE || walk_kind(r->tape, item->node) != TAPE_OBJECT)
        return false;
    name = walk_type_name(r, item, &fhir);
    return span_eq_text(name, "Quantity") || span_eq_text(base_of(r, name), "Quantity");
}

/* The System type that a FHIR primitive is read as. */
static enum fhirpath_kind
system_kind(enum primitive primitive)
{
    switch (primitive) {
    case PRIMITIVE_BOOLEAN:     return FHIRPATH_BOOLEAN;
    case PRIMITIVE_INTEGER:
    case PRIMITIVE_UNSIGNEDINT:
    case PRIMITIVE_POSITIVEINT: return FHIRPATH_INTEGER;
    case PRIMITIVE_DECIMAL:     return FHIRPATH_DECIMAL;
    case PRIMITIVE_DATE:        return FHIRPATH_DATE;
    case PRIMITIVE_DATETIME:
    case PRIMITIVE_INSTANT:     return FHIRPATH_DATETIME;
    case PRIMITIVE_TIME:        return FHIRPATH_TIME;
    default:                    return FHIRPATH_STRING;
    }
}

/* F5.  The operator `is` with the name of a System type takes the primitive
 * that is read as one, because R4's own que-7 says `answer is Boolean`. */
bool
walk_is_type(struct run *r, const struct fhirpath_item *item, const struct fhirpath_instruction *n)
{
    struct span name = run_text(r, n);
    bool        node = item->kind == FHIRPATH_NODE;

    if (!node)
        return n->arg[0] != FHIRPATH_FHIR && (walk_is_named(r, item, name, false) || span_eq_text(name, "Any"));
    if (n->arg[0] == FHIRPATH_SYSTEM)
        return false;
    bool exact = item->primitive != PRIMITIVE_NONE && (n->what == FHIRPATH_AS || n->what == FHIRPATH_OF_TYPE);
    if (walk_is_named(r, item, name, !exact))
        return true;
    return n->what == FHIRPATH_IS && n->arg[0] == FHIRPATH_ANY_NAMESPACE && item->primitive != PRIMITIVE_NONE
        && span_eq_text(name, system_names[system_kind((enum primitive)item->primitive)]);
}

/* ---- resolve ------------------------------------------------------------------------------------ */

/* The text of a reference: Reference.reference, or the primitive itself. */
static tape_node
reference_node(const struct run *r, const struct fhirpath_item *item)
{
    if (item->kind != FHIRPATH_NODE)
        return TAPE_ABSENT;
    if (item->primitive != PRIMITIVE_NONE)
        return item->node;
    return walk_kind(r->tape, item->node) == TAPE_OBJECT ? walk_find(r->tape, item->node, SPAN("reference")) : TAPE_ABSENT;
}

static tape_node
contained_named(struct run *r, tape_node container, struct span id)
{
    tape_node list = walk_kind(r->tape, container) == TAPE_OBJECT ? walk_find(r->tape, container, SPAN("contained"))
                                                                  : TAPE_ABSENT;

    if (id.length == 0)
        return container;
    if (walk_kind(r->tape, list) != TAPE_ARRAY)
        return TAPE_ABSENT;
    for (tape_node n = walk_first(r->tape, list); n != TAPE_ABSENT && run_step(r, 1); n = walk_next(r->tape, n)) {
        tape_node own = walk_kind(r->tape, n) == TAPE_OBJECT ? walk_find(r->tape, n, SPAN("id")) : TAPE_ABSENT;
        if (walk_kind(r->tape, own) == TAPE_STRING && walk_is(r->tape, own, id))
            return n;
    }
    return TAPE_ABSENT;
}

/* By the index of references, which was made once for the document; a
 * fragment by looking; the rest by the caller. */
void
walk_resolve(struct run *r, const struct fhirpath_item *item, struct items *out)
{
    const struct fhirpath_context *c = r->context;
    tape_node   node = reference_node(r, item), to = TAPE_ABSENT;
    struct span text = item->kind == FHIRPATH_STRING ? item->text : (struct span){ NULL, 0 };

    if (!run_step(r, 4))
        return;
    if (walk_kind(r->tape, node) == TAPE_STRING)
        text = walk_text(r->tape, node, r->arena);
    if (c->references != NULL && item->kind == FHIRPATH_NODE) {
        const struct reference *ref = references_find(c->references, item->node);
        if (ref != NULL && ref->to_contained != TAPE_ABSENT)
            to = ref->to_contained;
        else if (ref != NULL && ref->to != ENTRY_NONE)
            to = c->references->bundle->entries[ref->to].resource;
    }
    if (to == TAPE_ABSENT && text.length > 0 && text.at[0] == '#')
        to = contained_named(r, c->root_resource, span_skip(text, 1));
    struct fhirpath_item found = fhirpath_resource(r->pack, r->tape, to);
    r->asked = r->asked || (to == TAPE_ABSENT && c->calls != NULL && c->calls->resolve != NULL);
    if (to != TAPE_ABSENT || (text.length > 0 && c->calls != NULL && c->calls->resolve != NULL
                              && c->calls->resolve(c->caller, text, &found)))
        items_add(r, out, &found);
}
