/* tests/gateway/test_store_review.c -- items of the review queue, acts, and what follows from them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/gateway/store_support.h"

#define KEY_1 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define KEY_2 "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define BODY  "{\"a\":{\"the\":\"resource\"}}"

static struct store_review
item_of(const char *key)
{
    return (struct store_review){ .key = span_of(key), .kind = SPAN("held-content"), .client = SPAN("ehr"),
                                  .recipient = SPAN("hie"), .patient = SPAN("Patient/p1"), .resource = SPAN("Binary/b"),
                                  .sha256 = SPAN("00"), .rule = SPAN("C7") };
}

static int64_t
push(struct scratch *t, const char *id, const struct store_review *items, size_t count)
{
    static const char     body[] = BODY;
    struct store_inbox    in     = { .request_id = SPAN("r"), .client = SPAN("ehr"), .bundle_type = SPAN("transaction"),
                                     .patient = SPAN("Patient/p1"), .body = SPAN("") };
    struct store_resource r      = { .type = SPAN("Binary"), .id = span_of(id), .if_version = -1 };
    struct store_unit     u      = { .inbox = &in, .resources = &r, .resource_count = 1, .reviews = items, .review_count = count };

    in.body = span_from(body, sizeof body - 1);
    r.bytes = span_from(body + 5, sizeof body - 7);
    assert_int_equal(submit(t, &u), ST_OK);
    return in.id;
}

static enum status
act(struct scratch *t, struct store_review_act *a)
{
    struct store_unit u = { .review_act = a };

    return submit(t, &u);
}

static struct store_review_row *
rows_of(struct scratch *t, size_t *count)
{
    struct store_review_filter all  = { .state = -1 };
    struct store_review_row   *rows = NULL;

    assert_int_equal(store_review_list(t->store, &all, t->arena, &rows, count), ST_OK);
    return rows;
}

static uint64_t
waiting(struct scratch *t)
{
    struct store_counts counts;

    assert_int_equal(store_counts_read(t->store, &counts), ST_OK);
    return counts.waiting;
}

static void
test_the_same_item_is_one_and_comes_with_the_newest_push(void **state)
{
    struct scratch     *t        = *state;
    struct store_review items[2] = { item_of(KEY_1), item_of(KEY_2) };
    size_t              count;

    (void)push(t, "b", items, 2);
    int64_t                  newest = push(t, "b", items, 1);
    struct store_review_row *rows   = rows_of(t, &count);
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].times, 2);
    assert_int_equal(rows[0].item.inbox, newest);
    assert_int_equal(rows[1].times, 1);
    assert_int_equal(rows[0].state, REVIEW_OPEN);
    assert_span(rows[0].item.resource, "Binary/b");
    struct span bytes;
    assert_int_equal(store_review_bytes(t->store, &rows[0], t->arena, &bytes), ST_OK);
    assert_span(bytes, "{\"the\":\"resource\"}");
}

static void
test_a_finding_is_known_from_the_commit_on_and_after_a_restart(void **state)
{
    struct scratch         *t    = *state;
    struct store_review     item = item_of(KEY_1);
    struct store_review_act a    = { .review = 1, .to = REVIEW_LET_GO, .finding = 1, .deliver = true, .verb = SPAN("release"),
                                     .reviewer = SPAN("jane"), .why = SPAN("seen") };
    size_t count;

    (void)push(t, "b", &item, 1);
    assert_false(store_review_found_any(t->store));
    assert_int_equal(store_review_finding(t->store, SPAN(KEY_1)), 0);
    uint64_t before = store_consent_generation(t->store);
    assert_int_equal(act(t, &a), ST_OK);
    assert_true(a.queued);
    assert_int_equal(waiting(t), 1);
    assert_int_equal(store_review_finding(t->store, SPAN(KEY_1)), 1);
    assert_int_equal(store_review_finding(t->store, SPAN(KEY_2)), 0);
    assert_true(store_consent_generation(t->store) > before);
    assert_int_equal(scratch_reopen(t), ST_OK);
    assert_int_equal(store_review_finding(t->store, SPAN(KEY_1)), 1);
    struct store_review_row *rows = rows_of(t, &count);
    assert_int_equal(rows[0].state, REVIEW_LET_GO);
    struct store_review_did *acts;
    assert_int_equal(store_review_acts(t->store, 1, t->arena, &acts, &count), ST_OK);
    assert_int_equal(count, 1);
    assert_span(acts[0].reviewer, "jane");
    assert_span(acts[0].why, "seen");
}

static void
test_two_at_once_are_one_and_a_conflict(void **state)
{
    struct scratch         *t    = *state;
    struct store_review     item = item_of(KEY_1);
    struct store_review_act a    = { .review = 1, .to = REVIEW_LET_GO, .finding = 1, .deliver = true };
    struct store_review_act b    = a;
    struct store_review_act none = { .review = 77, .to = REVIEW_LET_GO, .finding = 1 };

    (void)push(t, "b", &item, 1);
    assert_int_equal(act(t, &a), ST_OK);
    assert_int_equal(act(t, &b), ST_CONFLICT);
    assert_int_equal(act(t, &none), ST_CONFLICT);
    b.acts = 1;
    assert_int_equal(act(t, &b), ST_OK);
    assert_int_equal(waiting(t), 1);                           /* what waits is decided anew anyhow */
}

static void
test_a_try_is_recorded_and_changes_nothing(void **state)
{
    struct scratch         *t    = *state;
    struct store_review     item = item_of(KEY_1);
    struct store_review_act a    = { .review = 1, .tried = true, .to = REVIEW_LET_GO, .finding = 1, .deliver = true };
    size_t                  count;

    (void)push(t, "b", &item, 1);
    assert_int_equal(act(t, &a), ST_OK);
    assert_int_equal(store_review_finding(t->store, SPAN(KEY_1)), 0);
    assert_int_equal(waiting(t), 0);
    assert_int_equal(rows_of(t, &count)[0].state, REVIEW_OPEN);
    struct store_review_did *acts;
    assert_int_equal(store_review_acts(t->store, 1, t->arena, &acts, &count), ST_OK);
    assert_int_equal(count, 1);
}

static void
test_an_older_push_is_not_delivered_behind_a_newer_one(void **state)
{
    struct scratch         *t    = *state;
    struct store_review     item = item_of(KEY_1);
    struct store_review_act a    = { .review = 1, .to = REVIEW_LET_GO, .finding = 1, .deliver = true };

    (void)push(t, "b", &item, 1);
    (void)push(t, "b", NULL, 0);
    assert_int_equal(act(t, &a), ST_OK);
    assert_false(a.queued);
    assert_non_null(a.not_queued);
    assert_int_equal(waiting(t), 0);
    assert_int_equal(store_review_finding(t->store, SPAN(KEY_1)), 1);
}

/* A decision that relied on a finding is too old once anything was reviewed since. */
/* Between its record and its outcome a delivery has no lease: what was decided is on its way. */
static void
test_a_delivery_that_is_on_its_way_is_followed_by_another(void **state)
{
    struct scratch         *t    = *state;
    struct store_review     item = item_of(KEY_1);
    struct store_review_act a    = { .review = 1, .to = REVIEW_LET_GO, .finding = 1, .deliver = true };

    (void)push(t, "b", &item, 1);
    assert_int_equal(act(t, &a), ST_OK);
    struct store_claim c = { .arena = t->arena, .now_ms = INT64_C(4000000000000), .lease_ms = INT64_C(4000000060000), .max = 8 };
    assert_int_equal(claim_now(t, &c), ST_OK);
    assert_int_equal(c.row_count, 1);
    struct store_delivery d = { .id = c.rows[0].id, .state = DELIVERY_WAITING, .due_ms = INT64_C(4000000060000),
                                .event_id = SPAN("e"), .idempotency_key = SPAN("k"), .payload_sha256 = SPAN("0") };
    struct store_unit     u = { .deliveries = &d, .delivery_count = 1 };
    assert_int_equal(submit(t, &u), ST_OK);
    a.acts = 1;
    assert_int_equal(act(t, &a), ST_OK);
    assert_int_equal(waiting(t), 2);
    d.attempts = 1;                                            /* it failed, and is decided anew when it is tried again */
    assert_int_equal(submit(t, &u), ST_OK);
    a.acts = 2;
    assert_int_equal(act(t, &a), ST_OK);
    assert_int_equal(waiting(t), 2);
}

static void
test_a_commit_that_relied_on_a_finding_fails_when_one_was_made_since(void **state)
{
    struct scratch         *t       = *state;
    struct store_review     item    = item_of(KEY_1);
    struct span             patient = SPAN("Patient/p1");
    struct store_review_act a       = { .review = 1, .to = REVIEW_TURNED_DOWN, .finding = 4 };
    struct store_inbox      in      = { .request_id = SPAN("r"), .client = SPAN("ehr"), .body = SPAN("{}") };

    (void)push(t, "b", &item, 1);
    uint64_t as_of = store_consent_generation(t->store);
    assert_int_equal(act(t, &a), ST_OK);
    struct store_unit relies = { .inbox = &in, .consent_patients = &patient, .consent_patient_count = 1,
                                 .consents_as_of = as_of, .relies_on_review = true };
    assert_int_equal(submit(t, &relies), ST_CONFLICT);
    assert_int_equal(relies.conflict, STORE_CONFLICT_CONSENT);
    relies.relies_on_review = false;
    assert_int_equal(submit(t, &relies), ST_OK);
}

static void
on_count(struct span kind, enum review_state state, uint64_t count, void *arg)
{
    if (span_eq_text(kind, "held-content") && state == REVIEW_OPEN)
        *(uint64_t *)arg += count;
}

static void
test_many_items_are_counted_and_found_in_no_time(void **state)
{
    enum { MANY = 20000 };
    struct scratch      *t     = *state;
    struct store_review *items = arena_make_n(t->arena, MANY, struct store_review);
    uint64_t             open  = 0, counted = 0;
    int64_t              oldest;
    size_t               count;

    for (int i = 0; i < MANY; i++) {
        items[i]     = item_of(KEY_1);
        items[i].key = arena_format(t->arena, "%08d%056d", i + 1, 0);
    }
    (void)push(t, "b", items, MANY);
    assert_int_equal(store_review_oldest(t->store, &open, &oldest), ST_OK);
    assert_int_equal(open, MANY);
    assert_true(oldest > 0);
    assert_int_equal(store_review_count(t->store, on_count, &counted), ST_OK);
    assert_int_equal(counted, MANY);
    struct store_review_filter some = { .state = REVIEW_OPEN, .after = 100, .limit = 5 };
    struct store_review_row   *rows;
    assert_int_equal(store_review_list(t->store, &some, t->arena, &rows, &count), ST_OK);
    assert_int_equal(count, 5);
    assert_int_equal(rows[0].id, 101);
    for (int i = 0; i < 300; i++) {
        struct store_review_act a = { .review = i + 1, .to = REVIEW_LET_GO, .finding = 1 };
        assert_int_equal(act(t, &a), ST_OK);
    }
    for (int i = 0; i < 400; i++)
        assert_int_equal(store_review_finding(t->store, items[i].key), i < 300);
}

static void
test_acts_cannot_be_changed_behind_the_gateways_back_by_plain_sql(void **state)
{
    struct scratch         *t    = *state;
    struct store_review     item = item_of(KEY_1);
    struct store_review_act a    = { .review = 1, .to = REVIEW_LET_GO, .finding = 1 };
    sqlite3                *db;

    (void)push(t, "b", &item, 1);
    assert_int_equal(act(t, &a), ST_OK);
    assert_int_equal(sqlite3_open(t->file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE review_act SET why = 'x'", NULL, NULL, NULL), SQLITE_CONSTRAINT);
    assert_int_equal(sqlite3_exec(db, "DELETE FROM review_act", NULL, NULL, NULL), SQLITE_CONSTRAINT);
    (void)sqlite3_close(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_same_item_is_one_and_comes_with_the_newest_push),
        TEST(test_a_finding_is_known_from_the_commit_on_and_after_a_restart),
        TEST(test_two_at_once_are_one_and_a_conflict),
        TEST(test_a_try_is_recorded_and_changes_nothing),
        TEST(test_an_older_push_is_not_delivered_behind_a_newer_one),
        TEST(test_a_delivery_that_is_on_its_way_is_followed_by_another),
        TEST(test_a_commit_that_relied_on_a_finding_fails_when_one_was_made_since),
        TEST(test_many_items_are_counted_and_found_in_no_time),
        TEST(test_acts_cannot_be_changed_behind_the_gateways_back_by_plain_sql),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
