/* gateway/cli/report.c -- report: the numbers of a period (ledger/report.h). */
#include <time.h>

#include "fhir/datatypes.h"
#include "gateway/cli/desk.h"
#include "gateway/cli/run.h"
#include "gateway/ledger/report.h"

#define TEMP_BYTES ((size_t)64 << 20)    /* of one record */

struct reporting {
    struct desk        *desk;
    struct arena       *temp;
    struct report      *report;
    struct report_facts facts;
    int64_t             since, until;
    enum status         status;
};

static bool
on_leaf(const struct ledger_leaf *leaf, void *arg)
{
    struct reporting  *r      = arg;
    struct arena_mark  mark   = arena_mark(r->temp);
    bool               voided = false;
    const struct tape *t;

    if (span_empty(leaf->record) || leaf->at_ms < r->since || leaf->at_ms > r->until)
        return true;
    if (span_eq_text(leaf->kind, "disclosure"))
        r->status = store_ledger_voided(r->desk->store, leaf->event_id, &voided);
    r->facts.taken_back += voided;
    if (r->status == ST_OK && !voided)
        r->status = tape_read(leaf->record, &tape_default_limits, r->temp, &t, NULL);
    if (r->status == ST_OK && !voided)
        r->status = ledger_report_add(r->report, t, r->temp);
    arena_reset(r->temp, mark);
    return r->status == ST_OK;
}

static enum status
gather(struct reporting *r)
{
    struct desk *d      = r->desk;
    int64_t      oldest = 0;
    enum status  st     = store_ledger_checkpoint(d->store, LEDGER_DISCLOSURES, d->arena, &r->facts.checkpoint);

    if (st == ST_NOT_FOUND)
        st = ST_OK;
    if (st == ST_OK)
        st = store_review_oldest(d->store, &r->facts.waits, &oldest);
    if (oldest > 0)
        r->facts.oldest = time_format(d->arena, oldest);
    for (int log = 0; log < LEDGER_LOGS && st == ST_OK && r->status == ST_OK; log++)
        st = store_ledger_visit(d->store, (enum ledger_log)log, 0, on_leaf, r);
    return st == ST_OK ? r->status : st;
}

static int
report_print(const struct call *call, struct reporting *r)
{
    struct desk    *d = r->desk;
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    r->facts.prepared = time_format(d->arena, (int64_t)now.tv_sec * 1000);
    if (r->since != INT64_MIN)
        r->facts.from = time_format(d->arena, r->since);
    if (r->until != INT64_MAX)
        r->facts.until = time_format(d->arena, r->until);
    r->temp        = arena_new("report", TEMP_BYTES);
    r->report      = ledger_report_begin(d->arena);
    enum status st = r->temp != NULL && r->report != NULL ? store_hold(d->store) : ST_NO_MEMORY;
    if (st == ST_OK)
        st = gather(r);
    store_let_go(d->store);
    if (st == ST_MALFORMED)
        buf_add_text(&d->why, "a record is not JSON: run `sluice log verify`");
    if (st == ST_OK)
        st = (call_has(call, "json") ? ledger_report_json : ledger_report_text)(r->report, &r->facts, &d->out);
    arena_free(&r->temp);
    return st == ST_MALFORMED ? EXIT_CODE_INTEGRITY : desk_code(st);
}

int
command_report(const struct call *call)
{
    struct desk      d;
    struct reporting r = { .desk = &d, .since = INT64_MIN, .until = INT64_MAX };

    if (!desk_time(call, "since", false, &r.since) || !desk_time(call, "until", true, &r.until))
        return EXIT_CODE_USAGE;
    int code = desk_open(call, &d);
    if (code == EXIT_CODE_OK)
        code = report_print(call, &r);
    return desk_close(call, &d, code);
}
