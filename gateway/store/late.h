/* gateway/store/late.h -- indexes that are written behind the rows they index.
 *
 * Ids, event ids and keys are as good as random, so an index kept up to date
 * with every commit dirties a page of its own for each entry: that, not the
 * rows, was three quarters of a commit.  Rows are therefore appended without an
 * index, and an entry (kind, key, value) waits in memory.  When LATE_ENTRIES of
 * them wait they are frozen: sorted, and then written with the commits that
 * follow, some hundred a commit and many to a page, so that no commit is long.
 *
 * Rules:
 *   1  The rows alone are the truth.  After a crash, entries that were not yet
 *      written are made again from the rows behind the marks in `head`.
 *   2  A key is a hash: whoever finds a value reads its row and compares.
 *   3  A value may point to a row that is gone; then there is nothing.
 *   4  A push asks for each of its resources whether it was there before, and most
 *      were not: a filter over the keys of RESOURCE, here and in the table, knows it
 *      for a fraction of what a search costs.  A key that was undone stays in it.
 *
 *   kind       key                     value
 *   RESOURCE   type/id                 inbox << 24 | place (store/contents.h)
 *   ANSWER     client, key             id of the answer
 *   EVENT      first half of the UUID  position of the leaf
 *   PATIENT    patient                 position of the leaf
 *   IDENTIFIER type, system, value     as of RESOURCE; past versions as well
 */
#ifndef SLUICE_GATEWAY_STORE_LATE_H
#define SLUICE_GATEWAY_STORE_LATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/status.h"
#include "gateway/store/filter.h"

enum late_kind { LATE_RESOURCE = 1, LATE_ANSWER, LATE_EVENT, LATE_PATIENT, LATE_IDENTIFIER };

#define LATE_ENTRIES   16384u            /* frozen when this many wait */
#define LATE_BUCKETS   32768u            /* a power of two */
#define PLACE_BITS     24                /* times 16: 256 MiB of contents in one push */

struct late_entry {
    int64_t  key;
    int64_t  value;
    uint32_t kind;
    uint32_t older;                      /* of its bucket; index + 1, 0: none */
};

struct late {
    struct late_entry *entries;          /* that came since the last freeze */
    uint32_t           count, room;
    uint32_t           newest[LATE_BUCKETS];     /* index + 1 */
    struct late_entry *frozen;           /* in (kind, key, value) order */
    uint32_t           frozen_count, written;
    struct filter     *known;            /* NULL: too many to know */
};

struct late *late_new(void);
void         late_free(struct late **);
enum status  late_add(struct late *, enum late_kind, int64_t key, int64_t value) MUST_CHECK;
void         late_clear(struct late *);
/* What waits becomes what is written; only when nothing is frozen. */
void         late_freeze(struct late *);
void         late_frozen_done(struct late *);
/* False: neither here nor in the table. */
bool         late_may(const struct late *, enum late_kind, int64_t key);
/* The next entry of this key behind `*at` (0: from the newest); false: none. */
bool         late_next(const struct late *, enum late_kind, int64_t key, uint32_t *at, int64_t *value);

int64_t late_key_resource(struct span type, struct span id);
int64_t late_key_answer(struct span client, struct span key);
int64_t late_key_event(struct span event_id);
int64_t late_key_patient(struct span patient);

#endif
