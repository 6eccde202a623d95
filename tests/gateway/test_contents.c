/* tests/gateway/test_contents.c -- the list of a push is read as it was written, old and new. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "gateway/store/contents.h"
#include "tests/support/in_arena.h"

static char long_text[100000];

static const int64_t keys[] = { 17, INT64_MAX };

static const struct content rows[] = {
    { .type = { "Condition", 9 }, .id = { "c1", 2 }, .patient = { "Patient/p1", 10 }, .labels = { "SUD R", 5 },
      .part2 = { "confirmed", 9 }, .version = 1, .start = 812, .length = 345, .identifiers = keys,
      .identifier_count = 2 },
    { .type = { "Observation", 11 }, .id = { "o\"\\1", 4 }, .version = 7, .blob = INT64_MAX, .length = 9 },
    { .type = { "Encounter", 9 }, .id = { "e", 1 }, .patient = { long_text, sizeof long_text }, .version = 2,
      .deleted = true, .start = UINT32_MAX, .length = UINT32_MAX },
    { .type = { "", 0 } },
};
#define ROWS (sizeof rows / sizeof rows[0])

static uint32_t places[ROWS];

static struct span
written(void)
{
    struct contents c;

    memset(long_text, 'x', sizeof long_text);
    contents_begin(&c, arena);
    for (size_t i = 0; i < ROWS; i++)
        places[i] = contents_add(&c, &rows[i]);
    return contents_end(&c);
}

static void
assert_same(const struct content *got, const struct content *want)
{
    assert_true(span_eq(got->type, want->type) && span_eq(got->id, want->id) && span_eq(got->patient, want->patient));
    assert_true(span_eq(got->labels, want->labels) && span_eq(got->part2, want->part2));
    assert_int_equal(got->version, want->version);
    assert_int_equal(got->blob, want->blob);
    assert_int_equal(got->start, want->start);
    assert_int_equal(got->length, want->length);
    assert_int_equal(got->deleted, want->deleted);
}

static enum status
on_content(const struct content *c, uint32_t place, void *arg)
{
    size_t *at = arg;

    assert_int_equal(place, places[*at]);
    assert_same(c, &rows[*at]);
    assert_int_equal(c->identifier_count, rows[*at].identifier_count);
    for (size_t i = 0; i < c->identifier_count; i++)
        assert_int_equal(c->identifiers[i], keys[i]);
    (*at)++;
    return ST_OK;
}

static void
test_what_is_written_is_read(void **state)
{
    struct span    list = written();
    size_t         seen = 0;
    struct content c;

    (void)state;
    assert_int_equal(contents_visit(list, arena, on_content, &seen), ST_OK);
    assert_int_equal(seen, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        assert_int_equal(contents_at(list, places[i], arena, &c), ST_OK);
        assert_same(&c, &rows[i]);
    }
}

static enum status
on_any(const struct content *c, uint32_t place, void *arg)
{
    (void)c;
    (void)place;
    (void)arg;
    return ST_OK;
}

/* Cut anywhere but between entries, or with a length that lies: refused, never
 * read past. */
static void
test_a_list_that_was_cut_or_changed_is_refused(void **state)
{
    struct span list  = written();
    struct span small = span_first(list, (size_t)places[2] * CONTENTS_ALIGN);

    (void)state;
    for (size_t length = sizeof CONTENTS_MAGIC + 1; length < small.length; length++) {
        enum status st  = contents_visit(arena_copy(arena, span_first(small, length)), arena, on_any, NULL);
        bool        end = length == (size_t)places[1] * CONTENTS_ALIGN;
        if (st == ST_OK && !end && length % CONTENTS_ALIGN == 0)
            fail_msg("cut at %zu", length);
    }
    for (size_t at = sizeof CONTENTS_MAGIC; at < sizeof CONTENTS_MAGIC + 28; at++) {
        struct span copy = arena_copy(arena, small);
        memset((char *)(uintptr_t)copy.at + at, 0xff, 1);
        bool deleted = at >= sizeof CONTENTS_MAGIC + 4 && at < sizeof CONTENTS_MAGIC + 8;
        assert_int_equal(contents_visit(copy, arena, on_any, NULL), deleted ? ST_OK : ST_INTEGRITY);
    }
    struct content c;
    assert_int_equal(contents_at(list, (uint32_t)(list.length / CONTENTS_ALIGN), arena, &c), ST_INTEGRITY);
    assert_int_equal(contents_at(list, UINT32_MAX, arena, &c), ST_INTEGRITY);
}

static enum status
on_old(const struct content *c, uint32_t place, void *arg)
{
    int *count = arg;

    assert_int_equal(place, *count == 0 ? 1 : 6);
    assert_true(span_eq_text(c->type, *count == 0 ? "Condition" : "Observation"));
    (*count)++;
    return ST_OK;
}

static void
test_the_json_of_the_first_schema_is_still_read(void **state)
{
    static const char old[] =
        "[\n"
        "              [\"Condition\",\"c1\",1,0,\"Patient/p1\",\"SUD R\",\"confirmed\",0,812,345]\n"
        "             ,[\"Observation\",\"o1\",2,1,\"\",\"\",\"\",7,0,0]\n"
        "]";
    struct content c;
    int            count = 0;

    (void)state;
    assert_int_equal(contents_visit(span_of(old), arena, on_old, &count), ST_OK);
    assert_int_equal(count, 2);
    assert_int_equal(contents_at(span_of(old), 1, arena, &c), ST_OK);
    assert_same(&c, &rows[0]);
    assert_int_equal(contents_at(span_of(old), 6, arena, &c), ST_OK);
    assert_true(c.deleted && c.blob == 7 && c.version == 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_written_is_read),
        TEST(test_a_list_that_was_cut_or_changed_is_refused),
        TEST(test_the_json_of_the_first_schema_is_still_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
