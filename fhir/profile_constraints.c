/* fhir/profile_constraints.c -- invariants: FHIRPath of the definitions, run on a value.
 *
 *   I1  false is an error, or a warning when the definition says so
 *   I2  best practices are not asked
 *   I3  an expression that cannot be evaluated is said as a warning and counts
 *       as neither; one that takes more than its budget is what I1 says, so
 *       that nobody spends the budget to be accepted unseen
 */
#include "fhir/fhirpath.h"
#include "fhir/profile_run.h"
#include "fhir/xhtml.h"

static struct fhirpath_item
focus_of(const struct profiling *r, const struct spot *spot)
{
    if (spot->type == NULL || spot->type->kind == TYPE_RESOURCE)
        return spot->shape != PACK_NONE ? fhirpath_object(spot->shape, spot->value) : fhirpath_resource(r->pack, r->tape, spot->value);
    if (spot->type->kind == TYPE_PRIMITIVE)
        return fhirpath_primitive((enum primitive)spot->type->primitive, spot->value, spot->shadow);
    return fhirpath_object(spot->shape, spot->value);
}

/* ---- what FHIRPath asks back ---------------------------------------------------------------- */

static struct spot
spot_of(const struct fhirpath_item *item)
{
    return (struct spot){ .value = item->node, .shadow = item->shadow, .shape = item->shape };
}

static enum fhirpath_truth
member_of(void *caller, const struct fhirpath_item *item, struct span value_set)
{
    struct profiling *r    = caller;
    struct spot       spot = spot_of(item);

    if (item->kind != FHIRPATH_NODE || item->node == TAPE_ABSENT)
        return FHIRPATH_FAILED;
    enum term_verdict verdict = profile_member(r, value_set, &spot);
    return verdict == TERM_IN ? FHIRPATH_TRUE : verdict == TERM_OUT ? FHIRPATH_FALSE : FHIRPATH_FAILED;
}

static enum fhirpath_truth
conforms_to(void *caller, const struct fhirpath_item *item, struct span canonical)
{
    struct profiling *r       = caller;
    uint32_t          profile = pack_profile_named(r->pack, canonical);
    struct spot       spot    = spot_of(item);

    if (item->kind != FHIRPATH_NODE || item->node == TAPE_ABSENT || profile == PACK_NONE)
        return FHIRPATH_FAILED;
    return profile_fits(r, profile, &spot) ? FHIRPATH_TRUE : FHIRPATH_FALSE;
}

static enum fhirpath_truth
html_checks(void *caller, const struct fhirpath_item *item)
{
    struct profiling *r = caller;

    if (item->kind != FHIRPATH_NODE || tape_kind(r->tape, item->node) != TAPE_STRING)
        return FHIRPATH_FAILED;
    return xhtml_check(tape_text(r->tape, item->node, r->arena), NULL, NULL) ? FHIRPATH_TRUE : FHIRPATH_FALSE;
}

static bool
resolve(void *caller, struct span reference, struct fhirpath_item *out)
{
    struct profiling *r      = caller;
    tape_node         target = profile_resolve_text(r, r->from, reference);

    if (target == TAPE_ABSENT)
        return false;
    *out = fhirpath_resource(r->pack, r->tape, target);
    return true;
}

static const struct fhirpath_calls calls = { .resolve = resolve, .member_of = member_of, .conforms_to = conforms_to, .html_checks = html_checks };

/* ---- invariants ----------------------------------------------------------------------------------- */

static void
tell(struct profiling *r, const struct pack_node *n, const struct pack_constraint *one, enum fhirpath_truth truth, struct fhirpath_failure why)
{
    if (truth == FHIRPATH_FAILED)
        profile_tell(r, arena_format(r->arena, "want %.*s: %.*s", SPAN_PRINT(profile_place(r, n)), SPAN_PRINT(pack_span(r->pack, one->human))),
                     arena_format(r->arena, "it cannot be decided here: %s", fhirpath_failure_text(why.why)), PROFILE_NOTHING);
    else
        profile_tell(r, arena_format(r->arena, "want %.*s: %.*s", SPAN_PRINT(profile_place(r, n)), SPAN_PRINT(pack_span(r->pack, one->human))),
                     SPAN("it does not hold"), PROFILE_NOTHING);
}

/* Met is what is true: empty is as false is, as for HL7's validators. */
static void
check(struct profiling *r, const struct pack_node *n, const struct pack_constraint *one, struct fhirpath_context *context)
{
    struct fhirpath_failure why   = { 0 };
    enum fhirpath_truth     truth = fhirpath_true(pack_program(r->pack, one->program, one->program_words), context, r->arena, &why);

    if (truth == FHIRPATH_TRUE)
        return;
    bool          undecided = truth == FHIRPATH_FAILED && why.why != FHIRPATH_FAILED_BUDGET;
    enum severity severity  = undecided || (one->flags & CONSTRAINT_WARNING) ? SEVERITY_WARNING : SEVERITY_ERROR;
    if (profile_wrong(r, n, context->focus.node != TAPE_ABSENT ? context->focus.node : context->focus.shadow, severity, ISSUE_INVARIANT,
                      r->pack->texts + one->key.offset))
        tell(r, n, one, truth, why);
}

/* Those of a node that are left when the ones that hold at a glance are taken off. */
static bool
has_work(struct profiling *r, const struct pack_constraint *one, const struct spot *spot)
{
    return one->program_words > 0 && !(one->flags & (CONSTRAINT_BEST_PRACTICE | CONSTRAINT_NATIVE))
        && !profile_holds_at_a_glance(r, one, spot);
}

bool
profile_expression(struct profiling *r, uint32_t resource, struct fhirpath_item focus, struct fhirpath_context *out)
{
    if (resource == ENTRY_NONE)
        return false;
    const struct bundle_resource *mine  = bundle_resource_at(r->bundle, resource);
    uint32_t                      whole = tape_count(r->tape);
    *out = (struct fhirpath_context){
        .pack = r->pack, .tape = r->tape, .focus = focus, .resource = mine->node,
        .root_resource = bundle_resource_at(r->bundle, mine->container)->node, .calls = &calls, .caller = r,
        /* As large as the document asks for; together they share a budget. */
        .max_steps = whole > UINT32_MAX / 64 ? UINT32_MAX : FHIRPATH_STEPS + 32 * whole, .max_bytes = FHIRPATH_BYTES + (size_t)128 * whole,
        .steps_left = &r->expression_steps, .now_ms = r->now_ms,
    };
    r->from = resource;
    return true;
}

static bool
context_of(struct profiling *r, const struct pack_node *n, const struct spot *spot, struct fhirpath_context *out)
{
    tape_node node     = spot->value != TAPE_ABSENT ? spot->value : spot->shadow;
    uint32_t  resource = bundle_resource_index(r->bundle, node);

    /* An element that is a resource is asked by the one around it. */
    if (resource != ENTRY_NONE && n->element != PACK_NONE && bundle_resource_at(r->bundle, resource)->node == node)
        resource = bundle_resource_at(r->bundle, resource)->up;
    return profile_expression(r, resource, focus_of(r, spot), out);
}

void
profile_constraints(struct profiling *r, const struct pack_node *n, const struct spot *spot)
{
    struct fhirpath_context context;
    bool                    ready = false;

    for (uint32_t i = 0; i < n->constraint_count && !profile_ended(r); i++) {
        const struct pack_constraint *one = &r->pack->constraints[n->first_constraint + i];
        if (!has_work(r, one, spot))
            continue;
        if (!ready && !context_of(r, n, spot, &context))
            return;
        ready = true;
        r->outside += (one->flags & CONSTRAINT_AROUND) != 0;
        check(r, n, one, &context);
    }
}
