/* gateway/cli/log_events.c -- log events: standing releases as FHIR AuditEvents, a line each. */
#include "gateway/cli/desk.h"
#include "gateway/cli/run.h"
#include "gateway/ledger/audit_event.h"
#include "gateway/ledger/record.h"

struct events {
    struct desk        *desk;
    const struct call  *call;
    struct audit_source source;
    struct span         patient;         /* empty: anybody */
    const char         *to;
    int64_t             since, until;
    int                 code;
};

static bool
stop(struct events *e, int code, const char *why, uint64_t leaf)
{
    buf_add_format(&e->desk->why, "leaf %llu: %s", (unsigned long long)leaf, why);
    e->code = code;
    return false;
}

static bool
on_release(const struct ledger_leaf *leaf, void *arg)
{
    struct events     *e    = arg;
    struct arena      *arena = e->desk->arena;
    struct arena_mark  mark = arena_mark(arena);
    struct buf        *out  = &e->desk->out;
    const struct tape *t;

    if (!span_eq_text(leaf->kind, "disclosure") || span_empty(leaf->record) || leaf->at_ms < e->since || leaf->at_ms > e->until
        || (e->to != NULL && !span_eq_text(leaf->recipient, e->to)))
        return true;
    bool        voided = false;
    enum status st     = store_ledger_voided(e->desk->store, leaf->event_id, &voided);
    if (st != ST_OK)
        return stop(e, EXIT_CODE_DEPENDENCY, "the store could not be read", leaf->index);
    if (voided)
        return true;
    st = tape_read(leaf->record, &tape_default_limits, arena, &t, NULL);
    if (st == ST_OK)
        st = audit_event_author(t, &e->source, arena, out);
    arena_reset(arena, mark);
    if (st == ST_NO_MEMORY)
        return stop(e, EXIT_CODE_DEPENDENCY, status_text(st), leaf->index);
    if (st != ST_OK)
        return stop(e, EXIT_CODE_INTEGRITY, "the record is not what its index says: run `sluice log verify`", leaf->index);
    buf_add_byte(out, '\n');
    e->code = call_print_buf(e->call, out);
    buf_clear(out);
    return e->code == EXIT_CODE_OK;
}

static enum status
visit(struct events *e, ledger_visitor *visitor)
{
    return span_empty(e->patient) ? store_ledger_visit(e->desk->store, LEDGER_DISCLOSURES, 0, visitor, e)
                                  : store_ledger_visit_patient(e->desk->store, LEDGER_DISCLOSURES, e->patient, visitor, e);
}

/* The first line of its checkpoint is the log's name. */
static enum status
source_find(struct events *e)
{
    struct desk *d = e->desk;
    struct span  note;
    enum status  st = store_ledger_checkpoint(d->store, LEDGER_DISCLOSURES, d->arena, &note);

    if (st == ST_OK)
        e->source = (struct audit_source){ .origin = span_split(&note, '\n'), .address = d->config->listen.address };
    return st;
}

static int
events_print(struct events *e)
{
    enum status st = store_hold(e->desk->store);

    if (st == ST_OK)
        st = source_find(e);
    if (st == ST_OK)
        st = visit(e, on_release);
    store_let_go(e->desk->store);
    return st == ST_OK ? e->code : desk_code(st);
}

int
command_log_events(const struct call *call)
{
    struct desk   d;
    struct events e = { .call = call, .desk = &d, .since = INT64_MIN, .until = INT64_MAX, .to = call_value(call, "to") };

    if (!desk_time(call, "since", false, &e.since) || !desk_time(call, "until", true, &e.until))
        return EXIT_CODE_USAGE;
    int code = desk_open(call, &d);
    if (code == EXIT_CODE_OK && !desk_patient(call, call_value(call, "patient"), d.arena, &e.patient))
        code = EXIT_CODE_USAGE;
    if (code == EXIT_CODE_OK)
        code = events_print(&e);
    return desk_close(call, &d, code);
}
