#include "consent/shared_drug.h"

enum { PROGRAMS_MAX = 8 };

struct programs { const struct program *all[PROGRAMS_MAX]; size_t count; };

static bool
add_program(struct programs *p, const struct program *one)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->all[i] == one)
            return true;
    if (one == NULL || p->count == PROGRAMS_MAX)
        return false;
    p->all[p->count++] = one;
    return true;
}

/* False: it has more than are counted. */
static bool
add_programs(struct programs *whose, struct programs *ties, const struct labeled *l)
{
    bool all = l->program == NULL || add_program(whose, l->program);

    for (size_t i = 0; i < l->other_count; i++)
        all = add_program(whose, l->others[i]) && all;
    for (size_t i = 0; i < l->tie_count; i++)
        all = add_program(ties, l->ties[i]) && all;
    return all;
}

static bool
is_theirs(struct whose *w, uint32_t from, const struct subject *subjects, size_t count)
{
    struct subject s      = subject_of_entry(w, from);
    bool           theirs = span_empty(s.name);

    for (size_t i = 0; i < count && !theirs; i++)
        theirs = same_subject(&subjects[i], &s);
    return theirs;
}

static const struct program *const *
copy_programs(const struct programs *p, struct arena *arena)
{
    const struct program **copy = arena_make_n(arena, p->count + 1, const struct program *);

    for (size_t i = 0; copy != NULL && i < p->count; i++)
        copy[i] = p->all[i];
    return copy;
}

const struct labeled *
shared_drug_of(struct whose *w, const struct labeling *labeling, uint32_t entry, const struct subject *subjects, size_t count)
{
    const struct labeled *all   = &labeling->of[entry];
    struct programs       whose = { .count = 0 }, ties = { .count = 0 };
    bool                  known = all->shared && count > 0 && count <= SUBJECTS_APART, some = false;

    for (uint32_t i = 0; known && i < references_to(w->references, entry); i++) {
        uint32_t from = references_to_at(w->references, entry, i)->from;
        if (from != ENTRY_NONE && !is_theirs(w, from, subjects, count))
            continue;
        some  = true;
        known = from != ENTRY_NONE && labeling->of[from].part2 == PART2_CONFIRMED && add_programs(&whose, &ties, &labeling->of[from]);
    }
    if (!known || !some)
        return all;
    struct labeled *l = arena_make(w->arena, struct labeled);
    if (l == NULL)
        return NULL;
    *l             = *all;
    l->part2       = PART2_CONFIRMED;
    l->labels      = label_add(l->labels, LABEL_PART2);
    l->program     = whose.count > 0 ? whose.all[0] : NULL;
    l->others      = copy_programs(&whose, w->arena);
    l->ties        = copy_programs(&ties, w->arena);
    l->tie_count   = ties.count;
    l->other_count = whose.count > 0 ? whose.count - 1 : 0;
    if (l->others == NULL || l->ties == NULL)
        return NULL;
    l->others++;
    return l;
}
