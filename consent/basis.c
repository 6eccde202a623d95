#include "consent/basis.h"

#define R(name)    RECIPIENT_BIT(RECIPIENT_##name)
#define H(name)    HOLDER_BIT(HOLDER_##name)
#define P(name)    PURPOSE_BIT(PURPOSE_##name)
#define S(name)    SAYS_BIT(SAYS_CODE_##name)
#define ANY        0
#define ANY_HOLDER UINT32_MAX
#define NEVER      UINT32_MAX
#define MEDICAL    (R(PART2_PROGRAM) | R(CE_PROVIDER) | R(NONHIPAA_TREATING_PROVIDER) | R(MEDICAL_PERSONNEL_EMERGENCY))

struct basis_row {
    enum rule            rule;
    enum instrument_kind document;
    recipient_set        recipients;
    purpose_set          purposes;
    holder_set           holders;
    uint32_t             notes;
    enum limit           limit;
    uint32_t             obliges;
};

static const struct basis_row rows[] = {
#define BASIS(rule, document, recipients, purposes, holders, notes, limit, obliges) \
    { RULE_##rule, INSTRUMENT_##document, recipients, purposes, holders, notes, limit, obliges },
#include "consent/bases.def"
#undef BASIS
};

static struct answer by_row(const struct asking *, const struct basis_row *);
static struct answer by_document(const struct asking *, const struct basis_row *, const struct standing *);
static const char   *lacks_more(const struct asking *, const struct basis_row *, const struct instrument *);
static bool          is_deceased(const struct asking *);
static bool          is_of(const struct program *, struct span reference);

struct answer
answer_say(enum verdict verdict, enum rule rule, const char *because)
{
    return (struct answer){ .verdict = verdict, .rule = rule, .because = because };
}

struct answer
answer_better(struct answer a, struct answer b)
{
    if (b.rule == RULE_NONE || (a.rule != RULE_NONE && a.verdict >= b.verdict))
        return a;
    return b;
}

struct answer
basis_documents(const struct asking *a, unsigned step)
{
    struct answer best = { 0 };

    for (size_t i = 0; i < sizeof rows / sizeof *rows && a->inquiry->standing_count > 0; i++)
        if (rule_step(rows[i].rule) == step)
            best = answer_better(best, by_row(a, &rows[i]));
    return best;
}

static struct answer
by_row(const struct asking *a, const struct basis_row *row)
{
    const struct inquiry *q    = a->inquiry;
    struct answer         best = { 0 };

    if ((q->classes & row->recipients) == 0 || (row->holders & HOLDER_BIT(basis_holder(a))) == 0
        || (row->purposes != ANY && !inquiry_for(q, row->purposes)) || (a->note && row->notes == NEVER))
        return best;
    for (size_t i = 0; i < q->standing_count; i++)
        if (q->standing[i].document->kind == row->document)
            best = answer_better(best, by_document(a, row, &q->standing[i]));
    return best;
}

static struct answer
by_document(const struct asking *a, const struct basis_row *row, const struct standing *s)
{
    const struct instrument *d     = s->document;
    const char              *lacks = s->lacks != NULL ? s->lacks : lacks_more(a, row, d);
    struct answer            say   = { .rule = row->rule, .document = d, .limit = row->limit };

    if (!basis_concerns(a, s) || !basis_discloses(a, d))
        return (struct answer){ 0 };
    if (lacks != NULL) {
        say.verdict = VERDICT_DENY_STAFF;
        say.because = lacks;
        return say;
    }
    if (!basis_lists(a, d, &say.limit) || (row->limit != LIMIT_EMERGENCY && !limit_type(say.limit, a->record->type))) {
        say.verdict = VERDICT_DENY;
        say.because = "it does not reach this record";
        return say;
    }
    say.verdict     = VERDICT_PERMIT;
    say.obligations = row->obliges | OBLIGE_AUDIT;
    say.because     = "it names the recipient and reaches this record";
    return row->limit == LIMIT_EMERGENCY ? emergency_narrow(a, say) : say;
}

/* What one kind of disclosure asks for beyond its document. */
static const char *
lacks_more(const struct asking *a, const struct basis_row *row, const struct instrument *d)
{
    if (a->note && (d->says & row->notes) != row->notes)
        return "it does not say that it reaches SUD counseling notes";
    switch (row->rule) {
    case RULE_CHILD_ABUSE:
    case RULE_CRIME:
        return d->type_count == 0 ? NULL : "it lists kinds of records, and a report is single ones";
    case RULE_RESEARCH:
        return (d->says & (S(HIPAA_AUTHORIZED) | S(HUMAN_SUBJECTS))) != 0
                   ? NULL
                   : "it names neither a HIPAA authorization or waiver nor the rules on human subjects";
    case RULE_PUBLIC_HEALTH:
        return (d->says & (S(SAFE_HARBOR) | S(EXPERT))) != 0 ? NULL : "it does not say by which method, 45 CFR 164.514(b)";
    case RULE_VITAL:
        return is_deceased(a) ? NULL : "the patient is not known to have died";
    default:
        return NULL;
    }
}

static bool
is_deceased(const struct asking *a)
{
    for (size_t i = 0; i < a->inquiry->facts->circumstance_count; i++) {
        const struct circumstance *c = &a->inquiry->facts->circumstances[i];
        struct subject             s = subject_of_reference(a->inquiry->whose, c->patient);
        if (c->deceased == KNOWN_YES && a->subject_count == 1 && same_subject(&a->subjects[0], &s))
            return true;
    }
    return false;
}

/* ---- what a document speaks of ------------------------------------------------------ */

bool
basis_concerns(const struct asking *a, const struct standing *s)
{
    if (span_empty(s->document->patient))
        return (instrument_needs(s->document->kind) & NEEDS_PATIENT) == 0;
    for (size_t i = 0; i < a->subject_count; i++)
        if (!same_subject(&a->subjects[i], &s->patient))
            return false;
    return a->subject_count > 0;
}

bool
basis_discloses(const struct asking *a, const struct instrument *d)
{
    const struct labeled *l      = a->record->labeled;
    struct span           sender = a->inquiry->facts->sender_organization;

    if (span_empty(d->discloser))
        return (instrument_needs(d->kind) & NEEDS_DISCLOSER) == 0;
    if (l->program == NULL)
        return target_same_reference(d->discloser, sender);
    for (size_t i = 0; i < l->other_count; i++)
        if (l->others[i] == NULL || !is_of(l->others[i], d->discloser))
            return false;
    return is_of(l->program, d->discloser);
}

enum holder
basis_holder(const struct asking *a)
{
    const struct labeled *l      = a->record->labeled;
    struct span           sender = a->inquiry->facts->sender_organization;

    if (a->inquiry->holder != HOLDER_PROGRAM || l->program == NULL || span_empty(sender) || is_of(l->program, sender))
        return a->inquiry->holder;
    return HOLDER_SPECIFIC_CONSENT;
}

static bool
is_of(const struct program *program, struct span reference)
{
    for (size_t i = 0; i < program->reference_count; i++)
        if (target_same_reference(program->references[i], reference))
            return true;
    return false;
}

bool
basis_lists(const struct asking *a, const struct instrument *d, enum limit *limit)
{
    const struct record *r = a->record;
    const struct bundle *b = a->inquiry->whose->references != NULL ? a->inquiry->whose->references->bundle : NULL;

    if (d->item_count == 0 && d->type_count == 0)
        return true;
    for (size_t i = 0; i < d->type_count; i++)
        if (span_eq(d->types[i], r->type))
            return true;
    if (b == NULL)
        return false;
    if (instrument_item(d->items, d->item_count, bundle_entry_name(b, r->entry)))
        return true;
    if (!span_eq_text(r->type, "Patient"))
        return false;
    if (*limit == LIMIT_NONE)
        *limit = LIMIT_IDENTITY;
    for (size_t i = 0; i < d->item_count; i++)
        if (bundle_find_name(b, d->items[i]) != ENTRY_NONE)
            return true;
    return false;
}

bool
basis_of_program(const struct asking *a)
{
    const struct labeled *l = a->record->labeled;
    const struct facts   *f = a->inquiry->facts;

    if (l->program == NULL)                                   /* the sender's, as far as anybody knows */
        return f->sender == SENDER_PROGRAM && asker_answers_to(a->inquiry->asker, f->sender_organization);
    if (l->other_count > 0)
        return false;
    for (size_t i = 0; i < l->program->reference_count; i++)
        if (asker_answers_to(a->inquiry->asker, l->program->references[i]))
            return true;
    return false;
}
