/* gateway/stages/validate.c -- findings; errors answer, and nothing else happens.
 *
 * A batch is judged entry by entry (R4 http.html#transaction: the entries of
 * a batch are independent): bad entries get their own answer and are cut, the
 * rest goes on.  Everything else is accepted whole or not at all.
 */
#include "gateway/stages/stages.h"

#include "fhir/outcome.h"

/* A finding names its place, which costs the way to it; without a bound the
 * sender of a batch of empty entries would choose how long we work. */
#define MAX_REFUSED_ENTRIES 200u

static enum status validate_body(struct exchange *);
static enum step answer_validate(struct exchange *);
static enum step split_batch(struct exchange *);

static enum step
enter(struct exchange *ex)
{
    if (ex->intake == INTAKE_METADATA || ex->intake == INTAKE_DELETE)
        return STEP_NEXT;
    enum status st = ex->to_validate.mode == MODE_DELETE ? ST_OK : validate_body(ex);
    if (st != ST_OK)
        return exchange_fail(ex, st, "the resource could not be validated to its end");
    if (ex->intake == INTAKE_VALIDATE)
        return answer_validate(ex);
    if (!issues_have_errors(ex->issues))
        return STEP_NEXT;
    if (ex->bundle->type == BUNDLE_BATCH)
        return split_batch(ex);
    return exchange_refuse(ex, 422);
}

const struct stage stage_validate = { .name = "validate", .pure = true, .enter = enter };

/* Against the base and the profiles of the configuration; what a $validate
 * names is asked_judge's. */
static enum status
validate_body(struct exchange *ex)
{
    struct validate_options options = {
        .profiles      = ex->config->packages.profiles,
        .profile_count = ex->config->packages.profile_count,
    };

    return validate(ex->gateway->pack, ex->bundle, &options, ex->arena, ex->issues);
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

/* Findings of one sink are grouped: an entry that is wrong in the way another
 * was is not named.  So once something is wrong, every entry is judged alone,
 * into a sink of its own, and the Bundle without them. */
static enum step
split_batch(struct exchange *ex)
{
    uint32_t                count = ex->bundle->count;
    struct issues          *own   = issues_new(ex->arena, 32);
    struct validate_options shell = { .entries_apart = true };

    ex->entries     = arena_make_n(ex->arena, count, struct intake_entry);
    ex->entry_count = count;
    if (ex->entries == NULL || own == NULL
        || validate(ex->gateway->pack, ex->bundle, &shell, ex->arena, own) != ST_OK)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    if (issues_have_errors(own))
        return exchange_refuse(ex, 422);                 /* the Bundle itself is wrong */
    uint32_t refused = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct issues *found = issues_new(ex->arena, 32);
        if (found == NULL || validate_entry(ex->gateway->pack, ex->bundle, i, ex->arena, found) != ST_OK)
            return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
        if (!issues_have_errors(found))
            continue;
        ex->entries[i].status = 422;
        ex->entries[i].issues = found;
        if (++refused > MAX_REFUSED_ENTRIES)
            return exchange_refuse_one(ex, 422, ISSUE_TOO_COSTLY, "batch",
                                       "too many entries of this batch are not valid to answer each",
                                       "validate the entries first: POST /fhir/$validate");
    }
    return STEP_NEXT;
}
