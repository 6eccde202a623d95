/* gateway/store/contents.c -- what a push contained: a list in its inbox row. */
#include "gateway/store/contents.h"

#include <endian.h>
#include <string.h>

#define HEAD       56u
#define TEXTS      5
#define FIRST_ROOM 4096u

/* ---- writing ------------------------------------------------------------------- */

static char *
room_for(struct contents *c, size_t more)
{
    size_t need = c->used + more;

    if (!c->failed && need > c->room) {
        c->at     = arena_open_more(c->arena, c->used, need > 2 * c->room ? need : 2 * c->room, &c->room);
        c->failed = c->at == NULL;
    }
    return c->failed ? NULL : c->at + c->used;
}

void
contents_begin(struct contents *c, struct arena *arena)
{
    *c        = (struct contents){ .arena = arena };
    c->at     = arena_open(arena, FIRST_ROOM, &c->room);
    c->failed = c->at == NULL;
    char *at  = room_for(c, sizeof CONTENTS_MAGIC);
    if (at != NULL)
        memcpy(at, CONTENTS_MAGIC, sizeof CONTENTS_MAGIC);
    c->used = sizeof CONTENTS_MAGIC;
}

static inline void
put(char *at, uint64_t value, unsigned bytes)
{
    value = htole64(value);
    memcpy(at, &value, bytes);
}

uint32_t
contents_add(struct contents *c, const struct content *content)
{
    const struct span texts[TEXTS] = { content->type, content->id, content->patient, content->labels,
                                       content->part2 };
    size_t            length       = HEAD;
    uint32_t          place        = (uint32_t)(c->used / CONTENTS_ALIGN);

    for (int i = 0; i < TEXTS; i++)
        length += texts[i].length;
    length += 8 * content->identifier_count;
    c->failed   = c->failed || length > UINT32_MAX || content->start > UINT32_MAX || content->length > UINT32_MAX;
    size_t full = (length + CONTENTS_ALIGN - 1) / CONTENTS_ALIGN * CONTENTS_ALIGN;
    char  *at   = room_for(c, full);
    if (at == NULL)
        return place;
    put(at, length, 4);
    put(at + 4, content->deleted, 4);
    for (int i = 0; i < TEXTS; i++)
        put(at + 8 + 4 * i, texts[i].length, 4);
    put(at + 28, (uint64_t)content->start, 4);
    put(at + 32, (uint64_t)content->length, 4);
    put(at + 36, (uint64_t)content->version, 8);
    put(at + 44, (uint64_t)content->blob, 8);
    put(at + 52, content->identifier_count, 4);
    size_t end = HEAD;
    for (int i = 0; i < TEXTS; i++) {
        if (texts[i].length > 0)
            memcpy(at + end, texts[i].at, texts[i].length);
        end += texts[i].length;
    }
    for (size_t i = 0; i < content->identifier_count; i++, end += 8)
        put(at + end, (uint64_t)content->identifiers[i], 8);
    memset(at + end, 0, full - end);
    c->used += full;
    return place;
}

struct span
contents_end(struct contents *c)
{
    /* Also when nobody wants it: what was written must be wiped one day. */
    if (c->at != NULL)
        arena_close(c->arena, c->used);
    return c->failed ? (struct span){ NULL, 0 } : span_from(c->at, c->used);
}

/* ---- reading ------------------------------------------------------------------- */

static inline uint64_t
get(const char *at, unsigned bytes)
{
    uint64_t value = 0;

    memcpy(&value, at, bytes);
    return le64toh(value);
}

static bool
keys_read(const char *at, struct arena *arena, struct content *out)
{
    int64_t *keys = arena_make_n(arena, out->identifier_count, int64_t);

    for (size_t i = 0; i < out->identifier_count && keys != NULL; i++)
        keys[i] = (int64_t)get(at + 8 * i, 8);
    out->identifiers = keys;
    return keys != NULL;
}

/* The entry at the front of `rest`; how long it is, 0: it is none.  Without an
 * arena the identifiers are passed over. */
static size_t
entry_read(struct span rest, struct arena *arena, struct content *out)
{
    struct span *texts[TEXTS] = { &out->type, &out->id, &out->patient, &out->labels, &out->part2 };
    size_t       end          = HEAD;

    if (rest.length < HEAD)
        return 0;
    size_t length = (size_t)get(rest.at, 4);
    if (length < HEAD || length > rest.length)
        return 0;
    for (int i = 0; i < TEXTS; i++) {
        size_t bytes = (size_t)get(rest.at + 8 + 4 * i, 4);
        if (bytes > length - end)
            return 0;
        *texts[i] = span_from(rest.at + end, bytes);
        end += bytes;
    }
    out->identifiers      = NULL;
    out->identifier_count = (size_t)get(rest.at + 52, 4);
    if (out->identifier_count != (length - end) / 8 || (length - end) % 8 != 0)
        return 0;
    if (arena == NULL)
        out->identifier_count = 0;
    else if (out->identifier_count > 0 && !keys_read(rest.at + end, arena, out))
        return 0;
    out->deleted = get(rest.at + 4, 4) != 0;
    out->start   = (int64_t)get(rest.at + 28, 4);
    out->length  = (int64_t)get(rest.at + 32, 4);
    out->version = (int64_t)get(rest.at + 36, 8);
    out->blob    = (int64_t)get(rest.at + 44, 8);
    return out->version >= 0 && out->blob >= 0 ? length : 0;
}

static bool
is_json(struct span list)
{
    return !span_starts(list, span_from(CONTENTS_MAGIC, sizeof CONTENTS_MAGIC));
}

enum status
contents_visit(struct span list, struct arena *arena, content_visitor *visit, void *arg)
{
    struct content c;
    enum status    st = ST_OK;

    if (is_json(list))
        return contents_json_visit(list, arena, visit, arg);
    for (size_t at = sizeof CONTENTS_MAGIC; at < list.length && st == ST_OK;) {
        size_t length = entry_read(span_skip(list, at), arena, &c);
        st            = length > 0 ? visit(&c, (uint32_t)(at / CONTENTS_ALIGN), arg) : ST_INTEGRITY;
        at += (length + CONTENTS_ALIGN - 1) / CONTENTS_ALIGN * CONTENTS_ALIGN;
    }
    return st;
}

enum status
contents_at(struct span list, uint32_t place, struct arena *arena, struct content *out)
{
    if (is_json(list))
        return contents_json_at(list, place, arena, out);
    return entry_read(span_skip(list, (size_t)place * CONTENTS_ALIGN), NULL, out) > 0 ? ST_OK : ST_INTEGRITY;
}
