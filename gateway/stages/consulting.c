/* gateway/stages/consulting.c -- the request of a consult, and for whom it may be asked. */
#include "gateway/stages/consulting.h"

#include "consent/purpose.h"
#include "gateway/auth/clients.h"
#include "gateway/stages/stages.h"

#define CONSENT_SCOPE "http://terminology.hl7.org/CodeSystem/consentscope"
#define RESOURCE_TYPE "http://hl7.org/fhir/resource-types"
#define MOST_TEXT     1000u

static bool
no(const char **why, const char *text)
{
    *why = text;
    return false;
}

/* { system, value }, nothing else; the value is needed. */
static bool
read_identifier(const struct tape *t, tape_node node, struct arena *arena, struct identifier *out, const char **why)
{
    tape_node system = tape_member(t, node, SPAN("system")), value = tape_member(t, node, SPAN("value"));

    if (tape_kind(t, value) != TAPE_STRING || (system != TAPE_ABSENT && tape_kind(t, system) != TAPE_STRING)
        || tape_children(t, node) != 1u + (system != TAPE_ABSENT))
        return no(why, "an identifier is not { system, value }");
    out->system = tape_text(t, system, arena);
    out->value  = tape_text(t, value, arena);
    return (!span_empty(out->value) && out->value.length <= MOST_TEXT && out->system.length <= MOST_TEXT)
        || no(why, "an identifier is empty or too long");
}

static bool
read_identifiers(const struct tape *t, tape_node list, struct arena *arena, struct identifier *out, size_t most,
                 size_t *count, const char **why)
{
    if (tape_kind(t, list) != TAPE_ARRAY || tape_children(t, list) > most)
        return no(why, "patientId or actor is no list, or one that is too long");
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n))
        if (!read_identifier(t, n, arena, &out[(*count)++], why))
            return false;
    return true;
}

static bool
read_purposes(const struct tape *t, tape_node node, struct arena *arena, struct consulting *c, const char **why)
{
    bool one = tape_kind(t, node) == TAPE_STRING;

    if (!one && (tape_kind(t, node) != TAPE_ARRAY || tape_children(t, node) > CONSULT_PURPOSES))
        return no(why, "purposeOfUse is neither a code nor a list of at most 8");
    for (tape_node n = one ? node : tape_first(t, node); n != TAPE_ABSENT; n = one ? TAPE_ABSENT : tape_next(t, n)) {
        struct span code = tape_text(t, n, arena);
        if (purpose_of(code) == PURPOSE_NONE)
            return no(why, "a purposeOfUse is no code of v3-ActReason");
        c->purposes[c->purpose_count++] = code;
    }
    return true;
}

/* Q: those asked for may be of several systems; only the scope is one that excludes. */
static bool
read_categories(const struct tape *t, tape_node list, struct arena *arena, struct consulting *c, const char **why)
{
    bool scoped = false, privacy = false;

    if (tape_kind(t, list) != TAPE_ARRAY || tape_children(t, list) > 64)
        return no(why, "category is no list");
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        struct span code = tape_member_text(t, n, SPAN("code"), arena);
        if (span_empty(code))
            return no(why, "a category has no code");
        if (!tape_text_eq(t, tape_member(t, n, SPAN("system")), SPAN(CONSENT_SCOPE)))
            continue;
        scoped  = true;
        privacy = privacy || span_eq_text(code, "patient-privacy");
    }
    c->other_category = scoped && !privacy;
    return true;
}

static bool
read_classes(const struct tape *t, tape_node list, struct arena *arena, struct consulting *c, const char **why)
{
    if (tape_kind(t, list) != TAPE_ARRAY || tape_children(t, list) > CONSULT_CLASSES)
        return no(why, "class is no list of at most 16");
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        struct span code = tape_member_text(t, n, SPAN("code"), arena);
        if (span_empty(code))
            code = tape_member_text(t, n, SPAN("value"), arena);
        if (!tape_text_eq(t, tape_member(t, n, SPAN("system")), SPAN(RESOURCE_TYPE)) || !fhir_path(code, SPAN("x")))
            return no(why, "a class is no resource type of " RESOURCE_TYPE);
        c->classes[c->class_count++] = code;
    }
    return true;
}

static bool
read_patients(const struct tape *t, tape_node node, struct arena *arena, struct consulting *c, const char **why)
{
    if (tape_kind(t, node) != TAPE_STRING)
        return read_identifiers(t, node, arena, c->patients, CONSULT_PATIENTS, &c->patient_count, why)
            && (c->patient_count > 0 || no(why, "patientId names nobody"));
    c->patients[c->patient_count++] = (struct identifier){ .value = tape_text(t, node, arena) };
    return true;
}

static bool
read_context(const struct tape *t, tape_node context, struct arena *arena, struct consulting *c, const char **why)
{
    bool good = tape_kind(t, context) == TAPE_OBJECT || no(why, "there is no context");

    for (tape_node n = tape_first(t, context); n != TAPE_ABSENT && good; n = tape_next(t, n)) {
        struct span name = tape_text(t, tape_name(t, n), arena);
        if (span_eq_text(name, "patientId"))
            good = read_patients(t, n, arena, c, why);
        else if (span_eq_text(name, "actor"))
            good = read_identifiers(t, n, arena, c->actors, CONSULT_ACTORS, &c->actor_count, why);
        else if (span_eq_text(name, "purposeOfUse"))
            good = read_purposes(t, n, arena, c, why);
        else if (span_eq_text(name, "category"))
            good = read_categories(t, n, arena, c, why);
        else if (span_eq_text(name, "class"))
            good = read_classes(t, n, arena, c, why);
        else if (span_eq_text(name, "content"))
            c->content = true;
        else
            good = no(why, "the context has a member that is not known");
    }
    return good && (c->patient_count > 0 || no(why, "the context has no patientId"));
}

bool
consulting_read(const struct tape *t, struct arena *arena, struct consulting *out, const char **why)
{
    struct span instance = tape_member_text(t, TAPE_ROOT, SPAN("hookInstance"), arena);

    *why = NULL;
    if (!tape_text_eq(t, tape_member(t, TAPE_ROOT, SPAN("hook")), SPAN(CONSULT_SERVICE)))
        return no(why, "hook is not " CONSULT_SERVICE);
    if (span_empty(instance) || instance.length > MOST_TEXT)
        return no(why, "hookInstance is not there, or too long");
    return read_context(t, tape_member(t, TAPE_ROOT, SPAN("context")), arena, out, why);
}

/* ---- for whom ------------------------------------------------------------------------ */

static bool
is_of(const struct party *p, const struct identifier *id)
{
    for (size_t i = 0; i < p->identifier_count; i++)
        if (span_eq(p->identifiers[i].value, id->value) && span_eq(p->identifiers[i].system, id->system))
            return true;
    return span_empty(id->system) && !span_empty(p->reference) && span_eq(p->reference, id->value);
}

static bool
all_of(const struct party *p, const struct consulting *c)
{
    for (size_t i = 0; i < c->actor_count; i++)
        if (!is_of(p, &c->actors[i]))
            return false;
    return true;
}

static bool
covered(const struct consulting *c, const struct span *purposes, size_t count)
{
    for (size_t i = 0; i < c->purpose_count; i++)
        if (!purpose_within(c->purposes[i], purposes, count))
            return false;
    return true;
}

static void
take_purposes(struct consulting *c, const struct span *purposes, size_t count)
{
    for (size_t i = 0; i < count && c->purpose_count < CONSULT_PURPOSES && i < CONSULT_PURPOSES; i++)
        c->purposes[c->purpose_count++] = purposes[i];
}

/* Somebody whom the configuration knows by all of what is asked, or nobody in particular. */
static void
find_other(struct exchange *ex, struct consulting *c)
{
    const struct span *purposes = NULL;
    size_t             count    = 0;

    c->actor = (struct party){ .identifiers = c->actors, .identifier_count = c->actor_count };
    for (size_t i = 0; i < ex->config->recipient_count && span_empty(c->actor_name); i++)
        if (all_of(&ex->config->recipients[i].party, c)) {
            const struct config_recipient *r = &ex->config->recipients[i];
            c->actor      = r->party;
            c->actor_name = r->title;
            purposes      = r->purposes;
            count         = r->purpose_count;
        }
    for (size_t i = 0; i < ex->config->client_count && span_empty(c->actor_name); i++)
        if (all_of(&ex->config->clients[i].party, c)) {
            const struct config_client *r = &ex->config->clients[i];
            c->actor      = r->party;
            c->actor_name = r->title;
            purposes      = r->purposes;
            count         = r->purpose_count;
        }
    if (count > 0 && c->purpose_count > 0)
        c->astray = !covered(c, purposes, count);
    else if (c->purpose_count == 0)
        take_purposes(c, purposes, count);
    if (span_empty(c->actor_name))
        c->actor_name = arena_join(ex->arena, c->actors[0].system, SPAN("|"), c->actors[0].value);
}

enum step
consulting_who(struct exchange *ex)
{
    struct consulting          *c  = ex->consulting;
    const struct config_client *me = ex->asker;

    c->self = c->actor_count == 0 || all_of(&me->party, c);
    if (!c->self && !client_has(me, DUTY_CONSULT_FOR_OTHERS))
        return exchange_refuse_one(ex, 403, ISSUE_FORBIDDEN, "actor", "an actor is not this client",
                                   "leave actor empty to ask for yourself, or ask the operator for the duty "
                                   "`consult-for-others`");
    if (!c->self) {
        find_other(ex, c);
        return STEP_NEXT;
    }
    c->actor      = me->party;
    c->actor_name = me->title;
    if (!covered(c, me->purposes, me->purpose_count))
        return exchange_refuse_one(ex, 403, ISSUE_FORBIDDEN, "purposeOfUse",
                                   "a purpose is not one that this client is registered for",
                                   "the operator registers purposes: client { purpose }");
    if (c->purpose_count == 0)
        take_purposes(c, me->purposes, me->purpose_count);
    return STEP_NEXT;
}
