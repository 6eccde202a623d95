#include "consent/basis.h"

static bool        is_treatment(const struct inquiry *, bool *emergency);
static bool        is_medical(const struct inquiry *);
static const char *undocumented(const struct facts *);

/* R-13, 2.51(a)(1): medical personnel, a purpose of emergency treatment and no
 * other, and what 2.51(c) has written down: who received it and of which
 * facility, and the nature of the emergency.  Who discloses and when is the
 * log's to add.  A patient who was asked and refused could be asked. */
struct answer
basis_emergency(const struct asking *a)
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

static bool
is_treatment(const struct inquiry *q, bool *emergency)
{
    for (size_t i = 0; i < q->facts->purpose_count; i++) {
        enum purpose p = purpose_of(q->facts->purposes[i]);
        if (!purpose_is_a(p, PURPOSE_ETREAT) && p != PURPOSE_TREAT)
            return false;
        *emergency |= purpose_is_a(p, PURPOSE_ETREAT);
    }
    return true;
}

/* As far as classes and roles are known. */
static bool
is_medical(const struct inquiry *q)
{
    const recipient_set medical = RECIPIENT_BIT(RECIPIENT_CE_PROVIDER) | RECIPIENT_BIT(RECIPIENT_PART2_PROGRAM)
                                  | RECIPIENT_BIT(RECIPIENT_NONHIPAA_TREATING_PROVIDER)
                                  | RECIPIENT_BIT(RECIPIENT_MEDICAL_PERSONNEL_EMERGENCY);
    const role_set      treats  = ROLE_BIT(ROLE_MEDICAL_PERSONNEL) | ROLE_BIT(ROLE_TREATING_PROVIDER);
    const struct party *actor   = &q->facts->actor;

    return (actor->class_count == 0 || (q->classes & medical) != 0) && (actor->role_count == 0 || (q->roles & treats) != 0);
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
