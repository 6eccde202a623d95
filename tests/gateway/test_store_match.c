/* tests/gateway/test_store_match.c -- which current resource fits a condition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/gateway/store_support.h"

#define MRN "http://ehr.example.org/mrn"
#define TWO "{\"identifier\":[{\"system\":\"" MRN "\",\"value\":\"1\"},{\"value\":\"bare\"}]}"
#define ONE "{\"identifier\":{\"system\":\"" MRN "\",\"value\":\"one\"}}"
#define NONE "{\"identifier\":[{\"system\":\"" MRN "\",\"value\":\"other\"}]}"

static struct store_condition
find(struct scratch *t, const char *client, struct store_condition c)
{
    struct store_condition *list[] = { &c };
    struct store_match      m = { .arena = t->arena, .client = span_of(client), .conditions = list, .count = 1 };

    c.type = SPAN("Patient");
    WAIT_FOR(t, store_find_matches, &m);
    assert_int_equal(m.status, ST_OK);
    return c;
}

static uint32_t
finds(struct scratch *t, const char *client, const char *system, const char *value)
{
    return find(t, client, (struct store_condition){ .system = span_of(system), .value = span_of(value) }).matches;
}

/* The keys are those of `1`, the bare one and `one`, whatever the bytes say. */
static enum status
put(struct scratch *t, const char *client, const char *id, const char *bytes, struct store_condition *unless)
{
    int64_t keys[] = { store_identifier_key(SPAN("Patient"), SPAN(MRN), SPAN("1")),
                       store_identifier_key(SPAN("Patient"), SPAN(""), SPAN("bare")),
                       store_identifier_key(SPAN("Patient"), SPAN(MRN), SPAN("one")) };
    struct store_inbox    in = { .client = span_of(client) };
    struct store_resource r  = { .verb = bytes == NULL ? STORE_DELETE : STORE_PUT, .type = SPAN("Patient"),
                                 .id = span_of(id), .bytes = span_of(bytes), .if_version = -1, .unless = unless,
                                 .identifiers = keys, .identifier_count = 3 };
    struct store_unit     u  = { .inbox = &in, .resources = &r, .resource_count = 1 };
    enum status           st = submit(t, &u);

    if (st == ST_CONFLICT)
        assert_int_equal(r.refused, STORE_IS_THERE);
    return st;
}

static void
test_finds_by_identifier_what_the_client_sent_last(void **state)
{
    struct scratch *t = *state;

    assert_int_equal(put(t, "ehr", "a", TWO, NULL), ST_OK);
    assert_int_equal(put(t, "ehr", "b", ONE, NULL), ST_OK);
    for (int round = 0; round < 2; round++) {                /* and after a start, from the rows */
        struct store_condition found = find(t, "ehr", (struct store_condition){ .system = SPAN(MRN), .value = SPAN("1") });
        assert_int_equal(found.matches, 1);
        assert_true(span_eq(found.found_id, SPAN("a")));
        assert_int_equal(found.version, 1);
        assert_int_equal(finds(t, "ehr", "", "bare"), 1);
        assert_int_equal(finds(t, "ehr", MRN, "one"), 1);
        assert_int_equal(finds(t, "ehr", MRN, "other"), 0);
        assert_int_equal(finds(t, "ehr", "", "1"), 0);
        assert_int_equal(finds(t, "another", MRN, "1"), 0);
        assert_int_equal(scratch_reopen(t), ST_OK);
    }
    assert_int_equal(put(t, "ehr", "c", TWO, NULL), ST_OK);
    assert_int_equal(finds(t, "ehr", MRN, "1"), 2);
    assert_int_equal(put(t, "ehr", "c", NULL, NULL), ST_OK);
    assert_int_equal(finds(t, "ehr", MRN, "1"), 1);
    assert_int_equal(put(t, "ehr", "a", NONE, NULL), ST_OK); /* the key says yes, the bytes say no */
    assert_int_equal(finds(t, "ehr", MRN, "1"), 0);
    assert_int_equal(put(t, "another", "b", ONE, NULL), ST_OK);
    assert_int_equal(finds(t, "ehr", MRN, "one"), 0);
    assert_int_equal(finds(t, "another", MRN, "one"), 1);
}

static void
test_finds_by_id_whoever_sent_it(void **state)
{
    struct scratch *t = *state;

    assert_int_equal(put(t, "ehr", "a", TWO, NULL), ST_OK);
    assert_int_equal(find(t, "another", (struct store_condition){ .id = SPAN("a") }).matches, 1);
    assert_int_equal(find(t, "another", (struct store_condition){ .id = SPAN("z") }).matches, 0);
    assert_int_equal(put(t, "ehr", "a", NULL, NULL), ST_OK);
    assert_int_equal(find(t, "ehr", (struct store_condition){ .id = SPAN("a") }).matches, 0);
}

static void
test_of_two_conditional_creates_at_once_one_is_refused(void **state)
{
    struct scratch        *t = *state;
    struct store_condition c = { .type = SPAN("Patient"), .system = SPAN(MRN), .value = SPAN("1") };

    assert_int_equal(put(t, "ehr", "a", TWO, &c), ST_OK);
    assert_int_equal(put(t, "ehr", "b", TWO, &c), ST_CONFLICT);
    assert_int_equal(put(t, "another", "c", TWO, &c), ST_OK);
    assert_int_equal(finds(t, "ehr", MRN, "1"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_finds_by_identifier_what_the_client_sent_last),
        TEST(test_finds_by_id_whoever_sent_it),
        TEST(test_of_two_conditional_creates_at_once_one_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
