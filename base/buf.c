#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digits.h"

#define FIRST_CAPACITY 256u

void
buf_init(struct buf *b, size_t max_bytes)
{
    *b = (struct buf){ .max = max_bytes, .status = ST_OK };
}

static void
wipe_and_free(char *at, size_t length)
{
    if (at != NULL) {
        explicit_bzero(at, length);
        free(at);
    }
}

void
buf_release(struct buf *b)
{
    wipe_and_free(b->at, b->length);
    buf_init(b, b->max);
}

void
buf_clear(struct buf *b)
{
    if (b->at != NULL)
        explicit_bzero(b->at, b->length);
    b->length = 0;
    b->status = ST_OK;
}

/* realloc would leave a copy of the old bytes behind on the heap. */
static void
regrow(struct buf *b, size_t need)
{
    size_t capacity = b->capacity > 0 ? b->capacity : FIRST_CAPACITY;

    while (capacity < need)
        capacity = capacity > b->max / 2 ? b->max : capacity * 2;
    char *at = malloc(capacity + 1);     /* vsnprintf wants to end in NUL */
    if (at == NULL) {
        b->status = ST_NO_MEMORY;
        return;
    }
    if (b->length > 0)
        memcpy(at, b->at, b->length);
    wipe_and_free(b->at, b->length);
    b->at       = at;
    b->capacity = capacity;
}

char *
buf_reserve(struct buf *b, size_t size)
{
    if (b->status != ST_OK)
        return NULL;
    if (size > b->max - b->length) {
        b->status = ST_TOO_LARGE;
        return NULL;
    }
    if (size > b->capacity - b->length || b->at == NULL)
        regrow(b, b->length + size);
    return b->status == ST_OK ? b->at + b->length : NULL;
}

void
buf_commit(struct buf *b, size_t used)
{
    b->length += used;
}

void
buf_add(struct buf *b, struct span s)
{
    char *at = buf_reserve(b, s.length);

    if (at == NULL)
        return;
    if (s.length > 0)
        memcpy(at, s.at, s.length);
    buf_commit(b, s.length);
}

void
buf_add_text(struct buf *b, const char *text)
{
    buf_add(b, span_of(text));
}

void
buf_add_byte(struct buf *b, char byte)
{
    buf_add(b, span_from(&byte, 1));
}

void
buf_add_u64(struct buf *b, uint64_t number)
{
    char digits[DIGITS_INTEGER];

    buf_add(b, span_from(digits, digits_natural(number, digits)));
}

void
buf_add_hex(struct buf *b, const void *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from  = bytes;
    char *at = buf_reserve(b, length * 2);

    if (at == NULL)
        return;
    for (size_t i = 0; i < length; i++) {
        at[2 * i]     = digits[from[i] >> 4];
        at[2 * i + 1] = digits[from[i] & 15];
    }
    buf_commit(b, length * 2);
}

void
buf_add_format(struct buf *b, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *at = length >= 0 ? buf_reserve(b, (size_t)length) : NULL;
    if (at != NULL) {
        vsnprintf(at, (size_t)length + 1, format, again);
        buf_commit(b, (size_t)length);
    }
    va_end(again);
}

struct span
buf_span(const struct buf *b)
{
    return span_from(b->at, b->length);
}

enum status
buf_status(const struct buf *b)
{
    return b->status;
}

char *
buf_detach(struct buf *b, size_t *length)
{
    char *at = b->at;

    *length = b->length;
    buf_init(b, b->max);
    return at;
}
