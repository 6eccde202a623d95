/* base/json_walk.h -- the questions of json_tape.h, inline.
 *
 * For the few loops that look at every value of every document (fhir/bundle.c,
 * fhir/reference.c, fhir/validate.c): a call for each question costs them half
 * of their time.  Everything else asks json_tape.h, which also checks that a
 * node exists; here a node must be one.
 */
#ifndef SLUICE_BASE_JSON_WALK_H
#define SLUICE_BASE_JSON_WALK_H

#include "base/json_node.h"

static inline enum tape_kind
walk_kind(const struct tape *t, tape_node n)
{
    return (enum tape_kind)(t->nodes[n].info & NODE_KIND);
}

static inline bool
walk_escaped(const struct tape *t, tape_node n)
{
    return (t->nodes[n].info & NODE_ESCAPED) != 0;
}

static inline struct span
walk_raw(const struct tape *t, tape_node n)
{
    return (struct span){ t->body.at + t->nodes[n].start, t->nodes[n].end - t->nodes[n].start };
}

static inline uint32_t
walk_children(const struct tape *t, tape_node container)
{
    return t->nodes[container].info >> NODE_CHILDREN;
}

/* Of an object or array. */
static inline tape_node
walk_first(const struct tape *t, tape_node container)
{
    uint32_t info = t->nodes[container].info;

    return info >> NODE_CHILDREN == 0 ? TAPE_ABSENT : container + ((info & NODE_KIND) == TAPE_OBJECT ? 2 : 1);
}

/* Of a value that is not the root. */
static inline tape_node
walk_next(const struct tape *t, tape_node sibling)
{
    const struct node *n = &t->nodes[sibling];

    return n->info & NODE_LAST ? TAPE_ABSENT : n->skip + (n->info & NODE_MEMBER ? 1 : 0);
}

/* Of a name: as tape_key(). */
static inline uint32_t
walk_key(const struct tape *t, tape_node name)
{
    return t->nodes[name].skip;
}

/* Whether a name is this text, whose key is tape_key_of(text). */
static inline bool
walk_named(const struct tape *t, tape_node name, uint32_t key, struct span text)
{
    return t->nodes[name].skip == key && tape_text_eq(t, name, text);
}

#endif
