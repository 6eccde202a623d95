/* gateway/stages/disclosures.c -- a release or a denial as records of the ledger.
 *
 * What leaves adds a disclosure record; whatever is withheld, whole or in
 * part, adds a denial record to the log of denials.  Fields: ledger/record.h.
 *
 * A Bundle may be about several patients, and each has a right to an accounting
 * of what left of theirs: the record names all of whom something leaves.
 */
#include "gateway/stages/stages.h"

#include <string.h>

#include "consent/obligation.h"
#include "consent/state_pack.h"
#include "consent/purpose.h"
#include "gateway/classify/classify.h"
#include "gateway/ledger/record.h"
#include "gateway/ops/metrics.h"
#include "gateway/runtime/identity.h"
#include "gateway/version.h"

#define MAX_CONSENTS 64                  /* named in one record; no patient signs as many */

static void describe_common(const struct exchange *, const struct outgoing *, struct disclosure *);
static enum status describe_released(struct exchange *, const struct outgoing *, struct disclosure *);
static void describe_consent(struct exchange *, const struct outgoing *, struct disclosure *);
static enum status describe_withheld(struct exchange *, const struct outgoing *, struct disclosure *);
static enum status describe_patients(struct exchange *, const struct outgoing *, bool released,
                                     struct record_item *, struct disclosure *);

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
        st = describe_released(ex, out, &d);
        if (st == ST_OK)
            st = record_author(&d, ex->arena, &entries[n++]);
    }
    if (st == ST_OK
        && (plan->withheld > 0 || plan->cut_count > 0 || span_empty(out->release->payload))) {
        struct disclosure d = { .kind = RECORD_DENIAL, .event_id = record_event_id(ex->arena, ex->at_ms) };
        describe_common(ex, out, &d);
        st = describe_withheld(ex, out, &d);
        if (st == ST_OK)
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
holder_class(const struct facts *facts)
{
    if (facts->holder != HOLDER_UNKNOWN)
        return span_of(holder_code(facts->holder));
    return facts->sender == SENDER_PROGRAM ? SPAN("H_PROGRAM") : SPAN("H_UNKNOWN");
}

/* Patient.name of this entry as it stands in the bundle: text, or given and family. */
static struct span
patient_name(struct exchange *ex, uint32_t at)
{
    const struct tape *tape = ex->tape;

    tape_node   name = tape_first(tape, tape_member(tape, ex->bundle->entries[at].resource, SPAN("name")));
    struct span text = tape_member_text(tape, name, SPAN("text"), ex->arena);
    if (!span_empty(text))
        return text;
    struct span given  = tape_text(tape, tape_first(tape, tape_member(tape, name, SPAN("given"))), ex->arena);
    struct span family = tape_member_text(tape, name, SPAN("family"), ex->arena);
    return span_trim(arena_join(ex->arena, given, SPAN(" "), family));
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
        ids[i] = arena_join(ex->arena, recipient->party.identifiers[i].system, SPAN("|"),
                            recipient->party.identifiers[i].value);
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
    d->policy_version        = arena_join(memory->arena, SPAN(SLUICE_POLICY_VERSION), ex->config->pack_names, SPAN(""));
    d->value_set_version     = SPAN(SLUICE_POLICY_VERSION);
    d->registry_version      = class_version_text(ex->config->registry_version, memory->arena);
    d->consent_store_version = ex->consents.generation;
    d->patient               = out->patient;
    d->discloser.name         = ex->client->title;
    d->discloser.holder_class = holder_class(&ex->facts);
    d->discloser.system       = SPAN("sluice");
    d->purposes              = out->recipient->purposes;
    d->purpose_count         = out->recipient->purpose_count;
    d->channel               = SPAN("FHIR push");
    d->via_ehr               = true;
    d->decision              = span_of(release_outcome_text(out->release->outcome));
    describe_recipient(memory, out->recipient, d);
}

static bool
is_part2_basis(struct span rule)
{
    return span_starts(rule, SPAN("R-")) || span_starts(rule, SPAN("B2-"));
}

/* The first is what the record is listed under: a Part 2 basis where there is
 * one, for what a Bundle is accounted for is its most protected part. */
static void
part2_first(struct record_basis *bases, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (is_part2_basis(bases[i].rule) && !is_part2_basis(bases[0].rule)) {
            struct record_basis first = bases[0];
            bases[0] = bases[i];
            bases[i] = first;
        }
}

static struct record_basis
rule_basis(enum rule rule)
{
    return (struct record_basis){
        .rule     = span_of(rule_number(rule)),
        .citation = span_of(rule_citation(rule)),
        .words    = span_of(rule_words(rule)),
    };
}

/* A rule of a policy pack is named, with the law that it says it comes from. */
static struct record_basis
basis_of(struct exchange *ex, const struct decision *d)
{
    struct record_basis      basis = rule_basis(d->rule);
    const struct state_rule *s     = d->state;

    if (s == NULL)
        return basis;
    basis.citation = s->citation;
    basis.words    = arena_format(ex->arena, "policy pack %.*s %.*s, %.*s: %.*s", SPAN_PRINT(s->pack->id),
                                  SPAN_PRINT(s->pack->version), SPAN_PRINT(s->id), SPAN_PRINT(s->words));
    return basis;
}

/* Rules with how many resources rest on each, in order of their first. */
static struct record_basis *
bases_of(struct exchange *ex, const struct plan *plan, bool released, size_t *count)
{
    /* A pack's rule denies, and holds what it cannot see into. */
    size_t                   most  = RULE_COUNT + 2 * state_packs_rules(ex->config->packs, ex->config->pack_count);
    struct record_basis     *bases = arena_make_n(ex->arena, most, struct record_basis);
    const struct decision  **seen  = arena_make_n(ex->arena, most, const struct decision *);
    size_t                   n     = 0;

    *count = 0;
    if (bases == NULL || seen == NULL)
        return NULL;
    for (uint32_t i = 0; i < plan->bundle->count; i++) {
        const struct decision *decision = &plan->decisions[i];
        size_t                 at       = 0;
        if (leaves(decision->verdict) != released)
            continue;
        while (at < n && (seen[at]->rule != decision->rule || seen[at]->state != decision->state))
            at++;
        if (at == n) {
            seen[n++] = decision;
            bases[at] = basis_of(ex, decision);
        }
        bases[at].items++;
    }
    part2_first(bases, n);
    *count = n;
    return bases;
}

/* 45 CFR 164.528(a)(1)(i) leaves out treatment, payment and operations; what left
 * for anything else is in, and what left in an emergency (42 CFR 2.51) or by a document
 * on file (orders, research, reports); a service organization is no disclosure, 2.12(c)(4). */
static bool
in_hipaa_accounting(const struct plan *plan, const struct config_recipient *recipient)
{
    for (size_t i = 0; i < recipient->purpose_count; i++) {
        enum purpose p = purpose_of(recipient->purposes[i]);
        if (!purpose_is_a(p, PURPOSE_TREAT) && !purpose_is_a(p, PURPOSE_HPAYMT) && !purpose_is_a(p, PURPOSE_HOPERAT))
            return true;
    }
    for (uint32_t i = 0; i < plan->bundle->count; i++)
        if (leaves(plan->decisions[i].verdict)
            && (plan->decisions[i].rule == RULE_EMERGENCY || plan->decisions[i].emergency != NULL
                || (plan->decisions[i].document != NULL && plan->decisions[i].rule != RULE_SERVICE)))
            return true;
    return recipient->purpose_count == 0;
}

/* 42 CFR 2.24: the list is for those to whom an intermediary disclosed. */
static bool
by_intermediary(const struct config_client *client)
{
    for (size_t i = 0; i < client->party.class_count; i++)
        if (span_eq_text(client->party.classes[i], "INTERMEDIARY"))
            return true;
    return false;
}

static enum status
describe_released(struct exchange *ex, const struct outgoing *out, struct disclosure *d)
{
    const struct plan  *plan  = out->release->plan;
    struct record_item *items = arena_make_n(ex->arena, plan->kept, struct record_item);

    d->release_ms         = ex->at_ms;
    d->payload_sha256     = out->sha256;
    d->payload_bytes      = out->release->payload.length;
    d->idempotency_key    = out->idempotency_key;
    d->in_part2_accounting = (out->release->obligations & OBLIGE_ACCOUNTING) != 0;
    d->in_hipaa_accounting = in_hipaa_accounting(plan, out->recipient);
    d->in_intermediary_list = d->in_part2_accounting
                              && (by_intermediary(ex->client) || ex->config->site.operator_role == OPERATOR_INTERMEDIARY);
    d->bases              = bases_of(ex, plan, true, &d->basis_count);
    for (uint32_t i = 0; i < plan->bundle->count && items != NULL; i++) {
        const struct bundle_entry *e = &plan->bundle->entries[i];
        if (leaves(plan->decisions[i].verdict) && d->item_count < plan->kept)
            items[d->item_count++] = (struct record_item){
                .type = e->type, .id = ex->ids != NULL ? ex->ids[i] : e->id };
    }
    d->items = items;
    describe_consent(ex, out, d);
    papers_of(ex, plan, true, d);
    return items == NULL && plan->kept > 0 ? ST_NO_MEMORY : describe_patients(ex, out, true, items, d);
}

/* The consent as the record has it, and SHA-256 of what went along about it. */
static struct record_consent *
consent_author(struct exchange *ex, const struct outgoing *out, const struct consent *consent, enum rule rule,
               struct span *explanation_sha256)
{
    struct record_consent *record = arena_make(ex->arena, struct record_consent);
    const struct tape     *tape   = NULL;

    if (record == NULL)
        return NULL;
    tape_node   node = consent_node(consent, &tape);
    struct span text = obligation_explain_consent(consent, out->facts, ex->arena);
    struct span body = tape_extent(tape, node);
    record->id       = consent_reference(consent);
    record->version  = tape_member_text(tape, tape_member(tape, node, SPAN("meta")), SPAN("versionId"), ex->arena);
    record->kind     = span_of(rule_number(rule));
    record->sha256   = sha256_hex(ex->arena, &body, 1);
    record->state    = SPAN("active");
    *explanation_sha256 = sha256_hex(ex->arena, &text, 1);
    return record;
}

/* The consents that what leaves rests on, in order of their first resource. */
static size_t
consents_used(const struct plan *plan, const struct consent *out[MAX_CONSENTS], enum rule rules[MAX_CONSENTS])
{
    size_t n = 0;

    for (uint32_t i = 0; i < plan->bundle->count; i++) {
        const struct decision *d  = &plan->decisions[i];
        if (!leaves(d->verdict) || (d->obligations & OBLIGE_NOTICE) == 0 || d->consent == NULL)
            continue;
        for (size_t each = 0; each <= d->also_count; each++) {
            const struct consent *c  = each == 0 ? d->consent : d->also[each - 1];
            size_t                at = 0;
            while (at < n && out[at] != c)
                at++;
            if (at == MAX_CONSENTS)
                continue;
            if (at == n) {
                out[n]     = c;
                rules[n++] = d->rule;
            }
            if (d->rule == RULE_TPO)
                rules[at] = RULE_TPO;
        }
    }
    return n;
}

static void
describe_consent(struct exchange *ex, const struct outgoing *out, struct disclosure *d)
{
    const struct consent         *used[MAX_CONSENTS];
    enum rule                     rules[MAX_CONSENTS];
    struct span                   unused;
    size_t                        count  = consents_used(out->release->plan, used, rules);
    const struct record_consent **others = arena_make_n(ex->arena, count, const struct record_consent *);

    if (count == 0 || others == NULL)
        return;
    d->consent        = consent_author(ex, out, used[0], rules[0], &d->notice.explanation_sha256);
    d->notice.kind    = SPAN("N1");
    d->notice.version = SPAN("2024-02-16");
    d->others         = others;
    for (size_t i = 1; i < count; i++) {
        const struct record_consent *other = consent_author(ex, out, used[i], rules[i], &unused);
        if (other != NULL)
            others[d->other_count++] = other;
    }
}

static enum status
describe_withheld(struct exchange *ex, const struct outgoing *out, struct disclosure *d)
{
    const struct plan *plan = out->release->plan;

    if (span_empty(out->release->payload) && plan->withheld < plan->bundle->count)
        d->decision = SPAN("hold");      /* the check after redaction kept the rest */
    d->withheld_count = plan->withheld;
    d->withheld       = bases_of(ex, plan, false, &d->withheld_reason_count);
    papers_of(ex, plan, false, d);
    return describe_patients(ex, out, false, NULL, d);
}

/* ---- whose records ------------------------------------------------------ */

struct person {                         /* one of the patients of a record */
    uint32_t              entry;         /* its Patient resource; ENTRY_NONE */
    uint32_t              items, filled;
    uint32_t              rules[RULE_COUNT];
    enum rule             rule;          /* by which the consent was the basis */
    const struct consent *consent;       /* the first that 2.32 wants a notice for */
    const struct emergency *emergency;   /* the first that is on file */
    struct paper_list     papers;
    bool                  partial, accounted;
};

struct subjects {
    struct exchange   *ex;
    const struct plan *plan;
    bool               released;         /* of whom something leaves; else: is withheld or cut */
    uint32_t          *number;           /* of a patient of the Bundle: in the record, from 1; 0 */
    uint32_t           count;
    struct person    *of;
    const struct consent *looked_up;     /* and whose it is */
    uint32_t              whose;
};

/* A consent's patient, among those of the Bundle. */
static uint32_t
patient_of_consent(struct subjects *s, const struct consent *consent)
{
    struct exchange   *ex   = s->ex;
    const struct tape *tape = NULL;
    tape_node          node = consent_node(consent, &tape);

    if (consent == s->looked_up)
        return s->whose;
    s->looked_up = consent;
    s->whose     = 0;
    for (uint32_t i = 0; i < ex->bundle->count && tape == ex->tape && s->whose == 0; i++)
        if (ex->bundle->entries[i].resource == node)
            s->whose = ex->patient_of[i];
    for (uint32_t i = 0; i < ex->consents.patient_count && s->whose == 0; i++)
        if (span_eq(ex->patient_names[i], consent_patient(consent)))
            s->whose = i + 1;
    return s->whose;
}

/* Of a resource without a patient (a Medication) that left under somebody's
 * consent it is known whose disclosure it was; of others it is not, and they are
 * nobody's. */
static uint32_t
patient_of(struct subjects *s, uint32_t entry)
{
    const struct decision *d = &s->plan->decisions[entry];

    if (s->ex->patient_of[entry] != 0 || d->consent == NULL || !(d->obligations & OBLIGE_ACCOUNTING))
        return s->ex->patient_of[entry];
    return patient_of_consent(s, d->consent);
}

static bool
counts(const struct subjects *s, uint32_t entry)
{
    enum verdict verdict = s->plan->decisions[entry].verdict;

    return s->released ? leaves(verdict) : verdict != VERDICT_PERMIT;
}

static enum status
subjects_number(struct subjects *s)
{
    s->number = arena_make_n(s->ex->arena, s->ex->consents.patient_count + 1, uint32_t);
    if (s->number == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < s->plan->bundle->count; i++) {
        uint32_t patient = counts(s, i) ? patient_of(s, i) : 0;
        if (patient != 0 && s->number[patient] == 0)
            s->number[patient] = ++s->count;
    }
    s->of = arena_make_n(s->ex->arena, (size_t)s->count + 1, struct person);
    if (s->of == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i <= s->count; i++)
        s->of[i].entry = ENTRY_NONE;
    return ST_OK;
}

/* Room for what is on file is made for those alone of whom something rests on it. */
static bool
subject_papers(struct subjects *s, struct person *one, const struct decision *d)
{
    if (!span_empty(decision_paper(d, NULL)) && one->papers.rows == NULL) {
        one->papers.rows = arena_make_n(s->ex->arena, RECORD_PAPERS, struct record_paper);
        one->papers.room = one->papers.rows != NULL ? RECORD_PAPERS : 0;
    }
    return one->papers.rows != NULL;
}

static void
subject_count(struct subjects *s, uint32_t entry)
{
    const struct decision *d   = &s->plan->decisions[entry];
    struct person        *one = &s->of[s->number[patient_of(s, entry)]];

    if (one->entry == ENTRY_NONE && span_eq_text(s->plan->bundle->entries[entry].type, "Patient"))
        one->entry = entry;
    one->partial = one->partial || d->verdict != VERDICT_PERMIT;
    if (!counts(s, entry))
        return;
    one->items++;
    one->rules[d->rule]++;
    if (s->released && subject_papers(s, one, d))
        paper_add(&one->papers, d);
    if (one->emergency == NULL)
        one->emergency = d->emergency;
    one->accounted = one->accounted || (d->obligations & OBLIGE_ACCOUNTING) != 0;
    if (one->consent == NULL && (d->obligations & OBLIGE_NOTICE) != 0) {
        one->consent = d->consent;
        one->rule    = d->rule;
    }
}

static struct record_basis *
subject_bases(struct subjects *s, const struct person *one, size_t *count)
{
    size_t n = 0;

    for (int rule = 0; rule < RULE_COUNT; rule++)
        n += one->rules[rule] > 0;
    struct record_basis *bases = arena_make_n(s->ex->arena, n, struct record_basis);
    *count                     = bases != NULL ? n : 0;
    n                          = 0;
    for (int rule = 0; rule < RULE_COUNT && bases != NULL; rule++) {
        if (one->rules[rule] == 0)
            continue;
        bases[n]         = rule_basis((enum rule)rule);
        bases[n++].items = one->rules[rule];
    }
    part2_first(bases, *count);
    return bases;
}

/* Items sorted by whose they are, in the order of the Bundle for each; every
 * item gets the number. */
static enum status
subject_items(struct subjects *s, struct record_item *items, struct record_patient *patients)
{
    struct record_item *sorted = arena_make_n(s->ex->arena, s->plan->kept, struct record_item);
    uint32_t            at     = 0;
    size_t              item   = 0;

    if (sorted == NULL && s->plan->kept > 0)
        return ST_NO_MEMORY;
    for (uint32_t i = 1; i <= s->count; i++) {
        patients[i - 1].items      = sorted + at;
        patients[i - 1].item_count = s->of[i].items;
        s->of[i].filled            = at;
        at += s->of[i].items;
    }
    for (uint32_t i = 0; i < s->plan->bundle->count; i++) {
        if (!counts(s, i))
            continue;
        items[item].patient = s->number[patient_of(s, i)];
        if (items[item].patient > 0)
            sorted[s->of[items[item].patient].filled++] = items[item];
        item++;
    }
    return ST_OK;
}

static void
subject_describe(struct subjects *s, const struct outgoing *out, const struct person *one, struct record_patient *p)
{
    struct exchange *ex = s->ex;

    if (one->entry != ENTRY_NONE)
        p->name = patient_name(ex, one->entry);
    p->item_count = one->items;
    if (!s->released)
        return;
    p->bases               = subject_bases(s, one, &p->basis_count);
    p->decision            = span_of(release_outcome_text(one->partial ? RELEASE_PARTIAL : RELEASE_PERMIT));
    p->in_part2_accounting = one->accounted;
    p->papers              = one->papers.rows;
    p->paper_count         = one->papers.count;
    if (one->emergency != NULL)
        p->emergency = emergency_author(ex, one->emergency);
    if (one->consent != NULL)
        p->consent = consent_author(ex, out, one->consent, one->rules[RULE_TPO] > 0 ? RULE_TPO : one->rule, &p->explanation_sha256);
}

static enum status
describe_patients(struct exchange *ex, const struct outgoing *out, bool released, struct record_item *items,
                  struct disclosure *d)
{
    struct subjects s  = { .ex = ex, .plan = out->release->plan, .released = released };
    enum status     st = subjects_number(&s);

    if (st != ST_OK)
        return st;
    for (uint32_t i = 0; i < s.plan->bundle->count; i++)
        subject_count(&s, i);
    struct record_patient *patients = arena_make_n(ex->arena, (size_t)s.count + 1, struct record_patient);
    if (patients == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < ex->consents.patient_count; i++)
        if (s.number[i + 1] != 0)
            patients[s.number[i + 1] - 1].patient = ex->consents.patients[i];
    if (s.count > 0)
        d->patient = patients[0].patient;
    if (s.count <= 1) {
        if (s.of[s.count].entry != ENTRY_NONE && (s.count == 1 || ex->consents.patient_count == 1))
            d->patient_name = patient_name(ex, s.of[s.count].entry);
        if (released && s.count == 1 && s.of[1].emergency != NULL)
            d->emergency = emergency_author(ex, s.of[1].emergency);
        return arena_status(ex->arena);
    }
    for (uint32_t i = 1; i <= s.count; i++)
        subject_describe(&s, out, &s.of[i], &patients[i - 1]);
    if (released)
        st = subject_items(&s, items, patients);
    d->patients      = patients;
    d->patient_count = s.count;
    d->patient_name  = patients[0].name;
    return st == ST_OK ? arena_status(ex->arena) : st;
}
