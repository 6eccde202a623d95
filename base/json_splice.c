#include "base/json_splice.h"

#include <assert.h>
#include <string.h>

#include "base/sort.h"

/* Cuts are bits; the list is for what brings text. */
enum edit_kind { EDIT_REPLACE, EDIT_ADD };

struct edit {
    tape_node      node;
    uint32_t       sequence;             /* the order in which they were made      */
    enum edit_kind kind;
    struct span    json;
};

/* The bytes from..to of the body go; `json` comes, after a comma if so said. */
struct change {
    size_t      from;
    size_t      to;
    struct span json;
    bool        comma;
};

struct piece {
    struct span bytes;
    size_t      before;                  /* bytes of the result before this piece  */
};

struct splices {
    const struct tape *tape;
    struct arena      *arena;
    uint64_t          *cut;              /* a bit a node: it goes, or what holds it */
    struct edit       *edits;
    size_t             edit_count;
    size_t             edit_room;
    size_t             cut_count;        /* calls that cut something               */
    size_t             position;         /* of the walk in edits                   */
    tape_node          next_cut;         /* for the walk, too                      */
    struct level      *levels;
    bool               root_stays;
    struct change     *changes;          /* ascending                              */
    size_t             change_count;
    struct piece      *pieces;
    size_t             piece_count;
    size_t             length;
    bool               lost;             /* an edit: then nothing may leave         */
    bool               sealed;
};

/* A container that the walk is inside of.  Levels are kept for the next
 * descent, so there are as many as the edits are deep. */
struct level {
    struct level *up;
    struct level *down;
    tape_node     container;
    tape_node     previous;              /* the child before, cut or not           */
    size_t        changes_before;        /* changes made when it was entered       */
    const struct edit *additions;
    size_t        addition_count;
    bool          survivor;              /* a child has stayed                     */
};

#define NOTHING ((struct span){ NULL, 0 })

static void          add_edit(struct splices *, tape_node, enum edit_kind, struct span json);
static void          mark_cut(struct splices *, tape_node value);
static bool          walk(struct splices *);
static bool          must_enter(struct splices *, tape_node, bool *stays);
static size_t        additions_to(struct splices *, tape_node container);
static struct level *enter(struct splices *, struct level *up, tape_node container);
static void          settle(struct splices *, struct level *, tape_node child, bool stays);
static tape_node     next_to_visit(struct splices *, struct level *, tape_node child);
static bool          leave(struct splices *, const struct level *);
static enum status   lay_out(struct splices *);

struct splices *
splices_new(const struct tape *tape, struct arena *arena)
{
    struct splices *s = arena_make(arena, struct splices);

    if (s == NULL)
        return NULL;
    s->tape  = tape;
    s->arena = arena;
    s->cut   = arena_make_n(arena, (size_t)tape_count(tape) / 64 + 1, uint64_t);
    return s->cut != NULL ? s : NULL;
}

void
splices_cut(struct splices *s, tape_node value)
{
    assert(!s->sealed);
    if (value == TAPE_ABSENT || splices_is_cut(s, value))
        return;
    mark_cut(s, tape_kind(s->tape, value) == TAPE_NAME ? value + 1 : value);
    s->cut_count++;
}

void
splices_replace(struct splices *s, tape_node value, struct span json)
{
    assert(tape_kind(s->tape, value) != TAPE_NAME);
    add_edit(s, value, EDIT_REPLACE, json);
}

void
splices_add_member(struct splices *s, tape_node object, struct span json)
{
    assert(tape_kind(s->tape, object) == TAPE_OBJECT);
    add_edit(s, object, EDIT_ADD, json);
}

void
splices_add_item(struct splices *s, tape_node array, struct span json)
{
    assert(tape_kind(s->tape, array) == TAPE_ARRAY);
    add_edit(s, array, EDIT_ADD, json);
}

bool
splices_is_cut(const struct splices *s, tape_node node)
{
    return s->cut[node / 64] >> (node % 64) & 1;
}

size_t
splices_count(const struct splices *s)
{
    return s->cut_count + s->edit_count;
}

static int
order_edits(const void *a, const void *b, const void *context)
{
    const struct edit *x = a, *y = b;

    (void)context;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->sequence < y->sequence ? -1 : 1;
}

enum status
splices_seal(struct splices *s)
{
    assert(!s->sealed);
    if (s->lost || arena_spent(s->arena))
        return ST_NO_MEMORY;
    sort_in_place(s->edits, s->edit_count, sizeof *s->edits, order_edits, NULL);
    s->changes = arena_make_n(s->arena, splices_count(s) + 1, struct change);
    if (s->changes == NULL || !walk(s))
        return ST_NO_MEMORY;
    return lay_out(s);
}

/* ---- edits ---------------------------------------------------------------- */

static void
add_edit(struct splices *s, tape_node node, enum edit_kind kind, struct span json)
{
    assert(!s->sealed && node != TAPE_ABSENT);
    if (json.length == 0) {              /* its author ran out of memory */
        s->lost = true;
        return;
    }
    if (s->edit_count == s->edit_room) {
        size_t       room  = s->edit_room > 0 ? 2 * s->edit_room : 16;
        struct edit *edits = arena_grow(s->arena, s->edits, s->edit_room * sizeof *edits, room * sizeof *edits);
        if (edits == NULL) {
            s->lost = true;
            return;
        }
        s->edits     = edits;
        s->edit_room = room;
    }
    s->edits[s->edit_count] = (struct edit){ node, (uint32_t)s->edit_count, kind, json };
    s->edit_count++;
}

/* The value, all that is inside it, and its name. */
static void
mark_cut(struct splices *s, tape_node value)
{
    tape_node name = tape_name(s->tape, value);
    tape_node node = name != TAPE_ABSENT ? name : value, end = tape_after(s->tape, value);

    while (node < end) {
        if (node % 64 == 0 && end - node >= 64) {
            s->cut[node / 64] = UINT64_MAX;
            node += 64;
        } else {
            s->cut[node / 64] |= (uint64_t)1 << (node % 64);
            node++;
        }
    }
}

/* The first cut node from `from` on.  The walk asks in document order, so an
 * answer holds until the walk has passed it, and each word is read once. */
static tape_node
next_cut(struct splices *s, tape_node from)
{
    if (s->next_cut >= from)
        return s->next_cut;
    s->next_cut = UINT32_MAX;
    for (tape_node node = from; node <= tape_count(s->tape); node += 64 - node % 64) {
        uint64_t word = s->cut[node / 64] >> (node % 64);
        if (word != 0) {
            s->next_cut = node + (tape_node)__builtin_ctzll(word);
            break;
        }
    }
    return s->next_cut;
}

/* The first edit at `from` or behind it; NULL when there is none. */
static const struct edit *
next_edit(struct splices *s, tape_node from)
{
    while (s->position < s->edit_count && s->edits[s->position].node < from)
        s->position++;
    return s->position < s->edit_count ? &s->edits[s->position] : NULL;
}

static bool
has_work(struct splices *s, tape_node from, tape_node to)
{
    const struct edit *edit = next_edit(s, from);
    return next_cut(s, from) < to || (edit != NULL && edit->node < to);
}

/* ---- the walk ------------------------------------------------------------- */

static size_t
start_of(const struct splices *s, tape_node value)
{
    tape_node name = tape_name(s->tape, value);
    return tape_offset(s->tape, name != TAPE_ABSENT ? name : value);
}

static size_t
end_of(const struct splices *s, tape_node value)
{
    return tape_offset(s->tape, value) + tape_extent(s->tape, value).length;
}

/* The end of the last child: only white space is between it and the bracket. */
static size_t
end_of_children(const struct splices *s, tape_node container)
{
    struct span inside = span_first(tape_body(s->tape), end_of(s, container) - 1);
    while (inside.length > 0 && strchr(" \t\r\n", inside.at[inside.length - 1]) != NULL)
        inside.length--;
    return inside.length;
}

static void
change(struct splices *s, size_t from, size_t to, struct span json, bool comma)
{
    struct change *last = s->change_count > 0 ? &s->changes[s->change_count - 1] : NULL;

    if (last != NULL && last->to == from && last->json.length == 0 && json.length == 0)
        last->to = to;
    else
        s->changes[s->change_count++] = (struct change){ from, to, json, comma };
}

/* Text at one place: only the first may come without a comma. */
static void
add(struct splices *s, size_t place, const struct edit *edits, size_t count, bool comma)
{
    for (size_t i = 0; i < count; i++)
        change(s, place, place, edits[i].json, comma || i > 0);
}

/* Down to every edit and up again, in document order, so that the changes
 * come out ascending.  Returns whether memory lasted. */
static bool
walk(struct splices *s)
{
    struct level *level = NULL;
    tape_node     node  = TAPE_ROOT;

    for (;;) {
        bool stays = true;
        if (must_enter(s, node, &stays)) {
            level = enter(s, level, node);
            if (level == NULL)
                return false;
            node = tape_first(s->tape, node);
            continue;
        }
        for (; level != NULL; level = level->up) {
            settle(s, level, node, stays);
            tape_node next = next_to_visit(s, level, node);
            if (next != TAPE_ABSENT) {
                node = next;
                break;
            }
            node  = level->container;
            stays = leave(s, level);
        }
        if (level == NULL) {
            s->root_stays = stays;
            return true;
        }
    }
}

/* What becomes of a value that can be told without its children. */
static bool
must_enter(struct splices *s, tape_node node, bool *stays)
{
    if (splices_is_cut(s, node)) {
        *stays = false;
        return false;
    }
    const struct edit *edit = next_edit(s, node);
    if (edit != NULL && edit->node == node && edit->kind == EDIT_REPLACE) {
        for (size_t i = s->position; i < s->edit_count && s->edits[i].node == node; i++)
            if (s->edits[i].kind == EDIT_REPLACE)
                edit = &s->edits[i];     /* the last one counts */
        change(s, tape_offset(s->tape, node), end_of(s, node), edit->json, false);
        return false;
    }
    if (!has_work(s, node, tape_after(s->tape, node)))
        return false;
    if (tape_children(s->tape, node) > 0)
        return true;
    add(s, tape_offset(s->tape, node) + 1, edit, additions_to(s, node), false);
    return false;
}

/* Additions to a container come right before what is inside it. */
static size_t
additions_to(struct splices *s, tape_node container)
{
    size_t count = 0;

    next_edit(s, container);
    while (s->position + count < s->edit_count && s->edits[s->position + count].node == container)
        count++;
    return count;
}

static struct level *
enter(struct splices *s, struct level *up, tape_node container)
{
    struct level *level = up != NULL ? up->down : s->levels;

    if (level == NULL) {
        level = arena_make(s->arena, struct level);
        if (level == NULL)
            return NULL;
        if (up != NULL)
            up->down = level;
        else
            s->levels = level;
    }
    size_t count = additions_to(s, container);
    *level = (struct level){
        .up = up, .down = level->down, .container = container, .changes_before = s->change_count,
        .additions = count > 0 ? next_edit(s, container) : NULL, .addition_count = count,
    };
    return level;
}

/* The cut rule.  Before the first survivor a child goes with what separates
 * it from the next, after it with what separates it from the one before.
 * When the last child goes and none has stayed, leave() takes the whole. */
static void
settle(struct splices *s, struct level *level, tape_node child, bool stays)
{
    tape_node next = tape_next(s->tape, child);

    if (stays)
        level->survivor = true;
    else if (level->survivor)
        change(s, end_of(s, level->previous), end_of(s, child), NOTHING, false);
    else if (next != TAPE_ABSENT)
        change(s, start_of(s, child), start_of(s, next), NOTHING, false);
    level->previous = child;
}

/* The next sibling; ABSENT when all that follow stay as they are. */
static tape_node
next_to_visit(struct splices *s, struct level *level, tape_node child)
{
    tape_node next = tape_next(s->tape, child);

    if (next != TAPE_ABSENT && !has_work(s, next, tape_after(s->tape, level->container))) {
        level->survivor = true;
        return TAPE_ABSENT;
    }
    return next;
}

/* Returns whether the container stays. */
static bool
leave(struct splices *s, const struct level *level)
{
    tape_node container = level->container;
    size_t    end       = end_of_children(s, container);

    if (level->survivor) {
        add(s, end, level->additions, level->addition_count, true);
        return true;
    }
    s->change_count = level->changes_before;
    if (level->addition_count == 0) {
        mark_cut(s, container);
        return false;
    }
    change(s, start_of(s, tape_first(s->tape, container)), end, level->additions[0].json, false);
    add(s, end, level->additions + 1, level->addition_count - 1, true);
    return true;
}

/* ---- the result ----------------------------------------------------------- */

static void
put(struct splices *s, struct span bytes)
{
    if (bytes.length == 0)
        return;
    s->pieces[s->piece_count++] = (struct piece){ bytes, s->length };
    s->length += bytes.length;
}

static enum status
lay_out(struct splices *s)
{
    struct span body = tape_body(s->tape);
    size_t      kept = 0;

    s->pieces = arena_make_n(s->arena, 3 * s->change_count + 1, struct piece);
    if (s->pieces == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < s->change_count && s->root_stays; i++) {
        const struct change *c = &s->changes[i];
        put(s, span_from(body.at + kept, c->from - kept));
        put(s, c->comma ? SPAN(",") : NOTHING);
        put(s, c->json);
        kept = c->to;
    }
    if (s->root_stays)
        put(s, span_skip(body, kept));
    s->sealed = true;
    return ST_OK;
}

size_t
splices_length(const struct splices *s)
{
    return s->length;
}

/* The piece that byte `from` of the result is in. */
static size_t
piece_at(const struct splices *s, size_t from)
{
    size_t low = 0, high = s->piece_count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (s->pieces[middle].before <= from)
            low = middle;
        else
            high = middle;
    }
    return low;
}

size_t
splices_iovec(const struct splices *s, struct iovec *out, size_t max, size_t from)
{
    size_t filled = 0;

    if (from >= s->length)
        return 0;
    for (size_t i = piece_at(s, from); i < s->piece_count && filled < max; i++) {
        const struct piece *p     = &s->pieces[i];
        struct span         bytes = from > p->before ? span_skip(p->bytes, from - p->before) : p->bytes;
        /* An iovec has no const: the cast drops it for writev, which only reads. */
        out[filled++] = (struct iovec){ (void *)(uintptr_t)bytes.at, bytes.length };
    }
    return filled;
}

struct span
splices_flat(const struct splices *s, struct arena *arena)
{
    if (s->piece_count <= 1)
        return s->piece_count == 1 ? s->pieces[0].bytes : NOTHING;
    char *flat = arena_alloc(arena, s->length);
    if (flat == NULL)
        return NOTHING;
    for (size_t i = 0; i < s->piece_count; i++)
        memcpy(flat + s->pieces[i].before, s->pieces[i].bytes.at, s->pieces[i].bytes.length);
    return span_from(flat, s->length);
}
