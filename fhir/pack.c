#include "fhir/pack.h"

#include <string.h>

#include "fhir/datatypes.h"
#include "fhir/pack_forms.h"
#include "fhir/pack_snapshots.h"
#include "fhir/pack_terms.h"
#include "fhir/profile_format.h"

const uint32_t pack_record_sizes[PACK_SECTIONS] = {
    [PACK_TEXTS] = 1,
    [PACK_STRUCTURES] = sizeof(struct pack_structure),
    [PACK_SHAPES]     = sizeof(struct pack_shape),
    [PACK_ELEMENTS]   = sizeof(struct pack_element),
    [PACK_TYPES]      = sizeof(struct pack_type),
    [PACK_TARGETS]    = sizeof(struct pack_text),
    [PACK_SLOTS]      = sizeof(struct pack_slot),
    [PACK_SYSTEMS]         = sizeof(struct pack_system),
    [PACK_SYSTEM_SLOTS]    = sizeof(uint32_t),
    [PACK_CONCEPTS]        = sizeof(struct pack_concept),
    [PACK_CONCEPT_SLOTS]   = sizeof(uint32_t),
    [PACK_PARENTS]         = sizeof(uint32_t),
    [PACK_DESIGNATIONS]    = sizeof(struct pack_designation),
    [PACK_VALUE_SETS]      = sizeof(struct pack_value_set),
    [PACK_VALUE_SET_SLOTS] = sizeof(uint32_t),
    [PACK_VALUE_PARTS]     = sizeof(struct pack_value_part),
    [PACK_MEMBERS]         = sizeof(struct pack_member),
    [PACK_FORMS]           = sizeof(struct pack_form),
    [PACK_FORM_ITEMS]      = sizeof(struct form_item),
    [PACK_FORM_ORDER]      = sizeof(uint32_t),
    [PACK_FORM_VALUES]     = sizeof(struct form_value),
    [PACK_FORM_CONDITIONS] = sizeof(struct form_condition),
    [PACK_PROFILES]      = sizeof(struct pack_profile),
    [PACK_PROFILE_SLOTS] = sizeof(uint32_t),
    [PACK_CONTEXTS]      = sizeof(struct pack_context),
    [PACK_NODES]         = sizeof(struct pack_node),
    [PACK_ALLOWED]       = sizeof(struct pack_allowed),
    [PACK_CANONICALS]    = sizeof(struct pack_canonical),
    [PACK_VALUES]        = sizeof(struct pack_value),
    [PACK_BINDINGS]      = sizeof(struct pack_binding),
    [PACK_CONSTRAINTS]   = sizeof(struct pack_constraint),
    [PACK_PROGRAMS]      = sizeof(uint32_t),
    [PACK_TESTS]         = sizeof(struct pack_test),
    [PACK_STEPS]         = sizeof(struct pack_step),
    [PACK_GLOBALS]       = sizeof(uint32_t),
    [PACK_SNAPSHOTS]       = sizeof(struct pack_snapshot),
    [PACK_SNAPSHOT_BYTES]  = 1,
    [PACK_SNAPSHOT_SLOTS]  = sizeof(uint32_t),
};

static bool header_good(const struct pack_header *, struct span bytes);
static bool sections_good(const struct pack_header *, const void *starts[PACK_SECTIONS], uint32_t counts[]);
static bool tables_good(const struct pack *);

enum status
pack_open(struct span bytes, struct arena *arena, const struct pack **out)
{
    const void *starts[PACK_SECTIONS];
    struct pack p = { .header = (const struct pack_header *)(const void *)bytes.at };

    *out = NULL;
    if ((uintptr_t)bytes.at % 8 != 0 || !header_good(p.header, bytes) || !sections_good(p.header, starts, p.counts))
        return ST_INTEGRITY;
    p.texts      = starts[PACK_TEXTS];
    p.structures = starts[PACK_STRUCTURES];
    p.shapes     = starts[PACK_SHAPES];
    p.elements   = starts[PACK_ELEMENTS];
    p.types      = starts[PACK_TYPES];
    p.targets    = starts[PACK_TARGETS];
    p.slots      = starts[PACK_SLOTS];
    p.systems         = starts[PACK_SYSTEMS];
    p.system_slots    = starts[PACK_SYSTEM_SLOTS];
    p.concepts        = starts[PACK_CONCEPTS];
    p.concept_slots   = starts[PACK_CONCEPT_SLOTS];
    p.parents         = starts[PACK_PARENTS];
    p.designations    = starts[PACK_DESIGNATIONS];
    p.value_sets      = starts[PACK_VALUE_SETS];
    p.value_set_slots = starts[PACK_VALUE_SET_SLOTS];
    p.value_parts     = starts[PACK_VALUE_PARTS];
    p.members         = starts[PACK_MEMBERS];
    p.forms           = starts[PACK_FORMS];
    p.form_items      = starts[PACK_FORM_ITEMS];
    p.form_order      = starts[PACK_FORM_ORDER];
    p.form_values     = starts[PACK_FORM_VALUES];
    p.form_conditions = starts[PACK_FORM_CONDITIONS];
    p.profiles      = starts[PACK_PROFILES];
    p.profile_slots = starts[PACK_PROFILE_SLOTS];
    p.contexts      = starts[PACK_CONTEXTS];
    p.nodes         = starts[PACK_NODES];
    p.allowed       = starts[PACK_ALLOWED];
    p.canonicals    = starts[PACK_CANONICALS];
    p.values        = starts[PACK_VALUES];
    p.bindings      = starts[PACK_BINDINGS];
    p.constraints   = starts[PACK_CONSTRAINTS];
    p.programs      = starts[PACK_PROGRAMS];
    p.tests         = starts[PACK_TESTS];
    p.steps         = starts[PACK_STEPS];
    p.globals       = starts[PACK_GLOBALS];
    p.snapshots       = starts[PACK_SNAPSHOTS];
    p.snapshot_bytes  = starts[PACK_SNAPSHOT_BYTES];
    p.snapshot_slots  = starts[PACK_SNAPSHOT_SLOTS];
    if (!tables_good(&p) || !pack_terms_good(&p) || !pack_profiles_good(&p) || !pack_snapshots_good(&p)
        || !pack_forms_good(&p))
        return ST_INTEGRITY;
    struct pack *pack = arena_make(arena, struct pack);
    if (pack == NULL)
        return ST_NO_MEMORY;
    *pack = p;
    *out  = pack;
    return ST_OK;
}

uint64_t
pack_identity(const struct pack *p)
{
    return p->header->checksum;
}

struct span
pack_about(const struct pack *p)
{
    return pack_span(p, p->header->about);
}

struct span
pack_sources(const struct pack *p)
{
    return span_from(p->header->sources_sha256, sizeof p->header->sources_sha256);
}

uint32_t
pack_count(const struct pack *p)
{
    return p->counts[PACK_STRUCTURES];
}

struct span
pack_name(const struct pack *p, uint32_t index)
{
    return index < pack_count(p) ? pack_span(p, p->structures[index].name) : (struct span){ NULL, 0 };
}

struct span
pack_url(const struct pack *p, uint32_t index)
{
    return index < pack_count(p) ? pack_span(p, p->structures[index].url) : (struct span){ NULL, 0 };
}

enum pack_kind
pack_kind(const struct pack *p, uint32_t index)
{
    if (index >= pack_count(p))
        return PACK_KIND_NONE;
    switch (p->structures[index].kind) {
    case PACK_PRIMITIVE: return PACK_KIND_PRIMITIVE;
    case PACK_COMPLEX:   return PACK_KIND_COMPLEX;
    case PACK_RESOURCE:  return PACK_KIND_RESOURCE;
    default:             return PACK_KIND_NONE;
    }
}

bool
pack_abstract(const struct pack *p, uint32_t index)
{
    return index < pack_count(p) && p->structures[index].abstract != 0;
}

bool
pack_resource_named(const struct pack *p, struct span name)
{
    const struct pack_slot *slot =
        pack_slot_of(p, &p->shapes[p->header->names_shape], tape_key_of(name), name);

    return slot != NULL && pack_kind(p, slot->element) == PACK_KIND_RESOURCE && !pack_abstract(p, slot->element);
}

/* ---- checks --------------------------------------------------------------------- */

/* Against decay, not against an enemy: whoever can write the pack can write
 * the program beside it. */
uint64_t
pack_checksum(struct span s)
{
    uint64_t sum = 0x9e3779b97f4a7c15u, word;

    for (size_t i = 0; i + 8 <= s.length; i += 8) {
        memcpy(&word, s.at + i, 8);
        sum = (sum ^ word) * 0xd6e8feb86659fd93u;
        sum ^= sum >> 29;
    }
    return sum;
}

#define CHECKED_FROM (offsetof(struct pack_header, checksum) + sizeof(uint64_t))

static bool
header_good(const struct pack_header *h, struct span bytes)
{
    return bytes.length >= sizeof *h && bytes.length <= UINT32_MAX && bytes.length % 8 == 0
        && h->magic == PACK_MAGIC && h->version == PACK_VERSION && h->length == bytes.length
        && h->section_count == PACK_SECTIONS && h->key_check == tape_key_of(PACK_KEY_SAMPLE)
        && h->checksum == pack_checksum(span_skip(bytes, CHECKED_FROM));
}

static bool
sections_good(const struct pack_header *h, const void *starts[PACK_SECTIONS], uint32_t counts[])
{
    for (uint32_t i = 0; i < PACK_SECTIONS; i++) {
        const struct pack_section *s = &h->sections[i];
        if (s->kind != i || s->size != pack_record_sizes[i] || s->offset % 8 != 0 || s->offset < sizeof *h
            || s->offset > h->length || (uint64_t)s->count * s->size > h->length - s->offset)
            return false;
        starts[i] = (const char *)h + s->offset;
        counts[i] = s->count;
    }
    return true;
}

/* first .. first + count lies inside a table of `all` records. */
static bool
range_good(uint32_t first, uint32_t count, uint32_t all)
{
    return first <= all && count <= all - first;
}

static bool
text_good(const struct pack *p, struct pack_text text)
{
    return range_good(text.offset, text.length, p->counts[PACK_TEXTS]);
}

static bool
slot_good(const struct pack *p, const struct pack_element *e, const struct pack_slot *slot)
{
    return slot->type < e->type_count
        && slot->flags == pack_slot_flags(e, &p->types[e->first_type + slot->type], slot->flags & SLOT_SHADOW);
}

/* A shape whose slots are all used would make a search endless. */
static bool
slots_good(const struct pack *p, const struct pack_shape *shape)
{
    uint32_t count = shape->slot_mask + 1, used = 0;
    bool     names = shape->structure == PACK_NONE;

    if (count == 0 || (count & shape->slot_mask) != 0
        || !range_good(shape->first_slot, count, p->counts[PACK_SLOTS]))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct pack_slot *slot = &p->slots[shape->first_slot + i];
        if (slot->flags == 0)
            continue;
        used++;
        if (!range_good(slot->text, slot->length, p->counts[PACK_TEXTS]))
            return false;
        if (!names && (slot->flags & SLOT_RESOURCE_TYPE))
            continue;
        if (slot->element >= (names ? p->counts[PACK_STRUCTURES] : shape->element_count))
            return false;
        if (!names && !slot_good(p, &p->elements[shape->first_element + slot->element], slot))
            return false;
    }
    return used < count;
}

/* Only children that there are can be required. */
static bool
required_good(const struct pack_shape *shape)
{
    for (uint32_t i = shape->element_count; i < PACK_SHAPE_ELEMENTS; i++)
        if (shape->required[i / 64] >> (i % 64) & 1)
            return false;
    return true;
}

static bool
shape_good(const struct pack *p, const struct pack_shape *shape)
{
    return (shape->structure == PACK_NONE || shape->structure < p->counts[PACK_STRUCTURES])
        && shape->element_count <= PACK_SHAPE_ELEMENTS
        && range_good(shape->first_element, shape->element_count, p->counts[PACK_ELEMENTS])
        && required_good(shape) && slots_good(p, shape);
}

/* Of a type: not the one of names. */
static bool
type_shape_good(const struct pack *p, uint32_t shape)
{
    return shape < p->counts[PACK_SHAPES] && p->shapes[shape].structure != PACK_NONE;
}

static bool
type_good(const struct pack *p, const struct pack_type *type)
{
    return text_good(p, type->code)
        && range_good(type->first_target, type->target_count, p->counts[PACK_TARGETS])
        && type->kind >= TYPE_PRIMITIVE && type->kind <= TYPE_RESOURCE
        && (type->kind != TYPE_COMPLEX || type_shape_good(p, type->shape))
        && (type->kind != TYPE_PRIMITIVE || *primitive_name((enum primitive)type->primitive) != '\0');
}

static bool
tables_good(const struct pack *p)
{
    /* So that a text may be printed up to its NUL. */
    if (p->counts[PACK_TEXTS] == 0 || p->texts[p->counts[PACK_TEXTS] - 1] != '\0')
        return false;
    for (uint32_t i = 0; i < p->counts[PACK_STRUCTURES]; i++) {
        const struct pack_structure *s = &p->structures[i];
        if (!text_good(p, s->name) || !text_good(p, s->url) || (s->base != PACK_NONE && s->base >= p->counts[PACK_STRUCTURES])
            || (s->kind != PACK_PRIMITIVE && !type_shape_good(p, s->shape)))
            return false;
    }
    for (uint32_t i = 0; i < p->counts[PACK_ELEMENTS]; i++) {
        const struct pack_element *e = &p->elements[i];
        if (!text_good(p, e->path) || !text_good(p, e->name) || e->type_count == 0
            || !range_good(e->first_type, e->type_count, p->counts[PACK_TYPES]))
            return false;
    }
    for (uint32_t i = 0; i < p->counts[PACK_TYPES]; i++)
        if (!type_good(p, &p->types[i]))
            return false;
    for (uint32_t i = 0; i < p->counts[PACK_TARGETS]; i++)
        if (!text_good(p, p->targets[i]))
            return false;
    for (uint32_t i = 0; i < p->counts[PACK_SHAPES]; i++)
        if (!shape_good(p, &p->shapes[i]))
            return false;
    return text_good(p, p->header->about) && p->header->names_shape < p->counts[PACK_SHAPES]
        && p->shapes[p->header->names_shape].structure == PACK_NONE
        && type_shape_good(p, p->header->element_shape);
}
