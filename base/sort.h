/* base/sort.h -- sorting in place, without a call to the heap.
 *
 * qsort of the C library takes memory from malloc for large arrays, outside
 * every budget.  This is a heap sort: no memory, and n log n whatever order
 * a sender thinks up.  It is not stable: records that must keep their order
 * carry a sequence number and compare by it last.
 */
#ifndef SLUICE_BASE_SORT_H
#define SLUICE_BASE_SORT_H

#include <stddef.h>

/* Negative, 0 or positive, as memcmp; `context` is what sort_in_place got. */
typedef int sort_order(const void *a, const void *b, const void *context);

/* size: of one record, at most SORT_MAX_SIZE bytes. */
#define SORT_MAX_SIZE 64u
void sort_in_place(void *records, size_t count, size_t size, sort_order *, const void *context);

#endif
