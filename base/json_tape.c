#include "base/json_tape.h"

#include <assert.h>

#include "base/json_text.h"
#include "base/json_walk.h"

static const struct node *
at(const struct tape *t, tape_node node)
{
    assert(node <= t->count);
    return &t->nodes[node];
}

static bool
is_container(const struct node *n)
{
    uint32_t kind = n->info & NODE_KIND;
    return kind - TAPE_ARRAY <= TAPE_OBJECT - TAPE_ARRAY;
}

static bool
is_text(const struct node *n)
{
    uint32_t kind = n->info & NODE_KIND;
    return kind == TAPE_STRING || kind == TAPE_NAME;
}

struct span
tape_body(const struct tape *t)
{
    return t->body;
}

uint32_t
tape_count(const struct tape *t)
{
    return t->count;
}

enum tape_kind
tape_kind(const struct tape *t, tape_node node)
{
    return (enum tape_kind)(at(t, node)->info & NODE_KIND);
}

const char *
tape_kind_name(enum tape_kind kind)
{
    static const char *const names[] = {
        [TAPE_NOTHING] = "nothing", [TAPE_NULL]   = "null",   [TAPE_FALSE] = "false",
        [TAPE_TRUE]    = "true",    [TAPE_NUMBER] = "number", [TAPE_STRING] = "string",
        [TAPE_ARRAY]   = "array",   [TAPE_OBJECT] = "object", [TAPE_NAME]  = "name",
    };
    return (unsigned)kind < sizeof names / sizeof names[0] ? names[kind] : "unknown";
}

tape_node
tape_first(const struct tape *t, tape_node container)
{
    const struct node *n = at(t, container);

    if (!is_container(n) || n->info >> NODE_CHILDREN == 0)
        return TAPE_ABSENT;
    return container + ((n->info & NODE_KIND) == TAPE_OBJECT ? 2 : 1);
}

tape_node
tape_next(const struct tape *t, tape_node sibling)
{
    const struct node *n = at(t, sibling);

    if (sibling <= TAPE_ROOT || n->info & NODE_LAST || (n->info & NODE_KIND) == TAPE_NAME)
        return TAPE_ABSENT;
    return n->skip + (n->info & NODE_MEMBER ? 1 : 0);
}

tape_node
tape_name(const struct tape *t, tape_node value)
{
    return at(t, value)->info & NODE_MEMBER ? value - 1 : TAPE_ABSENT;
}

tape_node
tape_member(const struct tape *t, tape_node object, struct span name)
{
    assert(object <= t->count);
    return walk_find(t, object, name);
}

tape_node
tape_item(const struct tape *t, tape_node array, uint32_t index)
{
    if (tape_kind(t, array) != TAPE_ARRAY || index >= tape_children(t, array))
        return TAPE_ABSENT;
    tape_node item = tape_first(t, array);
    while (index-- > 0)
        item = tape_next(t, item);
    return item;
}

uint32_t
tape_index(const struct tape *t, tape_node container, tape_node child)
{
    uint32_t index = 0;

    for (tape_node n = tape_first(t, container); n != child && n != TAPE_ABSENT; n = tape_next(t, n))
        index++;
    return index;
}

uint32_t
tape_key(const struct tape *t, tape_node name)
{
    const struct node *n = at(t, name);

    return (n->info & NODE_KIND) == TAPE_NAME ? n->skip : 0;
}

uint32_t
tape_key_of(struct span unescaped)
{
    return key_word(key_of(unescaped));
}

uint32_t
tape_children(const struct tape *t, tape_node container)
{
    return at(t, container)->info >> NODE_CHILDREN;
}

tape_node
tape_after(const struct tape *t, tape_node node)
{
    const struct node *n = at(t, node);
    return (n->info & NODE_KIND) == TAPE_NAME ? n[1].skip : n->skip;
}

const tape_node *
tape_parents(const struct tape *t, struct arena *arena)
{
    const struct node *nodes   = t->nodes;
    uint32_t           count   = t->count;
    tape_node         *parents = arena_make_n(arena, (size_t)count + 1, tape_node);
    tape_node          open    = TAPE_ABSENT, end = count + 1;

    if (parents == NULL)
        return NULL;
    tape_node n = TAPE_ROOT;
    for (const struct node *node = nodes + n; n <= count; n++, node++) {
        while (n >= end) {                           /* never for the root: it ends behind the last */
            open = parents[open];
            end  = nodes[open].skip;
        }
        parents[n] = open;
        if (is_container(node)) {
            open = n;
            end  = node->skip;
        }
    }
    return parents;
}

struct span
tape_raw(const struct tape *t, tape_node node)
{
    const struct node *n = at(t, node);

    if (node == TAPE_ABSENT)
        return (struct span){ NULL, 0 };
    return span_from(t->body.at + n->start, n->end - n->start);
}

struct span
tape_extent(const struct tape *t, tape_node node)
{
    const struct node *n    = at(t, node);
    size_t             edge = is_text(n);

    if (node == TAPE_ABSENT)
        return (struct span){ NULL, 0 };
    return span_from(t->body.at + n->start - edge, n->end - n->start + 2 * edge);
}

size_t
tape_offset(const struct tape *t, tape_node node)
{
    const struct node *n = at(t, node);
    return n->start - (size_t)is_text(n);
}

bool
tape_escaped(const struct tape *t, tape_node node)
{
    return (at(t, node)->info & NODE_ESCAPED) != 0;
}

bool
tape_integer(const struct tape *t, tape_node node)
{
    return (at(t, node)->info & NODE_INTEGER) != 0;
}

/* ---- text ----------------------------------------------------------------- */

bool
tape_text_eq(const struct tape *t, tape_node node, struct span unescaped)
{
    const struct node *n = at(t, node);

    if (!is_text(n))
        return false;
    if (!(n->info & NODE_ESCAPED))
        return span_eq(tape_raw(t, node), unescaped);
    struct text text = text_of(tape_raw(t, node));
    for (size_t i = 0; i < unescaped.length; i++)
        if (text_byte(&text) != (uint8_t)unescaped.at[i])
            return false;
    return text_byte(&text) < 0;
}

struct span
tape_text(const struct tape *t, tape_node node, struct arena *arena)
{
    const struct node *n      = at(t, node);
    size_t             length = 0;

    if (!is_text(n))
        return (struct span){ NULL, 0 };
    struct span raw = tape_raw(t, node);
    if (!(n->info & NODE_ESCAPED))
        return raw;
    char *copy = arena_alloc(arena, raw.length);    /* unescaped is never longer */
    if (copy == NULL)
        return (struct span){ NULL, 0 };
    struct text text = text_of(raw);
    for (int byte = text_byte(&text); byte >= 0; byte = text_byte(&text))
        copy[length++] = (char)byte;
    arena_shrink(arena, copy, raw.length, length);
    return span_from(copy, length);
}

struct span
tape_member_text(const struct tape *t, tape_node object, struct span name, struct arena *arena)
{
    assert(object <= t->count);
    return walk_find_text(t, object, name, arena);
}

/* ---- refusals ------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *text;
} refusals[] = {
#define X(name, text) { #name, text },
    TAPE_REFUSAL_LIST(X)
#undef X
};

const char *
tape_refusal_text(enum tape_refusal why)
{
    return (unsigned)why < sizeof refusals / sizeof refusals[0] ? refusals[why].text : "unknown";
}

const char *
tape_refusal_name(enum tape_refusal why)
{
    return (unsigned)why < sizeof refusals / sizeof refusals[0] ? refusals[why].name : "UNKNOWN";
}

void
tape_line_column(struct span body, size_t offset, uint32_t *line, uint32_t *column)
{
    struct span before = span_first(body, offset);
    size_t      start  = span_find_last_byte(before, '\n');

    *line = 1;
    for (size_t i = 0; i < before.length; i++)
        *line += before.at[i] == '\n';
    *column = (uint32_t)(start == SPAN_NOT_FOUND ? before.length + 1 : before.length - start);
}
