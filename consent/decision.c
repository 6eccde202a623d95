#include "consent/decision.h"

#include "consent/match.h"

#include <string.h>

/* What one consent, or a branch of it, says about one record. */
enum says { SAYS_NOTHING = 0, SAYS_DENY, SAYS_PERMIT };

struct voice {
    enum says               says;
    bool                    explicit;    /* a criterion matched; else it is the base decision */
    bool                    limit;       /* K5: the rest of a limited permit */
    bool                    uncertain;   /* the actor was indeterminate */
    bool                    unseen;      /* a deny only because the content could not be inspected */
    enum rank               rank;
    uint32_t                stated;      /* DIMENSION_* */
    const struct consent   *consent;
    const struct provision *provision;
};

/* A patient, as an entry of the bundle or by name.  The key is the same for
 * all spellings of a name: most patients are told apart by it alone. */
struct subject {
    uint32_t    entry;
    uint64_t    key;
    struct span name;
};

enum {
    SUBJECTS_TOLD_APART = 16,            /* of a record without a patient of its own: the others are asked again */
    MAX_REFUSALS = 2 * 3 * 32,           /* kinds: explicit or not, rank, which of five dimensions of data */
};

/* Refusals that every permit meets in the same way, as one: the newest of them. */
struct refusal {
    bool      explicit;
    enum rank rank;
    uint32_t  data;                      /* DIMENSIONS_OF_DATA that they state  */
    int64_t   last_ms;                   /* of their dates; INT64_MAX without one */
};

/* What the consents of one patient say about one record.  Permits stand in a
 * list, refusals by kind: a thousand consents cost a thousand steps. */
struct voices {
    struct voice  *permits;              /* scratch, one per consent */
    size_t         permit_count;
    struct refusal refusals[MAX_REFUSALS];
    size_t         refusal_count;
    bool           limited[RANK_INDIVIDUAL + 1];   /* K5, by rank */
    int64_t        limit_ms[RANK_INDIVIDUAL + 1];  /* of those with a date the newest */
    struct voice   refusing;             /* the refusal that is shown */
    bool           explicit;
};

struct bench {
    const struct policy     *policy;
    const struct facts      *facts;
    const struct references *references;
    const struct labeling   *labeling;
    struct arena            *arena;
    struct asker             asker;
    struct audience         *audiences;  /* by consent->first_number + provision */
    struct subject          *patients;   /* by consent */
    const char             **unusable;   /* by consent */
    struct voice            *branches;   /* scratch, by provision of one consent */
    struct voices            voices;     /* scratch */
    struct subject          *subjects;   /* scratch: of a record without a patient of its own */
    struct subject           only;       /* the one patient of the bundle, once it was asked for */
    bool                     only_known;
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

static size_t       subjects_of(struct bench *, const struct record *, struct subject *out);
static struct voice weigh_all(struct bench *, struct record *, const struct subject *);
static struct voice weigh(struct bench *, const struct record *, const struct subject *);
static void         add_voice(struct voices *, const struct voice *);
static void         add_refusal(struct voices *, const struct voice *);
static struct voice combine(const struct voices *);
static bool         stands(const struct voice *permit, const struct voices *);
static bool         beats(const struct voice *permit, const struct refusal *);
static bool         better(const struct voice *, const struct voice *);
static struct voice consent_voice(struct bench *, const struct consent *, const struct record *);
static struct voice root_voice(struct bench *, const struct provision *, const struct record *);
static struct voice own_voice(struct bench *, const struct provision *, const struct record *);
static struct voice base_voice(const struct provision *root, const struct audience *, const struct record *);
static struct voice branches_voice(const struct voice *, uint32_t count);
static bool         refines(const struct voice *permit, const struct voice *deny);
static bool         may_release(const struct provision *, const struct audience *, const struct record *);

static struct subject subject_of_entry(struct bench *, uint32_t entry);
static struct subject subject_named(struct span name);
static struct subject subject_of_consent(struct bench *, const struct consent *);
static struct subject only_patient(struct bench *);
static bool           same_subject(const struct subject *, const struct subject *);
static bool           is_directory(struct span type);
static struct span    why_silent(struct bench *, const struct record *, const struct subject *, size_t count);
static const char    *nearest_miss(struct bench *, const struct consent *, const struct record *);

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
    uint32_t most = 1;

    *b = (struct bench){ .policy = policy, .facts = facts, .references = references, .labeling = labeling,
                         .arena = arena };
    b->audiences = arena_make_n(arena, policy->provision_count, struct audience);
    b->patients  = arena_make_n(arena, policy->consent_count, struct subject);
    b->unusable  = arena_make_n(arena, policy->consent_count, const char *);
    b->voices.permits = arena_make_n(arena, policy->consent_count + 1, struct voice);
    if (arena_spent(arena) || asker_make(facts, references, arena, &b->asker) != ST_OK)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < policy->consent_count; i++) {
        const struct consent *c = &policy->consents[i];
        b->unusable[i] = consent_unusable(c, facts);
        if (b->unusable[i] != NULL)
            continue;
        b->patients[i] = subject_of_consent(b, c);
        for (uint32_t p = 0; p < c->provision_count; p++)
            b->audiences[c->first_number + p] = match_audience(&c->provisions[p], &b->asker);
        most = c->provision_count > most ? c->provision_count : most;
    }
    b->branches = arena_make_n(arena, most, struct voice);
    most        = 1;
    for (uint32_t e = 0; references != NULL && e < labeling->bundle->count; e++)
        if (references_to(references, e) > most && span_empty(entry_patient(references, e, NULL)))
            most = references_to(references, e);
    b->subjects = arena_make_n(arena, most, struct subject);
    return arena_status(arena);
}

/* ---- the order of evaluation ------------------------------------------------------ */

static struct decision
decide_entry(struct bench *b, uint32_t entry)
{
    struct record   r = record_of(b->labeling, entry, &b->asker);
    struct subject *subjects = b->subjects;
    struct decision d = gate(b, &r);                                        /* 3, 4 */

    if (d.rule != RULE_NONE)
        return d;
    size_t       count = subjects_of(b, &r, subjects);                      /* K1 */
    struct voice all   = { 0 };
    for (size_t i = 0; i < count; i++) {
        struct voice one = weigh_all(b, &r, &subjects[i]);
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

/* P7: for each program whose record it is.  All of them must be released; r->program is
 * left at the one that is not. */
static struct voice
weigh_all(struct bench *b, struct record *r, const struct subject *subject)
{
    struct voice all = weigh(b, r, subject);

    for (size_t i = 0; i < r->labeled->other_count && all.says != SAYS_DENY; i++) {
        const struct program *before = r->program;
        r->program                   = r->labeled->others[i];
        struct voice one             = weigh(b, r, subject);
        if (one.says == SAYS_DENY || (one.says == SAYS_NOTHING && all.says == SAYS_PERMIT))
            all = one;
        else
            r->program = before;
    }
    return all;
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
    if ((b->asker.purposes & PURPOSE_BIT(PURPOSE_BTG)) != 0)
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
        return make(VERDICT_DENY, RULE_NO_CONSENT, why_silent(b, r, subjects, count));
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

/* ---- consents of one patient ------------------------------------------------------ */

static struct voice
weigh(struct bench *b, const struct record *r, const struct subject *subject)
{
    struct voices *all = &b->voices;

    all->permit_count = all->refusal_count = 0;
    all->explicit = false;
    all->refusing = (struct voice){ 0 };
    memset(all->limited, 0, sizeof all->limited);
    for (size_t i = 0; i < b->policy->consent_count; i++) {
        if (b->unusable[i] != NULL || !same_subject(subject, &b->patients[i]))
            continue;                                                       /* K1 */
        struct voice v = consent_voice(b, &b->policy->consents[i], r);
        if (v.says != SAYS_NOTHING)
            add_voice(all, &v);
    }
    return combine(all);
}

static void
add_voice(struct voices *all, const struct voice *v)
{
    all->explicit |= v->explicit;
    if (v->says == SAYS_PERMIT) {
        all->permits[all->permit_count++] = *v;
        return;
    }
    if (all->refusing.says == SAYS_NOTHING || better(v, &all->refusing))
        all->refusing = *v;
    add_refusal(all, v);
    if (!v->limit)
        return;
    if (!all->limited[v->rank])
        all->limit_ms[v->rank] = INT64_MIN;
    all->limited[v->rank] = true;
    if (v->consent->dated && v->consent->date.first_ms > all->limit_ms[v->rank])
        all->limit_ms[v->rank] = v->consent->date.first_ms;
}

static void
add_refusal(struct voices *all, const struct voice *v)
{
    struct refusal mine = { v->explicit, v->rank, v->stated & DIMENSIONS_OF_DATA,
                            v->consent->dated ? v->consent->date.last_ms : INT64_MAX };
    size_t         i    = 0;

    while (i < all->refusal_count && (all->refusals[i].explicit != mine.explicit || all->refusals[i].rank != mine.rank
                                      || all->refusals[i].data != mine.data))
        i++;
    if (i == all->refusal_count)
        all->refusals[all->refusal_count++] = mine;                         /* there are no more kinds than room */
    else if (mine.last_ms > all->refusals[i].last_ms)
        all->refusals[i].last_ms = mine.last_ms;
}

/* K3, K4 */
static struct voice
combine(const struct voices *all)
{
    struct voice best = { 0 };

    for (size_t i = 0; i < all->permit_count; i++) {
        const struct voice *v = &all->permits[i];
        if (v->explicit == all->explicit && (best.says == SAYS_NOTHING || better(v, &best)) && stands(v, all))
            best = *v;
    }
    return best.says == SAYS_PERMIT ? best : all->refusing;
}

static bool
stands(const struct voice *permit, const struct voices *all)
{
    for (size_t i = 0; i < all->refusal_count; i++)
        if (all->refusals[i].explicit == all->explicit && !beats(permit, &all->refusals[i]))
            return false;
    /* K5: the same recipient named again, later and narrower */
    for (enum rank rank = RANK_ORGANIZATION; all->explicit && rank <= RANK_INDIVIDUAL; rank++)
        if (all->limited[rank] && permit->rank <= rank && (permit->stated & DIMENSIONS_OF_DATA) == 0
            && (!permit->consent->dated || all->limit_ms[rank] > permit->consent->date.last_ms))
            return false;
    return true;
}

/* Newer is surely after the other: "2024" and "2024-03" are not. */
static bool
beats(const struct voice *permit, const struct refusal *deny)
{
    bool newer = permit->consent->dated && permit->consent->date.first_ms > deny->last_ms;

    if (deny->explicit && deny->data != 0)
        return newer && permit->rank >= deny->rank
               && (permit->rank != RANK_NOBODY || (permit->stated & deny->data) != 0);
    if (permit->rank != deny->rank && deny->explicit)
        return permit->rank > deny->rank;
    return newer;
}

/* Which of two that say the same is shown: the same one in any order. */
static bool
better(const struct voice *a, const struct voice *b)
{
    if (a->explicit != b->explicit)
        return a->explicit;
    if (a->unseen != b->unseen)
        return b->unseen;
    if (a->rank != b->rank)
        return a->rank > b->rank;
    if (a->consent->date.first_ms != b->consent->date.first_ms)
        return a->consent->date.first_ms > b->consent->date.first_ms;
    return span_compare(a->consent->reference, b->consent->reference) < 0;
}

/* ---- one consent -------------------------------------------------------------------- */

/* K2.  Children stand behind their parents, so one walk from the end sees
 * every branch before its stem. */
static struct voice
consent_voice(struct bench *b, const struct consent *c, const struct record *r)
{
    for (uint32_t i = c->provision_count; i-- > 0;) {
        const struct provision *p = &c->provisions[i];
        struct voice            v = branches_voice(b->branches + p->first_child, p->child_count);
        if (v.says == SAYS_NOTHING)
            v = i == 0 ? root_voice(b, p, r) : own_voice(b, p, r);
        b->branches[i] = v;
    }
    return b->branches[0];
}

static struct voice
branches_voice(const struct voice *all, uint32_t count)
{
    struct voice best = { 0 };

    for (uint32_t i = 0; i < count; i++) {
        const struct voice *v     = &all[i];
        bool                stand = v->says == SAYS_PERMIT;
        for (uint32_t j = 0; stand && j < count; j++)
            stand = all[j].says != SAYS_DENY || refines(v, &all[j]);
        if (stand && (best.says == SAYS_NOTHING || better(v, &best)))
            best = *v;
    }
    for (uint32_t i = 0; best.says != SAYS_PERMIT && i < count; i++)
        if (all[i].says == SAYS_DENY && (best.says == SAYS_NOTHING || better(&all[i], &best)))
            best = all[i];
    return best;
}

static bool
refines(const struct voice *permit, const struct voice *deny)
{
    if (deny->uncertain && permit->rank != RANK_NOBODY)
        return true;
    return (deny->stated & ~permit->stated) == 0 && (permit->stated != deny->stated || permit->rank > deny->rank);
}

static struct voice
root_voice(struct bench *b, const struct provision *root, const struct record *r)
{
    const struct audience *a        = &b->audiences[root->consent->first_number];
    bool                   criteria = (root->criteria.stated & ~(uint32_t)DIMENSION_CUSTODIAN) != 0;
    struct voice           v        = { 0 };

    if (criteria)
        v = own_voice(b, root, r);
    if (v.says != SAYS_NOTHING)
        return v;
    /* K5 */
    if (root->type == PROVISION_PERMIT && (root->criteria.stated & DIMENSIONS_OF_DATA) != 0 && a->match == MATCH_YES
        && match_data(root, r) != MATCH_YES && match_custodian(root, r) != MATCH_NO)
        return (struct voice){ .says = SAYS_DENY, .limit = true, .rank = a->rank, .stated = root->criteria.stated,
                               .consent = root->consent, .provision = root };
    return base_voice(root, a, r);
}

static struct voice
own_voice(struct bench *b, const struct provision *p, const struct record *r)
{
    const struct audience *a = &b->audiences[p->consent->first_number + (uint32_t)(p - p->consent->provisions)];
    struct voice           v = { .explicit = true, .rank = a->rank, .stated = p->criteria.stated, .consent = p->consent,
                                 .provision = p };

    if (p->type == PROVISION_SILENT || a->match == MATCH_NO || match_custodian(p, r) == MATCH_NO)
        return (struct voice){ 0 };
    enum match data = match_data(p, r);
    if (p->type == PROVISION_PERMIT && a->match == MATCH_YES && data == MATCH_YES && may_release(p, a, r))
        v.says = SAYS_PERMIT;
    if (p->type == PROVISION_DENY && data != MATCH_NO)
        v.says = SAYS_DENY;
    v.uncertain = a->actor == MATCH_UNKNOWN;
    v.unseen    = data == MATCH_UNKNOWN && r->labeled->uninspected && a->match == MATCH_YES;
    return v;
}

static struct voice
base_voice(const struct provision *root, const struct audience *a, const struct record *r)
{
    const struct consent *c = root->consent;
    struct voice          v = { .consent = c, .provision = root };

    if (match_custodian(root, r) == MATCH_NO)
        return (struct voice){ 0 };
    if (c->base == BASE_DENY)
        v.says = SAYS_DENY;
    if (c->base == BASE_PERMIT && root->criteria.unreadable == 0 && may_release(root, a, r))
        v.says = SAYS_PERMIT;
    return v;
}

/* V1; P7, V3, U2: what a permit needs beyond its criteria, and more for a Part 2 record. */
static bool
may_release(const struct provision *p, const struct audience *a, const struct record *r)
{
    if (p->consent->denies_only != NULL)
        return false;
    if (r->labeled->part2 == PART2_NOT)
        return true;
    return a->part2_purpose && consent_speaks_for(p, r) && consent_deficiency(p->consent, r->asker->facts) == NULL;
}

/* ---- whose record, whose consent ------------------------------------------------------ */

/* K1.  Whoever refers to a record without a patient of its own speaks for it,
 * however many they are; `out` has room for one a reference. */
static size_t
subjects_of(struct bench *b, const struct record *r, struct subject *out)
{
    size_t   count = 0;
    uint32_t from  = b->references != NULL ? references_to(b->references, r->entry) : 0;

    out[0] = subject_of_entry(b, r->entry);
    if (!span_empty(out[0].name))
        return 1;
    if (is_directory(r->type) && r->labeled->part2 == PART2_NOT && labels_sensitive(r->labeled->labels) == 0)
        return 0;
    for (uint32_t i = 0; i < from; i++) {
        uint32_t       other = references_to_at(b->references, r->entry, i)->from;
        struct subject s     = other != ENTRY_NONE ? subject_of_entry(b, other) : subject_named(SPAN(""));
        bool           seen  = span_empty(s.name);
        for (size_t j = 0; j < count && j < SUBJECTS_TOLD_APART && !seen; j++)
            seen = same_subject(&out[j], &s);
        if (!seen && (count == 0 || !same_subject(&out[count - 1], &s)))
            out[count++] = s;
    }
    if (count > 0)
        return count;
    if (!span_empty(b->facts->patient) && !span_eq_text(b->facts->patient, "*"))
        out[0] = subject_named(b->facts->patient);
    else
        out[0] = only_patient(b);
    return span_empty(out[0].name) ? 0 : 1;
}

static struct subject
subject_of_entry(struct bench *b, uint32_t entry)
{
    uint32_t       patient = ENTRY_NONE;
    struct subject s = subject_named(b->references != NULL ? entry_patient(b->references, entry, &patient) : SPAN(""));

    s.entry = patient;
    return s;
}

static struct subject
subject_named(struct span name)
{
    struct subject s = { .entry = ENTRY_NONE, .key = span_hash(name), .name = name };
    struct span    base, type, id;

    if (reference_split(name, &base, &type, &id))
        s.key = span_hash(type) * 31 + span_hash(id);
    return s;
}

enum has { HAS_NOT = 0, HAS_NUMBER, HAS_IDENTIFIER };

/* Whether a Patient has an identifier of a consent's patient; HAS_NUMBER: the same value,
 * and one of the two does not say in which system. */
static enum has
has_identifier(const struct bench *b, uint32_t patient, const struct consent *c)
{
    const struct tape *t    = b->references->bundle->tape;
    tape_node          list = tape_member(t, b->references->bundle->entries[patient].resource, SPAN("identifier"));
    enum has           best = HAS_NOT;

    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n))
        for (size_t i = 0; i < c->patient.identifier_count; i++) {
            struct identifier theirs = c->patient.identifiers[i];
            struct span       system = tape_member_text(t, n, SPAN("system"), b->arena);
            if (span_empty(theirs.value) || !tape_text_eq(t, tape_member(t, n, SPAN("value")), theirs.value))
                continue;
            if (span_eq(system, theirs.system))
                return HAS_IDENTIFIER;
            if (span_empty(system) || span_empty(theirs.system))
                best = HAS_NUMBER;
        }
    return best;
}

static struct subject
subject_of_consent(struct bench *b, const struct consent *c)
{
    const struct bundle *bundle = b->references != NULL ? b->references->bundle : NULL;
    uint32_t             entry  = bundle != NULL && c->tape == bundle->tape ? bundle_entry_of(bundle, c->node) : ENTRY_NONE;
    uint32_t             number = ENTRY_NONE, numbers = 0;
    struct subject       s      = entry != ENTRY_NONE ? subject_of_entry(b, entry) : subject_named(c->patient.reference);

    if (bundle == NULL || s.entry != ENTRY_NONE || !span_empty(c->patient.reference))
        return s;
    /* Named by identifier alone: whoever in the bundle has it.  A number without its system
     * means the only one who has it. */
    for (uint32_t e = 0; e < bundle->count; e++) {
        enum has has = span_eq_text(bundle->entries[e].type, "Patient") ? has_identifier(b, e, c) : HAS_NOT;
        if (has == HAS_IDENTIFIER)
            return subject_of_entry(b, e);
        numbers += has == HAS_NUMBER;
        number   = has == HAS_NUMBER ? e : number;
    }
    return numbers == 1 ? subject_of_entry(b, number) : s;
}

/* The patient of a bundle that has only one. */
static struct subject
only_patient(struct bench *b)
{
    struct subject only = subject_named(SPAN(""));

    if (b->only_known)
        return b->only;
    b->only_known = true;
    b->only       = only;
    for (uint32_t e = 0; b->references != NULL && e < b->labeling->bundle->count; e++) {
        struct subject s = subject_of_entry(b, e);
        if (span_empty(s.name))
            continue;
        if (!span_empty(only.name) && !same_subject(&only, &s))
            return b->only;
        only = s;
    }
    b->only = only;
    return only;
}

static bool
same_subject(const struct subject *a, const struct subject *b)
{
    if (a->entry != ENTRY_NONE && b->entry != ENTRY_NONE)
        return a->entry == b->entry;
    return a->key == b->key && target_same_reference(a->name, b->name);
}

/* Resources about who and where, not about a patient (R4 resource categories
 * "Individuals" and "Entities"). */
static bool
is_directory(struct span type)
{
    static const char *const types[] = {
        "Organization", "OrganizationAffiliation", "Practitioner", "PractitionerRole", "Location",
        "HealthcareService", "Endpoint", "InsurancePlan",
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (span_eq_text(type, types[i]))
            return true;
    return false;
}

/* ---- why no consent covers it ------------------------------------------------------------ */

static struct span
why_silent(struct bench *b, const struct record *r, const struct subject *subjects, size_t count)
{
    struct span text  = SPAN("");
    size_t      named = 0;

    for (size_t i = 0; i < b->policy->consent_count && count > 0; i++) {
        const struct consent *c = &b->policy->consents[i];
        struct subject        s = b->unusable[i] != NULL ? subject_of_consent(b, c) : b->patients[i];
        if (!same_subject(&subjects[0], &s) || named == 3)
            continue;
        const char *why = b->unusable[i] != NULL ? b->unusable[i] : nearest_miss(b, c, r);
        text = arena_format(b->arena, "%.*s%s%.*s %s%s", SPAN_PRINT(text), named++ > 0 ? "; " : "",
                            SPAN_PRINT(c->reference), b->unusable[i] != NULL ? "does not count: " : "", why);
    }
    return arena_format(b->arena, "%s; %.*s",
                        r->labeled->part2 == PART2_CONFIRMED
                            ? "it is a record of a Part 2 program"
                            : "it tells of substance use and may be a record of a Part 2 program",
                        SPAN_PRINT(named > 0 ? text : SPAN("no consent of this patient is on file")));
}

static const char *
nearest_miss(struct bench *b, const struct consent *c, const struct record *r)
{
    const char *why = "does not permit it";

    for (uint32_t i = 0; i < c->provision_count; i++) {
        const struct provision *p = &c->provisions[i];
        const struct audience  *a = &b->audiences[c->first_number + i];
        if (p->type != PROVISION_PERMIT && !(i == 0 && c->base == BASE_PERMIT))
            continue;
        if ((a->failed & DIMENSION_ACTOR) != 0)
            why = "does not name this recipient";
        else if ((a->failed & DIMENSION_PURPOSE) != 0)
            why = "does not cover the purpose";
        else if (a->failed != 0)
            why = (a->failed & DIMENSION_PERIOD) != 0 ? "does not permit it at this time" : "cannot be read fully";
        else if (match_data(p, r) != MATCH_YES)
            return "does not cover this data";
        else if (!a->part2_purpose)
            why = "does not cover the purpose";
        else if (!consent_speaks_for(p, r))
            return "speaks for another program than the one whose record it is";
        else if (consent_deficiency(c, b->facts) != NULL)
            return arena_text(b->arena, arena_format(b->arena, "is deficient: %s", consent_deficiency(c, b->facts)));
    }
    return why;
}
