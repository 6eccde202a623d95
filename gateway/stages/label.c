/* gateway/stages/label.c -- resource -> labels, Part 2 status, evidence. */
#include "gateway/classify/classify.h"
#include "gateway/stages/stages.h"

/* A copy is held in the capacity in which it came.  A delivery that is decided later finds
 * that stored with it; where the configuration says something else by now, two
 * statements are none: it goes on by consent alone. */
static enum holder
holder_of_copy(const struct exchange *ex)
{
    bool same = ex->due == NULL || span_eq_text(ex->due->holder, holder_code(ex->client->holder));

    return same ? ex->client->holder : HOLDER_SPECIFIC_CONSENT;
}

void
facts_of_sender(struct exchange *ex)
{
    const struct config_client *client = ex->client;

    ex->facts               = class_facts(ex->config, client, ex->at_ms);
    ex->facts.holder        = holder_of_copy(ex);
    ex->facts.jurisdictions = (struct jurisdictions){
        .service = client->jurisdictions, .service_count = client->jurisdiction_count,
        .custodian = client->jurisdictions, .custodian_count = client->jurisdiction_count };
    ex->facts.packs         = ex->config->packs;
    ex->facts.pack_count    = ex->config->pack_count;
}

static enum step
enter(struct exchange *ex)
{
    if (ex->intake == INTAKE_METADATA || ex->intake == INTAKE_DELETE)
        return STEP_NEXT;
    facts_of_sender(ex);
    ex->facts.inspected = &ex->inspected;
    enum status st = label_bundle(ex->bundle, ex->references, &ex->facts, ex->arena, &ex->labeling);
    return st == ST_OK ? STEP_NEXT : exchange_fail(ex, st, "the resources could not be labelled");
}

const struct stage stage_label = { .name = "label", .pure = true, .enter = enter };
