#include "fhir/term_questions.h"

#include "fhir/lookup.h"

struct term_questions *
term_questions_new(struct arena *arena)
{
    struct term_questions *q = arena_make(arena, struct term_questions);

    if (q == NULL)
        return NULL;
    q->arena = arena;
    q->list  = arena_make_n(arena, TERM_QUESTIONS, struct term_question);
    return q->list != NULL ? q : NULL;
}

static bool
same(const struct term_question *a, const struct term_question *b)
{
    return span_eq(a->code, b->code) && span_eq(a->system, b->system) && span_eq(a->version, b->version)
        && span_eq(a->value_set, b->value_set);
}

static bool
fits(const struct term_question *q)
{
    return !span_empty(q->code) && q->code.length <= TERM_QUESTION_TEXT && q->system.length <= TERM_QUESTION_TEXT
        && q->version.length <= TERM_QUESTION_TEXT && q->value_set.length <= TERM_QUESTION_TEXT;
}

/* Half of the slots stay empty; codes that were chosen to meet cost a walk
 * over at most TERM_QUESTIONS of them. */
static uint16_t *
slot_of(struct term_questions *all, const struct term_question *one)
{
    uint32_t mask = 2 * TERM_QUESTIONS - 1;
    uint32_t at   = (uint32_t)(lookup_hash(one->code) ^ lookup_hash(one->system) * 3 ^ lookup_hash(one->value_set) * 5) & mask;

    while (all->slots[at] != 0 && !same(&all->list[all->slots[at] - 1], one))
        at = (at + 1) & mask;
    return &all->slots[at];
}

void
term_questions_note(struct term_questions *all, const struct term_question *one)
{
    uint16_t *slot = fits(one) ? slot_of(all, one) : NULL;

    if (slot != NULL && *slot != 0)
        return;
    if (slot == NULL || all->count == TERM_QUESTIONS) {
        all->dropped++;
        return;
    }
    struct term_question own = {
        arena_copy(all->arena, one->value_set), arena_copy(all->arena, one->system), arena_copy(all->arena, one->version),
        arena_copy(all->arena, one->code), one->why,
    };
    if (arena_spent(all->arena)) {
        all->dropped++;
        return;
    }
    all->list[all->count++] = own;
    *slot                   = (uint16_t)all->count;
}
