/* gateway/cli/accounting.c -- the accounting of disclosures of one patient (ledger/accounting.h). */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/json_writer.h"
#include "gateway/cli/desk.h"
#include "gateway/cli/run.h"
#include "gateway/ledger/accounting_make.h"
#include "gateway/ops/control.h"
#include "gateway/ops/reading.h"
#include "gateway/runtime/identity.h"

enum { ANSWER_BYTES = 1 << 20 };

static bool
choice(const struct call *call, const char *option, bool known, const char *want)
{
    if (!known)
        call_say(call, "--%s %s: want %s", option, call_value(call, option), want);
    return known;
}

static bool
choices_read(const struct call *call, struct accounting_asked *asked)
{
    const char *form = call_value(call, "format"), *scope = call_value(call, "scope"), *language = call_value(call, "language");
    const char *paper = call_value(call, "paper");

    if (form == NULL && call_has(call, "json"))
        asked->form = ACCOUNTING_JSON;
    asked->grouped = call_has(call, "grouped");
    asked->large   = call_has(call, "large-print");
    return choice(call, "format", form == NULL || accounting_form_read(span_of(form), &asked->form), "text, json, csv, html or fhir")
        && choice(call, "scope", scope == NULL || accounting_scope_read(span_of(scope), &asked->scope), "part2, hipaa or intermediary")
        && choice(call, "language", language == NULL || language_read(span_of(language), &asked->language), "en or es")
        && choice(call, "paper", paper == NULL || accounting_sheet_read(span_of(paper), &asked->sheet), "a4 or letter")
        && desk_time(call, "since", false, &asked->since_ms) && desk_time(call, "requested", false, &asked->requested_ms);
}

/* ---- that it was given -------------------------------------------------------------- */

/* What was asked for, as it is typed. */
static struct span
request_text(const struct call *call, const struct desk *d, struct span patient)
{
    static const char *const options[] = { "scope", "since", "requested", "format", "language", "paper" };
    static const char *const flags[]   = { "json", "grouped", "large-print" };
    struct span              text      = arena_join(d->arena, SPAN("sluice accounting "), patient);

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (call_value(call, options[i]) != NULL)
            text = arena_join(d->arena, text, SPAN(" --"), span_of(options[i]), SPAN(" "), span_of(call_value(call, options[i])));
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (call_has(call, flags[i]))
            text = arena_join(d->arena, text, SPAN(" --"), span_of(flags[i]));
    return text;
}

static struct span
record_request(const struct call *call, const struct desk *d, struct span patient, const struct accounting_result *r, struct span given)
{
    struct json_writer w;
    struct span        request = request_text(call, d, patient);
    struct span        sha256  = sha256_hex(d->arena, &given, 1);

    json_writer_open(&w, d->arena);
    json_object(&w, NULL);
    json_text(&w, "request", request);
    json_text(&w, "patient", patient);
    json_array(&w, "shown");
    for (size_t i = 0; i < r->event_count; i++)
        json_text(&w, NULL, r->events[i]);
    json_end(&w);
    json_text(&w, "sha256", sha256);
    json_integer(&w, "bytes", (int64_t)given.length);
    json_end(&w);
    return json_writer_close(&w);
}

static int
on_the_store(const struct call *call, struct desk *d, struct span request, struct buf *answer)
{
    struct desk_store writer;
    int               code = desk_store_open(call, d->config, d->arena, &writer);

    if (code == EXIT_CODE_OK)
        reading_do(writer.store, request, geteuid(), answer);
    desk_store_close(&writer);
    return code;
}

/* Nothing is printed before it is in the log that it is. */
static int
record_it(const struct call *call, struct desk *d, struct span request)
{
    char       line[64];
    struct buf answer;
    int        code = EXIT_CODE_OK;

    buf_init(&answer, ANSWER_BYTES);
    (void)snprintf(line, sizeof line, "reading %zu", request.length);
    enum status st = span_empty(request) ? ST_NO_MEMORY
                                         : control_ask_with(d->config->admin.socket, line, &request, 1, &answer, &d->why);
    bool denied = st != ST_OK && errno == EACCES;
    if (st == ST_NOT_FOUND) {
        buf_clear(&d->why);
        code = on_the_store(call, d, request, &answer);
    } else if (st != ST_OK) {
        code = denied ? EXIT_CODE_PERMISSION : EXIT_CODE_DEPENDENCY;
    }
    if (code == EXIT_CODE_OK && !span_starts(buf_span(&answer), SPAN("{\"eventId\":"))) {
        buf_add_format(&d->why, "it could not be recorded that this accounting is given: %.*s", SPAN_PRINT(span_trim(buf_span(&answer))));
        code = EXIT_CODE_DEPENDENCY;
    }
    buf_release(&answer);
    return code;
}

/* ---- the command -------------------------------------------------------------------- */

static int
say_failed(struct desk *d, enum status st)
{
    if (st == ST_TOO_LARGE)
        buf_add_text(&d->why, "the accounting is larger than 64 MiB: ask for a shorter time with --since");
    else if (st == ST_INTEGRITY)
        buf_add_text(&d->why, "a record is not what its index says: run `sluice log verify`");
    return desk_code(st);
}

static int
account_print(const struct call *call, struct desk *d, struct accounting_asked *asked)
{
    struct accounting_result result = { .count = 0 };
    struct buf               out;
    enum status              st = store_hold(d->store);

    buf_init(&out, 2 * ACCOUNTING_BYTES);
    if (st == ST_OK)
        st = accounting_make(d->store, d->arena, asked, &out, &result);
    store_let_go(d->store);
    int code = st == ST_OK ? record_it(call, d, record_request(call, d, asked->patient, &result, buf_span(&out))) : say_failed(d, st);
    if (code == EXIT_CODE_OK)
        code = call_print_buf(call, &out);
    if (code == EXIT_CODE_OK && result.suspended > 0)
        call_say(call, "%llu disclosures are left out, as a statement of their recipient asks (45 CFR 164.528(a)(2)): that is not for the patient",
                 (unsigned long long)result.suspended);
    buf_release(&out);
    return code;
}

int
command_accounting(const struct call *call)
{
    struct desk             d;
    struct timespec         now;
    struct accounting_asked asked = { .since_ms = INT64_MIN };

    (void)clock_gettime(CLOCK_REALTIME, &now);
    asked.now_ms = asked.requested_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (!choices_read(call, &asked))
        return EXIT_CODE_USAGE;
    int code = desk_open(call, &d);
    if (code == EXIT_CODE_OK && !desk_patient(call, call->arguments[0], d.arena, &asked.patient))
        code = EXIT_CODE_USAGE;
    if (code == EXIT_CODE_OK) {
        asked.clock          = d.config->site.accounting_clock;
        asked.source.address = d.config->listen.address;
        code                 = account_print(call, &d, &asked);
    }
    return desk_close(call, &d, code);
}
