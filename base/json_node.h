/* base/json_node.h -- what a tape is made of; private to json_read, json_tape and json_walk.
 *
 * A node is 16 bytes.  `skip` is the node behind the subtree, so a reader
 * steps over a value without looking into it.  A name has no subtree; its
 * skip holds the key of its text instead, and a lookup compares one word a
 * member.  There is no parent: walks go down.
 */
#ifndef SLUICE_BASE_JSON_NODE_H
#define SLUICE_BASE_JSON_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/json_tape.h"

struct node {
    uint32_t start;                      /* of a string or name: behind the quote  */
    uint32_t end;                        /* of a string or name: the closing quote */
    uint32_t skip;
    uint32_t info;                       /* kind in bits 0-3, flags in 4-7, children in 8-31 */
};
_Static_assert(sizeof(struct node) == 16, "a node is 16 bytes");

#define NODE_KIND     15u
#define NODE_ESCAPED  16u
#define NODE_INTEGER  32u
#define NODE_MEMBER   64u                /* the node before is its name */
#define NODE_LAST     128u               /* no sibling follows          */
#define NODE_CHILDREN 8                  /* shift                       */
/* Of one tape; so the number of children fits 24 bits. */
#define NODE_MOST     (1u << 24)

struct tape {
    struct span        body;
    const struct node *nodes;            /* [0] is the absent one */
    uint32_t           count;
};

/* The key of a name, from its first eight bytes (the rest zero) and its
 * length, both after unescaping.  It tells most names apart; equal keys prove
 * nothing.  It is no secret and needs none: see json_names.h. */
static inline uint64_t
key_from(uint64_t eight, size_t length)
{
    return (eight + length) * 0x9e3779b97f4a7c15u;
}

static inline uint32_t
key_word(uint64_t key)
{
    return (uint32_t)(key >> 32);
}

/* Reads nothing behind the text: two loads that overlap. */
static inline uint64_t
key_of(struct span text)
{
    size_t   n     = text.length;
    uint64_t eight = 0;
    uint32_t low, high;

    if (n >= 8) {
        memcpy(&eight, text.at, 8);
    } else if (n >= 4) {
        memcpy(&low, text.at, 4);
        memcpy(&high, text.at + n - 4, 4);
        eight = low | (uint64_t)high << (8 * (n - 4));
    } else {
        for (size_t i = 0; i < n; i++)
            eight |= (uint64_t)(uint8_t)text.at[i] << (8 * i);
    }
    return key_from(eight, n);
}

/* memcmp == 0, without a call: names are short. */
static inline bool
node_same_bytes(const char *a, const char *b, size_t n)
{
    uint64_t x, y;
    uint32_t u, v;

    if (n >= 8) {
        size_t i = 0;
        for (; i + 8 < n; i += 8) {
            memcpy(&x, a + i, 8);
            memcpy(&y, b + i, 8);
            if (x != y)
                return false;
        }
        memcpy(&x, a + n - 8, 8);
        memcpy(&y, b + n - 8, 8);
        return x == y;
    }
    if (n >= 4) {
        memcpy(&u, a, 4);
        memcpy(&v, b, 4);
        if (u != v)
            return false;
        memcpy(&u, a + n - 4, 4);
        memcpy(&v, b + n - 4, 4);
        return u == v;
    }
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

#endif
