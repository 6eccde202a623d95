/* gateway/stages/decide.c -- the consents that count, and the facts of each recipient.
 *
 * The patients of the bundle are known since record; their current Consents
 * are read from the store, once for all recipients; when it never had any of
 * theirs nothing waits for it.  Either way the commit refuses what is decided
 * when one was written meanwhile.  Consents inside the bundle count as well
 * (consent/release.h), and each Consent counts once, in
 * its newest version:
 *   push      what the bundle brings is newer than what the store holds, also
 *             when it revokes; of two versions in the bundle the later counts
 *   delivery  decided again later, the store is newer: a Consent of the bundle
 *             counts only while the store still holds just these bytes
 */
#include "gateway/stages/stages.h"

#include <string.h>

static enum step facts_of_recipients(struct exchange *);
static size_t    patients_of(struct exchange *, struct span *out, struct span *names);
static bool      replaced_by_push(const struct exchange *, const struct store_row *);
static enum step leave_out_stale(struct exchange *, bool *row_is_own);
static void      on_loaded(struct task *);
static enum step go_on(struct exchange *);

static enum step
enter(struct exchange *ex)
{
    if (ex->outgoing_count == 0)
        return STEP_NEXT;
    struct span *patients = arena_make_n(ex->arena, ex->bundle->count, struct span);
    ex->patient_names     = arena_make_n(ex->arena, ex->bundle->count, struct span);
    ex->patient_of        = arena_make_n(ex->arena, ex->bundle->count, uint32_t);
    if (patients == NULL || ex->patient_names == NULL || ex->patient_of == NULL
        || (ex->patients == NULL && !record_patients(ex)))                 /* a delivery has no stage record */
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    ex->consents = (struct store_consents){
        .done.run = on_loaded, .home = ex->loop, .arena = ex->arena,
        .patients = patients, .patient_count = patients_of(ex, patients, ex->patient_names),
    };
    if (store_never_consented(ex->gateway->store, patients, ex->consents.patient_count, &ex->consents.generation))
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
    if (ex->consents.status != ST_OK)
        return exchange_fail(ex, ST_UNAVAILABLE, "the patient's consents could not be read");
    return go_on(ex);
}

const struct stage stage_decide = { .name = "decide", .enter = enter, .resume = resume };

static enum step
go_on(struct exchange *ex)
{
    enum step step = consents_attach(ex);

    return step == STEP_NEXT ? facts_of_recipients(ex) : step;
}

/* Different patients, in order of appearance.  A bundle is mostly about one,
 * so the list is short; a bundle about thousands is looked through from the
 * end, where its next resource's patient mostly is. */
static size_t
patients_of(struct exchange *ex, struct span *out, struct span *names)
{
    size_t n = 0;

    for (uint32_t i = 0; i < ex->bundle->count; i++) {
        struct span patient = ex->patients[i];
        size_t      at      = n;
        while (at > 0 && !span_eq(out[at - 1], patient))
            at--;
        if (at == 0 && !span_empty(patient)) {
            out[n]     = patient;
            names[n++] = entry_patient(ex->references, i, NULL);
            at         = n;
        }
        ex->patient_of[i] = (uint32_t)at;
    }
    return n;
}

/* The bundle may call the patient by another name than the record does: by the
 * fullUrl of an entry without an id. */
static struct span
name_in_bundle(const struct exchange *ex, struct span patient)
{
    for (size_t i = 0; i < ex->consents.patient_count; i++)
        if (span_eq(ex->consents.patients[i], patient))
            return ex->patient_names[i];
    return patient;
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
    ex->facts.consents      = sources;
    ex->facts.consent_count = 0;
    for (size_t i = 0; i < rows; i++) {
        const struct store_row *row = &ex->consents.rows[i];
        if (own[i] || replaced_by_push(ex, row))
            continue;
        struct consent_source *source = &sources[ex->facts.consent_count++];
        enum status st = tape_read(row->bytes, &tape_default_limits, ex->arena, &source->tape, NULL);
        if (st != ST_OK)
            return exchange_fail(ex, ST_UNAVAILABLE, "a stored Consent could not be read");
        source->node    = TAPE_ROOT;
        source->patient = name_in_bundle(ex, row->patient);
    }
    return STEP_NEXT;
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
        out->facts           = facts;
    }
    return STEP_NEXT;
}
