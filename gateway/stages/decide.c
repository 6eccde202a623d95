/* gateway/stages/decide.c -- the consents that count, and the facts of each recipient.
 *
 * The patients of the bundle are known since record; their current Consents
 * are read from the store, once for all recipients.  Consents inside the
 * bundle count as well (consent/release.h).
 */
#include "gateway/stages/stages.h"

#include <string.h>

static enum step facts_of_recipients(struct exchange *);
static size_t    patients_of(struct exchange *, struct span *out);
static void      on_loaded(struct task *);

static enum step
enter(struct exchange *ex)
{
    if (ex->outgoing_count == 0)
        return STEP_NEXT;
    struct span *patients = arena_make_n(ex->arena, ex->bundle->count, struct span);
    if (patients == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    ex->consents = (struct store_consents){
        .done.run = on_loaded, .home = ex->loop, .arena = ex->arena,
        .patients = patients, .patient_count = patients_of(ex, patients),
    };
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
    enum step step = consents_attach(ex);
    return step == STEP_NEXT ? facts_of_recipients(ex) : step;
}

const struct stage stage_decide = { .name = "decide", .enter = enter, .resume = resume };

/* Different patients, in order of appearance.  A bundle is mostly about one,
 * so the list is short; a bundle about thousands is looked through from the
 * end, where its next resource's patient mostly is. */
static size_t
patients_of(struct exchange *ex, struct span *out)
{
    size_t n = 0;

    for (uint32_t i = 0; i < ex->bundle->count; i++) {
        struct span patient = record_patient(ex, i);
        size_t      at      = n;
        while (at > 0 && !span_eq(out[at - 1], patient))
            at--;
        if (at == 0 && !span_empty(patient))
            out[n++] = patient;
    }
    return n;
}

/* Stored Consents were read once by the strict reader; bytes that do not read
 * any more are not what was stored, and then nothing may leave. */
enum step
consents_attach(struct exchange *ex)
{
    struct consent_source *sources =
        arena_make_n(ex->arena, ex->consents.row_count, struct consent_source);

    if (sources == NULL && ex->consents.row_count > 0)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    for (size_t i = 0; i < ex->consents.row_count; i++) {
        const struct store_row *row = &ex->consents.rows[i];
        enum status st = tape_read(row->bytes, &tape_default_limits, ex->arena, &sources[i].tape, NULL);
        if (st != ST_OK)
            return exchange_fail(ex, ST_UNAVAILABLE, "a stored Consent could not be read");
        sources[i].node    = TAPE_ROOT;
        sources[i].patient = row->patient;
    }
    ex->facts.consents      = sources;
    ex->facts.consent_count = ex->consents.row_count;
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
