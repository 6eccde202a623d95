/* gateway/stages/auditing.c -- which AuditEvents a read or a search asks for.  Pure. */
#include "gateway/stages/auditing.h"

#include "fhir/reference.h"
#include "gateway/stages/stages.h"

#define MOST_EVENTS 200u

static bool
no(const char **why, const char *text)
{
    *why = text;
    return false;
}

/* ---- parameters ------------------------------------------------------------------- */

/* R4 search.html#token: code, system|code, |code, system|; a comma is an or. */
static bool
take_token(struct audit_token *t, struct span value, const char **why)
{
    if (t->count > 0)
        return no(why, "a parameter is there twice");
    while (value.at != NULL) {
        struct span       code = span_split(&value, ',');
        size_t            bar  = span_find_byte(code, '|');
        struct audit_code one  = { .any_system = bar == SPAN_NOT_FOUND };
        one.system = one.any_system ? (struct span){ NULL, 0 } : span_first(code, bar);
        one.code   = one.any_system ? code : span_skip(code, bar + 1);
        if (t->count == AUDIT_CODES || (span_empty(one.code) && span_empty(one.system)))
            return no(why, "a parameter is no list of up to eight codes, system|code or code");
        t->codes[t->count++] = one;
    }
    return true;
}

static bool
take_reference(const struct auditing *a, struct audit_reference *r, bool identifier, struct span value, const char **why)
{
    struct span base, type, id;
    size_t      bar = span_find_byte(value, '|');

    if (r->asked)
        return no(why, "a reference is asked for twice");
    r->asked = true;
    if (identifier) {
        r->any_system = bar == SPAN_NOT_FOUND;
        r->system     = r->any_system ? (struct span){ NULL, 0 } : span_first(value, bar);
        r->value      = r->any_system ? value : span_skip(value, bar + 1);
        return !span_empty(r->value) || no(why, "`:identifier` has no value");
    }
    r->any_system = true;
    r->value = r->text = value;
    if (reference_split(value, &base, &type, &id) && !span_empty(base) && base_is_of(base, a->host))
        r->text = span_skip(value, (size_t)(type.at - value.at));
    return true;
}

/* Who is known by an identifier alone stands in the log as REFERENCE_PATIENT_NAME (decision 0040). */
static bool
take_patient(struct auditing *a, bool identifier, struct arena *arena, struct span value, const char **why)
{
    if (!identifier)
        return reading_patient(value, a->host, arena, &a->patient, why);
    if (!span_empty(a->patient))
        return no(why, "`patient` is there twice");
    if (span_find_byte(value, '|') == SPAN_NOT_FOUND)
        return no(why, "`patient:identifier` is not system|value");
    a->patient = arena_join(arena, SPAN(REFERENCE_PATIENT_NAME), value);
    return true;
}

static bool
take_date(struct auditing *a, struct span value, const char **why)
{
    if (a->date_count == READING_PERIODS)
        return no(why, "`date` is there more than four times");
    if (!period_read(value, &a->dates[a->date_count]))
        return no(why, "`date` is no date with a prefix eq, ne, gt, lt, ge, le, sa or eb");
    a->date_count++;
    return true;
}

static bool
take_count(struct auditing *a, struct span value, const char **why)
{
    uint64_t n;

    if (a->counted)
        return no(why, "`_count` is there twice");
    if (!span_to_u64(value, &n))
        return no(why, "`_count` is no number");
    a->counted = true;
    a->count   = n < MOST_EVENTS ? (uint32_t)n : MOST_EVENTS;
    return true;
}

static bool
take_page(struct auditing *a, struct span value, const char **why)
{
    struct span at = span_split(&value, '-');
    uint64_t    ms, position;

    if (a->paged || !span_to_u64(at, &ms) || !span_to_u64(value, &position) || ms > INT64_MAX || position > INT64_MAX)
        return no(why, "`page` is none of ours");
    a->paged  = true;
    a->before = (struct leaf_place){ (int64_t)ms, (int64_t)position };
    return true;
}

static bool
take_id(struct auditing *a, struct span value, const char **why)
{
    if (!span_empty(a->id) || !fhir_path(SPAN("AuditEvent"), value))
        return no(why, "`_id` is not one id");
    a->id = value;
    return true;
}

static bool
take_named(struct auditing *a, struct arena *arena, struct span name, struct span value, const char **why)
{
    static const char *const tokens[AUDIT_TOKENS] = {
        [AUDIT_TYPE] = "type", [AUDIT_SUBTYPE] = "subtype", [AUDIT_OUTCOME] = "outcome", [AUDIT_ACTION] = "action",
        [AUDIT_PURPOSE] = "purpose",
    };
    const struct { const char *name; struct audit_reference *to; } references[] = {
        { "agent", &a->agent }, { "entity", &a->entity }, { "source", &a->source },
    };
    struct span modifier = name;
    struct span plain    = span_split(&modifier, ':');
    bool        by_name  = span_eq_text(modifier, "identifier");

    for (size_t i = 0; i < AUDIT_TOKENS && modifier.at == NULL; i++)
        if (span_eq_text(name, tokens[i]))
            return take_token(&a->tokens[i], value, why);
    if (modifier.at != NULL && !by_name)
        return no(why, "a modifier is not one that is taken here");
    if (span_eq_text(plain, "patient"))
        return take_patient(a, by_name, arena, value, why);
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++)
        if (span_eq_text(plain, references[i].name))
            return take_reference(a, references[i].to, by_name, value, why);
    return no(why, "a parameter is not one that AuditEvents are searched by here");
}

bool
auditing_take(struct auditing *a, struct arena *arena, struct span name, struct span value, const char **why)
{
    *why = NULL;
    if (span_eq_text(name, "_format") || span_eq_text(name, "_pretty"))
        return true;
    if (span_empty(value))
        return no(why, "a parameter has no value");
    if (span_eq_text(name, "date"))
        return take_date(a, value, why);
    if (span_eq_text(name, "_count"))
        return take_count(a, value, why);
    if (span_eq_text(name, "page"))
        return take_page(a, value, why);
    if (span_eq_text(name, "_id"))
        return take_id(a, value, why);
    if (span_eq_text(name, "_sort"))
        return span_eq_text(value, "-date") || no(why, "`_sort` is -date alone");
    if (!span_eq_text(name, "agent-name"))
        return take_named(a, arena, name, value, why);
    if (!span_empty(a->agent_name))
        return no(why, "`agent-name` is there twice");
    a->agent_name = value;
    return true;
}

struct span
auditing_page(struct arena *arena, struct leaf_place place)
{
    return arena_format(arena, "%lld-%lld", (long long)place.at_ms, (long long)place.position);
}

/* ---- what fits ---------------------------------------------------------------------- */

void
auditing_span(const struct auditing *a, int64_t *from_ms, int64_t *to_ms)
{
    *from_ms = INT64_MIN;
    *to_ms   = INT64_MAX;
    for (size_t i = 0; i < a->date_count; i++) {
        struct time_range r = a->dates[i].range;
        enum prefix       p = a->dates[i].prefix;
        int64_t first = p == PREFIX_EQ || p == PREFIX_GE ? r.first_ms : p == PREFIX_GT || p == PREFIX_SA ? r.last_ms : INT64_MIN;
        int64_t last  = p == PREFIX_EQ || p == PREFIX_LE ? r.last_ms : p == PREFIX_LT || p == PREFIX_EB ? r.first_ms : INT64_MAX;
        *from_ms = first > *from_ms ? first : *from_ms;
        *to_ms   = last < *to_ms ? last : *to_ms;
    }
}

bool
auditing_dates(const struct auditing *a, int64_t at_ms)
{
    for (size_t i = 0; i < a->date_count; i++)
        if (!period_matches(a->dates[i], (struct time_range){ at_ms, at_ms }))
            return false;
    return true;
}

/* R4 search.html#string: how it begins, small or capital. */
bool
auditing_name(const struct auditing *a, struct span recipient)
{
    return span_eq_nocase(span_first(recipient, a->agent_name.length), a->agent_name);
}

static bool
code_fits(const struct audit_token *asked, struct span system, struct span code)
{
    for (size_t i = 0; i < asked->count; i++) {
        const struct audit_code *one = &asked->codes[i];
        if ((one->any_system || span_eq(one->system, system)) && (span_empty(one->code) || span_eq(one->code, code)))
            return true;
    }
    return asked->count == 0;
}

static bool
coding_fits(const struct audit_token *asked, const struct tape *t, tape_node coding, struct arena *arena)
{
    return code_fits(asked, tape_member_text(t, coding, SPAN("system"), arena),
                     tape_member_text(t, coding, SPAN("code"), arena));
}

static bool
subtype_fits(const struct audit_token *asked, const struct tape *t, struct arena *arena)
{
    for (tape_node c = tape_first(t, tape_member(t, TAPE_ROOT, SPAN("subtype"))); c != TAPE_ABSENT; c = tape_next(t, c))
        if (coding_fits(asked, t, c, arena))
            return true;
    return asked->count == 0;
}

static bool
purpose_fits(const struct audit_token *asked, const struct tape *t, struct arena *arena)
{
    tape_node p = tape_first(t, tape_member(t, TAPE_ROOT, SPAN("purposeOfEvent")));

    for (; p != TAPE_ABSENT; p = tape_next(t, p))
        for (tape_node c = tape_first(t, tape_member(t, p, SPAN("coding"))); c != TAPE_ABSENT; c = tape_next(t, c))
            if (coding_fits(asked, t, c, arena))
                return true;
    return asked->count == 0;
}

/* A reference that names no version means any. */
static bool
text_fits(struct span asked, struct span has)
{
    size_t version = span_find(has, SPAN("/_history/"));

    return !span_empty(has)
        && (span_eq(asked, has) || (version != SPAN_NOT_FOUND && span_eq(asked, span_first(has, version))));
}

static bool
reference_fits(const struct audit_reference *asked, const struct tape *t, tape_node reference, struct arena *arena)
{
    tape_node   identifier = tape_member(t, reference, SPAN("identifier"));
    struct span value      = tape_member_text(t, identifier, SPAN("value"), arena);

    if (!span_empty(asked->text) && text_fits(asked->text, tape_member_text(t, reference, SPAN("reference"), arena)))
        return true;
    return !span_empty(value) && span_eq(asked->value, value)
        && (asked->any_system || span_eq(asked->system, tape_member_text(t, identifier, SPAN("system"), arena)));
}

static bool
any_fits(const struct audit_reference *asked, const struct tape *t, const char *list, const char *member, struct arena *arena)
{
    tape_node one = tape_first(t, tape_member(t, TAPE_ROOT, span_of(list)));

    for (; asked->asked && one != TAPE_ABSENT; one = tape_next(t, one))
        if (reference_fits(asked, t, tape_member(t, one, span_of(member)), arena))
            return true;
    return !asked->asked;
}

bool
auditing_fits(const struct auditing *a, const struct tape *t, struct arena *arena)
{
    tape_node   observer = tape_member(t, tape_member(t, TAPE_ROOT, SPAN("source")), SPAN("observer"));
    struct span outcome  = tape_member_text(t, TAPE_ROOT, SPAN("outcome"), arena);
    struct span action   = tape_member_text(t, TAPE_ROOT, SPAN("action"), arena);

    return coding_fits(&a->tokens[AUDIT_TYPE], t, tape_member(t, TAPE_ROOT, SPAN("type")), arena)
        && subtype_fits(&a->tokens[AUDIT_SUBTYPE], t, arena)
        && code_fits(&a->tokens[AUDIT_OUTCOME], SPAN("http://terminology.hl7.org/CodeSystem/audit-event-outcome"), outcome)
        && code_fits(&a->tokens[AUDIT_ACTION], SPAN("http://hl7.org/fhir/audit-event-action"), action)
        && purpose_fits(&a->tokens[AUDIT_PURPOSE], t, arena)
        && any_fits(&a->agent, t, "agent", "who", arena) && any_fits(&a->entity, t, "entity", "what", arena)
        && (!a->source.asked || reference_fits(&a->source, t, observer, arena));
}
