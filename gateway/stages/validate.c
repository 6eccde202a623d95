/* gateway/stages/validate.c -- findings; errors answer, and nothing else happens.
 *
 * A batch is judged entry by entry (R4 http.html#transaction: the entries of
 * a batch are independent): bad entries get their own answer and are cut, the
 * rest goes on.  Everything else is accepted whole or not at all.
 */
#include "gateway/stages/stages.h"

#include "fhir/outcome.h"

static enum step answer_validate(struct exchange *);
static enum step split_batch(struct exchange *);

static enum step
enter(struct exchange *ex)
{
    if (ex->intake == INTAKE_METADATA || ex->intake == INTAKE_DELETE)
        return STEP_NEXT;
    struct validate_options options = {
        .profiles      = ex->config->packages.profiles,
        .profile_count = ex->config->packages.profile_count,
    };
    enum status st = validate(ex->gateway->pack, ex->bundle, &options, ex->arena, ex->issues);
    if (st != ST_OK)
        return exchange_fail(ex, st, "the resource could not be validated to its end");
    if (ex->intake == INTAKE_VALIDATE)
        return answer_validate(ex);
    if (!issues_have_errors(ex->issues))
        return form_accept(ex);
    if (ex->bundle->type == BUNDLE_BATCH)
        return split_batch(ex);
    return exchange_refuse(ex, 422);
}

const struct stage stage_validate = { .name = "validate", .pure = true, .enter = enter };

/* $validate answers 200 whatever it finds (R4 resource-operation-validate). */
static enum step
answer_validate(struct exchange *ex)
{
    if (outcome_print(ex->issues, &ex->answer_body, AUTHOR_COMPACT) != ST_OK)
        return exchange_fail(ex, ST_NO_MEMORY, "the findings did not fit");
    exchange_answer_json(ex, 200, buf_span(&ex->answer_body));
    return STEP_ANSWER;
}

/* "Bundle.entry[12].resource.code" -> 12; ENTRY_NONE: not about one entry. */
static uint32_t
entry_of_issue(const struct issue *issue)
{
    struct span at = issue->expression;
    uint64_t    n;

    if (!span_starts(at, SPAN("Bundle.entry[")))
        return ENTRY_NONE;
    at = span_skip(at, sizeof "Bundle.entry[" - 1);
    return span_to_u64(span_split(&at, ']'), &n) ? (uint32_t)n : ENTRY_NONE;
}

static enum step
split_batch(struct exchange *ex)
{
    uint32_t count = ex->bundle->count;

    ex->entries     = arena_make_n(ex->arena, count, struct intake_entry);
    ex->entry_count = count;
    struct issues **of = arena_make_n(ex->arena, count, struct issues *);
    if (ex->entries == NULL || of == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    for (uint32_t i = 0; i < issues_count(ex->issues); i++) {
        const struct issue *issue = issues_at(ex->issues, i);
        uint32_t            entry = entry_of_issue(issue);
        bool                error = issue->severity <= SEVERITY_ERROR;
        if (entry >= count) {
            if (error)
                return exchange_refuse(ex, 422);         /* the Bundle itself is wrong */
            continue;
        }
        if (of[entry] == NULL)
            of[entry] = issues_new(ex->arena, 32);
        if (of[entry] != NULL)
            issues_add(of[entry], issue);
        if (error) {
            ex->entries[entry].status = 422;
            ex->entries[entry].issues = of[entry];
        }
    }
    /* Findings that no longer fitted into the sink could hide an error. */
    return issues_dropped(ex->issues) > 0 ? exchange_refuse(ex, 422) : form_accept(ex);
}
