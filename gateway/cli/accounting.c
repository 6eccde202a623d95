/* gateway/cli/accounting.c -- accounting of disclosures for one patient.
 *
 * 42 CFR 2.25 (made with consent), 45 CFR 164.528, 42 CFR 2.24.  Standing
 * disclosures only: one that a void took back did not happen.  Of a release
 * about several patients only what is this one's (ledger/extract.h).
 */
#include <string.h>
#include <time.h>

#include "fhir/datatypes.h"
#include "gateway/cli/desk.h"
#include "gateway/cli/markup.h"
#include "gateway/cli/run.h"
#include "gateway/ledger/extract.h"

enum accounting_form { FORM_TEXT = 0, FORM_JSON, FORM_CSV, FORM_HTML };

struct account {
    const struct call *call;
    struct desk       *desk;
    struct span        patient;
    enum accounting_form form;
    const char        *scope;            /* NULL: all */
    int64_t            since, now;
    struct span        from;             /* the day of `since`; empty: from the beginning */
    struct span        due;              /* a day, where the site runs the clock of 2.25 (H-4); else empty */
    uint64_t           count;
    int                code;
};

/* ---- which -------------------------------------------------------------------------------- */

static bool
stands(struct account *a, const struct ledger_leaf *leaf)
{
    bool voided = true;

    if (!span_eq(leaf->kind, SPAN("disclosure")) || span_empty(leaf->record) || leaf->at_ms < a->since)
        return false;
    if (store_ledger_voided(a->desk->store, leaf->event_id, &voided) != ST_OK)
        a->code = EXIT_CODE_DEPENDENCY;
    return a->code == EXIT_CODE_OK && !voided;
}

static bool
is_true(const struct tape *t, const char *name)
{
    return tape_kind(t, tape_member(t, TAPE_ROOT, span_of(name))) == TAPE_TRUE;
}

/* part2 are those made with consent (2.25(a)); the others are flagged when they
 * are recorded.  A suspended entry (164.528(a)(2)) is left out of the patient's
 * scopes while it is. */
static bool
in_scope(const struct account *a, const struct tape *t)
{
    struct span       until = desk_member(a->desk, t, TAPE_ROOT, "suspendedUntil");
    struct time_range range;

    if (a->scope == NULL)
        return true;
    if (!span_empty(until) && time_range_read(until, &range) && range.first_ms > a->now)
        return false;
    if (strcmp(a->scope, "part2") == 0)
        return is_true(t, "inPart2Accounting") || tape_member(t, TAPE_ROOT, SPAN("consentId")) != TAPE_ABSENT;
    if (strcmp(a->scope, "hipaa") == 0)
        return is_true(t, "inHipaaAccounting");
    return is_true(t, "inIntermediaryList");
}

/* ---- forms --------------------------------------------------------------------------------- */

struct entry {
    struct span when, recipient, address, description, purpose, basis, event_id;
};

static struct entry
entry_of(const struct account *a, const struct tape *t)
{
    const struct desk *d         = a->desk;
    tape_node          recipient = tape_member(t, TAPE_ROOT, SPAN("recipient"));

    return (struct entry){
        .when        = desk_member(d, t, TAPE_ROOT, "tRelease"),
        .recipient   = desk_member(d, t, recipient, "name"),
        .address     = desk_member(d, t, recipient, "address"),
        .description = desk_member(d, t, TAPE_ROOT, "briefDescription"),
        .purpose     = desk_member(d, t, TAPE_ROOT, "purposeStatement"),
        .basis       = desk_member(d, t, TAPE_ROOT, "basis"),
        .event_id    = desk_member(d, t, TAPE_ROOT, "eventId"),
    };
}

static void
add_text(struct buf *out, const struct entry *e)
{
    desk_plain(out, e->when, 0);
    buf_add_text(out, "  to ");
    desk_plain(out, e->recipient, 0);
    if (!span_empty(e->address)) {
        buf_add_text(out, ", ");
        desk_plain(out, e->address, 0);
    }
    buf_add_text(out, "\n    what     ");
    desk_plain(out, e->description, 0);
    buf_add_text(out, "\n    why      ");
    desk_plain(out, e->purpose, 0);
    buf_add_text(out, "\n    rule     ");
    desk_plain(out, e->basis, 0);
    buf_add_text(out, "\n    event    ");
    desk_plain(out, e->event_id, 0);
    buf_add_text(out, "\n");
}

/* RFC 4180, every field in quotes; a field that a spreadsheet would take for a
 * formula gets an apostrophe in front. */
static void
add_csv_field(struct buf *out, struct span text, bool last)
{
    buf_add_byte(out, '"');
    if (!span_empty(text) && strchr("=+-@\t\r", text.at[0]) != NULL)
        buf_add_byte(out, '\'');
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] == '"')
            buf_add_byte(out, '"');
        buf_add_byte(out, text.at[i]);
    }
    buf_add_text(out, last ? "\"\r\n" : "\",");
}

static void
add_csv(struct buf *out, const struct entry *e)
{
    add_csv_field(out, e->when, false);
    add_csv_field(out, e->recipient, false);
    add_csv_field(out, e->address, false);
    add_csv_field(out, e->description, false);
    add_csv_field(out, e->purpose, false);
    add_csv_field(out, e->basis, false);
    add_csv_field(out, e->event_id, true);
}

static void
add_html(struct buf *out, const struct entry *e)
{
    const struct span cells[] = { e->when, e->recipient, e->address, e->description, e->purpose, e->basis };

    buf_add_text(out, "<tr>");
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        buf_add_text(out, "<td>");
        markup_text(out, cells[i]);
        buf_add_text(out, "</td>");
    }
    buf_add_text(out, "</tr>\n");
}

static void
add_head(struct account *a, struct buf *out)
{
    switch (a->form) {
    case FORM_TEXT:
        buf_add_text(out, "Accounting of disclosures for ");
        desk_plain(out, a->patient, 0);
        if (!span_empty(a->due))
            buf_add_format(out, ", due by %.*s (45 CFR 164.528(c)(1))", SPAN_PRINT(a->due));
        if (!span_empty(a->from))
            buf_add_format(out, "\nfrom %.*s on", SPAN_PRINT(a->from));
        buf_add_text(out, "\n\n");
        break;
    case FORM_JSON:
        buf_add_format(out, "{\"patient\":\"%.*s\",", SPAN_PRINT(a->patient));
        if (!span_empty(a->due))
            buf_add_format(out, "\"dueBy\":\"%.*s\",", SPAN_PRINT(a->due));
        if (!span_empty(a->from))
            buf_add_format(out, "\"from\":\"%.*s\",", SPAN_PRINT(a->from));
        buf_add_text(out, "\"disclosures\":[");
        break;
    case FORM_CSV:
        buf_add_text(out, "\"date\",\"recipient\",\"address\",\"description\",\"purpose\",\"basis\",\"eventId\"\r\n");
        break;
    case FORM_HTML:
        buf_add_text(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                          "<title>Accounting of disclosures</title></head><body>\n"
                          "<h1>Accounting of disclosures</h1>\n<p>");
        markup_text(out, a->patient);
        if (!span_empty(a->due))
            buf_add_format(out, ", due by %.*s (45 CFR 164.528(c)(1))", SPAN_PRINT(a->due));
        if (!span_empty(a->from))
            buf_add_format(out, ", from %.*s on", SPAN_PRINT(a->from));
        buf_add_text(out, "</p>\n<table>\n<tr><th>Date</th><th>Recipient</th><th>Address</th><th>What</th>"
                          "<th>Purpose</th><th>Rule</th></tr>\n");
        break;
    }
}

static void
add_tail(struct account *a, struct buf *out)
{
    if (a->form == FORM_JSON)
        buf_add_text(out, "]}\n");
    else if (a->form == FORM_HTML)
        buf_add_text(out, "</table>\n</body></html>\n");
    else if (a->form == FORM_TEXT)
        buf_add_format(out, "%s%llu disclosures\n", a->count > 0 ? "\n" : "", (unsigned long long)a->count);
}

static void
add_entry(struct account *a, struct buf *out, const struct tape *t)
{
    struct entry e = entry_of(a, t);

    switch (a->form) {
    case FORM_TEXT: add_text(out, &e); break;
    case FORM_CSV:  add_csv(out, &e); break;
    case FORM_HTML: add_html(out, &e); break;
    case FORM_JSON:
        if (a->count > 0)
            buf_add_byte(out, ',');
        buf_add(out, tape_body(t));
        break;
    }
    a->count++;
}

/* ---- the command ------------------------------------------------------------------------------ */

/* What the record says of this patient alone: the scope, too, is judged by
 * that, so that a Part 2 release of somebody else's is none of this one's. */
static enum status
own_part(struct account *a, struct span record, const struct tape **out)
{
    struct arena *arena = a->desk->arena;
    struct span   own;
    enum status   st = tape_read(record, &tape_default_limits, arena, out, NULL);

    if (st == ST_OK)
        st = record_extract(*out, a->patient, arena, &own);
    return st == ST_OK ? tape_read(own, &tape_default_limits, arena, out, NULL) : st;
}

static bool
on_disclosure(const struct ledger_leaf *leaf, void *arg)
{
    struct account    *a    = arg;
    struct arena_mark  mark = arena_mark(a->desk->arena);
    const struct tape *t;

    if (!stands(a, leaf))
        return a->code == EXIT_CODE_OK;
    buf_clear(&a->desk->out);
    enum status st = own_part(a, leaf->record, &t);
    if (st == ST_NO_MEMORY)
        a->code = EXIT_CODE_DEPENDENCY;
    else if (st != ST_OK)
        a->code = EXIT_CODE_INTEGRITY;
    else if (in_scope(a, t))
        add_entry(a, &a->desk->out, t);
    if (a->code == EXIT_CODE_OK)
        a->code = call_print_buf(a->call, &a->desk->out);
    buf_clear(&a->desk->out);
    arena_reset(a->desk->arena, mark);
    return a->code == EXIT_CODE_OK;
}

/* How far back the law looks when nobody says: 42 CFR 2.25(a) and 2.24 three years before the request, 45 CFR
 * 164.528(a)(1) six.  Of February 29 it is the 28th, so that no day is missing.  Without a scope, everything. */
static int64_t
window_begin(const char *scope, int64_t now)
{
    time_t    seconds = (time_t)(now / 1000);
    struct tm tm;

    if (scope == NULL || gmtime_r(&seconds, &tm) == NULL)
        return INT64_MIN;
    tm.tm_year -= strcmp(scope, "hipaa") == 0 ? 6 : 3;
    if (tm.tm_mon == 1 && tm.tm_mday == 29)
        tm.tm_mday = 28;
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    return (int64_t)timegm(&tm) * 1000;
}

static bool
choices_read(const struct call *call, struct account *a)
{
    static const char *const forms[]  = { "text", "json", "csv", "html" };
    static const char *const scopes[] = { "part2", "hipaa", "intermediary" };
    const char              *form     = call_value(call, "format");
    bool                     known    = form == NULL;

    if (form == NULL && call_has(call, "json"))
        a->form = FORM_JSON;
    for (int i = 0; form != NULL && i < 4; i++) {
        if (strcmp(form, forms[i]) == 0) {
            a->form = (enum accounting_form)i;
            known   = true;
        }
    }
    if (!known) {
        call_say(call, "--format %s: want text, json, csv or html", form);
        return false;
    }
    a->scope = call_value(call, "scope");
    known    = a->scope == NULL;
    for (int i = 0; a->scope != NULL && i < 3; i++)
        known = known || strcmp(a->scope, scopes[i]) == 0;
    if (!known)
        call_say(call, "--scope %s: want part2, hipaa or intermediary", a->scope);
    return known && desk_time(call, "since", false, &a->since);
}

static int
account_print(struct account *a)
{
    struct desk *d  = a->desk;
    enum status  st = store_hold(d->store);

    if (st == ST_OK) {
        add_head(a, &d->out);
        a->code = call_print_buf(a->call, &d->out);
        buf_clear(&d->out);              /* nothing may stand in it when there is no disclosure */
        st      = store_ledger_visit_patient(d->store, LEDGER_DISCLOSURES, a->patient, on_disclosure, a);
        add_tail(a, &d->out);
    }
    store_let_go(d->store);
    if (a->code == EXIT_CODE_INTEGRITY)
        buf_add_text(&d->why, "a record is not what its index says: run `sluice log verify`");
    return st == ST_OK ? a->code : desk_code(st);
}

int
command_accounting(const struct call *call)
{
    struct desk     d;
    struct timespec now;
    struct account  a = { .call = call, .desk = &d, .since = INT64_MIN };

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (!choices_read(call, &a))
        return EXIT_CODE_USAGE;
    a.now    = (int64_t)now.tv_sec * 1000;
    if (a.since == INT64_MIN)
        a.since = window_begin(a.scope, a.now);
    int code = desk_open(call, &d);
    if (code == EXIT_CODE_OK && !desk_patient(call, call->arguments[0], d.arena, &a.patient))
        code = EXIT_CODE_USAGE;
    if (code == EXIT_CODE_OK && a.since != INT64_MIN)
        a.from = span_first(time_format(d.arena, a.since), 10);
    if (code == EXIT_CODE_OK && d.config->site.accounting_clock)
        a.due = span_first(time_format(d.arena, a.now + 60 * (int64_t)24 * 3600 * 1000), 10);
    if (code == EXIT_CODE_OK)
        code = account_print(&a);
    return desk_close(call, &d, code);
}
