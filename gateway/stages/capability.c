#include "gateway/stages/capability.h"

#include "base/json_author.h"
#include "fhir/datatypes.h"
#include "gateway/runtime/exchange.h"
#include "gateway/version.h"

static void
add_codes(author_value type, const char *const *codes, size_t count)
{
    author_value interactions = author_add_array(type, "interaction");

    for (size_t i = 0; i < count; i++)
        author_add_cstr(author_add_object(interactions, NULL), "code", codes[i]);
}

/* Names, and behind each its type. */
static void
add_params(author_value type, const char *const *params, size_t count)
{
    author_value searches = author_add_array(type, "searchParam");

    for (size_t i = 0; i < count; i += 2) {
        author_value param = author_add_object(searches, NULL);
        author_add_cstr(param, "name", params[i]);
        author_add_cstr(param, "type", params[i + 1]);
    }
}

/* Types are pushed whole; Consents are read, too. */
static void
author_consent(author_value resources)
{
    static const char *const codes[]  = { "read", "vread", "history-instance", "search-type", "create", "update", "delete" };
    static const char *const params[] = { "patient", "reference", "actor", "reference", "status", "token",
                                          "_id", "token", "period", "date" };

    author_value type = author_add_object(resources, NULL);
    author_add_cstr(type, "type", "Consent");
    add_codes(type, codes, sizeof codes / sizeof *codes);
    author_add_cstr(type, "versioning", "versioned-update");
    author_add_bool(type, "readHistory", true);
    author_add_bool(type, "updateCreate", true);
    add_params(type, params, sizeof params / sizeof *params);
    author_value operation = author_add_object(author_add_array(type, "operation"), NULL);
    author_add_cstr(operation, "name", "revoke");
    author_add_cstr(operation, "definition", "https://sluice.example/fhir/OperationDefinition/Consent-revoke");
}

/* What the log says (stages/auditing.h); those that are pushed are forwarded, and not read. */
static void
author_audit_event(author_value resources)
{
    static const char *const codes[]  = { "read", "search-type", "create", "update", "delete" };
    static const char *const params[] = { "patient", "reference", "date", "date", "agent", "reference", "agent-name", "string",
                                          "entity", "reference", "type", "token", "subtype", "token", "outcome", "token",
                                          "action", "token", "source", "reference", "purpose", "token", "_id", "token" };

    author_value type = author_add_object(resources, NULL);
    author_add_cstr(type, "type", "AuditEvent");
    add_codes(type, codes, sizeof codes / sizeof *codes);
    add_params(type, params, sizeof params / sizeof *params);
}

static void
author_rest(author_value root)
{
    static const char *const system[]     = { "transaction", "batch" };
    static const char *const operations[] = { "validate", "process-message" };

    author_value rest = author_add_object(author_add_array(root, "rest"), NULL);
    author_add_cstr(rest, "mode", "server");
    author_value security = author_add_object(rest, "security");
    author_add_cstr(security, "description",
                    "TLS 1.2 or 1.3 with a client certificate whose common name is registered");
    author_value resources = author_add_array(rest, "resource");
    author_consent(resources);
    author_audit_event(resources);
    author_value interactions = author_add_array(rest, "interaction");
    for (size_t i = 0; i < sizeof system / sizeof *system; i++)
        author_add_cstr(author_add_object(interactions, NULL), "code", system[i]);
    author_value ops = author_add_array(rest, "operation");
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        author_value op = author_add_object(ops, NULL);
        author_add_cstr(op, "name", operations[i]);
        author_add_cstr(op, "definition",
                        i == 0 ? "http://hl7.org/fhir/OperationDefinition/Resource-validate"
                               : "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message");
    }
}

void
capability_answer(struct exchange *ex)
{
    struct author *author = author_new();

    if (author == NULL) {
        exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
        return;
    }
    author_value root = author_object(author);
    author_add_cstr(root, "resourceType", "CapabilityStatement");
    author_add_cstr(root, "status", "active");
    author_add_text(root, "date", time_format(ex->arena, ex->at_ms));
    author_add_cstr(root, "kind", "instance");
    author_value software = author_add_object(root, "software");
    author_add_cstr(software, "name", "Sluice");
    author_add_cstr(software, "version", SLUICE_VERSION);
    author_value implementation = author_add_object(root, "implementation");
    author_add_cstr(implementation, "description", "FHIR gateway for behavioral health");
    author_add_cstr(root, "fhirVersion", "4.0.1");
    author_value format = author_add_array(root, "format");
    author_add_cstr(format, NULL, "json");
    author_rest(root);
    if (author_print(author, &ex->answer_body, AUTHOR_COMPACT) == ST_OK)
        exchange_answer_json(ex, 200, buf_span(&ex->answer_body));
    else
        exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    author_free(&author);
}
