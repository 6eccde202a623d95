/* gateway/stages/disclosures.c -- a release or a denial as records of the ledger.
 *
 * What leaves adds a disclosure record; whatever is withheld, whole or in
 * part, adds a denial record to the log of denials.  Fields: ledger/record.h.
 */
#include "gateway/stages/stages.h"

#include <string.h>

#include "consent/obligation.h"
#include "gateway/ledger/record.h"
#include "gateway/ops/metrics.h"
#include "gateway/runtime/identity.h"
#include "gateway/version.h"

static void describe_common(const struct exchange *, const struct outgoing *, struct disclosure *);
static void describe_released(struct exchange *, const struct outgoing *, struct disclosure *);
static void describe_consent(struct exchange *, const struct outgoing *, struct disclosure *);
static void describe_withheld(struct exchange *, const struct outgoing *, struct disclosure *);

static bool
leaves(enum verdict verdict)
{
    return verdict == VERDICT_PERMIT || verdict == VERDICT_REDACT;
}

enum status
disclosures_author(struct exchange *ex, struct outgoing *out, struct ledger_entry *entries, size_t *count)
{
    const struct plan *plan = out->release->plan;
    enum status        st   = ST_OK;
    size_t             n    = 0;

    if (!span_empty(out->release->payload)) {
        struct disclosure d = { .kind = RECORD_DISCLOSURE, .event_id = out->event_id };
        describe_common(ex, out, &d);
        describe_released(ex, out, &d);
        st = record_author(&d, ex->arena, &entries[n++]);
    }
    if (st == ST_OK
        && (plan->withheld > 0 || plan->cut_count > 0 || span_empty(out->release->payload))) {
        struct disclosure d = { .kind = RECORD_DENIAL, .event_id = record_event_id(ex->arena, ex->at_ms) };
        describe_common(ex, out, &d);
        describe_withheld(ex, out, &d);
        st = record_author(&d, ex->arena, &entries[n++]);
    }
    *count += n;
    return st;
}

void
disclosures_count(const struct ledger_entry *entries, size_t count)
{
    char recipient[64];

    for (size_t i = 0; i < count; i++) {
        struct span name    = span_first(entries[i].recipient, sizeof recipient - 1);
        bool        release = span_eq_text(entries[i].kind, "disclosure");
        if (!release && !span_eq_text(entries[i].kind, "denial"))
            continue;                    /* a void takes a release back; both stay counted */
        if (name.length > 0)
            memcpy(recipient, name.at, name.length);
        recipient[name.length] = '\0';
        metric_add(release ? METRIC_RELEASES : METRIC_DENIALS, recipient, 1);
    }
}

static struct span
holder_class(enum sender_status sender)
{
    return sender == SENDER_PROGRAM ? SPAN("H_PROGRAM") : SPAN("H_UNKNOWN");
}

/* Patient.name as it stands in the bundle: text, or given and family. */
static struct span
patient_name(struct exchange *ex)
{
    const struct tape *tape = ex->tape;
    uint32_t           at   = ENTRY_NONE;

    for (uint32_t i = 0; i < ex->bundle->count && at == ENTRY_NONE; i++)
        if (span_eq_text(ex->bundle->entries[i].type, "Patient"))
            at = i;
    if (at == ENTRY_NONE)
        return (struct span){ 0 };
    tape_node   name = tape_first(tape, tape_member(tape, ex->bundle->entries[at].resource, SPAN("name")));
    struct span text = tape_member_text(tape, name, SPAN("text"), ex->arena);
    if (!span_empty(text))
        return text;
    struct span given  = tape_text(tape, tape_first(tape, tape_member(tape, name, SPAN("given"))), ex->arena);
    struct span family = tape_member_text(tape, name, SPAN("family"), ex->arena);
    return span_trim(arena_format(ex->arena, "%.*s %.*s", SPAN_PRINT(given), SPAN_PRINT(family)));
}

static void
describe_recipient(struct exchange *ex, const struct config_recipient *recipient, struct disclosure *d)
{
    size_t       n   = recipient->party.identifier_count;
    struct span *ids = arena_make_n(ex->arena, n, struct span);

    d->recipient.name        = recipient->title;
    d->recipient.reference   = recipient->party.reference;
    d->recipient.address     = recipient->address;
    d->recipient.endpoint    = recipient->url;
    d->recipient.classes     = recipient->party.classes;
    d->recipient.class_count = recipient->party.class_count;
    if (ids == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        ids[i] = arena_format(ex->arena, "%.*s|%.*s", SPAN_PRINT(recipient->party.identifiers[i].system),
                              SPAN_PRINT(recipient->party.identifiers[i].value));
    d->recipient.identifiers      = ids;
    d->recipient.identifier_count = n;
}

static void
describe_common(const struct exchange *ex, const struct outgoing *out, struct disclosure *d)
{
    struct exchange *memory = out->exchange;

    d->request_ms            = ex->at_ms;
    d->decision_ms           = ex->at_ms;
    d->request_id            = ex->request_id;
    d->client                = ex->client->title;
    d->policy_version        = SPAN(SLUICE_POLICY_VERSION);
    d->value_set_version     = SPAN(SLUICE_POLICY_VERSION);
    d->registry_version      = arena_format(memory->arena, "%llu", (unsigned long long)ex->config->generation);
    d->consent_store_version = ex->consents.generation;
    d->patient               = out->patient;
    d->patient_name          = patient_name(memory);
    d->discloser.name         = ex->client->title;
    d->discloser.holder_class = holder_class(ex->client->part2);
    d->discloser.system       = SPAN("sluice");
    d->purposes              = out->recipient->purposes;
    d->purpose_count         = out->recipient->purpose_count;
    d->channel               = SPAN("FHIR push");
    d->via_ehr               = true;
    d->decision              = span_of(release_outcome_text(out->release->outcome));
    describe_recipient(memory, out->recipient, d);
}

/* Rules with how many resources rest on each, in order of their first. */
static struct record_basis *
bases_of(struct exchange *ex, const struct plan *plan, bool released, size_t *count)
{
    struct record_basis *bases = arena_make_n(ex->arena, RULE_COUNT, struct record_basis);
    enum rule            seen[RULE_COUNT];
    size_t               n = 0;

    *count = 0;
    if (bases == NULL)
        return NULL;
    for (uint32_t i = 0; i < plan->bundle->count; i++) {
        const struct decision *decision = &plan->decisions[i];
        size_t                 at       = 0;
        if (leaves(decision->verdict) != released)
            continue;
        while (at < n && seen[at] != decision->rule)
            at++;
        if (at == n) {
            seen[n++] = decision->rule;
            bases[at] = (struct record_basis){
                .rule     = span_of(rule_number(decision->rule)),
                .citation = span_of(rule_citation(decision->rule)),
                .words    = span_of(rule_words(decision->rule)),
            };
        }
        bases[at].items++;
    }
    /* The first is what the record is listed under: a Part 2 basis where there
     * is one, for what a Bundle is accounted for is its most protected part. */
    for (size_t i = 1; i < n; i++)
        if (span_starts(bases[i].rule, SPAN("R-")) && !span_starts(bases[0].rule, SPAN("R-"))) {
            struct record_basis first = bases[0];
            bases[0] = bases[i];
            bases[i] = first;
        }
    *count = n;
    return bases;
}

static void
describe_released(struct exchange *ex, const struct outgoing *out, struct disclosure *d)
{
    const struct plan  *plan  = out->release->plan;
    struct record_item *items = arena_make_n(ex->arena, plan->kept, struct record_item);

    d->release_ms         = ex->at_ms;
    d->payload_sha256     = out->sha256;
    d->payload_bytes      = out->release->payload.length;
    d->idempotency_key    = out->idempotency_key;
    d->in_part2_accounting = (out->release->obligations & OBLIGE_ACCOUNTING) != 0;
    d->bases              = bases_of(ex, plan, true, &d->basis_count);
    for (uint32_t i = 0; i < plan->bundle->count && items != NULL; i++) {
        const struct bundle_entry *e = &plan->bundle->entries[i];
        if (leaves(plan->decisions[i].verdict) && d->item_count < plan->kept)
            items[d->item_count++] = (struct record_item){
                .type = e->type, .id = ex->ids != NULL ? ex->ids[i] : e->id };
    }
    d->items = items;
    describe_consent(ex, out, d);
}

static void
describe_consent(struct exchange *ex, const struct outgoing *out, struct disclosure *d)
{
    const struct plan    *plan    = out->release->plan;
    const struct consent *consent = NULL;
    struct record_consent *record = arena_make(ex->arena, struct record_consent);

    for (uint32_t i = 0; i < plan->bundle->count && consent == NULL; i++)
        if (leaves(plan->decisions[i].verdict) && (plan->decisions[i].obligations & OBLIGE_NOTICE))
            consent = plan->decisions[i].consent;
    if (consent == NULL || record == NULL)
        return;
    const struct tape *tape = NULL;
    tape_node          node = consent_node(consent, &tape);
    struct span        text = obligation_explain_consent(consent, out->facts, ex->arena);
    struct span        body = tape_extent(tape, node);
    record->id     = consent_reference(consent);
    record->version = tape_member_text(tape, tape_member(tape, node, SPAN("meta")), SPAN("versionId"),
                                       ex->arena);
    record->kind   = span_of(rule_number(RULE_SPECIFIC));
    record->sha256 = sha256_hex(ex->arena, &body, 1);
    record->state  = SPAN("active");
    for (uint32_t i = 0; i < plan->bundle->count; i++)
        if (plan->decisions[i].consent == consent && plan->decisions[i].rule == RULE_TPO)
            record->kind = span_of(rule_number(RULE_TPO));
    d->consent                   = record;
    d->notice.kind               = SPAN("N1");
    d->notice.version            = SPAN("2024-02-16");
    d->notice.explanation_sha256 = sha256_hex(ex->arena, &text, 1);
}

static void
describe_withheld(struct exchange *ex, const struct outgoing *out, struct disclosure *d)
{
    const struct plan *plan = out->release->plan;

    if (span_empty(out->release->payload) && plan->withheld < plan->bundle->count)
        d->decision = SPAN("hold");      /* the check after redaction kept the rest */
    d->withheld_count = plan->withheld;
    d->withheld       = bases_of(ex, plan, false, &d->withheld_reason_count);
}
