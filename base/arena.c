#include "base/arena.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Under AddressSanitizer only what is handed out can be read or written: what was given back by a
 * reset, and stays in a block, is as good as freed. */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_WATCHED 1
#endif
#endif
#ifdef ARENA_WATCHED
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

#define ALIGNMENT   16u
#define FIRST_BLOCK (16u * 1024)
#define LARGE_BLOCK ((size_t)1 << 20)
#define POOL_CLASSES 16                  /* 16 KiB << 0 .. 16 KiB << 15 */

struct block {
    struct block *older;
    size_t        size;                  /* of bytes[]                   */
    size_t        used;
    size_t        dirty;                 /* highest use: what to wipe    */
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

struct arena {
    const char        *name;
    struct arena_pool *pool;
    struct block      *newest;
    size_t             budget;
    size_t             total;            /* handed out, with alignment   */
    bool               spent;
};

struct arena_pool {
    atomic_flag   busy;                  /* a thread looks into it       */
    struct block *waiting[POOL_CLASSES];
    size_t        held;
    size_t        max;
};

static struct block *push_block(struct arena *, size_t least);
static struct block *block_take(struct arena *, size_t least);
static void          block_give(struct arena *, struct block *);

static size_t
aligned(size_t size)
{
    return (size + (ALIGNMENT - 1)) & ~(size_t)(ALIGNMENT - 1);
}

/* explicit_bzero and not memset: the compiler may drop a memset of memory
 * that is freed next. */
static void
block_wipe(struct block *b, size_t from)
{
    if (b->dirty > from) {
        ASAN_UNPOISON_MEMORY_REGION(b->bytes + from, b->dirty - from);
        explicit_bzero(b->bytes + from, b->dirty - from);
        ASAN_POISON_MEMORY_REGION(b->bytes + from, b->dirty - from);
    }
    b->dirty = from;
}

struct arena *
arena_new(const char *name, size_t budget_bytes)
{
    return arena_new_from(NULL, name, budget_bytes);
}

/* The arena itself lives at the start of its first block, so that an arena
 * from a warm pool costs no heap call. */
struct arena *
arena_new_from(struct arena_pool *pool, const char *name, size_t budget_bytes)
{
    struct arena  seed  = { .name = name, .pool = pool, .budget = budget_bytes };
    struct block *first = block_take(&seed, sizeof(struct arena));

    if (first == NULL)
        return NULL;
    struct arena *a = (struct arena *)(void *)first->bytes;
    ASAN_UNPOISON_MEMORY_REGION(first->bytes, sizeof *a);
    *a           = seed;
    a->newest    = first;
    first->used  = aligned(sizeof *a);
    first->dirty = first->used;
    return a;
}

void
arena_free(struct arena **arena)
{
    if (*arena == NULL)
        return;
    struct arena  copy = **arena;
    struct block *next;

    *arena = NULL;
    for (struct block *b = copy.newest; b != NULL; b = next) {
        next = b->older;
        block_give(&copy, b);
    }
}

void *
arena_alloc(struct arena *a, size_t size)
{
    size_t need = aligned(size > 0 ? size : 1);

    if (a->spent || need < size || need > a->budget - a->total) {
        a->spent = true;
        return NULL;
    }
    struct block *b = a->newest;
    if (b->size - b->used < need) {
        b = push_block(a, need);
        if (b == NULL)
            return NULL;
    }
    void *at = b->bytes + b->used;
    b->used += need;
    if (b->used > b->dirty)
        b->dirty = b->used;
    a->total += need;
    ASAN_UNPOISON_MEMORY_REGION(at, size);
    return at;
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        a->spent = true;
        return NULL;
    }
    return arena_alloc(a, bytes);
}

static bool
is_last(const struct arena *a, const void *at, size_t size)
{
    const struct block *b = a->newest;
    return (const unsigned char *)at + aligned(size > 0 ? size : 1) == b->bytes + b->used;
}

void *
arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size)
{
    assert(new_size >= old_size);
    if (old == NULL)
        return arena_alloc(a, new_size);
    size_t more = aligned(new_size) - aligned(old_size > 0 ? old_size : 1);
    if (new_size <= aligned(old_size))
        more = 0;
    if (!a->spent && is_last(a, old, old_size)
        && a->newest->size - a->newest->used >= more
        && new_size >= old_size && more <= a->budget - a->total) {
        a->newest->used += more;
        if (a->newest->used > a->newest->dirty)
            a->newest->dirty = a->newest->used;
        a->total += more;
        ASAN_UNPOISON_MEMORY_REGION(old, new_size);
        return old;
    }
    void *fresh = arena_alloc(a, new_size);
    if (fresh != NULL)
        memcpy(fresh, old, old_size);
    return fresh;
}

void *
arena_more(struct arena *a, void *items, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return items;
    if (*room > UINT32_MAX / 2) {
        a->spent = true;
        return NULL;
    }
    uint32_t larger = *room == 0 ? 64 : *room * 2;
    void    *more   = arena_grow(a, items, *room * size, larger * size);
    if (more != NULL)
        *room = larger;
    return more;
}

void
arena_shrink(struct arena *a, void *last, size_t old_size, size_t new_size)
{
    assert(new_size <= old_size);
    if (last == NULL || !is_last(a, last, old_size))
        return;
    size_t less = aligned(old_size > 0 ? old_size : 1) - aligned(new_size > 0 ? new_size : 1);
    a->newest->used -= less;
    a->total        -= less;
    block_wipe(a->newest, a->newest->used);
    /* The rest of the last 16 bytes, too: arena_grow() promises zeroes. */
    size_t rest = aligned(new_size > 0 ? new_size : 1) - new_size;
    ASAN_UNPOISON_MEMORY_REGION((unsigned char *)last + new_size, rest);
    explicit_bzero((unsigned char *)last + new_size, rest);
    ASAN_POISON_MEMORY_REGION((unsigned char *)last + new_size, rest);
}

static size_t
room_of(const struct arena *a)
{
    size_t block = a->newest->size - a->newest->used;
    size_t left  = a->budget - a->total;

    return (block < left ? block : left) & ~(size_t)(ALIGNMENT - 1);
}

/* A new newest block with room for `least`, or NULL and spent. */
static struct block *
push_block(struct arena *a, size_t least)
{
    struct block *b = block_take(a, least);

    if (b == NULL) {
        a->spent = true;
        return NULL;
    }
    b->older  = a->newest;
    a->newest = b;
    return b;
}

void *
arena_open(struct arena *a, size_t least, size_t *room)
{
    *room = 0;
    if (a->spent || least > SIZE_MAX - ALIGNMENT || aligned(least) > a->budget - a->total) {
        a->spent = true;
        return NULL;
    }
    if (a->newest->size - a->newest->used < aligned(least)
        && push_block(a, aligned(least)) == NULL)
        return NULL;
    *room = room_of(a);
    ASAN_UNPOISON_MEMORY_REGION(a->newest->bytes + a->newest->used, *room);
    return a->newest->bytes + a->newest->used;
}

void *
arena_open_more(struct arena *a, size_t used, size_t least, size_t *room)
{
    struct block *old = a->newest;

    assert(used <= old->size - old->used && used <= least);
    if (old->used + used > old->dirty)
        old->dirty = old->used + used;
    *room = 0;
    if (a->spent || least > SIZE_MAX - ALIGNMENT || aligned(least) > a->budget - a->total
        || push_block(a, aligned(least)) == NULL) {
        a->spent = true;
        return NULL;
    }
    *room = room_of(a);
    ASAN_UNPOISON_MEMORY_REGION(a->newest->bytes, *room);
    memcpy(a->newest->bytes, old->bytes + old->used, used);
    block_wipe(old, old->used);
    ASAN_POISON_MEMORY_REGION(old->bytes + old->used, old->size - old->used);
    if (old->used == 0) {                /* it held nothing but this room */
        a->newest->older = old->older;
        block_give(a, old);
    }
    return a->newest->bytes;
}

void
arena_close(struct arena *a, size_t used)
{
    struct block *b = a->newest;

    assert(aligned(used) <= room_of(a));
    ASAN_POISON_MEMORY_REGION(b->bytes + b->used + used, room_of(a) - used);
    b->used  += aligned(used);
    a->total += aligned(used);
    if (b->used > b->dirty)
        b->dirty = b->used;
}

struct span
arena_copy(struct arena *a, struct span s)
{
    char *at = arena_alloc(a, s.length + 1);

    if (at == NULL)
        return (struct span){ NULL, 0 };
    if (s.length > 0)
        memcpy(at, s.at, s.length);
    return span_from(at, s.length);
}

char *
arena_text(struct arena *a, struct span s)
{
    /* arena_copy leaves a zero byte after the last; the cast only drops the
     * const that a span adds to memory which is ours. */
    return (char *)(uintptr_t)arena_copy(a, s).at;
}

struct span
arena_join_all(struct arena *a, const struct span *parts, size_t count)
{
    size_t size = 1, used = 0;           /* with the NUL */

    for (size_t i = 0; i < count; i++)
        if (__builtin_add_overflow(size, parts[i].length, &size)) {
            a->spent = true;
            return (struct span){ NULL, 0 };
        }
    char *at = arena_alloc(a, size);
    if (at == NULL)
        return (struct span){ NULL, 0 };
    for (size_t i = 0; i < count; used += parts[i++].length)
        if (parts[i].length > 0)
            memcpy(at + used, parts[i].at, parts[i].length);
    return span_from(at, used);
}

struct span
arena_format(struct arena *a, const char *format, ...)
{
    va_list args, again;
    char   *at = NULL;
    char    own[1024] __attribute__((uninitialized));     /* most texts fit, and are made once */

    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(own, sizeof own, format, args);
    va_end(args);
    if (length >= 0)
        at = arena_alloc(a, (size_t)length + 1);
    if (at != NULL && (size_t)length < sizeof own)
        memcpy(at, own, (size_t)length + 1);
    else if (at != NULL)
        vsnprintf(at, (size_t)length + 1, format, again);
    va_end(again);
    return span_from(at, at != NULL ? (size_t)length : 0);
}

struct arena_mark
arena_mark(struct arena *a)
{
    return (struct arena_mark){ a->newest, a->newest->used, a->total };
}

void
arena_reset(struct arena *a, struct arena_mark mark)
{
    while (a->newest != mark.block) {
        struct block *gone = a->newest;
        assert(gone != NULL);
        a->newest = gone->older;
        block_give(a, gone);
    }
    a->newest->used = mark.used;
    block_wipe(a->newest, mark.used);
    a->total = mark.total;
}

bool
arena_spent(const struct arena *a)
{
    return a->spent;
}

enum status
arena_status(const struct arena *a)
{
    return a->spent ? ST_NO_MEMORY : ST_OK;
}

size_t
arena_used(const struct arena *a)
{
    return a->total;
}

size_t
arena_left(const struct arena *a)
{
    return a->spent ? 0 : a->budget - a->total;
}

const char *
arena_name(const struct arena *a)
{
    return a->name;
}

/* ---- blocks and the pool ------------------------------------------------ */

/* Block sizes are FIRST_BLOCK << class, so that a block fits any arena. */
static int
class_of(size_t least)
{
    size_t size = FIRST_BLOCK;

    for (int c = 0; c < POOL_CLASSES; c++, size <<= 1)
        if (size >= least)
            return c;
    return -1;                           /* too large to keep            */
}

/* Nobody waits for a pool: who finds it busy goes to the heap. */
static bool
pool_enter(struct arena_pool *pool)
{
    return pool != NULL && !atomic_flag_test_and_set_explicit(&pool->busy, memory_order_acquire);
}

static void
pool_leave(struct arena_pool *pool)
{
    atomic_flag_clear_explicit(&pool->busy, memory_order_release);
}

static struct block *
pool_take(struct arena_pool *pool, int class)
{
    if (class < 0 || !pool_enter(pool))
        return NULL;
    struct block *b = pool->waiting[class];
    if (b != NULL) {
        pool->waiting[class] = b->older;
        pool->held          -= b->size;
        b->older             = NULL;
    }
    pool_leave(pool);
    return b;
}

static bool
pool_keep(struct arena_pool *pool, int class, struct block *b)
{
    if (class < 0 || !pool_enter(pool))
        return false;
    bool room = b->size <= pool->max - pool->held;
    if (room) {
        b->older             = pool->waiting[class];
        pool->waiting[class] = b;
        pool->held          += b->size;
    }
    pool_leave(pool);
    return room;
}

static struct block *
block_take(struct arena *a, size_t least)
{
    /* Doubling makes few blocks of a small arena; a large one has at most
     * LARGE_BLOCK that it does not use, and blocks that fit the next one. */
    size_t want = a->newest != NULL ? a->newest->size * 2 : FIRST_BLOCK;
    if (want > LARGE_BLOCK)
        want = LARGE_BLOCK;
    int           class = class_of(want > least ? want : least);
    size_t        size  = class >= 0 ? (size_t)FIRST_BLOCK << class : least;
    struct block *b     = pool_take(a->pool, class);

    if (b != NULL || size > SIZE_MAX - sizeof(struct block))
        return b;
    b = calloc(1, sizeof *b + size);
    if (b != NULL) {
        b->size = size;
        ASAN_POISON_MEMORY_REGION(b->bytes, size);
    }
    return b;
}

static void
block_give(struct arena *a, struct block *b)
{
    block_wipe(b, 0);
    b->used = 0;
    if (!pool_keep(a->pool, class_of(b->size), b))
        free(b);
}

struct arena_pool *
arena_pool_new(size_t max_bytes)
{
    struct arena_pool *pool = calloc(1, sizeof *pool);

    if (pool != NULL) {
        pool->max = max_bytes;
        atomic_flag_clear(&pool->busy);
    }
    return pool;
}

void
arena_pool_free(struct arena_pool **pool)
{
    if (*pool == NULL)
        return;
    arena_pool_trim(*pool, 0);
    free(*pool);
    *pool = NULL;
}

void
arena_pool_trim(struct arena_pool *pool, size_t keep_bytes)
{
    if (!pool_enter(pool))
        return;
    for (int c = POOL_CLASSES - 1; c >= 0; c--) {
        while (pool->waiting[c] != NULL && pool->held > keep_bytes) {
            struct block *gone = pool->waiting[c];
            pool->waiting[c]   = gone->older;
            pool->held        -= gone->size;
            free(gone);
        }
    }
    pool_leave(pool);
}
