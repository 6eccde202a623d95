#include "consent/plan.h"

#include "base/sort.h"
#include "consent/canonical.h"
#include "consent/plan_limit.h"
#include "consent/plan_scan.h"
#include "consent/subject.h"

static enum status close_over(const struct plan_input *, struct arena *, bool names,
                              const struct plan **out);
static void        begin(struct closure *);
static bool        begin_patient(struct closure *, uint32_t entry);
static void        begin_directories(struct closure *);
static void        begin_ties(struct closure *);
static void        begin_program(struct closure *);
static void        apply_inner(struct closure *, const struct plan_inner *);
static void        settle(struct closure *, struct plan_evidence *);
static void        end_document(struct closure *);
static enum status finish(struct closure *, struct plan_evidence *, const struct plan **out);

enum status
plan_close(const struct plan_input *in, struct arena *arena, const struct plan **out)
{
    enum status st = close_over(in, arena, false, out);

    /* Names of entries were not looked for: nothing had gone.  Now something has. */
    if (st == ST_OK && *out == NULL)
        st = close_over(in, arena, true, out);
    return st;
}

/* With *out NULL: to be done again, with the names of all entries. */
static enum status
close_over(const struct plan_input *in, struct arena *arena, bool names,
           const struct plan **out)
{
    struct closure       *w;
    struct plan_evidence *evidence = NULL;
    enum status           st       = closure_new(in, arena, &w);

    *out = NULL;
    if (st == ST_OK)
        st = canonicals_read(in->bundle, arena, &w->canonicals);
    if (st != ST_OK)
        return st;
    begin(w);
    names = names || w->queue_tail > 0;
    for (size_t i = 0; i < in->inner_count; i++)
        apply_inner(w, &in->inner[i]);
    limits_close(w);
    closure_drain(w);
    orphans_withhold(w);                                      /* what was brought along is part of the matter */
    st = evidence_collect(w, names, &evidence);
    if (st != ST_OK)
        return st;
    closure_drain(w);
    if (evidence != NULL)
        scan_strings(w, evidence);
    settle(w, evidence);
    if (evidence != NULL) {
        scan_narratives(w, evidence);
        scan_crowded(w, evidence);
        settle(w, evidence);
    }
    end_document(w);
    bundle_close(w);
    closure_drain(w);
    if (!names && w->queue_tail > 0 && !w->spent)
        return ST_OK;
    return finish(w, evidence, out);
}

/* Until nothing more goes: each round withholds at least one entry. */
static void
settle(struct closure *w, struct plan_evidence *evidence)
{
    uint32_t before;

    do {
        before = w->queue_tail;
        closure_drain(w);
        orphans_withhold(w);
        claims_close(w);
        if (evidence != NULL && w->queue_tail != before)
            scan_crowded(w, evidence);
    } while (w->queue_tail != before && !w->spent);
}

/* C4: a document is its Composition with what belongs to it (bdl-11).  Without the
 * program's Composition there would have been no document: nothing leaves.  (A message
 * without foci loses its MessageHeader, rule C2.) */
static void
end_document(struct closure *w)
{
    if (w->bundle->type != BUNDLE_DOCUMENT || w->bundle->count == 0 || !w->withheld[0]
        || !span_eq_text(w->bundle->entries[0].type, "Composition"))
        return;
    for (uint32_t e = 1; e < w->bundle->count; e++)
        closure_withhold(w, e, (struct why){ "C4", 0, "the Composition of its document is withheld" });
    closure_drain(w);
}

/* ---- where it begins ----------------------------------------------------------------- */

static void
begin(struct closure *w)
{
    for (uint32_t e = 0; e < w->bundle->count; e++) {
        if (w->decisions[e].verdict >= VERDICT_REDACT || w->in->labeling->of[e].directory || begin_patient(w, e))
            continue;
        w->first[e] = true;
        closure_withhold(w, e, (struct why){ "C1", e, "" });
    }
    begin_directories(w);
    begin_ties(w);
    if (w->in->facts->sender == SENDER_PROGRAM)
        begin_program(w);
}

/* P5: from a sender that is no program the Patient leaves, whatever label it
 * came with; the label goes (C9). */
static bool
begin_patient(struct closure *w, uint32_t e)
{
    const struct plan_ask *ask = w->in->ask;

    if (w->in->facts->sender == SENDER_PROGRAM || !span_eq_text(w->bundle->entries[e].type, "Patient")
        || w->in->labeling->of[e].part2 == PART2_NOT || ask == NULL
        || ask->as_if(ask->with, e, 0, PART2_NOT, NULL).verdict < VERDICT_REDACT)
        return false;
    w->decisions[e] = (struct decision){ .verdict = VERDICT_REDACT, .rule = RULE_SITE_PERMIT,
                                         .because = SPAN("the patient is no record of a program") };
    return true;
}

/* Whether the recipient may know of the program: it gets a record of it, or
 * would be let have one. */
static bool
program_open(const struct closure *w, const struct program *program)
{
    const struct plan_ask *ask = w->in->ask;

    for (uint32_t e = 0; e < w->bundle->count; e++) {
        const struct labeled *l = &w->in->labeling->of[e];
        if (!l->directory && !w->withheld[e] && labeled_of(l, program))
            return true;
    }
    for (uint32_t e = 0; ask != NULL && e < w->bundle->count; e++)
        if (span_eq_text(w->bundle->entries[e].type, "Patient")
            && ask->as_if(ask->with, e, LABEL_BIT(LABEL_SUD), PART2_CONFIRMED, program).verdict >= VERDICT_REDACT)
            return true;
    return false;
}

bool
closure_open(struct closure *w, const struct program *program)
{
    enum { UNKNOWN = 0, OPEN, CLOSED };
    uint32_t p = evidence_program_index(w->in->facts, program);

    if (w->open == NULL && (w->open = arena_make_n(w->arena, w->in->facts->program_count + 1, uint8_t)) == NULL) {
        w->spent = true;
        return false;
    }
    if (p == ENTRY_NONE)
        return program_open(w, program);
    if (w->open[p] == UNKNOWN)
        w->open[p] = program_open(w, program) ? OPEN : CLOSED;
    return w->open[p] == OPEN;
}

/* What is of two programs tells of both; somebody who acts for two is known from one of them. */
static bool
directory_open(struct closure *w, const struct labeled *l)
{
    size_t open = 0;

    for (size_t i = 0; i <= l->other_count; i++)
        open += (i == 0 || labeled_program(l, i) != NULL) && closure_open(w, labeled_program(l, i));
    return l->each ? open > 0 : open == l->other_count + 1;
}

/* C3: Organization, Location … of a program go unless the program is open.  They relate to no patient, so
 * they are no records (42 CFR 2.11): by whose consent the program is known is not said of them. */
static void
begin_directories(struct closure *w)
{
    for (uint32_t e = 0; e < w->bundle->count && !w->spent; e++) {
        const struct labeled *l = &w->in->labeling->of[e];
        if (!l->directory)
            continue;
        if (directory_open(w, l)) {
            w->decisions[e] = (struct decision){ .verdict = VERDICT_PERMIT, .rule = RULE_SITE_PERMIT, .obligations = OBLIGE_AUDIT,
                                                 .because = SPAN("who the program is may be known: the recipient may have records of it") };
            continue;
        }
        w->first[e] = true;
        if (w->decisions[e].verdict > VERDICT_HOLD)
            w->decisions[e] = (struct decision){ .verdict = VERDICT_DENY, .rule = RULE_CLOSURE,
                                                 .because = SPAN("it is of a Part 2 program") };
        closure_withhold(w, e, (struct why){ "C3", e, "" });
    }
}

/* Whether it is a record of the place's programs, whichever of their rows (program.h T5), or part of them. */
static bool
has_ties(const struct labeled *l, const struct labeled *place)
{
    size_t programs = place->tie_count <= place->other_count ? place->tie_count : place->other_count + 1, tied = 0;

    for (size_t i = 0; i < programs; i++)
        for (size_t j = 0; j < l->tie_count; j++)
            tied += l->ties[j] == place->ties[i];
    return programs > 0 && (place->each ? tied > 0 : tied == programs);
}

static bool
may_lead(const struct closure *w, uint32_t from, const struct labeled *place)
{
    const struct plan_ask *ask = w->in->ask;
    size_t                 may = 0;

    for (size_t i = 0; i <= place->other_count; i++)
        may += ask->as_if(ask->with, from, labels_substance_use(), PART2_CONFIRMED, labeled_program(place, i)).verdict >= VERDICT_REDACT;
    return place->each ? may > 0 : may == place->other_count + 1;
}

/* P5, C5: that a recipient may know of the program by one patient's consent says nothing of another's
 * tie to it. */
static void
begin_ties(struct closure *w)
{
    const struct references *refs = w->in->references;
    const struct plan_ask   *ask  = w->in->ask;
    uint32_t                 of   = ENTRY_NONE, to = ENTRY_NONE;
    bool                     may  = false;

    for (uint32_t i = 0; ask != NULL && i < refs->count; i++) {
        const struct reference *r = &refs->all[i];
        if (r->to == ENTRY_NONE || r->from == ENTRY_NONE || r->to == r->from || w->withheld[r->to] || w->withheld[r->from])
            continue;
        const struct labeled *place = &w->in->labeling->of[r->to], *l = &w->in->labeling->of[r->from];
        if (!place->directory || place->tie_count == 0 || l->directory || has_ties(l, place)
            || type_is_of_no_patient(w->bundle->entries[r->from].type) || evidence_inner(w, r->node) != NULL)
            continue;                                         /* a document inside has judged its own (C8) */
        if (of != r->from || to != r->to)
            may = may_lead(w, r->from, place);
        of = r->from;
        to = r->to;
        if (!may)
            closure_cut_reference(w, r, (struct why){ span_eq_text(w->bundle->entries[of].type, "Patient") ? "P5" : "C5", ENTRY_NONE,
                                                      "it leads to a Part 2 program" });
    }
}

/* P5: a program's Bundle ties its patient to it.  Unless a record of the
 * patient may leave, nothing does. */
static void
begin_program(struct closure *w)
{
    static const char *const not_records[] = { "Patient", "Organization", "Location", "HealthcareService",
                                               "Endpoint", "Practitioner", "PractitionerRole", "Medication",
                                               "MessageHeader", "Consent", NULL };

    for (uint32_t e = 0; e < w->bundle->count; e++) {
        struct span type = w->bundle->entries[e].type;
        bool patient = span_eq_text(type, "Patient") && w->in->labeling->of[e].part2 != PART2_NOT;
        if (!w->withheld[e] && (patient || !span_in(type, not_records)))
            return;                                           /* it may have a record, or the tie itself */
    }
    for (uint32_t e = 0; e < w->bundle->count; e++) {
        if (w->withheld[e])
            continue;
        w->first[e]     = true;
        w->decisions[e] = (struct decision){ .verdict = VERDICT_DENY, .rule = RULE_CLOSURE,
                                             .because = SPAN("that the sender knows the patient is protected") };
        closure_withhold(w, e, (struct why){ "P5", e, "" });
    }
}

/* ---- Bundles and Parameters inside an entry (C8) ---------------------------------------- */

static void
apply_inner(struct closure *w, const struct plan_inner *inner)
{
    const struct plan *p = inner->plan;

    if (p->kept == 0) {
        closure_cut(w, inner->node, (struct why){ "C8", ENTRY_NONE, "nothing is left of what it holds" });
        return;
    }
    for (uint32_t e = 0; e < p->bundle->count; e++) {
        tape_node node = p->bundle->entries[e].entry;
        if (p->decisions[e].verdict < VERDICT_REDACT && node != TAPE_ABSENT) {
            closure_cut(w, node + inner->offset, (struct why){ "C8", ENTRY_NONE, "it is withheld where it stands" });
            closure_cut_inner(w, p->bundle->entries[e].resource + inner->offset);
        }
    }
    for (size_t i = 0; i < p->cut_count; i++)
        closure_cut(w, p->cuts[i].node + inner->offset,
                 (struct why){ p->cuts[i].rule, ENTRY_NONE, "of what it holds" });
    for (size_t i = 0; i < p->edit_count; i++)
        closure_edit(w, p->edits[i].node + inner->offset, p->edits[i].json, p->edits[i].rule);
}

/* ---- what is handed out ------------------------------------------------------------------ */

static int
by_cut(const void *a, const void *b, const void *context)
{
    const struct plan_cut *x = a, *y = b;

    (void)context;
    return x->node < y->node ? -1 : x->node > y->node;
}

static int
by_edit(const void *a, const void *b, const void *context)
{
    const struct plan_edit *x = a, *y = b;

    (void)context;
    return x->node < y->node ? -1 : x->node > y->node;
}

/* Inside a withheld entry or another cut: said already. */
static bool
inside(const struct closure *w, tape_node node)
{
    return closure_gone(w, w->parents[node]);
}

static enum status
finish(struct closure *w, struct plan_evidence *evidence, const struct plan **out)
{
    struct plan *p    = arena_make(w->arena, struct plan);
    uint32_t     cuts = 0, edits = 0;

    if (p == NULL || w->spent)
        return ST_NO_MEMORY;
    sort_in_place(w->cuts, w->cut_count, sizeof *w->cuts, by_cut, NULL);
    sort_in_place(w->edits, w->edit_count, sizeof *w->edits, by_edit, NULL);
    for (uint32_t i = 0; i < w->cut_count; i++)
        if (!inside(w, w->cuts[i].node) && (cuts == 0 || w->cuts[cuts - 1].node != w->cuts[i].node)
            && (w->cuts[i].entry == ENTRY_NONE || !w->withheld[w->cuts[i].entry]))
            w->cuts[cuts++] = w->cuts[i];
    for (uint32_t i = 0; i < w->edit_count; i++)
        if (!closure_gone(w, w->edits[i].node))
            w->edits[edits++] = w->edits[i];
    p->bundle     = w->bundle;
    p->references = w->in->references;
    p->decisions  = w->decisions;
    p->cuts       = w->cuts;
    p->cut_count  = cuts;
    p->edits      = w->edits;
    p->edit_count = edits;
    p->mark       = w->mark;
    p->inner       = w->in->inner;
    p->inner_count = w->in->inner_count;
    p->evidence   = evidence;
    for (uint32_t e = 0; e < w->bundle->count; e++) {
        bool gone = w->withheld[e];
        p->kept += !gone;
        p->withheld += gone;
        if (!gone && w->touched[e] && w->decisions[e].verdict == VERDICT_PERMIT)
            w->decisions[e].verdict = VERDICT_REDACT;
    }
    *out = p;
    return ST_OK;
}

bool
plan_goes(const struct plan *p, tape_node node)
{
    return p->mark[node] & MARK_GONE;
}

bool
plan_gone(const struct plan *p, tape_node node)
{
    for (; node != TAPE_ABSENT; node = p->bundle->parents[node])
        if (p->mark[node] & MARK_GONE)
            return true;
    return false;
}
