#include "consent/basis.h"

#include "fhir/code_system.h"

static struct answer by_claim(const struct asking *);
static struct answer by_file(const struct asking *, const struct emergency *);
static bool          is_needed(const struct asking *);
static bool          names_asker(const struct inquiry *, const struct emergency *);
static bool          refused_elsewhere(const struct asking *);
static bool          concerns(const struct asking *, const struct emergency *);
static bool          is_treatment(const struct inquiry *, bool *emergency);
static bool          is_medical(const struct inquiry *);
static bool          known_medical(const struct inquiry *);
static const char   *undocumented(const struct facts *);

/* R-13, 2.51(a)(1): medical personnel, a purpose of emergency treatment and no
 * other, and what 2.51(c) has written down: who received it and of which
 * facility, and the nature of the emergency.  Who discloses and when is the
 * log's to add.  A patient who was asked and refused could be asked.
 *
 * An emergency is what who asks says, or one that a member of the staff filed.
 * Who files says for what it is: then treatment is purpose enough, but that who
 * gets it is medical personnel has to be known. */
struct answer
basis_emergency(const struct asking *a)
{
    return emergency_narrow(a, basis_emergency_whole(a));
}

struct answer
basis_emergency_whole(const struct asking *a)
{
    struct answer best = by_claim(a);

    for (size_t i = 0; i < a->inquiry->facts->emergency_count; i++)
        best = answer_better(best, by_file(a, &a->inquiry->facts->emergencies[i]));
    if (best.verdict == VERDICT_PERMIT && refused_elsewhere(a))
        return answer_say(VERDICT_DENY_STAFF, RULE_EMERGENCY, "the patient was asked under another identity and refused: consent could be obtained");
    return best;
}

struct answer
emergency_narrow(const struct asking *a, struct answer say)
{
    say.limit = LIMIT_NONE;
    if (say.verdict != VERDICT_PERMIT || a->inquiry->facts->site.emergency_all)
        return say;
    say.limit = LIMIT_EMERGENCY;
    if (is_needed(a))
        return say;
    say.verdict     = VERDICT_DENY_STAFF;
    say.limit       = LIMIT_NONE;
    say.obligations = 0;
    say.because     = "this kind of record is not among what a medical emergency needs, 2.51(a)";
    return say;
}

/* A document's Composition carries what is needed (match.h M11). */
static bool
is_needed(const struct asking *a)
{
    static const char *const documents[] = {
#define DOCUMENT(code, words) code,
#include "consent/emergency_documents.def"
#undef DOCUMENT
    };
    const struct record *r = a->record;

    if (!limit_type(LIMIT_EMERGENCY, r->type))
        return false;
    if (r->carrier || (!span_eq_text(r->type, "DocumentReference") && !span_eq_text(r->type, "Composition")))
        return true;
    tape_node codings = tape_member(r->tape, tape_member(r->tape, r->resource, SPAN("type")), SPAN("coding"));
    for (tape_node n = tape_first(r->tape, codings); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        bool loinc = code_system_of(tape_member_text(r->tape, n, SPAN("system"), a->inquiry->arena)) == CODE_SYSTEM_LOINC;
        for (size_t i = 0; i < sizeof documents / sizeof *documents && loinc; i++)
            if (tape_text_eq(r->tape, tape_member(r->tape, n, SPAN("code")), span_of(documents[i])))
                return true;
    }
    return false;
}

static struct answer
by_claim(const struct asking *a)
{
    const struct inquiry *q         = a->inquiry;
    bool                  emergency = false;
    struct answer         say       = { 0 };

    if (!q->facts->emergency || !is_treatment(q, &emergency) || !emergency)
        return say;
    if (!is_medical(q))
        return answer_say(VERDICT_DENY, RULE_EMERGENCY, "who asks in an emergency is not known to be medical personnel");
    if (q->facts->emergency_refused)
        return answer_say(VERDICT_DENY_STAFF, RULE_EMERGENCY, "the patient was asked and refused: consent could be obtained");
    if (undocumented(q->facts) != NULL)
        return answer_say(VERDICT_DENY_STAFF, RULE_EMERGENCY, undocumented(q->facts));
    say             = answer_say(VERDICT_PERMIT, RULE_EMERGENCY,
                                "a medical emergency was declared, and consent cannot be obtained in time");
    say.obligations = OBLIGE_EMERGENCY | OBLIGE_REVIEW | OBLIGE_AUDIT;
    return say;
}

static struct answer
by_file(const struct asking *a, const struct emergency *e)
{
    const struct inquiry *q         = a->inquiry;
    bool                  emergency = false;
    struct answer         say       = { .verdict = VERDICT_DENY_STAFF, .rule = RULE_EMERGENCY, .emergency = e };

    if (!names_asker(q, e) || !concerns(a, e) || q->facts->purpose_count == 0 || !is_treatment(q, &emergency))
        return (struct answer){ 0 };
    say.because = emergency_lacks(e);
    if (say.because != NULL)
        return say;
    if (q->facts->at_ms < e->from_ms || q->facts->at_ms > e->to_ms)
        return (struct answer){ 0 };
    say.because = !known_medical(q) ? "who gets it in an emergency is not known to be medical personnel"
                  : e->refused      ? "the patient was asked and refused: consent could be obtained"
                                    : NULL;
    if (say.because != NULL)
        return say;
    say.verdict     = VERDICT_PERMIT;
    say.because     = "a medical emergency is on file, and consent cannot be obtained in time";
    say.obligations = OBLIGE_EMERGENCY | OBLIGE_REVIEW | OBLIGE_AUDIT;
    return say;
}

static bool
names_asker(const struct inquiry *q, const struct emergency *e)
{
    for (size_t i = 0; i < e->party_count; i++)
        if (asker_answers_to(q->asker, e->parties[i]))
            return true;
    return false;
}

/* K12: in an emergency that is on file now for another identity of the patient. */
static bool
refused_elsewhere(const struct asking *a)
{
    const struct facts *f = a->inquiry->facts;

    for (size_t i = 0; i < f->emergency_count && a->inquiry->whose->linked != NULL; i++) {
        const struct emergency *e       = &f->emergencies[i];
        struct subject          patient = subject_of_reference(a->inquiry->whose, e->patient);
        for (size_t j = 0; j < a->subject_count && e->refused && f->at_ms >= e->from_ms && f->at_ms <= e->to_ms; j++)
            if (linked_subject(a->inquiry->whose, &a->subjects[j], &patient))
                return true;
    }
    return false;
}

/* Of this patient and of nobody else. */
static bool
concerns(const struct asking *a, const struct emergency *e)
{
    struct subject patient = subject_of_reference(a->inquiry->whose, e->patient);

    for (size_t i = 0; i < a->subject_count; i++)
        if (!same_subject(&a->subjects[i], &patient))
            return false;
    return a->subject_count > 0;
}

/* 2.51(c), and an end: what of it nobody wrote down. */
const char *
emergency_lacks(const struct emergency *e)
{
    if (e->party_count == 0 || span_empty(e->declared_by))
        return "the medical personnel that receive it are not named, 2.51(c)(1)";
    if (span_empty(e->affiliation))
        return "the facility of the medical personnel is not known, 2.51(c)(1)";
    if (span_empty(e->discloser))
        return "who makes the disclosure is not named, 2.51(c)(2)";
    if (span_empty(e->nature))
        return "the nature of the emergency is not stated, 2.51(c)(4)";
    if (span_empty(e->why))
        return "why consent cannot be obtained is not stated, 2.51(a)(1)";
    if (e->from_ms == INT64_MAX || e->to_ms == INT64_MAX)
        return "it does not say when the emergency began and when it is over";
    if (e->to_ms < e->from_ms || e->to_ms - e->from_ms > EMERGENCY_LONGEST_MS)
        return "no emergency goes on for more than three days: what comes later needs a basis of its own";
    return NULL;
}

static bool
is_treatment(const struct inquiry *q, bool *emergency)
{
    if (q->asker->strange_purposes > 0)
        return false;                                         /* a claim beyond the registration too, purpose.h U5 */
    for (size_t i = 0; i < q->facts->purpose_count; i++) {
        enum purpose p = purpose_of(q->facts->purposes[i]);
        if (!purpose_is_a(p, PURPOSE_ETREAT) && p != PURPOSE_TREAT)
            return false;
        *emergency |= purpose_is_a(p, PURPOSE_ETREAT);
    }
    return true;
}

/* As far as classes and roles are known.  Who is a provider and something else besides, whose part is not
 * treatment (the clinic of an employer, of a plan, of a probation service), is asked for the role.  Law enforcement,
 * courts and agencies do not come here: the proceedings gate stands before (inquiry.c). */
static bool
is_medical(const struct inquiry *q)
{
    const recipient_set other = RECIPIENT_BIT(RECIPIENT_CJ_MONITOR) | RECIPIENT_BIT(RECIPIENT_CHILD_PROTECTION)
                                | RECIPIENT_BIT(RECIPIENT_UNDERCOVER) | RECIPIENT_BIT(RECIPIENT_NAMED_NONHIPAA) | RECIPIENT_BIT(RECIPIENT_HEALTH_PLAN)
                                | RECIPIENT_BIT(RECIPIENT_THIRD_PARTY_PAYER_NONHIPAA);
    const recipient_set medical = RECIPIENT_BIT(RECIPIENT_CE_PROVIDER) | RECIPIENT_BIT(RECIPIENT_PART2_PROGRAM)
                                  | RECIPIENT_BIT(RECIPIENT_NONHIPAA_TREATING_PROVIDER)
                                  | RECIPIENT_BIT(RECIPIENT_MEDICAL_PERSONNEL_EMERGENCY);
    const role_set      treats  = ROLE_BIT(ROLE_MEDICAL_PERSONNEL) | ROLE_BIT(ROLE_TREATING_PROVIDER);
    const struct party *actor   = &q->facts->actor;

    bool asked = actor->role_count > 0 || (q->classes & other) != 0;
    return (actor->class_count == 0 || (q->classes & medical) != 0) && (!asked || (q->roles & treats) != 0);
}

static bool
known_medical(const struct inquiry *q)
{
    return q->classes != 0 && is_medical(q);
}

/* 2.51(c), what of it is not known; NULL when nothing is missing. */
static const char *
undocumented(const struct facts *f)
{
    struct span base, type, id;
    bool        organization = reference_split(f->actor.reference, &base, &type, &id) && span_eq_text(type, "Organization");

    if (span_empty(f->actor.reference) && f->actor.identifier_count == 0)
        return "who receives it is not known, 2.51(c)(1)";
    if (span_empty(f->emergency_declared_by))
        return "who declares the emergency is not known, 2.51(c)(1)";
    if (span_empty(f->emergency_nature))
        return "the nature of the emergency is not stated, 2.51(c)(4)";
    /* An organization that asks is its own facility; so is whoever is known by identifier alone. */
    if (!organization && !span_empty(f->actor.reference) && span_empty(f->emergency_affiliation)
        && span_empty(f->actor.on_behalf_of) && span_empty(f->actor.legal_entity))
        return "the facility of the medical personnel is not known, 2.51(c)(1)";
    return NULL;
}
