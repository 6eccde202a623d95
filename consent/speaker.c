#include "consent/speaker.h"

#include "consent/canonical.h"

enum { SUBJECTS_COMPARED = 16 };         /* of those who refer to one record: the others are asked again */

struct several { struct subject all[SUBJECTS_APART]; uint32_t count; bool more; };

struct through { uint32_t all[SUBJECTS_THROUGH]; uint32_t count; bool more; };       /* entries without a patient */

struct speakers { struct several patients; struct through through; };

static void
add_distinct(struct several *a, const struct subject *s)
{
    bool seen = span_empty(s->name);

    for (uint32_t j = 0; j < a->count && !seen; j++)
        seen = same_subject(&a->all[j], s);
    a->more |= !seen && a->count == SUBJECTS_APART;
    if (!seen && !a->more)
        a->all[a->count++] = *s;
}

static void
add_entry(struct through *t, uint32_t entry)
{
    bool seen = false;

    for (uint32_t i = 0; i < t->count && !seen; i++)
        seen = t->all[i] == entry;
    t->more |= !seen && t->count == SUBJECTS_THROUGH;
    if (!seen && !t->more)
        t->all[t->count++] = entry;
}

/* Unless it is known to be there. */
static void
add_subject(struct subject *out, size_t *count, const struct subject *s)
{
    if (span_empty(s->name) || (*count > 0 && same_subject(&out[*count - 1], s)))
        return;
    for (size_t j = 0; j < *count && j < SUBJECTS_COMPARED; j++)
        if (same_subject(&out[j], s))
            return;
    out[(*count)++] = *s;
}

size_t
speakers_everybody(struct whose *w, struct subject *out)
{
    if (w->everybody == NULL && (w->everybody = arena_make(w->arena, struct several)) != NULL)
        for (uint32_t e = 0; w->references != NULL && e < w->references->bundle->count; e++) {
            struct subject s = subject_of_entry(w, e);
            add_distinct(w->everybody, &s);
        }
    for (uint32_t i = 0; w->everybody != NULL && i < w->everybody->count; i++)
        out[i] = w->everybody->all[i];
    return w->everybody != NULL ? w->everybody->count : 0;
}

static void
add_speaker(struct whose *w, struct speakers *s, uint32_t entry)
{
    struct subject who = subject_of_entry(w, entry);

    if (span_empty(who.name))
        add_entry(&s->through, entry);
    add_distinct(&s->patients, &who);
}

/* The group of definitions that it is of; LOOKUP_NONE. */
static uint32_t
group_of(struct whose *w, uint32_t entry)
{
    if (!w->canonicals_known) {
        if (canonicals_read(w->references->bundle, w->arena, &w->canonicals) == ST_OK && w->canonicals != NULL)
            w->naming = arena_make_n(w->arena, lookup_count(w->canonicals->definitions), struct speakers *);
        w->canonicals_known = true;
    }
    return w->canonicals != NULL && w->naming != NULL ? w->canonicals->group_of[entry] : LOOKUP_NONE;
}

/* Who names the URL of the group: the same for all definitions of it. */
static const struct speakers *
naming(struct whose *w, uint32_t group)
{
    const struct canonicals *c = w->canonicals;
    struct speakers         *s = w->naming[group];

    if (s != NULL || (s = w->naming[group] = arena_make(w->arena, struct speakers)) == NULL)
        return s;
    for (uint32_t i = c->first_of[group]; i != LOOKUP_NONE && !s->patients.more && !s->through.more; i = c->all[i].next)
        add_speaker(w, s, c->all[i].from);
    return s;
}

/* Who refers to an entry without a patient: read once, however many are asked through it. */
static const struct speakers *
referring(struct whose *w, uint32_t entry)
{
    if (w->speakers == NULL)
        w->speakers = arena_make_n(w->arena, w->references->bundle->count, struct speakers *);
    if (w->speakers == NULL || w->speakers[entry] != NULL)
        return w->speakers != NULL ? w->speakers[entry] : NULL;
    struct speakers *s = w->speakers[entry] = arena_make(w->arena, struct speakers);
    for (uint32_t i = 0; s != NULL && i < references_to(w->references, entry); i++) {
        uint32_t from = references_to_at(w->references, entry, i)->from;
        if (from != ENTRY_NONE)
            add_speaker(w, s, from);
    }
    return s;
}

/* False: there are more than are told apart. */
static bool
take(struct speakers *all, const struct speakers *more)
{
    if (more == NULL || more->patients.more || more->through.more)
        return false;
    for (uint32_t i = 0; i < more->patients.count; i++)
        add_distinct(&all->patients, &more->patients.all[i]);
    for (uint32_t i = 0; i < more->through.count; i++)
        add_entry(&all->through, more->through.all[i]);
    return !all->patients.more && !all->through.more;
}

static bool
holds_documents(const struct whose *w, const struct through *t)
{
    bool holds = false;

    for (uint32_t i = 0; i < t->count && !holds; i++)
        holds = span_eq_text(w->references->bundle->entries[t->all[i]].type, "Bundle")
                || span_eq_text(w->references->bundle->entries[t->all[i]].type, "Parameters");
    return holds;
}

/* By its URL, and through others. */
static bool
take_indirect(struct whose *w, uint32_t entry, struct speakers *s)
{
    uint32_t group = group_of(w, entry);
    bool     known = !s->through.more && (group == LOOKUP_NONE || take(s, naming(w, group)));

    for (uint32_t i = 1; i < s->through.count && known; i++) {
        group = group_of(w, s->through.all[i]);
        known = take(s, referring(w, s->through.all[i])) && (group == LOOKUP_NONE || take(s, naming(w, group)));
    }
    return known;
}

bool
speakers_of(struct whose *w, uint32_t entry, struct subject *out, size_t *count)
{
    struct speakers s = { .through = { .all = { entry }, .count = 1 } };

    *count = 0;
    if (w->references == NULL)
        return true;
    for (uint32_t i = 0; i < references_to(w->references, entry); i++) {
        uint32_t       from = references_to_at(w->references, entry, i)->from;
        struct subject who  = from != ENTRY_NONE ? subject_of_entry(w, from) : subject_named(SPAN(""));
        if (from != ENTRY_NONE && span_empty(who.name))
            add_entry(&s.through, from);
        add_subject(out, count, &who);
    }
    if (!take_indirect(w, entry, &s))
        return false;
    for (uint32_t i = 0; i < s.patients.count; i++)
        add_subject(out, count, &s.patients.all[i]);
    if (*count > 0 && holds_documents(w, &s.through))
        *count = speakers_everybody(w, out);
    return true;
}
