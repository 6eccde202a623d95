/* gateway/stages/decide.c -- the consents that count, and the facts of each recipient.
 *
 * The patients of the bundle are known since record, and of Bundles and Parameters inside of it here; their
 * current Consents, and those of whom a link says that they are the same person (stages/linked.c),
 * are read from the store, once for all recipients, and with them the papers on
 * file; when it never had any of theirs nothing waits for it.  Either way the commit refuses what is decided
 * when one was written meanwhile.  Consents inside the bundle count as well
 * (consent/release.h), and each Consent counts once, in
 * its newest version:
 *   push      what the bundle brings is newer than what the store holds, also
 *             when it revokes; of two versions in the bundle the later counts
 *             What stands of the version that it replaces counts on (consent/precedent.h)
 *   delivery  decided again later, the store is newer: a Consent of the bundle
 *             counts only while the store still holds just these bytes
 */
#include "gateway/stages/stages.h"

#include "fhir/lookup.h"

static enum step facts_of_recipients(struct exchange *);
static const struct lookup *patients_index(const struct exchange *);
static size_t    patients_of(struct exchange *, struct span *out, struct span *names);
static uint32_t  inner_most(const struct exchange *);
static size_t    inner_names(struct exchange *, struct span *out);
static bool      replaced_by_push(const struct exchange *, const struct store_row *);
static bool      replaced_in_push(const struct exchange *, uint32_t entry, struct precedent *out);
static enum step leave_out_stale(struct exchange *, bool *row_is_own);
static void      on_loaded(struct task *);
static enum step go_on(struct exchange *);

static enum step
enter(struct exchange *ex)
{
    if (ex->outgoing_count == 0 && (ex->own_consents == 0 || ex->bundle == NULL))
        return STEP_NEXT;
    struct span *patients = arena_make_n(ex->arena, ex->bundle->count + linked_most(ex) + named_room(ex) + inner_most(ex), struct span);
    ex->patient_names     = arena_make_n(ex->arena, ex->bundle->count, struct span);
    ex->patient_of        = arena_make_n(ex->arena, ex->bundle->count, uint32_t);
    bool known            = ex->patients != NULL || record_patients(ex);  /* a delivery has no stage record */
    ex->patient_index     = known ? patients_index(ex) : NULL;
    if (patients == NULL || ex->patient_names == NULL || ex->patient_of == NULL || ex->patient_index == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    ex->consents = (struct store_consents){
        .done.run = on_loaded, .home = ex->loop, .arena = ex->arena,
        .patients = patients, .patient_count = patients_of(ex, patients, ex->patient_names),
        .with_clients = ex->own_consents > 0,
        .everybody = patients, .with_links = true,
    };
    ex->consents.everybody_count = ex->consents.patient_count + linked_names(ex, patients + ex->consents.patient_count);
    ex->consents.everybody_count += named_names(ex, patients + ex->consents.everybody_count);
    ex->consents.everybody_count += inner_names(ex, patients + ex->consents.everybody_count);
    if (store_never_consented(ex->gateway->store, patients, ex->consents.everybody_count, &ex->consents.generation))
        return go_on(ex);                /* all that there is to know; its status is ST_OK */
    store_load_consents(ex->gateway->store, &ex->consents);
    return STEP_WAIT;
}

static void
on_loaded(struct task *task)
{
    pipeline_resume((struct exchange *)(void *)((char *)task - offsetof(struct exchange, consents.done)));
}

static enum step
resume(struct exchange *ex)
{
    if (ex->consents.status == ST_TOO_LARGE)
        return exchange_fail(ex, ST_TOO_LARGE, "the patients of this Bundle are linked with too many others");
    if (ex->consents.status != ST_OK)
        return exchange_fail(ex, ST_UNAVAILABLE, "the patient's consents and what is on file could not be read");
    return go_on(ex);
}

const struct stage stage_decide = { .name = "decide", .enter = enter, .resume = resume };

static enum step
go_on(struct exchange *ex)
{
    enum step step = consents_attach(ex);

    if (step == STEP_NEXT)
        step = linked_attach(ex);
    if (step == STEP_NEXT)
        step = named_attach(ex);
    if (step == STEP_NEXT)
        step = papers_attach(ex);
    if (ex->outgoing_count == 0)
        ex->consents.generation = 0;     /* nothing leaves: it was for what the sender is told of its Consents */
    return step == STEP_NEXT ? facts_of_recipients(ex) : step;
}

/* Record gives a resource that is about whom the one before it is about the
 * same text. */
static bool
same_as_before(const struct exchange *ex, uint32_t entry)
{
    return entry > 0 && ex->patients[entry].at == ex->patients[entry - 1].at
        && ex->patients[entry].length == ex->patients[entry - 1].length;
}

/* Of each patient the entries that are about them, the first first. */
static const struct lookup *
patients_index(const struct exchange *ex)
{
    struct lookup_item *items = arena_make_n(ex->arena, (size_t)ex->bundle->count + 1, struct lookup_item);
    uint32_t            n     = 0;

    for (uint32_t i = 0; items != NULL && i < ex->bundle->count; i++)
        if (!span_empty(ex->patients[i]) && !same_as_before(ex, i))
            items[n++] = (struct lookup_item){ .key = ex->patients[i], .value = i };
    return items != NULL ? lookup_build(items, n, ex->arena) : NULL;
}

/* Different patients, in order of appearance; there may be thousands. */
static size_t
patients_of(struct exchange *ex, struct span *out, struct span *names)
{
    size_t n = 0;

    for (uint32_t i = 0; i < ex->bundle->count; i++) {
        struct span patient = ex->patients[i];
        if (span_empty(patient))
            continue;
        uint32_t first = same_as_before(ex, i) ? i - 1
                                               : lookup_value(ex->patient_index, lookup_find(ex->patient_index, patient));
        if (first == i) {
            out[n]     = patient;
            names[n++] = entry_patient(ex->references, i, NULL);
        }
        ex->patient_of[i] = first == i ? (uint32_t)n : ex->patient_of[first];
    }
    return n;
}

static bool
holds_others(const struct bundle_entry *e)
{
    return span_eq_text(e->type, "Bundle") || span_eq_text(e->type, "Parameters");
}

static uint32_t
inner_most(const struct exchange *ex)
{
    for (uint32_t i = 0; i < ex->bundle->count; i++)
        if (holds_others(&ex->bundle->entries[i]))
            return ex->references->count + bundle_resources(ex->bundle);
    return 0;
}

/* The patients of the resources inside of entries, which are decided one by one (consent/plan_nested.h):
 * whom these refer to, and the Patients among them.  Some come twice. */
static size_t
inner_names(struct exchange *ex, struct span *out)
{
    const struct bundle *b    = ex->bundle;
    uint32_t             most = inner_most(ex), first;
    size_t               n    = 0;
    struct span          last = { NULL, 0 };

    for (uint32_t i = 0; most > 0 && i < b->count; i++) {
        uint32_t count = holds_others(&b->entries[i]) ? references_from(ex->references, i, &first) : 0;
        for (uint32_t k = 0; k < count; k++) {
            const struct reference *r = &ex->references->all[first + k];
            if (!span_eq_text(r->type, "Patient") || span_eq(r->value, last))
                continue;
            out[n++] = record_patient(ex, ENTRY_NONE, r->value);
            last     = r->value;
        }
    }
    for (uint32_t i = 0; most > 0 && i < bundle_resources(b); i++) {
        tape_node   node = bundle_resource_at(b, i)->node;
        struct span id   = tape_member_text(b->tape, node, SPAN("id"), ex->arena);
        uint32_t    at   = bundle_entry_of(b, node);
        if (at != ENTRY_NONE && b->entries[at].resource != node && !span_empty(id)
            && tape_text_eq(b->tape, tape_member(b->tape, node, SPAN("resourceType")), SPAN("Patient")))
            out[n++] = arena_join(ex->arena, SPAN("Patient/"), id);
    }
    return n;
}

/* The bundle may call the patient by another name than the record does: by the
 * fullUrl of an entry without an id. */
struct span
patient_in_bundle(const struct exchange *ex, struct span patient)
{
    uint32_t at = lookup_find(ex->patient_index, patient);

    return at != LOOKUP_NONE ? ex->patient_names[ex->patient_of[lookup_value(ex->patient_index, at)] - 1] : patient;
}

/* The Bundle that a stored Consent came in, read once for all that did.
 * Without it whom the Consent names is not known, and then nothing is permitted to them. */
static const struct bundle *
home_of(struct exchange *ex, struct store_home *home)
{
    const struct tape *tape;
    struct issues     *issues;

    if (home == NULL || home->looked)
        return home != NULL ? home->bundle : NULL;
    home->looked = true;
    if ((issues = issues_new(ex->arena, 1)) == NULL
        || tape_read(home->body, &tape_default_limits, ex->arena, &tape, NULL) != ST_OK
        || bundle_read(tape, ex->arena, issues, &home->bundle) != ST_OK)
        home->bundle = NULL;
    return home->bundle;
}

static enum step
consent_attach(struct exchange *ex, const struct store_row *row, struct consent_source *source)
{
    if (tape_read(row->bytes, &tape_default_limits, ex->arena, &source->tape, NULL) != ST_OK)
        return exchange_fail(ex, ST_UNAVAILABLE, "a stored Consent could not be read");
    source->node      = TAPE_ROOT;
    source->patient   = patient_in_bundle(ex, row->patient);
    source->home      = home_of(ex, row->home);
    source->home_lost = row->home_lost || (row->home != NULL && source->home == NULL);
    return STEP_NEXT;
}

/* What stands of it, also of the version that this push replaces or takes away. */
static enum step
precedent_attach(struct exchange *ex, const struct store_row *row, struct precedent *out)
{
    *out = (struct precedent){ .revokes = row->revokes, .upholds = row->upheld, .at_ms = row->at_ms };
    out->source.told = ex->client != NULL && span_eq(row->client, ex->client->title);
    return consent_attach(ex, row, &out->source);
}

/* Stored Consents were read once by the strict reader; bytes that do not read
 * any more are not what was stored, and then nothing may leave. */
enum step
consents_attach(struct exchange *ex)
{
    size_t                 rows    = ex->consents.row_count;
    struct consent_source *sources = arena_make_n(ex->arena, rows, struct consent_source);
    bool                  *own     = arena_make_n(ex->arena, rows, bool);

    if ((sources == NULL || own == NULL) && rows > 0)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    enum step step = leave_out_stale(ex, own);
    if (step != STEP_NEXT)
        return step;
    struct precedent *stand = arena_make_n(ex->arena, ex->consents.standing_count + rows + ex->facts.stale_count, struct precedent);
    if (arena_spent(ex->arena))
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    ex->facts.consents      = sources;
    ex->facts.consent_count   = 0;
    ex->facts.precedents      = stand;
    ex->facts.precedent_count = 0;
    for (size_t i = 0; i < ex->consents.standing_count && step == STEP_NEXT; i++)
        step = precedent_attach(ex, &ex->consents.standing[i], &stand[ex->facts.precedent_count++]);
    for (size_t i = 0; i < rows && step == STEP_NEXT; i++) {
        const struct store_row *row = &ex->consents.rows[i];
        if (own[i])
            continue;
        if (replaced_by_push(ex, row)) {
            if (ex->revoking == NULL)    /* which takes no refusal away (revocation.h W2) */
                step = precedent_attach(ex, row, &stand[ex->facts.precedent_count++]);
            continue;
        }
        step = consent_attach(ex, row, &sources[ex->facts.consent_count++]);
    }
    for (size_t i = 0; i < ex->facts.stale_count && ex->due == NULL; i++)
        ex->facts.precedent_count += replaced_in_push(ex, ex->facts.stale_entries[i], &stand[ex->facts.precedent_count]);
    return step;
}

/* A version that a later entry of the same push replaces.  A delivery has it from the store. */
static bool
replaced_in_push(const struct exchange *ex, uint32_t entry, struct precedent *out)
{
    if (entry_existing(&ex->entries[ex->places[entry]]) != NULL)
        return false;                    /* it was not taken */
    *out = (struct precedent){ .at_ms  = ex->at_ms, .source = { .tape = ex->tape, .node = ex->bundle->entries[entry].resource,
                                                                .patient = entry_patient(ex->references, entry, NULL),
                                                                .home = ex->bundle, .told = true } };
    return true;
}

/* The unit that is being decided writes a newer version, or takes it away. */
static bool
replaced_by_push(const struct exchange *ex, const struct store_row *row)
{
    for (size_t i = 0; ex->own_consents > 0 && i < ex->resource_count; i++)
        if (span_eq(ex->resources[i].type, row->type) && span_eq(ex->resources[i].id, row->id))
            return true;
    return false;
}

/* Whether the store holds just this Consent; then its row need not count again. */
static bool
still_stored(const struct exchange *ex, tape_node consent, bool *row_is_own)
{
    struct span bytes = tape_extent(ex->tape, consent);

    for (size_t i = 0; i < ex->consents.row_count; i++)
        if (span_eq(ex->consents.rows[i].bytes, bytes))
            return row_is_own[i] = true;
    return false;
}

static enum step
leave_out_stale(struct exchange *ex, bool *row_is_own)
{
    uint32_t *stale = arena_make_n(ex->arena, ex->bundle->count, uint32_t);

    if (stale == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    ex->facts.stale_entries = stale;
    ex->facts.stale_count   = 0;
    for (uint32_t i = 0; i < ex->bundle->count; i++) {
        const struct bundle_entry *e = &ex->bundle->entries[i];
        if (e->resource == TAPE_ABSENT || !span_eq_text(e->type, "Consent"))
            continue;
        if (bundle_next_same(ex->bundle, i) != ENTRY_NONE
            || entry_existing(&ex->entries[ex->places[i]]) != NULL
            || (ex->due != NULL && !still_stored(ex, e->resource, row_is_own)))
            stale[ex->facts.stale_count++] = i;
    }
    return STEP_NEXT;
}

static enum step
facts_of_recipients(struct exchange *ex)
{
    for (size_t i = 0; i < ex->outgoing_count; i++) {
        struct outgoing *out   = &ex->outgoing[i];
        struct facts    *facts = arena_make(ex->arena, struct facts);
        if (facts == NULL)
            return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
        *facts               = ex->facts;
        facts->actor         = out->recipient->party;
        facts->purposes      = out->recipient->purposes;
        facts->purpose_count = out->recipient->purpose_count;
        facts->emission      = out->recipient->emission;
        out->facts           = facts;
    }
    return STEP_NEXT;
}
