/* tests/support/in_arena.h -- each test of a file has an arena of its own: cmocka_unit_test_setup_teardown(…, setup,
 * teardown), or a group of them. */
#ifndef SLUICE_TESTS_SUPPORT_IN_ARENA_H
#define SLUICE_TESTS_SUPPORT_IN_ARENA_H

#include "base/arena.h"

static struct arena *arena;

static inline int
setup(void **state)
{
    (void)state;
    arena = arena_new("test", (size_t)256 << 20);
    return arena == NULL;
}

static inline int
teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

#endif
