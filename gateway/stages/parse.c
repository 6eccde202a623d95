/* gateway/stages/parse.c -- bytes -> tape -> bundle and references. */
#include "gateway/stages/stages.h"

#include "fhir/outcome.h"

static enum step check_type(struct exchange *);
static enum step check_bundle_type(struct exchange *);

enum step
parse_body(struct exchange *ex)
{
    struct tape_limits limits = tape_default_limits;
    struct tape_error  error;

    if (ex->config->limits.max_body_bytes < limits.max_bytes)
        limits.max_bytes = ex->config->limits.max_body_bytes;
    enum status st = tape_read(ex->body, &limits, ex->arena, &ex->tape, &error);
    if (st == ST_NO_MEMORY)
        return exchange_fail(ex, st, status_text(st));
    if (st != ST_OK) {
        outcome_add_refusal(ex->issues, &error);
        return exchange_refuse(ex, st == ST_TOO_LARGE ? 413 : 400);
    }
    st = bundle_read(ex->tape, ex->arena, ex->issues, &ex->bundle);
    if (st == ST_OK)
        st = references_read(ex->bundle, ex->arena, &ex->references);
    if (st == ST_MALFORMED)
        return exchange_refuse(ex, 400);
    return st == ST_OK ? STEP_NEXT : exchange_fail(ex, st, status_text(st));
}

static enum step
enter(struct exchange *ex)
{
    if (ex->intake == INTAKE_METADATA || ex->intake == INTAKE_DELETE)
        return STEP_NEXT;
    if (ex->to_validate.mode == MODE_DELETE)
        return STEP_NEXT;                /* R4 resource-operation-validate: the content is ignored */
    enum step step = parse_body(ex);
    if (step == STEP_NEXT && ex->intake == INTAKE_VALIDATE)
        step = asked_parameters(ex);
    return step == STEP_NEXT && ex->to_validate.mode != MODE_DELETE ? check_type(ex) : step;
}

const struct stage stage_parse = { .name = "parse", .pure = true, .enter = enter };

/* The body is what the path says: POST /fhir/Patient holds a Patient. */
static enum step
check_type(struct exchange *ex)
{
    struct span type = tape_member_text(ex->tape, ex->bundle->root, SPAN("resourceType"), ex->arena);
    struct span id   = tape_member_text(ex->tape, ex->bundle->root, SPAN("id"), ex->arena);

    if (!span_empty(ex->path_type) && !span_eq(type, ex->path_type))
        return exchange_refuse_one(ex, 400, ISSUE_VALUE, "http",
                                   "the resourceType of the body is not the type in the path", NULL);
    bool named = ex->intake == INTAKE_UPDATE || (ex->intake == INTAKE_VALIDATE && !span_empty(ex->path_id));
    if (named && !span_eq(id, ex->path_id))
        return exchange_refuse_one(ex, 400, ISSUE_VALUE, "http",
                                   "the id of the body is not the id in the path",
                                   "R4 http.html#update: the resource carries the id that the URL names");
    if (ex->intake == INTAKE_SYSTEM && ex->bundle->type == BUNDLE_SINGLE)
        return exchange_refuse_one(ex, 400, ISSUE_VALUE, "http", "POST /fhir takes a Bundle",
                                   "POST a single resource to /fhir/{type}");
    if (ex->intake == INTAKE_MESSAGE && ex->bundle->type != BUNDLE_MESSAGE)
        return exchange_refuse_one(ex, 422, ISSUE_VALUE, "http",
                                   "$process-message takes a Bundle of type message", NULL);
    return ex->intake == INTAKE_VALIDATE ? STEP_NEXT : check_bundle_type(ex);
}

/* Histories, searchsets and responses are answers, not something to push; a
 * transaction is something to do, not a Bundle to keep. */
static enum step
check_bundle_type(struct exchange *ex)
{
    enum bundle_type type = ex->bundle->type;

    if (type == BUNDLE_SINGLE || type == BUNDLE_DOCUMENT || type == BUNDLE_COLLECTION
        || type == BUNDLE_MESSAGE)
        return STEP_NEXT;
    if (type == BUNDLE_TRANSACTION || type == BUNDLE_BATCH)
        return ex->intake == INTAKE_SYSTEM
                   ? STEP_NEXT
                   : exchange_refuse_one(ex, 422, ISSUE_BUSINESS_RULE, "http",
                                         "a transaction or batch is posted to /fhir", NULL);
    return exchange_refuse_one(ex, 422, ISSUE_BUSINESS_RULE, "http",
                               "a Bundle of this type cannot be pushed",
                               "send a transaction, batch, message, document or collection");
}
