#include "consent/facts_reader.h"

#include "base/sort.h"
#include "fhir/datatypes.h"

static const struct instrument   *read_documents(struct reader *, tape_node root, size_t *count);
static const struct relationship *read_relationships(struct reader *, tape_node root, size_t *count);
static const struct restriction  *read_restrictions(struct reader *, tape_node root, size_t *count);
static const struct circumstance *read_circumstances(struct reader *, tape_node root, size_t *count);
static const struct emergency    *read_emergencies(struct reader *, tape_node root, size_t *count);
static const struct patient_link *read_links(struct reader *, tape_node root, size_t *count);
static const struct patient_name *read_patient_names(struct reader *, tape_node root, size_t *count);
static int64_t   next_of(const struct facts *, int64_t until, int64_t from_ms, int64_t to_ms);
static void      read_representative(struct reader *, tape_node, struct circumstance *);
static tape_node list_of(struct reader *, tape_node root, const char *name, uint32_t *count);
static int       by_text(const void *, const void *, const void *context);
static const struct span *items_of(struct reader *, tape_node, const char *where, size_t *count);
static tape_node object_at(struct reader *, tape_node, const char *where);
static void      period_of(struct reader *, tape_node, const char *where, int64_t *from_ms, int64_t *to_ms);
static enum known fact_of(struct reader *, tape_node object, const char *where, const char *name);

void
reader_on_file(struct reader *r, tape_node root, struct facts *facts)
{
    facts->against = fact_of(r, root, "", "againstPatient") == KNOWN_NO    ? AGAINST_NOBODY
                     : fact_of(r, root, "", "againstPatient") == KNOWN_YES ? AGAINST_PATIENT
                                                                           : AGAINST_UNKNOWN;
    facts->documents     = read_documents(r, root, &facts->document_count);
    facts->relationships = read_relationships(r, root, &facts->relationship_count);
    facts->restrictions  = read_restrictions(r, root, &facts->restriction_count);
    facts->circumstances = read_circumstances(r, root, &facts->circumstance_count);
    facts->emergencies   = read_emergencies(r, root, &facts->emergency_count);
    facts->links         = read_links(r, root, &facts->link_count);
    facts->names         = read_patient_names(r, root, &facts->name_count);
}

static const struct instrument *
read_documents(struct reader *r, tape_node root, size_t *count)
{
    uint32_t  most;
    tape_node list = list_of(r, root, "documents", &most);
    struct instrument *all = arena_make_n(r->arena, most, struct instrument);

    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT && all != NULL && *count < most;
         n = tape_next(r->tape, n))
        if (object_at(r, n, "documents") != TAPE_ABSENT)
            reader_document(r, n, &all[(*count)++]);
    return all;
}

void
reader_document(struct reader *r, tape_node node, struct instrument *d)
{
    static const char *const names[] = { "id", "kind", "from", "to", "party", "discloser", "patient", "items", "types",
                                         "section", "says" };
    static const char *const kinds[] = {
#define INSTRUMENT(name, code, citation, needs, says, words) code,
#include "consent/instruments.def"
#undef INSTRUMENT
    };
    size_t             count;
    const struct span *says;

    reader_names(r, node, "documents", NAMES(names));
    int kind     = reader_choice(r, node, "documents", "kind", NAMES(kinds));
    d->kind      = kind >= 0 ? (enum instrument_kind)(kind + 1) : INSTRUMENT_NONE;
    d->id        = reader_text(r, node, "documents", "id");
    d->discloser = reader_text(r, node, "documents", "discloser");
    d->patient   = reader_text(r, node, "documents", "patient");
    d->section   = reader_text(r, node, "documents", "section");
    d->parties   = reader_texts(r, node, "documents", "party", true, &d->party_count);
    d->items     = items_of(r, node, "documents", &d->item_count);
    d->types     = reader_texts(r, node, "documents", "types", false, &d->type_count);
    period_of(r, node, "documents", &d->from_ms, &d->to_ms);
    says = reader_texts(r, node, "documents", "says", true, &count);
    for (size_t i = 0; i < count; i++) {
        enum says_code s = says_of(says[i]);
        if (s != SAYS_CODE_NONE)
            d->says |= SAYS_BIT(s);
        else
            reader_finding(r, SEVERITY_ERROR, node, SPAN("documents.says"), SPAN("want codes of what a document says"),
                           (struct span){ 0 });
    }
}

static const struct relationship *
read_relationships(struct reader *r, tape_node root, size_t *count)
{
    uint32_t  most;
    tape_node list = list_of(r, root, "relationships", &most);
    struct relationship *all = arena_make_n(r->arena, most, struct relationship);

    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT && all != NULL && *count < most;
         n = tape_next(r->tape, n))
        if (object_at(r, n, "relationships") != TAPE_ABSENT)
            reader_relationship(r, n, &all[(*count)++]);
    return all;
}

void
reader_relationship(struct reader *r, tape_node n, struct relationship *one)
{
    static const char *const names[] = { "id", "provider", "patient", "kind", "from", "to" };
    static const char *const kinds[] = { "encounter", "appointment", "referral", "attribution" };

    reader_names(r, n, "relationships", NAMES(names));
    one->id       = reader_text(r, n, "relationships", "id");
    one->kind     = (enum relationship_kind)(reader_choice(r, n, "relationships", "kind", NAMES(kinds)) + 1);
    one->provider = reader_text(r, n, "relationships", "provider");
    one->patient  = reader_text(r, n, "relationships", "patient");
    period_of(r, n, "relationships", &one->from_ms, &one->to_ms);
}

static const struct restriction *
read_restrictions(struct reader *r, tape_node root, size_t *count)
{
    uint32_t  most;
    tape_node list = list_of(r, root, "restrictions", &most);
    struct restriction *all = arena_make_n(r->arena, most, struct restriction);

    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT && all != NULL && *count < most;
         n = tape_next(r->tape, n))
        if (object_at(r, n, "restrictions") != TAPE_ABSENT)
            reader_restriction(r, n, &all[(*count)++]);
    return all;
}

void
reader_restriction(struct reader *r, tape_node n, struct restriction *one)
{
    static const char *const names[] = { "id", "patient", "recipient", "purpose", "items", "agreed", "selfPay", "from",
                                         "to" };

    reader_names(r, n, "restrictions", NAMES(names));
    one->id         = reader_text(r, n, "restrictions", "id");
    one->patient    = reader_text(r, n, "restrictions", "patient");
    one->recipients = reader_texts(r, n, "restrictions", "recipient", true, &one->recipient_count);
    one->purposes   = reader_texts(r, n, "restrictions", "purpose", true, &one->purpose_count);
    one->items      = items_of(r, n, "restrictions", &one->item_count);
    /* What was not said to be declined stands. */
    one->agreed     = fact_of(r, n, "restrictions", "agreed") != KNOWN_NO;
    one->self_pay   = reader_flag(r, n, "restrictions", "selfPay");
    period_of(r, n, "restrictions", &one->from_ms, &one->to_ms);
    if (one->from_ms == INT64_MAX)
        one->from_ms = INT64_MIN;                             /* since when is not known: since ever */
}

static const struct circumstance *
read_circumstances(struct reader *r, tape_node root, size_t *count)
{
    uint32_t  most;
    tape_node list = list_of(r, root, "circumstances", &most);
    struct circumstance *all = arena_make_n(r->arena, most, struct circumstance);

    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT && all != NULL && *count < most;
         n = tape_next(r->tape, n))
        if (object_at(r, n, "circumstances") != TAPE_ABSENT)
            reader_circumstance(r, n, &all[(*count)++]);
    return all;
}

void
reader_circumstance(struct reader *r, tape_node n, struct circumstance *one)
{
    static const char *const names[] = { "id", "patient", "deceased", "minor", "representative", "doubts" };
    static const char *const minor[] = { "consentsAlone" };

    reader_names(r, n, "circumstances", NAMES(names));
    one->id       = reader_text(r, n, "circumstances", "id");
    one->patient  = reader_text(r, n, "circumstances", "patient");
    one->deceased = fact_of(r, n, "circumstances", "deceased");
    tape_node of_minor = reader_member(r, n, "circumstances", "minor", TAPE_OBJECT);
    if (of_minor != TAPE_ABSENT) {
        reader_names(r, of_minor, "circumstances.minor", NAMES(minor));
        one->minor_consents = fact_of(r, of_minor, "circumstances.minor", "consentsAlone");
    }
    one->doubts  = reader_texts(r, n, "circumstances", "doubts", true, &one->doubt_count);
    one->from_ms = INT64_MAX;
    read_representative(r, reader_member(r, n, "circumstances", "representative", TAPE_OBJECT), one);
}

static void
read_representative(struct reader *r, tape_node node, struct circumstance *c)
{
    static const char *const names[] = { "party", "basis", "from", "to" };
    static const char *const bases[] = { "parent", "guardian", "power-of-attorney", "executor" };
    const char              *where   = "circumstances.representative";

    if (node == TAPE_ABSENT)
        return;
    reader_names(r, node, where, NAMES(names));
    c->representation  = (enum representation)(reader_choice(r, node, where, "basis", NAMES(bases)) + 1);
    c->representatives = reader_texts(r, node, where, "party", true, &c->representative_count);
    period_of(r, node, where, &c->from_ms, &c->to_ms);
}

static const struct emergency *
read_emergencies(struct reader *r, tape_node root, size_t *count)
{
    uint32_t  most;
    tape_node list = list_of(r, root, "emergencies", &most);
    struct emergency *all = arena_make_n(r->arena, most, struct emergency);

    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT && all != NULL && *count < most;
         n = tape_next(r->tape, n))
        if (object_at(r, n, "emergencies") != TAPE_ABSENT)
            reader_emergency(r, n, &all[(*count)++]);
    return all;
}

void
reader_emergency(struct reader *r, tape_node n, struct emergency *e)
{
    static const char *const names[] = { "id", "patient", "party", "declaredBy", "affiliation", "discloser", "nature",
                                         "whyUnobtainable", "patientRefused", "from", "to" };

    reader_names(r, n, "emergencies", NAMES(names));
    e->id          = reader_text(r, n, "emergencies", "id");
    e->patient     = reader_text(r, n, "emergencies", "patient");
    e->parties     = reader_texts(r, n, "emergencies", "party", true, &e->party_count);
    e->declared_by = reader_text(r, n, "emergencies", "declaredBy");
    e->affiliation = reader_text(r, n, "emergencies", "affiliation");
    e->discloser   = reader_text(r, n, "emergencies", "discloser");
    e->nature      = reader_text(r, n, "emergencies", "nature");
    e->why         = reader_text(r, n, "emergencies", "whyUnobtainable");
    e->refused     = reader_flag(r, n, "emergencies", "patientRefused");
    period_of(r, n, "emergencies", &e->from_ms, &e->to_ms);
}

static const struct patient_link *
read_links(struct reader *r, tape_node root, size_t *count)
{
    static const char *const names[] = { "patient", "other", "takenBack" };
    uint32_t             most;
    tape_node            list = list_of(r, root, "links", &most);
    struct patient_link *all  = arena_make_n(r->arena, most, struct patient_link);

    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT && all != NULL && *count < most;
         n = tape_next(r->tape, n)) {
        if (object_at(r, n, "links") == TAPE_ABSENT)
            continue;
        reader_names(r, n, "links", NAMES(names));
        all[(*count)++] = (struct patient_link){
            .patient    = reader_text(r, n, "links", "patient"),
            .other      = reader_text(r, n, "links", "other"),
            .taken_back = reader_flag(r, n, "links", "takenBack"),
        };
    }
    return all;
}

static int
by_patient_name(const void *left, const void *right, const void *context)
{
    const struct patient_name *a = left, *b = right;
    int                        order = span_compare(a->name, b->name);

    (void)context;
    return order != 0 ? order : span_compare(a->patient, b->patient);
}

/* One Patient a name. */
static const struct patient_name *
read_patient_names(struct reader *r, tape_node root, size_t *count)
{
    static const char *const names[] = { "name", "patient" };
    uint32_t             most;
    size_t               listed = 0;
    tape_node            list   = list_of(r, root, "names", &most);
    struct patient_name *all    = arena_make_n(r->arena, most, struct patient_name);

    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT && all != NULL && listed < most; n = tape_next(r->tape, n)) {
        if (object_at(r, n, "names") == TAPE_ABSENT)
            continue;
        reader_names(r, n, "names", NAMES(names));
        all[listed++] = (struct patient_name){ reader_text(r, n, "names", "name"), reader_text(r, n, "names", "patient") };
    }
    sort_in_place(all, listed, sizeof *all, by_patient_name, NULL);
    for (size_t i = 0; i < listed; i++)
        if (*count == 0 || !span_eq(all[*count - 1].name, all[i].name))
            all[(*count)++] = all[i];
        else if (!span_eq(all[*count - 1].patient, all[i].patient))
            reader_finding(r, SEVERITY_ERROR, list, reader_expression(r, "names", NULL), SPAN("want one Patient a name"),
                           SPAN("several who have the identifier are `links` of the name"));
    return all;
}

int64_t
facts_valid_until(const struct facts *f)
{
    int64_t until = f->file_changes_ms > f->at_ms ? f->file_changes_ms : INT64_MAX;

    for (size_t i = 0; i < f->emergency_count; i++)
        until = next_of(f, until, f->emergencies[i].from_ms, f->emergencies[i].to_ms);
    for (size_t i = 0; i < f->document_count; i++)
        until = next_of(f, until, f->documents[i].from_ms, f->documents[i].to_ms);
    for (size_t i = 0; i < f->restriction_count; i++)
        until = next_of(f, until, f->restrictions[i].from_ms, f->restrictions[i].to_ms);
    for (size_t i = 0; i < f->circumstance_count; i++)
        until = next_of(f, until, f->circumstances[i].from_ms, f->circumstances[i].to_ms);
    for (size_t i = 0; i < f->relationship_count; i++) {
        const struct relationship *r    = &f->relationships[i];
        int64_t                    last = r->to_ms == INT64_MAX ? r->from_ms : r->to_ms;
        until = next_of(f, until, r->from_ms, r->to_ms);
        if (r->from_ms != INT64_MAX)
            until = next_of(f, until, r->from_ms - RELATIONSHIP_AHEAD_MS, last + RELATIONSHIP_BACK_MS);
    }
    return until;
}

/* The beginning is a moment itself, the end is inclusive. */
static int64_t
next_of(const struct facts *f, int64_t until, int64_t from_ms, int64_t to_ms)
{
    if (from_ms > f->at_ms && from_ms < until)
        until = from_ms;
    if (to_ms >= f->at_ms && to_ms < INT64_MAX && to_ms + 1 < until)
        until = to_ms + 1;
    return until;
}

/* ---- members that these have in common -------------------------------------------- */

/* F6 */
static tape_node
list_of(struct reader *r, tape_node root, const char *name, uint32_t *count)
{
    tape_node list = reader_member(r, root, "", name, TAPE_ARRAY);

    *count = tape_children(r->tape, list);
    if (*count <= FACTS_MAX_DOCUMENTS)
        return list;
    reader_finding(r, SEVERITY_ERROR, list, span_of(name),
                   arena_format(r->arena, "want at most %d", FACTS_MAX_DOCUMENTS), (struct span){ 0 });
    *count = 0;
    return TAPE_ABSENT;
}

static tape_node
object_at(struct reader *r, tape_node node, const char *where)
{
    if (tape_kind(r->tape, node) == TAPE_OBJECT)
        return node;
    reader_finding(r, SEVERITY_ERROR, node, span_of(where), SPAN("want objects in this list"), (struct span){ 0 });
    return TAPE_ABSENT;
}

/* Not said: from INT64_MAX, to INT64_MAX (I1). */
static void
period_of(struct reader *r, tape_node node, const char *where, int64_t *from_ms, int64_t *to_ms)
{
    struct span       from = reader_text(r, node, where, "from"), to = reader_text(r, node, where, "to");
    struct time_range range;

    *from_ms = *to_ms = INT64_MAX;
    if (!span_empty(from) && time_range_read(from, &range))
        *from_ms = range.first_ms;
    else if (!span_empty(from))
        reader_finding(r, SEVERITY_ERROR, node, reader_expression(r, where, "from"), SPAN("want a date or an instant"),
                       (struct span){ 0 });
    if (!span_empty(to) && time_range_read(to, &range))
        *to_ms = range.last_ms;
    else if (!span_empty(to))
        reader_finding(r, SEVERITY_ERROR, node, reader_expression(r, where, "to"), SPAN("want a date or an instant"),
                       (struct span){ 0 });
}

static enum known
fact_of(struct reader *r, tape_node object, const char *where, const char *name)
{
    enum tape_kind kind = tape_kind(r->tape, tape_member(r->tape, object, span_of(name)));

    if (kind == TAPE_NOTHING || kind == TAPE_NULL)
        return KNOWN_NOT;
    return reader_flag(r, object, where, name) ? KNOWN_YES : KNOWN_NO;
}

/* Ascending, so that a record is looked up in few steps. */
static const struct span *
items_of(struct reader *r, tape_node node, const char *where, size_t *count)
{
    const struct span *as_read = reader_texts(r, node, where, "items", false, count);
    struct span       *all     = arena_make_n(r->arena, *count, struct span);

    for (size_t i = 0; i < *count && all != NULL; i++)
        all[i] = as_read[i];
    if (all != NULL)
        sort_in_place(all, *count, sizeof *all, by_text, NULL);
    return all;
}

static int
by_text(const void *a, const void *b, const void *context)
{
    (void)context;
    return span_compare(*(const struct span *)a, *(const struct span *)b);
}
