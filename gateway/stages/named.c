/* gateway/stages/named.c -- patients who are named by an identifier alone, without their Patient in the Bundle.
 *
 * `subject: { identifier }` and `subject: { reference: "Patient?identifier=…" }` are FHIR's own (R4
 * references.html#logical, bundle.html#trules).  entry_patient() writes both as "Patient?identifier=system|value"
 * (fhir/reference.h).  Who that is the store is asked, with the conditions of the entries (stages/match.c),
 * whoever sent the Patient:
 *
 *   N4  One Patient has it: it is their record and their Consent, as if it had been named by reference.
 *   N5  Several have it, or more than can be looked at: the name is an identity of its own that is linked with
 *       all of them, and a link only narrows (consent/linked.h, decision 0036).
 *   N6  Nobody has it: a record under it follows the Consents under it, and what is said under it is
 *       heard for whoever gets it (gateway/store/named.c), this Bundle's own Patients among them.
 *   N7  What its sender is told says nothing of whether anybody has it (decision 0039).
 *
 * The value is compared byte for byte, in its system; a number without a system is one whose Patient has none.
 */
#include "gateway/stages/stages.h"

#include "base/sort.h"
#include "fhir/lookup.h"

enum { FOUND_MOST = STORE_LINKED_MOST + 1 };             /* one more than any decision follows */

/* ---- asking -------------------------------------------------------------------------- */

static bool
unresolved(const struct reference *r)
{
    return (r->form == REFERENCE_LOGICAL || r->form == REFERENCE_CONDITIONAL) && r->to == ENTRY_NONE
        && r->to_contained == TAPE_ABSENT;
}

/* Of each two: one for whom the reference names, and one for the entry that is about them by it. */
size_t
named_most(const struct exchange *ex)
{
    size_t most = 0;

    for (uint32_t i = 0; i < ex->references->count; i++)
        most += unresolved(&ex->references->all[i]) ? 2 : 0;
    return most;
}

static struct store_condition *
condition_of(struct exchange *ex, struct span name)
{
    struct store_condition *c    = arena_make(ex->arena, struct store_condition);
    struct span            *all  = arena_make_n(ex->arena, FOUND_MOST, struct span);
    struct span             rest = span_skip(name, sizeof REFERENCE_PATIENT_NAME - 1);

    if (c == NULL || all == NULL)
        return NULL;
    *c        = (struct store_condition){ .type = SPAN("Patient"), .all = all, .room = FOUND_MOST };
    c->system = span_split(&rest, '|');
    c->value  = rest;
    return c;
}

/* The references that say Patient, and those of which the entry says it. */
static uint32_t
names_list(struct exchange *ex, struct lookup_item *items)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < ex->references->count; i++) {
        const struct reference *r    = &ex->references->all[i];
        struct span             name = unresolved(r) && span_eq_text(r->type, "Patient") ? reference_patient_name(r, ex->arena)
                                                                                         : (struct span){ NULL, 0 };
        if (!span_empty(name))
            items[n++] = (struct lookup_item){ .key = name };
    }
    for (uint32_t i = 0; i < ex->bundle->count; i++) {
        struct span name = entry_patient(ex->references, i, NULL);
        if (span_starts(name, SPAN(REFERENCE_PATIENT_NAME)))
            items[n++] = (struct lookup_item){ .key = name };
    }
    for (uint32_t i = 0; i < n; i++)
        items[i].value = i;
    return n;
}

long
named_gather(struct exchange *ex, struct store_condition **out)
{
    size_t              most  = named_most(ex);
    struct lookup_item *items = most > 0 ? arena_make_n(ex->arena, most + ex->bundle->count, struct lookup_item) : NULL;
    long                count = 0;

    ex->named_index = NULL;
    if (most == 0)
        return 0;
    uint32_t n      = items != NULL ? names_list(ex, items) : 0;
    ex->named       = arena_make_n(ex->arena, (size_t)n + 1, struct store_condition *);
    ex->named_index = lookup_build(items, n, ex->arena);
    if (ex->named == NULL || ex->named_index == NULL)
        return -1;
    for (uint32_t at = 0; at < n; at++) {
        uint32_t first = lookup_first(ex->named_index, at);
        if (first != at)
            continue;
        struct store_condition *c = condition_of(ex, lookup_key(ex->named_index, at));
        if (c == NULL)
            return -1;
        out[count++] = ex->named[lookup_value(ex->named_index, at)] = c;
    }
    return count;
}

/* ---- who it is --------------------------------------------------------------------------- */

static const struct store_condition *
found_of(const struct exchange *ex, struct span name)
{
    uint32_t at = ex->named_index != NULL ? lookup_find(ex->named_index, name) : LOOKUP_NONE;

    return at != LOOKUP_NONE ? ex->named[lookup_value(ex->named_index, at)] : NULL;
}

struct span
named_patient(const struct exchange *ex, struct span name)
{
    const struct store_condition *c = found_of(ex, name);

    return c != NULL && c->matches == 1 && !c->unsure ? arena_join(ex->arena, SPAN("Patient/"), c->all[0]) : name;
}

/* ---- the identifiers of the Bundle's own Patients ------------------------------------------ */

static tape_node
identifiers_of(const struct exchange *ex, uint32_t entry)
{
    const struct bundle_entry *e = &ex->bundle->entries[entry];

    return span_eq_text(e->type, "Patient") ? tape_member(ex->tape, e->resource, SPAN("identifier")) : TAPE_ABSENT;
}

static struct span
name_by(const struct exchange *ex, tape_node identifier)
{
    struct span value = tape_member_text(ex->tape, identifier, SPAN("value"), ex->arena);

    return span_empty(value) ? value
                             : arena_join(ex->arena, SPAN(REFERENCE_PATIENT_NAME),
                                          tape_member_text(ex->tape, identifier, SPAN("system"), ex->arena), SPAN("|"), value);
}

/* Each once: what a Patient has more of than can be found by is not looked at. */
static size_t
names_of(const struct exchange *ex, uint32_t entry, struct span *out, size_t most)
{
    tape_node list  = identifiers_of(ex, entry);
    size_t    count = 0;

    for (tape_node n = tape_first(ex->tape, list); n != TAPE_ABSENT && count < most; n = tape_next(ex->tape, n)) {
        struct span name  = name_by(ex, n);
        bool        known = span_empty(name);
        for (size_t i = 0; i < count && !known; i++)
            known = span_eq(out[i], name);
        if (!known)
            out[count++] = name;
    }
    return count;
}

static size_t
identifiers_in(const struct exchange *ex, uint32_t entry)
{
    tape_node list  = identifiers_of(ex, entry);
    uint32_t  count = list != TAPE_ABSENT ? tape_children(ex->tape, list) : 0;

    return count < STORE_IDENTIFIERS_MAX ? count : STORE_IDENTIFIERS_MAX;
}

void
named_record(struct exchange *ex, uint32_t entry, struct store_resource *r)
{
    size_t       count = identifiers_in(ex, entry);
    struct span *names = count > 0 ? arena_make_n(ex->arena, count, struct span) : NULL;

    r->named       = names;
    r->named_count = names != NULL ? names_of(ex, entry, names, count) : 0;
}

size_t
named_room(const struct exchange *ex)
{
    size_t room = 0;

    for (uint32_t i = 0; i < ex->bundle->count; i++)
        room += identifiers_in(ex, i);
    for (uint32_t at = 0; ex->named_index != NULL && at < lookup_count(ex->named_index); at++) {
        const struct store_condition *c = ex->named[lookup_value(ex->named_index, at)];
        room += c != NULL ? (size_t)c->matches + 1 : 0;
    }
    return room;
}

/* The names themselves, where no entry is about them; of several who have one, all. */
size_t
named_names(struct exchange *ex, struct span *out)
{
    size_t n = 0;

    for (uint32_t i = 0; i < ex->bundle->count; i++)
        n += names_of(ex, i, out + n, identifiers_in(ex, i));
    for (uint32_t at = 0; ex->named_index != NULL && at < lookup_count(ex->named_index); at++) {
        const struct store_condition *c = ex->named[lookup_value(ex->named_index, at)];
        if (c == NULL)
            continue;
        out[n++] = lookup_key(ex->named_index, at);
        for (uint32_t i = 0; i < c->matches; i++)
            out[n++] = arena_join(ex->arena, SPAN("Patient/"), c->all[i]);
    }
    return n;
}

/* ---- as facts ----------------------------------------------------------------------------- */

struct pair {                            /* the Patient has the identifier */
    struct span name, patient;
    bool        sure;                    /* as far as the store knows nobody else has, and they keep it */
};

struct pairs {
    struct exchange     *ex;
    struct pair         *all;
    size_t               count;
    const struct lookup *own;            /* the Bundle's Patients, as the record knows them, to their entries */
    const struct lookup *said;
};

static int
by_name(const void *left, const void *right, const void *context)
{
    const struct pair *a = left, *b = right;
    int                order = span_compare(a->name, b->name);

    (void)context;
    return order != 0 ? order : span_compare(a->patient, b->patient);
}

static bool
has_name(const struct exchange *ex, uint32_t entry, struct span name)
{
    tape_node list = identifiers_of(ex, entry);

    for (tape_node n = tape_first(ex->tape, list); n != TAPE_ABSENT; n = tape_next(ex->tape, n))
        if (span_eq(name_by(ex, n), name))
            return true;
    return false;
}

/* As the Bundle calls the Patient, if it brings them.  A push that takes the identifier away makes it unsure. */
static void
pair_add(struct pairs *p, struct span name, struct span patient, bool sure)
{
    struct exchange *ex   = p->ex;
    uint32_t         at   = lookup_find(p->own, patient);
    uint32_t         mine = at != LOOKUP_NONE ? lookup_value(p->own, at) : ENTRY_NONE;

    p->all[p->count++] = (struct pair){
        .name = name, .sure = sure && (mine == ENTRY_NONE || has_name(ex, mine, name)),
        .patient = mine != ENTRY_NONE ? entry_patient(ex->references, mine, NULL) : patient,
    };
}

static const struct lookup *
own_patients(struct exchange *ex)
{
    struct lookup_item *items = arena_make_n(ex->arena, (size_t)ex->bundle->count + 1, struct lookup_item);
    uint32_t            n     = 0;

    for (uint32_t i = 0; items != NULL && i < ex->bundle->count; i++)
        if (span_eq_text(ex->bundle->entries[i].type, "Patient") && ex->bundle->entries[i].resource != TAPE_ABSENT)
            items[n++] = (struct lookup_item){ .key = ex->patients[i], .value = i };
    return items != NULL ? lookup_build(items, n, ex->arena) : NULL;
}

static uint32_t
said_add(struct lookup_item *items, uint32_t n, struct span patient)
{
    if (!span_starts(patient, SPAN(REFERENCE_PATIENT_NAME)))
        return n;
    items[n] = (struct lookup_item){ .key = patient };
    return n + 1;
}

/* The names under which something stored was said. */
static const struct lookup *
names_said(struct exchange *ex)
{
    const struct store_consents *c     = &ex->consents;
    struct lookup_item          *items = arena_make_n(ex->arena, c->row_count + c->standing_count + 1, struct lookup_item);
    uint32_t                     n     = 0;

    for (size_t i = 0; items != NULL && i < c->row_count; i++)
        n = said_add(items, n, c->rows[i].patient);
    for (size_t i = 0; items != NULL && i < c->standing_count; i++)
        n = said_add(items, n, c->standing[i].patient);
    return items != NULL ? lookup_build(items, n, ex->arena) : NULL;
}

static void
pairs_gather(struct pairs *p)
{
    struct exchange             *ex = p->ex;
    const struct store_consents *c  = &ex->consents;
    struct span                  names[STORE_IDENTIFIERS_MAX];

    for (uint32_t at = 0; ex->named_index != NULL && at < lookup_count(ex->named_index); at++) {
        const struct store_condition *found = ex->named[lookup_value(ex->named_index, at)];
        for (uint32_t i = 0; found != NULL && i < found->matches; i++)
            pair_add(p, lookup_key(ex->named_index, at), arena_join(ex->arena, SPAN("Patient/"), found->all[i]), !found->unsure);
    }
    for (size_t i = 0; i < c->link_count; i++)
        if (c->links[i].stands && span_starts(c->links[i].patient, SPAN(REFERENCE_PATIENT_NAME)))
            pair_add(p, c->links[i].patient, c->links[i].other, true);
    for (uint32_t e = 0; lookup_count(p->said) > 0 && e < ex->bundle->count; e++) {
        size_t count = names_of(ex, e, names, STORE_IDENTIFIERS_MAX);
        for (size_t i = 0; i < count; i++)
            if (lookup_find(p->said, names[i]) != LOOKUP_NONE)
                pair_add(p, names[i], ex->patients[e], true);
    }
}

/* Those of one name lie together: one Patient, and it is them; several, and each is linked with it. */
static void
pairs_tell(const struct pairs *p, struct patient_name *names, struct patient_link *links)
{
    struct facts *f = &p->ex->facts;

    for (size_t i = 0, next; i < p->count; i = next) {
        bool one = p->all[i].sure;
        for (next = i + 1; next < p->count && span_eq(p->all[next].name, p->all[i].name); next++)
            one = one && p->all[next].sure && span_eq(p->all[next].patient, p->all[i].patient);
        if (one)
            names[f->name_count++] = (struct patient_name){ p->all[i].name, p->all[i].patient };
        for (size_t k = i; k < next && !one; k++)
            links[f->link_count++] = (struct patient_link){ .patient = p->all[k].name, .other = p->all[k].patient };
    }
}

enum step
named_attach(struct exchange *ex)
{
    struct pairs p    = { .ex = ex };
    size_t       most = named_room(ex) + ex->consents.link_count;

    ex->facts.names      = NULL;
    ex->facts.name_count = 0;
    if (ex->named_index == NULL && ex->consents.row_count + ex->consents.standing_count + ex->consents.link_count == 0)
        return STEP_NEXT;                /* nobody is named so, and nothing was said under such a name */
    struct patient_name *names = arena_make_n(ex->arena, most, struct patient_name);
    struct patient_link *links = arena_make_n(ex->arena, ex->facts.link_count + most, struct patient_link);
    p.all                      = arena_make_n(ex->arena, most, struct pair);
    p.own                      = own_patients(ex);
    p.said                     = names_said(ex);
    if (p.own == NULL || p.said == NULL || arena_spent(ex->arena))
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    for (size_t i = 0; i < ex->facts.link_count; i++)
        links[i] = ex->facts.links[i];
    pairs_gather(&p);
    sort_in_place(p.all, p.count, sizeof *p.all, by_name, NULL);
    ex->facts.names = names;
    ex->facts.links = links;
    pairs_tell(&p, names, links);
    return arena_spent(ex->arena) ? exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY)) : STEP_NEXT;
}
