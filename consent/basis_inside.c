#include "consent/basis.h"

static bool is_author(const struct asking *);
static bool refers_to_asker(const struct asking *, tape_node reference);
static bool controls(const struct asking *);
static bool is_representative(const struct asking *, const struct subject *);
static bool ended_elsewhere(const struct asking *, const struct subject *);

/* R-04, 2.31(b)(1)(i): who wrote the note, for treatment; the program's own training. */
struct answer
basis_own_note(const struct asking *a)
{
    const struct inquiry *q        = a->inquiry;
    const role_set        training = ROLE_BIT(ROLE_TRAINEE) | ROLE_BIT(ROLE_SUPERVISOR);
    struct answer         say      = { 0 };

    if (inquiry_for(q, PURPOSE_BIT(PURPOSE_TREAT)) && is_author(a))
        say = answer_say(VERDICT_PERMIT, RULE_NOTES_AUTHOR, "the note's own author asks for it, to treat");
    else if (inquiry_for(q, PURPOSE_BIT(PURPOSE_TRAIN)) && (q->roles & training) != 0 && basis_of_program(a))
        say = answer_say(VERDICT_PERMIT, RULE_NOTES_TRAINING, "the program trains its own people under supervision");
    say.obligations = OBLIGE_AUDIT;
    return say;
}

/* Need to know: who belongs to the program and has no duty that arises
 * from it is told so, and others learn nothing. */
struct answer
basis_within(const struct asking *a)
{
    const role_set        care  = ROLE_BIT(ROLE_SUD_CARE);
    const role_set        more  = care | ROLE_BIT(ROLE_UTILIZATION_REVIEW) | ROLE_BIT(ROLE_PROGRAM_OPERATION);
    const struct inquiry *q     = a->inquiry;
    bool                  own   = basis_of_program(a), above = !own && controls(a);
    struct answer         say   = { 0 };

    if ((!own && !above) || (basis_holder(a) != HOLDER_PROGRAM && q->holder != HOLDER_ADMIN_CONTROL))
        return say;
    if ((q->roles & more) == 0)
        return answer_say(VERDICT_DENY_STAFF, RULE_WITHIN, "no duty that arises from substance use disorder care is "
                                                          "known of who asks");
    say             = answer_say(VERDICT_PERMIT, RULE_WITHIN, own ? "who asks has a duty of care or operation in the program"
                                                                 : "who asks has such a duty in the entity that controls the program");
    say.obligations = OBLIGE_AUDIT;
    return say;
}

/* A counseling note is for the program to decide (H-7). */
struct answer
basis_patient(const struct asking *a)
{
    const struct inquiry *q    = a->inquiry;
    const purpose_set     own  = PURPOSE_BIT(PURPOSE_PATRQT);
    struct span           self = q->facts->actor.reference;
    struct answer         say  = { 0 };
    bool                  may  = a->subject_count > 0 && inquiry_for(q, own);

    for (size_t i = 0; i < a->subject_count && may; i++) {
        struct subject asks = subject_of_reference(q->whose, self);
        bool patient = (q->classes & RECIPIENT_BIT(RECIPIENT_PATIENT)) != 0 && same_subject(&a->subjects[i], &asks);
        bool chosen = q->facts->site.apps_as_patient && !span_empty(q->facts->actor.on_behalf_of);       /* H-3 */
        if (chosen) {
            struct subject whom = subject_of_reference(q->whose, q->facts->actor.on_behalf_of);
            patient             = patient || same_subject(&a->subjects[i], &whom);
        }
        may = patient || ((q->classes & RECIPIENT_BIT(RECIPIENT_PERSONAL_REP)) != 0
                          && is_representative(a, &a->subjects[i]));
    }
    if (!may)
        return say;
    if (a->note && !q->facts->site.notes_to_patient)
        return answer_say(VERDICT_HOLD, RULE_PATIENT_ACCESS, "whether a counseling note goes to the patient is for the "
                                                            "program to decide");
    say             = answer_say(VERDICT_PERMIT, RULE_PATIENT_ACCESS, "the patient asks for the patient's own record");
    say.obligations = OBLIGE_AUDIT;
    return say;
}

/* Verified, in force, of somebody who lives; a parent only where state law does
 * not let the minor consent alone (2.14(a)). */
static bool
is_representative(const struct asking *a, const struct subject *subject)
{
    const struct facts *f = a->inquiry->facts;

    for (size_t i = 0; i < f->circumstance_count && !ended_elsewhere(a, subject); i++) {
        const struct circumstance *c = &f->circumstances[i];
        struct subject             s = subject_of_reference(a->inquiry->whose, c->patient);
        if (!same_subject(subject, &s) || f->at_ms < c->from_ms || f->at_ms > c->to_ms || c->deceased == KNOWN_YES
            || c->representation == REPRESENTATION_UNKNOWN || c->representation == REPRESENTATION_EXECUTOR
            || c->minor_consents == KNOWN_YES
            || (c->representation == REPRESENTATION_PARENT && c->minor_consents != KNOWN_NO))
            continue;
        for (size_t r = 0; r < c->representative_count; r++)
            if (target_same_reference(c->representatives[r], f->actor.reference))
                return true;
    }
    return false;
}

/* K12: what ends a representation under another identity of the patient ends it here. */
static bool
ended_elsewhere(const struct asking *a, const struct subject *subject)
{
    const struct facts *f = a->inquiry->facts;

    for (size_t i = 0; i < f->circumstance_count && a->inquiry->whose->linked != NULL; i++) {
        const struct circumstance *c = &f->circumstances[i];
        struct subject             s = subject_of_reference(a->inquiry->whose, c->patient);
        if ((c->deceased == KNOWN_YES || c->minor_consents == KNOWN_YES) && linked_subject(a->inquiry->whose, subject, &s))
            return true;
    }
    return false;
}

/* Direct administrative control over the program, on file. */
static bool
controls(const struct asking *a)
{
    const struct inquiry *q = a->inquiry;

    for (size_t i = 0; i < q->standing_count; i++)
        if (q->standing[i].document->kind == INSTRUMENT_ADMIN_CONTROL && q->standing[i].lacks == NULL
            && basis_concerns(a, &q->standing[i]) && basis_discloses(a, q->standing[i].document))
            return true;
    return false;
}

/* Composition.author, DocumentReference.author, Observation.performer … of this very record. */
static bool
is_author(const struct asking *a)
{
    static const char *const members[] = { "author", "performer", "recorder" };
    const struct record     *r         = a->record;

    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        tape_node who = tape_member(r->tape, r->resource, span_of(members[i]));
        if (tape_kind(r->tape, who) == TAPE_OBJECT && refers_to_asker(a, who))
            return true;
        for (tape_node n = tape_first(r->tape, who); tape_kind(r->tape, who) == TAPE_ARRAY && n != TAPE_ABSENT;
             n = tape_next(r->tape, n))
            if (refers_to_asker(a, n))
                return true;
    }
    return false;
}

static bool
refers_to_asker(const struct asking *a, tape_node reference)
{
    struct span text = tape_member_text(a->record->tape, reference, SPAN("reference"), a->inquiry->arena);

    return target_same_reference(text, a->inquiry->facts->actor.reference);
}
