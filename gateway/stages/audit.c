/* gateway/stages/audit.c -- AuditEvents for who may audit, as an answer (stages/auditing.h).
 *
 * Leaves are read by a worker, so that neither the loop nor the store's thread waits for it.
 */
#include "gateway/stages/auditing.h"
#include "gateway/stages/searchset.h"
#include "gateway/stages/stages.h"

#include "gateway/auth/clients.h"
#include "gateway/http/query.h"
#include "gateway/ledger/audit_event.h"

#define EVENT_BYTES (4 * RECORD_MAX_BYTES)      /* of one: a record names what an AuditEvent spells out */

static enum step take_parameters(struct exchange *);
static void      prepare(struct exchange *);
static void      run(struct job *);
static void      on_done(struct task *);
static enum step answer(struct exchange *);

static bool
passes(const struct exchange *ex)
{
    return ex->intake != INTAKE_AUDIT_READ && ex->intake != INTAKE_AUDIT_SEARCH;
}

static enum step
no_memory(struct exchange *ex)
{
    return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
}

static enum step
enter(struct exchange *ex)
{
    struct auditing *a    = arena_make(ex->arena, struct auditing);
    enum step        step = a != NULL ? pace_keep(ex) : no_memory(ex);

    if (step != STEP_NEXT)
        return step;
    ex->auditing = a;
    a->exchange  = ex;
    step         = take_parameters(ex);
    if (step != STEP_NEXT)
        return step;
    prepare(ex);
    if (arena_spent(ex->arena))
        return no_memory(ex);
    a->job = (struct job){ .done.run = on_done, .home = ex->loop, .run = run };
    if (!workers_submit(ex->gateway->workers, &a->job))
        return exchange_fail(ex, ST_UNAVAILABLE, "there is too much to do to read the log");
    return STEP_WAIT;
}

static void
on_done(struct task *task)
{
    pipeline_resume(((struct auditing *)(void *)((char *)task - offsetof(struct auditing, job.done)))->exchange);
}

static enum step
resume(struct exchange *ex)
{
    struct auditing *a = ex->auditing;

    buf_release(&a->event);
    if (a->status != ST_OK)
        return exchange_fail(ex, a->status == ST_NO_MEMORY ? ST_NO_MEMORY : ST_UNAVAILABLE, "the log could not be read");
    return answer(ex);
}

const struct stage stage_audit = { .name = "audit", .passes = passes, .enter = enter, .resume = resume };

/* ---- parameters ------------------------------------------------------------------ */

static enum step
take_all(struct exchange *ex, struct span rest)
{
    struct span name, value;
    const char *why = "a read takes no such parameter";

    while (query_next(&rest, ex->arena, &name, &value)) {
        bool mine = ex->intake == INTAKE_AUDIT_SEARCH || span_eq_text(name, "_format") || span_eq_text(name, "_pretty");
        if (!mine || !auditing_take(ex->auditing, ex->arena, name, value, &why))
            return query_refuse(ex, name, ISSUE_NOT_SUPPORTED, why, "docs/http.md lists what is taken");
    }
    return STEP_NEXT;
}

static enum step
take_parameters(struct exchange *ex)
{
    struct auditing *a    = ex->auditing;
    enum step        step = STEP_NEXT;

    a->host   = http_request_header(ex->request, SPAN("Host"));
    a->count  = 50;
    a->before = (struct leaf_place){ INT64_MAX, INT64_MAX };
    if (ex->intake == INTAKE_AUDIT_SEARCH)
        step = search_form(ex, &a->form);
    if (step == STEP_NEXT && http_request_head(ex->request)->query.length + a->form.length > RECORD_REQUEST_BYTES / 2)
        return query_refuse(ex, SPAN(""), ISSUE_TOO_LONG, "the parameters are longer than 4096 bytes", "ask for less at once");
    if (step == STEP_NEXT)
        step = take_all(ex, http_request_head(ex->request)->query);
    if (step == STEP_NEXT)
        step = take_all(ex, a->form);
    if (ex->intake == INTAKE_AUDIT_READ)
        a->id = ex->path_id;
    return step;
}

/* ---- on a worker ------------------------------------------------------------------ */

static struct audit_source
source_of(const struct auditing *a)
{
    return (struct audit_source){ .origin = a->origin, .address = a->exchange->config->listen.address };
}

/* One more event.  What it was made of is given back, and the event alone stays. */
static enum status
keep(struct auditing *a, const struct ledger_leaf *leaf, bool *kept)
{
    struct arena       *arena  = a->exchange->arena;
    struct arena_mark   mark   = arena_mark(arena);
    struct audit_source source = source_of(a);
    const struct tape  *t;

    *kept = false;
    buf_clear(&a->event);
    enum status st = tape_read(leaf->record, &tape_default_limits, arena, &t, NULL);
    if (st == ST_OK)
        st = audit_event_author(t, &source, arena, &a->event);
    if (st == ST_OK)
        st = tape_read(buf_span(&a->event), &tape_default_limits, arena, &t, NULL);
    bool fits = st == ST_OK && auditing_fits(a, t, arena);
    arena_reset(arena, mark);
    if (!fits)
        return st;
    a->events[a->found] = arena_copy(arena, buf_span(&a->event));
    a->ids[a->found++]  = arena_copy(arena, leaf->event_id);
    a->bytes           += a->event.length;
    *kept               = true;
    return arena_status(arena);
}

static bool
peek(enum ledger_log log, const struct ledger_leaf *leaf, void *arg)
{
    const struct auditing *a = arg;

    (void)log;
    return audit_event_is(leaf->kind) && auditing_dates(a, leaf->at_ms) && auditing_name(a, leaf->recipient);
}

/* The one behind the last of a page is looked for, so that `next` is said where there is more. */
static bool
take(enum ledger_log log, const struct ledger_leaf *leaf, void *arg)
{
    struct auditing *a      = arg;
    bool             voided = false, kept = false;
    size_t           bytes = a->bytes;

    (void)log;
    if (a->reads == AUDIT_READS)
        return false;
    a->reads++;
    if (span_empty(leaf->record))
        return true;                     /* destroyed */
    a->status = store_ledger_voided(a->exchange->gateway->store, leaf->event_id, &voided);
    if (a->status == ST_OK && !voided)
        a->status = keep(a, leaf, &kept);
    if (a->status != ST_OK || !kept)
        return a->status == ST_OK;
    if (a->found <= a->count && (a->found == 1 || a->bytes <= AUDIT_BYTES))
        return true;
    a->found--;
    a->bytes = bytes;
    return false;
}

static void
find_one(struct auditing *a)
{
    struct exchange   *ex = a->exchange;
    struct ledger_leaf leaf;
    enum ledger_log    log;
    bool               voided = false, kept;

    a->status = store_ledger_find(ex->gateway->store, a->id, ex->arena, &log, &leaf);
    if (a->status == ST_OK)
        a->status = store_ledger_voided(ex->gateway->store, a->id, &voided);
    if (a->status == ST_OK && !voided && peek(log, &leaf, a) && !span_empty(leaf.record)) {
        a->about  = leaf.patient;
        a->status = keep(a, &leaf, &kept);
    }
    if (a->status == ST_NOT_FOUND)
        a->status = ST_OK;
}

static void
prepare(struct exchange *ex)
{
    struct auditing *a = ex->auditing;

    a->events = arena_make_n(ex->arena, a->count + 1, struct span);
    a->ids    = arena_make_n(ex->arena, a->count + 1, struct span);
    a->newest = (struct store_newest){ .patient = a->patient, .before = a->before, .most = AUDIT_LOOKS,
                                       .peek = peek, .take = take, .arg = a };
    if (span_empty(a->patient) && span_starts(a->entity.text, SPAN("Patient/")))
        a->newest.patient = a->entity.text;
    auditing_span(a, &a->newest.from_ms, &a->newest.to_ms);
    buf_init(&a->event, EVENT_BYTES);
}

static void
run(struct job *job)
{
    struct auditing *a    = (struct auditing *)(void *)((char *)job - offsetof(struct auditing, job));
    struct exchange *ex   = a->exchange;
    struct span      note = { NULL, 0 };

    a->status = store_ledger_checkpoint(ex->gateway->store, LEDGER_DISCLOSURES, ex->arena, &note);
    if (a->status == ST_NOT_FOUND)
        a->status = ST_OK;               /* nothing was released yet */
    a->origin = span_split(&note, '\n');
    if (a->status == ST_OK && !span_empty(a->id)) {
        find_one(a);
    } else if (a->status == ST_OK && a->count > 0) {
        enum status st = store_ledger_newest(ex->gateway->store, &a->newest);
        a->status      = a->status == ST_OK ? st : a->status;
    }
}

/* ---- the answer -------------------------------------------------------------------- */

/* The request as it came, for the record: the form of a POST below it. */
static struct span
request_text(struct exchange *ex)
{
    const struct http_head *head = http_request_head(ex->request);
    struct span             form = ex->auditing->form;

    return arena_join(ex->arena, head->method, SPAN(" "), head->path, span_empty(head->query) ? SPAN("") : SPAN("?"), head->query,
                      span_empty(form) ? SPAN("") : SPAN("\n"), form);
}

static enum step
give(struct exchange *ex)
{
    const struct auditing *a = ex->auditing;

    ex->giving = arena_make(ex->arena, struct giving);
    if (ex->giving == NULL)
        return no_memory(ex);
    *ex->giving = (struct giving){
        .patient = ex->intake == INTAKE_AUDIT_READ ? a->about : a->newest.patient, .channel = SPAN("FHIR read"),
        .purposes = ex->asker->purposes, .purpose_count = ex->asker->purpose_count,
        .log_act = ex->intake == INTAKE_AUDIT_READ ? SPAN("read") : SPAN("search-type"),
        .log_request = request_text(ex), .log_shown = a->ids, .log_shown_count = a->found,
    };
    return STEP_NEXT;
}

static enum step
answer_search(struct exchange *ex)
{
    const struct auditing *a      = ex->auditing;
    struct author         *author = author_new();

    if (author == NULL)
        return no_memory(ex);
    author_value root  = searchset_begin(ex, author, "searchset");
    author_value links = author_add_array(root, "link");
    struct span  page  = a->paged ? auditing_page(ex->arena, a->before) : SPAN("");
    searchset_link(links, "self", searchset_url(ex, SPAN("AuditEvent"), a->form, page));
    if (a->newest.more)
        searchset_link(links, "next", searchset_url(ex, SPAN("AuditEvent"), a->form, auditing_page(ex->arena, a->newest.end)));
    author_value entries = a->found > 0 ? author_add_array(root, "entry") : root;
    for (uint32_t i = 0; i < a->found; i++) {
        author_value entry = author_add_object(entries, NULL);
        author_add_text(entry, "fullUrl", arena_join(ex->arena, searchset_base(ex), SPAN("AuditEvent/"), a->ids[i]));
        author_add_raw(entry, "resource", a->events[i]);
        author_add_cstr(author_add_object(entry, "search"), "mode", "match");
    }
    return searchset_finish(ex, author);
}

static enum step
answer(struct exchange *ex)
{
    const struct auditing *a = ex->auditing;

    if (ex->intake == INTAKE_AUDIT_SEARCH) {
        enum step step = answer_search(ex);
        return step == STEP_NEXT ? give(ex) : step;
    }
    if (a->found > 0)
        exchange_answer_json(ex, 200, a->events[0]);
    else
        (void)exchange_refuse_one(ex, 404, ISSUE_NOT_FOUND, "http", "there is no such AuditEvent",
                                  "a release that was taken back has none");
    return give(ex);
}
