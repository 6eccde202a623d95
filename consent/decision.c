#include "consent/basis.h"
#include "consent/review.h"
#include "consent/shared_drug.h"
#include "consent/state_overlay.h"

struct permit { const struct consent *by; const char *why; struct span because; };

struct bench {
    struct weigher         weigher;
    struct inquiry         inquiry;
    const struct facts    *facts;
    const struct labeling *labeling;
    struct arena          *arena;
    struct subject        *subjects;     /* scratch: of a record without a patient of its own */
    struct permit          last;         /* most entries are let go for the same reason: it is written once */
};

static enum status     sit(struct bench *, const struct policy *, const struct facts *, const struct references *,
                           const struct labeling *, struct arena *);
static struct decision decide_entry(struct bench *, uint32_t entry);
static struct decision decide_for(struct bench *, struct record *, struct subject *, size_t count);
static struct decision of_those_who_let(struct bench *, struct record *, size_t count, struct decision all);
static struct decision of_each_taker(struct bench *, const struct record *, size_t count, struct decision all);
static struct decision unfollowed(const struct bench *, const struct asking *, struct decision);
static struct decision protected(struct bench *, struct record *, const struct asking *);
static struct decision outside(struct bench *, struct record *, const struct asking *);
static struct answer   legal_bases(const struct asking *);
static struct answer   note_bases(const struct asking *);
static struct answer   late_bases(struct bench *, const struct asking *, const struct voice *);
static struct decision gate_closed(struct bench *, struct answer);
static struct voice    weigh_patients(struct bench *, struct record *, const struct asking *, kind_set);
static kind_set        kinds_for(const struct inquiry *);
static bool            names_psychotherapy(const struct voice *);
static bool            names_the_use(const struct voice *);
static bool            refused_for_emergencies(const struct voice *);
static struct decision permitted(struct bench *, const struct asking *, const struct voice *);
static bool            is_fundraising(const struct bench *);
static enum rule       consent_rule(const struct voice *);
static bool            is_single_tpo(purpose_set listed);
static bool            enrolment_told(const struct asking *);
static struct decision denied(struct bench *, const struct voice *);
static struct decision nothing_said(struct bench *, const struct asking *, struct answer);
static struct decision answered(struct bench *, struct answer);
static struct decision by_consent(struct decision, const struct voice *);
static struct decision make(enum verdict, enum rule, struct span because);

static const struct {
    const char *number;
    unsigned    step;
    const char *citation, *words;
} rules[RULE_COUNT] = {
    [RULE_NONE] = { "", 0, "", "" },
#define RULE(name, number, step, citation, words, example, scenarios) [RULE_##name] = { number, step, citation, words },
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

struct bench *
bench_new(const struct policy *policy, const struct facts *facts, const struct references *references, struct arena *arena)
{
    struct bench *b = arena_make(arena, struct bench);

    return b != NULL && sit(b, policy, facts, references, NULL, arena) == ST_OK ? b : NULL;
}

struct decision
bench_decide(struct bench *b, const struct labeling *labeling, uint32_t entry)
{
    b->labeling      = labeling;
    b->weigher.kinds = kinds_for(&b->inquiry);
    return decide_entry(b, entry);
}

struct decision
bench_suppose(struct bench *b, const struct labeling *labeling, uint32_t entry)
{
    struct permit   kept = b->last;
    struct decision d    = bench_decide(b, labeling, entry);

    b->last   = kept;
    d.because = (struct span){ NULL, 0 };
    return d;
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

struct span
decision_paper(const struct decision *d, struct filed *filed)
{
    struct filed nothing = { 0 };

    if (filed == NULL)
        filed = &nothing;
    *filed = d->document != NULL ? d->document->filed : d->emergency != NULL ? d->emergency->filed
             : d->restriction != NULL ? d->restriction->filed : nothing;
    return d->document != NULL ? d->document->id : d->emergency != NULL ? d->emergency->id
           : d->restriction != NULL ? d->restriction->id : (struct span){ 0 };
}

static bool
add_consents(struct consents *list, const struct decision *d, struct arena *arena)
{
    bool fine = consents_add(list, d->consent, arena);

    for (size_t i = 0; i < d->also_count && fine; i++)
        fine = consents_add(list, d->also[i], arena);
    return fine;
}

bool
decision_join(struct decision *d, const struct decision *other, struct arena *arena)
{
    struct consents list = { NULL, 0, 0 };

    d->obligations |= other->obligations;
    if (other->consent == NULL)
        return true;
    if (!add_consents(&list, d, arena) || !add_consents(&list, other, arena))
        return false;
    d->consent    = list.all[0];
    d->also       = list.all + 1;
    d->also_count = list.count - 1;
    return true;
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

unsigned
rule_step(enum rule r)
{
    return r < RULE_COUNT ? rules[r].step : 0;
}

bool
rule_is_basis(enum rule r)
{
    struct span number = span_of(rule_number(r));

    return r != RULE_EMERGENCY_RESTRICTED && (span_starts(number, SPAN("R-")) || span_starts(number, SPAN("B2-")));
}

/* Both denials are one word: who reads the reason is inside the holder in any case. */
const char *
verdict_text(enum verdict v)
{
    static const char *const texts[] = { "deny", "deny", "hold", "redact", "permit" };

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
    if (inquiry_make(facts, &b->weigher.asker, &b->weigher.whose, arena, &b->inquiry) != ST_OK)
        return ST_NO_MEMORY;
    b->weigher.kinds = kinds_for(&b->inquiry);
    b->subjects = arena_make_n(arena, subjects_most(&b->weigher.whose), struct subject);
    return arena_status(arena);
}

/* ---- the order of evaluation ------------------------------------------------------ */

static struct decision
decide_entry(struct bench *b, uint32_t entry)
{
    struct record   r     = record_of(b->labeling, entry, &b->weigher.asker);
    size_t          count = subjects_of(&b->weigher.whose, &r, b->subjects);      /* K1 */
    struct decision d     = decide_for(b, &r, b->subjects, count);

    if (count <= 1 || d.verdict == VERDICT_PERMIT || !type_is_of_no_patient(r.type))
        return d;
    return r.labeled->shared && count <= SUBJECTS_APART ? of_each_taker(b, &r, count, d) : of_those_who_let(b, &r, count, d);
}

static struct decision
decide_for(struct bench *b, struct record *r, struct subject *subjects, size_t count)
{
    struct asking a = { .inquiry = &b->inquiry, .record = r, .subjects = subjects, .subject_count = count,
                        .note = labeled_note(r->labeled) };

    struct decision d = r->labeled->part2 == PART2_NOT ? outside(b, r, &a) : protected(b, r, &a);    /* 2 */
    if (d.verdict == VERDICT_HOLD && r->labeled->found_count > 0)
        d = review_settle(d, r->labeled);
    if (b->weigher.whose.linked != NULL)
        d = unfollowed(b, &a, d);                                           /* K12 */
    if (b->facts->pack_count == 0)
        return d;
    return state_narrow(&b->weigher, &a, r, d);                             /* 11 */
}

/* K1: a drug is in the record of whoever takes it.  As far as one of them lets it go it goes with
 * their record, and what the others did not let go does not bring it (C3). */
static struct decision
of_those_who_let(struct bench *b, struct record *r, size_t count, struct decision all)
{
    enum verdict best = VERDICT_DENY;
    size_t       kept = 0;

    for (size_t i = 0; i < count; i++) {
        enum verdict one = decide_for(b, r, &b->subjects[i], 1).verdict;
        if (one > best) {
            best = one;
            kept = 0;
        }
        if (one == best && best > all.verdict)
            b->subjects[kept++] = b->subjects[i];
    }
    return kept > 0 ? decide_for(b, r, b->subjects, kept) : all;
}

/* The same of a drug that may be of other programs for each of them. */
static struct decision
of_each_taker(struct bench *b, const struct record *r, size_t count, struct decision all)
{
    struct subject takers[SUBJECTS_APART];
    struct record  one  = *r;
    size_t         kept = 0;

    for (size_t i = 0; i < count && one.labeled != NULL; i++) {
        one.labeled = shared_drug_of(&b->weigher.whose, b->labeling, r->entry, &b->subjects[i], 1);
        if (one.labeled == NULL)
            continue;
        one.program       = one.labeled->program;
        struct decision d = decide_for(b, &one, &b->subjects[i], 1);
        if (d.verdict > all.verdict) {
            all  = d;
            kept = 0;
        } else if (kept == 0 || d.verdict < all.verdict) {
            continue;
        } else if (!decision_join(&all, &d, b->arena)) {
            one.labeled = NULL;
        }
        takers[kept++] = b->subjects[i];
    }
    if (kept > 0 && one.labeled != NULL)
        one.labeled = all.as = shared_drug_of(&b->weigher.whose, b->labeling, r->entry, takers, kept);
    return one.labeled != NULL ? all : make(VERDICT_DENY, RULE_NONE, SPAN(""));
}

/* What a refusal could have stopped, of a patient with more identities than are followed (linked.h). */
static struct decision
unfollowed(const struct bench *b, const struct asking *a, struct decision d)
{
    bool stops = d.verdict >= VERDICT_HOLD
                 && (d.consent != NULL || rule_step(d.rule) == 2 || rule_step(d.rule) == 8 || rule_step(d.rule) == 10);

    for (size_t i = 0; i < a->subject_count && stops; i++)
        if (linked_too_many(&b->weigher.whose, &a->subjects[i]))
            return make(VERDICT_DENY_STAFF, RULE_LINKS,
                        SPAN("the patient is linked with more identities than are followed: who of them refused is not known"));
    return d;
}

static struct decision
protected(struct bench *b, struct record *r, const struct asking *a)
{
    struct answer say = legal_bases(a);                                     /* 3 */
    struct answer restricted;

    if (say.verdict == VERDICT_PERMIT)
        return answered(b, say);
    if (b->inquiry.legal) {
        const kind_set monitor = KIND_BIT(KIND_CRIMINAL_JUSTICE) & kinds_for(&b->inquiry);
        if (a->note)                    /* 2.31(b)(2): a consent for something else never reaches it, 4 */
            return gate_closed(b, say);
        struct voice   v       = weigh_patients(b, r, a, KIND_BIT(KIND_PROCEEDINGS) | monitor);
        return v.says == SAYS_PERMIT && v.rank != RANK_NOBODY ? permitted(b, a, &v) : gate_closed(b, say);
    }
    if (a->note) {                                                          /* 4 */
        struct voice v = weigh_patients(b, r, a, KIND_BIT(KIND_COUNSELING_NOTES));
        if (v.says == SAYS_PERMIT && v.rank != RANK_NOBODY)
            return permitted(b, a, &v);
        say = answer_better(note_bases(a), say);
        if (b->facts->site.notes_in_emergency) {                            /* H-12 */
            v = weigh_patients(b, r, a, kinds_for(&b->inquiry));
            if (!refused_for_emergencies(&v))
                say = answer_better(say, basis_emergency_whole(a));
        }
        return say.rule != RULE_NONE
                   ? answered(b, say)
                   : make(VERDICT_DENY, RULE_COUNSELING,
                          SPAN("an SUD counseling note, kept apart from the record, needs a consent of its own"));
    }
    say = answer_better(answer_better(answer_better(basis_within(a), basis_documents(a, 5)), basis_patient(a)), say);
    if (say.verdict == VERDICT_PERMIT)
        return answered(b, say);                                            /* 5 */
    struct voice all = weigh_patients(b, r, a, kinds_for(&b->inquiry));
    restricted       = restriction_gate(a);                                 /* 6 */
    if (restricted.rule != RULE_NONE) {
        struct answer urgent = refused_for_emergencies(&all) ? (struct answer){ 0 } : basis_emergency(a);
        urgent.obligations |= OBLIGE_NO_REUSE;
        return answered(b, urgent.verdict == VERDICT_PERMIT ? urgent : restricted);
    }
    if (all.says == SAYS_PERMIT && is_fundraising(b) && !all.consent->opt_out_stated)
        return by_consent(make(VERDICT_DENY, RULE_FUNDRAISING,
                               SPAN("the consent does not state the right to opt out of fundraising")), &all);
    if (all.says == SAYS_PERMIT && (all.consent->kind != KIND_CENTRAL_REGISTRY || enrolment_told(a))) {
        struct decision d = permitted(b, a, &all);
        if (limit_type(d.limit, r->type))
            return d;                                                       /* 8 */
        say = answer_better(say, answer_say(VERDICT_DENY, d.rule, "this kind of record is not what this consent may release"));
    }
    say = answer_better(say, late_bases(b, a, &all));                       /* 8, 9, 10 */
    if (say.verdict == VERDICT_PERMIT || all.says != SAYS_DENY)
        return say.verdict == VERDICT_PERMIT ? answered(b, say) : nothing_said(b, a, say);
    return denied(b, &all);
}

/* Step 2: HIPAA, what the patient's consents say, and the site's default. */
static struct decision
outside(struct bench *b, struct record *r, const struct asking *a)
{
    struct voice  all        = weigh_patients(b, r, a, kinds_for(&b->inquiry));
    struct answer urgent     = basis_emergency(a);
    struct answer restricted = restriction_gate(a);
    bool may = urgent.verdict == VERDICT_PERMIT && !refused_for_emergencies(&all) && !a->note;
    struct decision d;

    urgent.rule = RULE_EMERGENCY_RESTRICTED;
    if (restricted.rule != RULE_NONE && !may)
        return answered(b, restricted);                                     /* 6 */
    struct answer other = all.says != SAYS_DENY && !names_the_use(&all) ? basis_hipaa(a) : (struct answer){ 0 };
    if (other.rule != RULE_NONE && !(a->note && other.verdict == VERDICT_PERMIT))
        d = answered(b, other);
    else if (all.says == SAYS_PERMIT && (!a->note || names_psychotherapy(&all)))
        d = permitted(b, a, &all);
    else if (all.says == SAYS_DENY)
        d = may ? answered(b, urgent) : denied(b, &all);
    else
        d = nothing_said(b, a, (struct answer){ 0 });
    if (restricted.rule != RULE_NONE && d.verdict == VERDICT_PERMIT) {
        d.obligations |= OBLIGE_EMERGENCY | OBLIGE_REVIEW | OBLIGE_NO_REUSE;
        d.emergency = urgent.emergency;
    }
    return d;
}

/* Step 3.  Reports that the law asks for go whether or not there is a proceeding. */
static struct answer
legal_bases(const struct asking *a)
{
    return answer_better(a->inquiry->legal ? basis_order(a) : (struct answer){ 0 }, basis_documents(a, 3));
}

static struct decision
gate_closed(struct bench *b, struct answer say)
{
    if (say.rule != RULE_NONE)
        return answered(b, say);
    if (b->facts->against == AGAINST_NOBODY && b->inquiry.holder == HOLDER_CEBA_TPO)
        return make(VERDICT_HOLD, RULE_PROCEEDINGS,
                    SPAN("it is not against the patient on its face, and HIPAA may permit it: counsel decides, 2.33(b)(1)"));
    return make(VERDICT_DENY, RULE_PROCEEDINGS,
                SPAN("a Part 2 record is asked for in a legal context, and a consent for treatment, payment or "
                     "operations does not reach that far"));
}

/* Step 4, without a consent: the exceptions of 2.31(b)(1), storage, and the patient. */
static struct answer
note_bases(const struct asking *a)
{
    struct answer say = answer_better(basis_own_note(a), basis_documents(a, 5));

    return answer_better(answer_better(say, basis_patient(a)), basis_documents(a, 9));
}

/* Steps 8 to 10, without a consent.  A patient who said no is heard, but in an
 * emergency that the no does not speak of, in an audit and after death. */
static struct answer
late_bases(struct bench *b, const struct asking *a, const struct voice *all)
{
    struct answer say     = refused_for_emergencies(all) ? (struct answer){ 0 } : basis_emergency(a);
    struct answer by_file = basis_documents(a, 9);
    bool          stopped = all->says == SAYS_DENY;

    if (stopped && by_file.rule != RULE_AUDIT && by_file.rule != RULE_VITAL && by_file.rule != RULE_DISASTER)
        by_file = (struct answer){ 0 };
    say = answer_better(say, by_file);
    if (stopped)
        return say;
    say = answer_better(say, basis_documents(a, 8));
    /* H-1: what was received by a consent that has been revoked does not go on from here. */
    for (size_t i = 0; i < a->subject_count && !stopped && !b->facts->site.onward_after_revocation; i++)
        stopped = weigher_revoked(&b->weigher, &a->subjects[i]);
    return stopped ? say : answer_better(say, basis_redisclosure(a));
}

/* All patients whose record it is must permit; a deny of one is enough. */
static struct voice
weigh_patients(struct bench *b, struct record *r, const struct asking *a, kind_set kinds)
{
    struct voice    all  = { 0 };
    struct consents list = { NULL, 0, 0 };

    b->weigher.kinds = kinds;
    for (size_t i = 0; i < a->subject_count && all.says != SAYS_DENY; i++) {
        struct voice one = weigh_all(&b->weigher, r, &a->subjects[i]);
        if (one.says == SAYS_PERMIT && a->subject_count > 1)
            (void)voice_add(&list, &one, b->arena);           /* 2.32(b): each of them goes along */
        if (i == 0 || one.says == SAYS_DENY || (one.says == SAYS_NOTHING && all.says == SAYS_PERMIT))
            all = one;
    }
    if (all.says == SAYS_PERMIT && list.count > 0) {
        all.also       = list.all + 1;
        all.also_count = list.count - 1;
    }
    return all;
}

/* K8.  Of an intermediary a general consent does not say to whom it may pass it on. */
static kind_set
kinds_for(const struct inquiry *q)
{
    const recipient_set hipaa = RECIPIENT_BIT(RECIPIENT_PART2_PROGRAM) | RECIPIENT_BIT(RECIPIENT_CE_PROVIDER)
                                | RECIPIENT_BIT(RECIPIENT_HEALTH_PLAN) | RECIPIENT_BIT(RECIPIENT_BA);
    kind_set            kinds = KIND_BIT(KIND_INTERMEDIARY);
    bool                law   = false, nearby = (q->classes & RECIPIENT_BIT(RECIPIENT_CENTRAL_REGISTRY)) != 0;

    for (size_t i = 0; i < q->standing_count; i++) {
        const struct standing *on_file = &q->standing[i];
        bool                   counts  = on_file->lacks == NULL && span_empty(on_file->document->patient);
        enum instrument_kind   kind    = counts ? on_file->document->kind : INSTRUMENT_NONE;
        law |= kind == INSTRUMENT_PDMP_LAW;
        nearby |= kind == INSTRUMENT_DISTANCE && (q->classes & RECIPIENT_BIT(RECIPIENT_PART2_PROGRAM)) != 0;
    }
    if ((q->classes & RECIPIENT_BIT(RECIPIENT_INTERMEDIARY)) == 0 || (q->classes & hipaa) != 0)
        kinds |= KIND_BIT(KIND_GENERAL);
    if ((q->classes & RECIPIENT_BIT(RECIPIENT_CJ_MONITOR)) != 0)
        kinds |= KIND_BIT(KIND_CRIMINAL_JUSTICE);
    if (nearby)
        kinds |= KIND_BIT(KIND_CENTRAL_REGISTRY);
    if (law && (q->classes & RECIPIENT_BIT(RECIPIENT_PDMP)) != 0)
        kinds |= KIND_BIT(KIND_PDMP);
    return kinds;
}

/* An authorization of its own, 45 CFR 164.508(a)(2): what is for SUD counseling notes is none. */
static bool
names_psychotherapy(const struct voice *v)
{
    return v->consent->kind != KIND_COUNSELING_NOTES && labels_meet(v->provision->criteria.labels, LABEL_BIT(LABEL_PSYTHPN) | LABEL_BIT(LABEL_HIPAAPSY));
}

/* An authorization says who may have it or for what, 45 CFR 164.508(c)(1); a general opt-in is none. */
static bool
names_the_use(const struct voice *v)
{
    return v->says == SAYS_PERMIT && (v->rank != RANK_NOBODY || (v->stated & (DIMENSION_PURPOSE | DIMENSION_ACTOR)) != 0);
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
permitted(struct bench *b, const struct asking *a, const struct voice *v)
{
    struct decision d = by_consent(make(VERDICT_PERMIT, RULE_CONSENT_PERMIT, (struct span){ 0 }), v);

    d.obligations = OBLIGE_AUDIT;
    if (a->record->labeled->part2 != PART2_NOT) {
        d.rule  = is_fundraising(b) ? RULE_FUNDRAISING : consent_rule(v);
        d.limit = d.rule == RULE_REGISTRY ? LIMIT_REGISTRY : d.rule == RULE_PDMP ? LIMIT_PDMP : LIMIT_NONE;
        d.obligations |= OBLIGE_NOTICE | OBLIGE_CONSENT_COPY | OBLIGE_ACCOUNTING;
        if (b->facts->site.operator_role == OPERATOR_INTERMEDIARY                           /* H-10 */
            || (d.rule == RULE_INTERMEDIARY && b->inquiry.holder == HOLDER_INTERMEDIARY))
            d.obligations |= OBLIGE_INTERMEDIARY;
    }
    if ((b->weigher.asker.purposes & PURPOSE_BIT(PURPOSE_BTG)) != 0)
        d.obligations |= OBLIGE_EMERGENCY | OBLIGE_REVIEW;
    struct span why = d.rule == RULE_TPO ? SPAN("treatment, payment and health care operations, for this recipient")
                      : !v->explicit     ? SPAN("it is a general opt-in, and nothing in it speaks against this recipient")
                      : v->rank != RANK_NOBODY ? SPAN("it names this recipient") : SPAN("its conditions are met");
    if (b->last.by != v->consent || b->last.why != why.at)
        b->last = (struct permit){ v->consent, why.at,
                                   arena_join(b->arena, v->consent->reference, v->consent->dated ? SPAN(" of ") : SPAN(""),
                                              v->consent->date_text, SPAN(" permits it: "), why) };
    d.because = b->last.because;
    return d;
}

static bool
is_fundraising(const struct bench *b)
{
    return (b->weigher.asker.purposes & PURPOSE_BIT(PURPOSE_FUNDRAISING)) != 0;
}

static enum rule
consent_rule(const struct voice *v)
{
    switch (v->consent->kind) {
    case KIND_COUNSELING_NOTES: return RULE_NOTES_CONSENT;
    case KIND_PROCEEDINGS:      return RULE_COURT_CONSENT;
    case KIND_CRIMINAL_JUSTICE: return RULE_MONITOR;
    case KIND_CENTRAL_REGISTRY: return RULE_REGISTRY;
    case KIND_PDMP:             return RULE_PDMP;
    case KIND_INTERMEDIARY:     return RULE_INTERMEDIARY;
    default:                    return is_single_tpo(v->provision->criteria.purposes) ? RULE_TPO : RULE_SPECIFIC;
    }
}

/* All three, and nothing beyond them. */
static bool
is_single_tpo(purpose_set listed)
{
    const purpose_set tpo = PURPOSE_BIT(PURPOSE_TREAT) | PURPOSE_BIT(PURPOSE_HPAYMT) | PURPOSE_BIT(PURPOSE_HOPERAT);

    if ((listed & tpo) != tpo)
        return false;
    for (purpose_set left = listed & ~tpo; left != 0; left &= left - 1) {
        enum purpose p = purpose_first(left);
        if (!purpose_covers(PURPOSE_TREAT, p) && !purpose_covers(PURPOSE_HPAYMT, p) && !purpose_covers(PURPOSE_HOPERAT, p))
            return false;
    }
    return true;
}

/* the registry is told when somebody is accepted, changed, interrupted, resumed or terminated. */
static bool
enrolment_told(const struct asking *a)
{
    for (size_t i = 0; i < a->inquiry->standing_count; i++)
        if (a->inquiry->standing[i].document->kind == INSTRUMENT_ENROLMENT && a->inquiry->standing[i].lacks == NULL
            && basis_concerns(a, &a->inquiry->standing[i]))
            return true;
    return false;
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
    d.rule    = v->linked && d.rule == RULE_CONSENT_DENY ? RULE_LINKED : d.rule;
    d.because = arena_format(b->arena, "%.*s%s%.*s%s %s", SPAN_PRINT(v->consent->reference),
                             v->consent->dated ? " of " : "", SPAN_PRINT(v->consent->date_text),
                             v->linked ? ", of another identity that is linked," : "", why);
    return d;
}

static struct decision
nothing_said(struct bench *b, const struct asking *a, struct answer say)
{
    const struct record *r = a->record;

    if (say.rule != RULE_NONE)
        return answered(b, say);
    if (r->labeled->part2 != PART2_NOT)
        return make(VERDICT_DENY, RULE_NO_CONSENT, why_silent(&b->weigher, r, a->subjects, a->subject_count));   /* 14 */
    if (r->labeled->uninspected && !r->labeled->inspected && b->facts->sender != SENDER_NOT_PROGRAM)
        return make(VERDICT_HOLD, RULE_UNINSPECTED,
                    SPAN("it holds content that could not be inspected, and its sender may be a Part 2 program"));
    if (a->note)
        return make(VERDICT_DENY, RULE_PSYCHOTHERAPY,
                    SPAN("a psychotherapy note is not disclosed without an authorization that names it"));
    if (b->facts->site.withhold_without_consent && a->subject_count > 0)
        return make(VERDICT_DENY, RULE_SITE_DENY,
                    SPAN("no consent speaks about it, and this site withholds without one"));
    struct decision d = make(VERDICT_PERMIT, RULE_SITE_PERMIT,
                             SPAN("it is not protected by 42 CFR Part 2, and no consent speaks about it"));
    d.obligations = OBLIGE_AUDIT;
    return d;
}

/* Of a basis that is no consent. */
static struct decision
answered(struct bench *b, struct answer say)
{
    struct decision d = make(say.verdict, say.rule, span_of(say.because));

    d.obligations = say.verdict == VERDICT_PERMIT ? say.obligations : say.obligations & OBLIGE_REVIEW;
    d.limit       = say.verdict >= VERDICT_HOLD ? say.limit : LIMIT_NONE;     /* a person may let it go */
    d.document    = say.document;
    d.emergency   = say.emergency;
    d.restriction = say.restriction;
    if (say.document != NULL)
        d.because = arena_format(b->arena, "%s %.*s: %s", instrument_words(say.document->kind),
                                 SPAN_PRINT(say.document->id), say.because);
    return d;
}

static struct decision
by_consent(struct decision d, const struct voice *v)
{
    d.consent    = v->consent;
    d.also       = v->also;
    d.also_count = v->also_count;
    d.provision = v->provision->node != TAPE_ABSENT ? v->provision : NULL;
    return d;
}

static struct decision
make(enum verdict verdict, enum rule rule, struct span because)
{
    return (struct decision){ .verdict = verdict, .rule = rule, .because = because };
}
