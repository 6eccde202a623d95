/* tests/gateway/test_store_late.c -- the late index in memory, against a plain list. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "gateway/store/late.h"

#define KEYS    50
#define ENTRIES 4000

struct listed {
    enum late_kind kind;
    int64_t        key, value;
};

/* Every value of the key, each once; newest first among those of one part. */
static void
assert_found(const struct late *l, const struct listed *list, size_t count, enum late_kind kind, int64_t key)
{
    uint32_t at    = 0;
    int64_t  value = 0;
    size_t   found = 0, want = 0;
    bool     seen[ENTRIES] = { false };

    for (size_t i = 0; i < count; i++)
        want += list[i].kind == kind && list[i].key == key;
    while (late_next(l, kind, key, &at, &value)) {
        assert_in_range(value, 0, ENTRIES - 1);
        assert_false(seen[value]);
        seen[value] = true;
        assert_true(list[value].kind == kind && list[value].key == key);
        found++;
    }
    assert_int_equal(found, want);
}

static void
test_everything_that_was_added_is_found_before_and_after_freezing(void **state)
{
    static struct listed list[ENTRIES];
    struct late         *l    = late_new();
    unsigned             seed = 3;

    (void)state;
    for (size_t i = 0; i < ENTRIES; i++) {
        list[i] = (struct listed){ LATE_RESOURCE + (unsigned)rand_r(&seed) % 3, rand_r(&seed) % KEYS - KEYS / 2, (int64_t)i };
        assert_int_equal(late_add(l, list[i].kind, list[i].key, list[i].value), ST_OK);
        if (i == ENTRIES / 2)
            late_freeze(l);
    }
    for (int64_t key = -KEYS; key < KEYS; key++) {
        assert_found(l, list, ENTRIES, LATE_RESOURCE, key);
        assert_found(l, list, ENTRIES, LATE_ANSWER, key);
        assert_found(l, list, ENTRIES, LATE_PATIENT, key);
    }
    for (uint32_t i = 1; i < l->frozen_count; i++)
        assert_true(l->frozen[i - 1].kind < l->frozen[i].kind ||
                    (l->frozen[i - 1].kind == l->frozen[i].kind && l->frozen[i - 1].key <= l->frozen[i].key));
    late_free(&l);
}

static void
test_the_newest_comes_first(void **state)
{
    struct late *l = late_new();
    uint32_t     at = 0;
    int64_t      value;

    (void)state;
    assert_int_equal(late_add(l, LATE_RESOURCE, 7, 1), ST_OK);
    assert_int_equal(late_add(l, LATE_RESOURCE, 7, 2), ST_OK);
    late_freeze(l);
    assert_int_equal(late_add(l, LATE_RESOURCE, 7, 3), ST_OK);
    assert_int_equal(late_add(l, LATE_RESOURCE, 7, 4), ST_OK);
    for (int64_t want = 4; want > 0; want--) {
        assert_true(late_next(l, LATE_RESOURCE, 7, &at, &value));
        assert_int_equal(value, want);
    }
    assert_false(late_next(l, LATE_RESOURCE, 7, &at, &value));
    late_frozen_done(l);
    at = 0;
    assert_true(late_next(l, LATE_RESOURCE, 7, &at, &value) && late_next(l, LATE_RESOURCE, 7, &at, &value));
    assert_false(late_next(l, LATE_RESOURCE, 7, &at, &value));
    late_clear(l);
    at = 0;
    assert_false(late_next(l, LATE_RESOURCE, 7, &at, &value));
    late_free(&l);
}

static void
test_grows_beyond_what_is_frozen_at_once(void **state)
{
    struct late *l = late_new();
    uint32_t     at;
    int64_t      value;

    (void)state;
    for (int64_t i = 0; i < 100000; i++)
        assert_int_equal(late_add(l, LATE_EVENT, i, i), ST_OK);
    for (int64_t i = 0; i < 100000; i += 997) {
        at = 0;
        assert_true(late_next(l, LATE_EVENT, i, &at, &value));
        assert_int_equal(value, i);
    }
    late_free(&l);
}

static void
test_keys_of_uuids_grow_with_time_and_others_are_hashed(void **state)
{
    int64_t a = late_key_event(SPAN("01890a5d-ac96-774b-bcce-b302099a8057"));
    int64_t b = late_key_event(SPAN("01890a5d-ac97-774b-bcce-b302099a8057"));

    (void)state;
    assert_true(a < b);
    assert_int_equal(a, 0x01890a5dac96774bLL);
    assert_int_not_equal(late_key_event(SPAN("e1")), late_key_event(SPAN("e2")));
    assert_int_not_equal(late_key_resource(SPAN("ab"), SPAN("c")), late_key_resource(SPAN("a"), SPAN("bc")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_that_was_added_is_found_before_and_after_freezing),
        cmocka_unit_test(test_the_newest_comes_first),
        cmocka_unit_test(test_grows_beyond_what_is_frozen_at_once),
        cmocka_unit_test(test_keys_of_uuids_grow_with_time_and_others_are_hashed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
