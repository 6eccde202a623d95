#include "consent/precedent.h"

#include "base/json_splice.h"
#include "consent/linked.h"
#include "consent/match.h"
#include "consent/provision.h"
#include "consent/revocation.h"
#include "consent/subject.h"
#include "fhir/reference.h"

#define AS_REVOKED "it was revoked, and this is not signed after that (dateTime): what was revoked stays revoked"
#define AS_REFUSED "an earlier version refuses something, and this is not signed after it (dateTime): the refusal goes on"

struct work {
    const struct facts    *facts;
    struct consent_source *all;
    size_t                *count;
    struct arena          *arena;
    const struct consent **read;         /* of `all`, as it is now; NULL: not yet */
    struct whose           whose;        /* with the links between patients, once a revocation asks for them */
    bool                   links_read;
};

static enum status refusals_apply(struct work *);
static enum status revocations_apply(struct work *);
static enum status revoke_again(struct work *, struct consent_source *, const struct precedent *, const struct revocation *);
static enum status compile_one(const struct consent_source *, struct arena *, const struct consent **out);
static const struct consent *read_one(struct work *, size_t);
static enum status compile_active(struct consent_source, struct arena *, const struct consent **out);
static bool        says_over(const struct consent *);
static bool        refuses(const struct consent *);
static bool        signed_after(const struct consent *, const struct consent *then, const struct precedent *, int64_t received_ms);
static bool        same_patient(const struct facts *, const struct consent *, const struct consent *then);
static bool        same_consent(struct work *, const struct consent *, const struct consent *then);
static enum status recorded_in_error(struct work *, const struct precedent *, const struct consent *then, bool *is);
static bool        same_text(const struct tape *, tape_node, const struct tape *, tape_node, struct arena *);
static bool        account_read(const struct precedent *, struct arena *, struct revocation *);

enum status
precedents_apply(const struct facts *facts, const struct references *references, struct consent_source *all, size_t *count,
                 struct arena *arena)
{
    struct work w = { .facts = facts, .all = all, .count = count, .arena = arena, .whose = whose_of(references, facts, arena) };

    if (facts->precedent_count == 0)
        return ST_OK;
    w.read = arena_make_n(arena, *count + facts->precedent_count, const struct consent *);
    if (w.read == NULL)
        return ST_NO_MEMORY;
    enum status st = refusals_apply(&w);             /* before: they are looked up by what was sent */
    return st == ST_OK ? revocations_apply(&w) : st;
}

unsigned
precedent_of(const struct tape *tape, tape_node node, bool revoking, struct arena *arena)
{
    struct consent_source source = { .tape = tape, .node = node };
    const struct consent *c;

    if (compile_one(&source, arena, &c) != ST_OK)
        return 0;
    return (refuses(c) ? PRECEDENT_REFUSES : 0u)
         | (revoking ? PRECEDENT_REVOKES : says_over(c) ? PRECEDENT_ENDS : 0u);
}

/* A finding about it is about all that came so far (L7). */
static void
stands_against(struct consent_source *source, const char *why, const struct precedent *p)
{
    source->again    = why;
    source->again_ms = p->at_ms > source->again_ms ? p->at_ms : source->again_ms;
}

/* ---- L5 --------------------------------------------------------------------------------- */

static bool
says_over(const struct consent *c)
{
    static const char *const over[] = { "inactive", "entered-in-error", "rejected" };
    tape_node status = tape_member(c->tape, c->node, SPAN("status"));

    for (size_t i = 0; i < sizeof over / sizeof *over; i++)
        if (tape_text_eq(c->tape, status, span_of(over[i])))
            return true;
    return false;
}

/* In so many words: what denies only because it cannot be read is mended by its next version. */
static bool
refuses(const struct consent *c)
{
    tape_node root  = tape_member(c->tape, c->node, SPAN("provision"));
    bool      plain = root == TAPE_ABSENT
                   || (tape_kind(c->tape, root) == TAPE_OBJECT && tape_member(c->tape, root, SPAN("type")) == TAPE_ABSENT);
    bool      any   = c->unusable == NULL && c->base == BASE_DENY && plain;      /* policyRule */

    for (uint32_t i = 0; i < c->provision_count && c->unusable == NULL; i++)
        any = any || tape_text_eq(c->tape, tape_member(c->tape, c->provisions[i].node, SPAN("type")), SPAN("deny"));
    return any;
}

/* It was dated after it came: nobody signed it when it says. */
static bool
misdated(const struct consent *then, const struct precedent *p)
{
    return then->dated && then->date.first_ms > p->at_ms;
}

/* L3 */
static bool
signed_after(const struct consent *now, const struct consent *then, const struct precedent *p, int64_t received_ms)
{
    if (!now->dated || now->date.first_ms <= received_ms)
        return false;
    if (misdated(then, p))
        return now->date.first_ms != then->date.first_ms || now->date.last_ms != then->date.last_ms;
    return !then->dated || now->date.first_ms > then->date.last_ms;
}

static bool
outdone(const struct consent *now, const struct consent *then, const struct precedent *p)
{
    return says_over(now) || signed_after(now, then, p, then->dated && !misdated(then, p) ? INT64_MIN : p->at_ms);
}

static enum status
refusals_apply(struct work *w)
{
    size_t had = *w->count;

    for (size_t i = 0; i < w->facts->precedent_count; i++) {
        const struct precedent *p = &w->facts->precedents[i];
        const struct consent   *then, *now;
        bool                    over = false;
        if (p->revokes || p->upholds)
            continue;
        if (compile_one(&p->source, w->arena, &then) != ST_OK || recorded_in_error(w, p, then, &over) != ST_OK)
            return ST_NO_MEMORY;
        over |= !refuses(then);
        for (size_t k = 0; k < had && !over; k++) {
            if ((now = read_one(w, k)) == NULL)
                return ST_NO_MEMORY;
            if (!span_eq(now->reference, then->reference) || !same_patient(w->facts, now, then))
                continue;
            over = refuses(now) || outdone(now, then, p);
            if (!over) {
                stands_against(&w->all[k], AS_REFUSED, p);
                w->all[k].told  = p->source.told;
                w->read[k]      = NULL;
            }
        }
        if (over)
            continue;
        struct consent_source *source = &w->all[(*w->count)++];
        *source                       = p->source;
        source->refuses_only          = "it was deleted, or replaced by one that is not signed after it: what it refuses is refused";
    }
    return ST_OK;
}

/* ---- L1 --------------------------------------------------------------------------------- */

static enum status
revocations_apply(struct work *w)
{
    for (size_t i = 0; i < w->facts->precedent_count; i++) {
        const struct precedent *p = &w->facts->precedents[i];
        const struct consent   *then, *now;
        struct revocation       r;
        if (!p->revokes || !account_read(p, w->arena, &r))
            continue;
        if (!w->links_read && linked_read(&w->whose) != ST_OK)
            return ST_NO_MEMORY;
        w->links_read = true;
        bool error = false;
        if (compile_active(p->source, w->arena, &then) != ST_OK || recorded_in_error(w, p, then, &error) != ST_OK)
            return ST_NO_MEMORY;
        for (size_t k = 0; k < *w->count && !error; k++) {
            if ((now = read_one(w, k)) == NULL)
                return ST_NO_MEMORY;
            if (signed_after(now, then, p, r.received_last_ms) || !same_consent(w, now, then))
                continue;
            enum status st = revoke_again(w, &w->all[k], p, &r);
            w->read[k]     = NULL;
            if (st != ST_OK)
                return st;
        }
    }
    return ST_OK;
}

/* L4; of the whole when the part cannot be told. */
static enum status
revoke_again(struct work *w, struct consent_source *source, const struct precedent *p, const struct revocation *r)
{
    struct consent_source  before = *source;
    struct revocation      whole  = *r;
    const struct tape     *own, *made;
    struct span            next;

    if (tape_read(tape_extent(source->tape, source->node), &tape_default_limits, w->arena, &own, NULL) != ST_OK)
        return ST_NO_MEMORY;
    enum revocation_outcome outcome = revoke(own, r, w->arena, &next);
    if (outcome == REVOCATION_MADE && tape_read(next, &tape_default_limits, w->arena, &made, NULL) != ST_OK)
        return ST_NO_MEMORY;
    bool lost = outcome == REVOCATION_MADE && !span_empty(r->provision)
             && !same_text(made, tape_member(made, TAPE_ROOT, SPAN("provision")), p->source.tape,
                           tape_member(p->source.tape, p->source.node, SPAN("provision")), w->arena);
    if (outcome == REVOCATION_NOT_FOUND || lost) {
        whole.recipient  = whole.purpose = whole.provision = (struct span){ NULL, 0 };
        whole.identifier = (struct identifier){ .value = { NULL, 0 } };
        outcome          = revoke(own, &whole, w->arena, &next);
        if (outcome == REVOCATION_MADE && tape_read(next, &tape_default_limits, w->arena, &made, NULL) != ST_OK)
            return ST_NO_MEMORY;
    }
    if (outcome == REVOCATION_IMPOSSIBLE)
        return ST_NO_MEMORY;
    if (outcome != REVOCATION_MADE)
        return ST_OK;                    /* it says so itself, or permits nothing */
    source->tape      = made;
    source->node      = TAPE_ROOT;
    source->sent      = before.sent != NULL ? before.sent : before.tape;
    source->sent_node = before.sent != NULL ? before.sent_node : before.node;
    stands_against(source, AS_REVOKED, p);
    source->told      = p->source.told;
    return ST_OK;
}

/* ---- L2 --------------------------------------------------------------------------------- */

/* In any spelling, of whatever server: the store has both under one name (stages/record.c). */
static bool
same_patient(const struct facts *facts, const struct consent *now, const struct consent *then)
{
    struct span one = patient_known_as(facts, now->patient.reference), other = patient_known_as(facts, then->patient.reference);
    struct span base, type, id, then_type, then_id;

    if (span_empty(one) || span_eq(one, other))
        return true;
    return reference_split(one, &base, &type, &id) && reference_split(other, &base, &then_type, &then_id)
        && span_eq(type, then_type) && span_eq(id, then_id);
}

/* A revocation narrows, so it crosses a link; a refusal that goes on (L5) is heard across by itself (linked.h, K12). */
static bool
linked_patient(const struct work *w, const struct consent *now, const struct consent *then)
{
    struct subject one   = subject_of_reference(&w->whose, now->patient.reference);
    struct subject other = subject_of_reference(&w->whose, then->patient.reference);

    return linked_subject(&w->whose, &one, &other);
}

static bool
same_identifier(const struct consent *a, const struct consent *b, struct arena *arena)
{
    tape_node one = tape_member(a->tape, a->node, SPAN("identifier"));
    tape_node two = tape_member(b->tape, b->node, SPAN("identifier"));

    for (tape_node n = tape_first(a->tape, one); n != TAPE_ABSENT; n = tape_next(a->tape, n))
        for (tape_node m = tape_first(b->tape, two); m != TAPE_ABSENT; m = tape_next(b->tape, m)) {
            struct span value = tape_member_text(a->tape, n, SPAN("value"), arena);
            if (!span_empty(value) && tape_text_eq(b->tape, tape_member(b->tape, m, SPAN("value")), value)
                && span_eq(tape_member_text(a->tape, n, SPAN("system"), arena),
                           tape_member_text(b->tape, m, SPAN("system"), arena)))
                return true;
        }
    return false;
}

/* Somebody in both lists, named by reference or by identifier, as far as who is named is known (match.h M2). */
static bool
in_common(struct work *w, const struct consent *c, const struct target *a, size_t a_count,
          const struct consent *d, const struct target *b, size_t b_count)
{
    const struct identifier *mine, *theirs;
    struct asker             who = { .facts = w->facts, .arena = w->arena };
    size_t                   my_count, their_count;
    bool                     any = false;

    for (size_t i = 0; i < a_count && !any; i++) {
        struct arena_mark before = arena_mark(w->arena);
        (void)target_resolve(&a[i], c, &who, &mine, &my_count);
        for (size_t k = 0; k < b_count && !any; k++) {
            struct arena_mark inner = arena_mark(w->arena);
            any = target_same_reference(a[i].reference, b[k].reference) && !a[i].contained && !b[k].contained;
            if (!any && target_resolve(&b[k], d, &who, &theirs, &their_count))
                any = identifiers_share(mine, my_count, theirs, their_count);
            else if (!any)
                any = identifiers_share(mine, my_count, b[k].identifiers, b[k].identifier_count);
            arena_reset(w->arena, inner);
        }
        arena_reset(w->arena, before);
    }
    return any;
}

/* What a consent permits, as far as copies are told by it. */
struct terms { purpose_set purposes; label_set labels; size_t permits, actors; };

static struct terms
terms_of(const struct consent *c)
{
    struct terms t = { .permits = c->base == BASE_PERMIT };

    for (uint32_t i = 0; i < c->provision_count; i++) {
        const struct provision *p = &c->provisions[i];
        if (p->type != PROVISION_PERMIT)
            continue;
        t.purposes |= p->criteria.purposes;
        t.labels   |= p->criteria.labels;
        t.actors   += p->criteria.actor_count;
        t.permits++;
    }
    return t;
}

static bool
same_recipient(struct work *w, const struct consent *a, const struct consent *b)
{
    for (uint32_t i = 0; i < a->provision_count; i++)
        for (uint32_t k = 0; k < b->provision_count; k++)
            if (a->provisions[i].type == PROVISION_PERMIT && b->provisions[k].type == PROVISION_PERMIT
                && in_common(w, a, a->provisions[i].criteria.actors, a->provisions[i].criteria.actor_count,
                             b, b->provisions[k].criteria.actors, b->provisions[k].criteria.actor_count))
                return true;
    return false;
}

/* A day says nothing of its zone, which is 14 hours ahead of UTC at most and 12 behind. */
static bool
same_date(const struct consent *a, const struct consent *b)
{
    const int64_t hour   = 3600 * 1000;
    bool          a_time = span_find(a->date_text, SPAN("T")) != SPAN_NOT_FOUND;
    bool          b_time = span_find(b->date_text, SPAN("T")) != SPAN_NOT_FOUND;
    int64_t       ahead  = a_time == b_time ? 0 : a_time ? 14 * hour : 12 * hour;
    int64_t       behind = a_time == b_time ? 0 : a_time ? 12 * hour : 14 * hour;

    return a->date.last_ms >= b->date.first_ms - ahead && a->date.first_ms <= b->date.last_ms + behind;
}

static bool
is_copy(struct work *w, const struct consent *a, const struct consent *b)
{
    struct terms x = terms_of(a), y = terms_of(b);

    if (!a->dated || !b->dated || !same_date(a, b))
        return false;
    if (x.permits == 0 || y.permits == 0 || x.purposes != y.purposes || x.labels != y.labels)
        return false;
    if (a->organization_count > 0 && b->organization_count > 0
        && !in_common(w, a, a->organizations, a->organization_count, b, b->organizations, b->organization_count))
        return false;
    return (x.actors == 0 && y.actors == 0) || same_recipient(w, a, b);
}

static bool
same_consent(struct work *w, const struct consent *now, const struct consent *then)
{
    if (!same_patient(w->facts, now, then) && !linked_patient(w, now, then))
        return false;
    return (span_eq(now->reference, then->reference) && !span_eq_text(then->reference, "Consent"))
        || same_identifier(now, then, w->arena) || is_copy(w, now, then);
}

/* ---- L7 ----------------------------------------------------------------------------------- */

/* A refusal goes by its id alone (L5). */
static enum status
recorded_in_error(struct work *w, const struct precedent *p, const struct consent *then, bool *is)
{
    const struct consent *seen;

    for (size_t i = 0; i < w->facts->precedent_count && !*is; i++) {
        const struct precedent *u = &w->facts->precedents[i];
        if (!u->upholds || u->at_ms <= p->at_ms)
            continue;
        if (compile_one(&u->source, w->arena, &seen) != ST_OK)
            return ST_NO_MEMORY;
        *is = p->revokes ? same_consent(w, seen, then)
                         : span_eq(seen->reference, then->reference) && same_patient(w->facts, seen, then);
    }
    return ST_OK;
}

/* ---- reading ------------------------------------------------------------------------------ */

static enum status
compile_one(const struct consent_source *source, struct arena *arena, const struct consent **out)
{
    struct consent_source terms = *source;
    const struct policy  *policy;

    terms.terms_only = true;
    enum status st   = policy_compile(&terms, 1, arena, &policy);
    *out = st == ST_OK ? policy_consent(policy, 0) : NULL;
    return st;
}

static const struct consent *
read_one(struct work *w, size_t at)
{
    if (w->read[at] == NULL && compile_one(&w->all[at], w->arena, &w->read[at]) != ST_OK)
        return NULL;
    return w->read[at];
}

/* What it permitted: a version that has ended is not compiled any further. */
static enum status
compile_active(struct consent_source source, struct arena *arena, const struct consent **out)
{
    const struct tape *own, *active;
    struct span        text = tape_extent(source.tape, source.node);

    if (tape_read(text, &tape_default_limits, arena, &own, NULL) != ST_OK)
        return ST_NO_MEMORY;
    struct splices *edit   = splices_new(own, arena);
    tape_node       status = tape_member(own, TAPE_ROOT, SPAN("status"));
    if (edit == NULL)
        return ST_NO_MEMORY;
    if (status != TAPE_ABSENT)
        splices_replace(edit, status, SPAN("\"active\""));
    if (splices_seal(edit) != ST_OK
        || tape_read(splices_flat(edit, arena), &tape_default_limits, arena, &active, NULL) != ST_OK)
        return ST_NO_MEMORY;
    source.tape = active;
    source.node = TAPE_ROOT;
    return compile_one(&source, arena, out);
}

/* The same JSON but for white space and escapes. */
static bool
same_text(const struct tape *a, tape_node m, const struct tape *b, tape_node n, struct arena *arena)
{
    tape_node from = m, to = n;

    if (m == TAPE_ABSENT || n == TAPE_ABSENT || tape_after(a, m) - m != tape_after(b, n) - n)
        return m == n;
    for (; from < tape_after(a, m); from++, to++) {
        enum tape_kind kind = tape_kind(a, from);
        if (kind != tape_kind(b, to) || tape_children(a, from) != tape_children(b, to))
            return false;
        bool text = kind == TAPE_STRING || kind == TAPE_NAME;
        if (text && !tape_text_eq(b, to, tape_text(a, from, arena)))
            return false;
        if (kind == TAPE_NUMBER && !span_eq(tape_extent(a, from), tape_extent(b, to)))
            return false;
    }
    return true;
}

/* Its own account is the last (revocation.h W7): what stood there before came from elsewhere. */
static tape_node
account_node(const struct tape *t, tape_node consent)
{
    tape_node account = TAPE_ABSENT, list = tape_member(t, consent, SPAN("extension"));

    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n))
        if (tape_text_eq(t, tape_member(t, n, SPAN("url")), SPAN(CONSENT_EXTENSION "revocation")))
            account = n;
    return account;
}

static bool
account_read(const struct precedent *p, struct arena *arena, struct revocation *r)
{
    const struct tape *t    = p->source.tape;
    tape_node          list = tape_member(t, account_node(t, p->source.node), SPAN("extension"));
    struct time_range  at;

    *r = (struct revocation){ .received_ms = p->at_ms, .recorded_ms = p->at_ms, .received_last_ms = p->at_ms };
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        struct span url  = tape_member_text(t, n, SPAN("url"), arena);
        struct span when = tape_member_text(t, n, SPAN("valueDateTime"), arena);
        tape_node   who  = tape_member(t, n, SPAN("valueReference"));
        tape_node   id   = tape_member(t, who, SPAN("identifier"));
        if (span_eq_text(url, "received") && time_range_read(when, &at))
            r->received_ms = r->received_last_ms = at.first_ms;
        else if (span_eq_text(url, "form"))
            r->form = tape_text_eq(t, tape_member(t, n, SPAN("valueCode")), SPAN("written")) ? REVOCATION_WRITTEN : REVOCATION_SAID;
        else if (span_eq_text(url, "purpose"))
            r->purpose = tape_member_text(t, n, SPAN("valueCode"), arena);
        else if (span_eq_text(url, "provision"))
            r->provision = tape_member_text(t, n, SPAN("valueString"), arena);
        else if (span_eq_text(url, "recipient")) {
            r->recipient         = tape_member_text(t, who, SPAN("reference"), arena);
            r->identifier.system = tape_member_text(t, id, SPAN("system"), arena);
            r->identifier.value  = tape_member_text(t, id, SPAN("value"), arena);
        }
    }
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n))
        if (tape_text_eq(t, tape_member(t, n, SPAN("url")), SPAN("receivedAtLatest"))
            && time_range_read(tape_member_text(t, n, SPAN("valueDateTime"), arena), &at))
            r->received_last_ms = at.last_ms;
    return list != TAPE_ABSENT;
}
