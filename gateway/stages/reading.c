/* gateway/stages/reading.c -- the parameters of a read or a search.  Pure. */
#include "gateway/stages/reading.h"

#include "fhir/reference.h"
#include "gateway/http/query.h"
#include "gateway/stages/stages.h"

#define CONSENT_STATES "http://hl7.org/fhir/consent-state-codes"
#define MOST_ENTRIES   200u

static bool
no(const char **why, const char *text)
{
    *why = text;
    return false;
}

bool
base_is_of(struct span base, struct span host)
{
    static const char *const schemes[] = { "https://", "http://" };

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (span_starts(base, span_of(schemes[i]))) {
            base = span_skip(base, strlen(schemes[i]));
            return base.length == host.length + 5 && span_eq_nocase(span_first(base, host.length), host)
                && span_eq_text(span_skip(base, host.length), "/fhir");
        }
    return span_empty(base);
}

bool
base_is_ours(const struct exchange *ex, struct span base)
{
    return base_is_of(base, http_request_header(ex->request, SPAN("Host")));
}

/* R4 operationoutcome.html: "http." and the name of the parameter. */
enum step
query_refuse(struct exchange *ex, struct span name, enum issue_code code, const char *what, const char *hint)
{
    bool plain = !span_empty(name) && name.length <= 64;

    for (size_t i = 0; i < name.length && plain; i++)
        plain = (name.at[i] >= 'a' && name.at[i] <= 'z') || (name.at[i] >= 'A' && name.at[i] <= 'Z') || name.at[i] == '_'
             || name.at[i] == ':' || name.at[i] == '-' || (name.at[i] >= '0' && name.at[i] <= '9');
    (void)issues_add(ex->issues, &(struct issue){
        .severity = SEVERITY_ERROR, .code = code, .rule = "parameters", .wanted = span_of(what), .hint = span_of(hint), .times = 1,
        .expression = plain ? arena_join(ex->arena, SPAN("http."), name) : SPAN("http.query") });
    return exchange_refuse(ex, 400);
}

bool
reading_patient(struct span value, struct span host, struct arena *arena, struct span *patient, const char **why)
{
    struct span base, type, id;
    bool        whole = reference_split(value, &base, &type, &id);

    if (!span_empty(*patient))
        return no(why, "`patient` is there twice");
    if (span_find(value, SPAN("/_history")) != SPAN_NOT_FOUND)
        return no(why, "`patient` names a version; a reference here is Patient/id");
    if (whole ? !span_eq_text(type, "Patient") : !fhir_path(SPAN("Patient"), value))
        return no(why, "`patient` is no reference to a Patient and no id");
    *patient = whole && !base_is_of(base, host) ? value    /* whom nothing here is about */
                                                : arena_join(arena, SPAN("Patient/"), whole ? id : value);
    return true;
}

static bool
take_actor(struct reading *r, struct span value, const char **why)
{
    if (!span_empty(r->actor_id))
        return no(why, "`actor` is there twice");
    if (span_find(value, SPAN("/_history")) != SPAN_NOT_FOUND)
        return no(why, "`actor` names a version; a reference here is Type/id");
    if (reference_split(value, &r->actor_base, &r->actor_type, &r->actor_id)) {
        if (base_is_of(r->actor_base, r->host))
            r->actor_base = (struct span){ NULL, 0 };
        return true;
    }
    r->actor_type = (struct span){ NULL, 0 };
    r->actor_id   = value;
    return fhir_path(SPAN("Any"), value) || no(why, "`actor` is no reference and no id");
}

/* R4 search.html#token: code, |code, system|code; a comma is an or. */
static bool
take_status(struct reading *r, struct span value, const char **why)
{
    if (r->status_count > 0)
        return no(why, "`status` is there twice");
    while (value.at != NULL) {
        struct span code   = span_split(&value, ',');
        size_t      bar    = span_find_byte(code, '|');
        struct span system = bar == SPAN_NOT_FOUND ? (struct span){ NULL, 0 } : span_first(code, bar);
        if (bar != SPAN_NOT_FOUND)
            code = span_skip(code, bar + 1);
        if (span_empty(code) || (!span_empty(system) && !span_eq_text(system, CONSENT_STATES))
            || r->status_count == READING_STATUSES)
            return no(why, "`status` is no list of codes of " CONSENT_STATES);
        r->statuses[r->status_count++] = code;
    }
    return r->status_count > 0 || no(why, "`status` is empty");
}

/* R4 search.html#prefix; `ap` is nowhere defined to a number. */
bool
period_read(struct span value, struct period_asked *out)
{
    static const char *const words[] = { "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb" };

    out->prefix = PREFIX_EQ;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (span_starts(value, span_of(words[i]))) {
            out->prefix = (enum prefix)i;
            value       = span_skip(value, 2);
            break;
        }
    return time_range_read(value, &out->range);
}

static bool
take_period(struct reading *r, struct span value, const char **why)
{
    if (r->period_count == READING_PERIODS)
        return no(why, "`period` is there more than four times");
    if (!period_read(value, &r->periods[r->period_count]))
        return no(why, "`period` is no date with a prefix eq, ne, gt, lt, ge, le, sa or eb");
    r->period_count++;
    return true;
}

/* R4 search.html#prefix, in its words: "above" and "below" are what lies outside of the range asked for. */
bool
period_matches(struct period_asked asked, struct time_range has)
{
    struct time_range want   = asked.range;
    bool              inside = want.first_ms <= has.first_ms && has.last_ms <= want.last_ms;

    switch (asked.prefix) {
    case PREFIX_EQ: return inside;
    case PREFIX_NE: return !inside;
    case PREFIX_GT: return has.last_ms > want.last_ms;
    case PREFIX_LT: return has.first_ms < want.first_ms;
    case PREFIX_GE: return has.last_ms > want.last_ms || inside;
    case PREFIX_LE: return has.first_ms < want.first_ms || inside;
    case PREFIX_SA: return has.first_ms > want.last_ms;
    case PREFIX_EB: return has.last_ms < want.first_ms;
    }
    return false;
}

static bool
take_page(struct reading *r, struct span value, const char **why)
{
    uint64_t n;

    if (!fhir_path(SPAN("Consent"), value) || !span_empty(r->page))
        return no(why, "`page` is none of ours");
    r->page = value;
    if (r->version == 0 && span_to_u64(value, &n) && n <= INT64_MAX)
        r->version = (int64_t)n;
    return true;
}

static bool
take_count(struct reading *r, struct span value, const char **why)
{
    uint64_t n;

    if (r->counted)
        return no(why, "`_count` is there twice");
    if (!span_to_u64(value, &n))
        return no(why, "`_count` is no number");
    r->counted = true;
    r->count = n < MOST_ENTRIES ? (uint32_t)n : MOST_ENTRIES;
    return true;
}

bool
reading_take(struct reading *r, struct arena *arena, struct span name, struct span value, const char **why)
{
    *why = NULL;
    if (span_eq_text(name, "_format") || span_eq_text(name, "_pretty"))
        return true;
    if (span_empty(value))
        return no(why, "a parameter has no value");
    if (span_eq_text(name, "patient"))
        return reading_patient(value, r->host, arena, &r->patient, why);
    if (span_eq_text(name, "actor"))
        return take_actor(r, value, why);
    if (span_eq_text(name, "status"))
        return take_status(r, value, why);
    if (span_eq_text(name, "period"))
        return take_period(r, value, why);
    if (span_eq_text(name, "_count"))
        return take_count(r, value, why);
    if (span_eq_text(name, "page"))
        return take_page(r, value, why);
    if (!span_eq_text(name, "_id"))
        return no(why, "a parameter is not one that Consents are searched by here");
    if (!span_empty(r->id) || !fhir_path(SPAN("Consent"), value))
        return no(why, "`_id` is not one id");
    r->id = value;
    return true;
}

static struct reading *
reading_of(struct exchange *ex)
{
    if (ex->reading == NULL)
        ex->reading = arena_make(ex->arena, struct reading);
    if (ex->reading != NULL)
        ex->reading->count = ex->reading->count == 0 ? 50 : ex->reading->count;
    return ex->reading;
}

enum step
reading_version(struct exchange *ex, struct span version)
{
    struct reading *r = reading_of(ex);
    uint64_t        n = 0;

    if (r == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    r->version = span_to_u64(version, &n) && n > 0 && n < INT64_MAX ? (int64_t)n : -1;   /* there is no such version */
    return STEP_NEXT;
}

/* R4 http.html#search: application/x-www-form-urlencoded, with or without parameters of a charset. */
enum step
search_form(struct exchange *ex, struct span *form)
{
    const struct http_head *head = http_request_head(ex->request);
    struct span             type = http_request_header(ex->request, SPAN("Content-Type"));

    if (span_eq_text(head->method, "GET") || span_empty(head->body))
        return STEP_NEXT;
    if (!span_eq_nocase(span_trim(span_split(&type, ';')), SPAN("application/x-www-form-urlencoded")))
        return exchange_refuse_one(ex, 415, ISSUE_NOT_SUPPORTED, "http",
                                   "the content type is not application/x-www-form-urlencoded",
                                   "R4 http.html#search: the parameters of _search are a form");
    *form = head->body;
    return STEP_NEXT;
}

enum step
reading_form(struct exchange *ex)
{
    struct reading *r = reading_of(ex);

    return r != NULL ? search_form(ex, &r->form) : exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
}
