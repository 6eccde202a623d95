/* gateway/stages/judge.c -- what the findings mean; errors answer, and nothing else happens.
 *
 * A batch is judged entry by entry (R4 http.html#transaction: the entries of
 * a batch are independent): bad entries get their own answer and are cut, the
 * rest goes on.  Everything else is accepted whole or not at all.
 *
 * What is bad the sender's routes say: refuse, the default, means every
 * error; warn and accept mean the structural ones (fhir/structural.h).  What is
 * waived on the way is a warning in the answer, or nothing.  The routes are
 * the sender's and their words the operator's: no patient, no consent and no
 * recipient has a part in it.
 */
#include "gateway/stages/stages.h"

#include "fhir/outcome.h"
#include "gateway/auth/clients.h"

/* A finding names its place, which costs the way to it; without a bound the
 * sender of a batch of empty entries would choose how long we work. */
#define MAX_REFUSED_ENTRIES 200u
/* In the answer: entries with findings of their own, and how many. */
#define MAX_WARNED_ENTRIES 200u
#define MAX_ENTRY_FINDINGS 32u

static enum step answer_validate(struct exchange *);
static enum step judge_entries(struct exchange *, enum route_validation);
static enum route_validation policy_of(const struct exchange *);

static bool
refused(const struct issues *found, enum route_validation policy)
{
    return policy == ROUTE_REFUSES ? issues_have_errors(found) : issues_have_structural(found);
}

static enum step
enter(struct exchange *ex)
{
    if (ex->intake == INTAKE_METADATA || ex->intake == INTAKE_DELETE || ex->revoking != NULL)
        return STEP_NEXT;
    if (ex->intake == INTAKE_VALIDATE)
        return answer_validate(ex);
    enum route_validation policy = policy_of(ex);
    bool                  bad    = refused(ex->issues, policy);
    if (bad && ex->bundle->type != BUNDLE_BATCH)
        return exchange_refuse(ex, 422);
    bool warn = policy == ROUTE_WARNS && entries_ask(ex) && issues_count(ex->issues) > 0;
    if (bad || warn) {
        enum step step = judge_entries(ex, policy);
        if (step != STEP_NEXT)
            return step;
    }
    if (policy != ROUTE_REFUSES)
        ex->issues = policy == ROUTE_WARNS ? issues_as_warnings(ex->issues) : issues_new(ex->arena, MAX_ENTRY_FINDINGS);
    return ex->issues != NULL ? STEP_NEXT : exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
}

const struct stage stage_judge = { .name = "judge", .pure = true, .enter = enter };

/* The strictest of its routes; without any, nobody has waived anything. */
static enum route_validation
policy_of(const struct exchange *ex)
{
    uint32_t              me     = client_index(ex->config, ex->client);
    enum route_validation policy = ROUTE_ACCEPTS;
    bool                  any    = false;

    for (size_t r = 0; r < ex->config->route_count; r++) {
        const struct config_route *route = &ex->config->routes[r];
        for (size_t i = 0; i < route->from_count; i++) {
            if (route->from[i] != me)
                continue;
            any    = true;
            policy = route->validation < policy ? route->validation : policy;
        }
    }
    return any ? policy : ROUTE_REFUSES;
}

/* $validate answers 200 whatever it finds (R4 resource-operation-validate). */
static enum step
answer_validate(struct exchange *ex)
{
    asked_judge(ex);
    if (outcome_print(ex->issues, &ex->answer_body, AUTHOR_COMPACT) != ST_OK)
        return exchange_fail(ex, ST_NO_MEMORY, "the findings did not fit");
    exchange_answer_json(ex, 200, buf_span(&ex->answer_body));
    return STEP_ANSWER;
}

static enum step
no_memory(struct exchange *ex)
{
    return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
}

/* The Bundle without its entries: what is wrong there is wrong for all of them. */
static enum step
judge_shell(struct exchange *ex, enum route_validation policy)
{
    struct issues          *own   = issues_new(ex->arena, MAX_ENTRY_FINDINGS);
    struct validate_options shell = asked_of_all(ex);

    shell.entries_apart = true;
    if (own == NULL || validate(ex->config->pack, ex->bundle, &shell, ex->arena, own) != ST_OK)
        return no_memory(ex);
    return refused(own, policy) ? exchange_refuse(ex, 422) : STEP_NEXT;
}

/* Findings of one sink are grouped: an entry that is wrong in the way another
 * was is not named.  So once something is wrong, every entry is judged alone,
 * into a sink of its own, and the Bundle without them. */
static enum step
judge_entries(struct exchange *ex, enum route_validation policy)
{
    uint32_t                count = ex->bundle->count, bad = 0, warned = 0;
    struct validate_options all   = asked_of_all(ex);

    ex->entries     = arena_make_n(ex->arena, count, struct intake_entry);
    ex->entry_count = count;
    if (ex->entries == NULL && count > 0)
        return no_memory(ex);
    enum step step  = judge_shell(ex, policy);
    bool      batch = ex->bundle->type == BUNDLE_BATCH;  /* whose later entries may yet be refused */
    for (uint32_t i = 0; i < count && step == STEP_NEXT && (batch || warned < MAX_WARNED_ENTRIES); i++) {
        struct issues *found = issues_new(ex->arena, MAX_ENTRY_FINDINGS);
        if (found == NULL || validate_entry(ex->config->pack, ex->bundle, i, &all, ex->arena, found) != ST_OK)
            return no_memory(ex);
        if (refused(found, policy)) {
            if (!batch)
                return exchange_refuse(ex, 422);         /* whole or not at all */
            ex->entries[i].status = 422;
            ex->entries[i].issues = found;
            if (++bad > MAX_REFUSED_ENTRIES)
                return exchange_refuse_one(ex, 422, ISSUE_TOO_COSTLY, "batch",
                                           "too many entries of this batch are not valid to answer each",
                                           "validate the entries first: POST /fhir/$validate");
        } else if (policy == ROUTE_WARNS && issues_count(found) > 0 && warned++ < MAX_WARNED_ENTRIES) {
            ex->entries[i].issues = issues_as_warnings(found);
        }
    }
    return step;
}
