#include "consent/basis.h"

#define R(name) RECIPIENT_BIT(RECIPIENT_##name)
#define P(name) PURPOSE_BIT(PURPOSE_##name)

static bool for_something_else(const struct inquiry *);
static bool opens(enum instrument_kind);

/* P8 outside of treatment, payment and operations.  45 CFR 164.506(c) lets what is
 * not protected by Part 2 go for these without an authorization, 164.502(a)(1)(i) to
 * the patient, 164.512 to authorities for what each of its paragraphs lists.  To
 * the police, a court, an employer or a researcher, and for proceedings,
 * marketing or research it takes a paper that somebody has read, or the
 * authorization of the patient (a consent that names them). */
struct answer
basis_hipaa(const struct asking *a)
{
    const struct inquiry *q    = a->inquiry;
    struct answer         best = { 0 };

    if (q->facts->site.any_purpose || !for_something_else(q))
        return best;
    for (size_t i = 0; i < q->standing_count; i++) {
        const struct standing *s   = &q->standing[i];
        struct answer          say = answer_say(VERDICT_PERMIT, RULE_HIPAA_OTHER, "it names the recipient and reaches this record");
        say.document               = s->document;
        say.obligations            = OBLIGE_AUDIT | OBLIGE_REVIEW;
        if (opens(s->document->kind) && s->lacks == NULL && basis_concerns(a, s) && basis_lists(a, s->document, &say.limit))
            best = answer_better(best, say);
    }
    return best.rule != RULE_NONE
               ? best
               : answer_say(VERDICT_DENY_STAFF, RULE_HIPAA_OTHER,
                            "it is asked for something else than treatment, payment or operations: HIPAA wants the patient's "
                            "authorization, or an order or the like on file");
}

static bool
for_something_else(const struct inquiry *q)
{
    const recipient_set others = R(LAW_ENFORCEMENT) | R(COURT) | R(INVESTIGATIVE_AGENCY) | R(UNDERCOVER) | R(CJ_MONITOR)
                                 | R(CHILD_PROTECTION) | R(NAMED_NONHIPAA) | R(RESEARCHER);
    const purpose_set   tpo    = P(TREAT) | P(HPAYMT) | P(HOPERAT);
    const purpose_set   strange = P(HLEGAL) | P(LEGAL) | P(HMARKT) | P(FUNDRAISING) | P(HRESCH);

    if (q->facts->actor.bound && q->asker->strange_purposes > 0)
        return true;                                          /* purpose.h U5 */
    if (q->facts->legal == LEGAL_INVESTIGATION || q->facts->legal == LEGAL_PROCEEDING || inquiry_touches(q, strange))
        return true;
    /* Who also treats, as in a prison, may treat. */
    return (q->classes & others) != 0 && ((q->classes & ~others & ~RECIPIENT_BIT(RECIPIENT_NONE)) == 0 || !inquiry_for(q, tpo));
}

/* 164.512(a), (b), (c), (e), (f), (g), (i): by what a person has read.  A subpoena alone is none. */
static bool
opens(enum instrument_kind kind)
{
    switch (kind) {
    case INSTRUMENT_ORDER_CIVIL:
    case INSTRUMENT_ORDER_CRIMINAL:
    case INSTRUMENT_CHILD_ABUSE:
    case INSTRUMENT_CRIME:
    case INSTRUMENT_HHS:
    case INSTRUMENT_RESEARCH:
    case INSTRUMENT_VITAL:
    case INSTRUMENT_THREAT:
        return true;
    default:
        return false;
    }
}
