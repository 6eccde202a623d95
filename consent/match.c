#include "consent/match.h"

#include <limits.h>

#include "consent/affiliate.h"
#include "fhir/code_system.h"

static enum match match_actors(const struct provision *, const struct asker *, enum rank *);
static enum match match_actor(const struct target *, const struct provision *, const struct asker *, enum rank *);
static bool       names_another(const struct target *, const struct asker *);
static bool       same_system(struct span, struct span);
static bool       is_member(const struct asker *, struct span group);
static bool       contradict(const struct identifier *, size_t, const struct identifier *, size_t);
static bool       could_be(const struct asker *, struct span type);
static enum rank  rank_of(const struct target *, const struct asker *, bool permit);
static bool       individual(struct span type);
static enum match match_purposes(const struct provision *, const struct asker *, bool *part2);
static enum match match_actions(const struct provision *, const struct asker *);
static const struct known_actor *known(const struct facts *, struct span reference);

static enum match match_labels(const struct provision *, const struct record *);
static enum match match_classes(const struct provision *, const struct record *);
static enum match match_codes(const struct provision *, const struct record *);
static enum match match_data_period(const struct provision *, const struct record *);
static enum match match_data_rules(const struct provision *, const struct record *);
static label_set  labels_of(const struct record *, int *level);
static size_t     foreign_hits(const struct criteria *, const struct record *, size_t *missed);
static bool       has_profile(const struct record *, struct span url);
static bool       has_media_type(const struct record *, const struct coding *);
static bool       has_code(const struct record *, tape_node resource, const struct coding *);
static bool       has_words(const struct record *, struct span words);
static bool       date_of(const struct record *, tape_node, struct time_range *out);
static bool       is_instance(const struct bundle_entry *, struct span reference);
static bool       refers_to(const struct record *, struct span target);
static enum match referred_by(const struct record *, struct span target);
static enum match authored_by(const struct record *, const struct target *author);
static enum match names_target(const struct record *, tape_node, const struct target *);
static bool       is_program(const struct target *, const struct program *, const struct consent *, const struct asker *);
static struct span type_of(struct span reference);
static struct span reference_of(tape_node, const struct record *);
static enum match  either(enum match, enum match);

/* ---- who ------------------------------------------------------------------------ */

enum status
asker_make(const struct facts *facts, const struct references *references, struct arena *arena,
           struct asker *out)
{
    const struct known_actor *self  = known(facts, facts->actor.reference);
    const struct known_actor *other = known(facts, facts->actor.on_behalf_of);
    const struct known_actor *whole = known(facts, facts->actor.legal_entity);
    size_t room = facts->actor.identifier_count + (self != NULL ? self->identifier_count : 0)
                  + (other != NULL ? other->identifier_count : 0) + (whole != NULL ? whole->identifier_count : 0);
    struct identifier *all = arena_make_n(arena, room, struct identifier);
    struct asker       a   = { .facts = facts, .references = references, .identifiers = all, .arena = arena };

    if (arena_spent(arena))
        return ST_NO_MEMORY;
    for (size_t i = 0; i < facts->actor.identifier_count; i++)
        all[a.identifier_count++] = facts->actor.identifiers[i];
    for (size_t i = 0; self != NULL && i < self->identifier_count; i++)
        all[a.identifier_count++] = self->identifiers[i];
    for (size_t i = 0; other != NULL && i < other->identifier_count; i++)
        all[a.identifier_count++] = other->identifiers[i];
    for (size_t i = 0; whole != NULL && i < whole->identifier_count; i++)
        all[a.identifier_count++] = whole->identifiers[i];
    for (size_t i = 0; i < facts->purpose_count; i++) {
        enum purpose p = purpose_of(facts->purposes[i]);
        if (p != PURPOSE_NONE)
            a.purposes |= PURPOSE_BIT(p);
        if (p == PURPOSE_NONE
            || (facts->actor.bound && !purpose_within(facts->purposes[i], facts->actor.registered, facts->actor.registered_count)))
            a.strange_purposes++;
    }
    enum status st = affiliation_read(&a, &a.above);
    *out = a;
    return st;
}

struct audience
match_audience(const struct provision *p, const struct asker *asker)
{
    struct audience a = { .match = MATCH_YES, .actor = MATCH_YES };
    enum match      m;

    if (asker->facts->at_ms < p->period.first_ms || asker->facts->at_ms > p->period.last_ms) {
        a.failed = DIMENSION_PERIOD;
        a.match  = MATCH_NO;
        return a;
    }
    a.actor = match_actors(p, asker, &a.rank);
    const struct { enum dimension d; enum match m; } found[] = {
        { DIMENSION_ACTOR, a.actor },
        { DIMENSION_PURPOSE, match_purposes(p, asker, &a.part2_purpose) },
        { DIMENSION_ACTION, match_actions(p, asker) },
        { DIMENSION_STRANGE, (p->criteria.unreadable & DIMENSION_STRANGE) != 0 ? MATCH_UNKNOWN : MATCH_YES },
        { DIMENSION_PERIOD, (p->criteria.unreadable & DIMENSION_PERIOD) != 0 ? MATCH_UNKNOWN : MATCH_YES },
    };
    for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
        m = found[i].m;
        if (m != MATCH_YES)
            a.failed |= found[i].d;
        if (m == MATCH_NO || a.match == MATCH_YES)
            a.match = a.match == MATCH_NO ? MATCH_NO : m;
    }
    return a;
}

static enum match
match_actors(const struct provision *p, const struct asker *asker, enum rank *rank)
{
    enum match best = MATCH_NO;

    *rank = RANK_NOBODY;
    if ((p->criteria.stated & DIMENSION_ACTOR) == 0)
        return MATCH_YES;
    for (size_t i = 0; i < p->criteria.actor_count; i++) {
        enum rank  r;
        enum match m = match_actor(&p->criteria.actors[i], p, asker, &r);
        if (m != MATCH_NO && r > *rank)
            *rank = r;
        best = either(best, m);
    }
    /* A role that is no recipient's: what the list means is not known. */
    if ((p->criteria.unreadable & DIMENSION_ACTOR) != 0)
        return p->type == PROVISION_PERMIT || best == MATCH_NO ? MATCH_UNKNOWN : best;
    return best;
}

/* M2 */
static enum match
match_actor(const struct target *t, const struct provision *p, const struct asker *asker, enum rank *rank)
{
    const struct identifier *ids;
    size_t count;
    bool   resolved = target_resolve(t, p->consent, asker, &ids, &count);
    bool   named    = asker_answers_to(asker, t->reference) || is_member(asker, t->reference);

    *rank = rank_of(t, asker, p->type == PROVISION_PERMIT);
    if (identifiers_share(ids, count, asker->identifiers, asker->identifier_count))
        return !named && names_another(t, asker) ? MATCH_UNKNOWN : MATCH_YES;
    if (named && target_same_reference(t->reference, asker->facts->actor.reference)
        && contradict(ids, count, asker->facts->actor.identifiers, asker->facts->actor.identifier_count))
        return MATCH_UNKNOWN;
    if (named)
        return MATCH_YES;
    if (p->type == PROVISION_DENY && affiliation_reaches(asker, t, p->consent, ids, count)) {
        *rank = RANK_NOBODY;             /* M12: a permit that names the affiliate is the narrower one */
        return MATCH_YES;
    }
    if (!could_be(asker, t->type) || contradict(ids, count, asker->identifiers, asker->identifier_count))
        return MATCH_NO;
    /* Two that resolve under two names are two; a requester without a name may be anybody. */
    return resolved && !span_empty(asker->facts->actor.reference) ? MATCH_NO : MATCH_UNKNOWN;
}

bool
target_resolve(const struct target *t, const struct consent *consent, const struct asker *asker,
               const struct identifier **identifiers, size_t *count)
{
    const struct known_actor *actor = known(asker->facts, t->reference);

    *identifiers = t->identifiers;
    *count       = t->identifier_count;
    if (t->contained)
        return t->identifier_count > 0;
    if (actor != NULL) {
        if (*count == 0) {
            *identifiers = actor->identifiers;
            *count       = actor->identifier_count;
        }
        return true;
    }
    /* It may name its neighbours. */
    const struct bundle *bundle = consent->home;
    struct span base, type, id;
    if (bundle == NULL || span_empty(t->reference))
        return false;
    uint32_t entry = bundle_find_full_url(bundle, t->reference);
    if (entry == ENTRY_NONE && reference_split(t->reference, &base, &type, &id))
        entry = bundle_find(bundle, type, id);
    if (entry == ENTRY_NONE)
        return false;
    tape_node list = tape_member(bundle->tape, bundle->entries[entry].resource, SPAN("identifier"));
    struct identifier *all = arena_make_n(asker->arena, tape_children(bundle->tape, list), struct identifier);
    if (all == NULL)
        return false;
    *count = 0;
    for (tape_node n = tape_first(bundle->tape, list); n != TAPE_ABSENT; n = tape_next(bundle->tape, n))
        all[(*count)++] = (struct identifier){
            .system = tape_member_text(bundle->tape, n, SPAN("system"), asker->arena),
            .value  = tape_member_text(bundle->tape, n, SPAN("value"), asker->arena),
        };
    *identifiers = all;
    return *count > 0;
}

bool
target_same_reference(struct span a, struct span b)
{
    struct span base_a, type_a, id_a, base_b, type_b, id_b;

    if (span_empty(a) || span_empty(b))
        return false;
    if (span_eq(a, b))
        return true;
    if (!reference_split(a, &base_a, &type_a, &id_a) || !reference_split(b, &base_b, &type_b, &id_b))
        return false;
    return span_eq(type_a, type_b) && span_eq(id_a, id_b)
           && (span_empty(base_a) || span_empty(base_b) || span_eq(base_a, base_b));
}

bool
asker_answers_to(const struct asker *asker, struct span reference)
{
    const struct party *actor = &asker->facts->actor;

    if (target_same_reference(reference, actor->reference) || target_same_reference(reference, actor->on_behalf_of)
        || target_same_reference(reference, actor->legal_entity))
        return true;
    for (size_t i = 0; i < actor->member_of_count; i++)
        if (target_same_reference(reference, actor->member_of[i]))
            return true;
    return false;
}

/* The group lists the requester, or the organization that it acts for. */
static bool
is_member(const struct asker *asker, struct span group)
{
    const struct known_actor *found = known(asker->facts, group);

    for (size_t i = 0; found != NULL && i < found->member_count; i++)
        if (target_same_reference(found->members[i], asker->facts->actor.reference)
            || target_same_reference(found->members[i], asker->facts->actor.on_behalf_of)
            || target_same_reference(found->members[i], asker->facts->actor.legal_entity))
            return true;
    return false;
}

static const struct known_actor *
known(const struct facts *facts, struct span reference)
{
    for (size_t i = 0; i < facts->known_actor_count; i++)
        if (target_same_reference(reference, facts->known_actors[i].reference))
            return &facts->known_actors[i];
    return NULL;
}

/* Somebody who is known here, and has other identifiers than the requester. */
static bool
names_another(const struct target *t, const struct asker *asker)
{
    const struct known_actor *other = known(asker->facts, t->reference);

    return other != NULL && contradict(other->identifiers, other->identifier_count, asker->identifiers, asker->identifier_count);
}

static bool
same_system(struct span a, struct span b)
{
    return span_eq(a, b) || (code_system_of(a) != CODE_SYSTEM_UNKNOWN && code_system_of(a) == code_system_of(b));
}

bool
identifier_same(const struct identifier *a, const struct identifier *b)
{
    return !span_empty(a->value) && span_eq(a->value, b->value) && same_system(a->system, b->system);
}

bool
identifiers_share(const struct identifier *a, size_t a_count, const struct identifier *b, size_t b_count)
{
    for (size_t i = 0; i < a_count; i++)
        for (size_t j = 0; j < b_count; j++)
            if (identifier_same(&a[i], &b[j]))
                return true;
    return false;
}

/* Both have an identifier of one system, and none of them is the same. */
static bool
contradict(const struct identifier *a, size_t a_count, const struct identifier *b, size_t b_count)
{
    bool common = false;

    for (size_t i = 0; i < a_count; i++)
        for (size_t j = 0; j < b_count; j++)
            common |= !span_empty(a[i].system) && same_system(a[i].system, b[j].system);
    return common && !identifiers_share(a, a_count, b, b_count);
}

/* Somebody of this type may be the one who asks. */
static bool
could_be(const struct asker *asker, struct span type)
{
    const struct party *actor = &asker->facts->actor;
    struct span         own   = type_of(actor->reference);

    if (span_empty(type) || span_empty(own) || span_eq(type, own) || span_eq(type, type_of(actor->on_behalf_of)))
        return true;
    bool practitioner = span_starts(own, SPAN("Practitioner"));
    if (practitioner && span_starts(type, SPAN("Practitioner")))
        return true;                     /* a role of that person */
    return !individual(type);            /* an organization or group may hold anybody */
}

/* M3.  Who is only identified may be either: a deny counts as the narrower
 * rule, a permit as the wider one. */
static enum rank
rank_of(const struct target *t, const struct asker *asker, bool permit)
{
    struct span type = t->type;

    for (size_t i = 0; span_empty(type) && i < asker->facts->known_actor_count; i++) {
        const struct known_actor *k = &asker->facts->known_actors[i];
        if (identifiers_share(t->identifiers, t->identifier_count, k->identifiers, k->identifier_count))
            type = type_of(k->reference);
    }
    /* The requester is an organization that asks for itself. */
    if (span_empty(type) && span_eq_text(type_of(asker->facts->actor.reference), "Organization"))
        type = SPAN("Organization");
    if (span_empty(type))
        return permit ? RANK_ORGANIZATION : RANK_INDIVIDUAL;
    return individual(type) ? RANK_INDIVIDUAL : RANK_ORGANIZATION;
}

static bool
individual(struct span type)
{
    return span_eq_text(type, "Practitioner") || span_eq_text(type, "PractitionerRole")
           || span_eq_text(type, "RelatedPerson") || span_eq_text(type, "Patient") || span_eq_text(type, "Person")
           || span_eq_text(type, "Device");
}

/* M4 */
static enum match
match_purposes(const struct provision *p, const struct asker *asker, bool *part2)
{
    const struct criteria *k    = &p->criteria;
    purpose_set            left = asker->purposes, strictly = asker->purposes;

    *part2 = true;
    if ((k->stated & DIMENSION_PURPOSE) == 0)
        return MATCH_YES;
    for (purpose_set asks = asker->purposes; asks != 0; asks &= asks - 1)
        for (purpose_set lists = k->purposes; lists != 0; lists &= lists - 1) {
            enum purpose asked = purpose_first(asks), listed = purpose_first(lists);
            if (purpose_is_a(asked, listed))
                left &= ~PURPOSE_BIT(asked);
            if (purpose_covers(listed, asked))
                strictly &= ~PURPOSE_BIT(asked);
        }
    *part2 = strictly == 0;
    if (asker->facts->purpose_count == 0)
        return MATCH_UNKNOWN;
    if (p->type == PROVISION_PERMIT)
        return left == 0 && asker->strange_purposes == 0 ? MATCH_YES : MATCH_NO;
    if (left != asker->purposes)
        return MATCH_YES;
    return asker->strange_purposes > 0 || (k->unreadable & DIMENSION_PURPOSE) != 0 ? MATCH_UNKNOWN : MATCH_NO;
}

/* M5 */
static enum match
match_actions(const struct provision *p, const struct asker *asker)
{
    const struct criteria *k     = &p->criteria;
    struct span            asked = asker->facts->action;
    uint32_t               hit   = ACTION_ACCESS | ACTION_DISCLOSE;

    if ((k->stated & DIMENSION_ACTION) == 0)
        return MATCH_YES;
    /* A consent to look does not extend to handing on; to hand on is to let look. */
    if (p->type == PROVISION_PERMIT && span_eq_text(asked, "disclose"))
        hit = ACTION_DISCLOSE;
    else if (!span_empty(asked) && !span_eq_text(asked, "access") && !span_eq_text(asked, "disclose"))
        return MATCH_UNKNOWN;
    if ((k->actions & hit) != 0)
        return MATCH_YES;
    return (k->unreadable & DIMENSION_ACTION) != 0 ? MATCH_UNKNOWN : MATCH_NO;
}

/* ---- which data ------------------------------------------------------------------ */

struct record
record_of(const struct labeling *labeling, uint32_t entry, const struct asker *asker)
{
    const struct bundle_entry *e    = &labeling->bundle->entries[entry];
    enum bundle_type           kind = labeling->bundle->type;
    bool first = entry == 0 && ((kind == BUNDLE_DOCUMENT && span_eq_text(e->type, "Composition"))
                                || (kind == BUNDLE_MESSAGE && span_eq_text(e->type, "MessageHeader")));

    return (struct record){
        .asker = asker, .labeled = &labeling->of[entry], .program = labeling->of[entry].program, .tape = labeling->bundle->tape, .entry = entry,
        .in = e, .resource = e->resource, .type = e->type, .carrier = first || span_eq_text(e->type, "Patient"),
    };
}

/* V2: of every kind of data that it states, something can be read.  Else there is nothing that a Patient
 * could go along with. */
static bool
names_data(const struct criteria *k)
{
    const uint32_t strange = k->unreadable;
    size_t         known   = 0;

    for (size_t i = 0; i < k->data_count; i++)
        known += k->data[i].meaning != DATA_UNKNOWN
                 && (!span_empty(k->data[i].target.reference) || k->data[i].target.identifier_count > 0);
    return ((strange & DIMENSION_LABEL) == 0 || k->labels != 0 || k->foreign_label_count > 0)
        && ((strange & DIMENSION_CLASS) == 0 || k->class_count > 0)
        && ((strange & DIMENSION_CODE) == 0 || k->code_count + k->code_text_count > 0)
        && ((strange & DIMENSION_DATA) == 0 || known > 0) && (strange & DIMENSION_DATA_PERIOD) == 0;
}

enum match
match_data(const struct provision *p, const struct record *r)
{
    static const struct { enum dimension d; enum match (*ask)(const struct provision *, const struct record *); } asks[] = {
        { DIMENSION_LABEL, match_labels },           { DIMENSION_CLASS, match_classes },
        { DIMENSION_CODE, match_codes },             { DIMENSION_DATA_PERIOD, match_data_period },
        { DIMENSION_DATA, match_data_rules },
    };
    enum match all = MATCH_YES;

    if (p->type == PROVISION_PERMIT && r->carrier)
        return names_data(&p->criteria) ? MATCH_YES : MATCH_UNKNOWN;          /* M11 */
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        if ((p->criteria.stated & asks[i].d) == 0)
            continue;
        enum match m = asks[i].ask(p, r);
        if (m != MATCH_YES && (p->criteria.unreadable & asks[i].d) != 0)
            m = MATCH_UNKNOWN;
        if (m == MATCH_NO)
            return MATCH_NO;
        if (m == MATCH_UNKNOWN)
            all = MATCH_UNKNOWN;
    }
    return all;
}

/* M6: what a record says, and how restricted it is. */
static label_set
labels_of(const struct record *r, int *level)
{
    const int restricted = labels_confidentiality(LABEL_BIT(LABEL_R));
    label_set have       = r->labeled->labels;

    *level = labels_confidentiality(have);
    if (r->labeled->part2 == PART2_CONFIRMED)
        have |= LABEL_BIT(LABEL_SUD) | LABEL_BIT(LABEL_PART2);
    if (*level == 0)
        *level = labels_sensitive(have) != 0 ? restricted : labels_confidentiality(LABEL_BIT(LABEL_N));
    if (r->labeled->part2 != PART2_NOT && *level < restricted)
        *level = restricted;
    return have;
}

bool
labeled_note(const struct labeled *l)
{
    return l->counseling_note || labels_have(l->labels, LABEL_PSYTHPN) || labels_have(l->labels, LABEL_HIPAAPSY);
}

/* Labels of the record that only the listed foreign ones can cover. */
static size_t
foreign_hits(const struct criteria *k, const struct record *r, size_t *missed)
{
    size_t hits = 0;

    *missed = 0;
    for (size_t j = 0; j < r->labeled->foreign_count; j++) {
        const struct coding *f   = &r->labeled->foreign[j];
        bool                 hit = false;
        for (size_t i = 0; i < k->foreign_label_count && !hit; i++)
            hit = span_eq(k->foreign_labels[i].code, f->code) && span_eq(k->foreign_labels[i].system, f->system);
        hits += hit;
        /* A purpose of use on the data (HTEST) is no sensitivity. */
        *missed += !hit && code_system_of(f->system) != CODE_SYSTEM_ACTREASON;
    }
    return hits;
}

bool
match_unseen(const struct record *r, const struct consent *consent)
{
    if (!r->labeled->uninspected)
        return false;
    for (size_t i = 0; i < r->labeled->found_count; i++)
        if (consent != NULL && r->labeled->found[i].finding == FINDING_CLEAR && !span_empty(r->labeled->found[i].consent)
            && span_eq(r->labeled->found[i].consent, consent->reference))
            return false;
    return true;
}

/* M6 */
static enum match
match_labels(const struct provision *p, const struct record *r)
{
    const struct criteria *k = &p->criteria;
    int       level, lowest = INT_MAX;
    label_set have    = labels_of(r, &level), covered = 0;
    int       ceiling = labels_confidentiality(k->labels);
    size_t    missed, foreign = foreign_hits(k, r, &missed);
    bool      named   = k->foreign_label_count > 0;

    /* A consent for counseling notes alone is for what such a note holds, 2.31(b). */
    if (p->type == PROVISION_PERMIT && p->consent->kind == KIND_COUNSELING_NOTES && r->labeled->part2 != PART2_NOT
        && labeled_note(r->labeled))
        return MATCH_YES;
    for (label_set left = k->labels; left != 0; left &= left - 1) {
        enum label l       = (enum label)__builtin_ctzll(left);
        int        of_this = labels_confidentiality(LABEL_BIT(l));
        if (label_kind(l) == LABEL_CONFIDENTIALITY)
            lowest = of_this < lowest ? of_this : lowest;
        else
            covered |= label_closure(l);
        named |= label_kind(l) != LABEL_CONFIDENTIALITY;
    }
    if (p->type != PROVISION_PERMIT) {
        if (labels_meet(covered, have) || foreign > 0 || level >= lowest)
            return MATCH_YES;
        return match_unseen(r, p->consent) ? MATCH_UNKNOWN : MATCH_NO;
    }
    if (match_unseen(r, p->consent))
        return MATCH_UNKNOWN;
    if (labels_have(k->labels, LABEL_PART2) && r->labeled->part2 != PART2_NOT)
        covered |= labels_substance_use();
    label_set sensitive = labels_sensitive(have);
    bool      within    = ceiling > 0 && level <= ceiling;
    if (!named || (sensitive == 0 && missed + foreign == 0))
        return within ? MATCH_YES : MATCH_NO;
    return (sensitive & ~covered) == 0 && missed == 0 ? MATCH_YES : MATCH_NO;
}

/* M7 */
static enum match
match_classes(const struct provision *p, const struct record *r)
{
    static const char *const types[] = { "http://hl7.org/fhir/resource-types", "http://hl7.org/fhir/fhir-types",
                                         "http://hl7.org/fhir/ValueSet/resource-types" };
    enum match best = MATCH_NO;

    for (size_t i = 0; i < p->criteria.class_count; i++) {
        const struct coding *k    = &p->criteria.classes[i];
        bool                 type = span_empty(k->system);
        for (size_t j = 0; j < sizeof types / sizeof *types; j++)
            type |= span_eq_text(k->system, types[j]);
        if (type && span_eq(k->code, r->type))
            return MATCH_YES;
        if (type && span_find_byte(k->code, ':') == SPAN_NOT_FOUND)
            continue;
        if (has_profile(r, k->code) || has_media_type(r, k))
            return MATCH_YES;
        if (code_system_of(k->system) != CODE_SYSTEM_UNKNOWN) {
            if (has_code(r, r->resource, k))
                return MATCH_YES;
        } else if (span_find(k->code, SPAN("://")) == SPAN_NOT_FOUND && !span_eq_text(k->system, "urn:ietf:bcp:13")) {
            best = MATCH_UNKNOWN;        /* a class of somebody else's making */
        }
    }
    return best;
}

static bool
has_profile(const struct record *r, struct span url)
{
    tape_node list = tape_member(r->tape, tape_member(r->tape, r->resource, SPAN("meta")), SPAN("profile"));

    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
        struct span have = tape_text(r->tape, n, r->asker->arena);
        if (!span_empty(url) && span_eq(span_split(&have, '|'), url))
            return true;
    }
    return false;
}

/* DocumentReference.content.attachment.contentType, Binary.contentType … */
static bool
has_media_type(const struct record *r, const struct coding *k)
{
    if (!span_eq_text(k->system, "urn:ietf:bcp:13"))
        return false;
    for (tape_node n = r->resource; n < tape_after(r->tape, r->resource); n++)
        if (tape_kind(r->tape, n) == TAPE_NAME && tape_text_eq(r->tape, n, SPAN("contentType"))
            && tape_text_eq(r->tape, n + 1, k->code))
            return true;
    return false;
}

/* M8 */
static enum match
match_codes(const struct provision *p, const struct record *r)
{
    const struct criteria *k = &p->criteria;
    uint32_t first = 0, count = r->asker->references != NULL ? references_from(r->asker->references, r->entry, &first) : 0;

    for (size_t i = 0; i < k->code_count; i++) {
        if (has_code(r, r->resource, &k->codes[i]))
            return MATCH_YES;
        for (uint32_t j = first; j < first + count; j++) {
            uint32_t to = r->asker->references->all[j].to;
            if (to == ENTRY_NONE)
                continue;
            const struct bundle_entry *e = &r->asker->references->bundle->entries[to];
            if (span_eq_text(e->type, "Medication") && has_code(r, e->resource, &k->codes[i]))
                return MATCH_YES;
        }
    }
    for (size_t i = 0; i < k->code_text_count; i++)
        if (has_words(r, k->code_texts[i]))
            return MATCH_YES;
    return match_unseen(r, p->consent) || k->code_text_count > 0 ? MATCH_UNKNOWN : MATCH_NO;
}

/* Any Coding below the node; labels and tags in meta are about the record. */
static bool
has_code(const struct record *r, tape_node resource, const struct coding *k)
{
    enum code_system system = code_system_of(k->system);
    struct code      wanted = code_fold(system, k->code);
    tape_node        meta   = tape_member(r->tape, resource, SPAN("meta"));
    bool             prefix = system == CODE_SYSTEM_ICD10CM || system == CODE_SYSTEM_ICD10 || system == CODE_SYSTEM_ICD9CM;

    for (tape_node n = resource; n != TAPE_ABSENT && n < tape_after(r->tape, resource); n++) {
        if (n == meta && meta != TAPE_ABSENT)
            n = tape_after(r->tape, meta);
        if (tape_kind(r->tape, n) != TAPE_OBJECT)
            continue;
        tape_node code = tape_member(r->tape, n, SPAN("code"));
        if (tape_kind(r->tape, code) != TAPE_STRING)
            continue;
        struct span at = tape_member_text(r->tape, n, SPAN("system"), r->asker->arena);
        if (system == CODE_SYSTEM_UNKNOWN) {
            if (span_eq(at, k->system) && tape_text_eq(r->tape, code, k->code))
                return true;
            continue;
        }
        if (code_system_of(at) != system)
            continue;
        struct code have = code_fold(system, tape_text(r->tape, code, r->asker->arena));
        if (wanted.length > 0 && (prefix ? span_starts(code_span(&have), code_span(&wanted))
                                         : span_eq(code_span(&have), code_span(&wanted))))
            return true;
    }
    return false;
}

/* A code of the consent in words: the same words as a text or a display. */
static bool
has_words(const struct record *r, struct span words)
{
    for (tape_node n = r->resource; n < tape_after(r->tape, r->resource); n++)
        if (tape_kind(r->tape, n) == TAPE_NAME
            && (tape_text_eq(r->tape, n, SPAN("text")) || tape_text_eq(r->tape, n, SPAN("display")))
            && span_eq_nocase(span_trim(tape_text(r->tape, n + 1, r->asker->arena)), span_trim(words)))
            return true;
    return false;
}

/* In the order in which they are clinically relevant; the first one that is there is the record's date. */
static const char *const date_names[] = {
    "effectiveDateTime", "effectivePeriod", "effectiveInstant", "performedDateTime", "performedPeriod",
    "occurrenceDateTime", "occurrencePeriod", "onsetDateTime", "onsetPeriod", "servicedDate", "servicedPeriod",
    "billablePeriod", "executionPeriod", "period", "started", "start", "collectedDateTime", "whenHandedOver",
    "whenPrepared", "authoredOn", "authored", "dateTime", "recordedDate", "dateAsserted", "assertedDate", "recorded",
    "date", "issued", "sent", "received", "created", "startDate", "statusDate", "timestamp",
};

/* M9 */
static enum match
match_data_period(const struct provision *p, const struct record *r)
{
    const struct time_range wanted = p->criteria.data_period;
    bool                    found  = false;

    if ((p->criteria.unreadable & DIMENSION_DATA_PERIOD) != 0)
        return MATCH_UNKNOWN;
    for (size_t i = 0; i < sizeof date_names / sizeof *date_names; i++) {
        struct time_range have;
        if (!date_of(r, tape_member(r->tape, r->resource, span_of(date_names[i])), &have))
            continue;
        if (p->type == PROVISION_PERMIT)
            return have.first_ms >= wanted.first_ms && have.last_ms <= wanted.last_ms ? MATCH_YES : MATCH_NO;
        if (have.first_ms <= wanted.last_ms && have.last_ms >= wanted.first_ms)
            return MATCH_YES;
        found = true;
    }
    return found ? MATCH_NO : MATCH_UNKNOWN;
}

bool
record_begins_after(const struct record *r, int64_t ms)
{
    bool found = false;

    for (size_t i = 0; i < sizeof date_names / sizeof *date_names; i++) {
        struct time_range have;
        if (!date_of(r, tape_member(r->tape, r->resource, span_of(date_names[i])), &have))
            continue;
        if (have.first_ms <= ms)
            return false;
        found = true;
    }
    return found;
}

/* A date, or a Period (without an end it still goes on). */
static bool
date_of(const struct record *r, tape_node node, struct time_range *out)
{
    struct time_range end = { 0, INT64_MAX };

    if (tape_kind(r->tape, node) == TAPE_STRING)
        return time_range_read(tape_text(r->tape, node, r->asker->arena), out);
    tape_node last = tape_member(r->tape, node, SPAN("end"));
    if (!time_range_read(tape_member_text(r->tape, node, SPAN("start"), r->asker->arena), out)
        || (last != TAPE_ABSENT && !time_range_read(tape_text(r->tape, last, r->asker->arena), &end)))
        return false;
    out->last_ms = end.last_ms;
    return true;
}

/* M10 */
static enum match
match_data_rules(const struct provision *p, const struct record *r)
{
    enum match best = MATCH_NO;

    for (size_t i = 0; i < p->criteria.data_count; i++) {
        const struct data_rule *rule = &p->criteria.data[i];
        struct span             to   = rule->target.reference;
        bool both = p->type != PROVISION_PERMIT || span_eq_text(rule->target.type, "Encounter")
                    || span_eq_text(rule->target.type, "EpisodeOfCare") || span_eq_text(rule->target.type, "CarePlan");

        if (rule->meaning == DATA_UNKNOWN || rule->meaning == DATA_AUTHORED_BY) {
            best = either(best, rule->meaning == DATA_UNKNOWN ? MATCH_UNKNOWN : authored_by(r, &rule->target));
            continue;
        }
        if (is_instance(r->in, to))
            return MATCH_YES;
        if ((rule->meaning == DATA_DEPENDENTS || (rule->meaning == DATA_RELATED && both)) && refers_to(r, to))
            return MATCH_YES;
        if (rule->meaning == DATA_RELATED)
            best = either(best, referred_by(r, to));
        if (span_empty(to))
            best = either(best, MATCH_UNKNOWN);
    }
    return best;
}

/* The entry is what a reference names. */
static bool
is_instance(const struct bundle_entry *e, struct span reference)
{
    struct span base, type, id;

    if (!span_empty(e->full_url) && target_same_reference(e->full_url, reference))
        return true;
    return !span_empty(e->id) && reference_split(reference, &base, &type, &id) && span_eq(type, e->type)
           && span_eq(id, e->id);
}

static bool
refers_to(const struct record *r, struct span target)
{
    const struct references *all = r->asker->references;
    uint32_t                 first, count;

    if (all == NULL)
        return false;
    count = references_from(all, r->entry, &first);
    for (uint32_t i = first; i < first + count; i++) {
        uint32_t to = all->all[i].to;
        if (to != ENTRY_NONE ? is_instance(&all->bundle->entries[to], target)
                             : target_same_reference(reference_of(all->all[i].node, r), target))
            return true;
    }
    return false;
}

/* Whether the target refers to the record; not known when it is not here. */
static enum match
referred_by(const struct record *r, struct span target)
{
    const struct references *all = r->asker->references;

    if (all == NULL)
        return MATCH_UNKNOWN;
    for (uint32_t e = 0; e < all->bundle->count; e++) {
        if (!is_instance(&all->bundle->entries[e], target))
            continue;
        uint32_t first, count = references_from(all, e, &first);
        for (uint32_t i = first; i < first + count; i++)
            if (all->all[i].to == r->entry)
                return MATCH_YES;
        return MATCH_NO;
    }
    return MATCH_UNKNOWN;
}

/* By an element of the record that names its author, or a Provenance of it. */
static enum match
authored_by(const struct record *r, const struct target *author)
{
    static const char *const names[] = { "author", "performer", "recorder", "asserter", "requester", "sender",
                                         "informationSource", "enterer", "attester", "source", "who", "actor" };
    const struct references *all  = r->asker->references;
    enum match               best = MATCH_UNKNOWN;

    for (tape_node n = r->resource; n < tape_after(r->tape, r->resource); n++) {
        bool names_author = false;
        for (size_t i = 0; i < sizeof names / sizeof *names && tape_kind(r->tape, n) == TAPE_NAME; i++)
            names_author |= tape_text_eq(r->tape, n, span_of(names[i]));
        if (!names_author)
            continue;
        enum match m = names_target(r, n + 1, author);
        if (m == MATCH_YES)
            return m;
        best = m == MATCH_NO ? MATCH_NO : best;
    }
    for (uint32_t i = 0; all != NULL && i < references_to(all, r->entry); i++) {
        uint32_t from = references_to_at(all, r->entry, i)->from;
        if (from == ENTRY_NONE || !span_eq_text(all->bundle->entries[from].type, "Provenance"))
            continue;
        tape_node  agents = tape_member(r->tape, all->bundle->entries[from].resource, SPAN("agent"));
        enum match m      = names_target(r, agents, author);
        if (m == MATCH_YES)
            return m;
        best = m == MATCH_NO ? MATCH_NO : best;
    }
    return best;
}

/* A Reference at or below the node: YES it is this one, NO it is others,
 * UNKNOWN there is none. */
static enum match
names_target(const struct record *r, tape_node node, const struct target *target)
{
    enum match best = MATCH_UNKNOWN;

    for (tape_node n = node; n < tape_after(r->tape, node); n++) {
        if (tape_kind(r->tape, n) != TAPE_OBJECT)
            continue;
        struct span       text = reference_of(n, r);
        tape_node         id   = tape_member(r->tape, n, SPAN("identifier"));
        struct identifier own  = { .system = tape_member_text(r->tape, id, SPAN("system"), r->asker->arena),
                                   .value  = tape_member_text(r->tape, id, SPAN("value"), r->asker->arena) };
        if (span_empty(text) && span_empty(own.value))
            continue;
        if (target_same_reference(text, target->reference)
            || identifiers_share(&own, 1, target->identifiers, target->identifier_count))
            return MATCH_YES;
        best = MATCH_NO;
    }
    return best;
}

static struct span
reference_of(tape_node reference, const struct record *r)
{
    return tape_member_text(r->tape, reference, SPAN("reference"), r->asker->arena);
}

/* ---- whose records (P7) -------------------------------------------------------------- */

/* The sender, as far as a reference and known identifiers tell of it. */
static struct program
sender_of(const struct facts *f)
{
    struct program sender = { .references = &f->sender_organization, .reference_count = !span_empty(f->sender_organization) };

    for (size_t i = 0; sender.reference_count > 0 && i < f->known_actor_count; i++)
        if (target_same_reference(f->known_actors[i].reference, f->sender_organization)) {
            sender.identifiers      = f->known_actors[i].identifiers;
            sender.identifier_count = f->known_actors[i].identifier_count;
        }
    return sender;
}

static bool
names_program(const struct target *all, size_t count, const struct program *program, const struct provision *p,
              const struct record *r)
{
    for (size_t i = 0; i < count; i++)
        if (is_program(&all[i], program, p->consent, r->asker))
            return true;
    return false;
}

/* The record's program is not known: it may be the sender, where its status is not known
 * either, and every registered one.  Where nothing is known of any, whom the consent names is
 * believed. */
static bool
names_all_it_may_be(const struct target *all, size_t count, const struct provision *p, const struct record *r)
{
    const struct facts  *f      = r->asker->facts;
    const struct program sender = sender_of(f);

    if (f->site.any_discloser)
        return true;
    if (sender.reference_count > 0) {
        if (names_program(all, count, &sender, p, r))
            return true;
        if (f->sender == SENDER_UNKNOWN)
            return false;
    }
    for (size_t i = 0; i < f->program_count; i++)
        if (!names_program(all, count, &f->programs[i], p, r))
            return false;
    return count > 0 || sender.reference_count == 0;
}

enum match
match_custodian(const struct provision *p, const struct record *r)
{
    const struct facts  *f      = r->asker->facts;
    const struct target *all    = p->criteria.custodians;
    size_t               count  = p->criteria.custodian_count;

    if ((p->criteria.stated & DIMENSION_CUSTODIAN) == 0)
        return MATCH_YES;
    const struct program sender = sender_of(f);
    if ((r->program != NULL && names_program(all, count, r->program, p, r)) || names_program(all, count, &sender, p, r))
        return MATCH_YES;
    if (r->program != NULL)
        return MATCH_NO;
    if (p->type == PROVISION_PERMIT && r->labeled->part2 != PART2_NOT)
        return names_all_it_may_be(all, count, p, r) ? MATCH_YES : MATCH_UNKNOWN;
    /* It may be a registered program's that it came from. */
    for (size_t i = 0; r->labeled->part2 != PART2_NOT && f->sender == SENDER_NOT_PROGRAM && i < f->program_count; i++)
        if (names_program(all, count, &f->programs[i], p, r))
            return MATCH_UNKNOWN;
    return sender.reference_count > 0 ? MATCH_NO : MATCH_UNKNOWN;
}

bool
consent_speaks_for(const struct provision *p, const struct record *r)
{
    bool                 custodians = (p->criteria.stated & DIMENSION_CUSTODIAN) != 0;
    const struct target *all        = custodians ? p->criteria.custodians : p->consent->organizations;
    size_t               count      = custodians ? p->criteria.custodian_count : p->consent->organization_count;

    if (r->program == NULL)
        return names_all_it_may_be(all, count, p, r);
    if (custodians)
        return match_custodian(p, r) == MATCH_YES;
    return names_program(all, count, r->program, p, r);
}

static bool
is_program(const struct target *t, const struct program *program, const struct consent *c, const struct asker *asker)
{
    const struct identifier *ids;
    size_t                   count;

    for (size_t i = 0; i < program->reference_count; i++)
        if (target_same_reference(t->reference, program->references[i]))
            return true;
    (void)target_resolve(t, c, asker, &ids, &count);
    return identifiers_share(ids, count, program->identifiers, program->identifier_count);
}

/* ---- small things ---------------------------------------------------------------------- */

static struct span
type_of(struct span reference)
{
    struct span base, type, id;

    return reference_split(reference, &base, &type, &id) ? type : (struct span){ 0 };
}

static enum match
either(enum match a, enum match b)
{
    if (a == MATCH_YES || b == MATCH_YES)
        return MATCH_YES;
    return a == MATCH_NO && b == MATCH_NO ? MATCH_NO : MATCH_UNKNOWN;
}
