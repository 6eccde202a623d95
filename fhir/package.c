#include "fhir/package.h"

#include <string.h>

#include "fhir/datatypes.h"
#include "fhir/lookup.h"
#include "fhir/pack_format.h"

/* package_compile(): definitions -> tables.
 *
 *     collect   every StructureDefinition of every file
 *     shape     its snapshot -> shapes, elements, types
 *     resolve   type codes -> primitives, shapes of other definitions
 *     hash      member names of each shape -> slots
 *     emit      tables -> bytes
 */

#define SYSTEM_TYPE "http://hl7.org/fhirpath/System."
#define FHIR_TYPE   "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"

/* 9.4 MB of definitions are a million and a half nodes. */
static const struct tape_limits definition_limits = {
    .max_bytes = (size_t)512 << 20, .max_nodes = 1u << 24, .max_depth = 128, .max_number = 128,
};

struct table { void *at; uint32_t count, room, size; };

struct definition { const struct tape *tape; tape_node node; };

struct compiler {
    struct arena  *arena;
    struct issues *issues;
    struct table   tables[PACK_SECTIONS];
    struct table   definitions;              /* struct definition, one per structure   */
    uint32_t      *interned;                 /* offset + 1 of texts, open addressing   */
    uint32_t       interned_room, interned_count;
    uint32_t       names_shape, element_shape;
    struct span    id;                       /* of the definition at hand, for findings */
};

/* One element of the snapshot at hand. */
struct part {
    struct span path, id;
    tape_node   node;
    uint32_t    shape;                       /* PACK_NONE: it has no children of its own */
};

/* A slot that waits for its table. */
struct name { struct span text; uint16_t flags, element, type; };

static bool             collect(struct compiler *, const struct package_file *);
static bool             shape_definition(struct compiler *, uint32_t structure);
static bool             resolve_types(struct compiler *);
static bool             hash_shape(struct compiler *, struct pack_shape *, bool resource);
static bool             hash_type_names(struct compiler *);
static enum status      emit(struct compiler *, const struct package_sources *, struct buf *out);

/* ---- small tools --------------------------------------------------------------------- */

static bool
broken(struct compiler *c, struct span wanted, struct span found)
{
    struct issue one = { .severity = SEVERITY_ERROR, .code = ISSUE_INVALID, .rule = "package",
                         .expression = c->id, .wanted = wanted, .found = found };

    issues_add(c->issues, &one);
    return false;
}

/* A new record of a table, zeroed; NULL when the arena is spent. */
static void *
append(struct compiler *c, struct table *t, uint32_t size)
{
    if (t->count == t->room) {
        uint32_t room = t->room > 0 ? t->room * 2 : 64;
        t->at   = arena_grow(c->arena, t->at, (size_t)t->room * size, (size_t)room * size);
        t->room = room;
        t->size = size;
    }
    return t->at != NULL ? (char *)t->at + (size_t)t->count++ * size : NULL;
}

static void *
record(const struct table *t, uint32_t index)
{
    return (char *)t->at + (size_t)index * t->size;
}

#define APPEND(c, section, type) ((type *)append((c), &(c)->tables[section], sizeof(type)))
#define RECORD(c, section, type, index) ((type *)record(&(c)->tables[section], (index)))

static bool
grow_interned(struct compiler *c)
{
    uint32_t  room = c->interned_room > 0 ? c->interned_room * 2 : 4096;
    uint32_t *old = c->interned, *fresh = arena_make_n(c->arena, room, uint32_t);

    if (fresh == NULL)
        return false;
    for (uint32_t i = 0; i < c->interned_room; i++) {
        if (old[i] == 0)
            continue;
        const char *text = (const char *)c->tables[PACK_TEXTS].at + old[i] - 1;
        uint32_t    at   = (uint32_t)lookup_hash(span_of(text)) & (room - 1);
        while (fresh[at] != 0)
            at = (at + 1) & (room - 1);
        fresh[at] = old[i];
    }
    c->interned      = fresh;
    c->interned_room = room;
    return true;
}

/* The same text is kept once.  Texts of definitions hold no NUL: the tape
 * refuses \u0000. */
static struct pack_text
intern(struct compiler *c, struct span text)
{
    struct table *texts = &c->tables[PACK_TEXTS];

    if (c->interned_count * 2 >= c->interned_room && !grow_interned(c))
        return (struct pack_text){ 0, 0 };
    uint32_t at = (uint32_t)lookup_hash(text) & (c->interned_room - 1);
    for (; c->interned[at] != 0; at = (at + 1) & (c->interned_room - 1)) {
        const char *have = (const char *)texts->at + c->interned[at] - 1;
        if (span_eq(span_of(have), text))
            return (struct pack_text){ c->interned[at] - 1, (uint32_t)text.length };
    }
    uint32_t offset = texts->count;
    for (size_t i = 0; i <= text.length; i++) {
        char *byte = append(c, texts, 1);
        if (byte == NULL)
            return (struct pack_text){ 0, 0 };
        *byte = i < text.length ? text.at[i] : '\0';
    }
    c->interned[at] = offset + 1;
    c->interned_count++;
    return (struct pack_text){ offset, (uint32_t)text.length };
}

static struct span
text_at(const struct compiler *c, struct pack_text text)
{
    return span_from((const char *)c->tables[PACK_TEXTS].at + text.offset, text.length);
}

/* ---- the way ------------------------------------------------------------------------- */

enum status
package_compile(const struct package_sources *sources, struct arena *arena, struct issues *issues,
                struct buf *out)
{
    struct compiler c    = { .arena = arena, .issues = issues, .element_shape = PACK_NONE };
    bool            good = sources->sha256.length == 32;

    (void)intern(&c, SPAN(""));
    for (size_t i = 0; good && i < sources->count; i++)
        good = collect(&c, &sources->files[i]);
    for (uint32_t i = 0; good && i < c.definitions.count; i++)
        good = shape_definition(&c, i);
    good = good && resolve_types(&c);
    for (uint32_t i = 0; good && i < c.tables[PACK_SHAPES].count; i++) {
        struct pack_shape *shape = RECORD(&c, PACK_SHAPES, struct pack_shape, i);
        good = hash_shape(&c, shape, (shape->flags & SHAPE_RESOURCE) != 0);
    }
    good = good && hash_type_names(&c);
    if (arena_spent(arena))
        return ST_NO_MEMORY;
    if (good && c.element_shape == PACK_NONE)
        good = broken(&c, SPAN("want a definition of Element among the files"), (struct span){ NULL, 0 });
    return good ? emit(&c, sources, out) : ST_MALFORMED;
}

/* ---- collect --------------------------------------------------------------------------- */

static uint8_t
kind_of(struct span kind)
{
    return span_eq_text(kind, "primitive-type") ? PACK_PRIMITIVE
         : span_eq_text(kind, "complex-type")   ? PACK_COMPLEX
         : span_eq_text(kind, "resource")       ? PACK_RESOURCE : 0;
}

/* Constraints are profiles and logical models are no instances. */
static bool
collect_definition(struct compiler *c, const struct tape *t, tape_node node)
{
    uint8_t     kind       = kind_of(tape_member_text(t, node, SPAN("kind"), c->arena));
    struct span derivation = tape_member_text(t, node, SPAN("derivation"), c->arena);
    struct span name       = tape_member_text(t, node, SPAN("type"), c->arena);

    if (kind == 0 || span_eq_text(derivation, "constraint"))
        return true;
    c->id = arena_format(c->arena, "StructureDefinition/%.*s", SPAN_PRINT(name));
    if (span_empty(name))
        return broken(c, SPAN("want a type"), SPAN("have none"));
    struct definition     *definition = append(c, &c->definitions, sizeof *definition);
    struct pack_structure *structure  = APPEND(c, PACK_STRUCTURES, struct pack_structure);
    if (definition == NULL || structure == NULL)
        return false;
    *definition = (struct definition){ t, node };
    *structure  = (struct pack_structure){
        .name = intern(c, name), .kind = kind, .shape = PACK_NONE,
        .url = intern(c, tape_member_text(t, node, SPAN("url"), c->arena)),
        .abstract = tape_kind(t, tape_member(t, node, SPAN("abstract"))) == TAPE_TRUE,
    };
    if (kind == PACK_PRIMITIVE)
        structure->primitive = (uint8_t)primitive_named(name);
    if (kind == PACK_PRIMITIVE && structure->primitive == PRIMITIVE_NONE)
        return broken(c, SPAN("want one of the primitive types of R4"), name);
    return true;
}

/* A definition, or a Bundle of them. */
static bool
collect(struct compiler *c, const struct package_file *file)
{
    const struct tape *t;
    struct tape_error  error;
    enum status        st = tape_read(file->bytes, &definition_limits, c->arena, &t, &error);

    c->id = file->name;
    if (st != ST_OK)
        return broken(c, SPAN("want strict JSON"),
                      arena_format(c->arena, "at line %u, column %u: %s", error.line, error.column,
                                   tape_refusal_text(error.why)));
    struct span type = tape_member_text(t, TAPE_ROOT, SPAN("resourceType"), c->arena);
    if (span_eq_text(type, "StructureDefinition"))
        return collect_definition(c, t, TAPE_ROOT);
    if (!span_eq_text(type, "Bundle"))
        return true;
    tape_node list = tape_member(t, TAPE_ROOT, SPAN("entry"));
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        tape_node resource = tape_member(t, n, SPAN("resource"));
        if (tape_text_eq(t, tape_member(t, resource, SPAN("resourceType")), SPAN("StructureDefinition"))
            && !collect_definition(c, t, resource))
            return false;
    }
    return true;
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
read_parts(struct compiler *c, uint32_t structure, uint32_t *count)
{
    const struct definition *d    = record(&c->definitions, structure);
    const struct tape       *t    = d->tape;
    tape_node                list = tape_member(t, tape_member(t, d->node, SPAN("snapshot")), SPAN("element"));
    struct part             *all  = arena_make_n(c->arena, (size_t)tape_children(t, list) + 1, struct part);
    uint32_t                 n    = 0;

    if (all == NULL)
        return NULL;
    for (tape_node item = tape_first(t, list); item != TAPE_ABSENT; item = tape_next(t, item)) {
        all[n].node = item;
        all[n].path = tape_member_text(t, item, SPAN("path"), c->arena);
        all[n].id   = tape_member_text(t, item, SPAN("id"), c->arena);
        if (span_empty(all[n].path) || (n > 0 && !is_inside(all[n].path, all[0].path))) {
            broken(c, SPAN("want the path of every element below the first one's"), all[n].path);
            return NULL;
        }
        n++;
    }
    if (n == 0) {
        broken(c, SPAN("want a snapshot with elements"), SPAN("have none"));
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        all[i].shape = PACK_NONE;
        if (i > 0 && (i + 1 == n || !is_inside(all[i + 1].path, all[i].path)))
            continue;
        struct pack_shape *shape = APPEND(c, PACK_SHAPES, struct pack_shape);
        if (shape == NULL)
            return NULL;
        shape->structure = structure;
        all[i].shape     = c->tables[PACK_SHAPES].count - 1;
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
        return broken(c, SPAN("want min of every element to be a number"), text_at(c, e->path));
    if (!span_eq_text(max, "*") && (!span_to_u64(max, &most) || most > INT32_MAX))
        return broken(c, SPAN("want max of every element to be a number or *"), text_at(c, e->path));
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
    if (span_eq_text(text_at(c, e->name), "id"))
        return PRIMITIVE_ID;
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n))
        if (tape_text_eq(t, tape_member(t, n, SPAN("url")), SPAN(FHIR_TYPE)))
            return primitive_named(tape_member_text(t, n, SPAN("valueUrl"), c->arena));
    return PRIMITIVE_STRING;
}

static bool
add_targets(struct compiler *c, const struct tape *t, tape_node list, struct pack_type *type)
{
    type->first_target = c->tables[PACK_TARGETS].count;
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        struct pack_text *target = APPEND(c, PACK_TARGETS, struct pack_text);
        if (target == NULL)
            return false;
        *target = intern(c, tape_text(t, n, c->arena));
        type->target_count++;
    }
    return true;
}

/* One type of an element that has no shape of its own. */
static bool
add_type(struct compiler *c, const struct tape *t, tape_node node, const struct pack_element *e)
{
    struct span       code = tape_member_text(t, node, SPAN("code"), c->arena);
    struct pack_type *type = APPEND(c, PACK_TYPES, struct pack_type);

    if (type == NULL)
        return false;
    *type = (struct pack_type){ .shape = PACK_NONE };
    if (span_empty(code))
        return broken(c, SPAN("want a code for every type"), text_at(c, e->path));
    if (span_starts(code, SPAN(SYSTEM_TYPE))) {
        type->kind      = TYPE_PRIMITIVE;
        type->primitive = (uint8_t)system_primitive(c, t, node, e);
        type->flags     = TYPE_SYSTEM;
    }
    type->code = intern(c, code);
    return add_targets(c, t, tape_member(t, node, SPAN("targetProfile")), type);
}

/* A part with children, or one that says "#path of another with children". */
static bool
add_own_shape(struct compiler *c, uint32_t shape, struct span code)
{
    struct pack_type *type = APPEND(c, PACK_TYPES, struct pack_type);

    if (type == NULL)
        return false;
    *type = (struct pack_type){ .kind = TYPE_COMPLEX, .shape = shape, .code = intern(c, code) };
    return true;
}

static bool
add_types(struct compiler *c, const struct tape *t, const struct part *part, const struct part *all,
          uint32_t count, struct pack_element *e)
{
    struct span content = tape_member_text(t, part->node, SPAN("contentReference"), c->arena);
    tape_node   list    = tape_member(t, part->node, SPAN("type"));
    bool        good    = true;

    e->first_type = c->tables[PACK_TYPES].count;
    if (part->shape != PACK_NONE) {
        struct span code = tape_member_text(t, tape_item(t, list, 0), SPAN("code"), c->arena);
        good = add_own_shape(c, part->shape, code);
    } else if (!span_empty(content)) {
        uint32_t at = 0;
        while (at < count && !span_eq(all[at].id, span_skip(content, 1)))
            at++;
        if (at == count || all[at].shape == PACK_NONE)
            return broken(c, SPAN("want contentReference to name an element with children"), content);
        good = add_own_shape(c, all[at].shape, SPAN("BackboneElement"));
    } else {
        for (tape_node n = tape_first(t, list); good && n != TAPE_ABSENT; n = tape_next(t, n))
            good = add_type(c, t, n, e);
    }
    uint32_t types = c->tables[PACK_TYPES].count - e->first_type;
    if (good && (types == 0 || types > UINT16_MAX || (types > 1 && !(e->flags & ELEMENT_CHOICE))))
        return broken(c, SPAN("want one type, or several for a name that ends in [x]"), part->path);
    e->type_count = (uint16_t)types;
    return good;
}

static bool
add_element(struct compiler *c, const struct tape *t, const struct part *part, const struct part *all,
            uint32_t count)
{
    struct pack_element e    = { .path = intern(c, part->path), .name = intern(c, last_name(part->path)) };
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
    struct pack_element *mine = APPEND(c, PACK_ELEMENTS, struct pack_element);
    if (mine == NULL)
        return false;
    *mine = e;
    return true;
}

static bool
shape_definition(struct compiler *c, uint32_t structure)
{
    struct pack_structure   *s = RECORD(c, PACK_STRUCTURES, struct pack_structure, structure);
    const struct definition *d = record(&c->definitions, structure);
    uint32_t                 count;

    c->id = arena_format(c->arena, "StructureDefinition/%.*s", SPAN_PRINT(text_at(c, s->name)));
    if (s->kind == PACK_PRIMITIVE)
        return true;
    struct part *all = read_parts(c, structure, &count);
    if (all == NULL)
        return false;
    s->shape = all[0].shape;
    if (s->kind == PACK_RESOURCE)
        RECORD(c, PACK_SHAPES, struct pack_shape, s->shape)->flags |= SHAPE_RESOURCE;
    if (span_eq_text(text_at(c, s->name), "Element"))
        c->element_shape = s->shape;
    for (uint32_t i = 0; i < count; i++) {
        if (all[i].shape == PACK_NONE)
            continue;
        uint32_t first = c->tables[PACK_ELEMENTS].count;
        uint64_t required[2] = { 0, 0 };
        for (uint32_t k = i + 1; k < count && is_inside(all[k].path, all[i].path); k++) {
            if (!is_child(all[k].path, all[i].path))
                continue;
            uint32_t index = c->tables[PACK_ELEMENTS].count - first;
            if (index == PACK_SHAPE_ELEMENTS)
                return broken(c, SPAN("want at most 128 children of one element"), all[i].path);
            if (!add_element(c, d->tape, &all[k], all, count))
                return false;
            if (RECORD(c, PACK_ELEMENTS, struct pack_element, first + index)->min > 0)
                required[index / 64] |= (uint64_t)1 << (index % 64);
        }
        struct pack_shape *shape = RECORD(c, PACK_SHAPES, struct pack_shape, all[i].shape);
        shape->first_element     = first;
        shape->element_count     = c->tables[PACK_ELEMENTS].count - first;
        shape->required[0]       = required[0];
        shape->required[1]       = required[1];
    }
    return true;
}

/* ---- resolve ---------------------------------------------------------------------------- */

static const struct lookup *
structure_names(struct compiler *c)
{
    uint32_t            count = c->tables[PACK_STRUCTURES].count;
    struct lookup_item *items = arena_make_n(c->arena, (size_t)count + 1, struct lookup_item);

    if (items == NULL)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        items[i] = (struct lookup_item){
            .key = text_at(c, RECORD(c, PACK_STRUCTURES, struct pack_structure, i)->name), .value = i };
    const struct lookup *names = lookup_build(items, count, c->arena);
    for (uint32_t at = 0; names != NULL && at < count; at++)
        if (lookup_next(names, at) != LOOKUP_NONE) {
            c->id = lookup_key(names, at);
            broken(c, SPAN("want one definition of a type"), SPAN("have several"));
            return NULL;
        }
    return names;
}

static bool
resolve_types(struct compiler *c)
{
    const struct lookup *names = structure_names(c);

    if (names == NULL)
        return false;
    for (uint32_t i = 0; i < c->tables[PACK_TYPES].count; i++) {
        struct pack_type *type = RECORD(c, PACK_TYPES, struct pack_type, i);
        if (type->kind != 0)
            continue;
        uint32_t at = lookup_find(names, text_at(c, type->code));
        if (at == LOOKUP_NONE)
            return broken(c, SPAN("want a definition of every type that is used"), text_at(c, type->code));
        const struct pack_structure *s = RECORD(c, PACK_STRUCTURES, struct pack_structure, lookup_value(names, at));
        type->kind      = s->kind == PACK_PRIMITIVE ? TYPE_PRIMITIVE : s->kind == PACK_COMPLEX ? TYPE_COMPLEX : TYPE_RESOURCE;
        type->shape     = s->shape;
        type->primitive = s->primitive;
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
    shape->first_slot = c->tables[PACK_SLOTS].count;
    shape->slot_mask  = room - 1;
    for (uint32_t i = 0; i < room; i++)
        if (APPEND(c, PACK_SLOTS, struct pack_slot) == NULL)
            return false;
    struct pack_slot *slots = RECORD(c, PACK_SLOTS, struct pack_slot, shape->first_slot);
    for (uint32_t i = 0; i < count; i++) {
        struct pack_text text = intern(c, names[i].text);
        uint32_t         key  = tape_key_of(names[i].text);
        uint32_t         at   = key & shape->slot_mask;
        if (text.length > UINT16_MAX)
            return broken(c, SPAN("want names shorter than 65536 bytes"), (struct span){ NULL, 0 });
        while (slots[at].flags != 0) {
            if (slots[at].length == text.length && slots[at].text == text.offset)
                return broken(c, SPAN("want every member name once"), names[i].text);
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
    struct span name = text_at(c, e->name), code = text_at(c, type->code);

    if (!(e->flags & ELEMENT_CHOICE))
        return arena_format(c->arena, "%s%.*s", shadow ? "_" : "", SPAN_PRINT(name));
    char first = code.at[0] >= 'a' && code.at[0] <= 'z' ? (char)(code.at[0] - 'a' + 'A') : code.at[0];
    name.length -= 3;
    return arena_format(c->arena, "%s%.*s%c%.*s", shadow ? "_" : "", SPAN_PRINT(name), first,
                        SPAN_PRINT(span_skip(code, 1)));
}

static bool
hash_shape(struct compiler *c, struct pack_shape *shape, bool resource)
{
    struct table names = { NULL, 0, 0, 0 };
    struct name *one;

    if (resource) {
        if ((one = append(c, &names, sizeof *one)) == NULL)
            return false;
        *one = (struct name){ SPAN("resourceType"), SLOT_USED | SLOT_RESOURCE_TYPE, 0, 0 };
    }
    for (uint32_t i = 0; i < shape->element_count; i++) {
        const struct pack_element *e = RECORD(c, PACK_ELEMENTS, struct pack_element, shape->first_element + i);
        for (uint16_t k = 0; k < e->type_count; k++) {
            const struct pack_type *type   = RECORD(c, PACK_TYPES, struct pack_type, e->first_type + k);
            bool                    shadow = type->kind == TYPE_PRIMITIVE && !(type->flags & TYPE_SYSTEM);
            for (int half = 0; half <= (int)shadow; half++) {
                if ((one = append(c, &names, sizeof *one)) == NULL)
                    return false;
                *one = (struct name){ member_name(c, e, type, half == 1), pack_slot_flags(e, type, half == 1),
                                      (uint16_t)i, k };
            }
        }
    }
    c->id = text_at(c, RECORD(c, PACK_STRUCTURES, struct pack_structure, shape->structure)->name);
    return fill_slots(c, shape, names.at, names.count);
}

static bool
hash_type_names(struct compiler *c)
{
    uint32_t           count = c->tables[PACK_STRUCTURES].count;
    struct name       *names = arena_make_n(c->arena, (size_t)count + 1, struct name);
    struct pack_shape *shape = APPEND(c, PACK_SHAPES, struct pack_shape);

    c->id = SPAN("package");
    if (names == NULL || shape == NULL)
        return false;
    if (count > UINT16_MAX)
        return broken(c, SPAN("want at most 65535 definitions of types"), (struct span){ NULL, 0 });
    for (uint32_t i = 0; i < count; i++)
        names[i] = (struct name){ text_at(c, RECORD(c, PACK_STRUCTURES, struct pack_structure, i)->name),
                                  SLOT_USED, (uint16_t)i, 0 };
    shape->structure = PACK_NONE;
    c->names_shape   = c->tables[PACK_SHAPES].count - 1;
    return fill_slots(c, shape, names, count);
}

/* ---- emit ------------------------------------------------------------------------------- */

static uint32_t
rounded(uint64_t size)
{
    return (uint32_t)((size + 7) & ~(uint64_t)7);
}

static enum status
emit(struct compiler *c, const struct package_sources *sources, struct buf *out)
{
    static const uint32_t sizes[PACK_SECTIONS] = {
        1, sizeof(struct pack_structure), sizeof(struct pack_shape), sizeof(struct pack_element),
        sizeof(struct pack_type), sizeof(struct pack_text), sizeof(struct pack_slot),
    };
    struct pack_header h = { .magic = PACK_MAGIC, .version = PACK_VERSION, .section_count = PACK_SECTIONS,
                             .key_check = tape_key_of(PACK_KEY_SAMPLE), .about = intern(c, sources->about),
                             .names_shape = c->names_shape, .element_shape = c->element_shape };
    uint64_t           length = sizeof h;

    memcpy(h.sources_sha256, sources->sha256.at, sizeof h.sources_sha256);
    for (uint32_t i = 0; i < PACK_SECTIONS; i++) {
        h.sections[i] = (struct pack_section){ i, (uint32_t)length, c->tables[i].count, sizes[i] };
        length += rounded((uint64_t)c->tables[i].count * sizes[i]);
        if (length > UINT32_MAX)
            return ST_TOO_LARGE;
    }
    if (arena_spent(c->arena))
        return ST_NO_MEMORY;
    h.length = (uint32_t)length;
    char  *at    = buf_reserve(out, (size_t)length);
    if (at == NULL)
        return buf_status(out);
    memset(at, 0, (size_t)length);
    for (uint32_t i = 0; i < PACK_SECTIONS; i++)
        if (c->tables[i].count > 0)
            memcpy(at + h.sections[i].offset, c->tables[i].at, (size_t)c->tables[i].count * sizes[i]);
    memcpy(at, &h, sizeof h);
    size_t checked = offsetof(struct pack_header, checksum) + sizeof h.checksum;
    h.checksum     = pack_checksum(span_from(at + checked, (size_t)length - checked));
    memcpy(at, &h, sizeof h);
    buf_commit(out, (size_t)length);
    return ST_OK;
}
