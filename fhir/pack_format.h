/* fhir/pack_format.h -- how a definitions pack lies in memory.
 *
 * Private to the compiler (fhir/compile.h), which writes it, pack.c, which
 * checks it, and the parts of the validator that run it.
 *
 *     header | section | section | …          offsets from the first byte
 *
 * A section is an array of records of one kind.  Sections that a reader does
 * not know are left alone; the version changes when a record does.
 *
 *   TEXTS       bytes of all texts, each followed by a NUL
 *   STRUCTURES  one StructureDefinition each
 *   SHAPES      one place in which an object may stand: the root of a type,
 *               or an element with children of its own (a BackboneElement)
 *   ELEMENTS    the children of a shape, in the order of the definition, all
 *               children of one shape side by side
 *   TYPES       what an element may be, side by side; a choice has several
 *   TARGETS     canonical URLs of a Reference's targetProfile
 *   SLOTS       a hash table per shape: member name as JSON writes it
 *               ("valueQuantity", "_birthDate") -> element and type
 *
 * Terminology has sections of its own (fhir/pack_terms.h), and so have
 * snapshots (fhir/pack_snapshots.h) and Questionnaires (fhir/pack_forms.h).
 * What definitions ask beyond structure, and profiles: fhir/profile_format.h.
 */
#ifndef SLUICE_FHIR_PACK_FORMAT_H
#define SLUICE_FHIR_PACK_FORMAT_H

#include <stdint.h>

#include "base/json_walk.h"
#include "base/span.h"
#include "fhir/pack.h"

#define PACK_MAGIC   UINT64_C(0x31004b4341504c53)        /* "SLPACK\0001" read as little-endian */
#define PACK_VERSION 11u
#define PACK_MANY    UINT32_MAX                          /* max "*" */
#define PACK_NONE    UINT32_MAX                          /* no such index */
/* Children of one shape: the walk keeps a bit for each. */
#define PACK_SHAPE_ELEMENTS 128u

enum pack_section_kind {
    PACK_TEXTS = 0, PACK_STRUCTURES, PACK_SHAPES, PACK_ELEMENTS, PACK_TYPES, PACK_TARGETS, PACK_SLOTS,
    /* terminology: fhir/pack_terms.h */
    PACK_SYSTEMS, PACK_SYSTEM_SLOTS, PACK_CONCEPTS, PACK_CONCEPT_SLOTS, PACK_PARENTS, PACK_DESIGNATIONS,
    PACK_VALUE_SETS, PACK_VALUE_SET_SLOTS, PACK_VALUE_PARTS, PACK_MEMBERS,
    PACK_PROFILES, PACK_PROFILE_SLOTS, PACK_CONTEXTS, PACK_NODES, PACK_ALLOWED, PACK_CANONICALS, PACK_VALUES,
    PACK_BINDINGS, PACK_CONSTRAINTS, PACK_PROGRAMS, PACK_TESTS, PACK_STEPS, PACK_GLOBALS,
    /* fhir/pack_snapshots.h */
    PACK_SNAPSHOTS, PACK_SNAPSHOT_BYTES, PACK_SNAPSHOT_SLOTS,
    /* Questionnaires: fhir/pack_forms.h */
    PACK_FORMS, PACK_FORM_ITEMS, PACK_FORM_ORDER, PACK_FORM_VALUES, PACK_FORM_CONDITIONS,
    PACK_SECTIONS
};

struct pack_text { uint32_t offset, length; };

struct pack_section { uint32_t kind, offset, count, size; };   /* size: of one record */

struct pack_header {
    uint64_t            magic;
    uint32_t            version;
    uint32_t            length;              /* of the whole pack                       */
    uint64_t            checksum;            /* pack_checksum() of what is behind it    */
    uint32_t            key_check;           /* tape_key_of(PACK_KEY_SAMPLE)            */
    uint32_t            section_count;
    uint8_t             sources_sha256[32];
    struct pack_text    about;               /* "name#version, …" of the packages       */
    uint32_t            names_shape;         /* the shape whose slots are type names    */
    uint32_t            element_shape;       /* of Element: what stands in `_x`         */
    struct pack_section sections[PACK_SECTIONS];
};

/* The hash tables hold keys of the tape; another key function is another pack. */
#define PACK_KEY_SAMPLE SPAN("resourceType")

enum pack_structure_kind { PACK_PRIMITIVE = 1, PACK_COMPLEX, PACK_RESOURCE };

struct pack_structure {
    struct pack_text name, url;
    uint32_t         shape;                  /* PACK_NONE for a primitive */
    uint32_t         base;                   /* what it is derived from; PACK_NONE at the top */
    uint8_t          kind;
    uint8_t          primitive;              /* enum primitive            */
    uint8_t          abstract;
    uint8_t          spare;
};

/* The roots of types that have rules of their own (fhir/type_rules.h). */
enum pack_shape_flag {
    SHAPE_RESOURCE = 1, SHAPE_DOMAIN_RESOURCE = 2, SHAPE_EXTENSION = 4, SHAPE_IDENTIFIER = 8, SHAPE_CODING = 16,
    SHAPE_ATTACHMENT = 32, SHAPE_META = 64, SHAPE_QUANTITY = 128, SHAPE_SAMPLES = 256,
    SHAPE_HAS_RULES = SHAPE_IDENTIFIER | SHAPE_CODING | SHAPE_ATTACHMENT | SHAPE_META | SHAPE_SAMPLES,
};

struct pack_shape {
    uint64_t required[2];                    /* a bit for each element with min > 0 */
    uint32_t structure;                      /* PACK_NONE: the shape of type names  */
    uint32_t first_element, element_count;
    uint32_t first_slot, slot_mask;          /* slots: slot_mask + 1, a power of 2  */
    uint32_t flags;
    uint32_t node;                           /* what is asked of all that stands in it; PACK_NONE */
    uint32_t spare;
};

enum pack_element_flag {
    ELEMENT_ARRAY = 1, ELEMENT_CHOICE = 2, ELEMENT_MODIFIER = 4, ELEMENT_SUMMARY = 8, ELEMENT_ID = 16,
};

struct pack_element {
    struct pack_text path, name;             /* "Patient.deceased[x]", "deceased[x]" */
    uint32_t         min, max;
    uint32_t         first_type;
    uint16_t         type_count, flags;
    uint32_t         node;                   /* what else is asked of it; PACK_NONE */
};

enum pack_type_kind { TYPE_PRIMITIVE = 1, TYPE_COMPLEX, TYPE_RESOURCE };
enum pack_type_flag {
    TYPE_SYSTEM = 1,                         /* an id or Extension.url: it has no `_x` */
    TYPE_REFERENCE = 2,
    TYPE_EXTENSION = 4,
};

struct pack_type {
    struct pack_text code;                   /* "Quantity"                                        */
    uint32_t         shape;                  /* of TYPE_COMPLEX, own children and contentReference too */
    uint32_t         first_target, target_count;
    uint8_t          kind;
    uint8_t          primitive;              /* enum primitive, of TYPE_PRIMITIVE                 */
    uint16_t         flags;
};

/* The upper byte: the enum primitive of a member that is one value of it; 0
 * for lists, objects, shadows and Element.id.  Most members are such, and the
 * walk need not look at their element. */
enum pack_slot_flag {
    SLOT_USED = 1, SLOT_SHADOW = 2, SLOT_RESOURCE_TYPE = 4,
    SLOT_ASKS = 8,                           /* its element has a node */
};
#define SLOT_PRIMITIVE 8                     /* shift */

struct pack_slot {
    uint32_t key;                            /* tape_key_of(text)                       */
    uint32_t text;                           /* offset of the name in TEXTS             */
    uint16_t length;
    uint16_t flags;
    uint16_t element;                        /* within the shape; a structure for names */
    uint16_t type;                           /* within the element                      */
};

struct pack {
    const struct pack_header    *header;
    const char                  *texts;
    const struct pack_structure *structures;
    const struct pack_shape     *shapes;
    const struct pack_element   *elements;
    const struct pack_type      *types;
    const struct pack_text      *targets;
    const struct pack_slot      *slots;
    const struct pack_system     *systems;
    const uint32_t               *system_slots;
    const struct pack_concept    *concepts;
    const uint32_t               *concept_slots;
    const uint32_t               *parents;
    const struct pack_designation *designations;
    const struct pack_value_set  *value_sets;
    const uint32_t               *value_set_slots;
    const struct pack_value_part *value_parts;
    const struct pack_member     *members;
    const struct pack_profile    *profiles;
    const uint32_t               *profile_slots;
    const struct pack_context    *contexts;
    const struct pack_node       *nodes;
    const struct pack_allowed    *allowed;
    const struct pack_canonical  *canonicals;
    const struct pack_value      *values;
    const struct pack_binding    *bindings;
    const struct pack_constraint *constraints;
    const uint32_t               *programs;
    const struct pack_test       *tests;
    const struct pack_step       *steps;
    const uint32_t               *globals;
    const struct pack_snapshot   *snapshots;
    const char                   *snapshot_bytes;
    const uint32_t               *snapshot_slots;
    const struct pack_form       *forms;
    const struct form_item       *form_items;
    const uint32_t               *form_order;
    const struct form_value      *form_values;
    const struct form_condition  *form_conditions;
    uint32_t                     counts[PACK_SECTIONS];
};

/* Bytes of one record of each section. */
extern const uint32_t pack_record_sizes[PACK_SECTIONS];

uint64_t pack_checksum(struct span);

/* Versions of one url, the higher last: numbers compare as numbers, the rest
 * as text (2.0.10 is behind 2.0.9), and what is released is behind its own
 * drafts (2.0.0 is behind 2.0.0-ballot, as in semver.org 2.0.0 clause 11). */
int pack_version_order(struct span a, struct span b);

static inline uint16_t
pack_slot_flags(const struct pack_element *e, const struct pack_type *type, bool shadow)
{
    if (shadow)
        return SLOT_USED | SLOT_SHADOW;
    bool value = type->kind == TYPE_PRIMITIVE && !(e->flags & (ELEMENT_ARRAY | ELEMENT_ID));
    return (uint16_t)(SLOT_USED | (e->node != PACK_NONE ? SLOT_ASKS : 0) | (value ? type->primitive << SLOT_PRIMITIVE : 0));
}

static inline struct span
pack_span(const struct pack *p, struct pack_text text)
{
    return span_from(p->texts + text.offset, text.length);
}

/* The slot of a member name, NULL when the shape has none.  The key only says
 * where to look: the text decides. */
static inline const struct pack_slot *
pack_slot_of(const struct pack *p, const struct pack_shape *shape, uint32_t key, struct span text)
{
    const struct pack_slot *slots = p->slots + shape->first_slot;

    for (uint32_t at = key & shape->slot_mask;; at = (at + 1) & shape->slot_mask) {
        const struct pack_slot *slot = &slots[at];
        if (slot->flags == 0)
            return NULL;
        if (slot->key == key && slot->length == text.length
            && node_same_bytes(p->texts + slot->text, text.at, text.length))
            return slot;
    }
}

#endif
