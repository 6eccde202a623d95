/* gateway/stages/disclose.c -- the record of an answer that is a release, before it leaves.
 *
 * What is given adds a disclosure record (where the log itself was read, a record
 * of that) with the SHA-256 of the body, what is held back a denial record; who finds nothing gets a denial record as well, so
 * that neither the log nor the time tells absent from withheld.  Without the
 * record there is no answer: 503.
 */
#include "gateway/stages/stages.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include "gateway/ledger/record.h"
#include "gateway/runtime/identity.h"
#include "gateway/version.h"

/* To find something and not to give it costs some microseconds more than to find
 * nothing.  So what is denied, and lists from which something may be missing,
 * leave on a step of this length after they came. */
#define EVEN_US 20000

static void        on_even(evutil_socket_t, short, void *);
static bool        evens(const struct exchange *);
static enum status author(struct exchange *, enum record_kind, struct ledger_entry *);
static void        on_committed(struct task *);

enum step
disclose_nothing(struct exchange *ex, struct span patient, size_t withheld)
{
    ex->giving = arena_make(ex->arena, struct giving);
    if (ex->giving == NULL)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    *ex->giving = (struct giving){
        .patient = patient, .withheld = withheld, .denied = true, .channel = SPAN("FHIR read"),
        .purposes = ex->asker->purposes, .purpose_count = ex->asker->purpose_count,
        .rule = SPAN("not-seen"), .citation = SPAN("42 CFR 2.13(c)(2)"),
        .words = SPAN("what was asked for is not there, or not this client's to see"),
    };
    if (ex->intake != INTAKE_SEARCH)
        (void)exchange_refuse_one(ex, 404, ISSUE_NOT_FOUND, "http", "there is nothing under this path",
                                  "a client finds the Consents that it sent");
    return STEP_NEXT;
}

static bool
passes(const struct exchange *ex)
{
    return ex->giving == NULL;
}

static enum step
enter(struct exchange *ex)
{
    struct ledger_entry *records = arena_make_n(ex->arena, 2, struct ledger_entry);
    const struct giving *g       = ex->giving;
    size_t               count   = 0;
    enum status          st      = records != NULL ? ST_OK : ST_NO_MEMORY;

    if (st == ST_OK && !span_empty(g->log_act))
        st = author(ex, RECORD_READING, &records[count++]);
    else if (st == ST_OK && !g->denied)
        st = author(ex, RECORD_DISCLOSURE, &records[count++]);
    if (st == ST_OK && (g->denied || g->withheld > 0))
        st = author(ex, RECORD_DENIAL, &records[count++]);
    if (st != ST_OK)
        return exchange_fail(ex, ST_NO_MEMORY, "the record of a disclosure could not be written");
    ex->unit = (struct store_unit){ .done.run = on_committed, .home = ex->loop,
                                    .records = records, .record_count = count };
    store_submit(ex->gateway->store, &ex->unit);
    return STEP_WAIT;
}

static void
on_committed(struct task *task)
{
    pipeline_resume((struct exchange *)(void *)((char *)task - offsetof(struct exchange, unit.done)));
}

static enum step
resume(struct exchange *ex)
{
    if (ex->unit.status != ST_OK)
        return exchange_fail(ex, ST_UNAVAILABLE, "it could not be recorded that this is answered");
    disclosures_count(ex->unit.records, ex->unit.record_count);
    exchange_answer_header(ex, SPAN("Cache-Control"), SPAN("no-store"));      /* RFC 9111 5.2.2.5: a copy that nobody recorded */
    return evens(ex) ? STEP_NEXT : STEP_ANSWER;
}

const struct stage stage_disclose = { .name = "disclose", .passes = passes, .enter = enter, .resume = resume };

/* ---- even: when it leaves ------------------------------------------------------------- */

static bool
evens(const struct exchange *ex)
{
    return ex->giving != NULL
        && (ex->giving->denied || ex->intake == INTAKE_SEARCH || ex->intake == INTAKE_HISTORY);
}

static bool
leaves_at_once(const struct exchange *ex)
{
    return !evens(ex);
}

/* A timer of its own, at a moment and not after a while: those of libevent end on a
 * millisecond of epoll after the time that was spent here, and so add what they should hide. */
static bool
wait_until(struct exchange *ex, int64_t until)
{
    struct itimerspec at    = { .it_value = { .tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000 } };
    int               fd    = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

    if (fd >= 0 && timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL) == 0
        && event_base_once(loop_base(ex->loop), fd, EV_READ, on_even, ex, NULL) == 0)
        return true;
    if (fd >= 0)
        close(fd);
    return false;
}

static enum step
enter_even(struct exchange *ex)
{
    int64_t taken = exchange_clock_us() - ex->begun_us;

    if (wait_until(ex, ex->begun_us + (taken / EVEN_US + 1) * EVEN_US))
        return STEP_WAIT;
    return exchange_fail(ex, ST_UNAVAILABLE, "there is no timer for this answer");
}

static void
on_even(evutil_socket_t fd, short what, void *arg)
{
    close(fd);
    (void)what;
    pipeline_resume(arg);
}

static enum step
resume_even(struct exchange *ex)
{
    (void)ex;
    return STEP_ANSWER;
}

const struct stage stage_even = { .name = "even", .passes = leaves_at_once, .enter = enter_even, .resume = resume_even };

/* What was used is wiped in half a step from the answer: the more was found, the longer that takes, and who reads the
 * answer on this very core would wait for it. */
static enum step
enter_linger(struct exchange *ex)
{
    return wait_until(ex, exchange_clock_us() + EVEN_US / 2) ? STEP_WAIT : STEP_NEXT;
}

static enum step
resume_linger(struct exchange *ex)
{
    (void)ex;
    return STEP_NEXT;
}

const struct stage stage_linger = { .name = "linger", .passes = leaves_at_once, .enter = enter_linger, .resume = resume_linger };

/* ---- the record ------------------------------------------------------------------------ */

static void
describe_recipient(struct exchange *ex, struct disclosure *d)
{
    const struct giving *g   = ex->giving;
    const struct party  *who = &ex->asker->party;
    struct span         *ids = arena_make_n(ex->arena, who->identifier_count, struct span);

    d->recipient.name      = span_empty(g->name) ? ex->asker->title : g->name;
    d->recipient.reference = span_empty(g->name) ? who->reference : g->reference;
    if (!span_empty(g->name) || ids == NULL)
        return;
    for (size_t i = 0; i < who->identifier_count; i++)
        ids[i] = arena_join(ex->arena, who->identifiers[i].system, SPAN("|"), who->identifiers[i].value);
    d->recipient.identifiers      = ids;
    d->recipient.identifier_count = who->identifier_count;
    d->recipient.classes          = who->classes;
    d->recipient.class_count      = who->class_count;
}

static void
describe_released(struct exchange *ex, const struct record_basis *basis, struct disclosure *d)
{
    const struct giving *g = ex->giving;

    d->decision           = g->withheld > 0 ? SPAN("partial") : SPAN("permit");
    d->release_ms         = ex->at_ms;
    d->bases              = basis;
    d->basis_count        = 1;
    d->items              = g->items;
    d->item_count         = g->item_count;
    d->consent            = g->consent;
    d->in_part2_accounting = g->accounted;
}

static void
describe_reading(const struct giving *g, struct disclosure *d)
{
    d->act         = g->log_act;
    d->request     = g->log_request;
    d->shown       = g->log_shown;
    d->shown_count = g->log_shown_count;
}

static enum status
author(struct exchange *ex, enum record_kind kind, struct ledger_entry *out)
{
    const struct giving      *g     = ex->giving;
    const struct record_basis basis = { .rule = g->rule, .citation = g->citation, .words = g->words };
    struct disclosure         d     = {
        .kind = kind, .event_id = record_event_id(ex->arena, ex->at_ms),
        .request_ms = ex->at_ms, .decision_ms = ex->at_ms, .request_id = ex->request_id, .client = ex->asker->title,
        .policy_version = SPAN(SLUICE_POLICY_VERSION), .value_set_version = SPAN(SLUICE_POLICY_VERSION),
        .registry_version = arena_format(ex->arena, "%llu", (unsigned long long)ex->config->generation),
        .consent_store_version = store_consent_generation(ex->gateway->store),
        .patient = g->patient, .channel = g->channel, .brief = g->brief, .via_ehr = true,
        .purposes = g->purposes, .purpose_count = g->purpose_count,
    };

    d.discloser.system = SPAN("sluice");
    describe_recipient(ex, &d);
    if (kind == RECORD_DENIAL) {
        d.decision              = SPAN("deny");
        d.withheld_count        = g->withheld;
        d.withheld              = &basis;
        d.withheld_reason_count = 1;
        return record_author(&d, ex->arena, out);
    }
    if (kind == RECORD_READING)
        describe_reading(g, &d);
    else
        describe_released(ex, &basis, &d);
    d.payload_sha256 = sha256_hex(ex->arena, &ex->answer.body, 1);
    d.payload_bytes  = ex->answer.body.length;
    return record_author(&d, ex->arena, out);
}
