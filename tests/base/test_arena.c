/* tests/base/test_arena.c -- budget, zeroes, wiping, marks, open room, the pool. */
#include "tests/support/check.h"

#include <pthread.h>
#include <stdlib.h>

/* Looks at what was given back, too, which AddressSanitizer would tell. */
__attribute__((no_sanitize_address)) static bool
all_zero(const void *at, size_t size)
{
    const unsigned char *bytes = at;

    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static void
test_memory_is_zero_and_aligned(void **state)
{
    struct arena *a = arena_new("test", 1 << 24);

    (void)state;
    for (size_t size = 0; size < 70000; size = size * 3 + 1) {
        unsigned char *at = arena_alloc(a, size);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % 16, 0);
        assert_true(all_zero(at, size));
        memset(at, 0xaa, size);
    }
    assert_false(arena_spent(a));
    assert_int_equal(arena_status(a), ST_OK);
    assert_string_equal(arena_name(a), "test");
    arena_free(&a);
    assert_null(a);
    arena_free(&a);
}

static void
test_the_budget_is_held_and_spent_for_good(void **state)
{
    struct arena *a = arena_new("test", 1000);

    (void)state;
    assert_int_equal(arena_left(a), 1000);
    assert_non_null(arena_alloc(a, 500));
    assert_int_equal(arena_used(a), 512);
    assert_null(arena_alloc(a, 500));
    assert_true(arena_spent(a));
    assert_int_equal(arena_status(a), ST_NO_MEMORY);
    assert_int_equal(arena_left(a), 0);
    assert_null(arena_alloc(a, 1));
    assert_true(span_empty(arena_copy(a, SPAN("x"))));
    assert_true(span_empty(arena_format(a, "%d", 1)));
    assert_null(arena_text(a, SPAN("x")));
    arena_free(&a);
}

static void
test_absurd_sizes_spend_the_arena(void **state)
{
    static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2 };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct arena *a = arena_new("test", SIZE_MAX / 4);
        assert_null(arena_alloc(a, sizes[i]));
        assert_true(arena_spent(a));
        arena_free(&a);
        size_t room;
        a = arena_new("test", SIZE_MAX / 4);
        assert_null(arena_open(a, sizes[i], &room));
        assert_true(arena_spent(a));
        arena_free(&a);
    }
    struct arena *a = arena_new("test", SIZE_MAX);
    assert_null(arena_array(a, SIZE_MAX / 2, 4));
    assert_true(arena_spent(a));
    arena_free(&a);
}

static void
test_copies_and_formats_end_in_nul(void **state)
{
    struct arena *a = arena_new("test", 1 << 16);

    (void)state;
    struct span copy = arena_copy(a, SPAN("text"));
    check_text(copy, "text");
    assert_int_equal(copy.at[4], 0);
    check_text(arena_format(a, "%s-%d", "n", 7), "n-7");
    assert_string_equal(arena_text(a, SPAN("abc")), "abc");
    assert_string_equal(arena_text(a, (struct span){ NULL, 0 }), "");
    arena_free(&a);
}

static void
test_joins_texts_in_order(void **state)
{
    struct arena *a     = arena_new("test", 1 << 10);
    struct span   huge  = { "x", SIZE_MAX - 2 };
    struct span   empty = { NULL, 0 };

    (void)state;
    struct span name = arena_join(a, SPAN("Patient"), SPAN("/"), empty, SPAN("p1"));
    check_text(name, "Patient/p1");
    assert_int_equal(name.at[name.length], 0);
    struct span none = arena_join(a, empty, empty);
    assert_true(span_empty(none));
    assert_non_null(none.at);
    assert_null(arena_join(a, huge, huge).at);
    assert_true(arena_spent(a));
    assert_null(arena_join(a, SPAN("x")).at);
    arena_free(&a);
}

static void
test_grows_in_place_when_last_and_by_copy_otherwise(void **state)
{
    struct arena *a     = arena_new("test", 1 << 20);
    char         *first = arena_alloc(a, 20);

    (void)state;
    memset(first, 'x', 20);
    char *same = arena_grow(a, first, 20, 100);
    assert_ptr_equal(same, first);
    assert_true(all_zero(same + 20, 80));
    assert_int_equal(arena_used(a), 112);
    arena_alloc(a, 1);
    char *moved = arena_grow(a, same, 100, 200);
    assert_ptr_not_equal(moved, same);
    assert_memory_equal(moved, "xxxxxxxxxxxxxxxxxxxx", 20);
    assert_true(all_zero(moved + 20, 180));
    char *far = arena_grow(a, moved, 200, 60000);       /* past the end of the block */
    assert_memory_equal(far, "xxxxxxxxxxxxxxxxxxxx", 20);
    assert_true(all_zero(far + 20, 59980));
    assert_non_null(arena_grow(a, NULL, 0, 10));
    arena_free(&a);
}

static void
test_a_list_has_room_for_one_more_until_the_arena_is_spent(void **state)
{
    struct arena *a    = arena_new("test", 10000);
    uint32_t     *list = NULL, count = 0, room = 0;

    (void)state;
    for (;; count++) {
        uint32_t  before = room;
        uint32_t *more   = arena_more(a, list, count, &room, sizeof *list);
        if (more == NULL) {
            assert_int_equal(room, before);
            break;
        }
        assert_true(count < room && (room == before || room == (before == 0 ? 64 : 2 * before)));
        list        = more;
        list[count] = count;
    }
    assert_true(arena_spent(a));
    assert_in_range(count, 64, 10000 / sizeof *list);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(list[i], i);
    room = UINT32_MAX;                                  /* twice as many would wrap around */
    assert_null(arena_more(a, list, UINT32_MAX, &room, sizeof *list));
    arena_free(&a);
}

static void
test_what_is_given_back_comes_again_as_zeroes(void **state)
{
    struct arena *a  = arena_new("test", 1 << 20);
    char         *at = arena_alloc(a, 100);

    (void)state;
    memset(at, 'x', 100);
    arena_shrink(a, at, 100, 50);
    assert_int_equal(arena_used(a), 64);
    assert_ptr_equal(arena_grow(a, at, 50, 100), at);
    assert_memory_equal(at, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 50);
    assert_true(all_zero(at + 50, 50));
    arena_alloc(a, 1);
    arena_shrink(a, at, 100, 0);                        /* no longer the last: nothing happens */
    assert_int_equal(arena_used(a), 128);
    arena_free(&a);
}

static void
test_a_mark_takes_back_all_that_came_after(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);

    (void)state;
    arena_alloc(a, 100);
    struct arena_mark mark = arena_mark(a);
    size_t            used = arena_used(a);
    char             *at   = arena_alloc(a, 1000);
    memset(at, 'x', 1000);
    for (int i = 0; i < 10; i++)
        memset(arena_alloc(a, 20000), 'y', 20000);      /* several blocks more */
    arena_reset(a, mark);
    assert_int_equal(arena_used(a), used);
    assert_ptr_equal(arena_alloc(a, 1000), at);
    assert_true(all_zero(at, 1000));
    arena_free(&a);
}

static void
test_an_open_room_counts_only_when_it_closes(void **state)
{
    struct arena *a    = arena_new("test", 200000);
    size_t        room = 0;

    (void)state;
    arena_alloc(a, 100);
    char *at = arena_open(a, 1000, &room);
    assert_true(room >= 1000);
    assert_int_equal(arena_used(a), 112);
    memset(at, 'x', 1000);
    char *more = arena_open_more(a, 1000, 100000, &room);
    assert_true(room >= 100000 && room <= 200000);
    assert_int_equal(more[0], 'x');
    assert_int_equal(more[999], 'x');
    assert_true(all_zero(more + 1000, 99000));
    arena_close(a, 50000);
    assert_int_equal(arena_used(a), 112 + 50000);
    assert_ptr_not_equal(arena_alloc(a, 16), more);
    assert_false(arena_spent(a));
    arena_free(&a);
}

static void
test_an_open_room_that_moves_leaves_zeroes_behind(void **state)
{
    struct arena *a = arena_new("test", 1 << 20);
    size_t        room;

    (void)state;
    char *at = arena_open(a, 1000, &room);
    memset(at, 'x', 1000);
    arena_open_more(a, 1000, 100000, &room);
    assert_true(all_zero(at, 1000));
    arena_close(a, 1000);
    arena_free(&a);
}

static void
test_an_open_room_keeps_to_the_budget(void **state)
{
    struct arena *a = arena_new("test", 2000);
    size_t        room;

    (void)state;
    assert_non_null(arena_open(a, 1000, &room));
    assert_true(room <= 2000);
    assert_null(arena_open_more(a, 500, 3000, &room));
    assert_true(arena_spent(a));
    assert_int_equal(room, 0);
    arena_close(a, 500);                                /* what was written is wiped with the rest */
    arena_free(&a);
}

/* The pool hands the same block out again, and nothing of what was in it. */
static void
test_a_block_from_the_pool_is_wiped(void **state)
{
    static const char   secret[] = "F11.20 Opioid dependence";
    struct arena_pool  *pool     = arena_pool_new(1 << 20);
    struct arena       *a        = arena_new_from(pool, "one", 1 << 20);
    char               *at       = arena_alloc(a, 4096);

    (void)state;
    for (size_t i = 0; i + sizeof secret < 4096; i += sizeof secret)
        memcpy(at + i, secret, sizeof secret);
    arena_free(&a);
    assert_true(all_zero(at, 4096));                    /* the pool keeps the block, so this may be read */
    a = arena_new_from(pool, "two", 1 << 20);
    assert_ptr_equal(arena_alloc(a, 4096), at);
    assert_true(all_zero(at, 4096));
    arena_free(&a);
    arena_pool_free(&pool);
    assert_null(pool);
    arena_pool_free(&pool);
}

static void
test_the_pool_keeps_no_more_than_it_may(void **state)
{
    struct arena_pool *pool = arena_pool_new(40000);

    (void)state;
    for (int round = 0; round < 3; round++) {
        struct arena *a = arena_new_from(pool, "big", 1 << 24);
        for (int i = 0; i < 20; i++)
            assert_true(all_zero(memset(arena_alloc(a, 30000), 0, 30000), 30000));
        arena_free(&a);
    }
    arena_pool_free(&pool);
}

struct lent { struct arena_pool *pool; unsigned char mark; bool fine; };

/* Long enough for the threads to run at the same time, on whatever machine. */
static void *
take_and_give(void *arg)
{
    struct lent *lent = arg;

    lent->fine = true;
    for (int round = 0; round < 500000; round++) {
        struct arena  *a  = arena_new_from(lent->pool, "lent", 1 << 20);
        unsigned char *at = arena_alloc(a, 256);
        lent->fine        = lent->fine && all_zero(at, 256);
        memset(at, lent->mark, 256);
        for (int i = 0; i < 256; i += 64)
            lent->fine = lent->fine && at[i] == lent->mark;
        arena_free(&a);
    }
    return NULL;
}

static void
test_two_threads_never_get_one_block(void **state)
{
    struct arena_pool *pool   = arena_pool_new(1 << 24);
    struct lent        two[2] = { { pool, 1, false }, { pool, 2, false } };
    pthread_t          other;

    (void)state;
    assert_int_equal(pthread_create(&other, NULL, take_and_give, &two[1]), 0);
    (void)take_and_give(&two[0]);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_true(two[0].fine && two[1].fine);
    arena_pool_free(&pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zero_and_aligned),
        cmocka_unit_test(test_the_budget_is_held_and_spent_for_good),
        cmocka_unit_test(test_absurd_sizes_spend_the_arena),
        cmocka_unit_test(test_copies_and_formats_end_in_nul),
        cmocka_unit_test(test_joins_texts_in_order),
        cmocka_unit_test(test_grows_in_place_when_last_and_by_copy_otherwise),
        cmocka_unit_test(test_a_list_has_room_for_one_more_until_the_arena_is_spent),
        cmocka_unit_test(test_what_is_given_back_comes_again_as_zeroes),
        cmocka_unit_test(test_a_mark_takes_back_all_that_came_after),
        cmocka_unit_test(test_an_open_room_counts_only_when_it_closes),
        cmocka_unit_test(test_an_open_room_that_moves_leaves_zeroes_behind),
        cmocka_unit_test(test_an_open_room_keeps_to_the_budget),
        cmocka_unit_test(test_a_block_from_the_pool_is_wiped),
        cmocka_unit_test(test_the_pool_keeps_no_more_than_it_may),
        cmocka_unit_test(test_two_threads_never_get_one_block),
    };
    return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
