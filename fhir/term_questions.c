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

/* Printable ASCII without a space: a sentence is not, and no name of a person
 * with a first one. */
static bool
plain(struct span text, size_t most)
{
    if (text.length > most)
        return false;
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.at[i] <= ' ' || (unsigned char)text.at[i] >= 0x7f)
            return false;
    return true;
}

static bool
is_uri(struct span system)
{
    return span_starts(system, SPAN("http://")) || span_starts(system, SPAN("https://")) || span_starts(system, SPAN("urn:"));
}

/* Q2, Q3 */
static bool
may_be_asked(const struct term_question *q)
{
    return !span_empty(q->code) && plain(q->code, TERM_QUESTION_CODE) && is_uri(q->system)
        && plain(q->system, TERM_QUESTION_TEXT) && plain(q->version, TERM_QUESTION_TEXT)
        && !span_empty(q->value_set) && plain(q->value_set, TERM_QUESTION_TEXT);
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

enum term_verdict
term_questions_ask(struct term_questions *all, const struct term_question *one, bool trying)
{
    if (!may_be_asked(one))
        return TERM_UNDECIDED;
    uint16_t *slot = slot_of(all, one);
    if (*slot != 0)
        return all->list[*slot - 1].answer;
    if (all->count >= (trying ? TERM_QUESTIONS / 2 : TERM_QUESTIONS)) {
        all->dropped++;
        return TERM_UNDECIDED;
    }
    struct term_question own = {
        arena_copy(all->arena, one->value_set), arena_copy(all->arena, one->system), arena_copy(all->arena, one->version),
        arena_copy(all->arena, one->code), one->why, TERM_UNDECIDED, false,
    };
    if (arena_spent(all->arena)) {
        all->dropped++;
        return TERM_UNDECIDED;
    }
    if (all->recall != NULL)
        all->recall(all->caller, &own);
    all->list[all->count++] = own;
    *slot                   = (uint16_t)all->count;
    return own.answer;
}

uint32_t
term_questions_open(const struct term_questions *all)
{
    uint32_t open = 0;

    for (uint32_t i = 0; i < all->count; i++)
        open += !all->list[i].closed;
    return open;
}
