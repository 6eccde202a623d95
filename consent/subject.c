#include "consent/subject.h"

#include <stdlib.h>

#include "consent/answered.h"
#include "consent/contained.h"

enum { SUBJECTS_TOLD_APART = 16 };       /* of a record without a patient of its own: the others are asked again */

struct answering { struct subject all[SUBJECTS_ANSWERING]; uint32_t count; bool more; };

struct through { uint32_t all[SUBJECTS_THROUGH]; uint32_t count; bool more; };       /* entries without a patient */

struct speakers { struct answering patients; struct through through; };

static bool           add_subject(struct subject *, size_t *count, const struct subject *);
static void           add_distinct(struct answering *, const struct subject *);
static size_t         everybody(struct whose *, struct subject *out);
static bool           add_answering(struct whose *, uint32_t entry, struct subject *, size_t *count);
static void           add_entry(struct through *, uint32_t entry);
static bool           add_through(struct whose *, struct through *, struct subject *, size_t *count);
static struct subject only_patient(struct whose *);
static bool           is_directory(struct span type);

struct whose
whose_of(const struct references *references, const struct facts *facts, struct arena *arena)
{
    return (struct whose){ .references = references, .facts = facts, .arena = arena,
                           .last = subject_named(SPAN("")) };
}

size_t
subjects_most(const struct whose *w)
{
    size_t most = 1;

    for (uint32_t e = 0; w->references != NULL && e < w->references->bundle->count; e++)
        if (references_to(w->references, e) > most && span_empty(entry_patient(w->references, e, NULL)))
            most = references_to(w->references, e);
    return most + SUBJECTS_ANSWERING + (size_t)SUBJECTS_THROUGH * SUBJECTS_ANSWERING;
}

/* K1.  Whoever refers to a record without a patient of its own speaks for it,
 * however many they are; `out` has room for one a reference. */
size_t
subjects_of(struct whose *w, const struct record *r, struct subject *out)
{
    size_t         count   = 0;
    uint32_t       from    = w->references != NULL ? references_to(w->references, r->entry) : 0;
    struct through through = { .all = { r->entry }, .count = 1 };
    bool           known   = true;

    out[0] = subject_of_entry(w, r->entry);
    if (!span_empty(out[0].name))
        return 1;
    if (is_directory(r->type) && r->labeled->part2 == PART2_NOT && labels_sensitive(r->labeled->labels) == 0)
        return 0;
    for (uint32_t i = 0; i < from; i++) {
        uint32_t       other = references_to_at(w->references, r->entry, i)->from;
        struct subject s     = other != ENTRY_NONE ? subject_of_entry(w, other) : subject_named(SPAN(""));
        if (other != ENTRY_NONE && span_empty(s.name))
            add_entry(&through, other);
        (void)add_subject(out, &count, &s);
    }
    if (span_eq_text(r->type, "Questionnaire"))
        known = add_answering(w, r->entry, out, &count);
    if (!known || !add_through(w, &through, out, &count))
        return 0;
    if (count > 0)
        return count;
    if (!span_empty(w->facts->patient) && !span_eq_text(w->facts->patient, "*"))
        out[0] = subject_named(w->facts->patient);
    else if (type_is_of_no_patient(r->type))
        return everybody(w, out);
    else
        out[0] = only_patient(w);
    return span_empty(out[0].name) ? 0 : 1;
}

/* The patients of the Bundle, the first ones. */
static size_t
everybody(struct whose *w, struct subject *out)
{
    if (w->everybody == NULL && (w->everybody = arena_make(w->arena, struct answering)) != NULL)
        for (uint32_t e = 0; w->references != NULL && e < w->references->bundle->count; e++) {
            struct subject s = subject_of_entry(w, e);
            add_distinct(w->everybody, &s);
        }
    for (uint32_t i = 0; w->everybody != NULL && i < w->everybody->count; i++)
        out[i] = w->everybody->all[i];
    return w->everybody != NULL ? w->everybody->count : 0;
}

static void
add_distinct(struct answering *a, const struct subject *s)
{
    bool seen = span_empty(s->name);

    for (uint32_t j = 0; j < a->count && !seen; j++)
        seen = same_subject(&a->all[j], s);
    a->more |= !seen && a->count == SUBJECTS_ANSWERING;
    if (!seen && !a->more)
        a->all[a->count++] = *s;
}

/* Whether it is new, as far as is told. */
static bool
add_subject(struct subject *out, size_t *count, const struct subject *s)
{
    if (span_empty(s->name) || (*count > 0 && same_subject(&out[*count - 1], s)))
        return false;
    for (size_t j = 0; j < *count && j < SUBJECTS_TOLD_APART; j++)
        if (same_subject(&out[j], s))
            return false;
    out[(*count)++] = *s;
    return true;
}

static void
add_entry(struct through *t, uint32_t entry)
{
    bool seen = false;

    for (uint32_t i = 0; i < t->count && !seen; i++)
        seen = t->all[i] == entry;
    t->more |= !seen && t->count == SUBJECTS_THROUGH;
    if (!seen && !t->more)
        t->all[t->count++] = entry;
}

/* Who refers to an entry without a patient: read once, however many are asked through it. */
static const struct speakers *
speakers_of(struct whose *w, uint32_t entry)
{
    if (w->speakers == NULL)
        w->speakers = arena_make_n(w->arena, w->references->bundle->count, struct speakers *);
    if (w->speakers == NULL || w->speakers[entry] != NULL)
        return w->speakers != NULL ? w->speakers[entry] : NULL;
    struct speakers *s = w->speakers[entry] = arena_make(w->arena, struct speakers);
    for (uint32_t i = 0; s != NULL && i < references_to(w->references, entry); i++) {
        uint32_t       other = references_to_at(w->references, entry, i)->from;
        struct subject who   = other != ENTRY_NONE ? subject_of_entry(w, other) : subject_named(SPAN(""));
        if (other != ENTRY_NONE && span_empty(who.name))
            add_entry(&s->through, other);
        add_distinct(&s->patients, &who);
    }
    return s;
}

/* Through those that have no patient either; the first one's own are in `out` already.  False: of more than
 * are told apart. */
static bool
add_through(struct whose *w, struct through *t, struct subject *out, size_t *count)
{
    bool known = !t->more;

    for (uint32_t i = 1; i < t->count && known; i++) {
        const struct speakers *s = speakers_of(w, t->all[i]);
        known = s != NULL && !s->patients.more && !s->through.more;
        for (uint32_t j = 0; known && j < s->patients.count; j++)
            (void)add_subject(out, count, &s->patients.all[j]);
        for (uint32_t j = 0; known && j < s->through.count; j++)
            add_entry(t, s->through.all[j]);
        known = known && !t->more;
    }
    return known;
}

/* Of all Questionnaires of one URL the same. */
static struct answering *
answering_at(struct whose *w, uint32_t at)
{
    struct answering **slot = &w->answering[at];

    if (*slot != NULL || (*slot = arena_make(w->arena, struct answering)) == NULL)
        return *slot;
    for (uint32_t i = at; i != LOOKUP_NONE && !(*slot)->more; i = lookup_next(w->answered->responses, i)) {
        struct subject s = subject_of_entry(w, lookup_value(w->answered->responses, i));
        add_distinct(*slot, &s);
    }
    return *slot;
}

/* False: who it is judged for is not known. */
static bool
add_answering(struct whose *w, uint32_t entry, struct subject *out, size_t *count)
{
    if (!w->answered_known && w->references != NULL) {
        if (answered_read(w->references->bundle, w->arena, &w->answered) != ST_OK)
            return false;
        w->answering = w->answered != NULL ? arena_make_n(w->arena, lookup_count(w->answered->responses), struct answering *) : NULL;
        w->answered_known = true;
    }
    if (w->answered == NULL || w->answered->responses_of[entry] == LOOKUP_NONE)
        return true;
    const struct answering *a = w->answering != NULL ? answering_at(w, w->answered->responses_of[entry]) : NULL;
    for (uint32_t i = 0; a != NULL && i < a->count; i++)
        (void)add_subject(out, count, &a->all[i]);
    return a != NULL && !a->more;
}

struct subject
subject_of_entry(struct whose *w, uint32_t entry)
{
    uint32_t    patient = ENTRY_NONE;
    struct span name    = w->references != NULL ? entry_patient(w->references, entry, &patient) : SPAN("");

    if (w->facts->name_count > 0 && patient == ENTRY_NONE)
        return subject_of_reference(w, name);
    if (w->last.name.at != name.at || w->last.name.length != name.length)
        w->last = subject_named(name);
    w->last.entry = patient;
    return w->last;
}

static int
by_name(const void *name, const void *row)
{
    return span_compare(*(const struct span *)name, ((const struct patient_name *)row)->name);
}

struct span
patient_known_as(const struct facts *f, struct span name)
{
    const struct patient_name *at = f->name_count > 0 ? bsearch(&name, f->names, f->name_count, sizeof *f->names, by_name) : NULL;

    return at != NULL ? at->patient : name;
}

struct subject
subject_named(struct span name)
{
    struct subject s = { .entry = ENTRY_NONE, .key = span_hash(name), .name = name };
    struct span    base, type, id;

    if (reference_split(name, &base, &type, &id))
        s.key = span_hash(type) * 31 + span_hash(id);
    return s;
}

struct subject
subject_of_reference(const struct whose *w, struct span reference)
{
    struct span    name = patient_known_as(w->facts, reference);
    struct subject s    = subject_named(name);
    struct span    base, type, id;

    if (w->references != NULL && reference_split(name, &base, &type, &id))
        s.entry = bundle_find(w->references->bundle, type, id);
    return s;
}

enum has { HAS_NOT = 0, HAS_NUMBER, HAS_IDENTIFIER };

/* Whether a Patient has an identifier of a consent's patient; HAS_NUMBER: the same value,
 * and one of the two does not say in which system. */
static enum has
has_identifier(const struct whose *w, uint32_t patient, const struct consent *c)
{
    const struct tape *t    = w->references->bundle->tape;
    tape_node          list = tape_member(t, w->references->bundle->entries[patient].resource, SPAN("identifier"));
    enum has           best = HAS_NOT;

    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n))
        for (size_t i = 0; i < c->patient.identifier_count; i++) {
            struct identifier theirs = c->patient.identifiers[i];
            struct span       system = tape_member_text(t, n, SPAN("system"), w->arena);
            if (span_empty(theirs.value) || !tape_text_eq(t, tape_member(t, n, SPAN("value")), theirs.value))
                continue;
            if (span_eq(system, theirs.system))
                return HAS_IDENTIFIER;
            if (span_empty(system) || span_empty(theirs.system))
                best = HAS_NUMBER;
        }
    return best;
}

/* Whom nobody in the bundle is: of that identifier, as a record's reference by it says it (fhir/reference.h). */
static struct subject
subject_by_identifier(const struct whose *w, const struct target *t)
{
    for (size_t i = 0; i < t->identifier_count; i++)
        if (!span_empty(t->identifiers[i].value))
            return subject_of_reference(w, arena_join(w->arena, SPAN(REFERENCE_PATIENT_NAME), t->identifiers[i].system, SPAN("|"),
                                                      t->identifiers[i].value));
    return subject_named(SPAN(""));
}

struct subject
subject_of_consent(struct whose *w, const struct consent *c)
{
    const struct bundle *bundle = w->references != NULL ? w->references->bundle : NULL;
    uint32_t             entry  = bundle != NULL && c->tape == bundle->tape ? bundle_entry_of(bundle, c->node) : ENTRY_NONE;
    uint32_t             number = ENTRY_NONE, numbers = 0;
    bool                 own    = entry != ENTRY_NONE && !consent_is_contained(bundle, c->node);
    struct subject       s      = own                   ? subject_of_entry(w, entry)
                                  : entry != ENTRY_NONE || w->facts->name_count > 0 ? subject_of_reference(w, c->patient.reference)
                                                                                    : subject_named(c->patient.reference);

    if (bundle == NULL || s.entry != ENTRY_NONE || !span_empty(c->patient.reference))
        return s;
    /* Named by identifier alone: whoever in the bundle has it.  A number without its system
     * means the only one who has it. */
    for (uint32_t e = 0; e < bundle->count; e++) {
        enum has has = span_eq_text(bundle->entries[e].type, "Patient") ? has_identifier(w, e, c) : HAS_NOT;
        if (has == HAS_IDENTIFIER)
            return subject_of_entry(w, e);
        numbers += has == HAS_NUMBER;
        number   = has == HAS_NUMBER ? e : number;
    }
    return numbers == 1 ? subject_of_entry(w, number) : subject_by_identifier(w, &c->patient);
}

/* The patient of a bundle that has only one. */
static struct subject
only_patient(struct whose *w)
{
    struct subject only = subject_named(SPAN(""));

    if (w->only_known)
        return w->only;
    w->only_known = true;
    w->only       = only;
    for (uint32_t e = 0; w->references != NULL && e < w->references->bundle->count; e++) {
        struct subject s = subject_of_entry(w, e);
        if (span_empty(s.name))
            continue;
        if (!span_empty(only.name) && !same_subject(&only, &s))
            return w->only;
        only = s;
    }
    w->only = only;
    return only;
}

bool
same_subject(const struct subject *a, const struct subject *b)
{
    if (a->entry != ENTRY_NONE && b->entry != ENTRY_NONE)
        return a->entry == b->entry;
    return a->key == b->key && target_same_reference(a->name, b->name);
}

static bool
is_among(struct span type, const char *const *types, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_eq_text(type, types[i]))
            return true;
    return false;
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
    return is_among(type, types, sizeof types / sizeof *types);
}

bool
type_is_of_no_patient(struct span type)
{
    static const char *const types[] = {
        "ActivityDefinition", "ChargeItemDefinition", "DeviceDefinition", "Library", "Measure", "Medication",
        "MedicationKnowledge", "PlanDefinition", "Questionnaire", "Substance", "SubstanceSpecification",
    };
    return is_directory(type) || is_among(type, types, sizeof types / sizeof *types);
}
