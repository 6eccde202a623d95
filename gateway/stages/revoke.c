/* gateway/stages/revoke.c -- POST /fhir/Consent/{id}/$revoke: a revocation -> the next version of its Consent.
 *
 * The version (consent/revocation.h) goes on as an update by the source of the
 * Consent: its routes, its patient, its next version; who revoked stands in it.
 * So it is durable, counts from its commit on for everything that is decided or
 * decided again (decision 0014), and takes nothing back that has left.
 *
 *   1  Who may: the source that sent the Consent, or the duty `compliance` with
 *      the scope to update.  For anybody else it is not there.
 *   2  What was taken once is not validated again: a form is no reason to go on
 *      disclosing.
 *   3  When the Consent changes meanwhile, the revocation is made of the newer
 *      version; it is not lost to a race.
 *   4  Parameters: form (written, said), date (of receipt), who, reason;
 *      recipient, purpose, provision for a part.  Others are refused, with whatever else
 *      stands in the request and is not understood (a query, a second value, parts, an
 *      element of its own): what was passed over could be the part that was meant.
 *   5  If-Match is kept: another version than the one that is meant is 412, for who may
 *      revoke.  Without it a revocation is of what there is.
 */
#include "gateway/stages/stages.h"

#include "consent/purpose.h"
#include "consent/revocation.h"
#include "fhir/datatypes.h"
#include "fhir/outcome.h"
#include "gateway/auth/clients.h"
#include "gateway/http/query.h"

#define CLOCK_SKEW_MS (2 * 60 * 1000)
#define MOST_TEXT     2000u
#define ACT_REASON    "http://terminology.hl7.org/CodeSystem/v3-ActReason"
#define LAST_ZONE_MS  (12 * 60 * 60 * 1000)        /* a day ends last twelve hours west of Greenwich */

struct revoking {
    struct exchange      *exchange;
    struct revocation     what;
    struct store_versions versions;
    int64_t               version;
};

static enum step read_parameters(struct exchange *);
static enum step read_query(struct exchange *);
static bool      is_plain(const struct tape *, tape_node object, const char *const *members, size_t count);
static const char *part_wrong(const struct tape *, tape_node part, size_t which);
static enum step take(struct exchange *, const struct tape *, tape_node part, struct span name);
static enum step make_version(struct exchange *, const struct store_row *);
static enum step stands(struct exchange *, const struct store_row *);
static void      on_read(struct task *);

static bool
passes(const struct exchange *ex)
{
    return ex->intake != INTAKE_REVOKE && ex->revoking == NULL;
}

static enum step
enter(struct exchange *ex)
{
    if (ex->revoking == NULL) {          /* it may come back here from commit */
        ex->revoking = arena_make(ex->arena, struct revoking);
        if (ex->revoking == NULL)
            return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
        ex->revoking->exchange = ex;
        enum step step         = read_query(ex);
        if (step == STEP_NEXT)
            step = read_parameters(ex);
        if (step != STEP_NEXT)
            return step;
    }
    struct revoking *r = ex->revoking;
    r->versions        = (struct store_versions){
        .done.run = on_read, .home = ex->loop, .arena = ex->arena,
        .type = SPAN("Consent"), .id = ex->path_id, .max = 1,
    };
    store_list_versions(ex->gateway->store, &r->versions);
    return STEP_WAIT;
}

static void
on_read(struct task *task)
{
    struct revoking *r = (struct revoking *)(void *)((char *)task - offsetof(struct revoking, versions.done));

    pipeline_resume(r->exchange);
}

static bool
may_revoke(const struct exchange *ex, const struct store_row *row)
{
    return span_eq(row->client, ex->asker->title)
        || (client_has(ex->asker, DUTY_COMPLIANCE) && client_may(ex->asker, 'u', SPAN("Consent")));
}

static enum step
resume(struct exchange *ex)
{
    const struct store_versions *v   = &ex->revoking->versions;
    const struct store_row      *row = v->row_count > 0 ? &v->rows[0] : NULL;

    if (v->status != ST_OK && v->status != ST_NOT_FOUND)
        return exchange_fail(ex, ST_UNAVAILABLE, "the store could not be read");
    if (row == NULL || row->deleted || !may_revoke(ex, row))
        return disclose_nothing(ex, row != NULL ? row->patient : (struct span){ NULL, 0 }, row != NULL && !row->deleted);
    bool fits = true;
    if (!if_match_fits(ex, row->version, &fits))
        return exchange_refuse_one(ex, 400, ISSUE_VALUE, "If-Match",
                                   "the condition is not `*` or a list of versions like W/\"1\"", NULL);
    if (!fits)
        return exchange_refuse_one(ex, 412, ISSUE_CONFLICT, "If-Match", "the Consent is of another version; nothing is revoked",
                                   "read it again, or send no If-Match: what there is is revoked then");
    return make_version(ex, row);
}

const struct stage stage_revoke = { .name = "revoke", .passes = passes, .enter = enter, .resume = resume };

int64_t
revoking_version(const struct exchange *ex)
{
    return ex->revoking->version;
}

bool
revoking_in_writing(const struct exchange *ex)
{
    return ex->revoking != NULL && ex->revoking->what.form == REVOCATION_WRITTEN;
}

static bool
is_party(const struct revocation *r, struct span reference, const struct identifier *ids, size_t count)
{
    for (size_t i = 0; i < count && !span_empty(r->identifier.value); i++)
        if (span_eq(ids[i].value, r->identifier.value) && span_eq(ids[i].system, r->identifier.system))
            return true;
    return !span_empty(r->recipient) && span_eq(reference, r->recipient);
}

/* A refusal of somebody who does not resolve speaks against nobody (weigh.h K2), and to be
 * told that it is done would be wrong: whom it names has to be known here, or by the Consent. */
static bool
knows_recipient(const struct exchange *ex, const struct tape *t)
{
    const struct config     *c = ex->config;
    const struct revocation *r = &ex->revoking->what;

    if (span_empty(r->recipient) && span_empty(r->identifier.value))
        return true;
    for (size_t i = 0; i < c->known_actor_count; i++)
        if (is_party(r, c->known_actors[i].reference, c->known_actors[i].identifiers, c->known_actors[i].identifier_count))
            return true;
    for (size_t i = 0; i < c->recipient_count; i++)
        if (is_party(r, c->recipients[i].party.reference, c->recipients[i].party.identifiers,
                     c->recipients[i].party.identifier_count))
            return true;
    tape_node root = tape_member(t, TAPE_ROOT, SPAN("provision"));
    for (tape_node n = root; n != TAPE_ABSENT && n < tape_after(t, root); n++)
        if (tape_kind(t, n) == TAPE_OBJECT
            && ((!span_empty(r->recipient) && tape_text_eq(t, tape_member(t, n, SPAN("reference")), r->recipient))
                || (!span_empty(r->identifier.value) && tape_text_eq(t, tape_member(t, n, SPAN("value")), r->identifier.value)
                    && tape_text_eq(t, tape_member(t, n, SPAN("system")), r->identifier.system))))
            return true;
    return false;
}

static enum step
make_version(struct exchange *ex, const struct store_row *row)
{
    const struct config_client *source = client_by_title(ex->config, row->client);
    const struct tape          *tape;
    struct span                 next;

    if (tape_read(row->bytes, &tape_default_limits, ex->arena, &tape, NULL) != ST_OK)
        return exchange_fail(ex, ST_UNAVAILABLE, "a stored Consent could not be read");
    if (!knows_recipient(ex, tape))
        return exchange_refuse_one(ex, 422, ISSUE_VALUE, "revoke", "`recipient` is nobody whom the Consent or this gateway knows",
                                   "name it as the Consent does, or by its registered identifier or reference");
    switch (revoke(tape, &ex->revoking->what, ex->arena, &next)) {
    case REVOCATION_MADE:
        break;
    case REVOCATION_STANDS:
        return stands(ex, row);
    case REVOCATION_OF_NOTHING:
        return exchange_refuse_one(ex, 422, ISSUE_BUSINESS_RULE, "revoke", "this Consent permits nothing",
                                   "to lift a refusal PUT a newer version that the patient signed");
    case REVOCATION_NOT_FOUND:
        return exchange_refuse_one(ex, 422, ISSUE_VALUE, "revoke", "the Consent has no such provision that permits",
                                   "name it as provision, provision.provision[0] and so on");
    case REVOCATION_IMPOSSIBLE:
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    }
    if (source != NULL)
        ex->client = source;
    ex->revoking->version = row->version;
    ex->body              = next;
    ex->intake            = INTAKE_UPDATE;
    ex->prefer_return     = PREFER_NOTHING;      /* the answer would be a copy of it */
    ex->entries           = NULL;
    ex->places            = NULL;
    return STEP_NEXT;
}

/* W6: nothing is written, and nothing given but that it is so. */
static enum step
stands(struct exchange *ex, const struct store_row *row)
{
    if (outcome_print_one(SEVERITY_INFORMATION, ISSUE_INFORMATIONAL, SPAN("it was revoked before; nothing is changed"),
                          SPAN("Consent"), &ex->answer_body) != ST_OK)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    exchange_answer_json(ex, 200, buf_span(&ex->answer_body));
    response_add_location(ex, response_location_of(ex, row->type, row->id, row->version));
    return STEP_ANSWER;
}

/* ---- parameters ------------------------------------------------------------------- */

static enum step
bad(struct exchange *ex, const char *what)
{
    return exchange_refuse_one(ex, 400, ISSUE_VALUE, "revoke-parameters", what,
                               "form, date, who, reason; recipient, purpose, provision (docs/http.md)");
}

static enum step
read_query(struct exchange *ex)
{
    struct span rest = http_request_head(ex->request)->query, name, value;

    while (query_next(&rest, ex->arena, &name, &value))
        if (!span_eq_text(name, "_format") && !span_eq_text(name, "_pretty"))
            return query_refuse(ex, name, ISSUE_NOT_SUPPORTED, "$revoke takes its parameters in the body; nothing is revoked",
                                "send a Parameters resource (docs/http.md)");
    return STEP_NEXT;
}

/* Whether an object has these members at most. */
static bool
is_plain(const struct tape *t, tape_node object, const char *const *members, size_t count)
{
    uint32_t known = 0;

    for (size_t i = 0; i < count; i++)
        known += tape_member(t, object, span_of(members[i])) != TAPE_ABSENT;
    return tape_kind(t, object) == TAPE_OBJECT && known == tape_children(t, object);
}

static const char *const names[] = { "form", "date", "who", "reason", "recipient", "purpose", "provision" };
enum { NAMES = sizeof names / sizeof *names };

/* Which values a parameter may have; one of them, and nothing beside it. */
static const char *const values[NAMES][5] = {
    { "valueCode", "valueString" }, { "valueDateTime", "valueDate", "valueInstant", "valueString" },
    { "valueReference", "valueString" }, { "valueString", "valueCodeableConcept", "valueCode" },
    { "valueReference", "valueIdentifier" }, { "valueCode", "valueCoding", "valueString" }, { "valueString" },
};

static const char *
part_wrong(const struct tape *t, tape_node part, size_t which)
{
    static const char *const reference[]  = { "reference", "type", "identifier", "display" };
    static const char *const identifier[] = { "system", "value", "use", "type" };
    static const char *const coding[]     = { "system", "version", "code", "display" };
    uint32_t                 found = 0;
    tape_node                value = TAPE_ABSENT;

    for (size_t i = 0; i < 5 && values[which][i] != NULL; i++) {
        tape_node n = tape_member(t, part, span_of(values[which][i]));
        found      += n != TAPE_ABSENT;
        value       = n != TAPE_ABSENT ? n : value;
    }
    if (found == 0)
        return "a parameter has no value, or none of a type that it may have";
    if (found > 1)
        return "a parameter has two values";
    if (tape_children(t, part) != 2u + (tape_member(t, part, SPAN("id")) != TAPE_ABSENT))
        return "a parameter has something beside its name and its value";
    tape_node who = tape_member(t, part, SPAN("valueReference"));
    tape_node id  = who != TAPE_ABSENT ? tape_member(t, who, SPAN("identifier")) : tape_member(t, part, SPAN("valueIdentifier"));
    if ((who != TAPE_ABSENT && !is_plain(t, who, reference, 4)) || (id != TAPE_ABSENT && !is_plain(t, id, identifier, 4)))
        return "a Reference or an Identifier has an element that is not understood here";
    tape_node code = tape_member(t, part, SPAN("valueCoding"));
    if (code != TAPE_ABSENT && (!is_plain(t, code, coding, 4)
                                || (tape_member(t, code, SPAN("system")) != TAPE_ABSENT
                                    && !tape_text_eq(t, tape_member(t, code, SPAN("system")), SPAN(ACT_REASON)))))
        return "`purpose` is no Coding of v3-ActReason";
    return NULL;
}

static enum step
read_parameters(struct exchange *ex)
{
    static const char *const root[] = { "resourceType", "id", "meta", "parameter" };

    struct tape_limits limits = tape_default_limits;
    struct tape_error  error;
    const struct tape *t;

    limits.max_bytes = 65536;
    enum status st   = tape_read(ex->body, &limits, ex->arena, &t, &error);
    if (st == ST_NO_MEMORY)
        return exchange_fail(ex, st, status_text(st));
    if (st != ST_OK) {
        outcome_add_refusal(ex->issues, &error);
        return exchange_refuse(ex, st == ST_TOO_LARGE ? 413 : 400);
    }
    if (!tape_text_eq(t, tape_member(t, TAPE_ROOT, SPAN("resourceType")), SPAN("Parameters")))
        return bad(ex, "the body is no Parameters resource");
    if (!is_plain(t, TAPE_ROOT, root, sizeof root / sizeof *root))
        return bad(ex, "Parameters has an element beside `parameter`");
    ex->revoking->what = (struct revocation){ .received_ms = ex->at_ms, .received_last_ms = ex->at_ms,
                                              .recorded_ms = ex->at_ms,
                                              .form = REVOCATION_WRITTEN, .recorded_by = ex->asker->title };
    uint32_t  seen = 0;
    tape_node list = tape_member(t, TAPE_ROOT, SPAN("parameter"));
    if (list != TAPE_ABSENT && tape_kind(t, list) != TAPE_ARRAY)
        return bad(ex, "`parameter` is no list");
    for (tape_node part = tape_first(t, list); part != TAPE_ABSENT; part = tape_next(t, part)) {
        struct span name = tape_member_text(t, part, SPAN("name"), ex->arena);
        size_t      at   = 0;
        while (at < NAMES && !span_eq_text(name, names[at]))
            at++;
        if (at == NAMES || (seen & 1u << at) != 0)
            return bad(ex, "a parameter is not one of $revoke, or there twice");
        seen |= 1u << at;
        const char *wrong = part_wrong(t, part, at);
        if (wrong != NULL)
            return bad(ex, wrong);
        enum step step = take(ex, t, part, name);
        if (step != STEP_NEXT)
            return step;
    }
    return STEP_NEXT;
}

static struct span
value_of(struct exchange *ex, const struct tape *t, tape_node part, const char *const *types, size_t count)
{
    struct span value = { NULL, 0 };

    for (size_t i = 0; i < count && span_empty(value); i++)
        value = tape_member_text(t, part, span_of(types[i]), ex->arena);
    return value;
}

static enum step
take_date(struct exchange *ex, struct span value)
{
    struct time_range range;

    if (!time_range_read(value, &range))
        return bad(ex, "`date` is no dateTime");
    if (range.first_ms > ex->at_ms + CLOCK_SKEW_MS)
        return exchange_refuse_one(ex, 422, ISSUE_BUSINESS_RULE, "revoke-parameters",
                                   "`date`, the moment of receipt, is in the future", NULL);
    ex->revoking->what.received_ms = range.first_ms < ex->at_ms ? range.first_ms : ex->at_ms;
    if (range.last_ms - range.first_ms > 60 * 1000)
        range.last_ms += LAST_ZONE_MS;
    ex->revoking->what.received_last_ms = range.last_ms < ex->at_ms ? range.last_ms : ex->at_ms;
    return STEP_NEXT;
}

/* A Reference, or an identifier of somebody whom the Consent names so. */
static enum step
take_recipient(struct exchange *ex, const struct tape *t, tape_node part)
{
    struct revocation *r    = &ex->revoking->what;
    tape_node          node = tape_member(t, part, SPAN("valueReference"));
    tape_node          id   = tape_member(t, part, SPAN("valueIdentifier"));

    if (node != TAPE_ABSENT)
        id = tape_member(t, node, SPAN("identifier"));
    r->recipient         = tape_member_text(t, node, SPAN("reference"), ex->arena);
    r->identifier.system = tape_member_text(t, id, SPAN("system"), ex->arena);
    r->identifier.value  = tape_member_text(t, id, SPAN("value"), ex->arena);
    return span_empty(r->recipient) && span_empty(r->identifier.value) ? bad(ex, "`recipient` names nobody") : STEP_NEXT;
}

static enum step
take(struct exchange *ex, const struct tape *t, tape_node part, struct span name)
{
    static const char *const texts[] = { "valueString", "valueCode", "valueDateTime", "valueInstant", "valueDate" };
    struct revocation       *r       = &ex->revoking->what;
    struct span              value   = value_of(ex, t, part, texts, sizeof texts / sizeof *texts);

    if (span_eq_text(name, "recipient"))
        return take_recipient(ex, t, part);
    if (span_eq_text(name, "purpose") && span_empty(value))
        value = tape_member_text(t, tape_member(t, part, SPAN("valueCoding")), SPAN("code"), ex->arena);
    if (span_eq_text(name, "reason") && span_empty(value))
        value = tape_member_text(t, tape_member(t, part, SPAN("valueCodeableConcept")), SPAN("text"), ex->arena);
    if (span_eq_text(name, "who") && span_empty(value))
        value = tape_member_text(t, tape_member(t, part, SPAN("valueReference")), SPAN("reference"), ex->arena);
    if (span_empty(value) || value.length > MOST_TEXT)
        return bad(ex, "a parameter has no value, or one that is too long");
    if (span_eq_text(name, "date"))
        return take_date(ex, value);
    if (span_eq_text(name, "who"))
        r->who = value;
    else if (span_eq_text(name, "reason"))
        r->reason = value;
    else if (span_eq_text(name, "purpose") && purpose_of(value) == PURPOSE_NONE)
        return exchange_refuse_one(ex, 422, ISSUE_VALUE, "revoke-parameters", "`purpose` is no code of v3-ActReason", NULL);
    else if (span_eq_text(name, "purpose"))
        r->purpose = value;
    else if (span_eq_text(name, "provision"))
        r->provision = value;
    else if (span_eq_text(value, "said") || span_eq_text(value, "oral"))
        r->form = REVOCATION_SAID;
    else if (!span_eq_text(value, "written"))
        return bad(ex, "`form` is neither written nor said");
    return STEP_NEXT;
}
