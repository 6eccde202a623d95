#include "consent/review.h"

#include "consent/match.h"
#include "consent/plan_nested.h"
#include "consent/state_overlay.h"

static struct span      held_by(const struct decision *, struct arena *);
static enum review_kind kind_of_hold(enum rule);
static bool             add_inside(const struct plan *, struct review_causes *, size_t *room, struct arena *);
static bool             is_suspect(const struct labeled *, const struct decision *);
static bool             add(struct review_causes *, size_t *room, struct arena *, struct review_cause);
static void             add_afterwards(const struct release *, struct review_causes *, size_t *room, struct arena *);
static void             relabel(struct labeled *);

static const struct {
    const char     *code, *number;
    enum review_act act;
    unsigned        roles;
    const char     *citation, *words, *release;
} rows[REVIEW_COUNT] = {
    [REVIEW_NONE] = { "", "", NOTES, 0, "", "", "" },
#define REVIEW(name, code, number, act, roles, citation, words, release) \
    [REVIEW_##name] = { code, number, act, roles, citation, words, release },
#include "consent/review.def"
#undef REVIEW
};

/* ---- one recipient -------------------------------------------------------------------- */

enum status
review_release(const struct release *r, const struct facts *facts, struct arena *arena, struct review_causes *out)
{
    const struct plan *plan = r->plan;
    size_t             room = 0;

    *out = (struct review_causes){ NULL, 0 };
    for (uint32_t e = 0; e < plan->bundle->count; e++) {
        const struct decision *d    = &plan->decisions[e];
        bool                   held = d->verdict == VERDICT_HOLD;
        struct review_cause    one  = { .kind = kind_of_hold(d->rule), .entry = e, .rule = d->rule, .node = TAPE_ABSENT,
                                        .consent = d->consent, .document = d->document, .by = held_by(d, arena), .because = d->because };
        if (!held && !is_suspect(&r->labeling->of[e], d))
            continue;
        if (!held) {
            one.kind    = facts->sender == SENDER_NOT_PROGRAM ? REVIEW_CONTRADICTION : REVIEW_SUSPECT;
            one.because = span_of(rows[one.kind].words);
            one.consent = NULL;
        }
        if (!add(out, &room, arena, one))
            return ST_NO_MEMORY;
    }
    if (!add_inside(plan, out, &room, arena))
        return ST_NO_MEMORY;
    if (r->outcome == RELEASE_HOLD && plan->kept > 0)
        (void)add(out, &room, arena, (struct review_cause){ .kind = REVIEW_CHECK, .entry = ENTRY_NONE, .node = TAPE_ABSENT,
                  .because = span_of(rows[REVIEW_CHECK].words) });
    if ((r->obligations & OBLIGE_REVIEW) != 0)
        add_afterwards(r, out, &room, arena);
    return arena_status(arena);
}

static struct span
held_by(const struct decision *d, struct arena *arena)
{
    if (d->document != NULL)
        return d->document->id;
    return d->state != NULL ? state_rule_name(d->state, arena) : (struct span){ NULL, 0 };
}

static enum review_kind
kind_of_hold(enum rule rule)
{
    if (rule == RULE_UNINSPECTED)
        return REVIEW_HELD_CONTENT;
    if (rule == RULE_STATE)
        return REVIEW_STATE;
    return rule_step(rule) == 3 ? REVIEW_LEGAL : REVIEW_PROGRAM;
}

static const struct decision *
held_inside(const struct plan_inner *inner, unsigned depth)
{
    for (uint32_t e = 0; e < inner->plan->bundle->count; e++)
        if (inner->plan->decisions[e].verdict == VERDICT_HOLD || is_suspect(&inner->labeling->of[e], &inner->plan->decisions[e]))
            return &inner->plan->decisions[e];
    for (size_t i = 0; i < inner->plan->inner_count && depth < PLAN_MAX_INNER; i++) {
        const struct decision *d = held_inside(&inner->plan->inner[i], depth + 1);
        if (d != NULL)
            return d;
    }
    return NULL;
}

/* One for each entry: who looks at it sees all that it holds.  Findings are about entries, so that none reaches inside. */
static bool
add_inside(const struct plan *plan, struct review_causes *out, size_t *room, struct arena *arena)
{
    uint32_t told = ENTRY_NONE;

    for (size_t i = 0; i < plan->inner_count; i++) {
        const struct plan_inner *inner = &plan->inner[i];
        const struct decision   *d     = inner->entry != told ? held_inside(inner, 1) : NULL;
        if (d == NULL || plan->decisions[inner->entry].verdict == VERDICT_HOLD)
            continue;
        told = inner->entry;
        if (!add(out, room, arena, (struct review_cause){ .kind = REVIEW_INSIDE, .entry = told, .rule = d->rule, .consent = d->consent,
                                                          .node = TAPE_ABSENT, .because = d->because }))
            return false;
    }
    return true;
}

/* Of one that a consent lets go, or a rule keeps whatever it is, nothing hangs on it. */
static bool
is_suspect(const struct labeled *l, const struct decision *d)
{
    return l->part2 == PART2_SUSPECT && d->verdict <= VERDICT_DENY_STAFF && d->rule == RULE_NO_CONSENT;
}

/* One for each rule that let something go, not one a record. */
static void
add_afterwards(const struct release *r, struct review_causes *out, size_t *room, struct arena *arena)
{
    bool seen[RULE_COUNT] = { false };

    for (uint32_t e = 0; e < r->plan->bundle->count; e++) {
        const struct decision *d = &r->plan->decisions[e];
        if (d->verdict < VERDICT_REDACT || (d->obligations & OBLIGE_REVIEW) == 0 || seen[d->rule])
            continue;
        seen[d->rule] = true;
        bool urgent   = (d->obligations & OBLIGE_EMERGENCY) != 0 || d->rule == RULE_EMERGENCY;
        (void)add(out, room, arena, (struct review_cause){ .kind = urgent ? REVIEW_EMERGENCY : REVIEW_LEGAL_AFTER,
                  .entry = e, .rule = d->rule, .document = d->document, .by = held_by(d, arena), .node = TAPE_ABSENT, .because = d->because });
    }
}

static bool
add(struct review_causes *list, size_t *room, struct arena *arena, struct review_cause cause)
{
    struct review_cause *all = (struct review_cause *)(uintptr_t)list->all;

    if (list->count == *room) {
        size_t larger = *room > 0 ? *room * 2 : 8;
        all           = arena_grow(arena, all, *room * sizeof *all, larger * sizeof *all);
        *room         = larger;
    }
    if (all == NULL)
        return false;
    all[list->count++] = cause;
    list->all          = all;
    return true;
}

/* ---- what was found ----------------------------------------------------------------------- */

enum status
review_relabel(const struct labeling *labeling, const struct facts *facts, struct arena *arena, const struct labeling **out)
{
    struct labeling *again = arena_make(arena, struct labeling);
    struct labeled  *of    = arena_make_n(arena, (size_t)labeling->bundle->count + 1, struct labeled);

    if (again == NULL || of == NULL)
        return ST_NO_MEMORY;
    for (uint32_t e = 0; e < labeling->bundle->count; e++)
        of[e] = labeling->of[e];
    for (size_t i = 0; i < facts->determination_count; i++) {
        struct labeled *l = &of[facts->determinations[i].entry];
        if (facts->determinations[i].entry >= labeling->bundle->count)
            continue;
        if (l->found_count++ == 0)
            l->found = &facts->determinations[i];
    }
    for (uint32_t e = 0; e < labeling->bundle->count; e++)
        if (of[e].found_count > 0)
            relabel(&of[e]);
    *again = (struct labeling){ labeling->bundle, of };
    *out   = again;
    return ST_OK;
}

/* A record that is confirmed as a program's stays it, W3. */
static void
relabel(struct labeled *l)
{
    for (size_t i = 0; i < l->found_count; i++) {
        const struct determination *found = &l->found[i];
        if (found->finding == FINDING_PART2) {
            l->part2  = PART2_CONFIRMED;
            l->labels = label_add(label_add(l->labels, LABEL_SUD), LABEL_PART2);
        }
        if (found->finding == FINDING_CLEAR && found->rule == RULE_NO_CONSENT && l->part2 == PART2_SUSPECT)
            l->part2 = PART2_NOT;
        if (found->finding == FINDING_CLEAR && found->rule == RULE_UNINSPECTED && span_empty(found->consent)
            && span_empty(found->document))
            l->inspected = true;
    }
}

struct decision
review_settle(struct decision d, const struct labeled *l)
{
    struct span consent  = d.consent != NULL ? consent_reference(d.consent) : (struct span){ NULL, 0 };
    struct span document = d.document != NULL ? d.document->id : (struct span){ NULL, 0 };

    enum finding found = review_found(l, d.rule, consent, document);

    if (found == FINDING_REFUSED) {
        d.verdict = VERDICT_DENY;
        d.because = SPAN("a person reviewed it, and it does not go");
    }
    if (found == FINDING_LAWFUL && d.rule != RULE_UNINSPECTED && !(rule_step(d.rule) == 3 && labeled_note(l))) {
        d.verdict     = VERDICT_PERMIT;
        d.obligations = OBLIGE_AUDIT;
        d.because     = SPAN("it was held, and a person determined that it goes");
    }
    return d;
}

enum finding
review_found(const struct labeled *l, enum rule rule, struct span consent, struct span document)
{
    enum finding said = FINDING_NONE;

    for (size_t i = 0; i < l->found_count && said != FINDING_REFUSED; i++) {
        const struct determination *found = &l->found[i];
        if (found->rule == (unsigned)rule && span_eq(found->consent, consent) && span_eq(found->document, document))
            said = found->finding;
    }
    return said;
}

/* ---- rows ------------------------------------------------------------------------------------ */

const char *
review_code(enum review_kind k)
{
    return rows[k < REVIEW_COUNT ? k : REVIEW_NONE].code;
}

enum review_kind
review_of_code(struct span code)
{
    for (int k = REVIEW_NONE + 1; k < REVIEW_COUNT; k++)
        if (span_eq_text(code, rows[k].code))
            return (enum review_kind)k;
    return REVIEW_NONE;
}

const char *
review_number(enum review_kind k)
{
    return rows[k < REVIEW_COUNT ? k : REVIEW_NONE].number;
}

const char *
review_citation(enum review_kind k)
{
    return rows[k < REVIEW_COUNT ? k : REVIEW_NONE].citation;
}

const char *
review_words(enum review_kind k)
{
    return rows[k < REVIEW_COUNT ? k : REVIEW_NONE].words;
}

const char *
review_release_words(enum review_kind k)
{
    return rows[k < REVIEW_COUNT ? k : REVIEW_NONE].release;
}

bool
review_settles(enum review_kind k)
{
    return rows[k < REVIEW_COUNT ? k : REVIEW_NONE].act == SETTLES;
}

unsigned
review_roles(enum review_kind k)
{
    return rows[k < REVIEW_COUNT ? k : REVIEW_NONE].roles;
}

static const struct { enum review_role role; const char *code; } roles[] = {
    { ROLE_PRIVACY_OFFICER, "privacy-officer" }, { ROLE_COUNSEL, "counsel" }, { ROLE_RECORDS, "records" },
};

const char *
review_role_code(enum review_role role)
{
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (roles[i].role == role)
            return roles[i].code;
    return "";
}

enum review_role
review_role_of(struct span code)
{
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (span_eq_text(code, roles[i].code))
            return roles[i].role;
    return (enum review_role)0;
}
