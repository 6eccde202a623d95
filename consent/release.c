#include "consent/release.h"

#include "consent/contained.h"
#include "consent/emission.h"
#include "consent/obligation.h"
#include "consent/plan_nested.h"
#include "consent/precedent.h"
#include "consent/provision.h"
#include "consent/review.h"
#include "consent/state_overlay.h"

static enum status gather_consents(const struct bundle *, const struct references *, const struct facts *,
                                   struct arena *, const struct consent_source **out, size_t *count);
static size_t scopes_of(const struct release *, const struct facts *, struct obligation_scope *, bool *shown);
static enum status write_payload(struct release *, const struct facts *, struct arena *);
static enum release_outcome outcome_of(const struct plan *);
static size_t add_notices(const struct plan *, const struct facts *, struct obligation_scope *, size_t count);
static bool is_noticed(const struct plan *, const struct state_rule *);

static enum status write_edits(struct release *, struct splices *, size_t planned, const struct obligation_scope *,
                               size_t count, struct span labels, const struct facts *, struct arena *);
static enum status write_labels(struct release *, const struct obligation_scope *, size_t count, const struct facts *,
                                struct arena *);

enum status
release_make(const struct bundle *bundle, const struct references *references, const struct labeling *labeling,
             const struct facts *facts, struct arena *arena, const struct release **out)
{
    struct release              *r = arena_make(arena, struct release);
    const struct consent_source *consents;
    size_t                       count;

    *out = NULL;
    if (r == NULL)
        return ST_NO_MEMORY;
    enum status st = gather_consents(bundle, references, facts, arena, &consents, &count);
    if (st == ST_OK && labeling == NULL)
        st = label_bundle(bundle, references, facts, arena, &labeling);
    if (st == ST_OK && facts->determination_count > 0)
        st = review_relabel(labeling, facts, arena, &labeling);
    if (st == ST_OK)
        st = policy_compile(consents, count, arena, &r->policy);
    if (st != ST_OK)
        return st;
    r->bundle         = bundle;
    r->references     = references;
    r->labeling       = labeling;
    r->valid_until_ms = policy_valid_until(r->policy, facts->at_ms);
    if (facts_valid_until(facts) < r->valid_until_ms)
        r->valid_until_ms = facts_valid_until(facts);
    if (facts->pack_count > 0 && state_valid_until(facts, r->policy) < r->valid_until_ms)
        r->valid_until_ms = state_valid_until(facts, r->policy);
    st = plan_document(bundle, references, labeling, r->policy, facts, arena, &r->plan);
    if (st == ST_OK && r->plan->kept > 0)
        st = write_payload(r, facts, arena);
    if (st == ST_INTEGRITY) {                                 /* B4: a person has to look */
        r->outcome     = RELEASE_HOLD;
        r->splices     = NULL;
        r->payload     = (struct span){ NULL, 0 };
        r->obligations = 0;
    } else if (st != ST_OK) {
        return st;
    } else {
        r->outcome = outcome_of(r->plan);
    }
    *out = r;
    return ST_OK;
}

const char *
release_outcome_text(enum release_outcome o)
{
    static const char *const texts[] = { "deny", "hold", "partial", "permit" };

    return (unsigned)o < sizeof texts / sizeof texts[0] ? texts[o] : "deny";
}

/* Those of the facts and those of the Bundle itself that are current. */
static enum status
gather_consents(const struct bundle *b, const struct references *references, const struct facts *facts,
                struct arena *arena, const struct consent_source **out, size_t *count)
{
    size_t most = facts->consent_count + contained_consents(b, references, NULL), stale = 0;

    for (uint32_t e = 0; e < b->count; e++)
        most += span_eq_text(b->entries[e].type, "Consent") && b->entries[e].resource != TAPE_ABSENT;
    struct consent_source *all = arena_make_n(arena, most + facts->precedent_count + 1, struct consent_source);
    if (all == NULL)
        return ST_NO_MEMORY;
    *count = 0;
    for (size_t i = 0; i < facts->consent_count; i++)
        all[(*count)++] = facts->consents[i];
    for (uint32_t e = 0; e < b->count; e++) {
        if (stale < facts->stale_count && facts->stale_entries[stale] == e)
            stale++;
        else if (span_eq_text(b->entries[e].type, "Consent") && b->entries[e].resource != TAPE_ABSENT)
            all[(*count)++] = (struct consent_source){ .tape = b->tape, .node = b->entries[e].resource, .home = b,
                                                       .patient = entry_patient(references, e, NULL) };
    }
    enum status st = precedents_apply(facts, references, all, count, arena);
    if (st == ST_OK)
        *count += contained_consents(b, references, all + *count);
    *out = all;
    return st;
}

static enum status
write_payload(struct release *r, const struct facts *facts, struct arena *arena)
{
    size_t                   most   = r->policy->consent_count + facts->document_count;
    struct obligation_scope *scopes = arena_make_n(arena, most + state_packs_rules(facts->packs, facts->pack_count) + 1, struct obligation_scope);
    bool                    *shown  = arena_make_n(arena, most + 1, bool);
    struct splices          *s;
    enum status              st = redact_edit(r->plan, arena, &s);

    if (st != ST_OK || scopes == NULL || shown == NULL)
        return st != ST_OK ? st : ST_NO_MEMORY;
    for (uint32_t e = 0; e < r->bundle->count; e++)
        if (r->plan->decisions[e].verdict >= VERDICT_REDACT)
            r->obligations |= r->plan->decisions[e].obligations;
    size_t count = scopes_of(r, facts, scopes, shown);
    count        = add_notices(r->plan, facts, scopes, count);
    st           = write_edits(r, s, splices_count(s), scopes, count, SPAN(""), facts, arena);
    if (st == ST_OK)
        st = redact_check(r->plan, r->payload, arena, &r->leak);
    return st == ST_OK && emission_edits(facts) ? write_labels(r, scopes, count, facts, arena) : st;
}

static enum status
write_edits(struct release *r, struct splices *s, size_t planned, const struct obligation_scope *scopes, size_t count,
            struct span labels, const struct facts *facts, struct arena *arena)
{
    enum status st = obligation_attach_labels(s, r->bundle, r->obligations, scopes, count, labels, facts, arena);

    if (st != ST_OK)
        return st;
    if (splices_count(s) != planned && r->bundle->type != BUNDLE_SINGLE) {
        tape_node signature = tape_member(r->bundle->tape, r->bundle->root, SPAN("signature"));
        if (signature != TAPE_ABSENT)
            splices_cut(s, signature);                        /* it signs a Bundle without the notice (C8) */
    }
    st = splices_seal(s);
    if (st != ST_OK)
        return st;
    r->splices = s;
    r->payload = splices_flat(s, arena);
    if (span_empty(r->payload))
        return arena_spent(arena) ? ST_NO_MEMORY : ST_INTEGRITY;
    return ST_OK;
}

/* The same once more with labels, behind the check (B4), which knows nothing of them:
 * what they are made of is what it let go, and fixed texts. */
static enum status
write_labels(struct release *r, const struct obligation_scope *scopes, size_t count, const struct facts *facts,
             struct arena *arena)
{
    struct splices *s;
    struct span     root;
    enum status     st = redact_edit(r->plan, arena, &s);

    size_t planned = st == ST_OK ? splices_count(s) : 0;
    if (st == ST_OK)
        st = emission_add(s, r->plan, r->labeling, r->payload, facts, arena, &root);
    return st == ST_OK ? write_edits(r, s, planned, scopes, count, root, facts, arena) : st;
}

/* Those that were a basis, 2.32(b), each once; not every one that permitted something.  In the order
 * of the consents and documents: which entry took which first may hang on what is withheld.
 * `shown` has a place for every consent, then for every document. */
static size_t
scopes_of(const struct release *r, const struct facts *facts, struct obligation_scope *scopes, bool *shown)
{
    size_t count = 0, consents = r->policy->consent_count;

    for (uint32_t e = 0; e < r->bundle->count; e++) {
        const struct decision *d = &r->plan->decisions[e];
        if (d->verdict < VERDICT_REDACT || (d->obligations & OBLIGE_CONSENT_COPY) == 0)
            continue;
        for (size_t i = 0; d->consent != NULL && i <= d->also_count; i++)
            shown[(i == 0 ? d->consent : d->also[i - 1]) - r->policy->consents] = true;
        if (d->consent == NULL && d->document != NULL)
            shown[consents + (size_t)(d->document - facts->documents)] = true;
    }
    for (size_t i = 0; i < consents; i++)
        if (shown[i])
            scopes[count++] = (struct obligation_scope){ .consent = &r->policy->consents[i] };
    for (size_t i = 0; i < facts->document_count; i++)
        if (shown[consents + i])
            scopes[count++] = (struct obligation_scope){ .document = &facts->documents[i] };
    return count;
}

/* Of the packs' notices those of what leaves, each once, in the order of the packs. */
static size_t
add_notices(const struct plan *plan, const struct facts *facts, struct obligation_scope *scopes, size_t count)
{
    for (size_t i = 0; i < facts->pack_count; i++)
        for (size_t j = 0; j < facts->packs[i]->rule_count; j++)
            if (facts->packs[i]->rules[j].effect == STATE_NOTICE && is_noticed(plan, &facts->packs[i]->rules[j]))
                scopes[count++] = (struct obligation_scope){ .notice = facts->packs[i]->rules[j].notice };
    return count;
}

static bool
is_noticed(const struct plan *plan, const struct state_rule *rule)
{
    for (uint32_t e = 0; e < plan->bundle->count; e++)
        for (const struct state_notice *n = plan->decisions[e].notices;
             n != NULL && plan->decisions[e].verdict >= VERDICT_REDACT; n = n->next)
            if (n->rule == rule)
                return true;
    return false;
}

static enum release_outcome
outcome_of(const struct plan *p)
{
    bool held = false;

    for (uint32_t e = 0; e < p->bundle->count; e++)
        held = held || p->decisions[e].verdict == VERDICT_HOLD;
    if (p->kept == 0)
        return held ? RELEASE_HOLD : RELEASE_DENY;
    return p->withheld == 0 && p->cut_count == 0 && p->edit_count == 0 ? RELEASE_PERMIT : RELEASE_PARTIAL;
}
