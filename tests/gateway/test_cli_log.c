/* tests/gateway/test_cli_log.c -- log, accounting and queue as a compliance officer's script sees them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json_tape.h"
#include "gateway/ledger/checkpoint.h"
#include "gateway/ledger/merkle.h"
#include "gateway/ledger/record.h"
#include "tests/gateway/cli_support.h"
#include "tests/gateway/store_support.h"

#define AT INT64_C(1795359600000)        /* 2026-11-22T15:00:00Z */

struct office {
    struct scratch *t;
    struct ran      ran;
    char            conf[96], first[40], voided[40];
};

/* ---- a ledger with everything ---------------------------------------------------------- */

static struct span
record_some(struct scratch *t, enum record_kind kind, const char *patient, const char *rule, struct span voids,
            int64_t at)
{
    static const struct span    purposes[] = { { "TREAT", 5 } };
    struct record_basis         basis      = { span_of(rule), SPAN("42 CFR 2.33(a)(2)"), SPAN("covered"), 1 };
    struct record_item          item       = { .type = SPAN("Condition"), .id = SPAN("c1") };
    struct record_consent       consent    = { .id = SPAN("Consent/c1") };
    bool                        part2      = rule[0] == 'R';
    struct ledger_entry         e;
    struct store_unit           u = { .records = &e, .record_count = 1 };
    struct disclosure           d = { .kind = kind, .event_id = record_event_id(t->arena, at), .voids = voids,
                                      .release_ms = at, .patient = span_of(patient),
                                      .recipient = { .name = SPAN("=county,\"hie\""), .address = SPAN("1 Main St <b>") },
                                      .bases = &basis, .basis_count = 1, .purposes = purposes, .purpose_count = 1,
                                      .items = &item, .item_count = 1, .decision = SPAN("permit"),
                                      .patient_name = SPAN("Eve\x1b[31m\x07"), .payload_sha256 = SPAN("00"),
                                      .consent = part2 ? &consent : NULL, .in_part2_accounting = part2 };

    assert_int_equal(record_author(&d, t->arena, &e), ST_OK);
    assert_int_equal(submit(t, &u), ST_OK);
    return d.event_id;
}

static int
setup(void **state)
{
    static struct office o;
    struct span          none = { NULL, 0 };

    memset(&o, 0, sizeof o);
    o.t = scratch_new();
    (void)snprintf(o.conf, sizeof o.conf, "%s/sluice.conf", o.t->folder);
    FILE *f = fopen(o.conf, "we");
    if (f == NULL || scratch_open(o.t) != ST_OK)
        return -1;
    (void)fprintf(f, "listen { certificate = \"c\" key = \"k\" client-ca = \"a\" }\nstore { path = \"sluice.db\" }\n"
                     "ledger { key = \"ledger.key\" origin = \"test.example/log\" }\n");
    (void)fclose(f);
    struct span first  = record_some(o.t, RECORD_DISCLOSURE, "Patient/p1", "R-01", none, AT);
    struct span voided = record_some(o.t, RECORD_DISCLOSURE, "Patient/p1", "R-01", none, AT + 1000);
    (void)record_some(o.t, RECORD_DISCLOSURE, "Patient/p2", "R-02", none, AT + 2000);
    (void)record_some(o.t, RECORD_DISCLOSURE, "Patient/p1", "P8", none, AT + 86400000);
    (void)record_some(o.t, RECORD_VOID, "Patient/p1", "R-01", voided, AT + 3000);
    (void)record_some(o.t, RECORD_DENIAL, "Patient/p1", "B-14", none, AT);
    (void)snprintf(o.first, sizeof o.first, "%.*s", SPAN_PRINT(first));
    (void)snprintf(o.voided, sizeof o.voided, "%.*s", SPAN_PRINT(voided));
    *state = &o;
    return 0;
}

static int
teardown(void **state)
{
    struct office *o = *state;

    ran_release(&o->ran);
    scratch_free(o->t);
    return 0;
}

/* ---- running ---------------------------------------------------------------------------- */

static int
run(struct office *o, const char *line)
{
    return cli_run(o->t->folder, line, &o->ran);
}

static bool
printed(const struct office *o, const char *words)
{
    return span_find(buf_span(&o->ran.out), span_of(words)) != SPAN_NOT_FOUND;
}

static size_t
lines(const struct office *o)
{
    size_t count = 0;

    for (size_t i = 0; i < o->ran.out.length; i++)
        count += o->ran.out.at[i] == '\n';
    return count;
}

static const struct tape *
json(const struct office *o)
{
    const struct tape *t = NULL;

    assert_int_equal(tape_read(buf_span(&o->ran.out), &tape_default_limits, o->t->arena, &t, NULL), ST_OK);
    return t;
}

/* ---- log ------------------------------------------------------------------------------------ */

static void
test_verifies_the_store_and_an_export_and_finds_what_was_changed(void **state)
{
    struct office *o = *state;

    assert_int_equal(run(o, "log verify -c sluice.conf"), 0);
    assert_true(printed(o, "verified\n"));
    assert_int_equal(run(o, "log export -c sluice.conf --dir e"), 0);
    assert_true(printed(o, "e: 5 disclosures, 1 denials"));
    assert_int_equal(run(o, "log verify --dir e --key e/public-key.pem"), 0);
    assert_int_equal(run(o, "log verify --dir e --key e/public-key.pem --checkpoint e/checkpoint --json"), 0);
    assert_int_equal(tape_kind(json(o), tape_member(json(o), TAPE_ROOT, SPAN("verified"))), TAPE_TRUE);
    assert_int_equal(run(o, "log export -c sluice.conf --dir e"), 2);
    char command[256];
    (void)snprintf(command, sizeof command, "cd %s && sed -i s/Main/Pain/ e/records.ndjson", o->t->folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(run(o, "log verify --dir e --key e/public-key.pem"), 6);
    assert_true(printed(o, "records.ndjson line 1: leaf 0 does not fit its tile"));
    assert_true(printed(o, "NOT verified"));
    assert_int_equal(run(o, "log verify --dir e --key e/public-key.pem --json"), 6);
    assert_int_equal(tape_kind(json(o), tape_member(json(o), TAPE_ROOT, SPAN("verified"))), TAPE_FALSE);
}

static void
test_a_newer_checkpoint_ends_with_6(void **state)
{
    struct office *o = *state;

    assert_int_equal(run(o, "log export -c sluice.conf --dir old"), 0);
    (void)record_some(o->t, RECORD_DISCLOSURE, "Patient/p3", "R-01", (struct span){ NULL, 0 }, AT);
    assert_int_equal(run(o, "log export -c sluice.conf --dir new"), 0);
    assert_int_equal(run(o, "log verify --dir old --key ledger.key --checkpoint new/checkpoint"), 6);
    assert_true(printed(o, "the log was rolled back"));
    assert_int_equal(run(o, "log verify --dir new --key ledger.key --checkpoint old/checkpoint"), 0);
    assert_int_equal(run(o, "log verify -c sluice.conf --checkpoint old/checkpoint"), 0);
    assert_int_equal(run(o, "log verify --dir new --key ledger.key --checkpoint old/denials/checkpoint"), 0);
}

static void
test_says_what_is_missing(void **state)
{
    static const struct { const char *line; int code; } rows[] = {
        { "log verify", 2 },
        { "log verify --dir e", 2 },
        { "log verify -c sluice.conf --dir e --key k", 2 },
        { "log verify --dir /nowhere --key ledger.key", 4 },
        { "log verify --dir . --key /nowhere", 4 },
        { "log verify --dir . --key ledger.key --checkpoint /nowhere", 4 },
        { "log verify --dir . --key ledger.key", 6 },
        { "log show -c nowhere.conf", 3 },
        { "log show -c sluice.conf --since yesterday", 2 },
        { "log show -c sluice.conf --limit 0", 2 },
        { "log prove -c sluice.conf none", 1 },
        { "accounting -c sluice.conf Patient/p1 --scope everything", 2 },
        { "accounting -c sluice.conf Patient/p1 --format pdf", 2 },
        { "accounting -c sluice.conf 'Patient/p 1'", 2 },
        { "queue ls -c sluice.conf --state gone", 2 },
    };
    struct office *o = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int code = run(o, rows[i].line);
        if (code != rows[i].code)
            fail_msg("%s: %d, not %d: %.*s", rows[i].line, code, rows[i].code, SPAN_PRINT(buf_span(&o->ran.err)));
        if (rows[i].code != 6)
            assert_true(o->ran.err.length > 0);
    }
}

static void
test_shows_what_the_filters_leave(void **state)
{
    static const struct { const char *filters; size_t lines; } rows[] = {
        { "", 5 }, { "--denials", 1 }, { "--kind void", 1 }, { "--patient Patient/p2", 1 }, { "--basis R-01", 2 },
        { "--patient Patient/p1 --basis P8", 1 }, { "--since 2026-11-23", 1 }, { "--until 2026-11-22T15:00:01Z", 2 },
        { "--limit 2", 2 }, { "--limit 50", 5 }, { "--to nobody", 0 }, { "--json", 5 },
    };
    struct office *o = *state;
    char           line[256];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(line, sizeof line, "log show -c sluice.conf %s", rows[i].filters);
        assert_int_equal(run(o, line), 0);
        if (lines(o) != rows[i].lines)
            fail_msg("%s: %zu lines: %.*s", rows[i].filters, lines(o), SPAN_PRINT(buf_span(&o->ran.out)));
    }
    assert_int_equal(run(o, "log show -c sluice.conf --limit 1"), 0);
    assert_true(printed(o, "void"));
    assert_int_equal(run(o, "log show -c sluice.conf"), 0);
    assert_true(printed(o, "2026-11-22T15:00:00.000Z  disclosure  Patient/p1"));
    assert_true(printed(o, "1 condition"));
}

static void
test_proves_a_record_to_whoever_has_the_key(void **state)
{
    struct office *o = *state;
    char           line[128];
    (void)snprintf(line, sizeof line, "log prove -c sluice.conf %s", o->first);

    assert_int_equal(run(o, line), 0);
    struct span   rest = buf_span(&o->ran.out), commitment, hash;
    unsigned char bytes[32];
    assert_true(span_eq(span_split(&rest, '\n'), SPAN("c2sp.org/tlog-proof@v1")));
    commitment = span_skip(span_split(&rest, '\n'), 6);
    assert_true(base64_take(commitment, bytes, 32));
    assert_true(span_eq(span_split(&rest, '\n'), SPAN("index 0")));

    struct digest       *d     = digest_new();
    struct merkle_proof  proof = { .count = 0 };
    struct ledger_hash   leaf;
    struct checkpoint    head;
    struct ledger_public key;
    struct buf           why;
    buf_init(&why, 1024);
    while (!span_empty(hash = span_split(&rest, '\n')))
        assert_true(base64_take(hash, proof.hash[proof.count++].bytes, 32));
    assert_int_equal(ledger_public_read(o->t->key, &key, &why), ST_OK);
    assert_int_equal(checkpoint_verify(rest, &key, d, (struct span){ NULL, 0 }, &head, &why), ST_OK);
    merkle_leaf(d, bytes, 32, &leaf);
    assert_true(merkle_verify_inclusion(d, 0, head.size, &leaf, &proof, &head.root));
    digest_free(&d);
    buf_release(&why);
}

/* ---- accounting ---------------------------------------------------------------------------------- */

static size_t
accounted(struct office *o, const char *options)
{
    char line[256];
    (void)snprintf(line, sizeof line, "accounting -c sluice.conf Patient/p1 --format json %s", options);

    assert_int_equal(run(o, line), 0);
    const struct tape *t = json(o);
    assert_true(span_eq(tape_member_text(t, TAPE_ROOT, SPAN("patient"), o->t->arena), SPAN("Patient/p1")));
    return tape_children(t, tape_member(t, TAPE_ROOT, SPAN("disclosures")));
}

static void
test_accounts_for_standing_disclosures_in_their_scopes(void **state)
{
    struct office *o = *state;

    store_close(&o->t->store);           /* the command writes that it was given */
    assert_int_equal(accounted(o, ""), 2);
    assert_false(printed(o, o->voided));
    assert_true(printed(o, o->first));
    assert_int_equal(accounted(o, "--scope part2"), 1);
    assert_true(printed(o, o->first));
    assert_int_equal(accounted(o, "--scope hipaa"), 0);
    assert_int_equal(accounted(o, "--since 2026-11-23"), 1);
    assert_int_equal(run(o, "accounting -c sluice.conf nobody --json"), 0);
    const struct tape *none = json(o);   /* one document, also when it is empty */
    assert_int_equal(tape_children(none, tape_member(none, TAPE_ROOT, SPAN("disclosures"))), 0);
    assert_true(printed(o, "{\"patient\":\"Patient/nobody\",") && printed(o, "\"disclosures\":[]}"));
}

static void
test_what_a_sender_wrote_moves_no_cursor_and_runs_no_formula(void **state)
{
    struct office *o = *state;

    assert_int_equal(run(o, "accounting -c sluice.conf Patient/p1"), 4);
    assert_int_equal(o->ran.out.length, 0);  /* somebody has the store, and does not write that it is given */
    store_close(&o->t->store);
    assert_int_equal(run(o, "accounting -c sluice.conf Patient/p1"), 0);
    assert_true(printed(o, "2 disclosures"));
    assert_false(printed(o, "\x1b"));
    assert_int_equal(run(o, "accounting -c sluice.conf Patient/p1 --format csv"), 0);
    assert_true(printed(o, "\"'=county,\"\"hie\"\"\","));
    assert_int_equal(run(o, "accounting -c sluice.conf Patient/p1 --format html"), 0);
    assert_true(printed(o, "<small>1 Main St &lt;b&gt;</small>"));
    assert_true(printed(o, "=county,&quot;hie&quot;"));
}

/* ---- queue ------------------------------------------------------------------------------------------- */

static void
test_lists_what_waits(void **state)
{
    struct office      *o  = *state;
    struct store_inbox  in = { .request_id = SPAN("r1"), .client = SPAN("ehr"), .body = SPAN("{}") };
    struct store_outbox x  = { .recipient = SPAN("county-hie"), .patient = SPAN("Patient/p1"),
                               .idempotency_key = SPAN("k1"), .due_ms = AT };
    struct store_unit   u  = { .inbox = &in, .outbox = &x, .outbox_count = 1 };

    assert_int_equal(run(o, "queue ls -c sluice.conf"), 0);
    assert_int_equal(o->ran.out.length, 0);
    assert_int_equal(submit(o->t, &u), ST_OK);
    assert_int_equal(run(o, "queue ls -c sluice.conf --json"), 0);
    tape_node first = tape_item(json(o), tape_member(json(o), TAPE_ROOT, SPAN("deliveries")), 0);
    assert_true(span_eq(tape_member_text(json(o), first, SPAN("idempotencyKey"), o->t->arena), SPAN("k1")));
    assert_true(span_eq(tape_member_text(json(o), first, SPAN("due"), o->t->arena), SPAN("2026-11-22T15:00:00.000Z")));
    assert_int_equal(run(o, "queue ls -c sluice.conf --state waiting"), 0);
    assert_int_equal(lines(o), 1);
    assert_int_equal(run(o, "queue ls -c sluice.conf --state dead"), 0);
    assert_int_equal(lines(o), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_verifies_the_store_and_an_export_and_finds_what_was_changed),
        TEST(test_a_newer_checkpoint_ends_with_6),
        TEST(test_says_what_is_missing),
        TEST(test_shows_what_the_filters_leave),
        TEST(test_proves_a_record_to_whoever_has_the_key),
        TEST(test_accounts_for_standing_disclosures_in_their_scopes),
        TEST(test_what_a_sender_wrote_moves_no_cursor_and_runs_no_formula),
        TEST(test_lists_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
