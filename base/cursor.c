#include "base/cursor.h"

#include <assert.h>

struct cursor
cursor_over(struct span s)
{
    return (struct cursor){ .rest = s };
}

bool
cursor_more(const struct cursor *c)
{
    return !c->failed && c->rest.length > 0;
}

char
cursor_peek(const struct cursor *c)
{
    return cursor_more(c) ? c->rest.at[0] : 0;
}

bool
cursor_accept(struct cursor *c, char byte)
{
    if (!cursor_more(c) || c->rest.at[0] != byte)
        return false;
    c->rest = span_skip(c->rest, 1);
    return true;
}

void
cursor_expect(struct cursor *c, char byte)
{
    if (!cursor_accept(c, byte))
        c->failed = true;
}

unsigned
cursor_digits(struct cursor *c, unsigned count)
{
    uint64_t value = 0;

    assert(count >= 1 && count <= 9);
    if (c->failed || c->rest.length < count
        || !span_to_u64(span_first(c->rest, count), &value)) {
        c->failed = true;
        return 0;
    }
    c->rest = span_skip(c->rest, count);
    return (unsigned)value;
}

struct span
cursor_until(struct cursor *c, char stop)
{
    if (c->failed)
        return (struct span){ NULL, 0 };
    size_t      cut  = span_find_byte(c->rest, stop);
    struct span took = cut == SPAN_NOT_FOUND ? c->rest : span_first(c->rest, cut);
    c->rest = span_skip(c->rest, took.length);
    return took;
}

struct span
cursor_while(struct cursor *c, bool (*member)(char))
{
    size_t n = 0;

    if (c->failed)
        return (struct span){ NULL, 0 };
    while (n < c->rest.length && member(c->rest.at[n]))
        n++;
    struct span took = span_first(c->rest, n);
    c->rest = span_skip(c->rest, n);
    return took;
}

bool
cursor_done(const struct cursor *c)
{
    return !c->failed && c->rest.length == 0;
}
