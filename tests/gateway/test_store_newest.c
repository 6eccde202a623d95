/* tests/gateway/test_store_newest.c -- leaves of both logs, newest first, and what a void took back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/gateway/store_support.h"

#define MOST 64u

struct seen {
    enum ledger_log log[MOST];
    uint64_t        index[MOST];
    size_t          count, enough, peeked;
    const char     *recipient;           /* NULL: all */
};

static bool
peek(enum ledger_log log, const struct ledger_leaf *leaf, void *arg)
{
    struct seen *s = arg;

    (void)log;
    s->peeked++;
    assert_true(span_empty(leaf->record));
    return s->recipient == NULL || span_eq_text(leaf->recipient, s->recipient);
}

static bool
take(enum ledger_log log, const struct ledger_leaf *leaf, void *arg)
{
    struct seen *s = arg;

    assert_false(span_empty(leaf->record));
    if (s->count == s->enough)
        return false;
    s->log[s->count]     = log;
    s->index[s->count++] = leaf->index;
    return true;
}

static struct store_newest
asked(struct seen *seen)
{
    *seen = (struct seen){ .enough = MOST };
    return (struct store_newest){ .from_ms = INT64_MIN, .to_ms = INT64_MAX, .before = { INT64_MAX, INT64_MAX }, .most = 1000,
                                  .peek = peek, .take = take, .arg = seen };
}

/* Ten in each log: two of each millisecond, those of odd numbers about p1. */
static void
fill(struct scratch *t)
{
    for (unsigned n = 0; n < 20; n++) {
        struct ledger_entry e = some_record(t, n % 2 == 0 ? LEDGER_DISCLOSURES : LEDGER_DENIALS,
                                            n / 2 % 2 ? SPAN("Patient/p1") : SPAN("Patient/p2"));
        struct store_unit   u = { .records = &e, .record_count = 1 };
        e.at_ms              += n / 4;
        e.recipient           = n == 6 ? SPAN("oak-clinic") : SPAN("county-hie");
        assert_int_equal(submit(t, &u), ST_OK);
    }
}

static void
expect(const struct seen *s, size_t at, enum ledger_log log, uint64_t index)
{
    assert_true(at < s->count);
    assert_int_equal(s->log[at], log);
    assert_int_equal(s->index[at], index);
}

static void
test_the_newest_come_first_and_pages_go_on_behind(void **state)
{
    struct scratch *t = *state;
    struct seen     seen;

    fill(t);
    struct store_newest n = asked(&seen);
    assert_int_equal(store_ledger_newest(t->store, &n), ST_OK);
    assert_int_equal(seen.count, 20);
    assert_false(n.more);
    for (size_t i = 0; i < 20; i += 4) {      /* of one millisecond: the log of denials first, in it the later */
        expect(&seen, i, LEDGER_DENIALS, 9 - i / 2);
        expect(&seen, i + 1, LEDGER_DENIALS, 8 - i / 2);
        expect(&seen, i + 2, LEDGER_DISCLOSURES, 9 - i / 2);
        expect(&seen, i + 3, LEDGER_DISCLOSURES, 8 - i / 2);
    }
    struct seen all = seen;
    struct leaf_place before = { INT64_MAX, INT64_MAX };
    for (size_t done = 0; done < 20; done += 3) {
        n           = asked(&seen);
        n.before    = before;
        seen.enough = 3;
        assert_int_equal(store_ledger_newest(t->store, &n), ST_OK);
        assert_int_equal(seen.count, done < 18 ? 3 : 2);
        assert_int_equal(n.more, done < 18);
        for (size_t i = 0; i < seen.count; i++)
            expect(&seen, i, all.log[done + i], all.index[done + i]);
        before = n.end;
        struct ledger_entry newer = some_record(t, LEDGER_DISCLOSURES, SPAN("Patient/p1"));
        struct store_unit   u     = { .records = &newer, .record_count = 1 };
        newer.at_ms              += 1000;
        assert_int_equal(submit(t, &u), ST_OK);
    }
}

static void
test_times_patients_and_columns_are_asked(void **state)
{
    struct scratch *t = *state;
    struct seen     seen;

    fill(t);
    struct store_newest n = asked(&seen);
    n.from_ms = n.to_ms = 1795359600002;
    assert_int_equal(store_ledger_newest(t->store, &n), ST_OK);
    assert_int_equal(seen.count, 4);
    assert_int_equal(seen.peeked, 4);
    n           = asked(&seen);
    n.to_ms     = 1795359600002;
    n.before    = (struct leaf_place){ 1795359600001, 0 };     /* the lower of both */
    assert_int_equal(store_ledger_newest(t->store, &n), ST_OK);
    assert_int_equal(seen.peeked, 4);
    for (int behind = 0; behind < 2; behind++) {     /* before the late index is written, and from it */
        n         = asked(&seen);
        n.patient = SPAN("Patient/p1");
        assert_int_equal(store_ledger_newest(t->store, &n), ST_OK);
        assert_int_equal(seen.count, 10);
        expect(&seen, 0, LEDGER_DENIALS, 9);
        expect(&seen, 9, LEDGER_DISCLOSURES, 1);
        assert_int_equal(scratch_reopen(t), ST_OK);
    }
    n         = asked(&seen);
    n.patient = SPAN("Patient/nobody");
    assert_int_equal(store_ledger_newest(t->store, &n), ST_OK);
    assert_int_equal(seen.peeked, 0);
    n              = asked(&seen);
    seen.recipient = "oak-clinic";
    assert_int_equal(store_ledger_newest(t->store, &n), ST_OK);
    assert_int_equal(seen.count, 1);
    expect(&seen, 0, LEDGER_DISCLOSURES, 3);
}

static void
test_it_ends_where_it_was_enough(void **state)
{
    struct scratch *t = *state;
    struct seen     seen;

    fill(t);
    struct store_newest n = asked(&seen);
    n.most         = 7;
    seen.recipient = "oak-clinic";
    assert_int_equal(store_ledger_newest(t->store, &n), ST_OK);
    assert_int_equal(seen.peeked, 7);
    assert_int_equal(seen.count, 0);
    assert_true(n.more);
    struct leaf_place end = n.end;
    n              = asked(&seen);
    n.before       = end;
    seen.recipient = "oak-clinic";
    assert_int_equal(store_ledger_newest(t->store, &n), ST_OK);
    assert_int_equal(seen.peeked, 13);
    assert_int_equal(seen.count, 1);
}

static void
test_what_a_void_took_back_is_known_by_its_event(void **state)
{
    struct scratch     *t     = *state;
    struct ledger_entry gone  = some_record(t, LEDGER_DISCLOSURES, SPAN("Patient/p1"));
    struct ledger_entry stays = some_record(t, LEDGER_DISCLOSURES, SPAN("Patient/p1"));
    struct ledger_entry taken = some_record(t, LEDGER_DISCLOSURES, SPAN("Patient/p1"));
    bool                voided;

    taken.kind   = SPAN("void");
    taken.voids  = gone.event_id;
    taken.record = arena_format(t->arena, RECORD_PREFIX ",\"eventId\":\"%.*s\",\"kind\":\"void\",\"voids\":\"%.*s\",\"patientId\":\"Patient/p1\"}",
                                SPAN_PRINT(taken.event_id), SPAN_PRINT(gone.event_id));
    struct ledger_entry e[] = { gone, stays, taken };
    struct store_unit   u   = { .records = e, .record_count = 3 };
    assert_int_equal(submit(t, &u), ST_OK);
    assert_int_equal(store_ledger_voided(t->store, gone.event_id, &voided), ST_OK);
    assert_true(voided);
    assert_int_equal(store_ledger_voided(t->store, stays.event_id, &voided), ST_OK);
    assert_false(voided);
    assert_int_equal(store_ledger_voided(t->store, SPAN(""), &voided), ST_OK);
    assert_false(voided);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_newest_come_first_and_pages_go_on_behind),
        TEST(test_times_patients_and_columns_are_asked),
        TEST(test_it_ends_where_it_was_enough),
        TEST(test_what_a_void_took_back_is_known_by_its_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
