/* tests/gateway/test_extract.c -- what one of several patients is told of a release. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "gateway/ledger/extract.h"
#include "gateway/ledger/record.h"
#include "tests/support/in_arena.h"

static const struct record_item    ana_items[] = { { .type = { "Condition", 9 }, .id = { "ana-c", 5 }, .patient = 1 } };
static const struct record_item    ben_items[] = { { .type = { "Observation", 11 }, .id = { "ben-o", 5 }, .patient = 2 },
                                                   { .type = { "Observation", 11 }, .id = { "ben-p", 5 }, .patient = 2 } };
static const struct record_item    all_items[] = { { .type = { "Observation", 11 }, .id = { "ben-o", 5 }, .patient = 2 },
                                                   { .type = { "Condition", 9 }, .id = { "ana-c", 5 }, .patient = 1 },
                                                   { .type = { "Organization", 12 }, .id = { "org", 3 } },
                                                   { .type = { "Observation", 11 }, .id = { "ben-p", 5 }, .patient = 2 } };
static const struct record_basis   ana_bases[] = { { { "R-01", 4 }, { "42 CFR 2.33(a)(2)", 17 }, { "covered", 7 }, 1 } };
static const struct record_basis   ben_bases[] = { { { "P8", 2 }, { "45 CFR 164.506(c)", 17 }, { "site", 4 }, 2 } };
static const struct record_emergency emergency = { .declared_by = { "Practitioner/bob", 16 } };
static const struct record_emergency bens_emergency = { .declared_by = { "Dr. Okafor", 10 }, .discloser = { "R. Chen", 7 } };
static const struct record_paper   anas_papers[] = { { .id = { "qsoa-ana", 8 }, .version = 2, .kind = "qsoa", .sha256 = { "aa", 2 } } };
static const struct record_paper   bens_papers[] = { { .id = { "er-ben", 6 }, .version = 1, .kind = "emergency", .sha256 = { "bb", 2 } } };
static const struct record_consent ana_consent = { .id = { "Consent/ana", 11 }, .state = { "active", 6 } };

static const struct record_patient two[] = {
    { .patient = { "Patient/ana", 11 }, .name = { "Ana Rivera", 10 }, .items = ana_items, .item_count = 1,
      .bases = ana_bases, .basis_count = 1, .decision = { "permit", 6 }, .consent = &ana_consent,
      .explanation_sha256 = { "abcd", 4 }, .in_part2_accounting = true },
    { .patient = { "Patient/ben", 11 }, .name = { "Ben Stone", 9 }, .items = ben_items, .item_count = 2,
      .bases = ben_bases, .basis_count = 1, .decision = { "partial", 7 } },
};

static struct disclosure
a_release(void)
{
    return (struct disclosure){
        .event_id = SPAN("01890a5d-ac96-774b-bcce-b302099a8057"), .release_ms = 1795359600123,
        .patient = SPAN("Patient/ana"), .patient_name = SPAN("Ana Rivera"), .patients = two, .patient_count = 2,
        .recipient = { .name = SPAN("county-hie") }, .bases = ana_bases, .basis_count = 1, .items = all_items,
        .item_count = 4, .decision = SPAN("partial"), .payload_sha256 = SPAN("cd"), .payload_bytes = 4921,
        .consent = &ana_consent, .notice = { .kind = SPAN("N1"), .version = SPAN("v") }, .in_part2_accounting = true,
        .emergency = &emergency,
    };
}

static const struct tape *
read_tape(struct span json)
{
    const struct tape *t = NULL;

    assert_int_equal(tape_read(json, &tape_default_limits, arena, &t, NULL), ST_OK);
    return t;
}

static const struct tape *
told(const struct disclosure *d, struct span patient, struct span *json)
{
    struct ledger_entry e;

    assert_int_equal(record_author(d, arena, &e), ST_OK);
    assert_int_equal(record_extract(read_tape(e.record), patient, arena, json), ST_OK);
    return read_tape(*json);
}

static void
assert_text(const struct tape *t, const char *name, const char *want)
{
    struct span got = tape_member_text(t, TAPE_ROOT, span_of(name), arena);

    if (!span_eq_text(got, want))
        fail_msg("%s is \"%.*s\", not \"%s\"", name, SPAN_PRINT(got), want);
}

static void
test_each_is_told_their_own(void **state)
{
    struct disclosure  d = a_release();
    struct span        json;
    const struct tape *t = told(&d, SPAN("Patient/ana"), &json);

    (void)state;
    assert_text(t, "patientId", "Patient/ana");
    assert_text(t, "patientNameAtTime", "Ana Rivera");
    assert_text(t, "basis", "R-01 42 CFR 2.33(a)(2)");
    assert_text(t, "briefDescription", "1 condition");
    assert_text(t, "decision", "permit");
    assert_text(t, "consentId", "Consent/ana");
    assert_text(t, "noticeKind", "N1");
    assert_text(t, "payloadSha256", "cd");
    assert_int_equal(tape_kind(t, tape_member(t, TAPE_ROOT, SPAN("inPart2Accounting"))), TAPE_TRUE);
    assert_int_equal(tape_children(t, tape_member(t, TAPE_ROOT, SPAN("itemsReleased"))), 1);

    t = told(&d, SPAN("Patient/ben"), &json);
    assert_text(t, "patientId", "Patient/ben");
    assert_text(t, "eventId", "01890a5d-ac96-774b-bcce-b302099a8057");
    assert_text(t, "basis", "P8 45 CFR 164.506(c)");
    assert_text(t, "briefDescription", "2 observations or results");
    assert_text(t, "decision", "partial");
    assert_int_equal(tape_children(t, tape_member(t, TAPE_ROOT, SPAN("itemsReleased"))), 2);
    assert_int_equal(tape_kind(t, tape_member(t, TAPE_ROOT, SPAN("inPart2Accounting"))), TAPE_FALSE);
}

/* Twins: what Ben is told must be the same whatever Ana's part of the release
 * is, the log's own chain and the payload's hash aside. */
static void
test_nothing_of_another_shows(void **state)
{
    static const char *const secrets[] = { "ana", "Ana", "R-01", "2.33", "Condition", "condition", "onsent", "N1", "4921",
                                           "patients", "Organization", "emergency", "\"patient\"", "itemsNotListed" };
    struct disclosure        d = a_release();
    struct span              json, alone;

    (void)state;
    (void)told(&d, SPAN("Patient/ben"), &json);
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        if (span_find(json, span_of(secrets[i])) != SPAN_NOT_FOUND)
            fail_msg("%s shows in %.*s", secrets[i], SPAN_PRINT(json));

    struct record_item    more[3]  = { ana_items[0], ana_items[0], ana_items[0] };
    struct record_patient twins[2] = { two[0], two[1] };
    twins[0]         = (struct record_patient){ .patient = SPAN("Patient/zoe"), .items = more, .item_count = 3,
                                                .decision = SPAN("partial") };
    d.patients       = twins;
    d.items          = all_items;
    d.item_count     = 4;
    d.payload_bytes  = 17;
    d.consent        = NULL;
    d.patient        = SPAN("Patient/zoe");
    d.notice.kind    = SPAN("");
    d.bases          = NULL;
    d.basis_count    = 0;
    (void)told(&d, SPAN("Patient/ben"), &alone);
    assert_int_equal(json.length, alone.length);
    assert_memory_equal(json.at, alone.at, json.length);
}

static void
test_who_is_not_in_it_is_told_nothing(void **state)
{
    struct disclosure   d = a_release();
    struct ledger_entry e;
    struct span         json;

    (void)state;
    assert_int_equal(record_author(&d, arena, &e), ST_OK);
    assert_int_equal(record_extract(read_tape(e.record), SPAN("Patient/eve"), arena, &json), ST_NOT_FOUND);
    d.patients      = NULL;
    d.patient_count = 0;
    assert_int_equal(record_author(&d, arena, &e), ST_OK);
    assert_int_equal(record_extract(read_tape(e.record), SPAN("Patient/ben"), arena, &json), ST_NOT_FOUND);
    assert_int_equal(record_extract(read_tape(e.record), SPAN("Patient/ana"), arena, &json), ST_OK);
    assert_true(span_eq(json, e.record));            /* of one patient: every byte */
}

/* Of very many items the record names the first and counts the rest: each is
 * told how many of their own are not listed. */
static void
test_items_not_listed_are_counted_for_each(void **state)
{
    enum { EACH = 4000 };
    struct record_item   *all = calloc(2 * EACH, sizeof *all);
    struct disclosure     d   = a_release();
    struct record_patient both[2] = { two[0], two[1] };
    struct span           json;
    uint64_t              rest = 0;

    (void)state;
    for (size_t i = 0; i < 2 * EACH; i++)
        all[i] = i < EACH ? ana_items[0] : ben_items[0];
    both[0].items      = all;
    both[0].item_count = EACH;
    both[1].items      = all + EACH;
    both[1].item_count = EACH;
    d.patients         = both;
    d.items            = all;
    d.item_count       = 2 * (size_t)EACH;
    const struct tape *t = told(&d, SPAN("Patient/ben"), &json);
    uint32_t      listed = tape_children(t, tape_member(t, TAPE_ROOT, SPAN("itemsReleased")));
    assert_true(span_to_u64(tape_raw(t, tape_member(t, TAPE_ROOT, SPAN("itemsNotListed"))), &rest));
    assert_int_equal(listed + rest, EACH);
    assert_text(t, "briefDescription", "4000 observations or results");
    free(all);
}

/* The bound of rule 5: thousands of patients fit; a list that does not
 * is no record at all. */
static void
test_patients_are_never_cut_short(void **state)
{
    static const struct { size_t count; enum status st; } rows[] = {
        { 300, ST_OK }, { 2500, ST_OK }, { 40000, ST_TOO_LARGE } };
    struct record_patient *many = calloc(40000, sizeof *many);
    struct ledger_entry    e;
    struct disclosure      d = a_release();
    struct span            json;

    (void)state;
    for (size_t i = 0; i < 40000; i++) {
        many[i]         = two[0];
        many[i].patient = arena_format(arena, "Patient/%08zu-0000-4000-8000-000000000000", i);
    }
    d.patients = many;
    d.patient  = many[0].patient;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        d.patient_count = rows[i].count;
        assert_int_equal(record_author(&d, arena, &e), rows[i].st);
        if (rows[i].st != ST_OK)
            continue;
        assert_true(e.record.length <= RECORD_MAX_BYTES);
        assert_int_equal(e.other_count, rows[i].count - 1);
        assert_int_equal(record_extract(read_tape(e.record), many[rows[i].count - 1].patient, arena, &json), ST_OK);
    }
    free(many);
}

static void
test_tells_each_patient_of_their_own_papers_and_emergency(void **state)
{
    struct record_patient both[2] = { two[0], two[1] };
    struct disclosure     d       = a_release();
    struct record_paper   all[2]  = { anas_papers[0], bens_papers[0] };
    struct span           ana, ben;

    (void)state;
    both[0].papers    = anas_papers;
    both[1].papers    = bens_papers;
    both[1].emergency = &bens_emergency;
    both[0].paper_count = both[1].paper_count = 1;
    d.patients    = both;
    d.papers      = all;
    d.paper_count = 2;
    d.emergency   = NULL;
    (void)told(&d, SPAN("Patient/ana"), &ana);
    (void)told(&d, SPAN("Patient/ben"), &ben);
    assert_true(span_find(ana, SPAN("\"documents\":[{\"id\":\"qsoa-ana\",\"kind\":\"qsoa\",\"version\":2,\"sha256\":\"aa\"}]")) != SPAN_NOT_FOUND);
    assert_true(span_find(ana, SPAN("er-ben")) == SPAN_NOT_FOUND && span_find(ana, SPAN("emergency")) == SPAN_NOT_FOUND);
    assert_true(span_find(ben, SPAN("\"disclosedBy\":\"R. Chen\"")) != SPAN_NOT_FOUND);
    assert_true(span_find(ben, SPAN("er-ben")) != SPAN_NOT_FOUND && span_find(ben, SPAN("qsoa-ana")) == SPAN_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_is_told_their_own),
        TEST(test_nothing_of_another_shows),
        TEST(test_who_is_not_in_it_is_told_nothing),
        TEST(test_items_not_listed_are_counted_for_each),
        TEST(test_patients_are_never_cut_short),
        TEST(test_tells_each_patient_of_their_own_papers_and_emergency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
