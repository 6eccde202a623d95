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

/* As tape_name(). */
static inline tape_node
walk_name(const struct tape *t, tape_node value)
{
    return t->nodes[value].info & NODE_MEMBER ? value - 1 : TAPE_ABSENT;
}

/* Of a name: as tape_key(). */
static inline uint32_t
walk_key(const struct tape *t, tape_node name)
{
    return t->nodes[name].skip;
}

/* Whether a string or name is this text. */
static inline bool
walk_is(const struct tape *t, tape_node n, struct span text)
{
    if (walk_escaped(t, n))
        return tape_text_eq(t, n, text);
    return t->nodes[n].end - t->nodes[n].start == text.length
        && node_same_bytes(t->body.at + t->nodes[n].start, text.at, text.length);
}

/* Whether a name is this text, whose key is tape_key_of(text). */
static inline bool
walk_named(const struct tape *t, tape_node name, uint32_t key, struct span text)
{
    return t->nodes[name].skip == key && walk_is(t, name, text);
}

/* One bit of 64 for a literal name, made by the compiler: a set of names is asked first by the bits of all of them. */
static inline __attribute__((always_inline)) uint64_t
walk_name_bit(struct span literal)
{
    return (uint64_t)1 << (key_word(key_of(literal)) >> 26);
}

/* The same of a name of the document. */
static inline uint64_t
walk_bit(const struct tape *t, tape_node name)
{
    return (uint64_t)1 << (t->nodes[name].skip >> 26);
}

/* Whether a name is this literal, whose key the compiler makes. */
static inline __attribute__((always_inline)) bool
walk_called(const struct tape *t, tape_node name, struct span literal)
{
    return walk_named(t, name, key_word(key_of(literal)), literal);
}

/* The first node from n on that is a name of this text and key, whatever it
 * is a member of; tape_count() + 1 when there is none. */
static inline tape_node
walk_seek(const struct tape *t, tape_node n, uint32_t key, struct span text)
{
    const struct node *nodes = t->nodes;
    uint32_t           count = t->count;

    for (; n <= count; n++)                          /* the key first: it is hardly ever equal */
        if (nodes[n].skip == key && walk_kind(t, n) == TAPE_NAME && walk_is(t, n, text))
            break;
    return n;
}

/* The first string from n on, `end` when there is none before it. */
static inline tape_node
walk_next_string(const struct tape *t, tape_node n, tape_node end)
{
    const struct node *nodes = t->nodes;

    while (n < end && (nodes[n].info & NODE_KIND) != TAPE_STRING)
        n++;
    return n;
}

/* Of a string or name: as tape_text(). */
static inline struct span
walk_text(const struct tape *t, tape_node n, struct arena *arena)
{
    return walk_escaped(t, n) ? tape_text(t, n, arena) : walk_raw(t, n);
}

/* As tape_member(), of any node, whose key is tape_key_of(name). */
static inline tape_node
walk_find_key(const struct tape *t, tape_node object, uint32_t key, struct span name)
{
    if (walk_kind(t, object) != TAPE_OBJECT)
        return TAPE_ABSENT;
    for (tape_node value = walk_first(t, object); value != TAPE_ABSENT; value = walk_next(t, value))
        if (walk_named(t, value - 1, key, name))
            return value;
    return TAPE_ABSENT;
}

/* The same; of a literal name the compiler makes the key. */
static inline __attribute__((always_inline)) tape_node
walk_find(const struct tape *t, tape_node object, struct span name)
{
    return walk_find_key(t, object, key_word(key_of(name)), name);
}

/* As tape_member_text(). */
static inline __attribute__((always_inline)) struct span
walk_find_text(const struct tape *t, tape_node object, struct span name, struct arena *arena)
{
    tape_node value = walk_find(t, object, name);

    return walk_kind(t, value) == TAPE_STRING ? walk_text(t, value, arena) : (struct span){ NULL, 0 };
}

#endif
