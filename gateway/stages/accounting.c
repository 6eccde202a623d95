/* gateway/stages/accounting.c -- GET /fhir/Patient/{id}/$accounting: the accounting of disclosures of one patient, as an answer.
 *
 * What it is: ledger/accounting.h.  For clients whose scope names AuditEvent; a worker makes it, and it is in the log as a reading
 * of it, with the eventIds, before a byte leaves: that an accounting was given is to be shown, too (45 CFR 164.528(d)).
 *
 *   form         fhir (default), html, csv, text, json (records); without it what comes first in Accept
 *   scope        part2, hipaa, intermediary; without it every standing release
 *   since, requested   dates: not before; when it was asked for
 *   grouped, large-print   true or false
 *   language     en, es; without it Accept-Language
 *   paper        a4, letter
 */
#include "gateway/stages/stages.h"

#include "fhir/datatypes.h"
#include "gateway/http/query.h"
#include "gateway/ledger/accounting_make.h"

enum parameter { FORM = 0, LANGUAGE, SCOPE, PAPER, SINCE, REQUESTED, GROUPED, LARGE_PRINT, PARAMETERS };

struct accounting_answer {
    struct exchange         *exchange;
    struct job               job;
    struct accounting_asked  asked;
    struct accounting_result result;
    bool                     taken[PARAMETERS];
    enum status              status;
};

static enum step take_parameters(struct exchange *);
static void      run(struct job *);
static void      on_done(struct task *);
static enum step answer(struct exchange *);

static bool
passes(const struct exchange *ex)
{
    return ex->intake != INTAKE_ACCOUNTING;
}

static enum step
no_memory(struct exchange *ex)
{
    return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
}

static enum step
enter(struct exchange *ex)
{
    struct accounting_answer *a    = arena_make(ex->arena, struct accounting_answer);
    enum step                 step = a != NULL ? pace_keep(ex) : no_memory(ex);

    if (step != STEP_NEXT)
        return step;
    ex->accounting = a;
    a->exchange    = ex;
    a->asked       = (struct accounting_asked){
        .patient = arena_join(ex->arena, SPAN("Patient/"), ex->path_id), .form = ACCOUNTING_FHIR, .since_ms = INT64_MIN,
        .requested_ms = ex->at_ms, .now_ms = ex->at_ms, .clock = ex->config->site.accounting_clock,
        .source.address = ex->config->listen.address,
    };
    step = take_parameters(ex);
    if (step != STEP_NEXT)
        return step;
    a->job = (struct job){ .done.run = on_done, .home = ex->loop, .run = run };
    if (arena_spent(ex->arena))
        return no_memory(ex);
    return workers_submit(ex->gateway->workers, &a->job)
               ? STEP_WAIT : exchange_fail(ex, ST_UNAVAILABLE, "there is too much to do to read the log");
}

static void
run(struct job *job)
{
    struct accounting_answer *a  = (struct accounting_answer *)(void *)((char *)job - offsetof(struct accounting_answer, job));
    struct exchange          *ex = a->exchange;

    a->status = accounting_make(ex->gateway->store, ex->arena, &a->asked, &ex->answer_body, &a->result);
}

static void
on_done(struct task *task)
{
    pipeline_resume(((struct accounting_answer *)(void *)((char *)task - offsetof(struct accounting_answer, job.done)))->exchange);
}

static enum step
resume(struct exchange *ex)
{
    enum status st = ex->accounting->status;

    if (st == ST_OK)
        return answer(ex);
    buf_clear(&ex->answer_body);
    if (st == ST_TOO_LARGE)
        return exchange_refuse_one(ex, 400, ISSUE_TOO_COSTLY, "parameters", "the accounting is larger than 64 MiB",
                                   "ask for a shorter time with `since`");
    return exchange_fail(ex, st == ST_NO_MEMORY ? ST_NO_MEMORY : ST_UNAVAILABLE, "the log could not be read");
}

const struct stage stage_accounting = { .name = "accounting", .passes = passes, .enter = enter, .resume = resume };

/* ---- parameters ------------------------------------------------------------------ */

static bool
read_flag(struct span value, bool *out)
{
    *out = span_eq_text(value, "true");
    return *out || span_eq_text(value, "false");
}

static bool
read_time(struct span value, int64_t *out)
{
    struct time_range range;
    bool              read = time_range_read(value, &range);

    if (read)
        *out = range.first_ms;
    return read;
}

static bool
take_value(struct accounting_asked *asked, enum parameter which, struct span value)
{
    switch (which) {
    case FORM:        return accounting_form_read(value, &asked->form);
    case LANGUAGE:    return language_read(value, &asked->language);
    case SCOPE:       return accounting_scope_read(value, &asked->scope);
    case PAPER:       return accounting_sheet_read(value, &asked->sheet);
    case SINCE:       return read_time(value, &asked->since_ms);
    case REQUESTED:   return read_time(value, &asked->requested_ms);
    case GROUPED:     return read_flag(value, &asked->grouped);
    case LARGE_PRINT: return read_flag(value, &asked->large);
    case PARAMETERS:  break;
    }
    return false;
}

/* NULL: understood; else what is wrong. */
static const char *
take_one(struct accounting_answer *a, struct span name, struct span value)
{
    static const struct { const char *name, *want; } rows[PARAMETERS] = {
        [FORM] = { "form", "`form` is fhir, html, csv, text or json" },  [LANGUAGE] = { "language", "`language` is en or es" },
        [SCOPE] = { "scope", "`scope` is part2, hipaa or intermediary" }, [PAPER] = { "paper", "`paper` is a4 or letter" },
        [SINCE] = { "since", "`since` is no date" },                      [REQUESTED] = { "requested", "`requested` is no date" },
        [GROUPED] = { "grouped", "`grouped` is true or false" },          [LARGE_PRINT] = { "large-print", "`large-print` is true or false" },
    };

    if (span_eq_text(name, "_format") || span_eq_text(name, "_pretty"))
        return NULL;
    for (int i = 0; i < PARAMETERS; i++) {
        if (!span_eq_text(name, rows[i].name))
            continue;
        if (a->taken[i])
            return "a parameter is there twice";
        a->taken[i] = true;
        return take_value(&a->asked, (enum parameter)i, value) ? NULL : rows[i].want;
    }
    return "an accounting takes no such parameter";
}

/* A browser says text/html first, and takes anything last. */
static void
take_accept(struct exchange *ex)
{
    static const struct { const char *media; enum accounting_form form; } rows[] = {
        { "text/html", ACCOUNTING_HTML }, { "text/csv", ACCOUNTING_CSV }, { "text/plain", ACCOUNTING_TEXT },
        { "application/fhir+json", ACCOUNTING_FHIR }, { "application/json", ACCOUNTING_FHIR },
    };
    struct span list = http_request_list(ex->request, SPAN("Accept"), ex->arena);

    while (!span_empty(list)) {
        struct span one   = span_split(&list, ',');
        struct span range = span_trim(span_split(&one, ';'));
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            if (span_eq_nocase(range, span_of(rows[i].media))) {
                ex->accounting->asked.form = rows[i].form;
                return;
            }
    }
}

static enum step
take_parameters(struct exchange *ex)
{
    struct accounting_answer *a    = ex->accounting;
    struct span               rest = http_request_head(ex->request)->query, name, value;

    if (rest.length > RECORD_REQUEST_BYTES / 2)
        return query_refuse(ex, SPAN(""), ISSUE_TOO_LONG, "the parameters are longer than 4096 bytes", "ask for less at once");
    while (query_next(&rest, ex->arena, &name, &value)) {
        const char *wrong = take_one(a, name, value);
        if (wrong != NULL)
            return query_refuse(ex, name, ISSUE_VALUE, wrong, "docs/http.md lists what is taken");
    }
    if (!a->taken[FORM])
        take_accept(ex);
    if (!a->taken[LANGUAGE])
        (void)language_read(http_request_header(ex->request, SPAN("Accept-Language")), &a->asked.language);
    return STEP_NEXT;
}

/* ---- the answer -------------------------------------------------------------------- */

static enum step
answer(struct exchange *ex)
{
    static const char *const media[ACCOUNTING_FORMS] = {
        [ACCOUNTING_TEXT] = "text/plain; charset=utf-8", [ACCOUNTING_JSON] = "application/json", [ACCOUNTING_CSV] = "text/csv; charset=utf-8",
        [ACCOUNTING_HTML] = "text/html; charset=utf-8", [ACCOUNTING_FHIR] = "application/fhir+json",
    };
    const struct accounting_answer *a    = ex->accounting;
    const struct http_head         *head = http_request_head(ex->request);

    ex->giving = arena_make(ex->arena, struct giving);
    if (ex->giving == NULL)
        return no_memory(ex);
    *ex->giving = (struct giving){
        .patient = a->asked.patient, .channel = SPAN("FHIR read"), .purposes = ex->asker->purposes,
        .purpose_count = ex->asker->purpose_count, .log_act = SPAN("operation"),
        .log_request = arena_join(ex->arena, head->method, SPAN(" "), head->path, span_empty(head->query) ? SPAN("") : SPAN("?"), head->query),
        .log_shown = a->result.events, .log_shown_count = a->result.event_count,
    };
    exchange_answer_json(ex, 200, buf_span(&ex->answer_body));
    ex->answer.content_type = span_of(media[a->asked.form]);
    exchange_answer_header(ex, SPAN("Vary"), SPAN("Accept, Accept-Language"));
    exchange_answer_header(ex, SPAN("X-Content-Type-Options"), SPAN("nosniff"));
    exchange_answer_header(ex, SPAN("Content-Security-Policy"), SPAN("default-src 'none'; style-src 'unsafe-inline'; sandbox"));
    if (a->asked.form == ACCOUNTING_CSV)
        exchange_answer_header(ex, SPAN("Content-Disposition"), SPAN("attachment; filename=\"accounting.csv\""));
    return arena_spent(ex->arena) ? no_memory(ex) : STEP_NEXT;
}
