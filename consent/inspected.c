#include "consent/inspected.h"

static bool
prepare(struct inspected_table *t)
{
    if (t->arena == NULL) {
        t->arena = arena_new("inspected", t->max_bytes);
        t->slots = t->arena != NULL ? arena_make_n(t->arena, INSPECTED_SLOTS, struct inspected *) : NULL;
        t->last  = &t->first;
    }
    return t->slots != NULL;
}

static void
ask(struct inspected_table *t, enum document_form form, struct span bytes, struct inspected **slot)
{
    struct inspected *one = t->count < INSPECTED_MOST ? arena_make(t->arena, struct inspected) : NULL;
    struct span       own = one != NULL ? arena_copy(t->arena, bytes) : bytes;

    if (one == NULL || (own.at == NULL && bytes.length > 0)) {
        t->refused = true;
        return;
    }
    *one     = (struct inspected){ .form = form, .bytes = own, .chain = *slot };
    *slot    = one;
    *t->last = one;
    t->last  = &one->next;
    t->count++;
    if (t->open == NULL)
        t->open = one;
}

const struct inspected *
inspected_of(struct inspected_table *t, enum document_form form, struct span bytes)
{
    if (!prepare(t)) {
        t->refused = true;
        return NULL;
    }
    struct inspected **slot = &t->slots[span_hash(bytes) % INSPECTED_SLOTS];
    for (struct inspected *one = *slot; one != NULL; one = one->chain)
        if (one->form == form && span_eq(one->bytes, bytes))
            return one->answered ? one : NULL;
    ask(t, form, bytes, slot);
    return NULL;
}

void
inspected_answer(struct inspected_table *t, bool readable, const struct inspected_part *parts, size_t count)
{
    struct inspected      *one  = t->open;
    struct inspected_part *copy = count > 0 ? arena_make_n(t->arena, count, struct inspected_part) : NULL;

    t->open       = one->next;
    one->answered = true;
    one->readable = readable;
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = (struct inspected_part){ parts[i].kind, arena_copy(t->arena, parts[i].bytes) };
        if (copy[i].bytes.at == NULL && parts[i].bytes.length > 0)
            copy = NULL;
    }
    one->parts      = copy;
    one->part_count = copy != NULL ? count : 0;
    t->refused     |= count > 0 && copy == NULL;
}

bool
inspected_goes_on(const struct inspected_table *t)
{
    return t->open != NULL && !t->refused && !t->fault;
}

void
inspected_release(struct inspected_table *t)
{
    arena_free(&t->arena);
    *t = (struct inspected_table){ .max_bytes = t->max_bytes };
}
