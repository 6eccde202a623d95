/* gateway/ledger/audit_event.c -- a disclosure, or a reading of the log, as a FHIR AuditEvent. */
#include "gateway/ledger/audit_event.h"

#include <arpa/inet.h>

#include "base/json_author.h"
#include "fhir/reference.h"
#include "gateway/ledger/checkpoint.h"
#include "gateway/ledger/record.h"

#define DCM            "http://dicom.nema.org/resources/ontology/DCM"
#define SNOMED_CT      "http://snomed.info/sct"
#define LIFECYCLE      "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
#define INTERACTION    "http://hl7.org/fhir/restful-interaction"
#define ACT_REASON     "http://terminology.hl7.org/CodeSystem/v3-ActReason"
#define ENTITY_TYPE    "http://terminology.hl7.org/CodeSystem/audit-entity-type"
#define OBJECT_ROLE    "http://terminology.hl7.org/CodeSystem/object-role"
#define RESOURCE_TYPES "http://hl7.org/fhir/resource-types"
#define SOURCE_TYPE    "http://terminology.hl7.org/CodeSystem/security-source-type"
#define EVENT_TYPE     "http://terminology.hl7.org/CodeSystem/audit-event-type"
#define ROLE_TYPE      "http://terminology.hl7.org/CodeSystem/extra-security-role-type"
#define BALP_AUTHZ     "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"
#define BALP_ENTITY    "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"

/* network-type, R4 valueset-network-type.html */
#define NETWORK_NAME "1"
#define NETWORK_IP   "2"
#define NETWORK_URI  "5"

struct event {
    const struct tape *t;
    struct arena      *arena;
    author_value       root;
};

static struct span
text_of(const struct event *e, tape_node object, const char *name)
{
    return tape_member_text(e->t, object, span_of(name), e->arena);
}

static struct span
own(const struct event *e, const char *name)
{
    return text_of(e, TAPE_ROOT, name);
}

static void
add_if(author_value to, const char *name, struct span text)
{
    if (!span_empty(text))
        author_add_text(to, name, text);
}

static void
add_coding(author_value coding, const char *system, const char *code, const char *display)
{
    author_add_cstr(coding, "system", system);
    author_add_cstr(coding, "code", code);
    author_add_cstr(coding, "display", display);
}

static void
add_concept(author_value parent, const char *name, const char *system, const char *code, const char *display)
{
    author_value concept = author_add_object(parent, name);

    add_coding(author_add_object(author_add_array(concept, "coding"), NULL), system, code, display);
}

static void
add_reference(author_value parent, struct span reference)
{
    author_add_text(author_add_object(parent, "what"), "reference", reference);
}

/* Who is known by an identifier alone stands in the record as a search, Patient?identifier=system|value
 * (decision 0040): out of a transaction that is no reference. */
static void
add_patient_name(author_value parent, const char *name, struct span patient)
{
    author_value reference = author_add_object(parent, name);

    if (!span_starts(patient, SPAN(REFERENCE_PATIENT_NAME))) {
        author_add_text(reference, "reference", patient);
    } else {
        struct span  value      = span_skip(patient, sizeof REFERENCE_PATIENT_NAME - 1);
        struct span  system     = span_split(&value, '|');
        author_value identifier = author_add_object(reference, "identifier");
        add_if(identifier, "system", system);
        add_if(identifier, "value", value);
    }
    author_add_cstr(reference, "type", "Patient");
}

/* ---- agents -------------------------------------------------------------------------------- */

static author_value
agent_begin(author_value agents, const char *system, const char *code, const char *display, bool requestor)
{
    author_value agent = author_add_object(agents, NULL);

    add_concept(agent, "type", system, code, display);
    author_add_bool(agent, "requestor", requestor);
    return agent;
}

static void
add_network(author_value agent, struct span address, const char *type)
{
    author_value network = author_add_object(agent, "network");

    author_add_text(network, "address", address);
    author_add_cstr(network, "type", type);
}

/* The same in agent.who and source.observer (BALP val-audit-source compares them). */
static void
add_gateway(const struct event *e, const struct audit_source *source, author_value parent, const char *name)
{
    author_value who = author_add_object(parent, name);

    author_add_text(author_add_object(who, "identifier"), "value", source->origin);
    add_if(who, "display", text_of(e, tape_member(e->t, TAPE_ROOT, SPAN("discloser")), "system"));
}

static bool
is_address(struct arena *arena, struct span text)
{
    unsigned char room[sizeof(struct in6_addr)];
    struct span   copy = arena_join(arena, text, SPAN("\0"));

    return !span_empty(copy) && (inet_pton(AF_INET, copy.at, room) == 1 || inet_pton(AF_INET6, copy.at, room) == 1);
}

static void
add_recipient(const struct event *e, author_value agents, const char *code, const char *display, bool asked)
{
    tape_node    recipient = tape_member(e->t, TAPE_ROOT, SPAN("recipient"));
    tape_node    first     = tape_first(e->t, tape_member(e->t, recipient, SPAN("identifier")));
    struct span  endpoint  = text_of(e, recipient, "endpoint"), name = text_of(e, recipient, "name");
    author_value agent     = agent_begin(agents, DCM, code, display, asked);
    author_value who       = author_add_object(agent, "who");

    add_if(who, "reference", text_of(e, recipient, "reference"));
    if (first != TAPE_ABSENT) {
        struct span  value      = tape_text(e->t, first, e->arena);
        struct span  system     = span_find_byte(value, '|') == SPAN_NOT_FOUND ? SPAN("") : span_split(&value, '|');
        author_value identifier = author_add_object(who, "identifier");
        add_if(identifier, "system", system);
        add_if(identifier, "value", value);
    }
    author_add_text(who, "display", name);
    author_add_text(agent, "name", name);
    add_network(agent, span_empty(endpoint) ? name : endpoint, span_empty(endpoint) ? NETWORK_NAME : NETWORK_URI);
}

#define SOURCE_ROLE      "110153", "Source Role ID"
#define DESTINATION_ROLE "110152", "Destination Role ID"

static void
add_own_agent(const struct event *e, const struct audit_source *source, author_value agents, const char *code,
              const char *display, bool asked)
{
    author_value agent = agent_begin(agents, DCM, code, display, asked);

    add_gateway(e, source, agent, "who");
    add_network(agent, source->address, is_address(e->arena, source->address) ? NETWORK_IP : NETWORK_NAME);
}

static void
add_agents(const struct event *e, const struct audit_source *source)
{
    bool         pushed    = span_eq_text(own(e, "channel"), "FHIR push");
    struct span  discloser = text_of(e, tape_member(e->t, TAPE_ROOT, SPAN("discloser")), "name");
    author_value agents    = author_add_array(e->root, "agent");

    add_own_agent(e, source, agents, SOURCE_ROLE, pushed);
    add_recipient(e, agents, DESTINATION_ROLE, !pushed);
    if (!span_empty(discloser)) {
        author_value agent = agent_begin(agents, SNOMED_CT, "159541003", "Record keeping/library clerk", false);
        author_add_text(author_add_object(agent, "who"), "display", discloser);
    }
    if (!span_empty(own(e, "consentId"))) {
        author_value agent = agent_begin(agents, SNOMED_CT, "429577009", "Patient Advocate", false);
        add_patient_name(agent, "who", own(e, "patientId"));
    }
}

/* ---- entities -------------------------------------------------------------------------------- */

static author_value
entity_begin(author_value entities, const char *system, struct span code, const char *role, const char *words)
{
    author_value entity = author_add_object(entities, NULL);
    author_value type   = author_add_object(entity, "type");

    author_add_cstr(type, "system", system);
    author_add_text(type, "code", code);
    if (role != NULL)
        add_coding(author_add_object(entity, "role"), OBJECT_ROLE, role, words);
    return entity;
}

static void
add_patients(const struct event *e, author_value entities)
{
    tape_node    patients = tape_member(e->t, TAPE_ROOT, SPAN("patients"));
    struct span  patient  = own(e, "patientId");

    if (span_empty(patient))
        return;
    author_value entity = entity_begin(entities, ENTITY_TYPE, SPAN("1"), "1", "Patient");
    add_patient_name(entity, "what", patient);
    add_if(entity, "name", own(e, "patientNameAtTime"));
    for (tape_node p = tape_first(e->t, patients); p != TAPE_ABSENT; p = tape_next(e->t, p)) {
        if (tape_text_eq(e->t, tape_member(e->t, p, SPAN("patientId")), patient))
            continue;
        entity = entity_begin(entities, RESOURCE_TYPES, SPAN("Patient"), "1", "Patient");
        add_patient_name(entity, "what", text_of(e, p, "patientId"));
        add_if(entity, "name", text_of(e, p, "patientNameAtTime"));
    }
}

static void
add_items(const struct event *e, author_value entities)
{
    tape_node list = tape_member(e->t, TAPE_ROOT, SPAN("itemsReleased"));

    for (tape_node item = tape_first(e->t, list); item != TAPE_ABSENT; item = tape_next(e->t, item)) {
        struct span  type = text_of(e, item, "type"), id = text_of(e, item, "id");
        tape_node    version = tape_member(e->t, item, SPAN("version"));
        author_value entity  = entity_begin(entities, RESOURCE_TYPES, type, "4", "Domain Resource");
        struct span  what    = arena_join(e->arena, type, SPAN("/"), id);
        if (!span_empty(id) && version != TAPE_ABSENT)
            what = arena_join(e->arena, what, SPAN("/_history/"), tape_raw(e->t, version));
        if (span_empty(id))
            author_add_text(author_add_object(entity, "what"), "display", type);
        else
            add_reference(entity, what);
    }
}

static void
add_consent(const struct event *e, author_value entities, tape_node of)
{
    struct span id = text_of(e, of, "consentId"), version = text_of(e, of, "consentVersion");

    if (span_empty(id))
        return;
    if (!span_empty(version))
        id = arena_join(e->arena, id, SPAN("/_history/"), version);
    add_reference(entity_begin(entities, RESOURCE_TYPES, SPAN("Consent"), NULL, NULL), id);
}

/* The record's own is the first patient's. */
static void
add_consents(const struct event *e, author_value entities)
{
    tape_node patient = tape_first(e->t, tape_member(e->t, TAPE_ROOT, SPAN("patients")));
    tape_node other   = tape_first(e->t, tape_member(e->t, TAPE_ROOT, SPAN("otherConsents")));

    add_consent(e, entities, TAPE_ROOT);
    if (patient != TAPE_ABSENT)
        patient = tape_next(e->t, patient);
    for (; patient != TAPE_ABSENT; patient = tape_next(e->t, patient))
        add_consent(e, entities, patient);
    for (; other != TAPE_ABSENT; other = tape_next(e->t, other))
        add_consent(e, entities, other);
}

static void
add_detail(author_value details, const char *type, struct span value)
{
    if (span_empty(value))
        return;
    author_value detail = author_add_object(details, NULL);
    author_add_cstr(detail, "type", type);
    author_add_text(detail, "valueString", value);
}

/* The job that the event is of: its details. */
static author_value
job_begin(const struct event *e, author_value entities)
{
    author_value entity = entity_begin(entities, ENTITY_TYPE, SPAN("4"), "20", "Job");
    author_value what   = author_add_object(author_add_object(entity, "what"), "identifier");

    author_add_cstr(what, "system", "urn:ietf:rfc:3986");
    author_add_text(what, "value", arena_join(e->arena, SPAN("urn:uuid:"), own(e, "eventId")));
    add_if(entity, "description", own(e, "briefDescription"));
    return author_add_array(entity, "detail");
}

/* What 42 CFR 2.51(c) wants to be written down. */
static void
add_emergency(const struct event *e, author_value details)
{
    static const char *const names[]   = { "declaredBy", "medicalPersonnel", "affiliation", "disclosedBy", "nature", "whyConsentUnobtainable" };
    tape_node                emergency = tape_member(e->t, TAPE_ROOT, SPAN("emergency"));

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        add_detail(details, arena_text(e->arena, arena_join(e->arena, SPAN("emergency."), span_of(names[i]))), text_of(e, emergency, names[i]));
}

static void
add_release(const struct event *e, author_value entities)
{
    tape_node    bytes   = tape_member(e->t, TAPE_ROOT, SPAN("payloadBytes"));
    author_value details = job_begin(e, entities);

    add_emergency(e, details);
    add_detail(details, "basis", own(e, "basis"));
    add_detail(details, "payloadSha256", own(e, "payloadSha256"));
    if (bytes != TAPE_ABSENT)
        add_detail(details, "payloadBytes", tape_raw(e->t, bytes));
    add_detail(details, "idempotencyKey", own(e, "idempotencyKey"));
    add_detail(details, "policyVersion", own(e, "policyVersion"));
}

static void
add_request_id(const struct event *e, author_value entities)
{
    if (span_empty(own(e, "requestId")))
        return;
    author_value what = author_add_object(entity_begin(entities, BALP_ENTITY, SPAN("XrequestId"), NULL, NULL), "what");
    author_add_text(author_add_object(what, "identifier"), "value", own(e, "requestId"));
}

static void
add_entities(const struct event *e)
{
    author_value entities = author_add_array(e->root, "entity");

    add_patients(e, entities);
    add_items(e, entities);
    add_consents(e, entities);
    add_release(e, entities);
    add_request_id(e, entities);
}

/* ---- the whole -------------------------------------------------------------------------------- */

/* `purpose` has its codes with blanks between. */
static void
add_purposes(const struct event *e)
{
    struct span codes = own(e, "purpose"), words = own(e, "purposeStatement");
    bool        one   = span_find_byte(codes, ' ') == SPAN_NOT_FOUND;

    if (span_empty(codes))
        return;
    author_value all = author_add_array(e->root, "purposeOfEvent");
    while (!span_empty(codes)) {
        author_value concept = author_add_object(all, NULL);
        author_value coding  = author_add_object(author_add_array(concept, "coding"), NULL);
        author_add_cstr(coding, "system", ACT_REASON);
        author_add_text(coding, "code", span_split(&codes, ' '));
        if (one)
            add_if(concept, "text", words);
    }
}

static void
add_profile(const struct event *e, const char *url)
{
    author_add_cstr(author_add_array(author_add_object(e->root, "meta"), "profile"), NULL, url);
}

static void
add_head(const struct event *e)
{
    bool pushed = span_eq_text(own(e, "channel"), "FHIR push");

    if (!span_empty(own(e, "patientId")))
        add_profile(e, AUDIT_EVENT_PROFILE);
    add_coding(author_add_object(e->root, "type"), DCM, "110106", "Export");
    author_value subtypes = author_add_array(e->root, "subtype");
    add_coding(author_add_object(subtypes, NULL), LIFECYCLE, "disclose", "Disclose Record Lifecycle Event");
    add_coding(author_add_object(subtypes, NULL), INTERACTION, pushed ? "transaction" : "read", NULL);
    author_add_cstr(e->root, "action", "R");
    author_add_text(e->root, "recorded", own(e, "tRelease"));
    author_add_cstr(e->root, "outcome", "0");
}

static void
add_source(const struct event *e, const struct audit_source *source)
{
    author_value s = author_add_object(e->root, "source");

    author_add_text(s, "site", source->origin);
    add_gateway(e, source, s, "observer");
    add_coding(author_add_object(author_add_array(s, "type"), NULL), SOURCE_TYPE, "4", "Application Server");
}

/* ---- a disclosure, a reading, a denial ---------------------------------------------------------------------- */

static void
author_disclosure(const struct event *e, const struct audit_source *source)
{
    add_head(e);
    add_purposes(e);
    add_agents(e, source);
    add_source(e, source);
    add_entities(e);
}

static void
add_query(const struct event *e, author_value entities)
{
    author_value entity = entity_begin(entities, ENTITY_TYPE, SPAN("2"), "24", "Query");
    struct span  text   = own(e, "request");
    struct buf   base64;

    buf_init(&base64, 4 * (size_t)RECORD_REQUEST_BYTES);
    base64_add(&base64, text.at, text.length);
    author_add_text(entity, "query", buf_span(&base64));
    buf_release(&base64);
}

static void
author_reading(const struct event *e, const struct audit_source *source)
{
    bool        read    = span_eq_text(own(e, "act"), "read");
    bool        patient = !span_empty(own(e, "patientId"));
    struct span event   = tape_text(e->t, tape_first(e->t, tape_member(e->t, TAPE_ROOT, SPAN("shown"))), e->arena);

    if (!read)
        add_profile(e, patient ? AUDIT_EVENT_PROFILES "PatientQuery" : AUDIT_EVENT_PROFILES "Query");
    else if (!span_empty(event))
        add_profile(e, patient ? AUDIT_EVENT_PROFILES "PatientRead" : AUDIT_EVENT_PROFILES "Read");
    add_coding(author_add_object(e->root, "type"), EVENT_TYPE, "rest", "Restful Operation");
    add_coding(author_add_object(author_add_array(e->root, "subtype"), NULL), INTERACTION, arena_text(e->arena, own(e, "act")), NULL);
    author_add_cstr(e->root, "action", read ? "R" : "E");
    author_add_text(e->root, "recorded", own(e, "tDecision"));
    author_add_cstr(e->root, "outcome", "0");
    add_purposes(e);
    author_value agents = author_add_array(e->root, "agent");
    if (read) {
        add_recipient(e, agents, DESTINATION_ROLE, true);
        add_own_agent(e, source, agents, SOURCE_ROLE, false);
    } else {
        add_recipient(e, agents, SOURCE_ROLE, true);
        add_own_agent(e, source, agents, DESTINATION_ROLE, false);
    }
    add_source(e, source);
    author_value entities = author_add_array(e->root, "entity");
    add_patients(e, entities);
    if (read && !span_empty(event))
        add_reference(entity_begin(entities, ENTITY_TYPE, SPAN("2"), "4", "Domain Resource"),
                      arena_join(e->arena, SPAN("AuditEvent/"), event));
    if (!read)
        add_query(e, entities);
    add_request_id(e, entities);
}

/* Each reason as "rule citation: words". */
static void
add_reasons(const struct event *e, author_value details)
{
    tape_node reason = tape_first(e->t, tape_member(e->t, TAPE_ROOT, SPAN("withheldReasons")));

    for (; reason != TAPE_ABSENT; reason = tape_next(e->t, reason))
        add_detail(details, "withheldReason", arena_join(e->arena, text_of(e, reason, "rule"), SPAN(" "), text_of(e, reason, "citation"),
                                                         SPAN(": "), text_of(e, reason, "words")));
}

static void
author_denial(const struct event *e, const struct audit_source *source)
{
    tape_node first = tape_first(e->t, tape_member(e->t, TAPE_ROOT, SPAN("withheldReasons")));
    tape_node count = tape_member(e->t, TAPE_ROOT, SPAN("withheldCount"));

    add_coding(author_add_object(e->root, "type"), DCM, "110113", "Security Alert");
    add_coding(author_add_object(author_add_array(e->root, "subtype"), NULL), BALP_AUTHZ, "AuthZ-Consent",
               "Authorization Decision using Roles and Consent");
    author_add_cstr(e->root, "action", "E");
    author_add_text(e->root, "recorded", own(e, "tDecision"));
    author_add_cstr(e->root, "outcome", "8");
    add_if(e->root, "outcomeDesc", text_of(e, first, "words"));
    add_purposes(e);
    author_value agents = author_add_array(e->root, "agent");
    add_recipient(e, agents, "110150", "Application", !span_eq_text(own(e, "channel"), "FHIR push"));
    add_gateway(e, source, agent_begin(agents, ROLE_TYPE, "authserver", "authorization server", false), "who");
    add_source(e, source);
    author_value entities = author_add_array(e->root, "entity");
    add_patients(e, entities);
    add_consents(e, entities);
    author_value details = job_begin(e, entities);
    add_detail(details, "decision", own(e, "decision"));
    if (count != TAPE_ABSENT)
        add_detail(details, "withheldCount", tape_raw(e->t, count));
    add_reasons(e, details);
    add_request_id(e, entities);
}

typedef void event_author(const struct event *, const struct audit_source *);

/* NULL: records of this kind are none. */
static event_author *
author_of(struct span kind)
{
    return span_eq_text(kind, "disclosure") ? author_disclosure
         : span_eq_text(kind, "reading")    ? author_reading
         : span_eq_text(kind, "denial")     ? author_denial : NULL;
}

bool
audit_event_is(struct span kind)
{
    return author_of(kind) != NULL;
}

enum status
audit_event_author(const struct tape *record, const struct audit_source *source, struct arena *arena, struct buf *out)
{
    struct event e         = { .t = record, .arena = arena };
    tape_node    recipient = tape_member(record, TAPE_ROOT, SPAN("recipient"));
    event_author *write    = author_of(own(&e, "kind"));
    const char  *when      = write == author_disclosure ? "tRelease" : "tDecision";

    if (write == NULL || span_empty(own(&e, "eventId")) || span_empty(own(&e, when)) || span_empty(text_of(&e, recipient, "name")))
        return arena_spent(arena) ? ST_NO_MEMORY : ST_INTEGRITY;
    struct author *author = author_new();
    if (author == NULL)
        return ST_NO_MEMORY;
    e.root = author_object(author);
    author_add_cstr(e.root, "resourceType", "AuditEvent");
    author_add_text(e.root, "id", own(&e, "eventId"));
    write(&e, source);
    enum status st = arena_spent(arena) ? ST_NO_MEMORY : author_print(author, out, AUTHOR_COMPACT);
    author_free(&author);
    return st;
}
