/* gateway/store/filter.h -- a Bloom filter (Bloom, Communications of the ACM 13(7), 1970).
 *
 * What was never added it knows for sure most of the time; what was added it
 * always knows.  Nothing is taken out.  One writer, any number of readers, no lock.
 *
 * It has 1 MiB.  Of 100,000 that were added, one question in 200,000 is answered
 * wrongly with "may"; of a million, one in 50; of ten million, nearly all.
 */
#ifndef SLUICE_GATEWAY_STORE_FILTER_H
#define SLUICE_GATEWAY_STORE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

struct filter;

struct filter *filter_new(void);                          /* nothing; NULL: no memory */
void           filter_free(struct filter **);             /* NULL is fine */
void           filter_add(struct filter *, uint64_t hash);
bool           filter_may(const struct filter *, uint64_t hash);

#endif
