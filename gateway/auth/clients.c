#include "gateway/auth/clients.h"

const struct config_client *
client_by_certificate(const struct config *config, struct span common_name)
{
    if (span_empty(common_name))
        return NULL;
    for (size_t i = 0; i < config->client_count; i++)
        if (span_eq(config->clients[i].certificate_cn, common_name))
            return &config->clients[i];
    return NULL;
}

const struct config_client *
client_by_title(const struct config *config, struct span title)
{
    for (size_t i = 0; i < config->client_count; i++)
        if (span_eq(config->clients[i].title, title))
            return &config->clients[i];
    return NULL;
}

uint32_t
client_index(const struct config *config, const struct config_client *client)
{
    return (uint32_t)(client - config->clients);
}

static bool
grants(struct span letters, char right)
{
    if (span_eq_text(letters, "*"))
        return true;
    if (span_eq_text(letters, "read"))
        return right == 'r' || right == 's';
    if (span_eq_text(letters, "write"))
        return right == 'c' || right == 'u' || right == 'd';
    /* v2: a subset of c, r, u, d, s in that order; a query part narrows and
     * is not understood here, so it grants nothing. */
    static const char order[] = "cruds";
    const char       *next    = order;
    bool              found   = false;
    for (size_t i = 0; i < letters.length; i++) {
        while (*next != '\0' && *next != letters.at[i])
            next++;
        if (*next == '\0')
            return false;
        found = found || *next == right;
        next++;
    }
    return found;
}

static bool
scope_covers(struct span scope, char right, struct span type)
{
    if (!span_starts(scope, SPAN("system/")))
        return false;
    scope = span_skip(scope, sizeof "system/" - 1);
    struct span on    = span_split(&scope, '.');
    bool        named = span_eq_text(type, "AuditEvent")
                     || (span_eq_text(type, "Consent") && (right == 'r' || right == 's'));
    bool        any   = span_eq_text(on, "*") && !named;
    return (any || span_eq(on, type)) && grants(scope, right);
}

bool
scope_grants(struct span scope)
{
    struct span rest = span_skip(scope, sizeof "system/" - 1);
    struct span type = span_split(&rest, '.');

    for (const char *right = "cruds"; *right != '\0'; right++)
        if (!span_empty(type) && scope_covers(scope, *right, type))
            return true;
    return false;
}

bool
client_may(const struct config_client *client, char right, struct span type)
{
    for (size_t i = 0; i < client->scope_count; i++)
        if (scope_covers(client->scopes[i], right, type))
            return true;
    return false;
}

bool
client_has(const struct config_client *client, enum duty duty)
{
    static const char *const words[] = {
        [DUTY_NONE] = "", [DUTY_COMPLIANCE] = "compliance", [DUTY_CONSULT] = "consult",
        [DUTY_CONSULT_FOR_OTHERS] = "consult-for-others",
    };

    for (size_t i = 0; i < client->duty_count; i++)
        if (span_eq_text(client->duties[i], words[duty]))
            return true;
    return false;
}

bool
client_sees(const struct config_client *client, struct span source)
{
    return span_eq(client->title, source) || client_has(client, DUTY_COMPLIANCE);
}
