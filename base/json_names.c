#include "base/json_names.h"

#include <string.h>

#include "base/hash.h"
#include "base/json_text.h"

/* Up to this many names are compared each with each. */
#define FEW 24u

/* A place of the table; node 0 is an empty one. */
struct slot {
    uint32_t tag;                        /* of the hash, so that few nodes are looked at */
    uint32_t node;
};

static uint32_t twin_of_few(const struct names *);
static uint32_t twin_of_many(const struct names *, struct slot *, size_t size);

/* A power of two, at most three quarters full. */
static size_t
table_size(uint32_t count)
{
    size_t size = 64;

    while (size / 4 * 3 < count)
        size *= 2;
    return size;
}

size_t
names_scratch(uint32_t count)
{
    return count <= FEW ? 0 : table_size(count) * sizeof(struct slot);
}

uint32_t
names_twin(const struct names *names, void *scratch)
{
    if (names->count <= FEW)
        return twin_of_few(names);
    uint32_t twin = twin_of_many(names, scratch, table_size(names->count));
    memset(scratch, 0, names_scratch(names->count));
    return twin;
}

uint64_t
names_key_of_escaped(struct span raw)
{
    struct text t      = text_of(raw);
    uint64_t    eight  = 0;
    size_t      length = 0;

    for (int byte; (byte = text_byte(&t)) >= 0; length++)
        if (length < 8)
            eight |= (uint64_t)byte << (8 * length);
    return key_from(eight, length);
}

/* ---- names ---------------------------------------------------------------- */

static struct span
raw_of(const struct names *names, uint32_t name)
{
    const struct node *n = &names->nodes[name];
    return span_from(names->body + n->start, n->end - n->start);
}

static bool
is_same(const struct names *names, uint32_t a, uint32_t b)
{
    const struct node *x = &names->nodes[a], *y = &names->nodes[b];

    if (x->skip != y->skip)              /* the keys */
        return false;
    if ((x->info | y->info) & NODE_ESCAPED)
        return text_order(raw_of(names, a), raw_of(names, b)) == 0;
    return span_eq(raw_of(names, a), raw_of(names, b));
}

static uint32_t
first_name(const struct names *names)
{
    return names->object + 1;
}

static uint32_t
next_name(const struct names *names, uint32_t name)
{
    return names->nodes[name + 1].skip;
}

static uint32_t
twin_of_few(const struct names *names)
{
    uint32_t list[FEW], keys[FEW];
    uint32_t name = first_name(names);

    for (uint32_t i = 0; i < names->count; i++, name = next_name(names, name)) {
        uint32_t key = names->nodes[name].skip;
        list[i]      = name;
        keys[i]      = key;
        for (uint32_t j = 0; j < i; j++)
            if (keys[j] == key && is_same(names, list[j], name))
                return name;
    }
    return 0;
}

/* ---- the table ------------------------------------------------------------ */

/* Names cannot hold an unescaped quote, so this reads no two lists alike. */
static uint64_t
hash_of_all(const struct names *names)
{
    struct hash h    = hash_begin(0, 0);
    uint32_t    name = first_name(names);

    for (uint32_t i = 0; i < names->count; i++, name = next_name(names, name)) {
        hash_add(&h, raw_of(names, name));
        hash_add(&h, SPAN("\""));
    }
    return hash_end(&h);
}

static uint64_t
hash_of(const struct names *names, uint32_t name, uint64_t key)
{
    struct hash h   = hash_begin(key, 0);
    struct span raw = raw_of(names, name);

    if (!(names->nodes[name].info & NODE_ESCAPED)) {
        hash_add(&h, raw);
        return hash_end(&h);
    }
    struct text t = text_of(raw);
    for (int byte; (byte = text_byte(&t)) >= 0;)
        hash_add(&h, span_from(&(char){ (char)byte }, 1));
    return hash_end(&h);
}

static uint32_t
twin_of_many(const struct names *names, struct slot *table, size_t size)
{
    uint64_t key  = hash_of_all(names);
    uint32_t name = first_name(names);

    for (uint32_t i = 0; i < names->count; i++, name = next_name(names, name)) {
        uint64_t hash = hash_of(names, name, key);
        uint32_t tag  = (uint32_t)(hash >> 32);
        size_t   at   = (size_t)hash & (size - 1);
        for (; table[at].node != 0; at = (at + 1) & (size - 1))
            if (table[at].tag == tag && is_same(names, table[at].node, name))
                return name;
        table[at] = (struct slot){ tag, name };
    }
    return 0;
}
