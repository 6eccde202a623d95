#include "gateway/http/blocks.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CLASSES 16                       /* 16 KiB << 0 .. 16 KiB << 15 */

struct blocks {
    struct block *waiting[CLASSES];
    size_t        held, max_held;
};

static int class_of(size_t least);

struct blocks *
blocks_new(size_t max_held)
{
    struct blocks *b = calloc(1, sizeof *b);

    if (b != NULL)
        b->max_held = max_held;
    return b;
}

void
blocks_free(struct blocks **blocks)
{
    if (*blocks == NULL)
        return;
    blocks_trim(*blocks, 0);
    free(*blocks);
    *blocks = NULL;
}

struct block *
block_take(struct blocks *b, size_t least)
{
    int    class    = class_of(least);
    size_t capacity = class >= 0 ? (size_t)BLOCK_SMALLEST << class : least;

    if (class >= 0 && b->waiting[class] != NULL) {
        struct block *waiting = b->waiting[class];
        b->waiting[class]     = waiting->next;
        b->held              -= waiting->capacity;
        waiting->next         = NULL;
        return waiting;
    }
    if (capacity > SIZE_MAX - sizeof(struct block) - BLOCK_SLACK)
        return NULL;
    struct block *fresh = malloc(sizeof *fresh + capacity + BLOCK_SLACK);
    if (fresh != NULL)
        *fresh = (struct block){ .capacity = capacity };
    return fresh;
}

struct block *
block_take_announced(struct blocks *b, size_t announced, size_t first)
{
    int class = class_of(announced);

    if (announced <= first || (class >= 0 && b->waiting[class] != NULL))
        return block_take(b, announced);
    return block_take(b, first);
}

void
block_give(struct blocks *b, struct block **block)
{
    struct block *gone = *block;

    *block = NULL;
    if (gone == NULL)
        return;
    int class = class_of(gone->capacity);
    explicit_bzero(gone->at, gone->length);
    gone->length = 0;
    if (class < 0 || gone->capacity > b->max_held - b->held) {
        free(gone);
        return;
    }
    gone->next        = b->waiting[class];
    b->waiting[class] = gone;
    b->held          += gone->capacity;
}

bool
block_grow(struct blocks *b, struct block **block, size_t more, size_t most)
{
    struct block *old = *block;

    assert(old->length <= most && more <= most - old->length);
    if (more <= old->capacity - old->length)
        return true;
    size_t want = old->capacity > most / 2 ? most : old->capacity * 2;
    if (want < old->length + more)
        want = old->length + more;
    struct block *fresh = block_take(b, want);
    if (fresh == NULL)
        return false;
    memcpy(fresh->at, old->at, old->length);
    fresh->length = old->length;
    block_give(b, block);
    *block = fresh;
    return true;
}

void
block_close(struct block *block)
{
    memset(block->at + block->length, 0, BLOCK_SLACK);
}

void
blocks_trim(struct blocks *b, size_t keep)
{
    for (int c = CLASSES - 1; c >= 0; c--) {
        while (b->waiting[c] != NULL && b->held > keep) {
            struct block *gone = b->waiting[c];
            b->waiting[c]      = gone->next;
            b->held           -= gone->capacity;
            free(gone);
        }
    }
}

static int
class_of(size_t least)
{
    size_t capacity = BLOCK_SMALLEST;

    for (int c = 0; c < CLASSES; c++, capacity <<= 1)
        if (capacity >= least)
            return c;
    return -1;
}
