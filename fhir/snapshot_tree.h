/* fhir/snapshot_tree.h -- a snapshot as a tree; private to the generator
 * (fhir/snapshot.h).
 *
 *     elements of a snapshot  --tree_read-->  parts  --tree_write-->  JSON
 *
 * A part is an element: its children stand below it, its slices beside it,
 * each with children of its own.  Written in the order of the standard: the
 * element, its children, its slices one by one (R4 profiling.html#slicing).
 *
 * What an element says is kept as values of the tapes that say it, and
 * shared between copies: details are never changed, only replaced.
 */
#ifndef SLUICE_FHIR_SNAPSHOT_TREE_H
#define SLUICE_FHIR_SNAPSHOT_TREE_H

#include "fhir/compile.h"

#define TREE_SEGMENTS 32u                /* names in one path, slices of slices counted */

/* The members of an ElementDefinition that are kept, in the order in which
 * they are written.  Extensions: only where one of them asks something of a
 * narrative. */
/*        name          member              kind of text                      */
#define DETAIL_LIST(X)                                                    \
    X(SLICING,          "slicing",          DETAIL_OBJECT)                \
    X(MIN,              "min",              DETAIL_PLAIN)                 \
    X(MAX,              "max",              DETAIL_PLAIN)                 \
    X(BASE,             "base",             DETAIL_PLAIN)                 \
    X(CONTENT,          "contentReference", DETAIL_PLAIN)                 \
    X(TYPE,             "type",             DETAIL_PLAIN)                 \
    X(FIXED,            "fixed",            DETAIL_CHOICE)                \
    X(PATTERN,          "pattern",          DETAIL_CHOICE)                \
    X(MIN_VALUE,        "minValue",         DETAIL_CHOICE)                \
    X(MAX_VALUE,        "maxValue",         DETAIL_CHOICE)                \
    X(MAX_LENGTH,       "maxLength",        DETAIL_PLAIN)                 \
    X(CONSTRAINT,       "constraint",       DETAIL_OBJECTS)               \
    X(MUST_SUPPORT,     "mustSupport",      DETAIL_PLAIN)                 \
    X(MODIFIER,         "isModifier",       DETAIL_PLAIN)                 \
    X(BINDING,          "binding",          DETAIL_OBJECT)                \
    X(EXTENSION,        "extension",        DETAIL_PLAIN)

enum detail_kind {
#define X(name, member, form) DETAIL_##name,
    DETAIL_LIST(X)
#undef X
    DETAILS
};

enum detail_form {
    DETAIL_PLAIN,                          /* as it is                                       */
    DETAIL_CHOICE,                         /* the name goes on: fixedCode                    */
    DETAIL_OBJECT,                         /* without its description                        */
    DETAIL_OBJECTS,                        /* a list of objects, without xpath               */
};

struct value { const struct tape *tape; tape_node node; };      /* zeroed: nothing */

struct details { struct value all[DETAILS]; };

struct part {
    struct span         name;            /* "value[x]"; of the root the type */
    struct span         slice;           /* empty, "valueQuantity", "a/b"    */
    const struct details *details;
    const struct part  *origin;          /* as the base or the type has it   */
    struct part        *children, *last_child;
    struct part        *slices, *last_slice;
    uint32_t            slice_count;
    struct part        *next;            /* child or slice of the same       */
    bool                stated;          /* the differential has it          */
    bool                sliced;          /* it has slices that are new       */
    bool                narrowed;        /* a choice: to the types that were named */
};

/* For one definition: how many parts there are, against SNAPSHOT_ELEMENTS. */
struct tree { struct compiler *compiler; struct part *root; uint32_t count; };

/* False after compile_broken() or when the arena is spent. */
bool tree_read(struct tree *, const struct tape *, tape_node elements);
struct span tree_write(const struct tree *);                     /* empty: the arena is spent */
/* The elements as they are, stripped and compact. */
struct span elements_strip(struct compiler *, const struct tape *, tape_node elements);

struct part *tree_new_child(struct tree *, struct part *parent, struct span name);
struct part *tree_new_slice(struct tree *, struct part *of, struct span slice);
/* Copies of the children of `from`, all with slices, as children of `to`. */
bool tree_copy_children(struct tree *, struct part *to, const struct part *from);

struct part *part_child(const struct part *, struct span name);
struct part *part_slice(const struct part *, struct span slice);

/* {"path":…,"min":…,"max":…} for an element that does not say where it is from. */
struct value value_base(struct compiler *, struct span path, const struct details *);

struct details details_read(const struct tape *, tape_node element);

static inline struct span
value_text(struct value v, struct arena *arena)
{
    return v.tape != NULL ? tape_text(v.tape, v.node, arena) : (struct span){ NULL, 0 };
}

#endif
