/* base/arena.h -- the memory of one exchange: named, budgeted, wiped.
 *
 * Everything that is made for an exchange lives in its arena and is freed
 * with it, once, after the loop turn in which it finished.  There is no free
 * for a single object.
 *
 * Rules:
 *   1  Memory comes zeroed and aligned to 16 bytes.
 *   2  Size is checked against the budget before it grows.  When the budget
 *      is spent (or malloc fails) arena_alloc returns NULL and the arena is
 *      spent for good: every later call returns NULL too, so a caller may
 *      build a whole structure and ask arena_spent() once.
 *   3  Released memory is wiped: it held PHI.  Wiping covers what was handed
 *      out, not what was only reserved.
 *   4  A block that an arena gave back may wait in a `struct arena_pool` for
 *      the next arena, so that a steady state makes no heap call per request.
 *   5  Blocks double up to 1 MiB; only a larger object has a larger one.
 *   6  Under AddressSanitizer what is not handed out, or was given back, cannot be touched.
 *
 * An arena belongs to one thread at a time: the store fills those of exchanges.  A pool may
 * be used by several, which never wait for each other: who finds it busy uses the heap.
 */
#ifndef SLUICE_BASE_ARENA_H
#define SLUICE_BASE_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "base/status.h"

struct arena;
struct arena_pool;

/* budget_bytes counts what is handed out and its alignment.  The name must
 * outlive the arena; it is for messages.  NULL when there is no memory. */
struct arena *arena_new(const char *name, size_t budget_bytes);
struct arena *arena_new_from(struct arena_pool *, const char *name, size_t budget_bytes);
void          arena_free(struct arena **);                /* NULL is fine */

void *arena_alloc(struct arena *, size_t size);
void *arena_array(struct arena *, size_t count, size_t size);
/* Makes `old` larger, in place when it was the last thing handed out, else by
 * a copy (the old bytes stay until the arena goes).  New bytes are zero. */
void *arena_grow(struct arena *, void *old, size_t old_size, size_t new_size);
/* Room for one more in a list of `count` items of this size: the list as it is, or with 64 places
 * at first and twice as many as before from then on.  NULL: the arena is spent, and the list stays. */
void *arena_more(struct arena *, void *items, uint32_t count, uint32_t *room, size_t size);
/* Gives back the unused end of the last thing handed out. */
void  arena_shrink(struct arena *, void *last, size_t old_size, size_t new_size);

/* Room whose final size is known only when it is full: the tape.  arena_open
 * gives at least `least` bytes, zeroed, and says in *room how many there are;
 * nothing is handed out and nothing counts until arena_close says how many
 * were used.  arena_open_more moves the `used` bytes to a larger room, wipes
 * the old one and gives it back, so growth costs no budget.  Between open and
 * close the arena hands out nothing else.  What was written is used, wanted or
 * not: memory that the arena does not know of is never wiped. */
void *arena_open(struct arena *, size_t least, size_t *room);
void *arena_open_more(struct arena *, size_t used, size_t least, size_t *room);
void  arena_close(struct arena *, size_t used);

#define arena_make(arena, type)         ((type *)arena_alloc((arena), sizeof(type)))
#define arena_make_n(arena, count, type) ((type *)arena_array((arena), (count), sizeof(type)))

/* A copy that ends in NUL as well; empty when spent. */
struct span arena_copy(struct arena *, struct span);
struct span arena_format(struct arena *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char       *arena_text(struct arena *, struct span);      /* NUL-terminated copy */
/* Texts one behind the other, as one that ends in NUL as well; empty when
 * spent.  For what is made for every resource or reference: arena_format
 * reads its format twice, which costs more than all the copying.
 *
 *     arena_join(arena, type, SPAN("/"), id)
 */
#define arena_join(arena, ...)                                                   \
    arena_join_all((arena), (const struct span[]){ __VA_ARGS__ },                \
                   sizeof((const struct span[]){ __VA_ARGS__ }) / sizeof(struct span))
struct span arena_join_all(struct arena *, const struct span *parts, size_t count);

/* Scratch work: everything handed out after the mark is wiped and reused. */
struct arena_mark { void *block; size_t used; size_t total; };
struct arena_mark arena_mark(struct arena *);
void              arena_reset(struct arena *, struct arena_mark);

bool        arena_spent(const struct arena *);
enum status arena_status(const struct arena *) MUST_CHECK; /* ST_OK or ST_NO_MEMORY */
size_t      arena_used(const struct arena *);
size_t      arena_left(const struct arena *);             /* of the budget; 0 when spent */
const char *arena_name(const struct arena *);

/* max_bytes: how much the pool keeps at most. */
struct arena_pool *arena_pool_new(size_t max_bytes);
void               arena_pool_free(struct arena_pool **);
/* Frees what waits beyond keep_bytes, the largest first; nothing while the pool is busy. */
void               arena_pool_trim(struct arena_pool *, size_t keep_bytes);

#endif
