/* gateway/store/contents_json.c -- the list of a push as the first schema wrote it.
 *
 *   [["Condition","c1",1,0,"Patient/p1","SUD R","confirmed",0,812,345], …]
 *     type        id   |  |  patient     labels  part2       |  |   length
 *                version  deleted                            |  start
 *                         blob
 *   and behind length, where it has identifiers, their keys (store.h): [17,4711]
 *
 * An entry begins at a multiple of 16 bytes and ends in a line feed.
 */
#include "gateway/store/contents.h"

#include "base/json_tape.h"

#define FIELDS 10

static bool
number(const struct tape *t, tape_node node, int64_t *out)
{
    uint64_t value;

    if (tape_kind(t, node) != TAPE_NUMBER || !span_to_u64(tape_raw(t, node), &value) || value > INT64_MAX)
        return false;
    *out = (int64_t)value;
    return true;
}

/* The list may be missing. */
static bool
keys_read(const struct tape *t, tape_node list, struct arena *arena, struct content *out)
{
    size_t   count = list != TAPE_ABSENT && tape_kind(t, list) == TAPE_ARRAY ? tape_children(t, list) : 0;
    int64_t *keys  = count > 0 ? arena_make_n(arena, count, int64_t) : NULL;
    size_t   n     = 0;

    if ((list != TAPE_ABSENT && count == 0) || (count > 0 && keys == NULL))
        return false;
    for (tape_node key = count > 0 ? tape_first(t, list) : TAPE_ABSENT; key != TAPE_ABSENT; key = tape_next(t, key))
        if (!number(t, key, &keys[n++]))
            return false;
    out->identifiers      = keys;
    out->identifier_count = count;
    return true;
}

static bool
entry_read(const struct tape *t, tape_node entry, struct arena *arena, struct content *out)
{
    tape_node node[FIELDS];
    int64_t   deleted;

    if (tape_kind(t, entry) != TAPE_ARRAY || tape_children(t, entry) < FIELDS || tape_children(t, entry) > FIELDS + 1)
        return false;
    node[0] = tape_first(t, entry);
    for (int i = 1; i < FIELDS; i++)
        node[i] = tape_next(t, node[i - 1]);
    out->type    = tape_text(t, node[0], arena);
    out->id      = tape_text(t, node[1], arena);
    out->patient = tape_text(t, node[4], arena);
    out->labels  = tape_text(t, node[5], arena);
    out->part2   = tape_text(t, node[6], arena);
    if (!number(t, node[2], &out->version) || !number(t, node[3], &deleted) ||
        !number(t, node[7], &out->blob) || !number(t, node[8], &out->start) ||
        !number(t, node[9], &out->length))
        return false;
    out->deleted = deleted != 0;
    return keys_read(t, tape_next(t, node[FIELDS - 1]), arena, out);
}

static enum status
read_array(struct span json, struct arena *arena, const struct tape **out)
{
    enum status st = tape_read(json, &tape_default_limits, arena, out, NULL);

    if (st == ST_NO_MEMORY)
        return st;
    return st == ST_OK && tape_kind(*out, TAPE_ROOT) == TAPE_ARRAY ? ST_OK : ST_INTEGRITY;
}

enum status
contents_json_visit(struct span json, struct arena *arena, content_visitor *visit, void *arg)
{
    const struct tape *t;
    struct content     c;
    enum status        st = read_array(json, arena, &t);

    if (st != ST_OK)
        return st;
    for (tape_node e = tape_first(t, TAPE_ROOT); e != TAPE_ABSENT && st == ST_OK; e = tape_next(t, e)) {
        uint32_t place = (uint32_t)(tape_offset(t, e) / CONTENTS_ALIGN);
        st             = entry_read(t, e, arena, &c) ? visit(&c, place, arg) : ST_INTEGRITY;
    }
    return st;
}

enum status
contents_json_at(struct span json, uint32_t place, struct arena *arena, struct content *out)
{
    const struct tape *t;
    struct span        rest = span_skip(json, (size_t)place * CONTENTS_ALIGN);
    enum status        st   = read_array(span_split(&rest, '\n'), arena, &t);

    if (st != ST_OK)
        return st;
    return entry_read(t, TAPE_ROOT, arena, out) ? ST_OK : ST_INTEGRITY;
}
