#include "consent/basis.h"

static struct answer         by_order(const struct asking *, const struct standing *);
static const struct standing *mandate_of(const struct asking *);
static struct answer         on(struct answer, const struct instrument *);

/* An order allows, a subpoena compels, and neither is enough
 * alone (2.61); what follows from them is never decided here without counsel. */
struct answer
basis_order(const struct asking *a)
{
    const struct inquiry  *q       = a->inquiry;
    struct answer          best    = { 0 };
    const struct standing *mandate = mandate_of(a);

    for (size_t i = 0; i < q->standing_count; i++) {
        enum instrument_kind kind = q->standing[i].document->kind;
        if ((kind == INSTRUMENT_ORDER_CIVIL || kind == INSTRUMENT_ORDER_CRIMINAL || kind == INSTRUMENT_ORDER_PROGRAM)
            && basis_concerns(a, &q->standing[i]))
            best = answer_better(best, by_order(a, &q->standing[i]));
    }
    if (best.rule != RULE_NONE || mandate == NULL)
        return best;
    best             = on(answer_say(VERDICT_DENY, RULE_COMPULSION, "it is a mandate without an order, which is refused"),
                          mandate->document);
    best.obligations = OBLIGE_REVIEW;                         /* a legal hold, and counsel, inside */
    return best;
}

static struct answer
by_order(const struct asking *a, const struct standing *s)
{
    const struct inquiry    *q    = a->inquiry;
    const struct instrument *d    = s->document;
    const bool criminal           = (q->classes & RECIPIENT_BIT(RECIPIENT_LAW_ENFORCEMENT)) != 0;
    struct answer            say  = { .document = d, .verdict = VERDICT_HOLD };

    say.rule = d->kind == INSTRUMENT_ORDER_CIVIL      ? RULE_ORDER_CIVIL
               : d->kind == INSTRUMENT_ORDER_CRIMINAL ? RULE_ORDER_CRIMINAL
                                                      : RULE_ORDER_PROGRAM;
    if ((q->holder == HOLDER_RESEARCH || q->holder == HOLDER_AUDIT)
        && (d->kind == INSTRUMENT_ORDER_CRIMINAL || q->facts->against != AGAINST_NOBODY))
        return on(answer_say(VERDICT_DENY, RULE_ORDER_BARRED, "no order reaches what was received for research or audit "
                                                             "against a patient"), d);
    if (d->kind == INSTRUMENT_ORDER_PROGRAM && q->facts->against != AGAINST_NOBODY)
        return on(answer_say(VERDICT_DENY, RULE_ORDER_PROGRAM, "it may not be used against a patient"), d);
    if (s->lacks != NULL) {
        say.because = s->lacks;
        return say;
    }
    if (d->kind == INSTRUMENT_ORDER_CIVIL && criminal) {
        say.because = "it is for a noncriminal purpose, and law enforcement asks";
        return say;
    }
    if (mandate_of(a) == NULL && basis_lists(a, d, &say.limit)) {
        say.rule    = RULE_COMPULSION;
        say.because = "it permits and does not compel: there is no subpoena with it";
        return say;
    }
    if ((a->note && (d->says & SAYS_BIT(SAYS_CODE_CONFIDENTIAL)) == 0) || !basis_lists(a, d, &say.limit)) {
        say.verdict = VERDICT_DENY;
        say.because = "it does not reach this record";
        return say;
    }
    say.verdict     = VERDICT_PERMIT;
    say.obligations = OBLIGE_AUDIT | OBLIGE_REVIEW;
    say.because     = "it lists this record, a subpoena goes with it, and counsel has reviewed it";
    return say;
}

/* A subpoena or the like, in force, of this patient. */
static const struct standing *
mandate_of(const struct asking *a)
{
    const struct inquiry *q = a->inquiry;

    for (size_t i = 0; i < q->standing_count; i++)
        if (q->standing[i].document->kind == INSTRUMENT_SUBPOENA && q->standing[i].lacks == NULL
            && basis_concerns(a, &q->standing[i]))
            return &q->standing[i];
    return NULL;
}

static struct answer
on(struct answer say, const struct instrument *d)
{
    say.document = d;
    return say;
}
