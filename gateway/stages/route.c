/* gateway/stages/route.c -- which recipients want this. */
#include "gateway/stages/stages.h"

#include "gateway/auth/clients.h"

static bool
wanted(const struct exchange *ex, uint32_t recipient)
{
    uint32_t me = client_index(ex->config, ex->client);

    for (size_t r = 0; r < ex->config->route_count; r++) {
        const struct config_route *route = &ex->config->routes[r];
        bool from = false, to = false;
        for (size_t i = 0; i < route->from_count; i++)
            from = from || route->from[i] == me;
        for (size_t i = 0; i < route->to_count; i++)
            to = to || route->to[i] == recipient;
        if (from && to)
            return true;
    }
    return false;
}

/* What the recipient does not take is not for it: no release, and no denial
 * either, since nothing about the patient decided it. */
static bool
takes(const struct exchange *ex, const struct config_recipient *recipient)
{
    bool        single = ex->intake == INTAKE_UPDATE
                      || (ex->intake == INTAKE_CREATE && !span_eq_text(ex->path_type, "Bundle"));
    const char *kind   = single ? "resource" : bundle_type_text(ex->bundle->type);

    for (size_t i = 0; i < recipient->deliver_count; i++)
        if (span_eq_text(recipient->deliver[i], kind) || (single && span_eq_text(recipient->deliver[i], "transaction")))
            return true;
    return recipient->deliver_count == 0;
}

static enum step
enter(struct exchange *ex)
{
    if (ex->intake == INTAKE_METADATA || ex->intake == INTAKE_DELETE)
        return STEP_NEXT;
    if (ex->bundle->count == 0)
        return STEP_NEXT;                /* deletions alone: there is nothing to send, and nothing withheld */
    ex->outgoing = arena_make_n(ex->arena, ex->config->recipient_count, struct outgoing);
    if (ex->outgoing == NULL && ex->config->recipient_count > 0)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    for (uint32_t i = 0; i < ex->config->recipient_count; i++) {
        if (!wanted(ex, i) || !takes(ex, &ex->config->recipients[i]))
            continue;
        struct outgoing *out = &ex->outgoing[ex->outgoing_count++];
        out->recipient       = &ex->config->recipients[i];
        out->recipient_index = i;
        out->exchange        = ex;
        out->patient         = ex->patient;
    }
    return STEP_NEXT;
}

const struct stage stage_route = { .name = "route", .pure = true, .enter = enter };
