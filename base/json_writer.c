#include "base/json_writer.h"

#include <string.h>
#if defined __SSE2__
#include <emmintrin.h>
#endif

#include "base/digits.h"
#include "base/json_text.h"

#define FIRST_ROOM 2048u

static bool grow(struct json_writer *, size_t more);
static void begin_value(struct json_writer *, const char *name);
static void add_escaped(struct json_writer *, struct span text);

static inline bool
room_for(struct json_writer *w, size_t more)
{
    return (!w->failed && more <= w->room - w->used) || grow(w, more);
}

static inline void
add(struct json_writer *w, const void *bytes, size_t length)
{
    if (length == 0 || !room_for(w, length))
        return;
    memcpy(w->at + w->used, bytes, length);
    w->used += length;
}

static inline void
add_byte(struct json_writer *w, char byte)
{
    if (room_for(w, 1))
        w->at[w->used++] = byte;
}

void
json_writer_open(struct json_writer *w, struct arena *arena)
{
    memset(w, 0, sizeof *w);
    w->arena  = arena;
    w->at     = arena_open(arena, FIRST_ROOM, &w->room);
    w->failed = w->at == NULL;
}

struct span
json_writer_close(struct json_writer *w)
{
    bool whole = !w->failed && w->depth == 0;

    /* Also when nobody wants it: what was written must be wiped one day. */
    if (w->at != NULL)
        arena_close(w->arena, w->used);
    return whole ? span_from(w->at, w->used) : (struct span){ NULL, 0 };
}

size_t
json_writer_length(const struct json_writer *w)
{
    return w->used;
}

static void
container(struct json_writer *w, const char *name, char opener, char closer)
{
    begin_value(w, name);
    if (w->depth == JSON_WRITER_DEPTH) {
        w->failed = true;
        return;
    }
    add_byte(w, opener);
    w->closer[w->depth++] = closer;
    w->more[w->depth]     = false;
}

void
json_object(struct json_writer *w, const char *name)
{
    container(w, name, '{', '}');
}

void
json_array(struct json_writer *w, const char *name)
{
    container(w, name, '[', ']');
}

void
json_end(struct json_writer *w)
{
    if (w->depth == 0) {
        w->failed = true;
        return;
    }
    add_byte(w, w->closer[--w->depth]);
}

void
json_text(struct json_writer *w, const char *name, struct span text)
{
    json_join_all(w, name, &text, 1);
}

void
json_join_all(struct json_writer *w, const char *name, const struct span *parts, size_t count)
{
    begin_value(w, name);
    add_byte(w, '"');
    for (size_t i = 0; i < count; i++)
        add_escaped(w, parts[i]);
    add_byte(w, '"');
}

void
json_text_if(struct json_writer *w, const char *name, struct span text)
{
    if (!span_empty(text))
        json_text(w, name, text);
}

void
json_integer(struct json_writer *w, const char *name, int64_t number)
{
    char   digits[DIGITS_INTEGER];
    size_t length = digits_integer(number, digits);

    begin_value(w, name);
    add(w, digits, length);
}

void
json_bool(struct json_writer *w, const char *name, bool value)
{
    begin_value(w, name);
    add(w, value ? "true" : "false", value ? 4 : 5);
}

/* From one string to the next: white space is only between them. */
static void
add_compact(struct json_writer *w, struct span value)
{
    const char *p = value.at, *end = p + value.length, *from = p;
    bool        inside = false;

    for (; p < end; p++) {
        if (inside && *p == '\\') {
            p++;
        } else if (*p == '"') {
            inside = !inside;
        } else if (!inside && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
            add(w, from, (size_t)(p - from));
            from = p + 1;
        }
    }
    add(w, from, (size_t)(end - from));
}

void
json_copy(struct json_writer *w, struct span name, struct span value)
{
    begin_value(w, NULL);
    if (!span_empty(name)) {
        add_byte(w, '"');
        add(w, name.at, name.length);
        add(w, "\":", 2);
    }
    if (!span_empty(value))
        add_compact(w, value);
}

void
json_raw(struct json_writer *w, struct span bytes)
{
    add(w, bytes.at, bytes.length);
    w->more[w->depth] = true;
}

static bool
grow(struct json_writer *w, size_t more)
{
    size_t need = w->used + more;

    if (w->failed)
        return false;
    w->at     = arena_open_more(w->arena, w->used, need > 2 * w->room ? need : 2 * w->room, &w->room);
    w->failed = w->at == NULL;
    return !w->failed;
}

/* The comma, and `"name":`, in one piece: the most frequent of all. */
static void
begin_value(struct json_writer *w, const char *name)
{
    size_t comma  = w->more[w->depth];
    size_t length = name != NULL ? strlen(name) : 0;

    w->more[w->depth] = true;
    if (!room_for(w, length + 4))
        return;
    char *p = w->at + w->used;
    *p = ',';
    p += comma;
    if (name != NULL) {
        *p++ = '"';
        memcpy(p, name, length);
        p += length;
        *p++ = '"';
        *p++ = ':';
    }
    w->used = (size_t)(p - w->at);
}

static void
add_escape(struct json_writer *w, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    static const char letters[] = "btn\0fr";         /* 8 to 13; 11 has no letter */
    char              escape[6] = { '\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15] };

    if (byte == '"' || byte == '\\')
        escape[1] = (char)byte;
    else if (byte >= 8 && byte <= 13 && byte != 11)
        escape[1] = letters[byte - 8];
    add(w, escape, escape[1] == 'u' ? 6 : 2);
}

static bool
is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

#if defined __SSE2__
/* A bit for each byte that is not plain ASCII; those from 0x80 up are
 * negative and so below the blank. */
static unsigned
stops(__m128i x)
{
    __m128i stop = _mm_or_si128(_mm_cmplt_epi8(x, _mm_set1_epi8(0x20)),
                                _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')),
                                             _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'))));
    return (unsigned)_mm_movemask_epi8(stop);
}
#endif

/* To the first byte that is not plain ASCII. */
static const uint8_t *
skip_plain(const uint8_t *p, const uint8_t *end)
{
#if defined __SSE2__
    for (; end - p >= 16; p += 16) {
        unsigned mask = stops(_mm_loadu_si128((const __m128i *)(const void *)p));
        if (mask != 0)
            return p + __builtin_ctz(mask);
    }
    if (end - p >= 8) {
        unsigned mask = stops(_mm_loadl_epi64((const __m128i *)(const void *)p)) & 0xff;
        if (mask != 0)
            return p + __builtin_ctz(mask);
        p += 8;
    }
#endif
    while (p < end && is_plain(*p))
        p++;
    return p;
}

static void
add_escaped(struct json_writer *w, struct span text)
{
    const uint8_t *p   = (const uint8_t *)text.at;
    const uint8_t *end = p != NULL ? p + text.length : NULL;

    while (p < end) {
        const uint8_t *from = p;
        p = skip_plain(p, end);
        add(w, from, (size_t)(p - from));
        if (p == end)
            break;
        if (*p < 0x80) {
            add_escape(w, *p++);
            continue;
        }
        size_t length = text_utf8_length(p, end);
        add(w, length > 0 ? (const void *)p : "\xef\xbf\xbd", length > 0 ? length : 3);
        p += length > 0 ? length : 1;
    }
}
