#include "consent/decision.h"

#include "consent/weigh.h"

struct bench {
    struct weigher         weigher;
    const struct facts    *facts;
    const struct labeling *labeling;
    struct arena          *arena;
    struct subject        *subjects;     /* scratch: of a record without a patient of its own */
};

static enum status     sit(struct bench *, const struct policy *, const struct facts *, const struct references *,
                           const struct labeling *, struct arena *);
static struct decision decide_entry(struct bench *, uint32_t entry);
static struct decision gate(struct bench *, const struct record *);
static bool            before_a_court(const struct bench *);
static bool            is_counseling_note(const struct labeled *);
static bool            names_psychotherapy(const struct voice *);
static bool            is_emergency(const struct bench *);
static bool            refused_for_emergencies(const struct voice *);
static struct decision permitted(struct bench *, const struct record *, const struct voice *);
static struct decision denied(struct bench *, const struct voice *);
static struct decision nothing_said(struct bench *, const struct record *, const struct subject *, size_t count);
static struct decision by_consent(struct decision, const struct voice *);
static struct decision make(enum verdict, enum rule, struct span because);

static const struct {
    const char *number, *citation, *words;
} rules[RULE_COUNT] = {
    [RULE_NONE] = { "", "", "" },
#define RULE(name, number, citation, words) [RULE_##name] = { number, citation, words },
#include "consent/rules.def"
#undef RULE
};

struct decision
decide(const struct policy *policy, const struct facts *facts, const struct references *references,
       const struct labeling *labeling, uint32_t entry, struct arena *arena)
{
    struct bench b;

    if (sit(&b, policy, facts, references, labeling, arena) != ST_OK)
        return (struct decision){ .verdict = VERDICT_DENY };
    return decide_entry(&b, entry);
}

enum status
decide_all(const struct policy *policy, const struct facts *facts, const struct references *references,
           const struct labeling *labeling, struct arena *arena, const struct decision **out)
{
    struct bench     b;
    struct decision *all = arena_make_n(arena, labeling->bundle->count, struct decision);
    enum status      st  = sit(&b, policy, facts, references, labeling, arena);

    if (st != ST_OK)
        return st;
    for (uint32_t e = 0; e < labeling->bundle->count; e++)
        all[e] = decide_entry(&b, e);
    if (arena_spent(arena))
        return ST_NO_MEMORY;
    *out = all;
    return ST_OK;
}

const char *
rule_number(enum rule r)
{
    return r < RULE_COUNT ? rules[r].number : "";
}

const char *
rule_citation(enum rule r)
{
    return r < RULE_COUNT ? rules[r].citation : "";
}

const char *
rule_words(enum rule r)
{
    return r < RULE_COUNT ? rules[r].words : "";
}

const char *
verdict_text(enum verdict v)
{
    static const char *const texts[] = { "deny", "hold", "redact", "permit" };

    return texts[v <= VERDICT_PERMIT ? v : VERDICT_DENY];
}

/* Looks up what does not depend on the record. */
static enum status
sit(struct bench *b, const struct policy *policy, const struct facts *facts, const struct references *references,
    const struct labeling *labeling, struct arena *arena)
{
    *b = (struct bench){ .facts = facts, .labeling = labeling, .arena = arena };
    if (weigher_make(policy, facts, references, arena, &b->weigher) != ST_OK)
        return ST_NO_MEMORY;
    b->subjects = arena_make_n(arena, subjects_most(&b->weigher.whose), struct subject);
    return arena_status(arena);
}

/* ---- the order of evaluation ------------------------------------------------------ */

static struct decision
decide_entry(struct bench *b, uint32_t entry)
{
    struct record   r = record_of(b->labeling, entry, &b->weigher.asker);
    struct subject *subjects = b->subjects;
    struct decision d = gate(b, &r);                                        /* 3, 4 */

    if (d.rule != RULE_NONE)
        return d;
    size_t       count = subjects_of(&b->weigher.whose, &r, subjects);                      /* K1 */
    struct voice all   = { 0 };
    for (size_t i = 0; i < count; i++) {
        struct voice one = weigh_all(&b->weigher, &r, &subjects[i]);
        /* All of them must permit; a deny of one is enough. */
        if (i == 0 || one.says == SAYS_DENY || (one.says == SAYS_NOTHING && all.says == SAYS_PERMIT))
            all = one;
        if (all.says == SAYS_DENY)
            break;
    }
    if (all.says == SAYS_PERMIT && (r.labeled->part2 != PART2_NOT || !is_counseling_note(r.labeled)
                                    || names_psychotherapy(&all)))
        return permitted(b, &r, &all);                                      /* 8 */
    if (is_emergency(b) && !refused_for_emergencies(&all)
        && (r.labeled->part2 != PART2_NOT || (all.says == SAYS_DENY && !is_counseling_note(r.labeled)))) {
        d = make(VERDICT_PERMIT, r.labeled->part2 != PART2_NOT ? RULE_EMERGENCY : RULE_EMERGENCY_RESTRICTED,
                 SPAN("a medical emergency was declared, and consent cannot be obtained in time"));
        d.obligations = OBLIGE_EMERGENCY | OBLIGE_REVIEW | OBLIGE_AUDIT;    /* 9 */
        return d;
    }
    if (all.says == SAYS_DENY)
        return denied(b, &all);
    return nothing_said(b, &r, subjects, count);                            /* 2, 14 */
}

/* Steps 3 and 4; RULE_NONE when both are open. */
static struct decision
gate(struct bench *b, const struct record *r)
{
    if (r->labeled->part2 == PART2_NOT)
        return make(VERDICT_DENY, RULE_NONE, (struct span){ 0 });
    if (before_a_court(b))
        return make(VERDICT_DENY, RULE_PROCEEDINGS,
                    SPAN("a Part 2 record is asked for in a legal context, and a consent for treatment, payment or "
                         "operations does not reach that far"));
    if (is_counseling_note(r->labeled))
        return make(VERDICT_DENY, RULE_COUNSELING,
                    SPAN("an SUD counseling note, kept apart from the record, needs a consent of its own"));
    return make(VERDICT_DENY, RULE_NONE, (struct span){ 0 });
}

static bool
before_a_court(const struct bench *b)
{
    static const char *const classes[] = { "COURT", "LAW_ENFORCEMENT", "INVESTIGATIVE_AGENCY" };
    const struct facts      *f         = b->facts;

    if (f->legal != LEGAL_NONE)
        return true;
    for (size_t i = 0; i < f->actor.class_count; i++)
        for (size_t j = 0; j < sizeof classes / sizeof *classes; j++)
            if (span_eq_text(f->actor.classes[i], classes[j]))
                return true;
    for (size_t i = 0; i < f->purpose_count; i++)
        if (purpose_legal(purpose_of(f->purposes[i])))
            return true;
    return false;
}

/* Kept apart by who wrote them: 2.11, 45 CFR 164.501. */
static bool
is_counseling_note(const struct labeled *l)
{
    return l->counseling_note || labels_have(l->labels, LABEL_PSYTHPN) || labels_have(l->labels, LABEL_HIPAAPSY);
}

static bool
names_psychotherapy(const struct voice *v)
{
    return labels_meet(v->provision->criteria.labels, LABEL_BIT(LABEL_PSYTHPN) | LABEL_BIT(LABEL_HIPAAPSY));
}

/* who declares it and what it is (2.51(c)), every purpose is emergency
 * treatment, and the recipient, where its classes are known, is medical. */
static bool
is_emergency(const struct bench *b)
{
    static const char *const medical[] = { "CE_PROVIDER", "PART2_PROGRAM", "NONHIPAA_TREATING_PROVIDER",
                                           "MEDICAL_PERSONNEL_EMERGENCY" };
    const struct facts      *f         = b->facts;
    bool                     treating  = f->actor.class_count == 0;
    bool                     emergency = false;

    if (!f->emergency || span_empty(f->emergency_declared_by) || span_empty(f->emergency_nature)
        || (span_empty(f->actor.reference) && f->actor.identifier_count == 0))
        return false;
    for (size_t i = 0; i < f->purpose_count; i++) {
        enum purpose p = purpose_of(f->purposes[i]);
        if (!purpose_is_a(p, PURPOSE_ETREAT) && p != PURPOSE_TREAT)
            return false;
        emergency |= purpose_is_a(p, PURPOSE_ETREAT);
    }
    for (size_t i = 0; i < f->actor.class_count; i++)
        for (size_t j = 0; j < sizeof medical / sizeof *medical; j++)
            treating |= span_eq_text(f->actor.classes[i], medical[j]);
    return emergency && treating;
}

/* A patient who said no to emergencies themselves was asked: consent "cannot
 * be obtained" is not true.  A general no does not speak of them. */
static bool
refused_for_emergencies(const struct voice *v)
{
    const purpose_set emergencies = PURPOSE_BIT(PURPOSE_ETREAT) | PURPOSE_BIT(PURPOSE_ERTREAT) | PURPOSE_BIT(PURPOSE_BTG);

    return v->says == SAYS_DENY && v->explicit && (v->provision->criteria.purposes & emergencies) != 0;
}

static struct decision
permitted(struct bench *b, const struct record *r, const struct voice *v)
{
    const purpose_set tpo    = PURPOSE_BIT(PURPOSE_TREAT) | PURPOSE_BIT(PURPOSE_HPAYMT) | PURPOSE_BIT(PURPOSE_HOPERAT);
    purpose_set       listed = v->provision->criteria.purposes;
    struct decision   d      = by_consent(make(VERDICT_PERMIT, RULE_CONSENT_PERMIT, (struct span){ 0 }), v);

    d.obligations = OBLIGE_AUDIT;
    if (r->labeled->part2 != PART2_NOT) {
        bool single = (listed & tpo) == tpo;
        for (enum purpose p = PURPOSE_NONE + 1; p < PURPOSE_COUNT; p++)
            if ((listed & PURPOSE_BIT(p)) != 0 && !purpose_covers(PURPOSE_TREAT, p)
                && !purpose_covers(PURPOSE_HPAYMT, p) && !purpose_covers(PURPOSE_HOPERAT, p))
                single = false;
        d.rule = single ? RULE_TPO : RULE_SPECIFIC;
        d.obligations |= OBLIGE_NOTICE | OBLIGE_CONSENT_COPY | OBLIGE_ACCOUNTING;
    }
    if ((b->weigher.asker.purposes & PURPOSE_BIT(PURPOSE_BTG)) != 0)
        d.obligations |= OBLIGE_EMERGENCY | OBLIGE_REVIEW;
    d.because = arena_format(b->arena, "%.*s%s%.*s permits it: %s", SPAN_PRINT(v->consent->reference),
                             v->consent->dated ? " of " : "", SPAN_PRINT(v->consent->date_text),
                             d.rule == RULE_TPO ? "treatment, payment and health care operations, for this recipient"
                             : !v->explicit     ? "it is a general opt-in, and nothing in it speaks against this recipient"
                             : v->rank != RANK_NOBODY ? "it names this recipient"
                                                      : "its conditions are met");
    return d;
}

static struct decision
denied(struct bench *b, const struct voice *v)
{
    struct decision d = make(VERDICT_DENY, RULE_CONSENT_DENY, (struct span){ 0 });
    const char     *why;

    if (v->unseen) {
        d    = make(VERDICT_HOLD, RULE_UNINSPECTED, (struct span){ 0 });
        why  = "excludes certain content, and this could not be inspected";
    } else if (v->limit) {
        why = "permits other data to this recipient, not this";
    } else if (!v->explicit) {
        why = "is an opt-out, and nothing in it permits this";
    } else if (v->uncertain) {
        why = "excludes somebody who cannot be told from this recipient";
    } else if (v->rank != RANK_NOBODY) {
        why = "excludes this recipient";
    } else {
        why = (v->stated & DIMENSIONS_OF_DATA) != 0 ? "excludes this data" : "excludes this use";
    }
    d         = by_consent(d, v);
    d.because = arena_format(b->arena, "%.*s%s%.*s %s", SPAN_PRINT(v->consent->reference),
                               v->consent->dated ? " of " : "", SPAN_PRINT(v->consent->date_text), why);
    return d;
}

static struct decision
nothing_said(struct bench *b, const struct record *r, const struct subject *subjects, size_t count)
{
    if (r->labeled->part2 != PART2_NOT)
        return make(VERDICT_DENY, RULE_NO_CONSENT, why_silent(&b->weigher, r, subjects, count));
    if (r->labeled->uninspected && b->facts->sender != SENDER_NOT_PROGRAM)
        return make(VERDICT_HOLD, RULE_UNINSPECTED,
                    SPAN("it holds content that could not be inspected, and its sender may be a Part 2 program"));
    if (is_counseling_note(r->labeled))
        return make(VERDICT_DENY, RULE_PSYCHOTHERAPY,
                    SPAN("a psychotherapy note is not disclosed without an authorization that names it"));
    if (b->facts->site.withhold_without_consent && count > 0)
        return make(VERDICT_DENY, RULE_SITE_DENY,
                    SPAN("no consent speaks about it, and this site withholds without one"));
    struct decision d = make(VERDICT_PERMIT, RULE_SITE_PERMIT,
                             SPAN("it is not protected by 42 CFR Part 2, and no consent speaks about it"));
    d.obligations = OBLIGE_AUDIT;
    return d;
}

static struct decision
by_consent(struct decision d, const struct voice *v)
{
    d.consent   = v->consent;
    d.provision = v->provision->node != TAPE_ABSENT ? v->provision : NULL;
    return d;
}

static struct decision
make(enum verdict verdict, enum rule rule, struct span because)
{
    return (struct decision){ .verdict = verdict, .rule = rule, .because = because };
}
