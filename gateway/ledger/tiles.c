/* gateway/ledger/tiles.c -- names of tiles in a folder, as c2sp.org/tlog-tiles. */
#include "gateway/ledger/tiles.h"

static uint64_t
entries_at(uint64_t size, unsigned level)
{
    return level < TILE_LEVELS ? size >> (TILE_BITS * level) : 0;
}

void
tile_name(struct buf *out, unsigned level, uint64_t n, unsigned width)
{
    unsigned parts[8];                   /* three digits each: 10^24 tiles */
    size_t   count = 0;

    do {
        parts[count++] = (unsigned)(n % 1000);
        n /= 1000;
    } while (n > 0);
    buf_add_format(out, "tiles/%u", level);
    while (count-- > 0)
        buf_add_format(out, count > 0 ? "/x%03u" : "/%03u", parts[count]);
    if (width < TILE_HASHES)
        buf_add_format(out, ".p/%u", width);
}

/* Three digits; false on anything else. */
static bool
three_digits(struct span text, uint64_t *n)
{
    uint64_t value;

    if (text.length != 3 || !span_to_u64(text, &value))
        return false;
    *n = *n * 1000 + value;
    return true;
}

/* Written from the numbers again and compared: one spelling a tile. */
static bool
is_name_of(struct span name, unsigned level, uint64_t n, unsigned width)
{
    char       room[128];
    struct buf again = { .at = room, .capacity = sizeof room, .max = sizeof room };

    tile_name(&again, level, n, width);
    return span_eq(span_skip(buf_span(&again), sizeof "tiles/" - 1), name);
}

bool
tile_name_belongs(struct span name, uint64_t size)
{
    struct span rest  = name;
    struct span first = span_split(&rest, '/');
    uint64_t    level, n = 0, width = TILE_HASHES;

    if (!span_to_u64(first, &level) || level >= TILE_LEVELS)
        return false;
    while (rest.at != NULL) {
        struct span part = span_split(&rest, '/');
        if (span_ends(part, SPAN(".p"))) {
            if (!three_digits(span_first(part, part.length - 2), &n) || !span_to_u64(rest, &width))
                return false;
            break;
        }
        if (span_starts(part, SPAN("x")))
            part = span_skip(part, 1);
        if (!three_digits(part, &n))
            return false;
    }
    uint64_t entries = entries_at(size, (unsigned)level);
    uint64_t there   = n < entries / TILE_HASHES ? TILE_HASHES
                       : n == entries / TILE_HASHES ? entries % TILE_HASHES
                                                    : 0;
    return width > 0 && width == there && is_name_of(name, (unsigned)level, n, (unsigned)width);
}
