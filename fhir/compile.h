/* fhir/compile.h -- how the parts of the compiler work together; private to
 * package.c and the compile_*.c files.
 *
 * package_compile() runs them in this order; each reads definitions as JSON
 * and appends records to sections of the pack (fhir/pack_format.h):
 *
 *     package.c           collect: every conformance resource of every file
 *     compile_types.c     types and resources -> structures, shapes, elements
 *     compile_terminology.c   CodeSystem, ValueSet -> systems, concepts, value sets, members
 *     compile_profiles.c  what types and profiles ask beyond structure -> nodes
 *     snapshot.c          the elements of every StructureDefinition, for what
 *                         comes on top
 *     compile_forms.c     Questionnaires -> forms
 *
 * A pack may be compiled on top of another (package_sources.base): then the
 * tables begin as a copy of that one's, an index of before is an index of
 * after, and what is added behind may refer to it.  That is how a site's
 * packages come on top of R4 without R4's sources.
 *
 * Texts are interned: equal texts have equal offsets, so two pack_texts are
 * equal when their offsets are (none holds a NUL: the tape refuses \u0000).
 *
 * Everything lives in the compiler's arena.  A function that returns false
 * has said why (compile_broken) or spent the arena.
 */
#ifndef SLUICE_FHIR_COMPILE_H
#define SLUICE_FHIR_COMPILE_H

#include "fhir/lookup.h"
#include "fhir/pack_format.h"
#include "fhir/package.h"

/* The resources that are definitions, as far as something is made of them. */
enum definition_kind {
    DEFINITION_NONE = 0, DEFINITION_STRUCTURE, DEFINITION_VALUE_SET, DEFINITION_CODE_SYSTEM, DEFINITION_QUESTIONNAIRE,
    DEFINITION_GUIDE, DEFINITION_KINDS
};

struct definition {
    const struct tape   *tape;
    tape_node            node;               /* the resource */
    enum definition_kind kind;
    struct span          url, version;       /* as in the resource; may be empty */
    struct span          file;               /* where it was, for messages */
};

struct compile_table { void *at; uint32_t count, room; };

struct compiler {
    struct arena        *arena;
    struct issues       *issues;
    const struct pack   *base;               /* NULL: from nothing */
    struct compile_table tables[PACK_SECTIONS];
    struct definition   *definitions;        /* in the order of the files */
    uint32_t             definition_count, definition_room;
    const struct lookup *by_url[DEFINITION_KINDS];   /* url -> index of definitions, in that order */
    uint32_t            *interned;           /* offset + 1 of texts, open addressing */
    uint32_t             interned_room, interned_count;
    uint32_t             names_shape, element_shape;
    struct span          id;                 /* of the definition at hand, for findings */
    struct snapshot_memo *snapshots;         /* fhir/snapshot.c */
};

/* A new record of a section, zeroed; NULL when the arena is spent.  Records
 * move when their table grows: keep the index, not the pointer. */
void    *compile_append(struct compiler *, enum pack_section_kind);
void    *compile_at(const struct compiler *, enum pack_section_kind, uint32_t index);
uint32_t compile_count(const struct compiler *, enum pack_section_kind);
/* To a section of bytes; *first is where.  False when the arena is spent. */
bool     compile_append_bytes(struct compiler *, enum pack_section_kind, struct span, uint32_t *first);

#define COMPILE_APPEND(c, section, type)    ((type *)compile_append((c), (section)))
#define COMPILE_AT(c, section, type, index) ((type *)compile_at((c), (section), (index)))

/* Empties a section of slots (uint32_t: index + 1, 0: free) and gives it room for
 * `count` entries, half of it free; a power of 2, whose mask is *mask.  Made anew
 * each time: that of a base has no room for what comes on top.  NULL when the
 * arena is spent. */
uint32_t *compile_slots(struct compiler *, enum pack_section_kind, uint32_t count, uint32_t *mask);

struct pack_text compile_text(struct compiler *, struct span);         /* interned */
struct span      compile_span(const struct compiler *, struct pack_text);

/* The definition of this kind and canonical url among the files, the last of
 * the versions that are there when `version` is empty; NULL when there is none
 * (it may be in the base all the same). */
const struct definition *compile_find(const struct compiler *, enum definition_kind, struct span url, struct span version);

/* The value set of a canonical, as term_value_set() will find it: PACK_NONE
 * when it is not there.  Good once compile_terminology() is done. */
uint32_t compile_value_set(const struct compiler *, struct span canonical);
/* The tables so far as a pack, for what asks one; good until a table grows.  It has no header. */
struct pack compile_view(const struct compiler *);

/* An error at c->id; always false. */
bool compile_broken(struct compiler *, struct span wanted, struct span found);

/* package.c: tables from a base; tables to bytes. */
bool        compile_begin(struct compiler *, const struct package_sources *, struct arena *, struct issues *);
bool        compile_collect(struct compiler *, const struct package_sources *);
enum status compile_emit(struct compiler *, const struct package_sources *, struct buf *out) MUST_CHECK;

/* The parts. */
bool compile_types(struct compiler *);
bool compile_terminology(struct compiler *);
bool compile_profiles(struct compiler *);
bool compile_snapshots(struct compiler *);           /* fhir/snapshot.h */
bool compile_forms(struct compiler *);

#endif
