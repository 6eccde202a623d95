/* tests/gateway/test_store_queue.c -- the outbox: order, leases, outcomes, bodies. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/gateway/store_support.h"

#define NOW INT64_C(1795359600000)

static struct store_outbox
delivery(const char *recipient, const char *patient, const char *key)
{
    return (struct store_outbox){ .recipient = span_of(recipient), .patient = span_of(patient),
                                  .idempotency_key = span_of(key), .event_id = SPAN("e"),
                                  .payload_sha256 = SPAN("00"), .due_ms = NOW };
}

/* One push with these deliveries. */
static void
push(struct scratch *t, struct store_outbox *outbox, size_t count)
{
    struct store_inbox in = { .request_id = SPAN("r"), .client = SPAN("ehr"), .bundle_type = SPAN("transaction"),
                              .patient = SPAN("Patient/p1"), .body = SPAN("{\"the\":\"body\"}") };
    struct store_unit  u  = { .inbox = &in, .outbox = outbox, .outbox_count = count };

    assert_int_equal(submit(t, &u), ST_OK);
}

static struct store_claim
claim(struct scratch *t, int64_t now, uint32_t max)
{
    struct store_claim c = { .arena = t->arena, .now_ms = now, .lease_ms = now + 1000, .max = max };

    assert_int_equal(claim_now(t, &c), ST_OK);
    return c;
}

static struct store_delivery
outcome(struct scratch *t, int64_t id, enum delivery_state state, int64_t due)
{
    struct store_delivery d = { .id = id, .state = state, .attempts = 1, .due_ms = due, .reason = SPAN("http 503") };
    struct store_unit     u = { .deliveries = &d, .delivery_count = 1 };

    assert_int_equal(submit(t, &u), ST_OK);
    return d;
}

static void
test_hands_out_what_is_due_with_everything_that_deciding_again_needs(void **state)
{
    struct scratch     *t = *state;
    struct store_outbox o = delivery("hie", "Patient/p1", "k1");

    push(t, &o, 1);
    struct store_claim c = claim(t, NOW, 8);
    assert_int_equal(c.row_count, 1);
    assert_int_equal(c.rows[0].id, o.id);
    assert_span(c.rows[0].recipient, "hie");
    assert_span(c.rows[0].patient, "Patient/p1");
    assert_span(c.rows[0].idempotency_key, "k1");
    assert_span(c.rows[0].event_id, "e");
    assert_span(c.rows[0].client, "ehr");
    assert_span(c.rows[0].request_id, "r");
    assert_span(c.rows[0].bundle_type, "transaction");
    assert_span(c.rows[0].body, "{\"the\":\"body\"}");
    assert_int_equal(c.next_due_ms, NOW + 1000);
}

static void
test_keeps_the_order_of_one_patient_to_one_recipient(void **state)
{
    struct scratch     *t    = *state;
    struct store_outbox o[5] = { delivery("hie", "Patient/p1", "1"), delivery("hie", "Patient/p1", "2"),
                                 delivery("hie", "Patient/p2", "3"), delivery("lab", "Patient/p1", "4"),
                                 delivery("hie", "Patient/p1", "5") };

    push(t, o, 5);
    struct store_claim c = claim(t, NOW, 8);
    assert_int_equal(c.row_count, 3);
    assert_span(c.rows[0].idempotency_key, "1");
    assert_span(c.rows[1].idempotency_key, "3");
    assert_span(c.rows[2].idempotency_key, "4");
    assert_true(outcome(t, o[0].id, DELIVERY_SENT, 0).follows);
    c = claim(t, NOW, 8);
    assert_int_equal(c.row_count, 1);
    assert_span(c.rows[0].idempotency_key, "2");
    assert_true(outcome(t, o[1].id, DELIVERY_DEAD, 0).follows);    /* a dead letter does not block */
    c = claim(t, NOW, 8);
    assert_span(c.rows[0].idempotency_key, "5");
    assert_false(outcome(t, o[4].id, DELIVERY_NOTHING, 0).follows);
}

static void
test_without_a_patient_there_is_no_order(void **state)
{
    struct scratch     *t    = *state;
    struct store_outbox o[2] = { delivery("hie", "", "1"), delivery("hie", "", "2") };

    push(t, o, 2);
    assert_int_equal(claim(t, NOW, 8).row_count, 2);
    assert_false(outcome(t, o[0].id, DELIVERY_SENT, 0).follows);
}

static void
test_a_retry_blocks_its_successors_and_is_due_when_it_says(void **state)
{
    struct scratch     *t    = *state;
    struct store_outbox o[2] = { delivery("hie", "Patient/p1", "1"), delivery("hie", "Patient/p1", "2") };

    push(t, o, 2);
    assert_int_equal(claim(t, NOW, 8).row_count, 1);
    (void)outcome(t, o[0].id, DELIVERY_WAITING, NOW + 5000);
    struct store_claim c = claim(t, NOW + 4999, 8);
    assert_int_equal(c.row_count, 0);
    assert_int_equal(c.next_due_ms, NOW + 5000);
    c = claim(t, NOW + 5000, 8);
    assert_int_equal(c.row_count, 1);
    assert_span(c.rows[0].idempotency_key, "1");
    assert_int_equal(c.rows[0].attempts, 1);
}

static void
test_a_lease_keeps_others_away_until_it_ends(void **state)
{
    struct scratch     *t = *state;
    struct store_outbox o = delivery("hie", "Patient/p1", "1");

    push(t, &o, 1);
    assert_int_equal(claim(t, NOW, 8).row_count, 1);
    struct store_claim c = claim(t, NOW + 999, 8);
    assert_int_equal(c.row_count, 0);
    assert_int_equal(c.next_due_ms, NOW + 1000);
    assert_int_equal(claim(t, NOW + 1000, 8).row_count, 1);
}

static void
test_the_one_who_inserts_may_hold_the_turn(void **state)
{
    struct scratch     *t    = *state;
    struct store_outbox o[2] = { delivery("hie", "Patient/p1", "1"), delivery("hie", "Patient/p1", "2") };

    o[0].lease_ms = o[1].lease_ms = NOW + 1000;
    push(t, o, 2);
    assert_true(o[0].turn);
    assert_false(o[1].turn);
    assert_int_equal(claim(t, NOW, 8).row_count, 0);
    assert_true(outcome(t, o[0].id, DELIVERY_SENT, 0).follows);
    struct store_claim c = claim(t, NOW, 8);
    assert_int_equal(c.row_count, 1);
    assert_span(c.rows[0].idempotency_key, "2");
}

static void
test_claims_at_most_what_was_asked_and_says_that_more_is_due(void **state)
{
    struct scratch     *t = *state;
    struct store_outbox o[5];
    char                patients[5][16];

    for (int i = 0; i < 5; i++) {
        (void)snprintf(patients[i], sizeof patients[i], "Patient/p%d", i);
        o[i] = delivery("hie", patients[i], "k");
    }
    push(t, o, 5);
    struct store_claim c = claim(t, NOW, 3);
    assert_int_equal(c.row_count, 3);
    assert_true(c.next_due_ms <= NOW);
    c = claim(t, NOW, 3);
    assert_int_equal(c.row_count, 2);
    assert_true(c.next_due_ms > NOW);
}

static void
test_a_recipient_that_hangs_holds_a_bounded_number_and_nobody_up(void **state)
{
    struct scratch      *t     = *state;
    enum { MANY = 200 };
    static char          patients[MANY][16];
    struct store_outbox *o     = arena_make_n(t->arena, MANY + 1, struct store_outbox);
    unsigned             turns = 0;

    for (unsigned i = 0; i <= MANY; i++) {
        bool other = i == MANY;
        if (!other)
            (void)snprintf(patients[i], sizeof patients[i], "Patient/p%u", i);
        o[i]          = delivery(other ? "clinic" : "hie", other ? "Patient/p0" : patients[i], "k");
        o[i].lease_ms = other || i % 2 ? 0 : NOW + 1000;
    }
    push(t, o, MANY + 1);
    for (unsigned i = 0; i < MANY; i++)
        turns += o[i].turn;
    assert_int_equal(turns, 100);                             /* every second asked for one */
    struct store_claim c = claim(t, NOW, MANY);
    assert_int_equal(c.row_count, 28 + 1);
    assert_span(c.rows[28].recipient, "clinic");
    assert_true(c.next_due_ms > NOW);
    struct store_outbox late = delivery("hie", "Patient/late", "k");
    late.lease_ms            = NOW + 1000;
    push(t, &late, 1);
    assert_false(late.turn);
    assert_true(outcome(t, o[0].id, DELIVERY_SENT, 0).follows);
    assert_false(outcome(t, o[2].id, DELIVERY_SENT, 0).follows);
    assert_int_equal(claim(t, NOW, MANY).row_count, 2);
    assert_int_equal(claim(t, NOW + 1000, MANY).row_count, 128 + 1);      /* all leases have ended */
}

static void
test_a_start_tries_everything_that_waits_at_once(void **state)
{
    struct scratch     *t    = *state;
    struct store_outbox o[2] = { delivery("hie", "Patient/p1", "1"), delivery("hie", "Patient/p2", "2") };

    push(t, o, 2);
    assert_int_equal(claim(t, NOW, 8).row_count, 2);
    (void)outcome(t, o[0].id, DELIVERY_WAITING, NOW + 86400000);
    assert_int_equal(scratch_reopen(t), ST_OK);
    struct store_claim c = { .arena = t->arena, .now_ms = NOW, .lease_ms = NOW + 1000, .max = 8, .all = true };
    assert_int_equal(claim_now(t, &c), ST_OK);
    assert_int_equal(c.row_count, 2);
}

static void
test_rows_that_do_not_fit_the_arena_wait_for_the_next_claim(void **state)
{
    struct scratch     *t     = *state;
    struct arena       *small = arena_new("small", 40000);
    struct store_outbox o[4]  = { delivery("hie", "Patient/p1", "1"), delivery("hie", "Patient/p2", "2"),
                                  delivery("hie", "Patient/p3", "3"), delivery("hie", "Patient/p4", "4") };
    static char         big[15000];
    struct store_inbox  in = { .request_id = SPAN("r"), .client = SPAN("ehr"), .body = { big, sizeof big } };
    struct store_unit   u  = { .inbox = &in, .outbox = o, .outbox_count = 4 };
    struct store_claim  c  = { .arena = small, .now_ms = NOW, .lease_ms = NOW + 1000, .max = 4 };

    assert_int_equal(submit(t, &u), ST_OK);
    assert_int_equal(claim_now(t, &c), ST_OK);
    assert_int_equal(c.row_count, 2);
    assert_int_equal(c.next_due_ms, NOW);
    assert_int_equal(claim(t, NOW, 4).row_count, 2);
    arena_free(&small);
}

static void
test_a_new_release_replaces_key_and_event_with_its_record_in_the_same_unit(void **state)
{
    struct scratch       *t = *state;
    struct store_outbox   o = delivery("hie", "Patient/p1", "1");
    struct ledger_entry   e = some_record(t, LEDGER_DISCLOSURES, SPAN("Patient/p1"));
    struct store_delivery d = { .state = DELIVERY_WAITING, .attempts = 1, .due_ms = NOW, .event_id = e.event_id,
                                .idempotency_key = SPAN("new"), .payload_sha256 = SPAN("ff") };
    struct store_unit     u = { .records = &e, .record_count = 1, .deliveries = &d, .delivery_count = 1 };

    push(t, &o, 1);
    d.id = o.id;
    assert_int_equal(submit(t, &u), ST_OK);
    struct store_claim c = claim(t, NOW, 8);
    assert_span(c.rows[0].idempotency_key, "new");
    assert_span(c.rows[0].payload_sha256, "ff");
    assert_true(span_eq(c.rows[0].event_id, e.event_id));
    d.id = 4711;                                             /* a row that is not there */
    e    = some_record(t, LEDGER_DISCLOSURES, SPAN("Patient/p1"));
    assert_int_equal(submit(t, &u), ST_NOT_FOUND);
}

static int
count_bodies(struct scratch *t)
{
    sqlite3      *db    = NULL;
    sqlite3_stmt *q     = NULL;
    int           count = -1;

    assert_int_equal(sqlite3_open_v2(t->file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM inbox WHERE body IS NOT NULL", -1, &q, NULL), SQLITE_OK);
    if (sqlite3_step(q) == SQLITE_ROW)
        count = sqlite3_column_int(q, 0);
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
    return count;
}

static void
test_a_body_goes_when_no_delivery_can_need_it(void **state)
{
    struct scratch     *t    = *state;
    struct store_outbox o[3] = { delivery("hie", "Patient/p1", "1"), delivery("lab", "Patient/p1", "2"),
                                 delivery("pcp", "Patient/p1", "3") };

    push(t, o, 3);
    assert_int_equal(count_bodies(t), 1);
    (void)outcome(t, o[0].id, DELIVERY_SENT, 0);
    (void)outcome(t, o[1].id, DELIVERY_DEAD, 0);
    (void)outcome(t, o[2].id, DELIVERY_NOTHING, 0);
    assert_int_equal(count_bodies(t), 1);                    /* a dead letter may be tried again */
    (void)outcome(t, o[1].id, DELIVERY_WAITING, NOW);
    assert_int_equal(claim(t, NOW, 8).row_count, 1);
    (void)outcome(t, o[1].id, DELIVERY_SENT, 0);
    assert_int_equal(count_bodies(t), 0);
}

static void
test_a_body_stays_while_a_resource_is_a_slice_of_it(void **state)
{
    struct scratch       *t    = *state;
    struct span           body = SPAN("{\"resourceType\":\"Condition\"}");
    struct store_inbox    in   = { .request_id = SPAN("r"), .client = SPAN("ehr"), .body = body };
    struct store_outbox   o    = delivery("hie", "Patient/p1", "1");
    struct store_resource r    = { .type = SPAN("Condition"), .id = SPAN("a"), .bytes = body, .if_version = -1 };
    struct store_unit     u    = { .inbox = &in, .outbox = &o, .outbox_count = 1, .resources = &r, .resource_count = 1 };

    assert_int_equal(submit(t, &u), ST_OK);
    (void)outcome(t, o.id, DELIVERY_SENT, 0);
    assert_int_equal(count_bodies(t), 1);
    struct store_read read = { .arena = t->arena, .type = SPAN("Condition"), .id = SPAN("a") };
    assert_int_equal(read_now(t, &read), ST_OK);
    assert_true(span_eq(read.row.bytes, body));
}

static void
test_a_push_that_nobody_wants_and_nobody_keeps_leaves_no_body(void **state)
{
    struct scratch *t = *state;

    push(t, NULL, 0);
    assert_int_equal(count_bodies(t), 0);
}

static void
test_lists_the_queue_and_counts_it(void **state)
{
    struct scratch         *t    = *state;
    struct store_outbox     o[3] = { delivery("hie", "Patient/p1", "1"), delivery("lab", "Patient/p1", "2"),
                                     delivery("pcp", "Patient/p1", "3") };
    struct store_queue_row *rows;
    size_t                  count;
    struct store_counts     counts;

    push(t, o, 3);
    (void)outcome(t, o[0].id, DELIVERY_SENT, 0);
    (void)outcome(t, o[1].id, DELIVERY_DEAD, 0);
    assert_int_equal(store_queue_list(t->store, t->arena, NULL, &rows, &count), ST_OK);
    assert_int_equal(count, 2);
    assert_span(rows[0].state, "dead");
    assert_span(rows[0].reason, "http 503");
    assert_span(rows[0].recipient, "lab");
    assert_span(rows[0].request_id, "r");
    assert_span(rows[1].state, "waiting");
    assert_int_equal(store_queue_list(t->store, t->arena, "sent", &rows, &count), ST_OK);
    assert_int_equal(count, 1);
    assert_int_equal(store_queue_list(t->store, t->arena, "nonsense", &rows, &count), ST_NOT_FOUND);
    assert_int_equal(store_counts_read(t->store, &counts), ST_OK);
    assert_int_equal(counts.waiting, 1);
    assert_int_equal(counts.dead, 1);
    assert_int_equal(counts.inbox, 1);
}

/* ---- growth ------------------------------------------------------------------------ */

static void
change_file(struct scratch *t, const char *text)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(t->file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static size_t
count_in(struct scratch *t, const char *state)
{
    struct store_queue_row *rows;
    size_t                  count;

    assert_int_equal(store_queue_list(t->store, t->arena, state, &rows, &count), ST_OK);
    return count;
}

struct kept {                            /* a push with all that is promised about it */
    struct store_inbox    in;
    struct store_resource resource;
    struct store_outbox   outbox[5];
    struct ledger_entry   record;
    struct store_answer   answer;
    struct store_unit     unit;
    char                  id[16], body[64];
};

static void
kept_push(struct scratch *t, struct kept *k, unsigned n)
{
    static const enum delivery_state states[5] = { DELIVERY_SENT, DELIVERY_NOTHING, DELIVERY_DEAD, DELIVERY_PARKED,
                                                   DELIVERY_WAITING };
    static const char *const         to[5]     = { "a", "b", "c", "d", "e" };

    (void)snprintf(k->id, sizeof k->id, "k%u", n);
    (void)snprintf(k->body, sizeof k->body, "{\"resourceType\":\"Condition\",\"id\":\"k%u\"}", n);
    k->in       = (struct store_inbox){ .request_id = span_of(k->id), .client = SPAN("ehr"), .body = span_of(k->body) };
    k->resource = (struct store_resource){ .type = SPAN("Condition"), .id = span_of(k->id), .if_version = -1,
                                           .patient = SPAN("Patient/p1"), .bytes = span_of(k->body) };
    k->record   = some_record(t, LEDGER_DISCLOSURES, SPAN("Patient/p1"));
    k->answer   = (struct store_answer){ .client = SPAN("ehr"), .key = span_of(k->id), .status = 200, .body = SPAN("{}") };
    for (int i = 0; i < 5; i++)
        k->outbox[i] = delivery(to[i], "Patient/p1", k->id);
    k->unit = (struct store_unit){ .inbox = &k->in, .resources = &k->resource, .resource_count = 1, .outbox = k->outbox,
                                   .outbox_count = 5, .records = &k->record, .record_count = 1, .answer = &k->answer };
    assert_int_equal(submit(t, &k->unit), ST_OK);
    for (int i = 0; i < 5; i++)
        if (states[i] != DELIVERY_WAITING)
            (void)outcome(t, k->outbox[i].id, states[i], 0);
}

/* Commits that have nothing of their own. */
static void
commits(struct scratch *t, unsigned count)
{
    while (count-- > 0) {
        struct store_unit u = { .records = NULL };
        assert_int_equal(submit(t, &u), ST_OK);
    }
}

#define KEPT 90u

static void
test_what_is_over_and_old_goes_and_nothing_else(void **state)
{
    static struct kept k[2 * KEPT];
    struct scratch    *t = *state;

    for (unsigned n = 0; n < KEPT; n++)
        kept_push(t, &k[n], n);
    commits(t, 200);
    assert_int_equal(count_in(t, "sent"), KEPT);             /* it is not old */
    store_close(&t->store);
    change_file(t, "UPDATE outbox SET changed = 1; UPDATE answer SET at = 1");
    assert_int_equal(scratch_open(t), ST_OK);
    for (unsigned n = KEPT; n < 2 * KEPT; n++)
        kept_push(t, &k[n], n);
    commits(t, 200);
    assert_int_equal(count_in(t, "sent"), KEPT);             /* the younger half */
    assert_int_equal(count_in(t, "nothing"), KEPT);
    assert_int_equal(count_in(t, "dead"), 2 * KEPT);
    assert_int_equal(count_in(t, "parked"), 2 * KEPT);
    assert_int_equal(count_in(t, "waiting"), 2 * KEPT);
    assert_int_equal(scratch_reopen(t), ST_OK);
    for (unsigned n = 0; n < 2 * KEPT; n++) {
        struct arena_mark   mark = arena_mark(t->arena);
        struct store_read   r    = { .arena = t->arena, .type = SPAN("Condition"), .id = span_of(k[n].id) };
        struct store_lookup l    = { .arena = t->arena, .client = SPAN("ehr"), .key = span_of(k[n].id) };
        struct ledger_leaf  leaf;
        enum ledger_log     log;
        assert_int_equal(read_now(t, &r), ST_OK);
        assert_span(r.row.bytes, k[n].body);
        assert_int_equal(lookup_now(t, &l), n < KEPT ? ST_NOT_FOUND : ST_OK);
        assert_int_equal(store_ledger_find(t->store, k[n].record.event_id, t->arena, &log, &leaf), ST_OK);
        arena_reset(t->arena, mark);
    }
    for (unsigned n = 0; n < 2 * KEPT; n++) {                /* what waits leaves in its order, with its body */
        struct store_claim c = claim(t, NOW + n, 8);
        assert_int_equal(c.row_count, 1);
        assert_span(c.rows[0].idempotency_key, k[n].id);
        assert_span(c.rows[0].body, k[n].body);
        (void)outcome(t, c.rows[0].id, DELIVERY_SENT, 0);
    }
    (void)outcome(t, k[0].outbox[2].id, DELIVERY_WAITING, NOW);      /* a dead letter from long ago */
    assert_int_equal(claim(t, NOW + 1000, 8).row_count, 1);
}

/* A store that is busy prunes faster than it grows. */
static void
test_pruning_keeps_up_with_groups_of_pushes(void **state)
{
    enum { GROUP = 200 };
    static struct store_outbox o[GROUP];
    struct scratch            *t = *state;

    for (int round = 0; round < 4; round++) {
        for (unsigned i = 0; i < GROUP; i++)
            o[i] = delivery("hie", "", "k");
        push(t, o, GROUP);
    }
    store_close(&t->store);
    change_file(t, "UPDATE outbox SET changed = 1, state = 1, head = 0");
    assert_int_equal(scratch_open(t), ST_OK);
    commits(t, 64);
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < GROUP; i++)
            o[i] = delivery("hie", "", "k");
        push(t, o, GROUP);
    }
    assert_int_equal(count_in(t, "sent"), 0);
    assert_int_equal(count_in(t, "waiting"), 2 * GROUP);
}

/* A model: random pushes, claims, outcomes and restarts; of one recipient and
 * patient never two in flight, and the order of finishing is that of coming. */
static void
test_order_holds_whatever_happens(void **state)
{
    struct scratch *t       = *state;
    unsigned        seed    = 7;
    int64_t         last[6] = { 0 };
    struct { int64_t id; int lane; } flying[64];
    size_t          flight = 0;
    char            patients[3][12] = { "Patient/a", "Patient/b", "Patient/c" };
    int64_t         now = NOW;

    for (int step = 0; step < 600; step++, now += 10) {
        struct arena_mark mark = arena_mark(t->arena);
        int               what = rand_r(&seed) % 10;
        if (what < 4) {
            struct store_outbox o[2] = { delivery("hie", patients[rand_r(&seed) % 3], "k"),
                                         delivery("lab", patients[rand_r(&seed) % 3], "k") };
            o[0].due_ms = o[1].due_ms = now;
            push(t, o, 2);
        } else if (what < 7) {
            struct store_claim c = { .arena = t->arena, .now_ms = now, .lease_ms = now + 1000000, .max = 4 };
            assert_int_equal(claim_now(t, &c), ST_OK);
            for (size_t i = 0; i < c.row_count; i++) {
                int lane = (span_eq_text(c.rows[i].recipient, "hie") ? 0 : 3) + c.rows[i].patient.at[8] - 'a';
                for (size_t k = 0; k < flight; k++)
                    assert_int_not_equal(flying[k].lane, lane);
                flying[flight].id     = c.rows[i].id;
                flying[flight++].lane = lane;
            }
        } else if (flight > 0) {
            size_t k    = (size_t)rand_r(&seed) % flight;
            bool   over = rand_r(&seed) % 3 > 0;
            (void)outcome(t, flying[k].id, over ? DELIVERY_SENT : DELIVERY_WAITING, now + 50);
            if (over) {
                assert_true(flying[k].id > last[flying[k].lane]);
                last[flying[k].lane] = flying[k].id;
            }
            flying[k] = flying[--flight];
        }
        if (step % 150 == 149) {
            assert_int_equal(scratch_reopen(t), ST_OK);
            flight = 0;
        }
        arena_reset(t->arena, mark);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_hands_out_what_is_due_with_everything_that_deciding_again_needs),
        TEST(test_keeps_the_order_of_one_patient_to_one_recipient),
        TEST(test_without_a_patient_there_is_no_order),
        TEST(test_a_retry_blocks_its_successors_and_is_due_when_it_says),
        TEST(test_a_lease_keeps_others_away_until_it_ends),
        TEST(test_the_one_who_inserts_may_hold_the_turn),
        TEST(test_claims_at_most_what_was_asked_and_says_that_more_is_due),
        TEST(test_a_recipient_that_hangs_holds_a_bounded_number_and_nobody_up),
        TEST(test_a_start_tries_everything_that_waits_at_once),
        TEST(test_rows_that_do_not_fit_the_arena_wait_for_the_next_claim),
        TEST(test_a_new_release_replaces_key_and_event_with_its_record_in_the_same_unit),
        TEST(test_a_body_goes_when_no_delivery_can_need_it),
        TEST(test_a_body_stays_while_a_resource_is_a_slice_of_it),
        TEST(test_a_push_that_nobody_wants_and_nobody_keeps_leaves_no_body),
        TEST(test_lists_the_queue_and_counts_it),
        TEST(test_order_holds_whatever_happens),
        TEST(test_what_is_over_and_old_goes_and_nothing_else),
        TEST(test_pruning_keeps_up_with_groups_of_pushes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
