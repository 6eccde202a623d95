/* gateway/stages/receive.c -- what is asked for: method, path, and in which form. */
#include "gateway/stages/stages.h"

#include "gateway/http/media.h"
#include "gateway/runtime/identity.h"
#include "gateway/stages/reading.h"

#define CDS_SERVICES "/cds-services"
#define MAX_ID 64                        /* R4 datatypes.html#id */

static enum step route_path(struct exchange *, const struct http_head *);
static void      read_preferences(struct exchange *);
static enum step check_accept(struct exchange *, const struct http_head *);
static enum step check_content_type(struct exchange *, const struct http_head *);

static enum step
enter(struct exchange *ex)
{
    const struct http_head *head = http_request_head(ex->request);
    struct span             sent = http_request_header(ex->request, SPAN("X-Request-Id"));

    ex->body       = head->body;
    read_preferences(ex);
    ex->request_id = token_valid(sent, 64) ? sent : uuid_new(ex->arena);
    enum step step = route_path(ex, head);
    if (step == STEP_NEXT && ex->intake != INTAKE_ACCOUNTING)    /* has forms of its own */
        step = check_accept(ex, head);
    if (step != STEP_NEXT)
        return step;
    if (ex->intake == INTAKE_SEARCH)
        return reading_form(ex);
    bool bodiless = ex->intake == INTAKE_METADATA || ex->intake == INTAKE_DELETE || ex->intake == INTAKE_ASYNC
                 || ex->intake == INTAKE_READ || ex->intake == INTAKE_VREAD || ex->intake == INTAKE_HISTORY
                 || ex->intake == INTAKE_SERVICES || ex->intake == INTAKE_AUDIT_READ || ex->intake == INTAKE_AUDIT_SEARCH
                 || ex->intake == INTAKE_ACCOUNTING
                 || (ex->to_validate.mode == MODE_DELETE && span_empty(head->body));
    return bodiless ? STEP_NEXT : check_content_type(ex, head);
}

const struct stage stage_receive = { .name = "receive", .enter = enter };

/* RFC 7240: what is not known is not there. */
static void
read_preferences(struct exchange *ex)
{
    static const char *const words[] = {
        [PREFER_MINIMAL] = "minimal", [PREFER_REPRESENTATION] = "representation", [PREFER_OUTCOME] = "OperationOutcome",
    };
    struct span prefer = http_request_list(ex->request, SPAN("Prefer"), ex->arena);
    struct span value;

    if (span_empty(prefer))
        return;
    ex->prefer_async = media_prefers(prefer, SPAN("respond-async"), &value);
    if (!media_prefers(prefer, SPAN("return"), &value))
        return;
    for (int i = PREFER_MINIMAL; i <= PREFER_OUTCOME; i++)
        if (span_eq_nocase(value, span_of(words[i])))
            ex->prefer_return = (enum prefer_return)i;
}

static enum step
method_not_allowed(struct exchange *ex, struct span allowed)
{
    enum step step = exchange_refuse_one(ex, 405, ISSUE_NOT_SUPPORTED, "http",
                                         "this method is not for this path", NULL);
    exchange_answer_header(ex, SPAN("Allow"), allowed);
    return step;
}

static enum step
not_found(struct exchange *ex)
{
    return exchange_refuse_one(ex, 404, ISSUE_NOT_FOUND, "http", "there is nothing under this path",
                               "POST a Bundle to /fhir, or a resource to /fhir/{type}");
}

static bool
is_type_name(struct span s)
{
    return s.length > 0 && s.length <= 64 && s.at[0] >= 'A' && s.at[0] <= 'Z';
}

static bool
is_id(struct span s)
{
    return token_valid(s, MAX_ID) && span_find_byte(s, '_') == SPAN_NOT_FOUND
        && span_find_byte(s, ':') == SPAN_NOT_FOUND;
}

bool
fhir_path(struct span type, struct span id)
{
    return is_type_name(type) && is_id(id);
}

static bool
is_audit(const struct exchange *ex)
{
    return span_eq_text(ex->path_type, "AuditEvent");
}

/* Types that are read so far. */
static bool
is_readable(const struct exchange *ex)
{
    return span_eq_text(ex->path_type, "Consent") || is_audit(ex);
}

static bool
is_read(const struct exchange *ex, const struct http_head *head)
{
    return is_readable(ex) && span_eq_text(head->method, "GET");
}

static enum step
operation(struct exchange *ex, struct span name, bool post)
{
    if (span_eq_text(name, "$validate"))
        ex->intake = INTAKE_VALIDATE;
    else if (span_eq_text(name, "$process-message") && span_empty(ex->path_type))
        ex->intake = INTAKE_MESSAGE;
    else if (span_eq_text(name, "$revoke") && span_eq_text(ex->path_type, "Consent") && !span_empty(ex->path_id))
        ex->intake = INTAKE_REVOKE;
    else if (span_eq_text(name, "$accounting") && span_eq_text(ex->path_type, "Patient") && !span_empty(ex->path_id))
        ex->intake = INTAKE_ACCOUNTING;
    else
        return not_found(ex);
    if (ex->intake == INTAKE_ACCOUNTING)
        return span_eq_text(http_request_head(ex->request)->method, "GET") ? STEP_NEXT : method_not_allowed(ex, SPAN("GET"));
    if (!post)
        return method_not_allowed(ex, SPAN("POST"));
    return ex->intake == INTAKE_VALIDATE ? asked_query(ex) : STEP_NEXT;
}

/* _history, _history/{version} */
static enum step
versions(struct exchange *ex, const struct http_head *head, struct span rest)
{
    struct span word = span_split(&rest, '/');

    if (!span_eq_text(word, "_history") || !span_eq_text(ex->path_type, "Consent"))
        return not_found(ex);
    if (!is_read(ex, head))
        return method_not_allowed(ex, SPAN("GET"));
    ex->intake = rest.at == NULL ? INTAKE_HISTORY : INTAKE_VREAD;
    return rest.at == NULL ? STEP_NEXT : reading_version(ex, rest);
}

static enum step
below_instance(struct exchange *ex, const struct http_head *head, struct span type, struct span id, struct span name)
{
    if (!fhir_path(type, id))
        return not_found(ex);
    ex->path_type = type;
    ex->path_id   = id;
    return name.length > 0 && name.at[0] == '$' ? operation(ex, name, span_eq_text(head->method, "POST"))
                                                : versions(ex, head, name);
}

/* /cds-services, /cds-services/{service}; CDS Hooks 2.0 "Discovery", "Calling a CDS Service" */
static enum step
service(struct exchange *ex, const struct http_head *head, struct span rest)
{
    bool all = span_empty(rest);

    if (!all && !span_eq_text(rest, "/patient-consent-consult"))
        return not_found(ex);
    ex->intake = all ? INTAKE_SERVICES : INTAKE_CONSULT;
    return span_eq_text(head->method, all ? "GET" : "POST") ? STEP_NEXT
                                                            : method_not_allowed(ex, all ? SPAN("GET") : SPAN("POST"));
}

static enum step
instance(struct exchange *ex, const struct http_head *head)
{
    if (!is_id(ex->path_id))
        return not_found(ex);
    if (span_eq_text(head->method, "PUT"))
        ex->intake = INTAKE_UPDATE;
    else if (span_eq_text(head->method, "DELETE"))
        ex->intake = INTAKE_DELETE;
    else if (is_read(ex, head))
        ex->intake = is_audit(ex) ? INTAKE_AUDIT_READ : INTAKE_READ;
    else
        return method_not_allowed(ex, is_readable(ex) ? SPAN("GET, PUT, DELETE") : SPAN("PUT, DELETE"));
    return STEP_NEXT;
}

/* /fhir  /fhir/metadata  /fhir/$async/{key}  /fhir/$op  /fhir/{type}  /fhir/{type}/$validate  /fhir/{type}/{id}
 * /fhir/{type}/{id}/$validate  /fhir/{type}/_search  /fhir/Consent/{id}/_history  … /{version}  … /$revoke */
static enum step
route_path(struct exchange *ex, const struct http_head *head)
{
    struct span rest = head->path;
    bool        post = span_eq_text(head->method, "POST");

    if (span_starts(rest, SPAN(CDS_SERVICES)))
        return service(ex, head, span_skip(rest, sizeof CDS_SERVICES - 1));
    if (!span_starts(rest, SPAN("/fhir")))
        return not_found(ex);
    rest = span_skip(rest, sizeof "/fhir" - 1);
    if (!span_empty(rest) && rest.at[0] != '/')
        return not_found(ex);
    rest = span_skip(rest, 1);
    struct span first = span_split(&rest, '/');
    struct span second = rest.at != NULL ? span_split(&rest, '/') : (struct span){ 0 };
    if (rest.at != NULL)
        return below_instance(ex, head, first, second, rest);

    if (span_empty(first) && span_empty(second)) {
        ex->intake = INTAKE_SYSTEM;
        return post ? STEP_NEXT : method_not_allowed(ex, SPAN("POST"));
    }
    if (span_eq_text(first, "metadata") && span_empty(second)) {
        ex->intake = INTAKE_METADATA;
        return span_eq_text(head->method, "GET") || span_eq_text(head->method, "HEAD")
                   ? STEP_NEXT : method_not_allowed(ex, SPAN("GET"));
    }
    if (span_eq_text(first, "$async") && !span_empty(second)) {
        ex->intake  = INTAKE_ASYNC;
        ex->path_id = second;
        return span_eq_text(head->method, "GET") || span_eq_text(head->method, "HEAD")
                   ? STEP_NEXT : method_not_allowed(ex, SPAN("GET"));
    }
    if (first.length > 0 && first.at[0] == '$' && span_empty(second))
        return operation(ex, first, post);
    if (!is_type_name(first))
        return not_found(ex);
    ex->path_type = first;
    if (span_empty(second) || (span_eq_text(second, "_search") && is_readable(ex))) {
        bool search = is_read(ex, head) ? span_empty(second) : !span_empty(second);
        ex->intake  = !search ? INTAKE_CREATE : is_audit(ex) ? INTAKE_AUDIT_SEARCH : INTAKE_SEARCH;
        return post || search ? STEP_NEXT : method_not_allowed(ex, is_readable(ex) ? SPAN("GET, POST") : SPAN("POST"));
    }
    if (second.at[0] == '$')
        return operation(ex, second, post);
    ex->path_id = second;
    return instance(ex, head);
}

/* Whoever asks for XML alone must not take what comes for it. */
static enum step
check_accept(struct exchange *ex, const struct http_head *head)
{
    struct span format;
    bool        json = media_format(head->query, &format)
                           ? media_format_is_json(format)
                           : media_accepts_json(http_request_list(ex->request, SPAN("Accept"), ex->arena));

    if (json)
        return STEP_NEXT;
    return exchange_refuse_one(ex, 406, ISSUE_NOT_SUPPORTED, "http",
                               "only application/fhir+json of FHIR 4.0 is answered here",
                               "Accept application/fhir+json, or send no Accept and no _format");
}

/* XML, C-CDA and HL7 v2 are mapped by a layer that is not there yet. */
static enum step
check_content_type(struct exchange *ex, const struct http_head *head)
{
    if (span_empty(head->body))
        return exchange_refuse_one(ex, 400, ISSUE_REQUIRED, "http", "the request has no body",
                                   "send the resource as application/fhir+json");
    if (http_request_count(ex->request, SPAN("Content-Type")) > 1)
        return exchange_refuse_one(ex, 400, ISSUE_VALUE, "Content-Type", "there is more than one Content-Type", NULL);
    switch (media_of(http_request_header(ex->request, SPAN("Content-Type")))) {
    case MEDIA_FHIR_JSON:
        return STEP_NEXT;
    case MEDIA_OTHER_CHARSET:
        return exchange_refuse_one(ex, 415, ISSUE_NOT_SUPPORTED, "http", "the charset is not utf-8",
                                   "FHIR is UTF-8 (R4 http.html#mime-type); leave charset out");
    case MEDIA_OTHER_VERSION:
        return exchange_refuse_one(ex, 415, ISSUE_NOT_SUPPORTED, "http", "the fhirVersion is not 4.0",
                                   "send FHIR R4");
    case MEDIA_OTHER:
        break;
    }
    return exchange_refuse_one(ex, 415, ISSUE_NOT_SUPPORTED, "http",
                               "the content type is not application/fhir+json",
                               "send FHIR R4 as JSON with Content-Type: application/fhir+json");
}
