#include "consent/basis.h"

#define R(name) RECIPIENT_BIT(RECIPIENT_##name)
#define H(name) HOLDER_BIT(HOLDER_##name)
#define P(name) PURPOSE_BIT(PURPOSE_##name)
#define ANY     0
#define ANYONE  UINT64_MAX

enum condition { CONDITION_NEVER = 0, CONDITION_ALWAYS, CONDITION_TREATS, CONDITION_SOURCE };

struct onward {
    enum rule            rule;
    holder_set           holders;
    purpose_set          purposes;
    recipient_set        recipients;
    enum instrument_kind document;
    enum condition       condition;
    enum limit           limit;
    uint32_t             obliges;
};

static const struct onward rows[] = {
#define REDISCLOSE(rule, holders, purposes, recipients, document, condition, limit, obliges) \
    { RULE_##rule, holders, purposes, recipients, INSTRUMENT_##document, CONDITION_##condition, limit, obliges },
#include "consent/redisclosure.def"
#undef REDISCLOSE
};

static struct answer by_row(const struct asking *, const struct onward *);
static enum holder   capacity_of(const struct inquiry *);
static bool          is_own(const struct asking *);
static bool          meets(const struct asking *, enum condition);
static struct answer with_document(const struct asking *, const struct onward *, struct answer);

struct answer
basis_redisclosure(const struct asking *a)
{
    struct answer best = { 0 };

    if (is_own(a))
        return best;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((rows[i].holders & HOLDER_BIT(capacity_of(a->inquiry))) != 0)
            best = answer_better(best, by_row(a, &rows[i]));
    return best;
}

/* H-8 */
static enum holder
capacity_of(const struct inquiry *q)
{
    return q->holder == HOLDER_EMERGENCY && q->facts->site.emergency_onward ? HOLDER_CEBA_TPO : q->holder;
}

/* What a program wrote itself it did not receive, in whatever capacity it says it holds it. */
static bool
is_own(const struct asking *a)
{
    const struct facts   *f = a->inquiry->facts;
    const struct program *p = a->record->labeled->program;

    if (f->sender != SENDER_PROGRAM)
        return false;
    if (p == NULL || span_empty(f->sender_organization))
        return true;
    for (size_t i = 0; i < p->reference_count; i++)
        if (target_same_reference(p->references[i], f->sender_organization))
            return true;
    return false;
}

static struct answer
by_row(const struct asking *a, const struct onward *row)
{
    const struct inquiry *q   = a->inquiry;
    struct answer         say = { .verdict = VERDICT_PERMIT, .rule = row->rule, .limit = row->limit,
                                  .obligations = row->obliges | OBLIGE_AUDIT,
                                  .because = "in the capacity in which this copy is held it may go on to this recipient" };

    if (q->facts->site.notice_by_consent_alone && capacity_of(q) == HOLDER_CEBA_TPO)
        say.obligations &= ~(uint32_t)OBLIGE_NOTICE;                        /* H-5 */
    if ((row->recipients != ANYONE && (q->classes & row->recipients) == 0)
        || (row->purposes != ANY && !inquiry_for(q, row->purposes)) || !meets(a, row->condition))
        return (struct answer){ 0 };
    if (row->document != INSTRUMENT_NONE)
        say = with_document(a, row, say);
    if (say.verdict == VERDICT_PERMIT && !limit_type(row->limit, a->record->type))
        return answer_say(VERDICT_DENY, row->rule, "this kind of record is not what may go on");
    return say;
}

static bool
meets(const struct asking *a, enum condition c)
{
    switch (c) {
    case CONDITION_ALWAYS:
        return true;
    case CONDITION_TREATS:
        for (size_t i = 0; i < a->subject_count; i++)
            if (!relationship_known(a->inquiry->asker, a->subjects[i].name))
                return false;
        return a->subject_count > 0;
    case CONDITION_SOURCE:
        return basis_of_program(a);
    case CONDITION_NEVER:
        break;
    }
    return false;
}

static struct answer
with_document(const struct asking *a, const struct onward *row, struct answer say)
{
    struct answer best = { 0 };

    for (size_t i = 0; i < a->inquiry->standing_count; i++) {
        const struct standing *s = &a->inquiry->standing[i];
        struct answer          one = say;
        /* Here the discloser is the holder of the copy, not the program. */
        if (s->document->kind != row->document || !basis_concerns(a, s)
            || (!span_empty(s->document->discloser)
                && !target_same_reference(s->document->discloser, a->inquiry->facts->sender_organization)))
            continue;
        one.document = s->document;
        if (s->lacks != NULL) {
            one.verdict = VERDICT_DENY_STAFF;
            one.because = s->lacks;
        } else if (!basis_lists(a, s->document, &one.limit)) {
            one.verdict = VERDICT_DENY;
            one.because = "it does not reach this record";
        }
        best = answer_better(best, one);
    }
    return best;
}
