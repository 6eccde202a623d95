/* gateway/stages/validate.c -- tape x definitions -> findings.
 *
 * What they mean is the business of stage judge.  With a terminology server
 * the run notes what the definitions leave undecided; it may run a second time,
 * with the answers, and then finds everything anew.
 */
#include "gateway/stages/stages.h"

#include "gateway/terminology/server.h"

static enum status validate_body(struct exchange *);
static bool        may_ask(struct exchange *);

static enum step
enter(struct exchange *ex)
{
    if (ex->intake == INTAKE_METADATA || ex->intake == INTAKE_DELETE || ex->to_validate.mode == MODE_DELETE)
        return STEP_NEXT;
    if (ex->revoking != NULL)
        return STEP_NEXT;                /* what was taken once is not refused when it is revoked */
    enum status st = may_ask(ex) ? validate_body(ex) : ST_NO_MEMORY;
    return st == ST_OK ? STEP_NEXT : exchange_fail(ex, st, "the resource could not be validated to its end");
}

const struct stage stage_validate = { .name = "validate", .pure = true, .enter = enter };

/* Sets up what two runs need, when there is somebody to ask; false: no memory. */
static bool
may_ask(struct exchange *ex)
{
    if (ex->gateway->terminology == NULL || span_empty(ex->config->terminology.url))
        return true;
    if (ex->terms == NULL) {
        ex->parsed = ex->issues;
        ex->terms  = term_questions_new(ex->arena);
        if (ex->terms == NULL)
            return false;
        ex->terms->recall = terminology_recall;
        ex->terms->caller = ex->gateway->terminology;
    }
    ex->issues = issues_copy(ex->parsed);
    return ex->issues != NULL;
}

struct validate_options
asked_of_all(const struct exchange *ex)
{
    return (struct validate_options){ .profiles      = ex->config->packages.profiles,
                                      .profile_count = ex->config->packages.profile_count,
                                      .consents_enforced = true,
                                      .questions     = ex->terms,
                                      .now_ms        = ex->at_ms };
}

/* The same, and the profiles that a $validate names and that are here. */
static enum status
validate_body(struct exchange *ex)
{
    struct validate_options options  = asked_of_all(ex);
    size_t                  most     = options.profile_count + ex->to_validate.profile_count;
    struct span            *profiles = arena_make_n(ex->arena, most, struct span);

    if (profiles == NULL && most > 0)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < options.profile_count; i++)
        profiles[i] = options.profiles[i];
    for (size_t i = 0; i < ex->to_validate.profile_count; i++)
        if (!span_empty(pack_profile_type(ex->config->pack, ex->to_validate.profiles[i])))
            profiles[options.profile_count++] = ex->to_validate.profiles[i];
    options.profiles = profiles;
    return validate(ex->config->pack, ex->bundle, &options, ex->arena, ex->issues);
}
