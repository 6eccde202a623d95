/* tests/base/test_sort.c -- sorting without the heap. */
#include "tests/support/check.h"

#include "base/sort.h"

struct pair {
    uint32_t key;
    uint32_t sequence;
    char     ballast[24];
};

static int
by_key_then_sequence(const void *a, const void *b, const void *context)
{
    const struct pair *x = a, *y = b;

    assert_ptr_equal(context, by_key_then_sequence);
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static void
test_sorts_any_number_of_records(void **state)
{
    static struct pair pairs[2000];
    struct chance      chance = chance_from(4);

    (void)state;
    for (uint32_t count = 0; count <= 2000; count = count < 20 ? count + 1 : count * 2) {
        for (uint32_t spread = 1; spread <= 1000; spread *= 10) {
            for (uint32_t i = 0; i < count; i++)
                pairs[i] = (struct pair){ .key = chance_below(&chance, spread), .sequence = i };
            sort_in_place(pairs, count, sizeof pairs[0], by_key_then_sequence, by_key_then_sequence);
            for (uint32_t i = 1; i < count; i++)
                assert_true(by_key_then_sequence(&pairs[i - 1], &pairs[i], by_key_then_sequence) < 0);
        }
    }
}

static unsigned comparisons;

static int
counted(const void *a, const void *b, const void *context)
{
    (void)context;
    comparisons++;
    return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

static void
test_no_order_of_the_input_makes_it_slow(void **state)
{
    static int numbers[4096];

    (void)state;
    for (int shape = 0; shape < 4; shape++) {
        for (int i = 0; i < 4096; i++)
            numbers[i] = shape == 0 ? i : shape == 1 ? -i : shape == 2 ? 0 : i % 2 == 0 ? i : -i;
        comparisons = 0;
        sort_in_place(numbers, 4096, sizeof numbers[0], counted, NULL);
        assert_true(comparisons <= 2 * 4096 * 12);      /* 2 n log2 n */
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorts_any_number_of_records),
        cmocka_unit_test(test_no_order_of_the_input_makes_it_slow),
    };
    return cmocka_run_group_tests_name("base/sort", tests, NULL, NULL);
}
