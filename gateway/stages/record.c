/* gateway/stages/record.c -- accepted resources become store rows.
 *
 * Ids: Sluice is a gateway, not the sender's server of record, so the
 * sender's ids are kept: PUT names one; for POST it is the resource's own id,
 * else the UUID of its urn:uuid fullUrl, else a new one; of a Consent behind how the client's
 * begin (`consent-ids`).  A POST of an id that
 * is there makes its next version.  A client that may create and not update
 * makes next versions only of what it sent itself: a push of the same record
 * again is no update of somebody else's.
 *
 * The rows are written by stage commit.
 */
#include "gateway/stages/stages.h"

#include "consent/precedent.h"
#include "gateway/auth/clients.h"
#include "gateway/classify/classify.h"
#include "gateway/runtime/identity.h"

#define URN_UUID "urn:uuid:"

/* Most resources of a Bundle have one of a few sets of labels. */
enum { TEXTS_APART = 31 };
struct labels_text { label_set labels; struct span text; };

static enum step    record_entry(struct exchange *, uint32_t entry, struct intake_entry *, struct labels_text *);
static void         record_deletions(struct exchange *);
static void         list_identifiers(struct exchange *, tape_node resource, struct store_resource *);
static struct span  id_for(struct exchange *, const struct bundle_entry *);
static struct span  labels_text(struct exchange *, label_set, struct labels_text *);
static void         record_whole(struct exchange *, struct labels_text *);

static enum step
enter(struct exchange *ex)
{
    if (ex->intake == INTAKE_METADATA)
        return STEP_NEXT;
    struct labels_text texts[TEXTS_APART] = { 0 };
    uint32_t           count = ex->intake == INTAKE_DELETE ? 0 : ex->bundle->count;
    ex->resources = arena_make_n(ex->arena, ex->entry_count + 1, struct store_resource);
    ex->ids       = arena_make_n(ex->arena, count, struct span);
    if (ex->resources == NULL || (count > 0 && (ex->ids == NULL || !record_patients(ex))))
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    record_deletions(ex);                /* R4 http.html#trules: DELETE, POST, PUT, GET */
    for (uint32_t i = 0; i < count; i++) {
        enum step step = record_entry(ex, i, &ex->entries[ex->places[i]], texts);
        if (step != STEP_NEXT)
            return step;
    }
    if (count > 0 && (ex->bundle->type == BUNDLE_DOCUMENT || ex->bundle->type == BUNDLE_COLLECTION))
        record_whole(ex, texts);
    return arena_spent(ex->arena) ? exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY)) : STEP_NEXT;
}

const struct stage stage_record = { .name = "record", .pure = true, .enter = enter };

/* A DELETE takes the record's current version away. */
static void
record_deletions(struct exchange *ex)
{
    for (size_t i = 0; i < ex->entry_count; i++) {
        struct intake_entry *entry = &ex->entries[i];
        if (entry->act != ACT_DELETE || entry->status >= 400)
            continue;
        entry->resource  = &ex->resources[ex->resource_count++];
        entry->status    = 204;
        *entry->resource = (struct store_resource){
            .verb = STORE_DELETE, .type = entry->type, .id = entry->id, .if_version = entry->if_version,
            .or_versions = entry->or_versions, .or_count = entry->or_count,
        };
        ex->own_consents += span_eq_text(entry->type, "Consent");
    }
}

static unsigned
stands_of(struct exchange *ex, tape_node consent)
{
    unsigned of = precedent_of(ex->tape, consent, ex->revoking != NULL, ex->arena);

    return ((of & PRECEDENT_REFUSES) != 0 ? STORE_STANDS_REFUSES : 0u) | ((of & PRECEDENT_REVOKES) != 0 ? STORE_STANDS_REVOKES : 0u)
         | ((of & PRECEDENT_ENDS) != 0 ? STORE_STANDS_ENDS : 0u);
}

static enum step
record_entry(struct exchange *ex, uint32_t i, struct intake_entry *entry, struct labels_text *texts)
{
    const struct bundle_entry *e = &ex->bundle->entries[i];

    const struct store_condition *existing = entry_existing(entry);
    if (existing != NULL) {
        ex->ids[i]    = existing->found_id;
        entry->status = 200;
        if (span_empty(ex->patient))
            ex->patient = ex->patients[i];
        return STEP_NEXT;
    }
    if (e->resource == TAPE_ABSENT)
        return STEP_NEXT;
    struct store_resource *r = &ex->resources[ex->resource_count++];
    *r = (struct store_resource){
        .verb        = STORE_PUT,
        .type        = e->type,
        .id          = ex->ids[i] = id_for(ex, e),
        .patient     = ex->patients[i],
        .bytes       = tape_extent(ex->tape, e->resource),
        .labels      = labels_text(ex, ex->labeling->of[i].labels, texts),
        .part2       = span_of(part2_text(ex->labeling->of[i].part2)),
        .if_version  = entry->if_version,
        .or_versions = entry->or_versions,
        .or_count    = entry->or_count,
        .only_own    = !client_may(ex->client, 'u', e->type),
        .unless      = entry->unless,
    };
    list_identifiers(ex, e->resource, r);
    if (span_eq_text(e->type, "Consent"))
        r->stands = stands_of(ex, e->resource);
    linked_record(ex, i, r);
    named_record(ex, i, r);
    entry->resource = r;
    entry->status   = 201;
    if (span_empty(ex->patient))
        ex->patient = r->patient;
    ex->own_consents += span_eq_text(e->type, "Consent");
    return STEP_NEXT;
}

/* Of the resource itself: one, or a list of them (R4 Bundle and others have one). */
static void
list_identifiers(struct exchange *ex, tape_node resource, struct store_resource *r)
{
    const struct tape *t     = ex->tape;
    tape_node          list  = tape_member(t, resource, SPAN("identifier"));
    bool               one   = tape_kind(t, list) == TAPE_OBJECT;
    uint32_t           count = list == TAPE_ABSENT ? 0 : one ? 1 : tape_children(t, list);
    int64_t           *keys  = count > 0 ? arena_make_n(ex->arena, count, int64_t) : NULL;

    r->identifiers = keys;
    for (tape_node n = keys == NULL ? TAPE_ABSENT : one ? list : tape_first(t, list);
         n != TAPE_ABSENT && r->identifier_count < STORE_IDENTIFIERS_MAX; n = one ? TAPE_ABSENT : tape_next(t, n)) {
        struct span value = tape_member_text(t, n, SPAN("value"), ex->arena);
        if (!span_empty(value))
            keys[r->identifier_count++] =
                store_identifier_key(r->type, tape_member_text(t, n, SPAN("system"), ex->arena), value);
    }
}

static struct span
id_for(struct exchange *ex, const struct bundle_entry *e)
{
    bool        urn  = span_starts(e->full_url, SPAN(URN_UUID));
    struct span uuid = !span_empty(e->id) ? e->id : urn ? span_skip(e->full_url, sizeof URN_UUID - 1) : uuid_new(ex->arena);

    if (!span_empty(e->id) || !span_eq_text(e->type, "Consent") || span_empty(ex->client->consent_ids))
        return uuid;
    return arena_join(ex->arena, ex->client->consent_ids, uuid);         /* else nobody could write its next version (decision 0039) */
}

struct span
record_patient(const struct exchange *ex, uint32_t at, struct span text)
{
    struct span base, type, id;

    if (at != ENTRY_NONE) {
        const struct bundle_entry *patient = &ex->bundle->entries[at];
        const struct store_condition *existing = entry_existing(&ex->entries[ex->places[at]]);
        id = existing != NULL ? existing->found_id
             : !span_empty(patient->id) ? patient->id
             : span_starts(patient->full_url, SPAN(URN_UUID))
                 ? span_skip(patient->full_url, sizeof URN_UUID - 1) : (struct span){ 0 };
        if (!span_empty(id))
            return arena_join(ex->arena, SPAN("Patient/"), id);
    }
    if (span_starts(text, SPAN(REFERENCE_PATIENT_NAME)))
        return named_patient(ex, text);
    if (reference_split(text, &base, &type, &id) && span_eq_text(type, "Patient"))
        return arena_join(ex->arena, SPAN("Patient/"), id);
    return text;
}

/* A resource is mostly about whom the one before it is about. */
bool
record_patients(struct exchange *ex)
{
    struct span before = { 0 };
    uint32_t    last   = ENTRY_NONE;

    ex->patients = arena_make_n(ex->arena, ex->bundle->count, struct span);
    for (uint32_t i = 0; ex->patients != NULL && i < ex->bundle->count; i++) {
        uint32_t    at   = ENTRY_NONE;
        struct span text = entry_patient(ex->references, i, &at);
        bool        same = i > 0 && at == last && span_eq(text, before);
        ex->patients[i] = same ? ex->patients[i - 1] : record_patient(ex, at, text);
        before          = text;
        last            = at;
    }
    return !arena_spent(ex->arena);
}

/* "SUD R", once for each set. */
static struct span
labels_text(struct exchange *ex, label_set labels, struct labels_text *texts)
{
    struct labels_text *known = &texts[labels % TEXTS_APART];

    if (known->text.at == NULL || known->labels != labels)
        *known = (struct labels_text){ labels, class_labels_text(labels, ex->arena) };
    return known->text;
}

/* A document or a collection is a resource of its own as well, with the
 * labels of all that it holds. */
static void
record_whole(struct exchange *ex, struct labels_text *texts)
{
    struct span       id     = tape_member_text(ex->tape, ex->bundle->root, SPAN("id"), ex->arena);
    label_set         labels = 0;
    enum part2_status part2  = PART2_NOT;

    for (uint32_t i = 0; i < ex->bundle->count; i++) {
        labels |= ex->labeling->of[i].labels;
        if (ex->labeling->of[i].part2 != PART2_NOT && part2 != PART2_CONFIRMED)
            part2 = ex->labeling->of[i].part2;
    }
    ex->whole  = &ex->resources[ex->resource_count++];
    *ex->whole = (struct store_resource){
        .verb = STORE_PUT, .type = SPAN("Bundle"), .id = span_empty(id) ? uuid_new(ex->arena) : id,
        .patient = ex->patient, .bytes = span_trim(ex->body), .labels = labels_text(ex, labels, texts),
        .part2 = span_of(part2_text(part2)), .if_version = -1,
        .only_own = !client_may(ex->client, 'u', SPAN("Bundle")),
    };
}
