#include "consent/plan_limit.h"

static void limit_resource(struct closure *, enum limit, uint32_t entry);
static void limit_extension(struct closure *, uint32_t entry, tape_node name);
static void limit_parts(struct closure *, enum limit, struct span type, tape_node member);

static const struct why more = { "L1", ENTRY_NONE, "it is more than the basis lets go" };

void
limits_close(struct closure *w)
{
    for (uint32_t e = 0; e < w->bundle->count; e++) {
        enum limit  limit    = w->decisions[e].limit;
        tape_node   resource = w->bundle->entries[e].resource;
        struct span type     = w->bundle->entries[e].type;
        if (!limit_whole(limit, type) && !w->withheld[e] && resource != TAPE_ABSENT)
            limit_resource(w, limit, e);
    }
}

static void
limit_resource(struct closure *w, enum limit limit, uint32_t entry)
{
    tape_node   resource = w->bundle->entries[entry].resource;
    struct span type     = w->bundle->entries[entry].type;

    for (tape_node n = tape_first(w->tape, resource); n != TAPE_ABSENT; n = tape_next(w->tape, n))
        if (!tape_text_eq(w->tape, tape_name(w->tape, n), SPAN("modifierExtension"))
            && !limit_member(limit, type, tape_text(w->tape, tape_name(w->tape, n), w->arena)))
            closure_cut(w, n, more);
    for (tape_node n = resource; n < tape_after(w->tape, resource); n++)
        limit_extension(w, entry, n);                         /* before the part that holds one goes */
    for (tape_node n = tape_first(w->tape, resource); n != TAPE_ABSENT; n = tape_next(w->tape, n))
        if (tape_kind(w->tape, n) == TAPE_ARRAY)
            for (tape_node i = tape_first(w->tape, n); i != TAPE_ABSENT; i = tape_next(w->tape, i))
                limit_parts(w, limit, type, i);
        else
            limit_parts(w, limit, type, n);
}

/* What a modifierExtension changes says something else without it (C6). */
static void
limit_extension(struct closure *w, uint32_t entry, tape_node name)
{
    if (tape_kind(w->tape, name) != TAPE_NAME || closure_gone(w, name + 1))
        return;
    if (tape_text_eq(w->tape, name, SPAN("modifierExtension")))
        closure_withhold(w, entry, more);
    else if (tape_text_eq(w->tape, name, SPAN("extension")))
        closure_cut(w, name + 1, more);
}

/* Parts of a member that is an object; `value` may be an item of it. */
static void
limit_parts(struct closure *w, enum limit limit, struct span type, tape_node value)
{
    struct span member = closure_name(w, value);

    if (tape_kind(w->tape, value) != TAPE_OBJECT || closure_gone(w, value))
        return;
    for (tape_node n = tape_first(w->tape, value); n != TAPE_ABSENT; n = tape_next(w->tape, n))
        if (!limit_part(limit, type, member, tape_text(w->tape, tape_name(w->tape, n), w->arena)))
            closure_cut(w, n, more);
}
