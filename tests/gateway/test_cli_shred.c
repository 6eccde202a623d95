/* tests/gateway/test_cli_shred.c -- records are destroyed when their time is over: what goes, what stays, and what a verifier says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "gateway/ledger/record.h"
#include "tests/gateway/cli_support.h"
#include "tests/gateway/store_support.h"

#define OLD   INT64_C(1262304000000)     /* 2010-01-01 */
#define YEARS INT64_C(31557600000)

struct vault {
    struct scratch *t;
    struct ran      ran;
    char            kept[40], gone[40];  /* eventIds of p1: of today, of 2010 */
};

static struct span
put(struct scratch *t, enum record_kind kind, const char *patient, const char *other, struct span voids, int64_t at)
{
    static const struct record_basis basis    = { { "R-01", 4 }, { "42 CFR 2.33(a)(2)", 17 }, { "covered", 7 }, 1 };
    struct record_item               item     = { .type = SPAN("Condition"), .id = SPAN("cond-zebulon") };
    struct record_patient            people[] = { { .patient = span_of(patient), .items = &item, .item_count = 1, .decision = SPAN("permit") },
                                                  { .patient = span_of(other != NULL ? other : ""), .items = &item, .item_count = 1, .decision = SPAN("permit") } };
    struct ledger_entry              e;
    struct store_unit                u = { .records = &e, .record_count = 1 };
    struct disclosure                d = { .kind = kind, .event_id = record_event_id(t->arena, at), .voids = voids, .release_ms = at,
                                           .decision_ms = at, .patient = span_of(patient), .patient_name = SPAN("Zebulon Quartermaine"),
                                           .recipient.name = SPAN("xylophone-clinic"), .bases = &basis, .basis_count = 1, .items = &item,
                                           .item_count = 1, .decision = SPAN("permit"), .client = SPAN("quokka-ehr"), .act = SPAN("read"),
                                           .request = SPAN("GET /fhir/AuditEvent/x"), .patients = people,
                                           .patient_count = other != NULL ? 2 : 0, .payload_sha256 = SPAN("00") };

    assert_int_equal(record_author(&d, t->arena, &e), ST_OK);
    assert_int_equal(submit(t, &u), ST_OK);
    return d.event_id;
}

static void
configure(struct vault *v, const char *more)
{
    char  path[128];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/sluice.conf", v->t->folder);
    f = fopen(path, "we");
    assert_non_null(f);
    (void)fprintf(f, "listen { certificate = \"c\" key = \"k\" client-ca = \"a\" }\nstore { path = \"sluice.db\" }\n"
                     "ledger { key = \"ledger.key\" origin = \"test.example/log\" %s }\n", more);
    (void)fclose(f);
}

/* Of 2010: p1 twice, one of them taken back, p2, p1 with p3, a denial, a reading.  Of five years ago, and of today: p1. */
static int
setup(void **state)
{
    static struct vault v;
    struct span         none = { NULL, 0 };
    int64_t             now  = (int64_t)time(NULL) * 1000;

    memset(&v, 0, sizeof v);
    v.t = scratch_new();
    if (scratch_open(v.t) != ST_OK)
        return -1;
    struct span gone   = put(v.t, RECORD_DISCLOSURE, "Patient/p1", NULL, none, OLD);
    struct span voided = put(v.t, RECORD_DISCLOSURE, "Patient/p1", NULL, none, OLD + 1000);
    (void)put(v.t, RECORD_VOID, "Patient/p1", NULL, voided, OLD + 2000);
    (void)put(v.t, RECORD_DISCLOSURE, "Patient/p2", NULL, none, OLD + 3000);
    (void)put(v.t, RECORD_DISCLOSURE, "Patient/p1", "Patient/p3", none, OLD + 4000);
    (void)put(v.t, RECORD_DENIAL, "Patient/p1", NULL, none, OLD + 5000);
    (void)put(v.t, RECORD_READING, "Patient/p1", NULL, none, OLD + 6000);
    (void)put(v.t, RECORD_DISCLOSURE, "Patient/p1", NULL, none, now - 5 * YEARS);
    struct span kept = put(v.t, RECORD_DISCLOSURE, "Patient/p1", NULL, none, now);
    (void)snprintf(v.kept, sizeof v.kept, "%.*s", SPAN_PRINT(kept));
    (void)snprintf(v.gone, sizeof v.gone, "%.*s", SPAN_PRINT(gone));
    store_close(&v.t->store);            /* the command opens it */
    configure(&v, "");
    *state = &v;
    return 0;
}

static int
teardown(void **state)
{
    struct vault *v = *state;

    ran_release(&v->ran);
    scratch_free(v->t);
    return 0;
}

static int
run(struct vault *v, const char *line)
{
    return cli_run(v->t->folder, line, &v->ran);
}

static bool
says(const struct buf *b, const char *words)
{
    return span_find(buf_span(b), span_of(words)) != SPAN_NOT_FOUND;
}

static void
shred(struct vault *v, const char *options, const char *want)
{
    char line[256];

    (void)snprintf(line, sizeof line, "log shred -c sluice.conf --why 'retention is over' %s", options);
    assert_int_equal(run(v, line), 0);
    assert_true(says(&v->ran.err, want));
}

static void
sql(struct vault *v, const char *text)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(v->t->file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* How often the words stand in the file, whatever SQLite thinks that is free. */
static size_t
in_file(struct vault *v, const char *words)
{
    struct buf bytes;
    size_t     count = 0;

    buf_init(&bytes, 64 << 20);
    assert_int_equal(file_read(v->t->file, &bytes), ST_OK);
    for (struct span rest = buf_span(&bytes); span_find(rest, span_of(words)) != SPAN_NOT_FOUND; count++)
        rest = span_skip(rest, span_find(rest, span_of(words)) + 1);
    buf_release(&bytes);
    return count;
}

static void
test_what_is_over_goes_and_the_tree_stays(void **state)
{
    struct vault *v = *state;

    assert_int_equal(run(v, "log verify -c sluice.conf --json"), 0);
    assert_int_equal(run(v, "log prove -c sluice.conf missing"), 1);
    shred(v, "--dry-run", "7 records");
    assert_int_equal(run(v, "log verify -c sluice.conf --strict"), 0);
    assert_true(says(&v->ran.out, " 0 destroyed"));
    shred(v, "", "7 records of before");
    assert_int_equal(run(v, "log verify -c sluice.conf --strict"), 0);
    assert_true(says(&v->ran.out, " 5 destroyed") && says(&v->ran.out, " 2 destroyed"));
    assert_int_equal(run(v, "log show -c sluice.conf --denials --kind shredding --json"), 0);
    assert_true(says(&v->ran.out, "\"leaves\":{\"disclosures\":[\"0-4\"],\"denials\":[\"0-1\"]},\"count\":7"));
    assert_true(says(&v->ran.out, "\"why\":\"retention is over\"") && !says(&v->ran.out, "Patient/"));
    char line[128];
    (void)snprintf(line, sizeof line, "log prove -c sluice.conf %s", v->gone);
    assert_int_equal(run(v, line), 1);
    (void)snprintf(line, sizeof line, "log prove -c sluice.conf %s", v->kept);
    assert_int_equal(run(v, line), 0);
    assert_int_equal(run(v, "accounting -c sluice.conf Patient/p1"), 0);
    assert_true(says(&v->ran.out, "2 disclosures") && says(&v->ran.out, v->kept));
    assert_int_equal(run(v, "accounting -c sluice.conf Patient/p3"), 0);
    assert_true(says(&v->ran.out, "0 disclosures"));
    shred(v, "", "0 records of before");          /* and again */
}

static void
test_nothing_of_it_is_left_in_the_file(void **state)
{
    struct vault *v = *state;

    sql(v, "PRAGMA wal_checkpoint(TRUNCATE)");
    size_t names = in_file(v, "Zebulon Quartermaine"), recipients = in_file(v, "xylophone-clinic");
    assert_true(in_file(v, "Patient/p2") > 0 && in_file(v, "Patient/p3") > 0);
    shred(v, "", "7 records of before");
    sql(v, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(in_file(v, "Patient/p2"), 0);
    assert_int_equal(in_file(v, "Patient/p3"), 0);
    assert_int_equal(in_file(v, v->gone), 0);
    assert_true(in_file(v, "Zebulon Quartermaine") < names && in_file(v, "xylophone-clinic") < recipients);
}

static void
test_who_is_under_legal_hold_keeps_all(void **state)
{
    struct vault *v = *state;

    configure(v, "legal-hold = { \"Patient/p3\", \"Patient/p9\" }");
    shred(v, "", "6 records of before");
    assert_true(says(&v->ran.err, " 1 are under legal hold"));
    assert_int_equal(run(v, "accounting -c sluice.conf Patient/p3"), 0);
    assert_true(says(&v->ran.out, "1 disclosures"));
    assert_int_equal(run(v, "log verify -c sluice.conf --strict"), 0);
    configure(v, "legal-hold = { \"p2\" }");     /* who can be nobody holds nothing */
    assert_int_equal(run(v, "log shred -c sluice.conf --why x"), 3);
    assert_true(says(&v->ran.err, "`legal-hold` \"p2\" is no patient"));
    configure(v, "legal-hold = { \"all\" }");
    shred(v, "", "0 records of before");
    assert_true(says(&v->ran.err, " 1 are under legal hold"));
    configure(v, "");
    shred(v, "", "1 records of before");
    assert_int_equal(run(v, "log verify -c sluice.conf --strict"), 0);
}

static void
test_what_has_to_be_kept_is_not_destroyed(void **state)
{
    struct vault *v = *state;

    assert_int_equal(run(v, "log shred -c sluice.conf --why x --before 2099-01-01"), 1);
    assert_true(says(&v->ran.err, "retention-years"));
    assert_int_equal(run(v, "log shred -c sluice.conf --why x --before never"), 1);
    assert_int_equal(run(v, "log shred -c sluice.conf"), 2);
    configure(v, "retention-years = 5");
    assert_int_equal(run(v, "log shred -c sluice.conf --why x"), 3);
    configure(v, "retention-years = 6");
    shred(v, "--before 2010-01-01T00:00:02Z", "2 records of before");
    assert_int_equal(run(v, "log verify -c sluice.conf --strict"), 0);
}

static void
test_what_was_destroyed_without_a_record_is_told(void **state)
{
    struct vault *v = *state;

    shred(v, "", "7 records of before");
    sql(v, "UPDATE ledger_leaf SET salt = NULL, record = NULL WHERE position = 6");
    assert_int_equal(run(v, "log verify -c sluice.conf"), 0);
    assert_true(says(&v->ran.out, "disclosures: 1 records were destroyed, and no record says so; the first is leaf 6"));
    assert_int_equal(run(v, "log verify -c sluice.conf --strict"), 6);
    assert_true(says(&v->ran.out, "leaf 6: it was destroyed, and no record says so"));
    assert_int_equal(run(v, "log verify -c sluice.conf --json"), 0);
    assert_true(says(&v->ran.out, "\"destroyedWithoutRecord\":1"));
}

static void
test_what_is_there_again_is_found(void **state)
{
    struct vault *v = *state;

    sql(v, "CREATE TABLE kept AS SELECT * FROM ledger_leaf WHERE position = 3");
    shred(v, "", "7 records of before");
    sql(v, "UPDATE ledger_leaf SET salt = (SELECT salt FROM kept), record = (SELECT record FROM kept) WHERE position = 3; DROP TABLE kept");
    assert_int_equal(run(v, "log verify -c sluice.conf"), 6);
    assert_true(says(&v->ran.out, "leaf 3: a record says that it was destroyed, and it is here"));
}

static void
test_an_export_says_the_same(void **state)
{
    struct vault *v = *state;
    char          line[512];

    shred(v, "", "7 records of before");
    assert_int_equal(run(v, "log export -c sluice.conf --dir e"), 0);
    (void)snprintf(line, sizeof line, "cd %s && openssl pkey -in ledger.key -pubout -out key.pem && /usr/bin/python3 -B e/verify.py key.pem --strict >said",
                   v->t->folder);
    assert_int_equal(system(line), 0);
    assert_int_equal(run(v, "log verify --dir e --key key.pem --strict"), 0);
    assert_true(says(&v->ran.out, " 5 destroyed"));
    sql(v, "UPDATE ledger_leaf SET salt = NULL, record = NULL WHERE position = 6");
    assert_int_equal(run(v, "log export -c sluice.conf --dir f"), 0);
    assert_int_equal(run(v, "log verify --dir f --key key.pem"), 0);
    assert_true(says(&v->ran.out, "no record says so; the first is leaf 6"));
    assert_int_equal(run(v, "log verify --dir f --key key.pem --strict"), 6);
    (void)snprintf(line, sizeof line, "cd %s && /usr/bin/python3 -B f/verify.py key.pem >said && ! /usr/bin/python3 -B f/verify.py key.pem --strict >said",
                   v->t->folder);
    assert_int_equal(system(line), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_over_goes_and_the_tree_stays),
        TEST(test_nothing_of_it_is_left_in_the_file),
        TEST(test_who_is_under_legal_hold_keeps_all),
        TEST(test_what_has_to_be_kept_is_not_destroyed),
        TEST(test_what_was_destroyed_without_a_record_is_told),
        TEST(test_what_is_there_again_is_found),
        TEST(test_an_export_says_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
