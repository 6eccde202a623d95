#include "fhir/path.h"

#include <string.h>

/* Deeper than any tape that the default limits let through; a deeper node gets
 * the expression of the ancestor at this depth. */
#define MAX_STEPS 128

static size_t      steps_up(const struct tape *, const tape_node *parents, tape_node, tape_node *steps);
static struct span root_name(const struct tape *, struct arena *);
static struct span step_name(const struct tape *, tape_node, struct arena *);

/* The index of an item, counted on from the last one of this depth. */
static bool
index_of(struct path_counts *counts, const struct tape *t, tape_node list, tape_node item, size_t depth, uint32_t *out)
{
    struct path_place *place = &counts->places[depth % PATH_PLACES];
    bool               on    = place->list == list && place->item != TAPE_ROOT && place->item <= item;
    tape_node          n     = on ? place->item : tape_first(t, list);
    uint32_t           index = on ? place->index : 0;

    for (; n != item && n != TAPE_ABSENT; n = tape_next(t, n), index++)
        if (++counts->counted > PATH_COUNTED) {
            counts->counted = PATH_COUNTED;
            return false;
        }
    *place = (struct path_place){ .list = list, .item = item, .index = index };
    *out   = index;
    return true;
}

struct span
path_of(const struct tape *t, const tape_node *parents, tape_node node, struct arena *arena)
{
    struct path_counts alone = { 0 };

    return path_of_many(&alone, t, parents, node, arena);
}

struct span
path_of_many(struct path_counts *counts, const struct tape *t, const tape_node *parents, tape_node node, struct arena *arena)
{
    tape_node   steps[MAX_STEPS];
    struct span parts[MAX_STEPS];
    size_t      length = 0, used = 0;
    uint32_t    index  = 0;

    if (node == TAPE_ABSENT)
        return (struct span){ NULL, 0 };
    if (counts->tape != t)
        *counts = (struct path_counts){ .tape = t, .counted = counts->counted };
    size_t count = steps_up(t, parents, node, steps), all = count;
    parts[used++] = root_name(t, arena);
    length += parts[0].length;
    while (count > 0) {
        tape_node   step  = steps[--count];
        bool        item  = tape_kind(t, parents[step]) == TAPE_ARRAY;
        if (item && !index_of(counts, t, parents[step], step, all - count, &index))
            continue;
        struct span part = item ? arena_format(arena, "[%u]", index) : step_name(t, step, arena);
        if (span_empty(part))
            break;                                   /* not a name that FHIRPath can say */
        if (!item)
            length++;                                /* the dot */
        length += part.length;
        parts[used++] = part;
    }
    char *out = arena_alloc(arena, length + 1), *at = out;
    if (out == NULL)
        return (struct span){ NULL, 0 };
    for (size_t i = 0; i < used; i++) {
        if (i > 0 && parts[i].at[0] != '[')
            *at++ = '.';
        memcpy(at, parts[i].at, parts[i].length);
        at += parts[i].length;
    }
    return span_from(out, length);
}

/* From the node up to, not including, the root. */
static size_t
steps_up(const struct tape *t, const tape_node *parents, tape_node node, tape_node *steps)
{
    size_t depth = 0, count = 0;

    if (tape_kind(t, node) == TAPE_NAME)
        node++;                                      /* the value behind the name */
    for (tape_node n = node; n != TAPE_ROOT && n != TAPE_ABSENT; n = parents[n])
        depth++;
    for (; depth >= MAX_STEPS; depth--)
        node = parents[node];
    for (tape_node n = node; n != TAPE_ROOT && n != TAPE_ABSENT; n = parents[n])
        steps[count++] = n;
    return count;
}

bool
path_name_plain(struct span name)
{
    if (name.length == 0 || name.length > PATH_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.length; i++) {
        char c      = name.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return true;
}

/* What is too long for a plain name is not copied to see what its escapes say. */
static struct span
name_text(const struct tape *t, tape_node node, struct arena *arena)
{
    return tape_raw(t, node).length <= 6 * PATH_NAME_MAX ? tape_text(t, node, arena) : (struct span){ NULL, 0 };
}

static struct span
root_name(const struct tape *t, struct arena *arena)
{
    struct span type = name_text(t, tape_member(t, TAPE_ROOT, SPAN("resourceType")), arena);

    return path_name_plain(type) ? type : SPAN("$this");
}

static struct span
step_name(const struct tape *t, tape_node member, struct arena *arena)
{
    struct span name = name_text(t, tape_name(t, member), arena);

    if (!path_name_plain(name))
        return (struct span){ NULL, 0 };
    return name.length > 1 && name.at[0] == '_' ? span_skip(name, 1) : name;
}
