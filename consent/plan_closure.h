/* consent/plan_closure.h -- the state of one closure; private to plan_*.c.
 *
 * A node that goes is marked; gone() climbs to the root, so that nothing is
 * ever painted downward and a cut costs its depth (at most 64).  A container
 * counts what it lost, so that "nothing is left" costs nothing to know.
 *
 * Withheld entries wait in a queue; closure_drain() follows what pointed at them.
 */
#ifndef SLUICE_CONSENT_PLAN_CLOSURE_H
#define SLUICE_CONSENT_PLAN_CLOSURE_H

#include "base/json_walk.h"
#include "consent/plan.h"

enum closure_mark {
    MARK_GONE = 1,                       /* leaves no byte, with all that is inside          */
    MARK_LINK = 2,                       /* the text of a reference that resolves: not text  */
    MARK_OWN  = 4,                       /* a concept that the resource states itself        */
    MARK_BROUGHT = 8,                    /* contained: what was cut points at it             */
    MARK_LIVE    = 16,                   /* contained: what stays points at it               */
    MARK_CLEAN   = 32,                   /* a string that holds nothing of plan_evidence.h   */
};

struct why {
    const char *rule;
    uint32_t    cause;                   /* ENTRY_NONE: none in particular */
    const char *because;                 /* a plain sentence, static       */
};

/* Text that names an entry, found while all entries were still kept. */
struct closure_edge { tape_node node; uint32_t next; };

struct node_list { tape_node *all; uint32_t count, room; };

struct canonicals;
struct lookup;

struct closure {
    const struct plan_input *in;
    const struct bundle     *bundle;
    const struct tape       *tape;
    const tape_node         *parents;
    struct arena            *arena;
    struct decision         *decisions;
    uint8_t                 *mark;       /* per node                                         */
    uint32_t                *lost;       /* per container: children that are gone            */
    bool                    *withheld;   /* per entry                                        */
    bool                    *first;      /* per entry: withheld by the decision, not by us   */
    bool                    *touched;    /* per entry: something inside was cut              */
    bool                    *support;    /* per entry: of a supporting type; made by plan_orphan.c */
    const struct lookup     *organizations; /* program -> its Organizations; made by plan_orphan.c; NULL: none */
    uint8_t                 *open;       /* per program of the facts: asked and answered; plan.c */
    bool                    *told;       /* per program: what is cut names it, in words or by another server's URL */
    const struct canonicals *canonicals; /* NULL: no definition is named by its URL */
    uint32_t                *queue;
    uint32_t                 queue_head, queue_tail;
    uint32_t                *edge_of;    /* per entry: last edge + 1; NULL: text was not read */
    struct closure_edge        *edges;
    uint32_t                 edge_count, edge_room;
    uint32_t                *contained_of; /* per node of a contained resource: reference + 1 */
    uint32_t                *contained_next;
    struct plan_cut         *cuts;
    uint32_t                 cut_count, cut_room;
    struct plan_edit        *edits;
    uint32_t                 edit_count, edit_room;
    struct node_list         narratives; /* found by the scan of the strings                 */
    struct node_list         crowded;    /* strings that name very many entries              */
    bool                     spent;      /* the arena gave out: nothing may leave            */
};

enum status closure_new(const struct plan_input *, struct arena *, struct closure **out) MUST_CHECK;

/* Cuts a node and what falls with it.  A node that is already gone stays so. */
void closure_cut(struct closure *, tape_node, struct why);
/* Cuts the smallest piece around a text that may stand or fall alone: the
 * extension, the narrative, the datatype, the element; an attachment takes
 * its resource along (C7). */
void closure_cut_text(struct closure *, tape_node leaf, struct why);
void closure_cut_reference(struct closure *, const struct reference *, struct why);
void closure_withhold(struct closure *, uint32_t entry, struct why);
/* Follows everything that points at withheld entries until nothing is left. */
void closure_drain(struct closure *);
void closure_edit(struct closure *, tape_node, struct span json, const char *rule);
/* A resource inside another document's entry went: what refers to it goes. */
void closure_cut_inner(struct closure *, tape_node resource);
/* Whether the recipient may know of the program: asked once, when nothing was cut yet. */
bool closure_open(struct closure *, const struct program *);
void closure_keep(struct closure *, struct node_list *, tape_node);
void closure_edge_add(struct closure *, tape_node, uint32_t to);

bool        closure_gone(const struct closure *, tape_node);
/* What closure_cut_text would cut. */
tape_node   closure_unit(const struct closure *, tape_node leaf);
/* Inside a member of this name. */
static inline bool closure_in(const struct closure *, tape_node, struct span name);
/* Name of the member that a value is or is an item of; empty at the root. */
struct span closure_name(const struct closure *, tape_node);
static inline bool closure_named(const struct closure *, tape_node, struct span name);
static inline tape_node closure_name_node(const struct closure *, tape_node);  /* its name, or that of its list */
/* "section.entry": path below the nearest resource, recursion written once.
 * Empty when it does not fit: such a path is no row of required.def. */
struct span closure_path(const struct closure *, tape_node, char *room, size_t size);
tape_node   closure_resource(const struct closure *, tape_node);               /* the nearest, itself included */
struct span closure_type(const struct closure *, tape_node resource);
bool        closure_text_is(const struct closure *, tape_node, const char *text);
bool        span_in(struct span, const char *const *words);              /* words end with NULL */

tape_node closure_item_name(const struct closure *, tape_node);

static inline tape_node
closure_name_node(const struct closure *w, tape_node node)
{
    tape_node name = walk_name(w->tape, node);

    return name != TAPE_ABSENT ? name : closure_item_name(w, node);
}

/* Both are asked of every string, with literal names: the compiler makes the key. */
static inline __attribute__((always_inline)) bool
closure_named(const struct closure *w, tape_node node, struct span name)
{
    return walk_called(w->tape, closure_name_node(w, node), name);
}

bool closure_in_key(const struct closure *, tape_node, uint32_t key, struct span name);

static inline __attribute__((always_inline)) bool
closure_in(const struct closure *w, tape_node node, struct span name)
{
    return closure_in_key(w, node, key_word(key_of(name)), name);
}

/* plan_orphan.c (C3, P6): entries and contained resources that only withheld
 * ones, or what was cut, point at; resources that exist because of them. */
void orphans_withhold(struct closure *);
/* plan_claim.c (C2, C8): numbers and sums of claims. */
void claims_close(struct closure *);
/* plan_bundle.c (C8): links, signature, high-water labels, counts, totals. */
void bundle_close(struct closure *);

#endif
