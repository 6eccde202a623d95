#include "consent/state_overlay.h"

#include "consent/review.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

struct asked {                           /* of a consent */
    const struct state_rule *rule;
    int64_t                  at_ms;
};

struct overlay {
    struct weigher        *weigher;
    const struct asking   *asking;
    struct record         *record;
    const struct decision *before;
    bool                   emergency;
};

static bool       in_force(const struct overlay *, const struct state_pack *);
static enum match applies(const struct overlay *, uint32_t tests, struct span jurisdiction);
static enum match lives_in(const struct overlay *, const struct subject *, struct span jurisdiction);
static enum match address_in(const struct tape *, tape_node address, struct span jurisdiction, struct arena *);
static enum match listed(const struct span *, size_t count, struct span jurisdiction);
static bool       concerns(const struct overlay *, const struct state_rule *, bool *unseen);
static enum match holds(const struct overlay *, const struct state_condition *);
static enum match purposes_in(const struct overlay *, purpose_set);
static enum match ages_in(const struct overlay *, const struct state_condition *);
static enum match age_in(const struct overlay *, const struct subject *, const struct state_condition *);
static uint32_t   years(int64_t born_ms, int64_t at_ms, struct arena *);
static enum match both(enum match, enum match);
static enum verdict found_by_a_person(const struct labeled *, enum rule, struct span name);
static enum verdict most(struct overlay *, const struct state_rule *, bool unseen);
static bool       consented(struct overlay *, const struct state_rule *);
static bool       is_as_asked(const struct voice *, const void *asked);
static tape_node  patient_of(const struct overlay *, const struct subject *, const struct tape **);

struct decision
state_narrow(struct weigher *w, const struct asking *a, struct record *r, struct decision d)
{
    const struct facts *f = a->inquiry->facts;
    struct overlay      o = { w, a, r, &d, false };
    struct decision     narrowed = d;

    if (d.verdict <= VERDICT_DENY_STAFF)
        return d;
    o.emergency = basis_emergency_whole(a).verdict == VERDICT_PERMIT;
    for (size_t i = 0; i < f->pack_count; i++) {
        if (!in_force(&o, f->packs[i]))
            continue;
        for (size_t j = 0; j < f->packs[i]->rule_count; j++) {
            const struct state_rule *rule   = &f->packs[i]->rules[j];
            bool                     unseen = false;
            if (rule->off != NULL || !concerns(&o, rule, &unseen))
                continue;
            enum rule    by  = unseen ? RULE_UNINSPECTED : RULE_STATE;
            enum verdict cap = most(&o, rule, unseen);
            if (cap == VERDICT_HOLD && r->labeled->found_count > 0)
                cap = found_by_a_person(r->labeled, by, state_rule_name(rule, w->arena));
            if (cap < narrowed.verdict) {
                narrowed         = (struct decision){ .verdict = cap, .rule = by, .state = rule };
                narrowed.because = arena_format(w->arena, "policy pack %.*s (%.*s): %.*s", SPAN_PRINT(state_rule_name(rule, w->arena)),
                                                SPAN_PRINT(rule->citation), SPAN_PRINT(rule->words));
            }
            struct state_notice *notice = rule->effect == STATE_NOTICE ? arena_make(w->arena, struct state_notice) : NULL;
            if (notice != NULL) {
                *notice   = (struct state_notice){ rule, d.notices };
                d.notices = notice;
            }
        }
    }
    if (narrowed.verdict < d.verdict)
        return narrowed;
    d.obligations |= d.notices != NULL ? OBLIGE_STATE_NOTICE : 0;
    return d;
}

struct span
state_rule_name(const struct state_rule *rule, struct arena *arena)
{
    return arena_format(arena, "%.*s %.*s, %.*s", SPAN_PRINT(rule->pack->id), SPAN_PRINT(rule->pack->version), SPAN_PRINT(rule->id));
}

/* Of what could not be inspected a person says what is in it, of the rest that it goes. */
static enum verdict
found_by_a_person(const struct labeled *l, enum rule by, struct span name)
{
    switch (review_found(l, by, (struct span){ NULL, 0 }, name)) {
    case FINDING_CLEAR:   return by == RULE_UNINSPECTED ? VERDICT_PERMIT : VERDICT_HOLD;
    case FINDING_LAWFUL:  return by == RULE_STATE ? VERDICT_PERMIT : VERDICT_HOLD;
    case FINDING_REFUSED: return VERDICT_DENY;
    case FINDING_NONE:
    case FINDING_PART2:   break;
    }
    return VERDICT_HOLD;
}

int64_t
state_valid_until(const struct facts *f, const struct policy *policy)
{
    int64_t until    = state_packs_valid_until(f->packs, f->pack_count, f->at_ms);
    int64_t midnight = f->at_ms - ((f->at_ms % DAY_MS) + DAY_MS) % DAY_MS + DAY_MS;

    for (size_t i = 0; i < f->pack_count; i++)
        for (size_t j = 0; j < f->packs[i]->rule_count && f->packs[i]->off == NULL; j++) {
            const struct state_rule *rule = &f->packs[i]->rules[j];
            bool age = (rule->when.on & STATE_ON_AGE) != 0;
            for (size_t k = 0; k < rule->unless_count; k++)
                age |= (rule->unless[k].on & STATE_ON_AGE) != 0;
            if (age && rule->off == NULL && midnight < until)
                until = midnight;
            for (size_t k = 0; k < policy->consent_count && rule->within_days > 0; k++) {
                int64_t end = policy->consents[k].date.first_ms + (int64_t)rule->within_days * DAY_MS;
                if (policy->consents[k].dated && end > f->at_ms && end < until)
                    until = end;
            }
        }
    return until;
}

/* ---- S2, S3 ------------------------------------------------------------------------ */

static bool
in_force(const struct overlay *o, const struct state_pack *p)
{
    const struct facts *f     = o->asking->inquiry->facts;
    uint32_t            tests = p->applies_to & (f->site.state_by != STATE_BY_ANY ? 1u << (f->site.state_by - 1) : UINT32_MAX);

    return p->off == NULL && f->at_ms >= p->from_ms && f->at_ms < p->until_ms
           && applies(o, tests, p->jurisdiction) != MATCH_NO;
}

static enum match
applies(const struct overlay *o, uint32_t tests, struct span jurisdiction)
{
    const struct jurisdictions *f   = &o->asking->inquiry->facts->jurisdictions;
    enum match                  any = MATCH_NO;

    for (uint32_t test = STATE_BY_RESIDENCE; test <= STATE_BY_CUSTODIAN; test <<= 1) {
        enum match one = MATCH_NO;
        if ((tests & test) == 0)
            continue;
        if (test == STATE_BY_SERVICE)
            one = listed(f->service, f->service_count, jurisdiction);
        else if (test == STATE_BY_CUSTODIAN)
            one = listed(f->custodian, f->custodian_count, jurisdiction);
        else if (f->residence_count > 0 || o->asking->subject_count == 0)
            one = listed(f->residence, f->residence_count, jurisdiction);
        else
            for (size_t i = 0; i < o->asking->subject_count && one != MATCH_YES; i++) {
                enum match of = lives_in(o, &o->asking->subjects[i], jurisdiction);
                one           = of == MATCH_NO ? one : of;
            }
        if (one == MATCH_YES)
            return MATCH_YES;
        any = one == MATCH_UNKNOWN ? MATCH_UNKNOWN : any;
    }
    return any;
}

static enum match
listed(const struct span *all, size_t count, struct span jurisdiction)
{
    for (size_t i = 0; i < count; i++)
        if (span_eq_nocase(all[i], jurisdiction))
            return MATCH_YES;
    return count > 0 ? MATCH_NO : MATCH_UNKNOWN;
}

static enum match
lives_in(const struct overlay *o, const struct subject *s, struct span jurisdiction)
{
    const struct tape *t;
    tape_node          patient = patient_of(o, s, &t), list = tape_member(t, patient, SPAN("address"));
    enum match         any     = MATCH_UNKNOWN;

    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        if (tape_text_eq(t, tape_member(t, n, SPAN("use")), SPAN("old")))
            continue;
        enum match one = address_in(t, n, jurisdiction, o->weigher->arena);
        if (one != MATCH_NO)
            return one;
        any = MATCH_NO;
    }
    return any;
}

static enum match
address_in(const struct tape *t, tape_node address, struct span jurisdiction, struct arena *arena)
{
    static const struct { const char *code, *name; } states[] = {
#define STATE(code, name) { code, name },
#include "consent/states.def"
#undef STATE
    };
    static const char *const home[] = { "US", "USA", "United States", "United States of America", "840" };
    struct span country = span_trim(tape_member_text(t, address, SPAN("country"), arena));
    struct span state   = span_trim(tape_member_text(t, address, SPAN("state"), arena));
    bool        ours    = span_empty(country);

    for (size_t i = 0; i < sizeof home / sizeof *home; i++)
        ours = ours || span_eq_nocase(country, span_of(home[i]));
    if (!ours)
        return span_starts(jurisdiction, SPAN("US-")) ? MATCH_NO : MATCH_UNKNOWN;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (span_eq_nocase(state, span_of(states[i].name)))
            state = span_of(states[i].code);
    if (state.length != 2)
        return MATCH_UNKNOWN;
    return span_starts(jurisdiction, SPAN("US-")) && span_eq_nocase(span_skip(jurisdiction, 3), state) ? MATCH_YES : MATCH_NO;
}

/* ---- S4, S5 ------------------------------------------------------------------------ */

static bool
concerns(const struct overlay *o, const struct state_rule *rule, bool *unseen)
{
    if ((rule->when.on & STATE_ON_DATA) == 0 && o->asking->subject_count == 0)
        return false;                                          /* a directory resource is nobody's */
    if (holds(o, &rule->when) == MATCH_NO)
        return false;
    for (size_t i = 0; i < rule->unless_count; i++)
        if (holds(o, &rule->unless[i]) == MATCH_YES)
            return false;
    *unseen = (rule->when.on & STATE_ON_DATA) != 0 && match_data(&rule->when.data, o->record) == MATCH_UNKNOWN;
    return true;
}

static enum match
holds(const struct overlay *o, const struct state_condition *c)
{
    const struct inquiry *q   = o->asking->inquiry;
    enum match            all = MATCH_YES;

    if ((c->on & STATE_ON_PART2) != 0 && (o->record->labeled->part2 != PART2_NOT) != c->part2)
        return MATCH_NO;
    if ((c->on & STATE_ON_EMERGENCY) != 0 && o->emergency != c->emergency)
        return MATCH_NO;
    if ((c->on & STATE_ON_RECIPIENT) != 0 && (q->classes & c->recipients) == 0)
        all = both(all, q->classes == 0 ? MATCH_UNKNOWN : MATCH_NO);
    if ((c->on & STATE_ON_PURPOSE) != 0)
        all = both(all, purposes_in(o, c->purposes));
    if ((c->on & STATE_ON_DATA) != 0 && all != MATCH_NO)
        all = both(all, match_data(&c->data, o->record));
    if ((c->on & STATE_ON_AGE) != 0 && all != MATCH_NO)
        all = both(all, ages_in(o, c));
    return all;
}

static enum match
both(enum match a, enum match b)
{
    return a == MATCH_NO || b == MATCH_NO ? MATCH_NO : a == MATCH_UNKNOWN || b == MATCH_UNKNOWN ? MATCH_UNKNOWN : MATCH_YES;
}

/* All that are asserted are below a listed one: yes; none: no; some, or none is known: unknown. */
static enum match
purposes_in(const struct overlay *o, purpose_set wanted)
{
    const struct asker *asker = o->asking->inquiry->asker;
    bool                in = false, out = false;

    for (enum purpose p = PURPOSE_NONE + 1; p < PURPOSE_COUNT; p++) {
        if ((asker->purposes & PURPOSE_BIT(p)) == 0)
            continue;
        bool below = false;
        for (enum purpose of = PURPOSE_NONE + 1; of < PURPOSE_COUNT && !below; of++)
            below = (wanted & PURPOSE_BIT(of)) != 0 && purpose_is_a(p, of);
        in |= below;
        out |= !below;
    }
    if (asker->strange_purposes > 0 || (!in && !out))
        return MATCH_UNKNOWN;
    return in && out ? MATCH_UNKNOWN : in ? MATCH_YES : MATCH_NO;
}

static enum match
ages_in(const struct overlay *o, const struct state_condition *c)
{
    bool yes = false, no = false;

    if (o->asking->subject_count == 0)
        return MATCH_UNKNOWN;
    for (size_t i = 0; i < o->asking->subject_count; i++) {
        enum match one = age_in(o, &o->asking->subjects[i], c);
        if (one == MATCH_UNKNOWN)
            return MATCH_UNKNOWN;
        yes |= one == MATCH_YES;
        no |= one == MATCH_NO;
    }
    return yes && no ? MATCH_UNKNOWN : yes ? MATCH_YES : MATCH_NO;
}

/* A birth date may be a year: then the age is one of two. */
static enum match
age_in(const struct overlay *o, const struct subject *s, const struct state_condition *c)
{
    const struct tape *t;
    tape_node          patient = patient_of(o, s, &t);
    struct span        born    = tape_member_text(t, patient, SPAN("birthDate"), o->weigher->arena);
    int64_t            at_ms   = o->asking->inquiry->facts->at_ms;
    struct time_range  range;

    if (span_empty(born) || !time_range_read(born, &range) || range.last_ms > at_ms)
        return MATCH_UNKNOWN;
    uint32_t least = years(range.last_ms, at_ms, o->weigher->arena), oldest = years(range.first_ms, at_ms, o->weigher->arena);
    if (least >= c->from_age && oldest < c->under_age)
        return MATCH_YES;
    return oldest < c->from_age || least >= c->under_age ? MATCH_NO : MATCH_UNKNOWN;
}

static uint32_t
years(int64_t born_ms, int64_t at_ms, struct arena *arena)
{
    struct span from = time_format(arena, born_ms), to = time_format(arena, at_ms);
    uint32_t    a = 0, b = 0;

    if (from.length < 10 || to.length < 10)
        return 0;
    for (size_t i = 0; i < 4; i++) {
        a = a * 10 + (uint32_t)(from.at[i] - '0');
        b = b * 10 + (uint32_t)(to.at[i] - '0');
    }
    bool before = span_compare(span_first(span_skip(to, 5), 5), span_first(span_skip(from, 5), 5)) < 0;
    return b < a + before ? 0 : b - a - before;
}

static tape_node
patient_of(const struct overlay *o, const struct subject *s, const struct tape **tape)
{
    const struct bundle *b = o->asking->inquiry->whose->references != NULL ? o->asking->inquiry->whose->references->bundle : NULL;

    *tape = o->record->tape;
    if (b == NULL || s->entry >= b->count || !span_eq_text(b->entries[s->entry].type, "Patient"))
        return TAPE_ABSENT;
    return b->entries[s->entry].resource;
}

/* ---- what it comes to -------------------------------------------------------------- */

static enum verdict
most(struct overlay *o, const struct state_rule *rule, bool unseen)
{
    enum verdict withheld = unseen ? VERDICT_HOLD : VERDICT_DENY;

    switch (rule->effect) {
    case STATE_DENY:     return withheld;
    case STATE_HOLD:     return VERDICT_HOLD;
    case STATE_CONSENT:  return consented(o, rule) ? VERDICT_PERMIT : withheld;
    case STATE_DURATION: return o->before->consent == NULL || consented(o, rule) ? VERDICT_PERMIT : withheld;
    case STATE_NOTICE:   return VERDICT_PERMIT;
    case STATE_EFFECT_COUNT: break;
    }
    return VERDICT_DENY;
}

static bool
consented(struct overlay *o, const struct state_rule *rule)
{
    const struct asked asked = { rule, o->asking->inquiry->facts->at_ms };

    for (size_t i = 0; i < o->asking->subject_count; i++)
        if (!weigh_any(o->weigher, o->record, &o->asking->subjects[i], is_as_asked, &asked))
            return false;
    return o->asking->subject_count > 0;
}

static bool
is_as_asked(const struct voice *v, const void *with)
{
    const struct asked      *asked = with;
    const struct state_rule *rule  = asked->rule;
    const struct criteria   *has   = &v->provision->criteria;
    label_set                names = 0, wanted = 0;

    if (rule->kinds != 0 && (rule->kinds & KIND_BIT(v->consent->kind)) == 0)
        return false;
    if (rule->within_days > 0
        && (!v->consent->dated
            || v->consent->date.first_ms + (int64_t)rule->within_days * DAY_MS <= asked->at_ms))
        return false;
    if (!rule->specific || ((has->stated & DIMENSION_CODE) != 0 && (rule->when.data.criteria.stated & DIMENSION_CODE) != 0))
        return true;
    for (enum label l = LABEL_NONE + 1; l < LABEL_COUNT; l++) {
        if (labels_have(has->labels, l) && label_kind(l) != LABEL_CONFIDENTIALITY)
            names |= label_closure(l);
        if (labels_have(rule->when.data.criteria.labels, l) && label_kind(l) != LABEL_CONFIDENTIALITY)
            wanted |= label_closure(l);
    }
    return v->explicit && labels_meet(names, wanted);
}
