/* gateway/stages/consult.c -- a decision for others to carry out: the card of a consult (stages/consulting.h).
 *
 * The decision is the engine's own.  It decides on records, and a consult names
 * none, so it is asked about samples: a record without a label, one with each
 * label that a rule can be about, one of each class that is asked for or that a
 * consent names.  What it permits of these, by a consent, is the answer.
 */
#include "gateway/stages/consulting.h"
#include "gateway/stages/stages.h"

#include "base/json_author.h"
#include "consent/obligation.h"
#include "consent/precedent.h"
#include "consent/provision.h"
#include "fhir/lookup.h"
#include "fhir/outcome.h"
#include "fhir/reference.h"
#include "gateway/auth/clients.h"
#include "gateway/ledger/record.h"

#define NOBODY        "Patient/nobody"   /* of whom nothing is known */
#define RESOURCE_TYPE "http://hl7.org/fhir/resource-types"
#define ACT_CODE      "http://terminology.hl7.org/CodeSystem/v3-ActCode"
#define MOST_CLASSES  64u
#define MOST_SAMPLES  (1u + LABEL_COUNT + MOST_CLASSES)

struct sample { enum label label; struct span type; };   /* neither: a record without a label */

struct card {
    struct sample samples[MOST_SAMPLES];
    size_t        count;
    const struct decision *decisions;    /* NULL: none of it may be spoken of */
};

static void on_match(struct task *);
static void on_consents(struct task *);
static enum step resolve(struct exchange *);
static bool sample_all(struct exchange *, struct card *);
static enum step decide_samples(struct exchange *, struct card *);
static enum step answer(struct exchange *, const struct card *);

/* ---- who: the patient ---------------------------------------------------------------- */

static bool
passes(const struct exchange *ex)
{
    return ex->intake != INTAKE_CONSULT && ex->intake != INTAKE_SERVICES;
}

static enum step
answer_json(struct exchange *ex, struct author *author)
{
    enum status st = author_print(author, &ex->answer_body, AUTHOR_COMPACT);

    author_free(&author);
    if (st != ST_OK || arena_spent(ex->arena))
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    exchange_answer_json(ex, 200, buf_span(&ex->answer_body));
    ex->answer.content_type = SPAN("application/json; charset=utf-8");
    return STEP_NEXT;
}

/* CDS Hooks 2.0 "Discovery": the same for everybody. */
static enum step
answer_services(struct exchange *ex)
{
    struct author *author = author_new();

    if (author == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    author_value service = author_add_object(author_add_array(author_object(author), "services"), NULL);
    author_add_cstr(service, "hook", CONSULT_SERVICE);
    author_add_cstr(service, "id", CONSULT_SERVICE);
    author_add_cstr(service, "title", "Patient consent consult");
    author_add_cstr(service, "description",
                    "Whether the patient's consents permit that an actor gets records for a purpose");
    enum step step = answer_json(ex, author);
    return step == STEP_NEXT ? STEP_ANSWER : step;
}

static enum step
read_request(struct exchange *ex)
{
    struct tape_limits limits = tape_default_limits;
    struct tape_error  error;
    const struct tape *t;
    const char        *why;

    limits.max_bytes = CONSULT_BYTES;
    enum status st   = tape_read(ex->body, &limits, ex->arena, &t, &error);
    if (st == ST_NO_MEMORY)
        return exchange_fail(ex, st, status_text(st));
    if (st != ST_OK) {
        outcome_add_refusal(ex->issues, &error);
        return exchange_refuse(ex, st == ST_TOO_LARGE ? 413 : 400);
    }
    if (!consulting_read(t, ex->arena, ex->consulting, &why))
        return exchange_refuse_one(ex, 400, ISSUE_VALUE, "consult", why, "docs/http.md, \"Decisions for others\"");
    if (ex->consulting->content)
        return exchange_refuse_one(ex, 422, ISSUE_NOT_SUPPORTED, "consult", "content is not redacted here",
                                   "ask without content and carry out the card, or push the Bundle");
    return STEP_NEXT;
}

static enum step
enter(struct exchange *ex)
{
    if (ex->intake == INTAKE_SERVICES)
        return answer_services(ex);
    ex->consulting = arena_make(ex->arena, struct consulting);
    if (ex->consulting == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    ex->consulting->exchange = ex;
    enum step step           = pace_keep(ex);
    if (step == STEP_NEXT)
        step = read_request(ex);
    if (step == STEP_NEXT)
        step = consulting_who(ex);
    return step == STEP_NEXT ? resolve(ex) : step;
}

/* By identifier, whoever sent the Patient; without a system it is an id of ours. */
static enum step
resolve(struct exchange *ex)
{
    struct consulting       *c    = ex->consulting;
    struct store_condition **list = arena_make_n(ex->arena, c->patient_count, struct store_condition *);

    c->conditions = arena_make_n(ex->arena, c->patient_count, struct store_condition);
    if (c->conditions == NULL || list == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    for (size_t i = 0; i < c->patient_count; i++) {
        struct span base, type, id = c->patients[i].value;
        bool        ours = span_empty(c->patients[i].system);
        bool        version = ours && span_find(id, SPAN("/_history")) != SPAN_NOT_FOUND;
        if (ours && reference_split(id, &base, &type, &id)
            && (!span_eq_text(type, "Patient") || !base_is_ours(ex, base)))
            c->astray = true;            /* somebody of another server: nobody here */
        c->astray = c->astray || version;
        list[i]          = &c->conditions[i];
        c->conditions[i] = (struct store_condition){ .type = SPAN("Patient"), .system = c->patients[i].system,
                                                     .value = c->patients[i].value };
        if (ours)
            c->conditions[i].id = fhir_path(SPAN("Patient"), id) ? id : SPAN("-");
    }
    c->match = (struct store_match){
        .done.run = on_match, .home = ex->loop, .arena = ex->arena, .client = ex->asker->title, .anybody = true,
        .conditions = list, .count = c->patient_count,
    };
    store_find_matches(ex->gateway->store, &c->match);
    return STEP_WAIT;
}

static void
on_match(struct task *task)
{
    struct consulting *c = (struct consulting *)(void *)((char *)task - offsetof(struct consulting, match.done));

    pipeline_resume(c->exchange);
}

/* Q4 */
static enum step
resume_who(struct exchange *ex)
{
    struct consulting *c = ex->consulting;

    if (c->match.status != ST_OK && c->match.status != ST_TOO_LARGE)
        return exchange_fail(ex, ST_UNAVAILABLE, "the store could not be read");
    c->patient  = SPAN(NOBODY);
    c->astray   = c->astray || c->match.status == ST_TOO_LARGE || c->other_category;
    struct span id = { NULL, 0 };
    for (size_t i = 0; i < c->patient_count; i++) {
        const struct store_condition *one = &c->conditions[i];
        if (one->matches > 1 || (one->matches == 1 && !span_empty(id) && !span_eq(id, one->found_id)))
            c->astray = true;
        if (one->matches == 1)
            id = one->found_id;
    }
    if (span_empty(id) || c->astray)
        return STEP_NEXT;
    c->patient = arena_join(ex->arena, SPAN("Patient/"), id);
    c->found   = true;
    return STEP_NEXT;
}

const struct stage stage_who = { .name = "who", .passes = passes, .enter = enter, .resume = resume_who };

/* ---- consult: their consents ---------------------------------------------------------- */

static bool
no_consult(const struct exchange *ex)
{
    return ex->intake != INTAKE_CONSULT;
}

static enum step
enter_consult(struct exchange *ex)
{
    ex->consents = (struct store_consents){
        .done.run = on_consents, .home = ex->loop, .arena = ex->arena,
        .patients = &ex->consulting->patient, .patient_count = 1, .with_links = true,
    };
    store_load_consents(ex->gateway->store, &ex->consents);
    return STEP_WAIT;
}

static void
on_consents(struct task *task)
{
    pipeline_resume((struct exchange *)(void *)((char *)task - offsetof(struct exchange, consents.done)));
}

static enum step
resume_consult(struct exchange *ex)
{
    struct card card = { .count = 0 };

    if (ex->consents.status != ST_OK)
        return exchange_fail(ex, ST_UNAVAILABLE, "the patient's consents could not be read");
    enum step step = decide_samples(ex, &card);
    return step == STEP_NEXT ? answer(ex, &card) : step;
}

const struct stage stage_consult = { .name = "consult", .passes = no_consult, .enter = enter_consult,
                                     .resume = resume_consult };

/* ---- samples ------------------------------------------------------------------------------ */

static void
add_class(struct card *card, struct span type)
{
    for (size_t i = 0; i < card->count; i++)
        if (span_eq(card->samples[i].type, type))
            return;
    if (card->count < MOST_SAMPLES)
        card->samples[card->count++] = (struct sample){ .type = type };
}

/* Q6: a criterion on data that no sample can show, in a provision that may deny. */
static bool
beyond_samples(struct card *card, const struct provision *p)
{
    const struct criteria *c = &p->criteria;
    bool denies = p->type != PROVISION_PERMIT || p->ambiguous;

    for (size_t i = 0; i < c->class_count; i++) {
        bool type = span_eq_text(c->classes[i].system, RESOURCE_TYPE) && fhir_path(c->classes[i].code, SPAN("x"));
        if (type)
            add_class(card, c->classes[i].code);
        else if (denies)
            return true;
    }
    return denies && ((c->stated & (DIMENSION_CODE | DIMENSION_DATA_PERIOD | DIMENSION_DATA | DIMENSION_STRANGE)) != 0
                      || c->unreadable != 0 || c->foreign_label_count > 0);
}

/* False: what the consents say cannot be told of samples. */
static bool
sample_all(struct exchange *ex, struct card *card)
{
    const struct policy *policy = NULL;

    card->samples[card->count++] = (struct sample){ .label = LABEL_NONE };
    for (int label = LABEL_NONE + 1; label < LABEL_COUNT; label++)
        if (label_kind((enum label)label) == LABEL_SENSITIVITY || label_kind((enum label)label) == LABEL_LAW
            || label == LABEL_R || label == LABEL_V)
            card->samples[card->count++] = (struct sample){ .label = (enum label)label };
    for (size_t i = 0; i < ex->consulting->class_count; i++)
        add_class(card, ex->consulting->classes[i]);
    size_t                 count = ex->facts.consent_count;
    struct consent_source *all   = arena_make_n(ex->arena, count + ex->facts.precedent_count + 1, struct consent_source);
    if (all == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        all[i] = ex->facts.consents[i];
    if (precedents_apply(&ex->facts, NULL, all, &count, ex->arena) != ST_OK
        || policy_compile(all, count, ex->arena, &policy) != ST_OK)
        return false;
    for (size_t i = 0; i < policy->consent_count; i++)
        for (uint32_t p = 0; p < policy->consents[i].provision_count; p++)
            if (beyond_samples(card, &policy->consents[i].provisions[p]))
                return false;
    for (size_t i = 0; i < ex->facts.restriction_count; i++)
        if (ex->facts.restrictions[i].item_count > 0)
            return false;
    return card->count < MOST_SAMPLES;
}

/* As records of their patient; R4 Basic is of no class that a consent speaks of by chance. */
static bool
author_samples(struct exchange *ex, const struct card *card)
{
    struct author *author = author_new();
    struct buf     text;

    if (author == NULL)
        return false;
    buf_init(&text, (size_t)1 << 20);
    author_value root = author_object(author);
    author_add_cstr(root, "resourceType", "Bundle");
    author_add_cstr(root, "type", "collection");
    author_value entries = author_add_array(root, "entry");
    for (size_t i = 0; i < card->count; i++) {
        const struct sample *s = &card->samples[i];
        author_value resource  = author_add_object(author_add_object(entries, NULL), "resource");
        author_add_text(resource, "resourceType", span_empty(s->type) ? SPAN("Basic") : s->type);
        author_add_text(resource, "id", arena_format(ex->arena, "sample-%zu", i));
        if (s->label != LABEL_NONE) {
            author_value security = author_add_object(author_add_array(author_add_object(resource, "meta"), "security"), NULL);
            author_add_cstr(security, "system", label_system(s->label));
            author_add_cstr(security, "code", label_code(s->label));
        }
        author_add_text(author_add_object(resource, "subject"), "reference", ex->consulting->patient);
        author_add_text(author_add_object(resource, "patient"), "reference", ex->consulting->patient);
    }
    bool good = author_print(author, &text, AUTHOR_COMPACT) == ST_OK;
    ex->body  = good ? arena_copy(ex->arena, buf_span(&text)) : (struct span){ NULL, 0 };
    author_free(&author);
    buf_release(&text);
    return !span_empty(ex->body);
}

static void
facts_of_consult(struct exchange *ex)
{
    const struct consulting *c = ex->consulting;

    facts_of_sender(ex);                 /* who would disclose is who asks for others */
    if (c->self) {
        ex->facts.sender              = SENDER_UNKNOWN;
        ex->facts.sender_organization = (struct span){ NULL, 0 };
        ex->facts.holder              = HOLDER_UNKNOWN;
    }
    ex->facts.labels       = LABELS_GIVEN;
    ex->facts.trust_labels = true;
    ex->facts.patient      = c->patient;
    ex->facts.actor        = c->actor;
    ex->facts.purposes     = c->purposes;
    ex->facts.purpose_count = c->purpose_count;
}

/* The samples take the place of a body, so that consents and papers are attached as to any. */
static enum step
decide_samples(struct exchange *ex, struct card *card)
{
    const struct release *release = NULL;

    facts_of_consult(ex);
    ex->patient_index = lookup_build(arena_make_n(ex->arena, 1, struct lookup_item), 0, ex->arena);
    if (!author_samples(ex, &(struct card){ .count = 1 }) || ex->patient_index == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    enum step step = parse_body(ex);
    if (step == STEP_NEXT)
        step = consents_attach(ex);
    if (step == STEP_NEXT)
        step = linked_attach(ex);
    if (step == STEP_NEXT)
        step = papers_attach(ex);
    if (step != STEP_NEXT || !sample_all(ex, card))
        return step;
    if (!author_samples(ex, card))
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    step = parse_body(ex);
    if (step != STEP_NEXT)
        return step;
    if (release_make(ex->bundle, ex->references, NULL, &ex->facts, ex->arena, &release) != ST_OK)
        return exchange_fail(ex, ST_UNAVAILABLE, "it could not be decided");
    if (release->outcome != RELEASE_HOLD || span_empty(release->leak))
        card->decisions = release->plan->decisions;
    return STEP_NEXT;
}

/* ---- the card ----------------------------------------------------------------------------- */

/* Q7 */
static bool
permitted(const struct card *card, size_t i)
{
    const struct decision *d = &card->decisions[i];

    return d->verdict == VERDICT_PERMIT && d->consent != NULL && d->limit == LIMIT_NONE;
}

static bool
asked_class(const struct consulting *c, struct span type)
{
    for (size_t i = 0; i < c->class_count; i++)
        if (span_eq(c->classes[i], type))
            return true;
    return false;
}

/* The sample that the decision is about: the first that is permitted; -1: none. */
static int
base_of(const struct exchange *ex, const struct card *card, bool *only)
{
    const struct consulting *c = ex->consulting;

    *only = false;
    if (card->decisions == NULL || c->astray)
        return -1;
    for (size_t i = 0; i < card->count; i++) {
        bool wanted = c->class_count > 0 ? asked_class(c, card->samples[i].type) : i == 0;
        if (wanted && permitted(card, i))
            return (int)i;
    }
    *only = true;                        /* only what has a label: exceptAnyOfCodes */
    for (size_t i = 0; i < card->count && c->class_count == 0; i++)
        if (card->samples[i].label != LABEL_NONE && permitted(card, i))
            return (int)i;
    return -1;
}

static void
add_code(author_value codes, const struct sample *s)
{
    author_value code = author_add_object(codes, NULL);

    author_add_cstr(code, "system", s->label != LABEL_NONE ? label_system(s->label) : RESOURCE_TYPE);
    author_add_text(code, "code", s->label != LABEL_NONE ? span_of(label_code(s->label)) : s->type);
}

/* Q6 */
static void
author_obligations(author_value extension, const struct card *card, bool only)
{
    author_value list  = author_add_array(extension, "obligations");
    size_t       count = 0;

    for (size_t i = 1; i < card->count; i++)
        count += permitted(card, i) == only && (!only || card->samples[i].label != LABEL_NONE);
    if (count == 0)
        return;
    author_value obligation = author_add_object(list, NULL);
    author_value id         = author_add_object(obligation, "id");
    author_add_cstr(id, "system", ACT_CODE);
    author_add_cstr(id, "code", "REDACT");
    author_value codes = author_add_array(author_add_object(obligation, "parameters"), only ? "exceptAnyOfCodes" : "codes");
    for (size_t i = 1; i < card->count; i++)
        if (permitted(card, i) == only && (!only || card->samples[i].label != LABEL_NONE))
            add_code(codes, &card->samples[i]);
}

/* Q5 */
static void
author_reason(struct exchange *ex, author_value extension, const struct card *card, int base)
{
    if (!client_has(ex->asker, DUTY_COMPLIANCE))
        return;
    const struct decision *d = card->decisions != NULL ? &card->decisions[base >= 0 ? base : 0] : NULL;
    author_add_text(extension, "patient", ex->consulting->found ? ex->consulting->patient : SPAN("unknown"));
    author_add_integer(extension, "consents", (int64_t)ex->consents.row_count);
    author_add_text(extension, "because", d != NULL ? d->because : SPAN("it cannot be told without the record"));
    if (d != NULL && d->consent != NULL)
        author_add_text(extension, "basedOn", consent_reference(d->consent));
}

static enum step
author_card(struct exchange *ex, const struct card *card, int base, bool only)
{
    struct author *author = author_new();
    const char    *word   = base >= 0 ? "CONSENT_PERMIT" : "CONSENT_DENY";

    if (author == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    author_value one = author_add_object(author_add_array(author_object(author), "cards"), NULL);
    author_add_cstr(one, "summary", word);
    author_add_cstr(one, "detail", base >= 0 ? "A consent of the patient permits this, but for what the obligations name."
                                             : "No consent permits this that may be spoken of here.");
    author_add_cstr(one, "indicator", base >= 0 ? "info" : "critical");
    author_value source = author_add_object(one, "source");
    author_add_cstr(source, "label", "Sluice");
    author_add_text(source, "url", arena_join(ex->arena, SPAN("https://"),
                                              http_request_header(ex->request, SPAN("Host")), SPAN("/cds-services")));
    author_value extension = author_add_object(one, "extension");
    author_add_cstr(extension, "decision", word);
    if (base >= 0) {
        author_obligations(extension, card, only);
        author_add_cstr(extension, "notice", obligation_notice_short);
    } else {
        (void)author_add_array(extension, "obligations");
    }
    author_reason(ex, extension, card, base);
    return answer_json(ex, author);
}

/* What it is listed under: a Part 2 basis, where it says that such records may go. */
static const struct decision *
most_protected(const struct card *card, int base)
{
    for (size_t i = 0; i < card->count; i++)
        if (card->samples[i].label == LABEL_PART2 && permitted(card, i))
            return &card->decisions[i];
    return &card->decisions[base];
}

static enum step
answer(struct exchange *ex, const struct card *card)
{
    struct consulting *c = ex->consulting;
    bool               only;
    int                base = base_of(ex, card, &only);
    enum step          step = author_card(ex, card, base, only);

    if (step != STEP_NEXT)
        return step;
    struct giving         *g = arena_make(ex->arena, struct giving);
    struct record_consent *r = arena_make(ex->arena, struct record_consent);
    if (g == NULL || r == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    *g = (struct giving){
        .patient = c->found ? c->patient : (struct span){ NULL, 0 }, .denied = base < 0, .channel = SPAN("CDS Hooks consult"),
        .brief = SPAN("a decision on consent, and no record"), .name = c->self ? (struct span){ NULL, 0 } : c->actor_name,
        .reference = c->actor.reference, .purposes = c->purposes, .purpose_count = c->purpose_count,
        .rule = SPAN("not-permitted"), .citation = SPAN("42 CFR 2.13(c)(2)"),
        .words = SPAN("no consent permits it that may be spoken of"),
    };
    if (base >= 0) {
        const struct decision *d = most_protected(card, base);
        g->accounted = (d->obligations & OBLIGE_ACCOUNTING) != 0;
        g->rule     = span_of(rule_number(d->rule));
        g->citation = span_of(rule_citation(d->rule));
        g->words    = span_of(rule_words(d->rule));
        r->id       = consent_reference(d->consent);
        g->consent  = r;
    }
    ex->giving = g;
    return STEP_NEXT;
}
