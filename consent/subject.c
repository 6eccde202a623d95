#include "consent/subject.h"

#include <stdlib.h>

#include "consent/contained.h"
#include "consent/speaker.h"

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
    return most + SUBJECTS_APART;
}

/* Whoever speaks for a record without a patient of its own, else who is meant where nobody does. */
static size_t
who_speaks(struct whose *w, const struct record *r, struct subject *out)
{
    size_t count;

    if (!speakers_of(w, r->entry, out, &count))
        return 0;
    if (count > 0)
        return count;
    if (!span_empty(w->facts->patient) && !span_eq_text(w->facts->patient, "*"))
        out[0] = subject_named(w->facts->patient);
    else if (type_is_of_no_patient(r->type))
        return speakers_everybody(w, out);
    else
        out[0] = only_patient(w);
    return span_empty(out[0].name) ? 0 : 1;
}

/* K1.  Who speaks is read for what is nobody's as well: asked again as if it were labelled, nothing is kept any more
 * (bench_suppose). */
size_t
subjects_of(struct whose *w, const struct record *r, struct subject *out)
{
    out[0] = subject_of_entry(w, r->entry);
    if (!span_empty(out[0].name))
        return 1;
    size_t count = who_speaks(w, r, out);
    return is_directory(r->type) && r->labeled->part2 == PART2_NOT && labels_sensitive(r->labeled->labels) == 0 ? 0 : count;
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
