/* gateway/classify/step.c -- what one stored push becomes. */
#include "gateway/classify/classify.h"
#include "gateway/classify/pass.h"

struct stepping {
    struct store            *store;
    const struct store_push *push;
    struct arena            *arena;
    struct store_pass       *count;
    struct store_class      *classes;
    size_t                   filled, room;
    enum status              status;
};

/* What it is until now: by the pass before, or as its push says. */
static enum status
class_before(struct stepping *s, const struct content *c, uint32_t place, struct store_class *before)
{
    *before        = (struct store_class){ .labels = c->labels, .part2 = c->part2 };
    enum status st = store_class_read(s->store, s->push->id, place, s->arena, before);
    return st == ST_NOT_FOUND ? ST_OK : st;
}

static bool
add(struct stepping *s, const struct content *c, uint32_t place, struct span labels, struct span part2)
{
    struct store_class before;
    bool               as_stored = span_eq(labels, c->labels) && span_eq(part2, c->part2);

    s->count->resources++;
    s->status = class_before(s, c, place, &before);
    if (s->status != ST_OK)
        return false;
    if (span_eq(labels, before.labels) && span_eq(part2, before.part2) && as_stored)
        return true;
    if (s->filled == s->room) {
        size_t larger = s->room > 0 ? 2 * s->room : 16;
        s->classes    = arena_grow(s->arena, s->classes, s->room * sizeof *s->classes, larger * sizeof *s->classes);
        s->room       = larger;
    }
    if (s->classes == NULL) {
        s->status = ST_NO_MEMORY;
        return false;
    }
    bool news      = !span_eq(labels, before.labels) || !span_eq(part2, before.part2);
    bool confirmed = span_eq_text(part2, part2_text(PART2_CONFIRMED)) && !span_eq(part2, before.part2);
    s->classes[s->filled++] = (struct store_class){
        .place = place, .labels = labels, .part2 = part2, .as_stored = as_stored,
        .type = c->type, .id = c->id, .patient = span_empty(c->patient) ? s->push->patient : c->patient, .was = confirmed ? before.part2 : span_from(NULL, 0),
    };
    s->count->changed   += news;
    s->count->confirmed += confirmed;
    return true;
}

static bool
on_found(const struct class_found *found, void *arg)
{
    return add(arg, found->content, found->place, found->labels, found->part2);
}

/* P4 */
static enum status
on_unread(const struct content *c, uint32_t place, void *arg)
{
    struct stepping *s    = arg;
    bool             open = span_eq_text(c->part2, part2_text(PART2_NOT));

    if (!c->deleted && !add(s, c, place, c->labels, open ? span_of(part2_text(PART2_SUSPECT)) : c->part2))
        return ST_CANCELLED;
    return ST_OK;
}

enum status
pass_step(const struct config *config, struct store *store, const struct store_push *push,
          const struct inspected_asker *asker, struct arena *arena, struct store_step *step, struct store_pass *count)
{
    struct stepping   s      = { .store = store, .push = push, .arena = arena, .count = count };
    struct store_pass before = *count;
    enum status       st     = class_again(config, store, push, arena, asker, on_found, &s);

    if (st == ST_MALFORMED) {
        *count   = before;
        s.filled = 0;
        st       = contents_visit(push->contents, arena, on_unread, &s);
    }
    if (st == ST_CANCELLED)
        st = s.status;
    if (st != ST_OK)
        return st;
    count->pushes++;
    *step = (struct store_step){
        .clear_from = push->id, .clear_to = push->id, .inbox = push->id, .request_id = push->request_id,
        .classes = s.classes, .count = s.filled,
    };
    return arena_status(arena);
}
