/* tests/gateway/test_record.c -- a record says what F.1 of the disclosure log asks, as JSON. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/json_tape.h"
#include "gateway/ledger/record.h"
#include "tests/support/in_arena.h"

static const struct tape *
authored(const struct disclosure *d, struct ledger_entry *entry)
{
    const struct tape *tape = NULL;

    assert_int_equal(record_author(d, arena, entry), ST_OK);
    assert_int_equal(tape_read(entry->record, &tape_default_limits, arena, &tape, NULL), ST_OK);
    assert_true(span_starts(entry->record, SPAN(RECORD_PREFIX)));
    return tape;
}

static void
assert_text(const struct tape *t, tape_node object, const char *name, const char *want)
{
    struct span got = tape_member_text(t, object, span_of(name), arena);

    if (!span_eq_text(got, want))
        fail_msg("%s is \"%.*s\", not \"%s\"", name, SPAN_PRINT(got), want);
}

static const struct span        classes[]  = { { "CE_PROVIDER", 11 } };
static const struct span        purposes[] = { { "TREAT", 5 }, { "HPAYMT", 6 } };
static const struct record_item items[]    = {
    { .type = { "Condition", 9 }, .id = { "c1", 2 }, .version = 3, .from = { "2026-01-02", 10 } },
    { .type = { "Observation", 11 }, .id = { "o1", 2 } },
    { .type = { "Observation", 11 }, .id = { "o2", 2 } },
    { .type = { "Basic", 5 }, .id = { "b1", 2 } },
};
static const struct record_basis bases[] = {
    { { "R-01", 4 }, { "42 CFR 2.33(a)(2)", 17 }, { "a single consent covers it", 26 }, 2 },
    { { "P8", 2 }, { "45 CFR 164.506(c)", 17 }, { "the site's default permits", 26 }, 2 },
};

static struct disclosure
a_release(void)
{
    static const struct record_consent consent = { .id      = { "Consent/c1", 10 },
                                                   .version = { "2", 1 },
                                                   .kind    = { "tpo", 3 },
                                                   .sha256  = { "ab", 2 },
                                                   .state   = { "active", 6 } };
    return (struct disclosure){
        .event_id        = SPAN("01890a5d-ac96-774b-bcce-b302099a8057"),
        .request_ms      = 1795359600001,
        .decision_ms     = 1795359600020,
        .release_ms      = 1795359600123,
        .request_id      = SPAN("req-1"),
        .idempotency_key = SPAN("key-1"),
        .client          = SPAN("valley-ehr"),
        .policy_version  = SPAN("p1"),
        .patient         = SPAN("Patient/p1"),
        .recipient       = { .name = SPAN("county-hie"), .address = SPAN("1 Main St"), .classes = classes,
                             .class_count = 1 },
        .discloser       = { .name = SPAN("Oak Recovery"), .holder_class = SPAN("H_PROGRAM"), .system = SPAN("sluice") },
        .bases = bases, .basis_count = 2, .purposes = purposes, .purpose_count = 2,
        .items = items, .item_count = 4, .channel = SPAN("FHIR push"), .via_ehr = true,
        .decision = SPAN("partial"), .payload_sha256 = SPAN("cd"), .payload_bytes = 4921,
        .consent = &consent, .notice = { .kind = SPAN("N1"), .version = SPAN("2024") },
        .in_part2_accounting = true, .withheld_count = 9,
    };
}

static void
test_a_release_has_every_field_that_applies(void **state)
{
    struct ledger_entry e;
    struct disclosure   d = a_release();
    const struct tape  *t = authored(&d, &e);

    (void)state;
    assert_text(t, TAPE_ROOT, "kind", "disclosure");
    assert_text(t, TAPE_ROOT, "eventId", "01890a5d-ac96-774b-bcce-b302099a8057");
    assert_text(t, TAPE_ROOT, "patientId", "Patient/p1");
    assert_text(t, TAPE_ROOT, "basis", "R-01 42 CFR 2.33(a)(2)");
    assert_text(t, TAPE_ROOT, "purpose", "TREAT HPAYMT");
    assert_text(t, TAPE_ROOT, "purposeStatement", "treatment, payment for health care");
    assert_text(t, TAPE_ROOT, "briefDescription", "1 condition, 2 observations or results and 1 Basic resource");
    assert_text(t, TAPE_ROOT, "decision", "partial");
    assert_text(t, TAPE_ROOT, "payloadSha256", "cd");
    assert_text(t, TAPE_ROOT, "consentId", "Consent/c1");
    assert_text(t, TAPE_ROOT, "noticeKind", "N1");
    assert_text(t, TAPE_ROOT, "tRelease", "2026-11-22T15:00:00.123Z");
    tape_node recipient = tape_member(t, TAPE_ROOT, SPAN("recipient"));
    assert_text(t, recipient, "name", "county-hie");
    assert_text(t, recipient, "address", "1 Main St");
    tape_node item = tape_item(t, tape_member(t, TAPE_ROOT, SPAN("itemsReleased")), 0);
    assert_text(t, item, "type", "Condition");
    assert_text(t, item, "from", "2026-01-02");
    assert_int_equal(tape_kind(t, tape_member(t, TAPE_ROOT, SPAN("viaEHR"))), TAPE_TRUE);
    assert_int_equal(tape_kind(t, tape_member(t, TAPE_ROOT, SPAN("inPart2Accounting"))), TAPE_TRUE);
    assert_int_equal(tape_kind(t, tape_member(t, TAPE_ROOT, SPAN("inHipaaAccounting"))), TAPE_FALSE);
    assert_int_equal(e.log, LEDGER_DISCLOSURES);
    assert_true(span_eq(e.recipient, SPAN("county-hie")));
    assert_int_equal(e.at_ms, 1795359600123);
}

static void
test_a_release_does_not_tell_that_something_was_withheld(void **state)
{
    struct ledger_entry e;
    struct disclosure   d = a_release();

    (void)state;
    d.withheld              = bases;
    d.withheld_reason_count = 2;
    (void)authored(&d, &e);
    assert_int_equal(span_find(e.record, SPAN("withheld")), SPAN_NOT_FOUND);
}

static void
test_a_denial_says_how_much_and_why_in_its_own_log(void **state)
{
    struct ledger_entry e;
    struct disclosure   d = a_release();

    (void)state;
    d.kind                  = RECORD_DENIAL;
    d.decision              = SPAN("deny");
    d.withheld              = bases;
    d.withheld_reason_count = 1;
    const struct tape *t    = authored(&d, &e);
    assert_int_equal(e.log, LEDGER_DENIALS);
    assert_text(t, TAPE_ROOT, "kind", "denial");
    assert_true(span_eq(tape_raw(t, tape_member(t, TAPE_ROOT, SPAN("withheldCount"))), SPAN("9")));
    tape_node why = tape_item(t, tape_member(t, TAPE_ROOT, SPAN("withheldReasons")), 0);
    assert_text(t, why, "rule", "R-01");
    assert_int_equal(tape_member(t, TAPE_ROOT, SPAN("payloadSha256")), TAPE_ABSENT);
}

static void
test_a_denial_counts_the_items_of_several_patients_and_names_none(void **state)
{
    const struct record_patient patients[] = { { .patient = SPAN("Patient/p1"), .item_count = 2 },
                                               { .patient = SPAN("Patient/p2"), .item_count = 1 } };
    struct disclosure           d          = { .kind = RECORD_DENIAL, .event_id = SPAN("01890a5d-ac96-774b-bcce-b302099a8057"),
                                               .decision_ms = 1, .patient = SPAN("Patient/p1"), .patients = patients,
                                               .patient_count = 2, .withheld_count = 3 };
    struct ledger_entry         entry;
    const struct tape          *t = authored(&d, &entry);

    (void)state;
    tape_node first = tape_first(t, tape_member(t, TAPE_ROOT, SPAN("patients")));
    assert_text(t, first, "patientId", "Patient/p1");
    assert_true(span_eq_text(tape_extent(t, tape_member(t, first, SPAN("items"))), "2"));
    assert_text(t, tape_next(t, first), "patientId", "Patient/p2");
    assert_int_equal(tape_member(t, TAPE_ROOT, SPAN("itemsReleased")), TAPE_ABSENT);
}

static void
test_a_void_names_what_it_takes_back(void **state)
{
    struct ledger_entry e;
    struct disclosure   d = { .kind = RECORD_VOID, .event_id = SPAN("v1"), .voids = SPAN("e1"),
                              .void_reason = SPAN("no connection was made"), .patient = SPAN("Patient/p1"),
                              .release_ms = 1, .recipient = { .name = SPAN("county-hie") } };
    const struct tape  *t = authored(&d, &e);

    (void)state;
    assert_text(t, TAPE_ROOT, "kind", "void");
    assert_text(t, TAPE_ROOT, "voids", "e1");
    assert_int_equal(e.log, LEDGER_DISCLOSURES);
    d.voids = SPAN("");
    assert_int_equal(record_author(&d, arena, &e), ST_MALFORMED);
}

static void
test_a_huge_release_is_counted_instead_of_listed_to_the_end(void **state)
{
    static struct record_item many[20000];
    struct ledger_entry       e;
    struct disclosure         d = a_release();
    char                      text[5000];

    (void)state;
    for (size_t i = 0; i < 20000; i++)
        many[i] = items[i % 4];
    memset(text, 'x', sizeof text);
    d.items        = many;
    d.item_count   = 20000;
    d.patient_name = span_from(text, sizeof text);
    const struct tape *t = authored(&d, &e);
    assert_true(e.record.length <= RECORD_MAX_BYTES);
    uint32_t listed = tape_children(t, tape_member(t, TAPE_ROOT, SPAN("itemsReleased")));
    uint64_t rest;
    assert_true(span_to_u64(tape_raw(t, tape_member(t, TAPE_ROOT, SPAN("itemsNotListed"))), &rest));
    assert_int_equal(listed + rest, 20000);
    assert_text(t, TAPE_ROOT, "briefDescription",
                "5000 conditions, 10000 observations or results and 5000 Basic resources");
}

static void
test_times_are_utc_with_milliseconds(void **state)
{
    static const struct { int64_t at; const char *want; } rows[] = {
        { 0, "1970-01-01T00:00:00.000Z" },
        { -1, "1969-12-31T23:59:59.999Z" },
        { 1709210096007, "2024-02-29T12:34:56.007Z" },
        { INT64_MAX, "" },
    };
    char text[RECORD_TIME];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        record_time(rows[i].at, text);
        assert_string_equal(text, rows[i].want);
    }
}

static void
test_event_ids_are_uuids_that_grow_with_time(void **state)
{
    struct span a = record_event_id(arena, 1795359600001);
    struct span b = record_event_id(arena, 1795359600002);

    (void)state;
    assert_int_equal(a.length, 36);
    assert_int_equal(a.at[14], '7');
    assert_non_null(strchr("89ab", a.at[19]));
    assert_true(span_compare(a, b) < 0);
    assert_false(span_eq(a, record_event_id(arena, 1795359600001)));
}

static void
test_a_filing_stands_among_the_denials(void **state)
{
    static const struct record_paper papers[] = { { .id = { "qsoa-lab", 8 }, .kind = "qsoa", .sha256 = { "ab", 2 } } };
    struct disclosure d = { .kind = RECORD_FILING, .event_id = record_event_id(arena, 5), .decision_ms = 5, .act = SPAN("filed"),
                            .account = SPAN("ann"), .why = SPAN("renewed"), .papers = papers, .paper_count = 1 };
    struct ledger_entry entry;
    const struct tape  *t    = authored(&d, &entry);
    tape_node           only = tape_item(t, tape_member(t, TAPE_ROOT, SPAN("documents")), 0);

    (void)state;
    assert_int_equal(entry.log, LEDGER_DENIALS);
    assert_text(t, TAPE_ROOT, "kind", "filing");
    assert_text(t, TAPE_ROOT, "act", "filed");
    assert_text(t, TAPE_ROOT, "account", "ann");
    assert_text(t, TAPE_ROOT, "why", "renewed");
    assert_text(t, only, "id", "qsoa-lab");
    assert_int_equal(tape_member(t, only, SPAN("version")), TAPE_ABSENT);
    assert_int_equal(tape_member(t, TAPE_ROOT, SPAN("recipient")), TAPE_ABSENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_release_has_every_field_that_applies),
        TEST(test_a_release_does_not_tell_that_something_was_withheld),
        TEST(test_a_denial_says_how_much_and_why_in_its_own_log),
        TEST(test_a_denial_counts_the_items_of_several_patients_and_names_none),
        TEST(test_a_void_names_what_it_takes_back),
        TEST(test_a_huge_release_is_counted_instead_of_listed_to_the_end),
        TEST(test_a_filing_stands_among_the_denials),
        TEST(test_times_are_utc_with_milliseconds),
        TEST(test_event_ids_are_uuids_that_grow_with_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
