/* tests/gateway/test_store_filing.c -- papers on file: versions, refusals, and who has to decide again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "consent/paper.h"
#include "tests/gateway/store_support.h"

static struct store_filing
paper(const char *id, const char *patient)
{
    return (struct store_filing){ .act = FILING_ADD, .id = span_of(id), .kind = 1, .patient = span_of(patient),
                                  .body = SPAN("{\"id\":\"q\", \"to\":null}"), .sha256 = SPAN("ab"), .who = SPAN("ann"),
                                  .why = SPAN("signed") };
}

static enum status
file_all(struct scratch *t, struct store_filing *filings, size_t count)
{
    struct store_unit u = { .filings = filings, .filing_count = count };

    return submit(t, &u);
}

static enum status
file_one(struct scratch *t, struct store_filing f, enum store_filing_refusal *refused)
{
    enum status st = file_all(t, &f, 1);

    if (refused != NULL)
        *refused = f.refused;
    return st;
}

/* Copied, so that a test need not let it go. */
static size_t
common(struct scratch *t, struct store_filed **rows)
{
    const struct store_shelf *shelf = NULL;

    assert_int_equal(store_shelf_pin(t->store, &shelf), ST_OK);
    size_t count = shelf != NULL ? shelf->count : 0;
    *rows        = arena_make_n(t->arena, count + 1, struct store_filed);
    for (size_t i = 0; i < count; i++) {
        (*rows)[i]      = shelf->rows[i];
        (*rows)[i].id   = arena_copy(t->arena, shelf->rows[i].id);
        (*rows)[i].body = arena_copy(t->arena, shelf->rows[i].body);
        (*rows)[i].who  = arena_copy(t->arena, shelf->rows[i].who);
        assert_int_equal(shelf->papers[i].kind, shelf->rows[i].kind);
    }
    store_shelf_unpin(&shelf);
    return count;
}

static struct store_consents
load(struct scratch *t, const char *patient)
{
    struct span           *who = arena_make(t->arena, struct span);
    struct store_consents  c   = { .arena = t->arena, .patients = who, .patient_count = 1 };

    *who = span_of(patient);
    WAIT_FOR(t, store_load_consents, &c);
    assert_int_equal(c.status, ST_OK);
    return c;
}

static void
test_what_is_filed_stands_byte_for_byte(void **state)
{
    struct scratch     *t = *state;
    struct store_filed *rows;

    assert_int_equal(common(t, &rows), 0);
    assert_int_equal(file_one(t, paper("q", ""), NULL), ST_OK);
    assert_int_equal(file_one(t, paper("r", "Patient/p1"), NULL), ST_OK);
    assert_int_equal(common(t, &rows), 1);
    assert_span(rows[0].id, "q");
    assert_span(rows[0].body, "{\"id\":\"q\", \"to\":null}");
    assert_span(rows[0].who, "ann");
    assert_int_equal(rows[0].version, 1);
    assert_true(rows[0].ended_ms == INT64_MAX);
    struct store_consents c = load(t, "Patient/p1");
    assert_int_equal(c.filed_count, 1);
    assert_span(c.filed[0].id, "r");
    assert_int_equal(load(t, "Patient/p2").filed_count, 0);
}

static void
test_what_is_pinned_outlives_the_next_filing(void **state)
{
    struct scratch           *t      = *state;
    struct store_filing       end    = { .act = FILING_END, .id = SPAN("q"), .ended_ms = 1000 };
    const struct store_shelf *before = NULL, *after = NULL;

    assert_int_equal(file_one(t, paper("q", ""), NULL), ST_OK);
    assert_int_equal(store_shelf_pin(t->store, &before), ST_OK);
    assert_int_equal(file_one(t, end, NULL), ST_OK);
    assert_int_equal(store_shelf_pin(t->store, &after), ST_OK);
    assert_true(before->rows[0].ended_ms == INT64_MAX);
    assert_int_equal(after->rows[0].ended_ms, 1000);
    store_close(&t->store);
    assert_span(before->papers[0].id, "q");
    store_shelf_unpin(&before);
    store_shelf_unpin(&after);
    assert_null(after);
}

static void
test_a_paper_that_does_not_read_closes_everything(void **state)
{
    struct scratch           *t     = *state;
    struct store_filing       wrong = paper("q", "");
    const struct store_shelf *shelf = NULL;

    wrong.body = SPAN("{\"id\":7}");
    assert_int_equal(file_one(t, wrong, NULL), ST_OK);
    assert_int_equal(store_shelf_pin(t->store, &shelf), ST_UNAVAILABLE);
    assert_null(shelf);
}

static void
test_who_has_a_paper_is_asked_about(void **state)
{
    struct scratch   *t     = *state;
    const struct span who[] = { SPAN("Patient/p1"), SPAN("Patient/p2") };
    uint64_t          generation;

    assert_true(store_never_consented(t->store, who, 2, &generation));
    assert_int_equal(file_one(t, paper("q", ""), NULL), ST_OK);
    assert_true(store_never_consented(t->store, who, 2, &generation));
    assert_int_equal(file_one(t, paper("r", "Patient/p1"), NULL), ST_OK);
    assert_false(store_never_consented(t->store, who, 1, &generation));
    assert_true(store_never_consented(t->store, who + 1, 1, &generation));
    scratch_reopen(t);
    assert_false(store_never_consented(t->store, who, 1, &generation));
}

static void
test_every_version_is_kept_and_the_newest_stands(void **state)
{
    struct scratch     *t   = *state;
    struct store_filing end = { .act = FILING_END, .id = SPAN("q"), .ended_ms = 1000, .who = SPAN("bob"), .why = SPAN("over") };
    struct store_filing next = paper("q", "");
    struct store_filed *rows;

    assert_int_equal(file_one(t, paper("q", ""), NULL), ST_OK);
    assert_int_equal(file_one(t, end, NULL), ST_OK);
    assert_int_equal(common(t, &rows), 1);
    assert_int_equal(rows[0].version, 2);
    assert_int_equal(rows[0].ended_ms, 1000);
    assert_span(rows[0].who, "bob");
    assert_span(rows[0].body, "{\"id\":\"q\", \"to\":null}");
    next.again = true;
    next.body  = SPAN("{}");
    assert_int_equal(file_one(t, next, NULL), ST_OK);
    scratch_reopen(t);
    assert_int_equal(common(t, &rows), 1);
    assert_int_equal(rows[0].version, 3);
    assert_true(rows[0].ended_ms == INT64_MAX);
    assert_span(rows[0].body, "{}");
}

static bool
count_them(const struct store_filed *f, void *arg)
{
    (void)f;
    ++*(size_t *)arg;
    return true;
}

static void
test_is_listed_by_kind_patient_and_id(void **state)
{
    static const struct { struct store_filed_query query; size_t count; } rows[] = {
        { { .kind = 0 }, 2 }, { { .kind = 1 }, 2 }, { { .kind = 2 }, 0 }, { { .history = true }, 3 },
        { { .patient = { "Patient/p1", 10 } }, 1 }, { { .id = { "q", 1 }, .history = true }, 2 }, { { .id = { "z", 1 } }, 0 },
    };
    struct scratch     *t    = *state;
    struct store_filing next = paper("q", "");

    next.again = true;
    assert_int_equal(file_one(t, paper("q", ""), NULL), ST_OK);
    assert_int_equal(file_one(t, paper("r", "Patient/p1"), NULL), ST_OK);
    assert_int_equal(file_one(t, next, NULL), ST_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t count = 0;
        assert_int_equal(store_filed_visit(t->store, &rows[i].query, count_them, &count), ST_OK);
        assert_int_equal(count, rows[i].count);
    }
}

static void
test_refuses_and_then_nothing_of_the_unit_is_there(void **state)
{
    struct scratch           *t       = *state;
    struct store_filing       other   = paper("q", ""), moved = paper("q", "Patient/p2"), both[2];
    struct store_filing       end     = { .act = FILING_END, .id = SPAN("q"), .ended_ms = 5000 };
    struct store_filing       gone    = { .act = FILING_REVIEW, .id = SPAN("nothing") };
    struct store_filed       *rows;
    enum store_filing_refusal refused = FILING_NOT_REFUSED;

    assert_int_equal(file_one(t, paper("q", ""), NULL), ST_OK);
    both[0] = paper("new", "");
    both[1] = paper("q", "");
    assert_int_equal(file_all(t, both, 2), ST_CONFLICT);
    assert_int_equal(both[1].refused, FILING_IS_THERE);
    assert_int_equal(both[0].refused, FILING_NOT_REFUSED);
    assert_int_equal(common(t, &rows), 1);
    other.again = moved.again = true;
    other.kind  = 2;
    assert_int_equal(file_one(t, other, &refused), ST_CONFLICT);
    assert_int_equal(refused, FILING_OTHER_KIND);
    assert_int_equal(file_one(t, moved, &refused), ST_CONFLICT);
    assert_int_equal(refused, FILING_OTHER_PATIENT);
    assert_int_equal(file_one(t, gone, &refused), ST_CONFLICT);
    assert_int_equal(refused, FILING_NOT_THERE);
    assert_int_equal(file_one(t, end, &refused), ST_OK);
    end.ended_ms = 6000;
    assert_int_equal(file_one(t, end, &refused), ST_CONFLICT);
    assert_int_equal(refused, FILING_IS_OVER);
    end.ended_ms = 4000;
    assert_int_equal(file_one(t, end, &refused), ST_OK);
}

static void
test_only_the_patient_ends_what_is_the_patients(void **state)
{
    struct scratch           *t    = *state;
    struct store_filing       mine = paper("r", "Patient/p1"), weaker = paper("r", "Patient/p1");
    struct store_filing       end  = { .act = FILING_END, .id = SPAN("r"), .ended_ms = 5000 };
    enum store_filing_refusal refused;

    mine.patients = true;
    weaker.again  = true;
    assert_int_equal(file_one(t, mine, NULL), ST_OK);
    assert_int_equal(file_one(t, end, &refused), ST_CONFLICT);
    assert_int_equal(refused, FILING_PATIENTS);
    assert_int_equal(file_one(t, weaker, &refused), ST_CONFLICT);
    assert_int_equal(refused, FILING_PATIENTS);
    end.by_patient = true;
    assert_int_equal(file_one(t, end, &refused), ST_OK);
    assert_true(load(t, "Patient/p1").filed[0].ended_by_patient);
}

static void
test_what_was_decided_before_a_filing_is_not_committed(void **state)
{
    static const struct { const char *patient; bool conflict; } rows[] = {
        { "", true }, { "Patient/p1", true }, { "Patient/p2", false },
    };
    struct scratch   *t   = *state;
    const struct span who = SPAN("Patient/p1");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char     id[8];
        uint64_t before = store_consent_generation(t->store);
        (void)snprintf(id, sizeof id, "d%zu", i);
        struct store_unit u = { .consent_patients = &who, .consent_patient_count = 1, .consents_as_of = before };
        assert_int_equal(file_one(t, paper(id, rows[i].patient), NULL), ST_OK);
        assert_true(store_consent_generation(t->store) > before);
        assert_int_equal(submit(t, &u), rows[i].conflict ? ST_CONFLICT : ST_OK);
        if (rows[i].conflict)
            assert_int_equal(u.conflict, STORE_CONFLICT_CONSENT);
        u.consents_as_of = store_consent_generation(t->store);
        assert_int_equal(submit(t, &u), ST_OK);
    }
}

static void
test_keeps_in_what_capacity_a_copy_came(void **state)
{
    struct scratch     *t   = *state;
    struct store_inbox  in  = { .request_id = SPAN("r1"), .client = SPAN("ehr"), .body = SPAN("{}"), .holder = SPAN("H_CEBA_TPO") };
    struct store_outbox out = { .recipient = SPAN("hie"), .patient = SPAN("Patient/p1"), .idempotency_key = SPAN("k"), .due_ms = 1 };
    struct store_unit   u   = { .inbox = &in, .outbox = &out, .outbox_count = 1 };
    struct store_claim  c   = { .arena = t->arena, .now_ms = 10, .lease_ms = 20, .max = 4 };

    assert_int_equal(submit(t, &u), ST_OK);
    scratch_reopen(t);
    WAIT_FOR(t, store_claim_due, &c);
    assert_int_equal(c.row_count, 1);
    assert_span(c.rows[0].holder, "H_CEBA_TPO");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_filed_stands_byte_for_byte, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_pinned_outlives_the_next_filing, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_a_paper_that_does_not_read_closes_everything, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_who_has_a_paper_is_asked_about, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_every_version_is_kept_and_the_newest_stands, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_is_listed_by_kind_patient_and_id, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_refuses_and_then_nothing_of_the_unit_is_there, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_only_the_patient_ends_what_is_the_patients, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_what_was_decided_before_a_filing_is_not_committed, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_keeps_in_what_capacity_a_copy_came, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
