#include "consent/weigh.h"

#include "base/sort.h"
#include "consent/signer.h"
#include "fhir/lookup.h"

#include <string.h>

static struct voice voice_with(struct voice, const struct voice *more, struct arena *);
static bool         index_patients(struct weigher *);
static void         know_mine(struct weigher *, const struct subject *);
static void         add_voice(struct voices *, const struct voice *);
static void         add_refusal(struct voices *, struct refusal);
static struct voice combine(const struct voices *);
static bool         stands(const struct voice *permit, const struct voices *);
static bool         outlives(const struct voice *permit, const struct voices *);
static const char  *unnamed(const struct provision *, const struct facts *, const struct record *);
static bool         permits_nothing(const struct consent *);
static bool         beats(const struct voice *permit, const struct refusal *);
static bool         better(const struct voice *, const struct voice *);
static struct voice consent_voice(struct weigher *, const struct consent *, const struct record *);
static struct voice root_voice(struct weigher *, const struct provision *, const struct record *);
static struct voice own_voice(struct weigher *, const struct provision *, const struct record *);
static struct voice base_voice(const struct weigher *b, const struct provision *root, const struct audience *, const struct record *);
static struct voice branches_voice(const struct voice *, uint32_t count);
static bool         refines(const struct voice *permit, const struct voice *deny);
static bool         may_release(const struct weigher *, const struct provision *, const struct audience *,
                                const struct record *);
static struct audience audience_of(const struct weigher *, const struct provision *, const struct subject *);
static bool         is_designated(const struct weigher *, const struct consent *, const struct subject *);
static bool         is_participant(const struct weigher *, const struct consent *, const struct subject *);
static enum status  match_through(struct weigher *, const struct consent *);
static bool         ended(const struct consent *, const struct facts *);
static struct voice weigh(struct weigher *, const struct record *, const struct subject *);
static void         begin(struct voices *, const struct weigher *);
static enum status  find_kin(struct weigher *);
static void         hear_kin(struct weigher *, const struct record *, const struct subject *);
static void         hear_refusals(struct voices *, const struct voices *theirs);
static const char  *deficient(const struct weigher *, const struct consent *);
static const char  *nearest_miss(struct weigher *, const struct consent *, const struct record *);

enum status
weigher_make(const struct policy *policy, const struct facts *facts, const struct references *references,
             struct arena *arena, struct weigher *out)
{
    struct weigher w    = { .policy = policy, .facts = facts, .arena = arena, .kinds = KIND_BIT(KIND_GENERAL),
                            .whose = whose_of(references, facts, arena) };
    uint32_t       most = 1;

    w.audiences = arena_make_n(arena, policy->provision_count, struct audience);
    w.patients  = arena_make_n(arena, policy->consent_count, struct subject);
    w.unusable  = arena_make_n(arena, policy->consent_count, const char *);
    w.mine      = arena_make_n(arena, policy->consent_count + 1, uint32_t);
    w.theirs    = arena_make_n(arena, policy->consent_count + 1, uint32_t);
    w.voices.permits = arena_make_n(arena, policy->consent_count + 1, struct voice);
    if (arena_spent(arena) || asker_make(facts, references, arena, &w.asker) != ST_OK || linked_read(&w.whose) != ST_OK)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < policy->consent_count; i++) {
        const struct consent *c = &policy->consents[i];
        w.unusable[i] = consent_unusable(c, facts);
        w.patients[i] = subject_of_consent(&w.whose, c);
        if (w.unusable[i] != NULL)
            continue;
        for (uint32_t p = 0; p < c->provision_count; p++)
            w.audiences[c->first_number + p] = audience_of(&w, &c->provisions[p], &w.patients[i]);
        if (c->kind == KIND_INTERMEDIARY && is_participant(&w, c, &w.patients[i]) && match_through(&w, c) != ST_OK)
            return ST_NO_MEMORY;
        most = c->provision_count > most ? c->provision_count : most;
    }
    if (!index_patients(&w) || (w.whose.linked != NULL && find_kin(&w) != ST_OK))
        return ST_NO_MEMORY;
    w.branches = arena_make_n(arena, most, struct voice);
    *out       = w;
    return arena_status(arena);
}

static struct audience
audience_of(const struct weigher *w, const struct provision *p, const struct subject *patient)
{
    struct audience a = match_audience(p, &w->asker);

    if (p->consent->designated != 0 && p->type != PROVISION_DENY && (p->criteria.stated & DIMENSION_ACTOR) == 0
        && !is_designated(w, p->consent, patient)) {
        a.match = a.actor = MATCH_NO;
        a.failed |= DIMENSION_ACTOR;
    }
    return a;
}

/* K10 */
static bool
is_designated(const struct weigher *w, const struct consent *c, const struct subject *patient)
{
    static const struct { enum designation by; const char *class; } classes[] = {
        { DESIGNATED_PLANS, "HEALTH_PLAN" }, { DESIGNATED_PAYERS, "THIRD_PARTY_PAYER_NONHIPAA" },
        { DESIGNATED_OPERATIONS, "QSO" },
    };
    const struct party *actor = &w->facts->actor;

    if ((c->designated & DESIGNATED_TREATING) != 0 && relationship_known(&w->asker, patient->name))
        return true;
    for (size_t i = 0; i < actor->class_count; i++)
        for (size_t j = 0; j < sizeof classes / sizeof *classes; j++)
            if ((c->designated & classes[j].by) != 0 && span_eq_text(actor->classes[i], classes[j].class))
                return true;
    for (size_t i = 0; i < actor->role_count && (c->designated & DESIGNATED_OPERATIONS) != 0; i++)
        if (span_eq_text(actor->roles[i], "PROGRAM_OPERATION"))
            return true;
    return false;
}

/* K9: whom the consent names, or who treats the patient. */
static bool
is_participant(const struct weigher *w, const struct consent *c, const struct subject *patient)
{
    if (w->facts->holder != HOLDER_INTERMEDIARY || span_empty(w->facts->sender_organization))
        return false;
    for (size_t i = 0; i < c->member_count; i++)
        if (asker_answers_to(&w->asker, c->members[i]))
            return true;
    return c->treating_members && relationship_known(&w->asker, patient->name);
}

/* K9: what the intermediary may have, its participant may have from it. */
static enum status
match_through(struct weigher *w, const struct consent *c)
{
    struct facts *as_member = arena_make(w->arena, struct facts);
    struct asker  asker;

    if (as_member == NULL)
        return ST_NO_MEMORY;
    *as_member                    = *w->facts;
    as_member->actor.legal_entity = w->facts->sender_organization;
    if (asker_make(as_member, w->whose.references, w->arena, &asker) != ST_OK)
        return ST_NO_MEMORY;
    for (uint32_t p = 0; p < c->provision_count; p++) {
        struct audience a = match_audience(&c->provisions[p], &asker);
        if (a.match == MATCH_YES)
            w->audiences[c->first_number + p] = a;
    }
    return ST_OK;
}

static bool
ended(const struct consent *c, const struct facts *facts)
{
    return c->revoked || facts->at_ms >= c->ended_ms;
}

bool
weigher_revoked(struct weigher *w, const struct subject *subject)
{
    bool revoked = false;

    know_mine(w, subject);
    for (uint32_t i = 0; i < w->theirs_count && !revoked; i++)
        revoked = ended(&w->policy->consents[w->theirs[i]], w->facts);
    for (size_t i = 0; w->whose.linked != NULL && i < w->policy->consent_count && !revoked; i++)
        revoked = ended(&w->policy->consents[i], w->facts) && linked_subject(&w->whose, subject, &w->patients[i]);
    return revoked;
}

/* P7: for each program whose record it is.  All of them must be released; r->program is
 * left at the one that is not. */
struct voice
weigh_all(struct weigher *b, struct record *r, const struct subject *subject)
{
    struct voice all = weigh(b, r, subject);

    for (size_t i = 0; i < r->labeled->other_count && all.says != SAYS_DENY; i++) {
        const struct program *before = r->program;
        r->program                   = r->labeled->others[i];
        struct voice one             = weigh(b, r, subject);
        if (one.says == SAYS_DENY || (one.says == SAYS_NOTHING && all.says == SAYS_PERMIT)) {
            all = one;
        } else {
            all        = voice_with(all, &one, b->arena);
            r->program = before;
        }
    }
    return all;
}

bool
consents_add(struct consents *list, const struct consent *one, struct arena *arena)
{
    bool known = one == NULL;

    for (uint32_t i = 0; i < list->count && !known; i++)
        known = list->all[i] == one;
    if (known)
        return true;
    const struct consent **all = arena_more(arena, list->all, list->count, &list->room, sizeof *all);
    if (all == NULL)
        return false;
    list->all                = all;
    list->all[list->count++] = one;
    return true;
}

/* 2.32(b): each of them goes along. */
bool
voice_add(struct consents *list, const struct voice *v, struct arena *arena)
{
    bool fine = consents_add(list, v->consent, arena);

    for (size_t i = 0; i < v->also_count && fine; i++)
        fine = consents_add(list, v->also[i], arena);
    return fine;
}

/* Of both, where it took both to permit. */
static struct voice
voice_with(struct voice all, const struct voice *more, struct arena *arena)
{
    struct consents list = { NULL, 0, 0 };

    if (all.says == SAYS_PERMIT && more->says == SAYS_PERMIT && voice_add(&list, &all, arena) && voice_add(&list, more, arena)
        && list.count > 0) {
        all.also       = list.all + 1;
        all.also_count = list.count - 1;
    }
    return all;
}

bool
weigh_any(struct weigher *b, struct record *r, const struct subject *subject,
          bool (*meets)(const struct voice *, const void *with), const void *with)
{
    const struct program *before = r->program;
    bool                  all    = true;

    for (size_t i = 0; i <= r->labeled->other_count && all; i++) {
        r->program = i == 0 ? r->labeled->program : r->labeled->others[i - 1];
        bool any   = false;
        if (weigh(b, r, subject).says == SAYS_PERMIT)
            for (size_t j = 0; j < b->voices.permit_count && !any; j++) {
                const struct voice *v = &b->voices.permits[j];
                any = v->explicit == b->voices.explicit && stands(v, &b->voices) && meets(v, with);
            }
        all = any;
    }
    r->program = before;
    return all;
}

static struct voice
weigh(struct weigher *b, const struct record *r, const struct subject *subject)
{
    struct voices *all = &b->voices;

    begin(all, b);
    know_mine(b, subject);
    for (uint32_t i = 0; i < b->mine_count; i++) {
        struct voice v = consent_voice(b, &b->policy->consents[b->mine[i]], r);
        if (v.says != SAYS_NOTHING)
            add_voice(all, &v);
    }
    if (b->kin != NULL)
        hear_kin(b, r, subject);
    return combine(all);
}

static struct span
by_what(const void *at, size_t size)
{
    return span_from(at, size);
}

static bool
index_patients(struct weigher *w)
{
    size_t              most    = w->policy->consent_count + 1;
    struct lookup_item *entries = arena_make_n(w->arena, most, struct lookup_item);
    struct lookup_item *keys    = arena_make_n(w->arena, most, struct lookup_item);
    uint32_t            known = 0, named = 0;

    for (uint32_t i = 0; entries != NULL && keys != NULL && i < w->policy->consent_count; i++) {
        const struct subject *s = &w->patients[i];
        if (s->entry != ENTRY_NONE)
            entries[known++] = (struct lookup_item){ .key = by_what(&s->entry, sizeof s->entry), .value = i };
        keys[named++] = (struct lookup_item){ .key = by_what(&s->key, sizeof s->key), .value = i };
    }
    if (entries == NULL || keys == NULL)
        return false;
    w->by_entry = lookup_build(entries, known, w->arena);
    w->by_key   = lookup_build(keys, named, w->arena);
    return w->by_entry != NULL && w->by_key != NULL;
}

static int
by_number(const void *a, const void *b, const void *context)
{
    const uint32_t *x = a, *y = b;

    (void)context;
    return *x < *y ? -1 : *x > *y;
}

/* Who is an entry and who is known by name alone are the same by their key. */
static void
find_theirs(struct weigher *b, const struct subject *subject)
{
    uint32_t at = subject->entry != ENTRY_NONE ? lookup_find(b->by_entry, by_what(&subject->entry, sizeof subject->entry)) : LOOKUP_NONE;

    b->theirs_count = 0;
    for (; at != LOOKUP_NONE; at = lookup_next(b->by_entry, at))
        b->theirs[b->theirs_count++] = lookup_value(b->by_entry, at);
    uint32_t entries = b->theirs_count;
    for (at = lookup_find(b->by_key, by_what(&subject->key, sizeof subject->key)); at != LOOKUP_NONE; at = lookup_next(b->by_key, at)) {
        const struct subject *s = &b->patients[lookup_value(b->by_key, at)];
        if ((subject->entry == ENTRY_NONE || s->entry == ENTRY_NONE) && same_subject(subject, s))
            b->theirs[b->theirs_count++] = lookup_value(b->by_key, at);
    }
    if (entries > 0 && b->theirs_count > entries)
        sort_in_place(b->theirs, b->theirs_count, sizeof *b->theirs, by_number, NULL);
}

/* K1 */
static void
know_mine(struct weigher *b, const struct subject *subject)
{
    const struct subject *last = &b->mine_of;

    if (b->mine_known && last->entry == subject->entry && last->key == subject->key && span_eq(last->name, subject->name))
        return;
    find_theirs(b, subject);
    b->mine_count = 0;
    for (uint32_t i = 0; i < b->theirs_count; i++)
        if (b->unusable[b->theirs[i]] == NULL)
            b->mine[b->mine_count++] = b->theirs[i];
    b->mine_of    = *subject;
    b->mine_known = true;
}

static void
begin(struct voices *all, const struct weigher *b)
{
    all->permit_count = all->refusal_count = 0;
    all->explicit = all->opted_out = false;
    all->opted_out_ms = INT64_MIN;
    all->at_ms        = b->facts->at_ms;
    all->refusing     = (struct voice){ 0 };
    memset(all->limited, 0, sizeof all->limited);
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
    add_refusal(all, (struct refusal){ v->explicit, v->rank, v->stated & DIMENSIONS_OF_DATA,
                                       v->consent->dated ? v->consent->date.last_ms : INT64_MAX });
    if (v->opt_out) {
        int64_t last = v->consent->dated ? v->consent->date.last_ms : INT64_MAX;
        all->opted_out    = true;
        all->opted_out_ms = last > all->opted_out_ms ? last : all->opted_out_ms;
    }
    if (!v->limit)
        return;
    if (!all->limited[v->rank])
        all->limit_ms[v->rank] = INT64_MIN;
    all->limited[v->rank] = true;
    if (v->consent->dated && v->consent->date.first_ms > all->limit_ms[v->rank])
        all->limit_ms[v->rank] = v->consent->date.first_ms;
}

static void
add_refusal(struct voices *all, struct refusal mine)
{
    size_t i = 0;

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
    return outlives(permit, all);
}

/* K3: a special kind and a later refusal of everything. */
static bool
outlives(const struct voice *permit, const struct voices *all)
{
    const struct consent *c = permit->consent;

    if (!all->opted_out || c->kind == KIND_GENERAL || (c->kind == KIND_CRIMINAL_JUSTICE && all->at_ms < c->revocable_from_ms))
        return true;
    return c->dated && c->date.first_ms > all->opted_out_ms;
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
consent_voice(struct weigher *b, const struct consent *c, const struct record *r)
{
    for (uint32_t i = c->provision_count; i-- > 0;) {
        const struct provision *p = &c->provisions[i];
        struct voice           *v = &b->branches[i];
        v->says = SAYS_NOTHING;
        if (p->child_count > 0)
            *v = branches_voice(b->branches + p->first_child, p->child_count);
        if (v->says == SAYS_NOTHING)
            *v = i == 0 ? root_voice(b, p, r) : own_voice(b, p, r);
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
root_voice(struct weigher *b, const struct provision *root, const struct record *r)
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
    return base_voice(b, root, a, r);
}

static struct voice
own_voice(struct weigher *b, const struct provision *p, const struct record *r)
{
    const struct audience *a = &b->audiences[p->consent->first_number + (uint32_t)(p - p->consent->provisions)];
    struct voice           v = { .explicit = true, .rank = a->rank, .stated = p->criteria.stated, .consent = p->consent,
                                 .provision = p };

    if (p->type == PROVISION_SILENT || a->match == MATCH_NO || (p->type == PROVISION_PERMIT && a->match != MATCH_YES)
        || match_custodian(p, r) == MATCH_NO)
        return (struct voice){ 0 };      /* whatever the data is */
    enum match data = match_data(p, r);
    if (p->type == PROVISION_PERMIT && data == MATCH_YES && may_release(b, p, a, r))
        v.says = SAYS_PERMIT;
    if (p->type == PROVISION_DENY && data != MATCH_NO)
        v.says = SAYS_DENY;
    v.uncertain = a->actor == MATCH_UNKNOWN;
    v.unseen    = data == MATCH_UNKNOWN && match_unseen(r, p->consent) && a->match == MATCH_YES;
    return v;
}

static struct voice
base_voice(const struct weigher *b, const struct provision *root, const struct audience *a, const struct record *r)
{
    const struct consent *c = root->consent;
    struct voice          v = { .consent = c, .provision = root };

    if (match_custodian(root, r) == MATCH_NO)
        return (struct voice){ 0 };
    if (c->base == BASE_DENY)
        v.says = SAYS_DENY;
    v.opt_out = v.says == SAYS_DENY && permits_nothing(c);
    if (c->base == BASE_PERMIT && root->criteria.unreadable == 0 && (c->designated == 0 || a->match == MATCH_YES) && may_release(b, root, a, r))
        v.says = SAYS_PERMIT;
    return v;
}

static bool
permits_nothing(const struct consent *c)
{
    for (uint32_t i = 0; i < c->provision_count; i++)
        if (c->provisions[i].type == PROVISION_PERMIT)
            return false;
    return true;
}

/* K11: what 2.31(a) wants to be told of a permit, and it does not tell.  A designated class
 * and the members of an intermediary are told elsewhere. */
static const char *
unnamed(const struct provision *p, const struct facts *facts, const struct record *r)
{
    if (r->labeled->part2 != PART2_CONFIRMED && !facts->site.require_statements)
        return NULL;
    if ((p->criteria.stated & DIMENSION_ACTOR) == 0 && p->consent->designated == 0 && p->consent->member_count == 0
        && !p->consent->treating_members)
        return "names nobody who may have it, 2.31(a)(4)";
    return facts->site.require_statements && (p->criteria.stated & DIMENSION_PURPOSE) == 0 ? "names no purpose, 2.31(a)(5)" : NULL;
}

/* V1; P7, V3, U2: what a permit needs beyond its criteria, and more for a Part 2 record. */
static bool
may_release(const struct weigher *w, const struct provision *p, const struct audience *a, const struct record *r)
{
    if (p->consent->denies_only != NULL)
        return false;
    if (r->labeled->part2 == PART2_NOT)
        return true;
    if ((w->kinds & KIND_BIT(p->consent->kind)) == 0)
        return false;                                                       /* K8 */
    if (unnamed(p, w->facts, r) != NULL)
        return false;                                                       /* K11 */
    return a->part2_purpose && consent_speaks_for(p, r) && deficient(w, p->consent) == NULL;
}

/* ---- other identities of the patient: K12 --------------------------------------------- */

static int
by_identity(const void *left, const void *right, const void *context)
{
    const struct kin *a = left, *b = right;

    (void)context;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->identity != b->identity)
        return a->identity < b->identity ? -1 : 1;
    return a->consent < b->consent ? -1 : 1;
}

/* Those of a person with more identities than are followed are not weighed at all (linked.h, 4). */
static enum status
find_kin(struct weigher *w)
{
    size_t      most = w->policy->consent_count;
    struct kin *kin  = arena_make_n(w->arena, most + 1, struct kin);

    w->aside = arena_make(w->arena, struct voices);
    if (kin == NULL || w->aside == NULL)
        return ST_NO_MEMORY;
    w->aside->permits = arena_make_n(w->arena, most + 1, struct voice);
    for (uint32_t i = 0; i < most; i++) {
        uint32_t group = w->unusable[i] == NULL ? linked_group(&w->whose, &w->patients[i]) : LINKED_NOBODY;
        if (group != LINKED_NOBODY && !linked_too_many(&w->whose, &w->patients[i]))
            kin[w->kin_count++] = (struct kin){ .group = group, .identity = linked_identity(&w->whose, &w->patients[i]),
                                                .consent = i };
    }
    sort_in_place(kin, w->kin_count, sizeof *kin, by_identity, NULL);
    w->kin = w->kin_count > 0 ? kin : NULL;
    return arena_status(w->arena);
}

/* Each identity by itself first: what it refuses counts as it stands there. */
static void
hear_kin(struct weigher *b, const struct record *r, const struct subject *subject)
{
    uint32_t group = linked_group(&b->whose, subject), own = linked_identity(&b->whose, subject), i = 0;

    while (i < b->kin_count && b->kin[i].group < group)
        i++;
    while (i < b->kin_count && b->kin[i].group == group) {
        uint32_t identity = b->kin[i].identity;
        begin(b->aside, b);
        for (; i < b->kin_count && b->kin[i].group == group && b->kin[i].identity == identity; i++) {
            struct voice v = identity != own ? consent_voice(b, &b->policy->consents[b->kin[i].consent], r)
                                             : (struct voice){ 0 };
            if (v.says != SAYS_NOTHING && !v.limit)
                add_voice(b->aside, &v);
        }
        if (combine(b->aside).says == SAYS_DENY)
            hear_refusals(&b->voices, b->aside);
    }
}

static void
hear_refusals(struct voices *all, const struct voices *theirs)
{
    struct voice refusing = theirs->refusing;

    refusing.linked = true;
    if (all->refusing.says == SAYS_NOTHING || better(&refusing, &all->refusing))
        all->refusing = refusing;
    for (size_t i = 0; i < theirs->refusal_count; i++) {
        all->explicit |= theirs->refusals[i].explicit;
        add_refusal(all, theirs->refusals[i]);
    }
    if (theirs->opted_out && (!all->opted_out || theirs->opted_out_ms > all->opted_out_ms))
        all->opted_out_ms = theirs->opted_out_ms;
    all->opted_out |= theirs->opted_out;
}

/* What is known of another identity may speak against a consent as well. */
static const char *
deficient(const struct weigher *w, const struct consent *c)
{
    const char *why = consent_deficiency(c, w->facts);

    for (size_t i = 0; i < w->facts->circumstance_count && why == NULL && w->whose.linked != NULL; i++) {
        struct subject of = subject_of_reference(&w->whose, w->facts->circumstances[i].patient);
        if (linked_subject(&w->whose, &w->patients[c - w->policy->consents], &of))
            why = signer_linked_deficiency(c, &w->facts->circumstances[i]);
    }
    return why;
}

/* ---- why no consent covers it ------------------------------------------------------------ */

struct span
why_silent(struct weigher *b, const struct record *r, const struct subject *subjects, size_t count)
{
    struct span text  = SPAN("");
    size_t      named = 0, most = 0;
    bool        links = b->whose.linked != NULL;

    if (count > 0)
        know_mine(b, &subjects[0]);
    if (count > 0)
        most = links ? b->policy->consent_count : b->theirs_count;
    for (size_t k = 0; k < most && named < 3; k++) {
        size_t                i      = links ? k : b->theirs[k];
        const struct consent *c      = &b->policy->consents[i];
        bool                  linked = linked_subject(&b->whose, &subjects[0], &b->patients[i]);
        if (!same_subject(&subjects[0], &b->patients[i]) && !linked)
            continue;
        const char *why = b->unusable[i] != NULL ? b->unusable[i]
                          : linked               ? "is of another identity that is linked, and a link is no consent"
                                                 : nearest_miss(b, c, r);
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
nearest_miss(struct weigher *b, const struct consent *c, const struct record *r)
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
        else if (unnamed(p, b->facts, r) != NULL)
            return unnamed(p, b->facts, r);
        else if (!consent_speaks_for(p, r))
            return "speaks for another program than the one whose record it is";
        else if (deficient(b, c) == NULL && (b->kinds & KIND_BIT(c->kind)) == 0)
            return "is a consent of another kind than what is asked for needs";
        else if (deficient(b, c) != NULL)
            return arena_text(b->arena, arena_format(b->arena, "is deficient: %s", deficient(b, c)));
    }
    return why;
}
