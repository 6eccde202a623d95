/* gateway/stages/asked.c -- what a $validate asks for, and what its mode adds.
 *
 * R4 resource-operation-validate.html.  The resource is the body, and mode and
 * profile stand in the query; or the body is a Parameters resource with all
 * three.  What is not understood is refused: a mistyped `profile` that was let
 * pass would be a resource that was said to be valid against it.
 *
 *   create   a resource like this could be created by this client
 *   update   the same of an update: it has an id, the one in the path
 *   delete   the client may delete what the path names; no content is looked at,
 *            and the store is not asked, since that would say what is there
 *   profile  the resource, which has to be sent, against the profiles named
 *
 * A $validate without a mode says whether the content is valid, and nothing
 * of what this client may do.
 */
#include "gateway/stages/stages.h"

#include <string.h>

#include "gateway/auth/clients.h"
#include "gateway/http/query.h"

static enum step take(struct exchange *, struct span name, struct span value);
static enum step take_part(struct exchange *, tape_node part, tape_node *resource);
static enum step read_apart(struct exchange *, tape_node resource);
static enum step check_whole(struct exchange *);

static enum step
bad_request(struct exchange *ex, enum issue_code code, const char *what, const char *hint)
{
    return exchange_refuse_one(ex, 400, code, "validate-parameters", what, hint);
}

/* `_format`, `_pretty` and their kin are for every request (R4 http.html#parameters). */
enum step
asked_query(struct exchange *ex)
{
    struct span rest = http_request_head(ex->request)->query, name, value;

    while (query_next(&rest, ex->arena, &name, &value)) {
        enum step step = span_starts(name, SPAN("_")) ? STEP_NEXT : take(ex, name, value);
        if (step != STEP_NEXT)
            return step;
    }
    return ex->to_validate.mode == MODE_DELETE ? check_whole(ex) : STEP_NEXT;
}

static bool
is_parameters(const struct exchange *ex)
{
    const struct tape *t = ex->tape;

    if (!tape_text_eq(t, tape_member(t, ex->bundle->root, SPAN("resourceType")), SPAN("Parameters")))
        return false;
    if (!span_eq_text(ex->path_type, "Parameters"))
        return true;
    /* A Parameters resource may be what is to be validated. */
    for (tape_node part = tape_first(t, tape_member(t, ex->bundle->root, SPAN("parameter"))); part != TAPE_ABSENT;
         part = tape_next(t, part))
        if (tape_text_eq(t, tape_member(t, part, SPAN("name")), SPAN("resource")))
            return true;
    return false;
}

enum step
asked_parameters(struct exchange *ex)
{
    tape_node resource = TAPE_ABSENT;

    if (is_parameters(ex)) {
        tape_node list = tape_member(ex->tape, ex->bundle->root, SPAN("parameter"));
        for (tape_node part = tape_first(ex->tape, list); part != TAPE_ABSENT; part = tape_next(ex->tape, part)) {
            enum step step = take_part(ex, part, &resource);
            if (step != STEP_NEXT)
                return step;
        }
        if (resource == TAPE_ABSENT && ex->to_validate.mode != MODE_DELETE)
            return bad_request(ex, ISSUE_REQUIRED, "there is no parameter `resource`",
                               "send the resource to be validated; what is stored is not validated here");
    }
    enum step step = check_whole(ex);
    return step == STEP_NEXT && resource != TAPE_ABSENT ? read_apart(ex, resource) : step;
}

/* ---- parameters ----------------------------------------------------------------------- */

static enum step
take_mode(struct exchange *ex, struct span word)
{
    static const char *const words[] = {
        [MODE_CREATE] = "create", [MODE_UPDATE] = "update", [MODE_DELETE] = "delete", [MODE_PROFILE] = "profile",
    };

    for (int i = MODE_CREATE; i <= MODE_PROFILE; i++) {
        if (!span_eq_text(word, words[i]))
            continue;
        if (ex->to_validate.mode != MODE_NONE && ex->to_validate.mode != (enum validate_mode)i)
            return bad_request(ex, ISSUE_VALUE, "two modes are asked for", "send one mode");
        ex->to_validate.mode = (enum validate_mode)i;
        return STEP_NEXT;
    }
    return bad_request(ex, ISSUE_VALUE, "this mode is not known",
                       "create, update, delete or profile (R4 valueset-resource-validation-mode.html)");
}

static enum step
take(struct exchange *ex, struct span name, struct span value)
{
    if (span_eq_text(name, "mode"))
        return take_mode(ex, value);
    if (!span_eq_text(name, "profile"))
        return bad_request(ex, ISSUE_NOT_SUPPORTED, "a parameter is not one of $validate",
                           "resource, mode and profile are (R4 resource-operation-validate.html)");
    if (span_empty(value))
        return bad_request(ex, ISSUE_VALUE, "a profile is empty or cannot be read", "send its canonical URL");
    if (ex->to_validate.profile_count == ASKED_PROFILES)
        return bad_request(ex, ISSUE_TOO_COSTLY, "too many profiles are asked for", "send at most 16");
    ex->to_validate.profiles[ex->to_validate.profile_count++] = value;
    return STEP_NEXT;
}

/* A `profile` is a uri; senders write canonical, url or string as well. */
static enum step
take_part(struct exchange *ex, tape_node part, tape_node *resource)
{
    static const char *const values[] = { "valueCode", "valueUri", "valueCanonical", "valueUrl", "valueString" };
    struct span              name     = tape_member_text(ex->tape, part, SPAN("name"), ex->arena);

    if (span_eq_text(name, "resource")) {
        if (*resource != TAPE_ABSENT)
            return bad_request(ex, ISSUE_VALUE, "there is more than one parameter `resource`", "send one resource a request");
        *resource = tape_member(ex->tape, part, SPAN("resource"));
        return *resource != TAPE_ABSENT ? STEP_NEXT
                                        : bad_request(ex, ISSUE_REQUIRED, "the parameter `resource` holds no resource", NULL);
    }
    struct span value = { NULL, 0 };
    for (size_t i = 0; span_empty(value) && i < sizeof values / sizeof values[0]; i++)
        value = tape_member_text(ex->tape, part, span_of(values[i]), ex->arena);
    return take(ex, name, value);
}

/* What a mode cannot be answered without. */
static enum step
check_whole(struct exchange *ex)
{
    if (ex->to_validate.mode == MODE_DELETE && span_empty(ex->path_id))
        return bad_request(ex, ISSUE_REQUIRED, "mode delete names no resource", "POST to /fhir/{type}/{id}/$validate");
    if (ex->to_validate.mode == MODE_PROFILE && ex->to_validate.profile_count == 0)
        return bad_request(ex, ISSUE_REQUIRED, "mode profile names no profile", "send the profile's canonical URL as `profile`");
    return STEP_NEXT;
}

/* The resource becomes the body, in its place: what stood before it is blank,
 * so that lines and columns are those of what was sent. */
static enum step
read_apart(struct exchange *ex, tape_node resource)
{
    struct span one    = tape_extent(ex->tape, resource);
    size_t      before = (size_t)(one.at - ex->body.at);
    char       *blank  = arena_alloc(ex->arena, before + one.length);

    if (blank == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    for (size_t i = 0; i < before; i++)
        blank[i] = ex->body.at[i] == '\n' ? '\n' : ' ';
    memcpy(blank + before, one.at, one.length);
    ex->body = span_from(blank, before + one.length);
    return parse_body(ex);
}

/* ---- what the mode adds ----------------------------------------------------------------- */

static void
add(struct exchange *ex, enum issue_code code, struct span expression, const char *found, const char *hint)
{
    issues_add(ex->issues, &(struct issue){ .severity = SEVERITY_ERROR, .code = code, .rule = "validate-mode",
                                            .expression = expression, .found = span_of(found), .hint = span_of(hint),
                                            .times = 1 });
}

static void
judge_update(struct exchange *ex, struct span type)
{
    struct span id = tape_member_text(ex->tape, ex->bundle->root, SPAN("id"), ex->arena);

    if (span_empty(id))
        add(ex, ISSUE_REQUIRED, arena_join(ex->arena, type, SPAN(".id")), "an update needs an id",
            "R4 http.html#update: the resource carries the id that the URL names");
    if (!client_may(ex->client, 'u', type) && !client_may(ex->client, 'c', type))
        add(ex, ISSUE_FORBIDDEN, type, "this client may not update resources of this type",
            "ask the operator for the scope, for example system/*.cu");
}

/* A transaction or a batch is a request, and each of its entries is asked for by itself. */
static void
judge_create(struct exchange *ex, struct span type)
{
    enum bundle_type bundle = ex->bundle->type;
    bool             taken  = bundle == BUNDLE_SINGLE || bundle == BUNDLE_DOCUMENT || bundle == BUNDLE_COLLECTION
                           || bundle == BUNDLE_MESSAGE;

    if (bundle == BUNDLE_TRANSACTION || bundle == BUNDLE_BATCH)
        return;
    if (!taken)
        add(ex, ISSUE_BUSINESS_RULE, SPAN("Bundle.type"), "a Bundle of this type cannot be pushed",
            "send a transaction, batch, message, document or collection");
    if (!client_may(ex->client, 'c', type))
        add(ex, ISSUE_FORBIDDEN, type, "this client may not create resources of this type",
            "ask the operator for the scope, for example system/*.c");
}

/* R4: "if a profile is nominated, and the server cannot validate against the
 * nominated profile, it SHALL return an error".  In a Bundle it is asked of the
 * entries of its type. */
static void
judge_profile(struct exchange *ex, struct span url, struct span type)
{
    struct span  its = pack_profile_type(ex->config->pack, url);
    struct issue one = { .severity = SEVERITY_ERROR, .code = ISSUE_NOT_FOUND, .rule = "profile-unknown",
                         .expression = type, .times = 1,
                         .wanted = arena_join(ex->arena, SPAN("want the profile "), span_first(url, 256)),
                         .found = SPAN("it is not among the definitions of this gateway"),
                         .hint = SPAN("the operator adds packages with `sluice package add`") };

    if (!span_empty(its)) {
        if (ex->bundle->type != BUNDLE_SINGLE || span_eq(its, type))
            return;
        one.code  = ISSUE_INVALID;
        one.rule  = "profile-type";
        one.found = SPAN("the resource is of another type");
        one.hint  = (struct span){ NULL, 0 };
    }
    issues_add(ex->issues, &one);
}

void
asked_judge(struct exchange *ex)
{
    struct span type = ex->to_validate.mode == MODE_DELETE
                           ? ex->path_type
                           : tape_member_text(ex->tape, ex->bundle->root, SPAN("resourceType"), ex->arena);

    for (size_t i = 0; i < ex->to_validate.profile_count && ex->to_validate.mode != MODE_DELETE; i++)
        judge_profile(ex, ex->to_validate.profiles[i], type);
    if (ex->to_validate.mode == MODE_CREATE)
        judge_create(ex, type);
    else if (ex->to_validate.mode == MODE_UPDATE)
        judge_update(ex, type);
    else if (ex->to_validate.mode == MODE_DELETE && !client_may(ex->client, 'd', type))
        add(ex, ISSUE_FORBIDDEN, type, "this client may not delete resources of this type",
            "ask the operator for the scope, for example system/*.d");
}
