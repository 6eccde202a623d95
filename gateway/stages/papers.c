/* gateway/stages/papers.c -- what is on file, for decisions, and for the records of them.
 *
 * A paper counts as it stands at the moment of the decision: a push is decided when
 * it comes and a delivery again when it leaves (decision 0014), and a filing in
 * between makes what was decided before it void (store.h, generation).
 *
 *   ended    a document that was ended is not in force from then on; everything else
 *            that was ended is not there any more, but for a restriction that was
 *            ended without the patient's word: it holds for what was there before
 *            (42 CFR 2.26(b), 45 CFR 164.522(a)(2)(iii))
 *
 * A paper was read strictly when it was filed; one that does not read any more is
 * not what was filed, and then nothing may leave.
 */
#include "gateway/stages/stages.h"

#include "consent/paper.h"

/* More patients with papers than that are sent in parts. */
#define PAPERS_AT_ONCE 4096u

/* The lists of struct facts while they are filled. */
struct filling {
    struct exchange     *ex;
    struct instrument   *documents;
    struct relationship *relationships;
    struct restriction  *restrictions;
    struct circumstance *circumstances;
    struct emergency    *emergencies;
};

static enum step take_stored(struct filling *, const struct store_filed *);
static enum step take(struct filling *, const struct store_filed *, const struct paper *);

enum step
papers_attach(struct exchange *ex)
{
    struct filling f    = { .ex = ex };
    enum step      step = STEP_NEXT;

    store_shelf_unpin(&ex->shelf);       /* of an earlier round */
    if (store_shelf_pin(ex->gateway->store, &ex->shelf) != ST_OK)
        return exchange_fail(ex, ST_UNAVAILABLE, "what is on file could not be read");
    size_t common = ex->shelf != NULL ? ex->shelf->count : 0;
    size_t all    = common + ex->consents.filed_count;
    if (all == 0)
        return STEP_NEXT;
    if (all > PAPERS_AT_ONCE)
        return exchange_fail(ex, ST_TOO_LARGE, "too much is on file about the patients of this Bundle");
    f.documents     = arena_make_n(ex->arena, all, struct instrument);
    f.relationships = arena_make_n(ex->arena, all, struct relationship);
    f.restrictions  = arena_make_n(ex->arena, all, struct restriction);
    f.circumstances = arena_make_n(ex->arena, all, struct circumstance);
    f.emergencies   = arena_make_n(ex->arena, all, struct emergency);
    if (arena_spent(ex->arena))
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    ex->facts.documents     = f.documents;
    ex->facts.relationships = f.relationships;
    ex->facts.restrictions  = f.restrictions;
    ex->facts.circumstances = f.circumstances;
    ex->facts.emergencies   = f.emergencies;
    for (size_t i = 0; i < common && step == STEP_NEXT; i++)
        step = take(&f, &ex->shelf->rows[i], &ex->shelf->papers[i]);
    for (size_t i = 0; i < ex->consents.filed_count && step == STEP_NEXT; i++)
        step = take_stored(&f, &ex->consents.filed[i]);
    return step;
}

static enum step
take_stored(struct filling *f, const struct store_filed *row)
{
    struct paper p;

    if (paper_read((enum paper_kind)row->kind, row->body, f->ex->arena, &p) != ST_OK)
        return exchange_fail(f->ex, ST_UNAVAILABLE, "a paper on file could not be read");
    return take(f, row, &p);
}

static int64_t
earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static enum step
take(struct filling *f, const struct store_filed *row, const struct paper *paper)
{
    struct exchange *ex    = f->ex;
    struct facts    *facts = &ex->facts;
    bool             ended = row->ended_ms <= ex->at_ms;
    struct filed     filed = { .sha256 = row->sha256, .version = row->version };
    struct span      whose = span_empty(row->patient) ? row->patient : patient_in_bundle(ex, row->patient);
    struct paper     p     = *paper;

    if (!ended && row->ended_ms < INT64_MAX
        && (facts->file_changes_ms == 0 || row->ended_ms < facts->file_changes_ms))
        facts->file_changes_ms = row->ended_ms;
    switch (p.kind) {
    case PAPER_DOCUMENT:
        p.as.document.patient = whose;
        p.as.document.filed   = filed;
        if (row->ended_ms < INT64_MAX)
            p.as.document.to_ms = earlier(p.as.document.to_ms, row->ended_ms - 1);
        f->documents[facts->document_count++] = p.as.document;
        break;
    case PAPER_RESTRICTION:
        p.as.restriction.patient = whose;
        p.as.restriction.filed   = filed;
        if (row->ended_ms < INT64_MAX && !row->ended_by_patient)
            p.as.restriction.to_ms = earlier(p.as.restriction.to_ms, row->ended_ms - 1);
        if (!ended || !row->ended_by_patient)
            f->restrictions[facts->restriction_count++] = p.as.restriction;
        break;
    case PAPER_RELATIONSHIP:
        p.as.relationship.patient = whose;
        if (!ended)
            f->relationships[facts->relationship_count++] = p.as.relationship;
        break;
    case PAPER_CIRCUMSTANCE:
        p.as.circumstance.patient = whose;
        if (!ended)
            f->circumstances[facts->circumstance_count++] = p.as.circumstance;
        break;
    case PAPER_EMERGENCY:
        p.as.emergency.patient = whose;
        p.as.emergency.filed   = filed;
        if (!ended)
            f->emergencies[facts->emergency_count++] = p.as.emergency;
        break;
    case PAPER_SUSPENSION:               /* of the accounting alone */
        break;
    case PAPER_NONE:
    case PAPER_KINDS:
        return exchange_fail(ex, ST_UNAVAILABLE, "a paper on file is of no known kind");
    }
    return STEP_NEXT;
}

/* ---- records ------------------------------------------------------------------------- */

void
paper_add(struct paper_list *list, const struct decision *d)
{
    struct filed filed;
    struct span  id = decision_paper(d, &filed);

    for (size_t i = 0; i < list->count; i++)
        if (span_eq(list->rows[i].id, id))
            return;
    if (span_empty(id) || list->count == list->room)
        return;
    list->rows[list->count++] = (struct record_paper){
        .id = id, .sha256 = filed.sha256, .version = filed.version,
        .kind = d->document != NULL    ? instrument_code(d->document->kind)
                : d->emergency != NULL ? paper_kind_text(PAPER_EMERGENCY)
                                       : paper_kind_text(PAPER_RESTRICTION),
    };
}

void
papers_of(struct exchange *ex, const struct plan *plan, bool released, struct disclosure *d)
{
    struct paper_list list = { .rows = NULL };

    for (uint32_t i = 0; i < plan->bundle->count; i++) {
        const struct decision *decision = &plan->decisions[i];
        bool leaves = decision->verdict == VERDICT_PERMIT || decision->verdict == VERDICT_REDACT;
        if (leaves != released || span_empty(decision_paper(decision, NULL)))
            continue;
        if (list.rows == NULL) {
            list.rows = arena_make_n(ex->arena, RECORD_PAPERS, struct record_paper);
            list.room = list.rows != NULL ? RECORD_PAPERS : 0;
        }
        paper_add(&list, decision);
    }
    d->papers      = list.rows;
    d->paper_count = list.count;
}

/* 2.51(c): the rest, who received it and when, is the record's own. */
struct record_emergency *
emergency_author(struct exchange *ex, const struct emergency *e)
{
    struct record_emergency *record = arena_make(ex->arena, struct record_emergency);

    if (record == NULL)
        return NULL;
    *record = (struct record_emergency){
        .declared_by = e->declared_by, .personnel = e->declared_by, .affiliation = e->affiliation,
        .discloser = e->discloser, .nature = e->nature, .why_unobtainable = e->why,
    };
    return record;
}
