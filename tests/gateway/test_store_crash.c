/* tests/gateway/test_store_crash.c -- killed, out of disk, a disk that lies: what was acknowledged is there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/gateway/store_support.h"

/* SQLite's calls end here: the executable's symbol comes before libc's. */
static volatile bool disk_lies;

__attribute__((visibility("default"))) int
fdatasync(int fd)
{
    if (disk_lies) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

#define GROUP 8

struct push {
    struct store_unit     unit;
    struct store_inbox    inbox;
    struct store_resource resource;
    struct ledger_entry   record;
    struct store_outbox   outbox;
    struct store_answer   answer;
    char                  id[24];
};

static char body[3000];

static void
push_make(struct scratch *t, struct push *p, unsigned serial)
{
    memset(p, 0, sizeof *p);
    (void)snprintf(p->id, sizeof p->id, "n%u", serial);
    p->inbox    = (struct store_inbox){ .request_id = span_of(p->id), .client = SPAN("ehr"), .body = { body, sizeof body } };
    p->resource = (struct store_resource){ .type = SPAN("Condition"), .id = span_of(p->id), .patient = SPAN("Patient/p1"),
                                           .bytes = { body + serial % 1000, 1000 }, .if_version = 0 };
    p->record   = some_record(t, LEDGER_DISCLOSURES, SPAN("Patient/p1"));
    p->record.event_id = span_of(p->id);
    p->outbox   = (struct store_outbox){ .recipient = SPAN("hie"), .patient = SPAN("Patient/p1"),
                                         .idempotency_key = span_of(p->id), .event_id = span_of(p->id), .due_ms = 1 };
    p->answer   = (struct store_answer){ .client = SPAN("ehr"), .key = span_of(p->id), .status = 200, .body = SPAN("{}") };
    p->unit     = (struct store_unit){ .inbox = &p->inbox, .resources = &p->resource, .resource_count = 1,
                                       .records = &p->record, .record_count = 1, .outbox = &p->outbox,
                                       .outbox_count = 1, .answer = &p->answer, .done.run = on_done };
}

static void
body_fill(void)
{
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)('a' + i % 26);
}

/* Everything of push `serial` is there, and only once. */
static void
assert_there(struct scratch *t, unsigned serial, bool there)
{
    struct arena_mark mark = arena_mark(t->arena);
    char              id[24];
    (void)snprintf(id, sizeof id, "n%u", serial);
    struct store_read   r = { .arena = t->arena, .type = SPAN("Condition"), .id = span_of(id) };
    struct store_lookup l = { .arena = t->arena, .client = SPAN("ehr"), .key = span_of(id) };

    assert_int_equal(read_now(t, &r), there ? ST_OK : ST_NOT_FOUND);
    assert_int_equal(lookup_now(t, &l), there ? ST_OK : ST_NOT_FOUND);
    if (there) {
        assert_int_equal(r.row.version, 1);
        assert_int_equal(r.row.bytes.length, 1000);
        assert_memory_equal(r.row.bytes.at, body + serial % 1000, 1000);
    }
    arena_reset(t->arena, mark);
}

static bool
on_leaf(const struct ledger_leaf *leaf, void *arg)
{
    (void)leaf;
    (*(unsigned *)arg)++;
    return true;
}

/* ---- killed ------------------------------------------------------------------------- */

static _Noreturn void
child_until_killed(struct scratch *t, unsigned serial, int out)
{
    struct push pushes[GROUP];

    if (scratch_open(t) != ST_OK)
        _exit(3);
    for (;;) {
        expect_done(GROUP);
        for (unsigned i = 0; i < GROUP; i++) {
            push_make(t, &pushes[i], serial + i);
            store_submit(t->store, &pushes[i].unit);
        }
        wait_done();
        for (unsigned i = 0; i < GROUP; i++) {
            unsigned acknowledged = serial + i;
            if (pushes[i].unit.status != ST_OK || write(out, &acknowledged, sizeof acknowledged) < 0)
                _exit(4);
        }
        serial += GROUP;
    }
}

static void
test_what_was_acknowledged_survives_a_kill_at_any_moment(void **state)
{
    struct scratch *t     = *state;
    unsigned        seed  = (unsigned)getpid();
    unsigned        total = 0, serial = 0;

    store_close(&t->store);
    body_fill();
    for (int round = 0; round < 15; round++) {
        int   ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)close(ends[0]);
            child_until_killed(t, serial, ends[1]);
        }
        (void)close(ends[1]);
        /* Most rounds let it get going first; some kill it while it opens. */
        struct pollfd   first = { .fd = ends[0], .events = POLLIN };
        struct timespec nap   = { .tv_nsec = (long)(rand_r(&seed) % 60000000) };
        if (round % 5 != 4)
            assert_int_equal(poll(&first, 1, 60000), 1);
        (void)nanosleep(&nap, NULL);
        (void)kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(scratch_open(t), ST_OK);            /* tree and checkpoint fit, or it would not open */
        unsigned acknowledged;
        while (read(ends[0], &acknowledged, sizeof acknowledged) == (ssize_t)sizeof acknowledged) {
            assert_there(t, acknowledged, true);
            serial = acknowledged + 1;
            total++;
        }
        (void)close(ends[0]);
        serial += 2 * GROUP;                                 /* what was on its way may be there or not */
        unsigned leaves = 0;
        assert_int_equal(store_ledger_visit(t->store, LEDGER_DISCLOSURES, 0, on_leaf, &leaves), ST_OK);
        assert_true(leaves >= total);
        store_close(&t->store);
    }
    assert_true(total > 0);
}

/* ---- no room ------------------------------------------------------------------------- */

static enum status
submit_one(struct scratch *t, struct push *p, unsigned serial)
{
    push_make(t, p, serial);
    return submit(t, &p->unit);
}

static void
test_a_full_disk_refuses_cleanly_and_heals_by_itself(void **state)
{
    struct scratch *t = *state;
    struct rlimit   before, tight;
    struct push     p;
    unsigned        serial = 0, first_refused;

    body_fill();
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    tight          = before;
    tight.rlim_cur = 400000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    while (submit_one(t, &p, serial) == ST_OK) {
        assert_true(serial < 1000);
        serial++;
    }
    assert_int_equal(p.unit.status, ST_UNAVAILABLE);
    assert_false(store_healthy(t->store));
    first_refused = serial;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    for (int i = 0; i < 50 && !store_healthy(t->store); i++) {
        struct timespec nap = { .tv_nsec = 100000000 };
        (void)nanosleep(&nap, NULL);
    }
    assert_true(store_healthy(t->store));
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(submit_one(t, &p, first_refused + 1 + i), ST_OK);
    assert_int_equal(p.record.index, first_refused + 19);    /* no leaf of the refused one */
    assert_int_equal(scratch_reopen(t), ST_OK);
    for (unsigned i = 0; i < first_refused; i++)
        assert_there(t, i, true);
    assert_there(t, first_refused, false);
    assert_there(t, first_refused + 5, true);
}

/* ---- a disk that lies ------------------------------------------------------------------ */

static void
test_a_failed_fsync_ends_the_process(void **state)
{
    struct scratch *t = *state;
    int             how;

    store_close(&t->store);
    body_fill();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct push p;
        if (scratch_open(t) != ST_OK || submit_one(t, &p, 0) != ST_OK)
            _exit(3);
        disk_lies = true;
        (void)submit_one(t, &p, 1);
        _exit(4);                                            /* it came back: it must not */
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 70);
    assert_int_equal(scratch_open(t), ST_OK);
    assert_there(t, 0, true);
}

/* ---- a file that is not there any more --------------------------------------------------- */

static void
rename_with(struct scratch *t, const char *suffix, const char *to)
{
    char from[128], into[128];

    (void)snprintf(from, sizeof from, "%s%s", t->file, suffix);
    (void)snprintf(into, sizeof into, "%s%s%s", t->file, suffix, to);
    assert_int_equal(rename(from, into), 0);
}

static void
wait_healthy(struct scratch *t, bool healthy)
{
    for (int i = 0; i < 50 && store_healthy(t->store) != healthy; i++) {
        struct timespec nap = { .tv_nsec = 100000000 };
        (void)nanosleep(&nap, NULL);
    }
    assert_int_equal(store_healthy(t->store), healthy);
}

/* Whatever the store did with a file that is gone, nobody may be told that it is
 * kept, and nothing may be decided on it. */
static void
test_a_file_that_was_taken_away_accepts_nothing_until_it_is_back(void **state)
{
    static const char *const suffixes[] = { "", "-wal" };
    struct scratch          *t = *state;
    struct push              p;
    unsigned                 serial = 0;

    body_fill();
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        assert_int_equal(submit_one(t, &p, serial++), ST_OK);
        char away[128], back[128];
        (void)snprintf(away, sizeof away, "%s%s.away", t->file, suffixes[i]);
        (void)snprintf(back, sizeof back, "%s%s", t->file, suffixes[i]);
        rename_with(t, suffixes[i], ".away");
        assert_int_equal(submit_one(t, &p, serial), ST_UNAVAILABLE);
        assert_false(store_healthy(t->store));
        struct store_read  r = { .arena = t->arena, .type = SPAN("Condition"), .id = SPAN("n0") };
        struct store_claim c = { .arena = t->arena, .now_ms = 10, .lease_ms = 20, .max = 8 };
        assert_int_equal(read_now(t, &r), ST_UNAVAILABLE);
        assert_int_equal(claim_now(t, &c), ST_UNAVAILABLE);
        FILE *other = fopen(back, "we");                     /* another file in its place is not it */
        assert_non_null(other);
        (void)fclose(other);
        assert_int_equal(submit_one(t, &p, serial), ST_UNAVAILABLE);
        assert_int_equal(rename(away, back), 0);
        wait_healthy(t, true);
        assert_there(t, serial, false);
        serial++;
    }
    assert_int_equal(submit_one(t, &p, serial), ST_OK);
    assert_int_equal(scratch_reopen(t), ST_OK);
    assert_there(t, 0, true);
    assert_there(t, 2, true);
    assert_there(t, serial, true);
}

static void
test_a_file_that_was_deleted_is_noticed_without_work(void **state)
{
    struct scratch *t = *state;

    assert_true(store_healthy(t->store));
    assert_int_equal(unlink(t->file), 0);
    wait_healthy(t, false);
}

/* A WAL that was deleted while open is still in our hands: closing puts what is in
 * it into the file. */
static void
test_a_deleted_wal_is_saved_by_closing(void **state)
{
    struct scratch *t = *state;
    struct push     p;
    char            wal[128];

    body_fill();
    assert_int_equal(submit_one(t, &p, 0), ST_OK);
    (void)snprintf(wal, sizeof wal, "%s-wal", t->file);
    assert_int_equal(unlink(wal), 0);
    assert_int_equal(submit_one(t, &p, 1), ST_UNAVAILABLE);
    assert_int_equal(scratch_reopen(t), ST_OK);
    assert_there(t, 0, true);
    assert_there(t, 1, false);
}

/* A backup that is put in place under a running gateway keeps its own WAL when
 * that gateway ends. */
static void
test_closing_leaves_the_wal_of_a_replacement_alone(void **state)
{
    struct scratch *t = *state;
    struct push     p;
    char            wal[128];

    body_fill();
    assert_int_equal(submit_one(t, &p, 0), ST_OK);
    rename_with(t, "", ".away");
    rename_with(t, "-wal", ".away");
    (void)snprintf(wal, sizeof wal, "%s-wal", t->file);
    FILE *other = fopen(wal, "we");
    assert_non_null(other);
    (void)fputs("another's", other);
    (void)fclose(other);
    store_close(&t->store);
    struct stat st;
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_size, 9);
}

/* ---- the late index --------------------------------------------------------------------- */

/* More entries than wait in memory: written out, made again after a kill, and
 * versions go on where they were. */
static void
test_the_late_index_is_whole_after_a_kill(void **state)
{
    static struct store_resource r[5000];
    static char                  ids[5000][12];
    struct scratch              *t = *state;

    store_close(&t->store);
    for (unsigned i = 0; i < 5000; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "r%u", i);
        r[i] = (struct store_resource){ .type = SPAN("Observation"), .id = span_of(ids[i]), .bytes = SPAN("v"),
                                        .if_version = -1 };
    }
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (scratch_open(t) != ST_OK)
            _exit(3);
        for (int round = 0; round < 5; round++) {
            struct store_unit u = { .resources = r, .resource_count = 5000 };
            if (submit(t, &u) != ST_OK || r[4999].version != round + 1)
                _exit(4);
        }
        (void)kill(getpid(), SIGKILL);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
    assert_int_equal(scratch_open(t), ST_OK);
    for (unsigned i = 0; i < 5000; i += 499) {
        struct arena_mark mark = arena_mark(t->arena);
        for (int64_t version = 0; version <= 5; version++) {
            struct store_read get = { .arena = t->arena, .type = SPAN("Observation"), .id = span_of(ids[i]),
                                      .version = version };
            assert_int_equal(read_now(t, &get), ST_OK);
            assert_int_equal(get.row.version, version == 0 ? 5 : version);
        }
        arena_reset(t->arena, mark);
    }
    struct store_counts counts;
    assert_int_equal(store_counts_read(t->store, &counts), ST_OK);
    assert_int_equal(counts.resources, 5000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_was_acknowledged_survives_a_kill_at_any_moment),
        TEST(test_a_full_disk_refuses_cleanly_and_heals_by_itself),
        TEST(test_a_failed_fsync_ends_the_process),
        TEST(test_a_file_that_was_taken_away_accepts_nothing_until_it_is_back),
        TEST(test_a_file_that_was_deleted_is_noticed_without_work),
        TEST(test_a_deleted_wal_is_saved_by_closing),
        TEST(test_closing_leaves_the_wal_of_a_replacement_alone),
        TEST(test_the_late_index_is_whole_after_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
