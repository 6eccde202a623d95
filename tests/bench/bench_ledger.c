/* tests/bench/bench_ledger.c -- what verifying a large ledger costs, beside hashing the same bytes.
 *
 *   bench_ledger N FOLDER  leaves that store and its key there instead, for run_audit.py
 *   bench_ledger [N]      N records (1,000,000; every thousandth to another recipient) in a store of its own, then
 *     sha256   SHA-256 of as many bytes as the records have, one record after the other
 *     store    ledger_verify_store
 *     export   ledger_export
 *     folder   ledger_verify_folder of that export
 * Prints seconds of CPU, microseconds a record, the ratio to sha256, and the
 * most memory the process had at the end of each step (it must not grow).
 */
#include <sys/resource.h>
#include <time.h>

#include "gateway/ledger/digest.h"
#include "gateway/ledger/record.h"
#include "gateway/ledger/verify.h"
#include "tests/gateway/store_support.h"

#define IN_FLIGHT 200u

static double
cpu_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long
peak_mib(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

static struct ledger_entry
a_record(struct arena *arena, unsigned n)
{
    static const struct span purposes[] = { { "TREAT", 5 } };
    struct record_item       items[6];
    struct record_basis      basis = { SPAN("R-01"), SPAN("42 CFR 2.33(a)(2)"), SPAN("a consent covers it"), 6 };
    struct ledger_entry      e;

    for (unsigned i = 0; i < 6; i++)
        items[i] = (struct record_item){ .type = SPAN("Observation"), .id = arena_format(arena, "o-%u-%u", n, i) };
    struct disclosure d = { .kind = RECORD_DISCLOSURE, .event_id = record_event_id(arena, 1795359600000 + n),
                            .release_ms = 1795359600000 + n, .patient = arena_format(arena, "Patient/%u", n / 10),
                            .recipient = { .name = n % 1000 == 0 ? SPAN("oak-clinic") : SPAN("county-hie") }, .bases = &basis, .basis_count = 1,
                            .purposes = purposes, .purpose_count = 1, .items = items, .item_count = 6,
                            .decision = SPAN("permit"), .payload_bytes = n, .in_part2_accounting = true,
                            .payload_sha256 = SPAN("5b0f1a0e7f5f5a0f6d1d4f0c8b7a69584736251403f2e1d0cfbead9c8b7a6958") };
    if (record_author(&d, arena, &e) != ST_OK)
        abort();
    return e;
}

static void
fill(struct scratch *t, unsigned count)
{
    for (unsigned n = 0; n < count; n += IN_FLIGHT) {
        struct arena_mark   mark = arena_mark(t->arena);
        struct ledger_entry e[IN_FLIGHT];
        struct store_unit   u = { .records = e, .record_count = IN_FLIGHT };
        for (unsigned i = 0; i < IN_FLIGHT; i++)
            e[i] = a_record(t->arena, n + i);
        if (submit(t, &u) != ST_OK)
            abort();
        arena_reset(t->arena, mark);
    }
}

struct hashing {
    struct digest *digest;
    unsigned       count;
    uint64_t       bytes;
};

/* The hashing alone: a record that is in the cache, as often as there are records. */
static bool
on_leaf(const struct ledger_leaf *leaf, void *arg)
{
    struct hashing    *h = arg;
    struct ledger_hash hash;

    for (unsigned i = 0; i < h->count; i++) {
        digest_begin(h->digest);
        digest_add(h->digest, leaf->record.at, leaf->record.length);
        digest_end(h->digest, &hash);
    }
    h->bytes = (uint64_t)leaf->record.length * h->count;
    return false;
}

/* The store and its key, as sluice.db and ledger.key. */
static int
leave(struct scratch *t, const char *folder)
{
    const char *from[] = { t->file, t->key };
    const char *names[] = { "sluice.db", "ledger.key" };
    char        to[512];

    store_close(&t->store);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(to, sizeof to, "%s/%s", folder, names[i]);
        if (rename(from[i], to) != 0) {
            perror(to);
            return 1;
        }
    }
    scratch_free(t);
    return 0;
}

static void
line(const char *what, double seconds, unsigned count, double yardstick)
{
    (void)printf("%-8s %8.2f s %8.2f us a record %6.1f times sha256   %ld MiB at most\n", what, seconds,
                 seconds * 1e6 / count, seconds / yardstick, peak_mib());
    (void)fflush(stdout);
}

int
main(int argc, char **argv)
{
    struct scratch       *t     = scratch_new();
    unsigned              count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000000u;
    struct hashing        h     = { digest_new(), 0, 0 };
    struct verify_options v     = { .other_count = 0 };
    struct verify_result  r;
    struct export_result  exported;
    struct buf            report;
    char                  dir[128];

    count = (count + IN_FLIGHT - 1) / IN_FLIGHT * IN_FLIGHT;
    buf_init(&report, 1 << 20);
    if (h.digest == NULL || scratch_open(t) != ST_OK)
        abort();
    fill(t, count);
    if (argc > 2)
        return leave(t, argv[2]);
    if (scratch_reopen(t) != ST_OK)      /* the index is in the file */
        abort();
    h.count   = count;
    double at = cpu_now();
    if (store_ledger_visit(t->store, LEDGER_DISCLOSURES, 0, on_leaf, &h) != ST_OK)
        abort();
    double yardstick = cpu_now() - at;
    (void)printf("%u records, %.0f MiB\n", count, (double)h.bytes / 1048576.0);
    line("sha256", yardstick, count, yardstick);
    memcpy(v.key.bytes, ledger_signer_public(t->signer), 32);
    at = cpu_now();
    if (ledger_verify_store(t->store, &v, &r, &report) != ST_OK)
        abort();
    line("store", cpu_now() - at, count, yardstick);
    (void)snprintf(dir, sizeof dir, "%s/export", t->folder);
    struct export_options o = { .dir = dir, .key = v.key };
    at = cpu_now();
    if (ledger_export(t->store, &o, &exported, &report) != ST_OK)
        abort();
    line("export", cpu_now() - at, count, yardstick);
    at = cpu_now();
    if (ledger_verify_folder(dir, &v, &r, &report) != ST_OK)
        abort();
    line("folder", cpu_now() - at, count, yardstick);
    digest_free(&h.digest);
    buf_release(&report);
    scratch_free(t);
    return 0;
}
