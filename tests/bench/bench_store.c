/* tests/bench/bench_store.c -- what durability costs: the store beside a plain file.
 *
 * Three things in one run, in one folder of the same disk:
 *   file     append + fdatasync of the same record bytes, n a sync
 *   ledger   units that carry one record, n in flight
 *   push     units as an accepted 5 KB Bundle makes them (inbox, 6 resources, a
 *            release, a denial, an outbox row, a kept answer) and the outcome of
 *            the delivery, n in flight
 * Prints records or Bundles a second and the CPU of the store thread for each;
 * the ratio to the file in the same row is what may be compared between
 * machines.
 */
#include <stddef.h>
#include <time.h>

#include "gateway/store/sqlite.h"
#include "tests/gateway/store_support.h"

#define ROUND_SECONDS 2.0
#define GROUPS        4

static const unsigned groups[GROUPS] = { 1, 10, 32, 100 };

static double
now_of(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct span
record_bytes(struct arena *arena, unsigned n)
{
    char filler[900];

    memset(filler, 'x', sizeof filler);
    return arena_format(arena, RECORD_PREFIX ",\"eventId\":\"01890a5d-ac96-774b-bcce-%012x\",\"kind\":\"disclosure\","
                               "\"patientId\":\"Patient/%08x\",\"more\":\"%.*s\"}",
                        n, n * 2654435761u, (int)sizeof filler, filler);
}

static double
file_rate(struct scratch *t, unsigned group)
{
    char        name[128];
    struct span record = record_bytes(t->arena, 1);
    (void)snprintf(name, sizeof name, "%s/plain", t->folder);
    int    fd    = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    double start = now_of(CLOCK_MONOTONIC), end = start;
    size_t count = 0;

    while (end - start < ROUND_SECONDS / 2) {
        for (unsigned i = 0; i < group; i++)
            if (write(fd, record.at, record.length) != (ssize_t)record.length)
                abort();
        if (fdatasync(fd) != 0)
            abort();
        count += group;
        end = now_of(CLOCK_MONOTONIC);
    }
    (void)close(fd);
    return (double)count / (end - start);
}

struct push {
    struct store_unit     unit, result;
    struct store_inbox    inbox;
    struct store_resource resources[6];
    struct ledger_entry   records[2];
    struct store_outbox   outbox;
    struct store_answer   answer;
    struct store_delivery delivery;
    char                  ids[6][40], key[40], patient[40], events[2][40];
};

static unsigned serial;

static struct ledger_entry
entry(struct scratch *t, struct push *p, int which, enum ledger_log log)
{
    unsigned n = ++serial;

    (void)snprintf(p->events[which], sizeof p->events[0], "01890a5d-%04x-7%03x-bcce-%012x", n >> 12, n & 4095, n);
    if (which == 0)
        (void)snprintf(p->patient, sizeof p->patient, "Patient/%08x-0000-0000", n * 2654435761u);
    return (struct ledger_entry){ .log = log, .record = record_bytes(t->arena, n), .event_id = span_of(p->events[which]),
                                  .patient = span_of(p->patient), .recipient = SPAN("county-hie"),
                                  .kind = SPAN("disclosure"), .client_of = SPAN("ehr"), .at_ms = 1 };
}

static void
ledger_unit(struct scratch *t, struct push *p)
{
    p->records[0] = entry(t, p, 0, LEDGER_DISCLOSURES);
    p->unit       = (struct store_unit){ .records = p->records, .record_count = 1, .done.run = on_done };
}

static char bundle[4921];

static void
push_unit(struct scratch *t, struct push *p)
{
    p->records[0] = entry(t, p, 0, LEDGER_DISCLOSURES);
    p->records[1] = entry(t, p, 1, LEDGER_DENIALS);
    (void)snprintf(p->key, sizeof p->key, "key-%08x", serial * 2654435761u);
    for (size_t i = 0; i < 6; i++) {
        (void)snprintf(p->ids[i], sizeof p->ids[i], "%08x-%04x-4000-8000", (serial * 8 + (unsigned)i) * 2654435761u,
                       (unsigned)i);
        p->resources[i] = (struct store_resource){ .type = SPAN("Observation"), .id = span_of(p->ids[i]),
                                                   .patient = span_of(p->patient), .labels = SPAN("SUD R"),
                                                   .part2 = SPAN("confirmed"), .if_version = -1,
                                                   .bytes = { bundle + i * 800, 800 } };
    }
    p->inbox  = (struct store_inbox){ .request_id = SPAN("req"), .client = SPAN("ehr"), .body = { bundle, sizeof bundle },
                                      .bundle_type = SPAN("transaction"), .patient = span_of(p->patient) };
    p->outbox = (struct store_outbox){ .recipient = SPAN("county-hie"), .patient = span_of(p->patient),
                                       .idempotency_key = span_of(p->key), .event_id = span_of(p->events[0]),
                                       .due_ms = 1, .lease_ms = INT64_MAX };
    p->answer = (struct store_answer){ .client = SPAN("ehr"), .key = span_of(p->key), .status = 200,
                                       .body = { bundle, 600 }, .content_type = SPAN("application/fhir+json") };
    p->unit   = (struct store_unit){ .inbox = &p->inbox, .resources = p->resources, .resource_count = 6,
                                     .records = p->records, .record_count = 2, .outbox = &p->outbox,
                                     .outbox_count = 1, .answer = &p->answer, .done.run = on_done };
}

/* The outcome of the delivery that the push made. */
static void
result_unit(struct push *p)
{
    p->delivery = (struct store_delivery){ .id = p->outbox.id, .state = DELIVERY_SENT, .attempts = 1 };
    p->result   = (struct store_unit){ .deliveries = &p->delivery, .delivery_count = 1, .done.run = on_done };
}

static void
wave(struct scratch *t, struct push *pushes, unsigned group, bool results)
{
    expect_done(group);
    for (unsigned i = 0; i < group; i++)
        store_submit(t->store, results ? &pushes[i].result : &pushes[i].unit);
    wait_done();
}

static void
store_rate(struct scratch *t, unsigned group, bool whole, double *rate, double *cpu_us)
{
    struct push *pushes = calloc(group, sizeof *pushes);
    clockid_t    clock;
    size_t       count = 0;

    if (pushes == NULL || pthread_getcpuclockid(t->store->thread, &clock) != 0)
        abort();
    double start = now_of(CLOCK_MONOTONIC), end = start, cpu = now_of(clock);
    while (end - start < ROUND_SECONDS) {
        struct arena_mark mark = arena_mark(t->arena);
        for (unsigned i = 0; i < group; i++) {
            if (whole)
                push_unit(t, &pushes[i]);
            else
                ledger_unit(t, &pushes[i]);
        }
        wave(t, pushes, group, false);
        for (unsigned i = 0; i < group && whole; i++)
            result_unit(&pushes[i]);
        if (whole)
            wave(t, pushes, group, true);
        for (unsigned i = 0; i < group; i++)
            if (pushes[i].unit.status != ST_OK || (whole && pushes[i].result.status != ST_OK))
                abort();
        count += group;
        arena_reset(t->arena, mark);
        end = now_of(CLOCK_MONOTONIC);
    }
    *rate   = (double)count / (end - start);
    *cpu_us = (now_of(clock) - cpu) * 1e6 / (double)count;
    free(pushes);
}

/* bench_store [N [push]]: only the row of N in flight, only the pushes. */
int
main(int argc, char **argv)
{
    struct scratch *t    = scratch_new();
    long            only = argc > 1 ? strtol(argv[1], NULL, 10) : 0;

    memset(bundle, 'b', sizeof bundle);
    if (scratch_open(t) != ST_OK)
        abort();
    (void)printf("%6s %12s | %12s %6s %9s | %12s %9s\n", "group", "file rec/s", "ledger rec/s", "ratio", "CPU us",
                 "push/s", "CPU us");
    for (int i = 0; i < GROUPS; i++) {
        if (only != 0 && only != (long)groups[i])
            continue;
        double file = argc > 2 ? 1 : file_rate(t, groups[i]);
        double ledger = 0, ledger_cpu = 0, push, push_cpu;
        if (argc <= 2)
            store_rate(t, groups[i], false, &ledger, &ledger_cpu);
        store_rate(t, groups[i], true, &push, &push_cpu);
        (void)printf("%6u %12.0f | %12.0f %6.2f %9.1f | %12.0f %9.1f\n", groups[i], file, ledger, ledger / file,
                     ledger_cpu, push, push_cpu);
        (void)fflush(stdout);
    }
    scratch_free(t);
    return 0;
}
