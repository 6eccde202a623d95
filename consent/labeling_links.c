#include "consent/labeling_work.h"

#include <string.h>

#define STEPS 4                          /* part2.md D.2: cap depth at four, log the path */

static void hang_on(struct work *);
static bool hang_by(struct work *, uint32_t reference, unsigned step);
static void hang_on_both(struct work *);
static void share_drugs(struct work *);
static void share_content(struct work *);
static void share_wholes(struct work *);
static void fulfil_waiting(struct work *);

void
links_follow(struct work *w)
{
    share_content(w);
    share_wholes(w);
    fulfil_waiting(w);
    share_content(w);
    hang_on(w);
    share_drugs(w);
}

/* Directory resources and the Patient are in many records; they are nobody's part.  A
 * MessageHeader stays with the foci that stay (C2). */
static bool
may_hang(const struct unit *u)
{
    return u != NULL && u->entry != ENTRY_NONE && u->kind != UNIT_PATIENT && u->kind != UNIT_DIRECTORY
        && u->kind != UNIT_ROLE && u->kind != UNIT_PRACTITIONER && u->kind != UNIT_MESSAGE;
}

/* ROLE_UP, ROLE_DOWN or 0.  An entry of a List or a CareTeam is not the list's:
 * only a document's is; and of the URLs only one that names something here. */
static unsigned
link_of(const struct work *w, uint32_t i, const struct unit *from)
{
    const struct reference *r    = &w->references->all[i];
    unsigned                link = w->roles[i] & (ROLE_UP | ROLE_DOWN);

    if ((link & ROLE_DOWN) && r->form != REFERENCE_URI && from->kind != UNIT_COMPOSITION && !(w->roles[i] & ROLE_GIVES))
        return 0;
    return link;
}

/* ---- P4 ------------------------------------------------------------------------- */

static struct span
path_from(struct work *w, const struct reference *r, uint32_t on)
{
    tape_node   object;
    struct span name  = work_element(w, r->node, &object);
    struct span there = bundle_entry_name(w->bundle, on);
    char       *at    = arena_alloc(w->arena, name.length + there.length + w->entries[on].path.length + 16);
    size_t      n     = 0;

    if (at == NULL)
        return span_from(NULL, 0);
    const struct span parts[] = { name, SPAN(" "), there, w->entries[on].path.length > 0 ? SPAN(", ") : SPAN(""),
                                  w->entries[on].path };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].length > 0)
            memcpy(at + n, parts[i].at, parts[i].length);
        n += parts[i].length;
    }
    return span_from(at, n);
}

static bool
share_programs(struct work *w, uint32_t what, uint32_t on)
{
    const struct entry_work *from = &w->entries[on];
    bool                     news = work_program(w, what, from->program);

    for (unsigned i = 0; i < from->other_count; i++)
        news |= work_program(w, what, from->others[i]);
    return news;
}

static bool
hang(struct work *w, const struct reference *r, uint32_t what, uint32_t on, unsigned step)
{
    struct entry_work *e = &w->entries[what];

    if (w->entries[on].step != step || !w->entries[on].confirmed || e->confirmed || what == on)
        return false;
    e->confirmed = true;
    e->step      = step + 1;
    (void)share_programs(w, what, on);
    e->path      = path_from(w, r, on);
    work_note(w, what, LABEL_PART2, r->node, "P4", work_sentence(w, "it hangs on a protected record: ", e->path, "", ""));
    return true;
}

/* A link to the program's server whose record is not here. */
static void
hang_on_absent(struct work *w, uint32_t i, const struct unit *u)
{
    const struct reference *r = &w->references->all[i];
    struct entry_work    *e = &w->entries[u->entry];
    const struct program *p;

    if (e->confirmed || r->to != ENTRY_NONE || r->to_contained != TAPE_ABSENT || link_of(w, i, u) != ROLE_UP)
        return;
    p = source_of_url(w, u->entry, r->value);
    if (p == NULL)
        return;
    e->confirmed = true;
    e->step      = 1;
    e->program   = p;
    work_note(w, u->entry, LABEL_PART2, r->node, "P4", SPAN("it hangs on a record that is on the server of a registered Part 2 program"));
}

static void
hang_on(struct work *w)
{
    bool more = true;

    for (uint32_t i = 0; source_has_servers(w) && i < w->references->count; i++) {
        const struct reference *r = &w->references->all[i];
        struct unit            *u = w->roles[i] & ROLE_UP ? work_unit(w, r->from, r->from_resource) : NULL;
        if (may_hang(u))
            hang_on_absent(w, i, u);
    }
    for (unsigned step = 1; more && step <= STEPS; step++) {
        more = false;
        for (uint32_t i = 0; i < w->references->count; i++)
            more |= hang_by(w, i, step);
    }
    hang_on_both(w);
}

/* Along one reference; step 0: both are protected already, and only whose they are is shared. */
static bool
hang_by(struct work *w, uint32_t i, unsigned step)
{
    const struct reference *r = &w->references->all[i];

    if (!(w->roles[i] & (ROLE_UP | ROLE_DOWN)) || r->to == ENTRY_NONE || r->from == ENTRY_NONE || r->from == r->to
        || (step > 0 && w->entries[r->from].confirmed == w->entries[r->to].confirmed)
        || (step == 0 && !(w->entries[r->from].confirmed && w->entries[r->to].confirmed)))
        return false;
    struct unit *from = work_unit(w, r->from, r->from_resource), *to = work_target(w, r);
    unsigned     link = from != NULL ? link_of(w, i, from) : 0;
    if (link == ROLE_UP && may_hang(from))
        return step > 0 ? hang(w, r, r->from, r->to, step) : share_programs(w, r->from, r->to);
    if (link == ROLE_DOWN && may_hang(to))
        return step > 0 ? hang(w, r, r->to, r->from, step) : share_programs(w, r->to, r->from);
    return false;
}

/* P7: one program's record that hangs on another's is both's. */
static void
hang_on_both(struct work *w)
{
    bool more = w->facts->program_count > 1;

    for (unsigned step = 1; more && step <= STEPS; step++) {
        more = false;
        for (uint32_t i = 0; i < w->references->count; i++)
            more |= hang_by(w, i, 0);
    }
}

/* A drug that tells, and that only protected records name, was brought along for them and is
 * a part of them: whoever may have the order may have the drug. */
static void
share_drugs(struct work *w)
{
    for (uint32_t e = 0; e < w->bundle->count; e++) {
        struct entry_work *drug = &w->entries[e];
        uint32_t           count = span_eq_text(w->bundle->entries[e].type, "Medication") ? references_to(w->references, e) : 0;
        uint32_t           other = 0;
        if (count == 0 || drug->confirmed || w->unit_of[e] == ENTRY_NONE
            || !labels_meet(w->units[w->unit_of[e]].labels, labels_substance_use()))
            continue;
        drug->shared = true;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t from = references_to_at(w->references, e, i)->from;
            other += from == ENTRY_NONE || !w->entries[from].confirmed;
        }
        if (other > 0)
            continue;
        drug->confirmed = true;
        for (uint32_t i = 0; i < count; i++)
            (void)share_programs(w, e, references_to_at(w->references, e, i)->from);
        work_note(w, e, LABEL_PART2, w->bundle->entries[e].resource, "P4", SPAN("only protected records name it"));
    }
}

/* ---- content that is told by something else --------------------------------------- */

static void
tell(struct work *w, struct unit *u, label_set labels, tape_node node, const char *rule, const char *because)
{
    label_set fresh = labels & ~u->labels;

    u->labels |= labels;
    for (int l = 1; fresh != 0 && l < LABEL_COUNT; l++)
        if (labels_have(fresh, (enum label)l))
            work_label(w, u->entry, (enum label)l, node, rule, span_of(because));
}

/* The order is as revealing as the drug, the score as the answers, the item as
 * the panel, the index as the document. */
static void
share_content(struct work *w)
{
    bool more = w->facts->labels == LABELS_COMPUTED;

    for (unsigned step = 0; more && step < STEPS; step++) {
        more = false;
        for (uint32_t i = 0; i < w->references->count; i++) {
            const struct reference *r  = &w->references->all[i];
            struct unit            *to = w->roles[i] & (ROLE_SAYS | ROLE_GIVES) ? work_target(w, r) : NULL;
            struct unit            *from = to != NULL ? work_unit(w, r->from, r->from_resource) : NULL;
            if (to == NULL || from == NULL || to->entry == ENTRY_NONE || from->entry == ENTRY_NONE)
                continue;
            label_set there = labels_sensitive(to->labels), here = labels_sensitive(from->labels);
            if ((w->roles[i] & ROLE_SAYS) && (there & ~from->labels) != 0 && may_hang(from) && to->kind != UNIT_PATIENT) {
                tell(w, from, there, r->node, "P4", "what it refers to tells what it is about");
                more = true;
            } else if ((w->roles[i] & ROLE_GIVES) && (here & ~to->labels) != 0 && may_hang(to)) {
                tell(w, to, here, r->node, "P4", "it is a part of something that tells");
                more = true;
            }
        }
    }
}

/* A report or a panel all of whose results tell is about them. */
static void
share_wholes(struct work *w)
{
    for (uint32_t u = 0; w->facts->labels == LABELS_COMPUTED && u < w->unit_count; u++) {
        struct unit *unit = &w->units[u];
        if ((unit->kind != UNIT_REPORT && unit->kind != UNIT_OBSERVATION) || unit->entry == ENTRY_NONE
            || w->unit_of[unit->entry] != u)
            continue;
        uint32_t  first, count = references_from(w->references, unit->entry, &first), members = 0;
        label_set all = ~(label_set)0;
        tape_node node = TAPE_ABSENT;
        for (uint32_t i = first; i < first + count; i++) {
            const struct reference *r = &w->references->all[i];
            if (!(w->roles[i] & ROLE_WHOLE))
                continue;
            struct unit *to = work_target(w, r);
            all &= to != NULL ? labels_sensitive(to->labels) : 0;
            node = r->node;
            members++;
        }
        if (members > 0 && all != 0)
            tell(w, unit, all, node, "P4", "all that it reports tells of it");
    }
}

/* T3: a context becomes a statement with an indication (codes.h). */
static void
fulfil_waiting(struct work *w)
{
    for (uint32_t i = 0; i < w->references->count; i++) {
        const struct reference *r  = &w->references->all[i];
        struct unit            *u  = w->roles[i] & (ROLE_REASON | ROLE_SAYS) ? work_unit(w, r->from, r->from_resource) : NULL;
        struct unit            *to = u != NULL && u->waiting != NULL && u->entry != ENTRY_NONE ? work_target(w, r) : NULL;
        if (to == NULL || !labels_meet(to->labels, labels_substance_use()))
            continue;
        tell(w, u, LABEL_BIT(u->waiting->label), u->waiting_node, "code",
             "its code tells of substance use because its reason does");
    }
}
