/* tests/gateway/test_store.c -- units of work: what is kept, what is refused, what stays. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/gateway/store_support.h"

static struct store_resource
resource(struct span type, struct span id, struct span bytes)
{
    return (struct store_resource){ .type = type, .id = id, .patient = SPAN("Patient/p1"), .bytes = bytes,
                                    .labels = SPAN("SUD R"), .part2 = SPAN("confirmed"), .if_version = -1 };
}

static enum status
put(struct scratch *t, struct store_resource *r)
{
    struct store_unit u = { .resources = r, .resource_count = 1 };

    return submit(t, &u);
}

static struct store_read
get(struct scratch *t, struct span type, struct span id, int64_t version)
{
    struct store_read r = { .arena = t->arena, .type = type, .id = id, .version = version };

    (void)read_now(t, &r);
    return r;
}

/* ---- resources ---------------------------------------------------------------------- */

static void
test_keeps_a_resource_that_came_in_a_body_byte_for_byte(void **state)
{
    struct scratch       *t    = *state;
    struct span           body = SPAN("{\"entry\":[{\"resource\":{\"id\":\"a\", \"v\":1.50}}]}");
    struct store_resource r    = resource(SPAN("Condition"), SPAN("a"), span_first(span_skip(body, 22), 20));
    struct store_inbox    in   = { .request_id = SPAN("r1"), .client = SPAN("ehr"), .body = body };
    struct store_unit     u    = { .inbox = &in, .resources = &r, .resource_count = 1 };

    assert_int_equal(submit(t, &u), ST_OK);
    assert_int_equal(r.version, 1);
    assert_true(r.created);
    struct store_read got = get(t, SPAN("Condition"), SPAN("a"), 0);
    assert_int_equal(got.status, ST_OK);
    assert_span(got.row.bytes, "{\"id\":\"a\", \"v\":1.50}");
    assert_span(got.row.patient, "Patient/p1");
    assert_span(got.row.labels, "SUD R");
    assert_span(got.row.part2, "confirmed");
    assert_false(got.row.deleted);
}

static void
test_reads_a_slice_of_a_large_body(void **state)
{
    struct scratch    *t     = *state;
    size_t             size  = 3000000;
    char              *bytes = malloc(size);
    struct store_inbox in    = { .request_id = SPAN("r1"), .client = SPAN("ehr") };

    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + i % 23);
    in.body                 = span_from(bytes, size);
    struct store_resource r = resource(SPAN("Binary"), SPAN("big"), span_from(bytes + 1234567, 100000));
    struct store_unit     u = { .inbox = &in, .resources = &r, .resource_count = 1 };
    assert_int_equal(submit(t, &u), ST_OK);
    struct store_read got = get(t, SPAN("Binary"), SPAN("big"), 0);
    assert_int_equal(got.status, ST_OK);
    assert_int_equal(got.row.bytes.length, 100000);
    assert_memory_equal(got.row.bytes.at, bytes + 1234567, 100000);
    free(bytes);
}

static void
test_counts_versions_and_remembers_each(void **state)
{
    struct scratch       *t = *state;
    struct store_resource a = resource(SPAN("Condition"), SPAN("a"), SPAN("one"));
    struct store_resource b = resource(SPAN("Condition"), SPAN("a"), SPAN("two"));

    assert_int_equal(put(t, &a), ST_OK);
    assert_int_equal(put(t, &b), ST_OK);
    assert_int_equal(b.version, 2);
    assert_false(b.created);
    assert_span(get(t, SPAN("Condition"), SPAN("a"), 0).row.bytes, "two");
    assert_span(get(t, SPAN("Condition"), SPAN("a"), 1).row.bytes, "one");
    assert_int_equal(get(t, SPAN("Condition"), SPAN("a"), 3).status, ST_NOT_FOUND);
    assert_int_equal(get(t, SPAN("Condition"), SPAN("b"), 0).status, ST_NOT_FOUND);
}

/* Closing writes the index, so it is found in the table. */
static void
test_versions_go_on_after_a_restart(void **state)
{
    struct scratch       *t = *state;
    struct store_resource a = resource(SPAN("Condition"), SPAN("a"), SPAN("one"));
    struct store_resource b = resource(SPAN("Condition"), SPAN("a"), SPAN("two"));

    assert_int_equal(put(t, &a), ST_OK);
    assert_int_equal(scratch_reopen(t), ST_OK);
    assert_int_equal(put(t, &b), ST_OK);
    assert_int_equal(b.version, 2);
    assert_false(b.created);
    assert_int_equal(scratch_reopen(t), ST_OK);
    assert_span(get(t, SPAN("Condition"), SPAN("a"), 1).row.bytes, "one");
    assert_span(get(t, SPAN("Condition"), SPAN("a"), 0).row.bytes, "two");
}

static void
test_deletes_by_a_version_and_creates_again(void **state)
{
    struct scratch       *t    = *state;
    struct store_resource a    = resource(SPAN("Condition"), SPAN("a"), SPAN("one"));
    struct store_resource gone = resource(SPAN("Condition"), SPAN("a"), SPAN(""));
    struct store_resource none = resource(SPAN("Condition"), SPAN("never"), SPAN(""));
    struct store_counts   counts;

    gone.verb = none.verb = STORE_DELETE;
    assert_int_equal(put(t, &a), ST_OK);
    assert_int_equal(put(t, &gone), ST_OK);
    assert_int_equal(gone.version, 2);
    assert_true(get(t, SPAN("Condition"), SPAN("a"), 0).row.deleted);
    assert_int_equal(put(t, &none), ST_OK);
    assert_int_equal(none.version, 0);
    assert_int_equal(store_counts_read(t->store, &counts), ST_OK);
    assert_int_equal(counts.resources, 0);
    struct store_resource again = resource(SPAN("Condition"), SPAN("a"), SPAN("three"));
    again.if_version            = 0;
    assert_int_equal(put(t, &again), ST_OK);
    assert_int_equal(again.version, 3);
    assert_true(again.created);
    assert_int_equal(store_counts_read(t->store, &counts), ST_OK);
    assert_int_equal(counts.resources, 1);
}

/* ---- preconditions --------------------------------------------------------------------- */

static void
test_refuses_a_version_that_is_not_the_current_one_and_writes_nothing_of_the_unit(void **state)
{
    struct scratch       *t    = *state;
    struct store_resource a    = resource(SPAN("Condition"), SPAN("a"), SPAN("one"));
    struct store_resource r[2] = { resource(SPAN("Condition"), SPAN("fresh"), SPAN("x")),
                                   resource(SPAN("Condition"), SPAN("a"), SPAN("two")) };
    struct store_unit     u    = { .resources = r, .resource_count = 2 };

    assert_int_equal(put(t, &a), ST_OK);
    r[1].if_version = 7;
    assert_int_equal(submit(t, &u), ST_CONFLICT);
    assert_int_equal(u.conflict, 1);
    assert_int_equal(get(t, SPAN("Condition"), SPAN("fresh"), 0).status, ST_NOT_FOUND);
    r[1].if_version = 1;
    assert_int_equal(submit(t, &u), ST_OK);
    assert_int_equal(r[1].version, 2);
}

static void
test_every_resource_that_is_refused_says_why(void **state)
{
    struct scratch       *t    = *state;
    static const int64_t  some[] = { 9, 1 };
    struct store_resource a[3] = { resource(SPAN("Condition"), SPAN("a"), SPAN("one")),
                                   resource(SPAN("Condition"), SPAN("b"), SPAN("one")),
                                   resource(SPAN("Condition"), SPAN("c"), SPAN("one")) };
    struct store_resource r[3] = { a[0], a[1], a[2] };
    struct store_resource none = resource(SPAN("Condition"), SPAN("none"), SPAN("one"));
    struct store_unit     u    = { .resources = r, .resource_count = 3 };

    none.if_version = STORE_ANY_VERSION;
    assert_int_equal(put(t, &none), ST_CONFLICT);
    for (int i = 0; i < 3; i++)
        assert_int_equal(put(t, &a[i]), ST_OK);
    r[0].if_version  = 7;
    r[1].if_version  = 9;
    r[1].or_versions = some;
    r[1].or_count    = 2;
    r[2].if_version  = 0;
    assert_int_equal(submit(t, &u), ST_CONFLICT);
    assert_int_equal(u.conflict, 0);
    assert_int_equal(r[0].refused, STORE_OTHER_VERSION);
    assert_int_equal(r[1].refused, STORE_NOT_REFUSED);
    assert_int_equal(r[2].refused, STORE_OTHER_VERSION);
    r[0].if_version = r[2].if_version = STORE_ANY_VERSION;
    assert_int_equal(submit(t, &u), ST_OK);
}

static void
test_who_may_only_create_writes_over_what_it_sent_itself_and_nothing_else(void **state)
{
    struct scratch       *t     = *state;
    struct store_inbox    ours  = { .client = SPAN("ehr") }, others = { .client = SPAN("other") };
    struct store_resource a[2]  = { resource(SPAN("Condition"), SPAN("new"), SPAN("x")),
                                    resource(SPAN("Condition"), SPAN("a"), SPAN("one")) };
    struct store_unit     first = { .resources = &a[1], .resource_count = 1, .inbox = &others };
    struct store_unit     u     = { .resources = a, .resource_count = 2, .inbox = &ours };

    assert_int_equal(submit(t, &first), ST_OK);
    a[0].only_own = a[1].only_own = true;
    assert_int_equal(submit(t, &u), ST_CONFLICT);
    assert_int_equal(a[0].refused, STORE_NOT_REFUSED);
    assert_int_equal(a[1].refused, STORE_OTHER_OWNER);
    assert_int_equal(u.conflict, 1);
    assert_int_equal(get(t, SPAN("Condition"), SPAN("new"), 0).status, ST_NOT_FOUND);
    u.inbox = &others;
    assert_int_equal(submit(t, &u), ST_OK);
    assert_int_equal(a[1].version, 2);
    assert_true(store_healthy(t->store));
}

static void
test_a_unit_that_fails_leaves_its_neighbours_in_the_batch_alone(void **state)
{
    struct scratch       *t = *state;
    struct store_resource r[6];
    struct store_unit     u[6];
    struct ledger_entry   e[6];
    char                  ids[6][2] = { "a", "b", "c", "d", "e", "f" };

    for (int i = 0; i < 6; i++) {
        r[i] = resource(SPAN("Condition"), span_of(ids[i]), SPAN("x"));
        e[i] = some_record(t, LEDGER_DISCLOSURES, SPAN("Patient/p1"));
        u[i] = (struct store_unit){ .resources = &r[i], .resource_count = 1, .records = &e[i], .record_count = 1 };
        u[i].done.run = on_done;
    }
    r[1].if_version = 3;                                     /* a precondition */
    e[3].record     = SPAN("{\"not\":\"a record\"}");        /* a bug, met after writing began */
    e[4].event_id   = e[2].event_id;                         /* an event twice */
    expect_done(6);
    for (int i = 0; i < 6; i++)
        store_submit(t->store, &u[i]);
    wait_done();
    enum status want[6] = { ST_OK, ST_CONFLICT, ST_OK, ST_MALFORMED, ST_INTEGRITY, ST_OK };
    for (int i = 0; i < 6; i++) {
        assert_int_equal(u[i].status, want[i]);
        assert_int_equal(get(t, SPAN("Condition"), span_of(ids[i]), 0).status,
                         want[i] == ST_OK ? ST_OK : ST_NOT_FOUND);
    }
    assert_true(store_healthy(t->store));
    assert_int_equal(e[5].index, 2);
    assert_int_equal(scratch_reopen(t), ST_OK);              /* checks tree against checkpoint */
}

static void
test_what_may_wait_is_written_all_the_same(void **state)
{
    struct scratch       *t    = *state;
    struct store_resource a    = resource(SPAN("Condition"), SPAN("a"), SPAN("one"));
    struct store_resource b    = resource(SPAN("Condition"), SPAN("b"), SPAN("two"));
    struct store_unit     idle = { .done.run = on_done, .resources = &a, .resource_count = 1, .may_wait = true };
    struct store_unit     last = { .done.run = on_done, .resources = &b, .resource_count = 1, .may_wait = true };

    expect_done(1);
    store_submit(t->store, &idle);
    wait_done();                         /* nothing comes after it */
    assert_int_equal(idle.status, ST_OK);
    expect_done(1);
    store_submit(t->store, &last);
    store_close(&t->store);
    wait_done();
    assert_int_equal(last.status, ST_OK);
    assert_int_equal(scratch_open(t), ST_OK);
    assert_span(get(t, SPAN("Condition"), SPAN("b"), 0).row.bytes, "two");
}

static void
test_the_first_answer_under_a_key_is_kept_across_restarts(void **state)
{
    struct scratch     *t = *state;
    struct store_answer a = { .client = SPAN("ehr"), .key = SPAN("k1"), .request_sha256 = SPAN("00ff"), .status = 201,
                              .content_type = SPAN("application/fhir+json"), .body = SPAN("{\"first\":1}"),
                              .location = SPAN("Condition/1") };
    struct store_answer b = a;
    struct store_unit   u = { .answer = &a };
    struct store_unit   v = { .answer = &b };

    assert_int_equal(submit(t, &u), ST_OK);
    b.body = SPAN("{\"second\":2}");
    assert_int_equal(submit(t, &v), ST_CONFLICT);
    assert_int_equal(v.conflict, STORE_CONFLICT_KEY);
    b.client = SPAN("other-ehr");
    assert_int_equal(submit(t, &v), ST_OK);
    assert_int_equal(scratch_reopen(t), ST_OK);
    struct store_lookup l = { .arena = t->arena, .client = SPAN("ehr"), .key = SPAN("k1") };
    assert_int_equal(lookup_now(t, &l), ST_OK);
    assert_span(l.answer.body, "{\"first\":1}");
    assert_span(l.answer.request_sha256, "00ff");
    assert_span(l.answer.location, "Condition/1");
    assert_int_equal(l.answer.status, 201);
    l.key = SPAN("k2");
    assert_int_equal(lookup_now(t, &l), ST_NOT_FOUND);
}

static void
author_answer(struct store_unit *u)
{
    static const struct span bodies[] = { { "{\"version\":1}", 13 }, { "{\"version\":2}", 13 } };

    u->answer->body = bodies[u->resources[0].version - 1];
}

static void
test_an_answer_is_authored_when_versions_are_known(void **state)
{
    struct scratch       *t = *state;
    struct store_resource r = resource(SPAN("Condition"), SPAN("a"), SPAN("one"));
    struct store_answer   a = { .client = SPAN("ehr"), .key = SPAN("k"), .status = 200 };
    struct store_unit     u = { .resources = &r, .resource_count = 1, .answer = &a, .finish = author_answer };

    assert_int_equal(put(t, &r), ST_OK);
    assert_int_equal(submit(t, &u), ST_OK);
    struct store_lookup l = { .arena = t->arena, .client = SPAN("ehr"), .key = SPAN("k") };
    assert_int_equal(lookup_now(t, &l), ST_OK);
    assert_span(l.answer.body, "{\"version\":2}");
}

/* ---- consents ---------------------------------------------------------------------------- */

static struct store_resource
consent(struct span id, struct span patient, struct span bytes)
{
    struct store_resource r = resource(SPAN("Consent"), id, bytes);

    r.patient = patient;
    return r;
}

static void
test_finds_the_current_consents_of_a_patient(void **state)
{
    struct scratch       *t    = *state;
    struct span           who  = SPAN("Patient/p1");
    struct store_resource a    = consent(SPAN("a"), who, SPAN("a1"));
    struct store_resource b    = consent(SPAN("b"), who, SPAN("b1"));
    struct store_resource c    = consent(SPAN("c"), SPAN("Patient/p2"), SPAN("c1"));
    struct store_resource a2   = consent(SPAN("a"), who, SPAN("a2"));
    struct store_resource gone = consent(SPAN("b"), who, SPAN(""));
    struct store_consents q    = { .arena = t->arena, .patients = &who, .patient_count = 1 };

    assert_int_equal(consents_now(t, &q), ST_OK);
    assert_int_equal(q.row_count, 0);
    assert_int_equal(q.newest, 0);
    gone.verb = STORE_DELETE;
    assert_int_equal(put(t, &a), ST_OK);
    assert_int_equal(put(t, &b), ST_OK);
    assert_int_equal(put(t, &c), ST_OK);
    assert_int_equal(put(t, &a2), ST_OK);
    assert_int_equal(consents_now(t, &q), ST_OK);
    assert_int_equal(q.row_count, 2);
    assert_span(q.rows[0].bytes, "a2");
    assert_int_equal(q.rows[0].version, 2);
    assert_span(q.rows[1].bytes, "b1");
    assert_int_equal(q.generation, store_consent_generation(t->store));
    assert_int_equal(put(t, &gone), ST_OK);
    assert_int_equal(consents_now(t, &q), ST_OK);
    assert_int_equal(q.row_count, 1);
    assert_int_equal(q.newest, store_consent_generation(t->store));
}

/* Three of one body, one that is the whole of its own, one whose body does not fit, one whose resource is no slice. */
static void
test_hands_out_the_body_of_a_consent_once(void **state)
{
    static const char     words[] = "[{\"r\":\"urn:uuid:1\"},{\"r\":\"Organization/o\"},{}]";
    struct scratch       *t    = *state;
    size_t                size = STORE_HOME_BYTES + 1;
    char                 *large = calloc(1, size);
    struct span           who  = SPAN("Patient/p1"), body = span_of(words), alone = SPAN("{\"alone\":1}");
    struct store_resource of[] = {
        consent(SPAN("a"), who, span_first(span_skip(body, 1), 18)), consent(SPAN("b"), who, span_first(span_skip(body, 20), 22)),
        consent(SPAN("c"), who, span_first(span_skip(body, 43), 2)),
    };
    struct store_resource lonely[] = { consent(SPAN("d"), who, alone) };
    struct store_consents q = { .arena = t->arena, .patients = &who, .patient_count = 1 };

    assert_non_null(large);
    memset(large, ' ', size);
    memcpy(large + size - 7, "\"urn:x\"", 7);
    struct store_resource e[]   = { consent(SPAN("e"), who, span_from(large + size - 7, 7)), consent(SPAN("f"), who, SPAN("f1")) };
    struct store_inbox    in[]  = { { .request_id = SPAN("r"), .client = SPAN("ehr"), .patient = who, .body = body },
                                    { .request_id = SPAN("r"), .client = SPAN("ehr"), .patient = who, .body = alone },
                                    { .request_id = SPAN("r"), .client = SPAN("ehr"), .patient = who, .body = { large, size } } };
    struct store_unit     u[]   = { { .inbox = &in[0], .resources = of, .resource_count = 3 },
                                    { .inbox = &in[1], .resources = lonely, .resource_count = 1 },
                                    { .inbox = &in[2], .resources = e, .resource_count = 2 } };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(submit(t, &u[i]), ST_OK);
    free(large);
    assert_int_equal(consents_now(t, &q), ST_OK);
    assert_int_equal(q.row_count, 6);
    assert_span(q.rows[0].home->body, words);
    assert_ptr_equal(q.rows[1].home, q.rows[0].home);
    assert_ptr_equal(q.rows[2].home, q.rows[0].home);
    assert_span(q.rows[1].bytes, "{\"r\":\"Organization/o\"}");
    assert_span(q.rows[3].bytes, "{\"alone\":1}");
    assert_null(q.rows[3].home);
    assert_span(q.rows[4].bytes, "\"urn:x\"");
    assert_null(q.rows[4].home);
    assert_span(q.rows[5].bytes, "f1");
    assert_null(q.rows[5].home);
}

static void
test_a_consent_that_moves_to_another_patient_is_gone_from_the_first(void **state)
{
    struct scratch       *t     = *state;
    struct span           first = SPAN("Patient/p1");
    struct store_resource a     = consent(SPAN("a"), first, SPAN("a1"));
    struct store_resource moved = consent(SPAN("a"), SPAN("Patient/p2"), SPAN("a2"));
    struct store_consents q     = { .arena = t->arena, .patients = &first, .patient_count = 1 };

    assert_int_equal(put(t, &a), ST_OK);
    uint64_t before = store_consent_generation(t->store);
    assert_int_equal(put(t, &moved), ST_OK);
    assert_int_equal(consents_now(t, &q), ST_OK);
    assert_int_equal(q.row_count, 0);
    assert_true(q.newest > before);
}

static void
test_refuses_a_release_decided_on_consents_that_changed(void **state)
{
    struct scratch       *t       = *state;
    struct span           who     = SPAN("Patient/p1");
    struct store_resource a       = consent(SPAN("a"), who, SPAN("active"));
    struct store_resource other   = consent(SPAN("o"), SPAN("Patient/p2"), SPAN("active"));
    struct store_resource revoked = consent(SPAN("a"), who, SPAN("inactive"));
    struct ledger_entry   e       = some_record(t, LEDGER_DISCLOSURES, who);
    struct store_unit     u       = { .records = &e, .record_count = 1, .consent_patients = &who,
                                      .consent_patient_count = 1 };

    assert_int_equal(put(t, &a), ST_OK);
    u.consents_as_of = store_consent_generation(t->store);
    assert_int_equal(put(t, &other), ST_OK);                 /* somebody else's */
    assert_int_equal(submit(t, &u), ST_OK);
    assert_int_equal(put(t, &revoked), ST_OK);
    e = some_record(t, LEDGER_DISCLOSURES, who);
    assert_int_equal(submit(t, &u), ST_CONFLICT);
    assert_int_equal(u.conflict, STORE_CONFLICT_CONSENT);
}

static bool
never(struct scratch *t, struct span patient, uint64_t *generation)
{
    return store_never_consented(t->store, &patient, 1, generation);
}

static void
test_knows_at_once_who_never_had_a_consent(void **state)
{
    struct scratch       *t     = *state;
    struct span           p1    = SPAN("Patient/p1"), p2 = SPAN("Patient/p2"), p3 = SPAN("Patient/p3");
    struct store_resource a     = consent(SPAN("a"), p1, SPAN("a1"));
    struct store_resource moved = consent(SPAN("a"), p2, SPAN("a2"));
    struct store_resource gone  = consent(SPAN("a"), p2, SPAN(""));
    struct span           all[] = { p3, p1 };
    uint64_t              as_of;

    gone.verb = STORE_DELETE;
    assert_true(never(t, p1, &as_of));
    assert_int_equal(as_of, store_consent_generation(t->store));
    assert_int_equal(put(t, &a), ST_OK);
    assert_false(never(t, p1, &as_of));
    assert_true(never(t, p2, &as_of));
    assert_int_equal(as_of, store_consent_generation(t->store));
    assert_false(store_never_consented(t->store, all, 2, &as_of));
    assert_true(store_never_consented(t->store, all, 0, &as_of));
    assert_int_equal(put(t, &moved), ST_OK);
    assert_int_equal(put(t, &gone), ST_OK);
    assert_int_equal(scratch_reopen(t), ST_OK);
    assert_false(never(t, p1, &as_of));                       /* never, not: at present */
    assert_false(never(t, p2, &as_of));
    assert_true(never(t, p3, &as_of));
}

enum { CONSENTERS = 300 };

struct asking {
    struct scratch  *t;
    uint64_t         first;              /* generation of the first consent */
    _Atomic unsigned wrong, rounds;
    _Atomic bool     stop;
};

static struct span
consenter(char room[32], unsigned i)
{
    return span_from(room, (size_t)snprintf(room, 32, "Patient/%u", i));
}

static void *
ask_all_the_time(void *arg)
{
    struct asking *a = arg;

    for (unsigned seed = 1; !a->stop; a->rounds++) {
        char     room[32];
        unsigned i = (unsigned)rand_r(&seed) % CONSENTERS;
        uint64_t as_of;
        if (never(a->t, consenter(room, i), &as_of) && as_of >= a->first + i)
            a->wrong++;
    }
    return NULL;
}

/* Patient i's consent is the generation first + i: whoever is told that there
 * is none must be told of an earlier one. */
static void
test_nobody_is_told_of_a_generation_that_has_the_consent_he_is_told_is_not_there(void **state)
{
    struct scratch *t = *state;
    struct asking   a = { .t = t, .first = store_consent_generation(t->store) + 1 };
    pthread_t       threads[2];
    char            room[32];

    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_all_the_time, &a), 0);
    for (unsigned i = 0; i < CONSENTERS; i++) {
        struct span           who = consenter(room, i);
        struct store_resource c   = consent(who, who, SPAN("active"));
        uint64_t              as_of;
        assert_int_equal(put(t, &c), ST_OK);
        assert_int_equal(store_consent_generation(t->store), a.first + i);
        assert_false(never(t, who, &as_of));                  /* the very next push */
    }
    while (a.rounds == 0)
        (void)usleep(1000);
    a.stop = true;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(a.wrong, 0);
}

static void
test_the_consent_generation_survives_a_restart(void **state)
{
    struct scratch       *t = *state;
    struct store_resource a = consent(SPAN("a"), SPAN("Patient/p1"), SPAN("a1"));
    struct store_unit     u = { .resources = &a, .resource_count = 1 };

    assert_int_equal(submit(t, &u), ST_OK);
    uint64_t before = store_consent_generation(t->store);
    assert_int_equal(u.consent_generation, before);
    assert_int_equal(scratch_reopen(t), ST_OK);
    assert_int_equal(store_consent_generation(t->store), before);
}

/* ---- opening ------------------------------------------------------------------------------ */

static void
test_the_file_is_for_its_owner_alone(void **state)
{
    struct scratch *t = *state;
    struct stat     st;
    char            name[128];

    for (int i = 0; i < 3; i++) {
        static const char *const suffix[] = { "", "-wal", "-shm" };
        (void)snprintf(name, sizeof name, "%s%s", t->file, suffix[i]);
        assert_int_equal(stat(name, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

static void
test_a_second_writer_is_refused_and_a_reader_is_not(void **state)
{
    struct scratch       *t       = *state;
    struct store_options  writing = { .path = t->file, .signer = t->signer };
    struct store_options  reading = { .path = t->file, .read_only = true };
    struct store         *other   = NULL;
    struct store_counts   counts;
    struct store_resource r = resource(SPAN("Condition"), SPAN("a"), SPAN("x"));

    assert_int_equal(store_open(&writing, &other, &t->why), ST_UNAVAILABLE);
    assert_null(other);
    buf_clear(&t->why);
    assert_int_equal(store_open(&reading, &other, &t->why), ST_OK);
    assert_int_equal(put(t, &r), ST_OK);                     /* the writer goes on */
    assert_int_equal(store_counts_read(other, &counts), ST_OK);
    assert_int_equal(counts.resources, 1);
    store_close(&other);
}

static void
test_a_reader_opens_a_store_whose_gateway_is_down(void **state)
{
    struct scratch       *t       = *state;
    struct store_options  reading = { .path = t->file, .read_only = true };
    struct store         *other   = NULL;
    struct store_counts   counts;
    struct store_resource r = resource(SPAN("Condition"), SPAN("a"), SPAN("x"));

    assert_int_equal(put(t, &r), ST_OK);
    store_close(&t->store);
    assert_int_equal(store_open(&reading, &other, &t->why), ST_OK);
    assert_int_equal(store_counts_read(other, &counts), ST_OK);
    assert_int_equal(counts.resources, 1);
    store_close(&other);
}

static void
test_another_key_or_origin_is_refused(void **state)
{
    struct scratch       *t     = *state;
    struct ledger_signer *wrong = NULL;
    struct store_options  o     = { .path = t->file };
    struct store         *other = NULL;

    store_close(&t->store);
    assert_int_equal(ledger_signer_open(t->key, SPAN("another.example/log"), &wrong, &t->why), ST_OK);
    o.signer = wrong;
    assert_int_equal(store_open(&o, &other, &t->why), ST_INTEGRITY);
    ledger_signer_free(&wrong);
    key_write(t->key);
    assert_int_equal(ledger_signer_open(t->key, SPAN("test.example/log"), &wrong, &t->why), ST_OK);
    o.signer = wrong;
    buf_clear(&t->why);
    assert_int_equal(store_open(&o, &other, &t->why), ST_INTEGRITY);
    assert_span(buf_span(&t->why), "ledger key: this store's log is signed by another key");
    ledger_signer_free(&wrong);
}

/* What another connection does to the file while the store is closed. */
static void
change_file(struct scratch *t, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(t->file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
test_a_store_of_the_first_schema_is_brought_up_to_date(void **state)
{
    struct scratch     *t = *state;
    struct ledger_entry e = some_record(t, LEDGER_DISCLOSURES, SPAN("Patient/p1"));
    struct store_unit   u = { .records = &e, .record_count = 1 };

    assert_int_equal(submit(t, &u), ST_OK);
    store_close(&t->store);
    change_file(t, "DROP INDEX ledger_leaf_at; DROP INDEX ledger_void; DROP TABLE ledger_subject; DROP TABLE filing; ALTER TABLE inbox DROP COLUMN holder; "
                   "DROP TABLE class_epoch; DROP TABLE class_now; DROP TABLE class_pass; DROP TABLE class_confirmed;"
                   "DROP TABLE review; DROP TABLE review_act; DROP TABLE standing; DROP TABLE patient_link; DROP TABLE consent;"
                   "CREATE TABLE consent(patient TEXT NOT NULL, id TEXT NOT NULL, generation INTEGER NOT NULL, inbox INTEGER NOT NULL,"
                   " place INTEGER NOT NULL, PRIMARY KEY(patient, id)) WITHOUT ROWID; PRAGMA user_version = 1");
    assert_int_equal(scratch_open(t), ST_OK);
    e = some_record(t, LEDGER_DISCLOSURES, SPAN("Patient/p2"));
    assert_int_equal(submit(t, &u), ST_OK);
    store_close(&t->store);
    change_file(t, "PRAGMA user_version = 99");
    assert_int_equal(scratch_open(t), ST_UNSUPPORTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_keeps_a_resource_that_came_in_a_body_byte_for_byte),
        TEST(test_reads_a_slice_of_a_large_body),
        TEST(test_counts_versions_and_remembers_each),
        TEST(test_versions_go_on_after_a_restart),
        TEST(test_deletes_by_a_version_and_creates_again),
        TEST(test_refuses_a_version_that_is_not_the_current_one_and_writes_nothing_of_the_unit),
        TEST(test_every_resource_that_is_refused_says_why),
        TEST(test_who_may_only_create_writes_over_what_it_sent_itself_and_nothing_else),
        TEST(test_a_unit_that_fails_leaves_its_neighbours_in_the_batch_alone),
        TEST(test_what_may_wait_is_written_all_the_same),
        TEST(test_the_first_answer_under_a_key_is_kept_across_restarts),
        TEST(test_an_answer_is_authored_when_versions_are_known),
        TEST(test_finds_the_current_consents_of_a_patient),
        TEST(test_hands_out_the_body_of_a_consent_once),
        TEST(test_a_consent_that_moves_to_another_patient_is_gone_from_the_first),
        TEST(test_refuses_a_release_decided_on_consents_that_changed),
        TEST(test_knows_at_once_who_never_had_a_consent),
        TEST(test_nobody_is_told_of_a_generation_that_has_the_consent_he_is_told_is_not_there),
        TEST(test_the_consent_generation_survives_a_restart),
        TEST(test_the_file_is_for_its_owner_alone),
        TEST(test_a_second_writer_is_refused_and_a_reader_is_not),
        TEST(test_a_reader_opens_a_store_whose_gateway_is_down),
        TEST(test_another_key_or_origin_is_refused),
        TEST(test_a_store_of_the_first_schema_is_brought_up_to_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
