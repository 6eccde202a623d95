#include "base/sort.h"

#include <assert.h>
#include <string.h>

struct heap {
    unsigned char *records;
    size_t         size;
    sort_order    *order;
    const void    *context;
};

static unsigned char *
record(const struct heap *h, size_t index)
{
    return h->records + index * h->size;
}

static void
exchange(const struct heap *h, size_t a, size_t b)
{
    unsigned char held[SORT_MAX_SIZE];

    memcpy(held, record(h, a), h->size);
    memcpy(record(h, a), record(h, b), h->size);
    memcpy(record(h, b), held, h->size);
}

static void
sift_down(const struct heap *h, size_t at, size_t count)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && h->order(record(h, child), record(h, child + 1), h->context) < 0)
            child++;
        if (h->order(record(h, at), record(h, child), h->context) >= 0)
            return;
        exchange(h, at, child);
    }
}

void
sort_in_place(void *records, size_t count, size_t size, sort_order *order, const void *context)
{
    struct heap h = { records, size, order, context };

    assert(size > 0 && size <= SORT_MAX_SIZE);
    for (size_t at = count / 2; at-- > 0;)
        sift_down(&h, at, count);
    for (size_t left = count; left-- > 1;) {
        exchange(&h, 0, left);
        sift_down(&h, 0, left);
    }
}
