/* base/span.h -- a view of bytes that somebody else owns.
 *
 * A span is a value.  It never owns, never ends in NUL and may hold any byte.
 * A zeroed span is empty and equals every other empty span.
 * Lifetime: that of the bytes it points at; the header that hands one out
 * says which.
 */
#ifndef SLUICE_BASE_SPAN_H
#define SLUICE_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *at;
    size_t      length;
};

/* A span of a string literal, usable in initialisers. */
#define SPAN(literal) ((struct span){ "" literal, sizeof(literal) - 1 })
/* For printf: "%.*s", SPAN_PRINT(s).  Never for text of a payload in a log. */
#define SPAN_PRINT(s) ((int)(s).length), ((s).at != NULL ? (s).at : "")

#define SPAN_NOT_FOUND ((size_t)-1)

/* The small ones are inline: bundles are read by asking for names and taking
 * texts apart. */
static inline struct span span_of(const char *text);      /* NULL: empty */
static inline struct span span_from(const void *at, size_t length);

static inline bool span_empty(struct span);
static inline bool span_eq(struct span, struct span);
/* Without the length of the text: most comparisons end at the first byte. */
static inline bool span_eq_text(struct span, const char *text);
bool   span_eq_nocase(struct span, struct span);          /* ASCII only */
int    span_compare(struct span, struct span);            /* bytewise, as memcmp */
static inline bool   span_starts(struct span, struct span prefix);
static inline bool   span_ends(struct span, struct span suffix);
size_t span_find(struct span, struct span needle);        /* SPAN_NOT_FOUND */
static inline size_t span_find_byte(struct span, char byte);
static inline size_t span_find_last_byte(struct span, char byte);

static inline struct span span_skip(struct span, size_t count);   /* clamps */
static inline struct span span_first(struct span, size_t count);  /* clamps */
struct span span_trim(struct span);                       /* ASCII white space */
/* Cuts `*rest` at the first `byte`: returns what is before it, leaves what is
 * after it; without the byte returns all and leaves an empty span whose `at`
 * is NULL, so a loop `while (rest.at != NULL)` sees an empty last field. */
struct span span_split(struct span *rest, char byte);
/* Decimal digits only, no sign; false on anything else and on overflow. */
bool   span_to_u64(struct span, uint64_t *out);
uint64_t span_hash(struct span);                          /* FNV-1a 64 */

static inline struct span
span_of(const char *text)
{
    return (struct span){ text, text != NULL ? strlen(text) : 0 };
}

static inline struct span
span_from(const void *at, size_t length)
{
    return (struct span){ at, length };
}

static inline bool
span_empty(struct span s)
{
    return s.length == 0;
}

static inline bool
span_eq(struct span a, struct span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

static inline bool
span_eq_text(struct span s, const char *text)
{
    if (text == NULL)
        return s.length == 0;
    for (size_t i = 0; i < s.length; i++)
        if (text[i] == '\0' || text[i] != s.at[i])
            return false;
    return text[s.length] == '\0';
}

static inline struct span
span_skip(struct span s, size_t count)
{
    if (count == 0)
        return s;
    if (count > s.length)
        count = s.length;
    return (struct span){ s.at + count, s.length - count };
}

static inline struct span
span_first(struct span s, size_t count)
{
    return (struct span){ s.at, count < s.length ? count : s.length };
}

static inline bool
span_starts(struct span s, struct span prefix)
{
    return s.length >= prefix.length && span_eq(span_first(s, prefix.length), prefix);
}

static inline bool
span_ends(struct span s, struct span suffix)
{
    return s.length >= suffix.length && span_eq(span_skip(s, s.length - suffix.length), suffix);
}

static inline size_t
span_find_byte(struct span s, char byte)
{
    const char *hit = s.length > 0 ? (const char *)memchr(s.at, byte, s.length) : NULL;
    return hit != NULL ? (size_t)(hit - s.at) : SPAN_NOT_FOUND;
}

static inline size_t
span_find_last_byte(struct span s, char byte)
{
    const char *hit = s.length > 0 ? (const char *)memrchr(s.at, byte, s.length) : NULL;
    return hit != NULL ? (size_t)(hit - s.at) : SPAN_NOT_FOUND;
}

#endif
