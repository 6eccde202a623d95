#include "consent/basis.h"

static bool restricts(const struct asking *, const struct restriction *);
static bool is_for(const struct inquiry *, const struct restriction *);
static bool is_to(const struct inquiry *, const struct restriction *);
static bool is_about(const struct asking *, const struct restriction *);
static bool is_linked(const struct asking *, const struct restriction *);

/* 42 CFR 2.26, 45 CFR 164.522(a).  What was agreed to is kept, and what was
 * paid for by somebody else than the plan has to be agreed to and ends only
 * with the patient's word.  A restriction that was terminated still holds for
 * records of before (2.26(b)(3)(ii)): every record that is on file when it
 * ends is one of before, as long as it does not say otherwise.  One of another
 * identity of the patient holds as well (K12). */
struct answer
restriction_gate(const struct asking *a)
{
    const struct facts *f = a->inquiry->facts;

    if (!a->inquiry->tpo)
        return (struct answer){ 0 };                          /* 2.26(a)(5) */
    for (size_t i = 0; i < f->restriction_count; i++) {
        const struct restriction *r   = &f->restrictions[i];
        struct answer             say = { .rule = RULE_RESTRICTION, .restriction = r };
        if (!restricts(a, r))
            continue;
        say.because = is_linked(a, r) ? "a restriction that was agreed to for another identity of the patient holds"
                      : r->self_pay   ? "the patient paid and does not want the plan to have it"
                                      : "a restriction that the patient asked for was agreed to";
        return say;
    }
    return (struct answer){ 0 };
}

static bool
restricts(const struct asking *a, const struct restriction *r)
{
    const struct inquiry *q = a->inquiry;

    if ((!r->agreed && !r->self_pay) || r->from_ms > q->facts->at_ms)
        return false;
    return is_to(q, r) && is_for(q, r) && is_about(a, r);
}

/* Nobody named: everybody.  A class in the list restricts whoever is of it. */
static bool
is_to(const struct inquiry *q, const struct restriction *r)
{
    for (size_t i = 0; i < r->recipient_count; i++) {
        enum recipient class = recipient_of(r->recipients[i]);
        if (class != RECIPIENT_NONE ? (q->classes & RECIPIENT_BIT(class)) != 0 || q->classes == 0
                                    : asker_answers_to(q->asker, r->recipients[i]))
            return true;
    }
    return r->recipient_count == 0;
}

static bool
is_for(const struct inquiry *q, const struct restriction *r)
{
    purpose_set listed = 0;

    for (size_t i = 0; i < r->purpose_count; i++) {
        enum purpose p = purpose_of(r->purposes[i]);
        if (p == PURPOSE_NONE)
            return true;                                      /* of a purpose that nobody knows: of any */
        listed |= PURPOSE_BIT(p);
    }
    return r->purpose_count == 0 || q->asker->purposes == 0 || q->asker->strange_purposes > 0
           || inquiry_touches(q, listed);
}

static bool
is_linked(const struct asking *a, const struct restriction *r)
{
    const struct whose *w       = a->inquiry->whose;
    struct subject      patient = subject_of_reference(a->inquiry->whose, r->patient);

    for (size_t i = 0; i < a->subject_count && w->linked != NULL; i++)
        if (linked_subject(w, &a->subjects[i], &patient))
            return true;
    return false;
}

static bool
is_about(const struct asking *a, const struct restriction *r)
{
    const struct references *refs    = a->inquiry->whose->references;
    struct subject           patient = subject_of_reference(a->inquiry->whose, r->patient);
    bool                     theirs  = span_empty(r->patient) || is_linked(a, r);

    for (size_t i = 0; i < a->subject_count && !theirs; i++)
        theirs = same_subject(&a->subjects[i], &patient);
    if (!theirs)
        return false;
    if (r->item_count > 0
        && (refs == NULL || !instrument_item(r->items, r->item_count, bundle_entry_name(refs->bundle, a->record->entry))))
        return false;
    if (r->to_ms >= a->inquiry->facts->at_ms || r->self_pay)
        return true;
    /* Whose data it is goes with the data that came after (match.h M11). */
    if (r->item_count == 0 && span_eq_text(a->record->type, "Patient"))
        return false;
    return !record_begins_after(a->record, r->to_ms);
}
